package scanner

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// markValue stands for a key in the tests below.
const markValue = "VALUE"

func TestFindMark(t *testing.T) {
	const rule = "acme-live-key"
	tests := []struct {
		name, text string
		want       string // tool, or "" for no mark
		line       int
		reason     string
	}{
		{"same line", "k = VALUE # till:ignore", "till", 1, ""},
		{"no blank", "k = VALUE #till:ignore", "till", 1, ""},
		{"before the value", "/* till:ignore */ k = VALUE", "till", 1, ""},
		{"crlf", "k = VALUE # till:ignore\r\nx\r\n", "till", 1, ""},
		{"reason", "k = VALUE # till:ignore -- from the manual", "till", 1, "from the manual"},
		{"reason in block comment", "k = VALUE /* till:ignore -- from the manual */", "till", 1, "from the manual"},
		{"html comment", "k=VALUE <!-- till:ignore -->", "till", 1, ""},
		{"rule", "k = VALUE # till:ignore acme-live-key", "till", 1, ""},
		{"rule and reason", "k = VALUE # till:ignore acme-live-key -- test key", "till", 1, "test key"},
		{"rule and reason in html", "k=VALUE <!-- till:ignore acme-live-key -- test key -->", "till", 1, "test key"},
		{"rules", "k = VALUE # till:ignore other-key,acme-live-key", "till", 1, ""},
		{"rules with blanks", "k = VALUE # till:ignore other-key, acme-live-key -- x", "till", 1, "x"},
		{"other rule", "k = VALUE # till:ignore other-key", "", 0, ""},
		{"other rules", "k = VALUE # till:ignore other-key, third-key -- x", "", 0, ""},
		{"other rule and words", "k = VALUE # till:ignore other-key because", "", 0, ""},
		{"one word is a name", "k = VALUE # till:ignore acme", "", 0, ""},
		{"plain words", "k = VALUE # till:ignore test key", "till", 1, "test key"},
		{"plain words after a colon", "k = VALUE # till:ignore: Test key", "till", 1, "Test key"},
		{"parentheses", "k = VALUE # (till:ignore)", "till", 1, ""},
		{"second mark is for the rule", "k = VALUE # till:ignore other-key # till:ignore acme-live-key", "till", 1, ""},
		{"two comments", "k = VALUE /* till:ignore other-key */ /* till:ignore acme-live-key */", "till", 1, ""},

		{"line above", "# till:ignore\nk = VALUE", "till", 1, ""},
		{"line above, indented", "x\n\t// till:ignore acme-live-key -- test\r\n\tk = VALUE", "till", 2, "test"},
		{"line above in a block comment", "/*\n till:ignore\n*/ k = VALUE", "till", 2, ""},
		{"line above in XML", "<!-- till:ignore -->\n<k>VALUE</k>", "till", 1, ""},
		{"line above in JSON", "{\n  \"_comment\": \"till:ignore -- fixture\",\n  \"k\": \"VALUE\"\n}", "till", 2, "fixture"},
		{"line above in JSON, slashes", "{\n  \"//\": \"till:ignore\",\n  \"k\": \"VALUE\"\n}", "till", 2, ""},
		{"line above in properties", "! till:ignore\nk=VALUE", "till", 1, ""},
		{"line above in a batch file", "REM till:ignore\nset K=VALUE", "till", 1, ""},
		{"line above with byte order mark", "\ufeff# till:ignore\nk=VALUE", "till", 1, ""},
		{"line above, other rule", "# till:ignore other-key\nk = VALUE", "", 0, ""},
		{"line above is code", "f() # till:ignore\nk = VALUE", "", 0, ""},
		{"line above is code after a comment", "/* till:ignore */ f()\nk = VALUE", "", 0, ""},
		{"line above is a JSON member", "\"note\": \"till:ignore\",\n\"k\": \"VALUE\"", "", 0, ""},
		{"two lines above", "# till:ignore\n\nk = VALUE", "", 0, ""},
		{"line below", "k = VALUE\n# till:ignore", "", 0, ""},
		{"statement below", "# till:ignore\ncurl \\\n  -X POST \\\n  -H VALUE", "till", 1, ""},
		{"statement below, ended", "# till:ignore\ncurl \\\n  -X POST\n  -H VALUE", "", 0, ""},

		{"next line", "f() # till:ignore-next-line\nk = VALUE", "till", 1, ""},
		{"next line, reason", "# till:ignore-next-line acme-live-key -- old\nk = VALUE", "till", 1, "old"},
		{"next line is not this line", "k = VALUE # till:ignore-next-line", "", 0, ""},
		{"next line is not this line, from the left", "/* till:ignore-next-line */ k = VALUE", "", 0, ""},
		{"next line is not the one after", "# till:ignore-next-line\n\nk = VALUE", "", 0, ""},

		{"block", "# till:ignore-start -- fixtures\na\nk = VALUE\n# till:ignore-end\n", "till", 1, "fixtures"},
		{"block of a rule", "// till:ignore-start acme-live-key\nk = VALUE\n// till:ignore-end", "till", 1, ""},
		{"block of another rule", "// till:ignore-start other-key\nk = VALUE\n// till:ignore-end", "", 0, ""},
		{"block never closed", "# till:ignore-start\nk = VALUE\n", "", 0, ""},
		{"after the block", "# till:ignore-start\n# till:ignore-end\nk = VALUE", "", 0, ""},
		{"before the block", "k = VALUE\n# till:ignore-start\n# till:ignore-end", "", 0, ""},
		{"between two blocks", "# till:ignore-start\n# till:ignore-end\nk = VALUE\n# till:ignore-start\n# till:ignore-end", "", 0, ""},
		{"second block", "# till:ignore-start\n# till:ignore-end\n# till:ignore-start\nk = VALUE\n# till:ignore-end", "till", 3, ""},
		{"after a block inside a block", "# till:ignore-start\n# till:ignore-start other-key\n# till:ignore-end\nk = VALUE\n# till:ignore-end", "till", 1, ""},
		{"outer block never closed", "# till:ignore-start\n# till:ignore-start other-key\nk = VALUE\n# till:ignore-end", "", 0, ""},
		{"block in a string", "s = \"till:ignore-start\"\nk = VALUE\n# till:ignore-end", "", 0, ""},

		{"gitleaks", "k = VALUE #gitleaks:allow", "gitleaks", 1, ""},
		{"betterleaks", "k = VALUE // betterleaks:allow", "betterleaks", 1, ""},
		{"trufflehog", "k = VALUE # trufflehog:ignore", "trufflehog", 1, ""},
		{"kingfisher", "k = VALUE # kingfisher:ignore", "kingfisher", 1, ""},
		{"detect-secrets", "k = VALUE # pragma: allowlist secret", "detect-secrets", 1, ""},
		{"detect-secrets, no blank", "k = VALUE # pragma:allowlist secret", "detect-secrets", 1, ""},
		{"detect-secrets, older word", "k = VALUE // pragma: whitelist secret", "detect-secrets", 1, ""},
		{"detect-secrets, next line", "# pragma: allowlist nextline secret\nk = VALUE", "detect-secrets", 1, ""},
		{"detect-secrets, next line on this", "k = VALUE # pragma: allowlist nextline secret", "", 0, ""},
		{"another pragma", "k = VALUE # pragma: no cover secret", "", 0, ""},
		{"ggshield", "k = VALUE # ggignore", "ggshield", 1, ""},
		{"ggshield without comment", "ggignore = VALUE", "", 0, ""},
		{"nosecret", "k = VALUE // nosecret", "nosecret", 1, ""},
		{"nosecret is a name", "nosecret = VALUE", "", 0, ""},
		{"nosecret in a string", `k = "VALUE", "nosecret"`, "", 0, ""},
		{"secretlint", "k = VALUE // secretlint-disable-line", "secretlint", 1, ""},
		{"secretlint, next line", "// secretlint-disable-next-line\nk = VALUE", "secretlint", 1, ""},
		{"foreign, line above", "# gitleaks:allow\nk = VALUE", "gitleaks", 1, ""},

		{"longer word", "k = VALUE # till:ignored", "", 0, ""},
		{"unknown form", "k = VALUE # till:ignore-file", "", 0, ""},
		{"part of a name", "k = VALUE # untill:ignore", "", 0, ""},
		{"user of an address", "k = VALUE # till:ignore@example.org", "", 0, ""},
		{"nothing", "k = VALUE", "", 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := strings.Index(tt.text, markValue)
			got := findMark([]byte(tt.text), start, start+len(markValue), rule)
			switch {
			case got == nil && tt.want == "":
			case got == nil:
				t.Fatalf("no mark in %q", tt.text)
			case got.Tool != tt.want || got.Line != tt.line || got.Reason != tt.reason:
				t.Fatalf("mark in %q: %+v, want tool %q, line %d, reason %q", tt.text, *got, tt.want, tt.line, tt.reason)
			}
		})
	}
}

// What a key is made of must not decide about it.
func TestMarkInsideTheValue(t *testing.T) {
	for _, text := range []string{
		"k = <till:ignore>",
		"k = <abc till:ignore def>",
		"k = <abc gitleaks:allow>",
		"k = <a # till:ignore\nb>", // the value goes on
		"-<\n# till:ignore-start\nx\n# till:ignore-end\n>",
	} {
		start, end := strings.Index(text, "<"), strings.Index(text, ">")+1
		if m := findMark([]byte(text), start, end, "r"); m != nil {
			t.Errorf("%q: a mark inside the value counts: %+v", text, *m)
		}
		marked := text + " # till:ignore"
		if m := findMark([]byte(marked), start, end, "r"); m == nil {
			t.Errorf("%q: the mark beside it does not count", marked)
		}
	}
}

// Nor what it shares bytes with.
func TestMarkAcrossTheEdgeOfTheValue(t *testing.T) {
	text := []byte("k = # till:ignore # x")
	for start := range text {
		for end := start + 1; end <= len(text); end++ {
			overlaps := start < 17 && end > 6 // the words stand at 6 to 17
			if m := findMark(text, start, end, "r"); (m == nil) != overlaps {
				t.Errorf("value at %d to %d: mark %v", start, end, m)
			}
		}
	}
}

// A mark speaks for one value on a bundle's line, not for all of them.
func TestMarkDistance(t *testing.T) {
	pad := strings.Repeat("x ", markDistance)
	for _, text := range []string{
		"k = VALUE; " + pad + "/* till:ignore */",
		"/* till:ignore */" + pad + "k = VALUE",
		"/* till:ignore */" + pad + "\nk = VALUE",
		pad + "/* till:ignore */\nk = VALUE",
	} {
		start := strings.Index(text, markValue)
		if m := findMark([]byte(text), start, start+len(markValue), "r"); m != nil {
			t.Errorf("a mark %d bytes away counts", markDistance*2)
		}
	}
}

func TestMarkReasonShowsNoKey(t *testing.T) {
	other := "sk_" + strings.Repeat("a1B2", 8)
	text := "k = VALUE # till:ignore -- same as " + other + ", see issues/12"
	m := findMark([]byte(text), 4, 9, "r")
	if m == nil || strings.Contains(m.Reason, other) || !strings.Contains(m.Reason, "see issues/12") {
		t.Errorf("reason of the mark: %+v", m)
	}
	start := strings.Index(text, other)
	if m = findMark([]byte(text), start, start+len(other), "r"); m == nil || m.Reason != "" {
		t.Errorf("reason that holds the value itself: %+v", m)
	}
}

// Lines and values are found as a plain reading of the text finds them.
func TestMarksManyLines(t *testing.T) {
	var text bytes.Buffer
	type value struct{ start, markLine int }
	var values []value
	line := 1
	for i := range 500 {
		switch i % 5 {
		case 0:
			values = append(values, value{text.Len() + 4, line})
			text.WriteString("k = VALUE # till:ignore\n")
			line++
		case 1:
			values = append(values, value{text.Len() + 4, 0})
			text.WriteString("k = VALUE\n\n\n")
			line += 3
		case 2:
			text.WriteString("# till:ignore-start\n")
			values = append(values, value{text.Len() + 4, line}, value{text.Len() + 14, line})
			text.WriteString("k = VALUE\nk = VALUE\n# till:ignore-end\n")
			line += 4
		case 3:
			text.WriteString("// till:ignore-next-line\r\n")
			values = append(values, value{text.Len() + 4, line}, value{text.Len() + 14, 0})
			text.WriteString("k = VALUE\nk = VALUE\n")
			line += 3
		case 4:
			values = append(values, value{text.Len() + 4, line}, value{text.Len() + 28, 0})
			text.WriteString("k = VALUE # till:ignore\nk = VALUE\n")
			line += 2
		}
	}
	m := newMarks(text.Bytes())
	for _, v := range values {
		got := 0
		if mk := m.at(v.start, v.start+len(markValue), "r"); mk != nil {
			got = mk.Line
		}
		if got != v.markLine {
			t.Fatalf("value at %d: mark of line %d, want %d", v.start, got, v.markLine)
		}
	}
}

// Files written to be slow: thousands of findings against thousands of marks.
func TestMarksAreLinear(t *testing.T) {
	const n = 200_000
	for name, text := range map[string]string{
		"starts":          strings.Repeat("# till:ignore-start\n", n),
		"starts and ends": strings.Repeat("# till:ignore-start\n", n) + strings.Repeat("# till:ignore-end\n", n),
		"one line":        strings.Repeat("/*till:ignore other-key*/", n),
		"one long line":   strings.Repeat("x", 20*n) + "# till:ignore",
		"continued":       strings.Repeat("#till:ignore \\\n", n),
		"no line feeds":   strings.Repeat("pragma:", n),
		"line feeds":      strings.Repeat("\n", 10*n) + "# till:ignore",
	} {
		data := []byte(text)
		began := time.Now()
		m := newMarks(data)
		for i := range 3000 {
			at := i * (len(data) - 10) / 3000
			m.at(at, at+5, "acme-key")
		}
		// Tens of milliseconds here; a quadratic search takes minutes.
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: %v for %d bytes", name, took, len(data))
		}
	}
}

func TestMaskText(t *testing.T) {
	key := "AKIA" + strings.Repeat("Q7", 8)
	for in, want := range map[string]string{
		"":                         "",
		"plain words":              "plain words",
		"https://x.test/issues/12": "https://x.test/issues/12",
		"see " + key + ".":         "see " + Mask(key) + ".",
	} {
		if got := MaskText(in); got != want {
			t.Errorf("MaskText(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzMarks(f *testing.F) {
	f.Add([]byte("k = VALUE # till:ignore a-b,c-d -- why\n"), uint(4), uint(9))
	f.Add([]byte("# till:ignore-start\nx\n# till:ignore-end"), uint(20), uint(21))
	f.Add([]byte("pragma: allowlist nextline secret\nx \\\ny"), uint(35), uint(36))
	f.Fuzz(func(t *testing.T, data []byte, start, length uint) {
		if len(data) == 0 {
			return
		}
		from := int(start % uint(len(data)))
		to := from + int(length%uint(len(data)-from+1))
		mk := findMark(data, from, to, "acme-key")
		if mk == nil {
			return
		}
		if lines := bytes.Count(data, []byte{'\n'}) + 1; mk.Line < 1 || mk.Line > lines || mk.Tool == "" {
			t.Fatalf("mark %+v in %d lines", *mk, lines)
		}
	})
}

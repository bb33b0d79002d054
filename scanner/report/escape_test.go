package report

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	for _, c := range []struct{ in, want, ascii string }{
		{"src/main.go", "src/main.go", "src/main.go"},
		{"naïve 日本 🔑", "naïve 日本 🔑", `na\xc3\xafve \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x94\x91`},
		{"a\x1b]0;x\x07b", `a\x1b]0;x\x07b`, `a\x1b]0;x\x07b`},
		{"tab\tnl\ncr\r", `tab\x09nl\x0acr\x0d`, `tab\x09nl\x0acr\x0d`},
		{"del\x7f nul\x00", `del\x7f nul\x00`, `del\x7f nul\x00`},
		{"c1 \u009b31m", `c1 \xc2\x9b31m`, `c1 \xc2\x9b31m`},
		{"bidi \u202egpj.exe", `bidi \xe2\x80\xaegpj.exe`, `bidi \xe2\x80\xaegpj.exe`},
		{"iso \u2066x\u2069", `iso \xe2\x81\xa6x\xe2\x81\xa9`, `iso \xe2\x81\xa6x\xe2\x81\xa9`},
		{"zero\u200bwidth\ufeff", `zero\xe2\x80\x8bwidth\xef\xbb\xbf`, `zero\xe2\x80\x8bwidth\xef\xbb\xbf`},
		{"sep\u2028\u2029\u0085", `sep\xe2\x80\xa8\xe2\x80\xa9\xc2\x85`, `sep\xe2\x80\xa8\xe2\x80\xa9\xc2\x85`},
		{"tags \U000e0041", `tags \xf3\xa0\x81\x81`, `tags \xf3\xa0\x81\x81`},
		{"latin \xe9 half \xe2\x80", `latin \xe9 half \xe2\x80`, `latin \xe9 half \xe2\x80`},
		{"##[error]x ##vso[task.x] ##TeamCity[a '##x", `\x23#[error]x \x23#vso[task.x] \x23#TeamCity[a '##x`, `\x23#[error]x \x23#vso[task.x] \x23#TeamCity[a '##x`},
		{"# plain ## heading", "# plain ## heading", "# plain ## heading"},
	} {
		if got := printable(c.in, false); got != c.want {
			t.Errorf("printable(%q) = %q, want %q", c.in, got, c.want)
		}
		if got := printable(c.in, true); got != c.ascii {
			t.Errorf("printable(%q, ascii) = %q, want %q", c.in, got, c.ascii)
		}
	}
}

func TestLineBreaksCommands(t *testing.T) {
	for in, want := range map[string]string{
		"::error::x":         `\x3a:error::x`,
		"  ::add-mask::x":    `  \x3a:add-mask::x`,
		"\u00a0::set-env::x": "\u00a0" + `\x3a:set-env::x`,
		"std::string":        "std::string",
	} {
		if got := Printable(in); got != want {
			t.Errorf("Printable(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWorkflowCommandEscapes(t *testing.T) {
	if got, want := commandData("100%\r\n::x"), "100%25%0D%0A::x"; got != want {
		t.Errorf("data: %q, want %q", got, want)
	}
	if got, want := commandProperty("a,b:c%0A\n"), "a%2Cb%3Ac%250A%0A"; got != want {
		t.Errorf("property: %q, want %q", got, want)
	}
}

func TestCell(t *testing.T) {
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "＝1": "'＝1", "  =cmd": "'  =cmd",
		"a=b": "a=b", "": "", "\t=x": `\x09=x`, "a\r\nb": `a\x0d\x0ab`,
	} {
		if got := cell(in); got != want {
			t.Errorf("cell(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMarkdown(t *testing.T) {
	for in, want := range map[string]string{
		"a|b":                       "a&#124;b",
		"<script>":                  "&#60;script&#62;",
		"`x` *y* _z_":               "&#96;x&#96; &#42;y&#42; &#95;z&#95;",
		"[a](javascript:alert)":     "&#91;a&#93;&#40;javascript&#58;alert&#41;",
		"@org/team":                 "&#64;org/team",
		"www.evil.example and a.go": "www&#46;evil.example and a.go",
		"x\ny":                      "x&#92;x0ay",
	} {
		if got := markdownText(in); got != want {
			t.Errorf("markdownText(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"src/a_b.go:3": "`src/a_b.go:3`",
		"a`b|c":        "<code>a&#96;b&#124;c</code>",
		" x":           "<code> x</code>",
		"":             "",
	} {
		if got := markdownCode(in); got != want {
			t.Errorf("markdownCode(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWebURL(t *testing.T) {
	for _, good := range []string{"https://dashboard.stripe.com/apikeys", "http://a.example/x?y=1#z"} {
		if webURL(good) != good {
			t.Errorf("webURL(%q) refused", good)
		}
	}
	for _, bad := range []string{"", "javascript:alert(1)", "data:text/html,x", "https://", "//x.example", "https://x.example/\">",
		"https://x.example/ y", "https://user:pw@x.example", "https://x.example/\u202e", "file:///etc/passwd", "https://x.example/a|b",
		"https://x.example/" + strings.Repeat("a", 3000)} {
		if got := webURL(bad); got != "" {
			t.Errorf("webURL(%q) = %q", bad, got)
		}
	}
}

func TestURIPath(t *testing.T) {
	for in, want := range map[string]string{
		"src/main.go": "src/main.go", "a b/ü#?.py": "a%20b/%C3%BC%23%3F.py", "c:/x": "c%3A/x", "bad\xff": "bad%FF",
		"../../etc/hosts": "%2E%2E/%2E%2E/etc/hosts", "a/./b": "a/%2E/b", "100%": "100%25",
	} {
		if got := uriPath(in); got != want {
			t.Errorf("uriPath(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSARIFText(t *testing.T) {
	if got, want := sarifText(`see [x](https://evil.example) \`), `see \[x\](https://evil.example) \\`; got != want {
		t.Errorf("sarifText = %q, want %q", got, want)
	}
}

func FuzzEscapes(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, out := range []string{printable(s, false), line(s, false), cell(s), htmlText(s), markdownText(s), markdownCode(s), sarifText(s)} {
			if !utf8.ValidString(out) {
				t.Fatalf("%q is not UTF-8", out)
			}
			for _, r := range out {
				if !unicode.IsGraphic(r) {
					t.Fatalf("%q of %q holds %U", out, s, r)
				}
			}
		}
		for _, c := range []byte(printable(s, true)) {
			if c < 0x20 || c > 0x7e {
				t.Fatalf("%q is not ASCII", printable(s, true))
			}
		}
		if strings.ContainsAny(htmlText(s), `<>"'`) {
			t.Fatalf("HTML: %q", htmlText(s))
		}
		if strings.ContainsAny(markdownText(s), "`*_[]()<>|\\~$@!\"'") {
			t.Fatalf("Markdown: %q", markdownText(s))
		}
		if p := commandProperty(printable(s, false)); strings.ContainsAny(p, ",:\r\n") {
			t.Fatalf("property: %q", p)
		}
		if v := validText(s); !utf8.ValidString(v) || utf8.ValidString(s) && v != s {
			t.Fatalf("validText(%q) = %q", s, v)
		}
		// What terminalJSON rewrites must read back as it was.
		in := validText(s)
		b, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal(terminalJSON(b), &back); err != nil || back != in {
			t.Fatalf("terminalJSON: %q became %q (%v)", in, back, err)
		}
	})
}

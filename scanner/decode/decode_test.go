package decode

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"
)

const alnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// chars returns n characters drawn from set.
func chars(r *rand.Rand, set string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = set[r.IntN(len(set))]
	}
	return string(b)
}

func rng(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 42)) }

// fakeKey has the shape of a key and is none.
func fakeKey(r *rand.Rand) string { return "tk_" + "test_" + chars(r, alnum, 24) }

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func wide16(s string, order binary.ByteOrder) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, 0, 0)
		order.PutUint16(b[len(b)-2:], u)
	}
	return string(b)
}

func wide32(s string, order binary.ByteOrder) string {
	var b []byte
	for _, r := range s {
		b = append(b, 0, 0, 0, 0)
		order.PutUint32(b[len(b)-4:], uint32(r))
	}
	return string(b)
}

// each writes format for every byte of s.
func each(format, sep, s string) string {
	var parts []string
	for i := range len(s) {
		parts = append(parts, fmt.Sprintf(format, s[i]))
	}
	return strings.Join(parts, sep)
}

// wrap cuts s into lines of n characters.
func wrap(s string, n int, eol string) string {
	var parts []string
	for ; len(s) > n; s = s[n:] {
		parts = append(parts, s[:n])
	}
	return strings.Join(append(parts, s), eol)
}

// found is a copy of a span.
type found struct {
	Span
	path string // the encodings from the outside in
}

// all returns copies of what Each yields, to the given depth, every span mapped
// to src.
func all(t testing.TB, src []byte, opt Options, depth int) []found {
	t.Helper()
	var spans []found
	before := bytes.Clone(src)
	Each(src, opt, func(sp *Span) {
		check(t, src, sp)
		c := *sp
		c.Data = bytes.Clone(sp.Data)
		c.segments = append([]segment(nil), sp.segments...)
		spans = append(spans, found{c, sp.Encoding})
		if depth > 1 {
			for _, in := range all(t, sp.Data, opt, depth-1) {
				in.path = sp.Encoding + "." + in.path
				for k := range in.segments { // of no use here, and wrong
					in.segments[k] = segment{}
				}
				in.Start, in.End = c.Source(in.Start, in.End)
				spans = append(spans, in)
			}
		}
	})
	if !bytes.Equal(src, before) {
		t.Fatal("src was written to")
	}
	return spans
}

// check tests what holds for every span.
func check(t testing.TB, src []byte, sp *Span) {
	t.Helper()
	if sp.Start < 0 || sp.Start >= sp.End || sp.End > len(src) {
		t.Fatalf("%s [%d, %d) of %d bytes", sp.Encoding, sp.Start, sp.End, len(src))
	}
	last := sp.Start
	step := 1 + len(sp.Data)/500
	for i := 0; i < len(sp.Data); i += step {
		a, b := sp.Source(i, i+1)
		if a < sp.Start || b > sp.End || a >= b || a < last {
			t.Fatalf("%s [%d, %d): Data[%d] is from [%d, %d), the one before from %d", sp.Encoding, sp.Start, sp.End, i, a, b, last)
		}
		last = a
		if sp.Verbatim(i, i+1) && (b != a+1 || src[a] != sp.Data[i]) {
			t.Fatalf("%s: Data[%d] is not what stands at %d", sp.Encoding, i, a)
		}
	}
	a, b := sp.Source(0, len(sp.Data))
	if a < sp.Start || b > sp.End {
		t.Fatalf("%s [%d, %d): all of Data is from [%d, %d)", sp.Encoding, sp.Start, sp.End, a, b)
	}
	for _, r := range [][2]int{{-1, -1}, {len(sp.Data), len(sp.Data) + 9}, {5, 2}, {len(sp.Data) + 1, 3}} {
		if a, b := sp.Source(r[0], r[1]); a < sp.Start || b > sp.End || a > b {
			t.Fatalf("%s: Source(%d, %d) = [%d, %d)", sp.Encoding, r[0], r[1], a, b)
		}
	}
}

// A sample is a way to write a key.
type sample struct {
	name string
	path string // encodings it must be found under, from the outside in
	text func(key string) string
	// place is what the range that encodes the key must be; "" leaves it open.
	place func(key string) string
}

func same(string) string { return "" }

var samples = []sample{
	{"base64 of an assignment", Base64, func(k string) string { return "blob: " + b64(`token="`+k+`"`) }, nil},
	{"base64 alone", Base64, func(k string) string { return "k: " + b64(k) }, b64},
	{"base64 in quotes", Base64, func(k string) string { return `{"k":"` + b64(k) + `"}` }, b64},
	{"base64 unpadded", Base64, func(k string) string { return "k: " + strings.TrimRight(b64("t="+k), "=") }, nil},
	{"base64 of the URL alphabet", Base64, func(k string) string {
		return "k: " + base64.URLEncoding.EncodeToString([]byte("\xff\xfe?>token="+k+"~~"))
	}, nil},
	{"base64 wrapped at 64", Base64, func(k string) string {
		return wrap(b64("# "+strings.Repeat("north stone ", 12)+`token="`+k+`"`+strings.Repeat(" river", 20)), 64, "\n")
	}, nil},
	{"base64 wrapped at 76, CRLF", Base64, func(k string) string {
		return "Body:\r\n" + wrap(b64("# "+strings.Repeat("north stone ", 12)+`token="`+k+`"`+strings.Repeat(" river", 20)), 76, "\r\n")
	}, nil},
	{"base64 wrapped at 70 and indented", Base64, func(k string) string {
		return "data: |\n    " + wrap(b64(strings.Repeat("north stone ", 12)+k+strings.Repeat(" river", 20)), 70, "\n    ") + "\nnext: 1\n"
	}, nil},
	{"base64 wrapped behind a name", Base64, func(k string) string {
		e := b64(strings.Repeat("north stone ", 12) + k + strings.Repeat(" river", 20))
		return "  blob: " + e[:52] + "\n    " + wrap(e[52:], 60, "\n    ") + "\n"
	}, nil},
	{"base64 twice", "base64.base64", func(k string) string { return "k: " + b64(b64(`token="`+k+`"`)) }, nil},
	{"base64 five times", "base64.base64.base64.base64.base64", func(k string) string {
		return "k: " + b64(b64(b64(b64(b64(k)))))
	}, nil},
	{"base64 of UTF-16", "base64.utf-16", func(k string) string {
		return "powershell -enc " + b64(wide16("$t='"+k+"'", binary.LittleEndian))
	}, nil},
	{"base64 of UTF-8", Base64, func(k string) string { return "k: " + b64("名前と鍵: "+k) }, nil},
	{"base64 behind a path", Base64, func(k string) string { return "a/b-c/" + b64("token "+k) }, nil},
	{"base64 behind an escaped line end", Base64, func(k string) string { return `"a\n` + b64("token "+k) + `"` }, nil},
	{"base64 in binary", Base64, func(k string) string {
		return "k: " + b64(chars(rng(1), "\x00\x01\x90\xff\xfe", 300)+"\x0a\x20"+k+"\x12\x04"+chars(rng(2), "\x00\x01\x90\xff\xfe", 300))
	}, nil},
	{"JWT payload", Base64, func(k string) string {
		return b64(`{"alg":"none"}`) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"tok":"`+k+`"}`)) + ".c2lnbmF0dXJl"
	}, nil},
	{"data URI", Base64, func(k string) string { return "url(data:text/plain;base64," + b64("token="+k) + ")" }, nil},
	{"basic authorization", Base64, func(k string) string { return "Authorization: Basic " + b64("ada:"+k) }, nil},
	{"base32", Base32, func(k string) string { return "k: " + base32.StdEncoding.EncodeToString([]byte(`token="`+k+`"`)) }, nil},
	{"base32 of the key", Base32, func(k string) string { return "k: " + base32.StdEncoding.EncodeToString([]byte(k)) },
		func(k string) string { return base32.StdEncoding.EncodeToString([]byte(k)) }},
	{"hex", Hex, func(k string) string { return "k: " + hex.EncodeToString([]byte(`token="`+k+`"`)) },
		func(k string) string { return hex.EncodeToString([]byte(k)) }},
	{"hex, upper case", Hex, func(k string) string { return "k: 0x" + each("%02X", "", k) },
		func(k string) string { return each("%02X", "", k) }},
	{"hex in an odd place", Hex, func(k string) string { return "a1b" + each("%02x", "", k+" is it") },
		func(k string) string { return each("%02x", "", k) }},
	{"hex wrapped", Hex, func(k string) string { return "  " + wrap(each("%02x", "", "a key for the north: "+k), 32, "\n  ") }, nil},
	{"hex escapes", Escape, func(k string) string { return "k = '" + each(`\x%02x`, "", k) + "'" },
		func(k string) string { return each(`\x%02x`, "", k) }},
	{"octal escapes", Escape, func(k string) string { return "k = '" + each(`\%03o`, "", k) + "'" },
		func(k string) string { return each(`\%03o`, "", k) }},
	{"one hex escape", Escape, func(k string) string { return `k = "` + k[:9] + each(`\x%02X`, "", k[9:10]) + k[10:] + `"` },
		func(k string) string { return k[:9] + each(`\x%02X`, "", k[9:10]) + k[10:] }},
	{"list of hex", ByteList, func(k string) string { return "k = {" + each("0x%02x", ", ", k) + "}" },
		func(k string) string { return each("0x%02x", ", ", k) }},
	{"list of hex, wrapped", ByteList, func(k string) string {
		return "k := []byte{\n\t" + wrap(each("0x%02X", ", ", "a key: "+k+" and then"), 6*8, "\n\t\t") + "}"
	}, nil},
	{"list of numbers", ByteList, func(k string) string { return "[" + each("%d", ",", k) + "]" },
		func(k string) string { return each("%d", ",", k) }},
	{"list of numbers, one a line", ByteList, func(k string) string {
		return "{\"data\": [\n  " + each("%d", ",\n  ", k+" and the rest of it") + "\n]}"
	}, nil},
	{"percent", Percent, func(k string) string { return "q=" + each("%%%02X", "", `token="`+k+`"`) },
		func(k string) string { return each("%%%02X", "", k) }},
	{"one percent", Percent, func(k string) string {
		return "https://h.invalid/?t=token%3D" + k[:4] + each("%%%02x", "", k[4:5]) + k[5:]
	},
		func(k string) string { return k[:4] + each("%%%02x", "", k[4:5]) + k[5:] }},
	{"percent u", Percent, func(k string) string { return "unescape('" + each("%%u%04x", "", k) + "')" },
		func(k string) string { return each("%%u%04x", "", k) }},
	{"unicode escapes", UnicodeEscape, func(k string) string { return `k = "` + each(`\u%04x`, "", k) + `"` },
		func(k string) string { return each(`\u%04x`, "", k) }},
	{"one unicode escape", UnicodeEscape, func(k string) string { return `{"k": "` + k[:2] + `\u005f` + k[3:] + `"}` },
		func(k string) string { return k[:2] + `\u005f` + k[3:] }},
	{"long unicode escapes", UnicodeEscape, func(k string) string { return `k = "` + each(`\U%08x`, "", k) + `"` },
		func(k string) string { return each(`\U%08x`, "", k) }},
	{"unicode escapes in braces", UnicodeEscape, func(k string) string { return `k = "` + each(`\u{%x}`, "", k) + `"` },
		func(k string) string { return each(`\u{%x}`, "", k) }},
	{"unicode escapes, escaped", "unicode-escape.unicode-escape", func(k string) string { return `k = "` + each(`\\u%04x`, "", k) + `"` }, nil},
	{"JSON in a string", Escape, func(k string) string { return `{"a": "{\"password\":\"` + k + `\"}"}` }, func(k string) string { return k }},
	{"base64 with escaped slashes", "escape.base64", func(k string) string {
		return `"` + strings.ReplaceAll(b64("ask? "+k+"???>>>"), "/", `\/`) + `"`
	}, nil},
	{"decimal entities", HTMLEntity, func(k string) string { return "<p>" + each("&#%d;", "", k) + "</p>" },
		func(k string) string { return each("&#%d;", "", k) }},
	{"hex entities", HTMLEntity, func(k string) string { return "<p>" + each("&#x%X;", "", k) + "</p>" },
		func(k string) string { return each("&#x%X;", "", k) }},
	{"named entities", HTMLEntity, func(k string) string { return `data-config="{&quot;token&quot;:&quot;` + k + `&amp;&quot;}"` },
		func(k string) string { return k }},
	{"quoted-printable", QuotedPrintable, func(k string) string { return "token=3D" + k[:20] + "=\n" + k[20:] + "\n" },
		func(k string) string { return k[:20] + "=\n" + k[20:] }},
	{"quoted-printable, CRLF", QuotedPrintable, func(k string) string { return "a=3D1\r\ntoken=20" + k[:20] + "=\r\n" + k[20:] + "\r\n" },
		func(k string) string { return k[:20] + "=\r\n" + k[20:] }},
	{"UTF-16 in a file of ASCII", UTF16, func(k string) string { return "line one\n" + wide16("token="+k+"\r\n", binary.LittleEndian) },
		func(k string) string { return wide16(k, binary.LittleEndian) }},
	{"UTF-16 in a binary, big endian", UTF16, func(k string) string { return "\x01\x02\x03" + wide16("="+k, binary.BigEndian) + "\x80\x99" },
		func(k string) string { return wide16(k, binary.BigEndian) }},
}

// TestSamples finds a key written in every way, alone and among other text, and
// tests that the place it is said to be at is the right one.
func TestSamples(t *testing.T) {
	around := []struct{ name, before, after string }{
		{"alone", "", ""},
		{"among lines", "# north stone\nriver = maple(1, 2)\n\n", "\n\tif x != nil {\n\t\treturn err\n\t}\n"},
		{"among much", strings.Repeat("x := strings.Split(name, \"=\") // a_b-c/d\n", 40) + "\n", "\n" + strings.Repeat("ordinary text. ", 300)},
	}
	for _, s := range samples {
		for seed := range uint64(20) {
			key := fakeKey(rng(seed))
			for _, a := range around {
				src := []byte(a.before + s.text(key) + a.after)
				found := false
				for _, sp := range all(t, src, Options{}, 5) {
					i := bytes.Index(sp.Data, []byte(key))
					if i < 0 || sp.path != s.path {
						continue
					}
					found = true
					if strings.Contains(s.path, ".") {
						continue
					}
					from, to := sp.Source(i, i+len(key))
					if from < len(a.before) || to > len(src)-len(a.after) {
						t.Errorf("%s, %s: key %d is said to be at [%d, %d)", s.name, a.name, seed, from, to)
					}
					if s.place != nil && string(src[from:to]) != s.place(key) {
						t.Errorf("%s, %s: key %d is said to be encoded by %q, want %q", s.name, a.name, seed, src[from:to], s.place(key))
					}
				}
				if !found {
					t.Errorf("%s, %s: key %d not found as %s", s.name, a.name, seed, s.path)
					for _, sp := range all(t, src, Options{}, 5) {
						t.Logf("  %s %q", sp.path, sp.Data)
					}
				}
			}
		}
	}
}

package decode

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
)

// A sample is a way to write a key.
type sample struct {
	name string
	path string // encodings it must be found under, from the outside in
	text func(key string) string
	// place is what the range that encodes the key must be; "" leaves it open.
	place func(key string) string
}

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
	{"unicode escapes, escaped", "escape.unicode-escape", func(k string) string { return `k = "` + each(`\\u%04x`, "", k) + `"` }, nil},
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

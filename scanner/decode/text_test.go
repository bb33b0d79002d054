package decode

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf8"
)

var (
	le binary.ByteOrder = binary.LittleEndian
	be binary.ByteOrder = binary.BigEndian
)

func TestText(t *testing.T) {
	const ascii = "name = \"north\"\r\n\tkey: stone river\r\n"
	long := strings.Repeat(ascii, 200)
	mixed := "key = ключ 鍵 😀\n" + strings.Repeat("plain and simple. ", 5)
	chinese := strings.Repeat("北方的石头和河流在山谷里。\n", 30)
	tests := []struct {
		name, src, encoding, want string
	}{
		{"LE with mark", "\xff\xfe" + wide16(ascii, le), UTF16, ascii},
		{"BE with mark", "\xfe\xff" + wide16(ascii, be), UTF16, ascii},
		{"LE without", wide16(ascii, le), UTF16, ascii},
		{"BE without", wide16(ascii, be), UTF16, ascii},
		{"LE long", wide16(long, le), UTF16, long},
		{"BE long with mark", "\xfe\xff" + wide16(long, be), UTF16, long},
		{"LE mixed", wide16(mixed, le), UTF16, mixed},
		{"BE mixed with mark", "\xfe\xff" + wide16(mixed, be), UTF16, mixed},
		{"LE Chinese with mark", "\xff\xfe" + wide16(chinese, le), UTF16, chinese},
		{"BE Chinese with mark", "\xfe\xff" + wide16(chinese, be), UTF16, chinese},
		{"LE Chinese of one line with mark", "\xff\xfe" + wide16("北方的石头和河流在山谷里", le), UTF16, "北方的石头和河流在山谷里"},
		{"LE odd length", wide16(ascii, le) + "x", UTF16, ascii + "\ufffd"},
		{"LE cut before its first byte", wide16(ascii, le)[1:], UTF16, ascii[1:] + "\ufffd"},
		{"BE cut before its last byte", wide16(ascii, be)[:2*len(ascii)-1], UTF16, ascii[:len(ascii)-1] + "\ufffd"},
		{"LE of one letter with mark", "\xff\xfea\x00", UTF16, "a"},
		{"LE half a pair", "\xff\xfe" + wide16(ascii, le) + "\x3d\xd8" + wide16(ascii, le), UTF16, ascii + "\ufffd" + ascii},
		{"BE half a pair at the end", "\xfe\xff" + wide16(ascii, be) + "\xd8\x3d", UTF16, ascii + "\ufffd"},
		{"LE second half first", "\xff\xfe" + wide16(ascii, le) + "\x00\xde" + wide16(ascii, le), UTF16, ascii + "\ufffd" + ascii},
		{"32 LE with mark", "\xff\xfe\x00\x00" + wide32(mixed, le), UTF32, mixed},
		{"32 BE with mark", "\x00\x00\xfe\xff" + wide32(mixed, be), UTF32, mixed},
		{"32 LE without", wide32(ascii, le), UTF32, ascii},
		{"32 BE without", wide32(ascii, be), UTF32, ascii},
		{"32 LE odd length", wide32(ascii, le) + "ab", UTF32, ascii + "\ufffd"},
		{"32 LE cut at 1", wide32(ascii, le)[1:], UTF32, ascii[1:] + "\ufffd"},
		{"32 LE cut at 2", wide32(ascii, le)[2:], UTF32, ascii[1:]},
		{"32 LE cut at 3", wide32(ascii, le)[3:], UTF32, ascii[1:]},
		{"32 LE out of range", "\xff\xfe\x00\x00" + wide32(ascii, le) + "\x00\x00\x11\x00", UTF32, ascii + "\ufffd"},

		{"empty", "", "", ""},
		{"a mark alone", "\xff\xfe", "", ""},
		{"ASCII", long, "", ""},
		{"UTF-8 with mark", "\xef\xbb\xbf" + long, "", ""},
		{"UTF-8", chinese, "", ""},
		{"Latin-1", "cl\xe9 = 'valeur'\n", "", ""},
		{"invalid UTF-8 that begins like a mark", "\xff\xfe\xfd \xc3\x28 \xa0\xa1" + `key = "` + strings.Repeat("north", 9) + "\"\n", "", ""},
		{"NUL in the middle", long + "\x00" + long, "", ""},
		{"NUL early", "a\x00b" + long, "", ""},
		{"ASCII, then UTF-16", "line one\n" + wide16(long, le), "", ""},
		{"random", chars(rng(3), all256(), 5000), "", ""},
		{"random with mark", "\xff\xfe" + chars(rng(4), all256(), 5000), "", ""},
		{"zeros", strings.Repeat("\x00", 5000), "", ""},
		{"numbers of 16 bits", numbers(2, 5000), "", ""},
		{"numbers of 32 bits", numbers(4, 5000), "", ""},
		{"ELF", "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02\x00\x3e\x00\x01\x00\x00\x00" + numbers(8, 500), "", ""},
		{"strings with one NUL each", strings.Repeat("a\x00north\x00of\x00stone\x00", 99), "", ""},
	}
	for _, tt := range tests {
		src := []byte(tt.src)
		sp := Text(src)
		if sp == nil {
			if tt.encoding != "" {
				t.Errorf("%s: not recognized", tt.name)
			}
			continue
		}
		if sp.Encoding != tt.encoding || string(sp.Data) != tt.want {
			t.Errorf("%s: %q %.60q..., want %q %.60q...", tt.name, sp.Encoding, sp.Data, tt.encoding, tt.want)
			continue
		}
		if sp.Start != 0 || sp.End != len(src) {
			t.Errorf("%s: [%d, %d), want all of %d bytes", tt.name, sp.Start, sp.End, len(src))
		}
		check(t, src, sp)
	}
}

// TestTextSource maps every character back and decodes what is there.
func TestTextSource(t *testing.T) {
	text := "key = \"north\" ключ=鍵 😀x\n" + strings.Repeat("plain and simple 1\n", 20) + "é"
	for _, tt := range []struct {
		name, mark string
		encode     func(string, binary.ByteOrder) string
		order      binary.ByteOrder
	}{
		{"LE", "\xff\xfe", wide16, le}, {"BE", "\xfe\xff", wide16, be}, {"LE without", "", wide16, le},
		{"32 LE", "\xff\xfe\x00\x00", wide32, le}, {"32 BE without", "", wide32, be},
	} {
		src := []byte(tt.mark + tt.encode(text, tt.order))
		sp := Text(src)
		if sp == nil || string(sp.Data) != text {
			t.Fatalf("%s: not recognized", tt.name)
		}
		for i, r := range text {
			from, to := sp.Source(i, i+utf8.RuneLen(r))
			if want := tt.encode(string(r), tt.order); string(src[from:to]) != want {
				t.Errorf("%s: %q at %d is from %q, want %q", tt.name, r, i, src[from:to], want)
			}
			if sp.Verbatim(i, i+1) {
				t.Errorf("%s: %q at %d is said to be verbatim", tt.name, r, i)
			}
		}
		// A part of a character comes from all of it.
		i := strings.Index(text, "鍵") + 1
		if from, to := sp.Source(i, i+1); string(src[from:to]) != tt.encode("鍵", tt.order) {
			t.Errorf("%s: the second byte of a character is from %q", tt.name, src[from:to])
		}
		a := strings.Index(text, "north")
		if from, to := sp.Source(a, a+5); string(src[from:to]) != tt.encode("north", tt.order) {
			t.Errorf("%s: a word is from %q", tt.name, src[from:to])
		}
	}
}

// TestWideStrings finds strings of UTF-16 at every offset of a binary, and none
// where there is none.
func TestWideStrings(t *testing.T) {
	for seed := range uint64(40) {
		r := rng(seed)
		key := fakeKey(r)
		order := []binary.ByteOrder{le, be}[r.IntN(2)]
		junk := chars(r, "\x01\x80\xff\xfe", 1+r.IntN(200))
		src := []byte("\x7fELF" + junk + wide16(key, order) + junk)
		n := 0
		Each(src, Options{}, func(sp *Span) {
			check(t, src, sp)
			if i := bytes.Index(sp.Data, []byte(key)); i >= 0 && sp.Encoding == UTF16 {
				n++
				if from, to := sp.Source(i, i+len(key)); string(src[from:to]) != wide16(key, order) {
					t.Errorf("seed %d: from %q", seed, src[from:to])
				}
			}
		})
		if n != 1 {
			t.Errorf("seed %d: found %d times", seed, n)
		}
	}
	for _, s := range []string{numbers(2, 9000), strings.Repeat("\x00", 9000), strings.Repeat("\x00\x01", 900), strings.Repeat("a\x00bc\x00", 900)} {
		Each([]byte(s), Options{}, func(sp *Span) { t.Errorf("%.20q: %s %q", s, sp.Encoding, sp.Data) })
	}
}

func all256() string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}

// numbers returns n little endian numbers below 256, of size bytes each.
func numbers(size, n int) string {
	r := rng(uint64(size))
	b := make([]byte, size*n)
	for i := 0; i < len(b); i += size {
		b[i] = byte(r.IntN(256))
	}
	return string(b)
}

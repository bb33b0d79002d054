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

// TestNothing proves that what cannot hold text is not yielded.
func TestNothing(t *testing.T) {
	r := rng(9)
	digests := ""
	for range 300 {
		digests += each("%02x", "", string(random(r.Uint64(), 20))) + "  " + base64.StdEncoding.EncodeToString(random(r.Uint64(), 32)) + "\n" +
			`"integrity": "sha512-` + base64.StdEncoding.EncodeToString(random(r.Uint64(), 64)) + `",` + "\n" +
			base32.StdEncoding.EncodeToString(random(r.Uint64(), 35)) + "\n"
	}
	png := "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x00\x00\x00\x01\x00\x08\x06\x00\x00\x00\x5c\x72\xa8\x66" + string(random(1, 30000))
	for _, tt := range []struct{ name, src string }{
		{"empty", ""},
		{"source", "func (s *Server) handleConnection(ctx context.Context, conn net.Conn) error {\n\tif err := conn.SetDeadline(time.Now()); err != nil {\n"},
		{"long identifiers", "ThisIsAnIdentifierOfSomeLength_andAnotherOneThatIsLong::internationalization.MAXIMUM_NUMBER_OF_CONNECTIONS\n"},
		{"paths", "src/cmd/compile/internal/ssagen/phi.go vendor/golang.org/x/crypto/chacha20poly1305/chacha20poly1305_amd64.s\n"},
		{"URL", "https://example.org/articles/internationalization-and-localization?page=12&sort=ascending#introduction\n"},
		{"prose", "Donaudampfschifffahrtsgesellschaft, antidisestablishmentarianism, supercalifragilisticexpialidocious\n"},
		{"digests", digests},
		{"UUID", "123e4567-e89b-12d3-a456-426614174000 123e4567e89b12d3a456426614174000"},
		{"image in a data URI", "url(data:image/png;base64," + b64(png) + ")"},
		{"image, wrapped", wrap(b64(png), 76, "\n")},
		{"image in hex", each("%02x", "", png)},
		{"image as a list", each("0x%02x", ", ", png)},
		{"image in escapes", `"` + each(`\x%02x`, "", png) + `"`},
		{"table of numbers", "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 65, 66\n"},
		{"table of large numbers", strings.Repeat("{0x0041, 0x005a, 1}, {97, 122, 1}, 1000, 2000, ", 20)},
		{"printf", `printf("%2d %4d %-5s %5.2f %02x %%", a, b);` + "\n" + `fmt.Sprintf("%d%%", n)`},
		{"line ends in strings", `fmt.Print("north\n\tstone\r\n", '\'', "a \"quoted\" word", "C:\\new\\table")`},
		{"apostrophes", `"don\u0027t", "it&#39;s", "isn%27t it"`},
		{"brackets", "<p>a &lt;tag&gt; and&nbsp;blank</p> if a && b &c &amp; d"},
		{"letters beyond ASCII", `"stra\u00dfe", "%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82", "&#1087;&#1088;&#1080;&#1074;", "\xd0\xbf\xd1\x80"`},
		{"arithmetic", "a=10\nb=20\nx =\n  y\n"},
		{"random letters", wrap(chars(r, alnum, 60000), 80, "\n")},
		{"random bytes", string(random(11, 60000))},
	} {
		Each([]byte(tt.src), Options{Context: 64}, func(sp *Span) {
			t.Errorf("%s: %s [%d, %d): %.80q", tt.name, sp.Encoding, sp.Start, sp.End, sp.Data)
		})
	}
}

// TestStreams proves that a compressed stream is yielded whole.
func TestStreams(t *testing.T) {
	for _, magic := range []string{"\x1f\x8b\x08\x00", "PK\x03\x04\x14\x00", "BZh91AY&SY", "\xfd7zXZ\x00", "\x28\xb5\x2f\xfd"} {
		want := magic + string(random(1, 3000))
		for _, src := range []string{
			"k: " + b64(want), wrap(b64(want), 76, "\n"), "k: " + base64.RawURLEncoding.EncodeToString([]byte(want)) + "\n",
			`x="` + each("%02x", "", want) + `"`,
		} {
			var got []string
			Each([]byte(src), Options{Context: 64}, func(sp *Span) {
				check(t, []byte(src), sp)
				got = append(got, string(sp.Data))
			})
			if len(got) != 1 || got[0] != want {
				t.Errorf("%.20q...: %d spans", src, len(got))
			}
		}
	}
}

func TestContext(t *testing.T) {
	value := b64("s3cr3t-s")
	for _, tt := range []struct {
		name, src string
		context   int
		want      string
		from      string // what the decoded value must come from
	}{
		{"name before", "a: 1\n  password: " + value + "\nb: 2", 64, "  password: s3cr3t-s", value},
		{"quotes", `{"auth": "` + value + `"}`, 64, `{"auth": "s3cr3t-s"}`, value},
		{"limited", `{"a long name": "` + value + `", "and much more"}`, 12, `ong name": "s3cr3t-s", "and `, value},
		{"none", `{"auth": "` + value + `"}`, 0, `s3cr3t-s`, value},
		{"start and end of file", value, 64, `s3cr3t-s`, value},
		{"hex", "key: " + each("%02x", "", "s3cr3t-s and more") + "\n", 64, "key: s3cr3t-s and more", each("%02x", "", "s3cr3t-s")},
		{"hex number", "key = 0x" + each("%02x", "", "s3cr3t-s and more") + ";", 64, "key = 0xs3cr3t-s and more;", each("%02x", "", "s3cr3t-s")},
		{"list", "key = [" + each("%d", ", ", "s3cr3t-s and more on") + "]\n", 64, "key = [s3cr3t-s and more on]", each("%d", ", ", "s3cr3t-s")},
		{"wrapped", "key: " + wrap(b64("s3cr3t-s"+strings.Repeat("nor", 40)), 64, "\n"), 64, "key: s3cr3t-s" + strings.Repeat("nor", 40), b64("s3cr3t-sn")},
		{"two on a line", `{"a": "` + b64("north stone") + `", "b": "` + value + `"}`, 64, `", "b": "s3cr3t-s"}`, value},
	} {
		ok := false
		Each([]byte(tt.src), Options{Context: tt.context}, func(sp *Span) {
			check(t, []byte(tt.src), sp)
			if string(sp.Data) != tt.want {
				t.Logf("%s: %q", tt.name, sp.Data)
				return
			}
			ok = true
			i := bytes.Index(sp.Data, []byte("s3cr3t-s"))
			if from, to := sp.Source(i, i+8); tt.src[from:to] != tt.from {
				t.Errorf("%s: from %q", tt.name, tt.src[from:to])
			}
			if i > 0 && !sp.Verbatim(0, i) {
				t.Errorf("%s: context is not verbatim", tt.name)
			}
			if sp.Verbatim(i, i+8) || i > 0 && sp.Verbatim(0, i+1) {
				t.Errorf("%s: decoded text is verbatim", tt.name)
			}
		})
		if !ok {
			t.Errorf("%s: not found", tt.name)
		}
	}
}

// TestPEM proves that a PEM block in one line becomes one of many, also when
// its body is a single long line and when it is escaped twice.
func TestPEM(t *testing.T) {
	mark := func(what string) string { return "-----" + what + " PRIVATE KEY-----" }
	body := base64.StdEncoding.EncodeToString(random(3, 1200))
	for _, tt := range []struct{ name, body, end, tail string }{
		{"wrapped", wrap(body, 64, "\n"), "\n", `\n`},
		{"one line", body, "\n", ""},
		{"CRLF", wrap(body, 76, "\r\n"), "\r\n", `\r\n`},
	} {
		pem := mark("BEGIN") + tt.end + tt.body + tt.end + mark("END")
		line := strings.NewReplacer("\r", `\r`, "\n", `\n`).Replace(pem)
		src := `{"type": "account", "key": "` + line + tt.tail + `", "mail": "a\u0040b.invalid"}` + "\n"
		twice := strings.ReplaceAll(src, `\`, `\\`)
		for depth, src := range map[int]string{1: src, 2: twice} {
			ok := false
			for _, sp := range all(t, []byte(src), Options{}, depth) {
				i := bytes.Index(sp.Data, []byte(pem))
				if i < 0 {
					continue
				}
				ok = true
				if depth > 1 {
					continue
				}
				if from, to := sp.Source(i, i+len(pem)); src[from:to] != line {
					t.Errorf("%s: from %.40q...", tt.name, src[from:to])
				}
			}
			if !ok {
				t.Errorf("%s, escaped %d times: not found", tt.name, depth)
			}
		}
	}
}

// TestApart proves that keys encoded on a line each are seen apart, and a text
// that was wrapped is seen together.
func TestApart(t *testing.T) {
	r := rng(12)
	a, b, c := "tk_"+chars(r, alnum, 45), "tk_"+chars(r, alnum, 45), "tk_"+chars(r, alnum, 45)
	src := "x\n" + b64(a) + "\r\n" + b64(b) + "\r\n" + b64(c) + "\r\n"
	var got []string
	Each([]byte(src), Options{}, func(sp *Span) {
		check(t, []byte(src), sp)
		got = append(got, string(sp.Data))
		if i := bytes.Index(sp.Data, []byte(b)); i < 0 {
			t.Errorf("no second key in %q", sp.Data)
		} else if from, to := sp.Source(i, i+len(b)); src[from:to] != b64(b) {
			t.Errorf("second key from %q", src[from:to])
		}
	})
	want := []string{a + b + c, a + "\r" + b + "\r" + c}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}

	// Lines that end within a unit are apart in any case.
	src = "x\n" + base64.RawStdEncoding.EncodeToString([]byte(a+"x")) + "\n" + base64.RawStdEncoding.EncodeToString([]byte(b+"y")) + "\n"
	apart := map[string]bool{}
	Each([]byte(src), Options{}, func(sp *Span) {
		check(t, []byte(src), sp)
		apart[string(sp.Data)] = true
	})
	if !apart[a+"x"] || !apart[b+"y"] {
		t.Errorf("lines without padding: %v", apart)
	}

	// A word on the next line is no part of the run.
	for _, next := range []string{"end", "next", "if x {", "return\n", "}", "word"} {
		src := "k: " + base64.RawStdEncoding.EncodeToString([]byte(a+"xy")) + "\n" + next
		var got []string
		Each([]byte(src), Options{}, func(sp *Span) { got = append(got, string(sp.Data)) })
		if len(got) != 1 || got[0] != a+"xy" {
			t.Errorf("before %q: %q", next, got)
		}
	}
}

// TestPlanted plants keys, encoded in a random way, in random surroundings, and
// compares what the place of a key decodes to with an independent decoder.
func TestPlanted(t *testing.T) {
	words := strings.Fields("north stone river = maple ( x_1 ) { } [0] \"a\" 'b' // # \n \t 12 3.5 a.b.c <p> %d \\n && = => ; , ,\n")
	noise := func(r *rand.Rand) string {
		var b strings.Builder
		for range r.IntN(60) {
			b.WriteString(words[r.IntN(len(words))] + " ")
		}
		return b.String()
	}
	decoders := map[string]func(s string) string{
		Base64: func(s string) string {
			var keep []byte
			for _, c := range []byte(s) {
				if !strings.ContainsRune(" \t\r\n=", rune(c)) {
					keep = append(keep, c)
				}
			}
			s = strings.NewReplacer("-", "+", "_", "/").Replace(string(keep))
			b, err := base64.RawStdEncoding.DecodeString(s)
			if err != nil {
				t.Errorf("%q: %v", s, err)
			}
			return string(b)
		},
		Hex:    func(s string) string { b, _ := hex.DecodeString(s); return string(b) },
		Base32: func(s string) string { b, _ := base32.StdEncoding.DecodeString(s); return string(b) },
	}
	for seed := range uint64(600) {
		r := rng(seed)
		key := fakeKey(r)
		inner := chars(r, alnum+" =:\"", r.IntN(40)) + " " + key + " " + chars(r, alnum+" =:\"", r.IntN(40))
		var text, encoding string
		switch r.IntN(6) {
		case 0:
			text, encoding = b64(inner), Base64
		case 1:
			text, encoding = base64.RawURLEncoding.EncodeToString([]byte(inner)), Base64
		case 2:
			text, encoding = wrap(b64(strings.Repeat(chars(r, alnum, 9), 10)+inner), 4*(8+r.IntN(12)), "\n"+strings.Repeat(" ", r.IntN(8))), Base64
		case 3:
			text, encoding = each("%02x", "", inner), Hex
		case 4:
			text, encoding = each("%02X", "", inner), Hex
		case 5:
			text, encoding = base32.StdEncoding.EncodeToString([]byte(inner)), Base32
		}
		quote := []string{`"`, "'", " ", "`"}[r.IntN(4)]
		src := []byte(noise(r) + quote + text + quote + noise(r))
		ok := false
		Each(src, Options{Context: r.IntN(2) * 40}, func(sp *Span) {
			check(t, src, sp)
			i := bytes.Index(sp.Data, []byte(key))
			if i < 0 || sp.Encoding != encoding {
				return
			}
			ok = true
			from, to := sp.Source(i, i+len(key))
			if got := decoders[encoding](string(src[from:to])); !strings.Contains(got, key) || len(got) > len(key)+8 {
				t.Errorf("seed %d: %s decodes to %q, key %q", seed, src[from:to], got, key)
			}
		})
		if !ok {
			t.Errorf("seed %d: %q not found in %s %q", seed, key, encoding, text)
			Each(src, Options{}, func(sp *Span) { t.Logf("  %s %q", sp.Encoding, sp.Data) })
		}
	}
}

// FuzzEach tests what must hold whatever the input is.
func FuzzEach(f *testing.F) {
	key := fakeKey(rng(1))
	for _, s := range samples {
		f.Add([]byte("x = 1\n"+s.text(key)+"\n}"), 0)
	}
	for _, h := range hostile {
		f.Add([]byte(h.make(300)), 33)
	}
	f.Add([]byte(strings.Repeat(chars(rng(1), digits16, 33)+"\n", 2)+"ab\n"), 0)
	f.Add([]byte("["+strings.Repeat("110, ", 20)+"9]"), 0)
	f.Fuzz(func(t *testing.T, src []byte, context int) {
		opt := Options{Context: context % 1000}
		n := 0
		st := Each(src, opt, func(sp *Span) {
			check(t, src, sp)
			n += len(sp.Data)
		})
		if st.Bytes != n || st.Left != 0 {
			t.Errorf("%+v, but %d bytes were yielded", st, n)
		}
		if st.work > 14*len(src)+2000 {
			t.Errorf("%d bytes cost %d", len(src), st.work)
		}
		if sp := Text(src); sp != nil {
			check(t, src, sp)
		}
		opt.Budget = n / 2
		if opt.Budget > 0 {
			if st := Each(src, opt, func(*Span) {}); st.Bytes > opt.Budget || st.Left == 0 {
				t.Errorf("budget %d: %+v", opt.Budget, st)
			}
		}
	})
}

// FuzzRun tests that what is encoded is found, and its place, with anything that
// is no digit around it.
func FuzzRun(f *testing.F) {
	f.Add("the north stone and the river", "a = ", "\n", 0)
	f.Add("token = 1234567890", "x", "y", 1)
	f.Fuzz(func(t *testing.T, text, before, after string, kind int) {
		if len(text) < 20 || len(text) > 4000 {
			return
		}
		for i := range len(text) {
			if class[text[i]]&isText == 0 {
				return
			}
		}
		encode := []func(string) string{b64, func(s string) string { return each("%02x", "", s) },
			func(s string) string { return base32.StdEncoding.EncodeToString([]byte(s)) }}[uint(kind)%3]
		if uint(kind)%3 == 2 && len(text) < 25 {
			return
		}
		run := encode(text)
		if strings.ContainsAny(text, ">?~\x7f") && len(text) < 40 {
			return // may have no twelve digits in a row (see eight)
		}
		src := []byte(before + "(" + run + ")" + after)
		at := len(before) + 1
		ok := false
		Each(src, Options{}, func(sp *Span) {
			if string(sp.Data) == text && sp.Start == at && sp.End == at+len(run) {
				ok = true
			}
		})
		if !ok {
			t.Errorf("%q not found in %q", text, src)
		}
	})
}

func ExampleEach() {
	src := []byte("password: " + base64.StdEncoding.EncodeToString([]byte("not a real one")) + "\n")
	var look func(src []byte, place func(i, j int) (int, int), depth int)
	look = func(src []byte, place func(i, j int) (int, int), depth int) {
		Each(src, Options{Context: 64}, func(sp *Span) {
			from := func(i, j int) (int, int) { return place(sp.Source(i, j)) }
			if i := bytes.Index(sp.Data, []byte("real")); i >= 0 {
				start, end := from(i, i+len("real"))
				fmt.Printf("%s: %s at [%d, %d)\n", sp.Encoding, sp.Data, start, end)
			}
			if depth > 1 {
				look(sp.Data, from, depth-1)
			}
		})
	}
	look(src, func(i, j int) (int, int) { return i, j }, 5)
	// Output: base64: password: not a real one at [18, 26)
}

package decode

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
)

// random returns n random bytes.
func random(seed uint64, n int) []byte {
	r := rng(seed)
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// hostile are inputs that are slow for a careless scanner, about n bytes long.
var hostile = []struct {
	name string
	make func(n int) string
}{
	{"one letter", func(n int) string { return strings.Repeat("a", n) }},
	{"one digit", func(n int) string { return strings.Repeat("4", n) }},
	{"equals signs", func(n int) string { return strings.Repeat("=", n) }},
	{"base64 in one line", func(n int) string { return base64.StdEncoding.EncodeToString(random(1, n*3/4)) }},
	{"base64 of text in one line", func(n int) string { return b64(strings.Repeat("north stone river ", n/24)) }},
	{"base64 wrapped", func(n int) string { return wrap(base64.StdEncoding.EncodeToString(random(1, n*3/4)), 76, "\n") }},
	{"base64 of text wrapped", func(n int) string { return wrap(b64(strings.Repeat("north stone river ", n/24)), 70, "\n  ") }},
	{"short base64 lines", func(n int) string {
		var b strings.Builder
		for i := 0; b.Len() < n; i++ {
			b.WriteString(b64("north stone river maple "+string(rune('a'+i%26))+"12345") + "\n")
		}
		return b.String()
	}},
	{"base64 in every phase", func(n int) string {
		return strings.Repeat(b64("north stone river maple one two")[:40]+"-x", n/42)
	}},
	{"lines without padding", func(n int) string {
		return strings.Repeat(base64.RawStdEncoding.EncodeToString([]byte("north stone river maple one two"))+"\n", n/43)
	}},
	{"lines without padding, of binary", func(n int) string {
		return strings.Repeat(base64.RawStdEncoding.EncodeToString(random(3, 31))+"\n", n/43)
	}},
	{"lines that grow", func(n int) string {
		var b strings.Builder
		for i := 40; b.Len() < n; i++ {
			b.WriteString(strings.Repeat("Z", i) + "\n")
		}
		return b.String()
	}},
	{"eyJ", func(n int) string { return "eyJhbGciOi" + strings.Repeat("eyJ", n/3) }},
	{"JWT parts", func(n int) string { return strings.Repeat("eyJhbGciOiJub25lIn0.", n/20) }},
	{"percent", func(n int) string { return strings.Repeat("%41", n/3) }},
	{"percent, one by one", func(n int) string { return strings.Repeat("%41b", n/4) }},
	{"percent, a line each", func(n int) string { return strings.Repeat("%41\n", n/4) }},
	{"percent, far apart", func(n int) string { return strings.Repeat("%41"+strings.Repeat(" ", reach), n/reach) }},
	{"percent of no text", func(n int) string { return strings.Repeat("%d0%bf", n/6) }},
	{"unicode", func(n int) string { return strings.Repeat(`\u0061`, n/6) }},
	{"backslashes", func(n int) string { return strings.Repeat(`\`, n) }},
	{"open braces", func(n int) string { return strings.Repeat(`\u{`, n/3) }},
	{"escaped slashes", func(n int) string { return strings.Repeat(`a\/b`, n/4) }},
	{"escaped quotes", func(n int) string { return strings.Repeat(`\":\"`, n/5) }},
	{"entities", func(n int) string { return strings.Repeat("&#97;", n/5) }},
	{"ampersands", func(n int) string { return strings.Repeat("&", n) }},
	{"quoted-printable", func(n int) string { return strings.Repeat("=3D", n/3) }},
	{"soft breaks", func(n int) string { return "=3D" + strings.Repeat("a=\n", n/3) }},
	{"hex", func(n int) string { return each("%02x", "", string(random(2, n/2))) }},
	{"hex of text", func(n int) string { return each("%02x", "", strings.Repeat("north stone ", n/24)) }},
	{"base32 digits", func(n int) string { return chars(rng(5), digits32, n) }},
	{"numbers", func(n int) string { return strings.Repeat("97, ", n/4) }},
	{"numbers too large", func(n int) string { return strings.Repeat("97,98,999,", n/10) }},
	{"hex numbers", func(n int) string { return strings.Repeat("0x0,0x61,", n/9) }},
	{"commas and blanks", func(n int) string { return strings.Repeat("1,2,"+strings.Repeat(" ", 300), n/304) }},
	{"PEM heads", func(n int) string { return strings.Repeat("-----BEGIN PRIVATE KEY-----\n", n/28) }},
	{"PEM heads in one line", func(n int) string { return strings.Repeat(`-----BEGIN PRIVATE KEY-----\n`, n/29) }},
	{"PEM heads in one line with an end", func(n int) string {
		return strings.Repeat(`-----BEGIN PRIVATE KEY-----\n`, n/29) + "-----END PRIVATE KEY-----"
	}},
	{"UTF-16", func(n int) string { return wide16(strings.Repeat("north ", n/12), le) }},
	{"strings of UTF-16", func(n int) string { return strings.Repeat(wide16("north stone 1", le)+"\x01", n/27) }},
	{"NUL", func(n int) string { return strings.Repeat("\x00", n) }},
	{"NUL and text", func(n int) string { return strings.Repeat("a\x00", n/2) }},
	{"random bytes", func(n int) string { return string(random(6, n)) }},
	{"random letters", func(n int) string { return wrap(chars(rng(7), alnum, n), 100, "\n") }},
	{"words", func(n int) string { return strings.Repeat("thisIsALongIdentifier_of_some_kind ", n/35) }},
	{"everything", func(n int) string {
		return strings.Repeat(`%41&#97;\u0061=3D\":0x61,97,`+b64("north stone river")+"\n", n/60)
	}},
}

// TestLinear proves that the work is linear: what is done beyond the passes
// over all of the input stays within a constant times its length, and so do
// the bytes that are yielded: a line may hold escapes of all families.
func TestLinear(t *testing.T) {
	for _, h := range hostile {
		for _, n := range []int{3000, 30000, 300000} {
			src := []byte(h.make(n))
			st := Each(src, Options{Context: 64}, func(*Span) {})
			if limit := 12*len(src) + 2000; st.work > limit {
				t.Errorf("%s: %d bytes cost %d, more than %d", h.name, len(src), st.work, limit)
			}
			if limit := 5*len(src) + 200; st.Bytes > limit {
				t.Errorf("%s: %d bytes gave %d, more than %d", h.name, len(src), st.Bytes, limit)
			}
		}
	}
}

// TestAllocs proves that memory does not grow with the number of spans.
func TestAllocs(t *testing.T) {
	for _, h := range hostile {
		src := []byte(h.make(100000))
		n := testing.AllocsPerRun(3, func() { Each(src, Options{Context: 64}, func(*Span) {}) })
		if n > 200 { // the buffers, as they grow
			t.Errorf("%s: %v allocations", h.name, n)
		}
	}
}

// TestBudget hands out a budget of every size and tests that it is kept and
// that what is left out is counted.
func TestBudget(t *testing.T) {
	src := []byte("a: " + b64("north stone river maple") + "\nb: %41%42%43%44%45%46%47%48\nc: " + b64("oak and ash") + "\nd: " +
		wrap(b64(strings.Repeat("north and south ", 20)), 64, "\n") + "\n" + each("%d", ",", "twenty two numbers here") +
		wide16("a wide string of text", le))
	var sizes []int
	full := Each(src, Options{}, func(sp *Span) { sizes = append(sizes, len(sp.Data)) })
	if len(sizes) < 6 || full.Left != 0 || full.Spans != len(sizes) {
		t.Fatalf("%d spans, %+v", len(sizes), full)
	}
	for budget := 1; budget <= full.Bytes; budget++ {
		n, left, spans := 0, 0, 0
		for _, size := range sizes {
			if n+size > budget {
				left++
			} else {
				n += size
				spans++
			}
		}
		got := 0
		st := Each(src, Options{Budget: budget}, func(sp *Span) { got += len(sp.Data) })
		if got != n || st.Bytes != n || st.Spans != spans || st.Left != left {
			t.Fatalf("budget %d: %d bytes yielded, %+v, want %d bytes in %d spans and %d left", budget, got, st, n, spans, left)
		}
	}
}

// TestConcurrent runs many calls at once, nested ones among them, and compares.
func TestConcurrent(t *testing.T) {
	src := []byte(hostile[len(hostile)-1].make(5000))
	want := transcript(src, 3)
	done := make(chan bool)
	for range 8 {
		go func() { done <- bytes.Equal(transcript(src, 3), want) }()
	}
	for range 8 {
		if !<-done {
			t.Error("two calls gave different spans")
		}
	}
}

func transcript(src []byte, depth int) (out []byte) {
	Each(src, Options{Context: 32}, func(sp *Span) {
		out = append(append(append(out, sp.Encoding...), sp.Data...), '\n')
		if depth > 1 {
			out = append(out, transcript(sp.Data, depth-1)...)
		}
	})
	return out
}

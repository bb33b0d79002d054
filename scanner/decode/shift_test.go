package decode

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestShift moves sources about: what is found must not hang on where in a file
// it stands, because a history scan looks at parts of files.
func TestShift(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	const text = "name = \"value 0^_0123-abc_DEF/ghi\", 10, 32, {65,66, 0x67}\tpassword=hunter2; \\u0041 %41 &#65; 00000000-0000-0000-0000-000000000000\n"
	piece := func() string {
		at := rnd.IntN(len(text))
		s := text[at:min(len(text), at+1+rnd.IntN(60))]
		switch rnd.IntN(6) {
		case 0:
			return base64.StdEncoding.EncodeToString([]byte(s))
		case 1:
			e := base64.URLEncoding.EncodeToString([]byte(strings.Repeat(s, 4)))
			n := min(len(e), 32+rnd.IntN(40))
			return e[:n] + "\n  " + e[n:] + "\n"
		case 2:
			return hex.EncodeToString([]byte(s))
		case 3:
			var out strings.Builder
			per, gap := 1+rnd.IntN(10), strings.Repeat(" ", rnd.IntN(30))
			for i, c := range []byte(s) {
				if i%per == per-1 {
					out.WriteString("\n" + gap)
				}
				fmt.Fprintf(&out, "%d%s,%s", c, " "[:rnd.IntN(20)/19], " "[:rnd.IntN(2)])
			}
			return out.String()
		}
		return s
	}
	spans := func(src []byte, shift int) string {
		var out []string
		Each(src, Options{Context: 64}, func(s *Span) {
			out = append(out, fmt.Sprintf("%d %d %s %q\n", s.Start-shift, s.End-shift, s.Encoding, s.Data))
		})
		slices.Sort(out) // lists and runs may change places
		return strings.Join(out, "")
	}
	n := 0
	for range 3000 {
		var b bytes.Buffer
		b.WriteByte('\n')
		for range 1 + rnd.IntN(8) {
			b.WriteString(piece())
		}
		b.WriteByte('\n')
		want := spans(b.Bytes(), 0)
		n += strings.Count(want, "\n")
		for _, shift := range []int{1, 8, 1 + rnd.IntN(200)} {
			src := append(bytes.Repeat([]byte("\n"), shift), b.Bytes()...)
			if got := spans(src, shift); got != want {
				t.Fatalf("shifted by %d, of\n%s\nthere are\n%s\nnot\n%s", shift, b.Bytes(), got, want)
			}
		}
	}
	if n < 1000 {
		t.Errorf("%d spans only", n)
	}
}

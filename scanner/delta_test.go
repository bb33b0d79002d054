package scanner

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/till-sh/till/rules"
)

// writer makes texts that are full of what a scan has to care about, and changes
// them at random.
type writer struct {
	*rand.Rand
	samples []string
	filler  []string // lines of ordinary text
}

func newWriter(t testing.TB) *writer {
	t.Helper()
	c, err := rules.LoadFS(os.DirFS("../rules"), "providers")
	if err != nil {
		t.Fatal(err)
	}
	w := new(writer)
	for _, p := range c.Providers {
		for i := range p.Rules {
			w.samples = append(w.samples, p.Rules[i].Samples.Match...)
			w.samples = append(w.samples, p.Rules[i].Samples.Miss...)
		}
	}
	drawn := strings.Join([]string{"4e8a1f0c97d2", "b36e5a08f1c4", "d27b90e6"}, "")
	for _, way := range ways {
		for _, vendor := range []string{"bugsnag", "acmewise"} {
			w.samples = append(w.samples, slices.Repeat([]string{strings.NewReplacer("§", drawn, "acme", vendor).Replace(way)}, 40)...)
		}
	}
	for _, file := range []string{"engine.go", "delta.go", "../docs/rules.md"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		w.filler = append(w.filler, strings.SplitAfter(string(data), "\n")...)
	}
	return w
}

// ways are those of writing a value far from its name, before and behind it; to
// each belongs a reader that looks there.
var ways = []string{
	"{\"value\": \"§\", \"name\": \"acme_token\"}",
	"UPDATE settings SET value = '§' WHERE name = 'acme_token'",
	"echo \"§\" | gh secret set -R acme/shop ACME_TOKEN --app actions",
	"gh secret set acme_token --repo acme/shop --body \"§\"",
	"## acme token:\n\n```\n§\n```",
	"acme_token:\n    description: of the service\n    value: \"§\"",
	"## acme\n\n- user: anna\n- API key: `§`",
	"url = \"https://api.acme.example/v1\"\nheaders = {\n    \"Accept\": \"application/json\",\n    \"X-Api-Key\": \"§\",\n}",
	"\"header\": [{\"key\": \"X-Api-Key\", \"value\": \"§\"}], \"url\": {\"raw\": \"https://api.acme.example/v1\"}",
	"api_key = \"§\"\n\ntimeout = 30\nretries = 5\n\nclient = acme.Client(url, api_key)",
	"const key = \"§\"\n\n\n\n\nget(`https://api.acme.example/v1?key=${key}`)",
}

// piece returns something to put into a text.
func (w *writer) piece() string {
	s := w.samples[w.IntN(len(w.samples))]
	switch w.IntN(24) {
	case 0, 1, 2, 3, 4:
		return s + "\n"
	case 5:
		return s
	case 6:
		return "data: " + base64.StdEncoding.EncodeToString([]byte(s)) + "\n"
	case 7: // wrapped
		e := base64.StdEncoding.EncodeToString([]byte(s + w.samples[w.IntN(len(w.samples))]))
		width := []int{32, 40, 64, 76}[w.IntN(4)]
		var out strings.Builder
		for len(e) > width {
			out.WriteString("  " + e[:width] + "\n")
			e = e[width:]
		}
		return out.String() + "  " + e + "\n"
	case 8:
		return hex.EncodeToString([]byte(s)) + "\n"
	case 9:
		var out strings.Builder
		for _, c := range []byte(s) {
			fmt.Fprintf(&out, "%%%02X", c)
		}
		return "url=" + out.String() + "\n"
	case 10:
		var out strings.Builder
		for i, r := range s {
			if i%5 == 0 {
				fmt.Fprintf(&out, `\u%04x`, r&0xffff)
			} else {
				out.WriteRune(r)
			}
		}
		return `"v": "` + out.String() + "\"\n"
	case 11: // a list of bytes, several or one to a line
		var out strings.Builder
		per := 1 + w.IntN(12)
		indent := strings.Repeat(" ", w.IntN(9))
		for i, c := range []byte(s) {
			if i%per == 0 {
				out.WriteString("\n" + indent)
			}
			fmt.Fprintf(&out, "%d, ", c)
		}
		return "k = {" + out.String() + "}\n"
	case 12:
		return s + " # till:ignore\n"
	case 13:
		return "# till:ignore-start\n"
	case 14:
		return "# till:ignore-end -- because\n"
	case 15:
		return "// till:ignore-next-line\n" + s + "\n"
	case 16:
		if w.IntN(8) == 0 {
			return "x=3D" + s + "=\n"
		}
		return strings.ReplaceAll(s, `"`, `\"`) + "\n"
	case 17:
		if w.IntN(8) == 0 {
			return "\x00\x01\x00" + s
		}
		return strings.ReplaceAll(s, "\n", `\n`) + "\n"
	}
	at, n := w.IntN(len(w.filler)), 1+w.IntN(30)
	return strings.Join(w.filler[at:min(len(w.filler), at+n)], "")
}

func (w *writer) Text() []byte {
	var out bytes.Buffer
	for range 1 + w.IntN(40) {
		out.WriteString(w.piece())
	}
	if w.IntN(40) == 0 { // all of it in UTF-16
		wide := []byte("\xff\xfe")
		for _, u := range utf16.Encode([]rune(out.String())) {
			wide = append(wide, byte(u), byte(u>>8))
		}
		return wide
	}
	return out.Bytes()
}

// change returns a text made from base, and how.
func (w *writer) Change(base []byte) ([]byte, []Copy) {
	var out []byte
	var copies []Copy
	take := func(lo, hi int) {
		if lo < hi {
			copies = append(copies, Copy{len(out), hi - lo, lo})
			out = append(out, base[lo:hi]...)
		}
	}
	at := 0
	for range w.IntN(5) {
		if at >= len(base) {
			break
		}
		cut := at + w.IntN(len(base)-at+1)
		if w.IntN(2) == 0 { // whole lines
			cut = at + bytes.LastIndexByte(base[at:cut], '\n') + 1
		}
		take(at, cut)
		at = cut
		switch w.IntN(7) {
		case 0: // nothing but a seam
			at = min(len(base), at+1+w.IntN(20))
		case 1:
			at = min(len(base), at+1+w.IntN(2000))
		case 2: // a few bytes
			out = append(out, " \n=\"x"[w.IntN(5)])
		case 3: // a stretch from elsewhere
			lo := w.IntN(len(base))
			take(lo, min(len(base), lo+1+w.IntN(500)))
		case 4: // some bytes in place of others
			p := w.piece()
			p = p[:min(len(p), 1+w.IntN(8))] // may be empty
			out = append(out, p...)
			at = min(len(base), at+len(p))
		default:
			out = append(out, w.piece()...)
		}
	}
	if w.IntN(6) > 0 {
		take(at, len(base))
	}
	return out, copies
}

// shown is all that can be seen of a scan's outcome.
func shown(f Found) string {
	var out strings.Builder
	fmt.Fprintln(&out, f.Undecoded, f.Unopened)
	for _, x := range f.Findings {
		fmt.Fprintln(&out, x.Rule.ID, x.Class, x.Secret.Reveal(), x.Location, x.Decoded, x.Facts, x.Excerpt, x.Context, x.Mark)
		if p := x.Partner; p != nil {
			fmt.Fprintln(&out, " with", p.Rule.ID, p.Secret.Reveal(), p.Location)
		}
	}
	return out.String()
}

// TestDelta compares scans by delta with scans of the whole.
func TestDelta(t *testing.T) {
	e, err := New(Options{}, rules.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	n := 40
	if testing.Short() {
		n = 15
	}
	if os.Getenv("TILL_DELTA_SEEDS") != "" {
		fmt.Sscan(os.Getenv("TILL_DELTA_SEEDS"), &n)
	}
	byDelta, whole, found := 0, 0, 0
	w := newWriter(t)
	for seed := range uint64(n) {
		w.Rand = rand.New(rand.NewPCG(seed, 1))
		data := w.Text()
		var trace *Base
		var copies []Copy
		for step := range 25 {
			want, err := e.Scan(&Blob{Data: data})
			if err != nil {
				t.Fatal(err)
			}
			d := Delta{Base: trace, Copies: copies}
			got, err := e.Scan(&Blob{Data: data, Delta: &d})
			if err != nil {
				t.Fatal(err)
			}
			if a, b := shown(want), shown(got); a != b {
				t.Fatalf("seed %d, step %d: %s", seed, step, difference(a, b))
			}
			found += len(want.Findings)
			if trace != nil {
				whole++
				var s scratch
				if trace.size > 0 && !trace.special && s.delta.read(&Blob{Data: data, Delta: &d}, trace.size) {
					byDelta++
				}
			}
			trace = d.Next
			next, how := w.Change(data)
			if len(next) == 0 || len(next) > 1<<20 {
				next, how, trace = w.Text(), nil, nil
			}
			data, copies = next, how
		}
	}
	t.Logf("%d of %d by delta, %d findings", byDelta, whole, found)
	if byDelta < whole/4 || found < whole {
		t.Errorf("the test tests too little: %d of %d by delta, %d findings", byDelta, whole, found)
	}
}

func difference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	var out []string
	for _, l := range x {
		if !slices.Contains(y, l) {
			out = append(out, "whole only: "+l)
		}
	}
	for _, l := range y {
		if !slices.Contains(x, l) {
			out = append(out, "delta only: "+l)
		}
	}
	return strings.Join(out, "\n")
}

// NewWriter gives the tests of whole repositories the same texts.
func NewWriter(t testing.TB) *writer { return newWriter(t) }

package scanner

import (
	"math/rand/v2"
	"os"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"

	"github.com/till-sh/till/rules"
)

// A shape must be the regexp package's leftmost-first match, for every
// expression of the catalogue that is matched by hand and for texts close to
// its samples.
func TestShapeEqualsRegexp(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	byHand := 0
	check := func(t *testing.T, s *shape, re *regexp.Regexp, text string) {
		want := re.FindStringIndex(text)
		for i := 0; i <= len(text); i++ {
			var c caps
			if !s.match([]byte(text), i, &c) {
				if want != nil && i == want[0] {
					t.Fatalf("%s: no match at %d of a text of %d bytes", re, i, len(text))
				}
				continue
			}
			if want == nil || i != want[0] || c[1] != want[1] {
				t.Fatalf("%s: match [%d %d], regexp says %v", re, c[0], c[1], want)
			}
			return
		}
	}
	try := func(expr string, samples []string) {
		tree, err := syntax.Parse(expr, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		s := compileShape(tree, map[string]int{})
		if s == nil {
			return
		}
		byHand++
		re := regexp.MustCompile(expr)
		for _, sample := range samples {
			if strings.IndexFunc(sample, func(r rune) bool { return r >= 0x80 }) >= 0 {
				continue // there a shape counts bytes, see classSet
			}
			check(t, s, re, sample)
			for range 30 {
				b := []byte(sample)
				for range 1 + r.IntN(3) {
					i := r.IntN(len(b) + 1)
					switch c := "aZ09_-.+/= \n\"xf"[r.IntN(15)]; {
					case r.IntN(3) == 0 && i < len(b):
						b = append(b[:i], b[i+1:]...)
					case r.IntN(2) == 0 && i < len(b):
						b[i] = c
					default:
						b = append(b[:i], append([]byte{c}, b[i:]...)...)
					}
				}
				check(t, s, re, string(b))
			}
		}
	}
	catalogue, err := rules.LoadFS(os.DirFS("../rules"), "providers") // the compiled one has no samples
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range catalogue.Providers {
		for _, rule := range p.Rules {
			if rule.Regex != "" {
				try(rule.Regex, append(rule.Samples.Match, rule.Samples.Miss...))
			}
			if rule.Value != "" {
				try(rule.Value, append(rule.Samples.Match, rule.Samples.Miss...))
			}
		}
	}
	if byHand == 0 {
		t.Fatal("no expression of the catalogue is matched by hand")
	}
	try(`\b(?:ab?c{2,4}|[x-z]{1,3}\d)(?:-[0-9a-f]{2}){1,2}\b`, []string{"abccc-0f-1a", "acc-00", "xyz9-ff ", "zab1-aa-bb-cc"})
	try(`(?m)(?:^|["'])[ \t]{0,9}p\s{0,3}[:=]\s?(?P<s>[^\s"']{3,9})(?:["']|$)`, []string{"x\n  p = abc\ny", `"p:abcd"`, "ap=abcd", "p=\nabc"})
	try(`\A[ab]{1,}c[^x]+x\z`, []string{"aabc--x", "abc-x ", "abcx"})
	try(`(?i)key[_-]?(?:id)?=[A-Z]{3,}?`, []string{"KEY_ID=ABC"}) // lazy: not a shape, must not be tried
	if s := compileShape(mustParse(t, strings.Repeat(`(?:aa|bc)`, 12)), map[string]int{}); s != nil {
		t.Error("an expression with thousands of alternatives became a shape")
	}
}

func mustParse(t *testing.T, expr string) *syntax.Regexp {
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func FuzzShape(f *testing.F) {
	exprs := []string{`\bk_[0-9a-f]{4,8}\b`, `(?:ab|a)[bc]{1,3}-(?P<secret>x{2})?`, `[a-c]{2,4}[b-d]{1,3}e`, `\Bx\b`}
	for i := range exprs {
		f.Add(i, "k_0123abcd abcb-xx aabbcde")
	}
	f.Fuzz(func(t *testing.T, n int, text string) {
		expr := exprs[uint(n)%uint(len(exprs))]
		for _, c := range text {
			if c >= 0x80 {
				return // \b next to other scripts is judged by byte, on purpose
			}
		}
		s, re := compileShape(mustParse(t, expr), map[string]int{}), regexp.MustCompile(expr)
		want := re.FindStringIndex(text)
		for i := 0; i <= len(text); i++ {
			var c caps
			if s.match([]byte(text), i, &c) {
				if want == nil || want[0] != i || want[1] != c[1] {
					t.Fatalf("%s on %q: [%d %d], regexp says %v", expr, text, i, c[1], want)
				}
				return
			}
		}
		if want != nil {
			t.Fatalf("%s on %q: nothing, regexp says %v", expr, text, want)
		}
	})
}

// A keyword that ends in the first byte of a class leads to the same place as
// the literal before it.
func TestAnchorsEndInAClass(t *testing.T) {
	for expr, keywords := range map[string][]string{
		`\bck_[0-9a-f]{40}\b`:        {"ck_0", "ck_f"},
		`\bTEST-[0-9]{10,20}-[a-z]+`: {"test-7"},
	} {
		tree, err := syntax.Parse(expr, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		offsets, ok := compileShape(tree, map[string]int{}).anchors(keywords)
		if !ok {
			t.Errorf("%s: no anchor in %q", expr, keywords)
		}
		for i, at := range offsets {
			if len(at) != 1 || at[0] != 0 {
				t.Errorf("%s: %s stands at %v, want [0]", expr, keywords[i], at)
			}
		}
	}
	tree, _ := syntax.Parse(`\bck_[0-9a-f]{40}\b`, syntax.Perl)
	if _, ok := compileShape(tree, map[string]int{}).anchors([]string{"ck_z"}); ok {
		t.Error("ck_z leads to a match of ck_[0-9a-f]{40}")
	}
}

package rules

import (
	"os"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

func TestPositions(t *testing.T) {
	const text = `# comment = "x"
a = 1
'b c'.d = "x # \" y" # comment
e = [ "]", '''
]
''', # in between
  { f = [1, 2], "g" = { h = 1 } },
]

[t]
u = """
[[not.a.table]]
"quoted"""""
v = 2026-11-24 10:00:00
[[t.w]]
x = 1
[[ t . "w" ]]
[t.w.y]
z = 1979-05-27T07:32:00Z
[[t.w.n]]
[[t.w.n]]
o = true
`
	want := map[string]Position{
		"a": {2, 1}, "b c": {3, 1}, "b c.d": {3, 1},
		"e": {4, 1}, "e[0]": {4, 7}, "e[1]": {4, 12}, "e[2]": {7, 3}, "e[2].f": {7, 5}, "e[2].f[1]": {7, 13}, "e[2].g": {7, 17}, "e[2].g.h": {7, 25},
		"t": {10, 1}, "t.u": {11, 1}, "t.v": {14, 1}, "t.w": {15, 1}, "t.w[0]": {15, 1}, "t.w[0].x": {16, 1}, "t.w[1]": {17, 1},
		"t.w[1].y": {18, 1}, "t.w[1].y.z": {19, 1}, "t.w[1].n": {20, 1}, "t.w[1].n[0]": {20, 1}, "t.w[1].n[1]": {21, 1}, "t.w[1].n[1].o": {22, 1},
	}
	got := FindPositions([]byte(text))
	for path, at := range want {
		if got[path] != at {
			t.Errorf("%s: got %v, want %v", path, got[path], at)
		}
	}
	if at := got.Of("t.w[1].n[1].missing.deep"); at != (Position{21, 1}) {
		t.Errorf("a missing key: got %v, want its table's place", at)
	}
	if at := got.Of("nowhere"); at != (Position{1, 1}) {
		t.Errorf("an unknown key: got %v", at)
	}
}

// FuzzPositions: the walk ends on any input, and on valid TOML it finds every
// key that the library reports.
func FuzzPositions(f *testing.F) {
	acme, err := os.ReadFile("testdata/acme.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(acme), "a=\"\"\"x\\", "a='''", "[[a]]\nb={c=[{d=1},{}]}", "[a.'b'.\"c\"]\n", "a=[[1],\n[2,]]#", "\"a\\"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := FindPositions([]byte(text))
		var m map[string]any
		md, err := toml.Decode(text, &m)
		if err != nil {
			return
		}
		for _, key := range md.Keys() {
			// Top level only: further down the library does not tell the index.
			// An escaped or dotted key has no plain path.
			if k := key[0]; !strings.ContainsAny(text, "\\\"'") {
				if _, ok := got[k]; !ok {
					t.Errorf("key %q has no position", k)
				}
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	acme, err := os.ReadFile("testdata/acme.toml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(acme))
	f.Add("rule = [{id='a-b', regex='(a|b){2}|[a-c]x?'}]\nverify=1")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := Parse("acme.toml", []byte(text))
		if err != nil && len(Faults(err)) == 0 {
			t.Errorf("an error without place: %v", err)
		}
		_, _ = ParseRules(".till.toml", []byte(text))
	})
}

// TestTopLevelPositions: what a .till.toml is made of, behind a byte order mark.
func TestTopLevelPositions(t *testing.T) {
	const text = "\xEF\xBB\xBF# c\na = 1\n'b' = \"\"\"x\n[no]\n\\\"\"\"\"\"\nc = { x = [1, 2], y = '}' } # ]\n" +
		"d = [ # 1\n  \"a\", 'b\\', [3],\n  {z = 1}]\ne.f = '''\n[[no]]'''\n[t]\nu = 1\n[[r]]\nv = 1\n[[ r ]]\n[t2.x]\n"
	p := FindPositions([]byte(text))
	for key, want := range map[string]Position{
		"a": {2, 1}, "b": {3, 1}, "c": {6, 1}, "d": {7, 1}, "d[0]": {8, 3}, "d[1]": {8, 8}, "d[2]": {8, 14}, "d[3]": {9, 3},
		"e": {10, 1}, "t": {12, 1}, "r": {14, 1}, "r[0]": {14, 1}, "r[1]": {16, 1}, "t2": {17, 1},
	} {
		if p[key] != want {
			t.Errorf("%s at %v, want %v", key, p[key], want)
		}
	}
	for _, key := range []string{"no", "u", "v", "x", "z", "c[0]", "d[4]"} {
		if at, ok := p[key]; ok {
			t.Errorf("%s found at %v", key, at)
		}
	}
}

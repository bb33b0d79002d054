package config

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// Made-up fingerprints, in order.
var (
	fpA = strings.Repeat("0a", 16)
	fpB = strings.Repeat("3c", 16)
	fpC = strings.Repeat("e7", 16)
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t.Add(12 * time.Hour)
}

func TestParseIgnore(t *testing.T) {
	text := "# header\n\n" +
		fpB + "  docs/**  until=2027-06-01 by=dana  # GE-91PA: example from the vendor's manual\n" +
		"# about the next\n  " + strings.ToUpper(fpA) + "\t# no id\r\n" +
		"ST-7Q4K by=Dana\\ Scully #why\n" +
		"testdata/my\\ files/ # generated # twice\n" +
		"./a=b.txt\n" +
		fpC + " # ST-7Q4K:\n" +
		"x#y.txt\n# tail"
	g, err := ParseIgnore(IgnoreName, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{
		{Key: fpB, Glob: "docs/**", Until: "2027-06-01", By: "dana", ID: "GE-91PA", Reason: "example from the vendor's manual", Line: 3},
		{Key: fpA, Reason: "no id", Line: 5, Comments: []string{"# about the next"}},
		{Key: "ST-7Q4K", By: "Dana Scully", Reason: "why", Line: 6},
		{Glob: `testdata/my\ files/`, Reason: "generated # twice", Line: 7},
		{Glob: "./a=b.txt", Line: 8},
		{Key: fpC, ID: "ST-7Q4K", Line: 9},
		{Glob: "x#y.txt", Line: 10},
	}
	if len(g.Entries) != len(want) {
		t.Fatalf("%d entries: %+v", len(g.Entries), g.Entries)
	}
	for i, e := range g.Entries {
		e.pattern = nil
		w := want[i]
		if e.String() != w.String() || e.Line != w.Line || e.Key != w.Key || e.Glob != w.Glob || e.Reason != w.Reason || e.ID != w.ID || e.By != w.By || e.Until != w.Until || !slices.Equal(e.Comments, w.Comments) {
			t.Errorf("entry %d: %+v, want %+v", i, e, w)
		}
	}
	if !g.Entries[3].matchPath("testdata/my files/x") {
		t.Error("a glob with a blank does not match")
	}
	formatted := "# header\n\n" +
		"# about the next\n" + fpA + "  # no id\n" +
		fpB + "  docs/**  until=2027-06-01 by=dana  # GE-91PA: example from the vendor's manual\n" +
		fpC + "  # ST-7Q4K:\n" +
		"ST-7Q4K  by=Dana\\ Scully  # why\n" +
		"./a=b.txt\n" +
		"testdata/my\\ files/  # generated # twice\n" +
		"x#y.txt\n# tail\n"
	if got := string(g.Format()); got != formatted {
		t.Errorf("formatted:\n%s\nwant:\n%s", got, formatted)
	}
}

// Two branches add lines; git takes all of both.
func TestUnionMerge(t *testing.T) {
	ours := fpA + "  # a\n" + fpC + "  # c\n"
	theirs := fpA + "  # a\n" + fpB + "  # b\n"
	g, err := ParseIgnore(IgnoreName, []byte(ours+theirs))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(g.Format()), fpA+"  # a\n"+fpB+"  # b\n"+fpC+"  # c\n"; got != want {
		t.Errorf("merged:\n%s\nwant:\n%s", got, want)
	}
}

func TestIgnoreFaults(t *testing.T) {
	tests := []struct{ text, want string }{
		{"# x\n<<<<<<< HEAD\n" + fpA, `2:1: conflict marker "<<<<<<<"`},
		{"=======", `1:1: conflict marker "======="`},
		{">>>>>>> branch", `1:1: conflict marker ">>>>>>>"`},
		{"*", `1:1: "*" matches almost everything`},
		{"\n\n  **", `3:1: "**" matches almost everything`},
		{fpA + " **", `1:34: "**" matches almost everything`},
		{"*a* \n*e*\n*i*\n*o*\n*u*\n*v*\n*A*\n*E*", "1:1: the globs together match almost everything"},
		{"!docs", `1:1: a glob with ! in front`},
		{"../x", `1:1: "../x" leaves its folder`},
		{"[x", `1:1: "[x" is no glob`},
		{fpA[1:], "1:1: 31 hexadecimal digits: expected a fingerprint of 32"},
		{fpA + "01234567", "1:1: 40 hexadecimal digits"},
		{fpA + " a b", "1:36: a second glob"},
		{fpA + " until=tomorrow", "1:34: until: expected a day"},
		{fpA + " until=2027-02-30", "1:34: until: expected a day"},
		{fpA + " by=", "1:34: by: expected a name"},
		{fpA + " untli=2027-01-01", `1:34: unknown option "untli=": expected until= or by= (did you mean "until="?)`},
		{"until=2027-01-01", "1:1: expected a fingerprint, an ID or a glob in front of"},
		{"a\x00b", "1:1: holds a NUL byte"},
		{"a\xffb", "1:1: is not UTF-8"},
		{"docs/** # \x1b[31mred", "1:1: holds a control character"},
		{"# \x1b[2J", "1:1: holds a control character"},
	}
	for _, tt := range tests {
		g, err := ParseIgnore("f", []byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), "f:"+tt.want) || g != nil {
			t.Errorf("%q: %v, want %s", tt.text, err, tt.want)
		}
	}
	if _, err := ParseIgnore("f", []byte("*\n\ndocs\n!x\n")); len(rules.Faults(err)) != 2 {
		t.Errorf("not all faults at once: %v", err)
	}
}

func key(id, fp, ruleID string, paths ...string) scanner.Key {
	k := scanner.Key{ID: id, Fingerprint: fp, Class: rules.ClassKey, Rule: &rules.Rule{ID: ruleID, Provider: "acme"}, Secret: scanner.NewSecret([]byte("value-" + id))}
	for _, p := range paths {
		k.Places = append(k.Places, scanner.Place{Path: p, Where: scanner.InContent})
	}
	return k
}

func show(keys []scanner.Key) string {
	var out []string
	for _, k := range keys {
		s := k.ID + ":"
		for _, p := range k.Places {
			s += " " + p.Path
		}
		if k.Suppressed != nil {
			s += " (" + k.Suppressed.Kind + ", " + k.Suppressed.Source + ", " + k.Suppressed.Reason + ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

func TestApply(t *testing.T) {
	proven := func(k scanner.Key) scanner.Key { k.Facts.Checksum = "ok"; return k }
	inline := key("AC-MARK", fpA, "acme-key", "a.go")
	inline.Suppressed = &scanner.Suppression{Kind: "inline", Source: "a.go (till)"}
	tests := []struct {
		name, ignore, toml string
		keys               []scanner.Key
		reported           string
		suppressed         string
		notes              string
	}{
		{name: "nothing", keys: []scanner.Key{key("AC-1111", fpA, "acme-key", "a.go")}, reported: "AC-1111: a.go"},
		{name: "fingerprint", ignore: fpA + " # example", keys: []scanner.Key{key("AC-1111", fpA, "acme-key", "a.go", ""), key("AC-2222", fpB, "acme-key", "a.go")},
			reported: "AC-2222: a.go", suppressed: "AC-1111: a.go  (allowlist, .tillignore:1, example)"},
		{name: "fingerprint in some places", ignore: fpA + " docs/** # example", keys: []scanner.Key{key("AC-1111", fpA, "acme-key", "docs/a", "b.go", "docs/c", "")},
			reported: "AC-1111: b.go ", suppressed: "AC-1111: docs/a docs/c (allowlist, .tillignore:1, example)"},
		{name: "two decisions", ignore: fpA + " docs/** # d\n" + fpA + " test/** # t", keys: []scanner.Key{key("AC-1111", fpA, "acme-key", "test/x", "docs/a")},
			suppressed: "AC-1111: test/x (allowlist, .tillignore:2, t); AC-1111: docs/a (allowlist, .tillignore:1, d)"},
		{name: "ID", ignore: "AC-1111 # x", keys: []scanner.Key{key("AC-1111", fpA, "acme-key", "a.go"), key("AC-2222", fpB, "acme-key", "a.go")},
			reported: "AC-2222: a.go", suppressed: "AC-1111: a.go (allowlist, .tillignore:1, x)"},
		{name: "ambiguous ID", ignore: "AC-1111 # x", keys: []scanner.Key{key("AC-111122", fpA, "acme-key", "a.go"), key("AC-111133", fpB, "acme-key", "b.go")},
			reported: "AC-111122: a.go; AC-111133: b.go", notes: ".tillignore:1: AC-1111 fits AC-111122 and AC-111133: write more of the one that is meant"},
		{name: "expired", ignore: fpA + " until=2026-11-23 # x", keys: []scanner.Key{key("AC-1111", fpA, "acme-key", "a.go", "b.go")},
			reported: "AC-1111: a.go b.go", notes: ".tillignore:1: AC-1111 was allowed until 2026-11-23 and is reported again"},
		{name: "last day", ignore: fpA + " until=2026-11-24 # x", keys: []scanner.Key{key("AC-1111", fpA, "acme-key", "a.go")},
			suppressed: "AC-1111: a.go (allowlist, .tillignore:1, x)"},
		{name: "expired and renewed", ignore: fpA + " until=2026-11-23 # x\n" + fpA + " # y", keys: []scanner.Key{key("AC-1111", fpA, "acme-key", "a.go")},
			suppressed: "AC-1111: a.go (allowlist, .tillignore:2, y)", notes: ".tillignore:1: AC-1111 was allowed until 2026-11-23 and is reported again"},
		{name: "path", ignore: "docs/** # manual", keys: []scanner.Key{key("AC-1111", fpA, "acme-key", "docs/a", "")},
			reported: "AC-1111: ", suppressed: "AC-1111: docs/a (allowlist, .tillignore:1, manual)"},
		{name: "expired path", ignore: "docs/** until=2020-01-01", keys: []scanner.Key{key("AC-1111", fpA, "acme-key", "docs/a")},
			reported: "AC-1111: docs/a", notes: ".tillignore:1: docs/** was ignored until 2020-01-01 and is reported again"},
		{name: "ignore list", toml: "ignore = ['docs/**']", keys: []scanner.Key{key("AC-1111", fpA, "acme-key", "docs/a", "x/docs/a")},
			reported: "AC-1111: x/docs/a", suppressed: "AC-1111: docs/a (config, .till.toml:1, the path is in the ignore list)"},
		{name: "excluded rule", toml: "exclude-rules = ['acme-guess']", keys: []scanner.Key{key("AC-1111", fpA, "acme-guess", "a"), key("AC-2222", fpB, "acme-key", "a")},
			reported: "AC-2222: a", suppressed: "AC-1111: a (config, .till.toml:1, the rule is in the exclude-rules list)"},
		{name: "proven by checksum", ignore: "test/** # t", toml: "ignore = ['docs/**']\nexclude-rules = ['acme-guess']",
			keys:     []scanner.Key{proven(key("AC-1111", fpA, "acme-guess", "docs/a", "test/b", "c"))},
			reported: "AC-1111: docs/a test/b c",
			notes: "AC-1111 is reported although .till.toml:1 would hide it: its checksum proves it genuine, so that it takes an entry of its own in .tillignore, with a reason|" +
				"AC-1111 is reported although .tillignore:1 would hide it: its checksum proves it genuine, so that it takes an entry of its own in .tillignore, with a reason|" +
				"AC-1111 is reported although .till.toml:2 would hide it: its checksum proves it genuine, so that it takes an entry of its own in .tillignore, with a reason"},
		{name: "proven, with a reason", ignore: fpA + " # revoked sample", keys: []scanner.Key{proven(key("AC-1111", fpA, "acme-key", "a"))},
			suppressed: "AC-1111: a (allowlist, .tillignore:1, revoked sample)"},
		{name: "proven, without a reason", ignore: fpA + " # AC-1111:", keys: []scanner.Key{proven(key("AC-1111", fpA, "acme-key", "a"))},
			reported: "AC-1111: a", notes: ".tillignore:1: the entry for AC-1111 has no reason: its checksum proves the key genuine, so that one is needed"},
		{name: "inline", ignore: fpA + " # x", keys: []scanner.Key{inline}, suppressed: "AC-MARK: a.go (inline, a.go (till), )"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tree := load(t, fstest.MapFS{".till.toml": file(tt.toml), ".tillignore": file(tt.ignore)}, Options{})
			before := show(tt.keys)
			reported, suppressed, notes := tree.Apply(tt.keys, day("2026-11-24"))
			if got := show(reported); got != tt.reported {
				t.Errorf("reported %q, want %q", got, tt.reported)
			}
			if got := show(suppressed); got != tt.suppressed {
				t.Errorf("suppressed %q, want %q", got, tt.suppressed)
			}
			if got := strings.Join(notes, "|"); got != tt.notes {
				t.Errorf("notes %q, want %q", got, tt.notes)
			}
			if show(tt.keys) != before {
				t.Error("the argument was changed")
			}
		})
	}
}

func TestApplyWithOtherPaths(t *testing.T) {
	tree := load(t, fstest.MapFS{".till.toml": file("ignore = ['docs/**']"), "a/.till.toml": file("fail-on = 'never'")}, Options{
		Dirs: []string{"a"},
		Rel:  func(p string) string { return strings.TrimPrefix(p, "/home/x/") },
	})
	reported, suppressed, _ := tree.Apply([]scanner.Key{key("AC-1111", fpA, "acme-key", "/home/x/docs/a", "/home/x/b")}, day("2026-11-24"))
	if show(reported) != "AC-1111: /home/x/b" || len(suppressed) != 1 {
		t.Errorf("reported %s, suppressed %s", show(reported), show(suppressed))
	}
	k := key("AC-1111", fpA, "acme-key", "/home/x/a/b")
	if tree.Blocks(&k) {
		t.Error("the folder's fail-on does not count")
	}
}

func TestBlocks(t *testing.T) {
	tree := load(t, fstest.MapFS{".till.toml": file(""), "strict/.till.toml": file("fail-on = 'suspect'"), "lax/.till.toml": file("fail-on = 'never'")}, Options{Dirs: []string{"strict", "lax"}})
	for _, tt := range []struct {
		class rules.Class
		paths string
		want  bool
	}{
		{rules.ClassKey, "a", true}, {rules.ClassKey, "lax/a", false}, {rules.ClassKey, "lax/a a", true}, {rules.ClassKey, "strict/a", true},
		{rules.ClassSuspect, "a", false}, {rules.ClassSuspect, "strict/a", true}, {rules.ClassSuspect, "lax/a a strict/a", true}, {rules.ClassSuspect, "lax/a", false},
	} {
		k := key("AC-1111", fpA, "acme-key", strings.Fields(tt.paths)...)
		k.Class = tt.class
		if got := tree.Blocks(&k); got != tt.want {
			t.Errorf("%s in %s blocks: %v", tt.class, tt.paths, got)
		}
	}
}

func TestAudit(t *testing.T) {
	const text = `# x
FPA  # known
FPB  docs/**  # moved away
FPC  until=2026-01-01  # old
AC-1111  # fits two
AC-9999
*.py  # all of them
test/**  # fixtures
gone/**  # deleted folder
**/.env*  # wide too
`
	g, err := ParseIgnore(IgnoreName, []byte(strings.NewReplacer("FPA", fpA, "FPB", fpB, "FPC", fpC).Replace(text)))
	if err != nil {
		t.Fatal(err)
	}
	keys := []scanner.Key{
		key("XX-AAAA", fpA, "acme-key", "a"), key("XX-BBBB", fpB, "acme-key", "b", ""), key("XX-CCCC", fpC, "acme-key", "test/c"),
		key("AC-111122", strings.Repeat("11", 16), "acme-key", "d.py"), key("AC-111133", strings.Repeat("22", 16), "acme-key", "d/.env.local"),
	}
	var got []string
	for _, p := range g.Audit(keys, day("2026-11-24"), true) {
		got = append(got, p.Source[len(".tillignore:"):]+" "+string(p.Kind))
	}
	want := []string{"3 stale", "4 expired", "5 ambiguous", "6 no-reason", "6 stale", "7 wide", "9 stale", "10 wide"}
	if !slices.Equal(got, want) {
		t.Errorf("problems %q, want %q", got, want)
	}
	for _, p := range g.Audit(keys, day("2026-11-24"), false) {
		if p.Kind == ProblemStale {
			t.Errorf("stale after a scan of a part: %+v", p)
		}
	}
}

func TestWide(t *testing.T) {
	for glob, want := range map[string]bool{
		"*.py": true, "**/*.py": true, "*secret*": true, "*/x*": false, ".env*": true, "docs/*.py": false, "docs": false, "/docs/": false, ".env": false, "**/testdata/**": false, "id_rsa": false, "file?.txt": false,
	} {
		if got := wide(glob); got != want {
			t.Errorf("wide(%s) = %v", glob, got)
		}
	}
}

func TestAdd(t *testing.T) {
	path := filepath.Join(t.TempDir(), IgnoreName)
	k := key("AC-1111", fpB, "acme-key", "a")
	e, err := NewEntry(&k, "docs/**", " from the\nmanual ", "Dana Scully", "2027-06-01")
	if err != nil {
		t.Fatal(err)
	}
	if err := Add(path, e); err != nil {
		t.Fatal(err)
	}
	line := fpB + "  docs/**  until=2027-06-01 by=Dana\\ Scully  # AC-1111: from the manual"
	read := func() string {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if read() != line+"\n" {
		t.Errorf("new file: %q", read())
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o644 {
		t.Errorf("mode of the new file: %v %v", info.Mode(), err)
	}

	// Comments, line ends and mode stay; the same entry is replaced.
	text := "# ours\r\n\r\n# old\r\n" + line + "x\r\n" + fpA + "\r\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := Add(path, e, Entry{Glob: "gen/**", Reason: "generated"}); err != nil {
		t.Fatal(err)
	}
	if want := "# ours\r\n\r\n" + fpA + "\r\n# old\r\n" + line + "\r\ngen/**  # generated\r\n"; read() != want {
		t.Errorf("file:\n%q\nwant:\n%q", read(), want)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("mode: %v %v", info.Mode(), err)
	}
	before := read()

	// What cannot be written changes nothing.
	secret := k.Secret.Reveal()
	if _, err := NewEntry(&k, "", "it is "+secret, "", ""); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a reason with the key in it: %v", err)
	}
	later := k
	later.Secret, later.Others = scanner.NewSecret([]byte("another"+secret)), []scanner.Secret{k.Secret}
	if _, err := NewEntry(&later, "", "it was "+secret, "", ""); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a reason with an earlier value in it: %v", err)
	}
	k.Facts.Checksum = "ok"
	if _, err := NewEntry(&k, "", " ", "", ""); err == nil {
		t.Error("a proven key without a reason")
	}
	for _, bad := range []Entry{
		{Key: fpA, Reason: "a\nb"}, {Key: fpA, Until: "soon"}, {Key: "x", Glob: "y"}, {Glob: "**"}, {Glob: "a b"}, {Key: fpA, By: "\x1b"}, {}, {Glob: fpA},
		{Key: fpA, Reason: "AC-2222: x"}, {Key: fpA, ID: "nothing"}, {Glob: "#x"}, {Key: fpA, Reason: " x"}, {Key: "# x"}, {Glob: "!x"},
	} {
		if err := Add(path, bad); err == nil {
			t.Errorf("%+v was written", bad)
		}
	}
	if read() != before {
		t.Error("a failed Add changed the file")
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left over in the folder: %v %v", entries, err)
	}

	// Nor does a file that is broken, or none at all.
	if err := os.WriteFile(path, []byte("<<<<<<< x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Add(path, e); err == nil || !strings.Contains(err.Error(), "conflict marker") {
		t.Errorf("Add to a broken file: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("elsewhere", path); err == nil {
		if err := Add(path, e); err == nil || !strings.Contains(err.Error(), "symbolic link") {
			t.Errorf("Add through a link: %v", err)
		}
	}
}

func TestEditRemoves(t *testing.T) {
	path := filepath.Join(t.TempDir(), IgnoreName)
	if err := os.WriteFile(path, []byte(fpA+"  # a\n"+fpB+"  # b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Edit(path, func(g *Ignore) error {
		g.Entries = slices.DeleteFunc(g.Entries, func(e Entry) bool { return e.Key == fpA })
		return nil
	})
	if data, _ := os.ReadFile(path); err != nil || string(data) != fpB+"  # b\n" {
		t.Errorf("%v: %q", err, data)
	}
}

func TestDiff(t *testing.T) {
	base := load(t, fstest.MapFS{
		".till.toml":   file("fail-on = 'suspect'\nignore = ['a', 'b']" + localRuleText),
		".tillignore":  file(fpA + " # AC-AAAA: a\n" + fpB + " until=2027-01-01 # b\ndocs/**\n"),
		"s/.till.toml": file("max-file-size = '20MB'"),
	}, Options{Dirs: []string{"s"}})
	current := load(t, fstest.MapFS{
		".till.toml":   file("ignore = [\n'b',\n'c', '!d']\nexclude-rules = ['acme-guess']" + strings.Replace(localRuleText, "{32}", "{33}", 1)),
		".tillignore":  file(fpA + " # AC-AAAA: a\n" + fpB + " until=2028-01-01 # b\n" + fpC + " x/** # AC-CCCC: c"),
		"s/.till.toml": file("max-file-size = '10MB'\ndecode-depth = 6"),
	}, Options{Dirs: []string{"s"}})
	var got []string
	for _, c := range Diff(base, current) {
		mark := "tightens"
		if c.Loosens {
			mark = "loosens"
		}
		got = append(got, c.From.String()+": "+c.What+", "+mark)
	}
	want := []string{
		".till.toml:3: ignore = [\"c\"] was added, loosens",
		".till.toml:3: ignore = [\"!d\"] was added, tightens",
		".till.toml:4: exclude-rules = [\"acme-guess\"] was added, loosens",
		".till.toml:5: rule corp-token was changed, loosens",
		".till.toml:2: ignore = [\"a\"] was removed, tightens",
		".till.toml:1: fail-on is key instead of suspect, loosens",
		"s/.till.toml:1: max-file-size is 10MB instead of 20MB, loosens",
		"s/.till.toml:2: decode-depth is 6 instead of 5, tightens",
		".tillignore:2: entry " + fpB + " was changed, loosens",
		".tillignore:3: entry AC-CCCC x/** was added, loosens",
		".tillignore:3: entry docs/** was removed, tightens",
	}
	if !slices.Equal(got, want) {
		t.Errorf("changes:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, tt := range []struct {
		old, new string
		loosens  bool
	}{{"0", "1GB", true}, {"1GB", "0", false}, {"1GB", "2GB", false}, {"2GB", "1GB", true}} {
		size := func(s string) *Tree {
			return load(t, fstest.MapFS{".till.toml": file("max-file-size = '" + s + "'")}, Options{})
		}
		if c := Diff(size(tt.old), size(tt.new)); len(c) != 1 || c[0].Loosens != tt.loosens {
			t.Errorf("max-file-size from %s to %s: %+v", tt.old, tt.new, c)
		}
	}
	if same := Diff(base, base); len(same) != 0 {
		t.Errorf("differs from itself: %v", same)
	}
}

func FuzzParseIgnore(f *testing.F) {
	f.Add("# h\n\n" + fpA + "  docs/**  until=2027-06-01 by=dana  # GE-91PA: x\nST-7Q4K\n")
	f.Add("# a\n" + fpB + "\r\n# b\n\n*.py # x\n" + fpB)
	f.Add("a\\ b by=x\\\\y # ST-7Q4K: ST-7Q4K: z\n")
	f.Fuzz(func(t *testing.T, text string) {
		g, err := ParseIgnore("f", []byte(text))
		if err != nil {
			return
		}
		once := g.Format()
		again, err := ParseIgnore("f", once)
		if err != nil {
			t.Fatalf("%q became %q: %v", text, once, err)
		}
		if twice := again.Format(); string(twice) != string(once) {
			t.Fatalf("%q became %q, then %q", text, once, twice)
		}
		for i := range g.Entries {
			e := g.Entries[i]
			if err := e.check(); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if !slices.ContainsFunc(again.Entries, func(o Entry) bool { return o.String() == e.String() }) {
				t.Fatalf("%q lost %q", text, e.String())
			}
		}
		again.Audit([]scanner.Key{key("ST-7Q4K", fpA, "acme-key", "docs/a")}, day("2026-11-24"), true)
	})
}

package config

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/till-sh/till/rules"
)

// testCatalogue has one rule of each class.
var testCatalogue = &rules.Catalogue{Version: "test", Providers: []rules.Provider{{ID: "acme", Name: "Acme", Rules: []rules.Rule{
	{ID: "acme-key", Provider: "acme", Class: rules.ClassKey, Family: "acme-key"},
	{ID: "acme-guess", Provider: "acme", Class: rules.ClassSuspect, Family: "acme-guess"},
}}}}

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: 0o644} }

func load(t *testing.T, files fstest.MapFS, o Options) *Tree {
	t.Helper()
	tree, err := tryLoad(files, o)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func tryLoad(files fstest.MapFS, o Options) (*Tree, error) {
	if o.Catalogue == nil {
		o.Catalogue = testCatalogue
	}
	return Load(files, o)
}

func lines(s *Settings) string {
	var out []string
	for _, l := range s.Lines() {
		out = append(out, l.Key+" = "+l.Value+" # "+l.From.String())
	}
	return strings.Join(out, "\n")
}

const localRuleText = `
[[rule]]
id = "corp-token"
description = "Corp token"
severity = "high"
keywords = ["corp_"]
regex = '\bcorp_[0-9a-f]{32}\b'
`

func TestLoadNothing(t *testing.T) {
	for name, fsys := range map[string]fs.FS{"empty": fstest.MapFS{}, "none": nil} {
		tree, err := Load(fsys, Options{Dirs: []string{"a/b", "c"}, Catalogue: testCatalogue})
		if err != nil {
			t.Fatal(name, err)
		}
		const want = "fail-on = \"key\" # built in\nmax-file-size = \"0\" # built in\ndecode-depth = 5 # built in"
		if got := lines(tree.For("a/b/c.go")); got != want {
			t.Errorf("%s: %s", name, got)
		}
		if tree.Catalogue() != testCatalogue || len(tree.Files())+len(tree.Warnings())+len(tree.Ignore().Entries) != 0 {
			t.Errorf("%s: %+v", name, tree)
		}
	}
	if Defaults().Catalogue() != rules.Builtin() {
		t.Error("Defaults has another catalogue than the built-in one")
	}
}

func TestPrecedence(t *testing.T) {
	files := fstest.MapFS{
		".till.toml": file(`
# the root
fail-on = "suspect"
ignore = [
  "testdata/**", # a comment
  '*.snap',
]
max-file-size = "50MB"
`),
		"services/a/.till.toml":      file("fail-on = \"never\"\nignore = [\"gen/**\", \"!keep.snap\"]\nexclude-rules = [\"acme-guess\"]\n"),
		"services/a/deep/.till.toml": file("decode-depth = 2\n"),
		"services/b/.till.toml":      file("max-file-size = \"1GiB\"\n"),
	}
	user := &Source{FS: fstest.MapFS{"config.toml": file("decode-depth = 3\nfail-on = \"never\"\nignore = [\"*.bak\"]\n")}, Name: "config.toml", Label: "~/.config/till/config.toml"}
	dirs := []string{"services/a/deep/er", "services/b"}
	tree := load(t, files, Options{Dirs: dirs, User: user})
	for path, want := range map[string]string{
		"": `fail-on = "suspect" # .till.toml:3
ignore = ["*.bak"] # ~/.config/till/config.toml:3
ignore = ["testdata/**"] # .till.toml:5
ignore = ["*.snap"] # .till.toml:6
max-file-size = "50MB" # .till.toml:8
decode-depth = 3 # ~/.config/till/config.toml:1`,
		"services/a/x.go": `fail-on = "never" # services/a/.till.toml:1
ignore = ["*.bak"] # ~/.config/till/config.toml:3
ignore = ["testdata/**"] # .till.toml:5
ignore = ["*.snap"] # .till.toml:6
ignore = ["gen/**"] # services/a/.till.toml:2
ignore = ["!keep.snap"] # services/a/.till.toml:2
exclude-rules = ["acme-guess"] # services/a/.till.toml:3
max-file-size = "50MB" # .till.toml:8
decode-depth = 3 # ~/.config/till/config.toml:1`,
		"services/a/deep/er/x.go": `fail-on = "never" # services/a/.till.toml:1
ignore = ["*.bak"] # ~/.config/till/config.toml:3
ignore = ["testdata/**"] # .till.toml:5
ignore = ["*.snap"] # .till.toml:6
ignore = ["gen/**"] # services/a/.till.toml:2
ignore = ["!keep.snap"] # services/a/.till.toml:2
exclude-rules = ["acme-guess"] # services/a/.till.toml:3
max-file-size = "50MB" # .till.toml:8
decode-depth = 2 # services/a/deep/.till.toml:1`,
		"services/b/": `fail-on = "suspect" # .till.toml:3
ignore = ["*.bak"] # ~/.config/till/config.toml:3
ignore = ["testdata/**"] # .till.toml:5
ignore = ["*.snap"] # .till.toml:6
max-file-size = "1GiB" # services/b/.till.toml:1
decode-depth = 3 # ~/.config/till/config.toml:1`,
	} {
		if got := lines(tree.For(path)); got != want {
			t.Errorf("settings of %q:\n%s\nwant:\n%s", path, got, want)
		}
	}
	wantFiles := "~/.config/till/config.toml .till.toml services/a/.till.toml services/a/deep/.till.toml services/b/.till.toml"
	if got := strings.Join(tree.Files(), " "); got != wantFiles {
		t.Errorf("files: %s", got)
	}
	for path, want := range map[string]string{
		"testdata/x":                    ".till.toml:5",
		"x/testdata/y":                  "",
		"a.snap":                        ".till.toml:6",
		"services/a/gen/x":              "services/a/.till.toml:2",
		"gen/x":                         "",
		"services/a/deep/a.snap":        ".till.toml:6",
		"services/a/deep/keep.snap":     "",
		"keep.snap":                     ".till.toml:6",
		"services/b/x.bak":              "~/.config/till/config.toml:3",
		"services/b/main.go":            "",
		"/services/a/gen/leading-slash": "services/a/.till.toml:2",
	} {
		from, ok := tree.For(path).Ignored(path)
		if got := map[bool]string{true: from.String()}[ok]; got != want {
			t.Errorf("%s is ignored by %q, want %q", path, got, want)
		}
	}

	// Flags and an explicit file go above all.
	explicit := &Source{FS: fstest.MapFS{"x.toml": file("fail-on = \"key\"\ndecode-depth = 0\n")}, Name: "x.toml", Label: "ci/x.toml"}
	tree = load(t, files, Options{Dirs: dirs, User: user, Explicit: explicit, Overrides: []Override{
		{"decode-depth", "1", "TILL_DECODE_DEPTH"}, {"decode-depth", "4", "--decode-depth"}, {"ignore", "vendor/", "--exclude"},
		{"exclude-rules", "acme-g*", "--exclude-rule"}, {"max-file-size", "10KB", "--max-file-size"},
	}})
	const want = `fail-on = "key" # ci/x.toml:1
ignore = ["*.bak"] # ~/.config/till/config.toml:3
ignore = ["testdata/**"] # .till.toml:5
ignore = ["*.snap"] # .till.toml:6
ignore = ["gen/**"] # services/a/.till.toml:2
ignore = ["!keep.snap"] # services/a/.till.toml:2
ignore = ["vendor/"] # --exclude
exclude-rules = ["acme-guess"] # services/a/.till.toml:3
exclude-rules = ["acme-g*"] # --exclude-rule
max-file-size = "10KB" # --max-file-size
decode-depth = 4 # --decode-depth`
	if got := lines(tree.For("services/a/x")); got != want {
		t.Errorf("with flags:\n%s", got)
	}
}

// Every fault has its place and says what was expected.
func TestFaults(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"unknown key", "fail-on = \"key\"\nfale-on = \"key\"", `.till.toml:2:1: unknown key "fale-on": did you mean "fail-on"?`},
		{"unknown table", "ignore = [\"x\"]\n\n[allow]\npaths = ['x']", ".till.toml:3:1: unknown key \"allow\": paths go into `ignore`"},
		{"unknown far", "zzzzzzzzzz = 1", ".till.toml:1:1: unknown key \"zzzzzzzzzz\": expected one of min-version,"},
		{"other scanner", "title = \"x\"\n[extend]\nuseDefault = true", ".till.toml:2:1: unknown key \"extend\": a configuration always adds"},
		{"tables of rules", "[[rules]]\nid = 'x'", ".till.toml:1:1: rules: expected an array of folders and files; a rule of its own is written [[rule]]"},
		{"table rules", "[rules]\ndisable = ['*']", ".till.toml:1:1: rules: expected an array of folders and files, such as [\"tools/till-rules\"], found a table"},
		{"extend", "extend = '/tmp/x.toml'", `.till.toml:1:1: unknown key "extend"`},
		{"wrong type", "\n  fail-on = 3", `.till.toml:2:3: fail-on: expected "key", "suspect" or "never", found 3`},
		{"wrong word", "fail-on = 'all'", `.till.toml:1:1: fail-on: expected "key", "suspect" or "never", found "all"`},
		{"glob of all", "ignore = [\n 'a',\n '**',\n]", `.till.toml:3:2: ignore: "**" matches almost everything`},
		{"all globs", "ignore = ['*a*', '*e*', '*i*', '*o*', '*u*', '*v*', '*A*', '*E*']", ".till.toml:1:1: ignore: the globs together match almost everything"},
		{"glob outside", "ignore = ['../x']", `.till.toml:1:11: ignore: "../x" leaves its folder`},
		{"glob type", "ignore = ['a', 3]", ".till.toml:1:16: ignore: expected an array of globs"},
		{"ignore string", "ignore = 'a'", ".till.toml:1:1: ignore: expected an array of globs, such as [\"testdata/**\", \"*.snap\"], found \"a\""},
		{"exclude all", "exclude-rules = ['*']", `.till.toml:1:18: exclude-rules: "*" matches every rule`},
		{"exclude every key", "exclude-rules = ['acme-*']", `.till.toml:1: exclude-rules: no rule of class "key" is left for the repository`},
		{"exclude bad", "exclude-rules = ['Acme']", `.till.toml:1:18: exclude-rules: "Acme": expected the id of a rule`},
		{"small limit", "max-file-size = '1KB'", ".till.toml:1:1: max-file-size: expected 1MB or more"},
		{"size", "max-file-size = 'big'", `.till.toml:1:1: max-file-size: expected a size such as "50MB"`},
		{"size number", "max-file-size = 3", `.till.toml:1:1: max-file-size: expected a size such as "50MB"`},
		{"depth", "decode-depth = 11", ".till.toml:1:1: decode-depth: expected a whole number from 0 to 10, found 11"},
		{"depth type", "decode-depth = 'x'", `.till.toml:1:1: decode-depth: expected a whole number from 0 to 10, found "x"`},
		{"version", "min-version = 'new'", `.till.toml:1:1: min-version: expected a version such as "1.2", found "new"`},
		{"rules address", "rules = ['https://x.test/r.toml']", ".till.toml:1:10: rules: \"https://x.test/r.toml\" is an address"},
		{"rules outside", "rules = ['../r']", `.till.toml:1:10: rules: "../r" leaves the repository`},
		{"rules absolute", "rules = ['/etc']", `.till.toml:1:10: rules: "/etc" expected a path relative`},
		{"rules drive", `rules = ['c:/x']`, `.till.toml:1:10: rules: "c:/x" expected a path relative`},
		{"rules missing", "rules = ['none']", `.till.toml:1: rules: "none": file does not exist`},
		{"rule without regex", "[[rule]]\nid = 'corp-x'\ndescription = 'x'\nseverity = 'high'\nkeywords = ['corp']", ".till.toml:1:1: rule corp-x: neither regex nor value"},
		{"rule with a request", localRuleText + "[rule.verify]\nurl = 'https://x.test'\nlive = [200]", ".till.toml:8:1: rule corp-token: verify: a rule of the scanned repository may not name a network request"},
		{"rule with a command", localRuleText + "[[rule.workflow.revoke]]\ntitle = 'x'\ncommand = 'curl x.test'", ".till.toml:2:1: rule corp-token: a rule of the scanned repository may not name a command"},
		{"rule replaces", strings.ReplaceAll(localRuleText, "corp-token", "acme-key"), ".till.toml:2:1: rule acme-key: a built-in rule has that id"},
		{"rule twice", localRuleText + localRuleText, "is the id of rule 1"},
		{"no TOML", "]]] not = [valid", ".till.toml:1:1: invalid TOML:"},
		{"conflict", "fail-on = 'key'\n<<<<<<< HEAD\nignore = ['a']\n=======\n>>>>>>> x", `.till.toml:2:1: conflict marker "<<<<<<<"`},
		{"twice", "fail-on = 'key'\nfail-on = 'key'", ".till.toml:2:17: invalid TOML:"},
		{"UTF-16", "f\x00a\x00", ".till.toml:1:1: invalid TOML:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tree, err := tryLoad(fstest.MapFS{".till.toml": file(tt.text)}, Options{})
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error:\n%v\nwant in it:\n%s", err, tt.want)
			}
			// The scan can go on, as if the file were not there.
			if tree == nil || tree.For("x").FailOn != FailKey || tree.Catalogue() != testCatalogue {
				t.Errorf("tree after an error: %+v", tree)
			}
		})
	}
	_, err := tryLoad(fstest.MapFS{".till.toml": file("b = 1\na = 2\nfail-on = 'x'\n"), "s/.till.toml": file("c = 1"), ".tillignore": file("**\n")}, Options{Dirs: []string{"s"}})
	var places []string
	for _, f := range rules.Faults(err) {
		places = append(places, f.File+" "+strings.Repeat("|", f.Line))
	}
	if got, want := strings.Join(places, ", "), ".till.toml |, .till.toml ||, .till.toml |||, s/.till.toml |, .tillignore |"; got != want {
		t.Errorf("all faults at once: %s, want %s", got, want)
	}
}

// What is quoted of a broken file must not show the key that stands there.
func TestFaultsShowNoKey(t *testing.T) {
	key := "gh" + "p_" + strings.Repeat("a1B2c3", 6)
	for _, text := range []string{
		key, key + " = 1", "fail-on = " + key, "fail-on = \"" + key + "\"", "ignore = \"" + key + "\"", "ignore = [\"[" + key + "\"]",
		"exclude-rules = [\"" + key + "\"]", "rules = [\"/" + key + "\"]", "min-version = \"" + key + "\"", "[" + key + "]\n[" + key + "]", "rules = [\"" + key + "\"]",
		"max-file-size = \"" + key + "\"", "x = \"" + key, "x = " + key,
	} {
		for _, name := range []string{FileName, IgnoreName} {
			_, err := tryLoad(fstest.MapFS{name: file(text)}, Options{})
			if err != nil && strings.Contains(err.Error(), key) {
				t.Errorf("%s: an error shows the whole key", name)
			}
		}
	}
}

func TestMinVersion(t *testing.T) {
	for _, tt := range []struct {
		have, want string
		ok         bool
	}{
		{"1.2.0", "1.2", true}, {"1.2.0", "1.2.1", false}, {"2.0", "1.9.9", true}, {"0.9", "1", false}, {"v1.10.0", "1.9", true},
		{"1.2.0-rc1", "1.2", true}, {"(devel)", "99", true}, {"", "99", true},
	} {
		_, err := tryLoad(fstest.MapFS{".till.toml": file("new-key = true\nmin-version = \"" + tt.want + "\"\n")}, Options{Version: tt.have})
		// An old program must say that it is old, not that it knows no key.
		if old := err != nil && strings.Contains(err.Error(), ".till.toml:2: needs till "+tt.want) && !strings.Contains(err.Error(), "unknown key"); old == tt.ok {
			t.Errorf("till %s, min-version %s: %v", tt.have, tt.want, err)
		}
	}
}

func TestOddFiles(t *testing.T) {
	big := file("# " + strings.Repeat("x", maxFile) + "\n")
	for name, f := range map[string]*fstest.MapFile{
		"is a symbolic link":        {Data: []byte("/dev/zero"), Mode: fs.ModeSymlink | 0o777},
		"is not a regular file":     {Mode: fs.ModeNamedPipe | 0o644},
		"larger than 1048576 bytes": big,
		"is a folder":               {Mode: fs.ModeDir | 0o755},
	} {
		for _, path := range []string{".till.toml", "a/.till.toml", ".tillignore"} {
			_, err := tryLoad(fstest.MapFS{path: f}, Options{Dirs: []string{"a"}})
			if err == nil || !strings.Contains(err.Error(), "read "+path) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s that %s: %v", path, name, err)
			}
		}
	}
	// A rule file behind a link.
	_, err := tryLoad(fstest.MapFS{
		".till.toml":  file("rules = ['link/x.toml']"),
		"link":        {Data: []byte("real"), Mode: fs.ModeSymlink | 0o777},
		"real/x.toml": file(""),
	}, Options{})
	if err == nil || !strings.Contains(err.Error(), "link is a symbolic link") {
		t.Errorf("rules behind a link: %v", err)
	}
	// A folder in the list that is a file here, or not valid as a name.
	tree, err := tryLoad(fstest.MapFS{"a": file("x")}, Options{Dirs: []string{"a/b", "x\xff", "../..", "/abs", "."}})
	if err != nil || len(tree.Warnings()) != 1 {
		t.Errorf("odd folders: %v %v", err, tree.Warnings())
	}
}

// failFS fails on everything with an error that is not "not there".
type failFS struct{ err error }

func (f failFS) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: f.err}
}

func TestUnreadableIsAnError(t *testing.T) {
	_, err := Load(failFS{fs.ErrPermission}, Options{Catalogue: testCatalogue})
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "read .till.toml: ") || !strings.Contains(err.Error(), "read .tillignore: ") {
		t.Errorf("unreadable files: %v", err)
	}
	_, err = Load(nil, Options{Catalogue: testCatalogue, Explicit: &Source{FS: fstest.MapFS{}, Name: "x.toml", Label: "x.toml"}})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("explicit file that is not there: %v", err)
	}
	if _, err = Load(nil, Options{Catalogue: testCatalogue, User: &Source{FS: fstest.MapFS{}, Name: "x.toml", Label: "x.toml"}}); err != nil {
		t.Errorf("user file that is not there: %v", err)
	}
	if _, err = Load(nil, Options{Catalogue: testCatalogue, Overrides: []Override{{"fail-on", "all", "--fail-on"}}}); err == nil || err.Error() != `--fail-on: fail-on: expected "key", "suspect" or "never", found "all"` {
		t.Errorf("bad flag: %v", err)
	}
	if _, err = Load(nil, Options{Catalogue: testCatalogue, Overrides: []Override{{"ignore", "**", "--exclude"}}}); err == nil {
		t.Error("a flag may switch everything off")
	}
}

const providerText = `
id = "corp"
name = "Corp Inc."
reviewed = 2026-11-24
docs = ["https://corp.example/keys"]
` + localRuleText

func TestRules(t *testing.T) {
	files := fstest.MapFS{
		".till.toml":            file("rules = ['tools/rules']" + strings.ReplaceAll(localRuleText, "corp-token", "inhouse-token")),
		"tools/rules/corp.toml": file(providerText),
		"tools/rules/README.md": file("not a rule"),
		"a/.till.toml":          file("rules = ['../shared/more.toml']" + strings.ReplaceAll(localRuleText, "corp-token", "team-token")),
		"shared/more.toml":      file(strings.NewReplacer("corp-token", "more-token", `"corp"`, `"more"`).Replace(providerText)),
		"b/.till.toml":          file(strings.ReplaceAll(localRuleText+"paths = ['*.tf', 'x/*.y']\n", "corp-token", "other-token")),
	}
	tree := load(t, files, Options{Dirs: []string{"a", "b"}})
	got := map[string]string{}
	for _, p := range tree.Catalogue().Providers {
		for _, r := range p.Rules {
			got[r.ID] = strings.Join(r.Paths, " ")
		}
	}
	want := map[string]string{
		"acme-key": "", "acme-guess": "", "corp-token": "", "inhouse-token": "",
		"team-token": "a/**", "more-token": "a/**", "other-token": "b/**/*.tf b/x/*.y",
	}
	if len(got) != len(want) {
		t.Errorf("rules: %v", got)
	}
	for id, paths := range want {
		if p, ok := got[id]; !ok || p != paths {
			t.Errorf("rule %s has paths %q (%v), want %q", id, p, ok, paths)
		}
	}
	if i := slices.IndexFunc(tree.Catalogue().Providers, func(p rules.Provider) bool { return p.ID == "corp" }); i < 0 || tree.Catalogue().Providers[i].Name != "Corp Inc." {
		t.Errorf("providers: %+v", tree.Catalogue().Providers)
	}
	if from, ok := tree.RuleOrigin("corp-token"); !ok || from.String() != "tools/rules/corp.toml:8" {
		t.Errorf("origin of corp-token: %v %v", from, ok)
	}
	if from, ok := tree.RuleOrigin("team-token"); !ok || from.String() != "a/.till.toml:2" {
		t.Errorf("origin of team-token: %v %v", from, ok)
	}
	if _, ok := tree.RuleOrigin("acme-key"); ok {
		t.Error("a built-in rule has an origin")
	}
	if len(testCatalogue.Providers) != 1 || len(testCatalogue.Providers[0].Rules) != 2 {
		t.Error("the catalogue that was given has changed")
	}

	verify := "[verify]\nurl = 'https://x.test'\nlive = [200]\n" + localRuleText
	withVerify := strings.Replace(providerText, localRuleText, verify, 1)
	command := providerText + "[[rule.workflow.revoke]]\ntitle = 'x'\ncommand = 'corp revoke'\n"
	for text, want := range map[string]string{withVerify: "corp.toml:6:1: verify: a rule of the scanned", command: "corp.toml:8:1: rule corp-token: a rule of the scanned repository may not name a command"} {
		_, err := tryLoad(fstest.MapFS{".till.toml": file("rules = ['corp.toml']"), "corp.toml": file(text)}, Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("repository's rule: %v, want %s", err, want)
		}
		// The user's own file may.
		if _, err = Load(fstest.MapFS{}, Options{Catalogue: testCatalogue, User: &Source{FS: fstest.MapFS{"till/config.toml": file("rules = ['corp.toml']"), "till/corp.toml": file(text)}, Name: "till/config.toml", Label: "config"}}); err != nil {
			t.Errorf("user's rule: %v", err)
		}
	}
	ownCommand := localRuleText + "[[rule.workflow.revoke]]\ntitle = 'x'\ncommand = 'corp revoke'\n"
	if _, err := Load(nil, Options{Catalogue: testCatalogue, User: &Source{FS: fstest.MapFS{"c.toml": file(ownCommand)}, Name: "c.toml", Label: "config"}}); err != nil {
		t.Errorf("a command in the user's own file: %v", err)
	}
	_, err := tryLoad(fstest.MapFS{".till.toml": file(localRuleText), "a/.till.toml": file(localRuleText)}, Options{Dirs: []string{"a"}})
	if err == nil || !strings.Contains(err.Error(), "a/.till.toml:2:1: rule corp-token: the id is taken by .till.toml:2") {
		t.Errorf("one id in two files: %v", err)
	}
	_, err = tryLoad(fstest.MapFS{".till.toml": file(localRuleText + "[rule.needs]\nrule = 'corp-id'\n")}, Options{})
	if err == nil || !strings.Contains(err.Error(), "corp-id") {
		t.Errorf("needs a rule that is not there: %v", err)
	}
}

func TestWarnings(t *testing.T) {
	tree := load(t, fstest.MapFS{".till.toml": file("exclude-rules = [\n'acme-gues',\n'zzzzzzzzzzzzzzz', 'acme-guess']")}, Options{})
	want := []string{
		`.till.toml:2: exclude-rules: no rule matches "acme-gues": did you mean "acme-guess"?`,
		`.till.toml:3: exclude-rules: no rule matches "zzzzzzzzzzzzzzz"`,
	}
	if !slices.Equal(tree.Warnings(), want) {
		t.Errorf("warnings: %q", tree.Warnings())
	}
}

func TestFind(t *testing.T) {
	dirs, err := Find(fstest.MapFS{".till.toml": file(""), "a/b/.till.toml": file(""), "a/x": file(""), ".git/.till.toml": file("")})
	if err != nil || strings.Join(dirs, " ") != ". a/b" {
		t.Errorf("Find: %v %v", dirs, err)
	}
	if _, err := Find(failFS{fs.ErrPermission}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Find of an unreadable root: %v", err)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "50MB": 50e6, "50 mb": 50e6, "1.5GiB": 3 << 29, "512KiB": 512 << 10, "7": 7, "7B": 7, "2k": 2000, "3G": 3e9} {
		n, ok := parseSize(text)
		if !ok || n != want {
			t.Errorf("parseSize(%q) = %d, %v", text, n, ok)
		}
		if back, ok := parseSize(formatSize(n)); !ok || back != n {
			t.Errorf("formatSize(%d) = %q, read as %d", n, formatSize(n), back)
		}
	}
	for _, text := range []string{"", "MB", "-1MB", "1e9", "1TB", "99999999999GB", "1.2.3MB", "NaN", "Inf"} {
		if n, ok := parseSize(text); ok {
			t.Errorf("parseSize(%q) = %d", text, n)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("fail-on = 'key'\nignore = ['a/**', \"!b\"]\nmax-file-size = '2MB'\n", "a/b.go")
	f.Add("exclude-rules = ['acme-g*']\n"+localRuleText, "x")
	f.Add("a = [[1,{b='c'}],'''\n''']\n[x.'y']\n[[z]]", "x")
	f.Fuzz(func(t *testing.T, text, name string) {
		tree, err := tryLoad(fstest.MapFS{".till.toml": file(text)}, Options{})
		if err != nil {
			for _, fault := range rules.Faults(err) {
				if fault.Line < 1 || fault.Column < 1 || fault.Line > strings.Count(text, "\n")+1 {
					t.Errorf("fault at %d:%d of %q", fault.Line, fault.Column, text)
				}
			}
			return
		}
		s := tree.For(name)
		s.Ignored(name)
		for _, l := range s.Lines() {
			if l.From != builtIn && (l.From.Line < 1 || l.From.Line > strings.Count(text, "\n")+1) {
				t.Errorf("%v of %q", l, text)
			}
		}
		if tree.anyActive(s) == false {
			t.Errorf("no rule is left by %q", text)
		}
		covered := true
		for _, p := range probes {
			if _, ok := s.Ignored(p); !ok {
				covered = false
			}
		}
		if covered {
			t.Errorf("nothing is left by %q", text)
		}
	})
}

// A hook in a repository without configuration pays for the look-ups only.
func BenchmarkLoadNothing(b *testing.B) {
	for b.Loop() {
		if _, err := Load(emptyFS{}, Options{Dirs: []string{"a/b/c", "d"}, Catalogue: testCatalogue}); err != nil {
			b.Fatal(err)
		}
	}
}

type emptyFS struct{}

func (emptyFS) Open(name string) (fs.File, error) { return nil, fs.ErrNotExist }

func BenchmarkLoad(b *testing.B) {
	files := fstest.MapFS{".till.toml": file("min-version = \"1.0\"\nfail-on = \"key\"\nignore = [\"testdata/**\", \"*.snap\"]\n")}
	for b.Loop() {
		if _, err := Load(files, Options{Catalogue: testCatalogue}); err != nil {
			b.Fatal(err)
		}
	}
}

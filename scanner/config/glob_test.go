package config

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPattern(t *testing.T) {
	tests := []struct {
		glob  string
		match string // space separated
		miss  string
	}{
		{"*.snap", "a.snap x/y/a.snap a.snap/b", "a.snapx snap x/.snaps"},
		{"testdata", "testdata testdata/a x/testdata x/testdata/y/z", "testdatax xtestdata a/testdata2/b"},
		{"testdata/", "testdata/a x/testdata/y", "testdata x/testdata"},
		{"testdata/**", "testdata/a testdata/b/c", "testdata x/testdata/a"},
		{"**/testdata/**", "testdata/a x/testdata/a x/y/testdata/z/a", "testdata x/testdata"},
		{"/build", "build build/x", "x/build x/build/y"},
		{"./build", "build build/x", "x/build"},
		{"docs/*.md", "docs/a.md docs/a.md/x", "docs/x/a.md x/docs/a.md docs/a.txt"},
		{"docs/**/*.md", "docs/a.md docs/x/a.md docs/x/y/a.md", "a.md docs/a.txt xdocs/a.md"},
		{"a/**/b/**/c", "a/b/c a/x/b/c a/x/y/b/z/b/c a/b/b/c/d", "a/c a/b a/x/c/b x/a/b/c"},
		{"**/b", "b a/b a/b/c", "ab a/xb"},
		{"foo*bar", "foobar x/foo-bar", "foo/bar"},
		{"file?.txt", "file1.txt x/fileä.txt", "file.txt file12.txt file/.txt"},
		{"[a-c]x", "ax bx d/cx", "dx abx"},
		{"[!a-c]x", "dx y/ex", "ax"},
		{`a\*b`, "a*b x/a*b", "axb"},
		{"Upper", "Upper", "upper UPPER"},
		{"a//b", "a/b", "ab"},
		{"x**y", "xy xzzy", "x/y"},
	}
	for _, tt := range tests {
		p, err := CompilePattern(tt.glob, "")
		if err != nil {
			t.Errorf("%s: %v", tt.glob, err)
			continue
		}
		for _, name := range strings.Fields(tt.match) {
			if !p.Match(name) {
				t.Errorf("%s does not match %s", tt.glob, name)
			}
			based, err := CompilePattern(tt.glob, "services/a")
			if err != nil || !based.Match("services/a/"+name) || based.Match("services/ab/"+name) || based.Match("x/services/a/"+name) {
				t.Errorf("%s in services/a: wrong for %s (%v)", tt.glob, name, err)
			}
		}
		for _, name := range strings.Fields(tt.miss) {
			if p.Match(name) {
				t.Errorf("%s matches %s", tt.glob, name)
			}
		}
		if p.Match("") {
			t.Errorf("%s matches the empty path of a commit message", tt.glob)
		}
	}
}

func TestPatternErrors(t *testing.T) {
	for _, glob := range []string{
		"", "!", "*", "**", "/", "/**", "**/*", "*/**", "./**", ".", "./", "*.*", "?*", "[!x]*", "[a-z]*", "**/**", "/*", ".*", "***", "[[:alpha:]]*",
		"../x", "a/../b", "[a", `a\`, "a\nb", "a\xffb", strings.Repeat("a", maxPattern+1),
	} {
		if p, err := CompilePattern(glob, ""); err == nil {
			t.Errorf("%q is accepted: %+v", glob, p)
		}
	}
}

func TestCoverAll(t *testing.T) {
	for globs, want := range map[string]bool{
		"*.snap testdata/**":                              false,
		"*a* *e* *i* *o* *u* *v* *A* *E* *I* *O* *U* *x*": true,
		"[a-m]*x [!a-m]*x":                                false,
		"a b c":                                           false,
	} {
		var ps []*Pattern
		for _, g := range strings.Fields(globs) {
			p, err := CompilePattern(g, "")
			if err != nil {
				t.Fatal(err)
			}
			ps = append(ps, p)
		}
		if got := coverAll(ps); got != want {
			t.Errorf("coverAll(%s) = %v", globs, got)
		}
	}
}

// What gitignore's rules say about the same words, said by git itself.
func TestPatternAgreesWithGit(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed")
	}
	dir := t.TempDir()
	env := append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "HOME="+dir, "GIT_DIR="+filepath.Join(dir, ".git"), "GIT_WORK_TREE="+dir)
	run := func(input string, args ...string) string {
		cmd := exec.Command(git, args...)
		cmd.Dir, cmd.Env, cmd.Stdin = dir, env, strings.NewReader(input)
		out, err := cmd.Output()
		if ee, ok := err.(*exec.ExitError); ok && ee.ExitCode() != 1 || err != nil && !ok {
			t.Fatalf("git %v: %v", args, err)
		}
		return string(out)
	}
	run("", "init", "-q")
	names := []string{"a.snap", "x/a.snap", "x/y/a.snap", "docs/a.md", "docs/x/a.md", "x/docs/a.md", "testdata/a", "x/testdata/a", "build/x", "x/build/y", "foobar", "foo/bar", "a/b/c", "a/x/b/c", "a/x/y/b", "ax/b", "file1.txt", "x/file2.txt", "x/y/z/w"}
	for _, glob := range []string{"*.snap", "testdata", "testdata/", "testdata/**", "**/testdata/**", "/build", "docs/*.md", "docs/**/*.md", "a/**/b", "**/b", "foo*bar", "file?.txt", "x/*", "x/**/a*", "x/y", "[!x]/b", "a/**/b/**"} {
		if err := os.WriteFile(filepath.Join(dir, ".gitignore"), []byte(glob+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		out := run(strings.Join(names, "\n"), "check-ignore", "--no-index", "--stdin")
		p, err := CompilePattern(glob, "")
		if err != nil {
			t.Fatalf("%s: %v", glob, err)
		}
		for _, name := range names {
			if want := strings.Contains("\n"+out, "\n"+name+"\n"); p.Match(name) != want {
				t.Errorf("%s and %s: Match = %v, git says %v", glob, name, p.Match(name), want)
			}
		}
	}
}

func TestPatternIsNotExponential(t *testing.T) {
	p, err := CompilePattern(strings.Repeat("**/a*a*a*a*a*/", 50)+"b", "")
	if err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat(strings.Repeat("a", 100)+"/", 200) + "c"
	began := time.Now()
	if p.Match(name) {
		t.Error("matches")
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("a/**/b*", "a/x/bc")
	f.Add(`!**/[a-c]?\*`, "x/a1*")
	f.Fuzz(func(t *testing.T, glob, name string) {
		p, err := CompilePattern(glob, "")
		if err != nil {
			return
		}
		// What matches a folder holds for what is inside.
		if p.Match(name) && !strings.HasSuffix(name, "/") && !p.Match(name+"/x") {
			t.Errorf("%q matches %q and not what is inside", glob, name)
		}
	})
}

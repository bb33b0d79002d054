package source

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestGitignore compares the files that are read with those that git would
// track.
func TestGitignore(t *testing.T) {
	r := newRepo(t)
	t.Chdir(r.dir)
	r.write(".gitignore", strings.Join([]string{
		"# comment", `\#literal`, "*.log", "!keep.log", "/top.txt", "build/", "doc/*.txt", "**/cache", "a/**/z", "deep/**",
		"!deep/in/", "tail ", `space\ `, "[a-c]x", "[!a-c]y", `\!bang`, "q?estion", "[[:digit:]]n", "x[", "/only/", "mid/dle", "",
		"*.t?p", "foo*bar*baz", "**", "!*/", "!*.txt", "!*.c", "!z", "!y", "!*y", "!*x", "!#*", "!q*", "!x*",
	}, "\n"))
	r.write("sub/.gitignore", "inner\n!*.log\n/rooted\r\n")
	r.write(".git/info/exclude", "excluded.c\n")
	files := []string{
		"#literal", "a.log", "keep.log", "top.txt", "in/top.txt", "build/x.c", "in/build/x.c", "in/build.txt", "doc/a.txt",
		"doc/in/a.txt", "in/doc/a.txt", "x/y/cache/f.c", "cache.c", "a/z", "a/b/z", "a/b/c/z", "b/a/z", "deep/in/x.c", "deep/x.c",
		"tail.c", "space .c", "ax", "dx", "ay", "dy", "!bang", "question", "qestion.c", "5n", "x[", "only/x.c", "in/only/x.c",
		"mid/dle/x.c", "in/mid/dle.c", "a.tmp", "foo1bar2baz", "sub/inner", "sub/a.log", "sub/rooted", "sub/in/rooted.c",
		"sub/in/inner", "excluded.c", "in/excluded.c",
	}
	for _, f := range files {
		r.write(f, text(strings.ToLower("f")))
	}
	for _, root := range []string{".", "sub", "in"} {
		cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", root)
		cmd.Dir, cmd.Env = r.dir, r.env
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.FieldsFunc(string(out), func(c rune) bool { return c == 0 })
		want = slices.DeleteFunc(want, func(s string) bool { return filepath.Base(s) == ".gitignore" })
		var got []string
		run := scan(t, NewFiles([]string{root}, FilesOptions{RespectGitignore: true}), 2)
		for i := range run.findings {
			got = append(got, run.places[i][0].Path)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: read %q\ngit takes %q", root, got, want)
		}
		wantComplete(t, run)
	}
	if r := scan(t, NewFiles([]string{"."}, FilesOptions{}), 2); len(r.findings) != len(files) {
		t.Errorf("without the option %d files are read, want %d", len(r.findings), len(files))
	}
}

func TestGitignoreLinear(t *testing.T) {
	// Would take for ever if every star were tried with every length.
	pattern := parseIgnore(strings.Repeat("*a", 100) + "b")[0]
	if matchParts(pattern.parts, []string{strings.Repeat("a", 255)}) {
		t.Error("matched")
	}
	long := slices.Repeat([]string{"d"}, 1000)
	if matchParts(parseIgnore(strings.Repeat("**/d/", 100) + "x")[0].parts, long) {
		t.Error("matched")
	}
}

func TestGitignoreOutsideRepository(t *testing.T) {
	dir := t.TempDir()
	if exists(filepath.Join(filepath.Dir(dir), ".git")) {
		t.Skip("the temporary folder lies in a repository")
	}
	writeFile(t, filepath.Join(dir, ".gitignore"), "x.txt\n")
	writeFile(t, filepath.Join(dir, "x.txt"), text("x"))
	writeFile(t, filepath.Join(dir, "y.txt"), text("y"))
	wantLabels(t, scan(t, NewFiles([]string{dir}, FilesOptions{RespectGitignore: true}), 1), "y")
}

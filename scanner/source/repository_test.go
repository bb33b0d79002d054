package source

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestDiscover compares what is found with what git says.
func TestDiscover(t *testing.T) {
	r := newRepo(t)
	r.commit("start", "a.txt", "a\n", "sub/deep/b.txt", "b\n")
	linked := filepath.Join(filepath.Dir(r.dir), "linked")
	r.git("worktree", "add", "-q", linked)
	bare := filepath.Join(filepath.Dir(r.dir), "bare.git")
	r.git("clone", "-q", "--bare", r.dir, bare)
	separate := filepath.Join(filepath.Dir(r.dir), "separate")
	r.git("clone", "-q", "--separate-git-dir", separate+".git", r.dir, separate)
	elsewhere := filepath.Join(filepath.Dir(r.dir), "elsewhere")
	writeFile(t, filepath.Join(elsewhere, "meta", "x"), "")
	r.git("clone", "-q", "--no-checkout", r.dir, filepath.Join(elsewhere, "meta", "repo"))
	moved := filepath.Join(elsewhere, "meta", "repo")
	must(t, os.Mkdir(filepath.Join(elsewhere, "tree"), 0o755))
	(&repo{t: t, dir: moved, env: r.env}).git("config", "core.worktree", "../../../tree")
	r.git("sparse-checkout", "init") // sets extensions.worktreeConfig
	r.git("sparse-checkout", "disable")

	abs := func(dir, p string) string {
		if !filepath.IsAbs(p) {
			p = filepath.Join(dir, p)
		}
		p, err := filepath.EvalSymlinks(p)
		must(t, err)
		return p
	}
	for _, test := range []struct {
		name, start string
		env         map[string]string
	}{
		{"top", r.dir, nil},
		{"sub-folder", r.path("sub/deep"), nil},
		{"linked worktree", linked, nil},
		{"bare", bare, nil},
		{"inside of a bare one", filepath.Join(bare, "objects"), nil},
		{"separate git dir", separate, nil},
		{"core.worktree", moved, nil},
		{"GIT_DIR", linked, map[string]string{"GIT_DIR": r.path(".git")}},
		{"GIT_DIR of a file", filepath.Dir(r.dir), map[string]string{"GIT_DIR": "linked/.git", "GIT_WORK_TREE": linked}},
		{"GIT_DIR and GIT_WORK_TREE", filepath.Dir(r.dir), map[string]string{"GIT_DIR": bare, "GIT_WORK_TREE": "separate"}},
		{"GIT_INDEX_FILE", r.path("sub"), map[string]string{"GIT_INDEX_FILE": "other-index"}},
		{"GIT_OBJECT_DIRECTORY", r.path("sub"), map[string]string{"GIT_OBJECT_DIRECTORY": filepath.Join(bare, "objects")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := &repo{t: t, dir: test.start, env: slices.Clone(r.env)}
			for k, v := range test.env {
				g.env = append(g.env, k+"="+v)
			}
			got := discover(t, test.start, test.env)
			for _, check := range []struct{ what, got, want string }{
				{"git dir", got.Dir, g.git("rev-parse", "--absolute-git-dir")},
				{"common dir", got.CommonDir, g.git("rev-parse", "--git-common-dir")},
				{"objects", got.objects, g.git("rev-parse", "--git-path", "objects")},
			} {
				if abs(test.start, check.got) != abs(test.start, check.want) {
					t.Errorf("%s %s, git says %s", check.what, check.got, check.want)
				}
			}
			top, err := g.try("rev-parse", "--show-toplevel")
			if err != nil {
				top = ""
			}
			if top != "" && (got.WorkTree == "" || abs("", got.WorkTree) != abs("", top)) || top == "" && got.WorkTree != "" {
				t.Errorf("work tree %q, git says %q", got.WorkTree, top)
			}
			// git names the index relative to where it stands.
			if f := test.env["GIT_INDEX_FILE"]; f != "" && got.IndexFile != filepath.Join(got.WorkTree, f) {
				t.Errorf("index %s", got.IndexFile)
			}
		})
	}
}

func TestDiscoverRefuses(t *testing.T) {
	r := newRepo(t)
	r.commit("start", "a.txt", "a\n")
	sound, err := os.ReadFile(r.path(".git/config"))
	must(t, err)
	for name, test := range map[string]struct{ config, want string }{
		"version":           {"[core]\nrepositoryformatversion = 2\n", "version 2"},
		"extension":         {"[core]\nrepositoryformatversion = 1\n[extensions]\nfromTheFuture = true\n", `"fromthefuture"`},
		"reftable":          {"[core]\nrepositoryformatversion = 1\n[extensions]\nrefstorage = reftable\n", "reftable"},
		"format":            {"[core]\nrepositoryformatversion = 1\n[extensions]\nobjectformat = sha3\n", "sha3"},
		"format without v1": {"[core]\nrepositoryformatversion = 0\n[extensions]\nobjectformat = sha256\n", "version 1"},
		"junk":              {"[core\nthis is not a config\n", "line 1"},
		"not a number":      {"[core]\nrepositoryformatversion\n", "number"},
		"bare":              {"[core]\nbare = perhaps\n", "boolean"},
	} {
		writeFile(t, r.path(".git/config"), test.config)
		if _, err := Discover(r.dir, os.Getenv); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, test.want)
		}
		if _, gitErr := r.try("rev-parse", "HEAD^{tree}"); gitErr == nil && name != "reftable" {
			t.Errorf("%s: git does not refuse it", name)
		}
	}
	// What git takes is taken: unknown extensions of version 0, a missing file.
	for _, config := range []string{"[extensions]\nfromTheFuture = true\nobjectformat = sha256\n[core]\nbare=false\n[a] b = c", ""} {
		writeFile(t, r.path(".git/config"), config)
		discover(t, r.dir, nil)
		r.git("rev-parse", "HEAD")
	}
	must(t, os.Remove(r.path(".git/config")))
	discover(t, r.dir, nil)
	writeFile(t, r.path(".git/config"), string(sound))

	for _, head := range []string{"", "\x00\x00\x00\x00", "ref: nowhere\n", "1234\n"} {
		writeFile(t, r.path(".git/HEAD"), head)
		if _, err := Discover(r.dir, os.Getenv); !errors.Is(err, ErrNotRepository) {
			t.Errorf("HEAD %q: %v", head, err)
		}
	}
	// Not even when there is a sound repository around it.
	inner := r.path("inner")
	r.git("init", "-q", inner)
	writeFile(t, r.path(".git/HEAD"), "ref: refs/heads/main\n")
	writeFile(t, filepath.Join(inner, ".git", "HEAD"), "junk")
	if _, err := Discover(inner, os.Getenv); !errors.Is(err, ErrNotRepository) {
		t.Errorf("broken inner repository: %v", err)
	}
	must(t, os.RemoveAll(filepath.Join(inner, ".git")))
	if got := discover(t, inner, nil); got.Dir != r.path(".git") {
		t.Errorf("found %s", got.Dir)
	}
	if _, err := Discover(inner, func(k string) string {
		return map[string]string{"GIT_CEILING_DIRECTORIES": r.dir}[k]
	}); !errors.Is(err, ErrNotRepository) {
		t.Errorf("ceiling: %v", err)
	}
}

func TestDiscoverNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := Discover(dir, func(k string) string {
		return map[string]string{"GIT_CEILING_DIRECTORIES": filepath.Dir(dir)}[k]
	}); !errors.Is(err, ErrNotRepository) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := Discover(filepath.Join(dir, "nowhere"), os.Getenv); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	if _, err := Discover(dir, func(k string) string {
		return map[string]string{"GIT_DIR": filepath.Join(dir, "nowhere")}[k]
	}); !errors.Is(err, ErrNotRepository) {
		t.Errorf("GIT_DIR that does not exist: %v", err)
	}
}

func TestSplitAlternates(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("other separator")
	}
	got, err := splitAlternates(`/a:b::"/c:\"d":/e`, "/base")
	if want := []string{"/a", "/base/b", `/c:"d`, "/e"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, err := splitAlternates(`"open`, "/base"); err == nil {
		t.Error("an open quote was taken")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestReadRefs compares the tips with what git lists.
func TestReadRefs(t *testing.T) {
	r := newRepo(t)
	a := r.commit("a", "a.txt", "a\n")
	b := r.commit("b", "a.txt", "b\n")
	r.git("tag", "-a", "-m", "tag", "v1", a)
	r.git("pack-refs", "--all")
	r.git("branch", "x/y/z", a)
	r.git("update-ref", "refs/remotes/origin/main", a)
	r.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
	r.git("symbolic-ref", "refs/remotes/gone/HEAD", "refs/remotes/gone/main")
	r.git("reset", "-q", "--hard", a) // ORIG_HEAD, and main is loose now
	linked := filepath.Join(filepath.Dir(r.dir), "linked")
	r.git("worktree", "add", "-q", "--detach", linked, b)
	(&repo{t: t, dir: linked, env: r.env}).git("update-ref", "refs/bisect/bad", b)
	r.write(".git/FETCH_HEAD", a+"\t\tbranch 'x'\n"+b+"\tnot-for-merge\tbranch 'y'\n")

	got := r.open().readRefs()
	if len(got.problems) > 0 {
		t.Error(got.problems)
	}
	if got.head.String() != a {
		t.Errorf("HEAD is %s", got.head)
	}
	have := map[string]string{}
	for _, tip := range got.tips {
		have[tip.name] += tip.oid.String() + " "
	}
	want := map[string]string{
		"HEAD": a + " ", "ORIG_HEAD": b + " ", "FETCH_HEAD": min(a, b) + " " + max(a, b) + " ",
		"worktrees/linked/HEAD": b + " ", "worktrees/linked/refs/bisect/bad": b + " ",
		"worktrees/linked/ORIG_HEAD": have["worktrees/linked/ORIG_HEAD"], // newer git writes it
	}
	for line := range strings.Lines(r.git("for-each-ref", "--format=%(refname) %(objectname)")) {
		name, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		want[name] = id + " "
	}
	for name, ids := range want {
		if have[name] != ids {
			t.Errorf("%s is %q, want %q", name, have[name], ids)
		}
	}
	for name := range have {
		if want[name] == "" && !strings.Contains(name, "@{") {
			t.Errorf("%s is no ref", name)
		}
	}
	for _, name := range []string{"HEAD@{0}", "HEAD@{1}", "main@{1}"} {
		full := strings.Replace(name, "main", "refs/heads/main", 1)
		if id := r.git("rev-parse", name); have[full] != id+" " {
			t.Errorf("%s is %q, want %s", full, have[full], id)
		}
	}
	if got := discover(t, linked, nil).readRefs(); got.head.String() != b {
		t.Errorf("HEAD of the linked worktree is %s, want %s", got.head, b)
	}
}

func TestReadRefsDamaged(t *testing.T) {
	r := newRepo(t)
	a := r.commit("a", "a.txt", "a\n")
	r.write(".git/refs/heads/junk", "not a hash\n")
	r.write(".git/refs/heads/short", a[:20]+"\n")
	r.write(".git/refs/heads/long", a+"00\n")
	r.write(".git/refs/heads/loop", "ref: refs/heads/loop\n")
	r.write(".git/refs/heads/skip.lock", "junk")
	r.write(".git/packed-refs", "# pack-refs with: peeled\nwhat is this\n"+a+" refs/heads/good\n^"+a+"\n")
	r.write(".git/logs/refs/heads/main", "junk\n")
	got := r.open().readRefs()
	for _, want := range []string{"refs/heads/junk", "refs/heads/short", "refs/heads/long", "refs/heads/loop", "packed-refs: line 2", "reflog of refs/heads/main: line 1"} {
		if !slices.ContainsFunc(got.problems, func(p string) bool { return strings.Contains(p, want) }) {
			t.Errorf("%s is not in %q", want, got.problems)
		}
	}
	if len(got.problems) != 6 {
		t.Errorf("problems: %q", got.problems)
	}
	if !slices.ContainsFunc(got.tips, func(t tip) bool { return t.name == "refs/heads/good" && t.oid.String() == a }) {
		t.Error("refs/heads/good is lost")
	}
}

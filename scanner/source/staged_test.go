package source

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/till-sh/till/scanner"
)

func staged(r *repo) *Staged { return NewStaged(r.open()) }

func TestStagedContract(t *testing.T) {
	r := newRepo(t)
	r.commit("start", "README", "r\n", "old.txt", text("old"), "gone.txt", text("gone"), "edit.txt", "e\n", "dir/x.txt", "x\n")
	r.stage("new.txt", text("new"))
	r.stage("edit.txt", "e\n"+key("edited")+"\n")
	r.stage("deep/er/new.txt", text("deeper"))
	r.stage("old.txt", "changed above\n"+text("old")+key("beside")+"\n")
	r.git("rm", "-q", "gone.txt")
	r.write("untracked.txt", text("untracked"))
	r.write("edit.txt", text("worktree"))
	contract(t, func() scanner.Source { return staged(r) }, "new", "edited", "deeper", "beside")
	got := scan(t, staged(r), 2)
	wantComplete(t, got)
	p, exposure := got.place(t, "edited")
	if p.Path != "edit.txt" || exposure != scanner.ExposureStaged || !p.Present || p.Blob != r.git("rev-parse", ":edit.txt") || p.Location.StartLine != 2 || p.Moved {
		t.Errorf("%+v %s", p, exposure)
	}
	if got.sum.Blobs != 4 {
		t.Errorf("%d blobs read, want 4", got.sum.Blobs)
	}
}

// TestStaged: what is new, and what is not.
func TestStaged(t *testing.T) {
	big := strings.Repeat("a line of the file\n", 200)
	for _, test := range []struct {
		name string
		make func(r *repo)
		want []string
	}{
		{"nothing", func(*repo) {}, nil},
		{"clean in the work tree", func(r *repo) { r.stage("a.txt", text("a")); r.write("a.txt", "") }, []string{"a"}},
		{"intent to add", func(r *repo) { r.write("a.txt", text("a")); r.git("add", "-N", "a.txt") }, nil},
		{"hidden from git status", func(r *repo) {
			r.stage("a.txt", text("a"))
			r.stage("b.txt", text("b"))
			r.git("update-index", "--assume-unchanged", "a.txt")
			r.git("update-index", "--skip-worktree", "b.txt")
			must(r.t, os.Remove(r.path("a.txt")))
			must(r.t, os.Remove(r.path("b.txt")))
		}, []string{"a", "b"}},
		{"deleted", func(r *repo) { r.git("rm", "-q", "base.txt") }, nil},
		{"deleted folder", func(r *repo) { r.git("rm", "-q", "-r", "dir") }, nil},
		{"only untracked now", func(r *repo) { r.git("rm", "-q", "--cached", "base.txt") }, nil},
		{"mode", func(r *repo) { r.git("update-index", "--chmod=+x", "base.txt") }, nil},
		{"renamed", func(r *repo) { r.git("mv", "base.txt", "dir/other.txt") }, nil},
		{"folder renamed", func(r *repo) { r.git("mv", "dir", "rid") }, nil},
		{"copied", func(r *repo) { r.stage("copy.txt", text("base")) }, []string{"base"}},
		{"moved to another file", func(r *repo) { r.stage("base.txt", "gone"); r.stage("t.txt", text("base")) }, []string{"base"}},
		{"renamed and edited", func(r *repo) {
			r.git("rm", "-q", "long.txt")
			r.stage("lib/long2.txt", big+key("a"))
		}, []string{"a"}},
		{"indented", func(r *repo) { r.stage("base.txt", "\t"+text("base")) }, nil},
		{"line removed", func(r *repo) { r.stage("base.txt", "gone") }, nil},
		{"file becomes folder", func(r *repo) {
			r.git("rm", "-q", "base.txt")
			r.stage("base.txt/in", text("a"))
		}, []string{"a"}},
		{"folder becomes file", func(r *repo) {
			r.git("rm", "-q", "-r", "dir")
			r.stage("dir", text("a"))
		}, []string{"a"}},
		{"name of a file", func(r *repo) { r.stage(key("name")+".txt", "") }, []string{"name"}},
		{"name of a folder", func(r *repo) { r.stage("dir/"+key("name")+"/x", ""); r.stage("dir/"+key("name")+"/y", "") }, []string{"name"}},
		{"symbolic link", func(r *repo) { r.git("update-index", "--add", "--cacheinfo", "120000,"+r.hash(key("link"))+",link") }, []string{"link"}},
		{"link becomes file", func(r *repo) { r.stage("link", text("a")) }, []string{"a"}},
		{"submodule", func(r *repo) {
			r.git("update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",sub")
		}, nil},
		{"first commit", func(r *repo) { r.git("checkout", "-q", "--orphan", "fresh") }, []string{"base", "dir"}},
		{"detached", func(r *repo) { r.git("checkout", "-q", "--detach"); r.stage("a.txt", text("a")) }, []string{"a"}},
		{"unmerged", func(r *repo) { conflict(r); r.stage("a.txt", text("a")) }, []string{"theirs", "a"}},
		{"merge resolved", func(r *repo) {
			conflict(r)
			r.git("checkout", "-q", "side", "--", ".")
			r.stage("both", "both\n"+key("typed")+"\n")
		}, []string{"typed"}},
		{"merge resolved to theirs", func(r *repo) { conflict(r); r.git("checkout", "-q", "--theirs", "both"); r.git("add", "both") }, nil},
		{"packed HEAD", func(r *repo) { r.git("pack-refs", "--all"); r.stage("a.txt", text("a")) }, []string{"a"}},
		{"odd names", func(r *repo) {
			for i, name := range []string{"a b", "a", "a.b", "a/b/c", "é", "new\nline", "\"q\"", "-x", "a-b/c", "a0/c"} {
				id := r.hash(text(fmt.Sprint("odd", i)))
				r.git("update-index", "--add", "--replace", "--cacheinfo", "100644,"+id+","+name)
			}
		}, []string{"odd0", "odd2", "odd3", "odd4", "odd5", "odd6", "odd7", "odd8", "odd9"}},
		{"split index", func(r *repo) { r.git("update-index", "--split-index"); r.stage("a.txt", text("a")) }, []string{"a"}},
		{"version 4", func(r *repo) { r.stage("dir/a.txt", text("a")); r.git("update-index", "--index-version", "4") }, []string{"a"}},
		{"hostile config", func(r *repo) {
			r.stage("a.txt", text("a"))
			r.git("config", "core.fsmonitor", "touch "+r.path("ran")+"; false")
			r.git("config", "diff.external", "touch "+r.path("ran"))
			r.write(".gitattributes", "* -diff filter=x")
			r.git("config", "filter.x.clean", "touch "+r.path("ran"))
			r.write(".git/more", "")
			r.git("config", "include.path", "more")
		}, []string{"a"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRepo(t)
			id := r.hash("README")
			r.git("update-index", "--add", "--cacheinfo", "120000,"+id+",link")
			r.commit("start", "base.txt", text("base"), "dir/in.txt", text("dir"), "long.txt", big, "README", "r\n")
			test.make(r)
			got := scan(t, staged(r), 2)
			wantLabels(t, got, test.want...)
			wantComplete(t, got)
			if exists(r.path("ran")) {
				t.Error("a program named by the configuration was run")
			}
			if test.name == "unmerged" && (len(got.sum.Notes) != 1 || !strings.Contains(got.sum.Notes[0], "merge")) {
				t.Errorf("notes: %q", got.sum.Notes)
			}
			if len(got.findings) == 1 {
				moved := test.name == "moved to another file"
				if p := got.places[0][0]; p.Moved != moved {
					t.Errorf("moved is %v", p.Moved)
				}
			}
		})
	}
}

// hash writes a blob and returns its id.
func (r *repo) hash(content string) string {
	r.t.Helper()
	name := filepath.Join(r.t.TempDir(), "blob")
	writeFile(r.t, name, content)
	return r.git("hash-object", "-w", name)
}

func TestStagedSparse(t *testing.T) {
	r := newRepo(t)
	r.commit("fill", "in/a.txt", "a", "out/b.txt", text("old"), "out/deep/c.txt", "c", "off/d.txt", text("off"))
	if _, err := r.try("sparse-checkout", "set", "--cone", "--sparse-index", "in"); err != nil {
		t.Skip(err)
	}
	wantLabels(t, scan(t, staged(r), 2))
	r.stage("in/s.txt", text("inside"))
	r.write("out/t.txt", text("outside"))
	r.git("add", "--sparse", "out/t.txt")
	wantLabels(t, scan(t, staged(r), 2), "inside", "outside")

	// A sparse folder whose tree is not HEAD's: reset --soft to a commit
	// before the folder was filled.
	r.git("commit", "-q", "-m", "both")
	r.git("sparse-checkout", "set", "--cone", "--sparse-index", "in")
	r.git("checkout", "-q", "--orphan", "fresh")
	got := scan(t, staged(r), 2)
	wantLabels(t, got, "inside", "outside", "old", "off")
	wantComplete(t, got)
}

func TestStagedEnvironment(t *testing.T) {
	r := newRepo(t)
	r.commit("start", "a.txt", "a\n", "sub/x.txt", "x\n")
	r.stage("other.txt", text("other"))
	r.env = append(r.env, "GIT_INDEX_FILE="+r.path(".git/next-index.lock"))
	r.git("read-tree", "HEAD")
	r.stage("sub/s.txt", text("alternate"))
	r.env = r.env[:len(r.env)-1]

	for _, test := range []struct {
		name, start string
		env         map[string]string
		want        string
	}{
		{"no environment", r.path("sub"), nil, "other"},
		{"absolute", r.dir, map[string]string{"GIT_INDEX_FILE": r.path(".git/next-index.lock")}, "alternate"},
		{"relative to the top", r.path("sub"), map[string]string{"GIT_INDEX_FILE": ".git/next-index.lock"}, "alternate"},
		{"git dir", filepath.Dir(r.dir), map[string]string{"GIT_DIR": r.path(".git"), "GIT_WORK_TREE": r.dir}, "other"},
	} {
		wantLabels(t, scan(t, NewStaged(discover(t, test.start, test.env)), 1), test.want)
	}

	linked := filepath.Join(filepath.Dir(r.dir), "linked")
	r.git("worktree", "add", "-q", linked)
	w := &repo{t: t, dir: linked, env: r.env}
	w.stage("w.txt", text("linked"))
	wantLabels(t, scan(t, staged(w), 1), "linked")

	bare := newRepo(t, "--bare")
	if _, err := tryScan(t, staged(bare), 1); err == nil || !strings.Contains(err.Error(), "bare") {
		t.Errorf("bare repository: %v", err)
	}
}

func TestStagedDamaged(t *testing.T) {
	r := newRepo(t)
	r.commit("start", "a.txt", text("old"), "dir/b.txt", text("dir"))
	r.stage("gone.txt", text("gone"))
	r.stage("here.txt", text("here"))
	id := r.git("rev-parse", ":gone.txt")
	r.remove(id)
	got := scan(t, staged(r), 2)
	wantLabels(t, got, "here")
	wantError(t, got, "gone.txt", id, "missing")

	r.git("config", "remote.origin.promisor", "true")
	wantError(t, scan(t, staged(r), 2), id, "partial clone")

	// Without HEAD's tree everything counts as new.
	tree := r.git("rev-parse", "HEAD^{tree}")
	r.remove(tree)
	got = scan(t, staged(r), 2)
	wantLabels(t, got, "here", "old", "dir")
	wantError(t, got, tree)
	r.write(".git/refs/heads/main", "junk\n")
	if _, err := tryScan(t, staged(r), 2); err == nil || !strings.Contains(err.Error(), "refs/heads/main") && !strings.Contains(err.Error(), "HEAD") {
		t.Errorf("junk in HEAD's branch: %v", err)
	}
}

func TestStagedLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 56 MB")
	}
	r := newRepo(t)
	r.commit("start", "a.txt", "a")
	data := large()
	r.stage("big", string(data))
	got := scan(t, staged(r), 2)
	wantLabels(t, got, "first", "second", "third", "last")
	if p, _ := got.place(t, "third"); !bytes.HasPrefix(data[p.Location.Offset:], []byte(key("third"))) {
		t.Errorf("offset %d is wrong", p.Location.Offset)
	}
	if got.sum.Bytes != int64(len(data)) {
		t.Errorf("%d bytes", got.sum.Bytes)
	}
}

// TestStagedManyFiles: the cache tree lets unchanged folders pass unread.
func TestStagedManyFiles(t *testing.T) {
	r := newRepo(t)
	var names []string
	for i := range 2000 {
		names = append(names, fmt.Sprintf("d%d/f%d", i/100, i))
	}
	r.track("one", names...)
	r.git("commit", "-q", "-m", "many")
	r.stage("d7/new", text("new"))
	opened := r.open()
	ix, err := opened.readIndex()
	must(t, err)
	if ix.tree == nil {
		t.Fatal("no cache tree")
	}
	// Reading any tree but the root and d7 fails now.
	for _, line := range strings.Split(r.git("ls-tree", "HEAD"), "\n") {
		if f := strings.Fields(line); f[3] != "d7" {
			r.remove(f[2])
		}
	}
	got := scan(t, NewStaged(opened), 2)
	wantLabels(t, got, "new")
	wantComplete(t, got)
}

func BenchmarkStaged(b *testing.B) {
	dir := os.Getenv("TILL_BENCH_REPO")
	if dir == "" {
		b.Skip("TILL_BENCH_REPO names no repository")
	}
	for b.Loop() {
		repo, err := Discover(dir, os.Getenv)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := NewStaged(repo).Each(context.Background(), 2, func(int, *scanner.Blob) error { return nil }); err != nil {
			b.Fatal(err)
		}
		repo.Close()
	}
}

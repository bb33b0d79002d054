package source

import (
	"io/fs"
	"testing"
	"testing/fstest"
)

// TestObjectFS: the files of a commit and of the index as file systems.
func TestObjectFS(t *testing.T) {
	r := newRepo(t)
	r.commit("a", "a.txt", "content of a\n", "d/e/f.txt", "f\n", "d/e-/g", "", "d.txt", "d\n", ".till.toml", "x = 1\n")
	want := []string{"a.txt", "d/e/f.txt", "d/e-/g", "d.txt", ".till.toml"}
	repo := r.open()
	check := func(name string, fsys fs.FS, err error, files ...string) {
		t.Helper()
		must(t, err)
		if err := fstest.TestFS(fsys, files...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	fsys, err := repo.TreeFS("HEAD")
	check("tree", fsys, err, want...)
	fsys, err = repo.IndexFS()
	check("index", fsys, err, want...)

	r.git("update-index", "--add", "--cacheinfo", "120000,"+r.hash("a.txt")+",link")
	r.git("update-index", "--add", "--cacheinfo", "160000,"+r.git("rev-parse", "HEAD")+",sub")
	r.stage("a.txt", "staged\n")
	r.git("commit", "-q", "-m", "links")
	tree, err := repo.TreeFS("HEAD")
	must(t, err)
	index, err := r.open().IndexFS()
	must(t, err)
	for _, fsys := range []fs.FS{tree, index} {
		if data, err := fs.ReadFile(fsys, "a.txt"); err != nil || string(data) != "staged\n" {
			t.Errorf("a.txt: %q %v", data, err)
		}
		if target, err := fs.ReadLink(fsys, "link"); err != nil || target != "a.txt" {
			t.Errorf("link: %q %v", target, err)
		}
		for _, name := range []string{"link", "sub"} {
			if info, err := fs.Stat(fsys, name); err != nil || info.Mode().IsRegular() || info.IsDir() {
				t.Errorf("%s: %v %v", name, info, err)
			}
			if data, err := fs.ReadFile(fsys, name); err == nil {
				t.Errorf("%s was read: %q", name, data)
			}
		}
		for _, name := range []string{"nowhere", "a.txt/x", "link/x", "d/e/f.txt/"} {
			if _, err := fs.Stat(fsys, name); err == nil {
				t.Errorf("%s was found", name)
			}
		}
	}
	if _, err := repo.TreeFS("nowhere"); err == nil {
		t.Error("a revision that does not exist has files")
	}

	sparse := newRepo(t)
	sparse.commit("fill", "in/a.txt", "a", "out/b.txt", "b", "out/deep/c.txt", "c", "top", "t")
	if _, err := sparse.try("sparse-checkout", "set", "--cone", "--sparse-index", "in"); err != nil {
		t.Skip(err)
	}
	fsys, err = sparse.open().IndexFS()
	check("sparse index", fsys, err, "in/a.txt", "out/b.txt", "out/deep/c.txt", "top")
	unmerged := newRepo(t)
	conflict(unmerged)
	fsys, err = unmerged.open().IndexFS()
	must(t, err)
	if data, err := fs.ReadFile(fsys, "both"); err != nil || string(data) != "ours\n" {
		t.Errorf("unmerged: %q %v", data, err)
	}
}

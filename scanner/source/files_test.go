package source

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/till-sh/till/scanner"
)

func filesIn(paths ...string) func() scanner.Source {
	return func() scanner.Source { return NewFiles(paths, FilesOptions{}) }
}

func TestFilesContract(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	var want []string
	for _, name := range []string{"a.txt", "sub/b.txt", "sub/deep/er/c.txt", ".hidden", "empty-neighbour"} {
		label := strings.NewReplacer("/", "-").Replace(name)
		writeFile(t, name, text(label))
		want = append(want, label)
	}
	writeFile(t, "empty", "")
	for i := range 300 { // more than one batch in one folder
		writeFile(t, filepath.Join("many", "f"+strings.Repeat("x", i%7)+string(rune('a'+i%26))+".txt"), "nothing\n")
	}
	contract(t, filesIn("."), want...)
}

func TestFilesPaths(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	writeFile(t, "sub/a.txt", text("a"))
	abs := filepath.ToSlash(dir)
	for _, test := range []struct{ given, want string }{
		{".", "sub/a.txt"}, {"sub", "sub/a.txt"}, {"./sub/", "sub/a.txt"}, {"sub/a.txt", "sub/a.txt"},
		{dir, abs + "/sub/a.txt"}, {filepath.Join(dir, "sub", "a.txt"), abs + "/sub/a.txt"},
	} {
		r := scan(t, NewFiles([]string{test.given}, FilesOptions{}), 2)
		p, exposure := r.place(t, "a")
		if p.Path != test.want || !p.Present || exposure != scanner.ExposureFile || p.Location.StartLine != 3 {
			t.Errorf("%s: found at %+v (%s), want path %s, line 3", test.given, p, exposure, test.want)
		}
		if r.sum.Files != 1 || r.sum.Bytes != int64(len(text("a"))) {
			t.Errorf("%s: %d files, %d bytes", test.given, r.sum.Files, r.sum.Bytes)
		}
	}
	if _, err := tryScan(t, NewFiles([]string{"sub", "nowhere"}, FilesOptions{}), 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a path that does not exist gave %v", err)
	}
}

func TestFilesNames(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "plain", "f.txt"), "")
	name := key("name")
	if runtime.GOOS == "windows" {
		t.Skip("< is not allowed in names")
	}
	writeFile(t, filepath.Join(dir, key("folder"), name+".txt"), "")
	t.Chdir(dir)
	r := scan(t, NewFiles([]string{"."}, FilesOptions{}), 2)
	wantLabels(t, r, "name", "folder")
	p, _ := r.place(t, "name")
	if p.Where != scanner.InPath || p.Path[p.Location.Offset:][:p.Location.Length] != name {
		t.Errorf("name found at %+v", p)
	}
	for _, odd := range []string{"od\xff\xfed.txt", "-rf", "new\nline", "a\\b", " ", "\x1b[31m"} {
		writeFile(t, filepath.Join(dir, "odd", odd), text("odd"))
		p, _ := scan(t, NewFiles([]string{"odd"}, FilesOptions{}), 2).place(t, "odd")
		if p.Path != "odd/"+odd {
			t.Errorf("path %q, want %q", p.Path, "odd/"+odd)
		}
		os.RemoveAll("odd")
	}
}

func TestFilesDeep(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("paths are shorter there")
	}
	t.Chdir(t.TempDir())
	writeFile(t, strings.Repeat("dd/", 500)+"s.txt", text("deep"))
	r := scan(t, NewFiles([]string{"."}, FilesOptions{}), 3)
	wantLabels(t, r, "deep")
	wantComplete(t, r)
}

func TestFilesExclude(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"keep.txt", "vendor/x.txt", "big.bin", "skip.txt"} {
		writeFile(t, name, text(strings.NewReplacer("/", "-").Replace(name)))
	}
	writeFile(t, "big.bin", text("big.bin")+strings.Repeat("x", 4096))
	s := NewFiles([]string{"."}, FilesOptions{MaxFileSize: 4096, Exclude: func(p string, dir bool) (bool, string) {
		if p == "vendor" && !dir {
			t.Errorf("vendor is not a folder?")
		}
		return p == "vendor" || p == "skip.txt", "because"
	}})
	r := scan(t, s, 2)
	wantLabels(t, r, "keep.txt")
	wantComplete(t, r)
	want := []scanner.Skip{{Path: "big.bin", Reason: "larger than 4096 bytes"}, {Path: "skip.txt", Reason: "because"}, {Path: "vendor", Reason: "because"}}
	if !slices.Equal(r.sum.Skipped, want) {
		t.Errorf("skipped %v, want %v", r.sum.Skipped, want)
	}
}

func TestFilesSymlinks(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	writeFile(t, "outside/s.txt", text("outside"))
	writeFile(t, "tree/plain.txt", text("plain"))
	for from, to := range map[string]string{
		"tree/file": "../outside/s.txt", "tree/dir": "../outside", "tree/loop": "loop", "tree/gone": "nothing",
		"tree/zero": "/dev/zero", "tree/text": key("target"), "tree/up": "..", "direct": "outside/s.txt", "folder": "outside",
	} {
		if err := os.Symlink(to, from); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	r := scan(t, NewFiles([]string{"tree"}, FilesOptions{}), 2)
	wantLabels(t, r, "plain", "target")
	wantComplete(t, r)
	// A link given by the user is followed.
	wantLabels(t, scan(t, NewFiles([]string{"direct"}, FilesOptions{}), 2), "outside")
	wantLabels(t, scan(t, NewFiles([]string{"folder"}, FilesOptions{}), 2), "outside")
}

func TestFilesUnreadable(t *testing.T) {
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		t.Skip("everything is readable to this user")
	}
	t.Chdir(t.TempDir())
	writeFile(t, "ok.txt", text("ok"))
	writeFile(t, "no.txt", text("no"))
	writeFile(t, "shut/x.txt", text("shut"))
	os.Chmod("no.txt", 0)
	os.Chmod("shut", 0)
	defer os.Chmod("shut", 0o755)
	r := scan(t, NewFiles([]string{"."}, FilesOptions{}), 2)
	wantLabels(t, r, "ok")
	wantError(t, r, "read no.txt:", "permission denied")
	wantError(t, r, "read shut:", "permission denied")
}

func TestFilesDotGit(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, label := range map[string]string{
		".git/config": "config", ".git/config.worktree": "config.worktree", ".git/hooks/pre-push": "hook",
		".git/hooks/pre-push.sample": "sample", ".git/objects/aa/bb": "object", ".git/HEAD": "head",
		".git/modules/lib/x/HEAD": "module-head", ".git/modules/lib/x/config": "module",
		".git/worktrees/w/config.worktree": "linked", "a/.git": "gitfile",
	} {
		writeFile(t, name, text(label))
	}
	r := scan(t, NewFiles([]string{"."}, FilesOptions{}), 2)
	wantLabels(t, r, "config", "config.worktree", "hook", "module", "linked", "gitfile")
	wantComplete(t, r)
	if p, _ := r.place(t, "module"); p.Path != ".git/modules/lib/x/config" {
		t.Errorf("path %q", p.Path)
	}
	if len(r.sum.Skipped) != 1 || r.sum.Skipped[0].Path != ".git" {
		t.Errorf("skipped %v", r.sum.Skipped)
	}
}

func TestWindows(t *testing.T) {
	var content bytes.Buffer
	for i := range 40 {
		content.WriteString(strings.Repeat("x", i*7) + "\n" + text("w"+string(rune('a'+i%26))))
	}
	content.WriteString(strings.Repeat("y", 5000)) // no line end, no space
	want := keyPattern.FindAllIndex(content.Bytes(), -1)
	for _, size := range []int{300, 1000, 4096, 1 << 20} {
		w := windows{size: size, overlap: 64}
		got, total := map[int64]bool{}, int64(0)
		n, err := w.each(iotest.OneByteReader(bytes.NewReader(content.Bytes())), func(data []byte, offset int64, line int) error {
			if at := content.Bytes()[offset:]; !bytes.HasPrefix(at, data) {
				t.Fatalf("size %d: window at %d is not what stands there", size, offset)
			}
			if got := bytes.Count(content.Bytes()[:offset], []byte("\n")); got != line {
				t.Errorf("size %d: window at %d says line %d, want %d", size, offset, line, got)
			}
			if offset > total {
				t.Errorf("size %d: gap before %d", size, offset)
			}
			total = offset + int64(len(data))
			for _, h := range keyPattern.FindAllIndex(data, -1) {
				got[offset+int64(h[0])] = true
			}
			return nil
		})
		if err != nil || n != int64(content.Len()) || total != n {
			t.Errorf("size %d: read %d, windows end at %d, want %d: %v", size, n, total, content.Len(), err)
		}
		if len(got) != len(want) {
			t.Errorf("size %d: %d keys, want %d", size, len(got), len(want))
		}
		for _, h := range want {
			if !got[int64(h[0])] {
				t.Errorf("size %d: key at %d not seen", size, h[0])
			}
		}
	}
}

// large is a file beyond wholeLimit in one line, with keys on the borders of
// the windows.
func large() []byte {
	data := bytes.Repeat([]byte("x"), wholeLimit+3*windowSize)
	for i, label := range []string{"first", "second", "third", "last"} {
		k := key(label)
		copy(data[(i+1)*windowSize-len(k)/2:], k)
	}
	return data
}

func TestFilesLarge(t *testing.T) {
	t.Chdir(t.TempDir())
	data := large()
	writeFile(t, "big", string(data))
	f, err := os.Create("hole")
	if err == nil {
		err = f.Truncate(wholeLimit + 1)
	}
	if err == nil {
		_, err = f.WriteAt([]byte(text("tail")), wholeLimit+1)
	}
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	contract(t, filesIn("."), "first", "second", "third", "last", "tail")
	r := scan(t, NewFiles([]string{"big"}, FilesOptions{}), 1)
	if p, _ := r.place(t, "third"); string(data[p.Location.Offset:][:len(key("third"))]) != key("third") {
		t.Errorf("offset %d is wrong", p.Location.Offset)
	}
	if r.sum.Bytes != int64(len(data)) {
		t.Errorf("%d bytes, want %d", r.sum.Bytes, len(data))
	}
}

func TestReader(t *testing.T) {
	contract(t, func() scanner.Source { return NewReader("stdin", strings.NewReader(text("in"))) }, "in")
	contract(t, func() scanner.Source { return NewReader("stdin", bytes.NewReader(large())) }, "first", "second", "third", "last")
	contract(t, func() scanner.Source { return NewReader("stdin", strings.NewReader("")) })

	broken := io.MultiReader(strings.NewReader(text("before")), iotest.ErrReader(errors.New("disk on fire")))
	r := scan(t, NewReader("stdin", broken), 1)
	wantLabels(t, r, "before")
	wantError(t, r, "read stdin", "disk on fire")
}

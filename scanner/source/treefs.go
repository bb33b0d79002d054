package source

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/till-sh/till/scanner/pack"
)

// TreeFS returns the files of a commit as a read-only file system, for reading
// configuration as it stood there. Symbolic links and submodules are listed
// with their kind and cannot be opened as files.
func (r *Repository) TreeFS(revision string) (fs.FS, error) {
	id, err := r.Resolve(revision)
	if err != nil {
		return nil, err
	}
	tree, err := r.commitTree(id)
	if err != nil {
		return nil, err
	}
	store, err := r.Store()
	if err != nil {
		return nil, err
	}
	return &treeFS{store: store, format: r.Format, root: treeEntry{mode: pack.ModeTree, id: tree}}, nil
}

type treeFS struct {
	store  *pack.Store
	format pack.Format
	root   treeEntry
}

// lookup walks down to a name.
func (t *treeFS) lookup(op, name string) (treeEntry, error) {
	if !fs.ValidPath(name) {
		return treeEntry{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	at := t.root
	if name == "." {
		return at, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if !at.dir() {
			return at, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
		entries, err := readTree(t.store, at.id, t.format)
		if err != nil {
			return at, &fs.PathError{Op: op, Path: name, Err: err}
		}
		found := false
		for _, e := range entries {
			if string(e.name) == part {
				at, found = e, true
				break
			}
		}
		if !found {
			return at, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
	}
	return at, nil
}

// Open implements fs.FS.
func (t *treeFS) Open(name string) (fs.File, error) {
	e, err := t.lookup("open", name)
	if err != nil {
		return nil, err
	}
	info := treeInfo{name: path.Base(name), mode: e.mode}
	switch kindOf(e.mode) {
	case pack.ModeTree:
		return &treeFile{info: info}, nil
	case pack.ModeFile:
		typ, data, err := t.store.Get(e.id)
		if err == nil && typ != pack.TypeBlob {
			err = fmt.Errorf("object %s is a %s, not a blob", e.id, typ)
		}
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		info.size = int64(len(data))
		return &treeFile{info: info, Reader: *bytes.NewReader(data)}, nil
	}
	return &treeFile{info: info}, nil
}

// Stat implements fs.StatFS.
func (t *treeFS) Stat(name string) (fs.FileInfo, error) {
	e, err := t.lookup("stat", name)
	if err != nil {
		return nil, err
	}
	info := treeInfo{name: path.Base(name), mode: e.mode}
	if kindOf(e.mode) == pack.ModeFile {
		if _, info.size, err = t.store.Header(e.id); err != nil {
			return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
		}
	}
	return info, nil
}

// Lstat is Stat: nothing is ever followed.
func (t *treeFS) Lstat(name string) (fs.FileInfo, error) { return t.Stat(name) }

// ReadLink implements fs.ReadLinkFS.
func (t *treeFS) ReadLink(name string) (string, error) {
	e, err := t.lookup("readlink", name)
	if err == nil && kindOf(e.mode) != pack.ModeSymlink {
		err = &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	if err != nil {
		return "", err
	}
	_, data, err := t.store.Get(e.id)
	return string(data), err
}

// ReadDir implements fs.ReadDirFS.
func (t *treeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	e, err := t.lookup("readdir", name)
	if err != nil {
		return nil, err
	}
	if !e.dir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
	}
	entries, err := readTree(t.store, e.id, t.format)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	var out []fs.DirEntry
	for _, e := range entries {
		if fs.ValidPath(string(e.name)) && !strings.Contains(string(e.name), "/") {
			out = append(out, fs.FileInfoToDirEntry(treeInfo{name: string(e.name), mode: e.mode}))
		}
	}
	return out, nil
}

// treeInfo describes an entry of a tree.
type treeInfo struct {
	name string
	mode uint32
	size int64
}

func (i treeInfo) Name() string       { return i.name }
func (i treeInfo) Size() int64        { return i.size }
func (i treeInfo) ModTime() time.Time { return time.Time{} }
func (i treeInfo) IsDir() bool        { return kindOf(i.mode) == pack.ModeTree }
func (i treeInfo) Sys() any           { return nil }

func (i treeInfo) Mode() fs.FileMode {
	switch kindOf(i.mode) {
	case pack.ModeTree:
		return fs.ModeDir | 0o755
	case pack.ModeFile:
		return 0o644
	case pack.ModeSymlink:
		return fs.ModeSymlink
	}
	return fs.ModeIrregular
}

type treeFile struct {
	info treeInfo
	bytes.Reader
}

func (f *treeFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *treeFile) Close() error               { return nil }

// Read reads a regular file; everything else has no content here.
func (f *treeFile) Read(p []byte) (int, error) {
	if !f.info.Mode().IsRegular() {
		return 0, &fs.PathError{Op: "read", Path: f.info.name, Err: fs.ErrInvalid}
	}
	return f.Reader.Read(p)
}

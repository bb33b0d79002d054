package source

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/till-sh/till/scanner/pack"
)

// TreeFS returns the files of a commit as a read-only file system, for reading
// configuration as it stood there. Symbolic links and submodules are listed
// with their kind and have no content: nothing is followed.
func (r *Repository) TreeFS(revision string) (fs.FS, error) {
	id, err := r.Resolve(revision)
	if err != nil {
		return nil, err
	}
	c, err := r.commit(id)
	if err != nil {
		return nil, err
	}
	store, err := r.Store()
	if err != nil {
		return nil, err
	}
	return &objectFS{store: store, files: treeFiles{&treeReader{store: store, format: r.Format}, c.Tree}}, nil
}

// IndexFS returns the files of the index, as the next commit would have them,
// in the same way. Of unmerged files it has our side's version.
func (r *Repository) IndexFS() (fs.FS, error) {
	ix, err := r.readIndex()
	if err != nil {
		return nil, err
	}
	store, err := r.Store()
	if err != nil {
		return nil, err
	}
	return &objectFS{store: store, files: indexFiles{ix, treeFiles{trees: &treeReader{store: store, format: r.Format}}}}, nil
}

// files finds entries by their path, which is valid for fs.FS.
type files interface {
	lookup(name string) (treeEntry, error)
	list(name string) ([]treeEntry, error) // of a folder
}

// treeReader reads trees and remembers some: for a name below many folders they
// are all read again. Safe for concurrent use.
type treeReader struct {
	store  *pack.Store
	format pack.Format

	mu    sync.Mutex
	trees map[pack.OID][]treeEntry
	names int // in trees
}

// maxTreeNames is how many names are remembered.
const maxTreeNames = 1 << 15

func (r *treeReader) read(id pack.OID) ([]treeEntry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if entries, ok := r.trees[id]; ok {
		return entries, nil
	}
	entries, err := readTree(r.store, id, r.format)
	if err != nil {
		return entries, err
	}
	if r.names += len(entries) + 1; r.trees == nil || r.names > maxTreeNames {
		r.trees, r.names = map[pack.OID][]treeEntry{}, len(entries)+1
	}
	r.trees[id] = entries
	return entries, nil
}

// treeFiles are the files of a tree object.
type treeFiles struct {
	trees *treeReader
	root  pack.OID
}

func (t treeFiles) lookup(name string) (treeEntry, error) {
	at := treeEntry{mode: pack.ModeTree, id: t.root}
	if name == "." {
		return at, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if !at.dir() {
			return at, fs.ErrNotExist
		}
		entries, err := t.trees.read(at.id)
		if err != nil {
			return at, err
		}
		i := slices.IndexFunc(entries, func(e treeEntry) bool { return string(e.name) == part })
		if i < 0 {
			return at, fs.ErrNotExist
		}
		at = entries[i]
	}
	return at, nil
}

func (t treeFiles) list(name string) ([]treeEntry, error) {
	e, err := t.lookup(name)
	if err != nil {
		return nil, err
	}
	return t.trees.read(e.id)
}

// indexFiles are the files of an index; sparse folders are trees.
type indexFiles struct {
	*index
	trees treeFiles
}

// at returns the range of entries that begin with prefix.
func (x indexFiles) at(prefix string) (lo, hi int) {
	lo = sort.Search(len(x.entries), func(i int) bool { return string(x.entries[i].path) >= prefix })
	hi = lo + sort.Search(len(x.entries)-lo, func(i int) bool { return !bytes.HasPrefix(x.entries[lo+i].path, []byte(prefix)) })
	return lo, hi
}

// sparse finds the sparse folder that name is or lies in.
func (x indexFiles) sparse(name string) (treeFiles, string, bool) {
	for i := len(name); i > 0; i = strings.LastIndexByte(name[:i], '/') {
		if lo, hi := x.at(name[:i] + "/"); hi == lo+1 && len(x.entries[lo].path) == i+1 {
			t := x.trees
			t.root = x.entries[lo].oid()
			if i == len(name) {
				return t, ".", true
			}
			return t, name[i+1:], true
		}
	}
	return treeFiles{}, "", false
}

func (x indexFiles) lookup(name string) (treeEntry, error) {
	if name == "." {
		return treeEntry{mode: pack.ModeTree}, nil
	}
	if t, rest, ok := x.sparse(name); ok {
		return t.lookup(rest)
	}
	if lo, hi := x.at(name + "/"); lo < hi {
		return treeEntry{mode: pack.ModeTree}, nil
	}
	lo, hi := x.at(name)
	for _, e := range x.entries[lo:hi] {
		if string(e.path) != name {
			break // a longer name
		}
		if e.stage != 1 && e.stage != 3 && !e.intentToAdd {
			return treeEntry{name: e.path, mode: e.mode, id: e.oid()}, nil
		}
	}
	return treeEntry{}, fs.ErrNotExist
}

func (x indexFiles) list(name string) ([]treeEntry, error) {
	s, n := side{index: x.index, hi: len(x.entries)}, 0
	if name != "." {
		if t, rest, ok := x.sparse(name); ok {
			return t.list(rest)
		}
		n = len(name) + 1
		s.lo, s.hi = x.at(name + "/")
	}
	var out []treeEntry
	for it := (item{}); s.next(&it, n); {
		out = append(out, treeEntry{it.name, it.mode, it.id})
	}
	return out, nil
}

// objectFS makes a file system of files in an object store.
type objectFS struct {
	store *pack.Store
	files files
}

// find looks up a name, and describes it.
func (f *objectFS) find(op, name string) (treeEntry, treeInfo, error) {
	if !fs.ValidPath(name) {
		return treeEntry{}, treeInfo{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	e, err := f.files.lookup(name)
	info := treeInfo{name: path.Base(name), mode: e.mode}
	if err == nil && info.Mode().IsRegular() {
		_, info.size, err = f.store.Header(e.id)
	}
	if err != nil {
		return e, info, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return e, info, nil
}

// Open implements fs.FS.
func (f *objectFS) Open(name string) (fs.File, error) {
	e, info, err := f.find("open", name)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		list, err := f.ReadDir(name)
		return &openDir{info, list}, err
	case !info.Mode().IsRegular():
		return &openFileOf{info: info}, nil
	}
	data, err := f.content(e.id)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &openFileOf{info, *bytes.NewReader(data)}, nil
}

func (f *objectFS) content(id pack.OID) ([]byte, error) {
	typ, data, err := f.store.Get(id)
	if err == nil && typ != pack.TypeBlob {
		err = fmt.Errorf("object %s is a %s, not a blob", id, typ)
	}
	return data, err
}

// Stat implements fs.StatFS.
func (f *objectFS) Stat(name string) (fs.FileInfo, error) {
	_, info, err := f.find("stat", name)
	if err != nil {
		return nil, err
	}
	return info, nil
}

// Lstat is Stat: nothing is ever followed.
func (f *objectFS) Lstat(name string) (fs.FileInfo, error) { return f.Stat(name) }

// ReadLink implements fs.ReadLinkFS.
func (f *objectFS) ReadLink(name string) (string, error) {
	e, info, err := f.find("readlink", name)
	if err == nil && info.Mode()&fs.ModeSymlink == 0 {
		err = &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	if err != nil {
		return "", err
	}
	data, err := f.content(e.id)
	return string(data), err
}

// ReadDir implements fs.ReadDirFS. Names that no file system could have are
// left out.
func (f *objectFS) ReadDir(name string) ([]fs.DirEntry, error) {
	_, info, err := f.find("readdir", name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errNotDir}
	}
	entries, err := f.files.list(name)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	var out []fs.DirEntry
	for _, e := range entries {
		if n := string(e.name); n != "." && fs.ValidPath(n) && !strings.Contains(n, "/") {
			out = append(out, objectEntry{treeInfo{name: n, mode: e.mode}, f, path.Join(name, n)})
		}
	}
	slices.SortStableFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return slices.CompactFunc(out, func(a, b fs.DirEntry) bool { return a.Name() == b.Name() }), nil
}

// objectEntry is a fs.DirEntry.
type objectEntry struct {
	treeInfo
	fs   *objectFS
	path string
}

func (e objectEntry) Type() fs.FileMode          { return e.Mode().Type() }
func (e objectEntry) Info() (fs.FileInfo, error) { return e.fs.Stat(e.path) }

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

// openFileOf is an open file.
type openFileOf struct {
	info treeInfo
	bytes.Reader
}

func (f *openFileOf) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFileOf) Close() error               { return nil }

// Read reads a regular file; everything else has no content here.
func (f *openFileOf) Read(p []byte) (int, error) {
	if !f.info.Mode().IsRegular() {
		return 0, &fs.PathError{Op: "read", Path: f.info.name, Err: fs.ErrInvalid}
	}
	return f.Reader.Read(p)
}

// openDir is an open folder.
type openDir struct {
	info treeInfo
	rest []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.name, Err: fs.ErrInvalid}
}

// ReadDir implements fs.ReadDirFile.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.rest)
	} else if len(d.rest) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.rest))
	out := d.rest[:n:n]
	d.rest = d.rest[n:]
	return out, nil
}

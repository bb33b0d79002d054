package source

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/till-sh/till/scanner/pack"
)

// change is a file that none of the trees it was compared with has like this.
type change struct {
	path string
	mode uint32
	id   pack.OID
	old  []pack.OID // what stood under the same path; empty for an added file
	// stage is 1 to 3 for an unmerged entry of the index.
	stage uint8
}

// treeEntry is an entry of a tree object. The name is part of the tree.
type treeEntry struct {
	name []byte
	mode uint32
	id   pack.OID
}

func (e *treeEntry) dir() bool { return kindOf(e.mode) == pack.ModeTree }

func kindOf(mode uint32) uint32 { return mode & 0o170000 }

// removal is a file or folder of a compared tree that the new side lacks.
type removal struct {
	path string
	mode uint32
	id   pack.OID
}

// treeDiff compares a new state (the index or a tree) with any number of old
// trees, and collects what is in none of them. It goes only into folders that
// differ. It is not safe for concurrent use.
type treeDiff struct {
	store  *pack.Store
	format pack.Format
	// name is told of every new name of a file or folder: its path, of which
	// the name begins at offset; nil when nobody wants to know.
	name func(path string, offset int)
	// fail is told of trees that cannot be read. The rest is compared as if
	// they were empty.
	fail func(path string, err error)

	changes  []change
	removed  []removal // from any of the old trees
	unmerged int       // paths with unmerged entries
	seen     int       // names compared in trees of the new side
	limit    int       // for seen; 0 means maxDiff
}

// maxDiff is how many names of trees that differ are compared: more than the
// largest repositories have files. Ten trees that each name the next one ten
// times stand for ten thousand million paths. An index cannot do that.
const maxDiff = 4 << 20

var errTooMany = errors.New("too many paths")

// side is a folder on the new side: a range of the index, or a tree.
type side struct {
	index  *index
	lo, hi int        // entries of the index
	node   *cacheTree // what the index knows about the folder

	tree []treeEntry
	pos  int
}

// item is one name on the new side.
type item struct {
	name []byte
	mode uint32
	id   pack.OID // zero for a folder whose tree is not known
	side side     // where to go on for a folder of the index
	all  []indexEntry
}

func (it *item) dir() bool { return kindOf(it.mode) == pack.ModeTree }

// diffIndex compares an index with trees.
func (d *treeDiff) diffIndex(ix *index, old []pack.OID) {
	node := ix.tree
	if node != nil && node.count != len(ix.entries) {
		node = &cacheTree{count: -1, sub: node.sub}
	}
	if node != nil && node.count >= 0 && slices.Contains(old, node.id) {
		return
	}
	d.folder(nil, side{index: ix, hi: len(ix.entries), node: node}, d.openAll("", old), 0)
}

// diffTree compares a tree with others.
func (d *treeDiff) diffTree(tree pack.OID, old []pack.OID) {
	if slices.Contains(old, tree) {
		return
	}
	if s, ok := d.open("", tree); ok {
		d.folder(nil, side{tree: s}, d.openAll("", old), 0)
	}
}

func (d *treeDiff) openAll(path string, ids []pack.OID) [][]treeEntry {
	out := make([][]treeEntry, len(ids))
	for i, id := range ids {
		out[i], _ = d.open(path, id)
	}
	return out
}

// open reads a tree; the zero OID is an empty one.
func (d *treeDiff) open(path string, id pack.OID) ([]treeEntry, bool) {
	if id.IsZero() {
		return nil, true
	}
	entries, err := readTree(d.store, id, d.format)
	if err != nil {
		d.fail(path, err)
	}
	return entries, err == nil || len(entries) > 0
}

// readTree reads a tree object. With an error it returns what stands before
// the damage.
func readTree(store *pack.Store, id pack.OID, format pack.Format) ([]treeEntry, error) {
	typ, data, err := store.Get(id)
	if err != nil {
		return nil, objectError(id, err)
	}
	if typ != pack.TypeTree {
		return nil, fmt.Errorf("object %s is a %s, not a tree", id, typ)
	}
	return parseTree(data, format, id)
}

func parseTree(data []byte, format pack.Format, id pack.OID) ([]treeEntry, error) {
	// An entry has at least a mode of five digits, a name of one byte and the
	// two bytes between them.
	entries := make([]treeEntry, 0, len(data)/(format.Size()+16)+1)
	it := pack.IterTree(data, format)
	for it.Next() {
		e := it.Entry()
		entries = append(entries, treeEntry{e.Name, e.Mode, e.OID})
	}
	if err := it.Err(); err != nil {
		return entries, fmt.Errorf("read tree %s: %w", id, err)
	}
	return entries, nil
}

// objectError names the object in an error of the store that does not.
func objectError(id pack.OID, err error) error {
	if errors.Is(err, pack.ErrNotFound) {
		return fmt.Errorf("object %s is missing", id)
	}
	if c := (*pack.CorruptError)(nil); errors.As(err, &c) && c.OID == id {
		return err
	}
	return fmt.Errorf("read object %s: %w", id, err)
}

// folder compares one folder. old has one list of entries for each old tree,
// nil where the tree has no such folder.
func (d *treeDiff) folder(prefix []byte, s side, old [][]treeEntry, depth int) {
	if depth > maxTreeDepth {
		d.fail(string(prefix), errTooDeep)
		return
	}
	var it item
	same := make([]*treeEntry, len(old)) // entries of the same name and kind
	for s.next(&it, len(prefix)) {
		if s.index == nil && d.tooMany(prefix) {
			return
		}
		for i := range old {
			same[i] = d.advance(prefix, &old[i], it.name, it.dir())
		}
		d.compare(prefix, &it, same, depth)
	}
	for i := range old {
		for j := range old[i] {
			d.remove(prefix, &old[i][j])
		}
	}
}

// tooMany counts a name, and reports whether there were too many.
func (d *treeDiff) tooMany(prefix []byte) bool {
	limit := d.limit
	if limit == 0 {
		limit = maxDiff
	}
	if d.seen++; d.seen == limit {
		d.fail(string(prefix), errTooMany)
	}
	return d.seen >= limit
}

// advance moves an old folder on to the name, and returns its entry of that
// name and kind, nil when it has none. What is passed over has been removed.
func (d *treeDiff) advance(prefix []byte, old *[]treeEntry, name []byte, dir bool) *treeEntry {
	for len(*old) > 0 {
		e := &(*old)[0]
		c := compareNames(e.name, e.dir(), name, dir)
		if c > 0 {
			return nil
		}
		*old = (*old)[1:]
		if c == 0 {
			return e
		}
		d.remove(prefix, e)
	}
	return nil
}

// compareNames orders names as trees and the index do: a folder as if its name
// ended with a slash.
func compareNames(a []byte, aDir bool, b []byte, bDir bool) int {
	n := min(len(a), len(b))
	if c := bytes.Compare(a[:n], b[:n]); c != 0 {
		return c
	}
	next := func(s []byte, dir bool) int {
		switch {
		case len(s) > n:
			return int(s[n])
		case dir:
			return '/'
		}
		return 0
	}
	if c := next(a, aDir) - next(b, bDir); c != 0 {
		return c
	}
	return len(a) - len(b)
}

func (d *treeDiff) remove(prefix []byte, e *treeEntry) {
	if kindOf(e.mode) != pack.ModeGitlink {
		d.removed = append(d.removed, removal{string(prefix) + string(e.name), e.mode, e.id})
	}
}

// compare looks at one name of the new side.
func (d *treeDiff) compare(prefix []byte, it *item, same []*treeEntry, depth int) {
	known := false
	for _, e := range same {
		if e == nil {
			continue
		}
		known = true
		if !it.id.IsZero() && e.id == it.id && it.all == nil {
			return
		}
	}
	if kindOf(it.mode) == pack.ModeGitlink {
		return // a commit of another repository
	}
	path := append(prefix[:len(prefix):len(prefix)], it.name...)
	if !known && d.name != nil {
		d.name(string(path), len(prefix))
	}
	if !it.dir() {
		d.file(string(path), it, same)
		return
	}
	path = append(path, '/')
	sub := it.side
	if sub.index == nil {
		tree, ok := d.open(string(path), it.id)
		if !ok {
			return
		}
		sub = side{tree: tree}
	}
	ids := make([]pack.OID, len(same))
	for i, e := range same {
		if e != nil {
			ids[i] = e.id
		}
	}
	d.folder(path, sub, d.openAll(string(path), ids), depth+1)
}

// file notes a file that differs from all old ones.
func (d *treeDiff) file(path string, it *item, same []*treeEntry) {
	c := change{path: path, mode: it.mode, id: it.id}
	for _, e := range same {
		if e != nil && kindOf(e.mode) != pack.ModeGitlink {
			c.old = append(c.old, e.id)
		}
	}
	if it.all == nil {
		d.changes = append(d.changes, c)
		return
	}
	// Unmerged. Only the first tree, HEAD, is what the result is compared with:
	// the other side's version stands in the tree that is being merged.
	d.unmerged++
	c.old = nil
	if len(same) > 0 && same[0] != nil {
		c.old = []pack.OID{same[0].id}
	}
	for _, e := range it.all {
		c.id, c.mode, c.stage = e.oid(), e.mode, e.stage
		if !slices.Contains(c.old, c.id) && kindOf(c.mode) != pack.ModeGitlink {
			d.changes = append(d.changes, c)
		}
	}
}

// next gives the next name of the folder, whose path has n bytes.
func (s *side) next(it *item, n int) bool {
	if s.index == nil {
		if s.pos == len(s.tree) {
			return false
		}
		e := &s.tree[s.pos]
		s.pos++
		*it = item{name: e.name, mode: e.mode, id: e.id}
		return true
	}
	for s.lo < s.hi {
		e := &s.index.entries[s.lo]
		name := e.path[n:]
		if i := bytes.IndexByte(name, '/'); i >= 0 {
			s.folderItem(it, e, name[:i], n+i+1)
			return true
		}
		if e.intentToAdd {
			s.lo++ // only the name: a commit would not take the content
			continue
		}
		if e.stage == 0 {
			s.lo++
			*it = item{name: name, mode: e.mode, id: e.oid()}
			return true
		}
		end := s.lo + 1
		for end < s.hi && bytes.Equal(s.index.entries[end].path, e.path) {
			end++
		}
		*it = item{name: name, mode: e.mode, id: e.oid(), all: s.index.entries[s.lo:end]}
		s.lo = end
		return true
	}
	return false
}

// folderItem gives the folder that the entry e lies in, whose path has n bytes
// with its slash.
func (s *side) folderItem(it *item, e *indexEntry, name []byte, n int) {
	*it = item{name: name, mode: pack.ModeTree}
	if n == len(e.path) { // a sparse folder is one entry
		s.lo++
		it.id = e.oid()
		return
	}
	prefix := e.path[:n]
	inside := func(i int) bool { return i < s.hi && bytes.HasPrefix(s.index.entries[i].path, prefix) }
	node := s.node.find(name)
	end := 0
	if node != nil && node.count > 0 {
		end = s.lo + node.count
	}
	if end > s.lo && inside(end-1) && !inside(end) {
		it.id = node.id
	} else {
		// Not known, or not true: the tree counts for nothing.
		if node != nil {
			node = &cacheTree{count: -1, sub: node.sub}
		}
		end = s.lo + 1 + sort.Search(s.hi-s.lo-1, func(i int) bool { return !inside(s.lo + 1 + i) })
	}
	it.side = side{index: s.index, lo: s.lo, hi: end, node: node}
	s.lo = end
}

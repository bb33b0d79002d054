package source

import (
	"bytes"
	"fmt"
	"sort"

	"github.com/till-sh/till/scanner/pack"
)

// treeState is what a walk over trees remembers of a tree for the deltas made
// against it, as pack.Object.Value.
//
// The trees of a repository differ in one entry of hundreds: in git's own
// 380,000 trees there are 135 million entries, of which 550,000 are different.
// Reading all of them takes 6 s, most of it in parsing, so that entries that a
// delta copied are not parsed again. For that it must be known that the copied
// bytes began an entry in the base as well; guessing from the bytes would let a
// forged delta hide an entry.
type treeState struct {
	bounds []uint32 // where entries begin, in order, and where the last one ends
	kept   []keptEntry
}

// keptEntry is an entry that the walk looks for. The trees that have it share
// it: a thousand findings are some entries in each of 200,000 trees.
type keptEntry struct {
	at uint32
	*namedEntry
}

// namedEntry is an entry of a tree. It is never changed.
type namedEntry struct {
	name string
	mode uint32
	id   pack.OID
}

// visitTree calls entry for the entries of a tree that the walk has not seen in
// its base, keeps those for which it returns true (and those that the base
// kept, where they were copied), and sets o.Value. The entry is valid only
// during the call.
func visitTree(o *pack.Object, f pack.Format, entry func(e *pack.TreeEntry) bool) (*treeState, error) {
	v := treeVisit{data: o.Data, format: f, entry: entry, state: &treeState{}}
	if base, ok := baseState(o); ok {
		v.state.bounds = make([]uint32, 0, len(base.bounds)+4)
		for _, op := range o.Ops() {
			if err := v.op(op, base); err != nil {
				return nil, fmt.Errorf("read tree %s: %w", o.ID, err)
			}
		}
	}
	for v.pos < len(v.data) {
		if err := v.parse(); err != nil {
			return nil, fmt.Errorf("read tree %s: %w", o.ID, err)
		}
	}
	v.state.bounds = append(v.state.bounds, uint32(v.pos))
	o.Value = v.state
	return v.state, nil
}

// baseState returns what is known of the base of a tree.
func baseState(o *pack.Object) (*treeState, bool) {
	if o.Base == nil {
		return nil, false
	}
	base, ok := o.Base.Value.(*treeState)
	return base, ok && int(base.bounds[len(base.bounds)-1]) == len(o.Base.Data)
}

// treeVisit is one run of visitTree.
type treeVisit struct {
	data   []byte
	format pack.Format
	entry  func(e *pack.TreeEntry) bool
	state  *treeState
	pos    int // where the next entry begins
	it     pack.TreeIter
}

// parse reads the entry at pos.
func (v *treeVisit) parse() error {
	v.it = pack.IterTree(v.data[v.pos:], v.format)
	if !v.it.Next() {
		return v.it.Err()
	}
	e := v.it.Entry()
	v.state.bounds = append(v.state.bounds, uint32(v.pos))
	if v.entry(e) {
		v.state.kept = append(v.state.kept, keptEntry{uint32(v.pos), &namedEntry{string(e.Name), e.Mode, e.OID}})
	}
	v.pos += bytes.IndexByte(v.data[v.pos:], 0) + 1 + v.format.Size()
	return nil
}

// op goes on to the end of one instruction of the delta, or a little beyond.
func (v *treeVisit) op(op pack.Op, base *treeState) error {
	end := op.At + op.Len
	for v.pos < end {
		if op.Copied() && v.pos >= op.At && v.copied(op, base) {
			continue
		}
		if err := v.parse(); err != nil {
			return err
		}
	}
	return nil
}

// copied takes over the entries that lie whole in a copied stretch. It returns
// false when there are none, or the base had no entry beginning here.
func (v *treeVisit) copied(op pack.Op, base *treeState) bool {
	search := func(at int) int {
		return sort.Search(len(base.bounds), func(i int) bool { return int(base.bounds[i]) >= at })
	}
	shift := op.At - op.From
	first := search(v.pos - shift)
	if first == len(base.bounds) || int(base.bounds[first]) != v.pos-shift {
		return false
	}
	last := search(op.From + op.Len)
	if last == len(base.bounds) || int(base.bounds[last]) > op.From+op.Len {
		last--
	}
	if last <= first {
		return false
	}
	for _, b := range base.bounds[first:last] {
		v.state.bounds = append(v.state.bounds, uint32(int(b)+shift))
	}
	from, to := base.bounds[first], base.bounds[last]
	for _, k := range base.kept {
		if k.at >= from && k.at < to {
			k.at = uint32(int(k.at) + shift)
			v.state.kept = append(v.state.kept, k)
		}
	}
	v.pos = int(to) + shift
	return true
}

package pack

import (
	"bytes"
	"cmp"
	"container/heap"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"runtime/debug"
	"slices"
	"sync"
)

// plan is how one pack is walked: its objects, in the order of their offsets,
// and the trees that its deltas make of them. A node is a position in that
// order.
type plan struct {
	p    *packFile
	f    *file
	idx  *index
	hash bool // objects are to be hashed, there being no CRC to trust

	off      []int64
	pos      []uint32 // position in idx
	first    []uint32 // children of node i are children[first[i]:first[i+1]]
	children []uint32 // of these the one with the largest branch is last
	kind     []uint8  // the Type, if it is known already
	wanted   bitset   // to be passed on
	needed   bitset   // wanted, or the base of something needed
	roots    []uint32 // still to be walked
	large    int      // roots that are to be taken one by one, the first of all
	// unreadable says that nothing in the pack can be read: what it lists has
	// to be found elsewhere.
	unreadable bool
	cyclic     []uint32 // wanted, but no root leads there
}

type bitset []uint64

func newBitset(n int) bitset            { return make(bitset, (n+63)/64) }
func (b bitset) has(i uint32) bool      { return b[i/64]>>(i%64)&1 != 0 }
func (b bitset) set(i uint32)           { b[i/64] |= 1 << (i % 64) }
func isGone(err error) bool             { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errGone) }
func (pl *plan) id(node uint32) OID     { return pl.idx.id(int(pl.pos[node])) }
func (pl *plan) kids(n uint32) []uint32 { return pl.children[pl.first[n]:pl.first[n+1]] }

// next returns where the packed bytes of a node end at the latest.
func (pl *plan) next(node uint32) int64 {
	off := pl.off[node]
	for _, o := range pl.off[node+1:] {
		if o > off {
			return o
		}
	}
	return pl.p.end(pl.f)
}

// dropAfterHeaders is how many headers are read before the pages of the pack
// are given back: at some 500 bytes an object, some 16 MiB.
const dropAfterHeaders = 1 << 15

const (
	noBase  = math.MaxUint32     // stored whole, or not readable
	outside = math.MaxUint32 - 1 // base is not an object of this pack's index
)

// plan reads the headers of a pack's objects and finds the trees. It reports
// damage and returns what is sound.
func (w *walk) plan(p *packFile, dup bitset) *plan {
	pl, err := w.makePlan(p, dup)
	if err != nil {
		if isGone(err) { // three readings of the directory did not help
			err = fmt.Errorf("the pack vanishes as often as it is looked for: %w", err)
		}
		w.damaged(&CorruptError{Pack: p.name, Err: err})
		return &plan{p: p, idx: p.table(), unreadable: true}
	}
	return pl
}

func (w *walk) makePlan(p *packFile, dup bitset) (pl *plan, err error) {
	defer guardFault(debug.SetPanicOnFault(true), &err)
	f, err := p.open()
	if err != nil {
		return nil, err
	}
	pl = &plan{p: p, f: f, idx: p.table(), hash: w.opt.Verify}
	if p.doubt != nil {
		w.damaged(&CorruptError{Pack: p.name, Err: p.doubt})
		pl.hash = true
	}
	if !w.wantsAny(pl.idx, dup) {
		return pl, nil
	}
	if err := pl.idx.verify(); err != nil {
		w.damaged(&CorruptError{Pack: p.indexName(), Err: err})
		pl.hash = true
	}
	if pl.idx.crcs == nil {
		pl.hash = true
	}
	w.order(pl)
	parent, err := pl.readHeaders(w.opt.Workers)
	if err != nil {
		return nil, err
	}
	pl.link(parent)
	w.choose(pl, parent, dup)
	pl.largestFirst()
	return pl, nil
}

// largeRoot is how many packed bytes make an object so much work that it must not
// be the last to be begun.
const largeRoot = 8 << 20

// largestFirst puts large roots before all others.
func (pl *plan) largestFirst() {
	size := func(root uint32) int64 {
		if n := pl.next(root) - pl.off[root]; n >= largeRoot {
			return n
		}
		return 0
	}
	for _, r := range pl.roots {
		if size(r) > 0 {
			pl.large++
		}
	}
	if pl.large > 0 {
		slices.SortStableFunc(pl.roots, func(a, b uint32) int { return cmp.Compare(size(b), size(a)) })
	}
}

// wantsAny reports whether anything in a pack may be wanted: planning takes more
// time than asking.
func (w *walk) wantsAny(idx *index, dup bitset) bool {
	if w.opt.Want == nil {
		return true
	}
	for i := range idx.n {
		if (dup == nil || !dup.has(uint32(i))) && w.opt.Want(idx.id(i)) {
			return true
		}
	}
	return idx.n == 0
}

// order lists the objects by offset.
func (w *walk) order(pl *plan) {
	n := pl.idx.n
	type at struct {
		off int64
		pos uint32
	}
	all := make([]at, 0, n)
	for i := range n {
		all = append(all, at{pl.idx.offset(i), uint32(i)})
	}
	slices.SortFunc(all, func(a, b at) int {
		return cmp.Or(cmp.Compare(a.off, b.off), cmp.Compare(a.pos, b.pos))
	})
	pl.off, pl.pos = make([]int64, n), make([]uint32, n)
	for i, a := range all {
		pl.off[i], pl.pos[i] = a.off, a.pos
	}
}

// readHeaders returns the base of each node. That is the part of planning that
// takes time, and the other workers have nothing to do meanwhile, so it is
// shared among as many goroutines.
func (pl *plan) readHeaders(workers int) (parent []uint32, err error) {
	n := len(pl.off)
	parent = make([]uint32, n)
	pl.kind = make([]uint8, n)
	var wg sync.WaitGroup
	errs := make([]error, workers)
	for i := range workers {
		wg.Go(func() {
			defer guardFault(debug.SetPanicOnFault(true), &errs[i])
			from, to := n*i/workers, n*(i+1)/workers
			for k := from; k < to; k++ {
				parent[k] = pl.readHeader(k)
				if k-from == dropAfterHeaders {
					from = k
					pl.f.drop()
				}
			}
		})
	}
	wg.Wait()
	pl.f.drop()
	return parent, errors.Join(errs...)
}

// readHeader returns the base of a node, and sets its kind if it has none.
func (pl *plan) readHeader(i int) uint32 {
	off := pl.off[i]
	e, err := pl.p.entryAt(pl.f, off)
	if err != nil {
		return noBase // it is said when the node is read
	}
	var k int
	var ok bool
	switch e.kind {
	case ofsDelta:
		k, ok = slices.BinarySearch(pl.off[:i], e.base)
	case refDelta:
		pos := pl.idx.find(&e.ref)
		if pos < 0 {
			return outside
		}
		k, ok = slices.BinarySearch(pl.off, pl.idx.offset(pos))
	default:
		pl.kind[i] = e.kind
		return noBase
	}
	if !ok {
		return outside
	}
	return uint32(k)
}

// link makes the lists of children out of those of bases.
func (pl *plan) link(parent []uint32) {
	n := len(parent)
	pl.first = make([]uint32, n+1)
	for _, b := range parent {
		if b < outside {
			pl.first[b+1]++
		}
	}
	for i := range n {
		pl.first[i+1] += pl.first[i]
	}
	pl.children = make([]uint32, pl.first[n])
	fill := slices.Clone(pl.first[:n])
	for i, b := range parent {
		if b < outside {
			pl.children[fill[b]] = uint32(i)
			fill[b]++
		}
	}
}

// choose finds out what has to be read, and in which order.
func (w *walk) choose(pl *plan, parent []uint32, dup bitset) {
	n := len(parent)
	order := make([]uint32, 0, n) // bases before their children
	for i, b := range parent {
		if b >= outside {
			order = append(order, uint32(i))
		}
	}
	roots := len(order)
	for i := 0; i < len(order); i++ {
		order = append(order, pl.kids(order[i])...)
	}
	pl.wanted, pl.needed = newBitset(n), newBitset(n)
	for _, i := range order {
		if b := parent[i]; b < outside {
			pl.kind[i] = pl.kind[b]
		}
		w.want(pl, i, dup)
	}
	if len(order) < n {
		w.cycles(pl, order, dup)
	}
	weight := make([]uint32, n)
	for _, i := range slices.Backward(order) {
		if pl.wanted.has(i) {
			pl.needed.set(i)
		}
		heavy := -1
		kids := pl.kids(i)
		for k, c := range kids {
			if !pl.needed.has(c) {
				continue
			}
			pl.needed.set(i)
			weight[i] += weight[c]
			if heavy < 0 || weight[c] >= weight[kids[heavy]] {
				heavy = k
			}
		}
		weight[i]++
		if heavy >= 0 {
			last := len(kids) - 1
			kids[heavy], kids[last] = kids[last], kids[heavy]
		}
	}
	for _, i := range order[:roots] {
		if pl.needed.has(i) {
			pl.roots = append(pl.roots, i)
		}
	}
	if w.opt.Part.Count > 1 {
		pl.roots = pl.share(w.opt.Part, order, parent)
	}
}

// want marks a node that is to be passed on, so far as can be told.
func (w *walk) want(pl *plan, i uint32, dup bitset) {
	if t := Type(pl.kind[i]); t != 0 && !w.types.has(t) {
		return
	}
	if dup != nil && dup.has(pl.pos[i]) {
		return
	}
	if w.opt.Want != nil && !w.opt.Want(pl.id(i)) {
		return
	}
	pl.wanted.set(i)
}

// cycles finds the nodes that no root leads to.
func (w *walk) cycles(pl *plan, order []uint32, dup bitset) {
	reached := newBitset(len(pl.off))
	for _, i := range order {
		reached.set(i)
	}
	for i := range uint32(len(pl.off)) {
		if reached.has(i) || w.opt.Part.types(pl.id(i)) == 0 {
			continue
		}
		if w.want(pl, i, dup); pl.wanted.has(i) {
			pl.cyclic = append(pl.cyclic, i)
		}
	}
}

// findDuplicates returns for each table which of its positions hold an object
// that an earlier table, or an earlier position, holds too; nil for a table
// without any.
func findDuplicates(tables []*index) []bitset {
	dups := make([]bitset, len(tables))
	var h cursors
	for i, idx := range tables {
		if idx.n > 0 {
			h = append(h, cursor{idx: idx, table: i})
		}
	}
	if len(h) == 1 {
		// Nothing but an id that is listed twice could be found, which no
		// version of git writes on purpose.
		c := h[0]
		for i := 1; i < c.idx.n; i++ {
			if bytes.Equal(c.idx.rawID(i), c.idx.rawID(i-1)) {
				mark(dups, c.table, c.idx, i)
			}
		}
		return dups
	}
	heap.Init(&h)
	var last []byte
	for len(h) > 0 {
		c := &h[0]
		id := c.idx.rawID(c.at)
		if bytes.Equal(id, last) {
			mark(dups, c.table, c.idx, c.at)
		}
		last = id
		if c.at++; c.at < c.idx.n {
			heap.Fix(&h, 0)
		} else {
			heap.Pop(&h)
		}
	}
	return dups
}

func mark(dups []bitset, table int, idx *index, at int) {
	if dups[table] == nil {
		dups[table] = newBitset(idx.n)
	}
	dups[table].set(uint32(at))
}

// cursor is a position in a table, cursors a heap of them by id and then by the
// order of the tables.
type cursor struct {
	idx   *index
	table int
	at    int
}

type cursors []cursor

func (c cursors) Len() int      { return len(c) }
func (c cursors) Swap(i, j int) { c[i], c[j] = c[j], c[i] }
func (c cursors) Less(i, j int) bool {
	if d := bytes.Compare(c[i].idx.rawID(c[i].at), c[j].idx.rawID(c[j].at)); d != 0 {
		return d < 0
	}
	return c[i].table < c[j].table
}
func (c *cursors) Push(x any) { *c = append(*c, x.(cursor)) }
func (c *cursors) Pop() any {
	x := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return x
}

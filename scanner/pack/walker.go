package pack

import (
	"fmt"
	"hash/crc32"
	"math"
	"runtime/debug"
	"sync/atomic"
)

// walker is one worker of a walk.
type walker struct {
	*walk
	n     int
	sc    *scratch
	buf   buffers
	delta []byte // the delta at hand, inflated
	ops   []Op
	obj   Object
	base  Base

	onFault  bool  // what debug.SetPanicOnFault was
	mapped   int64 // packed bytes read since pages were given back last
	stack    []frame
	retained int64 // bytes of bases on the stack
	spare    []*handle
}

// handle is an object whose deltas are being made.
type handle struct {
	refs    atomic.Int32 // those who still need data
	node    uint32
	typ     Type
	state   handleState
	suspect bool // data may not be what the id says
	foreign bool // data came from elsewhere, and cannot be made again here
	told    bool // fn has seen it
	data    []byte
	value   any
}

type handleState uint8

const (
	whole   handleState = iota // data is the content
	dropped                    // data was given up to save memory
	large                      // over MaxObject: never in memory
	failed                     // damaged, and nowhere else to be had
)

// frame is a node whose children are being walked.
type frame struct {
	h    *handle
	kids []uint32 // those left
}

// dropAfter is how many packed bytes a worker reads before it gives the pages
// back.
const dropAfter = 8 << 20

func newWalker(w *walk, n int) *walker {
	return &walker{walk: w, n: n, sc: &scratch{h: newHasher(w.s.opt.Format)}}
}

func (w *walker) run() {
	if err := w.loop(); err != nil { // a fault outside of what belongs to one object
		w.stop(fmt.Errorf("walk object store: %w", err))
	}
}

func (w *walker) loop() (err error) {
	w.onFault = debug.SetPanicOnFault(true)
	defer guardFault(w.onFault, &err)
	for first := true; ; first = false {
		wk, ok := w.take(first)
		if !ok {
			return nil
		}
		switch {
		case wk.base != nil:
			h := w.visit(wk.pl, wk.child, wk.base)
			w.release(wk.base)
			w.descend(wk.pl, h)
		case wk.roots != nil:
			for _, r := range wk.roots {
				if w.halt.Load() {
					break
				}
				w.descend(wk.pl, w.visit(wk.pl, r, nil))
			}
		default:
			w.looseFolder(wk.fan)
		}
	}
}

// descend walks the tree under h, of which it takes over the reference.
func (w *walker) descend(pl *plan, h *handle) {
	w.push(pl, h)
	for len(w.stack) > 0 {
		if w.halt.Load() {
			for _, f := range w.stack {
				w.release(f.h)
			}
			w.stack, w.retained = w.stack[:0], 0
			return
		}
		if w.idle.Load() > 0 {
			w.share(pl)
		}
		f := &w.stack[len(w.stack)-1]
		for len(f.kids) > 0 && !pl.needed.has(f.kids[0]) {
			f.kids = f.kids[1:]
		}
		if len(f.kids) == 0 {
			w.pop()
			continue
		}
		child := f.kids[0]
		f.kids = f.kids[1:]
		base := f.h
		w.restore(pl, base)
		if len(f.kids) > 0 {
			w.push(pl, w.visit(pl, child, base))
			continue
		}
		// The last child, which has the largest branch: the base is not
		// needed while that is walked.
		h := w.visit(pl, child, base)
		w.pop()
		w.push(pl, h)
	}
}

// push begins with the children of h, or lets go of it if it has none.
func (w *walker) push(pl *plan, h *handle) {
	kids := pl.kids(h.node)
	if len(kids) == 0 {
		w.release(h)
		return
	}
	w.stack = append(w.stack, frame{h, kids})
	w.retained += int64(len(h.data))
	// Drop what will be needed last.
	limit := w.opt.Memory / int64(w.opt.Workers)
	for i := 0; w.retained > limit && i < len(w.stack)-1; i++ {
		d := w.stack[i].h
		if d.state == whole && !d.foreign && d.refs.Load() == 1 {
			w.retained -= int64(len(d.data))
			w.buf.put(d.data)
			d.data, d.state = nil, dropped
		}
	}
}

func (w *walker) pop() {
	f := w.stack[len(w.stack)-1]
	w.stack = w.stack[:len(w.stack)-1]
	w.retained -= int64(len(f.h.data))
	w.release(f.h)
}

func (w *walker) release(h *handle) {
	if h.refs.Add(-1) > 0 {
		return
	}
	if h.data != nil {
		w.buf.put(h.data)
	}
	h.data, h.value = nil, nil
	w.spare = append(w.spare, h)
}

func (w *walker) handle(node uint32) *handle {
	var h *handle
	if k := len(w.spare); k > 0 {
		h = w.spare[k-1]
		w.spare = w.spare[:k-1]
	} else {
		h = new(handle)
	}
	h.refs.Store(1)
	h.node, h.typ, h.state = node, 0, whole
	h.suspect, h.foreign, h.told = false, false, false
	return h
}

// share leaves a branch near the root of the tree to an idle worker.
func (w *walker) share(pl *plan) {
	for i := range w.stack {
		f := &w.stack[i]
		if f.h.state == dropped {
			continue
		}
		for len(f.kids) > 0 && !pl.needed.has(f.kids[0]) {
			f.kids = f.kids[1:]
		}
		if len(f.kids) == 0 || i == len(w.stack)-1 && len(f.kids) == 1 {
			continue
		}
		f.h.refs.Add(1)
		w.give(branch{pl, f.h, f.kids[0]})
		f.kids = f.kids[1:]
		return
	}
}

// restore makes the content of a dropped base again.
func (w *walker) restore(pl *plan, h *handle) {
	if h.state != dropped {
		return
	}
	err := func() (err error) {
		defer guardFault(debug.SetPanicOnFault(true), &err)
		_, h.data, err = w.s.resolve(w.st, w.sc, pl.p, pl.off[h.node], math.MaxInt64)
		return err
	}()
	if err != nil { // it was readable a moment ago
		h.state, h.data = failed, nil
		return
	}
	h.state = whole
	w.retained += int64(len(h.data))
}

// visit reads a node, whose base is given unless it is a root, and passes it on
// if it is wanted. The reference to the handle is the caller's.
func (w *walker) visit(pl *plan, node uint32, base *handle) *handle {
	h := w.handle(node)
	size, verified, err := w.read(pl, h, base)
	wanted := pl.wanted.has(node) && (h.typ == 0 || w.types.has(h.typ))
	var id OID
	if wanted || err != nil {
		id = pl.id(node)
	}
	if err == nil && !verified && h.state == whole {
		if !wanted {
			h.suspect = true
		} else if w.sc.h.object(h.typ, h.data) != id {
			// It may be the index that is wrong, and the content right for
			// the deltas against it, whose own hashes will tell.
			err = errHash
		}
	}
	if err != nil {
		t, data, other := w.elsewhere(pl, node, id)
		if other != nil {
			if h.suspect = true; err != errHash {
				h.state, h.data = failed, nil
			}
			if wanted {
				w.damaged(corrupt(id, place{p: pl.p, off: pl.off[node]}, err))
			}
			return h
		}
		h.typ, h.data, h.state, h.foreign = t, data, whole, true
		size, base = int64(len(data)), nil
		wanted = wanted && w.types.has(t)
	}
	if !wanted || w.halt.Load() {
		return h
	}
	o := &w.obj
	*o = Object{ID: id, Type: h.typ, Size: size, Data: h.data, store: w.s, w: w}
	w.ops = w.ops[:0]
	if !h.foreign {
		o.Pack = pl.p.name
	}
	if base != nil && base.state == whole && h.state == whole {
		w.base = Base{ID: pl.id(base.node), Data: base.data, Passed: base.told, Value: base.value}
		o.Base = &w.base
		_, _, o.delta, _ = deltaSizes(w.delta)
	}
	w.call()
	h.value, h.told = o.Value, true
	return h
}

// call passes on w.obj.
func (w *walker) call() {
	debug.SetPanicOnFault(w.onFault) // what fn does is not for us to catch
	if err := w.fn(w.n, &w.obj); err != nil {
		w.stop(err)
	}
	debug.SetPanicOnFault(true)
}

// read makes the content of a node. It reports whether the content is known to
// be what the id says.
func (w *walker) read(pl *plan, h *handle, base *handle) (size int64, verified bool, err error) {
	defer guardFault(debug.SetPanicOnFault(true), &err)
	if base != nil && base.state == failed {
		return 0, false, errBaseDamaged
	}
	defer func() {
		if base != nil && base.suspect {
			verified = false
		}
	}()
	off := pl.off[h.node]
	e, err := pl.p.entryAt(pl.f, off)
	if err != nil {
		return 0, false, err
	}
	end := pl.next(h.node)
	if w.mapped += end - off; w.mapped > dropAfter {
		w.mapped = 0
		pl.f.drop()
	}
	max := w.s.opt.MaxObject
	// What is too large to be in memory is hashed where it is streamed.
	if streamed := Type(e.kind).valid() && e.size > max; !pl.hash && !streamed {
		if verified, err = w.checkCRC(pl, h.node, end); err != nil {
			return 0, false, err
		}
	}
	if !verified {
		end = pl.p.end(pl.f) // where the next begins need not be true either
	}
	switch t := Type(e.kind); {
	case t.valid():
		h.typ = t
		if err := e.plausible(end); err != nil {
			return 0, false, err
		}
		if e.size > max {
			h.state = large
			return e.size, verified, nil
		}
		if e.size <= believed {
			h.data = w.buf.get(int(e.size) + inflateSlack)
		}
		h.data, err = pl.p.inflateEntry(pl.f, &w.sc.z, &e, end, h.data, verified)
		return e.size, verified, err
	case base == nil || base.state == large || e.size > max:
		// The base is not at hand: an entry of another pack, or loose, or too
		// large to be kept.
		return w.readApart(pl, h)
	}
	h.typ = base.typ
	if err := e.plausible(end); err != nil {
		return 0, false, err
	}
	switch {
	case e.size > believed:
		w.delta = nil
	case int64(cap(w.delta)) < e.size+inflateSlack || cap(w.delta) > 1<<20:
		w.delta = make([]byte, e.size+e.size/2+inflateSlack)
	}
	if w.delta, err = pl.p.inflateEntry(pl.f, &w.sc.z, &e, end, w.delta, verified); err != nil {
		return 0, false, err
	}
	baseSize, size, ops, err := deltaSizes(w.delta)
	switch {
	case err != nil:
		return 0, false, err
	case baseSize != int64(len(base.data)):
		return 0, false, errDeltaBase
	}
	if err := checkResult(ops, baseSize, size); err != nil {
		return 0, false, err
	}
	if size > max {
		h.state = large
		return size, verified, nil
	}
	h.data = w.buf.get(int(size))
	return size, verified, applyOps(h.data, base.data, ops)
}

// checkCRC compares the packed bytes of a node with the CRC in the index. A
// difference need not be damage of the object, so it is left to its hash to
// tell.
func (w *walker) checkCRC(pl *plan, node uint32, end int64) (bool, error) {
	want, ok := pl.idx.crc(int(pl.pos[node]))
	if !ok {
		return false, nil
	}
	b, err := pl.f.bytes(pl.off[node], end-pl.off[node])
	if err != nil {
		return false, err
	}
	return crc32.ChecksumIEEE(b) == want, nil
}

// readApart makes the content of a node from its root, for itself.
func (w *walker) readApart(pl *plan, h *handle) (size int64, verified bool, err error) {
	t, size, err := w.s.packedHeader(w.st, w.sc, pl.p, pl.off[h.node])
	if err != nil {
		return 0, false, err
	}
	h.typ = t
	if !w.types.has(t) && len(pl.kids(h.node)) == 0 {
		return size, true, nil
	}
	if size > w.s.opt.MaxObject {
		h.state = large
		return size, false, nil
	}
	w.s.huge.Lock()
	defer w.s.huge.Unlock()
	_, h.data, err = w.s.resolve(w.st, w.sc, pl.p, pl.off[h.node], w.s.opt.MaxObject)
	return size, false, err
}

// salvage looks elsewhere for the objects that a plan has no way to.
func (w *walker) salvage(pl *plan, dup bitset) {
	for _, node := range pl.cyclic {
		id := pl.id(node)
		t, data, err := w.elsewhere(pl, node, id)
		if err != nil {
			w.damaged(corrupt(id, place{p: pl.p, off: pl.off[node]}, errCycle))
			continue
		}
		w.passApart(id, t, data)
	}
	if !pl.unreadable {
		return
	}
	// The pack as a whole has been reported; its objects are not, one by one.
	for i := range uint32(pl.idx.n) {
		if w.halt.Load() {
			return
		}
		id := pl.idx.id(int(i))
		if dup != nil && dup.has(i) || w.opt.Part.types(id) == 0 || w.opt.Want != nil && !w.opt.Want(id) {
			continue
		}
		if t, data, err := w.elsewhere(pl, i, id); err == nil {
			w.passApart(id, t, data)
		}
	}
}

// passApart passes on an object that was read for itself.
func (w *walker) passApart(id OID, t Type, data []byte) {
	if !(w.types & w.opt.Part.types(id)).has(t) || w.halt.Load() {
		return
	}
	w.obj = Object{ID: id, Type: t, Size: int64(len(data)), Data: data, store: w.s, w: w}
	w.call()
}

// elsewhere reads another copy of a node's object.
func (w *walker) elsewhere(pl *plan, node uint32, id OID) (t Type, data []byte, err error) {
	var off int64
	if pl.off != nil {
		off = pl.off[node]
	}
	err = errBaseMissing
	w.s.places(w.st, id, func(pl2 place) bool {
		if pl2.p == pl.p && (pl2.off == off || pl.off == nil) {
			return false
		}
		t, data, err = w.s.getGuarded(w.st, w.sc, &id, pl2)
		return err == nil
	})
	return t, data, err
}

package pack

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"runtime/debug"
)

// maxChain bounds the chain of deltas that Get follows. Git makes none longer
// than 4095 (pack.depth) and by default none longer than 50.
const maxChain = 10000

// scratch is what one call at a time needs to work with.
type scratch struct {
	z     inflater
	h     *hasher
	chain []link
	delta []byte // an inflated delta
	file  []byte // a loose object's file
}

// link is one step of a chain of deltas.
type link struct {
	p *packFile
	f *file
	entry
}

// place is where an object stands: at an offset of a pack, or in a file.
type place struct {
	p    *packFile // nil: loose
	off  int64
	path string
}

// errGone means that a file has vanished since the directories were listed.
var errGone = errors.New("file has vanished")

// each calls try with the places where an object stands until one succeeds,
// and returns nil then. Otherwise it returns the first failure as a
// *CorruptError (ErrTooLarge as it is) or, when there is no such place, an
// ErrNotFound.
func (s *Store) each(id OID, try func(*state, *scratch, place) error) error {
	sc := s.pool.Get().(*scratch)
	defer s.pool.Put(sc)
	st := s.state.Load()
	gone, err := s.tryAll(st, sc, id, try)
	switch {
	case err == nil || errors.Is(err, ErrTooLarge):
		return err
	case err == errFault:
		return &CorruptError{OID: id, Pack: "an index", Err: err}
	}
	if again, changed := s.reload(st, gone); changed {
		_, err = s.tryAll(again, sc, id, try)
	}
	return err
}

func (s *Store) tryAll(st *state, sc *scratch, id OID, try func(*state, *scratch, place) error) (gone bool, err error) {
	defer guardFault(debug.SetPanicOnFault(true), &err) // in an index
	var first error
	done := s.places(st, id, func(pl place) bool {
		err := guarded(st, sc, pl, try)
		if err == nil {
			first = nil
			return true
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errGone) {
			gone = gone || pl.p != nil
			return false
		}
		if errors.Is(err, ErrTooLarge) {
			first = fmt.Errorf("read object %s: %w", id, ErrTooLarge)
		} else if first == nil {
			first = corrupt(id, pl, err)
		}
		return false
	})
	switch {
	case done:
		return false, nil
	case first != nil:
		return gone, first
	}
	for _, p := range st.damage() {
		return gone, &CorruptError{OID: id, Pack: p.Pack, Offset: p.Offset, Err: fmt.Errorf("not found elsewhere, and this cannot be read: %w", p.Err)}
	}
	return gone, fmt.Errorf("read object %s: %w", id, ErrNotFound)
}

func guarded(st *state, sc *scratch, pl place, try func(*state, *scratch, place) error) (err error) {
	defer guardFault(debug.SetPanicOnFault(true), &err)
	return try(st, sc, pl)
}

// corrupt says where an error happened, unless it says so itself.
func corrupt(id OID, pl place, err error) *CorruptError {
	if c, ok := err.(*CorruptError); ok && c.OID == id {
		return c
	}
	c := &CorruptError{OID: id, Err: err}
	if pl.p != nil {
		c.Pack, c.Offset = pl.p.name, pl.off
	}
	return c
}

// places calls yield with the places of an object until it returns true.
func (s *Store) places(st *state, id OID, yield func(place) bool) bool {
	last := s.last.Load()
	visit := func(p *packFile) bool {
		i := p.idx.find(&id)
		if i < 0 || !yield(place{p: p, off: p.idx.offset(i)}) {
			return false
		}
		if p != last {
			s.last.Store(p)
		}
		return true
	}
	if last != nil && visit(last) {
		return true
	}
	for _, p := range st.packs {
		if p != last && visit(p) {
			return true
		}
	}
	if int(id.n) == s.opt.Format.Size() {
		for _, dir := range st.dirs {
			if yield(place{path: loosePath(dir, &id)}) {
				return true
			}
		}
	}
	for _, p := range st.bare {
		idx := s.bareIndex(st, p)
		if i := idx.find(&id); i >= 0 && yield(place{p: p, off: idx.offset(i)}) {
			return true
		}
	}
	return false
}

// Get returns one object. The slice is the caller's. Errors: ErrNotFound,
// ErrTooLarge (see Stream) or a *CorruptError. The content is verified against
// the id. Where the first copy of an object is damaged, others are tried.
//
// Beside the result Get needs memory for a delta and its base, of which none is
// larger than four times MaxObject, and 32 MiB for the whole store, where it
// keeps bases for the next call.
func (s *Store) Get(id OID) (Type, []byte, error) { return s.GetInto(nil, id) }

// GetInto is Get, and may put the content into the memory of buf, up to its
// capacity: that of a loose object, which most of what was just added is.
func (s *Store) GetInto(buf []byte, id OID) (Type, []byte, error) {
	var t Type
	var data []byte
	err := s.each(id, func(st *state, sc *scratch, pl place) (err error) {
		t, data, err = s.getPlace(st, sc, &id, pl, buf)
		return err
	})
	if err != nil {
		return 0, nil, err
	}
	return t, data, nil
}

func (s *Store) getPlace(st *state, sc *scratch, id *OID, pl place, buf []byte) (Type, []byte, error) {
	if pl.p == nil {
		t, _, data, err := s.readLoose(sc, pl.path, id, buf, s.opt.MaxObject, allTypes)
		return t, data, err
	}
	t, data, err := s.resolve(st, sc, pl.p, pl.off, s.opt.MaxObject)
	if err == nil && sc.h.object(t, data) != *id {
		err = errHash
	}
	return t, data, err
}

func (s *Store) getGuarded(st *state, sc *scratch, id *OID, pl place) (t Type, data []byte, err error) {
	defer guardFault(debug.SetPanicOnFault(true), &err)
	return s.getPlace(st, sc, id, pl, nil)
}

// Has reports whether the store holds an object. It does not read it.
func (s *Store) Has(id OID) (found bool) {
	var fault error // leaves found false
	defer guardFault(debug.SetPanicOnFault(true), &fault)
	st := s.state.Load()
	has := func(pl place) bool {
		if pl.p != nil {
			return true
		}
		fi, err := os.Stat(pl.path)
		return err == nil && fi.Mode().IsRegular()
	}
	if s.places(st, id, has) {
		return true
	}
	again, changed := s.reload(st, false)
	return changed && s.places(again, id, has)
}

// Header returns the type and the size in bytes of an object, of which it
// inflates no more than a few bytes. The content is not verified. Errors are as
// for Get, without ErrTooLarge.
func (s *Store) Header(id OID) (Type, int64, error) {
	var t Type
	var size int64
	err := s.each(id, func(st *state, sc *scratch, pl place) (err error) {
		if pl.p == nil {
			t, size, err = s.looseHeader(sc, pl.path)
		} else {
			t, size, err = s.packedHeader(st, sc, pl.p, pl.off)
		}
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	return t, size, nil
}

func (s *Store) packedHeader(st *state, sc *scratch, p *packFile, off int64) (Type, int64, error) {
	base, err := s.follow(st, sc, p, off)
	if err != nil {
		return 0, 0, err
	}
	t := base.typ
	if base.path != "" {
		if t, _, err = s.looseHeader(sc, base.path); err != nil {
			return 0, 0, err
		}
	}
	if len(sc.chain) == 0 {
		return t, base.size, nil
	}
	l := &sc.chain[0]
	var head [20]byte // two sizes of up to ten bytes
	src, err := l.f.bytes(l.data, min(1024, l.p.end(l.f)-l.data))
	if err != nil {
		return 0, 0, err
	}
	n, err := sc.z.prefix(head[:], src)
	if err != nil && n == 0 {
		return 0, 0, err
	}
	_, size, _, err := deltaSizes(head[:n])
	return t, size, err
}

// root is the end of a chain of deltas: an entry of a pack, a base remembered
// from before, or a loose object.
type root struct {
	typ  Type
	size int64
	data []byte // remembered; not to be written to
	path string // loose
	id   OID    // loose
	link link
}

// follow collects the deltas from off down to the root of the chain in
// sc.chain, the first being the one at off.
func (s *Store) follow(st *state, sc *scratch, p *packFile, off int64) (root, error) {
	sc.chain = sc.chain[:0]
	for {
		if t, data, ok := s.base.get(baseKey{p, off}); ok {
			return root{typ: t, size: int64(len(data)), data: data}, nil
		}
		f, err := p.open()
		if err != nil {
			return root{}, err
		}
		e, err := p.entryAt(f, off)
		if err != nil {
			return root{}, err
		}
		l := link{p, f, e}
		if t := Type(e.kind); t.valid() {
			return root{typ: t, size: e.size, link: l}, nil
		}
		if len(sc.chain) >= maxChain {
			return root{}, errChainLong
		}
		sc.chain = append(sc.chain, l)
		if e.kind == ofsDelta {
			off = e.base
			continue
		}
		if o, ok := p.find(&e.ref); ok {
			if off = o; looped(sc, p, off) {
				return root{}, errCycle
			}
			continue
		}
		r, found := root{}, false
		s.places(st, e.ref, func(pl place) bool {
			if pl.p == nil {
				if _, err := os.Stat(pl.path); err != nil {
					return false
				}
				r, found = root{path: pl.path, id: e.ref}, true
				return true
			}
			if pl.p == p || looped(sc, pl.p, pl.off) {
				return false
			}
			p, off = pl.p, pl.off
			return true
		})
		switch {
		case found:
			return r, nil
		case p == l.p:
			return root{}, errBaseMissing
		}
	}
}

// looped reports whether the chain has been at a place before.
func looped(sc *scratch, p *packFile, off int64) bool {
	// A pass over the chain for each ref-delta: where they are many, their
	// chain is as short as any.
	for i := range sc.chain {
		if sc.chain[i].p == p && sc.chain[i].off == off {
			return true
		}
	}
	return false
}

// maxBase is the size up to which a base, or an object for Stream, is put
// together in memory.
func (s *Store) maxBase() int64 {
	if s.opt.MaxObject > math.MaxInt64/deltaLimit {
		return math.MaxInt64
	}
	return s.opt.MaxObject * deltaLimit
}

// resolve makes the object at off, in new memory, unless it is over the limit
// or one of its bases over maxBase.
func (s *Store) resolve(st *state, sc *scratch, p *packFile, off int64, limit int64) (Type, []byte, error) {
	r, err := s.follow(st, sc, p, off)
	if err != nil {
		return 0, nil, err
	}
	chain := sc.chain
	bound := limit
	if len(chain) > 0 {
		bound = s.maxBase()
	}
	data, shared := r.data, r.data != nil
	switch {
	case shared:
		if int64(len(data)) > bound {
			return r.typ, nil, ErrTooLarge
		}
	case r.path != "":
		if r.typ, _, data, err = s.readLoose(sc, r.path, &r.id, nil, bound, allTypes); err != nil {
			return 0, nil, &CorruptError{OID: r.id, Err: err}
		}
	case r.size > bound:
		return r.typ, nil, ErrTooLarge
	default:
		if data, err = r.link.p.inflateEntry(r.link.f, &sc.z, &r.link.entry, r.link.p.end(r.link.f), nil, false); err != nil {
			return 0, nil, err
		}
		if len(chain) > 0 {
			shared = s.base.put(baseKey{r.link.p, r.link.off}, r.typ, data)
		}
	}
	for i := len(chain) - 1; i >= 0; i-- {
		l := &chain[i]
		if l.size > s.maxBase() {
			return 0, nil, ErrTooLarge
		}
		if sc.delta, err = l.p.inflateEntry(l.f, &sc.z, &l.entry, l.p.end(l.f), sc.delta, false); err != nil {
			return 0, nil, err
		}
		if i == 0 {
			bound = limit
		}
		if data, err = applyDelta(nil, data, sc.delta, bound); err != nil {
			return 0, nil, err
		}
		shared = false
		if i > 0 {
			s.base.put(baseKey{l.p, l.off}, r.typ, data)
		}
	}
	if cap(sc.delta) > maxLooseRead {
		sc.delta = nil // do not hold a large buffer for good
	}
	if shared { // the object asked for is a base that was made before
		data = append([]byte(nil), data...)
	}
	return r.typ, data, nil
}

package pack

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"runtime/debug"
	"slices"

	"github.com/klauspost/compress/zlib"
)

// A pack without an index is one that git does not see: left over from an
// interrupted push or copy, or caught just before its index gets its name. What
// is in it can still leak, so it is read, by doing what git index-pack does:
// inflating it from front to back to learn where its objects begin, and hashing
// them to learn their names. That costs as much as reading the pack, once, and
// only when an object is found nowhere else or everything is walked.

// bareIndex returns the index of a pack that has none, making it at the first
// call. The index is never nil; it lists what could be read. For the rest see
// bareDamage.
func (s *Store) bareIndex(st *state, p *packFile) *index {
	p.bareMu.Lock()
	defer p.bareMu.Unlock()
	if p.bareIdx != nil {
		return p.bareIdx
	}
	sc := s.pool.Get().(*scratch)
	defer s.pool.Put(sc)
	b := bareScan{s: s, p: p, sc: sc, st: &state{dirs: st.dirs, packs: st.packs}}
	p.partial = map[OID]int64{}
	if err := b.run(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		b.damaged(0, err)
	}
	p.partial = nil
	p.bareErrs = b.errs
	p.bareIdx = newTable(s.opt.Format, b.found)
	p.bareIdx.addCRCs(b.found) // so that Walk need not hash everything again
	return p.bareIdx
}

// bareDamage returns what bareIndex came across; nothing before it has run.
func (p *packFile) bareDamage() []*CorruptError {
	p.bareMu.Lock()
	defer p.bareMu.Unlock()
	return p.bareErrs
}

// bareScan is the making of one index.
type bareScan struct {
	s     *Store
	p     *packFile
	f     *file
	st    *state // where else bases may be
	sc    *scratch
	buf   []byte
	end   int64 // of the last entry
	found []tableEntry
	errs  []*CorruptError
}

func (b *bareScan) damaged(off int64, err error) {
	b.errs = append(b.errs, &CorruptError{Pack: b.p.name, Offset: off, Err: err})
}

func (b *bareScan) run() (err error) {
	defer guardFault(debug.SetPanicOnFault(true), &err)
	if b.f, err = b.p.open(); err != nil {
		return err
	}
	entries, err := b.scan()
	if err != nil {
		return err
	}
	// Deltas wait for their base: by offset, or by the id that it turns out
	// to have.
	byOff := map[int64][]int{}
	byRef := map[OID][]int{}
	var ready []int
	for i := range slices.Backward(entries) {
		switch e := &entries[i]; e.kind {
		case ofsDelta:
			byOff[e.base] = append(byOff[e.base], i)
		case refDelta:
			byRef[e.ref] = append(byRef[e.ref], i)
		default:
			ready = append(ready, i)
		}
	}
	done := make([]bool, len(entries))
	end := func(i int) int64 {
		if i+1 < len(entries) {
			return entries[i+1].off
		}
		return b.end
	}
	settle := func() {
		for len(ready) > 0 {
			i := ready[len(ready)-1]
			ready = ready[:len(ready)-1]
			off := entries[i].off
			done[i] = true
			id, crc, err := b.name(&entries[i], end(i))
			if err != nil {
				b.damaged(off, err)
				continue
			}
			if len(b.found)%dropAfterHeaders == 0 {
				b.f.drop()
			}
			b.found = append(b.found, tableEntry{id, off, crc})
			if _, twice := b.p.partial[id]; !twice {
				b.p.partial[id] = off
			}
			ready = append(append(ready, byOff[off]...), byRef[id]...)
			delete(byOff, off)
			delete(byRef, id)
		}
	}
	settle()
	// What still waits has its base elsewhere, as in a thin pack.
	for i := range entries {
		e := &entries[i]
		if done[i] || e.kind != refDelta || len(byRef[e.ref]) == 0 {
			continue
		}
		if b.s.places(b.st, e.ref, func(place) bool { return true }) {
			ready = append(ready, byRef[e.ref]...)
			delete(byRef, e.ref)
			settle()
		}
	}
	for i := range entries {
		if !done[i] {
			b.damaged(entries[i].off, errBaseMissing)
		}
	}
	return nil
}

// scan finds the entries of the pack. It stops at the first that cannot be
// inflated, because only its end tells where the next begins.
func (b *bareScan) scan() ([]entry, error) {
	n, err := readPackHeader(b.f)
	if err != nil {
		return nil, err
	}
	end := b.p.end(b.f)
	var entries []entry
	off := int64(packHeader)
	for i := range n {
		e, err := b.p.entryAt(b.f, off)
		var packed int64
		if err == nil {
			packed, err = b.skip(&e, end)
		}
		if err != nil {
			b.damaged(off, fmt.Errorf("%w (object %d of %d; the pack has no index to find the next)", err, i+1, n))
			return entries, nil
		}
		if entries = append(entries, e); i%dropAfterHeaders == 0 {
			b.f.drop()
		}
		off = e.data + packed
		b.end = off
	}
	if off != end {
		b.damaged(off, errors.New("garbage after the last object"))
		return entries, nil
	}
	h := b.s.opt.Format.new()
	if _, err := io.Copy(h, b.f.reader(0, end)); err != nil {
		return nil, err
	}
	sum, err := b.f.bytes(end, b.f.size-end)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(h.Sum(nil), sum) {
		b.damaged(0, errors.New("checksum of the pack does not match"))
	}
	return entries, nil
}

// skip inflates an entry and returns how many packed bytes it takes.
func (b *bareScan) skip(e *entry, end int64) (int64, error) {
	if err := e.plausible(end); err != nil {
		return 0, err
	}
	if e.size <= believed && b.f.f == nil {
		src, err := b.f.bytes(e.data, end-e.data)
		if err != nil {
			return 0, err
		}
		if int64(cap(b.buf)) < e.size+inflateSlack {
			b.buf = make([]byte, e.size+e.size/2+inflateSlack)
		}
		_, n, err := b.sc.z.into(b.buf, e.size, src, false)
		return int64(n), err
	}
	src := &countingReader{r: b.f.reader(e.data, end-e.data)}
	z, err := zlib.NewReader(src)
	if err != nil {
		return 0, zlibError(err)
	}
	k, err := io.Copy(io.Discard, z)
	switch {
	case err != nil:
		return 0, zlibError(err)
	case k > e.size:
		return 0, errLonger
	case k < e.size:
		return 0, errShorter
	}
	return src.n, nil
}

// name computes the id of an entry whose base is known, and the CRC of its packed
// bytes, which end at end.
func (b *bareScan) name(e *entry, end int64) (id OID, crc uint32, err error) {
	packed, err := b.f.bytes(e.off, end-e.off)
	if err != nil {
		return OID{}, 0, err
	}
	crc = crc32.ChecksumIEEE(packed)
	h := b.sc.h
	if t := Type(e.kind); t.valid() && e.size > b.s.opt.MaxObject {
		z, err := zlib.NewReader(b.f.reader(e.data, end-e.data))
		if err != nil {
			return OID{}, 0, zlibError(err)
		}
		h.start(t, e.size)
		if _, err := io.Copy(h.h, z); err != nil {
			return OID{}, 0, zlibError(err)
		}
		return h.sum(), crc, nil
	}
	t, data, err := b.s.resolve(b.st, b.sc, b.p, e.off, b.s.maxBase())
	if err != nil {
		return OID{}, 0, err
	}
	return h.object(t, data), crc, nil
}

// countingReader counts what is read through it, byte by byte if need be, so
// that a flate reader takes no more than it needs.
type countingReader struct {
	r    io.Reader
	n    int64
	buf  [4096]byte
	have []byte
}

func (c *countingReader) ReadByte() (byte, error) {
	if len(c.have) == 0 {
		n, err := c.r.Read(c.buf[:])
		if n == 0 {
			if err == nil {
				err = io.ErrNoProgress
			}
			return 0, err
		}
		c.have = c.buf[:n]
	}
	b := c.have[0]
	c.have = c.have[1:]
	c.n++
	return b, nil
}

func (c *countingReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(c.have) == 0 {
		b, err := c.ReadByte()
		if err != nil {
			return 0, err
		}
		p[0] = b
		return 1, nil
	}
	n := copy(p, c.have)
	c.have = c.have[n:]
	c.n += int64(n)
	return n, nil
}

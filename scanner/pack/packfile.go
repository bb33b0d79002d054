package pack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// packHeader is the length of the header of a pack: "PACK", version, number of
// objects.
const packHeader = 12

// packFile is one pack with its index. Safe for concurrent use.
type packFile struct {
	format Format
	name   string // "pack-….pack"
	path   string
	idx    *index // nil for a pack without; see Store.bareIndex
	idxRaw *file  // holds idx; nil for a table in memory
	multi  bool   // idx comes from the multi-pack-index and need not list every object

	idxErr  error // why the .idx file cannot be read; idx is nil then
	idxTime time.Time

	mu     sync.Mutex
	opened bool
	file   *file
	err    error // why the pack cannot be read at all
	// doubt says why the pack and its index may not belong together; the pack
	// is read all the same, and every object hashed.
	doubt error

	bareMu   sync.Mutex // held while the index of a bare pack is made
	bareIdx  *index
	bareErrs []*CorruptError
	partial  map[OID]int64 // what is known while that goes on
}

// table returns the index of the pack; for a bare one bareIndex must have run.
func (p *packFile) table() *index {
	if p.idx != nil {
		return p.idx
	}
	return p.bareIdx
}

func (p *packFile) indexName() string {
	return strings.TrimSuffix(p.name, ".pack") + ".idx"
}

// find returns where the pack holds an object.
func (p *packFile) find(id *OID) (off int64, ok bool) {
	idx := p.idx
	if idx == nil {
		if p.partial != nil {
			off, ok = p.partial[*id]
			return off, ok
		}
		idx = p.bareIdx
	}
	if i := idx.find(id); i >= 0 {
		return idx.offset(i), true
	}
	return 0, false
}

// failed reports whether the pack could not be opened.
func (p *packFile) failed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err != nil
}

// open maps the pack, once. Git's own checks of whether pack and index belong
// together are made here, but a pack that fails them is still read as far as it
// goes: its objects are hashed then.
func (p *packFile) open() (*file, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.opened {
		return p.file, p.err
	}
	p.opened = true
	f, err := openFile(p.path)
	if err != nil {
		p.err = err
		return nil, err
	}
	n, err := readPackHeader(f)
	if err != nil {
		f.close()
		p.err = err
		return nil, err
	}
	p.file = f
	if p.idx == nil {
		return f, nil
	}
	if !p.multi && int64(n) != int64(p.idx.n) {
		p.doubt = fmt.Errorf("the pack holds %d objects, its index lists %d", n, p.idx.n)
	} else if p.idx.packSum != nil {
		size := int64(p.format.Size())
		if end, err := f.bytes(max(0, f.size-size), size); err != nil || string(end) != string(p.idx.packSum) {
			p.doubt = errors.New("the pack is truncated, or not the one that its index was made for")
		}
	}
	return f, nil
}

func (p *packFile) indexPath() string {
	return strings.TrimSuffix(p.path, ".pack") + ".idx"
}

// openIndex maps and parses the index of the pack, or sets idxErr.
func (p *packFile) openIndex() {
	if st, err := os.Stat(p.indexPath()); err == nil {
		p.idxTime = st.ModTime()
	}
	f, err := openFile(p.indexPath())
	if err == nil {
		p.idx, err = readIndex(f, p.format)
	}
	if p.idxRaw, p.idxErr = f, err; err != nil && f != nil {
		f.close()
		p.idxRaw = nil
	}
}

func readIndex(f *file, format Format) (x *index, err error) {
	defer guardFault(debug.SetPanicOnFault(true), &err)
	b, err := f.bytes(0, f.size)
	if err != nil {
		return nil, err
	}
	return parseIndex(b, format)
}

// current reports whether the pack is still as it was when it was listed, now
// that it has an .idx file or not.
func (p *packFile) current(hasIndex bool) bool {
	switch {
	case p.failed():
		return false
	case p.idxErr != nil && hasIndex: // making an index of one's own is not to be done in vain
		st, err := os.Stat(p.indexPath())
		return err == nil && st.ModTime().Equal(p.idxTime)
	case p.idx != nil:
		return hasIndex || p.multi
	}
	return !hasIndex
}

func readPackHeader(f *file) (objects uint32, err error) {
	defer guardFault(debug.SetPanicOnFault(true), &err)
	b, err := f.bytes(0, packHeader)
	if err != nil {
		return 0, err
	}
	if len(b) < packHeader {
		return 0, errTruncated
	}
	if string(b[:4]) != "PACK" {
		return 0, errors.New("not a pack")
	}
	if v := binary.BigEndian.Uint32(b[4:]); v != 2 && v != 3 {
		return 0, fmt.Errorf("unknown pack version %d", v)
	}
	return binary.BigEndian.Uint32(b[8:]), nil
}

func (p *packFile) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	if p.file != nil {
		errs = append(errs, p.file.close())
		p.file = nil
	}
	p.opened, p.err = true, errClosed
	if p.idxRaw != nil {
		errs = append(errs, p.idxRaw.close())
		p.idxRaw = nil
	}
	return errors.Join(errs...)
}

// entry is the header of an object in a pack.
type entry struct {
	kind uint8 // a Type, ofsDelta or refDelta
	size int64 // of what is deflated: the content, or the delta
	off  int64 // where the header begins
	data int64 // where the deflated bytes begin
	base int64 // ofsDelta: where the base begins
	ref  OID   // refDelta: the base
}

// maxEntryHeader is the length of the longest header: a 64-bit size at 4 and
// then 7 bits a byte, and an id (a 64-bit distance is shorter).
const maxEntryHeader = 10 + 32

// entryAt reads the header of the object at off.
func (p *packFile) entryAt(f *file, off int64) (entry, error) {
	end := f.size - int64(p.format.Size()) // the checksum of the pack follows the last object
	if off < packHeader || off >= end {
		return entry{}, fmt.Errorf("offset %d is outside the pack", off)
	}
	b, err := f.bytes(off, min(maxEntryHeader, end-off))
	if err != nil {
		return entry{}, err
	}
	return parseEntry(b, off, p.format)
}

func parseEntry(b []byte, off int64, format Format) (entry, error) {
	if len(b) == 0 {
		return entry{}, errTruncated
	}
	c := b[0]
	e := entry{kind: c >> 4 & 7, size: int64(c & 15), off: off}
	i := 1
	for shift := 4; c&0x80 != 0; shift += 7 {
		if i >= len(b) {
			return e, errTruncated
		}
		c = b[i]
		i++
		v := int64(c & 0x7f)
		if shift > 62 || v<<shift>>shift != v {
			return e, errors.New("size of the object is over 63 bits")
		}
		e.size |= v << shift
	}
	switch e.kind {
	case uint8(TypeCommit), uint8(TypeTree), uint8(TypeBlob), uint8(TypeTag):
	case ofsDelta:
		if i >= len(b) {
			return e, errTruncated
		}
		c = b[i]
		i++
		dist := int64(c & 0x7f)
		for c&0x80 != 0 {
			if i >= len(b) {
				return e, errTruncated
			}
			if dist >= math.MaxInt64>>7-1 {
				return e, errors.New("distance to the base is over 63 bits")
			}
			c = b[i]
			i++
			dist = (dist+1)<<7 | int64(c&0x7f)
		}
		if dist <= 0 || dist > off-packHeader {
			return e, fmt.Errorf("base of the delta lies %d bytes back, outside the pack", dist)
		}
		e.base = off - dist
	case refDelta:
		size := format.Size()
		if len(b)-i < size {
			return e, errTruncated
		}
		e.ref = OIDFromBytes(b[i : i+size])
		i += size
	default:
		return e, fmt.Errorf("unknown object type %d", e.kind)
	}
	e.data = off + int64(i)
	return e, nil
}

// maxRatio bounds how much deflate can expand: a symbol of one bit for 258
// bytes, distance included, is about 1032 to 1. A size that needs more than
// that out of the bytes at hand is a lie, and no memory is given for it.
const maxRatio = 1032

func plausible(size, packed int64) bool {
	return size <= 64 || size/maxRatio <= packed
}

// plausible reports an error when the entry, whose packed bytes end at end or
// before, claims a size that cannot be.
func (e *entry) plausible(end int64) error {
	if packed := end - e.data; !plausible(e.size, packed) {
		return fmt.Errorf("%d bytes of content cannot come out of %d", e.size, packed)
	}
	return nil
}

// inflateEntry returns the inflated bytes of an entry, in buf if it is large
// enough; the rest of buf is overwritten too. The packed bytes end at end or
// before, which may be the end of the pack. Sound says that they have been
// verified, so that the checksum inside need not be.
func (p *packFile) inflateEntry(f *file, z *inflater, e *entry, end int64, buf []byte, sound bool) ([]byte, error) {
	if err := e.plausible(end); err != nil {
		return nil, err
	}
	packed := end - e.data
	// Where the pack is not mapped, do not read what is not needed: deflate
	// makes incompressible data longer by 5 bytes for each block.
	want := packed
	if f.f != nil {
		want = min(want, e.size+e.size/1000+1024)
	}
	for {
		// Eight bytes more, if only to be looked at, let the inflater go
		// fast to the end.
		src, err := f.bytes(e.data, want+8)
		if err != nil {
			return nil, err
		}
		data, n, err := z.into(buf, e.size, src, sound)
		if err == errTruncated && want < packed {
			want = min(want*4, packed)
			continue
		}
		if err == nil && int64(n) > packed {
			err = errTruncated
		}
		return data, err
	}
}

// end returns where the last object of the pack must end.
func (p *packFile) end(f *file) int64 { return f.size - int64(p.format.Size()) }

package pack

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
)

// Pack is a pack as List came across it.
type Pack struct {
	Name string // "pack-….pack"
	Path string

	p *packFile
}

// IndexPath returns the path of the pack's own index, which need not exist.
func (p *Pack) IndexPath() string { return p.p.indexPath() }

// Checksum returns the checksum that the pack ends with.
func (p *Pack) Checksum() (sum []byte, err error) {
	defer guardFault(debug.SetPanicOnFault(true), &err)
	f, err := p.p.open()
	if err != nil {
		return nil, err
	}
	b, err := f.bytes(p.p.end(f), int64(p.p.format.Size()))
	return bytes.Clone(b), err
}

// Packs returns the packs of the store and its alternates that can be opened,
// as Walk would read them, and whether nothing in the directories is odd: no
// index without a pack, no alternate that is missing, no pack without an index.
func (s *Store) Packs() (packs []*Pack, sound bool) {
	return s.settledState().list(nil)
}

// list returns the packs that are not among the known ones, and adds them there.
func (st *state) list(known map[*packFile]bool) (packs []*Pack, sound bool) {
	sound = len(st.damage()) == 0 && len(st.bare) == 0
	for _, p := range st.packs {
		if known[p] {
			continue
		}
		if _, err := p.open(); err != nil {
			sound = false
			continue
		}
		packs = append(packs, &Pack{Name: p.name, Path: p.path, p: p})
		if known != nil {
			known[p] = true
		}
	}
	return packs, sound
}

// List calls fn for the id of every object in the store without reading any.
// In is the pack, nil for a loose object; in a pack the ids come in order. An
// object that stands in several places is listed for each. The id is valid only
// during the call. Sound is that of Packs: where it is false, not every object
// may have been listed.
//
// As with Walk, nothing that was in the store from beginning to end is missed
// for what git packs meanwhile.
func (s *Store) List(fn func(in *Pack, id []byte)) (sound bool, err error) {
	defer guardFault(debug.SetPanicOnFault(true), &err)
	known := map[*packFile]bool{}
	sound = true
	for range maxRounds {
		st := s.settledState()
		packs, ok := st.list(known)
		sound = sound && ok
		if len(packs) == 0 && len(known) > 0 {
			return sound, nil
		}
		for _, p := range packs {
			for i := range p.p.idx.n {
				fn(p, p.p.idx.rawID(i))
			}
		}
		if err := s.listLoose(st, fn); err != nil {
			return false, err
		}
		if len(known) == 0 {
			known[nil] = true // once more: what was loose may have been packed by now
		}
	}
	return false, nil
}

// Loose calls fn for the id of every loose object, of the store and its
// alternates, in no order.
func (s *Store) Loose(fn func(id OID)) error {
	return s.listLoose(s.settledState(), func(_ *Pack, id []byte) { fn(OIDFromBytes(id)) })
}

func (s *Store) listLoose(st *state, fn func(in *Pack, id []byte)) error {
	for _, dir := range st.dirs {
		for fan := range 256 {
			name := fmt.Sprintf("%02x", fan)
			f, err := os.Open(filepath.Join(dir, name))
			if err != nil {
				if isGone(err) {
					continue
				}
				return err
			}
			names, err := f.Readdirnames(-1)
			f.Close()
			if err != nil {
				return err
			}
			for _, n := range names {
				if id, ok := looseID(name, n, s.opt.Format); ok {
					fn(nil, id.b[:id.n])
				}
			}
		}
	}
	return nil
}

// looseID returns the object that a file in one of the 256 folders holds; what
// is called otherwise (tmp_obj_…) is not git's.
func looseID(folder, file string, format Format) (OID, bool) {
	id, err := ParseOID(folder + file)
	return id, err == nil && int(id.n) == format.Size() && id.String() == folder+file
}

// Verify reads the pack and its index to the end and compares them with their
// checksums, as git fsck does before it looks at objects. It is much faster
// than reading the objects, and finds any accident.
func (p *Pack) Verify() (err error) {
	defer guardFault(debug.SetPanicOnFault(true), &err)
	f, err := p.p.open()
	if err != nil {
		return err
	}
	if p.p.doubt != nil {
		return p.p.doubt
	}
	if err := p.p.idx.verify(); err != nil {
		return err
	}
	h := p.p.format.new()
	end := p.p.end(f)
	for off := int64(0); off < end; off += dropAfter {
		b, err := f.bytes(off, min(dropAfter, end-off))
		if err != nil {
			return err
		}
		h.Write(b)
		f.drop()
	}
	sum, err := f.bytes(end, int64(p.p.format.Size()))
	if err != nil {
		return err
	}
	if !bytes.Equal(h.Sum(nil), sum) {
		return errors.New("checksum of the pack does not match")
	}
	return nil
}

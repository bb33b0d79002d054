package pack

import (
	"bytes"
	"context"
	"encoding/binary"
	"maps"
	"sync"
	"testing"
)

// memoryStore is a store whose one pack is in memory.
func memoryStore(pack []byte, idx *index, format Format) *Store {
	s := &Store{opt: Options{Format: format, MaxObject: 1 << 20}}
	s.base.limit = baseCacheSize
	s.pool.New = func() any { return &scratch{h: newHasher(format)} }
	p := &packFile{format: format, name: "pack-1.pack", idx: idx, opened: true, file: &file{size: int64(len(pack)), data: pack}}
	if idx != nil {
		s.state.Store(&state{packs: []*packFile{p}})
	} else {
		s.state.Store(&state{bare: []*packFile{p}})
	}
	return s
}

// seal gives a pack the checksum that it should have.
func seal(pack []byte) []byte {
	h := SHA1.new()
	h.Write(pack[:len(pack)-20])
	return h.Sum(bytes.Clone(pack[:len(pack)-20]))
}

// FuzzPack reads a pack with an index that has the right checksums, so that what
// is in the pack is believed as far as it ever is. Its objects begin at offs, two
// bytes each, and have the ids fakeID(0), fakeID(1) and so on.
func FuzzPack(f *testing.F) {
	b := newBuilder(f, SHA1)
	zip := func(d []byte) []byte { return deflate(f, d, 6) }
	off := b.raw(fakeID(0), uint8(TypeBlob), 33, nil, zip([]byte("a base of thirty-two bytes or so.")))
	b.ofs(fakeID(1), off, delta(33, 6, copyFrom(0, 4), insert("ss")))
	b.ref(fakeID(2), fakeID(1), delta(6, 9, copyFrom(0, 6), insert(" of")))
	b.ref(fakeID(3), fakeID(9), delta(6, 4, insert("thin")))
	b.ref(fakeID(4), fakeID(5), delta(6, 4, insert("wait")))
	b.raw(fakeID(5), uint8(TypeTree), 0, nil, stored(nil))
	var offs []byte
	for _, e := range b.entries {
		offs = binary.BigEndian.AppendUint16(offs, uint16(e.off))
	}
	f.Add(b.pack(), offs)
	f.Add(b.pack(), offs[2:]) // a base that is not listed
	f.Add(b.pack(), append(offs[:4:4], offs...))
	f.Fuzz(func(t *testing.T, pack, offs []byte) {
		if len(pack) < packHeader+20 || len(pack) > 1<<16 || len(offs) > 200 {
			return
		}
		pack = seal(pack)
		b := newBuilder(t, SHA1)
		for i := 0; i+1 < len(offs); i += 2 {
			b.entries = append(b.entries, built{fakeID(i / 2), int64(binary.BigEndian.Uint16(offs[i:])), int64(len(pack) - 20)})
		}
		for i := range b.entries {
			for _, e := range b.entries {
				if e.off > b.entries[i].off && e.off < b.entries[i].end {
					b.entries[i].end = e.off
				}
			}
			b.entries[i].end = max(b.entries[i].end, b.entries[i].off)
		}
		idx, err := parseIndex(b.index(pack), SHA1)
		if err != nil {
			t.Fatal(err)
		}
		readAll(t, memoryStore(pack, idx, SHA1), b.entries)
	})
}

// readAll reads a store in all ways.
func readAll(t *testing.T, s *Store, entries []built) {
	h := newHasher(SHA1)
	for _, e := range entries {
		typ, data, err := s.Get(e.id)
		if err == nil && h.object(typ, data) != e.id {
			t.Error("get returned something else")
		}
		if t2, size, err2 := s.Header(e.id); err == nil && (err2 != nil || t2 != typ || size != int64(len(data))) {
			t.Errorf("get: %s of %d bytes; header: %s of %d bytes, %v", typ, len(data), t2, size, err2)
		}
		if _, _, r, err := s.Stream(e.id); err == nil {
			if _, err := new(bytes.Buffer).ReadFrom(r); err == nil && len(data) == 0 && h.object(typ, data) != e.id {
				t.Error("stream returned what get did not")
			}
		}
	}
	var first map[OID]content
	for _, o := range []WalkOptions{{Workers: 1}, {Workers: 2, Memory: 1}, {Workers: 1, Verify: true}} {
		o.OnError = func(*CorruptError) {}
		got := map[OID]content{}
		var mu sync.Mutex
		err := s.Walk(context.Background(), o, func(_ int, obj *Object) error {
			mu.Lock()
			defer mu.Unlock()
			if _, twice := got[obj.ID]; twice {
				t.Error("passed on twice")
			}
			got[obj.ID] = content{obj.Type, string(obj.Data)}
			if o.Verify && obj.Data != nil && h.object(obj.Type, obj.Data) != obj.ID {
				t.Error("walk passed on something else")
			}
			at := 0
			for _, op := range obj.Ops() {
				if op.Copied() && !bytes.Equal(obj.Base.Data[op.From:op.From+op.Len], obj.Data[at:at+op.Len]) {
					t.Error("ops copy something else")
				}
				at += op.Len
			}
			if obj.Base != nil && at != len(obj.Data) {
				t.Errorf("ops make %d of %d bytes", at, len(obj.Data))
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		switch {
		case o.Verify:
		case first == nil:
			first = got
		case !maps.Equal(first, got):
			t.Errorf("one worker: %d objects, two: %d", len(first), len(got))
		}
	}
}

// FuzzBarePack reads a pack without an index.
func FuzzBarePack(f *testing.F) {
	b := newBuilder(f, SHA1)
	_, off := b.whole(TypeBlob, []byte("a base of thirty-two bytes or so."))
	b.ofs(blobID("a bass"), off, delta(33, 6, copyFrom(0, 4), insert("ss")))
	b.ref(blobID("a bass of"), blobID("a bass"), delta(6, 9, copyFrom(0, 6), insert(" of")))
	f.Add(b.pack())
	b.ref(fakeID(3), fakeID(9), delta(6, 4, insert("thin")))
	b.whole(TypeTree, nil)
	f.Add(b.pack())
	f.Fuzz(func(t *testing.T, pack []byte) {
		if len(pack) < packHeader+20 || len(pack) > 1<<16 {
			return
		}
		pack = seal(pack)
		s := memoryStore(pack, nil, SHA1)
		st := s.state.Load()
		idx := s.bareIndex(st, st.bare[0])
		var entries []built
		for i := range idx.n {
			entries = append(entries, built{id: idx.id(i)})
			if _, _, err := s.Get(idx.id(i)); err != nil {
				t.Errorf("%s was found, but not read: %v", idx.id(i), err)
			}
		}
		readAll(t, s, entries)
	})
}

func FuzzIndex(f *testing.F) {
	b := newBuilder(f, SHA1)
	b.whole(TypeBlob, []byte("one"))
	b.whole(TypeBlob, []byte("two"))
	b.entries = append(b.entries, built{fakeID(1), 1 << 40, 1 << 41})
	pack := b.pack()
	v2 := b.index(pack)
	f.Add(v2)
	x, err := parseIndex(v2, SHA1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(indexV1(x, string(pack[len(pack)-20:]))))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := parseIndex(data, SHA1)
		if err != nil {
			return
		}
		x.verify()
		for i := range x.n {
			id := x.id(i)
			x.crc(i)
			if off := x.offset(i); off < -1 {
				t.Errorf("offset %d", off)
			}
			if k := x.find(&id); k >= 0 && x.id(k) != id {
				t.Errorf("looked for %s, found %s", id, x.id(k))
			}
		}
	})
}

func FuzzMidx(f *testing.F) {
	f.Add(midxOf(f, SHA1), true)
	f.Fuzz(func(t *testing.T, data []byte, seal bool) {
		if seal && len(data) > 20 {
			h := SHA1.new()
			h.Write(data[:len(data)-20])
			data = h.Sum(bytes.Clone(data[:len(data)-20]))
		}
		m, err := parseMidx(data, SHA1, true)
		if err != nil {
			return
		}
		if len(m.packs) != len(m.parts) {
			t.Fatalf("%d packs, %d tables", len(m.packs), len(m.parts))
		}
		for _, x := range m.parts {
			for i := range x.n {
				if id := x.id(i); x.find(&id) < 0 {
					t.Errorf("%s is listed but not found", id)
				}
			}
		}
	})
}

// midxOf makes a multi-pack-index of two packs by hand.
func midxOf(t testing.TB, format Format) []byte {
	names := []byte("pack-1.idx\x00pack-2.idx\x00\x00\x00")
	fan := make([]byte, 4*256)
	var ids, offs []byte
	for i := range 3 {
		id := OIDFromBytes(bytes.Repeat([]byte{byte(80 * i)}, format.Size()))
		ids = append(ids, id.Bytes()...)
		offs = binary.BigEndian.AppendUint32(offs, uint32(i%2))
		offs = binary.BigEndian.AppendUint32(offs, []uint32{12, 1 << 31, 500}[i])
		for k := 80 * i; k < 256; k++ {
			fan[4*k+3]++
		}
	}
	large := binary.BigEndian.AppendUint64(nil, 1<<33)
	out := []byte{'M', 'I', 'D', 'X', 1, byte(format) + 1, 5, 0, 0, 0, 0, 2}
	at := uint64(len(out) + 12*6)
	parts := []struct {
		name string
		data []byte
	}{{chunkPackNames, names}, {chunkFanout, fan}, {chunkOIDs, ids}, {chunkOffsets, offs}, {chunkLarge, large}, {"\x00\x00\x00\x00", nil}}
	for _, p := range parts {
		out = binary.BigEndian.AppendUint64(append(out, p.name...), at)
		at += uint64(len(p.data))
	}
	for _, p := range parts {
		out = append(out, p.data...)
	}
	h := format.new()
	h.Write(out)
	out = h.Sum(out)
	m, err := parseMidx(out, format, true)
	if err != nil || len(m.packs) != 2 || m.parts[0].n != 2 || m.parts[1].offset(0) != 1<<33 {
		t.Fatalf("multi-pack-index made by hand: %+v, %v", m, err)
	}
	return out
}

func TestMidx(t *testing.T) {
	midxOf(t, SHA1)
	midxOf(t, SHA256)
}

func FuzzDelta(f *testing.F) {
	base := []byte("a base of thirty-two bytes or so.")
	f.Add(base, delta(33, 6, copyFrom(0, 4), insert("ss")))
	f.Add(base, delta(33, 33, copyFrom(0, 20), copyFrom(20, 13)))
	f.Fuzz(func(t *testing.T, base, d []byte) {
		if len(d) > 1000 {
			return
		}
		_, size, ops, err := deltaSizes(d)
		got, err2 := applyDelta(nil, base, d, 1<<17)
		if err != nil && err2 == nil {
			t.Fatal("applied a delta without a header")
		}
		if err2 != nil {
			return
		}
		if err := checkResult(ops, int64(len(base)), size); err != nil {
			t.Fatalf("applied, but refused before: %v", err)
		}
		var again []byte
		for _, op := range parseOps(nil, ops) {
			if op.At != len(again) || op.Len <= 0 {
				t.Fatalf("op %+v after %d bytes", op, len(again))
			}
			if op.Copied() {
				again = append(again, base[op.From:op.From+op.Len]...)
			} else {
				again = append(again, got[op.At:op.At+op.Len]...)
			}
		}
		if !bytes.Equal(got, again) {
			t.Fatal("the ops make something else")
		}
	})
}

func FuzzLooseHeader(f *testing.F) {
	f.Add([]byte("blob 13\x00x"))
	f.Add([]byte("commit 0\x00"))
	f.Add([]byte("tag 9223372036854775807\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		typ, size, n, err := parseLooseHeader(b)
		if err == nil && !bytes.HasPrefix(b, appendHeader(nil, typ, size)) {
			t.Fatalf("%q read as %s of %d bytes", b, typ, size)
		}
		if err == nil && n != len(appendHeader(nil, typ, size)) {
			t.Fatalf("%q is %d bytes long", b, n)
		}
	})
}

func FuzzObjects(f *testing.F) {
	f.Add([]byte("tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nparent 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a@b> 1 +0100\ncommitter C <c@d> 2 -0230\nencoding x\ngpgsig a\n b\n\nmessage\n"))
	f.Add([]byte("object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\ntype tree\ntag v1\ntagger A <a@b> 1 +0100\n\nmessage\n"))
	f.Add([]byte("100644 file\x0012345678901234567890" + "40000 dir\x0012345678901234567890"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseCommit(data)
		for i := range c.NumParents() {
			if c.Parent(i).IsZero() {
				t.Errorf("parent %d of %d cannot be read", i, c.NumParents())
			}
		}
		if err == nil && c.Tree.IsZero() {
			t.Error("a commit without a tree")
		}
		for key, value := range c.Headers() {
			if !bytes.Contains(data, key) || !bytes.Contains(data, value) {
				t.Error("a header that is not in the data")
			}
		}
		tag, err := ParseTag(data)
		if err == nil && (tag.Object.IsZero() || !tag.Type.valid()) {
			t.Error("a tag without an object")
		}
		for range tag.Headers() {
		}
		for _, format := range []Format{SHA1, SHA256} {
			n := 0
			it := IterTree(data, format)
			for it.Next() {
				n += len(it.Entry().Name) + format.Size() + 3
			}
			if n > len(data) || it.Err() == nil && len(data) > 0 && n == 0 {
				t.Errorf("%d bytes of entries in %d bytes, %v", n, len(data), it.Err())
			}
		}
	})
}

package source

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/till-sh/till/scanner/pack"
)

// idTable is a sorted list of object ids, one after the other.
type idTable struct {
	raw  []byte
	size int // of an id
	fan  fan
}

func newIDTable(raw []byte, format pack.Format) idTable { return newIDTableOf(raw, format.Size()) }

func newIDTableOf(raw []byte, size int) idTable {
	return idTable{raw: raw, size: size, fan: newFan(raw, size)}
}

func (t *idTable) len() int { return len(t.raw) / t.size }

func (t *idTable) at(i int) []byte { return t.raw[i*t.size : (i+1)*t.size] }

func (t *idTable) id(i int) pack.OID { return pack.OIDFromBytes(t.at(i)) }

// find returns the position of an id, -1 when it is not there.
func (t *idTable) find(id []byte) int {
	if i := t.search(id); i < t.len() && bytes.Equal(t.at(i), id) {
		return i
	}
	return -1
}

// search returns the position of the first id that does not come before this one.
func (t *idTable) search(id []byte) int {
	lo, hi := t.fan.of(id)
	for lo < hi {
		if m := int(uint(lo+hi) >> 1); bytes.Compare(t.at(m), id) < 0 {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// fan tells where in a sorted list of ids those begin whose first bits are the
// same: up to 16 bits, as many as make a handful of ids share them.
type fan struct {
	start []uint32
	shift int
}

func newFan(raw []byte, size int) fan {
	n := len(raw) / size
	f := fan{shift: 16 - max(0, min(16, bits.Len(uint(n))-2))}
	f.start = make([]uint32, 1<<(16-f.shift)+1)
	for at := 0; at < len(raw); at += size {
		f.start[f.bits(raw[at:])+1]++
	}
	for p := 1; p < len(f.start); p++ {
		f.start[p] += f.start[p-1]
	}
	return f
}

func (f *fan) bits(id []byte) int {
	if len(id) < 2 { // none, which comes first
		return 0
	}
	return int(binary.BigEndian.Uint16(id)) >> f.shift
}

// of returns the positions between which an id is.
func (f *fan) of(id []byte) (lo, hi int) {
	if p := f.bits(id); p+1 < len(f.start) {
		return int(f.start[p]), int(f.start[p+1])
	}
	return 0, 0
}

// idList collects ids in any order, each with flags and a size.
type idList struct {
	ids   []byte
	flags []byte
	sizes []int64 // of blobs
}

func (l *idList) add(id []byte, flags byte) {
	l.ids = append(l.ids, id...)
	l.flags = append(l.flags, flags)
}

func (l *idList) join(o *idList) {
	l.ids, l.flags, l.sizes = append(l.ids, o.ids...), append(l.flags, o.flags...), append(l.sizes, o.sizes...)
	*o = idList{}
}

// sort puts the list in the order of the ids; of those that stand in it twice
// one stays.
func (l *idList) sort(format pack.Format) {
	size := format.Size()
	order := make([]uint32, len(l.flags))
	keys := make([]uint64, len(l.flags))
	for i := range order {
		order[i], keys[i] = uint32(i), binary.BigEndian.Uint64(l.ids[i*size:])
	}
	at := func(i uint32) []byte { return l.ids[int(i)*size : (int(i)+1)*size] }
	slices.SortFunc(order, func(a, b uint32) int {
		switch {
		case keys[a] < keys[b]:
			return -1
		case keys[a] > keys[b]:
			return 1
		}
		return bytes.Compare(at(a), at(b))
	})
	out := idList{ids: make([]byte, 0, len(l.ids)), flags: make([]byte, 0, len(l.flags))}
	for n, i := range order {
		if n > 0 && bytes.Equal(at(i), at(order[n-1])) {
			continue
		}
		out.add(at(i), l.flags[i])
		if l.sizes != nil {
			out.sizes = append(out.sizes, l.sizes[i])
		}
	}
	*l = out
}

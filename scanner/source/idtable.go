package source

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/till-sh/till/scanner/pack"
)

// idTable is a sorted list of object ids, one after the other.
type idTable struct {
	raw  []byte
	size int      // of an id
	fan  []uint32 // where the ids begin whose first two bytes are i
}

func newIDTable(raw []byte, format pack.Format) idTable {
	t := idTable{raw: raw, size: format.Size(), fan: make([]uint32, 1<<16+1)}
	last := 0
	for i := range t.len() {
		for p := int(binary.BigEndian.Uint16(raw[i*t.size:])); last < p; {
			last++
			t.fan[last] = uint32(i)
		}
	}
	for last < 1<<16 {
		last++
		t.fan[last] = uint32(t.len())
	}
	return t
}

func (t *idTable) len() int { return len(t.raw) / t.size }

func (t *idTable) at(i int) []byte { return t.raw[i*t.size : (i+1)*t.size] }

func (t *idTable) id(i int) pack.OID { return pack.OIDFromBytes(t.at(i)) }

// find returns the position of an id, -1 when it is not there.
func (t *idTable) find(id []byte) int {
	p := int(binary.BigEndian.Uint16(id))
	lo, hi := int(t.fan[p]), int(t.fan[p+1])
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		switch c := bytes.Compare(t.at(m), id); {
		case c == 0:
			return m
		case c < 0:
			lo = m + 1
		default:
			hi = m
		}
	}
	return -1
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

package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sort"
)

// index is the table of the objects of one pack, sorted by id: an .idx file of
// version 1 or 2, or a table made in memory. Safe for concurrent use.
type index struct {
	format Format
	n      int // number of objects
	fanout [256]uint32

	// Version 2 and tables in memory: oids holds n ids one after the other.
	oids []byte
	// Version 1: n records of a 4-byte offset and an id.
	records []byte

	crcs    []byte  // version 2: n CRC-32; nil elsewhere
	small   []byte  // version 2: n offsets, or positions in large
	large   []byte  // version 2: 8-byte offsets
	offsets []int64 // tables in memory; nil elsewhere

	packSum []byte // checksum of the pack, as the index records it; nil if unknown
	body    []byte // what sum covers; nil for tables in memory
	sum     []byte
}

var errIndexFormat = errors.New("not a pack index")

// parseIndex reads an .idx file. It keeps data. It checks what keeps later
// look-ups inside the file; the order of the ids and the checksum, which need
// a pass over everything, are left to verify.
func parseIndex(data []byte, format Format) (*index, error) {
	x := &index{format: format}
	size := int64(format.Size())
	rest := data
	v2 := len(rest) >= 8 && binary.BigEndian.Uint32(rest) == 0xff744f63 // "\377tOc"
	if v2 {
		if v := binary.BigEndian.Uint32(rest[4:]); v != 2 {
			return nil, fmt.Errorf("unknown index version %d", v)
		}
		rest = rest[8:]
	}
	if err := x.readFanout(rest); err != nil {
		return nil, err
	}
	rest = rest[4*256:]
	n := int64(x.n)
	record := size + 4
	if v2 {
		record = size + 4 + 4
	}
	if int64(len(rest)) < n*record+2*size {
		return nil, errTruncated
	}
	if v2 {
		x.oids, rest = rest[:n*size], rest[n*size:]
		x.crcs, rest = rest[:n*4], rest[n*4:]
		x.small, rest = rest[:n*4], rest[n*4:]
		large := int64(len(rest)) - 2*size
		if large%8 != 0 || large/8 > n {
			return nil, fmt.Errorf("%d bytes too many or too few", large)
		}
		x.large, rest = rest[:large], rest[large:]
	} else {
		x.records, rest = rest[:n*record], rest[n*record:]
		if int64(len(rest)) != 2*size {
			return nil, errIndexFormat
		}
	}
	x.packSum = rest[:size]
	x.sum = rest[size:]
	x.body = data[:int64(len(data))-size]
	return x, nil
}

func (x *index) readFanout(b []byte) error {
	if len(b) < 4*256 {
		return errTruncated
	}
	last := uint32(0)
	for i := range x.fanout {
		v := binary.BigEndian.Uint32(b[4*i:])
		if v < last {
			return errors.New("fan-out table is not in order")
		}
		x.fanout[i], last = v, v
	}
	if uint64(last) > math.MaxInt32 {
		return fmt.Errorf("%d objects are more than a pack can hold", last)
	}
	x.n = int(last)
	return nil
}

// verify compares the index with its own checksum.
func (x *index) verify() error {
	if x.body == nil {
		return nil
	}
	h := x.format.new()
	h.Write(x.body)
	if !bytes.Equal(h.Sum(nil), x.sum) {
		return errors.New("checksum of the index does not match")
	}
	return nil
}

// rawID returns the id at position i, 0 ≤ i < n. It is not to be written to.
func (x *index) rawID(i int) []byte {
	size := x.format.Size()
	if x.records != nil {
		o := i*(size+4) + 4
		return x.records[o : o+size]
	}
	return x.oids[i*size : (i+1)*size]
}

func (x *index) id(i int) OID { return OIDFromBytes(x.rawID(i)) }

// offset returns where the object at position i begins in the pack, -1 when the
// index says something impossible.
func (x *index) offset(i int) int64 {
	switch {
	case x.offsets != nil:
		return x.offsets[i]
	case x.records != nil:
		return int64(binary.BigEndian.Uint32(x.records[i*(x.format.Size()+4):]))
	}
	v := binary.BigEndian.Uint32(x.small[4*i:])
	if v&(1<<31) == 0 {
		return int64(v)
	}
	k := int64(v &^ (1 << 31))
	if k >= int64(len(x.large)/8) {
		return -1
	}
	if o := binary.BigEndian.Uint64(x.large[8*k:]); o <= math.MaxInt64 {
		return int64(o)
	}
	return -1
}

// crc returns the CRC-32 of the packed bytes of the object at position i.
func (x *index) crc(i int) (uint32, bool) {
	if x.crcs == nil {
		return 0, false
	}
	return binary.BigEndian.Uint32(x.crcs[4*i:]), true
}

// find returns the position of an id, or -1.
func (x *index) find(id *OID) int {
	if int(id.n) != x.format.Size() {
		return -1
	}
	lo := 0
	if b := id.b[0]; b > 0 {
		lo = int(x.fanout[b-1])
	}
	hi := int(x.fanout[id.b[0]])
	raw := id.b[:id.n]
	i := lo + sort.Search(hi-lo, func(i int) bool { return bytes.Compare(x.rawID(lo+i), raw) >= 0 })
	if i < hi && bytes.Equal(x.rawID(i), raw) {
		return i
	}
	return -1
}

// addCRCs gives a table the CRCs of the entries that it was made from.
func (x *index) addCRCs(entries []tableEntry) {
	x.crcs = make([]byte, 0, 4*len(entries))
	for _, e := range entries {
		x.crcs = binary.BigEndian.AppendUint32(x.crcs, e.crc)
	}
}

// tableEntry is one line of an index to be made in memory.
type tableEntry struct {
	id  OID
	off int64
	crc uint32 // of the packed bytes, where newTable's caller knows them
}

// newTable makes an index in memory, without CRCs. It sorts entries.
func newTable(format Format, entries []tableEntry) *index {
	sort.Slice(entries, func(i, j int) bool {
		if c := entries[i].id.Compare(entries[j].id); c != 0 {
			return c < 0
		}
		return entries[i].off < entries[j].off
	})
	size := format.Size()
	x := &index{format: format, n: len(entries)}
	x.oids = make([]byte, 0, size*len(entries))
	x.offsets = make([]int64, 0, len(entries))
	for _, e := range entries {
		x.oids = append(x.oids, e.id.b[:size]...)
		x.offsets = append(x.offsets, e.off)
		x.fanout[e.id.b[0]]++
	}
	for i := 1; i < 256; i++ {
		x.fanout[i] += x.fanout[i-1]
	}
	return x
}

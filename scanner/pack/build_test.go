package pack

import (
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"
)

// builder writes packs and indexes, whatever one would like to stand in them.
type builder struct {
	t       testing.TB
	format  Format
	buf     []byte
	entries []built
}

type built struct {
	id  OID
	off int64
	end int64
}

func newBuilder(t testing.TB, format Format) *builder {
	return &builder{t: t, format: format, buf: []byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00")}
}

// raw adds an entry: a header for kind and size, what stands between header and
// data, and the data as they are to stand there.
func (b *builder) raw(id OID, kind uint8, size uint64, extra, packed []byte) int64 {
	off := int64(len(b.buf))
	c := kind<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		b.buf = append(b.buf, c|0x80)
		c = byte(size & 0x7f)
	}
	b.buf = append(b.buf, c)
	b.buf = append(append(b.buf, extra...), packed...)
	b.entries = append(b.entries, built{id, off, int64(len(b.buf))})
	return off
}

func (b *builder) whole(t Type, data []byte) (OID, int64) {
	id := newHasher(b.format).object(t, data)
	return id, b.raw(id, uint8(t), uint64(len(data)), nil, deflate(b.t, data, zlib.DefaultCompression))
}

// ofs adds a delta against the entry at base.
func (b *builder) ofs(id OID, base int64, delta []byte) int64 {
	return b.raw(id, ofsDelta, uint64(len(delta)), distance(int64(len(b.buf))-base), deflate(b.t, delta, zlib.DefaultCompression))
}

func (b *builder) ref(id, base OID, delta []byte) int64 {
	return b.raw(id, refDelta, uint64(len(delta)), base.Bytes(), deflate(b.t, delta, zlib.DefaultCompression))
}

// stored is deflate without compression, and much faster for small data.
func stored(data []byte) []byte {
	n := uint16(len(data))
	b := []byte{0x78, 0x01, 0x01, byte(n), byte(n >> 8), byte(^n), byte(^n >> 8)}
	return binary.BigEndian.AppendUint32(append(b, data...), adler32.Checksum(data))
}

func distance(d int64) []byte {
	out := []byte{byte(d & 0x7f)}
	for d >>= 7; d > 0; d >>= 7 {
		d--
		out = append([]byte{byte(d&0x7f) | 0x80}, out...)
	}
	return out
}

// delta makes a delta: sizes, then instructions.
func delta(base, result uint64, ops ...[]byte) []byte {
	b := binary.AppendUvarint(nil, base)
	b = binary.AppendUvarint(b, result)
	for _, o := range ops {
		b = append(b, o...)
	}
	return b
}

func insert(s string) []byte { return append([]byte{byte(len(s))}, s...) }

func copyFrom(from, size uint32) []byte {
	return []byte{0xff, byte(from), byte(from >> 8), byte(from >> 16), byte(from >> 24), byte(size), byte(size >> 8), byte(size >> 16)}
}

// pack returns the pack, with the number of its objects and its checksum.
func (b *builder) pack() []byte {
	out := append([]byte(nil), b.buf...)
	binary.BigEndian.PutUint32(out[8:], uint32(len(b.entries)))
	h := b.format.new()
	h.Write(out)
	return h.Sum(out)
}

// index returns an index of version 2 for the pack.
func (b *builder) index(pack []byte) []byte {
	e := append([]built(nil), b.entries...)
	sort.SliceStable(e, func(i, j int) bool { return e[i].id.Compare(e[j].id) < 0 })
	out := []byte("\377tOc\x00\x00\x00\x02")
	n := 0
	for i := range 256 {
		for n < len(e) && int(e[n].id.b[0]) <= i {
			n++
		}
		out = binary.BigEndian.AppendUint32(out, uint32(n))
	}
	for _, x := range e {
		out = append(out, x.id.Bytes()...)
	}
	for _, x := range e {
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(pack[min(x.off, int64(len(pack))):min(x.end, int64(len(pack)))]))
	}
	var large []byte
	for _, x := range e {
		if x.off < 1<<31 {
			out = binary.BigEndian.AppendUint32(out, uint32(x.off))
		} else {
			out = binary.BigEndian.AppendUint32(out, 1<<31|uint32(len(large)/8))
			large = binary.BigEndian.AppendUint64(large, uint64(x.off))
		}
	}
	out = append(out, large...)
	out = append(out, pack[len(pack)-b.format.Size():]...)
	h := b.format.new()
	h.Write(out)
	return h.Sum(out)
}

// store writes pack and index into a directory and opens it.
func (b *builder) store(o Options) *Store {
	b.t.Helper()
	pack := b.pack()
	return storeOf(b.t, b.format, o, pack, b.index(pack))
}

func storeOf(t testing.TB, format Format, o Options, pack, idx []byte) *Store {
	t.Helper()
	dir := t.TempDir()
	stem := filepath.Join(dir, "pack", "pack-"+strings.Repeat("1", 2*format.Size()))
	write(t, stem+".pack", string(pack))
	if idx != nil {
		write(t, stem+".idx", string(idx))
	}
	o.Format = format
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	s.settle = time.Millisecond
	t.Cleanup(func() { s.Close() })
	return s
}

// fakeID makes an id that is the hash of nothing in the test.
func fakeID(n int) OID {
	id, err := ParseOID(fmt.Sprintf("%040x", n+1))
	if err != nil {
		panic(err)
	}
	return id
}

func blobID(data string) OID { return newHasher(SHA1).object(TypeBlob, []byte(data)) }

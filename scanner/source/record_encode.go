package source

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"github.com/till-sh/till/scanner/pack"
)

// A record is numbers of eight bytes, big-endian, and strings with their length
// before them, in the order in which encodeRecord writes them.

// encodeRecord returns the file's content without the MAC.
func encodeRecord(r *record, format pack.Format) []byte {
	size := 1 << 10
	for _, k := range r.kinds {
		size += len(k.raw) + len(k.flags) + 8*len(k.sizes)
	}
	w := recordWriter{data: make([]byte, 0, size+r.graph.len()*(format.Size()+20))}
	w.number(int64(format))
	w.flag(r.connected)
	w.flag(r.sound)
	w.number(int64(r.people))
	w.number(int64(len(r.stamps)))
	for _, path := range slices.Sorted(maps.Keys(r.stamps)) {
		s := r.stamps[path]
		w.text(path)
		for _, v := range []int64{s.size, s.mtime, s.indexSize, s.indexTime} {
			w.number(v)
		}
	}
	for t := pack.TypeCommit; t <= pack.TypeTag; t++ {
		k := &r.kinds[t]
		w.bytes(k.raw)
		w.bytes(k.flags)
		if t == pack.TypeBlob {
			for _, n := range k.sizes {
				w.number(n)
			}
		}
	}
	w.number(int64(r.texts))
	w.number(int64(len(r.spans)))
	for _, i := range slices.Sorted(maps.Keys(r.spans)) {
		w.number(int64(i))
		w.number(int64(len(r.spans[i])))
		for _, s := range r.spans[i] {
			w.number(int64(s.from))
			w.number(int64(s.to))
			w.number(int64(s.line))
			w.number(int64(s.text))
		}
	}
	w.graph(r.graph)
	for _, t := range r.tags {
		w.id(t.object)
		w.data = append(w.data, byte(t.typ))
		w.small(t.person)
	}
	w.flag(r.placed)
	w.number(int64(len(r.places)))
	for _, id := range slices.SortedFunc(maps.Keys(r.places), pack.OID.Compare) {
		w.id(id)
		w.number(int64(len(r.places[id])))
		for _, p := range r.places[id] {
			w.text(p.path)
			w.number(int64(p.commit))
			w.number(int64(p.gone))
		}
	}
	return w.data
}

type recordWriter struct{ data []byte }

func (w *recordWriter) number(v int64) { w.data = binary.BigEndian.AppendUint64(w.data, uint64(v)) }

func (w *recordWriter) text(s string) {
	w.number(int64(len(s)))
	w.data = append(w.data, s...)
}

func (w *recordWriter) bytes(b []byte) {
	w.number(int64(len(b)))
	w.data = append(w.data, b...)
}

func (w *recordWriter) flag(on bool) {
	b := byte(0)
	if on {
		b = 1
	}
	w.data = append(w.data, b)
}

// id writes an id, which may be none where a commit is damaged.
func (w *recordWriter) id(id pack.OID) {
	b := id.Bytes()
	w.data = append(w.data, byte(len(b)))
	w.data = append(w.data, b...)
}

var errRecord = errors.New("it does not make sense")

// decodeRecord reads what encodeRecord wrote. The result refers to data.
func decodeRecord(data []byte, format pack.Format) (*record, error) {
	r := recordReader{data: data}
	if r.number() != int64(format) {
		return nil, errRecord
	}
	rec := &record{stamps: map[string]stamp{}, places: map[pack.OID][]recordPlace{}}
	rec.connected, rec.sound = r.flag(), r.flag()
	rec.people = int(r.number())
	for range r.count(40) {
		path := string(r.bytes())
		rec.stamps[path] = stamp{r.number(), r.number(), r.number(), r.number()}
	}
	for t := pack.TypeCommit; t <= pack.TypeTag; t++ {
		raw, flags := r.bytes(), r.bytes()
		if len(raw) != len(flags)*format.Size() {
			return nil, errRecord
		}
		rec.kinds[t] = recordTable{idTable: newIDTable(raw, format), flags: flags}
		if t == pack.TypeBlob && !r.failed {
			sizes := make([]int64, len(flags))
			for i := range sizes {
				sizes[i] = r.number()
			}
			rec.kinds[t].sizes = sizes
		}
	}
	rec.spans, rec.texts = map[uint32][]span{}, r.count(1)
	for range r.count(16) {
		i, list := r.number(), make([]span, r.count(32))
		if i < 0 || i >= int64(rec.kinds[pack.TypeBlob].len()) {
			return nil, errRecord
		}
		last := 0
		for n := range list {
			s := span{int(r.number()), int(r.number()), int(r.number()), int(r.number())}
			if s.from < last || s.to <= s.from || s.line < 0 || s.text < 0 || s.text >= rec.texts {
				return nil, errRecord
			}
			list[n], last = s, s.to
		}
		rec.spans[uint32(i)] = list
	}
	rec.graph = r.graph(rec.kinds[pack.TypeCommit].idTable, format)
	rec.tags = make([]tagNode, rec.kinds[pack.TypeTag].len())
	for i := range rec.tags {
		rec.tags[i] = tagNode{r.id(), pack.Type(r.byte()), r.small()}
	}
	rec.placed = r.flag()
	for range r.count(16) {
		id := r.id()
		list := make([]recordPlace, r.count(24))
		for i := range list {
			list[i] = recordPlace{string(r.bytes()), uint32(r.number()), uint32(r.number())}
			if n := int64(rec.graph.len()); int64(list[i].commit) >= n || int64(list[i].gone) > n {
				return nil, errRecord
			}
		}
		rec.places[id] = list
	}
	if r.failed || len(r.data) > 0 {
		return nil, errRecord
	}
	return rec, nil
}

// recordReader reads on as if there were zeros when the data ends, and notes
// that.
type recordReader struct {
	data   []byte
	failed bool
}

func (r *recordReader) take(n int) []byte {
	if n < 0 || n > len(r.data) {
		r.failed = true
		return nil
	}
	b := r.data[:n:n]
	r.data = r.data[n:]
	return b
}

func (r *recordReader) number() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// count reads how many things of at least so many bytes follow.
func (r *recordReader) count(least int) int {
	n := r.number()
	if n < 0 || n > int64(len(r.data)/least) {
		r.failed = true
		return 0
	}
	return int(n)
}

func (r *recordReader) bytes() []byte { return r.take(r.count(1)) }

func (r *recordReader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *recordReader) flag() bool { return r.byte() == 1 }

func (r *recordReader) id() pack.OID { return pack.OIDFromBytes(r.take(int(r.byte()))) }

package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"strings"
)

// midx is a multi-pack-index: one table for the objects of several packs. It
// lists every object once, for one of the packs that hold it.
type midx struct {
	packs []string // base names as recorded, "pack-….idx"
	parts []*index // the objects it lists for each pack, in the same order
}

// Names of the chunks that are read; the others (reverse index, bitmapped
// packs, base files) only save time.
const (
	chunkPackNames = "PNAM"
	chunkFanout    = "OIDF"
	chunkOIDs      = "OIDL"
	chunkOffsets   = "OOFF"
	chunkLarge     = "LOFF"
)

// readMidx reads a multi-pack-index file; see parseMidx.
func readMidx(f *file, format Format, objects bool) (m *midx, err error) {
	defer guardFault(debug.SetPanicOnFault(true), &err)
	b, err := f.bytes(0, f.size)
	if err != nil {
		return nil, err
	}
	return parseMidx(b, format, objects)
}

// parseMidx reads the names of the packs in a multi-pack-index and, if asked to,
// the objects, having verified the checksum: that is only done where packs have
// no index of their own, which is rare enough. Nothing of data is kept.
func parseMidx(data []byte, format Format, objects bool) (*midx, error) {
	size := format.Size()
	if len(data) < 12+12+size || string(data[:4]) != "MIDX" {
		return nil, errors.New("not a multi-pack-index")
	}
	if data[4] != 1 {
		return nil, fmt.Errorf("unknown multi-pack-index version %d", data[4])
	}
	if want := byte(format) + 1; data[5] != want {
		return nil, fmt.Errorf("hash version %d, want %d", data[5], want)
	}
	if objects {
		h := format.new()
		h.Write(data[:len(data)-size])
		if !bytes.Equal(h.Sum(nil), data[len(data)-size:]) {
			return nil, errors.New("checksum does not match")
		}
	}
	chunks, err := readChunks(data[:len(data)-size], 12, int(data[6]))
	if err != nil {
		return nil, err
	}
	m := &midx{}
	packs := int(binary.BigEndian.Uint32(data[8:]))
	names := chunks[chunkPackNames]
	for range packs {
		end := bytes.IndexByte(names, 0)
		if end < 0 {
			return nil, errTruncated
		}
		name := string(names[:end])
		if strings.ContainsAny(name, "/\\") || !strings.HasPrefix(name, "pack-") {
			return nil, fmt.Errorf("odd pack name %q", name)
		}
		m.packs = append(m.packs, name)
		names = names[end+1:]
	}
	if !objects {
		return m, nil
	}
	var x index
	if err := x.readFanout(chunks[chunkFanout]); err != nil {
		return nil, err
	}
	oids, offs, large := chunks[chunkOIDs], chunks[chunkOffsets], chunks[chunkLarge]
	if len(oids)/size < x.n || len(offs)/8 < x.n {
		return nil, errTruncated
	}
	lists := make([][]tableEntry, len(m.packs))
	for i := range x.n {
		p := binary.BigEndian.Uint32(offs[8*i:])
		if int64(p) >= int64(packs) {
			return nil, fmt.Errorf("object in pack %d of %d", p, packs)
		}
		off := int64(binary.BigEndian.Uint32(offs[8*i+4:]))
		if off&(1<<31) != 0 && large != nil {
			k := off &^ (1 << 31)
			if k >= int64(len(large)/8) {
				return nil, errTruncated
			}
			v := binary.BigEndian.Uint64(large[8*k:])
			if v > math.MaxInt64 {
				return nil, fmt.Errorf("offset %d", v)
			}
			off = int64(v)
		}
		lists[p] = append(lists[p], tableEntry{id: OIDFromBytes(oids[i*size : (i+1)*size]), off: off})
	}
	for _, l := range lists {
		m.parts = append(m.parts, newTable(format, l))
	}
	return m, nil
}

// readChunks reads the table of contents that multi-pack-index and commit-graph
// files share: n lines of a name and an offset, and a last one for the end.
func readChunks(data []byte, at, n int) (map[string][]byte, error) {
	if len(data) < at+12*(n+1) {
		return nil, errTruncated
	}
	chunks := make(map[string][]byte, n)
	for i := range n {
		line := data[at+12*i:]
		from, to := binary.BigEndian.Uint64(line[4:]), binary.BigEndian.Uint64(line[16:])
		if from > to || to > uint64(len(data)) {
			return nil, errors.New("table of contents is out of order")
		}
		chunks[string(line[:4])] = data[from:to]
	}
	return chunks, nil
}

package source

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/till-sh/till/scanner/pack"
)

// merge completes a split index: most entries stand in a shared file, and the
// extension "link" says which of them are deleted and replaced. ix holds the
// replacements, which have no names, and then what was added.
func (d *indexDecoder) merge(ix *index, gitDir string) error {
	size := d.format.Size()
	if len(d.link) < size {
		return errors.New("bad link extension")
	}
	id, rest := pack.OIDFromBytes(d.link[:size]), d.link[size:]
	if isNull(id) {
		return nil
	}
	name := "sharedindex." + id.String()
	base := indexDecoder{format: d.format, shared: true}
	if err := base.read(filepath.Join(gitDir, name)); err != nil {
		return fmt.Errorf("read %s: %w", name, bareError(err))
	}
	if len(base.data) < size || !bytes.Equal(base.data[len(base.data)-size:], id.Bytes()) {
		return fmt.Errorf("read %s: it is not the file that its name says", name)
	}
	shared, err := base.decode()
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	var deleted, replaced []int
	if len(rest) > 0 {
		if deleted, rest, err = ewahBits(rest, len(shared.entries)); err == nil {
			replaced, rest, err = ewahBits(rest, len(shared.entries))
		}
		if err != nil || len(rest) > 0 {
			return errors.New("bad link extension")
		}
	}
	own := ix.entries
	if len(replaced) > len(own) {
		return errors.New("bad link extension: entries are missing")
	}
	for i, at := range replaced {
		if len(own[i].path) != 0 {
			return fmt.Errorf("bad link extension: entry %d has a name", i+1)
		}
		own[i].path = shared.entries[at].path
		shared.entries[at] = own[i]
	}
	added := own[len(replaced):]
	kept, next := shared.entries[:0], 0
	for i, e := range shared.entries {
		if next < len(deleted) && deleted[next] == i {
			next++
			continue
		}
		kept = append(kept, e)
	}
	ix.entries = mergeEntries(kept, added)
	return nil
}

// mergeEntries merges two ordered lists; of two equal entries the second wins.
func mergeEntries(a, b []indexEntry) []indexEntry {
	if len(b) == 0 {
		return a
	}
	out := slices.Grow([]indexEntry(nil), len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		c := bytes.Compare(a[0].path, b[0].path)
		if c == 0 {
			c = int(a[0].stage) - int(b[0].stage)
		}
		if c < 0 {
			out = append(out, a[0])
		} else {
			out = append(out, b[0])
			b = b[1:]
		}
		if c <= 0 {
			a = a[1:]
		}
	}
	return append(append(out, a...), b...)
}

// ewahBits decodes a compressed bitmap and returns the positions of its set
// bits, all below limit, and what follows the bitmap. (gitformat-bitmap(5))
func ewahBits(data []byte, limit int) (bits []int, rest []byte, err error) {
	bad := errors.New("bad bitmap")
	if len(data) < 8 {
		return nil, nil, bad
	}
	words := binary.BigEndian.Uint32(data[4:])
	data = data[8:]
	if uint64(words)*8+4 > uint64(len(data)) {
		return nil, nil, bad
	}
	rest = data[words*8+4:] // after the position of the last marker
	data = data[:words*8]
	at := uint64(0)
	add := func(n uint64) error {
		if n >= uint64(limit) {
			return bad
		}
		bits = append(bits, int(n))
		return nil
	}
	for len(data) > 0 {
		// A marker: one bit, how many words consist of it (32 bits), and how
		// many words follow as they are (31 bits).
		marker := binary.BigEndian.Uint64(data)
		data = data[8:]
		run, literal := marker>>1&0xffffffff, marker>>33
		if marker&1 == 1 {
			for i := range run * 64 {
				if err := add(at + i); err != nil {
					return nil, nil, err
				}
			}
		}
		if at += run * 64; at > 1<<40 { // far beyond any limit; nothing overflows before
			return nil, nil, bad
		}
		if literal*8 > uint64(len(data)) {
			return nil, nil, bad
		}
		for range literal {
			word := binary.BigEndian.Uint64(data)
			data = data[8:]
			for i := range uint64(64) {
				if word>>i&1 == 1 {
					if err := add(at + i); err != nil {
						return nil, nil, err
					}
				}
			}
			at += 64
		}
	}
	return bits, rest, nil
}

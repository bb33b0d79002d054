package source

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"slices"
	"strconv"

	"github.com/till-sh/till/scanner/pack"
)

// go-git decodes an index too, but allocates several times for each entry
// (40 ms for 50,000) and refuses split and sparse indexes and SHA-256.

// maxIndex is the largest index that is read: about 10 million files.
const maxIndex = 1 << 30

// index is a decoded index file.
type index struct {
	format  pack.Format
	entries []indexEntry // ordered by path, then stage
	tree    *cacheTree   // nil when there is none
}

// indexEntry is one path in the index. Its slices are part of the file.
type indexEntry struct {
	path        []byte // a sparse folder ends with "/"
	id          []byte
	mode        uint32
	stage       uint8
	intentToAdd bool
}

func (e *indexEntry) oid() pack.OID { return pack.OIDFromBytes(e.id) }

// cacheTree says which folders of the index are known to equal a tree object.
type cacheTree struct {
	name  []byte
	count int // entries below it; -1 when the tree is not known
	id    pack.OID
	sub   []cacheTree // see find
}

// find returns the node of a sub-folder, nil when there is none. git orders them
// by the length of the name first; in any other order some are not found, which
// costs time.
func (c *cacheTree) find(name []byte) *cacheTree {
	if c == nil {
		return nil
	}
	i, ok := slices.BinarySearchFunc(c.sub, name, func(sub cacheTree, name []byte) int {
		if n := len(sub.name) - len(name); n != 0 {
			return n
		}
		return bytes.Compare(sub.name, name)
	})
	if !ok {
		return nil
	}
	return &c.sub[i]
}

const (
	flagAssumeLen   = 0x0fff // length of the name, or more
	flagStage       = 0x3000
	flagExtended    = 0x4000
	flagIntentToAdd = 0x2000 // in the second word of flags
)

// readIndex reads the index that a commit would be made from. An index that
// does not exist is empty, unless the environment named it.
func (r *Repository) readIndex() (*index, error) {
	fail := func(err error) (*index, error) {
		return nil, fmt.Errorf("read index %s: %w", r.display(r.IndexFile), err)
	}
	d := indexDecoder{format: r.Format}
	err := d.read(r.IndexFile)
	if errors.Is(err, fs.ErrNotExist) && !r.indexGiven {
		return &index{format: r.Format}, nil
	}
	if err != nil {
		return fail(bareError(err))
	}
	ix, err := d.decode()
	if err == nil && d.link != nil {
		err = d.merge(ix, r.Dir)
	}
	if err == nil {
		err = ix.checkOrder()
	}
	if err != nil {
		return fail(err)
	}
	return ix, nil
}

// bareError takes the path off an error, for a message that has it already.
func bareError(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// indexDecoder decodes one index file (gitformat-index(5)).
type indexDecoder struct {
	format  pack.Format
	data    []byte
	sum     chan []byte // checksum of data without its own, from another goroutine
	version uint32
	link    []byte // the extension "link", nil when there is none
	shared  bool   // this is the file that "link" names
	arena   []byte // names of version 4 are put together here
}

var errIndexShort = errors.New("unexpected end of file")

func (d *indexDecoder) decode() (*index, error) {
	size := d.format.Size()
	if len(d.data) < 12+size {
		return nil, errIndexShort
	}
	body, sum := d.data[:len(d.data)-size], d.data[len(d.data)-size:]
	if string(body[:4]) != "DIRC" {
		return nil, errors.New("not an index file")
	}
	d.version = binary.BigEndian.Uint32(body[4:])
	if d.version < 2 || d.version > 4 {
		return nil, fmt.Errorf("version %d is not supported", d.version)
	}
	ix, err := d.body(body)
	// With index.skipHash git writes zeros in the place of the checksum.
	if got := <-d.sum; !allZero(sum) && !bytes.Equal(sum, got) {
		return nil, errors.New("checksum does not match: the file is damaged")
	}
	return ix, err
}

// indexChunk is how much is read before it is hashed.
const indexChunk = 256 << 10

// read reads an index file. Its checksum takes as long as everything else (2 ms
// for 50,000 files), so another goroutine computes it, beginning while the file
// is still being read.
func (d *indexDecoder) read(path string) error {
	f, info, err := openRegular(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if info.Size() > maxIndex {
		return fmt.Errorf("larger than %d bytes", maxIndex)
	}
	data := make([]byte, info.Size())
	ready := make(chan int, len(data)/indexChunk+1)
	d.sum = make(chan []byte, 1)
	end := max(0, len(data)-d.format.Size())
	go func() {
		h, at := newHash(d.format), 0
		for n := range ready {
			n = min(n, end)
			h.Write(data[at:n])
			at = n
		}
		d.sum <- h.Sum(nil)
	}()
	defer close(ready)
	for at := 0; at < len(data); {
		n, err := io.ReadFull(f, data[at:min(at+indexChunk, len(data))])
		if err != nil {
			// git replaces the file, and never writes into it.
			return fmt.Errorf("the file changed while it was read: %w", err)
		}
		at += n
		ready <- at
	}
	d.data = data
	return nil
}

func newHash(f pack.Format) hash.Hash {
	if f == pack.SHA256 {
		return sha256.New()
	}
	return sha1.New()
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

func (d *indexDecoder) body(body []byte) (*index, error) {
	count := binary.BigEndian.Uint32(body[8:])
	// An entry takes more than its hash and 42 bytes, whatever count says.
	if int64(count)*int64(d.format.Size()+42) > int64(len(body)) {
		return nil, errIndexShort
	}
	ix := &index{format: d.format, entries: make([]indexEntry, count)}
	at := 12
	var previous []byte
	for i := range ix.entries {
		n, err := d.entry(body[at:], &ix.entries[i], previous)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		at += n
		previous = ix.entries[i].path
	}
	return ix, d.extensions(body[at:], ix)
}

// entry decodes the entry that data begins with, and returns its length.
func (d *indexDecoder) entry(data []byte, e *indexEntry, previous []byte) (int, error) {
	const stat = 40 // times, device, inode, mode, owner, size
	at := stat + d.format.Size() + 2
	if len(data) < at+2 {
		return 0, errIndexShort
	}
	e.mode = binary.BigEndian.Uint32(data[24:])
	e.id = data[stat : at-2]
	flags := binary.BigEndian.Uint16(data[at-2:])
	e.stage = uint8(flags & flagStage >> 12)
	if flags&flagExtended != 0 {
		if d.version < 3 {
			return 0, errors.New("extended flags in version 2")
		}
		e.intentToAdd = binary.BigEndian.Uint16(data[at:])&flagIntentToAdd != 0
		at += 2
	}
	if d.version == 4 {
		return d.compressedName(data, at, e, previous)
	}
	n := int(flags & flagAssumeLen)
	if n == flagAssumeLen || len(data) <= at+n || data[at+n] != 0 {
		if n = bytes.IndexByte(data[at:], 0); n < 0 {
			return 0, errIndexShort
		}
	}
	e.path = data[at : at+n : at+n]
	// Names end in one to eight zeros, so that entries are a multiple of eight.
	if at = (at + n + 8) &^ 7; at > len(data) {
		return 0, errIndexShort
	}
	return at, nil
}

// compressedName decodes a name of version 4: how many bytes of the previous
// name to drop, and what to put in their place.
func (d *indexDecoder) compressedName(data []byte, at int, e *indexEntry, previous []byte) (int, error) {
	drop, n := offsetVarint(data[at:])
	if n == 0 || drop > uint64(len(previous)) {
		return 0, errors.New("bad name")
	}
	at += n
	end := bytes.IndexByte(data[at:], 0)
	if end < 0 {
		return 0, errIndexShort
	}
	keep := previous[:len(previous)-int(drop)]
	size := len(keep) + end
	if size > maxIndexPath {
		return 0, errors.New("name too long")
	}
	if cap(d.arena)-len(d.arena) < size {
		d.arena = make([]byte, 0, max(size, 1<<18))
	}
	start := len(d.arena)
	d.arena = append(append(d.arena, keep...), data[at:at+end]...)
	e.path = d.arena[start:len(d.arena):len(d.arena)]
	return at + end + 1, nil
}

// maxIndexPath bounds what names of version 4 can add up to; Linux allows
// 4,096 bytes, and a tree may have longer paths.
const maxIndexPath = 1 << 20

// offsetVarint decodes git's variable-width number, and returns its length, 0
// when it is cut off or does not fit.
func offsetVarint(b []byte) (uint64, int) {
	var v uint64
	for i := range min(len(b), 9) {
		v = v<<7 | uint64(b[i]&0x7f)
		if b[i]&0x80 == 0 {
			return v, i + 1
		}
		v++
	}
	return 0, 0
}

// extensions decodes what follows the entries. One whose name begins with a
// capital may be left out; any other changes what the entries mean.
func (d *indexDecoder) extensions(data []byte, ix *index) error {
	for len(data) > 0 {
		if len(data) < 8 {
			return errIndexShort
		}
		name, size := string(data[:4]), binary.BigEndian.Uint32(data[4:])
		data = data[8:]
		if uint64(size) > uint64(len(data)) {
			return errIndexShort
		}
		body := data[:size]
		data = data[size:]
		switch {
		case name == "TREE":
			root, rest, err := d.cacheTree(body, 0)
			if err != nil || len(rest) > 0 {
				return errors.New("bad cache tree")
			}
			ix.tree = &root
		case name == "link" && !d.shared:
			d.link = body
		case name == "sdir": // sparse folders: entries that are trees
		case name[0] < 'A' || name[0] > 'Z':
			return fmt.Errorf("unknown extension %q", name)
		}
	}
	return nil
}

// maxTreeDepth is how deep folders may be nested. Each takes at least two bytes
// of a path, so nothing on a disk comes near it.
const maxTreeDepth = 4096

var errTooDeep = errors.New("folders are nested too deeply")

func (d *indexDecoder) cacheTree(data []byte, depth int) (c cacheTree, rest []byte, err error) {
	bad := errors.New("bad cache tree")
	if depth > maxTreeDepth {
		return c, nil, errTooDeep
	}
	var ok bool
	if c.name, data, ok = bytes.Cut(data, []byte{0}); !ok {
		return c, nil, bad
	}
	line, data, ok := bytes.Cut(data, []byte("\n"))
	count, subs, space := bytes.Cut(line, []byte(" "))
	if !ok || !space {
		return c, nil, bad
	}
	if c.count, err = strconv.Atoi(string(count)); err != nil {
		return c, nil, bad
	}
	n, err := strconv.Atoi(string(subs))
	if err != nil || n < 0 || n > len(data) {
		return c, nil, bad
	}
	if size := d.format.Size(); c.count >= 0 {
		if len(data) < size {
			return c, nil, bad
		}
		c.id, data = pack.OIDFromBytes(data[:size]), data[size:]
	} else {
		c.count = -1
	}
	for range n {
		var sub cacheTree
		if sub, data, err = d.cacheTree(data, depth+1); err != nil {
			return c, nil, err
		}
		c.sub = append(c.sub, sub)
	}
	return c, data, nil
}

// checkOrder makes sure that entries are ordered, on which everything else
// relies: a folder is a range of entries.
func (ix *index) checkOrder() error {
	for i := 1; i < len(ix.entries); i++ {
		a, b := &ix.entries[i-1], &ix.entries[i]
		if c := bytes.Compare(a.path, b.path); c > 0 || c == 0 && a.stage >= b.stage {
			return fmt.Errorf("entry %d is out of order", i+1)
		}
	}
	return nil
}

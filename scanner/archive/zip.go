package archive

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// Lengths of the fixed parts of a zip's records (APPNOTE.TXT 4.3).
const (
	localLen   = 30
	dirLen     = 46
	endLen     = 22
	end64Len   = 56
	locatorLen = 20
)

var (
	localMagic = []byte("PK\x03\x04")
	dirMagic   = []byte("PK\x01\x02")
	endMagic   = []byte("PK\x05\x06")
)

// Flags of an entry.
const (
	flagEncrypted  = 1 << 0
	flagDescriptor = 1 << 3 // sizes stand behind the data
	flagStrong     = 1 << 6
	flagMasked     = 1 << 13 // the local header is masked
)

// zipEntry is an entry as the directory, or else its local header, has it.
type zipEntry struct {
	name          []byte
	at            int64 // of the local header, in the file
	method, flags uint16
	crc           uint32
	packed, size  int64
}

// zipWalk is the state of one zip.
type zipWalk struct {
	*call
	name  string
	data  []byte
	cut   bool // data is not all of it, which is on record
	depth int
}

// zip opens a zip, which is always in memory.
//
// archive/zip is not used because it needs a directory without fault and lets
// entries share their bytes. Here the entries are taken in the order they stand
// in, none twice, and where no entry of the directory is, a local header may be.
func (c *call) zip(name string, in *input, depth int) {
	z := &zipWalk{call: c, name: name, data: in.data, cut: in.cut, depth: depth}
	dir := readDirectory(z.data, c.limits.Entries+1)
	if !dir.found && !z.cut {
		c.leave(name, "damaged: no central directory")
	} else if dir.short {
		c.leave(name, "damaged: central directory cut short")
	}
	slices.SortStableFunc(dir.entries, func(a, b zipEntry) int {
		return int(min(1, max(-1, a.at-b.at)))
	})
	if depth > 1 && len(dir.entries) > 0 && !bytes.HasPrefix(z.data, []byte("PK")) {
		if first := dir.entries[0].at; first > 0 && first <= int64(len(z.data)) {
			c.emit(name, z.data[:first])
		}
	}
	var done int64 // what stands before is dealt with
	for i := range dir.entries {
		e := &dir.entries[i]
		if !c.entry(name) {
			return
		}
		if i > 0 {
			// Another name for the same bytes.
			if p := &dir.entries[i-1]; p.at == e.at && p.packed == e.packed && p.method == e.method && p.flags == e.flags {
				continue
			}
		}
		label := inside(name, e.name)
		local, body, ok := localHeader(z.data, e.at)
		switch {
		case !ok:
			c.leave(label, "damaged: no local header")
			continue
		case e.at < done:
			c.leave(label, "damaged: overlaps another entry")
			continue
		}
		e.flags |= local.flags & (flagEncrypted | flagStrong)
		if z.walk(done, e.at); c.stopped {
			return
		}
		end := min(body+e.packed, int64(len(z.data)))
		z.read(e, label, z.data[body:end], end < body+e.packed)
		done = end
	}
	if c.stopped {
		return
	}
	z.walk(done, max(done, dir.at))
	if depth > 1 && len(dir.comment) > 0 {
		c.emit(name, dir.comment)
	}
}

// walk reads what local headers between two places of the file announce.
func (z *zipWalk) walk(from, to int64) {
	for from < to && !z.stopped {
		i := bytes.Index(z.data[from:to], localMagic)
		if i < 0 {
			return
		}
		from += int64(i)
		e, body, ok := localHeader(z.data[:to], from)
		if !ok || !e.plausible() {
			from += int64(len(localMagic))
			continue
		}
		if !z.entry(z.name) {
			return
		}
		label := inside(z.name, e.name)
		end, cut := body+e.packed, false
		unknown := e.flags&flagDescriptor != 0 && e.packed == 0
		switch {
		case unknown && (e.encrypted() || e.format() == ""):
			end = nextRecord(z.data[:to], body)
		case unknown:
			end = to
		case end > to:
			end, cut = to, true
		}
		n := z.read(&e, label, z.data[body:end], cut)
		if unknown || cut {
			end = body + n
		}
		from = end
	}
}

// read takes one entry whose packed bytes are given, and returns how many of
// them it took. cut says that there should be more.
func (z *zipWalk) read(e *zipEntry, label string, packed []byte, cut bool) (taken int64) {
	taken = int64(len(packed))
	cut = cut && !z.cut
	switch {
	case e.encrypted():
		z.leave(label, "encrypted")
	case len(packed) == 0 && e.size == 0 && bytes.HasSuffix(e.name, []byte("/")):
		// a folder
	case e.method == 0:
		z.member(label, packed, cut || z.cut, z.depth, false)
		if cut {
			z.leave(label, damage(taken, io.ErrUnexpectedEOF))
		} else if !z.cut && !z.stopped && e.crc != 0 && crc32.ChecksumIEEE(packed) != e.crc {
			z.leave(label, damage(taken, errChecksum))
		}
	case e.format() == "":
		reason := fmt.Sprintf("unsupported: zip method %d", e.method)
		if s := methods[e.method]; s != "" {
			reason += " (" + s + ")"
		}
		z.leave(label, reason)
	default:
		in := inMemory(packed, z.cut)
		u := z.compressed(e.format(), label, in, e.size, z.depth, false)
		if u.err == io.EOF && e.crc != 0 && u.crc != e.crc {
			z.leave(label, damage(u.out, errChecksum))
		}
		taken = in.pos()
		if e.method != 8 {
			// These two look for one more stream behind their own.
			taken = max(0, taken-4)
		}
	}
	return taken
}

// methods are names of what is not opened (APPNOTE.TXT 4.4.5).
var methods = map[uint16]string{1: "shrink", 6: "implode", 9: "deflate64", 14: "lzma", 95: "xz", 98: "ppmd", 99: "aes"}

// format returns what an entry is compressed with, "" when it is stored or that
// cannot be opened.
func (e *zipEntry) format() string {
	switch e.method {
	case 8:
		return "deflate"
	case 12:
		return "bzip2"
	case 93:
		return "zstd"
	}
	return ""
}

func (e *zipEntry) encrypted() bool {
	return e.flags&(flagEncrypted|flagStrong|flagMasked) != 0 || e.method == 99
}

// plausible tells whether what looks like a local header, found where none was
// expected, is one.
func (e *zipEntry) plausible() bool {
	return len(e.name) > 0 && bytes.IndexByte(e.name, 0) < 0 && e.method <= 99
}

// localHeader reads the local header at a place, and tells where the packed
// bytes begin.
func localHeader(data []byte, at int64) (e zipEntry, body int64, ok bool) {
	if at < 0 || at > int64(len(data))-localLen || !bytes.HasPrefix(data[at:], localMagic) {
		return e, 0, false
	}
	h := data[at:]
	le := binary.LittleEndian
	n, x := int64(le.Uint16(h[26:])), int64(le.Uint16(h[28:]))
	if localLen+n+x > int64(len(h)) {
		return e, 0, false
	}
	e = zipEntry{
		name:   h[localLen : localLen+n],
		at:     at,
		flags:  le.Uint16(h[6:]),
		method: le.Uint16(h[8:]),
		crc:    le.Uint32(h[14:]),
		packed: int64(le.Uint32(h[18:])),
		size:   int64(le.Uint32(h[22:])),
	}
	e.zip64(h[localLen+n : localLen+n+x])
	return e, at + localLen + n + x, true
}

// zip64 takes the numbers that do not fit into 32 bits from the extra field.
func (e *zipEntry) zip64(extra []byte) {
	le := binary.LittleEndian
	for len(extra) >= 4 {
		id, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		extra = extra[4:]
		if n > len(extra) {
			return
		}
		if id == 1 {
			field := extra[:n]
			for _, p := range []*int64{&e.size, &e.packed, &e.at} {
				if *p == 0xffffffff && len(field) >= 8 {
					// Beyond any file, and far from where sums overflow.
					*p = int64(min(le.Uint64(field), 1<<61))
					field = field[8:]
				}
			}
			return
		}
		extra = extra[n:]
	}
}

// nextRecord returns where the next record of a zip begins, or the end of data.
func nextRecord(data []byte, from int64) int64 {
	for {
		i := bytes.Index(data[from:], []byte("PK"))
		if i < 0 {
			return int64(len(data))
		}
		from += int64(i)
		if rest := data[from:]; len(rest) >= 4 {
			switch string(rest[2:4]) {
			case "\x01\x02", "\x03\x04", "\x05\x06", "\x07\x08":
				return from
			}
		}
		from += 2
	}
}

// directory is the central directory of a zip.
type directory struct {
	entries []zipEntry
	at      int64 // where it begins; the end of data when there is none
	comment []byte
	found   bool
	short   bool // it has fewer entries than it says
}

// readDirectory finds the central directory and reads at most limit entries.
func readDirectory(data []byte, limit int) directory {
	// The end record is last, but for a comment of up to 65,535 bytes. A
	// comment that is cut off, or garbage behind it, is let pass.
	low := max(0, len(data)-endLen-0xffff)
	for high := len(data); ; {
		i := bytes.LastIndex(data[low:high], endMagic)
		if i < 0 {
			return directory{at: int64(len(data))}
		}
		high = low + i
		if d, ok := directoryBefore(data, high, limit); ok {
			return d
		}
	}
}

// directoryBefore reads the directory whose end record is at a place.
func directoryBefore(data []byte, end, limit int) (d directory, ok bool) {
	h := data[end:]
	if len(h) < endLen {
		return d, false
	}
	le := binary.LittleEndian
	count, size, at := uint64(le.Uint16(h[10:])), uint64(le.Uint32(h[12:])), uint64(le.Uint32(h[16:]))
	mask := uint64(0xffff) // a writer without zip64 counts modulo this
	stop := uint64(end)
	if count == 0xffff || size == 0xffffffff || at == 0xffffffff {
		if h64, pos := end64(data, end); h64 != nil {
			count, size, at = le.Uint64(h64[32:]), le.Uint64(h64[40:]), le.Uint64(h64[48:])
			mask, stop = ^uint64(0), uint64(pos)
		}
	}
	if comment := h[endLen:]; len(comment) > 0 {
		d.comment = comment[:min(len(comment), int(le.Uint16(h[20:])))]
	}
	d.found, d.at = true, int64(stop)
	if count == 0 && size == 0 {
		return d, true
	}
	// With something before the zip, offsets may count from the file's start or
	// from the zip's; where the directory really is tells which.
	var base int64
	switch {
	case size <= stop && bytes.HasPrefix(data[stop-size:], dirMagic):
		d.at = int64(stop - size)
		if at < uint64(d.at) {
			base = d.at - int64(at)
		}
	case at < stop && bytes.HasPrefix(data[at:], dirMagic):
		d.at = int64(at)
	default:
		return directory{}, false
	}
	rest := data[d.at:stop]
	for len(d.entries) < limit && len(rest) >= dirLen && bytes.HasPrefix(rest, dirMagic) {
		n, x, k := int(le.Uint16(rest[28:])), int(le.Uint16(rest[30:])), int(le.Uint16(rest[32:]))
		if dirLen+n+x+k > len(rest) {
			break
		}
		e := zipEntry{
			name:   rest[dirLen : dirLen+n],
			flags:  le.Uint16(rest[8:]),
			method: le.Uint16(rest[10:]),
			crc:    le.Uint32(rest[16:]),
			packed: int64(le.Uint32(rest[20:])),
			size:   int64(le.Uint32(rest[24:])),
			at:     int64(le.Uint32(rest[42:])),
		}
		e.zip64(rest[dirLen+n : dirLen+n+x])
		if e.at+base < int64(len(data)) && bytes.HasPrefix(data[e.at+base:], localMagic) {
			e.at += base
		}
		d.entries = append(d.entries, e)
		rest = rest[dirLen+n+x+k:]
	}
	d.short = len(d.entries) < limit && uint64(len(d.entries))&mask != count&mask
	return d, true
}

// end64 finds the zip64 end record through its locator, which stands before the
// end record at a place.
func end64(data []byte, end int) (h []byte, pos int) {
	if end < locatorLen || !bytes.HasPrefix(data[end-locatorLen:], []byte("PK\x06\x07")) {
		return nil, 0
	}
	magic := []byte("PK\x06\x06")
	at := binary.LittleEndian.Uint64(data[end-locatorLen+8:])
	// Where it says, or right before the locator.
	for _, at := range []uint64{at, uint64(end) - locatorLen - end64Len} {
		if at < uint64(end) && uint64(end)-at >= end64Len && bytes.HasPrefix(data[at:], magic) {
			return data[at:], int(at)
		}
	}
	return nil, 0
}

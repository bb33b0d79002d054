package archive

import (
	"bytes"
	"encoding/binary"
	"io"
	"strconv"
)

// block is what everything in a tar is a multiple of.
const block = 512

// maxPax bounds a header of extended attributes or a long name: the same as in
// archive/tar.
const maxPax = 1 << 20

// tar walks a tar: version 7, ustar, pax, GNU.
//
// archive/tar is not used because it gives up at the first thing it does not
// like, and fills the holes of sparse files with as many zeros as the header
// asks for. Here a sparse file is what the archive holds of it.
func (c *call) tar(name string, in *input, depth int) {
	var (
		h     [block]byte
		long  []byte // name of the next entry, from a header before it
		size  int64  // likewise, -1 when there is none
		ended bool   // a block of zeros was there: nothing more need follow
	)
	size = -1
	for !c.stopped {
		b := in.peek(block)
		if len(b) < block {
			// Some writers leave the end marker out; half a header is damage.
			if len(b) > 0 && !ended && !zero(b) && !in.broken() {
				c.leave(name, damage(in.pos(), io.ErrUnexpectedEOF))
			}
			c.rest(name, in, depth)
			return
		}
		if zero(b) {
			// Not the end: several tars may stand one behind another.
			ended = true
			in.skip(block)
			continue
		}
		if !tarHeader(b) {
			if !ended && !in.broken() {
				c.leave(name, damage(in.pos(), errHeader))
			}
			c.rest(name, in, depth)
			return
		}
		copy(h[:], b)
		in.skip(block)
		n, ok := tarNumber(h[124:136])
		if !ok {
			c.leave(name, damage(in.pos()-block, errHeader))
			c.rest(name, in, depth)
			return
		}
		switch h[156] {
		case 'x', 'L', 'X':
			if n > maxPax {
				break // an entry with much data, whatever it is for
			}
			b, ok := in.take(n)
			if !ok {
				if !in.broken() {
					c.leave(name, damage(in.pos(), io.ErrUnexpectedEOF))
				}
				return
			}
			if h[156] == 'L' {
				long = append(long[:0], cstring(b)...)
			} else {
				long, size = pax(b, long, size)
			}
			in.skip(padding(n))
			continue
		case 'g', 'K':
			// Attributes of all entries, the target of a link: neither matters.
			if !in.skip(n + padding(n)) {
				if !in.broken() {
					c.leave(name, damage(in.pos(), io.ErrUnexpectedEOF))
				}
				return
			}
			continue
		}
		if size >= 0 {
			n = size
		}
		if !c.entry(name) {
			return
		}
		label := long
		if len(label) == 0 {
			label = tarName(&h)
		}
		kind := h[156]
		if kind == 'S' {
			sparseHeader(in, &h)
		}
		file := !('1' <= kind && kind <= '6') && !(n == 0 && len(label) > 0 && label[len(label)-1] == '/')
		if file && !c.tarFile(inside(name, label), in, n, depth) {
			return
		}
		if file && !in.skip(padding(n)) && !in.broken() {
			c.leave(name, damage(in.pos(), io.ErrUnexpectedEOF))
			return
		}
		long, size = long[:0], -1
	}
}

// tarFile takes a file of n bytes, and tells whether the walk can go on.
func (c *call) tarFile(label string, in *input, n int64, depth int) bool {
	var missing int64
	if in.buf == nil {
		data := in.data[in.pos():]
		missing = max(0, n-int64(len(data)))
		data = data[:n-missing]
		in.skip(n - missing)
		c.member(label, data, missing > 0, depth, false)
	} else {
		p := &part{in, n}
		c.stream(label, p, n, depth, false)
		start := in.pos()
		if !in.skip(p.left) {
			missing = p.left - (in.pos() - start)
		}
	}
	if missing > 0 {
		if !in.broken() {
			c.leave(label, damage(n-missing, io.ErrUnexpectedEOF))
		}
		return false
	}
	return true
}

// sparseHeader passes over the blocks of a map of holes that stand between an
// old GNU header and the data.
func sparseHeader(in *input, h *[block]byte) {
	more := h[482]
	for more != 0 {
		b := in.peek(block)
		if len(b) < block {
			return
		}
		more = b[504]
		in.skip(block)
	}
}

// take returns the next n bytes, valid until the next read.
func (in *input) take(n int64) ([]byte, bool) {
	if in.buf == nil {
		rest := in.data[in.pos():]
		if n > int64(len(rest)) {
			in.skip(int64(len(rest)))
			return nil, false
		}
		in.skip(n)
		return rest[:n], true
	}
	b := make([]byte, n)
	_, err := io.ReadFull(in.buf, b)
	return b, err == nil
}

func padding(n int64) int64 { return -n & (block - 1) }

func cstring(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

func tarName(h *[block]byte) []byte {
	name := cstring(h[:100])
	// GNU's magic is "ustar " and its headers have other things there.
	if prefix := cstring(h[345:500]); len(prefix) > 0 && string(h[257:263]) == "ustar\x00" {
		name = append(append(append([]byte(nil), prefix...), '/'), name...)
	}
	return name
}

// tarNumber reads octal digits, or a big-endian number if the highest bit is
// set. It is never negative.
func tarNumber(b []byte) (n int64, ok bool) {
	if b[0]&0x80 != 0 {
		n = int64(binary.BigEndian.Uint64(b[len(b)-8:]))
		for _, ch := range b[1 : len(b)-8] {
			if ch != 0 {
				return 0, false
			}
		}
		return n, b[0] == 0x80 && n >= 0 && n <= 1<<62
	}
	b = bytes.Trim(b, " \x00")
	for _, ch := range b {
		if ch < '0' || ch > '7' {
			return 0, false
		}
		n = n<<3 | int64(ch-'0')
	}
	return n, true
}

// pax reads the records "length key=value\n" of an extended header and returns
// the name and the size they give, or else those that were known before.
func pax(b, name []byte, size int64) ([]byte, int64) {
	for len(b) > 0 {
		digits, _, ok := bytes.Cut(b[:min(len(b), 20)], []byte(" "))
		n, err := strconv.Atoi(string(digits))
		if !ok || err != nil || n <= len(digits)+1 || n > len(b) {
			break
		}
		key, value, _ := bytes.Cut(bytes.TrimSuffix(b[len(digits)+1:n], []byte("\n")), []byte("="))
		switch string(key) {
		case "path":
			if len(name) == 0 {
				name = append(name, value...)
			}
		case "GNU.sparse.name":
			// The path of such an entry is made up.
			name = append(name[:0], value...)
		case "size":
			if v, err := strconv.ParseInt(string(value), 10, 63); err == nil && v <= 1<<62 {
				size = v
			}
		}
		b = b[n:]
	}
	return name, size
}

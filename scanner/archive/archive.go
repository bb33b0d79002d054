// Package archive unpacks archives and compressed files that are in memory,
// and hands out what is in them, so that a scanner can look at it.
//
// A key in a zip is as leaked as one beside it. A scanner asks [Kind] what a
// blob is, calls [Each] when it is an archive, and scans the Data of every
// [Member] it is given. What Each could not look into it lists, so that
// "clean" is never said of bytes nobody read.
//
// The package is pure: no I/O, no temporary files, no clock, no state that
// outlives a call, safe for concurrent use. Names are labels and are never
// opened or created. What Each yields, and in which order, depends on its
// arguments alone.
//
// # What is opened
//
// Zip (stored, deflate, bzip2 and zstd entries; also jar, docx, xlsx, apk and
// every other file that is a zip inside), tar, gzip, bzip2 and zstd, one inside
// another. Xz, 7z, rar and the like are recognised and listed, not opened.
//
// A damaged archive gives what can be read of it. A zip without its directory
// is walked from one local header to the next, and so is what lies between the
// entries that a directory names.
//
// # Hostile archives
//
// Work and memory are bounded by [Limits] whatever the archive says of itself:
// no size in a header is believed, entries of a zip that share their bytes are
// unpacked once, holes of a sparse tar are left out.
package archive

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Limits bound what one call of [Each] unpacks. A field that is not positive
// stands for its default.
type Limits struct {
	// Bytes is how much may come out of decompressors, over all levels
	// together. What an archive only stores (a tar, a stored zip entry) is not
	// counted: it is part of bytes that are in memory or were counted already.
	// The default is 256 MiB. Peak memory stays about this much.
	Bytes int64

	// Ratio is how many bytes one compressed stream may give for each byte it
	// took so far. It is applied once a stream has given 4 MiB. The default
	// is 100: text seldom compresses better than 20:1, deflate ends at 1032:1.
	Ratio int

	// Entries is how many entries are looked at, over all levels together. The
	// default is 10,000.
	Entries int

	// Depth is how many archives may be inside one another, data itself being
	// the first. A compressed tar counts as one. The default is 5: a jar of
	// jars in a layer of an image in a tar.
	Depth int
}

// The defaults of [Limits].
const (
	DefaultBytes   = 256 << 20
	DefaultRatio   = 100
	DefaultEntries = 10_000
	DefaultDepth   = 5
)

const (
	// window is how much of a member is held at once when it comes out of a
	// decompressor; longer ones are yielded in pieces, so that a file of 200 MB
	// in a tar.gz costs 8 MiB.
	window = 8 << 20

	// overlap is how much of a piece is yielded again at the start of the next.
	// It must be longer than what a rule looks at around a key; the longest
	// PEM blocks have 13 KB.
	overlap = 64 << 10

	// ratioFrom is how much a stream must have given before its ratio counts.
	// Below it there is nothing to win, and small files of one repeated line
	// are nobody's bomb.
	ratioFrom = 4 << 20

	// maxLeft is how many [Left] are listed; the rest is a number.
	maxLeft = 256

	// maxName is how much of a name is kept, in bytes: PATH_MAX of Linux.
	// Nested names are joined, and a tar may hold names of any length.
	maxName = 4096

	// Separator stands between the name of an archive and the name of what is
	// in it.
	Separator = "!"
)

// Member is one file of an archive, or a piece of a long one.
type Member struct {
	// Name is the name as the archive writes it: any bytes, perhaps absolute or
	// with "..", no more than a label. A member of an archive inside another
	// has both names, "in.zip!x/s.py". What a bare compressed file holds has
	// no name of its own and bears the name of the compressed file, which is
	// empty when that is data itself.
	Name string

	// Data is valid during the call of yield only and must not be changed. A
	// member over 8 MiB that comes out of a decompressor is yielded in pieces
	// of that size in order, all with the same Name, each beginning with the
	// last 64 KiB of the one before.
	Data []byte
}

// Left is something that was not looked into, or not wholly.
type Left struct {
	// Name is as in [Member]; empty for data itself.
	Name string

	// Reason is a short phrase: "encrypted", "unsupported: xz",
	// "limit: depth 5", "damaged after 512 bytes: cut off". It holds nothing of
	// what the archive holds.
	Reason string
}

// Each yields every readable member of data, which may be any bytes: nothing is
// yielded of what [Kind] does not know. Members that are archives are opened in
// turn, and yielded as they are only when they cannot be opened or nothing
// comes out of them. The bytes of data itself are not yielded; of an archive inside it,
// those that belong to no member (what stands before a self-extracting zip, a
// zip's comment, what follows the end of a gzip or tar) are, under its name.
//
// left lists what could not be looked into, in the order it was met, at most
// 256 and then one that says how many more. After the limit of bytes or of
// entries nothing more is read, and one Left, always listed, tells where that
// was. An empty left means that everything was yielded.
//
// Each keeps no reference to data.
func Each(data []byte, l Limits, yield func(*Member)) (left []Left) {
	c := &call{limits: l.filled(), yield: yield}
	return c.run(data)
}

func (c *call) run(data []byte) []Left {
	kind := Kind(data)
	if kind == "" {
		return nil
	}
	defer c.close()
	if !opens(kind) {
		c.leave("", "unsupported: "+kind)
	} else {
		c.open(kind, "", inMemory(data, false), 1)
	}
	if n := c.more; n > 0 {
		c.left = append(c.left, Left{Reason: fmt.Sprintf("%d more that could not be looked into", n)})
	}
	return c.left
}

func (l Limits) filled() Limits {
	if l.Bytes <= 0 {
		l.Bytes = DefaultBytes
	}
	if l.Ratio <= 0 {
		l.Ratio = DefaultRatio
	}
	if l.Entries <= 0 {
		l.Entries = DefaultEntries
	}
	if l.Depth <= 0 {
		l.Depth = DefaultDepth
	}
	return l
}

// call is the state of one Each.
type call struct {
	limits  Limits
	yield   func(*Member)
	left    []Left
	more    int   // Lefts beyond maxLeft
	spent   int64 // bytes that came out of decompressors
	entries int
	yielded int  // members
	stopped bool // a limit was hit that ends everything
	m       Member

	level   int      // streams that are being read, one inside another
	buffers [][]byte // by level
	inflate []inflater
	zstd    []*zstd.Decoder // by how many zstd streams are open around it
	zstds   int
}

func (c *call) close() {
	for _, d := range c.zstd {
		d.Close()
	}
}

func (c *call) leave(name, reason string) {
	// What ended everything is listed in any case.
	if len(c.left) >= maxLeft && !c.stopped {
		c.more++
		return
	}
	c.left = append(c.left, Left{name, reason})
}

func (c *call) emit(name string, data []byte) {
	c.yielded++
	c.m = Member{name, data}
	c.yield(&c.m)
}

// entry counts one more entry of the archive called name, and tells whether it
// may be looked at.
func (c *call) entry(name string) bool {
	if c.stopped {
		return false
	}
	if c.entries == c.limits.Entries {
		c.stopped = true
		c.leave(name, fmt.Sprintf("limit: %d entries", c.limits.Entries))
		return false
	}
	c.entries++
	return true
}

// inside returns the name of a member of the archive called outer.
func inside(outer string, name []byte) string {
	name = name[:min(len(name), maxName)]
	if outer == "" {
		return string(name)
	}
	if len(outer)+len(Separator)+len(name) > maxName {
		outer = outer[:max(0, maxName-len(Separator)-len(name))]
	}
	return strings.Join([]string{outer, string(name)}, Separator)
}

// open looks into an archive of a kind that opens, which is the depth-th inside
// one another.
func (c *call) open(kind, name string, in *input, depth int) {
	switch kind {
	case "zip":
		c.zip(name, in, depth)
	case "tar":
		c.tar(name, in, depth)
	default:
		c.compressed(kind, name, in, 0, depth, true)
	}
}

// may tells whether a member of this kind, in an archive at this depth, is
// opened, and lists it if it should be but is not. packed says that it is what
// a compressed file holds.
func (c *call) may(kind, name string, depth int, packed bool) bool {
	switch {
	case kind == "":
		return false
	case !opens(kind):
		c.leave(name, "unsupported: "+kind)
		return false
	case depth >= c.limits.Depth && !(packed && kind == "tar"):
		c.leave(name, fmt.Sprintf("limit: depth %d", c.limits.Depth))
		return false
	}
	return true
}

// below returns the depth of an archive inside one of the given depth.
func below(kind string, depth int, packed bool) int {
	if packed && kind == "tar" {
		return depth
	}
	return depth + 1
}

// member takes a member that is in memory. cut says that data is not all of it,
// which is on record already.
func (c *call) member(name string, data []byte, cut bool, depth int, packed bool) {
	kind := Kind(data)
	if !c.may(kind, name, depth, packed) {
		c.emit(name, data)
		return
	}
	before := c.yielded
	c.open(kind, name, inMemory(data, cut), below(kind, depth, packed))
	// What only begins like an archive is a file like any other.
	if c.yielded == before {
		c.emit(name, data)
	}
}

// stream takes a member that comes out of r; hint is how long it is said to be,
// 0 when nothing is said. An error of r other than io.EOF ends the member; the
// caller puts it on record.
func (c *call) stream(name string, r io.Reader, hint int64, depth int, packed bool) {
	level := c.level
	c.level++
	defer func() { c.level-- }()
	if level == len(c.buffers) {
		c.buffers = append(c.buffers, nil)
	}
	buf, err := fill(c.buffers[level][:0], r, int(min(max(hint, 0), window)), window)
	c.buffers[level] = buf
	if err != nil {
		if len(buf) > 0 || err == io.EOF {
			c.member(name, buf, err != io.EOF, depth, packed)
		}
		return
	}
	kind := kindOfHead(buf)
	if !c.may(kind, name, depth, packed) {
		c.pieces(name, buf, r)
		return
	}
	if kind == "zip" {
		// The directory is at the end.
		room := int64(len(buf)) + c.limits.Bytes - c.spent
		buf, err = fill(buf, r, int(min(hint, room)), math.MaxInt) // r has a limit
		c.buffers[level] = nil                                     // do not keep that much
		c.member(name, buf, err != io.EOF, depth, packed)
		return
	}
	before := c.yielded
	c.open(kind, name, inStream(io.MultiReader(bytes.NewReader(buf), r)), below(kind, depth, packed))
	if c.yielded == before {
		c.emit(name, buf)
	}
}

// pieces yields buf and what follows it in r as one member.
func (c *call) pieces(name string, buf []byte, r io.Reader) {
	for {
		c.emit(name, buf)
		if c.stopped {
			return
		}
		n := copy(buf, buf[max(0, len(buf)-overlap):])
		var err error
		if buf, err = fill(buf[:n], r, 0, window); err != nil {
			if len(buf) > n {
				c.emit(name, buf)
			}
			return
		}
	}
}

// rest yields, under the name of an archive inside data, what follows the
// archive's end, unless that is padding.
func (c *call) rest(name string, in *input, depth int) {
	if depth == 1 || c.stopped {
		return
	}
	if in.buf == nil {
		if tail := in.data[in.pos():]; !zero(tail) {
			c.emit(name, tail)
		}
		in.mem.Reset(nil)
		return
	}
	// A stream must be read to its end for its own damage to show. Nothing but
	// raw bytes is made of it, so no level below this one is in use.
	if c.level == len(c.buffers) {
		c.buffers = append(c.buffers, nil)
	}
	level := c.level
	buf, err := fill(c.buffers[level][:0], in.buf, 0, window)
	c.buffers[level] = buf
	for err == nil && zero(buf) {
		buf, err = fill(buf[:0], in.buf, 0, window)
	}
	switch {
	case err == nil:
		c.pieces(name, buf, in.buf)
	case !zero(buf):
		c.emit(name, buf)
	}
}

// zero tells whether all of b is NUL.
func zero(b []byte) bool {
	for len(b) >= len(zeros) {
		if !bytes.Equal(b[:len(zeros)], zeros[:]) {
			return false
		}
		b = b[len(zeros):]
	}
	return bytes.Equal(b, zeros[:len(b)])
}

var zeros [block]byte

package archive

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

// maxZstdWindow is the most memory one zstd stream may ask for: what zstd
// itself allows without being told otherwise (windowLog 27). Streams inside
// another get innerZstdWindow, which RFC 8878 wants every decoder to support.
const (
	maxZstdWindow   = 128 << 20
	innerZstdWindow = 8 << 20
)

var (
	errStopped  = errors.New("stopped by a limit that is on record")
	errBytes    = errors.New("limit of bytes")
	errRatio    = errors.New("limit of ratio")
	errChecksum = errors.New("wrong checksum")
	errHeader   = errors.New("bad header")
)

// input is what an archive is read from: bytes in memory, or a stream.
type input struct {
	r flate.Reader // one of the next two; flate has fast paths for both types

	mem  *bytes.Reader
	data []byte // all that mem reads
	cut  bool   // data is not all there was

	buf *bufio.Reader
	src *source
}

// source counts what a stream gave and keeps the error it ended with.
type source struct {
	r   io.Reader
	n   int64
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if err != nil {
		s.err = err
	}
	return n, err
}

func inMemory(data []byte, cut bool) *input {
	r := bytes.NewReader(data)
	return &input{r: r, mem: r, data: data, cut: cut}
}

func inStream(r io.Reader) *input {
	src := &source{r: r}
	buf := bufio.NewReaderSize(src, 64<<10)
	return &input{r: buf, buf: buf, src: src}
}

// pos returns how many bytes were taken.
func (in *input) pos() int64 {
	if in.buf == nil {
		return int64(len(in.data) - in.mem.Len())
	}
	return in.src.n - int64(in.buf.Buffered())
}

// broken tells whether what was read ended before its time for a reason that
// whoever provides it puts on record.
func (in *input) broken() bool {
	if in.buf == nil {
		return in.cut
	}
	return in.src.err != nil && in.src.err != io.EOF
}

// peek returns the next bytes, at most n.
func (in *input) peek(n int) []byte {
	if in.buf == nil {
		rest := in.data[in.pos():]
		return rest[:min(n, len(rest))]
	}
	b, _ := in.buf.Peek(n) // the error stays in src
	return b
}

// skip passes over n bytes and tells whether there were as many.
func (in *input) skip(n int64) bool {
	if in.buf == nil {
		ok := n <= int64(in.mem.Len())
		in.mem.Seek(min(n, int64(in.mem.Len())), io.SeekCurrent) // cannot fail
		return ok
	}
	for n > 0 {
		d, err := in.buf.Discard(int(min(n, 1<<20)))
		n -= int64(d)
		if err != nil {
			return false
		}
	}
	return true
}

// part reads the next left bytes of in, and fails with io.ErrUnexpectedEOF or
// the error of in when there are fewer.
type part struct {
	in   *input
	left int64
}

func (p *part) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	if int64(len(b)) > p.left {
		b = b[:p.left]
	}
	n, err := p.in.r.Read(b)
	p.left -= int64(n)
	if err == io.EOF && p.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// fill reads from r behind buf until it holds limit bytes or r ends, and
// returns it with the error r ended with; nil when the limit was reached. hint
// is how long it will probably be.
func fill(buf []byte, r io.Reader, hint, limit int) ([]byte, error) {
	const first = 16 << 10
	for empty := 0; len(buf) < limit; {
		if len(buf) == cap(buf) {
			size := max(2*cap(buf), first)
			// One more byte than the hint, for the end to be seen.
			if hint > 0 && hint >= len(buf) {
				size = max(hint+1, len(buf)+512)
			}
			grown := make([]byte, len(buf), min(size, limit))
			copy(grown, buf)
			buf = grown
		}
		n, err := r.Read(buf[len(buf):min(cap(buf), limit)])
		buf = buf[:len(buf)+n]
		if err != nil {
			return buf, err
		}
		if n > 0 {
			empty = 0
		} else if empty++; empty == 100 {
			return buf, io.ErrNoProgress
		}
	}
	return buf, nil
}

// unpacker reads out of a decompressor and holds the limits.
type unpacker struct {
	c    *call
	r    io.Reader
	in   *input // what the decompressor reads
	from int64  // where in in it began
	out  int64
	crc  uint32 // CRC-32 of what came out
	err  error
}

func (u *unpacker) Read(p []byte) (int, error) {
	if u.err != nil {
		return 0, u.err
	}
	c := u.c
	if c.stopped {
		u.err = errStopped
		return 0, u.err
	}
	room := c.limits.Bytes - c.spent
	if room <= 0 {
		// The limit is hit when there is one more byte, not before.
		var one [1]byte
		n, err := u.r.Read(one[:])
		if n > 0 {
			c.stopped = true
			u.err = errBytes
			return 0, u.err
		}
		u.err = err
		return 0, err
	}
	n, err := u.r.Read(p[:min(int64(len(p)), room)])
	c.spent += int64(n)
	u.out += int64(n)
	u.crc = crc32.Update(u.crc, crc32.IEEETable, p[:n])
	if err == nil && u.out > ratioFrom && u.out/int64(c.limits.Ratio) > u.in.pos()-u.from {
		err = errRatio
	}
	u.err = err
	return n, err
}

// compressed looks into one compressed stream: a file of its own, which is the
// depth-th archive inside one another, or an entry of that. It returns how it
// went; err is io.EOF after a stream that is whole, anything else is on record.
func (c *call) compressed(kind, name string, in *input, hint int64, depth int, file bool) (u *unpacker) {
	u = &unpacker{c: c, in: in, from: in.pos()}
	var release func()
	if u.r, release, u.err = c.decompressor(kind, in); u.err == nil {
		c.stream(name, u, hint, depth, file)
		u.drain()
	}
	if release != nil {
		release()
	}
	if u.err == io.EOF {
		if file {
			c.rest(name, in, depth)
		}
	} else if u.err != errStopped && (u.err == errBytes || u.err == errRatio || !in.broken()) {
		c.leave(name, u.reason())
	}
	return u
}

// drain reads what whoever read u left over: its end tells of damage.
func (u *unpacker) drain() {
	if u.err != nil {
		return
	}
	var scratch [4 << 10]byte
	for empty := 0; u.err == nil; empty++ {
		if n, _ := u.Read(scratch[:]); n > 0 {
			empty = 0
		} else if u.err == nil && empty == 100 {
			u.err = io.ErrNoProgress
		}
	}
}

// reason puts the error of u into words.
func (u *unpacker) reason() string {
	switch {
	case u.err == errBytes:
		return fmt.Sprintf("limit: %d bytes unpacked", u.c.limits.Bytes)
	case u.err == errRatio:
		return fmt.Sprintf("limit: ratio %d:1, after %d bytes", u.c.limits.Ratio, u.out)
	case errors.Is(u.err, zstd.ErrWindowSizeExceeded):
		return "limit: memory for a zstd window"
	}
	return damage(u.out, u.err)
}

// damage says that something is damaged after n bytes. Of errors of other
// packages it says nothing: they speak of offsets in streams nobody sees.
func damage(n int64, err error) string {
	s := fmt.Sprintf("damaged after %d bytes", n)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return s + ": cut off"
	case err == errChecksum, err == errHeader:
		return s + ": " + err.Error()
	}
	return s
}

type inflater interface {
	io.Reader
	flate.Resetter
}

// decompressor returns what unpacks the stream that begins where in stands. It
// does not read beyond the stream's end. release, when not nil, must be called
// once it is no longer read.
func (c *call) decompressor(kind string, in *input) (r io.Reader, release func(), err error) {
	switch kind {
	case "deflate":
		f, release, err := c.inflater(in)
		return f, release, err
	case "gzip":
		f, release, err := c.inflater(in)
		if err != nil {
			return nil, release, err
		}
		g := &gunzip{in: in, f: f}
		return g, release, g.header()
	case "bzip2":
		return &bunzip{r: bzip2.NewReader(in.r)}, nil, nil
	case "zstd":
		i := c.zstds
		if i == len(c.zstd) {
			size := uint64(innerZstdWindow)
			if i == 0 {
				size = uint64(min(max(c.limits.Bytes, innerZstdWindow), maxZstdWindow))
			}
			// One goroutine: ours.
			d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
				zstd.WithDecoderMaxWindow(size), zstd.WithDecoderMaxMemory(size))
			if err != nil {
				return nil, nil, err
			}
			c.zstd = append(c.zstd, d)
		}
		c.zstds++
		return &unzstd{d: c.zstd[i]}, func() { c.zstds-- }, c.zstd[i].Reset(in.r)
	}
	panic("archive: no decompressor for " + kind)
}

func (c *call) inflater(in *input) (f inflater, release func(), err error) {
	if n := len(c.inflate); n > 0 {
		f, c.inflate = c.inflate[n-1], c.inflate[:n-1]
		err = f.Reset(in.r, nil)
	} else {
		f = flate.NewReader(in.r).(inflater)
	}
	return f, func() { c.inflate = append(c.inflate, f) }, err
}

// gunzip reads the members of a gzip file (RFC 1952), one after another, up to
// the first bytes that begin none.
type gunzip struct {
	in   *input
	f    inflater
	crc  uint32
	size uint32
	err  error
}

// header passes over the header of a member.
func (g *gunzip) header() error {
	var h [10]byte
	if _, err := io.ReadFull(g.in.r, h[:]); err != nil {
		return unexpected(err)
	}
	const hcrc, extra, name, comment = 2, 4, 8, 16
	flags := h[3]
	if h[0] != 0x1f || h[1] != 0x8b || h[2] != 8 || flags&0xe0 != 0 {
		return errHeader
	}
	if flags&extra != 0 {
		if _, err := io.ReadFull(g.in.r, h[:2]); err != nil {
			return unexpected(err)
		}
		if !g.in.skip(int64(binary.LittleEndian.Uint16(h[:]))) {
			return io.ErrUnexpectedEOF
		}
	}
	for _, flag := range []byte{name, comment} {
		for flags&flag != 0 {
			b, err := g.in.r.ReadByte()
			if err != nil {
				return unexpected(err)
			}
			if b == 0 {
				break
			}
		}
	}
	if flags&hcrc != 0 && !g.in.skip(2) {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (g *gunzip) Read(p []byte) (int, error) {
	for {
		if g.err != nil {
			return 0, g.err
		}
		n, err := g.f.Read(p)
		g.crc = crc32.Update(g.crc, crc32.IEEETable, p[:n])
		g.size += uint32(n)
		if err == io.EOF {
			err = g.next()
		}
		g.err = err
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// next checks the end of a member and begins the next.
func (g *gunzip) next() error {
	var t [8]byte
	if _, err := io.ReadFull(g.in.r, t[:]); err != nil {
		return unexpected(err)
	}
	if binary.LittleEndian.Uint32(t[:]) != g.crc || binary.LittleEndian.Uint32(t[4:]) != g.size {
		return errChecksum
	}
	if h := g.in.peek(6); len(h) < 6 || kindOfHead(h) != "gzip" {
		return io.EOF
	}
	g.crc, g.size = 0, 0
	if err := g.header(); err != nil {
		return err
	}
	return g.f.Reset(g.in.r, nil)
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// bunzip is bzip2 with anything allowed to follow its end.
type bunzip struct{ r io.Reader }

func (b *bunzip) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	// compress/bzip2 looks for one more stream behind each, and has this error
	// for that alone.
	if err == bzip2.StructuralError("bad magic value in continuation file") {
		err = io.EOF
	}
	return n, err
}

// unzstd is zstd with anything allowed to follow its end.
type unzstd struct {
	d     *zstd.Decoder
	began bool
}

func (z *unzstd) Read(p []byte) (int, error) {
	n, err := z.d.Read(p)
	z.began = z.began || n > 0
	if err == zstd.ErrMagicMismatch && z.began {
		err = io.EOF
	}
	return n, err
}

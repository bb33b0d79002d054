package pack

import (
	"encoding/binary"
	"errors"
	"hash/adler32"
	"math"
)

// The objects of a pack are many, small, wholly in memory, and of known size.
// A general reader spends most of its time on what that makes needless: a
// window that is copied out of, input that arrives byte by byte, output that may
// end anywhere. This one goes from slice to slice. It takes between a third (of
// 100 kB) and three quarters (of 100 bytes) of the time of compress/flate, see
// BenchmarkInflate, and halves that of a walk.
//
// The method is that of every fast inflater: a buffer of 64 bits that is filled
// eight bytes at a time, and tables that give for the next bits of input the
// symbol and how many bits it takes, with a second level for long codes.

// inflater inflates zlib streams from memory. Not safe for concurrent use.
type inflater struct {
	lit  [4096]uint32 // at most 1334 used, for 288 symbols of up to 15 bits (zlib's enough.c)
	dist [1024]uint32 // at most 402 used, for 30 symbols
	pre  [1 << preBits]uint32
	lens [maxLit + maxDist]uint8

	fixed bool // lit and dist are those of fixed blocks
}

const (
	litBits  = 10 // first level of the table for literals and lengths
	distBits = 8
	preBits  = 7 // the code lengths' own codes are no longer
	maxCode  = 15
	maxLit   = 288
	maxDist  = 32
)

// A table entry. Literal: entryLiteral, the byte from bit 16. Length or
// distance: its base from bit 16. Both have the length of the code from bit 8
// and that length with the extra bits from bit 0. Else entrySpecial is set:
// entryLink with the place of the second-level table from bit 16 and its bits
// from bit 8; entryEnd for the end of the block; or neither for a code that
// means nothing.
const (
	entryLiteral = 1 << 31
	entrySpecial = 1 << 15
	entryLink    = 1 << 14
	entryEnd     = 1 << 13
	entryLow     = 0xff
)

var (
	errZlib    = errors.New("not a zlib stream")
	errDeflate = errors.New("invalid deflate data")
	errLonger  = errors.New("content is longer than its header says")
	errShorter = errors.New("content is shorter than its header says")
	errAdler   = errors.New("zlib checksum does not match")
)

// isZlib reports whether a stream of deflate may begin with the two bytes of this
// header (RFC 1950 section 2.2).
func isZlib(method, flags byte) bool {
	return method&15 == 8 && method>>4 <= 7 && flags&0x20 == 0 && (int(method)<<8|int(flags))%31 == 0
}

// inflateSlack is how much larger than the content the capacity of dst should
// be for the fastest way to be taken to the end.
const inflateSlack = 272

// zlib inflates the stream that src begins with into dst, which it must fill
// exactly, verifies its checksum, and returns how many bytes of src it took.
// The bytes between length and capacity of dst are overwritten.
func (z *inflater) zlib(dst, src []byte) (n int, err error) {
	if n, err = z.raw(dst, src); err != nil {
		return n, err
	}
	if adler32.Checksum(dst) != binary.BigEndian.Uint32(src[n-4:]) {
		return n, errAdler
	}
	return n, nil
}

// raw is zlib without the comparison of the checksum.
func (z *inflater) raw(dst, src []byte) (n int, err error) {
	out, n, err := z.stream(dst, src)
	switch {
	case err != nil:
		return 0, err
	case out < len(dst):
		return 0, errShorter
	case len(src)-n < 4:
		return 0, errTruncated
	}
	return n + 4, nil
}

// believed is the size up to which an object gets its memory at once. A larger
// one starts with that much, and gets four times as much when it is full, so
// that what is allocated stands in a relation to what is there.
const believed = 16 << 20

// into is zlib, or raw if sound, for content of the given size, which it puts
// into buf if that is large enough, and into new memory otherwise: of twice the
// size of buf, up to a megabyte, so that who uses it again and again soon has enough.
func (z *inflater) into(buf []byte, size int64, src []byte, sound bool) (data []byte, n int, err error) {
	if size > math.MaxInt-inflateSlack {
		return nil, 0, ErrTooLarge
	}
	inflate := z.zlib
	if sound {
		inflate = z.raw
	}
	if buf != nil && int64(cap(buf)) >= size {
		buf = buf[:size]
		n, err = inflate(buf, src)
		return buf, n, err
	}
	for try := int64(believed); try < size; try *= 4 {
		if _, err := z.raw(make([]byte, try), src); err != errLonger {
			if err == nil {
				err = errShorter
			}
			return nil, 0, err
		}
	}
	buf = make([]byte, size, max(size, min(2*int64(cap(buf)), 1<<20)))
	n, err = inflate(buf, src)
	return buf, n, err
}

// prefix inflates the beginning of a stream: as much as dst holds, or less if
// the stream ends.
func (z *inflater) prefix(dst, src []byte) (n int, err error) {
	n, _, err = z.stream(dst[:len(dst):len(dst)], src)
	if err == errLonger {
		err = nil
	}
	return n, err
}

func (z *inflater) stream(dst, src []byte) (out, in int, err error) {
	if len(src) < 2 {
		return 0, 0, errTruncated
	}
	// Method deflate, window of at most 32 KiB, no dictionary.
	if !isZlib(src[0], src[1]) {
		return 0, 0, errZlib
	}
	b := bitReader{src: src, pos: 2}
	for final := false; !final; {
		if !b.need(3) {
			return out, 0, errTruncated
		}
		final = b.buf&1 != 0
		kind := b.buf >> 1 & 3
		b.drop(3)
		switch kind {
		case 0:
			out, err = b.stored(dst, out)
		case 1:
			z.fixedTables()
			out, err = z.block(&b, dst, out)
		case 2:
			z.fixed = false
			if err = z.dynamicTables(&b); err == nil {
				out, err = z.block(&b, dst, out)
			}
		default:
			err = errDeflate
		}
		if err != nil {
			return min(out, len(dst)), 0, err
		}
	}
	// Whole bytes that are still in the buffer were not needed.
	return out, b.pos - int(b.n/8), nil
}

// bitReader reads src bit by bit, lowest first. The bits of buf above n are
// either zero or what src holds there.
type bitReader struct {
	src []byte
	pos int // next byte to go into buf
	buf uint64
	n   uint // bits in buf
}

// need makes sure that there are k bits in buf, k ≤ 48; false at the end.
func (b *bitReader) need(k uint) bool {
	if b.n >= k {
		return true
	}
	b.fill()
	return b.n >= k
}

// fill takes as many whole bytes into buf as it holds and src has.
func (b *bitReader) fill() {
	if len(b.src)-b.pos >= 8 {
		b.buf |= binary.LittleEndian.Uint64(b.src[b.pos:]) << (b.n & 63)
		b.pos += int((63 - b.n) >> 3)
		b.n |= 56
		return
	}
	if b.pos < len(b.src) {
		// Bits above n may be there already, see the fast loop.
		b.buf &= 1<<(b.n&63) - 1
	}
	for b.n <= 56 && b.pos < len(b.src) {
		b.buf |= uint64(b.src[b.pos]) << (b.n & 63)
		b.pos++
		b.n += 8
	}
}

func (b *bitReader) drop(k uint) {
	b.buf >>= k & 63
	b.n -= k
}

// take returns the next k bits, which must be there.
func (b *bitReader) take(k uint) uint {
	v := uint(b.buf & (1<<(k&63) - 1))
	b.drop(k)
	return v
}

// stored copies a block that is not compressed.
func (b *bitReader) stored(dst []byte, out int) (int, error) {
	b.drop(b.n % 8)
	if !b.need(32) {
		return out, errTruncated
	}
	size := b.take(16)
	if b.take(16) != size^0xffff {
		return out, errDeflate
	}
	b.pos -= int(b.n / 8)
	b.buf, b.n = 0, 0
	n := min(int(size), len(b.src)-b.pos, len(dst)-out)
	copy(dst[out:], b.src[b.pos:b.pos+n])
	b.pos += n
	out += n
	switch {
	case n == int(size):
		return out, nil
	case out == len(dst):
		return out, errLonger
	}
	return out, errTruncated
}

// block inflates a block with the tables at hand.
func (z *inflater) block(b *bitReader, dst []byte, out int) (int, error) {
	for {
		var done bool
		var err error
		if out, done, err = z.fast(b, dst, out); done || err != nil {
			return out, err
		}
		if b.n < 48 {
			b.fill()
		}
		e := z.lit[b.buf&(1<<litBits-1)]
		if e&(entryLink|entrySpecial) == entryLink|entrySpecial {
			if b.n < litBits {
				return out, errTruncated
			}
			b.drop(litBits)
			e = z.lit[(uint(e>>16)+uint(b.buf)&(1<<(e>>8&15)-1))&4095]
		}
		k := uint(e & entryLow)
		if b.n < k {
			return out, errTruncated
		}
		if e&entryLiteral != 0 {
			b.drop(k)
			if out >= len(dst) {
				return out, errLonger
			}
			dst[out] = byte(e >> 16)
			out++
			continue
		}
		if e&entrySpecial != 0 {
			if e&entryEnd != 0 {
				b.drop(k)
				return out, nil
			}
			return out, invalid(b)
		}
		length := int(e>>16) + int(b.buf&(1<<k-1)>>(e>>8&15))
		b.drop(k)
		if b.n < 28 {
			b.fill()
		}
		e = z.dist[b.buf&(1<<distBits-1)]
		if e&(entryLink|entrySpecial) == entryLink|entrySpecial {
			if b.n < distBits {
				return out, errTruncated
			}
			b.drop(distBits)
			e = z.dist[(uint(e>>16)+uint(b.buf)&(1<<(e>>8&15)-1))&1023]
		}
		if e&entrySpecial != 0 {
			return out, invalid(b)
		}
		if k = uint(e & entryLow); b.n < k {
			return out, errTruncated
		}
		dist := int(e>>16) + int(b.buf&(1<<k-1)>>(e>>8&15))
		b.drop(k)
		if dist > out {
			return out, errDeflate
		}
		n := min(length, len(dst)-out)
		if dist >= n {
			copy(dst[out:out+n], dst[out-dist:])
		} else {
			for i := out; i < out+n; i++ {
				dst[i] = dst[i-dist]
			}
		}
		if out += n; n < length {
			return out, errLonger
		}
	}
}

// invalid tells a code that means nothing from one that was cut short.
func invalid(b *bitReader) error {
	if b.pos >= len(b.src) && b.n < maxCode {
		return errTruncated
	}
	return errDeflate
}

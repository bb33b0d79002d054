package pack

import (
	"encoding/binary"
	"errors"
	"hash/adler32"
	"math/bits"
	"sync"
)

// The objects of a pack are many, small, wholly in memory, and of known size.
// A general reader spends most of its time on what that makes needless: a
// window that is copied out of, input that arrives byte by byte, output that may
// end anywhere. This one goes from slice to slice. It takes a little over half
// the time of compress/flate for a whole pack (see BenchmarkInflate), which is
// more than half of a walk.
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
	if src[0]&15 != 8 || src[0]>>4 > 7 || src[1]&0x20 != 0 || (int(src[0])<<8|int(src[1]))%31 != 0 {
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

// codeOrder is the order in which the lengths of the code length codes stand in
// a dynamic block (RFC 1951, 3.2.7).
var codeOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamicTables reads the codes of a block.
func (z *inflater) dynamicTables(b *bitReader) error {
	if !b.need(14) {
		return errTruncated
	}
	lits, dists, codes := int(b.take(5))+257, int(b.take(5))+1, int(b.take(4))+4
	if lits > 286 || dists > 30 {
		return errDeflate
	}
	var pre [19]uint8
	for _, i := range codeOrder[:codes] {
		if !b.need(3) {
			return errTruncated
		}
		pre[i] = uint8(b.take(3))
	}
	if !buildTable(z.pre[:], pre[:], preBits, &preEntries) {
		return errDeflate
	}
	lens := z.lens[:lits+dists]
	for i := 0; i < len(lens); {
		if b.n < preBits+7 {
			b.fill()
		}
		e := z.pre[b.buf&(1<<preBits-1)]
		k := uint(e & entryLow)
		if e&entrySpecial != 0 {
			if b.n < preBits {
				return errTruncated
			}
			return errDeflate
		}
		sym := e >> 16
		// Code and extra bits (at most 7) at once.
		extra := [...]uint8{0, 2, 3, 7}[max(sym, 15)-15]
		if b.n < k+uint(extra) {
			return errTruncated
		}
		b.drop(k)
		if sym < 16 {
			lens[i] = uint8(sym)
			i++
			continue
		}
		n, v := 0, uint8(0)
		switch sym {
		case 16:
			if i == 0 {
				return errDeflate
			}
			n, v = 3+int(b.take(2)), lens[i-1]
		case 17:
			n = 3 + int(b.take(3))
		default:
			n = 11 + int(b.take(7))
		}
		if n > len(lens)-i {
			return errDeflate
		}
		for range n {
			lens[i] = v
			i++
		}
	}
	if lens[256] == 0 {
		return errDeflate // a block that cannot end
	}
	if !buildTable(z.lit[:], lens[:lits], litBits, &litEntries) || !buildTable(z.dist[:], lens[lits:], distBits, &distEntries) {
		return errDeflate
	}
	return nil
}

// fixedTables sets the tables to the codes of RFC 1951, 3.2.6.
func (z *inflater) fixedTables() {
	if z.fixed {
		return
	}
	t := fixed()
	copy(z.lit[:], t.lit)
	copy(z.dist[:], t.dist)
	z.fixed = true
}

var fixed = sync.OnceValue(func() (t struct{ lit, dist []uint32 }) {
	var lens [maxLit]uint8
	for i := range lens {
		switch {
		case i < 144:
			lens[i] = 8
		case i < 256:
			lens[i] = 9
		case i < 280:
			lens[i] = 7
		default:
			lens[i] = 8
		}
	}
	t.lit = make([]uint32, 1<<litBits)
	buildTable(t.lit, lens[:], litBits, &litEntries)
	for i := range maxDist {
		lens[i] = 5
	}
	t.dist = make([]uint32, 1<<distBits)
	buildTable(t.dist, lens[:maxDist], distBits, &distEntries)
	return t
})

// Entries without the length of the code, for each symbol. The extra bits are
// those of RFC 1951, 3.2.5.
var (
	preEntries  = makeEntries(func(i int) uint32 { return uint32(i) << 16 })
	litEntries  = makeEntries(litEntry)
	distEntries = makeEntries(distEntry)
)

func makeEntries(of func(int) uint32) (t [maxLit]uint32) {
	for i := range t {
		t[i] = of(i)
	}
	return t
}

func litEntry(i int) uint32 {
	switch {
	case i < 256:
		return entryLiteral | uint32(i)<<16
	case i == 256:
		return entrySpecial | entryEnd
	case i < 265:
		return uint32(i-257+3) << 16
	case i < 285:
		extra := uint32(i-261) / 4
		return (3+(4+uint32(i-261)%4)<<extra)<<16 | extra
	case i == 285:
		return 258 << 16
	}
	return entrySpecial
}

func distEntry(i int) uint32 {
	switch {
	case i < 4:
		return uint32(i+1) << 16
	case i < 30:
		extra := uint32(i-2) / 2
		return (1+(2+uint32(i)%2)<<extra)<<16 | extra
	}
	return entrySpecial
}

// buildTable makes a decoding table for codes of the given lengths, with a first
// level of the given bits. It reports whether the lengths make a code: complete,
// or none, or a single one of one bit, as zlib has it.
func buildTable(table []uint32, lens []uint8, tableBits uint, entries *[maxLit]uint32) bool {
	var count [maxCode + 1]uint16
	for _, l := range lens {
		count[l&maxCode]++
	}
	count[0] = 0
	longest := maxCode
	for longest > 0 && count[longest] == 0 {
		longest--
	}
	var start [maxCode + 2]uint16
	space := 0 // codes of the longest length that are spoken for
	for l := 1; l <= longest; l++ {
		start[l+1] = start[l] + count[l]
		space += int(count[l]) << (longest - l)
	}
	switch {
	case longest == 0, space == 1 && longest == 1:
		// All codes but the one there may be mean nothing.
		for i := range table[:1<<tableBits] {
			table[i] = entrySpecial
		}
	case space != 1<<longest:
		return false
	}
	var sorted [maxLit]uint16 // symbols by length, then by number
	for i, l := range lens {
		if l != 0 {
			sorted[start[l&maxCode]] = uint16(i)
			start[l&maxCode]++
		}
	}
	// Codes stand in the stream highest bit first, but are read lowest bit
	// first, so code counts in reversed bits. A code of l bits goes to the
	// first 1<<l entries, which are then doubled for the next length.
	code := uint32(0)
	next := 0
	l := uint(1)
	for ; l <= min(uint(longest), tableBits); l++ {
		if l > 1 {
			copy(table[1<<(l-1):1<<l], table[:1<<(l-1)])
		}
		for range count[l] {
			table[code] = entries[sorted[next]] + uint32(l)*0x101
			next++
			code = nextCode(code, l)
		}
	}
	if uint(longest) <= tableBits {
		for ; l <= tableBits; l++ {
			copy(table[1<<(l-1):1<<l], table[:1<<(l-1)])
		}
		return true
	}
	// Long codes: a table of the second level for each beginning.
	end := uint32(1) << tableBits
	mask := end - 1
	link := ^uint32(0)
	var from, size uint32
	var subBits uint
	for ; l <= uint(longest); l++ {
		left := int(count[l])
		for left > 0 {
			if code&mask != link {
				link = code & mask
				from = end
				// As many bits as it takes for the codes with this
				// beginning to fill the table.
				subBits = l - tableBits
				room := 1<<subBits - left
				for k := l; room > 0 && k < uint(longest); {
					k++
					subBits++
					room = room<<1 - int(count[k])
				}
				size = 1 << subBits
				end += size
				if int(end) > len(table) {
					return false // cannot be: see the sizes in inflater
				}
				table[link] = entrySpecial | entryLink | from<<16 | uint32(subBits)<<8 | uint32(tableBits)
			}
			k := l - tableBits
			e := entries[sorted[next]] + uint32(k)*0x101
			for i := code >> tableBits; i < size; i += 1 << k {
				table[from+i] = e
			}
			next++
			left--
			code = nextCode(code, l)
		}
	}
	return true
}

// nextCode adds one to a code of l bits, the highest of which is bit 0.
func nextCode(code uint32, l uint) uint32 {
	// The highest zero bit becomes one, and the ones above it zero.
	inv := ^code & (1<<l - 1)
	if inv == 0 {
		return 0
	}
	bit := uint32(1) << (31 - bits.LeadingZeros32(inv))
	return code&(bit-1) | bit
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

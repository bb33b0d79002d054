package scanner

import (
	"encoding/binary"
	"math/bits"
)

// What is not text (images, programs, archives that cannot be opened) is looked at
// for keywords as text is, since a key may stand in it. But at most of its places
// none can stand: at least three bytes of a window belong to the keyword, whichever
// way it entered the bitmap, and keywords are printable. siftSparse asks the bitmap
// only where three in a row are: of random bytes at one place of twelve. For text that
// would be one test more at every place.

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080

	// leastSparse is the least number of bytes that are sampled.
	leastSparse = 256
)

// unprintable returns bit 7 of each byte of w that is no printable ASCII character
// (DEL counts as one).
func unprintable(w uint64) uint64 {
	return (w | ^(w&^highBits + 0x60*lowBits)) & highBits
}

// isSparse reports whether at least a quarter of data is not printable, by a
// sample of one byte in sixteen. Line breaks and tabs are few enough to count.
func isSparse(data []byte) bool {
	if len(data) < leastSparse {
		return false
	}
	n, of := 0, 0
	for i := 0; i+8 <= len(data); i += 128 {
		n += bits.OnesCount64(unprintable(binary.LittleEndian.Uint64(data[i:])))
		of += 8
	}
	return 4*n >= of
}

func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// inOrder brings the bits 0, 8, 16 … of a word together, in order, as its highest
// eight.
const inOrder = 0x0102040810204080

// outOf returns a bit for each of eight bytes that is not printable.
func outOf(p []byte) uint64 {
	return unprintable(binary.LittleEndian.Uint64(p)) >> 7 * inOrder >> 56
}

// siftSparse is sift for a step that isSparse: it notes those of the same places
// where a keyword can stand.
func (p *prefilter) siftSparse(data []byte, from, to int, room *sieve) int {
	const (
		block  = 64 // bytes looked at together
		stride = 60 // windows that begin in the first 60 lie in the block
		even   = 0x5555555555555555 & (1<<stride - 1)
	)
	n, i := 0, from
	for ; i+stride <= to && i+block <= len(data); i += stride {
		b := data[i : i+block : i+block]
		bad := outOf(b[:8]) | outOf(b[8:16])<<8 | outOf(b[16:24])<<16 | outOf(b[24:32])<<24 |
			outOf(b[32:40])<<32 | outOf(b[40:48])<<40 | outOf(b[48:56])<<48 | outOf(b[56:])<<56
		// The middle two, and the one before or behind them.
		for set := ^(bad>>1 | bad>>2 | bad&(bad>>3)) & even; set != 0; set &= set - 1 {
			place := i + bits.TrailingZeros64(set)
			room[n&(sieveSize-1)] = uint64(place)
			n += p.inFirst(binary.LittleEndian.Uint32(data[place:]) & foldFour)
		}
	}
	return p.siftRest(data, i, to, room, n)
}

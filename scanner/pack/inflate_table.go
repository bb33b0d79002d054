package pack

import (
	"math/bits"
	"sync"
)

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

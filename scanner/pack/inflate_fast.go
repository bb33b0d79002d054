package pack

import "encoding/binary"

// fast inflates as much of a block as it can without looking at each step
// whether input or room are at an end: while there are eight bytes to read, and
// room for a match and a word. What is left is for block.
func (z *inflater) fast(b *bitReader, dst []byte, out int) (_ int, done bool, err error) {
	src := b.src
	full := dst[:cap(dst)]
	inEnd, outEnd := len(src)-8, len(full)-(258+8)
	if b.pos > inEnd || out > outEnd || out > len(dst) {
		return out, false, nil
	}
	pos, buf, n := b.pos, b.buf, b.n
	for pos <= inEnd && out <= outEnd {
		// At least 56 bits.
		buf |= binary.LittleEndian.Uint64(src[pos:]) << (n & 63)
		pos += int((63 - n) >> 3)
		n |= 56

		e := z.lit[buf&(1<<litBits-1)]
		if e&entryLiteral != 0 {
			buf >>= e & 63
			n -= uint(e & entryLow)
			full[out] = byte(e >> 16)
			out++
			e = z.lit[buf&(1<<litBits-1)]
			if e&entryLiteral != 0 {
				buf >>= e & 63
				n -= uint(e & entryLow)
				full[out] = byte(e >> 16)
				out++
				e = z.lit[buf&(1<<litBits-1)]
				if e&entryLiteral != 0 {
					buf >>= e & 63
					n -= uint(e & entryLow)
					full[out] = byte(e >> 16)
					out++
					continue
				}
			}
			// A match needs 48 bits, and after two literals of up to 10
			// there may be 36.
			if pos > inEnd {
				break
			}
			buf |= binary.LittleEndian.Uint64(src[pos:]) << (n & 63)
			pos += int((63 - n) >> 3)
			n |= 56
		}
		if e&entrySpecial != 0 {
			if e&entryLink != 0 {
				buf >>= litBits
				n -= litBits
				e = z.lit[(uint(e>>16)+uint(buf)&(1<<(e>>8&15)-1))&4095]
				if e&entryLiteral != 0 {
					buf >>= e & 63
					n -= uint(e & entryLow)
					full[out] = byte(e >> 16)
					out++
					continue
				}
			}
			if e&entrySpecial != 0 {
				buf >>= e & 63
				n -= uint(e & entryLow)
				if e&entryEnd != 0 {
					done = true
				} else {
					err = errDeflate
				}
				break
			}
		}
		length := int(e>>16) + int(buf&(1<<(e&63)-1)>>(e>>8&15))
		buf >>= e & 63
		n -= uint(e & entryLow)

		e = z.dist[buf&(1<<distBits-1)]
		if e&entrySpecial != 0 {
			if e&entryLink != 0 {
				buf >>= distBits
				n -= distBits
				e = z.dist[(uint(e>>16)+uint(buf)&(1<<(e>>8&15)-1))&1023]
			}
			if e&entrySpecial != 0 {
				err = errDeflate
				break
			}
		}
		dist := int(e>>16) + int(buf&(1<<(e&63)-1)>>(e>>8&15))
		buf >>= e & 63
		n -= uint(e & entryLow)

		if dist > out {
			err = errDeflate
			break
		}
		end := out + length
		switch {
		case dist >= 8:
			from := full[out-dist:]
			to := full[out:]
			for i := 0; i < length; i += 8 {
				binary.LittleEndian.PutUint64(to[i:], binary.LittleEndian.Uint64(from[i:]))
			}
		case dist == 1:
			v := uint64(full[out-1]) * 0x0101010101010101
			for i := out; i < end; i += 8 {
				binary.LittleEndian.PutUint64(full[i:], v)
			}
		default:
			for i := out; i < end; i++ {
				full[i] = full[i-dist]
			}
		}
		out = end
	}
	b.pos, b.buf, b.n = pos, buf, n
	if out > len(dst) {
		return out, false, errLonger
	}
	return out, done, err
}

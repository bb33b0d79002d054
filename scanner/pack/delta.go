package pack

import (
	"errors"
	"fmt"
	"math"
)

// Op is one instruction of a delta: Len bytes of the object from At on are
// either a copy of the bytes of the base from From on, or, when From is
// negative, bytes that the delta inserted. Copies that continue each other, and
// inserts that follow each other, are one Op.
type Op struct {
	At, Len, From int
}

// Copied reports whether the bytes stand in the base.
func (o Op) Copied() bool { return o.From >= 0 }

var (
	errDelta     = errors.New("invalid delta")
	errDeltaOp   = fmt.Errorf("%w: unknown instruction", errDelta)
	errDeltaCopy = fmt.Errorf("%w: copy from beyond the end of the base", errDelta)
	errDeltaBase = errors.New("delta was made against a base of another size")
	errDeltaSize = errors.New("delta does not make as many bytes as it says")
)

// smallResult is a size up to which a delta is given memory on its word.
const smallResult = 1 << 16

// deltaSizes reads the header of a delta: the sizes of base and result, and the
// instructions that follow.
func deltaSizes(delta []byte) (base, result int64, ops []byte, err error) {
	base, n, err := deltaVarint(delta)
	if err != nil {
		return 0, 0, nil, err
	}
	result, m, err := deltaVarint(delta[n:])
	if err != nil {
		return 0, 0, nil, err
	}
	return base, result, delta[n+m:], nil
}

func deltaVarint(b []byte) (v int64, n int, err error) {
	for shift := 0; ; shift += 7 {
		if n >= len(b) {
			return 0, n, errTruncated
		}
		c := int64(b[n] & 0x7f)
		if shift > 62 || c<<shift>>shift != c || c<<shift < 0 {
			return 0, n, fmt.Errorf("%w: size is over 63 bits", errDelta)
		}
		v |= c << shift
		n++
		if b[n-1]&0x80 == 0 {
			return v, n, nil
		}
	}
}

// checkResult reports an error when the instructions do not make exactly result
// bytes, or copy from beyond the end of the base, so that no memory is asked for
// on the word of the header. (A delta of seven bytes can honestly stand for
// 16 MiB.)
func checkResult(ops []byte, base, result int64) error {
	if result <= smallResult {
		return nil
	}
	var sum int64
	for i := 0; i < len(ops); {
		c := ops[i]
		i++
		switch {
		case c&0x80 != 0:
			from, size, n := copyOp(c, ops[i:])
			if n < 0 {
				return errTruncated
			}
			if int64(from)+int64(size) > base {
				return errDeltaCopy
			}
			i += n
			sum += int64(size)
		case c == 0:
			return errDeltaOp
		default:
			i += int(c)
			sum += int64(c)
		}
		if sum > result {
			return errDeltaSize
		}
	}
	if sum != result {
		return errDeltaSize
	}
	return nil
}

// copyOp reads the operands of a copy instruction; n is -1 when they are cut
// short.
func copyOp(c byte, b []byte) (from, size uint32, n int) {
	if len(b) < 7 { // near the end: pad, and see below whether too much was read
		var pad [7]byte
		k := copy(pad[:], b)
		from, size, n = copyOp(c, pad[:])
		if n > k {
			return 0, 0, -1
		}
		return from, size, n
	}
	if c&0x01 != 0 {
		from = uint32(b[n])
		n++
	}
	if c&0x02 != 0 {
		from |= uint32(b[n]) << 8
		n++
	}
	if c&0x04 != 0 {
		from |= uint32(b[n]) << 16
		n++
	}
	if c&0x08 != 0 {
		from |= uint32(b[n]) << 24
		n++
	}
	if c&0x10 != 0 {
		size = uint32(b[n])
		n++
	}
	if c&0x20 != 0 {
		size |= uint32(b[n]) << 8
		n++
	}
	if c&0x40 != 0 {
		size |= uint32(b[n]) << 16
		n++
	}
	if size == 0 {
		size = 0x10000
	}
	return from, size, n
}

// applyOps carries out the instructions of a delta. They must fill dst exactly;
// base and dst must not overlap.
func applyOps(dst, base, ops []byte) error {
	at := 0
	for i := 0; i < len(ops); {
		c := ops[i]
		i++
		if c&0x80 != 0 {
			from, size, n := copyOp(c, ops[i:])
			if n < 0 {
				return errTruncated
			}
			i += n
			if uint64(from)+uint64(size) > uint64(len(base)) {
				return errDeltaCopy
			}
			if uint64(size) > uint64(len(dst)-at) {
				return errDeltaSize
			}
			copy(dst[at:], base[from:uint64(from)+uint64(size)])
			at += int(size)
			continue
		}
		if c == 0 {
			return errDeltaOp
		}
		k := int(c)
		if k > len(ops)-i {
			return errTruncated
		}
		if k > len(dst)-at {
			return errDeltaSize
		}
		copy(dst[at:], ops[i:i+k])
		i += k
		at += k
	}
	if at != len(dst) {
		return errDeltaSize
	}
	return nil
}

// parseOps appends the instructions of a delta that applyOps has accepted.
func parseOps(to []Op, ops []byte) []Op {
	at := 0
	last := -1
	for i := 0; i < len(ops); {
		c := ops[i]
		i++
		if c&0x80 != 0 {
			from, size, n := copyOp(c, ops[i:])
			i += n
			if last >= 0 && to[last].From >= 0 && to[last].From+to[last].Len == int(from) {
				to[last].Len += int(size)
			} else {
				to = append(to, Op{At: at, Len: int(size), From: int(from)})
				last = len(to) - 1
			}
			at += int(size)
			continue
		}
		if last >= 0 && to[last].From < 0 {
			to[last].Len += int(c)
		} else {
			to = append(to, Op{At: at, Len: int(c), From: -1})
			last = len(to) - 1
		}
		i += int(c)
		at += int(c)
	}
	return to
}

// apply makes the object that delta describes, in buf if it is large enough.
// limit bounds its size.
func applyDelta(buf, base, delta []byte, limit int64) ([]byte, error) {
	baseSize, size, ops, err := deltaSizes(delta)
	if err != nil {
		return nil, err
	}
	if baseSize != int64(len(base)) {
		return nil, errDeltaBase
	}
	if size > limit || size > math.MaxInt {
		return nil, ErrTooLarge
	}
	if err := checkResult(ops, baseSize, size); err != nil {
		return nil, err
	}
	if buf == nil || int64(cap(buf)) < size {
		buf = make([]byte, size)
	}
	buf = buf[:size]
	return buf, applyOps(buf, base, ops)
}

package pack

import "math/bits"

// buffers lends out byte slices. Not safe for concurrent use.
type buffers struct {
	free [4 * 64][][]byte
	held int
}

// maxHeld bounds what a worker's buffers keep for later use. With half of it a
// repository of 850,000 objects makes thrice the garbage, and takes more memory for it.
const maxHeld = 32 << 20

// sizeClass returns the smallest class whose size is at least n, and that size:
// four classes to each power of two, so that at most a fifth is wasted.
func sizeClass(n int) (class, size int) {
	if n <= 1024 {
		return 0, 1024
	}
	shift := bits.Len(uint(n-1)) - 3 // n-1 has its top three bits above shift
	q := (n - 1) >> shift            // 4 to 7
	return shift*4 + q - 4 + 1, (q + 1) << shift
}

func (b *buffers) get(n int) []byte {
	class, size := sizeClass(n)
	l := b.free[class]
	if len(l) == 0 {
		return make([]byte, n, size)
	}
	x := l[len(l)-1]
	b.free[class] = l[:len(l)-1]
	b.held -= cap(x)
	return x[:n]
}

func (b *buffers) put(x []byte) {
	class, size := sizeClass(cap(x))
	if cap(x) != size || b.held+size > maxHeld {
		return
	}
	b.held += size
	b.free[class] = append(b.free[class], x)
}

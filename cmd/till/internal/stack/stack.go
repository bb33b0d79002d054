// Package stack makes room on the stack that the program starts with.
//
// That stack begins with 8 KB and is doubled whenever it is full: a new one is taken
// from a pool that is filled for it, and the frames of all functions that wait are looked
// up in tables and moved. A hook did that four times, for 31 page faults of 630. Here it is
// done once, while next to nothing lies on it. What is reserved and not used costs
// nothing, as the system gives memory when it is touched.
//
// It is done when packages are initialized, of which some need a deep stack. They are
// in order of their paths (https://go.dev/doc/go1.21#language), but for what they import;
// this one imports nothing, so most of the standard library comes after it.
package stack

func init() { reserve(0) }

// reserve needs room for its frame whatever n is; it touches it for any but 0.
//
//go:noinline
func reserve(n int) byte {
	if n == 0 {
		return 0
	}
	var frame [40 << 10]byte
	fill(&frame)
	return frame[n]
}

//go:noinline
func fill(frame *[40 << 10]byte) { frame[1] = 1 }

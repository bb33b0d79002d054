package main

import (
	"runtime"
	"strconv"
	"sync"
	"syscall"
)

// largePages makes the heap of a long scan grow by pages of 2 MiB, of which the
// kernel makes one in a single fault, instead of by 512 faults of 4 KiB. On a virtual
// machine, where a fault can take 20 µs, that is half the time of a scan that
// finds little that is new (docs/performance.md).
//
// The runtime has no switch for it. So a block is taken, the kernel is
// advised that it is to have large pages (madvise(2), MADV_HUGEPAGE; nothing where
// they are turned off), and the collector gets it back to make the heap of. No
// memory is used before something lies in it. Later calls do nothing.
var largePages = sync.OnceFunc(func() {
	if strconv.IntSize < 64 {
		return // addresses are scarce
	}
	block := make([]byte, 256<<20)
	if syscall.Madvise(block, syscall.MADV_HUGEPAGE) == nil {
		runtime.GC()
	}
})

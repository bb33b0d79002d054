//go:build unix && !aix && !solaris

package pack

import (
	"os"
	"syscall"
)

// mapFile maps size bytes of f for reading. The mapping outlives the descriptor.
func mapFile(f *os.File, size int64) ([]byte, error) {
	return syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
}

func unmapFile(b []byte) error { return syscall.Munmap(b) }

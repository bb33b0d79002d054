package rotate

import (
	"errors"
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// openPlain opens a regular file. Access is that of the folder: the git
// directory is its owner's.
func openPlain(path string, flag int) (*os.File, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	return os.OpenFile(path, flag, 0o600)
}

// lockFile waits for a lock on the whole file: shared for readers.
func lockFile(f *os.File, exclusive bool) (unlock func(), err error) {
	var flags uint32
	if exclusive {
		flags = windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	h, over := windows.Handle(f.Fd()), &windows.Overlapped{Offset: math.MaxUint32, OffsetHigh: math.MaxInt32}
	if err := windows.LockFileEx(h, flags, 0, 1, 0, over); err != nil {
		return nil, err
	}
	return func() { _ = windows.UnlockFileEx(h, 0, 1, 0, over) }, nil
}

// tryLock takes an exclusive lock or reports that somebody else has it.
func tryLock(f *os.File) (taken bool, err error) {
	over := &windows.Overlapped{Offset: math.MaxUint32, OffsetHigh: math.MaxInt32}
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, over)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}

// syncDir: NTFS keeps names by itself.
func syncDir(string) error { return nil }

//go:build unix

package source

import (
	"io"
	"syscall"
)

// rawFile is an open file read by plain system calls. os.File would register
// each file with the network poller first, in vain: one more call for each of
// a hundred thousand files.
type rawFile int

// openFile opens a regular file. It follows no symbolic link in the last
// component and does not block on a FIFO; what is not a regular file gives
// errNotRegular. Errors are bare system errors.
func openFile(path string) (rawFile, int64, error) {
	fd, err := ignoringEINTR(func() (int, error) {
		return syscall.Open(path, syscall.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	})
	switch err {
	case nil:
	case syscall.ELOOP, syscall.EMLINK, syscall.ENXIO: // replaced by a link or a socket since it was listed
		return -1, 0, errNotRegular
	default:
		return -1, 0, err
	}
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		syscall.Close(fd)
		return -1, 0, err
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFREG {
		syscall.Close(fd)
		return -1, 0, errNotRegular
	}
	return rawFile(fd), st.Size, nil
}

// Read implements io.Reader.
func (f rawFile) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := ignoringEINTR(func() (int, error) { return syscall.Read(int(f), p) })
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Close closes the file.
func (f rawFile) Close() error { return syscall.Close(int(f)) }

func ignoringEINTR(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != syscall.EINTR {
			return n, err
		}
	}
}

package pack

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
)

// file is one immutable file of the store: mapped into memory where the system
// can, read piecewise where it cannot. Safe for concurrent use.
//
// Git never writes into a pack or an index once it has its name, and a mapping
// survives the deletion of the file, so that a concurrent gc does no harm.
type file struct {
	size   int64
	data   []byte   // nil when f is read
	f      *os.File // nil when data is
	mapped bool     // data is a mapping of the whole file
}

// noMap makes openFile read piecewise, for tests of the other systems' way.
var noMap = false

func openFile(path string) (*file, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if !st.Mode().IsRegular() {
		f.Close()
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	m := &file{size: st.Size()}
	if m.size > 0 && m.size <= math.MaxInt && !noMap {
		if m.data, err = mapFile(f, m.size); err == nil {
			m.mapped = true
			f.Close()
			return m, nil
		}
	}
	m.f = f
	return m, nil
}

// bytes returns up to n bytes at off, fewer only at the end of the file. The
// slice is part of the mapping or, where there is none, new memory; it must not
// be written to, nor kept after close.
func (m *file) bytes(off, n int64) ([]byte, error) {
	if off < 0 || off > m.size || n < 0 {
		return nil, errTruncated
	}
	n = min(n, m.size-off)
	if m.f == nil {
		return m.data[off : off+n : off+n], nil
	}
	b := make([]byte, n)
	k, err := m.f.ReadAt(b, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b[:k], nil
}

// drop gives the pages of a mapping back, as they count as the program's memory
// for whoever looks. Reading goes on as before.
func (m *file) drop() {
	if m.mapped {
		dropPages(m.data)
	}
}

// reader reads n bytes from off on, in order.
func (m *file) reader(off, n int64) io.Reader {
	return io.NewSectionReader(m, off, n)
}

// ReadAt is io.ReaderAt's.
func (m *file) ReadAt(p []byte, off int64) (n int, err error) {
	defer guardFault(debug.SetPanicOnFault(true), &err)
	if m.f != nil {
		return m.f.ReadAt(p, off)
	}
	if off < 0 || off > m.size {
		return 0, io.EOF
	}
	if n = copy(p, m.data[off:]); n < len(p) {
		err = io.EOF
	}
	return n, err
}

func (m *file) close() error {
	if m.f != nil {
		return m.f.Close()
	}
	if !m.mapped {
		return nil
	}
	m.mapped = false
	return unmapFile(m.data)
}

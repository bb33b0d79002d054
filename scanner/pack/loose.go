package pack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/klauspost/compress/zlib"
)

// maxLooseHeader is how long "type size\0" may be (MAX_HEADER_LEN in git's
// object-file.c).
const maxLooseHeader = 32

// maxLooseRead is the size up to which a loose object's file is read at once
// with one call; a larger one is mapped.
const maxLooseRead = 1 << 20

func loosePath(dir string, id *OID) string {
	h := id.String()
	return filepath.Join(dir, h[:2], h[2:])
}

// parseLooseHeader reads the header of a loose object and returns its length.
func parseLooseHeader(b []byte) (t Type, size int64, n int, err error) {
	bad := errors.New("not the header of an object")
	if len(b) > maxLooseHeader {
		b = b[:maxLooseHeader]
	}
	end := bytes.IndexByte(b, 0)
	sp := bytes.IndexByte(b, ' ')
	if end < 0 || sp < 0 || sp > end {
		return 0, 0, 0, bad
	}
	for i, name := range typeNames {
		if name != "" && string(b[:sp]) == name {
			t = Type(i)
		}
	}
	digits := b[sp+1 : end]
	if t == 0 || len(digits) == 0 || digits[0] == '0' && len(digits) > 1 {
		return 0, 0, 0, bad
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, 0, 0, bad
		}
		if size > (math.MaxInt64-9)/10 {
			return 0, 0, 0, bad
		}
		size = size*10 + int64(c-'0')
	}
	return t, size, end + 1, nil
}

// readLoose reads a loose object whole, unless it is over limit, and verifies
// that it is the one that its name says. Data is in the memory of buf if that is
// large enough, else in new memory. The error is fs.ErrNotExist when there is no
// such file; ErrTooLarge and errUnwanted (types does not have it) come with type
// and size.
func (s *Store) readLoose(sc *scratch, path string, id *OID, buf []byte, limit int64, types typeSet) (t Type, size int64, data []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, nil, err
	}
	defer f.Close()
	defer guardFault(debug.SetPanicOnFault(true), &err)
	src, release, err := sc.looseBytes(f)
	if err != nil {
		return 0, 0, nil, err
	}
	defer release()
	var head [maxLooseHeader]byte
	n, err := sc.z.prefix(head[:], src)
	if err != nil && n == 0 {
		return 0, 0, nil, err
	}
	t, size, n, err = parseLooseHeader(head[:n])
	if err != nil {
		return 0, 0, nil, err
	}
	if !plausible(size, int64(len(src))) {
		return t, size, nil, fmt.Errorf("%d bytes of content cannot come out of %d", size, len(src))
	}
	if !types.has(t) {
		return t, size, nil, errUnwanted
	}
	if size > limit || size > math.MaxInt-maxLooseHeader {
		return t, size, nil, ErrTooLarge
	}
	buf, k, err := sc.z.into(buf, int64(n)+size, src, false)
	if err != nil {
		return t, size, nil, err
	}
	if k != len(src) {
		return t, size, nil, errors.New("garbage after the end of the object")
	}
	data = buf[n:]
	if sc.h.object(t, data) != *id {
		return t, size, nil, errHash
	}
	return t, size, data, nil
}

// looseHeader reads type and size of a loose object.
func (s *Store) looseHeader(sc *scratch, path string) (t Type, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	// The header is in the first bytes, after at most a few hundred of
	// Huffman tables.
	src := make([]byte, 1024)
	k, err := io.ReadFull(f, src)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return 0, 0, err
	}
	if k == 0 {
		return 0, 0, errors.New("the file is empty")
	}
	var head [maxLooseHeader]byte
	n, err := sc.z.prefix(head[:], src[:k])
	if err != nil && n == 0 {
		return 0, 0, err
	}
	t, size, _, err = parseLooseHeader(head[:n])
	return t, size, err
}

// looseBytes returns the content of a file: in sc's buffer if it is small, else
// mapped. Release must be called when it is no longer needed.
func (sc *scratch) looseBytes(f *os.File) (b []byte, release func(), err error) {
	st, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, nil, errors.New("not a regular file")
	}
	size := st.Size()
	if size == 0 {
		return nil, nil, errors.New("the file is empty")
	}
	if size > maxLooseRead {
		m, err := openFile(f.Name())
		if err != nil {
			return nil, nil, err
		}
		b, err := m.bytes(0, m.size)
		if err != nil {
			m.close()
			return nil, nil, err
		}
		return b, func() { m.close() }, nil
	}
	if int64(cap(sc.file)) < size {
		sc.file = make([]byte, size)
	}
	b = sc.file[:size]
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, nil, err
	}
	return b, func() {}, nil
}

// streamLoose opens a loose object for reading in order.
func (s *Store) streamLoose(path string, id *OID) (t Type, size int64, r io.ReadCloser, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, nil, err
	}
	fail := func(err error) (Type, int64, io.ReadCloser, error) {
		f.Close()
		return 0, 0, nil, err
	}
	st, err := f.Stat()
	if err != nil {
		return fail(err)
	}
	z, err := zlib.NewReader(f)
	if err != nil {
		return fail(zlibError(err))
	}
	var head [maxLooseHeader]byte
	n := 0
	for n < len(head) && bytes.IndexByte(head[:n], 0) < 0 {
		k, err := z.Read(head[n : n+1])
		n += k
		if err == io.EOF {
			break
		} else if err != nil {
			return fail(zlibError(err))
		}
	}
	t, size, _, err = parseLooseHeader(head[:n])
	if err != nil {
		return fail(err)
	}
	if !plausible(size, st.Size()) {
		return fail(fmt.Errorf("%d bytes of content cannot come out of %d", size, st.Size()))
	}
	return t, size, s.newVerifier(z, f, t, size, &CorruptError{OID: *id}), nil
}

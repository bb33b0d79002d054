package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/adler32"
	"io"

	"github.com/klauspost/compress/flate"
)

// inflater inflates zlib streams from memory. Not safe for concurrent use.
type inflater struct {
	src bytes.Reader
	r   io.ReadCloser
}

var (
	errZlib    = errors.New("not a zlib stream")
	errDeflate = errors.New("invalid deflate data")
	errLonger  = errors.New("content is longer than its header says")
	errShorter = errors.New("content is shorter than its header says")
	errAdler   = errors.New("zlib checksum does not match")
)

// zlib inflates the stream that src begins with into dst, which it must fill
// exactly, verifies its checksum, and returns how many bytes of src it took.
func (z *inflater) zlib(dst, src []byte) (n int, err error) {
	n, err = z.stream(dst, src, true)
	if err != nil {
		return n, err
	}
	if len(src)-n < 4 {
		return n, errTruncated
	}
	if adler32.Checksum(dst) != binary.BigEndian.Uint32(src[n:]) {
		return n, errAdler
	}
	return n + 4, nil
}

// prefix inflates the beginning of a stream: as much as dst holds, or less if
// the stream ends.
func (z *inflater) prefix(dst, src []byte) (n int, err error) {
	return z.stream(dst, src, false)
}

func (z *inflater) stream(dst, src []byte, exact bool) (int, error) {
	if len(src) < 2 {
		return 0, errTruncated
	}
	if src[0]&15 != 8 || src[0]>>4 > 7 || src[1]&0x20 != 0 || (int(src[0])<<8|int(src[1]))%31 != 0 {
		return 0, errZlib
	}
	z.src.Reset(src[2:])
	if z.r == nil {
		z.r = flate.NewReader(&z.src)
	} else if err := z.r.(flate.Resetter).Reset(&z.src, nil); err != nil {
		return 0, err
	}
	k, err := io.ReadFull(z.r, dst)
	if !exact {
		if err == io.EOF || (err == io.ErrUnexpectedEOF && z.src.Len() > 0) {
			err = nil
		}
		return k, inflateError(err)
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		if z.src.Len() == 0 {
			return 0, errTruncated
		}
		return 0, errShorter
	}
	if err != nil {
		return 0, inflateError(err)
	}
	var one [1]byte
	k, err = z.r.Read(one[:])
	for k == 0 && err == nil {
		k, err = z.r.Read(one[:])
	}
	if k > 0 {
		return 0, errLonger
	}
	if err != io.EOF {
		return 0, inflateError(err)
	}
	return len(src) - z.src.Len(), nil
}

func inflateError(err error) error {
	if err == nil {
		return nil
	}
	if err == io.ErrUnexpectedEOF {
		return errTruncated
	}
	return errDeflate
}

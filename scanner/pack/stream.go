package pack

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zlib"
)

// verifier reads the content of an object from a zlib stream, and in the end
// compares its length and hash with what they should be.
type verifier struct {
	z     io.ReadCloser
	under io.Closer // may be nil
	h     *hasher
	left  int64
	at    *CorruptError // where it stands; OID is the hash to expect
	err   error         // sticky
}

func (s *Store) newVerifier(z io.ReadCloser, under io.Closer, t Type, size int64, at *CorruptError) *verifier {
	v := &verifier{z: z, under: under, h: newHasher(s.opt.Format), left: size, at: at}
	v.h.start(t, size)
	return v
}

func (v *verifier) Read(p []byte) (int, error) {
	if v.err != nil {
		return 0, v.err
	}
	n, err := v.z.Read(p)
	v.h.h.Write(p[:n])
	v.left -= int64(n)
	switch {
	case v.left < 0:
		n, err = 0, errLonger
	case err == io.EOF && v.left > 0:
		err = errShorter
	case err == io.EOF && v.h.sum() != v.at.OID:
		err = errHash
	case err == nil:
		return n, nil
	}
	v.err = io.EOF
	if err != io.EOF {
		c := *v.at
		c.Err = zlibError(err)
		v.err = &c
	}
	return n, v.err
}

func (v *verifier) Close() error {
	v.err = errClosed
	if v.under != nil {
		return v.under.Close()
	}
	return v.z.Close()
}

// inflateUnsummed reads a zlib stream and leaves out its checksum, for content that is
// compared with its hash.
func inflateUnsummed(r io.Reader) (io.ReadCloser, error) {
	var head [2]byte
	switch _, err := io.ReadFull(r, head[:]); {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return nil, errTruncated
	case err != nil:
		return nil, err
	}
	if !isZlib(head[0], head[1]) {
		return nil, errZlib
	}
	return flate.NewReader(r), nil
}

// zlibError gives the errors of the streaming reader the words of this package.
func zlibError(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errTruncated
	case errors.Is(err, zlib.ErrHeader), errors.Is(err, zlib.ErrDictionary):
		return errZlib
	case errors.Is(err, zlib.ErrChecksum):
		return errAdler
	}
	return err
}

// streamSmall is the size up to which Stream fetches the object whole.
const streamSmall = 1 << 20

// deltaLimit is the size, in multiples of MaxObject, up to which an object that
// is a delta is put together in memory for Stream. With the default that is
// 1 GiB, twice what git makes deltas of unless it is told otherwise
// (core.bigFileThreshold).
const deltaLimit = 4

// Stream opens an object for reading in order, whatever its size. It returns
// its type and its size in bytes. The caller closes the reader.
//
// An object that is not a delta is inflated while it is read, a little ahead, and
// takes a constant amount of memory. One that is a delta, and over MaxObject, is put
// together in memory first, which takes its size and that of its base; over
// four times MaxObject that is refused with ErrTooLarge. The content is
// verified: a reader that meets damage ends with a *CorruptError and not with
// io.EOF, after it may have returned wrong bytes.
func (s *Store) Stream(id OID) (Type, int64, io.ReadCloser, error) {
	t, size, err := s.Header(id)
	if err != nil {
		return 0, 0, nil, err
	}
	if size <= min(streamSmall, s.opt.MaxObject) {
		t, data, err := s.Get(id)
		if err != nil {
			return 0, 0, nil, err
		}
		return t, int64(len(data)), io.NopCloser(bytes.NewReader(data)), nil
	}
	var r io.ReadCloser
	err = s.each(id, func(st *state, sc *scratch, pl place) (err error) {
		t, size, r, err = s.streamPlace(st, sc, id, pl)
		return err
	})
	if err != nil {
		return 0, 0, nil, err
	}
	return t, size, r, nil
}

func (s *Store) streamPlace(st *state, sc *scratch, id OID, pl place) (Type, int64, io.ReadCloser, error) {
	if pl.p == nil {
		return s.streamLoose(pl.path, &id)
	}
	f, err := pl.p.open()
	if err != nil {
		return 0, 0, nil, err
	}
	e, err := pl.p.entryAt(f, pl.off)
	if err != nil {
		return 0, 0, nil, err
	}
	if t := Type(e.kind); t.valid() {
		end := pl.p.end(f)
		if err := e.plausible(end); err != nil {
			return 0, 0, nil, err
		}
		z, err := inflateUnsummed(f.reader(e.data, end-e.data))
		if err != nil {
			return 0, 0, nil, err
		}
		at := &CorruptError{OID: id, Pack: pl.p.name, Offset: pl.off}
		return t, e.size, readAhead(s.newVerifier(z, nil, t, e.size, at)), nil
	}
	s.huge.Lock() // one at a time: two would need twice the memory
	defer s.huge.Unlock()
	t, data, err := s.resolve(st, sc, pl.p, pl.off, s.maxBase())
	if err != nil {
		return 0, 0, nil, err
	}
	if sc.h.object(t, data) != id {
		return 0, 0, nil, errHash
	}
	return t, int64(len(data)), io.NopCloser(bytes.NewReader(data)), nil
}

package source

import (
	"bytes"
	"errors"
	"io"

	"github.com/till-sh/till/scanner"
)

const (
	// wholeLimit is the size up to which content is passed on in one piece. It
	// bounds the memory: one buffer of this size for each worker.
	wholeLimit = 32 << 20
	// windowSize is the size of a window of larger content.
	windowSize = 8 << 20
	// windowOverlap is how much two windows share at least: several times the
	// longest credential (an RSA key of 16,384 bits has 13 KB in PEM).
	windowOverlap = 64 << 10
)

// windows splits a stream into overlapping windows.
type windows struct {
	size, overlap int
	buf           []byte // reused; grown to size when first needed
	object        []byte // reused: memory for objects that are read whole
}

// each reads r to its end and calls emit for every window, in order. The data
// is valid only during the call. It returns the length of the stream.
//
// A window ends, and the next one begins, at the end of a line where there is
// one near, else behind a space, a quote or a bracket. So a value is not cut in
// two pieces of which the first looks like a value of its own, and columns are
// right in all files but those with lines of more than overlap bytes.
func (w *windows) each(r io.Reader, emit func(data []byte, offset int64, line int) error) (int64, error) {
	if w.size == 0 {
		w.size, w.overlap = windowSize, windowOverlap
	}
	if cap(w.buf) < w.size {
		w.buf = make([]byte, w.size)
	}
	buf := w.buf[:w.size]
	var offset int64
	line, n := 0, 0
	for {
		m, err := io.ReadFull(r, buf[n:])
		n += m
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return offset + int64(n), emit(buf[:n], offset, line)
		}
		if err != nil { // what came before it is looked at
			return offset + int64(n), errors.Join(err, emit(buf[:n], offset, line))
		}
		end := cutBefore(buf, n, n-w.overlap)
		if err := emit(buf[:end], offset, line); err != nil {
			return offset, err
		}
		start := cutBefore(buf, end-w.overlap, end-2*w.overlap)
		line += bytes.Count(buf[:start], []byte("\n"))
		offset += int64(start)
		n = copy(buf, buf[start:n])
	}
}

// cutBefore returns the best place to cut data at, at most at and above least.
func cutBefore(data []byte, at, least int) int {
	least = max(least, 1)
	part := data[least:at]
	if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
		return least + i + 1
	}
	if i := bytes.LastIndexAny(part, " \t\r\"'`<>(){}[];,\x00"); i >= 0 {
		return least + i + 1
	}
	return at
}

// stopError marks an error that came from the receiver of a blob, so that it is
// not taken for one of reading.
type stopError struct{ err error }

func (e *stopError) Error() string { return e.err.Error() }
func (e *stopError) Unwrap() error { return e.err }

// passData hands content to fn: b with the data filled in, whole or in windows.
// It returns the number of bytes. An error of fn comes back as a *stopError.
func (w *windows) passData(data []byte, b scanner.Blob, fn func(*scanner.Blob) error) (int64, error) {
	if len(data) > wholeLimit {
		return w.passStream(bytes.NewReader(data), b, fn)
	}
	b.Data = data
	if err := fn(&b); err != nil {
		return 0, &stopError{err}
	}
	return int64(len(data)), nil
}

// passStream does the same for large content.
func (w *windows) passStream(r io.Reader, b scanner.Blob, fn func(*scanner.Blob) error) (int64, error) {
	return w.each(r, func(data []byte, offset int64, line int) error {
		part := b
		part.Data, part.Offset, part.Line = data, offset, line
		if err := fn(&part); err != nil {
			return &stopError{err}
		}
		return nil
	})
}

// ownPlaces attributes findings that stand where they were found.
func ownPlaces(findings []scanner.Finding, exposure scanner.Exposure) ([][]scanner.Place, []scanner.Exposure) {
	places := make([][]scanner.Place, len(findings))
	exposures := make([]scanner.Exposure, len(findings))
	for i := range findings {
		places[i] = []scanner.Place{placeOf(&findings[i])}
		places[i][0].Present = true
		exposures[i] = exposure
	}
	return places, exposures
}

// placeOf copies into a Place what the Finding knows of it.
func placeOf(f *scanner.Finding) scanner.Place {
	where := f.Where
	if where == "" {
		where = scanner.InContent
	}
	return scanner.Place{
		Path: f.Path, Where: where, Blob: f.Hash, Location: f.Location,
		Decoded: f.Decoded, Excerpt: f.Excerpt, Moved: f.Moved,
	}
}

package source

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/till-sh/till/scanner"
)

// Reader is a source of one stream, such as standard input.
type Reader struct {
	name string
	r    io.Reader
}

// NewReader returns a source for r, shown in reports as name. It can be read
// once.
func NewReader(name string, r io.Reader) *Reader { return &Reader{name: name, r: r} }

// Each implements [scanner.Source]. It uses one worker.
func (s *Reader) Each(ctx context.Context, _ int, fn func(worker int, b *scanner.Blob) error) (scanner.Summary, error) {
	var stop error
	pass := func(data []byte, offset int64, line int) error {
		if stop = ctx.Err(); stop == nil {
			stop = fn(0, &scanner.Blob{Path: s.name, Data: data, Offset: offset, Line: line})
		}
		return stop
	}
	sum := scanner.Summary{Files: 1}
	var head bytes.Buffer
	_, err := io.CopyN(&head, contextReader{ctx, s.r}, wholeLimit+1)
	if err != nil { // the end, or an error: what came before it is looked at
		sum.Bytes = int64(head.Len())
		_ = pass(head.Bytes(), 0, 0) // kept in stop
		if err == io.EOF {
			err = nil
		}
	} else {
		var w windows
		sum.Bytes, err = w.each(io.MultiReader(&head, contextReader{ctx, s.r}), pass)
	}
	if stop == nil {
		stop = ctx.Err()
	}
	if stop == nil && err != nil {
		sum.Errors = append(sum.Errors, fmt.Sprintf("read %s: %v", s.name, err))
	}
	return sum, stop
}

// Attribute implements [scanner.Source].
func (s *Reader) Attribute(_ context.Context, findings []scanner.Finding, _ *scanner.Summary) ([][]scanner.Place, []scanner.Exposure, error) {
	places, exposures := ownPlaces(findings, scanner.ExposureFile)
	return places, exposures, nil
}

// contextReader ends a stream when ctx does. A Read that is under way is not
// interrupted.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

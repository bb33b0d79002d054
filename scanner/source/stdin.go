package source

import (
	"bytes"
	"context"
	"errors"
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
	sum := scanner.Summary{Files: 1}
	blob := scanner.Blob{Path: s.name}
	pass := func(b *scanner.Blob) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return fn(0, b)
	}
	var head bytes.Buffer
	var w windows
	in := contextReader{ctx, s.r}
	_, err := io.CopyN(&head, in, wholeLimit+1)
	var passed error
	if err != nil { // the end, or an error: what came before it is looked at
		sum.Bytes, passed = w.passData(head.Bytes(), blob, pass)
	} else {
		sum.Bytes, err = w.passStream(io.MultiReader(&head, in), blob, pass)
	}
	if stop := (*stopError)(nil); errors.As(errors.Join(passed, err), &stop) {
		return sum, stop.err
	}
	if err != nil && err != io.EOF {
		if ctx.Err() != nil {
			return sum, ctx.Err()
		}
		sum.Errors = append(sum.Errors, fmt.Sprintf("read %s: %v", s.name, err))
	}
	return sum, nil
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

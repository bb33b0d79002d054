package scanner

import (
	"errors"

	"github.com/till-sh/till/scanner/decode"
)

// view is text to look at: the stored bytes, or what a stretch of another view
// decodes to.
type view struct {
	data   []byte
	parent *view
	span   *decode.Span // where in parent it stands; nil for the stored bytes
}

// source maps data[from:to) to the stored bytes.
func (v *view) source(from, to int) (int, int) {
	for ; v.parent != nil; v = v.parent {
		from, to = v.span.Source(from, to)
	}
	return from, to
}

// encodings names what lies between the stored bytes and the view, outermost
// first.
func (v *view) encodings() []string {
	if v.parent == nil {
		return nil
	}
	return append(v.parent.encodings(), v.span.Encoding)
}

// budget is what decoding may still spend on one blob.
type budget struct {
	bytes  int // decoded bytes left
	undone int
}

// Decoding may make at most decodeFactor times the blob's size, and at least
// decodeFloor bytes, of decoded text; five levels of honest nesting shrink at
// each level, so only a bomb or noise comes near.
const (
	decodeFactor = 4
	decodeFloor  = 1 << 20
	// decodeContext is how much of the line before an encoded value is seen
	// with its text: enough for a name and its operator.
	decodeContext = 64
)

// scanView looks at one view and at everything encoded in it.
func (e *Engine) scanView(s *scratch, v *view, depth int, left *budget) error {
	if v.parent == nil {
		if span := decode.Text(v.data); span != nil {
			// A UTF-16 or UTF-32 file is that text and nothing else; the
			// character set is no encoding that somebody put around a value.
			return e.scanView(s, &view{data: span.Data, parent: v, span: span}, depth, left)
		}
	}
	err := e.scanText(s, v)
	if e.options.DecodeDepth < 0 || depth >= e.options.DecodeDepth {
		return err
	}
	stats := decode.Each(v.data, decode.Options{Budget: left.bytes, Context: decodeContext}, func(span *decode.Span) {
		if left.bytes -= len(span.Data); left.bytes < 0 {
			left.undone++
			return
		}
		err = errors.Join(err, e.scanView(s, &view{data: span.Data, parent: v, span: span}, depth+1, left))
	})
	left.undone += stats.Left
	return err
}

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
	shift  int          // where in the stored bytes data begins, when parent is nil
}

// source maps data[from:to) to the stored bytes.
func (v *view) source(from, to int) (int, int) {
	for ; v.parent != nil; v = v.parent {
		from, to = v.span.Source(from, to)
	}
	return from + v.shift, to + v.shift
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

func budgetOf(data []byte) budget {
	return budget{bytes: max(decodeFloor, decodeFactor*len(data))}
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
	return errors.Join(err, e.scanEncoded(s, v, depth, left))
}

// scanEncoded looks at everything encoded in a view.
func (e *Engine) scanEncoded(s *scratch, v *view, depth int, left *budget) error {
	if e.options.DecodeDepth < 0 || depth >= e.options.DecodeDepth {
		return nil
	}
	var err error
	e.decodeEach(v, left, e.intoSpan(s, v, depth, left, &err))
	return err
}

// decodeEach calls yield for everything encoded in a view.
func (e *Engine) decodeEach(v *view, left *budget, yield func(*decode.Span)) {
	left.undone += decode.Each(v.data, decode.Options{Budget: left.bytes, Context: decodeContext}, yield).Left
}

// intoSpan returns a function that looks at what a stretch of v encodes.
func (e *Engine) intoSpan(s *scratch, v *view, depth int, left *budget, err *error) func(*decode.Span) {
	return func(span *decode.Span) {
		if left.bytes -= len(span.Data); left.bytes < 0 {
			left.undone++
			return
		}
		n := len(s.found)
		on := s.trail.on
		s.trail.on = false // what stands in a view hangs on the whole of it
		if failed := e.scanView(s, &view{data: span.Data, parent: v, span: span}, depth+1, left); failed != nil {
			*err = errors.Join(*err, failed)
		}
		if s.trail.on = on; on {
			s.trail.decoded(v.shift+span.Start, v.shift+span.End, s.found[n:])
		}
	}
}

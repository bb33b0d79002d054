// Package decode finds encoded stretches in bytes and gives back what they
// encode, with a map from every decoded byte to the place that encodes it.
//
// A key that is written as base64, as hex, with percent or backslash escapes,
// with HTML entities, or in a file of UTF-16 is as leaked as one in plain
// sight. A scanner calls [Each] on the bytes it looks at, scans the Data of
// every [Span] it is given, and calls Each again on that Data as deep as it
// cares to; [Span.Source] leads from a finding in Data back to the source.
//
// The package is pure: no I/O, no clock, no state that outlives a call, safe
// for concurrent use. Time and memory are linear in the input, whatever it
// looks like. What Each yields, and in which order, depends on src and Options
// alone.
//
// # What is yielded
//
// Only what can hold text. A run of base64, hex or base32 digits is yielded
// when its bytes contain a stretch of plain text (see codec.least), when they
// begin as UTF-8 or UTF-16 text, or when they begin with the magic number of a
// gzip, zip, bzip2, xz or zstd stream. Images, digests, random keys, paths and
// identifiers are not. Of a long binary only the neighbourhood of its readable
// stretches is yielded.
//
// Text that holds escapes is yielded by the line, or by a window of the line,
// so that a key with one escaped character is seen whole and beside the name
// it is assigned to.
package decode

import (
	"sort"
	"sync"
)

// Names of encodings, as they stand in [Span.Encoding].
const (
	Base64          = "base64"           // RFC 4648 sections 4 and 5, padded or not, wrapped or not
	Base32          = "base32"           // RFC 4648 section 6, upper case
	Hex             = "hex"              // two digits per byte, either case
	ByteList        = "byte-list"        // 0x67, 0x68 or 103, 104
	Percent         = "percent"          // RFC 3986 %67, and %u0067
	UnicodeEscape   = "unicode-escape"   // \u0067 \U00000067 \u{67}, among other backslash escapes
	Escape          = "escape"           // \x67 \147 \n \" \/
	HTMLEntity      = "html-entity"      // &#103; &#x67; &quot;
	QuotedPrintable = "quoted-printable" // RFC 2045 =67 and soft line breaks
	UTF16           = "utf-16"           // a whole file, or strings inside a binary
	UTF32           = "utf-32"           // a whole file
)

// Span is one encoded stretch of a source: src[Start:End] decodes to Data.
type Span struct {
	Start, End int    // byte offsets in the source
	Encoding   string // one of the names above
	Data       []byte // decoded; UTF-8 where the encoding says so, else raw bytes

	segments []segment
}

// segment maps Data from dst up to the next segment's dst. It is a row of equal
// units: every du bytes of Data come from su bytes of source, of which the last
// gap bytes only separate (the ", " of a byte list).
type segment struct {
	dst, src    int
	du, su, gap uint16
	plain       bool // the source has the same bytes
}

// Source returns the range of the source that encodes Data[i:j]: whole units
// (four characters of base64, one escape), never less and never more. Line
// breaks inside a wrapped run belong to the range, those at its ends do not.
// i and j are clamped to Data; an empty range maps to an empty one. The result
// lies in [Start, End].
func (s *Span) Source(i, j int) (start, end int) {
	i = min(max(i, 0), len(s.Data))
	j = min(max(j, i), len(s.Data))
	if len(s.segments) == 0 {
		return s.Start, s.Start
	}
	if i == j {
		if i == len(s.Data) {
			if i == 0 {
				return s.Start, s.Start
			}
			_, end = s.unit(i - 1)
			return end, end
		}
		start, _ = s.unit(i)
		return start, start
	}
	start, _ = s.unit(i)
	_, end = s.unit(j - 1)
	return start, end
}

// unit returns the source range of the unit that Data[i] is part of.
func (s *Span) unit(i int) (start, end int) {
	k := s.segmentAt(i)
	g := &s.segments[k]
	start = g.src + (i-g.dst)/int(g.du)*int(g.su)
	return start, start + int(g.su) - int(g.gap)
}

// segmentAt returns the index of the segment that maps Data[i].
func (s *Span) segmentAt(i int) int {
	return sort.Search(len(s.segments), func(k int) bool { return s.segments[k].dst > i }) - 1
}

// Verbatim reports whether Data[i:j] stands in the source as it is, with no
// escape in it. A finding in such a range is seen in the source as well, so a
// caller that has scanned the source may drop it here.
func (s *Span) Verbatim(i, j int) bool {
	i = min(max(i, 0), len(s.Data))
	j = min(max(j, i), len(s.Data))
	if i == j {
		return true
	}
	for k := s.segmentAt(i); k < len(s.segments) && s.segments[k].dst < j; k++ {
		if !s.segments[k].plain {
			return false
		}
	}
	start, end := s.Source(i, j)
	return end-start == j-i // nothing was left out between the segments
}

// row starts a row of units at Data offset dst and source offset src. The row
// lasts until the next one is started.
func (s *Span) row(dst, src, du, su, gap int) {
	s.add(segment{dst, src, uint16(du), uint16(su), uint16(gap), false})
}

// plain starts a row of bytes that stand in the source as they are.
func (s *Span) plain(dst, src int) {
	s.add(segment{dst, src, 1, 1, 0, true})
}

func (s *Span) add(g segment) {
	if n := len(s.segments); n > 0 {
		last := &s.segments[n-1]
		done := g.dst - last.dst
		if last.du == g.du && last.su == g.su && last.gap == g.gap && last.plain == g.plain &&
			done%int(g.du) == 0 && g.src == last.src+done/int(g.du)*int(g.su) {
			return // goes on
		}
		if done == 0 { // the row before never held anything
			*last = g
			return
		}
	}
	s.segments = append(s.segments, g)
}

// Options says how far [Each] goes.
type Options struct {
	// Budget is the total number of bytes of Data that may be yielded. A span
	// that would exceed what is left is not yielded and counted in
	// [Stats.Left]; a smaller one after it may still be. 0 means no limit.
	Budget int

	// Context puts up to so many bytes of the same line that stand before a
	// run of base64, hex, base32 or a byte list in front of its text in Data,
	// and up to contextAfter bytes that follow it behind, as they are. So
	// `pin: MTIz…` is seen as `pin: 123…`: the name is often the
	// only thing that tells that the value is a key. 0 means none. Data that is
	// not plain text (UTF-16, gzip) never gets context.
	Context int
}

// Stats says what [Each] did.
type Stats struct {
	Spans int // spans yielded
	Bytes int // total length of their Data
	Left  int // spans found but not yielded for lack of budget; 0 means complete

	work int // bytes looked at by the code behind the prefilters, for tests
}

// Each calls yield for each encoded span of src that may hold text, in an order
// that depends on src and opt alone. Spans may overlap: what is both hex and
// part of an escaped line is yielded as both.
//
// The Span, its Data and its map are reused after yield returns; copy what must
// last. yield may call Each (on Data, say). src is never written to, and must
// not change meanwhile.
//
// When the whole of src is UTF-16 or UTF-32 its transcription (see [Text]) is
// yielded first. What a caller finds in src as it is counts then too: a file may
// begin with one character set and go on with another.
func Each(src []byte, opt Options, yield func(*Span)) Stats {
	s := scans.Get().(*scan)
	defer scans.Put(s)
	*s = scan{src: src, opt: opt, yield: yield, span: Span{Data: s.span.Data, segments: s.span.segments}, flat: s.flat, lines: s.lines[:0]}
	out := s.all()
	s.src, s.yield = nil, nil
	return out
}

// scans keeps the memory of calls that are over for others.
var scans = sync.Pool{New: func() any { return new(scan) }}

func (s *scan) all() Stats {
	src := s.src
	t := Text(src)
	if t != nil {
		s.work += len(src)
		s.span = *t
		s.emit()
	}
	s.runs()
	s.escapes()
	s.quotedPrintable()
	if t == nil {
		s.wideStrings()
	}
	s.out.work = s.work
	return s.out
}

// scan is the state of one call of Each.
type scan struct {
	src   []byte
	opt   Options
	yield func(*Span)
	out   Stats
	work  int

	span  Span     // yielded, reused
	head  [48]byte // what a run begins with; here, for it would escape from the stack
	flat  []byte   // a wrapped run without its line breaks, reused
	one   [1]line  // one of lines
	lines []line   // where the lines of flat come from, reused

	lists    int // byte lists before this offset have been looked at
	done     int // runs before this offset belong to a wrapped run already handled
	context  int // context before this offset was given to another run
	listed   int // the same for lists
	pemUntil int // cache of pemEnd
	pemEnd   int
}

// begin resets the span.
func (s *scan) begin(encoding string, start int) {
	s.span.Start = start
	s.span.Encoding = encoding
	s.span.Data = s.span.Data[:0]
	s.span.segments = s.span.segments[:0]
}

// fits reports whether n bytes of Data are within the budget, and counts the
// span as left if not.
func (s *scan) fits(n int) bool {
	if s.opt.Budget > 0 && n > s.opt.Budget-s.out.Bytes {
		s.out.Left++
		return false
	}
	return true
}

// emit yields the span.
func (s *scan) emit() {
	if !s.fits(len(s.span.Data)) {
		return
	}
	s.out.Spans++
	s.out.Bytes += len(s.span.Data)
	s.yield(&s.span)
}

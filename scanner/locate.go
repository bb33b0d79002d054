package scanner

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// cursor turns byte offsets into lines and columns, moving forward only, so
// that thousands of findings in one long line cost one pass over it.
type cursor struct {
	data   []byte
	offset int // everything before it is counted
	line   int // 1-based
	column int // 1-based, in code points
}

func newCursor(data []byte, firstLine int) *cursor {
	return &cursor{data: data, line: firstLine + 1, column: 1}
}

// to moves to an offset that is not before the current one.
func (c *cursor) to(offset int) (line, column int) {
	for c.offset < offset {
		rest := c.data[c.offset:offset]
		if n := bytes.IndexByte(rest, '\n'); n >= 0 {
			c.line++
			c.column = 1
			c.offset += n + 1
			continue
		}
		c.column += utf8.RuneCount(rest)
		c.offset = offset
	}
	return c.line, c.column
}

// locate fills in the location of every candidate; found is ordered by place.
func locate(b *Blob, found []candidate) {
	cur := newCursor(b.Data, b.Line)
	for i := range found {
		c := &found[i]
		c.location.StartLine, c.location.StartColumn = cur.to(c.from)
		end := *cur
		c.location.EndLine, c.location.EndColumn = end.to(c.to)
		c.location.Offset = b.Offset + int64(c.from)
		c.location.Length = int64(c.to - c.from)
	}
}

// How much of a long line an excerpt shows around the value.
const (
	excerptBefore = 60
	excerptAfter  = 40
)

// excerptOf returns the line of found[i] with every value that stands in it
// masked. found is ordered by place and does not overlap.
func excerptOf(data []byte, found []candidate, i int) ExcerptLine {
	c := &found[i]
	lo := c.from
	for lo > 0 && data[lo-1] != '\n' && c.from-lo < excerptBefore {
		lo--
	}
	for lo < c.from && !utf8.RuneStart(data[lo]) {
		lo++
	}
	first, last := i, i
	for first > 0 && found[first-1].to > lo {
		first--
	}
	if found[first].from < lo { // the window cuts into another value
		lo = min(found[first].to, c.from)
		first++
	}
	hi := min(len(data), hostEnd(data, c.to)+excerptAfter)
	if end := bytes.IndexByte(data[c.from:hi], '\n'); end >= 0 {
		hi = c.from + end
	}
	for hi < len(data) && hi > c.to && !utf8.RuneStart(data[hi]) {
		hi--
	}
	for last+1 < len(found) && found[last+1].from < hi {
		last++
	}
	if found[last].to > hi && last != i {
		hi = found[last].from
		last--
	}
	var text strings.Builder
	var mark, markEnd int
	at := lo
	for k := first; k <= last; k++ {
		f := &found[k]
		text.Write(data[at:max(at, f.from)])
		if k == i {
			mark = utf8.RuneCountInString(text.String())
		}
		text.WriteString(Mask(f.value))
		if k == i {
			markEnd = utf8.RuneCountInString(text.String())
		}
		at = max(at, f.to)
	}
	if at < hi {
		text.Write(data[at:hi])
	}
	s := text.String()
	if trimmed := strings.TrimRight(s, "\r\n\t "); len(trimmed) < len(s) {
		s = trimmed
	}
	return ExcerptLine{Number: c.location.StartLine, Text: s, Mark: mark, MarkEnd: markEnd}
}

// hostEnd is where the host ends that stands behind data[at:] == "@…", else at. A
// person has to see all of it before a key goes there.
func hostEnd(data []byte, at int) int {
	if at >= len(data) || data[at] != '@' {
		return at
	}
	rest := data[at:min(len(data), at+maxHost+len("@:65535"))]
	if n := bytes.IndexAny(rest, "/?#\"'`<>,; \t\r\n\\&)}"); n >= 0 {
		return at + n
	}
	return at + len(rest)
}

// contextOf returns the line around found[i] with every value cut out and
// blanks collapsed: what stays the same when a value is re-indented or other
// lines change, and tells nothing of the value.
func contextOf(data []byte, found []candidate, i int) string {
	const reach = 160
	c := &found[i]
	lo, hi := c.from, c.to
	for lo > 0 && data[lo-1] != '\n' && c.from-lo < reach {
		lo--
	}
	for hi < len(data) && data[hi] != '\n' && hi-c.to < reach {
		hi++
	}
	first := i
	for first > 0 && found[first-1].to > lo {
		first--
	}
	var out strings.Builder
	at := lo
	for k := first; k < len(found) && found[k].from < hi; k++ {
		if found[k].from > at {
			out.Write(data[at:found[k].from])
		}
		out.WriteString("\x00")
		at = max(at, found[k].to)
	}
	if at < hi {
		out.Write(data[at:hi])
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

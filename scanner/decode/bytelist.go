package decode

import "math/bits"

// leastItems is the fewest items in a row of a list of bytes that must be text
// for it to be decoded: a key.
const leastItems = 20

// A list is looked for where leastDense commas stand in two blocks of 64 bytes, and
// must have as many within denseReach, which no place of the blocks can hide. So
// a list in which every item has a line and a deep indentation of its own is none.
const (
	leastDense = 4
	denseReach = 64
)

// commas looks at the commas of the mask c of src[i:i+64], and decodes the lists of
// bytes that they are part of.
func (s *scan) commas(i int, c uint64) {
	for ; c != 0; c &= c - 1 {
		at := i + bits.TrailingZeros64(c)
		if at <= s.lists || at+2 >= len(s.src) || !endsItem(s.src[at-1]) {
			continue
		}
		next := s.src[at+1]
		if next == ' ' {
			next = s.src[at+2]
		}
		if next-'0' <= 9 || next <= ' ' {
			s.byteList(at)
		}
	}
}

// endsItem reports whether c may stand before a comma of a list.
func endsItem(c byte) bool {
	return class[c]&isDigit16 != 0 || class[c]&(isText|isWord) == isText
}

// byteList yields the stretch of text that the comma at src[at] is part of, in a
// list of bytes written as 0x67, 0x68 or 103, 104 over any number of lines. It
// goes no further than the items are text, which of the tables of numbers that
// source is full of is not far.
func (s *scan) byteList(at int) {
	src := s.src
	next := skipBlanks(src, at+1)
	v, behind := byteItem(src, next)
	s.work += behind - at
	if behind == next || class[v]&isText == 0 {
		return
	}
	first := s.firstItem(at)
	n, end := 0, first
	dense := false
	var places [leastDense]int // of items
	for i := first; ; n++ {
		v, e := byteItem(src, i)
		if e == i || class[v]&isText == 0 {
			break
		}
		end = e
		if k := n % leastDense; n < leastDense {
			places[k] = i
		} else {
			dense = dense || i-places[k] < denseReach
			places[k] = i
		}
		next := nextItem(src, e)
		if next < 0 {
			n++
			break
		}
		i = next
	}
	s.lists = end
	s.work += end - first
	if n < leastItems || !dense {
		return
	}
	from, to := first, end
	if s.opt.Context > 0 {
		from, to = s.contextOf(&s.listed, first, end)
	}
	s.work += end - first
	if !s.fits(n + first - from + to - end) {
		return
	}
	s.begin(ByteList, from)
	s.span.End = to
	s.copy(from, first)
	for i := first; n > 0; n-- {
		v, e := byteItem(src, i)
		next := e
		if n > 1 {
			next = nextItem(src, e)
		}
		s.span.row(len(s.span.Data), i, 1, next-i, next-e)
		s.span.Data = append(s.span.Data, v)
		i = next
	}
	s.copy(end, to)
	s.emit()
}

// firstItem goes back from the comma at src[at] to the first item of its list
// from which on all are text. It returns the item behind the comma if the one
// before it is none.
func (s *scan) firstItem(at int) (first int) {
	src := s.src
	first = skipBlanks(src, at+1)
	for comma := at; ; {
		e := s.blanksBefore(comma)
		i := e
		for i > s.lists && e-i < 5 && class[src[i-1]]&isDigit64 != 0 {
			i--
		}
		v, behind := byteItem(src, i)
		if i == e || behind != e || class[v]&isText == 0 {
			break
		}
		first = i
		if comma = s.blanksBefore(i) - 1; comma < s.lists || src[comma] != ',' {
			break
		}
	}
	s.work += at - first
	return first
}

// blanksBefore returns where the blanks and line ends before src[i] begin.
func (s *scan) blanksBefore(i int) int {
	for stop := max(s.lists, i-maxIndent); i > stop && class[s.src[i-1]]&(isText|isWord) == isText; {
		i--
	}
	return i
}

// byteItem returns the value and the end of the number from 0 to 255 at src[i],
// or i if there is none.
func byteItem(src []byte, i int) (v byte, end int) {
	n := 0
	j := i
	if j+2 < len(src) && src[j] == '0' && src[j+1]|0x20 == 'x' {
		for j += 2; j < len(src) && j-i < 4 && class[src[j]]&isDigit16 != 0; j++ {
			n = n<<4 | int(value16[src[j]])
		}
		if j == i+2 {
			return 0, i
		}
	} else {
		for j < len(src) && j-i < 3 && src[j]-'0' <= 9 {
			n = n*10 + int(src[j]-'0')
			j++
		}
	}
	if n > 255 || j < len(src) && (class[src[j]]&isDigit64 != 0 || src[j] == '.') {
		return 0, i
	}
	return byte(n), j
}

// nextItem returns where the item behind the one that ends at src[e] begins, or
// -1 if no comma follows. It may be no number.
func nextItem(src []byte, e int) int {
	i := skipBlanks(src, e)
	if i >= len(src) || src[i] != ',' {
		return -1
	}
	return skipBlanks(src, i+1)
}

// skipBlanks returns the offset of the first byte from src[i] on that is no
// blank or line end, going maxIndent bytes at most.
func skipBlanks(src []byte, i int) int {
	for stop := min(len(src), i+maxIndent); i < stop && (class[src[i]]&isBlank != 0 || src[i] == '\n' || src[i] == '\r'); {
		i++
	}
	return i
}

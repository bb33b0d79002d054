package decode

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// sampleSize is how much of a file is looked at to tell its character set.
	// It is a multiple of 4.
	sampleSize = 2048

	// leastUnits is the fewest units that are judged by what they are.
	leastUnits = 4

	// leastWide is the fewest characters of a UTF-16 string inside other bytes
	// that are yielded. 12 of them hold a word of eight bytes at an offset that
	// is a multiple of 16, which is all that wideStrings tests.
	leastWide = 12
)

// Text detects the character set of a whole file. UTF-16 and UTF-32 of either
// byte order, with a byte order mark or (mostly ASCII) without one, give a Span
// over all of src that holds the text as UTF-8, without the mark. Anything else,
// UTF-8 with a mark included, gives nil.
//
// A mark alone is not believed: what follows it must look like such text, so
// that two bytes before plain ASCII do not blind the scanner. Units that are no
// character, such as half a surrogate pair or what is left of the last one,
// become U+FFFD. The Span belongs to the caller.
func Text(src []byte) *Span {
	w := wideOf(src)
	if w.size == 0 {
		return nil
	}
	sp := &Span{Start: 0, End: len(src), Encoding: UTF16}
	if w.size == 4 {
		sp.Encoding = UTF32
	}
	sp.transcribe(src, w)
	return sp
}

// wide is a character set of units of size bytes.
type wide struct {
	size int  // 2, 4, or 0 for none
	big  bool // byte order
	skip int  // bytes before the first unit: a mark, or half a unit
}

// wideOf tells the character set from the first sampleSize bytes.
func wideOf(b []byte) wide {
	b = b[:min(len(b), sampleSize)]
	if len(b) < 4 {
		return wide{}
	}
	for _, m := range [...]struct {
		mark string
		wide
	}{
		{"\xff\xfe\x00\x00", wide{4, false, 4}},
		{"\x00\x00\xfe\xff", wide{4, true, 4}},
		{"\xff\xfe", wide{2, false, 2}},
		{"\xfe\xff", wide{2, true, 2}},
	} {
		if string(b[:len(m.mark)]) == m.mark && m.looksRight(b, true) {
			return m.wide
		}
	}
	if bytes.IndexByte(b[:min(len(b), 64)], 0) < 0 {
		return wide{}
	}
	// A file cut off inside a unit looks like one of the other byte order in
	// UTF-16, and begins with a part of a unit in UTF-32.
	for _, w := range [...]wide{{2, false, 0}, {2, true, 0}, {4, false, 0}, {4, true, 0}, {4, false, 1}, {4, false, 2}} {
		if w.looksRight(b, false) {
			return w
		}
	}
	return wide{}
}

// at returns the unit at b[i:].
func (w wide) at(b []byte, i int) uint32 {
	switch {
	case w.size == 2 && w.big:
		return uint32(binary.BigEndian.Uint16(b[i:]))
	case w.size == 2:
		return uint32(binary.LittleEndian.Uint16(b[i:]))
	case w.big:
		return binary.BigEndian.Uint32(b[i:])
	}
	return binary.LittleEndian.Uint32(b[i:])
}

// looksRight reports whether b is text in this character set: hardly a control
// character or half a pair, and, where no mark says so, ASCII for the most part.
func (w wide) looksRight(b []byte, marked bool) bool {
	var units, ascii, bad, narrow int
	var pair bool // the unit before is the first half of a surrogate pair
	for i := w.skip; i+w.size <= len(b); i += w.size {
		units++
		u := w.at(b, i)
		half := u&^0x3ff == 0xdc00
		if half != pair {
			bad++
		}
		pair = w.size == 2 && u&^0x3ff == 0xd800
		switch {
		case u < 0x80 && (class[u]&isText != 0 || u == '\f'):
			ascii++
		case u < 0x20, u == 0x7f, u == 0xfffe, u == 0xffff, u > utf8.MaxRune, w.size == 4 && u&^0x7ff == 0xd800:
			bad++
		case class[b[i]]&class[b[i+1]]&isText != 0 && w.size == 2:
			narrow++
		}
	}
	if bad > units/32 {
		return false
	}
	if units < leastUnits {
		return marked
	}
	if marked {
		// Bytes of ASCII read in pairs are Chinese; Chinese read in bytes is
		// ASCII in one pair out of five, and has a blank or line end at times.
		return ascii > 0 || narrow <= units/2
	}
	for i := range 2 {
		if u := w.at(b, w.skip+i*w.size); u >= 0x80 || class[u]&isText == 0 {
			return false // strings inside other bytes are for wideStrings
		}
	}
	return ascii >= units-units/3 && narrow <= units/8
}

// transcribe sets Data to the text of src in UTF-8.
func (s *Span) transcribe(src []byte, w wide) {
	s.Data = make([]byte, 0, len(src)/w.size+len(src)/16)
	i := w.skip
	if w.size == 4 {
		for ; i+4 <= len(src); i += 4 {
			s.rune(src, w.at(src, i), i, 4)
		}
	} else {
		mask := uint64(0xff80ff80ff80ff80)
		if w.big {
			mask = 0x80ff80ff80ff80ff
		}
		for i+2 <= len(src) {
			// Four ASCII characters at a time.
			if i+8 <= len(src) {
				if v := binary.LittleEndian.Uint64(src[i:]); v&mask == 0 {
					if w.big {
						v >>= 8
					}
					s.row(len(s.Data), i, 1, 2, 0)
					s.Data = append(s.Data, byte(v), byte(v>>16), byte(v>>32), byte(v>>48))
					i += 8
					continue
				}
			}
			u, n := w.at(src, i), 2
			if u&^0x3ff == 0xd800 && i+4 <= len(src) {
				if r := utf16.DecodeRune(rune(u), rune(w.at(src, i+2))); r != utf8.RuneError {
					u, n = uint32(r), 4
				}
			}
			s.rune(src, u, i, n)
			i += n
		}
	}
	if i < len(src) {
		s.rune(src, utf8.RuneError, i, len(src)-i)
	}
}

// rune appends the character u, which stands in src[i:i+n].
func (s *Span) rune(src []byte, u uint32, i, n int) {
	r := rune(utf8.RuneError)
	if u <= utf8.MaxRune {
		r = rune(u)
	}
	at := len(s.Data)
	s.Data = utf8.AppendRune(s.Data, r) // writes U+FFFD for half a pair
	s.row(at, i, len(s.Data)-at, n, 0)
}

// wideStrings yields the strings of UTF-16 inside other bytes: what PowerShell
// appends to a file of ASCII, and what a Windows program has for string
// literals. They are strings of text bytes with one NUL between every two.
func (s *scan) wideStrings() {
	src := s.src
	i := bytes.IndexByte(src, 0)
	if i < 0 {
		return
	}
	const even = 0x00ff00ff00ff00ff
	floor := 0
	for i = max(0, i-1) &^ 15; i+8 <= len(src); i += 16 {
		v := binary.LittleEndian.Uint64(src[i:])
		if v&even != 0 == (v&^even != 0) {
			continue
		}
		first := i
		if v&even == 0 {
			first++
		}
		if first < floor || class[src[first]]&class[src[first+2]]&isText == 0 {
			continue
		}
		last := first
		for first-2 >= floor && src[first-1] == 0 && class[src[first-2]]&isText != 0 {
			first -= 2
		}
		for last+2 < len(src) && src[last+1] == 0 && class[src[last+2]]&isText != 0 {
			last += 2
		}
		s.work += last - first
		floor = last + 1
		if n := (last-first)/2 + 1; n >= leastWide {
			s.wideString(first, last, n)
		}
	}
}

// wideString yields the n characters at first, first+2 ... last.
func (s *scan) wideString(first, last, n int) {
	if !s.fits(n) {
		return
	}
	s.begin(UTF16, first)
	s.span.End = last + 1
	switch {
	case last+1 < len(s.src) && s.src[last+1] == 0: // little endian
		s.span.End++
		s.span.row(0, first, 1, 2, 0)
	case first > 0 && s.src[first-1] == 0: // big endian
		s.span.Start--
		s.span.row(0, first-1, 1, 2, 0)
	default: // little endian, and text right behind it
		s.span.row(0, first, 1, 2, 0)
		s.span.row(n-1, last, 1, 1, 0)
	}
	for i := first; i <= last; i += 2 {
		s.span.Data = append(s.span.Data, s.src[i])
	}
	s.emit()
}

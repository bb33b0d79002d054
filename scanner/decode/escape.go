package decode

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// reach is how far from an escape the text is decoded with it, on the same
	// line: the name a value is assigned to, and the rest of a long key.
	reach = 512

	// leastTouched is the length a word must have, when decoded, for an escape in
	// it to matter: "don\u0027t" does not, "p\u0040ssw0rd" does. It is leastEscaped
	// if more than half of it are escapes, for among the escapes of a binary there
	// are short words by chance.
	leastTouched = 10
	leastEscaped = 14
)

// family is a kind of escapes that begin with the same byte.
type family struct {
	name string
	mark byte

	// next is the bytes that may follow the mark of an escape that is wanted.
	next [256]bool

	// escape decodes the escape at src[i], which is the mark. n is its length, 0
	// for none.
	escape func(src []byte, i int) (e escape)

	// wanted reports whether the escape at src[i] is a reason to decode the text
	// around it, if it stands for a character of ASCII.
	wanted func(src []byte, i int, e escape) bool
}

// escape is what an escape stands for.
type escape struct {
	n    int  // its length in the source, 0 for no escape
	r    rune // the character, or byte
	kind uint8
}

// Kinds of escapes.
const (
	aByte    = iota // r is a byte, not a character
	aRune           // r is a character
	aSign           // r is a character that has an escape of its own, such as \n or \"
	aUnicode        // r is a character, given as \u
	aBreak          // stands for nothing: a soft line break
)

// text reports whether the escape stands for printable ASCII, a blank or a line
// end, the only characters that keys and what is around them are made of.
func (e escape) text() bool {
	return e.kind == aBreak || e.r >= 0 && e.r < utf8.RuneSelf && class[e.r]&isText != 0
}

var (
	backslash = family{Escape, '\\', among(`xuU0123nr\"/`), backslashEscape, backslashWanted}
	percent   = family{Percent, '%', among(digits16 + "ABCDEFu"), percentEscape, percentWanted}
	entity    = family{HTMLEntity, '&', among(entityStarts()), entityEscape, entityWanted}
	quoted    = family{QuotedPrintable, '=', among(digits16 + "ABCDEF\r\n"), quotedEscape, func(_ []byte, _ int, e escape) bool { return true }}
)

func among(chars string) (set [256]bool) {
	for i := range len(chars) {
		set[chars[i]] = true
	}
	return set
}

// escapes decodes the lines that hold escapes of the three families. A search of
// its own for each mark runs at 35 GB/s where there are few of them; one pass
// over all bytes with a table takes three times as long as all searches together.
func (s *scan) escapes() {
	for _, f := range [...]*family{&backslash, &percent, &entity} {
		s.family(f)
	}
}

// family decodes the text around each escape of the family that is wanted and
// lies in a word of some length.
func (s *scan) family(f *family) {
	src := s.src
	floor := 0  // behind the last escape decoded
	before := 0 // behind the last escape seen
	for i := 0; ; {
		j := bytes.IndexByte(src[i:], f.mark)
		if j < 0 {
			return
		}
		if i += j; i+1 == len(src) || !f.next[src[i+1]] {
			i++
			continue
		}
		e := f.escape(src, i)
		s.work++
		if e.n == 0 || !e.text() || !f.wanted(src, i, e) {
			if i++; e.n > 1 {
				before = i + e.n - 1
			}
			continue
		}
		if end, ok := s.word(f, i, before); !ok {
			i, before = end, end
			continue
		}
		i, floor = s.region(f, i, floor)
		before = floor
	}
}

// word reports whether the word that the wanted escape at src[at] is part of is
// a reason to decode the text around it, and else where the word ends. What is
// before floor is no part of it.
func (s *scan) word(f *family, at, floor int) (end int, ok bool) {
	src := s.src
	if f == &backslash && beginsPEM(src, at) {
		return at, true
	}
	word, escapes := 0, 0
	for i := at; i > floor && word < leastEscaped && class[src[i-1]]&isWord != 0; i-- {
		word++
	}
	i := at
	for i < len(src) {
		var e escape
		if src[i] == f.mark {
			e = f.escape(src, i)
		}
		switch {
		case e.n > 0 && e.text() && f.wanted(src, i, e):
			escapes++
			if i += e.n; e.kind != aBreak {
				word++
			}
		case e.n > 0 && e.text() && e.r > ' ':
			i += e.n
			word++
		case e.n == 0 && class[src[i]]&isWord != 0:
			i++
			word++
		default:
			s.work += i - at
			return max(i, at+1), false
		}
		if word >= leastEscaped || word >= leastTouched && escapes <= word/2 {
			s.work += i - at
			return i, true
		}
	}
	s.work += i - at
	return i, false
}

// region decodes and yields the text around the escape at src[at]. It begins at
// the start of the line and ends at its end, but not more than reach bytes from
// an escape, and not before floor. Regions overlap by verbatim text only. It
// returns where the region and where its last escape end.
func (s *scan) region(f *family, at, floor int) (end, last int) {
	src := s.src
	start := max(at-reach, floor)
	if i := bytes.LastIndexByte(src[start:at], '\n'); i >= 0 {
		start += i + 1
	}
	until := 0
	if f == &backslash && beginsPEM(src, at) {
		until = s.endOfPEM(at)
	}
	sp := &s.span
	s.begin(f.name, start)
	data := sp.Data
	plain := false // the last row of the map is of bytes as they are
	unicode := false
	i := start
	last = at
	for i < len(src) {
		c := src[i]
		if c == f.mark {
			if e := f.escape(src, i); e.n > 0 {
				n := len(data)
				switch e.kind {
				case aBreak:
				case aByte:
					data = append(data, byte(e.r))
				default:
					data = utf8.AppendRune(data, e.r)
				}
				if len(data) > n {
					sp.row(n, i, len(data)-n, e.n, 0)
				}
				plain = false
				unicode = unicode || e.kind == aUnicode
				i += e.n
				last = max(last, i)
				continue
			}
		}
		if c == '\n' || i-last >= reach && i >= until {
			break
		}
		if !plain {
			sp.plain(len(data), i)
			plain = true
		}
		data = append(data, c)
		i++
	}
	sp.Data = data
	sp.End = i
	if unicode && f == &backslash {
		sp.Encoding = UnicodeEscape
	}
	s.work += i - start
	s.emit()
	return i, last
}

// beginsPEM reports whether src[:at] ends with the first line of a PEM block.
func beginsPEM(src []byte, at int) bool {
	head := src[max(0, at-80):at] // the longest label in use has 34 characters
	return bytes.HasSuffix(head, []byte("-----")) && bytes.Contains(head, []byte("-----BEGIN "))
}

// endOfPEM returns where the next last line of a PEM block behind at begins, or
// at if the line holds none.
func (s *scan) endOfPEM(at int) int {
	if at >= s.pemUntil {
		// Each byte is searched once: a mark found, or a line end, holds for
		// every block that begins before it.
		line := s.src[at:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i]
		}
		s.work += len(line)
		s.pemUntil, s.pemEnd = at+len(line)+1, at
		if i := bytes.Index(line, []byte("-----END ")); i >= 0 {
			s.pemUntil, s.pemEnd = at+i, at+i
		}
	}
	return max(at, s.pemEnd)
}

// hexValue returns the number that the hex digits p are, and false if they are
// not all such.
func hexValue(p []byte) (v rune, ok bool) {
	for _, c := range p {
		if class[c]&isDigit16 == 0 {
			return 0, false
		}
		v = v<<4 | rune(value16[c])
	}
	return v, len(p) > 0
}

// hexAt returns the number that the n hex digits at src[i] are.
func hexAt(src []byte, i, n int) (v rune, ok bool) {
	if i+n > len(src) {
		return 0, false
	}
	return hexValue(src[i : i+n])
}

// backslashEscape decodes the escapes of C, Java, JavaScript, JSON, Python, Go,
// Rust and Swift.
func backslashEscape(src []byte, i int) escape {
	if i+1 >= len(src) {
		return escape{}
	}
	switch c := src[i+1]; c {
	case '\\', '"', '\'', '/':
		return escape{2, rune(c), aSign}
	case 'n':
		return escape{2, '\n', aSign}
	case 'r':
		return escape{2, '\r', aSign}
	case 't':
		return escape{2, '\t', aSign}
	case 'x':
		if v, ok := hexAt(src, i+2, 2); ok {
			return escape{4, v, aByte}
		}
	case 'u':
		if i+2 < len(src) && src[i+2] == '{' {
			p := src[i+3 : min(len(src), i+3+9)]
			j := bytes.IndexByte(p, '}')
			if j < 0 {
				return escape{}
			}
			if v, ok := hexValue(p[:j]); ok && v >= 0 {
				return escape{j + 4, v, aUnicode}
			}
			return escape{}
		}
		return utf16Escape(src, i, 2, `\u`)
	case 'U':
		if v, ok := hexAt(src, i+2, 8); ok && v >= 0 {
			return escape{10, v, aUnicode}
		}
	case '0', '1', '2', '3':
		if i+3 < len(src) && src[i+2]&^7 == '0' && src[i+3]&^7 == '0' {
			return escape{4, rune(c&7)<<6 | rune(src[i+2]&7)<<3 | rune(src[i+3]&7), aByte}
		}
	}
	return escape{}
}

// utf16Escape decodes the four hex digits behind a prefix of n bytes, and the
// second half of a surrogate pair.
func utf16Escape(src []byte, i, n int, prefix string) escape {
	v, ok := hexAt(src, i+n, 4)
	if !ok {
		return escape{}
	}
	if utf16.IsSurrogate(v) && i+2*n+8 <= len(src) && string(src[i+n+4:i+2*n+4]) == prefix {
		if w, ok := hexAt(src, i+2*n+4, 4); ok {
			if r := utf16.DecodeRune(v, w); r != utf8.RuneError {
				return escape{2*n + 8, r, aUnicode}
			}
		}
	}
	return escape{n + 4, v, aUnicode}
}

// backslashWanted leaves out the escapes that source text is full of: of \n and
// its like only those that make one line of a PEM block, of \" only those in
// JSON within a string, of \/ only those within a word.
func backslashWanted(src []byte, i int, e escape) bool {
	if e.kind != aSign {
		return true
	}
	switch e.r {
	case '\\':
		if in := backslashEscape(src, i+1); in.kind != aSign && in.n > 0 && in.text() {
			return true // once escaped more
		}
		fallthrough
	case '\n', '\r':
		return i >= 5 && src[i-1] == '-' && beginsPEM(src, i)
	case '"':
		rest := bytes.TrimLeft(src[i+2:min(len(src), i+4)], " ")
		return len(rest) > 0 && rest[0] == ':'
	case '/':
		return i > 0 && class[src[i-1]]&isWord != 0 && i+2 < len(src) && class[src[i+2]]&(isDigit64|isWord) != 0
	}
	return false
}

func percentEscape(src []byte, i int) escape {
	if v, ok := hexAt(src, i+1, 2); ok {
		return escape{3, v, aByte}
	}
	if i+1 < len(src) && src[i+1] == 'u' {
		return utf16Escape(src, i, 2, "%u")
	}
	return escape{}
}

// percentWanted leaves out what is more likely a verb of printf, such as %2d or
// %4f, unless it is glued to a word.
func percentWanted(src []byte, i int, e escape) bool {
	if e.n != 3 || src[i+1] > '9' || src[i+2] < 'a' {
		return true
	}
	const glue = isDigit64
	return i > 0 && class[src[i-1]]&glue != 0 || i+3 < len(src) && class[src[i+3]]&glue != 0
}

// entities are the named entities of signs that a key, or what is around it, may
// hold.
var entities = [...]struct {
	name string
	r    rune
}{
	{"amp;", '&'}, {"quot;", '"'}, {"apos;", '\''}, {"lt;", '<'}, {"gt;", '>'}, {"nbsp;", ' '}, {"equals;", '='},
	{"colon;", ':'}, {"sol;", '/'}, {"plus;", '+'}, {"lowbar;", '_'}, {"hyphen;", '-'}, {"period;", '.'}, {"num;", '#'},
	{"commat;", '@'}, {"excl;", '!'}, {"dollar;", '$'}, {"percnt;", '%'}, {"ast;", '*'}, {"NewLine;", '\n'},
}

// entityStarts returns what an entity may begin with.
func entityStarts() string {
	s := "#"
	for _, e := range entities {
		s += e.name[:1]
	}
	return s
}

func entityEscape(src []byte, i int) escape {
	rest := src[i+1 : min(len(src), i+1+10)]
	if len(rest) < 3 {
		return escape{}
	}
	if rest[0] != '#' {
		for k := range entities {
			if n := len(entities[k].name); rest[0] == entities[k].name[0] && len(rest) >= n && string(rest[:n]) == entities[k].name {
				return escape{1 + n, entities[k].r, aRune}
			}
		}
		return escape{}
	}
	j, v, digits := 1, rune(0), 0
	if rest[1]|0x20 == 'x' {
		for j = 2; j < len(rest) && class[rest[j]]&isDigit16 != 0; j++ {
			v = v<<4 | rune(value16[rest[j]])
			digits++
		}
	} else {
		for ; j < len(rest) && rest[j]-'0' <= 9; j++ {
			v = v*10 + rune(rest[j]-'0')
			digits++
		}
	}
	if digits == 0 || v < 0 || v > utf8.MaxRune {
		return escape{}
	}
	n := 1 + j
	if j < len(rest) && rest[j] == ';' {
		n++
	}
	return escape{n, v, aRune}
}

// entityWanted leaves out the brackets and spaces that every page has.
func entityWanted(src []byte, i int, e escape) bool {
	return src[i+1] == '#' || e.r != '<' && e.r != '>' && e.r != ' '
}

// quotedPrintable decodes quoted-printable in a file with an encoded equals sign,
// which is hardly ever missing where there is an assignment or URL. Without that
// sign of it a line that ends in = and a byte such as =20 are ordinary text.
func (s *scan) quotedPrintable() {
	if s.isQuotedPrintable() {
		s.family(&quoted)
	}
}

// isQuotedPrintable looks for D, which is rarer in source text than the equals
// sign.
func (s *scan) isQuotedPrintable() bool {
	src := s.src
	for i := 0; ; i++ {
		j := bytes.IndexByte(src[i:], 'D')
		if j < 0 {
			return false
		}
		if i += j; i >= 2 && src[i-1] == '3' && src[i-2] == '=' {
			return true
		}
	}
}

func quotedEscape(src []byte, i int) escape {
	if v, ok := hexAt(src, i+1, 2); ok {
		return escape{3, v, aByte}
	}
	switch rest := src[i+1:]; {
	case len(rest) > 0 && rest[0] == '\n':
		return escape{2, 0, aBreak}
	case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
		return escape{3, 0, aBreak}
	}
	return escape{}
}

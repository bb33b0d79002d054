package decode

import (
	"encoding/binary"
	"math/bits"
)

const (
	// minRun is the least number of digits (padding included) of a run that is
	// looked at: base64 of a password of seven characters. Shorter runs are
	// words. In 90 MB of Go 8 spans of less than 16 digits are yielded.
	minRun    = 12
	minDigits = minRun - 2

	// short64 is the number of digits below which all of a run must be text.
	short64 = 24

	// minHex and minBase32 are the least digits of a run of that kind: 16 and 20
	// bytes, under which there is no key worth the false alarms (every MD5 has 32
	// hex digits).
	minHex    = 32
	minBase32 = 32

	// minWrap is the least length of a line that may be continued on the next
	// one. Encoders wrap at 60, 64, 70, 72 or 76 columns; a data block in YAML
	// or XML is cut down to less by hand at times.
	minWrap = 32

	// maxIndent is the most blanks a continued line may begin with. It also
	// keeps the length of a unit over a line break inside a uint16.
	maxIndent = 256

	// contextAfter is how much of the line after a run is context (see
	// Options.Context): enough for a closing quote and what ends a statement.
	contextAfter = 8
)

// Classes of bytes.
const (
	isText    = 1 << iota // printable ASCII, blank, tab, newline
	isWord                // printable ASCII, no blank
	isDigit64             // a base64 digit of either alphabet
	isDigit16             // a hex digit
	isDigit32             // a base32 digit
	isBlank               // space, tab
	isCloser              // may stand behind a run
)

const (
	digits64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	digits32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	digits16 = "0123456789abcdef"
)

var (
	value64 = values(digits64, "+-", "/_") // both alphabets
	value32 = values(digits32)
	value16 = values(digits16, "aA", "bB", "cC", "dD", "eE", "fF")
	class   = classes()
)

// values returns the value of each digit; each same is a pair of digits of one
// value.
func values(digits string, same ...string) (v [256]uint8) {
	for i := range len(digits) {
		v[digits[i]] = uint8(i)
	}
	for _, p := range same {
		v[p[1]] = v[p[0]]
	}
	return v
}

func classes() (v [256]uint8) {
	set := func(bits uint8, chars string) {
		for i := range len(chars) {
			v[chars[i]] |= bits
		}
	}
	for c := '!'; c <= '~'; c++ {
		v[c] = isText | isWord
	}
	set(isText, " \t\n\r")
	set(isBlank, " \t")
	set(isCloser, "=\"'`<)]},;")
	set(isDigit64, digits64+"-_")
	set(isDigit32, digits32)
	set(isDigit16, digits16+"ABCDEF")
	return v
}

const (
	low  = 0x0101010101010101
	high = 0x8080808080808080
)

// runs finds the runs of base64 digits, of which those of hex and base32 are a
// part, and decodes them as what they are.
//
// Most of the work is to see that there is none. Of each 64 bytes a mask is
// made with a bit for every byte that may be in a run; four shifts leave a bit
// in it at the end of each minRun such bytes in a row, also over the border of
// two blocks. What passes is one stretch in a hundred bytes of source text, and
// is then looked at byte by byte (candidate).
//
// Measured on Go's source tree (128 MB, one core of an EPYC; the masks alone): as
// it is 15 ms; eight bytes at a time with the place of the last byte that is out,
// 50 ms; testing every minDigits-th byte through a table and going back, 80 ms
// (the branches cannot be predicted); the exact class by arithmetic, 78 ms. No
// gain: candidate inlined, its loop over signs by arithmetic. With minRun 16 the
// whole of Each takes a tenth less.
//
// The commas of the block come with its mask, and lead to lists of bytes.
func (s *scan) runs() {
	src := s.src
	if len(src) < minRun {
		return
	}
	var one, two, four uint64 // 1, 2 and 4 in a row, of the block before
	commas := 0               // in the block before
	var rest [64]byte
	for i := 0; i < len(src); i += 64 {
		p := rest[:]
		if i+64 <= len(src) {
			p = src[i : i+64 : i+64]
		} else {
			clear(rest[copy(rest[:], src[i:]):])
		}
		m0, c0 := eight(p[0:8])
		m1, c1 := eight(p[8:16])
		m2, c2 := eight(p[16:24])
		m3, c3 := eight(p[24:32])
		m4, c4 := eight(p[32:40])
		m5, c5 := eight(p[40:48])
		m6, c6 := eight(p[48:56])
		m7, c7 := eight(p[56:64])
		m := m0 | m1<<8 | m2<<16 | m3<<24 | m4<<32 | m5<<40 | m6<<48 | m7<<56
		c := c0 | c1<<8 | c2<<16 | c3<<24 | c4<<32 | c5<<40 | c6<<48 | c7<<56
		n := bits.OnesCount64(c)
		if n+commas >= leastDense {
			s.commas(i, c)
		}
		commas = n
		in2 := m & (m<<1 | one>>63)
		in4 := in2 & (in2<<2 | two>>62)
		in12 := in4 & (in4<<4 | four>>60) & (in4<<8 | four>>56)
		one, two, four = m, in2, in4
		for e := in12 &^ (in12 << 1); e != 0; e &= e - 1 {
			s.candidate(i, m, bits.TrailingZeros64(e))
		}
	}
}

// eight returns a bit for each of the eight bytes of p that may be in a run, and
// one for each that is a comma. What is below '0', underlines and what is above
// 0x7f is in no run; letters, decimal digits and = may be, and so may a few signs
// that are cheaper to leave in.
//
// The digits + - / and _ are out, which spares the words of snake_case,
// kebab-case and paths. Digits 62 and 63 stand for bytes that end in six bits of
// 62 or 63; of ASCII these are > and ~, ? and DEL. Text has hardly any, and a
// run of other bytes is long and has twelve digits in a row without one.
//
// No byte borrows from its neighbour, so that the answer does not hang on where
// in the source a byte stands.
func eight(p []byte) (in, commas uint64) {
	const gather = 0x0002040810204081
	w := binary.LittleEndian.Uint64(p)
	t := w | high
	in = (t - low*'0') & ((t ^ low*'_') - low) &^ w & high
	commas = ^((t ^ low*',') - low) &^ w & high
	return in >> 7 * (gather << 7) >> 56, commas >> 7 * (gather << 7) >> 56
}

// candidate looks for runs in the stretch of bytes in the mask m of src[i:i+64]
// of which src[i+k] is the minRun-th.
func (s *scan) candidate(i int, m uint64, k int) {
	src := s.src
	b := min(i+64, len(src))
	if out := ^m >> k; out != 0 {
		b = i + k + bits.TrailingZeros64(out)
	}
	a := i + k - minRun + 1
	if a < s.done {
		if b <= s.done {
			return
		}
		a = s.done
	}
	if n := b - a; n >= minRun && n < short64 && b < len(src) && a > 0 && class[src[b]]&isDigit64 == 0 && class[src[a-1]]&isDigit64 == 0 &&
		src[a-1] != '\\' && !unit64(src[a:]) {
		// A word, unless a sign parts it from a run. Nine in ten end here.
		all := uint8(isDigit64)
		for _, c := range src[a : b-minDigits] {
			all &= class[c]
		}
		if all != 0 {
			s.done = b
			return
		}
	}
	for a > s.done && class[src[a-1]]&isDigit64 != 0 {
		a--
	}
	for {
		end := a
		for end < len(src) && class[src[end]]&isDigit64 != 0 {
			end++
		}
		if n := end - a; n >= short64 || n >= minDigits && (unit64(src[a:]) || a > 0 && src[a-1] == '\\') {
			s.work += n
			end = s.run(a, end)
		}
		s.done = end
		if a = end + 1; a > b-minDigits {
			return
		}
	}
}

// run decodes the run of digits src[a:b], and the lines it is continued on, as
// hex, base64 or base32. It returns where it ends.
func (s *scan) run(a, b int) (end int) {
	if a > 0 && s.src[a-1] == '\\' && (s.src[a] == 'n' || s.src[a] == 'r' || s.src[a] == 't') {
		a++ // the letter belongs to an escape
	}
	s.lines = append(s.lines[:0], line{0, a})
	digits, end := s.src[a:b], b
	if b-a >= minWrap && b < len(s.src) && (s.src[b] == '\n' || s.src[b] == '\r') {
		if end = s.join(a, b); end > b {
			digits = s.flat
		}
	}
	pads := pads(s.src, end)
	n := len(digits)
	if n < minHex {
		if n+pads >= minRun {
			s.short(digits, pads)
		}
		if n < short64 {
			return end
		}
	}
	if s.decodeDigits(digits, pads) || len(s.lines) == 1 || s.lines[1].flat%4 == 0 {
		return end
	}
	// Lines that end within a unit, and no one text: each is one of its own.
	all := s.lines
	for k := range all {
		stop := n
		if k+1 < len(all) {
			stop = all[k+1].flat
		}
		s.one[0] = line{0, all[k].src}
		s.lines = s.one[:]
		if own := digits[all[k].flat:stop]; len(own) >= short64 {
			s.decodeDigits(own, 0)
		} else if len(own) >= minRun {
			s.short(own, 0)
		}
	}
	s.lines = all
	return end
}

// decodeDigits decodes a run, which s.lines maps, as what it is, and reports
// whether all of it is one text.
func (s *scan) decodeDigits(digits []byte, pads int) (all bool) {
	for lo, hi := s.stretch(digits, 0, isDigit16, minHex); lo >= 0; lo, hi = s.stretch(digits, hi, isDigit16, minHex) {
		if all, _ := s.decodeRun(&codec16, digits, lo, hi, 0); all && hi-lo == len(digits) {
			return true
		}
	}
	c := &codec64
	if len(digits) > long64 {
		c = &codec64long
	}
	if all, found := s.decodeRun(c, digits, 0, len(digits), pads); found {
		return all
	}
	for lo, hi := s.stretch(digits, 0, isDigit32, minBase32); lo >= 0; lo, hi = s.stretch(digits, hi, isDigit32, minBase32) {
		s.decodeRun(&codec32, digits, lo, hi, pads)
	}
	return false
}

// short decodes a run that is too short for a stretch of text to tell it from a
// word: it must be base64 of text from its first digit to its last.
func (s *scan) short(digits []byte, pads int) {
	n := len(digits)
	if n >= short64 || n%4 == 1 || pads > 0 && (n+pads)%4 != 0 {
		return
	}
	var buf [short64]byte
	for _, c := range decode64(buf[:0], digits) {
		if class[c]&isText == 0 {
			return
		}
	}
	s.window(&codec64, digits, 0, n, pads, true)
}

// stretch returns the first stretch of at least least bytes of the class in
// p[from:], or -1.
func (s *scan) stretch(p []byte, from int, bits uint8, least int) (lo, hi int) {
	lo = from
	for lo+least <= len(p) {
		at := lo + least - 1
		for at >= lo && class[p[at]]&bits != 0 {
			at--
		}
		s.work += lo + least - at
		if at >= lo {
			lo = at + 1
			continue
		}
		hi = lo + least
		for hi < len(p) && class[p[hi]]&bits != 0 {
			hi++
		}
		s.work += hi - lo
		return lo, hi
	}
	return -1, len(p)
}

// join puts the run src[a:b], which ends its line, and the lines that go on with
// it together in s.flat, and returns where the last of them ends. Lines are of
// equal length, but for the first, which may stand behind a name, and the last.
// It returns b if the run is not continued.
func (s *scan) join(a, b int) (end int) {
	src := s.src
	width := b - a
	named := false
	for i := a - 1; i >= 0 && src[i] != '\n'; i-- {
		if class[src[i]]&isBlank == 0 {
			named = true
			break
		}
	}
	end = b
	for {
		i := end
		if i < len(src) && src[i] == '\r' {
			i++
		}
		if i >= len(src) || src[i] != '\n' {
			return end
		}
		i++
		for margin := i + maxIndent; i < len(src) && i < margin && class[src[i]]&isBlank != 0; {
			i++
		}
		j := i
		for j < len(src) && class[src[j]]&isDigit64 != 0 {
			j++
		}
		s.work += j - end
		whole := j == len(src) || src[j] == '\n' || src[j] == '\r'
		if j-i > width && named && end == b && whole {
			width = j - i
		}
		if j == i || j-i > width {
			return end
		}
		if end == b {
			s.flat = append(s.flat[:0], src[a:b]...)
		}
		last := j-i < width || !whole
		if last && (!whole && class[src[j]]&isCloser == 0 && j-i < minRun || !s.isLast(src[i:j], pads(src, j))) {
			return end
		}
		s.lines = append(s.lines, line{len(s.flat), i})
		s.flat = append(s.flat, src[i:j]...)
		if end = j; last {
			return end
		}
	}
}

// MayGoOn reports whether what ends a line with the text given may go on with
// the line that follows: it ends in as many digits as a wrapped run has to a line
// (or has nothing else, so that more of them may stand before it).
func MayGoOn(text []byte) bool {
	i := len(text)
	for i > 0 && class[text[i-1]]&isDigit64 != 0 {
		if i--; len(text)-i >= minWrap {
			return true
		}
	}
	return i == 0
}

// isLast reports whether digits, with so many pads behind them, are the end of
// what stands in s.flat, rather than a word at the start of the next line: who
// wraps lines also pads, and does not go from text over to other bytes there.
func (s *scan) isLast(digits []byte, pads int) bool {
	n := len(s.flat)
	if lo, _ := s.stretch(s.flat[n-minWrap:], 0, isDigit16, minWrap); lo >= 0 && len(digits)%2 == 0 {
		if lo, _ := s.stretch(digits, 0, isDigit16, len(digits)); lo >= 0 {
			return true
		}
	}
	if (n+len(digits)+pads)%4 != 0 {
		return false
	}
	if pads > 0 {
		return true
	}
	if n%4 != 0 {
		return len(s.lines) > 1
	}
	if !unit64(s.flat[n-4:]) {
		return true
	}
	for ; len(digits) >= 4; digits = digits[4:] {
		if !unit64(digits) {
			return false
		}
	}
	return true
}

// pads returns the number of padding characters at src[i].
func pads(src []byte, i int) (n int) {
	for n < 6 && i+n < len(src) && src[i+n] == '=' {
		n++
	}
	return n
}

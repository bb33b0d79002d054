package decode

import (
	"bytes"
	"unicode/utf8"
)

// codec is an encoding of fixed units: su digits give du bytes.
type codec struct {
	name   string
	su, du int

	// least is the number of units in a row that must all be text for a run to
	// be worth decoding. A random byte is text with a probability of 0.38, so a
	// random run of n digits passes by chance about n × 0.38^(least×du) times:
	// 15 bytes 5e-7, 18 bytes 3e-8, 20 bytes 4e-9.
	least int

	// unit decodes p[:su] and reports whether all of it is text.
	unit func(p []byte) bool
	// decode appends what the digits of p stand for; what is left over after
	// the last whole unit gives as many bytes as it has bits for.
	decode func(dst, p []byte) []byte
}

var (
	codec64     = codec{Base64, 4, 3, 5, unit64, decode64}
	codec64long = codec{Base64, 4, 3, 6, unit64, decode64} // for runs of more than long64 digits
	codec32     = codec{Base32, 8, 5, 4, unit32, decode32}
	codec16     = codec{Hex, 2, 1, 16, unit16, decode16}
)

const (
	// long64 parts the runs that are held to 15 bytes of text (a key of 16
	// characters in any phase) from those held to 18, lest a megabyte of an image
	// pass by chance.
	long64 = 400

	// margin is how many units around a readable stretch are decoded with it:
	// the tag and length before a string in a binary.
	margin = 8

	// glue is how many digits may stand between a name and the run it is given as
	// context: the 0x of a number, a sign.
	glue = 4

	// bridge is how many unreadable units may lie between two readable stretches
	// that are yielded as one.
	bridge = 64
)

func unit64(p []byte) bool {
	_ = p[3]
	v := uint(value64[p[0]])<<18 | uint(value64[p[1]])<<12 | uint(value64[p[2]])<<6 | uint(value64[p[3]])
	return class[v>>16&0xff]&class[v>>8&0xff]&class[v&0xff]&isText != 0
}

func unit16(p []byte) bool {
	return class[value16[p[0]]<<4|value16[p[1]]]&isText != 0
}

func unit32(p []byte) bool {
	var v uint64
	for _, c := range p[:8] {
		v = v<<5 | uint64(value32[c])
	}
	return class[v>>32&0xff]&class[v>>24&0xff]&class[v>>16&0xff]&class[v>>8&0xff]&class[v&0xff]&isText != 0
}

func decode64(dst, p []byte) []byte {
	for ; len(p) >= 4; p = p[4:] {
		v := uint(value64[p[0]])<<18 | uint(value64[p[1]])<<12 | uint(value64[p[2]])<<6 | uint(value64[p[3]])
		dst = append(dst, byte(v>>16), byte(v>>8), byte(v))
	}
	switch len(p) {
	case 3:
		v := uint(value64[p[0]])<<12 | uint(value64[p[1]])<<6 | uint(value64[p[2]])
		dst = append(dst, byte(v>>10), byte(v>>2))
	case 2:
		dst = append(dst, value64[p[0]]<<2|value64[p[1]]>>4)
	}
	return dst
}

func decode16(dst, p []byte) []byte {
	for ; len(p) >= 2; p = p[2:] {
		dst = append(dst, value16[p[0]]<<4|value16[p[1]])
	}
	return dst
}

func decode32(dst, p []byte) []byte {
	for len(p) > 0 {
		n := min(len(p), 8)
		var v uint64
		for _, c := range p[:n] {
			v = v<<5 | uint64(value32[c])
		}
		v <<= 5 * (8 - n)
		for i := range n * 5 / 8 {
			dst = append(dst, byte(v>>(32-8*i)))
		}
		p = p[n:]
	}
	return dst
}

// find returns where the first stretch of c.least units of text begins in p,
// among the places that are a multiple of su from the start, or -1. It tests a
// stretch from its end, and skips to behind the first unit that is not text, so
// of random digits it looks at one unit in least. No unit is tested more than
// twice.
func (s *scan) find(c *codec, p []byte) int {
	i := 0
	if c.su == 4 { // the same, with the function inlined: a third of the time
		for i+4*c.least <= len(p) {
			k := c.least - 1
			for k >= 0 && unit64(p[i+4*k:]) {
				k--
			}
			s.work += c.least - k
			if k < 0 {
				return i
			}
			i += 4 * (k + 1)
		}
		return -1
	}
next:
	for i+c.least*c.su <= len(p) {
		for k := c.least - 1; k >= 0; k-- {
			if !c.unit(p[i+k*c.su:]) {
				s.work += c.least - k
				i += (k + 1) * c.su
				continue next
			}
		}
		s.work += c.least
		return i
	}
	return -1
}

// decodeRun yields what digits[lo:hi] decodes to, if it may hold text. digits is
// a run as s.lines maps it, hi its end or that of a stretch of it. all reports
// that one span held all of the digits.
func (s *scan) decodeRun(c *codec, digits []byte, lo, hi, pads int) (all, found bool) {
	if mayStart(c.decode(s.head[:0], digits[lo:lo+c.su])) {
		n := len(s.head) / c.du * c.su
		head := c.decode(s.head[:0], digits[lo:min(hi, lo+n)])
		s.work += len(head)
		if what := startOf(head, hi-lo > n); what != asNothing {
			s.window(c, digits, lo, hi, pads, what == asText && lo <= glue)
			return true, true
		}
	}
	for phase := range c.su {
		whole, any := s.windows(c, digits, lo+phase, hi, pads)
		found = found || any
		if whole {
			return true, true // text in this phase, hence in no other
		}
	}
	return false, found
}

// windows yields the readable stretches of digits[lo:hi], taken as units that
// begin at lo. A run may be in any phase: digits may be glued to a name or path
// of other digits, so that the first of them begins no unit. all reports that
// one window held all of the digits.
func (s *scan) windows(c *codec, digits []byte, lo, hi, pads int) (all, found bool) {
	p := digits[lo:hi]
	last := len(p) / c.su * c.su
	for at := 0; at < last; {
		i := s.find(c, p[at:])
		if i < 0 {
			break
		}
		text := at + i
		end := text + c.least*c.su
		for {
			for end < last && c.unit(p[end:]) {
				end += c.su
			}
			j := s.find(c, p[end:min(last, end+(bridge+c.least)*c.su)])
			if j < 0 {
				break
			}
			end += j + c.least*c.su
		}
		s.work += (end - text) / c.su
		start := max(text-margin*c.su, at)
		if end += margin * c.su; end >= last {
			end = len(p)
		}
		s.window(c, digits, lo+start, lo+end, pads, lo+text <= glue)
		found = true
		all = start == 0 && end == len(p)
		at = end
	}
	return all, found
}

// window yields digits[i:j]; j is at the end of a unit or of the run. named asks
// for context.
//
// Lines of equal length may be one text that was wrapped, or each a text of its
// own whose last bytes happen to need no padding. What is text is yielded as
// both, lest two keys be taken for one.
func (s *scan) window(c *codec, digits []byte, i, j, pads int, named bool) {
	start, end := s.at(i), s.at(j-1)+1
	if j == len(digits) {
		end += pads
	}
	from, to := start, end
	if named && s.opt.Context > 0 {
		from, to = s.contextOf(&s.context, start, end)
	}
	size := (j-i)*c.du/c.su + start - from + to - end
	for _, apart := range [...]bool{false, true} {
		if apart {
			first, last := s.lineAt(i), s.lineAt(j-1)
			if first == last || !s.mayBeApart(c, digits[:j], i, s.lines[first+1].flat) {
				return
			}
			size += last - first
		}
		s.work += size
		if !s.fits(size) {
			continue
		}
		s.begin(c.name, from)
		s.span.End = to
		s.copy(from, start)
		s.decode(c, digits, i, j, end, apart)
		s.copy(end, to)
		s.emit()
	}
}

// mayBeApart reports whether the lines of digits[i:], the second of which begins
// at second, may be texts of their own: the first ends with a unit, and is text,
// like the second.
func (s *scan) mayBeApart(c *codec, digits []byte, i, second int) bool {
	return (second-i)%c.su == 0 && len(digits)-second >= c.su &&
		c.unit(digits[i:]) && c.unit(digits[second-c.su:]) && c.unit(digits[second:])
}

// copy appends src[i:j] to Data as it is.
func (s *scan) copy(i, j int) {
	if i < j {
		s.span.plain(len(s.span.Data), i)
		s.span.Data = append(s.span.Data, s.src[i:j]...)
	}
}

// contextOf widens [start, end) by what is to be shown of the line around it.
// No byte is context to more than one run that follows it, and to one list, which
// keeps the sum of all context within twice the length of the source; given is
// where what was context before ends.
func (s *scan) contextOf(given *int, start, end int) (from, to int) {
	from = max(start-s.opt.Context, *given, 0)
	from = min(from, start)
	if i := bytes.LastIndexByte(s.src[from:start], '\n'); i >= 0 {
		from += i + 1
	}
	to = min(end+min(contextAfter, s.opt.Context), len(s.src))
	if i := bytes.IndexByte(s.src[end:to], '\n'); i >= 0 {
		to = end + i
	}
	*given = end
	return from, to
}

// decode appends what digits[i:j] decodes to, which with its padding ends at
// source offset end, and maps it. apart puts the first byte of the line ends of
// the source between what its lines decode to.
func (s *scan) decode(c *codec, digits []byte, i, j, end int, apart bool) {
	sp := &s.span
	k := s.lineAt(i)
	for i < j {
		stop := j // where the line ends that digit i is on
		if k+1 < len(s.lines) {
			stop = min(j, s.lines[k+1].flat)
		}
		src := s.lines[k].src + i - s.lines[k].flat
		if n := (stop - i) / c.su * c.su; n > 0 {
			sp.row(len(sp.Data), src, c.du, c.su, 0)
			sp.Data = c.decode(sp.Data, digits[i:i+n])
			i += n
		}
		if i < stop {
			// One unit over a line break, or what is left at the end.
			stop = min(i+c.su, j)
			src, behind := s.at(i), s.at(stop-1)+1
			if stop == j {
				behind = end
			}
			n := (stop - i) * c.du / c.su
			if n > 0 {
				sp.row(len(sp.Data), src, n, behind-src, 0)
			}
			sp.Data = c.decode(sp.Data, digits[i:stop])
			i = stop
		}
		for k+1 < len(s.lines) && s.lines[k+1].flat <= i {
			if k++; apart && i < j {
				src := s.lines[k-1].src + s.lines[k].flat - s.lines[k-1].flat
				s.copy(src, src+1)
			}
		}
	}
}

// line is a line of a wrapped run: digits from offset flat on lie at source
// offset src.
type line struct{ flat, src int }

func (s *scan) lineAt(i int) int {
	lo, hi := 0, len(s.lines)
	for hi-lo > 1 {
		if m := int(uint(lo+hi) >> 1); s.lines[m].flat <= i {
			lo = m
		} else {
			hi = m
		}
	}
	return lo
}

// at returns the source offset of digit i of the run.
func (s *scan) at(i int) int {
	k := s.lineAt(i)
	return s.lines[k].src + i - s.lines[k].flat
}

// What a run begins with, see startOf.
const (
	asNothing = iota
	asBytes   // a compressed stream or text in UTF-16: to be yielded as it is
	asText    // UTF-8 with letters beyond ASCII
)

// startOf says what the bytes are the beginning of, if it is something to be
// yielded though it may have no stretch of ASCII. more says that they go on.
func startOf(head []byte, more bool) int {
	for _, magic := range [...]string{"\x1f\x8b\x08", "PK\x03\x04", "BZh", "\xfd7zXZ\x00", "\x28\xb5\x2f\xfd"} {
		if len(head) >= 12 && head[0] == magic[0] && string(head[:len(magic)]) == magic {
			return asBytes
		}
	}
	switch {
	case len(head) < 6:
		return asNothing
	case wideOf(head).size != 0:
		return asBytes
	case isUTF8(head, more):
		return asText
	}
	return asNothing
}

// mayStart is a quick test of the first bytes for startOf.
func mayStart(b []byte) bool {
	if len(b) < 3 {
		return true
	}
	c := b[0]
	switch {
	case c == 0, b[1] == 0, c == 0x1f, c == 0xfd, c >= 0xfe:
		return true
	case c < utf8.RuneSelf:
		return class[c]&isText != 0 && (class[b[1]]&isText != 0 && (class[b[2]]&isText != 0 || b[2] >= 0xc2) || b[1] >= 0xc2) ||
			string(b[:2]) == "PK" || c == 0x28 && b[1] == 0xb5
	}
	return c >= 0xc2 && b[1]&^0x3f == 0x80
}

// isUTF8 reports whether b is text in UTF-8 with letters beyond ASCII; more
// says that its last character may be cut off.
func isUTF8(b []byte, more bool) bool {
	beyond := false
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			if class[b[i]]&isText == 0 {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return more && beyond && !utf8.FullRune(b[i:])
		}
		beyond = true
		i += n
	}
	return beyond
}

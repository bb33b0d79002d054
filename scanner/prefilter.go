package scanner

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// prefilter finds every place where one of many keywords stands, in one pass,
// ignoring the case of ASCII letters.
//
// # How
//
// Four bytes of text, with bit 5 of each set so that letters fold, are hashed
// into a bitmap of all four-byte windows that keywords have. Only every second
// position is looked at: each keyword enters the bitmap with two neighbouring
// windows, so one of them falls on an even position wherever the keyword
// stands. There is no per-byte state, so eight bytes are loaded at once and
// three windows tested with one branch.
//
// With thousands of keywords four bytes are found in one of ten places of
// ordinary text, so a set bit leads to a second, smaller bitmap: keywords of
// longKeyword bytes and more must also have the six bytes that begin there. Only
// then tables are searched and the keyword is compared.
//
// A keyword of three bytes enters with all possible neighbours on either side,
// one of four bytes with its own window and those of its successors; their
// entries are looked up by three bytes.
type prefilter struct {
	bitmap   [1 << (gramBits - 6)]uint64
	second   [1 << (secondBits - 6)]uint64
	long     gramTable // windows of six bytes of long keywords
	four     gramTable // windows of four bytes of the others
	low      gramTable // the first three bytes of a window
	high     gramTable // the last three
	keywords []string  // lower case
	longest  int       // of the keywords
}

const (
	// gramBits is the size of the bitmap: 2^21 bits are 256 KiB, which stays in a
	// core's L2 cache.
	gramBits = 21
	// secondBits is the size of the second bitmap: 2^18 bits are 32 KiB, a core's
	// first-level cache. Windows of all four tables are in it, and next to nothing
	// passes that has no gram.
	secondBits = 18
	// longKeyword is the least length of a keyword that holds two windows of six
	// bytes.
	longKeyword = 7
)

// gramTable is a hash table of windows of keywords. A slot is a gram, 0 = free;
// what is taken goes to the next one. It is made at each start of till, so that
// memory counts: a page that is touched for the first time costs as much as
// hundreds of keywords.
type gramTable struct {
	slots []gram
	shift uint
}

// gram is one window of one keyword: the window (folded, little endian; of six
// bytes a hash), the number of the keyword plus one, where in the keyword the
// window begins plus one, and whether the keyword is one letter many times. Such
// a one is reported at the start of a run of that letter only, not at every place
// in it.
type gram uint64

const (
	gramWindow  = 32 // shifts
	gramKeyword = 12
	gramAt      = 1
	gramUniform = 1

	maxKeywords   = 1<<20 - 1
	maxKeywordLen = 1 << 10
)

// newGramTable makes room for n grams.
func newGramTable(n int) gramTable {
	slots := 1 << bits.Len(uint(3*n/2+1))
	return gramTable{slots: make([]gram, slots), shift: uint(32 - bits.Len(uint(slots-1)))}
}

func (t *gramTable) slot(window uint32) int { return int(window * 0x85EBCA6B >> t.shift) }

// add notes that the keyword of number k has the window at at.
func (t *gramTable) add(kw string, k, at int, window uint32) {
	g := gram(window)<<gramWindow | gram(k+1)<<gramKeyword | gram(at+1)<<gramAt
	if kw[0] == kw[len(kw)-1] && strings.Count(kw, kw[:1]) == len(kw) {
		g |= gramUniform
	}
	i := t.slot(window)
	for t.slots[i] != 0 {
		i = (i + 1) & (len(t.slots) - 1)
	}
	t.slots[i] = g
}

const foldMask = 0x20202020

func hashGram(w uint32) uint32 { return w * 0x9E3779B1 >> (32 - gramBits) }

// hashSix makes of the first six bytes of a folded word one of four.
func hashSix(w uint64) uint32 { return uint32(w << 16 * 0x9E3779B97F4A7C15 >> 32) }

// newPrefilter builds the filter for keywords of at least three bytes each,
// all lower case.
func newPrefilter(keywords []string) *prefilter {
	p := &prefilter{keywords: keywords}
	var count [longKeyword + 1]int
	for _, kw := range keywords {
		count[min(len(kw), longKeyword)]++
	}
	p.long = newGramTable(2 * count[longKeyword])
	p.four = newGramTable(2*(count[6]+count[5]) + count[4])
	p.low = newGramTable(count[4] + count[3])
	p.high = newGramTable(count[3])
	for k, kw := range keywords {
		p.longest = max(p.longest, len(kw))
		switch {
		case len(kw) >= longKeyword:
			at := rarest(kw, 7)
			p.addLong(k, at)
			p.addLong(k, at+1)
		case len(kw) >= 5:
			at := rarest(kw, 5)
			p.addFour(k, at)
			p.addFour(k, at+1)
		case len(kw) == 4:
			p.addFour(k, 0)
			p.addShort(&p.low, k, 1, windowOf3(kw[1:]), 0)
		case len(kw) == 3:
			p.addShort(&p.low, k, 0, windowOf3(kw), 0)
			p.addShort(&p.high, k, -1, windowOf3(kw), 8)
		}
	}
	return p
}

func windowOf(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

func windowOf3(s string) uint32 { return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 }

func (p *prefilter) addFour(k, at int) {
	kw := p.keywords[k]
	w := windowOf(kw[at:]) | foldMask
	p.four.add(kw, k, at, w)
	p.mark(w)
	p.markSecond(w * factorFour)
}

func (p *prefilter) addLong(k, at int) {
	kw := p.keywords[k]
	w := windowOf(kw[at:]) | foldMask
	six := hashSix(uint64(w) | (uint64(kw[at+4])|uint64(kw[at+5])<<8|foldMask&0xFFFF)<<32)
	p.long.add(kw, k, at, six)
	p.mark(w)
	p.markSecond(six)
}

func (p *prefilter) mark(w uint32) {
	h := hashGram(w)
	p.bitmap[h>>6] |= 1 << (h & 63)
}

// Factors that hash the windows of the tables into the second bitmap.
const (
	factorFour = 0x9E3779B1
	factorLow  = 0x85EBCA77
	factorHigh = 0xC2B2AE3D
)

func (p *prefilter) markSecond(hash uint32) {
	h := hash >> (32 - secondBits)
	p.second[h>>6] |= 1 << (h & 63)
}

// inSecond returns 1 in the lowest bit if the second bitmap has the hash.
func (p *prefilter) inSecond(hash uint32) uint64 {
	h := hash >> (32 - secondBits)
	return p.second[h>>6&(1<<(secondBits-6)-1)] >> (h & 63)
}

// addShort adds three bytes, which stand shift bits up in the text's window,
// with every byte that can stand beside them.
func (p *prefilter) addShort(t *gramTable, k, at int, w uint32, shift uint) {
	w |= foldMask & 0xFFFFFF
	t.add(p.keywords[k], k, at, w)
	factor := uint32(factorLow)
	if t == &p.high {
		factor = factorHigh
	}
	p.markSecond(w * factor)
	free := 24 - 3*shift // the byte that is left: the fourth, or the first
	for b := uint32(0); b < 256; b++ {
		if b&0x20 != 0 {
			p.mark(w<<shift | b<<free)
		}
	}
}

// rarest picks where in a keyword its two windows of four bytes are taken: where
// the more common one is as rare as can be in source text. span is how many bytes
// the two cover with what else is asked of them.
func rarest(kw string, span int) int {
	best, at := -1, 0
	last := rarity(kw)
	for i := 0; i+span <= len(kw); i++ {
		next := rarity(kw[i+1:])
		if r := min(last, next); r > best {
			best, at = r, i
		}
		last = next
	}
	return at
}

// rarity estimates how rare the first four bytes of s are, from how rare each two
// in a row are.
func rarity(s string) int {
	a, b, c, d := signs[s[0]], signs[s[1]], signs[s[2]], signs[s[3]]
	return pairRarity(a, b) + 2*pairRarity(b, c) + pairRarity(c, d)
}

const nSigns = len(bigramSigns) + 1

func pairRarity(a, b uint8) int { return int(bigrams[int(a)*nSigns+int(b)]) }

// signs numbers the characters of bigrams.
var signs = func() (v [256]uint8) {
	for i := range v {
		v[i] = uint8(len(bigramSigns))
	}
	for i := range len(bigramSigns) {
		v[bigramSigns[i]] = uint8(i)
	}
	return v
}()

// hit is one keyword found at a place.
type hit struct {
	at      int
	keyword int
}

// find appends all hits in data to dst, in order of their window's position.
// A keyword is reported once for each place where it stands, one that is a
// single letter repeated (the start of some tokens) once for each run.
func (p *prefilter) find(data []byte, dst []hit) []hit {
	n := len(data)
	i := 0
	for ; i+10 <= n; i += 6 {
		w := binary.LittleEndian.Uint64(data[i:]) | foldMask<<32 | foldMask
		h0 := hashGram(uint32(w))
		h1 := hashGram(uint32(w >> 16))
		h2 := hashGram(uint32(w >> 32))
		b0 := p.bitmap[h0>>6&(1<<(gramBits-6)-1)] >> (h0 & 63)
		b1 := p.bitmap[h1>>6&(1<<(gramBits-6)-1)] >> (h1 & 63)
		b2 := p.bitmap[h2>>6&(1<<(gramBits-6)-1)] >> (h2 & 63)
		if (b0|b1|b2)&1 != 0 {
			if b0&1 != 0 {
				dst = p.check(data, i, uint32(w), dst)
			}
			if b1&1 != 0 {
				dst = p.check(data, i+2, uint32(w>>16), dst)
			}
			if b2&1 != 0 {
				dst = p.check(data, i+4, uint32(w>>32), dst)
			}
		}
	}
	// The tail: windows that reach past the end are padded with zero bytes,
	// and one step before the end keeps three-byte keywords at the very end.
	for ; i < n; i += 2 {
		var tail [4]byte
		copy(tail[:], data[i:])
		w := binary.LittleEndian.Uint32(tail[:]) | foldMask
		if h := hashGram(w); p.bitmap[h>>6]>>(h&63)&1 != 0 {
			dst = p.check(data, i, w, dst)
		}
	}
	return dst
}

// findIn appends the hits that begin in data[lo:hi].
func (p *prefilter) findIn(data []byte, lo, hi int, dst []hit) []hit {
	from := max(0, lo-1) // a uniform keyword looks at the byte before
	n := len(dst)
	dst = p.find(data[from:min(len(data), hi+p.longest)], dst)
	kept := dst[:n]
	for _, h := range dst[n:] {
		if h.at += from; h.at >= lo && h.at < hi {
			kept = append(kept, h)
		}
	}
	return kept
}

// check looks a window up and compares the keywords that have it.
func (p *prefilter) check(data []byte, i int, w uint32, dst []hit) []hit {
	var next uint16
	if i+6 <= len(data) {
		next = binary.LittleEndian.Uint16(data[i+4:])
	}
	six := hashSix(uint64(w) | uint64(next|foldMask&0xFFFF)<<32)
	// One branch for the four: two of three windows end here.
	long, four := p.inSecond(six), p.inSecond(w*factorFour)
	low, high := p.inSecond(w&0xFFFFFF*factorLow), p.inSecond(w>>8*factorHigh)
	if (long|four|low|high)&1 == 0 {
		return dst
	}
	if long&1 != 0 {
		dst = p.lookup(&p.long, data, i, six, dst)
	}
	if four&1 != 0 {
		dst = p.lookup(&p.four, data, i, w, dst)
	}
	if low&1 != 0 {
		dst = p.lookup(&p.low, data, i, w&0xFFFFFF, dst)
	}
	if high&1 != 0 {
		dst = p.lookup(&p.high, data, i, w>>8, dst)
	}
	return dst
}

func (p *prefilter) lookup(t *gramTable, data []byte, i int, w uint32, dst []hit) []hit {
	for k := t.slot(w); t.slots[k] != 0; k = (k + 1) & (len(t.slots) - 1) {
		g := t.slots[k]
		if uint32(g>>gramWindow) != w {
			continue
		}
		keyword := int(g>>gramKeyword&maxKeywords) - 1
		kw := p.keywords[keyword]
		at := i - (int(g>>gramAt&(maxKeywordLen-1)) - 1)
		if g&gramUniform != 0 && at > 0 && data[at-1]|0x20 == kw[0]|0x20 {
			continue
		}
		if at >= 0 && at+len(kw) <= len(data) && equalFold(data[at:at+len(kw)], kw) {
			dst = append(dst, hit{at, keyword})
		}
	}
	return dst
}

// equalFold compares with a lower-case string of the same length, ignoring the
// case of ASCII letters.
func equalFold(b []byte, lower string) bool {
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

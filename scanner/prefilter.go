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
// Four bytes of text, each without its highest bit and the one that tells a small
// letter from a large one (see foldByte), are hashed into a bitmap of all four-byte
// windows that keywords have. Only every second position is looked at: each keyword
// enters the bitmap with two windows, an even and an odd number of bytes from its start,
// so one of them falls on an even position wherever the keyword stands. A keyword of
// three bytes enters with all possible neighbours on either side, one of four bytes
// with its own window and, of three bytes and all their neighbours, the rarer side.
//
// With thousands of keywords a window is found in one of twenty places of ordinary
// text, half of them because another window has the same hash. A small bitmap over
// another hash takes most of those away. Then a second bitmap is asked for as much of
// each keyword as eight bytes tell (see probes): next to nothing passes but what is a
// keyword. Only then a table is searched and the keyword is compared.
type prefilter struct {
	bitmap   [1 << (gramBits - 6)]uint64
	check    [1 << (checkBits - 6)]uint64
	second   [1 << (secondBits - 6)]uint64
	grams    gramTable
	keywords []string // lower case
	farthest int      // from where a keyword begins to its windows

	printable bool // all keywords are printable ASCII
}

const (
	// gramBits is the size of the bitmap: 2^21 bits are 256 KiB, which stays in a
	// core's L2 cache.
	gramBits = 21
	// checkBits is the size of the bitmap over the other hash: 32 KiB.
	checkBits = 18
	// secondBits is the size of the second bitmap: 64 KiB. Each hash has two bits in
	// one word of it.
	secondBits = 19
	secondWord = 64 - (secondBits - 6) // shifts of a hash: the word and both bits
	secondBit  = secondWord - 6
	secondBit2 = secondBit - 6
)

// A probe is one way to ask for a keyword by the bytes around a window: n bytes
// that begin at bytes behind the window's first one.
type probe struct {
	at, n  int
	factor uint64 // makes different hashes of the same bytes for each probe
}

// probes are all ways, by number. Long keywords are told by more bytes.
var probes = [...]probe{
	probeEight:      {0, 8, factorEight},
	probeSix:        {0, 6, factorSix},
	probeFive:       {0, 5, factorFive},
	probeFiveBefore: {-1, 5, factorFiveBefore},
	probeFour:       {0, 4, factorFour},
	probeFourBefore: {-1, 4, factorFourBefore},
	probeFourAfter:  {1, 4, factorFourAfter},
	probeThree:      {0, 3, factorThree},
	probeThreeAfter: {1, 3, factorThreeAfter},
}

const (
	probeEight = iota
	probeSix
	probeFive
	probeFiveBefore
	probeFour
	probeFourBefore
	probeFourAfter
	probeThree
	probeThreeAfter

	factorEight      = 0x9E3779B97F4A7C15
	factorSix        = 0xC2B2AE3D27D4EB4F
	factorFive       = 0xD6E8FEB86659FD93
	factorFiveBefore = 0xA0761D6478BD642F
	factorFour       = 0xE7037ED1A0B428DB
	factorFourBefore = 0x8EBC6AF09C88C6E3
	factorFourAfter  = 0x94D049BB133111EB
	factorThree      = 0x589965CC75374CC3
	factorThreeAfter = 0x1D8E4E27C47D124F
)

// hash returns the hash of the first bytes of w, folded.
func (l *probe) hash(w uint64) uint64 { return w << (64 - 8*l.n) * l.factor }

// gramTable is a hash table of windows of keywords. A slot is a gram, 0 = free;
// what is taken goes to the next one. Memory counts: a page that is touched for the
// first time costs as much as hundreds of keywords.
type gramTable struct {
	slots []gram
	shift uint
}

// gram is one window of one keyword: the hash of a probe of it, the number of the
// keyword plus one, where in the keyword the window begins plus one, and whether
// the keyword is one letter many times. Such a one is reported at the start of a
// run of that letter only, not at every place in it.
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

func (t *gramTable) slot(hash uint32) int { return int(hash * 0x85EBCA6B >> t.shift) }

// add notes that the keyword of number k has a window at at.
func (t *gramTable) add(kw string, k, at int, hash uint32) {
	g := gram(hash)<<gramWindow | gram(k+1)<<gramKeyword | gram(at+1)<<gramAt
	if kw[0] == kw[len(kw)-1] && strings.Count(kw, kw[:1]) == len(kw) {
		g |= gramUniform
	}
	i := t.slot(hash)
	for t.slots[i] != 0 {
		i = (i + 1) & (len(t.slots) - 1)
	}
	t.slots[i] = g
}

// foldByte leaves of a byte what tells letters apart but not their case. Sixty-four
// values are left, so that many windows stand for "any byte beside it".
const (
	foldByte = 0x5f
	foldFour = foldByte * 0x01010101 // the same of four and eight bytes at once
	foldAll  = foldByte * 0x0101010101010101
)

func hashGram(w uint32) uint32 { return w * 0x9E3779B1 >> (32 - gramBits) }

func hashCheck(w uint32) uint32 { return w * 0x85EBCA6B >> (32 - checkBits) }

// fill makes an empty filter the one for keywords of at least three bytes each,
// all lower case.
func (p *prefilter) fill(keywords []string) {
	p.keywords, p.grams, p.printable = keywords, newGramTable(2*len(keywords)), true
	r := newRarities()
	for k, kw := range keywords {
		p.printable = p.printable && isPrintable(kw)
		switch {
		case len(kw) >= 5:
			for parity := range 2 {
				at := r.rarest(kw, parity)
				p.add(k, at, r.longestProbe(kw, at))
			}
		case len(kw) == 4:
			p.add(k, 0, probeFour)
			if r.rarity3(kw) > r.rarity3(kw[1:]) {
				p.add(k, -1, probeFourAfter)
			} else {
				p.add(k, 1, probeFourBefore)
			}
		case len(kw) == 3:
			p.add(k, 0, probeThree)
			p.add(k, -1, probeThreeAfter)
		}
	}
}

// add enters the keyword of number k with its window at at, for the probe of the
// number.
func (p *prefilter) add(k, at, number int) {
	kw := p.keywords[k]
	p.farthest = max(p.farthest, at+1)
	l := &probes[number]
	var w uint64
	for i, c := range []byte(kw[at+l.at:][:l.n]) {
		w |= uint64(c&foldByte) << (8 * i)
	}
	hash := l.hash(w)
	p.grams.add(kw, k, at, uint32(hash>>32))
	p.second[hash>>secondWord] |= 1<<(hash>>secondBit&63) | 1<<(hash>>secondBit2&63)
	switch {
	case at < 0:
		p.markAll(windowOf3(kw)<<8, 0)
	case at+3 == len(kw):
		p.markAll(windowOf3(kw[at:]), 24)
	default:
		p.mark(windowOf(kw[at:]) & foldFour)
	}
}

func (p *prefilter) mark(w uint32) {
	h := hashGram(w)
	p.bitmap[h>>6] |= 1 << (h & 63)
	h = hashCheck(w)
	p.check[h>>6] |= 1 << (h & 63)
}

// markAll marks three bytes with every byte that can stand beside them, shift
// bits up in the window.
func (p *prefilter) markAll(w uint32, shift uint) {
	for b := uint32(0); b < 256; b++ {
		if b&^foldByte == 0 {
			p.mark((w | b<<shift) & foldFour)
		}
	}
}

func windowOf(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

func windowOf3(s string) uint32 { return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 }

// hit is one keyword found at a place.
type hit struct {
	at      int
	keyword int
}

// sieve is the reusable memory of find.
type sieve [sieveSize]uint64

// sieveSize is how many places find looks at in one step; they take 16 KiB.
const sieveSize = 2048

// find appends all hits in data to dst, in order of their window's position.
// A keyword is reported once for each place where it stands, one that is a
// single letter repeated (the start of some tokens) once for each run.
//
// It goes in steps: each test writes down every place, and counts on where the
// place has passed, so the next one overwrites those that have not. There is no
// branch on what the text is. One place of ten passes the first test, and a branch
// that goes that way at one of ten places costs more than the tests.
func (p *prefilter) find(data []byte, room *sieve, dst []hit) []hit {
	return p.findWindows(data, 0, len(data), room, dst)
}

// findIn appends the hits that begin in data[lo:hi].
func (p *prefilter) findIn(data []byte, lo, hi int, room *sieve, dst []hit) []hit {
	n := len(dst)
	dst = p.findWindows(data, max(0, lo-1), min(len(data), hi+p.farthest), room, dst)
	kept := dst[:n]
	for _, h := range dst[n:] {
		if h.at >= lo && h.at < hi {
			kept = append(kept, h)
		}
	}
	return kept
}

// findWindows looks at the windows that begin in data[lo:hi], every second one.
func (p *prefilter) findWindows(data []byte, lo, hi int, room *sieve, dst []hit) []hit {
	const step = 2 * (sieveSize - 4)
	i, end := lo, min(hi, len(data)-7) // before which eight bytes can be read
	if i == 0 && i < hi {
		dst = p.findAt(data, i, dst)
		i = 2
	}
	for i < end {
		to := min(i+step, end)
		var n int
		if p.printable && isSparse(data[i:to]) {
			n = p.siftSparse(data, i, to, room)
		} else {
			n = p.sift(data, i, to, room)
		}
		n = p.siftChecked(data, room, n)
		n = p.siftAgain(data, room, n)
		for _, place := range room[:n] {
			dst = p.lookUp(data, int(place>>sievePlace), place, dst)
		}
		i += (to - i + 1) &^ 1
	}
	for ; i < hi; i += 2 {
		dst = p.findAt(data, i, dst)
	}
	return dst
}

// findAt does what find does for the window at i, near an end of data.
func (p *prefilter) findAt(data []byte, i int, dst []hit) []hit {
	if p.inFirst(uint32(padded(data, i))) == 0 {
		return dst
	}
	return p.lookUp(data, i, p.probesAt(padded(data, i), padded(data, i-1)), dst)
}

// padded returns the eight bytes at i, folded; those outside of data are zero
// bytes.
func padded(data []byte, i int) uint64 {
	if i >= 0 && i+8 <= len(data) {
		return binary.LittleEndian.Uint64(data[i:]) & foldAll
	}
	var w [8]byte
	if i < 0 {
		copy(w[-i:], data)
	} else {
		copy(w[:], data[i:])
	}
	return binary.LittleEndian.Uint64(w[:]) & foldAll
}

// sift notes the even places of data[from:to] whose window is in the bitmap, and
// returns how many these are. Eight bytes can be read from each.
func (p *prefilter) sift(data []byte, from, to int, room *sieve) int {
	n, i := 0, from
	for ; i+4 < to; i += 6 {
		w := binary.LittleEndian.Uint64(data[i:]) & foldAll
		room[n&(sieveSize-1)] = uint64(i)
		n += p.inFirst(uint32(w))
		room[n&(sieveSize-1)] = uint64(i + 2)
		n += p.inFirst(uint32(w >> 16))
		room[n&(sieveSize-1)] = uint64(i + 4)
		n += p.inFirst(uint32(w >> 32))
	}
	return p.siftRest(data, i, to, room, n)
}

// siftRest goes on with sift at place i, where n places are noted already.
func (p *prefilter) siftRest(data []byte, i, to int, room *sieve, n int) int {
	for ; i < to; i += 2 {
		room[n&(sieveSize-1)] = uint64(i)
		n += p.inFirst(binary.LittleEndian.Uint32(data[i:]) & foldFour)
	}
	return n
}

// inFirst returns 1 if the bitmap has the window, folded.
func (p *prefilter) inFirst(w uint32) int {
	h := hashGram(w)
	return int(p.bitmap[h>>6&(1<<(gramBits-6)-1)] >> (h & 63) & 1) // "&" saves the check of bounds
}

// siftChecked keeps of n places those whose window is in the bitmap over the other
// hash, too.
func (p *prefilter) siftChecked(data []byte, room *sieve, n int) int {
	kept := 0
	for _, place := range room[:n] {
		h := hashCheck(binary.LittleEndian.Uint32(data[place:]) & foldFour)
		room[kept&(sieveSize-1)] = place
		kept += int(p.check[h>>6&(1<<(checkBits-6)-1)] >> (h & 63) & 1)
	}
	return kept
}

// sievePlace is where in a sieve's entry the place begins; below it are the
// probes that have passed.
const sievePlace = len(probes)

// siftAgain keeps of n places those that pass the second bitmap. None is 0.
func (p *prefilter) siftAgain(data []byte, room *sieve, n int) int {
	kept := 0
	for _, place := range room[:n] {
		w := binary.LittleEndian.Uint64(data[place:]) & foldAll
		before := w<<8 | uint64(data[place-1]&foldByte)
		passed := p.probesAt(w, before)
		room[kept&(sieveSize-1)] = place<<sievePlace | passed
		kept += int((passed + 1<<sievePlace - 1) >> sievePlace)
	}
	return kept
}

// probesAt returns a bit for each probe that passes the second bitmap. w are the
// eight bytes at the window, before those that begin a byte before it.
func (p *prefilter) probesAt(w, before uint64) uint64 {
	return p.inSecond(w*factorEight)<<probeEight | p.inSecond(w<<16*factorSix)<<probeSix |
		p.inSecond(w<<24*factorFive)<<probeFive | p.inSecond(before<<24*factorFiveBefore)<<probeFiveBefore |
		p.inSecond(w<<32*factorFour)<<probeFour | p.inSecond(before<<32*factorFourBefore)<<probeFourBefore |
		p.inSecond(w>>8<<32*factorFourAfter)<<probeFourAfter |
		p.inSecond(w<<40*factorThree)<<probeThree | p.inSecond(w>>8<<40*factorThreeAfter)<<probeThreeAfter
}

// inSecond returns 1 if the second bitmap has both bits of the hash.
func (p *prefilter) inSecond(hash uint64) uint64 {
	w := p.second[hash>>secondWord]
	return w >> (hash >> secondBit & 63) & (w >> (hash >> secondBit2 & 63)) & 1
}

// lookUp compares the keywords that have a window at i, for the probes that passed.
func (p *prefilter) lookUp(data []byte, i int, passed uint64, dst []hit) []hit {
	for passed &= 1<<sievePlace - 1; passed != 0; passed &= passed - 1 {
		number := bits.TrailingZeros64(passed)
		l := &probes[number]
		hash := uint32(l.hash(padded(data, i+l.at)) >> 32)
		t := &p.grams
		for k := t.slot(hash); t.slots[k] != 0; k = (k + 1) & (len(t.slots) - 1) {
			g := t.slots[k]
			if uint32(g>>gramWindow) != hash {
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

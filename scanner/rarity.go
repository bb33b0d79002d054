package scanner

// rarities knows how rare short pieces of text are in source text, for the choice of
// windows: the rarer these are, the fewer places of a text need a second look.
type rarities struct {
	number                      [256]uint8 // of a character in bigrams
	common, commonest, trigrams hashSet    // of commonGrams, its first quarter, and commonTrigrams
}

// hashSet has a bit for each value of commonHash.
type hashSet [1 << (commonBits - 6)]uint64

const commonBits = 17

func (s *hashSet) add(h uint32)      { s[h>>6] |= 1 << (h & 63) }
func (s *hashSet) has(h uint32) bool { return s[h>>6]>>(h&63)&1 != 0 }

func commonHash(w uint32) uint32 { return hashGram(w) >> (gramBits - commonBits) }

func newRarities() *rarities {
	r := &rarities{}
	for i := range r.number {
		r.number[i] = uint8(len(bigramSigns))
	}
	for i := range len(bigramSigns) {
		r.number[bigramSigns[i]] = uint8(i)
	}
	for i := 0; i < len(commonGrams); i += 4 {
		h := commonHash(windowOf(commonGrams[i:]))
		r.common.add(h)
		if i < len(commonGrams)/4 {
			r.commonest.add(h)
		}
	}
	for i := 0; i < len(commonTrigrams); i += 3 {
		r.trigrams.add(commonHash(windowOf3(commonTrigrams[i:])))
	}
	return r
}

// rarest picks where in a keyword a window of four bytes is taken, of those that
// begin at first, two bytes on, and so forth: the one that is rarest in source text.
func (r *rarities) rarest(kw string, first int) int {
	best, at := -1, first
	for i := first; i+4 <= len(kw); i += 2 {
		if rare := r.rarity(kw[i:]); rare > best {
			best, at = rare, i
		}
	}
	return at
}

// rarity estimates how rare the first four bytes of s are, from how rare each two
// in a row are; what all source text is full of is known by name.
func (r *rarities) rarity(s string) int {
	switch h := commonHash(windowOf(s)); {
	case r.commonest.has(h):
		return 0
	case r.common.has(h):
		return 1
	}
	return r.pairRarity(s) + 2*r.pairRarity(s[1:]) + r.pairRarity(s[2:])
}

// rarity3 is rarity for three bytes.
func (r *rarities) rarity3(s string) int {
	if r.trigrams.has(commonHash(windowOf3(s))) {
		return 0
	}
	return r.pairRarity(s) + r.pairRarity(s[1:])
}

// longestProbe returns the number of the probe that asks for most of the keyword
// from a window at at on; of two that ask for five bytes, the one whose end is rarer.
func (r *rarities) longestProbe(kw string, at int) int {
	for _, number := range [...]int{probeEight, probeSix} {
		if at+probes[number].n <= len(kw) {
			return number
		}
	}
	if at+5 > len(kw) || at > 0 && r.pairRarity(kw[at-1:]) > r.pairRarity(kw[at+3:]) {
		return probeFiveBefore
	}
	return probeFive
}

const nSigns = len(bigramSigns) + 1

// pairRarity says how rare the first two bytes of s are (see bigrams).
func (r *rarities) pairRarity(s string) int {
	return int(bigrams[int(r.number[s[0]])*nSigns+int(r.number[s[1]])])
}

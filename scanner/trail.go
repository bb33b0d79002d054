package scanner

import "slices"

// A trail is what a scan notes of its own way over the stored bytes, so that
// content that is made from them need not be looked at again where it is the
// same: for every attempt the bytes that its outcome hangs on. Attempts that hang
// on nothing but their near surroundings (nearBefore, nearAfter) are not noted;
// whoever follows the trail looks there anyway.
//
// Offset -1 stands for the beginning of the content and its length for the end:
// an attempt that ended because there were no more bytes hangs on that too.
type trail struct {
	on bool

	// The attempt at hand.
	lo, hi int  // it hangs on the bytes in [lo, hi)
	regex  bool // it asked for a window of a regular expression
	found  int  // candidates before it

	far []far
}

// far is a keyword whose attempts hang on bytes far from it.
type far struct {
	at            int32
	keyword       int32
	before, after int32 // distances from at to both ends
}

func (f *far) reach() stretch { return stretch{int(f.at - f.before), int(f.at + f.after)} }

// How far from the first byte of a keyword an attempt may look and still be near.
const (
	nearBefore = 48
	nearAfter  = 160 // a rule with a value looks valueReach behind the keyword
)

// origin says what a candidate hangs on.
type origin struct {
	kind    originKind
	at      int // of the keyword, for ofKeyword
	keyword int
	stretch // the bytes, see trail
}

type originKind uint8

const (
	ofKeyword originKind = iota
	ofWindow             // of a regular expression
	ofDecoded            // an encoded stretch of the stored bytes
)

func (t *trail) begin(at, end, found int) {
	t.lo, t.hi, t.regex, t.found = at, end, false, found
}

// saw notes that the attempt at hand hangs on the bytes in [lo, hi).
func (t *trail) saw(lo, hi int) {
	t.lo, t.hi = min(t.lo, lo), max(t.hi, hi)
}

// end closes the attempt at a keyword; found are all candidates so far.
func (t *trail) end(h hit, size int, found []candidate) {
	if !t.on {
		return
	}
	w := stretch{max(t.lo, -1), min(t.hi, size+1)}
	for i := t.found; i < len(found); i++ {
		found[i].origin = origin{kind: ofKeyword, at: h.at, keyword: h.keyword, stretch: w}
	}
	if t.regex || w.lo < h.at-nearBefore || w.hi > h.at+nearAfter {
		t.far = append(t.far, far{int32(h.at), int32(h.keyword), int32(h.at - w.lo), int32(w.hi - h.at)})
	}
}

// endWindow closes the attempt at a window, which began with begin: found, and
// all attempts that asked for a part of the window, hang on the whole of it.
func (t *trail) endWindow(w window, size int, found []candidate) {
	if !t.on {
		return
	}
	reach := stretch{max(t.lo, -1), t.hi}
	if t.hi >= size {
		reach.hi = size + 1
	}
	for i := range found {
		found[i].origin = origin{kind: ofWindow, stretch: reach}
	}
	for i := w.first; i <= w.last; i++ {
		f := &t.far[i]
		f.before = max(f.before, f.at-int32(reach.lo))
		f.after = max(f.after, int32(reach.hi)-f.at)
	}
}

// decoded notes that found hang on an encoded stretch of the stored bytes.
func (t *trail) decoded(lo, hi int, found []candidate) {
	for i := range found {
		found[i].origin = origin{kind: ofDecoded, stretch: stretch{lo, hi}}
	}
}

// sort orders what was noted by place.
func (t *trail) sort() {
	before := func(a, b far) int { return int(a.at) - int(b.at) }
	if !slices.IsSortedFunc(t.far, before) {
		slices.SortFunc(t.far, before)
	}
}

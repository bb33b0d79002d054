package scanner

import (
	"maps"
	"math/bits"
	"regexp/syntax"
	"slices"
	"unicode"
)

// A shape is a regular expression that is a plain sequence of byte classes,
// matched by hand: `\bghp_[0-9A-Za-z]{36}\b` is four literal steps and one
// class step between two boundaries. Most credentials look like that, and a
// wrong candidate is refused after a byte or two instead of after a run of
// the regexp package (measured: 20 ns against 2 to 15 µs).
//
// Alternatives and optional groups are multiplied out into several sequences
// in order of preference, so the first that matches is what the regexp package
// (leftmost-first) would return for the same start. compileShape returns nil
// for what is no such sequence; the caller then uses the regexp package.
type shape struct {
	seqs []sequence
	// maxLen is the most bytes any sequence can take.
	maxLen int
}

type sequence struct {
	steps []step
	// bare are the steps without a \b at either end.
	bare []step
	// head and tail are the sets of the first and last step when they are
	// wide, the match begins or ends with them, and no assertion guards it: a
	// value that goes on with such a byte is another, longer value.
	head, tail *byteSet
	// bounded: it begins with a \b before a word character.
	bounded bool
}

// step is one element of a sequence.
type step struct {
	kind     stepKind
	set      *byteSet
	min, max int // for stepSet
	// decided says that the greedy length is the only one worth trying.
	decided bool
	group   int // for stepOpen and stepClose: index of the capture
}

type stepKind uint8

const (
	stepSet       stepKind = iota // min to max bytes of a set, greedy
	stepWord                      // \b
	stepNotWord                   // \B
	stepLineStart                 // (?m)^
	stepLineEnd                   // (?m)$
	stepTextStart                 // \A
	stepTextEnd                   // \z
	stepOpen
	stepClose
)

// byteSet is a set of bytes.
type byteSet [4]uint64

func (s *byteSet) has(c byte) bool { return s[c>>6]>>(c&63)&1 != 0 }
func (s *byteSet) add(c byte)      { s[c>>6] |= 1 << (c & 63) }

func (s *byteSet) len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// allWord reports whether the set holds word characters only.
func (s *byteSet) allWord() bool {
	for c := range 256 {
		if s.has(byte(c)) && !isWord(byte(c)) {
			return false
		}
	}
	return true
}

func (s *byteSet) union(o *byteSet) {
	for i := range s {
		s[i] |= o[i]
	}
}

// Limits: an expression beyond them goes to the regexp package.
const (
	maxSequences = 48
	maxSteps     = 160
	// maxFlexible bounds the backtracking: with three steps of open length the
	// work for one candidate stays below the product of three small ranges. A
	// step whose successor cannot begin with one of its own bytes has one way
	// to match and does not count.
	maxFlexible = 3
	// maxOpen stands for "no upper limit": longer than any credential.
	maxOpen = 16 << 10
)

// compileShape turns a parsed expression into a shape, nil when it is not one.
// names receives the index of each named group.
func compileShape(re *syntax.Regexp, names map[string]int) *shape {
	seqs, ok := multiply(re, names)
	if !ok {
		return nil
	}
	s := &shape{}
	for _, steps := range seqs {
		flexible, length := 0, 0
		for i, st := range steps {
			if st.kind != stepSet {
				continue
			}
			if steps[i].decided = decided(steps[i:]); st.max != st.min && !steps[i].decided {
				if st.max >= maxOpen {
					return nil
				}
				flexible++
			}
			length += st.max
		}
		if len(steps) > maxSteps || flexible > maxFlexible {
			return nil
		}
		s.maxLen = max(s.maxLen, length)
		s.seqs = append(s.seqs, newSequence(steps, names["secret"]))
	}
	return s
}

// newSequence looks at both ends of a sequence; secret is the group of the
// value, 0 when it is the whole match.
func newSequence(steps []step, secret int) sequence {
	q := sequence{steps: steps, bare: steps}
	wide := func(st step) bool { return st.kind == stepSet && st.max > 1 && st.set.len() > 8 }
	// What stands outside of the group is context and not the value.
	open, closed := secret == 0, secret == 0
	for _, st := range steps {
		if open = open || st.kind == stepOpen && st.group == secret; st.kind == stepOpen || st.kind == stepClose {
			continue
		}
		if open && wide(st) {
			q.head = st.set
		}
		break
	}
	for _, st := range slices.Backward(steps) {
		if closed = closed || st.kind == stepClose && st.group == secret; st.kind == stepOpen || st.kind == stepClose {
			continue
		}
		if closed && wide(st) {
			q.tail = st.set
		}
		break
	}
	if len(steps) == 0 {
		return q
	}
	if i := slices.IndexFunc(steps, func(st step) bool { return st.kind != stepOpen }); steps[i].kind == stepWord {
		q.bare = slices.Delete(slices.Clone(steps), i, i+1)
		q.bounded = len(q.bare) > 0 && q.bare[0].kind == stepSet && q.bare[0].min > 0 && q.bare[0].set.allWord()
	}
	for i := len(q.bare) - 1; i >= 0; i-- {
		if q.bare[i].kind == stepWord {
			q.bare = slices.Delete(slices.Clone(q.bare), i, i+1)
		}
		if q.bare[min(i, len(q.bare)-1)].kind != stepClose {
			break
		}
	}
	return q
}

// decided reports whether the first step can only match greedily: what follows
// begins with a byte that is not in its set.
func decided(steps []step) bool {
	for _, next := range steps[1:] {
		switch next.kind {
		case stepSet:
		case stepOpen, stepClose:
			continue
		case stepWord:
			// Of a run of word characters only its end is a boundary.
			if !steps[0].set.allWord() {
				return false
			}
			continue
		default:
			return false
		}
		for i := range next.set {
			if next.set[i]&steps[0].set[i] != 0 {
				return false
			}
		}
		if next.min > 0 {
			return true
		}
	}
	return true
}

func multiply(re *syntax.Regexp, names map[string]int) ([][]step, bool) {
	one := func(st ...step) ([][]step, bool) { return [][]step{st}, true }
	switch re.Op {
	case syntax.OpEmptyMatch:
		return one()
	case syntax.OpLiteral:
		var steps []step
		for _, r := range re.Rune {
			if r >= 0x80 {
				return nil, false
			}
			set := &byteSet{}
			set.add(byte(r))
			if re.Flags&syntax.FoldCase != 0 && isLetter(byte(r)) {
				set.add(byte(r) ^ 0x20)
			}
			steps = append(steps, step{kind: stepSet, set: set, min: 1, max: 1})
		}
		return one(steps...)
	case syntax.OpCharClass:
		set, ok := classSet(re)
		if !ok {
			return nil, false
		}
		return one(step{kind: stepSet, set: set, min: 1, max: 1})
	case syntax.OpWordBoundary:
		return one(step{kind: stepWord})
	case syntax.OpNoWordBoundary:
		return one(step{kind: stepNotWord})
	case syntax.OpBeginLine:
		return one(step{kind: stepLineStart})
	case syntax.OpEndLine:
		return one(step{kind: stepLineEnd})
	case syntax.OpBeginText:
		return one(step{kind: stepTextStart})
	case syntax.OpEndText:
		return one(step{kind: stepTextEnd})
	case syntax.OpCapture:
		if re.Name != "" {
			names[re.Name] = re.Cap
		}
		inner, ok := multiply(re.Sub[0], names)
		if !ok {
			return nil, false
		}
		for i, steps := range inner {
			all := append([]step{{kind: stepOpen, group: re.Cap}}, steps...)
			inner[i] = append(all, step{kind: stepClose, group: re.Cap})
		}
		return inner, true
	case syntax.OpAlternate:
		var all [][]step
		for _, sub := range re.Sub {
			inner, ok := multiply(sub, names)
			if !ok || len(all)+len(inner) > maxSequences {
				return nil, false
			}
			all = append(all, inner...)
		}
		return all, true
	case syntax.OpConcat:
		all := [][]step{nil}
		for _, sub := range re.Sub {
			inner, ok := multiply(sub, names)
			if !ok || len(all)*len(inner) > maxSequences {
				return nil, false
			}
			next := make([][]step, 0, len(all)*len(inner))
			for _, a := range all {
				for _, b := range inner {
					next = append(next, append(a[:len(a):len(a)], b...))
				}
			}
			all = next
		}
		return all, true
	case syntax.OpQuest, syntax.OpRepeat, syntax.OpStar, syntax.OpPlus:
		return multiplyRepeat(re, names)
	}
	return nil, false
}

func multiplyRepeat(re *syntax.Regexp, names map[string]int) ([][]step, bool) {
	lo, hi := re.Min, re.Max
	switch re.Op {
	case syntax.OpQuest:
		lo, hi = 0, 1
	case syntax.OpStar:
		lo, hi = 0, maxOpen
	case syntax.OpPlus:
		lo, hi = 1, maxOpen
	}
	if hi < 0 {
		hi = max(maxOpen, lo)
	}
	if re.Flags&syntax.NonGreedy != 0 {
		return nil, false
	}
	inner, ok := multiply(re.Sub[0], names)
	if !ok {
		return nil, false
	}
	if len(inner) == 1 && len(inner[0]) == 1 && inner[0][0].kind == stepSet && inner[0][0].max == 1 {
		st := inner[0][0]
		st.min, st.max = lo, hi
		return [][]step{{st}}, true
	}
	// A repeated group: written out, longest first as greedy matching prefers.
	if hi*len(inner) > 16 {
		return nil, false
	}
	var all [][]step
	for n := hi; n >= lo; n-- {
		seqs := [][]step{nil}
		for range n {
			var next [][]step
			for _, a := range seqs {
				for _, b := range inner {
					next = append(next, append(a[:len(a):len(a)], b...))
				}
			}
			if seqs = next; len(seqs) > maxSequences {
				return nil, false
			}
		}
		if all = append(all, seqs...); len(all) > maxSequences {
			return nil, false
		}
	}
	return all, true
}

// classSet converts a class. One that holds all characters beyond ASCII (a
// negated one) becomes one of all bytes from 0x80 on: a repeat then counts
// bytes instead of characters there, which is as good a limit. A class that
// holds only some of them is no byte class.
func classSet(re *syntax.Regexp) (*byteSet, bool) {
	set := &byteSet{}
	beyond := 0
	for i := 0; i < len(re.Rune); i += 2 {
		lo, hi := re.Rune[i], re.Rune[i+1]
		for r := lo; r <= min(hi, 0x7F); r++ {
			set.add(byte(r))
		}
		// (?i) adds U+017F and U+212A, which fold to s and k; no key holds them.
		if hi >= 0x80 && !(lo == hi && (lo == 0x17F || lo == 0x212A)) {
			beyond += int(hi - max(lo, 0x80) + 1)
		}
	}
	switch beyond {
	case 0:
	case unicode.MaxRune - 0x80 + 1:
		set[2], set[3] = ^uint64(0), ^uint64(0)
	default:
		return nil, false
	}
	return set, true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isWord(c byte) bool   { return words[c] }

// words is a table since isWord is asked for nearly every byte near a keyword.
var words = func() (set [256]bool) {
	for c := range 256 {
		set[c] = isLetter(byte(c)) || isDigit(byte(c)) || c == '_'
	}
	return set
}()

func wordAt(data []byte, i int) bool { return i >= 0 && i < len(data) && isWord(data[i]) }

// caps holds the bounds of up to eight groups; caps[0] is the whole match. The
// last element is how far the attempt looked: the end of the bytes it depends
// on, one more than there are if it depends on the end of the data.
type caps [17]int

const capFar = 16

// saw notes that the attempt depends on the bytes before end.
func (c *caps) saw(end int) { c[capFar] = max(c[capFar], end) }

// match tries the shape with its start exactly at i.
func (s *shape) match(data []byte, i int, c *caps) bool {
	for k := range s.seqs {
		if s.seqs[k].match(data, i, c) {
			return true
		}
	}
	return false
}

func (q *sequence) match(data []byte, i int, c *caps) bool {
	end, ok := matchSteps(data, i, q.steps, c)
	c[0], c[1] = i, end
	return ok
}

// matchBare is match without the \b at either end.
func (q *sequence) matchBare(data []byte, i int, c *caps) bool {
	end, ok := matchSteps(data, i, q.bare, c)
	c[0], c[1] = i, end
	return ok
}

// whole reports whether data[start:end], a match, is all of the value that
// stands there.
func (q *sequence) whole(data []byte, start, end int) bool {
	return (q.head == nil || start == 0 || !q.head.has(data[start-1])) && (q.tail == nil || end == len(data) || !q.tail.has(data[end]))
}

func matchSteps(data []byte, i int, steps []step, c *caps) (int, bool) {
	end, ok := walkSteps(data, i, steps, c)
	c.saw(end + 1)
	return end, ok
}

// walkSteps is matchSteps but for c.saw; when there is no match it returns the
// last byte it looked at.
func walkSteps(data []byte, i int, steps []step, c *caps) (int, bool) {
	for k := range steps {
		st := &steps[k]
		switch st.kind {
		case stepSet:
			if st.max == 1 && st.min == 1 {
				if i >= len(data) || !st.set.has(data[i]) {
					return i, false
				}
				i++
				continue
			}
			n := 0
			for n < st.max && i+n < len(data) && st.set.has(data[i+n]) {
				n++
			}
			if n < st.min {
				return i + n, false
			}
			if st.min == st.max || st.decided {
				i += n
				continue
			}
			c.saw(i + n + 1)
			for ; n >= st.min; n-- {
				if end, ok := matchSteps(data, i+n, steps[k+1:], c); ok {
					return end, true
				}
			}
			return i, false
		case stepWord:
			if wordAt(data, i-1) == wordAt(data, i) {
				return i, false
			}
		case stepNotWord:
			if wordAt(data, i-1) != wordAt(data, i) {
				return i, false
			}
		case stepLineStart:
			if i > 0 && data[i-1] != '\n' {
				return i, false
			}
		case stepLineEnd:
			if i < len(data) && data[i] != '\n' {
				return i, false
			}
		case stepTextStart:
			if i > 0 {
				return i, false
			}
		case stepTextEnd:
			if i < len(data) {
				return i, false
			}
		case stepOpen:
			if 2*st.group < capFar {
				c[2*st.group] = i
			}
		case stepClose:
			if 2*st.group < capFar {
				c[2*st.group+1] = i
			}
		}
	}
	return i, true
}

// anchors says how each keyword leads to a match: the distances from the start of
// the match at which it can stand, the farthest first, so that trying them in
// order finds the leftmost match. ok is false when some sequence holds none of
// the keywords at a known distance; such an expression is not for this matcher.
func (s *shape) anchors(keywords []string) (offsets [][]int, ok bool) {
	const maxSpread = 64 // starts to try for one keyword
	anchored := make([]bool, len(s.seqs))
	offsets = make([][]int, len(keywords))
	for k, kw := range keywords {
		seen := map[int]bool{}
		for q, seq := range s.seqs {
			lo, hi := 0, 0
			for i, st := range seq.steps {
				if st.kind != stepSet {
					continue
				}
				if hi-lo <= maxSpread && literalAt(seq.steps[i:], kw) {
					anchored[q] = true
					for at := lo; at <= hi; at++ {
						seen[at] = true
					}
				}
				lo += st.min
				hi += st.max
			}
		}
		offsets[k] = slices.SortedFunc(maps.Keys(seen), func(a, b int) int { return b - a })
	}
	return offsets, !slices.Contains(anchored, false)
}

// literalAt reports whether the steps begin with the keyword, spelled out. Its
// last byte may be one of many that the step allows: "ck_7" of ck_[0-9a-f]{40}.
func literalAt(steps []step, keyword string) bool {
	k := 0
	for i := 0; i < len(steps) && k < len(keyword); i++ {
		st := &steps[i]
		if st.kind != stepSet {
			continue
		}
		if last := len(keyword) - 1; k == last && k > 0 && st.min > 0 && st.set.hasFold(keyword[k]) {
			return true
		}
		if st.min != st.max {
			return false
		}
		for n := 0; n < st.max && k < len(keyword); n++ {
			if !st.set.isLiteral(keyword[k]) {
				return false
			}
			k++
		}
	}
	return k == len(keyword)
}

// isLiteral reports whether c, in either case, is in the set and the set is
// narrow: a letter in both cases, or a few alternatives as in [sr]k_live_.
func (s *byteSet) isLiteral(c byte) bool {
	return s.len() <= 8 && s.hasFold(c)
}

// hasFold reports whether c, in either case, is in the set.
func (s *byteSet) hasFold(c byte) bool { return s.has(c) || isLetter(c) && s.has(c^0x20) }

// first is the set of bytes a match can begin with; last the set of the final
// step, which must not go on after a match.
func (s *shape) first() *byteSet {
	set := &byteSet{}
	for _, seq := range s.seqs {
		for _, st := range seq.steps {
			if st.kind == stepSet {
				set.union(st.set)
				if st.min > 0 {
					break
				}
			}
		}
	}
	return set
}

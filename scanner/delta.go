package scanner

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"github.com/till-sh/till/scanner/decode"
)

// Delta tells what the content of a Blob was made from. Scan then looks only at
// what is new and at the seams, and the findings are those of a scan of the whole.
type Delta struct {
	// Base is what the scan of the other content left in Delta.Next, by the same
	// engine. nil: there is no other content, or nothing is known of it.
	Base *Base
	// Copies are the stretches that stand in the other content, ascending and
	// apart; everything between them is new.
	Copies []Copy
	// Next is set by Scan: the Base of content made from this one. nil when that
	// must be scanned whole.
	Next *Base
}

// Copy says that Len bytes of a content from At on are those of the other
// content from From on.
type Copy struct{ At, Len, From int }

// Base is what a scan remembers of a content for the deltas made from it: where
// attempts looked far around, and what was found. It is immutable, holds no
// part of the content but values that were found, and is small, since next to
// no attempt comes far.
type Base struct {
	size    int
	decoded int // at least as many bytes as decoding made
	special bool
	far     []far       // by place
	found   []candidate // before they are sorted out
}

// maxBase is how many attempts a Base may hold for each kilobyte of content. Of
// content with more the deltas are scanned whole.
const maxBase = 64

// deltaScratch is the reusable memory of scans by delta.
type deltaScratch struct {
	copies  []Copy
	gaps    []stretch // inserted stretches, empty ones at mere seams
	blocks  []stretch // where encoded stretches are looked for again
	carried []far
	retried []hit
}

// scanDelta scans a content of which b.Delta tells the origin. What is told by
// the content as a whole (its character set, see isSpecial), and content that has
// little in common with its base, is scanned whole.
func (e *Engine) scanDelta(b *Blob) (Found, error) {
	s := e.begin(b)
	defer e.scratch.Put(s)
	s.trail.on, s.trail.far = true, s.trail.far[:0]
	left := budgetOf(b.Data)
	all := left.bytes
	special := false
	done, err := e.scanChanges(s, b, &left)
	if !done {
		s.found, s.trail.far = s.found[:0], s.trail.far[:0]
		left = budgetOf(b.Data)
		special = isSpecial(b.Data)
		err = e.scanView(s, &view{data: b.Data}, 0, &left)
	}
	if err == nil && left.undone == 0 {
		b.Delta.Next = s.base(len(b.Data), all-left.bytes, special)
	}
	return e.end(s, b, left.undone), err
}

// base makes a Base of what a scan noted.
func (s *scratch) base(size, decoded int, special bool) *Base {
	if len(s.trail.far) > maxBase*(1+size>>10) || size > 1<<30 {
		return nil
	}
	t := &Base{size: size, decoded: decoded, special: special}
	if len(s.trail.far) > 0 {
		s.trail.sort()
		t.far = slices.Clone(s.trail.far)
	}
	if len(s.found) > 0 {
		t.found = slices.Clone(s.found)
		slices.SortFunc(t.found, func(a, b candidate) int { return a.origin.lo - b.origin.lo })
	}
	return t
}

// isSpecial reports whether something about the whole of a content decides how
// its parts are decoded: UTF-16 in it, or quoted-printable.
func isSpecial(data []byte) bool {
	return bytes.IndexByte(data, 0) >= 0 || bytes.Contains(data, []byte("=3D")) || decode.Text(data) != nil
}

// scanChanges scans what differs from the base, and takes over the rest. done is
// false when it has to be scanned whole; what was noted so far is then void.
func (e *Engine) scanChanges(s *scratch, b *Blob, left *budget) (done bool, err error) {
	base, d := b.Delta.Base, &s.delta
	if base == nil || base.special || !d.read(b, base.size) {
		return false, nil
	}
	for _, g := range d.gaps {
		if isSpecial(b.Data[max(0, g.lo-2):min(len(b.Data), g.hi+2)]) {
			return false, nil
		}
	}
	if decode.Text(b.Data) != nil {
		return false, nil
	}
	if left.bytes -= base.decoded; left.bytes < 0 {
		return false, nil
	}
	v := &view{data: b.Data}
	err = errors.Join(e.textChanges(s, v, base), e.encodedChanges(s, v, base, left))
	return left.undone == 0, err
}

// read takes the copies of b.Delta and works out the gaps between them. It
// reports false when little would be saved.
func (d *deltaScratch) read(b *Blob, baseSize int) bool {
	d.copies, d.gaps = d.copies[:0], d.gaps[:0]
	at, inserted := 0, 0
	for _, c := range b.Delta.Copies {
		if n := len(d.copies); n > 0 && c.At == at && d.copies[n-1].From+d.copies[n-1].Len == c.From {
			d.copies[n-1].Len += c.Len
			at += c.Len
			continue
		}
		if c.At < at || c.Len <= 0 || c.From < 0 || c.From > baseSize-c.Len {
			return false
		}
		if at != 0 || c.At != 0 || c.From != 0 {
			d.gaps = append(d.gaps, stretch{at, c.At})
			inserted += c.At - at
		}
		d.copies = append(d.copies, c)
		at = c.At + c.Len
	}
	if at > len(b.Data) {
		return false
	}
	n := len(d.copies)
	if n == 0 {
		return false
	}
	if last := d.copies[n-1]; at != len(b.Data) || last.From+last.Len != baseSize {
		d.gaps = append(d.gaps, stretch{at, len(b.Data)})
		inserted += len(b.Data) - at
	}
	return inserted+100*len(d.gaps) < len(b.Data)
}

// kept is a copy with what of it is as it was in the base.
type kept struct {
	Copy
	// reach are the bytes of the base, -1 and its size included, that are the
	// same around here.
	reach stretch
	// near are the places in the base from which nearBefore and nearAfter lie
	// in reach.
	near stretch
}

// keep looks at the k-th copy.
func (d *deltaScratch) keep(k, size, baseSize int) kept {
	c := d.copies[k]
	r := kept{Copy: c, reach: stretch{c.From, c.From + c.Len}}
	r.near = stretch{r.reach.lo + nearBefore, r.reach.hi - nearAfter}
	if c.At == 0 && c.From == 0 {
		r.reach.lo, r.near.lo = -1, 0
	}
	if r.reach.hi == baseSize && c.At+c.Len == size {
		r.near.hi, r.reach.hi = baseSize, baseSize+1
	}
	return r
}

func (k *kept) holds(w stretch) bool { return w.lo >= k.reach.lo && w.hi <= k.reach.hi }

// textChanges does what scanText does.
func (e *Engine) textChanges(s *scratch, v *view, base *Base) error {
	d, size := &s.delta, len(v.data)
	hits := s.hits[:0]
	done := 0
	for _, g := range d.gaps {
		// Zones that touch are one; a keyword is found where it begins.
		lo, hi := max(done, g.lo-nearAfter), min(size, g.hi+nearBefore)
		if lo < hi {
			hits = e.filter.findIn(v.data, lo, hi, &s.sieve, hits)
			done = hi
		}
	}
	d.carried, d.retried = d.carried[:0], d.retried[:0]
	for k := range d.copies {
		c := d.keep(k, size, base.size)
		i, _ := slices.BinarySearchFunc(base.far, c.near.lo, func(f far, at int) int { return int(f.at) - at })
		for ; i < len(base.far) && int(base.far[i].at) < c.near.hi; i++ {
			f := base.far[i]
			again := !c.holds(f.reach())
			if f.at += int32(c.At - c.From); again {
				d.retried = append(d.retried, hit{int(f.at), int(f.keyword)})
			} else {
				d.carried = append(d.carried, f)
			}
		}
	}
	s.hits = append(hits, d.retried...)
	slices.SortFunc(s.hits, compareHits)
	if err := e.tryHits(s, v, s.hits); err != nil {
		return err
	}
	// A window of a regular expression that touches another one has to be looked
	// at together with it, and so on.
	for len(s.touched) > 0 {
		n := len(d.retried)
		d.carried = slices.DeleteFunc(d.carried, func(f far) bool {
			if !e.touchesAny(s, int(f.keyword), f.reach()) {
				return false
			}
			d.retried = append(d.retried, hit{int(f.at), int(f.keyword)})
			return true
		})
		if len(d.retried) == n {
			break
		}
		if err := e.tryHits(s, v, d.retried[n:]); err != nil {
			return err
		}
	}
	slices.SortFunc(d.retried, compareHits)
	e.carry(s, size, base, func(c *candidate, k *kept) bool {
		switch c.origin.kind {
		case ofKeyword:
			if c.origin.at < k.near.lo || c.origin.at >= k.near.hi {
				return false
			}
			_, again := slices.BinarySearchFunc(d.retried, hit{c.origin.at + k.At - k.From, c.origin.keyword}, compareHits)
			return !again
		case ofWindow:
			return !s.touches(c.m.number, shift(c.origin.stretch, k.At-k.From))
		}
		return false
	})
	s.runWindows(e, v)
	s.trail.far = append(s.trail.far, d.carried...)
	return nil
}

func compareHits(a, b hit) int { return cmp.Or(a.at-b.at, a.keyword-b.keyword) }

func shift(w stretch, by int) stretch { return stretch{w.lo + by, w.hi + by} }

// carry takes over the candidates of the base that hang only on what a copy
// keeps, and that may stay.
func (e *Engine) carry(s *scratch, size int, base *Base, may func(*candidate, *kept) bool) {
	if len(base.found) == 0 {
		return
	}
	for n := range s.delta.copies {
		k := s.delta.keep(n, size, base.size)
		i, _ := slices.BinarySearchFunc(base.found, k.reach.lo, func(c candidate, lo int) int { return c.origin.lo - lo })
		for ; i < len(base.found) && base.found[i].origin.lo < k.reach.hi; i++ {
			if c := &base.found[i]; k.holds(c.origin.stretch) && may(c, &k) {
				moved := *c
				by := k.At - k.From
				moved.from, moved.to = moved.from+by, moved.to+by
				if moved.keywordEnd > 0 && moved.origin.kind == ofKeyword {
					moved.name, moved.keyword, moved.keywordEnd = moved.name+by, moved.keyword+by, moved.keywordEnd+by
				}
				moved.origin.at += by
				moved.origin.stretch = shift(moved.origin.stretch, by)
				s.found = append(s.found, moved)
			}
		}
	}
}

// touches reports whether a window of the rule touches w.
func (s *scratch) touches(rule int, w stretch) bool {
	for _, o := range s.windows[rule] {
		if o.lo <= w.hi && w.lo <= o.hi {
			return true
		}
	}
	return false
}

// touchesAny asks the same for the rules of a keyword.
func (e *Engine) touchesAny(s *scratch, keyword int, w stretch) bool {
	for _, ref := range e.index.users(keyword) {
		if s.touches(int(ref.rule), w) {
			return true
		}
	}
	return false
}

// encodedChanges does what scanEncoded does. Encoded stretches do not go over a
// calm line break, so what lies between the calm line breaks around a gap is
// looked at again, and what lies elsewhere is as it was.
func (e *Engine) encodedChanges(s *scratch, v *view, base *Base, left *budget) error {
	d, data := &s.delta, v.data
	d.blocks = d.blocks[:0]
	for i, g := range d.gaps {
		floor, ceil := 0, len(data)
		if i > 0 {
			floor = d.gaps[i-1].hi
		}
		if i+1 < len(d.gaps) {
			ceil = d.gaps[i+1].lo
		}
		w := stretch{calmBefore(data, floor, g.lo), calmAfter(data, g.hi, ceil)}
		if n := len(d.blocks); n > 0 && w.lo <= d.blocks[n-1].hi {
			d.blocks[n-1].hi = w.hi
		} else {
			d.blocks = append(d.blocks, w)
		}
	}
	if e.options.DecodeDepth < 0 {
		return nil
	}
	var err error
	part := &view{}
	yield := e.intoSpan(s, part, 0, left, &err)
	for _, w := range d.blocks {
		part.data, part.shift = data[w.lo:w.hi], w.lo
		e.decodeEach(part, left, yield)
	}
	e.carry(s, len(data), base, func(c *candidate, k *kept) bool {
		if c.origin.kind != ofDecoded {
			return false
		}
		w := shift(c.origin.stretch, k.At-k.From)
		i, _ := slices.BinarySearchFunc(d.blocks, w.lo, func(b stretch, lo int) int { return b.hi - 1 - lo })
		return i == len(d.blocks) || d.blocks[i].lo >= w.hi
	})
	return err
}

// calmBefore returns the last calm line break in data[floor:at], calmAfter the
// first one; floor and the end of the range if there is none.
func calmBefore(data []byte, floor, at int) int {
	for p := at; p > floor; p-- {
		i := bytes.LastIndexByte(data[floor:p], '\n')
		if i < 0 {
			break
		}
		if p = floor + i + 1; calm(data, p, floor, at) {
			return p
		}
	}
	return floor
}

func calmAfter(data []byte, at, ceil int) int {
	for p := at; p < ceil; {
		i := bytes.IndexByte(data[p:ceil], '\n')
		if i < 0 {
			break
		}
		if p += i + 1; calm(data, p, at, ceil) {
			return p
		}
	}
	return ceil
}

// calm reports whether nothing that is encoded can go over the line break before
// data[p], judged by data[floor:ceil]: the line before neither fills a line of a
// wrapped run of digits nor ends in the comma of a list, and the next one begins
// with something else than a comma (see package decode).
func calm(data []byte, p, floor, ceil int) bool {
	end := p - 1
	if end > floor && data[end-1] == '\r' {
		end--
	}
	if end <= floor || p >= ceil {
		return false
	}
	switch data[end-1] {
	case ' ', '\t', '\n', ',':
		return false
	}
	for p < ceil && (data[p] == ' ' || data[p] == '\t') {
		p++
	}
	if p == ceil || data[p] == ',' || data[p] == '\n' || data[p] == '\r' {
		return false
	}
	return !decode.MayGoOn(data[floor:end])
}

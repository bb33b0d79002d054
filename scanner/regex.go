package scanner

import (
	"bytes"
	"slices"
)

// stretch is a part of a text.
type stretch struct{ lo, hi int }

// window is a stretch that a regular expression has to look at.
type window struct {
	stretch
	first, last int // steps of the trail whose outcome hangs on it, see trail.far
}

// edge is how much of a window's ends only serves as context: a match that
// begins there belongs to the text before, whose \b could not be judged.
const edge = 4

// windowOf returns what the rule's expression has to look at for a keyword at
// data[at:end]: as far as a match can reach, but no more lines than it can
// cover.
func (m *matcher) windowOf(data []byte, at, end int) stretch {
	w := stretch{max(0, at-m.before), min(len(data), end+m.after)}
	if m.lines < 0 {
		return w
	}
	lo, hi := at, end
	for range m.lines + 1 {
		i := bytes.LastIndexByte(data[w.lo:lo], '\n')
		if i < 0 {
			lo = w.lo
			break
		}
		lo = w.lo + i
	}
	if lo > w.lo {
		w.lo = lo + 1
	}
	for range m.lines + 1 {
		i := bytes.IndexByte(data[hi:w.hi], '\n')
		if i < 0 {
			return w
		}
		hi += i + 1
	}
	w.hi = hi
	return w
}

// addWindow notes a stretch for a rule; stretches that touch become one, so
// that every byte is looked at once however many keywords stand in it.
func (s *scratch) addWindow(rule int, w stretch) {
	s.trail.regex = true
	step := len(s.trail.far) // what trail.end is going to append
	ws := s.windows[rule]
	if len(ws) == 0 {
		s.touched = append(s.touched, rule)
	} else if last := &ws[len(ws)-1]; w.lo <= last.hi && last.lo <= w.hi {
		last.lo, last.hi, last.last = min(last.lo, w.lo), max(last.hi, w.hi), step
		return
	}
	s.windows[rule] = append(ws, window{w, step, step})
}

// runWindows runs the regular expressions over the windows of their rules.
func (s *scratch) runWindows(e *Engine, v *view) {
	slices.Sort(s.touched)
	for _, rule := range s.touched {
		m := e.matchers[rule].m
		for _, w := range mergeWindows(s.windows[rule]) {
			n := len(s.found)
			s.trail.begin(w.lo-shapeBefore, w.hi, n)
			s.runRegex(v, m, w.stretch)
			s.trail.endWindow(w, len(v.data), s.found[n:])
		}
		s.windows[rule] = s.windows[rule][:0]
	}
	s.touched = s.touched[:0]
}

// mergeWindows puts windows in order and together where they touch.
func mergeWindows(ws []window) []window {
	before := func(a, b window) int { return a.lo - b.lo }
	if !slices.IsSortedFunc(ws, before) {
		slices.SortFunc(ws, before)
	}
	merged := ws[:1]
	for _, w := range ws[1:] {
		if last := &merged[len(merged)-1]; w.lo <= last.hi {
			last.hi, last.first, last.last = max(last.hi, w.hi), min(last.first, w.first), max(last.last, w.last)
			continue
		}
		merged = append(merged, w)
	}
	return merged
}

func (s *scratch) runRegex(v *view, m *matcher, w stretch) {
	lo := max(0, w.lo-edge)
	text := v.data[lo:w.hi]
	for _, loc := range m.re.FindAllSubmatchIndex(text, -1) {
		if lo+loc[0] < w.lo && lo > 0 {
			continue
		}
		from, to := loc[0], loc[1]
		if m.secret > 0 && loc[2*m.secret] >= 0 {
			from, to = loc[2*m.secret], loc[2*m.secret+1]
		}
		if from == loc[0] && s.inBlob(v.data, lo+from, lo+to) {
			continue
		}
		id := ""
		if m.id > 0 && loc[2*m.id] >= 0 {
			id = string(text[loc[2*m.id]:loc[2*m.id+1]])
		}
		s.accept(v, m, byRegex, lo+from, lo+to, id)
	}
}

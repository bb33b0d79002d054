package pack

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"
)

// round is what a walk knows of the store's directories. The loose objects are
// listed after the packs, so that git, packing some of them in between, could
// make them vanish from one before they are seen in the other. So the packs are
// listed again in the end, and where there are new ones another round follows,
// over these and the loose objects, for what has not been seen.
type round struct {
	st     *state
	nth    int
	packs  []*packFile // of this round and those before
	tables []*index    // of packs; and, of rounds before, of the loose objects seen
	todo   []*packFile // of this round
	next   int         // in todo
	dups   []bitset    // for each of todo, objects that stand in a table before it
	told   map[string]bool

	looseSeen []tableEntry // in this round; guarded by walk.errMu
}

// maxRounds is how often the packs are listed anew. Each round takes a fraction
// of the one before; it takes somebody who does nothing but repack to get here.
const maxRounds = 10

// settle is how long to wait before something odd in the directories is
// believed: git writes and removes the files of a pack one after the other.
const settle = 50 * time.Millisecond

// after returns the round that follows r; false when there is nothing new.
func (w *walk) after(r round) (round, bool) {
	next, more, err := w.afterGuarded(r)
	if err != nil {
		w.stop(fmt.Errorf("walk object store: %w", err))
		return r, false
	}
	return next, more
}

func (w *walk) afterGuarded(r round) (_ round, more bool, err error) {
	defer guardFault(debug.SetPanicOnFault(true), &err)
	r.nth++
	r.st = w.s.settledState()
	known := map[*packFile]bool{}
	broken := map[string]bool{} // opened anew at each listing, but no news
	for _, p := range r.packs {
		known[p] = true
		broken[p.path] = p.failed()
	}
	r.todo, r.next = nil, 0
	for _, p := range slices.Concat(r.st.packs, r.st.bare) {
		p.open() // if that fails, the plan will say so
		if p.idx == nil {
			w.s.bareIndex(r.st, p)
		}
		if !known[p] && !(p.failed() && broken[p.path]) {
			r.todo = append(r.todo, p)
		}
	}
	if r.told == nil {
		r.told = map[string]bool{}
	}
	for _, c := range r.st.damage() {
		if text := c.Error(); !r.told[text] {
			r.told[text] = true
			w.damaged(c)
		}
	}
	switch {
	case r.nth > 1 && len(r.todo) == 0:
		return r, false, nil
	case r.nth > maxRounds:
		w.damaged(&CorruptError{Pack: w.s.dir, Err: errors.New("the packs change as often as they are listed")})
		r.todo = nil
		return r, false, nil
	}
	if len(r.looseSeen) > 0 {
		r.tables = append(r.tables, newTable(w.s.opt.Format, r.looseSeen))
		r.looseSeen = nil
	}
	before := len(r.tables)
	for _, p := range r.todo {
		r.packs = append(r.packs, p)
		r.tables = append(r.tables, p.table())
	}
	r.dups = findDuplicates(r.tables)[before:]
	return r, true, nil
}

// settledState lists the packs, maps them all, since what is mapped can no
// longer vanish, and has another look if something is odd.
func (s *Store) settledState() *state {
	st, _ := s.reload(s.state.Load(), false)
	for range 4 {
		odd := len(st.problems) > 0
		for _, p := range st.packs {
			if _, err := p.open(); err != nil {
				odd = true
			}
		}
		if !odd {
			break
		}
		time.Sleep(s.settle)
		before := st
		st, _ = s.reload(st, true)
		if len(st.problems) == len(before.problems) && len(st.packs) == len(before.packs) && len(st.bare) == len(before.bare) {
			break // not a matter of time
		}
	}
	return st
}

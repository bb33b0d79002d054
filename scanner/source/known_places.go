package source

import (
	"bytes"
	"slices"

	"github.com/till-sh/till/scanner/pack"
)

// maxLazy is up to how many new commits are compared with their parents one by
// one, instead of going over all trees of the repository.
const maxLazy = 2000

// recall fills places from a record, and from the commits that tips reach since
// then. It reports whether it could: if not, nothing was changed.
//
// It can when the record knows where all objects stand that are wanted, or they
// are new, and all that tips reached then is still reached. A new object stands
// in new trees alone, because of the old ones nothing was missing; and the first
// commit that brought an old one to a path is the one of then or a new one,
// because new commits do not change the order of the old.
func (l *locator) recall() bool {
	h := l.h
	if h.memory == nil || h.memory.known == nil || len(l.names) > 0 {
		return false
	}
	k := h.memory.known
	if !k.placed || k.reread {
		return false
	}
	for id := range l.want {
		if _, ok := k.places[id]; !ok {
			if t, _ := k.lookup(id); t != 0 {
				return false
			}
		}
	}
	at, fresh, ok := h.sinceThen(k)
	if !ok || len(fresh) > maxLazy {
		return false
	}
	l.lazy = true
	for _, c := range fresh {
		l.commit(c)
	}
	if l.unread {
		l.reset()
		return false
	}
	l.asBefore = len(l.places) == 0 && len(l.gone) == 0 && len(l.want) == len(k.places)
	place := make([]int32, len(h.topo)) // in the order
	for i, c := range h.topo {
		place[c] = int32(i)
	}
	for id := range l.want {
		list := l.places[id]
		for _, p := range k.places[id] {
			then := placed{path: p.path, commit: at[p.commit]}
			if key := goneKey(id, p.path); p.gone > 0 {
				if _, again := l.gone[key]; !again { // else it came back, and went again
					l.gone[key] = at[p.gone-1]
				}
			}
			switch i := slices.IndexFunc(list, func(q placed) bool { return q.path == p.path }); {
			case i < 0:
				list = append(list, then)
			case place[then.commit] < place[list[i].commit]:
				list[i] = then
			}
		}
		slices.SortStableFunc(list, func(a, b placed) int { return int(place[a.commit]) - int(place[b.commit]) })
		l.places[id] = list
	}
	return true
}

// sinceThen returns the number of each commit of the record, and the commits
// that are reached now and were not then, parents first; false when one is no
// longer reached.
func (h *History) sinceThen(k *known) (at, fresh []int32, ok bool) {
	then := make([]bool, h.graph.len())
	at = make([]int32, k.graph.len())
	c := int32(0)
	for i := range at { // both are in the order of their ids
		for int(c) < len(then) && bytes.Compare(h.graph.at(int(c)), k.graph.at(i)) < 0 {
			c++
		}
		here := int(c) < len(then) && bytes.Equal(h.graph.at(int(c)), k.graph.at(i))
		at[i] = c
		if inHead := here && h.inHead()[c]; inHead != (k.kinds[pack.TypeCommit].flags[i]&flagHead != 0) {
			return nil, nil, false // HEAD has another past
		}
		if k.kinds[pack.TypeCommit].flags[i]&flagReached != 0 {
			if !here || !h.reached[c] {
				return nil, nil, false
			}
			then[c] = true
		}
	}
	for _, c := range h.topo {
		if h.reached[c] && !then[c] {
			fresh = append(fresh, c)
		}
	}
	return at, fresh, true
}

// reset forgets what was placed.
func (l *locator) reset() {
	l.trees, l.places, l.named, l.seen = map[pack.OID][]*namedEntry{}, map[pack.OID][]placed{}, map[string][]placed{}, map[string]bool{}
	l.gone = map[string]int32{}
	l.lazy, l.unread, l.partial = false, false, false
}

// entries returns those entries of a tree that may lead to what is wanted.
func (l *locator) entries(id pack.OID) []*namedEntry {
	list, ok := l.trees[id]
	if ok || !l.lazy || id.IsZero() || isEmptyObject(id) {
		return list
	}
	if store, err := l.h.repo.Store(); err == nil {
		t, data, err := store.Get(id)
		if err == nil && t == pack.TypeTree {
			it := pack.IterTree(data, l.h.repo.Format)
			for it.Next() {
				if e := it.Entry(); e.Kind() == pack.ModeTree || l.wanted(e) {
					list = append(list, &namedEntry{string(e.Name), e.Mode, e.OID})
				}
			}
			l.unread = l.unread || it.Err() != nil
		} else {
			l.unread = true
		}
	}
	l.trees[id] = list
	return list
}

// keepPlaces notes for the record where everything stands that is reported. No
// path goes into it when there are names in which something was found: these
// are values.
func (m *memory) keepPlaces(h *History, l *locator) {
	if m == nil {
		return
	}
	m.placed = nil
	if l.partial || l.unread || len(l.names) > 0 || h.cutOff() {
		return
	}
	m.gone = l.gone
	m.placed, m.placedAsBefore = make(map[pack.OID][]placed, len(l.want)), l.asBefore
	for id := range l.want {
		m.placed[id] = l.places[id]
	}
}

// cutOff reports whether a commit that a tip reaches lacks a parent. It then
// seems to have brought all that it holds.
func (h *History) cutOff() bool {
	return slices.ContainsFunc(h.graph.cut, func(c cutCommit) bool { return h.reached[c.number] })
}

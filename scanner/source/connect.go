package source

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/till-sh/till/scanner/pack"
)

// root is a tip with its tags taken off.
type root struct {
	tip    tip
	tags   []pack.OID // outermost first
	commit int32      // -1 when it is no commit
	object pack.OID   // the tree or blob, when it is one
	typ    pack.Type
}

// resolveTips finds out what the tips stand for, and which commits they reach.
func (h *History) resolveTips(w *historyWalk) {
	var gone []tip // names that promise nothing: git prunes what they name
	var from []int32
	for _, t := range h.refs.tips {
		r, missing := h.peel(w.store, t)
		switch {
		case missing.IsZero():
		case t.kind == tipPseudo || t.kind == tipReflog:
			gone = append(gone, t)
			continue
		case len(r.tags) > 0:
			w.sum.Errors = append(w.sum.Errors, fmt.Sprintf("read ref %s: its tag %s names object %s, which is missing", t.name, r.tags[len(r.tags)-1], missing))
		default:
			w.sum.Errors = append(w.sum.Errors, fmt.Sprintf("read ref %s: it names object %s, which is missing", t.name, missing))
		}
		if !missing.IsZero() {
			h.damaged = true
		}
		h.roots = append(h.roots, r)
		if r.commit >= 0 {
			from = append(from, r.commit)
		}
	}
	if len(gone) > 0 {
		w.sum.Notes = append(w.sum.Notes, fmt.Sprintf("%d entries of reflogs and pseudo refs name objects that are gone (first: %s, %s)", len(gone), gone[0].name, gone[0].oid))
	}
	h.reached = h.graph.reach(from)
	for i, ok := range h.reached {
		if ok {
			w.sum.Commits++
			if c := int32(i); len(h.graph.parents(c))+len(h.graph.absent(c)) > 1 {
				w.sum.Merges++
			}
		}
	}
	for _, t := range h.refs.tips {
		if t.kind == tipRef {
			w.sum.Refs++
		}
	}
}

// peel follows tags. missing is the object at which that ends, if it is not in
// the store.
func (h *History) peel(store *pack.Store, t tip) (r root, missing pack.OID) {
	r = root{tip: t, commit: -1}
	id := t.oid
	for range maxTagDepth {
		if c, ok := h.graph.find(id); ok {
			r.commit, r.typ = c, pack.TypeCommit
			return r, missing
		}
		tag, ok := h.tags[id]
		if !ok {
			break
		}
		r.tags = append(r.tags, id)
		id = tag.object
	}
	typ, _, err := store.Header(id)
	if err != nil && !store.Has(id) && !isEmptyObject(id) {
		return r, id
	}
	r.object, r.typ = id, typ // an unreadable one was reported by the walk
	return r, missing
}

// maxTagDepth is how many tags of tags are followed. A tag names an object by
// its hash, so they cannot form a circle; git has no limit.
const maxTagDepth = 1 << 16

// maxNamed is how many missing objects are named one by one.
const maxNamed = 1000

// checkConnected makes sure that everything that the tips reach is here, and
// names what is not.
func (h *History) checkConnected(ctx context.Context, w *historyWalk, missing map[pack.OID]struct{}, shallow []pack.OID) error {
	fail := func(format string, args ...any) {
		w.sum.Errors = append(w.sum.Errors, fmt.Sprintf(format, args...))
	}
	boundary := make(map[pack.OID]bool, len(shallow))
	for _, id := range shallow {
		boundary[id] = true
	}
	var ends []pack.OID // where a shallow clone was cut
	for _, c := range h.graph.cut {
		if !h.reached[c.number] {
			continue
		}
		id := h.graph.id(int(c.number))
		if boundary[id] {
			ends = append(ends, id)
			continue
		}
		for _, p := range c.parents {
			if !w.corrupt[p] {
				fail("commit %s is missing; it is a parent of %s", p, id)
				h.damaged = true
			}
		}
	}
	switch {
	case len(ends) > 0:
		h.damaged = true
		fail("the history is shallow: the parents of %d commits are not here (first: %s); git fetch --unshallow brings them (actions/checkout: fetch-depth: 0)", len(ends), ends[0])
	case len(shallow) > 0:
		w.sum.Notes = append(w.sum.Notes, fmt.Sprintf("git is told that the history is shallow below %s; all commits are here all the same, and were read", shallow[0]))
	}
	for _, c := range h.graph.fresh {
		if t := h.graph.tree(c); h.reached[c] && !t.IsZero() && !w.store.Has(t) && !isEmptyObject(t) {
			missing[t] = struct{}{}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return h.nameMissing(ctx, w, missing)
}

// nameMissing reports those missing objects that a tip reaches, with the path
// and commit that want them.
func (h *History) nameMissing(ctx context.Context, w *historyWalk, missing map[pack.OID]struct{}) error {
	ids := slices.SortedFunc(maps.Keys(missing), pack.OID.Compare)
	var lines []string
	if len(ids) > 10*maxNamed {
		// A partial clone, most likely; looking for paths would take longer
		// than it is worth.
		for _, id := range ids {
			lines = append(lines, fmt.Sprintf("object %s is missing", id))
		}
	} else {
		l, err := h.locate(ctx, missing, nil, false)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if places := l.places[id]; len(places) > 0 {
				lines = append(lines, fmt.Sprintf("object %s is missing; %s", id, h.describe(places[0])))
			}
		}
	}
	if len(lines) == 0 {
		return nil // only what nothing reaches is incomplete
	}
	h.damaged = true
	if h.repo.Promisor() {
		w.sum.Errors = append(w.sum.Errors, fmt.Sprintf("this is a partial clone: %d objects are missing, and till does not fetch; git fetch --refetch --no-filter brings them", len(lines)))
	}
	if more := len(lines) - maxNamed; more > 0 {
		lines = append(lines[:maxNamed], fmt.Sprintf("%d more objects are missing", more))
	}
	w.sum.Errors = append(w.sum.Errors, lines...)
	return nil
}

// describe says what a missing object is.
func (h *History) describe(p placed) string {
	what := fmt.Sprintf("%q", p.path)
	if p.path == "" {
		what = "the root tree"
	}
	if p.commit < 0 {
		return fmt.Sprintf("it is %s of %s", what, p.root.tip.name)
	}
	return fmt.Sprintf("it is %s of commit %s", what, h.graph.id(int(p.commit)))
}

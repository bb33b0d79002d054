package source

import (
	"context"
	"hash/maphash"
	"maps"

	"github.com/till-sh/till/scanner/pack"
)

// locator finds the paths and commits of objects and names in a history.
//
// First it finds the trees that hold them, the trees that hold those, and so
// on. All trees are gone over twice, whatever is looked for: going down from
// every commit instead would read most trees several times, and in a bad order.
// Then every commit is compared with its parents, looking at those trees only.
type locator struct {
	h     *History
	want  map[pack.OID]struct{}
	names map[string]bool
	// trees are those on the way to what is wanted, with the entries that lead
	// there.
	trees map[pack.OID][]*namedEntry

	places map[pack.OID][]placed // of objects, oldest first
	gone   map[string]int32      // by object and path: the last commit before HEAD that took it away
	named  map[string][]placed   // of names
	seen   map[string]bool       // object or name, and path

	steps   int  // folders compared for the commit at hand
	partial bool // some commit had too many

	lazy     bool // trees are read when they are looked at
	unread   bool // one of them could not be
	asBefore bool // all places are those of the record
}

const (
	// maxSteps is how many folders are compared for one commit, of those that
	// hold something wanted and have changed. As with maxDiff, trees can stand
	// for more paths than there is time.
	maxSteps = 1 << 17
	// maxPlaces is how many places are kept of one object.
	maxPlaces = 1 << 14
)

// placed is where an object or a name is.
type placed struct {
	path   string
	commit int32 // that brought it; -1 when no commit did
	root   *root // the tag or ref that did then
}

// locate finds where the wanted objects and names stand in what tips reach.
// With unreached, what stands nowhere there is looked for in the other commits.
func (h *History) locate(ctx context.Context, want map[pack.OID]struct{}, names map[string]bool, unreached bool) (*locator, error) {
	l := &locator{
		h: h, want: want, names: names, trees: map[pack.OID][]*namedEntry{},
		places: map[pack.OID][]placed{}, named: map[string][]placed{}, seen: map[string]bool{}, gone: map[string]int32{},
	}
	h.order()
	if unreached || !l.recall() {
		if err := l.findTrees(ctx); err != nil {
			return nil, err
		}
		for _, c := range h.topo {
			if h.reached[c] {
				l.commit(c)
			}
		}
	}
	for i := range h.roots {
		r := &h.roots[i]
		switch {
		case r.commit >= 0:
		case r.typ == pack.TypeTree:
			l.steps = 0
			l.tree("", r.object, nil, placed{commit: -1, root: r}, 0)
		default:
			if _, ok := want[r.object]; ok {
				l.place(r.object, placed{commit: -1, root: r})
			}
		}
	}
	if unreached {
		l.unreached()
	}
	return l, nil
}

// unreached looks through the commits that no tip reaches for what was not
// found elsewhere.
func (l *locator) unreached() {
	places, named := l.places, l.named
	l.places, l.named = map[pack.OID][]placed{}, map[string][]placed{}
	for _, c := range l.h.topo {
		if !l.h.reached[c] {
			l.commit(c)
		}
	}
	maps.Copy(l.places, places)
	maps.Copy(l.named, named)
}

// findTrees fills trees.
func (l *locator) findTrees(ctx context.Context) error {
	up := make([]treeEdges, l.h.workers)
	err := l.walk(ctx, func(e *pack.TreeEntry) bool { return e.Kind() == pack.ModeTree || l.wanted(e) },
		func(worker int, id pack.OID, kept []keptEntry) { up[worker].add(l, id, kept) })
	if err != nil {
		return err
	}
	leads := joinEdges(up)
	for {
		before := len(l.trees)
		err := l.walk(ctx, func(e *pack.TreeEntry) bool {
			return e.Kind() == pack.ModeTree && leads[treeKey(e.OID)] || l.wanted(e)
		}, nil)
		if err != nil {
			return err
		}
		complete := true
		for i := range up {
			complete = complete && !up[i].full
		}
		if complete || len(l.trees) == before {
			return nil
		}
		// Too many trees to remember which holds which: one level at a time.
		for id := range l.trees {
			leads[treeKey(id)] = true
		}
	}
}

// wanted reports whether an entry is one that is looked for.
func (l *locator) wanted(e *pack.TreeEntry) bool {
	if _, ok := l.want[e.OID]; ok {
		return true
	}
	return len(l.names) > 0 && l.names[string(e.Name)]
}

// walk goes over all trees and calls each for those that keep something; without
// each they are put into l.trees.
func (l *locator) walk(ctx context.Context, keep func(e *pack.TreeEntry) bool, each func(worker int, id pack.OID, kept []keptEntry)) error {
	store, err := l.h.repo.Store()
	if err != nil {
		return err
	}
	found := make([]map[pack.OID][]*namedEntry, l.h.workers)
	for i := range found {
		found[i] = map[pack.OID][]*namedEntry{}
	}
	err = store.Walk(ctx, pack.WalkOptions{
		Workers: len(found), Types: []pack.Type{pack.TypeTree},
		OnError: func(*pack.CorruptError) {}, // reported when everything was read
	}, func(n int, o *pack.Object) error {
		if o.Data == nil && o.Size > 0 {
			return nil // reported too
		}
		switch t, err := visitTree(o, l.h.repo.Format, keep); {
		case err != nil || len(t.kept) == 0:
		case each != nil:
			each(n, o.ID, t.kept)
		default:
			list := make([]*namedEntry, len(t.kept))
			for i := range t.kept {
				list[i] = t.kept[i].namedEntry
			}
			found[n][o.ID] = list
		}
		return nil
	})
	for _, f := range found {
		maps.Copy(l.trees, f)
	}
	return err
}

// treeKey stands for a tree. Two trees with the same key, or half of it, only
// mean that one is looked at in vain.
func treeKey(id pack.OID) uint64 { return maphash.Comparable(treeSeed, id) }

var treeSeed = maphash.MakeSeed()

// treeEdges remembers which tree holds which, to be followed upwards.
type treeEdges struct {
	trees []uint64     // keys
	hits  []uint32     // numbers of trees that hold something wanted
	edges [][]treeEdge // in pieces, so that no piece is copied to grow
	full  bool         // there were too many, and none are kept
}

// treeEdge says that a tree holds another one: the upper half of the key of the
// lower tree, and the number of the upper one.
type treeEdge struct{ child, above uint32 }

const (
	// maxEdges is how many edges are remembered, for 12 bytes each. The
	// history of git has 7 million, that of Linux about 150.
	maxEdges = 16 << 20
	// edgePiece is how many of them are allocated at once.
	edgePiece = 1 << 16
)

func (t *treeEdges) add(l *locator, id pack.OID, kept []keptEntry) {
	n := uint32(len(t.trees))
	t.trees = append(t.trees, treeKey(id))
	hit := false
	for i := range kept {
		e := &kept[i]
		if _, ok := l.want[e.id]; ok || len(l.names) > 0 && l.names[e.name] {
			hit = true
		}
		if kindOf(e.mode) == pack.ModeTree && !t.full {
			last := len(t.edges) - 1
			if last < 0 || len(t.edges[last]) == edgePiece {
				if t.full = len(t.edges) >= maxEdges/edgePiece/l.h.workers; t.full {
					t.edges = nil
					continue
				}
				t.edges = append(t.edges, make([]treeEdge, 0, edgePiece))
				last++
			}
			t.edges[last] = append(t.edges[last], treeEdge{uint32(treeKey(e.id) >> 32), n})
		}
	}
	if hit {
		t.hits = append(t.hits, n)
	}
}

// joinEdges returns the keys of all trees that hold something wanted, or hold
// such a tree; without the latter where there were too many edges.
func joinEdges(parts []treeEdges) map[uint64]bool {
	all := treeEdges{}
	for i := range parts {
		p := &parts[i]
		base := uint32(len(all.trees))
		for _, n := range p.hits {
			all.hits = append(all.hits, base+n)
		}
		for _, piece := range p.edges {
			for j := range piece {
				piece[j].above += base
			}
		}
		all.trees = append(all.trees, p.trees...)
		all.edges = append(all.edges, p.edges...)
		p.trees, p.hits, p.edges = nil, nil, nil
	}
	// The edges in the order of a part of their child, and where each part
	// begins.
	shift := 32
	for shift > 4 && 1<<(32-shift) < len(all.edges)*edgePiece/2 {
		shift--
	}
	start := make([]uint32, 1<<(32-shift)+1)
	n := uint32(0)
	for _, piece := range all.edges {
		for _, e := range piece {
			start[e.child>>shift]++
			n++
		}
	}
	for i, sum := 0, uint32(0); i < len(start); i++ {
		start[i], sum = sum, sum+start[i]
	}
	order := make([]uint32, n)
	for i, piece := range all.edges {
		for j, e := range piece {
			order[start[e.child>>shift]] = uint32(i*edgePiece + j)
			start[e.child>>shift]++ // in the end it is where the next one begins
		}
	}
	leads := make(map[uint64]bool, len(all.hits))
	stack := make([]uint64, 0, len(all.hits))
	push := func(key uint64) {
		if !leads[key] {
			leads[key] = true
			stack = append(stack, key)
		}
	}
	for _, n := range all.hits {
		push(all.trees[n])
	}
	for len(stack) > 0 {
		key := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		child := uint32(key >> 32)
		from := uint32(0)
		if child>>shift > 0 {
			from = start[child>>shift-1]
		}
		for _, i := range order[from:start[child>>shift]] {
			if e := all.edges[i/edgePiece][i%edgePiece]; e.child == child {
				push(all.trees[e.above])
			}
		}
	}
	return leads
}

// commit notes what a commit brought: what none of its parents has under the
// same path.
func (l *locator) commit(c int32) {
	g := l.h.graph
	tree := g.tree(c)
	where := placed{commit: c}
	if _, ok := l.want[tree]; ok {
		l.place(tree, where)
	}
	var parents []pack.OID
	for _, p := range g.parents(c) {
		parents = append(parents, g.tree(p))
	}
	l.steps = 0
	if len(l.entries(tree)) > 0 {
		l.tree("", tree, parents, where, 0)
	}
	l.removals(c, tree, parents)
}

// tree compares the kept entries of a tree with those of the parents' trees.
func (l *locator) tree(prefix string, id pack.OID, parents []pack.OID, where placed, depth int) {
	for _, p := range parents {
		if p == id {
			return
		}
	}
	if l.steps++; l.steps > maxSteps || depth > maxTreeDepth {
		l.partial = true
		return
	}
	old := make([]entryLookup, len(parents))
	for i, p := range parents {
		old[i].list = l.entries(p)
	}
	subs := make([]pack.OID, len(parents))
	for _, e := range l.entries(id) {
		sameID, sameName := false, false
		for i := range old {
			subs[i] = pack.OID{}
			if o := old[i].find(e.name); o != nil {
				sameName = true
				sameID = sameID || o.id == e.id
				subs[i] = o.id
			}
		}
		where.path = prefix + e.name
		if l.names[e.name] && !sameName {
			l.name(e.name, where)
		}
		if sameID {
			continue
		}
		if _, ok := l.want[e.id]; ok {
			l.place(e.id, where)
		}
		if kindOf(e.mode) == pack.ModeTree {
			l.tree(where.path+"/", e.id, subs, where, depth+1)
		}
	}
}

// place notes the first commit, in order, that brought an object to a path.
func (l *locator) place(id pack.OID, p placed) {
	l.places[id] = l.add(l.places[id], string(id.Bytes())+"/"+p.path, p)
}

func (l *locator) name(name string, p placed) {
	l.named[name] = l.add(l.named[name], "name/"+p.path, p)
}

func (l *locator) add(list []placed, key string, p placed) []placed {
	if len(list) >= maxPlaces {
		l.partial = true
		return list
	}
	if p.commit >= 0 && l.seen[key] {
		return list
	}
	l.seen[key] = true
	return append(list, p)
}

// at returns the entry at a path below a tree, nil when there is none that was
// kept.
func (l *locator) at(tree pack.OID, path string) *namedEntry {
	list := entryLookup{list: l.entries(tree)}
	for {
		// Hostile names may hold slashes, so all splits are tried.
		if e := list.find(path); e != nil {
			return e
		}
		i := 0
		for i < len(path) && path[i] != '/' {
			i++
		}
		if i == len(path) {
			return nil
		}
		e := list.find(path[:i])
		if e == nil {
			return nil
		}
		list, path = entryLookup{list: l.entries(e.id)}, path[i+1:]
	}
}

// entryLookup finds entries by name. It goes on where it was last, since it is
// asked for names in the order in which they stand in a tree.
type entryLookup struct {
	list []*namedEntry
	next int
}

func (e *entryLookup) find(name string) *namedEntry {
	for i := range e.list {
		j := e.next + i
		if j >= len(e.list) {
			j -= len(e.list)
		}
		if e.list[j].name == name {
			e.next = j + 1
			if e.next == len(e.list) {
				e.next = 0
			}
			return e.list[j]
		}
	}
	return nil
}

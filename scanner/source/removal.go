package source

import "github.com/till-sh/till/scanner/pack"

// removals notes what a commit took away that HEAD has in its past: what all of
// its parents hold under a path, and it does not. What a merge drops that one of
// its sides had dropped before is that side's doing.
func (l *locator) removals(c int32, tree pack.OID, parents []pack.OID) {
	if len(parents) == 0 || !l.h.inHead()[c] {
		return
	}
	for _, p := range parents {
		if p == tree {
			return
		}
	}
	l.removed("", tree, parents, c, 0)
}

// removed compares what the parents' trees have in common with tree.
func (l *locator) removed(prefix string, tree pack.OID, parents []pack.OID, c int32, depth int) {
	if l.steps++; l.steps > maxSteps || depth > maxTreeDepth {
		return // then it is not known when
	}
	now := entryLookup{list: l.entries(tree)}
	others := make([]entryLookup, len(parents)-1)
	for i, p := range parents[1:] {
		others[i].list = l.entries(p)
	}
	below := make([]pack.OID, len(parents))
next:
	for _, e := range l.entries(parents[0]) {
		below[0] = e.id
		var sub pack.OID
		if o := now.find(e.name); o != nil {
			if sub = o.id; sub == e.id {
				continue
			}
		}
		for i := range others {
			o := others[i].find(e.name)
			if o == nil || o.id == sub || o.id != e.id && kindOf(e.mode) != pack.ModeTree {
				continue next
			}
			below[i+1] = o.id
		}
		if _, ok := l.want[e.id]; ok {
			l.gone[goneKey(e.id, prefix+e.name)] = c
		}
		if kindOf(e.mode) == pack.ModeTree {
			l.removed(prefix+e.name+"/", sub, below, c, depth+1)
		}
	}
}

func goneKey(id pack.OID, path string) string { return string(id.Bytes()) + "/" + path }

// inHead marks the commits that HEAD reaches.
func (h *History) inHead() []bool {
	if h.head == nil {
		h.head = make([]bool, h.graph.len())
		if c, ok := h.graph.find(h.refs.head); ok {
			h.head = h.graph.reach([]int32{c})
		}
	}
	return h.head
}

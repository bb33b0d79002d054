package source

import (
	"cmp"
	"slices"

	"github.com/till-sh/till/scanner/pack"
)

// commitNode is what is kept of a commit.
type commitNode struct {
	id, tree pack.OID
	parents  []pack.OID // dropped by newGraph where all of them are here
	time     int64      // of the committer, in seconds since 1970
	people   [2]int32   // author and committer, see people; -1 = not to be looked at
	known    bool       // from a record, and so are its trees and files
}

// nodeOf keeps what is needed of a commit.
func nodeOf(id pack.OID, c *pack.Commit) commitNode {
	n := commitNode{id: id, tree: c.Tree, time: c.Committer.Unix}
	for i := range c.NumParents() {
		n.parents = append(n.parents, c.Parent(i))
	}
	return n
}

// commitGraph is a set of commits, known by number: their place in ids.
type commitGraph struct {
	nodes   []commitNode // ordered by id
	fan     fan
	parents [][]int32 // those that are here
	// cut lists the commits of which a parent is not here.
	cut []int32
}

// newGraph makes a graph of the nodes, which it keeps.
func newGraph(nodes []commitNode) *commitGraph {
	if !sortedByID(nodes) { // as those of a record are
		slices.SortFunc(nodes, func(a, b commitNode) int { return a.id.Compare(b.id) })
	}
	g := &commitGraph{nodes: nodes, parents: make([][]int32, len(nodes))}
	var buf [32]byte
	g.fan = newFan(len(nodes), func(i int) []byte { return nodes[i].id.AppendTo(buf[:0]) })
	total := 0
	for i := range nodes {
		total += len(nodes[i].parents)
	}
	all := make([]int32, 0, total) // one allocation for all lists
	for i := range nodes {
		start := len(all)
		cut := false
		for _, p := range nodes[i].parents {
			if j, ok := g.find(p); ok {
				all = append(all, j)
			} else {
				cut = true
			}
		}
		g.parents[i] = all[start:len(all):len(all)]
		if cut {
			g.cut = append(g.cut, int32(i))
		} else {
			nodes[i].parents = nil // known by number
		}
	}
	return g
}

// find returns the number of a commit.
func (g *commitGraph) find(id pack.OID) (int32, bool) {
	var buf [32]byte
	lo, hi := g.fan.of(id.AppendTo(buf[:0]))
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		switch c := g.nodes[m].id.Compare(id); {
		case c == 0:
			return int32(m), true
		case c < 0:
			lo = m + 1
		default:
			hi = m
		}
	}
	return int32(lo), false
}

func sortedByID(nodes []commitNode) bool {
	for i := range nodes[:max(0, len(nodes)-1)] {
		if nodes[i].id.Compare(nodes[i+1].id) > 0 {
			return false
		}
	}
	return true
}

// reach marks the commits that are reachable from the given ones.
func (g *commitGraph) reach(from []int32) []bool {
	marked := make([]bool, len(g.nodes))
	var stack []int32
	push := func(list []int32) {
		for _, i := range list {
			if !marked[i] {
				marked[i] = true
				stack = append(stack, i)
			}
		}
	}
	push(from)
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		push(g.parents[i])
	}
	return marked
}

// order returns all commits, parents before children, older ones first where
// there is a choice. An index that was forged can make commits seem to be their
// own ancestors; these come last.
func (g *commitGraph) order() []int32 {
	waiting := make([]int32, len(g.nodes)) // parents that have not come yet
	children := g.children()
	var ready commitHeap
	for i, parents := range g.parents {
		if waiting[i] = int32(len(parents)); len(parents) == 0 {
			ready.push(g.dated(int32(i)))
		}
	}
	out := make([]int32, 0, len(g.nodes))
	for len(ready) > 0 {
		i := ready.pop().number
		out = append(out, i)
		for _, c := range children[i] {
			if waiting[c]--; waiting[c] == 0 {
				ready.push(g.dated(c))
			}
		}
	}
	if len(out) < len(g.nodes) {
		var rest []datedCommit
		for i := range g.nodes {
			if waiting[i] > 0 {
				rest = append(rest, g.dated(int32(i)))
			}
		}
		slices.SortFunc(rest, datedCommit.compare)
		for _, c := range rest {
			out = append(out, c.number)
		}
	}
	return out
}

// children lists those of every commit.
func (g *commitGraph) children() [][]int32 {
	count, total := make([]int32, len(g.nodes)), 0
	for _, parents := range g.parents {
		total += len(parents)
		for _, p := range parents {
			count[p]++
		}
	}
	all := make([]int32, total) // one allocation for all lists
	out := make([][]int32, len(g.nodes))
	for p, n := range count {
		out[p], all = all[:0:n], all[n:]
	}
	for i, parents := range g.parents {
		for _, p := range parents {
			out[p] = append(out[p], int32(i))
		}
	}
	return out
}

// datedCommit is a commit in the order in which commits count as older: by time,
// then by id.
type datedCommit struct {
	time   int64
	number int32
}

func (g *commitGraph) dated(i int32) datedCommit { return datedCommit{g.nodes[i].time, i} }

func (a datedCommit) compare(b datedCommit) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.number, b.number))
}

// commitHeap gives the oldest commit first. Package container/heap would allocate
// for each commit.
type commitHeap []datedCommit

func (h *commitHeap) push(c datedCommit) {
	*h = append(*h, c)
	l := *h
	for i := len(l) - 1; i > 0; {
		up := (i - 1) / 2
		if l[i].compare(l[up]) >= 0 {
			break
		}
		l[i], l[up] = l[up], l[i]
		i = up
	}
}

func (h *commitHeap) pop() datedCommit {
	l := *h
	first, n := l[0], len(l)-1
	l[0] = l[n]
	l = l[:n]
	for i := 0; ; {
		least := i
		for down := 2*i + 1; down <= 2*i+2 && down < n; down++ {
			if l[down].compare(l[least]) < 0 {
				least = down
			}
		}
		if least == i {
			break
		}
		l[i], l[least] = l[least], l[i]
		i = least
	}
	*h = l
	return first
}

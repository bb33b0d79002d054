package source

import (
	"cmp"
	"slices"

	"github.com/till-sh/till/scanner/pack"
)

// commitNode is what is kept of a commit.
type commitNode struct {
	id, tree pack.OID // no tree: it is damaged
	parents  []pack.OID
	time     int64    // of the committer, in seconds since 1970
	people   [2]int32 // author and committer, see people; -1 = not to be looked at
	known    bool     // from a record, and so are its trees and files
}

// nodeOf keeps what is needed of a commit.
func nodeOf(id pack.OID, c *pack.Commit) commitNode {
	n := commitNode{id: id, tree: c.Tree, time: c.Committer.Unix}
	for i := range c.NumParents() {
		n.parents = append(n.parents, c.Parent(i))
	}
	return n
}

// commitGraph is a set of commits, known by number: their place in the order of
// ids. What it keeps of each lies in lists, as in the file of a record, so that
// of those that a record knows nothing has to be made anew.
type commitGraph struct {
	idTable
	trees    []byte     // an id for each, one after the other
	treeless []int32    // commits without
	times    []int64    // see commitNode
	people   [][2]int32 // see commitNode; nil when nobody is to be looked at
	above    []int32    // the parents that are here, of all commits
	start    []uint32   // where in above those of each begin, and where the last ones end
	cut      []cutCommit
	fresh    []int32 // the commits that are not from a record
}

// cutCommit is a commit of which parents are not here.
type cutCommit struct {
	number  int32
	parents []pack.OID
}

// newGraph makes a graph of some commits. It puts nodes in order.
func newGraph(nodes []commitNode, format pack.Format) *commitGraph {
	none := &commitGraph{idTable: newIDTable(nil, format), start: []uint32{0}}
	return none.with(nodes)
}

// with returns the graph of the commits of g and others. It puts nodes in order.
func (g *commitGraph) with(nodes []commitNode) *commitGraph {
	slices.SortFunc(nodes, func(a, b commitNode) int { return a.id.Compare(b.id) })
	n := g.len() + len(nodes)
	out := &commitGraph{
		trees: make([]byte, 0, n*g.size), times: make([]int64, 0, n),
		above: make([]int32, 0, len(g.above)+len(nodes)+len(nodes)/2), start: make([]uint32, 1, n+1),
	}
	if g.people != nil || slices.ContainsFunc(nodes, func(n commitNode) bool { return n.people != [2]int32{-1, -1} }) {
		out.people = make([][2]int32, 0, n)
	}
	raw, moved := make([]byte, 0, n*g.size), make([]int32, g.len())
	g.merge(nodes, func(from, to int) {
		raw = append(raw, g.raw[from*g.size:to*g.size]...)
		out.trees = append(out.trees, g.trees[from*g.size:to*g.size]...)
		out.times = append(out.times, g.times[from:to]...)
		if out.people != nil {
			for i := from; i < to; i++ {
				out.people = append(out.people, g.who(i))
			}
		}
		for i := from; i < to; i++ {
			moved[i] = int32(len(out.times) - to + i)
		}
	}, func(node *commitNode) {
		c := int32(len(out.times))
		raw, out.trees, out.times = node.id.AppendTo(raw), node.tree.AppendTo(out.trees), append(out.times, node.time)
		if node.tree.IsZero() {
			out.trees, out.treeless = append(out.trees, make([]byte, g.size)...), append(out.treeless, c)
		}
		if out.people != nil {
			out.people = append(out.people, node.people)
		}
		if !node.known {
			out.fresh = append(out.fresh, c)
		}
	})
	out.idTable = newIDTableOf(raw, g.size)
	for _, c := range g.treeless {
		out.treeless = append(out.treeless, moved[c])
	}
	for _, c := range g.fresh {
		out.fresh = append(out.fresh, moved[c])
	}
	slices.Sort(out.treeless)
	slices.Sort(out.fresh)
	cut := g.cut
	g.merge(nodes, func(from, to int) {
		for i := from; i < to; i++ {
			for _, p := range g.parents(int32(i)) {
				out.above = append(out.above, moved[p])
			}
			var absent []pack.OID
			if len(cut) > 0 && cut[0].number == int32(i) {
				absent, cut = cut[0].parents, cut[1:]
			}
			out.close(absent)
		}
	}, func(node *commitNode) { out.close(node.parents) })
	return out
}

// merge goes through the commits of g and others, in the order of their ids:
// stretches of g, and the others one by one.
func (g *commitGraph) merge(nodes []commitNode, stretch func(from, to int), one func(node *commitNode)) {
	from := 0
	var buf [32]byte
	for i := range nodes {
		to := g.search(nodes[i].id.AppendTo(buf[:0]))
		stretch(from, to)
		one(&nodes[i])
		from = to
	}
	stretch(from, g.len())
}

// close ends the list of parents of the commit that comes next, with those of
// the given ones that are here.
func (g *commitGraph) close(parents []pack.OID) {
	var absent []pack.OID
	for _, p := range parents {
		if j, ok := g.find(p); ok {
			g.above = append(g.above, j)
		} else {
			absent = append(absent, p)
		}
	}
	if len(absent) > 0 {
		g.cut = append(g.cut, cutCommit{int32(len(g.start) - 1), absent})
	}
	g.start = append(g.start, uint32(len(g.above)))
}

// parents returns those of a commit that are here.
func (g *commitGraph) parents(c int32) []int32 { return g.above[g.start[c]:g.start[c+1]] }

// absent returns the parents of a commit that are not here.
func (g *commitGraph) absent(c int32) []pack.OID {
	if i, ok := slices.BinarySearchFunc(g.cut, c, func(a cutCommit, c int32) int { return cmp.Compare(a.number, c) }); ok {
		return g.cut[i].parents
	}
	return nil
}

// tree returns the tree of a commit, the zero OID where that is damaged.
func (g *commitGraph) tree(c int32) pack.OID {
	if _, ok := slices.BinarySearch(g.treeless, c); ok {
		return pack.OID{}
	}
	return pack.OIDFromBytes(g.trees[int(c)*g.size : (int(c)+1)*g.size])
}

// who returns author and committer of a commit.
func (g *commitGraph) who(c int) [2]int32 {
	if g.people == nil {
		return [2]int32{-1, -1}
	}
	return g.people[c]
}

// node returns what is kept of a commit.
func (g *commitGraph) node(c int) commitNode {
	n := commitNode{id: g.id(c), tree: g.tree(int32(c)), time: g.times[c], people: g.who(c), known: true}
	if _, fresh := slices.BinarySearch(g.fresh, int32(c)); fresh {
		n.known = false
	}
	for _, p := range g.parents(int32(c)) {
		n.parents = append(n.parents, g.id(int(p)))
	}
	n.parents = append(n.parents, g.absent(int32(c))...)
	return n
}

// find returns the number of a commit.
func (g *commitGraph) find(id pack.OID) (int32, bool) {
	var buf [32]byte
	i := g.idTable.find(id.AppendTo(buf[:0]))
	return int32(i), i >= 0
}

// reach marks the commits that are reachable from the given ones.
func (g *commitGraph) reach(from []int32) []bool {
	marked := make([]bool, g.len())
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
		push(g.parents(i))
	}
	return marked
}

// order returns all commits, parents before children, older ones first where
// there is a choice. An index that was forged can make commits seem to be their
// own ancestors; these come last.
func (g *commitGraph) order() []int32 {
	waiting := make([]int32, g.len()) // parents that have not come yet
	children, first := g.children()
	var ready commitHeap
	for i := range waiting {
		if waiting[i] = int32(len(g.parents(int32(i)))); waiting[i] == 0 {
			ready.push(g.dated(int32(i)))
		}
	}
	out := make([]int32, 0, g.len())
	for len(ready) > 0 {
		i := ready.pop().number
		out = append(out, i)
		for _, c := range children[first[i]:first[i+1]] {
			if waiting[c]--; waiting[c] == 0 {
				ready.push(g.dated(c))
			}
		}
	}
	if len(out) < g.len() {
		var rest []datedCommit
		for i := range waiting {
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

// children lists those of every commit, and where in the list those of each
// begin.
func (g *commitGraph) children() (list []int32, first []uint32) {
	first = make([]uint32, g.len()+2) // one further on until all are placed
	for _, p := range g.above {
		first[p+2]++
	}
	for i := 2; i < len(first); i++ {
		first[i] += first[i-1]
	}
	list = make([]int32, len(g.above))
	for i := range g.len() {
		for _, p := range g.parents(int32(i)) {
			list[first[p+1]] = int32(i)
			first[p+1]++
		}
	}
	return list, first[:g.len()+1]
}

// datedCommit is a commit in the order in which commits count as older: by time,
// then by id.
type datedCommit struct {
	time   int64
	number int32
}

func (g *commitGraph) dated(i int32) datedCommit { return datedCommit{g.times[i], i} }

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

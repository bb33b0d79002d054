package source

import (
	"encoding/binary"

	"github.com/till-sh/till/scanner/pack"
)

// numbered returns the graph as a record keeps it: with the numbers that people
// have there.
func (g *commitGraph) numbered(number func(int32) int32) *commitGraph {
	out, told := *g, false
	out.fresh, out.people = nil, make([][2]int32, len(g.people))
	for i, both := range g.people {
		out.people[i] = [2]int32{number(both[0]), number(both[1])}
		told = told || out.people[i] != [2]int32{-1, -1}
	}
	if !told { // as nearly always
		out.people = nil
	}
	return &out
}

// graph writes a graph but for the ids of its commits.
func (w *recordWriter) graph(g *commitGraph) {
	w.bytes(g.trees)
	w.number(int64(len(g.treeless)))
	for _, c := range g.treeless {
		w.small(c)
	}
	for _, t := range g.times {
		w.number(t)
	}
	w.flag(g.people != nil)
	for _, both := range g.people {
		w.small(both[0])
		w.small(both[1])
	}
	w.number(int64(len(g.above)))
	for _, p := range g.above {
		w.small(p)
	}
	for _, n := range g.start[1:] {
		w.small(int32(n))
	}
	w.number(int64(len(g.cut)))
	for _, c := range g.cut {
		w.small(c.number)
		w.number(int64(len(c.parents)))
		for _, p := range c.parents {
			w.id(p)
		}
	}
}

// graph reads what recordWriter.graph wrote.
func (r *recordReader) graph(ids idTable, format pack.Format) *commitGraph {
	n := ids.len()
	g := &commitGraph{idTable: ids, trees: r.bytes()}
	below := func(c int32, limit int) int32 {
		if c < 0 || int(c) >= limit {
			r.failed = true
			return 0
		}
		return c
	}
	if len(g.trees) != n*format.Size() {
		r.failed = true
		n = 0
	}
	for range r.count(4) {
		g.treeless = append(g.treeless, below(r.small(), n))
	}
	g.times = make([]int64, n)
	for i := range g.times {
		g.times[i] = r.number()
	}
	if r.flag() {
		g.people = make([][2]int32, n)
		for i := range g.people {
			g.people[i] = [2]int32{r.small(), r.small()}
		}
	}
	g.above = make([]int32, r.count(4))
	for i := range g.above {
		g.above[i] = below(r.small(), n)
	}
	g.start = make([]uint32, n+1)
	for i := range n {
		g.start[i+1] = uint32(below(r.small(), len(g.above)+1))
		r.failed = r.failed || g.start[i+1] < g.start[i]
	}
	r.failed = r.failed || int(g.start[n]) != len(g.above)
	for range r.count(12) {
		c := cutCommit{number: below(r.small(), n)}
		for range r.count(1) {
			c.parents = append(c.parents, r.id())
		}
		g.cut = append(g.cut, c)
	}
	return g
}

// small writes a number of four bytes.
func (w *recordWriter) small(v int32) { w.data = binary.BigEndian.AppendUint32(w.data, uint32(v)) }

func (r *recordReader) small() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

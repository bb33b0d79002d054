package source

import (
	"container/heap"
	"fmt"
	"time"

	"github.com/till-sh/till/scanner/pack"
)

// node is what a walk over commits keeps of one.
type node struct {
	commitNode
	hidden bool // reachable from an excluded commit
	listed bool // taken from the queue, or never put there
}

// commitWalk finds the commits that some tips reach and others do not, reading
// no more of the history than it must.
type commitWalk struct {
	repo    *Repository
	nodes   map[pack.OID]*node
	queue   nodeQueue
	wanted  int // nodes in the queue that are not hidden
	shallow map[pack.OID]bool
	since   time.Time

	// missing are parents that could not be read, with the commit that names
	// them; cut are commits at which a shallow clone ends.
	missing []error
	cut     []pack.OID
}

// nodeQueue is a heap, the newest commit first.
type nodeQueue []*node

func (q nodeQueue) Len() int           { return len(q) }
func (q nodeQueue) Less(i, j int) bool { return q[i].time > q[j].time }
func (q nodeQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *nodeQueue) Push(x any)        { *q = append(*q, x.(*node)) }
func (q *nodeQueue) Pop() any {
	old := *q
	n := old[len(old)-1]
	*q = old[:len(old)-1]
	return n
}

// commitsBetween lists the commits that include reaches and exclude does not,
// parents before children. Tips that cannot be read are an error for include and are left
// out for exclude: without them more is looked at, not less.
func (r *Repository) commitsBetween(include, exclude []pack.OID, since time.Time) (*commitWalk, []*node, error) {
	shallow, err := r.readShallow()
	if err != nil {
		return nil, nil, err
	}
	w := &commitWalk{repo: r, nodes: map[pack.OID]*node{}, shallow: map[pack.OID]bool{}, since: since}
	for _, id := range shallow {
		w.shallow[id] = true
	}
	for _, id := range exclude {
		_ = w.push(id, true)
	}
	for _, id := range include {
		if err := w.push(id, false); err != nil {
			return nil, nil, err
		}
	}
	var kept []commitNode
	for _, n := range w.run() {
		if !n.hidden {
			kept = append(kept, n.commitNode)
		}
	}
	g := newGraph(kept, r.Format)
	list := make([]*node, len(kept))
	for i, c := range g.order() {
		list[i] = w.nodes[g.id(int(c))]
	}
	return w, list, nil
}

// push reads a commit and puts it into the queue; one that is known is only
// hidden, with all that it reaches so far.
func (w *commitWalk) push(id pack.OID, hidden bool) error {
	if n, ok := w.nodes[id]; ok {
		if hidden {
			w.hide(n)
		}
		return nil
	}
	c, err := w.repo.commit(id)
	if err != nil {
		return err
	}
	n := &node{commitNode: nodeOf(id, &c), hidden: hidden}
	w.nodes[id] = n
	if !hidden {
		if n.listed = !w.since.IsZero() && n.time < w.since.Unix(); n.listed {
			return nil
		}
		w.wanted++
	}
	heap.Push(&w.queue, n)
	return nil
}

// hide marks a commit and everything known below it. Clocks that run wrong
// make commits appear in the wrong order, so one may have been listed already.
func (w *commitWalk) hide(n *node) {
	stack := []*node{n}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n.hidden {
			continue
		}
		n.hidden = true
		if !n.listed {
			w.wanted--
		}
		for _, p := range n.parents {
			if known := w.nodes[p]; known != nil {
				stack = append(stack, known)
			}
		}
	}
}

// clockSlop is how long after the last wanted commit the walk goes on to find
// excluded ones whose clock was wrong. Missing one costs time, not safety.
const clockSlop = 24 * 60 * 60

func (w *commitWalk) run() []*node {
	var list []*node
	oldest := int64(1<<63 - 1)
	for len(w.queue) > 0 {
		if w.wanted == 0 && w.queue[0].time < oldest-clockSlop {
			break
		}
		n := heap.Pop(&w.queue).(*node)
		n.listed = true
		if !n.hidden {
			w.wanted--
			list = append(list, n)
			oldest = min(oldest, n.time)
		}
		for _, p := range n.parents {
			if err := w.push(p, n.hidden); err != nil && !n.hidden {
				if w.shallow[n.id] {
					w.cut = append(w.cut, n.id)
				} else {
					w.missing = append(w.missing, fmt.Errorf("parent of commit %s: %w", n.id, err))
				}
			}
		}
	}
	return list
}

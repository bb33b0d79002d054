package pack

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
)

// DefaultMemory is what WalkOptions.Memory means when it is zero. Bases that
// wait for the smaller branches of their tree take a few megabytes in common
// repositories, so that this is met only where files are large.
const DefaultMemory = 128 << 20

// WalkOptions say what Walk reads and how.
type WalkOptions struct {
	// Workers is how many goroutines read, and call fn; 0 means GOMAXPROCS.
	Workers int
	// Types are the types to pass on; none means all.
	Types []Type
	// Want, if not nil, is asked about each object before it is read; the
	// walk passes on those for which it returns true. It is called from
	// several goroutines at once. A pack of which nothing is wanted is not
	// looked into.
	Want func(OID) bool
	// Part, if its Count is over 1, passes on one part of the objects.
	Part Part
	// Memory is how many bytes of bases may wait for their deltas; 0 means
	// DefaultMemory. Above it bases are dropped, and made again when their
	// turn comes.
	Memory int64
	// Verify hashes every object; see the package's documentation on what is
	// verified without it.
	Verify bool
	// OnError is told of everything that cannot be read, from one goroutine
	// at a time; the walk goes on. Without it, the first damage ends the walk
	// and is returned.
	OnError func(*CorruptError)
}

// Part says which part of a store a walk is for: number Index, from 0 up, of
// Count. The parts together are the whole, each object is in one of them, and the
// same files give the same parts.
//
// Part 0 has all commits, trees and tags. The blobs are shared out by the trees
// of their deltas, so that no part inflates what another one passes on, and by
// packed bytes, so that all have about as much to do; loose ones are shared out
// by their ids.
type Part struct{ Index, Count int }

// Object is an object as Walk passes it on.
type Object struct {
	ID   OID
	Type Type
	// Size is the length of the content in bytes.
	Size int64
	// Data is the content. It is nil when Size is over Options.MaxObject; see
	// Open. It is valid only during the call and must not be written to.
	Data []byte
	// Pack names the pack that the object was read from, "" for a loose one.
	Pack string
	// Base is what the object is stored as a delta against, nil when it is
	// stored whole, or its base stands outside of its pack. See Ops.
	Base *Base
	// Value is for fn to set. It is handed to the objects that are deltas
	// against this one, as Base.Value, and forgotten after the last of them.
	Value any

	store *Store
	w     *walker
	delta []byte // instructions
}

// Base is the object that another one is a delta against. It is valid only
// during the call.
type Base struct {
	ID   OID
	Data []byte // not to be written to
	// Passed reports whether fn has been called with the base in this walk;
	// it has not if it was not wanted, or came from another place first.
	Passed bool
	// Value is what fn set in the base's Object.
	Value any
}

// Ops returns the instructions that make Data out of Base.Data, in order and
// without gaps: together they cover Data once. It is empty when Base is nil.
// The slice is valid only during the call of fn.
func (o *Object) Ops() []Op {
	if o.Base == nil || o.w == nil {
		return nil
	}
	if len(o.w.ops) == 0 {
		o.w.ops = parseOps(o.w.ops[:0], o.delta)
	}
	return o.w.ops
}

// Open opens the content for reading in order, as Stream does; it is meant for
// objects whose Data is nil. The reader may be used after the call.
func (o *Object) Open() (io.ReadCloser, error) {
	_, _, r, err := o.store.Stream(o.ID)
	return r, err
}

// Walk calls fn once for every object in the store: all packs, the loose
// objects, and those of the alternates. An object that stands in several places
// is passed on once.
//
// Up to o.Workers goroutines call fn at once; worker, from 0 up, says which,
// so that fn can keep a state for each without locks. The *Object and
// everything in it belong to fn until it returns. The order is not defined,
// save that a base is passed on before the deltas against it. An error of fn
// ends the walk and is returned; so does the end of ctx.
//
// While a walk goes on git may pack what was loose, or unpack what was packed.
// Nothing that was in the store from beginning to end is missed for that.
//
// Each packed object is inflated once. The trees that the deltas of a pack form
// are walked depth first from their roots, the largest branch last, so that a
// chain without side branches holds no more than two objects; idle workers are
// given branches of the trees of others. A base that is needed again after a
// branch is kept, up to o.Memory bytes in all, and made again from its own root
// beyond that. Beside that each worker holds at most an object, its base and its
// delta, none of them over MaxObject (where an object over MaxObject is the base
// of a smaller one, these limits are those of Get), and for each object of a
// pack some 40 bytes are needed while it is planned and 22 while it is read.
func (s *Store) Walk(ctx context.Context, o WalkOptions, fn func(worker int, o *Object) error) error {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Memory <= 0 {
		o.Memory = DefaultMemory
	}
	w := &walk{s: s, opt: o, fn: fn, types: allTypes}
	if len(o.Types) > 0 {
		w.types = 0
		for _, t := range o.Types {
			w.types |= 1 << t
		}
	}
	w.cond.L = &w.mu
	if err := ctx.Err(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { w.stop(context.Cause(ctx)) })
	defer stop()
	first, ok := w.after(round{})
	w.round, w.settled = first, !ok
	var wg sync.WaitGroup
	for i := range o.Workers {
		wg.Go(func() { newWalker(w, i).run() })
	}
	wg.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		return context.Cause(ctx)
	}
	return w.err
}

// typeSet is a set of types, a bit for each.
type typeSet uint8

const allTypes = typeSet(1<<TypeCommit | 1<<TypeTree | 1<<TypeBlob | 1<<TypeTag)

func (m typeSet) has(t Type) bool { return m>>t&1 != 0 }

var errUnwanted = errors.New("object of another type")

// walk is one call of Walk: what its workers share.
type walk struct {
	s     *Store
	opt   WalkOptions
	types typeSet
	fn    func(int, *Object) error
	round

	halt atomic.Bool  // err is set
	idle atomic.Int32 // workers that wait for work

	mu       sync.Mutex
	cond     sync.Cond
	err      error
	busy     int
	branches []branch
	cur      *plan // its roots are being handed out
	planning bool
	loose    int // next of the 256 folders
	settled  bool

	errMu sync.Mutex
}

// branch is a subtree that one worker leaves to another.
type branch struct {
	pl    *plan
	base  *handle
	child uint32
}

// work is what a worker is given: a branch, some roots, or one of the 256 folders
// of loose objects.
type work struct {
	branch
	roots []uint32
	fan   int // 0 to 255
}

// rootsAtOnce is the most roots a worker takes: enough that the lock does not
// matter. Towards the end, and where there are few, as in a repository of large
// files, it takes fewer (see share), so that the last ones are shared out evenly.
const rootsAtOnce = 64

// share is how many of n roots one of the workers takes.
func share(n, workers int) int { return min(rootsAtOnce, 1+n/(8*workers), n) }

// stop ends the walk.
func (w *walk) stop(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	w.halt.Store(true)
	w.cond.Broadcast()
}

func (w *walk) damaged(c *CorruptError) {
	if w.opt.OnError == nil {
		w.stop(c)
		return
	}
	w.errMu.Lock()
	defer w.errMu.Unlock()
	w.opt.OnError(c)
}

// take waits for work and returns it; false when there is none left.
func (w *walker) take(first bool) (work, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !first {
		w.busy--
	}
	for {
		switch {
		case w.err != nil:
			return work{}, false
		case len(w.branches) > 0:
			b := w.branches[len(w.branches)-1]
			w.branches = w.branches[:len(w.branches)-1]
			w.busy++
			return work{branch: b}, true
		case w.cur != nil && len(w.cur.roots) > 0:
			k := share(len(w.cur.roots), w.opt.Workers)
			if w.cur.large > 0 {
				k = 1
				w.cur.large--
			}
			wk := work{branch: branch{pl: w.cur}, roots: w.cur.roots[:k]}
			w.cur.roots = w.cur.roots[k:]
			w.busy++
			return wk, true
		case w.next < len(w.todo) && !w.planning:
			i := w.next
			w.next++
			w.cur, w.planning = nil, true
			w.mu.Unlock()
			pl := w.plan(w.todo[i], w.dups[i])
			w.salvage(pl, w.dups[i])
			w.mu.Lock()
			w.cur, w.planning = pl, false
			w.cond.Broadcast()
		case w.next == len(w.todo) && !w.planning && w.loose < 256:
			w.loose++
			w.busy++
			return work{fan: w.loose - 1}, true
		case w.settled:
			return work{}, false
		case w.busy == 0 && !w.planning:
			w.planning = true
			w.mu.Unlock()
			next, more := w.after(w.round)
			w.mu.Lock()
			w.planning = false
			if w.settled = !more; more {
				w.round, w.loose = next, 0
			}
			w.cond.Broadcast()
		default:
			w.idle.Add(1)
			w.cond.Wait()
			w.idle.Add(-1)
		}
	}
}

// give leaves a branch to an idle worker.
func (w *walk) give(b branch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.branches = append(w.branches, b)
	w.cond.Signal()
}

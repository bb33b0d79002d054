package source

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/pack"
)

// HistoryOptions say what is reported of a history.
type HistoryOptions struct {
	// Unreachable also reports what no ref, HEAD, reflog or pseudo ref reaches:
	// commits dropped long ago, files added and never committed. Without it
	// such keys are counted in Summary.Unreachable.
	Unreachable bool
	// Whole scans every blob whole and makes no use of deltas. The result is the
	// same; it is there to check that.
	Whole bool
	// Shard, if Count is over 1, reads one part of the objects; see
	// [scanner.Shard].
	Shard scanner.Shard
}

// History is everything in the object store of a repository: all blobs, the
// messages, headers and authors of commits, tags, the names of files, folders
// and refs. Every object is read once, whether a ref reaches it or not; which
// commit brought it is found out only for what holds a finding.
type History struct {
	repo *Repository
	opt  HistoryOptions

	record  *Record
	workers int
	refs    *refs
	graph   *commitGraph
	tags    map[pack.OID]tagNode
	roots   []root
	reached []bool       // by number of the commit
	head    []bool       // see inHead
	topo    []int32      // see commitGraph.order; after order
	ordered chan []int32 // where topo is made ahead
	// damaged says that commits, trees or tags could not be read, so that what
	// seems to be unreachable may not be.
	damaged bool
	memory  *memory // for the record; nil without one
	state   []byte  // see Answer
	ahead   *refs   // what Answer has read, for Each
}

// NewHistory returns a source for the whole history of repo.
func NewHistory(repo *Repository, opt HistoryOptions) *History {
	return &History{repo: repo, opt: opt}
}

// UseRecord makes Each leave out what the record of an earlier scan knows, and
// Remember write one. It must come before Each; nil means no record.
func (h *History) UseRecord(r *Record) { h.record = r }

// tagNode is what is kept of a tag object.
type tagNode struct {
	object pack.OID
	typ    pack.Type
	person int32 // see people
}

// historyWalk is one run of History.Each.
type historyWalk struct {
	store   *pack.Store
	format  pack.Format
	fn      func(worker int, b *scanner.Blob) error
	seed    maphash.Seed
	workers []historyWorker
	sum     scanner.Summary
	corrupt map[pack.OID]bool
	known   *known // nil = nothing
	collect bool   // what a record needs
	whole   bool   // see HistoryOptions
	picking bool   // objects come one by one, and nothing is made from another
}

// historyWorker is what one goroutine of a walk needs for itself.
type historyWorker struct {
	walk    *historyWalk
	id      int
	win     windows
	text    []byte // headers are put together here
	delta   scanner.Delta
	seen    hashSet
	names   map[string]pack.OID // and a tree that has it
	people  people
	commits []commitNode
	tags    map[pack.OID]tagNode
	missing map[pack.OID]struct{} // objects that trees name and the store lacks
	blobs   int
	bytes   int64
	errs    []string
	broken  bool              // a commit, tree or tag could not be read
	tree    pack.OID          // the one at hand
	told    bool              // something of the object at hand is reported
	parts   []scanner.Stretch // where
	trace   scanner.Trace
	looked  [5]idList
	spans   map[pack.OID][]foundSpan
}

// Each implements [scanner.Source].
func (h *History) Each(ctx context.Context, workers int, fn func(worker int, b *scanner.Blob) error) (scanner.Summary, error) {
	if err := ctx.Err(); err != nil {
		return scanner.Summary{}, err
	}
	store, err := h.repo.Store()
	if err != nil {
		return scanner.Summary{}, err
	}
	shallow, err := h.repo.readShallow()
	if err != nil {
		return scanner.Summary{}, err
	}
	h.workers, h.graph, h.roots, h.topo, h.ordered, h.head = max(workers, 1), nil, nil, nil, nil, nil
	if h.refs, h.ahead = h.ahead, nil; h.refs == nil {
		h.refs = h.repo.readRefs()
	}
	w := h.newWalk(store, fn)
	if h.opt.Shard.Count > 1 {
		return h.shard(ctx, w, shallow)
	}
	if err := h.recall(w); err != nil {
		return w.sum, err
	}
	if err := w.read(ctx); err != nil {
		return w.sum, err
	}
	return h.conclude(ctx, w, shallow)
}

func (h *History) newWalk(store *pack.Store, fn func(worker int, b *scanner.Blob) error) *historyWalk {
	w := &historyWalk{
		store: store, format: h.repo.Format, fn: fn, seed: maphash.MakeSeed(),
		workers: make([]historyWorker, h.workers), corrupt: map[pack.OID]bool{}, whole: h.opt.Whole,
	}
	for i := range w.workers {
		w.workers[i] = historyWorker{
			walk: w, id: i, names: map[string]pack.OID{}, people: people{number: map[string]int32{}},
			tags: map[pack.OID]tagNode{}, missing: map[pack.OID]struct{}{}, spans: map[pack.OID][]foundSpan{},
		}
	}
	return w
}

// conclude makes the graph of what was read, passes on what stands in no object
// of its own, and looks for what is missing.
func (h *History) conclude(ctx context.Context, w *historyWalk, shallow []pack.OID) (scanner.Summary, error) {
	w.sum.Errors = append(w.sum.Errors, h.refs.problems...)
	all := w.merge()
	h.graph, h.tags = w.graphOf(all), all.tags
	h.damaged = len(w.corrupt) > 0 || all.broken
	if w.known != nil && len(w.known.places) > 0 { // something is going to be attributed
		h.ordered = make(chan []int32, 1)
		go func(g *commitGraph, to chan<- []int32) { to <- g.order() }(h.graph, h.ordered)
	}
	h.resolveTips(w)
	if err := h.passPeople(&all.people, w.fn); err != nil {
		return w.sum, err
	}
	if err := h.passAllNames(all.names, w.fn); err != nil {
		return w.sum, err
	}
	err := h.checkConnected(ctx, w, all.missing, shallow)
	h.memory.finish(h, w, all)
	slices.Sort(w.sum.Errors)
	w.sum.Errors = slices.Compact(w.sum.Errors)
	return w.sum, err
}

// order makes topo.
func (h *History) order() {
	switch {
	case h.topo != nil:
	case h.ordered != nil:
		h.topo = <-h.ordered
	default:
		h.topo = h.graph.order()
	}
}

// damage notes what the walk could not read.
func (w *historyWalk) damage(e *pack.CorruptError) {
	w.sum.Errors = append(w.sum.Errors, e.Error())
	w.corrupt[e.OID] = true // the zero OID for a whole pack
}

// merge puts together what the workers collected.
func (w *historyWalk) merge() *historyWorker {
	all := &w.workers[0]
	for i := range w.workers {
		o := &w.workers[i]
		w.sum.Blobs += o.blobs
		w.sum.Bytes += o.bytes
		w.sum.Errors = append(w.sum.Errors, o.errs...)
		if i == 0 {
			continue
		}
		number := make([]int32, len(o.people.lines))
		for j, line := range o.people.lines {
			number[j] = all.people.add(line)
		}
		for _, n := range o.commits {
			n.people = [2]int32{number[n.people[0]], number[n.people[1]]}
			all.commits = append(all.commits, n)
		}
		for id, t := range o.tags {
			t.person = number[t.person]
			all.tags[id] = t
		}
		maps.Copy(all.names, o.names)
		maps.Copy(all.missing, o.missing)
		for t := range o.looked {
			all.looked[t].join(&o.looked[t])
		}
		maps.Copy(all.spans, o.spans)
		all.broken = all.broken || o.broken
		*o = historyWorker{}
	}
	all.seen, all.win, all.text = hashSet{}, windows{}, nil
	return all
}

func (w *historyWorker) fail(format string, args ...any) {
	w.told = true
	w.errs = append(w.errs, fmt.Sprintf(format, args...))
}

// pass hands a blob to the receiver.
func (w *historyWorker) pass(b *scanner.Blob) error {
	if !w.walk.collect {
		return w.walk.fn(w.id, b)
	}
	b.Trace = &w.trace
	err := w.walk.fn(w.id, b)
	w.told = w.told || w.trace.Told
	w.parts = w.trace.Parts
	if b.Offset > 0 {
		w.parts = nil // it came in several pieces
	}
	return err
}

// object takes one object of the walk. Only an error of fn is returned.
func (w *historyWorker) object(o *pack.Object) error {
	w.told, w.parts = false, nil
	err := w.look(o)
	if err == nil && w.walk.collect {
		w.note(o)
	}
	return err
}

func (w *historyWorker) look(o *pack.Object) error {
	if o.Data == nil && o.Size > 0 && o.Type != pack.TypeBlob {
		w.fail("read object %s: a %s of %d bytes is too large", o.ID, o.Type, o.Size)
		w.broken = true
		return nil
	}
	switch o.Type {
	case pack.TypeBlob:
		return w.blob(o)
	case pack.TypeTree:
		w.tree = o.ID
		if _, err := visitTree(o, w.walk.format, w.entry); err != nil {
			w.fail("%v", err)
			w.broken = true
		}
	case pack.TypeCommit:
		return w.commit(o)
	case pack.TypeTag:
		return w.tag(o)
	}
	return nil
}

func (w *historyWorker) blob(o *pack.Object) error {
	b := scanner.Blob{Hash: o.ID.String()}
	var n int64
	var err error
	if list := w.walk.known.spansOf(o); len(list) > 0 {
		for _, s := range list {
			b.Data, b.Offset, b.Line = o.Data[s.from:s.to], int64(s.from), s.line
			if err := w.pass(&b); err != nil {
				return err
			}
		}
		w.spans[o.ID], w.parts = spansWith(o.Data, list), nil
		w.blobs++
		w.bytes += o.Size
		return nil
	}
	b.Delta = w.deltaOf(o)
	if o.Data != nil || o.Size == 0 {
		n, err = w.win.passData(o.Data, b, w.pass)
	} else {
		r, openErr := o.Open()
		if err = openErr; err == nil {
			n, err = w.win.passStream(r, b, w.pass)
			r.Close()
		}
	}
	if stop := (*stopError)(nil); errors.As(err, &stop) {
		return stop.err
	}
	if err != nil {
		w.fail("%v", objectError(o.ID, err))
		return nil
	}
	o.Value = w.delta.Next
	w.blobs++
	w.bytes += n
	return nil
}

// deltaOf tells the engine how a blob was made from its base. What the scan of
// the base left came with it as its value.
func (w *historyWorker) deltaOf(o *pack.Object) *scanner.Delta {
	if w.walk.whole || w.walk.picking || o.Size > wholeLimit || o.Data == nil {
		w.delta.Next = nil
		return nil
	}
	d := &w.delta
	d.Base, d.Copies, d.Next = nil, d.Copies[:0], nil
	if o.Base != nil {
		d.Base, _ = o.Base.Value.(*scanner.Base)
	}
	if d.Base != nil {
		for _, op := range o.Ops() {
			if op.Copied() {
				d.Copies = append(d.Copies, scanner.Copy(op))
			}
		}
	}
	return d
}

// entry takes an entry of a tree: its name, and whether the object it names is
// here. If that holds for all trees, all that refs reach is here, whatever refs
// there are, so that a sound repository needs no walk from its refs.
func (w *historyWorker) entry(e *pack.TreeEntry) bool {
	if !w.seen.add(maphash.Bytes(w.walk.seed, e.Name) ^ maphash.Comparable(w.walk.seed, e.OID)) {
		return false
	}
	if _, ok := w.names[string(e.Name)]; !ok {
		w.names[string(e.Name)] = w.tree
	}
	if e.Kind() != pack.ModeGitlink && !w.walk.store.Has(e.OID) && !isEmptyObject(e.OID) {
		w.missing[e.OID] = struct{}{}
	}
	return false
}

func (w *historyWorker) commit(o *pack.Object) error {
	c, err := pack.ParseCommit(o.Data)
	if err != nil {
		w.fail("read commit %s: %v", o.ID, err)
		w.broken = true
	}
	if !w.walk.known.has(o.Type, o.ID) {
		n := nodeOf(o.ID, &c)
		n.people = [2]int32{w.people.add(identity(c.Author.Raw)), w.people.add(identity(c.Committer.Raw))}
		w.commits = append(w.commits, n)
	}
	return passCommit(&c, o.ID.String(), &w.text, w.pass)
}

func (w *historyWorker) tag(o *pack.Object) error {
	t, err := pack.ParseTag(o.Data)
	if err != nil {
		w.fail("read tag %s: %v", o.ID, err)
		w.broken = true
	}
	if !w.walk.known.has(o.Type, o.ID) {
		w.tags[o.ID] = tagNode{t.Object, t.Type, w.people.add(identity(t.Tagger.Raw))}
	}
	return passTag(&t, o.ID.String(), &w.text, w.pass)
}

// passAllNames passes on the names of files and folders, each once, and those
// of refs.
func (h *History) passAllNames(names map[string]pack.OID, fn func(worker int, b *scanner.Blob) error) error {
	for _, name := range slices.Sorted(maps.Keys(names)) {
		b := scanner.Blob{Path: name, Where: scanner.InPath, Data: []byte(name), Trace: &scanner.Trace{}}
		if err := fn(0, &b); err != nil {
			return err
		}
		h.memory.name(names[name], b.Trace.Told)
	}
	for _, t := range h.refs.tips {
		if t.kind != tipRef {
			break
		}
		if err := fn(0, &scanner.Blob{Path: t.name, Where: scanner.InRef, Data: []byte(t.name)}); err != nil {
			return err
		}
	}
	return nil
}

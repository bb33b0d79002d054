package source

import (
	"context"
	"slices"

	"github.com/till-sh/till/scanner/pack"
)

// known is what a walk need not read, because an earlier scan did.
type known struct {
	*record
	present [5][]bool // by type and position: the store has it
	again   [5][]bool // it is read all the same
	gone    bool      // the store no longer has something
	reread  bool      // all commits and trees are
	fresh   int       // objects that the record does not list
	stamps  map[string]stamp
	todo    []pack.OID
}

// maxPick is how many objects are fetched one by one rather than by a walk.
const maxPick = 4096

// openKnown compares the record with the store.
func (h *History) openKnown(rec *record, store *pack.Store) (*known, error) {
	k := &known{record: rec, stamps: map[string]stamp{}}
	for t := range k.kinds {
		k.present[t], k.again[t] = make([]bool, len(k.kinds[t].flags)), make([]bool, len(k.kinds[t].flags))
	}
	var in *pack.Pack
	trusted := true
	sound, err := store.List(func(p *pack.Pack, id []byte) {
		if p != in {
			in = p
			trusted = p == nil || k.trusts(p)
		}
		t, i := rec.find(id)
		switch {
		case t == 0:
			k.fresh++
		case !trusted:
			k.present[t][i], k.again[t][i] = true, true
		default:
			k.present[t][i] = true
			if rec.kinds[t].flags[i]&flagTold == 0 || t == pack.TypeBlob && len(rec.spans[uint32(i)]) > 0 {
				return // not read, or see readSpanned
			}
		}
		if len(k.todo) <= maxPick {
			k.todo = append(k.todo, pack.OIDFromBytes(id))
		}
	})
	if err != nil {
		return nil, err
	}
	for t := range k.present {
		k.gone = k.gone || slices.Contains(k.present[t], false)
	}
	k.reread = k.gone || !rec.connected || !sound || !rec.sound
	return k, nil
}

// trusts reports whether what a pack holds is what was read when the record was
// made: it is the file of then, or sound by its checksum, as after a repack.
func (k *known) trusts(p *pack.Pack) bool {
	s, err := stampOf(p)
	if err != nil {
		return p.Verify() == nil
	}
	if old, ok := k.record.stamps[p.Path]; (!ok || old != s) && p.Verify() != nil {
		return false
	}
	k.stamps[p.Path] = s
	return true
}

// lookup is find for an OID.
func (k *known) lookup(id pack.OID) (t pack.Type, i int) {
	var buf [32]byte
	return k.find(id.AppendTo(buf[:0]))
}

// want reports whether an object is to be read; blobs with spans are not, see
// readSpanned.
func (k *known) want(id pack.OID) bool {
	t, i := k.lookup(id)
	return t == 0 || k.wants(t, i) && !(t == pack.TypeBlob && k.spanned(i))
}

func (k *known) wants(t pack.Type, i int) bool {
	return k.again[t][i] || k.kinds[t].flags[i]&flagTold != 0 || k.reread && (t == pack.TypeCommit || t == pack.TypeTree)
}

// has reports whether a commit or tag need not be parsed.
func (k *known) has(t pack.Type, id pack.OID) bool {
	if k == nil {
		return false
	}
	typ, i := k.lookup(id)
	return typ == t && k.keeps(t, i)
}

// spansOf returns where something was found in a blob, if only that has to be
// looked at again.
func (k *known) spansOf(o *pack.Object) []span {
	if k == nil {
		return nil
	}
	t, i := k.lookup(o.ID)
	if t != pack.TypeBlob || k.again[t][i] {
		return nil
	}
	list := k.spans[uint32(i)]
	if n := len(list); n > 0 && list[n-1].to > len(o.Data) {
		return nil
	}
	return list
}

// keeps reports whether what the record says of a commit or tag is used.
func (k *known) keeps(t pack.Type, i int) bool {
	return k.present[t][i] && !k.again[t][i] && (t == pack.TypeTag || !k.reread)
}

// read passes on the objects of the store: all of them, or those that no record
// knows.
func (w *historyWalk) read(ctx context.Context) error {
	o := pack.WalkOptions{Workers: len(w.workers), OnError: w.damage}
	fn := func(n int, o *pack.Object) error { return w.workers[n].object(o) }
	k := w.known
	if k == nil {
		return w.store.Walk(ctx, o, fn)
	}
	todo, err := w.readSpanned(ctx)
	if err != nil {
		return err
	}
	if todo = distinct(append(todo, k.todo...)); k.reread || len(todo) > maxPick {
		o.Want = k.want
		return w.store.Walk(ctx, o, fn)
	}
	w.picking = true
	failed, err := w.store.Pick(ctx, todo, o.Workers, fn)
	w.picking = false
	if err != nil || len(failed) == 0 {
		return err
	}
	o.Want = func(id pack.OID) bool { return slices.Contains(failed, id) }
	return w.store.Walk(ctx, o, fn)
}

func distinct(ids []pack.OID) []pack.OID {
	slices.SortFunc(ids, pack.OID.Compare)
	return slices.Compact(ids)
}

// graphOf returns the graph of the commits that were collected and of those that
// the record knows, and adds what else it knows to what was collected.
func (w *historyWalk) graphOf(all *historyWorker) *commitGraph {
	k := w.known
	if k == nil {
		return newGraph(all.commits, w.format)
	}
	for i, n := range k.kinds[pack.TypeBlob].sizes {
		if k.present[pack.TypeBlob][i] && !k.wants(pack.TypeBlob, i) {
			w.sum.Blobs++
			w.sum.Bytes += n
		}
	}
	number := w.knownPeople(&all.people)
	person := func(p int32) int32 {
		if p < 0 || int(p) >= len(number) {
			return -1
		}
		return number[p]
	}
	for i, both := range k.graph.people {
		k.graph.people[i] = [2]int32{person(both[0]), person(both[1])}
	}
	for i, t := range k.record.tags {
		if k.keeps(pack.TypeTag, i) {
			t.person = person(t.person)
			all.tags[k.kinds[pack.TypeTag].id(i)] = t
		}
	}
	whole := true
	for i := range k.graph.len() {
		whole = whole && k.keeps(pack.TypeCommit, i)
	}
	switch {
	case !whole: // seldom
		return newGraph(append(k.keptNodes(), all.commits...), w.format)
	case len(all.commits) == 0:
		return k.graph
	}
	return k.graph.with(all.commits)
}

// keptNodes returns the commits of the record that keeps names.
func (k *known) keptNodes() (nodes []commitNode) {
	for i := range k.graph.len() {
		if k.keeps(pack.TypeCommit, i) {
			nodes = append(nodes, k.graph.node(i))
		}
	}
	return nodes
}

// knownPeople reads the author lines that are reported, each from one object
// that has it, and returns their numbers.
func (w *historyWalk) knownPeople(p *people) []int32 {
	k := w.known
	number := make([]int32, k.people)
	for i := range number {
		number[i] = -1
	}
	note := func(who int32, id pack.OID, line func([]byte) []byte) {
		if who < 0 || int(who) >= len(number) || number[who] >= 0 {
			return
		}
		_, data, err := w.store.Get(id)
		if err != nil {
			w.sum.Errors = append(w.sum.Errors, objectError(id, err).Error())
			return
		}
		number[who] = p.add(identity(line(data)))
	}
	for i, both := range k.graph.people {
		if both == [2]int32{-1, -1} || !k.keeps(pack.TypeCommit, i) {
			continue
		}
		for role, who := range both {
			note(who, k.graph.id(i), func(data []byte) []byte {
				c, _ := pack.ParseCommit(data) // it was in order then
				return [2][]byte{c.Author.Raw, c.Committer.Raw}[role]
			})
		}
	}
	for i, t := range k.record.tags {
		if k.keeps(pack.TypeTag, i) {
			note(t.person, k.kinds[pack.TypeTag].id(i), func(data []byte) []byte {
				t, _ := pack.ParseTag(data)
				return t.Tagger.Raw
			})
		}
	}
	return number
}

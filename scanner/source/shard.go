package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/pack"
)

// shard reads one part of the store. The first one has all that is not the
// content of files: messages, headers, authors, names, refs, and whether
// anything is missing. The others read blobs, and commits only when something
// was found.
func (h *History) shard(ctx context.Context, w *historyWalk, shallow []pack.OID) (scanner.Summary, error) {
	s := h.opt.Shard
	of, err := h.stateOf(w.store)
	if err != nil {
		return w.sum, fmt.Errorf("list object store: %w", err)
	}
	w.sum.Shard = &scanner.Shard{Index: s.Index, Count: s.Count, Of: of}
	o := pack.WalkOptions{Workers: len(w.workers), OnError: w.damage, Part: pack.Part{Index: s.Index - 1, Count: s.Count}}
	if err := w.store.Walk(ctx, o, func(n int, o *pack.Object) error { return w.workers[n].object(o) }); err != nil {
		return w.sum, err
	}
	if s.Index == 1 {
		return h.conclude(ctx, w, shallow)
	}
	w.merge()
	slices.Sort(w.sum.Errors)
	w.sum.Errors = slices.Compact(w.sum.Errors)
	return w.sum, nil
}

// stateOf stands for everything that a history scan depends on: two shards with
// the same are parts of one whole.
func (h *History) stateOf(store *pack.Store) (string, error) {
	packs, _ := store.Packs()
	var lines []string
	for _, p := range packs {
		sum, err := p.Checksum()
		if err != nil {
			return "", err
		}
		lines = append(lines, fmt.Sprintf("pack %x", sum))
	}
	if _, err := store.List(func(in *pack.Pack, id []byte) {
		if in == nil {
			lines = append(lines, fmt.Sprintf("loose %x", id))
		}
	}); err != nil {
		return "", err
	}
	for _, t := range h.refs.tips {
		lines = append(lines, fmt.Sprintf("tip %q %s", t.name, t.oid))
	}
	slices.Sort(lines)
	sum := sha256.New()
	for _, l := range lines {
		fmt.Fprintln(sum, l)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16]), nil
}

// needGraph reads commits, tags and trees where Each did not. What is damaged
// among them is for the first shard to say.
func (h *History) needGraph(ctx context.Context) error {
	if h.graph != nil {
		return nil
	}
	store, err := h.repo.Store()
	if err != nil {
		return err
	}
	shallow, err := h.repo.readShallow()
	if err != nil {
		return err
	}
	w := h.newWalk(store, func(int, *scanner.Blob) error { return nil })
	o := pack.WalkOptions{Workers: len(w.workers), OnError: w.damage, Types: []pack.Type{pack.TypeCommit, pack.TypeTree, pack.TypeTag}}
	if err := store.Walk(ctx, o, func(n int, o *pack.Object) error { return w.workers[n].object(o) }); err != nil {
		return err
	}
	_, err = h.conclude(ctx, w, shallow)
	return err
}

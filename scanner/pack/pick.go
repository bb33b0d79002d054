package pack

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Pick calls fn for the objects that are named, as Walk does for all, but fetches
// them one by one. For a few hundred objects of a large store that is faster
// than a Walk that wants only these, since no pack is planned; for many it is
// slower, since bases are made again and again.
//
// Workers is as in WalkOptions; the order is not defined. What is not in the
// store (any more) is left out. What could not be read is returned in failed: a
// Walk for these objects says why.
func (s *Store) Pick(ctx context.Context, ids []OID, workers int, fn func(worker int, o *Object) error) (failed []OID, err error) {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ids = s.inOrder(ids)
	var next atomic.Int64
	var mu sync.Mutex
	var wg sync.WaitGroup
	stop := func(e error) {
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			err = e
		}
		next.Store(int64(len(ids)))
	}
	for n := range workers {
		wg.Go(func() {
			for {
				i := next.Add(pickAtOnce) - pickAtOnce
				if i >= int64(len(ids)) {
					return
				}
				for _, id := range ids[i:min(i+pickAtOnce, int64(len(ids)))] {
					if ctx.Err() != nil {
						stop(context.Cause(ctx))
						return
					}
					o, err := s.object(id)
					switch {
					case errors.Is(err, ErrNotFound):
					case err != nil:
						mu.Lock()
						failed = append(failed, id)
						mu.Unlock()
					default:
						if err := fn(n, o); err != nil {
							stop(err)
							return
						}
					}
				}
			}
		})
	}
	wg.Wait()
	return failed, err
}

// pickAtOnce is how many objects a worker takes: versions of one file lie beside
// each other in a pack, and have bases in common.
const pickAtOnce = 16

// inOrder returns the ids in the order in which they lie in the packs.
func (s *Store) inOrder(ids []OID) []OID {
	type at struct {
		pack int
		off  int64
		id   OID
	}
	list := make([]at, len(ids))
	packs := s.state.Load().packs
	for i, id := range ids {
		list[i] = at{len(packs), 0, id}
		for n, p := range packs {
			if off, ok := p.find(&id); ok {
				list[i].pack, list[i].off = n, off
				break
			}
		}
	}
	slices.SortFunc(list, func(a, b at) int {
		return cmp.Or(cmp.Compare(a.pack, b.pack), cmp.Compare(a.off, b.off), a.id.Compare(b.id))
	})
	out := make([]OID, len(list))
	for i := range list {
		out[i] = list[i].id
	}
	return out
}

// object fetches one object as Walk passes it on.
func (s *Store) object(id OID) (*Object, error) {
	t, data, err := s.Get(id)
	if err == nil {
		return &Object{ID: id, Type: t, Size: int64(len(data)), Data: data, store: s}, nil
	}
	if !errors.Is(err, ErrTooLarge) {
		return nil, err
	}
	t, size, err := s.Header(id)
	if err != nil {
		return nil, err
	}
	return &Object{ID: id, Type: t, Size: size, store: s}, nil
}

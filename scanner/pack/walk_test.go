package pack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestWalkTypes(t *testing.T) {
	r := newRepo(t, SHA1)
	r.fill(1, "main", 30)
	r.git("repack", "-adfq")
	r.fill(2, "other", 10)
	unpackSome(r)
	all := r.all()
	s := r.open(Options{})
	for _, types := range [][]Type{{TypeBlob}, {TypeCommit, TypeTag}, {TypeTree, TypeBlob}} {
		want := map[OID]content{}
		for id, c := range all {
			if slices.Contains(types, c.typ) {
				want[id] = c
			}
		}
		got := walkAll(t, s, WalkOptions{Types: types})
		sameObjects(t, got.all, want)
	}
}

// unpackSome adds loose objects.
func unpackSome(r *repo) {
	r.gitIn("loose", "hash-object", "-w", "--stdin")
	r.git("commit-tree", "-m", "loose", r.git("mktree"))
}

// TestWalkWant leaves objects out, so that the bases of others are not passed on.
func TestWalkWant(t *testing.T) {
	r := newRepo(t, SHA1)
	r.fill(1, "main", 60)
	r.git("repack", "-adfq")
	unpackSome(r)
	s := r.open(Options{})
	want := map[OID]content{}
	for id, c := range r.all() {
		if id.b[5]%3 == 0 {
			want[id] = c
		}
	}
	got := walkAll(t, s, WalkOptions{Want: func(id OID) bool { return id.b[5]%3 == 0 }})
	sameObjects(t, got.all, want)
	if len(got.errs) > 0 {
		t.Error(got.errs)
	}
}

// TestWalkTrees walks trees of deltas of all shapes with many workers and little
// memory.
func TestWalkTrees(t *testing.T) {
	for seed := range uint64(12) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		b := newBuilder(t, SHA1)
		type node struct {
			off  int64
			data []byte
		}
		var nodes []node
		want := map[OID]content{}
		bushy := []float64{0, 0.1, 0.5, 1}[seed%4] // how likely a base is any, not the last
		for i := range 1500 {
			if i%500 == 0 {
				data := make([]byte, 3000)
				for k := range data {
					data[k] = byte(rnd.Uint32())
				}
				id, off := b.whole(TypeBlob, data)
				nodes = append(nodes, node{off, data})
				want[id] = content{TypeBlob, string(data)}
				continue
			}
			base := nodes[len(nodes)-1]
			if rnd.Float64() < bushy {
				base = nodes[rnd.IntN(len(nodes))]
			}
			at := rnd.IntN(len(base.data))
			text := fmt.Sprintf("<%d>", i)
			data := slices.Concat(base.data[:at], []byte(text), base.data[at:])
			id := newHasher(SHA1).object(TypeBlob, data)
			n := uint64(len(base.data))
			d := delta(n, n+uint64(len(text)), copyOps(0, at), insert(text), copyOps(at, len(base.data)-at))
			off := int64(0)
			if rnd.IntN(5) == 0 {
				off = b.raw(id, refDelta, uint64(len(d)), newHasher(SHA1).object(TypeBlob, base.data).Bytes(), stored(d))
			} else {
				off = b.raw(id, ofsDelta, uint64(len(d)), distance(int64(len(b.buf))-base.off), stored(d))
			}
			nodes = append(nodes, node{off, data})
			want[id] = content{TypeBlob, string(data)}
		}
		s := b.store(Options{})
		for _, memory := range []int64{1, 20000, 0} {
			got := walkAll(t, s, WalkOptions{Memory: memory})
			for _, c := range got.errs {
				t.Error(c)
			}
			sameObjects(t, got.all, want)
			if got.based != 1500-3 {
				t.Errorf("seed %d, memory %d: %d objects with a base", seed, memory, got.based)
			}
		}
	}
}

func copyOps(from, n int) []byte {
	if n == 0 {
		return nil
	}
	return copyFrom(uint32(from), uint32(n))
}

// TestWalkShares has one tree of deltas only, which must still keep all workers
// busy.
func TestWalkShares(t *testing.T) {
	b := newBuilder(t, SHA1)
	_, off := b.whole(TypeBlob, []byte("root"))
	for i := range 40 {
		text := fmt.Sprint("branch ", i)
		d := delta(4, uint64(len(text)), insert(text))
		o := b.raw(blobID(text), ofsDelta, uint64(len(d)), distance(int64(len(b.buf))-off), stored(d))
		for k := range 5 {
			leaf := fmt.Sprint("leaf ", i, k)
			d := delta(uint64(len(text)), uint64(len(leaf)), insert(leaf))
			b.raw(blobID(leaf), ofsDelta, uint64(len(d)), distance(int64(len(b.buf))-o), stored(d))
		}
	}
	s := b.store(Options{})
	var mu sync.Mutex
	seen := map[int]int{}
	err := s.Walk(context.Background(), WalkOptions{Workers: 3}, func(worker int, o *Object) error {
		time.Sleep(time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		seen[worker]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != 3 || seen[0]+seen[1]+seen[2] != 241 {
		t.Errorf("objects by worker: %v", seen)
	}
	for w, n := range seen {
		if n < 20 {
			t.Errorf("worker %d had %d of 241 objects", w, n)
		}
	}
}

func TestWalkStops(t *testing.T) {
	r := newRepo(t, SHA1)
	r.fill(1, "main", 60)
	r.git("repack", "-adfq")
	unpackSome(r)
	s := r.open(Options{})
	stop := errors.New("enough")
	for _, after := range []int32{1, 5, 100} {
		var n atomic.Int32
		err := s.Walk(context.Background(), WalkOptions{Workers: 2}, func(int, *Object) error {
			if n.Add(1) >= after {
				return stop
			}
			return nil
		})
		if err != stop {
			t.Errorf("after %d: %v", after, err)
		}
		if got := n.Load(); got > after+1 { // each of the two may have been at it
			t.Errorf("after %d: called %d times", after, got)
		}
		ctx, cancel := context.WithCancelCause(context.Background())
		n.Store(0)
		err = s.Walk(ctx, WalkOptions{Workers: 2}, func(int, *Object) error {
			if n.Add(1) == after {
				cancel(stop)
			}
			return nil
		})
		if err != stop {
			t.Errorf("cancelled after %d: %v", after, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := s.Walk(ctx, WalkOptions{}, func(int, *Object) error { t.Error("called"); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
}

// TestWalkFirstError has nobody to tell about damage.
func TestWalkFirstError(t *testing.T) {
	b := newBuilder(t, SHA1)
	b.whole(TypeBlob, []byte("sound"))
	bad := b.raw(fakeID(1), uint8(TypeBlob), 3, nil, []byte("no zlib stream at all"))
	err := b.store(Options{}).Walk(context.Background(), WalkOptions{}, func(int, *Object) error { return nil })
	var c *CorruptError
	if !errors.As(err, &c) || c.OID != fakeID(1) || c.Offset != bad {
		t.Errorf("got %v", err)
	}
}

// TestConcurrentGet also proves that the cache of bases is not handed out.
func TestConcurrentGet(t *testing.T) {
	r := newRepo(t, SHA1)
	r.fill(1, "main", 40)
	r.git("repack", "-adfq")
	r.fill(2, "other", 10)
	want := r.all()
	s := r.open(Options{})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(i), 1))
			ids := sortedIDs(want)
			rnd.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
			for _, id := range ids {
				typ, data, err := s.Get(id)
				if err != nil || (content{typ, string(data)}) != want[id] {
					t.Errorf("get %s: %v", id, err)
				}
				for k := range data {
					data[k] = 0xff // the slice is the caller's
				}
			}
		})
	}
	wg.Wait()
	for id, w := range want {
		if _, data, err := s.Get(id); err != nil || !bytes.Equal(data, []byte(w.data)) {
			t.Errorf("get %s after others have overwritten their slices: %v", id, err)
		}
	}
}

func TestBuffers(t *testing.T) {
	last := 0
	for n := 0; n < 1<<22; n += 1 + n/37 {
		class, size := sizeClass(n)
		if size < n || size > 1024 && size > n+n/4 {
			t.Fatalf("%d bytes: class of %d", n, size)
		}
		if again, s := sizeClass(size); again != class || s != size {
			t.Fatalf("a buffer of %d bytes belongs to class %d of %d bytes, made for %d of %d", size, again, s, class, size)
		}
		if class < last {
			t.Fatalf("classes out of order at %d", n)
		}
		last = class
	}
	var b buffers
	x := b.get(5000)
	b.put(x)
	if y := b.get(4500); &y[0] != &x[0] {
		t.Error("a buffer was not used again")
	}
	b.put(make([]byte, 0, 5001)) // not one of ours
	if b.held != 0 {
		t.Errorf("%d bytes held", b.held)
	}
}

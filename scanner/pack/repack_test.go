package pack

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestRepackMeanwhile reads from a store that is repacked after it was opened.
func TestRepackMeanwhile(t *testing.T) {
	ways := map[string]func(s *Store, want map[OID]content) map[OID]content{
		"get": func(s *Store, want map[OID]content) map[OID]content {
			got := map[OID]content{}
			for id := range want {
				typ, data, err := s.Get(id)
				if err != nil {
					t.Errorf("get %s: %v", id, err)
				}
				got[id] = content{typ, string(data)}
			}
			return got
		},
		"walk": func(s *Store, _ map[OID]content) map[OID]content {
			got := walkAll(t, s, WalkOptions{})
			for _, c := range got.errs {
				t.Error(c)
			}
			return got.all
		},
		"has": func(s *Store, want map[OID]content) map[OID]content {
			for id := range want {
				if !s.Has(id) {
					t.Errorf("has %s: false", id)
				}
			}
			return want
		},
	}
	for name, read := range ways {
		t.Run(name, func(t *testing.T) {
			r := newRepo(t, SHA1)
			r.fill(1, "a", 20)
			r.fill(2, "b", 20)
			unused, used := r.open(Options{}), r.open(Options{})
			read(used, r.all()) // maps the packs
			before := r.packs()
			r.git("repack", "-adfq")
			if now := r.packs(); len(now) != 1 || slices.Contains(before, now[0]) {
				t.Fatalf("packs after a repack: %q, before: %q", now, before)
			}
			r.fill(3, "c", 5)
			want := r.all()
			sameObjects(t, read(unused, want), want)
			sameObjects(t, read(used, want), want)
		})
	}
}

// TestRepackRace reads while git repacks, prunes and adds: whatever was there at
// the beginning must be found at any time.
func TestRepackRace(t *testing.T) {
	r := newRepo(t, SHA1)
	r.fill(1, "main", 20)
	unpackSome(r)
	r.git("update-ref", "refs/heads/loose", r.git("commit-tree", "-m", "x", "main^{tree}"))
	r.git("prune")
	want := r.all()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			args := [][]string{
				{"repack", "-adfq"}, {"repack", "-adFq", "--depth=2"}, {"commit-tree", "-m", fmt.Sprint(i), "main^{tree}"}, {"repack", "-dlq"},
				{"multi-pack-index", "write"}, {"-c", "gc.auto=1", "gc", "-q", "--prune=now"},
			}[i%6]
			if out, err := r.command(args...).CombinedOutput(); err != nil {
				t.Errorf("git %q: %v\n%s", args, err, out)
				return
			}
		}
	})
	s := r.open(Options{})
	s.settle = settle
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end) && !t.Failed(); {
		fresh, err := Open(r.objects(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*Store{s, fresh} {
			got := walkAll(t, s, WalkOptions{})
			for _, c := range got.errs {
				t.Error(c)
			}
			for id, w := range want {
				if got.all[id] != w {
					t.Errorf("walk: %s %s was not found", w.typ, id)
				}
				if typ, data, err := s.Get(id); err != nil || (content{typ, string(data)}) != w {
					t.Errorf("get %s: %v", id, err)
				}
			}
		}
		fresh.Close()
	}
	close(stop)
	wg.Wait()
}

package pack

import (
	"context"
	"os"
	"testing"
)

// benchStore opens the objects directory that PACK_BENCH names, or else a
// repository made for the purpose.
func benchStore(b *testing.B) *Store {
	dir := os.Getenv("PACK_BENCH")
	if dir == "" {
		r := newRepo(b, SHA1)
		r.fill(1, "main", 1500)
		r.git("repack", "-adfq")
		dir = r.objects()
	}
	s, err := Open(dir, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

// Git's own repository (849,014 objects, 82,000 commits in the history, one pack
// of 496 MB, 14.1 GB of content), two cores of an AMD EPYC, Go 1.26, three runs:
//
//	git cat-file --batch-all-objects --batch --unordered --buffer >/dev/null
//	    13.1 to 14.4 s, 13.1 s of CPU, 708 MB resident (git 2.39)
//	all       2.1 to 2.3 s, 4.0 s of CPU, 250 MB resident, with the ops of all deltas
//	blobs     2.0 to 2.5 s, 2.5 s of CPU (on a machine that did other things too)
//	verify    5.5 s, 10 s of CPU
func BenchmarkWalk(b *testing.B) {
	s := benchStore(b)
	for _, bench := range []struct {
		name string
		o    WalkOptions
	}{
		{"all", WalkOptions{}},
		{"blobs", WalkOptions{Types: []Type{TypeBlob}}},
		{"one worker", WalkOptions{Workers: 1}},
		{"verify", WalkOptions{Verify: true}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			sizes := make([]int64, 1024)
			for b.Loop() {
				clear(sizes)
				err := s.Walk(context.Background(), bench.o, func(worker int, o *Object) error {
					sizes[worker*8] += o.Size
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			total := int64(0)
			for _, n := range sizes {
				total += n
			}
			b.SetBytes(total)
		})
	}
}

func BenchmarkGet(b *testing.B) {
	s := benchStore(b)
	var ids []OID
	x := s.state.Load().packs[0].idx
	for i := range min(x.n, 5000) {
		ids = append(ids, x.id(i))
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, _, err := s.Get(ids[i%len(ids)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

package pack

import (
	"maps"
	"testing"
)

// TestWalkParts: the parts are disjoint and together the whole, whatever the
// store is made of.
func TestWalkParts(t *testing.T) {
	for _, format := range []Format{SHA1, SHA256} {
		r := newRepo(t, format)
		r.fill(1, "main", 60)
		for _, layout := range []string{"loose", "packed", "no deltas", "packs and loose"} {
			switch layout {
			case "packed":
				r.git("repack", "-adfq")
			case "no deltas":
				r.git("repack", "-adfq", "--depth=0")
			case "packs and loose":
				r.git("repack", "-adfq")
				r.fill(2, "other", 10)
				r.git("repack", "-dq")
				unpackSome(r)
			}
			s := r.open(Options{})
			want := r.all()
			for _, n := range []int{2, 3, 8, 50} {
				got := map[OID]content{}
				for i := range n {
					part := walkAll(t, s, WalkOptions{Part: Part{i, n}})
					if len(part.errs) > 0 {
						t.Fatal(part.errs)
					}
					for id, c := range part.all {
						if _, twice := got[id]; twice {
							t.Fatalf("%s %s: %s is in two of %d parts", format, layout, id, n)
						}
						if i > 0 && c.typ != TypeBlob {
							t.Errorf("%s %s: a %s in part %d", format, layout, c.typ, i)
						}
					}
					maps.Copy(got, part.all)
				}
				sameObjects(t, got, want)
			}
		}
	}
}

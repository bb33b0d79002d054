package source

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/till-sh/till/scanner/pack"
)

// TestVisitTree: what is known of a tree from its base equals what stands in
// it, and every entry of the repository is passed on at least once.
func TestVisitTree(t *testing.T) {
	r := newRepo(t)
	var names []string
	for i := range 400 {
		names = append(names, fmt.Sprintf("file-%d-%s", i*7919%1000, strings.Repeat("x", i%5)))
	}
	r.track("zero", names...)
	for i := range 40 {
		r.track(fmt.Sprint("content ", i), names[i*9], fmt.Sprint("new-", i*31%17), fmt.Sprint("sub/", i))
		r.git("rm", "-q", "--cached", names[i*9+1])
		r.git("commit", "-q", "-m", fmt.Sprint(i))
	}
	r.git("repack", "-a", "-d", "-f", "-q", "--depth=50", "--window=50")
	store, err := r.open().Store()
	must(t, err)

	for workers := 1; workers <= 3; workers++ {
		var mu sync.Mutex
		seen, all := map[string]bool{}, map[string]bool{}
		parsed, total, deltas := 0, 0, 0
		err = store.Walk(context.Background(), pack.WalkOptions{Workers: workers, Types: []pack.Type{pack.TypeTree}}, func(_ int, o *pack.Object) error {
			mu.Lock()
			defer mu.Unlock()
			if o.Base != nil {
				deltas++
			}
			st, err := visitTree(o, pack.SHA1, func(e *pack.TreeEntry) bool {
				parsed++
				seen[fmt.Sprintf("%o %s %s", e.Mode, e.Name, e.OID)] = true
				return strings.Contains(string(e.Name), "7")
			})
			if err != nil {
				return err
			}
			var kept []string
			entries, err := parseTree(o.Data, pack.SHA1, o.ID)
			if err != nil {
				return err
			}
			for _, e := range entries {
				total++
				all[fmt.Sprintf("%o %s %s", e.mode, e.name, e.id)] = true
				if strings.Contains(string(e.name), "7") {
					kept = append(kept, fmt.Sprint(string(e.name), e.mode, e.id))
				}
			}
			var got []string
			for _, k := range st.kept {
				got = append(got, fmt.Sprint(k.name, k.mode, k.id))
			}
			if !slices.Equal(got, kept) {
				t.Errorf("tree %s: kept %q, want %q", o.ID, got, kept)
			}
			if len(st.bounds) != len(entries)+1 {
				t.Errorf("tree %s: %d bounds for %d entries", o.ID, len(st.bounds), len(entries))
			}
			return nil
		})
		must(t, err)
		for e := range all {
			if !seen[e] {
				t.Errorf("entry %s was not passed on", e)
			}
		}
		if deltas < 20 || parsed*4 > total {
			t.Errorf("%d deltas; %d of %d entries were parsed: the shortcut is not taken", deltas, parsed, total)
		}
	}
}

// TestVisitTreeForged: a copy that begins in the middle of an entry of the base
// shows other entries than the base had.
func TestVisitTreeForged(t *testing.T) {
	id := strings.Repeat("\x01", 20)
	hidden := "100644 hidden\x00" // stands inside of an object id of the base
	base := "100644 a\x00" + hidden + id[:20-len(hidden)] + "100644 b\x00" + id
	child := base[len("100644 a\x00"):]
	st := &treeState{bounds: []uint32{0, uint32(len("100644 a\x00") + 20), uint32(len(base))}}
	v := treeVisit{data: []byte(child), format: pack.SHA1, state: &treeState{}}
	var got []string
	v.entry = func(e *pack.TreeEntry) bool { got = append(got, string(e.Name)); return false }
	err := v.op(pack.Op{At: 0, Len: len(child), From: len("100644 a\x00")}, st)
	if len(got) == 0 || got[0] != "hidden" {
		t.Errorf("entries %q, %v: the hidden one is not seen", got, err)
	}
}

package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/till-sh/till/scanner"
)

// TestShards: no place is in two shards, and together they are the whole.
func TestShards(t *testing.T) {
	r := wide(t)
	for i := range 30 {
		r.commit(fmt.Sprint("more ", i), fmt.Sprintf("m/%d.txt", i), text(fmt.Sprint("more", i)), "grows.txt", strings.Repeat(text("grows"), i+1))
	}
	for _, layout := range []string{"loose", "packed"} {
		if layout == "packed" {
			r.git("repack", "-adfq")
		}
		whole := scan(t, history(r), 2)
		for _, n := range []int{2, 5} {
			var lines []string
			var sum scanner.Summary
			of := ""
			for i := 1; i <= n; i++ {
				got := scan(t, NewHistory(r.open(), HistoryOptions{Shard: scanner.Shard{Index: i, Count: n}}), 2)
				wantComplete(t, got)
				if i > 1 && got.sum.Shard.Of != of {
					t.Errorf("shard %d/%d is of another whole", i, n)
				}
				of = got.sum.Shard.Of
				lines = append(lines, got.lines()...)
				sum.Blobs += got.sum.Blobs
				sum.Bytes += got.sum.Bytes
				sum.Commits += got.sum.Commits
				sum.Refs += got.sum.Refs
			}
			slices.Sort(lines)
			if want := slices.Sorted(slices.Values(whole.lines())); !slices.Equal(lines, want) {
				t.Errorf("%s: %d shards have\n%s\nthe whole has\n%s", layout, n, lines, want)
			}
			if w := whole.sum; sum.Blobs != w.Blobs || sum.Bytes != w.Bytes || sum.Commits != w.Commits || sum.Refs != w.Refs {
				t.Errorf("%s: %d shards: %+v, the whole %+v", layout, n, sum, w)
			}
		}
	}
	of := scan(t, NewHistory(r.open(), HistoryOptions{Shard: scanner.Shard{Index: 2, Count: 2}}), 1).sum.Shard.Of
	r.git("branch", "another")
	if scan(t, NewHistory(r.open(), HistoryOptions{Shard: scanner.Shard{Index: 2, Count: 2}}), 1).sum.Shard.Of == of {
		t.Error("a new branch makes no other whole")
	}
}

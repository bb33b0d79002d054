package main

import (
	"context"
	"strings"
	"testing"

	"github.com/till-sh/till/scanner"
)

// drawn hands on what is drawn, one call of Write after another.
type drawn chan string

func (d drawn) Write(b []byte) (int, error) {
	d <- string(b)
	return len(b), nil
}

// TestLiveLine: what was drawn is gone at the end, and what was longer is covered.
func TestLiveLine(t *testing.T) {
	var p scanner.Progress
	p.Bytes.Store(12345)
	out := make(drawn, 1<<10)
	stop := liveLine(context.Background(), out, &p)
	first := <-out
	if !strings.HasPrefix(first, "\r  0 blobs, 12.3 kB read, 0 found  ") {
		t.Errorf("first %q", first)
	}
	p.Bytes.Store(1)
	next := first
	for next == first {
		next = <-out
	}
	if !strings.Contains(next, " 1 B read") || len(next) < len(first) {
		t.Errorf("%q leaves the end of %q", next, first)
	}
	stop()
	close(out)
	all := ""
	for s := range out {
		all += s
	}
	if last := strings.Split(strings.TrimSuffix(all, "\r"), "\r"); strings.TrimSpace(last[len(last)-1]) != "" || !strings.HasSuffix(all, "\r") {
		t.Errorf("left: %q", all)
	}
}

func TestLiveLineOfAShortScan(t *testing.T) {
	out := make(drawn, 1)
	liveLine(context.Background(), out, new(scanner.Progress))()
	if len(out) > 0 {
		t.Errorf("drawn: %q", <-out)
	}
}

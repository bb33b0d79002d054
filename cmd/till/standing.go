package main

import (
	"context"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/scanner"
)

// standing looks through the whole work tree for a key that is being replaced:
// as it is in every file, and in encodings and archives as a scan finds it.
// What a scan leaves out or cannot read is in unread.
func standing(ctx context.Context, e *env, leak *rotate.Leak) (where, unread []string, err error) {
	t, err := (&scanFlags{}).openFiles(e, []string{topOf(e)})
	if err != nil {
		return nil, nil, err
	}
	s := &seeking{Source: t.source, leak: leak, where: map[string]bool{}}
	t.source = s
	r, _, err := look(ctx, e, t)
	if err != nil {
		return nil, nil, err
	}
	for _, k := range append(r.Keys, r.Suppressed...) {
		if !has(k.Values(), leak.Secret) {
			continue // another key; at a place of several values any of them counts
		}
		for _, p := range k.Places {
			s.where[p.Path] = true
		}
	}
	for name := range s.where {
		where = append(where, strings.TrimPrefix(name, "./"))
	}
	slices.Sort(where)
	unread = r.Summary.Errors
	for _, skip := range r.Summary.Skipped {
		if path.Base(skip.Path) != ".git" { // no part of the work tree
			unread = append(unread, skip.Path+": "+skip.Reason)
		}
	}
	return where, unread, nil
}

// seeking is a source that notes in which files a key stands as it is.
type seeking struct {
	scanner.Source
	leak  *rotate.Leak
	mu    sync.Mutex
	where map[string]bool
}

func (s *seeking) Each(ctx context.Context, workers int, fn func(int, *scanner.Blob) error) (scanner.Summary, error) {
	return s.Source.Each(ctx, workers, func(worker int, b *scanner.Blob) error {
		if len(s.leak.In(b.Data)) > 0 {
			s.mu.Lock()
			s.where[b.Path] = true
			s.mu.Unlock()
		}
		return fn(worker, b)
	})
}

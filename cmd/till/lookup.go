package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/source"
)

// places are where lookup looks for a key, the nearest first: what is about to
// be committed, the files, then everything git keeps.
var places = []struct {
	name string
	open func(e *env) (*target, error)
}{
	{"staged changes", openStaged},
	{"files", func(e *env) (*target, error) { return (&scanFlags{}).openFiles(e, []string{topOf(e)}) }},
	{"commit message that git kept", openKeptMessage},
	{"history", openWholeHistory},
}

// openKeptMessage reads the message of a commit that was stopped: git leaves it
// in COMMIT_EDITMSG.
func openKeptMessage(e *env) (*target, error) {
	repo, err := discover(e)
	if err != nil {
		return nil, err
	}
	defer repo.Close()
	file := filepath.Join(repo.Dir, "COMMIT_EDITMSG")
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return &target{source: source.NewMessage("", nil)}, nil
	}
	if err != nil {
		return nil, err
	}
	return &target{source: source.NewMessage(".git/COMMIT_EDITMSG", data)}, nil
}

// topOf is the top of the work tree, or this folder outside of a repository.
func topOf(e *env) string {
	if here, err := os.Getwd(); err == nil {
		if top := workTreeOf(here); top != "" && top != here {
			return top
		}
	}
	return "."
}

// sight is a key where lookup found it.
type sight struct {
	key       scanner.Key
	where     string
	committed []scanner.Secret // those of its values that stand in the history; see whole
}

// lookup finds the key that a person means by an ID or the beginning of a
// fingerprint. till keeps no list of findings, so it looks again; a key that
// was deleted from everywhere has no ID any more.
func lookup(ctx context.Context, e *env, id string) (*sight, error) {
	for _, p := range places {
		keys, err := keysOf(ctx, e, p.open)
		if err != nil {
			return nil, err
		}
		var hits []scanner.Key
		for _, k := range keys {
			if k.Matches(id) && !slices.ContainsFunc(hits, func(h scanner.Key) bool { return h.Fingerprint == k.Fingerprint }) {
				hits = append(hits, k)
			}
		}
		switch len(hits) {
		case 0:
		case 1:
			return &sight{key: hits[0], where: p.name}, nil
		default:
			var ids []string
			for _, k := range hits {
				ids = append(ids, k.ID)
			}
			return nil, withHint(fmt.Errorf("%s can be any of %s", id, strings.Join(ids, ", ")), "write more of it")
		}
	}
	return nil, withHint(fmt.Errorf("no key %s in the staged changes, the files or the history", id), "till scan --history")
}

// keysOf scans one place, everything included that was decided to be no
// secret. A place that is not there (no repository) has no keys.
func keysOf(ctx context.Context, e *env, open func(*env) (*target, error)) ([]scanner.Key, error) {
	t, err := open(e)
	if errors.Is(err, source.ErrNotRepository) {
		return nil, nil // only files can be looked at
	}
	if err != nil {
		return nil, err
	}
	r, _, err := look(ctx, e, t)
	if err != nil {
		return nil, err
	}
	return append(r.Keys, r.Suppressed...), nil
}

// look scans a target with the settings that stand there, silently, and closes it.
func look(ctx context.Context, e *env, t *target) (*scanner.Result, *settings, error) {
	if t.close != nil {
		defer t.close()
	}
	s, err := (&output{}).load(e, t)
	if err != nil {
		return nil, nil, err
	}
	engine, err := s.engine(e, t, false)
	if err != nil {
		return nil, nil, err
	}
	r, err := scanner.Run(ctx, engine, t.source, scanner.RunOptions{MaxSize: s.tree.For("").MaxFileSize})
	if err != nil {
		return nil, nil, err
	}
	t.remember(e, r)
	s.apply(r, time.Now())
	return r, s, nil
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/till-sh/till/scanner/config"
	"github.com/till-sh/till/scanner/source"
)

// discover opens the repository around the current folder, as git would.
func discover(e *env) (*source.Repository, error) {
	repo, err := source.Discover(".", e.getenv)
	switch {
	case errors.Is(err, source.ErrNotRepository):
		return nil, withHint(err, "till scan reads plain files; for a repository elsewhere: till -C DIR …")
	case err != nil:
		return nil, fmt.Errorf("open repository: %w", err)
	}
	return repo, nil
}

// openRepository starts a target: the repository, its name, and where its
// configuration is read from: the work tree, or HEAD where there is none.
func openRepository(e *env) (*source.Repository, *target, error) {
	repo, err := discover(e)
	if err != nil {
		return nil, nil, err
	}
	t := &target{root: repositoryName(repo), close: func() { _ = repo.Close() }}
	if repo.WorkTree != "" {
		if t.config, err = folderFS(repo.WorkTree); err != nil {
			t.close()
			return nil, nil, err
		}
	} else if head, err := repo.TreeFS("HEAD"); err == nil {
		t.config = head
	}
	return repo, t, nil
}

// repositoryName is what people call the repository: its folder.
func repositoryName(r *source.Repository) string {
	dir := r.WorkTree
	if dir == "" {
		dir = r.Dir
	}
	return strings.TrimSuffix(filepath.Base(dir), ".git")
}

func openStaged(e *env) (*target, error) {
	repo, t, err := openRepository(e)
	if err != nil {
		return nil, err
	}
	staged := source.NewStaged(repo)
	t.scope, t.source = "staged", staged
	if repo.WorkTree != "" {
		// Errors of the index come up again, and are told, when it is scanned.
		t.dirs, _ = staged.Folders(config.FileName)
	}
	return t, nil
}

func openHistory(e *env, o source.HistoryOptions, record bool) (*target, error) {
	repo, t, err := openRepository(e)
	if err != nil {
		return nil, err
	}
	h := source.NewHistory(repo, o)
	t.scope, t.source = "history", h
	if o.Shard.Count > 1 {
		t.scope = fmt.Sprintf("history, shard %d/%d", o.Shard.Index, o.Shard.Count)
	}
	if record {
		t.history = h
	}
	t.dirs, err = configDirs(t.config)
	return t, err
}

func openRange(e *env, commits, since string) (*target, error) {
	repo, t, err := openRepository(e)
	if err != nil {
		return nil, err
	}
	var after time.Time
	if commits != "" {
		t.scope = "range " + commits
	}
	if since != "" {
		if after, err = parseDate(since, time.Now()); err != nil {
			t.close()
			return nil, err
		}
		t.scope = strings.TrimSpace(t.scope + " since " + since)
	}
	if t.source, err = source.NewRange(repo, commits, source.RangeOptions{Since: after}); err != nil {
		t.close()
		return nil, revisionHint(err)
	}
	t.dirs, err = configDirs(t.config)
	return t, err
}

// revisionHint says how to get a commit that is not there; nil stays nil.
func revisionHint(err error) error {
	var missing *source.RevisionError
	switch {
	case !errors.As(err, &missing):
		return err
	case missing.Shallow:
		return withHint(err, "nothing was scanned. GitHub: actions/checkout with fetch-depth: 0. GitLab: GIT_DEPTH: 0. Elsewhere: git fetch --unshallow")
	}
	return withHint(err, "git branch --all and git log --oneline show what there is; git fetch brings what is new")
}

func configDirs(fsys fs.FS) ([]string, error) {
	if fsys == nil {
		return nil, nil
	}
	return config.Find(fsys)
}

// parseDate reads a date, a time, or how long ago: 2026-11-01, 2 weeks, 36h.
func parseDate(s string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.DateTime, time.RFC3339} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	text := strings.NewReplacer(".", " ", "ago", "").Replace(strings.ToLower(s))
	var n int
	var unit string
	if _, err := fmt.Sscanf(text, "%d %s", &n, &unit); err == nil && n > 0 {
		switch strings.TrimSuffix(unit, "s") {
		case "hour":
			return now.Add(-time.Duration(n) * time.Hour), nil
		case "day":
			return now.AddDate(0, 0, -n), nil
		case "week":
			return now.AddDate(0, 0, -7*n), nil
		case "month":
			return now.AddDate(0, -n, 0), nil
		case "year":
			return now.AddDate(-n, 0, 0), nil
		}
	}
	return time.Time{}, fmt.Errorf("--since %q: expected a date (2026-11-01) or a span (36h, 2 weeks)", s)
}

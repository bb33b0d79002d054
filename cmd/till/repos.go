package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/source"
)

// scanRepositories scans the histories of several repositories, each by its own
// configuration, into one report. One that cannot be read keeps nobody from the
// others.
func (f *scanFlags) scanRepositories(ctx context.Context, e *env, dirs []string) error {
	if err := f.check(e); err != nil {
		return err
	}
	if f.shard != "" {
		return withHint(errors.New("--shard is for one repository at a time"), "many repositories are divided by dividing the list: docs/scale.md")
	}
	if f.reposFrom != "" {
		more, err := readLines(e, f.reposFrom)
		if err != nil {
			return err
		}
		dirs = append(dirs, more...)
	}
	if len(dirs) == 0 {
		return fmt.Errorf("--repos-from %s: it lists no repository", f.reposFrom)
	}
	start, err := os.Getwd()
	if err != nil {
		return err
	}
	if f.config != "" {
		if f.config, err = filepath.Abs(f.config); err != nil {
			return err
		}
	}
	if f.timeout > 0 { // for all of them
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, f.timeout, errTimeout)
		defer cancel()
	}
	begin := time.Now()
	var parts []*scanner.Result
	blocks := false
	var last *settings
	for _, dir := range dirs {
		r, s, err := f.scanRepository(ctx, e, start, dir)
		if ctx.Err() != nil {
			return cmp.Or(err, context.Cause(ctx))
		}
		if err != nil {
			r = &scanner.Result{Summary: scanner.Summary{Errors: []string{err.Error()}}}
		} else {
			blocks, last = blocks || s.blocks(r), s
		}
		r.In(filepath.ToSlash(dir))
		parts = append(parts, r)
	}
	if err := os.Chdir(start); err != nil {
		return err
	}
	if last == nil {
		if last, err = f.load(e, &target{}); err != nil {
			return err
		}
	}
	result := scanner.Merge(parts)
	t := &target{scope: "history", root: fmt.Sprintf("%d repositories", len(dirs))}
	if err := f.write(e, result, f.options(e, t, last, time.Since(begin))); err != nil {
		return err
	}
	return exitOf(result, blocks)
}

// scanRepository scans the history of the repository in dir, which may be
// relative to start.
func (f *scanFlags) scanRepository(ctx context.Context, e *env, start, dir string) (*scanner.Result, *settings, error) {
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(start, dir)
	}
	if err := os.Chdir(dir); err != nil {
		return nil, nil, bare(err)
	}
	own := *e
	own.getenv = func(name string) string { // it is not one that git is at work in
		if strings.HasPrefix(name, "GIT_") && name != "GIT_CEILING_DIRECTORIES" {
			return ""
		}
		return e.getenv(name)
	}
	t, err := openHistory(&own, source.HistoryOptions{Unreachable: f.unreachable, Whole: f.engine == "full"}, !f.noCache && f.engine != "full")
	if err != nil {
		return nil, nil, err
	}
	if t.close != nil {
		defer t.close()
	}
	t.part = true
	return f.run(ctx, &own, t)
}

// readLines reads the lines of a file that are not blank; "-" is standard input.
func readLines(e *env, name string) ([]string, error) {
	var r io.Reader = e.stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		r = file
	}
	var lines []string
	s := bufio.NewScanner(r)
	for s.Scan() {
		if line := strings.TrimSuffix(s.Text(), "\r"); strings.TrimSpace(line) != "" {
			lines = append(lines, line)
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return lines, nil
}

// parseShard reads "3/8"; "" is the whole.
func parseShard(text string) (scanner.Shard, error) {
	if text == "" {
		return scanner.Shard{}, nil
	}
	k, n, _ := strings.Cut(text, "/")
	index, err1 := strconv.Atoi(k)
	count, err2 := strconv.Atoi(n)
	if err1 != nil || err2 != nil || count < 1 || index < 1 || index > count {
		return scanner.Shard{}, withHint(fmt.Errorf("--shard %s: expected K/N with K from 1 to N", text), "till scan --history --shard 3/8")
	}
	return scanner.Shard{Index: index, Count: count}, nil
}

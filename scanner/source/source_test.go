package source

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/till-sh/till/scanner"
)

// A planted key is "<key=label>"; tests look for these instead of credentials,
// so that no real engine is needed and no scanner stumbles over our files.
var keyPattern = regexp.MustCompile(`<key=[a-z0-9.-]+>`)

func key(label string) string { return "<key=" + label + ">" }

// text is a file of some lines with a key in the middle.
func text(label string) string {
	return fmt.Sprintf("first line of %[1]d\nsecond\ntoken = %[2]s\nlast\n", len(label), key(label))
}

// run drives a source as the engine would, and returns what it found.
type run struct {
	findings []scanner.Finding
	places   [][]scanner.Place
	exposure []scanner.Exposure
	sum      scanner.Summary
}

func scan(t *testing.T, s scanner.Source, workers int) *run {
	t.Helper()
	r, err := tryScan(t, s, workers)
	if err != nil {
		t.Fatalf("Each: %v", err)
	}
	return r
}

func tryScan(t *testing.T, s scanner.Source, workers int) (*run, error) {
	t.Helper()
	r := &run{}
	var mu sync.Mutex
	busy := make([]bool, workers)
	seen := map[string]bool{}
	ctx := context.Background()
	sum, err := s.Each(ctx, workers, func(w int, b *scanner.Blob) error {
		mu.Lock()
		if busy[w] {
			t.Errorf("worker %d was called twice at once", w)
		}
		busy[w] = true
		mu.Unlock()
		defer func() { mu.Lock(); busy[w] = false; mu.Unlock() }()
		hits := keyPattern.FindAllIndex(b.Data, -1)
		if b.Trace != nil {
			*b.Trace = scanner.Trace{Told: len(hits) > 0, Parts: linesOf(b.Data, hits)}
		}
		if len(hits) == 0 {
			return nil
		}
		var known [][]byte
		if b.Known != nil {
			var err error
			if known, err = b.Known(ctx); err != nil {
				return err
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for _, h := range hits {
			value := b.Data[h[0]:h[1]]
			if slices.ContainsFunc(known, func(old []byte) bool { return bytes.Contains(old, value) }) {
				continue
			}
			for _, at := range append([]scanner.Twin{{Hash: b.Hash, Offset: b.Offset, Line: b.Line}}, b.Also...) {
				f := scanner.Finding{
					Secret: scanner.NewSecret(value), Path: b.Path, Hash: at.Hash, Where: b.Where,
					Location: scanner.Location{
						Offset: at.Offset + int64(h[0]), Length: int64(h[1] - h[0]),
						StartLine: at.Line + 1 + bytes.Count(b.Data[:h[0]], []byte("\n")),
					},
				}
				id := fmt.Sprint(f.Secret.Reveal(), f.Path, f.Hash, f.Where, f.Location.Offset)
				if !seen[id] { // windows overlap
					seen[id] = true
					r.findings = append(r.findings, f)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.sum = sum
	slices.SortFunc(r.findings, func(a, b scanner.Finding) int {
		return cmp.Or(cmp.Compare(a.Secret.Reveal(), b.Secret.Reveal()), cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.Hash, b.Hash), cmp.Compare(a.Where, b.Where), cmp.Compare(a.Location.Offset, b.Location.Offset))
	})
	r.places, r.exposure, err = s.Attribute(ctx, r.findings, &r.sum)
	if err != nil {
		t.Fatalf("Attribute: %v", err)
	}
	if len(r.places) != len(r.findings) || len(r.exposure) != len(r.findings) {
		t.Fatalf("Attribute: %d findings, %d places, %d exposures", len(r.findings), len(r.places), len(r.exposure))
	}
	return r, nil
}

// linesOf returns the lines in which something was hit.
func linesOf(data []byte, hits [][]int) []scanner.Stretch {
	var parts []scanner.Stretch
	for _, h := range hits {
		from := bytes.LastIndexByte(data[:h[0]], '\n') + 1
		to := len(data)
		if n := bytes.IndexByte(data[h[1]:], '\n'); n >= 0 {
			to = h[1] + n + 1
		}
		if last := len(parts) - 1; last >= 0 && from < parts[last].To {
			parts[last].To = to
			continue
		}
		parts = append(parts, scanner.Stretch{From: from, To: to})
	}
	return parts
}

// labels lists the keys that have a place.
func (r *run) labels() []string {
	var out []string
	for i, f := range r.findings {
		if len(r.places[i]) > 0 {
			v := f.Secret.Reveal()
			out = append(out, v[len("<key="):len(v)-1])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// lines describes every place, for comparisons.
func (r *run) lines() []string {
	var out []string
	for i, f := range r.findings {
		for _, p := range r.places[i] {
			commit, subject := "", ""
			if p.Commit != nil {
				commit, subject = p.Commit.Hash, p.Commit.Subject
			}
			removed := ""
			if p.Removed != nil {
				removed = p.Removed.Hash
			}
			out = append(out, fmt.Sprintln(f.Secret.Reveal(), p.Path, p.Where, p.Blob, commit, subject, removed, p.Refs,
				p.Present, p.Moved, r.exposure[i], p.Location.Offset, p.Location.StartLine))
		}
	}
	return out
}

// place returns the only place of a key.
func (r *run) place(t *testing.T, label string) (scanner.Place, scanner.Exposure) {
	t.Helper()
	var found []scanner.Place
	var exposure scanner.Exposure
	for i, f := range r.findings {
		if f.Secret.Reveal() == key(label) && len(r.places[i]) > 0 {
			found = append(found, r.places[i]...)
			exposure = r.exposure[i]
		}
	}
	if len(found) != 1 {
		t.Fatalf("key %s has %d places, want 1: %+v", label, len(found), found)
	}
	return found[0], exposure
}

func wantLabels(t *testing.T, r *run, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := r.labels(); !slices.Equal(got, want) {
		t.Errorf("keys found: %q\nwant:       %q", got, want)
	}
}

func wantComplete(t *testing.T, r *run) {
	t.Helper()
	if !r.sum.Complete() {
		t.Errorf("not complete: %q", r.sum.Errors)
	}
}

// wantError checks that the scan is incomplete and that an error holds all the
// given texts.
func wantError(t *testing.T, r *run, texts ...string) {
	t.Helper()
	for _, e := range r.sum.Errors {
		if !slices.ContainsFunc(texts, func(s string) bool { return !strings.Contains(e, s) }) {
			return
		}
	}
	t.Errorf("no error with %q in %q", texts, r.sum.Errors)
}

// contract checks what every source promises. make returns a fresh source over
// the same content; keys are the labels of the keys in it.
func contract(t *testing.T, make func() scanner.Source, keys ...string) {
	t.Helper()
	t.Run("contract", func(t *testing.T) {
		first := scan(t, make(), 1)
		wantLabels(t, first, keys...)
		for workers := 2; workers <= 4; workers++ {
			r := scan(t, make(), workers)
			if got, want := r.lines(), first.lines(); !slices.Equal(got, want) {
				t.Errorf("%d workers found\n%q\none found\n%q", workers, got, want)
			}
			if got, want := fmt.Sprintf("%+v", r.sum), fmt.Sprintf("%+v", first.sum); got != want {
				t.Errorf("summary with %d workers:\n%s\nwith one:\n%s", workers, got, want)
			}
		}
		stop := errors.New("stop")
		if _, err := make().Each(t.Context(), 2, func(int, *scanner.Blob) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("an error of fn gave %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := make().Each(ctx, 2, func(int, *scanner.Blob) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled context gave %v", err)
		}
	})
}

// repo is a repository made with the real git.
type repo struct {
	t   *testing.T
	dir string
	env []string
}

var gitEnv = func() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "GIT_") && !strings.HasPrefix(kv, "HOME=") {
			env = append(env, kv)
		}
	}
	return append(env,
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=core.fsync", "GIT_CONFIG_VALUE_0=none",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "TZ=UTC",
		"GIT_AUTHOR_NAME=Ada North", "GIT_AUTHOR_EMAIL=ada@north.invalid", "GIT_AUTHOR_DATE=1700000000 +0000",
		"GIT_COMMITTER_NAME=Ada North", "GIT_COMMITTER_EMAIL=ada@north.invalid", "GIT_COMMITTER_DATE=1700000000 +0000")
}()

func newRepo(t *testing.T, args ...string) *repo {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	r := &repo{t: t, dir: filepath.Join(t.TempDir(), "repo")}
	r.env = append(slices.Clone(gitEnv), "HOME="+t.TempDir())
	if err := os.Mkdir(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.git(append([]string{"init", "-q", "-b", "main", "--template="}, args...)...)
	if slices.Contains(args, "--bare") {
		return r
	}
	for k, v := range map[string]string{"gc.auto": "0", "maintenance.auto": "false", "protocol.file.allow": "always"} {
		r.git("config", k, v)
	}
	return r
}

// try runs git and returns its output.
func (r *repo) try(args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = r.dir, r.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, errs.String())
	}
	return strings.TrimSpace(out.String()), err
}

func (r *repo) git(args ...string) string {
	r.t.Helper()
	out, err := r.try(args...)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

func (r *repo) path(name string) string { return filepath.Join(r.dir, filepath.FromSlash(name)) }

// write writes a file below the repository's folder.
func (r *repo) write(name, content string) {
	r.t.Helper()
	writeFile(r.t, r.path(name), content)
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// stage writes a file and adds it to the index.
func (r *repo) stage(name, content string) {
	r.t.Helper()
	r.write(name, content)
	r.git("add", "--", name)
}

// commit stages the given files (pairs of name and content; content "-" means
// removal) and commits. It returns the id of the commit.
func (r *repo) commit(message string, files ...string) string {
	r.t.Helper()
	for i := 0; i < len(files); i += 2 {
		if files[i+1] == "-" {
			r.git("rm", "-q", "-f", "--", files[i])
		} else {
			r.stage(files[i], files[i+1])
		}
	}
	r.git("commit", "-q", "--allow-empty", "-m", message)
	return r.git("rev-parse", "HEAD")
}

// open opens the repository without any environment.
func (r *repo) open() *Repository {
	r.t.Helper()
	return discover(r.t, r.dir, nil)
}

func discover(t *testing.T, dir string, env map[string]string) *Repository {
	t.Helper()
	repo, err := Discover(dir, func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { repo.Close() })
	return repo
}

// track puts files of the given content into the index without writing them.
func (r *repo) track(content string, names ...string) {
	r.t.Helper()
	id := r.hash(content)
	var in strings.Builder
	for _, name := range names {
		fmt.Fprintf(&in, "100644 %s\t%s\n", id, name)
	}
	cmd := exec.Command("git", "update-index", "--add", "--replace", "--index-info")
	cmd.Dir, cmd.Env, cmd.Stdin = r.dir, r.env, strings.NewReader(in.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("git update-index: %v: %s", err, out)
	}
}

// remove deletes the loose object id.
func (r *repo) remove(id string) {
	r.t.Helper()
	if err := os.Remove(r.path(".git/objects/" + id[:2] + "/" + id[2:])); err != nil {
		r.t.Fatal(err)
	}
}

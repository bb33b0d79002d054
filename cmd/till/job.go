package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rotate/place"
	"github.com/till-sh/till/rotate/server"
	"github.com/till-sh/till/rotate/vendor"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/source"
)

// adapters are all ways to the outside that till is built with.
func adapters() *rotate.Adapters {
	a := &rotate.Adapters{Funcs: slices.Concat(server.Funcs(), vendor.Funcs()), Placers: place.All()}
	slices.SortFunc(a.Funcs, func(x, y rotate.Func) int { return strings.Compare(x.Name, y.Name) })
	return a
}

// jobFlags are what every command that speaks to vendors can be told.
type jobFlags struct {
	set     []string
	secrets []string
}

func (f *jobFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "value of a {{name}} in requests, `NAME=VALUE`; host=… names your own server; may be repeated")
	cmd.Flags().StringArrayVar(&f.secrets, "secret", nil, "read the secret value of a {{name}} from a file, `NAME=FILE` (admin=/run/secrets/admin)")
}

// workshop is what jobs are made from: where we are, and the way to a person.
type workshop struct {
	e        *env
	repo     *source.Repository // nil outside of a repository
	staged   *source.Staged
	given    map[string]string
	secrets  map[string]scanner.Secret
	adapters *rotate.Adapters
	stdin    *bufio.Reader
}

// openWorkshop reads the flags and finds the repository. Close it.
func openWorkshop(e *env, f *jobFlags) (*workshop, error) {
	w := &workshop{e: e, given: map[string]string{}, secrets: map[string]scanner.Secret{}, adapters: adapters(), stdin: bufio.NewReader(e.stdin)}
	for _, s := range f.set {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--set %s: expected NAME=VALUE", name)
		}
		if strings.HasPrefix(name, "admin") || name == "secret" || name == "new" {
			return nil, withHint(fmt.Errorf("--set %s: a command line is seen by every process", name), "--secret %s=FILE", name)
		}
		w.given[name] = value
	}
	for _, s := range f.secrets {
		name, file, ok := strings.Cut(s, "=")
		if !ok || name == "" || file == "" {
			return nil, fmt.Errorf("--secret %s: expected NAME=FILE", name)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("--secret %s: %s: %w", name, file, bare(err))
		}
		w.secrets[name] = scanner.NewSecret([]byte(strings.TrimRight(string(data), "\r\n")))
	}
	repo, err := source.Discover(".", e.getenv)
	switch {
	case errors.Is(err, source.ErrNotRepository):
	case err != nil:
		return nil, fmt.Errorf("open repository: %w", err)
	default:
		w.repo, w.staged = repo, source.NewStaged(repo)
	}
	return w, nil
}

func (w *workshop) close() {
	if w.repo != nil {
		_ = w.repo.Close()
	}
}

// interactive reports whether a person can be asked.
func (w *workshop) interactive() bool { return w.e.terminal(w.e.stdin) && w.e.terminal(w.e.stderr) }

// job makes the job for one key.
func (w *workshop) job(k *scanner.Key) *rotate.Job {
	j := &rotate.Job{
		Leak: rotate.LeakOf(k), Adapters: w.adapters, Run: rotate.Programs{}, Redact: &call.Redactor{},
		Now: time.Now, Sleep: sleep, Given: w.given, GivenSecrets: w.secrets,
	}
	for _, v := range k.Values() {
		j.Redact.Add(v.Reveal())
	}
	if k.Partner != nil && k.Partner.Rule.Severity != rules.Low {
		j.Redact.Add(k.Partner.Secret.Reveal())
	}
	for _, s := range w.secrets {
		j.Redact.Add(s.Reveal())
	}
	j.HTTP = &call.Client{Redact: j.Redact, UserAgent: "till/" + version()}
	if w.e.tune != nil {
		w.e.tune(j.HTTP)
	}
	if w.repo != nil {
		j.WorkTree, j.Remote, j.Claimed = w.repo.WorkTree, w.repo.RemoteURL("origin"), true
		if named := w.given["remote"]; named != "" {
			j.Remote, j.Claimed = named, false
		}
		j.Tracked = w.staged.Tracks
	}
	if j.WorkTree != "" {
		git := newOwnGit(w.repo)
		j.Ignored, j.Untrack = git.ignored, git.untrack
		j.Standing = func(ctx context.Context) ([]string, []string, error) { return standing(ctx, w.e, &j.Leak) }
	}
	if w.interactive() {
		j.Ask = w.ask
	}
	return j
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// ask puts a question of the catalogue to the person; secrets on a hidden prompt.
func (w *workshop) ask(ctx context.Context, q rules.Ask) (string, error) {
	if q.URL != "" {
		fmt.Fprintf(w.e.stderr, "  (%s)\n", printable(q.URL))
	}
	prompt := "  " + printable(q.Text)
	if q.Default != "" && !q.Secret {
		prompt += " [" + printable(q.Default) + "]"
	}
	if q.Secret {
		return w.hidden(ctx, prompt+": ")
	}
	s, err := w.line(ctx, prompt+": ")
	if low := strings.ToLower(s); q.Default != "" && (low == "y" || low == "yes") {
		s = "" // who says yes to a proposal means it
	}
	return s, err
}

// line reads an answer. A signal ends the wait; the read itself cannot be
// ended, so it is left behind.
func (w *workshop) line(ctx context.Context, prompt string) (string, error) {
	fmt.Fprint(w.e.stderr, prompt)
	return w.await(ctx, func() (string, error) { return w.stdin.ReadString('\n') })
}

// hidden reads a value that must not be seen.
func (w *workshop) hidden(ctx context.Context, prompt string) (string, error) {
	fmt.Fprint(w.e.stderr, prompt)
	f, ok := w.e.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return w.await(ctx, func() (string, error) { return w.stdin.ReadString('\n') })
	}
	fd := int(f.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	s, err := w.await(ctx, func() (string, error) {
		b, err := term.ReadPassword(fd)
		return string(b), err
	})
	if ctx.Err() != nil {
		_ = term.Restore(fd, state)
	}
	fmt.Fprintln(w.e.stderr)
	return s, err
}

func (w *workshop) await(ctx context.Context, read func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		s, err := read()
		done <- answer{strings.TrimSpace(s), err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(w.e.stderr)
		return "", ctx.Err()
	case a := <-done:
		if errors.Is(a.err, io.EOF) {
			return a.text, errors.New("the input has ended")
		}
		return a.text, a.err
	}
}

// confirm asks a yes-or-no question.
func (w *workshop) confirm(ctx context.Context, question string, yes bool) (bool, error) {
	choice := " [y/N] "
	if yes {
		choice = " [Y/n] "
	}
	s, err := w.line(ctx, question+choice)
	if err != nil {
		return false, err
	}
	switch strings.ToLower(s) {
	case "":
		return yes, nil
	case "y", "yes":
		return true, nil
	}
	return false, nil
}

// stateDir is the person's folder for what till remembers about him:
// $XDG_STATE_HOME/till, or the same below ~/.local/state; "" when there is no home.
func stateDir(e *env) string {
	base := e.getenv("XDG_STATE_HOME")
	if base == "" {
		home := e.getenv("HOME")
		if home == "" {
			return ""
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "till")
}

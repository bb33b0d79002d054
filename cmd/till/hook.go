package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/till-sh/till/scanner/source"
)

// newHook makes the command for args, of which the first is its name.
func newHook(e *env, args []string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hook",
		Short: "Run as a git hook",
		Long: "The entry points for git hooks. A hook is a file such as .git/hooks/pre-commit with the lines\n\n" +
			"  #!/bin/sh\n  exec till hook pre-commit\n\n" +
			"A clean hook prints nothing. What cannot be checked stops git with exit code 2; --on-error=pass lets it go on.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	named, _ := choose(args[min(1, len(args)):], []command{
		{"pre-commit", func(e *env) *cobra.Command {
			return hookCommand(e, "pre-commit", "Stop a commit that holds a key", cobra.ArbitraryArgs,
				func(*cobra.Command, []string) (*target, error) { return openStaged(e) })
		}},
		{"commit-msg", func(e *env) *cobra.Command {
			return hookCommand(e, "commit-msg", "Stop a commit whose message holds a key", cobra.ExactArgs(1),
				func(_ *cobra.Command, args []string) (*target, error) { return openMessage(e, args[0]) })
		}},
		{"pre-push", func(e *env) *cobra.Command {
			return hookCommand(e, "pre-push", "Stop a push that would publish a key", cobra.MaximumNArgs(2),
				func(_ *cobra.Command, args []string) (*target, error) { return openPush(e, args) })
		}},
		{"pre-receive", func(e *env) *cobra.Command {
			return hookCommand(e, "pre-receive", "Refuse a push that brings a key, on the server", cobra.NoArgs,
				func(*cobra.Command, []string) (*target, error) { return openReceive(e) })
		}},
	})
	for _, c := range named {
		cmd.AddCommand(c.make(e))
	}
	return cmd
}

func hookCommand(e *env, name, short string, args cobra.PositionalArgs, open func(*cobra.Command, []string) (*target, error)) *cobra.Command {
	var o output
	var onError string
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Args:  args,
		RunE: func(cmd *cobra.Command, args []string) error {
			if onError != "stop" && onError != "pass" {
				return fmt.Errorf("--on-error %s: expected stop or pass", onError)
			}
			if e.getenv("TILL_SKIP") == "1" {
				fmt.Fprintf(e.stderr, "till: %s skipped because TILL_SKIP=1; nothing was checked\n", name)
				return nil
			}
			err := runHook(cmd, e, &o, name, args, open)
			if err != nil && onError == "pass" && cmd.Context().Err() == nil && !errors.Is(err, outcome(exitFound)) {
				var said outcome
				if !errors.As(err, &said) {
					fmt.Fprintf(e.stderr, "till: error: %s\n", printable(err.Error()))
				}
				fmt.Fprintf(e.stderr, "till: not everything was checked; going on because of --on-error=pass\n")
				return nil
			}
			return err
		},
	}
	o.register(cmd)
	cmd.Flags().StringVar(&onError, "on-error", "stop", "what to do when not everything can be checked: stop or pass")
	return cmd
}

func runHook(cmd *cobra.Command, e *env, o *output, name string, args []string, open func(*cobra.Command, []string) (*target, error)) error {
	t, err := open(cmd, args)
	if err != nil {
		return err
	}
	if t == nil { // nothing to look at: a push that only deletes
		return nil
	}
	if t.close != nil {
		defer t.close()
	}
	t.hook = name
	return o.scan(cmd.Context(), e, t)
}

// openPush reads what git tells a pre-push hook on standard input, one line
// for each ref: local ref, local id, remote ref, remote id
// (https://git-scm.com/docs/githooks#_pre_push). pre-commit keeps the lines to
// itself and says the same in variables
// (https://pre-commit.com/#pre-push).
func openPush(e *env, args []string) (*target, error) {
	repo, t, err := openRepository(e)
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*target, error) {
		t.close()
		return nil, revisionHint(err)
	}
	var refs []source.PushRef
	remote := ""
	if e.getenv("PRE_COMMIT") != "" || e.getenv("PRE_COMMIT_TO_REF") != "" {
		remote = e.getenv("PRE_COMMIT_REMOTE_NAME")
		ref, err := preCommitRef(e, repo)
		if err != nil {
			return fail(err)
		}
		refs = append(refs, ref)
	} else {
		if len(args) > 0 {
			remote = args[0]
		}
		lines, err := refLines(e.stdin, 4, "<local ref> <local id> <remote ref> <remote id>")
		if err != nil {
			return fail(err)
		}
		if len(lines) == 0 && device(e.stdin) {
			return fail(errors.New("standard input is no pipe: whatever runs the hook must hand on the lines that git writes to it"))
		}
		for _, f := range lines {
			refs = append(refs, source.PushRef{LocalRef: f[0], LocalOID: f[1], RemoteRef: f[2], RemoteOID: f[3]})
		}
	}
	if t.source, err = source.NewPush(repo, refs, remote); err != nil {
		return fail(err)
	}
	t.scope = "push"
	if t.dirs, err = configDirs(t.config); err != nil {
		return fail(err)
	}
	return t, nil
}

// preCommitRef reads the variables of pre-commit. It names both ends of what is
// pushed, but where the push brings a root commit, and so has no other end, the
// branch alone.
func preCommitRef(e *env, repo *source.Repository) (source.PushRef, error) {
	ref := source.PushRef{
		LocalRef: e.getenv("PRE_COMMIT_LOCAL_BRANCH"), LocalOID: e.getenv("PRE_COMMIT_TO_REF"),
		RemoteRef: e.getenv("PRE_COMMIT_REMOTE_BRANCH"), RemoteOID: e.getenv("PRE_COMMIT_FROM_REF"),
	}
	if ref.LocalOID == "" && ref.LocalRef == "" {
		return ref, errors.New("pre-commit says neither PRE_COMMIT_TO_REF nor PRE_COMMIT_LOCAL_BRANCH: run the hook at its stage pre-push")
	}
	id, err := repo.Resolve(cmp.Or(ref.LocalOID, ref.LocalRef))
	ref.LocalOID = id.String()
	return ref, err
}

// device reports whether a stream is a terminal or the null device.
func device(r io.Reader) bool {
	f, ok := r.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// openReceive reads what git tells a pre-receive hook: old id, new id, ref
// (https://git-scm.com/docs/githooks#pre-receive).
func openReceive(e *env) (*target, error) {
	lines, err := refLines(e.stdin, 3, "<old id> <new id> <ref>")
	if err != nil {
		return nil, err
	}
	var refs []source.ReceiveRef
	for _, f := range lines {
		refs = append(refs, source.ReceiveRef{Old: f[0], New: f[1], Ref: f[2]})
	}
	repo, t, err := openRepository(e)
	if err != nil {
		return nil, err
	}
	if t.source, err = source.NewReceive(repo, refs); err != nil {
		t.close()
		return nil, err
	}
	t.scope = "push"
	t.dirs, err = configDirs(t.config)
	return t, err
}

// refLines reads lines of n fields. The last field is a ref and may not hold
// blanks, so splitting at blanks is exact.
func refLines(r io.Reader, n int, form string) ([][]string, error) {
	var all [][]string
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 {
			continue
		}
		if len(fields) != n {
			return nil, fmt.Errorf("standard input: expected lines of the form %s, as git gives them to the hook", form)
		}
		all = append(all, fields)
	}
	return all, lines.Err()
}

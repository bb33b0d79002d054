package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

func newFix(e *env) *cobra.Command {
	var yes, dryRun bool
	cmd := &cobra.Command{
		Use:   "fix [ID...]",
		Short: "Take keys out of the next commit: values into .env, lookups into the code",
		Long: "For each key of the staged changes, moves the value into .env (mode 0600, ignored by git) and lets the code read it from the\n" +
			"environment. A file that is itself a file of secrets leaves the commit and stays on the disk. The patch is shown first, with\n" +
			"values masked, and made in the work tree and in the index alike; what is not staged stays so.\n\n" +
			"Without IDs all keys that would stop the commit; suspects only by their ID.\n\n" +
			"Exit codes: 0 the commit holds no key any more, 1 something is left to do by hand, 2 it could not be done.",
		Example: "  till fix\n  till fix --dry-run\n  till fix GE-91PA --yes",
		RunE: func(cmd *cobra.Command, ids []string) error {
			return runFix(cmd.Context(), e, ids, yes, dryRun)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show the patch; change nothing")
	return cmd
}

func runFix(ctx context.Context, e *env, ids []string, yes, dryRun bool) error {
	keys, err := stagedKeys(ctx, e, ids)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		fmt.Fprintln(e.stdout, "Nothing to fix: the staged changes hold no key.")
		return nil
	}
	w, err := openWorkshop(e, &jobFlags{})
	if err != nil {
		return err
	}
	defer w.close()
	if w.repo.WorkTree == "" {
		return errors.New("the repository has no work tree: there is no place for a .env")
	}
	redact := &call.Redactor{}
	for i := range keys {
		for _, v := range keys[i].Values() {
			redact.Add(v.Reveal())
		}
		if p := keys[i].Partner; p != nil && p.Rule.Severity != rules.Low {
			redact.Add(p.Secret.Reveal())
		}
	}
	f := &fix{staged: w.staged, top: w.repo.WorkTree, git: newOwnGit(w.repo), redact: redact}
	if err := f.open(); err != nil {
		return err
	}
	defer f.close()
	if err := f.plan(ctx, keys); err != nil {
		return redact.Error(err)
	}
	f.show(e)
	switch {
	case dryRun:
	case f.empty():
	case !yes && !w.interactive():
		return withHint(errors.New("nobody is there to ask: nothing was changed"), "till fix --yes does it")
	default:
		ok := yes
		if !yes {
			if ok, err = w.confirm(ctx, "Apply and stage?", true); err != nil {
				return err
			}
		}
		if !ok {
			fmt.Fprintln(e.stdout, "Nothing was changed.")
			return outcome(exitFound)
		}
		if err := f.apply(ctx); err != nil {
			return withHint(redact.Error(err), "git status shows what was done; till fix goes on from there")
		}
	}
	if dryRun {
		if len(f.byHand) > 0 {
			return outcome(exitFound)
		}
		return nil
	}
	return f.verdict(ctx, e, ids)
}

// verdict looks at the index again: only what was read is called clean.
func (f *fix) verdict(ctx context.Context, e *env, ids []string) error {
	left, err := stagedKeys(ctx, e, nil)
	if err != nil {
		return err
	}
	if len(ids) > 0 {
		left = slices.DeleteFunc(left, func(k scanner.Key) bool {
			return !slices.ContainsFunc(ids, k.Matches)
		})
	}
	if len(left) > 0 || len(f.byHand) > 0 {
		fmt.Fprintf(e.stdout, "Left to do by hand: %s. Then: git add -u && till scan --staged\n", plural(max(len(left), 1), "key"))
		return outcome(exitFound)
	}
	fmt.Fprintln(e.stdout, "Done. Now: git commit")
	return nil
}

// stagedKeys are the keys that would stop a commit, and those that ids name.
func stagedKeys(ctx context.Context, e *env, ids []string) ([]scanner.Key, error) {
	t, err := openStaged(e)
	if err != nil {
		return nil, err
	}
	r, s, err := look(ctx, e, t)
	if err != nil {
		return nil, err
	}
	if !r.Summary.Complete() {
		return nil, withHint(errors.New("not everything that is staged could be read"), "till scan --staged")
	}
	var keys []scanner.Key
	for _, id := range ids {
		if !slices.ContainsFunc(r.Keys, func(k scanner.Key) bool { return k.Matches(id) }) {
			return nil, withHint(fmt.Errorf("no key %s in the staged changes", id), "till scan --staged")
		}
	}
	for i := range r.Keys {
		k := r.Keys[i]
		if len(ids) == 0 && s.tree.Blocks(&k) || slices.ContainsFunc(ids, k.Matches) {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

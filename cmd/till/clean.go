package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/scanner"
)

func newClean(e *env) *cobra.Command {
	var plan bool
	var ledger string
	cmd := &cobra.Command{
		Use:   "clean ID --plan",
		Short: "Say how a key would leave the history, and whether that is worth it",
		Long: "Prints the git commands that take a value out of commits, what they would break, and whether they are needed at all: a key that is\n" +
			"dead does no harm in a history. Nothing is changed; till rewrites no history.",
		Example: "  till clean ST-7Q4K --plan",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !plan {
				return withHint(errors.New("till itself rewrites no history"), "till clean %s --plan shows how to", args[0])
			}
			return runClean(cmd.Context(), e, args[0], ledger)
		},
	}
	cmd.Flags().BoolVar(&plan, "plan", false, "show the commands; change nothing")
	cmd.Flags().StringVar(&ledger, "ledger", "", "read the record of cases from `FILE`")
	return cmd
}

func runClean(ctx context.Context, e *env, id, ledger string) error {
	w, err := openWorkshop(e, &jobFlags{})
	if err != nil {
		return err
	}
	defer w.close()
	if w.repo == nil {
		return errors.New("not in a git repository: there is no history")
	}
	s, err := lookup(ctx, e, id)
	if err != nil {
		return err
	}
	if err := whole(ctx, e, s); err != nil {
		return err
	}
	c := &cleaning{w: w, key: &s.key, git: newOwnGit(w.repo), dead: knownDead(w, ledger, s.key.Fingerprint)}
	if err := c.look(ctx); err != nil {
		return err
	}
	c.print(e)
	return nil
}

// knownDead asks the record whether the key was proven dead. No record, or one
// that cannot be read, proves nothing.
func knownDead(w *workshop, ledger, fingerprint string) bool {
	l, err := (&rotateFlags{ledger: ledger}).openLedger(w)
	if err != nil {
		return false
	}
	c := l.Case(fingerprint)
	return c != nil && (c.Resolution == rotate.ResolvedRevoked || c.State == rotate.Confirmed)
}

// cleaning is what a rewrite would be about.
type cleaning struct {
	w    *workshop
	key  *scanner.Key
	git  *ownGit
	dead bool

	local, pushed []string // commits that brought the value, oldest first
	refs          []string // branches and tags that hold it
	stash         bool
	base          string // parent of the oldest local commit; "" = it is a root
	merges        bool   // between base and HEAD
	head          bool   // all local commits are on the current branch
	last          bool   // the only local commit is HEAD itself
}

// look asks git which commits are on a remote and which refs hold them.
func (c *cleaning) look(ctx context.Context) error {
	var commits []string
	for _, p := range c.key.Places {
		if p.Commit != nil && !slices.Contains(commits, p.Commit.Hash) {
			commits = append(commits, p.Commit.Hash)
		}
	}
	for _, hash := range commits {
		out, err := c.git.do(ctx, "", "for-each-ref", "--contains="+hash, "--format=%(refname)")
		if err != nil {
			return err
		}
		remote := false
		for ref := range strings.FieldsSeq(out) {
			remote = remote || strings.HasPrefix(ref, "refs/remotes/")
			c.stash = c.stash || ref == "refs/stash"
			if !slices.Contains(c.refs, ref) {
				c.refs = append(c.refs, ref)
			}
		}
		if remote {
			c.pushed = append(c.pushed, hash)
		} else {
			c.local = append(c.local, hash)
		}
	}
	slices.Sort(c.refs)
	if len(c.local) == 0 {
		return nil
	}
	c.head = true
	head, _ := c.git.do(ctx, "", "rev-parse", "--verify", "--quiet", "HEAD")
	head = strings.TrimSpace(head)
	for _, hash := range c.local {
		if _, err := c.git.do(ctx, "", "merge-base", "--is-ancestor", hash, "HEAD"); err != nil {
			c.head = false
		}
	}
	if !c.head {
		return nil
	}
	// The oldest: the one that all others come from.
	oldest := c.local[0]
	for _, hash := range c.local[1:] {
		if _, err := c.git.do(ctx, "", "merge-base", "--is-ancestor", hash, oldest); err == nil {
			oldest = hash
		}
	}
	base, err := c.git.do(ctx, "", "rev-parse", "--verify", "--quiet", oldest+"^")
	if err == nil {
		c.base = strings.TrimSpace(base)
	}
	c.last = len(c.local) == 1 && c.local[0] == head
	span := oldest + "..HEAD"
	merges, err := c.git.do(ctx, "", "rev-list", "--merges", "--max-count=1", span)
	c.merges = err != nil || strings.TrimSpace(merges) != ""
	return nil
}

func (c *cleaning) print(e *env) {
	say := func(format string, args ...any) {
		fmt.Fprintln(e.stdout, strings.TrimRight(printable(fmt.Sprintf(format, args...)), " "))
	}
	k := c.key
	say("%s  %s  %s", k.ID, k.Rule.Description, k.Secret)
	say("")
	for _, p := range k.Places {
		if p.Commit == nil && p.Where != scanner.InMessage {
			say("It stands in the files now: %s:%d. Take it out there first (till fix, when it is staged).", p.Path, p.Location.StartLine)
			break
		}
	}
	if len(c.local)+len(c.pushed) == 0 {
		if k.Exposure == scanner.ExposureUnreachable {
			say("No branch or tag holds it, only objects that git has not cleared away yet:")
			c.forget(say)
			return
		}
		say("No commit holds it: there is nothing to clean.")
		return
	}
	switch {
	case len(c.pushed) == 0:
		say("It is in %s that nobody else has seen.", plural(len(c.local), "commit"))
	case len(c.local) == 0:
		say("It is in %s on a remote.", plural(len(c.pushed), "commit"))
	default:
		say("It is in %s that nobody else has seen, and in %s on a remote.", plural(len(c.local), "commit"), plural(len(c.pushed), "commit"))
	}
	for _, ref := range c.refs[:min(len(c.refs), 12)] {
		say("  %s", ref)
	}
	if n := len(c.refs) - 12; n > 0 {
		say("  and %d more", n)
	}
	if len(c.pushed) > 0 {
		c.printPushed(say)
		return
	}
	say("")
	if c.dead {
		say("The key is proven dead, so it does no harm there. It can still be taken out before the push:")
	} else {
		say("Only here, so it can still be taken out before the push:")
	}
	c.printLocal(say)
}

type sayer func(format string, args ...any)

// printLocal has the commands for commits that were never pushed.
func (c *cleaning) printLocal(say sayer) {
	switch {
	case c.head && c.last:
		say("  When the value is out of the files, and they are added again:")
		say("    git commit --amend")
	case c.head && c.base != "" && !c.merges:
		say("  git rebase -i %s", short(c.base))
		say("    write \"edit\" before the %s: %s", plural(len(c.local), "commit"), shortAll(c.local))
		say("    at each stop: take the value out, git add -u, git commit --amend --no-edit, git rebase --continue")
	default:
		say("  The commits are not in one line below HEAD, so all of it is rewritten:")
		c.filter(say)
		return
	}
	say("  Or, without a hand on each commit:")
	c.filter(say)
}

// printPushed says that a rewrite takes back nothing, and how it would go all the same.
func (c *cleaning) printPushed(say sayer) {
	say("")
	if c.dead {
		say("Not worth a rewrite: the key is proven dead, and a dead key in a history does no harm.")
	} else {
		say("A rewrite takes nothing back: who has fetched has the value. Replace the key first:")
		say("  till rotate %s", c.key.ID)
		say("When it is dead a rewrite is not worth it any more.")
	}
	say("")
	say("What it would break: every commit from %s on gets another id, on all branches and tags above; signatures of these", short(c.pushed[0]))
	say("commits and tags are lost; open pull requests, and clones and forks (nobody can count them) still hold the old ones and bring")
	say("them back with the next push.")
	say("")
	say("If a policy demands it:")
	c.filter(say)
	say("  git push --force --all && git push --force --tags")
	say("  Then ask the host to drop cached views and pull request refs, and have every clone made anew.")
}

// filter has the commands of a rewrite of everything. The file with the value
// is made by the person's own shell, from a prompt: till writes no value.
func (c *cleaning) filter(say sayer) {
	file := filepath.ToSlash(filepath.Join(gitDirName(c.w), "till", c.key.ID+".replace"))
	quoted := shellQuote(file)
	say("    mkdir -p %s", shellQuote(filepath.ToSlash(filepath.Dir(file))))
	say("    # paste the value when this waits; it is not shown")
	say("    (umask 077 && IFS= read -rs value && printf '%%s==>REMOVED\\n' \"$value\" > %s)", quoted)
	say("    git filter-repo --force --replace-text %s --replace-message %s", quoted, quoted)
	say("    rm -f %s", quoted)
	if c.w.repo.RemoteURL("origin") != "" {
		say("    # filter-repo takes the remote out; git remote -v shows it before")
		say("    git remote add origin URL")
	}
	c.forget(say)
	if c.stash {
		say("  A stash holds it too: git stash list, git stash drop.")
	}
}

// forget has the commands after which git itself keeps the old objects no longer.
func (c *cleaning) forget(say sayer) {
	say("    git update-index --clear-resolve-undo")
	say("    git reflog expire --expire=now --expire-unreachable=now --all")
	say("    git gc --prune=now")
	say("  Proof: till scan --history --unreachable")
}

func gitDirName(w *workshop) string {
	if rel, err := filepath.Rel(w.repo.WorkTree, w.repo.CommonDir); err == nil && w.repo.WorkTree != "" && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return w.repo.CommonDir
}

func short(hash string) string { return hash[:min(len(hash), 10)] }

func shortAll(hashes []string) string {
	var out []string
	for _, h := range hashes {
		out = append(out, short(h))
	}
	return strings.Join(out, " ")
}

func shellQuote(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

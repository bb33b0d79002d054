package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/literal"
	"github.com/till-sh/till/rotate/place"
	"github.com/till-sh/till/scanner/source"
)

// show writes the patch with values masked.
func (f *fix) show(e *env) {
	say := func(format string, args ...any) {
		fmt.Fprintf(e.stdout, "  %s\n", printable(f.redact.Text(fmt.Sprintf(format, args...))))
	}
	for _, x := range f.files {
		switch {
		case x.drop:
			what := "leaves the commit"
			if x.inHead {
				what = "is tracked no longer"
			}
			say("%s", x.path)
			say("    a file of secrets: %s, stays on the disk", what)
		case x.index == nil:
			say("%s  (new)", x.path)
			for line := range strings.Lines(string(x.indexNew)) {
				say("    + %s", strings.TrimRight(line, "\r\n"))
			}
		default:
			unstaged := ""
			if x.tree != nil && !bytes.Equal(x.tree, x.index) {
				unstaged = "  (your unstaged changes stay as they are)"
			}
			say("%s%s", x.path, unstaged)
			for _, line := range literal.Diff(x.index, x.edits) {
				say("%s", line)
			}
		}
	}
	if len(f.names) > 0 {
		state := "(ignored by git)"
		if f.dotenv.tree == nil {
			state = "(new, mode 0600, ignored by git)"
		}
		say(".env  %s", state)
		for _, n := range f.names {
			say("    + %s", n)
		}
	}
	for _, n := range f.notes {
		say("note: %s", n)
	}
	if len(f.byHand) > 0 {
		fmt.Fprintln(e.stdout, "By hand:")
		for _, h := range f.byHand {
			say("%s", h)
		}
	}
}

// apply does it in an order in which nothing is lost when it ends half way: the
// values are in .env before they leave the code, and the index changes last, in
// one step.
func (f *fix) apply(ctx context.Context) error {
	var info strings.Builder
	for _, x := range f.files {
		switch {
		case x.drop:
			fmt.Fprintf(&info, "0 %s\t%s\x00", strings.Repeat("0", max(len(x.hash), 40)), x.path)
		case x.indexNew != nil:
			hash, err := f.git.store(ctx, x.indexNew)
			if err != nil {
				return err
			}
			fmt.Fprintf(&info, "%o %s\t%s\x00", x.mode, hash, x.path)
		}
	}
	if len(f.names) > 0 {
		if err := f.write(f.dotenv); err != nil {
			return err
		}
	}
	for _, x := range f.files {
		if x.treeNew == nil || x == f.dotenv {
			continue
		}
		if err := f.write(x); err != nil {
			return err
		}
	}
	return f.git.stage(ctx, info.String())
}

// write changes a file of the work tree unless it is another than what was planned for.
func (f *fix) write(x *fixFile) error {
	now, err := f.readTree(x.path)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, x.tree) || (now == nil) != (x.tree == nil) {
		return fmt.Errorf("%s has changed in the meantime", x.path)
	}
	mode := fs.FileMode(0o644)
	if x.private {
		mode = 0o600
	} else if x.mode == 0o100755 {
		mode = 0o755
	}
	return place.Write(f.root, x.path, x.treeNew, mode)
}

// ownGit is the git command on one repository. Hooks and monitors that its
// configuration names do not run.
type ownGit struct {
	run   rotate.Runner
	words []string
}

func newOwnGit(r *source.Repository) *ownGit {
	return &ownGit{rotate.Programs{Dir: r.WorkTree}, []string{
		"git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.DevNull, "--git-dir=" + r.Dir, "--work-tree=" + r.WorkTree,
	}}
}

func (g *ownGit) do(ctx context.Context, stdin string, words ...string) (string, error) {
	return g.run.Run(ctx, append(g.words[:len(g.words):len(g.words)], words...), stdin)
}

// ignored reports whether a .gitignore of the repository names a file.
func (g *ownGit) ignored(ctx context.Context, name string) (bool, error) {
	out, err := g.do(ctx, "", "check-ignore", "--no-index", "--verbose", "--non-matching", "--", name)
	if out == "" { // exit code 1 with an answer means "no"
		return false, errors.Join(errors.New("git check-ignore said nothing"), err)
	}
	rule, _, _ := strings.Cut(out, "\t")
	parts := strings.SplitN(rule, ":", 3)
	return len(parts) == 3 && filepath.Base(parts[0]) == ".gitignore" && !filepath.IsAbs(parts[0]) && !strings.HasPrefix(parts[2], "!"), nil
}

// store writes content into the object store as it is and returns its id.
func (g *ownGit) store(ctx context.Context, data []byte) (string, error) {
	out, err := g.do(ctx, string(data), "hash-object", "-w", "--stdin")
	return strings.TrimSpace(out), err
}

// untrack takes a file out of the index and leaves it on the disk.
func (g *ownGit) untrack(ctx context.Context, name string) error {
	_, err := g.do(ctx, name+"\x00", "update-index", "--force-remove", "-z", "--stdin")
	return err
}

// stage changes the index: lines of "git update-index --index-info -z".
func (g *ownGit) stage(ctx context.Context, info string) error {
	if info == "" {
		return nil
	}
	if _, err := g.do(ctx, info, "update-index", "-z", "--index-info"); err != nil {
		return fmt.Errorf("stage: %w", err)
	}
	_, _ = g.do(ctx, "", "update-index", "-q", "--refresh") // else git status looks at the files itself
	return nil
}

package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/config"
)

func newAllow(e *env) *cobra.Command {
	var reason, who, until, glob string
	cmd := &cobra.Command{
		Use:   "allow ID...",
		Short: "Say that a finding is not a secret, and why",
		Long: "Writes the key's fingerprint into .tillignore, with the reason and who said so. The entry holds no value and no\n" +
			"line number: it stays valid when the file changes, and two branches merge by taking the lines of both.",
		Example: "  till allow ST-7Q4K --reason \"example from the vendor's manual\"\n  till allow ST-7Q4K --path 'docs/**' --until 2027-06-01 --reason \"rotated by then\"",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if until != "" {
				day, err := time.Parse(time.DateOnly, until)
				if err != nil {
					return fmt.Errorf("--until %s: expected a date such as 2027-06-01", until)
				}
				if day.Before(time.Now().UTC().Truncate(24 * time.Hour)) {
					return fmt.Errorf("--until %s: that day has passed", until)
				}
			}
			if who == "" {
				who = author(e)
			}
			var seen []*sight
			for _, id := range args {
				s, err := lookup(cmd.Context(), e, id)
				if err != nil {
					return err
				}
				seen = append(seen, s)
			}
			if strings.TrimSpace(reason) == "" {
				var err error
				if reason, err = ask(cmd.Context(), e, "Why is it not a secret? "); err != nil {
					return err
				}
			}
			file := filepath.Join(topOf(e), config.IgnoreName)
			if here, err := os.Getwd(); err == nil {
				if rel, err := filepath.Rel(here, file); err == nil {
					file = rel
				}
			}
			for _, s := range seen {
				entry, err := config.NewEntry(&s.key, glob, reason, who, until)
				if err != nil {
					return err
				}
				if err := config.Add(file, entry); err != nil {
					return err
				}
				fmt.Fprintf(e.stdout, "%s  %s  allowed in %s\n", s.key.ID, printable(s.key.Rule.Description), printable(filepath.ToSlash(file)))
			}
			fmt.Fprintf(e.stderr, "Commit it with the change: git add %s\n", printable(filepath.ToSlash(file)))
			return nil
		},
	}
	cmd.Flags().StringVarP(&reason, "reason", "r", "", "why it is not a secret")
	cmd.Flags().StringVar(&who, "by", "", "who says so (default: GIT_AUTHOR_NAME, else the login name)")
	cmd.Flags().StringVar(&until, "until", "", "last day on which this holds, `YYYY-MM-DD`")
	cmd.Flags().StringVar(&glob, "path", "", "only in files that match this `GLOB`")
	return cmd
}

// elsewhere lists the keys that something else than .tillignore hides: inline
// comments, and the lists of .till.toml.
func elsewhere(keys []scanner.Key) []string {
	var lines []string
	for _, k := range keys {
		if s := k.Suppressed; s != nil && s.Kind != config.KindAllowlist {
			lines = append(lines, fmt.Sprintf("%s  %s  %s: %s", k.ID, placeLine(k.Places[0]), cmp.Or(s.Source, s.Kind), cmp.Or(s.Reason, "no reason given")))
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// author is who the environment says is at work.
func author(e *env) string {
	for _, name := range []string{"GIT_AUTHOR_NAME", "GITHUB_ACTOR", "USER", "USERNAME"} {
		if v := e.getenv(name); v != "" {
			return strings.Join(strings.Fields(v), "-")
		}
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// ask puts a question to a person; without one the flag is needed. A signal
// ends it: the read itself cannot be ended, so it is left behind.
func ask(ctx context.Context, e *env, question string) (string, error) {
	if !e.terminal(e.stdin) {
		return "", withHint(errors.New("a reason is needed"), `till allow ID --reason "…"`)
	}
	fmt.Fprint(e.stderr, question)
	type answer struct {
		line string
		err  error
	}
	read := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(e.stdin).ReadString('\n')
		read <- answer{strings.TrimSpace(line), err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(e.stderr)
		return "", ctx.Err()
	case a := <-read:
		if a.err == nil && a.line == "" {
			a.err = errors.New("a reason is needed; nothing was allowed")
		}
		return a.line, a.err
	}
}

func newAllowed(e *env) *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "allowed",
		Short: "Look over what was decided not to be a secret: stale, expired, too wide",
		Long: "Lists the entries of .tillignore and what is wrong with them, after a scan of the history and the files.\n" +
			"With --check, exit code 1 when something is wrong.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			root, err := folderFS(topOf(e))
			if err != nil {
				return err
			}
			tree, err := config.Load(root, config.Options{Version: version()})
			if err != nil {
				return err
			}
			list := tree.Ignore()
			var all []scanner.Key
			for _, p := range places {
				keys, err := keysOf(cmd.Context(), e, p.open)
				if err != nil {
					return err
				}
				all = append(all, keys...)
			}
			problems := list.Audit(all, time.Now(), true)
			for _, entry := range list.Entries {
				fmt.Fprintln(e.stdout, printable(entry.String()))
				for _, p := range problems {
					if p.Entry.Line == entry.Line {
						fmt.Fprintf(e.stdout, "    %s: %s\n", printable(p.Source), printable(p.Message))
					}
				}
			}
			marked := elsewhere(all)
			for _, line := range marked {
				fmt.Fprintln(e.stdout, printable(line))
			}
			fmt.Fprintf(e.stderr, "%d entries in %s, %d by comments and settings, %d problems\n", len(list.Entries), config.IgnoreName, len(marked), len(problems))
			if check && len(problems) > 0 {
				return outcome(exitFound)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "exit code 1 when an entry is stale, expired or too wide")
	return cmd
}

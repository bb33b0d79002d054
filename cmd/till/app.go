package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// The exit codes, as docs/architecture.md promises them.
const (
	exitClean       = 0   // clean, and everything was read
	exitFound       = 1   // a key was found
	exitIncomplete  = 2   // could not check everything: usage, configuration, git, time-out
	exitInterrupted = 130 // stopped by a signal
)

// failure is an error with what to type next.
type failure struct {
	err  error
	hint string
	code int
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// withHint wraps an error with the next command or step for a person.
func withHint(err error, format string, args ...any) error {
	return &failure{err: err, hint: fmt.Sprintf(format, args...), code: exitIncomplete}
}

// outcome is the exit code of a scan that must not end in exit 0. It has no text
// of its own: the report said everything.
type outcome int

func (o outcome) Error() string { return fmt.Sprintf("exit %d", int(o)) }

// run executes one command line and returns the exit code.
func run(ctx context.Context, e *env, args []string) int {
	root := newRoot(e, args)
	root.SetArgs(args)
	root.SetIn(e.stdin)
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	err := root.ExecuteContext(ctx)
	var o outcome
	var f *failure
	switch {
	case err == nil:
		return exitClean
	case errors.As(err, &o):
		return int(o)
	case ctx.Err() != nil:
		fmt.Fprintln(e.stderr, "till: interrupted")
		return exitInterrupted
	}
	fmt.Fprintf(e.stderr, "till: error: %s\n", printable(err.Error()))
	if errors.As(err, &f) {
		if f.hint != "" {
			fmt.Fprintf(e.stderr, "till: hint: %s\n", printable(f.hint))
		}
		return f.code
	}
	return exitIncomplete
}

// newRoot makes the command line for args.
func newRoot(e *env, args []string) *cobra.Command {
	var dir string
	root := &cobra.Command{
		Use:   "till",
		Short: "Find leaked keys before and after they are committed, and replace them",
		Long: "till looks for credentials in staged changes, in the history of a git repository and in files.\n" +
			"Each finding says how to revoke and reissue the key.\n\n" +
			"Exit codes: 0 clean and complete, 1 a key was found, 2 not everything could be checked, 130 interrupted.",
		Example: "  till scan                 files below this folder\n" +
			"  till scan --staged        what the next commit would hold\n" +
			"  till scan --history       everything git keeps",
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if dir == "" {
				return nil
			}
			if err := os.Chdir(dir); err != nil {
				return fmt.Errorf("-C: %w", err)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVarP(&dir, "directory", "C", "", "run as if started in `DIR`, like git's")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return withHint(err, "%s --help", cmd.CommandPath())
	})
	root.SetVersionTemplate("till {{.Version}}\n")
	named, all := choose(args, []command{
		{"scan", newScan}, {"hook", func(e *env) *cobra.Command { return newHook(e, args) }}, {"ci", newCI}, {"report", newReport},
		{"fix", newFix}, {"check", newCheck}, {"rotate", newRotate}, {"clean", newClean}, {"rules", newRules}, {"allow", newAllow},
		{"allowed", newAllowed}, {"config", newConfig}, {"explain", newExplain}, {"version", newVersion},
	})
	root.CompletionOptions.DisableDefaultCmd = !all
	for _, c := range named {
		root.AddCommand(c.make(e))
	}
	return root
}

// command is a command before it is made: one is made of a hundred objects, its
// flags above all.
type command struct {
	name string
	make func(*env) *cobra.Command
}

// choose returns the command that args begin with, and all of them where that is
// none: a hook need not make what somebody else may want to type.
func choose(args []string, commands []command) (chosen []command, all bool) {
	for i, c := range commands {
		if len(args) > 0 && args[0] == c.name {
			return commands[i : i+1], false
		}
	}
	return commands, true
}

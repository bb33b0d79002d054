package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// rotateFlags are the flags of till rotate.
type rotateFlags struct {
	jobFlags
	dryRun, yes, finish, undo, resume, public bool
	reason                                    string
	max                                       int
	order                                     string
	wait                                      time.Duration
	ledger                                    string

	list, asJSON, reopen bool
	show                 string
	resolve              string
}

func newRotate(e *env) *cobra.Command {
	var f rotateFlags
	cmd := &cobra.Command{
		Use:   "rotate ID...",
		Short: "Replace a leaked key: new one, swap, old one off, proven dead",
		Long: "Walks through the replacement of a key and asks before each step that changes something. The value is read from where\n" +
			"the finding stands; it is never an argument and never in the record. Stopped or killed, the same command goes on.\n\n" +
			"Where nobody watches (no terminal) nothing is changed without --yes, --reason and --max.\n\n" +
			"Exit codes: 0 the old key is dead, 1 the case is still open, 2 something could not be done.",
		Example: "  till rotate ST-7Q4K\n  till rotate ST-7Q4K --dry-run\n  till rotate --list\n  till rotate ST-7Q4K --resolve used_in_tests --reason \"fake, see docs\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), e, args)
		},
	}
	f.register(cmd)
	fl := cmd.Flags()
	fl.BoolVar(&f.dryRun, "dry-run", false, "show every request with the key masked; change nothing")
	fl.BoolVar(&f.yes, "yes", false, "do not ask; needs --reason and --max where nobody watches")
	fl.StringVar(&f.reason, "reason", "", "why, for the record")
	fl.IntVar(&f.max, "max", 0, "how many keys this run may replace at most")
	fl.StringVar(&f.order, "order", "", "revoke-first or reissue-first (default: by exposure)")
	fl.BoolVar(&f.public, "public", false, "everybody can read the repository: old key off first")
	fl.DurationVar(&f.wait, "wait", 0, "how long to wait for the old key to die (default 2m)")
	fl.BoolVar(&f.finish, "finish", false, "do the steps that were to wait (delete what was switched off)")
	fl.BoolVar(&f.undo, "undo", false, "take back the last step, where the vendor can")
	fl.BoolVar(&f.resume, "resume", false, "go on with a case (the same command does, too)")
	_ = fl.MarkHidden("resume")
	fl.StringVar(&f.ledger, "ledger", "", "keep the record in `FILE` instead of .git/till/ledger.jsonl")
	fl.BoolVar(&f.list, "list", false, "what is open, how old, who")
	fl.StringVar(&f.show, "show", "", "the record of the case `ID`")
	fl.BoolVar(&f.asJSON, "json", false, "with --list and --show: write JSON")
	fl.StringVar(&f.resolve, "resolve", "", "close the case as revoked, false_positive, used_in_tests or wont_fix; needs --reason")
	fl.BoolVar(&f.reopen, "reopen", false, "open a closed case again; needs --reason")
	return cmd
}

func (f *rotateFlags) run(ctx context.Context, e *env, args []string) error {
	if f.show != "" || f.list {
		return f.look(ctx, e, args)
	}
	if len(args) == 0 {
		return withHint(errors.New("which key?"), "till scan --history shows their ids, till rotate --list the open cases")
	}
	switch rules.Order(f.order) {
	case "", rules.RevokeFirst, rules.ReissueFirst:
	default:
		return fmt.Errorf("--order %s: expected revoke-first or reissue-first", f.order)
	}
	w, err := openWorkshop(e, &f.jobFlags)
	if err != nil {
		return err
	}
	defer w.close()
	if f.resolve != "" || f.reopen {
		return f.decide(ctx, w, args)
	}
	watched := w.interactive() && !f.yes
	if !watched && !f.dryRun {
		switch {
		case !f.yes:
			return withHint(errors.New("nobody is there to ask: nothing was changed"), "till rotate ID --dry-run shows what would be done; --yes --reason \"…\" --max 1 does it")
		case strings.TrimSpace(f.reason) == "":
			return withHint(errors.New("--yes needs a reason for the record"), "--reason \"…\"")
		case f.max < len(args):
			return withHint(fmt.Errorf("%s to replace, and --max is %d", plural(len(args), "key"), f.max), "--max %d", len(args))
		}
	}
	open := false
	for _, id := range args {
		done, err := f.rotate(ctx, w, id, watched)
		if err != nil {
			return err
		}
		open = open || !done
	}
	if open && !f.dryRun {
		return outcome(exitFound)
	}
	return nil
}

// rotate walks through one case.
func (f *rotateFlags) rotate(ctx context.Context, w *workshop, id string, watched bool) (done bool, err error) {
	found, err := lookup(ctx, w.e, id)
	if err != nil {
		return false, f.gone(w, id, err)
	}
	key, err := ownKey(w.e)
	if err != nil {
		return false, err
	}
	store := rotate.Store{Dir: w.below(rotate.StoreName), Key: key}
	fresh, err := store.Get(found.key.Fingerprint)
	if errors.Is(err, rotate.ErrForeign) {
		return false, withHint(err, "it may have come with the repository: a key that is not yours must not be put in place. Remove the file")
	}
	if err != nil {
		return false, err
	}
	ledger, err := f.openLedger(w)
	if err != nil {
		return false, err
	}
	tag := tagger(w.e)
	if err := whole(ctx, w.e, found); err != nil {
		return false, err
	}
	if err := found.leaked(ledger.Case(found.key.Fingerprint), fresh, tag); err != nil {
		return false, err
	}
	k := &found.key
	if k.Suppressed != nil {
		return false, withHint(fmt.Errorf("%s is not reported (%s): %s", k.ID, k.Suppressed.Kind, k.Suppressed.Reason), "till explain %s", k.ID)
	}
	j := w.jobAsSaid(k)
	if why := j.Leak.Harmless(); why != "" {
		return false, withHint(fmt.Errorf("%s: %s; there is nothing to replace", k.ID, why), `till allow %s --reason "%s"`, k.ID, why)
	}
	person := rotate.Person(&terminalPerson{w: w})
	if !watched {
		person = &nobody{terminalPerson{w: w}, f.yes}
		j.Ask = nil
	} else {
		j.Command = w.ownCommand(j)
	}
	s := &rotate.Session{
		Job: j, Ledger: ledger, Store: store, Person: person, Tag: tag,
		Options: rotate.Options{Reason: f.reason, Order: rules.Order(f.order), Finish: f.finish, Patience: f.wait},
	}
	fmt.Fprintf(w.e.stdout, "%s  %s  %s\n\n", k.ID, printable(k.Rule.Description), printable(k.Secret.String()))
	person.Say("Exposure   " + exposureLine(k))
	if where, _ := elsewhereOf(ctx, j, k, true); len(where) > 0 {
		person.Say("Found in   " + strings.Join(where, " · "))
	}
	if f.public {
		j.Leak.Exposure = scanner.ExposurePublic
	} else if k.Exposure == scanner.ExposurePushed && watched {
		public, err := person.Confirm(ctx, "Public?    Can everybody read the remote repository?", false)
		if err != nil {
			return false, err
		}
		if public {
			j.Leak.Exposure = scanner.ExposurePublic
		}
	}
	if f.dryRun {
		return false, s.Preview(ctx)
	}
	begin := time.Now()
	run := s.Run
	if f.undo {
		run = s.Undo
	}
	c, err := run(ctx)
	switch {
	case errors.Is(err, rotate.ErrStopped):
		fmt.Fprintf(w.e.stdout, "\nCase %s: %s, open. %s\n", k.ID, c.State, printable(err.Error()))
		return false, nil
	case err != nil:
		return false, withHint(j.Redact.Error(err), "till rotate %s goes on from there; till rotate --show %s is the record", k.ID, k.ID)
	case f.undo:
		fmt.Fprintf(w.e.stdout, "\nCase %s: taken back.\n", k.ID)
		return false, nil
	}
	fmt.Fprintf(w.e.stdout, "\nCase %s: %s, %s, in %s. Record: till rotate --show %s (no values in it)\n", k.ID, c.State, c.Resolution, time.Since(begin).Round(time.Second), k.ID)
	if k.Exposure == scanner.ExposurePushed || k.Exposure == scanner.ExposureLocal {
		fmt.Fprintf(w.e.stdout, "A dead key in history is harmless; rewriting it costs every clone: till clean %s --plan\n", k.ID)
	}
	return c.Resolution != "", nil
}

// gone explains an ID that no scan finds: the case may be known all the same.
func (f *rotateFlags) gone(w *workshop, id string, err error) error {
	ledger, failed := f.openLedger(w)
	if failed != nil {
		return err
	}
	for _, c := range ledger.Cases() {
		if c.Matches(id) {
			return withHint(fmt.Errorf("the value of case %s stands nowhere in this repository any more, and the record holds none", c.ID),
				`till rotate %s --resolve revoked --reason "…" closes it; till rotate --show %s is the record`, c.ID, c.ID)
		}
	}
	return err
}

// exposureLine says how far a key has travelled and since when.
func exposureLine(k *scanner.Key) string {
	text := string(k.Exposure)
	var first *scanner.Commit
	for _, p := range k.Places {
		if p.Commit != nil && (first == nil || p.Commit.Time.Before(first.Time)) {
			first = p.Commit
		}
	}
	if first != nil {
		text += fmt.Sprintf(", since %s by %s", first.Time.Format(time.DateOnly), first.Author)
	}
	return text
}

// ownCommand runs the owner's command line that prints an answer, after a yes.
func (w *workshop) ownCommand(j *rotate.Job) func(context.Context, rules.Ask, []string) (string, error) {
	return func(ctx context.Context, q rules.Ask, words []string) (string, error) {
		if _, err := j.Run.Find(words[0]); err != nil {
			return "", nil // not installed: the question is put instead
		}
		ok, err := w.confirm(ctx, fmt.Sprintf("  %s: from your own login, $ %s", printable(q.Text), printable(strings.Join(words, " "))), true)
		if err != nil || !ok {
			return "", err
		}
		out, err := j.Run.Run(ctx, words, "")
		if err != nil {
			fmt.Fprintf(w.e.stderr, "  %s\n", printable(j.Redact.Text(err.Error())))
			return "", nil
		}
		return strings.TrimSpace(out), nil
	}
}

// below is a file or folder below the git directory that all work trees share,
// or below the person's own folder outside of a repository.
func (w *workshop) below(name string) string {
	if w.repo != nil {
		return filepath.Join(w.repo.CommonDir, filepath.FromSlash(name))
	}
	return filepath.Join(stateDir(w.e), filepath.Base(name))
}

// ownKey is the person's own key, which seals what till keeps in a repository.
func ownKey(e *env) ([]byte, error) {
	key, err := recordKey(e)
	if err != nil {
		return nil, withHint(fmt.Errorf("your own key, which proves that a record is yours: %w", err), "HOME or XDG_STATE_HOME has to name a folder of yours")
	}
	return key, nil
}

func (f *rotateFlags) openLedger(w *workshop) (*rotate.Ledger, error) {
	path := f.ledger
	if path == "" {
		path = w.e.getenv("TILL_LEDGER")
	}
	own := path == ""
	if own {
		path = w.below(rotate.LedgerName)
	}
	who := author(w.e)
	if host, err := os.Hostname(); err == nil {
		who += "@" + host
	}
	var l *rotate.Ledger
	var err error
	if own { // it lies where a downloaded archive could have put it
		var key []byte
		if key, err = ownKey(w.e); err == nil {
			l, err = rotate.OpenOwnLedger(path, who, key, time.Now)
		}
	} else {
		l, err = rotate.OpenLedger(path, who, time.Now)
	}
	if errors.Is(err, rotate.ErrForeign) {
		return nil, withHint(err, "it may have come with the repository, and nothing in it is believed. Remove the file; or, if it is yours: --ledger %s", path)
	}
	if err != nil {
		return nil, err
	}
	for _, n := range l.Notes() {
		fmt.Fprintf(w.e.stderr, "till: note: %s\n", printable(n))
	}
	return l, nil
}

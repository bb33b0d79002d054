package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/till-sh/till/rotate"
)

// What till rotate shows and decides about cases without walking through one.

// caseJSON is a case for machines.
type caseJSON struct {
	ID          string         `json:"id"`
	Fingerprint string         `json:"fingerprint"`
	Rule        string         `json:"rule"`
	State       string         `json:"state"`
	Validity    string         `json:"validity,omitempty"`
	Resolution  string         `json:"resolution,omitempty"`
	Opened      time.Time      `json:"opened"`
	Changed     time.Time      `json:"changed"`
	Due         time.Time      `json:"due,omitzero"`
	Who         string         `json:"who"`
	Again       string         `json:"again,omitempty"`
	NewID       string         `json:"new_id,omitempty"`
	Stored      string         `json:"stored,omitempty"`
	Entries     []rotate.Entry `json:"entries,omitempty"`
}

func caseJSONOf(c *rotate.Case) caseJSON {
	return caseJSON{
		ID: c.ID, Fingerprint: c.Fingerprint, Rule: c.Rule, State: string(c.State), Validity: string(c.Validity), Resolution: string(c.Resolution),
		Opened: c.Opened, Changed: c.Changed, Due: c.Due, Who: c.Who, NewID: c.NewID, Stored: c.Stored,
	}
}

// look answers --list and --show.
func (f *rotateFlags) look(ctx context.Context, e *env, args []string) error {
	if len(args) > 0 {
		return withHint(errors.New("--list takes no id, and --show one of its own"), "till rotate --show ID")
	}
	w, err := openWorkshop(e, &f.jobFlags)
	if err != nil {
		return err
	}
	defer w.close()
	ledger, err := f.openLedger(w)
	if err != nil {
		return err
	}
	if f.show != "" {
		return f.showCase(e, ledger)
	}
	again, err := w.leakedAgain(ctx, ledger)
	if err != nil {
		return err
	}
	all := openAgain(ledger.Cases(), again)
	cases := []caseJSON{}
	for _, c := range all {
		if c.Open() || !c.Due.IsZero() {
			x := caseJSONOf(c)
			x.Again = again[c.Fingerprint]
			cases = append(cases, x)
		}
	}
	if f.asJSON {
		return writeJSON(e, cases)
	}
	for _, c := range all {
		if !c.Open() && c.Due.IsZero() {
			continue
		}
		state := string(c.State)
		if !c.Due.IsZero() {
			state += ", next step " + c.Due.Local().Format("2006-01-02")
		}
		if c.Validity != "" {
			state += ", " + string(c.Validity)
		}
		if text := again[c.Fingerprint]; text != "" {
			state = text
		}
		fmt.Fprintf(e.stdout, "%-8s  %-28s  %-24s  %s, %s\n", c.ID, printable(c.Rule), printable(state), c.Age(time.Now()), printable(c.Who))
	}
	fmt.Fprintf(e.stderr, "%s open of %d in %s\n", plural(len(cases), "case"), len(all), printable(ledger.Path()))
	if len(cases) > 0 {
		return outcome(exitFound)
	}
	return nil
}

func writeJSON(e *env, v any) error {
	enc := json.NewEncoder(e.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func (f *rotateFlags) showCase(e *env, ledger *rotate.Ledger) error {
	c, err := caseOf(ledger, f.show)
	if err != nil {
		return err
	}
	if f.asJSON {
		l := caseJSONOf(c)
		l.Entries = ledger.Entries(c.Fingerprint)
		return writeJSON(e, l)
	}
	fmt.Fprintf(e.stdout, "%s  %s  %s", c.ID, printable(c.Rule), c.State)
	if c.Resolution != "" {
		fmt.Fprintf(e.stdout, ", %s", c.Resolution)
	}
	fmt.Fprintf(e.stdout, "\nfingerprint %s\n\n", c.Fingerprint)
	for _, entry := range ledger.Entries(c.Fingerprint) {
		parts := []string{string(entry.Event)}
		for _, s := range []string{entry.Step, string(entry.Validity), string(entry.Resolution), entry.What, entry.Reason, entry.NewID} {
			if s != "" {
				parts = append(parts, s)
			}
		}
		for name, value := range entry.Names {
			parts = append(parts, name+"="+value)
		}
		if len(entry.Names) > 1 {
			slices.Sort(parts[len(parts)-len(entry.Names):])
		}
		fmt.Fprintf(e.stdout, "%s  %s  %s\n", entry.Time.Local().Format("2006-01-02 15:04:05"), printable(entry.Who), printable(strings.Join(parts, "  ")))
	}
	if c.Stored != "" {
		fmt.Fprintf(e.stdout, "\nThe new key is in %s\n", printable(c.Stored))
	}
	return nil
}

func caseOf(ledger *rotate.Ledger, id string) (*rotate.Case, error) {
	var hits []*rotate.Case
	for _, c := range ledger.Cases() {
		if c.Matches(id) {
			hits = append(hits, c)
		}
	}
	switch len(hits) {
	case 0:
		return nil, withHint(fmt.Errorf("no case %s in %s", id, ledger.Path()), "till rotate --list")
	case 1:
		return hits[0], nil
	}
	return nil, withHint(fmt.Errorf("%s can be any of %d cases", id, len(hits)), "write more of it")
}

// decide closes cases, or opens them again, by a person's word.
func (f *rotateFlags) decide(ctx context.Context, w *workshop, args []string) error {
	resolution := rotate.Resolution(strings.ReplaceAll(f.resolve, "-", "_"))
	if f.resolve != "" && !slices.Contains(rotate.Resolutions(), resolution) {
		return fmt.Errorf("--resolve %s: expected one of revoked, false_positive, used_in_tests, wont_fix", f.resolve)
	}
	if f.resolve != "" && f.reopen {
		return errors.New("--resolve and --reopen exclude each other")
	}
	if strings.TrimSpace(f.reason) == "" {
		return withHint(errors.New("a decision needs a reason for the record"), `--reason "…"`)
	}
	ledger, err := f.openLedger(w)
	if err != nil {
		return err
	}
	for _, id := range args {
		if err := f.decideOne(ctx, w, ledger, id, resolution); err != nil {
			return err
		}
	}
	return nil
}

// decideOne is decide for one case, which nobody works on meanwhile.
func (f *rotateFlags) decideOne(ctx context.Context, w *workshop, ledger *rotate.Ledger, id string, resolution rotate.Resolution) error {
	entry := rotate.Entry{Event: rotate.EventResolved, Resolution: resolution, Reason: f.reason}
	if f.reopen {
		entry = rotate.Entry{Event: rotate.EventReopened, Reason: f.reason}
	}
	c, err := caseOf(ledger, id)
	switch {
	case err == nil:
		release, err := ledger.Hold(c.Fingerprint, c.ID)
		if err != nil {
			return err
		}
		defer release()
		if c = ledger.Case(c.Fingerprint); c == nil { // as it is now
			return fmt.Errorf("case %s is gone from %s", id, ledger.Path())
		}
		entry.Case = c.Fingerprint
		if !f.reopen {
			entry.Values = append(slices.Clone(c.About), w.valuesOf(ctx, c)...)
		}
	case f.reopen:
		return err
	default:
		// A finding that has no case yet gets one by the decision.
		found, err := lookup(ctx, w.e, id)
		if err != nil {
			return err
		}
		if err := whole(ctx, w.e, found); err != nil {
			return err
		}
		k := &found.key
		release, err := ledger.Hold(k.Fingerprint, k.ID)
		if err != nil {
			return err
		}
		defer release()
		entry.Case, entry.Values = k.Fingerprint, tagsOf(tagger(w.e), k)
		if ledger.Case(k.Fingerprint) == nil {
			if err := ledger.Append(rotate.Entry{Case: k.Fingerprint, ID: k.ID, Rule: k.Rule.ID, Event: rotate.EventOpened, State: rotate.Found, Values: entry.Values}); err != nil {
				return err
			}
		}
	}
	if err := ledger.Append(entry); err != nil {
		return err
	}
	done := ledger.Case(entry.Case)
	word := string(done.Resolution)
	if f.reopen {
		word = "open again"
	}
	fmt.Fprintf(w.e.stdout, "%s  %s  %s\n", done.ID, printable(done.Rule), word)
	if resolution == rotate.ResolvedFalse || resolution == rotate.ResolvedTests {
		fmt.Fprintf(w.e.stderr, "So that scans pass over it: till allow %s --reason %q\n", done.ID, f.reason)
	}
	return nil
}

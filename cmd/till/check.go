package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/source"
)

func newCheck(e *env) *cobra.Command {
	var f jobFlags
	var rule string
	var asJSON, offline bool
	cmd := &cobra.Command{
		Use:   "check [ID|-]",
		Short: "Ask the vendor whether a key is live, whose it is and what it may do",
		Long: "Asks the key's own vendor, with a request that changes nothing, and looks where else the key is in use. The key is\n" +
			"read from where the finding stands, or from standard input (-), or from a hidden prompt; it is never an argument.\n" +
			"Traps (canary tokens) and values that a vendor has published are not asked about.\n\n" +
			"Exit codes: 0 dead, 1 live, 2 unknown: no answer, a rate limit or a failing server say nothing about the key.",
		Example: "  till check ST-7Q4K\n  till check -  < key.txt\n  till check --rule acme-api-key",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := openWorkshop(e, &f)
			if err != nil {
				return err
			}
			defer w.close()
			var k *scanner.Key
			if len(args) == 1 && args[0] != "-" {
				s, err := lookup(cmd.Context(), e, args[0])
				if err == nil {
					err = whole(cmd.Context(), e, s)
				}
				if err != nil {
					return err
				}
				if l, err := (&rotateFlags{}).openLedger(w); err == nil {
					// What a case has put there is no leak.
					if err := s.leaked(l.Case(s.key.Fingerprint), nil, tagger(e)); err != nil {
						return err
					}
				}
				k = &s.key
			} else if k, err = w.givenKey(cmd.Context(), rule); err != nil {
				return err
			}
			return w.check(cmd.Context(), k, offline, asJSON)
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&rule, "rule", "", "the kind of the key, where its form does not tell")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.Flags().BoolVar(&offline, "offline", false, "ask nobody: only what till knows by itself")
	return cmd
}

// givenKey reads a key from standard input or a hidden prompt and finds out
// what kind it is. What is read may be the key alone or lines of a file around
// it, so that the two halves of a pair can be given together.
func (w *workshop) givenKey(ctx context.Context, rule string) (*scanner.Key, error) {
	var text string
	var err error
	if w.e.terminal(w.e.stdin) {
		text, err = w.hidden(ctx, "Key (not shown): ")
	} else {
		var data []byte
		data, err = io.ReadAll(io.LimitReader(w.e.stdin, 1<<20))
		text = strings.TrimSpace(string(data))
	}
	if err != nil {
		return nil, err
	}
	if text == "" {
		return nil, errors.New("no key was given")
	}
	o := output{}
	if rule != "" {
		o.only = []string{rule}
		_, r := findRule(rule)
		if r == nil {
			return nil, withHint(fmt.Errorf("--rule %s: no such rule", rule), "till rules list")
		}
		if !strings.ContainsAny(text, " \n=:\"'") || r.Value != "" && !strings.Contains(text, "\n") {
			// The value alone: taken for what the person says it is.
			s := scanner.NewSecret([]byte(text))
			return &scanner.Key{ID: strings.ToUpper(r.Provider[:2]) + "-GIVEN", Rule: r, Class: r.Class, Secret: s}, nil
		}
	}
	t := &target{source: source.NewReader("standard input", strings.NewReader(text+"\n"))}
	s, err := o.load(w.e, t)
	if err != nil {
		return nil, err
	}
	engine, err := scanner.New(scanner.Options{NoMarks: true}, s.catalogue)
	if err != nil {
		return nil, err
	}
	r, err := scanner.Run(ctx, engine, t.source, scanner.RunOptions{})
	if err != nil {
		return nil, err
	}
	keys := slices.DeleteFunc(r.Keys, func(k scanner.Key) bool { return k.Rule.Severity == "low" })
	switch len(keys) {
	case 0:
		return nil, withHint(errors.New("what was given does not look like a key that till knows"), "till check --rule RULE   (till rules list)")
	case 1:
		return &keys[0], nil
	}
	return nil, fmt.Errorf("%d keys were given: check one at a time", len(keys))
}

// checked is the outcome for people and machines.
type checked struct {
	ID          string   `json:"id"`
	Fingerprint string   `json:"fingerprint,omitempty"`
	Rule        string   `json:"rule"`
	Description string   `json:"description"`
	Masked      string   `json:"masked"`
	Exposure    string   `json:"exposure,omitempty"`
	Validity    string   `json:"validity"`
	Why         string   `json:"why"`
	Host        string   `json:"host,omitempty"`
	Identity    string   `json:"identity,omitempty"`
	Scopes      string   `json:"scopes,omitempty"`
	LastUsed    string   `json:"last_used,omitempty"`
	Expires     string   `json:"expires,omitempty"`
	Blast       string   `json:"blast,omitempty"`
	Usage       string   `json:"usage,omitempty"`
	Elsewhere   []string `json:"elsewhere,omitempty"`
	Notes       []string `json:"notes,omitempty"`
}

func (w *workshop) check(ctx context.Context, k *scanner.Key, offline, asJSON bool) error {
	j := w.jobAsSaid(k)
	v := rotate.Verdict{Validity: rotate.Unknown, Why: "nobody was asked"}
	if !offline {
		if host := j.Announce(ctx); host != "" {
			fmt.Fprintf(w.e.stderr, "asking %s\n", printable(host))
		}
		var err error
		if v, err = j.VerifyAll(ctx); err != nil {
			return err
		}
		k.Secret = j.Leak.Secret
	}
	c := checked{
		ID: k.ID, Fingerprint: k.Fingerprint, Rule: k.Rule.ID, Description: k.Rule.Description, Masked: k.Secret.String(),
		Exposure: string(k.Exposure), Validity: string(v.Validity), Why: j.Redact.Text(v.Why), Host: v.Host,
		Identity: v.Identity, Scopes: v.Scopes, LastUsed: v.LastUsed, Expires: v.Expires,
		Blast: k.Rule.Workflow.Blast, Usage: k.Rule.Workflow.Usage,
	}
	if c.Identity == "" {
		c.Identity = k.Facts.Account
	}
	if c.Expires == "" {
		c.Expires = k.Facts.Expires
	}
	c.Elsewhere, c.Notes = elsewhereOf(ctx, j, k, false)
	if n := len(k.Others); n > 0 && !offline {
		c.Notes = append(c.Notes, fmt.Sprintf("%s more stood at the same place; the answer is the worst of all", plural(n, "value")))
	}
	if asJSON {
		enc := json.NewEncoder(w.e.stdout)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		if err := enc.Encode(c); err != nil {
			return err
		}
	} else {
		c.show(w.e.stdout, w.e.screen(), k)
	}
	switch v.Validity {
	case rotate.Inactive:
		return nil
	case rotate.Active:
		return outcome(exitFound)
	}
	return outcome(exitIncomplete)
}

// elsewhereOf says where the key is in use: in the places of the finding, in
// files of the work tree, and unless files is set in stores that a placer can
// look into.
func elsewhereOf(ctx context.Context, j *rotate.Job, k *scanner.Key, files bool) (where, notes []string) {
	history := map[string]bool{}
	for _, p := range k.Places {
		if p.Commit != nil {
			history[p.Commit.Hash] = true
		}
	}
	for _, p := range j.Adapters.Placers {
		if files && p.Name() != "files" {
			continue
		}
		spots, err := p.Find(ctx, j)
		if err != nil {
			notes = append(notes, fmt.Sprintf("%s: %v", p.Name(), j.Redact.Error(err)))
			continue
		}
		for _, s := range spots {
			text := s.Where
			if p.Name() != "files" {
				text = p.Name() + " " + text
			}
			if !s.Sure {
				text += " (by name)"
			}
			where = append(where, text)
		}
	}
	if n := len(history); n > 0 {
		where = append(where, fmt.Sprintf("history (%s)", plural(n, "commit")))
	}
	return where, notes
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// liveWord is the word of the reports for a validity.
func liveWord(v string) string {
	switch v {
	case string(rotate.Active):
		return "live"
	case string(rotate.Inactive):
		return "dead"
	}
	return "?"
}

func (c *checked) show(out io.Writer, width int, k *scanner.Key) {
	fmt.Fprintf(out, "%s  %s  %s\n\n", c.ID, printable(c.Description), printable(c.Masked))
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintln(out, hang(fmt.Sprintf("  %-10s %s", name, printable(text)), width))
		}
	}
	line("Exposure", c.Exposure)
	word := liveWord(c.Validity)
	if word == "?" {
		word = "unknown"
	}
	line("Live?", fmt.Sprintf("%s (%s)", word, strings.TrimSpace(c.Host+" "+c.Why)))
	line("Whose", c.Identity)
	line("May", c.Scopes)
	line("Last used", c.LastUsed)
	line("Expires", c.Expires)
	line("Can do", c.Blast)
	line("Found in", strings.Join(c.Elsewhere, " · "))
	line("Abuse", c.Usage)
	for _, n := range c.Notes {
		line("Note", n)
	}
	if c.Validity != string(rotate.Inactive) && c.Fingerprint != "" && k.Exposure != "" {
		fmt.Fprintf(out, "\nNext  till rotate %s\n", c.ID)
	}
}

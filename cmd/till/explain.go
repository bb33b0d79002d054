package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/report"
)

func newExplain(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "explain ID|RULE",
		Short: "Say why till thinks that something is a key, and what to do",
		Long:  "For an ID of a report: where the key stands, why it was found and how to replace it. For a rule: what it looks for.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if p, r := findRule(args[0]); r != nil {
				return showRule(e.stdout, p, r)
			}
			s, err := lookup(cmd.Context(), e, args[0])
			if err != nil {
				return err
			}
			explain(e, s)
			return nil
		},
	}
}

func explain(e *env, s *sight) {
	k := &s.key
	w := e.stdout
	fmt.Fprintf(w, "%s  %s  %s\n\n", k.ID, printable(k.Rule.Description), printable(k.Secret.String()))
	fmt.Fprintf(w, "Found in the %s:\n", s.where)
	for i, p := range k.Places {
		if i == 5 {
			fmt.Fprintf(w, "  and %d more places\n", len(k.Places)-i)
			break
		}
		fmt.Fprintf(w, "  %s\n", printable(placeLine(p)))
	}
	fmt.Fprintf(w, "\nWhy:\n")
	for _, reason := range reasons(k) {
		fmt.Fprintf(w, "  - %s\n", printable(reason))
	}
	if k.Suppressed != nil {
		fmt.Fprintf(w, "  - but it is not reported (%s): %s\n", k.Suppressed.Kind, printable(k.Suppressed.Reason))
	}
	fmt.Fprintf(w, "\nfingerprint %s\nrule        %s (till rules show %s)\n", k.Fingerprint, k.Rule.ID, k.Rule.ID)
	if b := k.Rule.Workflow.Blast; b != "" {
		fmt.Fprintf(w, "blast       %s\n", b)
	}
	if flow := &k.Rule.Workflow; k.Exposure.Order(flow.Order) == rules.RevokeFirst {
		showSteps(w, "Revoke", flow.Revoke)
		showSteps(w, "Reissue", flow.Reissue)
	} else {
		showSteps(w, "Reissue", flow.Reissue)
		showSteps(w, "Revoke", flow.Revoke)
	}
	if k.Suppressed != nil {
		return
	}
	fmt.Fprintf(w, "\nNot a secret?  till allow %s --reason \"…\"\n", k.ID)
	if line, what := report.Next(k); line != "" {
		fmt.Fprintf(w, "Next           %s    %s\n", line, what)
	}
}

func placeLine(p scanner.Place) string {
	s := p.Path
	if p.Where != scanner.InContent && p.Where != "" {
		s = strings.TrimSpace(string(p.Where) + " " + s)
	}
	s += fmt.Sprintf(":%d:%d", p.Location.StartLine, p.Location.StartColumn)
	if p.Commit != nil {
		s += fmt.Sprintf("  commit %.10s by %s, %s", p.Commit.Hash, p.Commit.Author, p.Commit.Time.Format("2006-01-02"))
	}
	if len(p.Decoded) > 0 {
		s += "  (" + strings.Join(p.Decoded, ", ") + ")"
	}
	return s
}

// reasons says in sentences what made the engine take the value for a key.
func reasons(k *scanner.Key) []string {
	var out []string
	switch {
	case k.Facts.Checksum == "ok":
		out = append(out, "the value carries a checksum and it is right: nobody makes that up by chance")
	case k.Rule.Assigned:
		out = append(out, "it is assigned to a name that ends in one of: "+strings.Join(k.Rule.Keywords, ", "))
		if !k.Rule.Human {
			out = append(out, "it looks random: letters and digits mixed, no words, no path, no code")
		}
	case k.Rule.Regex != "":
		out = append(out, "it has the shape of this kind of key: "+k.Rule.Regex)
	default:
		out = append(out, "it has the right form ("+k.Rule.Value+") beside one of these names: "+strings.Join(k.Rule.Keywords, ", "))
	}
	if k.Facts.Note != "" {
		out = append(out, k.Facts.Note)
	}
	if k.Partner != nil {
		out = append(out, "its other half stands near it: "+k.Partner.Secret.String())
	}
	if k.Facts.Account != "" {
		out = append(out, "it belongs to "+k.Facts.Account)
	}
	if k.Facts.Expires != "" {
		out = append(out, "it says that it expires "+k.Facts.Expires)
	}
	return out
}

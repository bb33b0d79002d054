package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

func newRules(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "List, show and test rules",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRulesList(e), newRulesShow(e), newRulesTest(e))
	return cmd
}

func newRulesList(e *env) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the kinds of credential that till knows",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			switch format {
			case "text":
				return listText(e.stdout)
			case "json":
				return listJSON(e.stdout)
			case "markdown":
				return rules.WritePage(e.stdout, rules.Builtin())
			}
			return fmt.Errorf("unknown format %q (known: text, json, markdown)", format)
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text, json or markdown")
	return cmd
}

// eachRule calls fn for every rule of the built-in catalogue, in order.
func eachRule(fn func(p *rules.Provider, r *rules.Rule)) {
	c := rules.Builtin()
	for p := range c.Providers {
		for r := range c.Providers[p].Rules {
			fn(&c.Providers[p], &c.Providers[p].Rules[r])
		}
	}
}

func listText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	eachRule(func(_ *rules.Provider, r *rules.Rule) {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", r.ID, r.Class, r.Severity, r.Description)
	})
	return t.Flush()
}

type ruleEntry struct {
	ID          string   `json:"id"`
	Provider    string   `json:"provider"`
	Description string   `json:"description"`
	Class       string   `json:"class"`
	Severity    string   `json:"severity"`
	Keywords    []string `json:"keywords"`
	Verifies    bool     `json:"verifies"`
	Revokes     string   `json:"revokes"`
	Reissues    string   `json:"reissues"`
	Self        bool     `json:"self_revocable"`
	Docs        []string `json:"docs"`
}

func entryOf(p *rules.Provider, r *rules.Rule) ruleEntry {
	docs := r.Docs
	if len(docs) == 0 {
		docs = p.Docs
	}
	return ruleEntry{
		ID: r.ID, Provider: p.Name, Description: r.Description, Class: string(r.Class), Severity: string(r.Severity), Keywords: r.Keywords,
		Verifies: r.Verifies(), Revokes: strings.ToLower(r.Workflow.Revokes()), Reissues: strings.ToLower(r.Workflow.Reissues()), Self: r.Workflow.RevokesItself(), Docs: docs,
	}
}

func listJSON(w io.Writer) error {
	var all []ruleEntry
	eachRule(func(p *rules.Provider, r *rules.Rule) { all = append(all, entryOf(p, r)) })
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(all)
}

func newRulesShow(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "show RULE",
		Short: "Show one rule: its shape, how it is verified, revoked and reissued",
		Args:  cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var ids []string
			eachRule(func(_ *rules.Provider, r *rules.Rule) { ids = append(ids, r.ID) })
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			p, r := findRule(args[0])
			if r == nil {
				return withHint(fmt.Errorf("no rule %q", args[0]), "till rules list")
			}
			return showRule(e.stdout, p, r)
		},
	}
}

func findRule(id string) (provider *rules.Provider, rule *rules.Rule) {
	eachRule(func(p *rules.Provider, r *rules.Rule) {
		if r.ID == id {
			provider, rule = p, r
		}
	})
	return provider, rule
}

func showRule(w io.Writer, p *rules.Provider, r *rules.Rule) error {
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%-10s %s\n", name, value)
		}
	}
	fmt.Fprintf(w, "%s\n%s\n\n", r.ID, r.Description)
	row("provider", p.Name+" (reviewed "+p.Reviewed+")")
	row("class", string(r.Class)+", "+string(r.Severity))
	row("keywords", strings.Join(r.Keywords, ", "))
	row("regex", r.Regex)
	row("value", r.Value)
	row("checksum", r.Checksum)
	if r.MinEntropy > 0 {
		row("entropy", fmt.Sprintf("at least %g bits per character", r.MinEntropy))
	}
	if r.Needs.Rule != "" {
		row("needs", fmt.Sprintf("%s within %d lines, without it: %s", r.Needs.Rule, r.Needs.Lines, r.Needs.Without))
	}
	row("paths", strings.Join(r.Paths, ", "))
	if q := r.Verify.Request; q.URL != "" {
		row("verify", fmt.Sprintf("%s %s  (active: %s, inactive: %s)", q.Method, q.URL, codes(r.Verify.Live), codes(r.Verify.Dead)))
	}
	row("blast", r.Workflow.Blast)
	row("usage", r.Workflow.Usage)
	docs := r.Docs
	if len(docs) == 0 {
		docs = p.Docs
	}
	row("docs", strings.Join(docs, " "))
	showSteps(w, "Revoke", r.Workflow.Revoke)
	showSteps(w, "Reissue", r.Workflow.Reissue)
	return nil
}

func codes(list []int) string {
	var s []string
	for _, c := range list {
		s = append(s, fmt.Sprint(c))
	}
	if len(s) == 0 {
		return "-"
	}
	return strings.Join(s, " ")
}

func showSteps(w io.Writer, title string, steps []rules.Step) {
	if len(steps) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for i, s := range steps {
		fmt.Fprintf(w, "  %d  %s\n", i+1, s.Title)
		for _, line := range []string{s.Text, s.URL} {
			if line != "" {
				fmt.Fprintf(w, "     %s\n", line)
			}
		}
		if s.Command != "" {
			fmt.Fprintf(w, "     $ %s\n", s.Command)
		}
		if s.Request != nil {
			fmt.Fprintf(w, "     %s %s\n", s.Request.Method, s.Request.URL)
		}
	}
}

func newRulesTest(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "test FILE|FOLDER...",
		Short: "Try the samples of rule files and say why one fails",
		Long: "Reads rule files, in the format of docs/rules.md, and tries every sample: those under match must be found by\n" +
			"their rule, those under miss must not. Exit code 1 when a sample fails, 2 when a file is wrong.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return testRules(e, args) },
	}
}

func testRules(e *env, args []string) error {
	files, err := ruleFiles(args)
	if err != nil {
		return err
	}
	failed, samples, n := 0, 0, 0
	var wrong error
	for _, file := range files {
		p, err := rules.LoadFile(file)
		if err != nil {
			wrong = errors.Join(wrong, err)
			continue
		}
		engine, err := scanner.New(scanner.Options{NoMarks: true}, &rules.Catalogue{Providers: []rules.Provider{p}})
		if err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("%s: %w", file, err))
			continue
		}
		for _, r := range p.Rules {
			n++
			samples += len(r.Samples.Match) + len(r.Samples.Miss)
		}
		for _, f := range rules.Check(p, finder(engine)) {
			failed++
			fmt.Fprintf(e.stdout, "%s: %s\n", file, f)
		}
	}
	if wrong != nil {
		return wrong
	}
	fmt.Fprintf(e.stderr, "%d rules, %d samples, %d failed\n", n, samples, failed)
	if failed > 0 {
		return outcome(exitFound)
	}
	return nil
}

// finder tells which rules find something in a text.
func finder(engine *scanner.Engine) func(path string, text []byte) []string {
	return func(path string, text []byte) []string {
		found, err := engine.Scan(&scanner.Blob{Path: path, Data: text})
		if err != nil {
			return nil
		}
		var ids []string
		for _, f := range found.Findings {
			ids = append(ids, f.Rule.ID)
		}
		return ids
	}
}

func ruleFiles(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, arg)
			continue
		}
		found, err := filepath.Glob(filepath.Join(arg, "*.toml"))
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: no rule files (*.toml) in this folder", arg)
		}
		files = append(files, found...)
	}
	return files, nil
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/config"
	"github.com/till-sh/till/scanner/report"
)

func newReport(e *env) *cobra.Command {
	var o output
	merge := false
	var ledger, failOnOpen string
	cmd := &cobra.Command{
		Use:   "report [--merge FILE...]",
		Short: "Report the open cases, or put several JSON reports together",
		Long: "Without --merge: what is open in the record of till rotate, how old it is and who touched it last, as Markdown, JSON or HTML\n" +
			"(--format). With --fail-on-open 7d the exit code is 1 when a case is open longer.\n\n" +
			"With --merge: reads reports that till scan wrote with --format json (- is standard input) and makes one of them: a key that stands in\n" +
			"several is one key with all its places. Where shards of a repository are missing, the result is not complete.\n" +
			"The exit code is that of a scan.",
		Example: "  till report --fail-on-open 7d\n  till report --merge shard-*.json --report sarif=till.sarif",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case !merge && len(args) > 0:
				return withHint(errors.New("say what to do with the reports"), "till report --merge FILE...")
			case !merge:
				return o.reportCases(cmd.Context(), e, ledger, failOnOpen)
			case len(args) == 0:
				return withHint(errors.New("which reports?"), "till report --merge FILE...")
			case ledger != "" || failOnOpen != "":
				return errors.New("--ledger and --fail-on-open are for the report of cases, without --merge")
			}
			return o.merge(e, args)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&merge, "merge", false, "make one report of all")
	f.StringVar(&ledger, "ledger", "", "read the record of cases from `FILE` instead of .git/till/ledger.jsonl")
	f.StringVar(&failOnOpen, "fail-on-open", "", "exit code 1 when a case is open longer than this `SPAN` (7d, 2w, 36h)")
	o.registerReport(cmd)
	return cmd
}

// merge reads JSON reports and writes one. A file that cannot be read makes the
// result incomplete, and keeps nobody from the others.
func (o *output) merge(e *env, files []string) error {
	if err := o.check(e); err != nil {
		return err
	}
	var parts []*scanner.Result
	t := &target{root: fmt.Sprintf("%d reports", len(files))}
	catalogue := ""
	for _, name := range files {
		r, rules, err := readReport(e, name)
		if err != nil {
			r = &scanner.Result{Summary: scanner.Summary{Errors: []string{fmt.Sprintf("%s: %v", name, err)}}}
		} else if catalogue == "" {
			catalogue = rules
		} else if rules != catalogue {
			r.Summary.Notes = append(r.Summary.Notes, fmt.Sprintf("%s was made by other rules (%s) than the first report (%s)", name, rules, catalogue))
		}
		parts = append(parts, r)
	}
	tree, err := config.Load(nil, config.Options{Overrides: o.overrides(e)})
	if err != nil {
		return err
	}
	s := &settings{tree: tree, catalogue: tree.Catalogue()}
	result := scanner.Merge(parts)
	options := o.options(e, t, s, 0)
	if catalogue != "" {
		options.Catalogue = catalogue
	}
	options.Finished = time.Now()
	if err := o.write(e, result, options); err != nil {
		return err
	}
	return s.verdict(result)
}

func readReport(e *env, name string) (r *scanner.Result, catalogue string, err error) {
	var in io.Reader = e.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, "", bare(err)
		}
		defer f.Close()
		in = f
	}
	r, _, catalogue, err = report.ReadJSON(in)
	return r, catalogue, err
}

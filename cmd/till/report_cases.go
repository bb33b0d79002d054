package main

import (
	"cmp"
	"context"
	"fmt"
	"html"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/till-sh/till/rotate"
)

// caseReport is the report of open cases for machines; docs/report.md describes it.
type caseReport struct {
	Version  int        `json:"version"` // of this format: 1
	Ledger   string     `json:"ledger"`
	Made     time.Time  `json:"made"`
	Open     int        `json:"open"`
	Closed   int        `json:"closed"`
	Overdue  int        `json:"overdue"` // open longer than --fail-on-open
	Longest  int64      `json:"longest_open_seconds"`
	Cases    []openCase `json:"cases"` // the open ones, the oldest first
	openDays string
}

type openCase struct {
	caseJSON
	OpenSeconds int64 `json:"open_seconds"`
	Overdue     bool  `json:"overdue"`
}

// reportCases writes what is open in a ledger. limit 0 = nothing is overdue.
func (o *output) reportCases(ctx context.Context, e *env, ledger, limit string) error {
	span, err := parseSpan(limit)
	if err != nil {
		return err
	}
	w, err := openWorkshop(e, &jobFlags{})
	if err != nil {
		return err
	}
	defer w.close()
	l, err := (&rotateFlags{ledger: ledger}).openLedger(w)
	if err != nil {
		return err
	}
	again, err := w.leakedAgain(ctx, l)
	if err != nil {
		return err
	}
	r := casesOf(openAgain(l.Cases(), again), time.Now(), span, limit != "")
	for i := range r.Cases {
		r.Cases[i].Again = again[r.Cases[i].Fingerprint]
	}
	r.Ledger, r.openDays = l.Path(), limit
	switch o.format {
	case "", "text", "markdown":
		r.markdown(e.stdout)
	case "json":
		if err := writeJSON(e, r); err != nil {
			return err
		}
	case "html":
		r.html(e.stdout)
	default:
		return fmt.Errorf("--format %s: cases are written as markdown, json or html", o.format)
	}
	if r.Overdue > 0 {
		return outcome(exitFound)
	}
	return nil
}

func casesOf(cases []*rotate.Case, now time.Time, limit time.Duration, limited bool) *caseReport {
	r := &caseReport{Version: 1, Made: now.UTC().Truncate(time.Second), Cases: []openCase{}}
	for _, c := range cases {
		if !c.Open() {
			r.Closed++
			continue
		}
		age := max(0, now.Sub(c.Opened))
		x := openCase{caseJSONOf(c), int64(age.Seconds()), limited && age > limit}
		if x.Overdue {
			r.Overdue++
		}
		r.Longest = max(r.Longest, x.OpenSeconds)
		r.Cases = append(r.Cases, x)
	}
	r.Open = len(r.Cases)
	slices.SortStableFunc(r.Cases, func(a, b openCase) int {
		return cmp.Or(a.Opened.Compare(b.Opened), strings.Compare(a.ID, b.ID))
	})
	return r
}

// parseSpan reads 7d, 2w or what Go calls a duration (36h); "" is 0.
func parseSpan(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	for unit, each := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if n, err := strconv.Atoi(strings.TrimSuffix(s, unit)); err == nil && strings.HasSuffix(s, unit) && n >= 0 && n < 36500 {
			return time.Duration(n) * each, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("--fail-on-open %s: expected a span such as 7d, 2w or 36h", s)
	}
	return d, nil
}

func (r *caseReport) headline() string {
	text := fmt.Sprintf("%s open, %d closed", plural(r.Open, "case"), r.Closed)
	if r.Overdue > 0 {
		text += fmt.Sprintf("; %d open for more than %s", r.Overdue, r.openDays)
	}
	return text
}

// rows are the cells of the table, the same in all forms.
func (r *caseReport) rows() [][]string {
	rows := [][]string{{"case", "kind", "state", "vendor says", "open", "last touched by", "next step"}}
	for _, c := range r.Cases {
		age := span(time.Duration(c.OpenSeconds) * time.Second)
		if c.Overdue {
			age += " (overdue)"
		}
		next := "till rotate " + c.ID
		if !c.Due.IsZero() {
			next = "till rotate " + c.ID + " --finish from " + c.Due.Format(time.DateOnly)
		}
		rows = append(rows, []string{c.ID, c.Rule, cmp.Or(c.Again, c.State), cmp.Or(c.Validity, "not asked"), age, c.Who, next})
	}
	return rows
}

func span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d minutes", int(d.Minutes()))
}

func (r *caseReport) markdown(w io.Writer) {
	fmt.Fprintf(w, "### till: %s\n", r.headline())
	if r.Open == 0 {
		return
	}
	cell := strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "`", "'", "[", `\[`, "\n", " ")
	fmt.Fprintln(w)
	for i, row := range r.rows() {
		for _, c := range row {
			fmt.Fprintf(w, "| %s ", cell.Replace(printable(c)))
		}
		fmt.Fprintln(w, "|")
		if i == 0 {
			fmt.Fprintln(w, strings.Repeat("|---", len(row))+"|")
		}
	}
}

func (r *caseReport) html(w io.Writer) {
	fmt.Fprintf(w, "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>till: open cases</title>\n<style>body{font:16px sans-serif;margin:2em}td,th{text-align:left;padding:.3em .8em;border-bottom:1px solid #ccc}</style>\n<h1>%s</h1>\n<table>\n", html.EscapeString(r.headline()))
	for i, row := range r.rows() {
		tag := "td"
		if i == 0 {
			tag = "th"
		}
		fmt.Fprint(w, "<tr>")
		for _, c := range row {
			fmt.Fprintf(w, "<%s>%s</%s>", tag, html.EscapeString(printable(c)), tag)
		}
		fmt.Fprintln(w, "</tr>")
	}
	fmt.Fprintf(w, "</table>\n<p>%s</p>\n</html>\n", html.EscapeString(r.Made.Format(time.RFC3339)))
}

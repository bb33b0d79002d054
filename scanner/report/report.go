// Package report renders a scan's result: for a terminal, for machines, for
// the pages of code hosts.
//
// Two things hold for every format. Nothing opens a secret unless
// Options.ShowSecrets says so, and then only text, json and jsonl do: each
// string of a result goes through redact first, so that a value which also
// stands in a file name, a commit subject or the excerpt of another finding
// is masked there too. And nothing that was read from a repository reaches
// the output raw: see escape.go for what each medium must not be told.
//
// All functions are safe to call from several goroutines with one Result;
// none of them changes it.
package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/till-sh/till/scanner"
)

// Options say what was scanned and how to show it. The zero value is fine.
// Root, Scope and everything in the Result may hold hostile text.
type Options struct {
	Version   string // of till
	Catalogue string // rules.Catalogue.Version
	Root      string // name of what was scanned: "acme/web"
	Scope     string // "staged", "history", "range A..B", "files", …
	Hook      string // "", "pre-commit", "commit-msg", "pre-push" or "pre-receive"
	FailOn    string // "key" (default), "suspect" or "never": what stops a commit

	// RepoURL is the https page of the repository, for links of the form
	// RepoURL/blob/<commit>/<path>#L<line>, which GitHub and GitLab know.
	// "" means no links.
	RepoURL string
	// Given says that what was scanned came through standard input, where no
	// later command finds it again.
	Given bool
	// Commit is the hash of the head that was scanned, "" when unknown.
	Commit string

	Elapsed time.Duration
	// Finished is the time at the end of the scan. Formats that must name a
	// time use it, none reads the clock; zero means the Unix epoch there.
	Finished time.Time

	// ListSuppressed adds the keys that were decided not to be secrets to the
	// sarif report, with their suppressions. It is not the default because
	// GitHub code scanning ignores that property and would open an alert for
	// each (github/codeql-action issue 1230).
	ListSuppressed bool

	// ShowSecrets opens the values in text, json and jsonl. Whether that is
	// allowed here is the caller's decision.
	ShowSecrets bool
	Color       bool // SGR colours, text only
	ASCII       bool // no character beyond ASCII, text only
	Plain       bool // one line per key, for logs; text only
	Quiet       bool // keys and errors only, no coverage; text only
	Verbose     bool // every place, every step, every skipped file; text only
	Width       int  // columns of the text report; 0 means 80
}

// Writer renders a result. It writes to w as it sees fit and returns w's first
// error.
type Writer func(w io.Writer, r *scanner.Result, o Options) error

// A format is one entry of the registry.
type format struct {
	name  string
	write Writer
	opens bool // honours Options.ShowSecrets
	// fields says that it has one for the repository of a place; in others the
	// name stands before the path.
	fields bool
}

// registry is sorted by name. A new format is one file and one line here.
var registry = []format{
	{name: "csv", write: writeCSV},
	{name: "github", write: writeGitHub},
	{name: "github-summary", write: writeGitHubSummary},
	{name: "gitlab", write: writeGitLab},
	{name: "html", write: writeHTML},
	{name: "json", write: writeJSON, opens: true, fields: true},
	{name: "jsonl", write: writeJSONL, opens: true, fields: true},
	{name: "junit", write: writeJUnit},
	{name: "markdown", write: writeMarkdown},
	{name: "sarif", write: writeSARIF},
	{name: "text", write: writeText, opens: true},
}

// Formats returns the names that Write knows, sorted.
func Formats() []string {
	names := make([]string, len(registry))
	for i, f := range registry {
		names[i] = f.name
	}
	return names
}

// Known reports whether Write knows the format, as nil or the error that Write
// would return, so that a wrong name fails before the scan and not after it.
func Known(name string) error {
	for _, f := range registry {
		if f.name == name {
			return nil
		}
	}
	msg := fmt.Sprintf("unknown report format %q", name)
	if near := nearest(name, Formats()); near != "" {
		msg += fmt.Sprintf(", did you mean %q?", near)
	}
	return fmt.Errorf("%s (known: %s)", msg, strings.Join(Formats(), ", "))
}

// Write renders r in the named format. The report is made whole before the
// first byte is written, so that an error leaves no half of one behind.
func Write(name string, w io.Writer, r *scanner.Result, o Options) error {
	if err := Known(name); err != nil {
		return err
	}
	for _, f := range registry {
		if f.name != name {
			continue
		}
		if !f.opens {
			o.ShowSecrets = false
		}
		if !o.ShowSecrets {
			r, o = redact(r, o)
		}
		if !f.fields {
			r = inFolders(r)
		}
		var buf bytes.Buffer
		if err := f.write(&buf, r, o); err != nil {
			return fmt.Errorf("make %s report: %w", name, err)
		}
		if _, err := w.Write(buf.Bytes()); err != nil {
			return fmt.Errorf("write %s report: %w", name, err)
		}
	}
	return nil
}

// inFolders returns r with the repository of each place as the first folder of its
// path: r itself when no place names one.
func inFolders(r *scanner.Result) *scanner.Result {
	out := *r
	out.Keys, out.Suppressed = keysInFolders(r.Keys), keysInFolders(r.Suppressed)
	return &out
}

func keysInFolders(in []scanner.Key) []scanner.Key {
	out := slices.Clone(in)
	for i := range out {
		k := &out[i]
		if !slices.ContainsFunc(k.Places, func(p scanner.Place) bool { return p.Repository != "" }) {
			continue
		}
		k.Places = slices.Clone(k.Places)
		for j := range k.Places {
			if p := &k.Places[j]; p.Repository != "" && p.Path != "" {
				p.Path = strings.TrimSuffix(p.Repository, "/") + "/" + p.Path
			}
		}
	}
	return out
}

// nearest returns the name that name was probably meant to be: the one with
// the fewest edits, at most a third of its length (and at least one), or one
// that it begins. "" when none is near.
func nearest(name string, known []string) string {
	best, bestCost := "", 1<<30
	for _, k := range known {
		cost, limit := edits(strings.ToLower(name), k), max(1, len(k)/3)
		if len(name) >= 2 && strings.HasPrefix(k, strings.ToLower(name)) {
			cost, limit = 1, 1
		}
		if cost <= limit && cost < bestCost {
			best, bestCost = k, cost
		}
	}
	return best
}

// edits is the Levenshtein distance in bytes, with a swap of two neighbours
// counted as one. Inputs longer than 64 bytes are not compared.
func edits(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 1 << 20
	}
	var d [65][65]int
	for i := 0; i <= len(a); i++ {
		for j := 0; j <= len(b); j++ {
			switch {
			case i == 0:
				d[i][j] = j
			case j == 0:
				d[i][j] = i
			default:
				same := 1
				if a[i-1] == b[j-1] {
					same = 0
				}
				d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+same)
				if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
					d[i][j] = min(d[i][j], d[i-2][j-2]+1)
				}
			}
		}
	}
	return d[len(a)][len(b)]
}

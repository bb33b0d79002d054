package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// GitLab's secret detection report, schema 15.0
// (gitlab-org/security-products/security-report-schemas). GitLab takes a report
// only when it fits the version it names and when it knows that version's minor;
// everything used here stands in 15.0 and unchanged in 15.2, so that the oldest
// is named.

const gitlabSchema = "15.0.7"

// gitlabTime is the form the schema demands, always in UTC.
const gitlabTime = "2006-01-02T15:04:05"

// noCommit is what GitLab's own analyzer names where a finding has no commit:
// the schema demands one.
const noCommit = "0000000"

type gitlabReport struct {
	Version         string                `json:"version"`
	Scan            gitlabScan            `json:"scan"`
	Vulnerabilities []gitlabVulnerability `json:"vulnerabilities"`
}

type gitlabScan struct {
	Analyzer gitlabTool      `json:"analyzer"`
	Scanner  gitlabTool      `json:"scanner"`
	Type     string          `json:"type"`
	Start    string          `json:"start_time"`
	End      string          `json:"end_time"`
	Status   string          `json:"status"`
	Messages []gitlabMessage `json:"messages,omitempty"`
}

type gitlabTool struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	URL     string     `json:"url"`
	Vendor  gitlabName `json:"vendor"`
	Version string     `json:"version"`
}

type gitlabName struct {
	Name string `json:"name"`
}

type gitlabMessage struct {
	Level string `json:"level"`
	Value string `json:"value"`
}

type gitlabVulnerability struct {
	ID          string             `json:"id"`
	Name        string             `json:"name"`
	Description string             `json:"description"`
	Severity    string             `json:"severity"`
	Solution    string             `json:"solution,omitempty"`
	Extract     string             `json:"raw_source_code_extract,omitempty"`
	Identifiers []gitlabIdentifier `json:"identifiers"`
	Links       []gitlabLink       `json:"links,omitempty"`
	Location    gitlabLocation     `json:"location"`
}

type gitlabIdentifier struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Value string `json:"value"`
	URL   string `json:"url,omitempty"`
}

type gitlabLink struct {
	Name string `json:"name,omitempty"`
	URL  string `json:"url"`
}

type gitlabLocation struct {
	File      string       `json:"file,omitempty"`
	Commit    gitlabCommit `json:"commit"`
	StartLine int          `json:"start_line,omitempty"`
	EndLine   int          `json:"end_line,omitempty"`
}

type gitlabCommit struct {
	Author  string `json:"author,omitempty"`
	Date    string `json:"date,omitempty"`
	Message string `json:"message,omitempty"`
	SHA     string `json:"sha"`
}

// writeGitLab writes one vulnerability a key, at its primary place.
func writeGitLab(w io.Writer, r *scanner.Result, o Options) error {
	version := validText(o.Version)
	if version == "" {
		version = "0.0.0"
	}
	tool := gitlabTool{ID: "till", Name: "till", URL: home, Vendor: gitlabName{"till"}, Version: version}
	end := o.Finished
	if end.IsZero() {
		end = time.Unix(0, 0)
	}
	rep := gitlabReport{
		Version: gitlabSchema,
		Scan: gitlabScan{Analyzer: tool, Scanner: tool, Type: "secret_detection", Status: "success",
			Start: end.Add(-o.Elapsed).UTC().Format(gitlabTime), End: end.UTC().Format(gitlabTime)},
		Vulnerabilities: []gitlabVulnerability{},
	}
	message := func(level, text string) {
		if text != "" {
			rep.Scan.Messages = append(rep.Scan.Messages, gitlabMessage{level, printable(text, false)})
		}
	}
	if !r.Summary.Complete() {
		rep.Scan.Status = "failure"
	}
	for _, e := range r.Summary.Errors {
		message("fatal", "could not check everything: "+e)
	}
	for _, g := range skipped(&r.Summary) {
		message("info", "skipped: "+g.line(3))
	}
	for _, n := range r.Summary.Notes {
		message("info", n)
	}
	for i := range r.Keys {
		rep.Vulnerabilities = append(rep.Vulnerabilities, gitlabKey(&r.Keys[i], &o))
	}
	return encodeJSON(w, rep, "  ")
}

func gitlabKey(k *scanner.Key, o *Options) gitlabVulnerability {
	rule := ruleOf(k)
	p := primaryPlace(k)
	v := gitlabVulnerability{
		ID: uuid(k.Fingerprint), Name: clipRunes(printable(rule.Description, false), 255),
		Severity: gitlabSeverity(rule.Severity), Extract: snippet(p),
		// The first identifier and the location are what GitLab tells findings
		// apart by; two keys on one line, or two without a file, must stay two.
		Identifiers: []gitlabIdentifier{
			{Type: "till_key", Name: "key " + k.ID, Value: orNone(printable(k.Fingerprint, false))},
			{Type: "till_rule_id", Name: "rule " + orNone(printable(rule.ID, false)), Value: orNone(printable(rule.ID, false))},
		},
		Location: gitlabLocation{Commit: gitlabCommit{SHA: noCommit}},
	}
	if v.Extract == "" {
		v.Extract = printable(k.Secret.String(), false)
	}
	lines := details(k)
	for i := range lines {
		lines[i] = markdownText(lines[i])
	}
	v.Description = strings.Join(lines, "\n\n")
	var steps []string
	for _, s := range stages(k) {
		for i := range s.steps {
			steps = append(steps, fmt.Sprintf("%d. %s: %s", len(steps)+1, s.name, markdownStep(k, &s.steps[i])))
		}
	}
	if len(steps) > 0 {
		steps = append(steps, "")
	}
	if line, _ := Next(k); line != "" {
		steps = append(steps, "Next: "+markdownCode(line))
	}
	steps = append(steps, "Not a secret: "+markdownCode(allowCommand(k.ID)))
	v.Solution = clipRunes(strings.Join(steps, "\n"), 7000)
	for _, d := range rule.Docs {
		if u := webURL(d); u != "" {
			v.Links = append(v.Links, gitlabLink{URL: u})
		}
	}
	if inFile(p) {
		v.Location.File = validText(p.Path)
		v.Location.StartLine, v.Location.EndLine = p.Location.StartLine, max(p.Location.StartLine, p.Location.EndLine)
	}
	if c := p.Commit; c != nil && c.Hash != "" {
		v.Location.Commit = gitlabCommit{SHA: c.Hash, Author: printable(c.Author, false), Message: printable(c.Subject, false)}
		if !c.Time.IsZero() {
			v.Location.Commit.Date = c.Time.Format(time.RFC3339)
		}
	} else if isHex(o.Commit) && len(o.Commit) >= 40 && k.Exposure != scanner.ExposureStaged {
		v.Location.Commit.SHA = o.Commit
	}
	return v
}

func gitlabSeverity(s rules.Severity) string {
	switch s {
	case rules.Critical:
		return "Critical"
	case rules.High:
		return "High"
	case rules.Medium:
		return "Medium"
	case rules.Low:
		return "Low"
	}
	return "Unknown"
}

// uuid gives a fingerprint the form that GitLab asks of an id; it stays the
// same from scan to scan.
func uuid(fingerprint string) string {
	if len(fingerprint) != 32 || !isHex(fingerprint) {
		return orNone(printable(fingerprint, false))
	}
	f := fingerprint
	return f[:8] + "-" + f[8:12] + "-" + f[12:16] + "-" + f[16:20] + "-" + f[20:]
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// clipRunes cuts s to n characters.
func clipRunes(s string, n int) string {
	count := 0
	for i := range s {
		if count == n-1 {
			if len(s[i:]) > len("…") {
				return s[:i] + "…"
			}
		}
		count++
	}
	return s
}

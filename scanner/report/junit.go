package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/till-sh/till/scanner"
)

// writeJUnit writes one test case a key: failed where the key blocks, skipped
// where it only warns or was decided not to be a secret; and one case for the
// coverage, in error for everything that could not be read. JUnit's XML has no
// standard; this is the subset that Jenkins, GitLab, Azure and CircleCI share.
func writeJUnit(w io.Writer, r *scanner.Result, o Options) error {
	var cases bytes.Buffer
	tests, failures, errors, skips := 1, 0, 0, 0
	for i := range r.Keys {
		k := &r.Keys[i]
		tests++
		junitCase(&cases, k)
		if o.blocks(k) {
			failures++
			fmt.Fprintf(&cases, "      <failure type=\"%s\" message=\"%s\">%s</failure>\n",
				htmlText(ruleOf(k).ID), htmlText(headline(k)), junitText(details(k)))
		} else {
			skips++
			fmt.Fprintf(&cases, "      <skipped message=\"%s\"/>\n", htmlText(headline(k)+", does not block"))
			fmt.Fprintf(&cases, "      <system-out>%s</system-out>\n", junitText(details(k)))
		}
		cases.WriteString("    </testcase>\n")
	}
	for i := range r.Suppressed {
		k := &r.Suppressed[i]
		tests++
		skips++
		junitCase(&cases, k)
		fmt.Fprintf(&cases, "      <skipped message=\"%s\"/>\n    </testcase>\n", htmlText("allowed: "+decision(k)))
	}

	s := &r.Summary
	fmt.Fprintf(&cases, "    <testcase classname=\"till\" name=\"coverage\">\n")
	for _, e := range s.Errors {
		fmt.Fprintf(&cases, "      <error type=\"incomplete\" message=\"%s\"/>\n", htmlText(e))
	}
	if !s.Complete() {
		errors = 1
	}
	fmt.Fprintf(&cases, "      <system-out>%s</system-out>\n    </testcase>\n", junitText(coverageLines(s)))

	stamp := ""
	if !o.Finished.IsZero() {
		stamp = fmt.Sprintf(" timestamp=\"%s\"", o.Finished.UTC().Format("2006-01-02T15:04:05"))
	}
	name := strings.TrimSpace("till " + o.Scope)
	counts := fmt.Sprintf(`tests="%d" failures="%d" errors="%d" skipped="%d" time="%.3f"`, tests, failures, errors, skips, o.Elapsed.Seconds())
	_, err := fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"till\" %s>\n  <testsuite name=\"%s\" %s%s>\n%s  </testsuite>\n</testsuites>\n",
		counts, htmlText(name), counts, stamp, cases.Bytes())
	return err
}

func junitCase(b *bytes.Buffer, k *scanner.Key) {
	p := primaryPlace(k)
	fmt.Fprintf(b, "    <testcase classname=\"%s\" name=\"%s\"", htmlText(ruleOf(k).ID), htmlText(k.ID+" "+position(p)))
	if inFile(p) {
		fmt.Fprintf(b, " file=\"%s\"", htmlText(p.Path))
		if p.Location.StartLine > 0 {
			fmt.Fprintf(b, " line=\"%d\"", p.Location.StartLine)
		}
	}
	b.WriteString(">\n")
}

// junitText escapes lines one by one.
func junitText(lines []string) string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = htmlText(l)
	}
	return strings.Join(out, "\n")
}

// headline is a key in one line.
func headline(k *scanner.Key) string {
	return fmt.Sprintf("%s %s (%s)", ruleOf(k).Description, k.ID, k.Secret.String())
}

// decision says why a key is not reported.
func decision(k *scanner.Key) string {
	s := k.Suppressed
	if s == nil {
		return "no reason known"
	}
	out := s.Reason
	if out == "" {
		out = "no reason given"
	}
	if s.By != "" {
		out += ", by " + s.By
	}
	if s.Until != "" {
		out += ", until " + s.Until
	}
	if s.Source != "" {
		out += " (" + s.Source + ")"
	}
	return out
}

// details are the lines about a key that have no columns.
func details(k *scanner.Key) []string {
	lines := []string{headline(k), "at " + position(primaryPlace(k))}
	for _, o := range otherPlaces(k) {
		lines = append(lines, "also "+position(o))
	}
	if s := story(k); len(s) > 0 {
		lines = append(lines, strings.Join(s, ", "))
	}
	if b := ruleOf(k).Workflow.Blast; b != "" {
		lines = append(lines, "whoever holds it: "+b)
	}
	for _, s := range stages(k) {
		for i := range s.steps {
			lines = append(lines, s.name+": "+stepLine(k, &s.steps[i]))
		}
	}
	if line, what := Next(k); line != "" {
		lines = append(lines, "next: "+line+": "+what)
	}
	return append(lines, "not a secret: "+allowCommand(k.ID))
}

// coverageLines say what was read, what was left out, what could not be read.
func coverageLines(s *scanner.Summary) []string {
	lines := []string{"read: " + strings.Join(coverage(s), ", ")}
	for _, g := range skipped(s) {
		lines = append(lines, "skipped: "+g.line(3))
	}
	for _, n := range s.Notes {
		lines = append(lines, "note: "+n)
	}
	if s.Unreachable > 0 {
		lines = append(lines, "note: "+count(s.Unreachable, "more key")+" in objects that no ref holds: till scan --history --unreachable")
	}
	for _, e := range s.Errors {
		lines = append(lines, "could not read: "+e)
	}
	return lines
}

package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// maxAnnotations is how many errors, and how many warnings, GitHub shows of one
// step (documented in actions/toolkit docs/problem-matchers.md).
const maxAnnotations = 10

// writeGitHub writes workflow commands: an annotation for each key at its place
// in the head of the pull request, the worst first, and one notice for what
// GitHub would drop. The last line is plain text for the log.
func writeGitHub(w io.Writer, r *scanner.Result, o Options) error {
	var b strings.Builder
	errors, warnings, dropped := 0, 0, 0
	if s := &r.Summary; !s.Complete() {
		errors++
		text := s.Errors[0]
		if n := len(s.Errors) - 1; n > 0 {
			text += fmt.Sprintf(" (and %s)", count(n, "more error"))
		}
		annotation(&b, "error", [][2]string{{"title", "till could not check everything"}}, text)
	}
	for _, k := range worstFirst(r.Keys) {
		level, n := "warning", &warnings
		if class(k) == rules.ClassKey || o.blocks(k) {
			level, n = "error", &errors
		}
		if *n == maxAnnotations {
			dropped++
			continue
		}
		*n++
		annotation(&b, level, annotationPlace(k), annotationText(k))
	}
	if dropped > 0 {
		annotation(&b, "notice", nil, fmt.Sprintf("%s more in the job summary", digits(dropped)))
	}
	b.WriteString(line(logLine(r, &o), false) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// logLine is the sum of a scan in one line.
func logLine(r *scanner.Result, o *Options) string {
	known, suspects, places := tally(r.Keys)
	s := &r.Summary
	what := "no keys"
	switch {
	case known+suspects > 0:
		what = keysAndSuspects(known, suspects, ", ") + " in " + count(places, "place")
	case s.Complete() && s.Commits+s.Blobs+s.Files+s.Refs > 0:
		what = "clean"
	}
	parts := []string{what, "read " + strings.Join(coverage(s), ", ")}
	if !s.Complete() {
		parts = append(parts, "not complete: "+count(len(s.Errors), "error"))
	}
	if n := len(s.Skipped); n > 0 {
		parts = append(parts, count(n, "file")+" skipped")
	}
	if s.Suppressed > 0 {
		parts = append(parts, digits(s.Suppressed)+" allowed")
	}
	if o.Elapsed > 0 {
		parts = append(parts, elapsed(o.Elapsed))
	}
	return "till: " + strings.Join(parts, "; ")
}

// worstFirst orders keys before suspects and then by severity; equals stay in
// the result's order.
func worstFirst(keys []scanner.Key) []*scanner.Key {
	out := make([]*scanner.Key, len(keys))
	for i := range keys {
		out[i] = &keys[i]
	}
	rank := func(k *scanner.Key) int {
		n := slices.Index([]rules.Severity{rules.Critical, rules.High, rules.Medium, rules.Low}, ruleOf(k).Severity)
		if class(k) == rules.ClassSuspect {
			n += 10
		}
		return n
	}
	slices.SortStableFunc(out, func(a, b *scanner.Key) int { return rank(a) - rank(b) })
	return out
}

func annotation(b *strings.Builder, level string, properties [][2]string, text string) {
	b.WriteString("::" + level)
	for i, p := range properties {
		sep := ","
		if i == 0 {
			sep = " "
		}
		b.WriteString(sep + p[0] + "=" + commandProperty(printable(p[1], false)))
	}
	b.WriteString("::" + commandData(printable(text, false)) + "\n")
}

// annotationPlace points into the head of the pull request, and so only at what
// is still there. The runner refuses columns when the range has several lines.
func annotationPlace(k *scanner.Key) [][2]string {
	var out [][2]string
	p := primaryPlace(k)
	if l := p.Location; inFile(p) && p.Present {
		out = append(out, [2]string{"file", p.Path})
		if l.StartLine > 0 {
			end := max(l.EndLine, l.StartLine)
			out = append(out, [2]string{"line", number(l.StartLine)}, [2]string{"endLine", number(end)})
			if end == l.StartLine && l.StartColumn > 0 && l.EndColumn >= l.StartColumn {
				out = append(out, [2]string{"col", number(l.StartColumn)}, [2]string{"endColumn", number(l.EndColumn)})
			}
		}
	}
	return append(out, [2]string{"title", ruleOf(k).Description + " (" + k.ID + ")"})
}

func annotationText(k *scanner.Key) string {
	p := primaryPlace(k)
	text := k.Secret.String()
	if !inFile(p) || !p.Present {
		text += " at " + position(p)
	}
	text += ". "
	switch {
	case class(k) == rules.ClassSuspect:
		text += "Looks like a secret."
	case onRemote(k.Exposure):
		text += "This key is in a pushed commit, so treat it as known to others. Replace it: " + rotateCommand(k.ID) + "."
	default:
		text += "Keep it from being pushed; what was pushed must be replaced."
	}
	if f := firstSteps(k); f != "" {
		text += " " + f
	}
	return text + " If it is not a secret: " + allowCommand(k.ID)
}

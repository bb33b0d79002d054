package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// maxSummaryRows keeps the job summary far below GitHub's limit of 1 MiB a
// step, beyond which it shows nothing at all.
const maxSummaryRows = 200

// writeGitHubSummary writes the page of a workflow run ($GITHUB_STEP_SUMMARY):
// a table, what to do now for the keys that must be replaced, how to say that
// one is not a secret, and what was read.
func writeGitHubSummary(w io.Writer, r *scanner.Result, o Options) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### till: %s\n\n", verdict(r))
	keys := worstFirst(r.Keys)
	if n := len(keys); n > maxSummaryRows {
		keys = keys[:maxSummaryRows]
	}
	if len(keys) > 0 {
		b.WriteString("| | key | where | first seen | state |\n|---|---|---|---|---|\n")
		for _, k := range keys {
			markdownRow(&b, k, &o)
		}
		if n := len(r.Keys) - len(keys); n > 0 {
			fmt.Fprintf(&b, "\n%s more: see the report of the run.\n", digits(n))
		}
		b.WriteString("\n")
		doNow(&b, keys)
		b.WriteString("<details><summary>Not a secret?</summary>\n\n")
		fmt.Fprintf(&b, "`%s`, then commit `.tillignore`. The id stays the same after rebase or squash.\n</details>\n\n", allowCommand(keys[0].ID))
	}
	markdownCoverage(&b, r, &o)
	_, err := io.WriteString(w, b.String())
	return err
}

// writeMarkdown is the whole report for a page, a ticket or a comment: every
// key with its code, all its places and all steps.
func writeMarkdown(w io.Writer, r *scanner.Result, o Options) error {
	var b strings.Builder
	title := "till"
	for _, s := range []string{o.Root, o.Scope} {
		if s != "" {
			title += " · " + markdownText(s)
		}
	}
	fmt.Fprintf(&b, "# %s\n\n**%s**\n\n", title, verdict(r))
	for i := range r.Keys {
		markdownKey(&b, &r.Keys[i], &o)
	}
	if len(r.Suppressed) > 0 {
		b.WriteString("## Allowed\n\n| key | where | why |\n|---|---|---|\n")
		for i := range r.Suppressed {
			k := &r.Suppressed[i]
			fmt.Fprintf(&b, "| %s `%s` | %s | %s |\n", markdownText(ruleOf(k).Description), k.ID,
				markdownCode(position(primaryPlace(k))), markdownText(decision(k)))
		}
		b.WriteString("\n")
	}
	b.WriteString("## Coverage\n\n")
	markdownCoverage(&b, r, &o)
	_, err := io.WriteString(w, b.String())
	return err
}

// verdict is the result in a few words.
func verdict(r *scanner.Result) string {
	known, suspects, _ := tally(r.Keys)
	s := &r.Summary
	out := "no keys"
	must := 0
	for i := range r.Keys {
		if k := &r.Keys[i]; onRemote(k.Exposure) && class(k) == rules.ClassKey {
			must++
		}
	}
	switch {
	case must > 0:
		out = count(must, "key") + " must be replaced"
		if must < known {
			out += fmt.Sprintf(", %s more", digits(known-must))
		}
		if suspects > 0 {
			out += ", " + count(suspects, "suspect")
		}
	case known+suspects > 0:
		out = keysAndSuspects(known, suspects, ", ")
	case s.Complete() && s.Commits+s.Blobs+s.Files+s.Refs > 0:
		out = "clean"
	case s.Complete():
		out = "nothing to read"
	}
	if !s.Complete() {
		out += ", and not everything could be checked"
	}
	return out
}

// sign is the picture before a row: the code host's own check mark and cross.
func sign(k *scanner.Key) string {
	if class(k) == rules.ClassKey {
		return "❌"
	}
	return "⚠"
}

func markdownPlace(p *scanner.Place, o *Options) string {
	text := position(p)
	if inFile(p) && p.Location.StartLine > 0 {
		text = fmt.Sprintf("%s:%d", p.Path, p.Location.StartLine)
	}
	if link := blobLink(o, p); link != "" {
		return "[" + markdownText(text) + "](" + link + ")"
	}
	return markdownCode(text)
}

func markdownRow(b *strings.Builder, k *scanner.Key, o *Options) {
	now := strings.Join(state(k), ", ")
	if now == "" {
		now = "in a file"
	}
	seen := strings.Join(origin(k), ", ")
	if seen == "" {
		seen = "now"
	}
	where := markdownPlace(primaryPlace(k), o)
	if n := len(otherPlaces(k)); n > 0 {
		where += fmt.Sprintf(" and %s", count(n, "more place"))
	}
	fmt.Fprintf(b, "| %s | **%s** `%s`<br>%s | %s | %s | %s |\n", sign(k), markdownText(ruleOf(k).Description), k.ID,
		markdownCode(k.Secret.String()), where, markdownText(seen), now)
}

// doNow lists the steps for keys, once for all that need the same.
func doNow(b *strings.Builder, keys []*scanner.Key) {
	type group struct {
		name, ids, steps string
		rotate           string
		remote, public   bool
	}
	var groups []*group
	for _, k := range keys {
		if class(k) != rules.ClassKey || len(stages(k)) == 0 {
			continue
		}
		g := &group{name: markdownText(ruleOf(k).Description), ids: "`" + k.ID + "`", remote: onRemote(k.Exposure), public: k.Exposure == scanner.ExposurePublic}
		n := 0
		for _, s := range stages(k) {
			for i := range s.steps {
				n++
				g.steps += fmt.Sprintf("%d. %s\n", n, markdownStep(k, &s.steps[i]))
			}
		}
		same := slices.IndexFunc(groups, func(o *group) bool {
			return o.name == g.name && o.steps == g.steps && o.remote == g.remote && o.public == g.public
		})
		if same >= 0 {
			groups[same].ids += ", " + g.ids
			groups[same].rotate += " " + k.ID
		} else {
			g.rotate = rotateCommand(k.ID)
			groups = append(groups, g)
		}
	}
	if len(groups) == 0 {
		return
	}
	b.WriteString("**Do this now**\n\n")
	for _, g := range groups {
		when := ""
		if !g.remote {
			when = ", if it was ever pushed or sent to anybody"
		}
		fmt.Fprintf(b, "%s %s%s:\n%s\n", g.name, g.ids, when, g.steps)
		if g.remote {
			fmt.Fprintf(b, "`%s` does this with you, and checks that the old key is dead.\n\n", g.rotate)
		}
		if g.public {
			b.WriteString("*Public repositories are read by bots within a minute.*\n\n")
		}
	}
}

func markdownKey(b *strings.Builder, k *scanner.Key, o *Options) {
	rule := ruleOf(k)
	fmt.Fprintf(b, "## %s %s `%s`\n\n", sign(k), markdownText(rule.Description), k.ID)
	fmt.Fprintf(b, "%s at %s", markdownCode(k.Secret.String()), markdownPlace(primaryPlace(k), o))
	for _, s := range story(k) {
		b.WriteString(" · " + markdownText(s))
	}
	b.WriteString("\n\n")
	if lines := primaryPlace(k).Excerpt; len(lines) > 0 {
		// An indented block has no end mark that a line of code could forge.
		for _, l := range lines {
			fmt.Fprintf(b, "    %d │ %s\n", l.Number, printable(strings.ReplaceAll(l.Text, "\t", " "), false))
		}
		b.WriteString("\n")
	}
	row := func(name, text string) {
		if text != "" {
			fmt.Fprintf(b, "- %s: %s\n", name, text)
		}
	}
	row("rule", markdownCode(rule.ID))
	row("severity", markdownText(string(rule.Severity)))
	row("whoever holds it", markdownText(rule.Workflow.Blast))
	row("account", markdownCode(k.Facts.Account))
	row("expires", markdownText(k.Facts.Expires))
	row("note", markdownText(k.Facts.Note))
	row("look for abuse", markdownLinkOr(rule.Workflow.Usage))
	row("fingerprint", markdownCode(k.Fingerprint))
	for _, p := range otherPlaces(k) {
		row("also", markdownPlace(p, o))
	}
	b.WriteString("\n")
	for _, s := range stages(k) {
		fmt.Fprintf(b, "**%s**\n\n", strings.ToUpper(s.name[:1])+s.name[1:])
		for i := range s.steps {
			fmt.Fprintf(b, "%d. %s\n", i+1, markdownStep(k, &s.steps[i]))
		}
		b.WriteString("\n")
	}
	if line, what := Next(k); line != "" {
		fmt.Fprintf(b, "Next: `%s`: %s\n\n", line, what)
	}
	fmt.Fprintf(b, "Not a secret? `%s`\n\n", allowCommand(k.ID))
}

// markdownStep is a step in one line with its link, command and explanation.
func markdownStep(k *scanner.Key, s *rules.Step) string {
	return stepWords(k, s, markdownText, markdownLinkOr, markdownCode)
}

// markdownLinkOr is a link where s is an address that may be linked to.
func markdownLinkOr(s string) string {
	if u := webURL(s); u != "" {
		return "<" + u + ">"
	}
	return markdownText(s)
}

func markdownCoverage(b *strings.Builder, r *scanner.Result, o *Options) {
	s := &r.Summary
	known, suspects, _ := tally(r.Keys)
	if !s.Complete() {
		b.WriteString("**Could not check everything:**\n\n")
		for i, e := range s.Errors {
			if i == maxErrors {
				fmt.Fprintf(b, "- and %s more\n", digits(len(s.Errors)-i))
				break
			}
			fmt.Fprintf(b, "- %s\n", markdownText(e))
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(b, "Read %s. Skipped: ", strings.Join(coverage(s), ", "))
	if len(s.Skipped) == 0 {
		b.WriteString("none.")
	}
	for i, g := range skipped(s) {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(markdownText(g.line(3)))
	}
	if len(s.Skipped) > 0 {
		b.WriteString(".")
	}
	fmt.Fprintf(b, " Keys: %s. Suspects: %s. Allowed: %s.", digits(known), digits(suspects), digits(s.Suppressed))
	for _, n := range s.Notes {
		b.WriteString(" Note: " + markdownText(strings.TrimRight(n, ".")) + ".")
	}
	if s.Unreachable > 0 {
		fmt.Fprintf(b, " %s in objects that no ref holds.", count(s.Unreachable, "more key"))
	}
	tail := strings.TrimSpace("till " + o.Version)
	if o.Catalogue != "" {
		tail += ", rules " + o.Catalogue
	}
	if o.Elapsed > 0 {
		tail += ", " + elapsed(o.Elapsed)
	}
	fmt.Fprintf(b, " %s.\n", markdownText(tail))
}

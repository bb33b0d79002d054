package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/till-sh/till/scanner"
)

// The page's own policy forbids scripts, images, fonts and connections, so that
// even a hole in the escaping could load or send nothing.
const htmlHead = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%s</title>
<style>
:root { color-scheme: light dark; --line: #8884; --bad: #c62828; --warn: #a15c00; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin: 0; }
section { border: 1px solid var(--line); border-left: .3rem solid var(--bad); border-radius: .3rem; padding: .8rem 1rem; margin: 1rem 0; }
section.suspect { border-left-color: var(--warn); }
pre { overflow-x: auto; background: #8881; padding: .5rem .7rem; border-radius: .3rem; }
pre, code { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
mark { background: #f4433640; color: inherit; border-radius: .2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .5rem 0; } dt { opacity: .7; } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; } td, th { border: 1px solid var(--line); padding: .2rem .5rem; text-align: left; vertical-align: top; }
.incomplete { color: var(--bad); }
</style>
</head>
<body>
`

// writeHTML is one page that needs nothing else: no script, no image, no link
// to anything but vendors' pages and the repository.
func writeHTML(w io.Writer, r *scanner.Result, o Options) error {
	var b strings.Builder
	name := "till"
	for _, s := range []string{o.Root, o.Scope} {
		if s != "" {
			name += " · " + s
		}
	}
	fmt.Fprintf(&b, htmlHead, htmlText(name))
	fmt.Fprintf(&b, "<h1>%s</h1>\n", htmlText(name))
	class := ""
	if !r.Summary.Complete() {
		class = ` class="incomplete"`
	}
	fmt.Fprintf(&b, "<p%s><strong>%s</strong></p>\n", class, htmlText(verdict(r)))
	for i := range r.Keys {
		htmlKey(&b, &r.Keys[i], &o)
	}
	if len(r.Suppressed) > 0 {
		b.WriteString("<h2>Allowed</h2>\n<table>\n<tr><th>key</th><th>where</th><th>why</th></tr>\n")
		for i := range r.Suppressed {
			k := &r.Suppressed[i]
			fmt.Fprintf(&b, "<tr><td>%s <code>%s</code></td><td>%s</td><td>%s</td></tr>\n", htmlText(ruleOf(k).Description),
				htmlText(k.ID), htmlPlace(primaryPlace(k), &o), htmlText(decision(k)))
		}
		b.WriteString("</table>\n")
	}
	b.WriteString("<h2>Coverage</h2>\n<ul>\n")
	for _, l := range coverageLines(&r.Summary) {
		fmt.Fprintf(&b, "<li>%s</li>\n", htmlText(l))
	}
	fmt.Fprintf(&b, "<li>allowed: %s</li>\n</ul>\n", digits(r.Summary.Suppressed))
	tail := strings.TrimSpace("till " + o.Version)
	if o.Catalogue != "" {
		tail += ", rules " + o.Catalogue
	}
	if o.Elapsed > 0 {
		tail += ", " + elapsed(o.Elapsed)
	}
	if !o.Finished.IsZero() {
		tail += ", " + o.Finished.UTC().Format("2006-01-02 15:04 UTC")
	}
	fmt.Fprintf(&b, "<p>%s</p>\n</body>\n</html>\n", htmlText(tail))
	_, err := io.WriteString(w, b.String())
	return err
}

func htmlKey(b *strings.Builder, k *scanner.Key, o *Options) {
	rule := ruleOf(k)
	p := primaryPlace(k)
	fmt.Fprintf(b, "<section class=\"%s\" id=\"%s\">\n<h2>%s <code>%s</code></h2>\n", class(k), htmlText(k.ID), htmlText(rule.Description), htmlText(k.ID))
	if len(p.Excerpt) > 0 {
		b.WriteString("<pre>")
		for i, l := range p.Excerpt {
			if i > 0 {
				b.WriteByte('\n')
			}
			before, marked, after := cut(l)
			tab := strings.NewReplacer("\t", " ")
			fmt.Fprintf(b, "%d │ %s<mark>%s</mark>%s", l.Number, htmlText(tab.Replace(before)), htmlText(tab.Replace(marked)), htmlText(tab.Replace(after)))
		}
		b.WriteString("</pre>\n")
	}
	b.WriteString("<dl>\n")
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "<dt>%s</dt><dd>%s</dd>\n", name, value)
		}
	}
	row("value", "<code>"+htmlText(k.Secret.String())+"</code>")
	row("at", htmlPlace(p, o))
	for _, other := range otherPlaces(k) {
		row("also", htmlPlace(other, o))
	}
	row("history", htmlText(strings.Join(story(k), ", ")))
	row("rule", "<code>"+htmlText(rule.ID)+"</code>, "+htmlText(string(rule.Severity)))
	row("whoever holds it", htmlText(rule.Workflow.Blast))
	row("account", htmlText(k.Facts.Account))
	row("expires", htmlText(k.Facts.Expires))
	row("note", htmlText(k.Facts.Note))
	row("look for abuse", htmlLink(rule.Workflow.Usage))
	row("fingerprint", "<code>"+htmlText(k.Fingerprint)+"</code>")
	b.WriteString("</dl>\n")
	for _, s := range stages(k) {
		fmt.Fprintf(b, "<p>%s</p>\n<ol>\n", strings.ToUpper(s.name[:1])+s.name[1:])
		for i := range s.steps {
			text := stepWords(k, &s.steps[i], htmlText, htmlLink, func(s string) string { return "<code>" + htmlText(s) + "</code>" })
			fmt.Fprintf(b, "<li>%s</li>\n", text)
		}
		b.WriteString("</ol>\n")
	}
	if line, what := Next(k); line != "" {
		fmt.Fprintf(b, "<p>Next: <code>%s</code>: %s</p>\n", htmlText(line), htmlText(what))
	}
	fmt.Fprintf(b, "<p>Not a secret? <code>%s</code></p>\n</section>\n", htmlText(allowCommand(k.ID)))
}

func htmlPlace(p *scanner.Place, o *Options) string {
	text := "<code>" + htmlText(position(p)) + "</code>"
	if link := blobLink(o, p); link != "" {
		return `<a href="` + htmlText(link) + `">` + text + "</a>"
	}
	return text
}

// htmlLink is a link where s is an address that may be linked to.
func htmlLink(s string) string {
	if u := webURL(s); u != "" {
		return `<a href="` + htmlText(u) + `">` + htmlText(u) + "</a>"
	}
	return htmlText(s)
}

package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// maxDescription leaves room for a place beside it in a line of 80 columns.
const maxDescription = 48

// maxErrors is how many errors the text report prints one by one: enough to
// see what is wrong, few enough to see the findings. The JSON report has all.
const maxErrors = 100

// A page is a text report in the making.
type page struct {
	b     bytes.Buffer
	r     *scanner.Result
	o     Options
	width int
	mark  struct{ key, suspect, bar, dot, gap string }

	red, yellow, dim func(...any) string

	said map[string]string // steps that were printed, and for which key
}

// writeText renders for people. With Options.Hook it speaks as a git hook that
// stopped (or did not stop) something, and is silent when there is nothing to
// say; else as a list with what was read, never calling anything clean that
// was not read completely.
func writeText(w io.Writer, r *scanner.Result, o Options) error {
	p := &page{r: r, o: o, width: o.Width, said: map[string]string{}}
	if p.width <= 0 {
		p.width = 80
	}
	p.width = max(p.width, 40)
	p.mark.key, p.mark.suspect, p.mark.bar, p.mark.dot, p.mark.gap = "x", "!", "│", " · ", "…"
	if o.ASCII {
		p.mark.bar, p.mark.dot, p.mark.gap = "|", " - ", "..."
	}
	paint := func(a color.Attribute) func(...any) string {
		c := color.New(a)
		// The package decides for itself from the environment of the process;
		// here the caller has decided.
		if o.Color {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
		return c.Sprint
	}
	p.red, p.yellow, p.dim = paint(color.FgRed), paint(color.FgYellow), paint(color.Faint)
	switch {
	case o.Hook != "":
		p.hook()
	case o.Plain:
		p.plain()
	default:
		p.scan()
	}
	_, err := w.Write(p.b.Bytes())
	return err
}

// text escapes what was read from somewhere, ours fits it to the locale.
func (p *page) text(s string) string { return line(p.ours(s), p.o.ASCII) }

// ours replaces the characters that till itself uses.
func (p *page) ours(s string) string {
	if p.o.ASCII {
		return strings.NewReplacer("…", "...", "×", "x", " · ", " - ").Replace(s)
	}
	return s
}

func (p *page) put(parts ...string) {
	for _, s := range parts {
		p.b.WriteString(s)
	}
	p.b.WriteByte('\n')
}

// description is the key's rule in a few words, in room cells at most.
func (p *page) description(k *scanner.Key, room int) string {
	return p.clip(p.text(ruleOf(k).Description), min(maxDescription, room))
}

// signOf is the sign before a key, coloured.
func (p *page) signOf(k *scanner.Key) string {
	if class(k) == rules.ClassSuspect {
		return p.yellow(p.mark.suspect)
	}
	return p.red(p.mark.key)
}

// item prints a key: its head line with the place at the right, its line of
// code with a caret. lead is the head line's left part, already escaped and
// without colour except for the sign.
func (p *page) item(k *scanner.Key, lead string) {
	place := primaryPlace(k)
	where := p.text(position(place))
	left := "  " + p.signOf(k) + " " + lead
	used := 4 + cells(lead)
	if room := p.width - used - cells(where); room >= 2 {
		p.put(left, strings.Repeat(" ", room), where)
	} else {
		// Never cut: a terminal links path:line:col only when it is whole.
		p.put(left)
		p.put("    ", where)
	}
	p.excerpt(k, place)
	if p.o.ShowSecrets {
		p.put("    value  ", printable(reveal(k.Secret), p.o.ASCII))
		if k.Partner != nil {
			p.put("    with   ", printable(reveal(k.Partner.Secret), p.o.ASCII))
		}
	}
}

// excerpt prints at most two lines of code, the caret under the one where the
// key begins, and beside the caret what its holder can do.
func (p *page) excerpt(k *scanner.Key, place *scanner.Place) {
	remarks := p.remarks(k)
	lines := place.Excerpt
	if len(lines) == 0 {
		p.breakAt("    ", "    ", append([]string{p.text(k.Secret.String())}, remarks...))
		return
	}
	at := 0
	for i, l := range lines {
		if l.Number == place.Location.StartLine && l.MarkEnd > l.Mark {
			at = i
			break
		}
	}
	from := max(0, min(at, len(lines)-2))
	lines, at = lines[from:min(from+2, len(lines))], at-from
	gutter := 3
	for _, l := range lines {
		gutter = max(gutter, len(fmt.Sprint(l.Number)))
	}
	for i, l := range lines {
		before, marked, after := p.fit(l, p.width-gutter-5)
		p.put("  ", fmt.Sprintf("%*d", gutter, l.Number), " ", p.mark.bar, " ", p.dim(before), marked, p.dim(after))
		if i == at && (l.MarkEnd > l.Mark || len(remarks) > 0) {
			p.caret(gutter, cells(before), remarks)
		}
	}
}

// caret points at column col and says the remarks beside itself, on whichever
// side there is room. Where there is too little, what is particular to this key
// comes first and the rest is cut.
func (p *page) caret(gutter, col int, remarks []string) {
	lead := strings.Repeat(" ", gutter+3) + p.mark.bar + " "
	room := p.width - gutter - 5
	remark := strings.Join(remarks, p.mark.dot)
	n := cells(remark)
	if col+2+n > room && n+1 > col && len(remarks) > 1 {
		remark = strings.Join(append(slices.Clone(remarks[1:]), remarks[0]), p.mark.dot)
	}
	switch {
	case remark == "":
		p.put(lead, strings.Repeat(" ", col), p.red("^"))
	case col+2+n <= room:
		p.put(lead, strings.Repeat(" ", col), p.red("^"), " ", remark)
	case n+1 <= col:
		p.put(lead, strings.Repeat(" ", col-n-1), remark, " ", p.red("^"))
	case col >= room-col:
		remark = p.clip(remark, col-1)
		p.put(lead, strings.Repeat(" ", max(0, col-1-cells(remark))), remark, " ", p.red("^"))
	default:
		p.put(lead, strings.Repeat(" ", col), p.red("^"), " ", p.clip(remark, room-col-2))
	}
}

// remarks are what can be told about the key in a few words: its blast, whose
// it is, what the value itself says.
func (p *page) remarks(k *scanner.Key) []string {
	var parts []string
	if b := strings.TrimRight(ruleOf(k).Workflow.Blast, ". "); b != "" {
		parts = append(parts, p.text(b))
	}
	if k.Facts.Account != "" {
		parts = append(parts, p.text("account "+k.Facts.Account))
	}
	if k.Facts.Note != "" {
		parts = append(parts, p.text(k.Facts.Note))
	}
	if k.Facts.Expires != "" {
		parts = append(parts, p.text("expires "+k.Facts.Expires))
	}
	return parts
}

// fit escapes an excerpt and cuts it to room cells, around its mark.
func (p *page) fit(l scanner.ExcerptLine, room int) (before, marked, after string) {
	before, marked, after = cut(l)
	esc := func(s string) string { return printable(p.ours(strings.ReplaceAll(s, "\t", " ")), p.o.ASCII) }
	before, marked, after = esc(before), esc(marked), esc(after)
	if whole := before + marked + after; printable(whole, false) != whole {
		// A log command whose two halves stand on either side of the mark.
		broken := strings.NewReplacer("#", `\x23`)
		before, marked, after = broken.Replace(before), broken.Replace(marked), broken.Replace(after)
	}
	if cells(before)+cells(marked)+cells(after) <= room {
		return before, marked, strings.TrimRight(after, " ")
	}
	before = strings.TrimLeft(before, " ")
	marked = p.clip(marked, room)
	left := cells(before)
	rest := room - cells(marked)
	if left > rest/2 {
		left = max(rest/2, rest-cells(after))
	}
	if cells(before) > left {
		gap := cells(p.mark.gap)
		tail := before
		for tail != "" && cells(tail) > left-gap {
			_, n := utf8.DecodeRuneInString(tail)
			tail = tail[n:]
		}
		before = ""
		if left >= gap {
			before = p.mark.gap + tail
		}
	}
	return before, marked, strings.TrimRight(p.clip(after, room-cells(before)-cells(marked)), " ")
}

// clip cuts s to n cells, at a blank where there is one near, and says so.
func (p *page) clip(s string, n int) string {
	if cells(s) <= n {
		return s
	}
	gap := cells(p.mark.gap)
	if n < gap {
		return ""
	}
	width := 0
	for i, r := range s {
		w := cellsOf(r)
		if width+w > n-gap {
			if b := strings.LastIndexByte(s[:i], ' '); b > i*2/3 {
				i = b
			}
			return strings.TrimRight(s[:i], " ") + p.mark.gap
		}
		width += w
	}
	return s
}

// wrap prints words at the page's width, each line indented; a word that is
// longer than the line (a link) stays whole.
func (p *page) wrap(indent, s string) { p.hang(indent, indent, s) }

// hang is wrap with a first line that begins otherwise.
func (p *page) hang(first, indent, s string) {
	out, used := first, cells(first)
	empty := true
	for _, word := range strings.Fields(s) {
		n := cells(word)
		if !empty && used+1+n > p.width {
			p.put(strings.TrimRight(out, " "))
			out, used, empty = indent, cells(indent), true
			word = line(word, p.o.ASCII)
		}
		if !empty {
			out, used = out+" ", used+1
		}
		out, used, empty = out+word, used+n, false
	}
	if !empty {
		p.put(out)
	}
}

// steps prints the first step of each half of the replacement, all of them
// with Options.Verbose. What was said for an earlier key is not said again.
func (p *page) steps(k *scanner.Key, indent string) {
	var said strings.Builder
	for _, s := range stages(k) {
		said.WriteString(s.name)
		for i := range s.steps {
			said.WriteString("\n" + stepLine(k, &s.steps[i]))
		}
	}
	if said.Len() == 0 {
		return
	}
	if id, ok := p.said[said.String()]; ok {
		p.put(indent, "replace  as ", id)
		return
	}
	p.said[said.String()] = k.ID
	for _, s := range stages(k) {
		for i := range s.steps {
			if i > 0 && !p.o.Verbose {
				break
			}
			name := fmt.Sprintf("%-7s  ", s.name)
			if i > 0 {
				name = strings.Repeat(" ", 9)
			}
			p.hang(indent+name, indent+strings.Repeat(" ", 9), p.text(stepLine(k, &s.steps[i])))
			if t := s.steps[i].Text; p.o.Verbose && t != "" && stepTarget(k, &s.steps[i]) != "" {
				p.wrap(indent+strings.Repeat(" ", 9), p.text(t))
			}
		}
	}
}

// commands prints what to type, with the explanations in one column.
func (p *page) commands(rows []command) { p.listed("    ", rows) }

// listed is commands with a word before the first.
func (p *page) listed(lead string, rows []command) {
	wide, indent := 0, cells(lead)
	for _, r := range rows {
		wide = max(wide, cells(p.ours(r.line)))
	}
	for _, r := range rows {
		c := p.ours(r.line)
		if r.what == "" || indent+wide+4+cells(r.what) > p.width {
			p.put(lead, c)
		} else {
			p.put(lead, c, strings.Repeat(" ", wide-cells(c)+4), p.ours(r.what))
		}
		lead = strings.Repeat(" ", indent)
	}
}

// errors prints what could not be read. Without it nobody may be told that a
// result is whole.
func (p *page) errors(indent string) {
	errs := p.r.Summary.Errors
	for i, e := range errs {
		if i == maxErrors && !p.o.Verbose {
			p.put(indent, "and ", digits(len(errs)-i), " more: --format json lists them all")
			break
		}
		p.wrap(indent, p.text(e))
	}
}

// cells is the width of s in a terminal.
func cells(s string) int {
	n := 0
	for _, r := range s {
		n += cellsOf(r)
	}
	return n
}

// cellsOf counts a wide East Asian character or an emoji as two and a combining
// mark as none. The ranges are those of Unicode's East Asian Width W and F in
// broad strokes: an error moves a caret, nothing else.
func cellsOf(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case r <= 0x36f, r >= 0x20d0 && r <= 0x20ff, r >= 0xfe00 && r <= 0xfe0f, r >= 0xfe20 && r <= 0xfe2f:
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0x303e, r >= 0x3041 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3,
		r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6,
		r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}

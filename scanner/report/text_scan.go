package report

import (
	"fmt"
	"strings"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// scan is the report of `till scan`: a head line with the coverage, the keys,
// the sums, the next command.
func (p *page) scan() {
	known, suspects, places := tally(p.r.Keys)
	s := &p.r.Summary
	if !p.o.Quiet {
		p.head(known + suspects)
	}
	wide := 0
	for i := range p.r.Keys {
		wide = max(wide, len(idAsked(&p.r.Keys[i])))
	}
	for i := range p.r.Keys {
		k := &p.r.Keys[i]
		if i > 0 || !p.o.Quiet {
			p.put()
		}
		p.item(k, fmt.Sprintf("%-*s  %s", wide, idAsked(k), p.description(k, p.width-6-wide)))
		p.details(k)
	}
	if known+suspects > 0 && !p.o.Quiet {
		p.put()
		sum := keysAndSuspects(known, suspects, ", ")
		if places > known+suspects {
			sum += " in " + count(places, "place")
		}
		if s.Suppressed > 0 {
			sum += fmt.Sprintf(" · %s allowed: till allowed", digits(s.Suppressed))
		}
		p.put("  ", p.ours(sum))
	}
	if !p.o.Quiet {
		p.leftOut()
	}
	if !s.Complete() {
		if p.b.Len() > 0 {
			p.put()
		}
		p.put("  could not check everything: ", count(len(s.Errors), "error"))
		p.errors("    ")
	}
	if next := p.next(); len(next) > 0 && !p.o.Quiet {
		p.put()
		p.listed("  Next  ", next)
	}
}

// head is the line that says what was read. The word clean stands there only
// when everything was, and there was something.
func (p *page) head(found int) {
	s := &p.r.Summary
	parts := []string{"till"}
	for _, name := range []string{p.o.Root, p.o.Scope} {
		if name != "" {
			parts = append(parts, p.text(name))
		}
	}
	parts = append(parts, coverage(s)...)
	if p.o.Elapsed > 0 {
		parts = append(parts, elapsed(p.o.Elapsed))
	}
	switch {
	case !s.Complete():
		parts = append(parts, "not complete")
	case found > 0:
	case s.Commits+s.Blobs+s.Files+s.Refs == 0:
		parts = append(parts, "nothing to read")
	default:
		parts = append(parts, "clean")
		if s.Suppressed > 0 {
			parts = append(parts, digits(s.Suppressed)+" allowed: till allowed")
		}
	}
	p.breakAt("", "  ", parts)
}

// breakAt prints parts with dots between them, broken only between two parts.
func (p *page) breakAt(first, indent string, parts []string) {
	out, used := first, cells(first)
	for i, s := range parts {
		n := cells(s)
		if i > 0 {
			if used+cells(p.mark.dot)+n > p.width {
				p.put(out)
				out, used = indent, cells(indent)
				s = line(s, p.o.ASCII)
			} else {
				out, used = out+p.mark.dot, used+cells(p.mark.dot)
			}
		}
		out, used = out+s, used+n
	}
	p.put(out)
}

// details are the lines below the code: how far the key has travelled, where
// else it is, how to replace it.
func (p *page) details(k *scanner.Key) {
	var parts []string
	for _, s := range story(k) {
		parts = append(parts, p.text(s))
	}
	if d := primaryPlace(k).Decoded; len(d) > 0 {
		parts = append(parts, p.text("in "+strings.Join(d, " in ")))
	}
	if len(parts) > 0 {
		p.breakAt("    ", "    ", parts)
	}
	p.also(k, "    ")
	p.steps(k, "    ")
}

// also lists the other places, three of them unless Options.Verbose.
func (p *page) also(k *scanner.Key, indent string) {
	others := otherPlaces(k)
	if len(others) == 0 {
		return
	}
	most := 3
	if p.o.Verbose {
		most = len(others)
	}
	var names []string
	for i, o := range others {
		if i == most {
			names = append(names, fmt.Sprintf("%s more (-v)", digits(len(others)-i)))
			break
		}
		name := position(o)
		if !o.Present && k.Exposure != scanner.ExposureUnreachable {
			name += " (not in HEAD)"
		}
		names = append(names, p.text(name))
	}
	p.hang(indent+"also  ", indent+"      ", strings.Join(names, ", "))
}

// leftOut says what changes nothing about the keys but has to be known: what was
// not read on purpose and why, and what the source has to say.
func (p *page) leftOut() {
	s := &p.r.Summary
	most := 3
	if p.o.Verbose {
		most = len(s.Skipped)
	}
	for _, g := range skipped(s) {
		p.hang("  skipped: ", "    ", p.text(g.line(most)))
	}
	for _, n := range s.Notes {
		p.hang("  note: ", "    ", p.text(n))
	}
	if s.Unreachable > 0 {
		p.hang("  note: ", "    ", count(s.Unreachable, "more key")+
			" in objects that no ref holds: till scan --history --unreachable")
	}
}

// next are the commands to type now: about the first key, else about the first
// suspect; one that is known to be dead comes after those that can hurt.
func (p *page) next() []command {
	first, rank := (*scanner.Key)(nil), 0
	for i := range p.r.Keys {
		k := &p.r.Keys[i]
		r := 1
		if class(k) == rules.ClassKey {
			r = 2
		}
		switch k.Validity {
		case "active":
			r += 2
		case "inactive":
			r -= 2
		}
		if first == nil || r > rank {
			first, rank = k, r
		}
	}
	if first == nil {
		return nil
	}
	rows := wayOn(first, &p.o)
	if r := primaryPlace(first).Repository; r != "" {
		for i := range rows {
			rows[i].line = strings.Replace(rows[i].line, "till ", "till -C "+p.text(r)+" ", 1)
		}
	}
	return rows
}

// plain is the report for a log: one line a key, no columns that depend on the
// other lines, ready for grep.
func (p *page) plain() {
	known, suspects, places := tally(p.r.Keys)
	s := &p.r.Summary
	if !p.o.Quiet {
		id := "till"
		if p.o.Version != "" {
			id += " " + p.o.Version
		}
		if p.o.Catalogue != "" {
			id += "  rules " + p.o.Catalogue
		}
		p.put(p.text(id))
		var what []string
		for _, name := range []string{p.o.Root, p.o.Scope} {
			if name != "" {
				what = append(what, p.text(name))
			}
		}
		what = append(what, strings.Join(coverage(s), ", "))
		p.put("read  ", strings.Join(what, "  "))
	}
	for i := range p.r.Keys {
		k := &p.r.Keys[i]
		value := k.Secret.String()
		if p.o.ShowSecrets {
			value = reveal(k.Secret)
		}
		p.put(p.signOf(k), " ", idAsked(k), "  ", p.text(ruleOf(k).ID), "  ", p.text(position(primaryPlace(k))), "  ", p.text(value))
		for _, o := range otherPlaces(k) {
			p.put("  also  ", p.text(position(o)))
		}
		for _, st := range stages(k) {
			p.put("  ", st.name, "  ", p.text(stepLine(k, &st.steps[0])))
		}
	}
	if !p.o.Quiet {
		sum := "no keys"
		if known+suspects > 0 {
			sum = keysAndSuspects(known, suspects, ", ") + " in " + count(places, "place")
		} else if s.Complete() && s.Commits+s.Blobs+s.Files+s.Refs > 0 {
			sum = "clean"
		}
		sum += fmt.Sprintf("; %s allowed", digits(s.Suppressed))
		if p.o.Elapsed > 0 {
			sum += "; " + elapsed(p.o.Elapsed)
		}
		p.put(p.ours(sum))
		for _, g := range skipped(s) {
			p.put("skipped  ", p.text(g.line(3)))
		}
		for _, n := range s.Notes {
			p.put("note  ", p.text(n))
		}
		if s.Unreachable > 0 {
			p.put("note  ", count(s.Unreachable, "more key"), " in objects that no ref holds: till scan --history --unreachable")
		}
	}
	if !s.Complete() {
		p.put("could not check everything: ", count(len(s.Errors), "error"))
		for i, e := range s.Errors {
			if i == maxErrors && !p.o.Verbose {
				p.put("and ", digits(len(s.Errors)-i), " more: --format json lists them all")
				break
			}
			p.put("error  ", p.text(e))
		}
	}
	if next := p.next(); len(next) > 0 && !p.o.Quiet {
		p.put("next  ", p.ours(next[0].line))
	}
}

package report

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// reveal is the only place of this package where a value comes out of its
// Secret: to be looked for and masked, or to be shown where ShowSecrets says so.
func reveal(s scanner.Secret) string { return s.Reveal() }

// minShared is the length in bytes from which a value is masked wherever it
// occurs. A shorter one ("hunter2") is masked only in the place where it was
// found: as part of any other path it would tear the report apart and tell
// nobody that it is a password.
const minShared = 8

// A redactor masks the values of a result in arbitrary text.
type redactor struct {
	// byHead finds the patterns by their first minShared bytes.
	byHead map[string][]pattern
	rules  map[*rules.Rule]*rules.Rule
}

type pattern struct{ text, mask string }

// Redact returns a copy of r in which no string holds a value of r, as in all
// reports. The secrets themselves stay closed behind their type.
func Redact(r *scanner.Result) *scanner.Result {
	out, _ := redact(r, Options{})
	return out
}

// redact returns a copy of r and o in which no string holds a secret value of
// r, neither as it is nor in base64, hexadecimal or percent encoding. The
// secrets themselves stay closed behind their type.
func redact(r *scanner.Result, o Options) (*scanner.Result, Options) {
	x := &redactor{byHead: map[string][]pattern{}, rules: map[*rules.Rule]*rules.Rule{}}
	for _, list := range [][]scanner.Key{r.Keys, r.Suppressed} {
		for i := range list {
			for _, v := range list[i].Values() {
				x.add(v)
			}
			if list[i].Partner != nil {
				x.add(list[i].Partner.Secret)
			}
		}
	}
	for _, l := range x.byHead { // longest first, so that a value wins over its own beginning
		slices.SortFunc(l, func(a, b pattern) int {
			if len(a.text) != len(b.text) {
				return len(b.text) - len(a.text)
			}
			return strings.Compare(a.text, b.text)
		})
	}

	out := &scanner.Result{Keys: x.keys(r.Keys), Suppressed: x.keys(r.Suppressed), Summary: r.Summary}
	out.Summary.Errors = x.list(r.Summary.Errors)
	out.Summary.Notes = x.list(r.Summary.Notes)
	out.Summary.Skipped = slices.Clone(r.Summary.Skipped)
	for i, s := range out.Summary.Skipped {
		out.Summary.Skipped[i] = scanner.Skip{Path: x.text(s.Path), Reason: x.text(s.Reason)}
	}
	o.Root, o.Scope, o.RepoURL = x.text(o.Root), x.text(o.Scope), x.text(o.RepoURL)
	return out, o
}

// add takes a value into the patterns, with each of its lines when it has
// several (a PEM block can be cited in part).
func (x *redactor) add(s scanner.Secret) {
	v := reveal(s)
	mask := s.String()
	x.put(v, mask)
	lines := strings.FieldsFunc(strings.ReplaceAll(v, `\n`, "\n"), func(r rune) bool { return r == '\n' || r == '\r' })
	for _, l := range lines {
		l = strings.TrimSpace(l)
		if len(lines) > 1 && len(l) >= 16 && !strings.HasPrefix(l, "-----") {
			x.put(l, "…")
		}
	}
}

func (x *redactor) put(v, mask string) {
	if len(v) < minShared {
		return
	}
	forms := []string{v, hex.EncodeToString([]byte(v)), strings.ToUpper(hex.EncodeToString([]byte(v))),
		url.QueryEscape(v), url.PathEscape(v), uriPath(v), percentAll(v), strings.ToLower(percentAll(v))}
	for shift := range 3 {
		b := base64Core(v, shift)
		forms = append(forms, b, strings.NewReplacer("+", "-", "/", "_").Replace(b))
	}
	slices.Sort(forms)
	for _, f := range slices.Compact(forms) {
		if len(f) < minShared {
			continue
		}
		p, head := pattern{f, mask}, f[:minShared]
		if !slices.Contains(x.byHead[head], p) {
			x.byHead[head] = append(x.byHead[head], p)
		}
	}
}

// base64Core is the part of the base64 text that v alone decides when it stands
// shift bytes after a multiple of three.
func base64Core(v string, shift int) string {
	enc := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), v...))
	return enc[(shift*8+5)/6 : (shift+len(v))*8/6]
}

func percentAll(v string) string {
	h := strings.ToUpper(hex.EncodeToString([]byte(v)))
	var b strings.Builder
	for i := 0; i < len(h); i += 2 {
		b.WriteByte('%')
		b.WriteString(h[i : i+2])
	}
	return b.String()
}

// text masks every known value in s.
func (x *redactor) text(s string) string {
	if len(s) < minShared || len(x.byHead) == 0 {
		return s
	}
	var b strings.Builder
	done := 0
next:
	for i := 0; i+minShared <= len(s); i++ {
		for _, p := range x.byHead[s[i:i+minShared]] {
			if strings.HasPrefix(s[i:], p.text) {
				b.WriteString(s[done:i])
				b.WriteString(p.mask)
				done = i + len(p.text)
				i = done - 1
				continue next
			}
		}
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

func (x *redactor) list(l []string) []string {
	out := slices.Clone(l)
	for i := range out {
		out[i] = x.text(out[i])
	}
	return out
}

func (x *redactor) keys(in []scanner.Key) []scanner.Key {
	out := slices.Clone(in)
	for i := range out {
		k := &out[i]
		k.Rule = x.rule(k.Rule)
		f := &k.Facts
		f.Account, f.Expires, f.ID, f.Note = x.text(f.Account), x.text(f.Expires), x.text(f.ID), x.text(f.Note)
		if k.Partner != nil {
			p := *k.Partner
			p.Rule = x.rule(p.Rule)
			k.Partner = &p
		}
		if k.Suppressed != nil {
			s := *k.Suppressed
			s.Reason, s.By, s.Source = x.text(s.Reason), x.text(s.By), x.text(s.Source)
			k.Suppressed = &s
		}
		// A short value is masked where it was found whatever it looks like.
		var pairs []string
		for _, secret := range slices.SortedStableFunc(slices.Values(k.Values()), func(a, b scanner.Secret) int { return b.Len() - a.Len() }) {
			if v := reveal(secret); v != "" && len(v) < minShared {
				pairs = append(pairs, v, secret.String())
			}
		}
		own := strings.NewReplacer(pairs...).Replace // the first that fits: a value before its own beginning
		k.Places = slices.Clone(k.Places)
		for j := range k.Places {
			x.place(&k.Places[j], own)
		}
	}
	return out
}

func (x *redactor) place(p *scanner.Place, own func(string) string) {
	p.Repository = x.text(p.Repository)
	p.Path = x.text(p.Path)
	p.Refs = x.list(p.Refs)
	p.Decoded = x.list(p.Decoded)
	if c := p.Removed; c != nil {
		p.Removed = &scanner.Commit{Hash: c.Hash, Time: c.Time, Author: x.text(c.Author), Email: x.text(c.Email), Subject: x.text(c.Subject)}
	}
	if c := p.Commit; c != nil {
		p.Commit = &scanner.Commit{Hash: c.Hash, Time: c.Time, Author: x.text(c.Author), Email: x.text(c.Email), Subject: x.text(c.Subject)}
		switch p.Where {
		case scanner.InMessage:
			p.Commit.Subject = own(p.Commit.Subject)
		case scanner.InAuthor:
			p.Commit.Author, p.Commit.Email = own(p.Commit.Author), own(p.Commit.Email)
		}
	}
	switch p.Where {
	case scanner.InPath:
		p.Path = own(p.Path)
	case scanner.InRef, scanner.InTag:
		p.Path = own(p.Path)
		for i := range p.Refs {
			p.Refs[i] = own(p.Refs[i])
		}
	}
	p.Excerpt = slices.Clone(p.Excerpt)
	for i, l := range p.Excerpt {
		p.Excerpt[i] = x.excerpt(l)
	}
}

// excerpt masks around the mark piece by piece, so that the mark can follow
// what moves. A value that reaches across the mark's edge costs the mark.
func (x *redactor) excerpt(l scanner.ExcerptLine) scanner.ExcerptLine {
	before, marked, after := cut(l)
	before, marked, after = x.text(before), x.text(marked), x.text(after)
	whole := before + marked + after
	if again := x.text(whole); again != whole {
		return scanner.ExcerptLine{Number: l.Number, Text: again}
	}
	n := utf8.RuneCountInString(before)
	return scanner.ExcerptLine{Number: l.Number, Text: whole, Mark: n, MarkEnd: n + utf8.RuneCountInString(marked)}
}

// cut splits an excerpt at its mark. Columns beyond the end count as the end.
func cut(l scanner.ExcerptLine) (before, marked, after string) {
	from, to, n := len(l.Text), len(l.Text), 0
	for i := range l.Text {
		if n == l.Mark {
			from = i
		}
		if n == l.MarkEnd {
			to = i
			break
		}
		n++
	}
	if l.Mark < 0 || to < from {
		from, to = 0, 0
	}
	return l.Text[:from], l.Text[from:to], l.Text[to:]
}

// rule masks the texts of a rule, which can be a repository's own.
func (x *redactor) rule(r *rules.Rule) *rules.Rule {
	if r == nil || len(x.byHead) == 0 {
		return r
	}
	if c, ok := x.rules[r]; ok {
		return c
	}
	c := *r
	c.ID, c.Provider, c.Description = x.text(c.ID), x.text(c.Provider), x.text(c.Description)
	c.Docs = x.list(c.Docs)
	w := &c.Workflow
	w.Usage, w.Blast = x.text(w.Usage), x.text(w.Blast)
	w.Revoke, w.Reissue = x.steps(w.Revoke), x.steps(w.Reissue)
	x.rules[r] = &c
	return &c
}

func (x *redactor) steps(in []rules.Step) []rules.Step {
	out := slices.Clone(in)
	for i := range out {
		s := &out[i]
		s.Title, s.Text, s.URL, s.Command = x.text(s.Title), x.text(s.Text), x.text(s.URL), x.text(s.Command)
		if s.Request != nil {
			q := *s.Request
			q.Method, q.URL, q.Body, q.Func = x.text(q.Method), x.text(q.URL), x.text(q.Body), x.text(q.Func)
			q.Headers = slices.Clone(q.Headers)
			for j, h := range q.Headers {
				q.Headers[j] = rules.Header{Name: x.text(h.Name), Value: x.text(h.Value)}
			}
			s.Request = &q
		}
	}
	return out
}

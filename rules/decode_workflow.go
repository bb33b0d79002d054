package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The workflow and ask sections: what is done to replace a key.

func (f *file) workflow(t *table) *Workflow {
	if t == nil {
		return nil
	}
	w := &Workflow{
		Order: Order(t.oneOf("order", string(RevokeFirst), optional, string(RevokeFirst), string(ReissueFirst))),
		Usage: t.line("usage", "where abuse would show", optional),
		Blast: t.line("blast", "what the holder can do", optional),
		Self:  t.boolean("self"),
		Mints: t.boolean("mints"),
	}
	w.Revoke = f.steps(t, "revoke")
	w.Reissue = f.steps(t, "reissue")
	for i, r := range w.Revoke {
		if r.Result != (Result{}) {
			t.f.errorf(fmt.Sprintf("%s[%d].result", t.child("revoke"), i), "%srevoke: result: expected it in a step of reissue", t.what)
		}
	}
	for _, l := range t.tables("lookup") {
		w.Lookups = append(w.Lookups, f.lookup(l))
	}
	t.done()
	return w
}

func (f *file) steps(t *table, key string) []Step {
	var out []Step
	for i, s := range t.tables(key) {
		step := Step{
			Title:       s.line("title", "what to do, in a few words", required),
			Text:        s.prose("text", "one or two sentences"),
			URL:         s.page("url"),
			Command:     s.line("command", "a command line", optional),
			Run:         s.boolean("run"),
			Stdin:       s.prose("stdin", "what the command reads"),
			OK:          s.statuses("ok"),
			OKBody:      s.line("ok-body", "a regular expression", optional),
			Gone:        s.statuses("gone"),
			Alternative: s.boolean("alternative"),
			Ends:        s.boolean("ends"),
			Once:        s.boolean("once"),
			Reversible:  s.boolean("reversible"),
			After:       s.duration("after"),
			Delay:       s.duration("delay"),
			Lifetime:    s.duration("lifetime"),
			Collateral:  s.line("collateral", "what else dies with the key", optional),
		}
		f.command(s, "command", step.Command, step.Run)
		s.template("stdin", step.Stdin)
		s.expression("ok-body", step.OKBody)
		step.Request = f.innerRequest(s, "request")
		step.Undo = f.innerRequest(s, "undo")
		if r := s.table("result"); r != nil {
			step.Result = Result{
				Secret:  r.line("secret", "a JSON path, \"header:Name\" or \"text\"", required),
				ID:      r.line("id", "a JSON path or \"header:Name\"", optional),
				Expires: r.line("expires", "a JSON path or \"header:Name\"", optional),
				Form:    r.line("form", "a text with {{new}} and {{new-id}}", optional),
			}
			r.template("form", step.Result.Form)
			if step.Request == nil && !step.Run {
				f.errorf(r.path, "%sexpected a request, or a command with run = true, that gives the result", r.what)
			}
			r.done()
		}
		switch {
		case step.Text == "" && step.URL == "" && step.Command == "" && step.Request == nil:
			f.errorf(s.path, "%snothing to do: expected at least one of text, url, command and request", s.what)
		case step.Run && step.Command == "":
			s.errorf("run", "expected command beside it")
		case step.Stdin != "" && !step.Run:
			s.errorf("stdin", "expected run = true beside it")
		case step.Request == nil && (step.OK != nil || step.OKBody != "" || step.Gone != nil):
			f.errorf(s.path, "%sok, ok-body and gone: expected request beside them", s.what)
		case step.Undo != nil && !step.Reversible:
			s.errorf("undo", "expected reversible = true beside it")
		case step.Alternative && i == 0:
			s.errorf("alternative", "expected a step before it")
		}
		s.done()
		out = append(out, step)
	}
	return out
}

func (f *file) innerRequest(t *table, key string) *Request {
	r := t.table(key)
	if r == nil {
		return nil
	}
	f.refuseLocal(r.path, r.what+"a rule of the scanned repository may not name a network request")
	q := f.request(r, true)
	r.done()
	return q
}

// refuseLocal keeps what makes requests or runs programs out of files of the
// scanned repository.
func (f *file) refuseLocal(path, message string) {
	if f.local {
		f.errorf(path, "%s", message)
	}
}

func (f *file) lookup(t *table) Lookup {
	const path = "a JSON path"
	l := Lookup{
		List:     t.line("list", path, optional),
		Next:     t.line("next", "a JSON path or \"header:Link\"", optional),
		Cursor:   t.line("cursor", "a query parameter", optional),
		Page:     t.line("page", "a query parameter", optional),
		Show:     t.strings("show", "an array of JSON paths", optional),
		Created:  t.line("created", path, optional),
		LastUsed: t.line("last-used", path, optional),
	}
	if q := f.innerRequest(t, "request"); q != nil {
		l.Request = *q
	} else {
		f.errorf(t.path, "%srequest is missing: expected a table", t.what)
	}
	if w := t.table("where"); w != nil {
		for _, name := range slices.Sorted(maps.Keys(w.m)) {
			like := w.line(name, "a text with {{names}} and *", optional)
			w.template(name, like)
			l.Where = append(l.Where, Condition{name, like})
		}
	}
	if w := t.table("take"); w != nil {
		for _, name := range slices.Sorted(maps.Keys(w.m)) {
			if !isName(name) {
				w.errorf(name, "expected a name in a-z, 0-9, _ and -")
			}
			l.Take = append(l.Take, Field{name, w.line(name, path, optional)})
		}
	}
	switch {
	case len(l.Take) == 0:
		f.errorf(t.path, "%stake is missing: expected names and the JSON paths of their values", t.what)
	case l.Next != "" && l.Page != "":
		t.errorf("page", "expected either next or page")
	case l.Cursor != "" && l.Next == "":
		t.errorf("cursor", "expected next beside it")
	}
	t.done()
	return l
}

// asks reads [ask.NAME] tables, sorted by name.
func (f *file) asks(t *table) []Ask {
	if t == nil {
		return nil
	}
	var out []Ask
	for _, name := range slices.Sorted(maps.Keys(t.m)) {
		a := t.table(name)
		if a == nil {
			continue
		}
		if !isName(name) {
			t.errorf(name, "expected a name in a-z, 0-9, _ and -")
		}
		q := Ask{
			Name:    name,
			Text:    a.line("text", "what it is, in a few words", required),
			URL:     a.page("url"),
			Default: a.line("default", "a text", optional),
			Command: a.line("command", "a command line that prints it", optional),
			Pattern: a.line("pattern", "a regular expression", optional),
			Secret:  a.boolean("secret"),
			List:    a.boolean("list"),
		}
		a.template("default", q.Default)
		a.expression("pattern", q.Pattern)
		if q.Pattern != "" && q.Default != "" && !strings.Contains(q.Default, "{{") {
			if re, err := regexp.Compile(`\A(?:` + q.Pattern + `)\z`); err == nil && !re.MatchString(q.Default) {
				a.errorf("default", "%q does not match pattern", q.Default)
			}
		}
		f.command(a, "command", q.Command, q.Command != "")
		if name == "secret" || name == "id" || name == "new" {
			t.errorf(name, "expected another name: {{%s}} is what till has at hand", name)
		}
		a.done()
		out = append(out, q)
	}
	return out
}

// mergeAsks puts a provider's asks behind a rule's own.
func mergeAsks(own, provider []Ask) []Ask {
	out := slices.Clone(own)
	for _, a := range provider {
		if !slices.ContainsFunc(own, func(o Ask) bool { return o.Name == a.Name }) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b Ask) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// command checks a command line. One that till may run is split into words at
// blanks, so what only a shell understands is refused.
func (f *file) command(t *table, key, s string, run bool) {
	t.template(key, s)
	for _, name := range []string{"secret", "new", "admin"} {
		if strings.Contains(s, "{{"+name+"}}") && (run || name == "secret") {
			t.errorf(key, "holds {{%s}}: a command line is seen by every process and kept in the shell's history", name)
		}
	}
	if !run {
		return
	}
	f.refuseLocal(t.child(key), t.what+"a rule of the scanned repository may not name a program to run")
	if words, err := CommandWords(s); err != nil {
		t.errorf(key, "%v", err)
	} else if len(words) > 0 && strings.ContainsAny(words[0], "{}/\\") {
		t.errorf(key, "%q: expected the name of a program", words[0])
	}
}

// CommandWords splits a command line at blanks, except between single or
// double quotes. What a shell would interpret is an error: no shell reads it.
func CommandWords(s string) ([]string, error) {
	var (
		words []string
		word  strings.Builder
		open  bool // a word has begun
		quote rune // the quotes we are in, 0 = none
	)
	for _, c := range s {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, open = c, true
		case c == ' ':
			if open {
				words, open = append(words, word.String()), false
				word.Reset()
			}
		case strings.ContainsRune("|&;<>`$\\()*?", c):
			return nil, fmt.Errorf("holds %q, which only a shell understands: expected one plain command", c)
		default:
			word.WriteRune(c)
			open = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote (%c) is not closed", quote)
	}
	if open {
		words = append(words, word.String())
	}
	return words, nil
}

// duration reads a time such as "90s", "1h30m" or "7d".
func (t *table) duration(key string) time.Duration {
	const expected = "a time such as \"10m\" or \"7d\""
	s, ok := take[string](t, key, expected, optional)
	if !ok {
		return 0
	}
	var d time.Duration
	var err error
	if days, whole := strings.CutSuffix(s, "d"); whole {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(n) * 24 * time.Hour
	} else {
		d, err = time.ParseDuration(s)
	}
	// Ten years is longer than any vendor's delay or key.
	if err != nil || d <= 0 || d > 10*366*24*time.Hour {
		t.errorf(key, "%q: expected %s", s, expected)
		return 0
	}
	return d
}

func isName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

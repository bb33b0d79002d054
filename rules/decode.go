package rules

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/till-sh/till/rules/checksum"
)

// file is one rule file that is being read, with the faults found so far.
type file struct {
	name   string
	at     Positions
	local  bool // from the scanned repository: no requests
	faults []*FileError
}

func (f *file) fault(path, format string, args ...any) *FileError {
	at := f.at.Of(path)
	return &FileError{f.name, at.Line, at.Column, fmt.Sprintf(format, args...)}
}

func (f *file) errorf(path, format string, args ...any) {
	f.faults = append(f.faults, f.fault(path, format, args...))
}

// err joins the faults, in the order of the file.
func (f *file) err() error {
	slices.SortStableFunc(f.faults, func(a, b *FileError) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	joined := make([]error, len(f.faults))
	for i, e := range f.faults {
		joined[i] = e
	}
	return errors.Join(joined...)
}

// table is one TOML table. Each method that takes a value out notes the key as
// known; done reports the rest.
type table struct {
	f     *file
	path  string // "" for the root
	what  string // "rule acme-key: ", put before messages
	m     map[string]any
	known []string
}

func (t *table) child(key string) string { return join(t.path, key) }

func (t *table) errorf(key, format string, args ...any) {
	t.f.errorf(t.child(key), "%s%s: %s", t.what, key, fmt.Sprintf(format, args...))
}

func (t *table) has(key string) bool {
	_, ok := t.m[key]
	return ok
}

func (t *table) done() {
	for _, key := range slices.Sorted(maps.Keys(t.m)) {
		if slices.Contains(t.known, key) {
			continue
		}
		hint := "expected one of " + strings.Join(slices.Sorted(slices.Values(t.known)), ", ")
		if near := nearest(key, t.known); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		t.f.errorf(t.child(key), "%sunknown key %q (%s)", t.what, key, hint)
	}
}

// take returns the value of key as a T. Asking with need makes its absence a
// fault.
func take[T any](t *table, key, expected string, need bool) (v T, ok bool) {
	t.known = append(t.known, key)
	raw, ok := t.m[key]
	if !ok {
		if need {
			t.f.errorf(t.path, "%s%s is missing: expected %s", t.what, key, expected)
		}
		return v, false
	}
	v, ok = raw.(T)
	if !ok {
		t.errorf(key, "expected %s, found %s", expected, typeName(raw))
	}
	return v, ok
}

func typeName(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case int64:
		return "an integer"
	case float64:
		return "a number"
	case bool:
		return "a boolean"
	case time.Time:
		return "a date"
	case []any, []map[string]any:
		return "an array"
	case map[string]any:
		return "a table"
	}
	return fmt.Sprintf("%T", v)
}

const (
	optional = false
	required = true
)

// line reads a string of one line that can be shown on a terminal.
func (t *table) line(key, expected string, need bool) string {
	s, ok := take[string](t, key, expected, need)
	if !ok {
		return ""
	}
	if need && s == "" {
		t.errorf(key, "is empty: expected %s", expected)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
		t.errorf(key, "holds a control character: expected %s on one line", expected)
	}
	return s
}

// prose reads a string that may have line ends.
func (t *table) prose(key, expected string) string {
	s, _ := take[string](t, key, expected, optional)
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 }) {
		t.errorf(key, "holds a control character: expected %s", expected)
	}
	return s
}

func (t *table) oneOf(key, fallback string, need bool, words ...string) string {
	s, ok := take[string](t, key, "one of "+strings.Join(words, ", "), need)
	switch {
	case !ok:
		return fallback
	case slices.Contains(words, s):
		return s
	}
	hint := ""
	if near := nearest(s, words); near != "" {
		hint = fmt.Sprintf(" (did you mean %q?)", near)
	}
	t.errorf(key, "%q: expected one of %s%s", s, strings.Join(words, ", "), hint)
	return fallback
}

func (t *table) boolean(key string) bool {
	b, _ := take[bool](t, key, "true or false", optional)
	return b
}

// strings reads an array of strings; nil when it is absent or empty.
func (t *table) strings(key, expected string, need bool) []string {
	raw, ok := take[[]any](t, key, expected, need)
	if !ok {
		return nil
	}
	if need && len(raw) == 0 {
		t.errorf(key, "is empty: expected %s", expected)
	}
	var out []string
	for i, v := range raw {
		s, ok := v.(string)
		if !ok {
			t.f.errorf(fmt.Sprintf("%s[%d]", t.child(key), i), "%s%s: expected %s, found %s in it", t.what, key, expected, typeName(v))
			return nil // what is said about the others would have wrong indexes
		}
		out = append(out, s)
	}
	return out
}

func (t *table) statuses(key string) []int {
	const expected = "an array of HTTP status codes"
	raw, ok := take[[]any](t, key, expected, optional)
	if !ok {
		return nil
	}
	var out []int
	for i, v := range raw {
		n, ok := v.(int64)
		if !ok || n < 100 || n > 599 {
			t.f.errorf(fmt.Sprintf("%s[%d]", t.child(key), i), "%s%s: %v: expected an HTTP status code (100 to 599)", t.what, key, v)
			continue
		}
		out = append(out, int(n))
	}
	return out
}

// table returns the table under key, nil when there is none.
func (t *table) table(key string) *table {
	m, ok := take[map[string]any](t, key, "a table", optional)
	if !ok {
		return nil
	}
	return &table{f: t.f, path: t.child(key), what: t.what + key + ": ", m: m}
}

// tables returns the array of tables under key, written as [[key]] or inline.
func (t *table) tables(key string) []*table {
	t.known = append(t.known, key)
	var maps []map[string]any
	switch v := t.m[key].(type) {
	case nil:
		return nil
	case []map[string]any:
		maps = v
	case []any:
		for _, e := range v {
			m, ok := e.(map[string]any)
			if !ok {
				t.errorf(key, "expected [[%s]] tables, found an array with %s in it", key, typeName(e))
				return nil
			}
			maps = append(maps, m)
		}
	default:
		t.errorf(key, "expected [[%s]] tables, found %s", key, typeName(v))
		return nil
	}
	out := make([]*table, len(maps))
	for i, m := range maps {
		out[i] = &table{f: t.f, path: fmt.Sprintf("%s[%d]", t.child(key), i), what: fmt.Sprintf("%s%s %d: ", t.what, key, i+1), m: m}
	}
	return out
}

func (f *file) provider(t *table) Provider {
	p := Provider{
		ID:       t.line("id", "the provider's id, such as \"acme\"", required),
		Name:     t.line("name", "the provider's name", required),
		Reviewed: t.date("reviewed"),
		Docs:     t.pages("docs", required),
	}
	if p.ID != "" && !isSlug(p.ID) {
		t.errorf("id", "%q: expected a-z, 0-9 and dashes", p.ID)
	}
	if base, ok := strings.CutSuffix(path.Base(strings.ReplaceAll(f.name, `\`, "/")), ".toml"); ok && p.ID != "" && base != p.ID {
		t.errorf("id", "%q: expected the file's name without .toml, %q", p.ID, base)
	}
	asks := f.asks(t.table("ask"))
	verify := f.verify(t.table("verify"))
	workflow := f.workflow(t.table("workflow"))
	tables := t.tables("rule")
	if len(tables) == 0 {
		f.errorf("", "no rule: expected at least one [[rule]] table")
	}
	p.Rules = f.rules(tables, p)
	for i := range p.Rules {
		p.Rules[i].Ask = mergeAsks(p.Rules[i].Ask, asks)
		if verify != nil && !tables[i].has("verify") {
			p.Rules[i].Verify = *verify
		}
		if workflow != nil && !tables[i].has("workflow") {
			p.Rules[i].Workflow = *workflow
		}
	}
	t.done()
	return p
}

func (t *table) date(key string) string {
	const expected = "a date, such as 2026-11-24"
	if s, ok := t.m[key].(string); ok {
		if _, err := time.Parse(time.DateOnly, s); err == nil {
			t.known = append(t.known, key)
			return s
		}
	}
	d, ok := take[time.Time](t, key, expected, required)
	if !ok {
		return ""
	}
	return d.Format(time.DateOnly)
}

// rules reads [[rule]] tables. p.ID is empty for those of a .till.toml.
func (f *file) rules(tables []*table, p Provider) []Rule {
	var out []Rule
	seen := map[string]int{}
	for i, t := range tables {
		r := f.rule(t, p)
		if at, ok := seen[r.ID]; ok && r.ID != "" {
			t.errorf("id", "is the id of rule %d (line %d) as well", at+1, f.at.Of(fmt.Sprintf("rule[%d]", at)).Line)
		} else {
			seen[r.ID] = i
		}
		out = append(out, r)
	}
	for i, r := range out {
		// A rule of another provider may live in another file; LoadFS and
		// With know them all.
		if _, ok := seen[r.Needs.Rule]; r.Needs.Rule == "" || ok || p.ID == "" || !strings.HasPrefix(r.Needs.Rule, p.ID+"-") {
			continue
		}
		hint := ""
		if near := nearest(r.Needs.Rule, slices.Collect(maps.Keys(seen))); near != "" {
			hint = fmt.Sprintf(" (did you mean %q?)", near)
		}
		f.errorf(fmt.Sprintf("rule[%d].needs.rule", i), "%sneeds: rule: %q: there is no rule of this id in the file%s", tables[i].what, r.Needs.Rule, hint)
	}
	return out
}

func (f *file) rule(t *table, p Provider) Rule {
	r := Rule{ID: t.line("id", "the rule's id, <provider>-<kind>", required)}
	if r.ID != "" {
		t.what = "rule " + r.ID + ": "
	}
	provider, kind, _ := strings.Cut(r.ID, "-")
	r.Provider = provider
	if p.ID != "" {
		r.Provider = p.ID
		kind, _ = strings.CutPrefix(r.ID, p.ID+"-")
		if kind == r.ID {
			kind = ""
		}
	}
	switch {
	case r.ID == "":
	case !isSlug(r.ID):
		t.errorf("id", "%q: expected a-z, 0-9 and dashes", r.ID)
	case kind == "" && p.ID != "":
		t.errorf("id", "expected it to start with the provider's id and a dash, %q", p.ID+"-")
	case kind == "":
		t.errorf("id", "expected <provider>-<kind>, such as \"acme-api-key\"")
	}

	r.Description = t.line("description", "a noun phrase", required)
	r.Docs = t.pages("docs", optional)
	r.Severity = Severity(t.oneOf("severity", "", required, string(Critical), string(High), string(Medium), string(Low)))
	r.Class = Class(t.oneOf("class", string(ClassKey), optional, string(ClassKey), string(ClassSuspect)))
	r.Human = t.boolean("human")
	r.Family = t.line("family", "a name in a-z, 0-9 and dashes", optional)
	if r.Family == "" {
		r.Family = r.ID
	} else if !isSlug(r.Family) {
		t.errorf("family", "%q: expected a-z, 0-9 and dashes", r.Family)
	}
	r.MinEntropy = t.entropy("min-entropy")
	if r.Checksum = t.line("checksum", "a function of rules/checksum", optional); r.Checksum != "" && !slices.Contains(checksum.Names(), r.Checksum) {
		t.errorf("checksum", "%q: expected one of %s", r.Checksum, strings.Join(checksum.Names(), ", "))
	}
	r.Allow = t.strings("allow", "an array of regular expressions", optional)
	for i, expr := range r.Allow {
		t.expression(fmt.Sprintf("allow[%d]", i), expr)
	}
	r.Paths = t.strings("paths", "an array of globs", optional)
	for i, glob := range r.Paths {
		if err := checkGlob(glob); err != nil {
			t.errorf(fmt.Sprintf("paths[%d]", i), "%v", err)
		}
	}

	r.Keywords = t.keywords("keywords")
	r.Regex = t.line("regex", "a regular expression", optional)
	r.Value = t.line("value", "a regular expression", optional)
	r.Assigned = t.boolean("assigned")
	if r.Weak = t.boolean("weak"); r.Weak && !r.Assigned {
		t.errorf("weak", "belongs to a rule with assigned = true")
	}
	if !t.has("regex") && !t.has("value") && !r.Assigned {
		f.errorf(t.path, "%sneither regex nor value: expected at least one of them", t.what)
	}
	if t.has("regex") {
		t.regex("regex", r.Regex, r.Keywords)
	}
	if t.has("value") {
		t.value("value", r.Value)
	}

	if n := t.table("needs"); n != nil {
		r.Needs.Rule = n.line("rule", "the id of the other half's rule", required)
		r.Needs.Lines = n.count("lines", 10)
		r.Needs.Without = n.oneOf("without", "keep", optional, "keep", "suspect", "drop")
		if r.Needs.Rule == r.ID && r.ID != "" {
			n.errorf("rule", "expected another rule than this one")
		}
		n.done()
	}
	if s := t.table("samples"); s != nil {
		r.Samples.Match = unmark(s.strings("match", "an array of texts", optional))
		r.Samples.Miss = unmark(s.strings("miss", "an array of texts", optional))
		s.done()
	}
	r.Ask = f.asks(t.table("ask"))
	if v := f.verify(t.table("verify")); v != nil {
		r.Verify = *v
	}
	if w := f.workflow(t.table("workflow")); w != nil {
		r.Workflow = *w
	}
	t.done()
	return r
}

// sampleCut is the mark that keeps sample values from standing whole in a file.
const sampleCut = "<+>"

func unmark(samples []string) []string {
	for i, s := range samples {
		samples[i] = strings.ReplaceAll(s, sampleCut, "")
	}
	return samples
}

func (t *table) entropy(key string) float64 {
	// Bytes hold no more than 8 bits each.
	const expected = "a number of bits per character, 0 to 8"
	var n float64
	switch v := t.m[key].(type) {
	case int64: // `min-entropy = 3` is as good as 3.0
		t.known = append(t.known, key)
		n = float64(v)
	default:
		n, _ = take[float64](t, key, expected, optional)
	}
	if math.IsNaN(n) || n < 0 || n > 8 {
		t.errorf(key, "%v: expected %s", n, expected)
	}
	return n
}

func (t *table) count(key string, fallback int) int {
	n, ok := take[int64](t, key, "a number of lines", optional)
	if !ok {
		return fallback
	}
	// The engine looks at the lines around a finding; a thousand is far more
	// than any pair needs and keeps the cost of a finding bounded.
	if n < 0 || n > 1000 {
		t.errorf(key, "%d: expected a number of lines, 0 to 1000", n)
	}
	return int(n)
}

func (t *table) keywords(key string) []string {
	words := t.strings(key, "an array of lower-case words", required)
	seen := map[string]bool{}
	for i, w := range words {
		at := fmt.Sprintf("%s[%d]", key, i)
		switch {
		case strings.ContainsFunc(w, func(r rune) bool { return r < ' ' || r > '~' }):
			t.errorf(at, "%q: expected printable ASCII", w)
		case w != lower(w):
			t.errorf(at, "%q: expected lower case, %q (either case is found)", w, lower(w))
		case len(w) < 3:
			t.errorf(at, "%q: expected 3 characters or more", w)
		case seen[w]:
			t.errorf(at, "%q stands there twice", w)
		}
		seen[w] = true
	}
	return words
}

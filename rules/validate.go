package rules

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// Checks of single values. They say what was expected; the caller puts file,
// line and key in front.

// isSlug reports whether s is made of a-z and 0-9 with single dashes between.
func isSlug(s string) bool {
	for part := range strings.SplitSeq(s, "-") {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return false
		}
	}
	return true
}

func isHeaderName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	})
}

// lower folds ASCII letters only, as the engine's search for keywords does.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func checkGlob(glob string) error {
	if glob == "" {
		return errors.New("expected a glob, such as **/*.tf")
	}
	if strings.HasPrefix(glob, "/") || strings.Contains(glob, `\`) {
		return fmt.Errorf("%q: expected a glob relative to the scanned folder, with / between names", glob)
	}
	if _, err := path.Match(glob, ""); err != nil {
		return fmt.Errorf("%q: %w", glob, err)
	}
	return nil
}

// expression checks a plain RE2 expression.
func (t *table) expression(key, expr string) {
	if _, err := regexp.Compile(expr); err != nil {
		t.errorf(key, "expected an RE2 expression: %v", trimRegexpError(err))
	}
}

func trimRegexpError(err error) string {
	return strings.TrimPrefix(err.Error(), "error parsing regexp: ")
}

func (t *table) regex(key, expr string, keywords []string) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		t.errorf(key, "expected an RE2 expression: %v", trimRegexpError(err))
		return
	}
	if _, err := regexp.Compile(expr); err != nil { // too large once compiled
		t.errorf(key, "expected an RE2 expression: %v", trimRegexpError(err))
		return
	}
	for _, name := range groups(re) {
		switch name {
		case "secret", "id":
		case "":
			t.errorf(key, "a group without name: expected (?:...) or (?P<secret>...)")
		default:
			t.errorf(key, "group %q: expected secret or id", name)
		}
	}
	if matchesEmpty(expr) {
		t.errorf(key, "matches the empty string")
		return
	}
	if len(keywords) == 0 {
		return // already said
	}
	if without := withoutKeyword(re, keywords); without != "" {
		t.errorf(key, "expected every match to hold a keyword, but `%s` can match without any of %s", without, strings.Join(quoteAll(keywords), ", "))
	}
}

func (t *table) value(key, expr string) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		t.errorf(key, "expected an RE2 expression: %v", trimRegexpError(err))
		return
	}
	if _, err := regexp.Compile(expr); err != nil {
		t.errorf(key, "expected an RE2 expression: %v", trimRegexpError(err))
		return
	}
	if len(groups(re)) > 0 {
		t.errorf(key, "holds a capture group: expected (?:...), the whole value is the secret")
	}
	if hasAnchor(re) {
		t.errorf(key, "holds an anchor (^, $, \\b ...): the expression is matched against the whole value as it is")
	}
	if matchesEmpty(expr) {
		t.errorf(key, "matches the empty string")
	}
}

func matchesEmpty(expr string) bool {
	return regexp.MustCompile(`\A(?:` + expr + `)\z`).MatchString("")
}

func groups(re *syntax.Regexp) []string {
	var names []string
	if re.Op == syntax.OpCapture {
		names = append(names, re.Name)
	}
	for _, sub := range re.Sub {
		names = append(names, groups(sub)...)
	}
	return names
}

func hasAnchor(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	return slices.ContainsFunc(re.Sub, hasAnchor)
}

func quoteAll(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = fmt.Sprintf("%q", w)
	}
	return out
}

// pages reads an array of addresses.
func (t *table) pages(key string, need bool) []string {
	all := t.strings(key, "an array of https addresses", need)
	for i, s := range all {
		t.checkPage(fmt.Sprintf("%s[%d]", key, i), s)
	}
	return all
}

// page reads the address of a page that a person opens.
func (t *table) page(key string) string {
	s := t.line(key, "an https address", optional)
	if s != "" {
		t.checkPage(key, s)
	}
	return s
}

func (t *table) checkPage(key, s string) {
	if strings.Contains(s, "{{secret}}") {
		t.errorf(key, "holds {{secret}}: the address of a page ends up in the browser's history")
		return
	}
	if s == "" {
		t.errorf(key, "is empty: expected an https address")
		return
	}
	t.url(key, s)
}

// url checks the address of a page or request; "" is nobody's fault here.
func (t *table) url(key, s string) {
	if s == "" {
		return
	}
	t.template(key, s)
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		t.errorf(key, "%q: expected https://", s)
		return
	}
	host := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host = rest[:i]
	}
	if strings.ContainsAny(s, " \"<>\\^`|") {
		t.errorf(key, "%q: expected an address without blanks, quotes and brackets", s)
		return
	}
	if err := checkHost(host); err != nil {
		t.errorf(key, "%v", err)
	}
}

// checkHost allows a fixed name, {{host}} for what people host themselves,
// and templates as labels of a name that ends in a fixed domain
// ({{account}}.zendesk.com): whatever is filled in, the request goes to the
// vendor.
func checkHost(host string) error {
	if host == "{{host}}" {
		return nil
	}
	if strings.Contains(host, "@") {
		return fmt.Errorf("%q: expected a host without user and password", host)
	}
	name, port, hasPort := strings.Cut(host, ":")
	if hasPort && (port == "" || strings.Trim(port, "0123456789") != "") {
		return fmt.Errorf("%q: expected a port number", host)
	}
	if strings.Contains(name, "{{secret}}") {
		return fmt.Errorf("%q: the secret in a host name goes to every name server on the way", host)
	}
	fixed := name
	if i := strings.LastIndex(name, "}}"); i >= 0 {
		var whole bool // the template ends where a label ends
		if fixed, whole = strings.CutPrefix(name[i+2:], "."); !whole || !strings.Contains(fixed, ".") {
			return fmt.Errorf("%q: expected {{host}} alone, or a template before a fixed domain", host)
		}
	}
	if _, err := netip.ParseAddr(fixed); err == nil {
		return fmt.Errorf("%q: expected a host name, not a number", host)
	}
	if !strings.Contains(fixed, ".") {
		return fmt.Errorf("%q: expected a full host name", host)
	}
	for label := range strings.SplitSeq(fixed, ".") {
		if !isHostLabel(label) {
			return fmt.Errorf("%q: expected a host name", host)
		}
	}
	return nil
}

func isHostLabel(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == "" && s[0] != '-' && s[len(s)-1] != '-'
}

// template checks that all {{names}} in s are well formed.
func (t *table) template(key, s string) {
	for {
		_, rest, ok := strings.Cut(s, "{{")
		if !ok {
			return
		}
		name, after, ok := strings.Cut(rest, "}}")
		if !ok || !isName(name) {
			t.errorf(key, "holds {{ without a name and }}: expected {{secret}}, {{id}} or another {{name}} in a-z, 0-9, _ and -")
			return
		}
		s = after
	}
}

// nearest returns the word that s was probably meant to be, "" when none is
// close.
func nearest(s string, words []string) string {
	plain := strings.NewReplacer("-", "", "_", "").Replace
	best, least := "", 1+len(s)/3 // one slip in three characters still reads as the word
	for _, w := range slices.Sorted(slices.Values(words)) {
		if w == "" {
			continue
		}
		d := distance(plain(strings.ToLower(s)), plain(w))
		if d < least || d == least && best == "" {
			best, least = w, d
		}
	}
	return best
}

// distance is the number of insertions, deletions and replacements between
// two words (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

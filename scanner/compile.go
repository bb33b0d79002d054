package scanner

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"

	"github.com/till-sh/till/rules"
)

// matcher is a rule made ready to run. It is built at the first hit of one of
// the rule's keywords, because a hook that sees six files needs three of some
// hundred rules.
type matcher struct {
	rule   *rules.Rule
	number int // of the rule in the index
	// Regex, as a shape or, where it is none, as a regular expression with the
	// reach it needs around a keyword.
	shape   *shape
	offsets [][]int // by keyword of the rule, see shape.anchors
	glued   bool    // shape may be found inside of a word, see maxGlued
	re      *regexp.Regexp
	before  int
	after   int
	lines   int // most line feeds in a match; -1 = no limit
	secret  int // group indices in Regex; -1 = none
	id      int
	// Value, as a shape or an anchored regular expression.
	value   *shape
	valueRE *regexp.Regexp
	first   byteSet // bytes a value can begin with
	body    byteSet // bytes a value can hold
	// shortest is the least length of a value whose bytes are all in body, 0 when
	// there are others.
	shortest int
	public   bool                    // the rule's value is an id, not a secret
	allow    func() []*regexp.Regexp // compiled when there is a value to let pass
	paths    pathFilter
}

// isPrefix reports whether a keyword of the rule is a piece of the shape's
// values, such as "private_", and so no name that a value may stand beside.
func (m *matcher) isPrefix(keyword int) bool {
	kw := m.rule.Keywords[keyword]
	last := kw[len(kw)-1]
	return m.shape != nil && len(m.offsets[keyword]) > 0 && !isLetter(last) && !isDigit(last)
}

// pathFilter are the globs of a rule (Paths); nil = any path will do.
type pathFilter []*regexp.Regexp

func newPathFilter(globs []string) pathFilter {
	var f pathFilter
	for _, glob := range globs {
		f = append(f, globRegexp(glob))
	}
	return f
}

// has reports whether the rule is for files with the path.
func (f pathFilter) has(path string) bool {
	return f == nil || slices.ContainsFunc(f, func(re *regexp.Regexp) bool { return re.MatchString(path) })
}

// lazyMatcher is a matcher once it was asked for, see Engine.matcher.
type lazyMatcher struct {
	once sync.Once
	m    *matcher
	err  error
}

// isPublic tells the IDs of rules for the public half of a credential.
func isPublic(id string) bool {
	switch id[strings.LastIndexByte(id, '-')+1:] {
	case "id", "sid", "ids", "client", "account", "user", "username", "app", "application", "hash":
		return true
	}
	return false
}

func compile(r *rules.Rule) (*matcher, error) {
	m := &matcher{rule: r, secret: -1, id: -1, public: isPublic(r.ID)}
	if r.Regex != "" {
		if err := m.compileRegex(r); err != nil {
			return nil, fmt.Errorf("rule %s: regex: %w", r.ID, err)
		}
	}
	if r.Value != "" {
		if err := m.compileValue(r); err != nil {
			return nil, fmt.Errorf("rule %s: value: %w", r.ID, err)
		}
	}
	m.allow = sync.OnceValue(func() []*regexp.Regexp { return allowed(r.Allow) })
	m.paths = newPathFilter(r.Paths)
	return m, nil
}

// allowed compiles a rule's Allow, which package rules has looked at. An
// expression that does not compile lets nothing pass.
func allowed(exprs []string) (all []*regexp.Regexp) {
	for _, expr := range exprs {
		if re, err := regexp.Compile(expr); err == nil {
			all = append(all, re)
		}
	}
	return all
}

// globRegexp translates a rule's glob: ** stands for any folders, * and ? stay
// within a name, and a glob without a slash matches the name in any folder.
func globRegexp(glob string) *regexp.Regexp {
	var expr strings.Builder
	expr.WriteString(`(?i)\A(?:.*/)?`)
	for i := 0; i < len(glob); i++ {
		switch {
		case strings.HasPrefix(glob[i:], "**/"):
			expr.WriteString(`(?:.*/)?`)
			i += 2
		case strings.HasPrefix(glob[i:], "**"):
			expr.WriteString(`.*`)
			i++
		case glob[i] == '*':
			expr.WriteString(`[^/]*`)
		case glob[i] == '?':
			expr.WriteString(`[^/]`)
		default:
			expr.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		}
	}
	return regexp.MustCompile(expr.String() + `\z`)
}

func (m *matcher) compileRegex(r *rules.Rule) error {
	tree, err := syntax.Parse(r.Regex, syntax.Perl)
	if err != nil {
		return err
	}
	names := map[string]int{}
	if s := compileShape(tree, names); s != nil {
		if offsets, ok := s.anchors(r.Keywords); ok {
			m.shape, m.offsets = s, offsets
			m.glued = r.Checksum != "" && s.maxLen <= maxGlued
			if g, ok := names["secret"]; ok {
				m.secret = g
			}
			if g, ok := names["id"]; ok {
				m.id = g
			}
			return nil
		}
	}
	if m.re, err = regexp.Compile(r.Regex); err != nil {
		return err
	}
	m.secret, m.id = m.re.SubexpIndex("secret"), m.re.SubexpIndex("id")
	m.before, m.after = reach(tree, r.Keywords)
	if m.lines = lineFeeds(tree); m.lines > maxLines {
		m.lines = -1
	}
	return nil
}

// reach returns how many bytes before the start of a keyword a match can begin
// and how many bytes from there on it can end. A keyword that is not spelled
// out in one piece may stand anywhere in the match.
func reach(re *syntax.Regexp, keywords []string) (before, after int) {
	whole := maxLength(re)
	for _, kw := range keywords {
		b, a, ok := reachOf(re, kw)
		if !ok {
			b, a = whole, whole
		}
		before, after = max(before, b), max(after, a)
	}
	return min(before, maxReach), min(after, maxReach)
}

// reachOf is reach for one keyword; ok is false when no literal holds it.
func reachOf(re *syntax.Regexp, kw string) (before, after int, ok bool) {
	switch re.Op {
	case syntax.OpLiteral:
		text := strings.ToLower(string(re.Rune))
		if i := strings.LastIndex(text, kw); i >= 0 {
			return i, len(text) - strings.Index(text, kw), true
		}
	case syntax.OpCapture, syntax.OpQuest:
		return reachOf(re.Sub[0], kw)
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if b, a, found := reachOf(sub, kw); found {
				before, after, ok = max(before, b), max(after, a), true
			}
		}
	case syntax.OpConcat:
		lengths := make([]int, len(re.Sub))
		total := 0
		for i, sub := range re.Sub {
			lengths[i] = maxLength(sub)
			total += lengths[i]
		}
		done := 0
		for i, sub := range re.Sub {
			if b, a, found := reachOf(sub, kw); found {
				before, after, ok = max(before, done+b), max(after, total-done-lengths[i]+a), true
			}
			done += lengths[i]
		}
	}
	return before, after, ok
}

func (m *matcher) compileValue(r *rules.Rule) error {
	tree, err := syntax.Parse(r.Value, syntax.Perl)
	if err != nil {
		return err
	}
	collectBytes(tree, &m.body)
	m.first = m.body
	if isASCII(tree) {
		m.shortest = min(minLength(tree), valueReach)
	}
	if s := compileShape(tree, map[string]int{}); s != nil {
		m.value, m.first = s, *s.first()
		return nil
	}
	m.valueRE, err = regexp.Compile(`\A(?:` + r.Value + `)`)
	return err
}

// Reach of an expression without an upper length: how much of a line, and how
// much of a block of lines (a PEM private key of 8192 bits with its headers
// takes 6.5 KiB, 16 KiB leave room for indentation and escapes), is looked at.
const (
	openLine  = 2 << 10
	openBlock = 16 << 10
	maxReach  = 32 << 10
)

// maxLength is the most bytes a match can take, with open repeats counted as
// above.
func maxLength(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		return len(string(re.Rune))
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		if re.Op == syntax.OpCharClass && (len(re.Rune) == 0 || re.Rune[len(re.Rune)-1] < 0x80) {
			return 1
		}
		return 4
	case syntax.OpCapture:
		return maxLength(re.Sub[0])
	case syntax.OpConcat:
		n := 0
		for _, sub := range re.Sub {
			n += maxLength(sub)
		}
		return n
	case syntax.OpAlternate:
		n := 0
		for _, sub := range re.Sub {
			n = max(n, maxLength(sub))
		}
		return n
	case syntax.OpQuest:
		return maxLength(re.Sub[0])
	case syntax.OpRepeat:
		if re.Max >= 0 {
			return min(re.Max*maxLength(re.Sub[0]), maxReach)
		}
		fallthrough
	case syntax.OpStar, syntax.OpPlus:
		if matchesNewline(re.Sub[0]) {
			return openBlock
		}
		return openLine
	}
	return 0
}

// minLength is the least bytes a match takes, or less.
func minLength(re *syntax.Regexp) int {
	n := 0
	switch re.Op {
	case syntax.OpLiteral:
		return len(string(re.Rune))
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return minLength(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min * minLength(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			n += minLength(sub)
		}
	case syntax.OpAlternate:
		n = minLength(re.Sub[0])
		for _, sub := range re.Sub[1:] {
			n = min(n, minLength(sub))
		}
	}
	return n
}

// isASCII reports whether all matches are ASCII text, but for the two characters
// beyond it that fold to k and s (see classSet).
func isASCII(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return false
	case syntax.OpLiteral, syntax.OpCharClass:
		for _, r := range re.Rune {
			if r >= 0x80 && r != 0x17F && r != 0x212A {
				return false
			}
		}
	}
	return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !isASCII(sub) })
}

// maxLines is the most line feeds in a match for which it pays to count lines.
const maxLines = 16

// lineFeeds returns the most line feeds that a match can hold, and more than
// maxLines for any number of them.
func lineFeeds(re *syntax.Regexp) int {
	n := 0
	switch re.Op {
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			n = max(n, lineFeeds(sub))
		}
	case syntax.OpStar, syntax.OpPlus, syntax.OpRepeat:
		if n = lineFeeds(re.Sub[0]); re.Op == syntax.OpRepeat && re.Max >= 0 {
			n *= re.Max
		} else if n > 0 {
			n = maxLines + 1
		}
	case syntax.OpConcat, syntax.OpCapture, syntax.OpQuest:
		for _, sub := range re.Sub {
			n += lineFeeds(sub)
		}
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			if r == '\n' {
				n++
			}
		}
	case syntax.OpCharClass, syntax.OpAnyChar:
		if matchesNewline(re) {
			n = 1
		}
	}
	return min(n, maxLines+1)
}

func matchesNewline(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpAnyChar:
		return true
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			if r == '\n' {
				return true
			}
		}
	case syntax.OpCharClass:
		for i := 0; i < len(re.Rune); i += 2 {
			if re.Rune[i] <= '\n' && '\n' <= re.Rune[i+1] {
				return true
			}
		}
	}
	for _, sub := range re.Sub {
		if matchesNewline(sub) {
			return true
		}
	}
	return false
}

// collectBytes adds every ASCII byte that a match can hold.
func collectBytes(re *syntax.Regexp, set *byteSet) {
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			if r < 0x80 {
				set.add(byte(r))
				if re.Flags&syntax.FoldCase != 0 && isLetter(byte(r)) {
					set.add(byte(r) ^ 0x20)
				}
			}
		}
	case syntax.OpCharClass:
		for i := 0; i < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1] && r < 0x80; r++ {
				set.add(byte(r))
			}
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		for c := range 0x80 {
			set.add(byte(c))
		}
	}
	for _, sub := range re.Sub {
		collectBytes(sub, set)
	}
}

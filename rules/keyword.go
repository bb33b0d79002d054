package rules

import (
	"regexp/syntax"
	"slices"
	"strings"
)

// The engine looks at a place only where a keyword stands, so a match without
// keyword would be lost without a sound. What follows shows for an expression
// that this cannot happen.

// Bounds of the search, so that a hostile rule file costs milliseconds at most.
// An expression beyond them counts as not shown, which asks its author to write
// it plainer.
const (
	maxStrings = 4096    // texts that a part can match
	maxSteps   = 1 << 18 // texts looked at in all
)

// withoutKeyword returns a part of the expression that may match without
// holding any of the keywords, "" when every match holds one. It may be too
// strict but is never too lax.
func withoutKeyword(re *syntax.Regexp, keywords []string) string {
	s := &keywordSearch{keywords: keywords}
	return s.missing(flatten(nil, re))
}

type keywordSearch struct {
	keywords []string
	steps    int
}

// flatten appends re to seq with groups and concatenations opened, and with
// x{2,5} written as x, x{1} and x{0,3}, x+ as x and x*: a keyword may end in
// the first x.
func flatten(seq []*syntax.Regexp, re *syntax.Regexp) []*syntax.Regexp {
	switch re.Op {
	case syntax.OpCapture:
		return flatten(seq, re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			seq = flatten(seq, sub)
		}
		return seq
	case syntax.OpPlus:
		more := *re
		more.Op = syntax.OpStar
		return append(flatten(seq, re.Sub[0]), &more)
	case syntax.OpRepeat:
		if re.Min > 1 || re.Min == 1 && re.Max != 1 {
			must, may := *re, *re
			must.Min, must.Max, may.Min = re.Min-1, re.Min-1, 0
			if re.Max > 0 { // -1 is without end
				may.Max = re.Max - re.Min
			}
			if seq = flatten(seq, re.Sub[0]); must.Min > 0 {
				seq = append(seq, &must)
			}
			if may.Max != 0 {
				seq = append(seq, &may)
			}
			return seq
		}
	}
	return append(seq, re)
}

func (s *keywordSearch) missing(seq []*syntax.Regexp) string {
	if s.shown(seq) {
		return ""
	}
	// Every way through an alternation or an optional part has to hold a
	// keyword; with the rest of the sequence around it each is a plainer case.
	for i, re := range seq {
		var ways [][]*syntax.Regexp
		switch re.Op {
		case syntax.OpAlternate:
			for _, sub := range re.Sub {
				ways = append(ways, flatten(nil, sub))
			}
		case syntax.OpQuest:
			ways = [][]*syntax.Regexp{nil, flatten(nil, re.Sub[0])}
		}
		if ways == nil || s.steps > maxSteps {
			continue
		}
		for _, way := range ways {
			if m := s.missing(slices.Concat(seq[:i], way, seq[i+1:])); m != "" {
				return m
			}
		}
		return ""
	}
	return (&syntax.Regexp{Op: syntax.OpConcat, Sub: seq}).String()
}

// shown reports whether some part of the sequence always holds a keyword.
func (s *keywordSearch) shown(seq []*syntax.Regexp) bool {
	for i, re := range seq {
		repeated := re.Op == syntax.OpPlus || re.Op == syntax.OpRepeat && re.Min > 0
		if repeated && s.steps <= maxSteps && s.missing(flatten(nil, re.Sub[0])) == "" {
			return true
		}
		run := []string{""}
		for _, next := range seq[i:] {
			run = product(run, texts(next))
			s.steps += 1 + len(run)
			if run == nil || s.steps > maxSteps {
				break
			}
			if !slices.ContainsFunc(run, func(text string) bool { return !s.holds(text) }) {
				return true
			}
		}
	}
	return false
}

func (s *keywordSearch) holds(text string) bool {
	return slices.ContainsFunc(s.keywords, func(k string) bool { return strings.Contains(text, k) })
}

// product returns every text of a followed by every text of b, nil when there
// are too many or one of them is unknown.
func product(a, b []string) []string {
	if a == nil || b == nil || len(a)*len(b) > maxStrings {
		return nil
	}
	out := make([]string, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			out = append(out, x+y)
		}
	}
	return out
}

// texts lists everything re can match, letters in lower case; nil when that
// is too much to list.
func texts(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{lower(string(re.Rune))}
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return []string{""}
	case syntax.OpCharClass:
		var out []string
		for i := 0; i < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				if len(out) > 128 { // more than ASCII: no prefix is written so
					return nil
				}
				out = append(out, lower(string(r)))
			}
		}
		slices.Sort(out)
		return slices.Compact(out)
	case syntax.OpCapture:
		return texts(re.Sub[0])
	case syntax.OpQuest:
		if sub := texts(re.Sub[0]); sub != nil {
			return append([]string{""}, sub...)
		}
	case syntax.OpAlternate:
		var out []string
		for _, sub := range re.Sub {
			more := texts(sub)
			if more == nil || len(out)+len(more) > maxStrings {
				return nil
			}
			out = append(out, more...)
		}
		return out
	case syntax.OpConcat:
		out := []string{""}
		for _, sub := range re.Sub {
			out = product(out, texts(sub))
		}
		return out
	case syntax.OpRepeat:
		if re.Min == re.Max {
			out := []string{""}
			for range re.Min {
				out = product(out, texts(re.Sub[0]))
			}
			return out
		}
	}
	return nil
}

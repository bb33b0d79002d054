package scanner

import (
	"errors"
	"fmt"
	"strings"

	"github.com/till-sh/till/rules"
)

// index is what an engine knows of a catalogue before it sees a byte: all
// keywords, laid out for the search, and the rules that asked for each. It is
// immutable.
//
// For the catalogue that till is built with go generate lays it out
// (zz_index.go), as constants in the data section. To make it takes 1.2 MB of memory
// that nobody has touched yet, and all rules have to be read; of what is laid out a
// hook reads the pages around the few places that its text leads to.
type index struct {
	version string // of the catalogue
	rules   []ruleAt
	refs    []ruleRef // ordered by keyword
	firsts  []uint32  // by keyword: where its refs begin; and where the last one's end
	filter  prefilter
}

// ruleAt says where in a catalogue a rule stands.
type ruleAt struct{ provider, rule int32 }

// ruleRef says that a rule has the keyword as its which-th.
type ruleRef struct{ rule, which int32 }

// users returns the rules that have the keyword.
func (x *index) users(keyword int) []ruleRef {
	return x.refs[x.firsts[keyword]:x.firsts[keyword+1]]
}

// indexOf returns the index of a catalogue; see New for what is an error. The one
// that was laid out is taken if it is of this version: a build in the middle of
// go generate must not look for the keywords of the day before.
func indexOf(c *rules.Catalogue) (*index, error) {
	if c == rules.Builtin() && c.Version == builtinIndex.version {
		return &builtinIndex, nil
	}
	return newIndex(c)
}

func newIndex(c *rules.Catalogue) (*index, error) {
	words := 0
	for p := range c.Providers {
		for r := range c.Providers[p].Rules {
			words += len(c.Providers[p].Rules[r].Keywords)
		}
	}
	x := &index{version: c.Version}
	ids := map[string]bool{}
	keywords := make([]string, 0, words)
	numbers := make(map[string]int, words)
	used := make([]int, 0, words) // keyword of each ref, in the order of the rules
	refs := make([]ruleRef, 0, words)
	for p := range c.Providers {
		for r := range c.Providers[p].Rules {
			rule := &c.Providers[p].Rules[r]
			if ids[rule.ID] {
				return nil, fmt.Errorf("rule %s is defined twice", rule.ID)
			}
			ids[rule.ID] = true
			for which, kw := range rule.Keywords {
				if len(kw) < 3 || len(kw) >= maxKeywordLen || strings.ToLower(kw) != kw {
					return nil, fmt.Errorf("rule %s: keyword %q must be lower case and at least 3 bytes", rule.ID, kw)
				}
				k, ok := numbers[kw]
				if !ok {
					k = len(keywords)
					numbers[kw] = k
					keywords = append(keywords, kw)
				}
				used = append(used, k)
				refs = append(refs, ruleRef{int32(len(x.rules)), int32(which)})
			}
			x.rules = append(x.rules, ruleAt{int32(p), int32(r)})
		}
	}
	if len(keywords) == 0 {
		return nil, errors.New("no active rules")
	}
	if len(keywords) >= maxKeywords {
		return nil, fmt.Errorf("%d keywords are too many", len(keywords))
	}
	x.sortRefs(used, refs, len(keywords))
	x.filter.fill(keywords)
	return x, nil
}

// sortRefs brings refs in the order of n keywords. used has the keyword of each.
func (x *index) sortRefs(used []int, refs []ruleRef, n int) {
	x.firsts = make([]uint32, n+1)
	for _, k := range used {
		x.firsts[k+1]++
	}
	for k := range n {
		x.firsts[k+1] += x.firsts[k]
	}
	x.refs = make([]ruleRef, len(refs))
	done := make([]uint32, n)
	for i, k := range used {
		x.refs[x.firsts[k]+done[k]] = refs[i]
		done[k]++
	}
}

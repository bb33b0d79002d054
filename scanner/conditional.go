package scanner

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Of a blob of the history the path is not known while it is scanned, and it may
// have several. Rules that are for certain paths (Rule.Paths) are then tried all
// the same, and what they find is a finding beside that of the other rules. Which
// of the two counts is decided for each place, once it is known: where the path is
// one of the rule's, as if it had been known from the beginning.

// findings makes findings of the candidates.
func (e *Engine) findings(b *Blob, found []candidate) []Finding {
	groups := map[string][]candidate{} // of rules for the same paths
	var others []candidate
	for _, c := range found {
		if c.conditional {
			paths := strings.Join(c.m.rule.Paths, "\x00")
			groups[paths] = append(groups[paths], c)
		} else {
			others = append(others, c)
		}
	}
	decide := func(found []candidate) ([]candidate, []Finding) {
		found = resolve(withPartner(found, b.Data))
		locate(b, found)
		found = e.pair(found)
		return found, report(b, found, e.options.NoMarks)
	}
	if len(groups) == 0 {
		_, out := decide(found)
		return out
	}
	_, out := decide(slices.Clone(others))
	for _, paths := range slices.Sorted(maps.Keys(groups)) {
		kept, all := decide(slices.Concat(others, groups[paths]))
		for i, f := range all {
			if f.conditional = kept[i].conditional; f.conditional {
				out = append(out, f)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Location.Offset, b.Location.Offset), strings.Compare(a.Rule.ID, b.Rule.ID))
	})
	return out
}

// overrule takes those places from findings at which a conditional one stands that
// overlaps them. The findings are in order (compareFindings), and of conditional
// ones only the places are left that their rules are for.
func overrule(findings []Finding, places [][]Place) {
	same := func(a, b *Finding) bool {
		return a.Path == b.Path && a.Hash == b.Hash && a.Where == b.Where && a.Member == b.Member
	}
	for i := range findings {
		f := &findings[i]
		if !f.conditional || len(places[i]) == 0 {
			continue
		}
		here := make(map[string]bool, len(places[i]))
		for _, p := range places[i] {
			here[p.Path] = true
		}
		for _, step := range []int{-1, 1} {
			for k := i + step; k >= 0 && k < len(findings) && same(f, &findings[k]); k += step {
				// Of two conditional ones the first counts.
				if o := &findings[k]; f.covers(o) && (!o.conditional || step > 0) {
					places[k] = slices.DeleteFunc(places[k], func(p Place) bool { return here[p.Path] })
				}
			}
		}
	}
}

// covers reports whether two findings, or f's other half and o, overlap.
func (f *Finding) covers(o *Finding) bool {
	over := func(a, b Location) bool { return a.Offset < b.Offset+b.Length && b.Offset < a.Offset+a.Length }
	return over(f.Location, o.Location) || f.Partner != nil && over(f.Partner.Location, o.Location)
}

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
	decide := func(found []candidate) []candidate {
		found = resolve(withPartner(found, b.Data))
		locate(b, found)
		return e.pair(found)
	}
	if len(groups) == 0 {
		found = decide(found)
		return report(b, found, found, e.options.NoMarks)
	}
	lists := [][]candidate{decide(slices.Clone(others))}
	for _, paths := range slices.Sorted(maps.Keys(groups)) {
		lists = append(lists, decide(slices.Concat(others, groups[paths])))
	}
	var out []Finding
	for n, list := range lists {
		// What stands in an excerpt beside a value may be one of another list.
		masked := list
		for _, other := range lists {
			masked = withFree(masked, other)
		}
		for i, f := range report(b, list, masked, e.options.NoMarks) {
			if f.conditional = list[i].conditional; n == 0 || f.conditional {
				out = append(out, f)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Location.Offset, b.Location.Offset), strings.Compare(a.Rule.ID, b.Rule.ID))
	})
	return out
}

// withFree adds to found those of the others that overlap none of them. All are in
// order of their place, and of one list none overlap.
func withFree(found, others []candidate) []candidate {
	all := make([]candidate, 0, len(found)+len(others))
	for _, c := range others {
		for len(found) > 0 && found[0].to <= c.from {
			all, found = append(all, found[0]), found[1:]
		}
		if len(found) == 0 || found[0].from >= c.to {
			all = append(all, c)
		}
	}
	return append(all, found...)
}

// overrule takes those places from findings at which a conditional one stands that
// overlaps them. The findings are in order (compareFindings), and of conditional
// ones only the places are left that their rules are for.
func overrule(findings []Finding, places [][]Place) {
	same := func(a, b *Finding) bool { return a.Path == b.Path && a.Hash == b.Hash && a.Where == b.Where }
	longest := int64(0)
	for i := range findings {
		longest = max(longest, findings[i].Location.Length)
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
		from, to := f.Location.Offset, f.Location.Offset+f.Location.Length
		if p := f.Partner; p != nil {
			from, to = min(from, p.Location.Offset), max(to, p.Location.Offset+p.Location.Length)
		}
		near := func(o *Finding) bool {
			return same(f, o) && o.Location.Offset < to && o.Location.Offset+longest > from
		}
		for _, step := range []int{-1, 1} {
			for k := i + step; k >= 0 && k < len(findings) && near(&findings[k]); k += step {
				// Of two conditional ones the first counts.
				if o := &findings[k]; f.Member == o.Member && f.covers(o) && (!o.conditional || step > 0) {
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

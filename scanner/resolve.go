package scanner

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/till-sh/till/rules"
)

// resolve keeps one candidate for each stretch of the stored bytes: of those
// that overlap the one that says most. The result is ordered by place.
func resolve(found []candidate) []candidate {
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.from, b.from), a.better(&b), cmp.Compare(a.to, b.to))
	})
	// Candidates that hang together by overlapping are decided together. Such a
	// cluster is small, so that deciding may compare each with all kept ones.
	var kept []candidate
	for lo := 0; lo < len(found); {
		hi, end := lo+1, found[lo].to
		for hi < len(found) && found[hi].from < end {
			end = max(end, found[hi].to)
			hi++
		}
		kept = append(kept, best(found[lo:hi])...)
		lo = hi
	}
	return slices.DeleteFunc(kept, func(c candidate) bool { return c.refuted })
}

// partnerReach is how many bytes a value's other half may be away from it, so
// that many values in one line of megabytes cost no pass over it each.
const partnerReach = 16 << 10

// withPartner leaves out the candidates that are nothing without their other
// half when no candidate for that half stands within reach: such a one must not
// take its place away from a rule that needs none.
func withPartner(found []candidate, data []byte) []candidate {
	places := map[string][]int{} // of the other halves, by rule
	for i := range found {
		if need := found[i].m.rule.Needs; need.Without == "drop" {
			places[need.Rule] = nil
		}
	}
	if len(places) == 0 {
		return found
	}
	for i := range found {
		id := found[i].m.rule.ID
		if at, ok := places[id]; ok {
			places[id] = append(at, found[i].from)
		}
	}
	for _, at := range places {
		slices.Sort(at)
	}
	return slices.DeleteFunc(found, func(c candidate) bool {
		need := c.m.rule.Needs
		if need.Without != "drop" {
			return false
		}
		at := places[need.Rule]
		i, _ := slices.BinarySearch(at, c.from)
		return !slices.ContainsFunc(at[max(0, i-1):min(len(at), i+1)], func(other int) bool {
			lo, hi := min(c.from, other), max(c.from, other)
			return hi-lo <= partnerReach && bytes.Count(data[lo:hi], []byte("\n")) <= need.Lines
		})
	})
}

// best decides one cluster: the candidate that says most is kept, then the
// next one that does not overlap it, and so on.
func best(cluster []candidate) []candidate {
	if len(cluster) == 1 {
		return cluster
	}
	cluster = wholeValues(cluster)
	slices.SortStableFunc(cluster, func(a, b candidate) int { return a.better(&b) })
	var kept []candidate
	for _, c := range cluster {
		i, _ := slices.BinarySearchFunc(kept, c, func(k, c candidate) int { return cmp.Compare(k.from, c.from) })
		if i > 0 && kept[i-1].to > c.from || i < len(kept) && kept[i].from < c.to {
			continue
		}
		kept = slices.Insert(kept, i, c)
	}
	return kept
}

// wholeValues leaves out what a rule says of a part of a value, decoded, when it
// takes the whole of it as it stands: then the encoded text is the key, as with
// registry tokens that are base64 of "…:…", and its rest must not be shown.
func wholeValues(cluster []candidate) []candidate {
	return slices.DeleteFunc(slices.Clone(cluster), func(c candidate) bool {
		return c.opaque() > 0 && slices.ContainsFunc(cluster, func(o candidate) bool {
			return o.m.rule.ID == c.m.rule.ID && o.opaque() < c.opaque() && o.from <= c.from && o.to >= c.to && o.to-o.from > c.to-c.from
		})
	})
}

// better orders candidates by how much they say about the value: a known kind
// before a suspect, the machine-made before the human, the value's own proof
// before the name beside it, what an encoded text says before that text, the
// longer before the shorter, a half that needs its other half (and has it)
// before the rest, the nearer name before the farther, and of two vendors in
// one name the first (scraperbox_api is not box_api).
func (c *candidate) better(o *candidate) int {
	return cmp.Or(
		cmp.Compare(classRank(c.class), classRank(o.class)),
		cmp.Compare(boolRank(c.m.rule.Human), boolRank(o.m.rule.Human)),
		cmp.Compare(c.how, o.how),
		cmp.Compare(boolRank(c.m.rule.Weak), boolRank(o.m.rule.Weak)),
		cmp.Compare(o.opaque(), c.opaque()),
		cmp.Compare(o.to-o.from, c.to-c.from),
		cmp.Compare(boolRank(c.m.rule.Needs.Without != "drop"), boolRank(o.m.rule.Needs.Without != "drop")),
		cmp.Compare(o.name, c.name),
		cmp.Compare(c.keyword, o.keyword),
		cmp.Compare(o.keywordEnd, c.keywordEnd),
		cmp.Compare(severityRank(c.m.rule.Severity), severityRank(o.m.rule.Severity)),
		cmp.Compare(c.m.rule.ID, o.m.rule.ID),
		// For the same answer in whatever order they were found.
		cmp.Compare(c.from, o.from),
		cmp.Compare(c.value, o.value),
		slices.Compare(c.encodings, o.encodings),
		cmp.Compare(c.id, o.id),
	)
}

// opaque counts the encodings that leave nothing readable: a password in
// base64 says more than that some base64 stands there.
func (c *candidate) opaque() int {
	n := 0
	for _, e := range c.encodings {
		if e == "base64" || e == "hex" || e == "base32" {
			n++
		}
	}
	return n
}

func classRank(c rules.Class) int { return boolRank(c == rules.ClassSuspect) }

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func severityRank(s rules.Severity) int {
	switch s {
	case rules.Critical:
		return 0
	case rules.High:
		return 1
	case rules.Medium:
		return 2
	}
	return 3
}

// pair joins values with their other halves: the nearest finding of the rule
// named by Needs, within its lines. What was joined is no finding of its own.
// found is ordered by place and the result keeps that order.
func (e *Engine) pair(found []candidate) []candidate {
	wanted := false
	for i := range found {
		wanted = wanted || found[i].m.rule.Needs.Rule != ""
	}
	if !wanted {
		return found
	}
	absorbed := make([]bool, len(found))
	for i := range found {
		c := &found[i]
		need := c.m.rule.Needs
		if need.Rule == "" {
			continue
		}
		if best := nearest(found, i, need); best >= 0 {
			partner := found[best]
			c.partner = &partner
			c.surePair = alone(found, i, need.Rule, need.Lines) && alone(found, best, c.m.rule.ID, need.Lines)
			absorbed[best] = true
			continue
		}
		switch need.Without {
		case "suspect":
			c.class = rules.ClassSuspect
		case "drop":
			absorbed[i] = true
		}
	}
	kept := found[:0]
	for i, c := range found {
		if !absorbed[i] {
			kept = append(kept, c)
		}
	}
	return kept
}

// neighbours is how many findings on each side can be a partner: in one line of
// thousands of values, what is further away than that is nobody's.
const neighbours = 256

// nearest returns the index of the finding of need.Rule that is closest to
// found[i] in lines, the earlier of two; -1 when there is none within reach.
func nearest(found []candidate, i int, need rules.Needs) int {
	best, distance := -1, need.Lines+1
	for _, step := range []int{-1, 1} {
		for k := i + step; k >= 0 && k < len(found) && (k-i)*step <= neighbours; k += step {
			d := (found[k].location.StartLine - found[i].location.StartLine) * step
			if d >= distance {
				break
			}
			if found[k].m.rule.ID == need.Rule {
				best, distance = k, d
				break
			}
		}
	}
	return best
}

// alone reports whether all findings of a rule within so many lines of found[i]
// are of one value. Among more than neighbours nothing is alone.
func alone(found []candidate, i int, rule string, lines int) bool {
	value, seen := "", 0
	for _, step := range []int{-1, 1} {
		for k := i + step; k >= 0 && k < len(found); k += step {
			if (found[k].location.StartLine-found[i].location.StartLine)*step > lines {
				break
			}
			if seen++; seen > neighbours {
				return false
			}
			if found[k].m.rule.ID != rule {
				continue
			}
			if value != "" && found[k].value != value {
				return false
			}
			value = found[k].value
		}
	}
	return true
}

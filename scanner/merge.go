package scanner

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/till-sh/till/rules"
)

// Merge makes one result of several: scans of several repositories, shards of
// one. A key that stands in several of them becomes one key with all its places,
// and counts are added up. Where shards of a whole are missing, or are not of the
// same whole, the result is not complete. The parts are not changed.
func Merge(parts []*Result) *Result {
	out := &Result{}
	for _, p := range parts {
		out.Keys = append(out.Keys, p.Keys...)
		out.Suppressed = append(out.Suppressed, p.Suppressed...)
		out.Summary.add(&p.Summary)
	}
	out.Keys, out.Suppressed = mergeKeys(out.Keys), mergeKeys(out.Suppressed)
	named := make([]*Key, len(out.Keys))
	for i := range out.Keys {
		named[i] = &out.Keys[i]
	}
	nameKeys(named)
	s := &out.Summary
	s.Suppressed = len(out.Suppressed)
	s.Errors = append(s.Errors, checkShards(parts)...)
	slices.Sort(s.Errors)
	s.Errors = slices.Compact(s.Errors)
	slices.SortFunc(s.Skipped, func(a, b Skip) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Reason, b.Reason))
	})
	s.Skipped = slices.Compact(s.Skipped)
	slices.Sort(s.Notes)
	s.Notes = slices.Compact(s.Notes)
	return out
}

// add adds up what was read.
func (s *Summary) add(o *Summary) {
	s.Commits += o.Commits
	s.Merges += o.Merges
	s.Blobs += o.Blobs
	s.Files += o.Files
	s.Bytes += o.Bytes
	s.Refs += o.Refs
	s.Unreachable += o.Unreachable
	s.Skipped = append(s.Skipped, o.Skipped...)
	s.Errors = append(s.Errors, o.Errors...)
	s.Notes = append(s.Notes, o.Notes...)
}

// mergeKeys makes one key of all with the same fingerprint.
func mergeKeys(all []Key) []Key {
	byName := map[string]*Key{}
	var list []*Key
	for i := range all {
		k := all[i]
		old := byName[k.Fingerprint]
		if old == nil {
			k.Places = slices.Clone(k.Places)
			byName[k.Fingerprint] = &k
			list = append(list, &k)
			continue
		}
		if cmp.Or(cmp.Compare(classRank(k.Class), classRank(old.Class)), cmp.Compare(severityRank(severity(k.Rule)), severityRank(severity(old.Rule)))) < 0 {
			old.Rule, old.Class, old.Facts = k.Rule, k.Class, k.Facts
		}
		if old.Partner == nil && k.Partner != nil {
			old.Partner, old.Facts = k.Partner, k.Facts
		}
		if exposureRank(k.Exposure) > exposureRank(old.Exposure) {
			old.Exposure = k.Exposure
		}
		old.Places = append(old.Places, k.Places...)
		old.also(k.Values())
	}
	for _, k := range list {
		slices.SortFunc(k.Places, comparePlaces)
		k.Places = slices.CompactFunc(k.Places, samePlace)
	}
	slices.SortFunc(list, compareKeys)
	out := make([]Key, len(list))
	for i, k := range list {
		out[i] = *k
	}
	return out
}

// also adds the values of another part at the same place. What comes from a report
// has none.
func (k *Key) also(values []Secret) {
	if k.Rule == nil || !k.Rule.Human {
		return
	}
	for _, v := range values {
		same := func(s Secret) bool { return s.Reveal() == v.Reveal() }
		if v.Len() > 0 && !same(k.Secret) && !slices.ContainsFunc(k.Others, same) {
			k.Others = append(slices.Clone(k.Others), v)
		}
	}
}

func severity(r *rules.Rule) rules.Severity {
	if r == nil {
		return ""
	}
	return r.Severity
}

// checkShards says what is missing of the wholes that some results are shards of.
func checkShards(parts []*Result) []string {
	var shards []Shard
	for _, p := range parts {
		if s := p.Summary.Shard; s != nil {
			shards = append(shards, *s)
		}
	}
	slices.SortFunc(shards, func(a, b Shard) int {
		return cmp.Or(strings.Compare(a.Of, b.Of), cmp.Compare(a.Count, b.Count), cmp.Compare(a.Index, b.Index))
	})
	shards = slices.Compact(shards)
	var errs []string
	for len(shards) > 0 {
		s, n := shards[0], 1
		for n < len(shards) && shards[n].Of == s.Of && shards[n].Count == s.Count {
			n++
		}
		have := shards[:n]
		shards = shards[n:]
		var missing []string
		for i := range s.Count {
			if !slices.ContainsFunc(have, func(h Shard) bool { return h.Index == i+1 }) {
				missing = append(missing, fmt.Sprintf("%d/%d", i+1, s.Count))
			}
		}
		if more := len(missing) - 10; more > 0 {
			missing = append(missing[:10], fmt.Sprintf("and %d more", more))
		}
		if len(missing) > 0 {
			errs = append(errs, fmt.Sprintf("of state %.8s of the repository these shards are missing: %s (shards go together when they read copies of one clone)", s.Of, strings.Join(missing, ", ")))
		}
	}
	return errs
}

// In names the repository that r is of, in all that is told of it, so that it can
// be merged with results of others.
func (r *Result) In(repository string) {
	for _, list := range [][]Key{r.Keys, r.Suppressed} {
		for i := range list {
			for j := range list[i].Places {
				list[i].Places[j].Repository = repository
			}
		}
	}
	s := &r.Summary
	for i := range s.Skipped {
		s.Skipped[i].Path = path.Join(repository, s.Skipped[i].Path)
	}
	for _, list := range [][]string{s.Errors, s.Notes} {
		for i := range list {
			list[i] = repository + ": " + list[i]
		}
	}
}

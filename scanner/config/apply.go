package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// Kinds of scanner.Suppression that this package makes.
const (
	KindAllowlist = "allowlist" // a line of .tillignore
	KindConfig    = "config"    // ignore or exclude-rules of a .till.toml, a flag
)

// Apply sorts out what the configuration says not to report. A key of which
// only some places are hidden comes back twice: with the places that remain
// and, among the suppressed, with the others. Keys that are suppressed already
// stay so. Both results keep the order of keys; the argument is not changed.
//
// now is the date for entries with an end. notes say what looks like a
// decision and was none: an expired entry, an ID that fits two keys, a path
// list that cannot hide a key which its checksum proves.
func (t *Tree) Apply(keys []scanner.Key, now time.Time) (reported, suppressed []scanner.Key, notes []string) {
	m := t.ignore.matcher(keys, now)
	for i := range keys {
		k := &keys[i]
		if k.Suppressed != nil {
			suppressed = append(suppressed, *k)
			continue
		}
		// The places that each decision hides, in order of its first place.
		var why []*scanner.Suppression
		hidden := make([]int, len(k.Places)) // index into why, -1 = remains
		remain := 0
		for j := range k.Places {
			hidden[j] = -1
			s := t.hiding(m, k, t.relative(k.Places[j].Path))
			if s == nil {
				remain++
				continue
			}
			hidden[j] = slices.IndexFunc(why, func(o *scanner.Suppression) bool { return *o == *s })
			if hidden[j] < 0 {
				hidden[j] = len(why)
				why = append(why, s)
			}
		}
		if remain > 0 {
			reported = append(reported, withPlaces(k, hidden, -1))
		}
		for w, s := range why {
			part := withPlaces(k, hidden, w)
			part.Suppressed = s
			suppressed = append(suppressed, part)
		}
	}
	return reported, suppressed, m.notes
}

// withPlaces copies a key with those places whose mark is which.
func withPlaces(k *scanner.Key, marks []int, which int) scanner.Key {
	out := *k
	out.Places = nil
	for i, m := range marks {
		if m == which {
			out.Places = append(out.Places, k.Places[i])
		}
	}
	return out
}

func (t *Tree) relative(name string) string {
	if t.rel == nil || name == "" {
		return name
	}
	return t.rel(name)
}

// hiding says why a key is not reported at a place; nil when it is.
func (t *Tree) hiding(m *ignoreMatcher, k *scanner.Key, name string) *scanner.Suppression {
	if s := m.byKey(k, name); s != nil {
		return s
	}
	s := m.byPath(k, name)
	if s == nil {
		set := t.For(name)
		if from, ok := set.Ignored(name); ok {
			s = &scanner.Suppression{Kind: KindConfig, Reason: "the path is in the ignore list", Source: from.String()}
		} else if from, ok := set.Excluded(k.Rule.ID); ok {
			s = &scanner.Suppression{Kind: KindConfig, Reason: "the rule is in the exclude-rules list", Source: from.String()}
		}
	}
	if s != nil && proven(k) {
		m.note("%s is reported although %s would hide it: its checksum proves it genuine, so that it takes an entry of its own in %s, with a reason",
			k.ID, s.Source, IgnoreName)
		return nil
	}
	return s
}

// proven tells whether the value's own checksum shows that it is genuine.
func proven(k *scanner.Key) bool { return k.Facts.Checksum == "ok" }

// Blocks tells whether a key makes the scan fail by the fail-on setting of the
// places where it stands; the strictest counts.
func (t *Tree) Blocks(k *scanner.Key) bool {
	need := FailKey
	if k.Class == rules.ClassSuspect {
		need = FailSuspect
	}
	return slices.ContainsFunc(k.Places, func(p scanner.Place) bool {
		set := t.For(t.relative(p.Path)).FailOn
		return slices.Index(failOnOrder, set) >= slices.Index(failOnOrder, need)
	})
}

// ignoreMatcher answers for one set of keys. It is not safe for concurrent use.
type ignoreMatcher struct {
	file   *Ignore
	today  string
	byFP   map[string][]int // fingerprint → entries
	byID   []int            // entries that name an ID
	paths  []int            // entries for paths
	unique map[int]string   // entry with an ID → the one fingerprint that it names
	notes  []string
	noted  map[string]bool
}

func (g *Ignore) matcher(keys []scanner.Key, now time.Time) *ignoreMatcher {
	m := &ignoreMatcher{file: g, today: now.UTC().Format(time.DateOnly), byFP: map[string][]int{}, unique: map[int]string{}, noted: map[string]bool{}}
	for i := range g.Entries {
		switch e := &g.Entries[i]; {
		case e.isFingerprint():
			m.byFP[e.Key] = append(m.byFP[e.Key], i)
		case e.Key != "":
			m.byID = append(m.byID, i)
		default:
			m.paths = append(m.paths, i)
		}
	}
	for _, i := range m.byID {
		ids := map[string]string{} // fingerprint → ID
		for j := range keys {
			if k := &keys[j]; k.Matches(g.Entries[i].Key) {
				ids[k.Fingerprint] = k.ID
			}
		}
		if len(ids) > 1 {
			var names []string
			for _, id := range ids {
				names = append(names, id)
			}
			slices.Sort(names)
			m.note("%s: %s fits %s: write more of the one that is meant", g.source(i), g.Entries[i].Key, strings.Join(names, " and "))
			continue
		}
		for fp := range ids {
			m.unique[i] = fp
		}
	}
	return m
}

func (m *ignoreMatcher) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !m.noted[text] {
		m.noted[text] = true
		m.notes = append(m.notes, text)
	}
}

// byKey looks for an entry that names the key.
func (m *ignoreMatcher) byKey(k *scanner.Key, name string) *scanner.Suppression {
	candidates := m.byFP[k.Fingerprint]
	for _, i := range m.byID {
		if m.unique[i] == k.Fingerprint {
			candidates = append(slices.Clip(candidates), i)
		}
	}
	for _, i := range candidates {
		e := &m.file.Entries[i]
		switch {
		case e.Glob != "" && !e.matchPath(name):
		case e.expired(m.today):
			m.note("%s: %s was allowed until %s and is reported again", m.file.source(i), k.ID, e.Until)
		case e.Reason == "" && proven(k):
			m.note("%s: the entry for %s has no reason: its checksum proves the key genuine, so that one is needed", m.file.source(i), k.ID)
		default:
			return m.file.suppression(i)
		}
	}
	return nil
}

func (m *ignoreMatcher) byPath(k *scanner.Key, name string) *scanner.Suppression {
	for _, i := range m.paths {
		e := &m.file.Entries[i]
		switch {
		case !e.matchPath(name):
		case e.expired(m.today):
			m.note("%s: %s was ignored until %s and is reported again", m.file.source(i), e.Glob, e.Until)
		default:
			return m.file.suppression(i)
		}
	}
	return nil
}

func (g *Ignore) source(i int) string { return Origin{g.file, g.Entries[i].Line}.String() }

func (g *Ignore) suppression(i int) *scanner.Suppression {
	e := &g.Entries[i]
	return &scanner.Suppression{Kind: KindAllowlist, Reason: scanner.MaskText(e.Reason), By: e.By, Until: e.Until, Source: g.source(i)}
}

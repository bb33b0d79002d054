package config

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/till-sh/till/scanner"
)

// ProblemKind is what is wrong with an entry.
type ProblemKind string

// The kinds, in the order of how much they matter.
const (
	ProblemExpired   ProblemKind = "expired"   // its last day has passed; it no longer applies
	ProblemAmbiguous ProblemKind = "ambiguous" // its ID fits several keys; it does not apply
	ProblemWide      ProblemKind = "wide"      // it hides what nobody has looked at
	ProblemNoReason  ProblemKind = "no-reason" // nobody can tell later whether it still holds
	ProblemStale     ProblemKind = "stale"     // it hides nothing
)

// Problem is a finding about an entry of a .tillignore.
type Problem struct {
	Entry   Entry
	Kind    ProblemKind
	Message string // one line, without the place
	Source  string // file:line
}

// Audit looks over the entries. keys are all keys of a scan, before Apply (or
// the reported and the suppressed ones together); full says that the scan
// covered all there is, history too, so that what matched nothing is stale.
// The problems are in the order of the file.
func (g *Ignore) Audit(keys []scanner.Key, now time.Time, full bool) []Problem {
	m := g.matcher(keys, now)
	var out []Problem
	for i := range g.Entries {
		e := &g.Entries[i]
		report := func(kind ProblemKind, format string, args ...any) {
			out = append(out, Problem{Entry: *e, Kind: kind, Message: scanner.MaskText(fmt.Sprintf(format, args...)), Source: g.source(i)})
		}
		if e.expired(m.today) {
			report(ProblemExpired, "expired: its last day was %s", e.Until)
		}
		matched, ambiguous := g.matched(i, keys)
		if ambiguous != nil {
			report(ProblemAmbiguous, "fits %s: write the fingerprint", strings.Join(ambiguous, " and "))
		}
		if e.Key == "" && wide(e.Glob) {
			report(ProblemWide, "too wide: %q names no folder, so that it hides every key that is ever put into such a file", e.Glob)
		}
		if e.Reason == "" {
			report(ProblemNoReason, "no reason: write one after #")
		}
		if full && matched == 0 && ambiguous == nil {
			switch {
			case e.Key == "":
				report(ProblemStale, "stale: no key stands under %q", e.Glob)
			case e.Glob != "" && slices.ContainsFunc(keys, func(k scanner.Key) bool { return e.namesKey(&k) }):
				report(ProblemStale, "stale: the key stands in no file under %q", e.Glob)
			default:
				report(ProblemStale, "stale: the key was not found anywhere")
			}
		}
	}
	return out
}

func (e *Entry) namesKey(k *scanner.Key) bool {
	if e.isFingerprint() {
		return e.Key == k.Fingerprint
	}
	return e.Key != "" && k.Matches(e.Key)
}

// matched counts the places that an entry speaks for, and lists the IDs when
// they belong to more than one key where one is meant.
func (g *Ignore) matched(i int, keys []scanner.Key) (places int, ambiguous []string) {
	e := &g.Entries[i]
	ids := map[string]string{}
	for j := range keys {
		k := &keys[j]
		if e.Key != "" {
			if !e.namesKey(k) {
				continue
			}
			ids[k.Fingerprint] = k.ID
			if e.Glob == "" {
				places += len(k.Places)
				continue
			}
		}
		for _, p := range k.Places {
			if e.matchPath(p.Path) {
				places++
			}
		}
	}
	if len(ids) > 1 {
		for _, id := range ids {
			ambiguous = append(ambiguous, id)
		}
		slices.Sort(ambiguous)
	}
	return places, ambiguous
}

// wide tells whether a glob names no folder and no file: "*.py", "**/*.env".
func wide(glob string) bool {
	names := strings.Split(strings.Trim(strings.TrimPrefix(glob, "./"), "/"), "/")
	names = slices.DeleteFunc(names, func(n string) bool { return strings.Trim(n, "*") == "" })
	if len(names) != 1 {
		return len(names) == 0
	}
	return strings.HasPrefix(names[0], "*") || path.Ext(names[0]) == names[0] && strings.ContainsAny(names[0], "*?[")
}

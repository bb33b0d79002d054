package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Change is a difference between two versions of the configuration.
type Change struct {
	// What says it in one line: `ignore = ["docs/**"] was added`.
	What string
	// From is the place in the current version, or in the base for what was
	// removed.
	From Origin
	// Loosens: with the change less may be reported. In CI, such a change does
	// not apply to the commits that bring it.
	Loosens bool
}

// Diff lists what the current version of the repository's configuration
// changes, compared with the base; both were loaded with the same Dirs. Which
// of the two applies is for the caller to choose: in CI it is the base, and
// the loosening changes are said.
func Diff(base, current *Tree) []Change {
	was, is := base.byDir(), current.byDir()
	dirs := slices.Collect(maps.Keys(was))
	dirs = slices.AppendSeq(dirs, maps.Keys(is))
	slices.Sort(dirs)
	var out []Change
	for _, dir := range slices.Compact(dirs) {
		l, m := cmp.Or(was[dir], &layer{}), cmp.Or(is[dir], &layer{})
		out = append(out, diffItems(l.items(), m.items())...)
		// Values count by their effect: one that is taken out falls back to
		// the folder above.
		a, b := base.For(dir+"/"), current.For(dir+"/")
		value := func(key, old, new string, from, gone Origin, loosens bool) {
			if old == new {
				return
			}
			if from == builtIn {
				from = gone
			}
			out = append(out, Change{fmt.Sprintf("%s is %s instead of %s", key, new, old), from, loosens})
		}
		if l.failOn.set || m.failOn.set {
			value(keyFailOn, string(a.FailOn), string(b.FailOn), b.failOn.from, a.failOn.from,
				slices.Index(failOnOrder, b.FailOn) < slices.Index(failOnOrder, a.FailOn))
		}
		if l.maxFileSize.set || m.maxFileSize.set {
			value(keyMaxFileSize, formatSize(a.MaxFileSize), formatSize(b.MaxFileSize), b.maxFileSize.from, a.maxFileSize.from,
				b.MaxFileSize != 0 && (a.MaxFileSize == 0 || b.MaxFileSize < a.MaxFileSize))
		}
		if l.decodeDepth.set || m.decodeDepth.set {
			value(keyDecodeDepth, fmt.Sprint(a.DecodeDepth), fmt.Sprint(b.DecodeDepth), b.decodeDepth.from, a.decodeDepth.from,
				b.DecodeDepth < a.DecodeDepth)
		}
	}
	return append(out, diffItems(base.ignore.items(), current.ignore.items())...)
}

func (t *Tree) byDir() map[string]*layer {
	dirs := map[string]*layer{}
	for _, l := range t.layers {
		dirs[l.dir] = l
	}
	return dirs
}

// item is an element of a list.
type item struct {
	name    string // what it is about
	body    string // what it says about it
	from    Origin
	loosens bool // having it means that less may be reported
}

func diffItems(was, is []item) []Change {
	var out []Change
	index := func(items []item) map[string][]string {
		m := map[string][]string{}
		for _, it := range items {
			m[it.name] = append(m[it.name], it.body)
		}
		return m
	}
	before, after := index(was), index(is)
	done := map[string]bool{}
	for _, it := range is {
		bodies, known := before[it.name]
		switch {
		case done[it.name]:
		case !known:
			out = append(out, Change{it.name + " was added", it.from, it.loosens})
		case !slices.Contains(bodies, it.body):
			// Whether that loosens cannot be told, so it is taken to.
			out = append(out, Change{it.name + " was changed", it.from, true})
		default:
			continue // the next of the same name may be the one that changed
		}
		done[it.name] = true
	}
	for _, it := range was {
		if after[it.name] == nil && !done[it.name] {
			out = append(out, Change{it.name + " was removed", it.from, !it.loosens})
			done[it.name] = true
		}
	}
	return out
}

func (l *layer) items() []item {
	var out []item
	for _, g := range l.ignore {
		out = append(out, item{keyIgnore + " = " + list(g.text), "", g.from, !g.negated})
	}
	for _, e := range l.exclude {
		out = append(out, item{keyExcludeRules + " = " + list(e.glob), "", e.from, true})
	}
	for _, r := range slices.Concat(l.fileRules, l.rules) {
		out = append(out, item{"rule " + r.ID, fmt.Sprintf("%+v", r.Rule), r.from, false})
	}
	return out
}

func (g *Ignore) items() []item {
	var out []item
	for i := range g.Entries {
		e := &g.Entries[i]
		name := "entry " + cmp.Or(e.ID, e.Key, e.Glob)
		if e.Key != "" && e.Glob != "" {
			name += " " + e.Glob
		}
		// A reason makes an entry count for keys that a checksum proves.
		out = append(out, item{name, fmt.Sprint(e.Key, " ", e.Until, " ", e.Reason != ""), Origin{g.file, e.Line}, true})
	}
	return out
}

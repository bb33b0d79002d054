package source

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/pack"
)

// Attribute implements [scanner.Source]. A finding in a blob stands at every
// path that the blob has had, each with the first commit that brought it there.
func (h *History) Attribute(ctx context.Context, findings []scanner.Finding, sum *scanner.Summary) ([][]scanner.Place, []scanner.Exposure, error) {
	places := make([][]scanner.Place, len(findings))
	exposures := make([]scanner.Exposure, len(findings))
	if len(findings) == 0 {
		return places, exposures, nil
	}
	if err := h.needGraph(ctx); err != nil {
		return nil, nil, err
	}
	a := &attribution{
		h: h, placed: make([][]placed, len(findings)), commits: map[int32]*scanner.Commit{}, keep: h.opt.Unreachable || h.damaged,
	}
	if err := a.locate(ctx, findings); err != nil {
		return nil, nil, err
	}
	a.traceRefs()
	shown := map[string]bool{} // keys that have a place
	for i := range findings {
		places[i], exposures[i] = a.places(&findings[i], a.placed[i])
		if len(places[i]) > 0 {
			shown[keyOf(&findings[i])] = true
		}
	}
	dropped := map[string]bool{}
	for i := range findings {
		if k := keyOf(&findings[i]); len(places[i]) == 0 && !shown[k] {
			dropped[k] = true
		}
	}
	sum.Unreachable += len(dropped)
	sum.Errors = append(sum.Errors, a.errs...)
	sum.Notes = append(sum.Notes, a.notes...)
	return places, exposures, nil
}

// keyOf tells findings of different keys apart.
func keyOf(f *scanner.Finding) string {
	id := ""
	if f.Rule != nil {
		id = f.Rule.ID
	}
	return id + "\x00" + f.Secret.Reveal()
}

// attribution is one run of History.Attribute.
type attribution struct {
	h      *History
	l      *locator
	placed [][]placed // of each finding
	errs   []string
	notes  []string
	// keep says that findings which nothing seems to reach are reported.
	keep bool

	commits map[int32]*scanner.Commit
	traces  map[int32]*trace
}

// trace is what is known of a commit from the refs that reach it.
type trace struct {
	refs   []string // at most maxRefs
	pushed bool     // a remote-tracking ref reaches it
	notes  bool     // only notes reach it
}

// maxRefs is how many refs a place names; all are seldom of use, since every
// later branch reaches an old commit.
const maxRefs = 5

// locate finds the commits and paths of all findings.
func (a *attribution) locate(ctx context.Context, findings []scanner.Finding) error {
	want, names := map[pack.OID]struct{}{}, map[string]bool{}
	ids := make([]pack.OID, len(findings))
	for i, f := range findings {
		if f.Hash != "" {
			id, err := pack.ParseOID(f.Hash)
			if err != nil {
				return fmt.Errorf("attribute a finding: %w", err)
			}
			ids[i] = id
		}
		switch f.Where {
		case scanner.InContent, "":
			want[ids[i]] = struct{}{}
		case scanner.InPath:
			names[f.Path] = true
		}
	}
	if len(want)+len(names) > 0 {
		var err error
		if a.l, err = a.h.locate(ctx, want, names, a.keep); err != nil {
			return err
		}
		a.h.memory.keepPlaces(a.h, a.l)
		if a.l.partial {
			a.keep = true
			a.notes = append(a.notes, "some keys stand at more paths, or deeper down, than till looks for; every key is reported, but not every place")
		}
	}
	for i, f := range findings {
		switch f.Where {
		case scanner.InContent, "":
			a.placed[i] = a.l.places[ids[i]]
		case scanner.InPath:
			a.placed[i] = a.l.named[f.Path]
		case scanner.InRef:
			for j := range a.h.roots {
				if r := &a.h.roots[j]; r.tip.kind == tipRef && r.tip.name == f.Path {
					a.placed[i] = append(a.placed[i], placed{path: f.Path, commit: r.commit, root: r})
				}
			}
		default: // a commit or tag
			a.placed[i] = a.object(ids[i])
		}
	}
	return nil
}

// object finds a commit or a tag.
func (a *attribution) object(id pack.OID) []placed {
	if c, ok := a.h.graph.find(id); ok {
		return []placed{{commit: c}}
	}
	var out []placed
	for i := range a.h.roots {
		if r := &a.h.roots[i]; slices.Contains(r.tags, id) {
			out = append(out, placed{commit: r.commit, root: r})
			break // roots are sorted: refs first, by name
		}
	}
	return out
}

// traceRefs finds out which tips reach the commits of the findings. Sets of 64
// commits at a time are passed down from parents to children.
func (a *attribution) traceRefs() {
	g := a.h.graph
	a.traces = map[int32]*trace{}
	var commits []int32
	for _, list := range a.placed {
		for _, p := range list {
			if p.commit >= 0 && a.traces[p.commit] == nil {
				a.traces[p.commit] = &trace{}
				commits = append(commits, p.commit)
			}
		}
	}
	if len(commits) == 0 {
		return
	}
	a.h.order()
	slices.Sort(commits)
	tips := a.h.tipsToShow()
	mask := make([]uint64, g.len())
	for batch := range slices.Chunk(commits, 64) {
		clear(mask)
		for bit, c := range batch {
			mask[c] |= 1 << bit
		}
		for _, c := range a.h.topo {
			for _, p := range g.parents(c) {
				mask[c] |= mask[p]
			}
		}
		var pushed, notes, other uint64
		for i := range tips {
			t := &tips[i]
			m := mask[t.commit]
			switch {
			case m == 0:
				continue
			case t.pushed:
				pushed |= m
			}
			if t.notes {
				notes |= m
			} else {
				other |= m
			}
			for bit, c := range batch {
				// HEAD, reflogs and the like are named only where no ref is.
				if tr := a.traces[c]; m>>bit&1 == 1 && len(tr.refs) < maxRefs && (t.ref || len(tr.refs) == 0) {
					tr.refs = append(tr.refs, t.name)
				}
			}
		}
		for bit, c := range batch {
			a.traces[c].pushed = pushed>>bit&1 == 1
			a.traces[c].notes = notes&^other>>bit&1 == 1
		}
	}
}

// shownTip is a tip as places show it.
type shownTip struct {
	name               string
	commit             int32
	ref, pushed, notes bool
}

// tipsToShow lists the tips that are commits, in the order in which places name
// them: branches and tags, shortest names first, then other refs, then HEADs,
// pseudo refs and reflogs.
func (h *History) tipsToShow() []shownTip {
	type ranked struct {
		shownTip
		rank int
	}
	var list []ranked
	for _, r := range h.roots {
		if r.commit < 0 || strings.HasPrefix(r.tip.name, "refs/remotes/") && strings.HasSuffix(r.tip.name, "/HEAD") {
			continue
		}
		t := ranked{shownTip{name: shortRef(r.tip.name), commit: r.commit, ref: r.tip.kind == tipRef}, 3 + int(r.tip.kind)}
		t.pushed = t.ref && h.repo.pushedRef(r.tip.name)
		t.notes = strings.HasPrefix(r.tip.name, "refs/notes/")
		if t.ref {
			t.rank = 1
			for _, p := range []string{"refs/heads/", "refs/tags/", "refs/remotes/"} {
				if strings.HasPrefix(r.tip.name, p) {
					t.rank = 0
				}
			}
		}
		list = append(list, t)
	}
	slices.SortStableFunc(list, func(a, b ranked) int {
		return cmp.Or(a.rank-b.rank, len(a.name)-len(b.name), strings.Compare(a.name, b.name))
	})
	out := make([]shownTip, len(list))
	for i := range list {
		out[i] = list[i].shownTip
	}
	return out
}

// shortRef shortens a ref's name as git does for people.
func shortRef(name string) string {
	for _, p := range []string{"refs/heads/", "refs/tags/", "refs/remotes/", "refs/"} {
		if s, ok := strings.CutPrefix(name, p); ok {
			return s
		}
	}
	return name
}

// pushedRef reports whether a ref says what a remote has: a remote-tracking
// ref, or one that a remote's fetch refspec writes to, as in a mirror.
func (r *Repository) pushedRef(name string) bool {
	if strings.HasPrefix(name, "refs/remotes/") {
		return true
	}
	for _, v := range r.config.values {
		if v.section != "remote" || v.subsection == "" || v.key != "fetch" {
			continue
		}
		if _, dst, ok := strings.Cut(v.value, ":"); ok {
			if prefix, star := strings.CutSuffix(dst, "*"); dst == name || star && strings.HasPrefix(name, prefix) {
				return true
			}
		}
	}
	return false
}

// places makes the places of one finding.
func (a *attribution) places(f *scanner.Finding, list []placed) ([]scanner.Place, scanner.Exposure) {
	exposure := scanner.ExposureLocal
	var out []scanner.Place
	for _, p := range list {
		place := placeOf(f)
		if p.commit >= 0 && !a.h.reached[p.commit] {
			if !a.keep {
				continue
			}
			exposure = scanner.ExposureUnreachable
		}
		if p.commit >= 0 {
			tr := a.traces[p.commit]
			place.Commit, place.Refs = a.commit(p.commit), slices.Clone(tr.refs)
			if tr.notes && place.Where == scanner.InContent {
				place.Where = scanner.InNote
			}
			if tr.pushed {
				exposure = scanner.ExposurePushed
			}
		}
		if p.root != nil {
			place.Refs = []string{shortRef(p.root.tip.name)}
			if p.root.tip.kind == tipRef && a.h.repo.pushedRef(p.root.tip.name) {
				exposure = scanner.ExposurePushed
			}
		}
		a.fill(&place, p)
		out = append(out, place)
	}
	if len(out) == 0 && a.keep {
		// No commit has it: a file that was added and never committed, or what
		// hangs on something that is damaged.
		place := placeOf(f)
		return []scanner.Place{place}, scanner.ExposureUnreachable
	}
	return out, exposure
}

// fill sets the path of a place, and whether it is still there.
func (a *attribution) fill(place *scanner.Place, p placed) {
	switch place.Where {
	case scanner.InContent, scanner.InNote:
		place.Path = p.path
	case scanner.InPath:
		// The finding stands in a name, the place shows the whole path.
		before := p.path[:len(p.path)-len(place.Path)]
		place.Path = p.path
		place.Location.Offset += int64(len(before))
		columns := utf8.RuneCountInString(before)
		if place.Location.StartLine == 1 {
			place.Location.StartColumn += columns
		}
		if place.Location.EndLine == 1 {
			place.Location.EndColumn += columns
		}
	default:
		return
	}
	if c, ok := a.h.graph.find(a.h.refs.head); ok {
		e := a.l.at(a.h.graph.tree(c), place.Path)
		place.Present = e != nil && (place.Where == scanner.InPath || e.id.String() == place.Blob)
		if !place.Present && place.Where == scanner.InContent {
			if id, err := pack.ParseOID(place.Blob); err == nil {
				if c, ok := a.l.gone[goneKey(id, place.Path)]; ok {
					place.Removed = a.commit(c)
				}
			}
		}
	}
}

// commit reads what reports show of a commit.
func (a *attribution) commit(c int32) *scanner.Commit {
	if out, ok := a.commits[c]; ok {
		return out
	}
	id := a.h.graph.id(int(c))
	out, err := a.h.repo.describe(id)
	if err != nil { // it was read a moment ago
		a.errs = append(a.errs, err.Error())
		out = &scanner.Commit{Hash: id.String()}
	}
	a.commits[c] = out
	return out
}

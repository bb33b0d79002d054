package source

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/pack"
)

// Range is what some commits brought: the files that each of them changed, as
// they are in it, compared with all of its parents; and their messages and
// authors. A merge counts for what none of its parents has. What a commit before
// the range has under the same path is not new.
type Range struct {
	repo             *Repository
	include, exclude []pack.OID
	since            time.Time
	exposure         scanner.Exposure // of all findings; "" = by the remote-tracking refs
	given            []givenRef       // of a push
	problems         []string

	commits map[pack.OID]*node
	origin  map[origin]brought // where findings come from
}

// origin is a blob under a path, a path alone (with id ""), or a commit or tag
// (with path "").
type origin struct {
	id   string
	path string
}

// brought says what brought an origin: a commit, or a ref without one.
type brought struct {
	commit pack.OID
	ref    string
}

// RangeOptions narrow a Range.
type RangeOptions struct {
	Since time.Time // leave out commits before; zero = none
}

// NewRange returns a source for the commits that spec names: "A..B" is what B
// reaches and A does not, "A...B" is the same when the two have a common past
// (what a pull request from A to B brings), "A" is A..HEAD, and "" is
// everything that any ref reaches (for Since). The error is a *RevisionError
// when a revision does not exist.
func NewRange(repo *Repository, spec string, o RangeOptions) (*Range, error) {
	s := &Range{repo: repo, since: o.Since}
	if spec == "" {
		s.all()
		return s, nil
	}
	from, to, ok := strings.Cut(spec, "..")
	if !ok {
		to = "HEAD"
	}
	to = strings.TrimPrefix(to, ".")
	a, err := repo.Resolve(from)
	if err != nil {
		return nil, err
	}
	b, err := repo.Resolve(to)
	if err != nil {
		return nil, err
	}
	s.include, s.exclude = []pack.OID{b}, []pack.OID{a}
	return s, nil
}

// all includes the commits of all refs and HEADs.
func (s *Range) all() {
	refs := s.repo.readRefs()
	s.problems = append(s.problems, refs.problems...)
	for _, t := range refs.tips {
		if t.kind != tipRef && t.kind != tipHead {
			continue
		}
		switch _, id, typ, err := s.repo.peelTags(t.oid); {
		case err != nil:
			s.problems = append(s.problems, fmt.Sprintf("read ref %s: %v", t.name, err))
		case typ == pack.TypeCommit:
			s.include = append(s.include, id)
		}
	}
}

// Each implements [scanner.Source].
func (s *Range) Each(ctx context.Context, workers int, fn func(worker int, b *scanner.Blob) error) (scanner.Summary, error) {
	if err := ctx.Err(); err != nil {
		return scanner.Summary{}, err
	}
	store, err := s.repo.Store()
	if err != nil {
		return scanner.Summary{}, err
	}
	e := &blobPass{store: store, fn: fn}
	e.sum.Errors = append(e.sum.Errors, s.problems...)
	walk, list, err := s.repo.commitsBetween(s.include, s.exclude, s.since)
	if err != nil {
		return scanner.Summary{}, err
	}
	for _, err := range walk.missing {
		e.fail(err)
	}
	for _, id := range walk.cut {
		e.fail(fmt.Errorf("this clone is shallow: the history ends at commit %s, within what was asked for; fetch the rest (git fetch --unshallow; in CI a fetch depth of 0)", id))
	}
	s.commits, s.origin = walk.nodes, map[origin]brought{}
	r := &rangeRun{Range: s, pass: e, before: walk.before(list), fn: func(b *scanner.Blob) error { return fn(0, b) }}
	for i := range s.given {
		if err := r.ref(&s.given[i]); err != nil {
			return e.summary(), err
		}
	}
	for _, n := range list {
		if err := ctx.Err(); err != nil {
			return e.summary(), err
		}
		if err := r.commit(n); err != nil {
			return e.summary(), err
		}
	}
	err = e.changes(ctx, workers, r.changes, s.repo)
	return e.summary(), err
}

// before returns the trees of the commits that the listed ones build upon.
func (w *commitWalk) before(list []*node) []pack.OID {
	var trees []pack.OID
	seen := map[pack.OID]bool{}
	for _, n := range list {
		for _, p := range n.parents {
			if parent := w.nodes[p]; parent != nil && parent.hidden && !seen[parent.tree] {
				seen[parent.tree] = true
				trees = append(trees, parent.tree)
			}
		}
	}
	return trees
}

// rangeRun is one run of Range.Each.
type rangeRun struct {
	*Range
	pass    *blobPass
	before  []pack.OID // trees of commits outside of the range
	trees   map[pack.OID][]treeEntry
	fn      func(b *scanner.Blob) error
	text    []byte
	changes []change
}

// first notes what brought an origin, and reports whether it is the first time.
func (r *rangeRun) first(o origin, by brought) bool {
	if _, ok := r.origin[o]; ok {
		return false
	}
	r.origin[o] = by
	return true
}

// commit takes what one commit brought. Only an error of fn is returned.
func (r *rangeRun) commit(n *node) error {
	r.pass.sum.Commits++
	if len(n.parents) > 1 {
		r.pass.sum.Merges++
	}
	var old []pack.OID
	for _, p := range n.parents {
		if parent := r.commits[p]; parent != nil {
			old = append(old, parent.tree)
		}
	}
	by := brought{commit: n.id}
	if err := r.tree(n.tree, old, by); err != nil {
		return err
	}
	c, err := r.repo.commit(n.id)
	if err != nil {
		r.pass.fail(err) // it was read a moment ago
		return nil
	}
	hash := n.id.String()
	r.origin[origin{hash, ""}] = by
	if err := passCommit(&c, hash, &r.text, r.fn); err != nil {
		return err
	}
	return r.people(hash, by, c.Author.Raw, c.Committer.Raw)
}

// people passes on author lines, each once.
func (r *rangeRun) people(hash string, by brought, lines ...[]byte) error {
	for _, raw := range lines {
		if line := identity(raw); line != "" && r.first(origin{"\x00" + line, ""}, by) {
			if err := r.fn(&scanner.Blob{Hash: hash, Where: scanner.InAuthor, Data: []byte(line)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// tree notes the files and passes on the names that a tree has and none of the
// old ones.
func (r *rangeRun) tree(tree pack.OID, old []pack.OID, by brought) error {
	var names []newName
	d := &treeDiff{
		store: r.pass.store, format: r.repo.Format,
		name: func(path string, offset int) { names = append(names, newName{path, offset}) },
		fail: func(path string, err error) { r.pass.fail(fmt.Errorf("%s: compare %q: %w", by, path, err)) },
	}
	d.diffTree(tree, old)
	changes, err := d.withoutRenames()
	if err != nil {
		r.pass.fail(fmt.Errorf("%s: %w", by, err))
	}
	for _, c := range changes {
		if !r.first(origin{c.id.String(), c.path}, by) {
			continue
		}
		known := r.earlier(c.path)
		if slices.Contains(known, c.id) {
			continue // the range went away from it and came back
		}
		for _, id := range known {
			if !slices.Contains(c.old, id) {
				c.old = append(c.old, id)
			}
		}
		r.changes = append(r.changes, c)
	}
	names = slices.DeleteFunc(names, func(n newName) bool { return !r.first(origin{"", n.path}, by) })
	return passNames(names, func(_ int, b *scanner.Blob) error { return r.fn(b) })
}

// String names what brought something, for messages.
func (b brought) String() string {
	if b.ref != "" {
		return b.ref
	}
	return "commit " + b.commit.String()
}

// maxBefore is how many commits outside of the range are asked for earlier
// versions of a file. A branch that merged its base more often shows more than
// is new.
const maxBefore = 16

// earlier returns what stands at a path outside of the range.
func (r *rangeRun) earlier(path string) []pack.OID {
	var ids []pack.OID
	for _, tree := range r.before[:min(len(r.before), maxBefore)] {
		if id, ok := r.lookup(tree, path); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// lookup finds a file in a tree. Trees that cannot be read have no files: then
// more is new, and the comparison names them.
func (r *rangeRun) lookup(tree pack.OID, path string) (pack.OID, bool) {
	if r.trees == nil {
		r.trees = map[pack.OID][]treeEntry{}
	}
	for {
		entries, ok := r.trees[tree]
		if !ok {
			entries, _ = readTree(r.pass.store, tree, r.repo.Format)
			r.trees[tree] = entries
		}
		name, rest, below := strings.Cut(path, "/")
		i := slices.IndexFunc(entries, func(e treeEntry) bool { return string(e.name) == name && e.dir() == below })
		switch {
		case i < 0 || kindOf(entries[i].mode) == pack.ModeGitlink:
			return pack.OID{}, false
		case !below:
			return entries[i].id, true
		}
		tree, path = entries[i].id, rest
	}
}

// ref takes a ref of a push: its name, its tags, and what it names if that is
// no commit.
func (r *rangeRun) ref(g *givenRef) error {
	by := brought{ref: g.name}
	if r.pass.sum.Refs++; r.first(origin{"", g.name}, by) {
		if err := r.fn(&scanner.Blob{Path: g.name, Where: scanner.InRef, Data: []byte(g.name)}); err != nil {
			return err
		}
	}
	for _, id := range g.tags {
		if !r.first(origin{id.String(), ""}, by) {
			continue
		}
		_, data, err := r.pass.store.Get(id)
		if err != nil {
			r.pass.fail(objectError(id, err)) // it was read a moment ago
			continue
		}
		t, _ := pack.ParseTag(data) // it was in order then
		if err := passTag(&t, id.String(), &r.text, r.fn); err != nil {
			return err
		}
		if err := r.people(id.String(), by, t.Tagger.Raw); err != nil {
			return err
		}
	}
	switch g.typ {
	case pack.TypeTree:
		return r.tree(g.object, nil, by)
	case pack.TypeBlob:
		if r.first(origin{g.object.String(), ""}, by) {
			r.changes = append(r.changes, change{mode: pack.ModeFile, id: g.object})
		}
	}
	return nil
}

// Attribute implements [scanner.Source].
func (s *Range) Attribute(_ context.Context, findings []scanner.Finding, sum *scanner.Summary) ([][]scanner.Place, []scanner.Exposure, error) {
	places := make([][]scanner.Place, len(findings))
	exposures := make([]scanner.Exposure, len(findings))
	by := make([]brought, len(findings))
	var commits []pack.OID
	for i := range findings {
		var ok bool
		if by[i], ok = s.broughtBy(&findings[i]); !ok {
			return nil, nil, fmt.Errorf("no commit of the range has %s %q", findings[i].Hash, findings[i].Path)
		}
		if !by[i].commit.IsZero() {
			commits = append(commits, by[i].commit)
		}
	}
	local, err := s.local(commits)
	if err != nil {
		sum.Errors = append(sum.Errors, fmt.Sprintf("find out what was pushed: %v", err))
	}
	for i := range findings {
		f := &findings[i]
		exposures[i] = scanner.ExposureLocal
		p := placeOf(f)
		if by[i].ref != "" {
			p.Refs = []string{shortRef(by[i].ref)}
		} else if p.Commit, err = s.repo.describe(by[i].commit); err != nil {
			return nil, nil, err
		}
		p.Present = s.present(f)
		places[i] = []scanner.Place{p}
		switch {
		case s.exposure != "":
			exposures[i] = s.exposure
		case !by[i].commit.IsZero() && !local[by[i].commit]:
			exposures[i] = scanner.ExposurePushed
		}
	}
	return places, exposures, nil
}

// broughtBy finds what brought a finding first; later commits only touched it
// again.
func (s *Range) broughtBy(f *scanner.Finding) (brought, bool) {
	at := origin{f.Hash, f.Path}
	if f.Where == scanner.InPath || f.Where == scanner.InRef {
		at.id = ""
	}
	by, ok := s.origin[at]
	return by, ok
}

// local returns those commits that no remote-tracking ref reaches.
func (s *Range) local(ids []pack.OID) (map[pack.OID]bool, error) {
	local := map[pack.OID]bool{}
	if len(ids) == 0 || s.exposure != "" {
		return local, nil
	}
	_, list, err := s.repo.commitsBetween(ids, s.repo.tipsOf(s.repo.pushedRef), time.Time{})
	for _, n := range list {
		local[n.id] = true
	}
	return local, err
}

// present reports whether the newest of the included commits still has the
// value at the path.
func (s *Range) present(f *scanner.Finding) bool {
	if f.Where != scanner.InContent && f.Where != "" {
		return true
	}
	store, err := s.repo.Store()
	if err != nil {
		return false
	}
	for _, tip := range s.include {
		n := s.commits[tip]
		if n == nil {
			continue
		}
		e, err := treeFiles{&treeReader{store: store, format: s.repo.Format}, n.tree}.lookup(f.Path)
		if err != nil || e.dir() {
			continue
		}
		if e.id.String() == f.Hash {
			return true
		}
		if _, data, err := store.Get(e.id); err == nil && len(f.Decoded) == 0 && bytes.Contains(data, []byte(f.Secret.Reveal())) {
			return true
		}
	}
	return false
}

// describe reads what reports show of a commit.
func (r *Repository) describe(id pack.OID) (*scanner.Commit, error) {
	c, err := r.commit(id)
	if err != nil {
		return nil, err
	}
	subject, _, _ := bytes.Cut(bytes.TrimLeft(c.Message, "\n"), []byte("\n"))
	return &scanner.Commit{
		Hash: id.String(), Author: string(c.Author.Name), Email: string(c.Author.Email),
		Time: c.Author.Time(), Subject: string(subject),
	}, nil
}

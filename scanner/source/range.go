package source

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/pack"
)

// Range is what some commits brought: the files that each of them changed, as
// they are in it, compared with all of its parents; and their messages and
// authors. A merge counts for what none of its parents has.
type Range struct {
	repo             *Repository
	include, exclude []pack.OID
	since            time.Time
	exposure         scanner.Exposure // of all findings; "" = by the remote-tracking refs

	commits map[pack.OID]*node
	origin  map[origin][]pack.OID // where findings come from, oldest commit first
}

// origin is a blob under a path, or a commit (with path "").
type origin struct {
	id   string
	path string
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
		for _, t := range repo.readRefs().tips {
			if t.kind != tipRef && t.kind != tipHead {
				continue
			}
			if id, err := repo.peel(t.oid); err == nil {
				s.include = append(s.include, id)
			}
		}
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

// PushRef is a line that git gives to a pre-push hook.
type PushRef struct{ LocalRef, LocalOID, RemoteRef, RemoteOID string }

// NewPush returns a source for what a push would bring to a remote: what the
// local ids reach, and neither the remote ids nor any ref that is known of the
// remote does. Deleted refs bring nothing. remote may be a URL, of which no
// refs are known.
func NewPush(repo *Repository, refs []PushRef, remote string) (*Range, error) {
	s := &Range{repo: repo, exposure: scanner.ExposureLocal}
	for _, r := range refs {
		if zeroID(r.LocalOID) {
			continue
		}
		id, err := repo.Resolve(r.LocalOID)
		if err != nil {
			return nil, err
		}
		s.include = append(s.include, id)
		// The remote's id may be one that was never fetched.
		if old, err := repo.Resolve(r.RemoteOID); err == nil && !zeroID(r.RemoteOID) {
			s.exclude = append(s.exclude, old)
		}
	}
	if remote != "" {
		s.exclude = append(s.exclude, repo.tipsUnder("refs/remotes/"+remote+"/")...)
	}
	return s, nil
}

// ReceiveRef is a line that git gives to a pre-receive hook.
type ReceiveRef struct{ Old, New, Ref string }

// NewReceive returns a source for what a push brings to this repository: what
// the new ids reach and no ref does yet. The objects lie in the quarantine
// directory that Discover learned of from the environment.
func NewReceive(repo *Repository, refs []ReceiveRef) (*Range, error) {
	s := &Range{repo: repo, exposure: scanner.ExposurePushed}
	for _, r := range refs {
		if zeroID(r.New) {
			continue
		}
		id, err := repo.Resolve(r.New)
		if err != nil {
			return nil, err
		}
		s.include = append(s.include, id)
	}
	s.exclude = repo.tipsUnder("refs/")
	return s, nil
}

func zeroID(id string) bool { return strings.Trim(id, "0") == "" }

// tipsUnder returns the commits of all refs whose name begins with prefix.
func (r *Repository) tipsUnder(prefix string) []pack.OID {
	var ids []pack.OID
	for _, t := range r.readRefs().tips {
		if t.kind == tipRef && strings.HasPrefix(t.name, prefix) {
			if id, err := r.peel(t.oid); err == nil {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// Each implements [scanner.Source].
func (s *Range) Each(ctx context.Context, workers int, fn func(worker int, b *scanner.Blob) error) (scanner.Summary, error) {
	store, err := s.repo.Store()
	if err != nil {
		return scanner.Summary{}, err
	}
	e := &blobPass{store: store, fn: fn}
	if len(s.include) == 0 {
		return e.summary(), nil
	}
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
	s.commits, s.origin = walk.nodes, map[origin][]pack.OID{}
	var changes []change
	for i := len(list) - 1; i >= 0; i-- { // oldest first
		if err := ctx.Err(); err != nil {
			return e.summary(), err
		}
		n := list[i]
		e.sum.Commits++
		if len(n.parents) > 1 {
			e.sum.Merges++
		}
		if err := s.metadata(n, fn); err != nil {
			return e.summary(), err
		}
		new, names := s.changes(n, walk, e)
		for _, c := range new {
			at := origin{c.id.String(), c.path}
			if s.origin[at] = append(s.origin[at], n.id); len(s.origin[at]) == 1 {
				changes = append(changes, c)
			}
		}
		for _, name := range names {
			at := origin{"", name.path}
			if s.origin[at] = append(s.origin[at], n.id); len(s.origin[at]) == 1 {
				if err := passNames([]newName{name}, fn); err != nil {
					return e.summary(), err
				}
			}
		}
	}
	err = e.changes(ctx, workers, changes, s.repo)
	return e.summary(), err
}

// changes compares a commit with its parents.
func (s *Range) changes(n *node, walk *commitWalk, e *blobPass) ([]change, []newName) {
	var names []newName
	d := &treeDiff{
		store: e.store, format: s.repo.Format,
		name: func(path string, offset int) { names = append(names, newName{path, offset}) },
		fail: func(path string, err error) { e.fail(fmt.Errorf("commit %s: compare %q: %w", n.id, path, err)) },
	}
	var old []pack.OID
	for _, p := range n.parents {
		if parent := walk.nodes[p]; parent != nil {
			old = append(old, parent.tree)
		}
	}
	d.diffTree(n.tree, old)
	changes, err := d.withoutRenames()
	if err != nil {
		e.fail(fmt.Errorf("commit %s: %w", n.id, err))
	}
	return changes, names
}

// metadata hands what a commit says besides its tree to fn.
func (s *Range) metadata(n *node, fn func(worker int, b *scanner.Blob) error) error {
	c, err := s.repo.commit(n.id)
	if err != nil {
		return nil // it was read a moment ago; its tree names the error
	}
	hash := n.id.String()
	s.origin[origin{hash, ""}] = []pack.OID{n.id}
	return passCommit(&c, hash, func(b *scanner.Blob) error { return fn(0, b) })
}

// passCommit hands the texts of a commit to fn: message, author, committer if
// it is another, and headers that git does not know.
func passCommit(c *pack.Commit, hash string, fn func(b *scanner.Blob) error) error {
	pass := func(where scanner.Where, data []byte) error {
		if len(data) == 0 {
			return nil
		}
		return fn(&scanner.Blob{Hash: hash, Where: where, Data: data})
	}
	if err := pass(scanner.InMessage, c.Message); err != nil {
		return err
	}
	if err := pass(scanner.InAuthor, c.Author.Raw); err != nil {
		return err
	}
	if !bytes.Equal(c.Author.Raw, c.Committer.Raw) {
		if err := pass(scanner.InAuthor, c.Committer.Raw); err != nil {
			return err
		}
	}
	for _, value := range c.Headers() {
		if err := pass(scanner.InMessage, value); err != nil {
			return err
		}
	}
	return nil
}

// Attribute implements [scanner.Source].
func (s *Range) Attribute(_ context.Context, findings []scanner.Finding, sum *scanner.Summary) ([][]scanner.Place, []scanner.Exposure, error) {
	places := make([][]scanner.Place, len(findings))
	exposures := make([]scanner.Exposure, len(findings))
	var brought []pack.OID
	for i := range findings {
		brought = append(brought, s.broughtBy(&findings[i])...)
	}
	local, err := s.local(brought)
	if err != nil {
		sum.Errors = append(sum.Errors, fmt.Sprintf("find out what was pushed: %v", err))
	}
	for i := range findings {
		f := &findings[i]
		exposures[i] = scanner.ExposureLocal
		by := s.broughtBy(f)
		if len(by) == 0 {
			return nil, nil, fmt.Errorf("no commit of the range has %s %q", f.Hash, f.Path)
		}
		first := by[0] // later ones only touched it again
		p := placeOf(f)
		if p.Commit, err = s.repo.describe(first); err != nil {
			return nil, nil, err
		}
		p.Present = s.present(f)
		places[i] = []scanner.Place{p}
		switch {
		case s.exposure != "":
			exposures[i] = s.exposure
		case !local[first]:
			exposures[i] = scanner.ExposurePushed
		}
	}
	return places, exposures, nil
}

func (s *Range) broughtBy(f *scanner.Finding) []pack.OID {
	if f.Where == scanner.InPath {
		return s.origin[origin{"", f.Path}]
	}
	return s.origin[origin{f.Hash, f.Path}]
}

// local returns those commits that no remote-tracking ref reaches.
func (s *Range) local(ids []pack.OID) (map[pack.OID]bool, error) {
	local := map[pack.OID]bool{}
	if len(ids) == 0 || s.exposure != "" {
		return local, nil
	}
	_, list, err := s.repo.commitsBetween(ids, s.repo.tipsUnder("refs/remotes/"), time.Time{})
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
	for _, tip := range s.include {
		n := s.commits[tip]
		if n == nil {
			continue
		}
		store, err := s.repo.Store()
		if err != nil {
			return false
		}
		t := &treeFS{store: store, format: s.repo.Format, root: treeEntry{mode: pack.ModeTree, id: n.tree}}
		e, err := t.lookup("open", f.Path)
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

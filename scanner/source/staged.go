package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/pack"
)

// Staged is what the next commit would bring: the index, as GIT_INDEX_FILE or
// the repository names it, against HEAD and, during a merge, against every
// commit that is merged. A file that one of them has under the same path is not
// new; neither is a file that was only renamed or changed its mode.
//
// The work tree is not looked at: what is scanned is what would be committed.
type Staged struct {
	repo    *Repository
	ix      *index // read by the first who needs it
	removed []removal
	old     []pack.OID // earlier versions of what changed
}

// NewStaged returns a source for the index of repo.
func NewStaged(repo *Repository) *Staged { return &Staged{repo: repo} }

// index reads the index once.
func (s *Staged) index() (*index, error) {
	if s.ix != nil {
		return s.ix, nil
	}
	ix, err := s.repo.readIndex()
	s.ix = ix
	return ix, err
}

// Folders returns the folders that hold a file of the given name in the index,
// "." for the top: where a configuration file applies, without a walk over the
// work tree. Not safe for use at the same time as Each.
func (s *Staged) Folders(name string) ([]string, error) {
	ix, err := s.index()
	if err != nil {
		return nil, err
	}
	var dirs []string
	for i := range ix.entries {
		p := ix.entries[i].path
		if !bytes.HasSuffix(p, []byte(name)) || len(p) > len(name) && p[len(p)-len(name)-1] != '/' {
			continue
		}
		dirs = append(dirs, path.Dir(string(p)))
	}
	return slices.Compact(dirs), nil
}

// Each implements [scanner.Source].
func (s *Staged) Each(ctx context.Context, workers int, fn func(worker int, b *scanner.Blob) error) (scanner.Summary, error) {
	if err := ctx.Err(); err != nil {
		return scanner.Summary{}, err
	}
	if s.repo.Bare() && !s.repo.indexGiven && !exists(s.repo.IndexFile) {
		return scanner.Summary{}, errors.New("the repository is bare: it has no index in which anything could be staged")
	}
	store, err := s.repo.Store()
	if err != nil {
		return scanner.Summary{}, err
	}
	ix, err := s.index()
	if err != nil {
		return scanner.Summary{}, err
	}
	heads, err := s.repo.heads()
	if err != nil {
		return scanner.Summary{}, err
	}
	e := &blobPass{store: store, fn: fn}
	var trees []pack.OID
	for _, h := range heads {
		c, err := s.repo.commit(h)
		if err != nil {
			e.fail(err) // and what it holds counts as new
			continue
		}
		trees = append(trees, c.Tree)
	}
	var names []newName
	d := &treeDiff{
		store: store, format: s.repo.Format,
		name: func(path string, offset int) { names = append(names, newName{path, offset}) },
		fail: func(path string, err error) { e.fail(fmt.Errorf("compare %q: %w", path, err)) },
	}
	d.diffIndex(ix, trees)
	s.removed = d.removed
	for _, c := range d.changes {
		s.old = append(s.old, c.old...)
	}
	if d.unmerged > 0 {
		e.sum.Notes = append(e.sum.Notes, fmt.Sprintf("a merge is not finished: %d unmerged paths, all their versions were read", d.unmerged))
	}
	if err := passNames(names, fn); err != nil {
		return e.summary(), err
	}
	changes, err := d.withoutRenames()
	if err != nil {
		e.fail(err)
	}
	err = e.changes(ctx, workers, changes, s.repo)
	return e.summary(), err
}

// Attribute implements [scanner.Source].
func (s *Staged) Attribute(_ context.Context, findings []scanner.Finding, sum *scanner.Summary) ([][]scanner.Place, []scanner.Exposure, error) {
	places, exposures := ownPlaces(findings, scanner.ExposureStaged)
	if len(findings) > 0 {
		if err := s.markMoved(findings, places); err != nil {
			sum.Errors = append(sum.Errors, fmt.Sprintf("look for where values were before: %v", err))
		}
		if err := s.markPushed(findings, exposures); err != nil {
			sum.Errors = append(sum.Errors, fmt.Sprintf("look for values that were pushed: %v", err))
		}
	}
	return places, exposures, nil
}

// maxPushed is how many bytes of what remotes have are searched for a staged
// value, about a second of work for a commit that is stopped anyway. Where
// there is more, the advice is that for a value nobody has seen yet; a scan of
// the history knows better.
const maxPushed = 128 << 20

// markPushed sets the exposure of values that stand, as they are, in a file of
// a remote-tracking branch: those are out already.
func (s *Staged) markPushed(findings []scanner.Finding, exposures []scanner.Exposure) error {
	store, err := s.repo.Store()
	if err != nil {
		return err
	}
	d := &treeDiff{store: store, format: s.repo.Format}
	remote := func(name string) bool { return strings.HasPrefix(name, "refs/remotes/") }
	for _, tip := range s.repo.tipsOf(remote) {
		c, err := s.repo.commit(tip)
		if err != nil {
			return err
		}
		d.removed = append(d.removed, removal{mode: pack.ModeTree, id: c.Tree})
	}
	blobs, err := d.removedBlobs() // all blobs of these trees, each once
	if err != nil {
		return err
	}
	ids := slices.SortedFunc(maps.Keys(blobs), pack.OID.Compare)
	left := int64(maxPushed)
	for _, id := range ids {
		_, size, err := store.Header(id)
		if err != nil {
			return objectError(id, err)
		}
		if left -= size; left < 0 {
			return nil
		}
		_, data, err := store.Get(id)
		if err != nil {
			return objectError(id, err)
		}
		for i := range findings {
			if value := findings[i].Secret.Reveal(); value != "" && bytes.Contains(data, []byte(value)) {
				exposures[i] = scanner.ExposurePushed
			}
		}
	}
	return nil
}

// maxMoved is how many bytes of earlier versions are searched for values that
// moved. Whether a value moved is a courtesy, not worth more time.
const maxMoved = 64 << 20

// markMoved sets Moved where the value stood in a file that this change edits
// or deletes.
func (s *Staged) markMoved(findings []scanner.Finding, places [][]scanner.Place) error {
	store, err := s.repo.Store()
	if err != nil {
		return err
	}
	d := &treeDiff{store: store, format: s.repo.Format, removed: s.removed}
	gone, err := d.removedBlobs()
	if err != nil {
		return err
	}
	ids := slices.Clone(s.old)
	for id := range gone {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, pack.OID.Compare)
	total := int64(0)
	for _, id := range slices.Compact(ids) {
		_, size, err := store.Header(id)
		if err != nil {
			return objectError(id, err)
		}
		if total += size; total > maxMoved {
			return nil
		}
		_, data, err := store.Get(id)
		if err != nil {
			return objectError(id, err)
		}
		for i := range findings {
			if value := findings[i].Secret.Reveal(); value != "" && bytes.Contains(data, []byte(value)) {
				findings[i].Moved = true
				places[i][0].Moved = true
			}
		}
	}
	return nil
}

// newName is a path whose last component, from offset on, is new.
type newName struct {
	path   string
	offset int
}

// passNames hands the names of new files and folders to fn.
func passNames(names []newName, fn func(worker int, b *scanner.Blob) error) error {
	for _, n := range names {
		err := fn(0, &scanner.Blob{Path: n.path, Where: scanner.InPath, Data: []byte(n.path[n.offset:]), Offset: int64(n.offset)})
		if err != nil {
			return err
		}
	}
	return nil
}

// removedBlobs returns the blobs in what was removed.
func (d *treeDiff) removedBlobs() (map[pack.OID]bool, error) {
	blobs, seen := map[pack.OID]bool{}, map[pack.OID]bool{}
	var first error
	var tree func(id pack.OID, depth int)
	tree = func(id pack.OID, depth int) {
		if seen[id] {
			return
		}
		seen[id] = true
		entries, err := readTree(d.store, id, d.format)
		if depth > maxTreeDepth {
			entries, err = nil, errTooDeep
		}
		if err != nil && first == nil {
			first = err
		}
		for _, e := range entries {
			switch kindOf(e.mode) {
			case pack.ModeTree:
				tree(e.id, depth+1)
			case pack.ModeGitlink:
			default:
				blobs[e.id] = true
			}
		}
	}
	for _, r := range d.removed {
		if kindOf(r.mode) == pack.ModeTree {
			tree(r.id, 0)
		} else {
			blobs[r.id] = true
		}
	}
	return blobs, first
}

// withoutRenames returns the changes but for added files whose content stood,
// byte for byte, in a file that is gone now.
func (d *treeDiff) withoutRenames() ([]change, error) {
	if len(d.removed) == 0 || !slices.ContainsFunc(d.changes, func(c change) bool { return len(c.old) == 0 }) {
		return d.changes, nil
	}
	gone, err := d.removedBlobs()
	return slices.DeleteFunc(d.changes, func(c change) bool { return len(c.old) == 0 && gone[c.id] }), err
}

// blobPass hands blobs of the object store to fn, and counts.
type blobPass struct {
	store *pack.Store
	fn    func(worker int, b *scanner.Blob) error

	mu  sync.Mutex
	sum scanner.Summary
}

func (p *blobPass) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sum.Errors = append(p.sum.Errors, err.Error())
}

// summary returns what was counted. No call may be under way.
func (p *blobPass) summary() scanner.Summary {
	slices.Sort(p.sum.Errors)
	p.sum.Errors = slices.Compact(p.sum.Errors)
	return p.sum
}

// alone is how many bytes of changes one worker reads before the others start; a blob
// counts as perBlob bytes more. Most commits have less: a thread, and the memory that
// each worker needs for itself, take longer than to read them.
const (
	alone   = 512 << 10
	perBlob = 16 << 10
)

// changes reads the new version of each change.
func (p *blobPass) changes(ctx context.Context, workers int, changes []change, repo *Repository) error {
	var next atomic.Int64
	work := func(ctx context.Context, worker int, win *windows, most int64) error {
		for read := int64(0); read < most; {
			i := int(next.Add(1)) - 1
			if i >= len(changes) {
				return nil
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			size, err := p.change(worker, win, &changes[i], repo)
			if err != nil {
				return err
			}
			read += size + perBlob
		}
		return nil
	}
	var first windows
	if err := work(ctx, 0, &first, alone); err != nil || int(next.Load()) >= len(changes) {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return work(ctx, 0, &first, math.MaxInt64) })
	for w := 1; w < min(workers, len(changes)-int(next.Load())); w++ {
		group.Go(func() error { return work(ctx, w, new(windows), math.MaxInt64) })
	}
	return group.Wait()
}

// change reads one blob and returns its size. Only an error of fn is returned.
func (p *blobPass) change(worker int, win *windows, c *change, repo *Repository) (int64, error) {
	b := scanner.Blob{Path: c.path, Hash: c.id.String()}
	if len(c.old) > 0 {
		b.Known = func(context.Context) ([][]byte, error) { return p.contents(c.old) }
	}
	size, err := p.blob(worker, win, c.id, b)
	if stop := (*stopError)(nil); errors.As(err, &stop) {
		return 0, stop.err
	}
	if err != nil {
		p.fail(fmt.Errorf("read %q: %w%s", c.path, objectError(c.id, err), repo.missingHint(err)))
		return 0, nil
	}
	p.mu.Lock()
	p.sum.Blobs++
	p.sum.Bytes += size
	p.mu.Unlock()
	return size, nil
}

// missingHint says what to do about an object that a partial clone lacks.
func (r *Repository) missingHint(err error) string {
	if errors.Is(err, pack.ErrNotFound) && r.Promisor() {
		return "; this is a partial clone, and till does not fetch: git fetch --refetch --no-filter brings everything"
	}
	return ""
}

// blob reads the blob id and hands it to fn, in windows if it is large. An
// error of fn comes back as a *stopError.
func (p *blobPass) blob(worker int, win *windows, id pack.OID, b scanner.Blob) (int64, error) {
	pass := func(b *scanner.Blob) error { return p.fn(worker, b) }
	if win.object == nil {
		win.object = make([]byte, 0, 64<<10) // of which only those pages cost that are used
	}
	typ, data, err := p.store.GetInto(win.object, id)
	if cap(data) > cap(win.object) {
		win.object = data
	}
	var r io.ReadCloser
	if errors.Is(err, pack.ErrTooLarge) {
		typ, _, r, err = p.store.Stream(id)
	}
	if err != nil {
		return 0, err
	}
	if r != nil {
		defer r.Close()
	}
	if typ != pack.TypeBlob {
		return 0, fmt.Errorf("it is a %s, not a blob", typ)
	}
	if r != nil {
		return win.passStream(r, b, pass)
	}
	return win.passData(data, b, pass)
}

// maxKnown is the largest earlier version that is read to see what is new.
const maxKnown = 512 << 20

// contents reads earlier versions of a file.
func (p *blobPass) contents(ids []pack.OID) ([][]byte, error) {
	var out [][]byte
	for _, id := range ids {
		_, data, err := p.store.Get(id)
		if errors.Is(err, pack.ErrTooLarge) {
			var size int64
			var r io.ReadCloser
			if _, size, r, err = p.store.Stream(id); err == nil {
				if size > maxKnown {
					err = pack.ErrTooLarge
				} else {
					data, err = io.ReadAll(r)
				}
				r.Close()
			}
		}
		if err != nil {
			return nil, objectError(id, err)
		}
		out = append(out, data)
	}
	return out, nil
}

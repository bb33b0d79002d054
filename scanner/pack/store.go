package pack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultMaxObject is what Options.MaxObject means when it is zero. Git itself
// treats a file as big, and no longer makes deltas of it, from 512 MiB on
// (core.bigFileThreshold).
const DefaultMaxObject = 256 << 20

// Options say what the store cannot find out by itself.
type Options struct {
	// Format is the hash of the repository (extensions.objectFormat).
	Format Format
	// Alternates are further objects directories, as in
	// GIT_ALTERNATE_OBJECT_DIRECTORIES. The file info/alternates of each
	// directory is followed in any case, recursively, as deep as git does.
	Alternates []string
	// MaxObject is the size in bytes up to which an object is returned whole;
	// 0 means DefaultMaxObject.
	MaxObject int64
}

// Store is an objects directory with the directories it borrows from. All
// methods are safe for concurrent use, except that Close must come last.
//
// Packs may come and go while the store is open, as they do when git gc or a
// push runs at the same time: what is not found is looked for once more after
// the list of packs has been read anew.
type Store struct {
	dir    string
	opt    Options
	settle time.Duration
	pool   sync.Pool // *scratch
	base   baseCache

	huge    sync.Mutex // held while something over MaxObject is put together
	mu      sync.Mutex // held while the list of packs is read
	retired []*packFile
	closed  bool

	state atomic.Pointer[state]
	last  atomic.Pointer[packFile] // where something was found last
}

// state is one reading of the directories; never changed once published.
type state struct {
	dirs     []string
	packs    []*packFile // with an index, of all directories
	bare     []*packFile // without; their index is made when it is needed
	problems []*CorruptError
	stamps   []dirStamp
}

// dirStamp is the state of a directory when it was listed.
type dirStamp struct {
	mtime time.Time
	read  time.Time
}

var errClosed = errors.New("store is closed")

// Open opens an objects directory, such as .git/objects or the quarantine
// directory that git gives its receive hooks. It fails when dir is not a
// directory; damage inside it is reported by the calls that come across it.
// The caller closes the store.
func Open(dir string, o Options) (*Store, error) {
	st, err := os.Stat(dir)
	if err == nil && !st.IsDir() {
		err = errors.New("not a directory")
	}
	if err != nil {
		return nil, fmt.Errorf("open object store: %w", err)
	}
	if o.Format > SHA256 {
		return nil, fmt.Errorf("open object store: unknown format %d", o.Format)
	}
	if o.MaxObject <= 0 {
		o.MaxObject = DefaultMaxObject
	}
	s := &Store{dir: dir, opt: o, settle: settle}
	s.base.limit = baseCacheSize
	s.pool.New = func() any { return &scratch{h: newHasher(o.Format)} }
	s.state.Store(s.load(nil))
	return s, nil
}

// Close releases the files. No other call may be under way or follow, and no
// reader of Stream may be in use.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var errs []error
	for _, p := range s.allPacks() {
		errs = append(errs, p.close())
	}
	s.state.Store(&state{problems: []*CorruptError{{Pack: s.dir, Err: errClosed}}})
	return errors.Join(errs...)
}

func (s *Store) allPacks() []*packFile {
	st := s.state.Load()
	return slices.Concat(st.packs, st.bare, s.retired)
}

// load lists the directories. Packs of old are taken over.
func (s *Store) load(old *state) *state {
	st := &state{}
	st.dirs, st.problems = objectDirs(s.dir, s.opt.Alternates)
	known := map[string]*packFile{}
	if old != nil {
		for _, p := range slices.Concat(old.packs, old.bare) {
			known[p.path] = p
		}
	}
	for _, dir := range st.dirs {
		s.loadDir(st, filepath.Join(dir, "pack"), known)
	}
	for _, p := range known { // what is left has vanished; somebody may still be reading it
		s.retired = append(s.retired, p)
	}
	return st
}

// loadDir adds the packs of one directory.
func (s *Store) loadDir(st *state, dir string, known map[string]*packFile) {
	stamp := dirStamp{read: time.Now()}
	if fi, err := os.Stat(dir); err == nil {
		stamp.mtime = fi.ModTime()
	}
	st.stamps = append(st.stamps, stamp)
	list, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		st.problems = append(st.problems, &CorruptError{Pack: dir, Err: err})
	}
	have := make(map[string]bool, len(list))
	for _, e := range list {
		have[e.Name()] = true
	}
	var multi *midx
	if have["multi-pack-index"] {
		multi = s.loadMidx(st, dir, have)
	}
	for _, e := range list {
		name := e.Name()
		if stem, ok := strings.CutSuffix(name, ".idx"); ok && !have[stem+".pack"] && !temporary(name) {
			st.problems = append(st.problems, &CorruptError{Pack: name, Err: errors.New("the pack of this index is missing")})
			continue
		}
		stem, ok := strings.CutSuffix(name, ".pack")
		if !ok {
			continue
		}
		path := filepath.Join(dir, name)
		p := known[path]
		if p != nil && p.current(have[stem+".idx"]) {
			delete(known, path)
		} else {
			p = &packFile{format: s.opt.Format, name: name, path: path}
			switch {
			case have[stem+".idx"]:
				p.openIndex()
				if errors.Is(p.idxErr, fs.ErrNotExist) {
					continue // gone since the directory was listed
				}
			case multi != nil && slices.Contains(multi.packs, stem+".idx"):
				p.idx = multi.parts[slices.Index(multi.packs, stem+".idx")]
				p.multi = true
			case temporary(name):
				continue // being written
			}
		}
		if p.idxErr != nil { // the pack may be sound: it is read without its index
			st.problems = append(st.problems, &CorruptError{Pack: p.indexName(), Err: p.idxErr})
		}
		if p.idx == nil {
			st.bare = append(st.bare, p)
		} else {
			st.packs = append(st.packs, p)
		}
	}
}

// damage returns what could not be read, as far as is known.
func (st *state) damage() []*CorruptError {
	all := slices.Clip(st.problems)
	for _, p := range st.bare {
		all = append(all, p.bareDamage()...)
	}
	return all
}

// temporary reports whether git gives such a name to a file in the making.
func temporary(name string) bool {
	return strings.HasPrefix(name, "tmp_") || strings.HasPrefix(name, ".tmp-")
}

// loadMidx reads the multi-pack-index of a directory where a pack has no index
// of its own; elsewhere it says nothing that the indexes do not say, and only
// the names of its packs are looked at.
func (s *Store) loadMidx(st *state, dir string, have map[string]bool) *midx {
	problem := func(err error) {
		st.problems = append(st.problems, &CorruptError{Pack: "multi-pack-index", Err: err})
	}
	f, err := openFile(filepath.Join(dir, "multi-pack-index"))
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			problem(err)
		}
		return nil
	}
	defer f.close()
	need := false
	for name := range have {
		if stem, ok := strings.CutSuffix(name, ".pack"); ok && !have[stem+".idx"] {
			need = true
		}
	}
	m, err := readMidx(f, s.opt.Format, need)
	if err != nil {
		problem(err)
		return nil
	}
	for _, name := range m.packs {
		if stem := strings.TrimSuffix(name, ".idx"); !have[stem+".pack"] {
			problem(fmt.Errorf("its pack %s.pack is missing", stem))
		}
	}
	if !need {
		return nil
	}
	return m
}

// reload lists the packs anew, unless that was done since the caller looked or
// nothing has changed. It returns the state to look in, and whether that is
// another one.
func (s *Store) reload(seen *state, force bool) (*state, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.state.Load()
	if st != seen {
		return st, true
	}
	if s.closed || !force && !st.stale() {
		return st, false
	}
	st = s.load(st)
	s.state.Store(st)
	return st, true
}

// racy is how coarse the time stamps of a file system may be: a directory that
// was listed so soon after its last change may have changed again unseen.
const racy = 2 * time.Second

func (st *state) stale() bool {
	for i, dir := range st.dirs {
		var mtime time.Time
		if fi, err := os.Stat(filepath.Join(dir, "pack")); err == nil {
			mtime = fi.ModTime()
		}
		if stamp := st.stamps[i]; !mtime.Equal(stamp.mtime) || stamp.read.Sub(mtime) < racy {
			return true
		}
	}
	return false
}

package source

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/till-sh/till/scanner/pack"
)

// ErrNotRepository means that no git repository was found.
var ErrNotRepository = errors.New("not a git repository")

// Repository is a git repository on disk, opened for reading. Its methods are
// safe for concurrent use. Close it when nothing reads from it any more.
type Repository struct {
	// Dir is the git directory. For a linked worktree it is the worktree's own.
	Dir string
	// CommonDir holds the refs and objects that all worktrees share; it is Dir
	// unless this is a linked worktree.
	CommonDir string
	// WorkTree is the top of the work tree, "" for a bare repository.
	WorkTree string
	// IndexFile is the index that a commit would be made from.
	IndexFile string
	// Format is the hash that names objects.
	Format pack.Format

	indexGiven bool // IndexFile comes from the environment
	objects    string
	alternates []string
	config     *gitConfig
	worktree   *gitConfig // config.worktree, nil when there is none

	open  sync.Once
	store *pack.Store
	err   error
}

// Discover finds the repository that git would use when started in the folder
// start with the environment env: the one that GIT_DIR names, or the nearest
// one upwards. The error wraps ErrNotRepository when there is none.
//
// A .git that is there but broken is an error, not a reason to look further up:
// a repository around it is not the one that was meant.
func Discover(start string, env func(string) string) (*Repository, error) {
	start, err := filepath.Abs(start)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(start); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: start, Err: errors.New("not a folder")}
	}
	r := &Repository{}
	found := "" // folder that the git directory was found in, "" with GIT_DIR
	if dir := env("GIT_DIR"); dir != "" {
		if dir, err = gitFile(resolve(start, dir)); err != nil {
			return nil, err
		}
		if err := r.use(dir, env, start); err != nil {
			return nil, err
		}
	} else if found, err = r.search(start, env); err != nil {
		return nil, err
	}
	if err := r.readFormat(); err != nil {
		return nil, err
	}
	if err := r.setWorkTree(start, found, env); err != nil {
		return nil, err
	}
	// git goes to the top of the work tree before it looks at relative paths.
	top := start
	if r.WorkTree != "" && within(r.WorkTree, start) {
		top = r.WorkTree
	}
	r.IndexFile = filepath.Join(r.Dir, "index")
	if f := env("GIT_INDEX_FILE"); f != "" {
		f = resolve(top, f)
		r.indexGiven = f != r.IndexFile
		r.IndexFile = f
	}
	r.objects = filepath.Join(r.CommonDir, "objects")
	if dir := env("GIT_OBJECT_DIRECTORY"); dir != "" {
		r.objects = resolve(top, dir)
	}
	r.alternates, err = splitAlternates(env("GIT_ALTERNATE_OBJECT_DIRECTORIES"), top)
	return r, err
}

// search looks for a git directory in start and the folders above it, and
// returns the folder in which it was found.
func (r *Repository) search(start string, env func(string) string) (string, error) {
	ceilings := filepath.SplitList(env("GIT_CEILING_DIRECTORIES"))
	for dir := start; ; {
		dotGit := filepath.Join(dir, ".git")
		info, err := os.Stat(dotGit)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist) && !isNotDir(err):
			return "", err
		case err != nil:
		case info.Mode().IsRegular():
			git, err := gitFile(dotGit)
			if err != nil {
				return "", err
			}
			return dir, r.use(git, env, start)
		case info.IsDir() && (exists(filepath.Join(dotGit, "HEAD")) || exists(filepath.Join(dotGit, "objects"))):
			return dir, r.use(dotGit, env, start)
		}
		if exists(filepath.Join(dir, "HEAD")) && (&Repository{}).use(dir, env, start) == nil {
			return dir, r.use(dir, env, start)
		}
		up := filepath.Dir(dir)
		if up == dir || contains(ceilings, up) {
			return "", fmt.Errorf("%s: %w (nor is any folder above it)", start, ErrNotRepository)
		}
		dir = up
	}
}

// use takes dir as the git directory, if it is one.
func (r *Repository) use(dir string, env func(string) string, start string) error {
	r.Dir, r.CommonDir = dir, dir
	if common := env("GIT_COMMON_DIR"); common != "" {
		r.CommonDir = resolve(start, common)
	} else if data, err := readRegular(filepath.Join(dir, "commondir"), 1<<16); err == nil {
		r.CommonDir = resolve(dir, strings.TrimRight(string(data), "\r\n"))
	} else if !errors.Is(err, fs.ErrNotExist) && !isNotDir(err) {
		return fmt.Errorf("read commondir: %w", err)
	}
	if err := checkHead(filepath.Join(dir, "HEAD")); err != nil {
		return fmt.Errorf("%s: %w: %w", dir, ErrNotRepository, err)
	}
	objects := env("GIT_OBJECT_DIRECTORY")
	if objects == "" {
		objects = filepath.Join(r.CommonDir, "objects")
	}
	for _, d := range []string{resolve(start, objects), filepath.Join(r.CommonDir, "refs")} {
		if !isDir(d) {
			return fmt.Errorf("%s: %w: no folder %s", dir, ErrNotRepository, d)
		}
	}
	return nil
}

// checkHead tells whether a HEAD file is one: a symbolic link or a reference
// into refs/, or an object id.
func checkHead(path string) error {
	if target, err := os.Readlink(path); err == nil {
		if strings.HasPrefix(filepath.ToSlash(target), "refs/") {
			return nil
		}
	}
	data, err := readRegular(path, 1<<16)
	if err != nil {
		return err
	}
	if target, ok := bytes.CutPrefix(data, []byte("ref:")); ok {
		if bytes.HasPrefix(bytes.TrimLeft(target, " \t\n\r"), []byte("refs/")) {
			return nil
		}
	} else if _, ok := leadingOID(data); ok {
		return nil
	}
	return errors.New("HEAD is neither a reference nor an object id")
}

// leadingOID reads the object id that data begins with.
func leadingOID(data []byte) (pack.OID, bool) {
	n := 0
	for n < len(data) && isHex(data[n]) {
		n++
	}
	id, err := pack.ParseOID(string(data[:n]))
	return id, err == nil
}

func isHex(b byte) bool { return isDigit(b) || b|0x20 >= 'a' && b|0x20 <= 'f' }

// gitFile returns the git directory for path: path itself when it is a folder,
// else the one that the file names ("gitdir: …").
func gitFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNotRepository, err)
	}
	if info.IsDir() {
		return path, nil
	}
	data, err := readRegular(path, 1<<20)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNotRepository, err)
	}
	target, ok := strings.CutPrefix(string(data), "gitdir: ")
	if !ok {
		return "", fmt.Errorf("%s: %w: no gitdir line", path, ErrNotRepository)
	}
	return resolve(filepath.Dir(path), strings.TrimRight(target, "\r\n")), nil
}

// extensions that change nothing about how objects, refs and the index are
// read, with the lowest repositoryformatversion that knows them.
var extensions = map[string]int{
	"noop":                0,
	"preciousobjects":     0, // only forbids gc
	"partialclone":        0, // missing objects are expected, and errors here
	"worktreeconfig":      0,
	"noop-v1":             1,
	"objectformat":        1,
	"refstorage":          1,
	"relativeworktrees":   1,
	"compatobjectformat":  1, // adds a map of names, the objects stay the same
	"submodulepathconfig": 1,
}

// readFormat reads the configuration and refuses what git would refuse: an
// unknown version or extension may change the meaning of anything.
func (r *Repository) readFormat() error {
	var err error
	if r.config, err = r.readConfig(r.CommonDir, "config"); err != nil {
		return err
	}
	if r.config == nil {
		r.config = &gitConfig{}
	}
	v, ok := r.config.get("core", "repositoryformatversion")
	if !ok {
		return nil // older than extensions: git looks at none
	}
	version, err := strconv.Atoi(v.value)
	if err != nil || v.bare {
		return errors.New("read config: core.repositoryformatversion is not a number")
	}
	if version < 0 || version > 1 {
		return fmt.Errorf("read config: repository format version %d is not supported", version)
	}
	for _, v := range r.config.values {
		if v.section != "extensions" {
			continue
		}
		since, known := extensions[v.key]
		switch {
		case v.subsection != "" || !known:
			if version > 0 {
				return fmt.Errorf("read config: unknown repository extension %q", v.key)
			}
			continue
		case since > version:
			return fmt.Errorf("read config: extension %q needs repository format version 1", v.key)
		case v.key == "objectformat":
			switch v.value {
			case "sha1":
				r.Format = pack.SHA1
			case "sha256":
				r.Format = pack.SHA256
			default:
				return fmt.Errorf("read config: unknown object format %q", v.value)
			}
		case v.key == "refstorage" && v.value != "files":
			return fmt.Errorf("read config: ref storage %q is not supported (git refs migrate --ref-format=files turns it into files)", v.value)
		}
	}
	if v, ok := r.config.get("extensions", "worktreeconfig"); ok {
		on, err := v.boolean()
		if err != nil {
			return fmt.Errorf("read config: %w", err)
		}
		if on {
			r.worktree, err = r.readConfig(r.Dir, "config.worktree")
			return err
		}
	}
	return nil
}

// readConfig reads a configuration file, nil when there is none.
func (r *Repository) readConfig(dir, name string) (*gitConfig, error) {
	path := filepath.Join(dir, name)
	c, err := readGitConfig(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read config %s: %w", r.display(path), bareError(err))
	}
	return c, nil
}

// core returns the value of core.key for this worktree. A linked worktree does
// not take it from the configuration that it shares with the others.
func (r *Repository) core(key string) (configValue, bool) {
	if r.worktree != nil {
		if v, ok := r.worktree.get("core", key); ok {
			return v, true
		}
	}
	if r.Dir != r.CommonDir {
		return configValue{}, false
	}
	return r.config.get("core", key)
}

// setWorkTree finds the top of the work tree by git's rules. found is the
// folder that holds the git directory, "" when GIT_DIR named it.
func (r *Repository) setWorkTree(start, found string, env func(string) string) error {
	if dir := env("GIT_WORK_TREE"); dir != "" {
		r.WorkTree = resolve(start, dir)
		return nil
	}
	if v, ok := r.core("worktree"); ok {
		r.WorkTree = resolve(r.Dir, v.value)
		return nil
	}
	if v, ok := r.core("bare"); ok {
		bare, err := v.boolean()
		if err != nil {
			return fmt.Errorf("read config: %w", err)
		}
		if bare {
			return nil
		}
	}
	switch {
	case found == "":
		r.WorkTree = start
	case found != r.Dir:
		r.WorkTree = found
	}
	return nil
}

// Bare reports whether the repository has no work tree.
func (r *Repository) Bare() bool { return r.WorkTree == "" }

// Promisor reports whether the repository is a partial clone: objects may be
// absent until git fetches them, which this package never does.
func (r *Repository) Promisor() bool {
	if _, ok := r.config.get("extensions", "partialclone"); ok {
		return true
	}
	for _, v := range r.config.values {
		if v.section == "remote" && v.key == "promisor" {
			if on, err := v.boolean(); err == nil && on {
				return true
			}
		}
	}
	return false
}

// maxObject is the size up to which an object is read whole. Four times as much
// is the largest delta that the store puts together: 512 MiB, above which git
// makes no deltas (core.bigFileThreshold).
const maxObject = 128 << 20

// Store returns the object store, which is opened at the first call.
func (r *Repository) Store() (*pack.Store, error) {
	r.open.Do(func() {
		r.store, r.err = pack.Open(r.objects, pack.Options{Format: r.Format, Alternates: r.alternates, MaxObject: maxObject})
		if r.err != nil {
			r.err = fmt.Errorf("open object store %s: %w", r.display(r.objects), r.err)
		}
	})
	return r.store, r.err
}

// Close closes the object store.
func (r *Repository) Close() error {
	r.open.Do(func() { r.err = errors.New("repository is closed") })
	if r.store != nil {
		return r.store.Close()
	}
	return nil
}

// display shortens a path for a message: relative to the work tree (or the
// folder around the git directory) when it is inside of it.
func (r *Repository) display(path string) string {
	top := r.WorkTree
	if top == "" {
		top = filepath.Dir(r.Dir)
	}
	if within(top, path) {
		if rel, err := filepath.Rel(top, path); err == nil {
			return filepath.ToSlash(rel)
		}
	}
	return path
}

// splitAlternates splits GIT_ALTERNATE_OBJECT_DIRECTORIES. An entry that begins
// with a double quote is quoted as in C.
func splitAlternates(list, base string) ([]string, error) {
	var dirs []string
	for list != "" {
		var dir string
		if list[0] == '"' {
			quoted, err := strconv.QuotedPrefix(list)
			if err == nil {
				dir, err = strconv.Unquote(quoted)
			}
			if err != nil {
				return nil, errors.New("GIT_ALTERNATE_OBJECT_DIRECTORIES: a quote is not closed")
			}
			list = strings.TrimPrefix(list[len(quoted):], string(os.PathListSeparator))
		} else {
			dir, list, _ = strings.Cut(list, string(os.PathListSeparator))
		}
		if dir != "" {
			dirs = append(dirs, resolve(base, dir))
		}
	}
	return dirs, nil
}

// resolve makes path absolute, relative paths starting at base.
func resolve(base, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(base, path)
}

// within reports whether path is dir or lies below it.
func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x != "" && filepath.Clean(x) == s {
			return true
		}
	}
	return false
}

func exists(path string) bool { _, err := os.Lstat(path); return err == nil }

func isDir(path string) bool { info, err := os.Stat(path); return err == nil && info.IsDir() }

// isNotDir reports whether a parent of a path was a file.
func isNotDir(err error) bool { return errors.Is(err, errNotDir) }

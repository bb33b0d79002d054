package source

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/till-sh/till/scanner/pack"
)

// tipKind says what keeps an object from being unreachable.
type tipKind uint8

const (
	tipRef    tipKind = iota // a ref under refs/
	tipHead                  // the HEAD of a worktree
	tipPseudo                // ORIG_HEAD and its like
	tipReflog                // an entry of a reflog
)

// tip is a name and the object that it stands for.
type tip struct {
	name string
	oid  pack.OID
	kind tipKind
}

// refs are all names that a repository gives to objects.
type refs struct {
	// tips are sorted by kind, name and id, so that refs come first.
	tips []tip
	// problems name what could not be read.
	problems []string
	// head is the commit of this worktree's HEAD, zero when it is unborn.
	head pack.OID
}

// pseudoRefs are the files in a git directory that hold object ids, besides HEAD
// (gitglossary(7), "pseudoref"). Others whose name ends in _HEAD are read where
// they hold one.
var pseudoRefs = []string{
	"AUTO_MERGE", "BISECT_EXPECTED_REV", "BISECT_HEAD", "CHERRY_PICK_HEAD", "FETCH_HEAD", "MERGE_AUTOSTASH", "MERGE_HEAD",
	"NOTES_MERGE_PARTIAL", "ORIG_HEAD", "REBASE_HEAD", "REVERT_HEAD",
}

// maxRefFile is the largest loose ref, packed-refs or reflog that is read. A
// reflog line has about 200 bytes; a million entries are 200 MB.
const maxRefFile = 1 << 30

// refReader collects refs.
type refReader struct {
	r     *Repository
	loose map[string]pack.OID // refs and HEADs; zero where the ref dangles
	links map[string]string   // symbolic refs
	refs  *refs
}

// readRefs reads all refs, the HEADs and pseudo refs of all worktrees, and all
// reflogs.
func (r *Repository) readRefs() *refs {
	rr := &refReader{r: r, loose: map[string]pack.OID{}, links: map[string]string{}, refs: &refs{}}
	rr.packed()
	rr.tree(filepath.Join(r.CommonDir, "refs"), "refs", 0)
	rr.gitDir(r.CommonDir, "")
	rr.reflogs(filepath.Join(r.CommonDir, "logs"), "", 0)
	worktrees, err := os.ReadDir(filepath.Join(r.CommonDir, "worktrees"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		rr.problem("read worktrees: %v", err)
	}
	for _, w := range worktrees {
		dir, name := filepath.Join(r.CommonDir, "worktrees", w.Name()), "worktrees/"+w.Name()+"/"
		if !isDir(dir) {
			continue
		}
		if isDir(filepath.Join(dir, "refs")) {
			rr.tree(filepath.Join(dir, "refs"), name+"refs", 0)
		}
		rr.gitDir(dir, name)
		rr.reflogs(filepath.Join(dir, "logs"), name, 0)
	}
	rr.resolve()
	out := rr.refs
	slices.SortFunc(out.tips, func(a, b tip) int {
		if a.kind != b.kind {
			return int(a.kind) - int(b.kind)
		}
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return a.oid.Compare(b.oid)
	})
	slices.Sort(out.problems)
	return out
}

func (rr *refReader) problem(format string, args ...any) {
	rr.refs.problems = append(rr.refs.problems, fmt.Sprintf(format, args...))
}

// packed reads packed-refs. Loose refs, read later, win over it.
func (rr *refReader) packed() {
	data, err := readRegular(filepath.Join(rr.r.CommonDir, "packed-refs"), maxRefFile)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		rr.problem("read packed-refs: %v", err)
		return
	}
	hex := 2 * rr.r.Format.Size()
	for n := 1; len(data) > 0; n++ {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 || line[0] == '#' || line[0] == '^' {
			continue // a peeled id is found from the tag
		}
		id, ok := leadingOID(line)
		if !ok || len(line) < hex+2 || line[hex] != ' ' {
			rr.problem("read packed-refs: line %d is not a ref", n)
			continue
		}
		rr.loose[string(line[hex+1:])] = id
	}
}

// maxRefDepth is how deep folders of refs may be nested; a file name of 4,096
// bytes cannot hold more components.
const maxRefDepth = 2048

// tree reads the loose refs below a folder.
func (rr *refReader) tree(dir, name string, depth int) {
	entries, err := os.ReadDir(dir)
	if err != nil || depth > maxRefDepth {
		rr.problem("read %s: %v", name, orDeep(err))
		return
	}
	for _, e := range entries {
		path, ref := filepath.Join(dir, e.Name()), name+"/"+e.Name()
		if strings.HasPrefix(e.Name(), ".") || strings.HasSuffix(e.Name(), ".lock") {
			continue // git does not take these for refs
		}
		if e.IsDir() {
			rr.tree(path, ref, depth+1)
			continue
		}
		if target, err := os.Readlink(path); err == nil {
			if target = filepath.ToSlash(target); strings.HasPrefix(target, "refs/") {
				rr.links[ref] = target
				continue
			}
		}
		rr.file(path, ref, tipRef)
	}
}

func orDeep(err error) error {
	if err == nil {
		return errors.New("folders are nested too deeply")
	}
	return err
}

// file reads a loose ref, a HEAD or a pseudo ref.
func (rr *refReader) file(path, name string, kind tipKind) {
	data, err := readRegular(path, maxRefFile)
	if err != nil {
		rr.problem("read ref %s: %v", name, err)
		return
	}
	if target, ok := bytes.CutPrefix(data, []byte("ref:")); ok {
		rr.links[name] = string(bytes.TrimSpace(target))
		return
	}
	id, ok := leadingOID(data)
	if rest := data[min(len(data), 2*rr.r.Format.Size()):]; !ok || len(rest) > 0 && !isConfigSpace(rest[0]) && rest[0] != '\n' {
		rr.problem("read ref %s: it holds neither an object id nor the name of a ref", name)
		return
	}
	if kind == tipRef || kind == tipHead {
		rr.loose[name] = id
		return
	}
	// FETCH_HEAD and MERGE_HEAD can have several lines.
	for line := range bytes.Lines(data) {
		if id, ok := leadingOID(line); ok {
			rr.add(name, id, kind)
		}
	}
}

func (rr *refReader) add(name string, id pack.OID, kind tipKind) {
	if !isNull(id) {
		rr.refs.tips = append(rr.refs.tips, tip{name, id, kind})
	}
}

// isNull reports whether id is none or the id of forty zeros that git writes
// for "no object".
func isNull(id pack.OID) bool {
	return id.IsZero() || id == nullSHA1 || id == nullSHA256
}

var nullSHA1, nullSHA256 = pack.OIDFromBytes(make([]byte, 20)), pack.OIDFromBytes(make([]byte, 32))

// gitDir reads HEAD and the pseudo refs of one worktree.
func (rr *refReader) gitDir(dir, prefix string) {
	head := filepath.Join(dir, "HEAD")
	if target, err := os.Readlink(head); err == nil && strings.HasPrefix(filepath.ToSlash(target), "refs/") {
		rr.links[prefix+"HEAD"] = filepath.ToSlash(target)
	} else {
		rr.file(head, prefix+"HEAD", tipHead)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		rr.problem("read %s: %v", rr.r.display(dir), err)
	}
	for _, e := range entries {
		name := e.Name()
		if name == "HEAD" || e.IsDir() {
			continue
		}
		path := filepath.Join(dir, name)
		known := slices.Contains(pseudoRefs, name)
		if !known && strings.HasSuffix(name, "_HEAD") && strings.ToUpper(name) == name {
			data, err := readRegular(path, maxRefFile)
			_, known = leadingOID(data)
			known = known && err == nil
		}
		if info, err := e.Info(); err == nil && info.Size() == 0 && name == "FETCH_HEAD" {
			continue // "git fetch" that fetched nothing
		}
		if known {
			rr.file(path, prefix+name, tipPseudo)
		}
	}
}

// resolve turns loose refs and symbolic refs into tips.
func (rr *refReader) resolve() {
	for name, id := range rr.loose {
		kind := tipRef
		if name == "HEAD" || strings.HasSuffix(name, "/HEAD") && strings.HasPrefix(name, "worktrees/") {
			kind = tipHead
		}
		rr.add(name, id, kind)
	}
	own := rr.r.headName()
	if id, ok := rr.loose[own]; ok {
		rr.refs.head = id
	}
	for name, target := range rr.links {
		id, err := rr.follow(target)
		if err != nil {
			rr.problem("read ref %s: %v", name, err)
			continue
		}
		if id.IsZero() {
			continue // unborn HEAD, or refs/remotes/origin/HEAD of a branch that is gone
		}
		kind := tipRef
		if !strings.HasPrefix(name, "refs/") {
			kind = tipHead
		}
		rr.add(name, id, kind)
		if name == own {
			rr.refs.head = id
		}
	}
}

// headName is the name under which the HEAD of this worktree is collected.
func (r *Repository) headName() string {
	if r.Dir == r.CommonDir {
		return "HEAD"
	}
	return "worktrees/" + filepath.Base(r.Dir) + "/HEAD"
}

// follow resolves a symbolic ref, the zero OID when its end does not exist.
func (rr *refReader) follow(name string) (pack.OID, error) {
	for range 6 { // git gives up after five levels
		if id, ok := rr.loose[name]; ok {
			return id, nil
		}
		next, ok := rr.links[name]
		if !ok {
			return pack.OID{}, nil
		}
		name = next
	}
	return pack.OID{}, errors.New("too many levels of symbolic refs")
}

// reflogs reads all reflogs below a folder. Entries are named as git names
// them: HEAD@{0} is the newest.
func (rr *refReader) reflogs(dir, name string, depth int) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil || depth > maxRefDepth {
		rr.problem("read reflogs in %s: %v", rr.r.display(dir), orDeep(err))
		return
	}
	for _, e := range entries {
		path, ref := filepath.Join(dir, e.Name()), name+e.Name()
		switch {
		case e.IsDir():
			rr.reflogs(path, ref+"/", depth+1)
		case strings.HasSuffix(ref, ".lock"):
		default:
			rr.reflog(path, ref)
		}
	}
}

func (rr *refReader) reflog(path, name string) {
	data, err := readRegular(path, maxRefFile)
	if err != nil {
		rr.problem("read reflog of %s: %v", name, err)
		return
	}
	hex := 2 * rr.r.Format.Size()
	var ids []pack.OID // oldest first
	for n, line := range slices.Collect(bytes.Lines(data)) {
		old, ok := leadingOID(line)
		if !ok || len(line) < 2*hex+1 || line[hex] != ' ' {
			rr.problem("read reflog of %s: line %d is not an entry", name, n+1)
			continue
		}
		id, ok := leadingOID(line[hex+1:])
		if !ok {
			rr.problem("read reflog of %s: line %d is not an entry", name, n+1)
			continue
		}
		// The log may begin after the ref did, and may have gaps.
		if len(ids) == 0 || ids[len(ids)-1] != old {
			ids = append(ids, old)
		}
		ids = append(ids, id)
	}
	seen := make(map[pack.OID]bool, len(ids))
	for i := len(ids) - 1; i >= 0; i-- {
		if !seen[ids[i]] {
			seen[ids[i]] = true
			rr.add(fmt.Sprintf("%s@{%d}", name, len(ids)-1-i), ids[i], tipReflog)
		}
	}
}

// readShallow returns the commits that a shallow clone ends at.
func (r *Repository) readShallow() ([]pack.OID, error) {
	data, err := readRegular(filepath.Join(r.CommonDir, "shallow"), maxRefFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read shallow: %w", err)
	}
	var ids []pack.OID
	for line := range bytes.Lines(data) {
		id, ok := leadingOID(line)
		if !ok {
			return nil, fmt.Errorf("read shallow: line %d is not an object id", len(ids)+1)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

package source

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/till-sh/till/scanner/pack"
)

// ref looks up one ref by its full name ("HEAD", "refs/heads/main") without
// reading the others. ok is false when it does not exist, which for HEAD means
// that there is no commit yet.
func (r *Repository) ref(name string) (id pack.OID, ok bool, err error) {
	full := name
	for range 6 { // git gives up after five levels
		path := filepath.Join(r.refDir(name), filepath.FromSlash(name))
		if target, err := os.Readlink(path); err == nil && strings.HasPrefix(filepath.ToSlash(target), "refs/") {
			name = filepath.ToSlash(target)
			continue
		}
		data, err := readRegular(path, 1<<16)
		switch {
		case errors.Is(err, fs.ErrNotExist) || isNotDir(err) || errors.Is(err, errNotRegular) && isDir(path):
			return r.packedRef(name)
		case err != nil:
			return id, false, fmt.Errorf("read ref %s: %w", full, bareError(err))
		}
		if target, ok := bytes.CutPrefix(data, []byte("ref:")); ok {
			name = string(bytes.TrimSpace(target))
			if name == "" || !filepath.IsLocal(filepath.FromSlash(name)) {
				return id, false, fmt.Errorf("read ref %s: it names no ref", full)
			}
			continue
		}
		if id, ok = leadingOID(data); !ok {
			return id, false, fmt.Errorf("read ref %s: it holds neither an object id nor the name of a ref", full)
		}
		return id, true, nil
	}
	return id, false, fmt.Errorf("read ref %s: too many levels of symbolic refs", full)
}

// refDir is the directory in which a ref is stored: some refs belong to one
// worktree. (gitrepository-layout(5))
func (r *Repository) refDir(name string) string {
	for _, own := range []string{"refs/bisect/", "refs/worktree/", "refs/rewritten/"} {
		if strings.HasPrefix(name, own) {
			return r.Dir
		}
	}
	if strings.HasPrefix(name, "refs/") {
		return r.CommonDir
	}
	return r.Dir
}

func (r *Repository) packedRef(name string) (id pack.OID, ok bool, err error) {
	data, err := readRegular(filepath.Join(r.CommonDir, "packed-refs"), maxRefFile)
	if errors.Is(err, fs.ErrNotExist) {
		return id, false, nil
	}
	if err != nil {
		return id, false, fmt.Errorf("read packed-refs: %w", bareError(err))
	}
	needle := []byte(" " + name)
	for from := 0; ; {
		i := bytes.Index(data[from:], needle)
		if i < 0 {
			return id, false, nil
		}
		i += from
		from = i + len(needle)
		start := bytes.LastIndexByte(data[:i], '\n') + 1
		if rest := data[from:]; len(rest) > 0 && rest[0] != '\n' && rest[0] != '\r' || i-start != 2*r.Format.Size() {
			continue // part of a longer name, or of the header
		}
		id, ok = leadingOID(data[start:i])
		if !ok {
			return id, false, fmt.Errorf("read packed-refs: the line of %s is not a ref", name)
		}
		return id, true, nil
	}
}

// heads returns the commits that the next commit will have as parents: HEAD,
// none when it is unborn, and during a merge the commits that are merged.
func (r *Repository) heads() ([]pack.OID, error) {
	var ids []pack.OID
	id, ok, err := r.ref("HEAD")
	if err != nil {
		return nil, err
	}
	if ok {
		ids = append(ids, id)
	}
	data, err := readRegular(filepath.Join(r.Dir, "MERGE_HEAD"), maxRefFile)
	if errors.Is(err, fs.ErrNotExist) {
		return ids, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read MERGE_HEAD: %w", bareError(err))
	}
	for line := range bytes.Lines(data) {
		id, ok := leadingOID(line)
		if !ok {
			return nil, errors.New("read MERGE_HEAD: it does not hold object ids")
		}
		ids = append(ids, id)
	}
	return ids, nil
}

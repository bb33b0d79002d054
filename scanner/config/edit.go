package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/till-sh/till/scanner"
)

// NewEntry makes the entry that allows a key. The reason is brought onto one
// line; it must not hold the value, and it must be there for a key that its
// checksum proves genuine, because the entry would not apply without. glob,
// until and by may be empty.
func NewEntry(k *scanner.Key, glob, reason, by, until string) (Entry, error) {
	e := Entry{Key: k.Fingerprint, ID: k.ID, Glob: glob, Reason: strings.Join(strings.Fields(reason), " "), By: by, Until: until}
	if slices.ContainsFunc(k.Values(), func(v scanner.Secret) bool { return v.Len() > 0 && strings.Contains(reason, v.Reveal()) }) {
		return Entry{}, fmt.Errorf("allow %s: the reason holds the key itself", k.ID)
	}
	if e.Reason == "" && proven(k) {
		return Entry{}, fmt.Errorf("allow %s: its checksum proves it genuine, so that a reason is needed", k.ID)
	}
	if err := e.check(); err != nil {
		return Entry{}, fmt.Errorf("allow %s: %w", k.ID, err)
	}
	return e, nil
}

// Add writes entries into the .tillignore at path, which is made if it is not
// there. An entry that stands there already, with the same key and glob, is
// replaced. Text that cannot stand in a line (a line end in a reason) is an
// error and changes nothing.
func Add(path string, entries ...Entry) error {
	return Edit(path, func(g *Ignore) error {
		for _, e := range entries {
			if err := e.check(); err != nil {
				return err
			}
			old := -1
			for i := range g.Entries {
				if o := &g.Entries[i]; o.Key == e.Key && o.Glob == e.Glob {
					old = i
					break
				}
			}
			if old < 0 {
				g.Entries = append(g.Entries, e)
				continue
			}
			e.Comments = g.Entries[old].Comments
			g.Entries[old] = e
		}
		return nil
	})
}

// Edit reads the .tillignore at path (empty when it is not there), lets change
// alter its entries, and writes the canonical form back, if that differs. The
// file is replaced in one step, so that a reader never sees half of it; its
// mode and line ends stay. A symlink or anything else but a regular file is an
// error, and so is a file that cannot be understood: nothing in it is lost.
//
// Two Edits at the same time do not know of each other; the later one counts.
func Edit(path string, change func(*Ignore) error) (err error) {
	mode := fs.FileMode(0o644)
	var old []byte
	g := &Ignore{file: path}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("read %s: %w", path, cause(err))
	default:
		if err := checkInfo(info); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		mode = info.Mode().Perm()
		if old, err = os.ReadFile(path); err != nil {
			return fmt.Errorf("read %s: %w", path, cause(err))
		}
		if g, err = ParseIgnore(path, old); err != nil {
			return err
		}
	}
	if err := change(g); err != nil {
		return err
	}
	text := g.Format()
	if string(text) == string(old) {
		return nil
	}
	if len(text) > maxFile {
		return fmt.Errorf("write %s: %w", path, errTooLarge)
	}
	// What was written must be readable: a broken file would stop every scan.
	if _, err := ParseIgnore(path, text); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return replaceFile(path, text, mode)
}

// replaceFile writes a file beside path and renames it over.
func replaceFile(path string, data []byte, mode fs.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".tillignore-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, cause(err))
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
			err = fmt.Errorf("write %s: %w", path, cause(err))
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	// CreateTemp makes files that nobody else can read.
	if err = f.Chmod(mode); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

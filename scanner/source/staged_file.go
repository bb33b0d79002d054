package source

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
)

// StagedFile is one file as the index has it.
type StagedFile struct {
	Mode uint32 // git's: 0o100644, 0o100755, 0o120000 for a link
	Hash string // object id in hexadecimal
	Data []byte
	// InHead says that HEAD has a file of this name.
	InHead bool
}

// File reads a file of the index, named relative to the top of the work tree
// with slashes. One that is not there is fs.ErrNotExist; one with several
// versions (an unfinished merge) is an error. Not safe for use at the same time
// as Each.
func (s *Staged) File(path string) (*StagedFile, error) {
	ix, err := s.index()
	if err != nil {
		return nil, err
	}
	var entry *indexEntry
	for i := range ix.entries {
		e := &ix.entries[i]
		switch {
		case !bytes.Equal(e.path, []byte(path)):
		case e.stage != 0:
			return nil, fmt.Errorf("%s: its merge is not finished", path)
		default:
			entry = e
		}
	}
	if entry == nil {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	store, err := s.repo.Store()
	if err != nil {
		return nil, err
	}
	_, data, err := store.Get(entry.oid())
	if err != nil {
		return nil, objectError(entry.oid(), err)
	}
	f := &StagedFile{Mode: entry.mode, Hash: entry.oid().String(), Data: bytes.Clone(data)}
	if head, err := s.repo.TreeFS("HEAD"); err == nil {
		if _, err := fs.Stat(head, path); err == nil {
			f.InHead = true
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return f, nil
}

package source

import (
	"bytes"
	"slices"
)

// RemoteURL is the address that the repository's configuration gives a remote,
// "" when there is none. It is the repository's word, not the person's, and may
// hold a password.
func (r *Repository) RemoteURL(name string) string {
	for i := len(r.config.values) - 1; i >= 0; i-- {
		if v := r.config.values[i]; v.section == "remote" && v.subsection == name && v.key == "url" {
			return v.value
		}
	}
	return ""
}

// Tracks reports whether the index holds a file, named relative to the top of
// the work tree with slashes. Not safe for use at the same time as Each.
func (s *Staged) Tracks(path string) (bool, error) {
	ix, err := s.index()
	if err != nil {
		return false, err
	}
	_, found := slices.BinarySearchFunc(ix.entries, []byte(path), func(e indexEntry, path []byte) int { return bytes.Compare(e.path, path) })
	return found, nil
}

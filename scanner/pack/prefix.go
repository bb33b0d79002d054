package pack

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// WithPrefix returns the ids that begin with the hexadecimal digits of prefix,
// of which it takes at least two, sorted, each once. It is for abbreviated ids
// that a person wrote; packs without an index are not looked at.
func (s *Store) WithPrefix(prefix string) []OID {
	if len(prefix) < 2 {
		return nil
	}
	first, err := hex.DecodeString(prefix[:2])
	if err != nil {
		return nil
	}
	st := s.state.Load()
	var found []OID
	add := func(id OID) {
		if strings.HasPrefix(id.String(), prefix) {
			found = append(found, id)
		}
	}
	for _, p := range st.packs {
		x := p.table()
		if x == nil {
			continue
		}
		lo := 0
		if b := first[0]; b > 0 {
			lo = int(x.fanout[b-1])
		}
		for i := lo; i < int(x.fanout[first[0]]); i++ {
			add(x.id(i))
		}
	}
	for _, dir := range st.dirs {
		entries, _ := os.ReadDir(filepath.Join(dir, prefix[:2]))
		for _, e := range entries {
			if id, err := ParseOID(prefix[:2] + e.Name()); err == nil {
				add(id)
			}
		}
	}
	slices.SortFunc(found, OID.Compare)
	return slices.Compact(found)
}

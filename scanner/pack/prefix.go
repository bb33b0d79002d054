package pack

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

// WithPrefix returns the ids that begin with the hexadecimal digits of prefix,
// of which it takes at least two, of either case; sorted, each once. It is for
// abbreviated ids that a person wrote. What cannot be read is left out, and so
// are packs without an index.
func (s *Store) WithPrefix(prefix string) (found []OID) {
	var fault error // in an index: the rest is left out
	defer guardFault(debug.SetPanicOnFault(true), &fault)
	prefix = strings.ToLower(prefix)
	if len(prefix) < 2 || len(prefix) > 2*s.opt.Format.Size() {
		return nil
	}
	first, err := hex.DecodeString(prefix[:2])
	if err != nil {
		return nil
	}
	defer func() {
		slices.SortFunc(found, OID.Compare)
		found = slices.Compact(found)
	}()
	add := func(id OID) {
		if strings.HasPrefix(id.String(), prefix) {
			found = append(found, id)
		}
	}
	st := s.state.Load()
	for _, dir := range st.dirs {
		entries, _ := os.ReadDir(filepath.Join(dir, prefix[:2]))
		for _, e := range entries {
			if id, err := ParseOID(prefix[:2] + e.Name()); err == nil && int(id.n) == s.opt.Format.Size() {
				add(id)
			}
		}
	}
	for _, p := range st.packs {
		lo := uint32(0)
		if b := first[0]; b > 0 {
			lo = p.idx.fanout[b-1]
		}
		for i := lo; i < p.idx.fanout[first[0]]; i++ {
			add(p.idx.id(int(i)))
		}
	}
	return found
}

package source

import "github.com/till-sh/till/scanner/pack"

// hashSet remembers 64-bit hashes, and forgets all of them when it has grown to
// its limit: it only saves work.
type hashSet struct {
	slots []uint64
	n     int
}

// maxHashSet is the number of slots of a full set: 32 MB for each worker.
const maxHashSet = 4 << 20

// add reports whether the hash was not in the set.
func (s *hashSet) add(h uint64) bool {
	if h == 0 {
		return true // stands for an empty slot
	}
	if s.n*2 >= len(s.slots) {
		s.grow()
	}
	for i := h & uint64(len(s.slots)-1); ; i = (i + 1) & uint64(len(s.slots)-1) {
		switch s.slots[i] {
		case h:
			return false
		case 0:
			s.slots[i] = h
			s.n++
			return true
		}
	}
}

func (s *hashSet) grow() {
	old := s.slots
	if len(old) >= maxHashSet {
		clear(old)
		s.n = 0
		return
	}
	s.slots, s.n = make([]uint64, max(1<<12, 4*len(old))), 0
	for _, h := range old {
		if h != 0 {
			s.add(h)
		}
	}
}

// isEmptyObject reports whether id is the empty tree or blob, which git knows
// without having it in the store.
func isEmptyObject(id pack.OID) bool {
	return id == emptyTree[0] || id == emptyTree[1] || id == emptyBlob[0] || id == emptyBlob[1]
}

// The ids of the empty tree and blob, by format.
var emptyTree, emptyBlob = [2]pack.OID{
	mustOID("4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
	mustOID("6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"),
}, [2]pack.OID{
	mustOID("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
	mustOID("473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"),
}

func mustOID(s string) pack.OID {
	id, err := pack.ParseOID(s)
	if err != nil {
		panic(err)
	}
	return id
}

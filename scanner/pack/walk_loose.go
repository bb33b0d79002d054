package pack

import (
	"fmt"
	"os"
	"path/filepath"
)

// looseFolder walks one of the 256 folders of loose objects, in all directories.
func (w *walker) looseFolder(fan int) {
	name := fmt.Sprintf("%02x", fan)
	var seen []tableEntry
	for _, dir := range w.st.dirs {
		dir = filepath.Join(dir, name)
		list, err := os.ReadDir(dir)
		if err != nil {
			if !isGone(err) {
				w.damaged(&CorruptError{Pack: dir, Err: err})
			}
			continue
		}
		before := newTable(w.s.opt.Format, seen)
		for _, f := range list {
			if w.halt.Load() {
				return
			}
			id, ok := looseID(name, f.Name(), w.s.opt.Format)
			if !ok {
				continue
			}
			if before.find(&id) >= 0 || w.listed(&id) || w.opt.Want != nil && !w.opt.Want(id) {
				continue
			}
			if w.visitLoose(filepath.Join(dir, f.Name()), id) {
				seen = append(seen, tableEntry{id: id})
			}
		}
	}
	w.errMu.Lock()
	defer w.errMu.Unlock()
	w.looseSeen = append(w.looseSeen, seen...)
}

// listed reports whether an object stands in a pack, or was seen in a round
// before.
func (w *walk) listed(id *OID) bool {
	for _, x := range w.tables {
		if x.find(id) >= 0 {
			return true
		}
	}
	return false
}

// visitLoose reads a loose object and passes it on. It reports whether the object
// was there, in whatever state.
func (w *walker) visitLoose(path string, id OID) bool {
	types := w.types & w.opt.Part.types(id)
	if types == 0 {
		return true
	}
	t, size, data, err := w.s.readLoose(w.sc, path, &id, nil, w.s.opt.MaxObject, types)
	switch {
	case err == errUnwanted:
		return true
	case err == ErrTooLarge:
		data, err = nil, nil
	case err != nil:
		// Damaged, or packed a moment ago: anywhere else will do.
		first := err
		if t, data, err = w.s.Get(id); err != nil {
			if !isGone(first) {
				err = corrupt(id, place{}, first)
			} else if _, ok := err.(*CorruptError); !ok {
				return false // pruned a moment ago
			}
			w.damaged(err.(*CorruptError))
			return true
		}
		w.passApart(id, t, data)
		return true
	}
	w.obj = Object{ID: id, Type: t, Size: size, Data: data, store: w.s, w: w}
	w.call()
	return true
}

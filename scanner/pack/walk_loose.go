package pack

import (
	"fmt"
	"os"
	"path/filepath"
)

// looseFolder walks one of the 256 folders of loose objects of a directory.
func (w *walker) looseFolder(wk work) {
	name := fmt.Sprintf("%02x", wk.fan)
	dir := filepath.Join(wk.dir, name)
	list, err := os.ReadDir(dir)
	if err != nil {
		if !isGone(err) {
			w.damaged(&CorruptError{Pack: dir, Err: err})
		}
		return
	}
	for _, f := range list {
		if w.halt.Load() {
			return
		}
		id, err := ParseOID(name + f.Name())
		if err != nil || int(id.n) != w.s.opt.Format.Size() || id.String() != name+f.Name() {
			continue // tmp_obj_…, or not git's
		}
		if !w.elsewhereFirst(wk.nth, &id) && (w.opt.Want == nil || w.opt.Want(id)) {
			w.visitLoose(filepath.Join(dir, f.Name()), id)
		}
	}
}

// elsewhereFirst reports whether a pack, or an earlier directory, holds an object
// too.
func (w *walk) elsewhereFirst(nth int, id *OID) bool {
	for _, p := range w.todo {
		if p.table().find(id) >= 0 {
			return true
		}
	}
	for _, dir := range w.st.dirs[:nth] {
		if fi, err := os.Stat(loosePath(dir, id)); err == nil && fi.Mode().IsRegular() {
			return true
		}
	}
	return false
}

func (w *walker) visitLoose(path string, id OID) {
	t, size, data, err := w.s.readLoose(w.sc, path, &id, w.s.opt.MaxObject, w.types)
	switch {
	case err == errUnwanted:
		return
	case err == ErrTooLarge:
		data, err = nil, nil
	case err != nil:
		// Damaged, or packed a moment ago: anywhere else will do.
		first := err
		if t, data, err = w.s.Get(id); err != nil {
			if !isGone(first) {
				err = corrupt(id, place{}, first)
			} else if _, ok := err.(*CorruptError); !ok {
				return // pruned a moment ago
			}
			w.damaged(err.(*CorruptError))
			return
		}
		w.passApart(id, t, data)
		return
	}
	w.obj = Object{ID: id, Type: t, Size: size, Data: data, store: w.s, w: w}
	w.call()
}

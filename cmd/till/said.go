package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/scanner"
)

// What a person has said about the servers of a case (--set, or the answer to a
// question) holds for the next command as well. It stands in his own folder and
// not in the repository, which may be anybody's, and for this repository alone.

// saidFile is the content: by git directory, by fingerprint, by name.
type saidFile map[string]map[string]map[string]string

func saidPath(e *env) string {
	if dir := stateDir(e); filepath.IsAbs(dir) { // a relative one could lie in what is scanned
		return filepath.Join(dir, "said.json")
	}
	return ""
}

// readSaid is empty where nothing was said, or cannot be read: then it is asked
// again.
func readSaid(e *env) saidFile {
	all := saidFile{}
	if data, err := os.ReadFile(saidPath(e)); err == nil {
		_ = json.Unmarshal(data, &all)
	}
	return all
}

// jobAsSaid makes the job for a case: what was said before holds unless it is
// said otherwise now, and what is said now is kept.
func (w *workshop) jobAsSaid(k *scanner.Key) *rotate.Job {
	j := w.job(k)
	if w.repo == nil || saidPath(w.e) == "" {
		return j
	}
	j.Given = maps.Clone(w.given)
	before := readSaid(w.e)[w.repo.CommonDir][k.Fingerprint]
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, ok := j.Given[name]; !ok {
			j.Given[name] = before[name]
			fmt.Fprintf(w.e.stderr, "till: note: %s=%s, as you said before (--set %s=… says otherwise)\n", printable(name), printable(before[name]), printable(name))
		}
	}
	now := maps.Clone(w.given)
	delete(now, "name") // of one new key
	w.keepSaid(k, now)
	j.Said = func(name, text string) { w.keepSaid(k, map[string]string{name: text}) }
	return j
}

// keepSaid writes names down. That it cannot be written keeps nobody from
// working: the next command asks again.
func (w *workshop) keepSaid(k *scanner.Key, names map[string]string) {
	if len(names) == 0 {
		return
	}
	all := readSaid(w.e)
	if all[w.repo.CommonDir] == nil {
		all[w.repo.CommonDir] = map[string]map[string]string{}
	}
	of := all[w.repo.CommonDir]
	if of[k.Fingerprint] == nil {
		of[k.Fingerprint] = map[string]string{}
	}
	was := maps.Clone(of[k.Fingerprint])
	maps.Copy(of[k.Fingerprint], names)
	if maps.Equal(was, of[k.Fingerprint]) {
		return
	}
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return
	}
	file := saidPath(w.e)
	if os.MkdirAll(filepath.Dir(file), 0o700) != nil {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".said-*") // mode 0600
	if err != nil {
		return
	}
	_, err = f.Write(append(data, '\n'))
	if err := errors.Join(err, f.Close()); err != nil || os.Rename(f.Name(), file) != nil {
		_ = os.Remove(f.Name())
	}
}

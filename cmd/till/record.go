package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/report"
	"github.com/till-sh/till/scanner/source"
)

// newRecord makes what a history scan needs to leave out what an earlier one
// looked at: nil where there can be no key.
func newRecord(e *env, s *settings, o scanner.Options) *source.Record {
	key, err := recordKey(e)
	if err != nil {
		return nil
	}
	config, err := recordConfig(s, o)
	if err != nil {
		return nil
	}
	return &source.Record{Key: key, Config: config}
}

// recall returns what the last scan of a history found when nothing has changed
// since, nil to scan. Where somebody has to have the values themselves, to show
// them, to ask for them or to mask them in reports of other repositories, it is no
// help: only their masks were kept. So the configuration has to say what it said
// then (see saidOf), which is for the caller to compare.
func (t *target) recall(e *env, engine *scanner.Engine, showSecrets bool) (result *scanner.Result, said [sha256.Size]byte) {
	if t.history == nil {
		return nil, said
	}
	data, ok := bytes.CutPrefix(t.history.Answer(), []byte(t.names(e)))
	if !ok || len(data) < len(said) || showSecrets || t.ask != nil || t.part {
		return nil, said
	}
	result, err := scanner.LoadResult(data[copy(said[:], data):], engine.Rule)
	if err != nil {
		return nil, said
	}
	return result, said
}

// saidOf stands for what configuration and decisions add to a report: remarks,
// faults and reasons, in which a value may stand.
func saidOf(r *scanner.Result) [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q", r.Summary.Notes, r.Summary.Errors)
	for i := range r.Suppressed {
		if s := r.Suppressed[i].Suppressed; s != nil {
			fmt.Fprintf(h, " %q", []string{s.Kind, s.Reason, s.By, s.Until, s.Source})
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// remember keeps what was looked at and what was found. Where that cannot be
// written, the next scan takes longer, and that is all. What keep gets is the
// same result after the configuration was applied to it.
func (t *target) remember(e *env, result *scanner.Result) (keep func(*scanner.Result)) {
	keep = func(*scanner.Result) {}
	if t.history == nil {
		return keep
	}
	_ = t.history.Remember()
	told := *result
	told.Summary.Notes = append(slices.Clone(result.Summary.Notes), t.names(e))
	masked := report.Redact(&told)
	last := len(masked.Summary.Notes) - 1
	if !result.Summary.Complete() || masked.Summary.Notes[last] != t.names(e) ||
		!slices.EqualFunc(result.Keys, masked.Keys, sameBase) || !slices.EqualFunc(result.Suppressed, masked.Suppressed, sameBase) {
		return keep // nobody could mask or decide the same without the values
	}
	masked.Summary.Notes = masked.Summary.Notes[:last]
	data, err := masked.Store()
	if err != nil {
		return keep
	}
	return func(applied *scanner.Result) {
		said := saidOf(applied)
		if said == saidOf(report.Redact(applied)) {
			_ = t.history.Keep(slices.Concat([]byte(t.names(e)), said[:], data))
		}
	}
}

// names is what a report calls what was scanned. It comes from outside of the
// history, and may be the value of a key as well.
func (t *target) names(e *env) string { return t.root + "\x00" + githubURL(e) + "\x00" }

// sameBase reports whether two keys have the same text of their rule, which may be
// the repository's own, and the same paths, by which the configuration decides.
func sameBase(a, b scanner.Key) bool {
	return reflect.DeepEqual(a.Rule, b.Rule) && slices.EqualFunc(a.Places, b.Places, func(p, q scanner.Place) bool { return p.Path == q.Path })
}

// recordConfig stands for all that decides what is found: this very program
// with the rules in it, the rules of the configuration, and the options.
func recordConfig(s *settings, o scanner.Options) (sum [sha256.Size]byte, err error) {
	h := sha256.New()
	name, err := os.Executable()
	if err != nil {
		return sum, err
	}
	program, err := os.Open(name)
	if err != nil {
		return sum, err
	}
	defer program.Close()
	if err := identify(h, program); err != nil {
		return sum, err
	}
	fmt.Fprintf(h, "\x00%t %d %d\x00", o.NoMarks, o.DecodeDepth, s.tree.For("").MaxFileSize)
	own := map[*rules.Rule]int{} // the rules of a vendor as they are in the program
	for _, p := range rules.Builtin().Providers {
		if len(p.Rules) > 0 {
			own[&p.Rules[0]] = len(p.Rules)
		}
	}
	for _, p := range s.catalogue.Providers {
		if n := len(p.Rules); n > 0 && own[&p.Rules[0]] == n {
			fmt.Fprintf(h, "%q %d\n", p.ID, n)
		} else if err := json.NewEncoder(h).Encode(p); err != nil {
			return sum, err
		}
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// identify writes what tells a program from all others: the beginning with its build
// ID, or the whole where that says nothing. Go's linker makes one of hashes of all
// that went in and of what came out; other tools can put a word of theirs there.
func identify(w io.Writer, program io.Reader) error {
	head := make([]byte, 32<<10) // as go version -m looks for it
	n, err := io.ReadFull(program, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	// In a note of ELF, or at the beginning of the code.
	id := regexp.MustCompile(`Go(?:\x00\x00| build ID: ")(?:[\w-]{20}/){3}[\w-]{20}\b`)
	if _, err := w.Write(head[:n]); err != nil || id.Match(head[:n]) {
		return err
	}
	_, err = io.Copy(w, program)
	return err
}

// recordKeySize is the length of the key in bytes.
const recordKeySize = 32

// recordKey reads the person's key, or makes one the first time.
func recordKey(e *env) ([]byte, error) {
	dir := stateDir(e)
	if !filepath.IsAbs(dir) { // a relative one could lie in what is scanned
		return nil, errors.New("there is no folder for the key")
	}
	file := filepath.Join(dir, "record-key")
	if key, err := readKey(file); !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	// Of two processes that make one at the same time the first wins, and no
	// one reads half a key.
	f, err := os.CreateTemp(dir, ".key-*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	key := make([]byte, recordKeySize)
	_, _ = rand.Read(key) // never fails
	_, err = f.Write(key)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(f.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		if err := os.Rename(f.Name(), file); err != nil { // a file system without links
			return nil, err
		}
	}
	return readKey(file)
}

// readKey refuses a key that others could know.
func readKey(file string) ([]byte, error) {
	info, err := os.Lstat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others", file)
	}
	key, err := os.ReadFile(file)
	if err == nil && len(key) != recordKeySize {
		err = fmt.Errorf("%s is no key", file)
	}
	return key, err
}

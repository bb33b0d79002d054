package rotate_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/scanner"
)

// The tests of this file end the process at one moment: what the record has from
// there on was never written, and what was kept for the case lies where it lay.

func (w *world) record() string { return filepath.Join(w.dir, ".git", "till", "ledger.jsonl") }
func (w *world) shelf() string {
	return filepath.Join(w.dir, ".git", "till", "new", strings.Repeat("ab", 16)+".json")
}

// cut leaves of the record what was written before the last entry of a kind.
func (w *world) cut(event rotate.Event) {
	w.t.Helper()
	data, err := os.ReadFile(w.record())
	if err != nil {
		w.t.Fatal(err)
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	for i := len(lines) - 1; i >= 0; i-- {
		var e rotate.Entry
		if json.Unmarshal(lines[i], &e) == nil && e.Event == event {
			if err := os.WriteFile(w.record(), bytes.Join(lines[:i], nil), 0o600); err != nil {
				w.t.Fatal(err)
			}
			return
		}
	}
	w.t.Fatalf("the record has no %q", event)
}

// keep puts a new key to where it waits.
func (w *world) keep(value string) {
	w.t.Helper()
	store := rotate.Store{Dir: filepath.Dir(w.shelf())}
	if err := store.Put(strings.Repeat("ab", 16), rotate.Issued{Secret: scanner.NewSecret([]byte(value))}); err != nil {
		w.t.Fatal(err)
	}
}

// TestCutAtTheEnd: the case is closed, and the process ends before the new key's
// file goes. The next one takes it away; the one after that has nothing to do.
func TestCutAtTheEnd(t *testing.T) {
	for _, human := range []bool{true, false} {
		w := newPlace(t)
		w.rule.Human = human
		if _, err := w.walk(&yes{}, tagAs("ada")); err != nil {
			t.Fatal(err)
		}
		w.cut(rotate.EventForgotten)
		w.keep(w.issued[0])
		for range 2 {
			p := &yes{}
			c, err := w.walk(p, tagAs("ada"))
			if err != nil {
				t.Fatal(err)
			}
			w.check(c, p)
			if !c.Done("confirm") || c.Stored != "" || len(w.issued) != 1 {
				t.Errorf("closed by a person's word: %v; stored %q; %d keys", !c.Done("confirm"), c.Stored, len(w.issued))
			}
		}
	}
}

// TestCutInTheOldWay: records of earlier versions closed a case by two entries.
// Between them nothing is left lying about either, nor where a person closes it.
func TestCutInTheOldWay(t *testing.T) {
	w := newPlace(t)
	if _, err := w.walk(&yes{}, tagAs("ada")); err != nil {
		t.Fatal(err)
	}
	w.cut(rotate.EventResolved)
	w.keep(w.issued[0])
	s := w.session(&yes{}, rotate.Options{})
	old := scanner.NewSecret([]byte(w.old))
	if err := s.Ledger.Append(rotate.Entry{Event: rotate.EventResolved, Case: s.Job.Leak.Fingerprint, Resolution: rotate.ResolvedRevoked, State: rotate.Confirmed, Values: []string{tagAs("ada")(s.Job.Leak.Fingerprint, old)}}); err != nil {
		t.Fatal(err)
	}
	p := &yes{}
	c, err := w.walk(p, tagAs("ada"))
	if err != nil || c.Stored != "" {
		t.Fatalf("%v, stored %q", err, c.Stored)
	}
	w.check(c, p)
}

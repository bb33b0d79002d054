package rotate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/place"
	"github.com/till-sh/till/scanner"
)

// The tests of this file end the process at one moment: what the record has from
// there on was never written, and what was kept for the case lies where it lay.

func (w *world) record() string { return filepath.Join(w.dir, ".git", "till", "ledger.jsonl") }
func (w *world) shelf() string {
	return filepath.Join(w.dir, ".git", "till", "new", strings.Repeat("ab", 16)+".json")
}

// cut leaves of the record what was written up to the last entry of a kind.
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
			if err := os.WriteFile(w.record(), bytes.Join(lines[:i+1], nil), 0o600); err != nil {
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

// leaver goes away when the old key is to be ended.
type leaver struct{ yes }

func (l *leaver) Approve(_ context.Context, question string, _ bool, _ string) (bool, error) {
	l.Say(question)
	if question == "Run it? It can be taken back." {
		return false, rotate.ErrStopped
	}
	return true, nil
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
		w.cut(rotate.EventResolved)
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
	w.cut(rotate.EventVerdict) // the last before it is closed is about the new key
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

// TestLeakedSuccessor: the new key of a case leaks at the same place. It is ended
// like any other, and another one made; it is not its own successor.
func TestLeakedSuccessor(t *testing.T) {
	t.Run("closed case", func(t *testing.T) {
		for _, at := range []string{"first", "last"} {
			w := newPlace(t)
			first := w.old
			if _, err := w.walk(&yes{}, tagAs("ada")); err != nil {
				t.Fatal(err)
			}
			// By hand: till does not know that it has found its place.
			kept := value("s4")
			s := w.session(&yes{}, rotate.Options{})
			if err := s.Ledger.Append(rotate.Entry{Event: rotate.EventStored, Case: s.Job.Leak.Fingerprint, What: w.shelf()}); err != nil {
				t.Fatal(err)
			}
			w.keep(kept)
			w.leak(kept, true)
			others := []string{first}
			if at == "last" {
				w.old, others = first, []string{kept}
			}
			p := &yes{}
			c, err := w.walk(p, tagAs("ada"), others...)
			if err != nil {
				t.Fatalf("%s: %v\n%s", at, err, p.said.String())
			}
			if w.live[kept] || len(w.issued) != 2 {
				t.Fatalf("%s: the leaked key lives: %v; %d keys were made\n%s", at, w.live[kept], len(w.issued), p.said.String())
			}
			w.issued = w.issued[1:]
			w.check(c, p)
		}
	})
	t.Run("open case", func(t *testing.T) {
		w := newPlace(t)
		if _, err := w.walk(&leaver{}, tagAs("ada")); err == nil {
			t.Fatal("it went through")
		}
		p := &yes{}
		c, err := w.walk(p, tagAs("ada"), w.issued[0])
		if err != nil {
			t.Fatalf("%v\n%s", err, p.said.String())
		}
		if w.live[w.issued[0]] || len(w.issued) != 2 {
			t.Fatalf("the leaked key lives: %v; %d keys were made\n%s", w.live[w.issued[0]], len(w.issued), p.said.String())
		}
		w.issued = w.issued[1:]
		w.check(c, p)
	})
}

// TestCutAfterTheFile: the new key's file is gone, and the entry of it was never
// written. The next key of the case is recorded all the same.
func TestCutAfterTheFile(t *testing.T) {
	w := newPlace(t)
	first := w.old
	if _, err := w.walk(&yes{}, tagAs("ada")); err != nil {
		t.Fatal(err)
	}
	w.cut(rotate.EventResolved)
	w.leak(value("v6"), true)
	p := &leaver{}
	c, err := w.walk(p, tagAs("ada"), first)
	if !errors.Is(err, rotate.ErrStopped) || len(w.issued) != 2 {
		t.Fatalf("%v, %d keys", err, len(w.issued))
	}
	tag := tagAs("ada")(c.Fingerprint, scanner.NewSecret([]byte(w.issued[1])))
	if c.Stored == "" || !slices.Contains(c.Fresh, tag) {
		t.Errorf("stored %q, new keys %v", c.Stored, c.Fresh)
	}
	if !strings.Contains(p.said.String(), "is there no more") {
		t.Errorf("nobody was told:\n%s", p.said.String())
	}
}

// TestKeptAnew: another new key in the place of the one that is kept is recorded,
// the same one again is not.
func TestKeptAnew(t *testing.T) {
	w := newPlace(t)
	if _, err := w.walk(&leaver{}, tagAs("ada")); err == nil {
		t.Fatal("it went through")
	}
	for _, v := range []string{w.issued[0], value("z7")} {
		p := &sayer{at: "Old key off", do: func(s *rotate.Session) {
			n := rotate.Issued{Secret: scanner.NewSecret([]byte(v))}
			s.Job.New = &n // some adapters set it themselves
			if err := s.Job.Keep(n); err != nil {
				t.Error(err)
			}
		}}
		s := w.session(p, rotate.Options{})
		p.s, s.Tag = s, tagAs("ada")
		before := len(s.Ledger.Case(s.Job.Leak.Fingerprint).Fresh)
		c, err := s.Run(t.Context())
		if !errors.Is(err, rotate.ErrStopped) {
			t.Fatal(err)
		}
		if another := v != w.issued[0]; (len(c.Fresh) > before) != another || c.Placed == another {
			t.Errorf("another key: %v; recorded %d, before %d; placed %v", another, len(c.Fresh), before, c.Placed)
		}
	}
}

// sayer does something with the session at one step's head.
type sayer struct {
	leaver
	s  *rotate.Session
	at string
	do func(*rotate.Session)
}

func (y *sayer) Head(title string) {
	if title == y.at {
		y.do(y.s)
	}
	y.leaver.Head(title)
}

// TestCutAtTheTurn: the process ends when the case turns to another value, one
// that stands in a file of its own. Whatever was written by then, that value gets
// a new key of its own.
func TestCutAtTheTurn(t *testing.T) {
	w := newPlace(t)
	older := value("b8")
	w.live[older] = true
	if err := os.WriteFile(filepath.Join(w.dir, "b.env"), []byte("KEY="+older+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() { _ = recover() }()
		s := w.session(&yes{}, rotate.Options{})
		s.Tag = tagAs("ada")
		s.Job.Leak.Others = []scanner.Secret{scanner.NewSecret([]byte(older))}
		s.Job.Adapters.Placers = []rotate.Placer{deadly{older}}
		_, _ = s.Run(t.Context())
		t.Fatal("it went on")
	}()
	p := &yes{}
	c, err := w.walk(p, tagAs("ada"), older)
	if err != nil {
		t.Fatalf("%v\n%s", err, p.said.String())
	}
	data, err := os.ReadFile(filepath.Join(w.dir, "b.env"))
	if err != nil {
		t.Fatal(err)
	}
	if len(w.issued) != 2 || string(data) != "KEY="+w.issued[len(w.issued)-1]+"\n" || w.live[older] {
		t.Errorf("%d keys were made; the older value lives: %v\n%s", len(w.issued), w.live[older], p.said.String())
	}
	p.attested++ // there are two places
	w.check(c, p)
}

// deadly are the files, and the process ends when they are searched for a value.
type deadly struct{ value string }

func (deadly) Name() string { return "files" }
func (d deadly) Find(ctx context.Context, j *rotate.Job) ([]rotate.Spot, error) {
	if j.Leak.Secret.Reveal() == d.value {
		panic("the process ends")
	}
	return place.Files{}.Find(ctx, j)
}
func (deadly) Place(ctx context.Context, j *rotate.Job, s rotate.Spot) error {
	return place.Files{}.Place(ctx, j, s)
}

// TestCutFindsItsValue: which of several values of a place comes first can change.
// The case goes on with the one that it is about.
func TestCutFindsItsValue(t *testing.T) {
	w := newPlace(t)
	if _, err := w.walk(&leaver{}, tagAs("ada")); err == nil {
		t.Fatal("it went through")
	}
	first := w.old
	w.old = value("d9") // dead, and stands nowhere but in the history
	p := &yes{}
	c, err := w.walk(p, tagAs("ada"), first)
	if err != nil || c.Open() {
		t.Fatalf("%v\n%s", err, p.said.String())
	}
	if strings.Contains(p.said.String(), "begins again") || w.live[first] || len(w.issued) != 1 {
		t.Errorf("the first value lives: %v; %d keys\n%s", w.live[first], len(w.issued), p.said.String())
	}
}

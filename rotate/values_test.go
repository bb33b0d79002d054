package rotate_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// tagAs makes tags as a person with a key of his own does.
func tagAs(person string) func(string, scanner.Secret) string {
	return func(fingerprint string, v scanner.Secret) string {
		m := hmac.New(sha256.New, []byte(person))
		m.Write([]byte(fingerprint + "\x00" + v.Reveal()))
		return person + "." + hex.EncodeToString(m.Sum(nil))
	}
}

// place is a world in which the key is known by its place.
func newPlace(t *testing.T) *world {
	w := newWorld(t)
	w.rule.Human = true
	w.rule.Workflow.Revoke = w.rule.Workflow.Revoke[:1]
	return w
}

// leak puts another value to the same place.
func (w *world) leak(value string, live bool) {
	w.t.Helper()
	w.old, w.live[value] = value, live
	if err := os.WriteFile(filepath.Join(w.dir, ".env"), []byte("A=1\nKEY="+value+"\n"), 0o640); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) walk(p rotate.Person, tag func(string, scanner.Secret) string, others ...string) (*rotate.Case, error) {
	w.t.Helper()
	s := w.session(p, rotate.Options{})
	s.Tag = tag
	for _, o := range others {
		s.Job.Leak.Others = append(s.Job.Leak.Others, scanner.NewSecret([]byte(o)))
		s.Job.Redact.Add(o)
	}
	return s.Run(w.t.Context())
}

func value(n string) string { return "umbra_" + strings.Repeat(n+"8hJ", 8) }

// TestAnotherValue: a closed case is closed for the value that is dead, not for
// another one that stands at the same place later.
func TestAnotherValue(t *testing.T) {
	for name, tag := range map[string]func(string, scanner.Secret) string{"known again": tagAs("ada"), "not known again": nil} {
		t.Run(name, func(t *testing.T) {
			w := newPlace(t)
			first := w.old
			if _, err := w.walk(&yes{}, tag); err != nil {
				t.Fatal(err)
			}
			calls := w.calls
			p := &yes{}
			if c, err := w.walk(p, tag); err != nil || c.Open() || len(w.issued) != 1 {
				t.Fatalf("the same value: %v %+v", err, c)
			}
			if w.calls != calls+1 {
				t.Errorf("asked %d times whether it is still dead", w.calls-calls)
			}
			w.leak(value("q2"), true)
			p = &yes{}
			c, err := w.walk(p, tag, first)
			if err != nil {
				t.Fatal(err)
			}
			if len(w.issued) != 2 {
				t.Fatalf("%d keys were made\n%s", len(w.issued), p.said.String())
			}
			w.issued = w.issued[1:]
			w.check(c, p)
		})
	}
}

// TestAnotherValueUnknown: where the vendor cannot be asked, the record decides,
// and what it cannot compare is open.
func TestAnotherValueUnknown(t *testing.T) {
	for _, x := range []struct {
		name         string
		first, later func(string, scanner.Secret) string
		same, open   bool
	}{
		{"same value, same person", tagAs("ada"), tagAs("ada"), true, false},
		{"other value, same person", tagAs("ada"), tagAs("ada"), false, true},
		{"same value, another person", tagAs("ada"), tagAs("bob"), true, true},
		{"same value, nothing to compare", nil, nil, true, true},
	} {
		t.Run(x.name, func(t *testing.T) {
			w := newPlace(t)
			w.rule.Verify = rules.Verify{}
			if c, err := w.walk(&yes{}, x.first); err != nil || c.Open() {
				t.Fatal(c, err)
			}
			if !x.same {
				w.leak(value("t5"), true)
			}
			w.live[w.old] = true
			c, err := w.walk(&yes{refuse: "Run it?"}, x.later)
			if x.open != (c.Open() && errors.Is(err, rotate.ErrStopped)) {
				t.Errorf("case open: %v, %v", c.Open(), err)
			}
		})
	}
}

// TestOthersOfAPlace: what stood at the place before has to be dead too, or the
// case stays open.
func TestOthersOfAPlace(t *testing.T) {
	w := newPlace(t)
	older, oldest := value("m1"), value("n3")
	w.live[older] = true
	p := &yes{}
	c, err := w.walk(p, tagAs("ada"), older, oldest)
	if err != nil || c.Open() {
		t.Fatalf("%v\n%s", err, p.said.String())
	}
	if w.live[older] || len(w.issued) != 1 {
		t.Errorf("the older value lives: %v; %d keys were made", w.live[older], len(w.issued))
	}
	w.check(c, p)

	w = newPlace(t)
	w.live[older], w.slow = true, 1000
	if c, err := w.walk(&yes{}, nil, older); !errors.Is(err, rotate.ErrStopped) || !c.Open() {
		t.Errorf("a value that lives on: %v, open %v", err, c.Open())
	}
}

// TestOpenCaseAnotherValue: a case that was stopped half way is not gone on with
// for another value, and does not forget the first.
func TestOpenCaseAnotherValue(t *testing.T) {
	w := newPlace(t)
	if _, err := w.walk(&yes{refuse: "Run it? It can be taken back."}, tagAs("ada")); err == nil {
		t.Fatal("it went through")
	}
	w.leak(value("x9"), true)
	p := &yes{}
	c, err := w.walk(p, tagAs("ada"))
	if err != nil {
		t.Fatalf("%v\n%s", err, p.said.String())
	}
	if w.live[w.old] || c.Open() || p.attested == 0 {
		t.Errorf("live %v, open %v; asked %d times about the value that stands nowhere any more", w.live[w.old], c.Open(), p.attested)
	}
}

// TestPlacedUnnoticed: the process ends between the new key's way into a file and
// the note of it. The next one sees it there, and asks nobody.
func TestPlacedUnnoticed(t *testing.T) {
	w := newPlace(t)
	func() {
		defer func() { _ = recover() }()
		_, _ = w.walk(&killed{}, tagAs("ada"))
		t.Fatal("it went on")
	}()
	c, err := w.walk(&yes{}, tagAs("ada"))
	if err != nil || c.Open() {
		t.Fatalf("%v, case %+v", err, c)
	}
	if len(w.issued) != 1 {
		t.Errorf("%d keys were made", len(w.issued))
	}
}

// killed is a person who sees the process end when the file has the new key, and
// the note of it is yet to come.
type killed struct{ yes }

func (k *killed) Say(text string) {
	if text == "  done" {
		panic("the process ends")
	}
	k.yes.Say(text)
}

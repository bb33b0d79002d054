package rotate_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rules"
)

// asked is a place whose answers are given; the last one is repeated.
type asked struct {
	answers []func(j *rotate.Job) ([]rotate.Spot, error)
	place   func() error
	placed  int
}

func (a *asked) Name() string { return "shelf" }
func (a *asked) Find(_ context.Context, j *rotate.Job) ([]rotate.Spot, error) {
	answer := a.answers[0]
	if len(a.answers) > 1 {
		a.answers = a.answers[1:]
	}
	return answer(j)
}
func (a *asked) Place(context.Context, *rotate.Job, rotate.Spot) error {
	a.placed++
	if a.place != nil {
		return a.place()
	}
	return nil
}

func nothing(*rotate.Job) ([]rotate.Spot, error) { return nil, nil }

// TestSessionPlaceNotAsked: a place that could not be asked may hold the old key,
// so nobody's standard answer says that the new one is everywhere, also where
// making it has ended the old one; and the record tells.
func TestSessionPlaceNotAsked(t *testing.T) {
	for _, ends := range []bool{false, true} {
		w := newWorld(t)
		w.rule.Workflow.Reissue[0].Ends = ends
		refused := func(*rotate.Job) ([]rotate.Spot, error) {
			return nil, errors.New("HTTP 403 for " + w.old)
		}
		p := &yes{}
		s := w.session(p, rotate.Options{Order: rules.ReissueFirst})
		s.Job.Adapters.Placers = append(s.Job.Adapters.Placers, &asked{answers: []func(*rotate.Job) ([]rotate.Spot, error){refused}})
		c, err := s.Run(t.Context())
		if !errors.Is(err, rotate.ErrStopped) || c == nil || !c.Open() || c.Done("replace") || !c.Placed || !w.live[w.old] {
			t.Errorf("ends %v: %v, %+v", ends, err, c)
		}
		if !strings.Contains(p.said.String(), "shelf could not be asked") || strings.Contains(p.said.String(), w.old) {
			t.Errorf("ends %v: said\n%s", ends, p.said.String())
		}
		if !noted(s, "shelf could not be asked: HTTP 403") {
			t.Errorf("ends %v: the record does not tell", ends)
		}
		// Once it answers, the same command goes on.
		s = w.session(p, rotate.Options{Order: rules.ReissueFirst})
		s.Job.Adapters.Placers = append(s.Job.Adapters.Placers, &asked{answers: []func(*rotate.Job) ([]rotate.Spot, error){nothing}})
		if c, err := s.Run(t.Context()); err != nil || !c.Done("replace") {
			t.Errorf("ends %v, again: %v, %+v", ends, err, c)
		}
	}
}

func noted(s *rotate.Session, text string) bool {
	for _, e := range s.Ledger.Entries(s.Job.Leak.Fingerprint) {
		if strings.Contains(e.What, text) {
			return true
		}
	}
	return false
}

// TestSessionLandedNotAsked: whether the key has come to a place where the process
// ended in between is not known when the place does not answer. The name of the
// place holds the key, and is found again although the record masks it.
func TestSessionLandedNotAsked(t *testing.T) {
	w := newWorld(t)
	at := func(j *rotate.Job) ([]rotate.Spot, error) {
		return []rotate.Spot{{Placer: "shelf", Where: "row/" + w.old, Sure: true}}, nil
	}
	broken := func(*rotate.Job) ([]rotate.Spot, error) { return nil, errors.New("timed out") }
	run := func(a *asked) (*rotate.Session, *rotate.Case, error) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if a.place == nil {
			a.place = func() error { return nil }
		}
		s := w.session(&yes{}, rotate.Options{Order: rules.ReissueFirst})
		s.Job.Adapters.Placers = append(s.Job.Adapters.Placers, a)
		c, err := s.Run(ctx)
		return s, c, err
	}
	func() { // the process ends while the key is put there
		defer func() { _ = recover() }()
		_, _, _ = run(&asked{answers: []func(*rotate.Job) ([]rotate.Spot, error){at}, place: func() error { panic("the process ends") }})
	}()
	s, c, err := run(&asked{answers: []func(*rotate.Job) ([]rotate.Spot, error){nothing, broken}})
	if !errors.Is(err, rotate.ErrStopped) || c.Done("replace") || !noted(s, "shelf could not be asked: timed out") {
		t.Errorf("%v, %+v", err, c)
	}
	_, c, err = run(&asked{answers: []func(*rotate.Job) ([]rotate.Spot, error){nothing, at}})
	if err != nil || !c.Done("replace") {
		t.Errorf("again: %v, %+v", err, c)
	}
	for name, st := range c.Steps {
		if strings.Contains(name, w.old) {
			t.Error("the name of a step holds the key")
		}
		if strings.HasPrefix(name, "replace/shelf:") && st.Mark != rotate.Done {
			t.Errorf("the step at the shelf is %s", st.Mark)
		}
	}
	if found, _ := filepath.Glob(filepath.Join(w.dir, ".git", "till", "new", "*")); len(found) > 0 {
		t.Errorf("left over: %v", found)
	}
}

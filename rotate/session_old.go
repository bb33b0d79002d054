package rotate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rules"
)

// prepare finds a value for every name that a step needs, so that the questions
// come before the intent.
func (s *Session) prepare(ctx context.Context, step *rules.Step) error {
	if s.Job.Lifetime == 0 {
		s.Job.Lifetime = step.Lifetime
	}
	var names []string
	if step.Request != nil {
		names = call.NamesOf(*step.Request)
	}
	if step.Run {
		names = append(names, call.Names(step.Command, step.Stdin)...)
	}
	for _, name := range names {
		if _, err := s.Job.Value(ctx, name); err != nil {
			return s.Job.Redact.Error(err)
		}
	}
	return s.named()
}

// revoke ends the old key by one action: the way that needs the least first,
// then the others, then by hand.
func (s *Session) revoke(ctx context.Context, a *Action) error {
	s.Person.Head("Old key off")
	// A function has more to do than end the key: sessions that it has opened.
	if n := s.Job.New; n != nil && n.Ends && s.Job.CanVerify() && s.Job.WayOf(s.Job.pick(a), false) != ByFunc {
		v, err := s.Job.Verify(ctx, s.Job.Leak.Secret)
		if err == nil && v.Validity == Inactive {
			s.Person.Say("It died with the new one.")
			return s.append(Entry{Event: EventSkipped, Step: a.Name, What: "the old key died with the new one", State: Revoked})
		}
	}
	if err := s.mayRevoke(ctx); err != nil {
		return err
	}
	first := s.Job.pick(a)
	steps := []*rules.Step{first}
	for _, step := range a.Steps {
		if step != first {
			steps = append(steps, step)
		}
	}
	for _, step := range steps {
		if s.Job.WayOf(step, false) == ByHand {
			continue
		}
		done, err := s.revokeBy(ctx, a, step)
		if done || err != nil {
			return err
		}
	}
	return s.revokeByHand(ctx, a, steps)
}

// mayRevoke warns before a key that is in use goes without a successor.
func (s *Session) mayRevoke(ctx context.Context) error {
	if s.plan.Order == rules.RevokeFirst || s.Job.New != nil || s.c.Validity != Active {
		return nil
	}
	s.Person.Say("There is no new key yet. What uses the old one stops working.")
	ok, err := s.Person.Confirm(ctx, "Go on?", false)
	if err != nil || !ok {
		return stopped(err)
	}
	return nil
}

// revokeBy carries one step out. done is false when another way should be tried.
func (s *Session) revokeBy(ctx context.Context, a *Action, step *rules.Step) (done bool, err error) {
	s.explain(step)
	if st := s.c.Steps[a.Name]; st.Mark == Begun && step.Once {
		s.Person.Say(fmt.Sprintf("This was begun at %s, and the answer is not known. It must not be repeated: first the key is asked about.", st.At.Local().Format("2006-01-02 15:04")))
		v, err := s.Job.Verify(ctx, s.Job.Leak.Secret)
		if err == nil && v.Validity == Inactive {
			s.Person.Say("It is dead.")
			return true, s.append(Entry{Event: EventDone, Step: a.Name, State: Revoked})
		}
		s.Person.Say("Old key: " + s.sentence(v))
	}
	if err := s.prepare(ctx, step); err != nil {
		// A dead key can look up nothing, and is in no list.
		if (errors.Is(err, ErrNotFound) || errors.Is(err, ErrDenied)) && s.Job.CanVerify() {
			if v, e := s.Job.Verify(ctx, s.Job.Leak.Secret); e == nil && v.Validity == Inactive {
				s.Person.Say("It is dead.")
				return true, s.append(Entry{Event: EventDone, Step: a.Name, State: Revoked})
			}
		}
		s.Person.Say(fmt.Sprintf("That cannot be done: %v", err))
		return false, stopWhen(ctx, err)
	}
	for _, line := range s.Job.Describe(step, false) {
		s.Person.Say("  " + line)
	}
	question := "It cannot be taken back. To run it"
	if step.Reversible {
		question = "Run it? It can be taken back."
	}
	ok, err := s.Person.Approve(ctx, question, !step.Reversible, s.Job.Leak.ID)
	if err != nil || !ok {
		return false, err
	}
	if err := s.append(Entry{Event: EventIntent, Step: a.Name, What: s.headline(step, false)}); err != nil {
		return false, err
	}
	if err := s.Job.Revoke(ctx, step); err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if e := s.append(Entry{Event: EventFailed, Step: a.Name, What: err.Error()}); e != nil {
			return false, e
		}
		s.Person.Say(fmt.Sprintf("That did not work: %v", err))
		return false, stopWhen(ctx, err)
	}
	s.Person.Say("Accepted.")
	if err := s.append(Entry{Event: EventDone, Step: a.Name, State: Revoked}); err != nil {
		return true, err
	}
	return true, s.named()
}

// revokeByHand shows the page and waits for the person.
func (s *Session) revokeByHand(ctx context.Context, a *Action, steps []*rules.Step) error {
	shown := false
	for _, step := range steps {
		if s.Job.WayOf(step, false) != ByHand && (shown || step.URL == "") {
			continue
		}
		if s.Job.WayOf(step, false) == ByHand {
			s.explain(step)
		}
		if step.Command != "" && !step.Run {
			s.Person.Say("  $ " + step.Command)
		}
		if step.URL != "" {
			s.Person.Say("  " + step.URL)
		}
		shown = true
	}
	ok, err := s.Person.Attest(ctx, "When it is done by hand", s.Job.Leak.ID)
	if errors.Is(err, ErrNobody) {
		return fmt.Errorf("%s: a person has to do this: %w", a.Steps[0].Title, ErrStopped)
	}
	if err != nil || !ok {
		return stopped(err)
	}
	return s.append(Entry{Event: EventDone, Step: a.Name, What: "by hand", State: Revoked})
}

// prove waits until the vendor says that the old key is dead, or takes the word
// of a person who has seen it.
func (s *Session) prove(ctx context.Context) error {
	s.Person.Head("Prove")
	v, err := s.waitForDeath(ctx)
	if err != nil {
		return err
	}
	s.Person.Say("Old key: " + s.sentence(v))
	how := "the vendor says so"
	switch v.Validity {
	case Active:
		s.Person.Say("The vendor has accepted, but the key still works. Some need up to an hour.")
		return fmt.Errorf("the old key is still live: %w", ErrStopped)
	case Unknown:
		ok, err := s.Person.Attest(ctx, "The vendor does not say. If you have seen that it is dead", s.Job.Leak.ID)
		if errors.Is(err, ErrNobody) || err == nil && !ok {
			return fmt.Errorf("nobody says that the old key is dead: %w", ErrStopped)
		}
		if err != nil {
			return err
		}
		how = "a person says so"
	}
	return s.append(Entry{Event: EventDone, Step: "prove", What: "the old key is dead: " + how})
}

// confirm looks whether the new key lives and what is left of the old one, and
// closes the case.
func (s *Session) confirm(ctx context.Context) error {
	s.Person.Head("Look back")
	if s.Job.New != nil {
		v, err := s.testNew(ctx)
		if err != nil {
			return err
		}
		if v == Inactive { // it died with the old one
			ok, err := s.Person.Confirm(ctx, "The new key is dead, too. Close the case all the same?", false)
			if err != nil || !ok {
				return stopped(err)
			}
		}
	}
	if err := s.readAll(ctx); err != nil {
		return err
	}
	s.lookBack()
	if s.Job.Leak.Rule.Human {
		if err := s.turnTo(ctx); err != nil {
			return err
		}
	}
	// One line: between two the process could end, and what is closed without its
	// last step looks like a person's word.
	if err := s.append(Entry{Event: EventResolved, Step: "confirm", Resolution: ResolvedRevoked, Reason: s.Reason, State: Confirmed, Values: s.tags(s.Job.Leak.Values()...)}); err != nil {
		return err
	}
	return s.tidy(ctx)
}

// waitForDeath asks until the answer is inactive, twice as long between
// questions each time, for as long as the vendor may take and the session has
// patience.
func (s *Session) waitForDeath(ctx context.Context) (Verdict, error) {
	patience := s.Patience
	if patience == 0 {
		patience = 2 * time.Minute
		for _, step := range s.Job.Leak.Rule.Workflow.Revoke {
			if st := step.Delay; st > 0 && st < patience {
				patience = max(st, 30*time.Second)
			}
		}
	}
	end := s.Job.Now().Add(patience)
	for pause := 2 * time.Second; ; pause = min(2*pause, time.Minute) {
		v, err := s.Job.Verify(ctx, s.Job.Leak.Secret)
		if err != nil {
			if ctx.Err() != nil {
				return v, ctx.Err()
			}
			v.Validity, v.Why = Unknown, err.Error()
		}
		if err := s.verdict(v, ""); err != nil {
			return v, err
		}
		if v.Validity == Inactive || !s.Job.CanVerify() || s.Job.Now().Add(pause).After(end) {
			return v, nil
		}
		s.Person.Say(fmt.Sprintf("Old key: %s; asking again in %s", s.sentence(v), pause))
		if err := s.Job.Sleep(ctx, pause); err != nil {
			return v, err
		}
	}
}

// readAll looks for the old value in the whole work tree and writes down what is
// left of it.
func (s *Session) readAll(ctx context.Context) error {
	if s.Job.Standing == nil {
		return nil
	}
	where, unread, err := s.Job.Standing(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := Entry{Event: EventFailed, Step: "work-tree"}
	switch {
	case err != nil:
		e.What = "could not be looked through: " + s.Job.Redact.Error(err).Error()
	case len(where) > 0:
		e.What = "the old value still stands in " + strings.Join(few(where), ", ")
	case len(unread) > 0:
		e.What = "the old value was not seen, and not everything was read: " + strings.Join(few(unread), "; ")
	default:
		e.Event, e.What = EventDone, "the old value is gone"
	}
	e.What = oneLine(s.Job.Redact.Text(e.What))
	s.Person.Say("Work tree: " + e.What)
	return s.append(e)
}

// few are the first of a list, and how many more there are.
func few(list []string) []string {
	if len(list) > 5 {
		return append(slices.Clone(list[:4]), fmt.Sprintf("%d more", len(list)-4))
	}
	return list
}

// lookBack says what a person still has to look at: other keys, signs of abuse.
func (s *Session) lookBack() {
	w := &s.Job.Leak.Rule.Workflow
	if others := s.Job.Siblings(); len(others) > 0 {
		s.Person.Say("Other keys there. Who has had the leaked one may have made them:")
		for i, o := range others {
			if i == 20 {
				s.Person.Say(fmt.Sprintf("  and %d more", len(others)-i))
				break
			}
			s.Person.Say(fmt.Sprintf("  %s  %s  %s", o.Name, o.Created, o.LastUsed))
		}
	} else if w.Mints {
		s.Person.Say("This kind of key can make other keys. Look for ones that you do not know" + at(w.Revoke))
	}
	if w.Usage != "" {
		s.Person.Say("Abuse would show at " + w.Usage)
	}
}

func at(steps []rules.Step) string {
	for _, s := range steps {
		if s.URL != "" {
			return ": " + s.URL
		}
	}
	return "."
}

// Undo takes the last reversible step of the case back.
func (s *Session) Undo(ctx context.Context) (*Case, error) {
	unlock, err := s.open()
	if err != nil {
		return nil, err
	}
	defer unlock()
	s.plan = PlanFor(s.Job.Leak.Rule, s.Job.Leak.Exposure, s.Order)
	for i := len(s.plan.Actions) - 1; i >= 0; i-- {
		a := &s.plan.Actions[i]
		if len(a.Steps) == 0 || s.c.Steps[a.Name].Mark != Done {
			continue
		}
		step := s.Job.pick(a)
		if !step.Reversible {
			return s.c, fmt.Errorf("%s: this cannot be taken back", step.Title)
		}
		ok, err := s.Person.Confirm(ctx, "Take back: "+step.Title+"?", false)
		if err != nil || !ok {
			return s.c, stopped(err)
		}
		if err := s.Job.Undo(ctx, step); err != nil {
			return s.c, err
		}
		for _, name := range []string{a.Name, "prove", "confirm"} {
			if err := s.append(Entry{Event: EventUndone, Step: name, State: Assessed}); err != nil {
				return s.c, err
			}
		}
		return s.c, nil
	}
	return s.c, errors.New("nothing was done that could be taken back")
}

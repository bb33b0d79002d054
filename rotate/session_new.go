package rotate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// reissue makes the new key: by the vendor's API or command line, or by hand on
// its page.
func (s *Session) reissue(ctx context.Context, a *Action) error {
	step := s.Job.pick(a)
	way := s.Job.WayOf(step, true)
	s.Person.Head("New key")
	if s.Job.New != nil && s.c.Stored != "" {
		return s.resumeNew(ctx, a)
	}
	if st := s.c.Steps[a.Name]; st.Mark == Begun && way != ByHand && !s.Job.sets(step) {
		// The process ended between the call and its answer.
		s.Person.Say(fmt.Sprintf("A new key was asked for at %s, and the answer is not known. There may be one that nobody has.", st.At.Local().Format("2006-01-02 15:04")))
		if step.URL != "" {
			s.Person.Say("Look whether there is one and delete it: " + step.URL)
		}
		if ok, err := s.Person.Attest(ctx, "To ask for another one", s.Job.Leak.ID); err != nil || !ok {
			return stopped(err)
		}
	}
	s.explain(step)
	if way != ByHand {
		done, err := s.issue(ctx, a, step)
		if done || err != nil {
			return err
		}
	}
	return s.byHand(ctx, a, step)
}

// explain shows what a step is about.
func (s *Session) explain(step *rules.Step) {
	s.Person.Say(step.Title)
	if step.Text != "" {
		s.Person.Say(step.Text)
	}
	if step.Collateral != "" {
		s.Person.Say("With it goes: " + step.Collateral)
	}
}

// issue carries the step out. done is false when it should be tried by hand.
func (s *Session) issue(ctx context.Context, a *Action, step *rules.Step) (done bool, err error) {
	for _, line := range s.Job.Describe(step, true) {
		s.Person.Say("  " + line)
	}
	if step.Ends {
		s.Person.Say("The old key stops working with it.")
	}
	ok, err := s.Person.Approve(ctx, "Run it?", false, s.Job.Leak.ID)
	if err != nil {
		return false, err
	}
	if !ok {
		return false, nil
	}
	// Names first: a question that nobody answers must leave no intent behind.
	if err := s.prepare(ctx, step); err != nil {
		s.Person.Say(fmt.Sprintf("That cannot be done: %v", err))
		return false, stopWhen(ctx, err)
	}
	if err := s.append(Entry{Event: EventIntent, Step: a.Name, What: s.headline(step, true)}); err != nil {
		return false, err
	}
	n, err := s.Job.Issue(ctx, step)
	if err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err() // the intent stays: nobody knows what came of it
		}
		if e := s.append(Entry{Event: EventFailed, Step: a.Name, What: err.Error()}); e != nil {
			return false, e
		}
		s.Person.Say(fmt.Sprintf("That did not work: %v", err))
		return false, nil
	}
	return true, s.gotNew(ctx, a, n)
}

// gotNew writes the new key down and asks whether it works.
func (s *Session) gotNew(ctx context.Context, a *Action, n Issued) error {
	s.Person.Say(fmt.Sprintf("New key %s, kept in %s (yours alone) until it is in its place.", n.Secret, s.Store.Path(s.c.Fingerprint)))
	if n.Expires != "" {
		s.Person.Say("It expires " + n.Expires)
	}
	if err := s.append(Entry{Event: EventDone, Step: a.Name, NewID: n.ID, State: Reissued}); err != nil {
		return err
	}
	if err := s.named(); err != nil {
		return err
	}
	_, err := s.testNew(ctx)
	return err
}

// testNew asks the vendor about the new key.
func (s *Session) testNew(ctx context.Context) (Validity, error) {
	if !s.Job.CanVerify() {
		return Unknown, nil
	}
	v, err := s.Job.Verify(ctx, s.Job.New.Secret)
	if err != nil {
		if ctx.Err() != nil {
			return Unknown, ctx.Err()
		}
		v.Validity, v.Why = Unknown, err.Error()
	}
	s.Person.Say("New key: " + s.sentence(v))
	return v.Validity, s.verdict(v, "new")
}

// resumeNew goes on with a new key that an earlier session has kept.
func (s *Session) resumeNew(ctx context.Context, a *Action) error {
	n := s.Job.New
	s.Person.Say(fmt.Sprintf("There is a new key already: %s, in %s.", n.Secret, s.c.Stored))
	if (n.Ends || s.Job.sets(s.Job.pick(a))) && s.c.Steps[a.Name].Mark != Done && s.Job.CanVerify() {
		// It was kept before the call that makes it valid.
		v, err := s.Job.Verify(ctx, n.Secret)
		if err == nil && v.Validity == Inactive {
			s.Person.Say("It does not work yet: the call that sets it did not come through.")
			step := s.Job.pick(a)
			s.explain(step)
			done, err := s.issue(ctx, a, step)
			if !done && err == nil {
				err = ErrStopped
			}
			return err
		}
		s.Person.Say("New key: " + s.sentence(v))
		if v.Validity != Active {
			return fmt.Errorf("it is not known whether the call that sets the new key came through: %w", ErrStopped)
		}
	}
	return s.append(Entry{Event: EventDone, Step: a.Name, NewID: n.ID, State: Reissued})
}

// byHand shows the page and takes the new key on a hidden prompt.
func (s *Session) byHand(ctx context.Context, a *Action, step *rules.Step) error {
	if step.Command != "" {
		s.Person.Say("  $ " + step.Command)
	}
	if step.URL != "" {
		s.Person.Say("  " + step.URL)
	}
	for {
		text, err := s.Person.Hidden(ctx, "The new key (hidden; empty if there is none to paste)")
		if errors.Is(err, ErrNobody) {
			return fmt.Errorf("%s: a person has to do this (%s): %w", step.Title, firstOf(step.URL, step.Command, step.Text), ErrStopped)
		}
		if err != nil {
			return err
		}
		if text == "" {
			ok, err := s.Person.Confirm(ctx, "Go on without a new key?", false)
			if err != nil || !ok {
				return stopped(err)
			}
			return s.append(Entry{Event: EventSkipped, Step: a.Name, What: "no new key was given"})
		}
		if text == s.Job.Leak.Secret.Reveal() {
			s.Person.Say("That is the old key.")
			continue
		}
		n := Issued{Secret: scanner.NewSecret([]byte(text)), Ends: step.Ends}
		if err := s.keep(n); err != nil {
			return err
		}
		return s.gotNew(ctx, a, n)
	}
}

// replace puts the new key where the old one was used.
func (s *Session) replace(ctx context.Context) error {
	if s.Job.New == nil {
		return s.append(Entry{Event: EventSkipped, Step: "replace", What: "there is no new key"})
	}
	s.Person.Head("Swap")
	left := false  // a spot that holds the old value and does not get the new one
	blind := false // a place that could not be asked: the old value may stand there
	for _, p := range s.Job.Adapters.Placers {
		spots, err := p.Find(ctx, s.Job)
		if err != nil {
			blind = true
			if err := s.notAsked(ctx, p, err); err != nil {
				return err
			}
			continue
		}
		for _, spot := range spots {
			done, err := s.place(ctx, p, spot)
			if err != nil {
				return err
			}
			left = left || spot.Sure && !done
		}
		known, err := s.landed(ctx, p)
		if err != nil {
			return err
		}
		blind = blind || !known
	}
	if !s.c.Placed {
		s.Person.Say("The old value stands nowhere that till can write to. The new one is in " + s.c.Stored)
		ok, err := s.Person.Confirm(ctx, "Show it here, once?", false)
		if err != nil {
			return err
		}
		if ok {
			if err := s.Person.Show("new key", s.Job.New.Secret); err != nil && !errors.Is(err, ErrNobody) {
				return err
			}
		}
	}
	// What still uses the old key breaks with it, unless it is broken already. Of
	// a place that could not be asked nobody knows that.
	standard := s.c.Placed && !blind && (!left || s.Job.New.Ends)
	ok, err := s.Person.Confirm(ctx, "Is the new key everywhere where the old one was used?", standard)
	if err != nil || !ok {
		return stopped(err)
	}
	return s.append(Entry{Event: EventDone, Step: "replace", State: Replaced})
}

// notAsked says and writes down that a place could not be asked.
func (s *Session) notAsked(ctx context.Context, p Placer, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err = s.Job.Redact.Error(err)
	s.Person.Say(fmt.Sprintf("%s could not be asked, so the old value may still be used there: %v", p.Name(), err))
	return s.append(Entry{Event: EventNote, What: fmt.Sprintf("%s could not be asked: %s", p.Name(), oneLine(err.Error()))})
}

// spotStep is the step of a spot as the ledger has it: where it is may hold the value.
func (s *Session) spotStep(p Placer, spot Spot) string {
	return maskedStep("replace/"+p.Name()+":"+spot.Where, s.Job.Redact.Text)
}

// landed notes the spots that got the new key when the process ended before it
// could be written down: it stands there now. known is false when the place could
// not be asked.
func (s *Session) landed(ctx context.Context, p Placer) (known bool, err error) {
	begun := map[string]bool{}
	for name, st := range s.c.Steps {
		if strings.HasPrefix(name, "replace/"+p.Name()+":") && st.Mark == Begun {
			begun[name] = true
		}
	}
	if len(begun) == 0 {
		return true, nil
	}
	old := s.Job.Leak.Secret
	s.Job.Leak.Secret = s.Job.New.Secret
	spots, err := p.Find(ctx, s.Job)
	s.Job.Leak.Secret = old
	if err != nil {
		return false, s.notAsked(ctx, p, err) // what is not known stays begun
	}
	for _, spot := range spots {
		if name := s.spotStep(p, spot); spot.Sure && begun[name] {
			s.Person.Say(spot.Where + ": the new key is there already")
			if err := s.append(Entry{Event: EventDone, Step: name, What: p.Name()}); err != nil {
				return true, err
			}
		}
	}
	return true, nil
}

// place puts the new key into one spot, after showing it.
func (s *Session) place(ctx context.Context, p Placer, spot Spot) (done bool, err error) {
	name := s.spotStep(p, spot)
	guess := ""
	if !spot.Sure {
		guess = "   (by its name; what it holds is not known)"
	}
	s.Person.Say(spot.Where + guess)
	for _, line := range spot.Preview {
		s.Person.Say("  " + line)
	}
	if spot.ByHand {
		s.Person.Say("  you: till leaves this one alone")
		return false, nil
	}
	if s.c.Done(name) && !spot.Sure {
		s.Person.Say("  done before")
		return true, nil
	}
	var ok bool
	if spot.Claimed {
		s.Person.Say("  only this repository says that " + firstOf(s.Job.Remote) + " is yours (--set remote=… says it too)")
	}
	if spot.Sure && !spot.Claimed {
		ok, err = s.Person.Approve(ctx, "  Put the new key there?", false, s.Job.Leak.ID)
	} else {
		ok, err = s.Person.Confirm(ctx, "  Put the new key there?", false)
	}
	if err != nil || !ok {
		return false, err
	}
	if err := s.append(Entry{Event: EventIntent, Step: name, What: p.Name()}); err != nil {
		return false, err
	}
	if err := p.Place(ctx, s.Job, spot); err != nil {
		err = s.Job.Redact.Error(err)
		s.Person.Say(fmt.Sprintf("  that did not work: %v", err))
		return false, s.append(Entry{Event: EventFailed, Step: name, What: err.Error()})
	}
	s.Person.Say("  done")
	return true, s.append(Entry{Event: EventDone, Step: name, What: p.Name()})
}

// firstOf is the first text that is not empty, on one line.
func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return oneLine(t)
		}
	}
	return ""
}

// stopped is the error for a question that was answered with no.
func stopped(err error) error {
	if err != nil {
		return err
	}
	return ErrStopped
}

// stopWhen turns an error that ends the whole session into itself and lets the
// others be worked around.
func stopWhen(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, ErrAmbiguous) {
		return err
	}
	return nil
}

// headline is the first line of a step's description: what the ledger notes.
func (s *Session) headline(step *rules.Step, reissue bool) string {
	if lines := s.Job.Describe(step, reissue); len(lines) > 0 {
		line, _, _ := strings.Cut(lines[0], "?") // a query is detail
		return line
	}
	return step.Title
}

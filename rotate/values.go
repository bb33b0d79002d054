package rotate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/till-sh/till/scanner"
)

// A password is known by its place, so that nothing of it has to be written
// down: one case is one place, and several values can have stood there. What is
// closed is closed for the values that were proven dead, and for no other. This
// file tells them apart.

// errTurned says that the walk begins again with another value.
var errTurned = errors.New("another value of the same place")

// Values are all values of the place, the one that is worked on first.
func (l *Leak) Values() []scanner.Secret {
	return append([]scanner.Secret{l.Secret}, l.Others...)
}

// VerifyAll asks about all values of the place and returns the answer that
// matters most: active before unknown before inactive. The value that it is
// about is the job's first then. An error is the context's.
func (j *Job) VerifyAll(ctx context.Context) (Verdict, error) {
	rank := map[Validity]int{Active: 2, Unknown: 1, Inactive: 0}
	var worst Verdict
	about := j.Leak.Secret
	for i, v := range j.Leak.Values() {
		verdict, err := j.Verify(ctx, v)
		if err != nil {
			if ctx.Err() != nil {
				return Verdict{Validity: Unknown}, ctx.Err()
			}
			verdict.Validity, verdict.Why = Unknown, err.Error()
		}
		if i == 0 || rank[verdict.Validity] > rank[worst.Validity] {
			worst, about = verdict, v
		}
	}
	j.Leak.turn(about)
	return worst, nil
}

// tag is what the ledger notes of a value, "" where nothing is needed (the
// fingerprint is the value's) or can be had.
func (s *Session) tag(v scanner.Secret) string {
	if s.Tag == nil || !s.Job.Leak.Rule.Human {
		return ""
	}
	return s.Tag(s.Job.Leak.Fingerprint, v)
}

func (s *Session) tags(values ...scanner.Secret) []string {
	var out []string
	for _, v := range values {
		if t := s.tag(v); t != "" && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// sameKey reports whether two tags were made under the same person's key, so
// that they can be compared.
func sameKey(a, b string) bool {
	x, _, _ := strings.Cut(a, ".")
	y, _, _ := strings.Cut(b, ".")
	return x == y
}

// about is the tag of the value that the case is about, among those that can be
// compared with t; "" when there is none.
func (c *Case) about(t string) string {
	for _, a := range slices.Backward(c.About) {
		if sameKey(a, t) {
			return a
		}
	}
	return ""
}

// Knows tells of a value's tag whether the case was closed for this value. sure
// is false where nothing can be compared: no tag, or none of this person's.
func (c *Case) Knows(tag string) (settled, sure bool) {
	if slices.Contains(c.Settled, tag) {
		return true, true
	}
	return false, tag != "" && (c.about(tag) != "" || slices.ContainsFunc(c.Settled, func(t string) bool { return sameKey(t, tag) }))
}

// face looks whether the case is about the value at hand. An open case about
// another value begins again; a closed one is opened for the first value that is
// not proven dead. It does nothing when the fingerprint is the value's.
func (s *Session) face(ctx context.Context) error {
	if !s.Job.Leak.Rule.Human {
		return nil
	}
	t := s.tag(s.Job.Leak.Secret)
	if s.c.Open() {
		switch old := s.c.about(t); {
		case t == "" || old == t:
			return nil
		case old == "":
			return s.append(Entry{Event: EventNote, What: "the value at hand", Values: []string{t}})
		default:
			for _, v := range s.Job.Leak.Others {
				if s.tag(v) != old {
					continue
				}
				s.Person.Say(fmt.Sprintf("The case goes on with %s, which it is about.", v))
				s.Job.Leak.turn(v)
				if s.isNew(v) {
					return s.reopen(v)
				}
				return nil
			}
		}
		s.Person.Say("Another value than before stands at this place: the case begins again.")
		return s.reopen(s.Job.Leak.Secret)
	}
	s.Person.Say("This case is closed, and a password is known by its place alone: what stands there is asked about again.")
	ok, err := s.Person.Confirm(ctx, s.question(), true)
	if err != nil {
		return err
	}
	v, found, err := s.unproven(ctx, s.Job.Leak.Values(), ok)
	if err != nil || !found {
		return err
	}
	s.Person.Say(fmt.Sprintf("The case is open again: %s is not proven dead.", v))
	s.Job.Leak.turn(v)
	return s.reopen(v)
}

func (s *Session) question() string {
	if !s.Job.CanVerify() {
		return "Live?      The vendor cannot be asked; the record is compared. Go?"
	}
	return fmt.Sprintf("Live?      till will ask %s. Go?", s.Job.VerifyHost())
}

// unproven is the first of some values that may live: the vendor says so, or
// does not say, and the record knows nothing of this value either. ask false
// compares with the record alone.
func (s *Session) unproven(ctx context.Context, values []scanner.Secret, ask bool) (v scanner.Secret, found bool, err error) {
	for _, v := range values {
		if s.proven[v.Reveal()] {
			continue
		}
		settled, _ := s.c.Knows(s.tag(v))
		verdict := Verdict{Validity: Unknown, Why: "not asked"}
		if ask && s.Job.CanVerify() {
			if verdict, err = s.Job.Verify(ctx, v); err != nil {
				if ctx.Err() != nil {
					return v, false, ctx.Err()
				}
				verdict.Validity, verdict.Why = Unknown, err.Error()
			}
		}
		said := s.sentence(verdict)
		if verdict.Validity == Unknown && settled {
			said += "; the case was closed for this very value"
		}
		s.Person.Say(fmt.Sprintf("%s   %s", v, said))
		if err := s.append(Entry{Event: EventVerdict, Step: "place", Validity: verdict.Validity, What: strings.TrimSpace(verdict.Host + " " + verdict.Why), Values: s.tags(v)}); err != nil {
			return v, false, err
		}
		switch {
		case verdict.Validity == Inactive:
			s.buried(v)
		case verdict.Validity == Active || !settled:
			return v, true, nil
		}
	}
	return v, false, nil
}

// buried remembers for this session that a value is dead.
func (s *Session) buried(v scanner.Secret) {
	if s.proven == nil {
		s.proven = map[string]bool{}
	}
	s.proven[v.Reveal()] = true
}

// reopen makes v the value that the case is about. A stored key that is this
// very value is given up: a leaked key is nobody's successor.
func (s *Session) reopen(v scanner.Secret) error {
	if s.isNew(v) {
		s.Person.Say(fmt.Sprintf("The new key that was kept here has leaked itself: %s. It is removed, and another one made.", v))
		if err := s.forget(); err != nil {
			return err
		}
	}
	delete(s.proven, v.Reveal())
	return s.append(Entry{Event: EventReopened, Reason: "another value at the same place, or one that lives again", Values: s.tags(v)})
}

// isNew reports whether a value is that of the stored key.
func (s *Session) isNew(v scanner.Secret) bool {
	return s.Job.New != nil && s.Job.New.Secret.Reveal() == v.Reveal()
}

// turn makes v the value that is worked on.
func (l *Leak) turn(v scanner.Secret) {
	all := l.Values()
	i := slices.IndexFunc(all, func(o scanner.Secret) bool { return o.Reveal() == v.Reveal() })
	if i < 0 {
		return
	}
	l.Others = slices.Delete(slices.Clone(all), i, i+1)
	l.Secret = v
}

// turnTo goes on with another value of the place before the case is closed:
// errTurned when there is one that is not proven dead.
func (s *Session) turnTo(ctx context.Context) error {
	l := &s.Job.Leak
	s.buried(l.Secret) // by the vendor or a person
	if len(l.Others) > 0 {
		s.Person.Say("Other values that stood at the same place:")
	}
	v, found, err := s.unproven(ctx, l.Others, true)
	if err != nil {
		return err
	}
	if !found {
		return s.gone(ctx)
	}
	s.Person.Say(fmt.Sprintf("%s stood at the same place and is not proven dead: the case goes on with it.", v))
	l.turn(v)
	// Before the case is about v: the process can end in between, and nothing tells
	// afterwards whose the stored key is.
	if s.Job.New != nil && !s.isNew(v) && s.standsInFiles(ctx) { // of another account, it seems: it needs a new one of its own
		if err := s.tidy(ctx); err != nil {
			return err
		}
		if s.c.Stored != "" {
			return fmt.Errorf("the new key has to be put into its place before the next value: %w", ErrStopped)
		}
	}
	if err := s.reopen(v); err != nil {
		return err
	}
	if s.Job.New != nil {
		if err := s.skip("the place has its new key", DoReissue, DoReplace); err != nil {
			return err
		}
	}
	return errTurned
}

// standsInFiles reports whether the value that is worked on stands in the work tree.
func (s *Session) standsInFiles(ctx context.Context) bool {
	for _, p := range s.Job.Adapters.Placers {
		if p.Name() == "files" {
			spots, err := p.Find(ctx, s.Job)
			return err != nil || len(spots) > 0
		}
	}
	return false
}

// gone asks for a person's word about values that the case was about, that were
// never proven dead and stand nowhere any more.
func (s *Session) gone(ctx context.Context) error {
	here := s.tags(s.Job.Leak.Values()...)
	for _, t := range s.c.About {
		if slices.Contains(here, t) || slices.Contains(s.c.Settled, t) || len(here) == 0 || !sameKey(t, here[0]) {
			continue
		}
		ok, err := s.Person.Attest(ctx, "An earlier value of this place stands nowhere any more, and nobody has seen it dead. If it is", s.Job.Leak.ID)
		if errors.Is(err, ErrNobody) || err == nil && !ok {
			return fmt.Errorf(`an earlier value of this place was never proven dead (till rotate %s --resolve revoked --reason "…"): %w`, s.Job.Leak.ID, ErrStopped)
		}
		return err
	}
	return nil
}

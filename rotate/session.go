package rotate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// A Person is who a session speaks to. Text that came from the outside is
// redacted already; it is the Person's duty to make it fit for a terminal.
// Where nobody watches, a Person answers by rule, and the rules are in its hands.
type Person interface {
	// Say shows a line; Head begins a step.
	Say(text string)
	Head(title string)
	// Confirm asks for a choice; standard is the answer of an empty line, and of
	// nobody.
	Confirm(ctx context.Context, question string, standard bool) (bool, error)
	// Approve asks before something is changed. final says that it cannot be
	// taken back: the id has to be typed. Nobody approves nothing, unless the
	// owner has said so beforehand (--yes).
	Approve(ctx context.Context, question string, final bool, id string) (bool, error)
	// Attest asks for a person's word about what till cannot see; the id has to
	// be typed. ErrNobody where nobody watches.
	Attest(ctx context.Context, question, id string) (bool, error)
	// Hidden asks for a secret, without showing it. ErrNobody where nobody watches.
	Hidden(ctx context.Context, question string) (string, error)
	// Show shows a secret once, on a terminal only; ErrNobody elsewhere.
	Show(label string, secret scanner.Secret) error
}

// ErrNobody is returned by a Person that cannot be asked.
var ErrNobody = errNobody

// ErrStopped ends a session that a person did not want to go on with. The case
// stays open, and the next session goes on there.
var ErrStopped = errors.New("stopped; the same command goes on from here")

// Options steer a session.
type Options struct {
	Reason string      // why, for the record
	Order  rules.Order // "" = by exposure
	Finish bool        // do the steps that have to wait now
	// Patience is the longest wait for the old key to die in this session; 0 =
	// two minutes. A vendor's longer delay goes on in the next session.
	Patience time.Duration
}

// A Session is one walk through a case. Run it from one goroutine.
type Session struct {
	Job    *Job
	Ledger *Ledger
	Store  Store
	Person Person
	// Tag makes of a value what the ledger notes to know it again: the name of a
	// key that is this person's own, a dot, and a MAC under it, from which nobody
	// without the key can guess. nil: no value is known again, and each is asked
	// about. Only values of cases that are known by their place have one.
	Tag func(fingerprint string, v scanner.Secret) string
	Options

	proven map[string]bool // values that were seen dead in this session
	c      *Case
	plan   Plan
}

// Run goes through the case from where it stands until it is confirmed, has to
// wait, or is stopped. It returns the case as the ledger has it then.
func (s *Session) Run(ctx context.Context) (*Case, error) {
	unlock, err := s.open()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if r := s.c.Resolution; r != "" && r != ResolvedRevoked {
		if settled, sure := s.c.Knows(s.tag(s.Job.Leak.Secret)); settled || !sure {
			return s.c, fmt.Errorf("case %s is closed as %s; till rotate %s --reopen opens it", s.c.ID, r, s.c.ID)
		}
	}
	s.plan = PlanFor(s.Job.Leak.Rule, s.Job.Leak.Exposure, s.Order)
	if err := s.face(ctx); err != nil {
		return s.c, err
	}
	if s.Job.Leak.Rule.Human && !s.c.Open() && !s.c.Done("confirm") {
		return s.c, s.tidy(ctx) // closed by a person's word, which holds
	}
	for {
		c, err := s.walk(ctx)
		if !errors.Is(err, errTurned) {
			return c, err
		}
	}
}

// walk goes through the actions for one value.
func (s *Session) walk(ctx context.Context) (*Case, error) {
	for i := range s.plan.Actions {
		a := &s.plan.Actions[i]
		if s.c.Done(a.Name) {
			continue
		}
		if wait := s.wait(a); !wait.IsZero() {
			s.Person.Say(fmt.Sprintf("%s: not before %s. Then: till rotate %s --finish", a.Steps[0].Title, wait.Local().Format("2006-01-02 15:04"), s.Job.Leak.ID))
			return s.c, s.append(Entry{Event: EventState, State: s.c.State, Due: wait})
		}
		if err := ctx.Err(); err != nil {
			return s.c, err
		}
		if err := s.do(ctx, a); err != nil {
			return s.c, err
		}
	}
	return s.c, s.tidy(ctx)
}

// open takes the case, so that no second session works on it at the same time.
func (s *Session) open() (unlock func(), err error) {
	if unlock, err = s.Ledger.Hold(s.Job.Leak.Fingerprint, s.Job.Leak.ID); err != nil {
		return nil, err
	}
	s.Ledger.Mask(s.Job.Redact.Text)
	s.Job.Keep = s.keep
	s.c = s.Ledger.Case(s.Job.Leak.Fingerprint)
	if s.c == nil {
		err = s.append(Entry{Event: EventOpened, ID: s.Job.Leak.ID, Rule: s.Job.Leak.Rule.ID, Reason: s.Reason, State: Found, Values: s.tags(s.Job.Leak.Secret)})
	} else {
		s.remember()
		s.letInBefore()
		s.Job.New, err = s.Store.Get(s.c.Fingerprint)
		if err == nil && s.Job.New != nil {
			s.Job.Redact.Add(s.Job.New.Secret.Reveal())
			if !s.c.Open() && s.c.Placed { // the process ended before the file went
				err = s.forget()
			} else if s.c.Open() && s.isNew(s.Job.Leak.Secret) {
				err = errors.New("what was found is the new key of this case, and it must not be ended")
			} else if s.c.Stored == "" { // the process ended before it could be written down
				err = s.stored(*s.Job.New)
			}
		} else if err == nil && s.c.Stored != "" { // removed by hand, or the process ended before that could be written down
			s.Person.Say("The new key that was kept in " + s.c.Stored + " is there no more.")
			err = s.append(Entry{Event: EventForgotten, What: s.c.Stored})
		}
	}
	if err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// remember takes over what earlier sessions found out, except for what would
// choose a host: the ledger may have come with the repository.
func (s *Session) remember() {
	inHost := map[string]bool{"host": true}
	r := s.Job.Leak.Rule
	requests := []*rules.Request{&r.Verify.Request}
	for _, steps := range [][]rules.Step{r.Workflow.Revoke, r.Workflow.Reissue} {
		for i := range steps {
			requests = append(requests, steps[i].Request, steps[i].Undo)
		}
	}
	for i := range r.Workflow.Lookups {
		requests = append(requests, &r.Workflow.Lookups[i].Request)
	}
	for _, q := range requests {
		if q == nil {
			continue
		}
		host, _, _ := strings.Cut(strings.TrimPrefix(q.URL, "https://"), "/")
		for _, name := range call.Names(host) {
			inHost[name] = true
		}
	}
	for name, text := range s.c.Names {
		if !inHost[name] {
			s.Job.Remember(name, call.Value{Text: text})
		}
	}
}

// append writes a line for this case and takes the case as it is then.
func (s *Session) append(e Entry) error {
	e.Case = s.Job.Leak.Fingerprint
	if err := s.Ledger.Append(e); err != nil {
		return err
	}
	s.c = s.Ledger.Case(e.Case)
	return nil
}

// named writes down the identifiers that were found out since the last time.
func (s *Session) named() error {
	fresh := map[string]string{}
	for name, text := range s.Job.Known() {
		if s.c.Names[name] != text {
			fresh[name] = text
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	return s.append(Entry{Event: EventNamed, Names: fresh})
}

// keep is Job.Keep: the new key is on the disk before anything goes on.
func (s *Session) keep(n Issued) error {
	s.Job.Redact.Add(n.Secret.Reveal())
	// What cannot be read is written over.
	before, _ := s.Store.Get(s.c.Fingerprint)
	s.Job.New = &n
	if err := s.Store.Put(s.c.Fingerprint, n); err != nil {
		return err
	}
	if s.c.Stored != "" && before != nil && before.Secret.Reveal() == n.Secret.Reveal() {
		return nil
	}
	return s.stored(n)
}

func (s *Session) stored(n Issued) error {
	return s.append(Entry{Event: EventStored, What: s.Store.Path(s.c.Fingerprint), NewID: n.ID, Values: s.tags(n.Secret)})
}

// wait is when an action may be done, zero when now.
func (s *Session) wait(a *Action) time.Time {
	d := a.wait()
	if d == 0 || s.Finish {
		return time.Time{}
	}
	var last time.Time
	for name, st := range s.c.Steps {
		if strings.HasPrefix(name, string(a.Kind)+"/") && st.Mark == Done && st.At.After(last) {
			last = st.At
		}
	}
	if due := last.Add(d); s.Job.Now().Before(due) {
		return due
	}
	return time.Time{}
}

func (s *Session) do(ctx context.Context, a *Action) error {
	switch a.Kind {
	case DoAssess:
		return s.assess(ctx)
	case DoReissue:
		return s.reissue(ctx, a)
	case DoReplace:
		return s.replace(ctx)
	case DoRevoke:
		return s.revoke(ctx, a)
	case DoProve:
		return s.prove(ctx)
	}
	return s.confirm(ctx)
}

// assess asks the vendor about the old key and shows what it says.
func (s *Session) assess(ctx context.Context) error {
	v := Verdict{Validity: Unknown, Why: "not asked"}
	if s.Job.CanVerify() {
		host := s.Job.VerifyHost()
		if strings.Contains(host, "{") {
			host = "the server that you name"
		}
		ok, err := s.Person.Confirm(ctx, fmt.Sprintf("Live?      till will ask %s. Go?", host), true)
		if err != nil {
			return err
		}
		if ok {
			if v, err = s.Job.Verify(ctx, s.Job.Leak.Secret); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				v.Validity, v.Why = Unknown, err.Error()
			}
		}
	} else if v, _ = s.Job.Verify(ctx, s.Job.Leak.Secret); v.Why == "" {
		v.Why = "the vendor cannot be asked"
	}
	s.Person.Say("Live?      " + s.sentence(v))
	for _, l := range [][2]string{{"Whose", v.Identity}, {"May", v.Scopes}, {"Used?", v.LastUsed}, {"Expires", v.Expires}} {
		if l[1] != "" {
			s.Person.Say(fmt.Sprintf("%-10s %s", l[0], l[1]))
		}
	}
	if err := s.verdict(v, ""); err != nil {
		return err
	}
	if err := s.named(); err != nil {
		return err
	}
	if v.Validity == Inactive {
		s.Person.Say("It is dead already: nothing has to be revoked.")
		ok, err := s.Person.Confirm(ctx, "Make a new key all the same?", false)
		if err != nil {
			return err
		}
		skip := []Kind{DoRevoke}
		if !ok {
			skip = append(skip, DoReissue, DoReplace)
		}
		if err := s.skip("dead already", skip...); err != nil {
			return err
		}
	} else {
		s.Person.Say("")
		s.Person.Say(strings.ToUpper(s.plan.Why[:1]) + s.plan.Why[1:] + ".")
	}
	return s.append(Entry{Event: EventDone, Step: "assess", State: Assessed})
}

// sentence tells a verdict to a person.
func (s *Session) sentence(v Verdict) string {
	word := map[Validity]string{Active: "live", Inactive: "dead"}[v.Validity]
	if word == "" {
		word = "unknown"
	}
	if v.Why != "" {
		word += " (" + v.Why + ")"
	}
	return word
}

// verdict writes an answer down. about is "" for the old key, "new" for the new.
func (s *Session) verdict(v Verdict, about string) error {
	e := Entry{Event: EventVerdict, Step: about, Validity: v.Validity, What: strings.TrimSpace(v.Host + " " + v.Why)}
	if about == "" {
		e.Values = s.tags(s.Job.Leak.Secret)
	}
	return s.append(e)
}

// skip marks the actions of some kinds as left out.
func (s *Session) skip(why string, kinds ...Kind) error {
	for _, a := range s.plan.Actions {
		for _, k := range kinds {
			if a.Kind == k && !s.c.Done(a.Name) {
				if err := s.append(Entry{Event: EventSkipped, Step: a.Name, What: why}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// tidy removes the stored copy of the new key once it is in its place.
func (s *Session) tidy(ctx context.Context) error {
	if s.c.Stored == "" {
		return nil
	}
	if !s.c.Placed {
		s.Person.Say(fmt.Sprintf("The new key is in %s, readable by you alone. Put it where it is used, then remove the file.", s.c.Stored))
		ok, err := s.Person.Confirm(ctx, "Is it in its place, so that the file can go?", false)
		if err != nil || !ok {
			return err
		}
	}
	return s.forget()
}

// forget removes the stored copy of the new key.
func (s *Session) forget() error {
	if err := s.Store.Forget(s.c.Fingerprint); err != nil {
		return err
	}
	s.Job.New = nil
	return s.append(Entry{Event: EventForgotten, What: s.c.Stored})
}

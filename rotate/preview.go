package rotate

import (
	"context"
	"fmt"

	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rules"
)

// Preview shows what Run would do, step by step, with every request and its
// keys masked. Nothing is asked of a vendor, nothing is written, nothing is
// changed; what a lookup or a person would say stays in its braces.
func (s *Session) Preview(ctx context.Context) error {
	j := s.Job
	s.plan = PlanFor(j.Leak.Rule, j.Leak.Exposure, s.Order)
	if c := s.Ledger.Case(j.Leak.Fingerprint); c != nil {
		s.c = c
		s.remember()
		if j.Leak.Rule.Human && !c.Open() {
			s.Person.Say("The case is closed. First the value that stands there now is asked about, and only if it is not proven dead the rest is done:")
			s.c = nil
		}
	}
	for i := range s.plan.Actions {
		a := &s.plan.Actions[i]
		if s.c != nil && s.c.Done(a.Name) {
			s.Person.Say(fmt.Sprintf("%s: done", a.Name))
			continue
		}
		switch a.Kind {
		case DoAssess:
			s.Person.Head("Live?")
			s.request(&j.Leak.Rule.Verify.Request)
			s.Person.Say(s.plan.Why)
		case DoReissue, DoRevoke:
			s.Person.Head(map[Kind]string{DoReissue: "New key", DoRevoke: "Old key off"}[a.Kind])
			for _, step := range a.Steps {
				s.previewStep(step, a.Kind == DoReissue)
			}
		case DoReplace:
			s.Person.Head("Swap")
			s.previewPlaces(ctx)
		case DoProve:
			s.Person.Head("Prove")
			s.request(&j.Leak.Rule.Verify.Request)
			s.Person.Say("until the answer is inactive, then once with the new key")
		}
	}
	return nil
}

func (s *Session) request(q *rules.Request) {
	switch {
	case !s.Job.CanVerify():
		s.Person.Say("the vendor cannot be asked: a person says so")
	case q.Func != "":
		if d, ok := s.Job.Adapters.Func(q.Func).(Describer); ok {
			for _, line := range d.Describe(s.Job) {
				s.Person.Say("  " + line)
			}
		}
	default:
		for _, line := range call.Describe(*q, s.Job.shown) {
			s.Person.Say("  " + line)
		}
	}
}

func (s *Session) previewStep(step *rules.Step, reissue bool) {
	way := s.Job.WayOf(step, reissue)
	s.Person.Say(fmt.Sprintf("%s (%s)", step.Title, way.words()))
	if step.After > 0 {
		s.Person.Say(fmt.Sprintf("  not before %s after the step before", step.After))
	}
	if step.Collateral != "" {
		s.Person.Say("  with it goes: " + step.Collateral)
	}
	if way == ByHand {
		if step.URL != "" {
			s.Person.Say("  " + step.URL)
		}
		if step.Command != "" {
			s.Person.Say("  $ " + step.Command)
		}
		return
	}
	names := call.Names(step.Command, step.Stdin)
	if step.Request != nil {
		names = call.NamesOf(*step.Request)
	}
	seen := map[*rules.Lookup]bool{}
	for _, name := range names {
		if _, err := s.Job.shown(name); err == nil {
			continue
		}
		if l := s.Job.lookupOf(name); l != nil && !seen[l] {
			seen[l] = true
			s.Person.Say("  first, to find {{" + name + "}}:")
			for _, line := range call.Describe(l.Request, s.Job.shown) {
				s.Person.Say("    " + line)
			}
		}
	}
	for _, line := range s.Job.Describe(step, reissue) {
		s.Person.Say("  " + line)
	}
	if !reissue && !step.Reversible {
		s.Person.Say("  cannot be taken back")
	}
}

// words tell a person how a step is done.
func (w Way) words() string {
	switch w {
	case ByFunc:
		return "by till"
	case BySelf:
		return "with the leaked key itself"
	case ByRequest:
		return "with your own credential"
	case ByCommand:
		return "with the vendor's command line, under your login"
	}
	return "by hand"
}

func (s *Session) previewPlaces(ctx context.Context) {
	none := true
	for _, p := range s.Job.Adapters.Placers {
		if p.Name() != "files" { // the others ask somebody
			continue
		}
		spots, err := p.Find(ctx, s.Job)
		if err != nil {
			s.Person.Say(fmt.Sprintf("%s: %v", p.Name(), s.Job.Redact.Error(err)))
		}
		for _, spot := range spots {
			none = false
			s.Person.Say(spot.Where)
			for _, line := range spot.Preview {
				s.Person.Say("  " + line)
			}
		}
	}
	if none {
		s.Person.Say("the old value stands in no file of the work tree; other places are looked into when it is run")
	}
}

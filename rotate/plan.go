package rotate

import (
	"fmt"
	"slices"
	"time"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// Kind is what an action does.
type Kind string

// The kinds of actions.
const (
	DoAssess  Kind = "assess"
	DoReissue Kind = "reissue"
	DoReplace Kind = "replace"
	DoRevoke  Kind = "revoke"
	DoProve   Kind = "prove" // that the old key is dead
	DoConfirm Kind = "confirm"
)

// An Action is one thing to do in a case: a step of the workflow, with other
// ways to do it, or something that every case goes through.
type Action struct {
	Kind Kind
	// Name is what the ledger calls it: "reissue/0", "revoke/1", "replace".
	Name string
	// Steps are the ways to do it, tried in turn; nil for kinds without steps.
	Steps []*rules.Step
}

// A Plan is a case's actions in order.
type Plan struct {
	Order   rules.Order
	Why     string // for people
	Actions []Action
}

// PlanFor orders the actions of a rule by exposure (scanner.Exposure.Order), as
// the reports do. order, when not empty, is the person's own choice.
func PlanFor(r *rules.Rule, exposure scanner.Exposure, order rules.Order) Plan {
	p := Plan{Order: order, Why: "as you said"}
	if order == "" {
		p.Order, p.Why = exposure.Order(r.Workflow.Order), "not public, so: new key first, then swap, then the old one off"
		if p.Order == rules.RevokeFirst {
			p.Why = "public, so: old key off first, then a new one"
		}
	}
	reissue := append(actions(DoReissue, r.Workflow.Reissue), Action{Kind: DoReplace, Name: "replace"})
	revoke := actions(DoRevoke, r.Workflow.Revoke)
	// What has to wait (After) comes last, behind the proof.
	first := slices.IndexFunc(revoke, func(a Action) bool { return a.wait() > 0 })
	if first < 0 {
		first = len(revoke)
	}
	later := slices.Clone(revoke[first:])
	revoke = append(revoke[:first:first], Action{Kind: DoProve, Name: "prove"})
	p.Actions = []Action{{Kind: DoAssess, Name: "assess"}}
	if p.Order == rules.RevokeFirst {
		p.Actions = append(append(p.Actions, revoke...), reissue...)
	} else {
		p.Actions = append(append(p.Actions, reissue...), revoke...)
	}
	p.Actions = append(append(p.Actions, Action{Kind: DoConfirm, Name: "confirm"}), later...)
	return p
}

// actions makes one action of each step and its alternatives.
func actions(kind Kind, steps []rules.Step) []Action {
	var out []Action
	for i := range steps {
		s := &steps[i]
		if s.Alternative && len(out) > 0 {
			last := &out[len(out)-1]
			last.Steps = append(last.Steps, s)
			continue
		}
		out = append(out, Action{Kind: kind, Name: fmt.Sprintf("%s/%d", kind, i), Steps: []*rules.Step{s}})
	}
	return out
}

func (a *Action) wait() time.Duration {
	if len(a.Steps) == 0 {
		return 0
	}
	return a.Steps[0].After
}

// pick is the step of an action that can be done with the least: the first that
// till can carry out, self-revocations before those that need a credential,
// else the first.
func (j *Job) pick(a *Action) *rules.Step {
	best, rank := a.Steps[0], 9
	for _, s := range a.Steps {
		r := map[Way]int{ByFunc: 0, BySelf: 0, ByCommand: 1, ByRequest: 2, ByHand: 3}[j.WayOf(s, a.Kind == DoReissue)]
		if r < rank {
			best, rank = s, r
		}
	}
	return best
}

package rotate_test

import (
	"testing"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/rotatetest"
	"github.com/till-sh/till/rules"
)

// TestHearsay: a wrong account refuses every key, so a refusal under a name that
// a person has given proves nothing, until a key was let in under it.
func TestHearsay(t *testing.T) {
	w := newWorld(t)
	w.rule.Verify.Request.URL = "https://api.umbra.example/{{account}}/me"
	ask := func(j *rotate.Job, code int, want rotate.Validity) {
		t.Helper()
		w.server.Handle(rotatetest.Answer(code, "{}"))
		if v, err := j.Verify(t.Context(), j.Leak.Secret); err != nil || v.Validity != want {
			t.Errorf("HTTP %d: %s (%s, %v), want %s", code, v.Validity, v.Why, err, want)
		}
	}
	job := func(account string) *rotate.Job {
		j := w.session(&yes{}, rotate.Options{}).Job
		j.Given = map[string]string{"account": account}
		return j
	}
	j := job("acmee")
	ask(j, 401, rotate.Unknown)
	ask(j, 200, rotate.Active)
	ask(j, 401, rotate.Inactive)

	j = job("acme")
	j.Leak.Account = "acme" // the leak says so too
	ask(j, 401, rotate.Inactive)
	j = job("other")
	j.Leak.Account = "acme"
	ask(j, 401, rotate.Unknown)
}

// TestHearsayLater: the record remembers that the key was let in.
func TestHearsayLater(t *testing.T) {
	w := newWorld(t)
	w.rule.Verify.Request.Headers = append(w.rule.Verify.Request.Headers, rules.Header{Name: "X-Account", Value: "{{account}}"})
	run := func(account string, revoke bool) (*rotate.Case, error) {
		p := &yes{}
		if !revoke {
			p.refuse = "Run it"
		}
		s := w.session(p, rotate.Options{})
		s.Job.Given = map[string]string{"account": account}
		return s.Run(t.Context())
	}
	if _, err := run("acme", false); err == nil {
		t.Fatal("it went to the end")
	}
	c, err := run("acme", true)
	if err != nil || c.Resolution != rotate.ResolvedRevoked || c.Validity != rotate.Inactive {
		t.Errorf("%v, %+v", err, c)
	}
}

package rotate_test

import (
	"testing"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rotate/rotatetest"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
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

// TestDoubt: what a living key can be told as well proves no death, until a key
// of the case was let in there.
func TestDoubt(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(w *world, j *rotate.Job)
		code int
		body string
		sure bool // it is dead at once
	}{
		{"plain", func(*world, *rotate.Job) {}, 401, "{}", true},
		{"no allowed address", func(w *world, _ *rotate.Job) { w.rule.Verify.DoubtBody = "invalid_auth" }, 401, "invalid_auth", false},
		{"another word", func(w *world, _ *rotate.Job) { w.rule.Verify.DoubtBody = "invalid_auth" }, 401, "revoked", true},
		{"server of a person", func(w *world, j *rotate.Job) {
			w.rule.Verify.Request.URL = "https://{{host}}/me"
			j.Given = map[string]string{"host": "keys.acme.example"}
		}, 401, "{}", false},
		{"server beside the key", func(w *world, j *rotate.Job) {
			w.rule.Verify.Request.URL = "https://{{host}}/me"
			j.Given = map[string]string{"host": "keys.acme.example"}
			j.Leak.Places = []scanner.Place{{Excerpt: []scanner.ExcerptLine{{Text: `url = "https://keys.acme.example/" # key …`}}}}
		}, 401, "{}", true},
		{"nearest of several halves", func(w *world, j *rotate.Job) {
			w.rule.Verify.Request.Headers = append(w.rule.Verify.Request.Headers, rules.Header{Name: "X-Id", Value: "{{id}}"})
			j.Leak.PublicID, j.Leak.Partner = "half", &scanner.Partner{Rule: w.rule, Secret: scanner.NewSecret([]byte("half"))}
		}, 401, "{}", false},
		{"the only half", func(w *world, j *rotate.Job) {
			w.rule.Verify.Request.Headers = append(w.rule.Verify.Request.Headers, rules.Header{Name: "X-Id", Value: "{{id}}"})
			j.Leak.PublicID, j.Leak.Partner = "half", &scanner.Partner{Rule: w.rule, Secret: scanner.NewSecret([]byte("half")), Sure: true}
		}, 401, "{}", true},
		{"GitHub of a company", func(w *world, j *rotate.Job) {
			j.Leak.Rule.Provider, j.Remote = "github", "git@code.acme.example:web/shop.git"
		}, 401, "{}", false},
		{"GitHub", func(w *world, j *rotate.Job) {
			j.Leak.Rule.Provider, j.Remote = "github", "git@github.com:acme/shop.git"
		}, 401, "{}", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			j := w.session(&yes{}, rotate.Options{}).Job
			c.set(w, j)
			ask := func(code int, body string, want rotate.Validity) {
				t.Helper()
				w.server.Handle(rotatetest.Answer(code, body))
				if v, err := j.Verify(t.Context(), j.Leak.Secret); err != nil || v.Validity != want {
					t.Errorf("HTTP %d: %s (%s, %v), want %s", code, v.Validity, v.Why, err, want)
				}
			}
			first := rotate.Unknown
			if c.sure {
				first = rotate.Inactive
			}
			ask(c.code, c.body, first)
			ask(200, "{}", rotate.Active)
			ask(c.code, c.body, rotate.Inactive)
		})
	}
}

// TestRequestRefused: a status that blames the request is no death of the key
// unless the body says so.
func TestRequestRefused(t *testing.T) {
	for _, code := range []int{400, 403, 404, 422} {
		v := &rules.Verify{Live: []int{200}, Dead: []int{code}}
		a := &call.Answer{Status: code, Body: []byte(`{"error":"unknown_key"}`)}
		if got, why := rotate.Judge(v, a); got != rotate.Unknown {
			t.Errorf("%d: %s (%s)", code, got, why)
		}
		v.DeadBody = "unknown_key"
		if got, why := rotate.Judge(v, a); got != rotate.Inactive {
			t.Errorf("%d with its word: %s (%s)", code, got, why)
		}
	}
}

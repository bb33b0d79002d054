package vendor

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rotate/rotatetest"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// TestIDFromPerson: a wrong id makes every key look dead.
func TestIDFromPerson(t *testing.T) {
	for _, r := range verifiers(t) {
		if r.id == "" {
			continue
		}
		s := rotatetest.New(t, nil)
		j := &rotate.Job{
			Leak:     rotate.Leak{ID: "XX-TEST", Secret: scanner.NewSecret([]byte(r.secret)), Rule: &rules.Rule{ID: "x", Verify: rules.Verify{Request: rules.Request{Func: r.name}}}},
			Adapters: &rotate.Adapters{Funcs: Funcs()}, Redact: &call.Redactor{}, HTTP: s.Client(), Now: time.Now,
			Ask: func(context.Context, rules.Ask) (string, error) { return r.id, nil },
		}
		ask := func(answer http.HandlerFunc, want rotate.Validity) {
			t.Helper()
			s.Handle(answer)
			if v, err := j.Verify(t.Context(), j.Leak.Secret); err != nil || v.Validity != want {
				t.Errorf("%s: %s (%s, %v), want %s", r.name, v.Validity, v.Why, err, want)
			}
		}
		ask(r.dead[0], rotate.Unknown)
		ask(r.live, rotate.Active)
		ask(r.dead[0], rotate.Inactive)
	}
}

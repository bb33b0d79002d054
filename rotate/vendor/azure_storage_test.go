package vendor

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rotate/rotatetest"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// The account's name may come from a person: another account refuses the key, and
// that proves nothing.
func TestAzureStorageAccountFromPerson(t *testing.T) {
	s := rotatetest.New(t, rotatetest.Answer(500, ""))
	old, fresh := scanner.NewSecret([]byte(strings.Repeat("Zk3vQ9xL2m", 8)+"Zk3vQg==")), scanner.NewSecret([]byte(strings.Repeat("Qw8rT5yU1p", 8)+"Qw8rTg=="))
	refuse := rotatetest.Answer(403, "<Error><Code>AuthenticationFailed</Code>The MAC signature found</Error>", "X-Ms-Error-Code", "AuthenticationFailed")
	accept := rotatetest.Answer(200, "", "X-Ms-Account-Kind", "StorageV2")
	job := func(account string) *rotate.Job {
		return &rotate.Job{
			Leak:     rotate.Leak{ID: "XX-TEST", Secret: old, Account: account, Rule: &rules.Rule{ID: "x"}},
			Adapters: &rotate.Adapters{Funcs: Funcs()}, Redact: &call.Redactor{}, HTTP: s.Client(), Now: time.Now,
			Given: map[string]string{"account": "acmefiles"},
		}
	}
	check := func(what string, j *rotate.Job, want rotate.Validity) {
		t.Helper()
		if got, err := (azureStorage{}).Verify(t.Context(), j, old); err != nil || got.Validity != want {
			t.Errorf("%s: %s (%s, %v), want %s", what, got.Validity, got.Why, err, want)
		}
	}
	s.Handle(refuse)
	check("the leak names the account", job("acmefiles"), rotate.Inactive)
	check("a person does", job(""), rotate.Unknown)
	j := job("")
	j.New = &rotate.Issued{Secret: fresh}
	check("the new key is refused too", j, rotate.Unknown)
	calls := 0
	s.Handle(func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls%2 == 1 {
			refuse(w, r)
		} else {
			accept(w, r)
		}
	})
	check("the account lets the new key in", j, rotate.Inactive)
}

//go:build linux

package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rotate/server"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// jobOf is a leaked password of a user that stands in an address, with the owner's own credential.
func jobOf(user, password, admin string, given map[string]string) *rotate.Job {
	before := "URL=postgres://" + user + ":"
	beside := scanner.ExcerptLine{Text: before + "x@" + given["server"] + "/shop", Mark: len(before), MarkEnd: len(before) + 1}
	redact := &call.Redactor{}
	j := &rotate.Job{
		Leak: rotate.Leak{Rule: &rules.Rule{ID: "acme", Human: true}, Secret: scanner.NewSecret([]byte(password)), PublicID: user,
			Places: []scanner.Place{{Excerpt: []scanner.ExcerptLine{beside}}}},
		Given: given, Redact: redact, HTTP: &call.Client{Redact: redact}, Now: time.Now,
		GivenSecrets: map[string]scanner.Secret{"admin": scanner.NewSecret([]byte(admin))},
	}
	j.Keep = func(n rotate.Issued) error { j.New = &n; return nil }
	return j
}

// funcOf is the function of a server that makes new passwords, or ends old ones.
func funcOf[T any](name string) (f T) {
	for _, x := range server.Funcs() {
		if strings.HasPrefix(x.Name, name) {
			if f, ok := x.Adapter.(T); ok {
				return f
			}
		}
	}
	panic("no such function of " + name)
}

// leftAlone demands that an account whose password is not known to be the leaked
// one gets no new one and keeps its own.
func leftAlone(t *testing.T, name string, j *rotate.Job, others string) {
	t.Helper()
	if _, err := funcOf[rotate.Issuer](name).Issue(t.Context(), j); err == nil || !strings.Contains(err.Error(), "left alone") || j.New != nil {
		t.Errorf("%s: a new password: %v, kept %v", name, err, j.New != nil)
	} else if others != "" && strings.Contains(err.Error(), others) {
		t.Errorf("%s: the error holds a password", name)
	}
	if err := funcOf[rotate.Revoker](name).Revoke(t.Context(), j); name == "postgres" && (err == nil || !strings.Contains(err.Error(), "left alone")) {
		t.Errorf("%s: the old one off: %v", name, err)
	}
}

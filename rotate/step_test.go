package rotate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rotate/rotatetest"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// TestStepContract carries out every request of every workflow against a server
// that plays the vendor: accepted, refused, unknown key, rate limit, failure,
// redirect, broken connection, odd answer. Only an acceptance counts as one, a
// request that changes something is sent once, and nothing that comes back
// tells the key, the owner's credential or the new key.
func TestStepContract(t *testing.T) {
	s := rotatetest.New(t, nil)
	count := map[string]int{}
	for _, f := range catalogueKeys(t) {
		w := &f.rule.Workflow
		for _, half := range []struct {
			name    string
			steps   []rules.Step
			reissue bool
		}{{"revoke", w.Revoke, false}, {"reissue", w.Reissue, true}} {
			for i := range half.steps {
				step := &half.steps[i]
				way := newJob(t, &f.key, s).WayOf(step, half.reissue)
				count[half.name+" "+string(way)]++
				if way != rotate.BySelf && way != rotate.ByRequest {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%d", f.rule.ID, half.name, i), func(t *testing.T) {
					testStep(t, s, f, step, half.reissue)
				})
			}
		}
	}
	t.Logf("steps by way: %v", count)
	if count["revoke self"]+count["revoke request"] < 25 {
		t.Errorf("too few kinds can be revoked by request: %v", count)
	}
}

var newKey = strings.Repeat("Nw4kQ7", 7)

func testStep(t *testing.T, s *rotatetest.Server, f found, step *rules.Step, reissue bool) {
	status := 200
	if len(step.OK) > 0 {
		status = step.OK[0]
	}
	success := sampleOf(t, step.OKBody)
	if reissue {
		success = answerWith(step.Result)
	}
	accept := rotatetest.Answer(status, success, headerOf(step.Result.Secret)...)
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		status  int
		ok      bool
	}{
		{"accepted", accept, status, true},
		{"not authenticated", rotatetest.Answer(401, "{}"), 401, false},
		{"no permission", rotatetest.Answer(403, "{}"), 403, false},
		{"no such key", rotatetest.Answer(404, "{}"), 404, false},
		{"rate limit", rotatetest.Answer(429, "{}", "Retry-After", "1"), 429, false},
		{"fails", rotatetest.Answer(500, "{}"), 500, false},
		{"gateway", rotatetest.Answer(503, "<html>"), 503, false},
		{"redirect", rotatetest.Answer(302, "", "Location", "https://evil.example/"), 302, false},
		{"hang up", rotatetest.HangUp, 0, false},
		{"odd answer", rotatetest.Answer(status, `[{"key":7}]`), -1, false},
		{"no JSON", rotatetest.Answer(status, "<html>\x00"), -1, false},
	} {
		if slices.Contains(step.Gone, c.status) || slices.Contains(step.OK, c.status) && !c.ok {
			continue
		}
		if c.status < 0 && (!reissue && step.OKBody == "" || step.Result.Secret == "text") {
			continue // the status says it all, or any text is a key
		}
		j := newJob(t, &f.key, s)
		// What lookups would find is given here; they have a test of their own.
		rememberLookups(j, f, "")
		kept := 0
		j.Keep = func(rotate.Issued) error { kept++; return nil }
		s.Handle(c.handler)
		var err error
		var n rotate.Issued
		if reissue {
			n, err = j.Issue(t.Context(), step)
		} else {
			err = j.Revoke(t.Context(), step)
		}
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if reissue && c.ok && (!strings.Contains(n.Secret.Reveal(), newKey) || kept != 1) {
			t.Errorf("%s: the new key was not taken out of the answer, or not kept (%d times)", c.name, kept)
		}
		if reissue && !c.ok && kept != 0 {
			t.Errorf("%s: something was kept as the new key", c.name)
		}
		if shown := fmt.Sprint(err, n, j.Describe(step, reissue)); strings.Contains(shown, f.key.Secret.Reveal()) || strings.Contains(shown, "Adm1nOfTheTests") || strings.Contains(shown, newKey) {
			t.Errorf("%s: what is shown holds a secret", c.name)
		}
		calls := s.Calls()
		changing := slices.DeleteFunc(slices.Clone(calls), func(x rotatetest.Call) bool { return x.Method == "GET" || x.Method == "DELETE" || x.Method == "PUT" })
		if len(changing) > 1 || reissue && len(calls) > 1 {
			t.Errorf("%s: sent %d times", c.name, len(calls))
		}
		for _, x := range calls {
			if strings.HasSuffix(x.Host, "evil.example") {
				t.Errorf("%s: a redirect was followed", c.name)
			}
		}
	}
}

// answerWith makes an answer that holds the new key where the result looks for it.
func answerWith(r rules.Result) string {
	if r.Secret == "text" {
		return newKey + "\n"
	}
	root := map[string]any{}
	put := func(path, value string) {
		if path == "" || strings.HasPrefix(path, "header:") || path == "text" {
			return
		}
		parts := strings.Split(path, ".")
		var at any = root
		for i, p := range parts {
			last := i == len(parts)-1
			switch v := at.(type) {
			case map[string]any:
				if last {
					v[p] = value
					return
				}
				if v[p] == nil {
					if parts[i+1] == "0" {
						v[p] = []any{map[string]any{}}
					} else {
						v[p] = map[string]any{}
					}
				}
				at = v[p]
			case []any:
				if last {
					v[0] = value
					return
				}
				at = v[0]
			}
		}
	}
	put(r.ID, "new-id-7")
	put(r.Expires, "2026-12-24")
	put(r.Secret, newKey)
	out, _ := json.Marshal(root)
	return string(out)
}

func headerOf(path string) []string {
	if name, ok := strings.CutPrefix(path, "header:"); ok {
		return []string{name, newKey}
	}
	return nil
}

// TestLookup: the exact key or none, over all pages.
func TestLookup(t *testing.T) {
	p, err := rules.LoadFile("../rules/testdata/umbra.toml")
	if err != nil {
		t.Fatal(err)
	}
	r := &p.Rules[0]
	value := "umbra_live_" + strings.Repeat("k3J9xQv2", 4)
	key := scanner.Key{ID: "UM-TEST", Rule: r, Secret: scanner.NewSecret([]byte(value))}
	last4 := value[len(value)-4:]
	entry := func(id, redacted, kind string) string {
		return fmt.Sprintf(`{"id":%q,"redacted":%q,"kind":%q,"name":"name of %s","created_at":"2026-01-02"}`, id, redacted, kind, id)
	}
	mine, other, public := entry("k1", "umbra_live_…"+last4, "secret"), entry("k2", "umbra_live_…zzzz", "secret"), entry("k3", "umbra_live_…"+last4, "public")
	page := func(next string, entries ...string) string {
		return fmt.Sprintf(`{"data":[%s],"paging":{"next":%q}}`, strings.Join(entries, ","), next)
	}
	for _, tt := range []struct {
		name  string
		pages map[string]string // cursor → answer
		want  string            // id, or ""
		err   error
	}{
		{"one page", map[string]string{"": page("", other, mine, public)}, "k1", nil},
		{"second page", map[string]string{"": page("c2", other), "c2": page("", public, mine)}, "k1", nil},
		{"nowhere", map[string]string{"": page("c2", other), "c2": page("", public)}, "", rotate.ErrNotFound},
		{"twice on one page", map[string]string{"": page("", mine, mine)}, "", rotate.ErrAmbiguous},
		{"twice on two pages", map[string]string{"": page("c2", mine), "c2": page("", mine)}, "", rotate.ErrAmbiguous},
		{"endless", map[string]string{"": page("c2", mine), "c2": page("c2", other)}, "", rotate.ErrAmbiguous},
		{"empty", map[string]string{"": page("")}, "", rotate.ErrNotFound},
		{"no list", map[string]string{"": `{"data":"none"}`}, "", nil},
		{"no JSON", map[string]string{"": `<html>`}, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := rotatetest.New(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != "GET" {
					t.Errorf("%s before the key was found", r.Method)
				}
				rotatetest.Answer(200, tt.pages[r.URL.Query().Get("after")])(w, r)
			})
			j := newJob(t, &key, s)
			v, err := j.Value(t.Context(), "key_id")
			if tt.want != "" {
				if err != nil || v.Text != tt.want {
					t.Fatalf("got %q, %v", v.Text, err)
				}
				if len(j.Siblings()) != 2 {
					t.Errorf("siblings %v", j.Siblings())
				}
				return
			}
			if err == nil || tt.err != nil && !errors.Is(err, tt.err) {
				t.Fatalf("got %q, %v, want %v", v.Text, err, tt.err)
			}
			// The step that needs it does nothing.
			before := len(s.Calls())
			if err := j.Revoke(t.Context(), &r.Workflow.Revoke[0]); err == nil {
				t.Error("the step was done without the exact key")
			}
			for _, c := range s.Calls()[before:] {
				if c.Method != "GET" {
					t.Errorf("%s %s", c.Method, c.Path)
				}
			}
		})
	}
}

// TestListOfALookup: what a vendor lists of the old key goes into the request for
// the new one as a list.
func TestListOfALookup(t *testing.T) {
	j := &rotate.Job{Leak: rotate.Leak{Rule: &rules.Rule{Ask: []rules.Ask{{Name: "scopes", Text: "scopes", List: true}}}}, Redact: &call.Redactor{}}
	j.Remember("scopes", call.Value{Text: "read:user, write:repository"})
	q, err := call.Fill(rules.Request{Method: "POST", URL: "https://api.acme.example/", Body: `{"scopes":{{scopes}}}`}, j.Values(t.Context(), scanner.Secret{}))
	if want := `{"scopes":["read:user","write:repository"]}`; err != nil || string(q.Body) != want {
		t.Errorf("%s, %v; want %s", q.Body, err, want)
	}
}

// TestNames: what names stand for.
func TestNames(t *testing.T) {
	value := "umbra_live_" + strings.Repeat("k3J9xQv2", 4)
	j := newJob(t, &scanner.Key{ID: "UM-7Q4K", Rule: &rules.Rule{ID: "umbra-key", Provider: "umbra"}, Secret: scanner.NewSecret([]byte(value))}, nil)
	j.Lifetime = 90 * 24 * time.Hour
	for name, want := range map[string]string{
		"secret": value, "secret-last4": value[len(value)-4:], "secret-first11": "umbra_live_", "name": "till-um-7q4k-20261124",
		"expires-date": "2027-02-22", "expires-days": "90", "expires-time": "2027-02-22T12:00:00Z",
	} {
		if v, err := j.Value(t.Context(), name); err != nil || v.Text != want {
			t.Errorf("%s: %q, %v, want %q", name, v.Text, err, want)
		}
	}
	for _, name := range []string{"secret-last40", "secret-first0", "new"} {
		if v, err := j.Value(t.Context(), name); err == nil {
			t.Errorf("%s: %q", name, v.Text)
		}
	}
	j.Ask = nil
	if _, err := j.Value(t.Context(), "project"); !errors.Is(err, rotate.ErrNobody) {
		t.Errorf("project: %v", err)
	}
}

// TestDescribeList: a list in a JSON body is shown as the array that is sent,
// whether the owner or the catalogue says it; what is not known stays in braces.
func TestDescribeList(t *testing.T) {
	for given, want := range map[string]string{
		"":          `{"name":"{{label}}","scopes":["mail.send"],"note":"mail.send"}`,
		"read,keys": `{"name":"{{label}}","scopes":["read","keys"],"note":"read,keys"}`,
	} {
		j := &rotate.Job{
			Leak:     rotate.Leak{Rule: &rules.Rule{ID: "x", Ask: []rules.Ask{{Name: "scopes", List: true, Default: "mail.send"}}}, Secret: scanner.NewSecret([]byte("k3J9xQv2"))},
			Adapters: &rotate.Adapters{}, Redact: &call.Redactor{}, Now: clock, Given: map[string]string{},
		}
		if given != "" {
			j.Given["scopes"] = given
		}
		step := &rules.Step{Request: &rules.Request{Method: "POST", URL: "https://api.umbra.example/keys", Body: `{"name":"{{label}}","scopes":{{scopes}},"note":"{{scopes}}"}`}, Result: rules.Result{Secret: "key"}}
		if got := strings.Join(j.Describe(step, true), "\n"); !strings.HasSuffix(got, want) {
			t.Errorf("%q: shown as %s", given, got)
		}
	}
}

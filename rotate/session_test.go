package rotate_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rotate/place"
	"github.com/till-sh/till/rotate/rotatetest"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// yes is a Person that agrees to everything and remembers what was said.
type yes struct {
	said     strings.Builder
	attested int
	refuse   string // a question that begins so is answered with no
}

func (y *yes) Say(text string)   { y.said.WriteString(text + "\n") }
func (y *yes) Head(title string) { y.Say("== " + title) }
func (y *yes) Confirm(_ context.Context, question string, standard bool) (bool, error) {
	y.Say(question)
	return standard, nil
}
func (y *yes) Approve(_ context.Context, question string, _ bool, _ string) (bool, error) {
	y.Say(question)
	return y.refuse == "" || !strings.HasPrefix(question, y.refuse), nil
}
func (y *yes) Attest(_ context.Context, question, _ string) (bool, error) {
	y.Say(question)
	y.attested++
	return true, nil
}
func (y *yes) Hidden(context.Context, string) (string, error) { return "", rotate.ErrNobody }
func (y *yes) Show(string, scanner.Secret) error              { return rotate.ErrNobody }

// world is a vendor with one leaked key, a repository and a record.
type world struct {
	t       *testing.T
	server  *rotatetest.Server
	rule    *rules.Rule
	old     string
	dir     string
	now     time.Time
	live    map[string]bool
	issued  []string
	slow    int // questions that the vendor answers with "live" after the revocation
	crashAt int // the call after which the process ends, 0 = never
	calls   int
	crash   context.CancelFunc
}

func newWorld(t *testing.T) *world {
	auth := []rules.Header{{Name: "Authorization", Value: "Bearer {{secret}}"}}
	w := &world{t: t, dir: t.TempDir(), now: clock(), old: "umbra_" + strings.Repeat("k3J9xQv2", 4)}
	w.live = map[string]bool{w.old: true}
	w.rule = &rules.Rule{
		ID: "umbra-key", Provider: "umbra", Description: "Umbra key",
		Verify: rules.Verify{Request: rules.Request{Method: "GET", URL: "https://api.umbra.example/me", Headers: auth}, Live: []int{200}, Dead: []int{401}},
		Workflow: rules.Workflow{
			Reissue: []rules.Step{{Title: "Make a key", URL: "https://umbra.example/keys", Request: &rules.Request{Method: "POST", URL: "https://api.umbra.example/keys", Headers: auth}, Result: rules.Result{Secret: "key", ID: "id"}}},
			Revoke: []rules.Step{
				{Title: "Switch it off", Request: &rules.Request{Method: "POST", URL: "https://api.umbra.example/off", Headers: auth}, Gone: []int{401}, Reversible: true, Undo: &rules.Request{Method: "POST", URL: "https://api.umbra.example/on", Headers: auth}},
				{Title: "Delete it", Request: &rules.Request{Method: "DELETE", URL: "https://api.umbra.example/self", Headers: auth}, Gone: []int{401, 404}, After: 7 * 24 * time.Hour},
			},
		},
	}
	if err := os.WriteFile(filepath.Join(w.dir, ".env"), []byte("A=1\nKEY="+w.old+"\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	w.server = rotatetest.New(t, w.serve)
	return w
}

func (w *world) serve(out http.ResponseWriter, r *http.Request) {
	key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	answer := rotatetest.Answer(401, "{}")
	switch on := w.live[key]; {
	case r.URL.Path == "/on":
		w.live[key] = true
		answer = rotatetest.Answer(200, "{}")
	case !on && r.URL.Path == "/me" && w.slow > 0 && key == w.old:
		w.slow--
		answer = rotatetest.Answer(200, "{}")
	case !on:
	case r.URL.Path == "/keys":
		n := fmt.Sprintf("umbra_new%d_%s", len(w.issued), strings.Repeat("q7Wz", 6))
		w.issued, w.live[n] = append(w.issued, n), true
		answer = rotatetest.Answer(201, fmt.Sprintf(`{"key":%q,"id":"k%d"}`, n, len(w.issued)))
	case r.URL.Path == "/off" || r.Method == "DELETE":
		w.live[key] = false
		answer = rotatetest.Answer(200, "{}")
	default:
		answer = rotatetest.Answer(200, `{"name":"deploy"}`)
	}
	if w.calls++; w.calls == w.crashAt {
		w.crash() // it was done, and the answer reaches nobody
		answer = rotatetest.HangUp
	}
	answer(out, r)
}

// run starts a session, as a new process would.
func (w *world) run(p rotate.Person, o rotate.Options) (*rotate.Case, error) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	w.crash = cancel
	s := w.session(p, o)
	return s.Run(ctx)
}

func (w *world) session(p rotate.Person, o rotate.Options) *rotate.Session {
	w.t.Helper()
	ledger, err := rotate.OpenLedger(filepath.Join(w.dir, ".git", "till", "ledger.jsonl"), "ada@host", func() time.Time { return w.now })
	if err != nil {
		w.t.Fatal(err)
	}
	j := &rotate.Job{
		Leak:     rotate.Leak{Fingerprint: strings.Repeat("ab", 16), ID: "UM-7Q4K", Rule: w.rule, Secret: scanner.NewSecret([]byte(w.old)), Exposure: scanner.ExposurePushed},
		Adapters: &rotate.Adapters{Placers: []rotate.Placer{place.Files{}}}, HTTP: w.server.Client(), Redact: &call.Redactor{}, WorkTree: w.dir,
		Now: func() time.Time { return w.now }, Sleep: func(_ context.Context, d time.Duration) error { w.now = w.now.Add(d); return nil },
		Tracked: func(string) (bool, error) { return false, nil },
	}
	j.Redact.Add(w.old)
	return &rotate.Session{Job: j, Ledger: ledger, Store: rotate.Store{Dir: filepath.Join(w.dir, ".git", "till", "new")}, Person: p, Options: o}
}

// check demands the end of a good rotation.
func (w *world) check(c *rotate.Case, p *yes) {
	w.t.Helper()
	env, err := os.ReadFile(filepath.Join(w.dir, ".env"))
	if err != nil {
		w.t.Fatal(err)
	}
	fresh := strings.TrimSpace(strings.TrimPrefix(string(env), "A=1\nKEY="))
	switch {
	case c.Resolution != rotate.ResolvedRevoked || c.State != rotate.Confirmed:
		w.t.Errorf("case is %s, %q", c.State, c.Resolution)
	case w.live[w.old]:
		w.t.Error("the old key lives")
	case !w.live[fresh]:
		w.t.Errorf("what stands in .env is no live key")
	case len(w.issued) > 1 && p.attested == 0:
		w.t.Errorf("%d keys were made, and nobody was told", len(w.issued))
	}
	if info, err := os.Stat(filepath.Join(w.dir, ".env")); err == nil && info.Mode().Perm() != 0o640 {
		w.t.Errorf("mode of .env: %v", info.Mode())
	}
	record, err := os.ReadFile(filepath.Join(w.dir, ".git", "till", "ledger.jsonl"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, secret := range append(w.issued, w.old) {
		if strings.Contains(string(record), secret) || strings.Contains(p.said.String(), secret) {
			w.t.Error("the record or what was said holds a key")
		}
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, ".git", "till", "new", "*")); len(left) > 0 {
		w.t.Errorf("left over: %v", left)
	}
}

func TestSession(t *testing.T) {
	w := newWorld(t)
	w.slow = 3
	p := &yes{}
	c, err := w.run(p, rotate.Options{Reason: "leaked"})
	if err != nil {
		t.Fatal(err)
	}
	w.check(c, p)
	if len(w.issued) != 1 || w.slow != 0 {
		t.Errorf("issued %d, slow %d", len(w.issued), w.slow)
	}
	if c.Due.IsZero() || !strings.Contains(p.said.String(), "--finish") {
		t.Errorf("the deletion is not due: %+v", c)
	}
	// A week later the same command deletes it.
	w.now = w.now.Add(8 * 24 * time.Hour)
	w.live[w.old] = true // so that the request says who it is
	before := len(w.server.Calls())
	c, err = w.run(p, rotate.Options{})
	if err != nil || !c.Done("revoke/1") {
		t.Errorf("%v, %+v", err, c.Steps)
	}
	if calls := w.server.Calls()[before:]; len(calls) != 1 || calls[0].Method != "DELETE" {
		t.Errorf("calls %v", len(calls))
	}
}

// TestSessionCrash ends the process after every single request in turn, the
// request done and the answer lost, and starts it again.
func TestSessionCrash(t *testing.T) {
	clean := newWorld(t)
	if _, err := clean.run(&yes{}, rotate.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, order := range []rules.Order{"", rules.RevokeFirst} {
		for at := 1; at <= clean.calls; at++ {
			t.Run(fmt.Sprintf("%s%d", order, at), func(t *testing.T) {
				w := newWorld(t)
				if order == rules.RevokeFirst {
					// With the old key off it cannot make the new one: the owner's does.
					w.rule.Workflow.Reissue[0].Request.Headers = []rules.Header{{Name: "Authorization", Value: "Bearer {{admin}}"}}
					w.live["owner"+strings.Repeat("x", 8)] = true
				}
				p := &yes{}
				w.crashAt = at
				run := func() (*rotate.Case, error) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					w.crash = cancel
					s := w.session(p, rotate.Options{Order: order})
					s.Job.GivenSecrets = map[string]scanner.Secret{"admin": scanner.NewSecret([]byte("owner" + strings.Repeat("x", 8)))}
					return s.Run(ctx)
				}
				if _, err := run(); err == nil {
					t.Fatal("the crash went by")
				}
				c, err := run()
				if err != nil {
					t.Fatalf("again: %v\n%s", err, p.said.String())
				}
				w.check(c, p)
			})
		}
	}
}

// TestSessionUndo: what was switched off is on again, and the case open.
func TestSessionUndo(t *testing.T) {
	w := newWorld(t)
	p := &yes{}
	if _, err := w.run(p, rotate.Options{}); err != nil {
		t.Fatal(err)
	}
	s := w.session(&agree{}, rotate.Options{})
	c, err := s.Undo(t.Context())
	if err != nil || !w.live[w.old] || !c.Open() || c.Steps["revoke/0"].Mark != rotate.Undone {
		t.Errorf("%v, live %v, %+v", err, w.live[w.old], c)
	}
}

// agree confirms what the standard would not.
type agree struct{ yes }

func (a *agree) Confirm(context.Context, string, bool) (bool, error) { return true, nil }

// TestSessionLive: an accepted revocation of a key that lives on closes nothing.
func TestSessionLive(t *testing.T) {
	w := newWorld(t)
	w.slow = 1000
	c, err := w.run(&yes{}, rotate.Options{Patience: time.Minute})
	if !errors.Is(err, rotate.ErrStopped) || !c.Open() || c.Done("prove") {
		t.Errorf("%v, %+v", err, c)
	}
}

// TestSessionTaken: one case, one session.
func TestSessionTaken(t *testing.T) {
	w := newWorld(t)
	inner := &yes{}
	var second error
	p := &hook{yes: &yes{}, at: func() { _, second = w.session(inner, rotate.Options{}).Run(t.Context()) }}
	if _, err := w.run(p, rotate.Options{}); err != nil {
		t.Fatal(err)
	}
	if second == nil || !strings.Contains(second.Error(), "somebody works on case") {
		t.Errorf("got %v", second)
	}
}

// hook does something at the first question.
type hook struct {
	*yes
	at func()
}

func (h *hook) Confirm(ctx context.Context, q string, standard bool) (bool, error) {
	if h.at != nil {
		at := h.at
		h.at = nil
		at()
	}
	return h.yes.Confirm(ctx, q, standard)
}

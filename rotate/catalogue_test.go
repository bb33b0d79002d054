package rotate_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rotate/place"
	"github.com/till-sh/till/rotate/rotatetest"
	"github.com/till-sh/till/rotate/server"
	"github.com/till-sh/till/rotate/vendor"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

func adapters() *rotate.Adapters {
	a := &rotate.Adapters{Funcs: slices.Concat(server.Funcs(), vendor.Funcs()), Placers: place.All()}
	slices.SortFunc(a.Funcs, func(x, y rotate.Func) int { return strings.Compare(x.Name, y.Name) })
	return a
}

// found is a rule of the catalogue with a key that the engine found in one of
// its samples.
type found struct {
	rule *rules.Rule
	key  scanner.Key
}

// catalogueKeys scans the first sample of every rule of the provider files.
func catalogueKeys(t *testing.T) []found {
	t.Helper()
	c, err := rules.LoadFS(os.DirFS("../rules"), "providers")
	if err != nil {
		t.Fatal(err)
	}
	engine, err := scanner.New(scanner.Options{NoMarks: true}, c)
	if err != nil {
		t.Fatal(err)
	}
	var out []found
	for _, p := range c.Providers {
		for i := range p.Rules {
			r := &p.Rules[i]
			if len(r.Samples.Match) == 0 {
				continue
			}
			path := "sample.txt"
			if len(r.Paths) > 0 {
				path = strings.NewReplacer("**/", "", "*", "x").Replace(r.Paths[0])
			}
			res, err := engine.Scan(&scanner.Blob{Path: path, Data: []byte(r.Samples.Match[0])})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range res.Findings {
				if f.Rule.ID == r.ID {
					out = append(out, found{r, scanner.Key{ID: "XX-TEST", Rule: r, Secret: f.Secret, Partner: f.Partner, Facts: f.Facts}})
					break
				}
			}
		}
	}
	return out
}

// newJob makes a job whose vendor is the server, and which knows a value for
// every name.
func newJob(t *testing.T, k *scanner.Key, s *rotatetest.Server) *rotate.Job {
	t.Helper()
	j := &rotate.Job{
		Leak: rotate.LeakOf(k), Adapters: adapters(), Redact: &call.Redactor{}, Now: func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) },
		Ask: func(_ context.Context, q rules.Ask) (string, error) {
			if q.Default != "" {
				return "", nil
			}
			if q.Secret {
				return "Adm1nOfTheTests" + "77", nil
			}
			switch {
			case q.Pattern != "":
				return sampleOf(t, q.Pattern), nil
			case q.Name == "host":
				return "self.example.org", nil
			}
			return "n7", nil
		},
	}
	j.Leak.Note = "" // samples may be traps
	j.Redact.Add(k.Secret.Reveal())
	if s != nil {
		j.HTTP = s.Client()
	}
	return j
}

// holds reports whether a call carries a value in any of the ways in which
// requests carry one.
func holds(c rotatetest.Call, value string) bool {
	text := c.Path + "\n" + c.Body
	for name, values := range c.Header {
		text += "\n" + name + ": " + strings.Join(values, "\n")
		for _, v := range values {
			if plain, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(v, "Basic ")); err == nil {
				text += "\n" + string(plain)
			}
		}
	}
	if plain, err := url.QueryUnescape(c.Path + "\n" + c.Body); err == nil {
		text += "\n" + plain
	}
	if plain, err := url.PathUnescape(c.Path); err == nil {
		text += "\n" + plain
	}
	quoted, _ := json.Marshal(value)
	return strings.Contains(text, value) || strings.Contains(text, strings.Trim(string(quoted), `"`))
}

// TestFuncs: every function that a TOML file names is there and can do what it
// is named for, and the registry is in order.
func TestFuncs(t *testing.T) {
	a := adapters()
	if err := a.Check(); err != nil {
		t.Error(err)
	}
	used := map[string]bool{}
	for _, p := range rules.Builtin().Providers {
		for i := range p.Rules {
			r := &p.Rules[i]
			check := func(name string, can bool) {
				used[name] = true
				if !can {
					t.Errorf("%s: func %q is not there or cannot do that", r.ID, name)
				}
			}
			if name := r.Verify.Request.Func; name != "" {
				_, ok := a.Func(name).(rotate.Verifier)
				check(name, ok)
			}
			for _, s := range r.Workflow.Reissue {
				if s.Request != nil && s.Request.Func != "" {
					_, ok := a.Func(s.Request.Func).(rotate.Issuer)
					check(s.Request.Func, ok)
				}
			}
			for _, s := range r.Workflow.Revoke {
				if s.Request != nil && s.Request.Func != "" {
					_, ok := a.Func(s.Request.Func).(rotate.Revoker)
					check(s.Request.Func, ok)
				}
			}
		}
	}
	for _, f := range a.Funcs {
		if !used[f.Name] {
			t.Errorf("func %s: no rule names it", f.Name)
		}
	}
}

// TestVerifyContract plays every vendor of the catalogue: alive, dead, rate
// limit, failure, redirect, broken connection, odd answers. Whatever is not
// clear is unknown, the request goes to the vendor alone and carries the key,
// and nothing that comes back tells it.
func TestVerifyContract(t *testing.T) {
	s := rotatetest.New(t, nil)
	tried := 0
	for _, f := range catalogueKeys(t) {
		v := &f.rule.Verify
		if v.Request.URL == "" {
			continue
		}
		tried++
		t.Run(f.rule.ID, func(t *testing.T) {
			live, dead := sampleOf(t, v.LiveBody), sampleOf(t, v.DeadBody)
			var cases []contractCase
			for _, code := range v.Live {
				if (code == 429 || code >= 500) && v.LiveBody == "" {
					continue // speaks of the server; see Judge
				}
				cases = append(cases, contractCase{fmt.Sprint("live ", code), rotatetest.Answer(code, live), rotate.Active})
				if v.LiveBody != "" {
					cases = append(cases, contractCase{fmt.Sprint("odd body ", code), rotatetest.Answer(code, "<html>\x00"), ""})
				}
			}
			for _, code := range v.Dead {
				if (code == 429 || code >= 500) && v.DeadBody == "" {
					continue
				}
				if code == 403 && v.DeadBody == "" {
					cases = append(cases, contractCase{"refused", rotatetest.Answer(code, dead), rotate.Unknown})
					continue
				}
				cases = append(cases, contractCase{fmt.Sprint("dead ", code), rotatetest.Answer(code, dead), rotate.Inactive})
			}
			cases = append(cases,
				contractCase{"rate limit", rotatetest.Answer(429, "slow down", "Retry-After", "1"), rotate.Unknown},
				contractCase{"server fails", rotatetest.Answer(500, "oops"), rotate.Unknown},
				contractCase{"gateway", rotatetest.Answer(503, "oops"), rotate.Unknown},
				contractCase{"teapot", rotatetest.Answer(418, "{"), rotate.Unknown},
				contractCase{"hang up", rotatetest.HangUp, rotate.Unknown},
			)
			if !slices.Contains(v.Live, 302) && !slices.Contains(v.Dead, 302) {
				cases = append(cases, contractCase{"redirect", rotatetest.Answer(302, "", "Location", "https://evil.example/"), rotate.Unknown})
			}
			for _, c := range cases {
				j := newJob(t, &f.key, s)
				if c.want == rotate.Inactive { // what was let in before is dead when it is refused
					s.Handle(rotatetest.Answer(v.Live[0], live))
					if _, err := j.Verify(t.Context(), f.key.Secret); err != nil {
						t.Fatalf("%s: %v", c.name, err)
					}
				}
				s.Handle(c.handler)
				got, err := j.Verify(t.Context(), f.key.Secret)
				if err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				if c.want != "" && got.Validity != c.want || c.want == "" && got.Validity == rotate.Active {
					t.Errorf("%s: %s (%s), want %s", c.name, got.Validity, got.Why, c.want)
				}
				if shown := fmt.Sprintf("%+v", got); strings.Contains(shown, f.key.Secret.Reveal()) {
					t.Errorf("%s: the verdict tells the key", c.name)
				}
				calls := s.Calls()
				if len(calls) == 0 {
					t.Fatalf("%s: nobody was asked", c.name)
				}
				for _, got := range calls {
					if strings.HasSuffix(got.Host, "evil.example") {
						t.Errorf("%s: the redirect was followed", c.name)
					}
					if got.Host != j.VerifyHost() {
						t.Errorf("%s: %s was asked, announced was %s", c.name, got.Host, j.VerifyHost())
					}
				}
				carried := holds(calls[0], f.key.Secret.Reveal())
				if wants := slices.Contains(call.NamesOf(v.Request), "secret"); carried != wants {
					t.Errorf("%s: the request carries the key: %v, want %v", c.name, carried, wants)
				}
			}
		})
	}
	if tried < 50 {
		t.Errorf("%d kinds verify by request, want 50 or more", tried)
	}
	t.Logf("%d kinds verify by request", tried)
}

type contractCase struct {
	name    string
	handler http.HandlerFunc
	want    rotate.Validity // "" = anything but active
}

// sampleOf makes a text that an expression matches.
func sampleOf(t *testing.T, expr string) string {
	t.Helper()
	if expr == "" {
		return "{}"
	}
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	return textOf(re.Simplify())
}

func textOf(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		return string(re.Rune[0])
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "x"
	case syntax.OpCapture, syntax.OpPlus:
		return textOf(re.Sub[0])
	case syntax.OpAlternate:
		return textOf(re.Sub[0])
	case syntax.OpRepeat:
		return strings.Repeat(textOf(re.Sub[0]), max(re.Min, 0))
	case syntax.OpConcat:
		var b strings.Builder
		for _, sub := range re.Sub {
			b.WriteString(textOf(sub))
		}
		return b.String()
	}
	return ""
}

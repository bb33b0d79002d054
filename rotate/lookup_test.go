package rotate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rotate/rotatetest"
	"github.com/till-sh/till/rules"
)

// TestLookupContract makes every lookup of the catalogue against a server that
// plays the vendor: the key among others, the key twice, no such key, refusals,
// rate limit, failure, redirect, broken connection, odd answers. One entry that
// fits gives the names; anything else gives none.
func TestLookupContract(t *testing.T) {
	s := rotatetest.New(t, nil)
	tried := 0
	for _, f := range catalogueKeys(t) {
		for i := range f.rule.Workflow.Lookups {
			l := &f.rule.Workflow.Lookups[i]
			tried++
			t.Run(fmt.Sprintf("%s/%s", f.rule.ID, l.Take[0].Name), func(t *testing.T) { testLookup(t, s, f, l) })
		}
	}
	t.Logf("%d lookups", tried)
}

func testLookup(t *testing.T, s *rotatetest.Server, f found, l *rules.Lookup) {
	job := func() *rotate.Job {
		j := newJob(t, &f.key, s)
		rememberLookups(j, f, l.Take[0].Name)
		return j
	}
	mine, foreign := map[string]any{}, map[string]any{}
	for _, take := range l.Take {
		putAt(mine, take.Path, "mine-7")
		putAt(foreign, take.Path, "foreign-7")
	}
	for _, c := range l.Where {
		like, err := call.Text(c.Like, job().Values(t.Context(), f.key.Secret))
		if err != nil {
			t.Fatal(err)
		}
		putAt(mine, c.Path, strings.ReplaceAll(like, "*", "~"))
		putAt(foreign, c.Path, "of another key")
	}
	want := "mine-7"
	for _, c := range l.Where { // the condition's own value may be what is taken
		if c.Path == l.Take[0].Path {
			want, _ = call.Text(c.Like, job().Values(t.Context(), f.key.Secret))
			want = strings.ReplaceAll(want, "*", "~")
		}
	}
	answer := func(entries ...any) http.HandlerFunc {
		var list any = entries
		if l.List == "" && len(entries) == 1 {
			list = entries[0]
		}
		first := true
		return func(w http.ResponseWriter, r *http.Request) {
			body := list
			if l.Page != "" && !first {
				body = []any{}
			}
			first = false
			if l.List != "" {
				root := map[string]any{}
				putAt(root, l.List, body)
				body = root
			}
			text, err := json.Marshal(body)
			if err != nil {
				t.Error(err)
			}
			rotatetest.Answer(200, string(text))(w, r)
		}
	}
	among := answer(foreign, mine)
	if len(l.Where) == 0 {
		among = answer(mine)
	}
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		ok      bool
		err     error
	}{
		{"the key", among, true, nil},
		{"the key twice", answer(mine, mine), false, rotate.ErrAmbiguous},
		{"no keys", answer(), false, nil},
		{"not authenticated", rotatetest.Answer(401, "{}"), false, rotate.ErrDenied},
		{"no permission", rotatetest.Answer(403, "{}"), false, rotate.ErrDenied},
		{"rate limit", rotatetest.Answer(429, "{}"), false, nil},
		{"fails", rotatetest.Answer(500, "{}"), false, nil},
		{"redirect", rotatetest.Answer(302, "", "Location", "https://evil.example/"), false, nil},
		{"no JSON", rotatetest.Answer(200, "<html>\x00"), false, nil},
		{"odd JSON", rotatetest.Answer(200, `{"data":7}`), false, nil},
		{"hang up", rotatetest.HangUp, false, nil},
	} {
		s.Handle(c.handler)
		v, err := job().Value(t.Context(), l.Take[0].Name)
		switch {
		case c.ok && (err != nil || v.Text != want):
			t.Errorf("%s: %q, %v", c.name, v.Text, err)
		case !c.ok && (err == nil || c.err != nil && !errors.Is(err, c.err)):
			t.Errorf("%s: %q, %v", c.name, v.Text, err)
		}
		if shown := fmt.Sprint(err); strings.Contains(shown, f.key.Secret.Reveal()) || strings.Contains(shown, "Adm1nOfTheTests") {
			t.Errorf("%s: the error tells a secret", c.name)
		}
		for _, x := range s.Calls() {
			if strings.HasSuffix(x.Host, "evil.example") {
				t.Errorf("%s: the redirect was followed", c.name)
			}
		}
	}
}

// rememberLookups gives a job what the lookups of its rule would find, all but one.
func rememberLookups(j *rotate.Job, f found, but string) {
	for _, l := range f.rule.Workflow.Lookups {
		for _, take := range l.Take {
			if take.Name != but {
				j.Remember(take.Name, call.Value{Text: "k7"})
			}
		}
	}
}

// putAt sets what stands at a JSON path, making objects on the way.
func putAt(at map[string]any, path string, value any) {
	parts := strings.Split(path, ".")
	for _, p := range parts[:len(parts)-1] {
		next, ok := at[p].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[p] = next
		}
		at = next
	}
	at[parts[len(parts)-1]] = value
}

// TestLookupsAddressTheLeakedKey: a lookup finds the leaked key, not whatever
// key the account of the owner's credential happens to have. So its request or
// its conditions hold something of the key itself, or a name that another
// lookup of the same rule has found in that way.
func TestLookupsAddressTheLeakedKey(t *testing.T) {
	lookups := 0
	for _, p := range rules.Builtin().Providers {
		for i := range p.Rules {
			r := &p.Rules[i]
			exact := func(name string) bool { return name == "id" || strings.HasPrefix(name, "secret") }
			for range r.Workflow.Lookups { // each round can make one more name exact
				for _, l := range r.Workflow.Lookups {
					if slices.ContainsFunc(namesOfLookup(l), exact) {
						before := exact
						exact = func(name string) bool {
							return before(name) || slices.ContainsFunc(l.Take, func(f rules.Field) bool { return f.Name == name })
						}
					}
				}
			}
			for _, l := range r.Workflow.Lookups {
				lookups++
				if !slices.ContainsFunc(namesOfLookup(l), exact) {
					t.Errorf("%s: the lookup of %s says nothing of the leaked key: it would take the only key of a wrong account", r.ID, l.Take[0].Name)
				}
			}
		}
	}
	if lookups == 0 {
		t.Error("no lookups")
	}
}

func namesOfLookup(l rules.Lookup) []string {
	names := call.NamesOf(l.Request)
	for _, c := range l.Where {
		names = append(names, call.Names(c.Like)...)
	}
	return names
}

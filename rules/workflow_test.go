package rules_test

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/till-sh/till/rules"
)

func umbra(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("testdata/umbra.toml")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestWorkflow(t *testing.T) {
	p, err := rules.LoadFile("testdata/umbra.toml")
	if err != nil {
		t.Fatal(err)
	}
	r := p.Rules[0]
	auth := []rules.Header{{Name: "Authorization", Value: "Bearer {{admin}}"}}
	wantAsk := []rules.Ask{
		{Name: "admin", Text: "an admin key", URL: "https://umbra.example/keys/admin", Command: "umbra auth token", Secret: true},
		{Name: "host", Text: "host of your own Umbra server", Default: "api.umbra.example", Pattern: "[a-z0-9.-]+"},
		{Name: "scopes", Text: "scopes of the live key", List: true},
	}
	if !reflect.DeepEqual(r.Ask, wantAsk) {
		t.Errorf("ask: got %+v\nwant %+v", r.Ask, wantAsk)
	}
	if r.Verify.LastUsed != "key.last_used" || r.Verify.Expires != "key.expires" {
		t.Errorf("verify: %+v", r.Verify)
	}
	want := rules.Workflow{
		Order: rules.RevokeFirst, Usage: "https://umbra.example/logs : calls of the last day", Blast: "reads and refunds every payment", Self: true, Mints: true,
		Lookups: []rules.Lookup{{
			Request: rules.Request{Method: "GET", URL: "https://{{host}}/v1/keys", Headers: auth}, List: "data",
			Where: []rules.Condition{{Path: "kind", Like: "secret"}, {Path: "redacted", Like: "umbra_live_*{{secret-last4}}"}},
			Take:  []rules.Field{{Name: "key_id", Path: "id"}}, Next: "paging.next", Cursor: "after",
			Show: []string{"name"}, Created: "created_at", LastUsed: "last_used_at",
		}, {
			Request: rules.Request{Method: "GET", URL: "https://{{host}}/v1/projects"}, Take: []rules.Field{{Name: "project", Path: "id"}}, Page: "page",
		}},
		Revoke: []rules.Step{{
			Title: "Switch the key off", URL: "https://{{account}}.umbra.example/keys",
			Request: &rules.Request{Method: "POST", URL: "https://{{host}}/v1/keys/{{key_id}}/disable", Headers: auth},
			OK:      []int{200, 202}, OKBody: `"disabled":true`, Gone: []int{404}, Reversible: true, Delay: 10 * time.Minute,
			Undo: &rules.Request{Method: "POST", URL: "https://{{host}}/v1/keys/{{key_id}}/enable", Headers: auth},
		}, {
			Title: "Delete the key", Command: "umbra keys revoke {{key_id}} --reason 'it leaked'", Run: true, Stdin: "{{admin}}", Once: true,
			After: 7 * 24 * time.Hour, Collateral: "every webhook that was made with it",
		}, {
			Title: "Delete it on the page", Alternative: true, URL: "https://{{account}}.umbra.example/keys",
		}},
		Reissue: []rules.Step{{
			Title: "Create a restricted key", URL: "https://umbra.example/keys/new", Lifetime: 90 * 24 * time.Hour, Ends: true,
			Request: &rules.Request{
				Method: "POST", URL: "https://{{host}}/v1/keys", Headers: append(auth[:1:1], rules.Header{Name: "Content-Type", Value: "application/json"}),
				Body: `{"name":"{{name}}","scopes":{{scopes}},"expires":"{{expires-date}}"}`,
			},
			Result: rules.Result{Secret: "key", ID: "id", Expires: "expires", Form: "{{new-id}}.{{new}}"},
		}},
	}
	if !reflect.DeepEqual(r.Workflow, want) {
		t.Errorf("workflow: got\n%+v\nwant\n%+v", r.Workflow, want)
	}
}

func TestWorkflowFaults(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"duration", `"7d"`, `"7 days"`, `workflow: revoke 2: after: "7 days": expected a time such as "10m" or "7d"`},
		{"no duration", `"10m"`, `"0s"`, `workflow: revoke 1: delay: "0s": expected a time`},
		{"secret in what is run", "revoke {{key_id}}", "revoke {{admin}}", `command: holds {{admin}}: a command line is seen`},
		{"shell", "--reason 'it leaked'", "| jq .", `command: holds '|', which only a shell understands`},
		{"open quote", "'it leaked'", "'it leaked", `command: a quote (') is not closed`},
		{"program by template", "umbra keys revoke", "{{host}} keys revoke", `expected the name of a program`},
		{"run alone", `command     = "umbra keys revoke {{key_id}} --reason 'it leaked'"`, `text = "x"`, `run: expected command beside it`},
		{"stdin alone", "run         = true", "", `stdin: expected run = true beside it`},
		{"undo alone", "reversible = true", "", `undo: expected reversible = true beside it`},
		{"first alternative", "reversible = true", "reversible = true\nalternative = true", `alternative: expected a step before it`},
		{"result without call", `run         = true`, "run = true\nresult = { secret = \"key\" }", `revoke: result: expected it in a step of reissue`},
		{"lookup without take", `take    = { project = "id" }`, ``, `lookup 2: take is missing`},
		{"lookup without request", `request = { url = "https://{{host}}/v1/projects" }`, ``, `lookup 2: request is missing`},
		{"cursor alone", `next      = "paging.next"`, ``, `cursor: expected next beside it`},
		{"two ways of paging", `page    = "page"`, "page = \"page\"\nnext = \"x\"", `page: expected either next or page`},
		{"ask without text", `text    = "host of your own Umbra server"`, ``, `ask: host: text is missing`},
		{"ask what is known", `[ask.host]`, `[ask.secret]`, `ask: secret: expected another name`},
		{"default and pattern", `'[a-z0-9.-]+'`, `'[0-9]+'`, `ask: host: default: "api.umbra.example" does not match pattern`},
		{"ok without request", "once        = true", "once = true\nok = [200]", `ok, ok-body and gone: expected request beside them`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := umbra(t)
			if n := strings.Count(text, tt.old); n != 1 {
				t.Fatalf("%q stands %d times in the file", tt.old, n)
			}
			_, err := rules.Parse("umbra.toml", []byte(strings.Replace(text, tt.old, tt.new, 1)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error\n%v\nwant\n%s", err, tt.want)
			}
		})
	}
}

// TestLocalWorkflow: a file of the scanned repository makes till neither ask
// anybody nor run anything.
func TestLocalWorkflow(t *testing.T) {
	_, err := rules.ParseLocal("umbra.toml", []byte(umbra(t)))
	var got []string
	for _, f := range rules.Faults(err) {
		got = append(got, f.Message)
	}
	const request, program = ": a rule of the scanned repository may not name a network request", ": a rule of the scanned repository may not name a program to run"
	want := []string{
		"verify" + request, "ask: admin" + program, "workflow: lookup 1: request" + request, "workflow: lookup 2: request" + request,
		"workflow: revoke 1: request" + request, "workflow: revoke 1: undo" + request, "workflow: revoke 2" + program, "workflow: reissue 1: request" + request,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

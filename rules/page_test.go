package rules_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/till-sh/till/rules"
)

func TestPageIsUpToDate(t *testing.T) {
	var want bytes.Buffer
	if err := rules.WritePage(&want, rules.Builtin()); err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../docs/catalogue.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.ReplaceAll(have, []byte("\r\n"), []byte("\n")), want.Bytes()) {
		t.Error("docs/catalogue.md is not what the rules say: go generate ./rules")
	}
}

// TestWays: what counts is what till carries out, not what it only shows.
func TestWays(t *testing.T) {
	page, shown := rules.Step{URL: "https://acme.example/keys"}, rules.Step{Command: "acme keys"}
	cli := rules.Step{Command: "acme keys", Run: true}
	api := rules.Step{Request: &rules.Request{Method: "DELETE", URL: "https://acme.example/{{secret}}"}}
	admin := rules.Step{Request: &rules.Request{Method: "DELETE", URL: "https://acme.example/{{secret}}", Headers: []rules.Header{{Name: "Key", Value: "{{admin_key}}"}}}}
	full := func(s rules.Step) rules.Step { s.Result.Secret = "key"; return s }
	for _, c := range []struct {
		steps           []rules.Step
		revoke, reissue string
		self            bool
	}{
		{nil, "", "", false},
		{[]rules.Step{page, shown}, "page", "page", false},
		{[]rules.Step{page, cli}, "CLI", "page", false},
		{[]rules.Step{full(cli), page}, "CLI", "CLI", false},
		{[]rules.Step{cli, api}, "API", "page", true},
		{[]rules.Step{page, full(admin)}, "API", "API", false},
		{[]rules.Step{{Request: &rules.Request{Func: "acme"}}}, "API", "API", false},
	} {
		w := rules.Workflow{Revoke: c.steps, Reissue: c.steps}
		if w.Revokes() != c.revoke || w.Reissues() != c.reissue || w.RevokesItself() != c.self {
			t.Errorf("%+v: %q, %q, %v", c, w.Revokes(), w.Reissues(), w.RevokesItself())
		}
	}
}

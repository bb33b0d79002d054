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

func TestWay(t *testing.T) {
	page, cli, api := rules.Step{URL: "https://acme.example/keys"}, rules.Step{Command: "acme keys"}, rules.Step{Request: &rules.Request{Method: "DELETE"}}
	for _, c := range []struct {
		steps []rules.Step
		want  string
	}{{nil, ""}, {[]rules.Step{page}, "page"}, {[]rules.Step{page, cli}, "CLI"}, {[]rules.Step{cli, page}, "CLI"}, {[]rules.Step{page, cli, api}, "API"}} {
		if got := rules.Way(c.steps); got != c.want {
			t.Errorf("%d steps: %q, want %q", len(c.steps), got, c.want)
		}
	}
}

package rotate_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

func besideJob(t *testing.T, provider, line string, files map[string]string) *rotate.Job {
	t.Helper()
	j := &rotate.Job{
		Leak: rotate.Leak{
			Rule:   &rules.Rule{ID: provider + "-token", Provider: provider, Keywords: []string{provider}, Docs: []string{"https://docs.gitea.com/x"}, Ask: []rules.Ask{{Name: "host", Text: "your own server"}}},
			Secret: scanner.NewSecret([]byte("not a key")),
			Places: []scanner.Place{{Path: "app.env", Excerpt: []scanner.ExcerptLine{{Text: line, Mark: 1, MarkEnd: 1}}}},
		},
		Redact: &call.Redactor{}, WorkTree: t.TempDir(),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(j.WorkTree, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

// TestHostBeside: which host is proposed for a key.
func TestHostBeside(t *testing.T) {
	tests := []struct{ name, provider, line, file, remote, want string }{
		{"npmrc", "npm", "//npm.acme.example/:_authToken=…", "", "", "npm.acme.example"},
		{"npmrc on this machine", "npm", "//localhost:4873/:_authToken=…", "", "", "http://localhost:4873"},
		{"an address with a user", "gitea", "git clone https://ada:…@git.acme.example:8443/x", "", "", "git.acme.example:8443"},
		{"in the clear", "vault", "curl -H 'X-Vault-Token: …' http://vault.acme.example:8200/v1/x", "", "", "http://vault.acme.example:8200"},
		{"two in a line", "vault", "https://a.acme.example https://b.acme.example …", "", "", ""},
		{"documentation", "gitea", "TOKEN=… # https://docs.gitea.com/x", "", "", ""},
		{"a variable", "gitea", "https://${HOST}/api?token=…", "", "", ""},
		{"same file", "gitea", "GITEA_TOKEN=…", "GITEA_URL=\"https://git.acme.example/\"\nGITEA_TOKEN=x\n", "", "git.acme.example"},
		{"same file, named", "vault", "VAULT_TOKEN=…", "API_URL=https://api.acme.example\nVAULT_ADDR=http://10.0.4.7:8200\n", "", "http://10.0.4.7:8200"},
		{"same file, two", "vault", "TOKEN=…", "A_URL=https://a.acme.example\nB_URL=https://b.acme.example\n", "", ""},
		{"no setting", "vault", "TOKEN=…", "see https://a.acme.example/ for more\n", "", ""},
		{"remote", "gitea", "TOKEN=…", "", "git@git.acme.example:shop/api.git", "git.acme.example"},
		{"remote by ssh", "gitlab", "TOKEN=…", "", "ssh://git@git.acme.example:2222/shop/api.git", "git.acme.example"},
		{"remote by https", "gitlab", "TOKEN=…", "", "https://git.acme.example:8443/shop/api.git", "git.acme.example:8443"},
		{"remote of another kind", "vault", "TOKEN=…", "", "git@git.acme.example:shop/api.git", ""},
		{"remote at another vendor", "gitlab", "TOKEN=…", "", "git@github.com:shop/api.git", ""},
		{"a folder as remote", "gitea", "TOKEN=…", "", "/srv/git/x.git", ""},
		{"odd remote", "gitea", "TOKEN=…", "", "C:/x", ""},
	}
	for _, tt := range tests {
		j := besideJob(t, tt.provider, tt.line, map[string]string{"app.env": tt.file})
		j.Remote = tt.remote
		got := ""
		if b := j.HostBeside(); b != nil {
			got = b.Host
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestHostIsAsked: what stands beside a key is no host before a person says so.
func TestHostIsAsked(t *testing.T) {
	const line = "//npm.acme.example/:_authToken=…"
	j := besideJob(t, "npm", line, nil)
	if v, err := j.Value(t.Context(), "host"); err == nil || !strings.Contains(err.Error(), "--set host=npm.acme.example") {
		t.Errorf("nobody was asked: %v %v", v, err)
	}

	j = besideJob(t, "npm", line, nil)
	var asked []rules.Ask
	answer := ""
	j.Ask = func(_ context.Context, q rules.Ask) (string, error) { asked = append(asked, q); return answer, nil }
	said := map[string]string{}
	j.Said = func(name, text string) { said[name] = text }
	v, err := j.Value(t.Context(), "host")
	if err != nil || v.Text != "npm.acme.example" || !v.Own || said["host"] != "npm.acme.example" {
		t.Errorf("%+v %v, said %v", v, err, said)
	}
	if len(asked) != 1 || asked[0].Default != "npm.acme.example" || !strings.Contains(asked[0].Text, "in the line of the key") {
		t.Errorf("the question: %+v", asked)
	}
	if _, err := j.Value(t.Context(), "host"); err != nil || len(asked) != 1 {
		t.Errorf("asked %d times: %v", len(asked), err)
	}

	j = besideJob(t, "npm", line, nil)
	j.Given = map[string]string{"host": "git.acme.example"}
	if v, err := j.Value(t.Context(), "host"); err != nil || v.Text != "git.acme.example" {
		t.Errorf("what was said beforehand counts: %v %v", v, err)
	}
}

// TestAnnounce: the host that is announced is the one that is asked, after the
// person has named it.
func TestAnnounce(t *testing.T) {
	j := besideJob(t, "npm", "//npm.acme.example/:_authToken=…", nil)
	j.Leak.Rule.Verify.Request = rules.Request{Method: "GET", URL: "https://{{host}}/-/whoami"}
	if got := j.Announce(t.Context()); got != "" {
		t.Errorf("nobody has named it: %q", got)
	}
	j.Ask = func(context.Context, rules.Ask) (string, error) { return "npm.umbra.example", nil }
	if got := j.Announce(t.Context()); got != "npm.umbra.example" {
		t.Errorf("announced: %q", got)
	}
}

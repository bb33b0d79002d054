package place

import (
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

const (
	oldValue = "oldZk3mQ9xTq7LwP2vBhS" // of no vendor
	newValue = "newYd8nR4cUe1MxK6jGaF"
)

// fakeProgram puts a program of a name first in PATH. It writes down its
// arguments, environment and standard input, and answers what answers says for
// a word among its arguments.
func fakeProgram(t *testing.T, name string, answers map[string]string) (record func() (argv, environ, stdin string)) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the fake programs are shell scripts")
	}
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("#!/bin/sh\nprintf '%s\\n' \"$@\" >>'" + dir + "/argv'\nenv >>'" + dir + "/environ'\ncat >>'" + dir + "/stdin'\ncase \" $* \" in\n")
	for word, answer := range answers {
		if err := os.WriteFile(filepath.Join(dir, word), []byte(answer), 0o600); err != nil {
			t.Fatal(err)
		}
		b.WriteString("*' " + word + " '*) cat '" + dir + "/" + word + "';;\n")
	}
	b.WriteString("esac\n")
	if err := os.WriteFile(filepath.Join(dir, name), []byte(b.String()), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	read := func(name string) string {
		data, _ := os.ReadFile(filepath.Join(dir, name))
		return string(data)
	}
	return func() (string, string, string) { return read("argv"), read("environ"), read("stdin") }
}

// TestPrograms has each placer that starts a program find the old value and put
// the new one there: through standard input, and nowhere else.
func TestPrograms(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	for _, c := range []struct {
		placer  rotate.Placer
		program string
		given   map[string]string
		answers map[string]string
		where   string // of the one spot
		argv    []string
		stdin   string
	}{
		{GitHubSecret{}, "gh", nil, map[string]string{"--paginate": "ACME_KEY\nOTHER\n"}, "acme/web: ACME_KEY",
			[]string{"secret", "set", "ACME_KEY", "--repo", "github.com/acme/web"}, newValue},
		{GitLabVariable{}, "glab", nil, map[string]string{"gitlab.com": `[{"key":"URL","value":"https://x:` + oldValue + `@acme.example","environment_scope":"*"},{"key":"B","value":"b","environment_scope":"*"}]`}, "acme/web: URL (*)",
			[]string{"PUT", "projects/acme%2Fweb/variables/URL?filter[environment_scope]=%2A", "--header", "Content-Type: application/json", "--input", "-"}, `{"value":"https://x:` + newValue + `@acme.example"}`},
		{KubernetesSecret{}, "kubectl", nil, map[string]string{"current-context": "kind\n", "get": `{"items":[{"metadata":{"name":"app","namespace":"prod"},"data":{"a/b":"` + b64([]byte("k="+oldValue)) + `","c":"` + b64([]byte("x")) + `"}},
			{"metadata":{"name":"made","namespace":"prod","ownerReferences":[{"kind":"ExternalSecret","name":"made"}]},"data":{}}]}`}, "kind: prod/app: a/b",
			[]string{"--context", "kind", "--namespace", "prod", "patch", "secret", "app", "--type=json", "--patch-file=/dev/stdin"},
			`[{"op":"test","path":"/data/a~1b","value":"` + b64([]byte("k="+oldValue)) + `"},{"op":"replace","path":"/data/a~1b","value":"` + b64([]byte("k="+newValue)) + `"}]`},
		{AWSSecret{}, "aws", map[string]string{"aws_secret": "prod/acme"}, map[string]string{"get-secret-value": `{"key":"` + oldValue + `","user":"u"}` + "\n"}, "prod/acme",
			[]string{"put-secret-value", "--secret-id", "prod/acme", "--secret-string", "file:///dev/stdin"}, `{"key":"` + newValue + `","user":"u"}`},
		{VaultField{"vault"}, "vault", map[string]string{"vault": "secret/billing#api_key"}, map[string]string{"get": oldValue}, "secret/billing#api_key",
			[]string{"kv", "patch", "-mount=secret", "billing", "api_key=-"}, newValue},
		{VaultField{"bao"}, "bao", map[string]string{"bao": "kv/a/b#k"}, map[string]string{"get": oldValue}, "kv/a/b#k",
			[]string{"kv", "patch", "-mount=kv", "a/b", "k=-"}, newValue},
	} {
		t.Run(c.placer.Name(), func(t *testing.T) {
			record := fakeProgram(t, c.program, c.answers)
			j := &rotate.Job{
				Leak: rotate.Leak{Secret: scanner.NewSecret([]byte(oldValue)), Rule: &rules.Rule{Provider: "acme"}}, Run: rotate.Programs{}, Redact: &call.Redactor{}, Given: c.given,
				Remote: "git@" + map[bool]string{true: "gitlab", false: "github"}[c.program == "glab"] + ".com:acme/web.git",
			}
			spots, err := c.placer.Find(context.Background(), j)
			j.Claimed = true
			if spots, err := c.placer.Find(context.Background(), j); err != nil || len(spots) != 1 || spots[0].Claimed != strings.HasPrefix(c.program, "g") {
				t.Errorf("claimed by the repository: %+v, %v", spots, err)
			}
			if err != nil || len(spots) != 1 || spots[0].Claimed || spots[0].Where != c.where || spots[0].Placer != c.placer.Name() || spots[0].ByHand {
				t.Fatalf("found %+v, %v; want %s", spots, err, c.where)
			}
			if _, _, stdin := record(); stdin != "" {
				t.Errorf("the search has sent %q", stdin)
			}
			j.New = &rotate.Issued{Secret: scanner.NewSecret([]byte(newValue))}
			if err := c.placer.Place(context.Background(), j, spots[0]); err != nil {
				t.Fatal(err)
			}
			argv, environ, stdin := record()
			if !strings.Contains(argv, strings.Join(c.argv, "\n")) || stdin != c.stdin {
				t.Errorf("arguments\n%s\nstandard input %q\nwant %q and %q", argv, stdin, c.argv, c.stdin)
			}
			for _, v := range []string{oldValue, newValue, b64([]byte(oldValue)), b64([]byte(newValue))} {
				if strings.Contains(argv, v) || strings.Contains(environ, v) || strings.Contains(strings.Join(spots[0].Preview, " "), v) {
					t.Error("a value stands in arguments, environment or preview")
				}
			}
		})
	}
}

// TestNoProgram: what is not there has no spots, and is no error.
func TestNoProgram(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	j := &rotate.Job{Leak: rotate.Leak{Secret: scanner.NewSecret([]byte(oldValue)), Rule: &rules.Rule{}}, Run: rotate.Programs{}, Redact: &call.Redactor{}, Remote: "git@github.com:a/b"}
	for _, p := range All() {
		if spots, err := p.Find(context.Background(), j); err != nil || len(spots) > 0 {
			t.Errorf("%s: %v, %v", p.Name(), spots, err)
		}
	}
}

// TestOwned: a Secret that something else makes is left to the person.
func TestOwned(t *testing.T) {
	fakeProgram(t, "kubectl", map[string]string{"current-context": "kind", "get": `{"items":[{"metadata":{"name":"made","ownerReferences":[{"kind":"ExternalSecret","name":"es"}]},"data":{"k":"` +
		base64.StdEncoding.EncodeToString([]byte(oldValue)) + `"}}]}`})
	j := &rotate.Job{Leak: rotate.Leak{Secret: scanner.NewSecret([]byte(oldValue)), Rule: &rules.Rule{}}, Run: rotate.Programs{}, Redact: &call.Redactor{}}
	spots, err := KubernetesSecret{}.Find(context.Background(), j)
	if err != nil || len(spots) != 1 || !spots[0].ByHand || !strings.Contains(spots[0].Preview[0], "ExternalSecret es") {
		t.Fatalf("%+v, %v", spots, err)
	}
	if err := (KubernetesSecret{}).Place(context.Background(), j, spots[0]); err == nil {
		t.Error("it was patched all the same")
	}
}

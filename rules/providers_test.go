package rules_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// TestProviders is the one test over all provider files: each loads, says what
// a person needs who has leaked a key, and proves itself by its samples among
// all the others, so that no rule takes another's values away.
func TestProviders(t *testing.T) {
	files, err := filepath.Glob("providers/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no provider files: %v", err)
	}
	all := new(rules.Catalogue)
	for _, file := range files {
		p, err := rules.LoadFile(file)
		if err != nil {
			t.Errorf("%v", err) // the others can still be tried
			continue
		}
		all.Providers = append(all.Providers, p)
	}
	engine, err := scanner.New(scanner.Options{NoMarks: true}, all)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all.Providers {
		t.Run(p.ID, func(t *testing.T) {
			t.Parallel()
			for i := range p.Rules {
				complete(t, &p, &p.Rules[i])
			}
			find := func(path string, text []byte) []string {
				found, err := engine.Scan(&scanner.Blob{Path: path, Data: text})
				if err != nil {
					t.Fatal(err)
				}
				var ids []string
				for _, f := range found.Findings {
					ids = append(ids, f.Rule.ID)
				}
				return ids
			}
			for _, f := range rules.Check(p, find) {
				t.Error(f)
			}

			// The file shows no whole key to anybody, till included.
			data, err := os.ReadFile("providers/" + p.ID + ".toml")
			if err != nil {
				t.Fatal(err)
			}
			found, err := engine.Scan(&scanner.Blob{Path: "rules/providers/" + p.ID + ".toml", Data: data})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found.Findings {
				if f.Class == rules.ClassKey {
					t.Errorf("line %d shows so much of a value that %s finds it: cut it with <+> nearer to its prefix", f.Location.StartLine, f.Rule.ID)
				}
			}
		})
	}
}

// complete demands what the loader leaves to choice in people's own rules.
func complete(t *testing.T, p *rules.Provider, r *rules.Rule) {
	t.Helper()
	if len(r.Docs) == 0 && len(p.Docs) == 0 {
		t.Errorf("%s: no docs", r.ID)
	}
	if len(r.Workflow.Revoke) == 0 {
		t.Errorf("%s: no workflow.revoke", r.ID)
	}
	if len(r.Workflow.Reissue) == 0 {
		t.Errorf("%s: no workflow.reissue", r.ID)
	}
	if r.Workflow.Blast == "" {
		t.Errorf("%s: no workflow.blast", r.ID)
	}
	// 403 is also what a live key without the right gets, or one from the wrong address.
	// 400, 404 and 422 blame the request, and 402 goes away when the bill is paid.
	for _, code := range r.Verify.Dead {
		if code != 401 && code != 410 && r.Verify.DeadBody == "" {
			t.Errorf("%s: verify takes any %d for dead: leave it out, or say in dead-body what the vendor writes then", r.ID, code)
		}
	}
	if strings.HasSuffix(r.Description, ".") {
		t.Errorf("%s: the description is a noun phrase, without a full stop", r.ID)
	}
	if slices.Contains([]string{"key", "token", "api", "secret", "client"}, strings.Join(r.Keywords, " ")) && r.Provider != "generic" {
		t.Errorf("%s: the keyword %s stands everywhere", r.ID, r.Keywords[0])
	}
}

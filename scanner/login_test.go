package scanner_test

import (
	"strings"
	"testing"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// A word that documentation writes in place of a password is a suspect where it
// opens something all the same, and nothing elsewhere.
func TestPlaceholderThatMayOpenSomething(t *testing.T) {
	engine, err := scanner.New(scanner.Options{}, rules.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, text, class string }{
		{"a.txt", "mongodb://anna:W@ds048.acme-hosting.com:48537/main", "suspect"},
		{"a.txt", "mongodb://anna:W@localhost:48537/main", ""},
		{"a.txt", "mongodb://anna:W@db.example.com:48537/main", ""},
		{"a.txt", "mongodb://anna:W@host.com/main", ""},
		{"a.txt", "postgres://anna:anna@db/main", ""},
		{"a.txt", "postgres://anna:anna@db.acme-hosting.com/main", "key"},
		{"a.txt", "postgres://anna:bert@db/main", "suspect"},
		{"a.txt", "Data Source=10.3.9.14,1433;User ID=anna;PASS=W;", "suspect"},
		{"a.txt", "Data Source=myServer,1433;User ID=anna;PASS=W;", ""},
		{"a.txt", "Server=db.acme-hosting.com;Uid=anna;PASS=xxxxx;", ""},
		{"a.txt", "https://anna:W@acme-hosting.com/", ""}, // no connection string
		{"home/.pgpass", "localhost:5432:main:root:W", "suspect"},
		{"home/notes", "localhost:5432:main:root:W", ""},
	} {
		text := strings.NewReplacer("W", "testpass", "PASS", "Pass"+"word").Replace(c.text)
		found, err := engine.Scan(&scanner.Blob{Path: c.path, Data: []byte(text)})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range found.Findings {
			got = string(f.Class)
		}
		if got != c.class {
			t.Errorf("%s in %s: %q, want %q", c.text, c.path, got, c.class)
		}
	}
}

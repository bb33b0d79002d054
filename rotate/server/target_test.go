package server

import (
	"strings"
	"testing"

	"github.com/till-sh/till/scanner"
)

// TestParseTarget: the server that a person is asked about is the whole one that
// stands in the key, or none.
func TestParseTarget(t *testing.T) {
	long := strings.Repeat("abcdefghi.", 24) + "example"
	for behind, want := range map[string]string{
		"@db.internal:5432/app\"":              "db.internal:5432/app",
		"@" + long + ":5432/app\"":             long + ":5432/app",
		"@" + long:                             long,
		"@" + strings.Repeat("h", 260):         "", // cut
		"@db/" + strings.Repeat("d", 30):       "db",
		"@" + long + "/app?sslmode=require\" ": long + "/app",
		" and more":                            "",
		"@${HOST}/app\"":                       "",
	} {
		before := "url = \"postgres://app:"
		x := scanner.ExcerptLine{Text: before + "Zk3…" + behind, Mark: len(before), MarkEnd: len(before) + 4}
		got, ok := parseTarget(x)
		if got.where() != want && ok || ok != (want != "") {
			t.Errorf("%.30s: %q, %v; want %q", behind, got.where(), ok, want)
		}
	}
}

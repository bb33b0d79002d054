package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/till-sh/till/scanner"
)

var update = flag.Bool("update", false, "write the golden files anew")

// with returns the fixture's options after a change.
func with(change func(*Options)) Options {
	o := options()
	if change != nil {
		change(&o)
	}
	return o
}

func hook(name string) func(*Options) { return func(o *Options) { o.Hook = name } }

func TestGolden(t *testing.T) {
	cases := []struct {
		name, format string
		r            *scanner.Result
		change       func(*Options)
	}{
		{"text-hook", "text", staged(), hook("pre-commit")},
		{"text-hook-one", "text", result(stripeKey()), hook("pre-commit")},
		{"text-hook-suspect", "text", result(suspectKey()), hook("pre-commit")},
		{"text-hook-pushed", "text", pushed(), hook("pre-commit")},
		{"text-hook-broken", "text", broken(), hook("pre-commit")},
		{"text-hook-message", "text", message(), hook("commit-msg")},
		{"text-hook-push", "text", local(), hook("pre-push")},
		{"text-hook-receive", "text", local(), hook("pre-receive")},
		{"text-hook-ascii", "text", staged(), func(o *Options) { o.Hook, o.ASCII = "pre-commit", true }},
		{"text-history", "text", history(), nil},
		{"text-history-verbose", "text", history(), func(o *Options) { o.Verbose = true }},
		{"text-history-color", "text", history(), func(o *Options) { o.Color = true }},
		{"text-history-narrow", "text", history(), func(o *Options) { o.Width = 50 }},
		{"text-plain", "text", history(), func(o *Options) { o.Plain, o.ASCII = true, true }},
		{"text-plain-broken", "text", brokenEmpty(), func(o *Options) { o.Plain, o.ASCII = true, true }},
		{"text-clean", "text", clean(), nil},
		{"text-broken", "text", brokenEmpty(), nil},
		{"text-quiet", "text", staged(), func(o *Options) { o.Quiet = true }},
		{"json", "json", history(), nil},
		{"json-broken", "json", brokenEmpty(), nil},
		{"jsonl", "jsonl", history(), nil},
		{"sarif", "sarif", history(), nil},
		{"sarif-suppressed", "sarif", history(), func(o *Options) { o.ListSuppressed = true }},
		{"sarif-clean", "sarif", clean(), nil},
		{"sarif-broken", "sarif", broken(), nil},
		{"csv", "csv", history(), nil},
		{"junit", "junit", history(), nil},
		{"junit-broken", "junit", broken(), nil},
		{"github", "github", history(), nil},
		{"github-staged", "github", staged(), nil},
		{"github-broken", "github", brokenEmpty(), nil},
		{"github-summary", "github-summary", history(), nil},
		{"github-summary-clean", "github-summary", clean(), nil},
		{"github-summary-broken", "github-summary", brokenEmpty(), nil},
		{"gitlab", "gitlab", history(), nil},
		{"gitlab-broken", "gitlab", broken(), nil},
		{"markdown", "markdown", history(), nil},
		{"html", "html", history(), nil},
		{"html-broken", "html", brokenEmpty(), nil},
	}
	seen := map[string]bool{}
	for _, c := range cases {
		seen[c.format] = true
		t.Run(c.name, func(t *testing.T) {
			got := render(t, c.format, c.r, with(c.change))
			file := filepath.Join("testdata", c.name+".golden")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("differs from %s (go test -run TestGolden -update writes it anew):\n%s", file, got)
			}
		})
	}
	for _, f := range Formats() {
		if !seen[f] {
			t.Errorf("format %s has no golden file", f)
		}
	}
	if !slices.IsSorted(Formats()) {
		t.Errorf("formats are not sorted: %v", Formats())
	}
}

func render(t testing.TB, format string, r *scanner.Result, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(format, &b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

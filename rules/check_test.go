package rules_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/till-sh/till/rules"
)

func TestCheck(t *testing.T) {
	rule := rules.Rule{
		ID: "acme-key", Keywords: []string{"acme_"}, Regex: `\bacme_[0-9a-f]{8}\b`, MinEntropy: 2.5, Allow: []string{"^acme_deadbeef$"},
	}
	// A stand-in for the engine: bare expression, and something of its own.
	re := regexp.MustCompile(rule.Regex)
	find := func(path string, text []byte) []string {
		var ids []string
		if m := re.Find(text); m != nil && !slices.Contains([]string{"acme_deadbeef", "acme_11111111", "acme_0badcafe"}, string(m)) {
			ids = append(ids, "acme-key")
		}
		if strings.Contains(string(text), "boss") {
			ids = []string{"boss-key"}
		}
		if strings.Contains(string(text), "4f1c9a7e") && strings.Contains(string(text), "\r\n") {
			ids = nil
		}
		if path != "sample.txt" && path != "src/xmain.tf" {
			t.Errorf("path %q", path)
		}
		return ids
	}
	good := []string{"x = acme_3f9a1c7e", "acme_07d4b2f9"}
	for _, tt := range []struct {
		name        string
		match, miss []string
		change      func(*rules.Rule)
		want        []string
	}{
		{name: "all well", match: good, miss: []string{"acme_3f9a1c7", "acme_3f9a1c7g"}},
		{name: "paths", match: good, miss: good[:0], change: func(r *rules.Rule) { r.Paths = []string{"**/src/*[mn]ain.tf"} },
			want: []string{"acme-key: miss samples: expected 2 or more, found 0"}},
		{name: "too few", match: good[:1], miss: []string{"a", "b"}, want: []string{"acme-key: match samples: expected 2 or more, found 1"}},
		{name: "keyword", match: []string{good[0], "3f9a1c7e"}, miss: []string{"a", "b"}, want: []string{`acme-key: match sample 2: holds none of the keywords "acme_"`}},
		{name: "expression", match: []string{good[0], "acme_3f9a"}, miss: []string{"a", "b"}, want: []string{"acme-key: match sample 2: the expression does not match anywhere in it"}},
		{name: "other rule", match: []string{"boss acme_3f9a1c7e", good[0]}, miss: []string{"a", "b"}, want: []string{"acme-key: match sample 1: was claimed by boss-key"}},
		{name: "allow", match: []string{"acme_deadbeef", good[0]}, miss: []string{"a", "b"}, want: []string{"acme-key: match sample 1: the value is let pass by allow[0]"}},
		{name: "entropy", match: []string{"acme_11111111", good[0]}, miss: []string{"a", "b"}, want: []string{"acme-key: match sample 1: the value has 1.9 bits per character, less than min-entropy 2.5"}},
		{name: "placeholder", match: []string{"acme_0badcafe", good[0]}, miss: []string{"a", "b"}, want: []string{"acme-key: match sample 1: the expression matches, but the value was not accepted"}},
		{name: "place", match: []string{"acme_4f1c9a7e", good[0]}, miss: []string{"a", "b"}, want: []string{"acme-key: match sample 1 (after CRLF): the expression matches, but"}},
		{name: "pair", match: []string{"acme_0badcafe", good[0]}, miss: []string{"a", "b"}, change: func(r *rules.Rule) { r.Needs = rules.Needs{Rule: "acme-id", Lines: 3, Without: "drop"} },
			want: []string{"acme-key: match sample 1: the other half (acme-id) does not stand within 3 lines of it"}},
		{name: "found", match: good, miss: []string{good[0], "b"}, want: []string{"acme-key: miss sample 1: was found, and must not be"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rule
			r.Samples = rules.Samples{Match: tt.match, Miss: tt.miss}
			if tt.change != nil {
				tt.change(&r)
			}
			got := rules.Check(rules.Provider{ID: "acme", Rules: []rules.Rule{r}}, find)
			if len(got) != len(tt.want) {
				t.Fatalf("got %v, want %q", got, tt.want)
			}
			for i, f := range got {
				if !strings.HasPrefix(f.String(), tt.want[i]) {
					t.Errorf("got %q, want %q", f, tt.want[i])
				}
			}
		})
	}
}

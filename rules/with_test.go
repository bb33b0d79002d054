package rules_test

import (
	"testing"

	"github.com/till-sh/till/rules"
)

// TestCatalogueRule: every rule is found by its ID, those that a configuration adds too.
func TestCatalogueRule(t *testing.T) {
	own := rules.Rule{ID: "aaa-acme-key", Provider: "aaa", Keywords: []string{"acme_"}, Regex: "acme_[0-9a-f]{20}"}
	with, err := rules.Builtin().With(own)
	if err != nil {
		t.Fatal(err)
	}
	for p := range with.Providers {
		for r := range with.Providers[p].Rules {
			want := &with.Providers[p].Rules[r]
			if got := with.Rule(want.ID); got != want {
				t.Errorf("%s: %v", want.ID, got)
			}
		}
	}
	for _, id := range []string{"", "-", "aaa", "aaa-", "aaa-acme", "aaa-acme-key-", "aws"} {
		if got := with.Rule(id); got != nil {
			t.Errorf("%q: %s", id, got.ID)
		}
	}
	if rules.Builtin().Rule(own.ID) != nil {
		t.Error("With has changed the catalogue")
	}
}

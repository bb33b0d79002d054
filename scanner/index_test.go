package scanner

import (
	"reflect"
	"testing"

	"github.com/till-sh/till/rules"
)

// TestBuiltinIndexIsCurrent: what go generate laid out is what would be made at each
// start, and is taken.
func TestBuiltinIndexIsCurrent(t *testing.T) {
	want, err := newIndex(rules.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&builtinIndex, want) {
		t.Error("zz_index.go is not the index of the catalogue: run go generate ./rules")
	}
	if got, err := indexOf(rules.Builtin()); err != nil || got != &builtinIndex {
		t.Errorf("the index of the built-in catalogue is made anew (%v)", err)
	}
	other := *rules.Builtin()
	if got, err := indexOf(&other); err != nil || got == &builtinIndex {
		t.Errorf("another catalogue is given the built-in index (%v)", err)
	}
}

// TestIndexUsers: every rule is found by each of its keywords.
func TestIndexUsers(t *testing.T) {
	c := &rules.Catalogue{Providers: []rules.Provider{
		{ID: "a", Rules: []rules.Rule{{ID: "a-1", Keywords: []string{"one", "both"}}, {ID: "a-2", Keywords: []string{"both"}}}},
		{ID: "b", Rules: []rules.Rule{{ID: "b-1", Keywords: []string{"three", "both", "one"}}}},
	}}
	x, err := newIndex(c)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[string]int{}
	for k, kw := range x.filter.keywords {
		got[kw] = map[string]int{}
		for _, ref := range x.users(k) {
			at := x.rules[ref.rule]
			got[kw][c.Providers[at.provider].Rules[at.rule].ID] = int(ref.which)
		}
	}
	want := map[string]map[string]int{"one": {"a-1": 0, "b-1": 2}, "both": {"a-1": 1, "a-2": 0, "b-1": 1}, "three": {"b-1": 0}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestIndexRefuses(t *testing.T) {
	for name, all := range map[string][]rules.Rule{
		"no rules":           nil,
		"an ID twice":        {{ID: "a-1", Keywords: []string{"one"}}, {ID: "a-1", Keywords: []string{"two"}}},
		"a short keyword":    {{ID: "a-1", Keywords: []string{"ab"}}},
		"an upper-case word": {{ID: "a-1", Keywords: []string{"One"}}},
	} {
		if _, err := newIndex(&rules.Catalogue{Providers: []rules.Provider{{ID: "a", Rules: all}}}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

package scanner

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/till-sh/till/rules"
)

// twoPaths is a history with one blob that stands under two paths.
type twoPaths struct {
	data  []byte
	paths []string
}

func (s twoPaths) Each(_ context.Context, _ int, fn func(int, *Blob) error) (Summary, error) {
	return Summary{}, fn(0, &Blob{Hash: "1f", Data: s.data})
}

func (s twoPaths) Attribute(_ context.Context, findings []Finding, _ *Summary) (places [][]Place, exposure []Exposure, err error) {
	for range findings {
		var list []Place
		for _, p := range s.paths {
			list = append(list, Place{Path: p, Where: InContent, Blob: "1f"})
		}
		places, exposure = append(places, list), append(exposure, ExposureLocal)
	}
	return places, exposure, nil
}

// A rule that is for certain files counts there, in a history as in a scan of the
// file, and nowhere else.
func TestRulesForPathsInHistory(t *testing.T) {
	e, err := New(Options{}, rules.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	data := []byte("[client]\nuser=shop\nhost=db.acme.example\npassword=" + strings.Join([]string{"Vq", "7x", "Lw", "2n", "Rt", "9k", "Zb"}, "") + "\n")
	want := map[string]string{}
	for _, path := range []string{"conf/.my.cnf", "notes/setup.ini"} {
		found, err := e.Scan(&Blob{Path: path, Data: data})
		if err != nil || len(found.Findings) != 1 {
			t.Fatalf("%s: %d findings, %v", path, len(found.Findings), err)
		}
		want[path] = found.Findings[0].Rule.ID
	}
	if want["conf/.my.cnf"] == want["notes/setup.ini"] {
		t.Fatalf("both are %v: nothing to tell apart", want)
	}
	for _, paths := range [][]string{{"conf/.my.cnf", "notes/setup.ini"}, {"conf/.my.cnf"}, {"notes/setup.ini"}} {
		r, err := Run(context.Background(), e, twoPaths{data, paths}, RunOptions{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, k := range r.Keys {
			for _, p := range k.Places {
				told = append(told, p.Path)
				if k.Rule.ID != want[p.Path] {
					t.Errorf("%v: %s in %s, want %s", paths, k.Rule.ID, p.Path, want[p.Path])
				}
			}
		}
		slices.Sort(told)
		if !slices.Equal(told, paths) {
			t.Errorf("%v: reported %v", paths, told)
		}
	}
}

// What only a rule for certain files finds is masked beside the finding of another
// rule as well, and the other way round.
func TestExcerptsMaskBoth(t *testing.T) {
	token, pin := "acme_"+"7Yb2Nc5Dk3Jq", "Q7"+"X2K"
	rule := func(id, keyword, regex string, paths ...string) rules.Rule {
		return rules.Rule{ID: id, Family: id, Keywords: []string{keyword}, Regex: regex, Paths: paths, Severity: rules.High, Class: rules.ClassKey}
	}
	e, err := New(Options{}, &rules.Catalogue{Version: "test", Providers: []rules.Provider{{ID: "acme", Name: "Acme", Rules: []rules.Rule{
		rule("token", "acme_", `\bacme_[0-9A-Za-z]{12}\b`), rule("pin", "pin=", `\bpin=(?P<secret>[0-9A-Z]{5})\b`, "**/door.conf"),
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	found, err := e.Scan(&Blob{Hash: "1f", Data: []byte("open " + token + " pin=" + pin + " now\n")})
	if err != nil || len(found.Findings) != 2 {
		t.Fatalf("%d findings, %v", len(found.Findings), err)
	}
	for _, f := range found.Findings {
		if text := f.Excerpt[0].Text; strings.Contains(text, token) || strings.Contains(text, pin) {
			t.Errorf("%s: a value stands in the excerpt", f.Rule.ID)
		}
	}
}

// Two files of one archive may hold something at the same place.
func TestOverruleInArchives(t *testing.T) {
	finding := func(rule, member string, conditional bool) Finding {
		return Finding{Rule: &rules.Rule{ID: rule}, Hash: "1f", Member: member, Location: Location{Offset: 10, Length: 5}, Secret: NewSecret([]byte("x")), conditional: conditional}
	}
	findings := []Finding{finding("a", "one", true), finding("a", "two", true), finding("b", "one", false), finding("b", "two", false)}
	if !slices.IsSortedFunc(findings, compareFindings) {
		t.Fatal("the findings are not in order")
	}
	places := make([][]Place, len(findings))
	for i, f := range findings {
		places[i] = []Place{{Path: memberPath("a.tar", f.Member)}}
	}
	overrule(findings, places)
	for i, want := range []int{1, 1, 0, 0} {
		if len(places[i]) != want {
			t.Errorf("finding %d has %d places, want %d", i, len(places[i]), want)
		}
	}
}

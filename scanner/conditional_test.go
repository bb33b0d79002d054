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

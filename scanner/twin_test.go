package scanner_test

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/till-sh/till/scanner"
)

// twins passes on a content at several places: at once, or one after the other.
type twins struct {
	scanner.Source
	data   []byte
	places []scanner.Twin
	single bool
}

func (s *twins) Each(_ context.Context, _ int, fn func(int, *scanner.Blob) error) (scanner.Summary, error) {
	if !s.single {
		t := &s.places[0]
		return scanner.Summary{}, fn(0, &scanner.Blob{Hash: t.Hash, Data: s.data, Offset: t.Offset, Line: t.Line, Also: s.places[1:]})
	}
	for i := range s.places {
		t := &s.places[i]
		if err := fn(0, &scanner.Blob{Hash: t.Hash, Data: s.data, Offset: t.Offset, Line: t.Line}); err != nil {
			return scanner.Summary{}, err
		}
	}
	return scanner.Summary{}, nil
}

func (s *twins) Attribute(_ context.Context, findings []scanner.Finding, _ *scanner.Summary) ([][]scanner.Place, []scanner.Exposure, error) {
	places := make([][]scanner.Place, len(findings))
	for i, f := range findings {
		places[i] = []scanner.Place{{Path: f.Hash, Blob: f.Hash, Where: scanner.InContent, Location: f.Location, Excerpt: f.Excerpt}}
	}
	return places, make([]scanner.Exposure, len(findings)), nil
}

// TestTwins: what is found in a content at several places is what is found when
// it is passed on for each.
func TestTwins(t *testing.T) {
	e := engine(t, scanner.Options{})
	line := "token = " + liveKey + "\n"
	for name, data := range map[string]string{
		"one":  line,
		"two":  "before\n" + line + "é " + line,
		"pair": "id acid-" + "20481357\nacme = " + hexKey + "\n",
		"mark": "before\n" + strings.TrimSpace(line) + " # till:ignore(here it is an example)\n",
	} {
		places := []scanner.Twin{{"a", 10, 1}, {"b", 0, 0}, {"c", 1000, 20}, {"a", 5000, 90}}
		var got [2]*scanner.Result
		for i := range got {
			s := &twins{data: bytes.Clone([]byte(data)), places: places, single: i == 1}
			var err error
			if got[i], err = scanner.Run(t.Context(), e, s, scanner.RunOptions{Workers: 1}); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(got[0].Keys) + len(got[0].Suppressed); n == 0 {
			t.Errorf("%s: nothing found", name)
		}
		if !reflect.DeepEqual(got[0], got[1]) {
			t.Errorf("%s: at once %+v, one by one %+v", name, got[0], got[1])
		}
	}
}

package scanner

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/till-sh/till/rules"
)

func storedResult(value string) *Result {
	one, two := &rules.Rule{ID: "one"}, &rules.Rule{ID: "two"}
	return &Result{
		Keys: []Key{{
			ID: "ON-0000", Fingerprint: "f", Rule: one, Class: rules.ClassKey, Secret: NewSecret([]byte(value)),
			Others: []Secret{NewSecret([]byte(value + "2"))}, Partner: &Partner{Rule: two, Secret: NewSecret([]byte(value + "3")), Location: Location{StartLine: 2}},
			Facts: Facts{Account: "a", Checksum: "ok"}, Exposure: ExposurePushed,
			Places: []Place{{Path: "a\tb", Where: InContent, Blob: "b", Refs: []string{"main"}, Present: true, Location: Location{1, 2, 3, 4, 5, 6},
				Commit:  &Commit{Hash: "c", Author: "Ä", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)), Subject: "<s>"},
				Excerpt: []ExcerptLine{{Number: 1, Text: "x = …", Mark: 4, MarkEnd: 5}}}},
		}},
		Suppressed: []Key{{ID: "TW-0000", Rule: two, Secret: NewSecret([]byte(value + "4")), Places: []Place{{Path: "p"}}, Suppressed: &Suppression{Kind: "inline", Reason: "r"}}},
		Summary:    Summary{Commits: 3, Bytes: 1 << 40, Skipped: []Skip{{"p", "r"}}, Notes: []string{"n"}},
	}
}

func TestStore(t *testing.T) {
	const value = "a-value-that-nobody-may-read"
	r := storedResult(value)
	data, err := r.Store()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), value) {
		t.Error("a value was stored")
	}
	catalogue := map[string]*rules.Rule{"one": r.Keys[0].Rule, "two": r.Suppressed[0].Rule}
	got, err := LoadResult(data, func(id string) *rules.Rule { return catalogue[id] })
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := got.Store(); string(again) != string(data) {
		t.Errorf("stored again:\n%s\nwas\n%s", again, data)
	}
	k := got.Keys[0]
	if k.Secret.Reveal() != "" || k.Secret.String() != Mask(value) || k.Partner.Secret.String() != Mask(value+"3") || k.Rule != catalogue["one"] {
		t.Errorf("key %+v", k)
	}
	if want := r.Keys[0].Places[0]; !k.Places[0].Commit.Time.Equal(want.Commit.Time) || !reflect.DeepEqual(k.Places[0].Excerpt, want.Excerpt) {
		t.Errorf("place %+v", k.Places[0])
	}
	if !reflect.DeepEqual(got.Summary, r.Summary) {
		t.Errorf("summary %+v", got.Summary)
	}
	if _, err := LoadResult(data, func(string) *rules.Rule { return nil }); err == nil {
		t.Error("a rule that is not there was accepted")
	}
	r.Keys[0].Places[0].Path = "\xff"
	if _, err := r.Store(); err == nil {
		t.Error("a path that JSON cannot hold was stored")
	}
}

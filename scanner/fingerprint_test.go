package scanner

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-sh/till/rules"
)

// A person may write an ID shorter or longer than the report at hand shows it,
// in any case, or the beginning of the fingerprint.
func TestKeyMatches(t *testing.T) {
	k := Key{Rule: &rules.Rule{Provider: "acme"}, Fingerprint: "30313233343536373839616263646566"}
	full := longID("acme", k.Fingerprint)
	if len(full) != 29 || !strings.HasPrefix(full, "AC-") {
		t.Fatalf("full ID %q", full)
	}
	for _, id := range []string{full[:7], full[:9], full, strings.ToLower(full[:7]), k.Fingerprint, k.Fingerprint[:8]} {
		if !k.Matches(id) {
			t.Errorf("%s does not match", id)
		}
	}
	other := full[:8] + "Z"
	if other == full[:9] {
		other = full[:8] + "Y"
	}
	for _, id := range []string{other, "AD" + full[2:7], "", "AC-", "AC", "3031", "31313233", full + "0"} {
		if k.Matches(id) {
			t.Errorf("%q matches %s", id, full)
		}
	}
}

func TestClashingIDsGrow(t *testing.T) {
	keys := []*Key{
		{Rule: &rules.Rule{Provider: "acme"}, Fingerprint: "00000111111111111111111111111111"},
		{Rule: &rules.Rule{Provider: "acme"}, Fingerprint: "00000222222222222222222222222222"},
		{Rule: &rules.Rule{Provider: "acme"}, Fingerprint: "ff000222222222222222222222222222"},
	}
	nameKeys(keys)
	if keys[0].ID == keys[1].ID || len(keys[0].ID) != 9 || len(keys[2].ID) != 7 {
		t.Errorf("IDs %s, %s, %s", keys[0].ID, keys[1].ID, keys[2].ID)
	}
	for _, k := range keys {
		if !k.Matches(k.ID) {
			t.Errorf("%s does not match its own key", k.ID)
		}
	}
}

// The name of a machine-made key does not depend on where it stands; that of a
// password does, and tells nothing of the password.
func TestFingerprint(t *testing.T) {
	value := "q8Zt3v" + "Lk0PwRx7"
	machine := Finding{Rule: &rules.Rule{ID: "acme-key"}, Secret: NewSecret([]byte(value)), Context: "a = \x00"}
	moved := machine
	moved.Context = "b = \x00"
	if fingerprintOf(&machine, "a") != fingerprintOf(&moved, "b") {
		t.Error("the fingerprint of a key changes with its place")
	}
	human := Finding{Rule: &rules.Rule{ID: "acme-password", Human: true}, Secret: machine.Secret, Context: "a = \x00"}
	other := human
	other.Secret = NewSecret([]byte("another"))
	if fingerprintOf(&human, "a") != fingerprintOf(&other, "a") {
		t.Error("the fingerprint of a password depends on the password")
	}
	if fingerprintOf(&human, "a") == fingerprintOf(&human, "b") {
		t.Error("the fingerprint of a password does not depend on the file")
	}
}

// One place can have had several passwords: all are there, the latest first.
func TestValuesOfAPlace(t *testing.T) {
	at := func(value string, day int) attributed {
		c := &Commit{Time: time.Unix(int64(day)*86400, 0)}
		return attributed{Finding: Finding{Rule: &rules.Rule{ID: "acme-password", Provider: "acme", Human: true}, Secret: NewSecret([]byte(value)), Context: "a = \x00"},
			places: []Place{{Path: "a", Commit: c}}}
	}
	keys, _ := group([]attributed{at("first", 1), at("third", 3), at("second", 2), at("first", 0)}, func(p string) string { return p })
	if len(keys) != 1 {
		t.Fatalf("%d keys", len(keys))
	}
	var got []string
	for _, v := range keys[0].Values() {
		got = append(got, v.Reveal())
	}
	if want := []string{"third", "second", "first"}; !slices.Equal(got, want) {
		t.Errorf("got %d values, want %d", len(got), len(want))
	}
	more := keys[0]
	more.Others = []Secret{NewSecret([]byte("elsewhere"))}
	merged := Merge([]*Result{{Keys: keys}, {Keys: []Key{more}}}).Keys
	if len(merged) != 1 || len(merged[0].Values()) != 4 {
		t.Errorf("merged: %d keys", len(merged))
	}
}

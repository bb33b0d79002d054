package scanner

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strings"
)

// fingerprintOf names a finding's key: 128 bits as 32 hexadecimal digits.
//
// A machine-made value is hashed itself, with the rule's family, so that the
// name is the same in the hook, in CI, in SARIF, after an edit, a rename, a
// rebase or a squash. A value that a person may have chosen could be guessed
// from such a hash; it is named by its place instead: the path and the line
// with the value cut out.
func fingerprintOf(f *Finding, path string) string {
	h := sha256.New()
	family := f.Rule.Family
	if family == "" {
		family = f.Rule.ID
	}
	write := func(parts ...string) {
		for _, p := range parts {
			_, _ = h.Write([]byte(p))
			_, _ = h.Write([]byte{0})
		}
	}
	if f.Rule.Human {
		write("till/1 place", family, path, f.Context)
	} else {
		write("till/1 value", family, f.Secret.Reveal())
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// crockford is the alphabet of short IDs: no letter that reads as a digit.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// longID is the form for people at its full length: two letters of the
// provider and the whole fingerprint.
func longID(provider, fingerprint string) string {
	letters := ""
	for _, c := range strings.ToUpper(provider) {
		if c >= 'A' && c <= 'Z' && len(letters) < 2 {
			letters += string(c)
		}
	}
	raw, _ := hex.DecodeString(fingerprint)
	return (letters + "XX")[:2] + "-" + crockford.EncodeToString(raw)
}

// shortID is the first n characters of the second part of longID.
func shortID(provider, fingerprint string, n int) string {
	id := longID(provider, fingerprint)
	return id[:min(3+n, len(id))]
}

// Matches reports whether a person who types id can mean this key: its ID, as
// long or short as it was shown in some report, or the beginning of its
// fingerprint with at least six digits. Case does not matter.
func (k *Key) Matches(id string) bool {
	if len(id) >= 6 && !strings.Contains(id, "-") {
		return strings.HasPrefix(k.Fingerprint, strings.ToLower(id))
	}
	if id = strings.ToUpper(id); len(id) <= 3 {
		return false
	}
	return strings.HasPrefix(longID(k.Rule.Provider, k.Fingerprint), id) || strings.HasPrefix(k.ID, id)
}

// shortest is the length of an ID's second part: 20 bits, so that a
// repository with a hundred keys has a clash in 1 of 200 cases; then two more
// characters are shown for those that clash.
const shortest = 4

// nameKeys gives every key its ID, longer where two would be the same.
func nameKeys(keys []*Key) {
	clash := keys
	for n := shortest; len(clash) > 0 && n <= 26; n += 2 {
		seen := map[string][]*Key{}
		for _, k := range clash {
			k.ID = shortID(k.Rule.Provider, k.Fingerprint, n)
			seen[k.ID] = append(seen[k.ID], k)
		}
		next := clash[:0:0]
		for _, k := range clash {
			if len(seen[k.ID]) > 1 {
				next = append(next, k)
			}
		}
		clash = next
	}
}

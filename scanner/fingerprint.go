package scanner

import (
	"crypto/sha256"
	"encoding/hex"
	"math/big"
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

// idAlphabet is Crockford's base32: no letter that reads as a digit.
const idAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// shortID makes the form for people: two letters of the provider and n
// characters of the fingerprint.
func shortID(provider, fingerprint string, n int) string {
	letters := ""
	for _, c := range strings.ToUpper(provider) {
		if c >= 'A' && c <= 'Z' && len(letters) < 2 {
			letters += string(c)
		}
	}
	letters = (letters + "XX")[:2]
	v, _ := new(big.Int).SetString(fingerprint, 16)
	var digits [26]byte // 130 bits hold the 128, from the most significant
	v.Lsh(v, 2)
	for i := range digits {
		shift := uint(5 * (len(digits) - 1 - i))
		digits[i] = idAlphabet[new(big.Int).And(new(big.Int).Rsh(v, shift), big.NewInt(31)).Int64()]
	}
	return letters + "-" + string(digits[:min(n, len(digits))])
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

package scanner

import "bytes"

// namedByVendor reports whether a value at data[start], which only a vendor's
// name at data[at:end] makes a key, is named as one. Vendors' names stand
// beside identifiers and hashes wherever their libraries and machines are spoken
// of, so the words between the two decide:
//
//   - the vendor's name is a word of its own, or a long one
//   - the name next to the value is not that of something public: an id
//     (but for client_id and the like, which vendors hand out with the secret,
//     and for an app_id that is no UUID, as Open Exchange Rates calls its key)
//   - the name does not begin with a word that says it is encrypted
//   - unless the name next to the value says "secret": with more than directWords words between the two, one of them says
//     "secret"; with more than proseWords it is a sentence about something else
//
// public is set for rules that look for an id.
func namedByVendor(data []byte, at, end, start int, public bool) bool {
	if at > 0 && end-at < 8 && isLetter(data[at-1]) && !isHump(data, at) {
		return false // CameraKit holds no Meraki
	}
	if hasPart(data[wordStart(data, at, max(0, at-assignHead)):at], lockedWords) {
		return false
	}
	const (
		directWords = 3
		proseWords  = 9
	)
	words, secret := 0, false
	before, last := []byte(nil), data[at:end]
	each := func(word []byte) {
		words++
		before, last = last, word
		secret = secret || saysSecret(word)
	}
	for i := end; i < start; {
		if !isLetter(data[i]) && !isDigit(data[i]) {
			i++
			continue
		}
		k, digits := i, false
		for k < start && (isLetter(data[k]) || isDigit(data[k])) && (k == i || !isHump(data, k)) {
			digits = digits || isDigit(data[k])
			k++
		}
		if digits { // no word, or a random one: all of it at once
			for k < start && (isLetter(data[k]) || isDigit(data[k])) {
				k++
			}
		}
		if i == end && isLetter(data[end-1]) && len(data[i:k]) <= 2 {
			words-- // the rest of the vendor's own word
		}
		each(data[i:k])
		i = k
	}
	if uuid := isUUID(data[start:min(len(data), start+36)]); !public && (containsFold(publicNames, last) && (!containsFold(clientWords, before) || containsFold(appWords, before) && uuid) || containsFold(appWords, last) && uuid) {
		return false
	}
	return saysSecret(last) || words <= directWords || secret && words <= proseWords || saysSecretBefore(data, at) && words <= proseWords
}

// isHump reports whether a new word begins at data[i] within a name: aB.
func isHump(data []byte, i int) bool {
	return isUpper(rune(data[i])) && isLower(rune(data[i-1]))
}

// saysSecretBefore looks at the rest of the name before the vendor's:
// SECRET_ACME, token_for_acme.
func saysSecretBefore(data []byte, at int) bool {
	from := at
	for from > 0 && at-from < assignHead && (isWord(data[from-1]) || data[from-1] == '-' || data[from-1] == ' ') {
		from--
	}
	for _, word := range bytes.FieldsFunc(data[from:at], func(r rune) bool { return r == '_' || r == '-' || r == ' ' }) {
		if saysSecret(word) {
			return true
		}
	}
	return false
}

// secretWords say that a name means a credential.
var secretWords = []string{
	"key", "secret", "pass", "password", "pwd", "auth", "authorization", "credential", "credentials", "cred", "creds",
	"api", "apitoken", "access", "appid", "private", "login", "license", "licence", "pat", "webhook", "signature", "sid", "keys", "tokens", "secrets",
}

// schemes say so before the value of an HTTP header.
var schemes = []string{"bearer", "basic", "token", "apikey"}

func saysSecret(word []byte) bool {
	if containsFold(secretWords, word) || containsFold(schemes, word) {
		return true
	}
	for _, tail := range [...]string{"key", "token", "secret"} {
		if len(word) > len(tail) && equalFold(word[len(word)-len(tail):], tail) {
			return true
		}
	}
	return false
}

// clientWords before "id" name half of a credential.
var clientWords = []string{"client", "app", "application", "access", "key", "consumer"}

// appWords are those of clientWords that name a thing of the owner's as well, or
// end in its id.
var appWords = []string{"app", "application", "appid"}

// publicNames end names of what is no secret; for hashes see hashNames.
var publicNames = []string{
	"id", "ids", "uuid", "guid", "organization", "org", "project", "workspace", "tenant", "region", "zone", "version", "name", "host", "hostname",
	"apps", "users", "projects", "accounts", "teams", "image", "file", "path", "build", "referral", "ref", "aff", "address",
}

func containsFold(list []string, word []byte) bool {
	for _, w := range list {
		if len(w) == len(word) && equalFold(word, w) {
			return true
		}
	}
	return false
}

package scanner

import "bytes"

// What the rest of a name makes of the keyword in it: db_password is a
// password, forgot_password a link, ENCRYPTED_PASSWORD nothing that opens.

// nameTail are words that may follow the keyword in a name without changing
// what the value is: api_key_value, secretString, PASSWORD_1, token_prod.
var nameTail = []string{
	"s", "key", "keys", "value", "val", "string", "str", "text", "plain", "plaintext", "raw", "b64", "base64", "data",
	"prod", "production", "dev", "development", "staging", "stage", "test", "live", "main", "default", "old", "new", "root", "admin", "user",
	"attribute", "env", "var", "word", "phrase", "token", "secret", "stdin",
}

// tailAllowed reports whether the rest of the name leaves the keyword its meaning.
func tailAllowed(tail []byte) bool {
	if len(tail) > 24 {
		return false
	}
	tail = bytes.Trim(tail, "_-0123456789")
	for len(tail) > 0 {
		n := 0
		for n < len(tail) && tail[n] != '_' && tail[n] != '-' {
			n++
		}
		if n > 0 && !containsFold(nameTail, tail[:n]) {
			return false
		}
		tail = tail[min(n+1, len(tail)):]
	}
	return true
}

// headAllowed reports whether what stands directly before the keyword at data[at:end]
// leaves it its meaning: "hidepassword" and "no_secret" are flags, "forgot-password"
// a link, md5(password) a hash; "db_password", "DbPassword" and "x-api-key" are names. A weak keyword
// ("key") has more meanings than a secret's name, and the word before it counts
// as well: "public key …". So has "token": pages and devices have theirs.
func headAllowed(data []byte, at, end int, weak bool) bool {
	start := at
	if weak && at > 1 && data[at-1] == ' ' && isLetter(data[at-2]) {
		at--
	}
	i := at
	for i > 0 && start-i < assignHead && (isWord(data[i-1]) || data[i-1] == '-') {
		i--
	}
	head := bytes.TrimRight(data[i:at], "_-")
	if endsInWord(head, flagWords) || weak && (endsInWord(head, otherKeys) || hasPart(head, publicWords)) || hasPart(head, lockedWords) || equalFold(data[start:end], "token") && endsInWord(head, otherTokens) {
		return false
	}
	return !isHashed(data[max(0, start-assignHead):i])
}

// hasPart reports whether one of the words begins a part of a name.
func hasPart(name []byte, words []string) bool {
	for i := range name {
		if i > 0 && isLetter(name[i-1]) && !isHump(name, i) && !(isUpper(rune(name[i])) && i+1 < len(name) && isLower(rune(name[i+1]))) {
			continue // within a word
		}
		for _, word := range words {
			if hasPrefixFold(name[i:], word) {
				return true
			}
		}
	}
	return false
}

// lockedWords say that a value is encrypted: ENCRYPTED_API_KEY, wrappedKey.
var lockedWords = []string{"encrypted", "wrapped", "ciphertext"}

// publicWords say of a key that it is for everybody: SUPublicEDKey.
var publicWords = []string{"public"}

// isHashed reports whether a name, or a literal, stands behind before as the argument of a
// function that makes a hash: md5(password), expectedHash("secret", …).
func isHashed(before []byte) bool {
	if n := len(before); n > 0 && isQuote(before[n-1]) {
		before = before[:n-1]
	}
	n := len(before) - 1
	if n < 0 || before[n] != '(' {
		return false
	}
	return endsInWord(bytes.TrimRight(before[wordStart(before, n, 0):n], "0123456789"), hashFunctions)
}

var hashFunctions = []string{"hash", "md", "sha", "digest", "crypt", "bcrypt", "scrypt", "checksum"}

// endsInWord reports whether one of the words is the last part of a name:
// behind a separator, at a hump, or all of it.
func endsInWord(name []byte, words []string) bool {
	for _, w := range words {
		k := len(name) - len(w)
		if k < 0 || name[len(name)-1]|0x20 != w[len(w)-1] || !equalFold(name[k:], w) {
			continue
		}
		if k == 0 || !isLetter(name[k-1]) || name[k] <= 'Z' && (name[k-1] > 'Z' || k+1 < len(name) && name[k+1] > 'Z') {
			return true
		}
	}
	return false
}

// flagWords before the keyword make of the name something else than a secret's.
var flagWords = []string{
	"no", "forgot", "forgotten", "reset", "is", "has", "use", "show", "hide", "toggle", "invalid", "wrong", "missing",
	"hashed", "sealed", "csrf", "xsrf", "authenticity", "antiforgery", "verification", "public", "primary", "foreign", "cache", "sort", "partition",
	"fake", "dummy", "mock", "example", "sample", "matching", "unmatched", "mismatched", "incorrect", "bad", "contains", "publickey",
	"publishable", "csrfmiddleware", "srcrev",
}

// otherKeys before "key" name keys that open nothing.
var otherKeys = []string{
	"pub", "index", "row", "hash", "map", "object", "item", "group", "idempotency", "dedup", "deduplication", "routing", "lookup", "storage",
	"bucket", "column", "field", "composite", "unique", "shard", "property", "param", "message", "translation", "error", "registry", "host", "checksum",
	"digest", "fingerprint", "commit", "content", "asset", "chunk", "module", "test", "track", "video", "image", "file",
	"site", "socket", "websocket", "tokenization", "trace", "order", "icon", "cipher", "sha1", "sha256",
}

// otherTokens before "token" mark a place in a list, a request, a device.
var otherTokens = []string{
	"next", "page", "nextpage", "pagination", "continuation", "starting", "cursor", "resume", "scroll", "sequence", "sync", "change",
	"clientrequest", "client_request", "lifecycleaction", "idempotency", "device", "apns", "push", "fcm", "dkim", "cancellation",
}

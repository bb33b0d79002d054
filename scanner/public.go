package scanner

import (
	"bytes"
	"regexp"
	"sync"
)

// What stands beside the name of a secret and is none: values that say
// themselves what they are, and places that everybody sees.

// publicForms match values that name, count or lock up something.
var publicForms = sync.OnceValue(func() []*regexp.Regexp {
	return compileAll(
		`^v?[0-9]+\.[0-9]+\.[0-9]+[-+][0-9A-Za-z.+/-]*$`, // a version, Go's pseudo-versions too (https://go.dev/ref/mod)
		`^[0-9A-Za-z]{3}-[0-9A-Za-z]{2}-[0-9A-Za-z]{3}$`, // an object's id in Interface Builder's files
		`^(?:GHSA|CVE|RUSTSEC|PYSEC|GO)-[0-9a-z]{4}-[0-9a-z-]+$`,
		`^[0-9A-Za-z_-]{8,32}:APA91b`,                                           // a device's address for Firebase's messages
		`^1:[0-9]{6,15}:(?:ios|android|web):[0-9a-f]+$`,                         // an app's id at Firebase
		`^com\.googleusercontent\.apps\.`,                                       // a client id of Google's, turned round
		`^pk_(?:live|test)_`,                                                    // a publishable key (https://docs.stripe.com/keys); others write theirs so too
		`^age1[0-9a-z]{58}$`,                                                    // whom something is encrypted for (https://age-encryption.org/v1)
		`(?i)(?:/|%2F)20[0-9]{6}(?:/|%2F)`,                                      // the scope of an AWS signature, behind the public half of a key
		`^(?:iVBORw0KGgo|R0lGOD[dl]h|/9j/4[AQ]|d09G[MRF]|PHN2Zy|UklGR|JVBERi0)`, // base 64 of an image, a font, a PDF
		`^(?:AQ[IE]CAH|U2FsdGVkX1|(?:vault:v[0-9]|kms|enc|ENC|encrypted):)`,     // encrypted by AWS KMS, openssl enc, Vault
		`^Ag[A-D][0-9A-Za-z+/]{400,}=*$`,                                        // a sealed secret: 512, and as many bytes of RSA
		`(?:^|/)sha(?:1|256|512)[/:]`,
		`^Qm[1-9A-HJ-NP-Za-km-z]{44}$`,                        // content in IPFS
		`^[A-Za-z_][0-9A-Za-z_.]*\([^()]*\)$`,                 // a call
		`^[a-z_]+(?:[:=][^|]*)?(?:\|[a-z_]+(?:[:=][^|]*)?)+$`, // rules of validation: required|min:8
		`^\?[A-Za-z_]`, // ${NAME:?what the shell says when it is not set}
	)
})

// isPublicForm reports whether a value that only its name makes suspicious says
// itself that it is no secret.
func isPublicForm(v []byte, quoted bool) bool {
	return matchesAny(publicForms(), v) || isReference(v) || !quoted && isNullable(v)
}

// isReference reports whether v says where a secret is kept:
// urn:vault:db/password.
func isReference(v []byte) bool {
	parts := bytes.FieldsFunc(v, func(r rune) bool { return r == ':' || r == '/' })
	for _, part := range parts {
		if len(part) > 24 || bytes.ContainsFunc(part, func(r rune) bool { return !isWord(byte(r)) && r != '-' && r != '.' }) {
			return false
		}
	}
	return len(parts) >= 3 && isLower(rune(v[0])) && bitsOf(v) < bitsNamed
}

// isNullable reports whether v is a type that may be null: CharArray?, NSString!
func isNullable(v []byte) bool {
	n := len(v) - 1
	return n > 2 && (v[n] == '?' || v[n] == '!' && bytes.HasPrefix(v, []byte("NS"))) && isUpper(rune(v[0])) && !bytes.ContainsFunc(v[:n], func(r rune) bool { return !isLetter(byte(r)) })
}

// queryEnd returns where a value ends within v when the next parameter of a URL
// or form follows: 12 for "hunter2&user=x"; len(v) when none does.
func queryEnd(v []byte) int {
	for i, c := range v {
		if c != '&' {
			continue
		}
		k := i + 1
		for k < len(v) && (isWord(v[k]) || v[k] == '-') {
			k++
		}
		if k > i+1 && k < len(v) && v[k] == '=' {
			return i
		}
	}
	return len(v)
}

// slugReach is how far before a name the path that it is part of may begin.
const slugReach = 200

// isSlug reports whether what follows a keyword at data[at], with a dash between
// the two, is the rest of a path, a package or a file's name: credential-manager-1b5c916a,
// token-action@5f70a37, key-4f1c.js.
func isSlug(data []byte, at int, value []byte) bool {
	if bytes.IndexByte(value, '=') >= 0 {
		return false
	}
	if bytes.ContainsAny(value, "@/#:") {
		return true
	}
	if dot := bytes.LastIndexByte(value, '.'); dot > 0 && len(value)-dot-1 <= 5 && bytes.IndexFunc(value[dot+1:], func(r rune) bool { return !isLower(r) }) < 0 {
		return true
	}
	for i := at; i > 0 && at-i < slugReach; i-- {
		c := data[i-1]
		if c == '/' {
			return true
		}
		if !isWord(c) && c != '-' && c != '.' {
			break
		}
	}
	return false
}

// isFile reports whether data[start:end] is a file's name before its extension: /key-9c3fe07a.js.
func isFile(data []byte, start, end int) bool {
	return start > 0 && data[start-1] == '/' && end+1 < len(data) && data[end] == '.' && isLower(rune(data[end+1]))
}

// isTag reports whether the value at data[start] is the tag of an image or package that
// has a name such as acme/token: the name, which begins at data[from] and ends before
// data[to], is the end of a path.
func isTag(data []byte, from, to, start int) bool {
	return start == to+1 && data[to] == ':' && from > 1 && data[from-1] == '/' && isWord(data[from-2])
}

// isCommit reports whether the value at data[start] is named as a commit by the word before it, as
// in "the token's parser, since 5f70a372…".
func isCommit(data []byte, start int, value []byte) bool {
	if len(value) != 40 || !isHexBytes(value) || start < 2 || data[start-1] != ' ' {
		return false
	}
	from := start - 1
	for from > 0 && start-from < 12 && isLetter(data[from-1]) {
		from--
	}
	return containsFold(commitWords, data[from:start-1])
}

var commitWords = []string{"in", "at", "by", "from", "since", "commit", "revert", "reverts", "see", "to"}

// tagReach is how far a tag of HTML goes on both sides of a name in it.
const tagReach = 300

// inHiddenField reports whether a name at data[at] stands in a field of a form
// that a page sends out itself, such as <input type="hidden" name="form_token" value="…">:
// the value is for whoever opens the page.
func inHiddenField(data []byte, at int) bool {
	from := max(0, at-tagReach)
	open := bytes.LastIndexByte(data[from:at], '<')
	if open < 0 || !hasPrefixFold(data[from+open:], "<input") {
		return false
	}
	tag := data[from+open : min(len(data), at+tagReach)]
	if end := bytes.IndexByte(tag, '>'); end >= 0 {
		tag = tag[:end]
	}
	lower := bytes.ToLower(tag)
	return bytes.Contains(lower, []byte(`type="hidden"`)) || bytes.Contains(lower, []byte(`type='hidden'`)) || bytes.Contains(lower, []byte("type=hidden"))
}

func hasPrefixFold(text []byte, prefix string) bool {
	return len(text) >= len(prefix) && equalFold(text[:len(prefix)], prefix)
}

// badgeReach is how far before its token the address of a badge may begin.
const badgeReach = 200

// isBadge reports whether the value at data[start] is the token of a badge, which shows a
// project's state in its README: https://codecov.io/…/badge.svg?token=…
func (s *scratch) isBadge(data []byte, start int) bool {
	const parameter = "token="
	s.trail.saw(start-len(parameter), start)
	if !bytes.HasSuffix(data[max(0, start-len(parameter)):start], []byte(parameter)) {
		return false
	}
	s.trail.saw(start-badgeReach-1, start)
	i := start
	for i > 0 && start-i < badgeReach && data[i-1] > ' ' && !isQuote(data[i-1]) && data[i-1] != '(' {
		i--
	}
	address := data[i:start]
	return bytes.Contains(address, []byte("://")) && (bytes.Contains(address, []byte("badge")) || bytes.Contains(address, []byte("shields.io")))
}

// isObjectID reports whether the value at data[start] has the form of an object's id
// (pl_69113b2e…) and is named so, with nothing else in the name: "id": "…". Prefixes of
// three letters are too few for all that is given out with one.
func isObjectID(data []byte, start int, value []byte) bool {
	sign := bytes.IndexByte(value, '_')
	if sign < 1 || sign > 3 || bytes.ContainsFunc(value[sign+1:], func(r rune) bool { return !isLetter(byte(r)) && !isDigit(byte(r)) }) {
		return false
	}
	i, stop := start, max(0, start-8)
	for i > stop && bytes.IndexByte([]byte(" \t\"'`:=>"), data[i-1]) >= 0 {
		i--
	}
	return i < start-1 && i >= 2 && equalFold(data[i-2:i], "id") && (i == 2 || !isWord(data[i-3]) && data[i-3] != '-')
}

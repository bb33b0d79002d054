package scanner

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/till-sh/till/rules"
)

// randomness tells how a value looks.
type randomness struct {
	letters, upper, lower, digits, other int
	switches                             int // changes between letter and digit, or of case within letters
}

func look(v []byte) randomness {
	var r randomness
	kind := func(c byte) int {
		switch {
		case isDigit(c):
			return 1
		case c >= 'A' && c <= 'Z':
			return 2
		case c >= 'a' && c <= 'z':
			return 3
		}
		return 0
	}
	last := 0
	for i, c := range v {
		k := kind(c)
		switch k {
		case 1:
			r.digits++
		case 2:
			r.upper++
			r.letters++
		case 3:
			r.lower++
			r.letters++
		default:
			r.other++
		}
		if i > 0 && k != last {
			r.switches++
		}
		last = k
	}
	return r
}

// looksAssigned decides whether a value assigned to a name looks like a
// secret. For a password nearly everything that is no code and no placeholder
// does; for a token or a key the value must look random, the more so the less
// the name and the way it is written say.
func looksAssigned(v []byte, a assignment, rule *rules.Rule) bool {
	if len(v) > longest || len(v) < 4 {
		return false
	}
	for _, c := range v {
		if c <= ' ' || c >= 0x80 && (!a.quoted || !rule.Human) {
			return false // prose, in whatever language
		}
	}
	if rule.Human {
		// #define PASSWORD "…" has no operator, and neither has prose.
		written := a.link <= linkDash || a.link == linkBlank && a.quoted && bitsOf(v) >= 12
		return written && !a.later && !isFiller(v) && !isCode(v, a.quoted) && looksChosen(v, a.quoted)
	}
	return looksDrawn(v, a, rule.Weak)
}

// looksChosen reports whether a value may be a password.
func looksChosen(v []byte, quoted bool) bool {
	if len(v) < 8 && !(len(v) >= 6 && quoted) {
		return false
	}
	r := look(v)
	if bytes.Contains(bytes.ToLower(v), []byte("password")) && bitsOf(v) < 12 || isFileName(v) || isKebab(v) {
		return false
	}
	if r.digits == 0 && r.other == 0 && bitsOf(v) < 8 && (len(v) < 8 || bytes.Contains(bytes.ToLower(v), []byte("pass"))) {
		return false // keyPass, OldOne: a name
	}
	if r.digits == 0 && (r.upper == 0 || r.lower == 0) && r.other == bytes.Count(v, []byte("_"))+bytes.Count(v, []byte("-")) {
		return r.other == 0 && bitsOf(v) >= 12 // db_pass, my-secret: a name
	}
	return (r.digits > 0 || r.other > 0 || r.upper > 0 && r.lower > 0) && r.letters > 0 && (!isWords(v) || bitsOf(v) >= 12)
}

// Bits of randomness (see randomBits) that a value needs.
const (
	bitsNamed = 20 // behind an operator, beside a name that says "secret"
	bitsWeak  = 36 // where name or place say less
	bitsGlued = 50 // where the value could be the rest of a name
)

// looksDrawn reports whether a value looks drawn at random.
func looksDrawn(v []byte, a assignment, weak bool) bool {
	need, shortest := float64(bitsNamed), 8
	if weak || a.later || a.link == linkBlank || a.link == linkCall {
		need, shortest = bitsWeak, 16
	}
	if a.link == linkGlued {
		need, shortest = bitsGlued, 20
	}
	r := look(v)
	if len(v) < shortest || r.letters+r.digits < len(v)*3/4 || isFiller(v) || isCode(v, a.quoted) {
		return false
	}
	if r.letters == 0 {
		return r.digits >= 15 && r.other == 0 && !weak && a.link == linkOperator && entropy(v) >= 2.5
	}
	if isHexBytes(v) && (len(v) < 16 || weak && !isOwnKey(v, a)) || weak && hasUUID(v) && !(a.constant && isOwnKey(v, a)) || isWords(v) && r.digits > 0 {
		return false
	}
	if isEncodedText(v) {
		return false // it is looked at decoded
	}
	bits, length := randomBits(v)
	return bits >= need && bits >= 0.7*float64(length) && entropy(v) >= 2.2
}

// isOwnKey reports whether hexadecimal digits may be a key although its name says
// no more than "key", which hashes and identifiers are as well: the name is that
// of somebody's key, the value is written as one and has a key's length.
func isOwnKey(v []byte, a assignment) bool {
	return a.owned && !a.later && (a.link <= linkList || a.link == linkBlank && a.quoted) && len(v) >= 32 && len(v) <= 64
}

// isEncodedText reports whether v is base 64 of at least twelve printable
// characters.
func isEncodedText(v []byte) bool {
	text, err := base64.RawStdEncoding.DecodeString(string(bytes.TrimRight(v, "=")))
	if err != nil || len(text) < 12 {
		return false
	}
	for _, c := range text {
		if (c < ' ' || c > '~') && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
}

func bitsOf(v []byte) float64 {
	bits, _ := randomBits(v)
	return bits
}

// isKebab reports whether v is four or more words or numbers with dashes between
// them, as flags and files are called: pm-27086-update-password.
func isKebab(v []byte) bool {
	parts := bytes.Split(v, []byte("-"))
	for _, part := range parts {
		if len(part) == 0 || bytes.ContainsFunc(part, func(r rune) bool { return !isLower(r) }) && !isNumber(part) {
			return false
		}
	}
	return len(parts) >= 4
}

// hasUUID reports whether v is a UUID, or holds one between colons: user:6f1c…:session.
func hasUUID(v []byte) bool {
	for _, part := range bytes.Split(v, []byte(":")) {
		if isUUID(part) {
			return true
		}
	}
	return false
}

// isUUID reports whether v has the form 8-4-4-4-12 of hex digits.
func isUUID(v []byte) bool {
	if len(v) != 36 {
		return false
	}
	for i, c := range v {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash && c != '-' || !dash && !isHex(c) {
			return false
		}
	}
	return true
}

// isFileName reports whether v is words with a file's extension: classpath:test.jks.
func isFileName(v []byte) bool {
	dot := bytes.LastIndexByte(v, '.')
	return dot > 0 && len(v)-dot-1 >= 2 && len(v)-dot-1 <= 4 && isWords(v[:dot]) && isCamel(v[dot+1:]) && bitsOf(v[:dot]) < 12
}

func isHexBytes(v []byte) bool {
	for _, c := range v {
		if !isHex(c) {
			return false
		}
	}
	return true
}

// isCode reports whether a value is an expression, a path or an address rather
// than a literal.
func isCode(v []byte, quoted bool) bool {
	switch {
	case bytes.Contains(v, []byte("://")), bytes.HasPrefix(v, []byte("/")), bytes.HasPrefix(v, []byte("./")), bytes.HasPrefix(v, []byte("../")),
		bytes.HasPrefix(v, []byte("$")) && isName(v[1:]), bytes.HasPrefix(v, []byte("&")) && isName(v[1:]), bytes.HasPrefix(v, []byte("h1:")), bytes.HasPrefix(v, []byte("arn:")), bytes.HasPrefix(v, []byte("@")) && isName(v[1:]), bytes.HasPrefix(v, []byte("sha")) && bytes.ContainsAny(v, "-:"):
		return true
	}
	if isPublicKey(v) || bytes.HasPrefix(v, []byte("xs:")) || bytes.HasPrefix(v, []byte("xsd:")) {
		return true // xs:token is a type of XML Schema
	}
	if bytes.Contains(v, []byte("0-9")) && bytes.Contains(bytes.ToLower(v), []byte("a-z")) {
		return true // a regular expression's class
	}
	if bytes.HasPrefix(bytes.TrimPrefix(v, []byte("-")), []byte("0x")) && len(v) < 34 || bytes.Contains(v, []byte(`\u`)) || bytes.Contains(v, []byte(`\x`)) || bytes.Contains(v, []byte(`\U`)) {
		return true // a number; an escape is looked at decoded
	}
	if len(v) > 1 && isQuote(v[0]) && bytes.IndexByte(v[1:], v[0]) > 0 && bitsOf(v) < bitsNamed {
		return true // {"type": "string"}
	}
	if quoted {
		return bytes.Contains(v, []byte("()")) && bitsOf(v) < bitsNamed || isDotted(v) && bitsOf(v) < bitsNamed || v[0] == '+' && bytes.ContainsAny(v, ".,") || bytes.HasPrefix(v, []byte("--")) || bytes.ContainsAny(v, "{}<>") && bytes.ContainsAny(v, "}>")
	}
	return bytes.ContainsAny(v, "(){}[]<>$") || bytes.Contains(v, []byte("this.")) || bytes.Contains(v, []byte("->")) || bytes.Contains(v, []byte("::")) || isDotted(v)
}

// isPublicKey reports whether v is the body of a line of authorized_keys or
// known_hosts: base 64 of a length and "ssh-rsa", "ssh-ed25519" or "ecdsa-sha2"
// (RFC 4253, section 6.6).
func isPublicKey(v []byte) bool {
	for _, begin := range []string{"AAAAB3NzaC1yc2E", "AAAAC3NzaC1lZDI1NTE5", "AAAAE2VjZHNhLXNoYTIt"} {
		if bytes.HasPrefix(v, []byte(begin)) {
			return true
		}
	}
	return false
}

// isDotted reports whether v is a chain of identifiers: config.secrets.token.
func isDotted(v []byte) bool {
	if !bytes.ContainsRune(v, '.') {
		return false
	}
	for _, part := range bytes.Split(v, []byte(".")) {
		if len(part) == 0 || isDigit(part[0]) {
			return false
		}
		for _, c := range part {
			if !isWord(c) && c != '-' {
				return false
			}
		}
	}
	return true
}

// isWords reports whether v reads as identifiers: parts of letters with at
// most one change from lower to upper case at a time and digits only at a
// part's end ("accessTokenSecret2", "my-secret-name", "AWS_REGION").
func isWords(v []byte) bool {
	parts := bytes.FieldsFunc(v, func(r rune) bool {
		return r == '_' || r == '-' || r == '.' || r == ':' || r == '/' || r == '@' || r == '*' || r == '!'
	})
	if len(parts) == 0 {
		return true
	}
	for _, p := range parts {
		if !isCamel(p) {
			return false
		}
	}
	return true
}

func isCamel(p []byte) bool {
	if len(p) <= 8 && isNumber(p) {
		return true // of an issue, a date
	}
	digits, humps, run := 0, 0, 0
	for i, c := range p {
		switch {
		case isDigit(c):
			digits++
		case !isLetter(c):
			return false
		case digits > 0:
			return false // letters behind digits
		case c <= 'Z':
			if i > 0 && p[i-1] > 'Z' {
				humps++
			}
		default:
			run++
		}
	}
	// Words have four letters or more on average.
	letters := len(p) - digits
	if letters >= 8 && vowels(p)*5 < letters {
		return false
	}
	return digits <= 4 && (letters == 0 || (humps+1)*4 <= letters || humps == 0 && vowels(p)*6 >= letters)
}

func isNumber(p []byte) bool {
	return !bytes.ContainsFunc(p, func(r rune) bool { return !isDigit(byte(r)) })
}

func vowels(p []byte) int {
	n := 0
	for _, c := range p {
		if strings.IndexByte("aeiouyAEIOUY", c) >= 0 {
			n++
		}
	}
	return n
}

package scanner

import (
	"bytes"
	"strings"
)

// assignment is a value written beside a name: `password = "…"`.
type assignment struct {
	start, end int // of the value
	quoted     bool
}

// nameTail are words that may follow the keyword in a name without changing
// what the value is: api_key_value, secretString, PASSWORD_1, token_prod.
var nameTail = []string{
	"", "s", "key", "keys", "value", "val", "string", "str", "text", "plain", "plaintext", "raw", "b64", "base64", "data",
	"prod", "production", "dev", "development", "staging", "stage", "test", "live", "main", "default", "old", "new", "root", "admin", "user",
	"attribute", "env", "var", "word", "phrase",
}

// findAssignment reads the assignment whose name holds the keyword at
// data[at:end]: nothing but the tail of the name, an operator and quotes may
// stand between the two. It looks at one line (two for XML elements) and at
// most assignReach bytes ahead.
func findAssignment(data []byte, at, end int) (assignment, bool) {
	none := assignment{}
	limit := min(len(data), end+assignReach)
	i := end
	for i < limit && (isWord(data[i]) || data[i] == '-') {
		i++
	}
	if !tailAllowed(data[end:i]) || !headAllowed(data, at) {
		return none, false
	}
	i, listed, ok := skipOperator(data, i, limit)
	if !ok {
		return none, false
	}
	a, ok := readValue(data, i)
	// Behind a comma or an opening bracket stands an argument or a member: a
	// bare word there is a name.
	return a, ok && (a.quoted || !listed)
}

// tryAssigned looks for the value assigned to a name that ends in the keyword
// at data[at:end].
func (s *scratch) tryAssigned(v *view, m *matcher, at, end int) {
	a, ok := findAssignment(v.data, at, end)
	if ok && looksAssigned(v.data[a.start:a.end], a.quoted, m.rule.Human) {
		s.accept(v, m, byName, a.start, a.end, "")
	}
}

const (
	assignReach = 64  // from the keyword to the value
	longest     = 512 // of a value; longer ones are blobs, not secrets that people assign
)

// tailAllowed reports whether the rest of the name leaves the keyword its meaning.
func tailAllowed(tail []byte) bool {
	if len(tail) > 24 {
		return false
	}
	lower := strings.ToLower(string(tail))
	lower = strings.Trim(lower, "_-0123456789")
	for _, part := range strings.FieldsFunc(lower, func(r rune) bool { return r == '_' || r == '-' }) {
		ok := false
		for _, t := range nameTail {
			if part == t {
				ok = true
				break
			}
		}
		if !ok {
			return false
		}
	}
	return true
}

// headAllowed reports whether what stands directly before the keyword leaves
// it its meaning: "hidepassword" and "no_secret" are flags, "forgot-password"
// a link; "db_password", "DbPassword" and "x-api-key" are names.
func headAllowed(data []byte, at int) bool {
	i := at
	for i > 0 && at-i < 40 && (isWord(data[i-1]) || data[i-1] == '-') {
		i--
	}
	head := bytes.TrimRight(data[i:at], "_-")
	head = head[bytes.LastIndexAny(head, "_-")+1:]
	for _, no := range flagWords {
		if len(head) == len(no) && equalFold(head, no) {
			return false
		}
	}
	return true
}

// flagWords before the keyword make of the name something else than a secret's.
var flagWords = []string{
	"no", "forgot", "forgotten", "reset", "is", "has", "use", "show", "hide", "toggle", "invalid", "wrong", "missing",
	"encrypted", "hashed", "sealed", "csrf", "xsrf", "public", "primary", "foreign", "cache", "sort", "partition",
}

// skipOperator passes everything that may stand between a name and its value
// and returns where the value (or its opening quote) begins; listed says that
// the operator was a comma or an opening bracket.
func skipOperator(data []byte, i, limit int) (at int, listed, ok bool) {
	operator := false
	quotes := 0
	for i < limit {
		c := data[i]
		switch {
		case c == ' ' || c == '\t':
			i++
		case c == '"' || c == '\'' || c == '`':
			// A quote closes the name, or opens the value once an operator
			// (or a second quote, as in `"password" "value"`) was there, or a
			// blank only, as in #define PASSWORD "value".
			if operator || quotes == 0 && data[i-1] == ' ' {
				return i, listed, true
			}
			quotes++
			if quotes == 2 {
				return i, listed, true
			}
			i++
		case c == '\\' && i+1 < limit && (data[i+1] == '"' || data[i+1] == '\''):
			if operator {
				return i, listed, true
			}
			i += 2
		case c == '=' || c == ':':
			operator, listed = true, false
			i++
			if i < limit && (data[i] == '=' || data[i] == '>' || data[i] == '~') {
				i++
			}
			if c == ':' && i < limit {
				i = skipType(data, i, limit)
			}
		case c == '<' && i+1 < limit && data[i+1] == '-', c == '-' && i+1 < limit && data[i+1] == '>':
			operator = true
			i += 2
		case c == '>': // end of an XML tag
			operator = true
			i++
			for i < limit && (data[i] == ' ' || data[i] == '\n' || data[i] == '\r' || data[i] == '\t') {
				i++
			}
			return i, false, i < limit
		case c == '(' || c == ',' || c == '[' || c == ']' || c == ')' || c == '{':
			if c == '(' || c == ',' {
				operator, listed = true, true
			}
			i++
		case c == '@' || c == 'r' || c == 'b' || c == 'f' || c == 'u' || c == 'L' || c == 'R' || c == 'q' || c == 'N':
			// A prefix of a string literal: r"…", @"…", b'…', q{…}.
			n := 1
			for i+n < limit && (data[i+n] == '#' || data[i+n] == 'q' || data[i+n] == 'b' || data[i+n] == 'r') && n < 3 {
				n++
			}
			if operator && i+n < limit && (isQuote(data[i+n]) || c == 'q' && data[i+n] == '{') {
				i += n
				return i, listed, true
			}
			return i, listed, operator
		case (c == '?' || c == '.' || c == '+' || c == '|') && i+1 < limit && (data[i+1] == '=' || data[i+1] == c):
			i++ // ?=, .=, +=, ||=
		case !operator && i > 0 && data[i-1] == ' ' && isLetter(c):
			// A type between the name and the operator: var token string = "…"
			k := skipType(data, i, limit)
			if k == i {
				return i, listed, false
			}
			i = k
		default:
			return i, listed, operator
		}
	}
	return i, listed, false
}

// skipType passes a type annotation between a colon and the equals sign, as in
// `token: string = "…"` and `const T: &str = "…"`.
func skipType(data []byte, i, limit int) int {
	k := i
	for k < limit && (data[k] == ' ' || data[k] == '&' || data[k] == '?' || data[k] == '\'' && k+8 < limit && string(data[k:k+8]) == "'static ") {
		k++
	}
	start := k
	for k < limit && (isWord(data[k]) || bytes.IndexByte([]byte(".<>[]?*"), data[k]) >= 0) {
		k++
	}
	if k == start {
		return i
	}
	for k < limit && data[k] == ' ' {
		k++
	}
	if k < limit && data[k] == '=' && (k+1 >= len(data) || data[k+1] != '=') {
		return k
	}
	return i
}

func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

// readValue reads a quoted or bare value at i.
func readValue(data []byte, i int) (assignment, bool) {
	limit := min(len(data), i+longest+8)
	if i >= limit {
		return assignment{}, false
	}
	escaped := data[i] == '\\' && i+1 < limit && isQuote(data[i+1])
	if escaped {
		i++
	}
	switch c := data[i]; {
	case isQuote(c):
		for i+2 < limit && data[i+1] == c && data[i+2] == c { // """…"""
			i += 2
		}
		i++
		for k := i; k < limit && data[k] != '\n'; k++ {
			if data[k] == c && (escaped || k == i || data[k-1] != '\\') {
				if escaped && data[k-1] == '\\' {
					return assignment{i, k - 1, true}, k-1 > i
				}
				return assignment{i, k, true}, k > i
			}
		}
		return assignment{}, false
	case c == '{' || c == '[':
		closing := c + 2 // '}' and ']' stand two behind in ASCII
		for i < limit && data[i] == c {
			i++
		}
		for k := i; k < limit && data[k] != '\n'; k++ {
			if data[k] == closing {
				return assignment{i, k, true}, k > i
			}
		}
		return assignment{}, false
	}
	k := i
	for k < limit && !endsBare(data[k]) {
		k++
	}
	// A bare value at the end of a sentence or an argument.
	for k > i && bytes.IndexByte([]byte(".:"), data[k-1]) >= 0 {
		k--
	}
	return assignment{i, k, false}, k > i
}

func endsBare(c byte) bool {
	return c <= ' ' || bytes.IndexByte([]byte("\"'`<>,;)}]|\\"), c) >= 0
}

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

// looksAssigned decides whether an assigned value looks like a secret. For a
// password (human) nearly everything that is no code and no placeholder does;
// for a token or a key the value must look random.
func looksAssigned(v []byte, quoted, human bool) bool {
	if len(v) < 8 && !(human && len(v) >= 6 && quoted) || len(v) > longest || isFiller(v) {
		return false
	}
	r := look(v)
	for _, c := range v {
		if c < ' ' || c == ' ' {
			return false
		}
	}
	if isCode(v, quoted) {
		return false
	}
	if human {
		if r.digits == 0 && r.upper == 0 && r.other == bytes.Count(v, []byte("_"))+bytes.Count(v, []byte("-")) {
			return false // db_pass, my-secret: a name
		}
		return (r.digits > 0 || r.other > 0 || r.upper > 0 && r.lower > 0) && r.letters > 0 && !isWords(v)
	}
	if len(v) < 16 {
		return r.digits >= 2 && r.letters >= 2 && r.switches >= 4 && entropy(v) >= 2.8
	}
	if isWords(v) || !quoted && isIdentifier(v, r) {
		return false
	}
	return r.digits >= 2 && r.letters+r.digits >= len(v)*3/4 && r.switches*5 >= len(v) && entropy(v) >= 3.1 ||
		r.digits == 0 && len(v) >= 24 && r.switches*3 >= len(v) && entropy(v) >= 4
}

// isCode reports whether a value is an expression, a path or an address rather
// than a literal.
func isCode(v []byte, quoted bool) bool {
	switch {
	case bytes.Contains(v, []byte("://")), bytes.HasPrefix(v, []byte("/")), bytes.HasPrefix(v, []byte("./")), bytes.HasPrefix(v, []byte("../")),
		bytes.HasPrefix(v, []byte("$")) && isName(v[1:]), bytes.HasPrefix(v, []byte("@")) && isName(v[1:]), bytes.HasPrefix(v, []byte("sha")) && bytes.ContainsAny(v, "-:"):
		return true
	}
	if bytes.Contains(v, []byte("0-9")) && bytes.Contains(bytes.ToLower(v), []byte("a-z")) {
		return true // a regular expression's class
	}
	if bytes.HasPrefix(bytes.TrimPrefix(v, []byte("-")), []byte("0x")) || bytes.Contains(v, []byte(`\u`)) || bytes.Contains(v, []byte(`\x`)) || bytes.Contains(v, []byte(`\U`)) {
		return true // a number; an escape is looked at decoded
	}
	if quoted {
		return bytes.Contains(v, []byte("()")) || bytes.HasPrefix(v, []byte("--")) || bytes.ContainsAny(v, "{}<>") && bytes.ContainsAny(v, "}>")
	}
	return bytes.ContainsAny(v, "(){}[]<>$") || bytes.Contains(v, []byte("->")) || bytes.Contains(v, []byte("::")) || isDotted(v)
}

// isIdentifier reports whether a bare value is rather the name of something:
// word characters with few digits, as testRSA2048PrivateKey.
func isIdentifier(v []byte, r randomness) bool {
	return isLetter(v[0]) && r.digits*5 < len(v) && (r.other == 0 || r.other == bytes.Count(v, []byte("_"))) && vowels(v)*5 >= r.letters
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

func vowels(p []byte) int {
	n := 0
	for _, c := range p {
		if strings.IndexByte("aeiouyAEIOUY", c) >= 0 {
			n++
		}
	}
	return n
}

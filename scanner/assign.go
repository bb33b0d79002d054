package scanner

import (
	"bytes"
	"strings"
)

// assignment is a value written beside a name: `password = "…"`.
type assignment struct {
	start, end int // of the value
	quoted     bool
	link       link
	// owned: the name says whose it is, or what for: acme_key. constant: in
	// capitals, as people name what they set from outside.
	owned, constant bool
	// later: it is not the first word behind the name, as in
	// `Authorization: Bearer …` and `<secret>{id …}</secret>`.
	later bool
	// seen is where the bytes end that this was read from, or that made clear
	// that there is none; back is how far before the keyword that began, where it
	// is further than assignHead.
	seen, back int
}

// link says what stands between a name and its value.
type link uint8

const (
	linkOperator link = iota // =, :, =>, ->, <-, the end of an XML tag
	linkList                 // a comma or an opening bracket: an argument or a member
	linkDash                 // a dash between blanks
	linkBlank                // blanks only: TOKEN value
	linkCall                 // it is given to a function that may do anything with it
	linkGlued                // a dash or a dot that could as well belong to the name
)

// How far from the keyword of a name is looked. Before it: the head of the
// name, and for a password the lines that may name its user or host. Behind
// it: the value begins within assignReach and is read up to longest.
const (
	assignHead  = 40
	assignReach = 80
	longest     = 1400 // of a value; longer ones are blobs, not secrets that people assign
	maxWords    = 3    // to look at behind a name
)

// tryAssigned looks for the value assigned to a name that ends in the keyword
// at data[at:end].
func (s *scratch) tryAssigned(v *view, m *matcher, at, end int) {
	s.trail.saw(at-assignHead-1, end+1)
	if m.rule.Weak && end < len(v.data) && (v.data[end]|0x20 == 's' || isDigit(v.data[end])) {
		return
	}
	if m.rule.Weak && at > 1 && v.data[at-1] == '/' && v.data[at-2] == '<' {
		return // <key>GOOGLE_APP_ID</key> says nothing but that a name ends
	}
	if v.data[end-1] == '(' { // the keyword is that of a call
		a, ok := argument(v.data, end)
		s.trail.saw(at-assignHead-1, a.seen)
		if ok {
			s.takeAssigned(v, m, at, a)
		}
		return
	}
	i, named := nameEnd(v.data, end)
	a, ok := findAssignment(v.data, at, end, i, named)
	s.trail.saw(at-assignHead-1, max(a.seen, end+assignReach))
	if ok && !headAllowed(v.data, at, end, m.rule.Weak) {
		return
	}
	if ok && a.link == linkGlued && m.rule.Weak && at > 0 && isLetter(v.data[at-1]) {
		return // "nvkey-" is the beginning of a value and no name
	}
	if ok && a.link == linkOperator && isTag(v.data, dottedStart(v.data, at, max(0, at-assignHead)), i, a.start) {
		return
	}
	if ok && a.link == linkGlued && v.data[end] == '-' {
		s.trail.saw(at-slugReach-1, a.seen)
		if isSlug(v.data, at, v.data[a.start:a.end]) {
			return
		}
	}
	for n := 0; ok && n < maxWords; n++ {
		if s.takeAssigned(v, m, at, a) {
			return
		}
		a, ok = nextWord(v.data, a)
		s.trail.saw(at, a.seen)
	}
	if !named {
		return
	}
	next := byte('\n')
	if i < len(v.data) {
		next = v.data[i]
	}
	for k := range readers {
		if strings.IndexByte(readers[k].begins, next) < 0 {
			continue
		}
		a, ok := readers[k].read(v.data, at, i)
		s.trail.saw(at-a.back, a.seen)
		if ok && headAllowed(v.data, at, end, m.rule.Weak) && s.takeAssigned(v, m, at, a) {
			return
		}
	}
}

// readers are asked in turn for the value of a name that no operator assigns it
// to: at is where the name's keyword stands, i where the name ends, and begins
// what may stand there; the end of the text counts as that of a line.
var readers = [...]struct {
	begins string
	read   func(data []byte, at, i int) (assignment, bool)
}{
	{" \t\r\"'`)]}=:([@.|?", wrapped},
	{"\"'`:", inBlock},
	{"\"'`:* \r\n", below},
	{"<", inElement},
	{"\"'`: ,\r\n", labelled},
	{"\"'", reversed},
	{"\"'`* ,;\t|\r\n", inTable},
	{" ", commandWord},
	{"\"' ", commandOption},
	{"\"' \r\n", piped},
}

// takeAssigned accepts a value that looks like a secret of the rule, whose
// name has its keyword at data[at].
func (s *scratch) takeAssigned(v *view, m *matcher, at int, a assignment) bool {
	s.trail.saw(at, a.seen)
	a.owned, a.constant = ownerOf(v.data, at)
	if !a.quoted {
		a.end = a.start + queryEnd(v.data[a.start:a.end])
	}
	value := v.data[a.start:a.end]
	plain := m.rule.Human && a.quoted && !a.later && a.link <= linkList && isPlainPassword(value)
	if plain {
		s.trail.saw(at-loginReach-1, a.seen)
	}
	if !looksAssigned(value, a, m.rule) && !(plain && besideLogin(v.data, at)) {
		return false
	}
	if isPublicForm(value, a.quoted) || bytes.HasSuffix(v.data[max(0, a.start-8):a.start], []byte(";base64,")) || a.link == linkBlank && isCommit(v.data, a.start, value) {
		return false
	}
	if s.trail.saw(at-tagReach-1, at+tagReach+1); inHiddenField(v.data, at) {
		return false
	}
	s.accept(v, m, byName, a.start, a.end, "")
	return true
}

// ownerOf reports whether another word stands before the keyword at data[at] in
// its name, and whether the two are in capitals.
func ownerOf(data []byte, at int) (owned, constant bool) {
	if at == 0 {
		return false, false
	}
	c, capital := data[at-1], isUpper(rune(data[at]))
	// The parameter of an address has the address's owner.
	return c == '_' || c == '-' || c == '.' || c == '?' || c == '&' || capital && isLetter(c), capital && (c == '_' && at > 1 && isUpper(rune(data[at-2])) || isUpper(rune(c)))
}

// nameEnd returns where the name ends that holds a keyword before data[end],
// and whether the rest of the name leaves the keyword its meaning.
func nameEnd(data []byte, end int) (i int, ok bool) {
	limit := min(len(data), end+assignReach)
	i = end
	for i < limit && (isWord(data[i]) || data[i] == '-') {
		i++
	}
	return i, tailAllowed(data[end:i])
}

// unassigned says that a reader found nothing, and looked at data[i] for it.
func unassigned(i int) (assignment, bool) { return assignment{seen: i + 2}, false }

// findAssignment reads the assignment whose name holds the keyword at
// data[at:end]: nothing but the tail of the name, an operator and quotes may
// stand between the two. It looks at one line (two for XML elements). i and named
// are what nameEnd says of the name.
func findAssignment(data []byte, at, end, i int, named bool) (assignment, bool) {
	none := assignment{}
	limit := min(len(data), end+assignReach)
	if !named {
		if end < limit && (data[end] == '-' || data[end] == '_') {
			a, ok := readValue(data, end+1)
			a.link = linkGlued
			return a, ok
		}
		return none, false
	}
	i, l, ok := skipOperator(data, i, limit)
	if !ok {
		return none, false
	}
	a, ok := readValue(data, i)
	a.link = l
	// Behind a comma or an opening bracket a bare word is a name.
	return a, ok && (a.quoted || l != linkList)
}

// nextWord returns the word behind a, of the same quoted value or, for bare
// ones, of the same line.
func nextWord(data []byte, a assignment) (assignment, bool) {
	if a.link == linkList && !a.quoted || a.link == linkGlued {
		return a, false
	}
	if a.quoted && !a.later {
		// Break the quoted text into words; the first one was not tried alone.
		first := bytes.IndexByte(data[a.start:a.end], ' ')
		if first < 0 {
			return a, false
		}
		a.end = a.start + first
	}
	i := a.end
	for i < len(data) && i-a.end < 4 && (data[i] == ' ' || data[i] == '\t') {
		i++
	}
	if a.seen = i + 1; i == a.end {
		return a, false
	}
	k := i
	for k < len(data) && k-i < longest && !endsBare(data[k]) {
		k++
	}
	return assignment{start: i, end: k, quoted: a.quoted, link: a.link, later: true, seen: k + 1}, k > i
}

// skipOperator passes everything that may stand between a name and its value
// and returns where the value (or its opening quote) begins.
func skipOperator(data []byte, i, limit int) (at int, l link, ok bool) {
	operator, l := false, linkBlank
	quotes, words := 0, 0
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
				return i, l, true
			}
			if quotes++; quotes == 2 {
				return i, l, true
			}
			i++
		case c == '\\' && i+1 < limit && (data[i+1] == '"' || data[i+1] == '\''):
			if operator {
				return i, l, true
			}
			i += 2
		case c == '*' && !operator && i+1 < limit && data[i+1] == '*': // **Token**: …
			i += 2
		case c == '=' || c == ':':
			operator, l = true, linkOperator
			i++
			if i < limit && (data[i] == '=' || data[i] == '>' || data[i] == '~') {
				i++
			}
			if c == ':' && i < limit {
				if data[i] == ':' && i+1 < limit && isLetter(data[i+1]) || isLetter(data[i]) && (data[i-2] == ' ' || data[i-2] == ',') {
					return i, l, false // a scope, a symbol
				}
				i = skipType(data, i, limit)
			}
		case c == '<' && i+1 < limit && data[i+1] == '-', c == '-' && i+1 < limit && data[i+1] == '>':
			operator, l = true, linkOperator
			i += 2
		case c == '-' && !operator && i > 0 && data[i-1] == ' ' && i+1 < limit && data[i+1] == ' ':
			operator, l = true, linkDash
			i += 2
		case c == '>': // end of an XML tag
			i++
			for i < limit && (data[i] == ' ' || data[i] == '\n' || data[i] == '\r' || data[i] == '\t') {
				i++
			}
			for _, tag := range []string{"<value>", "<string>"} {
				if i+len(tag) < limit && equalFold(data[i:i+len(tag)], tag) {
					i += len(tag)
				}
			}
			return i, linkOperator, i < limit
		case c == '(' || c == ',' || c == '[' || c == ']' || c == ')' || c == '{':
			if c == '(' || c == ',' {
				operator, l = true, linkList
			} else if c == '{' && operator && l == linkOperator {
				return i, l, true
			}
			i++
		case c == '@' || c == 'r' || c == 'b' || c == 'f' || c == 'u' || c == 'L' || c == 'R' || c == 'q' || c == 'N':
			// A prefix of a string literal: r"…", @"…", b'…', q{…}.
			n := 1
			for i+n < limit && (data[i+n] == '#' || data[i+n] == 'q' || data[i+n] == 'b' || data[i+n] == 'r') && n < 3 {
				n++
			}
			if operator && i+n < limit && (isQuote(data[i+n]) || c == 'q' && data[i+n] == '{') {
				return i + n, l, true
			}
			if operator || quotes > 0 || i == 0 || data[i-1] != ' ' {
				return i, l, operator
			}
			fallthrough
		case !operator && quotes == 0 && i > 0 && data[i-1] == ' ' && isWord(c):
			// A word between the name and the operator: a type, or prose
			// (`var token string = "…"`, `api key for acme: …`); or the value.
			k := i
			for k < limit && (isWord(data[k]) || bytes.IndexByte(typeBytes, data[k]) >= 0) {
				k++
			}
			n := k
			for n < limit && data[n] == ' ' {
				n++
			}
			if words++; words > maxWords || n == limit || data[n] != '=' && data[n] != ':' && (n == k || !isLetter(data[n])) ||
				bytes.ContainsFunc(data[i:k], func(r rune) bool { return r >= '0' && r <= '9' }) {
				return i, linkBlank, true
			}
			i = n
		case c == '|' && !operator && data[i-1] == ' ' && i+1 < limit && data[i+1] == ' ': // a table
			operator, l = true, linkList
			i += 2
		case (c == '?' || c == '.' || c == '+' || c == '|') && i+1 < limit && (data[i+1] == '=' || data[i+1] == c):
			i++ // ?=, .=, +=, ||=
		default:
			return i, l, operator || l == linkBlank && quotes == 0 && i > 0 && data[i-1] == ' '
		}
	}
	return i, l, false
}

// typeBytes are what a type's name holds beside letters.
var typeBytes = []byte(".<>[]?*&")

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

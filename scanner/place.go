package scanner

import "bytes"

// Where a vendor's name does not stand in the name of the value or before it,
// its place may tell all the same what it means:
//
//	[acme]                            a section, up to its end
//	timeout = 30
//	api_key = …
//
//	token = "…"                       the address that the value is sent to
//	url = "https://api.acme.example"
//
//	API_KEY=…   # Acme                a comment on the line
//
//	url = "https://api.acme.example"  the address that stands before it
//	headers = {"X-Api-Key": "…"}
//
//	key = "…"                         the client that gets it as an argument
//	client = Acme(key)
//
// The name of the value itself must say "secret" there.

// How far a value may stand behind the head of its section, or before the
// vendor's name, and how many line breaks may be between the two.
const (
	sectionReach = 400
	sectionLines = 8
	behindReach  = 200
	behindLines  = 2
	commentReach = 24
)

// headingIndent stands for the indentation of a heading's list, see sectionHead.
const headingIndent = -2

// tryPlace looks for the value of a rule that tryValue did not find behind the
// vendor's name at data[at:end].
func (s *scratch) tryPlace(v *view, m *matcher, at, end int) {
	if m.public || s.trySection(v, m, at, end) || s.tryBefore(v, m, at, end) || s.tryArgument(v, m, at, end) {
		return
	}
	from, address, ok := beforeName(v.data, at)
	if s.trail.saw(at-assignHead-1, at); !ok {
		return
	}
	s.trail.saw(at-behindReach-1, at)
	// The nearest one.
	for i := at - 1; i >= from; i-- {
		if length := s.namedSecret(v.data, m, i, false); length > 0 && i+length <= at {
			s.takePlaced(v, m, i, length, 2*i-at, at, end)
			return
		}
	}
	if address {
		s.tryBelow(v, m, at, end)
	}
}

// beforeName returns where the text begins that a vendor's name at data[at]
// may speak of although it stands behind it: the name is part of an address or
// of a comment.
func beforeName(data []byte, at int) (from int, address, ok bool) {
	from = max(0, at-behindReach)
	stop := max(from, at-assignHead)
	i := dottedStart(data, at, stop)
	lines := behindLines
	switch {
	case i > stop+2 && data[i-1] == '/' && data[i-2] == '/' && data[i-3] == ':':
		address = true
	case inComment(data[max(from, at-commentReach):at]):
		lines = 0
	default:
		return 0, false, false
	}
	for k := at; k > from; k-- {
		if data[k-1] == '\n' {
			if lines--; lines < 0 {
				return k, address, true
			}
		}
	}
	return from, address, true
}

// tryBelow looks for the value on the lines behind an address with the vendor's
// name, as the headers of a request have it; a blank line or another address ends them.
func (s *scratch) tryBelow(v *view, m *matcher, at, end int) {
	data := v.data
	stop := min(len(data), end+sectionReach)
	s.trail.saw(at, stop+1)
	for i, lines := end, 0; i < stop; i++ {
		switch c := data[i]; {
		case c == '\n':
			if lines++; lines > sectionLines || data[i-1] == '\n' {
				return
			}
		case c == ':' && bytes.HasPrefix(data[i:stop], []byte("://")):
			return
		}
		if length := s.namedSecret(data, m, i, false); length > 0 {
			s.takePlaced(v, m, i, length, at, at, end)
			return
		}
	}
}

// tryBefore looks for the value that the readers of general names find before a name.
func (s *scratch) tryBefore(v *view, m *matcher, at, end int) bool {
	i := end
	for i < len(v.data) && i-end < assignHead && (isWord(v.data[i]) || v.data[i] == '-') {
		i++
	}
	if s.trail.saw(at, i+1); i == end || !saysSecret(lastWord(v.data[end:i])) {
		return false
	}
	for _, read := range [...]func(data []byte, at, i int) (assignment, bool){reversed, piped} {
		a, ok := read(v.data, at, i)
		s.trail.saw(at-max(a.back, assignHead+1), a.seen)
		if ok && s.takeWhole(v, m, a, at, end) {
			return true
		}
	}
	return false
}

// takeWhole accepts what is assigned if the rule's value is all of it.
func (s *scratch) takeWhole(v *view, m *matcher, a assignment, at, end int) bool {
	if a.start >= a.end || !m.first.has(v.data[a.start]) {
		return false
	}
	length, seen := m.valueLength(v.data, a.start)
	s.trail.saw(a.start, max(a.seen, seen))
	return length == a.end-a.start && s.takePlaced(v, m, a.start, length, at, at, end)
}

// How far behind a vendor's name an argument of the same line may stand, and
// how far before the name the argument got its value.
const (
	argumentReach = 100
	variableReach = 1500
	variableUses  = 8 // that are looked at, the last ones
)

// tryArgument looks for the value of a variable that says "secret" and is used
// behind the vendor's name, on the same line: new Acme(key), "https://api.acme.example/?key=" + apiKey.
func (s *scratch) tryArgument(v *view, m *matcher, at, end int) bool {
	data := v.data
	stop := min(len(data), end+argumentReach)
	i := end
	for i < stop && (isWord(data[i]) || data[i] == '.' || data[i] == ':' || data[i] == '-' || data[i] == '/') {
		i++
	}
	// A call, or an address that goes on.
	if s.trail.saw(at, i+1); i >= stop || data[i] != '(' && data[i] != '?' {
		return false
	}
	for line := i; line < stop; line++ {
		if data[line] == '\n' {
			stop = line
		}
	}
	s.trail.saw(at, stop+1)
	for i < stop {
		from := i
		for i < stop && isWord(data[i]) {
			i++
		}
		if i == from {
			i++
			continue
		}
		// Neither cut off nor a literal, nor the name of an argument, a function or an object.
		cut := i < len(data) && (isWord(data[i]) || bytes.IndexByte([]byte("=:(.-"), data[i]) >= 0)
		name := data[from:i]
		if !cut && !isQuote(data[from-1]) && saysSecret(lastWord(name)) && s.tryVariable(v, m, name, at, end) {
			return true
		}
	}
	return false
}

// tryVariable looks for the value that a variable got before the vendor's name
// at data[at:end].
func (s *scratch) tryVariable(v *view, m *matcher, name []byte, at, end int) bool {
	data := v.data
	from := max(0, at-variableReach)
	s.trail.saw(at-variableReach-1, at)
	k := at
	for range variableUses {
		n := bytes.LastIndex(data[from:k], name)
		if n < 0 {
			return false
		}
		k = from + n
		after := k + len(name)
		if isWord(data[after]) || k > 0 && (isWord(data[k-1]) || data[k-1] == '.') {
			continue
		}
		a, ok := findAssignment(data, k, after, after, true)
		s.trail.saw(k-1, a.seen)
		if ok && a.link == linkOperator && s.takeWhole(v, m, a, at, end) {
			return true
		}
	}
	return false
}

// inComment reports whether a comment begins in text behind something else.
func inComment(text []byte) bool {
	for i := len(text) - 1; i > 0; i-- {
		switch c := text[i]; {
		case c == '\n':
			return false
		case c == '#' && (text[i-1] == ' ' || text[i-1] == '\t'), c == '/' && text[i-1] == '/' && (i < 2 || text[i-2] != ':'):
			return true
		}
	}
	return false
}

// trySection looks for the value in the section whose head is the vendor's name.
func (s *scratch) trySection(v *view, m *matcher, at, end int) bool {
	data := v.data
	i, indent, ok := sectionHead(data, at, end)
	s.trail.saw(at-assignHead-1, i+1)
	if !ok {
		return false
	}
	stop := min(len(data), i+sectionReach)
	s.trail.saw(at, stop+1)
	named := saysSecret(lastWord(data[end:i])) // variable "acme_api_key" {
	for range sectionLines {
		line := i
		for i < stop && (data[i] == ' ' || data[i] == '\t') {
			i++
		}
		if i >= stop || data[i] == '[' || indent >= 0 && i-line <= indent && data[i] > ' ' || indent == headingIndent && data[i] == '#' {
			return false
		}
		for ; i < stop && data[i] != '\n'; i++ {
			if length := s.namedSecret(data, m, i, named); length > 0 {
				return s.takePlaced(v, m, i, length, at, at, end)
			}
		}
		i++
	}
	return false
}

// sectionHead reports whether the name at data[at:end] is all that its line
// says, as the head of a section is, where the next line begins, and the
// indentation of the head, -1 for one in brackets, headingIndent for that of a
// text: [acme], acme:, "acme": {, provider "acme" {, ## Acme.
func sectionHead(data []byte, at, end int) (next, indent int, ok bool) {
	i, stop := end, min(len(data), end+assignHead)
	for i < stop && (isWord(data[i]) || data[i] == '-') {
		i++
	}
	line := lineStart(data, at, assignHead)
	if data[line] == '#' {
		for i < stop && (isWord(data[i]) || data[i] == ' ' || data[i] == '\r') {
			i++
		}
		return i + 1, headingIndent, i < stop && data[i] == '\n' && (line == 0 || data[line-1] == '\n')
	}
	opens := byte(0)
	for ; i < stop && data[i] != '\n'; i++ {
		switch c := data[i]; {
		case c == ':' || c == '{' || c == '[' || c == '(' || c == ']':
			opens = c
		case c != '=' && c != '>' && c != '\r' && c != ' ' && !isQuote(c):
			return i, 0, false
		}
	}
	if i >= stop || opens == 0 {
		return i, 0, false
	}
	if line > 0 && data[line-1] != '\n' {
		return i, 0, false
	}
	if opens == ']' {
		return i + 1, -1, data[line] == '['
	}
	for line+indent < at && (data[line+indent] == ' ' || data[line+indent] == '\t') {
		indent++
	}
	return i + 1, indent, true
}

// namedSecret returns the length of a value of the rule at data[i] whose name,
// directly before it, says that it is a secret, 0 when there is none. With
// labelled one of valueLabels does.
func (s *scratch) namedSecret(data []byte, m *matcher, i int, labelled bool) int {
	if !m.first.has(data[i]) || i == 0 || isWord(data[i-1]) || !startsValue(data, i, &m.body) || !behindSecretName(data, i, labelled) {
		return 0
	}
	s.trail.saw(i-assignHead, i)
	length, seen := m.valueLength(data, i)
	s.trail.saw(i, seen)
	return length
}

// behindSecretName reports whether what stands before data[i] is an operator
// and the name of a secret, or with labelled one of valueLabels.
func behindSecretName(data []byte, i int, labelled bool) bool {
	stop := max(0, i-assignHead)
	if data[i-1] == ' ' && i > stop+1 && isLetter(data[i-2]) && containsFold(schemes, lastWord(data[stop:i])) {
		return true
	}
	operator := false
	for i > stop && (isQuote(data[i-1]) || bytes.IndexByte([]byte(" \t=:>([]"), data[i-1]) >= 0) {
		i--
		operator = operator || data[i] == '=' || data[i] == ':' || data[i] == '>' || data[i] == '('
	}
	if !operator || i == stop || !isLetter(data[i-1]) && !isDigit(data[i-1]) {
		return false
	}
	word := lastWord(data[stop:i])
	if saysSecret(word) {
		return true
	}
	return containsFold(valueLabels, word) && (labelled || isEntry(data, stop, i-len(word)))
}

// isEntry reports whether the label that begins at data[i] follows the name of a
// secret in its entry: {"key": "X-Api-Key", "value": "…"}.
func isEntry(data []byte, stop, i int) bool {
	comma := false
	for i > stop && (isQuote(data[i-1]) || data[i-1] == ' ' || data[i-1] == ',') {
		i--
		comma = comma || data[i] == ','
	}
	return comma && i > stop && saysSecret(lastWord(data[stop:i]))
}

// lastWord returns the last word of the last name in text: key of "acmeApiKey" {.
func lastWord(text []byte) []byte {
	end := len(text)
	for end > 0 && !isLetter(text[end-1]) && !isDigit(text[end-1]) {
		end--
	}
	from := end
	for from > 0 && (isLetter(text[from-1]) || isDigit(text[from-1])) {
		if from--; from > 0 && isHump(text, from) {
			break
		}
	}
	return text[from:end]
}

// takePlaced accepts a value at data[i] that the place of the vendor's name at
// data[at:end] makes a key; its rank among others goes by name.
func (s *scratch) takePlaced(v *view, m *matcher, i, length, name, at, end int) bool {
	if inRandom(v.data, at, end, max(i, end)) || !s.accept(v, m, byPlace, i, i+length, "") {
		return false
	}
	c := &s.found[len(s.found)-1]
	c.name, c.keyword, c.keywordEnd = name, at, end
	return true
}

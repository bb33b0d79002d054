package scanner

import "bytes"

// How far an assigned value may stand behind the keyword of its name: the rest
// of the name, an operator, quotes, a type, a line break and its indentation.
// 120 bytes hold `System.setProperty("…", System.getenv("…") ?: "` and the XML
// form with the value on a line of its own.
const (
	valueReach    = 120
	valueNewlines = 2
)

// tryValue looks for the value of a rule that is told by its name: the keyword
// stands at data[at:end], and the value is the first stretch behind it that
// the rule's Value matches as a whole.
func (s *scratch) tryValue(v *view, m *matcher, at, end int) {
	if startsName(v.data, at, end) && !s.tryBehind(v, m, at, end) {
		s.tryPlace(v, m, at, end)
	}
}

// tryBehind looks behind the name.
func (s *scratch) tryBehind(v *view, m *matcher, at, end int) bool {
	data := v.data
	stop := min(len(data), end+valueReach)
	newlines := 0
	// The rest of the name belongs to the name: DATADOG_KEY_2.
	i := end
	for isWord(data[end-1]) && i < stop && isWord(data[i]) {
		i++
	}
	if i == stop && stop < len(data) {
		s.trail.saw(end-1, i+1)
		return false
	}
	seen := i + 1
	defer func() { s.trail.saw(at-assignHead-2, max(seen, i+1)) }() // the most that namedByVendor looks back
	for counted := i; i < stop; i++ {
		// No value begins so close before a byte that none can hold.
		far := min(i+m.shortest, stop)
		k := far - 1
		for k >= i && m.body.has(data[k]) {
			k--
		}
		if seen = max(seen, far); k >= i {
			i = k
			continue
		}
		if data[i] == '\n' || !m.first.has(data[i]) || !startsValue(data, i, &m.body) {
			continue
		}
		// Blank lines do not count.
		text := data[counted:i]
		if newlines += bytes.Count(text, []byte{'\n'}) - bytes.Count(text, []byte("\n\n")); newlines > valueNewlines {
			return false
		}
		counted = i
		length, looked := m.valueLength(data, i)
		seen = max(seen, looked)
		if length > 0 {
			if !namedByVendor(data, at, end, i, m.public) || inRandom(data, at, end, i) {
				return false
			}
			if s.accept(v, m, byValue, i, i+length, "") {
				c := &s.found[len(s.found)-1]
				c.name, c.keyword, c.keywordEnd = wordStart(data, at, max(0, at-assignHead)), at, end
				s.trail.saw(c.name-1, end)
				return true
			}
			i += length - 1
			counted = i + 1
		}
	}
	return false
}

// embedded is how many letters a keyword must begin with to count inside a
// longer word too, as in "mybitbucketkey": "box_api" in SANDBOX_API_KEY and
// "meraki" in CameraKit are accidents.
const embedded = 8

// startsName reports whether the keyword at data[at:end] begins a word, or is
// long enough to stand within one.
func startsName(data []byte, at, end int) bool {
	if at == 0 || !isLetter(data[at-1]) || !isLetter(data[at]) || at > 1 && data[at-2] == '\\' { // \nBOX_API
		return true
	}
	upper := func(c byte) bool { return c >= 'A' && c <= 'Z' }
	if upper(data[at]) && (!upper(data[at-1]) || at+1 < len(data) && isLetter(data[at+1]) && !upper(data[at+1])) {
		return true // a hump: myBox, APIBox
	}
	n := at
	for n < end && isLetter(data[n]) {
		n++
	}
	return n-at >= embedded
}

// inRandom reports whether the keyword at data[at:end] is an accident of random
// text and not part of a name: "ibm" within a line of base64. The name ends before
// the value at data[start] at the latest. An id may begin with a keyword and name the
// secret behind it, so what only follows the keyword tells nothing, but where a
// slash or plus alone parts the two.
func inRandom(data []byte, at, end, start int) bool {
	const shortest = 16
	keyword, goesOn := at, end < start && (isLetter(data[end]) || isDigit(data[end]))
	for at > 0 && end-at < assignHead && isBlob(data[at-1]) {
		at--
	}
	for end < start && isBlob(data[end]) {
		end++
	}
	if goesOn && end == start && (data[start-1] == '/' || data[start-1] == '+') {
		return true
	}
	return at < keyword && end-at >= shortest && bitsOf(data[at:end]) >= bitsWeak
}

// valueLength returns how many bytes the rule's Value takes at i as a whole
// written value, 0 for none, and the end of the bytes that this hangs on.
func (m *matcher) valueLength(data []byte, i int) (length, seen int) {
	if m.value != nil {
		for k := range m.value.seqs {
			var c caps
			ok := m.value.seqs[k].match(data, i, &c)
			if seen = max(seen, c[capFar]+2); ok && endsValue(data, c[1], &m.body) {
				return c[1] - i, seen
			}
		}
		return 0, seen
	}
	limit := i + openLine
	loc := m.valueRE.FindIndex(data[i:min(len(data), limit)])
	if loc == nil || !endsValue(data, i+loc[1], &m.body) {
		return 0, limit + 2
	}
	return loc[1], limit + 2
}

// startsValue reports whether a written value can begin at i: the byte before
// is no part of it. An operator or a bracket before it is fine although some
// values may hold one.
func startsValue(data []byte, i int, body *byteSet) bool {
	if i == 0 {
		return true
	}
	c := data[i-1]
	if isLetter(c) || isDigit(c) {
		// An escape such as \n or a percent-encoded byte may end in a letter.
		return i >= 2 && data[i-2] == '\\' && bytes.IndexByte([]byte("nrtbf"), c) >= 0 ||
			i >= 3 && data[i-3] == '%' && isHex(data[i-2]) && isHex(c)
	}
	switch c {
	case '-':
		return i >= 2 && data[i-2] == ':' // ${ACME_KEY:-…}
	case '_', '+', '.', '~':
		return false
	case '@': // action@<commit>, package@<hash>
		return i < 2 || !isWord(data[i-2])
	}
	return c >= 0x80 || !body.has(c) || bytes.IndexByte([]byte(`=: ,;"'`), c) >= 0
}

// endsValue reports whether a written value can end before i.
func endsValue(data []byte, i int, body *byteSet) bool {
	if i >= len(data) {
		return true
	}
	c := data[i]
	if isWord(c) || c == '-' || c == '+' {
		return false
	}
	switch c {
	case '.', ':', '@':
		// A dot ends a sentence; within a word it goes on.
		return i+1 >= len(data) || !isWord(data[i+1])
	case '=': // the padding of a longer base64 value
		if body.has('+') && body.has('/') {
			return body.has('=')
		}
	case '/':
		return !body.has('/')
	}
	return !body.has(c) || bytes.IndexByte([]byte(`=&,;:"' `), c) >= 0
}

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

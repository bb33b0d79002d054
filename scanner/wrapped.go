package scanner

import "bytes"

// Programs put more between a name and the literal that is its value than an
// operator: the value that is taken if the environment has none, a call that
// makes a string of another type, a line break.
//
//	key = os.getenv("ACME_KEY") or "…"      fallbacks
//	process.env.ACME_KEY ?? '…'
//	acme_key: Some(String::from("…"))       constructors
//	ACME_KEY = (⏎    "…"⏎)                  line breaks
//	acme_key: >-⏎  …

// wrapReach is how far behind the name of a value its opening quote may stand.
const wrapReach = 120

// wrapLines are the line breaks between the two.
const wrapLines = 2

// fallbackCalls name what is called for a value that is missing.
var fallbackCalls = []string{
	"or", "default", "defaultvalue", "or_else", "orelse", "getorelse", "unwrap_or", "unwrap_or_else", "orelseget", "withdefault", "fallback", "default_value", "else",
}

// constructors make of a literal what the name holds; the value is the literal.
// The last word of their name is looked up.
var constructors = []string{
	"some", "from", "string", "str", "text", "new", "secret", "secretstr", "secretstring", "of", "valueof", "aslist", "listof", "arrayof", "bytes", "byte",
	"just", "value", "literal", "pointer", "ptr", "stringptr", "to", "field", "wrap", "unicode", "char", "box", "arc", "sensitive", "nonsensitive", "securestring", "password", "token",
}

// makers stand before the name of a constructor.
var makers = []string{"new", "await"}

// lookups are called with the name of a value, not with the value.
var lookups = []string{
	"get", "getenv", "env", "environ", "lookup", "lookupenv", "find", "fetch", "read", "load", "require", "var", "open", "import", "include", "has", "exists", "contains", "is",
	"format", "sprintf", "printf", "print", "log", "error", "errorf", "assert", "expect", "test", "it", "describe", "match", "replace", "split", "compile", "prompt", "input", "t", "i18n", "translate",
	"hash", "md5", "sha1", "sha256", "sha512", "digest", "encrypt", "uuid",
}

// wrapped reads the literal that belongs to the name with its keyword at data[at]
// that ends before data[i].
func wrapped(data []byte, at, i int) (assignment, bool) {
	w := wrapping{data: data, name: at, i: i, stop: min(len(data), i+wrapReach)}
	from, ok := w.literal()
	none := assignment{seen: max(w.i, w.seen) + 2}
	if !ok {
		return none, false
	}
	a, ok := readValue(data, from)
	a.link, a.seen = w.link, max(a.seen, none.seen)
	if ok && (isLabel(data, a.end) || w.link == linkCall && isHexBytes(data[a.start:a.end])) {
		return none, false // {"label": …}; fromHex("…") is how programs write bytes of any kind
	}
	return a, ok
}

// isLabel reports whether the literal that ends at i names what follows it.
func isLabel(data []byte, i int) bool {
	for i < len(data) && (isQuote(data[i]) || data[i] == ' ' && isQuote(data[i-1])) {
		i++
	}
	return i < len(data) && (data[i] == ':' || data[i] == '=')
}

// inBlock reads the value that stands alone on the line below its name, as YAML
// writes long ones:
//
//	acme_key: >-
//	  …
func inBlock(data []byte, at, i int) (assignment, bool) {
	stop := min(len(data), i+wrapReach)
	for i < stop && isQuote(data[i]) {
		i++
	}
	if i == stop || data[i] != ':' {
		return unassigned(i)
	}
	l := linkBlank
	for i++; i < stop && data[i] != '\n'; i++ {
		switch data[i] {
		case '|', '>':
			l = linkOperator
		case ' ', '\r', '-', '+':
		default:
			return unassigned(i)
		}
	}
	line := i + 1
	for i = line; i < stop && data[i] == ' '; i++ {
	}
	if i >= stop || i-line <= indentOf(data, at) {
		return unassigned(i)
	}
	a, ok := readValue(data, i)
	a.link = l
	if i = a.end; !ok || a.quoted || i < len(data) && data[i] != '\n' && data[i] != '\r' {
		a.seen = max(a.seen, i+1)
		return a, false
	}
	return a, true
}

// belowLines is how many line breaks may be between a name and the value below
// it in a text for people.
const belowLines = 4

// below reads the value that has the line below its name for itself, as notes
// and letters write it; blank lines and the fence of a block of code may come
// between:
//
//	Acme API key:
//	…
func below(data []byte, at, i int) (assignment, bool) {
	if !startsText(data, at) || data[i-1] == '-' { // -----BEGIN … KEY-----
		return unassigned(i)
	}
	stop := min(len(data), i+assignReach)
	for i < stop && bytes.IndexByte([]byte("\"'`:* \r"), data[i]) >= 0 {
		i++
	}
	if i >= stop || data[i] != '\n' {
		return unassigned(i)
	}
	for lines := 0; i < stop && data[i] <= ' '; i++ {
		if data[i] != '\n' {
			continue
		}
		if lines++; lines > belowLines {
			return unassigned(i)
		}
		if bytes.HasPrefix(data[i+1:stop], []byte("```")) {
			for i++; i+1 < stop && data[i+1] != '\n'; i++ {
			}
		}
	}
	a, ok := readValue(data, i)
	a.link = linkBlank
	k := a.end
	for k < len(data) && k-a.end < 4 && bytes.IndexByte([]byte("\"'`* \r"), data[k]) >= 0 {
		k++
	}
	a.seen = max(a.seen, k+1)
	return a, ok && (k >= len(data) || data[k] == '\n')
}

// startsText reports whether the line before a name with its keyword at data[at]
// is text for people: words, and the marks of a heading or an item.
func startsText(data []byte, at int) bool {
	line := lineStart(data, at, assignHead)
	if line > 0 && data[line-1] != '\n' {
		return false
	}
	for _, c := range data[line:at] {
		if !isWord(c) && bytes.IndexByte([]byte(" \t#*>-'`.&"), c) < 0 {
			return false
		}
	}
	return true
}

// indentOf returns how many blanks the line of data[at] begins with; a list's
// dash is one. At most assignHead bytes before at are looked at.
func indentOf(data []byte, at int) int {
	from := lineStart(data, at, assignHead)
	n := from
	for n < at && (data[n] == ' ' || data[n] == '-') {
		n++
	}
	return n - from
}

// wrapping is the way from a name to its literal.
type wrapping struct {
	data    []byte
	name    int // where its keyword stands
	i, stop int
	seen    int
	link    link
	bound   bool // an operator was there: a literal is the value from here on
	closed  bool // a bracket that opened before the name
	quotes  int
	lines   int
}

// literal passes everything up to the opening quote of the value.
func (w *wrapping) literal() (at int, ok bool) {
	data := w.data
	w.link = linkOperator
	for w.i < w.stop {
		switch c := data[w.i]; {
		case c == ' ' || c == '\t' || c == '\r':
			w.i++
		case c == '\n':
			if w.lines++; w.lines > wrapLines || !w.bound {
				return 0, false
			}
			w.i++
		case isQuote(c):
			if w.bound {
				return w.i, true
			}
			if w.quotes++; w.quotes > 1 { // closes the name
				return 0, false
			}
			w.i++
		case (c == ')' || c == ']' || c == '}') && (!w.bound || isEmptyPair(data[w.i-1], c)):
			w.closed = w.closed || !w.bound
			w.i++ // of the name, or empty: string(), []byte
		case w.fallback():
			w.bound = true
		case c == '=' || c == ':' || c == ',' && w.quotes > 0 && !w.closed && w.isArgument():
			if w.next('=') && w.i+2 < w.stop && data[w.i+2] == '=' || c == '=' && w.next('=') {
				return 0, false // a comparison
			}
			w.bound = true
			w.i++
			for w.i < w.stop && (data[w.i] == '=' || data[w.i] == '>') {
				w.i++
			}
		case c == '(' && !w.bound: // of a function that sets it
			w.bound, w.link = true, linkList
			w.i++
		case c == '@' && !w.bound && w.quotes == 0 && w.next('"'): // #define NAME @"…"
			w.i++
			w.bound = true
		case c == '[' && !w.bound: // the size of an array: key[33] = "…"
			for w.i++; w.i < w.stop && isDigit(data[w.i]); w.i++ {
			}
		case !w.bound && c != '.':
			if !w.typeName() {
				return 0, false
			}
		case c == '.':
			if !w.fallbackCall() {
				return 0, false
			}
		case c == '(' || c == '[' || c == '{':
			if c == '{' { // the first member of some structure
				w.link = linkCall
			}
			w.i++
		case (c == '&' || c == '@' || c == '$') && w.i+1 < w.stop && isQuote(data[w.i+1]):
			w.i++
		case c == '\\' && (w.next('\n') || w.next('\r')):
			w.i++
		case isWord(c) || c == '&' || c == '*':
			if !w.call() {
				return 0, false
			}
		default:
			return 0, false
		}
	}
	return 0, false
}

func isEmptyPair(open, closing byte) bool {
	return open == '(' && closing == ')' || open == '[' && closing == ']'
}

func (w *wrapping) next(c byte) bool { return w.i+1 < w.stop && w.data[w.i+1] == c }

// isArgument reports whether the name is the first argument of a call, in
// quotes, or a later one on the line of the next.
func (w *wrapping) isArgument() bool {
	stop := max(0, w.name-assignHead)
	i := dottedStart(w.data, w.name, stop)
	if i == stop || !isQuote(w.data[i-1]) {
		return false
	}
	for i--; i > stop && w.data[i-1] <= ' '; i-- {
	}
	return i > stop && (w.data[i-1] == '(' || w.data[i-1] == ',' && w.i+1 < w.stop && w.data[w.i+1] > '\r')
}

// fallback passes an operator between a value and what is taken in its place.
func (w *wrapping) fallback() bool {
	rest := w.data[w.i:w.stop]
	for _, operator := range []string{"||", "??", "?:", "or "} {
		if bytes.HasPrefix(rest, []byte(operator)) && w.i > 0 && !isWord(w.data[w.i-1]) {
			w.i += len(operator)
			return true
		}
	}
	return false
}

// argument reads the first literal among the first arguments of a call, which
// begin at data[i]: NewClient(ctx, "…").
func argument(data []byte, i int) (assignment, bool) {
	stop := min(len(data), i+wrapReach)
	for i < stop && !isQuote(data[i]) {
		if c := data[i]; !isWord(c) && bytes.IndexByte([]byte(" \t\r\n.,&*@[]"), c) < 0 {
			return unassigned(i)
		}
		i++
	}
	if i >= stop || isWord(data[i-1]) {
		return unassigned(i)
	}
	a, ok := readValue(data, i)
	a.link = linkList
	k := a.end + 1
	for k < len(data) && k-a.end < 4 && data[k] <= ' ' {
		k++
	}
	a.seen = max(a.seen, k+1)
	return a, ok && a.quoted && k < len(data) && bytes.IndexByte([]byte("),."), data[k]) >= 0
}

// typeName passes a word between the name and the operator, as PROGMEM in
// `char key[33] PROGMEM = "…"`.
func (w *wrapping) typeName() bool {
	k := w.i
	for k < w.stop && (isWord(w.data[k]) || bytes.IndexByte(typeBytes, w.data[k]) >= 0) {
		k++
	}
	w.seen = max(w.seen, k)
	n := k
	for n < w.stop && w.data[n] == ' ' {
		n++
	}
	if k == w.i || w.data[w.i-1] != ' ' || n >= w.stop || w.data[n] != '=' || n+1 < w.stop && w.data[n+1] == '=' {
		return false
	}
	w.i = n
	return true
}

// fallbackCall passes a method that is given the value to take when there is
// none: .unwrap_or("…"), .orElse("…"), .default("…").
func (w *wrapping) fallbackCall() bool {
	for k := w.i; k < w.stop && w.data[k] == '.'; {
		from := k + 1
		for k = from; k < w.stop && isWord(w.data[k]); k++ {
		}
		w.seen = max(w.seen, k)
		if k >= w.stop || w.data[k] != '(' {
			return false
		}
		if containsFold(fallbackCalls, w.data[from:k]) {
			k++
			for k < w.stop && bytes.IndexByte([]byte("|_() ->{"), w.data[k]) >= 0 {
				k++
			}
			w.i, w.bound = k, true
			return true
		}
		for k++; k < w.stop && w.data[k] == ')'; k++ {
		}
	}
	return false
}

// call passes the name of a function or type up to the bracket of its
// arguments, or the name of an argument.
func (w *wrapping) call() bool {
	k := w.i
	for k < w.stop && (isWord(w.data[k]) || bytes.IndexByte([]byte(".:<>&*?!|"), w.data[k]) >= 0 && (k+1 < w.stop && w.data[k+1] != ' ' || w.data[k] == '>' || w.data[k] == '!')) {
		k++
	}
	w.seen = max(w.seen, k+1)
	if k == w.i || k >= w.stop {
		return false
	}
	word := w.data[w.i:k]
	switch c := w.data[k]; {
	case isQuote(c) && len(word) <= 2: // u8"…", L"…"
		w.i = k
		return true
	case c == '(' || c == '[' || c == '{':
		last := word
		if dot := bytes.LastIndexAny(bytes.TrimRight(word, "!"), ".:>&*"); dot >= 0 {
			last = word[dot+1:]
		}
		last = bytes.TrimRight(last, "!")
		switch {
		case startsWithLookup(last):
			return false
		case !containsFold(constructors, last) && !containsFold(fallbackCalls, last):
			w.link = linkCall
		}
		w.i = k + 1
		return true
	case c == '=' && !w.nextAt(k, '='):
		if !containsFold(valueLabels, word) && !w.typed() {
			return false
		}
		w.i = k + 1
		return true
	case c == ' ':
		if containsFold(makers, word) {
			w.i = k + 1
			return true
		}
		for k < w.stop && w.data[k] == ' ' {
			k++
		}
		if k < w.stop && w.data[k] == '=' && !w.nextAt(k, '=') && (w.typed() || containsFold(valueLabels, word)) {
			w.i = k + 1
			return true
		}
	}
	return false
}

func (w *wrapping) nextAt(k int, c byte) bool { return k+1 < w.stop && w.data[k+1] == c }

// typed reports whether the word at hand stands behind a colon, as a type does.
func (w *wrapping) typed() bool {
	k := w.i
	for k > 0 && w.data[k-1] == ' ' {
		k--
	}
	return k > 0 && w.data[k-1] == ':'
}

// startsWithLookup reports whether the first word of a function's name is one
// of lookups: getSecret, env, translate_key.
func startsWithLookup(name []byte) bool {
	k := 0
	for k < len(name) && name[k] != '_' && (k == 0 || !isHump(name, k)) {
		k++
	}
	return containsFold(lookups, name[:k]) || containsFold(lookups, name)
}

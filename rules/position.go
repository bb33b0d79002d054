package rules

import (
	"bytes"
	"strconv"
	"strings"
)

// Position is a place in a TOML file: 1-based line, 1-based column in bytes.
type Position struct{ Line, Column int }

// Positions tells where each key, table and array element of a TOML document
// stands. Paths are written as in `rule[0].samples.match[2]`: dots between keys,
// an index for each array element and each [[table]].
//
// The TOML library keeps positions to itself and reports only its own errors
// with them; ours (a bad severity, a keyword that is missing) need them too.
// The walk below relies on the library having accepted the document: it finds
// its way through valid TOML only, and on anything else it stops early without
// harm.
type Positions map[string]Position

// Of returns the place of path, or of the nearest enclosing key that is known.
func (p Positions) Of(path string) Position {
	for path != "" {
		if at, ok := p[path]; ok {
			return at
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return Position{1, 1}
}

// FindPositions walks a document that the TOML library has accepted.
func FindPositions(data []byte) Positions {
	w := &positionWalk{src: data, found: Positions{}, tables: map[string]int{}}
	if bytes.HasPrefix(data, []byte("\xEF\xBB\xBF")) { // byte order mark
		w.at = 3
	}
	w.document()
	return w.found
}

type positionWalk struct {
	src    []byte
	at     int
	line   int // line feeds before lineAt
	lineAt int // offset up to which line feeds are counted
	start  int // offset of the first byte of the current line
	found  Positions
	tables map[string]int // how many [[tables]] of this path came so far
}

func (w *positionWalk) mark(path string, offset int) {
	for ; w.lineAt < offset; w.lineAt++ {
		if w.src[w.lineAt] == '\n' {
			w.line++
			w.start = w.lineAt + 1
		}
	}
	if _, ok := w.found[path]; !ok {
		w.found[path] = Position{w.line + 1, offset - w.start + 1}
	}
}

func (w *positionWalk) eof() bool { return w.at >= len(w.src) }

func (w *positionWalk) peek() byte {
	if w.eof() {
		return 0
	}
	return w.src[w.at]
}

func (w *positionWalk) has(s string) bool {
	return strings.HasPrefix(string(w.src[w.at:min(w.at+len(s), len(w.src))]), s)
}

// space skips blanks, line ends and comments.
func (w *positionWalk) space() {
	for !w.eof() {
		switch w.src[w.at] {
		case ' ', '\t', '\r', '\n':
			w.at++
		case '#':
			for !w.eof() && w.src[w.at] != '\n' {
				w.at++
			}
		default:
			return
		}
	}
}

func (w *positionWalk) document() {
	prefix := ""
	for w.space(); !w.eof(); w.space() {
		if w.peek() != '[' {
			if !w.pair(prefix) {
				return
			}
			continue
		}
		begin := w.at
		array := w.has("[[")
		for w.peek() == '[' {
			w.at++
		}
		keys := w.key()
		for w.peek() == ']' {
			w.at++
		}
		if len(keys) == 0 {
			return
		}
		prefix = ""
		for i, k := range keys {
			prefix = join(prefix, k)
			if i < len(keys)-1 {
				if n := w.tables[prefix]; n > 0 {
					prefix += "[" + strconv.Itoa(n-1) + "]"
				}
				w.mark(prefix, begin)
			}
		}
		if array {
			w.mark(prefix, begin)
			n := w.tables[prefix]
			w.tables[prefix] = n + 1
			prefix += "[" + strconv.Itoa(n) + "]"
		}
		w.mark(prefix, begin)
	}
}

func join(prefix, key string) string {
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}

// pair reads `key = value`.
func (w *positionWalk) pair(prefix string) bool {
	begin := w.at
	keys := w.key()
	if len(keys) == 0 || w.peek() != '=' {
		return false
	}
	w.at++
	path := prefix
	for _, k := range keys {
		path = join(path, k)
		w.mark(path, begin)
	}
	return w.value(path)
}

// key reads a dotted key and the blanks after it.
func (w *positionWalk) key() []string {
	var keys []string
	for {
		w.space()
		begin := w.at
		switch c := w.peek(); c {
		case '"', '\'':
			w.text()
			if w.at-begin < 2 {
				return keys
			}
			keys = append(keys, string(w.src[begin+1:w.at-1]))
		default:
			for !w.eof() && strings.IndexByte(" \t\r\n.=]#", w.src[w.at]) < 0 {
				w.at++
			}
			if w.at == begin {
				return keys
			}
			keys = append(keys, string(w.src[begin:w.at]))
		}
		w.space()
		if w.peek() != '.' {
			return keys
		}
		w.at++
	}
}

// value reads one value. It reports false where it lost its way.
func (w *positionWalk) value(path string) bool {
	w.space()
	switch w.peek() {
	case '"', '\'':
		w.text()
	case '[':
		w.at++
		for i := 0; ; i++ {
			w.separators()
			if w.eof() {
				return false
			}
			if w.peek() == ']' {
				w.at++
				return true
			}
			element := path + "[" + strconv.Itoa(i) + "]"
			w.mark(element, w.at)
			if !w.value(element) {
				return false
			}
		}
	case '{':
		w.at++
		for {
			w.separators()
			if w.eof() {
				return false
			}
			if w.peek() == '}' {
				w.at++
				return true
			}
			if !w.pair(path) {
				return false
			}
		}
	default:
		begin := w.at
		for !w.eof() && strings.IndexByte(",]}#\r\n", w.src[w.at]) < 0 {
			w.at++
		}
		return w.at > begin
	}
	return true
}

func (w *positionWalk) separators() {
	for w.space(); w.peek() == ','; w.space() {
		w.at++
	}
}

// text skips a string of any of the four kinds.
func (w *positionWalk) text() {
	quote := w.peek()
	long := strings.Repeat(string(quote), 3)
	if w.has(long) {
		w.at += 3
		for !w.eof() && !w.has(long) {
			if quote == '"' && w.src[w.at] == '\\' {
				w.at++
			}
			w.at++
		}
		// Up to two quotes may stand directly before the closing three.
		for n := 0; n < 5 && w.peek() == quote; n++ {
			w.at++
		}
		w.at = min(w.at, len(w.src))
		return
	}
	for w.at++; !w.eof() && w.src[w.at] != quote && w.src[w.at] != '\n'; w.at++ {
		if quote == '"' && w.src[w.at] == '\\' {
			w.at++
		}
	}
	w.at = min(w.at+1, len(w.src))
}

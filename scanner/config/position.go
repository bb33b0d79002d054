package config

import (
	"bytes"
	"strconv"
	"strings"
)

// position is a place in a file: 1-based, the column in bytes.
type position struct{ line, column int }

// positions tells where the keys of a .till.toml stand: "ignore" and
// "ignore[2]" for a key of the top level and an element of its array, "rule[0]"
// for a table of an array, "allow" for any other table. The TOML library keeps
// positions to itself, and what lies deeper is for package rules to report.
type positions map[string]position

// of returns the place of a key, or the nearest that is known.
func (p positions) of(key string) position {
	if at, ok := p[key]; ok {
		return at
	}
	if i := strings.LastIndexByte(key, '['); i > 0 {
		return p.of(key[:i])
	}
	return position{1, 1}
}

// findPositions walks a document that the TOML library has accepted. On
// anything else it stops early; it never fails.
func findPositions(data []byte) positions {
	w := &walk{src: data, found: positions{}}
	tables := map[string]int{}
	top := true
	for w.blanks(); w.at < len(w.src); w.blanks() {
		begin := w.at
		if w.src[w.at] == '[' {
			top = false
			array := w.peek(1) == '['
			w.at++
			if array {
				w.at++
			}
			name := w.key()
			w.line()
			if array {
				n := tables[name]
				tables[name]++
				w.mark(name+"["+strconv.Itoa(n)+"]", begin)
			}
			w.mark(name, begin)
			continue
		}
		name := w.key()
		if w.peek(0) != '=' {
			break
		}
		w.at++
		if top {
			w.mark(name, begin)
		} else {
			name = ""
		}
		w.value(name)
	}
	return w.found
}

type walk struct {
	src   []byte
	at    int
	found positions
	// Lines are counted as marks are made, front to back.
	counted, lines, lineStart int
}

func (w *walk) mark(key string, offset int) {
	if _, twice := w.found[key]; twice || offset < w.counted {
		return
	}
	passed := w.src[w.counted:offset]
	if i := bytes.LastIndexByte(passed, '\n'); i >= 0 {
		w.lines += bytes.Count(passed, []byte{'\n'})
		w.lineStart = w.counted + i + 1
	}
	w.counted = offset
	w.found[key] = position{w.lines + 1, offset - w.lineStart + 1}
}

func (w *walk) peek(n int) byte {
	if w.at+n >= len(w.src) {
		return 0
	}
	return w.src[w.at+n]
}

// line goes to the end of the line.
func (w *walk) line() {
	if i := bytes.IndexByte(w.src[w.at:], '\n'); i >= 0 {
		w.at += i
	} else {
		w.at = len(w.src)
	}
}

// blanks skips white space, commas and comments.
func (w *walk) blanks() {
	for w.at < len(w.src) {
		switch w.src[w.at] {
		case ' ', '\t', '\r', '\n', ',':
			w.at++
		case '#':
			w.line()
		case 0xEF: // byte order mark
			if w.at > 0 || !bytes.HasPrefix(w.src, []byte("\xEF\xBB\xBF")) {
				return
			}
			w.at = 3
		default:
			return
		}
	}
}

// key reads a key and returns its first part.
func (w *walk) key() (first string) {
	for part := 0; ; part++ {
		w.blanks()
		begin := w.at
		name := ""
		if c := w.peek(0); c == '"' || c == '\'' {
			w.text()
			name = strings.Trim(string(w.src[begin:w.at]), `"'`)
		} else {
			for w.at < len(w.src) && strings.IndexByte(" \t\r\n.=]#", w.src[w.at]) < 0 {
				w.at++
			}
			name = string(w.src[begin:w.at])
		}
		if part == 0 {
			first = name
		}
		w.blanks()
		if w.peek(0) != '.' {
			return first
		}
		w.at++
	}
}

// value skips a value; the elements of an array are noted under its key, but
// not those of arrays and tables inside.
func (w *walk) value(key string) {
	var open []byte // brackets
	for elements, first := 0, true; ; first = false {
		if !first || len(open) > 0 {
			w.blanks()
		} else {
			for w.peek(0) == ' ' || w.peek(0) == '\t' {
				w.at++
			}
		}
		c := w.peek(0)
		if len(open) == 1 && open[0] == '[' && key != "" && c != ']' && c != 0 {
			w.mark(key+"["+strconv.Itoa(elements)+"]", w.at)
			elements++
		}
		switch c {
		case 0:
			w.at = len(w.src)
			return
		case '[', '{':
			open = append(open, c)
			w.at++
		case ']', '}':
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
			w.at++
		case '"', '\'':
			w.text()
		case '=':
			w.at++
		default:
			begin := w.at
			for w.at < len(w.src) && strings.IndexByte(",[]{}=#\r\n\"'", w.src[w.at]) < 0 {
				w.at++
			}
			if w.at == begin {
				w.at++
			}
		}
		if len(open) == 0 {
			return
		}
	}
}

// text skips a string of any of the four kinds.
func (w *walk) text() {
	quote := w.src[w.at]
	long := bytes.Repeat([]byte{quote}, 3)
	isLong := bytes.HasPrefix(w.src[w.at:], long)
	if isLong {
		w.at += 3
	} else {
		w.at++
	}
	for w.at < len(w.src) {
		switch c := w.src[w.at]; {
		case c == '\\' && quote == '"':
			w.at++
		case isLong && bytes.HasPrefix(w.src[w.at:], long):
			w.at += 3
			for n := 0; n < 2 && w.peek(0) == quote; n++ { // quotes before the closing three
				w.at++
			}
			return
		case !isLong && (c == quote || c == '\n'):
			w.at++
			return
		}
		w.at++
	}
	w.at = len(w.src)
}

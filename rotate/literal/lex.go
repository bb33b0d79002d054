package literal

import (
	"bytes"
	"strings"
)

// token is a string or a comment of a file.
type token struct {
	comment    bool
	start, end int // with quotes and prefix
	in, out    int // what stands between the quotes
	prefix     string
	quote      string
}

// quote is a way to write a string.
type quote struct {
	open, close string
	lines       bool // may go over several lines
	raw         bool // a backslash is a backslash
}

// lex finds strings and comments. It follows no grammar: an unclosed string of
// one line ends with its line, so that a mistake (a quote in a regular
// expression) does not reach the next one.
func lex(l *language, src []byte) []token {
	var out []token
	for i := 0; i < len(src); {
		if t, ok := comment(l, src, i); ok {
			out = append(out, t)
			i = t.end
			continue
		}
		if l.regex && src[i] == '/' && regexMayStart(src, i) {
			i = skipRegex(src, i)
			continue
		}
		t, ok := stringAt(l, src, i)
		if !ok {
			i++
			continue
		}
		for t.start > 0 && strings.IndexByte(l.prefixes, src[t.start-1]) >= 0 && t.in-t.start-len(t.quote) < 2 {
			t.start--
		}
		if t.start > 0 && isNameByte(src[t.start-1]) && src[t.start-1] != '-' { // the end of a name, no prefix
			t.start = t.in - len(t.quote)
		}
		t.prefix = string(src[t.start : t.in-len(t.quote)])
		out = append(out, t)
		i = t.end
	}
	return out
}

func comment(l *language, src []byte, i int) (token, bool) {
	for _, open := range l.line {
		if bytes.HasPrefix(src[i:], []byte(open)) {
			if open == "#" && l.blankHash && i > 0 && !strings.ContainsRune(" \t\n;", rune(src[i-1])) {
				continue
			}
			return token{comment: true, start: i, end: lineEnd(src, i)}, true
		}
	}
	for _, b := range l.block {
		if bytes.HasPrefix(src[i:], []byte(b[0])) {
			end := bytes.Index(src[i+len(b[0]):], []byte(b[1]))
			if end < 0 {
				return token{comment: true, start: i, end: len(src)}, true
			}
			return token{comment: true, start: i, end: i + len(b[0]) + end + len(b[1])}, true
		}
	}
	return token{}, false
}

func stringAt(l *language, src []byte, i int) (token, bool) {
	for _, q := range l.quotes {
		if !bytes.HasPrefix(src[i:], []byte(q.open)) {
			continue
		}
		from := i + len(q.open)
		for k := from; k < len(src); k++ {
			switch {
			case src[k] == '\n' && !q.lines:
				return token{}, false
			case src[k] == '\\' && !q.raw:
				k++
			case bytes.HasPrefix(src[k:], []byte(q.close)):
				return token{start: i, in: from, out: k, end: k + len(q.close), quote: q.open}, true
			}
		}
		return token{}, false
	}
	return token{}, false
}

// regexMayStart tells a regular expression of JavaScript or Ruby from a division.
func regexMayStart(src []byte, i int) bool {
	before := bytes.TrimRight(src[lineStart(src, i):i], " \t")
	return len(before) == 0 || strings.IndexByte("(,=:[!&|?{};~", before[len(before)-1]) >= 0 || bytes.HasSuffix(before, []byte("return"))
}

func skipRegex(src []byte, i int) int {
	class := false
	for k := i + 1; k < len(src) && src[k] != '\n'; k++ {
		switch {
		case src[k] == '\\':
			k++
		case src[k] == '[':
			class = true
		case src[k] == ']':
			class = false
		case src[k] == '/' && !class:
			return k + 1
		}
	}
	return i + 1
}

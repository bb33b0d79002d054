package scanner

import "bytes"

// How a value is written, quoted or bare, and where what stands before it begins.

func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

// readValue reads a quoted or bare value at i.
func readValue(data []byte, i int) (assignment, bool) {
	limit := min(len(data), i+longest+8)
	if i >= limit {
		return assignment{seen: i + 1}, false
	}
	escaped := data[i] == '\\' && i+1 < limit && isQuote(data[i+1])
	if escaped {
		i++
	}
	seen := i + 3
	switch c := data[i]; {
	case isQuote(c):
		for i+2 < limit && data[i+1] == c && data[i+2] == c { // """…"""
			i += 2
		}
		if c == '`' && i+2 < limit && data[i+1] == c { // ``…``
			i++
		}
		i++
		seen = i + 2
		for k := i; k < limit && data[k] != '\n'; k++ {
			if data[k] == c && (escaped || k == i || data[k-1] != '\\') {
				if escaped && data[k-1] == '\\' {
					return trimmed(data, i, k-1)
				}
				return trimmed(data, i, k)
			}
			seen = k + 2
		}
		return assignment{seen: seen}, false
	case c == '{' || c == '[':
		closing := c + 2 // '}' and ']' stand two behind in ASCII
		for i < limit && data[i] == c {
			i++
		}
		seen = i + 2
		for k := i; k < limit && data[k] != '\n'; k++ {
			if data[k] == closing {
				return trimmed(data, i, k)
			}
			seen = k + 2
		}
		return assignment{seen: seen}, false
	}
	k := i
	for k < limit && !endsBare(data[k]) {
		k++
	}
	seen = k + 1
	// A bare value at the end of a sentence or an argument.
	for k > i && bytes.IndexByte([]byte(".:"), data[k-1]) >= 0 {
		k--
	}
	return assignment{start: i, end: k, seen: seen}, k > i
}

// trimmed is the quoted text data[i:k] without the blanks at its ends.
func trimmed(data []byte, i, k int) (assignment, bool) {
	seen := k + 3
	for i < k && data[i] == ' ' {
		i++
	}
	for k > i && data[k-1] == ' ' {
		k--
	}
	return assignment{start: i, end: k, quoted: true, seen: seen}, k > i
}

func endsBare(c byte) bool {
	return c <= ' ' || bytes.IndexByte([]byte("\"'`<>,;)}]|\\"), c) >= 0
}

// dottedStart returns where the name begins that goes on at data[at], dots and
// dashes included; not before stop.
func dottedStart(data []byte, at, stop int) int {
	for at > stop && (isWord(data[at-1]) || data[at-1] == '-' || data[at-1] == '.') {
		at--
	}
	return at
}

// wordStart is dottedStart for names without dots and dashes.
func wordStart(data []byte, at, stop int) int {
	for at > stop && isWord(data[at-1]) {
		at--
	}
	return at
}

// lineStart returns where the line of data[at] begins, at-reach when it begins
// before that.
func lineStart(data []byte, at, reach int) int {
	stop := max(0, at-reach)
	return stop + bytes.LastIndexByte(data[stop:at], '\n') + 1
}

package scanner

import "bytes"

// tableReach is how long a line of a table may be to be read as one.
const tableReach = 400

// inTable reads the value that stands in the cell beside its name, or below it:
//
//	| Acme token | … |        acme_token,…        name,acme_token
//	                                              main,…
//
// The name with its keyword at data[at] ends before data[i].
func inTable(data []byte, at, i int) (assignment, bool) {
	for i < len(data) && (isQuote(data[i]) || data[i] == '*') {
		i++
	}
	k := i
	for k < len(data) && data[k] == ' ' && k-i < assignHead {
		k++
	}
	if k >= len(data) || k > i && data[k] != '|' {
		return unassigned(k)
	}
	switch separator := data[k]; separator {
	case ',', ';', '\t', '|':
		first, ok := startsCell(data, at, separator)
		if !ok {
			return unassigned(k)
		}
		if first {
			if a, ok := readCell(data, k+1, separator); ok {
				return a, true
			}
		}
		return belowName(data, at, k, separator)
	case '\r', '\n':
		for _, separator := range []byte{',', ';', '\t'} {
			if _, ok := startsCell(data, at, separator); ok {
				return belowName(data, at, k, separator)
			}
		}
	}
	return unassigned(k)
}

// startsCell reports whether the name with its keyword at data[at] begins a
// cell, and whether that is the first one of its line.
func startsCell(data []byte, at int, separator byte) (first, ok bool) {
	i, stop := at, max(0, at-assignHead)
	for i > stop && (isWord(data[i-1]) || data[i-1] == '-' || data[i-1] == '.' || separator == '|' && data[i-1] == ' ') {
		i--
	}
	for i > stop && (isQuote(data[i-1]) || data[i-1] == '*') {
		i--
	}
	for i > stop && separator == '|' && data[i-1] == ' ' {
		i--
	}
	if i == 0 || data[i-1] == '\n' {
		return true, separator != '|' || i < at
	}
	if i == stop || data[i-1] != separator {
		return false, false
	}
	return separator == '|' && (i == 1 || data[i-2] == '\n'), true
}

// readCell reads the cell that begins at i.
func readCell(data []byte, i int, separator byte) (assignment, bool) {
	for i < len(data) && data[i] == ' ' && separator == '|' {
		i++
	}
	a, ok := readValue(data, i)
	a.link = linkBlank
	k := a.end
	for k < len(data) && (isQuote(data[k]) || data[k] == ' ' && separator == '|') {
		k++
	}
	a.seen = max(a.seen, k+1)
	// In a table of text that a person set, as in a cell in quotes, a value stands by itself.
	a.quoted = a.quoted || separator != '|' || k > a.end
	return a, ok && (k >= len(data) || data[k] == separator || data[k] == '\n' || data[k] == '\r')
}

// belowName reads the cell on the next line that stands in the column of the
// name; a line of dashes may come between. The name's cell ends at data[i].
func belowName(data []byte, at, i int, separator byte) (assignment, bool) {
	line := lineStart(data, at, tableReach)
	column := bytes.Count(data[line:i], []byte{separator})
	end := min(len(data), i+tableReach)
	none := assignment{seen: end + 1}
	next := bytes.IndexByte(data[i:end], '\n')
	if next < 0 || line > 0 && data[line-1] != '\n' || column+bytes.Count(data[i:i+next], []byte{separator}) == 0 {
		return none, false
	}
	i += next + 1
	if end = min(len(data), i+tableReach); separator == '|' && i+1 < end && bytes.IndexByte([]byte("-: "), data[i+1]) >= 0 && bytes.Contains(data[i:end], []byte("--")) {
		if next = bytes.IndexByte(data[i:end], '\n'); next >= 0 && len(bytes.Trim(data[i:i+next], "|-: \r")) == 0 {
			i += next + 1
		}
	}
	none.seen = i + tableReach + 1
	for end = min(len(data), i+tableReach); column > 0; column-- {
		next = bytes.IndexByte(data[i:end], separator)
		if next < 0 || bytes.IndexByte(data[i:i+next], '\n') >= 0 {
			return none, false
		}
		i += next + 1
	}
	a, ok := readCell(data, i, separator)
	a.seen = max(a.seen, none.seen)
	return a, ok
}

package scanner

import "bytes"

// setters are commands that take a name and a value as words.
var setters = []string{"env", "setx", "setenv", "set -x", "set -gx", "set -ux", "set -x -g", "set -x -u"}

// commandWord reads the word behind a name on a command line, where a blank is
// the operator: --acme-token …, ENV ACME_TOKEN …. The name with its keyword at
// data[at] ends before data[i].
func commandWord(data []byte, at, i int) (assignment, bool) {
	if i+1 >= len(data) || data[i] != ' ' || data[i+1] <= ' ' || data[i+1] == '-' {
		return unassigned(i)
	}
	from, stop := at, max(0, at-assignHead)
	for from > stop && (isWord(data[from-1]) || data[from-1] == '-') {
		from--
	}
	if !bytes.HasPrefix(data[from:at], []byte("--")) && !behindSetter(data[stop:from]) {
		return unassigned(i)
	}
	a, ok := readValue(data, i+1)
	a.link = linkOperator
	// A sentence goes on.
	return a, ok && (a.quoted || a.end >= len(data) || data[a.end] <= ' ')
}

// behindSetter reports whether text ends in one of setters at the beginning of
// a line, and a blank.
func behindSetter(text []byte) bool {
	line := text[bytes.LastIndexByte(text, '\n')+1:]
	if len(line) == 0 || line[len(line)-1] != ' ' {
		return false
	}
	return containsFold(setters, bytes.Trim(line, " \t"))
}

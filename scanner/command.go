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

// valueOptions give a command the value for the name that it was given before.
var valueOptions = []string{
	"--body", "-b", "--value", "-v", "--secret-string", "--secret-value", "--string-value", "--secret", "--plaintext", "--data", "--from-string", "--val", "--string",
}

// maxOptions is how many words may stand between a name and the option with its value.
const maxOptions = 6

// commandOption reads the value that an option further on gives to the name:
// gh secret set ACME_TOKEN --repo o/r --body …. The name with its keyword at
// data[at] ends before data[i].
func commandOption(data []byte, at, i int) (assignment, bool) {
	stop := min(len(data), i+labelReach)
	if isQuote(data[i]) {
		i++
	}
	for n := range maxOptions {
		word := i
		for word < stop && (data[word] == ' ' || data[word] == '\\' || data[word] == '\n' && data[word-1] == '\\') {
			word++
		}
		if word == i || word >= stop || n == 0 && data[word] != '-' {
			return unassigned(word)
		}
		for i = word; i < stop && data[i] > ' ' && data[i] != '=' && !isQuote(data[i]); i++ {
		}
		if i >= stop {
			return unassigned(i)
		}
		if containsFold(valueOptions, data[word:i]) {
			if !isQuote(data[i]) {
				i++
			}
			a, ok := readValue(data, i)
			a.link, a.seen = linkOperator, max(a.seen, i+2)
			return a, ok && (a.quoted || a.end >= len(data) || data[a.end] <= ' ')
		}
		if data[i] == '=' {
			i++
		}
		if i >= stop {
			return unassigned(i)
		}
		if quote := data[i]; isQuote(quote) {
			for i++; i < stop && data[i] != quote && data[i] != '\n'; i++ {
			}
			i++
		}
	}
	return unassigned(i)
}

// writers print their last word into a pipe.
var writers = []string{"echo", "echo -n", "echo -e", "printf", "printf %s", "printf '%s'", "printf \"%s\"", "print", "write-output"}

// pipeReach is how far before the keyword of its name a pipe is looked for.
const pipeReach = 46

// piped reads the value that is written into the command that is given its
// name: echo … | gh secret set ACME_TOKEN. The name with its keyword at data[at]
// ends before data[i].
func piped(data []byte, at, i int) (assignment, bool) {
	none := assignment{seen: i + 1, back: pipeReach + 1}
	stop := max(0, at-pipeReach)
	pipe := stop + bytes.LastIndexAny(data[stop:at], "|\n")
	if pipe <= stop || data[pipe] != '|' || data[pipe-1] != ' ' {
		return none, false
	}
	line := lineStart(data, pipe, labelReach)
	none.back = at - line + 1
	text := bytes.TrimSpace(data[line:pipe])
	if len(text) == 0 {
		return none, false
	}
	end := line + bytes.LastIndex(data[line:pipe], text) + len(text)
	from, quoted := end, isQuote(data[end-1])
	if quoted {
		end--
		from = line + bytes.LastIndexByte(data[line:end], data[end]) + 1
	} else {
		from = line + bytes.LastIndexByte(data[line:end], ' ') + 1
	}
	if from <= line {
		return none, false
	}
	before := data[line:from]
	if quoted {
		before = before[:len(before)-1]
	}
	before = bytes.TrimRight(before, " ")
	for _, w := range writers {
		if k := len(before) - len(w); k >= 0 && equalFold(before[k:], w) && (k == 0 || !isWord(before[k-1])) {
			return assignment{start: from, end: end, quoted: quoted, seen: none.seen, back: none.back}, end > from
		}
	}
	return none, false
}

package scanner

import (
	"bytes"
	"math"
)

// entropy is Shannon's, in bits per character of the value's own distribution.
func entropy(v []byte) float64 {
	var count [256]int
	for _, c := range v {
		count[c]++
	}
	h, n := 0.0, float64(len(v))
	for _, k := range count {
		if k > 0 {
			p := float64(k) / n
			h -= p * math.Log2(p)
		}
	}
	return h
}

// fillers are words that nobody's random key holds and that documentation
// writes in place of one. All have five letters or more: the chance that a
// random value of 40 letters and digits holds a given one is below 1 : 500,000.
var fillers = []string{
	"example", "placeholder", "changeme", "change_me", "change-me", "changethis", "redacted", "replace",
	"yourkey", "your_", "your-", "insert_", "dummy", "xxxxx", "00000000", "deadbeef", "notreal", "not_a_real",
	"fake_", "fake-", "fakekey", "-fake", "_fake", "sample", "foobar", "mysecret", "my_secret", "my-secret", "lorem", "testtest", "todo_",
}

// ladders are runs that people type to fill a field.
var ladders = []string{
	"0123456789abcdef", "abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "zyxwvutsrqponmlkjihgfedcba", "98765432109876543210", "qwertyuiopasdfghjklzxcvbnm",
}

// isFiller reports whether a value is one that documentation writes in place
// of a secret: a filler word, a ladder, one piece over
// and over, or a template to be filled in. A value whose checksum is right is
// never asked.
func isFiller(v []byte) bool {
	if bytes.ContainsAny(v, "\n\t ") { // the indentation of a block is no repeat
		v = bytes.Join(bytes.Fields(v), nil)
	}
	return hasFillerWord(v) || isLadder(v) || isRepeat(v) || isTemplate(v)
}

func hasFillerWord(v []byte) bool {
	lower := bytes.ToLower(v)
	for _, w := range fillers {
		if bytes.Contains(lower, []byte(w)) {
			return true
		}
	}
	return false
}

// isLadder reports whether runs of neighbouring letters or digits make up at
// least half of the value: a ladder of eight or more, or several shorter ones.
// Runs of three, as in abc123def456, have to make up nearly all of it.
func isLadder(v []byte) bool {
	lower := bytes.ToLower(v)
	covered, threes := 0, 0
	for i := 0; i < len(lower); {
		n := 1
		for i+n < len(lower) && (lower[i+n] == lower[i+n-1]+1 || lower[i+n] == '0' && lower[i+n-1] == '9') && isLetter(lower[i+n]) == isLetter(lower[i+n-1]) {
			n++
		}
		if n >= 4 {
			covered += n
		}
		if n >= 3 {
			threes += n
		}
		i += n
	}
	if 2*covered >= len(v) && covered > 0 || 6*threes >= 5*len(v) && len(v) >= 16 {
		return true
	}
	if isWeave(lower) {
		return true
	}
	for _, l := range ladders {
		if len(lower) >= 8 && bytes.Contains([]byte(l), lower) {
			return true
		}
	}
	return false
}

// isWeave reports whether two or three ladders are woven into one another, in
// the whole value or in its last part: a1b2c3d4e5, sdk-1/aB1cD2eF3gH4.
func isWeave(lower []byte) bool {
	const part = 16
	last := lower
	for i := len(lower) - 1; i >= 0; i-- {
		if !isLetter(lower[i]) && !isDigit(lower[i]) {
			last = lower[i+1:]
			break
		}
	}
	for stride := 2; stride <= 3; stride++ {
		if isWoven(lower, stride) || len(last) >= part && 2*len(last) >= len(lower) && isWoven(last, stride) {
			return true
		}
	}
	return false
}

func isWoven(lower []byte, stride int) bool {
	steps := 0
	for i := stride; i < len(lower); i++ {
		a, b := lower[i-stride], lower[i]
		if isLetter(a) == isLetter(b) && (b == a+1 || stride == 3 && b == a+2 || a == '9' && b == '0') {
			steps++
		}
	}
	return len(lower) >= 8 && 3*steps >= 2*(len(lower)-stride)
}

// isMadeUp reports whether a machine's value, one that nobody chose, holds what
// a draw at random does not: seven letters in the order of the alphabet, ten digits
// counted up behind letters, one character eight times in a row, or a sentence. isFiller, which is asked for
// passwords as well, takes fillings of the whole value only.
func isMadeUp(v []byte) bool {
	const (
		drawn  = 256 // longer values hold structures, with zeros in them
		ladder = 7   // by chance in one of 10^7 values of 40 letters and digits
		count  = 10  // people end a value that they type with fewer
		run    = 8
	)
	if len(v) > drawn {
		return false
	}
	up, same, counted := 1, 1, 1
	for i := 1; i < len(v); i++ {
		a, b := v[i-1], v[i]
		if up++; !isLetter(a) || b != a+1 || !isLetter(b) {
			up = 1
		}
		// A is a zero in base 64.
		if same++; a != b || b == 'A' || !isLetter(b) && !isDigit(b) {
			same = 1
		}
		if counted++; !isDigit(a) || !isDigit(b) || b != a+1 && (a != '9' || b != '0') {
			counted = 1
		}
		if up >= ladder || same >= run || counted >= count && i > counted && isLetter(v[0]) {
			return true
		}
	}
	return isSentence(v)
}

// isSentence reports whether at least half of a value are words in lower case
// with one sign between them, five or more in a row:
// this-is-not-the-token-you-look-for.
func isSentence(v []byte) bool {
	const fewest = 5
	for _, sign := range "-_" {
		words, length := 0, 0
		for _, part := range bytes.Split(v, []byte{byte(sign)}) {
			if len(part) == 0 || len(part) > 12 || bytes.ContainsFunc(part, func(r rune) bool { return !isLower(r) }) {
				words, length = 0, 0
				continue
			}
			words, length = words+1, length+1+len(part)
			if words >= fewest && 2*length >= len(v) {
				return true
			}
		}
	}
	return false
}

// isRepeat reports whether few pieces make up the value: at most an eighth as
// many different characters as characters, runs of one character through most of
// it (aaaabbbbcccc), or one piece over and over: of up to eight characters three
// times or more, of more characters twice.
func isRepeat(v []byte) bool {
	if len(v) < 8 {
		return len(v) > 0 && bytes.Count(v, v[:1]) == len(v)
	}
	var seen [256]bool
	distinct, run, longest, inRuns := 0, 1, 1, 0
	for i, c := range v {
		if !seen[c] {
			seen[c] = true
			distinct++
		}
		if i > 0 && c == v[i-1] {
			run++
			longest = max(longest, run)
			if run == 3 {
				inRuns += 3
			} else if run > 3 {
				inRuns++
			}
		} else {
			run = 1
		}
	}
	if 4*inRuns >= 3*len(v) || distinct <= 2 || distinct*8 <= len(v) && len(v) < 64 || 3*longest >= len(v) && longest >= 4 {
		return true
	}
	for p := 1; p <= 8 && 3*p <= len(v) || p > 8 && p <= 64 && 2*p <= len(v); p++ {
		if bytes.Equal(v[p:], v[:len(v)-p]) {
			return true
		}
	}
	return false
}

// isTemplate reports whether a value is to be filled in by a program: a shell
// or template variable, a format verb, a call, text in angle brackets, what SOPS
// decrypts, a path below a home, or what stands between two literals.
func isTemplate(v []byte) bool {
	switch {
	case len(v) == 0, bytes.HasPrefix(v, []byte("ENC[")), bytes.HasPrefix(v, []byte("~/")), isSpliced(v):
		return true
	case v[0] == '$' && len(v) > 1 && (v[1] == '{' || v[1] == '(' || isLetter(v[1]) || v[1] == '_') && isName(v[1:]),
		v[0] == '<' && v[len(v)-1] == '>',
		v[0] == '{' && v[len(v)-1] == '}',
		v[0] == '[' && v[len(v)-1] == ']',
		v[0] == '%' && v[len(v)-1] == '%':
		return true
	}
	for _, open := range []string{"${", "{{", "$(", "<%", "#{", "%(", "%s", "%v", "%d", "<your", "...", "***", "…", "•"} {
		if bytes.Contains(v, []byte(open)) {
			return true
		}
	}
	return false
}

// isSpliced reports whether v begins or ends with the quote and the operator
// that put it between two literals: "+password+" in
// "ALTER ROLE app PASSWORD '"+password+"'".
func isSpliced(v []byte) bool {
	joins := func(quote byte, inner []byte) bool {
		return isQuote(quote) && len(inner) > 1 && (bytes.IndexByte([]byte("+.&|"), inner[0]) >= 0 || inner[0] == ' ' && bytes.IndexByte([]byte("+.&|"), inner[1]) >= 0)
	}
	n := len(v)
	if n > 3 && bytes.IndexByte([]byte(".+&"), v[0]) >= 0 && (v[n-1] == '[' || v[n-1] == '(') {
		return true // '--password='.$options['password']
	}
	return n > 3 && (joins(v[0], v[1:]) || joins(v[n-1], []byte{v[n-2], v[n-3]}))
}

// isName reports whether v looks like a variable's name with the marks that
// templates put around it.
func isName(v []byte) bool {
	for _, c := range v {
		if !isWord(c) && c != '{' && c != '}' && c != '(' && c != ')' && c != '.' && c != ':' {
			return false
		}
	}
	return true
}

package scanner

import (
	"bytes"
	"math"
	"strings"
)

//go:generate go run generate.go

// randomBits tells how much better "drawn at random" explains a value than
// "spelled by a person", in bits: what the value costs under the statistics
// of neighbouring characters in words and names (wordBits), less what it costs
// when each character is drawn from the alphabet that the part shows. A value
// is taken in parts between its signs; bits and length are those of the run of
// parts that is the most random, so that a prefix of words takes nothing away.
//
// Of the words and names in Go's own source, 95 % of those with 8 to 20
// characters are below 10, and 99 % below 20 (constants such as SIOCGIFPHYADDR are
// above); random text of 16 characters has 30 to 50, a random password of 8
// some 16 to 24.
func randomBits(v []byte) (bits float64, length int) {
	sum, from := 0.0, 0
	for i := 0; i < len(v); {
		k := i
		for k < len(v) && (isLetter(v[k]) || isDigit(v[k])) {
			k++
		}
		end := k
		for end < len(v) && !(isLetter(v[end]) || isDigit(v[end])) {
			end++ // the signs behind a part are its own
		}
		if sum <= 0 {
			sum, from = 0, i
		}
		if sum += partBits(v[i:k]); sum > bits {
			bits, length = sum, end-from
		}
		i = end
	}
	return bits, length
}

// partBits is randomBits of letters and digits.
func partBits(v []byte) float64 {
	spelled := spelling(v)
	if bytes.ContainsFunc(v, isUpper) && !bytes.ContainsFunc(v, isLower) {
		// Words in capitals are spelled as others are.
		spelled = min(spelled, spelling(bytes.ToLower(v)))
	}
	bits := spelled - float64(len(v))*math.Log2(float64(alphabet(v)))
	if len(v) >= 16 && isHexBytes(v) {
		// Numbers are cheap to spell; that long a one with letters in it is drawn.
		if r := look(v); r.letters >= 3 && r.digits >= 3 {
			return max(bits, float64(len(v)))
		}
	}
	return bits
}

func isUpper(r rune) bool { return r >= 'A' && r <= 'Z' }
func isLower(r rune) bool { return r >= 'a' && r <= 'z' }

// spelling is the cost of v as a word, in bits.
func spelling(v []byte) float64 {
	quarters, before := 0, wordEdge
	for _, c := range v {
		k := classOf(c)
		quarters += int(wordBits[before*wordClasses+k] - '!')
		before = k
	}
	return float64(quarters) / 4
}

// The classes of wordBits: the letters, digits, what joins parts of a name,
// all else, and the edge before a word.
const (
	wordDigit   = 52
	wordJoint   = 53
	wordOther   = 54
	wordEdge    = 55
	wordClasses = 56
)

func classOf(c byte) int {
	switch {
	case c >= 'a' && c <= 'z':
		return int(c - 'a')
	case c >= 'A' && c <= 'Z':
		return 26 + int(c-'A')
	case isDigit(c):
		return wordDigit
	case strings.IndexByte("_-./: ,", c) >= 0:
		return wordJoint
	}
	return wordOther
}

// alphabet is the size of the smallest usual alphabet that letters and digits
// are drawn from: digits, hex of one case or of both, letters, letters and digits.
func alphabet(v []byte) int {
	var lower, upper, digit, beyondHex bool
	for _, c := range v {
		switch {
		case c >= 'a':
			lower, beyondHex = true, beyondHex || c > 'f'
		case c >= 'A':
			upper, beyondHex = true, beyondHex || c > 'F'
		default:
			digit = true
		}
	}
	per := 26 // letters of one case
	if digit && !beyondHex {
		per = 6
	}
	n := 0
	if lower {
		n += per
	}
	if upper {
		n += per
	}
	if digit {
		n += 10
	}
	return max(n, 2)
}

package rotate

import (
	"bytes"
	"slices"
	"strings"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// Leak is the leaked key as it stands in the repository.
type Leak struct {
	Fingerprint string
	ID          string // short form for people
	Rule        *rules.Rule
	Secret      scanner.Secret
	Others      []scanner.Secret // further values at the same place, the latest first (Rule.Human)
	PublicID    string           // what {{id}} stands for; "" = unknown
	Partner     *scanner.Partner
	Account     string
	Note        string // of the scanner: "test key"
	Exposure    scanner.Exposure
	Places      []scanner.Place
}

// LeakOf takes what a scan found.
func LeakOf(k *scanner.Key) Leak {
	l := Leak{
		Fingerprint: k.Fingerprint, ID: k.ID, Rule: k.Rule, Secret: k.Secret, Others: k.Others, PublicID: k.Facts.ID,
		Partner: k.Partner, Account: k.Facts.Account, Note: k.Facts.Note, Exposure: k.Exposure, Places: k.Places,
	}
	// Facts name a partner by its mask when its value says nothing by itself.
	if p := k.Partner; p != nil && (l.PublicID == "" || l.PublicID == p.Secret.String()) {
		l.PublicID = p.Secret.Reveal()
	}
	return l
}

// Harmless says why the key must not be used, not even to ask about it: a trap
// that alarms whoever set it, a value that its vendor has published. "" = it may.
func (l *Leak) Harmless() string {
	for _, word := range []string{"canary", "documented example", "published"} {
		if strings.Contains(l.Note, word) {
			return l.Note
		}
	}
	return ""
}

// Variables are the names that the key is assigned to where it was found
// ("STRIPE_API_KEY"), each once.
func (l *Leak) Variables() []string {
	var names []string
	for _, p := range l.Places {
		for _, x := range p.Excerpt {
			r := []rune(x.Text)
			if x.Mark <= 0 || x.Mark > len(r) {
				continue
			}
			if name := lastWord(string(r[:x.Mark])); name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// lastWord is the name that stands before a value: "KEY" of `export KEY = "`.
func lastWord(before string) string {
	before = strings.TrimRight(before, " \t\"'`=:>")
	at := strings.LastIndexFunc(before, func(c rune) bool { return c > 0x7f || !isWord(byte(c)) })
	return before[at+1:]
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// An Occurrence is a stretch of a text that is the key.
type Occurrence struct {
	From, To int
	ends     string // how its line ends are written, "" = as they are
}

// Like is another value in the way in which this one is written.
func (o Occurrence) Like(value string) string {
	if o.ends == "" {
		return value
	}
	return withEnds(value, o.ends)
}

func withEnds(value, ends string) string {
	return strings.NewReplacer("\r\n", ends, "\n", ends).Replace(value)
}

// In finds the key in a text: as it is, and the lines of a PEM block with escaped
// ends between, in a string of one line. What a machine has made is the key
// wherever it stands. What a person may have chosen ("postgres") is only where it
// is a word of its own: behind a name that it was found behind, or between user
// and host of an address.
func (l *Leak) In(text []byte) []Occurrence {
	value := l.Secret.Reveal()
	var all []Occurrence
	for _, ends := range []string{"", `\n`, `\r\n`, `\\n`} {
		written := Occurrence{ends: ends}.Like(value)
		if written == "" || ends != "" && written == value {
			continue
		}
		for at := 0; ; {
			i := bytes.Index(text[at:], []byte(written))
			if i < 0 {
				break
			}
			o := Occurrence{at + i, at + i + len(written), ends}
			if at = o.To; !l.Rule.Human || l.means(text, o) {
				all = append(all, o)
			}
		}
	}
	slices.SortFunc(all, func(a, b Occurrence) int { return a.From - b.From })
	return all
}

// means tells a password from the same word with another meaning.
func (l *Leak) means(text []byte, o Occurrence) bool {
	switch {
	case o.To-o.From == len(text):
		return true
	case o.From > 0 && isWord(text[o.From-1]), o.To < len(text) && isWord(text[o.To]):
		return false
	}
	line := string(text[bytes.LastIndexByte(text[:o.From], '\n')+1 : o.From])
	if strings.Contains(line, "://") && line[len(line)-1] == ':' && o.To < len(text) && text[o.To] == '@' {
		return true
	}
	names := l.Variables()
	return len(names) == 0 || slices.Contains(names, lastWord(line))
}

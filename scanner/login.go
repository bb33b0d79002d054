package scanner

import (
	"bytes"

	"github.com/till-sh/till/rules"
)

// What stands around a password tells whether a plain word may be one: the
// server and the user that it belongs to.

// loginReach is how far before a password's name its server and user are looked
// for: the arguments of one call, the lines of one configuration.
const loginReach = 200

// besideLogin reports whether the name of a password, at data[at], follows the
// names of a server and of a user, each with a literal in quotes:
// connect(host="127.0.0.1", user="root", password="…").
func besideLogin(data []byte, at int) bool {
	before := data[max(0, at-loginReach):at]
	return namesLiteral(before, serverNames) && namesLiteral(before, userNames)
}

var (
	serverNames = []string{"host", "hostname", "server", "dsn", "data source"}
	userNames   = []string{"user", "username", "uid", "user id", "login"}
)

// namesLiteral reports whether one of the names stands in text with a literal
// behind it, in quotes and not empty.
func namesLiteral(text []byte, names []string) bool {
	for _, name := range names {
		for i := 0; i+len(name) < len(text); i++ {
			if !equalFold(text[i:i+len(name)], name) || i > 0 && isLetter(text[i-1]) && !isHump(text, i) {
				continue
			}
			k, operator, quote := i+len(name), false, 0
			for ; k < len(text); k++ {
				if c := text[k]; c == '=' || c == ':' || c == ',' {
					operator = true
				} else if isQuote(c) {
					if quote++; operator {
						break
					}
				} else if c != ' ' && c != '>' && c != '\\' {
					break
				}
			}
			if operator && k+1 < len(text) && isQuote(text[k]) && !isQuote(text[k+1]) {
				return true
			}
		}
	}
	return false
}

// isPlainPassword reports whether a literal may be a password where server and
// user stand beside it: a word that no documentation writes in its place.
func isPlainPassword(v []byte) bool {
	if len(v) < 4 || len(v) > 64 || isPlaceholder(v) || isFiller(v) || isFileName(v) || isCode(v, true) {
		return false
	}
	lower := bytes.ToLower(v)
	return look(v).letters > 0 && !hasExampleWord(lower) && !bytes.Contains(lower, []byte("pwd")) && !bytes.ContainsAny(v, " _")
}

// isKnownForm reports whether the rule reads passwords from a form that holds
// nothing else: a file of credentials, a connection string.
func isKnownForm(rule *rules.Rule) bool {
	return rule.Class == rules.ClassKey && (len(rule.Paths) > 0 || rule.Provider == "database-url")
}

// opensSomething reports whether a password at data[start:end] that is one of
// placeholderWords may be meant all the same: half of the passwords that people
// use are such words. It is in a file of credentials, or the connection string
// around it names a host on the network.
func (s *scratch) opensSomething(rule *rules.Rule, data []byte, start, end int) bool {
	if !isKnownForm(rule) {
		return false
	}
	if len(rule.Paths) > 0 {
		return true
	}
	s.trail.saw(start-loginReach-1, end+maxHost+2)
	if end < len(data) && data[end] == '@' {
		return !isLocalHost(data[end+1:])
	}
	from := max(0, start-loginReach)
	line := data[from:start]
	line = line[bytes.LastIndexAny(line, "\n\"'")+1:]
	for _, name := range []string{"server", "data source", "host", "hostname", "address", "addr"} {
		for i := 0; i+len(name) < len(line); i++ {
			if !equalFold(line[i:i+len(name)], name) || i > 0 && isLetter(line[i-1]) {
				continue
			}
			k := i + len(name)
			for k < len(line) && (line[k] == ' ' || line[k] == '=') {
				k++
			}
			if line[k-1] == '=' || line[k-1] == ' ' && k > i+len(name)+1 {
				return !isLocalHost(line[k:])
			}
		}
	}
	return false
}

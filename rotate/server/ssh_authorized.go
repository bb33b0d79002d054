package server

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/till-sh/till/rotate"
)

// authLine is a line of authorized_keys that holds a key
// (https://man.openbsd.org/sshd.8#AUTHORIZED_KEYS_FILE_FORMAT).
type authLine struct {
	indent  string
	options string // with the blanks behind them; "" = none
	public  []byte
	end     string // "\n", "\r\n"; "" for a last line without
}

// parseAuthLine reads a line; ok is false for comments, empty lines and what
// sshd would not understand.
func parseAuthLine(line []byte) (l authLine, ok bool) {
	text := strings.TrimRight(string(line), "\r\n")
	l.end = string(line)[len(text):]
	rest := strings.TrimLeft(text, " \t")
	l.indent = text[:len(text)-len(rest)]
	if rest == "" || rest[0] == '#' {
		return l, false
	}
	if l.public, ok = publicAt(rest); ok {
		return l, true
	}
	end, quoted := 0, false
	for ; end < len(rest) && (quoted || rest[end] != ' ' && rest[end] != '\t'); end++ {
		switch {
		case rest[end] == '\\' && end+1 < len(rest) && rest[end+1] == '"':
			end++
		case rest[end] == '"':
			quoted = !quoted
		}
	}
	key := strings.TrimLeft(rest[end:], " \t")
	l.options = rest[:len(rest)-len(key)]
	l.public, ok = publicAt(key)
	return l, ok
}

// publicAt reads "ssh-ed25519 AAAA… comment": the word must be what the key says
// of itself.
func publicAt(s string) ([]byte, bool) {
	f := strings.Fields(s)
	if len(f) < 2 {
		return nil, false
	}
	public, err := base64.StdEncoding.DecodeString(f[1])
	if err != nil {
		return nil, false
	}
	kind, _, ok := cutString(public)
	return public, ok && string(kind) == f[0]
}

// authText is a public half as it stands in a line.
func authText(public []byte, comment string) string {
	kind, _, _ := cutString(public)
	return strings.TrimSpace(string(kind) + " " + base64.StdEncoding.EncodeToString(public) + " " + comment)
}

// holdsKey counts the lines with a key.
func holdsKey(file, public []byte) (n int) {
	for line := range bytes.Lines(file) {
		if l, ok := parseAuthLine(line); ok && bytes.Equal(l.public, public) {
			n++
		}
	}
	return n
}

// othersThan counts the lines with other keys.
func othersThan(file, public []byte) (n int) {
	for line := range bytes.Lines(file) {
		if l, ok := parseAuthLine(line); ok && !bytes.Equal(l.public, public) {
			n++
		}
	}
	return n
}

// errAuthority is the refusal to touch a line that trusts all that a key has signed.
var errAuthority = errors.New("there the key is a certificate authority: whoever has a certificate from it would be locked out; a person has to do this")

// authChange is what happens to the lines of the old key. Every other byte of
// the file stays as it is.
type authChange struct {
	old     []byte
	fresh   []byte // gets a line with the same options behind each line of the old one, unless it has one; nil = none
	comment string
	remove  bool // the lines of the old one go
}

func (c authChange) apply(file []byte) ([]byte, error) {
	var out []byte
	found := false
	has := c.fresh == nil || holdsKey(file, c.fresh) > 0
	for line := range bytes.Lines(file) {
		l, ok := parseAuthLine(line)
		if !ok || !bytes.Equal(l.public, c.old) {
			out = append(out, line...)
			continue
		}
		found = true
		for word := range strings.SplitSeq(l.options, ",") {
			if strings.EqualFold(strings.TrimSpace(word), "cert-authority") {
				return nil, errAuthority
			}
		}
		if !c.remove {
			out = append(out, line...)
			if l.end == "" {
				out = append(out, '\n')
			}
		}
		if !has {
			end := l.end
			if end == "" {
				end = "\n"
			}
			out = append(out, l.indent+l.options+authText(c.fresh, c.comment)+end...)
		}
	}
	if !found && !c.remove && !has {
		return nil, errNoLine
	}
	return out, nil
}

// errNoLine says that the old key is in no line, so that nothing tells where and
// with which options the new one belongs.
var errNoLine = fmt.Errorf("it does not hold this key: %w", rotate.ErrNotFound)

// instead is apply for when the old key has gone already: its lines are those of a
// copy of the file.
func (c authChange) instead(file, backup []byte) ([]byte, error) {
	both, err := c.apply(backup)
	if err != nil {
		return nil, err
	}
	out := bytes.Clone(file)
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, '\n')
	}
	for line := range bytes.Lines(both) {
		if l, ok := parseAuthLine(line); ok && bytes.Equal(l.public, c.fresh) {
			out = append(out, line...)
		}
	}
	return out, nil
}

// restored puts the lines of a key back that a copy of the file has, before the
// line of the key that has taken its place, else at the end.
func restored(file, backup, public, before []byte) []byte {
	var lines []byte
	for line := range bytes.Lines(backup) {
		if l, ok := parseAuthLine(line); ok && bytes.Equal(l.public, public) {
			lines = append(lines, bytes.TrimRight(line, "\r\n")...)
			lines = append(lines, '\n')
		}
	}
	if len(lines) == 0 {
		lines = []byte(authText(public, "") + "\n")
	}
	var out []byte
	done := false
	for line := range bytes.Lines(file) {
		if l, ok := parseAuthLine(line); ok && !done && before != nil && bytes.Equal(l.public, before) {
			out, done = append(out, lines...), true
		}
		out = append(out, line...)
	}
	if !done {
		if len(out) > 0 && out[len(out)-1] != '\n' {
			out = append(out, '\n')
		}
		out = append(out, lines...)
	}
	return out
}

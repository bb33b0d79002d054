package literal

import (
	"bytes"
	"strings"

	"github.com/till-sh/till/rotate/internal/lazy"
)

var heredoc = lazy.Regexp(`<<-?\s*(['"\\]?)(\w+)`)

// replaceShell puts "${NAME}" in, by the quotes around the value.
func replaceShell(f *file, v Value, at int) ([]Edit, string) {
	end := at + len(v.Text)
	if strings.ContainsAny(v.Text, "\\\r\n") || at > 0 && f.src[at-1] == '\\' {
		return nil, "the value is written with escapes"
	}
	const unquoted, plainHere, quotedHere = 0, 'h', 'H'
	state := byte(unquoted)
	opened := 0
	word := ""    // ends the here-document
	pending := "" // begins with the next line
	pendingState := byte(0)
	for i := 0; i < at; i++ {
		c := f.src[i]
		if c == '\n' {
			if pending != "" && state == unquoted {
				state, word, pending = pendingState, pending, ""
			} else if (state == plainHere || state == quotedHere) && bytes.Equal(bytes.TrimSpace(f.src[i+1:lineEnd(f.src, i+1)]), []byte(word)) {
				state = unquoted
			}
			continue
		}
		switch state {
		case unquoted:
			switch {
			case c == '\\':
				i++
			case c == '\'' || c == '"':
				state, opened = c, i
			case c == '#' && (i == 0 || strings.IndexByte(" \t\n;", f.src[i-1]) >= 0):
				stop := lineEnd(f.src, i)
				if at < stop {
					return []Edit{{at, end, "$" + v.Env}}, ""
				}
				i = stop - 1
			case c == '<' && !bytes.HasPrefix(f.src[i:], []byte("<<<")) && (i == 0 || f.src[i-1] != '<'):
				if m := heredoc().FindSubmatch(f.src[i:lineEnd(f.src, i)]); m != nil && bytes.HasPrefix(f.src[i:], []byte("<<")) {
					pending, pendingState = string(m[2]), plainHere
					if len(m[1]) > 0 {
						pendingState = quotedHere
					}
				}
			}
		case '"':
			if c == '\\' {
				i++
			} else if c == '"' {
				state = unquoted
			}
		case '\'':
			if c == '\'' {
				state = unquoted
			}
		}
	}
	ref := "${" + v.Env + "}"
	switch state {
	case unquoted:
		return []Edit{{at, end, `"` + ref + `"`}}, ""
	case '"', plainHere:
		return []Edit{{at, end, ref}}, ""
	case '\'':
		if opened == at-1 && end < len(f.src) && f.src[end] == '\'' {
			return []Edit{{opened, end + 1, `"` + ref + `"`}}, ""
		}
		if bytes.IndexByte(f.src[end:lineEnd(f.src, end)], '\'') < 0 {
			return nil, "it is a part of a string of several lines"
		}
		return []Edit{{at, end, `'"` + ref + `"'`}}, ""
	}
	return nil, "it stands in a text in which nothing is replaced (<<'" + word + "')"
}

// Package server changes passwords where they are kept: on database and other
// servers that are spoken to directly. A file is one kind of server; the names
// stand in Funcs.
//
// Where the server is, the owner says: a line of a scanned file makes a
// proposal that a person sees and accepts, and nothing where nobody watches.
package server

import (
	"strings"

	"github.com/till-sh/till/rotate"
)

// Funcs are the functions by the names that TOML files call them by, sorted.
func Funcs() []rotate.Func {
	return []rotate.Func{
		{Name: "postgres-login", Adapter: postgresLogin{}},
		{Name: "postgres-password", Adapter: postgresPassword{}},
		{Name: "postgres-sessions", Adapter: postgresSessions{}},
	}
}

// address is where the leaked connection string points: host, port and path
// ("db.acme.example:5432/shop"), "" when that cannot be read off the line.
func address(l *rotate.Leak) string {
	for _, p := range l.Places {
		for _, x := range p.Excerpt {
			r := []rune(x.Text)
			if x.Mark < 0 || x.MarkEnd <= x.Mark || x.MarkEnd >= len(r) || r[x.MarkEnd] != '@' {
				continue
			}
			rest := string(r[x.MarkEnd+1:])
			end := strings.IndexFunc(rest, func(c rune) bool { return strings.ContainsRune("?\"'` \t,;)>}", c) })
			if end >= 0 {
				rest = rest[:end]
			}
			if rest = strings.TrimRight(rest, "/."); rest != "" {
				return rest
			}
		}
	}
	return ""
}

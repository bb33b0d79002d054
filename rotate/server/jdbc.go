package server

import (
	"context"
	"errors"
	"strings"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/scanner"
)

// The sides of a JDBC URL are those of the server that it names: MySQL, MariaDB
// or PostgreSQL. Others are left to a person.
type (
	jdbcLogin    struct{}
	jdbcPassword struct{}
	jdbcOff      struct{}
)

var errJDBC = errors.New("till speaks to MySQL, MariaDB and PostgreSQL alone, and the excerpt of the finding names none of them")

// A sides is a server that is known.
type sides struct {
	login    rotate.Verifier
	password rotate.Setter
	off      interface {
		rotate.Revoker
		rotate.Undoer
	}
}

func jdbcSides(j *rotate.Job) (sides, bool) {
	switch scheme := proposed(j).scheme; {
	case strings.HasPrefix(scheme, "jdbc:mysql"), strings.HasPrefix(scheme, "jdbc:mariadb"):
		return sides{mysqlLogin{}, mysqlPassword{}, mysqlOff{}}, true
	case scheme == "jdbc:postgresql":
		return sides{postgresLogin{}, postgresPassword{}, postgresOff{}}, true
	}
	return sides{}, false
}

func jdbcDescribe(j *rotate.Job, of func(sides) any) []string {
	s, ok := jdbcSides(j)
	if !ok {
		return []string{errJDBC.Error()}
	}
	return of(s).(rotate.Describer).Describe(j)
}

func (jdbcLogin) Describe(j *rotate.Job) []string {
	return jdbcDescribe(j, func(s sides) any { return s.login })
}

func (jdbcPassword) Describe(j *rotate.Job) []string {
	return jdbcDescribe(j, func(s sides) any { return s.password })
}

func (jdbcOff) Describe(j *rotate.Job) []string {
	return jdbcDescribe(j, func(s sides) any { return s.off })
}

func (jdbcLogin) Verify(ctx context.Context, j *rotate.Job, secret scanner.Secret) (rotate.Verdict, error) {
	s, ok := jdbcSides(j)
	if !ok {
		return unknown("", errJDBC), nil
	}
	return s.login.Verify(ctx, j, secret)
}

// SetsKept: see rotate.Setter.
func (jdbcPassword) SetsKept() {}

func (jdbcPassword) Issue(ctx context.Context, j *rotate.Job) (rotate.Issued, error) {
	s, ok := jdbcSides(j)
	if !ok {
		return rotate.Issued{}, errJDBC
	}
	return s.password.Issue(ctx, j)
}

func (jdbcOff) Revoke(ctx context.Context, j *rotate.Job) error {
	s, ok := jdbcSides(j)
	if !ok {
		return errJDBC
	}
	return s.off.Revoke(ctx, j)
}

func (jdbcOff) Undo(ctx context.Context, j *rotate.Job) error {
	s, ok := jdbcSides(j)
	if !ok {
		return errJDBC
	}
	return s.off.Undo(ctx, j)
}

// parseJDBC reads what stands before the password in a JDBC URL:
// jdbc:mysql://HOST:PORT/DATABASE?user=USER&password=.
func parseJDBC(before string) (target, bool) {
	at := strings.LastIndex(before, "jdbc:")
	if at < 0 {
		return target{}, false
	}
	kind, rest, ok := strings.Cut(before[at:], "://")
	end := strings.IndexAny(rest, "/?;")
	if !ok || end < 0 { // cut off, or a kind that writes the host in another way
		return target{}, false
	}
	t := target{scheme: strings.ToLower(kind), host: rest[:end]}
	path, query, _ := strings.Cut(rest[end:], "?")
	t.database = strings.TrimPrefix(path, "/")
	for _, field := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' }) {
		if user, ok := strings.CutPrefix(strings.TrimPrefix(field, "amp;"), "user="); ok {
			t.user = unescaped(user)
		}
	}
	return t, t.host != "" && !strings.ContainsAny(t.host, "${%@,()")
}

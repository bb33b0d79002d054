package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/till-sh/till/rotate"
)

// An account is who logs in.
type account struct{ user, password string }

// adminOf reads the owner's own credential for a server: USER:PASSWORD, a
// connection string, of which the host is not taken, or what the owner's own
// client reads: a password file of PostgreSQL (~/.pgpass) or an option file of
// MySQL (~/.my.cnf). Such a file is read only where the owner names it (--secret
// admin=FILE), never because it is there.
func adminOf(ctx context.Context, j *rotate.Job, t target) (account, error) {
	v, err := j.Value(ctx, "admin")
	if err != nil {
		return account{}, err
	}
	a, err := parseLogin(v.Text, t, userShown(j))
	if err != nil {
		return account{}, fmt.Errorf("{{admin}}: %w", err)
	}
	j.Redact.Add(a.password)
	return a, nil
}

// hasAdmin reports whether the owner has given a credential beforehand.
func hasAdmin(j *rotate.Job) bool {
	_, ok := j.GivenSecrets["admin"]
	return ok
}

// userShown is the user of the key, "" when it is not known yet.
func userShown(j *rotate.Job) string {
	return orWord(j.Given["user"], orWord(unescaped(j.Leak.PublicID), proposed(j).user))
}

func parseLogin(text string, t target, leaked string) (account, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "[") || strings.Contains(text, "\n[") {
		return optionFile(text)
	}
	if first, _, _ := strings.Cut(strings.TrimSpace(text), "\n"); strings.Contains(text, "\n") || len(passFields(first)) == 5 {
		return passFile(text, t, leaked)
	}
	if _, rest, ok := strings.Cut(text, "://"); ok {
		u, err := url.Parse("x://" + rest)
		if err != nil || u.User == nil {
			return account{}, errors.New("this is no connection string with a user")
		}
		password, _ := u.User.Password()
		return account{u.User.Username(), password}, nil
	}
	user, password, ok := strings.Cut(text, ":")
	if !ok {
		return account{}, errors.New("expected USER:PASSWORD, a connection string, or the content of .pgpass or .my.cnf")
	}
	return account{user, password}, nil
}

// optionFile takes the login for clients out of an option file
// (https://dev.mysql.com/doc/refman/8.4/en/option-files.html).
func optionFile(text string) (account, error) {
	var a account
	group := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
			group = line[1 : len(line)-1]
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") || !slices.Contains([]string{"client", "client-server", "client-mariadb", "mysql", "mariadb"}, group) {
			continue
		}
		value = strings.TrimSpace(value)
		if q := len(value); q > 1 && (value[0] == '\'' || value[0] == '"') && value[q-1] == value[0] {
			value = value[1 : q-1]
		}
		switch strings.TrimSpace(name) {
		case "user":
			a.user = value
		case "password":
			a.password = value
		}
	}
	if a.user == "" || a.password == "" {
		return a, errors.New("the option file has no user and password for clients")
	}
	return a, nil
}

// passFile finds the one line of a password file that fits the server and is not
// the leaked user's (https://www.postgresql.org/docs/current/libpq-pgpass.html).
func passFile(text string, t target, leaked string) (account, error) {
	host, port, err := net.SplitHostPort(t.host)
	if err != nil {
		return account{}, err
	}
	fits := func(pattern string, values ...string) bool { return pattern == "*" || slices.Contains(values, pattern) }
	hosts := []string{host}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		hosts = append(hosts, "localhost")
	}
	var hits []account
	for line := range strings.Lines(text) {
		f := passFields(strings.TrimRight(line, "\r\n"))
		if len(f) != 5 || strings.HasPrefix(line, "#") || !fits(f[0], hosts...) || !fits(f[1], port) || f[3] == leaked || f[3] == "*" {
			continue
		}
		if a := (account{f[3], f[4]}); !slices.Contains(hits, a) {
			hits = append(hits, a)
		}
	}
	switch len(hits) {
	case 0:
		return account{}, fmt.Errorf("the password file has no line for another user than the leaked one at %s", t.host)
	case 1:
		return hits[0], nil
	}
	return account{}, fmt.Errorf("the password file has %d lines that fit %s: put the one to take into a file of its own", len(hits), t.host)
}

// passFields are the fields of a line of a password file; nil when the second is
// no port.
func passFields(line string) []string {
	fields := []string{""}
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && i+1 < len(line):
			i++
			fields[len(fields)-1] += string(line[i])
		case c == ':' && len(fields) < 5:
			fields = append(fields, "")
		default:
			fields[len(fields)-1] += string(c)
		}
	}
	if len(fields) < 2 || fields[1] == "" || fields[1] != "*" && strings.Trim(fields[1], "0123456789") != "" {
		return nil
	}
	return fields
}

// passLine is the server of a line of a password file, of which the password is cut off.
func passLine(before string) (target, bool) {
	before = strings.TrimLeft(before, " \t\"'")
	f := passFields(before)
	if len(f) != 5 || f[4] != "" || f[0] == "*" || f[0] == "" {
		return target{}, false
	}
	t := target{scheme: "pgpass", host: f[0]}
	if f[1] != "*" {
		t.host = net.JoinHostPort(f[0], f[1])
	}
	if f[2] != "*" {
		t.database = f[2]
	}
	return t, true
}

package server

import (
	"net"
	"strings"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/scanner"
)

// refusal judges a login that was refused for the password. Every other server
// and every other user refuses the leaked password too, so the refusal is a proof
// only where both are those that stand beside the key, or where another password
// of the case is let in by them.
func refusal(j *rotate.Job, t target, port, user string, secret scanner.Secret, why string, letsIn func(password string) bool) (rotate.Validity, string) {
	if plainly(secret) && besideKey(j, t, port, user) {
		return rotate.Inactive, why + "; a user that is switched off or past its time is told the same, and works again when that is taken back"
	}
	if otherLetIn(j, secret, letsIn) {
		return rotate.Inactive, why + ", and " + otherName(j, secret) + " is let in"
	}
	return rotate.Unknown, why + "; " + elsewhere
}

// elsewhere says why a refusal is no proof.
const elsewhere = "server or user are not what stands beside the key, or the password is written with escapes: another one may have been asked about"

// plainly reports whether the value is the password, whoever reads the file: $ and
// backslashes are escapes to some (pa$$word in a file of Compose), and letters
// beyond ASCII are prepared for SCRAM by the rules of RFC 4013.
func plainly(secret scanner.Secret) bool {
	text := secret.Reveal()
	return !strings.ContainsAny(text, `$\`) && !strings.Contains(text, "&amp;") && !strings.ContainsFunc(text, func(c rune) bool { return c > '~' })
}

// besideKey reports whether server and user are those that stand beside the key.
func besideKey(j *rotate.Job, t target, port, user string) bool {
	if named := j.Given["user"]; named != "" && named != unescaped(j.Leak.PublicID) {
		return false
	}
	p := proposed(j)
	if p.host == "" || j.Leak.PublicID == "" && p.user != user && !isRedis(p) {
		return false // a person has said it
	}
	host, err := withPort(p.host, port)
	if err != nil {
		return false
	}
	if host, t := sameHost(host), sameHost(t.host); host == t {
		return true
	}
	_, _, err = net.SplitHostPort(p.host)
	if p.scheme != "pgpass" || err == nil {
		return false
	}
	// "*" stands there for the port.
	name, _, err := net.SplitHostPort(sameHost(t.host))
	mine, _, failed := net.SplitHostPort(sameHost(host))
	return err == nil && failed == nil && name == mine
}

// isRedis tells the scheme in which no user is one that has a name.
func isRedis(t target) bool {
	return t.scheme == "redis" || t.scheme == "rediss" || t.scheme == "valkey" || t.scheme == "valkeys"
}

// sameHost writes this machine in one way.
func sameHost(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsLoopback() {
		return net.JoinHostPort("localhost", port)
	}
	return address
}

// otherLetIn reports whether the other password of the case is let in: the new
// one beside the leaked one, and the leaked one beside the new one.
func otherLetIn(j *rotate.Job, secret scanner.Secret, letsIn func(password string) bool) bool {
	if j.New == nil || j.New.Secret.Reveal() == j.Leak.Secret.Reveal() {
		return false
	}
	if isNew(j, secret) {
		return letsIn(passwordOf(j, j.Leak.Secret))
	}
	return letsIn(passwordOf(j, j.New.Secret))
}

func isNew(j *rotate.Job, secret scanner.Secret) bool {
	return j.New != nil && j.New.Secret.Reveal() == secret.Reveal()
}

func otherName(j *rotate.Job, secret scanner.Secret) string {
	if isNew(j, secret) {
		return "the old password"
	}
	return "the new password"
}

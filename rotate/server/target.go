package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// A target is what stands around a password in a connection string.
type target struct {
	scheme   string // "postgres", "rediss"
	host     string // name or address, with a port if there was one
	database string
	user     string // where it stands elsewhere than the rule's id
}

// targetsOf reads the connection strings in which the key was found, the latest
// first, each server once. A place whose excerpt ends within the host has none.
func targetsOf(j *rotate.Job) []target {
	var out []target
	for _, p := range slices.Backward(j.Leak.Places) {
		for _, x := range p.Excerpt {
			t, ok := parseTarget(x)
			if ok && !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	return out
}

// hostEnds are the bytes that cannot stand in a host with its port.
const hostEnds = "/?#\"'`<>,; \t\\&)}"

func parseTarget(x scanner.ExcerptLine) (target, bool) {
	text := []rune(x.Text)
	if x.Mark < 0 || x.MarkEnd > len(text) || x.Mark > x.MarkEnd {
		return target{}, false
	}
	before := string(text[:x.Mark])
	rest, ok := strings.CutPrefix(string(text[x.MarkEnd:]), "@")
	if t, jdbc := parseJDBC(before); jdbc {
		return t, true
	}
	if !ok {
		return passLine(before)
	}
	at := strings.LastIndex(before, "://")
	if at < 0 {
		return target{}, false
	}
	begin := strings.LastIndexFunc(before[:at], func(c rune) bool {
		return !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '+')
	}) + 1
	t := target{scheme: strings.ToLower(before[begin:at])}
	end := strings.IndexAny(rest, hostEnds)
	if end < 0 {
		if len(rest) > 253 { // longer than a host can be: it may be cut
			return target{}, false
		}
		end = len(rest)
	}
	t.host, rest = rest[:end], rest[end:]
	if db, ok := strings.CutPrefix(rest, "/"); ok {
		if end := strings.IndexAny(db, hostEnds); end >= 0 {
			t.database = db[:end]
		} else if len(db) < 20 {
			t.database = db
		}
	}
	return t, t.host != "" && !strings.ContainsAny(t.host, "${%@")
}

// serverOf is the server that the key lets into, with a port. A scanned file
// chooses no host: the person accepts what stands in the key, or names another.
func serverOf(ctx context.Context, j *rotate.Job, port string) (target, error) {
	t := proposed(j)
	text, err := j.Accepted(ctx, rules.Ask{Name: "server", Text: "the server of this key, as you reach it: HOST:PORT, or HOST:PORT/DATABASE"}, t.where())
	if err != nil {
		return t, err
	}
	return t.at(text, port)
}

// proposed is what stands in the key.
func proposed(j *rotate.Job) target {
	if all := targetsOf(j); len(all) > 0 {
		return all[0]
	}
	return target{}
}

// where is a target as people write it.
func (t target) where() string {
	if t.host != "" && t.database != "" {
		return t.host + "/" + t.database
	}
	return t.host
}

// at is the target with another server, HOST:PORT/DATABASE without what is usual.
func (t target) at(text, port string) (target, error) {
	host, database, ok := strings.Cut(text, "/")
	if ok {
		t.database = database
	}
	var err error
	t.host, err = withPort(host, port)
	return t, err
}

func withPort(host, port string) (string, error) {
	if name, p, err := net.SplitHostPort(host); err == nil && name != "" && p != "" {
		return host, nil
	}
	host = strings.Trim(host, "[]")
	if host == "" || strings.ContainsAny(host, "@ \t") {
		return "", fmt.Errorf("server %q: expected HOST, HOST:PORT or HOST:PORT/DATABASE", host)
	}
	return net.JoinHostPort(host, port), nil
}

// shownServer is serverOf for descriptions: it asks nobody.
func shownServer(j *rotate.Job, port string) string {
	t := proposed(j)
	text := orWord(j.Settled("server"), t.where())
	if text == "" {
		return "{server}"
	}
	if named, err := t.at(text, port); err == nil {
		return named.host
	}
	return text
}

func orWord(s, word string) string {
	if s == "" {
		return word
	}
	return s
}

// userOf is the account that the key belongs to, as the server writes it.
func userOf(ctx context.Context, j *rotate.Job) (string, error) {
	if u := j.Given["user"]; u != "" {
		return u, nil
	}
	if u := proposed(j).user; j.Leak.PublicID == "" && u != "" {
		return u, nil
	}
	if j.Leak.PublicID == "" {
		v, err := j.Value(ctx, "user")
		return v.Text, err
	}
	return unescaped(j.Leak.PublicID), nil
}

func unescaped(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

func shownUser(j *rotate.Job) string {
	return orWord(userShown(j), "{user}")
}

// passwordOf is the value as the server knows it: in a connection string it
// stands with percent escapes, in a password file with backslashes.
func passwordOf(j *rotate.Job, secret scanner.Secret) string {
	text := secret.Reveal()
	if proposed(j).scheme == "pgpass" {
		plain := passFields("*:*:*:*:" + text)[4]
		j.Redact.Add(plain)
		return plain
	}
	if !strings.Contains(text, "%") || len(targetsOf(j)) == 0 {
		return text
	}
	plain, err := url.PathUnescape(text)
	if err != nil {
		return text
	}
	j.Redact.Add(plain)
	return plain
}

// newPassword is the password to set: the one that is kept already when an
// earlier attempt came so far, so that a repeated attempt makes no second one.
func newPassword(j *rotate.Job) scanner.Secret {
	if j.New != nil {
		return j.New.Secret
	}
	return rotate.Password(32)
}

// takenKey notes that the case has taken the leaked password away, so that the
// account has none: once it is gone no login tells whose it was.
const takenKey = "password_taken"

func tookAway(j *rotate.Job)       { j.Remember(takenKey, call.Value{Text: "yes"}) }
func takenAway(j *rotate.Job) bool { return j.Known()[takenKey] == "yes" }

// setAgain ends what tookAway has noted: the account has a password again.
func setAgain(j *rotate.Job) {
	if takenAway(j) {
		j.Remember(takenKey, call.Value{Text: "no"})
	}
}

// ownPasswords are those that an account of the case may have: the leaked one, and
// the new one where an earlier attempt came so far.
func ownPasswords(j *rotate.Job) []string {
	all := []string{passwordOf(j, j.Leak.Secret)}
	if j.New != nil {
		all = append(all, j.New.Secret.Reveal())
	}
	return all
}

func otherPassword(user string, t target) error {
	return fmt.Errorf("%w: %s at %s has another password than the leaked one by now, and is left alone", rotate.ErrNotFound, user, t.host)
}

func keep(j *rotate.Job, n rotate.Issued) error {
	j.Redact.Add(n.Secret.Reveal())
	if j.Keep == nil {
		return errors.New("there is no place to keep the new password")
	}
	return j.Keep(n)
}

const (
	dialTimeout  = 10 * time.Second
	talkTimeout  = 30 * time.Second // for the whole of a conversation
	maxServerMsg = 1 << 20
)

// dial connects and bounds the whole conversation.
func dial(ctx context.Context, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	end := time.Now().Add(talkTimeout)
	if t, ok := ctx.Deadline(); ok && t.Before(end) {
		end = t
	}
	if err := conn.SetDeadline(end); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// local reports whether a connection does not leave this machine.
func local(conn net.Conn) bool {
	at, ok := conn.RemoteAddr().(*net.TCPAddr)
	return ok && at.IP.IsLoopback()
}

// tlsConfig is the TLS to use towards a server, from the owner's settings: ca
// names a file of certificates to trust, tls=any takes any certificate. nil:
// tls=off.
func tlsConfig(j *rotate.Job, address string) (*tls.Config, error) {
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	c := &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12}
	switch how := j.Given["tls"]; how {
	case "", "on":
	case "any":
		c.InsecureSkipVerify = true // the owner's explicit word
	case "off":
		return nil, nil
	default:
		return nil, fmt.Errorf("tls=%s: expected on, any or off", how)
	}
	if file := j.Given["ca"]; file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca: %s holds no certificate", file)
		}
	}
	return c, nil
}

// errLockout is the refusal to take the only password of an account away with
// nothing to set another one.
var errLockout = errors.New("without a new password the account would be locked out: reissue first, or give your own credential (--secret admin=FILE)")

// errPlain is the refusal to send a credential through a network in the clear.
var errPlain = errors.New("the server offers no TLS, and it is not on this machine; --set tls=off speaks to it in the clear")

// unknown is a verdict that nothing came out of.
func unknown(host string, err error) rotate.Verdict {
	return rotate.Verdict{Validity: rotate.Unknown, Host: host, Why: err.Error()}
}

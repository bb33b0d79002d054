package server

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/scanner"
)

// The three sides of a user of Redis or Valkey. A user can have several
// passwords, so the new one is added beside the old one, and the old one taken
// away when the new one is in its place; both go to the server as hashes
// (https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/).
type (
	redisLogin    struct{}
	redisPassword struct{}
	redisOff      struct{}
)

const redisPort = "6379"

func (redisLogin) Describe(j *rotate.Job) []string {
	return []string{fmt.Sprintf("log in to Redis at %s as %s", shownServer(j, redisPort), redisUser(j))}
}

func (redisPassword) Describe(j *rotate.Job) []string {
	return append(redisEntry(j, hasAdmin(j)), "ACL SETUSER "+redisUser(j)+" #… (adds a password, as a hash)", "ACL SAVE or CONFIG REWRITE")
}

func (redisOff) Describe(j *rotate.Job) []string {
	user := redisUser(j)
	return append(redisEntry(j, j.New == nil || hasAdmin(j)), "ACL SETUSER "+user+" !… (takes the old one away)", "CLIENT KILL USER "+user, "ACL SAVE or CONFIG REWRITE")
}

func redisEntry(j *rotate.Job, admin bool) []string {
	who := redisUser(j)
	if admin {
		who = "your own account"
	}
	return []string{fmt.Sprintf("log in to Redis at %s as %s", shownServer(j, redisPort), who)}
}

// redisUser is the user of the key. Without one in the connection string it is
// the user that requirepass speaks of.
func redisUser(j *rotate.Job) string {
	user := orWord(j.Given["user"], j.Leak.PublicID)
	return orWord(unescaped(user), "default")
}

func (redisLogin) Verify(ctx context.Context, j *rotate.Job, secret scanner.Secret) (rotate.Verdict, error) {
	t, err := serverOf(ctx, j, redisPort)
	if err != nil {
		return unknown(t.host, err), nil
	}
	user := redisUser(j)
	out := rotate.Verdict{Validity: rotate.Unknown, Host: t.host}
	c, err := redisOpen(ctx, j, t, user, passwordOf(j, secret))
	var e redisError
	switch {
	case err == nil:
		defer c.Close()
		// A user may be set to take any password at all (nopass).
		if any, err := redisOpen(ctx, j, t, user, rotate.Password(24).Reveal()); err == nil {
			any.Close()
			out.Why = "the server lets this user in with any password"
			return out, nil
		} else if !errors.As(err, &e) || e.code() != "WRONGPASS" {
			out.Why = "logged in, but whether the server looks at the password is not known: " + err.Error()
			return out, nil
		}
		out.Validity, out.Why, out.Identity = rotate.Active, "logged in", user
	case errors.As(err, &e) && e.code() == "WRONGPASS": // wrong, or the user is off or not there
		out.Validity, out.Why = refusal(j, t, redisPort, user, secret, "login refused (WRONGPASS)", func(password string) bool {
			c, err := redisOpen(ctx, j, t, user, password)
			if err == nil {
				_ = c.Close()
			}
			return err == nil
		})
	default:
		out.Why = err.Error()
	}
	return out, nil
}

// SetsKept: see rotate.Setter.
func (redisPassword) SetsKept() {}

func (redisPassword) Issue(ctx context.Context, j *rotate.Job) (rotate.Issued, error) {
	t, c, err := redisEnter(ctx, j, hasAdmin(j))
	if err != nil {
		return rotate.Issued{}, err
	}
	defer c.Close()
	n := rotate.Issued{Secret: newPassword(j), ID: redisUser(j)}
	if err := keep(j, n); err != nil {
		return n, err
	}
	if _, err := c.do("ACL", "SETUSER", n.ID, "#"+redisHash(n.Secret.Reveal())); err != nil {
		return n, fmt.Errorf("%s: ACL SETUSER: %w", t.host, redisDenied(err))
	}
	// Should this not reach the server's disk, Revoke will say so: a restart in
	// between would only take the new password back.
	_ = c.save()
	return n, nil
}

func (redisOff) Revoke(ctx context.Context, j *rotate.Job) error {
	if j.New == nil && !hasAdmin(j) && j.Ask == nil {
		return errLockout
	}
	t, c, err := redisEnter(ctx, j, j.New == nil || hasAdmin(j))
	if err != nil {
		return err
	}
	defer c.Close()
	user, old := redisUser(j), passwordOf(j, j.Leak.Secret)
	if user == "default" && j.New != nil {
		// requirepass is the same password in another place, and would set it again
		// at the next start.
		if again, err := c.do("CONFIG", "GET", "requirepass"); err == nil && again == old {
			if _, err := c.do("CONFIG", "SET", "requirepass", j.New.Secret.Reveal()); err != nil {
				return fmt.Errorf("%s: CONFIG SET requirepass: %w", t.host, redisDenied(err))
			}
		}
	}
	_, err = c.do("ACL", "SETUSER", user, "!"+redisHash(old))
	if err != nil && !strings.Contains(err.Error(), "does not exist") {
		return fmt.Errorf("%s: ACL SETUSER: %w", t.host, redisDenied(err))
	}
	if _, err := c.do("CLIENT", "KILL", "USER", user, "SKIPME", "yes"); err != nil {
		return fmt.Errorf("%s: CLIENT KILL: %w", t.host, redisDenied(err))
	}
	if err := c.save(); err != nil {
		return fmt.Errorf("%s: the old password is gone, but a restart of the server brings it back: %w", t.host, err)
	}
	return nil
}

// Undo adds the old password again.
func (redisOff) Undo(ctx context.Context, j *rotate.Job) error {
	t, c, err := redisEnter(ctx, j, hasAdmin(j))
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.do("ACL", "SETUSER", redisUser(j), "#"+redisHash(passwordOf(j, j.Leak.Secret))); err != nil {
		return fmt.Errorf("%s: ACL SETUSER: %w", t.host, redisDenied(err))
	}
	return c.save()
}

// redisEnter logs in with the owner's credential if admin says so, else as the
// user itself, with the old password or the new one.
func redisEnter(ctx context.Context, j *rotate.Job, admin bool) (target, *redisConn, error) {
	t, err := serverOf(ctx, j, redisPort)
	if err != nil {
		return t, nil, err
	}
	if !admin {
		c, err := redisOpen(ctx, j, t, redisUser(j), passwordOf(j, j.Leak.Secret))
		if err != nil && j.New != nil {
			c, err = redisOpen(ctx, j, t, redisUser(j), j.New.Secret.Reveal())
		}
		if err != nil {
			return t, nil, redisDenied(err)
		}
		// A user of an application mostly may not change users.
		if _, err := c.do("ACL", "GETUSER", redisUser(j)); err == nil {
			return t, c, nil
		}
		c.Close()
	}
	who, err := adminOf(ctx, j, t)
	if err != nil {
		return t, nil, err
	}
	c, err := redisOpen(ctx, j, t, who.user, who.password)
	return t, c, redisDenied(err)
}

func redisHash(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}

// redisError is an error that the server has sent: a code, and words.
type redisError string

func (e redisError) Error() string { return "Redis: " + string(e) }

func (e redisError) code() string {
	code, _, _ := strings.Cut(string(e), " ")
	return code
}

func redisDenied(err error) error {
	var e redisError
	if errors.As(err, &e) && (e.code() == "NOPERM" || e.code() == "WRONGPASS" || e.code() == "NOAUTH") {
		return fmt.Errorf("%w (%w)", err, rotate.ErrDenied)
	}
	return err
}

// redisConn is a connection that speaks RESP, the protocol of Redis
// (https://redis.io/docs/latest/develop/reference/protocol-spec/).
type redisConn struct {
	net.Conn
	r *bufio.Reader
}

func redisOpen(ctx context.Context, j *rotate.Job, t target, user, password string) (*redisConn, error) {
	conn, err := dial(ctx, t.host)
	if err != nil {
		return nil, err
	}
	config, err := tlsConfig(j, t.host)
	switch {
	case err != nil:
	case config != nil && (strings.HasSuffix(t.scheme, "iss") || strings.HasSuffix(t.scheme, "keys") || j.Given["tls"] != ""):
		s := tls.Client(conn, config)
		err, conn = s.Handshake(), s
	case config != nil && !local(conn):
		err = errPlain
	}
	c := &redisConn{conn, bufio.NewReader(conn)}
	if err == nil {
		_, err = c.do("AUTH", user, password)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// save makes the server write down what was changed.
func (c *redisConn) save() error {
	_, err := c.do("ACL", "SAVE")
	if err == nil {
		return nil
	}
	if _, second := c.do("CONFIG", "REWRITE"); second != nil {
		return redisDenied(second)
	}
	return nil
}

// do sends a command. Of an array it returns the last text.
func (c *redisConn) do(words ...string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	if _, err := io.WriteString(c, b.String()); err != nil {
		return "", err
	}
	return c.reply(0)
}

func (c *redisConn) reply(depth int) (string, error) {
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	text := strings.TrimRight(string(line), "\r\n")
	odd := errors.New("the server does not speak Redis' protocol")
	if text == "" || depth > 8 {
		return "", odd
	}
	kind, rest := text[0], text[1:]
	switch kind {
	case '+', ':':
		return rest, nil
	case '-':
		return "", redisError(rest)
	}
	n, err := strconv.Atoi(rest)
	if err != nil || n > maxServerMsg {
		return "", odd
	}
	switch kind {
	case '$':
		if n < 0 {
			return "", nil
		}
		data := make([]byte, n+2)
		_, err := io.ReadFull(c.r, data)
		return string(data[:n]), err
	case '*':
		var last string
		for range n {
			if last, err = c.reply(depth + 1); err != nil {
				return "", err
			}
		}
		return last, nil
	}
	return "", odd
}

package server

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/till-sh/till/rotate"
)

// What till needs of PostgreSQL's protocol, version 3: logging in, and simple
// queries (https://www.postgresql.org/docs/current/protocol-message-formats.html).
// A client library is not used, because it does not say whether the server has
// asked for the password at all, and takes much more than this file.

// pgConn is a session. It belongs to one goroutine.
type pgConn struct {
	conn    net.Conn
	r       *bufio.Reader
	binding []byte // hash of the server's certificate, for channel binding; nil without TLS
	asked   bool   // the server has asked for the password
	ok      bool   // the server has let us in; a later error is of another kind
}

// pgError is an error that the server has sent. Code is the SQLSTATE.
type pgError struct{ Code, Message string }

func (e *pgError) Error() string {
	return fmt.Sprintf("PostgreSQL: %s (SQLSTATE %s)", e.Message, e.Code)
}

// pgOpen connects and logs in. On an error the session says how far it came.
func pgOpen(ctx context.Context, j *rotate.Job, t target, user, password string) (*pgConn, error) {
	c := &pgConn{}
	var err error
	if c.conn, err = dial(ctx, t.host); err != nil {
		return c, err
	}
	if err = c.secure(j, t.host); err == nil {
		c.r = bufio.NewReader(c.conn)
		err = c.login(t.database, user, password)
	}
	if err != nil {
		_ = c.conn.Close()
	}
	return c, err
}

func (c *pgConn) close() {
	_ = c.send('X', nil)
	_ = c.conn.Close()
}

// secure asks for TLS. Without it the conversation stays on this machine or is
// the owner's wish.
func (c *pgConn) secure(j *rotate.Job, address string) error {
	config, err := tlsConfig(j, address)
	if err != nil || config == nil {
		return err
	}
	ask := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 8}, 80877103)
	if _, err := c.conn.Write(ask); err != nil {
		return err
	}
	var answer [1]byte
	if _, err := io.ReadFull(c.conn, answer[:]); err != nil {
		return err
	}
	if answer[0] != 'S' {
		if local(c.conn) && j.Given["tls"] == "" {
			return nil
		}
		return errPlain
	}
	if local(c.conn) && j.Given["tls"] == "" {
		config.InsecureSkipVerify = true // Debian's server comes with a certificate that nobody has signed
	}
	s := tls.Client(c.conn, config)
	if err := s.Handshake(); err != nil {
		return err
	}
	c.conn = s
	// RFC 5929, tls-server-end-point, for certificates signed with SHA-256, which
	// is what is offered when nothing else is known.
	if cert := s.ConnectionState().PeerCertificates[0]; strings.Contains(cert.SignatureAlgorithm.String(), "SHA256") {
		sum := sha256.Sum256(cert.Raw)
		c.binding = sum[:]
	}
	return nil
}

func (c *pgConn) send(kind byte, body []byte) error {
	var msg []byte
	if kind != 0 {
		msg = append(msg, kind)
	}
	msg = binary.BigEndian.AppendUint32(msg, uint32(len(body)+4))
	_, err := c.conn.Write(append(msg, body...))
	return err
}

// next reads a message; what the server only mentions is passed over.
func (c *pgConn) next() (kind byte, body []byte, err error) {
	for {
		var head [5]byte
		if _, err = io.ReadFull(c.r, head[:]); err != nil {
			return 0, nil, err
		}
		n := int(binary.BigEndian.Uint32(head[1:])) - 4
		if n < 0 || n > maxServerMsg {
			return 0, nil, errors.New("the server does not speak PostgreSQL's protocol")
		}
		body = make([]byte, n)
		if _, err = io.ReadFull(c.r, body); err != nil {
			return 0, nil, err
		}
		switch kind = head[0]; kind {
		case 'N', 'S', 'A', 'K': // notice, parameter, notification, key for cancelling
		case 'E':
			e := &pgError{}
			for field := range strings.SplitSeq(string(body), "\x00") {
				if code, ok := strings.CutPrefix(field, "C"); ok {
					e.Code = code
				} else if text, ok := strings.CutPrefix(field, "M"); ok {
					e.Message = text
				}
			}
			return kind, nil, e
		default:
			return kind, body, nil
		}
	}
}

func (c *pgConn) login(database, user, password string) error {
	if database == "" {
		database = user
	}
	if strings.ContainsRune(user+database+password, 0) {
		return errors.New("a NUL byte has no place in a user, database or password")
	}
	start := binary.BigEndian.AppendUint32(nil, 3<<16)
	start = append(start, "user\x00"+user+"\x00database\x00"+database+"\x00application_name\x00till\x00\x00"...)
	if err := c.send(0, start); err != nil {
		return err
	}
	var s scram
	for {
		kind, body, err := c.next()
		if err != nil {
			return err
		}
		if kind == 'Z' {
			if !c.ok {
				return errors.New("the server does not speak PostgreSQL's protocol")
			}
			return nil
		}
		if kind != 'R' || len(body) < 4 {
			return fmt.Errorf("PostgreSQL: unexpected message %q", kind)
		}
		data := body[4:]
		switch binary.BigEndian.Uint32(body) {
		case 0:
			if s.begun && !s.proven {
				return errors.New("the server does not know the password itself: it is not the server that it says it is")
			}
			c.ok = true
		case 3: // in the clear; secure has seen to it that nobody listens
			c.asked = true
			err = c.send('p', append([]byte(password), 0))
		case 5:
			c.asked = true
			err = c.send('p', append([]byte(pgMD5(pgMD5(password + user)[3:]+string(data))), 0))
		case 10:
			c.asked = true
			err = s.begin(c, strings.Split(string(data), "\x00"))
		case 11:
			err = s.answer(c, string(data), password)
		case 12:
			err = s.check(string(data))
		default:
			err = fmt.Errorf("the server wants a way to log in that till does not know (%d)", binary.BigEndian.Uint32(body))
		}
		if err != nil {
			return err
		}
	}
}

// exec runs statements and returns the first column of the last row.
func (c *pgConn) exec(statement string) (string, error) {
	if err := c.send('Q', append([]byte(statement), 0)); err != nil {
		return "", err
	}
	var value string
	var failed error
	for {
		kind, body, err := c.next()
		var e *pgError
		if errors.As(err, &e) {
			failed = e // the end of the cycle still comes
			continue
		}
		if err != nil {
			return "", err
		}
		switch {
		case kind == 'Z':
			return value, failed
		case kind == 'D' && len(body) >= 6:
			n := int(int32(binary.BigEndian.Uint32(body[2:])))
			if n > 0 && 6+n <= len(body) {
				value = string(body[6 : 6+n])
			}
		}
	}
}

// scram is SCRAM-SHA-256 (RFC 5802, RFC 7677) with channel binding where there
// is TLS. It shows the server a proof, and the server one that it knows the password.
type scram struct {
	begun, proven      bool
	header, first, non string
	signature          []byte
	binding            []byte
}

func (s *scram) begin(c *pgConn, offers []string) error {
	name := "SCRAM-SHA-256"
	if !slices.Contains(offers, name) {
		return errors.New("the server offers no SCRAM-SHA-256")
	}
	s.begun, s.header = true, "n,,"
	if c.binding != nil {
		s.header = "y,,"
		if slices.Contains(offers, name+"-PLUS") {
			name, s.header, s.binding = name+"-PLUS", "p=tls-server-end-point,,", c.binding
		}
	}
	s.non = rand.Text()
	s.first = "n=,r=" + s.non // PostgreSQL takes the user from the start
	text := s.header + s.first
	body := append([]byte(name), 0)
	body = binary.BigEndian.AppendUint32(body, uint32(len(text)))
	return c.send('p', append(body, text...))
}

func (s *scram) answer(c *pgConn, challenge, password string) error {
	fields := map[string]string{}
	for f := range strings.SplitSeq(challenge, ",") {
		name, value, _ := strings.Cut(f, "=")
		fields[name] = value
	}
	salt, err := base64.StdEncoding.DecodeString(fields["s"])
	rounds, bad := strconv.Atoi(fields["i"])
	if err != nil || bad != nil || rounds < 1 || rounds > 1e6 || !strings.HasPrefix(fields["r"], s.non) || len(fields["r"]) == len(s.non) {
		return errors.New("the server's challenge makes no sense")
	}
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		return err
	}
	client := hmac256(salted, "Client Key")
	stored := sha256.Sum256(client)
	final := "c=" + base64.StdEncoding.EncodeToString(append([]byte(s.header), s.binding...)) + ",r=" + fields["r"]
	all := s.first + "," + challenge + "," + final
	proof := hmac256(stored[:], all)
	for i := range proof {
		proof[i] ^= client[i]
	}
	s.signature = hmac256(hmac256(salted, "Server Key"), all)
	return c.send('p', []byte(final+",p="+base64.StdEncoding.EncodeToString(proof)))
}

func (s *scram) check(final string) error {
	got, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(final, "v="))
	s.proven = err == nil && s.signature != nil && hmac.Equal(got, s.signature)
	if !s.proven {
		return errors.New("the server does not know the password itself: it is not the server that it says it is")
	}
	return nil
}

func hmac256(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// scramVerifier is what PostgreSQL stores of a password, and takes in its place.
// The password is plain ASCII here, so SASLprep changes nothing.
func scramVerifier(password string) (string, error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	return scramStored(password, salt, 4096)
}

func scramStored(password string, salt []byte, rounds int) (string, error) {
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		return "", err
	}
	stored := sha256.Sum256(hmac256(salted, "Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", rounds, encode(salt), encode(stored[:]), encode(hmac256(salted, "Server Key"))), nil
}

// pgIs reports whether a password is the one that the server stores for a user.
func pgIs(stored, user, password string) bool {
	rest, scram := strings.CutPrefix(stored, "SCRAM-SHA-256$")
	if !scram {
		return stored == pgMD5(password+user)
	}
	head, _, _ := strings.Cut(rest, "$")
	count, salt, _ := strings.Cut(head, ":")
	rounds, err := strconv.Atoi(count)
	if err != nil || rounds < 1 || rounds > 10_000_000 {
		return false
	}
	raw, err := base64.StdEncoding.DecodeString(salt)
	if err != nil {
		return false
	}
	mine, err := scramStored(password, raw, rounds)
	return err == nil && mine == stored
}

func pgMD5(text string) string {
	sum := md5.Sum([]byte(text))
	return "md5" + hex.EncodeToString(sum[:])
}

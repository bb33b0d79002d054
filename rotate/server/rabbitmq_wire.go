package server

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/till-sh/till/rotate"
)

// What till needs of AMQP 0-9-1: the beginning of a connection, up to where the
// broker has let us in or not (https://www.rabbitmq.com/amqp-0-9-1-reference).

// amqpRefused is the broker's refusal of a login
// (https://www.rabbitmq.com/docs/auth-notification): it says so to a wrong
// password, to an unknown user, and to one who may log in on its machine alone.
type amqpRefused struct{ text string }

func (e amqpRefused) Error() string { return "RabbitMQ: " + e.text }

var errNotAMQP = errors.New("the server does not speak AMQP 0-9-1")

const (
	amqpStart   = 10<<16 | 10 // class and method
	amqpStartOK = 10<<16 | 11
	amqpTune    = 10<<16 | 30
	amqpClose   = 10<<16 | 50
)

// amqpLogin logs in and ends the connection. It reports whether it did not leave
// this machine. Without TLS the password goes to this machine alone, or by the
// owner's wish.
func amqpLogin(ctx context.Context, j *rotate.Job, t target, user, password string) (onThis bool, err error) {
	if strings.ContainsRune(user+password, 0) {
		return false, errors.New("a NUL byte has no place in a user or password")
	}
	conn, err := dial(ctx, t.host)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close() }()
	onThis = local(conn)
	config, err := tlsConfig(j, t.host)
	switch {
	case err != nil:
		return onThis, err
	case config != nil && (t.scheme == "amqps" || j.Given["tls"] != ""):
		s := tls.Client(conn, config)
		if err := s.Handshake(); err != nil {
			return onThis, err
		}
		conn = s
	case config != nil && !onThis:
		return onThis, errPlain
	}
	c := &amqpConn{conn, bufio.NewReader(conn)}
	if _, err := io.WriteString(conn, "AMQP\x00\x00\x09\x01"); err != nil {
		return onThis, err
	}
	method, args, err := c.next()
	if err != nil {
		return onThis, err
	}
	if err := offersPlain(method, args); err != nil {
		return onThis, err
	}
	// The broker tells of a refusal only who says that he understands it.
	capability := amqpShort("authentication_failure_close") + "t\x01"
	properties := amqpShort("product") + "S" + amqpLong("till") + amqpShort("capabilities") + "F" + amqpLong(capability)
	if err := c.send(amqpStartOK, amqpLong(properties)+amqpShort("PLAIN")+amqpLong("\x00"+user+"\x00"+password)+amqpShort("en_US")); err != nil {
		return onThis, err
	}
	switch method, args, err = c.next(); {
	case err != nil:
		return onThis, err
	case method == amqpTune:
		// Politely, so that its log tells of no broken connection.
		_ = c.send(amqpClose, "\x00\xc8"+amqpShort("bye")+"\x00\x00\x00\x00")
		return onThis, nil
	case method != amqpClose || len(args) < 3 || len(args) < 3+int(args[2]):
		return onThis, errNotAMQP
	}
	code, text := binary.BigEndian.Uint16(args), string(args[3:3+int(args[2])])
	if code == 403 && strings.HasPrefix(text, "ACCESS_REFUSED") {
		return onThis, amqpRefused{text}
	}
	return onThis, fmt.Errorf("RabbitMQ: %s (%d)", text, code)
}

// offersPlain looks whether the broker takes a user and a password.
func offersPlain(method uint32, args []byte) error {
	if method != amqpStart || len(args) < 6 {
		return errNotAMQP
	}
	rest := args[2:] // version
	var fields [2]string
	for i := range fields { // its properties, the mechanisms
		if len(rest) < 4 {
			return errNotAMQP
		}
		n := binary.BigEndian.Uint32(rest)
		if rest = rest[4:]; uint64(n) > uint64(len(rest)) {
			return errNotAMQP
		}
		fields[i], rest = string(rest[:n]), rest[n:]
	}
	if !slices.Contains(strings.Fields(fields[1]), "PLAIN") {
		return errors.New("the server takes no passwords (no PLAIN)")
	}
	return nil
}

type amqpConn struct {
	io.Writer
	r *bufio.Reader
}

// send sends a method on channel 0.
func (c *amqpConn) send(method uint32, args string) error {
	frame := []byte{1, 0, 0}
	frame = binary.BigEndian.AppendUint32(frame, uint32(4+len(args)))
	frame = binary.BigEndian.AppendUint32(frame, method)
	frame = append(append(frame, args...), 0xce)
	_, err := c.Write(frame)
	return err
}

// next reads the next method.
func (c *amqpConn) next() (method uint32, args []byte, err error) {
	for {
		var head [7]byte
		if _, err := io.ReadFull(c.r, head[:]); err != nil {
			return 0, nil, err
		}
		n := binary.BigEndian.Uint32(head[3:])
		if head[0] != 1 && head[0] != 8 || n > maxServerMsg {
			return 0, nil, errNotAMQP
		}
		body := make([]byte, n+1)
		if _, err := io.ReadFull(c.r, body); err != nil {
			return 0, nil, err
		}
		if body[n] != 0xce {
			return 0, nil, errNotAMQP
		}
		if head[0] == 8 { // a heartbeat
			continue
		}
		if n < 4 {
			return 0, nil, errNotAMQP
		}
		return binary.BigEndian.Uint32(body), body[4:n], nil
	}
}

func amqpShort(s string) string { return string([]byte{byte(len(s))}) + s }

func amqpLong(s string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(s)))) + s
}

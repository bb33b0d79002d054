package server

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/scanner"
)

// amqpPlay is a broker up to the end of the login.
func amqpPlay(mechanisms string, takes func(user, password string) bool, end func(*amqpConn)) func(net.Conn) {
	return func(conn net.Conn) {
		c := &amqpConn{conn, nil}
		head := make([]byte, 8)
		if _, err := io.ReadFull(conn, head); err != nil || string(head) != "AMQP\x00\x00\x09\x01" {
			return
		}
		_ = c.send(amqpStart, "\x00\x09"+amqpLong("")+amqpLong(mechanisms)+amqpLong("en_US"))
		var frame [7]byte
		if _, err := io.ReadFull(conn, frame[:]); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(frame[3:])+1)
		_, _ = io.ReadFull(conn, body)
		_, answer, _ := strings.Cut(string(body), "\x05PLAIN")
		if len(answer) < 5 {
			return
		}
		parts := strings.Split(answer[4:4+binary.BigEndian.Uint32([]byte(answer))], "\x00")
		switch {
		case end != nil:
			end(c)
		case takes(parts[1], parts[2]):
			_ = c.send(amqpTune, "\x00\x00\x00\x00\x00\x00\x00\x3c")
		default:
			_ = c.send(amqpClose, "\x01\x93"+amqpShort("ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.")+"\x00\x00\x00\x00")
		}
		_, _ = io.Copy(io.Discard, conn)
	}
}

// TestRabbitMQContract: what a broker can say, and what is made of it.
func TestRabbitMQContract(t *testing.T) {
	right := rotate.Password(18).Reveal()
	only := func(_, password string) bool { return password == right }
	for name, x := range map[string]struct {
		play     func(net.Conn)
		password string
		want     rotate.Validity
		why      string
	}{
		"right":         {amqpPlay("AMQPLAIN PLAIN", only, nil), right, rotate.Active, "logged in"},
		"wrong":         {amqpPlay("PLAIN AMQPLAIN", only, nil), "not" + right, rotate.Inactive, "ACCESS_REFUSED"},
		"anything goes": {amqpPlay("PLAIN", func(string, string) bool { return true }, nil), right, rotate.Unknown, "any password"},
		"no passwords":  {amqpPlay("EXTERNAL", only, nil), right, rotate.Unknown, "no PLAIN"},
		"resource error": {amqpPlay("PLAIN", nil, func(c *amqpConn) {
			_ = c.send(amqpClose, "\x01\xfa"+amqpShort("RESOURCE_ERROR - full")+"\x00\x00\x00\x00")
		}), right, rotate.Unknown, "506"},
		"cut short":      {amqpPlay("PLAIN", nil, func(c *amqpConn) { _ = c.send(amqpClose, "\x01\x93\x50ACC") }), right, rotate.Unknown, "does not speak"},
		"another method": {amqpPlay("PLAIN", nil, func(c *amqpConn) { _ = c.send(20<<16|10, "") }), right, rotate.Unknown, "does not speak"},
		"no method":      {amqpPlay("PLAIN", nil, func(c *amqpConn) { _, _ = c.Write([]byte{1, 0, 0, 0, 0, 0, 1, 7, 0xce}) }), right, rotate.Unknown, "does not speak"},
		"no end":         {amqpPlay("PLAIN", nil, func(c *amqpConn) { _, _ = c.Write([]byte{1, 0, 0, 0, 0, 0, 4, 0, 10, 0, 30, 0}) }), right, rotate.Unknown, "does not speak"},
		"version":        {func(c net.Conn) { _, _ = io.WriteString(c, "AMQP\x00\x01\x00\x00") }, right, rotate.Unknown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			j := jobAt(fakeServer(t, x.play), "shop", x.password)
			v, err := rabbitLogin{}.Verify(t.Context(), j, j.Leak.Secret)
			if err != nil || v.Validity != x.want || !strings.Contains(v.Why, x.why) {
				t.Errorf("%s (%s), %v", v.Validity, v.Why, err)
			}
			if strings.Contains(v.Why, right) {
				t.Error("the verdict tells the password")
			}
		})
	}
}

// TestRabbitMQAPI: the password goes there hashed, the tags stay, and nothing is
// sent in the clear to another machine.
func TestRabbitMQAPI(t *testing.T) {
	old := rotate.Password(18).Reveal()
	stored := func(password string) string {
		return base64.StdEncoding.EncodeToString(rabbitHash("rabbit_password_hashing_sha256", []byte("salt"), password))
	}
	// The example of https://www.rabbitmq.com/docs/passwords#computing-password-hash.
	if got := base64.StdEncoding.EncodeToString(rabbitHash("rabbit_password_hashing_sha256", []byte{0x90, 0x8d, 0xc6, 0x0a}, "test"+"12")); got != "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR" {
		t.Errorf("hashed as %s", got)
	}
	status, hash, sent := 200, stored(old), ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if user, password, _ := r.BasicAuth(); user != "boss" || password != "b0ss" {
			w.WriteHeader(401)
			return
		}
		sent += r.Method + " " + r.URL.EscapedPath() + " " + string(body) + "\n"
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"name":"shop/1","password_hash":"`+hash+`","hashing_algorithm":"rabbit_password_hashing_sha256","tags":["monitoring","acme"]}`)
	}))
	defer server.Close()
	job := func() *rotate.Job {
		j := jobAt("127.0.0.1:5672", "shop%2F1", old)
		j.HTTP = &call.Client{Redact: j.Redact}
		j.Given["api"] = server.URL
		j.GivenSecrets = map[string]scanner.Secret{"admin": scanner.NewSecret([]byte("boss:b0ss"))}
		j.Keep = func(n rotate.Issued) error { j.New = &n; return nil }
		return j
	}
	j := job()
	n, err := rabbitPassword{}.Issue(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(sent, n.Secret.Reveal()) || !strings.Contains(sent, `PUT /api/users/shop%2F1 `) || !strings.Contains(sent, `"tags":["monitoring","acme"]`) {
		t.Errorf("sent %s", strings.ReplaceAll(sent, n.Secret.Reveal(), "THE PASSWORD"))
	}
	sent, hash = "", stored(n.Secret.Reveal()) // an earlier attempt came so far
	if again, err := (rabbitPassword{}).Issue(t.Context(), j); err != nil || again.Secret.Reveal() != n.Secret.Reveal() || strings.Contains(sent, "PUT") {
		t.Errorf("set twice: %v", err)
	}
	sent = ""
	if err := (rabbitOff{}).Revoke(t.Context(), j); err != nil || !strings.Contains(sent, "DELETE /api/connections/username/shop%2F1") || strings.Contains(sent, "PUT") {
		t.Errorf("%v, %s", err, sent)
	}
	sent, hash = "", stored(old)
	if err := (rabbitOff{}).Revoke(t.Context(), job()); err != nil || !strings.Contains(sent, `"password_hash":""`) {
		t.Errorf("without a new one: %v, %s", err, sent)
	}
	for _, s := range []int{401, 403, 404, 500, 302} {
		j, kept := job(), false
		j.Keep = func(rotate.Issued) error { kept = true; return nil }
		status = s
		if _, err := (rabbitPassword{}).Issue(t.Context(), j); err == nil || kept || (s < 404 && s > 400) != errors.Is(err, rotate.ErrDenied) {
			t.Errorf("HTTP %d: %v, kept %v", s, err, kept)
		}
	}
	status, hash = 200, `","name":"other`
	if _, err := (rabbitPassword{}).Issue(t.Context(), job()); err == nil {
		t.Error("the answer is about another user")
	}
	j = job()
	j.Given["api"] = "http://10.0.0.1:15672"
	if _, err := (rabbitPassword{}).Issue(t.Context(), j); !errors.Is(err, errPlain) {
		t.Errorf("in the clear: %v", err)
	}
}

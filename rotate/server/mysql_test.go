package server

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// fakeServer answers each connection by play, and names its address.
func fakeServer(t *testing.T, play func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); play(c) }()
		}
	}()
	return l.Addr().String()
}

// jobAt is the job of a leaked password at an address.
func jobAt(address, user, password string) *rotate.Job {
	before := "URL=acme://" + user + ":"
	beside := scanner.ExcerptLine{Text: before + "x@" + address, Mark: len(before), MarkEnd: len(before) + 1}
	j := &rotate.Job{
		Leak: rotate.Leak{Rule: &rules.Rule{ID: "acme", Human: true}, Secret: scanner.NewSecret([]byte(password)), PublicID: user,
			Places: []scanner.Place{{Excerpt: []scanner.ExcerptLine{beside}}}},
		Given: map[string]string{"server": address}, Redact: &call.Redactor{}, Now: time.Now,
	}
	j.Redact.Add(password)
	return j
}

// myPlay is a MySQL server with one account.
type myPlay struct {
	greet    string // plugin of the greeting
	plugin   string // the account's
	password string
	any      bool // every password is right
	cached   bool // caching_sha2_password knows the password already
	tls      *tls.Config
	refuse   int // error code in the place of the greeting
	seen     func(kind string)
	query    func(statement string) (value string, code int) // nil: every statement is a mistake
}

func (p *myPlay) serve(conn net.Conn) {
	c := &myConn{conn: conn}
	read := func() []byte {
		var head [4]byte
		if _, err := io.ReadFull(c.conn, head[:]); err != nil {
			return nil
		}
		c.seq = head[3] + 1
		body := make([]byte, int(head[0])|int(head[1])<<8)
		_, _ = io.ReadFull(c.conn, body)
		return body
	}
	fail := func(code int, text string) {
		_ = c.send(append(binary.LittleEndian.AppendUint16([]byte{0xff}, uint16(code)), "#28000"+text...))
	}
	if p.refuse != 0 {
		fail(p.refuse, "no")
		return
	}
	salt := []byte("abcdefghijklmnopqrst")
	caps := uint32(myProtocol41 | mySecure | myPluginAuth)
	if p.tls != nil {
		caps |= myTLS
	}
	g := append([]byte{10}, "8.4.3\x00\x01\x00\x00\x00"...)
	g = append(append(g, salt[:8]...), 0)
	g = binary.LittleEndian.AppendUint16(g, uint16(caps))
	g = append(g, 45, 2, 0)
	g = binary.LittleEndian.AppendUint16(g, uint16(caps>>16))
	g = append(append(g, 21), make([]byte, 10)...)
	g = append(append(g, salt[8:]...), 0)
	_ = c.send(append(append(g, p.greet...), 0))
	answer := read()
	if len(answer) == 32 && p.tls != nil {
		s := tls.Server(conn, p.tls)
		if s.Handshake() != nil {
			return
		}
		c.conn, c.secure = s, true
		answer = read()
	}
	if len(answer) < 33 {
		return
	}
	_, rest, _ := bytes.Cut(answer[32:], []byte{0})
	proof := rest[1 : 1+int(rest[0])]
	if p.plugin != p.greet {
		_ = c.send(append(append(append([]byte{0xfe}, p.plugin...), 0), append(salt, 0)...))
		proof = read()
	}
	right, err := myAnswer(p.plugin, salt, p.password)
	ok := p.any || err == nil && bytes.Equal(right, proof)
	if p.plugin == mySHA2 && !p.cached {
		_ = c.send([]byte{1, 4})
		sent := string(read())
		p.seen("password")
		ok = c.secure && sent == p.password+"\x00"
	} else if p.plugin == mySHA2 && ok {
		_ = c.send([]byte{1, 3})
	}
	if !ok {
		fail(myDenied, "Access denied for user")
		return
	}
	_ = c.send([]byte{0, 0, 0, 2, 0, 0, 0})
	for {
		q := read()
		if len(q) == 0 || q[0] != 3 {
			return
		}
		value, code := "", 1064
		if p.query != nil {
			value, code = p.query(string(q[1:]))
		}
		switch {
		case code != 0:
			fail(code, "no")
		case value == "":
			_ = c.send([]byte{0, 0, 0, 2, 0, 0, 0})
		default: // one row with one field
			for _, packet := range [][]byte{{1}, {3, 'd', 'e', 'f'}, {0xfe, 0, 0, 2, 0}, append([]byte{byte(len(value))}, value...), {0xfe, 0, 0, 2, 0}} {
				_ = c.send(packet)
			}
		}
	}
}

// TestMySQLContract: what a server can say, and what is made of it.
func TestMySQLContract(t *testing.T) {
	right := rotate.Password(18).Reveal()
	certificate := httptest.NewUnstartedServer(nil)
	certificate.StartTLS()
	defer certificate.Close()
	secure := &tls.Config{Certificates: certificate.TLS.Certificates}
	for name, x := range map[string]struct {
		play     myPlay
		password string
		want     rotate.Validity
		why      string
	}{
		"native":                       {myPlay{greet: myNative, plugin: myNative, password: right}, right, rotate.Active, "logged in"},
		"another plugin":               {myPlay{greet: mySHA2, plugin: myNative, password: right}, right, rotate.Active, "logged in"},
		"cached":                       {myPlay{greet: mySHA2, plugin: mySHA2, password: right, cached: true}, right, rotate.Active, "logged in"},
		"password itself through TLS":  {myPlay{greet: mySHA2, plugin: mySHA2, password: right, tls: secure}, right, rotate.Active, "logged in"},
		"password itself in the clear": {myPlay{greet: mySHA2, plugin: mySHA2, password: right}, right, rotate.Unknown, "no TLS"},
		"TLS":                          {myPlay{greet: myNative, plugin: myNative, password: right, tls: secure}, right, rotate.Active, "logged in"},
		"clear text plugin":            {myPlay{greet: myNative, plugin: "mysql_clear_password"}, right, rotate.Unknown, "does not speak"},
		"wrong":                        {myPlay{greet: myNative, plugin: myNative, password: right}, "not" + right, rotate.Unknown, "may not come from this machine"},
		"anything goes":                {myPlay{greet: myNative, plugin: myNative, any: true}, right, rotate.Unknown, "any password"},
		"too many connections":         {myPlay{refuse: 1040}, right, rotate.Unknown, "1040"},
		"host blocked":                 {myPlay{refuse: 1129}, right, rotate.Unknown, "1129"},
		"closing down":                 {myPlay{refuse: 1053}, right, rotate.Unknown, "1053"},
	} {
		t.Run(name, func(t *testing.T) {
			sent := make(chan string, 8)
			x.play.seen = func(kind string) { sent <- kind }
			j := jobAt(fakeServer(t, x.play.serve), "shop", x.password)
			v, err := mysqlLogin{}.Verify(t.Context(), j, j.Leak.Secret)
			if err != nil || v.Validity != x.want || !strings.Contains(v.Why, x.why) {
				t.Errorf("%s (%s), %v", v.Validity, v.Why, err)
			}
			if strings.Contains(v.Why, right) {
				t.Error("the verdict tells the password")
			}
		})
	}

	// Once the new password is let in, a refusal is a proof.
	p := myPlay{greet: myNative, plugin: myNative, password: right}
	j := jobAt(fakeServer(t, p.serve), "shop", "old"+right)
	j.New = &rotate.Issued{Secret: scanner.NewSecret([]byte(right))}
	if v, _ := (mysqlLogin{}).Verify(t.Context(), j, j.Leak.Secret); v.Validity != rotate.Inactive {
		t.Errorf("%s (%s)", v.Validity, v.Why)
	}

	// While the old one is let in, the new one that is refused has not been set.
	j = jobAt(fakeServer(t, p.serve), "shop", right)
	j.New = &rotate.Issued{Secret: scanner.NewSecret([]byte("new" + right))}
	if v, _ := (mysqlLogin{}).Verify(t.Context(), j, j.New.Secret); v.Validity != rotate.Inactive {
		t.Errorf("new, not set: %s (%s)", v.Validity, v.Why)
	}
}

// TestMySQLSecondPassword: MySQL keeps the old password beside the new one until
// it is discarded; where it does not, the old one ends with the new.
func TestMySQLSecondPassword(t *testing.T) {
	for _, old := range []bool{false, true} {
		right := rotate.Password(18).Reveal()
		var mu sync.Mutex
		var asked []string
		p := myPlay{greet: mySHA2, plugin: mySHA2, password: right, cached: true}
		p.query = func(q string) (string, int) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, q)
			switch {
			case old && strings.Contains(q, "RETAIN"):
				return "", 1064
			case strings.Contains(q, "CURRENT_USER"):
				return "shop@%", 0
			case strings.Contains(q, "PROCESSLIST"):
				return "17", 0
			case strings.HasPrefix(q, "KILL"):
				return "", myNoThread
			}
			return "", 0
		}
		j := jobAt(fakeServer(t, p.serve), "shop", right)
		kept := 0
		j.Keep = func(n rotate.Issued) error { kept++; j.New = &n; return nil }
		n, err := mysqlPassword{}.Issue(t.Context(), j)
		if err != nil || kept != 1 || n.Ends != old {
			t.Fatalf("%v, kept %d times, ends the old one: %v", err, kept, n.Ends)
		}
		set := "ALTER USER USER() IDENTIFIED BY '" + n.Secret.Reveal() + "'"
		if last := asked[len(asked)-1]; last != set+map[bool]string{false: " RETAIN CURRENT PASSWORD"}[old] {
			t.Error("another statement sets the password")
		}
		if err := (mysqlOff{}).Revoke(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(asked, "\n"); !strings.Contains(all, "ALTER USER USER() DISCARD OLD PASSWORD") || !strings.Contains(all, "KILL 17") {
			t.Error("the old password or its sessions stay")
		}
	}
}

// TestOddServers: whatever a server sends, or sends not, it is no answer, and
// ends in time.
func TestOddServers(t *testing.T) {
	g := rand.New(rand.NewPCG(1, 2))
	odd := map[string]func(net.Conn){
		"says nothing and hangs up": func(net.Conn) {},
		"hangs up half way":         func(c net.Conn) { _, _ = c.Write([]byte{74, 0, 0, 0, 10, '8'}) },
		"HTTP":                      func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") },
		"a huge packet":             func(c net.Conn) { _, _ = c.Write([]byte{255, 255, 255, 0, 10}) },
		"an empty packet":           func(c net.Conn) { _, _ = c.Write([]byte{0, 0, 0, 0}) },
		"an error of two bytes":     func(c net.Conn) { _, _ = c.Write([]byte{2, 0, 0, 0, 255, 1}) },
	}
	for range 40 {
		noise := make([]byte, g.IntN(300))
		for i := range noise {
			noise[i] = byte(g.IntN(256))
		}
		if len(noise) > 5 && g.IntN(2) == 0 { // looks like a greeting
			copy(noise, []byte{byte(len(noise) - 4), 0, 0, 0, 10})
		}
		odd["noise "+string(rune('a'+len(odd)))] = func(c net.Conn) { _, _ = c.Write(noise) }
	}
	for name, play := range odd {
		address := fakeServer(t, play)
		for server, f := range map[string]rotate.Verifier{"mysql": mysqlLogin{}, "postgres": postgresLogin{}, "redis": redisLogin{}, "rabbitmq": rabbitLogin{}} {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			j := jobAt(address, "shop", rotate.Password(18).Reveal())
			v, err := f.Verify(ctx, j, j.Leak.Secret)
			cancel()
			if err != nil || v.Validity != rotate.Unknown {
				t.Errorf("%s, %s: %s (%s), %v", server, name, v.Validity, v.Why, err)
			}
		}
	}
}

// TestMyEd25519 compares with the standard library, where that can be.
func TestMyEd25519(t *testing.T) {
	password, message := rotate.Password(32).Reveal(), []byte("thirty-two bytes of the server's")
	key := ed25519.NewKeyFromSeed([]byte(password))
	got, err := myEd25519Sign(message, password)
	if err != nil || !bytes.Equal(got, ed25519.Sign(key, message)) {
		t.Errorf("another signature, %v", err)
	}
	// The server's own words: ALTER USER … IDENTIFIED VIA ed25519 USING PASSWORD('secret').
	if stored, ok := myStored("ed25519", "secret"); !ok || stored != "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY" {
		t.Errorf("stored as %s", stored)
	}
	// https://dev.mysql.com/doc/refman/8.4/en/encryption-functions.html has this one of SHA1(SHA1('password')).
	if stored, _ := myStored(myNative, "password"); stored != "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19" {
		t.Errorf("stored as %s", stored)
	}
	if _, ok := myStored(mySHA2, "x"); ok {
		t.Error("what is salted cannot be compared")
	}
}

// TestMySHA2: the server computes the proof the other way round, from what it
// keeps in its cache (SHA256(SHA256(password))).
func TestMySHA2(t *testing.T) {
	password, salt := rotate.Password(20).Reveal(), []byte("12345678901234567890")
	proof, err := myAnswer(mySHA2, salt, password)
	if err != nil {
		t.Fatal(err)
	}
	once := sha256.Sum256([]byte(password))
	cache := sha256.Sum256(once[:])
	pad := sha256.Sum256(append(cache[:], salt...))
	for i := range proof {
		proof[i] ^= pad[i]
	}
	if sha256.Sum256(proof) != cache {
		t.Error("the server would refuse it")
	}
	if _, err := myAnswer("dialog", salt, password); err == nil {
		t.Error("an unknown plugin is answered")
	}
}

// TestUnseen: the only account of a name is changed where it may have the leaked
// password, and not where it is known to have another.
func TestUnseen(t *testing.T) {
	salted, native := myAccount{user: "shop", host: "%", plugin: mySHA2}, myAccount{user: "shop", host: "10.%", plugin: myNative}
	for want, x := range map[string]struct {
		all  []myAccount
		here string
	}{
		"`shop`@`%`":    {[]myAccount{salted}, ""},
		"":              {[]myAccount{native}, ""},
		"`shop`@`10.%`": {[]myAccount{salted, native}, "shop@10.%"},
	} {
		got := ""
		for _, a := range unseen(x.all, x.here) {
			got += a.String()
		}
		if got != want {
			t.Errorf("%v from %q: %q, want %q", x.all, x.here, got, want)
		}
	}
	if got := unseen([]myAccount{salted, native}, ""); len(got) != 0 {
		t.Errorf("several: %v", got)
	}
}

// TestMyStatements: nothing that a name or password holds ends its quotes.
func TestMyStatements(t *testing.T) {
	if got := myIdent("a`b'c"); got != "`a``b'c`" {
		t.Error(got)
	}
	if got := myLiteral(`a'b\`); got != `'a\'b\\'` {
		t.Error(got)
	}
	var e *myError
	if err := myDeniedTo(&myError{1227, "no"}); !errors.Is(err, rotate.ErrDenied) || !errors.As(err, &e) {
		t.Error(err)
	}
	for _, b := range [][]byte{nil, {0xfb}, {0xfc, 1}, {0xfe, 1, 2, 3}, {0xff}} {
		if _, _, ok := lenenc(b); ok {
			t.Errorf("%v is no number", b)
		}
	}
}

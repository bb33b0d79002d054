package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rotate/rotatetest"
)

// Scripts that speak to vendors have
//
//	vendor FILE           play the vendors by the lines of FILE from now on
//	called N WORDS...     N requests so far that begin with WORDS ("DELETE api.fastly.com/tokens/self")
//
// A line of FILE is METHOD HOST/PATH ALIVE DEAD [kill] [BODY]: the status for a
// request with a key that lives, and for one whose key is dead. kill makes the
// key of the request die with it. $NAME in BODY is a planted key. A status of
// 0 hangs up.

// tuned makes a client of a script's till speak to the script's vendor.
func tuned() func(*call.Client) {
	address, pem := os.Getenv("TILL_TEST_VENDOR"), os.Getenv("TILL_TEST_VENDOR_CA")
	if address == "" {
		return nil
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(pem))
	return func(c *call.Client) {
		c.Roots = roots
		c.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		c.Sleep = func(context.Context, time.Duration) error { return nil }
	}
}

// stage is the vendor of one script.
type stage struct {
	server *rotatetest.Server
	mu     sync.Mutex
	lines  []line
	dead   map[string]bool
	keys   func() []string
}

type line struct {
	method, where string
	alive, dead   int
	kill          bool
	body          string
}

func newStage(t testing.TB, keys func() []string) *stage {
	s := &stage{dead: map[string]bool{}, keys: keys}
	s.server = rotatetest.New(t, s.serve)
	return s
}

func (s *stage) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	carried := ""
	calls := s.server.Calls()
	text := fmt.Sprint(calls[len(calls)-1])
	for _, k := range s.keys() {
		if strings.Contains(text, k) {
			carried = k
		}
	}
	for _, l := range s.lines {
		if l.method != r.Method || l.where != r.Host+r.URL.Path {
			continue
		}
		status := l.alive
		if s.dead[carried] {
			status = l.dead
		}
		if status == 0 {
			rotatetest.HangUp(w, r)
			return
		}
		if l.kill && status == l.alive {
			s.dead[carried] = true
		}
		rotatetest.Answer(status, l.body, "Content-Type", "application/json")(w, r)
		return
	}
	rotatetest.Answer(404, "{}")(w, r)
}

func cmdVendor(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts).stage
	var lines []line
	for text := range strings.Lines(ts.ReadFile(args[0])) {
		f := strings.Fields(text)
		if len(f) == 0 {
			continue
		}
		if len(f) < 4 {
			ts.Fatalf("vendor: %q", text)
		}
		l := line{method: f[0], where: f[1]}
		var err error
		l.alive, err = strconv.Atoi(f[2])
		ts.Check(err)
		l.dead, err = strconv.Atoi(f[3])
		ts.Check(err)
		rest := f[4:]
		if len(rest) > 0 && rest[0] == "kill" {
			l.kill, rest = true, rest[1:]
		}
		l.body = os.Expand(strings.Join(rest, " "), ts.Getenv)
		lines = append(lines, l)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = lines
}

func cmdCalled(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	n, all := 0, ""
	for _, c := range of(ts).stage.server.Calls() {
		text := c.Method + " " + c.Host + c.Path
		all += c.Method + " " + c.Host + "\n" // the path can hold a key
		if strings.HasPrefix(text, strings.Join(args[1:], " ")) {
			n++
		}
	}
	if n != want {
		ts.Fatalf("%d requests %s, want %d; all:\n%s", n, strings.Join(args[1:], " "), want, all)
	}
}

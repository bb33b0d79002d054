//go:build linux

package server_test

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/till-sh/till/rotate"
)

// redisServer is a Redis with a password for the default user, and a user of the
// application that may not change users.
type redisServer struct {
	*instance
	server, cli string
	boss, shop  string // passwords
	stop        func()
}

func startRedis(t *testing.T) *redisServer {
	t.Helper()
	s := &redisServer{boss: rotate.Password(24).Reveal(), shop: rotate.Password(20).Reveal()}
	s.server, s.cli = program(t, "redis-server"), program(t, "redis-cli")
	s.instance = newInstance(t)
	s.file("redis.conf", fmt.Sprintf("bind 127.0.0.1\nport %d\ndir %s\nsave \"\"\nrequirepass %s\nuser shop on >%s ~* +@all -@admin -acl\n", s.port, s.dir, s.boss, s.shop))
	s.again()
	return s
}

// again starts the server, with what it has written down.
func (s *redisServer) again() {
	s.t.Helper()
	s.start(s.listens, syscall.SIGTERM, s.server, s.dir+"/redis.conf")
}

// login says whether the server takes a password, in the words of its own client.
func (s *redisServer) login(user, password string) string {
	cmd := exec.Command(s.cli, "-h", "127.0.0.1", "-p", fmt.Sprint(s.port))
	cmd.Stdin = strings.NewReader("AUTH " + user + " " + password + "\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(out))
}

func (s *redisServer) check(user, old, fresh string) {
	s.t.Helper()
	if out := s.login(user, old); !strings.HasPrefix(out, "WRONGPASS") {
		s.t.Errorf("the old password of %s: %s", user, out)
	}
	if out := s.login(user, fresh); out != "OK" {
		s.t.Errorf("the new password of %s: %s", user, out)
	}
}

// TestRealRedis: requirepass, changed by the user itself; it stays changed after
// the server was started again.
func TestRealRedis(t *testing.T) {
	s := startRedis(t)
	l := plant(t, ".env", fmt.Sprintf("REDIS_URL=redis://:%s@%s/0\n", s.boss, s.address()), s.boss, s.shop)
	l.find("database-url-redis")
	fresh := l.rotate("--set", "server="+s.address())
	s.check("default", s.boss, fresh)
	if out := s.login("shop", s.shop); out != "OK" {
		t.Errorf("another user: %s", out)
	}

	// What is leaked at the same place later is another value, and the closed case
	// says nothing of it.
	if out, code := l.till("rotate", l.id, "--yes", "--reason", "again", "--max", "1", "--set", "server="+s.address()); code != 0 || !strings.Contains(out, "dead") {
		t.Errorf("the same value again: exit code %d\n%s", code, out)
	}
	s.boss = fresh
	l.leakAgain(fresh)
	fresh = l.rotate("--set", "server="+s.address())
	s.check("default", s.boss, fresh)

	conf := s.instance
	s.instance = &instance{t: t, dir: conf.dir, port: freePort(t), cred: conf.cred, log: conf.log}
	s.start(s.listens, syscall.SIGTERM, s.server, s.dir+"/redis.conf", "--port", fmt.Sprint(s.port))
	s.check("default", s.boss, fresh)
}

// TestRealRedisUser: a user that may not change users, with the owner's
// credential, which comes from a file.
func TestRealRedisUser(t *testing.T) {
	s := startRedis(t)
	l := plant(t, "app.env", fmt.Sprintf("CACHE=redis://shop:%s@%s\n", s.shop, s.address()), s.shop, s.boss)
	l.find("database-url-redis")
	out, code := l.till("rotate", l.id, "--yes", "--reason", "leaked", "--max", "1", "--set", "server="+s.address())
	if code != 1 || !strings.Contains(out, "{{admin}}") {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	if out := s.login("shop", s.shop); out != "OK" {
		t.Fatalf("something was changed: %s", out)
	}
	fresh := l.rotate("--set", "server="+s.address(), "--secret", "admin="+s.file("admin", "default:"+s.boss))
	s.check("shop", s.shop, fresh)

	// A user that takes any password proves nothing.
	any := plant(t, "app.env", fmt.Sprintf("CACHE=redis://guest7:%s@%s\n", s.shop, s.address()), s.shop)
	any.find("database-url-redis")
	cmd := exec.Command(s.cli, "-h", "127.0.0.1", "-p", fmt.Sprint(s.port))
	cmd.Stdin = strings.NewReader("AUTH default " + s.boss + "\nACL SETUSER guest7 on nopass ~* +@all\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatal(string(out), err)
	}
	if out, code := any.till("check", any.id, "--set", "server="+s.address()); code != 2 || !strings.Contains(out, "any password") {
		t.Errorf("exit code %d: %s", code, out)
	}
	if out, code := any.till("check", any.id, "--set", "server=127.0.0.1:1"); code != 2 || !strings.Contains(out, "unknown") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

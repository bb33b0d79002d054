//go:build linux

package server_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/till-sh/till/rotate"
)

// rabbitServer is a RabbitMQ with the management plugin, an administrator and
// two users of applications.
type rabbitServer struct {
	*instance
	bin               string
	api               string
	boss, shop, stock string // passwords
}

func startRabbitMQ(t *testing.T) *rabbitServer {
	t.Helper()
	s := &rabbitServer{boss: rotate.Password(24).Reveal(), shop: rotate.Password(20).Reveal(), stock: rotate.Password(20).Reveal()}
	// Debian's programs of the same name in PATH change to a user of their own.
	server := program(t, "rabbitmq-server", "/usr/lib/rabbitmq/bin")
	if found, _ := filepath.Glob("/usr/lib/rabbitmq/bin/rabbitmq-server"); len(found) > 0 {
		server = found[0]
	}
	s.bin = filepath.Dir(server)
	epmd := program(t, "epmd", "/usr/lib/erlang/bin")
	s.instance = newInstance(t)
	api, dist, names := freePort(t), freePort(t), freePort(t)
	s.api = fmt.Sprintf("http://127.0.0.1:%d", api)
	s.file("rabbitmq.conf", fmt.Sprintf("listeners.tcp.1 = 127.0.0.1:%d\nmanagement.tcp.port = %d\nmanagement.tcp.ip = 127.0.0.1\ndefault_user = boss\ndefault_pass = %s\n"+
		"loopback_users = none\ndisk_free_limit.absolute = 1MB\nlog.console = true\nlog.console.level = warning\nlog.file = false\n", s.port, api, s.boss))
	s.file("plugins", "[rabbitmq_management].\n")
	s.env = []string{
		"RABBITMQ_NODENAME=till" + fmt.Sprint(s.port) + "@localhost", "RABBITMQ_CONFIG_FILE=" + s.dir + "/rabbitmq.conf", "RABBITMQ_ENABLED_PLUGINS_FILE=" + s.dir + "/plugins",
		"RABBITMQ_MNESIA_BASE=" + s.dir + "/mnesia", "RABBITMQ_LOG_BASE=" + s.dir, "RABBITMQ_PID_FILE=" + s.dir + "/pid", "RABBITMQ_CONF_ENV_FILE=" + s.dir + "/none",
		fmt.Sprint("RABBITMQ_DIST_PORT=", dist), fmt.Sprint("ERL_EPMD_PORT=", names), "ERL_EPMD_ADDRESS=127.0.0.1", "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 1:1",
	}
	s.start(func() error {
		c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", names))
		if err == nil {
			_ = c.Close()
		}
		return err
	}, syscall.SIGTERM, epmd, "-port", fmt.Sprint(names), "-address", "127.0.0.1")
	s.start(func() error { _, err := s.ask("GET", "/api/whoami", ""); return err }, syscall.SIGTERM, server)
	for user, password := range map[string]string{"shop": s.shop, "stock": s.stock} {
		waitUntil(t, func() bool {
			_, err := s.ask("PUT", "/api/users/"+user, `{"password":"`+password+`","tags":"monitoring"}`)
			return err == nil
		})
		waitUntil(t, func() bool {
			_, err := s.ask("PUT", "/api/permissions/%2F/"+user, `{"configure":".*","write":".*","read":".*"}`)
			return err == nil
		})
	}
	return s
}

// ask makes a request as the administrator.
func (s *rabbitServer) ask(method, path, body string) (string, error) {
	r, err := http.NewRequest(method, s.api+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.SetBasicAuth("boss", s.boss)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode > 299 {
		err = errors.New(res.Status)
	}
	return string(data), err
}

// login asks the API, which takes the same passwords as AMQP.
func (s *rabbitServer) login(user, password string) int {
	s.t.Helper()
	r, _ := http.NewRequest("GET", s.api+"/api/whoami", nil)
	r.SetBasicAuth(user, password)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func (s *rabbitServer) check(user, old, fresh string) {
	s.t.Helper()
	if code := s.login(user, old); code != 401 {
		s.t.Errorf("the old password: HTTP %d", code)
	}
	if code := s.login(user, fresh); code != 200 {
		s.t.Errorf("the new password: HTTP %d", code)
	}
}

func (s *rabbitServer) url(user, password string) string {
	return (&url.URL{Scheme: "amqp", User: url.UserPassword(user, password), Host: s.address(), Path: "/"}).String()
}

// hold opens a connection of AMQP and says when the server ends it.
func (s *rabbitServer) hold(user, password string) (ended chan struct{}) {
	s.t.Helper()
	c, err := net.Dial("tcp", s.address())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	frame := func(method string, args string) string {
		return "\x01\x00\x00" + string([]byte{0, 0, 0, byte(len(args) + 4)}) + method + args + "\xce"
	}
	login := "\x00" + user + "\x00" + password
	_, _ = io.WriteString(c, "AMQP\x00\x00\x09\x01"+frame("\x00\x0a\x00\x0b", "\x00\x00\x00\x00\x05PLAIN\x00\x00\x00"+string([]byte{byte(len(login))})+login+"\x05en_US")+
		frame("\x00\x0a\x00\x1f", "\x07\xff\x00\x02\x00\x00\x00\x00")+frame("\x00\x0a\x00\x28", "\x01/\x00\x00"))
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		var all []byte
		for buf := make([]byte, 4096); !bytes.Contains(all, []byte("\x00\x0a\x00\x32")); { // Connection.Close
			n, err := c.Read(buf)
			if all = append(all, buf[:n]...); err != nil {
				return
			}
		}
	}()
	waitUntil(s.t, func() bool {
		out, err := s.ask("GET", "/api/connections/username/"+user, "")
		return err == nil && strings.Contains(out, `"user":"`+user+`"`)
	})
	return ended
}

// ends demands that a connection is ended.
func (s *rabbitServer) ends(ended chan struct{}) {
	s.t.Helper()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		s.t.Error("the connection of the old password goes on")
	}
}

// TestRealRabbitMQ: through the management API, with a second leak at the same
// place; and by the program on the broker's machine.
func TestRealRabbitMQ(t *testing.T) {
	s := startRabbitMQ(t)
	l := plant(t, ".env", "BROKER_URL="+s.url("shop", s.shop)+"\n", s.shop, s.boss)
	l.find("database-url-amqp")
	flags := []string{"--set", "server=" + s.address(), "--set", "api=" + s.api}
	if out, code := l.till(append([]string{"rotate", l.id, "--yes", "--reason", "leaked", "--max", "1"}, flags...)...); code != 1 || !strings.Contains(out, "{{admin}}") {
		t.Fatalf("without the owner's account: exit code %d\n%s", code, out)
	}
	if code := s.login("shop", s.shop); code != 200 {
		t.Fatal("something was changed")
	}
	other := rotate.Password(20).Reveal()
	leftAlone(t, "rabbitmq", jobOf("shop", other, "boss:"+s.boss, map[string]string{"server": s.address(), "api": s.api}), "")
	if code := s.login("shop", s.shop); code != 200 {
		t.Fatal("a user with another password was changed")
	}
	ended := s.hold("shop", s.shop)
	admin := []string{"--secret", "admin=" + s.file("admin", "boss:"+s.boss+"\n")}
	fresh := l.rotate(append(flags, admin...)...)
	s.check("shop", s.shop, fresh)
	s.ends(ended)
	if out, err := s.ask("GET", "/api/users/shop", ""); err != nil || !strings.Contains(out, "monitoring") {
		t.Errorf("the user's tags: %s %v", out, err)
	}
	l.leakAgain(fresh)
	second := fresh
	fresh = l.rotate(append(append(flags, admin...), "--order", "revoke-first")...)
	s.check("shop", second, fresh)
	if out, code := l.till(append([]string{"check", l.id}, flags...)...); code != 0 {
		t.Errorf("till check: exit code %d\n%s", code, out)
	}
	for _, p := range []string{fresh, second} {
		if strings.Contains(s.log.String(), p) {
			t.Error("the server's log holds a new password")
		}
	}

	cookie, err := os.ReadFile(s.dir + "/.erlang.cookie")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath(s.bin + "/rabbitmqctl"); err != nil {
		t.Skip("rabbitmqctl is not installed")
	}
	l = plant(t, ".env", "BROKER_URL="+s.url("stock", s.stock)+"\n", s.stock, s.boss)
	l.more = append(s.env, "PATH="+s.bin+":"+os.Getenv("PATH"))
	if err := os.WriteFile(l.repo+"/.git/.erlang.cookie", cookie, 0o400); err != nil {
		t.Fatal(err)
	}
	l.find("database-url-amqp")
	ended = s.hold("stock", s.stock)
	fresh = l.rotate("--set", "server="+s.address(), "--set", "via=rabbitmqctl")
	s.check("stock", s.stock, fresh)
	s.ends(ended)
}

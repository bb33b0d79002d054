//go:build linux

package server_test

import (
	"fmt"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/till-sh/till/rotate"
)

// postgresServer is a PostgreSQL with a superuser and a role of the application.
type postgresServer struct {
	*instance
	psql        string
	admin, shop string // passwords
}

func startPostgres(t *testing.T, options ...string) *postgresServer {
	t.Helper()
	s := &postgresServer{admin: rotate.Password(24).Reveal(), shop: rotate.Password(20).Reveal()}
	folders := "/usr/lib/postgresql/*/bin"
	initdb, server := program(t, "initdb", folders), program(t, "postgres", folders)
	s.psql = program(t, "psql", folders)
	s.instance = newInstance(t)
	s.run("", initdb, "-D", s.dir+"/data", "-U", "boss", "--pwfile", s.file("pw", s.admin), "-A", "scram-sha-256", "-N", "--no-instructions", "-E", "UTF8", "--locale", "C")
	args := append([]string{"-D", s.dir + "/data", "-c", "listen_addresses=127.0.0.1", "-p", fmt.Sprint(s.port), "-k", s.dir, "-c", "fsync=off"}, options...)
	s.start(func() error { _, err := s.query("boss", s.admin, "postgres", "SELECT 1"); return err }, syscall.SIGINT, server, args...)
	for _, q := range []string{"CREATE ROLE shop LOGIN PASSWORD '" + s.shop + "'", "CREATE DATABASE shop OWNER shop"} {
		if out, err := s.query("boss", s.admin, "postgres", q); err != nil {
			t.Fatal(out, err)
		}
	}
	return s
}

// query asks the server with its own client.
func (s *postgresServer) query(user, password, database, statement string) (string, error) {
	pass := s.file("pass-"+user, fmt.Sprintf("127.0.0.1:%d:*:%s:%s\n", s.port, user, password))
	cmd := s.command(s.psql, "-h", "127.0.0.1", "-p", fmt.Sprint(s.port), "-U", user, "-d", database, "-w", "-tA", "-f", "-")
	cmd.Env = append(cmd.Env, "PGPASSFILE="+pass)
	cmd.Stdin = strings.NewReader(statement)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return strings.TrimSpace(string(out)), err
}

func (s *postgresServer) url() string {
	return (&url.URL{Scheme: "postgres", User: url.UserPassword("shop", s.shop), Host: s.address(), Path: "/shop"}).String()
}

func (s *postgresServer) refuses(password string) error {
	out, err := s.query("shop", password, "shop", "SELECT 1")
	if err == nil || !strings.Contains(out, "password authentication failed") {
		return fmt.Errorf("the old password was not refused: %s (%v)", out, err)
	}
	return nil
}

func TestRealPostgres(t *testing.T) {
	s := startPostgres(t)
	l := plant(t, ".env", "DATABASE_URL="+s.url()+"\n", s.shop, s.admin)
	l.find("database-url-postgres")

	// The host stands in a scanned file: without the owner's word nobody is asked.
	out, code := l.till("rotate", l.id, "--yes", "--reason", "leaked", "--max", "1")
	if code != 1 || !strings.Contains(out, "say it with --set server=") {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	if got, err := s.query("shop", s.shop, "shop", "SELECT 1"); err != nil {
		t.Fatal("something was changed: ", got, err)
	}

	// A session that the leaked password has opened ends.
	open := s.command(s.psql, "-h", "127.0.0.1", "-p", fmt.Sprint(s.port), "-U", "shop", "-w", "-c", "SELECT pg_sleep(300)")
	open.Env = append(open.Env, "PGPASSFILE="+s.file("pass-open", fmt.Sprintf("127.0.0.1:%d:*:shop:%s\n", s.port, s.shop)))
	if err := open.Start(); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, func() bool {
		n, _ := s.query("boss", s.admin, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE usename = 'shop'")
		return n == "1"
	})

	fresh := l.rotate("--set", "server="+s.address())
	if err := s.refuses(s.shop); err != nil {
		t.Error(err)
	}
	if out, err := s.query("shop", fresh, "shop", "SELECT current_user"); err != nil || out != "shop" {
		t.Errorf("the new password: %s %v", out, err)
	}
	if n, err := s.query("boss", s.admin, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE usename = 'shop'"); err != nil || n != "0" {
		t.Errorf("%s sessions of the old password are open (%v)", n, err)
	}
	if err := open.Wait(); err == nil {
		t.Error("the open session went on")
	}

	// The new one leaks at the same line: the case, closed for the old one, opens.
	l.leakAgain(fresh)
	if out, code := l.till("check", l.id, "--set", "server="+s.address()); code != 1 {
		t.Errorf("till check: exit code %d\n%s", code, out)
	}
	second := fresh
	fresh = l.rotate("--set", "server="+s.address())
	if err := s.refuses(second); err != nil {
		t.Error(err)
	}
	if out, err := s.query("shop", fresh, "shop", "SELECT current_user"); err != nil || out != "shop" {
		t.Errorf("the third password: %s %v", out, err)
	}
	if log := s.log.String(); strings.Contains(log, fresh) || strings.Contains(log, s.shop) {
		t.Error("the server's log holds a password")
	}
}

func TestRealPostgresAdmin(t *testing.T) {
	s := startPostgres(t, "-c", "log_statement=all")
	l := plant(t, ".env", "DATABASE_URL="+s.url()+"\n", s.shop, s.admin)
	l.find("database-url-postgres")
	admin := s.file("admin", "boss:"+s.admin+"\n")

	// Somebody else has set another password: it is left alone, also by an
	// administrator who may not see what is stored.
	other := rotate.Password(20).Reveal()
	boss, clerk := "boss:"+s.admin, "clerk:"+rotate.Password(20).Reveal()
	for _, q := range []string{"ALTER ROLE shop PASSWORD '" + other + "'", "CREATE ROLE clerk LOGIN CREATEROLE PASSWORD '" + clerk[6:] + "'", "GRANT shop TO clerk WITH ADMIN OPTION"} {
		if out, err := s.query("boss", s.admin, "postgres", q); err != nil {
			t.Fatal(out, err)
		}
	}
	for _, who := range []string{boss, clerk} {
		leftAlone(t, "postgres", jobOf("shop", s.shop, who, map[string]string{"server": s.address()}), other)
	}
	if out, err := s.query("shop", other, "shop", "SELECT 1"); err != nil {
		t.Fatal("the other password was changed: ", out, err)
	}
	back := func() {
		if out, err := s.query("boss", s.admin, "postgres", fmt.Sprintf("ALTER ROLE shop PASSWORD '%s'", s.shop)); err != nil {
			t.Fatal(out, err)
		}
	}
	back()
	// Where the role may not log in from here, the stored one tells.
	for password, held := range map[string]bool{s.shop: true, other: false} {
		s.file("data/pg_hba.conf", "host all boss,clerk 127.0.0.1/32 scram-sha-256\n")
		_, _ = s.query("boss", s.admin, "postgres", "SELECT pg_reload_conf()")
		waitUntil(t, func() bool {
			out, _ := s.query("shop", s.shop, "shop", "SELECT 1")
			return strings.Contains(out, "no pg_hba.conf entry")
		})
		j := jobOf("shop", password, boss, map[string]string{"server": s.address()})
		leftAlone(t, "postgres", jobOf("shop", password, clerk, j.Given), "")
		if _, err := funcOf[rotate.Issuer]("postgres").Issue(t.Context(), j); (err == nil) != held {
			t.Errorf("by what is stored: held %v, %v", held, err)
		} else if held {
			back()
		}
	}
	s.file("data/pg_hba.conf", "host all all 127.0.0.1/32 scram-sha-256\n")
	_, _ = s.query("boss", s.admin, "postgres", "SELECT pg_reload_conf()")
	waitUntil(t, func() bool { _, err := s.query("shop", s.shop, "shop", "SELECT 1"); return err == nil })

	// The old one first, as for a public repository; then a new one.
	fresh := l.rotate("--set", "server="+s.address(), "--secret", "admin="+admin, "--order", "revoke-first")
	if err := s.refuses(s.shop); err != nil {
		t.Error(err)
	}
	if out, err := s.query("shop", fresh, "shop", "SELECT current_user"); err != nil || out != "shop" {
		t.Errorf("the new password: %s %v", out, err)
	}
	if strings.Contains(s.log.String(), fresh) {
		t.Error("the server's log holds the new password")
	}
}

// TestRealPostgresPassFile: a line of a password file leaks, and the owner's own
// password file has the login that may change it.
func TestRealPostgresPassFile(t *testing.T) {
	s := startPostgres(t)
	_, port, _ := strings.Cut(s.address(), ":")
	if out, err := s.query("boss", s.admin, "postgres", "ALTER ROLE shop NOINHERIT"); err != nil {
		t.Fatal(out, err)
	}
	l := plant(t, ".pgpass", "127.0.0.1:*:shop:shop:"+s.shop+"\n", s.shop, s.admin)
	l.find("config-files-pgpass")
	own := s.file("own", "# mine\n*:*:*:shop:"+s.shop+"\n127.0.0.1:"+port+":*:boss:"+s.admin+"\nelsewhere:5432:*:ada:x\n")
	fresh := l.rotate("--set", "server="+s.address(), "--secret", "admin="+own, "--order", "revoke-first")
	if err := s.refuses(s.shop); err != nil {
		t.Error(err)
	}
	if out, err := s.query("shop", fresh, "shop", "SELECT current_user"); err != nil || out != "shop" {
		t.Errorf("the new password: %s %v", out, err)
	}
}

// TestRealPostgresTrust: a server that asks nobody for a password proves
// nothing, and a server that is not there even less.
func TestRealPostgresTrust(t *testing.T) {
	s := startPostgres(t)
	l := plant(t, ".env", "DATABASE_URL="+s.url()+"\n", s.shop, s.admin)
	l.find("database-url-postgres")
	out, _ := l.till("check", l.id, "--set", "server="+s.address())
	if !strings.Contains(out, "live") {
		t.Errorf("till check: %s", out)
	}
	s.file("data/pg_hba.conf", "host all all 127.0.0.1/32 trust\n")
	_, _ = s.query("boss", s.admin, "postgres", "SELECT pg_reload_conf()")
	waitUntil(t, func() bool { _, err := s.query("shop", "wrong", "shop", "SELECT 1"); return err == nil })
	out, _ = l.till("check", l.id, "--set", "server="+s.address())
	if !strings.Contains(out, "without asking for the password") || !strings.Contains(out, "unknown") {
		t.Errorf("till check: %s", out)
	}
	out, _ = l.till("check", l.id, "--set", "server=127.0.0.1:1")
	if !strings.Contains(out, "unknown") {
		t.Errorf("till check: %s", out)
	}
}

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

// mariadbServer is a MariaDB with an administrator and an account of the application.
type mariadbServer struct {
	*instance
	client     string
	boss, shop string // passwords
}

func startMariaDB(t *testing.T, options ...string) *mariadbServer {
	t.Helper()
	s := &mariadbServer{boss: rotate.Password(24).Reveal(), shop: rotate.Password(20).Reveal()}
	install, server := program(t, "mariadb-install-db"), program(t, "mariadbd", "/usr/sbin", "/usr/libexec")
	s.client = program(t, "mariadb")
	s.instance = newInstance(t)
	data := s.dir + "/data"
	s.run("", install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=4M", "--innodb-buffer-pool-size=8M")
	init := s.file("init.sql", fmt.Sprintf("CREATE USER boss@'127.0.0.1' IDENTIFIED BY '%s';\nGRANT ALL ON *.* TO boss@'127.0.0.1' WITH GRANT OPTION;\nCREATE DATABASE shop;\n"+
		"CREATE USER shop@'%%' IDENTIFIED BY '%s';\nGRANT ALL ON shop.* TO shop@'%%';\n", s.boss, s.shop))
	args := append([]string{"--no-defaults", "--datadir=" + data, "--bind-address=127.0.0.1", fmt.Sprint("--port=", s.port), "--socket=" + s.dir + "/s", "--pid-file=" + s.dir + "/pid",
		"--init-file=" + init, "--innodb-buffer-pool-size=8M", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve", "--general-log=1", "--general-log-file=" + s.dir + "/general"}, options...)
	s.start(func() error { _, err := s.query("boss", s.boss, "SELECT 1"); return err }, syscall.SIGTERM, server, args...)
	s.file("init.sql", "")
	return s
}

// command is the server's own client, logged in.
func (s *mariadbServer) login(user, password string, args ...string) []string {
	file := s.file("login-"+user, fmt.Sprintf("[client]\nprotocol=tcp\nhost=127.0.0.1\nport=%d\nuser=%s\npassword=%s\n", s.port, user, password))
	return append([]string{"--defaults-file=" + file, "-N", "-B"}, args...)
}

func (s *mariadbServer) query(user, password, statement string) (string, error) {
	cmd := s.command(s.client, s.login(user, password)...)
	cmd.Stdin = strings.NewReader(statement)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return strings.TrimSpace(string(out)), err
}

// must runs a statement as the administrator.
func (s *mariadbServer) must(statement string) string {
	s.t.Helper()
	out, err := s.query("boss", s.boss, statement)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func (s *mariadbServer) url(user, password string) string {
	return (&url.URL{Scheme: "mysql", User: url.UserPassword(user, password), Host: s.address(), Path: "/shop"}).String()
}

func (s *mariadbServer) check(user, old, fresh string) {
	s.t.Helper()
	if out, err := s.query(user, old, "SELECT 1"); err == nil || !strings.Contains(out, "Access denied") {
		s.t.Errorf("the old password of %s was not refused: %s (%v)", user, out, err)
	}
	if out, err := s.query(user, fresh, "SELECT CURRENT_USER()"); err != nil || !strings.HasPrefix(out, user+"@") {
		s.t.Errorf("the new password of %s: %s (%v)", user, out, err)
	}
}

// logs is all that the server has written down in clear text.
func (s *mariadbServer) logs() string {
	return s.log.String() + s.must("SELECT LOAD_FILE('"+s.dir+"/general')")
}

// TestRealMariaDB: an account that may change nothing but its own password, and a
// second leak at the same place.
func TestRealMariaDB(t *testing.T) {
	s := startMariaDB(t)
	l := plant(t, ".env", "DATABASE_URL="+s.url("shop", s.shop)+"\n", s.shop, s.boss)
	l.find("database-url-mysql")
	if out, code := l.till("rotate", l.id, "--yes", "--reason", "leaked", "--max", "1"); code != 1 || !strings.Contains(out, "say it with --set server=") {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	if out, code := l.till("check", l.id, "--set", "server="+s.address()); code != 1 || !strings.Contains(out, "shop@%") || !strings.Contains(out, "in shop") {
		t.Fatalf("till check: exit code %d\n%s", code, out)
	}

	// A session that the leaked password has opened ends.
	open := s.command(s.client, s.login("shop", s.shop, "-e", "SELECT SLEEP(300)")...)
	if err := open.Start(); err != nil {
		t.Fatal(err)
	}
	count := "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'shop'"
	waitUntil(t, func() bool { return s.must(count) == "1" })

	fresh := l.rotate("--set", "server="+s.address())
	s.check("shop", s.shop, fresh)
	waitUntil(t, func() bool { return s.must(count) == "0" })
	_ = open.Wait()

	l.leakAgain(fresh)
	second := fresh
	fresh = l.rotate("--set", "server="+s.address())
	s.check("shop", second, fresh)
	for _, p := range []string{fresh, second} {
		if strings.Contains(s.logs(), p) {
			t.Error("the server's log holds a new password")
		}
	}
}

// TestRealMariaDBHosts: one name, several accounts: those that have the leaked
// password are changed, another one is left alone.
func TestRealMariaDBHosts(t *testing.T) {
	s := startMariaDB(t)
	other := rotate.Password(18).Reveal()
	s.must("CREATE USER shop@'10.0.0.%' IDENTIFIED BY '" + s.shop + "'; CREATE USER shop@'10.9.%' IDENTIFIED BY '" + other + "'")
	stored := "SELECT authentication_string FROM mysql.user WHERE User = 'shop' AND Host = '%s'"
	before := s.must(fmt.Sprintf(stored, "10.9.%"))
	l := plant(t, ".env", "DATABASE_URL="+s.url("shop", s.shop)+"\n", s.shop, s.boss, other)
	l.find("database-url-mysql")
	admin := s.file("admin", "boss:"+s.boss+"\n")
	fresh := l.rotate("--set", "server="+s.address(), "--secret", "admin="+admin, "--order", "revoke-first")
	s.check("shop", s.shop, fresh)
	if s.must(fmt.Sprintf(stored, "10.0.0.%")) != s.must(fmt.Sprintf(stored, "%")) {
		t.Error("the account of another host has still the leaked password")
	}
	if s.must(fmt.Sprintf(stored, "10.9.%")) != before {
		t.Error("an account with another password was changed")
	}

	const option = "[%s]\nuser = %s\npassword" + " = %s\n"
	// An option file leaks; another one has the login that may change it.
	cnf := plant(t, ".my.cnf", fmt.Sprintf(option, "client", "shop", fresh), fresh, s.boss)
	cnf.findValue("config-files-mycnf-password") // by its path
	last := cnf.rotate("--set", "server="+s.address(), "--set", "user=shop", "--secret", "admin="+s.file("own.cnf", "[mysqld]\nuser=x\n"+fmt.Sprintf(option, "client", "boss", "'"+s.boss+"'")))
	s.check("shop", fresh, last)
	if s.must(fmt.Sprintf(stored, "10.9.%")) != before {
		t.Error("an account with another password was changed")
	}

	// From here the server refuses a password that another host may use: no death.
	far := plant(t, ".env", "DATABASE_URL="+s.url("far", other)+"\n", other, s.boss)
	far.find("database-url-mysql")
	s.must("CREATE USER far@'10.9.%' IDENTIFIED BY '" + other + "'")
	if out, code := far.till("check", far.id, "--set", "server="+s.address()); code != 2 || !strings.Contains(out, "may not come from this machine") {
		t.Errorf("till check: exit code %d\n%s", code, out)
	}
	if out, code := far.till("check", far.id, "--set", "server="+s.address(), "--secret", "admin="+admin); code != 1 || !strings.Contains(out, "refused from here") {
		t.Errorf("till check with the owner's account: exit code %d\n%s", code, out)
	}
	s.must("DROP USER far@'10.9.%'")
	if out, code := far.till("check", far.id, "--set", "server="+s.address(), "--secret", "admin="+admin); code != 0 || !strings.Contains(out, "dead") {
		t.Errorf("till check of a user that is gone: exit code %d\n%s", code, out)
	}
}

// TestRealMariaDBWays: Ed25519, an account that has two ways in and keeps the
// other one, TLS, and an account that takes any password.
func TestRealMariaDBWays(t *testing.T) {
	s := startMariaDB(t, "--plugin-load-add=auth_ed25519", "--plugin-load-add=auth_socket")
	edwards, two := rotate.Password(15).Reveal(), rotate.Password(16).Reveal()
	s.must("CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('" + edwards + "')")
	s.must("CREATE USER two@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('" + two + "') OR unix_socket")
	s.must("CREATE USER guest7@'%'")
	for _, x := range []struct{ user, password string }{{"ed", edwards}, {"two", two}} {
		l := plant(t, ".env", "DATABASE_URL="+s.url(x.user, x.password)+"\n", x.password, s.boss)
		l.find("database-url-mysql")
		s.check(x.user, x.password, l.rotate("--set", "server="+s.address()))
	}
	jdbc := rotate.Password(17).Reveal()
	s.must("CREATE USER jd@'%' IDENTIFIED BY '" + jdbc + "'")
	j := plant(t, "app.properties", "url=jdbc:mariadb://"+s.address()+"/?user=jd&pass"+"word="+jdbc+"\n", jdbc, s.boss)
	j.find("database-url-jdbc")
	s.check("jd", jdbc, j.rotate("--set", "server="+s.address()))
	if way := s.must("SHOW CREATE USER two@'%'"); !strings.Contains(way, "unix_socket") {
		t.Errorf("the other way in is gone: %s", way)
	}
	l := plant(t, ".env", "DATABASE_URL="+s.url("guest7", two)+"\n", two)
	l.find("database-url-mysql")
	s.must("SET PASSWORD FOR guest7@'%' = ''")
	if out, code := l.till("check", l.id, "--set", "server="+s.address()); code != 2 {
		t.Errorf("till check of an account without a password: exit code %d\n%s", code, out)
	}
}

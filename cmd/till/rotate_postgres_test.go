//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	_ "github.com/lib/pq"
)

// postgres starts a PostgreSQL server of its own for the test and returns where
// it listens and its log. It is skipped where the server is not installed
// (Debian: apt-get install postgresql).
func postgres(t *testing.T, admin string) (address, log string) {
	t.Helper()
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if path, err := exec.LookPath("initdb"); err == nil {
		bins = append(bins, path)
	}
	if len(bins) == 0 {
		t.Skip("skipped: PostgreSQL is not installed (apt-get install postgresql)")
	}
	bin := filepath.Dir(bins[len(bins)-1])
	dir, err := os.MkdirTemp("", "till-pg-") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	var as *syscall.SysProcAttr
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Skip("skipped: there is no user postgres to run the server as")
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	pw := filepath.Join(dir, "pw")
	if err := os.WriteFile(pw, []byte(admin+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.SysProcAttr, cmd.Dir = as, dir
		cmd.Env = []string{"PATH=" + bin + ":/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	data := filepath.Join(dir, "data")
	log = filepath.Join(dir, "log")
	run("initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", pw, "-N")
	run("pg_ctl", "-D", data, "-l", log, "-w", "-o", fmt.Sprintf("-p %d -k %s -c listen_addresses=127.0.0.1 -c log_statement=all -c fsync=off", port, dir), "start")
	t.Cleanup(func() { run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop") })
	return fmt.Sprintf("127.0.0.1:%d", port), log
}

// TestRotatePostgres goes the whole way on a real server: a password that was
// committed is changed, put into .env, its sessions are ended, and the server
// refuses the old one. No value is in the record, the output or the server's
// log of statements.
func TestRotatePostgres(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	word := func(name string) string {
		v, err := makeKey(name, "stripe")
		if err != nil {
			t.Fatal(err)
		}
		return v[len(v)-18:]
	}
	admin, old := word("ADMIN"), word("OLD")
	address, log := postgres(t, admin)
	open := func(role, password, database string) *sql.DB {
		db, err := sql.Open("postgres", fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", role, password, address, database))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	root := open("postgres", admin, "postgres")
	for _, q := range []string{"SET log_statement = 'none'", "SET password_encryption = 'scram-sha-256'", "CREATE ROLE shop LOGIN PASSWORD '" + old + "'", "CREATE DATABASE shop OWNER shop"} {
		if _, err := root.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	session := open("shop", old, "shop")
	if err := session.Ping(); err != nil {
		t.Fatal(err)
	}

	dir := t.TempDir()
	line := fmt.Sprintf("DATABASE_URL=postgres://shop:%s@%s/shop\n", old, address)
	for name, text := range map[string]string{".gitignore": ".env\n", ".env": line, "config": line} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "add", ".gitignore", "config")
	git(t, dir, "commit", "-q", "-m", "config")
	git(t, dir, "rm", "-q", "config")
	git(t, dir, "commit", "-q", "-m", "away")
	t.Chdir(dir)

	all := ""
	till := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		e := system()
		e.stdin, e.stdout, e.stderr = strings.NewReader(""), &out, &out
		e.terminal = func(any) bool { return false }
		e.getenv = func(name string) string { return map[string]string{"HOME": dir, "USER": "ada"}[name] }
		if code := run(context.Background(), e, args); code != want {
			t.Fatalf("till %s: exit %d\n%s", strings.Join(args, " "), code, &out)
		}
		all += out.String()
		return out.String()
	}
	var found struct {
		Keys []struct{ ID, Rule string }
	}
	if err := json.Unmarshal([]byte(till(exitFound, "scan", "--history", "--format", "json")), &found); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(found.Keys, func(k struct{ ID, Rule string }) bool { return k.Rule == "database-url-postgres" })
	if i < 0 {
		t.Fatalf("not found: %v", found.Keys)
	}
	id := found.Keys[i].ID
	// Where the server is, a file does not say.
	till(exitIncomplete, "check", id)
	server := "server=" + address + "/shop"
	till(exitFound, "check", id, "--set", server)
	out := till(exitClean, "rotate", id, "--yes", "--reason", "leaked", "--max", "1", "--set", server)
	for _, want := range []string{"live (signed in)", "Old key: dead (password authentication failed)", "New key: live", "confirmed, revoked"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}

	env, err := os.ReadFile(filepath.Join(dir, ".env"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(env), "shop:")
	fresh, _, ok := strings.Cut(rest, "@")
	if !ok || fresh == old || len(fresh) < 24 {
		t.Fatalf("no new password in .env")
	}
	if info, err := os.Stat(filepath.Join(dir, ".env")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf(".env: %v, %v", info.Mode(), err)
	}
	if err := open("shop", old, "shop").Ping(); err == nil {
		t.Error("the server takes the old password")
	}
	if err := open("shop", fresh, "shop").Ping(); err != nil {
		t.Errorf("the server refuses the new password: %v", err)
	}
	session.SetMaxOpenConns(1)
	if err := session.Ping(); err == nil {
		t.Error("a session of the old password goes on")
	}
	record, err := os.ReadFile(filepath.Join(dir, ".git", "till", "ledger.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	statements, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"record": string(record), "output": all, "server's log": string(statements)} {
		if strings.Contains(text, old) || strings.Contains(text, fresh) {
			t.Errorf("the %s holds a password", what)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".git", "till", "new", "*.json")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	// Again: nothing is done twice.
	if out := till(exitClean, "rotate", id, "--yes", "--reason", "leaked", "--max", "1", "--set", server); strings.Contains(out, "ALTER") {
		t.Errorf("done twice:\n%s", out)
	}
}

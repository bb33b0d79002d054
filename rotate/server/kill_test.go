//go:build linux

package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestRealKilled kills till rotate at random moments and runs it again. Whatever
// the moment, the case comes to its end with one new password, the one that was
// kept first, which is never lost, and a record that can be read. Redis has the
// old password beside the new one, MariaDB changes it.
// TILL_KILLS is how many rounds there are, for a long run.
func TestRealKilled(t *testing.T) {
	t.Run("Redis", func(t *testing.T) {
		s := startRedis(t)
		k := killing{rule: "database-url-redis", old: s.shop, others: []string{s.boss},
			line: func(name, password string) string {
				return fmt.Sprintf("%s=redis://shop:%s@%s\n", name, password, s.address())
			},
			flags: []string{"--set", "server=" + s.address(), "--secret", "admin=" + s.file("admin", "default:"+s.boss)}}
		k.check = func(old, fresh string) {
			s.check("shop", old, fresh)
			if n := s.passwords("shop"); n != 1 {
				t.Fatalf("the user has %d passwords", n)
			}
		}
		k.run(t, 6)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		s := startPostgres(t)
		k := killing{rule: "database-url-postgres", old: s.shop, others: []string{s.admin},
			line: func(name, password string) string {
				return fmt.Sprintf("%s=postgres://shop:%s@%s/shop\n", name, password, s.address())
			},
			flags: []string{"--set", "server=" + s.address()}}
		k.check = func(old, fresh string) {
			if err := s.refuses(old); err != nil {
				t.Fatal(err)
			}
			if out, err := s.query("shop", fresh, "shop", "SELECT 1"); err != nil {
				t.Fatal(out, err)
			}
		}
		k.run(t, 6)
	})
	t.Run("MariaDB", func(t *testing.T) {
		s := startMariaDB(t)
		k := killing{rule: "database-url-mysql", old: s.shop, others: []string{s.boss},
			line:  func(name, password string) string { return fmt.Sprintf("%s=%s\n", name, s.url("shop", password)) },
			flags: []string{"--set", "server=" + s.address()}}
		k.check = func(old, fresh string) { s.check("shop", old, fresh) }
		k.run(t, 4)
	})
}

// A killing is a server on which passwords are changed by a program that is killed.
type killing struct {
	rule, old string
	others    []string // secrets that must be seen nowhere
	line      func(name, password string) string
	flags     []string
	check     func(old, fresh string)
}

func (k *killing) run(t *testing.T, rounds int) {
	t.Helper()
	if n, err := strconv.Atoi(os.Getenv("TILL_KILLS")); err == nil {
		rounds = n
	}
	old := k.old
	l := plant(t, ".env", k.line("DB", old), append([]string{old, old}, k.others...)...)
	flags := append([]string{"--yes", "--reason", "leaked", "--max", "1"}, k.flags...)
	whole := 0 * time.Second
	killed := 0
	for round := range rounds {
		// Each round is a new leak: what the round before has set is committed again,
		// in every second round at the same place, where the case is closed already.
		if round > 0 {
			l.write(l.file, k.line(fmt.Sprint("DB_", round/2), old))
			l.git("add", "-f", l.file)
			l.git("commit", "-q", "-m", fmt.Sprint("again ", round))
			l.git("rm", "-q", "--cached", l.file)
			l.git("commit", "-q", "-m", "away")
		}
		before := l.read()
		l.secrets[0] = old
		fingerprint := l.findValue(k.rule)
		var stored string // the value that was kept first
		for try := 0; ; try++ {
			if try > 40 {
				t.Fatal("it does not come to an end")
			}
			cmd := l.command(append([]string{"rotate", l.id}, flags...)...)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			begin := time.Now()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if round > 0 && try < 3 { // the first round tells how long it takes
				timer := time.AfterFunc(time.Duration(rand.Int64N(int64(whole))), func() { _ = cmd.Process.Kill() })
				_ = cmd.Wait()
				timer.Stop()
			} else {
				_ = cmd.Wait()
			}
			l.silent("till rotate", out.String())
			if now := l.kept(fingerprint); now != "" {
				if stored != "" && now != stored {
					t.Fatalf("round %d: a second new password was made", round)
				}
				stored = now
			}
			l.readable()
			if code := cmd.ProcessState.ExitCode(); code == 0 {
				if took := time.Since(begin); try == 0 && (whole == 0 || took < whole) {
					whole = took
				}
				break
			} else if code > 0 && try > 5 {
				t.Fatalf("round %d: exit code %d\n%s", round, code, &out)
			} else if code < 0 {
				killed++
			}
		}
		fresh := l.replaced(before)
		if stored != "" && stored != fresh {
			t.Fatalf("round %d: the password that was kept is not the one in the file", round)
		}
		k.check(old, fresh)
		if left, _ := filepath.Glob(filepath.Join(l.repo, ".git", "till", "new", "*")); len(left) > 0 {
			t.Fatalf("round %d: the case has ended, and %d files are left of it", round, len(left))
		}
		l.secrets = append(l.secrets, fresh)
		l.silent("the record", l.record())
		old = fresh
	}
	t.Logf("%d rounds, killed %d times", rounds, killed)
	if rounds > 1 && killed == 0 {
		t.Error("it was never killed")
	}
}

// findValue is find for the one key of the file. It returns its fingerprint.
func (l *leak) findValue(rule string) (fingerprint string) {
	l.t.Helper()
	out, _ := l.command("scan", "--format", "json", l.file).Output()
	var report struct {
		Keys []struct{ ID, Rule, Fingerprint string }
	}
	if err := json.Unmarshal(out, &report); err != nil || len(report.Keys) != 1 || report.Keys[0].Rule != rule {
		l.t.Fatalf("till scan: %s", out)
	}
	l.id = report.Keys[0].ID
	return report.Keys[0].Fingerprint
}

// kept is the new value of a case that waits to be put into its place.
func (l *leak) kept(fingerprint string) string {
	data, err := os.ReadFile(filepath.Join(l.repo, ".git", "till", "new", fingerprint+".json"))
	var k struct{ Secret string }
	if err != nil || json.Unmarshal(data, &k) != nil {
		return ""
	}
	return k.Secret
}

// readable demands that the record can be read, whatever has happened.
func (l *leak) readable() {
	l.t.Helper()
	out, code := l.till("rotate", "--list", "--json")
	if code != 0 || !json.Valid([]byte(out[max(0, strings.IndexAny(out, "[{")):])) {
		l.t.Fatalf("till rotate --list: exit code %d\n%s", code, out)
	}
}

// passwords counts the passwords of a user.
func (s *redisServer) passwords(user string) int {
	cmd := s.command(s.cli, "-h", "127.0.0.1", "-p", fmt.Sprint(s.port))
	cmd.Stdin = strings.NewReader("AUTH default " + s.boss + "\nACL LIST\n")
	out, _ := cmd.Output()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "user "+user+" ") {
			return strings.Count(line, " #")
		}
	}
	return -1
}

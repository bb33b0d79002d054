//go:build linux

package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/till-sh/till/rotate"
)

// registry is a Verdaccio with one user.
type registry struct {
	*instance
	user, password string
}

// startVerdaccio starts the registry that npm has installed in the folder which
// TILL_VERDACCIO names, with its own defaults.
func startVerdaccio(t *testing.T) *registry {
	t.Helper()
	dir := os.Getenv("TILL_VERDACCIO")
	if dir == "" {
		t.Skip("Verdaccio is not installed: TILL_VERDACCIO names no folder with it")
	}
	main := filepath.Join(dir, "node_modules", "verdaccio", "bin", "verdaccio")
	if _, err := os.Stat(main); err != nil {
		t.Fatalf("TILL_VERDACCIO: %v", err)
	}
	node := program(t, "node")
	r := &registry{instance: newInstance(t), user: "ada", password: rotate.Password(20).Reveal()}
	r.cred = nil // the folder of npm is readable by its owner
	conf := r.file("config.yaml", strings.Join([]string{
		"storage: " + r.dir + "/storage", "auth:", "  htpasswd:", "    file: " + r.dir + "/htpasswd", "packages:", "  '**':", "    access: $authenticated", "    publish: $authenticated",
		"log: { type: stdout, format: pretty, level: error }", "",
	}, "\n"))
	r.start(r.listens, syscall.SIGTERM, node, main, "--config", conf, "--listen", r.address())
	if code, body := r.call("PUT", "/-/user/org.couchdb.user:"+r.user, "", map[string]any{"name": r.user, "password": r.password}); code != http.StatusCreated {
		t.Fatalf("adduser: %d %s", code, body)
	}
	return r
}

// call makes a request: with a token, or with "" as the user.
func (r *registry) call(method, path, token string, body any) (int, string) {
	r.t.Helper()
	return r.send(method, path, body, func(q *http.Request) {
		if token != "" {
			q.Header.Set("Authorization", "Bearer "+token)
		} else if path != "/-/user/org.couchdb.user:"+r.user {
			q.SetBasicAuth(r.user, r.password)
		}
	})
}

func (r *registry) token(method, path string, body map[string]any) string {
	r.t.Helper()
	code, text := r.call(method, path, "", body)
	var answer struct{ Token string }
	if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Token == "" {
		r.t.Fatalf("%s: %d %s", path, code, text)
	}
	return answer.Token
}

// whoami is the user whom a token signs in, in npm's own words; "" for nobody.
func (r *registry) whoami(token string) string {
	r.t.Helper()
	_, text := r.call("GET", "/-/whoami", token, nil)
	var answer struct{ Username string }
	_ = json.Unmarshal([]byte(text), &answer)
	return answer.Username
}

// npmWhoami asks npm itself, with the npmrc in which till has put the token.
func (r *registry) npmWhoami(l *leak) {
	r.t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		return
	}
	cmd := exec.Command(npm, "whoami", "--registry", "http://"+r.address()+"/", "--userconfig", filepath.Join(l.repo, l.file), "--cache", r.t.TempDir())
	cmd.Dir = r.t.TempDir()
	if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != r.user {
		r.t.Errorf("npm whoami: %v %s", err, out)
	}
}

func (r *registry) npmrc(token string) string {
	return fmt.Sprintf("fund=false\n//%s/:_authToken=%s\n", r.address(), token)
}

// TestRealVerdaccio: a token of npm token create.
func TestRealVerdaccio(t *testing.T) {
	r := startVerdaccio(t)
	create := map[string]any{"password": r.password, "readonly": false, "cidr_whitelist": []string{}}
	token, other := r.token("POST", "/-/npm/v1/tokens", create), r.token("POST", "/-/npm/v1/tokens", create)
	l := plant(t, ".npmrc", r.npmrc(token), token, r.password)
	l.find("config-files-npmrc-auth-token")
	if out, code := l.till("rotate", l.id, "--yes", "--reason", "leaked", "--max", "1"); code == 0 || r.whoami(token) != r.user {
		t.Fatalf("a host that stands in a file was asked: exit code %d\n%s", code, out)
	}
	if out, code := l.till("check", l.id, "--set", "host=http://"+r.address()); code != 1 || !strings.Contains(out, "live") {
		t.Errorf("till check: exit code %d\n%s", code, out)
	}
	// The host holds for the next command as well.
	fresh := l.rotate("--secret", "admin_password="+r.file("password", r.password))
	if who := r.whoami(token); who != "" {
		t.Errorf("the old token is %s's still", who)
	}
	for name, token := range map[string]string{"new": fresh, "other": other} {
		if who := r.whoami(token); who != r.user {
			t.Errorf("the %s token is %q's", name, who)
		}
	}
	r.npmWhoami(l)
}

// TestRealVerdaccioLogin: what npm login has made is in no list, and nothing but
// another password ends it. Until then till says that it is alive.
func TestRealVerdaccioLogin(t *testing.T) {
	r := startVerdaccio(t)
	token := r.token("PUT", "/-/user/org.couchdb.user:"+r.user+"/-rev/1", map[string]any{"name": r.user, "password": r.password})
	l := plant(t, ".npmrc", r.npmrc(token), token, r.password)
	l.find("config-files-npmrc-auth-token")
	flags := []string{"--public", "--set", "user=" + r.user, "--set", "host=http://" + r.address(), "--secret", "admin_password=" + r.file("password", r.password)}
	out, code := l.till(append([]string{"rotate", l.id, "--yes", "--reason", "leaked", "--max", "1"}, flags...)...)
	if code != 1 || !strings.Contains(out, "no such key") || strings.Contains(l.record(), string(rotate.Confirmed)) {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	if who := r.whoami(token); who != r.user {
		t.Fatalf("the token is %q's: nothing should have ended it", who)
	}
	if out, code := l.till("check", l.id, "--set", "host=http://"+r.address()); code != 1 || !strings.Contains(out, "live") {
		t.Errorf("till check: exit code %d\n%s", code, out)
	}
	fresh := rotate.Password(20).Reveal()
	if code, text := r.call("POST", "/-/npm/v1/user", "", map[string]any{"password": map[string]string{"old": r.password, "new": fresh}}); code != http.StatusOK {
		t.Fatalf("another password: %d %s", code, text)
	}
	r.password = fresh
	l.secrets = append(l.secrets, fresh)
	r.file("password", fresh)
	now := l.rotate(flags...)
	if who := r.whoami(token); who != "" {
		t.Errorf("the old token is %s's still", who)
	}
	if who := r.whoami(now); who != r.user {
		t.Errorf("the new token is %q's", who)
	}
	r.npmWhoami(l)
}

//go:build linux

package server_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/till-sh/till/rotate"
)

// gitea is a server with one user.
type gitea struct {
	*instance
	user, password string
}

// startGitea starts what testdata/gitea/build.sh has built in the folder that
// TILL_GITEA names.
func startGitea(t *testing.T) *gitea {
	t.Helper()
	dir := os.Getenv("TILL_GITEA")
	if dir == "" {
		t.Skip("Gitea is not built: TILL_GITEA names no folder with it (testdata/gitea/build.sh)")
	}
	binary := filepath.Join(dir, "gitea")
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("TILL_GITEA: %v", err)
	}
	g := &gitea{instance: newInstance(t), user: "ada", password: rotate.Password(20).Reveal()}
	who := "nobody"
	if g.cred == nil {
		who = os.Getenv("USER")
	}
	conf := g.file("app.ini", strings.Join([]string{
		"RUN_MODE = prod", "RUN_USER = " + who, "WORK_PATH = " + g.dir,
		"[server]", "PROTOCOL = http", "HTTP_ADDR = 127.0.0.1", "HTTP_PORT = " + strconv.Itoa(g.port), "ROOT_URL = http://" + g.address() + "/",
		"STATIC_ROOT_PATH = " + filepath.Join(dir, "source"), "DISABLE_SSH = true", "OFFLINE_MODE = true",
		"[database]", "DB_TYPE = sqlite3", "PATH = " + g.dir + "/gitea.db", "[repository]", "ROOT = " + g.dir + "/repositories",
		"[security]", "INSTALL_LOCK = true", "PASSWORD_HASH_ALGO = pbkdf2", "[log]", "MODE = console", "LEVEL = Warn", "",
	}, "\n"))
	at := []string{"--config", conf, "--work-path", g.dir}
	g.run("", binary, append(at, "migrate")...)
	g.run("", binary, append(at, "admin", "user", "create", "--username", g.user, "--password", g.password, "--email", "ada@acme.example", "--must-change-password=false")...)
	g.start(g.listens, syscall.SIGTERM, binary, append(at, "web")...)
	waitUntil(t, func() bool {
		res, err := http.Get("http://" + g.address() + "/api/v1/version")
		if err == nil {
			_ = res.Body.Close()
		}
		return err == nil && res.StatusCode == http.StatusOK
	})
	return g
}

// call makes a request: with a token, or with "" as the user.
func (g *gitea) call(method, path, token string, body any, answer any) int {
	g.t.Helper()
	code, text := g.send(method, "/api/v1"+path, body, func(q *http.Request) {
		if token != "" {
			q.Header.Set("Authorization", "token "+token)
		} else {
			q.SetBasicAuth(g.user, g.password)
		}
	})
	if answer != nil {
		if err := json.Unmarshal([]byte(text), answer); err != nil {
			g.t.Fatalf("%s: %d %s", path, code, text)
		}
	}
	return code
}

// listed are the scopes of the user's tokens, by name.
func (g *gitea) listed() map[string]string {
	g.t.Helper()
	var all []struct {
		Name   string
		Scopes []string
	}
	g.call("GET", "/users/"+g.user+"/tokens", "", nil, &all)
	out := map[string]string{}
	for _, a := range all {
		out[a.Name] = strings.Join(a.Scopes, " ")
	}
	return out
}

// TestRealGitea: a token of a server of one's own, which is named once. The new
// one has the scopes of the old one; another token stays.
func TestRealGitea(t *testing.T) {
	g := startGitea(t)
	create := func(name string, scopes ...string) string {
		var made struct{ SHA1 string }
		g.call("POST", "/users/"+g.user+"/tokens", "", map[string]any{"name": name, "scopes": scopes}, &made)
		return made.SHA1
	}
	token, other := create("deploy", "read:user", "write:repository"), create("other", "read:user")
	l := plant(t, ".env", "GITEA_URL=http://"+g.address()+"\nGITEA_TOKEN="+token+"\n", token, g.password)
	l.find("gitea-access-token")
	if out, code := l.till("check", l.id); code != 2 || !strings.Contains(out, "--set host=http://"+g.address()) {
		t.Errorf("a host that stands in a file was asked, or is not proposed: exit code %d\n%s", code, out)
	}
	if out, code := l.till("check", l.id, "--set", "host=http://"+g.address()); code != 1 || !strings.Contains(out, "live") || !strings.Contains(out, g.user) {
		t.Errorf("till check: exit code %d\n%s", code, out)
	}
	before := g.listed()
	fresh := l.rotate("--secret", "admin_password="+g.file("password", g.password))
	for name, tt := range map[string]struct {
		token string
		want  int
	}{"old": {token, http.StatusUnauthorized}, "new": {fresh, http.StatusOK}, "other": {other, http.StatusOK}} {
		if code := g.call("GET", "/user", tt.token, nil, nil); code != tt.want {
			t.Errorf("the %s token: %d, want %d", name, code, tt.want)
		}
	}
	now := g.listed()
	if _, ok := now["deploy"]; ok || len(now) != 2 || now["other"] != before["other"] {
		t.Errorf("tokens now: %v", now)
	}
	for name, scopes := range now {
		if name != "other" && scopes != before["deploy"] {
			t.Errorf("the new token may %s, the old one %s", scopes, before["deploy"])
		}
	}
	if out, code := l.till("check", l.id); code != 0 || !strings.Contains(out, "dead") {
		t.Errorf("till check afterwards: exit code %d\n%s", code, out)
	}
}

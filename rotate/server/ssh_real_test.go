//go:build linux

package server_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rotate/server"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// sshServer is an sshd that lets in whoever runs the test, with a home and an
// authorized_keys of its own.
type sshServer struct {
	*instance
	home string
	keys string // authorized_keys
	user string
	host string // public half of its host key
}

// keyPair makes a pair as its owner would, and returns both halves.
func keyPair(t *testing.T, kind string, flags ...string) (private, public string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	args := append([]string{"-q", "-t", kind, "-N", "", "-C", "deploy@acme", "-f", file}, flags...)
	if out, err := exec.Command(program(t, "ssh-keygen"), args...).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	read := func(name string) string {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(data))
	}
	return read(file), read(file + ".pub")
}

// startSSH starts an sshd of our own whose authorized_keys is given. It runs as
// we do, since it lets in nobody else otherwise.
func startSSH(t *testing.T, authorized string) *sshServer {
	t.Helper()
	sshd := program(t, "sshd", "/usr/sbin", "/usr/lib/openssh") // sshd wants to be called by its whole path
	program(t, "ssh")
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	s := &sshServer{instance: newInstance(t), user: me.Username}
	s.cred = nil
	if os.Geteuid() == 0 { // where sshd shuts itself in
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Skipf("sshd needs /run/sshd: %v", err)
		}
		if err := os.Chown(s.dir, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	s.home = filepath.Join(s.dir, "home")
	s.keys = filepath.Join(s.home, ".ssh", "authorized_keys")
	if err := os.MkdirAll(filepath.Dir(s.keys), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.keys, []byte(authorized), 0o640); err != nil {
		t.Fatal(err)
	}
	var private string
	private, s.host = keyPair(t, "ed25519")
	s.file("host_key", private+"\n")
	s.file("sshd_config", strings.Join([]string{
		fmt.Sprintf("Port %d", s.port), "ListenAddress 127.0.0.1", "HostKey " + s.dir + "/host_key", "PidFile none", "UsePAM no", "StrictModes no",
		"AuthorizedKeysFile " + s.keys, "SetEnv HOME=" + s.home, "PermitRootLogin prohibit-password", "PasswordAuthentication no", "KbdInteractiveAuthentication no", "",
	}, "\n"))
	s.start(s.listens, syscall.SIGTERM, sshd, "-D", "-e", "-f", s.dir+"/sshd_config")
	return s
}

// config is the owner's ssh configuration in which the servers have names.
func config(t *testing.T, servers map[string]*sshServer, more string) string {
	t.Helper()
	dir := t.TempDir()
	var conf, known strings.Builder
	for name, s := range servers {
		fmt.Fprintf(&conf, "Host %s\n  HostName 127.0.0.1\n  Port %d\n  User %s\n", name, s.port, s.user)
		fmt.Fprintf(&known, "[127.0.0.1]:%d %s\n", s.port, s.host)
	}
	fmt.Fprintf(&conf, "Host *\n  IdentityAgent none\n  UserKnownHostsFile %s/known\n%s", dir, more)
	if !strings.Contains(more, "IdentityFile") {
		conf.WriteString("  IdentityFile none\n")
	}
	for name, text := range map[string]string{"config": conf.String(), "known": known.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "config")
}

// login signs in with a private key, by ssh itself, and returns what it says.
func (s *sshServer) login(private string) string {
	s.t.Helper()
	dir := s.t.TempDir()
	for name, text := range map[string]string{"key": private + "\n", "known": fmt.Sprintf("[127.0.0.1]:%d %s\n", s.port, s.host)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	out, _ := exec.Command("ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentityAgent=none", "-o", "UserKnownHostsFile="+dir+"/known", "-i", dir+"/key",
		"-p", fmt.Sprint(s.port), s.user+"@127.0.0.1", "echo in").CombinedOutput()
	return strings.TrimSpace(string(out))
}

func (s *sshServer) check(old, fresh string) {
	s.t.Helper()
	if out := s.login(old); !strings.Contains(out, "Permission denied") {
		s.t.Errorf("the old key: %s", out)
	}
	if out := s.login(fresh); out != "in" {
		s.t.Errorf("the new key: %s", out)
	}
}

func (s *sshServer) authorized() string {
	s.t.Helper()
	data, err := os.ReadFile(s.keys)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(data)
}

// telling are the lines of a private key that tell it: not the first ones, which
// all keys of a kind share and in which the public half stands.
func telling(private string) []string {
	lines := strings.Split(strings.ReplaceAll(private, `\n`, "\n"), "\n")
	out := []string{private}
	for _, l := range lines[len(lines)/2 : len(lines)-1] {
		if len(l) > 30 {
			out = append(out, l)
		}
	}
	return out
}

// publicOf is what ssh-keygen says is the public half, without a comment.
func publicOf(t *testing.T, private string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(private+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ssh-keygen", "-y", "-f", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(out))
	return f[0] + " " + f[1]
}

// TestRealSSH: a key that two servers let in, to one with options. Only its line
// changes, on both; the file in the work tree keeps its mode.
func TestRealSSH(t *testing.T) {
	private, public := keyPair(t, "ed25519")
	_, ada := keyPair(t, "ed25519")
	shop := startSSH(t, "# who may deploy\n"+ada+"\n"+public+"\nnot a key at all")
	stock := startSSH(t, `from="127.0.0.0/8",no-agent-forwarding `+public)
	l := plant(t, "deploy_key", private+"\n", telling(private)...)
	l.mode = 0o600
	if err := os.Chmod(filepath.Join(l.repo, l.file), l.mode); err != nil {
		t.Fatal(err)
	}
	l.find("private-key-openssh")
	conf := config(t, map[string]*sshServer{"shop": shop, "stock": stock}, "")

	if out, code := l.till("check", l.id, "--set", "server=shop,stock", "--set", "ssh_config="+conf); code != 1 || !strings.Contains(out, "live") {
		t.Fatalf("till check: exit code %d\n%s", code, out)
	}
	if out, _ := l.till("rotate", l.id, "--dry-run", "--set", "server=shop,stock", "--set", "ssh_config="+conf); !strings.Contains(out, "authorized_keys behind the old one") {
		t.Errorf("the dry run does not say what would be done:\n%s", out)
	}
	fresh := l.rotate("--set", "server=shop,stock", "--set", "ssh_config="+conf)
	l.secrets = append(l.secrets, telling(fresh)...)
	l.silent("the record", l.record())
	shop.check(private, fresh)
	stock.check(private, fresh)
	now := publicOf(t, fresh)
	comment := strings.TrimSuffix(strings.TrimPrefix(stock.authorized(), `from="127.0.0.0/8",no-agent-forwarding `+now+" "), "\n")
	if comment == "" || strings.ContainsAny(comment, " \n") {
		t.Errorf("authorized_keys of stock:\n%s", stock.authorized())
	}
	if want := "# who may deploy\n" + ada + "\n" + now + " " + comment + "\nnot a key at all"; shop.authorized() != want {
		t.Errorf("authorized_keys of shop:\n%s\nwant:\n%s", shop.authorized(), want)
	}
	if info, err := os.Stat(shop.keys); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode of authorized_keys has changed: %v %v", info.Mode(), err)
	}
	if data, err := os.ReadFile(shop.keys + ".till-" + strings.ToLower(l.id)); err != nil || !strings.Contains(string(data), public) {
		t.Errorf("the copy: %v\n%s", err, data)
	}
	// Asked again it is dead still; by the new key's eyes no more, but by the owner's.
	conf = config(t, map[string]*sshServer{"shop": shop, "stock": stock}, "  IdentityFile "+filepath.Join(l.repo, l.file)+"\n")
	l.git("config", "user.name", "Ada")
	if out, code := l.till("check", l.id, "--set", "server=shop,stock", "--set", "ssh_config="+conf); code != 0 || !strings.Contains(out, "does not hold the key") {
		t.Errorf("till check afterwards: exit code %d\n%s", code, out)
	}
}

// TestRealSSHEscaped: an RSA key with escaped line ends in a .env file, taken
// away and, by the adapter, put back.
func TestRealSSHEscaped(t *testing.T) {
	private, public := keyPair(t, "rsa", "-m", "PEM", "-b", "2048")
	s := startSSH(t, public+"\n")
	escaped := strings.ReplaceAll(private, "\n", `\n`)
	l := plant(t, ".env", `DEPLOY_KEY="`+escaped+"\"\nPORT=80\n", telling(escaped)...)
	l.find("private-key-rsa")
	conf := config(t, map[string]*sshServer{"shop": s}, "")
	fresh := l.rotate("--set", "server=shop", "--set", "ssh_config="+conf)
	plain := strings.ReplaceAll(fresh, `\n`, "\n")
	s.check(private, plain)

	j := &rotate.Job{
		Leak:  rotate.Leak{ID: l.id, Secret: scanner.NewSecret([]byte(escaped)), Rule: ruleOf(t, "private-key-rsa")},
		New:   &rotate.Issued{Secret: scanner.NewSecret([]byte(fresh))},
		Given: map[string]string{"server": "shop", "ssh_config": conf}, Run: rotate.Programs{}, Redact: &call.Redactor{}, Now: time.Now,
	}
	for _, f := range server.Funcs() {
		if f.Name != "ssh-key-off" {
			continue
		}
		for range 2 { // twice is no error
			if err := f.Adapter.(rotate.Undoer).Undo(t.Context(), j); err != nil {
				t.Fatal(err)
			}
		}
		if out := s.login(private); out != "in" || !strings.HasPrefix(s.authorized(), public+"\n") {
			t.Fatalf("it was not put back: %s\n%s", out, s.authorized())
		}
		// The first key of the list goes first where there is no new one, unless it is the only one.
		j.New = nil
		if err := f.Adapter.(rotate.Revoker).Revoke(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		if out := s.login(private); !strings.Contains(out, "Permission denied") {
			t.Errorf("the old key: %s", out)
		}
		if err := os.WriteFile(s.keys, []byte(public+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := f.Adapter.(rotate.Revoker).Revoke(t.Context(), j); err == nil || !strings.Contains(err.Error(), "the only key") {
			t.Errorf("the only key was taken away: %v", err)
		}
	}
}

// TestRealSSHPublic: what everybody can read goes first. The new key gets the
// options of the old line, which has gone by then; the owner's own login does it.
func TestRealSSHPublic(t *testing.T) {
	private, public := keyPair(t, "ecdsa", "-m", "PEM")
	eyes, see := keyPair(t, "ed25519")
	s := startSSH(t, see+"\nno-pty "+public+"\n")
	own := filepath.Join(t.TempDir(), "own")
	if err := os.WriteFile(own, []byte(eyes+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := plant(t, "deploy.pem", private+"\n", telling(private)...)
	l.find("private-key-ec")
	conf := config(t, map[string]*sshServer{"shop": s}, "  IdentityFile "+own+"\n")
	fresh := l.rotate("--public", "--set", "server=shop", "--set", "ssh_config="+conf)
	s.check(private, fresh)
	if want := see + "\nno-pty " + publicOf(t, fresh) + " "; !strings.HasPrefix(s.authorized(), want) || strings.Count(s.authorized(), "\n") != 2 {
		t.Errorf("authorized_keys:\n%s\nwant:\n%s", s.authorized(), want)
	}
}

func ruleOf(t *testing.T, id string) *rules.Rule {
	t.Helper()
	for _, p := range rules.Builtin().Providers {
		for i := range p.Rules {
			if p.Rules[i].ID == id {
				return &p.Rules[i]
			}
		}
	}
	t.Fatalf("no rule %s", id)
	return nil
}

// TestRealSSHRefused: what is not clear is unknown, and nothing was changed.
func TestRealSSHRefused(t *testing.T) {
	private, public := keyPair(t, "ed25519")
	eyes, see := keyPair(t, "ed25519")
	s := startSSH(t, public+"\n"+see+"\n")
	key := filepath.Join(t.TempDir(), "eyes")
	if err := os.WriteFile(key, []byte(eyes+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	conf := config(t, map[string]*sshServer{"shop": s}, "")
	own := config(t, map[string]*sshServer{"shop": s}, "  IdentityFile "+key+"\n")
	stranger := config(t, map[string]*sshServer{"shop": {instance: s.instance, user: s.user, host: see}}, "")
	j := &rotate.Job{
		Leak: rotate.Leak{ID: "PR-TEST", Secret: scanner.NewSecret([]byte(private)), Rule: ruleOf(t, "private-key-openssh")},
		Run:  rotate.Programs{}, Redact: &call.Redactor{}, Now: time.Now, Adapters: &rotate.Adapters{Funcs: server.Funcs()},
	}
	tests := []struct {
		name, config, file string
		want               rotate.Validity
		why                string
	}{
		{"lets it in", conf, public + "\n", rotate.Active, "logged in"},
		{"from elsewhere", own, see + "\n" + `from="192.0.2.1" ` + public + "\n", rotate.Unknown, "still holds"},
		{"nobody can look", conf, see + "\n", rotate.Unknown, "cannot be seen"},
		{"gone", own, see + "\n", rotate.Inactive, "does not hold"},
		{"expired", own, see + "\n" + `expiry-time="20200101" ` + public + "\n", rotate.Unknown, "still holds"},
		{"another server", stranger, public + "\n", rotate.Unknown, "host key"},
		{"forced command", conf, `command="echo hello" ` + public + "\n", rotate.Active, "logged in"},
	}
	for _, tt := range tests {
		if err := os.WriteFile(s.keys, []byte(tt.file), 0o600); err != nil {
			t.Fatal(err)
		}
		j.Given = map[string]string{"server": "shop", "ssh_config": tt.config}
		v, err := j.Verify(t.Context(), j.Leak.Secret)
		if err != nil || v.Validity != tt.want || !strings.Contains(v.Why, tt.why) {
			t.Errorf("%s: %s (%s), %v; want %s (%s)", tt.name, v.Validity, v.Why, err, tt.want, tt.why)
		}
	}
	// sshd reads a second file as well, and a line there may be for another address.
	second := filepath.Join(s.home, ".ssh", "authorized_keys2")
	for name, text := range map[string]string{s.keys: see + "\n", second: `from="192.0.2.1" ` + public + "\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j.Given = map[string]string{"server": "shop", "ssh_config": own}
	if v, err := j.Verify(t.Context(), j.Leak.Secret); err != nil || v.Validity != rotate.Unknown || !strings.Contains(v.Why, "authorized_keys2 holds") {
		t.Errorf("in the second file: %s (%s), %v", v.Validity, v.Why, err)
	}
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	var kept int
	j.Keep = func(rotate.Issued) error { kept++; return nil }
	step := &j.Leak.Rule.Workflow.Reissue[0]
	refuse := func(name, config, file, why string, is error) {
		t.Helper()
		if file != "" {
			if err := os.WriteFile(s.keys, []byte(file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before := s.authorized()
		j.New, j.Given = nil, map[string]string{"server": "shop", "ssh_config": config}
		_, err := j.Issue(t.Context(), step)
		if err == nil || !strings.Contains(err.Error(), why) || is != nil && !errors.Is(err, is) {
			t.Errorf("%s: %v", name, err)
		}
		if s.authorized() != before || kept > 0 {
			t.Errorf("%s: something was changed", name)
		}
	}
	refuse("runs no command", conf, `command="echo hello" `+public+"\n", "may run no command", rotate.ErrDenied)
	refuse("an authority", own, see+"\ncert-authority "+public+"\n", "certificate authority", nil)
	refuse("not in that file", own, see+"\n", "does not hold this key", rotate.ErrNotFound)
	refuse("another server", stranger, public+"\n", "host key", nil)
	if err := os.Rename(s.keys, s.keys+"-real"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.keys+"-real", []byte(public+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(s.keys+"-real", s.keys); err != nil {
		t.Fatal(err)
	}
	j.Given = map[string]string{"server": "shop", "ssh_config": conf}
	if _, err := j.Issue(t.Context(), step); err == nil || !strings.Contains(err.Error(), "is a link") {
		t.Errorf("a link: %v", err)
	}
	if info, err := os.Lstat(s.keys); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v", err)
	}
	j.Given = map[string]string{"server": "-oProxyCommand=touch${IFS}/tmp/x"}
	if v, err := j.Verify(context.Background(), j.Leak.Secret); err != nil || v.Validity != rotate.Unknown || !strings.Contains(v.Why, "expected USER@HOST") {
		t.Errorf("an option as a server: %v %v", v, err)
	}
}

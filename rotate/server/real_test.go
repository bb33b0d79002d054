//go:build linux

package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/till-sh/till/rotate"
)

// The tests of this package that are called TestReal… start servers of their
// own, on a port of this machine and in a folder of their own, and are skipped
// where the programs are not installed. On Debian they come with
//
//	apt-get install postgresql mariadb-server redis-server rabbitmq-server openssh-server
//
// and Verdaccio with npm install in a copy of testdata/verdaccio, which
// TILL_VERDACCIO names; Gitea is built by testdata/gitea/build.sh.

// program finds a server's program, also where Debian puts those that are not
// for everybody's PATH. The test is skipped when it is not there.
func program(t *testing.T, name string, folders ...string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, f := range folders {
		found, _ := filepath.Glob(filepath.Join(f, name))
		if len(found) > 0 {
			return found[len(found)-1]
		}
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// freePort is a port of this machine that nobody listens at.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// An instance is where one server lives.
type instance struct {
	t    *testing.T
	dir  string
	port int
	cred *syscall.Credential // who it runs as, nil: as we do
	env  []string            // more of the environment
	log  *bytes.Buffer
}

// send makes a request with a body of JSON to a server that speaks HTTP.
func (i *instance) send(method, path string, body any, authorize func(*http.Request)) (status int, answer string) {
	i.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		i.t.Fatal(err)
	}
	q, err := http.NewRequest(method, "http://"+i.address()+path, bytes.NewReader(data))
	if err != nil {
		i.t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	authorize(q)
	res, err := (&http.Client{Timeout: 20 * time.Second}).Do(q)
	if err != nil {
		i.t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(text)
}

// newInstance makes a folder that belongs to whoever the server runs as. Most
// servers refuse to run as root.
func newInstance(t *testing.T) *instance {
	t.Helper()
	dir, err := os.MkdirTemp("", "till-server-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	in := &instance{t: t, dir: dir, port: freePort(t), log: &bytes.Buffer{}}
	if os.Geteuid() == 0 {
		u, err := user.Lookup("nobody")
		if err != nil {
			t.Skipf("runs as root, and there is no user to run the server as: %v", err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		in.cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	return in
}

// file writes a file that the server can read.
func (in *instance) file(name, content string) string {
	in.t.Helper()
	path := filepath.Join(in.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		in.t.Fatal(err)
	}
	if in.cred != nil {
		if err := os.Chown(path, int(in.cred.Uid), int(in.cred.Gid)); err != nil {
			in.t.Fatal(err)
		}
	}
	return path
}

func (in *instance) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = in.dir
	cmd.Env = append(append(os.Environ(), "HOME="+in.dir, "LC_ALL=C"), in.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: in.cred, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// run runs a program to its end.
func (in *instance) run(stdin, name string, args ...string) {
	in.t.Helper()
	cmd := in.command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		in.t.Fatalf("%s: %v\n%s", filepath.Base(name), err, out)
	}
}

// start starts the server, waits until ready says nil, and stops it at the end
// of the test.
func (in *instance) start(ready func() error, stop syscall.Signal, name string, args ...string) {
	in.t.Helper()
	in.begin(in.command(name, args...), ready, stop)
}

func (in *instance) begin(cmd *exec.Cmd, ready func() error, stop syscall.Signal) {
	in.t.Helper()
	var mu sync.Mutex
	cmd.Stdout = writerFunc(func(p []byte) (int, error) { mu.Lock(); defer mu.Unlock(); return in.log.Write(p) })
	cmd.Stderr = cmd.Stdout
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		in.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	in.t.Cleanup(func() {
		_ = cmd.Process.Signal(stop)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it has started; the group is ours
	})
	var last error
	for end := time.Now().Add(4 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		select {
		case err := <-ended:
			ended <- err
			mu.Lock()
			defer mu.Unlock()
			in.t.Fatalf("%s ended: %v\n%s", filepath.Base(cmd.Path), err, in.log)
		default:
		}
		if last = ready(); last == nil {
			return
		}
	}
	in.t.Fatalf("%s does not answer: %v", filepath.Base(cmd.Path), last)
}

// listens is nil once somebody accepts connections at the instance's port.
func (in *instance) listens() error {
	c, err := net.DialTimeout("tcp", in.address(), time.Second)
	if err == nil {
		_ = c.Close()
	}
	return err
}

func (in *instance) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(in.port)) }

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

var buildTill = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "till-bin-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "till")
	out, err := exec.Command("go", "build", "-o", path, "../../cmd/till").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := buildTill(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// A leak is a password that stands in a repository: committed once, and still in
// a file that git does not track any more.
type leak struct {
	t       *testing.T
	repo    string
	file    string
	mode    fs.FileMode
	secrets []string // what must be seen nowhere
	more    []string // of the environment
	id      string
}

// plant makes a repository in which text is committed as file.
func plant(t *testing.T, file, text string, secrets ...string) *leak {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	l := &leak{t: t, repo: t.TempDir(), file: file, mode: 0o640, secrets: secrets}
	l.git("init", "-q", "-b", "main", ".")
	l.write(file, text)
	l.git("add", "-A")
	l.git("commit", "-q", "-m", "settings")
	l.git("rm", "-q", "--cached", file)
	l.write(".gitignore", file+"\n")
	l.git("add", ".gitignore")
	l.git("commit", "-q", "-m", "settings are no source")
	return l
}

func (l *leak) write(name, text string) {
	l.t.Helper()
	if err := os.WriteFile(filepath.Join(l.repo, name), []byte(text), 0o640); err != nil {
		l.t.Fatal(err)
	}
}

func (l *leak) read() string {
	l.t.Helper()
	data, err := os.ReadFile(filepath.Join(l.repo, l.file))
	if err != nil {
		l.t.Fatal(err)
	}
	return string(data)
}

func (l *leak) git(args ...string) {
	l.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = l.repo, l.env()
	if out, err := cmd.CombinedOutput(); err != nil {
		l.t.Fatalf("git %s: %v\n%s", args[0], err, out)
	}
}

func (l *leak) env() []string {
	return append(os.Environ(), "HOME="+l.repo+"/.git", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@acme.example",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@acme.example", "XDG_STATE_HOME="+l.repo+"/.git/state", "CI=", "GITHUB_ACTIONS=", "TILL_LEDGER=")
}

// till makes the program ready to run in the repository.
func (l *leak) command(args ...string) *exec.Cmd {
	l.t.Helper()
	path, err := buildTill()
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(l.t.Context(), 2*time.Minute)
	l.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env = l.repo, append(l.env(), l.more...)
	return cmd
}

// till runs it, and returns all it says and its exit code.
func (l *leak) till(args ...string) (string, int) {
	l.t.Helper()
	cmd := l.command(args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		l.t.Fatal(err)
	}
	l.silent("till "+args[0], string(out))
	return string(out), cmd.ProcessState.ExitCode()
}

// find scans the history for the key of one rule, and remembers its id.
func (l *leak) find(rule string) {
	l.t.Helper()
	cmd := l.command("scan", "--history", "--format", "json")
	out, err := cmd.Output()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 {
		l.t.Fatalf("till scan: %v\n%s", err, out)
	}
	l.silent("till scan", string(out))
	var report struct {
		Keys []struct{ ID, Rule string }
	}
	if err := json.Unmarshal(out, &report); err != nil {
		l.t.Fatal(err)
	}
	for _, k := range report.Keys {
		if k.Rule == rule {
			l.id = k.ID
			return
		}
	}
	l.t.Fatalf("till scan has not found a key of %s: %s", rule, out)
}

// silent fails when a text holds a secret.
func (l *leak) silent(where, text string) {
	l.t.Helper()
	for i, s := range l.secrets {
		if s != "" && strings.Contains(text, s) {
			l.t.Errorf("%s tells secret %d", where, i)
		}
	}
}

// rotate runs till rotate without a person and demands that it goes through: the
// case is confirmed, the old value is gone from the file. It returns the new one,
// and looks for both in everything that others can see.
func (l *leak) rotate(flags ...string) (fresh string) {
	l.t.Helper()
	before := l.read()
	watch := watchProcesses()
	out, code := l.till(append([]string{"rotate", l.id, "--yes", "--reason", "leaked in a commit", "--max", "1"}, flags...)...)
	seen := watch()
	if code != 0 {
		l.t.Fatalf("till rotate: exit code %d\n%s", code, out)
	}
	l.t.Log(out)
	fresh = l.replaced(before)
	l.secrets = append(l.secrets, fresh)
	l.silent("till rotate", out)
	l.silent("the process list", seen)
	l.silent("the record", l.record())
	if !strings.Contains(l.record(), string(rotate.Confirmed)) {
		l.t.Errorf("the record does not say confirmed:\n%s", l.record())
	}
	if out, code := l.till("rotate", "--list"); code != 0 {
		l.t.Errorf("a case is open: %s", out)
	}
	return fresh
}

// leakAgain commits what stands in the file now, at the same place as before, and
// demands that a closed case of that place is taken for open.
func (l *leak) leakAgain(value string) {
	l.t.Helper()
	l.secrets[0] = value
	l.git("add", "-f", l.file)
	l.git("commit", "-q", "-m", "settings again")
	l.git("rm", "-q", "--cached", l.file)
	l.git("commit", "-q", "-m", "away again")
	if out, code := l.till("rotate", "--list"); code != 1 || !strings.Contains(out, "another value leaked at the same place") {
		l.t.Errorf("till rotate --list: exit code %d\n%s", code, out)
	}
	if out, code := l.till("report", "--fail-on-open", "0h"); code != 1 || !strings.Contains(out, "1 case open") {
		l.t.Errorf("till report: exit code %d\n%s", code, out)
	}
}

// replaced is what stands in the file where the old value stood.
func (l *leak) replaced(before string) string {
	l.t.Helper()
	now := l.read()
	head, tail, ok := strings.Cut(before, l.secrets[0])
	if !ok {
		l.t.Fatal("the old value was not in the file")
	}
	fresh, ok := strings.CutPrefix(now, head)
	if fresh, ok = strings.CutSuffix(fresh, tail); !ok || fresh == "" || fresh == l.secrets[0] {
		l.t.Fatal("the file does not hold a new value in the place of the old one")
	}
	if info, err := os.Stat(filepath.Join(l.repo, l.file)); err != nil || info.Mode().Perm() != l.mode {
		l.t.Errorf("the file's mode has changed: %v %v", info.Mode(), err)
	}
	return fresh
}

// record is all that till has written below the git directory.
func (l *leak) record() string {
	var all strings.Builder
	_ = filepath.WalkDir(filepath.Join(l.repo, ".git", "till"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			data, _ := os.ReadFile(path)
			all.Write(data)
		}
		return nil
	})
	return all.String()
}

// watchProcesses collects the command lines and environments of all processes
// until the function that it returns is called, which returns them.
func watchProcesses() (stop func() string) {
	seen := map[string]bool{}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			for _, kind := range []string{"cmdline", "environ"} {
				paths, _ := filepath.Glob("/proc/[0-9]*/" + kind)
				for _, p := range paths {
					if data, err := os.ReadFile(p); err == nil && len(data) > 0 {
						seen[string(data)] = true
					}
				}
			}
			select {
			case <-quit:
				return
			case <-time.After(3 * time.Millisecond):
			}
		}
	}()
	return func() string {
		close(quit)
		<-done
		var all strings.Builder
		for s := range seen {
			all.WriteString(s)
			all.WriteByte('\n')
		}
		return all.String()
	}
}

// waitUntil waits for something that the server does a little later.
func waitUntil(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come to that")
		}
	}
}

//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// confined is the variable by which TestConfined starts itself again: the
// program of the command line is run, and the kernel ends it when it asks for a
// socket or for a process.
const confined = "TILL_TEST_CONFINED"

// TestConfined proves that no way of starting till opens a socket or starts a
// process, git's included: till runs under a seccomp filter that kills it for
// either. The same filter kills programs that do, which shows that it works.
func TestConfined(t *testing.T) {
	switch what := os.Getenv(confined); what {
	case "":
	case "socket", "process":
		if err := confine(); err != nil {
			cannotConfine(err)
		}
		if what == "socket" {
			_, _ = net.Listen("tcp", "127.0.0.1:0")
		} else {
			_ = exec.Command(os.Args[0], "-test.run=^$").Run()
		}
		os.Exit(0) // the filter let it through
	default:
		args := strings.Split(what, "\x1f")
		if err := os.Unsetenv(confined); err != nil {
			t.Fatal(err)
		}
		runtime.LockOSThread() // the filter is this thread's, and exec keeps it
		if err := confine(); err != nil {
			cannotConfine(err)
		}
		t.Fatal(syscall.Exec(args[0], args, os.Environ()))
	}

	for _, what := range []string{"socket", "process"} {
		code, killed, _ := startConfined(t, t.TempDir(), "", what)
		if code == cannot {
			t.Skip("this kernel takes no seccomp filter from us, so nothing can be proved here")
		}
		if !killed {
			t.Fatalf("a program that asks for a %s was not stopped (exit %d): the filter is worth nothing", what, code)
		}
	}

	till := filepath.Join(t.TempDir(), "till")
	build := exec.Command("go", "build", "-o", till, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("cannot build till here: %v\n%s", err, out)
	}
	dir, key, ids := repositoryWithKey(t)
	none := strings.Repeat("0", 40)
	for _, c := range []struct {
		args  string
		stdin string
		code  int
	}{
		{"hook pre-commit", "", exitFound},
		{"hook pre-commit --report sarif=out.sarif --format json", "", exitFound},
		{"hook commit-msg message", "", exitFound},
		{"hook pre-push origin https://git.example/x", "refs/heads/main HEAD refs/heads/main " + none, exitFound},
		{"hook pre-receive", "HEAD NEW refs/heads/main", exitFound},
		{"scan .", "", exitFound},
		{"scan --staged", "", exitFound},
		{"scan --history --unreachable", "", exitFound},
		{"scan --range HEAD~1..HEAD", "", exitFound},
		{"scan -", "token = " + key, exitFound},
		{"ci --base HEAD~1", "", exitFound},
		{"rules list", "", exitClean},
		{"config", "", exitClean},
		{"allowed", "", exitClean},
		{"version", "", exitClean},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			code, killed, out := startConfined(t, dir, ids.Replace(c.stdin), strings.Join(append([]string{till}, strings.Fields(c.args)...), "\x1f"))
			switch {
			case killed:
				t.Errorf("till %s asked for a socket or a process", c.args)
			case code != c.code:
				t.Errorf("till %s: exit %d, want %d\n%s", c.args, code, c.code, out)
			}
			if strings.Contains(out, key) {
				t.Errorf("till %s printed the key", c.args)
			}
		})
	}
}

// cannot is the exit code of a process that could not put itself under the filter.
const cannot = 77

func cannotConfine(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(cannot)
}

// startConfined starts this test again with what in its environment, in dir.
func startConfined(t *testing.T, dir, stdin, what string) (code int, killed bool, out string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestConfined$")
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(stdin)
	var buf bytes.Buffer
	cmd.Stdout, cmd.Stderr = &buf, &buf
	cmd.Env = append(gitEnv(dir), confined+"="+what)
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return status.ExitStatus(), status.Signaled() && status.Signal() == syscall.SIGSYS, buf.String()
}

// gitEnv is the environment without what a person, a CI system or a git hook
// around this test has set.
func gitEnv(home string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C.UTF-8", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org",
	}
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, gitEnv(dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// repositoryWithKey makes a repository whose configuration names programs and
// servers wherever git would run or ask one, with a key that is committed,
// staged, and in a message. ids puts in the commits HEAD and NEW, which no ref
// reaches yet, as a server sees it before it takes a push.
func repositoryWithKey(t *testing.T) (dir, key string, ids *strings.Replacer) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	key, err := makeKey("CONFINED", "github")
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, "init", "-q", "-b", "main")
	write("a.txt", "nothing\n")
	git(t, dir, "add", "a.txt")
	git(t, dir, "commit", "-q", "-m", "first")
	write("a.py", fmt.Sprintf("token = %q\n", key))
	git(t, dir, "add", "a.py")
	git(t, dir, "commit", "-q", "-m", "second")
	write("b.py", fmt.Sprintf("other = 1\ntoken = %q\n", key))
	write("message", "subject\n\ntoken "+key+"\n")
	write(".gitattributes", "*.py filter=run diff=run\n")
	git(t, dir, "add", "b.py", ".gitattributes")
	received := git(t, dir, "commit-tree", "-p", "HEAD", "-m", "received", git(t, dir, "write-tree"))
	ids = strings.NewReplacer("HEAD", git(t, dir, "rev-parse", "HEAD"), "NEW", received)
	for _, set := range [][2]string{
		{"filter.run.clean", "false"}, {"filter.run.process", "false"}, {"diff.run.textconv", "false"}, {"diff.external", "false"},
		{"core.fsmonitor", "false-fsmonitor"}, {"core.hooksPath", dir}, {"core.sshCommand", "false"}, {"credential.helper", "false"},
		{"remote.origin.url", "https://git.example/x"}, {"remote.origin.promisor", "true"}, {"remote.origin.partialclonefilter", "blob:none"},
		{"gpg.program", "false"}, {"log.showSignature", "true"},
	} {
		git(t, dir, "config", set[0], set[1])
	}
	return dir, key, ids
}

// confine puts the calling thread, and what it executes, under a seccomp filter
// (https://docs.kernel.org/userspace-api/seccomp_filter.html) that kills the
// process for a new socket or a new process. io_uring can make sockets on its
// own and goes with them. Threads may be started, but through clone alone: of
// clone3 a filter cannot see the flags, and without it libraries take clone.
func confine() error {
	const (
		nr, arch, arg0 = 0, 4, 16 // offsets in struct seccomp_data; the low half of arg0 on little-endian systems
		load           = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal          = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		set            = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		ret            = unix.BPF_RET | unix.BPF_K
		kill           = unix.SECCOMP_RET_KILL_PROCESS
		allow          = unix.SECCOMP_RET_ALLOW
		absent         = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	)
	own := uint32(unix.AUDIT_ARCH_X86_64)
	if runtime.GOARCH == "arm64" {
		own = unix.AUDIT_ARCH_AARCH64
	}
	filter := []unix.SockFilter{
		{Code: load, K: arch},
		{Code: equal, K: own, Jt: 1},
		{Code: ret, K: kill},
		{Code: load, K: nr},
		{Code: equal, K: unix.SYS_SOCKET, Jt: 6},
		{Code: equal, K: unix.SYS_SOCKETPAIR, Jt: 5},
		{Code: equal, K: unix.SYS_IO_URING_SETUP, Jt: 4},
		{Code: equal, K: unix.SYS_CLONE3, Jt: 4},
		{Code: equal, K: unix.SYS_CLONE, Jf: 4},
		{Code: load, K: arg0},
		{Code: set, K: unix.CLONE_THREAD, Jt: 2},
		{Code: ret, K: kill},
		{Code: ret, K: absent},
		{Code: ret, K: allow},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl(PR_SET_NO_NEW_PRIVS): %w", err)
	}
	// Every thread, since the Go runtime chooses where a goroutine runs.
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(filter)
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}

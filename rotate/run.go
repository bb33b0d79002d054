package rotate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// A Runner starts a program of the owner (a vendor's command line) and returns
// what it printed. Secrets go in through stdin alone; arguments and environment
// are seen by other processes. The program runs outside of the scanned
// repository, so that no configuration in it has a say.
type Runner interface {
	// Find returns the path of a program, or an error that names it.
	Find(name string) (string, error)
	// Run starts it. The error of a failed program holds its last words, which
	// the caller must redact.
	Run(ctx context.Context, words []string, stdin string) (stdout string, err error)
}

// Programs is the Runner of the real world. Dir is where programs run.
type Programs struct{ Dir string }

// programTimeout is long: some command lines open a browser to sign in.
const programTimeout = 5 * time.Minute

// Find looks in PATH. A path relative to the current folder is refused, since
// that folder is the scanned repository.
func (Programs) Find(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil || !filepath.IsAbs(path) {
		return "", fmt.Errorf("%s is not installed", name)
	}
	return path, nil
}

// Run starts a program with the owner's environment.
func (p Programs) Run(ctx context.Context, words []string, stdin string) (string, error) {
	if len(words) == 0 {
		return "", errors.New("no program")
	}
	path, err := p.Find(words[0])
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, programTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, words[1:]...)
	cmd.Dir = p.Dir
	if cmd.Dir == "" {
		// Programs look for their settings here and above, and anybody may write to
		// the folder for temporary files.
		if cmd.Dir = "/"; runtime.GOOS == "windows" {
			cmd.Dir = os.TempDir()
		}
	}
	cmd.Stdin = strings.NewReader(stdin)
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &limited{&stdout}, &limited{&stderr}
	if err := cmd.Run(); err != nil {
		last := strings.TrimSpace(stderr.String())
		if last == "" {
			return stdout.String(), fmt.Errorf("%s: %w", words[0], err)
		}
		return stdout.String(), fmt.Errorf("%s: %w: %s", words[0], err, oneLine(last))
	}
	return stdout.String(), nil
}

// limited keeps the first megabyte of what a program says.
type limited struct{ b *bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if room := 1<<20 - l.b.Len(); room > 0 {
		l.b.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

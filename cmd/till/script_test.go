package main

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"till": func() {
			e := system()
			e.tune = tuned()
			os.Exit(run(context.Background(), e, os.Args[1:]))
		},
	})
}

// TestScripts runs testdata/script/*.txtar: what a user types, with real git.
// Besides the usual commands a script has
//
//	plant NAME KIND       make up a key and put it into $NAME
//	fill FILE...          replace ${NAME} in files
//	holds FILE NAME       FILE is meant to hold the key of $NAME, and does
//	run [args]            run till; no output may hold a planted key
//	reveal [args]         the same where the output is meant to hold one
//	code N                the last exit code
//
// Every script ends with a look at all files: none but those that were filled
// (and git's own) may hold a planted key.
func TestScripts(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			p := &planted{work: e.WorkDir, filled: map[string]bool{}}
			e.Values[plantedKey{}] = p
			p.stage = newStage(t, func() []string { return p.values })
			e.Setenv("TILL_TEST_VENDOR", p.stage.server.Address())
			e.Setenv("TILL_TEST_VENDOR_CA", string(p.stage.server.PEM()))
			e.Defer(func() {
				if err := p.lookAround(); err != nil {
					t.Errorf("%s: %v", filepath.Base(e.WorkDir), err)
				}
			})
			e.Setenv("HOME", filepath.Join(e.WorkDir, ".home"))
			for k, v := range map[string]string{
				"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
				"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org",
				"GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
				"LC_ALL": "C.UTF-8", "CI": "", "GITHUB_ACTIONS": "", "NO_COLOR": "1",
			} {
				e.Setenv(k, v)
			}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"plant":  cmdPlant,
			"fill":   cmdFill,
			"holds":  cmdHolds,
			"run":    func(ts *testscript.TestScript, neg bool, args []string) { cmdTill(ts, neg, args, false) },
			"reveal": func(ts *testscript.TestScript, neg bool, args []string) { cmdTill(ts, neg, args, true) },
			"code":   cmdCode,
			"vendor": cmdVendor,
			"called": cmdCalled,
			"exists-not": func(ts *testscript.TestScript, _ bool, args []string) {
				if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
					ts.Fatalf("%s exists", args[0])
				}
			},
		},
	})
}

type plantedKey struct{}

// planted remembers the made-up keys of one script.
type planted struct {
	work   string
	values []string
	filled map[string]bool
	code   int
	stage  *stage
}

func of(ts *testscript.TestScript) *planted { return ts.Value(plantedKey{}).(*planted) }

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// makeKey makes a value of a kind, the same for the same name.
func makeKey(name, kind string) (string, error) {
	var seed uint64
	for _, c := range name {
		seed = seed*131 + uint64(c)
	}
	r := rand.New(rand.NewPCG(seed, 1))
	random := func(alphabet string, n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte(alphabet[r.IntN(len(alphabet))])
		}
		return b.String()
	}
	switch kind {
	case "github":
		body := random(base62, 30)
		sum, check := crc32.ChecksumIEEE([]byte(body)), ""
		for ; sum > 0; sum /= 62 {
			check = base62[sum%62:sum%62+1] + check
		}
		return "ghp_" + body + strings.Repeat("0", 6-len(check)) + check, nil
	case "stripe":
		return "sk_live_" + random(base62, 24), nil
	case "awsid":
		return "AKIA" + random("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16), nil
	case "awssecret":
		return random(base62+"+/", 40), nil
	case "password":
		return "k" + random(base62, 6) + "7Tq", nil
	case "fastly":
		return random(base62+"_-", 32), nil
	case "gitlab":
		return "glpat-" + random(base62, 20), nil
	case "acme":
		return "acme_" + random("0123456789abcdef", 24), nil
	}
	return "", fmt.Errorf("unknown kind %q", kind)
}

func cmdPlant(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: plant NAME KIND")
	}
	value, err := makeKey(args[0], args[1])
	ts.Check(err)
	ts.Setenv(args[0], value)
	if args[1] != "awsid" { // the public half may be shown
		of(ts).values = append(of(ts).values, value)
	}
}

func cmdFill(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		path := ts.MkAbs(name)
		data, err := os.ReadFile(path)
		ts.Check(err)
		text := os.Expand(string(data), ts.Getenv)
		ts.Check(os.WriteFile(path, []byte(text), 0o644))
		of(ts).filled[path] = true
	}
}

func cmdHolds(ts *testscript.TestScript, neg bool, args []string) {
	path := ts.MkAbs(args[0])
	if strings.Contains(ts.ReadFile(args[0]), ts.Getenv(args[1])) == neg {
		ts.Fatalf("%s: holds %s: %v", args[0], args[1], neg)
	}
	if !neg {
		of(ts).filled[path] = true
	}
}

func cmdTill(ts *testscript.TestScript, neg bool, args []string, reveal bool) {
	err := ts.Exec("till", args...)
	p := of(ts)
	p.code = 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		p.code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("till: %v", err)
	}
	out := ts.ReadFile("stdout") + ts.ReadFile("stderr")
	for _, v := range p.values {
		if !reveal && strings.Contains(out, v) {
			ts.Fatalf("till %s: the output holds a planted key", strings.Join(args, " "))
		}
	}
	if neg != (p.code != 0) {
		ts.Fatalf("till %s: exit code %d\n%s", strings.Join(args, " "), p.code, out)
	}
}

func cmdCode(ts *testscript.TestScript, _ bool, args []string) {
	if want, err := strconv.Atoi(args[0]); err != nil || of(ts).code != want {
		ts.Fatalf("exit code %d, want %s", of(ts).code, args[0])
	}
}

// lookAround finds planted keys in files that were not made to hold them.
func (p *planted) lookAround() error {
	return filepath.WalkDir(p.work, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || p.filled[path] || strings.HasSuffix(path, "COMMIT_EDITMSG") {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		for _, v := range p.values {
			if strings.Contains(string(data), v) {
				return fmt.Errorf("%s holds a planted key", strings.TrimPrefix(path, p.work))
			}
		}
		return nil
	})
}

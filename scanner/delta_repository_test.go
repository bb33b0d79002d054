package scanner_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/source"
)

// TestDeltaRepositories scans the history of random repositories, packed in
// different ways, once by deltas and once whole. TILL_DELTA_REPOSITORIES says how
// many (500 take some minutes).
func TestDeltaRepositories(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	n := 6
	if testing.Short() {
		n = 2
	}
	if s := os.Getenv("TILL_DELTA_REPOSITORIES"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	e, err := scanner.New(scanner.Options{}, rules.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	w := scanner.NewWriter(t)
	keys := 0
	for seed := range uint64(n) {
		w.Rand = rand.New(rand.NewPCG(seed, 2))
		dir := t.TempDir()
		git := func(input []byte, args ...string) {
			t.Helper()
			cmd := exec.Command("git", args...)
			cmd.Dir, cmd.Stdin = dir, bytes.NewReader(input)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1"}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
			}
		}
		git(nil, "init", "-q", "--bare", "a.git")
		git(nil, "init", "-q", "--bare", "b.git")
		git(nil, "-C", "b.git", "config", "receive.unpackLimit", "1")
		h := history{writer: w, files: map[string][]byte{}}
		same := func(repo string) {
			t.Helper()
			whole, delta := scanHistory(t, e, filepath.Join(dir, repo), true), scanHistory(t, e, filepath.Join(dir, repo), false)
			keys += len(whole)
			if a, b := strings.Join(whole, "\n"), strings.Join(delta, "\n"); a != b {
				t.Fatalf("seed %d, %s: whole\n%s\nby deltas\n%s", seed, repo, a, b)
			}
		}
		for part := range 2 + w.IntN(2) {
			git(h.next(10), "-C", "a.git", "-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", "--force")
			if part == 0 || w.IntN(2) == 0 { // a thin pack, completed by the receiver
				git(nil, "-C", "a.git", "push", "-q", "../b.git", "+refs/heads/*:refs/heads/*")
			}
		}
		same("a.git")
		same("b.git")
		depth, window := []int{1, 2, 10, 50, 250}[w.IntN(5)], []int{2, 10, 50}[w.IntN(3)]
		git(nil, "-C", "a.git", "-c", "repack.useDeltaBaseOffset="+strconv.FormatBool(w.IntN(2) == 0), "repack", "-a", "-d", "-f", "-q",
			fmt.Sprintf("--depth=%d", depth), fmt.Sprintf("--window=%d", window))
		same("a.git")
		_ = os.RemoveAll(dir)
	}
	if keys == 0 {
		t.Error("no repository held a key")
	}
}

// history writes commits for git fast-import.
type history struct {
	writer interface {
		Text() []byte
		Change([]byte) ([]byte, []scanner.Copy)
		IntN(int) int
	}
	files   map[string][]byte
	commits int
}

func (h *history) next(commits int) []byte {
	var out bytes.Buffer
	for range commits {
		h.commits++
		fmt.Fprintf(&out, "commit refs/heads/main\ncommitter A <a@example.org> %d +0000\ndata 1\nx\n", 1_700_000_000+h.commits)
		if h.commits > 1 && out.Len() < 200 {
			fmt.Fprintf(&out, "from refs/heads/main^0\n")
		}
		for range 1 + h.writer.IntN(3) {
			name := fmt.Sprintf("f%d.txt", h.writer.IntN(6))
			data := h.files[name]
			if data == nil || len(data) > 200<<10 {
				data = h.writer.Text()
			} else {
				data, _ = h.writer.Change(data)
			}
			if h.writer.IntN(8) == 0 { // renamed
				fmt.Fprintf(&out, "D %s\n", name)
				delete(h.files, name)
				name = "dir/" + name
			}
			h.files[name] = data
			fmt.Fprintf(&out, "M 100644 inline %s\ndata %d\n%s\n", name, len(data), data)
		}
	}
	return out.Bytes()
}

// scanHistory returns everything that can be seen of the keys of a repository.
func scanHistory(t *testing.T, e *scanner.Engine, dir string, whole bool) []string {
	t.Helper()
	repo, err := source.Discover(dir, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	r, err := scanner.Run(context.Background(), e, source.NewHistory(repo, source.HistoryOptions{Unreachable: true, Whole: whole}), scanner.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Summary.Errors) > 0 {
		t.Fatal(r.Summary.Errors)
	}
	var out []string
	for _, keys := range [][]scanner.Key{r.Keys, r.Suppressed} {
		for i := range keys {
			k := &keys[i]
			s := fmt.Sprint(k.ID, k.Rule.ID, k.Class, k.Secret.Reveal(), k.Facts, k.Exposure, k.Suppressed, k.Fingerprint)
			if k.Partner != nil {
				s += fmt.Sprint(k.Partner.Rule.ID, k.Partner.Secret.Reveal(), k.Partner.Location)
			}
			for _, p := range k.Places {
				s += fmt.Sprint("\n  ", p.Path, p.Where, p.Blob, p.Location, p.Decoded, p.Excerpt)
				if p.Commit != nil {
					s += p.Commit.Hash
				}
			}
			out = append(out, s)
		}
	}
	return append(out, fmt.Sprint(r.Summary))
}

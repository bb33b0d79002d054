package source

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// answering scans with a record and keeps an answer.
func answering(t *testing.T, r *repo, text string) *History {
	t.Helper()
	h := recording(r)
	h.Answer()
	scan(t, h, 2)
	must(t, h.Remember())
	must(t, h.Keep([]byte(text)))
	return h
}

func TestAnswer(t *testing.T) {
	r := wide(t)
	ask := func() string { return string(recording(r).Answer()) }
	if got := ask(); got != "" {
		t.Fatalf("before any scan: %q", got)
	}
	answering(t, r, "one")
	if got := ask(); got != "one" {
		t.Fatalf("after it: %q", got)
	}
	for _, c := range []struct {
		what   string
		change func()
	}{
		{"branch", func() { r.git("branch", "other") }},
		{"commit", func() { r.commit("c", "new.txt", "new\n") }},
		{"loose object", func() { r.object("blob", "dangling") }},
		{"repack", func() { r.git("repack", "-adfq") }},
		{"pack replaced", func() { touch(t, r) }},
		{"tag", func() { r.git("tag", "-a", "-m", "t", "other-tag") }},
		{"remote", func() { r.git("config", "remote.x.url", "https://git.example.org/") }},
		{"HEAD", func() { r.git("symbolic-ref", "HEAD", "refs/heads/other") }},
		{"branch gone", func() { r.git("branch", "-D", "side") }},
		{"shallow", func() {
			must(t, os.WriteFile(r.path(".git/shallow"), []byte(strings.TrimSpace(r.git("rev-parse", "HEAD~1"))+"\n"), 0o644))
		}},
		{"not shallow", func() { must(t, os.Remove(r.path(".git/shallow"))) }},
	} {
		c.change()
		if got := ask(); got != "" {
			t.Errorf("%s: the answer is still %q", c.what, got)
		}
		answering(t, r, "again")
		if got := ask(); got != "again" {
			t.Errorf("%s: after the next scan %q", c.what, got)
		}
	}
}

// touch gives the packs another time.
func touch(t *testing.T, r *repo) {
	packs, err := filepath.Glob(r.path(".git/objects/pack/*.pack"))
	must(t, err)
	if len(packs) == 0 {
		t.Fatal("there is no pack")
	}
	for _, p := range packs {
		info, err := os.Stat(p)
		must(t, err)
		must(t, os.Chtimes(p, info.ModTime(), info.ModTime().Add(-1)))
	}
}

func TestAnswerIsNotBelieved(t *testing.T) {
	r := wide(t)
	answering(t, r, "one")
	files, err := filepath.Glob(r.path(".git/till/" + answerPrefix + "*"))
	must(t, err)
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	good, err := os.ReadFile(files[0])
	must(t, err)
	for name, data := range map[string][]byte{
		"cut": good[:len(good)-1], "empty": nil, "longer": append(bytes.Clone(good), 0),
		"content": bytes.Replace(good, []byte("one"), []byte("two"), 1), "state": append([]byte{good[0] ^ 1}, good[1:]...),
	} {
		must(t, os.WriteFile(files[0], data, 0o600))
		if got := recording(r).Answer(); got != nil {
			t.Errorf("%s: %q", name, got)
		}
	}
	must(t, os.WriteFile(files[0], good, 0o600))
	for name, rec := range map[string]*Record{
		"key":    {Key: []byte("another key"), Config: sha256.Sum256([]byte("config"))},
		"config": {Key: []byte("a key for tests"), Config: sha256.Sum256([]byte("other"))},
	} {
		h := history(r)
		h.UseRecord(rec)
		must(t, os.WriteFile(r.path(".git/"+rec.fileName(answerPrefix)), good, 0o600))
		if got := h.Answer(); got != nil {
			t.Errorf("%s: %q", name, got)
		}
	}
	h := NewHistory(history(r).repo, HistoryOptions{Unreachable: true})
	h.UseRecord(&Record{Key: []byte("a key for tests"), Config: sha256.Sum256([]byte("config"))})
	if got := h.Answer(); got != nil {
		t.Errorf("other options: %q", got)
	}
}

// A repository that changes while it is scanned, or that is damaged, gives no
// answer for the next time.
func TestAnswerNotKept(t *testing.T) {
	r := wide(t)
	h := recording(r)
	h.Answer()
	scan(t, h, 2)
	r.commit("meanwhile", "meanwhile.txt", "x\n")
	must(t, h.Keep([]byte("old")))
	if got := recording(r).Answer(); got != nil {
		t.Errorf("changed: %q", got)
	}
	r.remove(strings.TrimSpace(r.git("rev-parse", "HEAD:meanwhile.txt")))
	h = recording(r)
	h.Answer()
	if got := scan(t, h, 2); len(got.sum.Errors) == 0 {
		t.Fatal("nothing is missing")
	}
	must(t, h.Keep([]byte("damaged")))
	if got := recording(r).Answer(); got != nil {
		t.Errorf("damaged: %q", got)
	}
}

package rotate_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/till-sh/till/rotate"
)

func clock() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

func openLedger(t *testing.T, path string) *rotate.Ledger {
	t.Helper()
	l, err := rotate.OpenLedger(path, "ada@host", clock)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func add(t *testing.T, l *rotate.Ledger, entries ...rotate.Entry) {
	t.Helper()
	for _, e := range entries {
		if err := l.Append(e); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLedger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "till", "ledger.jsonl")
	l := openLedger(t, path)
	add(t, l,
		rotate.Entry{Case: "aa", ID: "ST-7Q4K", Rule: "stripe-live-secret-key", Event: rotate.EventOpened},
		rotate.Entry{Case: "aa", Event: rotate.EventVerdict, Validity: rotate.Active, State: rotate.Assessed},
		rotate.Entry{Case: "bb", ID: "AW-M2XD", Event: rotate.EventOpened},
		rotate.Entry{Case: "aa", Event: rotate.EventIntent, Step: "reissue/0", What: "POST api.example.com"},
		rotate.Entry{Case: "aa", Event: rotate.EventNamed, Names: map[string]string{"key_id": "k7"}},
	)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	l = openLedger(t, path)
	cases := l.Cases()
	if len(cases) != 2 {
		t.Fatalf("%d cases", len(cases))
	}
	c := cases[0]
	if c.ID != "ST-7Q4K" || c.State != rotate.Assessed || c.Validity != rotate.Active || c.Steps["reissue/0"].Mark != rotate.Begun || c.Names["key_id"] != "k7" || c.Who != "ada@host" || !c.Open() {
		t.Errorf("case %+v", c)
	}
	add(t, l, rotate.Entry{Case: "aa", Event: rotate.EventDone, Step: "reissue/0"}, rotate.Entry{Case: "aa", Event: rotate.EventResolved, Resolution: rotate.ResolvedRevoked})
	if c := l.Case("aa"); c.Steps["reissue/0"].Mark != rotate.Done || c.Open() {
		t.Errorf("case %+v", c)
	}
	if got := len(l.Entries("aa")); got != 6 {
		t.Errorf("%d entries of aa", got)
	}
}

// TestLedgerTorn cuts the file at every byte of its last line: what was
// acknowledged before is still there, and the ledger goes on.
func TestLedgerTorn(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.jsonl")
	l := openLedger(t, path)
	add(t, l, rotate.Entry{Case: "aa", ID: "ST-7Q4K", Event: rotate.EventOpened}, rotate.Entry{Case: "aa", Event: rotate.EventNote, What: "first"})
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	add(t, l, rotate.Entry{Case: "aa", Event: rotate.EventNote, What: "second"})
	all, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := len(whole); cut < len(all); cut++ {
		torn := filepath.Join(dir, fmt.Sprint("torn", cut))
		if err := os.WriteFile(torn, all[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		l := openLedger(t, torn)
		had := len(l.Entries("aa"))
		if had != 2 && cut < len(all)-1 || had < 2 {
			t.Fatalf("cut at %d: %d entries", cut, had)
		}
		add(t, l, rotate.Entry{Case: "aa", Event: rotate.EventNote, What: "third"})
		again := openLedger(t, torn)
		entries := again.Entries("aa")
		if len(entries) != had+1 || entries[had].What != "third" {
			t.Fatalf("cut at %d: %d entries after one more", cut, len(entries))
		}
		if cut > len(whole) && cut < len(all)-1 && len(again.Notes()) != 1 {
			t.Errorf("cut at %d: notes %v", cut, again.Notes())
		}
	}
}

func TestLedgerTampered(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l := openLedger(t, path)
	for i := range 4 {
		add(t, l, rotate.Entry{Case: "aa", Event: rotate.EventNote, What: fmt.Sprint("note ", i)})
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(data), "\n")
	for name, tt := range map[string]struct{ text, want string }{
		"changed":  {strings.Replace(string(data), "note 1", "note 9", 1), "line 2 was changed"},
		"taken":    {lines[0] + lines[2] + lines[3], "line 2 does not follow"},
		"swapped":  {lines[0] + lines[2] + lines[1] + lines[3], "line 2 does not follow"},
		"repeated": {lines[0] + lines[0] + lines[1], "line 2 does not follow"},
	} {
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := rotate.OpenLedger(path, "", clock); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
	}
}

// TestLedgerShared: several that write at once lose nothing and keep the chain.
func TestLedgerShared(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			l, err := rotate.OpenLedger(path, fmt.Sprint("w", w), clock)
			if err != nil {
				t.Error(err)
				return
			}
			for range 10 {
				if err := l.Append(rotate.Entry{Case: fmt.Sprint("c", w), Event: rotate.EventNote}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	l := openLedger(t, path)
	for w := range 4 {
		if n := len(l.Entries(fmt.Sprint("c", w))); n != 10 {
			t.Errorf("c%d: %d entries", w, n)
		}
	}
}

// TestLedgerMasks: even a value that an adapter puts into a text is masked.
func TestLedgerMasks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l := openLedger(t, path)
	secret := strings.Join([]string{"Zk3vQ9xL2mTn", "8Rw5Yb7N"}, "")
	l.Mask(func(s string) string { return strings.ReplaceAll(s, secret, "…") })
	add(t, l, rotate.Entry{Case: "aa", Event: rotate.EventFailed, Step: "replace/files:" + secret + ".env:1", What: "it said " + secret, Reason: secret, NewID: secret, Names: map[string]string{"id": secret}})
	data, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(data), secret) {
		t.Errorf("the ledger holds the value (%v)", err)
	}
}

// TestLedgerLinks: a link in the git directory leads nowhere.
func TestLedgerLinks(t *testing.T) {
	dir := t.TempDir()
	target, path := filepath.Join(dir, "target"), filepath.Join(dir, "ledger.jsonl")
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Skip(err)
	}
	if _, err := rotate.OpenLedger(path, "", clock); err == nil {
		t.Error("a link was followed")
	}
	if _, err := exec.LookPath("mkfifo"); err == nil {
		_ = os.Remove(path)
		if err := exec.Command("mkfifo", path).Run(); err == nil {
			if _, err := rotate.OpenLedger(path, "", clock); err == nil {
				t.Error("a pipe was read")
			}
		}
	}
}

// TestLedgerHold: who holds a case is alone with it, and sees what others wrote
// about it before.
func TestLedgerHold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "till", "ledger.jsonl")
	first, second := openLedger(t, path), openLedger(t, path)
	release, err := first.Hold("aa", "AA-7Q4K")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Hold("aa", "AA-7Q4K"); err == nil || !strings.Contains(err.Error(), "somebody works on case AA-7Q4K") {
		t.Errorf("a second time: %v", err)
	}
	if other, err := second.Hold("bb", "BB-7Q4K"); err != nil {
		t.Errorf("another case: %v", err)
	} else {
		other()
	}
	add(t, first, rotate.Entry{Case: "aa", ID: "AA-7Q4K", Event: rotate.EventOpened})
	release()
	if release, err = second.Hold("aa", "AA-7Q4K"); err != nil || second.Case("aa") == nil {
		t.Fatalf("afterwards: %v, %v", err, second.Case("aa"))
	}
	release()
}

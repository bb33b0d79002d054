package rotate_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/scanner"
)

// TestOwnLedger: a ledger below a git directory is read when each line was
// written under one's own key, however it was put together.
func TestOwnLedger(t *testing.T) {
	mine, theirs := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	entry := rotate.Entry{Case: "aa", ID: "ST-7Q4K", Event: rotate.EventOpened}
	for name, c := range map[string]struct {
		write   func(path string) *rotate.Ledger
		foreign bool
	}{
		"one's own": {func(path string) *rotate.Ledger {
			l, err := rotate.OpenOwnLedger(path, "ada", mine, clock)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}, false},
		"somebody else's": {func(path string) *rotate.Ledger {
			l, err := rotate.OpenOwnLedger(path, "eve", theirs, clock)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}, true},
		"without a seal": {func(path string) *rotate.Ledger { return openLedger(t, path) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "till", "ledger.jsonl")
			add(t, c.write(path), entry, rotate.Entry{Case: "aa", Event: rotate.EventResolved, Resolution: rotate.ResolvedRevoked})
			l, err := rotate.OpenOwnLedger(path, "ada", mine, clock)
			if errors.Is(err, rotate.ErrForeign) != c.foreign || !c.foreign && (err != nil || l.Case("aa").Open()) {
				t.Errorf("opened: %v", err)
			}
			if _, err := rotate.OpenLedger(path, "ada", clock); err != nil { // named by its owner
				t.Errorf("a ledger that is named: %v", err)
			}
		})
	}
	// One line of somebody else behind one's own, and one's own lines in another order.
	path := filepath.Join(t.TempDir(), "till", "ledger.jsonl")
	own, err := rotate.OpenOwnLedger(path, "ada", mine, clock)
	if err != nil {
		t.Fatal(err)
	}
	add(t, own, entry)
	add(t, openLedger(t, path), rotate.Entry{Case: "aa", Event: rotate.EventNamed, Names: map[string]string{"key_id": "another"}})
	if _, err := rotate.OpenOwnLedger(path, "ada", mine, clock); !errors.Is(err, rotate.ErrForeign) {
		t.Errorf("with a line of somebody else: %v", err)
	}
	if err := own.Append(entry); !errors.Is(err, rotate.ErrForeign) {
		t.Errorf("going on behind it: %v", err)
	}
}

// TestOwnStore: a new key that was not stored under one's own key, or for another
// case, is none.
func TestOwnStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "till", "new")
	n := rotate.Issued{Secret: scanner.NewSecret([]byte(strings.Repeat("Nw4kQ7", 5))), ID: "k2"}
	mine := rotate.Store{Dir: dir, Key: bytes.Repeat([]byte{1}, 32)}
	if err := mine.Put("aa", n); err != nil {
		t.Fatal(err)
	}
	if got, err := mine.Get("aa"); err != nil || got.Secret.Reveal() != n.Secret.Reveal() {
		t.Fatalf("%+v, %v", got, err)
	}
	data, err := os.ReadFile(mine.Path("aa"))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][]byte{
		"bb": data, // of another case
		"cc": bytes.Replace(data, []byte(`"k2"`), []byte(`"k3"`), 1),
		"dd": []byte(`{"secret":"theirs"}`),
	} {
		if err := os.WriteFile(mine.Path(name), change, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := mine.Get(name); got != nil || !errors.Is(err, rotate.ErrForeign) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	theirs := rotate.Store{Dir: dir, Key: bytes.Repeat([]byte{2}, 32)}
	if got, err := theirs.Get("aa"); got != nil || !errors.Is(err, rotate.ErrForeign) {
		t.Errorf("under another key: %+v, %v", got, err)
	}
}

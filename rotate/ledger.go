package rotate

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Event is what a ledger line tells.
type Event string

// The events. Intent is written before a call whose repetition could do harm,
// and the result after it; an intent without result is a call whose outcome
// nobody knows.
const (
	EventOpened    Event = "opened"
	EventVerdict   Event = "verdict"
	EventIntent    Event = "intent"
	EventDone      Event = "done"
	EventFailed    Event = "failed"
	EventSkipped   Event = "skipped"
	EventUndone    Event = "undone"
	EventNamed     Event = "named"     // identifiers were found out
	EventStored    Event = "stored"    // the new key is in the file What until it is in its place
	EventForgotten Event = "forgotten" // that file is gone
	EventState     Event = "state"
	EventResolved  Event = "resolved"
	EventReopened  Event = "reopened"
	EventNote      Event = "note"
)

// An Entry is one line of the ledger. No field ever holds the value of a key,
// old or new: Ledger.Append masks what slips in, and a test looks for it.
type Entry struct {
	Seq        int               `json:"seq"`
	Time       time.Time         `json:"time"` // UTC
	Case       string            `json:"case"` // fingerprint
	ID         string            `json:"id,omitempty"`
	Rule       string            `json:"rule,omitempty"`
	Event      Event             `json:"event"`
	Step       string            `json:"step,omitempty"` // "reissue/0", "revoke/1", "replace"
	What       string            `json:"what,omitempty"` // one line: the call, without values
	Validity   Validity          `json:"validity,omitempty"`
	State      State             `json:"state,omitempty"`
	Resolution Resolution        `json:"resolution,omitempty"`
	Reason     string            `json:"reason,omitempty"`
	Names      map[string]string `json:"names,omitempty"`
	NewID      string            `json:"new_id,omitempty"`
	Values     []string          `json:"values,omitempty"` // tags of the values that it is about; see Session.Tag
	Due        time.Time         `json:"due,omitzero"`
	Who        string            `json:"who"`
	Prev       string            `json:"prev"`          // Hash of the line before, "" in the first
	Hash       string            `json:"hash"`          // SHA-256 of the line with Hash and MAC empty
	MAC        string            `json:"mac,omitempty"` // of Hash, under the writer's own key
}

// A Ledger is the record of all cases: a file of JSON lines to which lines are
// only ever added. Each line holds the hash of the one before, so that a change
// or a gap shows. The file is locked while a line is added, every line is on the
// disk (fsync) before Append returns, and only its owner may read it.
//
// A line that was cut off by a crash was never acknowledged; it is passed over,
// and the next line goes on from the last whole one. Several processes may use
// one file (a shared folder as well, when its locks work).
//
// Safe for concurrent use.
type Ledger struct {
	path   string
	now    func() time.Time
	who    string
	key    []byte // seals what is written, nil = there is none
	own    bool   // only what key has sealed is believed
	redact func(string) string

	mu      sync.Mutex
	entries []Entry
	read    int64 // bytes of the file that entries stand for
	open    bool  // the last of them has no line end
	notes   []string
}

// LedgerName is the ledger's file below the git directory.
const LedgerName = "till/ledger.jsonl"

// OpenLedger reads the ledger at path; a file that is not there yet is made by
// the first Append. who is written into each line ("ada@host"). A ledger that
// was changed in the middle is an error that names the line.
func OpenLedger(path, who string, now func() time.Time) (*Ledger, error) {
	return (&Ledger{path: path, who: who, now: now}).load()
}

// OpenOwnLedger is OpenLedger for a file below a git directory: each line has to
// be sealed with key, else the error is ErrForeign.
func OpenOwnLedger(path, who string, key []byte, now func() time.Time) (*Ledger, error) {
	return (&Ledger{path: path, who: who, now: now, key: key, own: true}).load()
}

func (l *Ledger) load() (*Ledger, error) {
	l.redact = func(s string) string { return s }
	if l.own {
		if info, err := os.Lstat(filepath.Dir(l.path)); err == nil && !info.IsDir() {
			return nil, fmt.Errorf("open ledger: %s is no folder", filepath.Dir(l.path))
		}
	}
	if err := l.refresh(); err != nil {
		return nil, err
	}
	return l, nil
}

// refresh reads what others have added since the last look.
func (l *Ledger) refresh() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := openPlain(l.path, os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open ledger: %w", err)
	}
	defer f.Close()
	unlock, err := lockFile(f, false)
	if err != nil {
		return fmt.Errorf("lock ledger %s: %w", l.path, err)
	}
	defer unlock()
	return l.catchUp(f)
}

// Hold takes a case, so that nobody else works on it or decides about it at the
// same time, and reads what was written about it until then. It does not wait:
// id, as people see the case, stands in the error. The lock ends with the process.
func (l *Ledger) Hold(fingerprint, id string) (release func(), err error) {
	dir := filepath.Dir(l.path)
	if err := os.MkdirAll(dir, 0o700); err != nil { // no link: OpenOwnLedger
		return nil, fmt.Errorf("open case: %w", err)
	}
	f, err := openPlain(filepath.Join(dir, fingerprint+".lock"), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, fmt.Errorf("open case: %w", err)
	}
	taken, err := tryLock(f)
	if err == nil && !taken {
		err = fmt.Errorf("somebody works on case %s at this moment", id)
	}
	if err == nil {
		err = l.refresh()
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	// The file stays: who removes it takes the lock away from the next one.
	return func() { _ = f.Close() }, nil
}

// Mask sets what every text goes through before it is written.
func (l *Ledger) Mask(redact func(string) string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.redact = redact
}

// Path is where the ledger stands.
func (l *Ledger) Path() string { return l.path }

// Cases are all cases, the oldest first.
func (l *Ledger) Cases() []*Case {
	l.mu.Lock()
	defer l.mu.Unlock()
	return casesOf(l.entries)
}

// Case is the case of a fingerprint, nil when there is none.
func (l *Ledger) Case(fingerprint string) *Case {
	for _, c := range l.Cases() {
		if c.Fingerprint == fingerprint {
			return c
		}
	}
	return nil
}

// Entries are the lines of one case, in order.
func (l *Ledger) Entries(fingerprint string) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []Entry
	for _, e := range l.entries {
		if e.Case == fingerprint {
			out = append(out, e)
		}
	}
	return out
}

// Notes are remarks about the file: lines that a crash cut off.
func (l *Ledger) Notes() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.notes...)
}

// Append adds a line and returns it as it was written. Time, Who, Seq, Prev and
// Hash are set here. When it returns nil the line is on the disk.
func (l *Ledger) Append(e Entry) (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return fmt.Errorf("write ledger: %w", err)
	}
	f, err := openPlain(l.path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return fmt.Errorf("write ledger: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	unlock, err := lockFile(f, true)
	if err != nil {
		return fmt.Errorf("lock ledger %s: %w", l.path, err)
	}
	defer unlock()
	if err := l.catchUp(f); err != nil {
		return err
	}
	e.Time, e.Who = l.now().UTC().Round(time.Millisecond), l.who
	e.What, e.Reason, e.NewID, e.Who = l.redact(e.What), l.redact(e.Reason), l.redact(e.NewID), l.redact(e.Who)
	e.Step = maskedStep(e.Step, l.redact)
	for k, v := range e.Names {
		e.Names[k] = l.redact(v)
	}
	e.Seq, e.Prev = 1, ""
	if n := len(l.entries); n > 0 {
		e.Seq, e.Prev = l.entries[n-1].Seq+1, l.entries[n-1].Hash
	}
	line, err := l.line(&e)
	if err != nil {
		return fmt.Errorf("write ledger: %w", err)
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("write ledger %s: %w", l.path, err)
	}
	if end > l.read || l.open { // the rest of a line that a crash cut off
		line = append([]byte{'\n'}, line...)
	}
	if _, err := f.Write(line); err != nil {
		return fmt.Errorf("write ledger %s: %w", l.path, err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("write ledger %s to disk: %w", l.path, err)
	}
	if e.Seq == 1 {
		if err := syncDir(filepath.Dir(l.path)); err != nil {
			return fmt.Errorf("write ledger %s to disk: %w", l.path, err)
		}
	}
	l.entries = append(l.entries, e)
	l.read, l.open = end+int64(len(line)), false
	return nil
}

// maskedStep masks what the name of a step says of a place ("replace/files:…").
// What is before the colon is the program's own, and the case is read by it: a
// password that is the word "replace" changes nothing there.
func maskedStep(step string, redact func(string) string) string {
	kind, where, ok := strings.Cut(step, ":")
	if !ok {
		return step
	}
	return kind + ":" + redact(where)
}

// line writes the entry as a line with its hash and its seal.
func (l *Ledger) line(e *Entry) ([]byte, error) {
	hash, err := hashOf(*e)
	if err != nil {
		return nil, err
	}
	if e.Hash = hash; l.key != nil {
		e.MAC = sealOf(l.key, "ledger line", hash)
	}
	line, err := json.Marshal(e)
	return append(line, '\n'), err
}

func hashOf(e Entry) (string, error) {
	e.Hash, e.MAC = "", ""
	bare, err := json.Marshal(&e)
	sum := sha256.Sum256(bare)
	return hex.EncodeToString(sum[:]), err
}

// catchUp reads what was added to the file since the last look.
func (l *Ledger) catchUp(f *os.File) error {
	if _, err := f.Seek(l.read, io.SeekStart); err != nil {
		return fmt.Errorf("read ledger %s: %w", l.path, err)
	}
	r := bufio.NewReader(f)
	number := len(l.entries)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			// What has no line end yet was never acknowledged. When all of it
			// is there nevertheless, it counts: the next line follows it.
			var e Entry
			if json.Unmarshal(line, &e) == nil && e.Hash != "" && l.link(&e, number+1) == nil {
				l.entries = append(l.entries, e)
				l.read += int64(len(line))
				l.open = true
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("read ledger %s: %w", l.path, err)
		}
		number++
		text := bytes.TrimSpace(line)
		var e Entry
		switch {
		case len(text) == 0:
		case json.Unmarshal(text, &e) != nil || e.Hash == "":
			// Cut off by a crash, if the next whole line goes on from the last.
			l.notes = append(l.notes, fmt.Sprintf("%s: line %d is not whole; it was cut off while it was written", l.path, number))
		default:
			if err := l.link(&e, number); err != nil {
				return err
			}
			l.entries = append(l.entries, e)
		}
		l.read += int64(len(line))
	}
}

// link checks that a line is what was written, and follows the one before.
func (l *Ledger) link(e *Entry, number int) error {
	prev := ""
	if n := len(l.entries); n > 0 {
		prev = l.entries[n-1].Hash
	}
	if hash, err := hashOf(*e); err != nil || hash != e.Hash {
		return fmt.Errorf("ledger %s: line %d was changed after it was written", l.path, number)
	}
	if l.own && !sealed(e.MAC, l.key, "ledger line", e.Hash) {
		return fmt.Errorf("ledger %s: line %d was %w", l.path, number, ErrForeign)
	}
	if e.Prev != prev {
		return fmt.Errorf("ledger %s: line %d does not follow the line before it: something was taken out or put in", l.path, number)
	}
	return nil
}

package rotate

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/till-sh/till/scanner"
)

// A Store keeps new keys until they are in their place, so that none is lost
// when the process ends at the wrong moment: one file for each case, readable
// by its owner alone, below the git directory. It is the only place where till
// writes a value that is not the destination, and every command that uses it
// says so.
type Store struct {
	Dir string // made when it is needed
	// Key seals what is stored; what it has not sealed is ErrForeign. nil only
	// where nobody else can have written there.
	Key []byte
}

// StoreName is the store's folder below the git directory.
const StoreName = "till/new"

// storedKey is the content of a file.
type storedKey struct {
	Secret  string `json:"secret"`
	ID      string `json:"id,omitempty"`
	Expires string `json:"expires,omitempty"`
	Ends    bool   `json:"ends,omitempty"`
	MAC     string `json:"mac,omitempty"`
}

func (k *storedKey) parts(fingerprint string) []string {
	return []string{fingerprint, k.Secret, k.ID, k.Expires, strconv.FormatBool(k.Ends)}
}

// Path is the file of a case.
func (s Store) Path(fingerprint string) string {
	return filepath.Join(s.Dir, filepath.Base(fingerprint)+".json")
}

func (s Store) temp(fingerprint string) string {
	return filepath.Join(s.Dir, ".new-"+filepath.Base(fingerprint))
}

// Put stores a new key; when it returns nil it is on the disk.
func (s Store) Put(fingerprint string, n Issued) error {
	if err := errors.Join(plainDir(filepath.Dir(s.Dir)), plainDir(s.Dir)); err != nil {
		return fmt.Errorf("store the new key: %w", err)
	}
	k := storedKey{Secret: n.Secret.Reveal(), ID: n.ID, Expires: n.Expires, Ends: n.Ends}
	if s.Key != nil {
		k.MAC = sealOf(s.Key, "new key", k.parts(fingerprint)...)
	}
	data, err := json.Marshal(k)
	if err != nil {
		return errors.New("store the new key: it cannot be written as JSON")
	}
	// One name for each case, which its lock protects: what a killed process has
	// left behind is written over, and goes with the key.
	temp := s.temp(fingerprint)
	if err := os.Remove(temp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("store the new key: %w", err)
	}
	f, err := openPlain(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return fmt.Errorf("store the new key: %w", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), s.Path(fingerprint))
	}
	if err == nil {
		err = syncDir(s.Dir)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("store the new key: %w", err)
	}
	return nil
}

// Get returns the stored key of a case, nil when there is none.
func (s Store) Get(fingerprint string) (*Issued, error) {
	f, err := openPlain(s.Path(fingerprint), os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the stored key: %w", err)
	}
	defer f.Close()
	var k storedKey
	if err := json.NewDecoder(f).Decode(&k); err != nil {
		return nil, fmt.Errorf("the stored key in %s is damaged", f.Name())
	}
	if s.Key != nil && !sealed(k.MAC, s.Key, "new key", k.parts(fingerprint)...) {
		return nil, fmt.Errorf("the stored key in %s was %w", f.Name(), ErrForeign)
	}
	return &Issued{Secret: scanner.NewSecret([]byte(k.Secret)), ID: k.ID, Expires: k.Expires, Ends: k.Ends}, nil
}

// Forget removes the stored key of a case; that there is none is no error.
func (s Store) Forget(fingerprint string) error {
	_ = os.Remove(s.temp(fingerprint))
	err := os.Remove(s.Path(fingerprint))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove the stored key: %w", err)
	}
	return syncDir(s.Dir)
}

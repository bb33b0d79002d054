package rotate

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// A git directory can come from anybody: a downloaded archive, a shared disk.
// A record in it could say that a key is dead, name another key as the one to
// delete, or hold a "new key" to be put into production. So what till keeps
// below a git directory is believed only under a seal: a MAC with a key that is
// the person's own and lies elsewhere.

// ErrForeign says that something below the git directory was not written under
// the person's own key.
var ErrForeign = errors.New("not written under your own key")

// sealOf is the MAC of a text for one purpose.
func sealOf(key []byte, purpose string, parts ...string) string {
	m := hmac.New(sha256.New, key)
	fmt.Fprintf(m, "till %s\x00", purpose)
	for _, p := range parts {
		fmt.Fprintf(m, "%d\x00%s", len(p), p)
	}
	return hex.EncodeToString(m.Sum(nil))
}

func sealed(mac string, key []byte, purpose string, parts ...string) bool {
	return hmac.Equal([]byte(mac), []byte(sealOf(key, purpose, parts...)))
}

// plainDir makes a folder for its owner alone and refuses one that is a link.
func plainDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no folder", filepath.Base(dir))
	}
	return err
}

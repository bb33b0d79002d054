package place

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// Write gives a file below root a new content through a file beside it that
// takes its name: a reader sees the old content or the new one. The mode of a
// file that is there stays; a new one gets mode, or is an error when that is 0.
// It follows no link.
func Write(root *os.Root, name string, data []byte, mode fs.FileMode) error {
	info, err := root.Lstat(filepath.FromSlash(name))
	switch {
	case errors.Is(err, fs.ErrNotExist) && mode != 0:
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file", name)
	default:
		mode = info.Mode().Perm()
	}
	temp := path.Join(path.Dir(name), ".till-"+path.Base(name)+".new")
	_ = root.Remove(filepath.FromSlash(temp)) // of a run that was killed
	f, err := root.OpenFile(filepath.FromSlash(temp), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = root.Rename(filepath.FromSlash(temp), filepath.FromSlash(name))
	}
	if err != nil {
		_ = root.Remove(filepath.FromSlash(temp))
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

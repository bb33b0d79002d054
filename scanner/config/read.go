package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"syscall"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// maxFile is the largest configuration file that is read. A ten-thousand-line
// .tillignore is a tenth of it; a link to /dev/zero has no end.
const maxFile = 1 << 20

// Origin says where a setting was made.
type Origin struct {
	File string // as it should be shown: a path, or a flag such as "--fail-on"
	Line int    // 1-based, 0 = not a line of a file
}

// builtIn is the origin of what nobody set.
var builtIn = Origin{File: "built in"}

// String returns "file:line", or the file alone.
func (o Origin) String() string {
	if o.Line == 0 {
		return o.File
	}
	return fmt.Sprintf("%s:%d", o.File, o.Line)
}

// readFile reads a configuration file. A file that is not there is no error:
// ok is false. Anything but a regular file of at most maxFile bytes is one; a
// symlink too, because a repository could point it to any file of the machine
// and have that shown in an error message.
func readFile(fsys fs.FS, name string) (data []byte, ok bool, err error) {
	info, err := fs.Lstat(fsys, name)
	if err != nil {
		// A folder of the candidate may not exist in this version of the
		// repository, be a file there, or be longer than a path can be.
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG) {
			return nil, false, nil
		}
		return nil, false, fmt.Errorf("read %s: %w", name, cause(err))
	}
	if err := checkInfo(info); err != nil {
		return nil, false, fmt.Errorf("read %s: %w", name, err)
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", name, cause(err))
	}
	defer f.Close()
	// Once more on what was opened: the name can have changed hands.
	if info, err = f.Stat(); err != nil {
		return nil, false, fmt.Errorf("read %s: %w", name, cause(err))
	}
	if err := checkInfo(info); err != nil {
		return nil, false, fmt.Errorf("read %s: %w", name, err)
	}
	data, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", name, cause(err))
	}
	if len(data) > maxFile {
		return nil, false, fmt.Errorf("read %s: %w", name, errTooLarge)
	}
	return data, true, nil
}

var errTooLarge = fmt.Errorf("larger than %d bytes", maxFile)

func checkInfo(info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		return errors.New("is a symbolic link: expected a regular file")
	case mode.IsDir():
		return errors.New("is a folder: expected a regular file")
	case !mode.IsRegular():
		return errors.New("is not a regular file")
	case info.Size() > maxFile:
		return errTooLarge
	}
	return nil
}

// cause drops the operation and path of a PathError, which the message has.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// faults collects what is wrong with one file.
type faults struct {
	file string
	at   rules.Positions
	list []*rules.FileError
}

// addf notes a fault at the place of key. What it quotes of the file is masked
// where it could be a credential: people keep keys in odd places.
func (f *faults) addf(key, format string, args ...any) {
	p := f.at.Of(key)
	f.add(p.Line, p.Column, format, args...)
}

func (f *faults) add(line, column int, format string, args ...any) {
	f.list = append(f.list, &rules.FileError{File: f.file, Line: line, Column: column, Message: scanner.MaskText(fmt.Sprintf(format, args...))})
}

func (f *faults) origin(key string) Origin { return Origin{f.file, f.at.Of(key).Line} }

// regularPath checks that no part of a path is a symlink.
func regularPath(fsys fs.FS, name string) (fs.FileInfo, error) {
	var info fs.FileInfo
	for i := 0; i <= len(name); i++ {
		if i < len(name) && name[i] != '/' {
			continue
		}
		var err error
		if info, err = fs.Lstat(fsys, name[:i]); err != nil {
			return nil, cause(err)
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return nil, fmt.Errorf("%s is a symbolic link", name[:i])
		}
	}
	return info, nil
}

// inside turns a path written in a file of folder dir into one relative to the
// root; it fails for whatever could lead elsewhere.
func inside(dir, name string) (string, error) {
	switch {
	case name == "":
		return "", errors.New("is empty")
	case strings.Contains(name, "://"):
		return "", errors.New("is an address: expected a folder or file inside of the repository, nothing is fetched")
	case strings.HasPrefix(name, "/"), strings.HasPrefix(name, "~"), strings.ContainsAny(name, "\\\x00"), len(name) > 1 && name[1] == ':':
		return "", errors.New("expected a path relative to the file's folder, with / between names")
	}
	full := path.Join(dir, name)
	if full == ".." || strings.HasPrefix(full, "../") || !fs.ValidPath(full) {
		return "", errors.New("leaves the repository")
	}
	return full, nil
}

// nearest returns the word that was most likely meant, "" when none is close.
func nearest(s string, words []string) string {
	best, at := "", max(2, len(s)/3)+1
	for _, w := range words {
		if d := distance(s, w); d < at {
			best, at = w, d
		}
	}
	return best
}

// distance is the number of letters to add, drop, change or swap with the
// next one to get from a to b.
func distance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		two, one, row := rows[0], rows[1], rows[2]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := one[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, one[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], two[j-2]+1)
			}
		}
		rows = [3][]int{one, row, two}
	}
	return rows[1][len(b)]
}

package pack

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxAlternates is how deep git follows alternates of alternates: the list of
// the store itself is depth 0 (link_alt_odb_entries in object-file.c).
const maxAlternates = 5

// objectDirs returns dir and the objects directories that it borrows from,
// each once, in the order in which git asks them. Those that are named but
// cannot be read are returned as problems.
func objectDirs(dir string, extra []string) (dirs []string, problems []*CorruptError) {
	seen := map[string]bool{}
	var add func(dir string, depth int)
	add = func(dir string, depth int) {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			real, err = filepath.Abs(real)
		}
		var st os.FileInfo
		if err == nil {
			st, err = os.Stat(real)
		}
		if err == nil && !st.IsDir() {
			err = errors.New("not a directory")
		}
		if err != nil {
			problems = append(problems, &CorruptError{Pack: dir, Err: fmt.Errorf("alternate objects directory: %w", err)})
			return
		}
		if seen[real] {
			return
		}
		if depth > maxAlternates+1 {
			problems = append(problems, &CorruptError{Pack: dir, Err: fmt.Errorf("alternates are nested more than %d deep", maxAlternates)})
			return
		}
		seen[real] = true
		dirs = append(dirs, dir)
		list := filepath.Join(dir, "info", "alternates")
		b, err := readSmallFile(list)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			problems = append(problems, &CorruptError{Pack: list, Err: err})
			return
		}
		for line := range strings.SplitSeq(string(b), "\n") {
			if line == "" || line[0] == '#' {
				continue
			}
			name, err := unquote(line)
			if err != nil {
				problems = append(problems, &CorruptError{Pack: list, Err: err})
				continue
			}
			if !filepath.IsAbs(name) {
				name = filepath.Join(real, name)
			}
			add(name, depth+1)
		}
	}
	add(dir, 0)
	for _, e := range extra {
		add(e, 1)
	}
	return dirs, problems
}

// maxAlternatesFile bounds info/alternates, which is a handful of lines.
const maxAlternatesFile = 1 << 20

func readSmallFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxAlternatesFile+1))
	if len(b) > maxAlternatesFile {
		return nil, fmt.Errorf("more than %d bytes", maxAlternatesFile)
	}
	return b, err
}

// unquote undoes the C-style quoting that git allows in info/alternates
// (unquote_c_style in quote.c).
func unquote(s string) (string, error) {
	if !strings.HasPrefix(s, `"`) {
		return s, nil
	}
	bad := fmt.Errorf("invalid quoting: %s", s)
	var out []byte
	for i := 1; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"':
			if i != len(s)-1 {
				return "", bad
			}
			return string(out), nil
		case c != '\\':
			out = append(out, c)
			continue
		}
		i++
		if i >= len(s) {
			return "", bad
		}
		if k := strings.IndexByte("abfnrtv\\\"", s[i]); k >= 0 {
			out = append(out, "\a\b\f\n\r\t\v\\\""[k])
			continue
		}
		if i+2 >= len(s) || s[i] < '0' || s[i] > '3' || s[i+1] < '0' || s[i+1] > '7' || s[i+2] < '0' || s[i+2] > '7' {
			return "", bad
		}
		out = append(out, (s[i]-'0')<<6|(s[i+1]-'0')<<3|(s[i+2]-'0'))
		i += 2
	}
	return "", bad
}

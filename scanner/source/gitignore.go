package source

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ignoreRules are the patterns of one .gitignore file and, through up, those of
// the folders above it. A nil *ignoreRules ignores nothing. Never changed once
// made, so it may be shared.
//
// go-git has this too; importing its package costs every hook 0.3 ms because
// it links the configuration decoder (see parseGitConfig).
type ignoreRules struct {
	up       *ignoreRules
	dir      string // folder of the .gitignore file
	patterns []ignorePattern
}

// ignorePattern is one line of a .gitignore file.
type ignorePattern struct {
	parts   []string // between slashes
	negate  bool     // "!": not ignored after all
	dirOnly bool     // "/" at the end
}

// maxIgnoreFile is the largest .gitignore that is read; git stops at the same
// size (PATTERN_MAX_FILE_SIZE).
const maxIgnoreFile = 100 << 20

// enter adds the .gitignore of dir to the rules of the folder above it. The
// first call, on nil, also takes those of the folders up to the top of the
// work tree.
func (r *ignoreRules) enter(dir string) (*ignoreRules, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return r, err
	}
	var errs []error
	if r == nil {
		var above []string
		for d := dir; !exists(filepath.Join(d, ".git")); {
			up := filepath.Dir(d)
			if up == d {
				above = nil // not in a work tree
				break
			}
			above = append(above, up)
			d = up
		}
		top := dir
		if len(above) > 0 {
			top = above[len(above)-1]
		}
		r = &ignoreRules{dir: top}
		add := func(file, base string) {
			next, err := r.read(file, base)
			r, errs = next, append(errs, err)
		}
		add(filepath.Join(top, ".git", "info", "exclude"), top)
		for i := len(above) - 1; i >= 0; i-- {
			add(filepath.Join(above[i], ".gitignore"), above[i])
		}
	}
	next, err := r.read(filepath.Join(dir, ".gitignore"), dir)
	return next, errors.Join(append(errs, err)...)
}

// read adds the patterns of one file.
func (r *ignoreRules) read(file, dir string) (*ignoreRules, error) {
	if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
		return r, nil // git does not follow a .gitignore that is a link either
	}
	data, err := readRegular(file, maxIgnoreFile)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return r, err
	}
	if p := parseIgnore(string(data)); len(p) > 0 {
		return &ignoreRules{up: r, dir: dir, patterns: p}, nil
	}
	return r, nil
}

func parseIgnore(text string) []ignorePattern {
	var out []ignorePattern
	for line := range strings.SplitSeq(strings.TrimPrefix(text, "\xef\xbb\xbf"), "\n") {
		line = strings.TrimSuffix(line, "\r")
		for strings.HasSuffix(line, " ") && !strings.HasSuffix(line, `\ `) {
			line = line[:len(line)-1]
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		var p ignorePattern
		line, p.negate = strings.CutPrefix(line, "!")
		line, p.dirOnly = strings.CutSuffix(line, "/")
		if line == "" {
			continue
		}
		// A slash anywhere but at the end ties the pattern to this folder.
		if !strings.Contains(line, "/") {
			p.parts = []string{"**"}
		}
		p.parts = append(p.parts, strings.Split(strings.TrimPrefix(line, "/"), "/")...)
		out = append(out, p)
	}
	return out
}

// ignored reports whether the file or folder name in dir is ignored. The rules
// must have been made by entering dir.
func (r *ignoreRules) ignored(dir, name string, isDir bool) bool {
	if r == nil {
		return false
	}
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	for level := r; level != nil; level = level.up {
		rel, err := filepath.Rel(level.dir, filepath.Join(dir, name))
		if err != nil {
			continue
		}
		parts := strings.Split(filepath.ToSlash(rel), "/")
		for i := len(level.patterns) - 1; i >= 0; i-- {
			p := &level.patterns[i]
			if (isDir || !p.dirOnly) && matchParts(p.parts, parts) {
				return !p.negate
			}
		}
	}
	return false
}

// matchParts matches a path against a pattern, both split at slashes; "**"
// stands for any number of folders, and at the end for everything inside. Time
// is at most the product of the two lengths.
func matchParts(pattern, path []string) bool {
	i, j := 0, 0
	starI, starJ := -1, 0 // where to go on when the last "**" takes one more
	for j < len(path) {
		switch {
		case i < len(pattern) && pattern[i] == "**":
			if i == len(pattern)-1 {
				return true
			}
			starI, starJ = i, j
			i++
		case i < len(pattern) && matchPart(pattern[i], path[j]):
			i++
			j++
		case starI >= 0:
			starJ++
			i, j = starI+1, starJ
		default:
			return false
		}
	}
	return i == len(pattern)
}

// matchPart matches one component: * ? [class] and backslash.
func matchPart(p, s string) bool {
	i, j := 0, 0
	starI, starJ := -1, 0
	for j < len(s) {
		if i < len(p) && p[i] == '*' {
			starI, starJ = i, j
			i++
			continue
		}
		if i < len(p) {
			if n, ok := matchByte(p[i:], s[j]); ok {
				i += n
				j++
				continue
			}
		}
		if starI < 0 {
			return false
		}
		starJ++
		i, j = starI+1, starJ
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// matchByte matches one byte against the first element of a pattern, and
// returns the length of that element.
func matchByte(p string, c byte) (int, bool) {
	switch p[0] {
	case '?':
		return 1, true
	case '\\':
		return 2, len(p) > 1 && p[1] == c
	case '[':
		return matchClass(p, c)
	}
	return 1, p[0] == c
}

func matchClass(p string, c byte) (int, bool) {
	i := 1
	negate := i < len(p) && (p[i] == '!' || p[i] == '^')
	if negate {
		i++
	}
	in := false
	for first := true; i < len(p); first = false {
		if p[i] == ']' && !first {
			return i + 1, in != negate
		}
		if name, n := posixClass(p[i:]); n > 0 {
			in = in || name(c)
			i += n
			continue
		}
		lo, n := classByte(p[i:])
		i += n
		hi := lo
		if i+1 < len(p) && p[i] == '-' && p[i+1] != ']' {
			hi, n = classByte(p[i+1:])
			i += 1 + n
		}
		in = in || lo <= c && c <= hi
	}
	return 0, false // not closed: matches nothing
}

func classByte(p string) (byte, int) {
	if p[0] == '\\' && len(p) > 1 {
		return p[1], 2
	}
	return p[0], 1
}

var posixClasses = []struct {
	name string
	has  func(c byte) bool
}{
	{"[:alpha:]", isAlpha},
	{"[:digit:]", isDigit},
	{"[:alnum:]", func(c byte) bool { return isAlpha(c) || isDigit(c) }},
	{"[:upper:]", func(c byte) bool { return c >= 'A' && c <= 'Z' }},
	{"[:lower:]", func(c byte) bool { return c >= 'a' && c <= 'z' }},
	{"[:space:]", func(c byte) bool { return c == '\n' || isConfigSpace(c) }},
	{"[:xdigit:]", isHex},
	{"[:punct:]", func(c byte) bool { return c > ' ' && c < 0x7f && !isAlpha(c) && !isDigit(c) }},
}

func posixClass(p string) (func(byte) bool, int) {
	for _, c := range posixClasses {
		if strings.HasPrefix(p, c.name) {
			return c.has, len(c.name)
		}
	}
	return nil, 0
}

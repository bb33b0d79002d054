package config

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Pattern is a compiled glob over paths with "/" between names, as in a
// .gitignore:
//
//   - * stands for any text within one name, ? for one character, [a-z] and
//     [!a-z] for one of a set; a backslash takes the next character as it is.
//   - ** as a whole name stands for any folders, also none.
//   - A pattern with a slash at its start or in its middle counts from its
//     base folder; any other matches a name in every folder below it.
//   - What matches a folder holds for everything inside. A slash (or /**) at
//     the end matches folders only.
//   - Letters match their own case only, on every system.
//   - A ! in front takes out again what an earlier pattern of the list matched.
//     Unlike in git this works inside a matched folder too.
//
// A Pattern is immutable and safe for concurrent use.
type Pattern struct {
	text     string
	base     string   // folder that the pattern is for, "" = the root
	names    []string // "**" = any folders
	anchored bool
	inside   bool // a folder is matched, not a file of that name
	negated  bool
}

// maxPattern is more than the longest path that common systems can open.
const maxPattern = 4096

// CompilePattern reads one glob. base is the folder from which it counts, ""
// for the root. A glob that would match every path (of its base) is an error:
// configuration may narrow a scan, not switch it off.
func CompilePattern(glob, base string) (*Pattern, error) {
	p := &Pattern{text: glob, base: base}
	rest := glob
	if rest, p.negated = strings.CutPrefix(rest, "!"); rest == "" {
		return nil, errors.New("is empty: expected a glob, such as testdata/** or *.snap")
	}
	if len(rest) > maxPattern {
		return nil, fmt.Errorf("is longer than %d bytes", maxPattern)
	}
	if !utf8.ValidString(rest) || strings.ContainsFunc(rest, unicode.IsControl) {
		return nil, errors.New("holds a control character or invalid UTF-8")
	}
	if r, ok := strings.CutPrefix(rest, "./"); ok {
		rest, p.anchored = r, true
	}
	if r := strings.TrimLeft(rest, "/"); r != rest {
		rest, p.anchored = r, true
	}
	if r := strings.TrimRight(rest, "/"); r != rest && !strings.HasSuffix(r, `\`) {
		rest, p.inside = r, true
	}
	p.anchored = p.anchored || strings.Contains(rest, "/")
	literal := false
	for name := range strings.SplitSeq(rest, "/") {
		switch name {
		case "", ".":
			continue
		case "..":
			return nil, errors.New("leaves its folder with \"..\"")
		case "**":
			if n := len(p.names); n > 0 && p.names[n-1] == "**" {
				continue
			}
		default:
			name = strings.ReplaceAll(name, "[!", "[^")
			if _, err := path.Match(name, ""); err != nil {
				return nil, errors.New("is no glob: a [ without ], or a backslash at the end")
			}
			literal = literal || hasLiteral(name)
		}
		p.names = append(p.names, name)
	}
	if !literal && !p.negated {
		return nil, errors.New("matches almost everything: expected a glob with letters or digits in it, such as testdata/** or *.snap")
	}
	if n := len(p.names); n > 1 && p.names[n-1] == "**" {
		p.names, p.inside = p.names[:n-1], true
	}
	if !p.anchored {
		p.names = append([]string{"**"}, p.names...)
	}
	return p, nil
}

// hasLiteral tells whether a name of a glob holds a letter or digit of its own.
func hasLiteral(name string) bool {
	set := false
	for i, r := range name {
		switch {
		case set:
			set = r != ']' || i == 0
		case r == '[':
			set = true
		case r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
			return true
		}
	}
	return false
}

// String returns the glob as it was written.
func (p *Pattern) String() string { return p.text }

// Match tells whether the pattern, without its "!", matches a path relative to
// the root.
func (p *Pattern) Match(name string) bool {
	if name == "" {
		return false
	}
	name = strings.TrimPrefix(name, "/")
	if p.base != "" {
		rest, ok := strings.CutPrefix(name, p.base)
		if !ok || !strings.HasPrefix(rest, "/") {
			return false
		}
		name = rest[1:]
	}
	return p.match(name)
}

// match walks pattern and path name by name. After a mismatch it goes back to
// the last ** only: an earlier one could not do better, because what stood
// between the two was matched as early as possible. So the cost is at most the
// product of the two lengths.
func (p *Pattern) match(name string) bool {
	retry, retryAt := -1, ""
	for i := 0; ; {
		if i == len(p.names) {
			// All matched: the path itself, or a folder that it stands in.
			if !p.inside || name != "" {
				return true
			}
		} else if p.names[i] == "**" {
			i++
			retry, retryAt = i, name
			continue
		} else if name != "" {
			first, rest := cut(name)
			if ok, _ := path.Match(p.names[i], first); ok {
				i, name = i+1, rest
				continue
			}
		}
		if retry < 0 || retryAt == "" {
			return false
		}
		_, retryAt = cut(retryAt)
		i, name = retry, retryAt
	}
}

func cut(name string) (first, rest string) {
	if i := strings.IndexByte(name, '/'); i >= 0 {
		return name[:i], name[i+1:]
	}
	return name, ""
}

// probes are paths as different as repositories have them. A list of globs
// that matches them all together leaves nothing to scan.
var probes = [...]string{
	"a", "main.go", "README.md", ".env", "Makefile", "src/index.js", "src/app/models/user.py", "deploy/prod.tfvars",
	"config/settings.yaml", "lib/x_1.rb", "Zeta/9/Qu.JAVA", "docs/über.txt", "k8s/secret-0.json", "id_rsa", "w/v.zzz",
}

// coverAll tells whether the patterns together match every path of a folder.
func coverAll(patterns []*Pattern) bool {
	if len(patterns) == 0 {
		return false
	}
	for _, name := range probes {
		matched := false
		for _, p := range patterns {
			if p.match(name) {
				matched = !p.negated
			}
		}
		if !matched {
			return false
		}
	}
	return true
}

package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// maxRuleFiles is how many files one folder of rules may have; the built-in
// catalogue has a few hundred.
const maxRuleFiles = 1000

// readRules reads the files that a layer's rules key names and adds their
// rules to the layer.
func readRules(l *layer, fsys fs.FS, dir string, trusted bool) error {
	var errs []error
	for _, rf := range l.ruleFiles {
		name := rf.name
		if trusted {
			name = path.Join(dir, name)
		}
		names, err := ruleFileNames(fsys, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %q: %w", rf.from, keyRules, scanner.MaskText(rf.name), err))
			continue
		}
		for _, name := range names {
			data, ok, err := readFile(fsys, name)
			if !ok && err == nil {
				err = fmt.Errorf("read %s: %w", name, fs.ErrNotExist)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", rf.from, err))
				continue
			}
			parse := rules.ParseLocal
			if trusted {
				parse = rules.Parse
			}
			p, err := parse(name, data)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			for _, r := range p.Rules {
				from := Origin{name, lineWith(data, r.ID)}
				if !trusted {
					checkCommands(r, func(what string) {
						errs = append(errs, &rules.FileError{File: name, Line: from.Line, Column: 1, Message: "rule " + r.ID + ": " + what})
					})
				}
				l.fileRules = append(l.fileRules, localRule{r, from})
			}
			p.Rules = nil
			l.providers = append(l.providers, p)
		}
	}
	return errors.Join(errs...)
}

// ruleFileNames lists the rule files under a name: itself, or the *.toml files
// of a folder, sorted.
func ruleFileNames(fsys fs.FS, name string) ([]string, error) {
	info, err := regularPath(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		if !strings.HasSuffix(name, ".toml") {
			return nil, errors.New("expected a folder or a .toml file")
		}
		return []string{name}, nil
	}
	entries, err := fs.ReadDir(fsys, name)
	if err != nil {
		return nil, cause(err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".toml") && e.Name() != FileName {
			names = append(names, path.Join(name, e.Name()))
		}
	}
	slices.Sort(names)
	switch n := len(names); {
	case n == 0:
		return nil, errors.New("the folder holds no .toml file")
	case n > maxRuleFiles:
		return nil, fmt.Errorf("the folder holds %d .toml files: expected %d at most", n, maxRuleFiles)
	}
	return names, nil
}

// lineWith returns the first line of data that holds a quoted word, else 1.
func lineWith(data []byte, word string) int {
	for _, quote := range []string{`"`, `'`} {
		if i := bytes.Index(data, []byte(quote+word+quote)); i >= 0 {
			return 1 + bytes.Count(data[:i], []byte{'\n'})
		}
	}
	return 1
}

// addRules makes the tree's catalogue.
func (t *Tree) addRules(c *rules.Catalogue, layers []*layer) error {
	t.catalogue = c
	var more []rules.Rule
	var named []rules.Provider
	taken := map[string]Origin{}
	var errs []error
	for _, l := range layers {
		for _, r := range slices.Concat(l.fileRules, l.rules) {
			other, ok := taken[r.ID]
			if c.Rule(r.ID) != nil {
				other, ok = builtIn, true
			}
			if ok {
				what := "a built-in rule has that id, and configuration adds rules, it does not replace them"
				if other != builtIn {
					what = "the id is taken by " + other.String()
				}
				errs = append(errs, &rules.FileError{File: r.from.File, Line: max(r.from.Line, 1), Column: 1, Message: "rule " + r.ID + ": " + what})
				continue
			}
			taken[r.ID] = r.from
			t.origins[r.ID] = r.from
			rule := r.Rule
			rule.Paths = scoped(rule.Paths, l.dir)
			more = append(more, rule)
		}
		named = append(named, l.providers...)
	}
	if err := errors.Join(errs...); err != nil || len(more) == 0 {
		return err
	}
	with, err := c.With(more...)
	if err != nil {
		return fmt.Errorf("rules of the configuration: %w", err)
	}
	// With knows rules only; what their files say about the vendor goes with
	// providers that the catalogue does not have.
	for _, p := range named {
		known := slices.ContainsFunc(c.Providers, func(b rules.Provider) bool { return b.ID == p.ID })
		if i := slices.IndexFunc(with.Providers, func(w rules.Provider) bool { return w.ID == p.ID }); i >= 0 && !known {
			w := &with.Providers[i]
			w.Name, w.Reviewed, w.Docs = p.Name, p.Reviewed, p.Docs
		}
	}
	t.catalogue = with
	return nil
}

// scoped limits a rule to the folder of the file that it stands in.
func scoped(globs []string, dir string) []string {
	if dir == "" {
		return globs
	}
	if len(globs) == 0 {
		return []string{dir + "/**"}
	}
	out := make([]string, len(globs))
	for i, g := range globs {
		if !strings.Contains(g, "/") {
			g = "**/" + g
		}
		out[i] = dir + "/" + g
	}
	return out
}

func ruleIDs(c *rules.Catalogue) []string {
	var ids []string
	for p := range c.Providers {
		for r := range c.Providers[p].Rules {
			ids = append(ids, c.Providers[p].Rules[r].ID)
		}
	}
	return ids
}

// checkExclusions looks for exclusions that leave nothing, which is an error,
// and for those that name nothing, which is a warning: a rule may have been
// renamed, and looking for more than was wanted hurts nobody.
func (t *Tree) checkExclusions(layers []*layer) error {
	if !slices.ContainsFunc(layers, func(l *layer) bool { return len(l.exclude) > 0 }) {
		return nil
	}
	ids := ruleIDs(t.catalogue)
	for _, l := range layers {
		for _, e := range l.exclude {
			if slices.ContainsFunc(ids, e.matches) {
				continue
			}
			hint := ""
			if near := nearest(e.glob, ids); near != "" {
				hint = fmt.Sprintf(": did you mean %q?", near)
			}
			t.warnings = append(t.warnings, fmt.Sprintf("%s: %s: no rule matches %q%s", e.from, keyExcludeRules, e.glob, hint))
		}
	}
	var errs []error
	dirs := make([]string, 0, len(t.settings))
	for dir := range t.settings {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	for _, dir := range dirs {
		s := t.settings[dir]
		if len(s.exclude) == 0 || t.anyActive(s) {
			continue
		}
		from := s.exclude[len(s.exclude)-1].from
		errs = append(errs, fmt.Errorf("%s: %s: no rule of class %q is left for %s: configuration cannot switch the scan off",
			from, keyExcludeRules, rules.ClassKey, cmp.Or(dir, "the repository")))
	}
	return errors.Join(errs...)
}

func (t *Tree) anyActive(s *Settings) bool {
	for p := range t.catalogue.Providers {
		for r := range t.catalogue.Providers[p].Rules {
			rule := &t.catalogue.Providers[p].Rules[r]
			if rule.Class != rules.ClassKey {
				continue
			}
			if _, out := s.Excluded(rule.ID); !out {
				return true
			}
		}
	}
	return false
}

// parseOverrides reads flags and variables as a layer of their own.
func parseOverrides(overrides []Override) (*layer, error) {
	l := &layer{}
	var errs []error
	for _, o := range overrides {
		one := &layer{}
		p := &parser{faults: &faults{file: o.From}, layer: one, trusted: true}
		switch o.Key {
		case keyIgnore, keyExcludeRules, keyRules:
			p.key(o.Key, []any{o.Value})
		case keyDecodeDepth:
			n, err := strconv.ParseInt(o.Value, 10, 32)
			if err != nil {
				p.key(o.Key, o.Value)
			} else {
				p.key(o.Key, n)
			}
		default:
			p.key(o.Key, o.Value)
		}
		for _, f := range p.faults.list {
			errs = append(errs, fmt.Errorf("%s: %s", o.From, f.Message))
		}
		l.minVersion = one.minVersion.over(l.minVersion)
		l.failOn = one.failOn.over(l.failOn)
		l.maxFileSize = one.maxFileSize.over(l.maxFileSize)
		l.decodeDepth = one.decodeDepth.over(l.decodeDepth)
		l.ignore = append(l.ignore, one.ignore...)
		l.exclude = append(l.exclude, one.exclude...)
	}
	// An origin of a flag has no line.
	for _, from := range l.allOrigins() {
		from.Line = 0
	}
	return l, errors.Join(errs...)
}

func (l *layer) allOrigins() []*Origin {
	all := []*Origin{&l.minVersion.from, &l.failOn.from, &l.maxFileSize.from, &l.decodeDepth.from}
	for i := range l.ignore {
		all = append(all, &l.ignore[i].from)
	}
	for i := range l.exclude {
		all = append(all, &l.exclude[i].from)
	}
	return all
}

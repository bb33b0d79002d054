// Package config reads what people decide about scanning a repository: the
// settings in .till.toml and what is no secret in .tillignore.
//
// # Whose word counts
//
// A repository's own files are written by whoever can open a pull request, so
// they may add rules and narrow a scan, and never switch it off: no glob that
// matches everything, no limit that makes it blind, at least one rule left, no
// network request, no command, nothing outside of the repository. A key whose
// checksum proves it genuine is not hidden by a path or a rule list at all; it
// takes an entry of its own in .tillignore, with a reason. What a change adds
// for itself does not count for it: in CI, load the version before the change
// and apply that (see Diff).
//
// Everything is read through an fs.FS that the caller gives: the work tree,
// the index, or the tree of a commit. A file that cannot be read or understood
// is an error with file, line and column of every fault (rules.Faults lists
// them), never a default taken in silence.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/till-sh/till/rules"
)

// The names of the files.
const (
	FileName   = ".till.toml"
	IgnoreName = ".tillignore"
)

// Source is a configuration file outside of the scanned repository.
type Source struct {
	FS    fs.FS
	Name  string // of the file in FS; its rules are read from FS too
	Label string // how to show it: "~/.config/till/config.toml"
}

// Override is a setting that was made by a flag or a variable of the
// environment. Value is written as on a command line; for the lists (ignore,
// exclude-rules) it is one element.
type Override struct{ Key, Value, From string }

// Options say what else than the repository's files to read. The zero value
// reads those of the root folder alone.
type Options struct {
	// Dirs are folders, relative to the root with "/", in which a .till.toml
	// may stand: those of the paths to be scanned. The folders above each are
	// looked at as well. See Find for a whole tree.
	Dirs []string
	// User is the person's own configuration, below everything of the
	// repository. It need not exist.
	User *Source
	// Explicit is a file named by a flag; it goes above everything that was
	// found and must exist.
	Explicit *Source
	// Overrides go above all files, later ones above earlier ones.
	Overrides []Override
	// Catalogue is what rules are added to; nil = rules.Builtin().
	Catalogue *rules.Catalogue
	// Version is this program's, for min-version. One that is no version (a
	// build from a work tree) is new enough for everything.
	Version string
	// Rel turns a path of a report into one relative to the root of the
	// configuration, where the two differ (an absolute path was scanned, or a
	// folder below the root); nil = they are the same.
	Rel func(path string) string
}

// Tree holds the configuration of a repository with all its folders. It is
// immutable and safe for concurrent use.
type Tree struct {
	settings  map[string]*Settings // by folder that has a file of its own; "" always
	layers    []*layer             // repository's files, parents first
	ignore    *Ignore
	catalogue *rules.Catalogue
	origins   map[string]Origin // rule ID → where it was added
	files     []string
	warnings  []string
	rel       func(string) string
}

// Load reads the configuration of the repository whose root is fsys; nil means
// that none of its files apply. With no file present it costs one look-up for
// each folder in o.Dirs and above.
//
// The Tree is never nil. When there is an error it holds what applies without
// the repository's files, so that a scan can still be made and its findings
// shown; it cannot end in success then.
func Load(fsys fs.FS, o Options) (*Tree, error) {
	ld := &loader{fsys: fsys, o: o}
	outer, outerErr := ld.outer()
	var own []*layer
	var ignore *Ignore
	var ownErr error
	if fsys != nil {
		own, ownErr = ld.repository()
		var err error
		ignore, err = loadIgnore(fsys)
		ownErr = errors.Join(ownErr, err)
	}
	t, err := ld.tree(outer, own, ignore)
	if err = errors.Join(outerErr, ownErr, err); err != nil {
		safe := &loader{o: o}
		t, safeErr := safe.tree(outer, nil, nil)
		if safeErr != nil {
			t = newTree()
			t.catalogue, t.rel = ld.catalogue(), o.Rel
		}
		return t, err
	}
	return t, nil
}

// Defaults is the configuration with nothing set.
func Defaults() *Tree {
	t := newTree()
	t.catalogue = rules.Builtin()
	return t
}

func newTree() *Tree {
	s := defaultSettings
	return &Tree{settings: map[string]*Settings{"": &s}, ignore: &Ignore{file: IgnoreName}, origins: map[string]Origin{}}
}

// Find lists the folders of a tree that hold a .till.toml, for Options.Dirs.
// It reads every folder, so it is for scans that read every file anyway.
func Find(fsys fs.FS) ([]string, error) {
	var dirs []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			// The scan itself meets the same folder and says so.
			if d != nil && d.IsDir() && name != "." {
				return fs.SkipDir
			}
			return fmt.Errorf("look for %s in %s: %w", FileName, name, cause(err))
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case d.Name() == FileName:
			dirs = append(dirs, path.Dir(name))
		}
		return nil
	})
	return dirs, err
}

type loader struct {
	fsys  fs.FS
	o     Options
	files []string
	warn  []string
}

func (ld *loader) catalogue() *rules.Catalogue {
	if ld.o.Catalogue != nil {
		return ld.o.Catalogue
	}
	return rules.Builtin()
}

// outer reads what is not the repository's: [user, explicit and overrides],
// each nil when there is none.
func (ld *loader) outer() (outer [3]*layer, err error) {
	var errs []error
	for i, src := range []*Source{ld.o.User, ld.o.Explicit} {
		if src == nil {
			continue
		}
		data, ok, err := readFile(src.FS, src.Name)
		switch {
		case err == nil && !ok && i == 1:
			err = fs.ErrNotExist
			fallthrough
		case err != nil:
			errs = append(errs, fmt.Errorf("configuration %s: %w", src.Label, err))
		case ok:
			l, err := ld.file(src.FS, src.Label, path.Dir(src.Name), data, true)
			errs = append(errs, err)
			outer[i] = l
			ld.files = append(ld.files, src.Label)
		}
	}
	if len(ld.o.Overrides) > 0 {
		l, err := parseOverrides(ld.o.Overrides)
		errs = append(errs, err)
		outer[2] = l
	}
	if err = errors.Join(errs...); err != nil {
		outer = [3]*layer{} // half a configuration is nobody's wish
	}
	return outer, err
}

// file reads one file with the rules that it names. A file that asks for a
// newer program is not judged further: this one does not know its words.
func (ld *loader) file(fsys fs.FS, label, dir string, data []byte, trusted bool) (*layer, error) {
	scope := dir
	if trusted {
		scope = "" // the user's own counts everywhere
	}
	l, faults := parseFile(label, scope, data, trusted)
	if err := ld.checkVersion(l); err != nil {
		return l, err
	}
	if len(faults) > 0 {
		return l, join(faults)
	}
	return l, readRules(l, fsys, dir, trusted)
}

// repository reads the .till.toml of all folders, parents first.
func (ld *loader) repository() ([]*layer, error) {
	var layers []*layer
	var errs []error
	for _, dir := range withParents(ld.o.Dirs) {
		name := path.Join(dir, FileName)
		if !fs.ValidPath(name) {
			// Names that are not UTF-8: fs.FS cannot open them.
			ld.warn = append(ld.warn, fmt.Sprintf("no configuration is read from the folder %q: its name is not UTF-8", dir))
			continue
		}
		data, ok, err := readFile(ld.fsys, name)
		if err != nil {
			errs = append(errs, err)
		}
		if !ok {
			continue
		}
		l, err := ld.file(ld.fsys, name, dir, data, false)
		errs = append(errs, err)
		layers = append(layers, l)
		ld.files = append(ld.files, name)
	}
	return layers, errors.Join(errs...)
}

// withParents returns the root, the folders and all folders above them, each
// once, parents first.
func withParents(dirs []string) []string {
	if len(dirs) == 0 {
		return []string{""}
	}
	seen := map[string]bool{"": true}
	all := []string{""}
	for _, dir := range dirs {
		dir = path.Clean("/" + dir)[1:]
		for !seen[dir] {
			seen[dir] = true
			all = append(all, dir)
			dir = parent(dir)
		}
	}
	slices.Sort(all)
	return all
}

func parent(dir string) string { return dir[:max(strings.LastIndexByte(dir, '/'), 0)] }

func join(faults []*rules.FileError) error {
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = f
	}
	return errors.Join(errs...)
}

// tree puts the layers together.
func (ld *loader) tree(outer [3]*layer, own []*layer, ignore *Ignore) (*Tree, error) {
	t := newTree()
	t.layers, t.files, t.warnings, t.rel = own, ld.files, ld.warn, ld.o.Rel
	if ignore != nil {
		t.ignore = ignore
		t.files = append(t.files, IgnoreName)
	}
	var errs []error
	var all []*layer
	for _, l := range slices.Concat(outer[:], own) {
		if l != nil {
			all = append(all, l)
		}
	}
	errs = append(errs, t.addRules(ld.catalogue(), all))

	byDir := map[string]*layer{}
	for _, l := range own {
		byDir[l.dir] = l
	}
	// own is sorted, so that a folder comes after those above it.
	below := map[string]*Settings{}
	base := defaultSettings
	base.apply(outer[0])
	if byDir[""] == nil {
		below[""] = &base
	}
	for _, l := range own {
		s := base
		if l.dir != "" {
			s = *nearestSettings(below, parent(l.dir))
		}
		s.apply(l)
		below[l.dir] = &s
	}
	for dir, s := range below {
		s.apply(outer[1])
		s.apply(outer[2])
		t.settings[dir] = s
	}
	errs = append(errs, t.checkExclusions(all))
	return t, errors.Join(errs...)
}

func (ld *loader) checkVersion(l *layer) error {
	have, ok := parseVersion(ld.o.Version)
	want, _ := parseVersion(l.minVersion.value)
	if !ok || !l.minVersion.set || slices.Compare(have[:], want[:]) >= 0 {
		return nil
	}
	return fmt.Errorf("%s: needs till %s or newer, this is %s", l.minVersion.from, l.minVersion.value, ld.o.Version)
}

// For returns the settings for a file by its path relative to the root, or for
// a folder when a slash ends it; "" is for what has no path, such as a commit
// message.
func (t *Tree) For(name string) *Settings {
	if len(t.settings) == 1 {
		return t.settings[""]
	}
	return nearestSettings(t.settings, parent(strings.TrimPrefix(name, "/")))
}

// nearestSettings returns the settings of a folder or the first one above it
// that has some.
func nearestSettings(settings map[string]*Settings, dir string) *Settings {
	for {
		if s, ok := settings[dir]; ok {
			return s
		}
		dir = parent(dir)
	}
}

// Ignore returns the entries of .tillignore; never nil.
func (t *Tree) Ignore() *Ignore { return t.ignore }

// Catalogue returns all rules: the built-in ones and those that the
// configuration adds. Rules that it excludes are there too, because a value
// that its checksum proves is reported all the same; Apply sorts them out.
func (t *Tree) Catalogue() *rules.Catalogue { return t.catalogue }

// RuleOrigin tells where a rule was added; ok is false for a built-in one.
func (t *Tree) RuleOrigin(ruleID string) (origin Origin, ok bool) {
	origin, ok = t.origins[ruleID]
	return origin, ok
}

// Files lists the files that were read, as they should be shown.
func (t *Tree) Files() []string { return t.files }

// Warnings lists what is odd in the configuration and harms nobody.
func (t *Tree) Warnings() []string { return t.warnings }

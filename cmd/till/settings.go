package main

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/config"
)

// settings is what a scan goes by: rules and decisions from flags,
// environment and files.
type settings struct {
	tree      *config.Tree
	catalogue *rules.Catalogue
	// err says what is wrong with the configuration. The scan goes on with what
	// applies without it, and cannot end in success.
	err error
}

// load reads the configuration for a target.
func (o *output) load(e *env, t *target) (*settings, error) {
	options := config.Options{Dirs: t.dirs, Version: version(), Rel: t.rel, Overrides: o.overrides(e)}
	fsys := t.config
	if o.noIgnore {
		fsys = nil
	}
	if o.config == "" {
		o.config = e.getenv("TILL_CONFIG")
	}
	if o.config != "" {
		options.Explicit = sourceOf(o.config, o.config)
	}
	if file := userConfig(e); file != "" && !o.noIgnore {
		if _, err := os.Lstat(file); err == nil {
			options.User = sourceOf(file, file)
		}
	}
	tree, err := config.Load(fsys, options)
	s := &settings{tree: tree, err: err}
	if s.catalogue, err = o.choose(tree.Catalogue()); err != nil {
		return nil, err
	}
	return s, nil
}

func sourceOf(file, label string) *config.Source {
	return &config.Source{FS: os.DirFS(filepath.Dir(file)), Name: filepath.Base(file), Label: label}
}

// userConfig is the person's own file: $XDG_CONFIG_HOME/till/config.toml, or
// the same below ~/.config.
func userConfig(e *env) string {
	base := e.getenv("XDG_CONFIG_HOME")
	if base == "" {
		home := e.getenv("HOME")
		if home == "" {
			return ""
		}
		base = filepath.Join(home, ".config")
	}
	return filepath.Join(base, "till", "config.toml")
}

// overrides are the settings made by flags and by the environment, the
// stronger last.
func (o *output) overrides(e *env) []config.Override {
	var all []config.Override
	add := func(key, value, from string) {
		if value != "" {
			all = append(all, config.Override{Key: key, Value: value, From: from})
		}
	}
	add("fail-on", e.getenv("TILL_FAIL_ON"), "TILL_FAIL_ON")
	add("fail-on", o.failOn, "--fail-on")
	add("max-file-size", o.maxSize, "--max-file-size")
	for _, id := range o.skip {
		add("exclude-rules", id, "--exclude-rule")
	}
	return all
}

// engine makes the engine for a target. A history is told what an earlier scan
// by the same rules looked at.
func (s *settings) engine(e *env, t *target, noIgnore bool) (*scanner.Engine, error) {
	depth := s.tree.For("").DecodeDepth
	if depth == 0 {
		depth = -1
	}
	options := scanner.Options{NoMarks: noIgnore, DecodeDepth: depth, Rel: t.rel}
	if t.history != nil {
		t.history.UseRecord(newRecord(e, s, options))
	}
	return scanner.New(options, s.catalogue)
}

// choose reduces the catalogue to the rules that --rule names.
func (o *output) choose(all *rules.Catalogue) (*rules.Catalogue, error) {
	if len(o.only) == 0 {
		return all, nil
	}
	wanted := map[string]bool{}
	for _, id := range o.only {
		wanted[id] = true
	}
	some := &rules.Catalogue{Version: all.Version}
	for _, p := range all.Providers {
		p.Rules = slices.DeleteFunc(slices.Clone(p.Rules), func(r rules.Rule) bool {
			keep := wanted[r.ID]
			delete(wanted, r.ID)
			return !keep
		})
		if len(p.Rules) > 0 {
			some.Providers = append(some.Providers, p)
		}
	}
	for _, id := range o.only {
		if wanted[id] {
			return nil, withHint(fmt.Errorf("--rule %s: no such rule", id), "till rules list")
		}
	}
	return some, nil
}

// apply sorts out what was decided not to be a secret, and brings errors of
// the configuration into the summary.
func (s *settings) apply(r *scanner.Result, now time.Time) {
	reported, hidden, notes := s.tree.Apply(r.Keys, now)
	r.Keys = reported
	r.Suppressed = append(r.Suppressed, hidden...)
	r.Summary.Suppressed = len(r.Suppressed)
	r.Summary.Notes = append(r.Summary.Notes, notes...)
	r.Summary.Notes = append(r.Summary.Notes, s.tree.Warnings()...)
	if s.err != nil {
		r.Summary.Errors = append(r.Summary.Errors, faults(s.err)...)
	}
}

// faults lists the lines of a configuration error.
func faults(err error) []string {
	all := rules.Faults(err)
	if len(all) == 0 {
		return []string{"configuration: " + strings.TrimPrefix(err.Error(), "configuration ")}
	}
	var lines []string
	for _, f := range all {
		lines = append(lines, "configuration: "+f.Error())
	}
	return lines
}

// folderConfig finds the configuration for files on the disk: that of the work
// tree around them, else of the folder itself. rel turns a reported path into
// one below that root.
func folderConfig(args []string) (fsys fs.FS, dirs []string, rel func(string) string, err error) {
	first, err := filepath.Abs(args[0])
	if err != nil {
		return nil, nil, nil, err
	}
	if info, err := os.Stat(first); err == nil && !info.IsDir() {
		first = filepath.Dir(first)
	}
	root := workTreeOf(first)
	if root == "" {
		root = first
	}
	here, err := os.Getwd()
	if err != nil {
		return nil, nil, nil, err
	}
	rel = func(p string) string {
		full := filepath.FromSlash(p)
		if !filepath.IsAbs(full) {
			full = filepath.Join(here, full)
		}
		if below, err := filepath.Rel(root, full); err == nil {
			return filepath.ToSlash(below)
		}
		return p
	}
	if fsys, err = folderFS(root); err != nil {
		return nil, nil, nil, err
	}
	for _, a := range args {
		below := rel(filepath.ToSlash(a))
		if below == ".." || strings.HasPrefix(below, "../") {
			continue // another tree: its configuration is not this one's
		}
		info, err := os.Stat(a)
		if err != nil || !info.IsDir() {
			dirs = append(dirs, path.Dir(below))
			continue
		}
		sub, err := fs.Sub(fsys, below)
		if err != nil {
			return nil, nil, nil, err
		}
		found, err := config.Find(sub)
		if err != nil {
			return nil, nil, nil, err
		}
		dirs = append(dirs, below)
		for _, d := range found {
			dirs = append(dirs, path.Join(below, d))
		}
	}
	return fsys, dirs, rel, nil
}

// folderFS opens a folder as a file system that no link leads out of.
func folderFS(dir string) (fs.FS, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return root.FS(), nil
}

// workTreeOf finds the folder that holds .git, upwards; "" when there is none.
func workTreeOf(dir string) string {
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

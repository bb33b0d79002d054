package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// A FileError is one fault of a rule file: where it is and what was expected
// there. The functions that read rule files return all faults of a file at
// once, joined by errors.Join; Faults takes them apart again.
type FileError struct {
	File         string
	Line, Column int // 1-based; the column counts bytes
	Message      string
}

func (e *FileError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// Faults lists the FileErrors in err, in the order in which they were joined.
func Faults(err error) []*FileError {
	var all []*FileError
	var walk func(error)
	walk = func(err error) {
		switch e := err.(type) {
		case *FileError:
			all = append(all, e)
		case interface{ Unwrap() []error }:
			for _, sub := range e.Unwrap() {
				walk(sub)
			}
		case interface{ Unwrap() error }:
			walk(e.Unwrap())
		}
	}
	walk(err)
	return all
}

// LoadFile reads and checks one provider file. See Parse.
func LoadFile(name string) (Provider, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return Provider{}, fmt.Errorf("read provider file: %w", err)
	}
	return Parse(name, data)
}

// LoadFS reads and checks all *.toml files directly in dir and returns them as
// a catalogue: providers sorted by ID, every rule ID unique, every needs.rule
// present. The error joins the faults of all files. A folder without such
// files is an empty catalogue.
func LoadFS(fsys fs.FS, dir string) (*Catalogue, error) {
	names, err := fs.Glob(fsys, path.Join(dir, "*.toml"))
	if err != nil {
		return nil, fmt.Errorf("list provider files: %w", err)
	}
	slices.Sort(names)
	var (
		c      = new(Catalogue)
		faults []error
		sum    = sha256.New()
		newest string
		ids    = map[string]string{} // rule or provider ID → file
	)
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read provider file: %w", err)
		}
		// The length keeps two splits of the same bytes apart.
		fmt.Fprintf(sum, "%s %d\n", path.Base(name), len(data))
		sum.Write(data)
		f, p, err := parseProvider(name, data, false)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		newest = max(newest, p.Reviewed)
		for i := range p.Rules {
			id := p.Rules[i].ID
			if other, ok := ids[id]; ok {
				faults = append(faults, f.fault(fmt.Sprintf("rule[%d].id", i), "rule %s: its id is taken by %s", id, other))
			}
			ids[id] = name
		}
		c.Providers = append(c.Providers, p)
	}
	slices.SortFunc(c.Providers, func(a, b Provider) int { return strings.Compare(a.ID, b.ID) })
	c.Version = newest + "." + hex.EncodeToString(sum.Sum(nil)[:3])
	if len(names) == 0 {
		c.Version = "0"
	}
	if len(faults) == 0 {
		// Only now are all IDs known.
		for _, p := range c.Providers {
			faults = append(faults, missingPartners(p.Rules, func(id string) bool { return ids[id] != "" })...)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return c, nil
}

// missingPartners finds the rules that need one that is not known.
func missingPartners(rules []Rule, known func(id string) bool) []error {
	var faults []error
	for i := range rules {
		if r := &rules[i]; r.Needs.Rule != "" && !known(r.Needs.Rule) {
			faults = append(faults, fmt.Errorf("rule %s: needs.rule %q: there is no rule of this id", r.ID, r.Needs.Rule))
		}
	}
	return faults
}

// Parse reads and checks one provider file in the format of docs/rules.md.
// name is used in errors and must end in "<id>.toml". On failure the error
// joins one FileError for each fault found.
//
// Defaults are filled in: class "key", family = id, needs.without "keep",
// needs.lines 10, order "revoke-first", and the provider's verify and workflow
// sections for rules that have none of their own. "[rule.verify]" with nothing
// but a note switches the provider's verification off for that rule.
//
// That needs.rule exists can be told only for rules of the same provider;
// LoadFS and With check the rest.
func Parse(name string, data []byte) (Provider, error) {
	_, p, err := parseProvider(name, data, false)
	return p, err
}

// ParseLocal is Parse for a file that comes from the scanned repository. Such
// a file may add detection and advice but no network request: a repository
// that could name the host to which its keys are sent would be a leak by
// itself. A verify section or a request in a workflow step is an error.
func ParseLocal(name string, data []byte) (Provider, error) {
	_, p, err := parseProvider(name, data, true)
	return p, err
}

// ParseRules reads and checks the [[rule]] tables of a .till.toml and leaves
// its other keys alone. The limits of ParseLocal apply. A rule's provider is
// the part of its ID before the first dash. Add the result to a catalogue with
// With.
func ParseRules(name string, data []byte) ([]Rule, error) {
	f, root := open(name, data)
	if root == nil {
		return nil, f.err()
	}
	f.local = true
	rules := f.rules(root.tables("rule"), Provider{})
	return rules, f.err()
}

func parseProvider(name string, data []byte, local bool) (*file, Provider, error) {
	f, root := open(name, data)
	if root == nil {
		return f, Provider{}, f.err()
	}
	f.local = local
	p := f.provider(root)
	return f, p, f.err()
}

// open decodes the TOML. The table is nil where that failed.
func open(name string, data []byte) (*file, *table) {
	f := &file{name: name}
	m := map[string]any{}
	if _, err := toml.Decode(string(data), &m); err != nil {
		var parse toml.ParseError
		if errors.As(err, &parse) {
			// Message, not Error: the latter quotes the source line, and what
			// stands there may be somebody's key.
			at := parse.Position
			f.faults = append(f.faults, &FileError{name, max(at.Line, 1), max(at.Col, 1), "invalid TOML: " + parse.Message})
		} else {
			f.faults = append(f.faults, &FileError{name, 1, 1, "invalid TOML: " + err.Error()})
		}
		return f, nil
	}
	f.at = FindPositions(data)
	return f, &table{f: f, m: m}
}

// With returns a catalogue that holds the rules of c and more. Neither c nor
// its slices are changed. A rule whose provider c knows joins that provider; any
// other gets a provider of its own with the rule's provider part as name. It
// is an error when an ID is taken or a needed rule is missing.
func (c *Catalogue) With(more ...Rule) (*Catalogue, error) {
	out := &Catalogue{Version: c.Version, Providers: slices.Clone(c.Providers)}
	if len(more) == 0 {
		return out, nil
	}
	var faults []error
	added := map[string]bool{}
	known := func(id string) bool { return added[id] || c.Rule(id) != nil }
	sum := sha256.New()
	for _, r := range more {
		if known(r.ID) {
			faults = append(faults, fmt.Errorf("rule %s: its id is taken by another rule", r.ID))
			continue
		}
		added[r.ID] = true
		fmt.Fprintf(sum, "%#v\n", r)
		at, ok := slices.BinarySearchFunc(out.Providers, r.Provider, func(p Provider, id string) int { return strings.Compare(p.ID, id) })
		if !ok {
			out.Providers = slices.Insert(out.Providers, at, Provider{ID: r.Provider, Name: r.Provider})
		}
		p := &out.Providers[at]
		p.Rules = append(slices.Clip(p.Rules), r)
	}
	out.Version += "+" + hex.EncodeToString(sum.Sum(nil)[:3])
	if len(faults) == 0 {
		faults = missingPartners(more, known)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return out, nil
}

// Rule returns the rule with the ID, nil when there is none. A rule's ID begins with
// that of its provider, so no map of thousands is needed for the few that a hook asks for.
func (c *Catalogue) Rule(id string) *Rule {
	for i := range len(id) {
		if id[i] != '-' {
			continue
		}
		at, ok := slices.BinarySearchFunc(c.Providers, id[:i], func(p Provider, id string) int { return strings.Compare(p.ID, id) })
		if !ok {
			continue
		}
		for r := range c.Providers[at].Rules {
			if rule := &c.Providers[at].Rules[r]; rule.ID == id {
				return rule
			}
		}
	}
	return nil
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rotate/literal"
	"github.com/till-sh/till/rotate/place"
	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/source"
)

// fix is what till fix is about to do: made by plan, shown by show, done by apply.
type fix struct {
	staged *source.Staged
	top    string // work tree
	git    *ownGit
	redact *call.Redactor
	root   *os.Root

	files  []*fixFile
	dotenv *fixFile
	names  []string // new in .env
	byHand []string
	notes  []string
}

// fixFile is one file before and after, in the index and in the work tree. nil
// means that it is not there.
type fixFile struct {
	path             string
	mode             uint32 // of the index; for a new file what it gets
	hash             string // of the index
	index, indexNew  []byte
	tree, treeNew    []byte
	edits            []literal.Edit // of the index, for the preview
	drop, inHead     bool           // leaves the index, stays on the disk
	private, whyOnly bool           // 0600; is there for another file's sake
}

func (f *fix) open() (err error) {
	f.root, err = os.OpenRoot(f.top)
	return err
}

func (f *fix) close() { _ = f.root.Close() }

func (f *fix) empty() bool { return len(f.files) == 0 }

// read makes the fixFile of a name: as the index and the work tree have it.
func (f *fix) read(name string) (*fixFile, error) {
	x := &fixFile{path: name, mode: 0o100644}
	staged, err := f.staged.File(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		x.mode, x.hash, x.index, x.inHead = staged.Mode, staged.Hash, staged.Data, staged.InHead
		if x.index == nil {
			x.index = []byte{}
		}
	}
	x.tree, err = f.readTree(name)
	return x, err
}

// readTree reads a regular file of the work tree; nil when there is none.
func (f *fix) readTree(name string) ([]byte, error) {
	info, err := f.root.Lstat(filepath.FromSlash(name))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, bare(err))
	}
	file, err := f.root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, bare(err))
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, bare(err))
	}
	if data == nil {
		data = []byte{}
	}
	return data, nil
}

// secret is a value on its way into .env.
type secret struct {
	id, value, env string
	only           []string
}

func (f *fix) plan(ctx context.Context, keys []scanner.Key) error {
	dotenv, err := f.read(".env")
	if err != nil {
		return err
	}
	f.dotenv = dotenv
	if dotenv.tree == nil {
		if _, err := f.root.Lstat(".env"); err == nil {
			return errors.New(".env is no regular file")
		}
	}
	dotenv.treeNew, dotenv.private = bytes.Clone(dotenv.tree), true
	var order []string
	by := map[string][]secret{}
	for i := range keys {
		parts, err := f.apart(&keys[i])
		if err != nil {
			return err
		}
		for j := range parts {
			if err := f.planKey(&parts[j], by, &order); err != nil {
				return err
			}
		}
	}
	for _, name := range order {
		if err := f.planFile(name, by[name]); err != nil {
			return err
		}
	}
	if len(f.names) > 0 && dotenv.index != nil && !slices.ContainsFunc(f.files, func(x *fixFile) bool { return x.path == ".env" }) {
		dotenv.drop = true // git must not take the values from there
		f.files = append(f.files, dotenv)
	}
	return f.planIgnore(ctx)
}

// apart makes one key of each value that stands at the place of a key, with the
// spots where that value is.
func (f *fix) apart(k *scanner.Key) ([]scanner.Key, error) {
	values := k.Values()
	parts := make([]scanner.Key, len(values))
	for i, v := range values {
		parts[i] = *k
		parts[i].Secret, parts[i].Others, parts[i].Places = v, nil, nil
	}
	if len(parts) == 1 {
		parts[0].Places = k.Places
		return parts, nil
	}
	for _, p := range k.Places {
		file, err := f.read(p.Path)
		if err != nil {
			return nil, err
		}
		var rest []byte
		if o := p.Location.Offset; len(p.Decoded) == 0 && o <= int64(len(file.index)) {
			rest = file.index[o:]
		}
		at := -1
		for i, v := range values { // of two that begin alike the longer one is there
			if bytes.HasPrefix(rest, []byte(v.Reveal())) && (at < 0 || len(v.Reveal()) > len(values[at].Reveal())) {
				at = i
			}
		}
		for i := range parts {
			if at < 0 || at == i {
				parts[i].Places = append(parts[i].Places, p)
			}
		}
	}
	return parts, nil
}

// planKey chooses the names of a key and its other half, and notes in which files they stand.
func (f *fix) planKey(k *scanner.Key, by map[string][]secret, order *[]string) error {
	s := secret{id: k.ID, value: k.Secret.Reveal()}
	half := secret{id: k.ID}
	if k.Partner != nil {
		half.value = k.Partner.Secret.Reveal()
	}
	beside, besideHalf := "", ""
	var paths []string
	for _, p := range k.Places {
		if p.Where != "" && p.Where != scanner.InContent {
			f.byHand = append(f.byHand, fmt.Sprintf("%s stands in the %s %s: rename it by hand", k.ID, p.Where, k.Secret))
			continue
		}
		file, err := f.read(p.Path)
		if err != nil {
			return err
		}
		at := -1
		if o := int(p.Location.Offset); len(p.Decoded) == 0 && o+len(s.value) <= len(file.index) && string(file.index[o:o+len(s.value)]) == s.value {
			at = o
		} else if file.index != nil {
			at = bytes.Index(file.index, []byte(s.value))
		}
		if !place.HoldsSecrets(p.Path) && (at < 0 || len(p.Decoded) > 0) {
			f.byHand = append(f.byHand, fmt.Sprintf("%s:%d: %s stands there encoded or packed: take it out by hand", p.Path, p.Location.StartLine, k.ID))
			continue
		}
		if at >= 0 {
			if name := literal.NameBefore(file.index, at); name != "" {
				if beside == "" {
					beside = name
				}
				if k.Rule.Human {
					s.only = append(s.only, name)
				}
			}
		}
		if half.value != "" && besideHalf == "" {
			if i := bytes.Index(file.index, []byte(half.value)); i >= 0 {
				besideHalf = literal.NameBefore(file.index, i)
			}
		}
		if !slices.Contains(paths, p.Path) {
			paths = append(paths, p.Path)
		}
	}
	vendor := k.Rule.Provider
	if strings.HasPrefix(vendor, "generic") {
		vendor = ""
	}
	s.env = literal.EnvName(beside, vendor, k.Rule.ID)
	if half.value != "" {
		half.env = literal.EnvName(besideHalf, vendor, k.Partner.Rule.ID)
		if besideHalf == "" {
			half.env = literal.EnvName("", vendor, k.Rule.ID) + "_ID"
		}
	}
	for _, name := range paths {
		if by[name] == nil {
			*order = append(*order, name)
		}
		by[name] = append(by[name], s)
		if half.value != "" {
			by[name] = append(by[name], half)
		}
	}
	return nil
}

// planFile makes the edits of one file.
func (f *fix) planFile(name string, secrets []secret) error {
	x, err := f.read(name)
	if err != nil {
		return err
	}
	switch {
	case x.index == nil:
		return nil // an archive's member: said already
	case place.HoldsSecrets(name):
		if name == ".env" {
			x = f.dotenv
		}
		x.drop = true
		f.files = append(f.files, x)
		if x.tree == nil { // the only copy is in the index
			x.treeNew, x.private = x.index, true
		}
		return f.planExample(x)
	case x.mode != 0o100644 && x.mode != 0o100755:
		f.byHand = append(f.byHand, name+" is a link: take the value out by hand")
		return nil
	}
	env := place.Dotenv(f.dotenv.treeNew)
	var values []literal.Value
	var fresh []string
	for i := range secrets {
		s := &secrets[i]
		s.env = env.Free(s.env, s.value)
		_, had := env.Get(s.env)
		next, err := env.Set(s.env, s.value)
		if err != nil {
			f.byHand = append(f.byHand, fmt.Sprintf("%s: %s: %v", name, s.id, err))
			continue
		}
		if env = next; !had {
			fresh = append(fresh, s.env)
		}
		values = append(values, literal.Value{Text: s.value, Env: s.env, Only: s.only})
	}
	r := literal.Move(name, x.index, values)
	for _, h := range r.ByHand {
		f.byHand = append(f.byHand, fmt.Sprintf("%s:%d: %s. Read it from the environment by hand, and git add %s", name, h.Line, h.Why, name))
	}
	if r.Moved == 0 {
		return nil
	}
	x.edits, x.indexNew = r.Edits, literal.Apply(x.index, r.Edits)
	// The work tree is edited from what stands there: what is not staged stays.
	if x.tree != nil {
		if t := literal.Move(name, x.tree, values); t.Moved > 0 {
			x.treeNew = literal.Apply(x.tree, t.Edits)
		}
	}
	for _, v := range values {
		if next, err := place.Dotenv(f.dotenv.treeNew).Set(v.Env, v.Text); err == nil && bytes.Contains(x.indexNew, []byte(v.Env)) {
			f.dotenv.treeNew = next
			if slices.Contains(fresh, v.Env) {
				f.names = append(f.names, v.Env)
			}
		}
	}
	if r.Note != "" && !slices.Contains(f.notes, r.Note) {
		f.notes = append(f.notes, r.Note)
	}
	f.files = append(f.files, x)
	return nil
}

// planExample adds NAME.example with the names of a file of secrets, so that
// others see what to fill in.
func (f *fix) planExample(x *fixFile) error {
	names := place.Dotenv(x.index).Names()
	if len(names) == 0 || bytes.Contains(x.index, []byte("-----BEGIN ")) {
		return nil
	}
	e, err := f.read(x.path + ".example")
	if err != nil {
		return err
	}
	if e.index != nil || e.tree != nil {
		return nil // there is one; it is the person's
	}
	for _, n := range names {
		e.indexNew = append(e.indexNew, n+"=\n"...)
	}
	e.treeNew, e.whyOnly = e.indexNew, true
	f.files = append(f.files, e)
	return nil
}

// planIgnore adds lines to the .gitignore at the top, for .env and for files of
// secrets that no .gitignore of the repository names.
func (f *fix) planIgnore(ctx context.Context) error {
	var lines []string
	want := func(name string) error {
		ignored, err := f.git.ignored(ctx, name)
		if line := place.IgnoreLine(name); err == nil && !ignored && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
		return err
	}
	if len(f.names) > 0 {
		if err := want(".env"); err != nil {
			return err
		}
	}
	for _, x := range f.files {
		if !x.drop {
			continue
		}
		if err := want(x.path); err != nil {
			return err
		}
	}
	if len(lines) == 0 {
		return nil
	}
	x, err := f.read(".gitignore")
	if err != nil {
		return err
	}
	x.indexNew, x.treeNew = place.AddLines(x.index, lines), place.AddLines(x.tree, lines)
	x.edits, x.whyOnly = []literal.Edit{{Start: len(x.index), End: len(x.index), Text: strings.Join(lines, "\n") + "\n"}}, true
	f.files = append(f.files, x)
	return nil
}

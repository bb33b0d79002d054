package source

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/till-sh/till/scanner/pack"
)

// RevisionError says that a revision names no commit of the repository.
type RevisionError struct {
	Revision string
	Reason   string
	Shallow  bool // the clone is shallow, so the commit may exist elsewhere
}

func (e *RevisionError) Error() string {
	s := fmt.Sprintf("revision %q: %s", e.Revision, e.Reason)
	if e.Shallow {
		s += "; this clone is shallow"
	}
	return s
}

// Resolve returns the commit that a revision names: a full or abbreviated id, a
// ref by git's rules (gitrevisions(7)), HEAD or @, each with ~n, ^n and ^{…}
// behind it. The error is a *RevisionError.
func (r *Repository) Resolve(revision string) (pack.OID, error) {
	fail := func(reason string, args ...any) (pack.OID, error) {
		shallow, _ := r.readShallow()
		return pack.OID{}, &RevisionError{Revision: revision, Reason: fmt.Sprintf(reason, args...), Shallow: len(shallow) > 0}
	}
	base, rest := revision, ""
	if i := strings.IndexAny(revision, "~^"); i >= 0 {
		base, rest = revision[:i], revision[i:]
	}
	id, err := r.baseRevision(base)
	if err != nil {
		return fail("%v", err)
	}
	if id, err = r.peel(id); err != nil {
		return fail("%v", err)
	}
	for rest != "" {
		op := rest[0]
		rest = rest[1:]
		if op == '^' && strings.HasPrefix(rest, "{") {
			end := strings.IndexByte(rest, '}')
			if end < 0 || rest[1:end] != "" && rest[1:end] != "commit" {
				return fail("only ^{commit} and ^{} are understood")
			}
			rest = rest[end+1:]
			continue
		}
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n := 1
		if digits > 0 {
			if n, err = strconv.Atoi(rest[:digits]); err != nil {
				return fail("%v", err)
			}
		}
		rest = rest[digits:]
		if rest != "" && rest[0] != '~' && rest[0] != '^' {
			return fail("unexpected %q", rest)
		}
		if id, err = r.step(id, op, n); err != nil {
			return fail("%v", err)
		}
	}
	return id, nil
}

// step follows ~n (n first parents) or ^n (the n-th parent).
func (r *Repository) step(id pack.OID, op byte, n int) (pack.OID, error) {
	times, which := n, 0
	if op == '^' {
		if n == 0 {
			return id, nil
		}
		times, which = 1, n-1
	}
	for range times {
		c, err := r.commit(id)
		if err != nil {
			return id, err
		}
		if which >= c.NumParents() {
			return id, fmt.Errorf("commit %s has %d parents", id, c.NumParents())
		}
		if _, err := r.commit(c.Parent(which)); err != nil {
			return id, err
		}
		id = c.Parent(which)
	}
	return id, nil
}

// commit reads a commit. It keeps no reference to other objects.
func (r *Repository) commit(id pack.OID) (pack.Commit, error) {
	store, err := r.Store()
	if err != nil {
		return pack.Commit{}, err
	}
	typ, data, err := store.Get(id)
	if err != nil {
		return pack.Commit{}, objectError(id, err)
	}
	if typ != pack.TypeCommit {
		return pack.Commit{}, fmt.Errorf("object %s is a %s, not a commit", id, typ)
	}
	c, err := pack.ParseCommit(data)
	if err != nil {
		return c, fmt.Errorf("read commit %s: %w", id, err)
	}
	return c, nil
}

// peel follows tags to the commit they name.
func (r *Repository) peel(id pack.OID) (pack.OID, error) {
	_, id, typ, err := r.peelTags(id)
	if err == nil && typ != pack.TypeCommit {
		err = fmt.Errorf("object %s is a %s, not a commit", id, typ)
	}
	return id, err
}

// peelTags follows tags to what they name. It returns the tags, outermost
// first, and the object, which need not be a commit.
func (r *Repository) peelTags(id pack.OID) (tags []pack.OID, object pack.OID, typ pack.Type, err error) {
	store, err := r.Store()
	if err != nil {
		return nil, id, 0, err
	}
	for range maxTagDepth {
		if typ, _, err = store.Header(id); err != nil {
			return tags, id, 0, objectError(id, err)
		}
		if typ != pack.TypeTag {
			return tags, id, typ, nil
		}
		_, data, err := store.Get(id)
		if err != nil {
			return tags, id, 0, objectError(id, err)
		}
		t, err := pack.ParseTag(data)
		if err != nil {
			return tags, id, 0, fmt.Errorf("read tag %s: %w", id, err)
		}
		tags = append(tags, id)
		id = t.Object
	}
	return tags, id, 0, errTooDeep
}

// refRules are the places where git looks for a short name, in its order
// (gitrevisions(7), "<refname>").
var refRules = []string{"%s", "refs/%s", "refs/tags/%s", "refs/heads/%s", "refs/remotes/%s", "refs/remotes/%s/HEAD"}

func (r *Repository) baseRevision(name string) (pack.OID, error) {
	if name == "@" || name == "" {
		name = "HEAD"
	}
	if strings.ContainsAny(name, " \t\x00:?*[\\{") || strings.Contains(name, "..") {
		return pack.OID{}, errors.New("this form is not understood; write an id or the name of a branch or tag")
	}
	if id, err := pack.ParseOID(name); err == nil {
		return id, nil
	}
	for _, rule := range refRules {
		full := fmt.Sprintf(rule, name)
		if rule == "%s" && !strings.HasPrefix(name, "refs/") && strings.ToUpper(name) != name {
			continue // only pseudo refs such as HEAD and ORIG_HEAD stand at the top
		}
		id, ok, err := r.ref(full)
		if err != nil {
			return id, err
		}
		if ok {
			return id, nil
		}
	}
	if len(name) >= 4 && strings.Trim(name, "0123456789abcdef") == "" {
		return r.abbreviated(name)
	}
	return pack.OID{}, errors.New("no such commit, branch or tag")
}

// abbreviated finds the one commit or tag whose id begins with prefix.
func (r *Repository) abbreviated(prefix string) (pack.OID, error) {
	store, err := r.Store()
	if err != nil {
		return pack.OID{}, err
	}
	var found []pack.OID
	for _, id := range store.WithPrefix(prefix) {
		if typ, _, err := store.Header(id); err == nil && (typ == pack.TypeCommit || typ == pack.TypeTag) {
			found = append(found, id)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return pack.OID{}, errors.New("no such commit")
	}
	return pack.OID{}, errors.New("the abbreviated id is ambiguous")
}

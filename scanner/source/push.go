package source

import (
	"strings"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/pack"
)

// PushRef is a line that git gives to a pre-push hook.
type PushRef struct{ LocalRef, LocalOID, RemoteRef, RemoteOID string }

// NewPush returns a source for what a push would bring to a remote: what the
// local ids reach, and neither the remote ids nor any ref that is known of the
// remote does; and the names of the refs. Deleted refs bring nothing. remote may
// be a URL, of which no refs are known.
func NewPush(repo *Repository, refs []PushRef, remote string) (*Range, error) {
	s := &Range{repo: repo, exposure: scanner.ExposureLocal}
	for _, r := range refs {
		if err := s.give(r.RemoteRef, r.LocalOID); err != nil {
			return nil, err
		}
		// The remote's id may be one that was never fetched.
		if old, err := repo.Resolve(r.RemoteOID); err == nil && !zeroID(r.RemoteOID) {
			s.exclude = append(s.exclude, old)
		}
	}
	if remote != "" {
		known := repo.tipsOf(func(name string) bool { return strings.HasPrefix(name, "refs/remotes/"+remote+"/") })
		s.exclude = append(s.exclude, known...)
	}
	return s, nil
}

// ReceiveRef is a line that git gives to a pre-receive hook.
type ReceiveRef struct{ Old, New, Ref string }

// NewReceive returns a source for what a push brings to this repository: what
// the new ids reach and no ref does yet, and the names of the refs. The objects
// lie in the quarantine directory that Discover learned of from the environment.
func NewReceive(repo *Repository, refs []ReceiveRef) (*Range, error) {
	s := &Range{repo: repo, exposure: scanner.ExposureLocal} // nothing of a refused push is kept
	for _, r := range refs {
		if err := s.give(r.Ref, r.New); err != nil {
			return nil, err
		}
	}
	s.exclude = repo.tipsOf(func(string) bool { return true })
	return s, nil
}

// givenRef is a ref that a push brings.
type givenRef struct {
	name   string
	tags   []pack.OID // tag objects on the way to object
	object pack.OID
	typ    pack.Type
}

// give includes what a ref will stand for; a null id means that it is deleted.
func (s *Range) give(ref, hex string) error {
	if zeroID(hex) {
		return nil
	}
	id, err := pack.ParseOID(hex)
	if err != nil {
		return &RevisionError{Revision: hex, Reason: err.Error()}
	}
	g := givenRef{name: ref}
	if g.tags, g.object, g.typ, err = s.repo.peelTags(id); err != nil {
		shallow, _ := s.repo.readShallow()
		return &RevisionError{Revision: hex, Reason: err.Error(), Shallow: len(shallow) > 0}
	}
	if g.typ == pack.TypeCommit {
		s.include = append(s.include, g.object)
	}
	s.given = append(s.given, g)
	return nil
}

func zeroID(id string) bool { return strings.Trim(id, "0") == "" }

// tipsOf returns the commits of those refs for whose names want holds. What
// cannot be read is left out: the list is of commits not to look at.
func (r *Repository) tipsOf(want func(name string) bool) []pack.OID {
	var ids []pack.OID
	for _, t := range r.readRefs().tips {
		if t.kind == tipRef && want(t.name) {
			if id, err := r.peel(t.oid); err == nil {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

package source

import (
	"time"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/pack"
)

// NewEvent returns a source for what a CI event brought: what head reaches and
// base does not. base "" means that there was nothing before, and everything
// that head reaches is looked at. CI sees only what was pushed, so that is the
// exposure of all findings. The error is a *RevisionError when one of the two
// does not exist.
func NewEvent(repo *Repository, base, head string) (*Range, error) {
	s := &Range{repo: repo, exposure: scanner.ExposurePushed}
	if _, err := pack.ParseOID(head); err == nil {
		// A push of a tag names the tag object, whose message counts too.
		if err := s.give(head, head); err != nil {
			return nil, err
		}
	} else {
		id, err := repo.Resolve(head)
		if err != nil {
			return nil, err
		}
		s.include = []pack.OID{id}
	}
	if base != "" {
		id, err := repo.Resolve(base)
		if err != nil {
			return nil, err
		}
		s.exclude = []pack.OID{id}
	}
	return s, nil
}

// Reaches reports whether the history of the commit that tip names holds the
// one that commit names. The error is a *RevisionError when one of the two does
// not exist.
func (r *Repository) Reaches(tip, commit string) (bool, error) {
	from, err := r.Resolve(tip)
	if err != nil {
		return false, err
	}
	to, err := r.Resolve(commit)
	if err != nil {
		return false, err
	}
	_, rest, err := r.commitsBetween([]pack.OID{to}, []pack.OID{from}, time.Time{})
	return len(rest) == 0, err
}

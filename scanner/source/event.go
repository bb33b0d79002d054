package source

import (
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
	id, err := repo.Resolve(head)
	if err != nil {
		return nil, err
	}
	s.include = []pack.OID{id}
	if base != "" {
		if id, err = repo.Resolve(base); err != nil {
			return nil, err
		}
		s.exclude = []pack.OID{id}
	}
	return s, nil
}

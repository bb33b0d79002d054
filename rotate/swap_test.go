package rotate_test

import (
	"context"
	"errors"
	"testing"

	"github.com/till-sh/till/rotate"
)

// shelf is a place with one spot.
type shelf struct {
	spot   rotate.Spot
	placed int
}

func (s *shelf) Name() string { return "shelf" }
func (s *shelf) Find(context.Context, *rotate.Job) ([]rotate.Spot, error) {
	return []rotate.Spot{s.spot}, nil
}
func (s *shelf) Place(context.Context, *rotate.Job, rotate.Spot) error { s.placed++; return nil }

// TestSwap: who answers every question by its standard, as --yes does, puts the
// new key where the old one is known to stand; not where only the repository says
// that the place is the owner's; and as long as something is left that holds the
// old key, the old key is not ended.
func TestSwap(t *testing.T) {
	for name, c := range map[string]struct {
		spot   rotate.Spot
		placed int
		ended  bool
	}{
		"known":   {rotate.Spot{Sure: true}, 1, true},
		"claimed": {rotate.Spot{Sure: true, Claimed: true}, 0, false},
		"by hand": {rotate.Spot{Sure: true, ByHand: true}, 0, false},
		"by name": {rotate.Spot{}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := w.session(&yes{}, rotate.Options{Reason: "leaked"})
			p := &shelf{spot: c.spot}
			p.spot.Placer, p.spot.Where = "shelf", "the top"
			s.Job.Adapters.Placers = append(s.Job.Adapters.Placers, p)
			_, err := s.Run(t.Context())
			if p.placed != c.placed || w.live[w.old] == c.ended || c.ended != (err == nil) || err != nil && !errors.Is(err, rotate.ErrStopped) {
				t.Errorf("placed %d times, old key lives: %v, %v", p.placed, w.live[w.old], err)
			}
		})
	}
}

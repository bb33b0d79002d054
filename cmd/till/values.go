package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/source"
)

// tagger makes rotate.Session.Tag under the person's own key, the one of the
// history record; nil where there can be none.
func tagger(e *env) func(fingerprint string, v scanner.Secret) string {
	key, err := recordKey(e)
	if err != nil {
		return nil
	}
	mac := func(what string, parts ...string) []byte {
		m := hmac.New(sha256.New, key)
		fmt.Fprintf(m, "%s\x00", what)
		for _, p := range parts {
			fmt.Fprintf(m, "%d\x00%s", len(p), p)
		}
		return m.Sum(nil)
	}
	name := hex.EncodeToString(mac("till key name")[:4])
	return func(fingerprint string, v scanner.Secret) string {
		return name + "." + hex.EncodeToString(mac("till case value", fingerprint, v.Reveal())[:16])
	}
}

// whole adds what the history knows of a key that was found nearer by: how far
// it has travelled, since when, in which commits, and which other values have
// stood at its place. Where there is no repository there is nothing to add.
func whole(ctx context.Context, e *env, s *sight) error {
	if s.where == "history" {
		s.committed = s.key.Values()
		return nil
	}
	keys, err := keysOf(ctx, e, openWholeHistory)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.Fingerprint != s.key.Fingerprint {
			continue
		}
		if s.key.Exposure != scanner.ExposureStaged || k.Exposure != scanner.ExposureUnreachable {
			s.key.Exposure = k.Exposure
		}
		s.key.Places = append(s.key.Places, k.Places...)
		if s.key.Partner == nil {
			s.key.Partner = k.Partner
		}
		if s.key.Rule.Human {
			s.committed = append(s.committed, k.Values()...)
		}
	}
	all := s.key.Values()
	for _, v := range s.committed {
		if !has(all, v) {
			all = append(all, v)
		}
	}
	s.take(all)
	return nil
}

func openWholeHistory(e *env) (*target, error) {
	return openHistory(e, source.HistoryOptions{Unreachable: true}, true)
}

func has(values []scanner.Secret, v scanner.Secret) bool {
	return slices.ContainsFunc(values, func(o scanner.Secret) bool { return o.Reveal() == v.Reveal() })
}

// take gives the key its values, the first to be worked on.
func (s *sight) take(values []scanner.Secret) { s.key.Secret, s.key.Others = values[0], values[1:] }

// leaked leaves out what is not leaked but put there by the case itself: its new
// key, where it stands in no commit. Call whole before. stored is the new key
// that waits, nil when there is none; c nil when there is no case.
func (s *sight) leaked(c *rotate.Case, stored *rotate.Issued, tag func(string, scanner.Secret) string) error {
	var values, last []scanner.Secret
	for _, v := range s.key.Values() {
		waits := stored != nil && stored.Secret.Reveal() == v.Reveal()
		fresh := waits || c != nil && tag != nil && slices.Contains(c.Fresh, tag(s.key.Fingerprint, v))
		switch {
		case fresh && !has(s.committed, v):
		case waits: // committed meanwhile: after the old one is dead
			last = append(last, v)
		default:
			values = append(values, v)
		}
	}
	if values = append(values, last...); len(values) == 0 {
		return withHint(fmt.Errorf("%s: the new key is in its place already, and the old one stands nowhere any more", s.key.ID),
			`when it is dead: till rotate %s --resolve revoked --reason "…"`, s.key.ID)
	}
	s.take(values)
	return nil
}

// leakedAgain finds closed cases at whose place something else stands in the
// history than what they were closed for, or may: fingerprints, each with a
// sentence. Only cases of passwords can be; without one nothing is read. It
// writes nothing and asks nobody: till rotate ID does.
func (w *workshop) leakedAgain(ctx context.Context, ledger *rotate.Ledger) (map[string]string, error) {
	closed := map[string]*rotate.Case{}
	for _, c := range ledger.Cases() {
		if _, r := findRule(c.Rule); !c.Open() && r != nil && r.Human {
			closed[c.Fingerprint] = c
		}
	}
	if len(closed) == 0 || w.repo == nil {
		return nil, nil
	}
	keys, err := keysOf(ctx, w.e, openWholeHistory)
	if err != nil {
		return nil, fmt.Errorf("compare closed cases with the history: %w", err)
	}
	tag := tagger(w.e)
	again := map[string]string{}
	for i := range keys {
		k := &keys[i]
		c := closed[k.Fingerprint]
		if c == nil {
			continue
		}
		for _, v := range k.Values() {
			var t string
			if tag != nil {
				t = tag(k.Fingerprint, v)
			}
			switch settled, sure := c.Knows(t); {
			case settled:
			case sure:
				again[k.Fingerprint] = "another value leaked at the same place"
			case latest(k).After(c.Changed):
				again[k.Fingerprint] = "committed again after the case was closed"
			}
		}
	}
	return again, nil
}

// openAgain shows the cases that leakedAgain has found as open, since they were
// closed.
func openAgain(cases []*rotate.Case, again map[string]string) []*rotate.Case {
	out := slices.Clone(cases)
	for i, c := range out {
		if again[c.Fingerprint] != "" {
			open := *c
			open.Opened, open.State, open.Resolution, open.Validity = c.Changed, rotate.Found, "", ""
			out[i] = &open
		}
	}
	return out
}

// latest is the time of the last commit that brought a key.
func latest(k *scanner.Key) (t time.Time) {
	for _, p := range k.Places {
		if p.Commit != nil && p.Commit.Time.After(t) {
			t = p.Commit.Time
		}
	}
	return t
}

// valuesOf are the tags of all values that stand at the place of a case, for a
// decision about it; none when nothing is found.
func (w *workshop) valuesOf(ctx context.Context, c *rotate.Case) []string {
	tag := tagger(w.e)
	if _, r := findRule(c.Rule); tag == nil || r == nil || !r.Human {
		return nil
	}
	s, err := lookup(ctx, w.e, c.Fingerprint)
	if err == nil {
		err = whole(ctx, w.e, s)
	}
	if err != nil {
		return nil
	}
	return tagsOf(tag, &s.key)
}

func tagsOf(tag func(string, scanner.Secret) string, k *scanner.Key) []string {
	var tags []string
	for _, v := range k.Values() {
		if tag != nil && k.Rule.Human {
			tags = append(tags, tag(k.Fingerprint, v))
		}
	}
	return tags
}

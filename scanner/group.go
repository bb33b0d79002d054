package scanner

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/till-sh/till/rules"
)

// attributed is a finding with the places where it stands.
type attributed struct {
	Finding
	places   []Place
	exposure Exposure
}

// group makes one key of all findings of one value, splits off the places that
// an inline mark declares harmless, and orders everything: what can hurt now
// comes first. rel gives the path that a fingerprint goes by.
func group(findings []attributed, rel func(string) string) (reported, suppressed []Key) {
	proper := map[string]string{} // value → fingerprint, of findings of class key
	for i := range findings {
		f := &findings[i]
		if f.Class == rules.ClassKey && !f.Rule.Human {
			v := f.Secret.Reveal()
			if fp := fingerprintOf(&f.Finding, ""); proper[v] == "" || fp < proper[v] {
				proper[v] = fp
			}
		}
	}
	type name struct {
		fingerprint string
		marked      bool
	}
	byName := map[name]*Key{}
	at := map[*Key]*datedValues{}
	var all []*Key
	for i := range findings {
		f := &findings[i]
		for _, p := range f.places {
			fp := proper[f.Secret.Reveal()]
			if fp == "" {
				fp = fingerprintOf(&f.Finding, rel(p.Path))
			}
			n := name{fp, f.Mark != nil}
			k := byName[n]
			if k == nil {
				k = &Key{Fingerprint: fp, Rule: f.Rule, Class: f.Class, Secret: f.Secret, Facts: f.Facts, Exposure: f.exposure}
				if f.Mark != nil {
					k.Suppressed = &Suppression{Kind: "inline", Reason: f.Mark.Reason, Source: markSource(p.Path, f.Mark)}
				}
				byName[n] = k
				all = append(all, k)
			}
			k.absorb(f, p)
			if k.Rule.Human {
				if at[k] == nil {
					at[k] = &datedValues{number: map[string]int{}}
				}
				at[k].add(f.Secret, p)
			}
		}
	}
	for k, v := range at {
		k.take(v.list)
	}
	nameKeys(unmarked(all))
	for _, k := range all {
		if k.Suppressed != nil && k.ID == "" {
			k.ID = shortID(k.Rule.Provider, k.Fingerprint, shortest)
		}
		slices.SortFunc(k.Places, comparePlaces)
		k.Places = slices.CompactFunc(k.Places, samePlace)
	}
	slices.SortFunc(all, compareKeys)
	for _, k := range all {
		if k.Suppressed != nil {
			suppressed = append(suppressed, *k)
		} else {
			reported = append(reported, *k)
		}
	}
	return reported, suppressed
}

// dated is a value and the latest time that it came to a place.
type dated struct {
	secret Secret
	time   int64
}

// datedValues are those of one place, each once.
type datedValues struct {
	list   []dated
	number map[string]int // of a value in list
}

func (v *datedValues) add(s Secret, p Place) {
	at := int64(math.MaxInt64) // in a file: now
	if p.Commit != nil {
		at = p.Commit.Time.Unix()
	}
	if i, ok := v.number[s.Reveal()]; ok {
		v.list[i].time = max(v.list[i].time, at)
		return
	}
	v.number[s.Reveal()] = len(v.list)
	v.list = append(v.list, dated{s, at})
}

// take gives the key of a place its values.
func (k *Key) take(values []dated) {
	if len(values) < 2 {
		return
	}
	slices.SortStableFunc(values, func(a, b dated) int { return cmp.Compare(b.time, a.time) })
	k.Secret = values[0].secret
	for _, v := range values[1:] {
		k.Others = append(k.Others, v.secret)
	}
}

func unmarked(all []*Key) []*Key {
	var some []*Key
	for _, k := range all {
		if k.Suppressed == nil {
			some = append(some, k)
		}
	}
	return some
}

func markSource(path string, m *Mark) string {
	return fmt.Sprintf("%s:%d (%s)", path, m.Line, m.Tool)
}

// absorb adds one more place of the key and keeps the better name for it.
func (k *Key) absorb(f *attributed, p Place) {
	if cmp.Or(cmp.Compare(classRank(f.Class), classRank(k.Class)), cmp.Compare(severityRank(f.Rule.Severity), severityRank(k.Rule.Severity)), cmp.Compare(f.Rule.ID, k.Rule.ID)) < 0 {
		k.Rule, k.Class, k.Facts = f.Rule, f.Class, f.Facts
	}
	if k.Partner == nil && f.Partner != nil {
		k.Partner, k.Facts = f.Partner, f.Facts
	}
	if p, o := k.Partner, f.Partner; p != nil && o != nil && p.Sure && (!o.Sure || p.Secret.Reveal() != o.Secret.Reveal()) {
		unsure := *p // another half stands beside it elsewhere
		unsure.Sure = false
		k.Partner = &unsure
	}
	if exposureRank(f.exposure) > exposureRank(k.Exposure) {
		k.Exposure = f.exposure
	}
	k.Places = append(k.Places, p)
}

func exposureRank(e Exposure) int {
	return slices.Index([]Exposure{ExposureUnreachable, ExposureFile, ExposureStaged, ExposureLocal, ExposurePushed, ExposurePublic}, e)
}

// comparePlaces orders the oldest commit first, then by path and offset.
func comparePlaces(a, b Place) int {
	at := func(p Place) int64 {
		if p.Commit == nil {
			return 0
		}
		return p.Commit.Time.Unix()
	}
	return cmp.Or(cmp.Compare(at(a), at(b)), strings.Compare(a.Repository, b.Repository), strings.Compare(a.Path, b.Path), cmp.Compare(a.Location.Offset, b.Location.Offset),
		strings.Compare(a.Blob, b.Blob), strings.Compare(commitHash(a), commitHash(b)), strings.Compare(string(a.Where), string(b.Where)))
}

func commitHash(p Place) string {
	if p.Commit == nil {
		return ""
	}
	return p.Commit.Hash
}

func samePlace(a, b Place) bool {
	return a.Repository == b.Repository && a.Path == b.Path && a.Blob == b.Blob && a.Where == b.Where && a.Location == b.Location && commitHash(a) == commitHash(b)
}

// compareKeys orders keys before suspects, the more exposed and the more
// harmful first, then by path and place.
func compareKeys(a, b *Key) int {
	return cmp.Or(
		cmp.Compare(classRank(a.Class), classRank(b.Class)),
		cmp.Compare(exposureRank(b.Exposure), exposureRank(a.Exposure)),
		cmp.Compare(severityRank(a.Rule.Severity), severityRank(b.Rule.Severity)),
		strings.Compare(a.Places[0].Repository, b.Places[0].Repository),
		strings.Compare(a.Places[0].Path, b.Places[0].Path),
		cmp.Compare(a.Places[0].Location.Offset, b.Places[0].Location.Offset),
		strings.Compare(a.Fingerprint, b.Fingerprint),
	)
}

package scanner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/till-sh/till/rules"
)

// stored is a Result as it is kept between two scans: of all values only the
// masks.
type stored struct {
	Keys, Suppressed []storedKey
	Summary          Summary
}

type storedKey struct {
	ID, Fingerprint, Rule string
	Class                 rules.Class
	Mask                  string
	Others                []string // masks
	Partner               *storedPartner
	Facts                 Facts
	Exposure              Exposure
	Places                []Place
	Suppressed            *Suppression
}

type storedPartner struct {
	Rule, Mask string
	Location   Location
	Sure       bool
}

// Store encodes a result for LoadResult: of its values the masks, everything else
// as it is, so that a value which also stands in a path or a commit's subject has
// to be masked there before. The error says that some text cannot be kept.
func (r *Result) Store() ([]byte, error) {
	s := stored{Summary: r.Summary}
	pack := func(keys []Key) (out []storedKey) {
		for i := range keys {
			k := &keys[i]
			j := storedKey{ID: k.ID, Fingerprint: k.Fingerprint, Rule: k.Rule.ID, Class: k.Class, Mask: k.Secret.String(),
				Facts: k.Facts, Exposure: k.Exposure, Places: k.Places, Suppressed: k.Suppressed}
			for _, o := range k.Others {
				j.Others = append(j.Others, o.String())
			}
			if p := k.Partner; p != nil {
				j.Partner = &storedPartner{p.Rule.ID, p.Secret.String(), p.Location, p.Sure}
			}
			out = append(out, j)
		}
		return out
	}
	s.Keys, s.Suppressed = pack(r.Keys), pack(r.Suppressed)
	data, err := json.Marshal(&s)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(data, []byte(`\ufffd`)) {
		return nil, errors.New("store result: there is text that is not UTF-8")
	}
	return data, nil
}

// LoadResult decodes what Store encoded. The values are masks; rule finds a rule by
// its ID.
func LoadResult(data []byte, rule func(id string) *rules.Rule) (*Result, error) {
	var s stored
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("load result: %w", err)
	}
	r := &Result{Summary: s.Summary}
	var missing string
	find := func(id string) *rules.Rule {
		found := rule(id)
		if found == nil {
			missing = id
		}
		return found
	}
	unpack := func(keys []storedKey) (out []Key) {
		for i := range keys {
			j := &keys[i]
			k := Key{ID: j.ID, Fingerprint: j.Fingerprint, Rule: find(j.Rule), Class: j.Class, Secret: MaskedSecret(j.Mask),
				Facts: j.Facts, Exposure: j.Exposure, Places: j.Places, Suppressed: j.Suppressed}
			for _, o := range j.Others {
				k.Others = append(k.Others, MaskedSecret(o))
			}
			if p := j.Partner; p != nil {
				k.Partner = &Partner{Rule: find(p.Rule), Secret: MaskedSecret(p.Mask), Location: p.Location, Sure: p.Sure}
			}
			out = append(out, k)
		}
		return out
	}
	r.Keys, r.Suppressed = unpack(s.Keys), unpack(s.Suppressed)
	if missing != "" {
		return nil, fmt.Errorf("load result: there is no rule %s", missing)
	}
	return r, nil
}

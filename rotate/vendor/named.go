package vendor

import (
	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
)

// ofNamed takes a death back that was told under an id which a person has named,
// and not the place of the key: under a wrong one every key is refused. What was
// let in under it before is dead.
func ofNamed(j *rotate.Job, id string, v rotate.Verdict) rotate.Verdict {
	const letIn = "id_let_in" // kept in the record
	if j.New != nil && id == j.New.ID {
		return v
	}
	if id == j.Leak.PublicID {
		switch v.Validity {
		case rotate.Active:
			j.LetInPair(v.Host)
		case rotate.Inactive:
			if why := j.DoubtPair(v.Host, j.Leak.Secret); why != "" {
				v.Validity, v.Why = rotate.Unknown, v.Why+"; "+why
			}
		}
		return v
	}
	switch {
	case v.Validity == rotate.Active:
		j.Remember(letIn, call.Value{Text: id})
	case v.Validity == rotate.Inactive && j.Known()[letIn] != id:
		v.Validity, v.Why = rotate.Unknown, v.Why+"; nothing shows that "+id+" is the one that the key is of"
	}
	return v
}

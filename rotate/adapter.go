package rotate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/till-sh/till/scanner"
)

// An adapter is a Go type that does one thing which the catalogue's requests
// cannot say. It implements one or several of the interfaces below; the name by
// which the TOML files call it stands in a registry (Adapters.Funcs).

// A Verifier asks whether a key is active. It has no side effects. An error
// means that it could not ask; the verdict is Unknown then.
type Verifier interface {
	Verify(ctx context.Context, j *Job, secret scanner.Secret) (Verdict, error)
}

// An Issuer makes a new key. It asks for the narrowest scope and the shortest
// life that the vendor offers and the job names.
//
// It hands the new key to j.Keep as soon as it has it, and before anything that
// ends the old one: from then on it cannot be lost. Issue is called once for an
// intent in the ledger; where it may have run without an end, the session asks
// before it calls it again.
type Issuer interface {
	Issue(ctx context.Context, j *Job) (Issued, error)
}

// A Setter is an Issuer that makes the value itself, such as a password, and
// keeps it before the call that sets it. After an interruption its Issue is
// called again without asking: it sets what was kept, and where nothing was
// kept, nothing was set.
type Setter interface {
	Issuer
	SetsKept()
}

// A Revoker ends the old key, and only that: when the key cannot be addressed
// exactly it returns ErrAmbiguous and has done nothing. Doing it twice is no
// error. That it returns nil means that the vendor has accepted; whether the key
// is dead is for the Verifier to say.
type Revoker interface {
	Revoke(ctx context.Context, j *Job) error
}

// An Undoer takes back what its Revoke did.
type Undoer interface {
	Undo(ctx context.Context, j *Job) error
}

// A Describer says line by line what an adapter would do, for --dry-run and
// before asking: requests, statements, files, with every key masked. Every
// adapter that changes something has it.
type Describer interface {
	Describe(j *Job) []string
}

// A Sibling is a key beside the leaked one, which it could have made.
type Sibling struct {
	Name, Created, LastUsed string
}

// Issued is a new key.
type Issued struct {
	Secret  scanner.Secret
	ID      string // public identifier or half; "" = none
	Expires string // as the vendor writes it
	// Ends says that the old key died with it: a changed password, a rotated token.
	Ends bool
}

// A Func is an adapter under the name that TOML files call it by.
type Func struct {
	Name    string
	Adapter any // Verifier, Issuer, Revoker, Undoer, Describer: those it implements
}

// A Placer puts the new key where the old one was used.
type Placer interface {
	// Name is what people call the place: "files", "github-secret".
	Name() string
	// Find lists the spots where the old key is known or likely to be in use. A
	// place that is not there (no gh, no cluster) has no spots and is no error.
	// Find changes nothing and sends the old value nowhere.
	Find(ctx context.Context, j *Job) ([]Spot, error)
	// Place puts the new key there. It is atomic: afterwards the spot has the
	// old value or the new one. Doing it twice is no error. The value never
	// stands in a command line or an environment.
	Place(ctx context.Context, j *Job, s Spot) error
}

// A Spot is one place that can get the new key.
type Spot struct {
	Placer string
	Where  string // "deploy.env", "acme/web: STRIPE_API_KEY"; unique for the placer
	Sure   bool   // the old value stands there; else only the name fits
	ByHand bool   // till must not write there; the preview says why
	// Claimed says that only the repository's own configuration calls this place
	// the owner's: a person has to see it before anything goes there, and --yes is
	// no answer.
	Claimed bool
	Preview []string // what will change, line by line, values masked
	Ref     any      // the placer's own
}

// Adapters are all the ways that a session has to the outside.
type Adapters struct {
	Funcs   []Func   // sorted by name
	Placers []Placer // in the order in which they are shown
}

// ErrAmbiguous is the refusal to touch a key that cannot be told from others.
var ErrAmbiguous = errors.New("the key cannot be addressed exactly")

// ErrNotFound says that the vendor does not know the key (any more).
var ErrNotFound = errors.New("no such key at the vendor")

// ErrDenied says that the credential used may not do it.
var ErrDenied = errors.New("not permitted")

// Func returns the adapter of a name, nil when there is none.
func (a *Adapters) Func(name string) any {
	i, ok := slices.BinarySearchFunc(a.Funcs, name, func(f Func, name string) int { return strings.Compare(f.Name, name) })
	if !ok {
		return nil
	}
	return a.Funcs[i].Adapter
}

// Check reports faults of the registry: names that are not sorted or twice
// there, adapters that do nothing or do not describe what they do.
func (a *Adapters) Check() error {
	var faults []error
	for i, f := range a.Funcs {
		if i > 0 && a.Funcs[i-1].Name >= f.Name {
			faults = append(faults, fmt.Errorf("func %s: not in order", f.Name))
		}
		_, verifies := f.Adapter.(Verifier)
		_, issues := f.Adapter.(Issuer)
		_, revokes := f.Adapter.(Revoker)
		if !verifies && !issues && !revokes {
			faults = append(faults, fmt.Errorf("func %s: neither Verifier nor Issuer nor Revoker", f.Name))
		}
		if _, ok := f.Adapter.(Describer); !ok {
			faults = append(faults, fmt.Errorf("func %s: says nothing about what it does (Describer)", f.Name))
		}
	}
	seen := map[string]bool{}
	for _, p := range a.Placers {
		if seen[p.Name()] {
			faults = append(faults, fmt.Errorf("placer %s stands there twice", p.Name()))
		}
		seen[p.Name()] = true
	}
	return errors.Join(faults...)
}

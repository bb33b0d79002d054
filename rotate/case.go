package rotate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Validity is what a vendor says of a key, in the words of GitHub secret
// scanning. Whatever is no clear answer is Unknown: a broken network, a server
// that fails, a rate limit or an unexpected answer kill nothing.
type Validity string

// The three answers; "" = nobody was asked.
const (
	Active   Validity = "active"
	Inactive Validity = "inactive"
	Unknown  Validity = "unknown"
)

// A Verdict is one answer with what else it told. No field holds a secret.
type Verdict struct {
	Validity Validity
	Why      string // one line: "HTTP 401", "no answer in time"
	Identity string // whose key it is
	Scopes   string // what it may do
	LastUsed string // as the vendor writes it
	Expires  string
	Host     string // who was asked
}

// State is how far a case has come.
type State string

// The states. A case goes through them in this order when the new key comes
// first, and with Revoked before Reissued when the old key is public.
const (
	Found     State = "found"
	Assessed  State = "assessed"
	Reissued  State = "reissued"
	Replaced  State = "replaced"
	Revoked   State = "revoked"   // the vendor has accepted
	Confirmed State = "confirmed" // proven dead, or attested by a person
)

// Resolution closes a case, in GitHub's words.
type Resolution string

// The resolutions; "" = the case is open.
const (
	ResolvedRevoked Resolution = "revoked"
	ResolvedFalse   Resolution = "false_positive"
	ResolvedTests   Resolution = "used_in_tests"
	ResolvedWontFix Resolution = "wont_fix"
)

// Resolutions are all that a person can choose.
func Resolutions() []Resolution {
	return []Resolution{ResolvedRevoked, ResolvedFalse, ResolvedTests, ResolvedWontFix}
}

// A Case is one leaked key that is being replaced, as the ledger tells it. It
// never holds a value: the key is known by its fingerprint.
type Case struct {
	Fingerprint string
	ID          string // as people see it
	Rule        string
	State       State
	Validity    Validity // the last answer about the old key
	Resolution  Resolution
	Opened      time.Time
	Changed     time.Time
	Who         string // who touched it last
	Reason      string // of the resolution or attestation

	// Steps are the steps that were begun: "reissue/0", "replace", "revoke/1".
	Steps map[string]StepState
	// Names are identifiers that were found out on the way (key_id, host): what
	// {{names}} stand for. Never a secret.
	Names map[string]string
	// NewID is the public identifier of the new key, Stored the file that holds
	// the key itself until it is in its place.
	NewID, Stored string
	Placed        bool // some spot has got the key that is stored
	// Due is when the next step may be done, zero when there is no waiting.
	Due time.Time
	// Verdicts counts the answers "inactive" in a row.
	Verdicts int

	// Of a case that is known by its place: tags (Session.Tag) of the values that
	// it has been about, the latest last; of those that were proven dead or closed
	// by a person; and of the new keys that were put there.
	About, Settled, Fresh []string
}

// StepState is how far one step has come.
type StepState struct {
	Mark Mark
	At   time.Time
	What string // the call, without values
}

// Mark says what is known about a step.
type Mark string

// Begun without an end means that the outcome is not known: the process ended
// between the call and its answer.
const (
	Begun   Mark = "begun"
	Done    Mark = "done"
	Failed  Mark = "failed"
	Skipped Mark = "skipped"
	Undone  Mark = "undone"
)

// Open reports whether something is left to do.
func (c *Case) Open() bool { return c.Resolution == "" }

// Done reports whether a step was done or left out on purpose.
func (c *Case) Done(step string) bool {
	m := c.Steps[step].Mark
	return m == Done || m == Skipped
}

// apply folds one ledger entry into the case.
func (c *Case) apply(e *Entry) {
	if c.Opened.IsZero() {
		c.Opened, c.State = e.Time, Found
		c.Steps, c.Names = map[string]StepState{}, map[string]string{}
	}
	c.Fingerprint, c.Changed, c.Who = e.Case, e.Time, e.Who
	if e.ID != "" {
		c.ID = e.ID
	}
	if e.Rule != "" {
		c.Rule = e.Rule
	}
	if e.State != "" {
		c.State = e.State
	}
	maps.Copy(c.Names, e.Names)
	switch e.Event {
	case EventIntent, EventDone, EventFailed, EventSkipped, EventUndone:
		mark := map[Event]Mark{EventIntent: Begun, EventDone: Done, EventFailed: Failed, EventSkipped: Skipped, EventUndone: Undone}[e.Event]
		c.Steps[e.Step] = StepState{Mark: mark, At: e.Time, What: e.What}
		if e.Event == EventDone && strings.HasPrefix(e.Step, "replace/") {
			c.Placed = true
		}
		if e.Event == EventUndone {
			c.Resolution, c.Settled = "", nil // what was taken back is open again
		}
	case EventVerdict:
		if e.Step == "new" { // about the new key
			break
		}
		if e.Validity == Inactive {
			c.Settled = withTags(c.Settled, e.Values)
		}
		if c.Validity = e.Validity; c.Validity == Inactive {
			c.Verdicts++
		} else {
			c.Verdicts = 0
		}
	case EventStored:
		c.Stored, c.Placed = e.What, false
		c.Fresh = withTags(c.Fresh, e.Values)
	case EventForgotten:
		c.Stored, c.Placed = "", false
	case EventResolved:
		c.Resolution, c.Reason = e.Resolution, e.Reason
		c.Settled = withTags(c.Settled, e.Values)
		if e.Step != "" { // by a session, whose last step it was; a person names none
			c.Steps[e.Step] = StepState{Mark: Done, At: e.Time}
		}
	case EventOpened, EventNote:
		c.About = withTags(c.About, e.Values)
	case EventReopened:
		c.Resolution = ""
		c.State = Found
		clear(c.Steps)
		c.About = withTags(c.About, e.Values)
		c.Settled = slices.DeleteFunc(c.Settled, func(t string) bool { return len(e.Values) == 0 || slices.Contains(e.Values, t) })
	}
	if e.NewID != "" {
		c.NewID = e.NewID
	}
	c.Due = e.Due
}

// withTags adds tags at the end, each once.
func withTags(tags, more []string) []string {
	for _, t := range more {
		tags = append(slices.DeleteFunc(tags, func(o string) bool { return o == t }), t)
	}
	return tags
}

// Matches reports whether a person who types id can mean this case.
func (c *Case) Matches(id string) bool {
	if len(id) >= 6 && !strings.Contains(id, "-") {
		return strings.HasPrefix(c.Fingerprint, strings.ToLower(id))
	}
	return len(id) > 3 && strings.HasPrefix(c.ID, strings.ToUpper(id))
}

// Age is how long the case has been open, in words for people.
func (c *Case) Age(now time.Time) string {
	d := now.Sub(c.Opened)
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// casesOf folds entries into cases, the oldest first.
func casesOf(entries []Entry) []*Case {
	byPrint := map[string]*Case{}
	var all []*Case
	for i := range entries {
		e := &entries[i]
		if e.Case == "" {
			continue
		}
		c := byPrint[e.Case]
		if c == nil {
			c = &Case{}
			byPrint[e.Case] = c
			all = append(all, c)
		}
		c.apply(e)
	}
	slices.SortStableFunc(all, func(a, b *Case) int { return a.Opened.Compare(b.Opened) })
	return all
}

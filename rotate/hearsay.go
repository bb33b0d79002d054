package rotate

import (
	"slices"
	"strings"

	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rules"
)

// hearsay are the names of a request whose values a person or a default has given,
// and not the place of the key or a vendor, as "name=value"; rest are those of them
// that are not part of the host. Under a wrong account every key is refused, so a
// refusal proves no death until the same names have let a key in. The server
// itself ({{host}}) is the owner's to name; see verify.
func (j *Job) hearsay(q rules.Request) (all, rest []string) {
	host, _, _ := strings.Cut(strings.TrimPrefix(q.URL, "https://"), "/")
	inHost := call.Names(host)
	for _, name := range call.NamesOf(q) {
		v, known := j.names[name]
		if !known || name == "host" || isAdmin(name) || j.lookupOf(name) != nil {
			continue // what comes from the key is in no answer
		}
		if near, ok := j.near(name); ok && near.Text == v.Text {
			continue
		}
		all = append(all, name+"="+v.Text)
		if !slices.Contains(inHost, name) {
			rest = append(rest, name+"="+v.Text)
		}
	}
	return all, rest
}

// letIn notes that a key was active at a host under the other names of a request.
func (j *Job) letIn(host string, names []string) {
	if j.lived == nil {
		j.lived = map[string]bool{}
	}
	j.lived[livedKey(host, names)] = true
}

func (j *Job) wasLetIn(host string, names []string) bool { return j.lived[livedKey(host, names)] }

func livedKey(host string, names []string) string {
	return host + "\x00" + strings.Join(names, "\x00")
}

// letInBefore takes over from the record where the leaked key was active. Names
// that were found out are kept there, and none is found out twice.
func (s *Session) letInBefore() {
	for _, e := range s.Ledger.Entries(s.Job.Leak.Fingerprint) {
		if e.Event == EventVerdict && e.Step == "" && e.Validity == Active {
			host, _, _ := strings.Cut(e.What, " ")
			_, rest := s.Job.hearsay(s.Job.Leak.Rule.Verify.Request)
			s.Job.letIn(host, rest)
		}
	}
}

package rotate

import (
	"regexp"
	"slices"
	"strings"

	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// hearsay are the names of a request whose values a person or a default has given,
// and not the place of the key or a vendor, as "name=value"; rest are those of them
// that are not part of the host. Under a wrong account every key is refused, so a
// refusal proves no death until the same names have let a key in. For the server itself
// ({{host}}) see doubt.
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

// doubt says why a refusal proves no death of a key: what was asked may be the
// wrong server, account or other half, or the answer is one that living keys get
// as well. "" = it is proved. What a key of the case was let in with before is in
// no doubt.
func (j *Job) doubt(v *rules.Verify, a *call.Answer, host string, secret scanner.Secret) string {
	names, rest := j.hearsay(v.Request)
	if !j.lived[livedKey(host, rest)] {
		switch {
		case strings.HasPrefix(v.Request.URL, "https://{{host}}") && !j.said["host"]:
			// The vendor's own server does not know the key; that of the owner may.
			return "it may belong to a server of your own: --set host=…"
		case slices.Contains(call.NamesOf(v.Request), "host") && !j.besideKey(j.names["host"].Text):
			return "refused by " + host + ", which the key does not name: nothing shows that it belongs there"
		case j.Leak.Rule.Provider == "github" && j.ownGitHub() != "":
			return "it may be a token of " + j.ownGitHub() + ", where the same kind is made"
		case len(names) > 0:
			name, _, _ := strings.Cut(names[0], "=")
			return "refused, but nothing shows that " + name + " is the one that the key is of"
		case v.DoubtBody != "":
			if re, err := regexp.Compile(v.DoubtBody); err != nil || re.Match(a.Body) {
				return "a living key gets this answer as well, from an address that is not allowed or without a right"
			}
		}
	}
	for _, name := range call.NamesOf(v.Request) {
		if name == "id" || j.isHalf(name) {
			return j.DoubtPair(host, secret)
		}
	}
	return ""
}

// besideKey reports whether the place of the key names this server.
func (j *Job) besideKey(host string) bool {
	b := j.HostBeside()
	return b != nil && strings.EqualFold(b.Host, host)
}

// isHalf reports whether a name stands for the other half of the pair.
func (j *Job) isHalf(name string) bool {
	if j.Leak.Partner == nil {
		return false
	}
	_, near := j.near(name)
	return near && name != "account"
}

// DoubtPair says why a refusal under the other half of a pair proves no death:
// several halves stand there, and the scanner has taken the nearest. "" = the two
// belong together: nothing else stands there, or the leaked key was active with it.
func (j *Job) DoubtPair(host string, secret scanner.Secret) string {
	p := j.Leak.Partner
	if p == nil || p.Sure || secret.Reveal() != j.Leak.Secret.Reveal() || j.lived[livedKey(host, []string{"pair=" + p.Secret.Reveal()})] {
		return ""
	}
	return "several halves of pairs stand there, and nothing shows that " + p.Rule.Description + " is the one that the key is of"
}

// letIn notes that a key was active at a host under the other names of a request.
func (j *Job) letIn(q rules.Request, host string, secret scanner.Secret) {
	_, rest := j.hearsay(q)
	j.lives(livedKey(host, rest))
	if j.Leak.Partner != nil && secret.Reveal() == j.Leak.Secret.Reveal() {
		j.LetInPair(host)
	}
}

// LetInPair notes that the leaked key was active with its other half.
func (j *Job) LetInPair(host string) {
	if j.Leak.Partner != nil {
		j.lives(livedKey(host, []string{"pair=" + j.Leak.Partner.Secret.Reveal()}))
	}
}

func (j *Job) lives(key string) {
	if j.lived == nil {
		j.lived = map[string]bool{}
	}
	j.lived[key] = true
}

func livedKey(host string, names []string) string {
	return host + "\x00" + strings.Join(names, "\x00")
}

// letInBefore takes over from the record where the leaked key was active. Names
// that were found out are kept there, and none is found out twice.
func (s *Session) letInBefore() {
	for _, e := range s.Ledger.Entries(s.Job.Leak.Fingerprint) {
		if e.Event == EventVerdict && e.Step == "" && e.Validity == Active {
			host, _, _ := strings.Cut(e.What, " ")
			s.Job.letIn(s.Job.Leak.Rule.Verify.Request, host, s.Job.Leak.Secret)
		}
	}
}

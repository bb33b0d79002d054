package checksum

import (
	"encoding/json"
	"strings"
	"time"
)

// Facts is what a credential says about itself, read without asking anybody.
// Fields are empty where it says nothing. Each holds printable characters only
// and is cut to a sane length: values come from files of strangers.
type Facts struct {
	Account string // whose it is: account number, workspace, user, project
	Expires string // when it ends, RFC 3339 in UTC
	ID      string // the credential's own public identifier, as the vendor's console shows it
	Note    string // one line: "test key", "documented example"
}

// Expired reports whether the credential ended before now. One without an end,
// or with an end that cannot be read, has not.
func (f Facts) Expired(now time.Time) bool {
	t, err := time.Parse(time.RFC3339, f.Expires)
	return err == nil && t.Before(now)
}

// reader reads the facts of one kind of credential. It is asked when the value
// begins with prefix and the rule's ID is rule or begins with rule and a dash;
// an empty field asks for nothing. A kind whose values have no prefix of their
// own needs a rule, so that nothing is read into somebody else's digits.
type reader struct {
	rule   string
	prefix string
	read   func(value string) Facts
}

// readers is sorted by prefix, then by rule. The first that finds something
// wins.
var readers = []reader{
	{"airtable", "", airtableFacts},
	{"asana", "", asanaFacts},
	{"azure", "", azureFacts},
	{"clickup", "", clickUpFacts},
	{"discord", "", discordFacts},
	{"fal", "", falFacts},
	{"gcp", "", googleFacts},
	{"google", "", googleFacts},
	{"harness", "", harnessFacts},
	{"salesforce", "", salesforceFacts},
	{"telegram", "", telegramFacts},
	{"", "-----BEGIN ", privateKeyFacts},
	{"", "ABIA", awsFacts},
	{"", "ACCA", awsFacts},
	{"", "AKIA", awsFacts},
	{"", "ASIA", awsFacts},
	{"", "SG.", sendGridFacts},
	{"", "dt0", dynatraceFacts},
	{"", "eyJ", jwtFacts},
	{"", "glc_", grafanaCloudFacts},
	{"", "http", webFacts},
	{"", "ops_eyJ", onePasswordFacts},
	{"", "pk.eyJ", mapboxFacts},
	{"", "rk_", stripeFacts},
	{"", "sk.eyJ", mapboxFacts},
	{"", "sk_", stripeFacts},
	{"", "sntrys_", sentryFacts},
	{"", "tk.eyJ", mapboxFacts},
	{"", "tskey-", tailscaleFacts},
	{"", "xapp-", slackFacts},
	{"", "xox", slackFacts},
}

// Read returns the facts of value, which was found by the rule of the given ID.
// It can be called for both halves of a pair: an AWS account stands in the
// access key's ID, not in its secret.
func Read(ruleID, value string) Facts {
	for i := range readers {
		r := &readers[i]
		if !strings.HasPrefix(value, r.prefix) {
			continue
		}
		if rest, ok := strings.CutPrefix(ruleID, r.rule); r.rule != "" && (!ok || rest != "" && rest[0] != '-') {
			continue
		}
		if f := r.read(value); f != (Facts{}) {
			return Facts{clean(f.Account), clean(f.Expires), clean(f.ID), clean(f.Note)}
		}
	}
	return Facts{}
}

// clean makes a text from a stranger's value fit for a report.
func clean(s string) string {
	const most = 120 // characters: a line of a terminal with some room
	s = strings.ToValidUTF8(s, "?")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '?'
		}
		return r
	}, s)
	if n := 0; len(s) > most {
		for i := range s {
			if n++; n == most {
				return s[:i] + "…"
			}
		}
	}
	return s
}

// unixTime writes seconds since 1970 as RFC 3339. Times before 2000 and after
// 2200 are nobody's expiry but some other number.
func unixTime(seconds float64) string {
	if !(seconds > 946684800 && seconds < 7258118400) {
		return ""
	}
	return time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339)
}

// text returns a JSON value's string, or its number in digits.
func text(m map[string]any, key string) string {
	switch v := m[key].(type) {
	case string:
		return v
	case float64:
		if b, err := json.Marshal(v); err == nil {
			return string(b)
		}
	}
	return ""
}

// first returns the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// jwtFacts reads the registered claims (RFC 7519) and the ones vendors add to
// say whose token it is.
func jwtFacts(value string) Facts {
	_, c, ok := jwtParts(value)
	if !ok {
		return Facts{}
	}
	f := Facts{
		Account: first(text(c, "email"), text(c, "preferred_username"), text(c, "upn"), text(c, "sub"), text(c, "client_id"), text(c, "appid"), text(c, "ref")),
		ID:      first(text(c, "jti"), text(c, "kid")),
	}
	if end, ok := c["exp"].(float64); ok {
		f.Expires = unixTime(end)
	}
	var notes []string
	for _, n := range []struct{ key, says string }{{"iss", "issued by "}, {"aud", "for "}, {"role", "role "}} {
		s := text(c, n.key)
		if list, ok := c[n.key].([]any); ok && len(list) > 0 {
			s, _ = list[0].(string)
		}
		if s != "" {
			notes = append(notes, n.says+s)
		}
	}
	f.Note = strings.Join(notes, ", ")
	return f
}

// privateKeyFacts: the fingerprint is what GitHub and ssh-keygen show for the
// public half.
func privateKeyFacts(value string) Facts {
	label, body := pemBody(value)
	if label == "" || strings.HasPrefix(label, "PGP") {
		return Facts{}
	}
	k, ok := parsePrivateKey(label, body, value)
	if !ok {
		return Facts{}
	}
	f := Facts{ID: k.fingerprint(), Note: k.kind + " key"}
	if k.encrypted {
		f.Note += ", protected by a passphrase"
	}
	return f
}

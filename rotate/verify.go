package rotate

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// verify makes the catalogue's request and reads the verdict out of the answer.
func (j *Job) verify(ctx context.Context, v *rules.Verify, secret scanner.Secret) (Verdict, error) {
	q, err := call.Fill(v.Request, j.Values(ctx, secret))
	if err != nil {
		return Verdict{Validity: Unknown, Why: oneLine(j.Redact.Text(err.Error()))}, j.Redact.Error(err)
	}
	out := Verdict{Validity: Unknown, Host: hostOf(q.URL)}
	a, err := j.HTTP.Do(ctx, q)
	if err != nil {
		if ctx.Err() != nil {
			return out, ctx.Err() // nobody waits for the answer
		}
		out.Why = oneLine(j.Redact.Text(err.Error()))
		return out, nil // no answer is an answer of its own: unknown
	}
	out.Validity, out.Why = Judge(v, a)
	if out.Validity == Inactive {
		if why := j.doubt(v, a, out.Host, secret); why != "" {
			out.Validity, out.Why = Unknown, out.Why+"; "+why
		}
	}
	if out.Validity == Active {
		j.letIn(v.Request, out.Host, secret)
		out.Identity, out.Scopes = a.Text(v.Identity), a.Text(v.Scopes)
		out.LastUsed, out.Expires = a.Text(v.LastUsed), a.Text(v.Expires)
	}
	return j.masked(out), nil
}

// Judge reads a verdict out of a vendor's answer. What neither list names is
// Unknown, and so are 429 and 5xx: such an answer speaks of the server, not of
// the key. A 403 comes from firewalls, lists of addresses and missing rights as
// well, so it proves no death; 400, 404 and 422 speak of the request. Only a
// vendor that says so in the body as well (live-body, dead-body) is taken at its
// word.
func Judge(v *rules.Verify, a *call.Answer) (Validity, string) {
	why := fmt.Sprintf("HTTP %d", a.Status)
	said := slices.Contains(v.Dead, a.Status) && v.DeadBody != "" || slices.Contains(v.Live, a.Status) && v.LiveBody != ""
	switch {
	case a.Status == 429 && !said:
		return Unknown, why + ": rate limit"
	case a.Status == 403 && !said && !slices.Contains(v.Live, 403):
		return Unknown, why + ": refused, by whom or for what is not said"
	case !said && slices.Contains(v.Dead, a.Status) && !slices.Contains([]int{401, 410}, a.Status):
		return Unknown, why + ": the request was refused, and the answer does not say that it was for the key"
	case a.Status >= 500 && !said:
		return Unknown, why + ": the server fails"
	case a.Status >= 300 && a.Status < 400 && !slices.Contains(v.Dead, a.Status) && !slices.Contains(v.Live, a.Status):
		return Unknown, why + ": points elsewhere"
	}
	live, dead := slices.Contains(v.Live, a.Status), slices.Contains(v.Dead, a.Status)
	matches := func(expr string) bool {
		if expr == "" {
			return true
		}
		re, err := regexp.Compile(expr)
		return err == nil && re.Match(a.Body)
	}
	live = live && matches(v.LiveBody)
	dead = dead && matches(v.DeadBody)
	if live && dead { // one status for both: what was said of the body decides
		if (v.LiveBody != "") == (v.DeadBody != "") {
			return Unknown, why + ": the answer says both"
		}
		live = v.LiveBody != ""
		dead = !live
	}
	switch {
	case live:
		return Active, why
	case dead:
		return Inactive, why
	}
	return Unknown, why + ": unexpected answer"
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// VerifyHost is the host that Verify will call, "" when that is not known
// before a person is asked. Named functions say it in their description.
func (j *Job) VerifyHost() string {
	q := j.Leak.Rule.Verify.Request
	if q.Func != "" {
		if d, ok := j.Adapters.Func(q.Func).(Describer); ok {
			return firstHost(d.Describe(j))
		}
		return ""
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(q.URL, "https://"), "/")
	host, _, _ = strings.Cut(host, "?")
	filled, err := call.Text(host, func(name string) (call.Value, error) {
		if v, ok := j.made(name, j.Leak.Secret); ok && !v.Secret && v.Text != "" {
			return v, nil
		}
		if v, ok := j.names[name]; ok {
			return v, nil
		}
		if text, ok := j.Given[name]; ok {
			return call.Value{Text: text}, nil
		}
		if q := j.question(name); q.Default != "" && !strings.Contains(q.Default, "{{") {
			return call.Value{Text: q.Default}, nil
		}
		return call.Value{Text: "{" + name + "}"}, nil
	})
	if err != nil {
		return host
	}
	return filled
}

// Announce is VerifyHost for a line before the request: it asks for what chooses
// the host first. "" when no host is known even then.
func (j *Job) Announce(ctx context.Context) string {
	q := j.Leak.Rule.Verify.Request
	switch {
	case !j.CanVerify():
		return ""
	case q.Func == "":
		host, _, _ := strings.Cut(strings.TrimPrefix(q.URL, "https://"), "/")
		host, _, _ = strings.Cut(host, "?")
		for _, name := range call.Names(host) {
			if _, err := j.Value(ctx, name); err != nil {
				return "" // Verify says so
			}
		}
	default:
		// A server that is spoken to directly is accepted by a person on the way.
		d, ok := j.Adapters.Func(q.Func).(Describer)
		if ok && !strings.Contains(strings.Join(d.Describe(j), "\n"), "https://") && j.Settled("server") == "" && j.Given["host"] == "" {
			return ""
		}
	}
	if host := j.VerifyHost(); !strings.Contains(host, "{") {
		return host
	}
	return ""
}

// firstHost takes the host out of the first line of a description that has an
// address, else the line itself.
func firstHost(lines []string) string {
	for _, l := range lines {
		if _, rest, ok := strings.Cut(l, "https://"); ok {
			host, _, _ := strings.Cut(rest, "/")
			host, _, _ = strings.Cut(host, " ")
			return host
		}
	}
	if len(lines) == 0 {
		return ""
	}
	_, target, ok := strings.Cut(lines[0], " at ")
	if !ok {
		return lines[0]
	}
	target, _, _ = strings.Cut(target, " ")
	return target
}

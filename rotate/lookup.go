package rotate

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rules"
)

// maxPages bounds a list of keys. Who has more than this many pages gets a
// refusal, never an answer from the first ones.
const maxPages = 100

// lookupOf is the rule's lookup that takes a name, nil when there is none.
func (j *Job) lookupOf(name string) *rules.Lookup {
	if slices.Contains(j.busy, name) {
		return nil
	}
	for i := range j.Leak.Rule.Workflow.Lookups {
		l := &j.Leak.Rule.Workflow.Lookups[i]
		if slices.ContainsFunc(l.Take, func(f rules.Field) bool { return f.Name == name }) {
			return l
		}
	}
	return nil
}

// lookup finds the one entry that is the leaked key and remembers the names
// that it gives a value to. Every page is read before one is chosen: a second
// entry that fits makes it a refusal.
func (j *Job) lookup(ctx context.Context, l *rules.Lookup) error {
	for _, f := range l.Take {
		j.busy = append(j.busy, f.Name)
	}
	defer func() { j.busy = j.busy[:len(j.busy)-len(l.Take)] }()

	q, err := call.Fill(l.Request, j.Values(ctx, j.Leak.Secret))
	if err != nil {
		return j.Redact.Error(err)
	}
	var hits, others []any
	var from *call.Answer // the answer that holds the hit
	host := hostOf(q.URL)
	for page := 1; ; page++ {
		if page > maxPages {
			return fmt.Errorf("%w: %s lists more than %d pages of keys", ErrAmbiguous, host, maxPages)
		}
		if l.Page != "" {
			q.URL = withQuery(q.URL, l.Page, strconv.Itoa(page))
		}
		a, err := j.HTTP.Do(ctx, q)
		if err != nil {
			return j.Redact.Error(err)
		}
		if a.Status < 200 || a.Status > 299 {
			return statusError(q, a)
		}
		entries, body, err := entriesOf(a, l.List)
		if err != nil {
			return fmt.Errorf("list of keys at %s: %w", host, err)
		}
		for _, e := range entries {
			fits, err := j.fits(ctx, l, e)
			if err != nil {
				return err
			}
			if fits {
				hits, from = append(hits, e), a
			} else {
				others = append(others, e)
			}
		}
		next, err := nextPage(l, q, a, body, len(entries))
		if err != nil {
			return err
		}
		if next == "" {
			break
		}
		q.URL = next
	}
	switch len(hits) {
	case 0:
		return fmt.Errorf("%w: none of the %d that %s lists is this one", ErrNotFound, len(others), host)
	case 1:
	default:
		return fmt.Errorf("%w: %d of those that %s lists look like it", ErrAmbiguous, len(hits), host)
	}
	for _, f := range l.Take {
		text := call.String(call.At(hits[0], f.Path))
		if strings.HasPrefix(f.Path, "header:") {
			text = from.Text(f.Path)
		}
		if text == "" {
			return fmt.Errorf("the answer of %s does not hold %s", host, f.Path)
		}
		j.Remember(f.Name, call.Value{Text: text})
	}
	for _, e := range others {
		show := func(paths ...string) string {
			var parts []string
			for _, p := range paths {
				if p != "" {
					parts = append(parts, call.String(call.At(e, p)))
				}
			}
			return oneLine(j.Redact.Text(strings.Join(parts, " ")))
		}
		if s := (Sibling{show(l.Show...), show(l.Created), show(l.LastUsed)}); s.Name != "" {
			j.siblings = append(j.siblings, s)
		}
	}
	return nil
}

// entriesOf takes the list out of an answer. One object counts as a list of it.
func entriesOf(a *call.Answer, path string) (entries []any, body any, err error) {
	if body, err = a.JSON(); err != nil {
		return nil, nil, err
	}
	switch v := call.At(body, path).(type) {
	case []any:
		return v, body, nil
	case map[string]any:
		return []any{v}, body, nil
	case nil:
		return nil, body, fmt.Errorf("the answer has nothing at %q", path)
	}
	return nil, body, fmt.Errorf("the answer has no list at %q", path)
}

// fits reports whether an entry meets all conditions. Without any it does: then
// a list of one is exact and a longer one ambiguous.
func (j *Job) fits(ctx context.Context, l *rules.Lookup, entry any) (bool, error) {
	for _, c := range l.Where {
		want, err := call.Text(c.Like, j.Values(ctx, j.Leak.Secret))
		if err != nil {
			return false, err
		}
		if !like(call.String(call.At(entry, c.Path)), want) {
			return false, nil
		}
	}
	return true, nil
}

// like compares text with a pattern in which * stands for any characters.
func like(text, pattern string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return text == pattern
	}
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	for _, p := range parts[1 : len(parts)-1] {
		_, after, ok := strings.Cut(text, p)
		if !ok {
			return false
		}
		text = after
	}
	return strings.HasSuffix(text, parts[len(parts)-1])
}

// nextPage is the address of the next page, "" after the last.
func nextPage(l *rules.Lookup, q call.Request, a *call.Answer, body any, n int) (string, error) {
	switch {
	case l.Page != "":
		if n == 0 {
			return "", nil
		}
		return q.URL, nil // the caller puts the number in
	case l.Next == "":
		return "", nil
	}
	var next string
	if strings.EqualFold(l.Next, "header:Link") {
		next = relNext(a.Header)
	} else if strings.HasPrefix(l.Next, "header:") {
		next = a.Text(l.Next)
	} else {
		next = call.String(call.At(body, l.Next))
	}
	if next == "" || next == "false" {
		return "", nil
	}
	if l.Cursor != "" {
		return withQuery(q.URL, l.Cursor, next), nil
	}
	base, err := url.Parse(q.URL)
	if err != nil {
		return "", err
	}
	u, err := base.Parse(next)
	if err != nil || u.Scheme != base.Scheme || u.Host != base.Host {
		return "", fmt.Errorf("the next page of %s is on another server", base.Host)
	}
	return u.String(), nil
}

// relNext reads a Link header (RFC 8288).
func relNext(h http.Header) string {
	for _, line := range h.Values("Link") {
		for link := range strings.SplitSeq(line, ",") {
			target, params, _ := strings.Cut(link, ";")
			if strings.Contains(params, `rel="next"`) || strings.Contains(params, "rel=next") {
				return strings.Trim(strings.TrimSpace(target), "<>")
			}
		}
	}
	return ""
}

func withQuery(address, name, value string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

// statusError names what a refusal means, without the answer's text: it can
// hold anything.
func statusError(q call.Request, a *call.Answer) error {
	method := q.Method
	if method == "" {
		method = http.MethodGet
	}
	err := fmt.Errorf("%s %s: HTTP %d", method, hostOf(q.URL), a.Status)
	switch a.Status {
	case 401, 403:
		return fmt.Errorf("%w (%w)", err, ErrDenied)
	case 404, 410:
		return fmt.Errorf("%w (%w)", err, ErrNotFound)
	}
	return err
}

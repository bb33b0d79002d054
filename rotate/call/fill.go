package call

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// A Value is what a {{name}} stands for.
type Value struct {
	Text   string
	Secret bool     // masked in descriptions
	List   []string // for a JSON body: an array where the name stands outside of quotes
	// Own says that the owner has named it as a host: it may be any server of
	// his, also in a private network, and may begin with "http://".
	Own bool
}

// Values tells what a name stands for. An error ends the filling.
type Values func(name string) (Value, error)

// A Request is ready to be sent. Make one with Fill, or by hand in a named
// function, whose URLs are constants of the program.
type Request struct {
	Method string
	URL    string
	Header http.Header
	Body   []byte
	// Own says that the owner has configured the host; see Value.Own.
	Own bool
	// Repeatable says that a second one changes nothing, for methods other
	// than GET and HEAD.
	Repeatable bool
}

// Fill puts the values into a request of the catalogue, each encoded for its
// place.
func Fill(q rules.Request, values Values) (Request, error) {
	out := Request{Method: q.Method, Header: http.Header{}}
	if q.URL == "" {
		return out, errors.New("the request has no address")
	}
	var err error
	if out.URL, out.Own, err = fillURL(q.URL, values); err != nil {
		return out, err
	}
	for _, h := range q.Headers {
		v, err := Text(h.Value, values)
		if err != nil {
			return out, err
		}
		if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return out, fmt.Errorf("the value for header %s holds a line end or another control character", h.Name)
		}
		out.Header.Set(h.Name, basic(v))
	}
	if q.Body == "" {
		return out, nil
	}
	kind := out.Header.Get("Content-Type")
	if kind == "" {
		kind = "application/x-www-form-urlencoded"
		if strings.HasPrefix(q.Body, "{") || strings.HasPrefix(q.Body, "[") {
			kind = "application/json"
		}
		out.Header.Set("Content-Type", kind)
	}
	var body string
	switch {
	case strings.Contains(kind, "json"):
		body, err = fillJSON(q.Body, jsonValue, values)
	case strings.Contains(kind, "form"):
		body, err = fill(q.Body, queryText, values)
	default:
		body, err = Text(q.Body, values)
	}
	out.Body = []byte(body)
	return out, err
}

// Text puts values into a plain text.
func Text(s string, values Values) (string, error) {
	return fill(s, plainText, values)
}

// Describe shows a request as it will be sent, line by line, with the secrets
// masked and nothing encoded. A name without a value stays in its braces.
func Describe(q rules.Request, values Values) []string {
	masked := func(name string) (Value, error) {
		v, err := values(name)
		switch {
		case err != nil:
			return Value{Text: "{{" + name + "}}"}, nil
		case v.Secret:
			return Value{Text: scanner.Mask(v.Text)}, nil
		}
		return v, nil
	}
	show := func(s string) string {
		out, _ := fill(s, plainText, masked)
		return out
	}
	if q.Func != "" {
		return []string{"func " + q.Func}
	}
	address := show(q.URL)
	if rest := strings.TrimPrefix(address, "https://"); strings.HasPrefix(rest, "http://") || strings.HasPrefix(rest, "https://") {
		address = rest // the owner has named his server with its scheme
	}
	lines := []string{q.Method + " " + address}
	for _, h := range q.Headers {
		lines = append(lines, h.Name+": "+show(h.Value))
	}
	if q.Body != "" {
		lines = append(lines, "", showBody(q, masked))
	}
	return lines
}

// showBody shows a body; of one in JSON a list is shown as the array that is sent.
func showBody(q rules.Request, values Values) string {
	isJSON := strings.HasPrefix(q.Body, "{") || strings.HasPrefix(q.Body, "[")
	for _, h := range q.Headers {
		if strings.EqualFold(h.Name, "Content-Type") {
			isJSON = strings.Contains(h.Value, "json")
		}
	}
	var out string
	if isJSON {
		out, _ = fillJSON(q.Body, func(v Value, quoted bool) (string, error) {
			if quoted || v.List == nil {
				return v.Text, nil
			}
			return jsonValue(v, false)
		}, values)
	} else {
		out, _ = fill(q.Body, plainText, values)
	}
	return out
}

// Names lists the {{names}} that stand in a text, in order, each once.
func Names(texts ...string) []string {
	var names []string
	seen := map[string]bool{}
	for _, s := range texts {
		for {
			_, rest, ok := strings.Cut(s, "{{")
			if !ok {
				break
			}
			var name string
			if name, s, ok = strings.Cut(rest, "}}"); !ok {
				break
			}
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

// NamesOf lists the names of a request, those of the address first.
func NamesOf(q rules.Request) []string {
	texts := []string{q.URL}
	for _, h := range q.Headers {
		texts = append(texts, h.Value)
	}
	return Names(append(texts, q.Body)...)
}

// basic encodes "Basic user:password", which the catalogue writes plain.
// Base64 has no colon, so what is encoded already stays.
func basic(v string) string {
	if plain, ok := strings.CutPrefix(v, "Basic "); ok && strings.Contains(plain, ":") {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(plain))
	}
	return v
}

// An encoder makes a value fit for the place where its name stands.
type encoder func(name string, v Value) (string, error)

func plainText(_ string, v Value) (string, error) { return v.Text, nil }
func queryText(_ string, v Value) (string, error) { return url.QueryEscape(v.Text), nil }

func fill(s string, encode encoder, values Values) (string, error) {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "{{")
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		name, after, ok := strings.Cut(rest, "}}")
		if !ok {
			return "", errors.New("{{ without }}")
		}
		v, err := values(name)
		if err != nil {
			return "", err
		}
		text, err := encode(name, v)
		if err != nil {
			return "", fmt.Errorf("{{%s}}: %w", name, err)
		}
		b.WriteString(text)
		s = after
	}
}

// fillJSON escapes inside of quotes; outside, a list becomes an array, and
// anything else has to be JSON by itself (a number, true).
func fillJSON(s string, encode func(v Value, quoted bool) (string, error), values Values) (string, error) {
	var b strings.Builder
	quoted := false
	for s != "" {
		if strings.HasPrefix(s, "{{") {
			name, after, ok := strings.Cut(s[2:], "}}")
			if ok && isName(name) {
				v, err := values(name)
				if err != nil {
					return "", err
				}
				text, err := encode(v, quoted)
				if err != nil {
					return "", fmt.Errorf("{{%s}}: %w", name, err)
				}
				b.WriteString(text)
				s = after
				continue
			}
		}
		switch {
		case quoted && s[0] == '\\' && len(s) > 1:
			b.WriteString(s[:2])
			s = s[2:]
			continue
		case s[0] == '"':
			quoted = !quoted
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	return b.String(), nil
}

func isName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

func jsonValue(v Value, quoted bool) (string, error) {
	if quoted {
		out, err := json.Marshal(v.Text)
		if err != nil {
			return "", err
		}
		return string(out[1 : len(out)-1]), nil
	}
	if v.List != nil {
		out, err := json.Marshal(v.List)
		return string(out), err
	}
	if !json.Valid([]byte(v.Text)) {
		return "", errors.New("expected a number, true or false")
	}
	return v.Text, nil
}

// fillURL fills scheme and host, path, and query each by their own rules.
func fillURL(s string, values Values) (filled string, own bool, err error) {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		return "", false, errors.New("expected an https address")
	}
	host, after := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host, after = rest[:i], rest[i:]
	}
	scheme := "https"
	if host == "{{host}}" {
		v, err := values("host")
		if err != nil {
			return "", false, err
		}
		if scheme, host, err = Host(v.Text); err != nil {
			return "", false, err
		}
		if own = v.Own; scheme == "http" && !own {
			return "", false, errors.New("{{host}}: http is for servers that you have configured")
		}
	} else if host, err = fill(host, hostLabels, values); err != nil {
		return "", false, err
	}
	path, query, hasQuery := strings.Cut(after, "?")
	if path, err = fill(path, pathText, values); err != nil {
		return "", false, err
	}
	if query, err = fill(query, queryText, values); err != nil {
		return "", false, err
	}
	filled = scheme + "://" + host + path
	if hasQuery {
		filled += "?" + query
	}
	return filled, own, nil
}

// pathText escapes what would end a segment, except for the slashes inside of a
// secret that is itself a part of an address (webhooks). "." and ".." would
// change which thing is addressed.
func pathText(name string, v Value) (string, error) {
	parts := []string{v.Text}
	if name == "secret" {
		parts = strings.Split(v.Text, "/")
	}
	for i, p := range parts {
		if p == "" || p == "." || p == ".." {
			return "", errors.New("is empty or not fit for an address")
		}
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/"), nil
}

// hostLabels allows what fills a host name: labels, never a domain of its own
// (the template goes on with one), a port or a user.
func hostLabels(_ string, v Value) (string, error) {
	for label := range strings.SplitSeq(v.Text, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			return "", errors.New("expected a part of a host name: letters, digits and dashes")
		}
	}
	return v.Text, nil
}

// Host reads what the owner says a server is: "git.example.org",
// "git.example.org:8443", "https://git.example.org/" or "http://localhost:3000".
func Host(s string) (scheme, host string, err error) {
	scheme = "https"
	for _, p := range []string{"https", "http"} {
		if rest, ok := strings.CutPrefix(s, p+"://"); ok {
			scheme, s = p, rest
		}
	}
	s = strings.TrimSuffix(s, "/")
	u, err := url.Parse(scheme + "://" + s)
	if err != nil || s == "" || u.Host != s || u.Hostname() == "" || u.User != nil || strings.ContainsAny(s, "/?#@ ") {
		return "", "", errors.New("{{host}}: expected the name of a server, such as git.example.org or https://git.example.org:8443")
	}
	return scheme, s, nil
}

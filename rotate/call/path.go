package call

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// An Answer is what a vendor said. Its body may hold secrets.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // at most Client.MaxBody bytes
}

// JSON returns the body as encoding/json would, numbers as they were written.
func (a *Answer) JSON() (any, error) {
	d := json.NewDecoder(bytes.NewReader(a.Body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("the answer is no JSON") // the parser's error quotes what it stumbled over
	}
	return v, nil
}

// Text returns the value at a path of the catalogue: a JSON path ("a.b.0.c"),
// "header:Name", or "text" for the whole body without the blanks around it.
// "" when it is not there.
func (a *Answer) Text(path string) string {
	switch {
	case path == "":
		return ""
	case path == "text":
		return strings.TrimSpace(string(a.Body))
	case strings.HasPrefix(path, "header:"):
		return a.Header.Get(strings.TrimPrefix(path, "header:"))
	}
	v, err := a.JSON()
	if err != nil {
		return ""
	}
	return String(At(v, path))
}

// At walks down a decoded JSON value: names of objects and indexes of arrays,
// with dots between; "" is the value itself. nil when there is nothing.
func At(v any, path string) any {
	if path == "" {
		return v
	}
	if m, ok := v.(map[string]any); ok {
		if whole, ok := m[path]; ok { // a name that holds dots
			return whole
		}
	}
	name, rest, _ := strings.Cut(path, ".")
	switch v := v.(type) {
	case map[string]any:
		next, ok := v[name]
		if !ok {
			return nil
		}
		return At(next, rest)
	case []any:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(v) {
			return At(v[i], rest)
		}
	}
	return nil
}

// String is a JSON value for people and for requests: strings without quotes,
// lists with commas between, objects as JSON. "" for null.
func String(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = String(v[i])
		}
		return strings.Join(parts, ", ")
	}
	out, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(out)
}

package rules

import (
	"maps"
	"slices"
)

// The verify and workflow sections: what till asks a vendor, and what a person
// has to do.

func (f *file) verify(t *table) *Verify {
	if t == nil {
		return nil
	}
	if f.local {
		f.errorf(t.path, "%sa rule of the scanned repository may not name a network request", t.what)
	}
	v := &Verify{
		Live:      t.statuses("live"),
		Dead:      t.statuses("dead"),
		LiveBody:  t.line("live-body", "a regular expression", optional),
		DeadBody:  t.line("dead-body", "a regular expression", optional),
		DoubtBody: t.line("doubt-body", "a regular expression", optional),
		Identity:  t.line("identity", "a JSON path or \"header:Name\"", optional),
		Scopes:    t.line("scopes", "a JSON path or \"header:Name\"", optional),
		LastUsed:  t.line("last-used", "a JSON path or \"header:Name\"", optional),
		Expires:   t.line("expires", "a JSON path or \"header:Name\"", optional),
		Docs:      t.page("docs"),
		Note:      t.prose("note", "a remark"),
	}
	t.expression("live-body", v.LiveBody)
	t.expression("dead-body", v.DeadBody)
	t.expression("doubt-body", v.DoubtBody)
	if r := f.request(t, false); r != nil {
		v.Request = *r
	}
	asks := v.Request.URL != "" || v.Request.Func != ""
	switch {
	case !asks && v.Note == "":
		f.errorf(t.path, "%sneither url nor func: expected a request, or a note that says why there is none", t.what)
	case v.Request.URL != "" && len(v.Live) == 0 && len(v.Dead) == 0:
		f.errorf(t.path, "%sneither live nor dead: expected HTTP status codes that tell", t.what)
	}
	for _, code := range v.Live {
		if slices.Contains(v.Dead, code) && v.LiveBody == "" && v.DeadBody == "" {
			t.errorf("dead", "%d is in live as well: expected live-body or dead-body to tell them apart", code)
		}
	}
	t.done()
	return v
}

// request reads the keys of a Request out of t; nil when there is none.
func (f *file) request(t *table, need bool) *Request {
	r := &Request{
		Method: t.oneOf("method", "", optional, "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
		URL:    t.line("url", "an https address", optional),
		Body:   t.prose("body", "the request's body"),
		Func:   t.line("func", "the name of a function", optional),
	}
	t.url("url", r.URL)
	t.template("body", r.Body)
	if h := t.table("headers"); h != nil {
		for _, name := range slices.Sorted(maps.Keys(h.m)) {
			value := h.line(name, "the header's value", optional)
			if !isHeaderName(name) {
				h.errorf(name, "is no HTTP header name")
			}
			h.template(name, value)
			r.Headers = append(r.Headers, Header{name, value})
		}
	}
	switch {
	case r.URL == "" && r.Func == "":
		for _, key := range []string{"method", "headers", "body"} {
			if v := t.m[key]; v != nil && v != "" {
				t.errorf(key, "expected url beside it")
			}
		}
		if need {
			f.errorf(t.path, "%sexpected url or func", t.what)
		}
		return nil
	case r.URL != "" && r.Func != "":
		t.errorf("func", "expected either url or func, not both")
	case r.Func != "" && !isSlug(r.Func):
		t.errorf("func", "%q: expected a-z, 0-9 and dashes", r.Func)
	}
	if r.URL != "" && r.Method == "" {
		r.Method = "GET"
	}
	return r
}

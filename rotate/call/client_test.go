package call_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rotate/rotatetest"
	"github.com/till-sh/till/rules"
)

var secret = strings.Join([]string{"Zk3vQ9xL2mTn", "8Rw5Yb7N/+"}, "")

func get(url string) call.Request { return call.Request{Method: "GET", URL: url} }

func TestClientRetries(t *testing.T) {
	s := rotatetest.New(t, nil)
	n := 0
	flaky := func(w http.ResponseWriter, r *http.Request) {
		if n++; n < 3 {
			rotatetest.Answer(503, "")(w, r)
			return
		}
		rotatetest.Answer(200, "ok")(w, r)
	}
	s.Handle(flaky)
	if a, err := s.Client().Do(t.Context(), get("https://api.example.com/")); err != nil || a.Status != 200 || n != 3 {
		t.Errorf("GET: %v, %v after %d", a, err, n)
	}
	n = 0
	s.Handle(flaky)
	if a, err := s.Client().Do(t.Context(), call.Request{Method: "POST", URL: "https://api.example.com/"}); err != nil || a.Status != 503 || n != 1 {
		t.Errorf("POST: %v, %v after %d: it must be sent once", a, err, n)
	}
	s.Handle(rotatetest.Answer(429, "", "Retry-After", "3600"))
	if a, err := s.Client().Do(t.Context(), get("https://api.example.com/")); err != nil || a.Status != 429 || len(s.Calls()) != 1 {
		t.Errorf("an hour's wait: %v, %v after %d calls", a, err, len(s.Calls()))
	}
}

func TestClientLimits(t *testing.T) {
	s := rotatetest.New(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("x"), 2000)) })
	c := &call.Client{MaxBody: 1000}
	s.Tune(c)
	if _, err := c.Do(t.Context(), get("https://api.example.com/")); err == nil || !strings.Contains(err.Error(), "longer than 1000 bytes") {
		t.Errorf("size: %v", err)
	}
	s.Handle(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c = &call.Client{Timeout: 50 * time.Millisecond}
	s.Tune(c)
	if _, err := c.Do(t.Context(), get("https://api.example.com/")); err == nil || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("time: %v", err)
	}
	s.Handle(rotatetest.Answer(302, "", "Location", "https://evil.example/"))
	if a, err := s.Client().Do(t.Context(), get("https://api.example.com/")); err != nil || a.Status != 302 || len(s.Calls()) != 1 {
		t.Errorf("redirect: %v, %v", a, err)
	}
}

// TestClientCertificate: a server that cannot prove who it is gets nothing.
func TestClientCertificate(t *testing.T) {
	reached := false
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer s.Close()
	s.Config.ErrorLog = nil
	c := &call.Client{Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
	}}
	if _, err := c.Do(t.Context(), get("https://api.example.com/")); err == nil || reached {
		t.Errorf("got %v, reached %v", err, reached)
	}
}

// TestClientPrivate: names and numbers that lead into a private network, unless
// the owner has configured the host.
func TestClientPrivate(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	defer s.Close()
	t.Setenv("HTTP_PROXY", "")
	t.Setenv("HTTPS_PROXY", "")
	c := &call.Client{Sleep: func(context.Context, time.Duration) error { return nil }}
	for _, host := range []string{"127.0.0.1", "localhost", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "[fd00::1]", "[::ffff:10.0.0.1]", "100.64.0.1", "0.0.0.0", "168.63.129.16", "[64:ff9b::a00:1]", "[2002:a00:1::]"} {
		if _, err := c.Do(t.Context(), get("https://"+host+"/")); err == nil || !strings.Contains(err.Error(), "not on the internet") {
			t.Errorf("%s: %v", host, err)
		}
	}
	if _, err := c.Do(t.Context(), get(s.URL)); err == nil || !strings.Contains(err.Error(), "expected https") {
		t.Errorf("http: %v", err)
	}
	q := get(s.URL)
	q.Own = true
	if a, err := c.Do(t.Context(), q); err != nil || a.Status != 204 {
		t.Errorf("configured host: %v, %v", a, err)
	}
}

// TestErrorsTellNothing: the address of a request can hold the key.
func TestErrorsTellNothing(t *testing.T) {
	s := rotatetest.New(t, rotatetest.HangUp)
	for _, redact := range []*call.Redactor{nil, {}} {
		c := &call.Client{Redact: redact}
		s.Tune(c)
		if redact != nil {
			redact.Add(secret)
		}
		for _, url := range []string{"https://api.example.com/bot" + "Zk3vQ9xL2mTn8Rw5" + "/getMe", "https://api.example.com/?token=" + "Zk3vQ9xL2mTn8Rw5", "https://api.example.com/%zz" + "Zk3vQ9xL2mTn8Rw5"} {
			if _, err := c.Do(t.Context(), get(url)); err == nil || strings.Contains(err.Error(), "Zk3vQ9xL") {
				t.Errorf("%v", err)
			}
		}
	}
}

func values(m map[string]call.Value) call.Values {
	return func(name string) (call.Value, error) { return m[name], nil }
}

func TestFill(t *testing.T) {
	m := map[string]call.Value{
		"secret": {Text: "a/b+c d\"é", Secret: true}, "id": {Text: "group/project"}, "org": {Text: "acme-eu"}, "host": {Text: "git.acme.example:8443", Own: true},
		"scopes": {Text: "read,write", List: []string{"read", "write"}}, "days": {Text: "30"},
	}
	q, err := call.Fill(rules.Request{
		Method: "POST", URL: "https://{{org}}.acme.example/v1/{{id}}/{{secret}}?q={{secret}}",
		Headers: []rules.Header{{Name: "Authorization", Value: "Basic {{id}}:x"}, {Name: "Content-Type", Value: "application/json"}},
		Body:    `{"a":"{{secret}}","s":{{scopes}},"d":{{days}},"x":"\"{{days}}"}`,
	}, values(m))
	if err != nil {
		t.Fatal(err)
	}
	if want := "https://acme-eu.acme.example/v1/group%2Fproject/a/b+c%20d%22%C3%A9?q=a%2Fb%2Bc+d%22%C3%A9"; q.URL != want {
		t.Errorf("url  %s\nwant %s", q.URL, want)
	}
	if user, password, ok := (&http.Request{Header: q.Header}).BasicAuth(); !ok || user != "group/project" || password != "x" {
		t.Errorf("header %s", q.Header.Get("Authorization"))
	}
	if want := `{"a":"a/b+c d\"é","s":["read","write"],"d":30,"x":"\"30"}`; string(q.Body) != want {
		t.Errorf("body %s\nwant %s", q.Body, want)
	}
	q, err = call.Fill(rules.Request{Method: "POST", URL: "https://{{host}}/x", Body: "token={{secret}}&a=b"}, values(m))
	if err != nil || q.URL != "https://git.acme.example:8443/x" || !q.Own || string(q.Body) != "token=a%2Fb%2Bc+d%22%C3%A9&a=b" || q.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		t.Errorf("%+v, %v", q, err)
	}
}

// TestFillRefuses: a value, which may come from a scanned file, chooses no
// host, no path above its own, no further header.
func TestFillRefuses(t *testing.T) {
	for _, tt := range []struct{ url, header, body, value string }{
		{url: "https://{{x}}.acme.example/", value: "evil.example/"},
		{url: "https://{{x}}.acme.example/", value: "evil.example#"},
		{url: "https://{{x}}.acme.example/", value: "a@evil.example:1"},
		{url: "https://{{x}}.acme.example/", value: ""},
		{url: "https://{{host}}/", value: "http://10.0.0.1"},
		{url: "https://{{host}}/", value: "user:pw@git.example"},
		{url: "https://{{host}}/", value: "git.example/path"},
		{url: "https://a.example/{{x}}/keys", value: ".."},
		{url: "https://a.example/{{secret}}/keys", value: "a/../../b"},
		{url: "https://a.example/{{secret}}", value: "//evil.example"},
		{url: "https://a.example/", header: "Bearer {{x}}", value: "a\r\nHost: evil.example"},
		{url: "https://a.example/", body: `{"n":{{x}}}`, value: `1,"admin":true`},
	} {
		q := rules.Request{Method: "POST", URL: tt.url, Body: tt.body}
		if tt.header != "" {
			q.Headers = []rules.Header{{Name: "Authorization", Value: tt.header}}
		}
		if got, err := call.Fill(q, func(string) (call.Value, error) { return call.Value{Text: tt.value}, nil }); err == nil {
			t.Errorf("%+v became %s %s", tt, got.URL, got.Body)
		}
	}
}

func TestRedactor(t *testing.T) {
	r := &call.Redactor{}
	r.Add(secret)
	r.Add(secret + "longer")
	for _, s := range []string{secret, "x=" + secret + "&", "Zk3vQ9xL2mTn" + "8Rw5Yb7N%2F%2B", "Zk3vQ9xL2mTn" + "8Rw5Yb7N%2F+", secret + "longer"} {
		if got := r.Text("<" + s + ">"); strings.Contains(got, "Rw5Yb7N") && !strings.Contains(got, "…") || strings.Contains(got, "8Rw5Y") {
			t.Errorf("%q", got)
		}
	}
}

func TestAt(t *testing.T) {
	a := &call.Answer{Header: http.Header{"X-User": {"ada"}}, Body: []byte(`{"a":{"b":[{"c":1234567890123456789},"x"]},"d.e":"dots","s":["r","w"],"n":null,"t":true}`)}
	for path, want := range map[string]string{
		"a.b.0.c": "1234567890123456789", "a.b.1": "x", "a.b.7": "", "d.e": "dots", "s": "r, w", "n": "", "t": "true", "header:X-User": "ada", "a.x.y": "", "": "",
	} {
		if got := a.Text(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

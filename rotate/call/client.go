package call

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Limits of one request. A vendor's answer to "who am I" is a few kilobytes; a
// page of keys a few hundred.
const (
	defaultTimeout = 20 * time.Second
	defaultMaxBody = 4 << 20
	// longestWait is how long a vendor may make us wait before a second try;
	// what takes longer is the caller's to decide.
	longestWait = 10 * time.Second
	attempts    = 3
)

// A Client sends requests. The zero value is ready; set fields before the
// first use. Safe for concurrent use.
type Client struct {
	// Redact masks secrets in errors; nil masks nothing.
	Redact  *Redactor
	Timeout time.Duration // of one attempt; 0 = 20 s
	MaxBody int64         // of an answer in bytes; 0 = 4 MiB
	// Sleep waits between attempts; nil = the real clock.
	Sleep func(ctx context.Context, d time.Duration) error
	// UserAgent is sent where the request names none. Some vendors refuse
	// requests without.
	UserAgent string

	// Dial and Roots are for tests: where a host name leads, and whose
	// certificates are trusted. With Dial set addresses are not checked.
	Dial  func(ctx context.Context, network, address string) (net.Conn, error)
	Roots *x509.CertPool

	once    sync.Once
	http    *http.Client
	ownHTTP *http.Client // for hosts that the owner has configured
}

// ErrPrivateAddress is what a host is refused for that leads into a private
// network and is not one that the owner has configured.
var ErrPrivateAddress = errors.New("leads to an address that is not on the internet")

// Do sends a request and returns the answer, whatever its status. An error
// means that there is no answer: nothing is known then, least of all that the
// key is dead. A request that may change something is sent once.
func (c *Client) Do(ctx context.Context, q Request) (*Answer, error) {
	c.once.Do(c.build)
	u, err := url.Parse(q.URL)
	if err != nil || u.Host == "" {
		return nil, errors.New("the address of the request is broken")
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && q.Own) {
		return nil, fmt.Errorf("%s: expected https", u.Host)
	}
	repeatable := q.Repeatable || q.Method == "" || q.Method == http.MethodGet || q.Method == http.MethodHead
	for try := 1; ; try++ {
		a, err := c.attempt(ctx, q)
		wait := time.Duration(try*try) * 500 * time.Millisecond
		if err == nil {
			switch a.Status {
			case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
				if s, nan := strconv.Atoi(a.Header.Get("Retry-After")); nan == nil {
					wait = time.Duration(s) * time.Second
				}
			default:
				return a, nil
			}
		}
		if !repeatable || try == attempts || wait > longestWait || ctx.Err() != nil || errors.Is(err, ErrPrivateAddress) || certificate(err) {
			return a, c.describe(q, u, err)
		}
		if err := c.sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

func (c *Client) attempt(ctx context.Context, q Request) (*Answer, error) {
	timeout, limit := c.Timeout, c.MaxBody
	if timeout == 0 {
		timeout = defaultTimeout
	}
	if limit == 0 {
		limit = defaultMaxBody
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, q.Method, q.URL, bytes.NewReader(q.Body))
	if err != nil {
		return nil, errors.New("the request is malformed") // the cause quotes the address
	}
	r.Header = q.Header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", c.agent())
	}
	h := c.http
	if q.Own {
		h = c.ownHTTP
	}
	res, err := h.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("the answer is longer than %d bytes", limit)
	}
	return &Answer{Status: res.StatusCode, Header: res.Header, Body: body}, nil
}

func (c *Client) agent() string {
	if c.UserAgent != "" {
		return c.UserAgent
	}
	return "till"
}

// describe turns an error into one that names method and host, and nothing of
// the path: secrets stand there.
func (c *Client) describe(q Request, u *url.URL, err error) error {
	if err == nil {
		return nil
	}
	var wrapped *url.Error // says the whole address
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.New("no answer in time")
	}
	method := q.Method
	if method == "" {
		method = http.MethodGet
	}
	err = fmt.Errorf("%s %s: %w", method, u.Host, err)
	if c.Redact != nil {
		err = c.Redact.Error(err)
	}
	return err
}

// certificate reports whether the server could not prove who it is. A second
// try would not change that.
func certificate(err error) bool {
	var verify *tls.CertificateVerificationError
	return errors.As(err, &verify)
}

func (c *Client) sleep(ctx context.Context, d time.Duration) error {
	if c.Sleep != nil {
		return c.Sleep(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (c *Client) build() {
	client := func(own bool) *http.Client {
		d := &dialer{own: own, inner: c.Dial}
		return &http.Client{
			Transport: &http.Transport{
				Proxy:                  d.proxy,
				DialContext:            d.dial,
				TLSClientConfig:        &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
				ForceAttemptHTTP2:      true,
				TLSHandshakeTimeout:    10 * time.Second,
				ResponseHeaderTimeout:  defaultTimeout,
				MaxResponseHeaderBytes: 256 << 10,
				MaxIdleConnsPerHost:    2,
				IdleConnTimeout:        30 * time.Second,
			},
			// A redirect would carry the key to where the answer points.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	c.http, c.ownHTTP = client(false), client(true)
}

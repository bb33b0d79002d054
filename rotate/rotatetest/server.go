// Package rotatetest has a local TLS server that plays any vendor in tests: it
// has a certificate for every host name, and a client whose connections all
// lead to it. Only tests import it.
package rotatetest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/till-sh/till/rotate/call"
)

// A Call is a request that reached the server.
type Call struct {
	Method, Host, Path string // Path with the query, as it was sent
	Header             http.Header
	Body               string
}

// Server plays the vendors. Its handler may be changed between requests.
type Server struct {
	Roots *x509.CertPool

	server  *httptest.Server
	mu      sync.Mutex
	handler http.HandlerFunc
	calls   []Call
	client  *call.Client
	certs   sync.Map // host name → *tls.Certificate
	root    []byte   // PEM
}

// New starts a server that ends with the test.
func New(t testing.TB, handler http.HandlerFunc) *Server {
	t.Helper()
	s := &Server{Roots: x509.NewCertPool(), handler: handler}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "vendor of the tests"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s.Roots.AddCert(root)
	s.root = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.server.TLS = &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if c, ok := s.certs.Load(hello.ServerName); ok {
			return c.(*tls.Certificate), nil
		}
		leaf := &x509.Certificate{
			SerialNumber: big.NewInt(2), DNSNames: []string{hello.ServerName}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}
		der, err := x509.CreateCertificate(rand.Reader, leaf, root, &key.PublicKey, key)
		c := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
		s.certs.Store(hello.ServerName, c)
		return c, err
	}}
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	return s
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	s.calls = append(s.calls, Call{r.Method, r.Host, r.URL.RequestURI(), r.Header.Clone(), string(body)})
	h := s.handler
	s.mu.Unlock()
	h(w, r)
}

// Handle changes the handler and forgets the calls so far.
func (s *Server) Handle(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler, s.calls = h, nil
}

// Address is where the server listens, and PEM the certificate that it is
// trusted by: for a client in another process.
func (s *Server) Address() string { return s.server.Listener.Addr().String() }

// PEM is the server's root certificate.
func (s *Server) PEM() []byte { return s.root }

// Calls are the requests since the last Handle.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// Tune makes a client speak to this server, whatever host it names, and wait
// for nothing between attempts.
func (s *Server) Tune(c *call.Client) {
	address := s.server.Listener.Addr().String()
	c.Roots = s.Roots
	c.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	c.Sleep = func(context.Context, time.Duration) error { return nil }
}

// Client is a client of this server, the same at every call.
func (s *Server) Client() *call.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		s.client = &call.Client{Timeout: 10 * time.Second}
		s.Tune(s.client)
	}
	return s.client
}

// Answer is a handler that says one thing.
func Answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// HangUp ends the connection without an answer.
func HangUp(w http.ResponseWriter, _ *http.Request) {
	if h, ok := w.(http.Hijacker); ok { // HTTP/1.1
		if c, _, err := h.Hijack(); err == nil {
			_ = c.Close()
			return
		}
	}
	panic(http.ErrAbortHandler)
}

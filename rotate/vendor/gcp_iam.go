package vendor

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
)

// gcpIAM disables the leaked key of a service account, and enables it again. It
// works with an access token of the owner ({{admin}}). The key is the one whose
// public half belongs to the leaked private one, so the exact one or none
// (https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys).
type gcpIAM struct{}

// gcpIAMDelete deletes it, when it is disabled.
type gcpIAMDelete struct{}

const gcpAccounts = "https://iam.googleapis.com/v1/projects/-/serviceAccounts/"

func (gcpIAM) Describe(j *rotate.Job) []string {
	at := gcpAccounts + shownID(j) + "/keys"
	return []string{"GET " + at + " (with your own access token): the key whose public half fits", "POST " + at + "/{key}:disable"}
}

func (gcpIAMDelete) Describe(j *rotate.Job) []string {
	return []string{"DELETE " + gcpAccounts + shownID(j) + "/keys/{key} (with your own access token), if it is disabled"}
}

func (gcpIAM) Revoke(ctx context.Context, j *rotate.Job) error { return gcpSwitch(ctx, j, true) }
func (gcpIAM) Undo(ctx context.Context, j *rotate.Job) error   { return gcpSwitch(ctx, j, false) }

func gcpSwitch(ctx context.Context, j *rotate.Job, disable bool) error {
	s, err := gcpSessionFor(ctx, j)
	if err != nil {
		return err
	}
	k, err := s.leaked(ctx)
	if err != nil || k.Disabled == disable {
		return err
	}
	verb := ":enable"
	if disable {
		verb = ":disable"
	}
	_, err = s.call(ctx, http.MethodPost, "/"+url.PathEscape(k.id())+verb)
	return err
}

func (gcpIAMDelete) Revoke(ctx context.Context, j *rotate.Job) error {
	s, err := gcpSessionFor(ctx, j)
	if err != nil {
		return err
	}
	k, err := s.leaked(ctx)
	switch {
	case errors.Is(err, errNoSuchGCPKey):
		return nil // the account was read, and has no such key any more
	case err != nil:
		return err
	case !k.Disabled:
		return fmt.Errorf("key %s is enabled again: somebody still needed it; disable it first", k.id())
	}
	_, err = s.call(ctx, http.MethodDelete, "/"+url.PathEscape(k.id()))
	return err
}

// errNoSuchGCPKey is an account whose keys were all read, without the leaked one.
var errNoSuchGCPKey = fmt.Errorf("%w: no key of the service account fits the leaked one", rotate.ErrNotFound)

type gcpKey struct {
	Name     string // projects/P/serviceAccounts/A/keys/ID
	Disabled bool
}

func (k gcpKey) id() string { return k.Name[strings.LastIndexByte(k.Name, '/')+1:] }

type gcpSession struct {
	j       *rotate.Job
	account string
	token   string
	public  *rsa.PublicKey
}

func gcpSessionFor(ctx context.Context, j *rotate.Job) (*gcpSession, error) {
	s := &gcpSession{j: j}
	key, err := parseRSA(j.Leak.Secret.Reveal())
	if err != nil {
		return nil, err
	}
	s.public = &key.PublicKey
	if s.account, err = j.PublicID(ctx, j.Leak.Secret); err != nil {
		return nil, fmt.Errorf("the address of the service account: %w", err)
	}
	v, err := j.Value(ctx, "admin")
	s.token = v.Text
	return s, err
}

// leaked finds the key whose public half fits. Keys are few: ten at most that
// people have made.
func (s *gcpSession) leaked(ctx context.Context) (gcpKey, error) {
	a, err := s.call(ctx, http.MethodGet, "?keyTypes=USER_MANAGED")
	if err != nil {
		return gcpKey{}, err
	}
	var list struct{ Keys []gcpKey }
	if err := json.Unmarshal(a.Body, &list); err != nil {
		return gcpKey{}, errors.New("the list of the service account's keys cannot be read")
	}
	for _, k := range list.Keys {
		a, err := s.call(ctx, http.MethodGet, "/"+url.PathEscape(k.id())+"?publicKeyType=TYPE_X509_PEM_FILE")
		if err != nil {
			return gcpKey{}, err
		}
		public, err := gcpPublic(a.Text("publicKeyData"))
		if err != nil {
			return gcpKey{}, fmt.Errorf("key %s: %w", k.id(), err)
		}
		if public.Equal(s.public) {
			s.j.Remember("key-id", call.Value{Text: k.id()})
			return k, nil
		}
	}
	return gcpKey{}, errNoSuchGCPKey
}

// gcpPublic reads the public half out of a certificate (PEM in base64).
func gcpPublic(data string) (*rsa.PublicKey, error) {
	text, err := base64.StdEncoding.DecodeString(data)
	block, _ := pem.Decode(text)
	if err != nil || block == nil {
		return nil, errors.New("the public half is no PEM block")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, errors.New("the public half is no certificate")
	}
	public, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the public half is no RSA key")
	}
	return public, nil
}

func (s *gcpSession) call(ctx context.Context, method, path string) (*call.Answer, error) {
	a, err := s.j.HTTP.Do(ctx, call.Request{
		Method: method, URL: gcpAccounts + url.PathEscape(s.account) + "/keys" + path, Repeatable: true,
		Header: http.Header{"Authorization": {"Bearer " + s.token}},
	})
	if err != nil {
		return nil, err
	}
	err = fmt.Errorf("%s iam.googleapis.com: HTTP %d %s", method, a.Status, a.Text("error.status"))
	switch {
	case a.Status >= 200 && a.Status <= 299:
		return a, nil
	case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden:
		err = fmt.Errorf("%w (%w)", err, rotate.ErrDenied)
	case a.Status == http.StatusNotFound:
		err = fmt.Errorf("%w (%w)", err, rotate.ErrNotFound)
	}
	return nil, err
}

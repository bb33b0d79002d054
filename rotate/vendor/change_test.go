package vendor

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base32"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rotate/rotatetest"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

var ownKey = strings.Repeat("Aw7nQ3zT", 5)

// An account is a vendor with the leaked key in it. It answers as the vendor's
// documentation says and remembers what was done to the key.
type account interface {
	serve(w http.ResponseWriter, r *http.Request)
	state() string // of the leaked key: "active", "inactive", "gone"
}

// iamAccount is a user of AWS with his access keys.
type iamAccount struct {
	keys    map[string]string // id → status
	id      string
	account string // number
	nobody  bool   // it has no user of that name
}

// iamKeyOf is the id of a key of an account, as AWS makes them; see checksum.Read.
func iamKeyOf(account uint64) string {
	n := account<<7 | 1<<47
	data := []byte{byte(n >> 40), byte(n >> 32), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), 0x6b, 0x2d, 0x91, 0x3e}
	return "AKIA" + base32.StdEncoding.EncodeToString(data)
}

func (a *iamAccount) state() string {
	if s := a.keys[a.id]; s != "" {
		return strings.ToLower(s)
	}
	return "gone"
}

func (a *iamAccount) serve(w http.ResponseWriter, r *http.Request) {
	say := func(status int, format string, args ...any) {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, format, args...)
	}
	fail := func(status int, code string) {
		say(status, `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>%s</Code></Error></ErrorResponse>`, code)
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIAOWN") {
		fail(403, "InvalidClientTokenId")
		return
	}
	body := make([]byte, r.ContentLength)
	_, _ = io.ReadFull(r.Body, body)
	form, _ := url.ParseQuery(string(body))
	if r.Host == partitions[0].host {
		rotatetest.Answer(200, fmt.Sprintf(`{"GetCallerIdentityResponse":{"GetCallerIdentityResult":{"Arn":"arn:aws:iam::%s:user/ada"}}}`, a.account))(w, r)
		return
	}
	id := form.Get("AccessKeyId")
	if _, known := a.keys[id]; id != "" && !known || a.nobody {
		fail(404, "NoSuchEntity")
		return
	}
	switch form.Get("Action") {
	case "GetAccessKeyLastUsed":
		say(200, `<GetAccessKeyLastUsedResponse><GetAccessKeyLastUsedResult><UserName>deploy</UserName><AccessKeyLastUsed><Region>N/A</Region></AccessKeyLastUsed></GetAccessKeyLastUsedResult></GetAccessKeyLastUsedResponse>`)
	case "ListAccessKeys":
		var list string
		for id, status := range a.keys {
			list += fmt.Sprintf(`<member><UserName>deploy</UserName><AccessKeyId>%s</AccessKeyId><Status>%s</Status></member>`, id, status)
		}
		say(200, `<ListAccessKeysResponse><ListAccessKeysResult><AccessKeyMetadata>%s</AccessKeyMetadata><IsTruncated>false</IsTruncated></ListAccessKeysResult></ListAccessKeysResponse>`, list)
	case "CreateAccessKey":
		a.keys["AKIANEW"] = "Active"
		say(200, `<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><AccessKeyId>AKIANEW</AccessKeyId><SecretAccessKey>%s</SecretAccessKey></AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>`, newValue)
	case "UpdateAccessKey":
		a.keys[id] = form.Get("Status")
		say(200, `<UpdateAccessKeyResponse/>`)
	case "DeleteAccessKey":
		delete(a.keys, id)
		say(200, `<DeleteAccessKeyResponse/>`)
	default:
		fail(400, "InvalidAction")
	}
}

var newValue = strings.Repeat("Nw4kQ7", 6)

// gcpAccount is a service account of Google with its keys.
type gcpAccount struct {
	keys     map[string]string // id → certificate, PEM in base64
	disabled map[string]bool
	id       string
}

func (a *gcpAccount) state() string {
	switch {
	case a.keys[a.id] == "":
		return "gone"
	case a.disabled[a.id]:
		return "inactive"
	}
	return "active"
}

func (a *gcpAccount) serve(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, "/v1/projects/-/serviceAccounts/ci@acme-prod.iam.gserviceaccount.com/keys")
	id, verb, _ := strings.Cut(strings.TrimPrefix(path, "/"), ":")
	switch {
	case r.Header.Get("Authorization") != "Bearer "+ownKey:
		rotatetest.Answer(401, `{"error":{"status":"UNAUTHENTICATED"}}`)(w, r)
	case !ok || id != "" && a.keys[id] == "":
		rotatetest.Answer(404, `{"error":{"status":"NOT_FOUND"}}`)(w, r)
	case id == "":
		var list []string
		for id := range a.keys {
			list = append(list, fmt.Sprintf(`{"name":"projects/acme-prod/serviceAccounts/ci@acme-prod.iam.gserviceaccount.com/keys/%s","disabled":%v}`, id, a.disabled[id]))
		}
		rotatetest.Answer(200, `{"keys":[`+strings.Join(list, ",")+`]}`)(w, r)
	case r.Method == http.MethodGet:
		rotatetest.Answer(200, fmt.Sprintf(`{"publicKeyData":%q}`, a.keys[id]))(w, r)
	case r.Method == http.MethodDelete:
		delete(a.keys, id)
		rotatetest.Answer(200, `{}`)(w, r)
	default:
		a.disabled[id] = verb == "disable"
		rotatetest.Answer(200, `{}`)(w, r)
	}
}

func certOf(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "key"}, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// changer is a function that changes something, with its vendor.
type changer struct {
	name       string
	secret, id string
	account    func(state string) account // whose leaked key is in that state
	before     string                     // in which the function may revoke
	after      string                     // what revoking makes of it; "" = it only makes new keys
	wrong      string                     // in which it must refuse; "" = none
	reads      bool                       // it makes no key: the vendor has it already
}

func changers(t *testing.T) []changer {
	leaked := iamKeyOf(111122223333)
	iam := func(state string) account {
		a := &iamAccount{id: leaked, account: "111122223333", keys: map[string]string{leaked: "Active"}}
		switch state {
		case "inactive":
			a.keys[leaked] = "Inactive"
		case "gone":
			delete(a.keys, leaked)
		}
		return a
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "\n", `\n`)
	mine, foreign := certOf(t, key), certOf(t, other)
	gcp := func(state string) account {
		a := &gcpAccount{id: "k2", keys: map[string]string{"k1": foreign, "k2": mine}, disabled: map[string]bool{"k2": state == "inactive"}}
		if state == "gone" {
			delete(a.keys, "k2")
		}
		return a
	}
	ram := func(state string) account {
		a := &ramAccount{id: leaked, keys: map[string]string{leaked: "Active"}}
		switch state {
		case "inactive":
			a.keys[leaked] = "Inactive"
		case "gone":
			delete(a.keys, leaked)
		}
		return a
	}
	secret, email := strings.Repeat("Zk3vQ9xL2m", 4), "ci@acme-prod.iam.gserviceaccount.com"
	return []changer{
		{name: "alibaba-ram", secret: secret, id: leaked, account: ram, before: "active", after: "inactive"},
		{name: "alibaba-ram-create", secret: secret, id: leaked, account: ram, before: "active"},
		{name: "alibaba-ram-delete", secret: secret, id: leaked, account: ram, before: "inactive", after: "gone", wrong: "active"},
		{name: "azure-storage-other", secret: storageKeys[1], account: newStorageAccount, before: "active", reads: true},
		{name: "azure-storage-renew", secret: storageKeys[1], account: newStorageAccount, before: "active", after: "gone"},
		{name: "aws-iam", secret: secret, id: leaked, account: iam, before: "active", after: "inactive"},
		{name: "aws-iam-create", secret: secret, id: leaked, account: iam, before: "active"},
		{name: "aws-iam-delete", secret: secret, id: leaked, account: iam, before: "inactive", after: "gone", wrong: "active"},
		{name: "gcp-iam", secret: text, id: email, account: gcp, before: "active", after: "inactive"},
		{name: "gcp-iam-delete", secret: text, id: email, account: gcp, before: "inactive", after: "gone", wrong: "active"},
	}
}

func changeJob(c changer, s *rotatetest.Server) *rotate.Job {
	secret := scanner.NewSecret([]byte(c.secret))
	j := &rotate.Job{
		Leak:     rotate.Leak{ID: "XX-TEST", Secret: secret, PublicID: c.id, Rule: &rules.Rule{ID: "x"}},
		Adapters: &rotate.Adapters{Funcs: Funcs()}, Redact: &call.Redactor{}, HTTP: s.Client(), Now: func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) },
		Given:        map[string]string{"user": "deploy", "resource": storageResource},
		GivenSecrets: map[string]scanner.Secret{"admin": scanner.NewSecret([]byte(ownKey)), "admin_key_id": scanner.NewSecret([]byte("AKIAOWN"))},
	}
	j.Redact.Add(c.secret)
	j.Redact.Add(ownKey)
	return j
}

// TestChangers plays the vendor of each function that changes something: what
// it does to the leaked key and to no other, doing it twice, taking it back,
// and that no refusal, failure or odd answer counts as done.
func TestChangers(t *testing.T) {
	table := map[string]changer{}
	for _, c := range changers(t) {
		table[c.name] = c
	}
	for _, f := range Funcs() {
		_, issues := f.Adapter.(rotate.Issuer)
		revoker, revokes := f.Adapter.(rotate.Revoker)
		if !issues && !revokes {
			continue
		}
		c, ok := table[f.Name]
		if !ok {
			t.Errorf("%s: the table of changers has no row for it", f.Name)
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			s := rotatetest.New(t, nil)
			step := &rules.Step{Request: &rules.Request{Func: f.Name}}
			a := c.account(c.before)
			s.Handle(a.serve)
			j := changeJob(c, s)
			if revokes != (c.after != "") {
				t.Fatal("the row does not say what it does")
			}
			if !revokes {
				testIssueFailures(t, s, c, f.Adapter.(rotate.Issuer))
				return
			}
			for _, time := range []string{"first", "second"} {
				if err := j.Revoke(t.Context(), step); err != nil || a.state() != c.after {
					t.Errorf("%s time: %v, the key is %s, want %s", time, err, a.state(), c.after)
				}
			}
			if undoer, ok := revoker.(rotate.Undoer); ok {
				if err := undoer.Undo(t.Context(), changeJob(c, s)); err != nil || a.state() != c.before {
					t.Errorf("undo: %v, the key is %s", err, a.state())
				}
			}
			if c.wrong != "" {
				a := c.account(c.wrong)
				s.Handle(a.serve)
				if err := changeJob(c, s).Revoke(t.Context(), step); err == nil || a.state() != c.wrong {
					t.Errorf("while %s: %v, the key is %s", c.wrong, err, a.state())
				}
			}
			if c.after != "gone" {
				s.Handle(c.account("gone").serve)
				if err := changeJob(c, s).Revoke(t.Context(), step); !errors.Is(err, rotate.ErrNotFound) {
					t.Errorf("a key that is not there: %v", err)
				}
			}
			for name, handler := range failures() {
				a := c.account(c.before)
				// The vendor fails at every request, or at those that change something alone.
				for _, late := range []bool{false, true} {
					s.Handle(func(w http.ResponseWriter, r *http.Request) {
						if late && r.Method == http.MethodGet {
							a.serve(w, r)
							return
						}
						handler(w, r)
					})
					j := changeJob(c, s)
					err := j.Revoke(t.Context(), step)
					if accepted := late && strings.HasPrefix(f.Name, "gcp") && (name == "not what was asked" || name == "odd JSON" || name == "empty"); (err == nil) != accepted {
						t.Errorf("%s: %v", name, err)
					}
					if shown := fmt.Sprint(err, j.Describe(step, false)); strings.Contains(shown, c.secret) || strings.Contains(shown, ownKey) {
						t.Errorf("%s: what is shown holds a secret", name)
					}
					for _, x := range s.Calls() {
						if strings.HasSuffix(x.Host, "evil.example") || strings.Contains(fmt.Sprint(x), c.secret) {
							t.Errorf("%s: the redirect was followed, or the key was sent", name)
						}
					}
				}
			}
		})
	}
}

// failures are answers that say nothing good.
func failures() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"not authenticated": rotatetest.Answer(401, `{}`), "no permission": rotatetest.Answer(403, `<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>`),
		"rate limit": rotatetest.Answer(429, "{}"), "fails": rotatetest.Answer(500, "{}"), "gateway": rotatetest.Answer(503, "<html>"),
		"redirect": rotatetest.Answer(302, "", "Location", "https://evil.example/"), "hang up": rotatetest.HangUp,
		"not what was asked": rotatetest.Answer(200, "<html>\x00"), "odd JSON": rotatetest.Answer(200, `[7]`), "empty": rotatetest.Answer(200, ""),
	}
}

// testIssueFailures: no failure gives a key, and none makes two. The vendor
// fails at every request, or at the last one.
func testIssueFailures(t *testing.T, s *rotatetest.Server, c changer, issuer rotate.Issuer) {
	for name, handler := range failures() {
		for _, late := range []bool{false, true} {
			if late && c.reads {
				continue
			}
			a := c.account(c.before)
			s.Handle(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(strings.NewReader(string(body)))
				if late && !strings.Contains(string(body), "Create") {
					a.serve(w, r)
					return
				}
				handler(w, r)
			})
			n, err := issuer.Issue(t.Context(), changeJob(c, s))
			if err == nil {
				t.Errorf("%s: a new key %+v", name, n)
			}
			made := 0
			for _, x := range s.Calls() {
				if strings.Contains(x.Body, "Create") {
					made++
				}
				if strings.HasSuffix(x.Host, "evil.example") || strings.Contains(fmt.Sprint(x, err), c.secret) {
					t.Errorf("%s: the redirect was followed, or the key was sent or shown", name)
				}
			}
			if made > 1 {
				t.Errorf("%s: the key was asked for %d times", name, made)
			}
		}
	}
}

// TestIAMIssue: a second key beside the leaked one, and never a third.
func TestIAMIssue(t *testing.T) {
	all := changers(t)
	c := all[slices.IndexFunc(all, func(c changer) bool { return c.name == "aws-iam" })]
	s := rotatetest.New(t, nil)
	a := c.account("active").(*iamAccount)
	s.Handle(a.serve)
	n, err := awsIAMCreate{}.Issue(t.Context(), changeJob(c, s))
	if err != nil || n.ID != "AKIANEW" || n.Secret.Reveal() != newValue || n.Ends {
		t.Fatalf("%+v, %v", n, err)
	}
	if _, err := (awsIAMCreate{}).Issue(t.Context(), changeJob(c, s)); err == nil || !strings.Contains(err.Error(), "2 access keys") || len(a.keys) != 2 {
		t.Errorf("with two keys: %v, %d keys", err, len(a.keys))
	}
	j := changeJob(c, s)
	j.GivenSecrets["admin_key_id"] = scanner.NewSecret([]byte("ASIAOWN"))
	if _, err := (awsIAMCreate{}).Issue(t.Context(), j); err == nil || !strings.Contains(err.Error(), "admin_session_token") {
		t.Errorf("a temporary key of the owner: %v", err)
	}
}

// TestDeletedElsewhere: an account that the leaked key is not of has no such key
// either, also when it has a user of the same name. That is no deletion.
func TestDeletedElsewhere(t *testing.T) {
	all := changers(t)
	of := func(name string) changer {
		return all[slices.IndexFunc(all, func(c changer) bool { return c.name == name })]
	}
	s := rotatetest.New(t, nil)
	aws, ali := of("aws-iam-delete"), of("alibaba-ram-delete")
	for _, x := range []struct {
		name, asked, want string
		nobody            bool
		id                string
	}{
		{"the account of the key", "111122223333", "", false, aws.id},
		{"another account with a user of that name", "444455556666", "key of account 111122223333", false, aws.id},
		{"another account without", "444455556666", "key of account 111122223333", true, aws.id},
		{"the account of the key without the user", "111122223333", "has no user deploy", true, aws.id},
		{"an old id, which does not tell", "444455556666", "cannot be read from its id", false, "AKIAJM" + "GIHAFEESMCEHI6"},
	} {
		a := &iamAccount{id: x.id, account: x.asked, nobody: x.nobody, keys: map[string]string{}}
		s.Handle(a.serve)
		aws.id = x.id
		j := changeJob(aws, s)
		j.Remember("user", call.Value{Text: "deploy"}) // as the record has it
		err := (awsIAMDelete{}).Revoke(t.Context(), j)
		if x.want == "" && err != nil || x.want != "" && (!errors.Is(err, rotate.ErrNotFound) || !strings.Contains(err.Error(), x.want) || !strings.Contains(err.Error(), "account "+x.asked)) {
			t.Errorf("AWS, %s: %v", x.name, err)
		}
	}
	for known, want := range map[string]string{"1": "", "2": "key of account 2", "": "is not known"} {
		a := &ramAccount{id: ali.id, keys: map[string]string{}}
		s.Handle(a.serve)
		j := changeJob(ali, s)
		j.Remember("user", call.Value{Text: "deploy"})
		if known != "" {
			j.Remember(ramAccountName, call.Value{Text: known})
		}
		err := (alibabaRAMDelete{}).Revoke(t.Context(), j)
		if want == "" && err != nil || want != "" && (!errors.Is(err, rotate.ErrNotFound) || !strings.Contains(err.Error(), want)) {
			t.Errorf("Alibaba, known %q: %v", known, err)
		}
	}
}

package vendor

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rotate/internal/lazy"
	"github.com/till-sh/till/scanner"
)

// azureStorage asks the storage account what kind of account it is, which both of
// its keys may
// (https://learn.microsoft.com/rest/api/storageservices/get-account-information).
type azureStorage struct{}

// azureStorageRenew renews the leaked one of the two keys, with an access token of
// the owner ({{admin}}) for {{resource}}, the account's id in Azure. Which one it is
// tells the value: the list of keys holds it
// (https://learn.microsoft.com/rest/api/storagerp/storage-accounts/regenerate-key).
type azureStorageRenew struct{}

// azureStorageOther gives the account's other key: Microsoft's way of rotation is
// to move to it, and then to renew the first
// (https://learn.microsoft.com/azure/storage/common/storage-account-keys-manage).
type azureStorageOther struct{}

const (
	azureManagement     = "management.azure.com"
	azureStorageVersion = "2023-05-01" // of the management API
	azureBlobVersion    = "2021-08-06"
)

func (azureStorage) Describe(j *rotate.Job) []string {
	account := j.Leak.Account
	if given := j.Given["account"]; given != "" {
		account = given
	}
	if account == "" {
		account = "{{account}}"
	}
	return []string{"GET https://" + account + ".blob.core.windows.net/?comp=properties&restype=account (signed with the key)"}
}

func (azureStorageRenew) Describe(*rotate.Job) []string {
	return []string{
		"POST https://" + azureManagement + "{{resource}}/listKeys (with your own access token): which of the two keys it is",
		"POST https://" + azureManagement + "{{resource}}/regenerateKey, for that one",
	}
}

func (azureStorageOther) Describe(*rotate.Job) []string {
	return []string{"POST https://" + azureManagement + "{{resource}}/listKeys (with your own access token): the account's other key; nothing is changed"}
}

var azureAccountName = lazy.Regexp(`\A[a-z0-9]{3,24}\z`) // https://learn.microsoft.com/azure/storage/common/storage-account-overview#storage-account-name

func (v azureStorage) Verify(ctx context.Context, j *rotate.Job, secret scanner.Secret) (rotate.Verdict, error) {
	out, err := v.ask(ctx, j, secret)
	if err != nil || out.Validity != rotate.Inactive {
		return out, err
	}
	// Every other account refuses the key too. That it is the right one says the
	// leak itself, or a key that this account lets in.
	if account, err := j.Value(ctx, "account"); err == nil && account.Text == j.Leak.Account {
		return out, nil
	}
	if j.New != nil && j.New.Secret.Reveal() != secret.Reveal() {
		if other, err := v.ask(ctx, j, j.New.Secret); err == nil && other.Validity == rotate.Active {
			return out, nil
		}
	}
	out.Validity, out.Why = rotate.Unknown, "refused, but nothing shows that the account is the one that the key is of"
	return out, nil
}

// ask asks the account about a key; a refusal counts as dead.
func (azureStorage) ask(ctx context.Context, j *rotate.Job, secret scanner.Secret) (rotate.Verdict, error) {
	out := rotate.Verdict{Validity: rotate.Unknown}
	account, err := j.Value(ctx, "account")
	if err != nil {
		out.Why = "the storage account that it belongs to is not known"
		return out, nil
	}
	key, err := base64.StdEncoding.DecodeString(secret.Reveal())
	if err != nil || !azureAccountName().MatchString(account.Text) {
		out.Why = "the key or the account's name has not the form that Azure gives it"
		return out, nil
	}
	out.Host = account.Text + ".blob.core.windows.net"
	date := j.Now().UTC().Format(http.TimeFormat)
	// https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
	text := "GET" + strings.Repeat("\n", 12) + "x-ms-date:" + date + "\nx-ms-version:" + azureBlobVersion + "\n/" + account.Text + "/\ncomp:properties\nrestype:account"
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	a, err := j.HTTP.Do(ctx, call.Request{
		Method: http.MethodGet, URL: "https://" + out.Host + "/?comp=properties&restype=account",
		Header: http.Header{"X-Ms-Date": {date}, "X-Ms-Version": {azureBlobVersion}, "Authorization": {"SharedKey " + account.Text + ":" + base64.StdEncoding.EncodeToString(m.Sum(nil))}},
	})
	if err != nil {
		return out, err
	}
	code := a.Header.Get("X-Ms-Error-Code")
	switch {
	case a.Status == http.StatusOK && a.Header.Get("X-Ms-Account-Kind") != "":
		out.Validity, out.Why, out.Identity = rotate.Active, "HTTP 200", "storage account "+account.Text
	case a.Status == http.StatusForbidden && code == "AuthenticationFailed" && strings.Contains(string(a.Body), "MAC signature"):
		// Other failures have this code too: a clock that is wrong.
		out.Validity, out.Why = rotate.Inactive, "AuthenticationFailed: the signature is that of no key of the account"
	default: // KeyBasedAuthenticationNotPermitted: keys are off, and can be switched on again
		out.Why = strings.TrimSpace(fmt.Sprintf("HTTP %d %s", a.Status, code))
	}
	return out, nil
}

func (azureStorageOther) Issue(ctx context.Context, j *rotate.Job) (rotate.Issued, error) {
	s, err := azureKeysOf(ctx, j)
	if err != nil {
		return rotate.Issued{}, err
	}
	leaked, err := s.leaked()
	if err != nil {
		return rotate.Issued{}, err
	}
	for _, k := range s.keys {
		if k.KeyName != leaked.KeyName && k.Value != "" {
			return rotate.Issued{Secret: scanner.NewSecret([]byte(k.Value))}, nil
		}
	}
	return rotate.Issued{}, errors.New("the storage account has no other key")
}

func (azureStorageRenew) Revoke(ctx context.Context, j *rotate.Job) error {
	s, err := azureKeysOf(ctx, j)
	if err != nil {
		return err
	}
	k, err := s.leaked()
	if errors.Is(err, errRenewed) {
		return nil // both keys were read, and it is neither
	}
	if err != nil {
		return err
	}
	// Not repeated: a second one would end a key that is new already.
	if err := s.call(ctx, false, "/regenerateKey", map[string]string{"keyName": k.KeyName}); err != nil {
		return err
	}
	if _, err := s.leaked(); !errors.Is(err, errRenewed) {
		return fmt.Errorf("Azure has answered, but the leaked key is still %s", k.KeyName)
	}
	return nil
}

// errRenewed is an account whose keys were all read, without the leaked one.
var errRenewed = errors.New("the leaked key is none of the account's any more")

type azureKey struct{ KeyName, Value string }

type azureKeys struct {
	j        *rotate.Job
	resource string
	token    string
	value    string
	keys     []azureKey
}

var azureResource = lazy.Regexp(`(?i)\A/subscriptions/[0-9a-f-]{36}/resourceGroups/[\w.()-]{1,90}/providers/Microsoft\.Storage/storageAccounts/([a-z0-9]{3,24})\z`)

// azureKeysOf reads the keys of the account.
func azureKeysOf(ctx context.Context, j *rotate.Job) (*azureKeys, error) {
	resource, err := j.Value(ctx, "resource")
	if err != nil {
		return nil, err
	}
	named := azureResource().FindStringSubmatch(resource.Text)
	if named == nil {
		return nil, errors.New("the id of the storage account: expected /subscriptions/…/resourceGroups/…/providers/Microsoft.Storage/storageAccounts/NAME")
	}
	token, err := j.Value(ctx, "admin")
	if err != nil {
		return nil, err
	}
	s := &azureKeys{j: j, resource: resource.Text, token: token.Text, value: j.Leak.Secret.Reveal()}
	return s, s.call(ctx, true, "/listKeys", nil)
}

// leaked is the key with the leaked value.
func (s *azureKeys) leaked() (azureKey, error) {
	for _, k := range s.keys {
		if k.Value == s.value {
			return k, nil
		}
	}
	return azureKey{}, errRenewed
}

// call makes one request; each answers with all keys.
func (s *azureKeys) call(ctx context.Context, repeatable bool, path string, body any) error {
	q := call.Request{
		Method: http.MethodPost, URL: "https://" + azureManagement + s.resource + path + "?api-version=" + azureStorageVersion, Repeatable: repeatable,
		Header: http.Header{"Authorization": {"Bearer " + s.token}, "Content-Type": {"application/json"}},
	}
	if body != nil {
		var err error
		if q.Body, err = json.Marshal(body); err != nil {
			return err
		}
	}
	a, err := s.j.HTTP.Do(ctx, q)
	if err != nil {
		return err
	}
	if a.Status != http.StatusOK {
		err := fmt.Errorf("POST %s%s: HTTP %d %s", azureManagement, path, a.Status, a.Text("error.code"))
		switch a.Status {
		case http.StatusUnauthorized, http.StatusForbidden:
			return fmt.Errorf("%w (%w)", err, rotate.ErrDenied)
		case http.StatusNotFound:
			return fmt.Errorf("%w (%w)", err, rotate.ErrNotFound)
		}
		return err
	}
	var list struct{ Keys []azureKey }
	if err := json.Unmarshal(a.Body, &list); err != nil || len(list.Keys) < 2 {
		return fmt.Errorf("POST %s%s: the answer holds no keys", azureManagement, path)
	}
	s.keys = list.Keys
	for _, k := range list.Keys {
		s.j.Redact.Add(k.Value)
	}
	return nil
}

package vendor

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/scanner"
)

// gcpServiceAccount asks Google's token endpoint for an access token that the
// key signs for. The token is thrown away; nothing else is done with it
// (https://developers.google.com/identity/protocols/oauth2/service-account#httprest).
type gcpServiceAccount struct{}

const gcpTokenURL = "https://oauth2.googleapis.com/token"

func (gcpServiceAccount) Describe(*rotate.Job) []string {
	return []string{"POST " + gcpTokenURL + " grant_type=jwt-bearer (signed with the key)"}
}

func (gcpServiceAccount) Verify(ctx context.Context, j *rotate.Job, secret scanner.Secret) (rotate.Verdict, error) {
	out := rotate.Verdict{Validity: rotate.Unknown, Host: "oauth2.googleapis.com"}
	account, err := j.PublicID(ctx, secret)
	if err != nil {
		out.Why = "the service account that it belongs to is not known"
		return out, nil
	}
	key, err := parseRSA(secret.Reveal())
	if err != nil {
		out.Why = err.Error()
		return out, nil
	}
	token, err := gcpAssertion(key, account, j.Now())
	if err != nil {
		return out, err
	}
	body := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {token}}.Encode()
	a, err := j.HTTP.Do(ctx, call.Request{
		Method: http.MethodPost, URL: gcpTokenURL, Body: []byte(body), Repeatable: true,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
	})
	if err != nil {
		return out, err
	}
	what, why := a.Text("error"), a.Text("error_description")
	switch {
	case a.Status == http.StatusOK && a.Text("access_token") != "":
		out.Validity, out.Why, out.Identity = rotate.Active, "HTTP 200", account
	case a.Status == http.StatusBadRequest && what == "invalid_grant" && (strings.Contains(why, "Invalid JWT Signature") || strings.Contains(why, "account not found")):
		// The first for a key that was deleted or disabled, the second for an account.
		out.Validity, out.Why = rotate.Inactive, why
	default: // a clock that is wrong is invalid_grant as well
		out.Why = strings.TrimSpace(fmt.Sprintf("HTTP %d %s %s", a.Status, what, why))
	}
	return ofNamed(j, account, out), nil
}

// parseRSA reads a PEM block as it stands in a JSON file, line ends as "\n".
func parseRSA(text string) (*rsa.PrivateKey, error) {
	text = strings.NewReplacer(`\\n`, "\n", `\n`, "\n", `\/`, "/").Replace(text)
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the key is no whole PEM block")
	}
	if k, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return k, nil
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("the key cannot be parsed")
	}
	if k, ok := k.(*rsa.PrivateKey); ok {
		return k, nil
	}
	return nil, errors.New("the key is no RSA key")
}

// gcpAssertion is a JWT that is good for five minutes and one scope that every
// account may ask for.
func gcpAssertion(key *rsa.PrivateKey, account string, now time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{
		"iss": account, "aud": gcpTokenURL, "scope": "https://www.googleapis.com/auth/userinfo.email",
		"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	head := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode(claims)
	sum := sha256.Sum256([]byte(head))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", errors.New("the key does not sign")
	}
	return head + "." + encode(signature), nil
}

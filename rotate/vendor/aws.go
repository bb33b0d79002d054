package vendor

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/scanner"
)

// awsSTS asks STS whose key it is. GetCallerIdentity needs no permission and
// changes nothing
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html).
type awsSTS struct{}

const stsHost = "sts.amazonaws.com"

func (awsSTS) Describe(*rotate.Job) []string {
	return []string{"POST https://" + stsHost + "/ Action=GetCallerIdentity (signed with the key)"}
}

func (awsSTS) Verify(ctx context.Context, j *rotate.Job, secret scanner.Secret) (rotate.Verdict, error) {
	out := rotate.Verdict{Validity: rotate.Unknown, Host: stsHost}
	id, err := j.PublicID(ctx, secret)
	if err != nil {
		out.Why = "the key id that belongs to it is not known"
		return out, nil
	}
	if strings.HasPrefix(id, "ASIA") {
		out.Why = "a temporary key: the answer needs its session token as well"
		return out, nil
	}
	body := url.Values{"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}}.Encode()
	q := call.Request{Method: http.MethodPost, URL: "https://" + stsHost + "/", Body: []byte(body), Repeatable: true, Header: http.Header{
		"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}, "Accept": {"application/json"},
	}}
	signAWS(&q, awsKey{id: id, secret: secret.Reveal()}, "us-east-1", "sts", j.Now())
	a, err := j.HTTP.Do(ctx, q)
	if err != nil {
		return out, err
	}
	code := a.Text("Error.Code")
	switch {
	case a.Status == http.StatusOK && a.Text("GetCallerIdentityResponse.GetCallerIdentityResult.Arn") != "":
		out.Validity, out.Why = rotate.Active, "HTTP 200"
		out.Identity = a.Text("GetCallerIdentityResponse.GetCallerIdentityResult.Arn")
	case a.Status == http.StatusForbidden && slices.Contains([]string{"InvalidClientTokenId", "ExpiredToken"}, code):
		out.Validity, out.Why = rotate.Inactive, code
	case a.Status == http.StatusForbidden && code == "SignatureDoesNotMatch":
		out.Why = "the key id is known to AWS, but this is not its secret"
	default:
		out.Why = strings.TrimSpace(fmt.Sprintf("HTTP %d %s", a.Status, code))
	}
	return ofNamed(j, id, out), nil
}

type awsKey struct{ id, secret, token string }

// signAWS adds the headers of Signature Version 4
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
// The address has to be in its canonical form.
func signAWS(q *call.Request, k awsKey, region, service string, now time.Time) {
	stamp := now.UTC().Format("20060102T150405Z")
	day := stamp[:8]
	u, err := url.Parse(q.URL)
	if err != nil {
		return // the client says so
	}
	q.Header.Set("X-Amz-Date", stamp)
	if k.token != "" {
		q.Header.Set("X-Amz-Security-Token", k.token)
	}
	signed := []string{"host"}
	for name := range q.Header {
		signed = append(signed, strings.ToLower(name))
	}
	slices.Sort(signed)
	var headers strings.Builder
	for _, name := range signed {
		value := q.Header.Get(name)
		if name == "host" {
			value = u.Host
		}
		fmt.Fprintf(&headers, "%s:%s\n", name, strings.Join(strings.Fields(value), " "))
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	names := strings.Join(signed, ";")
	query := strings.ReplaceAll(u.Query().Encode(), "+", "%20")
	canonical := strings.Join([]string{q.Method, path, query, headers.String(), names, hexSum(q.Body)}, "\n")
	scope := strings.Join([]string{day, region, service, "aws4_request"}, "/")
	toSign := strings.Join([]string{"AWS4-HMAC-SHA256", stamp, scope, hexSum([]byte(canonical))}, "\n")
	key := []byte("AWS4" + k.secret)
	for _, part := range []string{day, region, service, "aws4_request", toSign} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	q.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s", k.id, scope, names, hex.EncodeToString(key)))
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

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

// A partition of AWS knows its own keys only, and nothing in a key tells which
// one that is (https://docs.aws.amazon.com/general/latest/gr/sts.html).
type partition struct{ host, region string }

var partitions = []partition{
	{"sts.amazonaws.com", "us-east-1"},
	{"sts.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
	{"sts.cn-north-1.amazonaws.com.cn", "cn-north-1"},
}

func (awsSTS) Describe(*rotate.Job) []string {
	return []string{
		"POST https://" + partitions[0].host + "/ Action=GetCallerIdentity (signed with the key)",
		"where the key is not known there, the same at " + partitions[1].host + " (GovCloud) and " + partitions[2].host + " (China)",
	}
}

func (awsSTS) Verify(ctx context.Context, j *rotate.Job, secret scanner.Secret) (rotate.Verdict, error) {
	out := rotate.Verdict{Validity: rotate.Unknown, Host: partitions[0].host}
	id, err := j.PublicID(ctx, secret)
	if err != nil {
		out.Why = "the key id that belongs to it is not known"
		return out, nil
	}
	if strings.HasPrefix(id, "ASIA") {
		out.Why = "a temporary key: the answer needs its session token as well"
		return out, nil
	}
	var unknown []rotate.Verdict // to a partition
	for _, p := range partitions {
		v, known, err := p.ask(ctx, j, awsKey{id: id, secret: secret.Reveal()})
		switch {
		case known:
			return ofNamed(j, id, v), nil
		case err != nil && len(unknown) == 0:
			return v, err
		case err != nil:
			return out, fmt.Errorf("not known at %s, and %s does not say: %w", out.Host, p.host, err)
		case v.Validity == rotate.Unknown && len(unknown) == 0:
			return v, nil
		case v.Validity == rotate.Unknown:
			out.Why = "not known at " + out.Host + ", and " + p.host + " does not say: " + v.Why
			return out, nil
		}
		unknown = append(unknown, v)
	}
	out.Validity, out.Why = rotate.Inactive, unknown[0].Why+" in all partitions"
	return ofNamed(j, id, out), nil
}

// ask asks one partition. known reports that the key is one of its own.
func (p partition) ask(ctx context.Context, j *rotate.Job, key awsKey) (out rotate.Verdict, known bool, err error) {
	out = rotate.Verdict{Validity: rotate.Unknown, Host: p.host}
	body := url.Values{"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}}.Encode()
	q := call.Request{Method: http.MethodPost, URL: "https://" + p.host + "/", Body: []byte(body), Repeatable: true, Header: http.Header{
		"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}, "Accept": {"application/json"},
	}}
	signAWS(&q, key, p.region, "sts", j.Now())
	a, err := j.HTTP.Do(ctx, q)
	if err != nil {
		return out, false, err
	}
	code := a.Text("Error.Code")
	switch {
	case a.Status == http.StatusOK && a.Text("GetCallerIdentityResponse.GetCallerIdentityResult.Arn") != "":
		out.Validity, out.Why = rotate.Active, "HTTP 200"
		out.Identity = a.Text("GetCallerIdentityResponse.GetCallerIdentityResult.Arn")
		return out, true, nil
	case a.Status == http.StatusForbidden && slices.Contains([]string{"InvalidClientTokenId", "ExpiredToken"}, code):
		out.Validity, out.Why = rotate.Inactive, code
		return out, code == "ExpiredToken", nil
	case a.Status == http.StatusForbidden && code == "SignatureDoesNotMatch":
		out.Why = "the key id is known to AWS, but this is not its secret"
		return out, true, nil
	}
	out.Why = strings.TrimSpace(fmt.Sprintf("HTTP %d %s", a.Status, code))
	return out, false, nil
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

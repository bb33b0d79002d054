package vendor

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/scanner"
)

// alibabaSTS asks STS of Alibaba Cloud whose key it is. GetCallerIdentity needs
// no permission and changes nothing
// (https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-getcalleridentity).
type alibabaSTS struct{}

const alibabaSTSHost = "sts.aliyuncs.com"

func (alibabaSTS) Describe(*rotate.Job) []string {
	return []string{"POST https://" + alibabaSTSHost + "/ Action=GetCallerIdentity (signed with the key)"}
}

func (alibabaSTS) Verify(ctx context.Context, j *rotate.Job, secret scanner.Secret) (rotate.Verdict, error) {
	out := rotate.Verdict{Validity: rotate.Unknown, Host: alibabaSTSHost}
	id, err := j.PublicID(ctx, secret)
	if err != nil {
		out.Why = "the AccessKey ID that belongs to it is not known"
		return out, nil
	}
	if strings.HasPrefix(id, "STS.") {
		out.Why = "a temporary key: the answer needs its security token as well"
		return out, nil
	}
	q := alibabaRequest(alibabaSTSHost, "2015-04-01", alibabaKey{id, secret.Reveal()}, j.Now(), url.Values{"Action": {"GetCallerIdentity"}})
	q.Repeatable = true
	a, err := j.HTTP.Do(ctx, q)
	if err != nil {
		return out, err
	}
	code := a.Text("Code")
	switch {
	case a.Status == http.StatusOK && a.Text("Arn") != "":
		out.Validity, out.Why, out.Identity = rotate.Active, "HTTP 200", a.Text("Arn")
	case a.Status >= 400 && a.Status < 500 && (code == "InvalidAccessKeyId.NotFound" || code == "InvalidAccessKeyId.Inactive"):
		out.Validity, out.Why = rotate.Inactive, code
	case code == "SignatureDoesNotMatch" || code == "IncompleteSignature":
		out.Why = "the AccessKey ID is known to Alibaba Cloud, but this is not its secret"
	default:
		out.Why = strings.TrimSpace(fmt.Sprintf("HTTP %d %s", a.Status, code))
	}
	return ofNamed(j, id, out), nil
}

type alibabaKey struct{ id, secret string }

// alibabaRequest signs a call of an RPC-style API, with its parameters in the body
// (https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism).
func alibabaRequest(host, version string, k alibabaKey, now time.Time, form url.Values) call.Request {
	for name, value := range map[string]string{
		"Format": "JSON", "Version": version, "AccessKeyId": k.id, "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0",
		"SignatureNonce": rand.Text(), "Timestamp": now.UTC().Format("2006-01-02T15:04:05Z"),
	} {
		form.Set(name, value)
	}
	form.Set("Signature", alibabaSignature(http.MethodPost, k.secret, form))
	return call.Request{
		Method: http.MethodPost, URL: "https://" + host + "/", Body: []byte(form.Encode()),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
	}
}

func alibabaSignature(method, secret string, form url.Values) string {
	// RFC 3986; Encode sorts by name.
	escape := strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace
	m := hmac.New(sha1.New, []byte(secret+"&"))
	m.Write([]byte(method + "&%2F&" + escape(url.QueryEscape(escape(form.Encode())))))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

package vendor

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
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

// row is a function with what its vendor says. The first answer of dead is the
// plain one; unknown are answers of the vendor that say nothing about the key.
type row struct {
	name          string
	secret, id    string
	account       string
	live          http.HandlerFunc
	dead, unknown []http.HandlerFunc
	identity      string
	host          string
	also          []string // hosts that are asked when the first does not know the key
}

func jobOf(r *row, s *rotatetest.Server) *rotate.Job {
	j := &rotate.Job{
		Leak: rotate.Leak{ID: "XX-TEST", Secret: scanner.NewSecret([]byte(r.secret)), PublicID: r.id, Account: r.account,
			Rule: &rules.Rule{ID: "x", Verify: rules.Verify{Request: rules.Request{Func: r.name}}}},
		Adapters: &rotate.Adapters{Funcs: Funcs()}, Redact: &call.Redactor{}, HTTP: s.Client(), Now: func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) },
	}
	j.Redact.Add(r.secret)
	return j
}

func rsaPEM(t *testing.T) string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "\n", `\n`)
}

// verifiers is the table that a new Verifier joins.
func verifiers(t *testing.T) []row {
	answer := rotatetest.Answer
	return []row{
		{
			name: "alibaba-sts", secret: strings.Repeat("Zk3vQ9xL2m", 3), id: "LTAI5tQ7" + "Zk3vQ9xL2mWp", host: "sts.aliyuncs.com",
			live:     answer(200, `{"AccountId":"1","Arn":"acs:ram::1:user/deploy","IdentityType":"RAMUser","RequestId":"r"}`),
			dead:     []http.HandlerFunc{answer(404, `{"Code":"InvalidAccessKeyId.NotFound","RequestId":"r"}`), answer(403, `{"Code":"InvalidAccessKeyId.Inactive","RequestId":"r"}`)},
			unknown:  []http.HandlerFunc{answer(400, `{"Code":"SignatureDoesNotMatch"}`), answer(400, `{"Code":"InvalidTimeStamp.Expired"}`), answer(200, `{}`), answer(503, `{"Code":"InvalidAccessKeyId.NotFound"}`)},
			identity: "acs:ram::1:user/deploy",
		},
		{
			name: "azure-storage", secret: strings.Repeat("Zk3vQ9xL2m", 8) + "Zk3vQg==", account: "acmefiles", host: "acmefiles.blob.core.windows.net",
			live: answer(200, "", "X-Ms-Account-Kind", "StorageV2", "X-Ms-Sku-Name", "Standard_LRS"),
			dead: []http.HandlerFunc{answer(403, "<Error><Code>AuthenticationFailed</Code><AuthenticationErrorDetail>The MAC signature found in the HTTP request 'x' is not the same as any computed signature.</AuthenticationErrorDetail></Error>", "X-Ms-Error-Code", "AuthenticationFailed")},
			unknown: []http.HandlerFunc{
				answer(403, "<Error><Code>AuthenticationFailed</Code><AuthenticationErrorDetail>Request date header too old</AuthenticationErrorDetail></Error>", "X-Ms-Error-Code", "AuthenticationFailed"),
				answer(403, "", "X-Ms-Error-Code", "KeyBasedAuthenticationNotPermitted"), answer(403, "", "X-Ms-Error-Code", "AuthorizationFailure"), answer(200, ""),
			},
			identity: "storage account acmefiles",
		},
		{
			name: "aws-sts", secret: strings.Repeat("Zk3vQ9xL2m", 4), id: "AKIAOU" + "OEVRLT6HXTMUZI", host: "sts.amazonaws.com",
			also:     []string{"sts.us-gov-west-1.amazonaws.com", "sts.cn-north-1.amazonaws.com.cn"},
			live:     answer(200, `{"GetCallerIdentityResponse":{"GetCallerIdentityResult":{"Account":"1","Arn":"arn:aws:iam::1:user/deploy","UserId":"A"}}}`),
			dead:     []http.HandlerFunc{answer(403, `{"Error":{"Code":"InvalidClientTokenId"}}`), answer(403, `{"Error":{"Code":"ExpiredToken"}}`)},
			unknown:  []http.HandlerFunc{answer(403, `{"Error":{"Code":"SignatureDoesNotMatch"}}`), answer(403, `{"Error":{"Code":"RequestExpired"}}`), answer(200, `{}`)},
			identity: "arn:aws:iam::1:user/deploy",
		},
		{
			name: "gcp-service-account", secret: rsaPEM(t), id: "ci@acme-prod.iam.gserviceaccount.com", host: "oauth2.googleapis.com",
			live:     answer(200, `{"access_token":"ya29.x","expires_in":300}`),
			dead:     []http.HandlerFunc{answer(400, `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`), answer(400, `{"error":"invalid_grant","error_description":"Invalid grant: account not found"}`)},
			unknown:  []http.HandlerFunc{answer(400, `{"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."}`), answer(200, `{}`)},
			identity: "ci@acme-prod.iam.gserviceaccount.com",
		},
	}
}

// TestVerifiers plays each function's vendor. What is not clear is unknown, and
// nothing that comes back tells the key.
func TestVerifiers(t *testing.T) {
	table := verifiers(t)
	for _, f := range Funcs() {
		if _, ok := f.Adapter.(rotate.Verifier); !ok {
			continue
		}
		var r *row
		for i := range table {
			if table[i].name == f.Name {
				r = &table[i]
			}
		}
		if r == nil {
			t.Errorf("%s: the table of verifiers has no row for it", f.Name)
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			s := rotatetest.New(t, nil)
			type given struct {
				name    string
				handler http.HandlerFunc
				want    rotate.Validity
			}
			cases := []given{{"live", r.live, rotate.Active}}
			for i, h := range r.dead {
				cases = append(cases, given{fmt.Sprint("dead ", i), h, rotate.Inactive})
			}
			for i, h := range r.unknown {
				cases = append(cases, given{fmt.Sprint("unknown ", i), h, rotate.Unknown})
			}
			cases = append(cases,
				given{"rate limit", rotatetest.Answer(429, "{}"), rotate.Unknown}, given{"server fails", rotatetest.Answer(500, "{}"), rotate.Unknown},
				given{"gateway", rotatetest.Answer(503, "<html>"), rotate.Unknown}, given{"hang up", rotatetest.HangUp, rotate.Unknown},
				given{"redirect", rotatetest.Answer(302, "", "Location", "https://evil.example/"), rotate.Unknown},
				given{"no JSON", rotatetest.Answer(200, "<html>\x00"), rotate.Unknown}, given{"odd JSON", rotatetest.Answer(403, `[{"Error":7}]`), rotate.Unknown},
				given{"no permission", rotatetest.Answer(403, `{}`), rotate.Unknown},
			)
			for _, c := range cases {
				s.Handle(c.handler)
				secret := scanner.NewSecret([]byte(r.secret))
				j := jobOf(r, s)
				got, err := j.Verify(t.Context(), secret)
				if got.Validity != c.want {
					t.Errorf("%s: %s (%s, %v), want %s", c.name, got.Validity, got.Why, err, c.want)
				}
				if shown := fmt.Sprintf("%+v %v", got, err); strings.Contains(shown, r.secret) || strings.Contains(shown, r.secret[len(r.secret)/2:]) {
					t.Errorf("%s: the verdict tells the key", c.name)
				}
				if c.want == rotate.Active && got.Identity != r.identity {
					t.Errorf("identity %q", got.Identity)
				}
				for _, made := range s.Calls() {
					if (made.Host != r.host || made.Host != j.VerifyHost()) && !slices.Contains(r.also, made.Host) {
						t.Errorf("%s: asked %s", c.name, made.Host)
					}
					if strings.Contains(fmt.Sprint(made), r.secret) {
						t.Errorf("%s: the request carries the key itself", c.name)
					}
				}
			}
		})
	}
}

// TestSignAWS: the example of AWS's documentation of Signature Version 4
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html,
// the ListUsers request of the older test suite).
func TestSignAWS(t *testing.T) {
	q := call.Request{Method: "GET", URL: "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}}
	signAWS(&q, awsKey{id: "AKIDEXAMPLE", secret: strings.Join([]string{"wJalrXUtnFEMI", "K7MDENG+bPxRfiCYEXAMPLEKEY"}, "/")}, "us-east-1", "iam", time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC))
	const want = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, " +
		"Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
	if got := q.Header.Get("Authorization"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestAlibabaSignature: the example of Alibaba Cloud's documentation of the RPC
// signature (https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism).
func TestAlibabaSignature(t *testing.T) {
	form := url.Values{
		"Timestamp": {"2016-02-23T12:46:24Z"}, "Format": {"XML"}, "AccessKeyId": {"testid"}, "Action": {"DescribeRegions"}, "SignatureMethod": {"HMAC-SHA1"},
		"SignatureNonce": {"3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"}, "Version": {"2014-05-26"}, "SignatureVersion": {"1.0"},
	}
	if got := alibabaSignature("GET", "testsecret", form); got != "OLeaidS1JvxuMvnyHOwuJ+uX5qY=" {
		t.Errorf("got %s", got)
	}
}

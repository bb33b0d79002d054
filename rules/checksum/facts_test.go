package checksum

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRead(t *testing.T) {
	raw, std := base64.RawURLEncoding.EncodeToString, base64.StdEncoding.EncodeToString
	token := func(claims string) string {
		return raw([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + raw([]byte(claims)) + ".c2lnbmF0dXJl"
	}
	for _, tt := range []struct {
		name, rule, value string
		want              Facts
	}{
		// The pairs of ID and account are those of the published descriptions.
		{"AWS", "aws-access-key-id", "ASIAY34FZKBO" + "KMUTVV7A", Facts{Account: "609629065308", ID: "ASIAY34FZKBOKMUTVV7A", Note: "temporary"}},
		{"AWS, leading zero", "", "ASIAQNZGKIQY" + "56JQ7WML", Facts{Account: "029608264753", ID: "ASIAQNZGKIQY56JQ7WML", Note: "temporary"}},
		{"AWS canary", "", "AKIASP2TPHJS" + "QH3FJXYZ", Facts{Account: "171436882533", ID: "AKIASP2TPHJSQH3FJXYZ", Note: "canary token service: using it raises an alarm"}},
		{"AWS example", "", "AKIAIOSFODNN7EXAMPLE", Facts{ID: "AKIAIOSFODNN7EXAMPLE", Note: "documented example"}},
		{"AWS, old generation", "", "AKIAJ34FZKBO" + "KMUTVV7A", Facts{ID: "AKIAJ34FZKBOKMUTVV7A"}},
		{"AWS, no base 32", "", "AKIA0000000000000000", Facts{ID: "AKIA0000000000000000"}},
		{"AWS, too short", "", "AKIAY34F", Facts{}},

		{"JWT", "", token(`{"iss":"https://id.acme.example","sub":"u-17","aud":["api","x"],"exp":1893456000,"jti":"t1"}`),
			Facts{Account: "u-17", Expires: "2030-01-01T00:00:00Z", ID: "t1", Note: "issued by https://id.acme.example, for api"}},
		{"JWT of a service account", "", token(`{"iss":"kubernetes/serviceaccount","sub":"system:serviceaccount:default:ci"}`),
			Facts{Account: "system:serviceaccount:default:ci", Note: "issued by kubernetes/serviceaccount"}},
		{"JWT with role", "supabase-service-key", token(`{"iss":"supabase","ref":"abcdefghij","role":"service_role","exp":2000000000}`),
			Facts{Account: "abcdefghij", Expires: "2033-05-18T03:33:20Z", Note: "issued by supabase, role service_role"}},
		{"JWT without facts", "", token(`{}`), Facts{}},
		{"JWT with a time that is none", "", token(`{"sub":"a","exp":1e300}`), Facts{Account: "a"}},
		{"JWT with control characters", "", token(`{"sub":"a\u001b[2J\nb\u202e"}`), Facts{Account: "a?[2J?b?"}},
		{"JWT, long", "", token(`{"sub":"` + strings.Repeat("ä", 300) + `"}`), Facts{Account: strings.Repeat("ä", 119) + "…"}},

		{"Slack bot", "slack-bot-token", "xoxb-" + "123456789012-1098765432109-abcDEFghiJKLmnoPQRstuVWX", Facts{Account: "workspace 123456789012", ID: "1098765432109"}},
		{"Slack app level", "", "xapp-" + "1-A0123456789-1098765432109-abc", Facts{ID: "A0123456789"}},
		{"Slack webhook", "slack-webhook", "https://hooks.slack.com/" + "services/T01234567/B01234567/abcdefghijklmnopqrstuvwx", Facts{Account: "T01234567", ID: "B01234567"}},
		{"Slack, old", "", "xoxo-abc-def", Facts{}},
		{"Discord bot", "discord-bot-token", std([]byte("123456789012345678")) + ".YabcDE." + strings.Repeat("x", 27), Facts{ID: "123456789012345678"}},
		{"Discord webhook", "", "https://discord.com/api/" + "webhooks/123456789012345678/" + strings.Repeat("x", 68), Facts{ID: "123456789012345678"}},
		{"Telegram", "telegram-bot-token", "110201543:" + strings.Repeat("x", 35), Facts{ID: "110201543"}},
		{"Telegram's form under another rule", "generic-password", "110201543:" + strings.Repeat("x", 35), Facts{}},
		{"Stripe live", "", "sk_" + "live_" + strings.Repeat("x", 24), Facts{Note: "live key"}},
		{"Stripe test", "", "rk_" + "test_" + strings.Repeat("x", 24), Facts{Note: "test key"}},
		{"SendGrid", "", "SG." + strings.Repeat("a", 22) + "." + strings.Repeat("b", 43), Facts{ID: strings.Repeat("a", 22)}},
		{"Tailscale", "", "tskey-auth-" + "kAbC123CNTRL-" + strings.Repeat("x", 32), Facts{ID: "kAbC123CNTRL"}},
		{"Airtable", "airtable-personal-access-token", "pat" + strings.Repeat("a", 14) + "." + strings.Repeat("0", 64), Facts{ID: "pataaaaaaaaaaaaaa"}},
		{"Dynatrace", "", "dt0c01." + strings.Repeat("A", 24) + "." + strings.Repeat("B", 64), Facts{ID: "dt0c01." + strings.Repeat("A", 24)}},
		{"Asana", "asana-pat", "2/1200000000000001/1200000000000002:" + strings.Repeat("0", 32), Facts{Account: "user 1200000000000001"}},
		{"ClickUp", "clickup-api-token", "pk_12345678_" + strings.Repeat("A", 32), Facts{Account: "user 12345678"}},
		{"fal", "fal-api-key", "0f3a91c7-be5d-2846-a09e-73f1d4b8c256:" + strings.Repeat("0", 32), Facts{ID: "0f3a91c7-be5d-2846-a09e-73f1d4b8c256"}},
		{"Harness", "harness-pat", "pat.abcdefghij.65f0.xyz", Facts{Account: "abcdefghij", ID: "65f0"}},
		{"Salesforce", "salesforce-access-token", "00D5g000004abcd!" + strings.Repeat("x", 96), Facts{Account: "organization 00D5g000004abcd"}},
		{"Mapbox", "", "sk." + raw([]byte(`{"u":"acme","a":"cl0"}`)) + ".sig", Facts{Account: "acme", ID: "cl0"}},
		{"Sentry", "", "sntrys_" + std([]byte(`{"iat":1.5,"url":"https://sentry.io","org":"acme"}`)) + "_abc", Facts{Account: "acme"}},
		{"Grafana Cloud", "", "glc_" + std([]byte(`{"o":"653","n":"ci","k":"S3CR3T","m":{"r":"eu"}}`)), Facts{Account: "653", ID: "ci", Note: "region eu"}},
		{"1Password", "", "ops_" + raw([]byte(`{"signInAddress":"acme.1password.com","email":"x@1passwordserviceaccounts.com","secretKey":"A3-X"}`)),
			Facts{Account: "x@1passwordserviceaccounts.com", Note: "acme.1password.com"}},
		{"Google, whole file", "google-service-account-key", `{"type":"service_account","project_id":"acme-1","private_key_id":"0a1b","client_email":"ci@acme-1.iam.gserviceaccount.com"}`,
			Facts{Account: "ci@acme-1.iam.gserviceaccount.com", ID: "0a1b", Note: "project acme-1"}},
		{"Google, a piece, escaped", "gcp-service-account-key", `\"project_id\": \"acme-1\",\n  \"client_email\": \"ci@acme-1.iam.gserviceaccount.com\",`,
			Facts{Account: "ci@acme-1.iam.gserviceaccount.com", Note: "project acme-1"}},

		{"Azure storage SAS", "azure-sas-token", "?sv=2022-11-02&ss=b&sp=rwdl&se=2024-05-06T07:08:09Z&sig=abc%3D", Facts{Expires: "2024-05-06T07:08:09Z", Note: "permissions rwdl"}},
		{"Azure storage SAS in an address", "", "https://acme.blob.core.windows.net/c/f?sv=2022-11-02&sr=b&si=policy&se=2024-05-06&sp=r&sig=abc%3D",
			Facts{Account: "acme", Expires: "2024-05-06T00:00:00Z", ID: "policy", Note: "permissions r"}},
		{"Azure Service Bus SAS", "azure-sas-token", "SharedAccessSignature sr=acme.servicebus.windows.net&sig=abc&se=1715000000&skn=RootManage",
			Facts{Account: "acme.servicebus.windows.net", Expires: "2024-05-06T12:53:20Z", ID: "RootManage"}},
		{"an address without key", "", "https://acme.example/?se=2024-05-06", Facts{}},
		{"nothing", "", "", Facts{}},
	} {
		if got := Read(tt.rule, tt.value); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestExpired(t *testing.T) {
	at := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	f := Facts{Expires: "2024-05-06T07:08:09Z"}
	if f.Expired(at) || !f.Expired(at.Add(time.Second)) || (Facts{}).Expired(at) || (Facts{Expires: "soon"}).Expired(at) {
		t.Error("Expired is wrong")
	}
}

func TestTables(t *testing.T) {
	if !slices.IsSorted(canaryAccounts) {
		t.Error("canaryAccounts is not sorted")
	}
	if !slices.IsSortedFunc(readers, func(a, b reader) int {
		return strings.Compare(a.prefix+" "+a.rule, b.prefix+" "+b.rule)
	}) {
		t.Error("readers is not sorted by prefix, then rule")
	}
	for _, r := range readers {
		if r.rule == "" && r.prefix == "" {
			t.Error("a reader for every value of every rule")
		}
	}
}

package scanner_test

import (
	"strings"
	"testing"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// TestPublic shows what stands beside the name of a secret and is none, each with
// its neighbour that is one.
func TestPublic(t *testing.T) {
	engine, err := scanner.New(scanner.Options{}, rules.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer(
		"{V}", "q8Zt3vLk0PwRx7"+"JmYb2Ncd9H", "{P}", "kR7v"+"mQ2xTz", "{U}", "6f1c82d4-93ab-4e07-"+"b5d2-0c7e94a1f836",
		"{S}", "5f70a3726af01b612f29"+"aac96d05aa524389c9e9", "{M}", "9c3fe07a51bd4826"+"e0b79d13c5f8a264",
		"{L}", strings.Repeat("q8Zt3vLk0PwRx7JmYb2Ncd9H5sGf", 20),
	)
	for _, c := range []struct{ text, rule string }{
		// Pages, requests and devices have tokens too.
		{`"NextToken": "{V}"`, ""},
		{`next_page_token: {V}`, ""},
		{`"ClientRequestToken": "{U}"`, ""},
		{`deviceToken = "{V}"`, ""},
		{`"AccessToken": "{V}"`, "generic-secret"},
		{`homepage_auth_token: {V}`, "generic-secret"},
		// What a page sends to everybody.
		{`<input type="hidden" name="form_token" value="{V}">`, ""},
		{`<input name="api_token" value="{V}" type='hidden'>`, ""},
		{`<input type="text" name="api_token" value="{V}">`, "generic-secret"},
		{`[![x](https://codecov.io/gh/a/b/graph/badge.svg?token={V})](y)`, ""},
		{`https://codecov.io/gh/a/b/graph?token={V}`, "generic-secret"},
		{`src="data:image/png;base64,{V}" key`, ""},
		// Names of packages, paths and files.
		{"uses: acme/secret-service-action@{S} # v2", ""},
		{"https://acme.example/en/credential-manager-{U}", ""},
		{"assets/key-{M}.js", ""},
		{"image: acme/token:{S}", ""},
		{"secret-{V}", "generic-secret"},
		{"token: {S}", "generic-secret"},
		{"the token's parser broke in {S}", ""},
		// What is encrypted, or the hash of something.
		{"ENCRYPTED_API_KEY={V}", ""},
		{`userKeyEncryptedAccountPrivateKey: "{V}"`, ""},
		{`secret: "vault:v1:{V}"`, ""},
		{"encryptedData:\n  token: AgB{L}", ""},
		{`md5(token) = "{V}"`, ""},
		{`f(token) = "{V}"`, "generic-secret"},
		{`unencrypted_token = "{V}"`, "generic-secret"},
		// Names and types.
		{"password: CharArray?,", ""},
		{"POSTGRES_PASSWORD=${POSTGRES_PASSWORD:?Variable1 not set}", ""},
		{"POSTGRES_PASSWORD=${POSTGRES_PASSWORD:-{P}}", "generic-password"},
		{"keyPassword = \"keyPass\"", ""},
		{"UpdatePassword = \"pm-27086-update-for-input-password\"", ""},
		{"'password' => 'required|min:8|confirmed'", ""},
		{"password: \"urn:k8s:secret:oidc:redisPass1\"", ""},
		{"password: \"{P}\"", "generic-password"},
		{"<key>GOOGLE_APP_ID</key>\n<string>{V}</string>", ""},
		{"<key>API_KEY</key>\n<string>{V}</string>", "generic-secret"},
		{"<key>SUPublicEDKey</key>\n<string>{V}</string>", ""},
		{"STRIPE_KEY=pk_live_{V}", ""},
		{"key: \"user:{U}:session\"", ""},
		{"token advisory GHSA-2xm2-xj2q-qgpj", ""},
		{`"password":{"type":"string"}`, ""},
		// An object's id.
		{`{"object": "Label", "id": "pl_{M}"}`, ""},
		{`{"object": "Label", "key_id": "pl_{M}"}`, "promptlayer-api-key"},
		{`{"object": "Label", "key": "pl_{M}"}`, "promptlayer-api-key"},
	} {
		found, err := engine.Scan(&scanner.Blob{Path: "a.txt", Data: []byte(fill.Replace(c.text))})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range found.Findings {
			got = append(got, f.Rule.ID)
		}
		if strings.Join(got, " ") != c.rule {
			t.Errorf("%s: %v, want %q", c.text, got, c.rule)
		}
	}
}

// The next parameter of a form is no part of a password.
func TestQueryEnd(t *testing.T) {
	engine, err := scanner.New(scanner.Options{}, rules.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	password := "kR7v" + "mQ2xTz"
	found, err := engine.Scan(&scanner.Blob{Path: "a.txt", Data: []byte("curl -d 'new_password=" + password + "&user=anna' https://acme.example")})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Findings) != 1 || string(found.Findings[0].Secret.Reveal()) != password {
		t.Errorf("%d findings, want the password alone", len(found.Findings))
	}
}

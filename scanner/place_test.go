package scanner

import (
	"strings"
	"testing"

	"github.com/till-sh/till/rules"
)

// TestPlace shows from which places a vendor's name tells what a value is.
func TestPlace(t *testing.T) {
	rule := rules.Rule{
		ID: "acmewise-api-key", Provider: "acmewise", Class: rules.ClassKey, Severity: rules.High,
		Keywords: []string{"acmewise"}, Value: "[0-9a-z]{24}",
	}
	engine, err := New(Options{}, &rules.Catalogue{Providers: []rules.Provider{{ID: "acmewise", Rules: []rules.Rule{rule}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		want bool
	}{
		// Sections.
		{"[acmewise]\nurl = https://example.org/v2\ntimeout = 30\nverify = yes\napi_key = V", true},
		{"acmewise:\n  enabled: true\n  url: https://example.org\n  verify: yes\n  api_key: V", true},
		{"\"acmewise\": {\n  \"enabled\": true,\n  \"url\": \"https://example.org\",\n  \"retries\": 3,\n  \"apiKey\": \"V\"\n}", true},
		{"variable \"acmewise_api_key\" {\n  type = string\n  description = \"of the service\"\n  sensitive = true\n  default = \"V\"\n}", true},
		{"[acmewise]\nurl = x\ntimeout = 30\nverify = yes\n[other]\napi_key = V", false},
		{"acmewise:\n  enabled: true\n  url: https://example.org\n  verify: yes\nother:\n  api_key: V", false},
		{"acmewise:\n  enabled: true\n  url: https://example.org\n  verify: yes\n  checksum: V", false},
		{"variable \"acmewise_zone\" {\n  type = string\n  description = \"of the service\"\n  sensitive = true\n  default = \"V\"\n}", false},
		{"see acmewise:\none\ntwo\nthree\napi_key: V", false},
		// Addresses behind the value.
		{"curl -H \"X-API-Key: V\" https://api.acmewise.example/v1/me", true},
		{"curl -H 'Authorization: Bearer V' https://api.acmewise.example/v1/me", true},
		{"token = \"V\"\nurl = \"https://api.acmewise.example/v1\"", true},
		{"token = \"V\"\n\n\n\nurl = \"https://api.acmewise.example/v1\"", false},
		{"etag: V\nurl = \"https://api.acmewise.example/v1\"", false},
		{"token = \"V\"\nimport acmewise", false},
		// Addresses before the value.
		{"url = \"https://api.acmewise.example/v1\"\nheaders = {\n    \"Accept\": \"application/json\",\n    \"User-Agent\": \"shop/2.1 (linux)\",\n    \"X-Api-Key\": \"V\",\n}", true},
		{"[{\"key\": \"X-Api-Key\", \"value\": \"V\"}], \"url\": {\"raw\": \"https://api.acmewise.example/v1\"}", true},
		{"https://api.acmewise.example/v1/data/2.5/now?city=Graz&appid=V", true},
		{"url = \"https://api.acmewise.example/v1\"\none()\ntwo()\nthree()\n\ntoken = \"V\"", false},
		{"url = \"https://api.acmewise.example/v1\"\none()\ntwo()\nother = \"https://example.org\"\ntoken = \"V\"", false},
		{"url = \"https://api.acmewise.example/v1\"\none()\ntwo()\nthree()\nrevision = \"V\"", false},
		// Headings.
		{"## Acmewise\n\n- user: anna\n- plan: pro\n- page: shop\n- API key: `V`", true},
		{"## Acmewise\n\n- user: anna\n- plan: pro\n\n## Other\n\n- API key: `V`", false},
		// Arguments.
		{"key = \"V\"\n\n\n\nclient = Acmewise(key)", true},
		{"api_key = \"V\"\n\n\n\nclient = acmewise.Client(url, api_key=api_key)", true},
		{"const key = \"V\"\n\n\n\nget(`https://api.acmewise.example/v1?key=${key}`)", true},
		{"key = \"V\"\n\n\n\nclient = Acmewise(other_key)", false},
		{"key = \"V\"\n\n\n\nclient = Acmewise(\"key\")", false},
		{"name = \"V\"\n\n\n\nclient = Acmewise(name)", false},
		// Before the name.
		{"echo V | wrangler secret put ACMEWISE_TOKEN", true},
		{"UPDATE settings SET value = 'V' WHERE name = 'acmewise_token'", true},
		{"{\"value\": \"V\", \"name\": \"ACMEWISE_ZONE\"}", false},
		// Comments on the line.
		{"API_KEY=V  # Acmewise", true},
		{"const key = \"V\"; // Acmewise production", true},
		{"API_KEY=V\n# Acmewise", false},
		{"API_KEY=V Acmewise", false},
		// The value that a shell takes when there is none.
		{"KEY=${ACMEWISE_KEY:-V}", true},
	} {
		text := strings.ReplaceAll(c.text, "V", strings.Join([]string{"q8zt3vlk0pwr", "x7jmyb2ncd9h"}, ""))
		found, err := engine.Scan(&Blob{Path: "notes.txt", Data: []byte(text)})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(found.Findings) == 1; got != c.want {
			t.Errorf("%s: found %v, want %v", c.text, got, c.want)
		}
	}
}

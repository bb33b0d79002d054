package scanner

import (
	"strings"
	"testing"
)

func TestNamedByVendor(t *testing.T) {
	for _, c := range []struct {
		text string // with the vendor "acme" and the value VALUE
		want bool
	}{
		{`acme: VALUE`, true},
		{`acme 'VALUE'`, true},
		{`ACME_KEY="VALUE"`, true},
		{`https://eu.acmeapi.example/v1/VALUE`, true},
		{"[INFO] request to the acme API\n[DEBUG] using key = VALUE", true},
		{"<id>{acme}</id>\n<secret>{AQAAABAAA VALUE}</secret>", true},
		{`token_for_acme in the staging environment of us: VALUE`, true},
		{`"__meta_acme_instance_id": "VALUE"`, false},
		{`"acmeProjectId": "VALUE"`, false},
		{`example.com/acme/acmego,v0.10.0,h1:AMdb82HVgY8o3mjBXJcUv9B+fnJjfDMn2rNRGbX+jvM=,VALUE`, false},
		{`acme keyword is not close to the real key in the data = VALUE`, false},
		{`Pacmegraph: VALUE`, false},
		{`acme - image: VALUE`, false},
	} {
		data := []byte(c.text)
		at := strings.Index(strings.ToLower(c.text), "acme")
		if strings.Contains(c.text, "acmego") {
			at = strings.Index(c.text, "acmego")
		}
		if got := namedByVendor(data, at, at+4, strings.Index(c.text, "VALUE"), false); got != c.want {
			t.Errorf("%s: got %v, want %v", c.text, got, c.want)
		}
	}
	const app = "ACME_APP_ID="
	for value, want := range map[string]bool{"6ed55ddc366be441222577eaf0b1712c": true, "389d38f6-6d99-2088-8eb9-1ac100390111": false} {
		if got := namedByVendor([]byte(app+value), 0, 4, len(app), false); got != want {
			t.Errorf("%s%s: got %v, want %v", app, value, got, want)
		}
	}
}

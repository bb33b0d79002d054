package scanner

import (
	"testing"

	"github.com/till-sh/till/rules"
)

// FuzzScan scans any bytes. The readers of ways to write a value look about a name in both
// directions; none may look beyond the text, and what they find lies in it.
func FuzzScan(f *testing.F) {
	for _, text := range []string{
		"API_KEY=", "\"api_key\": {\"default\": \"", "echo v | gh secret set ACME_TOKEN", "gh secret set ACME_TOKEN --body ", "## Acme\n* token:\n\n```\n",
		"UPDATE t SET value = 'v' WHERE name = 'acme_key'", "<key>token</key>\n<string>", "new AcmeClient(ctx, \"", "| token | `", "k = \"v\"\nnew Stripe(k",
		"curl -H 'X-Api-Key: ' https://api.stripe.com/?key=", "password:\n  ", "[stripe]\nkey", "machine a login b password ", "data:\n  password: ",
	} {
		f.Add([]byte(text))
	}
	providers := rules.Builtin().Providers
	for p := 0; p < len(providers); p += 50 {
		f.Add([]byte(providers[p].Rules[0].Keywords[0] + "_key = \"0"))
	}
	e, err := New(Options{}, rules.Builtin())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := e.Scan(&Blob{Path: "a.txt", Data: data})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range found.Findings {
			if at := k.Location; at.Offset < 0 || at.Length < 1 || k.Member == "" && at.Offset+at.Length > int64(len(data)) {
				t.Errorf("%s at %d, %d bytes, in a text of %d", k.Rule.ID, at.Offset, at.Length, len(data))
			}
		}
	})
}

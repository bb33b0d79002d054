package scanner_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// drawn and chosen are a random value and a password, joined here so that no
// scanner finds them in this file; plain is a word that somebody took for one.
var (
	drawn  = strings.Join([]string{"q8zt3vlk0p", "wrx7jmyb2ncd9h"}, "")
	chosen = strings.Join([]string{"kR7v", "mQ2xTz"}, "")
	plain  = "turnstile"
	hexkey = strings.Join([]string{"5f0d9c41", "7ab3e826", "c1d4f7a9", "0b6e83d2"}, "")
	uuid   = strings.Join([]string{"5f0d9c41", "7ab3", "4826", "a1d4", "f7a90b6e83d2"}, "-")
)

// TestAssigned shows the ways of writing from which the general rules read a
// value, and what they leave alone.
func TestAssigned(t *testing.T) {
	engine, err := scanner.New(scanner.Options{}, rules.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, rule string }{
		{"acmewise token = 'V'", "generic-secret"},
		{"acmewise token - 'V'\nacmewise token - 'other'", "generic-secret"},
		{"acmewise TOKEN V", "generic-secret"},
		{"api key for acmewise: V", "generic-secret"},
		{"key for acmewise: V", "generic-key"},
		{"[DEBUG] Using Key=V", "generic-key"},
		{"acmewiseKey := \"V\"", "generic-key"},
		{"acmewiseACCESS V", "generic-key"},
		{"<id>{acmewise}</id>\n<secret>{acmewise AQAAABAAA V}</secret>", "generic-secret"},
		{"  api:\n    in: \"Header\"\n    acmewise_key: \"V\"", "generic-key"},
		{"token = ' V '", "generic-secret"},
		{"const token: string = 'V'", "generic-secret"},
		{"Authorization: \"Acme-V1 V\"", "generic-secret"},
		{"TOKEN ::= V", "generic-secret"},
		{"* **Acmewise token**: V", "generic-secret"},
		{":acmewise token: ``V``", "generic-secret"},
		{"acmewise.api.key = V", "generic-secret"},
		{"$db_password = 'P';", "generic-password"},
		{"easy_setopt(curl, CURLOPT_PASSWORD, \"P\");", "generic-password"},

		{"#define PASSWORD \"P\"", "generic-password"},

		{"acmewise-apikey-V", "generic-secret"},
		{"acmewise-key-V", "generic-key"},

		// Hexadecimal digits with no more than "key" beside them.
		{"ACMEWISE_KEY=H", "generic-key"},
		{"acmewiseKey: 'H'", "generic-key"},
		{"ACMEWISE_KEY=I", "generic-key"},
		{"https://api.acmewise.example/v1?q=x&key=H", "generic-key"},
		{"key = 'H'", ""},
		{"acmewise_key = 'I'", ""}, // an identifier
		{"row_key = 'H'", ""},

		{"awkey-V", ""}, // the beginning of a value
		{"connect(host='db1', user='root', password='W')", "generic-password"},
		{"$host = \"db1\";\n$user = \"anna\";\n$password = \"W\";", "generic-password"},
		{"DB_HOST: 'db1'\nDB_USER: 'anna'\nDB_PASSWORD: 'W'", "generic-password"},

		{"connect(host=host, user=user, password='W')", ""},
		{"connect(host='db1', password='W')", ""},
		{"login(username='anna', password='W')", ""},
		{"connect(host='db1', user='root', password='testpass')", ""},
		{"cache_key = \"V\"", ""},
		{"testPublicKey = \"V\"", ""},
		{"fakeToken = \"V\"", ""},
		{"authenticity_token\" value=\"V\"", ""},
		{"the token is behind the door of the acmewise office", ""},
		{"token := lexer.NextTokenOrNil2()", ""},
		{"golang.org/x/oauth2 v0.36.0 h1:V=", ""},
		{"Password string `json:\"password\" validate:\"required,max=255\"`", ""},
		{"get \"admin/passwords\" => \"queenbee#passwords\"", ""},
		{"db.password, mq.username", ""},
		{"UpdateUserOptions{Password: &req.Password2}", ""},
		{"password = 'some-password'", ""},
	} {
		text := strings.NewReplacer("V", drawn, "=H", "="+hexkey, "'H'", "'"+hexkey+"'", "=I", "="+uuid, "'I'", "'"+uuid+"'", "'P'", "'"+chosen+"'", "\"P\"", "\""+chosen+"\"", "'W'", "'"+plain+"'", "\"W\"", "\""+plain+"\"").Replace(c.text)
		found, err := engine.Scan(&scanner.Blob{Path: "notes.txt", Data: []byte(text)})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range found.Findings {
			if v := f.Secret.Reveal(); !slices.Contains([]string{drawn, chosen, plain, hexkey, uuid}, v) {
				t.Errorf("%s: found something else than the value, by %s", c.text, f.Rule.ID)
			}
			got = f.Rule.ID
		}
		if got != c.rule {
			t.Errorf("%s: found by %q, want %q", c.text, got, c.rule)
		}
	}
}

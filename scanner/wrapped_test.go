package scanner_test

import (
	"strings"
	"testing"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// TestWrapped shows what may stand between a name and the literal that is its
// value, and what stands there when the literal is something else.
func TestWrapped(t *testing.T) {
	engine, err := scanner.New(scanner.Options{}, rules.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, rule string }{
		// Fallbacks.
		{"const t = process.env.ACMEWISE_TOKEN || 'V'", "generic-secret"},
		{"const t = process.env['ACMEWISE_TOKEN'] ?? \"V\"", "generic-secret"},
		{"$t = getenv('ACMEWISE_TOKEN') ?: 'V';", "generic-secret"},
		{"t = os.getenv(\"ACMEWISE_TOKEN\") or \"V\"", "generic-secret"},
		{"t = os.getenv(\n    \"ACMEWISE_TOKEN\",\n    \"V\",\n)", "generic-secret"},
		{"let t = env::var(\"ACMEWISE_TOKEN\").unwrap_or(\"V\".to_string());", "generic-secret"},
		{"let t = env::var(\"ACMEWISE_TOKEN\").unwrap_or_else(|_| \"V\".into());", "generic-secret"},
		{"ACMEWISE_TOKEN: z.string().default(\"V\"),", "generic-secret"},
		{"parser.add_argument(\"--acmewise-token\", default=\"V\")", "generic-secret"},
		{"acmewise_token: str = Field(default=\"V\")", "generic-secret"},
		{"\"PASSWORD\": env(\"DB_PASSWORD\", default=\"P\")", "generic-password"},
		// Constructors.
		{"acmewise_token: Some(\"V\"),", "generic-secret"},
		{"let acmewise_token = String::from(\"V\");", "generic-secret"},
		{"acmewiseToken := []byte(\"V\")", "generic-secret"},
		{"AcmewiseToken: aws.String(\"V\"),", "generic-secret"},
		{"String acmewiseToken = new String(\"V\");", "generic-secret"},
		{"acmewiseToken: &\"V\",", "generic-secret"},
		{"ACMEWISE_TOKEN=$'V'", "generic-secret"},
		{"#define ACMEWISE_TOKEN @\"V\"", "generic-secret"},
		{"static const char acmewise_token[33] PROGMEM = \"V\";", "generic-secret"},
		{"password = str(\"P\")", "generic-password"},
		// Clients.
		{"const c = new AcmewiseClient('V', { timeout: 30 })", "generic-client-key"},
		{"let c = acmewise::Client::new(\"V\".to_string());", "generic-client-key"},
		{"c, err := acmewise.NewClient(\n\tctx,\n\t\"V\",\n)", "generic-client-key"},
		{"Acmewise.initialize(this, \"V\")", "generic-client-key"},
		{"acmewise.NewClient(\"X\")", "generic-client-key"},
		{"newClient(\"X\" + id)", ""},
		{"newClient(f(1), \"V\")", ""},
		{"newClient() // \"V\"", ""},
		// Line breaks.
		{"ACMEWISE_TOKEN = (\n    \"V\"\n)", "generic-secret"},
		{"ACMEWISE_TOKEN = \\\n    \"V\"", "generic-secret"},
		{"String acmewiseToken =\n    \"V\";", "generic-secret"},
		{"client.setToken(\n    \"V\"\n);", "generic-secret"},
		{"acmewise_token: |\n  V\nother: 1", "generic-secret"},
		{"  - acmewise_token: >-\n      V\n", "generic-secret"},
		{"acmewise_token:\n  V", "generic-secret"},
		// The line below, in a text.
		{"Acmewise token\nV", "generic-secret"},
		{"## Acmewise token:\n\n```\nV\n```", "generic-secret"},
		{"Acmewise API key\n\n    `V`\n\nKeep it", "generic-secret"},
		{"db_password: |\n  P", "generic-password"},

		{"db_password:\n  P", ""},           // a word, most likely
		{"token = get_acmewise(\"V\")", ""}, // the name of a secret
		{"token = translate(\"V\")", ""},
		{"master_secret := fromHex(\"X\")", ""},
		{"list(\"AUTH=token\",\n  \"V\")", ""}, // the next of a list
		{"[\"--token\",\n  \"V\"]", ""},
		{"token == \"V\"", "generic-secret"},
		{"token: {\"V\": 1}", ""},
		{"{\"user\", \"token\"},\n{\"V\", \"other\"}", ""},
		{"acmewise_token:\nV: 1", ""},    // the next key
		{"acmewise_token:\n  V: 1", ""},  // a map
		{"acmewise_token:\n  V and", ""}, // prose
		{"Acmewise token\nV and", ""},
		{"-----BEGIN ACMEWISE KEY-----\nV\n", ""},
		{"parse(token)\nV\n", ""},
		{"tests = {\"user and password\": {\"P\", 1}}", ""}, // a structure
		{"password = hash(\"P\")", ""},
		{"if password or len(\"P\") > 3:", ""},
	} {
		text := strings.NewReplacer("V", drawn, "\"X\"", "\""+hexkey+"\"", "'P'", "'"+chosen+"'", "\"P\"", "\""+chosen+"\"", " P", " "+chosen, ",P", ","+chosen).Replace(c.text)
		if got := findDrawn(t, engine, text); got != c.rule {
			t.Errorf("%s: found by %q, want %q", c.text, got, c.rule)
		}
	}
}

// TestBeside shows where a value stands apart from its name: behind a label, in
// a cell, as a word of a command.
func TestBeside(t *testing.T) {
	engine, err := scanner.New(scanner.Options{}, rules.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, rule string }{
		// Labels.
		{"variable \"acmewise_token\" {\n  default = \"§\"\n}", "generic-secret"},
		{"variable \"acmewise_token\" {\n  type        = string\n  description = \"of the service\"\n  default     = \"§\"\n}", "generic-secret"},
		{"\"acmewise_token\": {\"default\": \"§\"}", "generic-secret"},
		{"\"acmewise_token\": {\n  \"type\": \"string\",\n  \"default\": \"§\"\n}", "generic-secret"},
		{"parser.add_argument(\"--acmewise-token\", type=str, help=\"of the service\", default=\"§\")", "generic-secret"},
		{"<input name=\"acmewise_token\" type=\"text\" value=\"§\">", "generic-secret"},
		{"<meta-data android:name=\"acmewise.token\" android:value=\"§\"/>", "generic-secret"},
		{"<property>\n  <name>acmewise.token</name>\n  <value>§</value>\n</property>", "generic-secret"},
		{"<td>Acmewise token</td>\n<td><code>§</code></td>", "generic-secret"},
		{"\"db_password\": {\"type\": \"string\", \"default\": \"¶\"}", "generic-password"},
		{"secret_name = \"ACMEWISE_TOKEN\"\nplaintext_value = \"§\"", "generic-secret"},
		{"  ACMEWISE_TOKEN:\n    value: §\n", "generic-secret"},
		{"- name: ACMEWISE_TOKEN\n  value: §\n", "generic-secret"},
		{"{\"value\": \"§\", \"name\": \"ACMEWISE_TOKEN\"}", "generic-secret"},
		{"<add value=\"§\" key=\"AcmewiseToken\"/>", "generic-secret"},
		{"UPDATE settings SET value = '§' WHERE name = 'acmewise_token'", "generic-secret"},
		{"ACMEWISE_TOKEN:\nvalue: §\n", ""},
		{"{\"value\": \"§\", \"label\": \"ACMEWISE_TOKEN\"}", ""},
		{"{\"type\": \"token\", \"name\": \"other\", \"value\": \"§\"}", ""}, // another name's
		{"\"acmewise_token\": {\"pattern\": \"§\"}", ""},
		{"resource \"acmewise_token\" \"t\" {\n  default = \"§\"\n}", ""},
		// Tables.
		{"| Acmewise token | § |", "generic-secret"},
		{"| Name | Acmewise token |\n|---|---|\n| main | § |", "generic-secret"},
		{"| **Acmewise token** | `§` |", "generic-secret"},
		{"acmewise_token,§", "generic-secret"},
		{"acmewise_token;§;prod", "generic-secret"},
		{"acmewise_token\t§", "generic-secret"},
		{"name,acmewise_token,env\nmain,§,prod", "generic-secret"},
		{"name,url,username,password\nacme,https://acme.example,anna,¶", "generic-password"},
		{"name,acmewise_token,env\nV,main,prod", ""},
		{"name,acmewise_token,env\nmain\nV,§", ""},
		{"call(token,§)", ""},
		// Commands.
		{"ENV ACMEWISE_TOKEN §", "generic-secret"},
		{"ENV DB_PASSWORD ¶", "generic-password"},
		{"setx DB_PASSWORD ¶", "generic-password"},
		{"set -x DB_PASSWORD ¶", "generic-password"},
		{"./run --db-password ¶ --quiet", "generic-password"},
		{"gh secret set ACMEWISE_TOKEN --body \"§\"", "generic-secret"},
		{"gh secret set ACMEWISE_TOKEN --repo o/r -b '§'", "generic-secret"},
		{"aws ssm put-parameter --name /acmewise/token \\\n  --type SecureString --value §", "generic-secret"},
		{"echo § | wrangler secret put ACMEWISE_TOKEN", "generic-secret"},
		{"printf '%s' \"§\" | gh secret set ACMEWISE_TOKEN --app x", "generic-secret"},
		{"echo '¶' | docker login -u anna --password-stdin", "generic-password"},
		{"§ | ACMEWISE_TOKEN", ""},
		{"cut § | wrangler secret put ACMEWISE_TOKEN", ""},
		{"the token --body", ""},
		{"--db-password ¶, or without it", ""},
		{"the password ¶ stands here", ""},
		{"--password PASSWORD", ""},
	} {
		text := strings.NewReplacer("§", drawn, "¶", chosen).Replace(c.text)
		if got := findDrawn(t, engine, text); got != c.rule {
			t.Errorf("%s: found by %q, want %q", c.text, got, c.rule)
		}
	}
}

// findDrawn scans text and returns the rule that found drawn or chosen in it.
func findDrawn(t *testing.T, engine *scanner.Engine, text string) (rule string) {
	t.Helper()
	found, err := engine.Scan(&scanner.Blob{Path: "notes.txt", Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found.Findings {
		if v := f.Secret.Reveal(); v != drawn && v != chosen && v != hexkey {
			t.Errorf("%s: found %q by %s", text, v, f.Rule.ID)
		}
		rule = f.Rule.ID
	}
	return rule
}

package checksum

import (
	"encoding/base32"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// canaryAccounts are AWS accounts that belong to canarytokens.org (Thinkst):
// using a key of theirs alarms the person who planted it. The numbers have been
// published by several people who collected such tokens. Sorted.
var canaryAccounts = []string{
	"052310077262", "171436882533", "266735846894", "534261010715", "595918472158",
	"717712589309", "730335385048", "819147034852", "893192397702", "992382622183",
}

// awsFacts reads the account number out of an access key ID. The 16 characters
// behind the prefix are base 32; the first bit says that the ID is of the new
// generation, and the 40 bits behind it are the account.
//
// Source: A. Steele, "AWS Access Key ID formats" (2020); T. Be'ery, "A short
// note on AWS KEY ID" (2023); WithSecure Labs, "A bitwise analysis of AWS access
// key identifiers", for the generation bit.
func awsFacts(value string) Facts {
	if len(value) != 20 {
		return Facts{}
	}
	f := Facts{ID: value}
	if strings.HasPrefix(value, "ASIA") {
		f.Note = "temporary"
	}
	if strings.HasSuffix(value, "EXAMPLE") { // all IDs in AWS's documentation end so
		return Facts{ID: value, Note: "documented example"}
	}
	data, err := base32.StdEncoding.DecodeString(value[4:])
	if err != nil || data[0]&0x80 == 0 {
		return f
	}
	var n uint64
	for _, b := range data[:6] {
		n = n<<8 | uint64(b)
	}
	if n = n & 0x7fffffffff80 >> 7; n > 999999999999 {
		return f
	}
	f.Account = fmt.Sprintf("%012d", n)
	if _, ok := slices.BinarySearch(canaryAccounts, f.Account); ok {
		f.Note = "canary token service: using it raises an alarm"
	}
	return f
}

// slackFacts: the first number of a token is the workspace, the A... part of an
// app-level token the app.
func slackFacts(value string) Facts {
	parts := strings.Split(value, "-")
	if parts[0] == "xapp" {
		if len(parts) >= 3 && strings.HasPrefix(parts[2], "A") {
			return Facts{ID: parts[2]}
		}
		return Facts{}
	}
	if len(parts) < 3 || len(parts[1]) < 9 || !only(parts[1], "0123456789") {
		return Facts{}
	}
	f := Facts{Account: "workspace " + parts[1]}
	if parts[0] == "xoxb" || parts[0] == "xoxp" {
		if len(parts) >= 4 && len(parts[2]) >= 9 && only(parts[2], "0123456789") {
			f.ID = parts[2]
		}
	}
	return f
}

// webFacts reads addresses that are credentials by themselves: webhooks, and
// Azure's signed ones.
func webFacts(value string) Facts {
	u, err := url.Parse(value)
	if err != nil {
		return Facts{}
	}
	path := strings.Split(strings.Trim(u.Path, "/"), "/")
	switch {
	case u.Host == "hooks.slack.com" && len(path) == 4 && path[0] == "services":
		return Facts{Account: path[1], ID: path[2]}
	case (u.Host == "discord.com" || u.Host == "discordapp.com") && len(path) >= 4 && path[0] == "api" && path[len(path)-3] == "webhooks":
		return Facts{ID: path[len(path)-2]}
	case u.Query().Has("sig"):
		f := sasFacts(u.RawQuery)
		if account, _, ok := strings.Cut(u.Host, "."); ok && f != (Facts{}) {
			f.Account = account
		}
		return f
	}
	return Facts{}
}

// azureFacts reads a shared access signature, or the right that an identifiable
// key's checksum names.
func azureFacts(value string) Facts {
	if k, _, ok := azureKey(value); ok {
		return Facts{Note: k.right}
	}
	if strings.Contains(value, "sig=") {
		return sasFacts(value)
	}
	return Facts{}
}

// sasFacts reads the end (se) and the rights (sp) of a shared access signature;
// that of Service Bus and IoT Hub says its end in seconds since 1970 and its
// policy in skn.
//
// Source: learn.microsoft.com, "Create an account SAS"; "Service Bus access
// control with Shared Access Signatures".
func sasFacts(query string) Facts {
	query = strings.TrimPrefix(strings.TrimPrefix(query, "SharedAccessSignature "), "?")
	q, err := url.ParseQuery(strings.ReplaceAll(query, "&amp;", "&"))
	if err != nil || !q.Has("sig") {
		return Facts{}
	}
	f := Facts{Account: q.Get("sr"), ID: q.Get("skn")}
	if q.Has("sv") {
		f.Account = "" // here sr is the kind of resource
		f.ID = q.Get("si")
	}
	end := q.Get("se")
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z", time.DateOnly} {
		if t, err := time.Parse(layout, end); err == nil {
			f.Expires = t.UTC().Format(time.RFC3339)
		}
	}
	if seconds, err := strconv.ParseFloat(end, 64); err == nil {
		f.Expires = unixTime(seconds)
	}
	if sp := q.Get("sp"); sp != "" {
		f.Note = "permissions " + sp
	}
	return f
}

// discordFacts: the first part of a bot's token is the bot's ID.
func discordFacts(value string) Facts {
	parts := strings.Split(value, ".")
	if len(parts) != 3 {
		return Facts{}
	}
	id := string(decodeBase64(parts[0]))
	if len(id) < 17 || len(id) > 20 || !only(id, "0123456789") {
		return Facts{}
	}
	return Facts{ID: id}
}

func telegramFacts(value string) Facts {
	id, _, ok := strings.Cut(strings.TrimPrefix(value, "bot"), ":")
	if !ok || id == "" || !only(id, "0123456789") {
		return Facts{}
	}
	return Facts{ID: id}
}

func stripeFacts(value string) Facts {
	_, rest, _ := strings.Cut(value, "_")
	switch {
	case strings.HasPrefix(rest, "test_"):
		return Facts{Note: "test key"}
	case strings.HasPrefix(rest, "live_"):
		return Facts{Note: "live key"}
	}
	return Facts{}
}

// googleFacts reads a service account's key file; the value is the whole JSON
// or the stretch of it that was found.
func googleFacts(value string) Facts {
	var key struct {
		Project string `json:"project_id"`
		ID      string `json:"private_key_id"`
		Email   string `json:"client_email"`
	}
	if json.Unmarshal([]byte(value), &key) != nil {
		key.Project, key.ID, key.Email = jsonField(value, "project_id"), jsonField(value, "private_key_id"), jsonField(value, "client_email")
	}
	f := Facts{Account: key.Email, ID: key.ID}
	if key.Project != "" {
		f.Note = "project " + key.Project
	}
	return f
}

// jsonField finds "key": "value" in a piece of JSON, escaped or not.
func jsonField(s, key string) string {
	_, rest, ok := strings.Cut(s, key)
	if !ok {
		return ""
	}
	rest = strings.TrimLeft(rest, "\\\"' \t\r\n")
	rest, ok = strings.CutPrefix(rest, ":")
	if !ok {
		return ""
	}
	rest = strings.TrimLeft(rest, "\\\"' \t\r\n")
	if i := strings.IndexAny(rest, "\\\"'\r\n,}"); i > 0 {
		return rest[:i]
	}
	return ""
}

// falFacts: <key id>:<secret>.
func falFacts(value string) Facts {
	id, _, ok := strings.Cut(value, ":")
	if !ok || len(id) != 36 {
		return Facts{}
	}
	return Facts{ID: id}
}

func sendGridFacts(value string) Facts {
	parts := strings.Split(value, ".")
	if len(parts) != 3 || len(parts[1]) != 22 {
		return Facts{}
	}
	return Facts{ID: parts[1]}
}

func tailscaleFacts(value string) Facts {
	parts := strings.Split(value, "-") // tskey-<kind>-<id>-<secret>
	if len(parts) < 4 {
		return Facts{}
	}
	return Facts{ID: parts[2]}
}

func airtableFacts(value string) Facts {
	id, _, ok := strings.Cut(value, ".")
	if !ok || len(id) != 17 || !strings.HasPrefix(id, "pat") {
		return Facts{}
	}
	return Facts{ID: id}
}

func dynatraceFacts(value string) Facts {
	parts := strings.Split(value, ".") // dt0c01.<24>.<64>
	if len(parts) != 3 || len(parts[2]) < 32 {
		return Facts{}
	}
	return Facts{ID: parts[0] + "." + parts[1]}
}

func asanaFacts(value string) Facts {
	parts := strings.FieldsFunc(value, func(r rune) bool { return r == '/' || r == ':' })
	if len(parts) < 3 || len(parts[1]) < 10 || !only(parts[1], "0123456789") {
		return Facts{}
	}
	return Facts{Account: "user " + parts[1]}
}

func clickUpFacts(value string) Facts {
	parts := strings.Split(value, "_")
	if len(parts) != 3 || parts[0] != "pk" || !only(parts[1], "0123456789") {
		return Facts{}
	}
	return Facts{Account: "user " + parts[1]}
}

func harnessFacts(value string) Facts {
	parts := strings.Split(value, ".")
	if len(parts) != 4 || parts[0] != "pat" && parts[0] != "sat" {
		return Facts{}
	}
	return Facts{Account: parts[1], ID: parts[2]}
}

func salesforceFacts(value string) Facts {
	org, _, ok := strings.Cut(value, "!")
	if !ok || len(org) != 15 || !strings.HasPrefix(org, "00D") {
		return Facts{}
	}
	return Facts{Account: "organization " + org}
}

// mapboxFacts: {"u": user, "a": id}.
func mapboxFacts(value string) Facts {
	parts := strings.Split(value, ".")
	if len(parts) != 3 {
		return Facts{}
	}
	c := jsonPart(parts[1])
	return Facts{Account: text(c, "u"), ID: text(c, "a")}
}

// sentryFacts reads the organization token's middle: base 64 of {"iat", "url",
// "region_url", "org"}.
func sentryFacts(value string) Facts {
	parts := strings.Split(value, "_")
	if len(parts) < 3 {
		return Facts{}
	}
	return Facts{Account: text(jsonPart(parts[1]), "org")}
}

// grafanaCloudFacts reads {"o": organization, "n": name, "k": the secret, "m":
// {"r": region}}; the secret stays where it is.
func grafanaCloudFacts(value string) Facts {
	c := jsonPart(strings.TrimPrefix(value, "glc_"))
	f := Facts{Account: text(c, "o"), ID: text(c, "n")}
	if m, ok := c["m"].(map[string]any); ok && text(m, "r") != "" {
		f.Note = "region " + text(m, "r")
	}
	return f
}

// onePasswordFacts reads a service account's token; of its many fields only the
// address and e-mail are public.
func onePasswordFacts(value string) Facts {
	c := jsonPart(strings.TrimPrefix(value, "ops_"))
	return Facts{Account: text(c, "email"), Note: text(c, "signInAddress")}
}

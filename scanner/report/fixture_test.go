package report

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// The fixtures: made-up keys of made-up vendors' shapes, put together at run
// time so that no scanner sees a whole one in this file.

// made returns n characters of the alphabet, always the same for one seed.
func made(seed uint32, alphabet string, n int) string {
	var b strings.Builder
	for range n {
		seed = seed*1664525 + 1013904223
		b.WriteByte(alphabet[int(seed>>8)%len(alphabet)])
	}
	return b.String()
}

const (
	alnum = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	base  = alnum + "+/"
	upper = "234567ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

var (
	stripeValue = "sk_" + "live_" + made(1, alnum, 99)
	awsID       = "AK" + "IA" + made(2, upper, 16)
	awsValue    = made(3, base, 40)
	tokenValue  = made(4, alnum, 24)
	shortValue  = "hunt" + "er2"
	urlValue    = "correct-" + "horse-" + made(5, "abcdefgh", 6)
	pemValue    = "-----BEGIN " + "PRIVATE KEY-----\n" + made(6, base, 64) + "\n" + made(7, base, 64) + "\n-----END PRIVATE KEY-----"
	pathValue   = "gh" + "p_" + made(8, alnum, 36)
)

var values = []string{stripeValue, awsID, awsValue, tokenValue, shortValue, urlValue, pemValue, pathValue}

var stripeRule = &rules.Rule{
	ID: "stripe-live-secret-key", Provider: "stripe", Description: "Stripe live secret key",
	Docs: []string{"https://docs.stripe.com/keys"}, Severity: rules.Critical, Class: rules.ClassKey,
	Workflow: rules.Workflow{
		Order: rules.RevokeFirst,
		Revoke: []rules.Step{
			{Title: "Roll the key", Text: "Choose to expire the old key now.", URL: "https://dashboard.stripe.com/apikeys"},
			{Title: "Delete webhooks made with it", Command: "stripe webhook_endpoints list"},
		},
		Reissue: []rules.Step{{Title: "Create a restricted key", URL: "https://dashboard.stripe.com/apikeys/create"}},
		Usage:   "https://dashboard.stripe.com/logs", Blast: "moves real money",
	},
}

var awsRule = &rules.Rule{
	ID: "aws-secret-access-key", Provider: "aws", Description: "AWS access key + secret",
	Docs:     []string{"https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"},
	Severity: rules.Critical, Class: rules.ClassKey, Checksum: "aws-account",
	Workflow: rules.Workflow{
		Order: rules.ReissueFirst,
		Revoke: []rules.Step{{Title: "Switch the key off",
			Command: "aws iam update-access-key --status Inactive --access-key-id {{id}}",
			Request: &rules.Request{Method: "POST", URL: "https://iam.amazonaws.com/", Body: "Action=UpdateAccessKey"}}},
		Reissue: []rules.Step{{Title: "Create a new key", Command: "aws iam create-access-key"}},
		Usage:   "CloudTrail, event history of the key", Blast: "does whatever the account's user may do",
	},
}

var awsIDRule = &rules.Rule{ID: "aws-access-key-id", Provider: "aws", Description: "AWS access key id", Severity: rules.Low, Class: rules.ClassSuspect}

var suspectRule = &rules.Rule{
	ID: "generic-secret", Provider: "generic", Description: `high-entropy value near "token"`,
	Docs: []string{"https://example.com/generic"}, Severity: rules.Medium, Class: rules.ClassSuspect,
}

var urlRule = &rules.Rule{
	ID: "generic-url-password", Provider: "generic", Description: "password in a URL", Human: true,
	Severity: rules.High, Class: rules.ClassSuspect,
}

var pemRule = &rules.Rule{
	ID: "generic-private-key", Provider: "generic", Description: "private key (PEM)", Severity: rules.High, Class: rules.ClassKey,
	Workflow: rules.Workflow{Order: rules.ReissueFirst,
		Reissue: []rules.Step{{Title: "Make a new pair where the key is used", Text: "ssh-keygen -t ed25519, or a new certificate request."}},
		Revoke:  []rules.Step{{Title: "Take the public half out of every place that trusts it"}}, Blast: "logs in or signs as its owner"},
}

var githubRule = &rules.Rule{
	ID: "github-personal-access-token", Provider: "github", Description: "GitHub personal access token (classic)",
	Docs: []string{"https://docs.github.com/tokens"}, Severity: rules.High, Class: rules.ClassKey,
	Workflow: rules.Workflow{Order: rules.RevokeFirst, Self: true,
		Revoke:  []rules.Step{{Title: "Revoke the token", Request: &rules.Request{Method: "POST", URL: "https://api.github.com/credentials/revoke"}}},
		Reissue: []rules.Step{{Title: "Create a fine-grained token", URL: "https://github.com/settings/personal-access-tokens/new"}},
		Blast:   "reads and writes the owner's repositories"},
}

// code is one line of a file as the engine hands it over.
func code(number int, before, value, after string) scanner.ExcerptLine {
	m := scanner.Mask(value)
	from := utf8.RuneCountInString(before)
	return scanner.ExcerptLine{Number: number, Text: before + m + after, Mark: from, MarkEnd: from + utf8.RuneCountInString(m)}
}

// span is a location on one line.
func span(line, column int, value string, offset int64) scanner.Location {
	n := utf8.RuneCountInString(value)
	return scanner.Location{StartLine: line, StartColumn: column, EndLine: line, EndColumn: column + n, Offset: offset, Length: int64(len(value))}
}

func secret(v string) scanner.Secret { return scanner.NewSecret([]byte(v)) }

func commit(n int, email, subject string) *scanner.Commit {
	return &scanner.Commit{Hash: made(uint32(100+n), "0123456789abcdef", 40), Author: strings.ToUpper(email[:1]) + email[1:strings.Index(email, "@")],
		Email: email, Time: time.Date(2026, 8, 14+n, 9, 26, 53, 0, time.FixedZone("", 2*3600)), Subject: subject}
}

func stripeKey() scanner.Key {
	return scanner.Key{
		ID: "ST-7Q4K", Fingerprint: "3f9c1e5a7b02d4468c90aa31f7e2b6d5", Rule: stripeRule, Class: rules.ClassKey,
		Secret: secret(stripeValue), Facts: scanner.Facts{Checksum: "none"}, Exposure: scanner.ExposureStaged,
		Places: []scanner.Place{{Path: "src/billing.py", Where: scanner.InContent, Blob: made(20, "0123456789abcdef", 40), Present: true,
			Location: span(3, 19, stripeValue, 61), Excerpt: []scanner.ExcerptLine{code(3, `stripe.api_key = "`, stripeValue, `"`)}}},
	}
}

func awsKey() scanner.Key {
	return scanner.Key{
		ID: "AW-M2XD", Fingerprint: "70b1a6f0a9c34d51be22e0a4c8d91f37", Rule: awsRule, Class: rules.ClassKey,
		Secret: secret(awsValue), Partner: &scanner.Partner{Rule: awsIDRule, Secret: secret(awsID), Location: span(2, 19, awsID, 18)},
		Facts: scanner.Facts{Checksum: "ok", Account: "295889548742", ID: awsID}, Exposure: scanner.ExposureStaged,
		Places: []scanner.Place{{Path: "deploy.env", Where: scanner.InContent, Blob: made(21, "0123456789abcdef", 40), Present: true,
			Location: span(3, 23, awsValue, 61), Excerpt: []scanner.ExcerptLine{
				code(2, "AWS_ACCESS_KEY_ID=", awsID, ""), code(3, "AWS_SECRET_ACCESS_KEY=", awsValue, "")}}},
	}
}

func suspectKey() scanner.Key {
	return scanner.Key{
		ID: "GE-91PA", Fingerprint: "c0ffee00c0ffee00c0ffee00c0ffee00", Rule: suspectRule, Class: rules.ClassSuspect,
		Secret: secret(tokenValue), Exposure: scanner.ExposureStaged,
		Places: []scanner.Place{{Path: "web/config.js", Where: scanner.InContent, Blob: made(22, "0123456789abcdef", 40), Present: true,
			Location: span(40, 12, tokenValue, 900), Excerpt: []scanner.ExcerptLine{code(40, "\tconst token = '", tokenValue, "';")}}},
	}
}

func result(keys ...scanner.Key) *scanner.Result {
	return &scanner.Result{Keys: keys, Summary: scanner.Summary{Files: 6, Blobs: 6, Bytes: 18231}}
}

// staged is the result of a hook with a key, a pair and a suspect.
func staged() *scanner.Result { return result(stripeKey(), awsKey(), suspectKey()) }

// history is a repository's past: a public key with several places, a pair that
// was deleted, a PEM block in base64, a token in a commit message, a password
// in a URL on a branch, one value in a file name, two decisions.
func history() *scanner.Result {
	add, edit, wip := commit(0, "dana@example.com", "add billing"), commit(3, "lee@example.com", "move settings"), commit(20, "dana@example.com", "wip")

	st := stripeKey()
	st.Exposure = scanner.ExposurePublic
	first := st.Places[0]
	first.Commit, first.Refs = add, []string{"main", "origin/main"}
	old := first
	old.Path, old.Present, old.Blob, old.Commit = "config/old.py", false, made(30, "0123456789abcdef", 40), edit
	old.Location = span(7, 2, stripeValue, 200)
	older := first
	older.Present, older.Location, older.Blob = false, span(2, 19, stripeValue, 40), made(31, "0123456789abcdef", 40)
	st.Places = []scanner.Place{older, old, first}

	aw := awsKey()
	aw.Exposure = scanner.ExposurePushed
	aw.Places[0].Commit, aw.Places[0].Refs, aw.Places[0].Present = add, []string{"main"}, false

	pemLoc := scanner.Location{StartLine: 2, StartColumn: 8, EndLine: 4, EndColumn: 30, Offset: 20, Length: 250}
	pem := scanner.Key{ID: "GE-K3Q7", Fingerprint: "aa11bb22cc33dd44ee55ff6600778899", Rule: pemRule, Class: rules.ClassKey,
		Secret: secret(pemValue), Exposure: scanner.ExposureLocal,
		Places: []scanner.Place{{Path: "k8s/secret.yaml", Where: scanner.InContent, Blob: made(32, "0123456789abcdef", 40), Commit: wip,
			Refs: []string{"wip"}, Present: true, Location: pemLoc, Decoded: []string{"base64"},
			Excerpt: []scanner.ExcerptLine{{Number: 2, Text: "  key: LS0t…", Mark: 7, MarkEnd: 12}, {Number: 3, Text: "    …", Mark: 4, MarkEnd: 5}}}}}

	msg := scanner.Key{ID: "GI-5TB2", Fingerprint: "0123456789abcdef0123456789abcdef", Rule: githubRule, Class: rules.ClassKey,
		Secret: secret(pathValue), Exposure: scanner.ExposurePushed, Facts: scanner.Facts{Checksum: "ok"},
		Places: []scanner.Place{
			{Where: scanner.InMessage, Commit: &scanner.Commit{Hash: edit.Hash, Author: "Lee", Email: "lee@example.com", Time: edit.Time, Subject: "use " + pathValue + " in CI"},
				Refs: []string{"main"}, Location: span(1, 5, pathValue, 4),
				Excerpt: []scanner.ExcerptLine{code(1, "use ", pathValue, " in CI")}},
			{Path: "tokens/" + pathValue + ".txt", Where: scanner.InPath, Commit: edit, Refs: []string{"main"}, Location: span(1, 8, pathValue, 7)},
		}}

	pw := scanner.Key{ID: "GE-9PWX", Fingerprint: "11112222333344445555666677778888", Rule: urlRule, Class: rules.ClassSuspect,
		Secret: secret(urlValue), Exposure: scanner.ExposureLocal,
		Places: []scanner.Place{{Path: "db/seed.rb", Where: scanner.InContent, Blob: made(33, "0123456789abcdef", 40), Commit: wip, Refs: []string{"wip"}, Present: true,
			Location: span(12, 31, urlValue, 333), Excerpt: []scanner.ExcerptLine{code(12, `  url = "postgres://app:`, urlValue, `@db.internal:5432/app"`)}}}}

	allowed := suspectKey()
	allowed.Suppressed = &scanner.Suppression{Kind: "allowlist", Reason: "example from the vendor's manual", By: "dana", Until: "2027-06-01", Source: ".tillignore:3"}
	inline := suspectKey()
	inline.ID, inline.Fingerprint, inline.Secret = "GE-HU27", "99990000999900009999000099990000", secret(shortValue)
	inline.Places = []scanner.Place{{Path: "test/login.py", Where: scanner.InContent, Present: true, Location: span(5, 9, shortValue, 70),
		Excerpt: []scanner.ExcerptLine{code(5, `    pw = "`, shortValue, `"  # till:ignore`)}}}
	inline.Suppressed = &scanner.Suppression{Kind: "inline", Reason: "test account", Source: "test/login.py:5"}

	r := result(st, aw, pem, msg, pw)
	r.Suppressed = []scanner.Key{allowed, inline}
	r.Summary = scanner.Summary{Commits: 1432, Merges: 23, Blobs: 38911, Bytes: 160_400_000, Refs: 14, Suppressed: 2, Unreachable: 1,
		Skipped: []scanner.Skip{{Path: "assets/demo.mp4", Reason: "over 50 MB"}, {Path: "a.bin", Reason: "LFS pointer"},
			{Path: "b.bin", Reason: "LFS pointer"}, {Path: "c.bin", Reason: "LFS pointer"}, {Path: "d.bin", Reason: "LFS pointer"}},
		Notes: []string{"2 replace refs were not followed"}}
	return r
}

func clean() *scanner.Result {
	return &scanner.Result{Summary: scanner.Summary{Commits: 1432, Merges: 1, Blobs: 38911, Refs: 14, Bytes: 160_400_000}}
}

// broken is a scan that could not read everything and found one key.
func broken() *scanner.Result {
	r := result(stripeKey())
	r.Summary.Errors = []string{"read object 4c1e9aa: not in any pack (src/gone.py)", `read index .git/index: unknown extension "link"`}
	return r
}

// brokenEmpty found nothing, which must not look like all was well.
func brokenEmpty() *scanner.Result {
	r := broken()
	r.Keys = nil
	return r
}

// pushed is a staged key that is on a remote already, and one that is not.
func pushed() *scanner.Result {
	st, aw := stripeKey(), awsKey()
	st.Exposure = scanner.ExposurePushed
	there := st.Places[0]
	there.Path, there.Commit, there.Refs = "config/old.py", commit(0, "dana@example.com", "add billing"), []string{"origin/main"}
	st.Places = append(st.Places, there)
	return result(st, aw)
}

// message is what the commit-msg hook finds.
func message() *scanner.Result {
	k := history().Keys[3]
	k.Exposure = scanner.ExposureStaged
	k.Places = []scanner.Place{{Path: ".git/COMMIT_EDITMSG", Where: scanner.InMessage, Present: true, Location: span(3, 5, pathValue, 30),
		Excerpt: []scanner.ExcerptLine{code(3, "use ", pathValue, " in CI")}}}
	return result(k)
}

// local is what the pre-push hook finds.
func local() *scanner.Result {
	st := stripeKey()
	st.Exposure = scanner.ExposureLocal
	st.Places[0].Commit, st.Places[0].Refs = commit(2, "dana@example.com", "add billing"), []string{"main"}
	return result(st)
}

func options() Options {
	return Options{Version: "1.0.0", Catalogue: "2026-11-24.1f3a9c", Root: "acme/web", Scope: "all refs",
		RepoURL: "https://github.com/acme/web", Commit: made(99, "0123456789abcdef", 40),
		Elapsed: 1400 * time.Millisecond, Finished: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
}

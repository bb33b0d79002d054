package scanner_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// acme is a made-up vendor with one rule of each form.
var acme = &rules.Catalogue{Version: "test", Providers: []rules.Provider{{ID: "acme", Name: "Acme", Rules: []rules.Rule{
	{ID: "acme-live-key", Provider: "acme", Family: "acme-live-key", Keywords: []string{"acme_live_"}, Regex: `\bacme_live_[0-9A-Za-z]{24}\b`, Severity: rules.Critical, Class: rules.ClassKey},
	{ID: "acme-hex-key", Provider: "acme", Family: "acme-hex-key", Keywords: []string{"acme"}, Value: `[0-9a-f]{32}`, Severity: rules.High, Class: rules.ClassKey,
		Needs: rules.Needs{Rule: "acme-client-id", Lines: 3, Without: "keep"}},
	{ID: "acme-client-id", Provider: "acme", Family: "acme-client-id", Keywords: []string{"acid-"}, Regex: `\bacid-[0-9]{8}\b`, Severity: rules.Low, Class: rules.ClassSuspect},
	{ID: "acme-half", Provider: "acme", Family: "acme-half", Keywords: []string{"secret_half"}, Value: `[0-9a-f]{32}`, Severity: rules.Critical, Class: rules.ClassKey,
		Needs: rules.Needs{Rule: "acme-client-id", Lines: 3, Without: "drop"}},
	{ID: "acme-block", Provider: "acme", Family: "acme-block", Keywords: []string{"-----begin acme"}, Regex: `-----BEGIN ACME-----[\s\S]{20,}?-----END ACME-----`, Severity: rules.High, Class: rules.ClassKey},
	{ID: "acme-password", Provider: "acme", Family: "acme-password", Keywords: []string{"password"}, Assigned: true, Human: true, Severity: rules.Medium, Class: rules.ClassSuspect},
}}}}

func engine(t testing.TB, o scanner.Options) *scanner.Engine {
	t.Helper()
	e, err := scanner.New(o, acme)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Values are put together here so that no scanner sees one in this file.
var (
	liveKey = "acme_live_" + "k3Jq8Zt0" + "vLw9PxRm" + "7Yb2Nc5D"
	hexKey  = "9f3c1e7a" + "5b02d446" + "8c90aa31" + "f7e2b6d5"
	human   = "tR9v" + "Kq2mZ"
)

func scan(t *testing.T, text string) []scanner.Finding {
	t.Helper()
	found, err := engine(t, scanner.Options{}).Scan(&scanner.Blob{Path: "a.txt", Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return found.Findings
}

// A rule that drops what has no other half takes no value away from another.
func TestHalfWithoutPartnerLeavesThePlace(t *testing.T) {
	for text, want := range map[string]string{
		"acme_secret_half=" + hexKey:                        "acme-hex-key",
		"acid-48151623\nacme_secret_half=" + hexKey:         "acme-half",
		"acid-48151623\n\n\n\n\nacme_secret_half=" + hexKey: "acme-client-id acme-hex-key",
		"secret_half=" + hexKey:                             "",
	} {
		var got []string
		for _, f := range scan(t, text) {
			got = append(got, f.Rule.ID)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q: found %q, want %q", strings.ReplaceAll(text, hexKey, "…"), s, want)
		}
	}
}

func TestTheNearestNameOwnsTheValue(t *testing.T) {
	vendor := func(name string) rules.Rule {
		return rules.Rule{ID: name + "-key", Provider: name, Family: name, Keywords: []string{name}, Value: `[0-9a-f]{32}`, Severity: rules.High, Class: rules.ClassKey}
	}
	e, err := scanner.New(scanner.Options{}, &rules.Catalogue{Version: "test", Providers: []rules.Provider{{ID: "x", Rules: []rules.Rule{vendor("crate"), vendor("supercrate"), vendor("zebra")}}}})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"supercrate_api=" + hexKey:                "supercrate-key",
		"crate, then zebra_key: " + hexKey:        "zebra-key",
		"zebra, then crate_key: " + hexKey:        "crate-key",
		"zebra_url=x\nSUPERCRATE_TOKEN=" + hexKey: "supercrate-key",
	} {
		found, err := e.Scan(&scanner.Blob{Path: "a.txt", Data: []byte(text)})
		if err != nil {
			t.Fatal(err)
		}
		if len(found.Findings) != 1 || found.Findings[0].Rule.ID != want {
			t.Errorf("%s: found %d, want one %s", strings.ReplaceAll(text, hexKey, "…"), len(found.Findings), want)
		}
	}
}

// A vendor's name stands beside hashes wherever its library is used.
func TestHashesOfFilesAndCommitsAreNoKeys(t *testing.T) {
	for _, text := range []string{
		`  resolved "https://registry.example/acme/-/acme-1.2.3.tgz#` + hexKey + `"`,
		`"url": "https://git.example/acme/acme.git", "reference": "` + hexKey + `"`,
		"https://git.example/acme/acme/commit/" + hexKey,
		`url "https://acme.example/acme-1.2.3.tar.gz"` + "\n  md5 '" + hexKey + "'\n",
	} {
		if found := scan(t, text); len(found) != 0 {
			t.Errorf("%s: found %s", strings.ReplaceAll(text, hexKey, "…"), found[0].Rule.ID)
		}
	}
	for _, text := range []string{"acme api_hash: " + hexKey, "ACME_API_HASH=" + hexKey, "acme digest auth, key " + hexKey, "acme.example/x?rev=2&key=" + hexKey} {
		if found := scan(t, text); len(found) != 1 {
			t.Errorf("%s: found %d keys, want 1", strings.ReplaceAll(text, hexKey, "…"), len(found))
		}
	}
}

func TestScanFindsInEveryWayOfWriting(t *testing.T) {
	for _, c := range []struct{ name, text, rule, value string }{
		{"bare", liveKey, "acme-live-key", liveKey},
		{"quoted", `key = "` + liveKey + `"`, "acme-live-key", liveKey},
		{"after CRLF", "a\r\n" + liveKey + "\r\n", "acme-live-key", liveKey},
		{"between NUL bytes", "a\x00" + liveKey + "\x00b", "acme-live-key", liveKey},
		{"invalid UTF-8 around", "\xff" + liveKey + "\xfe", "acme-live-key", liveKey},
		{"env", "ACME_KEY=" + hexKey, "acme-hex-key", hexKey},
		{"yaml", "acme:\n  key: " + hexKey + "\n", "acme-hex-key", hexKey},
		{"json", `{"acme_key": "` + hexKey + `"}`, "acme-hex-key", hexKey},
		{"xml", "<acmeKey>\n    " + hexKey + "\n</acmeKey>", "acme-hex-key", hexKey},
		{"call", `System.setProperty("ACME_KEY", "` + hexKey + `")`, "acme-hex-key", hexKey},
		{"url", "https://acme.example/?key=" + hexKey + "&x=1", "acme-hex-key", hexKey},
		{"header", "Acme-Key: Bearer " + hexKey, "acme-hex-key", hexKey},
		{"block", "x\n-----BEGIN ACME-----\n" + hexKey + "\n-----END ACME-----\n", "acme-block", "-----BEGIN ACME-----\n" + hexKey + "\n-----END ACME-----"},
		{"password", `db_password = "` + human + `"`, "acme-password", human},
		{"password in YAML", "password: " + human + "\n", "acme-password", human},
		{"password in XML", `<add key="x" password="` + human + `"/>`, "acme-password", human},
		{"password typed", `let password: &str = "` + human + `";`, "acme-password", human},
	} {
		got := scan(t, c.text)
		if len(got) != 1 {
			t.Errorf("%s: %d findings, want 1", c.name, len(got))
			continue
		}
		f := got[0]
		if f.Rule.ID != c.rule || f.Secret.Reveal() != c.value {
			t.Errorf("%s: found by %s at %+v", c.name, f.Rule.ID, f.Location)
		}
		if at := strings.Index(c.text, c.value); int(f.Location.Offset) != at || int(f.Location.Length) != len(c.value) {
			t.Errorf("%s: location %+v, want offset %d", c.name, f.Location, at)
		}
		if e := f.Excerpt[0].Text; strings.Contains(e, c.value) {
			t.Errorf("%s: the excerpt shows the value", c.name)
		}
	}
}

func TestScanLeavesAlone(t *testing.T) {
	for name, text := range map[string]string{
		"too long":        liveKey + "9",
		"within a word":   "x" + liveKey,
		"filler":          "acme_live_" + strings.Repeat("x", 24),
		"ladder":          "acme_live_" + "abcdefghijklmnopqrstuvwx",
		"no name":         hexKey,
		"name too far":    "acme\n\n\n\n\n" + hexKey,
		"longer hex":      "acme = " + hexKey + "0",
		"template":        `password = "${DB_PASSWORD}"`,
		"call":            "password = getPassword()",
		"prompt":          `password = "Enter your password"`,
		"name of another": "password_file = \"/etc/" + human + "\"",
		"integrity":       "acme sha256-" + hexKey,
		"encrypted":       "acme_key: ENC[AES256_GCM,data:" + hexKey + ",iv:x]",
		"flag":            "no_password = \"" + human + "\"",
	} {
		if got := scan(t, text); len(got) != 0 {
			t.Errorf("%s: found by %s", name, got[0].Rule.ID)
		}
	}
}

func TestPairIsOneFinding(t *testing.T) {
	id := "acid-" + "84736251"
	got := scan(t, "acme_id = "+id+"\nacme_key = "+hexKey+"\n")
	if len(got) != 1 || got[0].Rule.ID != "acme-hex-key" || got[0].Partner == nil || got[0].Partner.Secret.Reveal() != id {
		t.Fatalf("%d findings", len(got))
	}
	if got[0].Partner.Location.StartLine != 1 || got[0].Location.StartLine != 2 {
		t.Errorf("lines %d and %d", got[0].Partner.Location.StartLine, got[0].Location.StartLine)
	}
	if !got[0].Partner.Sure {
		t.Error("the only two halves are not sure to belong together")
	}
	for name, text := range map[string]string{
		"two halves": "acme_id = " + id + "\nacme_key = " + hexKey + "\nacme_id = acid-" + "19283746\n",
		"two keys":   "acme_id = " + id + "\nacme_key = " + hexKey + "\nacme_key = " + hexKey[4:] + hexKey[:4] + "\n",
	} {
		for _, f := range scan(t, text) {
			if f.Partner != nil && f.Partner.Sure {
				t.Errorf("%s: line %d is sure", name, f.Location.StartLine)
			}
		}
	}
	if far := scan(t, "acme_id = "+id+strings.Repeat("\n", 9)+"acme_key = "+hexKey+"\n"); len(far) != 2 {
		t.Errorf("apart: %d findings, want 2", len(far))
	}
}

// Several rules and keywords lead to one value; it is one finding, also when
// many others stand around it.
func TestOverlapsResolveToOne(t *testing.T) {
	text := strings.Repeat("acme acme_acme password = "+hexKey+"\n", 50)
	got := scan(t, text)
	if len(got) != 50 {
		t.Fatalf("%d findings, want 50", len(got))
	}
	for i, f := range got {
		if f.Rule.ID != "acme-hex-key" {
			t.Errorf("finding %d by %s: a name of its own says more than a password's", i, f.Rule.ID)
		}
		if i > 0 && got[i-1].Location.Offset >= f.Location.Offset {
			t.Errorf("finding %d is not behind the one before", i)
		}
	}
}

// An archive is looked into; what cannot be opened is said.
// TestWholeValueBeforeADecodedPart: a token that is base64 of "…:…" is the token
// as it stands, and nothing of it is shown.
func TestWholeValueBeforeADecodedPart(t *testing.T) {
	hex := "7d1c94e0b25f83a6" + "e9407b1dc8356fa2"
	token := base64.StdEncoding.EncodeToString([]byte(hex + ":" + "5ab0e13c97f2d846" + hex[7:]))
	e, err := scanner.New(scanner.Options{}, rules.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Scan(&scanner.Blob{Path: ".npmrc", Data: []byte("//npm.acme.example/:_authToken=" + token + "\n")})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) != 1 || r.Findings[0].Secret.Reveal() != token || strings.Contains(r.Findings[0].Excerpt[0].Text, token[40:60]) {
		t.Errorf("the token is not found whole: %d findings", len(r.Findings))
	}
}

func TestScanLooksIntoArchives(t *testing.T) {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	w, err := z.Create("conf/app.env")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x\nACME_KEY=" + hexKey + "\n")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	found, err := engine(t, scanner.Options{}).Scan(&scanner.Blob{Path: "a.zip", Data: buf.Bytes()})
	if err != nil || len(found.Findings) != 1 || len(found.Unopened) != 0 {
		t.Fatalf("%d findings, not opened %v, %v", len(found.Findings), found.Unopened, err)
	}
	if f := found.Findings[0]; f.Member != "conf/app.env" || f.Location.StartLine != 2 || f.Secret.Reveal() != hexKey || f.Decoded[0] != "zip" {
		t.Errorf("member %q, line %d, decoded %v", f.Member, f.Location.StartLine, f.Decoded)
	}
	found, err = engine(t, scanner.Options{}).Scan(&scanner.Blob{Path: "a.xz", Data: []byte("\xfd7zXZ\x00\x00\x04 and more")})
	if err != nil || len(found.Unopened) != 1 {
		t.Errorf("an xz file: not opened %v, %v", found.Unopened, err)
	}
}

// The excerpt of one value must not show the others of its line.
func TestExcerptMasksNeighbours(t *testing.T) {
	for _, f := range scan(t, "a="+liveKey+" password="+human+" acme="+hexKey) {
		for _, value := range []string{liveKey, human, hexKey} {
			if strings.Contains(f.Excerpt[0].Text, value) {
				t.Errorf("the excerpt of %s shows another value", f.Rule.ID)
			}
		}
	}
}

// Cost grows with the bytes, also where everything stands in one line.
func BenchmarkScanOneLine(b *testing.B) {
	e := engine(b, scanner.Options{})
	for _, size := range []string{"1MB", "2MB", "4MB", "8MB"} {
		line := bytes.Repeat([]byte(`a.password=function(t){return acme.token(t,"x1")};`), int(size[0]-'0')<<20/50)
		b.Run(size, func(b *testing.B) {
			b.SetBytes(int64(len(line)))
			for b.Loop() {
				if _, err := e.Scan(&scanner.Blob{Data: line}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

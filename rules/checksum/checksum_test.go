package checksum

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"slices"
	"strings"
	"testing"
)

// whole takes the cut out of a value, so that this file shows none.
func whole(s string) string { return strings.ReplaceAll(s, "<+>", "") }

// genuine holds values whose checksums were computed by a program in another
// language from the descriptions of the schemes. The word behind an Azure
// scheme is the seed, by which the right is told.
var genuine = []struct{ scheme, value string }{
	{"github-crc32", `ghp_qBhy02hoi8ucTVyA<+>mSRnraF4pk0bZu3i8raG`},
	{"github-crc32", `gho_3y9eSIu1mojYwMbG<+>44XGrfASZlKEoG3aOeRq`},
	{"github-crc32", `ghu_bhGHNpa8WL1J29x1<+>IXnToPUPlcWfRD0iqQbU`},
	{"github-crc32", `ghs_KtCosB7CrsVfPClu<+>4QAvcxROV6T2Um49pfUA`},
	{"github-crc32", `ghr_xQam<+>t62tVDZNVAg9lTphK2GsPOMyWeKb5058<+>rZHFhmRZWz4D2Su30LTIhUOCpPEkyDTnxH1IiSGl`},
	{"github-crc32", `ghp_DNvNH1Mq0hVLaOgg<+>1lu8eCiFDnZP930Gpxpy`},
	{"github-pat", `github_pat_ezaDk2eM2eRUNctJDoum5J_XaHCk4ka9Kpi<+>81OjER2S2hJY8WaHPRonXEBXo0rt8BtLTGTTGSJStrkqBlL`},
	{"npm-crc32", `npm_MLXxqqvsbgCIFZb2<+>qTjVKLUll8LtVg3cErD2`},
	{"vercel-crc32", `vcp_3WbJfjjrlm4vvykJCieLwc2TVM<+>IPnyMpZEIVNjh0RzdBR5LmNH4ITJn9`},
	{"vercel-crc32", `vck_HOfI0JBYiGXhdyaAQ2dV2lbTra<+>SGji6gFV9puwkWixfdaObJRj22JJkK`},
	{"gitlab-routable", `glpat-EABTPu1m0ugeWOg7G<+>LqwSBIPt3o.01.0r1iiynjp`},
	{"grafana-crc32", `glsa_HzIMULHIMnCpj2lUuh<+>bFcitUTgDHlHbh_466545bc`},
	{"atlassian-crc32", `ATATT3xFfGF0SWXiRI92CVCPMuRsF1maLucrPtZEViP91KeRFiME6Zuxk5Sb0IfSWJ9mdbzfK1n-jDwVEgbf55KuQdBN7VHi<+>k5qNvO8fy5lShwlQOmOSZ1MtkW17ePjjKvL77qDjStJek3xCdiKIsiIFWwyrDj-SF83ecdzH6kXVqAf0rHAcM_H=027893BB`},
	{"atlassian-crc32", `ATBBymab8vGZYuC89e<+>n3uxUQcgRBB6E13E6D`},
	{"cloudflare-crc32", `cfut_zDOVZ01LWM3T1uGw8fa5z<+>pnVu9DDnI8XhyOmCEYZf766bf57`},
	{"confluent-crc32", `cfltpmB/KzuCXi8kruEpfDEk9ZWnMggh<+>Mz3Bkmr2noD6FdF54naCpP0JEjb2Ye+g`},
	{"zuplo-crc32", `zpka_6zxzqyl54bstrnz6dp<+>9ew44th96gtejs_bcb98a60`},
	{"azure-storage", `1ZWn7JAtZQw5sPu3KZcfJ8eK7YDx7ty/3M5a/EX3HfVf<+>vi/p2XUxxf/uBWR5EkvA8UQAUWOF8iTV+AStXKMUsQ==`},
	{"azure-identifiable MastRO00", `7kam/BJqMYiXKTY7QRiu95j3jl/ep8LyiS2AEjxPRfbv<+>MVIIy+ZJg3z19AgHezWwPfgxdxX1/SewACDb4Kzx6A==`},
	{"azure-identifiable Listen00", `AD8Rmzt7SqHQ5Bz+7i5sqk<+>MXeAxmJryMZ+ASbOcM6BI=`},
	{"azure-identifiable Classic0", `rWJGQTwZpzP4UtbO9CnUVwwq5BfbNIKeVzfbAexqh9Re<+>Xb2AJeoNqEas4l6QWsULfDbWZOsiqawv+AMC/jPIhw==`},
	{"azure-identifiable ACRDflt0", `jt5XjbxqSJUW9aZRNSxwMSZknJ<+>DOnJ2Fln9GIXBX/n+ACRG8hsd9`},
	{"azure-identifiable Query000", `zyGDbKPrhBJvW7oytzvjd0OIoY<+>ypmp/qotkI6ISuwEAzSe3+b9S6`},
	{"azure-identifiable Access00", `D92IECIRTRmtcZKBxz2gFw<+>d5l6/ejeD4BAzCaK8QDrg=`},
	{"azure-identifiable Master00", `fch1YCfxR_D3oQfnijSzuZa_BYCt<+>kItlvesz-yNo6OFvAzFus3gQaA==`},
	{"azure-cask", `45ZoLYf4CX3DDdHSinKnWUYu2mwpKnXYP1xpobWXzd<+>hTaQs1El4fJQQJ99BAAAAAQLdCjz4MAAAAAZDO3jte`},
	{"azure-devops-pat", `uoyv75dbsjzn7kjp2chfpcvj2u<+>5vc5tmntg4z5s4qprjff4t5bua`},
	{"azure-devops-pat", `5k566fildweqb36xyrn4h3wf67<+>u7ikjlxyyltrrfjxzsxifiuumq`},
	{"entra-client-secret", `n9w8Q~adqcSAA1XnPkNy<+>721Y7WA4uusId_4cSdej`},
	{"age-bech32", `AGE-SECRET-KEY-1TJX39Y85JTUXTWUS2PQYC<+>4NJ6XJY20DPNCKUTSDDTVUV288TALKQM6XQ78`},
	{"base58check", `Ky4c4orkHHSrmDej6y8oynvzob<+>b3JrEVM8x58jq1ownDtZP7Rbps`},
	{"bitcoin-wif", `5KkBdFTmgydDSB67NYFdGxTW4<+>qtjyEn6wDYGRnzgbxNFzuFcX6e`},
	{"macaroon", `pypi-AgEI<+>cHlwaS5vcmcCJGUyYThmMGM0LTZmMWItNGYyZS05ZDBhLTU1YzFiMWMwZDlmNwACG1swLC<+>AxODkzNDU2MDAwLCAxNTc3ODM2ODAwXQAABiDr240uyIlrRYBkMdBJjicJx7zzojLoS_lpBm7iY_JHUg`},
}

// raising are schemes that never say Bad.
var raising = []string{"github-pat", "cloudflare-crc32"}

func TestVerify(t *testing.T) {
	for _, g := range genuine {
		scheme, kind, _ := strings.Cut(g.scheme, " ")
		value := whole(g.value)
		if got := Verify(scheme, value); got != OK {
			t.Errorf("%s: sample %.6s… is %s, want ok", g.scheme, value, got)
		}
		// One character of the summed part changed.
		at := len(value) / 3
		switch scheme {
		case "github-pat":
			at = 40
		case "macaroon":
			at = len("pypi-") // its form is all that can be seen
		}
		want := Bad
		if slices.Contains(raising, scheme) || strings.HasPrefix(value, "ghs_") || kind == "Access00" {
			want = None
		}
		for _, c := range []byte("7QaAqz3") {
			if value[at] == c {
				continue
			}
			changed := value[:at] + string(c) + value[at+1:]
			got := Verify(scheme, changed)
			if got == OK || got == Bad && want == None {
				t.Errorf("%s: sample %.6s… with a change is %s, want %s", g.scheme, value, got, want)
			}
			if want == Bad && got == None && !strings.Contains("age-bech32 azure-devops-pat zuplo-crc32", scheme) {
				t.Errorf("%s: sample %.6s… with a change is none, want bad", g.scheme, value)
			}
		}
		for _, other := range []string{"", value[:len(value)-4], value + "x", "x" + value, strings.ToUpper(value) + "!"} {
			if got := Verify(scheme, other); got == OK {
				t.Errorf("%s: a value of another form is ok", g.scheme)
			}
		}
	}
	for _, name := range Names() {
		if name == "jwt" || name == "basic-auth" || name == "private-key" || name == "openpgp-crc24" || name == "bip39" {
			continue // tested below
		}
		if !slices.ContainsFunc(genuine, func(g struct{ scheme, value string }) bool {
			scheme, _, _ := strings.Cut(g.scheme, " ")
			return scheme == name
		}) {
			t.Errorf("%s has no sample", name)
		}
	}
}

func TestNames(t *testing.T) {
	if !slices.IsSorted(Names()) || len(slices.Compact(Names())) != len(schemes) {
		t.Errorf("names are not sorted or not unique: %q", Names())
	}
	if got := Verify("no-such-scheme", "x"); got != None {
		t.Errorf("an unknown scheme says %s", got)
	}
	if got := Verify("", "x"); got != None {
		t.Errorf("no scheme says %s", got)
	}
	if Official("") || Official("no-such-scheme") || Official("cloudflare-crc32") || !Official("github-crc32") || !Official("azure-storage") {
		t.Error("Official does not follow the table")
	}
	if !Refuted("age-bech32") || Refuted("github-crc32") || Refuted("") {
		t.Error("Refuted does not follow the table")
	}
}

// TestMarvin32 uses SymCrypt's own vectors and those of another
// implementation, folded to 32 bits.
func TestMarvin32(t *testing.T) {
	for _, tt := range []struct {
		seed uint64
		data string
		want uint64
	}{
		{0xd53cd9cecd0893b7, "abc", 0x22c74339492769bf},
		{0x0ddddeeeeffff000, "abcdefghijklmnopqrstuvwxyz", 0xa128eb7e7260aca2},
		{0x004fb61a001bdbcc, "", 0x30ed35c100cd3c7d},
		{0x004fb61a001bdbcc, "\xaf", 0x48e73fc77d75ddc1},
		{0x004fb61a001bdbcc, "\xe7\x0f", 0xb5f6e1fc485dbff8},
		{0x004fb61a001bdbcc, "\x86\x42\xdc\x59", 0x7008f2e87e9cf556},
		{0x804fb61a801bdbcc, "\x00\xff\x00\xff\x00\xff\x00", 0x71876f2efb1b0ee8},
	} {
		if got := marvin32(tt.seed, []byte(tt.data)); got != uint32(tt.want>>32)^uint32(tt.want) {
			t.Errorf("marvin32(%x, %q) = %08x", tt.seed, tt.data, got)
		}
	}
}

func TestAzureRight(t *testing.T) {
	// The seed that fits tells the right.
	want := map[string]string{
		"MastRO00": "Cosmos DB primary key, reads only",
		"Listen00": "Service Bus key, may listen",
		"Query000": "AI Search query key",
		"Master00": "Functions master key",
	}
	for _, g := range genuine {
		scheme, kind, _ := strings.Cut(g.scheme, " ")
		if note, ok := want[kind]; ok && scheme == "azure-identifiable" {
			if got := Read("azure-any-key", whole(g.value)); got != (Facts{Note: note}) {
				t.Errorf("%s: got %+v, want note %q", kind, got, note)
			}
			delete(want, kind)
		}
	}
	if len(want) > 0 {
		t.Errorf("not tried: %v", want)
	}
	for i := 1; i < len(azureKinds); i++ {
		if azureKinds[i-1].signature > azureKinds[i].signature {
			t.Errorf("azureKinds is out of order at %s", azureKinds[i].signature)
		}
	}
}

func TestCASKLong(t *testing.T) {
	// The long form has all six characters of the hash and padding.
	head := strings.Repeat("aB3x", 13) + "JQQJ99" + "BAAAAA" + strings.Repeat("c", 12) + "ACOG"
	data := decodeBase64(head)
	if len(head) != 80 || data == nil {
		t.Fatalf("head has %d characters", len(head))
	}
	if got := Verify("azure-cask", head+azureBase62(marvin32(seed("Default0"), data))+"=="); got != OK {
		t.Errorf("base 62: got %s", got)
	}
	check := base64.StdEncoding.EncodeToString(binary.LittleEndian.AppendUint32(nil, marvin32(seed("Default0"), data)))
	if got := Verify("azure-devops-pat", head+check); got != OK {
		t.Errorf("base 64: got %s", got)
	}
}

func TestJWT(t *testing.T) {
	b64 := base64.RawURLEncoding.EncodeToString
	header, claims := b64([]byte(`{"alg":"HS256","typ":"JWT"}`)), b64([]byte(`{"sub":"x"}`))
	for _, tt := range []struct {
		value string
		want  Verdict
	}{
		{header + "." + claims + ".c2ln", None}, // well formed is no proof
		{header + "." + claims + ".", None},     // alg none
		{header + "." + claims, None},           // cut off: another form
		{header + ".e30x.c2ln", Bad},
		{header + "." + b64([]byte(`["x"]`)) + ".c2ln", Bad},
		{b64([]byte(`{"typ":"JWT"}`)) + "." + claims + ".c2ln", Bad},
		{"eyJXXXX." + claims + ".c2ln", Bad},
		{"abc.def.ghi", None},
		{header + ".a.b.c.d", None}, // encrypted
	} {
		if got := Verify("jwt", tt.value); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.value, got, tt.want)
		}
	}
}

const (
	begin = "-----BEGIN "
	end   = "-----END "
)

func armor(label, body string) string {
	return begin + label + "-----\n" + body + "\n" + end + label + "-----"
}

// Two throw-away keys by ssh-keygen, the second with a passphrase.
const (
	sshEd25519 = `b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACCoCpHHsTTry2WbS4GSdq6xZbdDA4Z/zVuilNvK4+9mxgAAAJDEUbCzxFGw
swAAAAtzc2gtZWQyNTUxOQAAACCoCpHHsTTry2WbS4GSdq6xZbdDA4Z/zVuilNvK4+9mxg
AAAED5Qan8GDLDk4cDRPCwlxYXnHqhIeMaYcS1HNZSDR/JFKgKkcexNOvLZZtLgZJ2rrFl
t0MDhn/NW6KU28rj72bGAAAACXRpbGwgdGVzdAECAwQ=`
	sshECDSA = `b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABAogfthGw
E7xicqHhFVD6m8AAAAEAAAAAEAAABoAAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlz
dHAyNTYAAABBBKlC7Z68yQRD8jbvBmR6ABy12p3/9nB9dNMQsfW2DHbMe6w1aORyWdwStG
coSFkl78c3LJzHu8/MGligRh7HnUMAAACgcNsih7Me4LzjQbFNbNlxqpMDsHlmb5eFzUVR
AnYZQ1Rc/nkmsGPQ7u8nZnqj/AxDU6ze3bLB9mFn0gVXH0wpmnhKmlgIYuA/lVmqz5x7ML
QwebvGWOcykI54DbENnLEZ48TVXLNFvZW9/Lk/PNqRKhtWzGV2UwXly+MEOgzzXmXkjhCu
bIl+pOEYGiYSQDgN2YfcmsFYUxL5ZVMgBbFrEw==`
)

func TestPrivateKey(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8 := func(key any) string {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	sec1, err := x509.MarshalECPrivateKey(ecKey)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)}))
	rsaPrint := Read("", pkcs1).ID
	if !strings.HasPrefix(rsaPrint, "SHA256:") {
		t.Errorf("RSA: fingerprint %q", rsaPrint)
	}
	swap := func(s string) string { // one digit of the modulus
		i := len(s) / 6 // a quarter may be the exponent behind it
		c := "A"
		if s[i] == 'A' {
			c = "B"
		}
		return s[:i] + c + s[i+1:]
	}
	const edPrint, ecPrint = "SHA256:9hGEPNeU7ZHRFiEDGIn31UfNf+70eSNEtDmNxcDqyoU", "SHA256:TCcl5JAtnCy2Mqus89n2hujcHk6wkgkq6UTTrXvyq5k"
	ssh := armor("OPENSSH PRIVATE KEY", sshEd25519)
	for _, tt := range []struct {
		name, value string
		want        Verdict
		facts       Facts
	}{
		{"PKCS#1", pkcs1, OK, Facts{ID: rsaPrint, Note: "RSA 1024 key"}},
		{"PKCS#8 RSA", pkcs8(rsaKey), OK, Facts{ID: rsaPrint, Note: "RSA 1024 key"}},
		{"SEC 1", string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})), OK, Facts{ID: Read("", pkcs8(ecKey)).ID, Note: "EC P-256 key"}},
		{"PKCS#8 Ed25519", pkcs8(edKey), OK, Facts{Note: "Ed25519 key"}},
		{"OpenSSH", ssh, OK, Facts{ID: edPrint, Note: "Ed25519 key"}},
		{"OpenSSH with passphrase", armor("OPENSSH PRIVATE KEY", sshECDSA), OK, Facts{ID: ecPrint, Note: "ecdsa-sha2-nistp256 key, protected by a passphrase"}},
		{"in a JSON string", strings.ReplaceAll(ssh, "\n", `\n`), OK, Facts{ID: edPrint, Note: "Ed25519 key"}},
		{"in JSON in JSON", strings.ReplaceAll(ssh, "\n", `\\n`), OK, Facts{ID: edPrint, Note: "Ed25519 key"}},
		{"CRLF", strings.ReplaceAll(ssh, "\n", "\r\n"), OK, Facts{ID: edPrint, Note: "Ed25519 key"}},
		{"on one line", strings.ReplaceAll(ssh, "\n", " "), OK, Facts{ID: edPrint, Note: "Ed25519 key"}},
		{"indented", strings.ReplaceAll(ssh, "\n", "\n    "), OK, Facts{ID: edPrint, Note: "Ed25519 key"}},
		{"joined with +", strings.ReplaceAll(ssh, "\n", "\\n\" +\n  \""), OK, Facts{ID: edPrint, Note: "Ed25519 key"}},
		{"joined with .", strings.ReplaceAll(ssh, "\n", "\\n' .\n  '"), OK, Facts{ID: edPrint, Note: "Ed25519 key"}},
		{"list of strings", strings.ReplaceAll(ssh, "\n", "\",\n  \""), OK, Facts{ID: edPrint, Note: "Ed25519 key"}},
		{"continued lines", strings.ReplaceAll(ssh, "\n", "\\n\\\n"), OK, Facts{ID: edPrint, Note: "Ed25519 key"}},
		{"in a comment", strings.ReplaceAll(ssh, "\n", "\n# "), OK, Facts{ID: edPrint, Note: "Ed25519 key"}},
		{"legacy encryption", armor("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n"+strings.Repeat("AAAA", 16)), OK, Facts{Note: "RSA key, protected by a passphrase"}},
		{"modulus changed", swap(pkcs1), Bad, Facts{}},
		{"cut", pkcs1[:len(pkcs1)/2], Bad, Facts{}},
		{"dots", armor("PRIVATE KEY", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC..."), Bad, Facts{}},
		{"empty", armor("PRIVATE KEY", ""), Bad, Facts{}},
		{"wrong label", armor("RSA PRIVATE KEY", sshEd25519), Bad, Facts{}},
		{"no key", "hello", None, Facts{}},
		{"header only", begin + "PRIVATE KEY", None, Facts{}},
	} {
		if got := Verify("private-key", tt.value); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
		if got := Read("any-rule", tt.value); got != tt.facts {
			t.Errorf("%s: facts %+v, want %+v", tt.name, got, tt.facts)
		}
	}
}

func TestOpenPGP(t *testing.T) {
	// The message of RFC 4880, section 6.6; only the label is another.
	const data = "yDgBO22WxBHv7O8X7O/jygAEzol56iUKiXmV+XmpCtmpqQUKiQrFqclFqUDBovzS\nvBSFjNSiVHsuAA==\n"
	const label = "PGP PRIVATE KEY BLOCK"
	for _, tt := range []struct {
		name, value string
		want        Verdict
	}{
		{"genuine", armor(label, "Version: OpenPrivacy 0.99\n\n"+data+"=njUN"), OK},
		{"in a string", strings.ReplaceAll(armor(label, data+"=njUN"), "\n", `\n`), OK},
		{"changed", armor(label, strings.Replace(data, "O22W", "O22X", 1)+"=njUN"), Bad},
		{"wrong checksum", armor(label, data+"=njUM"), Bad},
		{"without checksum", armor(label, data), None},
		{"another key", armor("PRIVATE KEY", data+"=njUN"), None},
	} {
		if got := Verify("openpgp-crc24", tt.value); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// FuzzVerify: no input makes a scheme or a reader panic, and a verdict is one
// of the three.
func FuzzVerify(f *testing.F) {
	for _, g := range genuine {
		f.Add("azure", whole(g.value))
	}
	f.Add("", armor("OPENSSH PRIVATE KEY", sshEd25519))
	f.Add("", armor("EC PRIVATE KEY", "MHcCAQEEIA=="))
	f.Add("", armor("RSA PRIVATE KEY", "MIIBOgIBAAJBAKj34GkxFhD9"))
	f.Add("discord-bot-token", "MTIzNDU2Nzg5MDEyMzQ1Njc4.a.b")
	f.Add("", "https://a.blob.core.windows.net/?sv=1&se=2020-01-01&sig=x")
	f.Fuzz(func(t *testing.T, rule, value string) {
		for _, name := range Names() {
			if v := Verify(name, value); v != OK && v != Bad && v != None {
				t.Errorf("%s: verdict %q", name, v)
			}
		}
		for i := range readers {
			if strings.HasPrefix(value, readers[i].prefix) {
				readers[i].read(value)
			}
		}
		got := Read(rule, value)
		for _, s := range []string{got.Account, got.Expires, got.ID, got.Note} {
			if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) || len([]rune(s)) > 120 {
				t.Errorf("not fit for a report: %q", s)
			}
		}
	})
}

func TestBasicAuth(t *testing.T) {
	for _, c := range []struct {
		value, user, password string
		verdict               Verdict
	}{
		{"YWRhOnNwcmluZw==", "ada", "spring", None},
		{"YWRhOnNwcmluZw", "ada", "spring", None},
		{"YWRhOg==", "ada", "", None},
		{"YWRhc3ByaW5n", "", "", Bad}, // no colon
		{"not_base64", "", "", Bad},
		{"", "", "", Bad},
	} {
		user, password, ok := BasicAuth(c.value)
		if ok && (user != c.user || password != c.password) {
			t.Errorf("%q: user %q and a password of %d letters, want %q and %d", c.value, user, len(password), c.user, len(c.password))
		}
		if got := Verify("basic-auth", c.value); got != c.verdict || ok != (got == None) {
			t.Errorf("%q: %s, want %s", c.value, got, c.verdict)
		}
	}
}

func TestHasJWTHeader(t *testing.T) {
	for token, want := range map[string]bool{
		"eyJhbGciOiJub25lIn0.e30.": true,
		"eyJhbGciOiJub25lIn0":      true,
		"eyJhbGciOiJub25lIn":       false,
		"e30.x":                    true,
		"":                         false,
	} {
		if got := HasJWTHeader(token); got != want {
			t.Errorf("%q: %v, want %v", token, got, want)
		}
	}
}

func TestBIP39(t *testing.T) {
	for text, want := range map[string]Verdict{
		"knee utility hundred loop noble " + "buzz dog mask sample phrase brand legend":                                                                             OK,
		"auto help bring hope oil " + "tank theory beef oil stool coach task opera shove genre mosquito barrel security castle column satisfy coral hurdle monster": OK,
		"knee utility hundred loop noble " + "buzz dog mask sample phrase brand leisure":                                                                            Bad,
		"test test test test test test test test test test test junk":                                                                                               Bad,
		"the quick brown fox jumps over the lazy dog and then sleeps":                                                                                               Bad,
		"legal winner": None,
	} {
		if got := Verify("bip39", text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// privateKeys makes one private key of each form that ssh takes, by name.
func privateKeys(t *testing.T) map[string]string {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	ed, err := newSSHKey("a comment")
	if err != nil {
		t.Fatal(err)
	}
	ec, err := x509.MarshalECPrivateKey(e)
	keys := map[string]string{
		"rsa": block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(r), nil), "ec": block("EC PRIVATE KEY", ec, err), "openssh": string(ed),
	}
	p8, err := x509.MarshalPKCS8PrivateKey(r)
	keys["pkcs8"] = block("PRIVATE KEY", p8, err)
	return keys
}

// TestSSHKey: the public half is the one that ssh-keygen tells, however the key
// is written.
func TestSSHKey(t *testing.T) {
	for name, text := range privateKeys(t) {
		text = strings.TrimSpace(text)
		k, err := readSSHKey(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		fresh, err := newSSHKey("x")
		if err != nil {
			t.Fatal(err)
		}
		want, _ := readSSHKey(string(fresh))
		for form, end := range map[string]string{"escaped": `\n`, "twice escaped": `\\n`, "indented": "\n    ", "CRLF": "\r\n", "blanks": " "} {
			written := strings.ReplaceAll(text, "\n", end)
			if again, err := readSSHKey(written); err != nil || !bytes.Equal(again.public, k.public) {
				t.Errorf("%s, %s: %v", name, form, err)
			}
			new, err := dressed(fresh, written)
			if err != nil {
				t.Errorf("%s, %s: %v", name, form, err)
				continue
			}
			if n := strings.Count(strings.TrimSpace(string(fresh)), "\n"); end != " " && strings.Count(new, end) != n {
				t.Errorf("%s, %s: the new one is written otherwise", name, form)
			}
			if got, err := readSSHKey(new); err != nil || !bytes.Equal(got.public, want.public) {
				t.Errorf("%s, %s: the new one cannot be read: %v", name, form, err)
			}
		}
		for cut := range 12 {
			if _, err := readSSHKey(text[:len(text)*cut/12]); err == nil {
				t.Errorf("%s: a part of %d/12 is taken for a key", name, cut)
			}
		}
		keygen, err := exec.LookPath("ssh-keygen")
		if err != nil {
			continue
		}
		file := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(file, k.pem, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(keygen, "-y", "-f", file).Output()
		if public, ok := publicAt(string(out)); err != nil || !ok || !bytes.Equal(public, k.public) {
			t.Errorf("%s: ssh-keygen -y says otherwise: %v", name, err)
		}
		out, _ = exec.Command(keygen, "-l", "-f", file).Output()
		if !strings.Contains(string(out), fingerprintOf(k.public)) {
			t.Errorf("%s: ssh-keygen -l says %s, not %s", name, out, fingerprintOf(k.public))
		}
	}
}

func public(t *testing.T) []byte {
	t.Helper()
	text, err := newSSHKey("x")
	if err != nil {
		t.Fatal(err)
	}
	k, err := readSSHKey(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return k.public
}

// TestAuthorizedKeys: only the lines of the old key change, to the byte.
func TestAuthorizedKeys(t *testing.T) {
	old, fresh, other := public(t), public(t), public(t)
	names := strings.NewReplacer("OLD", authText(old, "deploy"), "NEW", authText(fresh, "till"), "OTHER", authText(other, "ada@acme"))
	tests := []struct{ name, file, added, removed string }{
		{"alone", "OLD\n", "OLD\nNEW\n", "NEW\n"},
		{"no line end", "OTHER\nOLD", "OTHER\nOLD\nNEW\n", "OTHER\nNEW\n"},
		{"between", "# keys\n\nOTHER\r\nOLD\nOTHER \t", "# keys\n\nOTHER\r\nOLD\nNEW\nOTHER \t", "# keys\n\nOTHER\r\nNEW\nOTHER \t"},
		{"options", `from="10.0.0.0/8,!10.1.0.0/16",command="echo \"a b\" # OLD",no-pty OLD` + "\n", `from="10.0.0.0/8,!10.1.0.0/16",command="echo \"a b\" # OLD",no-pty OLD` + "\n" +
			`from="10.0.0.0/8,!10.1.0.0/16",command="echo \"a b\" # OLD",no-pty NEW` + "\n", `from="10.0.0.0/8,!10.1.0.0/16",command="echo \"a b\" # OLD",no-pty NEW` + "\n"},
		{"twice", "OLD\nrestrict OLD\n", "OLD\nNEW\nrestrict OLD\nrestrict NEW\n", "NEW\nrestrict NEW\n"},
		{"CRLF and indented", "  OLD\r\nOTHER\r\n", "  OLD\r\n  NEW\r\nOTHER\r\n", "  NEW\r\nOTHER\r\n"},
		{"new one is there", "OLD\nNEW\n", "OLD\nNEW\n", "NEW\n"},
		{"commented out", "# OLD\nOLD\n", "# OLD\nOLD\nNEW\n", "# OLD\nNEW\n"},
		{"not UTF-8", "\xff\xfe junk\nOLD\n", "\xff\xfe junk\nOLD\nNEW\n", "\xff\xfe junk\nNEW\n"},
	}
	for _, tt := range tests {
		file := []byte(names.Replace(tt.file))
		added, err := authChange{old: old, fresh: fresh, comment: "till"}.apply(file)
		if err != nil || string(added) != names.Replace(tt.added) {
			t.Errorf("%s: added: %v\n%s", tt.name, err, added)
		}
		removed, err := authChange{old: old, remove: true}.apply(added)
		if err != nil || string(removed) != names.Replace(tt.removed) {
			t.Errorf("%s: removed: %v\n%s", tt.name, err, removed)
		}
		if holdsKey(removed, old) != 0 || holdsKey(restored(removed, file, old, fresh), old) != holdsKey(file, old) {
			t.Errorf("%s: the old one is not taken away or does not come back", tt.name)
		}
	}
	if _, err := (authChange{old: old, remove: true}).apply([]byte(names.Replace("cert-authority,principals=\"a\" OLD\n"))); err == nil {
		t.Error("the key of an authority is taken away")
	}
	if _, err := (authChange{old: old, fresh: fresh}).apply([]byte(names.Replace("OTHER\n"))); err == nil {
		t.Error("a key is let in where the old one was not")
	}
	// A key that only begins alike is another one.
	longer := base64.StdEncoding.EncodeToString(append(bytes.Clone(old), 0))
	if n := holdsKey([]byte("ssh-ed25519 "+longer+"\n"), old); n != 0 {
		t.Error("another key is taken for this one")
	}
}

// TestPosixSum: the numbers of POSIX's cksum.
func TestPosixSum(t *testing.T) {
	for text, want := range map[string]uint32{"": 4294967295, "123456789": 930766865} {
		if got := posixSum([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// TestSSHName: what is named can be no option and no command.
func TestSSHName(t *testing.T) {
	for name, want := range map[string]bool{
		"shop": true, "ada@shop.acme.example": true, "ada@shop:2222": true, "ada@[2001:db8::1]:22": true, "10.0.4.7": true, "[::1]": true,
		"": false, "-oProxyCommand=x": false, "ada@-x": false, "shop;id": false, "a b": false, "ssh://shop": false, "$(id)@shop": false, "ada@shop/x": false,
	} {
		if got := sshName().MatchString(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

// TestConfiguredHosts: names of the owner's configuration are proposed when the
// key that they use is the leaked one.
func TestConfiguredHosts(t *testing.T) {
	config := "Host shop stock\n  IdentityFile ~/.ssh/deploy\nHost *.acme.example\n IdentityFile=~/.ssh/deploy\nHost other\n\tIdentityFile \"~/.ssh/other\"\nMatch all\n IdentityFile ~/.ssh/deploy\n"
	got := hostsOfKey([]byte(config), func(path string) bool { return path == "~/.ssh/deploy" })
	if strings.Join(got, ",") != "shop,stock" {
		t.Errorf("got %v", got)
	}
}

func TestKeysFiles(t *testing.T) {
	config := "# AuthorizedKeysFile none\nPort 22\nauthorizedkeysfile = .ssh/authorized_keys /etc/ssh/keys/%u\nMatch Group ops\n\tAuthorizedKeysFile %h/ops/keys none %k/x\n"
	want := []string{".ssh/authorized_keys", ".ssh/authorized_keys2", "/etc/ssh/keys/ada", "ops/keys"}
	if got := keysFiles([]byte(config), "ada"); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

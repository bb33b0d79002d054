package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/till-sh/till/rotate/internal/lazy"
)

// SSH keys are read and made with the standard library alone: of
// golang.org/x/crypto/ssh this would need two functions, and every start of till
// would pay for all of it. Signing in is left to the owner's own ssh.

// sshKey is a private key that ssh can sign in with.
type sshKey struct {
	pem    []byte // as ssh-add reads it
	public []byte // wire format of the public half (RFC 4253, section 6.6)
}

// errNoSSHKey says that a private key is none that ssh could use by itself:
// another kind, locked by a passphrase, or not whole.
var errNoSSHKey = errors.New("this is no whole private key without a passphrase that ssh could use")

var (
	pemShape   = lazy.Regexp(`\A-----BEGIN ([A-Z0-9 ]+)-----([\s\S]+)-----END ([A-Z0-9 ]+)-----\z`)
	escapedEnd = lazy.Regexp(`\\+[nrt]`)
)

// readSSHKey reads a private key as it stands in a file: a PEM block, whose line
// ends may be written as \n, or be indented, or be blanks.
func readSSHKey(text string) (*sshKey, error) {
	m := pemShape().FindStringSubmatch(strings.TrimSpace(text))
	if m == nil || m[1] != m[3] {
		return nil, errNoSSHKey
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(escapedEnd().ReplaceAllString(m[2], "\n")), ""))
	if err != nil {
		return nil, errNoSSHKey
	}
	k := &sshKey{pem: pem.EncodeToMemory(&pem.Block{Type: m[1], Bytes: der})}
	if m[1] == "OPENSSH PRIVATE KEY" {
		// Not every ssh takes lines of 64 characters, which pem writes, for this kind.
		k.pem = openSSHBlock(der)
		k.public, err = publicOfOpenSSH(der)
		return k, err
	}
	var parsed any
	switch m[1] {
	case "RSA PRIVATE KEY":
		parsed, err = x509.ParsePKCS1PrivateKey(der)
	case "EC PRIVATE KEY":
		parsed, err = x509.ParseECPrivateKey(der)
	case "PRIVATE KEY":
		parsed, err = x509.ParsePKCS8PrivateKey(der)
	default:
		return nil, errNoSSHKey
	}
	if err != nil {
		return nil, errNoSSHKey
	}
	k.public, err = publicOf(parsed)
	return k, err
}

// publicOf writes the public half of a key in the wire format.
func publicOf(private any) ([]byte, error) {
	var w wire
	switch k := private.(type) {
	case *rsa.PrivateKey:
		w.text("ssh-rsa")
		w.number(big.NewInt(int64(k.E)))
		w.number(k.N)
	case *ecdsa.PrivateKey:
		curve := map[elliptic.Curve]string{elliptic.P256(): "nistp256", elliptic.P384(): "nistp384", elliptic.P521(): "nistp521"}[k.Curve]
		if curve == "" {
			return nil, errNoSSHKey
		}
		point, err := k.PublicKey.Bytes()
		if err != nil {
			return nil, errNoSSHKey
		}
		w.text("ecdsa-sha2-" + curve)
		w.text(curve)
		w.bytes(point)
	case ed25519.PrivateKey:
		w.text("ssh-ed25519")
		w.bytes(k.Public().(ed25519.PublicKey))
	default:
		return nil, errNoSSHKey
	}
	return w.b, nil
}

const openSSHMagic = "openssh-key-v1\x00"

// publicOfOpenSSH takes the public half out of OpenSSH's own format, where it
// stands in the clear before the private one
// (https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key).
func publicOfOpenSSH(der []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(der, []byte(openSSHMagic))
	if !ok {
		return nil, errNoSSHKey
	}
	var parts [3][]byte // cipher, key derivation, its options
	for i := range parts {
		if parts[i], rest, ok = cutString(rest); !ok {
			return nil, errNoSSHKey
		}
	}
	if string(parts[0]) != "none" || len(rest) < 4 || binary.BigEndian.Uint32(rest) != 1 {
		return nil, errNoSSHKey
	}
	public, rest, ok := cutString(rest[4:])
	if !ok {
		return nil, errNoSSHKey
	}
	if _, _, ok := cutString(rest); !ok { // the private half is there
		return nil, errNoSSHKey
	}
	return public, nil
}

// cutString reads a string of the wire format: four bytes of length, and it.
func cutString(b []byte) (s, rest []byte, ok bool) {
	if len(b) < 4 || uint64(binary.BigEndian.Uint32(b)) > uint64(len(b)-4) {
		return nil, nil, false
	}
	n := 4 + binary.BigEndian.Uint32(b)
	return b[4:n], b[n:], true
}

// wire is a text in the wire format (RFC 4251, section 5).
type wire struct{ b []byte }

func (w *wire) bytes(s []byte) {
	w.b = append(binary.BigEndian.AppendUint32(w.b, uint32(len(s))), s...)
}
func (w *wire) text(s string) { w.bytes([]byte(s)) }
func (w *wire) number(n *big.Int) {
	b := n.Bytes()
	if len(b) > 0 && b[0]&0x80 != 0 { // else it would be negative
		b = append([]byte{0}, b...)
	}
	w.bytes(b)
}

// newSSHKey makes an Ed25519 key in OpenSSH's own format, without a passphrase:
// it takes the place of one that had none.
func newSSHKey(comment string) ([]byte, error) {
	pub, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	public, err := publicOf(private)
	if err != nil {
		return nil, err
	}
	var check [4]byte
	_, _ = rand.Read(check[:]) // never fails (crypto/rand)
	inner := wire{append(check[:], check[:]...)}
	inner.text("ssh-ed25519")
	inner.bytes(pub)
	inner.bytes(private)
	inner.text(comment)
	for n := byte(1); len(inner.b)%8 != 0; n++ {
		inner.b = append(inner.b, n)
	}
	outer := wire{[]byte(openSSHMagic)}
	outer.text("none")
	outer.text("none")
	outer.text("")
	outer.b = binary.BigEndian.AppendUint32(outer.b, 1)
	outer.bytes(public)
	outer.bytes(inner.b)
	return openSSHBlock(outer.b), nil
}

// openSSHBlock writes the lines of 70 characters that ssh-keygen writes.
func openSSHBlock(der []byte) []byte {
	text := base64.StdEncoding.EncodeToString(der)
	var b strings.Builder
	b.WriteString("-----BEGIN OPENSSH PRIVATE KEY-----\n")
	for len(text) > 0 {
		n := min(70, len(text))
		b.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	b.WriteString("-----END OPENSSH PRIVATE KEY-----\n")
	return []byte(b.String())
}

// dressed writes a new key the way the old one stands in its file: with the same
// line ends, escapes and indentation.
func dressed(fresh []byte, old string) (string, error) {
	old = strings.TrimSpace(old)
	m := pemShape().FindStringSubmatch(old)
	if m == nil {
		return "", errNoSSHKey
	}
	// What stands between the first line and the second.
	end := 0
	for end < len(m[2]) {
		if at := escapedEnd().FindStringIndex(m[2][end:]); at != nil && at[0] == 0 {
			end += at[1]
		} else if strings.IndexByte(" \t\r\n", m[2][end]) >= 0 {
			end++
		} else {
			break
		}
	}
	if end == 0 {
		return "", fmt.Errorf("%w: it has no line ends", errNoSSHKey)
	}
	return strings.ReplaceAll(strings.TrimSpace(string(fresh)), "\n", m[2][:end]), nil
}

// fingerprintOf is what ssh-keygen -l shows of a public half.
func fingerprintOf(public []byte) string {
	sum := sha256.Sum256(public)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

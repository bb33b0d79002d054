package checksum

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math/big"
	"strings"
)

// keyInfo is what a private key tells about itself.
type keyInfo struct {
	kind      string // "RSA 2048", "Ed25519", "EC P-256"
	encrypted bool   // nobody can use it without its passphrase
	public    []byte // public half in OpenSSH's wire form, nil where it is not stored
}

// fingerprint is the public half's fingerprint as ssh-keygen -l and GitHub's
// settings show it; "" where the public half is unknown.
func (k keyInfo) fingerprint() string {
	if k.public == nil {
		return ""
	}
	sum := sha256.Sum256(k.public)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// privateKey proves private keys in PEM (PKCS#1, PKCS#8, SEC 1, DSA) and OpenSSH
// form: they have to parse to the last byte, and an RSA key's primes have to
// make its modulus. Inside an encrypted key only the frame can be seen.
//
// Source: RFC 7468, 8017, 5958, 5915, OpenSSH's PROTOCOL.key. The text may stand
// in a program in ways that are not understood here, so a Bad lowers only.
func privateKey(value string) Verdict {
	label, body := pemBody(value)
	if label == "" || strings.HasPrefix(label, "PGP") {
		return None
	}
	if body == "" {
		return Bad
	}
	if _, ok := parsePrivateKey(label, body, value); ok {
		return OK
	}
	return Bad
}

// pemBody returns the label and the base 64 of the first PEM block in value,
// however the lines are written: with \n in a string, quoted one by one, as a
// YAML block.
func pemBody(value string) (label, body string) {
	_, rest, ok := strings.Cut(value, "-----BEGIN ")
	if !ok {
		return "", ""
	}
	label, rest, ok = strings.Cut(rest, "-----")
	if !ok || len(label) > 64 {
		return "", ""
	}
	rest, _, _ = strings.Cut(rest, "-----END")
	// Escaped line ends count as line ends.
	rest = strings.NewReplacer(`\\r`, "\n", `\\n`, "\n", `\r`, "\n", `\n`, "\n", `\t`, " ", `\/`, "/", `\u002b`, "+", `\u003d`, "=").Replace(rest)
	var b strings.Builder
	inHeaders := false
	for line := range strings.Lines(rest) {
		line = strings.TrimSpace(line)
		// What a programming language puts around a line of a key. A "+" can
		// belong to the key and is taken off only beside a quote.
		if i := strings.LastIndexAny(line, "\"'`"); i >= 0 && strings.Trim(line[i+1:], " \t+.,;&|\\)_") == "" {
			line = line[:i]
		}
		if i := strings.IndexAny(line, "\"'`"); i >= 0 && strings.Trim(line[:i], " \t+.,;&|(") == "" {
			line = line[i+1:]
		}
		line = strings.TrimRight(strings.TrimSpace(line), `\`)
		// A comment's or quotation's mark in front of every line.
		line = strings.TrimLeft(line, "#*>;| \t")
		if strings.Contains(line, ": ") { // Proc-Type: 4,ENCRYPTED
			inHeaders = true
			continue
		}
		if inHeaders && line == "" {
			inHeaders = false
			continue
		}
		b.WriteString(strings.ReplaceAll(line, " ", ""))
	}
	return label, b.String()
}

func parsePrivateKey(label, body, value string) (keyInfo, bool) {
	data := decodeBase64(body)
	if data == nil {
		return keyInfo{}, false
	}
	switch {
	case label == "OPENSSH PRIVATE KEY":
		return parseOpenSSH(data)
	case label == "ENCRYPTED PRIVATE KEY":
		// SEQUENCE { algorithm SEQUENCE, OCTET STRING }
		seq, ok := der(data).whole(tagSequence)
		if !ok {
			return keyInfo{}, false
		}
		_, rest, ok := seq.next(tagSequence)
		if !ok {
			return keyInfo{}, false
		}
		_, ok = rest.whole(tagOctets)
		return keyInfo{kind: "PKCS#8", encrypted: true}, ok
	case strings.Contains(value, "4,ENCRYPTED"): // Proc-Type header: the body is cipher text
		return keyInfo{kind: strings.TrimSuffix(label, " PRIVATE KEY"), encrypted: true}, len(data) >= 16 && len(data)%8 == 0
	case label == "RSA PRIVATE KEY":
		return parseRSA(data)
	case label == "EC PRIVATE KEY":
		return parseEC(data, nil)
	case label == "DSA PRIVATE KEY":
		return parseIntegers(data, "DSA", 6)
	case label == "PRIVATE KEY":
		return parsePKCS8(data)
	}
	// A label of somebody else's: it is DER at least.
	_, ok := der(data).whole(tagSequence)
	return keyInfo{kind: strings.TrimSuffix(label, " PRIVATE KEY")}, ok
}

// der is a run of DER elements. encoding/asn1 would do, but it reads by
// reflection and wants a type for each form; four tags are all there is here.
type der []byte

const (
	tagInteger  = 0x02
	tagBits     = 0x03
	tagOctets   = 0x04
	tagOID      = 0x06
	tagSequence = 0x30
)

// next takes the first element off d. tag 0 means any.
func (d der) next(tag byte) (content, rest der, ok bool) {
	if len(d) < 2 || tag != 0 && d[0] != tag {
		return nil, nil, false
	}
	n, head := int(d[1]), 2
	if n >= 0x80 {
		size := n & 0x7f
		if size == 0 || size > 3 || len(d) < 2+size {
			return nil, nil, false
		}
		n = 0
		for _, b := range d[2 : 2+size] {
			n = n<<8 | int(b)
		}
		head += size
	}
	if n > len(d)-head {
		return nil, nil, false
	}
	return d[head : head+n], d[head+n:], true
}

// whole takes the only element of d.
func (d der) whole(tag byte) (der, bool) {
	content, rest, ok := d.next(tag)
	return content, ok && len(rest) == 0
}

// integers reads n INTEGERs.
func (d der) integers(n int) ([]*big.Int, der, bool) {
	var out []*big.Int
	for range n {
		content, rest, ok := d.next(tagInteger)
		if !ok || len(content) == 0 {
			return nil, nil, false
		}
		out, d = append(out, new(big.Int).SetBytes(content)), rest
	}
	return out, d, true
}

func parseIntegers(data der, kind string, n int) (keyInfo, bool) {
	seq, ok := data.whole(tagSequence)
	if !ok {
		return keyInfo{}, false
	}
	_, rest, ok := seq.integers(n)
	return keyInfo{kind: kind}, ok && len(rest) == 0
}

// parseRSA reads PKCS#1: version, n, e, d, p, q, dP, dQ, qInv.
func parseRSA(data der) (keyInfo, bool) {
	seq, ok := data.whole(tagSequence)
	if !ok {
		return keyInfo{}, false
	}
	v, rest, ok := seq.integers(9)
	// More than two primes are rare and come behind.
	if !ok || len(rest) > 0 && v[0].Sign() == 0 {
		return keyInfo{}, false
	}
	n, e := v[1], v[2]
	// Keys above 16384 bits do not exist in practice; multiplying them would
	// only serve somebody who wants the scan to be slow.
	if n.BitLen() > 16384 || v[4].BitLen()+v[5].BitLen() > 16400 {
		return keyInfo{}, false
	}
	if v[0].Sign() == 0 && new(big.Int).Mul(v[4], v[5]).Cmp(n) != 0 {
		return keyInfo{}, false
	}
	public := sshString(nil, []byte("ssh-rsa"))
	public = sshString(public, sshInteger(e))
	public = sshString(public, sshInteger(n))
	return keyInfo{kind: "RSA " + big.NewInt(int64(n.BitLen())).String(), public: public}, true
}

func sshString(b, s []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// sshInteger is the positive n with a zero byte in front where the first bit
// would make it negative.
func sshInteger(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) > 0 && b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	return b
}

// Object identifiers, in DER.
var (
	oidRSA     = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01} // 1.2.840.113549.1.1.1
	oidEC      = []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01}             // 1.2.840.10045.2.1
	oidEd25519 = []byte{0x2b, 0x65, 0x70}                                     // 1.3.101.112
	oidX25519  = []byte{0x2b, 0x65, 0x6e}                                     // 1.3.101.110
	oidP256    = []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}       // 1.2.840.10045.3.1.7
	oidP384    = []byte{0x2b, 0x81, 0x04, 0x00, 0x22}                         // 1.3.132.0.34
	oidP521    = []byte{0x2b, 0x81, 0x04, 0x00, 0x23}                         // 1.3.132.0.35
	oidK256    = []byte{0x2b, 0x81, 0x04, 0x00, 0x0a}                         // 1.3.132.0.10
)

// parsePKCS8 reads version, algorithm, key and perhaps attributes.
func parsePKCS8(data der) (keyInfo, bool) {
	seq, ok := data.whole(tagSequence)
	if !ok {
		return keyInfo{}, false
	}
	_, seq, ok = seq.integers(1)
	if !ok {
		return keyInfo{}, false
	}
	algorithm, seq, ok := seq.next(tagSequence)
	if !ok {
		return keyInfo{}, false
	}
	oid, parameters, ok := algorithm.next(tagOID)
	if !ok {
		return keyInfo{}, false
	}
	key, _, ok := seq.next(tagOctets)
	if !ok {
		return keyInfo{}, false
	}
	switch {
	case bytes.Equal(oid, oidRSA):
		return parseRSA(key)
	case bytes.Equal(oid, oidEC):
		curve, _, _ := parameters.next(tagOID)
		return parseEC(key, curve)
	case bytes.Equal(oid, oidEd25519), bytes.Equal(oid, oidX25519):
		kind := "Ed25519"
		if bytes.Equal(oid, oidX25519) {
			kind = "X25519"
		}
		s, ok := key.whole(tagOctets)
		return keyInfo{kind: kind}, ok && len(s) == 32
	}
	return keyInfo{kind: "PKCS#8"}, len(key) > 0
}

// parseEC reads SEC 1: version, key, [0] curve, [1] public half. In PKCS#8 the
// curve stands outside.
func parseEC(data, curve der) (keyInfo, bool) {
	seq, ok := data.whole(tagSequence)
	if !ok {
		return keyInfo{}, false
	}
	version, seq, ok := seq.integers(1)
	if !ok || version[0].Cmp(big.NewInt(1)) != 0 {
		return keyInfo{}, false
	}
	secret, seq, ok := seq.next(tagOctets)
	if !ok {
		return keyInfo{}, false
	}
	var public der
	for len(seq) > 0 {
		tag := seq[0]
		var content der
		if content, seq, ok = seq.next(0); !ok {
			return keyInfo{}, false
		}
		switch tag {
		case 0xa0:
			if oid, _, ok := content.next(tagOID); ok {
				curve = oid
			}
		case 0xa1:
			if bits, _, ok := content.next(tagBits); ok && len(bits) > 1 {
				public = bits[1:] // the first byte counts unused bits
			}
		}
	}
	for _, c := range []struct {
		oid       []byte
		name, ssh string
		size      int
	}{{oidP256, "P-256", "nistp256", 32}, {oidP384, "P-384", "nistp384", 48}, {oidP521, "P-521", "nistp521", 66}, {oidK256, "secp256k1", "", 32}} {
		if !bytes.Equal(curve, c.oid) {
			continue
		}
		k := keyInfo{kind: "EC " + c.name}
		if c.ssh != "" && len(public) == 1+2*c.size {
			k.public = sshString(nil, []byte("ecdsa-sha2-"+c.ssh))
			k.public = sshString(k.public, []byte(c.ssh))
			k.public = sshString(k.public, public)
		}
		// Some writers leave leading zeros out, some put one too many in.
		return k, len(secret) > 0 && len(bytes.TrimLeft(secret, "\x00")) <= c.size
	}
	return keyInfo{kind: "EC"}, len(secret) >= 14 // secp112r1, the smallest curve with a name
}

// parseOpenSSH reads openssh-key-v1: cipher, kdf, kdf options, number of keys,
// public half, private half; all but the last are in the clear.
func parseOpenSSH(data []byte) (keyInfo, bool) {
	rest, ok := bytes.CutPrefix(data, []byte("openssh-key-v1\x00"))
	if !ok {
		return keyInfo{}, false
	}
	field := func() (s []byte) {
		if len(rest) < 4 || uint64(binary.BigEndian.Uint32(rest)) > uint64(len(rest)-4) {
			ok = false
			return nil
		}
		n := binary.BigEndian.Uint32(rest)
		s, rest = rest[4:4+n], rest[4+n:]
		return s
	}
	cipher := string(field())
	field() // kdf
	field() // kdf options
	if len(rest) < 4 || binary.BigEndian.Uint32(rest) != 1 {
		return keyInfo{}, false
	}
	rest = rest[4:]
	k := keyInfo{public: field(), encrypted: cipher != "none"}
	private := field()
	if !ok || len(rest) != 0 && len(rest) != 16 { // AEAD ciphers leave their tag behind
		return keyInfo{}, false
	}
	if len(k.public) < 4 || binary.BigEndian.Uint32(k.public) > uint32(len(k.public)-4) {
		return keyInfo{}, false
	}
	switch name := string(k.public[4 : 4+binary.BigEndian.Uint32(k.public)]); name {
	case "ssh-rsa":
		k.kind = "RSA"
	case "ssh-ed25519":
		k.kind = "Ed25519"
	default:
		k.kind = name
	}
	if k.encrypted {
		return k, len(private) >= 8
	}
	// Two equal numbers stand in front, so that a wrong passphrase is noticed.
	return k, len(private) >= 8 && len(private)%8 == 0 && bytes.Equal(private[:4], private[4:8])
}

// openPGP proves ASCII-armored OpenPGP keys by the CRC-24 in the line behind
// the data.
//
// Source: RFC 4880. RFC 9580 made the checksum optional: without one None. A
// Bad lowers only.
func openPGP(value string) Verdict {
	label, body := pemBody(value)
	if !strings.HasPrefix(label, "PGP") {
		return None
	}
	// The checksum follows "=" directly; padding of the data has "==" or "=="
	// in front of it.
	i := strings.LastIndexByte(body, '=')
	if i < 0 || len(body)-i-1 != 4 {
		return None
	}
	data, want := decodeBase64(body[:i]), decodeBase64(body[i+1:])
	if data == nil || len(want) != 3 {
		return Bad
	}
	crc := uint32(0xb704ce)
	for _, b := range data {
		crc ^= uint32(b) << 16
		for range 8 {
			crc <<= 1
			if crc&0x1000000 != 0 {
				crc ^= 0x1864cfb
			}
		}
	}
	return equal(string([]byte{byte(crc >> 16), byte(crc >> 8), byte(crc)}), string(want))
}

package checksum

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math/big"
	"strings"
	"unicode/utf8"
)

// Schemes of open standards.

// ageBech32 proves secret keys of age (AGE-SECRET-KEY-1...) by the checksum of
// Bech32.
//
// Source: the age specification (C2SP) and BIP 173. Official: a Bad may drop.
// Recomputed on three genuine keys.
func ageBech32(value string) Verdict {
	const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	human, data, ok := strings.Cut(value, "1")
	if !ok || human != "AGE-SECRET-KEY-" && human != "AGE-SECRET-KEY-PQ-" || len(data) < 58 {
		return None
	}
	// BIP 173 allows all upper or all lower case; age writes the former.
	human, data = strings.ToLower(human), strings.ToLower(data)
	sum := uint32(1)
	step := func(v byte) {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ uint32(v)
		for i, g := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	for i := range len(human) {
		step(human[i] >> 5)
	}
	step(0)
	for i := range len(human) {
		step(human[i] & 31)
	}
	for i := range len(data) {
		v := strings.IndexByte(alphabet, data[i])
		if v < 0 {
			return None
		}
		step(byte(v))
	}
	if sum != 1 {
		return Bad
	}
	return OK
}

// base58Check proves Bitcoin's wallet import format and extended keys: the
// last four bytes are the head of the double SHA-256 of the rest.
//
// Source: Bitcoin wiki, "Base58Check encoding"; BIP 32. Many other things are
// written in base 58, so a Bad lowers only.
func base58Check(value string) Verdict {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	if len(value) < 20 || len(value) > 120 || !only(value, alphabet) {
		return None
	}
	n, base := new(big.Int), big.NewInt(58)
	for i := range len(value) {
		n.Mul(n, base).Add(n, big.NewInt(int64(strings.IndexByte(alphabet, value[i]))))
	}
	zeros := len(value) - len(strings.TrimLeft(value, "1"))
	data := append(make([]byte, zeros), n.Bytes()...)
	if len(data) < 5 {
		return None
	}
	sum := sha256.Sum256(data[:len(data)-4])
	sum = sha256.Sum256(sum[:])
	return equal(string(data[len(data)-4:]), string(sum[:4]))
}

// jwtParts decodes the first two parts of a JSON Web Token.
func jwtParts(value string) (header, claims map[string]any, ok bool) {
	parts := strings.Split(value, ".")
	if len(parts) != 3 {
		return nil, nil, false
	}
	if header = jsonPart(parts[0]); header == nil {
		return nil, nil, false
	}
	claims = jsonPart(parts[1])
	return header, claims, claims != nil
}

// HasJWTHeader reports whether a token begins with a JSON object in base 64, as
// every JSON Web Token does (RFC 7519, 7.2).
func HasJWTHeader(token string) bool {
	header, _, _ := strings.Cut(token, ".")
	return jsonPart(header) != nil
}

// IsProof reports whether a JSON Web Token is a proof of possession, which is good for one
// request, and beside its access token only (RFC 9449, 4.2).
func IsProof(token string) bool {
	header, _, ok := jwtParts(token)
	return ok && header["typ"] == "dpop+jwt"
}

// IsExample reports whether a JSON Web Token has the claims that https://jwt.io shows, or
// is a key that every local Supabase has (https://supabase.com/docs/guides/self-hosting/docker),
// whoever signed it.
func IsExample(token string) bool {
	_, claims, ok := jwtParts(token)
	return ok && (claims["sub"] == "1234567890" && claims["name"] == "John Doe" || claims["iss"] == "supabase-demo")
}

// jsonPart decodes base 64 that holds a JSON object; nil when it does not.
func jsonPart(s string) map[string]any {
	// Some makers leave bits set behind the last byte: no reason to fail.
	s = strings.TrimRight(s, "=")
	enc := base64.RawURLEncoding
	if strings.ContainsAny(s, "+/") {
		enc = base64.RawStdEncoding
	}
	data, err := enc.DecodeString(s)
	if err != nil {
		return nil
	}
	var m map[string]any
	if json.Unmarshal(data, &m) != nil {
		return nil
	}
	return m
}

// jwt refutes what only looks like a JSON Web Token: a header that is no JSON
// object with "alg", or claims that are none. What has the right form is not
// proven genuine by that, so it never gives OK.
//
// Source: RFC 7519. Official: a Bad may drop. Encrypted tokens (five parts) and
// tokens of another form: None.
func jwt(value string) Verdict {
	if strings.Count(value, ".") != 2 || !strings.HasPrefix(value, "eyJ") {
		return None
	}
	if header, _, ok := jwtParts(value); !ok || header["alg"] == nil {
		return Bad
	}
	return None
}

// macaroon proves the form of a macaroon in version 2 (PyPI's tokens): fields
// with their lengths from the first byte to the last, which have to end in a
// signature of 32 bytes. The signature itself can be checked by its maker only.
//
// Source: libmacaroons, "format.txt"; PyPI's documentation. A Bad lowers only.
func macaroon(value string) Verdict {
	body, ok := strings.CutPrefix(value, "pypi-")
	if !ok {
		return None
	}
	data := decodeBase64(body)
	if len(data) == 0 || data[0] != 2 {
		return Bad
	}
	// header EOS, sections of (location) identifier (vid) EOS, EOS, signature
	const eos, signature = 0, 6
	data = data[1:]
	ends := 0
	for len(data) > 0 {
		kind := data[0]
		if data = data[1:]; kind == eos {
			ends++
			continue
		}
		n, used := binary.Uvarint(data)
		if kind > signature || used <= 0 || n > uint64(len(data)-used) {
			return Bad
		}
		data = data[used+int(n):]
		if kind == signature {
			if n == 32 && len(data) == 0 && ends >= 2 {
				return OK
			}
			return Bad
		}
	}
	return Bad
}

// BasicAuth splits the credentials of HTTP Basic authentication (RFC 7617):
// base 64 of a user, a colon and a password, in printable characters.
func BasicAuth(value string) (user, password string, ok bool) {
	enc := base64.RawStdEncoding
	if strings.ContainsAny(value, "-_") {
		enc = base64.RawURLEncoding
	}
	text, err := enc.DecodeString(strings.TrimRight(value, "="))
	if err != nil || strings.ContainsFunc(string(text), func(r rune) bool { return r < ' ' || r == 0x7F || r == utf8.RuneError }) {
		return "", "", false
	}
	return strings.Cut(string(text), ":")
}

// basicAuth: what does not decode logs nobody in.
func basicAuth(value string) Verdict {
	if _, _, ok := BasicAuth(value); !ok {
		return Bad
	}
	return None
}

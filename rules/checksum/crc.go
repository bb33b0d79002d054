package checksum

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"
)

// Alphabets, in the order of their digits.
const (
	base62Digits    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	base36Digits    = "0123456789abcdefghijklmnopqrstuvwxyz"
	lowerHexDigits  = "0123456789abcdef"
	upperHexDigits  = "0123456789ABCDEF"
	base64Digits    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	base64URLDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

// digits writes n in the given alphabet, with at least width digits.
func digits(n uint32, alphabet string, width int) string {
	var buf [64]byte // 32 bits in the smallest base are 32 digits
	at := len(buf)
	for base := uint32(len(alphabet)); n > 0 || len(buf)-at < width; n /= base {
		at--
		buf[at] = alphabet[n%base]
	}
	return string(buf[at:])
}

// only reports whether s is made of the alphabet's characters.
func only(s, alphabet string) bool { return strings.Trim(s, alphabet) == "" }

// cutTail splits off the last n bytes of s.
func cutTail(s string, n int) (head, tail string) { return s[:len(s)-n], s[len(s)-n:] }

// equal turns a comparison into a verdict.
func equal(got, want string) Verdict {
	if got == want {
		return OK
	}
	return Bad
}

func crc(s string) uint32 { return crc32.ChecksumIEEE([]byte(s)) }

// crc62 is the scheme of GitHub, npm and Vercel: the last six characters are
// the CRC-32 (IEEE) of the characters between prefix and checksum, in base 62.
func crc62(body string) Verdict {
	if !only(body, base62Digits) {
		return None
	}
	text, check := cutTail(body, 6)
	return equal(check, digits(crc(text), base62Digits, 6))
}

// githubCRC32 proves GitHub's classic tokens.
//
// Source: github.blog, "Behind GitHub's new authentication token formats"
// (2021). Official: a Bad may drop. Recomputed on genuine ghp_, gho_, ghu_ and
// ghr_ tokens. No genuine ghs_ was at hand, and GitHub has announced another
// form of them, so a ghs_ never fails.
func githubCRC32(value string) Verdict {
	prefix, body, _ := strings.Cut(value, "_")
	switch {
	case len(body) == 36 && (prefix == "ghp" || prefix == "gho" || prefix == "ghu"):
		return crc62(body)
	case len(body) == 76 && prefix == "ghr":
		return crc62(body)
	case len(body) == 36 && prefix == "ghs":
		return raise(crc62(body))
	}
	return None
}

// raise turns a verdict that is not certain enough to lower a finding into one
// that can only raise it.
func raise(v Verdict) Verdict {
	if v == Bad {
		return None
	}
	return v
}

// githubPAT proves GitHub's fine-grained tokens: the second part is 43 random
// characters, 8 of checksum and 8 random again, and the checksum is the head of
// the base-32 SHA-256 of everything before it.
//
// Source: undocumented; found out by others and recomputed on three genuine
// tokens. Too few to reject anything, so it raises only.
func githubPAT(value string) Verdict {
	const before = len("github_pat_") + 22 + 1 + 43
	if len(value) != before+16 || !strings.HasPrefix(value, "github_pat_") || value[33] != '_' {
		return None
	}
	sum := sha256.Sum256([]byte(value[:before]))
	return raise(equal(value[before:before+8], base32.StdEncoding.EncodeToString(sum[:])[:8]))
}

// npmCRC32 proves npm's access tokens.
//
// Source: github.blog, "Announcing npm's new access token format" (2021).
// Official: a Bad may drop. Recomputed on three genuine tokens.
func npmCRC32(value string) Verdict {
	body, ok := strings.CutPrefix(value, "npm_")
	if !ok || len(body) != 36 {
		return None
	}
	return crc62(body)
}

// vercelCRC32 proves Vercel's tokens vcp_, vci_, vca_, vcr_ and vck_.
//
// Source: undocumented; recomputed on six genuine tokens. A Bad lowers only.
func vercelCRC32(value string) Verdict {
	if len(value) != 60 || value[:2] != "vc" || !only(value[2:3], "piark") || value[3] != '_' {
		return None
	}
	return crc62(value[4:])
}

// gitlabRoutable proves GitLab's routable tokens,
// <prefix><payload>.01.<2 characters of length><7 of checksum>: the checksum is
// the CRC-32 of everything before it, in base 36. The prefix can be changed by
// an instance's owner and is part of what is summed.
//
// Source: GitLab's design document "Routable tokens" and its source. Official:
// a Bad may drop. Recomputed on one genuine token. Older tokens have no
// checksum: None.
func gitlabRoutable(value string) Verdict {
	i := strings.LastIndexByte(value, '.')
	if i < 4 || len(value)-i-1 != 9 || value[i-3] != '.' || !only(value[i+1:], base36Digits) {
		return None
	}
	text, check := cutTail(value, 7)
	return equal(check, digits(crc(text), base36Digits, 7))
}

// grafanaCRC32 proves Grafana's service account tokens: glsa_, 32 characters,
// "_" and the CRC-32 of the 37 characters in front of that, its bytes in
// little-endian order, in hexadecimal.
//
// Source: Grafana's source (pkg/components/satokengen). Official: a Bad may
// drop. Recomputed on three genuine tokens.
func grafanaCRC32(value string) Verdict {
	if len(value) != 46 || !strings.HasPrefix(value, "glsa_") || value[37] != '_' || !only(value[38:], lowerHexDigits) {
		return None
	}
	n := crc(value[:37])
	return equal(value[38:], hex.EncodeToString([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}))
}

// atlassianCRC32 proves Atlassian's tokens ATATT, ATCTT, ATBB and their
// siblings: the last eight characters are the CRC-32 of everything before, in
// upper-case hexadecimal; the longer kinds put "=" in between, summed as well.
//
// Source: undocumented; recomputed on four genuine tokens of three kinds. A Bad
// lowers only.
func atlassianCRC32(value string) Verdict {
	if len(value) < 20 || !strings.HasPrefix(value, "AT") {
		return None
	}
	text, check := cutTail(value, 8)
	if !only(check, upperHexDigits) {
		return None
	}
	return equal(check, fmt.Sprintf("%08X", crc(text)))
}

// cloudflareCRC32 proves Cloudflare's cfut_, cfat_ and cfk_ tokens: 40
// characters and their CRC-32 in hexadecimal.
//
// Source: undocumented; fitted three of six public samples, and the rest may
// have been scrambled or made otherwise. It raises only.
func cloudflareCRC32(value string) Verdict {
	prefix, body, _ := strings.Cut(value, "_")
	if len(body) != 48 || prefix != "cfut" && prefix != "cfat" && prefix != "cfk" {
		return None
	}
	text, check := cutTail(body, 8)
	return raise(equal(check, fmt.Sprintf("%08x", crc(text))))
}

// confluentCRC32 proves Confluent Cloud's secrets that begin with cflt: 54
// characters and the first six of the base 64 of their CRC-32 in little-endian
// order (four bytes fill all six; the padding is left out).
//
// Source: undocumented; recomputed on one genuine secret. A Bad lowers only.
func confluentCRC32(value string) Verdict {
	body, ok := strings.CutPrefix(value, "cflt")
	if !ok || len(body) != 60 {
		return None
	}
	text, check := cutTail(body, 6)
	n := crc(text)
	return equal(check, base64.RawStdEncoding.EncodeToString([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}))
}

// zuploCRC32 proves Zuplo's API keys: zpka_, 32 characters, "_" and their
// CRC-32 in hexadecimal.
//
// Source: undocumented; recomputed on two genuine keys. A Bad lowers only.
func zuploCRC32(value string) Verdict {
	body, ok := strings.CutPrefix(value, "zpka_")
	if !ok || len(body) != 41 || body[32] != '_' {
		return None
	}
	return equal(body[33:], fmt.Sprintf("%08x", crc(body[:32])))
}

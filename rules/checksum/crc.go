package checksum

import (
	"hash/crc32"
	"strings"
)

// Alphabets, in the order of their digits.
const (
	base62Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	base36Digits = "0123456789abcdefghijklmnopqrstuvwxyz"
)

// digits writes n in the given alphabet, with at least width digits.
func digits(n uint64, alphabet string, width int) string {
	var buf [64]byte
	at := len(buf)
	for base := uint64(len(alphabet)); n > 0 || len(buf)-at < width; n /= base {
		at--
		buf[at] = alphabet[n%base]
	}
	return string(buf[at:])
}

// only reports whether s is made of the alphabet's characters.
func only(s, alphabet string) bool { return strings.Trim(s, alphabet) == "" }

// crc62 is the scheme of GitHub, npm and Vercel: the last six characters are
// the CRC-32 (IEEE) of the characters between prefix and checksum, in base 62.
func crc62(body string) Verdict {
	if len(body) < 6 || !only(body, base62Digits) {
		return None
	}
	text, check := body[:len(body)-6], body[len(body)-6:]
	if digits(uint64(crc32.ChecksumIEEE([]byte(text))), base62Digits, 6) == check {
		return OK
	}
	return Bad
}

// githubCRC32 proves GitHub's classic tokens.
//
// Source: github.blog, "Behind GitHub's new authentication token formats"
// (2021). Recomputed on genuine ghp_, gho_, ghu_ and ghr_ tokens; no genuine ghs_
// was at hand, and GitHub announced longer ones, so that a ghs_ never fails.
func githubCRC32(value string) Verdict {
	if len(value) < 4 {
		return None
	}
	prefix, body := value[:4], value[4:]
	switch prefix {
	case "ghp_", "gho_", "ghu_":
		if len(body) != 36 {
			return None
		}
	case "ghr_":
		if len(body) != 76 {
			return None
		}
	case "ghs_":
		if len(body) != 36 || crc62(body) != OK {
			return None
		}
	default:
		return None
	}
	return crc62(body)
}

// npmCRC32 proves npm's access tokens.
//
// Source: github.blog, "Introducing npm's new access token format" (2021).
func npmCRC32(value string) Verdict {
	body, ok := strings.CutPrefix(value, "npm_")
	if !ok || len(body) != 36 {
		return None
	}
	return crc62(body)
}

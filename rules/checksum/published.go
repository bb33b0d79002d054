package checksum

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// firebaseAndroid is where Google publishes API keys of its test projects:
// in the test fixtures of its own SDK, in the history of
// https://github.com/firebase/firebase-android-sdk (read 2026-11-24).
const firebaseAndroid = "published by Google in the tests of the Firebase Android SDK"

// Where else values stand that programs and their tests were copied from.
const (
	rfc = "shown in the RFC of what it is for" // 6265, 6455, 6749, 6750, 7617, 7636; OpenID Connect Core 1.0
	// https://learn.microsoft.com/azure/storage/common/storage-use-azurite and
	// https://learn.microsoft.com/azure/cosmos-db/emulator (read 2026-11-29).
	emulator = "the key of every emulator of Azure Storage or Cosmos DB"
	// https://developer.x.com/en/docs/authentication/oauth-1-0a/creating-a-signature (read 2026-11-29).
	oauth1 = "shown in Twitter's documentation of signatures"
)

// published are values that their vendor or a standard itself has put into public source, so
// that they stand in thousands of copies and are nobody's leak. The first 64
// bits of SHA-256 stand for the value: the list shall not be found by scanners,
// and a chance hit is out of the question.
var published = [...]struct {
	hash  uint64
	where string
}{
	{0x0b476bdf9acf2123, firebaseAndroid},
	{0x13df13cc08cc8fa4, firebaseAndroid},
	{0x2037abcaffb2b777, firebaseAndroid},
	{0x27a9a42931dff7eb, firebaseAndroid},
	{0x37f8f09bdf12c2f2, firebaseAndroid},
	{0x3a8b61d0f636b007, firebaseAndroid},
	{0x3f370c9dd8225c63, firebaseAndroid},
	{0x49f777db995e8260, firebaseAndroid},
	{0x4c98242dcadc8b29, firebaseAndroid},
	{0x6ca6473b42d9c17e, firebaseAndroid},
	{0x6dc7fc8ebd924f29, firebaseAndroid},
	{0x6f1ef2461e63469e, firebaseAndroid},
	{0x82bdb75b8c312466, firebaseAndroid},
	{0x8731261cb72d8626, firebaseAndroid},
	{0x8a757c64eea84547, firebaseAndroid},
	{0xa19f89ab3555eac1, firebaseAndroid},
	{0xa5f359cecc3978ec, firebaseAndroid},
	{0xa6c814bc555ae62c, firebaseAndroid},
	{0xa9aaeec45f4065bd, firebaseAndroid},
	{0xab3ea7c28e929a57, firebaseAndroid},
	{0xc35d04b38d08fd0c, firebaseAndroid},
	{0xdc0fcf046c61640c, firebaseAndroid},
	{0xe2f11ce8bec34620, firebaseAndroid},
	{0xe4a5542bb7fd7b67, firebaseAndroid},
	{0xea5452e8b772e34a, firebaseAndroid},
	{0xea9bb1082cf95663, firebaseAndroid},
	{0xeb540d2b6ee2a0a4, firebaseAndroid},
	{0x00cf4c781dc37003, rfc},
	{0x0d299b1eb548708d, rfc},
	{0x13d31e961a1ad8ec, rfc},
	{0x15cef4b629cc2d07, rfc},
	{0x507e2ce3c522082b, rfc},
	{0x53f5da0aaa93d64c, rfc},
	{0x584b27d64ebc1b33, rfc},
	{0x687da00b09c83361, rfc},
	{0x6c96130f130ab0d6, rfc},
	{0x9e309cccd311ea64, rfc},
	{0xa35b81a7d7927b70, rfc},
	{0xad62d48d8b069026, rfc},
	{0xad71fb4165536675, rfc},
	{0xb8e148545b13c78b, rfc},
	{0xca7459e2b26776de, rfc},
	{0xcf4d418ed3de92d7, rfc},
	{0xe9974c507d2a8021, rfc},
	{0xed8462e1cfbe0f3a, rfc},
	{0x0011cc25eb432071, emulator},
	{0xaa6547439583c3a2, emulator},
	{0x00b3dc640c9c99fc, oauth1},
	{0x0e04efa6bc7d2d51, oauth1},
	{0x5aac38e542b76b97, oauth1},
	{0x8e0628300c16fe38, oauth1},
}

// examples are how the UUIDs begin that RFC 4122, MDN, Wikipedia and OpenAPI's texts show.
var examples = [...]string{"123e4567-e89b-12d3", "550e8400-e29b-41d4", "f47ac10b-58cc-4372", "f81d4fae-7dec-11d0", "6ba7b810-9dad-11d1"}

// hashed are words whose digests stand in documentation; the first is none.
var hashed = [...]string{"", "hello", "hello world", "Hello, World!", "password", "test", "secret", "admin", "foo", "bar", "abc", "123456", "12345"}

// Published says where everybody can read a value: where its vendor or a standard has
// published it, or that it is the digest of a word. It is "" when that is not known of it.
func Published(value string) string {
	sum := sha256.Sum256([]byte(value))
	hash := binary.BigEndian.Uint64(sum[:8])
	for i := range published {
		if published[i].hash == hash {
			return published[i].where
		}
	}
	lower := strings.ToLower(value)
	for _, begin := range examples {
		if strings.HasPrefix(lower, begin) {
			return "an example of a UUID"
		}
	}
	if digest, err := hex.DecodeString(value); err == nil && isWordDigest(digest) {
		return "the digest of a word that documentation uses"
	}
	return ""
}

// isWordDigest reports whether an MD5, SHA-1 or SHA-256 is that of one of hashed.
func isWordDigest(digest []byte) bool {
	var of func(word string) string
	switch len(digest) {
	case md5.Size:
		of = func(word string) string { sum := md5.Sum([]byte(word)); return string(sum[:]) }
	case sha1.Size:
		of = func(word string) string { sum := sha1.Sum([]byte(word)); return string(sum[:]) }
	case sha256.Size:
		of = func(word string) string { sum := sha256.Sum256([]byte(word)); return string(sum[:]) }
	default:
		return false
	}
	for _, word := range hashed {
		if of(word) == string(digest) {
			return true
		}
	}
	return false
}

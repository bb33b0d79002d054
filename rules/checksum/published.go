package checksum

import (
	"crypto/sha256"
	"encoding/binary"
)

// firebaseAndroid is where Google publishes API keys of its test projects:
// in the test fixtures of its own SDK, in the history of
// https://github.com/firebase/firebase-android-sdk (read 2026-11-24).
const firebaseAndroid = "published by Google in the tests of the Firebase Android SDK"

// published are values that their vendor itself has put into public source, so
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
}

// Published says where the vendor of a value has published it, "" when that is
// not known of it.
func Published(value string) string {
	sum := sha256.Sum256([]byte(value))
	hash := binary.BigEndian.Uint64(sum[:8])
	for i := range published {
		if published[i].hash == hash {
			return published[i].where
		}
	}
	return ""
}

package checksum

import "testing"

func TestPublished(t *testing.T) {
	// One of the fixtures, from the public test of FirebaseOptions.
	if Published("AIzaSyD3asb-2pEZVqMkmL6M9N"+"6nHZRR_znhrh0") == "" {
		t.Error("a key that Google publishes is not known")
	}
	for _, value := range []string{
		"2YotnFZFEjr1zCsicMWpAA",                   // RFC 6749, 4.1.4
		"d41d8cd98f00b204e9800998ecf8427e",         // MD5 of nothing
		"5D41402ABC4B2A76B9719D911017C592",         // of hello
		"da39a3ee5e6b4b0d3255bfef95601890afd80709", // SHA-1 of nothing
		"550e8400-e29b-41d4-a716-446655440000",     // as it stands in thousands of texts
	} {
		if Published(value) == "" {
			t.Errorf("%s is not known", value)
		}
	}
	if where := Published("AIzaSyD3asb-2pEZVqMkmL6M9N" + "6nHZRR_znhrh1"); where != "" {
		t.Errorf("another value is known as %s", where)
	}
}

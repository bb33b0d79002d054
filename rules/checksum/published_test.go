package checksum

import "testing"

func TestPublished(t *testing.T) {
	// One of the fixtures, from the public test of FirebaseOptions.
	if Published("AIzaSyD3asb-2pEZVqMkmL6M9N"+"6nHZRR_znhrh0") == "" {
		t.Error("a key that Google publishes is not known")
	}
	if where := Published("AIzaSyD3asb-2pEZVqMkmL6M9N" + "6nHZRR_znhrh1"); where != "" {
		t.Errorf("another value is known as %s", where)
	}
}

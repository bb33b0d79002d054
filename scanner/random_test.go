package scanner

import "testing"

func TestRandomBits(t *testing.T) {
	// Halves that are joined here, so that no scanner sees a key in this file.
	for _, v := range [][2]string{
		{"vZrEcl", "FwOqeA"}, {"SSVmFDNCFf", "OHKXQAEckx"}, {"wegw", "qnjrzk"}, {"aistqqnd7yd1r6", "ls74icrhu93l236jt5"},
		{"iahNbqgnxq7tzca9hNBW", "iVexHeePoQ2nnXwN06wmaFS"}, {"3cee53f6dc23b15e", "85b3e7e6d8b1f1f4"}, {"QHZK2PWX", "7GTRB4MN"},
	} {
		if bits, _ := randomBits([]byte(v[0] + v[1])); bits < 15 {
			t.Errorf("%s…: %.1f bits, want 15 or more", v[0], bits)
		}
	}
	for _, v := range []string{
		"accessTokenSecret2", "testRSA2048PrivateKey", "my-secret-name", "password1", "AWS_SECRET_ACCESS_KEY", "com.example.service.TokenProvider",
		"kubernetes.io/service-account-token", "internal/runtime/atomic", "Settings.AuthenticationRequired", "CONFIGURATION_BASE64", "application/json",
	} {
		if bits, _ := randomBits([]byte(v)); bits > 10 {
			t.Errorf("%s: %.1f bits, want 10 or less", v, bits)
		}
	}
}

package scanner

import (
	"strings"
	"testing"
)

func TestMadeUp(t *testing.T) {
	for _, c := range []struct {
		value string
		want  bool
	}{
		{"Qm7_there-are-no-keys-behind-this-door_8HZ", true},
		{"not_a_key_but_a_sentence_in_lower_case", true},
		{"4f_abcdefgRuRkwmbYFY7xGlBxe8GUg8YN", true},
		{"9a3" + strings.Repeat("7", 8) + "c2e8b1", true},
		{"AIzaSy-q8Zt_0123456789vLk0PwRx7JmYb2N", true},
		{"6012345678:AAq8Zt3vLk0PwRx7JmYb2N", false},        // a bot's number
		{"4f_abcdefRuRkwmbYFY7xGlBxe8GUg8YN", false},        // six letters happen
		{strings.Repeat("A", 22) + "DkEDRwqZ8mPx3v", false}, // zeros in base 64
		{"prod-eu-west-acme-q8zt3vlk0pwrx7jmyb2ncd9hq8zt3vlk0p", false},
		{strings.Repeat("q8zt3vlk0pwrx7jmyb2n", 13) + strings.Repeat("x", 9), false}, // a structure
	} {
		if got := isMadeUp([]byte(c.value)); got != c.want {
			t.Errorf("%s: %v, want %v", c.value, got, c.want)
		}
	}
}

func TestWeave(t *testing.T) {
	for value, want := range map[string]bool{
		"a1b2c3d4e5f6":                      true,
		"aB1cD2eF3gH4":                      true,
		"sdk-1/short/aA1bB2cC3dD4eE5fF6gG7": true,
		"sdk-1/short/q8zt3vlk0pwrx7jmyb2n":  false,
		"z1x9c3v2b5n6":                      false,
	} {
		if got := isWeave([]byte(strings.ToLower(value))); got != want {
			t.Errorf("%s: %v, want %v", value, got, want)
		}
	}
}

func TestFiller(t *testing.T) {
	for value, want := range map[string]bool{
		"aaaabbbbccccddddeeeeffff00001111":       true,
		"00011122q8zt3vlk0pwrx7jm":               false,
		"fedcba9876543210fedcba9876543210":       true,
		`"+password+"`:                           true,
		`'.$connection['`:                        true,
		`" + pw + "`:                             true,
		`+q8"zt3vlk`:                             false,
		"ENC[AES256_GCM,data:q8zt3vlk0pwrx7jm==": true,
		"~/.config/acme/token":                   true,
		"q8~/zt3vlk0pwrx7jmyb2ncd9h":             false,
	} {
		if got := isFiller([]byte(value)); got != want {
			t.Errorf("%s: %v, want %v", value, got, want)
		}
	}
}

func TestSchemaType(t *testing.T) {
	for value, want := range map[string]bool{"xs:token": true, "xsd:string": true, "xsq8zt3vlk:0p": false} {
		if got := isCode([]byte(value), true); got != want {
			t.Errorf("%s: %v, want %v", value, got, want)
		}
	}
}

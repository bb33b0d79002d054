package scanner

import (
	"fmt"
	"log/slog"
	"strings"
)

// Secret is a credential's value. No fmt verb, JSON, text or slog encoding
// opens it: all of them print its mask. Reveal is the only way in, so that a
// search for that word finds every place that can leak.
//
// The value sits behind a pointer because fmt walks unexported fields of
// structs that embed a Secret by value and would print a plain []byte or
// string there.
type Secret struct {
	v    *string
	mask *string // where only that is known; v is nil then
}

// NewSecret wraps a copy of value.
func NewSecret(value []byte) Secret {
	s := string(value)
	return Secret{v: &s}
}

// MaskedSecret stands for a value of which only the mask is known, because it
// was read from a report. It reveals nothing.
func MaskedSecret(mask string) Secret { return Secret{mask: &mask} }

// Reveal returns the value itself.
func (s Secret) Reveal() string {
	if s.v == nil {
		return ""
	}
	return *s.v
}

// Len is the length of the value in bytes.
func (s Secret) Len() int { return len(s.Reveal()) }

// String returns the mask.
func (s Secret) String() string {
	if s.mask != nil {
		return *s.mask
	}
	return Mask(s.Reveal())
}

// Format prints the mask whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// MarshalText writes the mask.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue logs the mask.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Mask shows enough of a value to recognise it and too little to use or guess
// it: eight and four characters of a long one, four and four of a middling
// one, two of a short one, nothing below that. A PEM block shows its label.
func Mask(value string) string {
	if strings.HasPrefix(value, "-----BEGIN ") {
		if end := strings.Index(value[11:], "-----"); end >= 0 && end < 48 {
			return value[:11+end+5] + "…"
		}
	}
	r := []rune(value)
	head, tail := 0, 0
	switch n := len(r); {
	case n >= 32:
		head, tail = 8, 4
	case n >= 20:
		head, tail = 4, 4
	case n >= 14:
		head, tail = 2, 0
	}
	return string(r[:head]) + "…" + string(r[len(r)-tail:])
}

package scanner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// A value must stay closed whatever prints it, also deep inside other structs.
func TestSecretStaysClosed(t *testing.T) {
	value := "abcd" + strings.Repeat("x7", 14) + "wxyz"
	type inner struct{ s Secret }
	held := struct {
		Public Secret
		Ptr    *Secret
		hidden inner
		m      map[string]Secret
		l      []Secret
	}{Public: NewSecret([]byte(value)), hidden: inner{NewSecret([]byte(value))}}
	held.Ptr = &held.Public
	held.m = map[string]Secret{"k": held.Public}
	held.l = []Secret{held.Public}

	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%t", "%c", "%08b", "%T"} {
		for _, v := range []any{held.Public, &held.Public, held, &held, held.l, held.m} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	fmt.Fprintln(&out, held, held.Public, fmt.Errorf("with %w %v", fmt.Errorf("%v", held.Public), held))
	if b, err := json.Marshal(held); err != nil {
		t.Fatal(err)
	} else {
		out.Write(b)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "s", held.Public, "h", held)
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "s", held.Public, "h", held)
	out.Write(log.Bytes())

	middle := value[8 : len(value)-4]
	if s := out.String(); strings.Contains(s, middle) || strings.Contains(s, fmt.Sprintf("%x", middle)) {
		t.Error("a Secret was opened by a formatter")
	}
	if held.Public.Reveal() != value {
		t.Error("Reveal does not return the value")
	}
}

func TestMaskNeverShowsMoreThanAThird(t *testing.T) {
	for n := 0; n < 200; n++ {
		value := strings.Repeat("k", n)
		if shown := strings.Count(Mask(value), "k"); n > 0 && shown*5 > n*2 {
			t.Errorf("mask of %d characters shows %d", n, shown)
		}
	}
}

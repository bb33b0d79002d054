package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestIdentify(t *testing.T) {
	part := strings.Repeat("aB-_5", 4) + "/"
	whole := strings.TrimSuffix(strings.Repeat(part, 4), "/")
	tail := strings.Repeat("code", 20<<10)
	written := func(program string) string {
		var b bytes.Buffer
		if err := identify(&b, strings.NewReader(program)); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for _, head := range []string{"\x7fELF\x04\x00\x00\x00S\x00\x00\x00\x04\x00\x00\x00Go\x00\x00" + whole + "\x00", "MZ\xff Go build ID: \"" + whole + "\"\n \xff"} {
		if written(head+tail) != written(head+tail+"more") || written(head+tail) == written(strings.Replace(head, "a", "b", 1)+tail) {
			t.Errorf("%q: it is not told by its build ID", head[:10])
		}
	}
	for _, head := range []string{"", "\x7fELF Go\x00\x00redacted", "MZ\xff Go build ID: \"redacted\"\n \xff", "MZ " + whole, "MZ Go build ID: \"" + part + part + "\""} {
		if got := written(head + tail); got != head+tail {
			t.Errorf("%q: %d bytes of %d count", head, len(got), len(head+tail))
		}
		if short := head + "x"; written(short) != short {
			t.Errorf("%q: not as it is", short)
		}
	}
}

package main

import (
	"strings"
	"testing"
)

func TestHang(t *testing.T) {
	long := strings.Repeat("word ", 20) + "end"
	for _, c := range []struct {
		line  string
		width int
		want  string
	}{
		{"  short", 80, "  short"},
		{"  " + long, 0, "  " + long},
		{"  Found in   a · " + strings.Repeat("b/c ", 10) + "d", 40, "  Found in   a · b/c b/c b/c b/c b/c b/c\n             b/c b/c b/c b/c d"},
		{"  plain text that goes on and on and on to the end of it", 40, "  plain text that goes on and on and on\n    to the end of it"},
		{"    $ command that goes on and on and on to the end of it", 40, "    $ command that goes on and on and on to the end of it"},
		{"  " + strings.Repeat("x", 60) + " y", 40, "  " + strings.Repeat("x", 60) + "\n    y"},
		{"  " + strings.Repeat("ä", 38), 40, "  " + strings.Repeat("ä", 38)},
	} {
		if got := hang(c.line, c.width); got != c.want {
			t.Errorf("%q at %d:\n%s\nwant\n%s", c.line, c.width, got, c.want)
		}
	}
}

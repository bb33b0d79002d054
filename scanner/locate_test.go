package scanner

import (
	"strings"
	"testing"
)

// TestExcerptShowsHost: behind the password of an address the host is shown to
// its end, however long the line goes on.
func TestExcerptShowsHost(t *testing.T) {
	host := "acme-orders-production.cluster-c9akciq32xyz.eu-central-1.rds.amazonaws.com.evil.example:5432"
	for after, want := range map[string]string{
		"@" + host + "/orders?x=" + strings.Repeat("y", 90): "@" + host + "/orders?x=",
		"@" + host:                                    "@" + host,
		"@" + strings.Repeat("h", 900) + "/db":        "@" + strings.Repeat("h", 261),
		"\" # " + strings.Repeat("a long remark ", 9): "\" # a long remark ",
	} {
		data := []byte("url = \"postgres://app:" + "Zk3mQ9xTq7Lw" + after + "\n")
		from := strings.Index(string(data), "Zk3m")
		c := candidate{from: from, to: from + 12, value: "Zk3mQ9xTq7Lw"}
		x := excerptOf(data, []candidate{c}, 0)
		rest := string([]rune(x.Text)[x.MarkEnd:])
		if !strings.HasPrefix(rest, want) || len(rest) > len(want)+excerptAfter {
			t.Errorf("behind %.40s…: %q", after, rest)
		}
	}
}

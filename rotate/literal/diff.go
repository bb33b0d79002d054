package literal

import (
	"bytes"
	"fmt"
	"strings"
)

// Diff shows edits to a person, line by line: "    3 - old" with the number of
// the line, then "      + new".
func Diff(src []byte, edits []Edit) []string {
	var all []string
	lines := func(b []byte) []string {
		s := strings.TrimSuffix(string(b), "\n")
		if s == "" {
			return nil
		}
		return strings.Split(strings.ReplaceAll(s, "\r", ""), "\n")
	}
	for i := 0; i < len(edits); {
		from := lineStart(src, edits[i].Start)
		to, last := from, i
		for ; last < len(edits) && (last == i || edits[last].Start < to); last++ {
			ed := edits[last]
			if ed.Start == ed.End && ed.Start == from && strings.HasSuffix(ed.Text, "\n") {
				continue // whole lines before this one
			}
			to = max(to, min(lineEnd(src, ed.End)+1, len(src)))
		}
		inner := make([]Edit, 0, last-i)
		for _, ed := range edits[i:last] {
			inner = append(inner, Edit{Start: ed.Start - from, End: ed.End - from, Text: ed.Text})
		}
		number := bytes.Count(src[:from], []byte("\n")) + 1
		for n, line := range lines(src[from:to]) {
			all = append(all, fmt.Sprintf("%5d - %s", number+n, line))
		}
		for _, line := range lines(Apply(src[from:to], inner)) {
			all = append(all, "      + "+line)
		}
		i = last
	}
	return all
}

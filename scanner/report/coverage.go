package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/till-sh/till/scanner"
)

// coverage says what was read, in parts: only what there was.
func coverage(s *scanner.Summary) []string {
	var parts []string
	if s.Commits > 0 {
		c := count(s.Commits, "commit")
		if s.Merges > 0 {
			c += ", " + count(s.Merges, "merge")
		}
		parts = append(parts, c)
	}
	if s.Refs > 0 {
		parts = append(parts, count(s.Refs, "ref"))
	}
	if s.Blobs > 0 {
		parts = append(parts, count(s.Blobs, "blob"))
	}
	if s.Files > 0 || len(parts) == 0 {
		parts = append(parts, count(s.Files, "file"))
	}
	return append(parts, size(s.Bytes))
}

// A skipGroup is what was left out for one reason.
type skipGroup struct {
	reason string
	paths  []string
}

// skipped groups what was not read by reason, in the order of first mention.
func skipped(s *scanner.Summary) []skipGroup {
	var out []skipGroup
	at := map[string]int{}
	for _, k := range s.Skipped {
		i, ok := at[k.Reason]
		if !ok {
			i = len(out)
			at[k.Reason] = i
			out = append(out, skipGroup{reason: k.Reason})
		}
		out[i].paths = append(out[i].paths, k.Path)
	}
	return out
}

// line is "3 files: over 50 MB (a, b, …)" with at most most paths.
func (g skipGroup) line(most int) string {
	named := g.paths
	if len(named) > most {
		named = named[:most]
	}
	more := ""
	if n := len(g.paths) - len(named); n > 0 {
		more = fmt.Sprintf(" and %s more", digits(n))
	}
	return fmt.Sprintf("%s × %s (%s%s)", digits(len(g.paths)), g.reason, strings.Join(named, ", "), more)
}

// keysAndSuspects is "2 keys", "1 suspect" or "2 keys, 1 suspect" with the
// given word between.
func keysAndSuspects(known, suspects int, and string) string {
	switch {
	case suspects == 0:
		return count(known, "key")
	case known == 0:
		return count(suspects, "suspect")
	}
	return count(known, "key") + and + count(suspects, "suspect")
}

// count is a number with its noun: "1 key", "1,432 commits".
func count(n int, noun string) string {
	if n != 1 {
		if strings.HasSuffix(noun, "y") && !strings.HasSuffix(noun, "ey") {
			noun = noun[:len(noun)-1] + "ie"
		}
		noun += "s"
	}
	return digits(n) + " " + noun
}

// digits groups a number by thousands.
func digits(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// size is a number of bytes in decimal units, two digits or three.
func size(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), 0
	for f >= 999.5 && unit < 4 {
		f, unit = f/1000, unit+1
	}
	if f < 9.95 {
		return fmt.Sprintf("%.1f %s", f, [...]string{"B", "kB", "MB", "GB", "TB"}[unit])
	}
	return fmt.Sprintf("%.0f %s", f, [...]string{"B", "kB", "MB", "GB", "TB"}[unit])
}

// elapsed is a duration as a person says it.
func elapsed(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
}

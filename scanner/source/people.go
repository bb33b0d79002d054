package source

import (
	"bytes"
	"maps"
	"slices"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/pack"
)

// people numbers author lines.
type people struct {
	lines  []string
	number map[string]int32
}

func (p *people) add(line string) int32 {
	n, ok := p.number[line]
	if !ok {
		n = int32(len(p.lines))
		p.lines = append(p.lines, line)
		p.number[line] = n
	}
	return n
}

// identity cuts the time off an author line. What does not look like a time
// stays, since it is scanned too.
func identity(line []byte) string {
	rest := bytes.TrimRight(line, "0123456789")
	if n := len(line) - len(rest); n == 4 && len(rest) > 0 && (rest[len(rest)-1] == '+' || rest[len(rest)-1] == '-') {
		if rest, ok := bytes.CutSuffix(rest[:len(rest)-1], []byte(" ")); ok {
			if name := bytes.TrimRight(rest, "0123456789"); len(name) < len(rest) && bytes.HasSuffix(name, []byte("> ")) {
				line = name[:len(name)-1]
			}
		}
	}
	return string(line)
}

// passPeople passes on each author line once, as part of the oldest commit that
// has it; one that is reached comes before one that is not.
func (h *History) passPeople(p *people, fn func(worker int, b *scanner.Blob) error) error {
	commit := make([]int32, len(p.lines))
	for i := range commit {
		commit[i] = -1
	}
	for i, both := range h.graph.people {
		for _, who := range both {
			if who < 0 {
				continue
			}
			old, now := commit[who], int32(i)
			if old < 0 || h.reached[now] && !h.reached[old] || h.reached[now] == h.reached[old] && h.graph.dated(now).compare(h.graph.dated(old)) < 0 {
				commit[who] = now
			}
		}
	}
	owner := make([]pack.OID, len(p.lines))
	for who, c := range commit {
		if c >= 0 {
			owner[who] = h.graph.id(int(c))
		}
	}
	for id, t := range h.tags { // taggers who never made a commit
		if t.person < 0 {
			continue
		}
		if old := owner[t.person]; commit[t.person] < 0 && (old.IsZero() || id.Compare(old) < 0) {
			owner[t.person] = id
		}
	}
	for _, line := range slices.Sorted(maps.Keys(p.number)) {
		if line == "" {
			continue
		}
		b := scanner.Blob{Hash: owner[p.number[line]].String(), Where: scanner.InAuthor, Data: []byte(line), Trace: &scanner.Trace{}}
		if err := fn(0, &b); err != nil {
			return err
		}
		h.memory.person(p.number[line], b.Trace.Told)
	}
	return nil
}

package scanner

import (
	"bytes"
	"reflect"
	"slices"
)

const (
	// minTrace is the size up to which content is looked at again as a whole.
	minTrace = 16 << 10
	// traceMargin is how much is taken on both sides of the findings: more than
	// a rule looks for the name of a value, or for the other half of a pair.
	traceMargin = 2 << 10
)

// trace fills in b.Trace. That some stretches give the same findings is not
// concluded but tried.
func (e *Engine) trace(b *Blob, found []Finding, other bool) {
	*b.Trace = Trace{Told: other || len(found) > 0}
	if other || len(found) == 0 || len(b.Data) < minTrace {
		return
	}
	parts := around(b, found)
	size := 0
	for _, p := range parts {
		size += p.To - p.From
	}
	if size == 0 || size > len(b.Data)/2 {
		return
	}
	var again []Finding
	at, line := 0, b.Line
	for _, p := range parts {
		line += bytes.Count(b.Data[at:p.From], []byte("\n"))
		at = p.From
		part := Blob{Path: b.Path, Hash: b.Hash, Where: b.Where, Data: b.Data[p.From:p.To], Offset: b.Offset + int64(p.From), Line: line}
		out, err := e.Scan(&part)
		if err != nil || out.Undecoded > 0 || len(out.Unopened) > 0 {
			return
		}
		again = append(again, out.Findings...)
	}
	found = slices.Clone(found)
	slices.SortFunc(found, compareFindings)
	slices.SortFunc(again, compareFindings)
	if reflect.DeepEqual(found, again) {
		b.Trace.Parts = parts
	}
}

// around returns the lines around the findings; none when one of them stands in
// an archive.
func around(b *Blob, found []Finding) []Stretch {
	var parts []Stretch
	for i := range found { // in the order of their place
		if found[i].Member != "" {
			return nil
		}
		at := int(found[i].Location.Offset - b.Offset)
		from, to := max(0, at-traceMargin), min(len(b.Data), at+int(found[i].Location.Length)+traceMargin)
		from = bytes.LastIndexByte(b.Data[:from], '\n') + 1
		if n := bytes.IndexByte(b.Data[to:], '\n'); n >= 0 {
			to += n + 1
		} else {
			to = len(b.Data)
		}
		if last := len(parts) - 1; last >= 0 && from <= parts[last].To {
			parts[last].To = max(to, parts[last].To)
			continue
		}
		parts = append(parts, Stretch{from, to})
	}
	return parts
}

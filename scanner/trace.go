package scanner

import (
	"bytes"
	"reflect"
	"slices"
)

const (
	// minTrace is the size up to which content is looked at again as a whole.
	minTrace = 256
)

// traceMargins are how much is tried to be taken on both sides of the findings:
// little, because the less it is, the more versions of a file have the same
// stretch; and more than a rule looks for the name of a value, or for the other
// half of a pair.
var traceMargins = [...]int{128, 2 << 10}

// trace fills in b.Trace. That some stretches give the same findings is not
// concluded but tried.
func (e *Engine) trace(b *Blob, found []Finding, other bool) {
	*b.Trace = Trace{Told: other || len(found) > 0}
	if other || len(found) == 0 || len(b.Data) < minTrace {
		return
	}
	for _, margin := range traceMargins {
		if b.Trace.Parts = e.tryParts(b, found, around(b, found, margin)); b.Trace.Parts != nil {
			return
		}
	}
}

// tryParts returns the parts if they give the findings of the whole and are
// worth it, else nil.
func (e *Engine) tryParts(b *Blob, found []Finding, parts []Stretch) []Stretch {
	size := 0
	for _, p := range parts {
		size += p.To - p.From
	}
	if size == 0 || size == len(b.Data) {
		return nil
	}
	var again []Finding
	at, line := 0, b.Line
	for _, p := range parts {
		line += bytes.Count(b.Data[at:p.From], []byte("\n"))
		at = p.From
		part := Blob{Path: b.Path, Hash: b.Hash, Where: b.Where, Data: b.Data[p.From:p.To], Offset: b.Offset + int64(p.From), Line: line}
		if isLFSPointer(&part) { // which the whole is not
			return nil
		}
		out, err := e.Scan(&part)
		if err != nil || out.Undecoded > 0 || len(out.Unopened) > 0 {
			return nil
		}
		again = append(again, out.Findings...)
	}
	found = slices.Clone(found)
	slices.SortFunc(found, compareFindings)
	slices.SortFunc(again, compareFindings)
	if !reflect.DeepEqual(found, again) {
		return nil
	}
	return parts
}

// around returns the lines around the findings, with at least margin bytes on
// both sides; none when one of them stands in an archive.
func around(b *Blob, found []Finding, margin int) []Stretch {
	var parts []Stretch
	for i := range found { // in the order of their place
		if found[i].Member != "" {
			return nil
		}
		at := int(found[i].Location.Offset - b.Offset)
		from, to := max(0, at-margin), min(len(b.Data), at+int(found[i].Location.Length)+margin)
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

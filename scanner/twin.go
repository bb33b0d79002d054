package scanner

import "slices"

// at returns a finding of b as it stands at one of b's twins.
func (f Finding) at(b *Blob, t *Twin) Finding {
	bytes, lines := t.Offset-b.Offset, t.Line-b.Line
	f.Hash = t.Hash
	f.Location.move(bytes, lines)
	if f.Partner != nil {
		p := *f.Partner
		p.Location.move(bytes, lines)
		f.Partner = &p
	}
	f.Excerpt = slices.Clone(f.Excerpt)
	for i := range f.Excerpt {
		f.Excerpt[i].Number += lines
	}
	if f.Mark != nil {
		m := *f.Mark
		m.Line += lines
		f.Mark = &m
	}
	return f
}

func (l *Location) move(bytes int64, lines int) {
	l.Offset += bytes
	l.StartLine += lines
	l.EndLine += lines
}

// twin returns b as it stands at one of its twins.
func (b *Blob) twin(t *Twin) *Blob {
	c := *b
	c.Hash, c.Offset, c.Line, c.Also = t.Hash, t.Offset, t.Line, nil
	return &c
}

// moves reports whether what was found in b is found at its twins too, moved.
// What is said about a place by its name, and what stands in an archive, is not.
func moves(b *Blob, found []Finding, said bool) bool {
	return !said && b.Offset > 0 && b.Known == nil && !slices.ContainsFunc(found, func(f Finding) bool { return f.Member != "" })
}

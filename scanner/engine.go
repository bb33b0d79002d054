// Package scanner finds credentials in bytes.
//
// An Engine is made once from a catalogue of rules and is then asked for the
// findings of one blob after another, from any number of goroutines. It is
// pure: it opens no file, reads no clock, keeps nothing between two blobs, and
// its answer depends on the bytes and the rules alone.
//
// # The way of a byte
//
// One pass (prefilter) finds every keyword of every rule. Only there a rule is
// tried, around the keyword and not over the file, so the cost is linear in
// the input whatever it looks like. What matches must be accepted: its
// structure, its entropy, not a placeholder. Encoded stretches (base64, hex,
// escapes, UTF-16, …) are decoded by package decode and looked at the same
// way; a location always points into the stored file.
//
// Run puts the pieces together: a Source yields blobs, the Engine finds, the
// Source tells for what was found which commit brought it and who can see it,
// and the findings of one value become one Key.
package scanner

import (
	"errors"
	"sync"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner/archive"
)

// Options change what an Engine looks for. The zero value is the default.
type Options struct {
	// DecodeDepth is how many encodings may lie around a value: 0 means
	// DefaultDecodeDepth, negative means none.
	DecodeDepth int
	// NoMarks leaves inline comments ("till:ignore") without effect.
	NoMarks bool
	// Rel turns the path of a blob or place into the one that rules (Paths) and
	// the fingerprints of passwords go by, where the two differ: a scan that
	// was started in a folder of the repository reports shorter paths, and
	// means the same files. nil = they are the same. Called concurrently.
	Rel func(path string) string
}

// DefaultDecodeDepth covers what people and tools really stack: a base64
// Kubernetes secret of a JSON file with escapes of a UTF-16 export is three.
const DefaultDecodeDepth = 5

// Engine finds credentials. It is immutable and safe for concurrent use.
type Engine struct {
	catalogue *rules.Catalogue
	index     *index
	filter    *prefilter // of the index
	matchers  []lazyMatcher
	options   Options
	scratch   sync.Pool
}

// New makes an engine of the rules of a catalogue. Rule IDs must be unique,
// keywords lower case and at least three bytes. An engine without rules is an
// error: it would call everything clean.
func New(options Options, c *rules.Catalogue) (*Engine, error) {
	x, err := indexOf(c)
	if err != nil {
		return nil, err
	}
	e := &Engine{catalogue: c, index: x, filter: &x.filter, matchers: make([]lazyMatcher, len(x.rules)), options: options}
	if e.options.DecodeDepth == 0 {
		e.options.DecodeDepth = DefaultDecodeDepth
	}
	e.scratch.New = func() any {
		return &scratch{windows: make([][]window, len(x.rules)), paths: make([]pathState, len(x.rules))}
	}
	return e, nil
}

// Rule returns the rule with the ID, nil when there is none.
func (e *Engine) Rule(id string) *rules.Rule { return e.catalogue.Rule(id) }

// rule returns the rule that has the number in the index.
func (e *Engine) rule(number int) *rules.Rule {
	at := e.index.rules[number]
	return &e.catalogue.Providers[at.provider].Rules[at.rule]
}

// matcher returns the rule of the number, ready to run.
func (e *Engine) matcher(number int) (*matcher, error) {
	l := &e.matchers[number]
	l.once.Do(func() {
		if l.m, l.err = compile(e.rule(number)); l.m != nil {
			l.m.number = number
		}
	})
	return l.m, l.err
}

// candidate is a value that a rule matched and that was accepted.
type candidate struct {
	m         *matcher
	how       how
	value     string
	id        string // public half, from the group of that name
	class     rules.Class
	facts     Facts
	encodings []string
	from, to  int // in the stored bytes: the value, or the text that encodes it
	location  Location
	partner   *candidate
	surePair  bool // see Partner.Sure
	origin    origin
	// conditional: the rule is for certain paths and the path is not known yet.
	conditional bool
	// refuted: it is of the rule's form and cannot be genuine. It is reported
	// by nobody, and keeps rules that know less from taking it.
	refuted bool
	// For byValue: where the name begins that holds the keyword, and where in
	// it the keyword stands.
	name, keyword, keywordEnd int
}

// how a value was recognised, the most telling first.
type how uint8

const (
	byChecksum how = iota // its own checksum proves it
	byRegex               // its shape does
	byValue               // the name beside it does
	byPlace               // the place of the vendor's name does, see tryPlace
	byName                // only the name, and that is a general one
)

// scratch is the reusable memory of one Scan call.
type scratch struct {
	hits    []hit
	sieve   sieve
	windows [][]window // by rule
	touched []int      // rules with windows
	found   []candidate
	path    string      // of the blob
	paths   []pathState // by rule: whether it is for path
	trail   trail
	delta   deltaScratch
}

type pathState uint8

const (
	pathUnknown pathState = iota
	pathMatches
	pathDiffers
)

// onPath reports whether a rule is for the blob's path, and remembers.
func (s *scratch) onPath(rule int, m *matcher) bool {
	if s.paths[rule] == pathUnknown {
		s.paths[rule] = pathDiffers
		if m.paths.has(s.path) {
			s.paths[rule] = pathMatches
		}
	}
	return s.paths[rule] == pathMatches
}

func (e *Engine) rel(path string) string {
	if e.options.Rel == nil || path == "" {
		return path
	}
	return e.options.Rel(path)
}

// Found is what one blob holds.
type Found struct {
	Findings []Finding // ordered by place, then by rule; of an archive, by member
	// Undecoded counts encoded stretches that were not looked into because
	// decoding had reached its limit (see decodeFactor).
	Undecoded int
	// Unopened lists what of an archive could not be looked into, and why.
	Unopened []Skip
}

// Scan looks at one blob, and into it when it is an archive. The findings hold
// copies; b.Data may be reused. An error (a rule that does not compile) means
// that the blob was not looked at completely: Found is valid, but "clean" must
// not be said.
//
// When b.Delta tells what the content was made from, only what differs is looked
// at; the result is the same.
func (e *Engine) Scan(b *Blob) (Found, error) {
	if b.Where != "" && b.Where != InContent || b.Offset > 0 {
		return e.scanData(b)
	}
	kind := archive.Kind(b.Data)
	if kind == "" {
		if b.Delta != nil {
			return e.scanDelta(b)
		}
		return e.scanData(b)
	}
	out, err := e.scanData(b)
	left := archive.Each(b.Data, archive.Limits{}, func(m *archive.Member) {
		part := *b
		part.Data = m.Data
		inner, failed := e.scanData(&part)
		err = errors.Join(err, failed)
		out.Undecoded += inner.Undecoded
		for _, f := range inner.Findings {
			f.Member, f.Decoded = m.Name, append([]string{kind}, f.Decoded...)
			out.Findings = append(out.Findings, f)
		}
	})
	for _, l := range left {
		out.Unopened = append(out.Unopened, Skip{Path: l.Name, Reason: l.Reason})
	}
	return out, err
}

// scanData looks at bytes as they are, decoding what is encoded.
func (e *Engine) scanData(b *Blob) (Found, error) {
	s := e.begin(b)
	defer e.scratch.Put(s)
	left := budgetOf(b.Data)
	err := e.scanView(s, &view{data: b.Data}, 0, &left)
	return e.end(s, b, left.undone), err
}

// begin returns the memory for the scan of one blob.
func (e *Engine) begin(b *Blob) *scratch {
	s := e.scratch.Get().(*scratch)
	s.found, s.path, s.trail.on = s.found[:0], e.rel(b.Path), false
	if s.path != "" { // else nobody asked
		clear(s.paths)
	}
	return s
}

// end makes findings of the candidates.
func (e *Engine) end(s *scratch, b *Blob, undone int) Found {
	out := Found{Undecoded: undone}
	if len(s.found) > 0 {
		out.Findings = e.findings(b, s.found)
		clear(s.found)
	}
	return out
}

// scanText runs all rules over one view and appends what they find.
func (e *Engine) scanText(s *scratch, v *view) error {
	s.hits = e.filter.find(v.data, &s.sieve, s.hits[:0])
	err := e.tryHits(s, v, s.hits)
	s.runWindows(e, v)
	return err
}

// tryHits tries the rules of keywords. Windows of regular expressions are left
// to runWindows.
func (e *Engine) tryHits(s *scratch, v *view, hits []hit) error {
	data := v.data
	for _, h := range hits {
		end := h.at + len(e.filter.keywords[h.keyword])
		s.trail.begin(h.at, end, len(s.found))
		for _, ref := range e.index.users(h.keyword) {
			m, err := e.matcher(int(ref.rule))
			if err != nil {
				return err
			}
			if m.paths != nil && s.path != "" && !s.onPath(int(ref.rule), m) {
				continue
			}
			switch {
			case m.shape != nil:
				s.tryShape(v, m, h.at, m.offsets[ref.which])
			case m.re != nil:
				s.addWindow(int(ref.rule), m.windowOf(data, h.at, end))
			}
			if (m.value != nil || m.valueRE != nil) && !m.isPrefix(int(ref.which)) {
				s.tryValue(v, m, h.at, end)
			}
			if m.rule.Assigned {
				s.tryAssigned(v, m, h.at, end)
			}
		}
		s.trail.end(h, len(data), s.found)
	}
	return nil
}

// tryShape tries a shape at every start that the keyword at data[at] allows.
func (s *scratch) tryShape(v *view, m *matcher, at int, offsets []int) {
	for _, off := range offsets {
		start := at - off
		s.trail.saw(start-shapeBefore, at)
		if start < 0 {
			continue
		}
		for k := range m.shape.seqs {
			if s.trySequence(v, m, &m.shape.seqs[k], start) {
				return
			}
		}
	}
}

// shapeBefore is how far before a match its context is looked at: the escape
// that may end there (afterEscape), the mark of a hash (isIntegrity).
const shapeBefore = 24

func (s *scratch) trySequence(v *view, m *matcher, q *sequence, start int) bool {
	if q.bounded && wordAt(v.data, start-1) && !m.glued && !afterEscape(v.data, start) {
		return false
	}
	var c caps
	for i := range c {
		c[i] = -1
	}
	by, ok := q.try(v.data, start, m, &c)
	s.trail.saw(start, c[capFar]+1)
	if !ok {
		return false
	}
	from, to := c[0], c[1]
	if m.secret > 0 && 2*m.secret+1 < capFar && c[2*m.secret+1] >= 0 {
		from, to = c[2*m.secret], c[2*m.secret+1]
	}
	if from == start && s.inBlob(v.data, from, to) {
		return false
	}
	id := ""
	if m.id > 0 && 2*m.id+1 < capFar && c[2*m.id+1] >= 0 {
		id = string(v.data[c[2*m.id]:c[2*m.id+1]])
	}
	return s.accept(v, m, by, from, to, id)
}

// try matches the sequence at start, and says by what it may be believed.
func (q *sequence) try(data []byte, start int, m *matcher, c *caps) (how, bool) {
	switch {
	case q.match(data, start, c):
		return byRegex, q.whole(data, start, c[1])
	case len(q.bare) < len(q.steps) && afterEscape(data, start) && q.matchBare(data, start, c) && !wordAt(data, c[1]):
		return byRegex, true // the letter before belongs to an escape, not to a word
	case m.glued && q.matchBare(data, start, c):
		return byChecksum, true // glued to other text, as in a binary file: it takes the proof
	}
	return byRegex, false
}

// maxGlued is the longest form that is tried inside of a word: in one long word
// every keyword would begin an attempt of that length. Keys with a checksum
// have 36 to 100 characters.
const maxGlued = 256

// afterEscape reports whether the byte before i ends an escape: \n, \r or \t
// in a string, a percent-encoded byte, or a terminal's colour (ESC [ 93 m).
func afterEscape(data []byte, i int) bool {
	if i < 2 {
		return false
	}
	switch c := data[i-1]; {
	case data[i-2] == '\\' && (c == 'n' || c == 'r' || c == 't'):
		return true
	case i >= 3 && data[i-3] == '%' && isHex(data[i-2]) && isHex(c):
		return true
	case c == 'm':
		k := i - 2
		for k > 0 && i-k < 16 && (isDigit(data[k]) || data[k] == ';') {
			k--
		}
		return k > 0 && data[k] == '[' && data[k-1] == 0x1b
	}
	return false
}

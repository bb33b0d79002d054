package scanner

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/rules/checksum"
)

// accept decides whether a matched value is a credential and notes it. It
// reports whether the value was taken.
func (s *scratch) accept(v *view, m *matcher, by how, start, end int, id string) bool {
	value := v.data[start:end]
	if len(value) == 0 {
		return false
	}
	rule := m.rule
	c := candidate{m: m, how: by, id: id, class: rule.Class}
	c.conditional = len(rule.Paths) > 0 && s.path == ""
	verdict := checksum.None
	if rule.Checksum != "" {
		verdict = checksum.Verify(rule.Checksum, string(value))
	}
	if by == byChecksum && (verdict != checksum.OK || isFiller(m.random(value))) || rule.Checksum == "jwt" && !checksum.HasJWTHeader(string(value)) {
		return false // a token whose header is no JSON is nobody's, whatever it looks like
	}
	switch verdict {
	case checksum.OK:
		// Proven: no word in it, no odd look can make it a placeholder.
		c.how = byChecksum
	default:
		c.refuted = verdict == checksum.Bad && checksum.Refuted(rule.Checksum)
		if verdict == checksum.Bad && checksum.Official(rule.Checksum) && !c.refuted {
			// Not genuine, but somebody may have scrambled only a part of it:
			// said, not blocking.
			c.class = rules.ClassSuspect
			c.facts.Note = badNote(rule.Checksum)
		}
		if isFiller(m.random(value)) || !rule.Human && isMadeUp(m.random(value)) || rule.MinEntropy > 0 && entropy(value) < rule.MinEntropy {
			return false
		}
		if rule.Human {
			password := passwordOf(rule, value)
			if matchesAny(placeholderForms(), password) {
				return false
			}
			if matchesAny(placeholderWords(), password) {
				if !s.opensSomething(rule, v.data, start, end) {
					return false
				}
				c.class = rules.ClassSuspect
			}
			s.trail.saw(start, end+maxHost+2)
			if readsLikeExample(password, v.data, end) {
				c.class = rules.ClassSuspect
				if s.trail.saw(start-len(password)-2, end); isUserAgain(password, v.data, start, end) {
					return false
				}
			}
		}
		if random := m.random(value); by == byRegex && !rule.Human && len(random) >= 12 && isWords(random) && bitsOf(random) < 4 {
			return false // BeanSerializerModifier behind "ser."
		}
		if (by == byValue || by == byPlace) && (!plausibleValue(value) || isObjectHash(v.data, start, value)) || isIntegrity(v.data, start) || s.isEncrypted(v.data, start) {
			return false
		}
		if by == byRegex {
			if s.trail.saw(start-12, end+2); isObjectID(v.data, start, value) || isFile(v.data, start, end) {
				return false
			}
		}
		if s.isBadge(v.data, start) {
			return false
		}
	}
	if checksum.Published(string(value)) != "" {
		return false
	}
	if bytes.HasPrefix(value, []byte("eyJ")) && checksum.IsProof(string(value)) {
		return false
	}
	if rule.Checksum == "jwt" && checksum.IsExample(string(value)) {
		c.class = rules.ClassSuspect
		c.facts.Note = "its claims are those of an example that stands in many programs"
	}
	for _, re := range m.allow() {
		if re.Match(value) {
			return false
		}
	}
	c.facts.Checksum = string(verdict)
	c.value, c.encodings = string(value), v.encodings()
	c.from, c.to = v.source(start, end)
	s.found = append(s.found, c)
	return true
}

// badNote says what a failed proof means.
func badNote(scheme string) string {
	if scheme == "basic-auth" {
		return "it does not decode to a user and a password"
	}
	return "its checksum is wrong: made up or altered"
}

// random returns what is left of a value without the keyword it begins with:
// the part that documentation fills up.
func (m *matcher) random(value []byte) []byte {
	for _, kw := range m.rule.Keywords {
		if len(value) > len(kw)+8 && equalFold(value[:len(kw)], kw) {
			return value[len(kw):]
		}
	}
	return value
}

// isIntegrity reports whether what stands at data[start] is the hash of a file:
// a line of go.sum (h1:…), Subresource Integrity or a container's digest.
func isIntegrity(data []byte, start int) bool {
	for _, mark := range []string{"h1:", "sha1-", "sha256-", "sha384-", "sha512-", "sha256:", "sha512:"} {
		if bytes.HasSuffix(data[max(0, start-len(mark)):start], []byte(mark)) {
			return true
		}
	}
	return false
}

// hashNames are names beside which hexadecimal digits are the hash of a file or
// of a commit: lock files, package recipes, workflows.
var hashNames = []string{
	"sha", "sha1", "sha1sum", "sha256", "sha256sum", "md5", "md5sum", "shasum", "checksum", "digest", "hash", "integrity",
	"rev", "revision", "ref", "reference", "commit", "commits", "blob", "tree", "raw", "zipball", "tarball", "archive", "etag",
}

// isObjectHash reports whether a value that only the name of a vendor makes a
// key is rather the hash of a file or commit: hexadecimal, of a hash's length,
// and behind one of hashNames or the # of a package's address. A vendor's name
// stands beside such hashes wherever its library is used.
func isObjectHash(data []byte, start int, value []byte) bool {
	if n := len(value); n != 32 && n != 40 && n != 64 || !isHexBytes(value) {
		return false
	}
	i, stop := start, max(0, start-16) // quotes, an operator, the spaces around them
	if i > 0 && data[i-1] == '#' {
		return true
	}
	for i > stop && bytes.IndexByte([]byte(" \t\"'`:=>/("), data[i-1]) >= 0 {
		i--
	}
	from := i
	for stop = max(0, i-16); from > stop && (isLetter(data[from-1]) || isDigit(data[from-1])); {
		from--
	}
	if from >= 4 && equalFold(data[from-4:from], "api_") { // api_hash is a credential's name at Telegram
		return false
	}
	return slices.ContainsFunc(hashNames, func(name string) bool { return len(name) == i-from && equalFold(data[from:i], name) })
}

// encryptedReach is how far before a value its SOPS mark can stand; SOPS keeps
// a value on one line.
const encryptedReach = 4 << 10

// isEncrypted reports whether data[start] lies in a value that SOPS encrypted:
// ENC[AES256_GCM,data:…,iv:…] (https://getsops.io/docs/).
func (s *scratch) isEncrypted(data []byte, start int) bool {
	from := lineStart(data, start, encryptedReach)
	s.trail.saw(from-1, start)
	before := data[from:start]
	at := bytes.LastIndex(before, []byte("ENC[AES256_GCM,"))
	return at >= 0 && bytes.IndexByte(before[at:], ']') < 0
}

// plausibleValue refuses what only the name beside it makes a key when it has
// too little variety: words, numbers, one digit or none in a long value.
func plausibleValue(v []byte) bool {
	r := look(v)
	if len(v) >= 16 && entropy(v) < 2.5 || isWords(v) && r.letters >= r.digits {
		return false
	}
	if r.letters > 0 && r.digits < 3 && bitsOf(v) < 8 {
		return false
	}
	return r.letters > 0 && (r.digits > 0 || r.switches >= 4) || r.digits >= 8 && r.other > 0 || r.digits == len(v)
}

// report turns located candidates into findings. masked are those whose values the
// excerpts do not show: found, and maybe others, in order of their place.
func report(b *Blob, found, masked []candidate, noMarks bool) []Finding {
	where := b.Where
	if where == "" {
		where = InContent
	}
	var marks *marks
	if !noMarks && where == InContent {
		marks = newMarks(b.Data)
	}
	findings := make([]Finding, 0, len(found))
	k := 0 // of masked
	for i := range found {
		c := &found[i]
		for masked[k].from != c.from {
			k++
		}
		f := Finding{
			Rule: c.m.rule, Class: c.class, Secret: NewSecret([]byte(c.value)),
			Path: b.Path, Hash: b.Hash, Where: where, Location: c.location,
			Decoded: c.encodings, Facts: c.facts,
			Excerpt: []ExcerptLine{excerptOf(b.Data, masked, k)},
			Context: contextOf(b.Data, found, i),
		}
		if p := c.partner; p != nil {
			f.Partner = &Partner{Rule: p.m.rule, Secret: NewSecret([]byte(p.value)), Location: p.location, Sure: c.surePair}
		}
		f.Facts.fill(c)
		if marks != nil {
			if f.Mark = marks.at(c.from, c.to, c.m.rule.ID); f.Mark != nil {
				f.Mark.Line += b.Line
			}
		}
		findings = append(findings, f)
	}
	return findings
}

// fill adds what the value, and its other half, tell about themselves.
func (f *Facts) fill(c *candidate) {
	f.ID = c.id
	f.add(checksum.Read(c.m.rule.ID, c.value))
	if c.partner != nil {
		f.add(checksum.Read(c.partner.m.rule.ID, c.partner.value))
		if f.ID == "" {
			f.ID = Mask(c.partner.value)
		}
	}
}

func (f *Facts) add(more checksum.Facts) {
	f.Account = cmp.Or(f.Account, more.Account)
	f.Expires = cmp.Or(f.Expires, more.Expires)
	f.ID = cmp.Or(f.ID, more.ID)
	f.Note = cmp.Or(f.Note, more.Note)
}

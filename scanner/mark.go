package scanner

import (
	"bytes"
	"sort"
	"strings"
)

// Limits of inline marks. They keep a file that somebody else wrote from making
// marks slow or wide; past each of them a mark does not count, so that the
// finding is reported.
const (
	// maxMarks is how many times one mark may stand in a blob. Files that people
	// annotate by hand hold tens.
	maxMarks = 10000
	// markDistance is how many bytes may lie between a value and a mark on the
	// same line: a minified bundle is one line, and one comment in it must not
	// speak for all of it.
	markDistance = 1024
	// markTail is how much text after a mark is looked at for rule names and a
	// reason.
	markTail = 512
	// markContinued is how many lines one statement may go on for (lines that
	// end in a backslash) below a mark that stands above it.
	markContinued = 32
	// markDepth is how deep ignore-start blocks may nest.
	markDepth = 16
	// markWalk is how many marks before a value are tried as marks of a line
	// above it.
	markWalk = 64
)

type markKind uint8

const (
	markHere  markKind = iota // speaks for its own line, and for the next when it stands alone
	markNext                  // speaks for the next line only
	markStart                 // opens a block
	markEnd                   // closes a block
)

// inlineMark is one comment, as found in the data.
type inlineMark struct {
	start, end int // the words themselves, without names and reason
	tailEnd    int // end of names and reason
	lineStart  int
	lineEnd    int // offset of the line feed, or len(data)
	reach      int // end of the text below that the mark speaks for; 0 = none
	line       int // 1-based
	kind       markKind
	alone      bool // nothing else stands on the line
	tool       string
	reason     string
	rules      []string // nil = every rule
}

// markBlock is the text between an ignore-start and its ignore-end.
type markBlock struct {
	from, to int // to < 0: never closed, speaks for nothing
	parent   int // index of the block around it, -1 = none
	mark     int // index of the opening mark
}

// marks are the inline comments of one blob that declare values not to be
// secrets. Build it once for a blob that holds findings; at is then cheap
// however many findings there are. It keeps no reference to the data and is
// safe for concurrent use.
type marks struct {
	list   []inlineMark // by start
	blocks []markBlock  // by from
}

// findMark returns the mark that speaks for the value data[start:end] found by
// the named rule, or nil. For many values of one blob use newMarks.
func findMark(data []byte, start, end int, ruleID string) *Mark {
	return newMarks(data).at(start, end, ruleID)
}

// markWord is one spelling that is looked for. Other tools' words are honoured
// because nobody edits old comments when a team changes its scanner.
type markWord struct {
	text string
	tool string
	// comment demands a comment sign right before: the word is ordinary enough
	// to be the name of a variable.
	comment bool
	// rest finishes the word: it returns the kind, and the length of the words
	// after text that belong to the mark, or -1 when this is no mark. nil =
	// nothing follows, the mark is for its own line.
	rest func(after []byte) (markKind, int)
}

var markWords = [...]markWord{
	{text: "till:ignore", tool: "till", rest: restTill},
	{text: "gitleaks:allow", tool: "gitleaks"},
	{text: "betterleaks:allow", tool: "betterleaks"},
	{text: "trufflehog:ignore", tool: "trufflehog"},
	{text: "kingfisher:ignore", tool: "kingfisher"},
	{text: "pragma:", tool: "detect-secrets", rest: restPragma},
	{text: "secretlint-disable-", tool: "secretlint", rest: restSecretlint},
	{text: "ggignore", tool: "ggshield", comment: true},
	{text: "nosecret", tool: "nosecret", comment: true},
}

func restTill(after []byte) (markKind, int) {
	for _, s := range [...]struct {
		suffix string
		kind   markKind
	}{{"-next-line", markNext}, {"-start", markStart}, {"-end", markEnd}} {
		if bytes.HasPrefix(after, []byte(s.suffix)) {
			return s.kind, len(s.suffix)
		}
	}
	if len(after) > 1 && after[0] == '-' && isMarkWordByte(after[1]) {
		return 0, -1 // a form that does not exist must not pass for the plain one
	}
	return markHere, 0
}

func restSecretlint(after []byte) (markKind, int) {
	switch {
	case bytes.HasPrefix(after, []byte("next-line")):
		return markNext, len("next-line")
	case bytes.HasPrefix(after, []byte("line")):
		return markHere, len("line")
	}
	return 0, -1
}

// restPragma reads `allowlist secret` and `allowlist nextline secret`, also
// with the older word.
func restPragma(after []byte) (markKind, int) {
	at, kind := 0, markHere
	word := func(w string) bool {
		n := at
		for n < len(after) && (after[n] == ' ' || (at > 0 && after[n] == '-')) {
			n++
		}
		if !bytes.HasPrefix(after[n:], []byte(w)) {
			return false
		}
		at = n + len(w)
		return true
	}
	if !word("allowlist") && !word("whitelist") {
		return 0, -1
	}
	if word("nextline") {
		kind = markNext
	}
	if !word("secret") {
		return 0, -1
	}
	return kind, at
}

func newMarks(data []byte) *marks {
	m := &marks{}
	type hit struct{ at, word int }
	var hits []hit
	for w := range markWords {
		text := []byte(markWords[w].text)
		for at, n := 0, 0; n < maxMarks; n++ {
			i := bytes.Index(data[at:], text)
			if i < 0 {
				break
			}
			hits = append(hits, hit{at + i, w})
			at += i + len(text)
		}
	}
	if len(hits) == 0 {
		return m
	}
	sort.Slice(hits, func(i, j int) bool { return hits[i].at < hits[j].at })

	// The line of the mark before is remembered, so that all lines together are
	// walked once however many marks share one.
	line, lineStart, lineEnd, counted := 1, 0, -1, 0
	for _, h := range hits {
		if h.at > lineEnd {
			line += bytes.Count(data[counted:h.at], []byte{'\n'})
			counted = h.at
			lineStart = bytes.LastIndexByte(data[lineEnd+1:h.at], '\n') + lineEnd + 2
			lineEnd = len(data)
			if i := bytes.IndexByte(data[h.at:], '\n'); i >= 0 {
				lineEnd = h.at + i
			}
		}
		mk, ok := readMark(data, h.at, lineStart, lineEnd, &markWords[h.word])
		if !ok {
			continue
		}
		mk.line = line
		if mk.kind == markNext || mk.kind == markHere && mk.alone {
			if n := len(m.list); n > 0 && m.list[n-1].lineStart == lineStart && m.list[n-1].reach > 0 {
				mk.reach = m.list[n-1].reach
			} else {
				mk.reach = statementEnd(data, lineEnd)
			}
		}
		m.list = append(m.list, mk)
	}
	m.findBlocks()
	return m
}

// readMark reads the mark whose word stands at offset at.
func readMark(data []byte, at, lineStart, lineEnd int, w *markWord) (inlineMark, bool) {
	mk := inlineMark{start: at, end: at + len(w.text), lineStart: lineStart, lineEnd: lineEnd, tool: w.tool}
	before := data[max(lineStart, at-markDistance):at]
	if n := len(before); n > 0 && (isMarkWordByte(before[n-1]) || bytes.IndexByte([]byte("-.@$"), before[n-1]) >= 0) {
		return mk, false
	}
	if w.rest != nil {
		kind, n := w.rest(data[mk.end:lineEnd])
		if n < 0 {
			return mk, false
		}
		mk.kind = kind
		mk.end += n
	}
	if mk.end < lineEnd && (isMarkWordByte(data[mk.end]) || data[mk.end] == '@' || data[mk.end] == '/') {
		return mk, false
	}
	if w.comment && !endsInCommentSign(before) {
		return mk, false
	}

	tail := data[mk.end:min(lineEnd, mk.end+markTail)]
	closed := len(tail)
	for _, c := range [...]string{"*/", "-->", "--}}", "}}", "#}", "*)", "%>", "?>", `"`} {
		if i := bytes.Index(tail[:closed], []byte(c)); i >= 0 {
			closed = i
		}
	}
	mk.tailEnd = mk.end + closed
	if w.tool == "till" {
		mk.rules, mk.reason = readMarkTail(string(tail[:closed]))
	}
	// A mark far out on a long line is not alone, whatever stands there.
	after := data[mk.tailEnd:lineEnd]
	mk.alone = at-lineStart <= markDistance && len(after) <= markTail && isCommentOpening(before) && !hasWord(after)
	if (mk.kind == markStart || mk.kind == markEnd) && !mk.alone {
		// A block speaks for many lines, so that its ends must be plain to see.
		return mk, false
	}
	return mk, true
}

// readMarkTail takes the text after a mark apart: rule names, then a reason
// after "--". Words that are no list of names are a reason too; one single
// word is a name even if no rule is called so, because a mark for a rule must
// not become one for all rules by a slip of the pen.
func readMarkTail(tail string) (names []string, reason string) {
	head := strings.TrimSpace(tail)
	if i := strings.Index(head, "--"); i == 0 || i > 0 && (head[i-1] == ' ' || head[i-1] == '\t') {
		reason = strings.TrimSpace(strings.TrimLeft(head[i:], "-"))
		head = strings.TrimSpace(head[:i])
	}
	if !hasWord([]byte(head)) {
		return nil, reason
	}
	if !isRuleName(head[:1]) {
		return nil, joinReasons(strings.TrimLeft(head, ":-,;.( \t"), reason)
	}
	rest, named := head, false
	for rest != "" {
		end := strings.IndexAny(rest, ", \t")
		word := rest
		if end >= 0 {
			word = rest[:end]
		}
		if !isRuleName(word) {
			break
		}
		names = append(names, word)
		named = named || strings.Contains(word, "-")
		rest = strings.TrimLeft(rest[len(word):], " \t")
		if !strings.HasPrefix(rest, ",") {
			break
		}
		rest = strings.TrimLeft(rest, ", \t")
	}
	switch {
	case len(names) == 0, rest != "" && !named && len(names) == 1:
		return nil, joinReasons(head, reason) // plain words
	default:
		return names, joinReasons(rest, reason)
	}
}

func joinReasons(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// isRuleName tells whether s is written like a rule's ID.
func isRuleName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && (c != '-' || i == 0) {
			return false
		}
	}
	return s != ""
}

func isMarkWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c >= 0x80
}

func hasWord(b []byte) bool {
	for _, c := range b {
		if isMarkWordByte(c) {
			return true
		}
	}
	return false
}

// isCommentOpening tells whether the text of a line before a mark is no more
// than the opening of a comment: signs, a keyword, or the key of a JSON member
// that serves as one.
func isCommentOpening(b []byte) bool {
	s := strings.TrimSpace(strings.TrimPrefix(string(b), "\ufeff"))
	if !hasWord([]byte(s)) {
		return true
	}
	switch strings.ToLower(s) {
	case "rem", "@rem", "dnl":
		return true
	}
	// "_comment": "
	s = strings.TrimLeft(s, "{[, \t")
	if !strings.HasPrefix(s, `"`) {
		return false
	}
	key, value, ok := strings.Cut(s[1:], `"`)
	key = strings.ToLower(strings.Trim(key, "_$/# "))
	value = strings.ReplaceAll(strings.ReplaceAll(value, " ", ""), "\t", "")
	return ok && (key == "comment" || key == "till") && value == `:"`
}

func endsInCommentSign(b []byte) bool {
	s := strings.TrimRight(string(b), " \t")
	for _, sign := range [...]string{"#", "//", "/*", "*", "--", ";", "%", "'"} {
		if strings.HasSuffix(s, sign) {
			return true
		}
	}
	return false
}

// statementEnd returns the end of the line that follows the line feed at
// lineEnd; lines that go on with a backslash (or a PowerShell backtick, or a
// caret of cmd) are one statement, which has no room for a comment inside.
func statementEnd(data []byte, lineEnd int) int {
	end := lineEnd
	for range markContinued {
		if end >= len(data) {
			break
		}
		begin := end + 1
		if i := bytes.IndexByte(data[begin:], '\n'); i >= 0 {
			end = begin + i
		} else {
			end = len(data)
		}
		text := bytes.TrimRight(data[begin:end], " \t\r")
		if !bytes.HasSuffix(text, []byte(`\`)) && !bytes.HasSuffix(text, []byte(" `")) && !bytes.HasSuffix(text, []byte(" ^")) {
			break
		}
	}
	return end
}

// findBlocks pairs starts with ends. A block that is never closed speaks for
// nothing: one forgotten line must not hide the rest of a file.
func (m *marks) findBlocks() {
	var open []int // indices into m.blocks
	tooDeep := 0
	for i := range m.list {
		mk := &m.list[i]
		switch mk.kind {
		case markStart:
			if len(open) == markDepth {
				tooDeep++
				continue
			}
			parent := -1
			if n := len(open); n > 0 {
				parent = open[n-1]
			}
			open = append(open, len(m.blocks))
			m.blocks = append(m.blocks, markBlock{from: mk.lineEnd, to: -1, parent: parent, mark: i})
		case markEnd:
			if tooDeep > 0 {
				tooDeep--
			} else if n := len(open); n > 0 {
				m.blocks[open[n-1]].to = mk.lineStart
				open = open[:n-1]
			}
		}
	}
}

// at returns the mark that speaks for the value at [start, end) of the data,
// found by the named rule, or nil. Mark.Line counts from the first line of the
// data. Words inside the value are never a mark.
func (m *marks) at(start, end int, ruleID string) *Mark {
	if len(m.list) == 0 {
		return nil
	}
	first := func(offset int) int {
		return sort.Search(len(m.list), func(i int) bool { return m.list[i].start >= offset })
	}
	before, after := first(start)-1, first(end)
	for i := after; i < len(m.list) && m.list[i].lineStart < end && m.list[i].start-end <= markDistance; i++ {
		if mk := &m.list[i]; mk.kind == markHere && mk.names(ruleID) {
			return mk.mark(start, end)
		}
	}
	for i := before; i >= 0 && m.list[i].lineEnd >= start && start-m.list[i].end <= markDistance; i-- {
		if mk := &m.list[i]; mk.kind == markHere && mk.end <= start && mk.names(ruleID) {
			return mk.mark(start, end)
		}
	}
	for i := before; i >= 0 && i > before-markWalk; i-- {
		if mk := &m.list[i]; mk.lineEnd < start && start <= mk.reach && mk.names(ruleID) {
			return mk.mark(start, end)
		}
	}
	// The last block opened before the value, or one around it.
	b := sort.Search(len(m.blocks), func(i int) bool { return m.blocks[i].from > start }) - 1
	for ; b >= 0; b = m.blocks[b].parent {
		if mk := &m.list[m.blocks[b].mark]; end <= m.blocks[b].to && mk.names(ruleID) {
			return mk.mark(start, end)
		}
	}
	return nil
}

func (mk *inlineMark) names(ruleID string) bool {
	if mk.rules == nil {
		return true
	}
	for _, r := range mk.rules {
		if r == ruleID {
			return true
		}
	}
	return false
}

func (mk *inlineMark) mark(start, end int) *Mark {
	reason := MaskText(mk.reason)
	if start < mk.tailEnd && mk.end < end {
		reason = "" // the value stands in it
	}
	return &Mark{Tool: mk.tool, Reason: reason, Line: mk.line}
}

// maskedWord is the length from which a word with letters and digits in it can
// be a credential: the shortest that prove themselves have 20 characters.
const maskedWord = 20

// MaskText makes text that a person wrote, such as the reason of a mark, fit
// to be shown: every word that could be a credential is masked.
func MaskText(s string) string {
	var out strings.Builder
	from := 0 // start of the word at hand
	flush := func(to int) {
		word := s[from:to]
		if len(word) >= maskedWord && strings.ContainsAny(word, "0123456789") {
			word = Mask(word)
		}
		out.WriteString(word)
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isMarkWordByte(c) && c != '-' && c != '+' && c != '=' {
			flush(i)
			out.WriteByte(c)
			from = i + 1
		}
	}
	flush(len(s))
	return out.String()
}

package config

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// Entry is one line of a .tillignore: a key, or all of a path, that is no
// secret.
//
//	<fingerprint or ID> [glob] [until=YYYY-MM-DD] [by=name]  # ID: reason
//	<glob> [until=YYYY-MM-DD] [by=name]                      # reason
type Entry struct {
	// Key is a fingerprint of 32 hexadecimal digits, or the ID of a report
	// ("ST-7Q4K", longer or shorter as long as it is clear); "" = all of Glob.
	Key string
	// Glob limits a Key to paths; see Pattern. It counts from the root.
	Glob string
	// Until is the last day on which the entry applies, YYYY-MM-DD in UTC; "" =
	// no end.
	Until string
	By    string
	// ID is the short form of the key that the comment names, for people.
	ID     string
	Reason string

	Line     int      // 1-based in the file that was read
	Comments []string // comment lines right above, with their "#"

	pattern *Pattern
}

// Ignore is a .tillignore. Entries may be changed before Format; otherwise it
// is immutable and safe for concurrent use.
type Ignore struct {
	Entries []Entry

	file   string
	header []string // comment lines at the top, with a blank line below them
	tail   []string // comment lines after the last entry
	crlf   bool
}

var (
	fingerprintRE = regexpLazy(`^[0-9a-f]{32}$`)
	idRE          = regexpLazy(`^[A-Z]{2}-[0-9A-Z]{4,26}$`)
	commentRE     = regexpLazy(`^([A-Z]{2}-[0-9A-Z]{4,26}):(?:[ \t]+|$)`)
	// hexRE is what looks like a fingerprint and is none: cut short, in capital
	// letters, or a commit's hash.
	hexRE = regexpLazy(`^[0-9A-Fa-f]{24,64}$`)
	// optionRE is what looks like an option.
	optionRE = regexpLazy(`^[a-z-]+=`)
)

// regexpLazy compiles on first use: a hook in a repository without .tillignore
// pays nothing.
func regexpLazy(expr string) func(string) []string {
	re := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
	return func(s string) []string { return re().FindStringSubmatch(s) }
}

func loadIgnore(fsys fs.FS) (*Ignore, error) {
	data, ok, err := readFile(fsys, IgnoreName)
	if err != nil || !ok {
		return nil, err
	}
	return ParseIgnore(IgnoreName, data)
}

// ParseIgnore reads a .tillignore. name is used in errors and as the source of
// suppressions. The error joins one rules.FileError for each bad line.
func ParseIgnore(name string, data []byte) (*Ignore, error) {
	g := &Ignore{file: name}
	f := &faults{file: name}
	data = bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))
	if i := bytes.IndexByte(data, 0); i >= 0 {
		f.add(1+bytes.Count(data[:i], []byte{'\n'}), 1, "holds a NUL byte: expected UTF-8 text (a PowerShell redirection writes UTF-16)")
		return nil, join(f.list)
	}
	var comments []string
	number := 0
	for line := range bytes.Lines(data) {
		number++
		text := string(line)
		if t, ok := strings.CutSuffix(text, "\r\n"); ok {
			text, g.crlf = t, g.crlf || number == 1
		}
		text = strings.TrimFunc(text, unicode.IsSpace)
		switch {
		case text == "":
			if len(g.Entries) == 0 && len(g.header) == 0 {
				g.header, comments = comments, nil
			}
		case !utf8.ValidString(text):
			f.add(number, 1, "is not UTF-8 text")
		case hasControl(text):
			f.add(number, 1, "holds a control character")
		case strings.HasPrefix(text, "#"):
			comments = append(comments, text)
		default:
			e, column, err := parseEntry(text)
			if err != nil {
				f.add(number, column, "%v", err)
				continue
			}
			e.Line, e.Comments, comments = number, comments, nil
			g.Entries = append(g.Entries, e)
		}
	}
	g.tail = comments
	if len(f.list) == 0 {
		var all []*Pattern
		for i := range g.Entries {
			if e := &g.Entries[i]; e.Key == "" {
				all = append(all, e.pattern)
			}
		}
		if coverAll(all) {
			f.add(1, 1, "the globs together match almost everything: an ignore file cannot switch the scan off")
		}
	}
	if len(f.list) > 0 {
		return nil, join(f.list)
	}
	return g, nil
}

// parseEntry reads a line without white space around it. column is where the
// fault is.
func parseEntry(line string) (e Entry, column int, err error) {
	if _, marker := conflictMarker([]byte(line)); marker != "" || strings.HasPrefix(line, "=======") {
		if marker == "" {
			marker = "======="
		}
		return e, 1, fmt.Errorf("%s", conflictMessage(marker))
	}
	fields, comment := splitEntry(line)
	if m := commentRE(comment); m != nil {
		e.ID, comment = m[1], comment[len(m[0]):]
	}
	e.Reason = strings.TrimSpace(comment)

	if len(fields) == 0 {
		return e, 1, fmt.Errorf("expected a fingerprint, an ID or a glob")
	}
	first := fields[0].text
	column = fields[0].column
	switch {
	case fingerprintRE(strings.ToLower(first)) != nil:
		e.Key = strings.ToLower(first)
	case idRE(first) != nil:
		e.Key = first
	case hexRE(first) != nil:
		return e, column, fmt.Errorf("%d hexadecimal digits: expected a fingerprint of 32 (as till allow writes it), the ID of a report, or a glob", len(first))
	case optionRE(first) != nil:
		return e, column, fmt.Errorf("expected a fingerprint, an ID or a glob in front of %q", optionRE(first)[0])
	default:
		e.Glob = first
	}
	globAt := column
	for _, f := range fields[1:] {
		column = f.column
		option := optionRE(f.text)
		switch {
		case option != nil && option[0] == "until=":
			e.Until = f.text[len(option[0]):]
			if _, err := time.Parse(time.DateOnly, e.Until); err != nil {
				return e, column, fmt.Errorf("until: expected a day, such as until=2027-06-01")
			}
		case option != nil && option[0] == "by=":
			if e.By = unescape(f.text[len(option[0]):]); e.By == "" {
				return e, column, fmt.Errorf("by: expected a name, such as by=dana")
			}
		case option != nil:
			hint := ""
			if near := nearest(option[0], []string{"until=", "by="}); near != "" {
				hint = fmt.Sprintf(" (did you mean %q?)", near)
			}
			return e, column, fmt.Errorf("unknown option %q: expected until= or by=%s; a glob with a = in it starts with ./", option[0], hint)
		case e.Glob != "":
			return e, column, fmt.Errorf("a second glob: expected one for each line; a blank in a glob is written with a backslash before it, a reason after #")
		default:
			e.Glob, globAt = f.text, f.column
		}
	}
	if e.Glob != "" {
		if strings.HasPrefix(e.Glob, "!") {
			return e, globAt, fmt.Errorf("a glob with ! in front: expected plain ones, the order of lines does not count here")
		}
		if e.pattern, err = CompilePattern(e.Glob, ""); err != nil {
			return e, globAt, fmt.Errorf("%q %w", e.Glob, err)
		}
	}
	return e, 0, nil
}

type field struct {
	text   string
	column int
}

// splitEntry cuts a line at blanks that no backslash protects; a # at the start
// of a word begins the comment, which comes back without it.
func splitEntry(line string) (fields []field, comment string) {
	begin := -1
	end := func(i int) {
		if begin >= 0 {
			fields = append(fields, field{line[begin:i], begin + 1})
			begin = -1
		}
	}
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == ' ' || c == '\t':
			end(i)
		case c == '#' && begin < 0:
			return fields, strings.TrimSpace(line[i+1:])
		default:
			if begin < 0 {
				begin = i
			}
			if c == '\\' {
				i++
			}
		}
	}
	end(len(line))
	return fields, ""
}

// hasControl finds what has no place in a line of text; a tab has one.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\t' })
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func escape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c == ' ' || c == '\t' || c == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func (e *Entry) isFingerprint() bool { return len(e.Key) == 32 && e.Key[2] != '-' }

func (e *Entry) matchPath(name string) bool { return e.pattern != nil && e.pattern.Match(name) }

func (e *Entry) expired(today string) bool { return e.Until != "" && e.Until < today }

// String writes the entry as one line, in the form that ParseIgnore reads and
// Format keeps.
func (e *Entry) String() string {
	var b strings.Builder
	b.WriteString(cmp.Or(e.Key, e.Glob))
	if e.Key != "" && e.Glob != "" {
		b.WriteString("  " + e.Glob)
	}
	if e.Until != "" {
		b.WriteString("  until=" + e.Until)
	}
	if e.By != "" {
		if e.Until == "" {
			b.WriteByte(' ')
		}
		b.WriteString(" by=" + escape(e.By))
	}
	switch {
	case e.ID != "":
		b.WriteString(strings.TrimRight("  # "+e.ID+": "+e.Reason, " "))
	case e.Reason != "":
		b.WriteString("  # " + e.Reason)
	}
	return b.String()
}

// check is what ParseIgnore would find in the entry's line.
func (e *Entry) check() error {
	line := e.String()
	if hasControl(line) || !utf8.ValidString(line) {
		return fmt.Errorf("entry %q: holds a line end or a control character", cmp.Or(e.ID, e.Key, e.Glob))
	}
	back, _, err := parseEntry(line)
	if err != nil {
		return fmt.Errorf("entry %q: %w", cmp.Or(e.ID, e.Key, e.Glob), err)
	}
	if back.Key != e.Key || back.Glob != e.Glob || back.Until != e.Until || back.By != e.By || back.ID != e.ID || back.Reason != e.Reason {
		return fmt.Errorf("entry %q: cannot be written as one line", cmp.Or(e.ID, e.Key, e.Glob))
	}
	e.pattern = back.pattern
	return nil
}

// order sorts fingerprints first, then IDs, then globs.
func (e *Entry) order(o *Entry) int {
	kind := func(e *Entry) int {
		switch {
		case e.Key == "":
			return 2
		case e.isFingerprint():
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(kind(e), kind(o)), strings.Compare(e.Key, o.Key), strings.Compare(e.Glob, o.Glob), strings.Compare(e.String(), o.String()))
}

// Format writes the file in its canonical form: sorted, each entry once, no
// line numbers or dates of its own, so that git can merge two of them by
// taking all lines of both (merge=union). Comments stay with the entry below
// them.
func (g *Ignore) Format() []byte {
	entries := slices.Clone(g.Entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { return a.order(&b) })
	var lines []string
	lines = append(lines, g.header...)
	if len(g.header) > 0 && len(entries)+len(g.tail) > 0 {
		lines = append(lines, "")
	}
	last := ""
	for i := range entries {
		lines = append(lines, entries[i].Comments...)
		if text := entries[i].String(); text != last || len(entries[i].Comments) > 0 {
			lines = append(lines, text)
			last = text
		}
	}
	lines = append(lines, g.tail...)
	eol := "\n"
	if g.crlf {
		eol = "\r\n"
	}
	var b bytes.Buffer
	for _, l := range lines {
		b.WriteString(l)
		b.WriteString(eol)
	}
	return b.Bytes()
}

package literal

import (
	"bytes"
	"strings"

	"github.com/till-sh/till/rotate/internal/lazy"
)

// file is one file in which values are replaced.
type file struct {
	lang   *language
	path   string
	src    []byte
	tokens []token
	looks  bool // the last edits hold a lookup: what it needs must be imported
}

const (
	whyNoString = "it does not stand in a string that till understands"
	whyConstant = "only a constant may stand there"
)

// replace plans the edits for one occurrence, or says why it cannot.
func (f *file) replace(v Value, at int) ([]Edit, string) {
	if f.lang.replace != nil {
		return f.lang.replace(f, v, at)
	}
	end := at + len(v.Text)
	var t *token
	for i := range f.tokens {
		if f.tokens[i].start <= at && end <= f.tokens[i].end {
			t = &f.tokens[i]
		}
	}
	switch {
	case t == nil:
		return nil, whyNoString
	case t.comment:
		return []Edit{{at, end, "$" + v.Env}}, ""
	case strings.Contains(v.Text, "\\") || at > 0 && f.src[at-1] == '\\':
		return nil, "the value is written with escapes"
	case strings.ContainsAny(v.Text, "\r\n"):
		return nil, "the value goes over several lines"
	}
	if f.lang.refuse != nil {
		if why := f.lang.refuse(f, *t); why != "" {
			return nil, why
		}
	}
	var edits []Edit
	if f.lang.constant != nil {
		more, why := f.lang.constant(f.src, *t)
		if why != "" {
			return nil, why
		}
		edits = more
	}
	if t.in == at && t.out == end {
		f.looks = true
		return append(edits, Edit{t.start, t.end, f.whole(*t, v.Env)}), ""
	}
	more, why := f.part(*t, at, end, v.Env)
	if why != "" {
		return nil, why
	}
	f.looks = true
	return append(edits, more...), ""
}

// whole is the expression in the place of a whole string.
func (f *file) whole(t token, env string) string {
	x := f.lang.lookup(env)
	switch {
	case f.lang == python && strings.ContainsAny(t.prefix, "bB"):
		return x + ".encode()"
	case f.lang == rust && !bytes.HasPrefix(f.src[t.end:], []byte(".")):
		return "&" + x
	}
	return x
}

// part cuts a string in two around the value: "Bearer …" becomes
// ("Bearer " + lookup).
func (f *file) part(t token, at, end int, env string) ([]Edit, string) {
	left, right := string(f.src[t.in:at]), string(f.src[end:t.out])
	switch {
	case f.lang.plus == "" || len(t.quote) > 1 || strings.ContainsAny(t.prefix, "bB@$"):
		return nil, "it is a part of a longer string"
	case strings.ContainsAny(left, "{}") && (strings.ContainsAny(t.prefix, "fF") || t.quote == "`" || f.lang == ruby || f.lang == kotlin || f.lang == php):
		return nil, "it is a part of a string that is put together"
	case strings.Contains(left+right, "\n"):
		return nil, "it is a part of a string of several lines"
	}
	var b strings.Builder
	b.WriteString("(")
	if left != "" {
		b.WriteString(t.prefix + t.quote + left + t.quote + " " + f.lang.plus + " ")
	}
	b.WriteString(f.lang.lookup(env))
	if right != "" {
		b.WriteString(" " + f.lang.plus + " " + t.prefix + t.quote + right + t.quote)
	}
	b.WriteString(")")
	return []Edit{{t.start, t.end, b.String()}}, ""
}

// around is the code of the line before and behind a string, without blanks at the string.
func (f *file) around(t token) (before, behind string) {
	return strings.TrimRight(string(f.src[lineStart(f.src, t.start):t.start]), " \t"), strings.TrimLeft(string(f.src[t.end:lineEnd(f.src, t.end)]), " \t\r")
}

// beside reports whether another string is glued to this one: "a" "b".
func (f *file) beside(t token) bool {
	for _, o := range f.tokens {
		if !o.comment && o.start != t.start && (o.end <= t.start && strings.TrimSpace(string(f.src[o.end:t.start])) == "" ||
			o.start >= t.end && strings.TrimSpace(string(f.src[t.end:o.start])) == "") {
			return true
		}
	}
	return false
}

// replaceText puts a variable in the place of the value, wherever it stands.
func replaceText(f *file, v Value, at int) ([]Edit, string) {
	if strings.ContainsAny(v.Text, "\r\n") {
		return nil, "the value goes over several lines"
	}
	return []Edit{{at, at + len(v.Text), f.lang.inside(f.path, f.src, v.Env)}}, ""
}

var pythonImport = lazy.Regexp(`(?m)^import (?:[\w.]+ *, *)*os(?: *,.*| *#.*| *\r?)?$`)

// importPython puts "import os" where PEP 8 wants it: behind the description of
// the module and what is imported from __future__, before all else.
func importPython(src []byte) []Edit {
	if pythonImport().Match(src) {
		return nil
	}
	at := 0
	skip := func() {
		for at < len(src) && (src[at] == '#' || src[at] == '\n' || src[at] == '\r') {
			at = min(lineEnd(src, at)+1, len(src))
		}
	}
	skip()
	for _, q := range pythonQuotes {
		if t, ok := stringAt(&language{quotes: []quote{q}}, src, at); ok && t.start == at {
			at = min(lineEnd(src, t.end)+1, len(src))
			break
		}
	}
	describedTo := at
	for {
		skip()
		if !bytes.HasPrefix(src[at:], []byte("from __future__")) {
			break
		}
		at = min(lineEnd(src, at)+1, len(src))
		describedTo = at
	}
	if bytes.HasPrefix(src[at:], []byte("import ")) || bytes.HasPrefix(src[at:], []byte("from ")) {
		return []Edit{{at, at, "import os\n"}}
	}
	// Comments at the top (#!, coding, a licence) stay there.
	if describedTo == 0 {
		describedTo = at
	}
	return []Edit{{describedTo, describedTo, "import os\n\n"}}
}

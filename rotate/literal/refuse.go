package literal

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/till-sh/till/rotate/internal/lazy"
)

// Where no expression may stand in the place of a string.

// statement is the code of the statement before a string: without strings,
// comments and what brackets enclose that are closed again. Open brackets stay;
// with braces the code before an open { belongs to it as well.
func (f *file) statement(t token, braces bool) string {
	var out []byte // backwards
	depth, k := 0, len(f.tokens)-1
	for i := t.start - 1; i >= 0; i-- {
		for k >= 0 && f.tokens[k].start > i {
			k--
		}
		if k >= 0 && i < f.tokens[k].end {
			i = f.tokens[k].start
			if depth == 0 {
				out = append(out, ' ')
			}
			continue
		}
		switch c := f.src[i]; {
		case strings.IndexByte(")]}", c) >= 0:
			depth++
			continue
		case strings.IndexByte("([{", c) >= 0 && depth > 0:
			depth--
			continue
		case depth == 0 && (c == ';' || c == '{' && !braces):
			i = 0
			continue
		case depth == 0:
			out = append(out, c)
		}
		if len(out) > 4000 {
			break
		}
	}
	for a, b := 0, len(out)-1; a < b; a, b = a+1, b-1 {
		out[a], out[b] = out[b], out[a]
	}
	return string(out)
}

func startsWithWord(line, word string) bool {
	line = strings.TrimLeft(line, " \t")
	return strings.HasPrefix(line, word) && (len(line) == len(word) || !isNameByte(line[len(word)]))
}

func refusePython(f *file, t token) string {
	before, _ := f.around(t)
	switch {
	case startsWithWord(before, "case"):
		return whyConstant
	case f.beside(t):
		return "it is a part of a string that is put together"
	case len(t.quote) == 3 && before == "":
		return "it stands in a description"
	}
	return ""
}

var (
	jsx    = lazy.Regexp(`<[A-Za-z][^>]*[A-Za-z]=$`)
	jsxTag = lazy.Regexp(`<[A-Za-z][\w.]*\s[^<>;]*[A-Za-z]=$`)
	tsType = lazy.Regexp(`^\s*(?:export\s+|declare\s+)*type\s+\w`)
	tsEnum = lazy.Regexp(`\benum\s+\w+\s*\{[^{}]*$`)
)

// inTag reports whether a string is an attribute of a tag of JSX that began on an
// earlier line.
func (f *file) inTag(t token) bool {
	from := max(0, t.start-2000)
	return t.start > 0 && f.src[t.start-1] == '=' && jsxTag().Match(f.src[from:t.start])
}

func refuseJavaScript(f *file, t token) string {
	before, behind := f.around(t)
	switch {
	case startsWithWord(before, "import") || startsWithWord(before, "export") && strings.HasSuffix(before, "from"), startsWithWord(before, "case"):
		return whyConstant
	case strings.HasPrefix(behind, ":") && !strings.Contains(before, "?"):
		return "it is the name of a property"
	case jsx().MatchString(before), strings.HasPrefix(behind, "as const"):
		return whyConstant
	case f.inTag(t):
		return whyConstant
	case f.lang.types && (tsType().MatchString(f.statement(t, false)) || tsEnum().MatchString(f.statement(t, true))):
		return whyConstant
	case f.lang.types && strings.HasSuffix(before, ":") && behind != "" && strings.IndexByte("=;|", behind[0]) >= 0:
		return whyConstant // a type
	case t.quote == "`" && before != "" && (isNameByte(before[len(before)-1]) || before[len(before)-1] == ')') && f.src[t.start-1] == before[len(before)-1]:
		return "a function reads the string (tagged template)"
	}
	return ""
}

func refuseRuby(f *file, t token) string {
	_, behind := f.around(t)
	switch {
	case strings.HasPrefix(string(f.src[t.end:]), ":") && !strings.HasPrefix(behind, "::"):
		return "it is the name of a property"
	case f.beside(t):
		return "it is a part of a string that is put together"
	case rubyHeredoc().Match(f.src[:t.start]):
		return whyNoString // till does not follow them
	}
	return ""
}

var rubyHeredoc = lazy.Regexp(`<<[~-]["'\x60]?[A-Z_]+|<<[A-Z_]{2,}`)

var annotation = lazy.Regexp(`@\w[\w.]*\s*\(|@\w+:`)

func refuseJava(f *file, t token) string {
	before, _ := f.around(t)
	switch {
	case startsWithWord(before, "case") || startsWithWord(before, "import") || annotation().MatchString(before) || annotation().MatchString(f.statement(t, false)):
		return whyConstant
	case f.nameInAnnotation(t):
		return "an annotation or a case needs the constant"
	case t.quote == "'":
		return whyNoString
	}
	return ""
}

var javaConstant = lazy.Regexp(`\b(?:final\s+String|const\s+val|static\s+final\s+\w+)\s+(\w+)\s*(?::\s*\w+\s*)?=\s*$`)

// nameInAnnotation reports whether the constant that a string is the value of is
// used in the file where only a constant may stand.
func (f *file) nameInAnnotation(t token) bool {
	m := javaConstant().FindStringSubmatch(f.statement(t, false))
	if m == nil {
		return false
	}
	uses := regexp.MustCompile(`(?m)(?:@\w[\w.]*\s*\([^;{}]*|^\s*case\s[^\n:]*)\b` + m[1] + `\b`)
	return uses.Match(f.src)
}

func constantKotlin(src []byte, t token) ([]Edit, string) {
	from := lineStart(src, t.start)
	if i := bytes.Index(src[from:t.start], []byte("const val ")); i >= 0 {
		return []Edit{{from + i, from + i + len("const "), ""}}, ""
	}
	return nil, ""
}

var (
	phpMember    = lazy.Regexp(`\b(public|private|protected|static|var|readonly|const|case)\b[^;]*$`)
	phpDefault   = lazy.Regexp(`\b(function|fn)\b\s*&?\w*\s*\([^()]*$`)
	phpParameter = lazy.Regexp(`\b(function|fn)\b[^{]*\(`)
)

func refusePHP(f *file, t token) string {
	before, _ := f.around(t)
	switch {
	case phpMember().MatchString(before) || phpMember().MatchString(f.statement(t, false)) || phpDefault().MatchString(f.statement(t, false)) || phpParameter().MatchString(before) && !strings.Contains(before, "{"), strings.Contains(before, "#["):
		return whyConstant
	case !bytes.Contains(f.src[:t.start], []byte("<?")), bytes.LastIndex(f.src[:t.start], []byte("?>")) > bytes.LastIndex(f.src[:t.start], []byte("<?")):
		return "it stands outside of the program's code"
	case bytes.Contains(f.src[:t.start], []byte("<<<")):
		return whyNoString // till does not follow heredocs of PHP
	}
	return ""
}

var (
	csAttribute = lazy.Regexp(`^\s*\[[A-Za-z]`)
	csDefault   = lazy.Regexp(`string\??\s+\w+\s*=$`)
	csMember    = lazy.Regexp(`\b(public|private|internal|protected)\b.*\b(const)\s+string\b`)
)

func refuseCSharp(f *file, t token) string {
	before, behind := f.around(t)
	switch {
	case csAttribute().MatchString(before) || csAttribute().MatchString(f.statement(t, false)) || startsWithWord(before, "case") || startsWithWord(before, "using"):
		return whyConstant
	case csDefault().MatchString(before) && strings.Contains(before, "(") && (behind == "" || behind[0] == ',' || behind[0] == ')'):
		return whyConstant
	case strings.HasPrefix(behind, "=>"), t.quote == "'":
		return whyConstant
	case !strings.Contains(before, "const ") && csConst().MatchString(f.statement(t, false)):
		return whyConstant // declared on an earlier line
	}
	return ""
}

var csConst = lazy.Regexp(`\bconst\s+\w`)

func constantCSharp(src []byte, t token) ([]Edit, string) {
	from := lineStart(src, t.start)
	line := src[from:t.start]
	if m := csMember().FindSubmatchIndex(line); m != nil {
		return []Edit{{from + m[4], from + m[5], "static readonly"}}, ""
	}
	if bytes.Contains(line, []byte("const ")) {
		return nil, whyConstant
	}
	return nil, ""
}

var (
	rustConst = lazy.Regexp(`\b(const|static)\s+((mut\s+)?\w+\s*:|fn\b|unsafe\b)`)
	rustMacro = lazy.Regexp(`\w!\s*[(\[{]\s*$`)
)

func refuseRust(f *file, t token) string {
	before, behind := f.around(t)
	code := f.statement(t, true)
	switch {
	case rustConst().MatchString(code), strings.HasPrefix(behind, "=>"), strings.HasPrefix(behind, "|"), strings.Contains(code, "#["):
		return whyConstant
	case rustMacro().MatchString(code):
		return "a macro reads the string"
	case t.prefix != "":
		return whyNoString
	case !strings.HasPrefix(behind, ".") && (strings.HasSuffix(before, "=>") || startsWithWord(before, "return") || before == "" && (behind == "" || behind[0] == '}') && !strings.HasSuffix(strings.TrimSpace(code), "=") && !strings.HasSuffix(strings.TrimSpace(code), "(")):
		return "a reference to it is returned"
	}
	return ""
}

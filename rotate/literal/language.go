package literal

import (
	"bytes"
	"path"
	"strings"
)

// language is how a kind of file writes strings and reads the environment.
type language struct {
	line      []string    // begin a comment of one line
	block     [][2]string // around a comment
	blankHash bool        // # begins a comment only behind a blank
	quotes    []quote     // the longest first
	prefixes  string      // letters that may stand before a quote
	regex     bool        // has /…/
	types     bool        // strings can be types
	// lookup is the expression that reads a variable.
	lookup func(env string) string
	plus   string // joins strings; "" = a part of a string cannot be moved
	// inside, when the whole file (not only its strings) has variables.
	inside func(path string, src []byte, env string) string
	// refuse says why no expression may stand at a string; "" = it may.
	refuse func(f *file, t token) string
	// constant rewrites the declaration around a string that no constant can be.
	constant func(src []byte, t token) (edits []Edit, why string)
	lex      func(src []byte) []token
	replace  func(f *file, v Value, at int) ([]Edit, string)
	imports  func(src []byte) []Edit
	note     func(path string) string
}

var (
	double = quote{open: `"`, close: `"`}
	single = quote{open: `'`, close: `'`}
	slash  = []string{"//"}
	stars  = [][2]string{{"/*", "*/"}}

	pythonQuotes = []quote{{`"""`, `"""`, true, false}, {`'''`, `'''`, true, false}, double, single}
)

var (
	python = &language{
		line: []string{"#"}, prefixes: "bBrRuUfF", plus: "+",
		quotes: pythonQuotes,
		lookup: func(env string) string { return `os.environ["` + env + `"]` },
		refuse: refusePython, imports: importPython,
	}
	javascript = &language{
		line: slash, block: stars, regex: true, plus: "+", quotes: []quote{double, single, {"`", "`", true, false}},
		lookup: func(env string) string { return "process.env." + env }, refuse: refuseJavaScript,
	}
	typescript = &language{
		types: true, line: slash, block: stars, regex: true, plus: "+", quotes: javascript.quotes,
		lookup: func(env string) string { return "process.env." + env + "!" }, refuse: refuseJavaScript,
	}
	ruby = &language{
		line: []string{"#"}, regex: true, plus: "+", quotes: []quote{double, single}, blankHash: true,
		lookup: func(env string) string { return `ENV.fetch("` + env + `")` }, refuse: refuseRuby,
	}
	java = &language{
		line: slash, block: stars, plus: "+", quotes: []quote{{`"""`, `"""`, true, false}, double, single},
		lookup: func(env string) string { return `System.getenv("` + env + `")` }, refuse: refuseJava,
	}
	kotlin = &language{
		line: slash, block: stars, plus: "+", quotes: []quote{{`"""`, `"""`, true, true}, double, single},
		lookup: java.lookup, refuse: refuseJava, constant: constantKotlin,
	}
	php = &language{
		line: []string{"//", "#"}, block: stars, plus: ".", quotes: []quote{{`"`, `"`, true, false}, {`'`, `'`, true, false}},
		lookup: func(env string) string { return "getenv('" + env + "')" }, refuse: refusePHP,
	}
	csharp = &language{
		line: slash, block: stars, plus: "+", quotes: []quote{{`"""`, `"""`, true, true}, double, single}, prefixes: "@$",
		lookup: func(env string) string { return `System.Environment.GetEnvironmentVariable("` + env + `")` },
		refuse: refuseCSharp, constant: constantCSharp,
	}
	rust = &language{
		line: slash, block: stars, quotes: []quote{{`"`, `"`, true, false}}, prefixes: "br",
		lookup: func(env string) string { return `std::env::var("` + env + `").expect("` + env + ` is not set")` },
		refuse: refuseRust,
	}
	golang = &language{replace: replaceGo, imports: importGo, lex: func([]byte) []token { return nil }}
	shell  = &language{replace: replaceShell, lex: func([]byte) []token { return nil }}
	yaml   = &language{
		replace: replaceText, lex: func([]byte) []token { return nil },
		inside: func(p string, _ []byte, env string) string {
			if isWorkflow(p) {
				return "${{ secrets." + env + " }}"
			}
			return "${" + env + "}"
		},
		note: func(p string) string {
			switch {
			case isWorkflow(p):
				return "set it as a secret of the repository: gh secret set NAME"
			case isCompose(p):
				return ""
			}
			return "whatever reads this file must put ${…} in from the environment"
		},
	}
)

var extensions = map[string]*language{
	".go": golang, ".py": python, ".pyw": python, ".js": javascript, ".mjs": javascript, ".cjs": javascript, ".jsx": javascript,
	".ts": typescript, ".mts": typescript, ".cts": typescript, ".tsx": typescript, ".rb": ruby, ".rake": ruby, ".java": java, ".kt": kotlin, ".kts": kotlin,
	".php": php, ".cs": csharp, ".rs": rust, ".sh": shell, ".bash": shell, ".zsh": shell, ".yml": yaml, ".yaml": yaml,
}

// languageOf tells the language by the name, or by the first line (#!) of a
// file without one; nil = unknown.
func languageOf(p string, src []byte) *language {
	base := strings.ToLower(path.Base(p))
	l := extensions[path.Ext(base)]
	switch {
	case base == "rakefile" || base == "gemfile":
		l = ruby
	case l == nil && path.Ext(base) == "" && bytes.HasPrefix(src, []byte("#!")):
		first := string(src[:lineEnd(src, 0)])
		for _, of := range []struct {
			word string
			lang *language
		}{{"python", python}, {"node", javascript}, {"ruby", ruby}, {"php", php}, {"sh", shell}} {
			if strings.Contains(first, of.word) {
				return of.lang
			}
		}
	case l == yaml && bytes.Contains(src, []byte("apiVersion:")) && bytes.Contains(src, []byte("kind:")):
		return nil // Kubernetes puts nothing in
	}
	return l
}

func isWorkflow(p string) bool { return strings.Contains("/"+p, "/.github/workflows/") }

func isCompose(p string) bool { return strings.Contains(path.Base(p), "compose") }

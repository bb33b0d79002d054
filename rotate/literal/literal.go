// Package literal takes values out of source code and puts a lookup in the
// environment in their place, in the words of the file's language.
//
// It works on bytes and touches no file. What it does not understand (a value
// in the middle of code that it cannot parse, a constant that no call may
// stand for) it leaves as it is and says why: a program that does not build any
// more is no fix.
package literal

import (
	"bytes"
	"slices"
	"strings"
)

// A Value is what is to leave the code.
type Value struct {
	Text string // as it stands in the code
	Env  string // name of the environment variable that takes its place
	// Only, if not empty, are the names beside which the value is meant: for a
	// password that is a common word.
	Only []string
}

// An Edit replaces src[Start:End]. Start == End inserts.
type Edit struct {
	Start, End int
	Text       string
}

// ByHand is an occurrence that stays, and what a person does about it.
type ByHand struct {
	Line int // 1-based
	Why  string
}

// Result is what Move would do to one file.
type Result struct {
	Edits  []Edit // in order, apart from each other
	ByHand []ByHand
	Note   string // what else the file needs to work, "" = nothing
	Moved  int    // how many occurrences leave
}

// Move plans the edits for one file. path tells the language; src is not changed.
func Move(path string, src []byte, values []Value) Result {
	l := languageOf(path, src)
	var r Result
	if l == nil {
		for _, v := range values {
			for _, at := range occurrences(src, v.Text) {
				r.ByHand = append(r.ByHand, ByHand{lineOf(src, at), "till does not know how a file of this kind reads the environment"})
			}
		}
		return r
	}
	f := &file{lang: l, path: path, src: src}
	if l.lex != nil {
		f.tokens = l.lex(src)
	} else {
		f.tokens = lex(l, src)
	}
	looks := false
	for _, v := range values {
		for _, at := range occurrences(src, v.Text) {
			if len(v.Only) > 0 && !slices.Contains(v.Only, NameBefore(src, at)) {
				continue
			}
			f.looks = false
			edits, why := f.replace(v, at)
			if why == "" && overlaps(r.Edits, edits) {
				why = "several values stand in one string"
			}
			if why != "" {
				r.ByHand = append(r.ByHand, ByHand{lineOf(src, at), why})
				continue
			}
			r.Edits = append(r.Edits, edits...)
			r.Moved++
			looks = looks || f.looks
		}
	}
	if l.imports != nil && looks {
		r.Edits = append(r.Edits, l.imports(src)...)
	}
	if r.Moved > 0 && l.note != nil {
		r.Note = l.note(path)
	}
	slices.SortStableFunc(r.Edits, func(a, b Edit) int { return a.Start - b.Start })
	slices.SortStableFunc(r.ByHand, func(a, b ByHand) int { return a.Line - b.Line })
	return r
}

// Apply makes the edits. Line breaks in them become those of the file.
func Apply(src []byte, edits []Edit) []byte {
	crlf := bytes.Contains(src, []byte("\r\n"))
	var out []byte
	at := 0
	for _, e := range edits {
		text := e.Text
		if crlf {
			text = strings.ReplaceAll(text, "\n", "\r\n")
		}
		out = append(append(out, src[at:e.Start]...), text...)
		at = e.End
	}
	return append(out, src[at:]...)
}

// Known reports whether till can move values in files of this kind.
func Known(path string, src []byte) bool { return languageOf(path, src) != nil }

// NameBefore is the name that a value at src[at] is assigned to ("api_key" of
// stripe.api_key = "…"), "" when there is none on its line.
func NameBefore(src []byte, at int) string {
	line := src[bytes.LastIndexByte(src[:at], '\n')+1 : at]
	line = bytes.TrimRight(line, " \t")
	line = bytes.TrimRight(line, "\"'`") // the quote of the value
	for _, prefix := range []string{" b", " u", " r", " f", " @", " $", "=b", "=u", "=r", "=f"} {
		if bytes.HasSuffix(line, []byte(prefix)) {
			line = line[:len(line)-1]
		}
	}
	line = bytes.TrimRight(line, " \t&")
	trimmed := bytes.TrimRight(line, "=:>")
	if len(trimmed) == len(line) {
		return ""
	}
	line = bytes.TrimRight(trimmed, " \t")
	// name: String = "…", NAME: &'static str = "…"
	if i := bytes.LastIndexByte(line, ':'); i > 0 && bytes.HasSuffix(trimmed, []byte(" ")) && bytes.IndexAny(line[i:], "\"`({[;,") < 0 {
		line = bytes.TrimRight(line[:i], " \t?!")
	} else if i := bytes.LastIndexByte(line, ' '); i > 0 { // Go: var name string = "…"
		if last := string(line[i+1:]); last == "string" || last == "String" {
			line = bytes.TrimRight(line[:i], " \t")
		}
	}
	line = bytes.TrimRight(line, "\"'`])")
	end := len(line)
	from := end
	for from > 0 && isNameByte(line[from-1]) {
		from--
	}
	return strings.Trim(string(line[from:end]), "-")
}

func isNameByte(c byte) bool {
	return c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

func occurrences(src []byte, value string) []int {
	var all []int
	if value == "" {
		return nil
	}
	for at := 0; ; {
		i := bytes.Index(src[at:], []byte(value))
		if i < 0 {
			return all
		}
		all = append(all, at+i)
		at += i + len(value)
	}
}

func overlaps(have, more []Edit) bool {
	for _, a := range have {
		for _, b := range more {
			if a.Start < b.End && b.Start < a.End || a.Start == b.Start {
				return true
			}
		}
	}
	return false
}

func lineOf(src []byte, at int) int { return bytes.Count(src[:at], []byte("\n")) + 1 }

// lineStart and lineEnd are the bounds of the line that holds src[at].
func lineStart(src []byte, at int) int { return bytes.LastIndexByte(src[:at], '\n') + 1 }

func lineEnd(src []byte, at int) int {
	if i := bytes.IndexByte(src[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(src)
}

package main

import "strings"

// hang breaks a line at blanks so that it fits a terminal of so many columns,
// and sets what follows below the text behind a label ("Found in   a · b"), else
// two columns deeper than the line itself. A word that is longer than the room
// stays whole. Lines that are set in (commands and previews, which are copied)
// stay as they are, and so does any where width is 0.
func hang(line string, width int) string {
	text := strings.TrimLeft(line, " ")
	indent := len(line) - len(text)
	if label := strings.Index(text, "  "); label > 0 && label <= 12 {
		indent += len(text[:label]) + len(text[label:]) - len(strings.TrimLeft(text[label:], " "))
	} else {
		indent += 2
	}
	if width < 40 || len(line)-len(text) > 2 || indent > width/2 || len([]rune(line)) <= width {
		return line
	}
	var out strings.Builder
	at, first := 0, true
	head := line[:len(line)-len(text)]
	out.WriteString(head)
	at = len(head)
	for word := range strings.SplitAfterSeq(text, " ") {
		n := len([]rune(strings.TrimRight(word, " ")))
		if !first && n > 0 && at+n > width {
			out.WriteString("\n" + strings.Repeat(" ", indent))
			at = indent
		}
		out.WriteString(word)
		at += len([]rune(word))
		first = false
	}
	lines := strings.Split(out.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

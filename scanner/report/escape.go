package report

import (
	"html"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What each medium must not be told:
//
//	terminal, log   control and format characters (ESC, CR, LF, BEL, C1, DEL,
//	                bidi overrides, zero width, line separators), bytes that are
//	                not UTF-8; commands of CI runners: "::" where a line begins
//	                (GitHub), "##[" (GitHub, Azure), "##vso[", "##teamcity["
//	                anywhere
//	GitHub command  moreover % CR LF, and : , in properties
//	CSV             a cell that a spreadsheet would compute
//	Markdown        everything that is not a letter or digit
//	HTML, XML       < > & " '; XML moreover cannot hold control characters
//	URI             everything but unreserved characters
//	SARIF message   [ ] \ (embedded links)
//
// JSON needs valid UTF-8 only, but a person may look at it in a terminal: see
// terminalJSON.

// Printable makes text that may come from a repository fit for one line of a
// terminal or a log, for commands that print something else than a report.
func Printable(s string) string { return line(s, false) }

const hexDigits = "0123456789abcdef"

// printable makes a string fit for one line of a terminal or a log: each byte
// of a character that is not graphic, and each byte that is not UTF-8, becomes
// \xNN; the brackets of log commands are broken. With ascii everything beyond
// ASCII becomes \xNN too, since a terminal in an 8-bit locale takes the second
// byte of many letters for a C1 control. Backslashes stay as they are: the
// result is for eyes, not for parsing back.
func printable(s string, ascii bool) string {
	clean := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '#' {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '#' && logCommand(s[i:]):
			b.WriteString(`\x23`)
		case r == utf8.RuneError && n == 1, !unicode.IsGraphic(r), r == 0x2800, ascii && r > 0x7e:
			// U+2800 is a graphic character without any ink.
			for _, c := range []byte(s[i : i+n]) {
				b.WriteString(`\x`)
				b.WriteByte(hexDigits[c>>4])
				b.WriteByte(hexDigits[c&15])
			}
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// logCommand reports whether s begins like a command that a CI runner looks for
// anywhere in a line.
func logCommand(s string) bool {
	return strings.HasPrefix(s, "##[") || hasFold(s, "##vso[") || hasFold(s, "##teamcity[")
}

func hasFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// line is printable for text that may come to stand at the start of a line,
// where "::" (blanks before it do not count) begins a workflow command.
func line(s string, ascii bool) string {
	s = printable(s, ascii)
	body := strings.TrimLeftFunc(s, unicode.IsSpace)
	if strings.HasPrefix(body, "::") {
		s = s[:len(s)-len(body)] + `\x3a` + body[1:]
	}
	return s
}

// commandData escapes the message of a GitHub workflow command.
func commandData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// commandProperty escapes a value between the command's name and its message.
func commandProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}

// cell makes a string harmless in a spreadsheet: one line, and never the start
// of a formula. Quoting is encoding/csv's work.
func cell(s string) string {
	s = printable(s, false)
	if strings.TrimLeft(s, " \u00a0\u3000") == "" {
		return s
	}
	switch r, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " \u00a0\u3000")); r {
	case '=', '+', '-', '@', '＝', '＋', '－', '＠', '−':
		return "'" + s
	}
	return s
}

// htmlText escapes for HTML and XML, as text and between quotes.
func htmlText(s string) string { return html.EscapeString(printable(s, false)) }

// markdownText escapes for running Markdown text and table cells. Entities are
// used and no backslashes, because they work within inline HTML too and a "|"
// written so never ends a table cell.
func markdownText(s string) string {
	s = printable(s, false)
	var b strings.Builder
	for i, r := range s {
		plain := r > 0x7e || r == ' ' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' ||
			r == '/' || r == '-' || r == ',' ||
			// A dot is plain but after "www", where GitHub would make a link.
			r == '.' && !(i >= 3 && strings.EqualFold(s[i-3:i], "www"))
		if plain {
			b.WriteRune(r)
			continue
		}
		b.WriteString("&#")
		if r >= 100 {
			b.WriteByte(byte('0' + r/100))
		}
		b.WriteByte(byte('0' + r/10%10))
		b.WriteByte(byte('0' + r%10))
		b.WriteByte(';')
	}
	return b.String()
}

// markdownCode shows a string as code: no mention, reference or emoji in it is
// followed. Between backticks where nothing in it could end them.
func markdownCode(s string) string {
	s = printable(s, false)
	if s == "" {
		return ""
	}
	if strings.ContainsAny(s, "`|\\<>&") || strings.TrimSpace(s) != s {
		return "<code>" + markdownText(s) + "</code>"
	}
	return "`" + s + "`"
}

// webURL returns u if it is an http or https address that is safe to print and
// to link to, otherwise "". User rules can come from a scanned repository, so
// that even a vendor's page is not trusted to be one.
func webURL(u string) string {
	if len(u) > 2048 {
		return ""
	}
	for _, r := range u {
		if r <= 0x20 || r >= 0x7f || strings.ContainsRune("\"'`<>\\^|", r) {
			return ""
		}
	}
	p, err := url.Parse(u)
	if err != nil || p.Scheme != "https" && p.Scheme != "http" || p.Host == "" || p.User != nil {
		return ""
	}
	return u
}

// uriPath percent-encodes a path for use in a URI: every byte but unreserved
// ones and "/". Bytes that are not UTF-8 survive this way. Segments that a
// viewer would resolve against their parents lose their dots' meaning to most.
func uriPath(p string) string {
	const upper = "0123456789ABCDEF"
	segments := strings.Split(p, "/")
	for i, s := range segments {
		dots := s == "." || s == ".."
		var b strings.Builder
		for j := 0; j < len(s); j++ {
			c := s[j]
			if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' ||
				c == '-' || c == '_' || c == '~' || c == '.' && !dots {
				b.WriteByte(c)
				continue
			}
			b.WriteByte('%')
			b.WriteByte(upper[c>>4])
			b.WriteByte(upper[c&15])
		}
		segments[i] = b.String()
	}
	return strings.Join(segments, "/")
}

// sarifText escapes for the text of a SARIF message, in which [a](b) is a link.
func sarifText(s string) string {
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`).Replace(printable(s, false))
}

// validText replaces each byte that is not UTF-8 by \xNN and leaves everything
// else alone: what JSON can carry it carries.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			b.WriteString(`\x`)
			b.WriteByte(hexDigits[s[i]>>4])
			b.WriteByte(hexDigits[s[i]&15])
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// terminalJSON rewrites characters of a JSON text that are not graphic, and the
// brackets of log commands, as \uNNNN. A parser reads the same; a terminal or a
// CI runner that shows the file is not told to do anything. Both stand within
// strings only, so that the text stays JSON.
func terminalJSON(text []byte) []byte {
	out := make([]byte, 0, len(text)+len(text)/64)
	for i := 0; i < len(text); {
		c := text[i]
		if c == '#' && logCommand(string(text[i:min(len(text), i+len("##teamcity["))])) {
			out = appendUnit(out, '#')
			i++
			continue
		}
		if c < 0x7f {
			out = append(out, c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		switch {
		case unicode.IsGraphic(r):
			out = append(out, text[i:i+n]...)
		case r > 0xffff:
			r -= 0x10000
			out = appendUnit(appendUnit(out, 0xd800+r>>10), 0xdc00+r&0x3ff)
		default:
			out = appendUnit(out, r)
		}
		i += n
	}
	return out
}

func appendUnit(out []byte, r rune) []byte {
	return append(out, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

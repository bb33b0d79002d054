package scanner

import "bytes"

// Where name and value have an entry each, labels say which is which:
//
//	{"name": "ACME_KEY", "value": "…"}
//	variable "acme_key" { default = "…" }
//	<input name="acme_key" type="text" value="…">

// valueLabels name the value in an entry that has a name as well; so does what
// ends in "value".
var valueLabels = []string{"value", "default", "defaultvalue", "default_value", "val", "content"}

// skipTags returns the length of the tags that text begins with, each at most once.
func skipTags(text []byte, tags ...string) int {
	n := 0
	for _, tag := range tags {
		if bytes.HasPrefix(text[n:], []byte(tag)) {
			n += len(tag)
		}
	}
	return n
}

// How far a labelled value may stand behind its name, and how many other
// labels, or lines, between the two.
const (
	labelReach = 300
	maxLabels  = 6
)

// entryLabels begin an entry of their own.
var entryLabels = []string{"name", "key", "id"}

func isValueLabel(label []byte) bool {
	return containsFold(valueLabels, label) || containsFold(valueLabels[:1], lastWord(label))
}

// inElement reads the text of the element behind the one that holds the name:
// <key>…</key> with <string> behind it, <td>…</td> with another one. The name with
// its keyword at data[at] ends before data[i].
func inElement(data []byte, at, i int) (assignment, bool) {
	limit := min(len(data), i+assignReach)
	if !bytes.HasPrefix(data[i:limit], []byte("</")) {
		return unassigned(i)
	}
	for i < limit && data[i] != '>' {
		i++
	}
	for i++; i < limit && data[i] <= ' '; i++ {
	}
	n := 0
	if i < limit {
		n = skipTags(data[i:limit], "<string>", "<value>", "<td>", "<code>")
	}
	if n == 0 {
		return unassigned(limit)
	}
	return readValue(data, i+n)
}

// labelled reads the value that a label further on in the same entry announces:
// other labels may stand between, as description and type in a variable of
// Terraform or an option of argparse. The name with its keyword at data[at]
// ends before data[i].
func labelled(data []byte, at, i int) (assignment, bool) {
	stop := min(len(data), i+labelReach)
	if i >= stop {
		return unassigned(i)
	}
	blanks := func() (lines int) {
		for ; i < stop && data[i] <= ' '; i++ {
			if data[i] == '\n' {
				lines++
			}
		}
		return lines
	}
	quoted := isQuote(data[i])
	if quoted {
		i++
	}
	from := i
	most := maxLabels
	if blanks(); i < stop && (data[i] == ':' || data[i] == '=') {
		mapped := data[i] == ':'
		for i++; i < stop && (data[i] == '>' || data[i] == ' '); i++ {
		}
		line := i
		if lines := blanks(); lines == 1 && mapped && !quoted { // YAML's map has its indentation alone
			line += bytes.IndexByte(data[line:i], '\n') + 1
			if i-line <= indentOf(data, at) {
				return unassigned(i)
			}
			from, quoted = line, true
		}
	}
	switch {
	case i >= stop:
		return unassigned(i)
	case data[i] == '{' || data[i] == '[':
		i++
	case data[i] == ',':
		if i++; !quoted {
			most = 1
		}
	case i == from || !isLetter(data[i]) && !isQuote(data[i]):
		return unassigned(i)
	case !quoted:
		most = 1 // a bare name may be anything
	}
	for range most {
		blanks()
		label, k := readLabel(data[:stop], i)
		if k == i {
			return unassigned(k)
		}
		i = k
		if isValueLabel(label) {
			a, ok := readValue(data, i)
			a.link, a.seen = linkOperator, max(a.seen, i+2)
			return a, ok && (a.quoted || i < stop)
		}
		if containsFold(entryLabels, label) {
			return unassigned(i)
		}
		// Pass the value of another label.
		if i < stop && isQuote(data[i]) {
			quote := data[i]
			for i++; i < stop && data[i] != quote && data[i] != '\n'; i++ {
			}
			if i < stop && data[i] != quote {
				return unassigned(i)
			}
			i++
		} else {
			for i < stop && bytes.IndexByte([]byte(" ,\n>{}[]()\"'"), data[i]) < 0 {
				i++
			}
		}
		if i < stop && data[i] == ',' {
			i++
		}
		if i >= stop || data[i] > ' ' && data[i-1] != ',' {
			return unassigned(i)
		}
	}
	return unassigned(i)
}

// readLabel reads a label and the operator behind it; the value begins at the
// returned place, which is i when no label is there.
func readLabel(data []byte, i int) (label []byte, at int) {
	k := i
	if k < len(data) && isQuote(data[k]) {
		k++
	}
	from := k
	for k < len(data) && (isWord(data[k]) || data[k] == '-' || data[k] == ':' && k+1 < len(data) && isLetter(data[k+1])) {
		k++
	}
	label = data[from:k]
	if colon := bytes.LastIndexByte(label, ':'); colon >= 0 { // android:value
		label = label[colon+1:]
	}
	for k < len(data) && (isQuote(data[k]) && data[k-1] != ' ' || data[k] == ' ') {
		k++
	}
	if len(label) == 0 || k >= len(data) || data[k] != '=' && data[k] != ':' {
		return nil, i
	}
	for k++; k < len(data) && (data[k] == ' ' || data[k] == '>'); k++ {
	}
	return label, k
}

// reversed reads the value that stands before its name, in an entry that puts
// it first:
//
//	{"value": "…", "name": "ACME_KEY"}
//	UPDATE settings SET value = '…' WHERE name = 'acme_key'
//
// The name with its keyword at data[at] ends before data[i].
func reversed(data []byte, at, i int) (assignment, bool) {
	none := assignment{seen: i + 1}
	stop := max(0, at-assignHead)
	k := dottedStart(data, at, stop)
	if k == stop || !isQuote(data[k-1]) {
		return none, false
	}
	label, k := labelBefore(data, k-1, stop)
	if !containsFold(entryLabels, label) || k <= stop {
		return none, false
	}
	none.back = at - max(0, k-labelReach) + 1
	stop = max(0, k-labelReach)
	end := k
	for end > stop && (data[end-1] <= ' ' || data[end-1] == ',') {
		end--
	}
	if head := data[stop:end]; len(head) > 6 && equalFold(head[len(head)-6:], " where") {
		end -= 6
	}
	if end == k || end == stop || !isQuote(data[end-1]) {
		return none, false
	}
	from := stop + bytes.LastIndexByte(data[stop:end-1], data[end-1]) + 1
	if label, _ = labelBefore(data, from-1, stop); from <= stop || !isValueLabel(label) {
		return none, false
	}
	a, ok := trimmed(data, from, end-1)
	a.seen, a.back = i+1, none.back
	return a, ok
}

// labelBefore returns the label and the operator that end before data[i], and
// where they begin, quotes included.
func labelBefore(data []byte, i, stop int) (label []byte, at int) {
	operator := false
	for i > stop && (data[i-1] == '=' || data[i-1] == ':' || data[i-1] == ' ' || data[i-1] == '>' || isQuote(data[i-1]) && operator) {
		i--
		operator = operator || data[i] == '=' || data[i] == ':'
	}
	end := i
	if i = wordStart(data, i, stop); !operator || i == end {
		return nil, i
	}
	label = data[i:end]
	if i > stop && isQuote(data[i-1]) {
		i--
	}
	return label, i
}

package scanner

import "bytes"

// Where name and value have an entry each, labels say which is which:
//
//	{"name": "ACME_KEY", "value": "…"}
//	variable "acme_key" { default = "…" }
//	<input name="acme_key" type="text" value="…">

// valueLabels name the value in an entry that has a name as well.
var valueLabels = []string{"value", "default", "defaultvalue", "default_value", "val", "content"}

// skipLabel passes what stands between the two where name and value have an
// entry each: `name="…" value="`, `"name": "…", "value": "`, `name: …` with
// `value: ` on the next line, `<key>…</key>` with `<string>` behind it,
// `<td>…</td>` with another one. The
// value begins at the returned place.
func skipLabel(data []byte, i, limit int) (at int, ok bool) {
	if bytes.HasPrefix(data[i:limit], []byte("</")) {
		for i < limit && data[i] != '>' {
			i++
		}
		for i++; i < limit && data[i] <= ' '; i++ {
		}
		n := skipTags(data[i:limit], "<string>", "<value>", "<td>", "<code>")
		return i + n, n > 0
	}
	for i < limit && (data[i] <= ' ' || isQuote(data[i]) || data[i] == ',') {
		i++
	}
	const label = "value"
	if end := i + len(label); end >= limit || isWord(data[i-1]) || !equalFold(data[i:end], label) {
		return i, false
	}
	i += len(label)
	operator := false
	for i < limit && (data[i] == '=' || data[i] == ':' || data[i] == ' ' || isQuote(data[i]) && !operator) {
		operator = operator || data[i] == '=' || data[i] == ':'
		i++
	}
	return i, operator && i < limit
}

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

// labelled reads the value that a label further on in the same entry announces:
// other labels may stand between, as description and type in a variable of
// Terraform or an option of argparse. The name with its keyword at data[at]
// ends before data[i].
func labelled(data []byte, at, i int) (assignment, bool) {
	stop := min(len(data), i+labelReach)
	if i >= stop || !isQuote(data[i]) && data[i] != ':' && data[i] != ' ' {
		return unassigned(i)
	}
	blanks := func() {
		for i < stop && data[i] <= ' ' {
			i++
		}
	}
	quoted := isQuote(data[i])
	if quoted {
		i++
	}
	from := i
	if blanks(); i < stop && (data[i] == ':' || data[i] == '=') {
		for i++; i < stop && (data[i] == ' ' || data[i] == '>'); i++ {
		}
	}
	switch {
	case i >= stop:
		return unassigned(i)
	case data[i] == '{' || data[i] == '[':
		i++
	case data[i] == ',' && quoted:
		i++
	case i == from || !quoted || !isLetter(data[i]):
		return unassigned(i)
	}
	for range maxLabels {
		blanks()
		label, k := readLabel(data[:stop], i)
		if k == i {
			return unassigned(k)
		}
		i = k
		if containsFold(valueLabels, label) {
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

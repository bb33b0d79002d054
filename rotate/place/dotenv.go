package place

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Dotenv is the content of a .env file: lines NAME=value, as shells and the
// dotenv libraries of all languages read them.
type Dotenv []byte

// Get returns the value of a name.
func (d Dotenv) Get(name string) (value string, ok bool) {
	for line := range bytes.Lines(d) {
		if key, text, is := assignment(line); is && key == name {
			value, ok = unquote(text), true // the last one counts
		}
	}
	return value, ok
}

// Names are the names in order.
func (d Dotenv) Names() []string {
	var names []string
	for line := range bytes.Lines(d) {
		if key, _, is := assignment(line); is {
			names = append(names, key)
		}
	}
	return names
}

// Free is the name itself where it is not taken or holds one of values already,
// else the name with the first number for which that is so.
func (d Dotenv) Free(name string, values ...string) string {
	for n := 2; ; n++ {
		if have, taken := d.Get(name); !taken || slices.Contains(values, have) {
			return name
		}
		name = strings.TrimRight(strings.TrimRight(name, "0123456789"), "_") + fmt.Sprintf("_%d", n)
	}
}

// Set returns the content with a name set: in its line where there is one, else
// in a new one at the end. A value that no quote can hold is an error.
func (d Dotenv) Set(name, value string) (Dotenv, error) {
	text, err := quoted(value)
	if err != nil {
		return nil, err
	}
	end := "\n"
	if bytes.Contains(d, []byte("\r\n")) {
		end = "\r\n"
	}
	var out []byte
	done := false
	for line := range bytes.Lines(d) {
		if key, _, is := assignment(line); is && key == name {
			export := ""
			if bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte("export ")) {
				export = "export "
			}
			out, done = append(out, export+name+"="+text+end...), true
			continue
		}
		out = append(out, line...)
	}
	if !done {
		if len(out) > 0 && out[len(out)-1] != '\n' {
			out = append(out, end...)
		}
		out = append(out, name+"="+text+end...)
	}
	return out, nil
}

func assignment(line []byte) (name, value string, ok bool) {
	text := strings.TrimSpace(string(line))
	text = strings.TrimPrefix(text, "export ")
	name, value, ok = strings.Cut(text, "=")
	name = strings.TrimSpace(name)
	return name, strings.TrimSpace(value), ok && name != "" && !strings.ContainsAny(name, "# \t\"'")
}

func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

// quoted writes a value so that shells and dotenv libraries read the same.
func quoted(value string) (string, error) {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@+=,%"
	switch {
	case strings.ContainsAny(value, "\r\n\x00'"):
		return "", errors.New("a value with line breaks or quotes has no safe form in a .env file")
	case strings.Trim(value, plain) == "":
		return value, nil
	}
	return "'" + value + "'", nil
}

package source

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// maxConfig is the largest git configuration file that is read. A clone with
// 10,000 branches, each with its section, has about 1 MB.
const maxConfig = 16 << 20

// gitConfig is a parsed git configuration file. Includes are not followed: what
// decides how a repository is read (its format, its work tree) git does not
// take from an included file either, and the file could be a FIFO.
type gitConfig struct {
	values []configValue
}

// configValue is one assignment.
type configValue struct {
	section    string // lower case
	subsection string // as written, "" when there is none
	key        string // lower case
	value      string
	bare       bool // "key" with no "=", which means true
}

// get returns the last value of section.key, which is the one that counts.
func (c *gitConfig) get(section, key string) (configValue, bool) {
	for i := len(c.values) - 1; i >= 0; i-- {
		if v := c.values[i]; v.section == section && v.subsection == "" && v.key == key {
			return v, true
		}
	}
	return configValue{}, false
}

// boolean reads a value as git does. An empty value is false.
func (v configValue) boolean() (bool, error) {
	if v.bare {
		return true, nil
	}
	switch strings.ToLower(v.value) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0", "":
		return false, nil
	}
	return false, fmt.Errorf("%s.%s is not a boolean", v.section, v.key)
}

// readGitConfig reads and parses the file at path. A file that does not exist
// gives fs.ErrNotExist.
func readGitConfig(path string) (*gitConfig, error) {
	data, err := readRegular(path, maxConfig)
	if err != nil {
		return nil, err
	}
	return parseGitConfig(data)
}

// parseGitConfig parses strictly: what git refuses is refused. No error quotes
// the file, since a remote's URL can hold a password.
//
// go-git's decoder was tried and left out: it refuses "[a] b = c" on one line,
// which git takes, and linking it (gcfg, encoding/gob, math/big) adds 0.3 ms to
// the start of every hook.
func parseGitConfig(data []byte) (*gitConfig, error) {
	p := configParser{data: bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), line: 1}
	c := &gitConfig{}
	var section, subsection string
	started := false
	for {
		switch b, ok := p.next(); {
		case !ok:
			return c, nil
		case b == '\n' || isConfigSpace(b):
		case b == '#' || b == ';':
			p.skipLine()
		case b == '[':
			var err error
			if section, subsection, err = p.header(); err != nil {
				return nil, p.fail(err)
			}
			started = true
		case isAlpha(b) && started:
			v := configValue{section: section, subsection: subsection}
			if err := p.assignment(b, &v); err != nil {
				return nil, p.fail(err)
			}
			c.values = append(c.values, v)
		case isAlpha(b):
			return nil, p.fail(errors.New("a key before the first section"))
		default:
			return nil, p.fail(errors.New("unexpected character"))
		}
	}
}

// configParser walks over the bytes of a configuration file.
type configParser struct {
	data  []byte
	pos   int
	line  int // 1-based line of the next byte
	token int // line on which the present token began
}

func (p *configParser) fail(err error) error {
	return fmt.Errorf("bad config line %d: %w", max(p.token, 1), err)
}

// next returns the next byte, with CRLF folded to LF.
func (p *configParser) next() (byte, bool) {
	if p.pos >= len(p.data) {
		return 0, false
	}
	b := p.data[p.pos]
	p.pos++
	if b == '\r' && p.pos < len(p.data) && p.data[p.pos] == '\n' {
		p.pos++
		b = '\n'
	}
	p.token = p.line
	if b == '\n' {
		p.line++
	}
	return b, true
}

func (p *configParser) skipLine() {
	for {
		if b, ok := p.next(); !ok || b == '\n' {
			return
		}
	}
}

var errConfigHeader = errors.New("bad section header")

// header reads what follows "[", up to and including "]".
func (p *configParser) header() (section, subsection string, err error) {
	var name []byte
	for {
		b, ok := p.next()
		switch {
		case !ok:
			return "", "", errConfigHeader
		case b == ']':
			// "[section.sub]" is the old form of a subsection, in lower case.
			s, sub, _ := strings.Cut(strings.ToLower(string(name)), ".")
			return s, sub, nil
		case b == ' ' || b == '\t':
			sub, err := p.quotedSubsection()
			return strings.ToLower(string(name)), sub, err
		case isAlpha(b) || isDigit(b) || b == '-' || b == '.':
			name = append(name, b)
		default:
			return "", "", errConfigHeader
		}
	}
}

func (p *configParser) quotedSubsection() (string, error) {
	b, ok := p.next()
	for ok && (b == ' ' || b == '\t') {
		b, ok = p.next()
	}
	if !ok || b != '"' {
		return "", errConfigHeader
	}
	var sub []byte
	for {
		b, ok = p.next()
		if ok && b == '\\' {
			b, ok = p.next()
		} else if ok && b == '"' {
			break
		}
		if !ok || b == '\n' {
			return "", errConfigHeader
		}
		sub = append(sub, b)
	}
	if b, ok = p.next(); !ok || b != ']' {
		return "", errConfigHeader
	}
	return string(sub), nil
}

// assignment reads "key = value", whose first byte was already taken.
func (p *configParser) assignment(first byte, v *configValue) error {
	key := []byte{first}
	b, ok := p.next()
	for ok && (isAlpha(b) || isDigit(b) || b == '-') {
		key = append(key, b)
		b, ok = p.next()
	}
	v.key = strings.ToLower(string(key))
	for ok && (b == ' ' || b == '\t') {
		b, ok = p.next()
	}
	if !ok || b == '\n' {
		v.bare = true
		return nil
	}
	if b != '=' {
		return errors.New("a key is not followed by =")
	}
	var err error
	v.value, err = p.value()
	return err
}

// value reads up to the end of the line, undoing quotes and escapes.
func (p *configParser) value() (string, error) {
	var out []byte
	quoted, comment := false, false
	kept := 0 // length of out without trailing unquoted space
	for {
		b, ok := p.next()
		if !ok || b == '\n' {
			if quoted {
				return "", errors.New("a quote is not closed")
			}
			return string(out[:kept]), nil
		}
		switch {
		case comment:
			continue
		case !quoted && isConfigSpace(b):
			if len(out) > 0 {
				out = append(out, b)
			}
			continue
		case !quoted && (b == '#' || b == ';'):
			comment = true
			continue
		case b == '"':
			quoted = !quoted
			kept = len(out)
			continue
		case b == '\\':
			if b, ok = p.next(); !ok {
				return "", errors.New("unknown escape")
			}
			switch b {
			case '\n':
				continue
			case 't':
				b = '\t'
			case 'b':
				b = '\b'
			case 'n':
				b = '\n'
			case '\\', '"':
			default:
				return "", errors.New("unknown escape")
			}
		}
		out = append(out, b)
		kept = len(out)
	}
}

func isAlpha(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func isConfigSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\v' || b == '\f' }

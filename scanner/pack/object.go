package pack

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"math"
	"time"
)

var (
	errCommitTree   = errors.New("parse commit: it does not begin with a valid tree line")
	errCommitParent = errors.New("parse commit: invalid parent line")
	errTag          = errors.New("parse tag: it does not begin with valid object, type and tag lines")
)

// Person is who made a commit or a tag, and when. The slices are parts of the
// object's data.
type Person struct {
	Raw   []byte // the line without its keyword: "Name <email> 1700000000 +0100"
	Name  []byte // before the first "<", without the blanks around it
	Email []byte // between the first "<" and the ">" that follows
	// Unix is the time in seconds since 1970, and Zone its distance from UTC
	// in seconds, east being positive; both 0 if the line has no valid time.
	Unix int64
	Zone int
}

// Time returns the time in its own zone.
func (p *Person) Time() time.Time {
	return time.Unix(p.Unix, 0).In(time.FixedZone("", p.Zone))
}

func parsePerson(line []byte) Person {
	p := Person{Raw: line}
	lt := bytes.IndexByte(line, '<')
	if lt < 0 {
		p.Name = bytes.TrimSpace(line)
		return p
	}
	p.Name = bytes.TrimSpace(line[:lt])
	rest := line[lt+1:]
	gt := bytes.IndexByte(rest, '>')
	if gt < 0 {
		p.Email = rest
		return p
	}
	p.Email = rest[:gt]
	// Like git (split_ident_line in ident.c), look for the time after the last
	// ">", as there are names with several.
	rest = bytes.TrimLeft(rest[bytes.LastIndexByte(rest, '>')+1:], " ")
	n := 0
	unix := int64(0)
	for n < len(rest) && '0' <= rest[n] && rest[n] <= '9' {
		d := int64(rest[n] - '0')
		if unix > (math.MaxInt64-d)/10 {
			return p
		}
		unix = unix*10 + d
		n++
	}
	if n == 0 {
		return p
	}
	p.Unix = unix
	z := bytes.TrimLeft(rest[n:], " ")
	if len(z) < 5 || z[0] != '+' && z[0] != '-' {
		return p
	}
	var v [4]int
	for i := range v {
		if v[i] = int(z[i+1]) - '0'; v[i] < 0 || v[i] > 9 {
			return p
		}
	}
	p.Zone = (v[0]*10+v[1])*3600 + (v[2]*10+v[3])*60
	if z[0] == '-' {
		p.Zone = -p.Zone
	}
	return p
}

// Commit is a commit object. The slices are parts of the data that it was made
// from.
type Commit struct {
	Tree      OID
	Author    Person
	Committer Person
	Message   []byte // everything after the first empty line

	parents []byte // the parent lines
	digits  int    // of an id
	headers []byte
}

// ParseCommit reads a commit object without allocating. It keeps data. What git
// itself needs to read a commit must be in order: the line "tree" and the lines
// "parent" that follow it; if they are not, there is an error, and the rest of
// the Commit is filled in as far as possible all the same.
func ParseCommit(data []byte) (Commit, error) {
	var c Commit
	c.headers, c.Message = splitHeaders(data)
	rest := c.headers
	line, after := cutLine(rest)
	var err error
	if id, ok := idLine(line, "tree "); ok {
		c.Tree, rest = id, after
		c.digits = len(line) - len("tree ")
		start := rest
		for {
			line, after := cutLine(rest)
			if !bytes.HasPrefix(line, []byte("parent ")) {
				break
			}
			if id, ok := idLine(line, "parent "); !ok || 2*int(id.n) != c.digits || len(rest) == len(line) {
				err = errCommitParent
				break
			}
			rest = after
		}
		c.parents = start[:len(start)-len(rest)]
	} else {
		err = errCommitTree
	}
	for key, value := range allHeaders(rest) {
		switch {
		case c.Author.Raw == nil && string(key) == "author":
			c.Author = parsePerson(value)
		case c.Committer.Raw == nil && string(key) == "committer":
			c.Committer = parsePerson(value)
		}
	}
	return c, err
}

// NumParents returns how many parents the commit has.
func (c *Commit) NumParents() int {
	if c.digits == 0 {
		return 0
	}
	return len(c.parents) / (len("parent \n") + c.digits)
}

// Parent returns the parent number i, from 0 on.
func (c *Commit) Parent(i int) OID {
	n := len("parent \n") + c.digits
	id, _ := idLine(c.parents[i*n:(i+1)*n-1], "parent ")
	return id
}

// Headers returns the headers that are not in other fields: encoding, gpgsig,
// mergetag, what other tools have added, and what is there twice. A value of
// several lines is as it stands in the object, each further line after "\n ".
func (c *Commit) Headers() iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		rest := c.headers
		if c.digits > 0 {
			_, rest = cutLine(rest)
			rest = rest[len(c.parents):]
		}
		for key, value := range allHeaders(rest) {
			if same(value, c.Author.Raw) || same(value, c.Committer.Raw) {
				continue
			}
			if !yield(key, value) {
				return
			}
		}
	}
}

// Tag is an annotated tag. The slices are parts of the data that it was made
// from.
type Tag struct {
	Object  OID
	Type    Type // of Object
	Name    []byte
	Tagger  Person // Raw is nil if there is none, as in very old tags
	Message []byte // everything after the first empty line, a signature included

	headers []byte
	fixed   int // lines that are in other fields
}

// ParseTag reads a tag object without allocating. It keeps data. The lines
// "object", "type" and "tag" must be in order; if they are not, there is an
// error, and the rest of the Tag is filled in as far as possible all the same.
func ParseTag(data []byte) (Tag, error) {
	var t Tag
	t.headers, t.Message = splitHeaders(data)
	rest := t.headers
	line, after := cutLine(rest)
	id, ok := idLine(line, "object ")
	if ok {
		t.Object, rest = id, after
		t.fixed++
		line, after = cutLine(rest)
		name, has := bytes.CutPrefix(line, []byte("type "))
		for i, n := range typeNames {
			if n != "" && string(name) == n {
				t.Type = Type(i)
			}
		}
		if ok = has && t.Type != 0; ok {
			rest = after
			t.fixed++
			line, after = cutLine(rest)
			if t.Name, ok = bytes.CutPrefix(line, []byte("tag ")); ok {
				rest = after
				t.fixed++
			} else {
				t.Name = nil
			}
		}
	}
	for key, value := range allHeaders(rest) {
		if t.Tagger.Raw == nil && string(key) == "tagger" {
			t.Tagger = parsePerson(value)
		}
	}
	if !ok {
		return t, errTag
	}
	return t, nil
}

// Headers returns the headers that are not in other fields, as Commit.Headers
// does.
func (t *Tag) Headers() iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		rest := t.headers
		for range t.fixed {
			_, rest = cutLine(rest)
		}
		for key, value := range allHeaders(rest) {
			if same(value, t.Tagger.Raw) {
				continue
			}
			if !yield(key, value) {
				return
			}
		}
	}
}

// same reports whether two slices are the same part of the same data.
func same(a, b []byte) bool {
	return b != nil && len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// splitHeaders divides an object at the first empty line.
func splitHeaders(data []byte) (headers, message []byte) {
	if len(data) > 0 && data[0] == '\n' {
		return nil, data[1:]
	}
	if i := bytes.Index(data, []byte("\n\n")); i >= 0 {
		return data[: i+1 : i+1], data[i+2:]
	}
	return data, nil
}

// cutLine returns the first line, without its end, and the lines after it.
func cutLine(b []byte) (line, rest []byte) {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i], b[i+1:]
	}
	return b, b[len(b):]
}

func idLine(line []byte, key string) (OID, bool) {
	var id OID
	h, ok := bytes.CutPrefix(line, []byte(key))
	if !ok || len(h) != 40 && len(h) != 64 {
		return id, false
	}
	if _, err := hex.Decode(id.b[:], h); err != nil {
		return OID{}, false
	}
	id.n = uint8(len(h) / 2)
	return id, true
}

// allHeaders returns the headers of a block. A line that begins with a blank
// belongs to the one before it.
func allHeaders(b []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for len(b) > 0 {
			end := 0
			for {
				i := bytes.IndexByte(b[end:], '\n')
				if i < 0 {
					end = len(b)
					break
				}
				end += i
				if end+1 >= len(b) || b[end+1] != ' ' {
					break
				}
				end++
			}
			key, value := b[:end:end], b[end:end:end]
			if i := bytes.IndexByte(key, ' '); i >= 0 {
				key, value = key[:i], key[i+1:]
			}
			if !yield(key, value) {
				return
			}
			b = b[min(end+1, len(b)):]
		}
	}
}

// Modes of a tree entry, the bits that say what it is.
const (
	ModeTree    = 0o040000
	ModeFile    = 0o100000
	ModeSymlink = 0o120000
	ModeGitlink = 0o160000 // a commit of a submodule
	modeType    = 0o170000
)

// TreeEntry is one line of a tree. Name is part of the tree's data; it may be
// anything that has no NUL: empty, "..", or with a slash.
type TreeEntry struct {
	Mode uint32
	Name []byte
	OID  OID
}

// Kind returns the bits of Mode that say what the entry is: ModeTree, ModeFile,
// ModeSymlink, ModeGitlink, or something that git does not write.
func (e *TreeEntry) Kind() uint32 { return e.Mode & modeType }

// TreeIter reads the entries of a tree in the order in which they stand there,
// without allocating and without an opinion on names and order.
//
//	it := pack.IterTree(data, pack.SHA1)
//	for it.Next() {
//		use(it.Entry())
//	}
//	err := it.Err()
type TreeIter struct {
	rest  []byte
	size  int
	entry TreeEntry
	err   error
}

// IterTree begins to read a tree, of which it keeps data.
func IterTree(data []byte, f Format) TreeIter {
	return TreeIter{rest: data, size: f.Size()}
}

// Next goes to the next entry; false at the end of the tree, or where it cannot
// be read on.
func (t *TreeIter) Next() bool {
	if len(t.rest) == 0 || t.err != nil {
		return false
	}
	mode, i := uint32(0), 0
	for ; i < len(t.rest) && '0' <= t.rest[i] && t.rest[i] <= '7'; i++ {
		if mode > math.MaxUint32>>3 {
			break
		}
		mode = mode<<3 | uint32(t.rest[i]-'0')
	}
	if i == 0 || i == len(t.rest) || t.rest[i] != ' ' {
		return t.fail("invalid mode")
	}
	name := t.rest[i+1:]
	end := bytes.IndexByte(name, 0)
	if end < 0 {
		return t.fail("unfinished name")
	}
	id := name[end+1:]
	if len(id) < t.size {
		return t.fail("unfinished object id")
	}
	t.entry = TreeEntry{Mode: mode, Name: name[:end:end], OID: OIDFromBytes(id[:t.size])}
	t.rest = id[t.size:]
	return true
}

func (t *TreeIter) fail(what string) bool {
	t.err = fmt.Errorf("parse tree: %s in the entry %d bytes before the end", what, len(t.rest))
	return false
}

// Entry returns the entry that Next went to.
func (t *TreeIter) Entry() *TreeEntry { return &t.entry }

// Err returns why Next returned false, nil at the end of the tree.
func (t *TreeIter) Err() error { return t.err }

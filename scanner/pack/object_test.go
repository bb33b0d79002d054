package pack

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const someID = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

func headers(seq func(func(k, v []byte) bool)) (list []string) {
	for k, v := range seq {
		list = append(list, fmt.Sprintf("%s=%s", k, v))
	}
	return list
}

func TestParseCommit(t *testing.T) {
	other := strings.Repeat("ab", 20)
	data := "tree " + someID + "\nparent " + other + "\nparent " + someID + "\n" +
		"author A U Thor <author@example.com> 1700000000 +0130\n" +
		"committer  C <c@example.com> 1700000001 -0500\n" +
		"encoding ISO-8859-1\ngpgsig -----BEGIN\n line two\n \n end\nauthor Twice <t@example.com> 1 +0000\nflag\n" +
		"\nSubject\n\nBody\n"
	c, err := ParseCommit([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	if c.Tree.String() != someID || c.NumParents() != 2 || c.Parent(0).String() != other || c.Parent(1).String() != someID {
		t.Errorf("tree %s, %d parents", c.Tree, c.NumParents())
	}
	if string(c.Message) != "Subject\n\nBody\n" {
		t.Errorf("message %q", c.Message)
	}
	a := c.Author
	if string(a.Name) != "A U Thor" || string(a.Email) != "author@example.com" || a.Unix != 1700000000 || a.Zone != 5400 ||
		string(a.Raw) != "A U Thor <author@example.com> 1700000000 +0130" {
		t.Errorf("author %q %q %d %d %q", a.Name, a.Email, a.Unix, a.Zone, a.Raw)
	}
	if got := a.Time().Format(time.RFC3339); got != "2023-11-14T23:43:20+01:30" {
		t.Errorf("time %s", got)
	}
	if p := c.Committer; string(p.Name) != "C" || p.Unix != 1700000001 || p.Zone != -18000 {
		t.Errorf("committer %q %d %d", p.Name, p.Unix, p.Zone)
	}
	want := []string{"encoding=ISO-8859-1", "gpgsig=-----BEGIN\n line two\n \n end", "author=Twice <t@example.com> 1 +0000", "flag="}
	if got := headers(c.Headers()); !slices.Equal(got, want) {
		t.Errorf("headers %q, want %q", got, want)
	}
	allocs := testing.AllocsPerRun(100, func() {
		c, _ := ParseCommit([]byte(nil))
		_ = c
	})
	raw := []byte(data)
	allocs += testing.AllocsPerRun(100, func() {
		c, err := ParseCommit(raw)
		if err != nil || c.Parent(1).IsZero() {
			t.Error(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestParseOddCommits(t *testing.T) {
	person := "author A <a@b> 1 +0000\ncommitter C <c@d> 2 +0000\n"
	for name, tt := range map[string]struct {
		data    string
		fails   bool
		parents int
		author  string
		message string
		headers []string
	}{
		"nothing":          {data: "", fails: true},
		"only a message":   {data: "\nmessage", fails: true, message: "message"},
		"no tree":          {data: person + "\nm", fails: true, author: "A", message: "m"},
		"short tree":       {data: "tree 1234\n" + person + "\nm", fails: true, author: "A", message: "m", headers: []string{"tree=1234"}},
		"tree of 64":       {data: "tree " + someID + someID[:24] + "\n" + person + "\nm", author: "A", message: "m"},
		"parent of 64":     {data: "tree " + someID + "\nparent " + someID + someID[:24] + "\n" + person + "\nm", fails: true, author: "A", message: "m", headers: []string{"parent=" + someID + someID[:24]}},
		"invalid parent":   {data: "tree " + someID + "\nparent " + someID + "\nparent x\n" + person + "\nm", fails: true, parents: 1, author: "A", message: "m", headers: []string{"parent=x"}},
		"late parent":      {data: "tree " + someID + "\n" + person + "parent " + someID + "\n\nm", author: "A", message: "m", headers: []string{"parent=" + someID}},
		"no message":       {data: "tree " + someID + "\n" + person, author: "A"},
		"empty message":    {data: "tree " + someID + "\n" + person + "\n", author: "A"},
		"no line feed":     {data: "tree " + someID},
		"no author":        {data: "tree " + someID + "\n\nm", message: "m"},
		"empty lines":      {data: "tree " + someID + "\n" + person + "\n\n\nm", author: "A", message: "\n\nm"},
		"continued author": {data: "tree " + someID + "\nauthor A\n B <a@b> 1 +0000\n\nm", author: "A\n B", message: "m"},
	} {
		c, err := ParseCommit([]byte(tt.data))
		if (err != nil) != tt.fails || c.NumParents() != tt.parents || string(c.Author.Name) != tt.author || string(c.Message) != tt.message {
			t.Errorf("%s: %v, %d parents, author %q, message %q", name, err, c.NumParents(), c.Author.Name, c.Message)
		}
		if got := headers(c.Headers()); !slices.Equal(got, tt.headers) {
			t.Errorf("%s: headers %q", name, got)
		}
	}
}

func TestPerson(t *testing.T) {
	for line, want := range map[string]string{
		"":                                "||0|0",
		"A":                               "A||0|0",
		"A <a@b>":                         "A|a@b|0|0",
		"A <a@b> 5":                       "A|a@b|5|0",
		"A <a@b> 5 +0000":                 "A|a@b|5|0",
		"<a@b> 5 -0100":                   "|a@b|5|-3600",
		"A <a@b 5 +0000":                  "A|a@b 5 +0000|0|0",
		"A <a@b>>  5  +0100":              "A|a@b|5|3600",
		"A <x> <a@b> 5 +0100":             "A|x|5|3600",
		"A <a@b> 99999999999999999999 +0": "A|a@b|0|0",
		"A <a@b> 5 +01x0":                 "A|a@b|5|0",
		"A <a@b> -5 +0100":                "A|a@b|0|0",
	} {
		p := parsePerson([]byte(line))
		if got := fmt.Sprintf("%s|%s|%d|%d", p.Name, p.Email, p.Unix, p.Zone); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestParseTag(t *testing.T) {
	data := "object " + someID + "\ntype commit\ntag v1.0\ntagger T <t@example.com> 7 +0000\nextra x\n y\n\nmessage\n-----BEGIN PGP\n"
	tag, err := ParseTag([]byte(data))
	if err != nil || tag.Object.String() != someID || tag.Type != TypeCommit || string(tag.Name) != "v1.0" ||
		string(tag.Tagger.Email) != "t@example.com" || string(tag.Message) != "message\n-----BEGIN PGP\n" {
		t.Errorf("%+v, %v", tag, err)
	}
	if got := headers(tag.Headers()); !slices.Equal(got, []string{"extra=x\n y"}) {
		t.Errorf("headers %q", got)
	}
	for name, data := range map[string]string{
		"nothing":        "",
		"no object":      "type commit\ntag v\n\nm",
		"unknown type":   "object " + someID + "\ntype blub\ntag v\n\nm",
		"no name":        "object " + someID + "\ntype tree\n\nm",
		"another order":  "object " + someID + "\ntag v\ntype tree\n\nm",
		"invalid object": "object x\ntype tree\ntag v\n\nm",
	} {
		tag, err := ParseTag([]byte(data))
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if name != "nothing" && string(tag.Message) != "m" {
			t.Errorf("%s: message %q", name, tag.Message)
		}
	}
	old := "object " + someID + "\ntype commit\ntag v0.1\n\nwithout a tagger\n"
	if tag, err := ParseTag([]byte(old)); err != nil || tag.Tagger.Raw != nil {
		t.Errorf("a tag without a tagger: %+v, %v", tag.Tagger, err)
	}
}

func TestIterTree(t *testing.T) {
	id := strings.Repeat("\x01", 20)
	odd := "100644 ..\x00" + id + "40000 a/b\x00" + id + "100644 \x00" + id + "120000 .git\x00" + id + "0 zero\x00" + id + "160000 a\nb\x00" + id + "100644 ..\x00" + id
	it := IterTree([]byte(odd), SHA1)
	var got []string
	for it.Next() {
		e := it.Entry()
		got = append(got, fmt.Sprintf("%o %s %s %o", e.Mode, e.Name, e.OID.String()[:4], e.Kind()))
	}
	want := []string{"100644 .. 0101 100000", "40000 a/b 0101 40000", "100644  0101 100000", "120000 .git 0101 120000", "0 zero 0101 0", "160000 a\nb 0101 160000", "100644 .. 0101 100000"}
	if it.Err() != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, it.Err())
	}
	for name, data := range map[string]string{
		"no mode":       " a\x00" + id,
		"no blank":      "100644",
		"letters":       "10x644 a\x00" + id,
		"huge mode":     "777777777777 a\x00" + id,
		"no end":        "100644 a",
		"id cut short":  "100644 a\x00" + id[:19],
		"second broken": "100644 a\x00" + id + "x",
	} {
		it := IterTree([]byte(data), SHA1)
		n := 0
		for it.Next() {
			n++
		}
		if it.Err() == nil || it.Next() || n > 1 {
			t.Errorf("%s: %d entries, %v", name, n, it.Err())
		}
	}
	raw := []byte(odd)
	if n := testing.AllocsPerRun(100, func() {
		it := IterTree(raw, SHA1)
		for it.Next() {
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestParseAgainstGit parses what git writes.
func TestParseAgainstGit(t *testing.T) {
	for _, format := range []Format{SHA1, SHA256} {
		r := newRepo(t, format)
		r.fill(1, "main", 12)
		r.git("update-ref", "refs/heads/main", r.git("commit-tree", "-p", "main", "-p", "main~1", "-m", "merge", "main^{tree}"))
		for id, c := range r.all() {
			switch c.typ {
			case TypeCommit:
				p, err := ParseCommit([]byte(c.data))
				if err != nil {
					t.Errorf("%s: %v", id, err)
				}
				var parents []string
				for i := range p.NumParents() {
					parents = append(parents, p.Parent(i).String())
				}
				got := fmt.Sprintf("%s|%s|%s|%s|%d|%s|%s", p.Tree, strings.Join(parents, " "), p.Author.Name, p.Author.Email, p.Author.Unix, p.Committer.Name, bytes.TrimSpace(p.Message))
				if want := r.git("log", "-1", "--format=%T|%P|%an|%ae|%at|%cn|%B", id.String()); got != strings.TrimSpace(want) {
					t.Errorf("%s: %q, want %q", id, got, want)
				}
			case TypeTree:
				var got []string
				it := IterTree([]byte(c.data), format)
				for it.Next() {
					e := it.Entry()
					got = append(got, fmt.Sprintf("%06o %s\t%s", e.Mode, e.OID, e.Name))
				}
				want := r.git("ls-tree", "--format=%(objectmode) %(objectname)%x09%(path)", id.String())
				if strings.Join(got, "\n") != want || it.Err() != nil {
					t.Errorf("%s: %q, want %q, %v", id, got, want, it.Err())
				}
			case TypeTag:
				tag, err := ParseTag([]byte(c.data))
				if err != nil || string(tag.Name) != "v-main" || string(tag.Tagger.Name) != "T" {
					t.Errorf("%s: %+v, %v", id, tag, err)
				}
			}
		}
	}
}

func TestOID(t *testing.T) {
	for _, s := range []string{someID, strings.Repeat("0", 40), strings.Repeat("f1", 32)} {
		id, err := ParseOID(s)
		if err != nil || id.String() != s || id.IsZero() || OIDFromBytes(id.Bytes()) != id || len(id.Bytes()) != len(s)/2 {
			t.Errorf("%s: %s, %v", s, id, err)
		}
	}
	if id, err := ParseOID(strings.ToUpper(someID)); err != nil || id.String() != someID {
		t.Errorf("upper case: %s, %v", id, err)
	}
	for _, s := range []string{"", "4b", someID[:39], someID + "0", someID[:39] + "g", someID[:39] + " "} {
		if id, err := ParseOID(s); err == nil || !id.IsZero() {
			t.Errorf("%q: %s, %v", s, id, err)
		}
	}
	if id := OIDFromBytes([]byte("short")); !id.IsZero() || id.String() != "" {
		t.Errorf("of five bytes: %s", id)
	}
	a, b := fakeID(1), fakeID(2)
	if a.Compare(b) >= 0 || b.Compare(a) <= 0 || a.Compare(a) != 0 {
		t.Error("out of order")
	}
	// A null id of one length is not one of the other, nor none.
	if OIDFromBytes(make([]byte, 20)) == OIDFromBytes(make([]byte, 32)) || OIDFromBytes(make([]byte, 20)) == (OID{}) {
		t.Error("ids of different lengths are the same")
	}
	for typ, name := range map[Type]string{TypeCommit: "commit", TypeTree: "tree", TypeBlob: "blob", TypeTag: "tag", 0: "type 0", 9: "type 9"} {
		if typ.String() != name {
			t.Errorf("%s, want %s", typ, name)
		}
	}
}

package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// What several formats say in the same words. Functions here return text as it
// was read; each format escapes it for its own medium.

// home is the project's page.
const home = "https://github.com/till-sh/till"

// noRule stands in for a missing rule, so that a half made Key is shown and
// not a reason to fall over.
var noRule = &rules.Rule{ID: "unknown", Description: "secret", Severity: rules.High, Class: rules.ClassKey}

func ruleOf(k *scanner.Key) *rules.Rule {
	if k.Rule == nil {
		return noRule
	}
	return k.Rule
}

// class is the key's own class; empty counts as ClassKey, the strict one.
func class(k *scanner.Key) rules.Class {
	if k.Class == rules.ClassSuspect {
		return rules.ClassSuspect
	}
	return rules.ClassKey
}

// idAsked is the key's ID, with what the vendor says behind it where somebody
// asked: live, dead, or ? for no clear answer.
func idAsked(k *scanner.Key) string {
	switch k.Validity {
	case "":
		return k.ID
	case "active":
		return k.ID + " live"
	case "inactive":
		return k.ID + " dead"
	}
	return k.ID + " ?"
}

// blocks reports whether the key makes a scan fail.
func (o *Options) blocks(k *scanner.Key) bool {
	switch o.FailOn {
	case "never":
		return false
	case "suspect":
		return true
	}
	return class(k) == rules.ClassKey
}

// tally counts keys, suspects and the different places of both.
func tally(keys []scanner.Key) (known, suspects, places int) {
	for i := range keys {
		if class(&keys[i]) == rules.ClassKey {
			known++
		} else {
			suspects++
		}
		places += 1 + len(otherPlaces(&keys[i]))
	}
	return
}

// primary is the index of the place to show first: the first that is still
// there, since that is where something can be changed, or else the oldest. It
// is -1 for a key without places.
func primary(k *scanner.Key) int {
	for i := range k.Places {
		if k.Places[i].Present {
			return i
		}
	}
	return min(0, len(k.Places)-1)
}

func primaryPlace(k *scanner.Key) *scanner.Place {
	if i := primary(k); i >= 0 {
		return &k.Places[i]
	}
	return &scanner.Place{}
}

// otherPlaces are the places worth a mention beside the primary one. A file
// that was edited often has one place for each of its versions: of those that
// are gone, one for each file is enough, and none where the file still holds
// the value.
func otherPlaces(k *scanner.Key) []*scanner.Place {
	type at struct {
		where      scanner.Where
		path, hash string
		line, col  int
	}
	spot := func(p *scanner.Place) at {
		a := at{where: p.Where, path: p.Path}
		if a.where == "" {
			a.where = scanner.InContent
		}
		if p.Present {
			a.line, a.col = p.Location.StartLine, p.Location.StartColumn
		}
		if a.where != scanner.InContent && p.Commit != nil {
			a.hash = p.Commit.Hash
		}
		return a
	}
	first := primary(k)
	if first < 0 {
		return nil
	}
	seen, files := map[at]bool{}, map[string]bool{}
	for i := range k.Places {
		if p := &k.Places[i]; p.Present && isContent(p.Where) {
			files[p.Path] = true
		}
	}
	seen[spot(&k.Places[first])] = true
	var out []*scanner.Place
	for i := range k.Places {
		p := &k.Places[i]
		a := spot(p)
		if i == first || seen[a] || !p.Present && isContent(p.Where) && files[p.Path] {
			continue
		}
		seen[a] = true
		out = append(out, p)
	}
	return out
}

func isContent(w scanner.Where) bool { return w == "" || w == scanner.InContent }

// inFile reports whether the place can be pointed at in a file that is there.
func inFile(p *scanner.Place) bool {
	return p.Path != "" && (isContent(p.Where) || p.Where == scanner.InMessage && p.Commit == nil)
}

// position names a place: path:line:col, the form that terminals and editors
// link, wherever there is a file; else what of which commit it is.
func position(p *scanner.Place) string {
	lc := fmt.Sprintf(":%d:%d", p.Location.StartLine, p.Location.StartColumn)
	if p.Location.StartLine == 0 {
		lc = ""
	}
	of := ""
	if p.Commit != nil {
		of = " of commit " + short(p.Commit.Hash)
	}
	if p.Repository != "" && p.Path == "" {
		of += " in " + p.Repository
	}
	name := p.Path
	if name == "" && len(p.Refs) > 0 {
		name = p.Refs[0]
	}
	switch p.Where {
	case "", scanner.InContent:
		if p.Path == "" {
			return "(no name)" + lc
		}
		return p.Path + lc
	case scanner.InMessage:
		if inFile(p) {
			return p.Path + lc
		}
		return "message" + of + lc
	case scanner.InAuthor:
		return "author line" + of
	case scanner.InPath:
		return "file name " + p.Path
	case scanner.InTag:
		return strings.TrimSpace("message of tag "+name) + lc
	case scanner.InNote:
		return "git note" + of + lc
	case scanner.InRef:
		return strings.TrimSpace("name of ref " + name)
	}
	return string(p.Where) + " " + p.Path + lc
}

// short is a commit's hash in seven digits, as git shows it.
func short(hash string) string {
	if len(hash) > 7 && isHex(hash) {
		return hash[:7]
	}
	return hash
}

func isHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}

// onRemote reports whether others can have the value, so that it must be
// replaced.
func onRemote(e scanner.Exposure) bool {
	return e == scanner.ExposurePushed || e == scanner.ExposurePublic
}

// story says in parts how far a key has travelled: since when, by whom,
// whether pushed, whether still there.
func story(k *scanner.Key) []string { return append(origin(k), state(k)...) }

// state is how far the value has come and whether HEAD still holds it.
func state(k *scanner.Key) []string {
	var parts []string
	if e := exposureWords(k.Exposure); e != "" {
		parts = append(parts, e)
	}
	committed, present := false, false
	var removed *scanner.Commit // the last that took it away
	for i := range k.Places {
		p := &k.Places[i]
		inFile := p.Where == scanner.InContent || p.Where == scanner.InPath || p.Where == ""
		committed = committed || p.Commit != nil && inFile
		present = present || p.Present
		if c := p.Removed; c != nil && (removed == nil || c.Time.After(removed.Time)) {
			removed = c
		}
	}
	if committed && !present && k.Exposure != scanner.ExposureUnreachable {
		gone := "no longer in HEAD"
		if removed != nil && !removed.Time.IsZero() {
			gone = fmt.Sprintf("deleted %s (%s)", removed.Time.Format(time.DateOnly), short(removed.Hash))
		}
		parts = append(parts, gone)
	}
	return parts
}

// origin is where and since when the value stands in history, and who brought
// it there.
func origin(k *scanner.Key) []string {
	var since *scanner.Commit
	var authors []string
	hashes, refs, ref := map[string]bool{}, map[string]bool{}, ""
	for i := range k.Places {
		p := &k.Places[i]
		for _, r := range p.Refs {
			refs[r] = true
			if ref == "" {
				ref = r
			}
		}
		if p.Commit == nil || hashes[p.Commit.Hash] {
			continue
		}
		hashes[p.Commit.Hash] = true
		if since == nil || !p.Commit.Time.IsZero() && p.Commit.Time.Before(since.Time) {
			since = p.Commit
		}
		if a := authorOf(p.Commit); a != "" && !slices.Contains(authors, a) {
			authors = append(authors, a)
		}
	}
	var parts []string
	at := ""
	if ref != "" {
		at = "on " + ref
		if n := len(refs) - 1; n > 0 {
			at += fmt.Sprintf(" and %d more", n)
		}
	}
	if since != nil && !since.Time.IsZero() {
		at += " since " + since.Time.Format(time.DateOnly)
	}
	if at != "" {
		parts = append(parts, strings.TrimSpace(at))
	}
	if n := len(hashes); n > 0 {
		by := count(n, "commit")
		switch {
		case len(authors) == 1:
			by += " by " + authors[0]
		case len(authors) == 2:
			by += " by " + authors[0] + " and " + authors[1]
		case len(authors) > 2:
			by += fmt.Sprintf(" by %s and %d others", authors[0], len(authors)-1)
		}
		parts = append(parts, by)
	}
	return parts
}

func exposureWords(e scanner.Exposure) string {
	switch e {
	case scanner.ExposurePublic:
		return "public"
	case scanner.ExposurePushed:
		return "pushed"
	case scanner.ExposureLocal:
		return "not pushed"
	case scanner.ExposureStaged:
		return "staged, not committed"
	case scanner.ExposureUnreachable:
		return "held by no ref"
	}
	return ""
}

// authorOf is the part of the address before "@", enough to know a colleague
// and of no use to a harvester of addresses; the name when there is none.
func authorOf(c *scanner.Commit) string {
	if at := strings.IndexByte(c.Email, '@'); at > 0 {
		return c.Email[:at+1]
	}
	return c.Author
}

// blobLink is the page of a place at its code host, "" when it has none.
func blobLink(o *Options, p *scanner.Place) string {
	base := strings.TrimRight(webURL(o.RepoURL), "/")
	commit := o.Commit
	if p.Commit != nil {
		commit = p.Commit.Hash
	}
	if base == "" || !isHex(commit) || !isContent(p.Where) || p.Path == "" || strings.HasPrefix(p.Path, "/") {
		return ""
	}
	link := base + "/blob/" + commit + "/" + uriPath(p.Path)
	if p.Location.StartLine > 0 {
		link += fmt.Sprintf("#L%d", p.Location.StartLine)
	}
	return link
}

// exposureOf is the exposure's name; nothing asked means a plain file.
func exposureOf(k *scanner.Key) string {
	if k.Exposure == "" {
		return string(scanner.ExposureFile)
	}
	return string(k.Exposure)
}

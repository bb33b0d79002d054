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

// A stage is one of the two halves of a replacement, with its first step.
type stage struct {
	name  string // "revoke" or "new key"
	steps []rules.Step
}

// stages are the halves in the order in which to do them, which is that of till
// rotate.
func stages(k *scanner.Key) []stage {
	w := &ruleOf(k).Workflow
	revoke, reissue := stage{"revoke", w.Revoke}, stage{"new key", w.Reissue}
	out := []stage{reissue, revoke}
	if k.Exposure.Order(w.Order) == rules.RevokeFirst {
		out = []stage{revoke, reissue}
	}
	return slices.DeleteFunc(out, func(s stage) bool { return len(s.steps) == 0 })
}

// publicID reports whether an identifier may be put into a command line that a
// person will copy. It comes from the scanned text: no blanks, no quotes,
// nothing that a shell reads, no leading dash. (No regular expression: compiling
// one at start-up would cost a hook a tenth of its time.)
func publicID(id string) bool {
	for i := 0; i < len(id); i++ {
		c := id[i]
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || i > 0 && strings.IndexByte("_.:@/-", c) >= 0 {
			continue
		}
		return false
	}
	return id != "" && len(id) <= 128
}

// stepTarget is where a step is done: the vendor's page, else the command, else
// the request, "" when only the text tells. The command of a key whose public
// half is known names it. k may be nil.
func stepTarget(k *scanner.Key, s *rules.Step) string {
	switch {
	case s.URL != "":
		return s.URL
	case s.Command != "":
		if k != nil && publicID(k.Facts.ID) {
			return strings.ReplaceAll(s.Command, "{{id}}", k.Facts.ID)
		}
		return s.Command
	case s.Request != nil && s.Request.URL != "":
		return strings.TrimSpace(s.Request.Method + " " + s.Request.URL)
	}
	return ""
}

// stepLine is a step in one line.
func stepLine(k *scanner.Key, s *rules.Step) string {
	var parts []string
	for _, p := range []string{s.Title, stepTarget(k, s)} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if len(parts) < 2 && s.Text != "" {
		parts = append(parts, s.Text)
	}
	return strings.Join(parts, ": ")
}

// stepWords is a step in one line with its link, command and explanation, in the
// words of a medium: plain text, a link, code.
func stepWords(k *scanner.Key, s *rules.Step, text, link, code func(string) string) string {
	var parts []string
	if s.Title != "" {
		parts = append(parts, text(s.Title))
	}
	if s.URL != "" {
		parts = append(parts, link(s.URL))
	}
	bare := *s
	bare.URL = ""
	if s.Command != "" || s.URL == "" && s.Request != nil {
		if target := stepTarget(k, &bare); target != "" {
			parts = append(parts, code(target))
		}
	}
	out := strings.Join(parts, ": ")
	if s.Text != "" {
		if out != "" {
			out += ". "
		}
		out += text(s.Text)
	}
	return out
}

// firstSteps is "Revoke: …. New key: …." for formats with one line for it.
func firstSteps(k *scanner.Key) string {
	var parts []string
	for _, s := range stages(k) {
		if l := stepLine(k, &s.steps[0]); l != "" {
			name := "Revoke: "
			if s.name != "revoke" {
				name = "New key: "
			}
			parts = append(parts, name+strings.TrimRight(l, ".")+".")
		}
	}
	return strings.Join(parts, " ")
}

// commands that exist in till, as a person types them.
const (
	fixCommand   = "till fix"
	checkGiven   = "till check -"
	whyNotSecret = "it is not a secret: say why"
)

func allowCommand(id string) string   { return "till allow " + id + ` --reason "…"` }
func explainCommand(id string) string { return "till explain " + id }
func rotateCommand(id string) string  { return "till rotate " + id }

// A command is what to type, and in a few words what comes of it.
type command struct{ line, what string }

// wayOn are the commands that get a person on with a key, the best first. till
// explain is always there.
func wayOn(k *scanner.Key, o *Options) []command {
	if o.Given { // no ID leads back to it
		return []command{{checkGiven, "the same once more: is it live, whose is it"}}
	}
	allow, why := command{allowCommand(k.ID), whyNotSecret}, command{explainCommand(k.ID), "why till thinks so"}
	line, what := Next(k)
	switch {
	case line == "":
		return []command{allow, why}
	case class(k) == rules.ClassSuspect:
		return []command{allow, {line, what}, why}
	}
	return []command{{line, what}, why}
}

// Next is the command that gets on with a key that is one, and what it does:
// what is staged leaves the commit, what git keeps is replaced, of what stands in
// a file alone it is first asked whether it is live. "" = till has none.
func Next(k *scanner.Key) (line, what string) {
	switch k.Exposure {
	case scanner.ExposureStaged:
		if !movable(k) {
			return "", ""
		}
		return fixCommand + " " + k.ID, "moves the value to .env, ignored by git"
	case scanner.ExposureFile, "":
		return "till check " + k.ID, "is it live, whose is it, where else is it"
	case scanner.ExposureLocal, scanner.ExposurePushed, scanner.ExposurePublic, scanner.ExposureUnreachable:
	}
	return rotateCommand(k.ID), "new key, swap, old key proven dead"
}

// movable reports whether till fix can help: the key stands in a file as it is,
// not in a name, a message or an encoding.
func movable(k *scanner.Key) bool {
	return slices.ContainsFunc(k.Places, func(at scanner.Place) bool {
		return isContent(at.Where) && len(at.Decoded) == 0 && !strings.Contains(at.Path, "!")
	})
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

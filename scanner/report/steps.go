package report

import (
	"slices"
	"strings"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// What to do about a key: the steps of its rule in their order, and the commands
// of till that get on.

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

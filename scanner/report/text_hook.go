package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/till-sh/till/scanner"
)

// hook is the report of a git hook. Nothing found and everything read: not a
// byte, so that nobody learns to overlook it.
func (p *page) hook() {
	known, suspects, _ := tally(p.r.Keys)
	if known+suspects > 0 {
		p.hookFindings(known, suspects)
	}
	if !p.r.Summary.Complete() {
		if p.b.Len() > 0 {
			p.put()
		}
		p.put("till: could not check everything", p.outcome(true))
		p.errors("  ")
		if p.o.Hook == "pre-commit" {
			p.put()
			p.commands([]command{{"till scan --staged", "the same check by hand"}})
		}
	}
}

// outcome says what became of the commit or push.
func (p *page) outcome(stopped bool) string {
	switch p.o.Hook {
	case "pre-push":
		if stopped {
			return ", so nothing was pushed"
		}
		return ", pushed all the same"
	case "pre-receive":
		if stopped {
			return ", so the push was refused"
		}
		return ", taken all the same"
	}
	if stopped {
		return ", so the commit was not made"
	}
	return ", commit made"
}

func (p *page) hookFindings(known, suspects int) {
	stopped := false
	for i := range p.r.Keys {
		stopped = stopped || p.o.blocks(&p.r.Keys[i])
	}
	in := map[string]string{"commit-msg": " in the commit message", "pre-push": " in what you push", "pre-receive": " in this push"}[p.o.Hook]
	if in == "" && stopped {
		in = " in this commit"
	}
	end := p.outcome(stopped)
	if in == " in this commit" {
		end = ", so it was not made"
	}
	p.put("till: ", keysAndSuspects(known, suspects, " and "), in, end)

	quiet := !stopped && known == 0 // suspects alone: one item, one command, no advice
	if !quiet {
		p.put()
	}
	for i := range p.r.Keys {
		k := &p.r.Keys[i]
		if i > 0 {
			p.put()
		}
		p.item(k, p.description(k, p.width-7-len(k.ID))+"   "+k.ID)
		p.also(k, "    ")
	}
	first := p.firstID()
	if quiet {
		p.commands([]command{{allowCommand(first), ""}})
		return
	}
	p.put()
	p.advice()
	p.put()
	var rows []command
	if p.o.Hook == "pre-commit" && slices.ContainsFunc(p.r.Keys, p.fixable) {
		rows = append(rows, command{fixCommand, "moves the values to .env, ignored by git"})
	}
	if p.o.Hook == "pre-push" || p.o.Hook == "pre-receive" {
		if here := p.here(); len(here) > 0 {
			rows = append(rows, command{rebase(here), "edits them by hand"}, command{"till clean " + here[0].ID + " --plan", "the git commands for each way"})
		}
	}
	if i := slices.IndexFunc(p.r.Keys, func(k scanner.Key) bool { return onRemote(k.Exposure) && p.o.blocks(&k) }); i >= 0 {
		rows = append(rows, command{rotateCommand(p.r.Keys[i].ID), "walks through the replacement"})
	}
	p.commands(append(rows, command{allowCommand(first), whyNotSecret}, command{explainCommand(first), "why till thinks so"}))
}

// fixable reports whether till fix takes the key out by itself.
func (p *page) fixable(k scanner.Key) bool { return p.o.blocks(&k) && movable(&k) }

// firstID is the key that the commands name: one that blocks, if there is one.
func (p *page) firstID() string {
	for i := range p.r.Keys {
		if p.o.blocks(&p.r.Keys[i]) {
			return p.r.Keys[i].ID
		}
	}
	return p.r.Keys[0].ID
}

// here are the keys that no remote has.
func (p *page) here() []*scanner.Key {
	var here []*scanner.Key
	for i := range p.r.Keys {
		if k := &p.r.Keys[i]; !onRemote(k.Exposure) {
			here = append(here, k)
		}
	}
	return here
}

// advice depends on how far the values have travelled: what never left this
// machine has only to be taken out, what is on a remote must be replaced.
func (p *page) advice() {
	told := false
	for i := range p.r.Keys {
		k := &p.r.Keys[i]
		if !onRemote(k.Exposure) {
			continue
		}
		if told {
			p.put()
		}
		told = true
		p.wrap("  ", p.text(k.ID+" "+alreadyOut(k)+" It must be replaced."))
		p.put()
		p.steps(k, "    ")
	}
	here := p.here()
	if len(here) == 0 {
		return
	}
	if told {
		p.put()
	}
	subject, object, verb := "It", "it", "exists"
	switch total := len(p.r.Keys); {
	case len(here) != total && len(here) == 1:
		subject = here[0].ID
	case len(here) != total:
		subject, object, verb = fmt.Sprintf("The other %d", len(here)), "them", "exist"
	case total == 2:
		subject, object, verb = "Both", "them", "exist"
	case total > 2:
		subject, object, verb = fmt.Sprintf("All %d", total), "them", "exist"
	}
	switch p.o.Hook {
	case "pre-receive", "pre-push":
		say := "Not pushed yet: no need to revoke " + object + ". Take " + object + " out of the commits:"
		if p.o.Hook == "pre-receive" {
			say = "Nothing of the push was kept here. Take " + object + " out of the commits and push again:"
		}
		p.wrap("  ", say)
	case "commit-msg":
		file := primaryPlace(here[0]).Path
		if file == "" || p.text(file) != file || strings.ContainsAny(file, " '\"$`\\;&|<>()*?!#~") {
			file = ".git/COMMIT_EDITMSG"
		}
		p.wrap("  ", "Your message is kept in "+file+". Edit it and commit:")
		p.put()
		p.put("    git commit -eF ", file)
	default:
		p.wrap("  ", p.text(fmt.Sprintf("%s %s only on this machine, so far. No need to revoke %s.", subject, verb, object)))
	}
}

// rebase is the command that reaches the oldest commit among keys.
func rebase(keys []*scanner.Key) string {
	var oldest *scanner.Commit
	for _, k := range keys {
		for i := range k.Places {
			if c := k.Places[i].Commit; c != nil && isHex(c.Hash) && (oldest == nil || c.Time.Before(oldest.Time)) {
				oldest = c
			}
		}
	}
	if oldest == nil {
		return "git rebase -i"
	}
	return "git rebase -i " + short(oldest.Hash) + "^"
}

// alreadyOut says where others can see the value, and since when.
func alreadyOut(k *scanner.Key) string {
	for i := range k.Places {
		c := k.Places[i].Commit
		if c == nil {
			continue
		}
		where := "on a remote"
		if len(k.Places[i].Refs) > 0 {
			where = "in " + k.Places[i].Refs[0]
		}
		since := ""
		if !c.Time.IsZero() {
			since = " since " + c.Time.Format(time.DateOnly)
		}
		public := ""
		if k.Exposure == scanner.ExposurePublic {
			public = ", public"
		}
		return fmt.Sprintf("is also %s%s (commit %s)%s.", where, since, short(c.Hash), public)
	}
	if k.Exposure == scanner.ExposurePublic {
		return "is public."
	}
	return "is already on a remote."
}

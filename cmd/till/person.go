package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/scanner"
)

// terminal is the rotate.Person at a terminal.
type terminalPerson struct {
	w    *workshop
	step int
}

func (p *terminalPerson) Say(text string) {
	fmt.Fprintln(p.w.e.stdout, strings.TrimRight(hang("  "+printable(text), p.w.e.screen()), " "))
}

func (p *terminalPerson) Head(title string) {
	p.step++
	fmt.Fprintf(p.w.e.stdout, "\n%d %s\n", p.step, printable(title))
}

func (p *terminalPerson) Confirm(ctx context.Context, question string, standard bool) (bool, error) {
	return p.w.confirm(ctx, "  "+printable(question), standard)
}

func (p *terminalPerson) Approve(ctx context.Context, question string, final bool, id string) (bool, error) {
	if final {
		return p.Attest(ctx, question, id)
	}
	return p.Confirm(ctx, question, false)
}

func (p *terminalPerson) Attest(ctx context.Context, question, id string) (bool, error) {
	s, err := p.w.line(ctx, fmt.Sprintf("  %s type %s (anything else: no): ", printable(question), id))
	return err == nil && strings.EqualFold(s, id), err
}

func (p *terminalPerson) Hidden(ctx context.Context, question string) (string, error) {
	return p.w.hidden(ctx, "  "+printable(question)+": ")
}

// Show writes to the terminal, not to what standard output may be.
func (p *terminalPerson) Show(label string, secret scanner.Secret) error {
	fmt.Fprintf(p.w.e.stderr, "  %s: %s\n", printable(label), printable(secret.Reveal()))
	return nil
}

// nobody is the rotate.Person where nobody watches: a CI job, an agent. What it
// is asked it answers by the standard, changes it allows only when the command
// line has said so, and it vouches for nothing.
type nobody struct {
	terminalPerson
	yes bool
}

func (n *nobody) Confirm(_ context.Context, question string, standard bool) (bool, error) {
	n.Say(question + " " + map[bool]string{true: "yes", false: "no"}[standard] + " (nobody is asked)")
	return standard, nil
}

func (n *nobody) Approve(_ context.Context, question string, _ bool, _ string) (bool, error) {
	n.Say(question + " " + map[bool]string{true: "yes (--yes)", false: "no"}[n.yes])
	return n.yes, nil
}

func (n *nobody) Attest(context.Context, string, string) (bool, error) {
	return false, rotate.ErrNobody
}

func (n *nobody) Hidden(context.Context, string) (string, error) { return "", rotate.ErrNobody }

func (n *nobody) Show(string, scanner.Secret) error { return rotate.ErrNobody }

package main

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/till-sh/till/rotate/call"
)

// env is everything of the outside world that a command touches, so that a
// command can be run as a value.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	// terminal reports whether a stream is one that a person looks at.
	terminal func(stream any) bool
	// tune changes the client that speaks to vendors; nil outside of tests.
	tune func(*call.Client)
}

func system() *env {
	return &env{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv,
		terminal: func(stream any) bool {
			f, ok := stream.(*os.File)
			return ok && term.IsTerminal(int(f.Fd()))
		},
	}
}

// color decides whether a stream gets colours: the flag first, then
// CLICOLOR_FORCE, NO_COLOR (https://no-color.org), TERM=dumb, and whether it
// is a terminal.
func (e *env) color(flag string, stream any) bool {
	switch flag {
	case "always":
		return true
	case "never":
		return false
	}
	if f := e.getenv("CLICOLOR_FORCE"); f != "" && f != "0" {
		return true
	}
	if e.getenv("NO_COLOR") != "" || e.getenv("TERM") == "dumb" {
		return false
	}
	return e.terminal(stream)
}

// width is how many columns a report on standard output may take: those of the
// terminal, between 60 and 120, and 80 where it is none.
func (e *env) width() int {
	if f, ok := e.stdout.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return min(max(w, 60), 120)
		}
	}
	return 80
}

// screen is the width of the terminal that standard output is, 0 where it is none.
func (e *env) screen() int {
	if !e.terminal(e.stdout) {
		return 0
	}
	return e.width()
}

// ascii reports whether the locale cannot show more than ASCII. Windows
// consoles take UTF-8 without any of these variables.
func (e *env) ascii() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToUpper(e.getenv(name)); v != "" {
			return !strings.Contains(v, "UTF-8") && !strings.Contains(v, "UTF8")
		}
	}
	return os.PathSeparator == '/' && e.getenv("WT_SESSION") == ""
}

// ci reports whether nobody watches: a CI job.
func (e *env) ci() bool {
	v := e.getenv("CI")
	return v != "" && v != "0" && v != "false"
}

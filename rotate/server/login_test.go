package server

import (
	"strings"
	"testing"

	"github.com/till-sh/till/scanner"
)

// TestLogin: the ways to give a credential of one's own.
func TestLogin(t *testing.T) {
	at := target{host: "db.acme.example:5432"}
	for name, x := range map[string]struct {
		text string
		want account
		bad  string
	}{
		"user and password":  {"boss:a:b", account{"boss", "a:b"}, ""},
		"connection string":  {"postgres://boss" + ":p%40ss" + "@elsewhere/x", account{"boss", "p@ss"}, ""},
		"password file":      {"# hosts\nother:5432:*:root:no\ndb.acme.example:5432:*:shop:leaked\ndb.acme.example:*:*:boss:a\\:b\\\\c\n", account{"boss", `a:b\c`}, ""},
		"one line":           {"*:*:*:boss:pw", account{"boss", "pw"}, ""},
		"two fit":            {"*:*:*:boss:pw\n*:*:*:root:pw", account{}, "2 lines"},
		"none fits":          {"db.acme.example:5433:*:boss:pw\n*:*:*:shop:pw\n", account{}, "no line"},
		"option file":        {"[mysqld]\nuser=mysql\npassword=no\n[client]\n# x\nuser = boss\npassword=\"p w\"\n", account{"boss", "p w"}, ""},
		"option file, other": {"[mysqldump]\nuser=boss\npassword=x\n", account{}, "no user and password"},
		"nothing":            {"boss", account{}, "expected"},
	} {
		got, err := parseLogin(x.text, at, "shop")
		if got != x.want && x.bad == "" || (err == nil) != (x.bad == "") || err != nil && !strings.Contains(err.Error(), x.bad) {
			t.Errorf("%s: another login, %v", name, err)
		}
	}
	if a, err := parseLogin("localhost:3306:*:boss:pw\n", target{host: "127.0.0.1:3306"}, "shop"); err != nil || a.user != "boss" {
		t.Errorf("this machine: %v", err)
	}
}

// TestPassLine: the server of a leaked line of a password file.
func TestPassLine(t *testing.T) {
	for line, want := range map[string]target{
		"db.acme.example:5432:shop:app:": {"postgres", "db.acme.example:5432", "shop"},
		`"db:*:*:app:`:                   {"postgres", "db", ""},
		"*:*:*:app:":                     {},
		"password: ":                     {},
		"a:b:c:d:":                       {},
	} {
		n := len([]rune(line))
		if got, ok := parseTarget(scanner.ExcerptLine{Text: line + "****", Mark: n, MarkEnd: n + 4}); got != want || ok != (want.host != "") {
			t.Errorf("%s: %+v %v", line, got, ok)
		}
	}
}

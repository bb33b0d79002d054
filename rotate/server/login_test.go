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
		"user and password":  {"boss:" + "a:b", account{"boss", "a:b"}, ""},
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
		"db.acme.example:5432:shop:app:": {scheme: "pgpass", host: "db.acme.example:5432", database: "shop"},
		`"db:*:*:app:`:                   {scheme: "pgpass", host: "db"},
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

// TestPasswordOf: a password as each place writes it.
func TestPasswordOf(t *testing.T) {
	for before, want := range map[string]string{"db:5432:*:app:": `a:b%41\c`, "jdbc:mysql://db/?password=": `a\:bA\\c`, "password=": `a\:b%41\\c`} {
		j := jobAt("db:1", "app", `a\:b%41\\c`)
		n := len([]rune(before))
		j.Leak.Places = []scanner.Place{{Excerpt: []scanner.ExcerptLine{{Text: before + "****", Mark: n, MarkEnd: n + 4}}}}
		if got := passwordOf(j, j.Leak.Secret); got != want {
			t.Errorf("behind %s: another password", before)
		}
	}
}

// TestJDBC: the server and the user of a JDBC URL.
func TestJDBC(t *testing.T) {
	for before, want := range map[string]target{
		"jdbc:mysql://db:3306/shop?user=app&password=":                 {scheme: "jdbc:mysql", host: "db:3306", database: "shop", user: "app"},
		`url="jdbc:mariadb://db/shop?a=b&amp;user=a%40b&amp;password=`: {scheme: "jdbc:mariadb", host: "db", database: "shop", user: "a@b"},
		"jdbc:postgresql://db/shop?password=":                          {scheme: "jdbc:postgresql", host: "db", database: "shop"},
		"jdbc:mysql://a,b/shop?password=":                              {},
		"jdbc:mysql://${HOST}/shop?password=":                          {},
		"jdbc:oracle:thin:@db?password=":                               {},
		"sql://db.acme.example/shop?user=app&password=":                {},
	} {
		n := len([]rune(before))
		got, ok := parseTarget(scanner.ExcerptLine{Text: before + "****", Mark: n, MarkEnd: n + 4})
		if ok != (want.host != "") || ok && got != want {
			t.Errorf("%s: %+v %v", before, got, ok)
		}
	}
	j := jobAt("127.0.0.1:1", "", "x")
	if v, err := (jdbcLogin{}).Verify(t.Context(), j, j.Leak.Secret); err != nil || v.Why != errJDBC.Error() {
		t.Errorf("another server: %s, %v", v.Why, err)
	}
}

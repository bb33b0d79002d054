package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/scanner"
)

// TestRefusalElsewhere: a server or a user that a person has named refuses every
// key, so the refusal is no proof until another password of the case is let in.
func TestRefusalElsewhere(t *testing.T) {
	right := rotate.Password(18).Reveal()
	redis := func(conn net.Conn) {
		r := bufio.NewReader(conn)
		var words []string
		for range 7 { // *3 $4 AUTH $n user $n password
			line, _ := r.ReadString('\n')
			words = append(words, strings.TrimSpace(line))
		}
		if words[6] == right {
			_, _ = io.WriteString(conn, "+OK\r\n")
			return
		}
		_, _ = fmt.Fprint(conn, "-WRONGPASS invalid username-password pair or user is disabled.\r\n")
	}
	only := func(_, password string) bool { return password == right }
	for name, x := range map[string]struct {
		serve func(net.Conn)
		login rotate.Verifier
	}{
		"redis":    {redis, redisLogin{}},
		"rabbitmq": {amqpPlay("PLAIN", only, nil), rabbitLogin{}},
	} {
		ask := func(j *rotate.Job, s scanner.Secret, want rotate.Validity) {
			t.Helper()
			if v, err := x.login.Verify(t.Context(), j, s); err != nil || v.Validity != want {
				t.Errorf("%s: %s (%s, %v), want %s", name, v.Validity, v.Why, err, want)
			}
		}
		job := func(leaked string) *rotate.Job { return jobAt(fakeServer(t, x.serve), "shop", leaked) }

		j := job("old" + right)
		ask(j, j.Leak.Secret, rotate.Inactive)
		j.Given["user"] = "shopp"
		ask(j, j.Leak.Secret, rotate.Unknown)

		j = job("pa$$" + right) // what Compose reads as one $
		ask(j, j.Leak.Secret, rotate.Unknown)

		j = job("old" + right)
		j.Leak.Places[0].Excerpt[0].Text = strings.ReplaceAll(j.Leak.Places[0].Excerpt[0].Text, "127.0.0.1", "db.acme.example")
		ask(j, j.Leak.Secret, rotate.Unknown)
		j.New = &rotate.Issued{Secret: scanner.NewSecret([]byte(right))}
		ask(j, j.Leak.Secret, rotate.Inactive)

		j = job(right) // the new one has not been set
		j.Leak.Places = nil
		j.New = &rotate.Issued{Secret: scanner.NewSecret([]byte("new" + right))}
		ask(j, j.New.Secret, rotate.Inactive)
	}
}

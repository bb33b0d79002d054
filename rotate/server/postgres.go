package server

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/lib/pq"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// postgresLogin signs in once.
type postgresLogin struct{}

// postgresPassword changes a role's password with the role's own rights: every
// role may. The server never sees the new password: what is sent is what it
// would store itself, a SCRAM verifier, so that no statement log holds it
// (https://www.postgresql.org/docs/current/sql-alterrole.html; as psql's
// \password does).
type postgresPassword struct{}

// postgresSessions ends the open sessions of the role: a changed password ends
// none by itself.
type postgresSessions struct{}

const postgresTimeout = 15 * time.Second

func (postgresLogin) Describe(j *rotate.Job) []string {
	return []string{"sign in to PostgreSQL at " + known(j, "server", address(&j.Leak)) + " as " + j.Leak.PublicID}
}

func (postgresPassword) Describe(j *rotate.Job) []string {
	role := j.Leak.PublicID
	return []string{
		"connect to PostgreSQL at " + known(j, "server", address(&j.Leak)) + " as " + role + ", with the leaked password",
		fmt.Sprintf("ALTER ROLE %s PASSWORD 'SCRAM-SHA-256$…'", pq.QuoteIdentifier(role)),
	}
}

func (postgresSessions) Describe(j *rotate.Job) []string {
	return []string{
		"connect to PostgreSQL at " + known(j, "server", address(&j.Leak)) + " as " + j.Leak.PublicID + ", with the new password",
		endSessions,
	}
}

// endSessions ends the role's sessions but the one that says it. A role may end
// its own.
const endSessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()"

// known is what the owner has said, or the proposal.
func known(j *rotate.Job, name, proposal string) string {
	if v := j.Given[name]; v != "" {
		return v
	}
	return proposal
}

// Verify signs in. The server's word that the password is wrong is dead; that
// it lets in any password says nothing about this one.
func (postgresLogin) Verify(ctx context.Context, j *rotate.Job, secret scanner.Secret) (rotate.Verdict, error) {
	out := rotate.Verdict{Validity: rotate.Unknown}
	role, err := j.PublicID(ctx, j.Leak.Secret)
	if err != nil {
		out.Why = "the role is not known"
		return out, nil
	}
	at, err := postgresServer(ctx, j)
	if err != nil {
		out.Why = err.Error()
		return out, nil
	}
	out.Host = at.host + ":" + at.port
	db, err := at.open(ctx, role, secret)
	var refused *pq.Error
	switch {
	case err == nil:
		_ = db.Close()
		if any, err := at.open(ctx, role, rotate.Password(24)); err == nil {
			_ = any.Close()
			out.Why = "the server lets this role in with any password"
			return out, nil
		}
		out.Validity, out.Why, out.Identity = rotate.Active, "signed in", "role "+role+" of "+at.database
	case errors.As(err, &refused) && refused.Code == "28P01": // invalid_password
		out.Validity, out.Why = rotate.Inactive, "password authentication failed"
	default:
		out.Why = err.Error()
	}
	return out, nil
}

// Issue sets a new password. It is kept before the server is told, so the
// change can be said again with the same one.
func (postgresPassword) Issue(ctx context.Context, j *rotate.Job) (rotate.Issued, error) {
	n := rotate.Issued{Secret: rotate.Password(32), Ends: true}
	role, err := j.PublicID(ctx, j.Leak.Secret)
	if err != nil {
		return n, err
	}
	at, err := postgresServer(ctx, j)
	if err != nil {
		return n, err
	}
	if j.New != nil {
		n = *j.New
	}
	db, err := at.open(ctx, role, j.Leak.Secret)
	if err != nil {
		return n, fmt.Errorf("sign in as %s: %w", role, err)
	}
	defer db.Close()
	if err := j.Keep(n); err != nil {
		return n, err
	}
	verifier, err := scramVerifier(n.Secret.Reveal())
	if err != nil {
		return n, err
	}
	statement := fmt.Sprintf("ALTER ROLE %s PASSWORD %s", pq.QuoteIdentifier(role), pq.QuoteLiteral(verifier))
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return n, fmt.Errorf("change the password of %s: %w", role, err)
	}
	return n, nil
}

// Revoke ends the sessions that the old password has opened.
func (postgresSessions) Revoke(ctx context.Context, j *rotate.Job) error {
	role, err := j.PublicID(ctx, j.Leak.Secret)
	if err != nil {
		return err
	}
	at, err := postgresServer(ctx, j)
	if err != nil {
		return err
	}
	secret := j.Leak.Secret
	if j.New != nil {
		secret = j.New.Secret
	}
	db, err := at.open(ctx, role, secret)
	if err != nil {
		return fmt.Errorf("sign in as %s: %w", role, err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, endSessions); err != nil {
		return fmt.Errorf("end the sessions of %s: %w", role, err)
	}
	return nil
}

// postgresAt is a server and a database on it.
type postgresAt struct{ host, port, database, sslmode string }

func postgresServer(ctx context.Context, j *rotate.Job) (postgresAt, error) {
	at := postgresAt{port: "5432", database: "postgres", sslmode: "require"}
	text, err := j.Accepted(ctx, rules.Ask{Name: "server", Text: "PostgreSQL server, as you reach it: host:port/database"}, address(&j.Leak))
	if err != nil {
		return at, err
	}
	host, database, _ := strings.Cut(text, "/")
	if database != "" {
		at.database = database
	}
	at.host = host
	if h, p, err := net.SplitHostPort(host); err == nil {
		at.host, at.port = h, p
	}
	if ip := net.ParseIP(at.host); at.host == "localhost" || ip != nil && ip.IsLoopback() {
		at.sslmode = "disable" // nobody is between
	}
	if mode := j.Given["sslmode"]; mode != "" {
		at.sslmode = mode
	}
	return at, nil
}

// open signs in. The password goes to the driver and nowhere else.
func (at postgresAt) open(ctx context.Context, role string, secret scanner.Secret) (*sql.DB, error) {
	quote := func(s string) string { return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'" }
	c, err := pq.NewConnector(fmt.Sprintf("host=%s port=%s dbname=%s user=%s password=%s sslmode=%s connect_timeout=10 application_name=till",
		quote(at.host), quote(at.port), quote(at.database), quote(role), quote(secret.Reveal()), quote(at.sslmode)))
	if err != nil {
		return nil, errors.New("the server's address is not one for PostgreSQL") // the cause may quote it all
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(1)
	ctx, cancel := context.WithTimeout(ctx, postgresTimeout)
	defer cancel()
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

// scramVerifier is what PostgreSQL stores for a password, by RFC 5803: 4096
// rounds, as the server's own default (scram_iterations).
func scramVerifier(password string) (string, error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	const rounds = 4096
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		return "", err
	}
	keyed := func(name string) []byte {
		mac := hmac.New(sha256.New, salted)
		mac.Write([]byte(name))
		return mac.Sum(nil)
	}
	stored := sha256.Sum256(keyed("Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", rounds, encode(salt), encode(stored[:]), encode(keyed("Server Key"))), nil
}

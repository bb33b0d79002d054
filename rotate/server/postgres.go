package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/scanner"
)

// The three sides of a PostgreSQL role: logging in; a new password, set by the
// role itself, which may change its own, or with the owner's credential; the end
// of what the old one has opened
// (https://www.postgresql.org/docs/current/sql-alterrole.html).
type (
	postgresLogin    struct{}
	postgresPassword struct{}
	postgresOff      struct{}
)

const pgPort = "5432"

func (postgresLogin) Describe(j *rotate.Job) []string {
	return []string{fmt.Sprintf("log in to PostgreSQL at %s as %s", shownServer(j, pgPort), shownUser(j))}
}

func (postgresPassword) Describe(j *rotate.Job) []string {
	return append(pgEntry(j, hasAdmin(j)), "ALTER ROLE "+pgIdent(shownUser(j))+" PASSWORD 'SCRAM-SHA-256$…'")
}

func (postgresOff) Describe(j *rotate.Job) []string {
	role := pgIdent(shownUser(j))
	if j.New == nil {
		return append(pgEntry(j, true), "ALTER ROLE "+role+" PASSWORD NULL", "end the sessions of "+role)
	}
	return append(pgEntry(j, hasAdmin(j)), "end the sessions of "+role)
}

func pgEntry(j *rotate.Job, admin bool) []string {
	who := shownUser(j)
	if admin {
		who = "your own account"
	}
	return []string{fmt.Sprintf("log in to PostgreSQL at %s as %s", shownServer(j, pgPort), who)}
}

func (postgresLogin) Verify(ctx context.Context, j *rotate.Job, secret scanner.Secret) (rotate.Verdict, error) {
	t, err := serverOf(ctx, j, pgPort)
	if err != nil {
		return unknown(t.host, err), nil
	}
	user, err := userOf(ctx, j)
	if err != nil {
		return unknown(t.host, err), nil
	}
	c, err := pgOpen(ctx, j, t, user, passwordOf(j, secret))
	if err == nil {
		defer c.close()
	}
	out := rotate.Verdict{Validity: rotate.Unknown, Host: t.host}
	var e *pgError
	switch {
	case c.ok && c.asked:
		out.Validity, out.Identity, out.Why = rotate.Active, user, "logged in"
		if err == nil {
			// What the role may do, for the person's decision; silence is no error.
			out.Scopes, _ = c.exec("SELECT concat_ws(', ', CASE WHEN rolsuper THEN 'superuser' END, CASE WHEN rolcreaterole THEN 'makes roles' END, " +
				"CASE WHEN rolcreatedb THEN 'makes databases' END, CASE WHEN rolreplication THEN 'replication' END) FROM pg_roles WHERE rolname = current_user")
		}
	case c.ok:
		out.Why = "the server lets this role in without asking for the password"
	case errors.As(err, &e) && e.Code == "28P01": // invalid_password; a role that is not there is the same to a stranger
		out.Validity, out.Why = refusal(j, t, pgPort, user, secret, "login refused (SQLSTATE 28P01)", func(password string) bool {
			c, err := pgOpen(ctx, j, t, user, password)
			if err == nil {
				c.close()
			}
			return c.ok && c.asked
		})
	default:
		out.Why = err.Error()
	}
	return out, nil
}

// pgSession logs in as somebody who may change the role: with the owner's
// credential if admin says so, else as the role itself.
func pgSession(ctx context.Context, j *rotate.Job, t target, user string, admin bool) (*pgConn, error) {
	if !admin {
		c, err := pgOpen(ctx, j, t, user, passwordOf(j, j.Leak.Secret))
		var e *pgError
		if err == nil || !errors.As(err, &e) || e.Code != "28P01" {
			return c, pgDenied(err)
		}
		if j.New != nil { // an earlier attempt may have changed it already
			if c, err := pgOpen(ctx, j, t, user, j.New.Secret.Reveal()); err == nil {
				return c, nil
			}
		}
	}
	who, err := adminOf(ctx, j, t)
	if err != nil {
		return nil, err
	}
	c, err := pgOpen(ctx, j, t, who.user, who.password)
	return c, pgDenied(err)
}

// SetsKept: see rotate.Setter.
func (postgresPassword) SetsKept() {}

func (postgresPassword) Issue(ctx context.Context, j *rotate.Job) (rotate.Issued, error) {
	t, user, c, err := pgEnter(ctx, j, hasAdmin(j))
	if err != nil {
		return rotate.Issued{}, err
	}
	defer c.close()
	if err := pgProof(ctx, j, t, user, c); err != nil {
		return rotate.Issued{}, err
	}
	n := rotate.Issued{Secret: newPassword(j), ID: user, Ends: true}
	stored, err := pgStored(c, user, n.Secret)
	if err != nil {
		return n, err
	}
	if err := keep(j, n); err != nil {
		return n, err
	}
	if _, err := c.exec("ALTER ROLE " + pgIdent(user) + " PASSWORD " + stored); err != nil {
		return n, fmt.Errorf("%s: %w", t.host, pgDenied(err))
	}
	setAgain(j)
	return n, nil
}

// pgProof demands that the leaked password is the role's, or the new one already,
// or that the case has taken it away: by a login, or by what the server stores
// where c may see it. A role with another password is somebody's by now.
func pgProof(ctx context.Context, j *rotate.Job, t target, user string, c *pgConn) error {
	passwords := ownPasswords(j)
	refused := true
	for _, p := range passwords {
		in, err := pgOpen(ctx, j, t, user, p)
		if err == nil {
			in.close()
		}
		if in.ok && in.asked {
			return nil
		}
		var e *pgError
		refused = refused && errors.As(err, &e) && e.Code == "28P01"
	}
	stored, err := c.exec("SELECT coalesce(rolpassword, '') FROM pg_catalog.pg_authid WHERE rolname = " + pgLiteral(user))
	switch {
	case err == nil && (stored == "" || slices.ContainsFunc(passwords, func(p string) bool { return pgIs(stored, user, p) })):
		return nil
	case takenAway(j):
		return nil
	case err == nil || refused:
		return otherPassword(user, t)
	}
	return fmt.Errorf("%s: whether %s still has the leaked password cannot be told from here, so it is left alone: run till where %s may log in, or with an admin credential that may read pg_authid", t.host, user, user)
}

// Revoke ends the sessions that the old password has opened; a changed password
// does not. Where there is no new password, it takes the old one away.
func (postgresOff) Revoke(ctx context.Context, j *rotate.Job) error {
	if j.New == nil && !hasAdmin(j) && j.Ask == nil {
		return errLockout
	}
	t, user, c, err := pgEnter(ctx, j, j.New == nil || hasAdmin(j))
	if err != nil {
		return err
	}
	defer c.close()
	if j.New == nil {
		if err := pgProof(ctx, j, t, user, c); err != nil {
			return err
		}
		if _, err := c.exec("ALTER ROLE " + pgIdent(user) + " PASSWORD NULL"); err != nil {
			return fmt.Errorf("%s: %w", t.host, pgDenied(err))
		}
		tookAway(j)
	}
	_, err = c.exec("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = " + pgLiteral(user) + " AND pid <> pg_backend_pid()")
	if err != nil {
		return fmt.Errorf("%s: end open sessions: %w", t.host, pgDenied(err))
	}
	return nil
}

// Undo gives the role its old password again.
func (postgresOff) Undo(ctx context.Context, j *rotate.Job) error {
	t, user, c, err := pgEnter(ctx, j, hasAdmin(j))
	if err != nil {
		return err
	}
	defer c.close()
	stored, err := pgStored(c, user, scanner.NewSecret([]byte(passwordOf(j, j.Leak.Secret))))
	if err != nil {
		return err
	}
	if _, err := c.exec("ALTER ROLE " + pgIdent(user) + " PASSWORD " + stored); err != nil {
		return fmt.Errorf("%s: %w", t.host, pgDenied(err))
	}
	setAgain(j)
	return nil
}

func pgEnter(ctx context.Context, j *rotate.Job, admin bool) (target, string, *pgConn, error) {
	t, err := serverOf(ctx, j, pgPort)
	if err != nil {
		return t, "", nil, err
	}
	user, err := userOf(ctx, j)
	if err != nil {
		return t, "", nil, err
	}
	c, err := pgSession(ctx, j, t, user, admin)
	return t, user, c, err
}

// pgStored is a password as the server stores it, in quotes: it sees no plain
// text and can log none.
func pgStored(c *pgConn, user string, password scanner.Secret) (string, error) {
	how, err := c.exec("SHOW password_encryption")
	if err != nil {
		return "", err
	}
	if how == "md5" || how == "on" {
		return pgLiteral(pgMD5(password.Reveal() + user)), nil
	}
	v, err := scramVerifier(password.Reveal())
	return pgLiteral(v), err
}

func pgDenied(err error) error {
	var e *pgError
	if errors.As(err, &e) && (e.Code == "42501" || strings.HasPrefix(e.Code, "28")) {
		return fmt.Errorf("%w (%w)", err, rotate.ErrDenied)
	}
	return err
}

func pgIdent(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
func pgLiteral(s string) string {
	// E'' reads backslashes the same whatever the server is set to.
	return `E'` + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(s) + `'`
}

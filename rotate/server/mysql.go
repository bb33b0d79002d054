package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/scanner"
)

// The three sides of an account of MySQL or MariaDB: logging in; a new password;
// the end of what the old one has opened.
//
// An account is a user together with the hosts that it may come from, so one
// name can be several accounts with a password each. Those that have the leaked
// one are changed, and no other; where that cannot be told, nothing is.
//
// MariaDB is given the password as it stores it, so that none of its logs has
// it. MySQL salts, and gets it in a statement, which it writes to its logs
// without the password (https://dev.mysql.com/doc/refman/8.4/en/password-logging.html,
// unless it was started with --log-raw); there the old password works on beside
// the new one until Revoke.
type (
	mysqlLogin    struct{}
	mysqlPassword struct{}
	mysqlOff      struct{}
)

const myPort = "3306"

func (mysqlLogin) Describe(j *rotate.Job) []string {
	return []string{fmt.Sprintf("log in to MySQL or MariaDB at %s as %s", shownServer(j, myPort), shownUser(j))}
}

func (mysqlPassword) Describe(j *rotate.Job) []string {
	account := myShown(j)
	return append(mysqlEntry(j, hasAdmin(j)),
		"MariaDB: SET PASSWORD FOR "+account+" = '…' (as it is stored)",
		"MySQL: ALTER USER "+account+" IDENTIFIED BY '…' RETAIN CURRENT PASSWORD (its logs leave the password out)")
}

func (mysqlOff) Describe(j *rotate.Job) []string {
	account := myShown(j)
	if j.New == nil {
		return append(mysqlEntry(j, true), "set a password that nobody knows for "+account, "KILL the sessions of "+shownUser(j))
	}
	return append(mysqlEntry(j, hasAdmin(j)), "MySQL: ALTER USER "+account+" DISCARD OLD PASSWORD", "KILL the sessions of "+shownUser(j))
}

func mysqlEntry(j *rotate.Job, admin bool) []string {
	who := shownUser(j)
	if admin {
		who = "your own account"
	}
	return []string{fmt.Sprintf("log in to MySQL or MariaDB at %s as %s", shownServer(j, myPort), who)}
}

func myShown(j *rotate.Job) string {
	return myIdent(shownUser(j)) + "@" + orWord(j.Given["account_host"], "its host")
}

// A myAccount is one row of the server's table of users.
type myAccount struct{ user, host, plugin, stored string }

func (a myAccount) String() string { return myIdent(a.user) + "@" + myIdent(a.host) }

func (mysqlLogin) Verify(ctx context.Context, j *rotate.Job, secret scanner.Secret) (rotate.Verdict, error) {
	t, err := serverOf(ctx, j, myPort)
	if err != nil {
		return unknown(t.host, err), nil
	}
	user, err := userOf(ctx, j)
	if err != nil {
		return unknown(t.host, err), nil
	}
	password := passwordOf(j, secret)
	out := rotate.Verdict{Validity: rotate.Unknown, Host: t.host}
	c, err := myOpen(ctx, j, t, user, password)
	switch {
	case err == nil:
		defer c.close()
		// An account may let everybody in, or know who we are by other means.
		if any, err := myOpen(ctx, j, t, user, rotate.Password(24).Reveal()); err == nil {
			any.close()
			out.Why = "the server lets this user in with any password"
			return out, nil
		} else if !myRefused(err) {
			out.Why = "logged in, but whether the server looks at the password is not known: " + err.Error()
			return out, nil
		}
		out.Validity, out.Why = rotate.Active, "logged in"
		// Whose it is and what it may do, for the person's decision; silence is no error.
		out.Identity, _ = c.value("SELECT CURRENT_USER()")
		out.Scopes, _ = c.value("SELECT CONCAT_WS('; ', (SELECT GROUP_CONCAT(PRIVILEGE_TYPE SEPARATOR ', ') FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE <> 'USAGE'), " +
			"(SELECT CONCAT('in ', GROUP_CONCAT(DISTINCT TABLE_SCHEMA SEPARATOR ', ')) FROM information_schema.SCHEMA_PRIVILEGES))")
	case myRefused(err):
		out.Validity, out.Why = myDead(ctx, j, t, user, secret)
	default:
		out.Why = err.Error()
	}
	return out, nil
}

// myDead judges a login that was refused. The server says the same of a wrong
// password and of a user who may not come from this machine, so it is a proof
// only when the account is known not to have this password, or lets the other one
// of the case in from here.
func myDead(ctx context.Context, j *rotate.Job, t target, user string, secret scanner.Secret) (rotate.Validity, string) {
	const refused = "login refused (access denied)"
	if hasAdmin(j) {
		c, err := myAdmin(ctx, j, t)
		if err != nil {
			return rotate.Unknown, refused + "; with your own account: " + err.Error()
		}
		defer c.close()
		rows, err := myAccounts(c, user)
		if err != nil {
			return rotate.Unknown, refused + "; " + err.Error()
		}
		blind := false
		for _, a := range rows {
			stored, ok := myStored(a.plugin, passwordOf(j, secret))
			if ok && stored == a.stored {
				return rotate.Active, "refused from here, but it is the password of " + a.String()
			}
			blind = blind || !ok
		}
		switch known := plainly(secret) && besideKey(j, t, myPort, user); {
		case known && len(rows) == 0:
			return rotate.Inactive, refused + "; there is no such user any more"
		case known && !blind:
			return rotate.Inactive, refused + "; no account of this name has this password"
		}
	}
	letsIn := func(password string) bool {
		c, err := myOpen(ctx, j, t, user, password)
		if err == nil {
			c.close()
		}
		return err == nil
	}
	if otherLetIn(j, secret, letsIn) {
		return rotate.Inactive, refused + ", " + otherName(j, secret) + " is let in"
	}
	return rotate.Unknown, refused + "; the server says so to a user as well who may not come from this machine: with --secret admin=FILE till looks at the account"
}

func myRefused(err error) bool {
	var e *myError
	return errors.As(err, &e) && (e.Code == myDenied || e.Code == myNoWay)
}

// SetsKept: see rotate.Setter.
func (mysqlPassword) SetsKept() {}

func (mysqlPassword) Issue(ctx context.Context, j *rotate.Job) (rotate.Issued, error) {
	w, err := myEnter(ctx, j, hasAdmin(j))
	if err != nil {
		return rotate.Issued{}, err
	}
	defer w.c.close()
	n := rotate.Issued{Secret: newPassword(j), ID: w.user, Ends: w.c.mariadb()}
	if err := keep(j, n); err != nil {
		return n, err
	}
	for _, a := range w.accounts {
		if stored, ok := myStored(a.plugin, n.Secret.Reveal()); ok && stored == a.stored {
			continue // an earlier attempt came so far
		}
		retain := ""
		if !w.c.mariadb() {
			if w.asNew { // it has been set, and a second time would end the old one
				continue
			}
			retain = " RETAIN CURRENT PASSWORD"
		}
		err := w.set(a, n.Secret.Reveal(), retain)
		var e *myError
		if retain != "" && errors.As(err, &e) {
			// Before MySQL 8.0.14, or without the right to it: the old one ends here.
			n.Ends = true
			err = w.set(a, n.Secret.Reveal(), "")
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// Revoke takes the old password away and ends the sessions that it has opened.
// Without a new password the account gets one that nobody knows.
func (mysqlOff) Revoke(ctx context.Context, j *rotate.Job) error {
	if j.New == nil && !hasAdmin(j) && j.Ask == nil {
		return errLockout
	}
	w, err := myEnter(ctx, j, j.New == nil || hasAdmin(j))
	if err != nil {
		return err
	}
	defer w.c.close()
	for _, a := range w.accounts {
		switch {
		case j.New == nil:
			err = w.set(a, rotate.Password(32).Reveal(), "")
		case !w.c.mariadb():
			_, err = w.c.query("ALTER USER " + w.name(a) + " DISCARD OLD PASSWORD")
			var e *myError
			if errors.As(err, &e) && !errors.Is(myDeniedTo(err), rotate.ErrDenied) {
				err = nil // a server that knows no second password
			}
			err = myDeniedTo(err)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w.t.host, err)
		}
	}
	return w.endSessions()
}

// Undo gives the accounts their old password again.
func (mysqlOff) Undo(ctx context.Context, j *rotate.Job) error {
	w, err := myEnter(ctx, j, hasAdmin(j))
	if err != nil {
		return err
	}
	defer w.c.close()
	for _, a := range w.accounts {
		retain := " RETAIN CURRENT PASSWORD"
		if w.c.mariadb() || j.New == nil {
			retain = ""
		}
		if err := w.set(a, passwordOf(j, j.Leak.Secret), retain); err != nil {
			return err
		}
	}
	return nil
}

// myWork is a session that may change the accounts which have the leaked password.
type myWork struct {
	t        target
	user     string
	c        *myConn
	self     bool // logged in as the account itself
	asNew    bool // with the new password
	accounts []myAccount
}

// myEnter logs in as the account itself, or with the owner's credential if admin
// says so or the server lets the account in no more.
func myEnter(ctx context.Context, j *rotate.Job, admin bool) (*myWork, error) {
	w := &myWork{}
	var err error
	if w.t, err = serverOf(ctx, j, myPort); err != nil {
		return nil, err
	}
	if w.user, err = userOf(ctx, j); err != nil {
		return nil, err
	}
	// The account that the key lets into from here, also for the owner's credential.
	here := ""
	c, err := myOpen(ctx, j, w.t, w.user, passwordOf(j, j.Leak.Secret))
	if myRefused(err) && j.New != nil {
		c, err = myOpen(ctx, j, w.t, w.user, j.New.Secret.Reveal())
		w.asNew = err == nil
	}
	if err == nil {
		if here, err = c.value("SELECT CURRENT_USER()"); err != nil {
			c.close()
			return nil, err
		}
	} else if !myRefused(err) {
		return nil, fmt.Errorf("%s: %w", w.t.host, err)
	}
	if c != nil && !admin {
		user, host, ok := cutLast(here, "@")
		if !ok || user != w.user {
			c.close()
			return nil, fmt.Errorf("%w: the server lets %s in as another account", rotate.ErrAmbiguous, w.user)
		}
		w.c, w.self, w.accounts = c, true, []myAccount{{user: user, host: host, plugin: c.plugin}}
		return w, c.plain()
	}
	if c != nil {
		c.close()
	}
	if w.c, err = myAdmin(ctx, j, w.t); err != nil {
		return nil, err
	}
	if err = w.c.plain(); err == nil {
		w.accounts, err = w.choose(j, here)
	}
	if err != nil {
		w.c.close()
		return nil, err
	}
	return w, nil
}

// plain makes the server read backslashes as escapes, whatever it is set to.
func (c *myConn) plain() error {
	_, err := c.query("SET SESSION sql_mode = ''")
	return err
}

func myAdmin(ctx context.Context, j *rotate.Job, t target) (*myConn, error) {
	who, err := adminOf(ctx, j, t)
	if err != nil {
		return nil, err
	}
	c, err := myOpen(ctx, j, t, who.user, who.password)
	return c, myDeniedTo(err)
}

// myAccounts are the accounts of a user name.
func myAccounts(c *myConn, user string) ([]myAccount, error) {
	rows, err := c.query("SELECT User, Host, plugin, authentication_string FROM mysql.user WHERE User = " + myHex(user))
	var all []myAccount
	for _, r := range rows {
		if len(r) == 4 {
			all = append(all, myAccount{r[0], r[1], r[2], r[3]})
		}
	}
	return all, myDeniedTo(err)
}

// choose are the accounts that have the leaked password, or the new one already:
// by what the server stores, by the host that the owner names, by the login from
// here, or because there is one only and what is stored cannot be compared.
func (w *myWork) choose(j *rotate.Job, here string) ([]myAccount, error) {
	all, err := myAccounts(w.c, w.user)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: there is no user %s", rotate.ErrNotFound, w.user)
	}
	var hosts []string
	holds := func(s scanner.Secret) (hits []myAccount) {
		for _, a := range all {
			if stored, ok := myStored(a.plugin, passwordOf(j, s)); ok && stored == a.stored {
				hits = append(hits, a)
			}
		}
		return hits
	}
	hits := holds(j.Leak.Secret)
	if j.New != nil {
		hits = append(hits, holds(j.New.Secret)...)
	}
	const known = "account_host"
	if named := strings.Split(orWord(j.Given[known], j.Known()[known]), ","); len(hits) == 0 && named[0] != "" {
		hits = slices.DeleteFunc(slices.Clone(all), func(a myAccount) bool { return !slices.Contains(named, a.host) })
	}
	if len(hits) == 0 {
		hits = unseen(all, here)
	}
	for _, a := range hits {
		hosts = append(hosts, a.host)
	}
	if len(hits) > 0 { // once the password is changed nothing else tells
		j.Remember(known, call.Value{Text: strings.Join(hosts, ",")})
		return hits, nil
	}
	for _, a := range all {
		hosts = append(hosts, a.host)
	}
	slices.Sort(hosts)
	if len(all) == 1 {
		return nil, fmt.Errorf("%w: %s has another password than the leaked one; --set account_host=%s changes it all the same", rotate.ErrNotFound, all[0], hosts[0])
	}
	return nil, fmt.Errorf("%w: %s is several accounts, of the hosts %s: --set account_host=HOST", rotate.ErrAmbiguous, w.user, strings.Join(hosts, ", "))
}

// unseen are the accounts among those without a stored password that fits: the
// one that the key lets into from here, else the only one, if nothing tells that
// its password is another.
func unseen(all []myAccount, here string) (hits []myAccount) {
	for _, a := range all {
		_, compared := myStored(a.plugin, "")
		if here == a.user+"@"+a.host || len(all) == 1 && !compared {
			hits = append(hits, a)
		}
	}
	return hits
}

// name is how a statement addresses an account. A user who changes his own
// password may not need the right to change others.
func (w *myWork) name(a myAccount) string {
	if w.self && !w.c.mariadb() {
		return "USER()"
	}
	return a.String()
}

// set changes the password of one account. retain is MySQL's clause for the old one.
func (w *myWork) set(a myAccount, password, retain string) error {
	var err error
	if w.c.mariadb() {
		stored, ok := myStored(a.plugin, password)
		if !ok {
			return fmt.Errorf("%s logs in by %q, which has no password that till could set", a, a.plugin)
		}
		statement := "SET PASSWORD FOR " + a.String() + " = "
		if w.self {
			statement = "SET PASSWORD = "
		}
		_, err = w.c.query(statement + "'" + stored + "'")
	} else {
		_, err = w.c.query("ALTER USER " + w.name(a) + " IDENTIFIED BY " + myLiteral(password) + retain)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", w.t.host, myDeniedTo(err))
	}
	return nil
}

// endSessions ends what the user has open; a changed password does not.
func (w *myWork) endSessions() error {
	rows, err := w.c.query("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = " + myHex(w.user) + " AND ID <> CONNECTION_ID()")
	for _, r := range rows {
		var e *myError
		if _, failed := w.c.query("KILL " + r[0]); failed != nil && !(errors.As(failed, &e) && e.Code == myNoThread) {
			err = failed
		}
	}
	if err != nil {
		return fmt.Errorf("%s: end open sessions: %w", w.t.host, myDeniedTo(err))
	}
	return nil
}

// myDeniedTo marks the errors that say that a right is missing.
func myDeniedTo(err error) error {
	var e *myError
	if errors.As(err, &e) && slices.Contains([]int{myDenied, myNoWay, 1044, 1095, 1130, 1142, 1227}, e.Code) {
		return fmt.Errorf("%w (%w)", err, rotate.ErrDenied)
	}
	return err
}

// cutLast cuts at the last separator: a user's name may hold one.
func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func myIdent(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }

// myHex is a text in a comparison, whatever the mode of the server.
func myHex(s string) string { return fmt.Sprintf("X'%x'", s) }

// myLiteral is a text in quotes; see plain.
func myLiteral(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

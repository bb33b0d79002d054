package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/scanner"
)

// The three sides of a user of RabbitMQ: logging in by AMQP; a new password, set
// through the HTTP API of the management plugin as the broker stores it, so that
// nobody on the way sees it, or by rabbitmqctl on the broker's own machine (--set
// via=rabbitmqctl), which reads it from standard input; the end of the
// connections (https://www.rabbitmq.com/docs/management,
// https://www.rabbitmq.com/docs/passwords).
//
// Users of applications may not use the API, so the owner's credential is needed.
type (
	rabbitLogin    struct{}
	rabbitPassword struct{}
	rabbitOff      struct{}
)

const rabbitCtl = "rabbitmqctl"

func rabbitPort(j *rotate.Job) string {
	if proposed(j).scheme == "amqps" {
		return "5671"
	}
	return "5672"
}

func (rabbitLogin) Describe(j *rotate.Job) []string {
	return []string{fmt.Sprintf("log in to RabbitMQ at %s as %s", shownServer(j, rabbitPort(j)), shownUser(j))}
}

func (rabbitPassword) Describe(j *rotate.Job) []string {
	if byCtl(j) {
		return []string{"$ rabbitmqctl change_password " + shownUser(j) + "   (a value through standard input)"}
	}
	return []string{"PUT " + shownAPI(j) + "/api/users/" + shownUser(j) + "   {password_hash: …}, with your own account"}
}

func (rabbitOff) Describe(j *rotate.Job) []string {
	user := shownUser(j)
	var lines []string
	if byCtl(j) {
		if j.New == nil {
			lines = append(lines, "$ rabbitmqctl clear_password "+user)
		}
		return append(lines, "$ rabbitmqctl close_all_user_connections "+user+" till")
	}
	if j.New == nil {
		lines = append(lines, "PUT "+shownAPI(j)+"/api/users/"+user+"   (without a password)")
	}
	return append(lines, "DELETE "+shownAPI(j)+"/api/connections/username/"+user)
}

func byCtl(j *rotate.Job) bool { return j.Given["via"] == rabbitCtl }

func (rabbitLogin) Verify(ctx context.Context, j *rotate.Job, secret scanner.Secret) (rotate.Verdict, error) {
	t, user, err := rabbitWho(ctx, j)
	if err != nil {
		return unknown(t.host, err), nil
	}
	out := rotate.Verdict{Validity: rotate.Unknown, Host: t.host}
	onThis, err := amqpLogin(ctx, j, t, user, passwordOf(j, secret))
	var refused amqpRefused
	switch {
	case err == nil:
		// Another authority behind the broker may let everybody in.
		if _, err := amqpLogin(ctx, j, t, user, rotate.Password(24).Reveal()); err == nil {
			out.Why = "the server lets this user in with any password"
		} else if !errors.As(err, &refused) {
			out.Why = "logged in, but whether the server looks at the password is not known: " + err.Error()
		} else {
			out.Validity, out.Why, out.Identity = rotate.Active, "logged in", user
		}
	case errors.As(err, &refused):
		out.Validity, out.Why = rabbitDead(ctx, j, t, user, secret, onThis)
	default:
		out.Why = err.Error()
	}
	return out, nil
}

// rabbitDead judges a login that was refused. From another machine the broker
// says the same to a user who may log in on its own alone, as guest may, so there
// it takes a proof: the other password of the case is let in, or the broker's
// record has another.
func rabbitDead(ctx context.Context, j *rotate.Job, t target, user string, secret scanner.Secret, onThis bool) (rotate.Validity, string) {
	const refused = "login refused (ACCESS_REFUSED)"
	known := plainly(secret) && besideKey(j, t, rabbitPort(j), user)
	if onThis && known {
		return rotate.Inactive, refused
	}
	letsIn := func(password string) bool {
		_, err := amqpLogin(ctx, j, t, user, password)
		return err == nil
	}
	if otherLetIn(j, secret, letsIn) {
		return rotate.Inactive, refused + ", " + otherName(j, secret) + " is let in"
	}
	if hasAdmin(j) && !byCtl(j) {
		_, u, err := rabbitLook(ctx, j, t, user)
		switch {
		case errors.Is(err, rotate.ErrNotFound) && known:
			return rotate.Inactive, refused + "; there is no such user any more"
		case err != nil:
			return rotate.Unknown, refused + "; with your own account: " + err.Error()
		}
		switch held, sure := u.holds(passwordOf(j, secret)); {
		case !sure:
			return rotate.Unknown, refused + "; how the password is stored is not known"
		case held:
			return rotate.Active, refused + " from here, but it is the password of " + user
		case !known:
			return rotate.Unknown, refused + "; " + elsewhere
		}
		return rotate.Inactive, refused + "; the user has another password"
	}
	return rotate.Unknown, refused + "; a user who may log in on the broker's own machine alone is told the same: with --secret admin=FILE till looks at the user"
}

func rabbitWho(ctx context.Context, j *rotate.Job) (target, string, error) {
	t, err := serverOf(ctx, j, rabbitPort(j))
	if err != nil {
		return t, "", err
	}
	user, err := userOf(ctx, j)
	return t, user, err
}

// SetsKept: see rotate.Setter.
func (rabbitPassword) SetsKept() {}

func (rabbitPassword) Issue(ctx context.Context, j *rotate.Job) (rotate.Issued, error) {
	t, user, err := rabbitWho(ctx, j)
	if err != nil {
		return rotate.Issued{}, err
	}
	n := rotate.Issued{Secret: newPassword(j), ID: user, Ends: true}
	if byCtl(j) {
		if err := rabbitProofByCtl(ctx, j, t, user); err != nil {
			return rotate.Issued{}, err
		}
		if err := keep(j, n); err != nil {
			return n, err
		}
		_, err := j.Run.Run(ctx, []string{rabbitCtl, "change_password", "--", user}, n.Secret.Reveal()+"\n")
		if err == nil {
			setAgain(j)
		}
		return n, err
	}
	a, u, err := rabbitLook(ctx, j, t, user)
	if err != nil {
		return rotate.Issued{}, err
	}
	if held, sure := u.holds(n.Secret.Reveal()); held && sure { // an earlier attempt came so far
		return n, keep(j, n)
	}
	if err := rabbitProof(ctx, j, t, u); err != nil {
		return rotate.Issued{}, err
	}
	if err := keep(j, n); err != nil {
		return n, err
	}
	return n, a.set(ctx, u, n.Secret.Reveal())
}

// rabbitProof demands that the leaked password is the user's, or that the user has
// none, as after Revoke: one with another password is somebody's by now.
func rabbitProof(ctx context.Context, j *rotate.Job, t target, u *rabbitUser) error {
	held, sure := u.holds(passwordOf(j, j.Leak.Secret))
	if held || u.Hash == "" {
		return nil
	}
	if !sure { // the broker knows how it is stored
		_, err := amqpLogin(ctx, j, t, u.Name, passwordOf(j, j.Leak.Secret))
		if err == nil {
			return nil
		}
		var refused amqpRefused
		if !errors.As(err, &refused) {
			return fmt.Errorf("%s: whether %s still has the leaked password cannot be told, so it is left alone: %w", t.host, u.Name, err)
		}
	}
	return otherPassword(u.Name, t)
}

// rabbitProofByCtl is rabbitProof with the program on the broker's machine, which
// reads the password from standard input.
func rabbitProofByCtl(ctx context.Context, j *rotate.Job, t target, user string) error {
	if takenAway(j) {
		return nil
	}
	var err error
	for _, p := range ownPasswords(j) {
		if _, err = j.Run.Run(ctx, []string{rabbitCtl, "authenticate_user", "--", user}, p+"\n"); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%w (%w)", otherPassword(user, t), err)
}

// Revoke ends the connections that the old password has opened; without a new
// one it takes the old one away first.
func (rabbitOff) Revoke(ctx context.Context, j *rotate.Job) error {
	t, user, err := rabbitWho(ctx, j)
	if err != nil {
		return err
	}
	if byCtl(j) {
		if j.New == nil {
			if err := rabbitProofByCtl(ctx, j, t, user); err != nil {
				return err
			}
			if _, err := j.Run.Run(ctx, []string{rabbitCtl, "clear_password", "--", user}, ""); err != nil {
				return err
			}
			tookAway(j)
		}
		_, err := j.Run.Run(ctx, []string{rabbitCtl, "close_all_user_connections", "--", user, "till"}, "")
		return err
	}
	a, u, err := rabbitLook(ctx, j, t, user)
	if err != nil {
		return err
	}
	if held, sure := u.holds(passwordOf(j, j.Leak.Secret)); j.New == nil && (held || !sure) {
		if err := a.set(ctx, u, ""); err != nil {
			return err
		}
	}
	_, err = a.do(ctx, http.MethodDelete, "/api/connections/username/"+url.PathEscape(user), nil)
	if errors.Is(err, rotate.ErrNotFound) {
		return fmt.Errorf("%s: this version of RabbitMQ ends the connections of a user by rabbitmqctl close_all_user_connections alone: --set via=rabbitmqctl on its machine", t.host)
	}
	return err
}

// Undo gives the user the old password again.
func (rabbitOff) Undo(ctx context.Context, j *rotate.Job) error {
	t, user, err := rabbitWho(ctx, j)
	if err != nil {
		return err
	}
	old := passwordOf(j, j.Leak.Secret)
	if byCtl(j) {
		_, err := j.Run.Run(ctx, []string{rabbitCtl, "change_password", "--", user}, old+"\n")
		if err == nil {
			setAgain(j)
		}
		return err
	}
	a, u, err := rabbitLook(ctx, j, t, user)
	if err != nil {
		return err
	}
	return a.set(ctx, u, old)
}

// rabbitAPI is the management API with the owner's credential.
type rabbitAPI struct {
	j    *rotate.Job
	base string
	who  account
}

// shownAPI is where the API is: beside the broker at its usual port, through TLS
// unless it is on this machine, or what the owner has named.
func shownAPI(j *rotate.Job) string {
	if api := j.Given["api"]; api != "" {
		return strings.TrimSuffix(api, "/")
	}
	host, _, err := net.SplitHostPort(shownServer(j, rabbitPort(j)))
	if err != nil {
		return "{api}"
	}
	return rabbitBase(host)
}

func rabbitBase(host string) string {
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return "http://" + net.JoinHostPort(host, "15672")
	}
	return "https://" + net.JoinHostPort(host, "15671")
}

func rabbitEnter(ctx context.Context, j *rotate.Job, t target) (*rabbitAPI, error) {
	a := &rabbitAPI{j: j, base: strings.TrimSuffix(j.Given["api"], "/")}
	if a.base == "" {
		host, _, err := net.SplitHostPort(t.host)
		if err != nil {
			return nil, err
		}
		a.base = rabbitBase(host)
	}
	u, err := url.Parse(a.base)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("api: expected https://HOST:PORT")
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) && j.Given["tls"] != "off" {
		return nil, errPlain
	}
	a.who, err = adminOf(ctx, j, t)
	return a, err
}

// rabbitLook is rabbitEnter and a look at one user.
func rabbitLook(ctx context.Context, j *rotate.Job, t target, name string) (*rabbitAPI, *rabbitUser, error) {
	a, err := rabbitEnter(ctx, j, t)
	if err != nil {
		return nil, nil, err
	}
	u, err := a.user(ctx, name)
	return a, u, err
}

// do makes a request. Errors tell the status, and nothing of the answer.
func (a *rabbitAPI) do(ctx context.Context, method, path string, body any) (*call.Answer, error) {
	q := call.Request{Method: method, URL: a.base + path, Header: http.Header{}, Own: true, Repeatable: method != http.MethodPost}
	q.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(a.who.user+":"+a.who.password)))
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		q.Body = data
		q.Header.Set("Content-Type", "application/json")
	}
	answer, err := a.j.HTTP.Do(ctx, q)
	if err != nil {
		return nil, err
	}
	if answer.Status < 200 || answer.Status > 299 {
		err := fmt.Errorf("%s %s: HTTP %d", method, strings.TrimPrefix(strings.TrimPrefix(a.base, "https://"), "http://"), answer.Status)
		switch answer.Status {
		case 401, 403:
			err = fmt.Errorf("%w (%w)", err, rotate.ErrDenied)
		case 404:
			err = fmt.Errorf("%w (%w)", err, rotate.ErrNotFound)
		}
		return nil, err
	}
	return answer, nil
}

// A rabbitUser is what the broker knows of a user.
type rabbitUser struct {
	Name    string          `json:"name"`
	Hash    string          `json:"password_hash"`
	Hashing string          `json:"hashing_algorithm"`
	Tags    json.RawMessage `json:"tags"` // a list, or a text with commas before 3.9
}

func (a *rabbitAPI) user(ctx context.Context, name string) (*rabbitUser, error) {
	answer, err := a.do(ctx, http.MethodGet, "/api/users/"+url.PathEscape(name), nil)
	if err != nil {
		return nil, err
	}
	u := &rabbitUser{}
	if err := json.Unmarshal(answer.Body, u); err != nil || u.Name != name || u.Tags == nil {
		return nil, fmt.Errorf("%s: this is not RabbitMQ's management API, or it does not show users", a.base)
	}
	return u, nil
}

// set gives a user a password, "" none. The rest of the user stays as it is.
func (a *rabbitAPI) set(ctx context.Context, u *rabbitUser, password string) error {
	hash, hashing := "", u.Hashing
	if password != "" {
		if rabbitHash(hashing, nil, "") == nil {
			hashing = "rabbit_password_hashing_sha256"
		}
		salt := make([]byte, 4)
		_, _ = rand.Read(salt) // never fails (crypto/rand)
		hash = base64.StdEncoding.EncodeToString(rabbitHash(hashing, salt, password))
	}
	body := map[string]any{"password_hash": hash, "hashing_algorithm": hashing, "tags": u.Tags}
	_, err := a.do(ctx, http.MethodPut, "/api/users/"+url.PathEscape(u.Name), body)
	return err
}

// rabbitHash is a password as the broker stores it, nil for a way of hashing
// that is not known, or is not to be used any more (MD5).
func rabbitHash(hashing string, salt []byte, password string) []byte {
	text := append(bytes.Clone(salt), password...)
	switch hashing {
	case "rabbit_password_hashing_sha256":
		sum := sha256.Sum256(text)
		return append(salt, sum[:]...)
	case "rabbit_password_hashing_sha512":
		sum := sha512.Sum512(text)
		return append(salt, sum[:]...)
	}
	return nil
}

// holds reports whether a password is the user's; sure is false where the way of
// hashing is not known.
func (u *rabbitUser) holds(password string) (held, sure bool) {
	if u.Hash == "" {
		return false, true // no password at all
	}
	stored, err := base64.StdEncoding.DecodeString(u.Hash)
	if err != nil || len(stored) < 4 {
		return false, false
	}
	hash := rabbitHash(u.Hashing, stored[:4:4], password)
	return bytes.Equal(hash, stored), hash != nil
}

package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// The three sides of an SSH key: signing in; a new pair, whose public half is
// added beside the old one; the old one taken away. Which servers let a key in
// stands in no key: those that the person names are looked at, and no others.
type (
	sshLogin   struct{}
	sshPair    struct{}
	sshKeysOff struct{}
)

func (sshLogin) Describe(j *rotate.Job) []string {
	return []string{"log in over SSH at " + shownSSH(j) + " with this key, and look whether " + shownKeysFile(j) + " holds it"}
}

func (sshPair) Describe(j *rotate.Job) []string {
	return []string{
		"log in over SSH at " + shownSSH(j) + " with the leaked key, else as you do yourself",
		"add a new Ed25519 key to " + shownKeysFile(j) + " behind the old one, with the same options; a copy of the file stays beside it",
		"log in with the new key",
	}
}

func (sshKeysOff) Describe(j *rotate.Job) []string {
	who := "with the new key, else as you do yourself"
	if j.New == nil {
		who = "as you do yourself, else with the leaked key"
	}
	return []string{
		"log in over SSH at " + shownSSH(j) + " " + who,
		"take the old key out of " + shownKeysFile(j) + "; a copy of the file stays beside it",
	}
}

func shownKeysFile(j *rotate.Job) string {
	return orWord(j.Given["authorized_keys"], ".ssh/authorized_keys")
}

func shownSSH(j *rotate.Job) string {
	if named := givenSSH(j); named != "" {
		return strings.Join(splitNames(named), ",")
	}
	return "{server}"
}

func givenSSH(j *rotate.Job) string { return orWord(j.Settled("server"), j.Given["host"]) }

func splitNames(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

// sshServers are the accounts that the person names.
func sshServers(ctx context.Context, j *rotate.Job) ([]*sshTalk, error) {
	text := givenSSH(j)
	if text == "" {
		var err error
		text, err = j.Accepted(ctx, rules.Ask{Name: "server", Text: "every server that this key logs in to: USER@HOST, USER@HOST:PORT or a name from your ssh configuration, with commas between"},
			strings.Join(configuredFor(j), ","))
		if err != nil {
			return nil, err
		}
	}
	var all []*sshTalk
	for _, name := range splitNames(text) {
		t, err := sshOpen(ctx, j, name)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	if len(all) == 0 {
		return nil, errors.New("no server was named")
	}
	return all, nil
}

// keyOf reads the value of the leak or the new one.
func keyOf(j *rotate.Job, secret scanner.Secret) (*sshKey, error) {
	k, err := readSSHKey(secret.Reveal())
	if err == nil {
		j.Redact.Add(strings.TrimSpace(string(k.pem))) // the same in other clothes
	}
	return k, err
}

// keyAndServers reads the key, and names the servers only if it can be read.
func keyAndServers(ctx context.Context, j *rotate.Job, secret scanner.Secret) (*sshKey, []*sshTalk, error) {
	key, err := keyOf(j, secret)
	if err != nil {
		return nil, nil, err
	}
	servers, err := sshServers(ctx, j)
	return key, servers, err
}

func (sshLogin) Verify(ctx context.Context, j *rotate.Job, secret scanner.Secret) (rotate.Verdict, error) {
	key, servers, err := keyAndServers(ctx, j, secret)
	if err != nil {
		return unknown("", err), nil
	}
	isNew := j.New != nil && j.New.Secret.Reveal() == secret.Reveal()
	count := map[rotate.Validity]int{}
	var out rotate.Verdict
	var hosts, whys []string
	for _, t := range servers {
		v, why, err := t.verify(ctx, key, isNew)
		if err != nil {
			return rotate.Verdict{Validity: rotate.Unknown}, err
		}
		count[v]++
		hosts = append(hosts, t.shown)
		if len(servers) > 1 {
			why = t.shown + ": " + why
		}
		whys = append(whys, why)
	}
	out.Host, out.Why = strings.Join(hosts, ","), strings.Join(whys, "; ")
	switch {
	case isNew && count[rotate.Active] < len(servers) && count[rotate.Unknown] == 0:
		out.Validity = rotate.Inactive // not everywhere yet
	case isNew && count[rotate.Unknown] > 0:
		out.Validity = rotate.Unknown
	case count[rotate.Active] > 0:
		out.Validity = rotate.Active
	case count[rotate.Unknown] > 0:
		out.Validity = rotate.Unknown
	default:
		out.Validity = rotate.Inactive
	}
	if out.Validity == rotate.Active {
		out.Identity = out.Host
	}
	return out, nil
}

// verify asks one server. A refusal alone proves no death: the line may be there
// and let the key in from elsewhere (from=), or at another time (expiry-time=).
func (t *sshTalk) verify(ctx context.Context, key *sshKey, isNew bool) (rotate.Validity, string, error) {
	a, err := t.run(ctx, key, scriptRead, "", t.file)
	if err != nil {
		return rotate.Unknown, "", err
	}
	switch a.login {
	case loginIn:
		return rotate.Active, "logged in", nil
	case loginOpen:
		return rotate.Unknown, "the server lets in without any key", nil
	case loginUnknown:
		return rotate.Unknown, a.why, nil
	}
	for _, other := range t.others(isNew) {
		file, a, err := t.read(ctx, other, t.file)
		switch {
		case err != nil:
			return rotate.Unknown, "", err
		case !a.ran:
		case holdsKey(file, key.public) > 0:
			return rotate.Unknown, "login refused from here, but " + t.file + " still holds the key", nil
		default:
			return t.inNoFile(ctx, other, key)
		}
	}
	return rotate.Unknown, "login refused; whether " + t.file + " still holds the key cannot be seen: your own ssh login does not get in", nil
}

// inNoFile looks into the other files that this server may read keys from: a line
// there can let the key in from elsewhere as well.
func (t *sshTalk) inNoFile(ctx context.Context, login, key *sshKey) (rotate.Validity, string, error) {
	config, _, err := t.read(ctx, login, "/etc/ssh/sshd_config")
	if err != nil {
		return rotate.Unknown, "", err
	}
	user, _, _ := strings.Cut(t.shown, "@")
	for _, name := range keysFiles(config, user) {
		if name == t.file {
			continue
		}
		file, a, err := t.read(ctx, login, name)
		switch {
		case err != nil:
			return rotate.Unknown, "", err
		case !a.ran:
			return rotate.Unknown, "login refused from here; whether " + name + " holds the key cannot be seen", nil
		case holdsKey(file, key.public) > 0:
			return rotate.Unknown, "login refused from here, but " + name + " holds the key", nil
		}
	}
	return rotate.Inactive, "login refused, and " + t.file + " does not hold the key", nil
}

// keysFiles are the files that sshd reads keys of a user from: its usual ones, and
// those that its configuration names, for whomever (sshd_config(5),
// AuthorizedKeysFile). A name that has another token than user and home is left out.
func keysFiles(config []byte, user string) []string {
	files := []string{".ssh/authorized_keys", ".ssh/authorized_keys2"}
	for line := range bytes.Lines(config) {
		words := strings.Fields(strings.Replace(string(line), "=", " ", 1))
		if len(words) == 0 || !strings.EqualFold(words[0], "AuthorizedKeysFile") {
			continue
		}
		for _, w := range words[1:] {
			name := strings.NewReplacer("%h/", "", "%u", user, `"`, "").Replace(w)
			if name != "none" && remotePath().MatchString(name) && !slices.Contains(files, name) {
				files = append(files, name)
			}
		}
	}
	return files
}

// others are the ways in beside one key of the pair: the other one, and the
// owner's own login (nil).
func (t *sshTalk) others(isNew bool) []*sshKey {
	var out []*sshKey
	if isNew {
		if k, err := keyOf(t.j, t.j.Leak.Secret); err == nil {
			out = append(out, k)
		}
	} else if t.j.New != nil {
		if k, err := keyOf(t.j, t.j.New.Secret); err == nil {
			out = append(out, k)
		}
	}
	return append(out, nil)
}

// enter finds the first of some ways in that can read authorized_keys. The last
// one is the owner's own.
func (t *sshTalk) enter(ctx context.Context, ways ...*sshKey) (way *sshKey, file []byte, err error) {
	var whys []string
	for _, way := range ways {
		file, a, err := t.read(ctx, way, t.file)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case a.ran && a.link: // who manages what it points to would put it back
			return nil, nil, fmt.Errorf("%s: %s is a link: a person has to change what it points to", t.shown, t.file)
		case a.ran:
			return way, file, nil
		}
		why := orWord(a.why, "login refused")
		if a.login == loginIn {
			why = "it may run no command there"
		}
		whys = append(whys, why)
	}
	return nil, nil, fmt.Errorf("%s: no way in to change %s (%s): %w", t.shown, t.file, strings.Join(whys, "; "), rotate.ErrDenied)
}

// SetsKept: see rotate.Setter.
func (sshPair) SetsKept() {}

func (sshPair) Issue(ctx context.Context, j *rotate.Job) (rotate.Issued, error) {
	old, servers, err := keyAndServers(ctx, j, j.Leak.Secret)
	if err != nil {
		return rotate.Issued{}, err
	}
	name, err := j.Value(ctx, "name")
	if err != nil {
		return rotate.Issued{}, err
	}
	// All servers have to be fit for it before there is a new key.
	for _, t := range servers {
		way, file, err := t.enter(ctx, append([]*sshKey{old}, t.others(false)...)...)
		if err != nil {
			return rotate.Issued{}, err
		}
		fresh := []byte{} // of a key that is still to be made
		if j.New != nil {
			k, err := keyOf(j, j.New.Secret)
			if err != nil {
				return rotate.Issued{}, err
			}
			fresh = k.public
		}
		if _, err := t.with(ctx, way, file, authChange{old: old.public, fresh: fresh}); err != nil {
			return rotate.Issued{}, err
		}
	}
	if j.New == nil {
		fresh, err := newSSHKey(name.Text)
		if err != nil {
			return rotate.Issued{}, err
		}
		text, err := dressed(fresh, j.Leak.Secret.Reveal())
		if err != nil {
			return rotate.Issued{}, err
		}
		k, err := readSSHKey(text)
		if err != nil {
			return rotate.Issued{}, err
		}
		n := rotate.Issued{Secret: scanner.NewSecret([]byte(text)), ID: fingerprintOf(k.public)}
		if err := keep(j, n); err != nil {
			return n, err
		}
		j.New = &n
	}
	for _, t := range servers {
		if err := t.admit(ctx, old, name.Text); err != nil {
			return *j.New, err
		}
	}
	return *j.New, nil
}

// with is authorized_keys with a new key beside the old one, or in its place
// where the old one was taken away before (of a public key).
func (t *sshTalk) with(ctx context.Context, way *sshKey, file []byte, c authChange) ([]byte, error) {
	changed, err := c.apply(file)
	if errors.Is(err, errNoLine) {
		backup, a, failed := t.read(ctx, way, t.file+"."+t.backup())
		if failed != nil {
			return nil, failed
		}
		if a.ran && holdsKey(backup, c.old) > 0 {
			changed, err = c.instead(file, backup)
		}
	}
	if errors.Is(err, errNoLine) {
		err = fmt.Errorf("%w; another file is named with --set authorized_keys=PATH", err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", t.shown, t.file, err)
	}
	return changed, nil
}

// lets reports whether the new key signs in already.
func (t *sshTalk) lets(ctx context.Context, j *rotate.Job) bool {
	k, err := keyOf(j, j.New.Secret)
	if err != nil {
		return false
	}
	a, err := t.run(ctx, k, scriptRead, "", t.file)
	return err == nil && a.login == loginIn
}

// admit adds the new key where it is not, and signs in with it.
func (t *sshTalk) admit(ctx context.Context, old *sshKey, comment string) error {
	fresh, err := keyOf(t.j, t.j.New.Secret)
	if err != nil {
		return err
	}
	way, file, err := t.enter(ctx, old, fresh, nil)
	if err != nil {
		return err
	}
	changed, err := t.with(ctx, way, file, authChange{old: old.public, fresh: fresh.public, comment: comment})
	if err != nil {
		return err
	}
	if !bytes.Equal(changed, file) {
		if err := t.write(ctx, way, file, changed); err != nil {
			return err
		}
	}
	a, err := t.run(ctx, fresh, scriptRead, "", t.file)
	if err == nil && a.login != loginIn {
		err = fmt.Errorf("%s does not let the new key in: %s", t.shown, orWord(a.why, "login refused"))
	}
	return err
}

func (sshKeysOff) Revoke(ctx context.Context, j *rotate.Job) error {
	old, servers, err := keyAndServers(ctx, j, j.Leak.Secret)
	if err != nil {
		return err
	}
	var fresh *sshKey
	if j.New != nil {
		if fresh, err = keyOf(j, j.New.Secret); err != nil {
			return err
		}
	}
	for _, t := range servers {
		if err := t.remove(ctx, old, fresh); err != nil {
			return err
		}
	}
	return nil
}

func (t *sshTalk) remove(ctx context.Context, old, fresh *sshKey) error {
	ways := []*sshKey{nil, old}
	if fresh != nil {
		ways = []*sshKey{fresh, nil}
		name, err := t.j.Value(ctx, "name")
		if err != nil {
			return err
		}
		if !t.lets(ctx, t.j) {
			if err := t.admit(ctx, old, name.Text); err != nil {
				return err
			}
		}
	}
	way, file, err := t.enter(ctx, ways...)
	if err != nil {
		return err
	}
	if holdsKey(file, old.public) == 0 {
		return nil
	}
	if fresh == nil && othersThan(file, old.public) == 0 {
		return fmt.Errorf("%s: it is the only key in %s, and nobody could log in any more: make a new one first", t.shown, t.file)
	}
	changed, err := authChange{old: old.public, remove: true}.apply(file)
	if err != nil {
		return fmt.Errorf("%s: %w", t.shown, err)
	}
	return t.write(ctx, way, file, changed)
}

// Undo puts the lines of the old key back.
func (sshKeysOff) Undo(ctx context.Context, j *rotate.Job) error {
	old, servers, err := keyAndServers(ctx, j, j.Leak.Secret)
	if err != nil {
		return err
	}
	for _, t := range servers {
		others := t.others(false)
		way, file, err := t.enter(ctx, others...)
		if err != nil {
			return err
		}
		if holdsKey(file, old.public) > 0 {
			continue
		}
		backup, a, err := t.read(ctx, way, t.file+"."+t.backup())
		if err != nil {
			return err
		}
		if !a.ran {
			return fmt.Errorf("%s: the copy of %s cannot be read: %s", t.shown, t.file, a.why)
		}
		var before []byte
		if others[0] != nil {
			before = others[0].public
		}
		if err := t.write(ctx, way, file, restored(file, backup, old.public, before)); err != nil {
			return err
		}
	}
	return nil
}

package place

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/literal"
)

// way is how a file gets the new key.
type way int

const (
	inPlace  way = iota // git does not track it: the value is exchanged
	moveOut             // code: a lookup in the environment, the new value in .env
	leaveGit            // a file of secrets: tracked no longer, the value is exchanged
)

const dotenvName = ".env"

// trackedSpot says what can be done about a file that git tracks.
func trackedSpot(j *rotate.Job, root *os.Root, name string, data []byte) rotate.Spot {
	spot := rotate.Spot{Placer: "files", Where: name, Sure: true, Ref: seen{data: data, way: moveOut}}
	say := func(format string, args ...any) {
		spot.Preview = append(spot.Preview, shorten(j.Redact.Text(fmt.Sprintf(format, args...))))
	}
	able := j.Ignored != nil && j.Untrack != nil
	if HoldsSecrets(name) {
		spot.Preview, spot.Ref = preview(data, j), seen{data: data, way: leaveGit}
		if spot.ByHand = !able; !able {
			say("git tracks this file: the new key must not stand in it")
			return spot
		}
		say("git tracks this file of secrets: it leaves the index and stays on the disk, and .gitignore names it")
		say("who pulls that commit loses the file: hand it on another way")
		return spot
	}
	dotenv, err := readDotenv(root)
	values := movable(j, dotenv, data)
	r := literal.Move(name, data, plain(values))
	switch {
	case err != nil || !able || r.Moved == 0:
		spot.ByHand, spot.Preview = true, preview(data, j)
		say("git tracks this file: the new key must not stand in it")
	default:
		for _, line := range literal.Diff(data, r.Edits) {
			say("%s", line)
		}
		for _, v := range values {
			if moved(r, v) {
				say("%s + %s", dotenvName, v.Env)
			}
		}
	}
	if !spot.ByHand {
		say("in the work tree alone: commit it when it is right")
		if r.Note != "" {
			say("note: %s", r.Note)
		}
	}
	for _, h := range r.ByHand {
		say("line %d stays, by hand: %s", h.Line, h.Why)
	}
	return spot
}

// envValue is a value that leaves the code, with the one that takes its place.
type envValue struct {
	literal.Value
	fresh string // "" while there is no new key
}

func plain(values []envValue) []literal.Value {
	out := make([]literal.Value, len(values))
	for i, v := range values {
		out[i] = v.Value
	}
	return out
}

// movable are the old key, and the public half beside it where that changes
// too, with the names under which the new ones will stand in .env.
func movable(j *rotate.Job, dotenv Dotenv, data []byte) []envValue {
	vendor := j.Leak.Rule.Provider
	if strings.HasPrefix(vendor, "generic") {
		vendor = ""
	}
	old := j.Leak.Secret.Reveal()
	beside := literal.NameBefore(data, j.Leak.In(data)[0].From)
	secret := envValue{Value: literal.Value{Text: old, Env: literal.EnvName(beside, vendor, j.Leak.Rule.ID)}}
	if j.New != nil {
		secret.fresh = j.New.Secret.Reveal()
	}
	if j.Leak.Rule.Human {
		for _, o := range j.Leak.In(data) {
			secret.Only = append(secret.Only, literal.NameBefore(data, o.From))
		}
	}
	secret.Env = dotenv.Free(secret.Env, old, secret.fresh)
	all := []envValue{secret}
	if at := bytes.Index(data, []byte(j.Leak.PublicID)); hasNewHalf(j) && at >= 0 {
		rule := j.Leak.Rule.ID
		if j.Leak.Partner != nil {
			rule = j.Leak.Partner.Rule.ID
		}
		name := literal.EnvName(literal.NameBefore(data, at), vendor, rule)
		if name == secret.Env {
			name += "_ID"
		}
		half := envValue{literal.Value{Text: j.Leak.PublicID, Env: dotenv.Free(name, j.Leak.PublicID, j.New.ID)}, j.New.ID}
		all = append(all, half)
	}
	return all
}

// moved reports whether an edit of the result reads a value from the environment.
func moved(r literal.Result, v envValue) bool {
	for _, e := range r.Edits {
		if strings.Contains(e.Text, v.Env) {
			return true
		}
	}
	return false
}

func readDotenv(root *os.Root) (Dotenv, error) {
	if _, err := root.Lstat(dotenvName); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return readAt(root, dotenvName)
}

// moveToEnv writes the new value to .env, which git must ignore, before it takes
// the old one out of the code.
func moveToEnv(ctx context.Context, j *rotate.Job, root *os.Root, name string, data []byte) error {
	dotenv, err := readDotenv(root)
	if err != nil {
		return fmt.Errorf("read %s: %w", dotenvName, err)
	}
	values := movable(j, dotenv, data)
	r := literal.Move(name, data, plain(values))
	if r.Moved == 0 {
		return fmt.Errorf("%s has changed in the meantime", name)
	}
	for _, v := range values {
		if !moved(r, v) {
			continue
		}
		if dotenv, err = dotenv.Set(v.Env, v.fresh); err != nil {
			return fmt.Errorf("%s: %w", dotenvName, err)
		}
	}
	if err := outOfGit(ctx, j, root, dotenvName); err != nil {
		return err
	}
	if err := Write(root, dotenvName, dotenv, 0o600); err != nil {
		return err
	}
	return Write(root, name, literal.Apply(data, r.Edits), 0)
}

// outOfGit makes sure that no commit takes a file: .gitignore names it, and the
// index does not hold it. Other files that are staged stay staged.
func outOfGit(ctx context.Context, j *rotate.Job, root *os.Root, name string) error {
	ignored, err := j.Ignored(ctx, name)
	if err != nil {
		return fmt.Errorf("ask whether git ignores %s: %w", name, err)
	}
	if !ignored {
		const file = ".gitignore"
		old, err := readAt(root, file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("read %s: %w", file, err)
		}
		if err := Write(root, file, AddLines(old, []string{IgnoreLine(name)}), 0o644); err != nil {
			return err
		}
	}
	tracked, err := j.Tracked(name)
	if err != nil || !tracked {
		return err
	}
	if err := j.Untrack(ctx, name); err != nil {
		return fmt.Errorf("take %s out of git: %w", name, err)
	}
	return nil
}

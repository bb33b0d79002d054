package place

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/till-sh/till/rotate"
)

// GitHubSecret are the secrets of GitHub Actions, through the gh command and
// its login. GitHub tells names only, so a spot is a guess by name until a
// person says yes (https://cli.github.com/manual/gh_secret_set).
type GitHubSecret struct{}

// Name is "github-secret".
func (GitHubSecret) Name() string { return "github-secret" }

// Find lists the secrets whose name is one under which the old key stands in the
// files, or holds the vendor's name.
func (GitHubSecret) Find(ctx context.Context, j *rotate.Job) ([]rotate.Spot, error) {
	slug := GitHubSlug(j.Remote)
	if slug == "" || j.Run == nil {
		return nil, nil
	}
	if _, err := j.Run.Find("gh"); err != nil {
		return nil, nil
	}
	// gh secret list writes JSON only since 2.28; GH_HOST may name another server.
	out, err := j.Run.Run(ctx, []string{"gh", "api", "--hostname", "github.com", "--paginate", "repos/" + slug + "/actions/secrets?per_page=100", "--jq", ".secrets[].name"}, "")
	if err != nil {
		return nil, j.Redact.Error(err)
	}
	var spots []rotate.Spot
	for name := range strings.FieldsSeq(out) {
		if strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return nil, errors.New("gh api: the answer is no list of secrets")
		}
		if namedFor(j, name) {
			spots = append(spots, rotate.Spot{
				Placer: "github-secret", Where: slug + ": " + name, Ref: [2]string{slug, name},
				ByHand: partOfValue(j), Claimed: j.Claimed,
				Preview: []string{"$ gh secret set " + name + " --repo " + slug + "   (the value through standard input)"},
			})
		}
	}
	return spots, nil
}

// partOfValue reports whether the key is only a part of what the variable
// holds: the password inside of an address. Setting the variable to the new
// password alone would break it.
func partOfValue(j *rotate.Job) bool { return strings.Contains(j.Leak.Rule.Regex, "://") }

// Place sets the secret; the value goes through standard input.
func (GitHubSecret) Place(ctx context.Context, j *rotate.Job, s rotate.Spot) error {
	ref, ok := s.Ref.([2]string)
	if s.ByHand {
		return errors.New("the key is a part of the value there")
	}
	if !ok || j.New == nil || j.Run == nil {
		return errors.New("there is nothing to set")
	}
	if _, err := j.Run.Run(ctx, []string{"gh", "secret", "set", ref[1], "--repo", "github.com/" + ref[0]}, j.New.Secret.Reveal()); err != nil {
		return j.Redact.Error(fmt.Errorf("set %s: %w", s.Where, err))
	}
	return nil
}

// GitHubSlug is "owner/name" of a remote's address at github.com, "" for any
// other.
func GitHubSlug(remote string) string {
	slug := slugAt("github.com", remote)
	if strings.Count(slug, "/") != 1 {
		return ""
	}
	return slug
}

// slugAt is the path of a repository at a host ("group/sub/name"), "" when the
// remote's address is on another. The address stands in the repository's own
// configuration, so nothing but plain names is taken from it, and the person
// sees them before the first value goes there.
func slugAt(host, remote string) string {
	for _, prefix := range []string{"https://" + host + "/", "ssh://git@" + host + "/", "git@" + host + ":", "git://" + host + "/"} {
		rest, ok := strings.CutPrefix(remote, prefix)
		if !ok {
			continue
		}
		slug := strings.TrimSuffix(strings.TrimSuffix(rest, "/"), ".git")
		plain := func(s string) bool {
			return s != "" && s[0] != '-' && s[0] != '.' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == ""
		}
		parts := strings.Split(slug, "/")
		if len(parts) >= 2 && !slices.ContainsFunc(parts, func(s string) bool { return !plain(s) }) {
			return slug
		}
	}
	return ""
}

// namedFor reports whether a variable is called like those under which the old
// key stands in the files, or after its vendor.
func namedFor(j *rotate.Job, name string) bool {
	return slices.Contains(j.Leak.Variables(), name) || j.Leak.Rule.Provider != "" && strings.Contains(strings.ToLower(name), strings.ToLower(j.Leak.Rule.Provider))
}

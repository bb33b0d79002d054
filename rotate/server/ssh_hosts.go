package server

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/till-sh/till/rotate"
)

// configuredFor lists the names of the owner's ssh configuration whose
// IdentityFile is the leaked key. It is a proposal: a person accepts it.
func configuredFor(j *rotate.Job) []string {
	key, err := keyOf(j, j.Leak.Secret)
	if err != nil {
		return nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	data, err := os.ReadFile(orWord(j.Given["ssh_config"], filepath.Join(home, ".ssh", "config")))
	if err != nil {
		return nil
	}
	return hostsOfKey(data, func(path string) bool {
		if rest, ok := strings.CutPrefix(path, "~/"); ok {
			path = filepath.Join(home, rest)
		}
		path = strings.ReplaceAll(path, "%d", home)
		if pub, err := os.ReadFile(path + ".pub"); err == nil {
			public, ok := publicAt(string(pub))
			return ok && bytes.Equal(public, key.public)
		}
		private, err := os.ReadFile(path)
		if err != nil {
			return false
		}
		k, err := readSSHKey(string(private))
		return err == nil && bytes.Equal(k.public, key.public)
	})
}

// hostsOfKey reads an ssh_config(5): the names after Host, without patterns, of
// the blocks with an IdentityFile that is the one.
func hostsOfKey(config []byte, is func(path string) bool) []string {
	var names, out []string
	for line := range strings.Lines(string(config)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(strings.Replace(line, "=", " ", 1)), " ")
		rest = strings.Trim(strings.TrimSpace(rest), `"`)
		switch strings.ToLower(word) {
		case "host":
			names = strings.Fields(rest)
		case "match":
			names = nil
		case "identityfile":
			if !is(rest) {
				continue
			}
			for _, n := range names {
				if !strings.ContainsAny(n, "*?!") && sshName().MatchString(n) && !slices.Contains(out, n) {
					out = append(out, n)
				}
			}
		}
	}
	return out
}

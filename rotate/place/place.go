// Package place puts a new key where the old one was used. A file is one kind
// of place; All is the list.
package place

import (
	"strings"

	"github.com/till-sh/till/rotate"
)

// All are the placers in the order in which they are shown: what is nearest
// comes first. A new one is one file and one line here.
func All() []rotate.Placer {
	return []rotate.Placer{
		Files{},
		GitHubSecret{},
		GitLabVariable{},
		KubernetesSecret{},
		AWSSecret{},
		VaultField{"vault"},
		VaultField{"bao"},
	}
}

// swap puts the new key, and the new half of a pair, where the old one stands in
// a text.
func swap(j *rotate.Job, text string) string {
	var b strings.Builder
	at := 0
	for _, o := range j.Leak.In([]byte(text)) {
		b.WriteString(text[at:o.From] + o.Like(j.New.Secret.Reveal()))
		at = o.To
	}
	b.WriteString(text[at:])
	if hasNewHalf(j) {
		return strings.ReplaceAll(b.String(), j.Leak.PublicID, j.New.ID)
	}
	return b.String()
}

// hasNewHalf reports whether the public half of a pair changes too, and can be
// told from other text. The user of a password stays, and may be any word.
func hasNewHalf(j *rotate.Job) bool {
	return !j.Leak.Rule.Human && len(j.Leak.PublicID) >= 8 && j.New != nil && j.New.ID != ""
}

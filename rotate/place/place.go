// Package place puts a new key where the old one was used. A file is one kind
// of place; All is the list.
package place

import "github.com/till-sh/till/rotate"

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

// Package checksum reads out of a credential what can be known without asking
// anybody: whether its checksum fits (Verify), and whom it belongs to and when
// it ends (Facts).
//
// All functions are pure: no clock, no network, no state. They take whatever
// the scanner found, so they have to bear any input. None of them returns more
// of a value than its public part.
//
// A scheme is one function and one line in the table schemes; a reader of facts
// is one function and one line in the table readers.
package checksum

import "slices"

// Verdict is the outcome of an offline proof, in the words of the JSON report.
type Verdict string

const (
	OK   Verdict = "ok"   // the value proves itself: nobody wrote it by hand
	Bad  Verdict = "bad"  // the value has the form, but its checksum does not fit
	None Verdict = "none" // the value is not of the form the scheme speaks of
)

// scheme is one way in which a vendor makes values that prove themselves.
type scheme struct {
	name string
	// official: the vendor has said how it is made, or the scheme is so old and
	// well tested that a value that fails cannot be genuine. Otherwise a Bad
	// may lower the trust in a finding but not drop it.
	official bool
	// refuted: an open standard has the checksum so that every program refuses a
	// mistyped value. A Bad drops the finding.
	refuted bool
	verify  func(value string) Verdict
}

// schemes is sorted by name.
var schemes = []scheme{
	{"age-bech32", true, true, ageBech32},
	{"atlassian-crc32", false, false, atlassianCRC32},
	{"azure-cask", false, false, azureCASK},
	{"azure-devops-pat", false, false, azureDevOpsPAT},
	{"azure-identifiable", false, false, azureIdentifiable},
	{"azure-storage", true, false, azureStorage},
	{"base58check", false, false, base58Check},
	{"basic-auth", true, false, basicAuth},
	{"bip39", true, true, bip39},
	{"bitcoin-wif", true, true, bitcoinWIF},
	{"cloudflare-crc32", false, false, cloudflareCRC32},
	{"confluent-crc32", false, false, confluentCRC32},
	{"entra-client-secret", false, false, entraClientSecret},
	{"github-crc32", true, false, githubCRC32},
	{"github-pat", false, false, githubPAT},
	{"gitlab-routable", true, false, gitlabRoutable},
	{"grafana-crc32", true, false, grafanaCRC32},
	{"jwt", true, false, jwt},
	{"macaroon", false, false, macaroon},
	{"npm-crc32", true, false, npmCRC32},
	{"openpgp-crc24", false, false, openPGP},
	{"private-key", false, false, privateKey},
	{"vercel-crc32", false, false, vercelCRC32},
	{"zuplo-crc32", false, false, zuploCRC32},
}

func find(name string) (scheme, bool) {
	i, ok := slices.BinarySearchFunc(schemes, name, func(s scheme, name string) int {
		switch {
		case s.name < name:
			return -1
		case s.name > name:
			return 1
		}
		return 0
	})
	if !ok {
		return scheme{}, false
	}
	return schemes[i], true
}

// Verify runs the named scheme on value, which must be the whole credential
// with its prefix. An unknown name, such as "", gives None.
func Verify(name, value string) Verdict {
	if s, ok := find(name); ok {
		return s.verify(value)
	}
	return None
}

// Official reports whether a Bad verdict of the named scheme may drop a
// finding. For all others it may only lower it.
func Official(name string) bool {
	s, _ := find(name)
	return s.official
}

// Refuted reports whether a Bad verdict of the named scheme drops a finding: what
// nobody's program takes opens nothing.
func Refuted(name string) bool {
	s, _ := find(name)
	return s.refuted
}

// Names lists the schemes, sorted.
func Names() []string {
	names := make([]string, len(schemes))
	for i, s := range schemes {
		names[i] = s.name
	}
	return names
}

// Package rules holds what till knows about credentials: how each kind looks,
// how it is verified, and how it is revoked and reissued.
//
// # A provider is data
//
// Everything about one vendor stands in one TOML file, providers/<id>.toml.
// The files are the source; go generate compiles them into Go literals
// (zz_catalogue.go), which the linker lays out as plain data, so that a hook
// that runs for five milliseconds pays nothing for the catalogue. A test
// proves that files and literals agree.
//
// # Two ways to describe a key
//
// A rule with a Regex describes a value that proves itself, wherever it
// stands ("ghp_" and 36 characters). A rule with a Value describes a value
// that looks like many others (32 hexadecimal digits) and counts only where
// it is assigned to a name that holds one of the rule's keywords; how an
// assignment is written (quotes, XML, YAML, JSON, a URL query, a header) is
// the engine's knowledge, once for all rules. A rule may have both.
//
// Types in this package are plain data, safe to read from any number of
// goroutines. Nothing returned by Builtin may be changed.
package rules

//go:generate go run generate.go

// Severity says how much an active key of the kind can hurt.
type Severity string

// The severities, in the words of SARIF viewers and GitHub code scanning.
const (
	Critical Severity = "critical" // takes over accounts, moves money, reads everything
	High     Severity = "high"     // reads or writes data of one service, or costs money
	Medium   Severity = "medium"   // limited scope, short life, or needs a second part
	Low      Severity = "low"      // an identifier or a key that is meant to be half public
)

// Class says what a finding means for the exit code.
type Class string

const (
	// ClassKey is a known kind of credential: it blocks a commit.
	ClassKey Class = "key"
	// ClassSuspect looks like a secret without being a known kind: it warns.
	ClassSuspect Class = "suspect"
)

// Order is the order of the two halves of a rotation.
type Order string

const (
	// RevokeFirst: the old key is switched off before there is a new one.
	RevokeFirst Order = "revoke-first"
	// ReissueFirst: the new key is made and put in place first.
	ReissueFirst Order = "reissue-first"
)

// Catalogue is a set of providers, sorted by ID, with unique rule IDs.
type Catalogue struct {
	// Version changes whenever any rule changes: date of the newest review and
	// a short hash of all files, such as "2026-11-24.1f3a9c".
	Version   string
	Providers []Provider
}

// Provider is one vendor and its kinds of credential.
type Provider struct {
	ID       string // lower case, digits and dashes; also the file's name
	Name     string // as the vendor writes it
	Reviewed string // date of the last check against the vendor's pages, YYYY-MM-DD
	Docs     []string
	Rules    []Rule
}

// Rule is one kind of credential.
type Rule struct {
	ID          string // <provider>-<kind>, unique in the catalogue
	Provider    string // Provider.ID
	Description string // a noun phrase for people: "GitHub personal access token (classic)"
	Docs        []string

	// Keywords are lower-case literals; letters match either case. The engine
	// looks at a place only where one of them stands. For Regex every match
	// must hold a keyword; for Value the keyword stands in the name (or near,
	// on the same line or the line before).
	Keywords []string
	// Regex is an RE2 expression whose group "secret" (or, without that group,
	// the whole match) is the credential. A group "id" is the public half,
	// shown as a fact.
	Regex string
	// Value is an RE2 expression without groups for the whole assigned value.
	Value string
	// Assigned makes a rule of the name alone: a keyword ends the name (but for
	// words such as "value" or "prod"), the value is written directly beside it
	// and looks like a secret. For Human rules nearly every literal does, for
	// others it must look random. Takes the place of Regex and Value.
	Assigned bool
	// Weak says of an Assigned rule that its keywords have other meanings than
	// a secret's name ("key"): the value must look more random.
	Weak bool
	// MinEntropy is the least Shannon entropy of the secret in bits per
	// character; 0 = not asked.
	MinEntropy float64
	// Checksum names a function of package rules/checksum that can prove the
	// value genuine offline; "" = none known.
	Checksum string
	// Severity and Class as their types say.
	Severity Severity
	Class    Class
	// Human says that a person may have chosen the value, so that no hash of
	// it may be published: the fingerprint is then made from the place.
	Human bool
	// Family is what goes into the fingerprint in place of the rule's ID, so
	// that rules can be split or renamed without losing anybody's allow list.
	Family string
	// Paths are globs (** = any folders); when not empty only files that match
	// one of them are looked at.
	Paths []string
	// Allow are RE2 expressions; a secret that matches one is not reported
	// (documented examples, public test keys).
	Allow []string
	// Needs is the other half of a pair.
	Needs Needs
	// Samples prove the rule; see Samples.
	Samples Samples

	// Ask describes the {{names}} that stand in the rule's requests and
	// commands, sorted by name; a name that is not described is asked for as it is.
	Ask      []Ask
	Verify   Verify
	Workflow Workflow
}

// Needs names the other half of a pair, such as an access key's identifier.
// A finding of Rule within Lines lines becomes part of this rule's finding.
type Needs struct {
	Rule  string // rule ID of the other half; "" = the value stands alone
	Lines int    // how far away it may stand
	// Without says what becomes of a value whose other half is not there:
	// "keep" (default), "suspect", or "drop".
	Without string
}

// Samples are texts that must and must not be found. In the TOML files they
// carry the mark "<+>" inside each value, taken out at load, so that no scanner
// sees a whole key in the file. Values are made up.
type Samples struct {
	Match []string
	Miss  []string
}

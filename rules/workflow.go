package rules

import "time"

// Request is one HTTP call. Its strings are templates: {{secret}} stands for
// the credential, {{id}} for its public half, {{admin}} for a credential of
// the owner that till asks for, and any other {{name}} for what a lookup
// takes, a person says, or package rotate makes (docs/rules.md lists those).
// Values are encoded for the place where they stand: a path, a query, a form,
// a JSON string.
type Request struct {
	Method string
	URL    string // https only; a self-hosted base is written {{host}}
	// Headers: "Basic user:password" is written plain and sent in base64.
	Headers []Header
	Body    string
	Func    string // named Go function of package rotate for what cannot be said as data (AWS SigV4); "" = none
}

// Header is one HTTP header line.
type Header struct{ Name, Value string }

// Ask says what a {{name}} is, so that it can be asked for.
//
// {{secret}}, {{id}}, {{new}} and what rotate makes are never asked for.
// Names that begin with "admin" are credentials whatever Secret says.
type Ask struct {
	Name    string // of the template, without braces
	Text    string // a noun phrase: "number of the project"
	URL     string // page on which a person reads it
	Default string // proposed when nothing is typed; may hold other {{names}}
	Command string // the owner's own command line that prints it ("gh auth token"); run without a shell, only after a yes
	Pattern string // RE2 that the whole value must match; "" = any
	Secret  bool   // asked on a hidden prompt and masked everywhere
	List    bool   // several values with commas between; outside of quotes in a JSON body it becomes an array of strings
}

// Verify tells whether a credential is active, without side effects. Whatever
// is neither Live nor Dead is unknown: a network error is never "dead".
//
// Identity, Scopes, LastUsed and Expires say where the answer tells something:
// a JSON path ("account.email", "keys.0.name") or "header:Name".
type Verify struct {
	Request  Request
	Live     []int  // HTTP status codes that prove it active
	Dead     []int  // HTTP status codes that prove it inactive
	LiveBody string // RE2 the body must match as well to be active; "" = any
	DeadBody string // RE2 the body must match as well to be inactive; "" = any, and then of 401 and 410 alone
	// DoubtBody is an RE2 for a refusal that a living key can get as well, from
	// an address that is not allowed or without a right: it proves a death only
	// after a key was let in from here.
	DoubtBody string
	Identity  string // whose key it is
	Scopes    string // what it may do
	LastUsed  string // when it was used last
	Expires   string // when it ends by itself
	Docs      string // vendor's page
	Note      string
}

// Workflow is the way out: what to do with a leaked key, in order.
type Workflow struct {
	Order   Order // where nobody knows how far the key has travelled
	Revoke  []Step
	Reissue []Step
	// Lookups find what the steps need to address exactly this key. Each is
	// made when a step holds a name that it takes.
	Lookups []Lookup
	Usage   string // where abuse would show: a log, a usage or billing page
	Blast   string // one line: what the holder can do
	Self    bool   // the leaked value alone suffices to revoke it
	Mints   bool   // it can make other keys, which outlive it
}

// Step is one thing to do. At least one of Text, URL, Command and Request is
// set. What a step needs is told by the names in its templates: a request
// with {{secret}} and without {{admin}} is made with the leaked value alone.
type Step struct {
	Title   string
	Text    string
	URL     string   // the vendor's page for a person
	Command string   // the vendor's own command line, with {{placeholders}}; never holds the secret
	Request *Request // the same by API; nil = none

	// Run says that Command is one complete command line that till may run,
	// without a shell: words with blanks between, quotes around blanks.
	Run bool
	// Stdin is what the command reads; here {{secret}}, {{new}} and {{admin}} may stand.
	Stdin string
	// OK are the status codes by which the vendor accepts the request; empty = any 2xx.
	OK []int
	// OKBody is an RE2 that the body must match as well; "" = any.
	OKBody string
	// Gone are the status codes that say that there is nothing to do any more,
	// so that a repeated step is no failure: 404 for a deleted key.
	Gone []int
	// Result says where the answer, or the command's output, holds the new key.
	Result Result
	// Alternative is another way to do the step before it, for when that
	// cannot be done.
	Alternative bool
	// Ends says, of a step of Reissue, that the old key dies with it: a rotated
	// token, a changed password.
	Ends bool
	// Once says that the request must not be repeated when its outcome is not
	// known: a second rotation of a GitLab token kills the whole family. Every
	// step of Reissue is of that kind.
	Once bool
	// Reversible says that the vendor can take the step back; Undo is how.
	Reversible bool
	Undo       *Request
	// After is how long to wait after the step before: a deactivated key is
	// deleted a week later.
	After time.Duration
	// Delay is how long the old key may go on working after the vendor has
	// accepted the step.
	Delay time.Duration
	// Lifetime is what the new key is given to live unless a person says
	// otherwise: the shortest that is practical. {{expires-date}} and its like
	// are made from it.
	Lifetime time.Duration
	// Collateral is what else dies with the key; shown before asking.
	Collateral string
}

// Result says where an answer holds a new key: JSON paths, "header:Name", or
// "text" for the whole answer without the blanks around it.
type Result struct {
	Secret  string
	ID      string // its public half or identifier; "" = none
	Expires string
	// Form puts the key together where the answer holds it in parts:
	// "{{new-id}}:{{new}}"; "" = the secret as it is.
	Form string
}

// Lookup is a request without side effects that tells the identifiers by
// which exactly one key is addressed. It never goes by position: when not
// exactly one entry fits, the step is refused.
type Lookup struct {
	Request Request
	// List is the JSON path of the entries; "" = the answer itself. An object
	// counts as the one entry.
	List string
	// Where are conditions that an entry has to meet, all of them.
	Where []Condition
	// Take are the names that the entry gives a value to.
	Take []Field
	// Next is where the answer tells the next page: "header:Link" (rel=next),
	// or a JSON path of an address, or of a cursor when Cursor is set.
	Next   string
	Cursor string // query parameter that takes the cursor
	Page   string // query parameter that counts pages from 1, until one is empty
	// Show are JSON paths of an entry that tell a person what it is; Created
	// and LastUsed of its times. Keys beside the leaked one are listed by them.
	Show     []string
	Created  string
	LastUsed string
}

// Condition compares a value of an entry: what stands at Path must be Like,
// where "*" stands for any characters ("sk-…*{{secret-last4}}").
type Condition struct{ Path, Like string }

// Field takes a name's value out of an entry, or out of "header:Name" of the answer.
type Field struct{ Name, Path string }

package scanner

import (
	"context"
	"time"

	"github.com/till-sh/till/rules"
)

// Where says in which part of a repository a value stands.
type Where string

// The parts, as the JSON report names them.
const (
	InContent Where = "content" // bytes of a file
	InMessage Where = "message" // commit message or an unknown commit header
	InAuthor  Where = "author"  // author or committer line
	InPath    Where = "path"    // name of a file or folder
	InTag     Where = "tag"     // message of an annotated tag
	InNote    Where = "note"    // git note
	InRef     Where = "ref"     // name of a branch or tag
)

// Blob is a piece of content to look at.
type Blob struct {
	// Path is relative to the scanned root, with "/" on every system; "" when
	// only attribution will tell it.
	Path string
	// Hash is the git object id in hexadecimal, "" for plain files and stdin.
	Hash string
	// Where says what Data is; "" means InContent.
	Where Where
	// Data is valid only during the call that passes the Blob.
	Data []byte
	// Offset and Line place Data in the stored file when a large file comes in
	// overlapping windows: 0-based byte offset and number of line feeds before
	// Data[0].
	Offset int64
	Line   int
	// Known returns earlier contents of the same file; a value that stands in
	// one of them is not new and is dropped. It is called only when something
	// was found, and may be nil (everything is new).
	Known func(ctx context.Context) ([][]byte, error)
	// Also lists where else this very content stands: it is looked at once, and
	// what is found in it is found there too.
	Also []Twin
	// Trace, if not nil, is for the receiver to fill in: what a source must pass
	// on again that remembers what it has passed on.
	Trace *Trace
	// Delta, when not nil, asks Scan to leave a Base for contents that are made
	// from this one, and may tell what this one was made from.
	Delta *Delta
}

// Twin is another place of a Blob's Data; the fields are as there.
type Twin struct {
	Hash   string
	Offset int64
	Line   int
}

// Trace says what came of a Blob.
type Trace struct {
	// Told says that something of Data is in the Result: a finding, a skip, an
	// error.
	Told bool
	// Parts are stretches of Data, in order and apart from each other, that give
	// the same when each is passed alone, with its Offset and Line; none when
	// only all of Data does.
	Parts []Stretch
}

// Stretch is the bytes of some content from From up to To, 0-based.
type Stretch struct{ From, To int }

// Location is a stretch of the stored file. Lines and columns are 1-based and
// columns count Unicode code points (an invalid byte counts as one); Offset is
// the 0-based byte offset. For decoded content it is the encoded text.
type Location struct {
	StartLine, StartColumn int
	EndLine, EndColumn     int // EndColumn is one past the last character, as in SARIF
	Offset, Length         int64
}

// Finding is one value seen at one place by one rule.
type Finding struct {
	Rule   *rules.Rule
	Class  rules.Class // Rule.Class, lowered to suspect where a pair is incomplete
	Secret Secret
	Path   string
	Hash   string
	Where  Where
	// Member is the name inside of an archive, "" outside; Location then counts
	// in the unpacked member.
	Member   string
	Location Location
	// Decoded names the encodings between the file and the value, outermost
	// first ("base64", "utf-16"); empty for plain text.
	Decoded []string
	Facts   Facts
	// Partner is the public half of a pair, nil when there is none.
	Partner *Partner
	// Excerpt is the line or lines of the value with every secret masked.
	Excerpt []ExcerptLine
	// Context is the line with the value cut out: what the fingerprint of a
	// Human rule is made from.
	Context string
	// Mark is the inline comment that says that it is not a secret, nil when
	// there is none.
	Mark *Mark
	// Moved says that the value stood in another file before this change.
	Moved bool

	conditional bool // see overrule
}

// Partner is the other half of a pair.
type Partner struct {
	Rule     *rules.Rule
	Secret   Secret
	Location Location
	// Sure says that within reach no other value could be this half, and no
	// other key claims it.
	Sure bool
}

// ExcerptLine is one line of a file, fit for display: secrets are masked, the
// length is capped, control characters are NOT yet escaped (that is the
// report's duty, for its own medium).
type ExcerptLine struct {
	Number int // 1-based line in the stored file
	Text   string
	// Mark and MarkEnd are the 0-based rune columns of the masked value in Text.
	Mark, MarkEnd int
}

// Facts are what can be read out of a value without asking anybody.
type Facts struct {
	Checksum string // "ok", "bad" or "none"
	Account  string // who it belongs to: account number, user, workspace
	Expires  string // RFC 3339, from the value itself
	ID       string // public identifier of the key
	Note     string // one line: "test key", "documented example"
}

// Mark is an inline comment that declares a value not to be a secret.
type Mark struct {
	Tool   string // whose mark: "till", "gitleaks", …
	Reason string
	Line   int // 1-based line of the comment
}

// Exposure says how far a value has travelled. Advice depends on it.
type Exposure string

// Exposures in growing order.
const (
	ExposureFile        Exposure = "file"        // in a plain file; git was not asked
	ExposureUnreachable Exposure = "unreachable" // in the object store, held by no ref
	ExposureStaged      Exposure = "staged"      // in the index only
	ExposureLocal       Exposure = "local"       // committed here, on no remote
	ExposurePushed      Exposure = "pushed"      // reachable from a remote-tracking ref
	ExposurePublic      Exposure = "public"      // known to be readable by anybody
)

// Order is the order in which a key that has travelled so far is replaced: what
// anybody can read is used by others already, so the old key goes first; what is
// private may be in use, so the new key comes first. usual, of the key's rule,
// stands where the exposure is not known ("").
func (e Exposure) Order(usual rules.Order) rules.Order {
	switch e {
	case "":
		return usual
	case ExposurePublic:
		return rules.RevokeFirst
	}
	return rules.ReissueFirst
}

// Commit is the part of a commit that reports show.
type Commit struct {
	Hash    string
	Author  string
	Email   string
	Time    time.Time
	Subject string
}

// Place is where a key stands: the Finding's place and, for git, which commit
// brought it there.
type Place struct {
	// Repository names the repository when several were scanned, else it is "".
	Repository string

	Path     string
	Where    Where
	Blob     string // object id, "" for plain files
	Commit   *Commit
	Refs     []string // branches and tags that reach Commit, shortest names first, at most a few
	Present  bool     // still there: in HEAD, the index or the file
	Removed  *Commit  // of what is not Present: the last commit in HEAD's past that took it away, nil when there is none
	Location Location
	Decoded  []string
	Excerpt  []ExcerptLine
	Moved    bool
}

// Key is one secret value with all places where it stands; of a password, which
// is known by its place, that place with all values that stand at it.
type Key struct {
	ID          string // short form for people, "ST-7Q4K"; unique in one Result
	Fingerprint string // 32 hexadecimal digits; the same in hook, CI and SARIF
	Rule        *rules.Rule
	Class       rules.Class
	Secret      Secret
	// Others are further values at the same place, the latest first, where the
	// fingerprint is a place (Rule.Human): Secret is the latest of all then.
	Others   []Secret
	Partner  *Partner
	Facts    Facts
	Exposure Exposure
	// Validity is what the vendor said when somebody asked: "active",
	// "inactive" or "unknown"; "" = nobody asked.
	Validity string
	Places   []Place // oldest commit first, then by path and offset; never empty
	// Suppressed says why the key is not reported, nil when it is.
	Suppressed *Suppression
}

// Values are all values at the place, Secret first; mostly that one.
func (k *Key) Values() []Secret { return append([]Secret{k.Secret}, k.Others...) }

// Suppression is a decision that a value is not a secret.
type Suppression struct {
	Kind   string // "inline" (a comment), "allowlist" (.tillignore) or "config" (.till.toml, a flag)
	Reason string
	By     string
	Until  string // YYYY-MM-DD, "" = no end
	Source string // file:line of the decision
}

// Skip is something that was not read on purpose, and why.
type Skip struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// Summary is the coverage of a scan: what was read, what was not.
type Summary struct {
	Commits    int
	Merges     int
	Blobs      int
	Files      int
	Bytes      int64
	Refs       int
	Suppressed int
	// Unreachable counts keys found only in objects that no ref reaches and
	// left out of the report because nobody asked for them.
	Unreachable int
	Skipped     []Skip
	// Errors names everything that should have been read and could not be.
	// Empty means that the scan was complete.
	Errors []string
	// Shard says which part of a history was read, nil = all of it.
	Shard *Shard
	// Notes are remarks that change nothing about completeness ("history is
	// shallow below 4c1e9aa").
	Notes []string
}

// Shard is one part of a history that several scans divide among them. Which
// objects belong to it follows from the files of the object store, so that the
// parts fit together only where these are the same: copies of one clone.
type Shard struct {
	Index int    // from 1 up
	Count int    // of all parts
	Of    string // stands for the whole: the same for all its parts
}

// Complete reports whether everything that was asked for was read.
func (s *Summary) Complete() bool { return len(s.Errors) == 0 }

// Result is the outcome of a scan.
type Result struct {
	Keys       []Key // to be reported; ordered, the same for any number of cores
	Suppressed []Key // decided not to be secrets, same order
	Summary    Summary
}

// A Source is where bytes come from.
//
// Each calls fn for every blob of the source, from at most workers goroutines
// at once; worker (0 ≤ worker < workers) says which, so that fn can keep
// per-worker state without locks. A Blob and its Data belong to fn only until
// it returns. An error of fn ends the walk and is returned. What could not be
// read goes into Summary.Errors and does not end the walk; the error result is
// for a source that could not be read at all (not a repository, bad range).
//
// Attribute is called once, after Each, with everything that was found. It
// returns for each finding the places where it stands (a blob can have many:
// one for each path); findings[i] belongs to places[i], and an empty list
// drops the finding (an object that no ref reaches). Its cost must be
// proportional to the findings, so that a clean scan does not pay for it.
type Source interface {
	Each(ctx context.Context, workers int, fn func(worker int, b *Blob) error) (Summary, error)
	Attribute(ctx context.Context, findings []Finding, sum *Summary) (places [][]Place, exposure []Exposure, err error)
}

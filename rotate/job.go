package rotate

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// A Job is one leaked key and the ways to the outside: what adapters work on.
// A job belongs to one goroutine.
type Job struct {
	Leak     Leak
	Adapters *Adapters
	HTTP     *call.Client
	Run      Runner // starts programs; nil = none may be started
	Redact   *call.Redactor
	Now      func() time.Time
	Sleep    func(ctx context.Context, d time.Duration) error

	// New is the new key once there is one.
	New *Issued
	// Lifetime is what a new key is given to live; 0 = what the step says.
	Lifetime time.Duration
	// Given are values that the owner has given beforehand (flags, his own
	// configuration), by name.
	Given map[string]string
	// GivenSecrets are those that came from a file or a prompt.
	GivenSecrets map[string]scanner.Secret
	// Ask puts a question to a person; nil = nobody is there. Answers are kept
	// for the time of the job.
	Ask func(ctx context.Context, q rules.Ask) (string, error)
	// Command runs the owner's command line that prints an answer, after asking.
	Command func(ctx context.Context, q rules.Ask, words []string) (string, error)
	// Said is told what a person has answered about a server, so that the next
	// command for this key need not ask again; nil = nobody keeps it.
	Said func(name, text string)
	// Keep stores the new key so that it cannot be lost; see Issuer.
	Keep func(n Issued) error
	// WorkTree is the top of the work tree, "" when there is none. Files in it
	// are named relative to it with slashes: Tracked reports whether git tracks
	// one, Ignored whether a .gitignore of the repository names it, and Untrack
	// takes one out of the index and leaves it on the disk. Standing looks through
	// all of it, encodings and archives too, and lists where the old value stands
	// and what could not be read. They are nil where there is no repository.
	WorkTree string
	Tracked  func(path string) (bool, error)
	Ignored  func(ctx context.Context, path string) (bool, error)
	Untrack  func(ctx context.Context, path string) error
	Standing func(ctx context.Context) (where, unread []string, err error)
	// Remote is the address of the remote that the owner has named, or else the
	// repository, which may have come from anybody: Claimed.
	Remote  string
	Claimed bool

	names    map[string]call.Value // found out or answered so far
	accepted map[string]string     // see Accepted
	said     map[string]bool       // names that the owner has given or confirmed
	lived    map[string]bool       // see hearsay
	siblings []Sibling
	busy     []string // names that are being looked up, against circles
}

// Verify asks about one value: the leaked key's, or the new one's. A rule that
// has no request, or a key that must not be used, is Unknown with the reason.
func (j *Job) Verify(ctx context.Context, secret scanner.Secret) (Verdict, error) {
	v := &j.Leak.Rule.Verify
	if why := j.Leak.Harmless(); why != "" {
		return Verdict{Validity: Unknown, Why: "not asked: " + why}, nil
	}
	switch {
	case v.Request.Func != "":
		f, ok := j.Adapters.Func(v.Request.Func).(Verifier)
		if !ok {
			return Verdict{Validity: Unknown}, fmt.Errorf("no function %s verifies", v.Request.Func)
		}
		out, err := f.Verify(ctx, j, secret)
		if err != nil {
			out.Validity = Unknown
		}
		return j.masked(out), j.Redact.Error(err)
	case v.Request.URL != "":
		return j.verify(ctx, v, secret)
	}
	why := v.Note
	if why == "" {
		why = "till knows no request that tells"
	}
	return Verdict{Validity: Unknown, Why: why}, nil
}

// CanVerify reports whether the vendor can be asked about this kind of key.
func (j *Job) CanVerify() bool {
	q := j.Leak.Rule.Verify.Request
	return (q.Func != "" || q.URL != "") && j.Leak.Harmless() == ""
}

func (j *Job) masked(v Verdict) Verdict {
	for _, s := range []*string{&v.Why, &v.Identity, &v.Scopes, &v.LastUsed, &v.Expires, &v.Host} {
		*s = oneLine(j.Redact.Text(*s))
	}
	return v
}

// oneLine cuts a text of the outside down to what fits a line.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 300 {
		s = string(r[:299]) + "…"
	}
	return s
}

// Value is what a {{name}} stands for, found in this order: the key itself,
// what till makes, what was given or found out, a lookup of the rule, a person.
func (j *Job) Value(ctx context.Context, name string) (call.Value, error) {
	return j.value(ctx, name, j.Leak.Secret)
}

// PublicID is what {{id}} stands for beside a secret, the leaked one or the new
// one. It asks a person when the scanner has not seen it.
func (j *Job) PublicID(ctx context.Context, secret scanner.Secret) (string, error) {
	v, err := j.value(ctx, "id", secret)
	return v.Text, err
}

// Values is Value for filling a request about one secret.
func (j *Job) Values(ctx context.Context, secret scanner.Secret) call.Values {
	return func(name string) (call.Value, error) { return j.value(ctx, name, secret) }
}

// Remember sets a name for the time of the job. What the rule calls a list is
// taken apart.
func (j *Job) Remember(name string, v call.Value) {
	v = j.listed(name, v)
	if j.names == nil {
		j.names = map[string]call.Value{}
	}
	if v.Secret {
		j.Redact.Add(v.Text)
	}
	j.names[name] = v
}

// listed takes apart what the rule calls a list.
func (j *Job) listed(name string, v call.Value) call.Value {
	if v.List == nil && j.question(name).List {
		v.List = strings.FieldsFunc(v.Text, func(r rune) bool { return r == ',' || r == ' ' })
	}
	return v
}

// Known are the names found out so far that are no secrets: what the ledger keeps.
func (j *Job) Known() map[string]string {
	out := map[string]string{}
	for name, v := range j.names {
		if !v.Secret {
			out[name] = v.Text
		}
	}
	return out
}

// Siblings are the other keys that a lookup has seen beside the leaked one.
func (j *Job) Siblings() []Sibling { return j.siblings }

// errNobody is the refusal to guess where nobody can be asked.
var errNobody = errors.New("nobody is there to say it")

func (j *Job) value(ctx context.Context, name string, secret scanner.Secret) (call.Value, error) {
	if v, ok := j.made(name, secret); ok {
		if v.Text == "" {
			return v, fmt.Errorf("{{%s}} is not known", name)
		}
		return v, nil
	}
	if v, ok := j.names[name]; ok {
		return v, nil
	}
	if s, ok := j.GivenSecrets[name]; ok {
		return call.Value{Text: s.Reveal(), Secret: true}, nil
	}
	q := j.question(name)
	if text, ok := j.Given[name]; ok {
		return j.answer(q, text, true)
	}
	if v, ok := j.near(name); ok {
		return v, nil
	}
	if l := j.lookupOf(name); l != nil {
		if err := j.lookup(ctx, l); err != nil {
			return call.Value{}, err
		}
		if v, ok := j.names[name]; ok {
			return v, nil
		}
	}
	if name == "host" {
		return j.host(ctx, q)
	}
	return j.ask(ctx, q)
}

// made are the names that come from the key itself or from the clock.
func (j *Job) made(name string, secret scanner.Secret) (v call.Value, ok bool) {
	value := secret.Reveal()
	switch name {
	case "secret":
		return call.Value{Text: value, Secret: true}, true
	case "secret-sha256":
		sum := sha256.Sum256([]byte(value))
		return call.Value{Text: hex.EncodeToString(sum[:]), Secret: j.Leak.Rule.Human}, true
	case "id":
		if j.New != nil && j.New.ID != "" && value == j.New.Secret.Reveal() {
			return call.Value{Text: j.New.ID}, true
		}
		if j.Leak.PublicID == "" {
			return v, false // it may be asked for
		}
		p := j.Leak.Partner // whose other half may be a secret as well
		half := p != nil && p.Rule.Severity != rules.Low && p.Secret.Reveal() == j.Leak.PublicID
		return call.Value{Text: j.Leak.PublicID, Secret: half}, true
	case "new":
		if j.New == nil {
			return v, true
		}
		return call.Value{Text: j.New.Secret.Reveal(), Secret: true}, true
	case "new-id":
		if j.New == nil {
			return v, true
		}
		return call.Value{Text: j.New.ID}, true
	case "name":
		if given := j.Given["name"]; given != "" {
			return call.Value{Text: given}, true
		}
		return call.Value{Text: "till-" + strings.ToLower(j.Leak.ID) + "-" + j.Now().UTC().Format("20060102")}, true
	}
	for prefix, cut := range map[string]func(string, int) string{
		"secret-first": func(s string, n int) string { return s[:n] },
		"secret-last":  func(s string, n int) string { return s[len(s)-n:] },
	} {
		if digits, is := strings.CutPrefix(name, prefix); is {
			n, err := strconv.Atoi(digits)
			// More than a half of a key in a request for a list is the key.
			if err != nil || n < 1 || n > len(value)/2 {
				return v, true
			}
			return call.Value{Text: cut(value, n)}, true
		}
	}
	if form, is := strings.CutPrefix(name, "expires-"); is {
		end := j.Now().UTC().Add(j.Lifetime)
		texts := map[string]string{
			"date": end.Format(time.DateOnly), "time": end.Truncate(time.Second).Format(time.RFC3339),
			"unix": strconv.FormatInt(end.Unix(), 10), "ms": strconv.FormatInt(end.UnixMilli(), 10),
			"seconds": strconv.Itoa(int(j.Lifetime.Seconds())), "days": strconv.Itoa(max(1, int(j.Lifetime.Hours()/24))),
		}
		return call.Value{Text: texts[form]}, texts[form] != ""
	}
	return v, false
}

// near finds a name in what the scanner knows: the account, or the other half
// of the pair, whose rule is called like the name ("azure-client-id").
func (j *Job) near(name string) (call.Value, bool) {
	if name == "account" && j.Leak.Account != "" {
		return call.Value{Text: j.Leak.Account}, true
	}
	if p := j.Leak.Partner; p != nil && strings.HasSuffix(p.Rule.ID, "-"+strings.ReplaceAll(name, "_", "-")) {
		return call.Value{Text: p.Secret.Reveal(), Secret: p.Rule.Severity != rules.Low}, true
	}
	return call.Value{}, false
}

// question is what the catalogue says about a name, or the bare name.
func (j *Job) question(name string) rules.Ask {
	i := slices.IndexFunc(j.Leak.Rule.Ask, func(a rules.Ask) bool { return a.Name == name })
	q := rules.Ask{Name: name, Text: strings.NewReplacer("_", " ", "-", " ").Replace(name)}
	if name == "admin" {
		q.Text = "your own credential, one that may manage keys"
	}
	if i >= 0 {
		q = j.Leak.Rule.Ask[i]
	}
	q.Secret = q.Secret || strings.HasPrefix(name, "admin")
	return q
}

// ask gets a value from the owner: his command line, or his answer, or the
// default when nobody is there.
func (j *Job) ask(ctx context.Context, q rules.Ask) (call.Value, error) {
	if q.Default != "" {
		text, err := call.Text(q.Default, j.Values(ctx, j.Leak.Secret))
		if err != nil {
			return call.Value{}, err
		}
		q.Default = text
	}
	if q.Command != "" && j.Command != nil {
		words, err := rules.CommandWords(q.Command)
		if err != nil {
			return call.Value{}, err
		}
		text, err := j.Command(ctx, q, words)
		if err != nil {
			return call.Value{}, err
		}
		if text != "" {
			return j.answer(q, text, true)
		}
	}
	if j.Ask == nil {
		if q.Default != "" {
			return j.answer(q, q.Default, false)
		}
		return call.Value{}, fmt.Errorf("{{%s}} (%s): %w", q.Name, q.Text, errNobody)
	}
	text, err := j.Ask(ctx, q)
	if err != nil {
		return call.Value{}, err
	}
	if text == "" {
		text = q.Default
	}
	if text == "" {
		return call.Value{}, fmt.Errorf("{{%s}} (%s) was not given", q.Name, q.Text)
	}
	return j.answer(q, text, text != q.Default)
}

// Accepted is the answer to a question whose proposal comes from a scanned file,
// such as the host of a database: a person has to see and accept it. Where nobody
// watches the owner has to have said it (--set). It is not kept in the ledger,
// which may have come with the repository; see Said.
func (j *Job) Accepted(ctx context.Context, q rules.Ask, proposal string) (string, error) {
	if text := j.Given[q.Name]; text != "" {
		return text, nil
	}
	if text := j.accepted[q.Name]; text != "" {
		return text, nil
	}
	if j.Ask == nil {
		return "", fmt.Errorf("%s: %w; say it with --set %s=…", q.Text, errNobody, q.Name)
	}
	q.Default = proposal
	text, err := j.Ask(ctx, q)
	if err != nil {
		return "", err
	}
	if text == "" {
		text = proposal
	}
	if text == "" {
		return "", fmt.Errorf("%s was not given", q.Text)
	}
	if j.accepted == nil {
		j.accepted = map[string]string{}
	}
	j.accepted[q.Name] = text
	if j.Said != nil {
		j.Said(q.Name, text)
	}
	return text, nil
}

// Settled is what was given or accepted for a name so far, "" when nothing was:
// for descriptions, which ask nobody.
func (j *Job) Settled(name string) string {
	if text := j.Given[name]; text != "" {
		return text
	}
	return j.accepted[name]
}

// answer checks a value and remembers it. own says that the owner said it, and
// not the catalogue's default.
func (j *Job) answer(q rules.Ask, text string, own bool) (call.Value, error) {
	if q.Pattern != "" {
		re, err := regexp.Compile(`\A(?:` + q.Pattern + `)\z`)
		if err != nil || !re.MatchString(text) {
			return call.Value{}, fmt.Errorf("{{%s}} (%s): expected a value of the form %s", q.Name, q.Text, q.Pattern)
		}
	}
	if own || j.Ask != nil {
		if j.said == nil {
			j.said = map[string]bool{}
		}
		j.said[q.Name] = true
	}
	v := call.Value{Text: text, Secret: q.Secret, Own: own && q.Name == "host"}
	j.Remember(q.Name, v)
	return j.names[q.Name], nil
}

// Password makes a value of n characters for where the owner chooses: letters
// and digits only, which need no escape in any file or address.
func Password(n int) scanner.Secret {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	out := make([]byte, 0, n)
	var buf [64]byte
	for len(out) < n {
		_, _ = rand.Read(buf[:]) // never fails (crypto/rand)
		for _, b := range buf {
			// 248 is the largest multiple of 62 in a byte: no letter is likelier.
			if b < 248 && len(out) < n {
				out = append(out, alphabet[b%62])
			}
		}
	}
	return scanner.NewSecret(out)
}

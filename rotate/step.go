package rotate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// Way is how a step can be done.
type Way string

// The ways, the most exact first.
const (
	ByFunc    Way = "func"    // a named function
	BySelf    Way = "self"    // a request with the leaked value alone
	ByRequest Way = "request" // a request with the owner's credential
	ByCommand Way = "command" // the vendor's command line, under the owner's login
	ByHand    Way = "page"    // a page or an instruction: a person does it
)

// WayOf tells how till can do a step. A request that should bring a new key and
// does not say where the answer holds it is left to a person.
func (j *Job) WayOf(s *rules.Step, reissue bool) Way {
	switch {
	case s.Request != nil && s.Request.Func != "":
		f := j.Adapters.Func(s.Request.Func)
		if _, ok := f.(Issuer); ok && reissue {
			return ByFunc
		}
		if _, ok := f.(Revoker); ok && !reissue {
			return ByFunc
		}
	case s.Request != nil && (!reissue || s.Result.Secret != ""):
		if names := call.NamesOf(*s.Request); slices.Contains(names, "secret") && !slices.ContainsFunc(names, isAdmin) {
			return BySelf
		}
		return ByRequest
	case s.Run && j.Run != nil && (!reissue || s.Result.Secret != ""):
		if words, err := rules.CommandWords(s.Command); err == nil && len(words) > 0 {
			if _, err := j.Run.Find(words[0]); err == nil {
				return ByCommand
			}
		}
	}
	return ByHand
}

// sets reports whether a step of a reissue sets a value that was kept before.
func (j *Job) sets(s *rules.Step) bool {
	if s.Request == nil || s.Request.Func == "" {
		return false
	}
	_, ok := j.Adapters.Func(s.Request.Func).(Setter)
	return ok
}

func isAdmin(name string) bool { return strings.HasPrefix(name, "admin") || name == "app-jwt" }

// Describe shows what a step would do, line by line, keys masked.
func (j *Job) Describe(s *rules.Step, reissue bool) []string {
	if j.Lifetime == 0 { // as it will be when the step is done
		j.Lifetime = s.Lifetime
		defer func() { j.Lifetime = 0 }()
	}
	values := func(name string) (call.Value, error) { return j.shown(name) }
	switch j.WayOf(s, reissue) {
	case ByFunc:
		if d, ok := j.Adapters.Func(s.Request.Func).(Describer); ok {
			return d.Describe(j)
		}
	case BySelf, ByRequest:
		return call.Describe(*s.Request, values)
	case ByCommand:
		line, _ := call.Text(s.Command, func(name string) (call.Value, error) {
			v, err := values(name)
			if err != nil {
				v.Text = "{{" + name + "}}"
			}
			return v, nil
		})
		if s.Stdin != "" {
			line += "   (a value through standard input)"
		}
		return []string{"$ " + line}
	}
	return nil
}

// shown is value without questions: what is not known stays a name.
func (j *Job) shown(name string) (call.Value, error) {
	if v, ok := j.made(name, j.Leak.Secret); ok && v.Text != "" {
		return v, nil
	}
	if v, ok := j.names[name]; ok {
		return v, nil
	}
	if text, ok := j.Given[name]; ok {
		return j.listed(name, call.Value{Text: text}), nil
	}
	if v, ok := j.near(name); ok {
		return v, nil
	}
	if q := j.question(name); q.Default != "" && !q.Secret && !strings.Contains(q.Default, "{{") {
		return j.listed(name, call.Value{Text: q.Default}), nil
	}
	return call.Value{}, errNobody
}

// Revoke does one step of a revocation. A nil error means that the vendor has
// accepted it, or that there is nothing left to do.
func (j *Job) Revoke(ctx context.Context, s *rules.Step) error {
	err := j.revoke(ctx, s)
	return j.Redact.Error(err)
}

func (j *Job) revoke(ctx context.Context, s *rules.Step) error {
	switch j.WayOf(s, false) {
	case ByFunc:
		return j.Adapters.Func(s.Request.Func).(Revoker).Revoke(ctx, j)
	case BySelf, ByRequest:
		_, err := j.send(ctx, s, *s.Request)
		return err
	case ByCommand:
		_, err := j.command(ctx, s)
		return err
	}
	return errors.New("this step is done by hand")
}

// Undo takes a step back.
func (j *Job) Undo(ctx context.Context, s *rules.Step) error {
	if s.Request != nil && s.Request.Func != "" {
		u, ok := j.Adapters.Func(s.Request.Func).(Undoer)
		if !ok {
			return errors.New("this step cannot be taken back")
		}
		return j.Redact.Error(u.Undo(ctx, j))
	}
	if s.Undo == nil {
		return errors.New("this step cannot be taken back")
	}
	back := *s
	back.OK, back.OKBody, back.Gone = nil, "", nil
	_, err := j.send(ctx, &back, *s.Undo)
	return j.Redact.Error(err)
}

// Issue makes a new key by one step of a reissue and keeps it.
func (j *Job) Issue(ctx context.Context, s *rules.Step) (Issued, error) {
	n, err := j.issue(ctx, s)
	return n, j.Redact.Error(err)
}

func (j *Job) issue(ctx context.Context, s *rules.Step) (Issued, error) {
	if j.Lifetime == 0 {
		j.Lifetime = s.Lifetime
	}
	var a *call.Answer
	var err error
	switch j.WayOf(s, true) {
	case ByFunc:
		n, err := j.Adapters.Func(s.Request.Func).(Issuer).Issue(ctx, j)
		if err != nil {
			return n, err
		}
		return n, j.keep(n)
	case BySelf, ByRequest:
		if a, err = j.send(ctx, s, *s.Request); err != nil {
			return Issued{}, err
		}
	case ByCommand:
		out, err := j.command(ctx, s)
		if err != nil {
			return Issued{}, err
		}
		a = &call.Answer{Header: http.Header{}, Body: []byte(out)}
	default:
		return Issued{}, errors.New("this step is done by hand")
	}
	n, err := resultOf(s, a)
	if err != nil {
		return n, err
	}
	return n, j.keep(n)
}

func (j *Job) keep(n Issued) error {
	j.Redact.Add(n.Secret.Reveal())
	j.New = &n
	if j.Keep == nil {
		return nil
	}
	return j.Keep(n)
}

// resultOf takes the new key out of an answer.
func resultOf(s *rules.Step, a *call.Answer) (Issued, error) {
	n := Issued{ID: oneLine(a.Text(s.Result.ID)), Expires: oneLine(a.Text(s.Result.Expires)), Ends: s.Ends}
	value := a.Text(s.Result.Secret)
	if value == "" {
		return n, fmt.Errorf("the vendor has answered, but not with a new key at %q: look at the page whether there is one now, and delete it", s.Result.Secret)
	}
	if s.Result.Form != "" {
		whole, err := call.Text(s.Result.Form, func(name string) (call.Value, error) {
			switch name {
			case "new":
				return call.Value{Text: value}, nil
			case "new-id":
				return call.Value{Text: n.ID}, nil
			}
			return call.Value{}, fmt.Errorf("{{%s}} has no place in the form of a result", name)
		})
		if err != nil {
			return n, err
		}
		value = whole
	}
	n.Secret = scanner.NewSecret([]byte(value))
	return n, nil
}

// send makes the request of a step and judges the answer.
func (j *Job) send(ctx context.Context, s *rules.Step, r rules.Request) (*call.Answer, error) {
	q, err := call.Fill(r, j.Values(ctx, j.Leak.Secret))
	if err != nil {
		return nil, err
	}
	q.Repeatable = !s.Once && s.Result.Secret == "" && (q.Method == http.MethodDelete || q.Method == http.MethodPut)
	a, err := j.HTTP.Do(ctx, q)
	if err != nil {
		return nil, err
	}
	if slices.Contains(s.Gone, a.Status) {
		return a, nil
	}
	ok := a.Status >= 200 && a.Status <= 299
	if len(s.OK) > 0 {
		ok = slices.Contains(s.OK, a.Status)
	}
	if !ok {
		return a, statusError(q, a)
	}
	if s.OKBody != "" {
		if re, err := regexp.Compile(s.OKBody); err != nil || !re.Match(a.Body) {
			return a, fmt.Errorf("%s %s: HTTP %d, but the answer does not say that it was done", q.Method, hostOf(q.URL), a.Status)
		}
	}
	return a, nil
}

// command runs the command line of a step.
func (j *Job) command(ctx context.Context, s *rules.Step) (string, error) {
	words, err := rules.CommandWords(s.Command)
	if err != nil {
		return "", err
	}
	values := j.Values(ctx, j.Leak.Secret)
	for i, w := range words {
		filled, err := call.Text(w, func(name string) (call.Value, error) {
			v, err := values(name)
			if err == nil && v.Secret {
				err = fmt.Errorf("{{%s}} is a secret: it has no place in a command line", name)
			}
			if err == nil && strings.HasPrefix(w, "{{") && strings.HasPrefix(v.Text, "-") {
				err = fmt.Errorf("{{%s}}: a value that begins with a dash would be taken for an option", name)
			}
			return v, err
		})
		if err != nil {
			return "", err
		}
		words[i] = filled
	}
	stdin, err := call.Text(s.Stdin, values)
	if err != nil {
		return "", err
	}
	return j.Run.Run(ctx, words, stdin)
}

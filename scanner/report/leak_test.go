package report

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// fixtures are all results of fixture_test.go.
func fixtures() map[string]*scanner.Result {
	return map[string]*scanner.Result{"staged": staged(), "history": history(), "clean": clean(), "broken": broken(),
		"brokenEmpty": brokenEmpty(), "pushed": pushed(), "message": message(), "local": local(), "everywhere": everywhere()}
}

// everywhere is a result whose every text holds every value, as it is and
// encoded: a file named after a key, a commit subject with another one, a user
// rule that cites a third.
func everywhere() *scanner.Result {
	var all []string
	for _, v := range values {
		if len(v) >= minShared {
			all = append(all, v, base64.StdEncoding.EncodeToString([]byte("ab"+v+"c")), base64.URLEncoding.EncodeToString([]byte("x"+v)),
				base64.StdEncoding.EncodeToString([]byte(v)), hex.EncodeToString([]byte(v)), strings.ToUpper(hex.EncodeToString([]byte(v))),
				url.QueryEscape(v), percentAll(v))
		}
	}
	s := strings.Join(all, " and ")
	r := history()
	fillText := func(p *scanner.Place) {
		p.Path, p.Refs = s, []string{s}
		p.Commit = &scanner.Commit{Hash: "4c1e9aa0", Author: s, Email: s, Subject: s}
		p.Decoded = []string{s}
		p.Excerpt = []scanner.ExcerptLine{{Number: 3, Text: s, Mark: 5, MarkEnd: 12}, {Number: 4, Text: s}}
	}
	rule := &rules.Rule{}
	fill(reflect.ValueOf(rule).Elem(), s, 0)
	rule.Severity, rule.Class, rule.Workflow.Order = rules.High, rules.ClassKey, rules.RevokeFirst // the loader takes no other words
	for _, list := range [][]scanner.Key{r.Keys, r.Suppressed} {
		for i := range list {
			k := &list[i]
			k.Rule, k.Facts = rule, scanner.Facts{Account: s, Expires: s, ID: s, Note: s}
			if k.Suppressed != nil {
				k.Suppressed = &scanner.Suppression{Kind: "inline", Reason: s, By: s, Source: s}
			}
			for j := range k.Places {
				fillText(&k.Places[j])
			}
		}
	}
	// The values that only staged() has.
	r.Keys = append(r.Keys, suspectKey())
	r.Summary.Errors, r.Summary.Notes = []string{s}, []string{s}
	r.Summary.Skipped = []scanner.Skip{{Path: s, Reason: s}, {Path: s, Reason: "x"}}
	return r
}

// forms are the ways in which a value would give itself away.
func forms(v string) map[string]string {
	out := map[string]string{
		"plain": v, "hexadecimal": hex.EncodeToString([]byte(v)), "upper hexadecimal": strings.ToUpper(hex.EncodeToString([]byte(v))),
		"query": url.QueryEscape(v), "path": url.PathEscape(v), "percent": percentAll(v),
		"html": htmlText(v), "markdown": markdownText(v), "middle": v[len(v)/3 : len(v)-len(v)/4],
	}
	for shift := range 3 {
		out[fmt.Sprintf("base64+%d", shift)] = base64Core(v, shift)
		out[fmt.Sprintf("base64url+%d", shift)] = strings.NewReplacer("+", "-", "/", "_").Replace(base64Core(v, shift))
	}
	j, _ := json.Marshal(v)
	out["json"] = strings.Trim(string(j), `"`)
	return out
}

func TestNoFormatLeaks(t *testing.T) {
	hooks := []string{"", "pre-commit", "commit-msg", "pre-push", "pre-receive"}
	for name, r := range fixtures() {
		for _, format := range Formats() {
			for _, hook := range hooks {
				for _, show := range []bool{false, true} {
					opens := format == "text" || format == "json" || format == "jsonl"
					if show && opens || hook != "" && format != "text" {
						continue
					}
					o := options()
					o.Hook, o.ShowSecrets, o.Verbose, o.Plain, o.ListSuppressed = hook, show, true, show, true
					if name == "everywhere" {
						o.Root, o.Scope = r.Summary.Notes[0], r.Summary.Notes[0]
					}
					out := string(render(t, format, r, o))
					for i, v := range values {
						if len(v) < minShared && name == "everywhere" {
							continue // masked where it was found only, see TestShortValues
						}
						for kind, f := range forms(v) {
							if len(f) >= 8 && strings.Contains(out, f) || len(v) < minShared && strings.Contains(out, v) {
								t.Errorf("%s of %s (hook %q): value %d stands there (%s)", format, name, hook, i, kind)
							}
						}
					}
				}
			}
		}
	}
}

// All values of a place are masked, also those that stood there earlier.
func TestOtherValues(t *testing.T) {
	for _, value := range []string{"an-earlier" + "-password", shortValue} {
		k := suspectKey()
		k.Others = []scanner.Secret{secret(value)}
		k.Places[0].Where = scanner.InMessage
		k.Places[0].Commit = &scanner.Commit{Hash: "4c1e9aa0", Subject: "replace " + value}
		out := Redact(&scanner.Result{Keys: []scanner.Key{k}})
		if got, want := out.Keys[0].Places[0].Commit.Subject, "replace "+scanner.Mask(value); got != want {
			t.Errorf("a value of %d bytes: subject %q", len(value), got)
		}
	}
}

// A short value may be part of any word, so it is masked where it was found.
func TestShortValues(t *testing.T) {
	for _, where := range []scanner.Where{scanner.InPath, scanner.InMessage, scanner.InAuthor, scanner.InRef, scanner.InTag} {
		k := suspectKey()
		k.Secret = secret(shortValue)
		p := scanner.Place{Where: where, Path: "notes/a.txt", Refs: []string{"main"}, Excerpt: []scanner.ExcerptLine{code(1, "", shortValue, "")},
			Commit: &scanner.Commit{Hash: "4c1e9aa0", Author: "Dana", Email: "dana@example.com", Subject: "add"}, Location: span(1, 1, shortValue, 0)}
		switch where {
		case scanner.InPath:
			p.Path = "login-" + shortValue + ".txt"
		case scanner.InMessage:
			p.Commit.Subject = "password " + shortValue
		case scanner.InAuthor:
			p.Commit.Author, p.Commit.Email = shortValue, shortValue+"@example.com"
		default:
			p.Refs, p.Path = []string{"try/" + shortValue}, shortValue
		}
		k.Places = []scanner.Place{p}
		for _, format := range Formats() {
			if out := render(t, format, result(k), options()); strings.Contains(string(out), shortValue) {
				t.Errorf("%s shows a short value found in %s", format, where)
			}
		}
	}
}

func TestShowSecrets(t *testing.T) {
	for _, format := range []string{"text", "json", "jsonl"} {
		out := string(render(t, format, history(), with(func(o *Options) { o.ShowSecrets = true })))
		for _, v := range []string{stripeValue, awsValue, awsID, pathValue, urlValue} {
			if !strings.Contains(out, v) {
				t.Errorf("%s does not open %s", format, scanner.Mask(v))
			}
		}
	}
	var rep struct {
		Keys []struct {
			Secret, Masked string
			Partner        *struct{ Rule, Masked, Secret string }
			Places         []struct{ Path string }
		}
	}
	if err := json.Unmarshal(render(t, "json", history(), with(func(o *Options) { o.ShowSecrets = true })), &rep); err != nil {
		t.Fatal(err)
	}
	if got := rep.Keys[2].Secret; got != pemValue {
		t.Error("a PEM block does not read back from JSON")
	}
	if p := rep.Keys[1].Partner; p == nil || p.Secret != awsID || p.Rule != "aws-access-key-id" || p.Masked != scanner.Mask(awsID) {
		t.Error("the partner is not as the contract says")
	}
	if rep.Keys[3].Places[1].Path != "tokens/"+pathValue+".txt" {
		t.Error("with --show-secrets a path must be the true one")
	}
	// A value that is not UTF-8 is told by its bytes too.
	k := stripeKey()
	k.Secret = secret("caf\xe9-" + made(40, alnum, 12))
	out := string(render(t, "json", result(k), with(func(o *Options) { o.ShowSecrets = true })))
	if !strings.Contains(out, base64.StdEncoding.EncodeToString([]byte(reveal(k.Secret)))) {
		t.Error("secretBytes is missing")
	}
}

// Reveal may stand in one function only, so that one look tells what can leak.
func TestOneReveal(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no sources", err)
	}
	n := 0
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		n += strings.Count(string(b), ".Reveal(")
	}
	if n != 1 {
		t.Errorf("Secret.Reveal is called in %d places, want 1", n)
	}
}

// Write must leave the result alone and be free of shared state.
func TestWriteIsPure(t *testing.T) {
	r, want := history(), history()
	var wg sync.WaitGroup
	outs := make([]string, 2*len(Formats()))
	for i := range outs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var b strings.Builder
			if err := Write(Formats()[i/2], &b, r, with(func(o *Options) { o.Color = true })); err != nil {
				t.Error(err)
			}
			outs[i] = b.String()
		}()
	}
	wg.Wait()
	for i := 0; i < len(outs); i += 2 {
		if outs[i] != outs[i+1] {
			t.Errorf("%s is not the same twice", Formats()[i/2])
		}
	}
	a, _ := json.Marshal(r)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Error("Write changed the result")
	}
}

func TestRedactKeepsTheMark(t *testing.T) {
	k := stripeKey()
	k.Places[0].Excerpt = []scanner.ExcerptLine{code(1, awsValue+" ü = '", stripeValue, "' # "+tokenValue)}
	other := awsKey()
	r, _ := redact(result(k, other, suspectKey()), Options{})
	l := r.Keys[0].Places[0].Excerpt[0]
	if _, marked, _ := cut(l); marked != scanner.Mask(stripeValue) {
		t.Errorf("the mark points at %q of %q", marked, l.Text)
	}
	if strings.Contains(l.Text, awsValue) || strings.Contains(l.Text, tokenValue) {
		t.Error("a neighbour's value stands in the excerpt")
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		text          string
		mark, markEnd int
		want          [3]string
	}{
		{"abcdef", 2, 4, [3]string{"ab", "cd", "ef"}},
		{"äöüß", 1, 3, [3]string{"ä", "öü", "ß"}},
		{"a\xffb\xfec", 1, 2, [3]string{"a", "\xff", "b\xfec"}},
		{"abc", 0, 0, [3]string{"", "", "abc"}},
		{"abc", 1, 99, [3]string{"a", "bc", ""}},
		{"abc", 7, 9, [3]string{"abc", "", ""}},
		{"abc", 2, 1, [3]string{"", "", "abc"}},
		{"abc", -1, 2, [3]string{"", "", "abc"}},
		{"", 0, 3, [3]string{"", "", ""}},
	} {
		b, m, a := cut(scanner.ExcerptLine{Text: c.text, Mark: c.mark, MarkEnd: c.markEnd})
		if got := [3]string{b, m, a}; got != c.want {
			t.Errorf("cut(%q, %d, %d) = %q, want %q", c.text, c.mark, c.markEnd, got, c.want)
		}
	}
}

// FuzzRedact hides a value in arbitrary text in each of its forms, between two
// NUL bytes and away from text that would spell it anew together with the ends
// that a mask shows.
func FuzzRedact(f *testing.F) {
	f.Add("before ", " after", "some-secret-value-1234")
	f.Add("sk_", "_live", "abababab")
	f.Add("", "", "aaaaaaaaaaaaaaaa")
	f.Fuzz(func(t *testing.T, before, after, v string) {
		if len(v) < minShared || len(v) > 200 || strings.Contains(v, "\x00") ||
			strings.Contains(before+after, v[len(v)-4:]) || strings.Contains(before+after, v[:4]) {
			return
		}
		before, after = before+"\x00", "\x00"+after
		k := stripeKey()
		k.Secret = secret(v)
		check := func(kind, text, needle string) {
			r := result(k)
			r.Summary.Notes = []string{text}
			got, _ := redact(r, Options{})
			if strings.Contains(got.Summary.Notes[0], needle) {
				t.Fatalf("%s of a value survives in %q", kind, got.Summary.Notes[0])
			}
		}
		check("plain", before+v+after, v)
		check("hex", before+hex.EncodeToString([]byte(v))+after, hex.EncodeToString([]byte(v)))
		check("percent", before+percentAll(v)+after, percentAll(v))
		check("base64", base64.StdEncoding.EncodeToString([]byte(before+v+after)), base64Core(v, len(before)%3))
	})
}

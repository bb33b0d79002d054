package report

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/till-sh/till/scanner"
)

func TestHookIsSilentWhenClean(t *testing.T) {
	for _, hook := range []string{"pre-commit", "commit-msg", "pre-push", "pre-receive"} {
		for _, verbose := range []bool{false, true} {
			r := clean()
			r.Summary.Suppressed = 3
			r.Summary.Notes = []string{"a note"}
			r.Summary.Skipped = []scanner.Skip{{Path: "a", Reason: "b"}}
			if out := render(t, "text", r, Options{Hook: hook, Verbose: verbose}); len(out) != 0 {
				t.Errorf("%s says %q", hook, out)
			}
		}
	}
}

// The word clean is a promise.
func TestCleanIsSaidOnlyWhenComplete(t *testing.T) {
	word := regexp.MustCompile(`(?i)\bclean\b`)
	for name, r := range map[string]*scanner.Result{"nothing found, errors": brokenEmpty(), "key and errors": broken(), "keys": staged(),
		"suspect": result(suspectKey()), "nothing read": {}} {
		for _, format := range Formats() {
			for _, o := range []Options{{}, {Plain: true}, {Quiet: true}, {Verbose: true}, {Hook: "pre-commit"}} {
				if out := render(t, format, r, o); word.Match(out) {
					t.Errorf("%s says clean of a scan with %s:\n%s", format, name, out)
				}
			}
		}
	}
	for _, o := range []Options{{}, {Plain: true}} {
		out := string(render(t, "text", clean(), o))
		if !word.MatchString(out) || !strings.Contains(out, "1,432 commits") || !strings.Contains(out, "160 MB") {
			t.Errorf("clean is not said with its coverage: %s", out)
		}
	}
}

// Every error is told in every format, or counted where it is not.
func TestErrorsAreTold(t *testing.T) {
	r := brokenEmpty()
	for _, format := range Formats() {
		if format == "csv" {
			continue // rows of findings; the exit code tells
		}
		for _, o := range []Options{{}, {Quiet: true}, {Plain: true, Quiet: true}, {Hook: "pre-commit"}} {
			out := string(render(t, format, r, o))
			if !strings.Contains(out, "unknown extension") && !(format == "github" && strings.Contains(out, "1 more error")) {
				t.Errorf("%s does not tell the second error:\n%s", format, out)
			}
		}
	}
	for i := range 1000 {
		r.Summary.Errors = append(r.Summary.Errors, fmt.Sprintf("read object %d: gone", i))
	}
	if out := string(render(t, "text", r, Options{})); !strings.Contains(out, "902 more") || strings.Count(out, "\n") > maxErrors+10 {
		t.Errorf("1002 errors make %d lines", strings.Count(out, "\n"))
	}
}

func TestOneKeyFitsTheScreen(t *testing.T) {
	for _, c := range []struct {
		r    *scanner.Result
		hook string
	}{{result(stripeKey()), "pre-commit"}, {result(awsKey()), "pre-commit"}, {message(), "commit-msg"}, {local(), "pre-push"}, {local(), "pre-receive"}, {result(suspectKey()), "pre-commit"}} {
		out := string(render(t, "text", c.r, Options{Hook: c.hook}))
		if n := strings.Count(out, "\n"); n > 12 {
			t.Errorf("%s: %d lines:\n%s", c.hook, n, out)
		}
	}
	for _, k := range history().Keys {
		out := string(render(t, "text", result(k), Options{Quiet: true}))
		if n := strings.Count(out, "\n"); n > 12 {
			t.Errorf("%s: %d lines:\n%s", k.ID, n, out)
		}
	}
}

func TestWidth(t *testing.T) {
	for _, width := range []int{0, 40, 60, 80, 120} {
		for name, r := range map[string]*scanner.Result{"history": history(), "staged": staged(), "pushed": pushed()} {
			for _, hook := range []string{"", "pre-commit"} {
				out := string(render(t, "text", r, Options{Hook: hook, Width: width, Root: "acme/web", Scope: "all refs"}))
				limit := max(width, 40)
				if width == 0 {
					limit = 80
				}
				for _, l := range strings.Split(out, "\n") {
					words := strings.Fields(l)
					long := false // a link, a place or a command stays whole
					for _, w := range words {
						long = long || cells(w) > limit-14
					}
					if cells(l) > limit && !long && !strings.Contains(l, "till allow") && !strings.Contains(l, "till: ") && !strings.Contains(l, "allowed: till") {
						t.Errorf("%s (hook %q) at %d columns: %d: %s", name, hook, width, cells(l), l)
					}
				}
			}
		}
	}
}

// The caret stands below the first character of the value, whatever stands
// before it.
func TestCaret(t *testing.T) {
	for _, before := range []string{"", "key = '", "\tkey = '", "ключ = '", "キー = '", "e\u0301 = '", "\x1b[31mkey = '", "bad\xff\xfe = '",
		strings.Repeat("long ", 40) + "key = '", strings.Repeat("キ", 50)} {
		for _, after := range []string{"", "'", strings.Repeat(" after", 40)} {
			for _, ascii := range []bool{false, true} {
				k := stripeKey()
				k.Places[0].Excerpt = []scanner.ExcerptLine{code(3, before, stripeValue, after)}
				out := strings.Split(string(render(t, "text", result(k), Options{Quiet: true, ASCII: ascii})), "\n")
				caret := strings.IndexByte(out[2], '^')
				if caret < 0 {
					t.Fatalf("no caret: %q", out)
				}
				col := cells(out[2][:caret])
				at := 0
				for i := range out[1] {
					if cells(out[1][:i]) == col {
						at = i
						break
					}
				}
				if !strings.HasPrefix(out[1][at:], "sk_live_") {
					t.Errorf("before %q: the caret points at %q\n%s\n%s", before, out[1][at:], out[1], out[2])
				}
				if cells(out[1]) > 80 || cells(out[2]) > 80 {
					t.Errorf("wider than 80: %s", out[1])
				}
			}
		}
	}
}

// Commands that the report names must exist in till.
func TestCommandsExist(t *testing.T) {
	known := regexp.MustCompile(`^till (allow|allowed|check|clean|explain|fix|rotate|scan|config|rules show)\b`)
	for name, r := range fixtures() {
		if name == "everywhere" {
			continue
		}
		for _, format := range Formats() {
			for _, hook := range []string{"", "pre-commit", "commit-msg", "pre-push"} {
				out := string(render(t, format, r, Options{Hook: hook}))
				for _, m := range regexp.MustCompile(`till (fix|rotate|check|deny|doctor|clean|[a-z]+ [A-Z]{2}-)[^"]{0,9}`).FindAllString(out, -1) {
					if !known.MatchString(m) {
						t.Errorf("%s names a command that is not there: %s", format, m)
					}
				}
			}
		}
	}
}

func TestPublicIsRevokedFirst(t *testing.T) {
	k := awsKey() // reissue-first
	for exposure, first := range map[scanner.Exposure]string{scanner.ExposurePublic: "revoke", scanner.ExposurePushed: "new key", scanner.ExposureFile: "new key"} {
		k.Exposure = exposure
		if got := stages(&k)[0].name; got != first {
			t.Errorf("%s: first %s, want %s", exposure, got, first)
		}
	}
}

// Text from a scanned file gets into a command line only in a shape that no
// shell reads.
func TestCommandPlaceholder(t *testing.T) {
	k := awsKey()
	k.Partner = nil
	step := &awsRule.Workflow.Revoke[0]
	for id, filled := range map[string]bool{awsID: true, "acct_1.x:y@z/w": true, "-rf": false, "a b": false, "$(id)": false, "`id`": false, "a;b": false, "": false, "a\nb": false, "x…y": false} {
		k.Facts.ID = id
		if got := !strings.Contains(stepTarget(&k, step), "{{id}}"); got != filled {
			t.Errorf("id %q: filled %v", id, got)
		}
	}
}

func TestFailOnDecidesTheHeadline(t *testing.T) {
	for _, c := range []struct {
		r      *scanner.Result
		failOn string
		want   string
	}{
		{result(suspectKey()), "", "till: 1 suspect, commit made\n"},
		{result(suspectKey()), "suspect", "till: 1 suspect in this commit, so it was not made\n"},
		{result(stripeKey()), "never", "till: 1 key, commit made\n"},
		{staged(), "key", "till: 2 keys and 1 suspect in this commit, so it was not made\n"},
	} {
		if out := string(render(t, "text", c.r, Options{Hook: "pre-commit", FailOn: c.failOn})); !strings.HasPrefix(out, c.want) {
			t.Errorf("fail-on %q: %q, want %q", c.failOn, out[:min(len(out), 80)], c.want)
		}
	}
}

func TestSameStepsAreSaidOnce(t *testing.T) {
	a, b := stripeKey(), stripeKey()
	b.ID = "ST-OTHR"
	out := string(render(t, "text", result(a, b), Options{}))
	if strings.Count(out, "Roll the key") != 1 || !strings.Contains(out, "replace  as ST-7Q4K") {
		t.Error(out)
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int]string{0: "0", 12: "12", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		if got := digits(n); got != want {
			t.Errorf("digits(%d) = %s", n, got)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 18231: "18 kB", 999_400: "999 kB", 999_600: "1.0 MB", 160_400_000: "160 MB", 5_500_000_000: "5.5 GB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{38 * time.Millisecond: "38 ms", 1400 * time.Millisecond: "1.4 s", 123 * time.Second: "2 min 3 s"} {
		if got := elapsed(d); got != want {
			t.Errorf("elapsed(%v) = %s, want %s", d, got, want)
		}
	}
	for noun, want := range map[string]string{"key": "2 keys", "entry": "2 entries", "suspect": "2 suspects"} {
		if got := count(2, noun); got != want {
			t.Errorf("count = %s, want %s", got, want)
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	for name, near := range map[string]string{"sarf": "sarif", "jsn": "json", "txt": "text", "MARKDOWN": "markdown", "git": "github", "junti": "junit"} {
		err := Write(name, nil, clean(), Options{})
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("did you mean %q?", near)) || !strings.Contains(err.Error(), "known: csv, github") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Known("nothing-like-it"); err == nil || strings.Contains(err.Error(), "did you mean") {
		t.Errorf("%v", err)
	}
	if err := Known("json"); err != nil {
		t.Error(err)
	}
}

type failing struct{}

var errFull = errors.New("no space left on device")

func (failing) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrorsComeThrough(t *testing.T) {
	for _, f := range Formats() {
		if err := Write(f, failing{}, history(), Options{}); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

// A result that lacks everything must be shown and not fall over.
func TestEmptyFields(t *testing.T) {
	for _, r := range []*scanner.Result{{}, {Keys: []scanner.Key{{}}, Suppressed: []scanner.Key{{}}},
		{Keys: []scanner.Key{{ID: "XX-1", Places: []scanner.Place{{}}}}}} {
		for _, f := range Formats() {
			for _, o := range []Options{{}, {Hook: "pre-commit"}, {Hook: "pre-push"}, {Hook: "commit-msg"}, {Plain: true, ShowSecrets: true}, {ListSuppressed: true, Verbose: true}} {
				render(t, f, r, o)
			}
		}
	}
}

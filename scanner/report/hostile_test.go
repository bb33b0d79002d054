package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// hostile are strings that somebody would like to see in a report raw.
var hostile = []string{
	"plain",
	"\x1b]0;title\x07\x1b[2J\x1b[31mred", "\u009b31m", "a\rb\nc\x00d\x7f",
	"\n::error file=x::forged", "::add-mask::x", "  ::set-output name=a::b", "##[error]x", "##vso[task.setvariable]x", "##teamcity[x]",
	"%0A::error::x", "a,title=b::c", "=HYPERLINK(\"https://evil.example\")", "+1", "-1", "@x", "a\"b,c\r\nd",
	"<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onload='x", "</code></pre></section><script>x</script>", "-->", "]]>", "<!--", "&lt;",
	"`x` | y | <b> **z** [l](javascript:x) ![i](https://evil.example/x.png)", "@org/team #1 www.evil.example https://evil.example",
	"javascript:alert(1)", "data:text/html,x", "https://evil.example/\"onmouseover=x",
	"\u202egnp.exe\u2066x", "\u200b\ufeff\u2028\u2029\u0085", "bad \xff\xfe \xc3", "\xed\xa0\x80", "\ufffe\uffff\U000e0041",
	"../../etc/passwd", "$(touch x)`y`;z", "{{id}} ${{ github.token }}", strings.Repeat("long ", 400), strings.Repeat("w", 3000), "日本語🔑e\u0301",
}

// fill sets every string of v to s; pointers and lists get one element.
func fill(v reflect.Value, s string, depth int) {
	if depth > 8 {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(3)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), s, depth+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), s, depth+1)
		}
	case reflect.Struct:
		switch v.Type() {
		case reflect.TypeFor[scanner.Secret]():
			v.Set(reflect.ValueOf(secret(s)))
			return
		case reflect.TypeFor[time.Time]():
			v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), s, depth+1)
		}
	}
}

// hostileResults fills a result with s, in every field and with every value of
// the fields that have few.
func hostileResults(s string) []*scanner.Result {
	var out []*scanner.Result
	for _, where := range []scanner.Where{scanner.InContent, scanner.InMessage, scanner.InAuthor, scanner.InPath, scanner.InTag, scanner.InNote, scanner.InRef, ""} {
		r := &scanner.Result{}
		fill(reflect.ValueOf(r).Elem(), s, 0)
		for _, list := range [][]scanner.Key{r.Keys, r.Suppressed} {
			for i := range list {
				k := &list[i]
				k.ID, k.Fingerprint = "ST-7Q4K", "3f9c1e5a7b02d4468c90aa31f7e2b6d5"
				k.Secret, k.Partner.Secret = secret(stripeValue), secret(awsID)
				k.Class = []rules.Class{rules.ClassKey, rules.ClassSuspect}[i]
				k.Exposure = scanner.ExposurePublic
				k.Rule.Severity, k.Rule.Class = rules.High, k.Class
				for j := range k.Places {
					p := &k.Places[j]
					p.Where, p.Present = where, j == 0
					p.Location = span(3, 5, stripeValue, 10)
					p.Blob, p.Commit.Hash = "4c1e9aa0", "4c1e9aa0"
				}
			}
		}
		out = append(out, r)
	}
	return out
}

func hostileOptions(s string) []Options {
	o := Options{Version: "1.0.0", Catalogue: "c", Root: s, Scope: s, RepoURL: s, Commit: s, Elapsed: time.Second, ListSuppressed: true}
	hook, plain, ascii := o, o, o
	hook.Hook = "pre-commit"
	hook.RepoURL = "https://github.com/acme/web"
	plain.Plain = true
	ascii.ASCII, ascii.Verbose = true, true
	push := hook
	push.Hook = "pre-push"
	msg := hook
	msg.Hook = "commit-msg"
	return []Options{o, hook, push, msg, plain, ascii}
}

// FuzzReports is also the table test over hostile: its seeds run with go test.
func FuzzReports(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkHostile(t, s) })
}

func checkHostile(t *testing.T, s string) {
	t.Helper()
	for i, r := range hostileResults(s) {
		for n, o := range hostileOptions(s) {
			if n > 0 && i > 1 {
				break // what the options change does not depend on the rest of Where
			}
			for _, format := range Formats() {
				if n > 0 && format != "text" {
					continue // the other formats know none of these options
				}
				if fault := faultOf(format, render(t, format, r, o), &o); fault != "" {
					t.Fatalf("%s with %q: %s", format, s, fault)
				}
			}
		}
	}
}

// faultOf checks what a format promises about its own medium.
func faultOf(format string, out []byte, o *Options) string {
	text := string(out)
	if !utf8.Valid(out) {
		return "not UTF-8"
	}
	for i, r := range text {
		if !unicode.IsGraphic(r) && r != '\n' && !(format == "csv" && r == '\r') {
			return "raw control or format character " + string(out[max(0, i-20):i]) + " <" + strings.ToUpper(string(hexDigits[r>>4&15])+string(hexDigits[r&15])) + ">"
		}
		if o.ASCII && r > 0x7e {
			return "not ASCII: " + string(r)
		}
	}
	if strings.Contains(text, "##[") || strings.Contains(strings.ToLower(text), "##vso[") || strings.Contains(strings.ToLower(text), "##teamcity[") {
		return "log command"
	}
	command := regexp.MustCompile(`^(::(error|warning)( (file|line|endLine|col|endColumn|title)=[^,:]*(,(file|line|endLine|col|endColumn|title)=[^,:]*)*)?::|::notice::|till: )`)
	for _, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if format == "github" {
			if !command.MatchString(l) {
				return "forged line: " + l
			}
		} else if strings.HasPrefix(strings.TrimLeftFunc(l, unicode.IsSpace), "::") {
			return "line begins with a command: " + l
		}
	}
	switch format {
	case "json", "sarif", "gitlab":
		if !json.Valid(out) {
			return "not JSON"
		}
	case "jsonl":
		for _, l := range bytes.Split(bytes.TrimSpace(out), []byte("\n")) {
			if !json.Valid(l) {
				return "not JSON: " + string(l)
			}
		}
	case "csv":
		rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
		if err != nil {
			return err.Error()
		}
		for _, row := range rows {
			if len(row) != len(csvHeader) {
				return "row with other columns"
			}
			for _, c := range row {
				if strings.HasPrefix(c, "=") || strings.HasPrefix(c, "+") || strings.HasPrefix(c, "-") || strings.HasPrefix(c, "@") {
					return "formula: " + c
				}
			}
		}
	case "junit":
		d := xml.NewDecoder(bytes.NewReader(out))
		for {
			tok, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err.Error()
			}
			if e, ok := tok.(xml.StartElement); ok && !strings.Contains(" testsuites testsuite testcase failure error skipped system-out ", " "+e.Name.Local+" ") {
				return "element " + e.Name.Local
			}
		}
	case "html", "markdown", "github-summary":
		allowed := regexp.MustCompile(`^</?(html|head|meta|title|style|body|h1|h2|p|strong|section|code|pre|mark|dl|dt|dd|ol|ul|li|a|table|tr|th|td|br|details|summary)[ >]|^<!DOCTYPE html>|^<https://`)
		if format != "html" {
			allowed = regexp.MustCompile(`^</?(code|br|details|summary)>|^<https?://[^ <>"'|` + "`" + `]*>`)
			// Lines of code are inert in an indented block.
			text = regexp.MustCompile(`(?m)^    .*$`).ReplaceAllString(text, "")
		}
		for i := range text {
			if text[i] == '<' && !allowed.MatchString(text[i:]) {
				return "markup: " + text[i:min(len(text), i+60)]
			}
		}
		if format == "html" {
			for _, m := range regexp.MustCompile(`<a href="([^"]*)"`).FindAllStringSubmatch(text, -1) {
				if !strings.HasPrefix(m[1], "https://") && !strings.HasPrefix(m[1], "http://") {
					return "link: " + m[1]
				}
			}
			if m := regexp.MustCompile(`<[a-z][^>]*\son[a-z]+\s*=`).FindString(text); m != "" {
				return "handler: " + m
			}
		}
	}
	return ""
}

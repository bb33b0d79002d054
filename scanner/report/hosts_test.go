package report

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// many is a result of n keys and n suspects, the worst in the middle.
func many(n int) *scanner.Result {
	var keys []scanner.Key
	for i := range n {
		k, s := stripeKey(), suspectKey()
		low := *stripeRule
		low.ID, low.Severity = "stripe-low", rules.Low
		if i != n/2 {
			k.Rule = &low
		}
		k.ID, s.ID = fmt.Sprintf("ST-%d", i), fmt.Sprintf("GE-%d", i)
		k.Fingerprint, s.Fingerprint = fmt.Sprintf("%032x", i), fmt.Sprintf("%032x", n+i)
		keys = append(keys, s, k)
	}
	return result(keys...)
}

func TestGitHubLimits(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(string(render(t, "github", many(15), options()))), "\n")
	count := func(prefix string) (n int) {
		for _, l := range lines {
			if strings.HasPrefix(l, prefix) {
				n++
			}
		}
		return
	}
	if count("::error ") != 10 || count("::warning ") != 10 || count("::notice::10 more in the job summary") != 1 || len(lines) != 22 {
		t.Errorf("%d errors, %d warnings, %d lines", count("::error "), count("::warning "), len(lines))
	}
	if !strings.Contains(lines[0], "(ST-7)") {
		t.Errorf("the worst is not first: %s", lines[0])
	}
	r := many(15)
	r.Summary.Errors = []string{"read object 4c1e9aa: gone"}
	lines = strings.Split(string(render(t, "github", r, options())), "\n")
	if !strings.HasPrefix(lines[0], "::error title=till could not check everything::read object 4c1e9aa: gone") || count("::error ") != 10 {
		t.Errorf("an incomplete scan must be said first: %s", lines[0])
	}
	// Everything is in the job summary, up to what GitHub still shows.
	if out := render(t, "github-summary", many(15), options()); strings.Count(string(out), "\n| ❌ |") != 15 || strings.Count(string(out), "\n| ⚠ |") != 15 {
		t.Errorf("the summary has not all rows:\n%s", out)
	}
	if out := render(t, "github-summary", many(5000), options()); len(out) > 1<<20 || !strings.Contains(string(out), "9,800 more") {
		t.Errorf("a summary of %d bytes; GitHub shows none above 1 MiB", len(out))
	}
}

func TestGitHubPlaces(t *testing.T) {
	k := stripeKey()
	k.Places[0].Path = "src/a,b:c%0A.py"
	out := string(render(t, "github", result(k), options()))
	if !strings.HasPrefix(out, "::error file=src/a%2Cb%3Ac%250A.py,line=3,endLine=3,col=19,endColumn=126,title=") {
		t.Error(out)
	}
	k.Places[0].Location.EndLine = 5 // the runner refuses columns here
	if out := string(render(t, "github", result(k), options())); !strings.Contains(out, "line=3,endLine=5,title=") {
		t.Error(out)
	}
	k.Places[0].Present = false // nothing in the pull request to point at
	if out := string(render(t, "github", result(k), options())); !strings.HasPrefix(out, "::error title=") {
		t.Error(out)
	}
	// A suspect that blocks is an error.
	if out := string(render(t, "github", result(suspectKey()), with(func(o *Options) { o.FailOn = "suspect" }))); !strings.HasPrefix(out, "::error ") {
		t.Error(out)
	}
}

// What the schema of GitLab's report demands (15.0), said by hand: its licence
// and size keep it out of this repository.
func TestGitLabDemands(t *testing.T) {
	stamp := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`)
	results := []*scanner.Result{many(3)}
	for _, r := range fixtures() {
		results = append(results, r)
	}
	for _, s := range hostile {
		results = append(results, hostileResults(s)[:2]...)
	}
	for _, r := range results {
		for _, o := range []Options{options(), {}} {
			var rep gitlabReport
			if err := json.Unmarshal(render(t, "gitlab", r, o), &rep); err != nil {
				t.Fatal(err)
			}
			s := rep.Scan
			if !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(rep.Version) || s.Type != "secret_detection" || !stamp.MatchString(s.Start) || !stamp.MatchString(s.End) || s.End < s.Start {
				t.Errorf("scan %+v", s)
			}
			if want := map[bool]string{true: "success", false: "failure"}[r.Summary.Complete()]; s.Status != want {
				t.Errorf("status %s, want %s", s.Status, want)
			}
			for _, tool := range []gitlabTool{s.Analyzer, s.Scanner} {
				if tool.ID == "" || tool.Name == "" || tool.Version == "" || tool.Vendor.Name == "" {
					t.Errorf("tool %+v", tool)
				}
			}
			for _, m := range s.Messages {
				if m.Value == "" || m.Level != "info" && m.Level != "fatal" {
					t.Errorf("message %+v", m)
				}
			}
			if len(rep.Vulnerabilities) != len(r.Keys) {
				t.Errorf("%d vulnerabilities for %d keys", len(rep.Vulnerabilities), len(r.Keys))
			}
			for _, v := range rep.Vulnerabilities {
				if v.ID == "" || len([]rune(v.Name)) > 255 || len([]rune(v.Solution)) > 7000 || len(v.Identifiers) == 0 || v.Location.Commit.SHA == "" {
					t.Errorf("vulnerability %+v", v)
				}
				for _, i := range v.Identifiers {
					if i.Type == "" || i.Name == "" || i.Value == "" {
						t.Errorf("identifier %+v", i)
					}
				}
				for _, l := range v.Links {
					if !regexp.MustCompile(`^https?://.+`).MatchString(l.URL) {
						t.Errorf("link %+v", l)
					}
				}
			}
		}
	}
	end := options().Finished
	var rep gitlabReport
	if err := json.Unmarshal(render(t, "gitlab", clean(), options()), &rep); err != nil || rep.Scan.End != "2026-11-24T12:00:00" || rep.Scan.Start != end.Add(-1400*time.Millisecond).Format(gitlabTime) {
		t.Errorf("%v %+v", err, rep.Scan)
	}
}

// The contract of the JSON report, by its names.
func TestJSONContract(t *testing.T) {
	var rep map[string]any
	if err := json.Unmarshal(render(t, "json", history(), options()), &rep); err != nil {
		t.Fatal(err)
	}
	has := func(what string, o any, names ...string) {
		t.Helper()
		m, ok := o.(map[string]any)
		if !ok {
			t.Fatalf("%s is no object: %v", what, o)
		}
		for _, n := range names {
			if v, there := m[n]; !there || v == nil {
				t.Errorf("%s lacks %s", what, n)
			}
		}
	}
	has("report", rep, "schema", "version", "catalogue", "complete", "summary", "keys", "suppressed")
	if rep["schema"] != "till.report/1" || rep["complete"] != true {
		t.Errorf("%v %v", rep["schema"], rep["complete"])
	}
	has("summary", rep["summary"], "commits", "blobs", "files", "bytes", "refs", "suppressed", "skipped", "errors", "notes", "merges", "unreachable")
	for _, k := range rep["keys"].([]any) {
		has("key", k, "id", "fingerprint", "rule", "provider", "class", "severity", "description", "masked", "exposure", "facts", "places", "workflow")
		key := k.(map[string]any)
		if _, there := key["secret"]; there {
			t.Error("a secret without --show-secrets")
		}
		has("facts", key["facts"], "checksum")
		for _, p := range key["places"].([]any) {
			has("place", p, "path", "where", "blob", "commit", "present", "start_line", "start_column", "end_line", "end_column", "byte_offset", "byte_length", "decoded")
			has("commit", p.(map[string]any)["commit"], "hash", "author", "email", "time", "subject")
		}
		has("workflow", key["workflow"], "order", "revoke", "reissue", "usage", "blast")
	}
	has("suppression", rep["suppressed"].([]any)[0], "id", "rule", "kind", "reason", "by", "until", "source")

	// jsonl: the same keys, then the rest.
	lines := strings.Split(strings.TrimSpace(string(render(t, "jsonl", history(), options()))), "\n")
	if len(lines) != len(history().Keys)+1 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, k := range rep["keys"].([]any) {
		want, _ := json.Marshal(k)
		var v any
		if err := json.Unmarshal([]byte(lines[i]), &v); err != nil {
			t.Fatal(err)
		}
		if got, _ := json.Marshal(v); string(got) != string(want) {
			t.Errorf("line %d is not the key of the JSON report", i+1)
		}
	}
	var last map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Fatal(err)
	}
	has("last line", last, "schema", "version", "catalogue", "complete", "summary", "suppressed")

	// An empty result has empty lists and no null.
	if out := string(render(t, "json", &scanner.Result{Keys: []scanner.Key{{}}}, Options{})); strings.Contains(out, "null") {
		t.Error(out)
	}
}

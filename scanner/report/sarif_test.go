package report

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/till-sh/till/scanner"
)

// shape is what SARIF 2.1.0 says of an object, as far as this report uses it:
// the type of each property, with "!" where it is required and "*" for a list.
// A property that is not listed is not allowed.
var shape = map[string]map[string]string{
	"log": {"$schema": "uri", "version": "!2.1.0", "runs": "!*run"},
	"run": {"tool": "!tool", "invocations": "*invocation", "originalUriBaseIds": "bases", "versionControlProvenance": "*provenance",
		"columnKind": "columnKind", "results": "*result"},
	"tool":   {"driver": "!driver"},
	"driver": {"name": "!string", "version": "string", "semanticVersion": "semver", "informationUri": "uri", "rules": "*rule", "properties": "bag"},
	"rule": {"id": "!string", "name": "string", "shortDescription": "text", "fullDescription": "text", "helpUri": "uri", "help": "text",
		"defaultConfiguration": "configuration", "properties": "bag"},
	"configuration": {"level": "level"},
	"text":          {"text": "!string", "markdown": "string"},
	"invocation":    {"executionSuccessful": "!bool", "endTimeUtc": "time", "toolExecutionNotifications": "*notification"},
	"notification":  {"level": "level", "message": "!text"},
	"provenance":    {"repositoryUri": "!uri", "revisionId": "string"},
	"result": {"ruleId": "string", "ruleIndex": "index", "level": "level", "message": "!text", "locations": "*location", "relatedLocations": "*location",
		"partialFingerprints": "strings", "suppressions": "*suppression", "properties": "bag"},
	"location":    {"id": "index", "physicalLocation": "physical", "logicalLocations": "*logical", "message": "text"},
	"physical":    {"artifactLocation": "!artifact", "region": "region"},
	"artifact":    {"uri": "reference", "uriBaseId": "string", "description": "text", "properties": "bag"},
	"region":      {"startLine": "!one", "startColumn": "one", "endLine": "one", "endColumn": "one", "snippet": "text"},
	"logical":     {"name": "string", "fullyQualifiedName": "string", "kind": "string"},
	"suppression": {"kind": "!suppressionKind", "status": "status", "justification": "string", "properties": "bag"},
}

var words = map[string]*regexp.Regexp{
	"2.1.0": regexp.MustCompile(`^2\.1\.0$`), "level": regexp.MustCompile(`^(none|note|warning|error)$`), "columnKind": regexp.MustCompile(`^unicodeCodePoints$`),
	"uri": regexp.MustCompile(`^https?://[!-~]+$`), "reference": regexp.MustCompile(`^(file:///([A-Z]:)?)?([A-Za-z0-9._~/-]|%[0-9A-F]{2})*$`),
	"time": regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`), "suppressionKind": regexp.MustCompile(`^(inSource|external)$`),
	"status": regexp.MustCompile(`^(accepted|underReview|rejected)$`), "semver": regexp.MustCompile(`^\d+\.\d+\.\d+`), "string": regexp.MustCompile(`(?s).*`),
}

func checkShape(kind string, v any, at string) error {
	if list, ok := strings.CutPrefix(kind, "*"); ok {
		l, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%s: want a list", at)
		}
		for i, e := range l {
			if err := checkShape(list, e, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
		return nil
	}
	if re := words[kind]; re != nil {
		if s, ok := v.(string); !ok || !re.MatchString(s) {
			return fmt.Errorf("%s: %v is no %s", at, v, kind)
		}
		return nil
	}
	switch kind {
	case "bool":
		if _, ok := v.(bool); !ok {
			return fmt.Errorf("%s: want true or false", at)
		}
		return nil
	case "index", "one":
		n, ok := v.(float64)
		if !ok || n != float64(int(n)) || n < 0 || kind == "one" && n < 1 {
			return fmt.Errorf("%s: %v is no %s", at, v, kind)
		}
		return nil
	}
	o, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: want an object", at)
	}
	switch kind {
	case "bag":
		return nil
	case "strings", "bases":
		for name, e := range o {
			if err := checkShape(map[string]string{"strings": "string", "bases": "artifact"}[kind], e, at+"."+name); err != nil {
				return err
			}
		}
		return nil
	}
	for name, want := range shape[kind] {
		want, required := strings.CutPrefix(want, "!")
		e, there := o[name]
		if !there {
			if required {
				return fmt.Errorf("%s: %s is missing", at, name)
			}
			continue
		}
		if err := checkShape(want, e, at+"."+name); err != nil {
			return err
		}
	}
	for name := range o {
		if shape[kind][name] == "" {
			return fmt.Errorf("%s: %s is not a property of a %s", at, name, kind)
		}
	}
	return nil
}

func TestSARIFShape(t *testing.T) {
	results := []*scanner.Result{}
	for _, r := range fixtures() {
		results = append(results, r)
	}
	for _, s := range hostile {
		results = append(results, hostileResults(s)[:3]...)
	}
	odd := stripeKey()
	odd.Places = []scanner.Place{{Path: "C:/x y/ü.py", Present: true, Location: span(1, 1, "x", 0)}, {Path: "/abs/ä.py", Present: true}, {Path: "bad\xff.py", Present: true}}
	results = append(results, result(odd))
	for _, r := range results {
		o := options()
		o.ListSuppressed = true
		out := render(t, "sarif", r, o)
		var v any
		if err := json.Unmarshal(out, &v); err != nil {
			t.Fatal(err)
		}
		if err := checkShape("log", v, ""); err != nil {
			t.Fatal(err)
		}
		checkSARIFMeaning(t, out, r)
	}
}

// checkSARIFMeaning proves what a schema cannot say.
func checkSARIFMeaning(t *testing.T, out []byte, r *scanner.Result) {
	t.Helper()
	var log sarifLog
	if err := json.Unmarshal(out, &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if run.Invocations[0].ExecutionSuccessful != r.Summary.Complete() {
		t.Error("executionSuccessful is not what the summary says")
	}
	used := map[int]bool{}
	for i, res := range run.Results {
		if res.RuleIndex >= len(run.Tool.Driver.Rules) || run.Tool.Driver.Rules[res.RuleIndex].ID != res.RuleID {
			t.Errorf("result %d: ruleIndex %d is not %s", i, res.RuleIndex, res.RuleID)
		}
		used[res.RuleIndex] = true
		if res.Fingerprints["tillKey/v1"] == "" {
			t.Errorf("result %d has no fingerprint", i)
		}
		if len(res.Locations) != 1 || res.Locations[0].Physical == nil || res.Locations[0].Physical.Artifact.URI == "" || res.Locations[0].Physical.Region == nil {
			t.Errorf("result %d: GitHub needs one location with a file and a line", i)
		}
		if (len(res.Suppressions) > 0) != (i >= len(r.Keys) && r.Suppressed[i-len(r.Keys)].Suppressed != nil || i < len(r.Keys) && r.Keys[i].Suppressed != nil) {
			t.Errorf("result %d: suppressions %v", i, res.Suppressions)
		}
	}
	for i, rule := range run.Tool.Driver.Rules {
		if !used[i] {
			t.Errorf("rule %s has no result", rule.ID)
		}
		if i > 0 && run.Tool.Driver.Rules[i-1].ID >= rule.ID {
			t.Errorf("rules are not sorted: %s", rule.ID)
		}
		if n := rule.Properties["security-severity"]; n != "9.5" && n != "8.0" && n != "5.5" && n != "3.0" {
			t.Errorf("security-severity %v", n)
		}
		if !strings.Contains(rule.Help.Text, "replace the key") || rule.Help.Markdown == "" {
			t.Errorf("rule %s has no help", rule.ID)
		}
	}
}

func TestSARIFHistory(t *testing.T) {
	r := history()
	var log sarifLog
	if err := json.Unmarshal(render(t, "sarif", r, options()), &log); err != nil {
		t.Fatal(err)
	}
	results := log.Runs[0].Results
	if len(results) != len(r.Keys) {
		t.Fatalf("%d results, want one for each of %d keys", len(results), len(r.Keys))
	}
	stripe, aws, message := results[0], results[1], results[3]
	if reg := stripe.Locations[0].Physical.Region; stripe.Locations[0].Physical.Artifact.URI != "src/billing.py" || *reg.Snippet != (sarifMessage{Text: `stripe.api_key = "` + scanner.Mask(stripeValue) + `"`}) ||
		reg.StartLine != 3 || reg.StartColumn != 19 || reg.EndLine != 3 || reg.EndColumn != 126 {
		t.Errorf("the place that is there must be the location: %+v", stripe.Locations[0].Physical)
	}
	if stripe.Properties["state"] != nil || len(stripe.Related) != 1 || stripe.Related[0].Physical.Artifact.URI != "config/old.py" {
		t.Errorf("other places must be related locations: %+v", stripe.Related)
	}
	if aws.Properties["state"] != "in history" || aws.Locations[0].Physical.Artifact.URI != "deploy.env" || aws.Locations[0].Physical.Region.StartLine != 1 ||
		!strings.HasSuffix(aws.Locations[0].Logical[0].QualifiedName, ":deploy.env:3:23") {
		t.Errorf("a key in history: %+v", aws)
	}
	if message.Locations[0].Physical.Artifact.URI != ".git/till" || message.Properties["state"] != "in history" || !strings.HasPrefix(message.Locations[0].Logical[0].QualifiedName, "message of commit ") {
		t.Errorf("a key in a message: %+v", message)
	}
	if p := log.Runs[0].Provenance; len(p) != 1 || p[0].RevisionID != options().Commit {
		t.Errorf("provenance: %+v", p)
	}
}

func TestSARIFPathBytes(t *testing.T) {
	k := stripeKey()
	k.Places[0].Path = "src/b\xe9ton.py"
	var log sarifLog
	if err := json.Unmarshal(render(t, "sarif", result(k), options()), &log); err != nil {
		t.Fatal(err)
	}
	a := log.Runs[0].Results[0].Locations[0].Physical.Artifact
	if a.URI != "src/b%E9ton.py" || a.Properties["pathBytes"] != "c3JjL2LpdG9uLnB5" {
		t.Errorf("%+v", a)
	}
	var rep jsonReport
	if err := json.Unmarshal(render(t, "json", result(k), options()), &rep); err != nil {
		t.Fatal(err)
	}
	if p := rep.Keys[0].Places[0]; p.Path != `src/b\xe9ton.py` || p.PathBytes != "c3JjL2LpdG9uLnB5" {
		t.Errorf("%+v", p)
	}
}

// With TILL_SARIF_SCHEMA naming the OASIS schema and Python's jsonschema at
// hand, the same files are held against the real thing; the schema's licence
// keeps it out of this repository.
func TestSARIFSchema(t *testing.T) {
	schema := os.Getenv("TILL_SARIF_SCHEMA")
	if schema == "" {
		t.Skip("TILL_SARIF_SCHEMA does not name sarif-schema-2.1.0.json")
	}
	const check = `import json, sys, jsonschema
s = json.load(open(sys.argv[1]))
v = jsonschema.validators.validator_for(s)(s, format_checker=jsonschema.FormatChecker())
bad = [(list(e.absolute_path), e.message[:300]) for line in sys.stdin for e in v.iter_errors(json.loads(line))]
sys.exit(str(bad) if bad else 0)`
	var in strings.Builder
	results := []*scanner.Result{}
	for _, r := range fixtures() {
		results = append(results, r)
	}
	for _, s := range hostile {
		results = append(results, hostileResults(s)...)
	}
	for _, r := range results {
		o := options()
		o.ListSuppressed = true
		var v any
		if err := json.Unmarshal(render(t, "sarif", r, o), &v); err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		in.Write(append(b, '\n'))
	}
	cmd := exec.Command("python3", "-c", check, schema)
	cmd.Stdin = strings.NewReader(in.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestSemver(t *testing.T) {
	for in, want := range map[string]string{"1.0.0": "1.0.0", "v1.2.3": "1.2.3", "1.2.3-rc.1+b5": "1.2.3-rc.1+b5", "v0.0.0-20261124-1f3a9c": "0.0.0-20261124-1f3a9c",
		"": "", "devel": "", "1.2": "", "1.2.3.4": "", "1.2.x": "", "1.2.3-\x1b": "", "1..3": ""} {
		if got := semver(in); got != want {
			t.Errorf("semver(%q) = %q, want %q", in, got, want)
		}
	}
}

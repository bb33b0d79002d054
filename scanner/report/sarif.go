package report

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// SARIF 2.1.0 (OASIS standard, https://docs.oasis-open.org/sarif/sarif/v2.1.0/),
// with the properties that GitHub code scanning reads. One result a key.

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool                `json:"tool"`
	Invocations []sarifInvocation        `json:"invocations"`
	BaseIDs     map[string]sarifArtifact `json:"originalUriBaseIds,omitempty"`
	Provenance  []sarifProvenance        `json:"versionControlProvenance,omitempty"`
	ColumnKind  string                   `json:"columnKind"`
	Results     []sarifResult            `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name            string      `json:"name"`
	Version         string      `json:"version,omitempty"`
	SemanticVersion string      `json:"semanticVersion,omitempty"`
	InformationURI  string      `json:"informationUri"`
	Rules           []sarifRule `json:"rules"`
	Properties      sarifBag    `json:"properties,omitempty"`
}

type sarifRule struct {
	ID            string             `json:"id"`
	Name          string             `json:"name"`
	Short         sarifMessage       `json:"shortDescription"`
	Full          sarifMessage       `json:"fullDescription"`
	HelpURI       string             `json:"helpUri"`
	Help          sarifMessage       `json:"help"`
	Configuration sarifConfiguration `json:"defaultConfiguration"`
	Properties    sarifBag           `json:"properties"`
}

type sarifConfiguration struct {
	Level string `json:"level"`
}

type sarifMessage struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

// A sarifBag is a property bag; encoding/json writes its keys sorted.
type sarifBag map[string]any

type sarifInvocation struct {
	ExecutionSuccessful bool                `json:"executionSuccessful"`
	EndTime             string              `json:"endTimeUtc,omitempty"`
	Notifications       []sarifNotification `json:"toolExecutionNotifications"`
}

type sarifNotification struct {
	Level   string       `json:"level"`
	Message sarifMessage `json:"message"`
}

type sarifProvenance struct {
	RepositoryURI string `json:"repositoryUri"`
	RevisionID    string `json:"revisionId,omitempty"`
}

type sarifResult struct {
	RuleID       string             `json:"ruleId"`
	RuleIndex    int                `json:"ruleIndex"`
	Level        string             `json:"level"`
	Message      sarifMessage       `json:"message"`
	Locations    []sarifLocation    `json:"locations"`
	Related      []sarifLocation    `json:"relatedLocations,omitempty"`
	Fingerprints map[string]string  `json:"partialFingerprints"`
	Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	Properties   sarifBag           `json:"properties"`
}

type sarifLocation struct {
	ID       int            `json:"id,omitempty"`
	Physical *sarifPhysical `json:"physicalLocation,omitempty"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	Message  *sarifMessage  `json:"message,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI         string        `json:"uri,omitempty"`
	BaseID      string        `json:"uriBaseId,omitempty"`
	Description *sarifMessage `json:"description,omitempty"`
	Properties  sarifBag      `json:"properties,omitempty"`
}

type sarifRegion struct {
	StartLine   int           `json:"startLine"`
	StartColumn int           `json:"startColumn,omitempty"`
	EndLine     int           `json:"endLine,omitempty"`
	EndColumn   int           `json:"endColumn,omitempty"`
	Snippet     *sarifMessage `json:"snippet,omitempty"`
}

type sarifLogical struct {
	Name          string `json:"name,omitempty"`
	QualifiedName string `json:"fullyQualifiedName"`
	Kind          string `json:"kind"`
}

type sarifSuppression struct {
	Kind          string   `json:"kind"`
	Status        string   `json:"status"`
	Justification string   `json:"justification,omitempty"`
	Properties    sarifBag `json:"properties,omitempty"`
}

// semver returns the version in the form that semanticVersion must have, "" for
// one that has another ("devel"). A leading "v" is dropped.
func semver(version string) string {
	version = strings.TrimPrefix(version, "v")
	core, _, _ := strings.Cut(version, "+")
	core, _, _ = strings.Cut(core, "-")
	numbers := strings.Split(core, ".")
	for _, n := range numbers {
		if n == "" || strings.Trim(n, "0123456789") != "" {
			return ""
		}
	}
	for i := 0; i < len(version); i++ {
		c := version[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '.' && c != '-' && c != '+' {
			return ""
		}
	}
	if len(numbers) != 3 {
		return ""
	}
	return version
}

func writeSARIF(w io.Writer, r *scanner.Result, o Options) error {
	lists := [][]scanner.Key{r.Keys}
	if o.ListSuppressed {
		lists = append(lists, r.Suppressed)
	}
	used, index := sarifRules(lists)
	run := sarifRun{
		Tool: sarifTool{sarifDriver{Name: "till", Version: validText(o.Version), InformationURI: home, Rules: used}},
		BaseIDs: map[string]sarifArtifact{"%SRCROOT%": {
			Description: &sarifMessage{Text: "the root of what was scanned"}}},
		ColumnKind: "unicodeCodePoints",
		Results:    []sarifResult{},
	}
	run.Tool.Driver.SemanticVersion = semver(o.Version)
	if o.Catalogue != "" {
		run.Tool.Driver.Properties = sarifBag{"catalogue": validText(o.Catalogue)}
	}
	run.Invocations = []sarifInvocation{sarifRan(&r.Summary, &o)}
	if u := webURL(o.RepoURL); u != "" && isHex(o.Commit) {
		run.Provenance = []sarifProvenance{{RepositoryURI: u, RevisionID: o.Commit}}
	}
	for _, list := range lists {
		for i := range list {
			run.Results = append(run.Results, sarifKey(&list[i], index))
		}
	}
	return encodeJSON(w, sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0", Runs: []sarifRun{run},
	}, "  ")
}

// sarifRan says whether everything was read, what was not, and what was left
// out on purpose.
func sarifRan(s *scanner.Summary, o *Options) sarifInvocation {
	v := sarifInvocation{ExecutionSuccessful: s.Complete(), Notifications: []sarifNotification{}}
	if !o.Finished.IsZero() {
		v.EndTime = o.Finished.UTC().Format("2006-01-02T15:04:05Z")
	}
	add := func(level, text string) {
		v.Notifications = append(v.Notifications, sarifNotification{level, sarifMessage{Text: sarifText(text)}})
	}
	for _, e := range s.Errors {
		add("error", e)
	}
	for _, k := range s.Skipped {
		add("note", "skipped "+k.Path+": "+k.Reason)
	}
	for _, n := range s.Notes {
		add("note", n)
	}
	return v
}

// sarifRules are the rules that the keys need, sorted, and their indexes.
func sarifRules(lists [][]scanner.Key) ([]sarifRule, map[string]int) {
	byID := map[string]*rules.Rule{}
	for _, list := range lists {
		for i := range list {
			rule := ruleOf(&list[i])
			byID[rule.ID] = rule
		}
	}
	ids := make([]string, 0, len(byID))
	for id := range byID {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	out, index := make([]sarifRule, 0, len(ids)), map[string]int{}
	for i, id := range ids {
		index[id] = i
		out = append(out, newSARIFRule(byID[id]))
	}
	return out, index
}

func newSARIFRule(r *rules.Rule) sarifRule {
	full := r.Description
	if r.Workflow.Blast != "" {
		full += ". Whoever holds it: " + strings.TrimRight(r.Workflow.Blast, ".")
	}
	level, precision := "error", "high"
	switch {
	case r.Class == rules.ClassSuspect:
		level, precision = "warning", "medium"
	case r.Checksum != "":
		precision = "very-high"
	}
	help := home
	for _, d := range r.Docs {
		if u := webURL(d); u != "" {
			help = u
			break
		}
	}
	text, markdown := workflowHelp(r)
	return sarifRule{
		ID: validText(r.ID), Name: camel(r.ID),
		Short: sarifMessage{Text: sarifText(r.Description)}, Full: sarifMessage{Text: sarifText(full) + "."},
		HelpURI: help, Help: sarifMessage{Text: text, Markdown: markdown},
		Configuration: sarifConfiguration{level},
		Properties: sarifBag{"security-severity": securitySeverity(r.Severity), "precision": precision,
			"tags": []string{"security", "secret"}},
	}
}

// securitySeverity is the score that GitHub turns into its four words: over 9.0
// critical, from 7.0 high, from 4.0 medium, below low.
func securitySeverity(s rules.Severity) string {
	switch s {
	case rules.Critical:
		return "9.5"
	case rules.Medium:
		return "5.5"
	case rules.Low:
		return "3.0"
	}
	return "8.0"
}

// camel is the rule's ID as the one word that SARIF viewers like for a name.
func camel(id string) string {
	var b strings.Builder
	up := true
	for _, r := range id {
		switch {
		case r >= 'a' && r <= 'z' && up:
			b.WriteRune(r - 'a' + 'A')
			up = false
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r >= 'A' && r <= 'Z':
			b.WriteRune(r)
			up = false
		default:
			up = true
		}
	}
	if b.Len() == 0 {
		return "Rule"
	}
	return b.String()
}

// workflowHelp is the way out as text and as Markdown.
func workflowHelp(r *rules.Rule) (text, markdown string) {
	var t, m strings.Builder
	w := &r.Workflow
	k := scanner.Key{Rule: r}
	for _, s := range stages(&k) {
		title := "Revoke"
		if s.name != "revoke" {
			title = "Make a new key"
		}
		fmt.Fprintf(&t, "%s:\n", title)
		fmt.Fprintf(&m, "**%s**\n\n", title)
		for i := range s.steps {
			fmt.Fprintf(&t, "%d. %s\n", i+1, sarifText(stepLine(&k, &s.steps[i])))
			fmt.Fprintf(&m, "%d. %s\n", i+1, markdownStep(&k, &s.steps[i]))
		}
		t.WriteString("\n")
		m.WriteString("\n")
	}
	if w.Usage != "" {
		fmt.Fprintf(&t, "Look for abuse: %s\n\n", sarifText(w.Usage))
		fmt.Fprintf(&m, "**Look for abuse**: %s\n\n", markdownLinkOr(w.Usage))
	}
	t.WriteString("Deleting the line does not help once it was pushed: replace the key.\n")
	m.WriteString("Deleting the line does not help once it was pushed: replace the key.\n")
	return t.String(), m.String()
}

func sarifKey(k *scanner.Key, index map[string]int) sarifResult {
	rule := ruleOf(k)
	res := sarifResult{
		RuleID: validText(rule.ID), RuleIndex: index[rule.ID], Level: "error",
		Fingerprints: map[string]string{"tillKey/v1": k.Fingerprint},
		Properties: sarifBag{"id": k.ID, "exposure": exposureOf(k), "severity": string(rule.Severity),
			"security-severity": securitySeverity(rule.Severity), "masked": printable(k.Secret.String(), false)},
	}
	if class(k) == rules.ClassSuspect {
		res.Level = "warning"
	}
	text := fmt.Sprintf("%s %s (%s)", rule.Description, k.ID, k.Secret.String())
	if s := story(k); len(s) > 0 {
		text += ": " + strings.Join(s, ", ")
	}
	text += "."
	if onRemote(k.Exposure) {
		text += " It must be replaced: " + rotateCommand(k.ID) + "."
	}
	if f := firstSteps(k); f != "" {
		text += " " + f
	}
	text += " Not a secret: " + allowCommand(k.ID)
	res.Message = sarifMessage{Text: sarifText(text)}

	p := primaryPlace(k)
	if !p.Present {
		// The alert must not close because a line was deleted.
		res.Properties["state"] = "in history"
	}
	res.Locations = []sarifLocation{sarifPlace(p)}
	for i, o := range otherPlaces(k) {
		l := sarifPlace(o)
		l.ID, l.Message = i+1, &sarifMessage{Text: sarifText("also " + position(o))}
		res.Related = append(res.Related, l)
	}
	if s := k.Suppressed; s != nil {
		sup := sarifSuppression{Kind: "external", Status: "accepted", Justification: printable(s.Reason, false), Properties: sarifBag{}}
		if s.Kind == "inline" {
			sup.Kind = "inSource"
		}
		for name, v := range map[string]string{"by": s.By, "until": s.Until, "source": s.Source} {
			if v != "" {
				sup.Properties[name] = printable(v, false)
			}
		}
		res.Suppressions = []sarifSuppression{sup}
	}
	return res
}

// sarifPlace is a place as viewers want it. GitHub takes no result without a
// file, so that what has none (a message, a ref) stands at .git/till with its
// true place as a logical location; and what is only in history stands at the
// first line of its file, since its own line is another one by now.
func sarifPlace(p *scanner.Place) sarifLocation {
	l := p.Location
	if !inFile(p) {
		return sarifLocation{
			Physical: &sarifPhysical{Artifact: sarifArtifact{URI: ".git/till", BaseID: "%SRCROOT%"}, Region: &sarifRegion{StartLine: 1}},
			Logical:  []sarifLogical{{QualifiedName: validText(printable(position(p), false)), Kind: "resource"}},
		}
	}
	loc := sarifLocation{Physical: &sarifPhysical{Artifact: sarifFile(p.Path), Region: &sarifRegion{StartLine: 1}}}
	if !p.Present {
		name := position(p)
		if p.Commit != nil {
			name = p.Commit.Hash + ":" + name
		}
		loc.Logical = []sarifLogical{{Name: printable(path.Base(p.Path), false), QualifiedName: printable(name, false), Kind: "resource"}}
		return loc
	}
	if l.StartLine > 0 {
		loc.Physical.Region = &sarifRegion{StartLine: l.StartLine, StartColumn: max(0, l.StartColumn),
			EndLine: max(l.EndLine, l.StartLine), EndColumn: max(0, l.EndColumn)}
	}
	if s := snippet(p); s != "" {
		loc.Physical.Region.Snippet = &sarifMessage{Text: s}
	}
	return loc
}

// snippet is the masked code of a place.
func snippet(p *scanner.Place) string {
	var lines []string
	for _, e := range p.Excerpt {
		lines = append(lines, printable(strings.ReplaceAll(e.Text, "\t", " "), false))
	}
	return strings.Join(lines, "\n")
}

// sarifFile is the location of a file: percent-encoded, below the root or, for
// an absolute path, as a file URI. The bytes of a name that is not UTF-8 stand
// beside it.
func sarifFile(p string) sarifArtifact {
	a := sarifArtifact{URI: uriPath(p), BaseID: "%SRCROOT%"}
	switch {
	case strings.HasPrefix(p, "/"):
		a.URI, a.BaseID = "file://"+uriPath(p), ""
	case len(p) > 2 && p[1] == ':' && p[2] == '/': // C:/…
		a.URI, a.BaseID = "file:///"+p[:2]+uriPath(p[2:]), ""
	}
	if b := rawBytes(p); b != "" {
		a.Properties = sarifBag{"pathBytes": b}
	}
	return a
}

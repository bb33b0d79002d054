package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"time"
	"unicode/utf8"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// Schema names the form of the JSON report. Fields may be added under the same
// name; one that is there keeps its name, type and meaning.
const Schema = "till.report/1"

// Lists are never null and strings never missing unless tagged so, since a
// reader in a shell or in Python then needs no second question.
type jsonReport struct {
	Schema     string           `json:"schema"`
	Version    string           `json:"version"`
	Catalogue  string           `json:"catalogue"`
	Complete   bool             `json:"complete"`
	Summary    jsonSummary      `json:"summary"`
	Keys       []jsonKey        `json:"keys"`
	Suppressed []jsonSuppressed `json:"suppressed"`
}

type jsonSummary struct {
	Commits     int        `json:"commits"`
	Merges      int        `json:"merges"`
	Blobs       int        `json:"blobs"`
	Files       int        `json:"files"`
	Bytes       int64      `json:"bytes"`
	Refs        int        `json:"refs"`
	Suppressed  int        `json:"suppressed"`
	Unreachable int        `json:"unreachable"`
	Shard       *jsonShard `json:"shard,omitempty"`
	Skipped     []jsonSkip `json:"skipped"`
	Errors      []string   `json:"errors"`
	Notes       []string   `json:"notes"`
}

// jsonShard says which part of a history was read; see scanner.Shard.
type jsonShard struct {
	Index int    `json:"index"`
	Count int    `json:"count"`
	Of    string `json:"of"`
}

type jsonSkip struct {
	Path      string `json:"path"`
	PathBytes string `json:"pathBytes,omitempty"`
	Reason    string `json:"reason"`
}

type jsonKey struct {
	ID          string       `json:"id"`
	Fingerprint string       `json:"fingerprint"`
	Rule        string       `json:"rule"`
	Provider    string       `json:"provider"`
	Class       string       `json:"class"`
	Severity    string       `json:"severity"`
	Description string       `json:"description"`
	Masked      string       `json:"masked"`
	Secret      string       `json:"secret,omitempty"`
	SecretBytes string       `json:"secretBytes,omitempty"`
	Partner     *jsonPartner `json:"partner,omitempty"`
	Exposure    string       `json:"exposure"`
	Validity    string       `json:"validity,omitempty"` // "active", "inactive", "unknown"; absent when nobody asked
	Facts       jsonFacts    `json:"facts"`
	Places      []jsonPlace  `json:"places"`
	Workflow    jsonWorkflow `json:"workflow"`
}

type jsonPartner struct {
	Rule        string `json:"rule"`
	Masked      string `json:"masked"`
	Secret      string `json:"secret,omitempty"`
	SecretBytes string `json:"secretBytes,omitempty"`
}

type jsonFacts struct {
	Account  string `json:"account,omitempty"`
	Checksum string `json:"checksum"`
	Expires  string `json:"expires,omitempty"`
	ID       string `json:"id,omitempty"`
	Note     string `json:"note,omitempty"`
}

type jsonPlace struct {
	Repository  string      `json:"repository,omitempty"` // where several were scanned
	Path        string      `json:"path"`
	PathBytes   string      `json:"pathBytes,omitempty"` // base64, where the path is not UTF-8
	Where       string      `json:"where"`
	Blob        string      `json:"blob"`
	Commit      *jsonCommit `json:"commit,omitempty"`
	Refs        []string    `json:"refs"`
	Present     bool        `json:"present"`
	Removed     *jsonCommit `json:"removed,omitempty"` // the commit that took it away, where HEAD no longer has it
	Moved       bool        `json:"moved"`
	StartLine   int         `json:"start_line"`
	StartColumn int         `json:"start_column"`
	EndLine     int         `json:"end_line"`
	EndColumn   int         `json:"end_column"`
	ByteOffset  int64       `json:"byte_offset"`
	ByteLength  int64       `json:"byte_length"`
	Decoded     []string    `json:"decoded"`
}

type jsonCommit struct {
	Hash    string `json:"hash"`
	Author  string `json:"author"`
	Email   string `json:"email"`
	Time    string `json:"time"`
	Subject string `json:"subject"`
}

type jsonWorkflow struct {
	Order   string     `json:"order"`
	Revoke  []jsonStep `json:"revoke"`
	Reissue []jsonStep `json:"reissue"`
	Usage   string     `json:"usage"`
	Blast   string     `json:"blast"`
}

type jsonStep struct {
	Title   string       `json:"title"`
	Text    string       `json:"text,omitempty"`
	URL     string       `json:"url,omitempty"`
	Command string       `json:"command,omitempty"`
	Request *jsonRequest `json:"request,omitempty"`
}

type jsonRequest struct {
	Method  string       `json:"method,omitempty"`
	URL     string       `json:"url,omitempty"`
	Headers []jsonHeader `json:"headers,omitempty"`
	Body    string       `json:"body,omitempty"`
	Func    string       `json:"func,omitempty"`
}

type jsonHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type jsonSuppressed struct {
	Repository  string `json:"repository,omitempty"`
	ID          string `json:"id"`
	Fingerprint string `json:"fingerprint"`
	Rule        string `json:"rule"`
	Class       string `json:"class"`
	Path        string `json:"path"`
	StartLine   int    `json:"start_line"`
	Kind        string `json:"kind"`
	Reason      string `json:"reason"`
	By          string `json:"by"`
	Until       string `json:"until"`
	Source      string `json:"source"`
}

func writeJSON(w io.Writer, r *scanner.Result, o Options) error {
	return encodeJSON(w, newJSONReport(r, &o), "  ")
}

// writeJSONL writes one key a line, and last the report without its keys.
func writeJSONL(w io.Writer, r *scanner.Result, o Options) error {
	rep := newJSONReport(r, &o)
	for i := range rep.Keys {
		if err := encodeJSON(w, &rep.Keys[i], ""); err != nil {
			return err
		}
	}
	return encodeJSON(w, struct {
		Schema     string           `json:"schema"`
		Version    string           `json:"version"`
		Catalogue  string           `json:"catalogue"`
		Complete   bool             `json:"complete"`
		Summary    jsonSummary      `json:"summary"`
		Suppressed []jsonSuppressed `json:"suppressed"`
	}{rep.Schema, rep.Version, rep.Catalogue, rep.Complete, rep.Summary, rep.Suppressed}, "")
}

// encodeJSON writes v and a line feed; "<" stays as it is (nothing here is
// pasted into HTML), what a terminal could obey does not.
func encodeJSON(w io.Writer, v any, indent string) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(terminalJSON(b.Bytes()))
	return err
}

func newJSONReport(r *scanner.Result, o *Options) *jsonReport {
	s := &r.Summary
	rep := &jsonReport{
		Schema: Schema, Version: o.Version, Catalogue: o.Catalogue, Complete: s.Complete(),
		Summary: jsonSummary{
			Commits: s.Commits, Merges: s.Merges, Blobs: s.Blobs, Files: s.Files, Bytes: s.Bytes, Refs: s.Refs,
			Suppressed: s.Suppressed, Unreachable: s.Unreachable,
			Skipped: []jsonSkip{}, Errors: validList(s.Errors), Notes: validList(s.Notes),
		},
		Keys: []jsonKey{}, Suppressed: []jsonSuppressed{},
	}
	if sh := s.Shard; sh != nil {
		rep.Summary.Shard = &jsonShard{sh.Index, sh.Count, sh.Of}
	}
	for _, k := range s.Skipped {
		rep.Summary.Skipped = append(rep.Summary.Skipped, jsonSkip{validText(k.Path), rawBytes(k.Path), validText(k.Reason)})
	}
	for i := range r.Keys {
		rep.Keys = append(rep.Keys, newJSONKey(&r.Keys[i], o))
	}
	for i := range r.Suppressed {
		k := &r.Suppressed[i]
		p := primaryPlace(k)
		j := jsonSuppressed{Repository: validText(p.Repository), ID: k.ID, Fingerprint: k.Fingerprint, Rule: ruleOf(k).ID, Class: string(class(k)),
			Path: validText(p.Path), StartLine: p.Location.StartLine}
		if s := k.Suppressed; s != nil {
			j.Kind, j.Reason, j.By, j.Until, j.Source = s.Kind, validText(s.Reason), validText(s.By), validText(s.Until), validText(s.Source)
		}
		rep.Suppressed = append(rep.Suppressed, j)
	}
	return rep
}

func newJSONKey(k *scanner.Key, o *Options) jsonKey {
	rule := ruleOf(k)
	j := jsonKey{
		ID: k.ID, Fingerprint: k.Fingerprint, Rule: validText(rule.ID), Provider: validText(rule.Provider),
		Class: string(class(k)), Severity: string(rule.Severity), Description: validText(rule.Description),
		Masked: validText(k.Secret.String()), Exposure: exposureOf(k), Validity: validText(k.Validity),
		Facts: jsonFacts{Account: validText(k.Facts.Account), Checksum: k.Facts.Checksum, Expires: validText(k.Facts.Expires),
			ID: validText(k.Facts.ID), Note: validText(k.Facts.Note)},
		Places: []jsonPlace{},
		Workflow: jsonWorkflow{Order: string(k.Exposure.Order(rule.Workflow.Order)), Revoke: jsonSteps(rule.Workflow.Revoke),
			Reissue: jsonSteps(rule.Workflow.Reissue), Usage: validText(rule.Workflow.Usage), Blast: validText(rule.Workflow.Blast)},
	}
	if j.Facts.Checksum == "" {
		j.Facts.Checksum = "none"
	}
	if o.ShowSecrets {
		j.Secret, j.SecretBytes = validText(reveal(k.Secret)), rawBytes(reveal(k.Secret))
	}
	if p := k.Partner; p != nil {
		j.Partner = &jsonPartner{Masked: validText(p.Secret.String())}
		if p.Rule != nil {
			j.Partner.Rule = validText(p.Rule.ID)
		}
		if o.ShowSecrets {
			j.Partner.Secret, j.Partner.SecretBytes = validText(reveal(p.Secret)), rawBytes(reveal(p.Secret))
		}
	}
	for i := range k.Places {
		p := &k.Places[i]
		jp := jsonPlace{
			Repository: validText(p.Repository), Path: validText(p.Path), PathBytes: rawBytes(p.Path), Where: string(p.Where), Blob: p.Blob,
			Refs: validList(p.Refs), Present: p.Present, Moved: p.Moved,
			StartLine: p.Location.StartLine, StartColumn: p.Location.StartColumn,
			EndLine: p.Location.EndLine, EndColumn: p.Location.EndColumn,
			ByteOffset: p.Location.Offset, ByteLength: p.Location.Length, Decoded: validList(p.Decoded),
		}
		if jp.Where == "" {
			jp.Where = string(scanner.InContent)
		}
		jp.Commit, jp.Removed = newJSONCommit(p.Commit), newJSONCommit(p.Removed)
		j.Places = append(j.Places, jp)
	}
	return j
}

func newJSONCommit(c *scanner.Commit) *jsonCommit {
	if c == nil {
		return nil
	}
	j := &jsonCommit{Hash: c.Hash, Author: validText(c.Author), Email: validText(c.Email), Subject: validText(c.Subject)}
	if !c.Time.IsZero() {
		j.Time = c.Time.Format(time.RFC3339)
	}
	return j
}

func jsonSteps(in []rules.Step) []jsonStep {
	out := []jsonStep{}
	for _, s := range in {
		j := jsonStep{Title: validText(s.Title), Text: validText(s.Text), URL: validText(s.URL), Command: validText(s.Command)}
		if q := s.Request; q != nil {
			j.Request = &jsonRequest{Method: validText(q.Method), URL: validText(q.URL), Body: validText(q.Body), Func: validText(q.Func)}
			for _, h := range q.Headers {
				j.Request.Headers = append(j.Request.Headers, jsonHeader{validText(h.Name), validText(h.Value)})
			}
		}
		out = append(out, j)
	}
	return out
}

func validList(in []string) []string {
	out := []string{}
	for _, s := range in {
		out = append(out, validText(s))
	}
	return out
}

// rawBytes is s in base64 where JSON cannot hold it as it is, else "".
func rawBytes(s string) string {
	if utf8.ValidString(s) {
		return ""
	}
	return base64.StdEncoding.EncodeToString([]byte(s))
}

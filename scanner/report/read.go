package report

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// ReadJSON reads a report that was written in the json format. Values are not
// taken over even where the report shows them, and excerpts are not part of it.
// Version and catalogue are those of the till that wrote it.
func ReadJSON(r io.Reader) (result *scanner.Result, version, catalogue string, err error) {
	var rep jsonReport
	d := json.NewDecoder(r)
	if err := d.Decode(&rep); err != nil {
		return nil, "", "", fmt.Errorf("read report: %w", err)
	}
	if rep.Schema != Schema {
		return nil, "", "", fmt.Errorf("read report: its schema is %q, want %q (till scan --format json)", rep.Schema, Schema)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, "", "", errors.New("read report: more follows behind it; is it jsonl?")
	}
	s := &rep.Summary
	result = &scanner.Result{Summary: scanner.Summary{
		Commits: s.Commits, Merges: s.Merges, Blobs: s.Blobs, Files: s.Files, Bytes: s.Bytes, Refs: s.Refs,
		Suppressed: s.Suppressed, Unreachable: s.Unreachable, Errors: s.Errors, Notes: s.Notes,
	}}
	if sh := s.Shard; sh != nil {
		if sh.Count < 1 || sh.Count > maxShards || sh.Index < 1 || sh.Index > sh.Count {
			return nil, "", "", fmt.Errorf("read report: there is no shard %d/%d", sh.Index, sh.Count)
		}
		result.Summary.Shard = &scanner.Shard{Index: sh.Index, Count: sh.Count, Of: sh.Of}
	}
	if !rep.Complete && len(s.Errors) == 0 {
		result.Summary.Errors = []string{"the report says that it is not complete"}
	}
	for _, k := range s.Skipped {
		result.Summary.Skipped = append(result.Summary.Skipped, scanner.Skip{Path: rawText(k.Path, k.PathBytes), Reason: k.Reason})
	}
	for i := range rep.Keys {
		k, err := rep.Keys[i].key()
		if err != nil {
			return nil, "", "", fmt.Errorf("read report: key %d: %w", i+1, err)
		}
		result.Keys = append(result.Keys, *k)
	}
	for _, j := range rep.Suppressed {
		result.Suppressed = append(result.Suppressed, scanner.Key{
			ID: j.ID, Fingerprint: j.Fingerprint, Rule: &rules.Rule{ID: j.Rule}, Class: rules.Class(j.Class),
			Places:     []scanner.Place{{Repository: j.Repository, Path: j.Path, Location: scanner.Location{StartLine: j.StartLine}}},
			Suppressed: &scanner.Suppression{Kind: j.Kind, Reason: j.Reason, By: j.By, Until: j.Until, Source: j.Source},
		})
	}
	return result, rep.Version, rep.Catalogue, nil
}

// maxShards is more than anybody divides a repository into.
const maxShards = 1 << 16

func (j *jsonKey) key() (*scanner.Key, error) {
	if len(j.Fingerprint) != 32 || !isHex(j.Fingerprint) {
		return nil, fmt.Errorf("%q is no fingerprint", j.Fingerprint)
	}
	if len(j.Places) == 0 {
		return nil, errors.New("it stands nowhere")
	}
	w := &j.Workflow
	k := &scanner.Key{
		ID: j.ID, Fingerprint: j.Fingerprint, Class: rules.Class(j.Class), Secret: scanner.MaskedSecret(j.Masked), Exposure: scanner.Exposure(j.Exposure),
		Rule: &rules.Rule{
			ID: j.Rule, Provider: j.Provider, Description: j.Description, Severity: rules.Severity(j.Severity), Class: rules.Class(j.Class),
			Workflow: rules.Workflow{Order: rules.Order(w.Order), Revoke: steps(w.Revoke), Reissue: steps(w.Reissue), Usage: w.Usage, Blast: w.Blast},
		},
		Facts: scanner.Facts{Account: j.Facts.Account, Checksum: j.Facts.Checksum, Expires: j.Facts.Expires, ID: j.Facts.ID, Note: j.Facts.Note},
	}
	if p := j.Partner; p != nil {
		k.Partner = &scanner.Partner{Rule: &rules.Rule{ID: p.Rule}, Secret: scanner.MaskedSecret(p.Masked)}
	}
	for i := range j.Places {
		p := &j.Places[i]
		place := scanner.Place{
			Repository: p.Repository, Path: rawText(p.Path, p.PathBytes), Where: scanner.Where(p.Where), Blob: p.Blob,
			Refs: p.Refs, Present: p.Present, Moved: p.Moved, Decoded: p.Decoded,
			Location: scanner.Location{
				StartLine: p.StartLine, StartColumn: p.StartColumn, EndLine: p.EndLine, EndColumn: p.EndColumn,
				Offset: p.ByteOffset, Length: p.ByteLength,
			},
		}
		place.Commit, place.Removed = p.Commit.commit(), p.Removed.commit()
		k.Places = append(k.Places, place)
	}
	return k, nil
}

func (j *jsonCommit) commit() *scanner.Commit {
	if j == nil {
		return nil
	}
	when, _ := time.Parse(time.RFC3339, j.Time) // empty where a commit has none
	return &scanner.Commit{Hash: j.Hash, Author: j.Author, Email: j.Email, Time: when, Subject: j.Subject}
}

func steps(in []jsonStep) []rules.Step {
	var out []rules.Step
	for _, j := range in {
		s := rules.Step{Title: j.Title, Text: j.Text, URL: j.URL, Command: j.Command}
		if q := j.Request; q != nil {
			s.Request = &rules.Request{Method: q.Method, URL: q.URL, Body: q.Body, Func: q.Func}
			for _, h := range q.Headers {
				s.Request.Headers = append(s.Request.Headers, rules.Header{Name: h.Name, Value: h.Value})
			}
		}
		out = append(out, s)
	}
	return out
}

// rawText undoes validText and rawBytes.
func rawText(text, raw string) string {
	if b, err := base64.StdEncoding.DecodeString(raw); err == nil && raw != "" {
		return string(b)
	}
	return text
}

package scanner

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner/archive"
)

// RunOptions steer one Run.
type RunOptions struct {
	// Workers is the number of goroutines that scan; 0 = one for each CPU.
	Workers int
	// MaxSize leaves out content beyond this many bytes of a blob, and says so
	// in Summary.Skipped; 0 = no limit.
	MaxSize int64
	// Progress, when not nil, is counted up while the scan runs.
	Progress *Progress
}

// Progress counts what a running scan has looked at; safe to read at any time.
type Progress struct {
	Blobs atomic.Int64
	Bytes atomic.Int64
	Found atomic.Int64
}

// Run scans everything a source yields, asks the source where the findings
// come from, and makes keys of them. The Result is the same for any number of
// workers. An error means that nothing can be said (not a repository, a bad
// range, cancelled); what could only partly be read is in Result.Summary.
func Run(ctx context.Context, e *Engine, src Source, o RunOptions) (*Result, error) {
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	type worker struct {
		findings []Finding
		skipped  []Skip
		errors   []string
		_        [64]byte // two workers never share a cache line
	}
	each := make([]worker, workers)
	var look func(n int, b *Blob) error
	look = func(n int, b *Blob) error {
		w := &each[n]
		if end := b.Offset + int64(len(b.Data)); o.MaxSize > 0 && end > o.MaxSize {
			skip := Skip{Path: nameOf(b), Reason: fmt.Sprintf("larger than %d bytes", o.MaxSize)}
			if !slices.Contains(w.skipped, skip) {
				w.skipped = append(w.skipped, skip)
			}
			if b.Trace != nil {
				b.Trace.Told = true
			}
			for i := range b.Also {
				if err := look(n, b.twin(&b.Also[i])); err != nil {
					return err
				}
			}
			return nil
		}
		before := len(w.skipped) + len(w.errors)
		found, err := e.Scan(b)
		if err != nil {
			w.errors = append(w.errors, fmt.Sprintf("scan %s: %v", nameOf(b), err))
		}
		if found.Undecoded > 0 {
			w.skipped = append(w.skipped, Skip{Path: nameOf(b), Reason: fmt.Sprintf("decoding limit: %d encoded stretches not looked into", found.Undecoded)})
		}
		if isLFSPointer(b) {
			w.skipped = append(w.skipped, Skip{Path: nameOf(b), Reason: "LFS pointer: the file itself is not in git"})
		}
		for _, u := range found.Unopened {
			w.skipped = append(w.skipped, Skip{Path: memberPath(nameOf(b), u.Path), Reason: u.Reason})
		}
		if len(found.Findings) > 0 && b.Known != nil {
			if found.Findings, err = e.onlyNew(ctx, b, found.Findings); err != nil {
				w.errors = append(w.errors, fmt.Sprintf("read what %s was before: %v", nameOf(b), err))
			}
		}
		w.findings = append(w.findings, found.Findings...)
		if b.Trace != nil {
			e.trace(b, found.Findings, len(w.skipped)+len(w.errors) > before)
		}
		if p := o.Progress; p != nil {
			p.Blobs.Add(1)
			p.Bytes.Add(int64(len(b.Data)))
			p.Found.Add(int64(len(found.Findings)))
		}
		moved := moves(b, found.Findings, len(w.skipped)+len(w.errors) > before)
		for i := range b.Also {
			t := &b.Also[i]
			if !moved || t.Offset == 0 || o.MaxSize > 0 && t.Offset+int64(len(b.Data)) > o.MaxSize {
				if err := look(n, b.twin(t)); err != nil {
					return err
				}
				continue
			}
			for _, f := range found.Findings {
				w.findings = append(w.findings, f.at(b, t))
			}
		}
		return nil
	}
	sum, err := src.Each(ctx, workers, look)
	if err != nil {
		return nil, err
	}
	var findings []Finding
	for i := range each {
		findings = append(findings, each[i].findings...)
		sum.Skipped = append(sum.Skipped, each[i].skipped...)
		sum.Errors = append(sum.Errors, each[i].errors...)
	}
	slices.SortFunc(findings, compareFindings)
	findings = slices.CompactFunc(findings, sameFinding)
	result := &Result{}
	if len(findings) > 0 {
		all, err := attribute(ctx, e, src, findings, &sum)
		if err != nil {
			return nil, err
		}
		result.Keys, result.Suppressed = group(all, e.rel)
	}
	sum.Suppressed = len(result.Suppressed)
	slices.SortFunc(sum.Skipped, func(a, b Skip) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Reason, b.Reason))
	})
	sum.Skipped = slices.Compact(sum.Skipped)
	slices.Sort(sum.Errors)
	result.Summary = sum
	return result, nil
}

// isLFSPointer reports whether a blob only points to the content that Git LFS
// keeps elsewhere (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
func isLFSPointer(b *Blob) bool {
	return len(b.Data) < 1024 && bytes.HasPrefix(b.Data, []byte("version https://git-lfs.github.com/spec/v1\n"))
}

// memberPath is the path of what is inside of an archive, for people.
func memberPath(path, member string) string {
	if member == "" {
		return path
	}
	return path + archive.Separator + member
}

func nameOf(b *Blob) string {
	switch {
	case b.Path != "":
		return b.Path
	case b.Hash != "":
		return b.Hash
	}
	return string(b.Where)
}

// onlyNew drops the findings whose value stood in an earlier content of the
// same file: only what a change brings is its matter.
func (e *Engine) onlyNew(ctx context.Context, b *Blob, findings []Finding) ([]Finding, error) {
	before, err := b.Known(ctx)
	if err != nil {
		return findings, err
	}
	known := map[string]bool{}
	for _, data := range before {
		old, err := e.Scan(&Blob{Path: b.Path, Where: b.Where, Data: data})
		if err != nil {
			return findings, err
		}
		for _, f := range old.Findings {
			known[f.Secret.Reveal()] = true
		}
	}
	return slices.DeleteFunc(findings, func(f Finding) bool { return known[f.Secret.Reveal()] }), nil
}

// attribute asks the source for the places of all findings and applies what
// depends on the path.
func attribute(ctx context.Context, e *Engine, src Source, findings []Finding, sum *Summary) ([]attributed, error) {
	places, exposure, err := src.Attribute(ctx, findings, sum)
	if err != nil {
		return nil, err
	}
	kept := make([][]Place, len(findings))
	globs := map[*rules.Rule]pathFilter{}
	for i := range findings {
		f := &findings[i]
		only, ok := globs[f.Rule]
		if !ok {
			only = newPathFilter(f.Rule.Paths)
			globs[f.Rule] = only
		}
		for _, p := range places[i] {
			if only != nil && !only.has(e.rel(p.Path)) {
				continue
			}
			if p.Location == (Location{}) {
				p.Location = f.Location
			}
			p.Path = memberPath(p.Path, f.Member)
			p.Decoded, p.Excerpt = f.Decoded, f.Excerpt
			p.Moved = p.Moved || f.Moved
			kept[i] = append(kept[i], p)
		}
	}
	overrule(findings, kept)
	var all []attributed
	for i := range findings {
		if len(kept[i]) > 0 {
			all = append(all, attributed{Finding: findings[i], places: kept[i], exposure: exposure[i]})
		}
	}
	return all, nil
}

func compareFindings(a, b Finding) int {
	return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Hash, b.Hash), strings.Compare(string(a.Where), string(b.Where)),
		cmp.Compare(a.Location.Offset, b.Location.Offset), cmp.Compare(a.Location.Length, b.Location.Length),
		strings.Compare(a.Rule.ID, b.Rule.ID), strings.Compare(a.Secret.Reveal(), b.Secret.Reveal()), strings.Compare(a.Member, b.Member))
}

// sameFinding: the overlap of two windows of a large file is seen twice.
func sameFinding(a, b Finding) bool { return compareFindings(a, b) == 0 }

package rules

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/till-sh/till/rules/checksum"
)

// A Failure is a sample that did not do what it should, or a rule without
// enough of them.
type Failure struct {
	Rule   string
	Kind   string // "match" or "miss"
	Sample int    // 1-based index among the samples of the kind; 0 = all of them
	// Place says how the sample was written when it failed: "" = as it stands
	// in the file, else "at the end of a file" and the like.
	Place string
	Why   string
}

func (f Failure) String() string {
	s := f.Rule + ": " + f.Kind
	if f.Sample > 0 {
		s += fmt.Sprintf(" sample %d", f.Sample)
	} else {
		s += " samples"
	}
	if f.Place != "" {
		s += " (" + f.Place + ")"
	}
	return s + ": " + f.Why
}

// MinSamples is how many samples of each kind a rule has to have: one shows
// only that the rule fits the text it was written from.
const MinSamples = 2

// Check tries all samples of p's rules. find is asked for a file's path and
// text and returns the IDs of the rules that report something there; Check
// uses it for what the engine does and finds out by itself why a sample failed.
//
// Each match sample is tried as it stands and in the places where values are
// easily lost: at the start and end of a file, after CRLF, in quotes. What find
// returns besides the rule does not matter, so that a sample may hold both
// halves of a pair; a value that two rules claim is reported by one of them
// only, and the sample of the other fails.
//
// The result is in the order of the rules and samples; nil when all is well.
// No message holds a sample's text.
func Check(p Provider, find func(path string, text []byte) []string) []Failure {
	var out []Failure
	for i := range p.Rules {
		r := &p.Rules[i]
		path := samplePath(r)
		for _, kind := range []struct {
			name    string
			samples []string
		}{{"match", r.Samples.Match}, {"miss", r.Samples.Miss}} {
			if n := len(kind.samples); n < MinSamples {
				out = append(out, Failure{Rule: r.ID, Kind: kind.name, Why: fmt.Sprintf("expected %d or more, found %d", MinSamples, n)})
			}
		}
		for k, sample := range r.Samples.Match {
			for _, v := range placesOf(sample) {
				if ids := find(path, []byte(v.text)); !slices.Contains(ids, r.ID) {
					out = append(out, Failure{r.ID, "match", k + 1, v.place, whyNot(r, v.text, ids)})
					break // the other places would say the same
				}
			}
		}
		for k, sample := range r.Samples.Miss {
			if slices.Contains(find(path, []byte(sample)), r.ID) {
				out = append(out, Failure{r.ID, "miss", k + 1, "", "was found, and must not be"})
			}
		}
	}
	return out
}

// samplePath makes a path that the rule's globs accept.
func samplePath(r *Rule) string {
	if len(r.Paths) == 0 {
		return "sample.txt"
	}
	glob := strings.ReplaceAll(r.Paths[0], "**/", "")
	glob = regexp.MustCompile(`\[[^\]]*\]`).ReplaceAllStringFunc(glob, func(class string) string { return class[1:2] })
	return strings.NewReplacer("**", "x", "*", "x", "?", "x").Replace(glob)
}

type placed struct{ place, text string }

func placesOf(sample string) []placed {
	// Neutral lines: no name, no value, no word that is a keyword of anything.
	const before, after = "// lorem ipsum dolor\n// sit amet\n", "\n// consetetur sadipscing\n"
	out := []placed{
		{"", sample},
		{"at the start of a file", sample + after},
		{"at the end of a file", before + sample},
		{"after CRLF", strings.ReplaceAll(strings.ReplaceAll(before+sample+after, "\r\n", "\n"), "\n", "\r\n")},
	}
	if !strings.ContainsAny(sample, "\"'`\n\\") {
		out = append(out, placed{"in double quotes", `  "` + sample + `",` + "\n"}, placed{"in single quotes", "  '" + sample + "'\n"})
	}
	return out
}

// whyNot finds the first reason why the rule did not report the text.
func whyNot(r *Rule, text string, found []string) string {
	folded := lower(text)
	if !slices.ContainsFunc(r.Keywords, func(k string) bool { return strings.Contains(folded, k) }) {
		return "holds none of the keywords " + strings.Join(quoteAll(r.Keywords), ", ")
	}
	secret, by := matchOf(r, []byte(text))
	if secret == nil && !r.Assigned {
		return "the expression does not match anywhere in it"
	}
	if len(found) > 0 {
		return "was claimed by " + strings.Join(slices.Compact(slices.Sorted(slices.Values(found))), ", ")
	}
	for i, expr := range r.Allow {
		if re, err := regexp.Compile(expr); err == nil && secret != nil && re.Match(secret) {
			return fmt.Sprintf("the value is let pass by allow[%d]", i)
		}
	}
	if r.Checksum != "" && secret != nil && checksum.Verify(r.Checksum, string(secret)) == checksum.Bad {
		return fmt.Sprintf("the value's checksum (%s) is wrong: give the sample a right one", r.Checksum)
	}
	if have := entropyOf(secret); secret != nil && have < r.MinEntropy {
		return fmt.Sprintf("the value has %.1f bits per character, less than min-entropy %.1f", have, r.MinEntropy)
	}
	if r.Needs.Without == "drop" {
		return fmt.Sprintf("the other half (%s) does not stand within %d lines of it", r.Needs.Rule, r.Needs.Lines)
	}
	switch by {
	case "regex":
		return "the expression matches, but the value was not accepted: it looks like a placeholder (a word, repeats, a sequence), or more of the same characters follow or precede it"
	case "value":
		return "something matches value, but not as the whole value of a name that holds a keyword, or it looks like a placeholder (a word, repeats, a sequence)"
	}
	return "no value that looks like a secret stands beside a name that ends in a keyword"
}

// matchOf returns what the rule's bare expressions find in text, and which of
// them found it.
func matchOf(r *Rule, text []byte) (secret []byte, by string) {
	if r.Regex != "" {
		re, err := regexp.Compile(r.Regex)
		if err != nil {
			return nil, ""
		}
		if m := re.FindSubmatch(text); m != nil {
			if i := re.SubexpIndex("secret"); i >= 0 {
				return m[i], "regex"
			}
			return m[0], "regex"
		}
	}
	if r.Value != "" {
		re, err := regexp.Compile(r.Value)
		if err != nil {
			return nil, ""
		}
		// Anywhere: what the whole of a value is, only the engine knows. The
		// longest is the likeliest.
		for _, m := range re.FindAll(text, -1) {
			if len(m) > len(secret) {
				secret, by = m, "value"
			}
		}
	}
	return secret, by
}

// entropyOf is the Shannon entropy of b in bits per byte.
func entropyOf(b []byte) float64 {
	var sum float64
	for c := range 256 {
		if n := bytes.Count(b, []byte{byte(c)}); n > 0 {
			p := float64(n) / float64(len(b))
			sum -= p * math.Log2(p)
		}
	}
	return sum
}

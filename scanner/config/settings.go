package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/till-sh/till/scanner"
)

// Settings are what applies to the files of one folder. They are immutable.
type Settings struct {
	FailOn FailOn
	// MaxFileSize in bytes: larger files are skipped, and the report says so;
	// 0 = no limit.
	MaxFileSize int64
	// DecodeDepth is how many encodings may lie around a value; 0 = none. Note
	// that scanner.Options counts otherwise.
	DecodeDepth int

	minVersion  setting[string]
	failOn      setting[FailOn]
	maxFileSize setting[int64]
	decodeDepth setting[int]
	ignore      []glob
	exclude     []exclusion
	ruleFiles   []ruleFile
	rules       []localRule
}

var defaultSettings = Settings{
	FailOn:      FailKey,
	DecodeDepth: scanner.DefaultDecodeDepth,
	failOn:      setting[FailOn]{value: FailKey, from: builtIn},
	maxFileSize: setting[int64]{from: builtIn},
	decodeDepth: setting[int]{value: scanner.DefaultDecodeDepth, from: builtIn},
}

// apply puts a layer on top.
func (s *Settings) apply(l *layer) {
	if l == nil {
		return
	}
	s.minVersion = l.minVersion.over(s.minVersion)
	s.failOn = l.failOn.over(s.failOn)
	s.maxFileSize = l.maxFileSize.over(s.maxFileSize)
	s.decodeDepth = l.decodeDepth.over(s.decodeDepth)
	// Settings of other folders share what stands below.
	s.ignore = append(slices.Clip(s.ignore), l.ignore...)
	s.exclude = append(slices.Clip(s.exclude), l.exclude...)
	s.ruleFiles = append(slices.Clip(s.ruleFiles), l.ruleFiles...)
	s.rules = append(slices.Clip(s.rules), l.rules...)
	s.FailOn, s.MaxFileSize, s.DecodeDepth = s.failOn.value, s.maxFileSize.value, s.decodeDepth.value
}

// Ignored tells whether the ignore list matches a path relative to the root,
// and by which line. Such a file is still read, for keys that prove themselves
// by a checksum; everything else in it is not reported.
func (s *Settings) Ignored(name string) (Origin, bool) {
	var by Origin
	ok := false
	for i := range s.ignore {
		if g := &s.ignore[i]; g.negated == ok && g.Match(name) {
			by, ok = g.from, !ok
		}
	}
	return by, ok
}

// Excluded tells whether a rule is left out, and by which line.
func (s *Settings) Excluded(ruleID string) (Origin, bool) {
	for _, e := range s.exclude {
		if e.matches(ruleID) {
			return e.from, true
		}
	}
	return Origin{}, false
}

// Line is one setting for display. Lists have a Line for each element.
type Line struct {
	Key   string
	Value string // as in a TOML file
	From  Origin
}

// String writes the line as `key = value   # from file:line`, aligned for the
// usual lengths.
func (l Line) String() string {
	return fmt.Sprintf("%-32s # from %s", l.Key+" = "+l.Value, l.From)
}

// Lines lists the effective settings, in the order of the documentation.
func (s *Settings) Lines() []Line {
	var out []Line
	if s.minVersion.set {
		out = append(out, Line{keyMinVersion, strconv.Quote(s.minVersion.value), s.minVersion.from})
	}
	out = append(out, Line{keyFailOn, strconv.Quote(string(s.failOn.value)), s.failOn.from})
	for _, g := range s.ignore {
		out = append(out, Line{keyIgnore, list(g.text), g.from})
	}
	for _, e := range s.exclude {
		out = append(out, Line{keyExcludeRules, list(e.glob), e.from})
	}
	out = append(out,
		Line{keyMaxFileSize, strconv.Quote(formatSize(s.maxFileSize.value)), s.maxFileSize.from},
		Line{keyDecodeDepth, strconv.Itoa(s.decodeDepth.value), s.decodeDepth.from})
	for _, f := range s.ruleFiles {
		out = append(out, Line{keyRules, list(f.name), f.from})
	}
	for _, r := range s.rules {
		out = append(out, Line{"[[rule]] id", strconv.Quote(r.ID), r.from})
	}
	return out
}

// list writes an array of one string; a literal string where that is possible,
// because globs are full of backslashes.
func list(s string) string {
	if strings.ContainsAny(s, `\"`) && !strings.Contains(s, "'") {
		return "['" + s + "']"
	}
	return "[" + strconv.Quote(s) + "]"
}

package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/till-sh/till/rules"
)

// FailOn says what makes a scan fail.
type FailOn string

// The answers, the strictest last.
const (
	FailNever   FailOn = "never"   // report only
	FailKey     FailOn = "key"     // a key fails, a suspect does not
	FailSuspect FailOn = "suspect" // both do
)

var failOnOrder = []FailOn{FailNever, FailKey, FailSuspect}

// The keys of a .till.toml.
const (
	keyMinVersion   = "min-version"
	keyFailOn       = "fail-on"
	keyIgnore       = "ignore"
	keyExcludeRules = "exclude-rules"
	keyMaxFileSize  = "max-file-size"
	keyDecodeDepth  = "decode-depth"
	keyRules        = "rules"
	keyRule         = "rule"
)

var allKeys = []string{keyMinVersion, keyFailOn, keyIgnore, keyExcludeRules, keyMaxFileSize, keyDecodeDepth, keyRules, keyRule}

const (
	// leastFileSize is the smallest max-file-size that a repository may set. A
	// smaller one would switch the scan off for source files, and the 1 MB file
	// is an everyday one.
	leastFileSize = 1_000_000
	// maxDecodeDepth is more than anything found in practice stacks (five).
	maxDecodeDepth = 10
	// maxPatterns is how long a list may be: each path is compared with all.
	maxPatterns = 1000
)

// foreignKeys are words of other scanners' configuration, with what to write
// here instead.
var foreignKeys = map[string]string{
	"allow":      "paths go into `ignore`, single keys into .tillignore",
	"allowlist":  "paths go into `ignore`, single keys into .tillignore",
	"allowlists": "paths go into `ignore`, single keys into .tillignore",
	"paths":      "expected `ignore = [\"glob\"]`",
	"exclude":    "expected `ignore = [\"glob\"]`",
	"disable":    "expected `exclude-rules = [\"rule-id\"]`",
	"extend":     "a configuration always adds to the built-in rules, and to those of the folders above",
	"extends":    "a configuration always adds to the built-in rules, and to those of the folders above",
	"only-rules": "a configuration adds to the built-in rules; leave some out with `exclude-rules`",
	"verify":     "nothing is verified while scanning",
}

// setting is a value with its origin; the zero value is "not set here".
type setting[T any] struct {
	value T
	from  Origin
	set   bool
}

// over returns the setting, or the one below where this one is not set.
func (s setting[T]) over(below setting[T]) setting[T] {
	if s.set {
		return s
	}
	return below
}

// glob is a Pattern with its origin.
type glob struct {
	*Pattern
	from Origin
}

type exclusion struct {
	glob string // over rule IDs: * and ?
	from Origin
}

func (e exclusion) matches(ruleID string) bool {
	ok, _ := path.Match(e.glob, ruleID)
	return ok
}

// layer is what one file, or the flags together, set.
type layer struct {
	dir         string // folder for which it counts, "" = all
	file        string
	minVersion  setting[string]
	failOn      setting[FailOn]
	maxFileSize setting[int64]
	decodeDepth setting[int]
	ignore      []glob
	exclude     []exclusion
	ruleFiles   []ruleFile
	rules       []localRule      // [[rule]] tables of the file itself
	fileRules   []localRule      // of the files that it names
	providers   []rules.Provider // those files, without their rules
}

type ruleFile struct {
	name string // relative to the root
	from Origin
}

type localRule struct {
	rules.Rule
	from Origin
}

// parseFile reads one configuration file. trusted: it is the user's own, not
// the repository's.
func parseFile(file, dir string, data []byte, trusted bool) (*layer, []*rules.FileError) {
	l := &layer{dir: dir, file: file}
	f := &faults{file: file}
	root := map[string]any{}
	if _, err := toml.Decode(string(data), &root); err != nil {
		if line, marker := conflictMarker(data); line > 0 {
			f.add(line, 1, "%s", conflictMessage(marker))
			return l, f.list
		}
		line, column, message := 1, 1, err.Error()
		var pe toml.ParseError
		if errors.As(err, &pe) {
			// Message, not Error: that quotes the line, and a key may stand there.
			line, column, message = max(pe.Position.Line, 1), max(pe.Position.Col, 1), pe.Message
		}
		f.add(line, column, "invalid TOML: %s", message)
		return l, f.list
	}
	f.at = rules.FindPositions(data)
	p := &parser{faults: f, layer: l, trusted: trusted}
	for key, value := range root {
		if key == keyRule {
			continue
		}
		p.key(key, value)
	}
	if len(l.ignore) > 0 {
		p.checkCover()
	}
	if _, ok := root[keyRule]; ok {
		own, err := rules.ParseRules(file, data)
		if err != nil {
			f.list = append(f.list, rules.Faults(err)...)
		}
		for i, r := range own {
			key := keyRule + "[" + strconv.Itoa(i) + "]"
			if !trusted {
				checkCommands(r, func(what string) { f.addf(key, "rule %s: %s", r.ID, what) })
			}
			l.rules = append(l.rules, localRule{r, f.origin(key)})
		}
	}
	slices.SortStableFunc(f.list, func(a, b *rules.FileError) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return l, f.list
}

// checkCommands refuses what a rule of the scanned repository could have run.
// Package rules refuses network requests itself.
func checkCommands(r rules.Rule, fault func(string)) {
	steps := slices.Concat(r.Workflow.Revoke, r.Workflow.Reissue)
	if slices.ContainsFunc(steps, func(s rules.Step) bool { return s.Command != "" }) {
		fault("a rule of the scanned repository may not name a command: say it in text, or give a url")
	}
	if r.Verify.Request.URL != "" || r.Verify.Request.Func != "" || slices.ContainsFunc(steps, func(s rules.Step) bool { return s.Request != nil }) {
		fault("a rule of the scanned repository may not name a network request")
	}
}

type parser struct {
	*faults
	*layer
	trusted bool
}

func (p *parser) key(key string, value any) {
	switch key {
	case keyMinVersion:
		p.minVersion = text(p, key, value, "a version such as \"1.2\"", func(s string) (string, bool) {
			_, ok := parseVersion(s)
			return s, ok
		})
	case keyFailOn:
		p.failOn = text(p, key, value, "\"key\", \"suspect\" or \"never\"", func(s string) (FailOn, bool) {
			return FailOn(s), slices.Contains(failOnOrder, FailOn(s))
		})
	case keyMaxFileSize:
		p.maxFileSize = text(p, key, value, "a size such as \"50MB\", \"512KiB\", or \"0\" for no limit", parseSize)
		if n := p.maxFileSize.value; n > 0 && n < leastFileSize && !p.trusted {
			p.addf(key, "%s: expected 1MB or more: a repository cannot switch the scan off by a small limit", key)
		}
	case keyDecodeDepth:
		n, ok := value.(int64)
		if !ok || n < 0 || n > maxDecodeDepth {
			p.addf(key, "%s: expected a whole number from 0 to %d%s", key, maxDecodeDepth, found(value))
			return
		}
		p.decodeDepth = setting[int]{int(n), p.origin(key), true}
	case keyIgnore:
		p.list(key, value, "an array of globs, such as [\"testdata/**\", \"*.snap\"]", p.addIgnore)
	case keyExcludeRules:
		p.list(key, value, "an array of rule ids, such as [\"generic-password\"]", p.addExclusion)
	case keyRules:
		if tables, ok := value.([]map[string]any); ok && len(tables) > 0 {
			p.addf(key, "%s: expected an array of folders and files; a rule of its own is written [[rule]]", key)
			return
		}
		p.list(key, value, "an array of folders and files, such as [\"tools/till-rules\"]", p.addRuleFile)
	default:
		hint := foreignKeys[strings.ToLower(key)]
		if near := nearest(key, allKeys); near != "" && hint == "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		if hint == "" {
			hint = "expected one of " + strings.Join(allKeys, ", ")
		}
		p.addf(key, "unknown key %q: %s", key, hint)
	}
}

// text reads a setting that is written as a string.
func text[T any](p *parser, key string, value any, expected string, parse func(string) (T, bool)) setting[T] {
	s, ok := value.(string)
	if ok {
		if v, ok := parse(s); ok {
			return setting[T]{v, p.origin(key), true}
		}
	}
	p.addf(key, "%s: expected %s%s", key, expected, found(value))
	return setting[T]{}
}

func (p *parser) list(key string, value any, expected string, add func(key, element string)) {
	elements, ok := value.([]any)
	if !ok {
		p.addf(key, "%s: expected %s%s", key, expected, found(value))
		return
	}
	if len(elements) > maxPatterns {
		p.addf(key, "%s: %d elements: expected %d at most", key, len(elements), maxPatterns)
		return
	}
	for i, e := range elements {
		at := key + "[" + strconv.Itoa(i) + "]"
		s, ok := e.(string)
		if !ok {
			p.addf(at, "%s: expected %s%s in it", key, expected, found(e))
			continue
		}
		add(at, s)
	}
}

func (p *parser) addIgnore(key, s string) {
	pattern, err := CompilePattern(s, p.dir)
	if err != nil {
		p.addf(key, "%s: %q %v", keyIgnore, s, err)
		return
	}
	p.ignore = append(p.ignore, glob{pattern, p.origin(key)})
}

func (p *parser) checkCover() {
	all := make([]*Pattern, len(p.ignore))
	for i, g := range p.ignore {
		all[i] = g.Pattern
	}
	if coverAll(all) {
		p.addf(keyIgnore, "%s: the globs together match almost everything: configuration cannot switch the scan off", keyIgnore)
	}
}

func (p *parser) addExclusion(key, s string) {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-"
	switch {
	case s == "" || strings.Trim(s, letters+"*?") != "":
		p.addf(key, "%s: %q: expected the id of a rule (a-z, 0-9, dashes), or a glob of ids such as \"generic-*\"", keyExcludeRules, s)
	case strings.Trim(s, "*?-") == "":
		p.addf(key, "%s: %q matches every rule: configuration cannot switch the scan off", keyExcludeRules, s)
	default:
		p.exclude = append(p.exclude, exclusion{s, p.origin(key)})
	}
}

func (p *parser) addRuleFile(key, s string) {
	name, err := inside(p.dir, s)
	if err != nil {
		p.addf(key, "%s: %q %v", keyRules, s, err)
		return
	}
	p.ruleFiles = append(p.ruleFiles, ruleFile{name, p.origin(key)})
}

// found describes a value of the wrong kind; what a string says is left out.
func found(v any) string {
	switch v := v.(type) {
	case int64:
		return ", found " + strconv.FormatInt(v, 10)
	case string:
		if len(v) <= 16 { // no credential is that short
			return ", found " + strconv.Quote(v)
		}
		return ", found another string"
	case float64:
		return ", found a number"
	case bool:
		return ", found " + strconv.FormatBool(v)
	case time.Time:
		return ", found a date"
	case []any, []map[string]any:
		return ", found an array"
	case map[string]any:
		return ", found a table"
	}
	return ""
}

// sizeUnits are the usual ones: decimal as disks are sold, binary with an i.
var sizeUnits = []struct {
	name string
	n    int64
}{{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"k", 1e3}, {"m", 1e6}, {"g", 1e9}, {"b", 1}, {"", 1}}

// parseSize reads "50MB", "1.5 GiB", "0".
func parseSize(s string) (int64, bool) {
	lower := strings.ToLower(strings.TrimSpace(s))
	for _, u := range sizeUnits {
		number, ok := strings.CutSuffix(lower, u.name)
		if !ok {
			continue
		}
		number = strings.TrimSpace(number)
		if strings.Trim(number, "0123456789.") != "" {
			return 0, false
		}
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || n*float64(u.n) >= math.MaxInt64/2 {
			return 0, false
		}
		return int64(n * float64(u.n)), true
	}
	return 0, false
}

// formatSize writes a size so that parseSize reads the same number.
func formatSize(n int64) string {
	for _, u := range []struct {
		name string
		n    int64
	}{{"GB", 1e9}, {"GiB", 1 << 30}, {"MB", 1e6}, {"MiB", 1 << 20}, {"KB", 1e3}, {"KiB", 1 << 10}} {
		if n > 0 && n%u.n == 0 {
			return strconv.FormatInt(n/u.n, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

// parseVersion reads up to three numbers; what follows a dash or plus does not
// count.
func parseVersion(s string) (v [3]int, ok bool) {
	s, _, _ = strings.Cut(strings.TrimPrefix(s, "v"), "-")
	s, _, _ = strings.Cut(s, "+")
	parts := strings.Split(s, ".")
	if len(parts) > len(v) {
		return v, false
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil {
			return v, false
		}
		v[i] = int(n)
	}
	return v, true
}

// conflictMarker finds what an unfinished merge leaves in a file.
func conflictMarker(data []byte) (line int, marker string) {
	for text := range bytes.Lines(data) {
		line++
		for _, m := range []string{"<<<<<<<", "|||||||", ">>>>>>>"} {
			if bytes.HasPrefix(text, []byte(m)) {
				return line, m
			}
		}
	}
	return 0, ""
}

func conflictMessage(marker string) string {
	return fmt.Sprintf("conflict marker %q of a merge that is not finished: keep what should stay of both sides and remove the markers", marker)
}

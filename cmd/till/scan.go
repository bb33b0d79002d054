package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/config"
	"github.com/till-sh/till/scanner/report"
	"github.com/till-sh/till/scanner/source"
)

// scanFlags are the flags of till scan; those of output are shared with till hook.
type scanFlags struct {
	output
	staged, history, unreachable bool
	commits                      string
	since                        string
	message                      string
	exclude                      []string
	gitignore                    bool
	verify, yes                  bool
	noCache                      bool
	engine                       string
	shard, reposFrom             string
}

// output is what every scanning command can be told about its scan and report.
type output struct {
	format      string
	reports     []string
	showSecrets bool
	noIgnore    bool
	config      string
	only, skip  []string
	failOn      string
	maxSize     string
	jobs        int
	timeout     time.Duration
	color       string
	quiet       bool
	verbose     bool
	noProgress  bool
}

func (o *output) register(cmd *cobra.Command) {
	o.registerReport(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.showSecrets, "show-secrets", false, "show values: on a terminal, elsewhere only with TILL_SHOW_SECRETS=1")
	f.BoolVar(&o.noIgnore, "no-ignore", false, "no ignore file, inline mark or configuration of the scanned tree applies")
	f.StringVarP(&o.config, "config", "c", "", "read this configuration `FILE` instead of .till.toml")
	f.StringArrayVar(&o.only, "rule", nil, "use only this rule; may be repeated")
	f.StringArrayVar(&o.skip, "exclude-rule", nil, "do not use this rule; may be repeated")
	f.StringVar(&o.maxSize, "max-file-size", "", "leave larger files out, and say so (`SIZE` such as 50MB)")
	f.IntVar(&o.jobs, "jobs", 0, "parallel workers (default: one for each CPU)")
	f.DurationVar(&o.timeout, "timeout", 0, "give up after this time with exit code 2")
	f.BoolVar(&o.noProgress, "no-progress", false, "no progress on stderr")
}

// registerReport adds the flags for what a report looks like.
func (o *output) registerReport(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.format, "format", "f", "", "report on stdout: "+strings.Join(report.Formats(), ", "))
	f.StringArrayVar(&o.reports, "report", nil, "also write `FORMAT=FILE`; may be repeated")
	f.StringVar(&o.failOn, "fail-on", "", "what makes exit code 1: key (default), suspect, never")
	f.StringVar(&o.color, "color", "auto", "auto, always or never")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "keys and errors only")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "every place, every step, everything skipped")
}

func newScan(e *env) *cobra.Command {
	var f scanFlags
	cmd := &cobra.Command{
		Use:   "scan [PATH...]",
		Short: "Look for keys in files, staged changes or history",
		Long: "Without flags, reads the files below PATH (default: this folder; - reads standard input).\n" +
			"With --staged, reads what the next commit would hold; with --history, everything git keeps;\n" +
			"with --range or --since, what some commits brought.",
		Example: "  till scan .\n  till scan --staged\n  till scan --history --report sarif=till.sarif\n  till scan --range origin/main..HEAD\n  kubectl get secret x -o yaml | till scan -",
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, name := range []string{"range", "since", "message", "config", "max-file-size", "shard", "repos-from"} {
				if flag := cmd.Flags().Lookup(name); flag.Changed && flag.Value.String() == "" {
					return fmt.Errorf("--%s is empty", name)
				}
			}
			return runScan(cmd.Context(), e, &f, args)
		},
	}
	f.register(cmd)
	fl := cmd.Flags()
	fl.BoolVar(&f.staged, "staged", false, "what the next commit would hold")
	fl.BoolVar(&f.history, "history", false, "all refs, stash, notes, tags, messages, authors, names")
	fl.BoolVar(&f.unreachable, "unreachable", false, "with --history: report objects that no ref reaches too")
	fl.StringVar(&f.commits, "range", "", "what the commits `A..B` brought")
	fl.StringVar(&f.since, "since", "", "what commits after `DATE` brought (2026-11-01, 2 weeks, 36h)")
	fl.StringVar(&f.message, "message", "", "a commit message in `FILE`")
	fl.StringArrayVar(&f.exclude, "exclude", nil, "leave out paths that match this `GLOB`; may be repeated")
	fl.BoolVar(&f.verify, "verify", false, "ask the vendors whether the keys are live, after saying which hosts that are; exit codes stay")
	fl.BoolVar(&f.yes, "yes", false, "with --verify: do not ask before")
	fl.BoolVar(&f.gitignore, "respect-gitignore", false, "leave out files that .gitignore names (they are read otherwise)")
	fl.StringVar(&f.shard, "shard", "", "with --history: only part `K/N` of the repository, such as 3/8; till report --merge puts them together")
	fl.StringVar(&f.reposFrom, "repos-from", "", "with --history: the repositories that `FILE` lists, one a line (- is standard input)")
	fl.BoolVar(&f.noCache, "no-cache", false, "with --history: read everything, and keep no record of it for the next scan")
	fl.StringVar(&f.engine, "engine", "delta", "with --history: delta reads what a version changes; full reads every version whole, with --no-cache, to check that both find the same")
	return cmd
}

// target is one thing to scan and how to speak of it.
type target struct {
	source scanner.Source
	scope  string // for the report: "history", "staged", …
	root   string // name of what is scanned
	hook   string // the git hook that runs till, "" for none
	given  bool   // comes through standard input: no ID finds it again
	public bool   // everybody can read what was pushed
	part   bool   // one of several repositories in one report

	// history is source where it may leave out what earlier scans looked at.
	history *source.History

	config fs.FS               // where .till.toml and .tillignore are read from; nil = nowhere
	dirs   []string            // folders of config that may have a .till.toml of their own
	rel    func(string) string // from a reported path to one below config; nil = the same

	// ask puts what the vendors say into the keys, nil to ask nobody; it returns
	// remarks for the report.
	ask func(ctx context.Context, keys []scanner.Key) ([]string, error)

	notes  []string // remarks for the report
	errors []string // what keeps the scan from being complete, known before it begins
	close  func()
}

func runScan(ctx context.Context, e *env, f *scanFlags, args []string) error {
	modes := 0
	for _, on := range []bool{f.staged, f.history, f.commits != "" || f.since != "", f.message != ""} {
		if on {
			modes++
		}
	}
	if modes > 1 {
		return withHint(errors.New("--staged, --history, --range and --message exclude each other"), "till scan --help")
	}
	if f.engine != "delta" && f.engine != "full" {
		return fmt.Errorf("--engine %s: expected delta or full", f.engine)
	}
	if f.engine == "full" && !f.history {
		return withHint(errors.New("--engine goes with --history"), "till scan --history --engine=full")
	}
	if f.yes && !f.verify {
		return withHint(errors.New("--yes goes with --verify"), "till scan --verify --yes")
	}
	if f.unreachable && !f.history {
		return withHint(errors.New("--unreachable goes with --history"), "till scan --history --unreachable")
	}
	if modes == 1 && (len(f.exclude) > 0 || f.gitignore) {
		return withHint(errors.New("--exclude and --respect-gitignore are for scans of files"), "put an ignore list into .till.toml: it holds everywhere")
	}
	if (f.shard != "" || f.reposFrom != "") && !f.history {
		return withHint(errors.New("--shard and --repos-from go with --history"), "till scan --history --shard 3/8")
	}
	if f.history && (len(args) > 1 || f.reposFrom != "") {
		return f.scanRepositories(ctx, e, args)
	}
	if modes == 1 && len(args) > 0 {
		if len(args) > 1 || f.message != "" {
			return withHint(errors.New("paths are for scans of files and --history; otherwise git is read one repository at a time"), "till -C DIR scan --staged")
		}
		if err := os.Chdir(args[0]); err != nil {
			return fmt.Errorf("%s: %w", args[0], bare(err))
		}
	}
	t, err := f.open(e, args)
	if err != nil {
		return err
	}
	if t.close != nil {
		defer t.close()
	}
	if f.verify {
		t.ask = func(ctx context.Context, keys []scanner.Key) ([]string, error) {
			return verifyKeys(ctx, e, keys, f.yes)
		}
	}
	return f.output.scan(ctx, e, t)
}

// open finds what is to be scanned.
func (f *scanFlags) open(e *env, args []string) (*target, error) {
	switch {
	case f.message != "":
		return openMessage(e, f.message)
	case f.staged:
		return openStaged(e)
	case f.history:
		shard, err := parseShard(f.shard)
		if err != nil {
			return nil, err
		}
		return openHistory(e, source.HistoryOptions{Unreachable: f.unreachable, Shard: shard, Whole: f.engine == "full"}, !f.noCache && f.engine != "full")
	case f.commits != "" || f.since != "":
		return openRange(e, f.commits, f.since)
	case len(args) == 1 && args[0] == "-":
		return &target{source: source.NewReader("stdin", e.stdin), scope: "files", root: "standard input", given: true}, nil
	}
	return f.openFiles(e, args)
}

func (f *scanFlags) openFiles(e *env, args []string) (*target, error) {
	if len(args) == 0 {
		args = []string{"."}
	}
	for _, a := range args {
		if a == "-" {
			return nil, withHint(errors.New("- (standard input) goes alone"), "till scan -")
		}
		if _, err := os.Lstat(a); err != nil {
			return nil, fmt.Errorf("%s: %w", a, bare(err))
		}
	}
	t := &target{scope: "files", root: strings.Join(args, " ")}
	var err error
	if t.config, t.dirs, t.rel, err = folderConfig(args); err != nil {
		return nil, err
	}
	exclude, err := excluder(f.exclude)
	if err != nil {
		return nil, err
	}
	t.source = source.NewFiles(args, source.FilesOptions{Exclude: exclude, RespectGitignore: f.gitignore})
	return t, nil
}

// excluder leaves out what --exclude names. Unlike the ignore list of
// .till.toml, which only hides findings, these files are not read at all.
func excluder(globs []string) (func(string, bool) (bool, string), error) {
	if len(globs) == 0 {
		return nil, nil
	}
	var patterns []*config.Pattern
	for _, g := range globs {
		p, err := config.CompilePattern(g, "")
		if err != nil {
			return nil, fmt.Errorf("--exclude %s: %w", g, err)
		}
		patterns = append(patterns, p)
	}
	return func(path string, dir bool) (bool, string) {
		for _, p := range patterns {
			if p.Match(path) {
				return true, "--exclude " + p.String()
			}
		}
		return false, ""
	}, nil
}

// openMessage reads a commit message as git hands it to the commit-msg hook.
func openMessage(e *env, file string) (*target, error) {
	name, read := filepath.ToSlash(file), func() ([]byte, error) { return os.ReadFile(file) }
	if file == "-" {
		name, read = "standard input", func() ([]byte, error) { return io.ReadAll(e.stdin) }
	}
	data, err := read()
	if err != nil {
		return nil, err
	}
	t := &target{source: source.NewMessage(name, data), scope: "message", root: name}
	if repo, err := discover(e); err == nil { // what is allowed there is allowed in its messages
		defer repo.Close()
		if repo.WorkTree != "" {
			t.config, err = folderFS(repo.WorkTree)
		}
		return t, err
	}
	return t, nil
}

// errTimeout is the cause of a context that --timeout ended.
var errTimeout = errors.New("the time given by --timeout is over: nothing can be said about the rest")

// scan runs one scan and writes its reports; the error is the exit code.
func (o *output) scan(ctx context.Context, e *env, t *target) error {
	if err := o.check(e); err != nil {
		return err
	}
	begin := time.Now()
	result, s, err := o.run(ctx, e, t)
	if err != nil {
		return err
	}
	if err := o.write(e, result, o.options(e, t, s, time.Since(begin))); err != nil {
		return err
	}
	return s.verdict(result)
}

// run runs one scan and applies the settings of its target, which it returns.
func (o *output) run(ctx context.Context, e *env, t *target) (*scanner.Result, *settings, error) {
	s, err := o.load(e, t)
	if err != nil {
		return nil, nil, err
	}
	engine, err := s.engine(e, t, o.noIgnore)
	if err != nil {
		return nil, nil, err
	}
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.timeout, errTimeout)
		defer cancel()
	}
	long := t.scope != "staged" && t.scope != "message"
	if long {
		debug.SetGCPercent(100)
	}
	begin := time.Now()
	result, said := t.recall(e, engine, o.showSecrets)
	if result != nil {
		if s.apply(result, begin); saidOf(result) != said {
			result = nil // the configuration says something new, and only who has the values can mask it
		}
	}
	if result == nil {
		if long {
			largePages()
		}
		var progress scanner.Progress
		stop := watch(ctx, e, &progress, o.noProgress || o.quiet || t.hook != "")
		result, err = scanner.Run(ctx, engine, t.source, scanner.RunOptions{Workers: o.jobs, MaxSize: s.tree.For("").MaxFileSize, Progress: &progress})
		stop()
		if err != nil {
			if cause := context.Cause(ctx); cause != nil && errors.Is(cause, errTimeout) {
				return nil, nil, withHint(cause, "give it more: --timeout %s", 2*o.timeout)
			}
			return nil, nil, err
		}
		keep := t.remember(e, result)
		s.apply(result, begin)
		keep(result)
	}
	for i := range result.Keys {
		if k := &result.Keys[i]; t.public && k.Exposure == scanner.ExposurePushed {
			k.Exposure = scanner.ExposurePublic
		}
	}
	if t.ask != nil {
		notes, err := t.ask(ctx, result.Keys)
		if err != nil {
			return nil, nil, err
		}
		result.Summary.Notes = append(result.Summary.Notes, notes...)
	}
	result.Summary.Notes = append(result.Summary.Notes, t.notes...)
	result.Summary.Errors = append(result.Summary.Errors, t.errors...)
	return result, s, nil
}

// verdict turns a result into the exit code.
func (s *settings) verdict(r *scanner.Result) error { return exitOf(r, s.blocks(r)) }

// blocks reports whether a key of r makes the scan fail.
func (s *settings) blocks(r *scanner.Result) bool {
	for i := range r.Keys {
		if s.tree.Blocks(&r.Keys[i]) {
			return true
		}
	}
	return false
}

// exitOf is the exit code as an error: incomplete beats found.
func exitOf(r *scanner.Result, blocks bool) error {
	switch {
	case !r.Summary.Complete():
		return outcome(exitIncomplete)
	case blocks:
		return outcome(exitFound)
	}
	return nil
}

// check refuses wrong flags before anything is read.
func (o *output) check(e *env) error {
	if o.format == "" {
		o.format = "text"
		if f := e.getenv("TILL_FORMAT"); f != "" {
			o.format = f
		}
	}
	if err := report.Known(o.format); err != nil {
		return err
	}
	for _, r := range o.reports {
		name, file, ok := strings.Cut(r, "=")
		if !ok || file == "" {
			return fmt.Errorf("--report %s: expected FORMAT=FILE, such as sarif=till.sarif", r)
		}
		if err := report.Known(name); err != nil {
			return err
		}
	}
	switch o.failOn {
	case "", "key", "suspect", "never":
	default:
		return fmt.Errorf("--fail-on %s: expected key, suspect or never", o.failOn)
	}
	switch o.color {
	case "auto", "always", "never":
	default:
		return fmt.Errorf("--color %s: expected auto, always or never", o.color)
	}
	if o.showSecrets && e.getenv("TILL_SHOW_SECRETS") != "1" && !e.terminal(e.stdout) {
		return withHint(errors.New("--show-secrets: standard output is not a terminal"), "set TILL_SHOW_SECRETS=1 as well if the values may go there")
	}
	if o.timeout < 0 {
		return fmt.Errorf("--timeout %s: expected a time such as 30s", o.timeout)
	}
	if o.jobs < 0 {
		return fmt.Errorf("--jobs %d: expected 1 or more", o.jobs)
	}
	return nil
}

func (o *output) options(e *env, t *target, s *settings, took time.Duration) report.Options {
	return report.Options{
		Version: version(), Catalogue: s.catalogue.Version, Root: t.root, Scope: t.scope, Hook: t.hook, FailOn: string(s.tree.For("").FailOn),
		Elapsed: took, Finished: time.Now(), ShowSecrets: o.showSecrets,
		Color: e.color(o.color, e.stdout), ASCII: e.ascii(), Plain: e.ci() && !e.terminal(e.stdout),
		Quiet: o.quiet, Verbose: o.verbose, Width: e.width(),
		RepoURL: githubURL(e), Given: t.given, Commit: e.getenv("GITHUB_SHA"),
	}
}

// githubURL is the page of the repository that a GitHub Action runs for.
func githubURL(e *env) string {
	if server, repo := e.getenv("GITHUB_SERVER_URL"), e.getenv("GITHUB_REPOSITORY"); server != "" && repo != "" {
		return server + "/" + repo
	}
	return ""
}

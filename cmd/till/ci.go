package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/till-sh/till/scanner/config"
	"github.com/till-sh/till/scanner/source"
)

type ciFlags struct {
	output
	base, head string
	sarif      string
	what       string // "range" (of the event), "history" or "files"
}

func newCI(e *env) *cobra.Command {
	var f ciFlags
	cmd := &cobra.Command{
		Use:   "ci",
		Short: "Scan what a CI event brings: a push, a pull request, a merge group",
		Long: "Finds the commits of the event in the variables of GitHub Actions or GitLab CI and scans what they bring; without\n" +
			"such an event (a schedule, a manual run) the whole history. On GitHub it writes annotations and the job summary.\n\n" +
			"Configuration and ignore list are those of the base commit, so that a change cannot wave itself through.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := f.run(cmd.Context(), e)
			var o outcome
			if err != nil && !errors.As(err, &o) && e.getenv("GITHUB_ACTIONS") == "true" {
				// The log of a failed step is folded; an annotation is not.
				fmt.Fprintf(e.stdout, "::error title=till::%s\n", strings.ReplaceAll(printable(err.Error()), "%", "%25"))
			}
			return err
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&f.what, "scan", "range", "range (of the event), history or files")
	cmd.Flags().StringVar(&f.base, "base", "", "commit before the change (default: from the event)")
	cmd.Flags().StringVar(&f.head, "head", "", "commit after the change (default: from the event)")
	cmd.Flags().StringVar(&f.sarif, "sarif", "", "also write a SARIF report to `FILE`")
	return cmd
}

func (f *ciFlags) run(ctx context.Context, e *env) error {
	t, err := f.open(e)
	if err != nil {
		return err
	}
	if t.close != nil {
		defer t.close()
	}
	f.reporters(e)
	return f.output.scan(ctx, e, t)
}

// reporters adds what the CI system shows to people.
func (f *ciFlags) reporters(e *env) {
	if f.sarif != "" {
		f.reports = append(f.reports, "sarif="+f.sarif)
	}
	if e.getenv("GITHUB_ACTIONS") != "true" {
		return
	}
	if f.format == "" && e.getenv("TILL_FORMAT") == "" {
		f.format = "github"
	}
	if file := e.getenv("GITHUB_STEP_SUMMARY"); file != "" {
		f.reports = append(f.reports, "github-summary="+file)
	}
}

// event is what a CI system tells about the commits at hand.
type event struct {
	base, head string // "" when the event names none
	// fallback is what to compare with when there is no base: the default
	// branch, or "" when the event is about that branch itself.
	fallback string
	// guessed: the base is the tip before a push, which a force push may have
	// taken out of the clone.
	guessed bool
	deleted bool // the push removed a branch: nothing to scan
	public  bool // everybody in the world can read the repository
}

// githubEvent is the part of a webhook payload that names commits
// (https://docs.github.com/en/webhooks/webhook-events-and-payloads).
type githubEvent struct {
	Ref         string `json:"ref"`
	Before      string `json:"before"`
	After       string `json:"after"`
	Deleted     bool   `json:"deleted"`
	PullRequest *struct {
		Base struct{ SHA string }
		Head struct{ SHA string }
	} `json:"pull_request"`
	MergeGroup *struct {
		Base string `json:"base_sha"`
		Head string `json:"head_sha"`
	} `json:"merge_group"`
	Repository struct {
		DefaultBranch string `json:"default_branch"`
		Private       *bool  `json:"private"`
	} `json:"repository"`
}

func (f *ciFlags) event(e *env) (event, error) {
	ev := event{base: f.base, head: f.head}
	branch, at := "", "" // default branch, and the one of the event
	switch {
	case ev.base != "" || ev.head != "":
	case e.getenv("GITHUB_EVENT_PATH") != "":
		data, err := os.ReadFile(e.getenv("GITHUB_EVENT_PATH"))
		if err != nil {
			return ev, fmt.Errorf("read the event: %w", err)
		}
		var g githubEvent
		if err := json.Unmarshal(data, &g); err != nil {
			return ev, fmt.Errorf("read the event %s: %w", e.getenv("GITHUB_EVENT_PATH"), err)
		}
		ev.public = g.Repository.Private != nil && !*g.Repository.Private && e.getenv("GITHUB_SERVER_URL") == "https://github.com"
		branch, at, ev.deleted = g.Repository.DefaultBranch, strings.TrimPrefix(g.Ref, "refs/heads/"), g.Deleted
		switch {
		case g.PullRequest != nil:
			ev.base, ev.head = g.PullRequest.Base.SHA, g.PullRequest.Head.SHA
		case g.MergeGroup != nil:
			ev.base, ev.head = g.MergeGroup.Base, g.MergeGroup.Head
		default:
			ev.base, ev.head, ev.guessed = g.Before, g.After, true
		}
	case e.getenv("CI_COMMIT_SHA") != "": // https://docs.gitlab.com/ci/variables/predefined_variables/
		ev.public = e.getenv("CI_PROJECT_VISIBILITY") == "public" && e.getenv("CI_SERVER_HOST") == "gitlab.com"
		ev.head, branch, at = e.getenv("CI_COMMIT_SHA"), e.getenv("CI_DEFAULT_BRANCH"), e.getenv("CI_COMMIT_BRANCH")
		if ev.base = e.getenv("CI_MERGE_REQUEST_DIFF_BASE_SHA"); ev.base == "" {
			ev.base, ev.guessed = e.getenv("CI_COMMIT_BEFORE_SHA"), true
		}
	}
	if strings.Trim(ev.base, "0") == "" {
		ev.base = "" // a new branch has nothing before it
	}
	if strings.Trim(ev.head, "0") == "" {
		ev.head = ""
	}
	if branch != "" && branch != at {
		ev.fallback = "refs/remotes/origin/" + branch
	}
	return ev, nil
}

// open makes the target: what the event brings, or what --scan asks for, with
// the configuration as it was before the change.
func (f *ciFlags) open(e *env) (*target, error) {
	ev, err := f.event(e)
	if err != nil {
		return nil, err
	}
	if ev.deleted {
		return &target{source: source.NewMessage("", nil), scope: "deleted branch"}, nil
	}
	named := ev.head != "" || ev.base != ""
	var t *target
	var repo *source.Repository
	switch {
	case f.what == "files":
		if t, err = (&scanFlags{}).openFiles(e, nil); err == nil && named {
			repo, err = discover(e)
		}
	case f.what != "range" && f.what != "history":
		return nil, fmt.Errorf("--scan %s: expected range, history or files", f.what)
	default:
		repo, t, err = openRepository(e)
	}
	if err != nil {
		return nil, err
	}
	t.public = ev.public
	if err := f.aim(repo, t, ev, named); err != nil {
		if t.close != nil {
			t.close()
		}
		return nil, err
	}
	return t, nil
}

// aim chooses what is read and which configuration applies.
func (f *ciFlags) aim(repo *source.Repository, t *target, ev event, named bool) error {
	if named {
		if ev.head == "" {
			ev.head = "HEAD"
		}
		if err := f.findBase(repo, t, &ev); err != nil {
			return err
		}
	}
	switch {
	case f.what == "history" || f.what == "range" && !named:
		t.history = source.NewHistory(repo, source.HistoryOptions{})
		t.scope, t.source = "history", t.history
	case f.what == "range":
		src, err := source.NewEvent(repo, ev.base, ev.head)
		if err != nil {
			return revisionHint(err)
		}
		t.source, t.scope = src, "everything up to "+ev.head
		if ev.base != "" {
			t.scope = "range " + ev.base + "..." + ev.head
		}
	}
	if ev.base == "" {
		var err error
		t.dirs, err = configDirs(t.config)
		return err
	}
	current := t.config
	var err error
	if t.config, err = repo.TreeFS(ev.base); err != nil {
		return err
	}
	if t.dirs, err = configDirs(t.config); err != nil {
		return err
	}
	return f.compare(t, current)
}

// findBase settles what the head is compared with.
func (f *ciFlags) findBase(repo *source.Repository, t *target, ev *event) error {
	if ev.base != "" {
		_, err := repo.Resolve(ev.base)
		var missing *source.RevisionError
		if err == nil || !ev.guessed || !errors.As(err, &missing) || missing.Shallow {
			return revisionHint(err)
		}
		t.notes = append(t.notes, fmt.Sprintf("the commit before the push, %.10s, is not here any more (a force push)", ev.base))
	}
	ev.base = ""
	if ev.fallback == "" {
		return nil
	}
	// A branch that the default one already holds, as after the first push of
	// all, has nothing to be compared with.
	if old, err := repo.Reaches(ev.fallback, ev.head); err == nil && !old {
		ev.base = ev.fallback
		t.notes = append(t.notes, "compared with "+ev.fallback)
	}
	return nil
}

// compare notes what the change itself brings to loosen the scan: that takes
// effect once it is merged. A change that breaks the configuration fails.
func (f *ciFlags) compare(t *target, current fs.FS) error {
	if f.noIgnore || current == nil {
		return nil
	}
	dirs := t.dirs
	if more, err := configDirs(current); err == nil {
		dirs = append(slices.Clone(dirs), more...)
	}
	options := config.Options{Dirs: dirs, Version: version()}
	was, err := config.Load(t.config, options)
	if err != nil {
		return nil // the scan itself loads and reports it
	}
	is, err := config.Load(current, options)
	if err != nil {
		for _, line := range faults(err) {
			t.errors = append(t.errors, "the change breaks the "+line)
		}
		return nil
	}
	for _, c := range config.Diff(was, is) {
		if c.Loosens {
			t.notes = append(t.notes, fmt.Sprintf("not yet in force for this change: %s (%s)", c.What, c.From))
		}
	}
	return nil
}

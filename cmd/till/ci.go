package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
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
			var t *target
			var err error
			switch f.what {
			case "range":
				t, err = f.open(e)
			case "history":
				t, err = openHistory(e, false)
			case "files":
				t, err = (&scanFlags{}).openFiles(e, nil)
			default:
				err = fmt.Errorf("--scan %s: expected range, history or files", f.what)
			}
			if err != nil {
				return err
			}
			if t.close != nil {
				defer t.close()
			}
			f.reporters(e)
			return f.output.scan(cmd.Context(), e, t)
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&f.what, "scan", "range", "range (of the event), history or files")
	cmd.Flags().StringVar(&f.base, "base", "", "commit before the change (default: from the event)")
	cmd.Flags().StringVar(&f.head, "head", "", "commit after the change (default: from the event)")
	cmd.Flags().StringVar(&f.sarif, "sarif", "", "also write a SARIF report to `FILE`")
	return cmd
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
	base, head string // "" when the event names no commits
	branch     string // default branch, for a base where there is none before
	deleted    bool   // the push removed a branch: nothing to scan
}

// githubEvent is the part of a webhook payload that names commits
// (https://docs.github.com/en/webhooks/webhook-events-and-payloads).
type githubEvent struct {
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
	} `json:"repository"`
}

func (f *ciFlags) event(e *env) (event, error) {
	ev := event{base: f.base, head: f.head}
	switch {
	case ev.base != "" || ev.head != "":
	case e.getenv("GITHUB_EVENT_PATH") != "":
		data, err := os.ReadFile(e.getenv("GITHUB_EVENT_PATH"))
		if err != nil {
			return ev, fmt.Errorf("read the event: %w", err)
		}
		var g githubEvent
		if err := json.Unmarshal(data, &g); err != nil {
			return ev, fmt.Errorf("read the event GITHUB_EVENT_PATH: %w", err)
		}
		ev.branch, ev.deleted = g.Repository.DefaultBranch, g.Deleted
		switch {
		case g.PullRequest != nil:
			ev.base, ev.head = g.PullRequest.Base.SHA, g.PullRequest.Head.SHA
		case g.MergeGroup != nil:
			ev.base, ev.head = g.MergeGroup.Base, g.MergeGroup.Head
		default:
			ev.base, ev.head = g.Before, g.After
		}
	case e.getenv("CI_COMMIT_SHA") != "": // https://docs.gitlab.com/ci/variables/predefined_variables/
		ev.head, ev.branch = e.getenv("CI_COMMIT_SHA"), e.getenv("CI_DEFAULT_BRANCH")
		if ev.base = e.getenv("CI_MERGE_REQUEST_DIFF_BASE_SHA"); ev.base == "" {
			ev.base = e.getenv("CI_COMMIT_BEFORE_SHA")
		}
	}
	if strings.Trim(ev.base, "0") == "" {
		ev.base = "" // a new branch has nothing before it
	}
	if strings.Trim(ev.head, "0") == "" {
		ev.head = ""
	}
	return ev, nil
}

func (f *ciFlags) open(e *env) (*target, error) {
	ev, err := f.event(e)
	if err != nil {
		return nil, err
	}
	if ev.deleted {
		return &target{source: source.NewMessage("", nil), scope: "deleted branch"}, nil
	}
	if ev.head == "" && ev.base == "" {
		return openHistory(e, false)
	}
	repo, t, err := openRepository(e)
	if err != nil {
		return nil, err
	}
	if err := f.openEvent(repo, t, ev); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// openEvent makes the target of a base and a head, with the configuration of
// the base.
func (f *ciFlags) openEvent(repo *source.Repository, t *target, ev event) error {
	if ev.head == "" {
		ev.head = "HEAD"
	}
	if ev.base == "" && ev.branch != "" {
		ev.base = "refs/remotes/origin/" + ev.branch
	}
	commits := ev.base + "..." + ev.head
	src, err := source.NewRange(repo, commits, source.RangeOptions{})
	if err != nil {
		return err
	}
	t.source, t.scope = src, "range "+commits
	head := t.config
	if t.config, err = repo.TreeFS(ev.base); err != nil {
		return err
	}
	if t.dirs, err = configDirs(t.config); err != nil {
		return err
	}
	return f.compare(t, head)
}

// compare notes what the change itself brings to loosen the scan: it takes
// effect once it is merged.
func (f *ciFlags) compare(t *target, current fs.FS) error {
	if f.noIgnore || current == nil {
		return nil
	}
	options := config.Options{Dirs: t.dirs, Version: version()}
	was, err := config.Load(t.config, options)
	if err != nil {
		return nil // the scan itself loads and reports it
	}
	is, err := config.Load(current, options)
	if err != nil {
		t.notes = append(t.notes, "the change breaks the configuration: "+strings.Join(faults(err), "; "))
		return nil
	}
	for _, c := range config.Diff(was, is) {
		if c.Loosens {
			t.notes = append(t.notes, fmt.Sprintf("%s (%s) comes with this change and does not apply to it", c.What, c.From))
		}
	}
	return nil
}

package place

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/till-sh/till/rotate"
)

// GitLabVariable are the CI/CD variables of a project at gitlab.com, through
// the glab command and its login. It goes by glab api, because glab variable
// update would also set whether a variable is masked and protected
// (https://docs.gitlab.com/api/project_level_variables/).
type GitLabVariable struct{}

// Name is "gitlab-variable".
func (GitLabVariable) Name() string { return "gitlab-variable" }

type gitlabRef struct{ project, key, scope, value string }

// Find lists the variables that hold the old value. Those that GitLab hides
// ("masked and hidden") are known by name only.
func (GitLabVariable) Find(ctx context.Context, j *rotate.Job) ([]rotate.Spot, error) {
	project := slugAt("gitlab.com", j.Remote)
	if project == "" || j.Run == nil {
		return nil, nil
	}
	if _, err := j.Run.Find("glab"); err != nil {
		return nil, nil
	}
	out, err := j.Run.Run(ctx, []string{"glab", "api", "--hostname", "gitlab.com", "projects/" + url.PathEscape(project) + "/variables?per_page=100"}, "")
	if err != nil {
		return nil, j.Redact.Error(err)
	}
	var list []struct {
		Key    string
		Value  *string
		Scope  string `json:"environment_scope"`
		Hidden bool
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		return nil, errors.New("glab api: the answer is no list of variables")
	}
	if len(list) == 100 {
		return nil, errors.New("the project has 100 variables or more: till does not look through them")
	}
	var spots []rotate.Spot
	for _, v := range list {
		sure := v.Value != nil && len(j.Leak.In([]byte(*v.Value))) > 0
		named := v.Value == nil && !partOfValue(j) && namedFor(j, v.Key)
		if !sure && !named {
			continue
		}
		value := j.Leak.Secret.Reveal()
		if sure {
			value = *v.Value
		}
		spots = append(spots, rotate.Spot{
			Placer: "gitlab-variable", Where: fmt.Sprintf("%s: %s (%s)", project, v.Key, v.Scope), Sure: sure, Claimed: j.Claimed, Ref: gitlabRef{project, v.Key, v.Scope, value},
			Preview: []string{"PUT projects/" + project + "/variables/" + v.Key + "   (glab api, the value through standard input)"},
		})
	}
	return spots, nil
}

// Place sets the value of a variable and nothing else of it.
func (GitLabVariable) Place(ctx context.Context, j *rotate.Job, s rotate.Spot) error {
	ref, ok := s.Ref.(gitlabRef)
	if !ok || j.New == nil || j.Run == nil {
		return errors.New("there is nothing to set")
	}
	body, err := json.Marshal(map[string]string{"value": swap(j, ref.value)})
	if err != nil {
		return err
	}
	path := "projects/" + url.PathEscape(ref.project) + "/variables/" + url.PathEscape(ref.key) + "?filter[environment_scope]=" + url.QueryEscape(ref.scope)
	words := []string{"glab", "api", "--hostname", "gitlab.com", "--method", "PUT", path, "--header", "Content-Type: application/json", "--input", "-"}
	if _, err := j.Run.Run(ctx, words, string(body)); err != nil {
		return j.Redact.Error(fmt.Errorf("set %s: %w", s.Where, err))
	}
	return nil
}

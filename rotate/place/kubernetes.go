package place

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/till-sh/till/rotate"
)

// KubernetesSecret are the Secret objects of the namespace that kubectl is set
// to. The patch goes through standard input, and tests that the old value still
// stands there (https://kubernetes.io/docs/reference/kubectl/generated/kubectl_patch/,
// RFC 6902).
type KubernetesSecret struct{}

// Name is "kubernetes".
func (KubernetesSecret) Name() string { return "kubernetes" }

type kubeSecret struct {
	Metadata struct {
		Name, Namespace string
		OwnerReferences []struct{ Kind, Name string }
	}
	Data map[string][]byte // base64 in JSON
}

// Find reads the Secrets and keeps those that hold the old value. Where kubectl
// has no context there is no cluster to ask.
func (KubernetesSecret) Find(ctx context.Context, j *rotate.Job) ([]rotate.Spot, error) {
	if j.Run == nil {
		return nil, nil
	}
	if _, err := j.Run.Find("kubectl"); err != nil {
		return nil, nil
	}
	cluster, err := j.Run.Run(ctx, []string{"kubectl", "config", "current-context"}, "")
	if err != nil || strings.TrimSpace(cluster) == "" {
		return nil, nil
	}
	out, err := j.Run.Run(ctx, []string{"kubectl", "get", "secrets", "--output", "json", "--request-timeout", "10s"}, "")
	if err != nil {
		return nil, j.Redact.Error(err)
	}
	var list struct{ Items []kubeSecret }
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		return nil, errors.New("kubectl get secrets: the answer is no list, or more than a megabyte")
	}
	var spots []rotate.Spot
	for _, s := range list.Items {
		var keys []string
		for key, value := range s.Data {
			if len(j.Leak.In(value)) > 0 {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		for _, key := range keys {
			spot := rotate.Spot{
				Placer: "kubernetes", Where: fmt.Sprintf("%s: %s/%s: %s", strings.TrimSpace(cluster), s.Metadata.Namespace, s.Metadata.Name, key), Sure: true,
				Preview: []string{"$ kubectl patch secret " + s.Metadata.Name + "   (the patch through standard input)"},
				Ref:     kubeRef{strings.TrimSpace(cluster), s.Metadata.Namespace, s.Metadata.Name, key, s.Data[key]},
			}
			if o := s.Metadata.OwnerReferences; len(o) > 0 {
				spot.ByHand = true
				spot.Preview = []string{fmt.Sprintf("%s %s made this Secret and would put the old value back: change it there", o[0].Kind, o[0].Name)}
			}
			spots = append(spots, spot)
		}
	}
	return spots, nil
}

type kubeRef struct {
	cluster, namespace, name, key string
	data                          []byte
}

// Place patches one entry of a Secret.
func (KubernetesSecret) Place(ctx context.Context, j *rotate.Job, s rotate.Spot) error {
	ref, ok := s.Ref.(kubeRef)
	switch {
	case s.ByHand:
		return errors.New("something else owns this Secret")
	case !ok || j.New == nil || j.Run == nil:
		return errors.New("there is nothing to set")
	}
	changed := swap(j, string(ref.data))
	path := "/data/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(ref.key)
	patch, err := json.Marshal([]map[string]string{
		{"op": "test", "path": path, "value": base64.StdEncoding.EncodeToString(ref.data)},
		{"op": "replace", "path": path, "value": base64.StdEncoding.EncodeToString([]byte(changed))},
	})
	if err != nil {
		return err
	}
	words := []string{"kubectl", "--context", ref.cluster, "--namespace", ref.namespace, "patch", "secret", ref.name, "--type=json", "--patch-file=/dev/stdin"}
	j.Redact.Add(base64.StdEncoding.EncodeToString(ref.data))
	j.Redact.Add(base64.StdEncoding.EncodeToString([]byte(changed)))
	if _, err := j.Run.Run(ctx, words, string(patch)); err != nil {
		return j.Redact.Error(fmt.Errorf("patch %s: %w", s.Where, err))
	}
	return nil
}

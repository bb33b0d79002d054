package place

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/till-sh/till/rotate"
)

// AWSSecret are secrets of AWS Secrets Manager that the owner names with
// --set aws_secret=NAME[,NAME], through the aws command and its login: to read
// each secret of an account in search of one value would fill its logs
// (https://docs.aws.amazon.com/cli/latest/reference/secretsmanager/put-secret-value.html).
type AWSSecret struct{}

// Name is "aws-secret".
func (AWSSecret) Name() string { return "aws-secret" }

// Find keeps the named secrets that hold the old value.
func (a AWSSecret) Find(ctx context.Context, j *rotate.Job) ([]rotate.Spot, error) {
	return namedSpots(ctx, j, a.Name(), "aws", "aws_secret", "$ aws secretsmanager put-secret-value --secret-id %s   (the value through standard input)", a.get)
}

func (AWSSecret) get(ctx context.Context, j *rotate.Job, name string) (string, error) {
	out, err := j.Run.Run(ctx, []string{"aws", "secretsmanager", "get-secret-value", "--secret-id", name, "--query", "SecretString", "--output", "text"}, "")
	return strings.TrimSuffix(out, "\n"), err
}

// Place reads the secret again and writes it with the new key in the place of the old one.
func (a AWSSecret) Place(ctx context.Context, j *rotate.Job, s rotate.Spot) error {
	name, text, err := current(ctx, j, s, a.get)
	if err != nil || text == "" {
		return err
	}
	if _, err := j.Run.Run(ctx, []string{"aws", "secretsmanager", "put-secret-value", "--secret-id", name, "--secret-string", "file:///dev/stdin"}, swap(j, text)); err != nil {
		return j.Redact.Error(fmt.Errorf("set %s: %w", s.Where, err))
	}
	return nil
}

type getter func(ctx context.Context, j *rotate.Job, name string) (string, error)

// namedSpots are the entries of a store that the owner has named and that hold the old value.
func namedSpots(ctx context.Context, j *rotate.Job, placer, program, given, preview string, get getter) ([]rotate.Spot, error) {
	names := strings.FieldsFunc(j.Given[given], func(r rune) bool { return r == ',' || r == ' ' })
	if len(names) == 0 || j.Run == nil {
		return nil, nil
	}
	if _, err := j.Run.Find(program); err != nil {
		return nil, err // it was asked for
	}
	var spots []rotate.Spot
	for _, name := range names {
		if strings.HasPrefix(name, "-") {
			return nil, fmt.Errorf("--set %s: %s is no name", given, name)
		}
		text, err := get(ctx, j, name)
		if err != nil {
			return nil, j.Redact.Error(fmt.Errorf("read %s: %w", name, err))
		}
		if len(j.Leak.In([]byte(text))) > 0 {
			spots = append(spots, rotate.Spot{Placer: placer, Where: name, Sure: true, Ref: name, Preview: []string{fmt.Sprintf(preview, name)}})
		}
	}
	return spots, nil
}

// current is the text of a spot now; "" when the old value is gone from it and
// the new one stands there.
func current(ctx context.Context, j *rotate.Job, s rotate.Spot, get getter) (name, text string, err error) {
	name, ok := s.Ref.(string)
	if !ok || j.New == nil || j.Run == nil {
		return "", "", errors.New("there is nothing to set")
	}
	if text, err = get(ctx, j, name); err != nil {
		return "", "", j.Redact.Error(fmt.Errorf("read %s: %w", s.Where, err))
	}
	switch {
	case len(j.Leak.In([]byte(text))) > 0:
		return name, text, nil
	case strings.Contains(text, j.New.Secret.Reveal()):
		return name, "", nil
	}
	return "", "", fmt.Errorf("%s holds neither the old value nor the new one", s.Where)
}

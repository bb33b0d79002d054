package place

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/till-sh/till/rotate"
)

// VaultField are fields of a KV store (version 2) of HashiCorp Vault or OpenBao
// that the owner names with --set vault=MOUNT/PATH#FIELD or --set bao=…, through
// the command of the same name and its login
// (https://developer.hashicorp.com/vault/docs/commands/kv/patch, https://openbao.org/docs/commands/kv/patch/).
type VaultField struct{ Program string }

// Name is "vault" or "bao".
func (v VaultField) Name() string { return v.Program }

// Find keeps the named fields that hold the old value.
func (v VaultField) Find(ctx context.Context, j *rotate.Job) ([]rotate.Spot, error) {
	return namedSpots(ctx, j, v.Program, v.Program, v.Program, "$ "+v.Program+" kv patch %s   (the value through standard input)", v.get)
}

func (v VaultField) get(ctx context.Context, j *rotate.Job, name string) (string, error) {
	mount, path, field, err := vaultName(name)
	if err != nil {
		return "", err
	}
	return j.Run.Run(ctx, []string{v.Program, "kv", "get", "-mount=" + mount, "-field=" + field, path}, "")
}

// Place writes one field; the others of the entry stay.
func (v VaultField) Place(ctx context.Context, j *rotate.Job, s rotate.Spot) error {
	name, text, err := current(ctx, j, s, v.get)
	if err != nil || text == "" {
		return err
	}
	mount, path, field, err := vaultName(name)
	if err != nil {
		return err
	}
	// "-" as a value reads it from standard input.
	if _, err := j.Run.Run(ctx, []string{v.Program, "kv", "patch", "-mount=" + mount, path, field + "=-"}, swap(j, text)); err != nil {
		return j.Redact.Error(fmt.Errorf("set %s: %w", s.Where, err))
	}
	return nil
}

func vaultName(name string) (mount, path, field string, err error) {
	path, field, ok := strings.Cut(name, "#")
	mount, path, deep := strings.Cut(path, "/")
	if !ok || !deep || field == "" || path == "" || mount == "" || path[0] == '-' {
		return "", "", "", errors.New("expected MOUNT/PATH#FIELD, such as secret/billing#api_key")
	}
	return mount, path, field, nil
}

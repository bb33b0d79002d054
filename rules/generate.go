//go:build ignore

// Generate writes zz_catalogue.go from providers/*.toml; go generate runs it in
// this folder. A package of its own would be a second program for
// `go install ./...`, which is how pre-commit installs till.
package main

import (
	"fmt"
	"os"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/rules/internal/compile"
)

const target = "zz_catalogue.go"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	c, err := rules.LoadFS(os.DirFS("."), "providers")
	if err != nil {
		return err
	}
	src, err := compile.Source(c)
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(target); err == nil && string(old) == string(src) {
		return nil // same bytes: spare the build cache
	}
	// By rename, so that a build that runs meanwhile sees one version or the other.
	f, err := os.CreateTemp(".", ".zz_catalogue-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(src)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("write catalogue: %w", err)
	}
	if err := os.Chmod(f.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(f.Name(), target)
}

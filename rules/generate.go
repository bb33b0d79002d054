//go:build ignore

// Generate writes zz_catalogue.go, the scanner's index of its keywords and docs/catalogue.md from
// providers/*.toml; go generate runs it in this folder. A package of its own would be a second program for
// `go install ./...`, which is how pre-commit installs till.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"os"
	"path/filepath"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/rules/internal/compile"
	"github.com/till-sh/till/scanner"
)

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
	var page bytes.Buffer
	if err := rules.WritePage(&page, c); err != nil {
		return err
	}
	index, err := scanner.IndexSource(c)
	if err != nil {
		return err
	}
	if index, err = format.Source(index); err != nil {
		return fmt.Errorf("format the generated index: %w", err)
	}
	return errors.Join(write("zz_catalogue.go", src), write("../scanner/zz_index.go", index), write("../docs/catalogue.md", page.Bytes()))
}

// write replaces a file by rename, so that a build that runs meanwhile sees one
// version or the other; the same bytes are left alone, to spare the build cache.
func write(target string, data []byte) error {
	if old, err := os.ReadFile(target); err == nil && bytes.Equal(old, data) {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(target), ".generate-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", target, err)
	}
	if err := os.Chmod(f.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(f.Name(), target)
}

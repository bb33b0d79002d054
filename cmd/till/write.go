package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/report"
)

// write renders the report on stdout and every --report into its file. Files
// are written whole or not at all: a half report would look like a full one. A
// file that cannot be written keeps nobody from seeing the others.
func (o *output) write(e *env, r *scanner.Result, options report.Options) error {
	err := report.Write(o.format, e.stdout, r, options)
	options.Color = false
	options.ShowSecrets = false // a file is no terminal
	for _, spec := range o.reports {
		name, file, _ := strings.Cut(spec, "=")
		var buf bytes.Buffer
		if failed := report.Write(name, &buf, r, options); failed != nil {
			err = errors.Join(err, fmt.Errorf("report %s: %w", name, failed))
			continue
		}
		write := replaceFile
		if name == "github-summary" {
			write = appendFile // other commands of the step write there too
		}
		if failed := write(file, buf.Bytes()); failed != nil {
			err = errors.Join(err, fmt.Errorf("report %s: write %s: %w", name, file, bare(failed)))
		}
	}
	return err
}

// bare takes the system call and the file out of an error, where the message
// names the file in its own way.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func appendFile(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// replaceFile writes a file through a temporary one beside it. What is no
// regular file (/dev/stdout, a pipe) is written to directly.
func replaceFile(name string, data []byte) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return appendFile(name, data)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".till-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Chmod(f.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

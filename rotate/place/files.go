package place

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/scanner"
)

// Files are .env and other files of the work tree in which the old value
// stands. A file that git tracks gets nothing: the new key would be in the next
// commit.
type Files struct{}

// What is larger is no configuration, and deeper no place where one looks.
const (
	maxFile  = 4 << 20
	maxDepth = 24
)

// Name is "files".
func (Files) Name() string { return "files" }

// Find reads the work tree for the value as it is, of several lines also with
// escaped line ends. Files that hold it in another encoding (base64, percent
// escapes) are not found here; the scan names them.
func (Files) Find(ctx context.Context, j *rotate.Job) ([]rotate.Spot, error) {
	if j.WorkTree == "" {
		return nil, nil
	}
	root, err := os.OpenRoot(j.WorkTree)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var spots []rotate.Spot
	forms := written(j.Leak.Secret.Reveal())
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() && (path.Base(name) == ".git" || strings.Count(name, "/") >= maxDepth || path.Base(name) == "node_modules"):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		data, err := readAt(root, name)
		if err != nil || !slices.ContainsFunc(forms, func(old string) bool { return bytes.Contains(data, []byte(old)) }) {
			return nil // what cannot be read cannot be changed either
		}
		tracked := false
		if j.Tracked != nil {
			if tracked, err = j.Tracked(name); err != nil {
				return fmt.Errorf("ask whether git tracks %s: %w", name, err)
			}
		}
		spots = append(spots, rotate.Spot{Placer: "files", Where: name, Sure: true, Preview: preview(data, j), Ref: tracked, ByHand: tracked})
		if tracked {
			spots[len(spots)-1].Preview = append(spots[len(spots)-1].Preview, "git tracks this file: the new key must not stand in it")
		}
		return nil
	})
	return spots, err
}

// written are the ways in which a value stands in files: as it is, and the lines
// of a PEM block with escaped ends between, in a string of one line.
func written(value string) []string {
	if !strings.Contains(value, "\n") {
		return []string{value}
	}
	lines := strings.ReplaceAll(value, "\r\n", "\n")
	return []string{value, strings.ReplaceAll(lines, "\n", `\n`), strings.ReplaceAll(lines, "\n", `\r\n`), strings.ReplaceAll(lines, "\n", `\\n`)}
}

func readAt(root *os.Root, name string) ([]byte, error) {
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, errors.New("no file to look into")
	}
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// preview shows the lines that change, both values masked.
func preview(data []byte, j *rotate.Job) []string {
	var out []string
	old := j.Leak.Secret.Reveal()
	first, _, _ := strings.Cut(old, "\n") // of a value of several lines
	for n, line := range bytes.Split(data, []byte("\n")) {
		if !bytes.Contains(line, []byte(first)) {
			continue
		}
		if len(out) >= 8 {
			return append(out, "…")
		}
		text := strings.ReplaceAll(string(line), first, scanner.Mask(old))
		if first != old { // the other lines may stand behind it, with escaped ends
			before, _, _ := strings.Cut(string(line), first)
			text = before + scanner.Mask(old)
		}
		if r := []rune(text); len(r) > 160 {
			text = string(r[:159]) + "…"
		}
		out = append(out, fmt.Sprintf("%d: %s", n+1, j.Redact.Text(text)))
	}
	return out
}

// Place replaces every occurrence, through a file beside it that takes its
// name: a reader sees the old content or the new one. The mode stays.
func (Files) Place(_ context.Context, j *rotate.Job, s rotate.Spot) error {
	if s.ByHand {
		return errors.New("git tracks this file: the new key must not stand in it")
	}
	if j.New == nil {
		return errors.New("there is no new key")
	}
	root, err := os.OpenRoot(j.WorkTree)
	if err != nil {
		return err
	}
	defer root.Close()
	data, err := readAt(root, s.Where)
	if err != nil {
		return fmt.Errorf("read %s: %w", s.Where, err)
	}
	changed := data
	fresh := written(j.New.Secret.Reveal())
	for i, old := range written(j.Leak.Secret.Reveal()) {
		changed = bytes.ReplaceAll(changed, []byte(old), []byte(fresh[i%len(fresh)]))
	}
	if id := j.Leak.PublicID; id != "" && len(id) >= 8 && j.New.ID != "" { // both halves of a pair change together
		changed = bytes.ReplaceAll(changed, []byte(id), []byte(j.New.ID))
	}
	if bytes.Equal(changed, data) {
		return nil
	}
	return Write(root, s.Where, changed, 0)
}

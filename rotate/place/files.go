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
	"strings"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/scanner"
)

// Files are .env and other files of the work tree in which the old value
// stands. A file that git tracks gets no new key, which would be in the next
// commit: code reads it from the environment from now on, and a file of secrets
// leaves git (tracked.go). Nothing is committed.
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
		if err != nil || len(j.Leak.In(data)) == 0 {
			return nil // what cannot be read cannot be changed either
		}
		spot := rotate.Spot{Placer: "files", Where: name, Sure: true, Preview: preview(data, j), Ref: seen{data: data}}
		if j.Tracked != nil {
			tracked, err := j.Tracked(name)
			if err != nil {
				return fmt.Errorf("ask whether git tracks %s: %w", name, err)
			}
			if tracked {
				spot = trackedSpot(j, root, name, data)
			}
		}
		spots = append(spots, spot)
		return nil
	})
	return spots, err
}

// seen is the Ref of a spot: the content that its preview was made from, and
// what is done about git.
type seen struct {
	data []byte
	way  way
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
	mask, last := scanner.Mask(j.Leak.Secret.Reveal()), -1
	for _, o := range j.Leak.In(data) {
		from := bytes.LastIndexByte(data[:o.From], '\n') + 1
		if from == last { // twice in one line
			continue
		}
		if last = from; len(out) >= 8 {
			return append(out, "…")
		}
		rest, _, _ := bytes.Cut(data[o.To:], []byte("\n"))
		text := string(data[from:o.From]) + mask + strings.TrimRight(string(rest), "\r")
		out = append(out, fmt.Sprintf("%d: %s", bytes.Count(data[:from], []byte("\n"))+1, shorten(j.Redact.Text(text))))
	}
	return out
}

// shorten cuts a line of a preview.
func shorten(line string) string {
	if r := []rune(line); len(r) > 160 {
		return string(r[:159]) + "…"
	}
	return line
}

// Place writes each file through one beside it that takes its name: a reader
// sees the old content or the new one. The mode stays.
func (Files) Place(ctx context.Context, j *rotate.Job, s rotate.Spot) error {
	ref, ok := s.Ref.(seen)
	if s.ByHand || !ok {
		return errors.New("this file is left to a person")
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
	if len(j.Leak.In(data)) == 0 {
		return nil // done before
	}
	if !bytes.Equal(data, ref.data) {
		return fmt.Errorf("%s has changed in the meantime", s.Where)
	}
	switch ref.way {
	case moveOut:
		return moveToEnv(ctx, j, root, s.Where, data)
	case leaveGit:
		if err := outOfGit(ctx, j, root, s.Where); err != nil {
			return err
		}
	case inPlace:
	}
	return Write(root, s.Where, []byte(swap(j, string(data))), 0)
}

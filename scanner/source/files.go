package source

import (
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
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/till-sh/till/scanner"
)

// FilesOptions say which files are read.
type FilesOptions struct {
	// Exclude reports whether a file or folder is left out, and why; nil leaves
	// out none. It is called from several goroutines at once. The path is the
	// one that reports show. It is not asked about the folders given to
	// NewFiles.
	Exclude func(path string, dir bool) (skip bool, reason string)
	// MaxFileSize is the size in bytes above which a file is left out (and
	// named in Summary.Skipped); 0 means no limit.
	MaxFileSize int64
	// RespectGitignore leaves out what .gitignore files and .git/info/exclude
	// name. By default ignored files are read: that is where a .env lies.
	RespectGitignore bool
}

// Files reads files and folders as they lie on the disk.
//
// Symbolic links are not followed, except those given to NewFiles themselves;
// the text of their target is looked at. FIFOs, sockets and devices are not
// opened. Of a .git folder the configuration and the hooks are read, not the
// objects: that is what History is for.
type Files struct {
	paths []string
	opt   FilesOptions
}

// NewFiles returns a source for the files and folders at paths. Reports show
// absolute paths where an absolute one was given, else paths that begin with
// the given one ("." is left out).
func NewFiles(paths []string, opt FilesOptions) *Files {
	return &Files{paths: slices.Clone(paths), opt: opt}
}

// Each implements [scanner.Source].
func (f *Files) Each(ctx context.Context, workers int, fn func(worker int, b *scanner.Blob) error) (scanner.Summary, error) {
	workers = max(workers, 1)
	w := &fileWalk{opt: f.opt, fn: fn, workers: make([]fileWorker, workers)}
	w.idle = sync.NewCond(&w.mu)
	for _, p := range f.paths {
		t, err := w.root(p)
		if err != nil {
			return scanner.Summary{}, err
		}
		w.tasks = append(w.tasks, t)
	}
	w.pending = len(w.tasks)

	group, ctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(ctx, w.wake)()
	for i := range w.workers {
		w.workers[i].walk, w.workers[i].id = w, i
		group.Go(func() error { return w.workers[i].run(ctx) })
	}
	err := group.Wait()
	return w.summary(), err
}

// Attribute implements [scanner.Source]: a file's findings stand in that file.
func (f *Files) Attribute(_ context.Context, findings []scanner.Finding, _ *scanner.Summary) ([][]scanner.Place, []scanner.Exposure, error) {
	places, exposures := ownPlaces(findings, scanner.ExposureFile)
	return places, exposures, nil
}

// fileTask is a folder to list, or some files of a folder to read.
type fileTask struct {
	dir    string       // on the disk
	show   string       // of the folder, for reports; "" for the current one
	files  []dirFile    // when not nil, only these are to be read
	ignore *ignoreRules // rules in force in dir
}

// dirFile is a file of a folder.
type dirFile struct {
	name string      // may be a path below the folder
	mode fs.FileMode // type bits only
	disk string      // path on the disk where it differs from folder and name
}

// fileBatch is how many files of one folder make one task: enough that taking a
// task costs nothing beside them, few enough that a huge flat folder is shared.
const fileBatch = 64

// fileWalk is one run of Files.Each: a stack of tasks that workers take from.
type fileWalk struct {
	opt     FilesOptions
	fn      func(worker int, b *scanner.Blob) error
	workers []fileWorker

	mu      sync.Mutex
	idle    *sync.Cond
	tasks   []fileTask
	pending int // tasks that are not finished
	stopped bool
}

// fileWorker is what one goroutine needs for itself.
type fileWorker struct {
	walk *fileWalk
	id   int
	sum  scanner.Summary
	buf  []byte
	win  windows
}

// root makes the first task for a path given by the user.
func (w *fileWalk) root(given string) (fileTask, error) {
	info, err := os.Stat(given)
	if err != nil {
		return fileTask{}, err
	}
	clean := filepath.Clean(given)
	show := filepath.ToSlash(clean)
	if info.IsDir() {
		if show == "." {
			show = ""
		}
		return fileTask{dir: clean, show: show}, nil
	}
	if !info.Mode().IsRegular() {
		return fileTask{}, &fs.PathError{Op: "open", Path: given, Err: errNotRegular}
	}
	disk, err := filepath.EvalSymlinks(clean)
	if err != nil {
		return fileTask{}, err
	}
	dir, name := path.Split(show)
	if dir != "/" {
		dir = strings.TrimSuffix(dir, "/")
	}
	return fileTask{dir: filepath.Dir(clean), show: dir, files: []dirFile{{name: name, disk: disk}}}, nil
}

func (w *fileWalk) push(tasks ...fileTask) {
	w.mu.Lock()
	w.tasks = append(w.tasks, tasks...)
	w.pending += len(tasks)
	w.mu.Unlock()
	if len(tasks) == 1 {
		w.idle.Signal()
	} else {
		w.idle.Broadcast()
	}
}

// next waits for a task; ok is false when all are finished or the walk stops.
func (w *fileWalk) next() (t fileTask, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.tasks) == 0 && w.pending > 0 && !w.stopped {
		w.idle.Wait()
	}
	if len(w.tasks) == 0 || w.stopped {
		return fileTask{}, false
	}
	t = w.tasks[len(w.tasks)-1]
	w.tasks = w.tasks[:len(w.tasks)-1]
	return t, true
}

func (w *fileWalk) done() {
	w.mu.Lock()
	w.pending--
	last := w.pending == 0
	w.mu.Unlock()
	if last {
		w.idle.Broadcast()
	}
}

func (w *fileWalk) wake() {
	w.mu.Lock()
	w.stopped = true
	w.mu.Unlock()
	w.idle.Broadcast()
}

// summary adds up what the workers did, in an order that does not depend on
// which of them did it.
func (w *fileWalk) summary() scanner.Summary {
	var sum scanner.Summary
	for i := range w.workers {
		s := &w.workers[i].sum
		sum.Files += s.Files
		sum.Bytes += s.Bytes
		sum.Skipped = append(sum.Skipped, s.Skipped...)
		sum.Errors = append(sum.Errors, s.Errors...)
	}
	slices.SortFunc(sum.Skipped, func(a, b scanner.Skip) int {
		return strings.Compare(a.Path+"\x00"+a.Reason, b.Path+"\x00"+b.Reason)
	})
	slices.Sort(sum.Errors)
	return sum
}

func (w *fileWorker) run(ctx context.Context) error {
	for {
		t, ok := w.walk.next()
		if !ok {
			return ctx.Err()
		}
		err := w.task(ctx, t)
		w.walk.done()
		if err != nil {
			return err
		}
	}
}

func (w *fileWorker) task(ctx context.Context, t fileTask) error {
	if t.files == nil {
		return w.list(t)
	}
	for _, f := range t.files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.file(&t, f); err != nil {
			return err
		}
	}
	return nil
}

func (w *fileWorker) fail(show string, err error) {
	var pe *fs.PathError // its path is the one on the disk, which may be absolute
	if errors.As(err, &pe) {
		err = pe.Err
	}
	w.sum.Errors = append(w.sum.Errors, fmt.Sprintf("read %s: %v", show, err))
}

func (w *fileWorker) skip(show, reason string) {
	w.sum.Skipped = append(w.sum.Skipped, scanner.Skip{Path: show, Reason: reason})
}

// excluded asks the options about a path and notes the answer.
func (w *fileWorker) excluded(t *fileTask, name, show string, dir bool) bool {
	if t.ignore.ignored(t.dir, name, dir) {
		w.skip(show, "ignored by git")
		return true
	}
	if w.walk.opt.Exclude == nil {
		return false
	}
	skip, reason := w.walk.opt.Exclude(show, dir)
	if skip {
		w.skip(show, reason)
	}
	return skip
}

// list reads a folder and makes tasks of what is in it.
func (w *fileWorker) list(t fileTask) error {
	show := t.show
	if show == "" {
		show = "."
	}
	d, err := os.Open(t.dir)
	if err != nil {
		w.fail(show, err)
		return nil
	}
	entries, err := d.ReadDir(-1)
	d.Close()
	if err != nil {
		w.fail(show, err) // what was listed before the error is read
	}
	if w.walk.opt.RespectGitignore {
		if t.ignore, err = t.ignore.enter(t.dir); err != nil {
			w.fail(show, err)
		}
	}
	var tasks []fileTask
	var files []dirFile
	for _, e := range entries {
		name := e.Name()
		if !e.IsDir() {
			files = append(files, dirFile{name: name, mode: e.Type()})
			continue
		}
		sub := joinShow(t.show, name)
		if name == ".git" {
			w.skip(sub, "git objects are read with --history")
			tasks = append(tasks, w.gitDir(filepath.Join(t.dir, name), sub)...)
			continue
		}
		if w.excluded(&t, name, sub, true) {
			continue
		}
		if err := w.name(t.show, name); err != nil {
			return err
		}
		tasks = append(tasks, fileTask{dir: filepath.Join(t.dir, name), show: sub, ignore: t.ignore})
	}
	for batch := range slices.Chunk(files, fileBatch) {
		tasks = append(tasks, fileTask{dir: t.dir, show: t.show, files: batch, ignore: t.ignore})
	}
	if len(tasks) > 0 {
		w.walk.push(tasks...)
	}
	return nil
}

// joinShow joins report paths; dir may be "" or "/".
func joinShow(dir, name string) string {
	if dir == "" || strings.HasSuffix(dir, "/") {
		return dir + name
	}
	return dir + "/" + name
}

// name passes on the name of a file or folder.
func (w *fileWorker) name(dir, name string) error {
	show := joinShow(dir, name)
	return w.walk.fn(w.id, &scanner.Blob{
		Path: show, Where: scanner.InPath, Data: []byte(name), Offset: int64(len(show) - len(name)),
	})
}

// file reads one file. Only an error of fn is returned.
func (w *fileWorker) file(t *fileTask, f dirFile) error {
	show := joinShow(t.show, f.name)
	if w.excluded(t, f.name, show, false) {
		return nil
	}
	if err := w.name(t.show, f.name); err != nil {
		return err
	}
	full := f.disk
	if full == "" {
		full = filepath.Join(t.dir, f.name)
	}
	switch {
	case f.mode&fs.ModeSymlink != 0:
		target, err := os.Readlink(full)
		if err != nil {
			w.fail(show, err)
			return nil
		}
		return w.pass(&scanner.Blob{Path: show, Data: []byte(target)})
	case f.mode != 0:
		w.skip(show, fileKind(f.mode))
		return nil
	}
	return w.regular(full, show)
}

// pass counts a file and hands it to fn.
func (w *fileWorker) pass(b *scanner.Blob) error {
	w.sum.Files++
	w.sum.Bytes += int64(len(b.Data))
	return w.walk.fn(w.id, b)
}

func fileKind(m fs.FileMode) string {
	switch {
	case m&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "not a regular file"
}

// regular reads what should be an ordinary file.
func (w *fileWorker) regular(full, show string) error {
	f, size, err := openFile(full)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		w.skip(show, "deleted during the scan")
		return nil
	case errors.Is(err, errNotRegular):
		w.skip(show, errNotRegular.Error())
		return nil
	case err != nil:
		w.fail(show, err)
		return nil
	}
	defer f.Close()
	if limit := w.walk.opt.MaxFileSize; limit > 0 && size > limit {
		w.skip(show, fmt.Sprintf("larger than %d bytes", limit))
		return nil
	}
	if size <= wholeLimit {
		data, err := w.readAll(f, int(size))
		if err != nil {
			w.fail(show, err) // what was read before the error is looked at
		}
		if len(data) <= wholeLimit {
			return w.pass(&scanner.Blob{Path: show, Data: data})
		}
		// It grew while it was read.
		return w.split(io.MultiReader(strings.NewReader(string(data)), f), show)
	}
	return w.split(f, show)
}

// split passes on a large file in windows.
func (w *fileWorker) split(r io.Reader, show string) error {
	n, err := w.win.passStream(r, scanner.Blob{Path: show}, func(b *scanner.Blob) error { return w.walk.fn(w.id, b) })
	if stop := (*stopError)(nil); errors.As(err, &stop) {
		return stop.err
	}
	if err != nil {
		w.fail(show, err)
	}
	w.sum.Files++
	w.sum.Bytes += n
	return nil
}

// readAll reads a file of about size bytes into the worker's buffer, up to
// wholeLimit+1 bytes.
func (w *fileWorker) readAll(f io.Reader, size int) ([]byte, error) {
	if need := size + 1; cap(w.buf) < need {
		w.buf = make([]byte, max(need, min(2*cap(w.buf), wholeLimit+1), 64<<10))
	}
	buf, n := w.buf[:cap(w.buf)], 0
	for {
		m, err := f.Read(buf[n:])
		n += m
		// An ordinary file gives all that was asked for except at its end, so
		// that a second read to see the end can be saved.
		if err == io.EOF || err == nil && size > 0 && n == size && n < len(buf) {
			return buf[:n], nil
		}
		if err != nil {
			return buf[:n], err
		}
		if n == len(buf) {
			if n > wholeLimit {
				return buf, nil
			}
			w.buf = append(buf, make([]byte, min(len(buf), wholeLimit+1-len(buf)))...)
			buf = w.buf
		}
	}
}

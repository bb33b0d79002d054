package source

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// gitDir lists what is read of a git directory: its configuration and its
// hooks, and those of the submodules and worktrees it holds. A remote's URL
// with a token in it is the usual leak there.
func (w *fileWorker) gitDir(dir, show string) []fileTask {
	var files []dirFile
	add := func(name string) {
		switch info, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(name))); {
		case err == nil && !info.IsDir():
			files = append(files, dirFile{name: name, mode: info.Mode().Type()})
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			w.fail(joinShow(show, name), err)
		}
	}
	list := func(name string) []fs.DirEntry {
		entries, err := os.ReadDir(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			w.fail(joinShow(show, name), err)
		}
		return entries
	}
	add("config")
	add("config.worktree")
	for _, e := range list("hooks") {
		if !e.IsDir() && !strings.HasSuffix(e.Name(), ".sample") {
			files = append(files, dirFile{name: "hooks/" + e.Name(), mode: e.Type()})
		}
	}
	for _, e := range list("worktrees") {
		if e.IsDir() {
			add("worktrees/" + e.Name() + "/config.worktree")
		}
	}
	var tasks []fileTask
	if len(files) > 0 {
		tasks = append(tasks, fileTask{dir: dir, show: show, files: files})
	}
	return append(tasks, w.submodules(filepath.Join(dir, "modules"), joinShow(show, "modules"))...)
}

// submodules finds git directories below modules/. A submodule's name may hold
// slashes, so they lie at any depth.
func (w *fileWorker) submodules(dir, show string) []fileTask {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.fail(show, err)
	}
	var tasks []fileTask
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		sub, subShow := filepath.Join(dir, e.Name()), joinShow(show, e.Name())
		if exists(filepath.Join(sub, "HEAD")) {
			tasks = append(tasks, w.gitDir(sub, subShow)...)
		} else {
			tasks = append(tasks, w.submodules(sub, subShow)...)
		}
	}
	return tasks
}

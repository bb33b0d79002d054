package source

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/pack"
)

func history(r *repo) *History { return NewHistory(r.open(), HistoryOptions{}) }

// wide makes a repository with a key in every place that a history has.
func wide(t *testing.T) *repo {
	r := newRepo(t)
	r.commit("start", "README", "r\n")
	first := r.commit("add and remove\n\nbody "+key("body"), "app/conf.txt", text("removed"), "keep.txt", text("kept"))
	r.commit("remove", "app/conf.txt", "-")
	r.git("checkout", "-q", "-b", "side")
	r.commit("side "+key("subject"), "side.txt", text("side"))
	r.git("tag", "-a", "-m", "release "+key("tag"), "v1")
	r.git("tag", "-a", "-m", "again "+key("nested"), "v2", "v1")
	r.git("checkout", "-q", "main")
	r.commit("name", "k/"+key("file")+".txt", "f\n", key("folder")+"/x", "x\n")
	r.git("merge", "-q", "--no-commit", "--no-ff", "side")
	r.stage("merged.txt", text("evil"))
	r.git("commit", "-q", "-m", "merge")
	r.git("branch", "fix/"+key("branch"))
	r.git("tag", "t-"+key("light"))
	r.git("-c", "user.name=x", "notes", "add", "-m", "a note "+key("note"), first)
	r.git("tag", "blob", r.hash(text("tagged-blob")))
	r.git("checkout", "-q", "--orphan", "pages")
	r.git("rm", "-q", "-r", "-f", ".")
	r.commit("orphan", "index.html", text("orphan"))
	r.git("checkout", "-q", "main")
	r.write("README", text("stash-tree"))
	r.git("stash", "-q")
	r.write("README", text("stash-older"))
	r.git("stash", "-q")
	r.env = append(r.env, "GIT_AUTHOR_NAME=Ada "+strings.Trim(key("author"), "<>"), "GIT_COMMITTER_EMAIL="+strings.Trim(key("committer"), "<>"))
	r.commit("odd author", "z", "z\n")
	r.commit("odd author again", "z", "zz\n")
	r.env = r.env[:len(r.env)-2]
	r.write("README", text("worktree-only"))
	r.git("checkout", "-q", "-f", "--detach")
	r.commit("detached", "d.txt", text("detached"))
	r.git("reset", "-q", "--hard", "HEAD~1")
	return r
}

var wideKeys = []string{
	"body", "removed", "kept", "subject", "side", "tag", "nested", "file", "folder", "evil", "branch", "light", "note",
	"tagged-blob", "orphan", "stash-tree", "stash-older", "detached", "committer",
}

func TestHistoryContract(t *testing.T) {
	r := wide(t)
	want := wideKeys
	contract(t, func() scanner.Source { return history(r) }, want...)
	r.git("repack", "-a", "-d", "-q")
	r.git("pack-refs", "--all")
	contract(t, func() scanner.Source { return history(r) }, want...)
	got := scan(t, history(r), 2)
	wantComplete(t, got)
	if n := r.git("rev-list", "--all", "--reflog", "--count"); fmt.Sprint(got.sum.Commits) != n {
		t.Errorf("%d commits, git counts %s", got.sum.Commits, n)
	}
	if n := r.git("for-each-ref", "--format=x"); got.sum.Refs != len(strings.Fields(n)) {
		t.Errorf("%d refs", got.sum.Refs)
	}
	for label, check := range map[string]func(p scanner.Place, e scanner.Exposure) bool{
		"removed": func(p scanner.Place, _ scanner.Exposure) bool { return p.Path == "app/conf.txt" && !p.Present },
		"kept":    func(p scanner.Place, _ scanner.Exposure) bool { return p.Path == "keep.txt" && p.Present },
		"evil":    func(p scanner.Place, _ scanner.Exposure) bool { return p.Commit.Subject == "merge" },
		"side":    func(p scanner.Place, _ scanner.Exposure) bool { return p.Commit.Subject == "side "+key("subject") },
		"subject": func(p scanner.Place, _ scanner.Exposure) bool { return p.Where == scanner.InMessage && p.Path == "" },
		"tag": func(p scanner.Place, _ scanner.Exposure) bool {
			return p.Where == scanner.InTag && slices.Contains(p.Refs, "v1")
		},
		"note": func(p scanner.Place, _ scanner.Exposure) bool { return p.Where == scanner.InNote },
		"folder": func(p scanner.Place, _ scanner.Exposure) bool {
			return p.Where == scanner.InPath && p.Path == key("folder") && p.Present
		},
		"file": func(p scanner.Place, _ scanner.Exposure) bool {
			return p.Path == "k/"+key("file")+".txt" && p.Location.Offset == 2
		},
		"branch": func(p scanner.Place, _ scanner.Exposure) bool {
			return p.Where == scanner.InRef && p.Path == "refs/heads/fix/"+key("branch")
		},
		"tagged-blob": func(p scanner.Place, _ scanner.Exposure) bool {
			return p.Commit == nil && slices.Equal(p.Refs, []string{"blob"})
		},
		"stash-tree":  func(p scanner.Place, _ scanner.Exposure) bool { return p.Refs[0] == "stash@{1}" },
		"stash-older": func(p scanner.Place, _ scanner.Exposure) bool { return slices.Equal(p.Refs, []string{"stash"}) },
		"detached":    func(p scanner.Place, _ scanner.Exposure) bool { return p.Refs[0] == "ORIG_HEAD" },
		"orphan": func(p scanner.Place, e scanner.Exposure) bool {
			return p.Refs[0] == "pages" && e == scanner.ExposureLocal
		},
	} {
		p, exposure := got.place(t, label)
		if p.Refs == nil {
			p.Refs = []string{""}
		}
		if !check(p, exposure) {
			t.Errorf("%s: %+v, %+v, %s", label, p, p.Commit, exposure)
		}
	}
}

// TestHistoryAuthors: an author line is passed on once, as part of the oldest
// commit that has it.
func TestHistoryAuthors(t *testing.T) {
	r := newRepo(t)
	r.commit("start", "a", "a")
	r.env = append(r.env, "GIT_AUTHOR_NAME=x [key:author] y", "GIT_COMMITTER_EMAIL=[key:committer]@z", "GIT_COMMITTER_DATE=1700000100 +0000")
	first := r.commit("first", "a", "b")
	r.env = append(r.env, "GIT_COMMITTER_DATE=1700000200 +0000")
	r.commit("second", "a", "c")
	r.git("tag", "-a", "-m", "t", "v1")
	r.env = append(r.env, "GIT_COMMITTER_NAME=[key:tagger]")
	r.git("tag", "-a", "-m", "t", "v2")
	h := history(r)
	got := map[string]string{}
	_, err := h.Each(t.Context(), 2, func(_ int, b *scanner.Blob) error {
		if b.Where == scanner.InAuthor {
			if got[string(b.Data)] != "" {
				t.Errorf("%s comes twice", b.Data)
			}
			got[string(b.Data)] = b.Hash
		}
		return nil
	})
	must(t, err)
	for line, id := range map[string]string{
		"x [key:author] y <ada@north.invalid>": first, "Ada North <[key:committer]@z>": first,
		"[key:tagger] <[key:committer]@z>": r.git("rev-parse", "v2^{tag}"),
	} {
		if got[line] != id {
			t.Errorf("%s: %s, want %s; have %q", line, got[line], id, got)
		}
	}
	places, _, err := h.Attribute(t.Context(), []scanner.Finding{{Where: scanner.InAuthor, Hash: first}}, &scanner.Summary{})
	if err != nil || len(places[0]) != 1 || places[0][0].Commit.Subject != "first" {
		t.Errorf("%+v %v", places, err)
	}
	for line, want := range map[string]string{
		"A <a@b> 1700000000 +0100": "A <a@b>", "A <a@b>": "A <a@b>", "A <a@b> x 1700000000 +0100": "A <a@b> x 1700000000 +0100",
		"A <a@b> 1700000000 +0100 tail": "A <a@b> 1700000000 +0100 tail", "": "", "+0100": "+0100", "> 1 -0000": ">",
	} {
		if got := identity([]byte(line)); got != want {
			t.Errorf("identity(%q) = %q, want %q", line, got, want)
		}
	}
}

// TestAttribution compares with a plain reading of every tree of every commit.
func TestAttribution(t *testing.T) {
	r := newRepo(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	names := []string{"a", "b", "d/a", "d/b", "d/e/a", "d/e/f/b", "g/a", "g", "d/e"}
	var contents []string
	for i := range 6 {
		contents = append(contents, r.hash(fmt.Sprint("content ", i)))
	}
	var commits []string
	for i := range 80 {
		args := []string{"commit-tree", "-m", fmt.Sprint("commit ", i)}
		if i > 0 {
			base := commits[max(0, i-1-rnd.IntN(4))]
			r.git("read-tree", base)
			args = append(args, "-p", base)
			for range rnd.IntN(3) {
				if other := commits[rnd.IntN(i)]; !slices.Contains(args, other) {
					args = append(args, "-p", other)
				}
			}
		}
		for range rnd.IntN(6) {
			name := names[rnd.IntN(len(names))]
			if rnd.IntN(3) == 0 {
				r.try("rm", "-q", "-r", "--cached", name)
			} else {
				r.git("update-index", "--add", "--replace", "--cacheinfo", "100644,"+contents[rnd.IntN(len(contents))]+","+name)
			}
		}
		// Times go backwards now and then, as clocks do.
		r.env = append(r.env, fmt.Sprintf("GIT_COMMITTER_DATE=%d +0000", 1700000000+i*10-rnd.IntN(100)))
		commits = append(commits, r.git(append(args, r.git("write-tree"))...))
		r.env = r.env[:len(r.env)-1]
		r.git("update-ref", fmt.Sprint("refs/heads/b", i), commits[i])
	}
	r.git("update-ref", "refs/heads/main", commits[79])
	r.git("repack", "-a", "-d", "-q")

	// What git says of each commit.
	parents, times, trees := map[string][]string{}, map[string]int{}, map[string]map[string]string{}
	for line := range strings.Lines(r.git("rev-list", "--all", "--parents", "--timestamp")) {
		f := strings.Fields(line)
		seconds, err := strconv.Atoi(f[0])
		must(t, err)
		times[f[1]] = seconds
		parents[f[1]] = f[2:]
		trees[f[1]] = map[string]string{}
		for e := range strings.SplitSeq(strings.Trim(r.git("ls-tree", "-r", "-z", f[1]), "\x00"), "\x00") {
			if info, path, ok := strings.Cut(e, "\t"); ok {
				trees[f[1]][path] = strings.Fields(info)[2]
			}
		}
	}
	var want []string
	seen, done := map[string]bool{}, map[string]bool{}
	for len(done) < len(parents) {
		next := "" // the oldest commit whose parents are done
		for c, ps := range parents {
			ready := !done[c] && !slices.ContainsFunc(ps, func(p string) bool { return !done[p] })
			if ready && (next == "" || times[c] < times[next] || times[c] == times[next] && c < next) {
				next = c
			}
		}
		done[next] = true
		for path, blob := range trees[next] {
			if slices.ContainsFunc(parents[next], func(p string) bool { return trees[p][path] == blob }) || seen[path+blob] {
				continue
			}
			seen[path+blob] = true
			want = append(want, fmt.Sprintln(blob, path, next, trees[commits[79]][path] == blob))
		}
	}
	slices.Sort(want)

	h := history(r)
	_, err := h.Each(t.Context(), 2, func(int, *scanner.Blob) error { return nil })
	must(t, err)
	var findings []scanner.Finding
	for _, c := range contents {
		findings = append(findings, scanner.Finding{Hash: c})
	}
	places, _, err := h.Attribute(t.Context(), findings, &scanner.Summary{})
	must(t, err)
	var got []string
	for _, list := range places {
		for _, p := range list {
			got = append(got, fmt.Sprintln(p.Blob, p.Path, p.Commit.Hash, p.Present))
			for _, ref := range p.Refs { // a sample of what git branch --contains says
				if _, err := r.try("merge-base", "--is-ancestor", p.Commit.Hash, ref); err != nil {
					t.Errorf("%s does not reach %s", ref, p.Commit.Hash)
				}
			}
			if len(p.Refs) == 0 {
				t.Errorf("%s is reached by nothing", p.Commit.Hash)
			}
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%d places, want %d: first difference %q", len(got), len(want), firstDifference(got, want))
	}
	if len(want) < 40 {
		t.Errorf("only %d places: a poor test", len(want))
	}
}

func TestHistoryUnreachable(t *testing.T) {
	r := newRepo(t)
	r.commit("start", "a.txt", text("start"))
	r.commit("dropped "+key("message"), "b.txt", text("dropped"), key("name"), "n")
	r.git("reset", "-q", "--hard", "HEAD~1")
	must(t, os.RemoveAll(r.path(".git/logs")))
	must(t, os.Remove(r.path(".git/ORIG_HEAD")))
	r.hash(text("never"))
	got := scan(t, history(r), 2)
	wantLabels(t, got, "start")
	wantComplete(t, got)
	if got.sum.Unreachable != 4 {
		t.Errorf("%d unreachable keys, want 4", got.sum.Unreachable)
	}
	got = scan(t, NewHistory(r.open(), HistoryOptions{Unreachable: true}), 2)
	wantLabels(t, got, "start", "dropped", "never", "message", "name")
	for label, path := range map[string]string{"dropped": "b.txt", "never": "", "name": key("name")} {
		p, exposure := got.place(t, label)
		if exposure != scanner.ExposureUnreachable || p.Path != path || p.Present {
			t.Errorf("%s: %+v %s", label, p, exposure)
		}
	}
	if p, exposure := got.place(t, "start"); exposure != scanner.ExposureLocal || !p.Present {
		t.Errorf("start: %+v %s", p, exposure)
	}
}

func TestHistoryExposure(t *testing.T) {
	r := newRepo(t)
	a := r.commit("a", "a.txt", text("pushed"))
	r.git("update-ref", "refs/remotes/origin/main", a)
	r.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
	r.commit("b", "b.txt", text("local"))
	r.git("tag", "v1")
	got := scan(t, history(r), 2)
	p, exposure := got.place(t, "pushed")
	if exposure != scanner.ExposurePushed || !slices.Equal(p.Refs, []string{"v1", "main", "origin/main"}) {
		t.Errorf("%v %s", p.Refs, exposure)
	}
	p, exposure = got.place(t, "local")
	if exposure != scanner.ExposureLocal || !slices.Equal(p.Refs, []string{"v1", "main"}) {
		t.Errorf("%v %s", p.Refs, exposure)
	}
	r.git("config", "remote.mirror.fetch", "+refs/heads/*:refs/heads/*")
	if _, exposure = scan(t, history(r), 2).place(t, "local"); exposure != scanner.ExposurePushed {
		t.Errorf("in a mirror: %s", exposure)
	}
}

func TestHistoryDamaged(t *testing.T) {
	setup := func(t *testing.T) (*repo, []string) {
		r := newRepo(t)
		var ids []string
		for i := range 4 {
			ids = append(ids, r.commit(fmt.Sprint("commit ", i), fmt.Sprintf("d/f%d.txt", i), text(fmt.Sprint("k", i))))
		}
		return r, ids
	}
	object := func(id string) string { return ".git/objects/" + id[:2] + "/" + id[2:] }
	for _, test := range []struct {
		name string
		make func(r *repo, ids []string) []string // texts that one error must hold
		keys []string
	}{
		{"missing blob", func(r *repo, ids []string) []string {
			id := r.git("rev-parse", ids[2]+":d/f2.txt")
			r.remove(id)
			return []string{id, "d/f2.txt", ids[2]}
		}, []string{"k0", "k1", "k3"}},
		{"missing tree", func(r *repo, ids []string) []string {
			id := r.git("rev-parse", ids[1]+":d")
			r.remove(id)
			return []string{id, `"d"`, ids[1]}
		}, []string{"k0", "k1", "k2", "k3"}},
		{"missing root tree", func(r *repo, ids []string) []string {
			id := r.git("rev-parse", ids[1]+"^{tree}")
			r.remove(id)
			return []string{id, ids[1]}
		}, []string{"k0", "k1", "k2", "k3"}},
		{"missing commit", func(r *repo, ids []string) []string {
			r.remove(ids[1])
			return []string{ids[1], "parent", ids[2]}
		}, []string{"k0", "k1", "k2", "k3"}},
		{"missing blob behind a tag", func(r *repo, ids []string) []string {
			tree := r.object("tree", "100644 lost\x00"+strings.Repeat("\x01", 20))
			r.write(".git/refs/tags/tree", tree+"\n")
			return []string{strings.Repeat("01", 20), "lost", "refs/tags/tree"}
		}, []string{"k0", "k1", "k2", "k3"}},
		{"corrupt blob", func(r *repo, ids []string) []string {
			id := r.git("rev-parse", ids[2]+":d/f2.txt")
			must(r.t, os.Chmod(r.path(object(id)), 0o644))
			r.write(object(id), "not zlib")
			return []string{id}
		}, []string{"k0", "k1", "k3"}},
		{"ref to nothing", func(r *repo, ids []string) []string {
			r.write(".git/refs/heads/broken", strings.Repeat("ab", 20)+"\n")
			return []string{"refs/heads/broken", "abab"}
		}, []string{"k0", "k1", "k2", "k3"}},
		{"junk ref", func(r *repo, ids []string) []string {
			r.write(".git/refs/heads/junk", "junk\n")
			return []string{"refs/heads/junk"}
		}, []string{"k0", "k1", "k2", "k3"}},
		{"tag of nothing", func(r *repo, ids []string) []string {
			id := r.object("tag", "object "+strings.Repeat("cd", 20)+"\ntype blob\ntag x\n\nmessage "+key("tag")+"\n")
			r.write(".git/refs/tags/x", id+"\n")
			return []string{"refs/tags/x", "cdcd"}
		}, []string{"k0", "k1", "k2", "k3", "tag"}},
		{"tree that cannot be read", func(r *repo, ids []string) []string {
			id := r.object("tree", "100644 "+key("name")+"\x00"+strings.Repeat("\x01", 20)+"100644 cut")
			r.write(".git/refs/tags/x", id+"\n")
			return []string{"read tree " + id}
		}, []string{"k0", "k1", "k2", "k3", "name"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, ids := setup(t)
			want := test.make(r, ids)
			got := scan(t, history(r), 2)
			wantLabels(t, got, test.keys...)
			if want != nil {
				wantError(t, got, want...)
			} else {
				wantComplete(t, got)
			}
		})
	}

	t.Run("partial clone", func(t *testing.T) {
		r, ids := setup(t)
		r.git("config", "remote.origin.promisor", "true")
		id := r.git("rev-parse", ids[2]+":d/f2.txt")
		r.remove(id)
		got := scan(t, history(r), 2)
		wantError(t, got, "partial clone", "1 objects")
		wantError(t, got, id)
	})
	t.Run("missing but unreachable", func(t *testing.T) {
		r, ids := setup(t)
		r.git("reset", "-q", "--hard", ids[1])
		must(t, os.RemoveAll(r.path(".git/logs")))
		must(t, os.Remove(r.path(".git/ORIG_HEAD")))
		r.remove(r.git("rev-parse", ids[2]+":d/f2.txt"))
		r.remove(ids[2])
		got := scan(t, history(r), 2)
		wantLabels(t, got, "k0", "k1")
		wantComplete(t, got)
	})
	t.Run("pruned reflog", func(t *testing.T) {
		r, ids := setup(t)
		r.git("reset", "-q", "--hard", ids[2])
		r.remove(ids[3])
		got := scan(t, history(r), 2)
		wantComplete(t, got)
		if len(got.sum.Notes) != 1 || !strings.Contains(got.sum.Notes[0], ids[3]) {
			t.Errorf("notes %q", got.sum.Notes)
		}
	})
}

// object writes an object as it is, whatever git would say to it.
func (r *repo) object(typ, data string) string {
	r.t.Helper()
	data = fmt.Sprintf("%s %d\x00%s", typ, len(data), data)
	id := fmt.Sprintf("%x", sha1.Sum([]byte(data)))
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	w.Write([]byte(data))
	w.Close()
	r.write(".git/objects/"+id[:2]+"/"+id[2:], packed.String())
	return id
}

func TestHistoryShallow(t *testing.T) {
	src := newRepo(t)
	src.commit("old", "a.txt", text("old"))
	src.commit("new", "a.txt", "gone\n", "b.txt", text("new"))
	tip := src.commit("newest", "c.txt", "c\n")
	clone := &repo{t: t, dir: filepath.Join(t.TempDir(), "clone"), env: src.env}
	src.git("clone", "-q", "--depth=1", "file://"+src.dir, clone.dir)
	got := scan(t, history(clone), 2)
	wantLabels(t, got, "new")
	wantError(t, got, "shallow", tip, "fetch-depth: 0")

	// A shallow file that hides what is here changes nothing.
	src.write(".git/shallow", tip+"\n")
	got = scan(t, history(src), 2)
	wantLabels(t, got, "old", "new")
	wantComplete(t, got)
	if len(got.sum.Notes) != 1 || !strings.Contains(got.sum.Notes[0], "shallow") {
		t.Errorf("notes %q", got.sum.Notes)
	}
	// Neither do grafts and replace refs.
	must(t, os.Remove(src.path(".git/shallow")))
	src.git("update-ref", "refs/replace/"+src.git("rev-parse", tip+"~2"), tip)
	src.write(".git/info/grafts", tip+"\n")
	wantLabels(t, scan(t, history(src), 2), "old", "new")
}

// TestHistoryHostileTrees: names that git would refuse are only labels.
func TestHistoryHostileTrees(t *testing.T) {
	r := newRepo(t)
	r.commit("start", "a", "a\n")
	raw := func(id string) string {
		o, err := pack.ParseOID(id)
		must(t, err)
		return string(o.Bytes())
	}
	blob := func(label string) string { return raw(r.hash(text(label))) }
	up := r.object("tree", "100644 up\x00"+blob("up"))
	tree := r.object("tree", "40000 ..\x00"+raw(up)+"40000 .git\x00"+raw(up)+"100644 a/../b\x00"+blob("slash")+
		"100644 dup\x00"+blob("dup1")+"100644 dup\x00"+blob("dup2")+"100664 mode\x00"+blob("mode")+"7 odd\x00"+blob("odd")+
		"100644 \x00"+blob("empty")+"100644 /abs\x00"+blob("abs")+"100644 aa\x00"+blob("order"))
	for range 700 {
		tree = r.object("tree", "40000 d\x00"+raw(tree))
	}
	commit := r.object("commit", "tree "+tree+"\nparent "+r.git("rev-parse", "HEAD")+"\nauthor x\ncommitter y <z> 1 +0000\nx-token "+key("header")+"\n\nmessage\n")
	r.write(".git/refs/heads/evil", commit+"\n")
	got := scan(t, history(r), 2)
	wantLabels(t, got, "up", "slash", "dup1", "dup2", "mode", "odd", "empty", "abs", "order", "header")
	wantComplete(t, got)
	deep := strings.Repeat("d/", 700)
	for label, path := range map[string]string{"slash": deep + "a/../b", "dup2": deep + "dup", "empty": deep, "abs": deep + "/abs"} {
		if p, _ := got.place(t, label); p.Path != path {
			t.Errorf("%s: path %q", label, p.Path)
		}
	}
	n := 0
	for i, f := range got.findings {
		if f.Secret.Reveal() == key("up") {
			n += len(got.places[i])
		}
	}
	if n != 2 {
		t.Errorf("the blob in .. and .git has %d places", n)
	}
}

func TestHistoryFormats(t *testing.T) {
	r := newRepo(t, "--object-format=sha256")
	r.commit("start", "a.txt", text("a"))
	r.commit("gone", "a.txt", "-", "d/b.txt", text("b"))
	got := scan(t, history(r), 2)
	wantLabels(t, got, "a", "b")
	wantComplete(t, got)

	shared := newRepo(t)
	shared.commit("start", "a.txt", text("borrowed"))
	clone := &repo{t: t, dir: filepath.Join(t.TempDir(), "clone"), env: shared.env}
	shared.git("clone", "-q", "--shared", shared.dir, clone.dir)
	wantLabels(t, scan(t, history(clone), 2), "borrowed")

	empty := newRepo(t)
	got = scan(t, history(empty), 2)
	wantLabels(t, got)
	wantComplete(t, got)
	empty.commit("nothing")
	wantComplete(t, scan(t, history(empty), 2))

	linked := filepath.Join(t.TempDir(), "linked")
	shared.git("worktree", "add", "-q", "--detach", linked)
	w := &repo{t: t, dir: linked, env: shared.env}
	w.commit("in the worktree", "w.txt", text("linked"))
	wantLabels(t, scan(t, history(shared), 2), "borrowed", "linked")
	wantLabels(t, scan(t, history(w), 2), "borrowed", "linked")
}

func TestJoinEdges(t *testing.T) {
	const k = 1 << 32 // edges have the upper half of a key
	part := treeEdges{trees: []uint64{10 * k, 20 * k, 30 * k, 40 * k}, hits: []uint32{0}}
	part.edges = [][]treeEdge{{{child: 10, above: 1}, {child: 20, above: 2}, {child: 99, above: 3}}}
	other := treeEdges{trees: []uint64{1<<63 + 1, 60 * k}, edges: [][]treeEdge{{{child: 30, above: 0}, {child: 60, above: 1}}}}
	last := treeEdges{trees: []uint64{70 * k}, edges: [][]treeEdge{{{child: 1 << 31, above: 0}}}}
	got := joinEdges([]treeEdges{part, other, last, {}})
	if len(got) != 5 || !got[10*k] || !got[20*k] || !got[30*k] || !got[1<<63+1] || !got[70*k] {
		t.Errorf("got %v", got)
	}
}

func BenchmarkHistory(b *testing.B) {
	dir := os.Getenv("TILL_BENCH_REPO")
	if dir == "" {
		b.Skip("TILL_BENCH_REPO names no repository")
	}
	for b.Loop() {
		repo, err := Discover(dir, os.Getenv)
		if err != nil {
			b.Fatal(err)
		}
		sum, err := NewHistory(repo, HistoryOptions{}).Each(context.Background(), 2, func(int, *scanner.Blob) error { return nil })
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(sum.Bytes)
		repo.Close()
	}
}

// TestHistoryBomb: trees that stand for ten thousand million paths are read
// once, and what is in them is reported.
func TestHistoryBomb(t *testing.T) {
	r := newRepo(t)
	base := r.commit("start", "a", "a\n")
	raw := func(id string) string {
		o, err := pack.ParseOID(id)
		must(t, err)
		return string(o.Bytes())
	}
	tree, mode := raw(r.hash(text("bomb"))), "100644"
	for range 10 {
		var entries strings.Builder
		for i := range 10 {
			fmt.Fprintf(&entries, "%s d%d\x00%s", mode, i, tree)
		}
		tree, mode = raw(r.object("tree", entries.String())), "40000"
	}
	root := fmt.Sprintf("%x", tree)
	commit := r.object("commit", "tree "+root+"\nparent "+base+"\nauthor x\ncommitter y <z> 1 +0000\n\nmessage\n")
	r.write(".git/refs/heads/evil", commit+"\n")
	h := history(r)
	sum, err := h.Each(t.Context(), 2, func(int, *scanner.Blob) error { return nil })
	must(t, err)
	if !sum.Complete() {
		t.Error(sum.Errors)
	}
	places, _, err := h.Attribute(t.Context(), []scanner.Finding{{Hash: r.hash(text("bomb"))}}, &sum)
	must(t, err)
	if len(places[0]) != maxPlaces || len(sum.Notes) != 1 {
		t.Errorf("%d places, notes %q", len(places[0]), sum.Notes)
	}

	store, err := r.open().Store()
	must(t, err)
	id, err := pack.ParseOID(root)
	must(t, err)
	failed := 0
	d := &treeDiff{store: store, fail: func(string, error) { failed++ }, limit: 5000}
	d.diffTree(id, nil)
	if failed != 1 || len(d.changes) < 1000 || len(d.changes) > 5000 {
		t.Errorf("%d changes, %d errors", len(d.changes), failed)
	}
}

func TestGraphCycle(t *testing.T) {
	id := func(b byte) pack.OID { return pack.OIDFromBytes(bytes.Repeat([]byte{b}, 20)) }
	g := newGraph([]commitNode{
		{id: id(1), parents: []pack.OID{id(3)}}, {id: id(2), parents: []pack.OID{id(1)}},
		{id: id(3), parents: []pack.OID{id(2)}}, {id: id(4)}, {id: id(5), parents: []pack.OID{id(3), id(9)}},
	}, pack.SHA1)
	order := g.order()
	if len(order) != 5 || order[0] != 3 {
		t.Errorf("order %v", order)
	}
	if len(g.cut) != 1 || g.cut[0].number != 4 || g.absent(4)[0] != id(9) {
		t.Errorf("cut %v", g.cut)
	}
	if got := g.reach([]int32{4}); !got[0] || !got[1] || !got[2] || got[3] || !got[4] {
		t.Errorf("reach %v", got)
	}
}

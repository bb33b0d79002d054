package source

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/till-sh/till/scanner"
)

func commits(t *testing.T, r *repo, spec string) *Range {
	t.Helper()
	s, err := NewRange(r.open(), spec, RangeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRangeContract(t *testing.T) {
	r := newRepo(t)
	r.commit("before "+key("early"), "base.txt", text("base"), "d/e/f.txt", text("folder"), "gone.txt", text("gone"))
	r.git("tag", "v1")
	first := r.commit("first "+key("message"), "new.txt", text("new"), "base.txt", text("base")+text("added"))
	r.commit("second", "new.txt", text("new")+"\n", "d/e/"+key("name"), "x", "gone.txt", "-")
	r.git("mv", "d/e/f.txt", "d/g.txt")
	r.commit("third")
	r.commit("removed", "new.txt", "-", "d/x.txt", text("later"))
	contract(t, func() scanner.Source { return commits(t, r, "v1..HEAD") }, "message", "new", "added", "name", "later")
	got := scan(t, commits(t, r, "v1"), 2)
	wantComplete(t, got)
	if got.sum.Commits != 4 || got.sum.Merges != 0 {
		t.Errorf("%d commits, %d merges", got.sum.Commits, got.sum.Merges)
	}
	p, exposure := got.place(t, "added")
	if p.Path != "base.txt" || p.Commit.Hash != first || !p.Present || exposure != scanner.ExposureLocal {
		t.Errorf("%+v %s", p, exposure)
	}
	if p, _ := got.place(t, "message"); p.Commit.Hash != first || p.Where != scanner.InMessage {
		t.Errorf("%+v", p)
	}
	if p, _ := got.place(t, "name"); p.Path != "d/e/"+key("name") || p.Location.Offset != 4 {
		t.Errorf("%+v", p)
	}
	r.git("update-ref", "refs/remotes/origin/main", first)
	got = scan(t, commits(t, r, "v1.."), 2)
	if _, exposure := got.place(t, "added"); exposure != scanner.ExposurePushed {
		t.Errorf("added is %s", exposure)
	}
	if _, exposure := got.place(t, "later"); exposure != scanner.ExposureLocal {
		t.Errorf("later is %s", exposure)
	}
	for i, f := range got.findings {
		if f.Path == "new.txt" && got.places[i][0].Present {
			t.Error("new.txt is still there")
		}
	}
}

// TestRange: which keys commits bring.
func TestRange(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(r *repo)
		spec string
		want []string
	}{
		{"merge of the base", func(r *repo) {
			r.git("checkout", "-q", "-b", "side")
			r.commit("s", "s.txt", text("side"))
			r.git("checkout", "-q", "main")
			r.commit("m", "m.txt", text("base-later"))
			r.git("checkout", "-q", "side")
			r.git("merge", "-q", "--no-commit", "main")
			r.stage("evil.txt", text("evil"))
			r.git("commit", "-q", "-m", "merge")
		}, "main..side", []string{"side", "evil"}},
		{"three dots", func(r *repo) {
			r.git("checkout", "-q", "-b", "side")
			r.commit("s", "s.txt", text("side"))
			r.git("checkout", "-q", "main")
			r.commit("m", "m.txt", text("base-later"))
		}, "main...side", []string{"side"}},
		{"merged branch", func(r *repo) {
			r.git("checkout", "-q", "-b", "side")
			r.commit("s", "s.txt", text("side"))
			r.git("checkout", "-q", "main")
			r.commit("m", "m.txt", text("main"))
			r.git("merge", "-q", "-m", "merge", "side")
		}, "start..main", []string{"side", "main"}},
		{"there and back", func(r *repo) {
			r.commit("away", "base.txt", "nothing\n")
			r.commit("back", "base.txt", text("base"))
			r.commit("away", "base.txt", "nothing\n")
			r.commit("back, edited", "base.txt", text("base")+"\n")
		}, "start..", nil},
		{"deleted and added again", func(r *repo) {
			r.commit("away", "base.txt", "-")
			r.commit("back", "base.txt", text("base"))
		}, "start..", nil},
		{"renamed", func(r *repo) { r.git("mv", "base.txt", "other.txt"); r.commit("renamed") }, "start..", nil},
		{"copied", func(r *repo) { r.commit("copied", "other.txt", text("base")) }, "start..", []string{"base"}},
		{"nothing", func(r *repo) {}, "HEAD..HEAD", nil},
		{"backwards", func(r *repo) { r.commit("new", "new.txt", text("new")) }, "HEAD..start", nil},
		{"unrelated", func(r *repo) {
			r.git("checkout", "-q", "--orphan", "pages")
			r.git("rm", "-q", "-r", "-f", ".")
			r.commit("pages", "index.html", text("page"))
		}, "main..pages", []string{"page"}},
		{"author", func(r *repo) {
			r.env = append(r.env, "GIT_AUTHOR_EMAIL=key=a") // git takes < and > out
			r.commit("a", "a", "a")
			r.commit("b", "a", "b")
		}, "start..", []string{"a"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRepo(t)
			r.commit("start", "base.txt", text("base"))
			r.git("tag", "start")
			test.make(r)
			got := scan(t, commits(t, r, test.spec), 2)
			wantLabels(t, got, test.want...)
			wantComplete(t, got)
			if n := r.git("rev-list", "--count", strings.Replace(test.spec, "...", "..", 1)); n != fmt.Sprint(got.sum.Commits) {
				t.Errorf("%d commits, git counts %s", got.sum.Commits, n)
			}
		})
	}
}

func TestRangeSince(t *testing.T) {
	r := newRepo(t)
	at := func(seconds int, branch string, files ...string) string {
		r.env = append(r.env, fmt.Sprintf("GIT_COMMITTER_DATE=%d +0000", 1700000000+seconds))
		defer func() { r.env = r.env[:len(r.env)-1] }()
		if _, err := r.try("checkout", "-q", branch); err != nil {
			r.git("checkout", "-q", "-b", branch)
		}
		return r.commit(fmt.Sprint("at ", seconds), files...)
	}
	at(0, "main", "a.txt", text("zero"))
	at(1000, "main", "b.txt", text("thousand"))
	at(2000, "side", "c.txt", text("two"))
	at(3000, "main", "d.txt", text("three"))
	for seconds, want := range map[int][]string{
		0: {"zero", "thousand", "two", "three"}, 500: {"thousand", "two", "three"}, 2500: {"three"}, 9000: nil,
	} {
		s, err := NewRange(r.open(), "", RangeOptions{Since: time.Unix(1700000000+int64(seconds), 0)})
		must(t, err)
		got := scan(t, s, 2)
		wantLabels(t, got, want...)
		wantComplete(t, got)
	}
	// A limit of time and one of commits together: an excluded commit that is
	// too old must not be counted twice.
	s, err := NewRange(r.open(), "main~2..side", RangeOptions{Since: time.Unix(1700001500, 0)})
	must(t, err)
	wantLabels(t, scan(t, s, 1), "two")

	r.write(".git/refs/heads/junk", "junk\n")
	r.write(".git/refs/heads/gone", strings.Repeat("ab", 20)+"\n")
	s, err = NewRange(r.open(), "", RangeOptions{Since: time.Unix(1700002500, 0)})
	must(t, err)
	got := scan(t, s, 1)
	wantLabels(t, got, "three")
	wantError(t, got, "refs/heads/junk")
	wantError(t, got, "refs/heads/gone", "abab")
}

// TestRangeClocks: commits whose clock was wrong are neither lost nor, within
// reason, taken for new.
func TestRangeClocks(t *testing.T) {
	r := newRepo(t)
	dates := []int{1000, 5000, 200, 100000, 300, 50, 6000}
	var ids []string
	for i, d := range dates {
		r.env = append(r.env, fmt.Sprintf("GIT_COMMITTER_DATE=%d +0000", 1700000000+d))
		ids = append(ids, r.commit(fmt.Sprint(i), "f", text(fmt.Sprint("k", i))))
		r.env = r.env[:len(r.env)-1]
	}
	for from := range ids {
		for to := range ids {
			got := scan(t, commits(t, r, ids[from]+".."+ids[to]), 1)
			want := max(0, to-from)
			if got.sum.Commits != want {
				t.Errorf("%d..%d: %d commits, want %d", from, to, got.sum.Commits, want)
			}
		}
	}
}

func TestRangeShallow(t *testing.T) {
	src := newRepo(t)
	src.commit("one", "a.txt", text("one"))
	src.git("tag", "v1")
	src.commit("two", "b.txt", text("two"))
	tip := src.commit("three", "c.txt", text("three"))
	clone := &repo{t: t, dir: filepath.Join(t.TempDir(), "clone"), env: src.env}
	src.git("clone", "-q", "--depth=1", "file://"+src.dir, clone.dir)

	for _, rev := range []string{"v1", src.git("rev-parse", "v1"), "HEAD~1"} {
		_, err := NewRange(clone.open(), rev+"..HEAD", RangeOptions{})
		if re := (*RevisionError)(nil); !errors.As(err, &re) || !re.Shallow {
			t.Errorf("%s: %v", rev, err)
		}
	}
	clone.git("fetch", "-q", "--depth=1", "origin", "refs/tags/v1:refs/tags/v1")
	got := scan(t, commits(t, clone, "v1..HEAD"), 1)
	wantError(t, got, "shallow", tip)
	wantLabels(t, got, "one", "two", "three") // everything here is new for all one knows
}

func TestRangeDamaged(t *testing.T) {
	r := newRepo(t)
	base := r.commit("base", "a.txt", text("base"))
	middle := r.commit("middle", "b.txt", text("middle"))
	top := r.commit("top", "c.txt", text("top"))
	blob := r.git("rev-parse", middle+":b.txt")
	r.remove(blob)
	got := scan(t, commits(t, r, base+".."), 2)
	wantLabels(t, got, "top")
	wantError(t, got, blob, "b.txt", "missing")
	r.remove(middle)
	got = scan(t, commits(t, r, base+".."), 2)
	wantError(t, got, middle, top)
}

func TestPush(t *testing.T) {
	r := newRepo(t)
	a := r.commit("a", "a.txt", text("a"))
	r.git("update-ref", "refs/remotes/origin/main", a)
	b := r.commit("b", "b.txt", text("b"))
	r.git("checkout", "-q", "-b", "feature", a)
	c := r.commit("c "+key("subject"), "c.txt", text("c"))
	r.git("tag", "-a", "-m", "annotated "+key("tag"), "v1", a)
	r.git("tag", "blob", r.hash(text("blob")))
	tree := r.object("tree", "100644 "+key("entry")+"\x00"+strings.Repeat("\x00", 20))
	none := strings.Repeat("0", 40)
	other := strings.Repeat("12", 20) // known to the remote alone
	for _, test := range []struct {
		name   string
		remote string
		refs   []PushRef
		want   []string
	}{
		{"a branch the remote has", "origin", []PushRef{{"refs/heads/main", b, "refs/heads/main", a}}, []string{"b"}},
		{"a new branch", "origin", []PushRef{{"refs/heads/feature", c, "refs/heads/feature", none}}, []string{"c", "subject"}},
		{"several", "origin", []PushRef{{"refs/heads/main", b, "refs/heads/main", a}, {"refs/heads/feature", c, "refs/heads/feature", none}}, []string{"b", "c", "subject"}},
		{"another remote", "other", []PushRef{{"refs/heads/main", b, "refs/heads/main", none}}, []string{"a", "b"}},
		{"no remote name", "https://git.invalid/x", []PushRef{{"refs/heads/main", b, "refs/heads/main", a}}, []string{"b"}},
		{"forced over what was never fetched", "origin", []PushRef{{"refs/heads/main", b, "refs/heads/main", other}}, []string{"b"}},
		{"deleted", "origin", []PushRef{{"(delete)", none, "refs/heads/old", a}}, nil},
		{"nothing", "origin", nil, nil},
		{"name of a branch", "origin", []PushRef{{"HEAD", a, "refs/heads/" + key("branch"), none}}, []string{"branch"}},
		{"tag", "origin", []PushRef{{"refs/tags/v1", r.git("rev-parse", "v1"), "refs/tags/v1", none}}, []string{"tag"}},
		{"tag of a blob", "origin", []PushRef{{"refs/tags/blob", r.git("rev-parse", "blob"), "refs/tags/blob", none}}, []string{"blob"}},
		{"a tree", "origin", []PushRef{{"x", tree, "refs/tags/tree", none}}, []string{"entry"}},
	} {
		s, err := NewPush(r.open(), test.refs, test.remote)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		got := scan(t, s, 2)
		wantLabels(t, got, test.want...)
		if test.name != "a tree" {
			wantComplete(t, got)
		}
		if t.Failed() {
			t.Fatal(test.name)
		}
		for i := range got.findings {
			if got.exposure[i] != scanner.ExposureLocal {
				t.Errorf("%s: exposure %s", test.name, got.exposure[i])
			}
		}
	}
	contract(t, func() scanner.Source {
		s, err := NewPush(r.open(), []PushRef{{"refs/heads/main", b, "refs/heads/main", none}, {"refs/tags/v1", r.git("rev-parse", "v1"), "refs/tags/v1", none}}, "")
		must(t, err)
		return s
	}, "a", "b", "tag")
	if _, err := NewPush(r.open(), []PushRef{{"x", other, "refs/heads/x", none}}, ""); err == nil {
		t.Error("an object that does not exist was taken")
	}
}

// TestReceive: the new objects lie in a quarantine folder that only the
// environment names.
func TestReceive(t *testing.T) {
	r := newRepo(t, "--bare")
	work := newRepo(t)
	a := work.commit("a", "a.txt", text("a"))
	work.git("push", "-q", r.dir, "main")
	b := work.commit("b "+key("message"), "b.txt", text("b"))
	quarantine := filepath.Join(r.dir, "objects", "incoming-x")
	must(t, os.CopyFS(quarantine, os.DirFS(work.path(".git/objects"))))
	none := strings.Repeat("0", 40)
	refs := []ReceiveRef{{a, b, "refs/heads/main"}, {none, b, "refs/heads/new"}, {a, none, "refs/heads/old"}}
	env := map[string]string{
		"GIT_DIR": r.dir, "GIT_OBJECT_DIRECTORY": quarantine,
		"GIT_ALTERNATE_OBJECT_DIRECTORIES": filepath.Join(r.dir, "objects"), "GIT_QUARANTINE_PATH": quarantine,
	}
	s, err := NewReceive(discover(t, r.dir, env), refs)
	must(t, err)
	got := scan(t, s, 2)
	wantLabels(t, got, "b", "message")
	wantComplete(t, got)
	if p, exposure := got.place(t, "b"); p.Commit.Hash != b || exposure != scanner.ExposureLocal {
		t.Errorf("%+v %s", p, exposure)
	}
	if _, err := NewReceive(r.open(), refs); err == nil {
		t.Error("without the environment the new objects cannot be seen")
	}
}

// TestResolve compares with git rev-parse.
func TestResolve(t *testing.T) {
	r := newRepo(t)
	r.commit("a", "a", "a")
	r.commit("b", "a", "b")
	r.git("checkout", "-q", "-b", "side", "HEAD~1")
	r.commit("c", "c", "c")
	r.git("checkout", "-q", "main")
	r.git("merge", "-q", "-m", "merge", "side")
	r.git("tag", "-a", "-m", "t", "v1.0")
	r.git("tag", "-a", "-m", "t", "nested", "v1.0")
	r.git("branch", "feature/x")
	r.git("branch", "MAIN", "HEAD~1")
	r.git("tag", "both", "HEAD~1") // a tag and a branch: the tag wins
	r.git("branch", "both")
	r.git("update-ref", "refs/remotes/origin/main", "HEAD~1")
	r.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
	r.git("tag", "blob", r.hash("x"))
	r.git("pack-refs", "--all")
	r.git("branch", "loose")
	repo := r.open()
	head := r.git("rev-parse", "HEAD")
	for _, rev := range []string{
		"HEAD", "@", "main", "heads/main", "refs/heads/main", "v1.0", "nested", "feature/x", "MAIN", "both", "origin", "origin/main",
		"loose", "HEAD~", "HEAD~1", "HEAD~2", "HEAD^", "HEAD^2", "HEAD^2~1", "HEAD~1^1", "HEAD^0", "v1.0^{}", "v1.0^{commit}~1", "@~1",
		"HEAD~0", "ORIG_HEAD", head, head[:12], strings.ToUpper(head), head[:7] + "~1", "HEAD^{commit}^2",
	} {
		got, err := repo.Resolve(rev)
		want := r.git("rev-parse", rev+"^{commit}")
		if err != nil || got.String() != want {
			t.Errorf("%s: %s, %v, want %s", rev, got, err, want)
		}
	}
	for _, rev := range []string{
		"nowhere", "HEAD~9", "HEAD^3", "blob", "v1.0^{tree}", "HEAD:a", ":/b", "HEAD@{1}", "--all", "main..side", "../config", "config",
		"0123456", strings.Repeat("1", 40), "HEAD^{", "HEAD~x", "HEAD~99999999999999999999", "a b", "*",
	} {
		got, err := repo.Resolve(rev)
		if re := (*RevisionError)(nil); !errors.As(err, &re) || re.Revision != rev {
			t.Errorf("%s: %s, %v, want a *RevisionError", rev, got, err)
		}
	}
	if _, err := newRepo(t).open().Resolve("HEAD"); err == nil {
		t.Error("HEAD before the first commit was resolved")
	}
}

func TestMessage(t *testing.T) {
	contract(t, func() scanner.Source {
		return NewMessage("COMMIT_EDITMSG", []byte("subject\n\n# "+key("comment")+"\n"+key("body")+"\n"))
	}, "comment", "body")
	cut := "# ------------------------ >8 ------------------------\n"
	for _, test := range []struct {
		name, message string
		want          []string
	}{
		{"cut off by git", text("above") + cut + "# Do not modify or remove the line above.\n# Everything below it will be ignored.\n" + text("below"), []string{"above"}},
		{"other comment character", text("above") + strings.ReplaceAll(cut+"# x\n", "#", ";") + text("below"), []string{"above"}},
		{"written by somebody else", text("above") + cut + text("below"), []string{"above", "below"}},
		{"in the middle of a line", "see " + cut + text("below"), []string{"below"}},
		{"no line end", "subject " + key("end"), []string{"end"}},
		{"empty", "", nil},
	} {
		got := scan(t, NewMessage("m", []byte(test.message)), 1)
		wantLabels(t, got, test.want...)
		if t.Failed() {
			t.Fatal(test.name)
		}
		if len(test.want) > 0 {
			p, exposure := got.place(t, test.want[0])
			if p.Where != scanner.InMessage || exposure != scanner.ExposureStaged {
				t.Errorf("%+v %s", p, exposure)
			}
		}
	}
}

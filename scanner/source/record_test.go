package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/pack"
)

// recording is a history that keeps a record.
func recording(r *repo) *History {
	h := history(r)
	h.UseRecord(&Record{Key: []byte("a key for tests"), Config: sha256.Sum256([]byte("config"))})
	return h
}

// counted counts the bytes that a source passes on.
type counted struct {
	scanner.Source
	bytes, blobs atomic.Int64
}

func (c *counted) Each(ctx context.Context, workers int, fn func(int, *scanner.Blob) error) (scanner.Summary, error) {
	return c.Source.Each(ctx, workers, func(n int, b *scanner.Blob) error {
		if b.Where == "" {
			c.bytes.Add(int64(len(b.Data)))
			c.blobs.Add(1 + int64(len(b.Also)))
		}
		return fn(n, b)
	})
}

// sameAsWithout scans with the record and without, wants the same, and returns
// how many files were passed on.
func sameAsWithout(t *testing.T, r *repo, what string) (files int64) {
	t.Helper()
	want := scan(t, history(r), 2)
	h := recording(r)
	c := &counted{Source: h}
	got := scan(t, c, 2)
	if a, b := got.lines(), want.lines(); !slices.Equal(a, b) {
		t.Errorf("%s: with a record\n%s\nwithout\n%s", what, a, b)
	}
	if !reflect.DeepEqual(got.sum, want.sum) {
		t.Errorf("%s: with a record %+v\nwithout %+v", what, got.sum, want.sum)
	}
	must(t, h.Remember())
	return c.blobs.Load()
}

func recordFiles(t *testing.T, r *repo) []string {
	t.Helper()
	files, err := filepath.Glob(r.path(".git/till/*"))
	must(t, err)
	return files
}

func TestRecord(t *testing.T) {
	r := wide(t)
	all := sameAsWithout(t, r, "first")
	// What held something is looked at again: 11 files with a key and the note,
	// the others (README, keep.txt before its key …) are not.
	told := sameAsWithout(t, r, "second")
	if told >= all {
		t.Errorf("%d files the second time, %d the first", told, all)
	}
	before, err := os.ReadFile(recordFiles(t, r)[0])
	must(t, err)
	if n := sameAsWithout(t, r, "third"); n != told {
		t.Errorf("%d files the third time, %d the second", n, told)
	}
	if after, _ := os.ReadFile(recordFiles(t, r)[0]); !bytes.Equal(before, after) {
		t.Error("the record was written again, and there was nothing new")
	}
	if bytes.Contains(before, []byte("<key=")) {
		t.Error("the record holds a value")
	}
	info, err := os.Stat(recordFiles(t, r)[0])
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	r.commit("more", "more.txt", text("more"), "plain.txt", "plain\n")
	if n := sameAsWithout(t, r, "new commit"); n != told+2 {
		t.Errorf("%d files after a commit with two, want %d", n, told+2)
	}
	told += 2 // they are few, and not worth a new record
	for _, step := range [][]string{
		{"repack", "-adfq"}, {"gc", "-q"}, {"repack", "-adfq", "--depth=0"}, {"pack-refs", "--all"}, {"commit-graph", "write"},
		{"multi-pack-index", "write"},
	} {
		r.git(step...)
		if n := sameAsWithout(t, r, strings.Join(step, " ")); n != told {
			t.Errorf("%s: %d files, want %d", step, n, told)
		}
	}
	r.git("branch", "-D", "side")
	sameAsWithout(t, r, "branch deleted")
	r.git("reflog", "expire", "--expire=now", "--all")
	sameAsWithout(t, r, "reflog expired")
	r.git("gc", "-q", "--prune=now")
	sameAsWithout(t, r, "pruned")
	sameAsWithout(t, r, "pruned, again")
}

// TestRecordSteps makes random changes to a repository, and scans after each.
func TestRecordSteps(t *testing.T) {
	seeds := 6
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		rnd := rand.New(rand.NewPCG(uint64(seed), 7))
		r := newRepo(t)
		r.commit("start", "a", text("start"))
		var done []string
		for i := range 25 {
			label := fmt.Sprintf("s%d.%d", seed, i)
			content := text(label)
			if rnd.IntN(2) == 0 {
				content = label + "\n"
			}
			name := []string{"a", "b", "d/c", "d/e/f", key("path"+label) + "/x"}[min(rnd.IntN(40), 4)]
			branches := strings.Fields(r.git("for-each-ref", "--format=%(refname:short)", "refs/heads"))
			branch := branches[rnd.IntN(len(branches))]
			step := []string{"commit", "commit", "commit", "branch", "merge", "delete", "gc", "repack", "prune", "tag", "untag", "reset", "expire", "message", "author", "remote"}[rnd.IntN(16)]
			done = append(done, step)
			switch step {
			case "commit":
				r.commit(label, name, content)
			case "message":
				r.commit("say "+key(label), name, content)
			case "author":
				r.env = append(r.env, "GIT_AUTHOR_NAME="+strings.Trim(key(label), "<>"), "GIT_COMMITTER_EMAIL="+strings.Trim(key("x"), "<>"))
				r.commit(label, name, content)
				r.env = r.env[:len(r.env)-2]
			case "branch":
				r.git("checkout", "-q", "-b", label)
			case "merge":
				_, _ = r.try("merge", "-q", "-X", "ours", "-m", "merge "+label, branch)
				_, _ = r.try("merge", "--abort")
			case "delete":
				_, _ = r.try("branch", "-q", "-D", branch)
			case "gc":
				r.git("gc", "-q")
			case "repack":
				r.git("repack", "-adq", fmt.Sprintf("--depth=%d", rnd.IntN(50)))
			case "prune":
				r.git("prune", "--expire=now")
			case "expire":
				r.git("reflog", "expire", "--expire=now", "--all")
			case "tag":
				r.git("tag", "-a", "-m", "tag "+key("t"+label), label)
			case "untag":
				for _, tag := range strings.Fields(r.git("tag", "-l")) {
					r.git("tag", "-d", tag)
				}
			case "reset":
				_, _ = r.try("reset", "-q", "--hard", "HEAD~2")
			case "remote":
				r.git("update-ref", "refs/remotes/origin/x", "HEAD")
			}
			sameAsWithout(t, r, fmt.Sprint(seed, done))
			if t.Failed() {
				return
			}
		}
	}
}

// TestRecordDoubt: a record that may not be ours does not count, and that is
// said.
func TestRecordDoubt(t *testing.T) {
	setup := func(t *testing.T) (*repo, string) {
		r := newRepo(t)
		r.commit("start", "a.txt", text("start"), "b.txt", "b\n")
		sameAsWithout(t, r, "first")
		return r, recordFiles(t, r)[0]
	}
	everything := func(t *testing.T, r *repo, note string) {
		t.Helper()
		h := recording(r)
		c := &counted{Source: h}
		got := scan(t, c, 2)
		wantLabels(t, got, "start")
		wantComplete(t, got)
		if c.blobs.Load() != 2 {
			t.Errorf("%d files were looked at, want both", c.blobs.Load())
		}
		if said := strings.Join(got.sum.Notes, "\n"); (note == "") != (said == "") || !strings.Contains(said, note) {
			t.Errorf("notes %q, want %q", said, note)
		}
		must(t, h.Remember())
		sameAsWithout(t, r, "afterwards")
	}
	t.Run("altered", func(t *testing.T) {
		r, file := setup(t)
		data, err := os.ReadFile(file)
		must(t, err)
		for _, i := range []int{0, len(data) / 2, len(data) - 1} {
			bad := slices.Clone(data)
			bad[i] ^= 1
			must(t, os.WriteFile(file, bad, 0o600))
			everything(t, r, "does not count")
		}
	})
	t.Run("cut short", func(t *testing.T) {
		r, file := setup(t)
		for _, n := range []int64{0, 10, 200} {
			must(t, os.Truncate(file, n))
			everything(t, r, "does not count")
		}
	})
	t.Run("of another place", func(t *testing.T) {
		r, file := setup(t)
		moved := &repo{t: t, dir: filepath.Join(t.TempDir(), "moved"), env: r.env}
		must(t, os.Rename(r.dir, moved.dir))
		_ = file
		everything(t, moved, "made elsewhere")
	})
	t.Run("with another key", func(t *testing.T) {
		r, file := setup(t)
		other := &Record{Key: []byte("the key of somebody else"), Config: sha256.Sum256([]byte("config"))}
		must(t, os.Rename(file, filepath.Join(filepath.Dir(file), filepath.Base(other.fileName(recordPrefix)))))
		if _, err := r.open().loadRecord(other); err == nil || err == errNoRecord {
			t.Errorf("loadRecord: %v", err)
		}
		everything(t, r, "")
	})
	t.Run("with other rules", func(t *testing.T) {
		r, file := setup(t)
		other := &Record{Key: []byte("a key for tests"), Config: sha256.Sum256([]byte("other"))}
		must(t, os.Rename(file, filepath.Join(filepath.Dir(file), filepath.Base(other.fileName(recordPrefix)))))
		if _, err := r.open().loadRecord(other); err == nil || err == errNoRecord {
			t.Errorf("loadRecord: %v", err)
		}
	})
	t.Run("no file", func(t *testing.T) {
		r, file := setup(t)
		must(t, os.Remove(file))
		must(t, os.Mkdir(file, 0o700))
		h := recording(r)
		wantLabels(t, scan(t, h, 2), "start")
		if h.Remember() == nil {
			t.Error("a folder was replaced")
		}
	})
	t.Run("a link that leads out", func(t *testing.T) {
		r, _ := setup(t)
		out := t.TempDir()
		must(t, os.RemoveAll(r.path(".git/till")))
		if os.Symlink(out, r.path(".git/till")) != nil {
			t.Skip("no links here")
		}
		h := recording(r)
		wantLabels(t, scan(t, h, 2), "start")
		if h.Remember() == nil {
			t.Error("the link was followed")
		}
		if list, _ := os.ReadDir(out); len(list) > 0 {
			t.Errorf("something was written to %s", out)
		}
	})
}

// TestRecordDamage: what breaks after a scan is noticed by the next.
func TestRecordDamage(t *testing.T) {
	setup := func(t *testing.T) *repo {
		r := newRepo(t)
		for i := range 8 {
			r.commit(fmt.Sprint("c", i), "a.txt", fmt.Sprintf("%d\n%s", i, strings.Repeat("some line\n", 50)), fmt.Sprintf("d/f%d", i), text(fmt.Sprint("k", i)))
		}
		return r
	}
	twice := func(t *testing.T, r *repo, want string) {
		t.Helper()
		for _, what := range []string{"once", "twice", "three times"} {
			sameAsWithout(t, r, what)
		}
		h := recording(r)
		wantError(t, scan(t, h, 2), want)
	}
	for name, object := range map[string]string{"missing blob": "HEAD~3:a.txt", "missing commit": "HEAD~3"} {
		t.Run(name, func(t *testing.T) {
			r := setup(t)
			sameAsWithout(t, r, "first")
			id := r.git("rev-parse", object)
			r.remove(id)
			twice(t, r, id)
		})
	}
	t.Run("damaged pack", func(t *testing.T) {
		r := setup(t)
		r.git("repack", "-adfq")
		sameAsWithout(t, r, "first")
		packs, err := filepath.Glob(r.path(".git/objects/pack/*.pack"))
		must(t, err)
		must(t, os.Chmod(packs[0], 0o600))
		data, err := os.ReadFile(packs[0])
		must(t, err)
		data[len(data)/2] ^= 0xff
		must(t, os.WriteFile(packs[0], data, 0o600))
		twice(t, r, "pack-")
	})
	t.Run("truncated pack", func(t *testing.T) {
		r := setup(t)
		r.git("repack", "-adfq")
		sameAsWithout(t, r, "first")
		packs, err := filepath.Glob(r.path(".git/objects/pack/*.pack"))
		must(t, err)
		must(t, os.Chmod(packs[0], 0o600))
		must(t, os.Truncate(packs[0], 600))
		twice(t, r, "pack-")
	})
	t.Run("damaged from the beginning", func(t *testing.T) {
		r := setup(t)
		id := r.git("rev-parse", "HEAD~2:a.txt")
		r.write(".git/objects/"+id[:2]+"/"+id[2:], "nothing that git wrote")
		twice(t, r, id)
	})
}

// TestRecordTogether: scans at the same time disturb neither each other nor the
// record.
func TestRecordTogether(t *testing.T) {
	r := wide(t)
	want := scan(t, history(r), 1).lines()
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 3 {
				h := recording(r)
				got, err := tryScan(t, h, 2)
				if err != nil || !slices.Equal(got.lines(), want) {
					t.Errorf("%v: another result", err)
				}
				if err := h.Remember(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if files := recordFiles(t, r); len(files) != 1 {
		t.Errorf("files %q", files)
	}
}

func TestIDTable(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var l idList
	have := map[string]bool{}
	for i := range 3000 {
		id := make([]byte, 20)
		for k := range id {
			id[k] = byte(rnd.Uint32())
		}
		if i%3 == 0 { // crowd the ends
			id[0], id[1] = byte(i)&1*0xff, byte(i)&1*0xff
		}
		l.add(id, byte(i))
		l.add(id, byte(i))
		have[string(id)] = true
	}
	l.sort(0)
	table := newIDTable(l.ids, 0)
	if table.len() != len(have) {
		t.Fatalf("%d ids, want %d", table.len(), len(have))
	}
	for i := range table.len() {
		if table.find(table.at(i)) != i {
			t.Fatalf("%x is not found", table.at(i))
		}
		other := slices.Clone(table.at(i))
		other[19] ^= 1
		if !have[string(other)] && table.find(other) >= 0 {
			t.Fatalf("%x is found", other)
		}
	}
}

// TestRecordTexts: of the versions of a file the text that they have in common
// is passed on once, for all places at which it stands.
func TestRecordTexts(t *testing.T) {
	r := newRepo(t)
	for i := range 6 {
		r.commit(fmt.Sprint("c", i), "a.txt", strings.Repeat(fmt.Sprintf("line %d\n", i), 100*i)+"the "+key("same")+"\n"+strings.Repeat("more\n", 100))
	}
	sameAsWithout(t, r, "first")
	texts := func() (texts, places int) {
		h := recording(r)
		_, err := h.Each(t.Context(), 1, func(_ int, b *scanner.Blob) error {
			if b.Where == "" {
				texts++
				places += 1 + len(b.Also)
			}
			return nil
		})
		must(t, err)
		return texts, places
	}
	if texts, places := texts(); texts != 1 || places != 6 {
		t.Errorf("%d texts for %d places, want 1 for 6", texts, places)
	}
	r.commit("other", "a.txt", "the "+key("other")+"\n"+strings.Repeat("more\n", 100))
	for _, what := range []string{"new text", "new text, again"} {
		sameAsWithout(t, r, what)
	}
	if texts, places := texts(); texts != 2 || places != 7 {
		t.Errorf("%d texts for %d places, want 2 for 7", texts, places)
	}
}

// FuzzRecord: whatever stands in a record, reading it ends without a panic, and
// what was read is written the same.
func FuzzRecord(f *testing.F) {
	table := func(n byte, flags ...byte) recordTable {
		var l idList
		for i, fl := range flags {
			l.add(bytes.Repeat([]byte{n + byte(i)}, 20), fl)
		}
		t := recordTable{idTable: newIDTable(l.ids, pack.SHA1), flags: l.flags}
		return t
	}
	rec := &record{connected: true, sound: true, placed: true, stamps: map[string]stamp{"pack-1.pack": {1, 2, 3, 4}}, people: 1}
	rec.kinds = [5]recordTable{pack.TypeCommit: table(1, flagReached, flagTold), pack.TypeTree: table(10, 0, 0), pack.TypeBlob: table(20, flagTold, 0), pack.TypeTag: table(30, 0)}
	rec.kinds[pack.TypeBlob].sizes = []int64{100, 200}
	commits, trees := rec.kinds[pack.TypeCommit], rec.kinds[pack.TypeTree]
	rec.graph = newGraph([]commitNode{
		{id: commits.id(0), tree: commits.id(0), people: [2]int32{0, -1}},
		{id: commits.id(1), people: [2]int32{-1, -1}, parents: []pack.OID{commits.id(0), trees.id(0)}},
	}, pack.SHA1).numbered(func(n int32) int32 { return n })
	rec.tags = []tagNode{{commits.id(1), pack.TypeCommit, -1}}
	rec.spans = map[uint32][]span{0: {{1, 5, 0, 1}, {7, 9, 1, 0}}}
	rec.texts = 2
	rec.places = map[pack.OID][]recordPlace{rec.kinds[pack.TypeBlob].id(0): {{"a/b", 1, 2}}}
	seed := encodeRecord(rec, pack.SHA1)
	f.Add(seed)
	f.Add(seed[:len(seed)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, err := decodeRecord(data, pack.SHA1)
		if err != nil {
			return
		}
		again, err := decodeRecord(encodeRecord(rec, pack.SHA1), pack.SHA1)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(rec, again) {
			t.Fatal("written and read again it is another one")
		}
	})
}

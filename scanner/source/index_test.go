package source

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/till-sh/till/scanner/pack"
)

// listing describes an index as "git ls-files --stage" does.
func listing(ix *index) []string {
	var out []string
	for _, e := range ix.entries {
		out = append(out, fmt.Sprintf("%06o %s %d\t%s", e.mode, e.oid(), e.stage, e.path))
	}
	return out
}

// TestIndex compares what is decoded with what git lists, in all formats.
func TestIndex(t *testing.T) {
	fill := func(r *repo) {
		var names []string
		for i := range 300 {
			names = append(names, fmt.Sprintf("d%d/e%d/file-%d.txt", i%7, i%3, i))
		}
		r.track("one", names...)
		r.track("two", "long/"+strings.Repeat("n", 4200)) // its length does not fit into the flags
		r.git("commit", "-q", "-m", "fill")
	}
	for _, test := range []struct {
		name string
		args []string
		make func(r *repo)
	}{
		{"version 2", nil, func(*repo) {}},
		{"version 3", nil, func(r *repo) { r.write("new", "x"); r.git("add", "-N", "new") }},
		{"version 4", nil, func(r *repo) { r.git("update-index", "--index-version", "4") }},
		{"sha256", []string{"--object-format=sha256"}, func(r *repo) {}},
		{"sha256, version 4", []string{"--object-format=sha256"}, func(r *repo) { r.git("update-index", "--index-version", "4") }},
		{"split", nil, func(r *repo) {
			r.git("config", "splitIndex.maxPercentChange", "100")
			r.git("update-index", "--split-index")
			r.stage("d1/e1/added.txt", "a")
			r.stage("zz/last.txt", "l")
			r.stage("d1/e1/file-1.txt", "changed")
			r.git("rm", "-q", "--cached", "d2/e2/file-2.txt", "d3/e0/file-3.txt")
		}},
		{"split twice", nil, func(r *repo) {
			r.git("update-index", "--index-version", "4")
			r.git("config", "splitIndex.maxPercentChange", "100")
			r.git("update-index", "--split-index")
			var names []string
			for i := range 100 {
				names = append(names, fmt.Sprintf("d%d/e%d/file-%d.txt", i%7, i%3, i))
			}
			r.track("other", names...)
			r.git("rm", "-q", "-r", "-f", "--cached", "d5")
			r.stage("d5", "a file now")
		}},
		{"no checksum", nil, func(r *repo) { zeroChecksum(t, r.path(".git/index")) }},
		{"untracked cache", nil, func(r *repo) { r.git("update-index", "--force-untracked-cache") }},
		{"unmerged", nil, func(r *repo) { r.git("read-tree", "--empty"); conflict(r) }},
		{"many threads", nil, func(r *repo) { r.git("-c", "index.threads=4", "update-index", "--force-write-index") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRepo(t, test.args...)
			fill(r)
			test.make(r)
			ix, err := r.open().readIndex()
			if err != nil {
				t.Fatal(err)
			}
			want := strings.FieldsFunc(r.git("ls-files", "--stage", "-z"), func(c rune) bool { return c == 0 })
			if got := listing(ix); !slices.Equal(got, want) {
				t.Errorf("%d entries, git has %d; first difference: %q", len(got), len(want), firstDifference(got, want))
			}
		})
	}
}

func firstDifference(a, b []string) []string {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return append(slices.Clone(a[min(i, len(a)):min(i+1, len(a))]), b[min(i, len(b)):min(i+1, len(b))]...)
		}
	}
	return nil
}

func checksum(f pack.Format, data []byte) []byte {
	h := newHash(f)
	h.Write(data)
	return h.Sum(nil)
}

func zeroChecksum(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	clear(data[len(data)-20:])
	must(t, os.WriteFile(path, data, 0o644))
}

// conflict leaves the file "both" unmerged: key "theirs" on the other side.
func conflict(r *repo) {
	r.t.Helper()
	base := r.commit("base", "both", "base\n")
	r.commit("ours", "both", "ours\n")
	r.git("checkout", "-q", "-b", "side", base)
	r.commit("theirs", "both", "theirs "+key("theirs")+"\n")
	r.git("checkout", "-q", "main")
	if _, err := r.try("merge", "-q", "side"); err == nil {
		r.t.Fatal("the merge has no conflict")
	}
}

func TestIndexSparse(t *testing.T) {
	r := newRepo(t)
	r.commit("fill", "in/a.txt", "a", "out/b.txt", "b", "out/deep/c.txt", "c", "top", "t")
	if _, err := r.try("sparse-checkout", "set", "--cone", "--sparse-index", "in"); err != nil {
		t.Skip(err)
	}
	ix, err := r.open().readIndex()
	must(t, err)
	if got := listing(ix); len(got) != 3 || !strings.HasSuffix(got[1], "\tout/") {
		t.Errorf("got %q", got)
	}
}

func TestIndexDamaged(t *testing.T) {
	r := newRepo(t)
	r.commit("fill", "a/b.txt", "b", "c.txt", "c")
	sound, err := os.ReadFile(r.path(".git/index"))
	must(t, err)
	sum := func(data []byte) []byte {
		return append(data[:len(data)-20:len(data)-20], checksum(pack.SHA1, data[:len(data)-20])...)
	}
	edit := func(at int, b byte) []byte {
		data := bytes.Clone(sound)
		data[at] = b
		return data
	}
	extension := func(name string, body string) []byte {
		data := bytes.Clone(sound[:len(sound)-20])
		data = append(data, name...)
		data = binary.BigEndian.AppendUint32(data, uint32(len(body)))
		return sum(append(append(data, body...), make([]byte, 20)...))
	}
	swapped := bytes.Clone(sound) // the two names change places
	copy(swapped[12+62:], "x")
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "unexpected end"},
		{"cut", sound[:len(sound)/2], "checksum"},
		{"bit flip", edit(40, sound[40]^1), "checksum"},
		{"signature", sum(edit(0, 'X')), "not an index"},
		{"version", sum(edit(7, 9)), "version 9"},
		{"count", sum(edit(9, 0xff)), "unexpected end"},
		{"order", sum(swapped), "out of order"},
		{"required extension", extension("newx", ""), `unknown extension "newx"`},
		{"size of an extension", sum(append(bytes.Clone(sound[:len(sound)-20]), append([]byte("XTRA\xff\xff\xff\xff"), make([]byte, 20)...)...)), "unexpected end"},
		{"cache tree", extension("TREE", "\x00-1 5\n"), "cache tree"},
		{"link to nothing", extension("link", strings.Repeat("\x01", 20)), "sharedindex.0101"},
	} {
		must(t, os.WriteFile(r.path(".git/index"), test.data, 0o644))
		_, err := r.open().readIndex()
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "read index .git/index: ") {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	must(t, os.WriteFile(r.path(".git/index"), extension("XTRA", "optional"), 0o644))
	if _, err := r.open().readIndex(); err != nil {
		t.Errorf("optional extension: %v", err)
	}
	must(t, os.Remove(r.path(".git/index")))
	if ix, err := r.open().readIndex(); err != nil || len(ix.entries) != 0 {
		t.Errorf("no index: %v", err)
	}
	env := map[string]string{"GIT_INDEX_FILE": filepath.Join(r.dir, "nowhere")}
	if _, err := discover(t, r.dir, env).readIndex(); err == nil {
		t.Error("an index that GIT_INDEX_FILE names and that is not there was taken for an empty one")
	}
}

func TestSharedIndexDamaged(t *testing.T) {
	r := newRepo(t)
	r.commit("fill", "a/b.txt", "b", "c.txt", "c")
	r.git("update-index", "--split-index")
	shared, err := filepath.Glob(r.path(".git/sharedindex.*"))
	if err != nil || len(shared) != 1 {
		t.Fatal(shared, err)
	}
	data, err := os.ReadFile(shared[0])
	must(t, err)
	other := bytes.Clone(data[:len(data)-20])
	other[20]++
	must(t, os.Chmod(shared[0], 0o644))
	must(t, os.WriteFile(shared[0], append(other, checksum(pack.SHA1, other)...), 0o644))
	if _, err := r.open().readIndex(); err == nil || !strings.Contains(err.Error(), "not the file that its name says") {
		t.Error(err)
	}
}

func TestEwah(t *testing.T) {
	marker := func(bit, run, literal uint64) uint64 { return bit | run<<1 | literal<<33 }
	bitmap := func(words ...uint64) []byte {
		b := binary.BigEndian.AppendUint32(nil, 0)
		b = binary.BigEndian.AppendUint32(b, uint32(len(words)))
		for _, w := range words {
			b = binary.BigEndian.AppendUint64(b, w)
		}
		return binary.BigEndian.AppendUint32(b, 0)
	}
	data := append(bitmap(marker(0, 2, 1), 1<<5|1<<63, marker(1, 1, 0)), "rest"...)
	got, rest, err := ewahBits(data, 1000)
	if err != nil || string(rest) != "rest" || len(got) != 66 || got[0] != 133 || got[1] != 191 || got[2] != 192 || got[65] != 255 {
		t.Errorf("got %v, rest %q, %v", got, rest, err)
	}
	for name, bad := range map[string][]byte{
		"beyond the limit": bitmap(marker(0, 15, 1), 1<<60),
		"endless run":      bitmap(marker(1, 0xffffffff, 0)),
		"cut literals":     bitmap(marker(0, 0, 9), 1),
		"cut":              bitmap(1, 2)[:12],
		"short":            {0, 0, 0},
	} {
		if _, _, err := ewahBits(bad, 1000); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// FuzzIndex: no input makes the decoder panic, run for ever or allocate beyond
// reason.
func FuzzIndex(f *testing.F) {
	f.Add([]byte("DIRC\x00\x00\x00\x02\x00\x00\x00\x00TREE\x00\x00\x00\x06\x00-1 0\n"+strings.Repeat("\x00", 20)), true)
	f.Fuzz(func(t *testing.T, data []byte, shared bool) {
		if len(data) > 20 {
			clear(data[len(data)-20:]) // so that the checksum does not stand in the way
		}
		d := indexDecoder{format: pack.SHA1, data: data, shared: shared, sum: make(chan []byte, 1)}
		d.sum <- nil
		ix, err := d.decode()
		if err != nil || ix.checkOrder() != nil {
			return
		}
		ewahBits(d.link, len(ix.entries))
		diff := treeDiff{name: func(path string, offset int) { _ = path[offset:] }, fail: func(string, error) {}}
		ix.tree = nil
		for i := range ix.entries {
			ix.entries[i].mode = pack.ModeFile
			if bytes.HasSuffix(ix.entries[i].path, []byte("/")) {
				return
			}
		}
		diff.diffIndex(ix, nil)
	})
}

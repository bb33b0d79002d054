package pack

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// layouts are ways in which git stores the same objects. Each is checked against
// git cat-file.
var layouts = []struct {
	name string
	make func(r *repo)
	// deltas says that objects must have come with their base.
	deltas bool
}{
	{"fast-import", func(r *repo) { r.fill(1, "main", 80) }, true},
	{"one pack", func(r *repo) { r.fill(2, "main", 80); r.git("repack", "-adfq") }, true},
	{"deep", func(r *repo) {
		r.fill(3, "main", 120)
		r.git("repack", "-adfq", "--depth=4000", "--window=100")
	}, true},
	{"shallow chains", func(r *repo) { r.fill(4, "main", 80); r.git("repack", "-adfq", "--depth=1", "--window=50") }, true},
	{"no deltas", func(r *repo) { r.fill(5, "main", 30); r.git("repack", "-adfq", "--depth=0") }, false},
	{"ref-deltas", func(r *repo) {
		r.fill(6, "main", 60)
		r.git("-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq")
	}, true},
	{"index version 1", func(r *repo) {
		r.fill(7, "main", 60)
		r.git("-c", "pack.indexVersion=1", "repack", "-adfq")
	}, true},
	{"64-bit offsets", func(r *repo) {
		r.fill(8, "main", 60)
		r.git("repack", "-adfq")
		// The index as for a pack of more than 2 GiB, for all objects beyond
		// the first few hundred bytes.
		p := r.packs()[0]
		remove(r.t, strings.TrimSuffix(p, ".pack")+".idx", strings.TrimSuffix(p, ".pack")+".rev")
		r.git("index-pack", "--index-version=2,0x200", p)
	}, true},
	{"several packs", func(r *repo) {
		for i, b := range []string{"a", "b", "c"} {
			r.fill(uint64(10+i), b, 25)
		}
	}, true},
	{"the same in two packs", func(r *repo) {
		r.fill(9, "main", 50)
		r.git("repack", "-fq", "-a", "--depth=10") // -a without -d keeps the old pack
		if len(r.packs()) != 2 {
			r.t.Fatalf("%d packs, want 2", len(r.packs()))
		}
	}, true},
	{"loose", func(r *repo) {
		r.fill(11, "main", 15)
		unpack(r)
	}, false},
	{"loose and packed", func(r *repo) {
		r.fill(12, "main", 20)
		unpack(r)
		r.git("repack", "-q")
		r.fill(13, "other", 20)
	}, false},
	{"loose, not compressed", func(r *repo) {
		r.git("config", "core.compression", "0")
		r.fill(14, "main", 10)
		unpack(r)
		r.git("hash-object", "-w", "--stdin")
	}, false},
	{"multi-pack-index", func(r *repo) {
		for i, b := range []string{"a", "b", "c"} {
			r.fill(uint64(20+i), b, 25)
		}
		r.git("multi-pack-index", "write")
	}, true},
	{"only a multi-pack-index", func(r *repo) {
		for i, b := range []string{"a", "b", "c"} {
			r.fill(uint64(20+i), b, 25)
		}
		r.git("repack", "-fq", "-a")
		r.git("multi-pack-index", "write")
		r.want = r.all() // git 2.39 needs the .idx files to list them
		for _, p := range r.packs() {
			remove(r.t, strings.TrimSuffix(p, ".pack")+".idx")
		}
	}, true},
	{"alternates", func(r *repo) {
		far, near := newRepo(r.t, r.format), newRepo(r.t, r.format)
		far.fill(30, "far", 20)
		near.fill(31, "near", 20)
		write(r.t, filepath.Join(near.objects(), "info", "alternates"), "# a comment\n\n"+far.objects()+"\n")
		rel, err := filepath.Rel(r.objects(), near.objects())
		if err != nil {
			r.t.Fatal(err)
		}
		write(r.t, filepath.Join(r.objects(), "info", "alternates"), "\""+rel+"\"\n"+far.objects()+"\n")
		// A circle.
		write(r.t, filepath.Join(far.objects(), "info", "alternates"), r.objects()+"\n")
		r.fill(32, "main", 20)
	}, true},
	{"files git ignores", func(r *repo) {
		r.fill(40, "main", 10)
		dir := filepath.Join(r.objects(), "pack")
		for _, name := range []string{"tmp_pack_Xy12", "tmp_idx_Xy12", ".tmp-12-pack-ab.pack", "pack-ab.keep", "pack-ab.promisor", "pack-ab.bitmap", "pack-ab.mtimes", "README"} {
			write(r.t, filepath.Join(dir, name), "PACK, not")
		}
		write(r.t, filepath.Join(r.objects(), "ab", "tmp_obj_Xy12"), "not an object")
		write(r.t, filepath.Join(r.objects(), "ab", strings.Repeat("Z", 38)), "nor this")
		write(r.t, filepath.Join(r.objects(), "zz", strings.Repeat("a", 38)), "nor this")
	}, false},
	{"a push of thin packs", func(r *repo) {
		r.fill(50, "main", 30)
		from := newRepo(r.t, r.format)
		from.git("fetch", "-q", r.dir, "refs/heads/main:refs/heads/main")
		from.fill(51, "work", 30)
		from.git("update-ref", "refs/heads/work", from.git("commit-tree", "-p", "main", "-p", "work", "-m", "merge", "work^{tree}"))
		r.git("config", "transfer.unpackLimit", "1")
		from.git("push", "-q", r.dir, "work")
	}, false},
	{"empty", func(r *repo) {}, false},
	{"objects of no length", func(r *repo) {
		r.git("hash-object", "-w", "--stdin")
		r.git("mktree")
		r.git("update-ref", "refs/heads/main", r.git("commit-tree", "-m", "", r.git("mktree")))
		r.git("repack", "-aq")
	}, false},
}

func TestAgainstGit(t *testing.T) {
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			for _, f := range []Format{SHA1, SHA256} {
				r := newRepo(t, f)
				l.make(r)
				s := r.open(Options{})
				if r.want == nil {
					r.want = r.all()
				}
				checkStore(t, s, r.want)
				if got := walkAll(t, s, WalkOptions{}); l.deltas && got.based == 0 {
					t.Error("no object came with its base")
				} else if l.deltas && got.copied == 0 {
					t.Error("nothing was copied")
				}
			}
		})
	}
}

// TestNotMapped reads as on a system without mmap.
func TestNotMapped(t *testing.T) {
	noMap = true
	defer func() { noMap = false }()
	for _, l := range layouts {
		r := newRepo(t, SHA1)
		l.make(r)
		if r.want == nil {
			r.want = r.all()
		}
		checkStore(t, r.open(Options{}), r.want)
	}
}

// unpack turns all packs into loose objects.
func unpack(r *repo) {
	r.t.Helper()
	packs := r.packs()
	for _, p := range packs {
		moved := filepath.Join(r.t.TempDir(), "pack")
		if err := os.Rename(p, moved); err != nil {
			r.t.Fatal(err)
		}
		remove(r.t, strings.TrimSuffix(p, ".pack")+".idx", strings.TrimSuffix(p, ".pack")+".rev")
		in, err := os.ReadFile(moved)
		if err != nil {
			r.t.Fatal(err)
		}
		r.gitIn(string(in), "unpack-objects", "-q")
	}
}

func write(t testing.TB, path, data string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	os.Chmod(path, 0o666) // git's files are read-only
	if err := os.WriteFile(path, []byte(data), 0o666); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// remove removes files that need not exist.
func remove(t testing.TB, paths ...string) {
	t.Helper()
	for _, p := range paths {
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "none"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("open a directory that does not exist: %v", err)
	}
	file := filepath.Join(dir, "file")
	write(t, file, "")
	if _, err := Open(file, Options{}); err == nil {
		t.Error("opened a file")
	}
	if _, err := Open(dir, Options{Format: 7}); err == nil {
		t.Error("opened a store of an unknown format")
	}
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	id, _ := ParseOID(strings.Repeat("1", 40))
	if _, _, err := s.Get(id); !errors.Is(err, ErrNotFound) {
		t.Errorf("get from an empty store: %v", err)
	}
	if _, _, err := s.Get(OID{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("get the zero id: %v", err)
	}
	wide, _ := ParseOID(strings.Repeat("1", 64))
	if _, _, err := s.Get(wide); !errors.Is(err, ErrNotFound) {
		t.Errorf("get an id of the other format: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
}

func TestAlternatesOption(t *testing.T) {
	r, other := newRepo(t, SHA1), newRepo(t, SHA1)
	r.fill(1, "main", 10)
	other.fill(2, "main", 10)
	want := r.all()
	for id, c := range other.all() {
		want[id] = c
	}
	checkStore(t, r.open(Options{Alternates: []string{other.objects()}}), want)

	s := r.open(Options{Alternates: []string{filepath.Join(r.dir, "none")}})
	got := walkAll(t, s, WalkOptions{})
	if len(got.errs) != 1 || !strings.Contains(got.errs[0].Error(), "none") {
		t.Errorf("an alternate that is missing: %v", got.errs)
	}
	sameObjects(t, got.all, r.all())
	for id := range other.all() {
		if r.all()[id].typ != 0 {
			continue
		}
		var c *CorruptError
		if _, _, err := s.Get(id); !errors.As(err, &c) {
			t.Errorf("get what the missing alternate may hold: %v, want a CorruptError", err)
		}
		break
	}
}

// TestAlternatesDepth compares how deep alternates are followed with git.
func TestAlternatesDepth(t *testing.T) {
	chain := make([]*repo, 9)
	for i := range chain {
		chain[i] = newRepo(t, SHA1)
		chain[i].gitIn(strings.Repeat("x", i+1), "hash-object", "-w", "--stdin")
		if i > 0 {
			write(t, filepath.Join(chain[i-1].objects(), "info", "alternates"), chain[i].objects()+"\n")
		}
	}
	got := walkAll(t, chain[0].open(Options{}), WalkOptions{})
	sameObjects(t, got.all, chain[0].all())
	if len(got.errs) != 1 || !strings.Contains(got.errs[0].Error(), "nested") {
		t.Errorf("alternates that are nested too deep: %v", got.errs)
	}
}

// TestBarePack reads a pack that has no index, which git does not.
func TestBarePack(t *testing.T) {
	for _, offsets := range []string{"true", "false"} {
		r := newRepo(t, SHA1)
		r.fill(1, "main", 40)
		r.git("-c", "repack.useDeltaBaseOffset="+offsets, "repack", "-adfq")
		want := r.all()
		p := r.packs()[0]
		remove(t, strings.TrimSuffix(p, ".pack")+".idx")
		if n := len(r.all()); n != 0 {
			t.Fatalf("git sees %d objects without the index", n)
		}
		checkStore(t, r.open(Options{}), want)
	}
}

// TestThinPack reads a pack whose bases are elsewhere: with the index that no
// git would make, and without one.
func TestThinPack(t *testing.T) {
	r := newRepo(t, SHA1)
	r.fill(1, "main", 30)
	old := r.git("rev-parse", "main~10")
	thin := r.gitIn("main\n^"+old+"\n", "pack-objects", "--revs", "--thin", "--stdout", "-q", "--delta-base-offset")
	// gitIn has cut a line feed from the end of the output if there was one.
	if sum := SHA1.new(); true {
		sum.Write([]byte(thin[:len(thin)-20]))
		if string(sum.Sum(nil)) != thin[len(thin)-20:] {
			thin += "\n"
		}
	}
	want := r.all()

	for _, where := range []string{"pack", "loose", "alternate"} {
		q := newRepo(t, SHA1)
		base := q
		if where == "alternate" {
			base = newRepo(t, SHA1)
			write(t, filepath.Join(q.objects(), "info", "alternates"), base.objects()+"\n")
		}
		base.git("fetch", "-q", "--no-tags", r.dir, old+":refs/heads/old")
		if where == "loose" {
			base.git("repack", "-adq")
			unpack(base)
		}
		path := filepath.Join(q.objects(), "pack", "pack-"+strings.Repeat("1", 40)+".pack")
		write(t, path, thin)
		got := q.open(Options{})
		partial := map[OID]content{}
		for id, c := range want {
			if got.Has(id) {
				partial[id] = c
			}
		}
		if len(partial) <= len(q.all()) {
			t.Errorf("%s: %d objects, as many as without the thin pack", where, len(partial))
		}
		checkStore(t, got, partial)

		// Give it an index: the offsets as found, without CRC.
		st := got.state.Load()
		if len(st.bare) != 1 {
			t.Fatalf("%s: %d bare packs", where, len(st.bare))
		}
		idx := got.bareIndex(st, st.bare[0])
		write(t, strings.TrimSuffix(path, ".pack")+".idx", indexV1(idx, thin[len(thin)-20:]))
		checkStore(t, q.open(Options{}), partial)
	}
}

// indexV1 writes an index of version 1.
func indexV1(x *index, packSum string) string {
	var b []byte
	be := func(v uint32) { b = append(b, byte(v>>24), byte(v>>16), byte(v>>8), byte(v)) }
	for _, f := range x.fanout {
		be(f)
	}
	for i := range x.n {
		be(uint32(x.offset(i)))
		b = append(b, x.rawID(i)...)
	}
	b = append(b, packSum...)
	h := x.format.new()
	h.Write(b)
	return string(h.Sum(b))
}

// TestMaxObject reads objects that are larger than what may be held in memory.
func TestMaxObject(t *testing.T) {
	for _, how := range []string{"packed", "delta", "loose"} {
		t.Run(how, func(t *testing.T) {
			r := newRepo(t, SHA1)
			r.fill(1, "main", 40)
			switch how {
			case "loose":
				unpack(r)
			case "packed":
				r.git("repack", "-adfq", "--depth=0")
			default:
				r.git("repack", "-adfq", "--depth=50", "--window=50")
			}
			want := r.all()
			const limit = 7000
			s := r.open(Options{MaxObject: limit})
			got := walkAll(t, s, WalkOptions{})
			for _, c := range got.errs {
				t.Error(c)
			}
			sameObjects(t, got.all, want)
			large := 0
			for id, w := range want {
				typ, data, err := s.Get(id)
				if len(w.data) > limit {
					large++
					if !errors.Is(err, ErrTooLarge) {
						t.Errorf("get %s of %d bytes: %v", id, len(w.data), err)
					}
				} else if err != nil || typ != w.typ || string(data) != w.data {
					t.Errorf("get %s of %d bytes: %v", id, len(w.data), err)
				}
				checkStream(t, s, id, w)
			}
			if large == 0 {
				t.Error("no object is over the limit")
			}
		})
	}
}

func TestWithPrefix(t *testing.T) {
	r := newRepo(t, SHA1)
	r.fill(1, "main", 60)
	r.git("repack", "-adq")
	unpackSome(r)
	s := r.open(Options{})
	all := sortedIDs(r.all())
	for _, id := range all {
		for _, n := range []int{2, 3, 5, 40} {
			prefix := id.String()[:n]
			var want []OID
			for _, other := range all {
				if strings.HasPrefix(other.String(), prefix) {
					want = append(want, other)
				}
			}
			if got := s.WithPrefix(strings.ToUpper(prefix)); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", prefix, got, want)
			}
		}
	}
	for _, prefix := range []string{"", "1", "xy", "../..", all[0].String() + "0"} {
		if got := s.WithPrefix(prefix); got != nil {
			t.Errorf("%q: %v", prefix, got)
		}
	}
}

package pack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// small is a repository whose packs are short enough to damage each byte.
func small(t *testing.T) (r *repo, want map[OID]content) {
	r = newRepo(t, SHA1)
	r.fill(1, "main", 12)
	r.git("repack", "-adfq")
	return r, r.all()
}

// checkDamaged reads a store in which something is wrong. Nothing may be passed
// on that is not right, and what is missing must have been reported.
func checkDamaged(t *testing.T, s *Store, want map[OID]content, what string) (got *walked) {
	t.Helper()
	got = walkAll(t, s, WalkOptions{Workers: 2})
	if len(got.errs) == 0 {
		t.Errorf("%s: nothing was reported", what)
	}
	general := false // an error that is not about one object
	named := map[OID]bool{}
	for _, c := range got.errs {
		if c.Err == nil || c.Error() == "" {
			t.Errorf("%s: an error without a cause: %#v", what, c)
		}
		general = general || c.OID.IsZero()
		named[c.OID] = true
	}
	for id, c := range got.all {
		if want[id] != c {
			t.Errorf("%s: %s passed on with the wrong content", what, id)
		}
	}
	for id, w := range want {
		typ, data, err := s.Get(id)
		if err == nil && (content{typ, string(data)}) != w {
			t.Errorf("%s: get %s: wrong content", what, id)
		}
		if _, ok := got.all[id]; !ok && !named[id] && !general {
			t.Errorf("%s: %s is missing and was not reported", what, id)
		}
	}
	return got
}

// TestFlippedBytes damages one byte after the other.
func TestFlippedBytes(t *testing.T) {
	r, want := small(t)
	path := r.packs()[0]
	for _, ext := range []string{".pack", ".idx"} {
		file := strings.TrimSuffix(path, ".pack") + ext
		sound := read(t, file)
		step := max(1, len(sound)/400)
		for i := 0; i < len(sound); i += step {
			b := []byte(sound)
			b[i] ^= 1 << (i % 8)
			write(t, file, string(b))
			s := r.open(Options{})
			got := checkDamaged(t, s, want, fmt.Sprintf("byte %d of %d of %s", i, len(sound), ext))
			if ext == ".idx" && len(got.all) < len(want)-1 {
				// One object under a wrong id at most: where the index is of
				// no use the pack is read without.
				t.Errorf("byte %d of %d of the index: %d of %d objects", i, len(sound), len(got.all), len(want))
			}
			s.Close()
		}
		write(t, file, sound)
	}
}

func TestTruncated(t *testing.T) {
	r, want := small(t)
	path := r.packs()[0]
	for _, ext := range []string{".pack", ".idx"} {
		file := strings.TrimSuffix(path, ".pack") + ext
		sound := read(t, file)
		sizes := []int{0, 1, 4, 8, 11, 12, 13, 31, 32, 33, len(sound) - 1, len(sound) - 20, len(sound) - 21, len(sound) - 41}
		for i := range 50 {
			sizes = append(sizes, len(sound)*i/50)
		}
		for _, size := range sizes {
			write(t, file, sound[:size])
			s := r.open(Options{})
			got := checkDamaged(t, s, want, fmt.Sprintf("%s cut to %d bytes", ext, size))
			if ext == ".idx" {
				sameObjects(t, got.all, want) // read without it
			}
			if ext == ".pack" && size == len(sound)*49/50 && len(got.all) < len(want)/2 {
				t.Errorf("the pack lacks a fiftieth and only %d of %d objects were read", len(got.all), len(want))
			}
			s.Close()
		}
		write(t, file, sound)
	}
}

// TestDamagedElsewhereSound damages an object of which there is another copy.
func TestDamagedElsewhereSound(t *testing.T) {
	for _, copies := range []string{"loose", "pack", "alternate"} {
		r, want := small(t)
		path := r.packs()[0]
		other := newRepo(t, SHA1)
		other.git("fetch", "-q", r.dir, "+refs/*:refs/*")
		switch copies {
		case "loose":
			unpack(other)
			if err := os.CopyFS(r.objects(), os.DirFS(other.objects())); err != nil {
				t.Fatal(err)
			}
		case "pack":
			other.git("repack", "-adfq", "--depth=3")
			for _, ext := range []string{".pack", ".idx"} {
				// Sorted before and after the damaged one.
				p := strings.TrimSuffix(other.packs()[0], ".pack") + ext
				write(t, filepath.Join(r.objects(), "pack", "pack-0"+ext), read(t, p))
			}
		case "alternate":
			write(t, filepath.Join(r.objects(), "info", "alternates"), other.objects()+"\n")
		}
		sound := read(t, path)
		for i := 12; i < len(sound)-20; i += len(sound) / 50 {
			b := []byte(sound)
			b[i] ^= 0x10
			write(t, path, string(b))
			s := r.open(Options{})
			got := walkAll(t, s, WalkOptions{})
			for _, c := range got.errs {
				t.Errorf("%s: byte %d: %v", copies, i, c)
			}
			sameObjects(t, got.all, want)
			for id, w := range want {
				if typ, data, err := s.Get(id); err != nil || (content{typ, string(data)}) != w {
					t.Errorf("%s: byte %d: get %s: %v", copies, i, id, err)
				}
			}
			s.Close()
		}
		write(t, path, "PACX") // not even a pack
		s := r.open(Options{})
		got := walkAll(t, s, WalkOptions{})
		if len(got.errs) != 1 || got.errs[0].Pack != filepath.Base(path) {
			t.Errorf("%s: a pack that is none: %v", copies, got.errs)
		}
		sameObjects(t, got.all, want)
	}
}

func TestIndexWithoutPack(t *testing.T) {
	r, want := small(t)
	path := r.packs()[0]
	remove(t, path)
	s := r.open(Options{})
	got := checkDamaged(t, s, want, "no pack")
	idx := strings.TrimSuffix(filepath.Base(path), ".pack") + ".idx"
	if len(got.errs) != 1 || got.errs[0].Pack != idx {
		t.Errorf("an index without a pack: %v", got.errs)
	}
	for id := range want {
		var c *CorruptError
		if _, _, err := s.Get(id); !errors.As(err, &c) || errors.Is(err, ErrNotFound) || c.Pack != idx {
			t.Errorf("get: %v", err)
		}
		break
	}
}

func TestDamagedMultiPackIndex(t *testing.T) {
	r := newRepo(t, SHA1)
	r.fill(1, "a", 5)
	r.fill(2, "b", 5)
	want := r.all()
	r.git("multi-pack-index", "write")
	for _, p := range r.packs() {
		remove(t, strings.TrimSuffix(p, ".pack")+".idx")
	}
	file := filepath.Join(r.objects(), "pack", "multi-pack-index")
	sound := read(t, file)
	for i := 0; i < len(sound); i += 1 + i/40 {
		b := []byte(sound)
		b[i] ^= 0x21
		write(t, file, string(b))
		s := r.open(Options{})
		sameObjects(t, checkDamaged(t, s, want, fmt.Sprint("byte ", i)).all, want)
		write(t, file, sound[:i])
		s = r.open(Options{})
		sameObjects(t, checkDamaged(t, s, want, fmt.Sprint("cut to ", i)).all, want)
	}
	write(t, file, sound)
	remove(t, r.packs()[0])
	s := r.open(Options{})
	got := walkAll(t, s, WalkOptions{})
	if len(got.errs) != 1 || got.errs[0].Pack != "multi-pack-index" {
		t.Errorf("a pack of the multi-pack-index is missing: %v", got.errs)
	}
}

func TestDamagedLoose(t *testing.T) {
	data := "some content\n"
	id := blobID(data)
	object := func(header string) []byte { return deflate(t, []byte(header+data), 6) }
	sound := object("blob 13\x00")
	for name, file := range map[string][]byte{
		"empty":               {},
		"not zlib":            []byte("blob 13\x00" + data),
		"cut short":           sound[:len(sound)-6],
		"garbage behind":      append(bytes.Clone(sound), 0),
		"checksum":            append(bytes.Clone(sound[:len(sound)-1]), 0),
		"other content":       deflate(t, []byte("blob 13\x00Some content\n"), 6),
		"other type":          object("tree 13\x00"),
		"unknown type":        object("blub 13\x00"),
		"no type":             object(" 13\x00"),
		"no size":             object("blob \x00"),
		"size with a sign":    object("blob +13\x00"),
		"size with a zero":    object("blob 013\x00"),
		"size too small":      object("blob 12\x00"),
		"size too large":      object("blob 14\x00"),
		"8.8 TB":              object("blob 8800000000000\x00"),
		"more than 63 bits":   object("blob 18446744073709551629\x00"),
		"header without end":  deflate(t, bytes.Repeat([]byte("blob 1"), 100), 6),
		"header of 40 digits": object("blob " + strings.Repeat("1", 40) + "\x00"),
		"nothing":             deflate(t, nil, 6),
	} {
		dir := t.TempDir()
		path := loosePath(dir, &id)
		write(t, path, string(file))
		s, err := Open(dir, Options{MaxObject: 1 << 50})
		if err != nil {
			t.Fatal(err)
		}
		before := allocated()
		checkDamaged(t, s, map[OID]content{id: {TypeBlob, data}}, name)
		var c *CorruptError
		if _, _, err := s.Get(id); !errors.As(err, &c) || c.OID != id {
			t.Errorf("%s: get: %v", name, err)
		}
		if _, _, r, err := s.Stream(id); err == nil {
			if _, err := bytes.NewBuffer(nil).ReadFrom(r); !errors.As(err, &c) {
				t.Errorf("%s: stream: %v", name, err)
			}
		} else if !errors.As(err, &c) {
			t.Errorf("%s: stream: %v", name, err)
		}
		if used := allocated() - before; used > 4<<20 {
			t.Errorf("%s: took %d bytes", name, used)
		}
		s.Close()
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// TestCutWhileOpen cuts a file that is mapped, which a kernel answers with
// SIGBUS.
func TestCutWhileOpen(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files in use cannot be cut on Windows")
	}
	b := newBuilder(t, SHA1)
	var ids []OID
	for i := range 300 {
		id, _ := b.whole(TypeBlob, []byte(strings.Repeat(fmt.Sprint(i), 1000)+string(bytes.Repeat([]byte{byte(i), byte(i * 7)}, 500))))
		ids = append(ids, id)
	}
	s := b.store(Options{})
	if _, _, err := s.Get(ids[0]); err != nil {
		t.Fatal(err)
	}
	pack := s.state.Load().packs[0]
	if pack.file.data == nil {
		t.Skip("files are not mapped here")
	}
	if err := os.Truncate(pack.path, 100); err != nil {
		t.Fatal(err)
	}
	last := ids[len(ids)-1]
	var c *CorruptError
	if _, _, err := s.Get(last); !errors.As(err, &c) || !errors.Is(err, errFault) {
		t.Errorf("get: %v", err)
	}
	if _, _, err := s.Header(last); !errors.As(err, &c) {
		t.Errorf("header: %v", err)
	}
	got := walkAll(t, s, WalkOptions{})
	if len(got.errs) == 0 {
		t.Error("walk: nothing was reported")
	}
	if err := os.Truncate(strings.TrimSuffix(pack.path, ".pack")+".idx", 0); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Get(last); err == nil {
		t.Error("get without an index: no error")
	}
	reported := 0
	err := s.Walk(context.Background(), WalkOptions{OnError: func(*CorruptError) { reported++ }}, func(int, *Object) error { return nil })
	if err == nil && reported == 0 {
		t.Error("walk without an index: nothing was reported")
	}
	if s.Has(last) {
		t.Error("has, without an index")
	}
}

func TestCorruptErrorText(t *testing.T) {
	id := fakeID(1)
	cause := errors.New("cause")
	var got []string
	for _, c := range []*CorruptError{
		{Pack: "a.idx", Err: cause},
		{Pack: "a.pack", Offset: 7, Err: cause},
		{OID: id, Pack: "a.pack", Offset: 7, Err: cause},
		{OID: id, Pack: "a.pack", Err: cause},
		{OID: id, Err: cause},
	} {
		got = append(got, c.Error())
	}
	want := []string{
		"read a.idx: cause",
		"read a.pack at offset 7: cause",
		"read object " + id.String() + " in a.pack at offset 7: cause",
		"read object " + id.String() + ": a.pack: cause",
		"read loose object " + id.String() + ": cause",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

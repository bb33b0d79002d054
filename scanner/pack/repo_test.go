package pack

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// repo is a bare repository made with git, in an environment of its own.
type repo struct {
	t      testing.TB
	dir    string
	format Format
	want   map[OID]content // what is in it, where git cannot list that
}

func newRepo(t testing.TB, format Format) *repo {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	r := &repo{t: t, dir: t.TempDir(), format: format}
	r.git("init", "-q", "--bare", "--object-format="+format.String(), ".")
	return r
}

func (r *repo) command(args ...string) *exec.Cmd {
	c := exec.Command("git", args...)
	c.Dir = r.dir
	c.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + r.dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=author@example.com", "GIT_AUTHOR_DATE=1700000000 +0100",
		"GIT_COMMITTER_NAME=C O Mitter", "GIT_COMMITTER_EMAIL=committer@example.com", "GIT_COMMITTER_DATE=1700000000 -0230",
	}
	return c
}

func (r *repo) git(args ...string) string { return r.gitIn("", args...) }

func (r *repo) gitIn(stdin string, args ...string) string {
	r.t.Helper()
	c := r.command(args...)
	c.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return strings.TrimSuffix(string(out), "\n")
}

func (r *repo) objects() string { return filepath.Join(r.dir, "objects") }

// packs returns the paths of the packs, sorted.
func (r *repo) packs() []string {
	r.t.Helper()
	l, err := filepath.Glob(filepath.Join(r.objects(), "pack", "*.pack"))
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

func (r *repo) open(o Options) *Store {
	r.t.Helper()
	o.Format = r.format
	s, err := Open(r.objects(), o)
	if err != nil {
		r.t.Fatal(err)
	}
	s.settle = time.Millisecond
	r.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			r.t.Error(err)
		}
	})
	return s
}

// fill adds a history of commits on a branch, with files that are edited at
// random places, so that there is something to make deltas of.
func (r *repo) fill(seed uint64, branch string, commits int) {
	r.t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 1))
	var in strings.Builder
	files := map[string][]byte{}
	for c := range commits {
		fmt.Fprintf(&in, "commit refs/heads/%s\nauthor A <a@example.com> %d +0000\ncommitter C <c@example.com> %d +0000\ndata 9\ncommit %02d\n", branch, 1700000000+c, 1700000000+c, c%100)
		for range 1 + rnd.IntN(4) {
			name := fmt.Sprintf("dir%d/file%d.txt", rnd.IntN(6), rnd.IntN(10))
			files[name] = edit(rnd, files[name])
			fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s\n", name, len(files[name]), files[name])
		}
	}
	fmt.Fprintf(&in, "tag v-%s\nfrom refs/heads/%s\ntagger T <t@example.com> 1700000000 +0000\ndata 4\ntag\n\n", branch, branch)
	r.gitIn(in.String(), "-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", "--date-format=raw")
}

func edit(rnd *rand.Rand, b []byte) []byte {
	if len(b) == 0 {
		for range 1 + rnd.IntN(300) {
			b = fmt.Appendf(b, "line %d %x\n", rnd.IntN(1000), rnd.Uint64())
		}
		return b
	}
	at := rnd.IntN(len(b))
	cut := min(rnd.IntN(60), len(b)-at)
	return slices.Concat(b[:at], fmt.Appendf(nil, "edit %x\n", rnd.Uint64()), b[at+cut:])
}

// content is an object as git shows it.
type content struct {
	typ  Type
	data string
}

// all returns every object of the store, as git sees it.
func (r *repo) all() map[OID]content {
	r.t.Helper()
	c := r.command("cat-file", "--batch-all-objects", "--batch", "--unordered", "--buffer")
	out, err := c.Output()
	if err != nil {
		r.t.Fatal(err)
	}
	all := map[OID]content{}
	in := bufio.NewReader(bytes.NewReader(out))
	for {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			return all
		}
		f := strings.Fields(line)
		if len(f) != 3 {
			r.t.Fatalf("git cat-file: odd line %q", line)
		}
		n, err := strconv.Atoi(f[2])
		if err != nil {
			r.t.Fatal(err)
		}
		b := make([]byte, n+1)
		if _, err := io.ReadFull(in, b); err != nil {
			r.t.Fatal(err)
		}
		id, err := ParseOID(f[0])
		if err != nil {
			r.t.Fatal(err)
		}
		all[id] = content{Type(slices.Index(typeNames[:], f[1])), string(b[:n])}
	}
}

// walked is what a walk has passed on.
type walked struct {
	mu     sync.Mutex
	all    map[OID]content
	based  int // objects that came with a base
	copied int // bytes that their ops copied
	errs   []*CorruptError
}

// walkAll walks the store and checks what does not depend on its content: each
// object once, bases first, ops that make the object out of the base.
func walkAll(t testing.TB, s *Store, o WalkOptions) *walked {
	t.Helper()
	got := &walked{all: map[OID]content{}}
	if o.OnError == nil {
		o.OnError = func(c *CorruptError) { got.errs = append(got.errs, c) }
	}
	if o.Workers == 0 {
		o.Workers = 3
	}
	err := s.Walk(context.Background(), o, func(worker int, o *Object) error {
		if worker < 0 || worker > 2 {
			t.Errorf("worker %d", worker)
		}
		data := o.Data
		if data == nil {
			r, err := o.Open()
			if err != nil {
				return err
			}
			if data, err = io.ReadAll(r); err != nil {
				return err
			}
			if err := r.Close(); err != nil {
				return err
			}
		}
		if int64(len(data)) != o.Size {
			t.Errorf("%s: size %d, %d bytes", o.ID, o.Size, len(data))
		}
		got.mu.Lock()
		defer got.mu.Unlock()
		if _, twice := got.all[o.ID]; twice {
			t.Errorf("%s passed on twice", o.ID)
		}
		got.all[o.ID] = content{o.Type, string(data)}
		if o.Base != nil {
			got.based++
			got.checkOps(t, o)
		} else if len(o.Ops()) > 0 {
			t.Errorf("%s: ops without a base", o.ID)
		}
		o.Value = o.ID
		return nil
	})
	if err != nil {
		t.Fatalf("walk: %v", err)
	}
	return got
}

func (got *walked) checkOps(t testing.TB, o *Object) {
	if o.Base.Passed {
		if v, ok := o.Base.Value.(OID); !ok || v != o.Base.ID {
			t.Errorf("%s: value of base %s is %v", o.ID, o.Base.ID, o.Base.Value)
		}
		if c, ok := got.all[o.Base.ID]; !ok || c.data != string(o.Base.Data) {
			t.Errorf("%s: base %s was not passed on before, or is not what it was", o.ID, o.Base.ID)
		}
	} else if o.Base.Value != nil {
		t.Errorf("%s: base has a value but was not passed on", o.ID)
	}
	at := 0
	for i, op := range o.Ops() {
		if op.At != at || op.Len <= 0 {
			t.Fatalf("%s: op %d is at %d with %d bytes, want at %d", o.ID, i, op.At, op.Len, at)
		}
		if op.Copied() {
			got.copied += op.Len
			if !bytes.Equal(o.Base.Data[op.From:op.From+op.Len], o.Data[at:at+op.Len]) {
				t.Fatalf("%s: op %d does not copy what stands there", o.ID, i)
			}
		}
		at += op.Len
	}
	if at != len(o.Data) {
		t.Fatalf("%s: ops make %d of %d bytes", o.ID, at, len(o.Data))
	}
}

// same reports every difference between what was read and what should be.
func sameObjects(t testing.TB, got, want map[OID]content) {
	t.Helper()
	for _, id := range sortedIDs(want) {
		g, ok := got[id]
		switch w := want[id]; {
		case !ok:
			t.Errorf("%s %s is missing", w.typ, id)
		case g != w:
			t.Errorf("%s: %s of %d bytes, want %s of %d bytes", id, g.typ, len(g.data), w.typ, len(w.data))
		}
	}
	for _, id := range sortedIDs(got) {
		if _, ok := want[id]; !ok {
			t.Errorf("%s %s is not one of git's", got[id].typ, id)
		}
	}
}

func sortedIDs(m map[OID]content) []OID {
	return slices.SortedFunc(maps.Keys(m), OID.Compare)
}

// checkStore compares everything that the store says with what git says.
func checkStore(t testing.TB, s *Store, want map[OID]content) {
	t.Helper()
	for _, o := range []WalkOptions{{}, {Workers: 1, Memory: 1}, {Workers: 2, Verify: true}} {
		got := walkAll(t, s, o)
		for _, c := range got.errs {
			t.Errorf("walk: %v", c)
		}
		sameObjects(t, got.all, want)
	}
	for i, id := range sortedIDs(want) {
		w := want[id]
		typ, data, err := s.Get(id)
		if err != nil {
			t.Errorf("get %s: %v", id, err)
			continue
		}
		if (content{typ, string(data)}) != w {
			t.Errorf("get %s: %s of %d bytes, want %s of %d bytes", id, typ, len(data), w.typ, len(w.data))
		}
		if typ, size, err := s.Header(id); err != nil || typ != w.typ || size != int64(len(w.data)) {
			t.Errorf("header %s: %s of %d bytes, %v, want %s of %d bytes", id, typ, size, err, w.typ, len(w.data))
		}
		if !s.Has(id) {
			t.Errorf("has %s: false", id)
		}
		if i%10 == 0 {
			checkStream(t, s, id, w)
		}
	}
	none := OIDFromBytes(bytes.Repeat([]byte{0xab}, s.opt.Format.Size()))
	if s.Has(none) {
		t.Error("has an object that is not there")
	}
}

func checkStream(t testing.TB, s *Store, id OID, w content) {
	t.Helper()
	typ, size, r, err := s.Stream(id)
	if err != nil {
		t.Errorf("stream %s: %v", id, err)
		return
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil || typ != w.typ || size != int64(len(w.data)) || string(data) != w.data {
		t.Errorf("stream %s: %s of %d bytes, %v, want %s of %d bytes", id, typ, size, err, w.typ, len(w.data))
	}
}

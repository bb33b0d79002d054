package pack

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestHostile reads packs that were made to do harm. Each has one object that is
// sound, which must still be found.
func TestHostile(t *testing.T) {
	const data = "a base of thirty-two bytes or so."
	base := uint64(len(data))
	zeros := make([]byte, 1<<20)
	for name, make := range map[string]func(b *builder, id OID, off int64){
		"a cycle": func(b *builder, _ OID, _ int64) {
			b.ref(fakeID(1), fakeID(2), delta(base, 1, insert("x")))
			b.ref(fakeID(2), fakeID(1), delta(base, 1, insert("x")))
		},
		"a tail on a cycle": func(b *builder, _ OID, _ int64) {
			o := b.ref(fakeID(1), fakeID(1), delta(base, 1, insert("x")))
			for i := range 50 {
				o = b.ofs(fakeID(i+2), o, delta(base, 1, insert("x")))
			}
		},
		"base of its own": func(b *builder, _ OID, _ int64) {
			b.ref(fakeID(1), fakeID(1), delta(base, 1, insert("x")))
		},
		"base not there": func(b *builder, _ OID, _ int64) {
			b.ref(fakeID(1), fakeID(9), delta(base, 1, insert("x")))
		},
		"base before the pack": func(b *builder, _ OID, off int64) {
			b.ofs(fakeID(1), -100, delta(base, 1, insert("x")))
		},
		"base in the header of the pack": func(b *builder, _ OID, _ int64) {
			b.ofs(fakeID(1), 4, delta(base, 1, insert("x")))
		},
		"base in the middle of an object": func(b *builder, _ OID, off int64) {
			b.ofs(fakeID(1), off+3, delta(base, 1, insert("x")))
		},
		"base is oneself": func(b *builder, _ OID, _ int64) {
			b.raw(fakeID(1), ofsDelta, 5, []byte{0}, deflate(b.t, delta(base, 1, insert("x")), 6))
		},
		"distance without end": func(b *builder, _ OID, _ int64) {
			b.raw(fakeID(1), ofsDelta, 5, bytes.Repeat([]byte{0xff}, 30), nil)
		},
		"size without end": func(b *builder, _ OID, _ int64) {
			b.raw(fakeID(1), uint8(TypeBlob), 15|1<<4, bytes.Repeat([]byte{0xff}, 30), nil)
		},
		"size of 63 bits": func(b *builder, _ OID, _ int64) {
			b.raw(fakeID(1), uint8(TypeBlob), 1<<63-1, nil, deflate(b.t, []byte("x"), 6))
		},
		"size of 64 bits": func(b *builder, _ OID, _ int64) {
			b.raw(fakeID(1), uint8(TypeBlob), 1<<64-1, nil, deflate(b.t, []byte("x"), 6))
		},
		"size of 8.8 TB": func(b *builder, _ OID, _ int64) {
			b.raw(fakeID(1), uint8(TypeBlob), 8_800_000_000_000, nil, deflate(b.t, []byte("x"), 6))
		},
		"delta of 8.8 TB": func(b *builder, _ OID, off int64) {
			d := distance(int64(len(b.buf)) + 6 - off)
			b.raw(fakeID(1), ofsDelta, 8_800_000_000_000, d, deflate(b.t, []byte("x"), 6))
		},
		"size too small":     func(b *builder, _ OID, _ int64) { b.raw(fakeID(1), 3, 1, nil, deflate(b.t, zeros[:2], 6)) },
		"size too large":     func(b *builder, _ OID, _ int64) { b.raw(fakeID(1), 3, 3, nil, deflate(b.t, zeros[:2], 6)) },
		"type 0":             func(b *builder, _ OID, _ int64) { b.raw(fakeID(1), 0, 2, nil, deflate(b.t, zeros[:2], 6)) },
		"type 5":             func(b *builder, _ OID, _ int64) { b.raw(fakeID(1), 5, 2, nil, deflate(b.t, zeros[:2], 6)) },
		"other content":      func(b *builder, _ OID, _ int64) { b.raw(fakeID(1), 3, 2, nil, deflate(b.t, zeros[:2], 6)) },
		"not zlib":           func(b *builder, _ OID, _ int64) { b.raw(fakeID(1), 3, 2, nil, zeros[:20]) },
		"empty delta":        func(b *builder, id OID, _ int64) { b.ref(fakeID(1), id, nil) },
		"delta of one size":  func(b *builder, id OID, _ int64) { b.ref(fakeID(1), id, []byte{byte(base)}) },
		"delta size too big": func(b *builder, id OID, _ int64) { b.ref(fakeID(1), id, bytes.Repeat([]byte{0xff}, 20)) },
		"delta of 4 exabytes": func(b *builder, id OID, _ int64) {
			b.ref(fakeID(1), id, delta(base, 1<<62, copyFrom(0, 1), insert("x")))
		},
		"delta of 200 MB": func(b *builder, id OID, _ int64) {
			b.ref(fakeID(1), id, delta(base, 200<<20, copyFrom(0, 1), insert("x")))
		},
		"other base size": func(b *builder, id OID, _ int64) {
			b.ref(fakeID(1), id, delta(base+1, 1, insert("x")))
		},
		"copy beyond the base": func(b *builder, id OID, _ int64) {
			b.ref(fakeID(1), id, delta(base, 2, copyFrom(uint32(base-1), 2)))
		},
		"copy from 4 GiB": func(b *builder, id OID, _ int64) {
			b.ref(fakeID(1), id, delta(base, 0xffffff, copyFrom(0xffffffff, 0xffffff)))
		},
		"instruction 0":  func(b *builder, id OID, _ int64) { b.ref(fakeID(1), id, delta(base, 1, []byte{0})) },
		"insert cut off": func(b *builder, id OID, _ int64) { b.ref(fakeID(1), id, delta(base, 5, []byte{5, 'a'})) },
		"copy cut off":   func(b *builder, id OID, _ int64) { b.ref(fakeID(1), id, delta(base, 5, []byte{0xff, 0, 0})) },
		"too much":       func(b *builder, id OID, _ int64) { b.ref(fakeID(1), id, delta(base, 2, insert("abc"))) },
		"too little":     func(b *builder, id OID, _ int64) { b.ref(fakeID(1), id, delta(base, 4, insert("abc"))) },
		"offset beyond the pack": func(b *builder, _ OID, _ int64) {
			b.entries = append(b.entries, built{fakeID(1), 1 << 30, 1 << 30})
		},
		"offset of 63 bits": func(b *builder, _ OID, _ int64) {
			b.entries = append(b.entries, built{fakeID(1), 1<<63 - 1, 1 << 30})
		},
		"offset of 64 bits": func(b *builder, _ OID, _ int64) {
			b.entries = append(b.entries, built{fakeID(1), -1, 1 << 30})
			b.entries[len(b.entries)-1].off = 1 << 62
		},
		"offset in the middle of an object": func(b *builder, _ OID, off int64) {
			b.entries = append(b.entries, built{fakeID(1), off + 5, off + 20})
		},
		"another id for the same object": func(b *builder, _ OID, off int64) {
			b.entries = append(b.entries, built{fakeID(1), off, b.entries[0].end})
		},
		"a tree on what is damaged": func(b *builder, _ OID, _ int64) {
			o := b.raw(fakeID(1), 3, 3, nil, zeros[:30])
			for i := range 30 {
				o = b.ofs(fakeID(i+2), o, delta(3, 1, insert("x")))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBuilder(t, SHA1)
			id, off := b.whole(TypeBlob, []byte(data))
			make(b, id, off)
			want := map[OID]content{id: {TypeBlob, data}}
			pack := b.pack()
			before := allocated()
			for _, idx := range [][]byte{b.index(pack), nil} {
				s := storeOf(t, SHA1, Options{}, pack, idx)
				var got *walked
				if strings.Contains(name, "same object") || strings.Contains(name, "other content") {
					// An index that lies, but has a CRC for it: see the
					// documentation of the package.
					got = walkAll(t, s, WalkOptions{Verify: true})
				} else {
					got = walkAll(t, s, WalkOptions{})
				}
				if idx != nil || !strings.HasPrefix(name, "offset") && !strings.Contains(name, "same object") && name != "other content" {
					if len(got.errs) == 0 {
						t.Error("nothing was reported")
					}
				}
				if got.all[id] != want[id] {
					t.Error("the sound object was not found")
				}
				if idx != nil && len(got.all) != 1 {
					t.Errorf("%d objects were passed on", len(got.all))
				}
				for _, e := range b.entries[1:] {
					var c *CorruptError
					if _, _, err := s.Get(e.id); err == nil || !errors.As(err, &c) && !errors.Is(err, ErrTooLarge) && idx != nil {
						t.Errorf("get %s: %v", e.id, err)
					}
					s.Header(e.id)
					if _, _, r, err := s.Stream(e.id); err == nil {
						r.Close()
					}
				}
			}
			if used := allocated() - before; used > 64<<20 {
				t.Errorf("took %d bytes", used)
			}
		})
	}
}

// TestDeep walks a chain that is longer than any that git makes.
func TestDeep(t *testing.T) {
	const n = 50000
	b := newBuilder(t, SHA1)
	data := strings.Repeat("x", 100)
	id, off := b.whole(TypeBlob, []byte(data))
	for i := range n {
		line := fmt.Sprintf("%06d", i)
		data = line + data[6:]
		id = blobID(data)
		d := delta(100, 100, insert(line), copyFrom(6, 94))
		off = b.raw(id, ofsDelta, uint64(len(d)), distance(int64(len(b.buf))-off), stored(d))
	}
	s := b.store(Options{})
	start := time.Now()
	got := walkAll(t, s, WalkOptions{Verify: true})
	if len(got.errs) > 0 || len(got.all) != n+1 || got.all[id].data != data {
		t.Errorf("%d objects of %d, %v", len(got.all), n+1, got.errs)
	}
	if _, _, err := s.Get(id); !errors.Is(err, errChainLong) {
		t.Errorf("get at the end of the chain: %v", err)
	}
	if d := time.Since(start); d > time.Minute {
		t.Errorf("took %v", d)
	}
}

// TestLyingIndex has an object under an id that is not its own, as only an
// attacker would write it.
func TestLyingIndex(t *testing.T) {
	b := newBuilder(t, SHA1)
	b.raw(fakeID(1), uint8(TypeBlob), 5, nil, deflate(t, []byte("other"), 6))
	s := b.store(Options{})
	var c *CorruptError
	if _, _, err := s.Get(fakeID(1)); !errors.As(err, &c) || !errors.Is(err, errHash) {
		t.Errorf("get: %v", err)
	}
	got := walkAll(t, s, WalkOptions{Verify: true})
	if len(got.all) != 0 || len(got.errs) != 1 || !errors.Is(got.errs[0], errHash) {
		t.Errorf("walk, verifying: %d objects, %v", len(got.all), got.errs)
	}
	_, _, r, err := s.Stream(fakeID(1))
	if err == nil {
		_, err = bytes.NewBuffer(nil).ReadFrom(r)
	}
	if !errors.Is(err, errHash) {
		t.Errorf("stream: %v", err)
	}
}

// TestLyingSize has an object whose size could be true, for all that follows in
// the pack, but is not.
func TestLyingSize(t *testing.T) {
	noise := samples()["noise"]
	b := newBuilder(t, SHA1)
	b.raw(fakeID(1), uint8(TypeBlob), 250<<20, nil, deflate(t, []byte("short"), 6))
	for i := range 5 {
		b.whole(TypeBlob, noise[i:])
	}
	s := b.store(Options{})
	before := allocated()
	var c *CorruptError
	if _, _, err := s.Get(fakeID(1)); !errors.As(err, &c) || !errors.Is(err, errShorter) {
		t.Errorf("get: %v", err)
	}
	got := walkAll(t, s, WalkOptions{})
	if len(got.errs) != 1 || got.errs[0].OID != fakeID(1) || len(got.all) != 5 {
		t.Errorf("walk: %d objects, %v", len(got.all), got.errs)
	}
	if used := allocated() - before; used > 3*believed {
		t.Errorf("took %d bytes", used)
	}
}

package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// repeated is the deflate stream of data n times over, made without deflating
// it more than once.
func repeated(data []byte, n int) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	w.Write(data)
	w.Flush() // ends at a byte
	return append(bytes.Repeat(b.Bytes(), n), 1, 0, 0, 0xff, 0xff)
}

// gzRaw wraps a deflate stream; its checksum is wrong.
func gzRaw(deflate []byte) []byte {
	return cat([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"), deflate, make([]byte, 8))
}

// rawEntry is an entry of a zip with every lie it likes.
type rawEntry struct {
	name     string
	flags    uint16
	method   uint16
	crc      uint32
	data     []byte
	size     uint32
	at       int64 // offset of an earlier local header that stands for this one
	shared   bool  // at is meant
	extra    []byte
	dirExtra []byte
	packed   uint32 // in both headers, if not the length of data
}

func rawZip(entries ...rawEntry) []byte {
	le := binary.LittleEndian
	var out, dir []byte
	for _, e := range entries {
		packed := e.packed
		if packed == 0 {
			packed = uint32(len(e.data))
		}
		h := le.AppendUint16(nil, 20)
		h = le.AppendUint16(h, e.flags)
		h = le.AppendUint16(h, e.method)
		h = le.AppendUint32(h, 0)
		h = le.AppendUint32(h, e.crc)
		h = le.AppendUint32(h, packed)
		h = le.AppendUint32(h, e.size)
		h = le.AppendUint16(h, uint16(len(e.name)))
		at := e.at
		if !e.shared {
			at = int64(len(out))
			out = append(out, "PK\x03\x04"...)
			out = append(out, h...)
			out = le.AppendUint16(out, uint16(len(e.extra)))
			out = append(out, e.name...)
			out = append(out, e.extra...)
			out = append(out, e.data...)
		}
		dir = append(dir, "PK\x01\x02\x14\x00"...)
		dir = append(dir, h...)
		dir = le.AppendUint16(dir, uint16(len(e.dirExtra)))
		dir = append(dir, make([]byte, 10)...)
		dir = le.AppendUint32(dir, uint32(at))
		dir = append(dir, e.name...)
		dir = append(dir, e.dirExtra...)
	}
	end := append([]byte("PK\x05\x06"), make([]byte, 18)...)
	le.PutUint16(end[8:], uint16(len(entries)))
	le.PutUint16(end[10:], uint16(len(entries)))
	le.PutUint32(end[12:], uint32(len(dir)))
	le.PutUint32(end[16:], uint32(len(out)))
	return cat(out, dir, end)
}

// TestBombs asserts how many bytes come out of decompressors.
func TestBombs(t *testing.T) {
	zeros16 := make([]byte, 16<<20)
	twoGB := repeated(zeros16, 128)
	hundredMB := repeated(make([]byte, 10<<20), 10)
	shared := []rawEntry{{name: "f", method: 8, data: hundredMB, size: 100 << 20}}
	for range 39 {
		shared = append(shared, rawEntry{name: "f", method: 8, packed: uint32(len(hundredMB)), size: 100 << 20, shared: true})
	}
	// An entry that lies in the bytes of another.
	within := cat([]byte("text"), rawZip(rawEntry{name: "b", method: 8, data: hundredMB}), []byte("text"))
	overlapping := rawZip(rawEntry{name: "a", data: within},
		rawEntry{name: "b", method: 8, packed: uint32(len(hundredMB)), shared: true, at: localLen + 1 + 4})
	levels := zipOf(zip.Deflate, file{"z", make([]byte, 50<<20)})
	for range 5 {
		var f []file
		for i := range 6 {
			f = append(f, file{fmt.Sprintf("n%d.zip", i), levels})
		}
		levels = zipOf(zip.Deflate, f...)
	}
	deep := doc
	for range 30 {
		deep = gz(deep)
	}
	var many []file
	for i := range 10_001 {
		many = append(many, file{fmt.Sprint("d/", i), nil})
	}
	// 40 MiB of zeros.
	bz := []byte("BZh91AY&SYW\xc6\xd7\x7f\x01AA@\x80\xc0\x00\x00\x01\x00\x08 \x000\xcc\x05)\xa6@\x90&\xc5\x02@\x9e.\xe4\x8ap\xa1 \xaf\x8d\xae\xfe")
	// Blocks of 128 KiB that are four bytes each.
	rle := append([]byte("\x28\xb5\x2f\xfd\x00\x58"), bytes.Repeat([]byte{2, 0, 16, 'x'}, 1<<14)...)
	const stop = ratioFrom + window // a stream is stopped within one read of 4 MiB

	for name, c := range map[string]struct {
		data    []byte
		limits  Limits
		spent   int64 // at most
		reasons []string
	}{
		"2 GB in 2 MB":        {rawZip(rawEntry{name: "z", method: 8, data: twoGB, size: 2 << 30}), Limits{}, stop, []string{"limit: ratio 100:1"}},
		"2 GB, any ratio":     {rawZip(rawEntry{name: "z", method: 8, data: twoGB, size: 2 << 30}), Limits{Ratio: 1e6}, DefaultBytes, []string{"limit: 268435456 bytes unpacked"}},
		"40 in one":           {rawZip(shared...), Limits{}, stop, []string{"limit: ratio 100:1"}},
		"40 in one, any":      {rawZip(shared...), Limits{Ratio: 1e6}, 100 << 20, nil},
		"one in another":      {overlapping, Limits{}, 0, []string{"damaged: overlaps another entry"}},
		"3 GB gz":             {gzRaw(repeated(zeros16, 192)), Limits{}, stop, []string{"limit: ratio 100:1"}},
		"gz of gz":            {gz(gzRaw(repeated(zeros16, 192))), Limits{}, stop + 4<<20, []string{"limit: ratio 100:1"}},
		"30 gz":               {deep, Limits{}, 64 << 10, []string{"limit: depth 5"}},
		"6 levels":            {levels, Limits{}, DefaultBytes, []string{"limit: depth 5"}},
		"6 levels, any depth": {levels, Limits{Depth: 10}, DefaultBytes, []string{"limit: ratio 100:1", "limit: 268435456 bytes unpacked"}},
		"10,001 entries":      {zipOf(zip.Deflate, many...), Limits{}, 0, []string{"limit: 10000 entries"}},
		"10,001 in a tar":     {tarOf(many...), Limits{}, 0, []string{"limit: 10000 entries"}},
		"10,001 in tars":      {tarOf(file{"a", tarOf(many[:6000]...)}, file{"b", tarOf(many[:6000]...)}), Limits{}, 0, []string{"limit: 10000 entries"}},
		"bzip2":               {bz, Limits{}, stop, []string{"limit: ratio 100:1"}},
		"zstd":                {rle, Limits{}, stop, []string{"limit: ratio 100:1"}},
		"zstd window":         {append([]byte("\x28\xb5\x2f\xfd\x00\xa0"), rle[6:]...), Limits{}, 0, []string{"limit: memory for a zstd window"}},
		"bytes, exactly":      {gz(text(5000)), Limits{Bytes: 5000}, 5000, nil},
		"bytes, one over":     {gz(text(5001)), Limits{Bytes: 5000}, 5000, []string{"limit: 5000 bytes unpacked"}},
		"bytes, in a tgz":     {gz(tarOf(file{"a", gz(text(5000))}, file{"b", doc})), Limits{Bytes: 9000}, 9000, []string{"limit: 9000 bytes unpacked"}},
	} {
		t.Run(name, func(t *testing.T) {
			var total int64
			call := &call{limits: c.limits.filled(), yield: func(m *Member) { total += int64(len(m.Data)) }}
			left := call.run(c.data)
			if call.spent > c.spent {
				t.Errorf("unpacked %d bytes, want at most %d", call.spent, c.spent)
			}
			// What is yielded is what was unpacked or is stored, at most twice
			// where an archive turned out not to be one, and the overlaps.
			if bound := 2 * (call.spent + call.spent/64 + int64(len(c.data))); total > bound {
				t.Errorf("yielded %d bytes, want at most %d", total, bound)
			}
			if len(left) > maxLeft+3 {
				t.Errorf("%d left", len(left))
			}
			for _, want := range c.reasons {
				if !slices.ContainsFunc(left, func(l Left) bool { return strings.HasPrefix(l.Reason, want) }) {
					t.Errorf("no %q in %d left: %v", want, len(left), left[:min(len(left), 5)])
				}
			}
			if c.reasons == nil && len(left) > 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

// Behind a bomb, the rest of an archive is still read.
func TestBehindBomb(t *testing.T) {
	bomb := repeated(make([]byte, 1<<20), 40)
	check := func(name string, data []byte) {
		found := false
		left := Each(data, Limits{}, func(m *Member) { found = found || bytes.Equal(m.Data, doc) })
		if !found || len(left) != 1 || !strings.HasPrefix(left[0].Reason, "limit: ratio") {
			t.Errorf("%s: found %t, left %v", name, found, left)
		}
	}
	check("zip", rawZip(rawEntry{name: "z", method: 8, data: bomb}, rawEntry{name: "s.py", data: doc}))
	check("tar", tarOf(file{"z.gz", gzRaw(bomb)}, file{"s.py", doc}))
}

// A long member of a long archive must not cost its length.
func TestMemory(t *testing.T) {
	const mib = 1 << 20
	piece := text(mib)
	var head bytes.Buffer
	w := tar.NewWriter(&head)
	w.WriteHeader(&tar.Header{Name: "big", Size: 120 * mib, Mode: 0o600})
	body := repeated(piece, 120)
	h := deflateFlushed(head.Bytes())
	for name, data := range map[string][]byte{
		"tgz": gzRaw(cat(h, body)),
		"zip": rawZip(rawEntry{name: "big", method: 8, data: body, size: 120 * mib}),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var total int
		Each(data, Limits{}, func(m *Member) { total += len(m.Data) })
		runtime.ReadMemStats(&after)
		if total < 120*mib {
			t.Errorf("%s: yielded %d bytes", name, total)
		}
		// Two levels of windows, each grown by doubling.
		if n := after.TotalAlloc - before.TotalAlloc; n > 6*window {
			t.Errorf("%s: allocated %d MiB", name, n/mib)
		}
	}
}

func deflateFlushed(data []byte) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed)
	w.Write(data)
	w.Flush()
	return b.Bytes()
}

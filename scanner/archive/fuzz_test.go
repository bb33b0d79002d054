package archive

import (
	"archive/zip"
	"bytes"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func FuzzEach(f *testing.F) {
	files := []file{{"a", doc}, {"b/c", text(2000)}, {"d", nil}}
	for _, data := range [][]byte{
		zipOf(zip.Deflate, files...), zipOf(zip.Store, files...), zipOf(zstd.ZipMethodWinZip, files...), zip64(),
		rawZip(rawEntry{name: "a", method: 8, data: deflated(doc)}, rawEntry{name: "b", flags: 1, data: doc}, rawEntry{name: "c", shared: true}),
		tarOf(files...), gz(tarOf(files...)), zst(tarOf(files...)), gz(doc), bz2, cat(gz(doc), gz(doc), doc),
		zipOf(zip.Store, file{"in.tgz", gz(tarOf(file{"s.zip", zipOf(zip.Store, files...)}))}),
		gzRaw(repeated(make([]byte, 1<<20), 3)), cat(doc, zipOf(zip.Store, files...)),
	} {
		f.Add(data)
	}
	limits := Limits{Bytes: 2 << 20, Entries: 50, Depth: 4}
	f.Fuzz(func(t *testing.T, data []byte) {
		type seen struct {
			name string
			sum  uint32
		}
		sum := crc32.ChecksumIEEE(data)
		run := func() (members []seen, left []Left) {
			var total int64
			c := &call{limits: limits.filled(), yield: func(m *Member) {
				total += int64(len(m.Data))
				members = append(members, seen{m.Name, crc32.ChecksumIEEE(m.Data)})
				if len(m.Name) > maxName {
					t.Errorf("name of %d bytes", len(m.Name))
				}
			}}
			left = c.run(data)
			if c.spent > limits.Bytes || c.entries > limits.Entries || len(left) > maxLeft+8 {
				t.Errorf("unpacked %d bytes, %d entries, left %d", c.spent, c.entries, len(left))
			}
			// At every level, each byte is yielded in one member and once more
			// where that was no archive.
			if bound := int64(limits.Depth+1) * 2 * (int64(len(data)) + limits.Bytes); total > bound {
				t.Errorf("yielded %d bytes of %d", total, len(data))
			}
			if c.level != 0 || c.zstds != 0 {
				t.Errorf("level %d, %d zstd streams at the end", c.level, c.zstds)
			}
			return members, left
		}
		m1, l1 := run()
		m2, l2 := run()
		if !slices.Equal(m1, m2) || !slices.Equal(l1, l2) {
			t.Error("two runs differ")
		}
		if crc32.ChecksumIEEE(data) != sum {
			t.Error("data was changed")
		}
		if kind := Kind(data); opens(kind) && kind != "tar" && len(m1) == 0 && len(l1) == 0 && !emptyIsFine(data) {
			t.Errorf("%s: nothing yielded, nothing left", kind)
		}
	})
}

// emptyIsFine tells of data of which rightly nothing comes: a zip of folders, or
// of nothing.
func emptyIsFine(data []byte) bool {
	d := readDirectory(data, 100)
	for _, e := range d.entries {
		if !bytes.HasSuffix(e.name, []byte("/")) {
			return false
		}
	}
	return d.found
}

var sink string

func BenchmarkKind(b *testing.B) {
	for name, data := range map[string][]byte{"text": text(20_000), "noise": noise(20_000), "digits": bytes.Repeat([]byte("01234567"), 2000),
		"zip": zipOf(zip.Store, file{"a", doc}), "tar": tarOf(file{"a", doc})} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				sink = Kind(data)
			}
		})
	}
}

func BenchmarkEach(b *testing.B) {
	var many []file
	for range 200 {
		many = append(many, file{"x/s.py", text(10_000)})
	}
	for name, data := range map[string][]byte{
		"small-zip": zipOf(zip.Deflate, file{"a", doc}), "small-gz": gz(doc), "zip": zipOf(zip.Deflate, many...), "tgz": gz(tarOf(many...)), "tar": tarOf(many...),
		"tar.zst": zst(tarOf(many...)),
		"bomb":    gzRaw(repeated(make([]byte, 16<<20), 192)),
	} {
		b.Run(name, func(b *testing.B) {
			var n int64
			Each(data, Limits{}, func(m *Member) { n += int64(len(m.Data)) })
			b.SetBytes(n)
			b.ReportAllocs()
			for b.Loop() {
				Each(data, Limits{}, func(*Member) {})
			}
		})
	}
}

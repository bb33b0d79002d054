package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// What the tests build archives of.

type file struct {
	name string
	data []byte
}

func text(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, 0, n+12)
	for len(b) < n {
		for v, i := r.Uint64(), 0; i < 12; i++ {
			b = append(b, "abcdefghijklmnopqrstuvwxyz =\n012"[v>>(5*i)&31])
		}
	}
	return b[:n:n]
}

func noise(n int) []byte {
	r := rand.New(rand.NewPCG(2, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func zipOf(method uint16, files ...file) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(zstd.ZipMethodWinZip, zstd.ZipCompressor())
	w.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	for _, f := range files {
		e, err := w.CreateHeader(&zip.FileHeader{Name: f.name, Method: method})
		if err != nil {
			panic(err)
		}
		e.Write(f.data)
	}
	w.Close()
	return b.Bytes()
}

func deflated(data []byte) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func tarOf(files ...file) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Size: int64(len(f.data)), Mode: 0o644}); err != nil {
			panic(err)
		}
		w.Write(f.data)
	}
	w.Close()
	return b.Bytes()
}

func gz(data []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func zst(data []byte) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	return w.EncodeAll(data, nil)
}

// bz2 of doc, by bzip2; the standard library does not write it.
var bz2 = []byte("\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x29\x40\xf0\x9d\x00\x00\x05\x5f\x80\x00\x10\x40\x00\x20\x02\x16\x80\x06\x00\x02\x09\x96\x00\x20\x00\x31\x43\x4d\x30\x00\x51\xa6\x43\xca\x68\x7a\x8c\x5e\x43\x62\xa3\x23\x6e\x57\x3b\x2b\xc5\x7c\x5d\xc9\x14\xe1\x42\x40\xa5\x03\xc2\x74")

var doc = []byte("DEBUG = True\ntoken = 1\n")

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// unpack joins the pieces of what Each yields.
func unpack(t testing.TB, data []byte, l Limits) (files []file, left []Left) {
	t.Helper()
	left = Each(data, l, func(m *Member) {
		if n := len(files); n > 0 && files[n-1].name == m.Name && len(m.Data) > overlap && len(files[n-1].data) >= window &&
			bytes.HasSuffix(files[n-1].data, m.Data[:overlap]) {
			files[n-1].data = append(files[n-1].data, m.Data[overlap:]...)
			return
		}
		files = append(files, file{m.Name, bytes.Clone(m.Data)})
	})
	return files, left
}

func check(t *testing.T, data []byte, l Limits, want []file, left ...Left) {
	t.Helper()
	got, gotLeft := unpack(t, data, l)
	show := func(files []file) (s []string) {
		for _, f := range files {
			s = append(s, fmt.Sprintf("%q: %d bytes, crc %08x", f.name, len(f.data), crc32.ChecksumIEEE(f.data)))
		}
		return s
	}
	if !slices.EqualFunc(got, want, func(a, b file) bool { return a.name == b.name && bytes.Equal(a.data, b.data) }) {
		t.Errorf("yielded\n\t%s\nwant\n\t%s", strings.Join(show(got), "\n\t"), strings.Join(show(want), "\n\t"))
	}
	if !slices.Equal(gotLeft, left) {
		t.Errorf("left %+v, want %+v", gotLeft, left)
	}
}

func TestEach(t *testing.T) {
	long := text(9<<20 + 12345)
	garbage := []byte("trailing garbage trailing garbage")
	in3 := zipOf(zip.Deflate, file{"in.zip", zipOf(zip.Deflate, file{"in2.zip", zipOf(zip.Store, file{"s.py", doc})})})
	for name, c := range map[string]struct {
		data []byte
		want []file
		left []Left
	}{
		"no archive":  {data: doc},
		"empty":       {},
		"zip":         {data: zipOf(zip.Deflate, file{"x/s.py", doc}, file{"e", nil}), want: []file{{"x/s.py", doc}, {"e", nil}}},
		"stored":      {data: zipOf(zip.Store, file{"x/s.py", doc}, file{"y", doc}), want: []file{{"x/s.py", doc}, {"y", doc}}},
		"zstd in zip": {data: zipOf(zstd.ZipMethodWinZip, file{"x/s.py", doc}, file{"y", doc}), want: []file{{"x/s.py", doc}, {"y", doc}}},
		"folder":      {data: zipOf(zip.Deflate, file{"x/", nil}, file{"x/s.py", doc}), want: []file{{"x/s.py", doc}}},
		"names":       {data: zipOf(zip.Deflate, file{"../../tmp/s", doc}, file{"/abs", doc}), want: []file{{"../../tmp/s", doc}, {"/abs", doc}}},
		"three zips":  {data: in3, want: []file{{"in.zip!in2.zip!s.py", doc}}},
		"tar":         {data: tarOf(file{"x/s.py", doc}, file{"y", long[:1024]}), want: []file{{"x/s.py", doc}, {"y", long[:1024]}}},
		"tgz":         {data: gz(tarOf(file{"x/s.py", doc}, file{"y", long[:1000]})), want: []file{{"x/s.py", doc}, {"y", long[:1000]}}},
		"zip in tgz":  {data: gz(tarOf(file{"in.zip", in3})), want: []file{{"in.zip!in.zip!in2.zip!s.py", doc}}},
		"tgz in zip":  {data: zipOf(zip.Store, file{"a.tgz", gz(tarOf(file{"s.py", doc}))}), want: []file{{"a.tgz!s.py", doc}}},
		"gz":          {data: gz(doc), want: []file{{"", doc}}},
		"gz in tar":   {data: tarOf(file{"a.log.gz", gz(doc)}), want: []file{{"a.log.gz", doc}}},
		"two gz":      {data: cat(gz(doc), gz(doc)), want: []file{{"", cat(doc, doc)}}},
		"gz, garbage": {data: cat(gz(doc), garbage), want: []file{{"", doc}}},
		"gz, garbage, in tar": {data: tarOf(file{"a.gz", cat(gz(doc), garbage)}, file{"b.gz", cat(gz(doc), make([]byte, 2000))}),
			want: []file{{"a.gz", doc}, {"a.gz", garbage}, {"b.gz", doc}}},
		"bzip2":        {data: bz2, want: []file{{"", doc}}},
		"bzip2, twice": {data: cat(bz2, bz2, garbage), want: []file{{"", cat(doc, doc)}}},
		"zstd":         {data: cat(zst(doc), zst(doc), garbage), want: []file{{"", cat(doc, doc)}}},
		"zst tar":      {data: zst(tarOf(file{"s.py", doc})), want: []file{{"s.py", doc}}},
		"xz":           {data: []byte("\xfd7zXZ\x00\x00\x04"), left: []Left{{"", "unsupported: xz"}}},
		"7z in zip": {data: zipOf(zip.Deflate, file{"a.7z", []byte("7z\xbc\xaf\x27\x1c....")}),
			want: []file{{"a.7z", []byte("7z\xbc\xaf\x27\x1c....")}}, left: []Left{{"a.7z", "unsupported: 7z"}}},
		"stub":        {data: cat(doc, zipOf(zip.Deflate, file{"s.py", doc})), want: []file{{"s.py", doc}}},
		"stub in tgz": {data: gz(tarOf(file{"setup", cat(doc, zipOf(zip.Deflate, file{"s.py", doc}))})), want: []file{{"setup", doc}, {"setup!s.py", doc}}},
		"long gz":     {data: gz(long), want: []file{{"", long}}},
		"long zip":    {data: zipOf(zip.Deflate, file{"a", long}, file{"b", doc}), want: []file{{"a", long}, {"b", doc}}},
		"long stored": {data: zipOf(zip.Store, file{"a", long}, file{"b", doc}), want: []file{{"a", long}, {"b", doc}}},
		"long in tgz": {data: gz(tarOf(file{"a", long}, file{"b", long[:window]}, file{"c", doc})),
			want: []file{{"a", long}, {"b", long[:window]}, {"c", doc}}},
		"long zip in tgz": {data: gz(tarOf(file{"a", doc}, file{"in.zip", zipOf(zip.Deflate, file{"a", long}, file{"b", doc})}, file{"c", doc})),
			want: []file{{"a", doc}, {"in.zip!a", long}, {"in.zip!b", doc}, {"c", doc}}},
		"long tgz in tgz": {data: gz(tarOf(file{"in.tgz", gz(tarOf(file{"a", long}, file{"b", doc}))}, file{"c", doc})),
			want: []file{{"in.tgz!a", long}, {"in.tgz!b", doc}, {"c", doc}}},
		"long gz of gz":  {data: gz(gz(long)), want: []file{{"", long}}},
		"long gz of zst": {data: gz(zst(long)), want: []file{{"", long}}},
		"long gz of zip": {data: gz(zipOf(zip.Store, file{"a", long})), want: []file{{"a", long}}},
	} {
		t.Run(name, func(t *testing.T) { check(t, c.data, Limits{}, c.want, c.left...) })
	}
}

func TestKind(t *testing.T) {
	odd := tarOf(file{"s.py", doc})
	v7 := bytes.Clone(odd[:block])
	copy(v7[257:], make([]byte, 8))
	seal(v7)
	odd[0] ^= 1
	long := text(4096)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":           {nil, ""},
		"text":              {long, ""},
		"zip":               {zipOf(zip.Deflate, file{"s.py", doc}), "zip"},
		"empty zip":         {zipOf(zip.Deflate), "zip"},
		"part of a zip":     {[]byte("PK00PK\x03\x04"), "zip"},
		"PK":                {[]byte("PKZIP is a program"), ""},
		"stub":              {cat(long, zipOf(zip.Deflate, file{"s.py", doc})), "zip"},
		"end without start": {cat(long, zipOf(zip.Deflate)), ""},
		"gzip":              {gz(doc), "gzip"},
		"gzip, no deflate":  {[]byte("\x1f\x8b\x07\x00\x00\x00\x00"), ""},
		"bzip2":             {bz2, "bzip2"},
		"empty bzip2":       {[]byte("BZh9\x17\x72\x45\x38\x50\x90\x00\x00\x00\x00"), "bzip2"},
		"BZh":               {[]byte("BZh9 is how such files begin"), ""},
		"zstd":              {zst(doc), "zstd"},
		"xz":                {[]byte("\xfd7zXZ\x00\x00"), "xz"},
		"7z":                {[]byte("7z\xbc\xaf\x27\x1c\x00"), "7z"},
		"rar":               {[]byte("Rar!\x1a\x07\x01\x00"), "rar"},
		"lz4":               {[]byte("\x04\x22\x4d\x18\x64\x40"), "lz4"},
		"lzip":              {[]byte("LZIP\x01\x0c"), "lzip"},
		"LZIP":              {[]byte("LZIP is a program"), ""},
		"cab":               {[]byte("MSCF\x00\x00\x00\x00\x01"), "cab"},
		"tar":               {tarOf(file{"s.py", doc}), "tar"},
		"version 7 tar":     {v7, "tar"},
		"tar, wrong sum":    {odd, ""},
		"zeros":             {make([]byte, 4096), ""},
		"digits":            {bytes.Repeat([]byte("0"), 4096), ""},
	} {
		if got := Kind(c.data); got != c.want {
			t.Errorf("%s: Kind is %q, want %q", name, got, c.want)
		}
		for n := range min(len(c.data), 600) {
			Kind(c.data[:n]) // must not panic
			Kind(c.data[len(c.data)-n:])
		}
	}
}

// seal puts the right checksum into a header of a tar.
func seal(h []byte) {
	copy(h[148:156], "        ")
	sum := 0
	for _, ch := range h[:block] {
		sum += int(ch)
	}
	copy(h[148:156], fmt.Sprintf("%06o\x00 ", sum))
}

// What Each was given may be scanned by somebody else at the same time.
func TestConcurrent(t *testing.T) {
	data := zipOf(zip.Deflate, file{"a.tgz", gz(tarOf(file{"s.py", doc}))}, file{"b.zst", zst(doc)}, file{"c", doc})
	want, _ := unpack(t, data, Limits{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				i := 0
				Each(data, Limits{}, func(m *Member) {
					if i >= len(want) || m.Name != want[i].name || !bytes.Equal(m.Data, want[i].data) {
						t.Errorf("member %d is %q", i, m.Name)
					}
					i++
				})
			}
		})
	}
	wg.Wait()
}

// A key that lies across two pieces must be whole in one of them.
func TestPieces(t *testing.T) {
	long := text(3*window + 100)
	at := 0
	pieces := 0
	Each(gz(long), Limits{}, func(m *Member) {
		if pieces > 0 {
			at -= overlap
		}
		if len(m.Data) > window || !bytes.Equal(m.Data, long[at:at+len(m.Data)]) {
			t.Errorf("piece %d of %d bytes is not what stands at %d", pieces, len(m.Data), at)
		}
		at += len(m.Data)
		pieces++
	})
	if at != len(long) || pieces != 4 {
		t.Errorf("%d pieces, %d bytes, want 4, %d", pieces, at, len(long))
	}
}

package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
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
	b := make([]byte, n)
	for i := range b {
		b[i] = "abcdefghijklmnopqrstuvwxyz =\n012"[r.IntN(32)]
	}
	return b
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

// sizedZip has the sizes in the local headers, where archive/zip and most
// streaming writers have them behind the data.
func sizedZip(method uint16, files ...file) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		packed := f.data
		if method == zip.Deflate {
			packed = deflated(f.data)
		}
		e, err := w.CreateRaw(&zip.FileHeader{Name: f.name, Method: method, CRC32: crc32.ChecksumIEEE(f.data),
			CompressedSize64: uint64(len(packed)), UncompressedSize64: uint64(len(f.data))})
		if err != nil {
			panic(err)
		}
		e.Write(packed)
	}
	w.Close()
	return b.Bytes()
}

func deflated(data []byte) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 6)
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
	w := gzip.NewWriter(&b)
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
	long := text(20<<20 + 12345)
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

var _ = io.EOF
var _ = binary.LittleEndian
var _ sync.Mutex
var _ = noise

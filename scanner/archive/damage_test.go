package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
)

func TestZip(t *testing.T) {
	crc := crc32.ChecksumIEEE(doc)
	packed := deflated(doc)
	good := rawEntry{name: "s.py", method: 8, crc: crc, data: packed, size: uint32(len(doc))}
	stored := rawEntry{name: "t.py", crc: crc, data: doc, size: uint32(len(doc))}
	locked := rawEntry{name: "locked", flags: flagEncrypted, data: noise(40)}
	broken := rawEntry{name: "broken", method: 8, crc: crc, data: []byte("\xff\xff\xff\xff"), size: 20}
	lzma := rawEntry{name: "l", method: 14, data: noise(40)}
	wrong := stored
	wrong.name, wrong.crc = "w", crc+1
	wrongPacked := good
	wrongPacked.name, wrongPacked.crc = "wp", crc+1
	both := []file{{"s.py", doc}, {"t.py", doc}}
	noDir := Left{"", "damaged: no central directory"}
	dirAt := func(z []byte) int { return bytes.Index(z, dirMagic) }
	cutDir := func(z []byte) []byte { return z[:dirAt(z)] }
	// archive/zip writes the sizes behind the data.
	streamed := zipOf(zip.Deflate, file{"s.py", doc}, file{"t.py", doc})
	streamedStored := zipOf(zip.Store, file{"s.py", doc}, file{"t.py", doc})
	hidden := rawZip(good, stored)
	one := rawZip(good)
	hidden = cat(hidden[:dirAt(hidden)], one[dirAt(one):]) // lists s.py only
	binary.LittleEndian.PutUint32(hidden[len(hidden)-6:], uint32(len(cutDir(rawZip(good, stored)))))
	var absolute bytes.Buffer
	absolute.Write(doc)
	w := zip.NewWriter(&absolute)
	w.SetOffset(int64(len(doc)))
	e, _ := w.Create("s.py")
	e.Write(doc)
	w.Close()
	moved := rawZip(good, stored)
	binary.LittleEndian.PutUint32(moved[dirAt(moved)+42:], 7)
	commented := rawZip(good)
	commented = append(commented, "the comment"...)
	binary.LittleEndian.PutUint16(commented[len(commented)-11-2:], 11)
	short := rawZip(good)
	short[len(short)-12] = 2

	for name, c := range map[string]struct {
		data []byte
		want []file
		left []Left
	}{
		"plain":             {rawZip(good, stored), both, nil},
		"no directory":      {cutDir(rawZip(good, stored)), both, []Left{noDir}},
		"streamed":          {cutDir(streamed), both, []Left{noDir}},
		"streamed, stored":  {cutDir(streamedStored), both, []Left{noDir}},
		"cut in an entry":   {cutDir(rawZip(good, stored))[:len(cutDir(rawZip(good, stored)))-3], []file{both[0], {"t.py", doc[:len(doc)-3]}}, []Left{noDir, {"t.py", fmt.Sprintf("damaged after %d bytes: cut off", len(doc)-3)}}},
		"not in directory":  {hidden, both, nil},
		"encrypted":         {rawZip(good, locked, stored), both, []Left{{"locked", "encrypted"}}},
		"encrypted, no dir": {cutDir(rawZip(good, locked, stored)), both, []Left{noDir, {"locked", "encrypted"}}},
		"broken deflate":    {rawZip(good, broken, stored), both, []Left{{"broken", "damaged after 0 bytes"}}},
		"lzma":              {rawZip(good, lzma, stored), both, []Left{{"l", "unsupported: zip method 14 (lzma)"}}},
		"wrong sum":         {rawZip(good, wrong), []file{both[0], {"w", doc}}, []Left{{"w", fmt.Sprintf("damaged after %d bytes: wrong checksum", len(doc))}}},
		"wrong sum, packed": {rawZip(wrongPacked), []file{{"wp", doc}}, []Left{{"wp", fmt.Sprintf("damaged after %d bytes: wrong checksum", len(doc))}}},
		"offsets from file": {absolute.Bytes(), both[:1], nil},
		"offset to nowhere": {moved, both, []Left{{"s.py", "damaged: no local header"}}},
		"comment":           {commented, both[:1], nil},
		"comment, nested":   {rawZip(rawEntry{name: "in.zip", data: commented}), []file{{"in.zip!s.py", doc}, {"in.zip", []byte("the comment")}}, nil},
		"garbage behind":    {cat(rawZip(good, stored), noise(500)), both, nil},
		"fewer than said":   {short, both[:1], []Left{{"", "damaged: central directory cut short"}}},
		"bzip2 entry":       {rawZip(rawEntry{name: "s.py", method: 12, crc: crc, data: bz2}, stored), both, nil},
		"zip64":             {zip64(), both, nil},
		"only a header":     {[]byte("PK\x03\x04......"), nil, []Left{noDir}},
		"header, nested":    {rawZip(rawEntry{name: "h", data: []byte("PK\x03\x04......")}), []file{{"h", []byte("PK\x03\x04......")}}, []Left{{"h", noDir.Reason}}},
	} {
		t.Run(name, func(t *testing.T) { check(t, c.data, Limits{}, c.want, c.left...) })
	}
}

// zip64 is a zip of two entries with every number where zip64 has it.
func zip64() []byte {
	le := binary.LittleEndian
	const far = 0xffffffff
	sizes := func(extra ...int) []byte {
		b := []byte{9, 9, 2, 0, 0, 0, 1, 0, byte(8 * len(extra)), 0} // another field first
		for _, n := range extra {
			b = le.AppendUint64(b, uint64(n))
		}
		return b
	}
	var out []byte
	var entries []rawEntry
	for _, name := range []string{"s.py", "t.py"} {
		e := rawEntry{name: name, crc: crc32.ChecksumIEEE(doc), data: doc, size: far, packed: far, extra: sizes(len(doc), len(doc))}
		at := len(out)
		out = append(out, rawZip(e)[:localLen+len(name)+len(e.extra)+len(doc)]...)
		e.shared, e.dirExtra, e.at = true, sizes(len(doc), len(doc), at), far
		entries = append(entries, e)
	}
	dir := rawZip(entries...)
	dir = dir[:len(dir)-endLen]
	end := append([]byte("PK\x06\x06"), make([]byte, 28)...)
	end = le.AppendUint64(end, 2)
	end = le.AppendUint64(end, uint64(len(dir)))
	end = le.AppendUint64(end, uint64(len(out)))
	locator := append([]byte("PK\x06\x07"), 0, 0, 0, 0)
	locator = le.AppendUint64(locator, uint64(len(out)+len(dir)))
	locator = append(locator, 1, 0, 0, 0)
	last := append([]byte("PK\x05\x06\x00\x00\x00\x00"), bytes.Repeat([]byte{0xff}, 12)...)
	return cat(out, dir, end, locator, last, []byte{0, 0})
}

func TestTar(t *testing.T) {
	write := func(headers ...*tar.Header) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range headers {
			if h.Typeflag == tar.TypeReg {
				h.Size = int64(len(doc))
			}
			if err := w.WriteHeader(h); err != nil {
				t.Fatal(err)
			}
			if h.Typeflag == tar.TypeReg {
				w.Write(doc)
			}
		}
		w.Close()
		return b.Bytes()
	}
	reg := func(name string, f tar.Format) *tar.Header {
		return &tar.Header{Typeflag: tar.TypeReg, Name: name, Format: f}
	}
	long := strings.Repeat("long/", 60) + "s.py"
	prefix := strings.Repeat("long/", 30) + "s.py"
	links := write(&tar.Header{Typeflag: tar.TypeSymlink, Name: "l", Linkname: "/etc/passwd"},
		&tar.Header{Typeflag: tar.TypeLink, Name: "h", Linkname: "../../.."},
		&tar.Header{Typeflag: tar.TypeChar, Name: "zero", Devmajor: 1, Devminor: 5},
		&tar.Header{Typeflag: tar.TypeFifo, Name: "p"},
		&tar.Header{Typeflag: tar.TypeDir, Name: "d/"},
		&tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "c"}},
		reg("s.py", tar.FormatPAX))
	header := func(name string, kind byte, size string, change func(h []byte)) []byte {
		h := make([]byte, block)
		copy(h, name)
		copy(h[100:], "0000644\x00")
		copy(h[124:136], size)
		h[156] = kind
		copy(h[257:], "ustar  \x00")
		if change != nil {
			change(h)
		}
		seal(h)
		return h
	}
	body := make([]byte, block)
	copy(body, doc)
	size := fmt.Sprintf("%011o", len(doc))
	sparse := cat(header("s.py", 'S', size, func(h []byte) {
		copy(h[386:], "00000000000\x0000000000027\x00")
		copy(h[483:], "77777777777\x00") // 8 GiB when its holes are filled
		h[482] = 1
	}), make([]byte, 504), []byte{1, 0, 0, 0, 0, 0, 0, 0}, make([]byte, block), body)
	v7 := header("s.py", 0, size, func(h []byte) { copy(h[257:], make([]byte, 255)) })
	huge := header("s.py", '0', "\x80\x00\x00\x00\x3f\xff\xff\xff\xff\xff\xff\xff", nil)
	negative := header("s.py", '0', "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", nil)
	plain := write(reg("s.py", tar.FormatUSTAR))
	damagedBlock := bytes.Clone(cat(plain[:2*block], plain))
	damagedBlock[2*block] ^= 0xff
	want := []file{{"s.py", doc}}

	for name, c := range map[string]struct {
		data []byte
		want []file
		left []Left
	}{
		"links":           {links, want, nil},
		"long, GNU":       {write(reg(long, tar.FormatGNU)), []file{{long, doc}}, nil},
		"long, pax":       {write(reg(long, tar.FormatPAX), reg("s.py", tar.FormatPAX)), []file{{long, doc}, {"s.py", doc}}, nil},
		"long, ustar":     {write(reg(prefix, tar.FormatUSTAR)), []file{{prefix, doc}}, nil},
		"version 7":       {cat(v7, body), want, nil},
		"sparse":          {sparse, want, nil},
		"no end":          {cat(v7, body, v7, body), []file{want[0], want[0]}, nil},
		"one and another": {cat(plain, plain), []file{want[0], want[0]}, nil},
		"garbage behind":  {cat(plain, noise(3000)), want, nil},
		"cut off":         {cat(v7, body[:10]), []file{{"s.py", doc[:10]}}, []Left{{"s.py", "damaged after 10 bytes: cut off"}}},
		"header cut off":  {cat(v7, body, v7[:300]), want, []Left{{"", "damaged after 1024 bytes: cut off"}}},
		"huge":            {cat(huge, body), []file{{"s.py", body}}, []Left{{"s.py", "damaged after 512 bytes: cut off"}}},
		"negative":        {cat(v7, body, negative, body), want, []Left{{"", "damaged after 1024 bytes: bad header"}}},
		"bad header":      {damagedBlock, want, []Left{{"", "damaged after 1024 bytes: bad header"}}},
	} {
		t.Run(name, func(t *testing.T) {
			check(t, c.data, Limits{}, c.want, c.left...)
			if c.left == nil && name != "garbage behind" {
				check(t, gz(cat(c.data, make([]byte, window))), Limits{Ratio: 1e6}, c.want) // as a stream
			}
		})
	}
	// What is behind the damage is yielded as it is.
	nested := tarOf(file{"in.tar", damagedBlock})
	check(t, nested, Limits{}, []file{{"in.tar!s.py", doc}, {"in.tar", damagedBlock[2*block:]}}, Left{"in.tar", "damaged after 1024 bytes: bad header"})
}

// Wherever an archive is cut off: either everything was yielded, or something
// is said to be left, and what was yielded is a beginning of what there is.
func TestCut(t *testing.T) {
	files := []file{{"a", doc}, {"b", text(3000)}, {"c", noise(700)}}
	whole := map[string][]byte{
		"zip":    zipOf(zip.Deflate, files...),
		"stored": zipOf(zip.Store, files...),
		"sized": rawZip(rawEntry{name: "a", method: 8, data: deflated(files[0].data)},
			rawEntry{name: "b", data: files[1].data}, rawEntry{name: "c", data: files[2].data}),
		"tar":    tarOf(files...),
		"tgz":    gz(tarOf(files...)),
		"tzst":   zst(tarOf(files...)),
		"gz":     gz(files[1].data),
		"bz2":    bz2,
		"nested": zipOf(zip.Deflate, file{"in.tgz", gz(tarOf(files...))}),
	}
	for name, data := range whole {
		want, left := unpack(t, data, Limits{})
		if len(left) > 0 {
			t.Fatalf("%s: left %v", name, left)
		}
		for n := range data {
			got, left := unpack(t, data[:n], Limits{})
			if Kind(data[:n]) == "" {
				continue
			}
			all := len(got) >= len(want)
			for i, g := range got {
				if i < len(want) && g.name == want[i].name && bytes.HasPrefix(want[i].data, g.data) {
					all = all && len(g.data) == len(want[i].data)
				} else if i < len(want) && bytes.HasPrefix(g.data, want[i].data) && len(g.data) < len(want[i].data)+4 {
					// Part of the mark that tells where a stored entry ends.
				} else if g.name != "" && g.name != "in.tgz" { // raw bytes of what cannot be opened
					t.Errorf("%s cut at %d: yielded %q of %d bytes", name, n, g.name, len(g.data))
				}
			}
			// Between two entries a tar can be cut without a trace.
			if !all && len(left) == 0 && !(name == "tar" && n%block == 0) {
				t.Errorf("%s cut at %d of %d: %d of %d members, nothing left", name, n, len(data), len(got), len(want))
			}
		}
	}
}

// One wrong byte in a compressed stream with a checksum is noticed.
func TestFlip(t *testing.T) {
	for name, data := range map[string][]byte{"gz": gz(text(300)), "bz2": bz2, "zip": zipOf(zip.Deflate, file{"a", text(300)})} {
		want, _ := unpack(t, data, Limits{})
		for i := range data {
			bad := bytes.Clone(data)
			bad[i] ^= 0x55
			if Kind(bad) == "" {
				continue
			}
			got, left := unpack(t, bad, Limits{})
			same := len(got) > 0
			for j := range got {
				same = same && j < len(want) && bytes.Equal(got[j].data, want[j].data)
			}
			if !same && len(left) == 0 {
				t.Errorf("%s: byte %d is wrong: %d members, nothing left", name, i, len(got))
			}
		}
	}
}

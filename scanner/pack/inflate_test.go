package pack

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

func deflate(t testing.TB, data []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// samples are contents that make different kinds of blocks and codes.
func samples() map[string][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 70000)
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	skew := make([]byte, 200000) // rare symbols get long codes
	for i := range skew {
		for skew[i] < 255 && rnd.IntN(5) < 3 {
			skew[i]++
		}
	}
	var text strings.Builder
	for i := range 9000 {
		fmt.Fprintf(&text, "%d %s %x\n", i, []string{"tree", "parent", "author"}[rnd.IntN(3)], rnd.Uint32())
	}
	return map[string][]byte{
		"nothing":   {},
		"one byte":  {7},
		"zeros":     make([]byte, 100000),
		"period 2":  bytes.Repeat([]byte("ab"), 5000),
		"period 7":  bytes.Repeat([]byte("abcdefg"), 5000),
		"period 9":  bytes.Repeat([]byte("abcdefghi"), 5000),
		"noise":     noise,
		"skew":      skew,
		"text":      []byte(text.String()),
		"far match": append(append(bytes.Clone(noise[:32768]), noise[:300]...), noise[1:200]...),
		"alphabet":  []byte("abcdefghijklmnopqrstuvwxyz"),
	}
}

func TestInflate(t *testing.T) {
	var z inflater
	for name, data := range samples() {
		for level := flate.HuffmanOnly; level <= 9; level++ {
			src := deflate(t, data, level)
			for _, slack := range []int{0, 1, 100, inflateSlack, 1000} {
				for _, tail := range []int{0, 3, 50} {
					in := append(bytes.Clone(src), make([]byte, tail)...)
					dst := make([]byte, len(data)+slack)[:len(data)]
					n, err := z.zlib(dst, in)
					if err != nil || n != len(src) || !bytes.Equal(dst, data) {
						t.Fatalf("%s, level %d, slack %d, tail %d: %d bytes taken of %d, %v", name, level, slack, tail, n, len(src), err)
					}
				}
			}
			checkDamage(t, &z, name, data, src)
		}
	}
}

// checkDamage inflates what is not in order.
func checkDamage(t *testing.T, z *inflater, name string, data, src []byte) {
	t.Helper()
	for _, slack := range []int{0, inflateSlack} {
		if len(data) > 0 {
			dst := make([]byte, len(data)-1+slack)[:len(data)-1]
			if _, err := z.zlib(dst, src); err != errLonger {
				t.Errorf("%s: no room for the last byte: %v", name, err)
			}
			head := make([]byte, min(len(data), 40))
			if n, err := z.prefix(head, src); err != nil || n != len(head) || !bytes.Equal(head, data[:n]) {
				t.Errorf("%s: prefix: %d bytes, %v", name, n, err)
			}
		}
		dst := make([]byte, len(data)+1+slack)[:len(data)+1]
		if _, err := z.zlib(dst, src); err != errShorter {
			t.Errorf("%s: a byte of room too many: %v", name, err)
		}
		for _, cut := range []int{0, 1, 2, 3, len(src) / 3, len(src) / 2, len(src) - 5, len(src) - 4, len(src) - 1} {
			if _, err := z.zlib(make([]byte, len(data)+slack)[:len(data)], src[:cut]); err != errTruncated {
				t.Errorf("%s: cut from %d to %d bytes: %v", name, len(src), cut, err)
			}
		}
	}
}

// TestInflateOdd reads streams that no compressor writes.
func TestInflateOdd(t *testing.T) {
	bits := func(s string) []byte { // bits in the order of the stream
		b := []byte{0x78, 0x9c}
		k := 0
		for _, c := range s {
			if c != '0' && c != '1' {
				continue
			}
			if k%8 == 0 {
				b = append(b, 0)
			}
			b[len(b)-1] |= byte(c-'0') << (k % 8)
			k++
		}
		return append(b, make([]byte, 20)...)
	}
	for name, tt := range map[string]struct {
		src  []byte
		want error
	}{
		"no deflate":                   {[]byte{0x79, 0x9c, 3, 0, 0, 0, 0, 1}, errZlib},
		"window of 64 KiB":             {[]byte{0x88, 0x1c, 3, 0, 0, 0, 0, 1}, errZlib},
		"header checksum":              {[]byte{0x78, 0x9d, 3, 0, 0, 0, 0, 1}, errZlib},
		"dictionary":                   {[]byte{0x78, 0xbb, 3, 0, 0, 0, 0, 1}, errZlib},
		"block of type 3":              {bits("1 11"), errDeflate},
		"stored length":                {append(bits("1 00 00000"), 1, 2, 3, 4, 5, 6), errDeflate},
		"literal 286":                  {bits("1 10 11000110"), errDeflate},
		"distance 30":                  {bits("1 10 0000001 11110"), errDeflate},
		"match before the beginning":   {bits("1 10 0000001 00000"), errDeflate},
		"287 literals":                 {bits("1 01 01111 00000 0000"), errDeflate},
		"31 distances":                 {bits("1 01 00000 01111 0000"), errDeflate},
		"over-subscribed":              {bits("1 01 00000 00000 0000 100 100 100 100"), errDeflate},
		"incomplete":                   {bits("1 01 00000 00000 0000 010 000 000 000"), errDeflate},
		"no code at all":               {bits("1 01 00000 00000 0000 000 000 000 000"), errDeflate},
		"repeat of nothing":            {bits("1 01 00000 00000 0000 100 000 000 000 0"), errDeflate},
		"the other code of a single":   {bits("1 01 00000 00000 0000 000 000 100 000 1"), errDeflate},
		"repeat beyond the end":        {bits("1 01 00000 00000 0000 000 000 100 000 0 1111111 0 1111111 0 1111111"), errDeflate},
		"lengths without end of block": {bits("1 01 00000 00000 0000 000 000 100 000 0 1111111 0 1111110"), errDeflate},
	} {
		var z inflater
		if _, err := z.zlib(make([]byte, 300), tt.src); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func FuzzInflate(f *testing.F) {
	for _, data := range samples() {
		if len(data) > 4000 {
			data = data[:4000]
		}
		for _, level := range []int{0, 1, 6, flate.HuffmanOnly} {
			f.Add(deflate(f, data, level))
		}
	}
	var z inflater
	f.Fuzz(func(t *testing.T, src []byte) {
		const limit = 1 << 16
		var want []byte
		r, err := zlib.NewReader(bytes.NewReader(src))
		if err == nil {
			want, err = io.ReadAll(io.LimitReader(r, limit+1))
		}
		if len(want) > limit {
			return
		}
		for _, slack := range []int{0, inflateSlack} {
			dst := make([]byte, len(want)+slack)[:len(want)]
			n, err2 := z.zlib(dst, src)
			if err == nil && err2 == nil {
				if !bytes.Equal(dst, want) {
					t.Fatal("other content")
				}
				if n > len(src) {
					t.Fatalf("took %d bytes of %d", n, len(src))
				}
			}
			// compress/flate takes a block without an end as long as the
			// input ends in it, which is an error for it too.
			if (err == nil) != (err2 == nil) {
				t.Fatalf("compress/zlib: %d bytes, %v; here: %v", len(want), err, err2)
			}
			head := make([]byte, len(want), len(want)+slack)
			if n, _ := z.prefix(head, src); n > 0 && !bytes.HasPrefix(want, head[:n]) && err == nil {
				t.Fatal("other prefix")
			}
		}
	})
}

func BenchmarkInflate(b *testing.B) {
	for _, size := range []int{100, 1000, 100000} {
		data := samples()["text"][:size]
		src := append(deflate(b, data, 6), make([]byte, 8)...)
		b.Run(fmt.Sprint("here/", size), func(b *testing.B) {
			var z inflater
			dst := make([]byte, size, size+inflateSlack)
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := z.raw(dst, src); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprint("std/", size), func(b *testing.B) {
			r := bytes.NewReader(src[2:])
			f := flate.NewReader(r)
			dst := make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				r.Reset(src[2:])
				f.(flate.Resetter).Reset(r, nil)
				if _, err := io.ReadFull(f, dst); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestInflateGrow inflates more than is believed at once.
func TestInflateGrow(t *testing.T) {
	var z inflater
	data := make([]byte, 3*believed+5)
	data[2*believed] = 1
	src := deflate(t, data, 1)
	got, n, err := z.into(nil, int64(len(data)), src, false)
	if err != nil || n != len(src) || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, _, err := z.into(nil, int64(len(data)-1), src, false); err != errLonger {
		t.Errorf("one byte less: %v", err)
	}
	if _, _, err := z.into(nil, int64(len(data)+1), src, true); err != errShorter {
		t.Errorf("one byte more: %v", err)
	}
	src = deflate(t, data[:100], 1)
	before := allocated()
	if _, _, err := z.into(nil, 1<<40, src, true); err != errShorter {
		t.Errorf("a terabyte: %v", err)
	}
	if used := allocated() - before; used > believed+1<<20 {
		t.Errorf("a terabyte: took %d bytes", used)
	}
}

package scanner

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/till-sh/till/rules"
)

var testKeywords = []string{"ghp_", "github_pat_", "akia", "eyj", "sg.", "xox", "password", "secret", "token", "api_key", "-----begin", "sk_live_", "://", "datadog", "aws", "label", "secrets", "a_long_name_of_a_key"}

// naive is the definition that prefilter.find must agree with.
func naive(keywords []string, data []byte) []hit {
	lower := slices.Clone(data)
	for i, c := range lower {
		if c >= 'A' && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	var all []hit
	for k, kw := range keywords {
		for i := 0; i+len(kw) <= len(lower); i++ {
			if string(lower[i:i+len(kw)]) == kw {
				all = append(all, hit{i, k})
			}
		}
	}
	return all
}

func sortHits(h []hit) []hit {
	sort.Slice(h, func(i, j int) bool {
		if h[i].at != h[j].at {
			return h[i].at < h[j].at
		}
		return h[i].keyword < h[j].keyword
	})
	return h
}

func filterOf(keywords []string) *prefilter {
	p := new(prefilter)
	p.fill(keywords)
	return p
}

func TestPrefilterFindsEveryKeywordAtEveryAlignment(t *testing.T) {
	p := filterOf(testKeywords)
	var room sieve
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 3000 {
		size := 60
		if n%100 == 0 {
			size = 5 * sieveSize // several steps
		}
		data := make([]byte, r.IntN(size))
		for i := range data {
			data[i] = byte(r.IntN(256))
			if n%200 == 0 && r.IntN(8) != 0 { // several steps of text with a few other bytes
				data[i] = ' ' + data[i]%95
			}
		}
		for range r.IntN(4 + size/64) {
			kw := testKeywords[r.IntN(len(testKeywords))]
			if r.IntN(2) == 0 {
				kw = strings.ToUpper(kw)
			}
			at := r.IntN(len(data) + 1)
			data = append(data[:at:at], append([]byte(kw), data[at:]...)...)
		}
		got, want := sortHits(p.find(data, &room, nil)), sortHits(naive(testKeywords, data))
		if len(got) != len(want) {
			t.Fatalf("%q: %v, want %v", data, got, want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%q: %v, want %v", data, got, want)
			}
		}
	}
}

func FuzzPrefilter(f *testing.F) {
	p := filterOf(testKeywords)
	f.Add([]byte("x = PassWord; eyJ sg."))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, want := p.find(data, new(sieve), nil), naive(testKeywords, data); len(got) != len(want) {
			t.Fatalf("%q: %v, want %v", data, got, want)
		}
	})
}

// sourceText is what benchmarks read: the Go tree's own source.
func sourceText(b *testing.B) []byte {
	var all []byte
	root := filepath.Join(goroot(b), "src")
	_ = filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && len(all) < 64<<20 {
			data, _ := os.ReadFile(p)
			all = append(all, data...)
		}
		return nil
	})
	if len(all) == 0 {
		b.Skip("no Go source tree at GOROOT")
	}
	return all
}

// BenchmarkPrefilter has the keywords of the whole catalogue.
func BenchmarkPrefilter(b *testing.B) {
	data := sourceText(b)
	e, err := New(Options{}, rules.Builtin())
	if err != nil {
		b.Fatal(err)
	}
	var dst []hit
	room := new(sieve)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		dst = e.filter.find(data, room, dst[:0])
	}
	b.ReportMetric(float64(len(dst))/float64(len(data)>>20), "hits/MB")
}

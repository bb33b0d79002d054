package decode

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// BenchmarkGoTree runs over Go's own source tree, file by file.
func BenchmarkGoTree(b *testing.B) {
	root := filepath.Join(runtime.GOROOT(), "src")
	var files [][]byte
	total := 0
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(p)
		files = append(files, data)
		total += len(data)
		return err
	})
	if err != nil {
		b.Skip("no source tree: ", err)
	}
	b.SetBytes(int64(total))
	var sum Stats
	kinds := map[string]int{}
	size := map[string]int{}
	for b.Loop() {
		sum = Stats{}
		clear(kinds)
		clear(size)
		for _, f := range files {
			st := Each(f, Options{}, func(sp *Span) { kinds[sp.Encoding]++; size[sp.Encoding] += len(sp.Data) })
			sum.Spans += st.Spans
			sum.Bytes += st.Bytes
			sum.work += st.work
		}
	}
	b.ReportMetric(float64(sum.Spans), "spans")
	b.ReportMetric(float64(sum.Bytes)/float64(total)*100, "%yield")
	b.ReportMetric(float64(sum.work)/float64(total)*100, "%work")
	b.Log(kinds, size)
}

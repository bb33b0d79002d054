package scanner

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/till-sh/till/rules"
)

func goroot(b *testing.B) string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Skip("no go command:", err)
	}
	return strings.TrimSpace(string(out))
}

// BenchmarkScan is the whole engine with the whole catalogue over ordinary
// source text, one core: what the other benchmarks are parts of.
func BenchmarkScan(b *testing.B) {
	data := sourceText(b)
	e, err := New(Options{}, rules.Builtin())
	if err != nil {
		b.Fatal(err)
	}
	for name, o := range map[string]int{"decoding": 0, "plain": -1} {
		e.options.DecodeDepth = o
		if o == 0 {
			e.options.DecodeDepth = DefaultDecodeDepth
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				const blob = 32 << 10 // about what a source file has
				for i := 0; i < len(data); i += blob {
					if _, err := e.Scan(&Blob{Data: data[i:min(len(data), i+blob)]}); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// BenchmarkNew is what every start of till pays before it looks at a byte.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := New(Options{}, rules.Builtin()); err != nil {
			b.Fatal(err)
		}
	}
}

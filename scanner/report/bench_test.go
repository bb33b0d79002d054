package report

import (
	"fmt"
	"io"
	"testing"

	"github.com/till-sh/till/scanner"
)

// BenchmarkWrite renders 5,000 keys in 15,000 places: the past of a repository
// that nobody has looked at yet.
func BenchmarkWrite(b *testing.B) {
	r := &scanner.Result{}
	for i := range 1000 {
		for j, k := range history().Keys {
			k.ID = fmt.Sprintf("%s%d", k.ID[:3], i*5+j)
			k.Secret = secret(made(uint32(i*5+j), alnum, 40))
			r.Keys = append(r.Keys, k)
		}
	}
	for _, f := range Formats() {
		b.Run(f, func(b *testing.B) {
			for b.Loop() {
				if err := Write(f, io.Discard, r, options()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package rules_test

import (
	"bytes"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/rules/internal/compile"
)

// TestBuiltinIsCurrent: the literals in zz_catalogue.go are the provider files.
func TestBuiltinIsCurrent(t *testing.T) {
	c, err := rules.LoadFS(os.DirFS("."), "providers")
	if err != nil {
		t.Fatal(err)
	}
	bare := *c
	bare.Providers = slices.Clone(c.Providers)
	for i := range bare.Providers {
		p := &bare.Providers[i]
		p.Rules = slices.Clone(p.Rules)
		for k := range p.Rules {
			p.Rules[k].Samples = rules.Samples{} // not compiled
		}
	}
	if !reflect.DeepEqual(&bare, rules.Builtin()) {
		t.Error("zz_catalogue.go is not what the provider files say: run go generate ./rules")
	}
	src, err := compile.Source(c)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("zz_catalogue.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(src, file) {
		t.Error("zz_catalogue.go is not what the generator writes: run go generate ./rules")
	}
}

// TestCatalogueIsPlainData: the package has no initialization code at all, so
// the catalogue costs a hook nothing before it is used.
func TestCatalogueIsPlainData(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command")
	}
	for _, pkg := range []string{".", "./checksum"} {
		archive, err := exec.Command("go", "list", "-export", "-f", "{{.Export}}", pkg).Output()
		if err != nil {
			t.Fatalf("go list %s: %v", pkg, err)
		}
		symbols, err := exec.Command("go", "tool", "nm", "-size", strings.TrimSpace(string(archive))).Output()
		if err != nil {
			t.Fatalf("go tool nm %s: %v", pkg, err)
		}
		if len(symbols) == 0 {
			t.Fatalf("%s: no symbols", pkg)
		}
		for line := range strings.Lines(string(symbols)) {
			f := strings.Fields(line) // address, size, kind, name
			if len(f) != 4 || !strings.HasSuffix(f[3], ".init") && !strings.Contains(f[3], ".init.") {
				continue
			}
			// The compiler leaves a function behind that only returns when it
			// could lay out everything it had first put there.
			if size, err := strconv.Atoi(f[1]); err != nil || size > 16 {
				t.Errorf("package %s has initialization code (%s, %s bytes)", pkg, f[3], f[1])
			}
		}
	}
}

func BenchmarkBuiltin(b *testing.B) {
	// What a hook pays before it looks at the first byte: walking all rules.
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, p := range rules.Builtin().Providers {
			for i := range p.Rules {
				n += len(p.Rules[i].Keywords)
			}
		}
		if n < 0 {
			b.Fatal(n)
		}
	}
}

func BenchmarkLoadFS(b *testing.B) {
	// What it would pay without the compiled form.
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rules.LoadFS(os.DirFS("."), "providers"); err != nil {
			b.Fatal(err)
		}
	}
}

package scanner

import (
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"slices"
	"strings"
	"testing"
)

func TestRandomBits(t *testing.T) {
	// Halves that are joined here, so that no scanner sees a key in this file.
	for _, v := range [][2]string{
		{"vZrEcl", "FwOqeA"}, {"SSVmFDNCFf", "OHKXQAEckx"}, {"wegw", "qnjrzk"}, {"aistqqnd7yd1r6", "ls74icrhu93l236jt5"},
		{"iahNbqgnxq7tzca9hNBW", "iVexHeePoQ2nnXwN06wmaFS"}, {"3cee53f6dc23b15e", "85b3e7e6d8b1f1f4"}, {"QHZK2PWX", "7GTRB4MN"},
	} {
		if bits, _ := randomBits([]byte(v[0] + v[1])); bits < 15 {
			t.Errorf("%s…: %.1f bits, want 15 or more", v[0], bits)
		}
	}
	for _, v := range []string{
		"accessTokenSecret2", "testRSA2048PrivateKey", "my-secret-name", "password1", "AWS_SECRET_ACCESS_KEY", "com.example.service.TokenProvider",
		"kubernetes.io/service-account-token", "internal/runtime/atomic", "Settings.AuthenticationRequired", "CONFIGURATION_BASE64", "application/json",
	} {
		if bits, _ := randomBits([]byte(v)); bits > 10 {
			t.Errorf("%s: %.1f bits, want 10 or less", v, bits)
		}
	}
}

// TestGeneratorAgrees: the program that makes the table of spellings is none of
// this package and has its own copy of what a class of characters is.
func TestGeneratorAgrees(t *testing.T) {
	source := func(file string) string {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		for _, d := range tree.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == "classOf" {
					if err := printer.Fprint(&out, token.NewFileSet(), d); err != nil {
						t.Fatal(err)
					}
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if v, ok := s.(*ast.ValueSpec); ok && d.Tok == token.CONST && len(v.Values) == 1 {
						if l, ok := v.Values[0].(*ast.BasicLit); ok && l.Kind == token.INT && l.Value >= "52" && l.Value <= "56" && len(l.Value) == 2 {
							out.WriteString(v.Names[0].Name + " = " + l.Value + "\n")
						}
					}
				}
			}
		}
		return strings.NewReplacer("isDigit(c)", "c >= '0' && c <= '9'", "wordDigit", "digit", "wordJoint", "joint", "wordOther", "other", "wordEdge", "edge", "wordClasses", "classes").Replace(out.String())
	}
	sorted := func(s string) []string {
		lines := strings.Split(s, "\n")
		slices.Sort(lines)
		return lines
	}
	if here, there := sorted(source("random.go")), sorted(source("generate.go")); !slices.Equal(here, there) {
		t.Errorf("random.go has\n%s\ngenerate.go has\n%s", strings.Join(here, "\n"), strings.Join(there, "\n"))
	}
}

package compile_test

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strconv"
	"testing"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/rules/internal/compile"
)

// TestSource reads the literals back from the syntax tree, for the file that
// uses every key of the format, and demands the loader's catalogue. That they
// compile is shown by zz_catalogue.go itself.
func TestSource(t *testing.T) {
	c, err := rules.LoadFS(os.DirFS("../.."), "testdata")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Providers) == 0 {
		t.Fatal("no provider in testdata")
	}
	src, err := compile.Source(c)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := compile.Source(c); err != nil || !bytes.Equal(src, again) {
		t.Errorf("two runs differ: %v", err)
	}
	if clean, err := format.Source(src); err != nil || !bytes.Equal(src, clean) {
		t.Errorf("not gofmt-clean: %v", err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "zz.go", src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	if !ast.IsGenerated(file) {
		t.Error("not marked as generated")
	}
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		spec := g.Specs[0].(*ast.ValueSpec)
		if spec.Names[0].Name != "builtin" {
			continue
		}
		var got rules.Catalogue
		read(t, reflect.ValueOf(&got).Elem(), spec.Values[0])
		for i := range c.Providers {
			for k := range c.Providers[i].Rules {
				c.Providers[i].Rules[k].Samples = rules.Samples{} // left out on purpose
			}
		}
		if !reflect.DeepEqual(&got, c) {
			t.Errorf("got\n%+v\nwant\n%+v", got, *c)
		}
		return
	}
	t.Error("no variable builtin")
}

// read stores the value of a literal in v. Anything but a constant, a
// composite literal or the address of one would not be laid out statically
// and fails the test.
func read(t *testing.T, v reflect.Value, e ast.Expr) {
	t.Helper()
	switch e := e.(type) {
	case *ast.CompositeLit:
		if v.Kind() == reflect.Slice {
			v.Set(reflect.MakeSlice(v.Type(), len(e.Elts), len(e.Elts)))
			for i, elt := range e.Elts {
				read(t, v.Index(i), elt)
			}
			return
		}
		for _, elt := range e.Elts {
			kv := elt.(*ast.KeyValueExpr)
			read(t, v.FieldByName(kv.Key.(*ast.Ident).Name), kv.Value)
		}
	case *ast.UnaryExpr:
		if e.Op != token.AND {
			t.Fatalf("operator %s", e.Op)
		}
		v.Set(reflect.New(v.Type().Elem()))
		read(t, v.Elem(), e.X)
	case *ast.Ident:
		if e.Name != "true" && e.Name != "false" {
			t.Fatalf("identifier %s", e.Name)
		}
		v.SetBool(e.Name == "true")
	case *ast.BasicLit:
		switch v.Kind() {
		case reflect.String:
			s, err := strconv.Unquote(e.Value)
			if err != nil {
				t.Fatal(err)
			}
			v.SetString(s)
		case reflect.Int, reflect.Int64:
			n, err := strconv.ParseInt(e.Value, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			v.SetInt(n)
		case reflect.Float64:
			f, err := strconv.ParseFloat(e.Value, 64)
			if err != nil {
				t.Fatal(err)
			}
			v.SetFloat(f)
		default:
			t.Fatalf("literal %s for a %s", e.Value, v.Type())
		}
	default:
		t.Fatalf("%T in the generated file", e)
	}
}

// TestSourceRefusesEmptySlice: an empty slice would come back as nil and break
// the equality of the two forms.
func TestSourceRefusesEmptySlice(t *testing.T) {
	if _, err := compile.Source(&rules.Catalogue{Providers: []rules.Provider{}}); err == nil {
		t.Error("no error")
	}
}

package literal

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"slices"
	"strconv"
	"strings"
)

// replaceGo goes by Go's own parser. A constant becomes a variable where it
// stands alone and no other constant is made from it.
func replaceGo(f *file, v Value, at int) ([]Edit, string) {
	fset := gotoken.NewFileSet()
	tree, err := parser.ParseFile(fset, "", f.src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, "the file cannot be parsed"
	}
	offset := func(p gotoken.Pos) int { return fset.Position(p).Offset }
	end := at + len(v.Text)
	for _, group := range tree.Comments {
		if offset(group.Pos()) <= at && end <= offset(group.End()) {
			return []Edit{{at, end, "$" + v.Env}}, ""
		}
	}
	var lit *ast.BasicLit
	var way []ast.Node
	var stack []ast.Node
	ast.Inspect(tree, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == gotoken.STRING && offset(l.Pos()) <= at && end <= offset(l.End()) {
			lit, way = l, slices.Clone(stack)
		}
		return true
	})
	if lit == nil {
		return nil, whyNoString
	}
	quote := lit.Value[:1]
	left, right := string(f.src[offset(lit.Pos())+1:at]), string(f.src[end:offset(lit.End())-1])
	if strings.ContainsAny(v.Text, "\\\n\r") || strings.HasSuffix(left, "\\") {
		return nil, "the value is written with escapes"
	}
	var edits []Edit
	for _, n := range way {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return nil, whyConstant
		case *ast.Field:
			if n.Tag == lit {
				return nil, whyConstant
			}
		case *ast.GenDecl:
			if n.Tok != gotoken.CONST {
				continue
			}
			spec, ok := n.Specs[0].(*ast.ValueSpec)
			if !ok || len(n.Specs) != 1 || n.Lparen.IsValid() || usedByConstant(tree, spec) {
				return nil, "it stands in a group of constants"
			}
			edits = append(edits, Edit{offset(n.Pos()), offset(n.Pos()) + len("const"), "var"})
		}
	}
	name, _ := osName(tree)
	if name == "" {
		return nil, `another "os" than the standard library's is in use`
	}
	f.looks = true
	x := name + ".Getenv(" + strconv.Quote(v.Env) + ")"
	if left != "" || right != "" {
		var parts []string
		if left != "" {
			parts = append(parts, quote+left+quote)
		}
		parts = append(parts, x)
		if right != "" {
			parts = append(parts, quote+right+quote)
		}
		x = strings.Join(parts, " + ")
		if _, inner := way[len(way)-2].(*ast.BinaryExpr); inner {
			x = "(" + x + ")"
		}
	}
	return append(edits, Edit{offset(lit.Pos()), offset(lit.End()), x}), ""
}

// usedByConstant reports whether another constant, or the length of an array,
// is made from one of spec's: that needs a constant.
func usedByConstant(tree *ast.File, spec *ast.ValueSpec) bool {
	used := false
	find := func(n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && slices.ContainsFunc(spec.Names, func(own *ast.Ident) bool { return own != id && own.Name == id.Name }) {
				used = true
			}
			return true
		})
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			if n.Tok == gotoken.CONST {
				find(n)
			}
		case *ast.ArrayType:
			if n.Len != nil {
				find(n.Len)
			}
		}
		return true
	})
	return used
}

// osName is the name under which the file has package os; "" when the name is
// taken by something else.
func osName(tree *ast.File) (name string, imported bool) {
	for _, s := range tree.Imports {
		if s.Path.Value == `"os"` {
			if s.Name == nil {
				return "os", true
			}
			if s.Name.Name != "_" && s.Name.Name != "." {
				return s.Name.Name, true
			}
		}
		if s.Path.Value != `"os"` && (s.Name != nil && s.Name.Name == "os" || s.Name == nil && strings.HasSuffix(s.Path.Value, `/os"`)) {
			return "", false
		}
	}
	taken := false
	ast.Inspect(tree, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == "os" {
			taken = true
		}
		return true
	})
	if taken {
		return "", false
	}
	return "os", false
}

// importGo adds "os" to the imports, in order where they stand in a group.
func importGo(src []byte) []Edit {
	fset := gotoken.NewFileSet()
	tree, err := parser.ParseFile(fset, "", src, parser.ParseComments|parser.ImportsOnly)
	if err != nil {
		return nil
	}
	if _, imported := osName(tree); imported {
		return nil
	}
	offset := func(p gotoken.Pos) int { return fset.Position(p).Offset }
	for _, d := range tree.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != gotoken.IMPORT {
			continue
		}
		if s, ok := g.Specs[0].(*ast.ImportSpec); ok && s.Path.Value == `"C"` {
			continue // its comment is a program
		}
		if !g.Lparen.IsValid() {
			return []Edit{{offset(g.Pos()), offset(g.Pos()), "import \"os\"\n"}}
		}
		for _, s := range g.Specs {
			p := s.(*ast.ImportSpec).Path.Value
			if p > `"os"` || strings.Contains(p, ".") {
				at := offset(s.Pos())
				if s.(*ast.ImportSpec).Doc != nil {
					at = offset(s.(*ast.ImportSpec).Doc.Pos())
				}
				text := "\"os\"\n\t"
				if strings.Contains(p, ".") && s == g.Specs[0] {
					text = "\"os\"\n\n\t"
				}
				return []Edit{{at, at, text}}
			}
		}
		last := g.Specs[len(g.Specs)-1]
		return []Edit{{offset(last.End()), offset(last.End()), "\n\t\"os\""}}
	}
	return []Edit{{offset(tree.Name.End()), offset(tree.Name.End()), "\n\nimport \"os\""}}
}

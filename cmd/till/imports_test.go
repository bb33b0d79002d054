package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/till-sh/till"

// mayImport says for each package what else than the standard library it may
// import itself: packages of this module by their path in it, modules of others
// by theirs. It is the table of docs/architecture.md, "Who may import whom":
// whoever changes one changes both.
var mayImport = map[string][]string{
	"cmd/till": {
		"rules", "scanner", "scanner/config", "scanner/report", "scanner/source",
		"rotate", "rotate/call", "rotate/literal", "rotate/place", "rotate/server", "rotate/vendor",
		"github.com/spf13/cobra", "github.com/vbauerster/mpb/v8", "golang.org/x/sync", "golang.org/x/term",
	},
	"rotate":                 {"rotate/call", "rotate/internal/lazy", "rules", "scanner", "golang.org/x/sys"},
	"rotate/call":            {"rules", "scanner"},
	"rotate/internal/lazy":   {},
	"rotate/literal":         {"rotate/internal/lazy"},
	"rotate/place":           {"rotate", "rotate/literal", "scanner"},
	"rotate/server":          {"rotate", "rotate/call", "rotate/internal/lazy", "rules", "scanner", "filippo.io/edwards25519"},
	"rotate/rotatetest":      {"rotate/call"},
	"rotate/vendor":          {"rotate", "rotate/call", "rotate/internal/lazy", "rules/checksum", "scanner"},
	"scanner/report":         {"scanner", "rules", "github.com/fatih/color"},
	"scanner/config":         {"scanner", "rules", "github.com/BurntSushi/toml"},
	"scanner/source":         {"scanner", "scanner/pack", "golang.org/x/sync", "golang.org/x/sys"},
	"scanner":                {"rules", "rules/checksum", "scanner/archive", "scanner/decode"},
	"scanner/pack":           {"github.com/klauspost/compress"},
	"scanner/archive":        {"github.com/klauspost/compress"},
	"scanner/decode":         {},
	"rules":                  {"rules/checksum", "github.com/BurntSushi/toml"},
	"rules/checksum":         {},
	"rules/internal/compile": {"rules"},
}

// linked are the modules that may stand in the program at all: those above, and
// what they bring along. A new one is a decision, not an accident.
var linked = []string{
	"filippo.io/edwards25519",
	"github.com/BurntSushi/toml",
	"github.com/fatih/color",
	"github.com/klauspost/compress",
	"github.com/spf13/cobra",
	"github.com/vbauerster/mpb/v8",
	"golang.org/x/sync",
	"golang.org/x/sys",
	"golang.org/x/term",

	"github.com/VividCortex/ewma",          // mpb
	"github.com/acarl005/stripansi",        // mpb
	"github.com/clipperhouse/uax29/v2",     // mpb
	"github.com/inconshreveable/mousetrap", // cobra, on Windows
	"github.com/mattn/go-colorable",        // color
	"github.com/mattn/go-isatty",           // color
	"github.com/mattn/go-runewidth",        // mpb
	"github.com/spf13/pflag",               // cobra
	"github.com/vbauerster/cupwriter",      // mpb
}

// listed is what go list tells of a package.
type listed struct {
	ImportPath string
	Name       string
	Standard   bool
	Imports    []string
	CgoFiles   []string
	Module     *struct{ Path string }
}

// goList runs go list for one system, because files for another are no part of
// what it tells.
func goList(t *testing.T, system string, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Name,Standard,Imports,CgoFiles,Module"}, args...)...)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "GOOS="+system, "GOFLAGS=-mod=readonly")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		all = append(all, p)
	}
}

// TestImports holds the import rules of docs/architecture.md for every system
// that till is built for.
func TestImports(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command to ask what imports what")
	}
	for _, system := range []string{"linux", "darwin", "windows"} {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			var mains []string
			seen := map[string]bool{}
			for _, p := range goList(t, system, "./...") {
				if p.Name == "main" {
					mains = append(mains, p.ImportPath)
				}
				name := strings.TrimPrefix(p.ImportPath, module+"/")
				seen[name] = true
				allowed, known := mayImport[name]
				if !known {
					t.Errorf("%s: no rule says what it may import; docs/architecture.md and this test need a line", name)
				}
				for _, imported := range p.Imports {
					checkImport(t, name, imported, allowed)
				}
				if len(p.CgoFiles) > 0 {
					t.Errorf("%s uses cgo", name)
				}
			}
			for name := range mayImport {
				if !seen[name] {
					t.Errorf("the rules speak of %s, which is not there", name)
				}
			}
			// go install ./..., as pre-commit runs it, makes one program.
			if len(mains) != 1 || mains[0] != module+"/cmd/till" {
				t.Errorf("main packages: %v, want cmd/till alone", mains)
			}
			checkLinked(t, goList(t, system, "-deps", "./cmd/till"))
		})
	}
}

func checkImport(t *testing.T, name, imported string, allowed []string) {
	t.Helper()
	if own, ok := strings.CutPrefix(imported, module+"/"); ok {
		if !slices.Contains(allowed, own) {
			t.Errorf("%s imports %s, which it may not", name, own)
		}
		return
	}
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") { // the standard library
		switch imported {
		case "net", "crypto/tls":
			if name != "rotate/call" && name != "rotate/server" && name != "rotate/rotatetest" {
				t.Errorf("%s imports %s: only the packages below rotate speak to anybody, through rotate/call", name, imported)
			}
		case "net/http":
			// The package of constants and header maps is harmless by itself;
			// what makes requests is a client, and rotate/call has the only one.
			if name != "rotate" && !strings.HasPrefix(name, "rotate/") {
				t.Errorf("%s imports %s: scans and hooks speak to nobody", name, imported)
			}
		case "net/rpc", "net/smtp", "plugin", "C":
			t.Errorf("%s imports %s: till loads nothing and sends no mail", name, imported)
		case "os/exec":
			if name != "rotate" {
				t.Errorf("%s imports os/exec: only rotate starts programs, the owner's", name)
			}
		}
		return
	}
	if !slices.ContainsFunc(allowed, func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") }) {
		t.Errorf("%s imports %s, which it may not", name, imported)
	}
	if strings.HasPrefix(imported, "github.com/go-git/go-git/v5") && !goGitFormat(imported) {
		t.Errorf("%s imports %s: of go-git only the packages of formats, the others link its transports", name, imported)
	}
}

// goGitFormat tells the packages of go-git that read formats from those that
// speak to servers or bring them along.
func goGitFormat(imported string) bool {
	below := strings.TrimPrefix(imported, "github.com/go-git/go-git/v5/")
	return below == "plumbing" || strings.HasPrefix(below, "plumbing/format/") || path.Dir(below) == "plumbing" && below != "plumbing/transport"
}

func checkLinked(t *testing.T, all []listed) {
	t.Helper()
	for _, p := range all {
		switch {
		case p.Standard || p.Module != nil && p.Module.Path == module:
		case p.Module == nil || !slices.Contains(linked, p.Module.Path):
			t.Errorf("the program holds %s, of a module that is not on the list", p.ImportPath)
		}
	}
}

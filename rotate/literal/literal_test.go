package literal

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const value = "Zk3mQ9xTq7LwP2vB" // no kind of key: the package does not care

// files are programs with a value; want is what must stand in the result, ""
// that the value has to be taken out by hand.
var files = []struct{ name, path, src, want string }{
	{"go group", "a.go", "package a\n\nimport (\n\t\"fmt\"\n\t\"strings\"\n)\n\nvar k = \"V\"\n\nfunc f() { fmt.Println(strings.ToUpper(k)) }\n", "\t\"fmt\"\n\t\"os\"\n\t\"strings\"\n)\n\nvar k = os.Getenv(\"N\")"},
	{"go no import", "a.go", "package a\n\nvar k = \"V\"\n", "package a\n\nimport \"os\"\n\nvar k = os.Getenv(\"N\")"},
	{"go one import", "a.go", "package a\n\nimport \"fmt\"\n\nfunc f() { fmt.Println(`V`) }\n", "import \"os\"\nimport \"fmt\"\n\nfunc f() { fmt.Println(os.Getenv(\"N\"))"},
	{"go last import", "a.go", "package a\n\nimport (\n\t\"fmt\"\n)\n\nfunc f() { fmt.Println(\"V\") }\n", "\t\"fmt\"\n\t\"os\"\n)"},
	{"go foreign import", "a.go", "package a\n\nimport (\n\t\"example.org/x\"\n)\n\nvar k = x.New(\"V\")\n", "\t\"os\"\n\n\t\"example.org/x\""},
	{"go alias", "a.go", "package a\n\nimport sys \"os\"\n\nvar _ = sys.Args\nvar k = \"V\"\n", "var k = sys.Getenv(\"N\")"},
	{"go const", "a.go", "package a\n\nconst k = \"V\"\n", "var k = os.Getenv(\"N\")"},
	{"go const of const", "a.go", "package a\n\nconst k = \"V\"\nconst l = k + \"x\"\n", ""},
	{"go const group", "a.go", "package a\n\nconst (\n\ta = 1\n\tk = \"V\"\n)\n", ""},
	{"go tag", "a.go", "package a\n\ntype t struct {\n\tA int `V`\n}\n", ""},
	{"go part", "a.go", "package a\n\nvar k = \"Bearer V\"\n", "var k = \"Bearer \" + os.Getenv(\"N\")"},
	{"go comment", "a.go", "package a\n\n// was V once\nvar k = 1\n", "// was $N once"},
	{"go os taken", "a.go", "package a\n\nfunc f(os string) string { return os + \"V\" }\n", ""},
	{"python", "a.py", "\"\"\"What it does.\"\"\"\nfrom __future__ import annotations\n\nimport sys\n\nk = \"V\"\nprint(sys.argv)\n", "annotations\n\nimport os\nimport sys\n\nk = os.environ[\"N\"]"},
	{"python plain", "a.py", "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\nk = 'V'\n", "utf-8 -*-\nimport os\n\nk = os.environ[\"N\"]"},
	{"python has os", "a.py", "import os\nk = b'V'\n", "import os\nk = os.environ[\"N\"].encode()"},
	{"python in json", "a.py", "k = '{\"key\": \"V\"}'\n", "k = ('{\"key\": \"' + os.environ[\"N\"] + '\"}')"},
	{"python f-string", "a.py", "x = 1\nk = f\"{x}V\"\n", ""},
	{"python glued", "a.py", "k = (\"abc\"\n  \"V\")\n", ""},
	{"python case", "a.py", "match 1:\n    case \"V\":\n        pass\n", ""},
	{"python crlf", "a.py", "x = 1\r\nk = 'V'\r\n", "import os\r\n\r\nx = 1\r\nk = os.environ[\"N\"]\r\n"},
	{"javascript", "a.js", "const re = /[\"']/;\nconst k = 'V';\n", "const k = process.env.N;"},
	{"javascript part", "a.mjs", "const h = {Authorization: `Bearer V`};\n", "{Authorization: (`Bearer ` + process.env.N)}"},
	{"javascript property", "a.js", "const m = {\"V\": 1};\n", ""},
	{"javascript tagged", "a.js", "const m = String.raw`V`;\n", ""},
	{"typescript", "a.ts", "const k: string = 'V';\n", "const k: string = process.env.N!;"},
	{"jsx", "a.jsx", "const a = <Map apiKey=\"V\" />;\n", ""},
	{"ruby", "a.rb", "# it's\nKEY = \"V\".freeze\n", "KEY = ENV.fetch(\"N\").freeze"},
	{"ruby symbol", "a.rb", "h = {\"V\": 1}\n", ""},
	{"java", "A.java", "class A {\n  static final String K = \"V\";\n}\n", "static final String K = System.getenv(\"N\");"},
	{"java annotation", "A.java", "class A {\n  @Value(\"V\") String k;\n}\n", ""},
	{"kotlin", "A.kt", "const val K = \"V\"\n", "val K = System.getenv(\"N\")"},
	{"php", "a.php", "<?php\n$k = 'V';\n", "$k = getenv('N');"},
	{"php property", "a.php", "<?php\nclass A {\n  private $k = 'V';\n}\n", ""},
	{"php outside", "a.php", "<p title=\"V\"></p>\n<?php echo 1;\n", ""},
	{"c#", "A.cs", "class A {\n  private const string K = \"V\";\n}\n", "private static readonly string K = System.Environment.GetEnvironmentVariable(\"N\");"},
	{"c# default", "A.cs", "class A {\n  void F(string k = \"V\") {}\n}\n", ""},
	{"rust", "a.rs", "fn main() {\n    let k = \"V\";\n    println!(\"{}\", k.len());\n}\n", "let k = &std::env::var(\"N\").expect(\"N is not set\");"},
	{"rust owned", "a.rs", "fn main() {\n    let k = \"V\".to_string();\n    println!(\"{}\", k.len());\n}\n", "let k = std::env::var(\"N\").expect(\"N is not set\").to_string();"},
	{"rust const", "a.rs", "const K: &str = \"V\";\nfn main() { println!(\"{}\", K.len()); }\n", ""},
	{"shell", "a.sh", "export K=V\ncurl -H 'Authorization: Bearer V' -u \"x:V\"\n", "export K=\"${N}\"\ncurl -H 'Authorization: Bearer '\"${N}\"'' -u \"x:${N}\"\n"},
	{"shell quoted", "deploy", "#!/bin/bash\nK='V' # it's V\n", "K=\"${N}\" # it's $N\n"},
	{"shell here", "a.sh", "cat <<EOF\nk=V\nEOF\necho 'V'\n", "k=${N}\nEOF\necho \"${N}\"\n"},
	{"shell quoted here", "a.sh", "cat <<'EOF'\nk=V\nEOF\n", ""},
	{"compose", "docker-compose.yml", "services:\n  a:\n    environment:\n      K: \"V\"\n      L: V\n", "K: \"${N}\"\n      L: ${N}"},
	{"workflow", ".github/workflows/ci.yml", "env:\n  K: V\n", "K: ${{ secrets.N }}"},
	{"kubernetes", "secret.yaml", "apiVersion: v1\nkind: Secret\nstringData:\n  k: V\n", ""},
	{"python no newline at the end", "a.py", "def f():\n\treturn 'V'", "import os\n\ndef f():\n\treturn os.environ[\"N\"]"},
	{"python default", "a.py", "def f(k='V', *, n=1):\n    return k\n", "def f(k=os.environ[\"N\"], *, n=1):"},
	{"python f-string before", "a.py", "x = 1\nk = f\"V-{x}\"\n", "k = (os.environ[\"N\"] + f\"-{x}\")"},
	{"python text of several lines", "a.py", "k = \"\"\"\nkey=V\n\"\"\"\n", ""},
	{"javascript template", "a.js", "const n = 1;\nconst k = `V-${n}`;\n", "const k = (process.env.N + `-${n}`);"},
	{"javascript within a template", "a.js", "const f = x => x;\nconst k = `a ${f(\"V\")}`;\n", ""},
	{"javascript sum", "a.js", "const k = \"a\" + 'V' + 'b'\n", "const k = \"a\" + process.env.N + 'b'\n"},
	{"jsx of several lines", "a.jsx", "const a = (\n  <Map\n    zoom={2}\n    apiKey=\"V\"\n  />\n);\n", ""},
	{"typescript enum", "a.ts", "enum E {\n  A = 'x',\n  B = 'V',\n}\n", ""},
	{"typescript type", "a.ts", "type T =\n  | 'x'\n  | 'V';\n", ""},
	{"typescript narrow", "a.ts", "interface A {\n  k: 'V';\n}\n", ""},
	{"ruby heredoc", "a.rb", "x = <<~SQL\n  SELECT 'V'\nSQL\n", ""},
	{"java annotation of several lines", "A.java", "class A {\n  @Value(\n    \"V\")\n  String k;\n}\n", ""},
	{"java named constant", "A.java", "class A {\n  static final String K = \"V\";\n  @Deprecated(since = K) void f() {}\n}\n", ""},
	{"java case constant", "A.java", "class A {\n  static final String K = \"V\";\n  int f(String s) {\n    switch (s) {\n      case K: return 1;\n    }\n    return 0;\n  }\n}\n", ""},
	{"java call of several lines", "A.java", "class A {\n  String k = String.join(\n    \",\",\n    \"V\");\n}\n", "    System.getenv(\"N\"));"},
	{"kotlin named constant", "A.kt", "const val K = \"V\"\n@Deprecated(K) fun f() {}\n", ""},
	{"php array property", "a.php", "<?php\nclass A {\n  private $k = [\n    'a' => ['b' => 1],\n    'key' => 'V',\n  ];\n}\n", ""},
	{"php constant of several lines", "a.php", "<?php\nconst K = [\n  'key' =>\n    'V',\n];\n", ""},
	{"php default of several lines", "a.php", "<?php\nfunction f(\n  $a,\n  $k = 'V'\n) {}\n", ""},
	{"php in a method", "a.php", "<?php\nclass A {\n  public function f() {\n    $k = [\n      'key' => 'V',\n    ];\n  }\n}\n", "'key' => getenv('N'),"},
	{"c# constant of several lines", "A.cs", "class A {\n  private const string K =\n    \"V\";\n}\n", ""},
	{"c# attribute of several lines", "A.cs", "class A {\n  [Key(\n    \"V\")]\n  int k;\n}\n", ""},
	{"rust const of several lines", "a.rs", "const K: &str =\n    \"V\";\nfn main() { println!(\"{}\", K.len()); }\n", ""},
	{"rust static in braces", "a.rs", "struct A { k: &'static str }\nstatic S: A = A {\n    k: \"V\",\n};\nfn main() { println!(\"{}\", S.k.len()); }\n", ""},
	{"rust const fn", "a.rs", "const fn f() -> usize {\n    let k = \"V\";\n    k.len()\n}\nfn main() { println!(\"{}\", f()); }\n", ""},
	{"rust format of several lines", "a.rs", "fn main() {\n    println!(\n        \"V\"\n    );\n}\n", ""},
	{"rust returned", "a.rs", "fn f() -> &'static str {\n    \"V\"\n}\nfn main() { println!(\"{}\", f()); }\n", ""},
	{"rust arm", "a.rs", "fn main() {\n    let k = match 1 { 1 => \"V\", _ => \"x\" };\n    println!(\"{}\", k);\n}\n", ""},
	{"rust argument", "a.rs", "fn f(k: &str) -> usize { k.len() }\nfn main() {\n    println!(\"{}\", f(\n        \"V\"\n    ));\n}\n", "&std::env::var(\"N\").expect(\"N is not set\")"},
	{"unknown", "a.conf", "k = V\n", ""},
	{"escaped", "a.js", "const k = '\\V';\n", ""},
}

// TestMove does every program of the table, and asks the language's own parser
// whether it is one still, where there is one.
func TestMove(t *testing.T) {
	for _, f := range files {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			src := strings.ReplaceAll(f.src, "V", value)
			src = strings.NewReplacer(value+"alue", "Value", value+"ersion", "Version").Replace(src)
			r := Move(f.path, []byte(src), []Value{{Text: value, Env: "N"}})
			got := string(Apply([]byte(src), r.Edits))
			if f.want == "" {
				if r.Moved > 0 || got != src || len(r.ByHand) == 0 || r.ByHand[0].Why == "" {
					t.Errorf("not refused: %+v\n%s", r, got)
				}
				return
			}
			if len(r.ByHand) > 0 || strings.Contains(got, value) || !strings.Contains(got, f.want) {
				t.Fatalf("by hand %v, got\n%s\nwant in it\n%s", r.ByHand, got, f.want)
			}
			if again := Move(f.path, []byte(got), []Value{{Text: value, Env: "N"}}); len(again.Edits) > 0 {
				t.Errorf("a second run would edit again: %v", again.Edits)
			}
			parse(t, f.path, got)
		})
	}
}

var parsers = map[string][]string{
	".go": {"gofmt", "-e"}, ".py": {"python3", "-m", "py_compile"}, ".js": {"node", "--check"}, ".mjs": {"node", "--check"}, ".rb": {"ruby", "-c"},
	".php": {"php", "-l"}, ".sh": {"bash", "-n"}, "": {"bash", "-n"}, ".rs": {"rustc", "--edition=2021", "--emit=metadata", "-Awarnings", "-o", "a.rmeta"}, ".java": {"javac", "-d", "."},
}

func parse(t *testing.T, path, src string) {
	words := parsers[filepath.Ext(path)]
	if words == nil {
		return
	}
	if testing.Short() && (words[0] == "rustc" || words[0] == "javac") {
		t.Skipf("%s takes seconds", words[0])
	}
	if _, err := exec.LookPath(words[0]); err != nil {
		t.Skipf("%s is not installed: nobody asked whether the result is a program", words[0])
	}
	file := filepath.Join(t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(src, "example.org/x") { // gofmt parses it all the same
		words = []string{"gofmt", "-e"}
	}
	cmd := exec.Command(words[0], append(words[1:len(words):len(words)], file)...)
	cmd.Dir = filepath.Dir(file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %v\n%s\n%s", words, err, out, src)
	}
}

func TestNameBefore(t *testing.T) {
	for src, want := range map[string]string{
		`stripe.api_key = "V"`: "api_key", `"apiKey": "V"`: "apiKey", `let api_key: &str = "V"`: "api_key", `const key: string = 'V'`: "key",
		`key := "V"`: "key", `f("V")`: "", `KEY=V`: "KEY", `private static final String K = "V"`: "K", `$k = 'V'`: "k", `"k" => "V"`: "k",
		`var k string = "V"`: "k", `h["x-key"] = "V"`: "x-key", `k = b"V"`: "k", `os.environ["K"] = "V"`: "K", `return "V"`: "",
	} {
		if got := NameBefore([]byte(src), strings.LastIndex(src, "V")); got != want {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
}

func TestEnvName(t *testing.T) {
	for _, c := range [][4]string{
		{"api_key", "stripe", "stripe-live-secret-key", "STRIPE_API_KEY"}, {"", "stripe", "stripe-live-secret-key", "STRIPE_API_KEY"}, {"stripeKey", "stripe", "", "STRIPE_KEY"},
		{"db-password", "", "generic-password", "DB_PASSWORD"}, {"", "github", "github-pat-token", "GITHUB_TOKEN"}, {"", "", "generic-secret", "SECRET"}, {"path", "", "", "APP_PATH"},
		{"HTTPToken", "acme", "", "ACME_HTTP_TOKEN"},
	} {
		if got := EnvName(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("%v: %s", c, got)
		}
	}
}

// FuzzMove: whatever the file, what leaves is what was asked for, and the edits
// are in order and within the file.
func FuzzMove(f *testing.F) {
	for _, x := range files {
		f.Add(x.path, strings.ReplaceAll(x.src, "V", value))
	}
	f.Fuzz(func(t *testing.T, path, src string) {
		r := Move(path, []byte(src), []Value{{Text: value, Env: "N"}})
		at := 0
		for _, e := range r.Edits {
			if e.Start < at || e.End < e.Start || e.End > len(src) {
				t.Fatalf("edits %v of %q", r.Edits, src)
			}
			at = e.End
		}
		if left := strings.Count(string(Apply([]byte(src), r.Edits)), value); left != len(r.ByHand) {
			t.Fatalf("%d left, %d by hand: %q", left, len(r.ByHand), src)
		}
	})
}

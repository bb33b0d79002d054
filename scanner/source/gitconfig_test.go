package source

import (
	"strings"
	"testing"
)

func TestGitConfig(t *testing.T) {
	c, err := parseGitConfig([]byte("\xef\xbb\xbf# comment\r\n; other\n[Core] bare = true ; c\n\tFileMode\r\n" +
		"\tx = \"a ; b\" c  # d\n\ty = one \\\n   two\\t\\\"\\\\\n\tempty =\n[remote \"a\\\"b]c\"]\n\turl = u#v\n[old.Sub]z=1\n[core]bare=no"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range c.values {
		got = append(got, v.section+"|"+v.subsection+"|"+v.key+"|"+v.value)
	}
	want := `core||bare|true,core||filemode|,core||x|a ; b c,core||y|one    two` + "\t" + `"\,core||empty|,remote|a"b]c|url|u,old|sub|z|1,core||bare|no`
	if strings.Join(got, ",") != want {
		t.Errorf("got  %q\nwant %q", strings.Join(got, ","), want)
	}
	if v, ok := c.get("core", "bare"); !ok || v.value != "no" {
		t.Errorf("the last value counts: got %v", v)
	}
	if v, _ := c.get("core", "filemode"); !v.bare {
		t.Error("a key without = is true")
	}
}

func TestGitConfigBad(t *testing.T) {
	for text, line := range map[string]string{
		"[core\nthis is not a config\n": "line 1", "a = b\n": "line 1", "[a]\nb = \"c\n": "line 2", "[a]\n\n1b = c": "line 3",
		"[a]\nb c\n": "line 2", "[a \"b]\n": "line 1", "[a]\nb = \\q": "line 2", "[a_b]\n": "line 1", "\x00": "line 1",
		"[a \"b\" ]": "line 1", "[a]\nb\x01 = c": "line 2", "[a]\nurl = pass\\word": "line 2",
	} {
		_, err := parseGitConfig([]byte(text))
		if err == nil || !strings.Contains(err.Error(), line+":") {
			t.Errorf("%q: %v, want an error in %s", text, err, line)
		} else if strings.Contains(err.Error(), "word") {
			t.Errorf("the error quotes the file: %v", err)
		}
	}
}

// FuzzGitConfig: no input makes the parser panic or run past the end.
func FuzzGitConfig(f *testing.F) {
	f.Add([]byte("[core]\n\tbare = true\n[a \"b\"] c = \"d\\\n e\" ; f\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := parseGitConfig(data); err == nil {
			for _, v := range c.values {
				if v.key == "" || v.key != strings.ToLower(v.key) {
					t.Errorf("key %q", v.key)
				}
			}
		}
	})
}

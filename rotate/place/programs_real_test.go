package place

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rotate/rotatetest"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// The programs themselves, against a server that plays the service: their names
// of commands and options differ between versions. Skipped where they are not
// installed (Debian: gh, kubernetes-client).

// world makes a program of the owner find the server whatever host it asks for.
func world(t *testing.T, program string, handler http.HandlerFunc) *rotatetest.Server {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("programs trust another server through SSL_CERT_FILE on Linux alone")
	}
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed", program)
	}
	s := rotatetest.New(t, handler)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to, err := net.Dial("tcp", s.Address())
		if r.Method != http.MethodConnect || err != nil {
			http.Error(w, "only CONNECT", http.StatusBadGateway)
			return
		}
		from, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(to, from); _ = to.Close() }()
		go func() { _, _ = io.Copy(from, to); _ = from.Close() }()
	}))
	t.Cleanup(proxy.Close)
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "ca.pem"), s.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"HTTPS_PROXY": proxy.URL, "https_proxy": proxy.URL, "NO_PROXY": "", "no_proxy": "", "SSL_CERT_FILE": filepath.Join(home, "ca.pem"),
		"HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home, "XDG_STATE_HOME": home, "XDG_DATA_HOME": home,
	} {
		t.Setenv(name, value)
	}
	return s
}

func realJob() *rotate.Job {
	j := &rotate.Job{
		Leak: rotate.Leak{Secret: scanner.NewSecret([]byte(oldValue)), Rule: &rules.Rule{Provider: "acme"}}, Run: rotate.Programs{}, Redact: &call.Redactor{},
		Remote: "git@github.com:acme/web.git", New: &rotate.Issued{Secret: scanner.NewSecret([]byte(newValue))},
	}
	j.Redact.Add(oldValue)
	j.Redact.Add(newValue)
	return j
}

func onlySpot(t *testing.T, p rotate.Placer, j *rotate.Job, where string) rotate.Spot {
	t.Helper()
	spots, err := p.Find(t.Context(), j)
	if err != nil || len(spots) != 1 || spots[0].Where != where {
		t.Fatalf("found %+v, %v; want %s", spots, err, where)
	}
	return spots[0]
}

func TestRealGh(t *testing.T) {
	set := map[string]string{} // name → encrypted value
	s := world(t, "gh", func(w http.ResponseWriter, r *http.Request) {
		path, ok := strings.CutPrefix(r.URL.Path, "/repos/acme/web/actions/secrets")
		switch {
		case r.Host != "api.github.com" || !ok:
			rotatetest.Answer(404, `{"message":"Not Found"}`)(w, r)
		case path == "" && r.URL.Query().Get("page") == "2":
			rotatetest.Answer(200, `{"total_count":3,"secrets":[{"name":"ACME_KEY","updated_at":"2026-01-02T03:04:05Z"}]}`, "Content-Type", "application/json")(w, r)
		case path == "":
			rotatetest.Answer(200, `{"total_count":3,"secrets":[{"name":"ONE"},{"name":"TWO"}]}`, "Content-Type", "application/json",
				"Link", `<https://api.github.com/repos/acme/web/actions/secrets?per_page=100&page=2>; rel="next"`)(w, r)
		case path == "/public-key":
			rotatetest.Answer(200, `{"key_id":"7","key":"`+base64.StdEncoding.EncodeToString([]byte("a public key of thirty-two bytes"))+`"}`, "Content-Type", "application/json")(w, r)
		case r.Method == http.MethodPut:
			var body struct {
				Value string `json:"encrypted_value"`
				Key   string `json:"key_id"`
			}
			_ = json.NewDecoder(r.Body).Decode(&body)
			set[strings.TrimPrefix(path, "/")+" "+body.Key] = body.Value
			rotatetest.Answer(201, "{}")(w, r)
		}
	})
	t.Setenv("GH_TOKEN", "gh-token-of-the-test")
	t.Setenv("GH_HOST", "ghe.example")
	t.Setenv("GH_NO_UPDATE_NOTIFIER", "1")
	j := realJob()
	spot := onlySpot(t, GitHubSecret{}, j, "acme/web: ACME_KEY")
	if err := (GitHubSecret{}).Place(t.Context(), j, spot); err != nil {
		t.Fatalf("%v\n%v", err, s.Calls())
	}
	sealed, err := base64.StdEncoding.DecodeString(set["ACME_KEY 7"])
	if err != nil || len(sealed) != len(newValue)+48 { // a sealed box: 32 bytes of key, 16 of MAC
		t.Errorf("set %v, %d bytes, %v", set, len(sealed), err)
	}
	if text := fmt.Sprint(s.Calls()); strings.Contains(text, newValue) || strings.Contains(text, oldValue) {
		t.Error("a value was sent as it is")
	}
}

func TestRealKubectl(t *testing.T) {
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	data := map[string]string{"a/b": b64("k=" + oldValue), "c": b64("x")}
	object := func() string {
		text, _ := json.Marshal(map[string]any{"kind": "Secret", "apiVersion": "v1", "metadata": map[string]string{"name": "app", "namespace": "prod"}, "data": data})
		return string(text)
	}
	s := world(t, "kubectl", func(w http.ResponseWriter, r *http.Request) {
		say := func(body string) { rotatetest.Answer(200, body, "Content-Type", "application/json")(w, r) }
		switch r.URL.Path {
		case "/api":
			say(`{"kind":"APIVersions","versions":["v1"]}`)
		case "/apis":
			say(`{"kind":"APIGroupList","apiVersion":"v1","groups":[]}`)
		case "/version":
			say(`{"major":"1","minor":"30","gitVersion":"v1.30.0"}`)
		case "/api/v1":
			say(`{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"secrets","singularName":"secret","namespaced":true,"kind":"Secret","verbs":["get","list","patch"]}]}`)
		case "/api/v1/namespaces/prod/secrets":
			say(`{"kind":"SecretList","apiVersion":"v1","items":[` + object() + `]}`)
		case "/api/v1/namespaces/prod/secrets/app":
			if r.Method == http.MethodPatch {
				var ops []struct{ Op, Path, Value string }
				if err := json.NewDecoder(r.Body).Decode(&ops); err != nil || len(ops) != 2 || ops[0].Op != "test" || ops[0].Value != data["a/b"] || ops[1].Path != "/data/a~1b" {
					rotatetest.Answer(422, `{"kind":"Status","status":"Failure","message":"the test of the patch failed"}`, "Content-Type", "application/json")(w, r)
					return
				}
				data["a/b"] = ops[1].Value
			}
			say(object())
		default:
			rotatetest.Answer(404, `{"kind":"Status","status":"Failure","code":404}`, "Content-Type", "application/json")(w, r)
		}
	})
	home := os.Getenv("HOME")
	config := `{"apiVersion":"v1","kind":"Config","current-context":"prod","clusters":[{"name":"c","cluster":{"server":"https://cluster.example:6443","certificate-authority":"` + filepath.Join(home, "ca.pem") + `"}}],
		"users":[{"name":"u","user":{"token":"t"}}],"contexts":[{"name":"prod","context":{"cluster":"c","user":"u","namespace":"prod"}}]}`
	file := filepath.Join(home, "kubeconfig")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", file)
	j := realJob()
	spot := onlySpot(t, KubernetesSecret{}, j, "prod: prod/app: a/b")
	if err := (KubernetesSecret{}).Place(t.Context(), j, spot); err != nil {
		t.Fatalf("%v\n%v", err, s.Calls())
	}
	if data["a/b"] != b64("k="+newValue) || data["c"] != b64("x") {
		t.Errorf("the Secret holds %v", data)
	}
	// Somebody else was faster: the patch is refused, and says nothing of a value.
	data["a/b"] = b64("k=something else")
	if err := (KubernetesSecret{}).Place(t.Context(), j, spot); err == nil || data["a/b"] != b64("k=something else") || strings.Contains(err.Error(), b64("k="+newValue)) {
		t.Errorf("changed in the meantime: %v, %v", err, data)
	}
}

package rotate_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// TestSecretHalf: the other half of a pair can be a key itself; no preview shows it.
func TestSecretHalf(t *testing.T) {
	w := newWorld(t)
	half := strings.Repeat("c33f3cc0", 4)
	step := &rules.Step{Request: &rules.Request{Method: "GET", URL: "https://api.umbra.example/x", Headers: []rules.Header{{Name: "X-Key", Value: "{{id}}"}}}}
	for severity, masked := range map[rules.Severity]bool{rules.Medium: true, rules.Low: false} {
		j := w.session(&yes{}, rotate.Options{}).Job
		j.Leak.PublicID = half
		j.Leak.Partner = &scanner.Partner{Rule: &rules.Rule{ID: "umbra-half", Severity: severity}, Secret: scanner.NewSecret([]byte(half))}
		if shown := strings.Join(j.Describe(step, false), "\n"); strings.Contains(shown, half) == masked {
			t.Errorf("severity %s: %s", severity, shown)
		}
	}
}

// TestStoredBeforeCrash: a new key that came to the disk before the record could
// say so is used; nobody has to ask for a second one.
func TestStoredBeforeCrash(t *testing.T) {
	w := newWorld(t)
	p := &yes{}
	s := w.session(p, rotate.Options{})
	found := s.Job.Leak.Fingerprint
	for _, e := range []rotate.Entry{
		{Event: rotate.EventOpened, ID: s.Job.Leak.ID, Rule: w.rule.ID, State: rotate.Found},
		{Event: rotate.EventDone, Step: "assess", State: rotate.Assessed},
		{Event: rotate.EventIntent, Step: "reissue/0"},
	} {
		e.Case = found
		if err := s.Ledger.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	fresh := "umbra_kept_" + strings.Repeat("q7Wz", 6)
	w.live[fresh] = true
	if err := s.Store.Put(found, rotate.Issued{Secret: scanner.NewSecret([]byte(fresh)), ID: "k0"}); err != nil {
		t.Fatal(err)
	}
	c, err := s.Run(t.Context())
	if err != nil || len(w.issued) != 0 || p.attested != 0 || c.NewID != "k0" {
		t.Fatalf("%v, %d more were made, attested %d, %+v", err, len(w.issued), p.attested, c)
	}
	if env, _ := os.ReadFile(filepath.Join(w.dir, ".env")); !strings.Contains(string(env), fresh) {
		t.Error("the key that was kept is not in its place")
	}
}

// TestProgramsFolder: a program is started where nobody else can put settings.
func TestProgramsFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the folder for temporary files is the person's own")
	}
	if out, err := (rotate.Programs{}).Run(t.Context(), []string{"pwd"}, ""); err != nil || strings.TrimSpace(out) != "/" {
		t.Errorf("%q, %v", out, err)
	}
}

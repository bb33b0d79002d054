package place

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// tree makes a work tree of files, and a job that replaces secret by fresh in it.
// Names in tracked are what git tracks.
func tree(t *testing.T, files map[string]string, secret, fresh string, tracked *[]string) *rotate.Job {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	ignored := func(name string) bool {
		data, _ := os.ReadFile(filepath.Join(dir, ".gitignore"))
		return slices.Contains(strings.Split(string(data), "\n"), IgnoreLine(name))
	}
	return &rotate.Job{
		Leak: rotate.Leak{Secret: scanner.NewSecret([]byte(secret)), Rule: &rules.Rule{ID: "acme-api-key", Provider: "acme"}}, Redact: &call.Redactor{}, WorkTree: dir,
		New:     &rotate.Issued{Secret: scanner.NewSecret([]byte(fresh))},
		Tracked: func(name string) (bool, error) { return slices.Contains(*tracked, name), nil },
		Ignored: func(_ context.Context, name string) (bool, error) { return ignored(name), nil },
		Untrack: func(_ context.Context, name string) error {
			*tracked = slices.DeleteFunc(*tracked, func(s string) bool { return s == name })
			return nil
		},
	}
}

func placeAll(t *testing.T, j *rotate.Job) {
	t.Helper()
	spots, err := Files{}.Find(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range spots {
		if s.ByHand {
			continue
		}
		for range 2 { // doing it twice is no error
			if err := (Files{}).Place(t.Context(), j, s); err != nil {
				t.Errorf("%s: %v", s.Where, err)
			}
		}
	}
}

func wantFile(t *testing.T, j *rotate.Job, name, want string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(j.WorkTree, name))
	if err != nil || string(data) != want {
		t.Errorf("%s: %q, %v; want %q", name, data, err, want)
	}
}

// TestHumanValue: a password that is also a common word is exchanged where it is
// the password, and nowhere else.
func TestHumanValue(t *testing.T) {
	var none []string
	j := tree(t, map[string]string{
		"db.env":      "DB_PASSWORD=postgres\nDB_NAME=postgres\nIMAGE=postgres:16\nURL=postgres://postgres:postgres@db/postgres\n",
		"compose.yml": "image: postgres\nvolume: postgres-data\n",
		"other.env":   "DB_PASSWORD=postgresql\n",
	}, "postgres", newValue, &none)
	j.Leak.Rule = &rules.Rule{ID: "db-password", Human: true}
	j.Leak.Places = []scanner.Place{{Excerpt: []scanner.ExcerptLine{{Text: "DB_PASSWORD=post…gres", Mark: 12, MarkEnd: 20}}}}
	spots, err := Files{}.Find(t.Context(), j)
	if err != nil || len(spots) != 1 || len(spots[0].Preview) != 2 {
		t.Fatalf("%+v, %v", spots, err)
	}
	placeAll(t, j)
	wantFile(t, j, "db.env", "DB_PASSWORD="+newValue+"\nDB_NAME=postgres\nIMAGE=postgres:16\nURL=postgres://postgres:"+newValue+"@db/postgres\n")
	wantFile(t, j, "compose.yml", "image: postgres\nvolume: postgres-data\n")
	wantFile(t, j, "other.env", "DB_PASSWORD=postgresql\n")
}

// TestPairMoves: both halves of a pair leave the code for names of their own.
func TestPairMoves(t *testing.T) {
	id := "AKIAOUOEVRLT6" + "HXTMUZI"
	tracked := []string{"main.rb", ".env"}
	j := tree(t, map[string]string{
		"main.rb": "id = \"" + id + "\"\nsecret = \"" + oldValue + "\"\n",
		".env":    "ACME_SECRET=other\n",
	}, oldValue, newValue, &tracked)
	j.Leak.PublicID, j.New.ID = id, "AKIANEWNEWNEW"
	j.Leak.Partner = &scanner.Partner{Rule: &rules.Rule{ID: "acme-key-id"}, Secret: scanner.NewSecret([]byte(id))}
	placeAll(t, j)
	wantFile(t, j, "main.rb", "id = ENV.fetch(\"ACME_ID\")\nsecret = ENV.fetch(\"ACME_SECRET_2\")\n")
	wantFile(t, j, ".env", "ACME_SECRET=other\nACME_SECRET_2="+newValue+"\nACME_ID=AKIANEWNEWNEW\n")
	wantFile(t, j, ".gitignore", ".env\n")
	if !slices.Equal(tracked, []string{"main.rb"}) {
		t.Errorf("git tracks %v", tracked)
	}
}

// TestChangedMeanwhile: what was shown is what is done, or nothing is.
func TestChangedMeanwhile(t *testing.T) {
	tracked := []string{"a.py"}
	text := "key = '" + oldValue + "'\n"
	j := tree(t, map[string]string{"a.py": text, "b.cfg": text}, oldValue, newValue, &tracked)
	spots, err := Files{}.Find(t.Context(), j)
	if err != nil || len(spots) != 2 {
		t.Fatalf("%+v, %v", spots, err)
	}
	for _, s := range spots {
		path := filepath.Join(j.WorkTree, s.Where)
		if err := os.WriteFile(path, []byte("more\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := (Files{}).Place(t.Context(), j, s); err == nil || !strings.Contains(err.Error(), "has changed in the meantime") {
			t.Errorf("%s: %v", s.Where, err)
		}
		wantFile(t, j, s.Where, "more\n"+text)
	}
	if _, err := os.Lstat(filepath.Join(j.WorkTree, ".env")); err == nil {
		t.Error(".env was written")
	}
}

// TestUserStays: the user of a password is a word like others, and is not changed.
func TestUserStays(t *testing.T) {
	j := tree(t, nil, "0ld-Zk3vQ9", "new-Zk3vQ9", new([]string))
	j.Leak.PublicID, j.New.ID = "postgres", "shop_owner"
	text := "postgres://postgres:" + j.Leak.Secret.Reveal() + "@db"
	if got := swap(j, text); !strings.HasPrefix(got, "shop_owner://") {
		t.Errorf("the half of a pair: %s", got)
	}
	j.Leak.Rule.Human = true
	if got := swap(j, text); got != "postgres://postgres:"+j.New.Secret.Reveal()+"@db" {
		t.Errorf("a user: %s", got)
	}
}

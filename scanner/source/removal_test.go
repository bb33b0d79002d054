package source

import "testing"

// TestRemoved: of what HEAD no longer has, the commit is told that took it away.
func TestRemoved(t *testing.T) {
	r := newRepo(t)
	r.commit("start", "a.txt", text("a"), "d/e/b.txt", text("b"), "c.txt", text("c"), "kept.txt", text("kept"), "back.txt", text("back"))
	r.git("checkout", "-q", "-b", "side")
	r.commit("drop a on the side", "a.txt", "-")
	r.git("checkout", "-q", "main")
	r.commit("replace c", "c.txt", "nothing\n")
	r.git("merge", "-q", "-m", "merge", "side")
	r.commit("drop the folder", "d/e/b.txt", "-")
	r.commit("drop back", "back.txt", "-")
	r.commit("bring back", "back.txt", text("back"))
	r.commit("drop back again", "back.txt", "-")
	r.git("checkout", "-q", "-b", "other", "HEAD~1")
	r.commit("only here", "kept.txt", "-", "elsewhere.txt", text("elsewhere"))
	r.git("checkout", "-q", "main")
	got := scan(t, history(r), 2)
	for label, want := range map[string]string{
		"a": "drop a on the side", "b": "drop the folder", "c": "replace c", "kept": "", "back": "drop back again", "elsewhere": "",
	} {
		p, _ := got.place(t, label)
		subject := ""
		if p.Removed != nil {
			subject = p.Removed.Subject
		}
		if subject != want {
			t.Errorf("%s: removed by %q, want %q", label, subject, want)
		}
	}
}

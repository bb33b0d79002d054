//go:build unix

package source

import (
	"net"
	"syscall"
	"testing"

	"github.com/till-sh/till/scanner"
)

func TestFilesSpecial(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "app/s.txt", text("beside"))
	if err := syscall.Mkfifo("fifo", 0o644); err != nil {
		t.Skip(err)
	}
	l, err := net.Listen("unix", "sock")
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	r := scan(t, NewFiles([]string{"."}, FilesOptions{}), 2)
	wantLabels(t, r, "beside")
	wantComplete(t, r)
	want := []scanner.Skip{{Path: "fifo", Reason: "a FIFO"}, {Path: "sock", Reason: "a socket"}}
	if len(r.sum.Skipped) != 2 || r.sum.Skipped[0] != want[0] || r.sum.Skipped[1] != want[1] {
		t.Errorf("skipped %v, want %v", r.sum.Skipped, want)
	}
	if _, err := tryScan(t, NewFiles([]string{"fifo"}, FilesOptions{}), 1); err == nil {
		t.Error("a FIFO given by the user was not refused")
	}
	// The kind of a file can change after the folder was listed.
	if _, _, err := openFile("fifo"); err != errNotRegular {
		t.Errorf("open a FIFO: %v", err)
	}
}

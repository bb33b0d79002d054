package pack

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// closing counts how often a reader is closed.
type closing struct {
	io.Reader
	closed int
}

func (c *closing) Close() error {
	c.closed++
	return nil
}

func TestReadAhead(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef-"), 700_000) // twelve pieces
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		from io.Reader
		want error
	}{
		"whole":          {bytes.NewReader(data), nil},
		"error and data": {iotest.DataErrReader(bytes.NewReader(data)), nil},
		"broken":         {io.MultiReader(bytes.NewReader(data), iotest.ErrReader(broken)), broken},
		"empty":          {bytes.NewReader(nil), nil},
	} {
		under := &closing{Reader: c.from}
		r := readAhead(under)
		got, err := io.ReadAll(iotest.HalfReader(r))
		if err != c.want || name != "empty" && !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes, error %v", name, len(got), err)
		}
		if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("%s: after the end %d bytes, %v", name, n, err)
		}
		if r.Close(); under.closed != 1 {
			t.Errorf("%s: closed %d times", name, under.closed)
		}
	}
}

// TestReadAheadClosed: who stops in the middle is not waited for, and nobody reads on.
func TestReadAheadClosed(t *testing.T) {
	under := &closing{Reader: bytes.NewReader(make([]byte, 20*aheadPiece))}
	r := readAhead(under)
	if _, err := io.ReadFull(r, make([]byte, aheadPiece+1)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("closed: %d bytes, %v", n, err)
	}
	if under.closed != 1 {
		t.Errorf("closed %d times", under.closed)
	}
}

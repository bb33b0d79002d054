package pack

import (
	"io"
	"runtime/debug"
)

const (
	// aheadPiece and aheadPieces are how much is read ahead at once, and at most.
	aheadPiece  = 1 << 20
	aheadPieces = 4
)

// ahead reads on in a goroutine of its own while what was read is worked with: to
// inflate and hash a large object takes as long as to look through it, and the last
// object of a walk has all cores to itself.
type ahead struct {
	under io.ReadCloser
	free  chan []byte
	full  chan piece
	stop  chan struct{}
	ended chan struct{}
	now   piece
	rest  []byte // of now
}

// piece is what was read at once, and the error that came behind it.
type piece struct {
	data []byte
	err  error
}

// readAhead returns a reader of the same content and errors. Closing it closes r.
func readAhead(r io.ReadCloser) io.ReadCloser {
	a := &ahead{
		under: r, free: make(chan []byte, aheadPieces), full: make(chan piece, aheadPieces),
		stop: make(chan struct{}), ended: make(chan struct{}),
	}
	for range aheadPieces {
		a.free <- nil
	}
	go a.run()
	return a
}

func (a *ahead) run() {
	defer close(a.ended)
	for {
		var p piece
		select {
		case p.data = <-a.free:
		case <-a.stop:
			return
		}
		if p.data == nil {
			p.data = make([]byte, aheadPiece)
		}
		p.data, p.err = a.fill(p.data)
		a.full <- p // has room for all
		if p.err != nil {
			return
		}
	}
}

// fill reads until buf is full or an error comes.
func (a *ahead) fill(buf []byte) (data []byte, err error) {
	defer guardFault(debug.SetPanicOnFault(true), &err)
	data = buf[:0]
	for len(data) < cap(data) && err == nil {
		var n int
		n, err = a.under.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
	}
	return data, err
}

func (a *ahead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.now.err != nil {
			return 0, a.now.err
		}
		if a.now.data != nil {
			a.free <- a.now.data
		}
		a.now = <-a.full
		a.rest = a.now.data
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

func (a *ahead) Close() error {
	if a.now.err == errClosed {
		return nil
	}
	close(a.stop)
	<-a.ended
	a.now, a.rest = piece{err: errClosed}, nil
	return a.under.Close()
}

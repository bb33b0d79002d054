package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/till-sh/till/scanner"
)

// How long a scan runs in silence before it shows that it lives, and how often
// a log that nobody watches gets a line.
const (
	quietStart = 400 * time.Millisecond
	heartBeat  = 10 * time.Second
)

// watch shows the progress of a scan on stderr until the returned function is
// called: one live line on a terminal, gone at the end; a line every ten
// seconds in CI; nothing where neither is.
func watch(ctx context.Context, e *env, p *scanner.Progress, off bool) (stop func()) {
	switch {
	case off:
		return func() {}
	case e.terminal(e.stderr) && e.getenv("TERM") != "dumb":
		return liveLine(ctx, e.stderr, p)
	case e.ci():
		return beat(ctx, e.stderr, p)
	}
	return func() {}
}

func describe(p *scanner.Progress) string {
	return fmt.Sprintf("%s blobs, %s read, %d found", thousands(p.Blobs.Load()), size(p.Bytes.Load()), p.Found.Load())
}

func liveLine(ctx context.Context, w io.Writer, p *scanner.Progress) func() {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-done:
			return
		case <-ctx.Done():
			return
		case <-time.After(quietStart):
		}
		bars := mpb.New(mpb.WithOutput(w), mpb.WithWidth(24), mpb.WithRefreshRate(120*time.Millisecond), mpb.WithAutoRefresh())
		bar := bars.New(0, mpb.SpinnerStyle(), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return "  " + describe(p) + "  " })),
			mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_GO)))
		select {
		case <-done:
		case <-ctx.Done():
		}
		bar.SetTotal(-1, true)
		bars.Wait()
	}()
	return func() { close(done); <-ended }
}

func beat(ctx context.Context, w io.Writer, p *scanner.Progress) func() {
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(heartBeat)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
				fmt.Fprintf(w, "till: still scanning: %s\n", describe(p))
			}
		}
	}()
	return func() { close(done) }
}

func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func size(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	f, i := float64(n), 0
	for f >= 1000 && i < len(units)-1 {
		f /= 1000
		i++
	}
	if i == 0 || f >= 100 {
		return fmt.Sprintf("%.0f %s", f, units[i])
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}

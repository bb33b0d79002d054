// Command till finds leaked keys in what is about to be committed, in a
// repository's history and in files, and says how to revoke and reissue each.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	_ "github.com/till-sh/till/cmd/till/internal/stack" // before anything else
)

func main() {
	// A hook lives for milliseconds and needs a few megabytes: with this it
	// ends before the first garbage collection. Long scans turn it back.
	debug.SetGCPercent(400)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, system(), os.Args[1:])
	stop()
	os.Exit(code)
}

// Command till finds leaked keys in what is about to be committed, in a
// repository's history and in files, and says how to revoke and reissue each.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

func main() {
	// A hook lives for milliseconds and needs a few megabytes: with this it
	// ends before the first garbage collection. Long scans turn it back.
	debug.SetGCPercent(400)
	ctx, stop := interruptible(os.Args[1:])
	code := run(ctx, system(), os.Args[1:])
	stop()
	os.Exit(code)
}

// unheard is how long a hook does not listen for signals.
const unheard = 100 * time.Millisecond

// interruptible returns a context that a signal ends. To listen takes two threads,
// and the program waits until they run: for nothing in a hook that is over before
// anybody could want to stop it. Until then a signal ends it as it ends every
// program, which for the hook of a small commit leaves nothing undone, and stops the
// commit.
func interruptible(args []string) (context.Context, context.CancelFunc) {
	if len(args) == 0 || args[0] != "hook" {
		return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	}
	ctx, stop := context.WithCancel(context.Background())
	late := time.AfterFunc(unheard, func() {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
		<-signals
		stop()
	})
	return ctx, func() { late.Stop(); stop() }
}

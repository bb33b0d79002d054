package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/spf13/cobra"

	"github.com/till-sh/till/rules"
)

// release is set by the build of a release: -ldflags "-X main.release=1.0.0".
var release string

// version returns the release, or what the Go toolchain knows of the build.
var version = sync.OnceValue(func() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "0.1.0-dev"
})

func newVersion(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of till and of its rules",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c := rules.Builtin()
			n := 0
			for _, p := range c.Providers {
				n += len(p.Rules)
			}
			_, err := fmt.Fprintf(e.stdout, "till %s\nrules %s (%d rules, %d providers)\n%s %s/%s\n",
				version(), c.Version, n, len(c.Providers), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

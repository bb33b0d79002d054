// Package lazy makes values of package level when they are first used: a hook
// starts with the whole program and shall not pay for what only a rotation needs.
package lazy

import (
	"regexp"
	"sync"
)

// Regexp returns a function that returns expr compiled. It panics where
// [regexp.MustCompile] would. Safe for concurrent use.
func Regexp(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

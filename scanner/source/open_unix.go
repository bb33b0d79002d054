//go:build unix

package source

import "syscall"

// Flags for opening something that a stranger may have put there: a FIFO or a
// device must not block the opening.
const openFlags = syscall.O_RDONLY | syscall.O_NONBLOCK | syscall.O_CLOEXEC

const errNotDir = syscall.ENOTDIR

package pack

import "syscall"

// dropPages takes the pages of a mapping out of the process's memory. They stay
// in the page cache, from where the next access brings them back.
func dropPages(b []byte) {
	// There is nothing to be done about an error; it costs memory, no more.
	_ = syscall.Madvise(b, syscall.MADV_DONTNEED)
}

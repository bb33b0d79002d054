package pack

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
)

// ErrNotFound means that the store does not hold the object, and that nothing
// in the store was unreadable when it was looked for.
var ErrNotFound = errors.New("object not found")

// ErrTooLarge means that an object is larger than [Options.MaxObject]; see
// [Store.Stream].
var ErrTooLarge = errors.New("object too large")

// CorruptError is something in the store that cannot be read.
type CorruptError struct {
	// OID is the object concerned; zero when the damage is not in one object
	// (an index, a whole pack, a missing alternate).
	OID OID
	// Pack names the file in objects/pack, or the file or directory that is
	// damaged; "" for a loose object.
	Pack string
	// Offset is where the object begins in the pack, 0 where that means nothing.
	Offset int64
	// Err is the cause; never nil.
	Err error
}

// Error names the object and the file, and ends with the cause.
func (e *CorruptError) Error() string {
	switch {
	case e.OID.IsZero() && e.Offset > 0:
		return fmt.Sprintf("read %s at offset %d: %v", e.Pack, e.Offset, e.Err)
	case e.OID.IsZero():
		return fmt.Sprintf("read %s: %v", e.Pack, e.Err)
	case e.Offset > 0:
		return fmt.Sprintf("read object %s in %s at offset %d: %v", e.OID, e.Pack, e.Offset, e.Err)
	case e.Pack != "":
		return fmt.Sprintf("read object %s: %s: %v", e.OID, e.Pack, e.Err)
	default:
		return fmt.Sprintf("read loose object %s: %v", e.OID, e.Err)
	}
}

// Unwrap returns the cause.
func (e *CorruptError) Unwrap() error { return e.Err }

// Causes of a CorruptError that are told apart inside the package.
var (
	errTruncated   = errors.New("unexpected end of data")
	errHash        = errors.New("content does not hash to the object id")
	errCycle       = errors.New("delta chain is a cycle")
	errChainLong   = errors.New("delta chain too long")
	errBaseMissing = errors.New("base of the delta not found")
	errFault       = errors.New("the file was cut short, or its disk failed, while it was read")
	errBaseDamaged = errors.New("base of the delta is damaged")
)

// guardFault turns a fault in mapped memory into an error: when a file is cut
// short under the mapping, or the disk fails, the kernel sends SIGBUS, which
// would end the program. Use: defer guardFault(debug.SetPanicOnFault(true), &err).
// Any other panic goes on.
func guardFault(old bool, err *error) {
	debug.SetPanicOnFault(old)
	r := recover()
	if r == nil {
		return
	}
	if _, ok := r.(interface {
		runtime.Error
		Addr() uintptr
	}); ok {
		*err = errFault
		return
	}
	panic(r)
}

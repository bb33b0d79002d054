//go:build !unix

package source

import (
	"io/fs"
	"os"
)

const openFlags = os.O_RDONLY

var errNotDir = fs.ErrNotExist

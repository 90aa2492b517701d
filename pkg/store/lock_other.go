//go:build !unix

package store

import (
	"errors"
	"io"
)

// LockFile refuses: without a lock that ends with the process, two of them could work on one database.
func LockFile(string) (io.Closer, error) {
	return nil, errors.New("the embedded database is supported on Unix systems only")
}

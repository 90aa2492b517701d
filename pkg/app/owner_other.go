//go:build !unix

package app

import "io/fs"

// keepOwner has nothing to do where files have no such owners.
func keepOwner(string, fs.FileInfo) error { return nil }

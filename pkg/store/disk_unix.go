//go:build linux || darwin

package store

import "syscall"

// room is what is left for us on the disk of a directory, and how large the disk is.
func room(dir string) (free, size uint64, err error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, 0, err
	}
	block := uint64(fs.Bsize) //nolint:gosec,unconvert // its type differs between systems
	return fs.Bavail * block, fs.Blocks * block, nil
}

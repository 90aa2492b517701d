//go:build unix

package app

import (
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives a file to whom another one belongs: root may rotate the keys of the App's user.
func keepOwner(path string, of fs.FileInfo) error {
	stat, ok := of.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 { // whoever else rotates them can read them, and cannot give them away
		return nil
	}
	return os.Chown(path, int(stat.Uid), int(stat.Gid))
}

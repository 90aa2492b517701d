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
	if !ok || int(stat.Uid) == os.Geteuid() && int(stat.Gid) == os.Getegid() {
		return nil
	}
	return os.Chown(path, int(stat.Uid), int(stat.Gid))
}

//go:build unix

package app_test

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/heed-app/heed/pkg/app"
)

// Whoever could read the old keys needs the new ones. As root, which CI is, the file is somebody else's.
func TestNewKeysBelongToWhomTheOldOnesDid(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "heed.db.key")
	check(t, os.WriteFile(path, []byte("old"), 0o600))
	if os.Geteuid() == 0 {
		check(t, os.Chown(path, 4711, 4712))
	}
	check(t, os.Chmod(path, 0o640)) //nolint:gosec // as an operator might
	before, err := os.Stat(path)
	check(t, err)
	check(t, app.WriteKeys(path, bytes.Repeat([]byte{7}, 32)))
	after, err := os.Stat(path)
	check(t, err)
	old, fresh := before.Sys().(*syscall.Stat_t), after.Sys().(*syscall.Stat_t)
	if old.Uid != fresh.Uid || old.Gid != fresh.Gid || before.Mode() != after.Mode() || os.SameFile(before, after) {
		t.Errorf("of %d:%d, %s; then of %d:%d, %s", old.Uid, old.Gid, before.Mode(), fresh.Uid, fresh.Gid, after.Mode())
	}
}

package store

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Disk is where an embedded database lies. All of it is in bytes; Size is 0 where nobody can say.
type Disk struct {
	Used uint64 // by the database and its log
	Free uint64 // for us
	Size uint64
}

// What is little room: a database that grows as ours does fills it within weeks, and a backup at once.
const (
	littleRoom  = 256 << 20
	littleShare = 20 // one part in so many
)

// Scarce reports whether room is running out.
func (d Disk) Scarce() bool {
	return d.Size > 0 && (d.Free < littleRoom || d.Free < d.Size/littleShare)
}

// Disk looks at the disk of an embedded database.
func (s *Store) Disk() (Disk, error) {
	path := s.base.file()
	if path == "" {
		return Disk{}, nil
	}
	var d Disk
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) && name != path { // nothing was written since it was taken over
			continue
		}
		if err != nil {
			return Disk{}, err
		}
		d.Used += uint64(info.Size()) //nolint:gosec // a file has no negative size
	}
	free, size, err := room(filepath.Dir(path))
	if errors.Is(err, errors.ErrUnsupported) {
		return Disk{}, nil
	}
	d.Free, d.Size = free, size
	return d, err
}

// IsFull reports whether an error says that the disk of the database is full.
func IsFull(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code()&0xff == sqlite3.SQLITE_FULL {
		return true
	}
	// PostgreSQL's "disk_full"; pgx names its errors so.
	if e, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err); ok && e.SQLState() == "53100" {
		return true
	}
	return errors.Is(err, syscall.ENOSPC)
}

// probe is as much as a usual delivery takes.
const probe = 16 << 10

// CheckRoom reports whether the database can be written, and has room for a delivery: it stores as
// much, and takes it away again.
func (s *Store) CheckRoom(ctx context.Context, now time.Time) error {
	b := make([]byte, probe)
	_, _ = rand.Read(b) // what repeats itself would be compressed
	if err := s.Write(ctx, now, func(tx *Tx) error { return tx.Set(ctx, "room", string(b)) }); err != nil {
		return err
	}
	return s.Write(ctx, now, func(tx *Tx) error { return tx.Set(ctx, "room", "") })
}

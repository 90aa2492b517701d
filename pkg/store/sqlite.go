package store

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite" // the driver, without cgo
)

//go:embed schema.sql
var schema string

// openSQLite opens one connection that writes and a few that read. FULL means that a commit has
// reached the disk when it returns, which is what 202 promises.
func (s *Store) openSQLite(ctx context.Context) error {
	if dir := filepath.Dir(s.path); dir != "." {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	// SQLite takes over the mode of the file for its log: nobody else reads either.
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	pragmas := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)", "foreign_keys(1)", "cache_size(-4096)"}}
	dsn := "file:" + (&url.URL{Path: s.path}).EscapedPath() + "?" + pragmas.Encode()
	if s.db, err = sql.Open("sqlite", dsn+"&_txlock=immediate"); err != nil {
		return err
	}
	s.db.SetMaxOpenConns(1)
	if s.read, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(4)
	s.driver = newRingingDriver(s.db, s.bell)
	if err := s.migrate(ctx); err != nil {
		return err
	}
	s.insert, err = river.NewClient(s.driver, &river.Config{Logger: quiet()})
	return err
}

// migrate goes forward only. River's tables come from River.
func (s *Store) migrate(ctx context.Context) error {
	m, err := rivermigrate.New(s.driver, &rivermigrate.Config{Logger: quiet()})
	if err != nil {
		return err
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate river: %w", err)
	}
	var version int
	if err := s.db.QueryRowContext(ctx, `pragma user_version`).Scan(&version); err != nil {
		return err
	}
	switch version {
	case 0:
		// One script and the version number with it, in one transaction: a crash in between leaves nothing.
		if _, err := s.db.ExecContext(ctx, "begin immediate;"+schema+";pragma user_version = 1;commit"); err != nil {
			_, rollback := s.db.ExecContext(ctx, "rollback")
			return errors.Join(fmt.Errorf("create the schema: %w", err), rollback)
		}
		return nil
	case 1:
		return nil
	default:
		return fmt.Errorf("the database has schema %d, this version of Heed knows 1: it was written by a newer one", version)
	}
}

// Revive makes the jobs of a process that was killed available again. River would wait for its
// rescuer. SQLite has one process, so whatever is running when it starts belongs to the dead; that
// there is but one is seen to first, by a lock that lasts until Close or death.
func (s *Store) Revive(ctx context.Context) (int64, error) {
	if s.lock == nil {
		lock, err := lockFile(s.path + ".lock")
		if err != nil {
			return 0, fmt.Errorf("another process works on %s: %w", s.path, err)
		}
		s.lock = lock
	}
	r, err := s.db.ExecContext(ctx, `update river_job set state = 'available', attempted_by = null where state = 'running'`)
	if err != nil {
		return 0, fmt.Errorf("revive jobs: %w", err)
	}
	if _, err := s.db.ExecContext(ctx, `update cases set lane_until = 0 where lane_until > 0`); err != nil {
		return 0, fmt.Errorf("free lanes: %w", err)
	}
	// Whoever led is dead too. River would wait 15 seconds for him, and nobody would sweep meanwhile.
	if _, err := s.db.ExecContext(ctx, `delete from river_leader`); err != nil {
		return 0, fmt.Errorf("depose the leader: %w", err)
	}
	return r.RowsAffected()
}

// Backup writes a consistent copy of the database to a new file while work goes on. The copy is as
// encrypted as the original, and needs the same key.
func (s *Store) Backup(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("back up: %s exists already", path)
	}
	if _, err := s.db.ExecContext(ctx, `vacuum into ?`, path); err != nil {
		return fmt.Errorf("back up to %s: %w", path, err)
	}
	return os.Chmod(path, 0o600)
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite" // the driver, without cgo
)

// embedded is SQLite: one process, one connection that writes and a few that read.
type embedded struct {
	path   string
	writer *sql.DB // the only one: SQLite has one writer, and so has nobody to wait for but the disk
	reader *sql.DB
	bell   *bell
	driver *ringingDriver
	insert *river.Client[*sql.Tx] // inserts jobs; never started
	intake *sql.Stmt              // stores a row of the intake
	ask    atomic.Bool            // there is a job that was not begun yet
	soiled atomic.Bool            // the log holds what was deleted
	one    sync.Mutex             // held by the one who is alone
	lock   io.Closer              // held while this process works on the database
}

// openSQLite opens the file. FULL means that a commit has reached the disk when it returns, which
// is what 202 promises.
func openSQLite(ctx context.Context, path string) (_ base, _ conn, err error) {
	if dir := filepath.Dir(path); dir != "." {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, conn{}, err
		}
	}
	// SQLite takes over the mode of the file for its log: nobody else reads either.
	f, err := os.OpenFile(filepath.Clean(path), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, conn{}, err
	}
	if err := f.Close(); err != nil {
		return nil, conn{}, err
	}
	d := &embedded{path: path, bell: newBell()}
	d.soiled.Store(true) // for all we know
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	// The log is carried over when it has 32 MB, not 4: each time costs two more waits for the disk.
	// What is deleted is overwritten: texts that the policy lets go are gone from the file too.
	pragmas := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "secure_delete(1)", "busy_timeout(10000)", "foreign_keys(1)", "cache_size(-4096)", "wal_autocheckpoint(8000)"}}
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + pragmas.Encode()
	if d.writer, err = sql.Open("sqlite", dsn+"&_txlock=immediate"); err != nil {
		return nil, conn{}, err
	}
	d.writer.SetMaxOpenConns(1)
	if d.reader, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"); err != nil {
		return nil, conn{}, err
	}
	d.reader.SetMaxOpenConns(4)
	d.driver = newRingingDriver(d.writer, d.bell)
	m, err := rivermigrate.New(d.driver, &rivermigrate.Config{Logger: quiet()})
	if err != nil {
		return nil, conn{}, err
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil { // River's tables come from River
		return nil, conn{}, fmt.Errorf("migrate river: %w", err)
	}
	if err := migrateSQLite(ctx, d.writer); err != nil {
		return nil, conn{}, err
	}
	if d.intake, err = d.writer.PrepareContext(ctx, `insert into intake(name, n, received, next_at, body) values(?, ?, ?, ?, ?)`); err != nil {
		return nil, conn{}, err
	}
	d.insert, err = river.NewClient(d.driver, &river.Config{Logger: quiet()})
	return d, conn{d.reader, inSQLite}, err
}

// inSQLite leaves out the locks on rows: there is one writer.
func inSQLite(query string, args []any) (string, []any) {
	query = strings.TrimSuffix(query, " skip locked")
	return strings.TrimSuffix(query, " for update"), args
}

func (d *embedded) begin(ctx context.Context) (*transaction, error) {
	tx, err := d.writer.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	insert := func(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) error {
		_, err := d.insert.InsertTx(ctx, tx, args, opts)
		return err
	}
	return &transaction{Tx: tx, insert: insert, dialect: inSQLite, end: func() {}}, nil
}

func (d *embedded) commits() int { return 1 } // there is one writer

// asked: who takes deliveries in waits for the end of a transaction in which a job begins, and the
// other way round.
func (d *embedded) asked(context.Context, *Tx) (bool, error) { return d.ask.Swap(true), nil }
func (d *embedded) forget()                                  { d.ask.Store(false) }
func (d *embedded) begun(context.Context, *Tx) error         { d.forget(); return nil }

func (d *embedded) keep(ctx context.Context, s *Store, now time.Time, a arrival) error {
	err := s.Write(ctx, now, func(tx *Tx) error {
		stmt := tx.StmtContext(ctx, d.intake)
		defer stmt.Close()
		if _, err := stmt.ExecContext(ctx, a.name, a.n, micros(a.received), micros(now.Add(nudged)), a.sealed); err != nil {
			return fmt.Errorf("store deliveries: %w", err)
		}
		return tx.ask(ctx, a.name)
	})
	if err != nil {
		d.forget()
	}
	return err
}

func (d *embedded) place(ctx context.Context, tx *Tx, rows []row, group string) error {
	stmt, err := tx.PrepareContext(ctx, `insert into delivery(guid, event, received, grp, next_at, body) values(?, ?, ?, ?, ?, ?) on conflict(guid) do nothing`)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, r := range rows {
		if _, err := stmt.ExecContext(ctx, r.GUID, r.Event, micros(r.Received), group, micros(tx.Now.Add(nudged)), r.sealed); err != nil {
			return err
		}
	}
	return nil
}

func (d *embedded) lockRef(context.Context, *Tx, string) error { return nil } // nobody else writes

func (d *embedded) announce(context.Context, *Tx) error { return nil }
func (d *embedded) announced(queue string)              { d.bell.ring(queue) }
func (d *embedded) again(error) bool                    { return false }

func (d *embedded) queue(config *river.Config) (Queue, error) {
	return river.NewClient(d.driver, config)
}

// revive makes the jobs of a process that was killed available again. River would wait for its
// rescuer. SQLite has one process, so whatever is running when it starts belongs to the dead; that
// there is but one is seen to first, by a lock that lasts until close or death.
func (d *embedded) revive(ctx context.Context) (int64, error) {
	if d.lock == nil {
		lock, err := LockFile(d.path + ".lock")
		if err != nil {
			return 0, fmt.Errorf("another process works on %s: %w", d.path, err)
		}
		d.lock = lock
	}
	r, err := d.writer.ExecContext(ctx, `update river_job set state = 'available', attempted_by = null where state = 'running'`)
	if err != nil {
		return 0, fmt.Errorf("revive jobs: %w", err)
	}
	if _, err := d.writer.ExecContext(ctx, `update cases set lane_until = 0 where lane_until > 0`); err != nil {
		return 0, fmt.Errorf("free lanes: %w", err)
	}
	// Whoever led is dead too. River would wait 15 seconds for him, and nobody would sweep meanwhile.
	if _, err := d.writer.ExecContext(ctx, `delete from river_leader`); err != nil {
		return 0, fmt.Errorf("depose the leader: %w", err)
	}
	return r.RowsAffected()
}

func (d *embedded) alone(_ context.Context, f func() error) (bool, error) {
	if !d.one.TryLock() {
		return false, nil
	}
	defer d.one.Unlock()
	return true, f()
}

func (d *embedded) backup(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("back up: %s exists already", path)
	}
	// SQLite writes into an empty file too, and so nobody else can ever read it.
	part, err := os.OpenFile(filepath.Clean(path+".part"), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	defer part.Close()
	if _, err = d.writer.ExecContext(ctx, `vacuum into ?`, part.Name()); err == nil {
		err = part.Sync()
	}
	if err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("back up to %s: %w", path, errors.Join(err, os.Remove(part.Name())))
	}
	return nil
}

func (d *embedded) file() string { return d.path }

// scrub carries the log over and cuts it to nothing. Whoever reads just now is not waited for, since the door would
// wait too: then it is tried again the next time.
func (d *embedded) scrub(ctx context.Context, something bool) (err error) {
	if something {
		d.soiled.Store(true)
	}
	if !d.soiled.Load() {
		return nil
	}
	c, err := d.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() {
		_, patient := c.ExecContext(context.WithoutCancel(ctx), `pragma busy_timeout(10000)`)
		err = errors.Join(err, patient, c.Close())
	}()
	if _, err := c.ExecContext(ctx, `pragma busy_timeout(0)`); err != nil {
		return err
	}
	var busy, frames, carried int
	if err := c.QueryRowContext(ctx, `pragma wal_checkpoint(truncate)`).Scan(&busy, &frames, &carried); err != nil {
		return fmt.Errorf("scrub: %w", err)
	}
	d.soiled.Store(busy != 0)
	return nil
}

func (d *embedded) close() error {
	var errs []error
	for _, db := range []*sql.DB{d.reader, d.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if d.lock != nil {
		errs = append(errs, d.lock.Close())
	}
	return errors.Join(errs...)
}

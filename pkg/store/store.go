// Package store keeps what must survive a crash: deliveries, cases, history, effects and River's
// jobs, in one database. SQLite is the embedded default. All times are arguments; a transaction
// has one now. Report text is encrypted before it reaches the disk.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/riverqueue/river"
)

// ErrNotFound says that there is no such row.
var ErrNotFound = errors.New("not found")

// A Store is one open database. It is safe for concurrent use.
type Store struct {
	db     *sql.DB // the only writer: SQLite has one, and so has nobody to wait for but the disk
	read   *sql.DB
	path   string
	seal   *sealer
	bell   *bell
	insert *river.Client[*sql.Tx] // inserts jobs; never started
	driver *ringingDriver

	committed func()
	lock      io.Closer // held while this process works on the database

	mu     sync.Mutex // guards group
	group  *group     // deliveries that wait for the next commit
	commit sync.Mutex // held while a group is committed
}

// Open opens the database of a URL (sqlite:///path/heed.db, sqlite://heed.db) and brings its
// schema up to date. The key is 32 bytes; everything embargoed is encrypted with it.
// committed, if not nil, is told after every commit of Write.
func Open(ctx context.Context, rawURL string, key []byte, committed func()) (*Store, error) {
	path, err := Path(rawURL)
	if err != nil {
		return nil, err
	}
	seal, err := newSealer(key)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, seal: seal, bell: newBell(), committed: committed}
	if err := s.openSQLite(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), s.Close())
	}
	return s, nil
}

// Path gives the file of a SQLite database URL.
func Path(rawURL string) (string, error) {
	rest, ok := strings.CutPrefix(rawURL, "sqlite://")
	if !ok {
		return "", fmt.Errorf("database URL %q: want sqlite:///path/heed.db", redact(rawURL))
	}
	path, err := url.PathUnescape(rest)
	if err != nil || path == "" {
		return "", fmt.Errorf("database URL %q names no file", rawURL)
	}
	return path, nil
}

// redact keeps a password in a mistyped URL out of the error.
func redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "…"
	}
	return u.Redacted()
}

// Close closes the database. Work in hand must have ended.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.read, s.db} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// Check reports whether the database can be written.
func (s *Store) Check(ctx context.Context, now time.Time) error {
	return s.Write(ctx, now, func(tx *Tx) error { return tx.Set(ctx, "checked", now.UTC().Format(time.RFC3339)) })
}

// A Tx is one transaction. What it queued is announced to the workers after the commit.
type Tx struct {
	*sql.Tx
	Now   time.Time
	store *Store
	queue map[string]bool
}

// Write runs f in one transaction: all of it, or nothing.
func (s *Store) Write(ctx context.Context, now time.Time, f func(*Tx) error) error {
	sqlTx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	tx := &Tx{Tx: sqlTx, Now: now, store: s, queue: map[string]bool{}}
	defer tx.Rollback() // after a commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	for q := range tx.queue {
		s.bell.ring(q)
	}
	if s.committed != nil {
		s.committed()
	}
	return nil
}

// Enqueue adds a job that exists if and only if the transaction commits.
func (tx *Tx) Enqueue(ctx context.Context, args river.JobArgs, opts river.InsertOpts) error {
	if _, err := tx.store.insert.InsertTx(ctx, tx.Tx, args, &opts); err != nil {
		return fmt.Errorf("enqueue %s: %w", args.Kind(), err)
	}
	tx.queue[opts.Queue] = true
	return nil
}

// Set stores a setting; Get reads it. Values are encrypted.
func (tx *Tx) Set(ctx context.Context, name, value string) error {
	sealed, err := tx.store.seal.seal([]byte(value), "setting/"+name)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `insert into setting(name, value) values(?, ?) on conflict(name) do update set value = excluded.value`, name, sealed)
	return err
}

// Get returns a setting, "" if it was never set.
func (s *Store) Get(ctx context.Context, name string) (string, error) {
	var sealed []byte
	err := s.read.QueryRowContext(ctx, `select value from setting where name = ?`, name).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	b, err := s.seal.open(sealed, "setting/"+name)
	return string(b), err
}

// Secret returns 32 random bytes that belong to this database for ever: public marks and the
// choice of public words are keyed with them.
func (s *Store) Secret(ctx context.Context, now time.Time) ([]byte, error) {
	secret, err := s.Get(ctx, "secret")
	if err != nil || secret != "" {
		return []byte(secret), err
	}
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // never fails
	return fresh, s.Write(ctx, now, func(tx *Tx) error { return tx.Set(ctx, "secret", string(fresh)) })
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

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
	base base
	read conn
	seal *sealer

	committed func()
	after     func(time.Duration) <-chan time.Time // nil: nobody waits

	mu      sync.Mutex // guards the groups
	group   *group     // deliveries that wait for the next commit
	crowd   int        // how many were committed together lately
	commits chan bool  // so many groups are committed at once
	scratch sync.Pool  // of *[]byte
}

// A base is the database below a Store: what SQLite and PostgreSQL do differently, and nothing else.
type base interface {
	// begin opens a transaction that writes.
	begin(ctx context.Context) (*transaction, error)
	// commits is how many groups of deliveries may be committed at once.
	commits() int
	// keep commits a row of the intake in a transaction of its own, with a job that thinks about it unless
	// one was asked for that was not begun yet.
	keep(ctx context.Context, s *Store, now time.Time, a arrival) error
	// asked reports whether a job that was not begun yet will find what this transaction stored in the
	// intake; if not, the caller asks for one, and forget takes back that he did. begun is called by such
	// a job before it looks: whoever does not see it begun has stored by the time that it returns.
	asked(ctx context.Context, tx *Tx) (bool, error)
	forget()
	begun(ctx context.Context, tx *Tx) error
	// place stores deliveries that are not there yet.
	place(ctx context.Context, tx *Tx, rows []row, group string) error
	// lockRef keeps everybody else from deciding about a name, until the transaction ends.
	lockRef(ctx context.Context, tx *Tx, ref string) error
	// announce tells the workers of all processes, on commit, that queues have jobs;
	// announced tells those of this process after it.
	announce(ctx context.Context, tx *Tx) error
	announced(queue string)
	// again reports whether a transaction failed only because of others who ran at the same time.
	again(err error) bool
	queue(config *river.Config) (Queue, error)
	revive(ctx context.Context) (int64, error)
	// alone runs f unless somebody else, of whatever process, is running alone.
	alone(ctx context.Context, f func() error) (bool, error)
	backup(ctx context.Context, path string) error
	file() string // of an embedded database
	// scrub takes what was deleted out of the files: what has been just now (something), and what could not be
	// taken out before.
	scrub(ctx context.Context, something bool) error
	close() error
}

// A transaction of a base, with the way to put jobs into it.
type transaction struct {
	*sql.Tx
	insert  func(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) error
	dialect func(query string, args []any) (string, []any)
	end     func()
}

// conn speaks SQL as the house writes it: PostgreSQL's, with ? for arguments and "for update" where
// a row must stand still. dialect makes of it what the database understands.
type conn struct {
	*sql.DB
	dialect func(query string, args []any) (string, []any)
}

func (c conn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	query, args = c.dialect(query, args)
	return c.DB.QueryRowContext(ctx, query, args...)
}

func (c conn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	query, args = c.dialect(query, args)
	return c.DB.QueryContext(ctx, query, args...)
}

// Open opens the database of a URL (sqlite:///path/heed.db, sqlite://heed.db, postgres://…) and
// brings its schema up to date. Everything embargoed is encrypted with the keys. committed, if not
// nil, is told after every commit of Write.
func Open(ctx context.Context, rawURL string, keys Keys, committed func()) (*Store, error) {
	seal, err := newSealer(keys)
	if err != nil {
		return nil, err
	}
	s := &Store{seal: seal, committed: committed, scratch: sync.Pool{New: func() any { return new([]byte) }}}
	if Postgres(rawURL) {
		if s.base, s.read, err = openPostgres(ctx, rawURL); err != nil {
			return nil, fmt.Errorf("open %s: %w", redact(rawURL), err)
		}
		s.commits = make(chan bool, s.base.commits())
		return s, nil
	}
	path, err := Path(rawURL)
	if err != nil {
		return nil, err
	}
	if s.base, s.read, err = openSQLite(ctx, path); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	s.commits = make(chan bool, s.base.commits())
	return s, nil
}

// Postgres reports whether a URL is one of PostgreSQL.
func Postgres(rawURL string) bool {
	return strings.HasPrefix(rawURL, "postgres://") || strings.HasPrefix(rawURL, "postgresql://")
}

// Path gives the file of a SQLite database URL.
func Path(rawURL string) (string, error) {
	rest, ok := strings.CutPrefix(rawURL, "sqlite://")
	if !ok {
		return "", fmt.Errorf("database URL %q: want sqlite:///path/heed.db or postgres://user@host/name", redact(rawURL))
	}
	path, err := url.PathUnescape(rest)
	if err != nil || path == "" {
		return "", fmt.Errorf("database URL %q names no file", rawURL)
	}
	return path, nil
}

// redact keeps a password out of an error, wherever in a mistyped URL it stands.
func redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "…"
	}
	u.RawQuery = ""
	return u.Redacted()
}

// Close closes the database. Work in hand must have ended.
func (s *Store) Close() error { return s.base.close() }

// NewQueue returns a River client on this database.
func (s *Store) NewQueue(config *river.Config) (Queue, error) {
	q, err := s.base.queue(config)
	if err != nil {
		return nil, fmt.Errorf("river: %w", err)
	}
	return q, nil
}

// Revive takes up the work of a process that was killed, if this is the only one that can be at
// work: on SQLite. Others find it when its lease ends.
func (s *Store) Revive(ctx context.Context) (int64, error) { return s.base.revive(ctx) }

// Alone runs f unless somebody else, in this process or another, is running alone at the moment.
// Then it is false.
func (s *Store) Alone(ctx context.Context, f func() error) (bool, error) { return s.base.alone(ctx, f) }

// Backup writes a consistent copy of an embedded database to a new file while work goes on. The
// copy is as encrypted as the original, and needs the same key.
func (s *Store) Backup(ctx context.Context, path string) error { return s.base.backup(ctx, path) }

// A Tx is one transaction. What it queued is announced to the workers after the commit.
type Tx struct {
	*transaction
	Now   time.Time
	store *Store
	queue map[string]bool
	then  []func()
}

// Then has something done once the commit went through: what counts or says that it happened. A transaction
// that runs again, or comes to nothing, counts and says nothing.
func (tx *Tx) Then(f func()) { tx.then = append(tx.then, f) }

// ExecContext is that of sql.Tx, in the house's SQL; so are the next two.
func (tx *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	query, args = tx.dialect(query, args)
	return tx.Tx.ExecContext(ctx, query, args...)
}

// QueryContext is that of sql.Tx.
func (tx *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	query, args = tx.dialect(query, args)
	return tx.Tx.QueryContext(ctx, query, args...)
}

// QueryRowContext is that of sql.Tx.
func (tx *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	query, args = tx.dialect(query, args)
	return tx.Tx.QueryRowContext(ctx, query, args...)
}

// mostTries is how often a transaction is tried that others got in the way of.
const mostTries = 8

// Write runs f in one transaction: all of it, or nothing. f is run again when others got in its
// way, so it must have no effects but on the transaction and on what it sets anew each time.
func (s *Store) Write(ctx context.Context, now time.Time, f func(*Tx) error) error {
	for try := 1; ; try++ {
		err := s.write(ctx, now, f)
		if err == nil || try == mostTries || !s.base.again(err) {
			return err
		}
	}
}

func (s *Store) write(ctx context.Context, now time.Time, f func(*Tx) error) error {
	t, err := s.base.begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	tx := &Tx{transaction: t, Now: now, store: s, queue: map[string]bool{}}
	defer t.end()
	defer tx.Rollback() // after a commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	if len(tx.queue) > 0 {
		if err := s.base.announce(ctx, tx); err != nil {
			return fmt.Errorf("announce jobs: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	for q := range tx.queue {
		s.base.announced(q)
	}
	for _, f := range tx.then {
		f()
	}
	if s.committed != nil {
		s.committed()
	}
	return nil
}

// change runs one statement in a transaction and says how many rows it changed.
func (s *Store) change(ctx context.Context, now time.Time, query string, args ...any) (n int64, err error) {
	err = s.Write(ctx, now, func(tx *Tx) error {
		r, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		n, err = r.RowsAffected()
		return err
	})
	return n, err
}

// Enqueue adds a job that exists if and only if the transaction commits.
func (tx *Tx) Enqueue(ctx context.Context, args river.JobArgs, opts river.InsertOpts) error {
	if err := tx.insert(ctx, args, &opts); err != nil {
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
	return wrapped(err, "set %s", name)
}

// Get returns a setting, "" if it was never set.
func (s *Store) Get(ctx context.Context, name string) (string, error) {
	var sealed []byte
	err := s.read.QueryRowContext(ctx, `select value from setting where name = ?`, name).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", wrapped(err, "get %s", name)
	}
	b, err := s.seal.open(sealed, "setting/"+name)
	return string(b), err
}

// Secret returns 32 random bytes that belong to this database for ever: public marks and the
// choice of public words are keyed with them. Of two processes that start at once one makes them.
func (s *Store) Secret(ctx context.Context, now time.Time) ([]byte, error) {
	secret, err := s.Get(ctx, "secret")
	if err != nil || secret != "" {
		return []byte(secret), err
	}
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // never fails
	sealed, err := s.seal.seal(fresh, "setting/secret")
	if err != nil {
		return nil, err
	}
	if _, err := s.change(ctx, now, `insert into setting(name, value) values('secret', ?) on conflict(name) do nothing`, sealed); err != nil {
		return nil, err
	}
	secret, err = s.Get(ctx, "secret")
	return []byte(secret), err
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

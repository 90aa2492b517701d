package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// postgres is a database server that several processes share. River's workers use pgx as they like
// to, with LISTEN and NOTIFY; our own SQL goes through database/sql, over the same pool.
type postgres struct {
	pool   *pgxpool.Pool
	db     *sql.DB
	insert *river.Client[pgx.Tx] // inserts jobs; never started
}

// mostConns is how many connections a process opens if its URL does not say (pool_max_conns):
// 24 workers that seldom write at the same time, the door, one that listens, one for the sweep.
const mostConns = 16

// fewestConns is how many are held at the same time even when little happens: by who listens, by who sweeps
// alone, and by two who write meanwhile. With fewer they would wait for each other for ever.
const fewestConns = 4

// oldest is the first version that is tested, as PostgreSQL counts them.
const oldest = 140000

func openPostgres(ctx context.Context, rawURL string) (_ base, _ conn, err error) {
	config, err := pgxpool.ParseConfig(rawURL)
	if err != nil {
		return nil, conn{}, errors.New("the URL is not one of PostgreSQL") // pgx's own words could hold the password
	}
	if !strings.Contains(rawURL, "pool_max_conns") {
		config.MaxConns = mostConns
	}
	if config.MaxConns < fewestConns {
		return nil, conn{}, fmt.Errorf("pool_max_conns=%d is too few connections, %d are needed at least", config.MaxConns, fewestConns)
	}
	config.AfterConnect = prepare
	d := &postgres{}
	if d.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, conn{}, err
	}
	d.db = stdlib.OpenDBFromPool(d.pool)
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	var version int
	if err := d.db.QueryRowContext(ctx, `select current_setting('server_version_num')::int`).Scan(&version); err != nil {
		return nil, conn{}, err
	}
	if version < oldest {
		return nil, conn{}, fmt.Errorf("PostgreSQL %d is too old, %d is needed", version/10000, oldest/10000)
	}
	m, err := rivermigrate.New(riverpgxv5.New(d.pool), &rivermigrate.Config{Logger: quiet()})
	if err != nil {
		return nil, conn{}, err
	}
	err = migratePostgres(ctx, d.db, func(ctx context.Context) error {
		if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return fmt.Errorf("migrate river: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, conn{}, err
	}
	d.insert, err = river.NewClient(riverpgxv5.New(d.pool), &river.Config{Logger: quiet()})
	return d, conn{d.db, inPostgres}, err
}

// prepare makes a connection fit: what was answered must be on disk, whatever the server does for others;
// and a process that vanished within a transaction must not keep its locks until TCP notices.
func prepare(ctx context.Context, c *pgx.Conn) error {
	for _, q := range []string{
		`select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'`,
		`select set_config('idle_in_transaction_session_timeout', '` + mostIdle + `', false) where current_setting('idle_in_transaction_session_timeout') = '0'`,
	} {
		if _, err := c.Exec(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// mostIdle is how long a transaction may wait for its process. None of ours does more between two
// statements than to encrypt.
const mostIdle = "15s"

// mostKeeping ends a commit of deliveries that does not end: GitHub has given up by then.
const mostKeeping = 20 * time.Second

// inPostgres numbers the arguments and takes out of texts what PostgreSQL cannot keep: words of
// GitHub, and of whoever writes to it, end up in reasons.
func inPostgres(query string, args []any) (string, []any) {
	var b strings.Builder
	n := 0
	for i := range len(query) {
		if query[i] != '?' {
			b.WriteByte(query[i])
			continue
		}
		n++
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
	}
	for i, a := range args {
		if text, ok := a.(string); ok {
			args[i] = clean(text)
		}
	}
	return b.String(), args
}

// clean makes valid text of anything.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// begin takes one connection for both: our SQL, and River's inserts, which speak pgx.
func (d *postgres) begin(ctx context.Context) (*transaction, error) {
	c, err := d.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	var raw *pgx.Conn
	err = c.Raw(func(driver any) error {
		raw = driver.(*stdlib.Conn).Conn() // OpenDBFromPool gives no other
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	insert := func(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) error {
		_, err := d.insert.InsertTx(ctx, pgxTx{on: raw}, args, opts)
		return err
	}
	return &transaction{Tx: tx, insert: insert, dialect: inPostgres, end: func() { c.Close() }}, nil
}

// pgxTx shows River a connection that is in a transaction already. Beginning, committing and
// rolling back are not River's business: it gets no more than what an insert needs.
type pgxTx struct {
	pgx.Tx // nil: what is not below is not needed
	on     *pgx.Conn
}

// Begin implements pgx.Tx, as do the others.
func (t pgxTx) Begin(ctx context.Context) (pgx.Tx, error) { return nil, errNested }

// Exec implements pgx.Tx.
func (t pgxTx) Exec(ctx context.Context, q string, args ...any) (pgconn.CommandTag, error) {
	return t.on.Exec(ctx, q, args...)
}

// Query implements pgx.Tx.
func (t pgxTx) Query(ctx context.Context, q string, args ...any) (pgx.Rows, error) {
	return t.on.Query(ctx, q, args...)
}

// QueryRow implements pgx.Tx.
func (t pgxTx) QueryRow(ctx context.Context, q string, args ...any) pgx.Row {
	return t.on.QueryRow(ctx, q, args...)
}

// CopyFrom implements pgx.Tx.
func (t pgxTx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	return t.on.CopyFrom(ctx, table, columns, rows)
}

// SendBatch implements pgx.Tx.
func (t pgxTx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	return t.on.SendBatch(ctx, b)
}

// Prepare implements pgx.Tx.
func (t pgxTx) Prepare(ctx context.Context, name, q string) (*pgconn.StatementDescription, error) {
	return t.on.Prepare(ctx, name, q)
}

// Conn implements pgx.Tx: River asks it how queries are to be sent.
func (t pgxTx) Conn() *pgx.Conn { return t.on }

var errNested = errors.New("no transaction within this one")

// commits: while one is on its way to the disk another is put together. More would only be smaller.
func (d *postgres) commits() int { return 2 }

// intakeLock is the number of the advisory lock that all share who take deliveries in.
const intakeLock = migrationLock + 2

// keep tries again with another connection when one is lost before the commit was sent: the server may
// have been started anew.
func (d *postgres) keep(ctx context.Context, s *Store, now time.Time, a arrival) error {
	ctx, cancel := context.WithTimeout(ctx, mostKeeping)
	defer cancel()
	for try := 1; ; try++ {
		lost, err := d.keepOnce(ctx, now, a)
		if err == nil && s.committed != nil {
			s.committed()
		}
		if err == nil || try == mostTries || !lost && !d.again(err) {
			return err
		}
	}
}

// keepOnce sends what it usually takes at once, and then the commit: all wait for every round trip.
// lost: nothing was committed, since the connection broke.
func (d *postgres) keepOnce(ctx context.Context, now time.Time, a arrival) (lost bool, err error) {
	c, err := d.pool.Acquire(ctx)
	if err != nil {
		return false, err
	}
	defer c.Release() // who fails leaves a transaction open, and the pool drops such a connection
	var (
		first pgx.Batch
		asked bool
	)
	first.Queue(`begin`)
	first.Queue(`with taking as materialized (select pg_advisory_xact_lock_shared($1))
		insert into intake(name, n, received, next_at, body) select cast($2 as text), cast($3 as bigint), cast($4 as bigint), cast($5 as bigint), cast($6 as bytea) from taking`,
		intakeLock, a.name, a.n, micros(a.received), micros(now.Add(nudged)), a.sealed)
	first.Queue(unbegun, QueueThink, ThinkArgs{}.Kind(), prioUrgent).QueryRow(func(r pgx.Row) error { return r.Scan(&asked) })
	if err := c.SendBatch(ctx, &first).Close(); err != nil {
		return c.Conn().IsClosed(), fmt.Errorf("store deliveries: %w", err)
	}
	if !asked {
		if err := d.think(ctx, c.Conn(), a.name); err != nil {
			return c.Conn().IsClosed(), fmt.Errorf("ask for a job: %w", err)
		}
	}
	if _, err := c.Exec(ctx, `commit`); err != nil {
		return false, fmt.Errorf("commit: %w", err)
	}
	return false, nil
}

// think queues a job that thinks about a group, and tells all processes on commit.
func (d *postgres) think(ctx context.Context, c *pgx.Conn, group string) error {
	args, opts := thinking(group)
	if _, err := d.insert.InsertTx(ctx, pgxTx{on: c}, args, &opts); err != nil {
		return err
	}
	_, err := c.Exec(ctx, notify, topic(opts.Queue)...)
	return err
}

// unbegun looks for a job that no replica has begun, and that waits behind no others. The lock was taken
// before, in a statement of its own: who finds none begun holds it until he has committed.
const unbegun = `select exists(select 1 from river_job where state = 'available' and queue = $1 and kind = $2 and priority = $3 and scheduled_at <= now())`

func (d *postgres) forget() {}

func (d *postgres) asked(ctx context.Context, tx *Tx) (is bool, err error) {
	if _, err := tx.Tx.ExecContext(ctx, `select pg_advisory_xact_lock_shared($1)`, intakeLock); err != nil {
		return false, err
	}
	err = tx.Tx.QueryRowContext(ctx, unbegun, QueueThink, ThinkArgs{}.Kind(), prioUrgent).Scan(&is)
	return is, err
}

// begun waits for all who may have seen this job before it was begun, and holds nobody up after that: going back
// to the savepoint gives the lock up. It belongs to the transaction, so that no failure leaves it with a connection.
func (d *postgres) begun(ctx context.Context, tx *Tx) error {
	if _, err := tx.ExecContext(ctx, `savepoint before`); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `select pg_advisory_xact_lock(?)`, intakeLock); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `rollback to savepoint before`)
	return err
}

// place inserts all with one statement: a round trip for each would be what takes longest.
func (d *postgres) place(ctx context.Context, tx *Tx, rows []row, group string) error {
	guids, events, received, bodies := make([]string, len(rows)), make([]string, len(rows)), make([]int64, len(rows)), make([][]byte, len(rows))
	for i, r := range rows {
		guids[i], events[i], received[i], bodies[i] = r.GUID, r.Event, micros(r.Received), r.sealed
	}
	_, err := tx.ExecContext(ctx, `insert into delivery(guid, event, received, grp, next_at, body)
		select guid, event, received, cast(? as text), cast(? as bigint), body
		from unnest(cast(? as text[]), cast(? as text[]), cast(? as bigint[]), cast(? as bytea[])) as fresh(guid, event, received, body)
		on conflict(guid) do nothing`, group, micros(tx.Now.Add(nudged)), guids, events, received, bodies)
	return err
}

// lockRef: two who find no case of a name would both open one.
func (d *postgres) lockRef(ctx context.Context, tx *Tx, ref string) error {
	_, err := tx.ExecContext(ctx, `select pg_advisory_xact_lock(hashtextextended(?, 0))`, ref)
	return err
}

// announce sends what River sends for its own inserts, but for every transaction: River keeps quiet
// within its cooldown, and the job would wait for the next poll.
func (d *postgres) announce(ctx context.Context, tx *Tx) error {
	for queue := range tx.queue {
		if _, err := tx.Tx.ExecContext(ctx, notify, topic(queue)...); err != nil {
			return err
		}
	}
	return nil
}

const notify = `select pg_notify(current_schema() || $1, $2)`

// topic is what notify needs to be told.
func topic(queue string) []any { return []any{"." + insertTopic, fmt.Sprintf(insertPayload, queue)} }

func (d *postgres) announced(string) {}

// again: a deadlock or a conflict is nobody's mistake.
func (d *postgres) again(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40P01" || e.Code == "40001")
}

func (d *postgres) queue(config *river.Config) (Queue, error) {
	return river.NewClient(riverpgxv5.New(d.pool), config)
}

// revive does nothing: whose work it is that stands still, only the end of its lease tells.
func (d *postgres) revive(context.Context) (int64, error) { return 0, nil }

// aloneLock is the number of the advisory lock of the one who is alone. It goes with its connection.
const aloneLock = migrationLock + 1

func (d *postgres) alone(ctx context.Context, f func() error) (ran bool, err error) {
	c, err := d.db.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := c.QueryRowContext(ctx, `select pg_try_advisory_lock($1)`, aloneLock).Scan(&ran); err != nil || !ran {
		return false, err
	}
	defer func() {
		// A connection that is broken took the lock with it.
		_, _ = c.ExecContext(context.WithoutCancel(ctx), `select pg_advisory_unlock($1)`, aloneLock)
	}()
	return true, f()
}

func (d *postgres) backup(context.Context, string) error {
	return errors.New("back up: PostgreSQL has its own tools for this, such as pg_dump; keep the data key too")
}

func (d *postgres) file() string { return "" }

// scrub does nothing: the server's own vacuum takes dead rows away.
func (d *postgres) scrub(context.Context, bool) error { return nil }

func (d *postgres) close() error {
	err := d.db.Close()
	d.pool.Close()
	return err
}

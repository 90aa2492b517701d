package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"github.com/heed-app/heed/pkg/disclosure"
)

// replica is one more process on a database.
func replica(t testing.TB, url string) *Store {
	t.Helper()
	s, err := Open(t.Context(), url, OneKey(key()), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestReplicasMigrateTogether(t *testing.T) {
	t.Parallel()
	url := newPostgres(t)
	var wg sync.WaitGroup
	secrets := make([]string, 6)
	for i := range secrets {
		wg.Go(func() {
			s, err := Open(t.Context(), url, OneKey(key()), nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			secret, err := s.Secret(t.Context(), now)
			if err != nil {
				t.Error(err)
			}
			secrets[i] = string(secret)
		})
	}
	wg.Wait()
	if n := len(slices.Compact(slices.Sorted(slices.Values(secrets)))); n != 1 || secrets[0] == "" {
		t.Errorf("%d secrets", n)
	}
}

// Few connections are enough, and too few are refused instead of waiting for each other for ever.
func TestFewConnections(t *testing.T) {
	t.Parallel()
	at := func(n int) string {
		url := newPostgres(t)
		separator := "?"
		if strings.Contains(url, "?") {
			separator = "&"
		}
		return fmt.Sprintf("%s%spool_max_conns=%d", url, separator, n)
	}
	if s, err := Open(t.Context(), at(fewestConns-1), OneKey(key()), nil); err == nil || !strings.Contains(err.Error(), "too few connections") {
		t.Errorf("opened %v with %d connections, %v", s, fewestConns-1, err)
	}
	s, err := Open(t.Context(), at(fewestConns), OneKey(key()), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Alone(t.Context(), func() error {
		return s.Accept(t.Context(), now, delivery("a"))
	}); err != nil {
		t.Error(err)
	}
}

func TestReplicasDoThingsOnce(t *testing.T) {
	t.Parallel()
	url := newPostgres(t)
	replicas := []*Store{replica(t, url), replica(t, url), replica(t, url)}
	together := func(f func(i int, s *Store)) {
		var wg sync.WaitGroup
		for i, s := range replicas {
			wg.Go(func() { f(i, s) })
		}
		wg.Wait()
	}
	// The same deliveries come to all of them, in different orders.
	together(func(i int, s *Store) {
		for n := range 30 {
			if i == 1 {
				n = 29 - n
			}
			if err := s.Accept(t.Context(), now, delivery(fmt.Sprint("d", n)), delivery(fmt.Sprint("d", (n+i*7)%30))); err != nil {
				t.Error(err)
			}
		}
	})
	together(func(i int, s *Store) { thinkAll(t, s) })
	if n := count(t, replicas[0], "select count(*) from delivery"); n != 30 {
		t.Errorf("%d deliveries, want 30", n)
	}
	// All want to open the case of one name.
	var mu sync.Mutex
	fresh := 0
	together(func(_ int, s *Store) {
		err := s.Write(t.Context(), now, func(tx *Tx) error {
			c := report(1)
			_, err := tx.CaseByRef(t.Context(), c.Refs()[0])
			if !errors.Is(err, ErrNotFound) {
				return err
			}
			if c.ID, err = tx.NewCase(t.Context()); err != nil {
				return err
			}
			mu.Lock()
			fresh++
			mu.Unlock()
			return tx.Save(t.Context(), c, nil, []disclosure.Effect{{Key: full(c.ID, "a")}})
		})
		if err != nil {
			t.Error(err)
		}
	})
	if n := count(t, replicas[0], "select count(*) from cases"); n != 1 || fresh != 1 {
		t.Errorf("%d cases, opened %d times", n, fresh)
	}
	// All find the same due moments.
	found := 0
	together(func(_ int, s *Store) {
		n, err := s.Due(t.Context(), now.Add(time.Hour*24*365))
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		found += n
		mu.Unlock()
	})
	groups := count(t, replicas[0], "select count(distinct grp) from delivery")
	if want := groups + 2; found != want { // the case is to be woken and its lane to be worked off
		t.Errorf("%d jobs for %d due moments", found, want)
	}
}

// Two who hold what the other wants: the database sends one away, and he comes again.
func TestDeadlocksAreTriedAgain(t *testing.T) {
	t.Parallel()
	s := replica(t, newPostgres(t))
	a, b := opened(t, s, disclosure.Effect{Key: "a"}).ID, func() int64 {
		var id int64
		write(t, s, now, func(tx *Tx) (err error) {
			id, err = tx.NewCase(t.Context())
			return errors.Join(err, tx.Save(t.Context(), report(id), nil, nil))
		})
		return id
	}()
	var wg sync.WaitGroup
	for _, order := range [][2]int64{{a, b}, {b, a}} {
		wg.Go(func() {
			for range 3 {
				err := s.Write(t.Context(), now, func(tx *Tx) error {
					_, err1 := tx.Case(t.Context(), order[0])
					if err1 != nil {
						return err1
					}
					_, err2 := tx.Case(t.Context(), order[1])
					return err2
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// The database goes away and comes back: what failed says so, and the next one succeeds by itself.
func TestBrokenConnections(t *testing.T) {
	t.Parallel()
	s := replica(t, newPostgres(t))
	other := replica(t, newPostgres(t))
	name := database(t, s)
	for range 5 {
		count(t, other, `select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '`+name+`'`)
		var failed int
		for failed = 0; s.CheckRoom(t.Context(), now) != nil; failed++ {
			if failed == 50 {
				t.Fatal("it never came back")
			}
		}
	}
}

func database(t *testing.T, s *Store) (name string) {
	t.Helper()
	if err := s.read.QueryRowContext(t.Context(), `select current_database()`).Scan(&name); err != nil {
		t.Fatal(err)
	}
	return name
}

// What GitHub or a stranger wrote ends up in reasons, and PostgreSQL refuses some of it.
func TestTextThatPostgresCannotKeep(t *testing.T) {
	t.Parallel()
	s := replica(t, newPostgres(t))
	accept(t, s, delivery("g\x00\xff"))
	if got := pending(t, s, "g\uFFFD\uFFFD", now); len(got) != 1 {
		t.Fatalf("it was not accepted: %v", got)
	}
	write(t, s, now, func(tx *Tx) error { return tx.ParkDelivery(t.Context(), 1, "bad \x00 \xc3\x28") })
	parked, err := s.ParkedDeliveries(t.Context())
	if err != nil || len(parked) != 1 || strings.ContainsAny(parked[0].Reason, "\x00") {
		t.Errorf("%q, %v", parked, err)
	}
}

// A database as the first version left it is brought forward, and everything in it is still there.
func TestFromTheFirstSchema(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "heed.db")
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := step(1, spellSQLite())
		if err != nil {
			t.Fatal(err)
		}
		fill(t, db, text+";pragma user_version = 1", inSQLite)
		forward(t, open(t, path))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		url := newPostgres(t)
		db, err := sql.Open("pgx", url)
		if err != nil {
			t.Fatal(err)
		}
		text, err := step(1, spellPostgres())
		if err != nil {
			t.Fatal(err)
		}
		fill(t, db, text+"; create table heed_schema (version bigint primary key); insert into heed_schema values (1)", inPostgres)
		forward(t, replica(t, url))
	})
}

// fill writes what the first version would have written.
func fill(t *testing.T, db *sql.DB, schema string, dialect func(string, []any) (string, []any)) {
	t.Helper()
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), schema); err != nil {
		t.Fatal(err)
	}
	seal, err := newSealer(OneKey(key()))
	if err != nil {
		t.Fatal(err)
	}
	c := report(1)
	body, err1 := seal.sealValue(c, casePlace(1))
	effect, err2 := seal.sealValue(disclosure.Effect{Key: full(1, "a")}, "effect/"+full(1, "a"))
	done, err3 := seal.seal([]byte("{}"), "delivery/old")
	secret, err4 := seal.seal([]byte("thirty-two bytes of real secrecy"), "setting/secret")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	for _, q := range []struct {
		query string
		args  []any
	}{
		{`insert into cases(repo_id, repo, kind, state, opened, wake_at, installation, body) values(?, ?, ?, ?, ?, ?, ?, ?)`, []any{c.Repo.ID, c.Repo.String(), string(c.Kind), string(c.State), micros(c.Opened), micros(c.Wake), c.Installation, body}},
		{`insert into case_ref(ref, case_id) values(?, 1)`, []any{string(c.Refs()[0])}},
		{`insert into effect(case_id, key, action, audience, urgent, next_at, decided, body) values(1, ?, 'comment', 'private', ?, ?, ?, ?)`, []any{full(1, "a"), true, micros(now), micros(now), effect}},
		{`insert into delivery(guid, event, received, grp, state, next_at, body) values('old', 'issues', ?, 'old', 1, ?, ?)`, []any{micros(now), micros(now), done}},
		{`insert into setting(name, value) values('secret', ?)`, []any{secret}},
	} {
		query, args := dialect(q.query, q.args)
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(query, err)
		}
	}
}

func forward(t *testing.T, s *Store) {
	t.Helper()
	c, err := s.CaseByRef(t.Context(), report(1).Refs()[0])
	if err != nil || c.Reporter != report(1).Reporter {
		t.Errorf("the case: %v, %v", c, err)
	}
	if secret, err := s.Secret(t.Context(), now); err != nil || string(secret) != "thirty-two bytes of real secrecy" {
		t.Errorf("the secret: %q, %v", secret, err)
	}
	if a, err := s.Begin(t.Context(), laneOf(t, s, 1), now); err != nil || a.Key != full(1, "a") {
		t.Errorf("the effect: %v, %v", a, err)
	}
	if n := count(t, s, "select count(*) from delivery where done is not null"); n != 1 {
		t.Errorf("%d deliveries are known to be done with", n)
	}
	if _, err := s.Due(t.Context(), now.Add(time.Hour)); err != nil {
		t.Error(err)
	}
	var id int64
	write(t, s, now, func(tx *Tx) (err error) { id, err = tx.NewCase(t.Context()); return err })
	if id < 1 {
		t.Errorf("the next case is %d", id)
	}
}

// Between a webhook and its effect lie two jobs. A worker that polls would find them too late, so the
// bell wakes it; this is the test that the driver's comment speaks of.
func TestTheBellIsHeard(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "heed.db"))
	heard(t, s, s)
}

// On PostgreSQL the workers of another process are woken as quickly.
func TestAnotherReplicaHearsIt(t *testing.T) {
	t.Parallel()
	url := newPostgres(t)
	heard(t, replica(t, url), replica(t, url))
}

// heard accepts deliveries here and waits until workers there take them up.
func heard(t *testing.T, here, there *Store) {
	t.Helper()
	woken := make(chan bool, 1)
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[ThinkArgs]) error {
		_, err := there.NewDeliveries(ctx, j.Args.Group, now)
		woken <- true
		return err
	}))
	q, err := there.NewQueue(&river.Config{
		Logger: quiet(), Workers: workers, Queues: map[string]river.QueueConfig{QueueThink: {MaxWorkers: 2}},
		FetchCooldown: 2 * time.Millisecond, FetchPollInterval: time.Hour, // only the bell can wake it
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.StopAndCancel(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	for i := range 9 {
		accept(t, here, delivery(fmt.Sprint(i)))
		select {
		case <-woken:
		case <-time.After(20 * time.Second):
			t.Fatal("nobody heard the bell")
		}
	}
}

// What must not be read by whoever can read the database is not there in plain: every column of every
// table is looked at, as text and as bytes.
func TestNoReportInPostgres(t *testing.T) {
	t.Parallel()
	url := newPostgres(t)
	s := replica(t, url)
	d := delivery("guid-in-clear")
	d.Body = []byte(`{"issue":{"title":"canary title","body":"canary body ` + strings.Repeat("canary ", 100) + `"}}`)
	accept(t, s, d)
	another := delivery("placed")
	another.Body = d.Body
	accept(t, s, another)
	pending(t, s, "guid-in-clear", now)
	accept(t, s, delivery("still in the intake"))
	c := opened(t, s)
	write(t, s, now, func(tx *Tx) error {
		return errors.Join(
			tx.Set(t.Context(), "mark", "canary setting"),
			tx.SaveLabel(t.Context(), Label{Case: c.ID}, disclosure.Seal("canary title"), disclosure.Seal("canary of a label")),
			tx.Save(t.Context(), c, []disclosure.Line{{At: now, By: "mia", Text: "accepted"}}, []disclosure.Effect{effect(c.ID, "receipt")}))
	})
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tables := column(t, db, `select table_name from information_schema.tables where table_schema = current_schema()`)
	seen := false
	for _, table := range tables {
		for _, text := range column(t, db, "select x::text from "+table+" x") {
			seen = seen || strings.Contains(text, "guid-in-clear")
			if strings.Contains(text, "canary") || strings.Contains(text, hex.EncodeToString([]byte("canary"))) {
				t.Errorf("%s: %s", table, text)
			}
		}
	}
	if !seen || len(tables) < 8 {
		t.Errorf("this test does not look at the right tables: %q", tables)
	}
}

// column reads all that a query gives.
func column(t *testing.T, db *sql.DB, query string) (out []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		out = append(out, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// An opener sees a job that waits, and leaves it what is too much for him. The job begins before he has
// committed: it waits for him, and so finds it.
func TestAJobWaitsForWhoCountsOnIt(t *testing.T) {
	t.Parallel()
	s := replica(t, newPostgres(t))
	for i := range mostOpened {
		accept(t, s, delivery(fmt.Sprint("a", i)), delivery(fmt.Sprint("b", i)))
	}
	found := make(chan bool)
	write(t, s, now, func(tx *Tx) error {
		if _, err := tx.open(t.Context(), "first"); err != nil {
			return err
		}
		go func() {
			defer close(found)
			if ds, err := s.NewDeliveries(t.Context(), "second", now); err != nil || len(ds) == 0 {
				t.Errorf("%d deliveries, %v", len(ds), err)
			}
		}()
		waiting(t, s, found)
		return nil
	})
	<-found
}

// waiting returns when somebody waits for the lock of those who take deliveries in, or is over.
func waiting(t *testing.T, s *Store, over <-chan bool) {
	t.Helper()
	for count(t, s, "select count(*) from pg_locks l join pg_database d on d.oid = l.database where datname = current_database() and locktype = 'advisory' and not granted") == 0 {
		select {
		case <-over:
			t.Error("it did not wait")
			return
		default:
		}
	}
}

// Jobs that wake cases wait behind urgent ones: what comes in does not count on them.
func TestALeakHasAnUrgentJob(t *testing.T) {
	t.Parallel()
	s := replica(t, newPostgres(t))
	write(t, s, now, func(tx *Tx) error {
		return tx.Enqueue(t.Context(), ThinkArgs{Group: "later"}, river.InsertOpts{Queue: QueueThink, Priority: prioUrgent + 1})
	})
	accept(t, s, delivery("leak"))
	if n := count(t, s, "select count(*) from river_job where state = 'available' and priority = 1"); n != 1 {
		t.Errorf("%d urgent jobs", n)
	}
}

// Connections that broke between two deliveries fail none of them, and none is left within a transaction.
func TestAcceptOverBrokenConnections(t *testing.T) {
	t.Parallel()
	s, other := replica(t, newPostgres(t)), replica(t, newPostgres(t))
	name := database(t, s)
	for i := range 5 {
		accept(t, s, delivery(fmt.Sprint("before-", i)))
		count(t, other, "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '"+name+"'")
		accept(t, s, delivery(fmt.Sprint("after-", i)))
	}
	if n := count(t, s, "select sum(n) from intake"); n != 10 {
		t.Errorf("%d of 10 deliveries", n)
	}
	if n := count(t, s, "select count(*) from pg_stat_activity where state like 'idle in%' and datname = current_database()"); n != 0 {
		t.Errorf("%d connections are within a transaction", n)
	}
	if n := count(t, s, "select count(*) from pg_settings where name = 'idle_in_transaction_session_timeout' and setting = '15000'"); n != 1 {
		t.Error("a process that vanished keeps its locks")
	}
}

// Somebody thinks about a closed case while it waits to be erased: what follows is done first.
func TestErasingMeetsAThought(t *testing.T) {
	t.Parallel()
	url := newPostgres(t)
	s, other := replica(t, url), replica(t, url)
	c := opened(t, s, disclosure.Effect{Key: "a"})
	c.State, c.Outcome, c.EraseAt = disclosure.Closed, disclosure.Declined, now.Add(time.Hour)
	write(t, s, now, func(tx *Tx) error { return tx.Save(t.Context(), c, nil, nil) })
	finish(t, s, c.ID, "a")
	later, erased := now.Add(2*time.Hour), make(chan bool)
	write(t, other, later, func(tx *Tx) error { // the reporter objects
		got, err := tx.Case(t.Context(), c.ID)
		if err != nil {
			return err
		}
		if err := tx.Save(t.Context(), got, nil, []disclosure.Effect{{Key: full(c.ID, "objection"), Case: c.ID, Action: disclosure.CommentIssue, Audience: disclosure.Trackers}}); err != nil {
			return err
		}
		go func() {
			defer close(erased)
			if n, err := s.Erase(t.Context(), later); n != 0 || err != nil {
				t.Errorf("%d cases erased, %v", n, err)
			}
		}()
		for count(t, other, "select count(*) from pg_locks where locktype in ('transactionid', 'tuple') and not granted and pid in (select pid from pg_stat_activity where datname = current_database())") == 0 {
			select {
			case <-erased:
				return errors.New("nobody waited")
			default:
			}
		}
		return nil
	})
	<-erased
	l, err := other.TakeLane(t.Context(), c.ID, later)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := other.Begin(t.Context(), l, later); err != nil || a.Key != full(c.ID, "objection") {
		t.Errorf("next is %q, %v", a.Key, err)
	}
}

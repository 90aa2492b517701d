package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/store/postgrestest"
)

// now is the one moment of these tests; everything else is told from it.
var now = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

func key() []byte { return bytes.Repeat([]byte{7}, 32) }

// sqliteIn opens databases below one directory: the same one as often as a test asks.
func sqliteIn(dir string) func(*testing.T) *Store {
	return func(t *testing.T) *Store {
		t.Helper()
		name := strings.NewReplacer("/", "_", " ", "_", ",", "_").Replace(t.Name())
		return open(t, filepath.Join(dir, name, "heed.db"))
	}
}

func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), "sqlite://"+path, OneKey(key()), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// server is the PostgreSQL of this package's tests.
var server = sync.OnceValues(func() (*postgrestest.Server, error) { return postgrestest.Start(context.Background(), false) })

func TestMain(m *testing.M) {
	code := m.Run()
	if s, err := server(); err == nil {
		s.Stop()
	}
	os.Exit(code)
}

// postgresOf gives every test a database of its own on a real server. On CI there must be one.
func postgresOf(t *testing.T) func(*testing.T) *Store {
	t.Helper()
	var mu sync.Mutex
	urls := map[string]string{}
	return func(t *testing.T) *Store {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if urls[t.Name()] == "" {
			urls[t.Name()] = newPostgres(t)
		}
		s, err := Open(t.Context(), urls[t.Name()], OneKey(key()), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
}

func newPostgres(t testing.TB) string {
	t.Helper()
	s, err := server()
	postgrestest.Check(t, err)
	url, err := s.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return url
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	newPostgres(t) // skips everything where there is no server
	Exercise(t, postgresOf(t))
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	Exercise(t, sqliteIn(t.TempDir()))
}

// Exercise is what every database must do. open gives the database of the running test, the same
// one when it is called again.
func Exercise(t *testing.T, open func(t *testing.T) *Store) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*testing.T, func(*testing.T) *Store)
	}{
		{"what was accepted is there after a restart", acceptIsOnDisk},
		{"a repeated delivery is accepted and does nothing", repeatedDeliveries},
		{"64 callers at once: each accepted once", manyCallers},
		{"who waits for a commit shares the next one", oneCommitForAll},
		{"in a burst a few wait for half a crowd, and no longer than a moment", halfACrowd},
		{"a caller who hangs up fails nobody", hangingUp},
		{"one job thinks about what came in until it was begun", oneJobForMany},
		{"what is too much for one job is left to another", portions},
		{"deliveries are retired, postponed and parked", deliveries},
		{"a thought that fails leaves nothing", nothingOfAFailedThought},
		{"a case is found by every name of its own", casesAndRefs},
		{"effects are done in order, urgent ones first", lanes},
		{"who is banned longest stays so", longestBan},
		{"a newer effect takes the place of an unfinished one", slots},
		{"an attempt is counted before it is made", attempts},
		{"a lane belongs to one until his lease ends", lease},
		{"a case is not left while something can be done", leaving},
		{"due moments come, and a lost job is found again", dueMoments},
		{"a failed effect is due when it may be tried again", dueEffects},
		{"one at a time is alone", alone},
		{"what is done with is forgotten after its time", forgetting},
		{"what is done with is forgotten, however much it is", forgettingMuch},
		{"one value that nobody can read stops no other", unreadable},
		{"a damaged effect stops no other", damagedInLane},
		{"a case that nobody can read keeps no other from being erased", eraseBesideUnreadable},
		{"numbers of cases are passed over", skipping},
		{"the texts of a closed case are erased in time", erasing},
		{"keys are rotated while others work", rotating},
		{"who keeps his lane has it", keeping},
		{"settings are kept, and the secret stays the same", settings},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open)
		})
	}
}

func delivery(guid string) Delivery {
	return Delivery{GUID: guid, Event: "issues", Received: now, Body: []byte(`{"guid":"` + guid + `"}`)}
}

func accept(t *testing.T, s *Store, ds ...Delivery) {
	t.Helper()
	if err := s.Accept(t.Context(), now, ds...); err != nil {
		t.Fatal(err)
	}
}

// placed accepts deliveries and begins the job that thinks about them.
func placed(t *testing.T, s *Store, ds ...Delivery) {
	t.Helper()
	accept(t, s, ds...)
	pending(t, s, ds[0].GUID, now)
}

func write(t *testing.T, s *Store, at time.Time, f func(*Tx) error) {
	t.Helper()
	if err := s.Write(t.Context(), at, f); err != nil {
		t.Fatal(err)
	}
}

// count asks for one number. The question is the same for every database.
func count(t *testing.T, s *Store, query string) int {
	t.Helper()
	var n int
	if err := s.read.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func jobs(t *testing.T, s *Store, kind string) int {
	t.Helper()
	return count(t, s, "select count(*) from river_job where kind = '"+kind+"'")
}

// pending begins a job that thinks about a group, as a worker does.
func pending(t *testing.T, s *Store, group string, at time.Time) []Delivery {
	t.Helper()
	write(t, s, at, func(tx *Tx) error {
		_, err := tx.ExecContext(t.Context(), `update river_job set state = 'running' where id = (select min(id) from river_job where kind = 'think' and state = 'available')`)
		return err
	})
	ds, err := s.NewDeliveries(t.Context(), group, at)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func acceptIsOnDisk(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	accept(t, s, delivery("a"), delivery("b"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t)
	want := []Delivery{delivery("a"), delivery("b")}
	want[0].Seq, want[1].Seq = 1, 2
	if diff := cmp.Diff(want, pending(t, s, "a", now)); diff != "" {
		t.Errorf("after reopening (-want +got):\n%s", diff)
	}
	if n := jobs(t, s, "think"); n != 1 {
		t.Errorf("%d jobs think about one group", n)
	}
	for guid, want := range map[string]bool{"a": true, "b": true, "c": false} {
		if known, err := s.Known(t.Context(), guid); err != nil || known != want {
			t.Errorf("Known(%s) = %t, %v", guid, known, err)
		}
	}
}

func repeatedDeliveries(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	accept(t, s, delivery("a"), delivery("a"))
	again := delivery("a")
	again.Body = []byte("another body")
	accept(t, s, again)
	got := pending(t, s, "a", now)
	if len(got) != 1 || string(got[0].Body) != `{"guid":"a"}` {
		t.Errorf("got %v, want the first of them", got)
	}
	accept(t, s, delivery("a"), delivery("b"))
	if got := pending(t, s, "b", now); len(got) != 1 || got[0].GUID != "b" {
		t.Errorf("got %v, want the new one among old ones", got)
	}
	if n := count(t, s, "select count(*) from delivery"); n != 2 {
		t.Errorf("%d deliveries, want a and b", n)
	}
	if n := jobs(t, s, "think"); n < 2 {
		t.Errorf("%d jobs: the second came after the first was begun, and needs its own", n)
	}
}

func manyCallers(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	const callers, each = 64, 4
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				// Every delivery is sent by two callers at once.
				if err := s.Accept(t.Context(), now, delivery(fmt.Sprintf("d%d-%d", c/2, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t)
	thinkAll(t, s)
	if n := count(t, s, "select count(*) from delivery"); n != callers/2*each {
		t.Errorf("%d deliveries on disk, want %d", n, callers/2*each)
	}
	if left, groups, n := count(t, s, "select count(*) from intake"), count(t, s, "select count(distinct grp) from delivery"), jobs(t, s, "think"); left > 0 || n < groups {
		t.Errorf("%d jobs for %d groups, and %d commits without one", n, groups, left)
	}
}

// thinkAll begins every job that there is, as a worker would, and those that come of them.
func thinkAll(t *testing.T, s *Store) {
	t.Helper()
	for last := int64(0); ; {
		var args string
		err := s.read.QueryRowContext(t.Context(), "select id, "+map[bool]string{true: "json(args)", false: "args::text"}[s.base.file() != ""]+" from river_job where kind = 'think' and id > ? order by id limit 1", last).Scan(&last, &args)
		if errors.Is(err, sql.ErrNoRows) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var a ThinkArgs
		if err := json.Unmarshal([]byte(args), &a); err != nil {
			t.Fatal(err)
		}
		pending(t, s, a.Group, now)
	}
}

// joined waits until so many deliveries wait for the next commit.
func joined(t *testing.T, s *Store, n int) {
	t.Helper()
	for t.Context().Err() == nil {
		s.mu.Lock()
		waiting := s.group != nil && s.group.n == n
		s.mu.Unlock()
		if waiting {
			return
		}
		runtime.Gosched()
	}
}

// busy lets nobody commit deliveries until free is called.
func busy(s *Store) (free func()) {
	for range cap(s.commits) {
		s.commits <- true
	}
	return func() {
		for range cap(s.commits) {
			<-s.commits
		}
	}
}

func oneCommitForAll(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	commits := 0
	s.committed = func() { commits++ }
	free := busy(s)
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			if err := s.Accept(t.Context(), now, delivery(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	joined(t, s, 64)
	free()
	wg.Wait()
	if commits != 1 {
		t.Errorf("%d commits", commits)
	}
	if i, d, j := count(t, s, "select count(*) from intake"), count(t, s, "select sum(n) from intake"), jobs(t, s, "think"); i != 1 || d != 64 || j != 1 {
		t.Errorf("%d deliveries in %d rows with %d jobs, want 64, 1, 1", d, i, j)
	}
}

func halfACrowd(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	waits, over := make(chan time.Duration), make(chan time.Time)
	s.Patient(func(d time.Duration) <-chan time.Time {
		waits <- d
		return over
	})
	var all sync.WaitGroup
	send := func(names ...string) {
		for _, name := range names {
			all.Go(func() {
				if err := s.Accept(t.Context(), now, delivery(name)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	accept(t, s, delivery("alone")) // after one that was alone nobody waits
	accept(t, s, delivery("a"), delivery("b"), delivery("c"), delivery("d"), delivery("e"), delivery("f"))
	send("g")
	if d := <-waits; d != patience {
		t.Errorf("it waits %s", d)
	}
	joined(t, s, 1)
	send("h", "i") // half of six
	all.Wait()
	send("j")
	<-waits
	over <- now // nobody else comes
	all.Wait()
	if n, d := count(t, s, "select count(*) from intake"), count(t, s, "select sum(n) from intake"); n != 4 || d != 11 {
		t.Errorf("%d deliveries in %d commits, want 11 in 4", d, n)
	}
}

func longestBan(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	for _, until := range []time.Duration{time.Hour, time.Minute} {
		if err := s.Ban(t.Context(), now, 7, now.Add(until)); err != nil {
			t.Fatal(err)
		}
	}
	s = open(t)
	if until, err := s.Banned(t.Context(), 7); !until.Equal(now.Add(time.Hour)) || err != nil {
		t.Errorf("until %s, %v", until, err)
	}
	if until, err := s.Banned(t.Context(), 8); !until.IsZero() || err != nil {
		t.Errorf("nobody is banned: until %s, %v", until, err)
	}
}

func hangingUp(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	free := busy(s)
	ctx, hangUp := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Accept(ctx, now, delivery("first")); err != nil {
			t.Error(err)
		}
	})
	joined(t, s, 1)
	wg.Go(func() {
		if err := s.Accept(t.Context(), now, delivery("second")); err != nil {
			t.Error(err)
		}
	})
	joined(t, s, 2)
	hangUp()
	free()
	wg.Wait()
	if n := len(pending(t, s, "first", now)); n != 2 {
		t.Errorf("%d of 2 deliveries are there", n)
	}
}

func deliveries(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	accept(t, s, delivery("done"), delivery("later"), delivery("odd"), delivery("new"))
	all := pending(t, s, "done", now)
	write(t, s, now, func(tx *Tx) error {
		return errors.Join(
			tx.Retire(t.Context(), all[0].Seq),
			tx.Postpone(t.Context(), all[1].Seq, now.Add(time.Hour), "GitHub is down", true),
			tx.ParkDelivery(t.Context(), all[2].Seq, "not JSON"))
	})
	guids := func(at time.Time) (out []string) {
		for _, d := range pending(t, s, "done", at) {
			out = append(out, fmt.Sprintf("%s %d", d.GUID, d.Attempts))
		}
		return out
	}
	if diff := cmp.Diff([]string{"new 0"}, guids(now)); diff != "" {
		t.Errorf("now (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"later 1", "new 0"}, guids(now.Add(time.Hour))); diff != "" {
		t.Errorf("in an hour (-want +got):\n%s", diff)
	}
	parked, err := s.ParkedDeliveries(t.Context())
	if diff := cmp.Diff([]Parked{{GUID: "odd", Event: "issues", Reason: "not JSON", Received: now}}, parked); err != nil || diff != "" {
		t.Errorf("parked %v (-want +got):\n%s", err, diff)
	}
}

func nothingOfAFailedThought(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	accept(t, s, delivery("a"))
	full := errors.New("no more")
	err := s.Write(t.Context(), now, func(tx *Tx) error {
		id, err := tx.NewCase(t.Context())
		if err != nil {
			return err
		}
		c := report(id)
		if err := tx.Save(t.Context(), c, []disclosure.Line{{At: now, By: "heed", Text: "opened"}}, []disclosure.Effect{effect(id, "receipt")}); err != nil {
			return err
		}
		return errors.Join(tx.Retire(t.Context(), 1), full)
	})
	if !errors.Is(err, full) {
		t.Fatal(err)
	}
	for _, table := range []string{"cases", "case_ref", "history", "effect"} {
		if n := count(t, s, "select count(*) from "+table); n != 0 {
			t.Errorf("%d rows in %s", n, table)
		}
	}
	if len(pending(t, s, "a", now)) != 1 || jobs(t, s, "act") != 0 {
		t.Error("the delivery was retired or a job was queued")
	}
}

func report(id int64) disclosure.Case {
	return disclosure.Case{
		ID: id, Installation: 3, Repo: disclosure.Repo{ID: 10, Owner: "acme", Name: "web"}, Kind: disclosure.PublicReport, State: disclosure.Received,
		Opened: now, Reporter: "rea", Issue: int(id), Title: disclosure.Seal("canary title"), Body: disclosure.Seal("canary body"),
		Kept: []disclosure.KeptText{{Text: disclosure.Text{Title: disclosure.Seal("canary kept")}}}, Wake: now.Add(24 * time.Hour),
	}
}

func effect(id int64, name string) disclosure.Effect {
	return disclosure.Effect{
		Key: fmt.Sprintf("case/%d:%s", id, name), Case: id, Action: disclosure.CommentAdvisory, Audience: disclosure.Reporters,
		Repo: disclosure.Repo{ID: 10, Owner: "acme", Name: "web"}, Body: "canary words", Secret: disclosure.Seal("canary secret"),
	}
}

// opened makes a case with effects.
func opened(t *testing.T, s *Store, effects ...disclosure.Effect) disclosure.Case {
	t.Helper()
	var c disclosure.Case
	write(t, s, now, func(tx *Tx) error {
		id, err := tx.NewCase(t.Context())
		if err != nil {
			return err
		}
		c = report(id)
		for i := range effects {
			effects[i].Case = id
			effects[i].Key = fmt.Sprintf("case/%d:%s", id, effects[i].Key)
		}
		return tx.Save(t.Context(), c, nil, effects)
	})
	return c
}

func casesAndRefs(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	first, second := opened(t, s), opened(t, s)
	sealed := cmp.Comparer(func(a, b disclosure.Embargoed) bool { return a.Reveal() == b.Reveal() })
	write(t, s, now, func(tx *Tx) error {
		first.GHSA, first.State = "GHSA-1", disclosure.Accepted
		second.State, second.Wake = disclosure.Closed, time.Time{}
		lines := []disclosure.Line{{At: now, By: "mia", Text: "accepted"}, {At: now.Add(time.Second), By: "heed", Text: "told"}}
		return errors.Join(tx.Save(t.Context(), first, lines, nil), tx.Save(t.Context(), second, nil, nil))
	})
	for ref, want := range map[disclosure.Ref]disclosure.Case{
		disclosure.RefIssue(10, 1): first, disclosure.RefAdvisory(10, "GHSA-1"): first, disclosure.RefIssue(10, 2): second,
	} {
		got, err := s.CaseByRef(t.Context(), ref)
		if diff := cmp.Diff(want, got, sealed); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", ref, err, diff)
		}
		write(t, s, now, func(tx *Tx) error {
			got, err := tx.CaseByRef(t.Context(), ref)
			if got.ID != want.ID {
				t.Errorf("in a transaction %s is %d", ref, got.ID)
			}
			return err
		})
	}
	for _, ref := range []disclosure.Ref{disclosure.RefIssue(11, 1), disclosure.RefAdvisory(10, "GHSA-2"), "x' or 1=1 --"} {
		if _, err := s.CaseByRef(t.Context(), ref); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if _, err := s.Case(t.Context(), 99); !errors.Is(err, ErrNotFound) {
		t.Errorf("case 99: %v", err)
	}
	history, err := s.History(t.Context(), first.ID)
	if want := []disclosure.Line{{At: now, By: "mia", Text: "accepted"}, {At: now.Add(time.Second), By: "heed", Text: "told"}}; err != nil || cmp.Diff(want, history) != "" {
		t.Errorf("history: %v %v", history, err)
	}
	listed := func(cs []disclosure.Case, err error) (ids []int64) {
		if err != nil {
			t.Error(err)
		}
		for _, c := range cs {
			ids = append(ids, c.ID)
		}
		return ids
	}
	if got := listed(s.Cases(t.Context(), true)); !slices.Equal(got, []int64{2, 1}) {
		t.Errorf("all cases: %v", got)
	}
	if got := listed(s.Cases(t.Context(), false)); !slices.Equal(got, []int64{1}) {
		t.Errorf("open cases: %v", got)
	}
	if got := listed(s.OpenCasesOf(t.Context(), 10)); !slices.Equal(got, []int64{1}) {
		t.Errorf("open cases of the repository: %v", got)
	}
	if got := listed(s.OpenCasesOf(t.Context(), 11)); got != nil {
		t.Errorf("open cases of another one: %v", got)
	}
}

// begin gives the name of the effect that would be tried, "" if there is none.
func begin(t *testing.T, s *Store, id int64, at time.Time) Attempt {
	t.Helper()
	a, err := s.Begin(t.Context(), laneOf(t, s, id), at)
	if err != nil && !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	a.Key = a.Key[strings.Index(a.Key, ":")+1:]
	return a
}

func full(id int64, name string) string { return fmt.Sprintf("case/%d:%s", id, name) }

func finish(t *testing.T, s *Store, id int64, name string) {
	t.Helper()
	write(t, s, now, func(tx *Tx) error { _, err := tx.Finish(t.Context(), full(id, name)); return err })
}

func lanes(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	c := opened(t, s, disclosure.Effect{Key: "a"}, disclosure.Effect{Key: "b"}, disclosure.Effect{Key: "c", Urgent: true})
	other := opened(t, s, disclosure.Effect{Key: "x", Secret: disclosure.Seal("for x"), Labels: []string{"l"}})
	write(t, s, now, func(tx *Tx) error {
		return tx.Save(t.Context(), c, nil, []disclosure.Effect{{Key: full(c.ID, "a"), Case: c.ID}, {Key: full(c.ID, "d"), Case: c.ID, Urgent: true}})
	})
	var got []string
	for a := begin(t, s, c.ID, now); a.Key != ""; a = begin(t, s, c.ID, now) {
		got = append(got, a.Key)
		if len(got) == 4 { // the last one cannot be done
			write(t, s, now, func(tx *Tx) error { _, err := tx.ParkEffect(t.Context(), full(c.ID, a.Key), "refused"); return err })
			continue
		}
		finish(t, s, c.ID, a.Key)
	}
	if diff := cmp.Diff([]string{"c", "d", "a", "b"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if a := begin(t, s, other.ID, now); a.Key != "x" || a.Secret.Reveal() != "for x" || !a.Decided.Equal(now) || len(a.Labels) != 1 {
		t.Errorf("an effect comes back as %+v", a)
	}
	parked, err := s.Records(t.Context(), 0)
	if err != nil || len(parked) != 1 || parked[0].Key != full(c.ID, "b") || parked[0].State != "parked" || parked[0].Reason != "refused" {
		t.Errorf("parked: %+v, %v", parked, err)
	}
}

func states(t *testing.T, s *Store, id int64) []string {
	t.Helper()
	rs, err := s.Records(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range rs {
		out = append(out, r.Key[strings.Index(r.Key, ":")+1:]+" "+r.State)
	}
	return out
}

func slots(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	c := opened(t, s, disclosure.Effect{Key: "status1", Slot: "status"}, disclosure.Effect{Key: "other", Slot: "label"}, disclosure.Effect{Key: "free"})
	if a := begin(t, s, c.ID, now); a.Key != "status1" {
		t.Fatalf("began %q", a.Key)
	}
	finish(t, s, c.ID, "status1")
	for _, name := range []string{"status2", "status3"} {
		write(t, s, now, func(tx *Tx) error {
			return tx.Save(t.Context(), c, nil, []disclosure.Effect{{Key: full(c.ID, name), Slot: "status"}})
		})
	}
	if diff := cmp.Diff([]string{"status1 done", "other pending", "free pending", "status2 replaced", "status3 pending"}, states(t, s, c.ID)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	write(t, s, now, func(tx *Tx) error { return tx.Cancel(t.Context(), c.ID, []string{"label", "status", "none"}) })
	if diff := cmp.Diff([]string{"status1 done", "other replaced", "free pending", "status2 replaced", "status3 replaced"}, states(t, s, c.ID)); diff != "" {
		t.Errorf("after Cancel (-want +got):\n%s", diff)
	}
	if a := begin(t, s, c.ID, now); a.Key != "free" {
		t.Errorf("what was cancelled is tried: %q", a.Key)
	}
}

func attempts(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	id := opened(t, s, disclosure.Effect{Key: "a"}).ID
	at := now
	try := func(want int, maybe bool) Attempt {
		t.Helper()
		a, err := s.Begin(t.Context(), laneOf(t, s, id), at)
		if err != nil || a.Attempts != want || a.Maybe != maybe {
			t.Fatalf("attempt %d, maybe %t, %v; want %d, %t", a.Attempts, a.Maybe, err, want, maybe)
		}
		return a
	}
	again := func(a Attempt, sent, counted bool) {
		t.Helper()
		if err := s.Retry(t.Context(), a, at, at.Add(time.Minute), "why", sent, counted); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Begin(t.Context(), laneOf(t, s, id), at.Add(time.Minute-time.Microsecond)); !errors.Is(err, ErrNotFound) {
			t.Fatalf("tried before its time: %v", err)
		}
		at = at.Add(time.Minute)
	}
	a := try(1, false)
	again(a, false, false) // GitHub said: later. Nothing was sent, nothing counts
	a = try(1, false)
	again(a, false, true) // no connection: it counts, but nothing can have landed
	a = try(2, false)
	again(a, true, true) // no answer: it may have landed
	a = try(3, true)
	again(a, false, true) // and that does not go away by a failure before sending
	try(4, true)
	try(5, true) // the process died in between
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t)
	try(6, true)
}

func lease(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	id := opened(t, s, disclosure.Effect{Key: "a"}).ID
	take := func(at time.Time, want bool) {
		t.Helper()
		if got, err := s.TakeLane(t.Context(), id, at); err != nil || (got != nil) != want {
			t.Errorf("at %s taken: %t, %v", at, got != nil, err)
		}
	}
	take(now, true)
	take(now, false)
	take(now.Add(Lease-time.Microsecond), false)
	take(now.Add(Lease), true) // he died
	begin(t, s, id, now.Add(2*Lease-time.Second))
	take(now.Add(2*Lease), false) // who works on keeps it
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for range 16 {
		wg.Go(func() {
			ok, err := s.TakeLane(t.Context(), id, now.Add(time.Hour))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if ok != nil {
				taken++
			}
		})
	}
	wg.Wait()
	if taken != 1 {
		t.Errorf("%d of 16 took the lane", taken)
	}
}

func leaving(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	c := opened(t, s, disclosure.Effect{Key: "a"})
	leave := func(at time.Time, want bool) {
		t.Helper()
		if more, err := s.LeaveLane(t.Context(), laneOf(t, s, c.ID), at); err != nil || more != want {
			t.Errorf("more: %t, %v", more, err)
		}
	}
	if ok, err := s.TakeLane(t.Context(), c.ID, now); ok == nil || err != nil {
		t.Fatal(ok, err)
	}
	leave(now, true)
	if ok, _ := s.TakeLane(t.Context(), c.ID, now); ok != nil {
		t.Error("the lane was left although there was more")
	}
	finish(t, s, c.ID, "a")
	// Somebody decides on another effect just before we leave.
	write(t, s, now, func(tx *Tx) error {
		return tx.Save(t.Context(), c, nil, []disclosure.Effect{{Key: full(c.ID, "b")}})
	})
	leave(now, true)
	a, err := s.Begin(t.Context(), laneOf(t, s, c.ID), now)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Retry(t.Context(), a, now, now.Add(time.Hour), "limited", false, false); err != nil {
		t.Fatal(err)
	}
	leave(now, false)
	if ok, err := s.TakeLane(t.Context(), c.ID, now); ok == nil || err != nil {
		t.Error("the lane was not left")
	}
}

func due(t *testing.T, s *Store, at time.Time, want int) {
	t.Helper()
	if n, err := s.Due(t.Context(), at); err != nil || n != want {
		t.Errorf("at %s due: %d, %v; want %d", at.Format(time.TimeOnly), n, err, want)
	}
}

func nextDue(t *testing.T, s *Store, want time.Time) {
	t.Helper()
	if got, err := s.NextDue(t.Context()); err != nil || !got.Equal(want) {
		t.Errorf("next due %s, %v; want %s", got, err, want)
	}
}

func dueMoments(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	nextDue(t, s, time.Time{})
	due(t, s, now, 0)
	c := opened(t, s)
	nextDue(t, s, c.Wake)
	due(t, s, c.Wake.Add(-time.Microsecond), 0)
	for i := range 3 { // nobody works: every half minute somebody looks again
		due(t, s, c.Wake.Add(time.Duration(i)*30*time.Second), 1)
		due(t, s, c.Wake.Add(time.Duration(i)*30*time.Second+29*time.Second), 0)
		if n := jobs(t, s, "wake"); n != i+1 {
			t.Errorf("%d wake jobs after %d looks", n, i+1)
		}
	}
	c.Wake = time.Time{}
	write(t, s, now, func(tx *Tx) error { return tx.Save(t.Context(), c, nil, nil) })
	nextDue(t, s, time.Time{})

	accept(t, s, delivery("a"), delivery("b")) // and the job is lost
	nextDue(t, s, now.Add(30*time.Second))
	due(t, s, now.Add(29*time.Second), 0)
	due(t, s, now.Add(30*time.Second), 1)
	if n := jobs(t, s, "think"); n != 2 {
		t.Errorf("%d think jobs: the lost one and the new one", n)
	}
	pending(t, s, "a", now.Add(30*time.Second)) // it was begun, and died
	due(t, s, now.Add(59*time.Second), 0)
	due(t, s, now.Add(time.Minute), 1)
	if n := jobs(t, s, "think"); n != 3 {
		t.Errorf("%d think jobs: the lost ones and the new one", n)
	}
	at := now.Add(time.Minute)
	write(t, s, at, func(tx *Tx) error {
		return errors.Join(tx.Postpone(t.Context(), 1, at.Add(time.Hour), "x", true), tx.Retire(t.Context(), 2))
	})
	nextDue(t, s, at.Add(time.Hour))
	due(t, s, at.Add(time.Hour), 1)
	if got := pending(t, s, "a", at.Add(time.Hour)); len(got) != 1 || got[0].GUID != "a" {
		t.Errorf("the postponed delivery is not there for its job: %v", got)
	}
}

func dueEffects(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	c := opened(t, s, disclosure.Effect{Key: "a"})
	if n := jobs(t, s, "act"); n != 1 {
		t.Errorf("%d act jobs", n)
	}
	nextDue(t, s, now.Add(30*time.Second))
	due(t, s, now.Add(30*time.Second), 1) // the job was lost
	if ok, err := s.TakeLane(t.Context(), c.ID, now.Add(time.Minute)); ok == nil || err != nil {
		t.Fatal(ok, err)
	}
	due(t, s, now.Add(time.Minute+Lease-time.Microsecond), 0) // somebody works on it
	a, err := s.Begin(t.Context(), laneOf(t, s, c.ID), now.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	until := now.Add(time.Hour)
	if err := s.Retry(t.Context(), a, now.Add(time.Minute), until, "limited", false, false); err != nil {
		t.Fatal(err)
	}
	if more, err := s.LeaveLane(t.Context(), laneOf(t, s, c.ID), now.Add(time.Minute)); more || err != nil {
		t.Fatal(more, err)
	}
	nextDue(t, s, until)
	due(t, s, until.Add(-time.Microsecond), 0)
	due(t, s, until, 1)
	finish(t, s, c.ID, "a")
	if ok, err := s.TakeLane(t.Context(), c.ID, until); ok == nil || err != nil {
		t.Fatal(ok, err)
	}
	if more, err := s.LeaveLane(t.Context(), laneOf(t, s, c.ID), until); more || err != nil {
		t.Fatal(more, err)
	}
	nextDue(t, s, c.Wake)
}

func alone(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	ran, err := s.Alone(t.Context(), func() error {
		again, err := s.Alone(t.Context(), func() error { return errors.New("two are alone") })
		if again || err != nil {
			t.Errorf("ran: %t, %v", again, err)
		}
		return nil
	})
	if !ran || err != nil {
		t.Errorf("ran: %t, %v", ran, err)
	}
	if ran, err := s.Alone(t.Context(), func() error { return ErrNotFound }); !ran || !errors.Is(err, ErrNotFound) {
		t.Errorf("after the first ended: %t, %v", ran, err)
	}
}

func forgetting(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	found := delivery("found")
	found.Event = "heed.comment"
	placed(t, s, delivery("done"), found, delivery("new"), delivery("parked"), delivery("young"))
	write(t, s, now, func(tx *Tx) error {
		return errors.Join(tx.Retire(t.Context(), 1, 2), tx.ParkDelivery(t.Context(), 4, "odd"))
	})
	write(t, s, now.Add(time.Hour), func(tx *Tx) error { return tx.Retire(t.Context(), 5) })
	for _, c := range []struct {
		at   time.Time
		want int64
		left int
	}{{now.Add(Retention), 0, 5}, {now.Add(Retention + time.Second), 2, 4}, {now.Add(Retention + 2*time.Second), 0, 4}, {now.Add(Retention + 2*time.Hour), 1, 3}} {
		n, err := s.Forget(t.Context(), c.at)
		if left := count(t, s, "select count(*) from delivery"); err != nil || n != c.want || left != c.left {
			t.Errorf("at %s: %d forgotten, %d left, %v; want %d, %d", c.at, n, left, err, c.want, c.left)
		}
	}
	if known, err := s.Known(t.Context(), "found"); !known || err != nil {
		t.Errorf("the sweep would find it again: %v", err)
	}
	if n := count(t, s, "select count(*) from delivery where length(body) = 0"); n != 1 {
		t.Errorf("%d bodies were emptied", n)
	}
	if n, err := s.Reseal(t.Context(), now); n != 0 || err != nil {
		t.Errorf("%d values encrypted anew with the same key, %v", n, err)
	}
}

func forgettingMuch(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	var ds []Delivery
	for i := range 3*portion + 1 {
		ds = append(ds, delivery(fmt.Sprint("d", i)))
	}
	accept(t, s, ds...)
	thinkAll(t, s)
	write(t, s, now, func(tx *Tx) error {
		_, err := tx.ExecContext(t.Context(), `update delivery set state = 1, done = ?`, micros(now))
		return err
	})
	n, err := s.Forget(t.Context(), now.Add(Retention+time.Hour))
	if left := count(t, s, "select count(*) from delivery"); n != 3*portion+1 || left != 0 || err != nil {
		t.Errorf("%d forgotten, %d left, %v", n, left, err)
	}
}

// damagedInLane: an effect that is damaged can be laid aside, and those behind it are done.
func damagedInLane(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	c := opened(t, s, disclosure.Effect{Key: "a"}, disclosure.Effect{Key: "b"})
	write(t, s, now, func(tx *Tx) error {
		_, err := tx.ExecContext(t.Context(), `update effect set body = ? where key = ?`, []byte("damaged"), full(c.ID, "a"))
		return err
	})
	l, err := s.TakeLane(t.Context(), c.ID, now)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := s.Begin(t.Context(), l, now); !errors.Is(err, ErrDamaged) || a.Key != full(c.ID, "a") {
		t.Errorf("first is %q, %v", a.Key, err)
	}
	write(t, s, now, func(tx *Tx) error {
		_, err := tx.ParkEffect(t.Context(), full(c.ID, "a"), "damaged")
		return err
	})
	if a, err := s.Begin(t.Context(), l, now); err != nil || a.Key != full(c.ID, "b") {
		t.Errorf("next is %q, %v", a.Key, err)
	}
}

// eraseBesideUnreadable: closed cases that nobody can read keep no other from being erased.
func eraseBesideUnreadable(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	var ids []int64
	for range 3 {
		var c disclosure.Case
		write(t, s, now, func(tx *Tx) (err error) {
			c.ID, err = tx.NewCase(t.Context())
			id := c.ID
			c = report(id)
			c.GHSA = fmt.Sprint("GHSA-", id)
			c.State, c.Wake, c.EraseAt = disclosure.Closed, time.Time{}, now
			return errors.Join(err, tx.Save(t.Context(), c, nil, nil))
		})
		ids = append(ids, c.ID)
	}
	write(t, s, now, func(tx *Tx) error {
		foreign, err := sealer1(t, 5).seal([]byte("x"), "case/1")
		if err == nil {
			_, err = tx.ExecContext(t.Context(), `update cases set body = ? where id = ?`, foreign, ids[0])
		}
		_, damaged := tx.ExecContext(t.Context(), `update cases set body = ? where id = ?`, []byte("damaged"), ids[1])
		return errors.Join(err, damaged)
	})
	if n, err := s.Erase(t.Context(), now.Add(time.Hour)); n != 1 || !errors.Is(err, ErrKey) {
		t.Errorf("%d erased, %v", n, err)
	}
}

// A value is damaged, or sealed with a key that is not there: the others are given out and encrypted anew.
func unreadable(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	placed(t, s, delivery("a"), delivery("b"), delivery("c"))
	write(t, s, now, func(tx *Tx) error {
		foreign, err := sealer1(t, 5).seal([]byte("x"), "delivery/b")
		if err == nil {
			_, err = tx.ExecContext(t.Context(), `update delivery set body = ? where guid = 'b'`, foreign)
		}
		return err
	})
	if ds, err := s.NewDeliveries(t.Context(), "a", now); len(ds) != 2 || err != nil {
		t.Errorf("%d deliveries beside one without a key, %v", len(ds), err)
	}
	stranger := &Store{base: s.base, read: s.read, commits: s.commits, seal: sealer1(t, 5)}
	stranger.scratch.New = s.scratch.New
	accept(t, stranger, delivery("lost"))
	if known, err := s.Known(t.Context(), "something else"); known || err != nil {
		t.Errorf("the sweep cannot look for what came in: %t, %v", known, err)
	}
	accept(t, s, delivery("d"))
	rotator := &Store{base: s.base, read: s.read}
	var err error
	if rotator.seal, err = newSealer(func() ([][]byte, error) { return [][]byte{bytes.Repeat([]byte{9}, 32), key()}, nil }); err != nil {
		t.Fatal(err)
	}
	if n, err := rotator.Reseal(t.Context(), now); n != 2 || err != nil { // a and c; d found its place with the new key
		t.Errorf("%d values encrypted anew, %v", n, err)
	}
	if n := count(t, s, "select count(*) from intake"); n != 1 {
		t.Errorf("%d rows in the intake", n)
	}
	// A process that cannot learn of the new key lives all the same, and is waited for.
	s.seal.keys = OneKey(key())
	if err := rotator.Announce(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Beat(t.Context(), "deaf", now); !errors.Is(err, ErrKey) {
		t.Errorf("it does not say that it cannot read: %v", err)
	}
	if n, err := rotator.Behind(t.Context(), now); n != 1 || err != nil {
		t.Errorf("%d are behind, %v", n, err)
	}
}

// sealer1 is one with a key of so many n.
func sealer1(t *testing.T, n byte) *sealer {
	t.Helper()
	s, err := newSealer(OneKey(bytes.Repeat([]byte{n}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func skipping(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	last := opened(t, s)
	if s.base.file() == "" {
		return // another database has its own backups, and numbers
	}
	if err := s.SkipCases(t.Context(), now, 1000); err != nil {
		t.Fatal(err)
	}
	if next := opened(t, s); next.ID <= last.ID+1000 {
		t.Errorf("case %d after %d", next.ID, last.ID)
	}
	if cs, err := s.Cases(t.Context(), true); len(cs) != 3 || err != nil {
		t.Errorf("%d cases, %v", len(cs), err)
	}
}

func erasing(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	c := opened(t, s, disclosure.Effect{Key: "a", Secret: disclosure.Seal("canary")})
	c.State, c.EraseAt, c.Wake = disclosure.Closed, now.Add(time.Hour), time.Time{}
	c.Body, c.Kept = disclosure.Seal("canary"), []disclosure.KeptText{{Text: disclosure.Text{Body: disclosure.Seal("canary")}}}
	write(t, s, now, func(tx *Tx) error {
		return errors.Join(tx.Save(t.Context(), c, nil, nil), tx.SaveLabel(t.Context(), Label{Case: c.ID, Security: true, Score: .25}, disclosure.Seal("canary"), c.Body))
	})
	erase := func(at time.Time, want int) {
		t.Helper()
		if n, err := s.Erase(t.Context(), at); n != want || err != nil {
			t.Errorf("%d cases erased, %v; want %d", n, err, want)
		}
	}
	erase(now.Add(2*time.Hour), 0) // an effect is still to be done
	finish(t, s, c.ID, "a")
	erase(now.Add(time.Hour-time.Microsecond), 0)
	erase(now.Add(time.Hour), 1)
	erase(now.Add(2*time.Hour), 0)
	got, err := s.Case(t.Context(), c.ID)
	if err != nil || !got.Body.IsZero() || got.Kept != nil || !got.Erased || got.Reporter != c.Reporter {
		t.Errorf("%v, %v", got, err)
	}
	if n := count(t, s, "select count(*) from effect where length(body) > 0"); n != 0 {
		t.Errorf("%d effects still hold their texts", n)
	}
	labels, err := s.Labels(t.Context())
	if n := count(t, s, "select count(*) from label where length(body) > 0"); n != 0 || err != nil || len(labels) != 1 || labels[0].Score != .25 {
		t.Errorf("%d labels still hold their texts; what was said is %v, %v", n, labels, err)
	}
}

func rotating(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	id := opened(t, s, disclosure.Effect{Key: "a"}).ID
	write(t, s, now, func(tx *Tx) error {
		return tx.SaveLabel(t.Context(), Label{Case: id}, disclosure.Seal("title"), disclosure.Seal("body"))
	})
	for i := range 2*portion + 3 {
		placed(t, s, delivery(fmt.Sprint("d", i)))
	}
	secret, err := s.Secret(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	// A process that knows both keys rotates; this one has not heard of it, but asks for its keys again.
	fresh := bytes.Repeat([]byte{9}, 32)
	rotator := &Store{base: s.base, read: s.read}
	if rotator.seal, err = newSealer(func() ([][]byte, error) { return [][]byte{fresh, key()}, nil }); err != nil {
		t.Fatal(err)
	}
	if live, err := s.Beat(t.Context(), "running", now); live != 1 || err != nil {
		t.Errorf("%d live, %v", live, err)
	}
	s.seal.keys = rotator.seal.keys
	if err := rotator.Announce(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	behind := func(at time.Time, want int) {
		t.Helper()
		if n, err := rotator.Behind(t.Context(), at); n != want || err != nil {
			t.Errorf("%d are behind, %v; want %d", n, err, want)
		}
	}
	behind(now.Add(time.Second), 1)
	if _, err := s.Beat(t.Context(), "running", now.Add(Beating)); err != nil {
		t.Fatal(err)
	}
	behind(now.Add(Beating), 0)
	if n, err := rotator.Reseal(t.Context(), now); n != 2*portion+3+1+1+1+1 || err != nil {
		t.Errorf("%d values encrypted anew, %v", n, err)
	}
	only := &Store{base: s.base, read: s.read}
	if only.seal, err = newSealer(OneKey(fresh)); err != nil {
		t.Fatal(err)
	}
	if got, err := only.Secret(t.Context(), now); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("the secret is another one, %v", err)
	}
	_, err1 := only.Case(t.Context(), id)
	_, err2 := only.Begin(t.Context(), laneOf(t, only, id), now)
	if got := pending(t, only, "d7", now); len(got) != 1 || err1 != nil || err2 != nil {
		t.Errorf("the new key alone does not open everything: %d, %v, %v", len(got), err1, err2)
	}
	if err := s.Leave(t.Context(), "running", now); err != nil {
		t.Error(err)
	}
	behind(now, 0)
}

// laneOf is the lane of a case as its holder has it, taken or not.
func laneOf(t *testing.T, s *Store, id int64) *Lane {
	t.Helper()
	return &Lane{Case: id, until: int64(count(t, s, fmt.Sprintf("select lane_until from cases where id = %d", id)))}
}

func keeping(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	id := opened(t, s, disclosure.Effect{Key: "a"}).ID
	take := func(at time.Time) *Lane {
		t.Helper()
		l, err := s.TakeLane(t.Context(), id, at)
		if l == nil || err != nil {
			t.Fatal(l, err)
		}
		return l
	}
	dead := take(now)
	for _, at := range []time.Time{now, now.Add(Lease - time.Microsecond), now.Add(2*Lease - 2*time.Microsecond)} {
		if err := s.KeepLane(t.Context(), dead, at); err != nil {
			t.Errorf("at %s: %v", at, err)
		}
	}
	a, err := s.Begin(t.Context(), dead, now.Add(2*Lease))
	if err != nil {
		t.Fatal(err)
	}
	// He hangs, is believed dead, and somebody else goes on. What he does then counts for nothing.
	other := take(now.Add(4 * Lease))
	b, err := s.Begin(t.Context(), other, now.Add(4*Lease))
	if err != nil || b.Key != a.Key || !b.Maybe {
		t.Fatalf("%+v, %v", b, err)
	}
	_, err1 := s.Begin(t.Context(), dead, now.Add(4*Lease))
	_, err2 := s.LeaveLane(t.Context(), dead, now.Add(4*Lease))
	err3 := s.KeepLane(t.Context(), dead, now.Add(4*Lease))
	err4 := s.Retry(t.Context(), a, now.Add(4*Lease), now.Add(9*Lease), "late", false, false)
	for i, err := range []error{err1, err2, err3, err4} {
		if !errors.Is(err, ErrLost) {
			t.Errorf("%d: %v", i+1, err)
		}
	}
	// Both find out that it landed; one draws the conclusions.
	for i, want := range []bool{true, false} {
		write(t, s, now.Add(4*Lease), func(tx *Tx) error {
			first, err := tx.Finish(t.Context(), a.Key)
			if first != want {
				t.Errorf("%d: %t", i, first)
			}
			return err
		})
	}
	if err := s.KeepLane(t.Context(), other, now.Add(4*Lease)); err != nil {
		t.Error(err)
	}
}

// On SQLite nobody else can be at work, so a restart takes up at once what the dead left behind.
func TestRevive(t *testing.T) {
	t.Parallel()
	open := sqliteIn(t.TempDir())
	s := open(t)
	c := opened(t, s, disclosure.Effect{Key: "a"})
	accept(t, s, delivery("a"))
	if ok, err := s.TakeLane(t.Context(), c.ID, now); ok == nil || err != nil {
		t.Fatal(ok, err)
	}
	write(t, s, now, func(tx *Tx) error {
		_, err := tx.ExecContext(t.Context(), `update river_job set state = 'running'`)
		return err
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t)
	if n, err := s.Revive(t.Context()); n != 2 || err != nil {
		t.Errorf("%d jobs revived, %v", n, err)
	}
	if n := count(t, s, "select count(*) from river_job where state = 'available'"); n != 2 {
		t.Errorf("%d jobs can be had", n)
	}
	if ok, err := s.TakeLane(t.Context(), c.ID, now); ok == nil || err != nil {
		t.Errorf("a dead man keeps the lane: %v", err)
	}
}

func settings(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	if v, err := s.Get(t.Context(), "mark"); v != "" || err != nil {
		t.Errorf("never set: %q, %v", v, err)
	}
	for _, v := range []string{"one", "two"} {
		write(t, s, now, func(tx *Tx) error { return tx.Set(t.Context(), "mark", v) })
	}
	secret, err := s.Secret(t.Context(), now)
	if err != nil || len(secret) != 32 {
		t.Fatalf("a secret of %d bytes, %v", len(secret), err)
	}
	if err := s.CheckRoom(t.Context(), now); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.CheckRoom(t.Context(), now); err == nil {
		t.Error("a closed database can be written")
	}
	s = open(t)
	if v, err := s.Get(t.Context(), "mark"); v != "two" || err != nil {
		t.Errorf("set twice: %q, %v", v, err)
	}
	if again, err := s.Secret(t.Context(), now); err != nil || !bytes.Equal(secret, again) {
		t.Errorf("another secret after a restart, %v", err)
	}
}

func TestAFailedCommitFailsTheWholeGroup(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "heed.db"))
	free := busy(s)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := s.Accept(t.Context(), now, delivery(fmt.Sprint(i))); err == nil {
				t.Error("202 for what is not on disk")
			}
		})
	}
	joined(t, s, 8)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	free()
	wg.Wait()
}

// files are the bytes of everything that lies in the directory of a database.
func files(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %s, %v", filepath.Base(name), info.Mode(), err)
		}
	}
	return all
}

func TestNoReportOnDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "heed.db")
	s := open(t, path)
	d := delivery("guid-in-clear")
	d.Body = []byte(`{"issue":{"title":"canary title","body":"canary body ` + strings.Repeat("canary ", 100) + `"}}`)
	accept(t, s, d)
	c := opened(t, s)
	write(t, s, now, func(tx *Tx) error {
		return errors.Join(
			tx.Set(t.Context(), "mark", "canary setting"),
			tx.Save(t.Context(), c, []disclosure.Line{{At: now, By: "mia", Text: "accepted"}}, []disclosure.Effect{effect(c.ID, "receipt")}))
	})
	running := files(t, dir)
	if err := s.Backup(t.Context(), path+".copy"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for when, b := range map[string][]byte{"while it runs": running, "after it was closed": files(t, dir)} {
		if i := bytes.Index(b, []byte("canary")); i >= 0 {
			t.Errorf("%s the text can be read on disk: %q", when, b[max(0, i-20):i+30])
		}
		if !bytes.Contains(b, []byte("guid-in-clear")) {
			t.Errorf("%s: this test does not look at the right files", when)
		}
	}
}

func TestBackup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "heed.db"))
	c := opened(t, s, disclosure.Effect{Key: "a"})
	to := filepath.Join(dir, "it's a copy.db")
	if err := s.Backup(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	opened(t, s) // work goes on
	copied := open(t, to)
	all, err := copied.Cases(t.Context(), true)
	if err != nil || len(all) != 1 || all[0].Body.Reveal() != c.Body.Reveal() {
		t.Errorf("the copy holds %v, %v", all, err)
	}
	if diff := cmp.Diff([]string{"a pending"}, states(t, copied, c.ID)); diff != "" {
		t.Errorf("effects of the copy (-want +got):\n%s", diff)
	}
	before, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), to); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("an older copy is overwritten: %v", err)
	}
	if after, err := os.ReadFile(to); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the older copy changed, %v", err)
	}
	if err := os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), filepath.Join(dir, "link")); err == nil {
		t.Error("a backup follows a link")
	}
}

func TestAnotherKeyOpensNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "heed.db")
	s := open(t, path)
	opened(t, s, disclosure.Effect{Key: "a"})
	placed(t, s, delivery("a"))
	if _, err := s.Secret(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	other, err := Open(t.Context(), "sqlite://"+path, OneKey(bytes.Repeat([]byte{8}, 32)), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	_, err1 := other.Case(t.Context(), 1)
	_, err2 := other.NewDeliveries(t.Context(), "a", now)
	_, err3 := other.Begin(t.Context(), laneOf(t, other, 1), now)
	_, err4 := other.Secret(t.Context(), now)
	_, err5 := other.Cases(t.Context(), true)
	for i, err := range []error{err1, err2, err3, err4, err5} {
		if !errors.Is(err, ErrKey) {
			t.Errorf("%d: %v", i+1, err)
		}
	}
	if _, err := Open(t.Context(), "sqlite://"+path, OneKey([]byte("short")), nil); err == nil {
		t.Error("a short key was taken")
	}
}

func TestTamperedRows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, sql string }{
		{"a byte changed", `update cases set body = cast(substr(body, 1, length(body) - 1) || x'00' as blob); update delivery set body = x'0100'; update effect set body = substr(body, 2); update setting set value = x''`},
		{"values cut off", `update cases set body = substr(body, 1, 20); update delivery set body = substr(body, 1, 5); update effect set body = substr(body, 1, 6); update setting set value = substr(value, 1, 17)`},
		{
			"values put in another place",
			`update delivery set body = (select body from cases); update cases set body = (select body from effect); update effect set body = (select value from setting); update setting set name = 'other'`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, filepath.Join(t.TempDir(), "heed.db"))
			opened(t, s, disclosure.Effect{Key: "a"})
			placed(t, s, delivery("a"))
			write(t, s, now, func(tx *Tx) error { return tx.Set(t.Context(), "mark", "x") })
			write(t, s, now, func(tx *Tx) error {
				_, err := tx.ExecContext(t.Context(), c.sql)
				return err
			})
			_, err1 := s.Case(t.Context(), 1)
			ds, err2 := s.NewDeliveries(t.Context(), "a", now)
			if aside, err := s.Work(t.Context()); len(ds) == 0 && err2 == nil && len(aside) == 1 {
				err2 = errors.Join(err, errors.New(aside[0].Reason))
			}
			_, err3 := s.Begin(t.Context(), laneOf(t, s, 1), now)
			mark, err4 := s.Get(t.Context(), "mark")
			other, err5 := s.Get(t.Context(), "other")
			for i, err := range []error{err1, err2, err3, errors.Join(err4, err5)} {
				if err == nil {
					t.Errorf("%d: it was believed (%s%s)", i+1, mark, other)
				}
			}
		})
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "heed.db")
	s := open(t, path)
	write(t, s, now, func(tx *Tx) error {
		_, err := tx.ExecContext(t.Context(), fmt.Sprintf(`pragma user_version = %d`, newest+1))
		return err
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), "sqlite://"+path, OneKey(key()), nil); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("got %v", err)
	}
}

func TestDatabaseURLs(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"sqlite:///var/lib/heed.db": "/var/lib/heed.db", "sqlite://heed.db": "heed.db", "sqlite://a%20b.db": "a b.db",
		"sqlite://": "", "postgres://u:secret@h/db": "", "heed.db": "", "sqlite://%zz": "",
	} {
		got, err := Path(url)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("Path(%q) = %q, %v", url, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the password is in the error: %v", err)
		}
	}
	// A path may hold what means something in a URL.
	path := filepath.Join(t.TempDir(), "a?b#c %41.db")
	s, err := Open(t.Context(), "sqlite://"+strings.NewReplacer("%", "%25", "?", "%3F", "#", "%23").Replace(path), OneKey(key()), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if _, err := os.Stat(path); err != nil || s.CheckRoom(t.Context(), now) != nil {
		t.Errorf("the database is elsewhere: %v", err)
	}
}

// Whatever lies in the database, reading it gives an error and no more.
func FuzzOpen(f *testing.F) {
	s, err := newSealer(OneKey(key()))
	if err != nil {
		f.Fatal(err)
	}
	good, err := s.seal([]byte("canary"), "place")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, "place")
	f.Add(good, "another place")
	f.Add(good[:5], "place")
	f.Add(good[:20], "place")
	f.Add([]byte{}, "")
	f.Add([]byte{1, 0, 0, 0, 0, 1, 2, 3}, "place")
	f.Fuzz(func(t *testing.T, sealed []byte, place string) {
		plain, err := s.open(sealed, place)
		if err == nil && (place != "place" || string(plain) != "canary") { // only what was sealed, only there
			t.Errorf("%x in %q was believed: %q", sealed, place, plain)
		}
		if err != nil && plain != nil {
			t.Errorf("an error with %q", plain)
		}
		var c disclosure.Case
		if err := s.openValue(sealed, place, &c); err == nil {
			t.Errorf("%x in %q became %v", sealed, place, c)
		}
	})
}

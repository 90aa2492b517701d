package store

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heed-app/heed/pkg/disclosure"
)

func TestWork(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		ExerciseWork(t, sqliteIn(t.TempDir()))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		newPostgres(t)
		ExerciseWork(t, postgresOf(t))
	})
}

// ExerciseWork is the part of Exercise that is about work laid aside.
func ExerciseWork(t *testing.T, open func(t *testing.T) *Store) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*testing.T, func(*testing.T) *Store)
	}{
		{"what lies aside is listed by names that stay", workList},
		{"an effect is tried again at once, and its mark looked for", workRetryEffect},
		{"a delivery is thought about again", workRetryDelivery},
		{"what would be wrong now is not tried again", workRefused},
		{"what is dropped is over", workDrop},
		{"queues are counted, and how long they have waited", workWaiting},
		{"open cases are read in portions", workOpenCases},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open)
		})
	}
}

// tried makes one attempt at the first effect of a case, which is refused.
func tried(t *testing.T, s *Store, id int64, at time.Time) {
	t.Helper()
	a, err := s.Begin(t.Context(), laneOf(t, s, id), at)
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, at, func(tx *Tx) error { _, err := tx.ParkEffect(t.Context(), a.Key, "403 Forbidden"); return err })
}

func parkDelivery(t *testing.T, s *Store, guid string) {
	t.Helper()
	placed(t, s, delivery(guid))
	seq := int64(count(t, s, "select seq from delivery where guid = '"+guid+"'"))
	write(t, s, now, func(tx *Tx) error { return tx.ParkDelivery(t.Context(), seq, "the body is not JSON") })
}

func work(t *testing.T, s *Store) []Work {
	t.Helper()
	ws, err := s.Work(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

func history(t *testing.T, s *Store, id int64) string {
	t.Helper()
	lines, err := s.History(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, l := range lines {
		out = append(out, l.By+" "+l.Text)
	}
	return strings.Join(out, "\n")
}

func workList(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	placed(t, s, delivery("a"))
	parkDelivery(t, s, "b")
	c := opened(t, s, disclosure.Effect{Key: "blank", Action: disclosure.EditIssue}, disclosure.Effect{Key: "reply:2", Action: disclosure.CommentIssue})
	tried(t, s, c.ID, now.Add(time.Minute))
	write(t, s, now, func(tx *Tx) error {
		_, err := tx.ParkEffect(t.Context(), full(c.ID, "reply:2"), "dry run: not done")
		return err
	})
	want := []Work{
		{ID: "d2", At: now, What: "issues", Reason: "the body is not JSON"},
		{ID: "e1", At: now.Add(time.Minute), Case: c.ID, What: "blank", Action: disclosure.EditIssue, Attempts: 1, Reason: "403 Forbidden"},
		{ID: "e2", At: now, Case: c.ID, What: "reply:2", Action: disclosure.CommentIssue, Reason: "dry run: not done", Withheld: true},
	}
	if diff := cmp.Diff(want, work(t, s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func workRetryEffect(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	c := opened(t, s, disclosure.Effect{Key: "a"}, disclosure.Effect{Key: "b"})
	if ok, err := s.TakeLane(t.Context(), c.ID, now); ok == nil || err != nil {
		t.Fatal(ok, err)
	}
	tried(t, s, c.ID, now)
	finish(t, s, c.ID, "b")
	if more, err := s.LeaveLane(t.Context(), laneOf(t, s, c.ID), now); more || err != nil {
		t.Fatal(more, err)
	}
	at := now.Add(time.Hour)
	due(t, s, at, 0)
	if err := s.RetryWork(t.Context(), at, "e1"); err != nil {
		t.Fatal(err)
	}
	due(t, s, at, 1)
	a := begin(t, s, c.ID, at)
	if a.Key != "a" || a.Attempts != 1 || !a.Maybe {
		t.Errorf("attempt %d at %q, looks for its mark: %t", a.Attempts, a.Key, a.Maybe)
	}
	if got := history(t, s, c.ID); got != "an operator has a tried again" {
		t.Errorf("history %q", got)
	}
	if ws := work(t, s); len(ws) != 0 {
		t.Errorf("still aside: %v", ws)
	}
	if err := s.RetryWork(t.Context(), at, "e1"); !errors.Is(err, ErrNotFound) {
		t.Errorf("tried twice: %v", err)
	}
}

func workRetryDelivery(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	placed(t, s, delivery("a"))
	write(t, s, now, func(tx *Tx) error {
		return errors.Join(tx.Postpone(t.Context(), 1, now.Add(time.Hour), "502", true), tx.ParkDelivery(t.Context(), 1, "404"))
	})
	at := now.Add(time.Minute)
	due(t, s, at, 0)
	if err := s.RetryWork(t.Context(), at, "d1"); err != nil {
		t.Fatal(err)
	}
	due(t, s, at, 1)
	ds := pending(t, s, "a", at)
	if len(ds) != 1 || ds[0].Attempts != 0 {
		t.Errorf("got %v", ds)
	}
}

func workRefused(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	c := opened(t, s, disclosure.Effect{Key: "held"}, disclosure.Effect{Key: "status", Slot: "status"}, disclosure.Effect{Key: "done"})
	write(t, s, now, func(tx *Tx) error {
		_, err := tx.ParkEffect(t.Context(), full(c.ID, "held"), "dry run: not done")
		return err
	})
	tried(t, s, c.ID, now)
	finish(t, s, c.ID, "done")
	write(t, s, now, func(tx *Tx) error {
		return tx.Save(t.Context(), c, nil, []disclosure.Effect{{Key: full(c.ID, "status:2"), Slot: "status"}})
	})
	over := opened(t, s, disclosure.Effect{Key: "reply", Slot: "reply", Audience: disclosure.Public}, disclosure.Effect{Key: "restore", Audience: disclosure.Public})
	tried(t, s, over.ID, now)
	tried(t, s, over.ID, now)
	over.State, over.Wake = disclosure.Closed, time.Time{}
	write(t, s, now, func(tx *Tx) error { return tx.Save(t.Context(), over, nil, nil) })
	for _, tt := range []struct{ id, want string }{
		{"e1", "the policy's mode keeps it (dry run: not done)"},
		{"e2", "overtaken by e4"},
		{"e3", ErrNotFound.Error()},
		{"e5", "case 2, which is closed"},
		{"e6", ""},
		{"e99", ErrNotFound.Error()},
		{"d1", ErrNotFound.Error()},
		{"17", "is not the name of work"},
		{"e", "is not the name of work"},
		{"e-1", "is not the name of work"},
		{"é1", "is not the name of work"},
	} {
		err := s.RetryWork(t.Context(), now, tt.id)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: got %v, want %q", tt.id, err, tt.want)
		}
	}
	if got := history(t, s, c.ID); got != "" {
		t.Errorf("the history of what was refused: %q", got)
	}
}

func workDrop(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	parkDelivery(t, s, "a")
	c := opened(t, s, disclosure.Effect{Key: "a"}, disclosure.Effect{Key: "b"})
	tried(t, s, c.ID, now)
	for _, id := range []string{"d1", "e1"} {
		if err := s.DropWork(t.Context(), now.Add(time.Hour), id); err != nil {
			t.Error(err)
		}
		if err := s.DropWork(t.Context(), now, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s dropped twice: %v", id, err)
		}
	}
	if err := s.DropWork(t.Context(), now, "e2"); !errors.Is(err, ErrNotFound) {
		t.Errorf("what is still to be done was dropped: %v", err)
	}
	if ws, ds := work(t, s), pending(t, s, "a", now.Add(time.Hour)); len(ws)+len(ds) != 0 {
		t.Errorf("left: %v %v", ws, ds)
	}
	records, err := s.Records(t.Context(), c.ID)
	if err != nil || records[0].State != "replaced" || records[0].Reason != "dropped by an operator: 403 Forbidden" || !records[0].Finished.Equal(now.Add(time.Hour)) {
		t.Errorf("got %+v, %v", records, err)
	}
	if got := history(t, s, c.ID); got != "an operator dropped a" {
		t.Errorf("history %q", got)
	}
}

func workWaiting(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	placed(t, s, delivery("a"), delivery("b"))
	parkDelivery(t, s, "c")
	c := opened(t, s, disclosure.Effect{Key: "a", Urgent: true}, disclosure.Effect{Key: "b"}, disclosure.Effect{Key: "c"}, disclosure.Effect{Key: "d"})
	tried(t, s, c.ID, now.Add(time.Second))
	write(t, s, now.Add(2*time.Second), func(tx *Tx) error {
		_, err := tx.ParkEffect(t.Context(), full(c.ID, "b"), "dry run: not done")
		return err
	})
	got, err := s.Waiting(t.Context(), now.Add(3*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	want := Waiting{
		Deliveries: Line{2, now}, Urgent: Line{}, Effects: Line{2, now}, Due: Line{1, now.Add(30 * time.Second)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("waiting (-want +got):\n%s", diff)
	}
	aside, err := s.Aside(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Aside{Deliveries: Line{1, now}, Effects: Line{1, now.Add(time.Second)}, Withheld: Line{1, now.Add(2 * time.Second)}}, aside); diff != "" {
		t.Errorf("aside (-want +got):\n%s", diff)
	}
}

func workOpenCases(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	for range 5 {
		opened(t, s)
	}
	write(t, s, now, func(tx *Tx) error {
		c := report(2)
		c.State, c.Wake = disclosure.Closed, time.Time{}
		return tx.Save(t.Context(), c, nil, nil)
	})
	var got []int64
	for after := int64(0); ; {
		cs, err := s.OpenCases(t.Context(), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cs {
			got, after = append(got, c.ID), c.ID
		}
		if len(cs) < 2 {
			break
		}
	}
	if diff := cmp.Diff([]int64{1, 3, 4, 5}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What is to be counted is counted when the commit went through, and not before.
func TestThen(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "heed.db"))
	n := 0
	undone := errors.New("undone")
	if err := s.Write(t.Context(), now, func(tx *Tx) error {
		tx.Then(func() { n++ })
		return undone
	}); !errors.Is(err, undone) || n != 0 {
		t.Errorf("%d times after %v", n, err)
	}
	write(t, s, now, func(tx *Tx) error {
		tx.Then(func() { n++ })
		if n != 0 {
			t.Error("before the commit")
		}
		return nil
	})
	if n != 1 {
		t.Errorf("%d times", n)
	}
}

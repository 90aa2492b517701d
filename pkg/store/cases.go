package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/riverqueue/river"
)

// ActArgs is the job that works off the effects of one case.
type ActArgs struct {
	Case int64 `json:"case"`
}

// Kind implements river.JobArgs.
func (ActArgs) Kind() string { return "act" }

// WakeArgs is the job that thinks about a case because a moment has come.
type WakeArgs struct {
	Case int64 `json:"case"`
}

// Kind implements river.JobArgs.
func (WakeArgs) Kind() string { return "wake" }

// querier is what a transaction and a pool have in common.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Case returns one case, or ErrNotFound. Nobody else changes it, or its effects, until the
// transaction ends.
func (tx *Tx) Case(ctx context.Context, id int64) (disclosure.Case, error) {
	return tx.store.loadCase(ctx, tx, id, " for update")
}

// CaseByRef returns the case of a name. ErrNotFound if there is none; then nobody else makes one
// until the transaction ends.
func (tx *Tx) CaseByRef(ctx context.Context, ref disclosure.Ref) (disclosure.Case, error) {
	if err := tx.store.base.lockRef(ctx, tx, string(ref)); err != nil {
		return disclosure.Case{}, fmt.Errorf("lock %s: %w", ref, err)
	}
	return tx.store.caseByRef(ctx, tx, ref, " for update")
}

// Case returns one case as it was last committed, or ErrNotFound.
func (s *Store) Case(ctx context.Context, id int64) (disclosure.Case, error) {
	return s.loadCase(ctx, s.read, id, "")
}

// CaseByRef is Case by one of its names.
func (s *Store) CaseByRef(ctx context.Context, ref disclosure.Ref) (disclosure.Case, error) {
	return s.caseByRef(ctx, s.read, ref, "")
}

func (s *Store) caseByRef(ctx context.Context, q querier, ref disclosure.Ref, lock string) (disclosure.Case, error) {
	var id int64
	err := q.QueryRowContext(ctx, `select case_id from case_ref where ref = ?`, string(ref)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return disclosure.Case{}, ErrNotFound
	}
	if err != nil {
		return disclosure.Case{}, fmt.Errorf("find %s: %w", ref, err)
	}
	return s.loadCase(ctx, q, id, lock)
}

func (s *Store) loadCase(ctx context.Context, q querier, id int64, lock string) (c disclosure.Case, err error) {
	var body []byte
	err = q.QueryRowContext(ctx, `select body from cases where id = ?`+lock, id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return c, ErrNotFound
	}
	if err != nil {
		return c, fmt.Errorf("read case %d: %w", id, err)
	}
	err = s.seal.openValue(body, casePlace(id), &c)
	c.ID = id
	return c, err
}

// casePlace binds a sealed case to its row.
func casePlace(id int64) string { return fmt.Sprintf("case/%d", id) }

// Cases returns cases, newest first: the open ones, or all.
func (s *Store) Cases(ctx context.Context, all bool) ([]disclosure.Case, error) {
	rows, err := s.read.QueryContext(ctx, `select id, body from cases where ? or state <> 'closed' or wake_at is not null order by id desc`, all)
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	return s.scanCases(rows, false)
}

// OpenCasesOf returns the open cases of one repository, oldest first.
func (s *Store) OpenCasesOf(ctx context.Context, repo int64) ([]disclosure.Case, error) {
	rows, err := s.read.QueryContext(ctx, `select id, body from cases where state <> 'closed' and repo_id = ? order by id`, repo)
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	return s.scanCases(rows, true)
}

// CasesOf returns cases of one account that are open or wait for a moment, in the order of their
// numbers: at most so many, beginning after one. Of one that cannot be read only the number is known;
// if its key is missing, ErrKey comes with the list.
func (s *Store) CasesOf(ctx context.Context, owner string, after int64, most int) ([]disclosure.Case, error) {
	rows, err := s.read.QueryContext(ctx, `select id, body from cases where owner = ? and (state <> 'closed' or wake_at is not null) and id > ? order by id limit ?`, strings.ToLower(owner), after, most)
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	return s.scanCases(rows, true)
}

// scanCases reads cases. unread: one that cannot be read comes as its bare number, and hides no other; if its key
// is missing, ErrKey comes with the list.
func (s *Store) scanCases(rows *sql.Rows, unread bool) ([]disclosure.Case, error) {
	defer rows.Close()
	var out []disclosure.Case
	var missing error
	for rows.Next() {
		var (
			id   int64
			body []byte
			c    disclosure.Case
		)
		if err := rows.Scan(&id, &body); err != nil {
			return nil, err
		}
		switch err := s.seal.openValue(body, casePlace(id), &c); {
		case err == nil:
		case !unread || !isUnreadable(err):
			return nil, err
		case errors.Is(err, ErrKey):
			missing = ErrKey
		}
		c.ID = id
		out = append(out, c)
	}
	return out, cmp.Or(rows.Err(), missing)
}

// Reports counts the reports of a repository that were ever taken in.
func (tx *Tx) Reports(ctx context.Context, repo int64) (n int64, err error) {
	err = tx.QueryRowContext(ctx, `select count(*) from cases where repo_id = ? and kind in ('private-report', 'public-report', 'public-comment', 'suspect')`, repo).Scan(&n)
	return n, wrapped(err, "count reports")
}

// NewCase makes room for a case and returns its number. Save fills it.
func (tx *Tx) NewCase(ctx context.Context) (int64, error) {
	var id int64
	err := tx.QueryRowContext(ctx, `insert into cases(repo_id, repo, kind, state, opened, installation, body) values(0, '', '', '', 0, 0, ?) returning id`, []byte{}).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("new case: %w", err)
	}
	return id, nil
}

// SkipCases passes over n numbers of cases, with a closed case behind them that says so.
func (s *Store) SkipCases(ctx context.Context, now time.Time, n int) error {
	return s.Write(ctx, now, func(tx *Tx) error {
		c := disclosure.Case{Kind: disclosure.Errand, State: disclosure.Closed, Outcome: disclosure.Told, Opened: now.UTC()}
		err := tx.QueryRowContext(ctx, `insert into cases(id, repo_id, repo, kind, state, opened, installation, body) select coalesce(max(id), 0) + ?, 0, '', '', '', 0, 0, ? from cases returning id`, n, []byte{}).Scan(&c.ID)
		if err != nil {
			return fmt.Errorf("pass over cases: %w", err)
		}
		return tx.Save(ctx, c, []disclosure.Line{{At: now.UTC(), Text: fmt.Sprintf("restored from a backup; %d numbers of cases were passed over", n)}}, nil)
	})
}

// Save writes one thought down: the case, its names, what happened, and what is to be done about
// it, with the job that will do it.
func (tx *Tx) Save(ctx context.Context, c disclosure.Case, lines []disclosure.Line, effects []disclosure.Effect) error {
	body, err := tx.store.seal.sealValue(c, casePlace(c.ID))
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `update cases set repo_id = ?, repo = ?, owner = ?, kind = ?, state = ?, opened = ?, wake_at = nullif(cast(? as bigint), 0), erase_at = nullif(cast(? as bigint), 0), installation = ?, body = ? where id = ?`,
		c.Repo.ID, c.Repo.String(), strings.ToLower(c.Repo.Owner), string(c.Kind), string(c.State), micros(c.Opened), micros(c.Wake), micros(c.EraseAt), c.Installation, body, c.ID); err != nil {
		return fmt.Errorf("save case %d: %w", c.ID, err)
	}
	for _, ref := range c.Refs() {
		if _, err := tx.ExecContext(ctx, `insert into case_ref(ref, case_id) values(?, ?) on conflict(ref) do update set case_id = excluded.case_id where case_ref.ref like 'held/%'`, string(ref), c.ID); err != nil {
			return fmt.Errorf("save case %d: %w", c.ID, err)
		}
	}
	for _, l := range lines {
		if _, err := tx.ExecContext(ctx, `insert into history(case_id, at, by, line) values(?, ?, ?, ?)`, c.ID, micros(l.At), l.By, l.Text); err != nil {
			return fmt.Errorf("save history of case %d: %w", c.ID, err)
		}
	}
	return tx.saveEffects(ctx, c, effects)
}

func (tx *Tx) saveEffects(ctx context.Context, c disclosure.Case, effects []disclosure.Effect) error {
	if len(effects) == 0 {
		return nil
	}
	prio := prioNormal
	for _, e := range effects {
		if e.Urgent {
			prio = prioUrgent
		}
		body, err := tx.store.seal.sealValue(e, "effect/"+e.Key)
		if err != nil {
			return err
		}
		if e.Slot != "" {
			if _, err := tx.ExecContext(ctx, `update effect set state = 3, finished = ? where case_id = ? and slot = ? and state = 0`, micros(tx.Now), c.ID, e.Slot); err != nil {
				return fmt.Errorf("replace effect: %w", err)
			}
		}
		if _, err := tx.ExecContext(ctx, `insert into effect(case_id, key, action, audience, slot, urgent, next_at, decided, body) values(?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict(key) do nothing`,
			c.ID, e.Key, string(e.Action), string(e.Audience), e.Slot, e.Urgent, micros(tx.Now), micros(tx.Now), body); err != nil {
			return fmt.Errorf("save effect %s: %w", e.Key, err)
		}
	}
	if _, err := tx.ExecContext(ctx, `update cases set act_at = ? where id = ?`, micros(tx.Now.Add(nudged)), c.ID); err != nil {
		return err
	}
	return tx.Enqueue(ctx, ActArgs{Case: c.ID}, river.InsertOpts{Queue: QueueAct, Priority: prio})
}

// Due finds what a moment has come for and queues jobs about it: cases to wake, effects to try
// again, deliveries to think about again, and whatever a lost job left behind. It returns how
// many jobs it queued. Of several replicas that look at once, each row is found by one.
func (s *Store) Due(ctx context.Context, now time.Time) (int, error) {
	var n int
	at := micros(now)
	// The usual answer is "nothing", and that must cost next to nothing. PostgreSQL takes the index only
	// because the order asks for it: without, it believes that a row will soon be found by reading on.
	err := s.read.QueryRowContext(ctx, `select (select count(*) from (select 1 from cases where wake_at <= ? order by wake_at limit 1) a)
		+ (select count(*) from (select 1 from cases where act_at <= ? and lane_until <= ? order by act_at limit 1) b)
		+ (select count(*) from (select 1 from delivery where state = 0 and next_at <= ? order by next_at limit 1) c)
		+ (select count(*) from (select 1 from intake where next_at <= ? limit 1) d)`, at, at, at, at, at).Scan(&n)
	if err != nil || n == 0 {
		return 0, wrapped(err, "look for due moments")
	}
	n = 0
	err = s.Write(ctx, now, func(tx *Tx) error {
		wakes, err := tx.ids(ctx, `select id from cases where wake_at <= ? order by wake_at limit 200 for update skip locked`, at)
		if err != nil {
			return err
		}
		lanes, err := tx.ids(ctx, `select id from cases where act_at <= ? and lane_until <= ? order by act_at limit 200 for update skip locked`, at, at)
		if err != nil {
			return err
		}
		groups, err := tx.names(ctx, `select grp from delivery where state = 0 and next_at <= ? order by next_at, seq limit 2000 for update skip locked`, at)
		if err != nil {
			return err
		}
		lost, err := tx.ids(ctx, `select seq from intake where next_at <= ? order by seq for update skip locked`, at)
		if err != nil {
			return err
		}
		if len(lost) > 0 { // one job finds them all
			groups = append(groups, fmt.Sprintf("lost-%d", lost[0]))
			if _, err := tx.ExecContext(ctx, `update intake set next_at = ? where next_at <= ?`, micros(now.Add(nudged)), at); err != nil {
				return err
			}
		}
		groups = unique(groups)
		n = len(wakes) + len(lanes) + len(groups)
		return tx.queueDue(ctx, wakes, lanes, groups)
	})
	return n, wrapped(err, "queue what is due")
}

func (tx *Tx) queueDue(ctx context.Context, wakes, lanes []int64, groups []string) error {
	again := micros(tx.Now.Add(nudged))
	for _, id := range wakes {
		if _, err := tx.ExecContext(ctx, `update cases set wake_at = ? where id = ?`, again, id); err != nil {
			return err
		}
		if err := tx.Enqueue(ctx, WakeArgs{Case: id}, river.InsertOpts{Queue: QueueThink, Priority: prioNormal}); err != nil {
			return err
		}
	}
	for _, id := range lanes {
		if _, err := tx.ExecContext(ctx, `update cases set act_at = ? where id = ?`, again, id); err != nil {
			return err
		}
		if err := tx.Enqueue(ctx, ActArgs{Case: id}, river.InsertOpts{Queue: QueueAct, Priority: prioNormal}); err != nil {
			return err
		}
	}
	for _, g := range groups {
		if _, err := tx.ExecContext(ctx, `update delivery set next_at = ? where grp = ? and state = 0 and next_at <= ?`, again, g, micros(tx.Now)); err != nil {
			return err
		}
		if err := tx.Enqueue(ctx, ThinkArgs{Group: g}, river.InsertOpts{Queue: QueueThink, Priority: prioNormal}); err != nil {
			return err
		}
	}
	return nil
}

// unique drops repetitions and keeps the order.
func unique(in []string) []string {
	seen, out := map[string]bool{}, []string(nil)
	for _, x := range in {
		if !seen[x] {
			seen[x] = true
			out = append(out, x)
		}
	}
	return out
}

func (tx *Tx) ids(ctx context.Context, query string, args ...any) ([]int64, error) {
	return collect[int64](ctx, tx, query, args...)
}

func (tx *Tx) names(ctx context.Context, query string, args ...any) ([]string, error) {
	return collect[string](ctx, tx, query, args...)
}

func collect[T any](ctx context.Context, q querier, query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// NextDue is the earliest moment at which Due will find something; zero if never.
func (s *Store) NextDue(ctx context.Context) (time.Time, error) {
	var n sql.NullInt64
	err := s.read.QueryRowContext(ctx, `select min(t) from (select min(wake_at) t from cases where wake_at is not null
		union all select min(case when act_at > lane_until then act_at else lane_until end) from cases where act_at is not null
		union all select min(next_at) from delivery where state = 0
		union all select min(next_at) from intake) x`).Scan(&n)
	return fromMicros(n.Int64), wrapped(err, "look for the next moment")
}

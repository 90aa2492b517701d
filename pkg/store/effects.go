package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
)

// Lease is how long somebody may work on a lane, from the last time he said so, before others
// believe that he died.
const Lease = 30 * time.Second

// TakeLane makes the caller the only one who works on the effects of a case. It is false when
// somebody else does; he will see what was added meanwhile before he leaves.
func (s *Store) TakeLane(ctx context.Context, id int64, now time.Time) (bool, error) {
	n, err := s.change(ctx, now, `update cases set lane_until = ? where id = ? and lane_until <= ?`, micros(now.Add(Lease)), id, micros(now))
	if err != nil {
		return false, fmt.Errorf("take lane %d: %w", id, err)
	}
	return n == 1, nil
}

// KeepLane says that the one who took a lane is still at work. It is false when his lease had ended.
func (s *Store) KeepLane(ctx context.Context, id int64, now time.Time) (bool, error) {
	n, err := s.change(ctx, now, `update cases set lane_until = ? where id = ? and lane_until > ?`, micros(now.Add(Lease)), id, micros(now))
	if err != nil {
		return false, fmt.Errorf("keep lane %d: %w", id, err)
	}
	return n == 1, nil
}

// LeaveLane ends TakeLane unless an effect can be tried right now: then more is true and the lane
// is kept. Otherwise the case is looked at again when its next effect is due.
func (s *Store) LeaveLane(ctx context.Context, id int64, now time.Time) (more bool, err error) {
	err = s.Write(ctx, now, func(tx *Tx) error {
		if err := tx.lockCase(ctx, id); err != nil { // whoever adds effects holds the case
			return err
		}
		next, err := tx.nextTry(ctx, id)
		if err != nil {
			return err
		}
		if more = !next.IsZero() && !next.After(now); more {
			return nil
		}
		_, err = tx.ExecContext(ctx, `update cases set lane_until = 0, act_at = nullif(cast(? as bigint), 0) where id = ?`, micros(next), id)
		return err
	})
	return more, err
}

// lockCase keeps a case and its effects as they are until the transaction ends.
func (tx *Tx) lockCase(ctx context.Context, id int64) error {
	var found int64
	err := tx.QueryRowContext(ctx, `select id from cases where id = ? for update`, id).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// nextTry is when the first effect of a lane may be tried: the others wait behind it.
func (tx *Tx) nextTry(ctx context.Context, id int64) (time.Time, error) {
	var at int64
	err := tx.QueryRowContext(ctx, `select next_at from effect where case_id = ? and state = 0 order by urgent desc, id limit 1`, id).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return fromMicros(at), err
}

// Attempt is an effect that is about to be tried.
type Attempt struct {
	disclosure.Effect
	Attempts int  // including this one
	Maybe    bool // an earlier one may have landed
	Decided  time.Time
}

// Begin counts an attempt at the first effect of a lane and commits that before anything is
// done: after a crash nobody believes that it was never tried. ErrNotFound: nothing is due.
func (s *Store) Begin(ctx context.Context, id int64, now time.Time) (a Attempt, err error) {
	err = s.Write(ctx, now, func(tx *Tx) error {
		var (
			row     int64
			body    []byte
			key     string
			next    int64
			decided int64
		)
		if err := tx.lockCase(ctx, id); err != nil {
			return err
		}
		err := tx.QueryRowContext(ctx, `select id, key, attempts, maybe, next_at, decided, body from effect where case_id = ? and state = 0 order by urgent desc, id limit 1`, id).
			Scan(&row, &key, &a.Attempts, &a.Maybe, &next, &decided, &body)
		if errors.Is(err, sql.ErrNoRows) || err == nil && next > micros(now) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("next effect of case %d: %w", id, err)
		}
		if err := tx.store.seal.openValue(body, "effect/"+key, &a.Effect); err != nil {
			return err
		}
		a.Attempts++
		a.Decided = fromMicros(decided)
		if _, err := tx.ExecContext(ctx, `update effect set attempts = attempts + 1, maybe = true where id = ?`, row); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `update cases set lane_until = ? where id = ?`, micros(now.Add(Lease)), id)
		return err
	})
	return a, err
}

// Finish records that an effect landed.
func (tx *Tx) Finish(ctx context.Context, key string) error {
	return tx.settle(ctx, key, 1, "")
}

// ParkEffect lays an effect aside for an operator, with the reason.
func (tx *Tx) ParkEffect(ctx context.Context, key, reason string) error {
	return tx.settle(ctx, key, 2, reason)
}

func (tx *Tx) settle(ctx context.Context, key string, state int, reason string) error {
	if _, err := tx.ExecContext(ctx, `update effect set state = ?, reason = ?, finished = ? where key = ?`, state, reason, micros(tx.Now), key); err != nil {
		return fmt.Errorf("settle %s: %w", key, err)
	}
	return nil
}

// Retry puts an effect off until a moment. sent: this attempt may have landed. counted: it was a
// failure, not a time to wait that GitHub named.
func (s *Store) Retry(ctx context.Context, a Attempt, now, until time.Time, reason string, sent, counted bool) error {
	back := 1
	if counted {
		back = 0
	}
	return s.Write(ctx, now, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, `update effect set next_at = ?, reason = ?, attempts = attempts - ?, maybe = ? where key = ?`,
			micros(until), reason, back, a.Maybe || sent, a.Key)
		return err
	})
}

// Record is an effect as operators see it.
type Record struct {
	Case           int64
	Key            string
	Action         disclosure.Action
	Audience       disclosure.Audience
	State          string // pending, done, parked, replaced
	Attempts       int
	Decided        time.Time
	Next, Finished time.Time
	Reason         string
}

// Records returns the effects of a case in the order in which they were decided; of all cases
// the parked ones when id is 0.
func (s *Store) Records(ctx context.Context, id int64) ([]Record, error) {
	rows, err := s.read.QueryContext(ctx, `select case_id, key, action, audience, state, attempts, decided, next_at, coalesce(finished, 0), reason
		from effect where case_id = ? or (cast(? as bigint) = 0 and state = 2) order by id`, id, id)
	if err != nil {
		return nil, fmt.Errorf("read effects: %w", err)
	}
	defer rows.Close()
	var out []Record
	for rows.Next() {
		var (
			r                       Record
			state                   int
			decided, next, finished int64
		)
		if err := rows.Scan(&r.Case, &r.Key, &r.Action, &r.Audience, &state, &r.Attempts, &decided, &next, &finished, &r.Reason); err != nil {
			return nil, err
		}
		r.State = [...]string{"pending", "done", "parked", "replaced"}[state]
		r.Decided, r.Next, r.Finished = fromMicros(decided), fromMicros(next), fromMicros(finished)
		out = append(out, r)
	}
	return out, rows.Err()
}

// History returns what happened to a case, oldest first.
func (s *Store) History(ctx context.Context, id int64) ([]disclosure.Line, error) {
	rows, err := s.read.QueryContext(ctx, `select at, by, line from history where case_id = ? order by id`, id)
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	defer rows.Close()
	var out []disclosure.Line
	for rows.Next() {
		var (
			l  disclosure.Line
			at int64
		)
		if err := rows.Scan(&at, &l.By, &l.Text); err != nil {
			return nil, err
		}
		l.At = fromMicros(at)
		out = append(out, l)
	}
	return out, rows.Err()
}

// Parked is a delivery laid aside.
type Parked struct {
	GUID, Event, Reason string
	Received            time.Time
}

// ParkedDeliveries returns the newest deliveries that could not be understood.
func (s *Store) ParkedDeliveries(ctx context.Context) ([]Parked, error) {
	rows, err := s.read.QueryContext(ctx, `select guid, event, reason, received from delivery where state = 2 order by seq desc limit 100`)
	if err != nil {
		return nil, fmt.Errorf("read parked deliveries: %w", err)
	}
	defer rows.Close()
	var out []Parked
	for rows.Next() {
		var (
			p  Parked
			at int64
		)
		if err := rows.Scan(&p.GUID, &p.Event, &p.Reason, &at); err != nil {
			return nil, err
		}
		p.Received = fromMicros(at)
		out = append(out, p)
	}
	return out, rows.Err()
}

// Cancel takes back what was decided but not done yet, by slot.
func (tx *Tx) Cancel(ctx context.Context, id int64, slots []string) error {
	for _, slot := range slots {
		if _, err := tx.ExecContext(ctx, `update effect set state = 3, finished = ? where case_id = ? and slot = ? and state = 0`, micros(tx.Now), id, slot); err != nil {
			return fmt.Errorf("cancel %s: %w", slot, err)
		}
	}
	return nil
}

// Replace records that an effect was overtaken by a newer decision.
func (tx *Tx) Replace(ctx context.Context, key string) error { return tx.settle(ctx, key, 3, "") }

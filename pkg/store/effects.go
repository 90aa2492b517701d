package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
)

// Lease is how long somebody may work on a lane, from the last time he said so, before others
// believe that he died.
const Lease = 30 * time.Second

// A Lane is the right to be the only one who works on the effects of a case. It ends with its lease,
// which every attempt renews; the end itself is the token that tells the holder from whoever took the
// lane after him, since no two leases of a case end at the same moment.
type Lane struct {
	Case int64

	mu    sync.Mutex // guards until, while an attempt is under way and the lane is kept
	until int64
}

// ErrLost says that the lane was taken by somebody else, who believed that its holder had died.
var ErrLost = errors.New("the lane is somebody else's now")

// ErrDamaged says that an effect cannot be read any more, whatever key there is.
var ErrDamaged = errors.New("what is stored is damaged")

// TakeLane makes the caller the only one who works on the effects of a case. It is nil when somebody
// else does; he will see what was added meanwhile before he leaves.
func (s *Store) TakeLane(ctx context.Context, id int64, now time.Time) (*Lane, error) {
	l := &Lane{Case: id, until: micros(now.Add(Lease))}
	n, err := s.change(ctx, now, `update cases set lane_until = ? where id = ? and lane_until <= ?`, l.until, id, micros(now))
	if err != nil || n == 0 {
		return nil, wrapped(err, "take lane %d", id)
	}
	return l, nil
}

// KeepLane says that the one who took a lane is still at work. ErrLost: he was too late.
func (s *Store) KeepLane(ctx context.Context, l *Lane, now time.Time) error {
	return s.inLane(ctx, l, now, func(*Tx) error { return nil })
}

// inLane runs f in a transaction that renews the lease, if the lane is the caller's still.
func (s *Store) inLane(ctx context.Context, l *Lane, now time.Time, f func(*Tx) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	until := max(l.until, micros(now.Add(Lease)))
	err := s.Write(ctx, now, func(tx *Tx) error {
		// The row is locked from here on: whoever adds effects, or takes the lane, comes before or after.
		r, err := tx.ExecContext(ctx, `update cases set lane_until = ? where id = ? and lane_until = ?`, until, l.Case, l.until)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return cmp.Or(err, ErrLost)
		}
		return f(tx)
	})
	if err != nil {
		return wrapped(err, "lane %d", l.Case)
	}
	l.until = until
	return nil
}

// wrapped says what was being done when an error came; nil stays nil.
func wrapped(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}

// LeaveLane ends TakeLane unless an effect can be tried right now: then more is true and the lane
// is kept. Otherwise the case is looked at again when its next effect is due.
func (s *Store) LeaveLane(ctx context.Context, l *Lane, now time.Time) (more bool, err error) {
	err = s.inLane(ctx, l, now, func(tx *Tx) error {
		next, err := tx.nextTry(ctx, l.Case)
		if err != nil {
			return err
		}
		if more = !next.IsZero() && !next.After(now); more {
			return nil
		}
		_, err = tx.ExecContext(ctx, `update cases set lane_until = 0, act_at = nullif(cast(? as bigint), 0) where id = ?`, micros(next), l.Case)
		return err
	})
	return more, err
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
	lane     *Lane
}

// Begin counts an attempt at the first effect of a lane and commits that before anything is
// done: after a crash nobody believes that it was never tried. ErrNotFound: nothing is due. ErrLost:
// the lane is not the caller's any more. ErrDamaged: all that is known of the effect is its key, action and slot.
func (s *Store) Begin(ctx context.Context, l *Lane, now time.Time) (a Attempt, err error) {
	var damaged error
	err = s.inLane(ctx, l, now, func(tx *Tx) error {
		a, damaged = Attempt{lane: l}, nil // nothing stays of a try that came to nothing
		var (
			row     int64
			body    []byte
			key     string
			action  disclosure.Action
			slot    string
			next    int64
			decided int64
		)
		err := tx.QueryRowContext(ctx, `select id, key, action, slot, attempts, maybe, next_at, decided, body from effect where case_id = ? and state = 0 order by urgent desc, id limit 1`, l.Case).
			Scan(&row, &key, &action, &slot, &a.Attempts, &a.Maybe, &next, &decided, &body)
		if errors.Is(err, sql.ErrNoRows) || err == nil && next > micros(now) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("next effect: %w", err)
		}
		if err := tx.store.seal.openValue(body, "effect/"+key, &a.Effect); errors.Is(err, ErrKey) {
			return err // it may come yet
		} else if err != nil {
			a.Effect, damaged = disclosure.Effect{Key: key, Case: l.Case, Action: action, Slot: slot}, ErrDamaged
		}
		a.Attempts++
		a.Decided = fromMicros(decided)
		_, err = tx.ExecContext(ctx, `update effect set attempts = attempts + 1, maybe = true where id = ?`, row)
		return err
	})
	return a, cmp.Or(err, damaged)
}

// Finish records that an effect landed. It is false when somebody recorded its outcome before: of two
// who found out, one draws the conclusions.
func (tx *Tx) Finish(ctx context.Context, key string) (bool, error) {
	return tx.settle(ctx, key, 1, "")
}

// ParkEffect lays an effect aside for an operator, with the reason. It is false as with Finish.
func (tx *Tx) ParkEffect(ctx context.Context, key, reason string) (bool, error) {
	return tx.settle(ctx, key, 2, reason)
}

// settle ends an effect. One that was replaced while it was under way landed all the same.
func (tx *Tx) settle(ctx context.Context, key string, state int, reason string) (bool, error) {
	r, err := tx.ExecContext(ctx, `update effect set state = ?, reason = ?, finished = ? where key = ? and state in (0, 3)`, state, reason, micros(tx.Now), key)
	if err != nil {
		return false, fmt.Errorf("settle %s: %w", key, err)
	}
	n, err := r.RowsAffected()
	return n == 1, err
}

// Retry puts an effect off until a moment. sent: this attempt may have landed. counted: it was a
// failure, not a time to wait that GitHub named. ErrLost: somebody else tries it already.
func (s *Store) Retry(ctx context.Context, a Attempt, now, until time.Time, reason string, sent, counted bool) error {
	back := 1
	if counted {
		back = 0
	}
	return s.inLane(ctx, a.lane, now, func(tx *Tx) error {
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

// Replace records that an effect was overtaken by a newer decision. It is false when that, or its
// outcome, was recorded before.
func (tx *Tx) Replace(ctx context.Context, key string) (bool, error) {
	r, err := tx.ExecContext(ctx, `update effect set state = 3, finished = ? where key = ? and state = 0`, micros(tx.Now), key)
	if err != nil {
		return false, fmt.Errorf("replace %s: %w", key, err)
	}
	n, err := r.RowsAffected()
	return n == 1, err
}

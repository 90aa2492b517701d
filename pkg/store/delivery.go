package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Delivery is one event as it came: a webhook, or something that the sweep found.
type Delivery struct {
	Seq      int64
	GUID     string // of GitHub, shared by redeliveries; the sweep makes its own
	Event    string
	Received time.Time
	Attempts int
	Body     []byte // embargoed
}

// nudged is when a job that was just queued is looked for again, should it have been lost.
const nudged = 30 * time.Second

// ThinkArgs is the job that puts what came in into a group, and thinks about that.
type ThinkArgs struct {
	Group string `json:"group"`
}

// Kind implements river.JobArgs.
func (ThinkArgs) Kind() string { return "think" }

// Queues and priorities of jobs. Think has a queue of its own so that slow answers of GitHub
// to effects never delay reading.
const (
	QueueThink = "think"
	QueueAct   = "act"
	QueueSweep = "sweep"

	prioUrgent = 1
	prioNormal = 3
)

// NewDeliveries puts what came in since into a group, and returns what of it is not thought about yet
// and due.
func (s *Store) NewDeliveries(ctx context.Context, grp string, now time.Time) ([]Delivery, error) {
	if err := s.Write(ctx, now, func(tx *Tx) error { _, err := tx.open(ctx, grp); return err }); err != nil {
		s.base.forget()
		return nil, err
	}
	// A delivery that waits for a retry has been put beyond the moment at which lost jobs are looked for.
	rows, err := s.read.QueryContext(ctx, `select seq, guid, event, received, attempts, body from delivery
		where grp = ? and state = 0 and (postponed = 0 or next_at <= ?) order by seq`, grp, micros(now.Add(nudged)))
	if err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	defer rows.Close()
	var (
		out     []Delivery
		damaged []int64
		locked  error
	)
	for rows.Next() {
		var (
			d        Delivery
			received int64
			sealed   []byte
		)
		if err := rows.Scan(&d.Seq, &d.GUID, &d.Event, &received, &d.Attempts, &sealed); err != nil {
			return nil, err
		}
		d.Received = fromMicros(received)
		switch d.Body, err = s.seal.open(sealed, "delivery/"+d.GUID); {
		case errors.Is(err, ErrKey): // the key may come yet: it is looked for again, and stops no other
			locked = err
		case err != nil:
			damaged = append(damaged, d.Seq)
		default:
			out = append(out, d)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(out) == 0 && locked != nil {
		return nil, locked
	}
	if len(damaged) == 0 {
		return out, nil
	}
	// One that nobody can read any more must not keep the others from being read.
	return out, s.Write(ctx, now, func(tx *Tx) (err error) {
		for _, seq := range damaged {
			err = errors.Join(err, tx.ParkDelivery(ctx, seq, "what is stored is damaged"))
		}
		return err
	})
}

// Claim retires a delivery for the one who decides about it. It is false when somebody else did so
// first: a slow thought is looked for again after a while, and then there are two.
func (tx *Tx) Claim(ctx context.Context, seq int64) (bool, error) {
	r, err := tx.ExecContext(ctx, `update delivery set state = 1, done = ? where seq = ? and state = 0`, micros(tx.Now), seq)
	if err != nil {
		return false, fmt.Errorf("claim delivery: %w", err)
	}
	n, err := r.RowsAffected()
	return n == 1, err
}

// Retire marks deliveries as thought about.
func (tx *Tx) Retire(ctx context.Context, seqs ...int64) error {
	for _, seq := range seqs {
		if _, err := tx.Claim(ctx, seq); err != nil {
			return err
		}
	}
	return nil
}

// Postpone puts a delivery off until a moment. counted: it was a failure, not a time to wait that
// GitHub named.
func (tx *Tx) Postpone(ctx context.Context, seq int64, until time.Time, reason string, counted bool) error {
	failures := 0
	if counted {
		failures = 1
	}
	_, err := tx.ExecContext(ctx, `update delivery set attempts = attempts + ?, postponed = 1, next_at = ?, reason = ? where seq = ? and state = 0`, failures, micros(until), reason, seq)
	return wrapped(err, "put delivery %d off", seq)
}

// ParkDelivery lays a delivery aside for an operator.
func (tx *Tx) ParkDelivery(ctx context.Context, seq int64, reason string) error {
	_, err := tx.ExecContext(ctx, `update delivery set state = 2, reason = ? where seq = ? and state = 0`, reason, seq)
	return wrapped(err, "park delivery %d", seq)
}

// Known reports whether a delivery with this GUID was ever accepted.
func (s *Store) Known(ctx context.Context, guid string) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, `select count(*) from delivery where guid = ?`, guid).Scan(&n)
	if err == nil && n == 0 {
		return s.arriving(ctx, guid)
	}
	return n > 0, wrapped(err, "look for a delivery")
}

package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
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

// ThinkArgs is the job that thinks about one committed group of deliveries.
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

// group is the deliveries that one commit takes. The first to join it commits it; those who come
// while an earlier group is being written join the next.
type group struct {
	rows []row
	done chan struct{}
	err  error
}

type row struct {
	Delivery
	sealed []byte
}

// Accept puts deliveries on disk and returns when they are there. One that came in before is
// accepted again without effect. Concurrent calls share a transaction and its fsync.
func (s *Store) Accept(ctx context.Context, now time.Time, ds ...Delivery) error {
	if len(ds) == 0 {
		return nil
	}
	rows := make([]row, len(ds))
	for i, d := range ds {
		d.GUID, d.Event = clean(d.GUID), clean(d.Event)
		sealed, err := s.seal.seal(d.Body, "delivery/"+d.GUID)
		if err != nil {
			return err
		}
		rows[i] = row{d, sealed}
	}
	s.mu.Lock()
	g := s.group
	first := g == nil
	if first {
		g = &group{done: make(chan struct{})}
		s.group = g
	}
	g.rows = append(g.rows, rows...)
	s.mu.Unlock()

	if !first {
		<-g.done
		return g.err
	}
	defer close(g.done)
	s.commit.Lock()
	defer s.commit.Unlock()
	s.mu.Lock()
	s.group = nil // from here on others form the next group
	s.mu.Unlock()
	g.err = errors.New("the commit was interrupted") // unless the next line comes to an end
	// The sender who happened to be first must not fail the others by hanging up.
	g.err = s.Write(context.WithoutCancel(ctx), now, func(tx *Tx) error { return tx.accept(context.WithoutCancel(ctx), g.rows) })
	return g.err
}

func (tx *Tx) accept(ctx context.Context, rows []row) error {
	group := rows[0].GUID
	fresh, err := tx.store.base.accept(ctx, tx, rows, group)
	if err != nil {
		return fmt.Errorf("store deliveries: %w", err)
	}
	if fresh == 0 {
		return nil
	}
	return tx.Enqueue(ctx, ThinkArgs{Group: group}, river.InsertOpts{Queue: QueueThink, Priority: prioUrgent})
}

// NewDeliveries returns what of a group is not thought about yet and due.
func (s *Store) NewDeliveries(ctx context.Context, grp string, now time.Time) ([]Delivery, error) {
	// A delivery that waits for a retry has been put beyond the moment at which lost jobs are looked for.
	rows, err := s.read.QueryContext(ctx, `select seq, guid, event, received, attempts, body from delivery
		where grp = ? and state = 0 and (postponed = 0 or next_at <= ?) order by seq`, grp, micros(now.Add(nudged)))
	if err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	defer rows.Close()
	var out []Delivery
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
		if d.Body, err = s.seal.open(sealed, "delivery/"+d.GUID); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
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
	return err
}

// ParkDelivery lays a delivery aside for an operator.
func (tx *Tx) ParkDelivery(ctx context.Context, seq int64, reason string) error {
	_, err := tx.ExecContext(ctx, `update delivery set state = 2, reason = ? where seq = ? and state = 0`, reason, seq)
	return err
}

// Known reports whether a delivery with this GUID was ever accepted.
func (s *Store) Known(ctx context.Context, guid string) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, `select count(*) from delivery where guid = ?`, guid).Scan(&n)
	return n > 0, err
}

package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/riverqueue/river"
)

// What comes in is written down in the cheapest way that keeps it: all that one commit takes in is
// one row of the table intake, without an index and without a look at what was there before. The job
// that thinks about it puts each delivery into its place first, where a repeated one shows.

// group is the deliveries that one commit takes. The first to join it commits it when there is room
// for a commit; who comes until then joins it too.
type group struct {
	name     string // the GUID of the first
	n        int
	received time.Time // of the first
	body     *[]byte   // deliveries, one after the other
	wanted   int       // it waits for so many; 0: it does not wait
	enough   chan struct{}
	done     chan struct{}
	err      error
}

// mostTogether is how many bytes share a commit. A larger delivery has one for itself.
const mostTogether = 16 << 20

// mostOpened bounds what one job takes out of the intake, in deliveries and bytes: those who leaked
// something behind them are waiting too. One row is always taken.
const (
	mostOpened      = 128
	mostOpenedBytes = 4 << 20
)

// patience is how long a group waits for half a crowd. In a burst those who were just answered come
// again at once: commits of a few would make them wait longer than this does.
const patience = time.Millisecond

// Patient makes groups of deliveries wait for others in a burst, by a clock that after gives: time.After,
// as a rule. Without it none waits. It is for the start, before anything is accepted.
func (s *Store) Patient(after func(time.Duration) <-chan time.Time) { s.after = after }

// Accept puts deliveries on disk and returns when they are there. One that came in before is
// accepted again without effect. Concurrent calls share a transaction and its fsync. The bodies are
// the caller's again when it returns.
func (s *Store) Accept(ctx context.Context, now time.Time, ds ...Delivery) error {
	if len(ds) == 0 {
		return nil
	}
	size := 0
	for i := range ds {
		ds[i].GUID, ds[i].Event = clean(ds[i].GUID), clean(ds[i].Event)
		size += len(ds[i].Body)
	}
	g, first := s.join(ds, size)
	if !first {
		<-g.done
		return g.err
	}
	defer close(g.done)
	g.err = errors.New("the commit was interrupted") // unless the next line comes to an end
	// The sender who happened to be first must not fail the others by hanging up.
	g.err = s.take(context.WithoutCancel(ctx), now, g)
	return g.err
}

// join adds deliveries, with bodies of so many bytes together, to the group that waits for the next commit.
// first: it began with them, and the caller commits it.
func (s *Store) join(ds []Delivery, size int) (g *group, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g = s.group
	if first = g == nil || len(*g.body)+size > mostTogether; first {
		g = &group{name: ds[0].GUID, received: ds[0].Received, body: s.scratch.Get().(*[]byte), enough: make(chan struct{}), done: make(chan struct{})}
		*g.body = (*g.body)[:0]
		s.group = g
	}
	for _, d := range ds {
		*g.body = appendFrame(*g.body, d)
	}
	g.n += len(ds)
	if g.wanted > 0 && g.n >= g.wanted {
		g.wanted = 0
		close(g.enough)
	}
	return g, first
}

// part closes a group, after a moment if it is much smaller than others were lately. Who comes now
// forms the next one.
func (s *Store) part(g *group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if half := s.crowd / 2; s.after != nil && s.group == g && g.n < half {
		g.wanted = half
		s.mu.Unlock()
		select {
		case <-g.enough:
		case <-s.after(patience):
		}
		s.mu.Lock()
		g.wanted = 0
	}
	if s.group == g {
		s.group = nil
	}
	s.crowd = max(g.n, s.crowd*3/4)
}

// take commits a group, with a job that thinks about it unless there is one that was not begun yet:
// that one will find it.
func (s *Store) take(ctx context.Context, now time.Time, g *group) error {
	s.commits <- true
	defer func() { <-s.commits }()
	s.part(g)
	sealed, err := s.seal.seal(*g.body, "intake/"+g.name)
	s.scratch.Put(g.body)
	if err != nil {
		return err
	}
	return s.base.keep(ctx, s, now, arrival{g.name, g.n, g.received, sealed})
}

// arrival is a row of the intake.
type arrival struct {
	name     string
	n        int
	received time.Time
	sealed   []byte
}

// ask queues a job that thinks about what was stored, unless there is one that will find it.
func (tx *Tx) ask(ctx context.Context, group string) error {
	asked, err := tx.store.base.asked(ctx, tx)
	if err != nil {
		return fmt.Errorf("look for a job: %w", err)
	}
	if asked {
		return nil
	}
	return tx.think(ctx, group)
}

func (tx *Tx) think(ctx context.Context, group string) error {
	args, opts := thinking(group)
	return tx.Enqueue(ctx, args, opts)
}

// thinking is a job that thinks about what just came in.
func thinking(group string) (ThinkArgs, river.InsertOpts) {
	return ThinkArgs{Group: group}, river.InsertOpts{Queue: QueueThink, Priority: prioUrgent}
}

// open puts what came in into its place, as deliveries of a group, and says which rows of the intake these
// were. What is too much for one job it leaves to another.
func (tx *Tx) open(ctx context.Context, group string) (taken []int64, err error) {
	if err := tx.store.base.begun(ctx, tx); err != nil {
		return nil, fmt.Errorf("begin a job: %w", err)
	}
	rows, taken, err := tx.takeOut(ctx)
	if err != nil || len(taken) == 0 {
		return nil, err
	}
	if len(rows) > 0 {
		if err := tx.store.base.place(ctx, tx, rows, group); err != nil {
			return nil, fmt.Errorf("place deliveries: %w", err)
		}
	}
	for _, seq := range taken {
		if _, err := tx.ExecContext(ctx, `delete from intake where seq = ?`, seq); err != nil {
			return nil, fmt.Errorf("place deliveries: %w", err)
		}
	}
	var more int
	if err := tx.QueryRowContext(ctx, `select count(*) from (select 1 from intake limit 1) x`).Scan(&more); err != nil || more == 0 {
		return taken, err
	}
	return taken, tx.ask(ctx, fmt.Sprintf("after-%d", taken[len(taken)-1]))
}

// haul is what one job takes out of the intake.
type haul struct {
	rows  []row
	taken []int64 // the rows of the intake that they were
}

// takeOut reads as much of the intake as one job may have: the newest commit, which may be a leak that just
// came, and then the oldest, so that nothing waits for ever.
func (tx *Tx) takeOut(ctx context.Context) (out []row, taken []int64, err error) {
	var h haul
	if _, _, err := tx.haul(ctx, &h, `order by seq desc limit 1`); err != nil {
		return nil, nil, fmt.Errorf("read what came in: %w", err)
	}
	newest, before := len(h.rows), len(h.taken)
	const page = 64
	for seen, last := page, int64(0); seen == page && len(h.taken) == before; { // what nobody can read now hides nothing behind it
		if seen, last, err = tx.haul(ctx, &h, `where seq > ? order by seq limit ?`, last, page); err != nil {
			return nil, nil, fmt.Errorf("read what came in: %w", err)
		}
	}
	return slices.Concat(h.rows[newest:], h.rows[:newest]), h.taken, nil // in the order in which they came
}

// haul adds some rows of the intake until there is enough, and says how many it saw and which was the last.
// One is always taken, if one can be: neither what is new nor what is old waits for ever.
func (tx *Tx) haul(ctx context.Context, h *haul, which string, args ...any) (seen int, last int64, err error) {
	found, err := tx.QueryContext(ctx, `select seq, name, n, body from intake `+which+` for update skip locked`, args...)
	if err != nil {
		return 0, 0, err
	}
	defer found.Close()
	before := len(h.taken)
	for n, size := len(h.rows), 0; found.Next(); seen++ {
		var (
			name   string
			many   int
			sealed []byte
		)
		if err := found.Scan(&last, &name, &many, &sealed); err != nil {
			return 0, 0, err
		}
		if slices.Contains(h.taken, last) {
			continue
		}
		if len(h.taken) > before && (n+many > mostOpened || size+len(sealed) > mostOpenedBytes) {
			break
		}
		fresh, err := tx.store.unseal(name, sealed)
		if errors.Is(err, ErrKey) { // the key may come yet: it stays, is looked for again, and stops no other
			continue
		}
		n, size = n+many, size+len(sealed)
		if err != nil { // it stops nobody else, and an operator sees it
			fresh = []row{{Delivery{GUID: "damaged-" + name, Event: "damaged", Received: tx.Now}, sealed}}
		}
		h.rows, h.taken = append(h.rows, fresh...), append(h.taken, last)
	}
	return seen, last, found.Err()
}

// unseal makes of a row of the intake what goes into the places of its deliveries.
func (s *Store) unseal(name string, sealed []byte) ([]row, error) {
	ds, err := s.opened(name, sealed)
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(ds))
	for i, d := range ds {
		sealed, err := s.seal.seal(d.Body, "delivery/"+d.GUID)
		if err != nil {
			return nil, err
		}
		rows[i] = row{d, sealed}
	}
	return rows, nil
}

// opened reads a row of the intake.
func (s *Store) opened(name string, sealed []byte) ([]Delivery, error) {
	plain, err := s.seal.open(sealed, "intake/"+name)
	if err != nil {
		return nil, err
	}
	return frames(plain)
}

// arriving reports whether a delivery is among what came in and has no place yet.
func (s *Store) arriving(ctx context.Context, guid string) (bool, error) {
	rows, err := s.read.QueryContext(ctx, `select name, body from intake`)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			name   string
			sealed []byte
		)
		if err := rows.Scan(&name, &sealed); err != nil {
			return false, err
		}
		ds, err := s.opened(name, sealed)
		if err != nil { // at worst it is taken in twice, and its name tells
			continue
		}
		if slices.ContainsFunc(ds, func(d Delivery) bool { return d.GUID == guid }) {
			return true, nil
		}
	}
	return false, rows.Err()
}

// row is a delivery with its sealed body.
type row struct {
	Delivery
	sealed []byte
}

// appendFrame writes a delivery in the form in which it lies in the intake: GUID, event and body,
// each behind its length, and the moment.
func appendFrame(b []byte, d Delivery) []byte {
	for _, s := range [...]string{d.GUID, d.Event} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = binary.AppendVarint(b, micros(d.Received))
	b = binary.AppendUvarint(b, uint64(len(d.Body)))
	return append(b, d.Body...)
}

// frames reads what appendFrame wrote. The bodies share memory with b.
func frames(b []byte) (out []Delivery, err error) {
	for len(b) > 0 {
		var guid, event, body []byte
		if guid, b, err = cut(b); err != nil {
			return nil, err
		}
		if event, b, err = cut(b); err != nil {
			return nil, err
		}
		at, n := binary.Varint(b)
		if n <= 0 {
			return nil, errFrame
		}
		if body, b, err = cut(b[n:]); err != nil {
			return nil, err
		}
		out = append(out, Delivery{GUID: string(guid), Event: string(event), Received: fromMicros(at), Body: body})
	}
	return out, nil
}

func cut(b []byte) (head, rest []byte, err error) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) { //nolint:gosec // b has the n bytes
		return nil, nil, errFrame
	}
	return b[n : n+int(size)], b[n+int(size):], nil //nolint:gosec // it is not longer than b
}

var errFrame = errors.New("it is not what was written")

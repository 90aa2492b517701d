package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
)

// Work is what lies aside for an operator: a delivery that could not be understood, or an effect
// that GitHub refused. It never holds text of a report.
type Work struct {
	ID       string    // "d17" or "e42", the same as long as the row is there
	At       time.Time // a delivery: when it came in; an effect: when it was laid aside
	Case     int64     // 0: a delivery
	What     string    // a delivery: its event; an effect: the last part of its key
	Action   disclosure.Action
	Attempts int
	Reason   string
	Withheld bool // never tried: the policy's mode keeps it (dry run, or waiting for approval)
}

// operator is who history names for what was done on the command line. No login has a space.
const operator = "an operator"

// Work lists what lies aside: deliveries, then effects, each in the order in which they came.
func (s *Store) Work(ctx context.Context) ([]Work, error) {
	rows, err := s.read.QueryContext(ctx, `select 'd', seq, received, 0, event, '', attempts, reason from delivery where state = 2 order by seq`)
	if err != nil {
		return nil, fmt.Errorf("read parked deliveries: %w", err)
	}
	out, err := scanWork(rows, nil)
	if err != nil {
		return nil, fmt.Errorf("read parked deliveries: %w", err)
	}
	rows, err = s.read.QueryContext(ctx, `select 'e', id, coalesce(finished, decided), case_id, key, action, attempts, reason from effect where state = 2 order by id`)
	if err != nil {
		return nil, fmt.Errorf("read parked effects: %w", err)
	}
	if out, err = scanWork(rows, out); err != nil {
		return nil, fmt.Errorf("read parked effects: %w", err)
	}
	return out, nil
}

func scanWork(rows *sql.Rows, out []Work) ([]Work, error) {
	defer rows.Close()
	for rows.Next() {
		var (
			w      Work
			letter string
			n, at  int64
		)
		if err := rows.Scan(&letter, &n, &at, &w.Case, &w.What, &w.Action, &w.Attempts, &w.Reason); err != nil {
			return nil, err
		}
		w.ID, w.At = fmt.Sprint(letter, n), fromMicros(at)
		if w.Case != 0 {
			// Whoever was refused was tried: an attempt is counted before it is made.
			w.Withheld, w.What = w.Attempts == 0, nameIn(w.What)
		}
		out = append(out, w)
	}
	return out, rows.Err()
}

// nameIn is the key of an effect without the case in front.
func nameIn(key string) string { _, name, _ := strings.Cut(key, ":"); return name }

// A Refusal says why something that an operator asked for is not done.
type Refusal string

func (r Refusal) Error() string { return string(r) }

// RetryWork makes what lies aside pending again, at once and with its attempts counted anew. That an
// earlier attempt may have landed is kept, so its mark is looked for. ErrNotFound: there is no such
// work.
func (s *Store) RetryWork(ctx context.Context, now time.Time, id string) error {
	return s.Write(ctx, now, func(tx *Tx) error {
		letter, n, err := parseWork(id)
		if err != nil {
			return err
		}
		if letter == "d" {
			return tx.changed(ctx, id, `update delivery set state = 0, attempts = 0, postponed = 0, next_at = ?, reason = '' where seq = ? and state = 2`, micros(now), n)
		}
		a, err := tx.aside(ctx, id, n)
		if err != nil {
			return err
		}
		if a.attempts == 0 {
			return Refusal(fmt.Sprintf("%s did not fail: the policy's mode keeps it (%s), and that counts for a case as long as it lives", id, a.reason))
		}
		return tx.release(ctx, id, a, "has "+a.name+" tried again")
	})
}

// ForApproval is why an effect lies aside that waits for an operator's word.
const ForApproval = "waits for approval"

// ApproveWork has done what waits for approval. ErrNotFound: there is no such work.
func (s *Store) ApproveWork(ctx context.Context, now time.Time, id string) error {
	return s.Write(ctx, now, func(tx *Tx) error {
		letter, n, err := parseWork(id)
		if err != nil {
			return err
		}
		if letter == "d" {
			return Refusal(id + " does not wait for approval")
		}
		a, err := tx.aside(ctx, id, n)
		if err != nil {
			return err
		}
		if a.attempts != 0 || a.reason != ForApproval {
			return Refusal(fmt.Sprintf("%s does not wait for approval (%s)", id, a.reason))
		}
		return tx.release(ctx, id, a, "approved "+a.name)
	})
}

// release makes an effect that lies aside pending, and says so in the history of its case.
func (tx *Tx) release(ctx context.Context, id string, a aside, note string) error {
	if err := tx.mayRelease(ctx, id, a); err != nil {
		return err
	}
	if err := tx.changed(ctx, id, `update effect set state = 0, attempts = 0, next_at = ?, finished = null, reason = '' where id = ? and state = 2`, micros(tx.Now), a.row); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `update cases set act_at = ? where id = ?`, micros(tx.Now), a.caseID); err != nil {
		return err
	}
	return tx.note(ctx, a.caseID, note)
}

// DropWork ends what lies aside: nobody will do it. The reason stays to be read. ErrNotFound: there is
// no such work.
func (s *Store) DropWork(ctx context.Context, now time.Time, id string) error {
	return s.Write(ctx, now, func(tx *Tx) error {
		letter, n, err := parseWork(id)
		if err != nil {
			return err
		}
		if letter == "d" {
			return tx.changed(ctx, id, `update delivery set state = 1, done = ? where seq = ? and state = 2`, micros(now), n)
		}
		a, err := tx.aside(ctx, id, n)
		if err != nil {
			return err
		}
		if err := tx.changed(ctx, id, `update effect set state = 3, finished = ?, reason = ? where id = ? and state = 2`, micros(now), "dropped by an operator: "+a.reason, n); err != nil {
			return err
		}
		return tx.note(ctx, a.caseID, "dropped "+a.name)
	})
}

// parseWork takes the name of work apart. One that is none is a Refusal.
func parseWork(id string) (letter string, n int64, err error) {
	if len(id) > 1 && (id[0] == 'd' || id[0] == 'e') {
		if n, err = strconv.ParseInt(id[1:], 10, 64); err == nil && n > 0 {
			return id[:1], n, nil
		}
	}
	return "", 0, Refusal(fmt.Sprintf("%q is not the name of work: want one like d17 or e42", id))
}

// aside is one effect that lies aside.
type aside struct {
	row, caseID   int64
	name, slot    string
	audience      string
	reason, state string
	attempts      int
	size          int // 0: its texts were erased
}

func (tx *Tx) aside(ctx context.Context, id string, row int64) (aside, error) {
	a := aside{row: row}
	err := tx.QueryRowContext(ctx, `select e.case_id, e.key, e.slot, e.audience, e.reason, e.attempts, length(e.body), c.state from effect e join cases c on c.id = e.case_id where e.id = ? and e.state = 2 for update`, row).
		Scan(&a.caseID, &a.name, &a.slot, &a.audience, &a.reason, &a.attempts, &a.size, &a.state)
	a.name = nameIn(a.name)
	if errors.Is(err, sql.ErrNoRows) {
		return a, ErrNotFound
	}
	if err != nil {
		return a, fmt.Errorf("read %s: %w", id, err)
	}
	return a, nil
}

// mayRelease refuses what would be wrong to do now.
func (tx *Tx) mayRelease(ctx context.Context, id string, a aside) error {
	if a.size == 0 {
		return Refusal(id + " belongs to a case whose texts were erased: there is nothing left to do it with")
	}
	if a.slot == "" {
		return nil
	}
	if a.state == string(disclosure.Closed) && a.audience == string(disclosure.Public) {
		return Refusal(fmt.Sprintf("%s belongs to case %d, which is closed: nothing more is hidden or said in public for it", id, a.caseID))
	}
	var newer int64
	err := tx.QueryRowContext(ctx, `select coalesce(max(id), 0) from effect where case_id = ? and slot = ? and id > ?`, a.caseID, a.slot, a.row).Scan(&newer)
	if err != nil {
		return fmt.Errorf("read %s: %w", id, err)
	}
	if newer != 0 {
		return Refusal(fmt.Sprintf("%s was overtaken by e%d, which says the same or more: drop it", id, newer))
	}
	return nil
}

// changed runs an update of one row. ErrNotFound: it did not change any.
func (tx *Tx) changed(ctx context.Context, id, update string, args ...any) error {
	r, err := tx.ExecContext(ctx, update, args...)
	if err != nil {
		return fmt.Errorf("change %s: %w", id, err)
	}
	n, err := r.RowsAffected()
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}

// note adds what an operator did to the history of a case.
func (tx *Tx) note(ctx context.Context, id int64, line string) error {
	if _, err := tx.ExecContext(ctx, `insert into history(case_id, at, by, line) values(?, ?, ?, ?)`, id, micros(tx.Now), operator, line); err != nil {
		return fmt.Errorf("save history of case %d: %w", id, err)
	}
	return nil
}

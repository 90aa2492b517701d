package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
)

// Retention is how long a delivery is kept once it is done with. GitHub keeps its own log for three
// days, so a repetition of what is forgotten can no longer be asked for.
const Retention = 30 * 24 * time.Hour

// portion bounds what one transaction of the slow work touches: webhooks wait behind it.
const portion = 200

// Forget removes deliveries that were done with long ago, and says how many these were. Of what the
// sweep found the name stays: the sweep may find it again, and must know it.
func (s *Store) Forget(ctx context.Context, now time.Time) (total int64, err error) {
	total, err = s.forget(ctx, now)
	return total, errors.Join(err, s.base.scrub(ctx, total > 0))
}

func (s *Store) forget(ctx context.Context, now time.Time) (total int64, err error) {
	for {
		if any, err := s.any(ctx, `select count(*) from (select 1 from delivery where done < ? order by done limit 1) x`, micros(now.Add(-Retention))); err != nil || !any {
			return total, err
		}
		gone, err := s.change(ctx, now, `delete from delivery where seq in (select seq from delivery where done < ? and event not like 'heed.%' order by done limit ?)`, micros(now.Add(-Retention)), portion)
		if total += gone; err != nil {
			return total, fmt.Errorf("forget deliveries: %w", err)
		}
		// done is cleared with the body: there is nothing left to forget.
		emptied, err := s.change(ctx, now, `update delivery set body = ?, done = null where seq in (select seq from delivery where done < ? and event like 'heed.%' order by done limit ?)`, []byte{}, micros(now.Add(-Retention)), portion)
		if total += emptied; err != nil {
			return total, fmt.Errorf("forget deliveries: %w", err)
		}
	}
}

// any is a look that costs next to nothing: the usual answer is no, and needs no transaction.
func (s *Store) any(ctx context.Context, query string, args ...any) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, query, args...).Scan(&n)
	return n > 0, err
}

// Erase takes the texts out of closed cases whose time has come, and out of their effects; it says
// how many cases these were. One whose effects are not all done waits for them, and one that nobody can read
// keeps no other from being erased.
func (s *Store) Erase(ctx context.Context, now time.Time) (total int, err error) {
	total, err = s.eraseRipe(ctx, now)
	return total, errors.Join(err, s.base.scrub(ctx, total > 0))
}

func (s *Store) eraseRipe(ctx context.Context, now time.Time) (total int, err error) {
	const ripe = `erase_at <= ? and not exists (select 1 from effect where case_id = cases.id and state = 0)`
	if any, err := s.any(ctx, `select count(*) from (select 1 from cases where `+ripe+` order by erase_at limit 1) x`, micros(now)); err != nil || !any {
		return 0, err
	}
	var passed error // over
	for after, more := int64(0), true; more; {
		var ids []int64
		var hidden error
		erased := 0
		err := s.Write(ctx, now, func(tx *Tx) (err error) {
			erased, hidden = 0, nil
			ids, err = tx.ids(ctx, `select id from cases where `+ripe+` and id > ? order by id limit ? for update`, micros(now), after, portion)
			if err != nil {
				return err
			}
			for _, id := range ids {
				done, err := tx.erase(ctx, id)
				switch {
				case isUnreadable(err):
					hidden = errors.Join(hidden, err)
				case err != nil:
					return err
				case done:
					erased++
				}
			}
			return nil
		})
		if err != nil {
			return total, fmt.Errorf("erase texts: %w", err)
		}
		total, passed = total+erased, errors.Join(passed, hidden)
		if more = len(ids) == portion; more {
			after = ids[portion-1]
		}
	}
	return total, passed
}

// erase takes the texts out of one case. Who held it until now may have thought about it: then it is not done.
func (tx *Tx) erase(ctx context.Context, id int64) (done bool, err error) {
	c, err := tx.Case(ctx, id)
	if err != nil {
		return false, err
	}
	var due int
	if err := tx.QueryRowContext(ctx, `select count(*) from effect where case_id = ? and state = 0`, id).Scan(&due); err != nil || due > 0 || c.EraseAt.IsZero() {
		return false, err
	}
	line := disclosure.Line{At: tx.Now, Text: "its texts were erased, as the policy says"}
	if err := tx.Save(ctx, c.WithoutTexts(), []disclosure.Line{line}, nil); err != nil {
		return false, err
	}
	for _, table := range []string{"effect", "label"} {
		if _, err := tx.ExecContext(ctx, `update `+table+` set body = ? where case_id = ?`, []byte{}, id); err != nil {
			return false, err
		}
	}
	return true, nil
}

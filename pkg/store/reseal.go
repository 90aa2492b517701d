package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A place is where sealed values lie: a table with the column that a value is bound to.
type place struct{ table, id, value, name string }

// Reseal encrypts everything anew that is not encrypted with the first key, and says how many values
// these were. Work goes on meanwhile; it goes through everything until there is nothing left to do. What no
// key opens is left as it is: it could not be read before either.
func (s *Store) Reseal(ctx context.Context, now time.Time) (total int, err error) {
	for {
		pass := 0
		if err := s.empty(ctx, now); err != nil {
			return total, fmt.Errorf("encrypt anew: %w", err)
		}
		for _, p := range []place{
			{"delivery", "guid", "body", "delivery/"},
			{"cases", "id", "body", "case/"},
			{"effect", "key", "body", "effect/"},
			{"setting", "name", "value", "setting/"},
			{"label", "case_id", "body", "label/"},
		} {
			n, err := s.resealAll(ctx, now, p)
			if err != nil {
				return total, fmt.Errorf("encrypt anew: %w", err)
			}
			pass += n
		}
		if total += pass; pass == 0 {
			return total, nil
		}
	}
}

// empty puts all that came in into its place, where values are encrypted anew, with jobs to think
// about it.
func (s *Store) empty(ctx context.Context, now time.Time) error {
	after := int64(0)
	for {
		var first []int64
		err := s.Write(ctx, now, func(tx *Tx) (err error) {
			if first, err = tx.ids(ctx, `select seq from intake where seq > ? order by seq limit 1`, after); err != nil || len(first) == 0 {
				return err
			}
			group := fmt.Sprintf("rotated-%d", first[0])
			taken, err := tx.open(ctx, group)
			if err != nil {
				return err
			}
			if !slices.Contains(taken, first[0]) {
				after = first[0] // nobody can read it
			}
			if len(taken) == 0 {
				return nil
			}
			return tx.think(ctx, group)
		})
		if err != nil {
			s.base.forget()
		}
		if err != nil || len(first) == 0 {
			return err
		}
	}
}

func (s *Store) resealAll(ctx context.Context, now time.Time, p place) (total int, err error) {
	var after any = ""
	if p.id == "id" || p.id == "case_id" {
		after = int64(0)
	}
	for after != nil {
		n := 0
		err := s.Write(ctx, now, func(tx *Tx) (err error) {
			n, after, err = tx.reseal(ctx, p, after)
			return err
		})
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

// reseal does a portion behind a row, and says of how many rows it was, and what the last one was; nil if
// there was none.
func (tx *Tx) reseal(ctx context.Context, p place, after any) (n int, last any, err error) {
	seal := tx.store.seal
	first := prefix(seal.uses())
	rows, err := tx.QueryContext(ctx, fmt.Sprintf(`select %s, %s from %s where %s > ? and length(%s) > 0 and substr(%s, 1, 5) <> ? order by %s limit %d for update`,
		p.id, p.value, p.table, p.id, p.value, p.value, p.id, portion), after, first[:])
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close()
	var (
		ids   []any
		fresh [][]byte
	)
	for rows.Next() {
		var (
			id     any
			sealed []byte
		)
		if err := rows.Scan(&id, &sealed); err != nil {
			return 0, nil, err
		}
		last = id
		bound := p.name + fmt.Sprint(id)
		plain, err := seal.open(sealed, bound)
		if err != nil {
			continue
		}
		anew, err := seal.seal(plain, bound)
		if err != nil {
			return 0, nil, err
		}
		ids, fresh = append(ids, id), append(fresh, anew)
	}
	if err := rows.Err(); err != nil {
		return 0, nil, err
	}
	for i, id := range ids {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf(`update %s set %s = ? where %s = ?`, p.table, p.value, p.id), fresh[i], id); err != nil {
			return 0, nil, err
		}
	}
	return len(ids), last, nil
}

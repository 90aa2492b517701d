package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Beating is how often a process says that it lives, and Dead is after what silence it does not.
const (
	Beating = 10 * time.Second
	Dead    = 3 * Beating
)

// Beat says that a process lives and which data key it uses, and how many processes live. What it
// reads is encrypted with the newest key, so that this process learns of it; one that cannot lives all the
// same, and what it still encrypts with the old key must not become unreadable.
func (s *Store) Beat(ctx context.Context, name string, now time.Time) (live int, err error) {
	_, unknown := s.Get(ctx, keySetting)
	err = s.Write(ctx, now, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, `insert into replica(name, seen, key_id) values(?, ?, ?) on conflict(name) do update set seen = excluded.seen, key_id = excluded.key_id`,
			name, micros(now), int64(s.seal.uses()))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `delete from replica where seen < ?`, micros(now.Add(-time.Hour))); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `select count(*) from replica where seen > ?`, micros(now.Add(-Dead))).Scan(&live)
	})
	if err = errors.Join(unknown, err); err != nil {
		return 0, fmt.Errorf("beat: %w", err)
	}
	return live, nil
}

// Leave says that a process ends.
func (s *Store) Leave(ctx context.Context, name string, now time.Time) error {
	_, err := s.change(ctx, now, `delete from replica where name = ?`, name)
	return wrapped(err, "leave")
}

// keySetting holds nothing of interest; that it is encrypted with the newest key is all.
const keySetting = "key"

// Announce makes living processes learn of the key that this one uses.
func (s *Store) Announce(ctx context.Context, now time.Time) error {
	err := s.Write(ctx, now, func(tx *Tx) error { return tx.Set(ctx, keySetting, now.UTC().Format(time.RFC3339)) })
	return wrapped(err, "announce a data key")
}

// Behind counts the living processes that still encrypt with another key than this one.
func (s *Store) Behind(ctx context.Context, now time.Time) (n int, err error) {
	err = s.read.QueryRowContext(ctx, `select count(*) from replica where seen > ? and key_id <> ?`, micros(now.Add(-Dead)), int64(s.seal.uses())).Scan(&n)
	return n, wrapped(err, "count processes with another data key")
}

// uses is the key that encrypts.
func (s *sealer) uses() uint32 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return binary.BigEndian.Uint32(s.primary[1:])
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Ban tells the other processes until when GitHub lets an installation make no calls. A ban that is
// known to last longer stays.
func (s *Store) Ban(ctx context.Context, now time.Time, installation int64, until time.Time) error {
	_, err := s.change(ctx, now, `insert into ban(installation, until) values(?, ?) on conflict(installation) do update set until = excluded.until where excluded.until > ban.until`,
		installation, micros(until))
	if err != nil {
		return fmt.Errorf("note a ban: %w", err)
	}
	return nil
}

// Banned is until when an installation may make no calls, as far as any process knows; zero if none does.
func (s *Store) Banned(ctx context.Context, installation int64) (time.Time, error) {
	var until int64
	err := s.read.QueryRowContext(ctx, `select until from ban where installation = ?`, installation).Scan(&until)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("look for a ban: %w", err)
	}
	return fromMicros(until), nil
}

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
)

// A Line is how many wait, and since when the first of them does.
type Line struct {
	Depth  int64
	Oldest time.Time // zero when nobody waits
}

// Waiting is what is still to be done.
type Waiting struct {
	Deliveries Line // not thought about yet
	Urgent     Line // effects that shorten an exposure
	Effects    Line // the other effects
	Due        Line // cases whose moment has come, and nobody was told: the engine looks ten times a second
}

// Waiting counts what is still to be done. It reads indexes of what waits, however much was done
// already.
func (s *Store) Waiting(ctx context.Context, now time.Time) (w Waiting, err error) {
	at := micros(now)
	var wake, act, came Line
	for _, q := range []struct {
		line  *Line
		query string
		args  []any
	}{
		{&w.Deliveries, `select count(*), coalesce(min(received), 0) from delivery where state = 0`, nil},
		{&came, `select coalesce(sum(n), 0), coalesce(min(received), 0) from intake`, nil},
		{&w.Urgent, `select count(*), coalesce(min(decided), 0) from effect where state = 0 and urgent = ?`, []any{true}},
		{&w.Effects, `select count(*), coalesce(min(decided), 0) from effect where state = 0 and urgent = ?`, []any{false}},
		{&wake, `select count(*), coalesce(min(wake_at), 0) from cases where wake_at <= ?`, []any{at}},
		{&act, `select count(*), coalesce(min(act_at), 0) from cases where act_at <= ? and lane_until <= ?`, []any{at, at}},
	} {
		if *q.line, err = s.line(ctx, q.query, q.args...); err != nil {
			return Waiting{}, fmt.Errorf("count what waits: %w", err)
		}
	}
	w.Deliveries, w.Due = w.Deliveries.and(came), wake.and(act)
	return w, nil
}

// and joins two lines.
func (l Line) and(m Line) Line {
	oldest := l.Oldest
	if l.Depth == 0 || m.Depth > 0 && m.Oldest.Before(oldest) {
		oldest = m.Oldest
	}
	return Line{l.Depth + m.Depth, oldest}
}

// Aside is what was laid aside for an operator.
type Aside struct {
	Deliveries Line
	Effects    Line // refused
	Withheld   Line // never tried: the policy's mode keeps them
}

// Aside counts what lies aside.
func (s *Store) Aside(ctx context.Context) (a Aside, err error) {
	for _, q := range []struct {
		line  *Line
		query string
	}{
		{&a.Deliveries, `select count(*), coalesce(min(received), 0) from delivery where state = 2`},
		{&a.Effects, `select count(*), coalesce(min(finished), 0) from effect where state = 2 and attempts > 0`},
		{&a.Withheld, `select count(*), coalesce(min(finished), 0) from effect where state = 2 and attempts = 0`},
	} {
		if *q.line, err = s.line(ctx, q.query); err != nil {
			return Aside{}, fmt.Errorf("count what lies aside: %w", err)
		}
	}
	return a, nil
}

func (s *Store) line(ctx context.Context, query string, args ...any) (l Line, err error) {
	var oldest int64
	err = s.read.QueryRowContext(ctx, query, args...).Scan(&l.Depth, &oldest)
	l.Oldest = fromMicros(oldest)
	return l, err
}

// OpenCases returns open cases in the order of their numbers, at most so many, beginning after one.
func (s *Store) OpenCases(ctx context.Context, after int64, most int) ([]disclosure.Case, error) {
	rows, err := s.read.QueryContext(ctx, `select id, body from cases where state <> 'closed' and id > ? order by id limit ?`, after, most)
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	return s.scanCases(rows, true)
}

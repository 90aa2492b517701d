package store

import (
	"testing"
	"time"
)

// TestDeposed: who led when he was killed leads no more, or nobody sweeps until his term is over.
func TestDeposed(t *testing.T) {
	t.Parallel()
	s := sqliteIn(t.TempDir())(t)
	_, err := s.base.(*embedded).writer.ExecContext(t.Context(), `insert into river_leader(elected_at, expires_at, leader_id) values(?, ?, 'the dead')`, time.Unix(0, 0).UTC(), time.Unix(1<<40, 0).UTC())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Revive(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s, "select count(*) from river_leader"); n != 0 {
		t.Errorf("%d leaders", n)
	}
}

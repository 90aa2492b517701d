package store

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
)

// sqlState is how PostgreSQL's driver names its errors.
type sqlState string

func (s sqlState) Error() string    { return "error" }
func (s sqlState) SQLState() string { return string(s) }

func TestIsFull(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("database or disk is full"), false}, // words alone are nobody's proof
		{fmt.Errorf("write: %w", syscall.ENOSPC), true},
		{fmt.Errorf("write: %w", syscall.EIO), false},
		{fmt.Errorf("commit: %w", sqlState("53100")), true},
		{fmt.Errorf("commit: %w", sqlState("53200")), false},
	} {
		if got := IsFull(tt.err); got != tt.want {
			t.Errorf("%v: %t", tt.err, got)
		}
	}
}

func TestScarce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		free, size uint64
		want       bool
	}{
		{0, 0, false}, // nobody can say
		{0, 1 << 30, true},
		{255 << 20, 1 << 30, true},
		{256 << 20, 1 << 30, false},
		{256 << 20, 100 << 30, true},
		{6 << 30, 100 << 30, false},
	} {
		if got := (Disk{Free: tt.free, Size: tt.size}).Scarce(); got != tt.want {
			t.Errorf("%d of %d: %t", tt.free, tt.size, got)
		}
	}
	d, err := open(t, filepath.Join(t.TempDir(), "heed.db")).Disk()
	if err != nil || d.Used == 0 || d.Size < d.Free {
		t.Errorf("of this disk: %+v, %v", d, err)
	}
}

// A thought that finds no room leaves nothing, and the database is sound.
func TestNothingIsHalfWritten(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "heed.db"))
	placed(t, s, delivery("a"))
	before := count(t, s, "select (select count(*) from intake) + (select count(*) from delivery) + (select count(*) from river_job)")
	if _, err := s.base.(*embedded).writer.ExecContext(t.Context(), "pragma max_page_count = 1"); err != nil { // as many as there are
		t.Fatal(err)
	}
	big := make([]byte, 1<<20)
	_, _ = rand.Read(big)
	small, large := delivery("b"), delivery("c")
	large.Body = big
	if err := s.Accept(t.Context(), now, small, large); !IsFull(err) {
		t.Errorf("accepted without room: %v", err)
	}
	if n := count(t, s, "select (select count(*) from intake) + (select count(*) from delivery) + (select count(*) from river_job)"); n != before {
		t.Errorf("%d rows, %d before", n, before)
	}
	var sound string
	if err := s.read.QueryRowContext(t.Context(), "pragma integrity_check").Scan(&sound); err != nil || sound != "ok" {
		t.Errorf("the database is not sound: %s, %v", sound, err)
	}
	if _, err := s.base.(*embedded).writer.ExecContext(t.Context(), "pragma max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	if err := s.Accept(t.Context(), now, small, large); err != nil {
		t.Fatal(err)
	}
	if ds := pending(t, s, "b", now); len(ds) != 2 || !bytes.Equal(ds[1].Body, big) {
		t.Errorf("with room again: %d deliveries", len(ds))
	}
}

package store

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
)

// What was erased or forgotten is in no file of SQLite any more, not even encrypted.
func TestWhatIsErasedIsGoneFromTheFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "heed.db")
	s := open(t, path)
	long := make([]byte, 50_000) // more than a page, and nothing to compress
	_, _ = rand.Read(long)
	c := opened(t, s, disclosure.Effect{Key: "a", Secret: disclosure.Seal(string(long))})
	c.State, c.EraseAt, c.Wake, c.Body = disclosure.Closed, now.Add(time.Hour), time.Time{}, disclosure.Seal(string(long))
	write(t, s, now, func(tx *Tx) error { return tx.Save(t.Context(), c, nil, nil) })
	finish(t, s, c.ID, "a")
	d := delivery("d")
	d.Body = long
	placed(t, s, d)
	write(t, s, now, func(tx *Tx) error {
		_, err := tx.ExecContext(t.Context(), `update delivery set state = 1, done = ?`, micros(now))
		return err
	})

	var parts [][]byte
	for _, query := range []string{"select body from cases", "select body from effect", "select body from delivery"} {
		var sealed []byte
		if err := s.read.QueryRowContext(t.Context(), query).Scan(&sealed); err != nil || len(sealed) < len(long) {
			t.Fatalf("%s: %d bytes, %v", query, len(sealed), err)
		}
		for at := 1000; at+32 < len(sealed); at += 500 {
			parts = append(parts, sealed[at:at+32])
		}
	}
	found := func() (n int) {
		t.Helper()
		files, err := filepath.Glob(path + "*")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range parts {
				if bytes.Contains(b, part) {
					n++
				}
			}
		}
		return n
	}
	if n := found(); n < len(parts)*9/10 { // a part that lies across two pages is not found
		t.Fatalf("%d of %d parts are in the files before", n, len(parts))
	}
	later := now.Add(Retention + time.Hour)
	if n, err := s.Forget(t.Context(), later); n != 1 || err != nil {
		t.Errorf("%d deliveries forgotten, %v", n, err)
	}
	if n, err := s.Erase(t.Context(), later); n != 1 || err != nil {
		t.Errorf("%d cases erased, %v", n, err)
	}
	if n := found(); n != 0 {
		t.Errorf("%d of %d parts are still in the files", n, len(parts))
	}
}

// Whoever reads just now is not waited for: the door would wait too. The log is cut the next time.
func TestScrubbingWaitsForNobody(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "heed.db")
	s, other := open(t, path), open(t, path)
	placed(t, s, delivery("a"))
	write(t, s, now, func(tx *Tx) error {
		_, err := tx.ExecContext(t.Context(), `update delivery set state = 1, done = ?`, micros(now))
		return err
	})
	reading, err := other.read.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := reading.QueryRowContext(t.Context(), `select count(*) from delivery`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	log := func() int64 {
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	began := time.Now()
	later := now.Add(Retention + time.Hour)
	if n, err := s.Forget(t.Context(), later); n != 1 || err != nil || log() == 0 {
		t.Errorf("%d forgotten, %v; the log has %d bytes", n, err, log())
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it waited %s for the reader", took)
	}
	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Forget(t.Context(), later); n != 0 || err != nil || log() != 0 {
		t.Errorf("then %d forgotten, %v; the log has %d bytes", n, err, log())
	}
}

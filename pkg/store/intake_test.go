package store

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Who comes while a job waits to be begun is found by it: under load one job thinks about many commits.
func oneJobForMany(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	for i := range 5 {
		accept(t, s, delivery(fmt.Sprint("early-", i)))
	}
	if n := jobs(t, s, "think"); n != 1 {
		t.Errorf("%d jobs for five commits that no job was begun for", n)
	}
	if ds := pending(t, s, "early-0", now); len(ds) != 5 {
		t.Errorf("the first job finds %d of 5 deliveries", len(ds))
	}
	before := jobs(t, s, "think")
	accept(t, s, delivery("late"))
	if n := jobs(t, s, "think"); n != before+1 {
		t.Errorf("%d jobs, %d before: what comes after a job was begun needs another", n, before)
	}
	thinkAll(t, s)
	if n := count(t, s, "select count(*) from delivery"); n != 6 {
		t.Errorf("%d deliveries have a place, want 6", n)
	}
}

// What is more than one job should have is left to another one. The newest goes first: it may be a leak.
func portions(t *testing.T, open func(*testing.T) *Store) {
	s := open(t)
	const n = 2*mostOpened + 10
	for i := range n {
		accept(t, s, delivery(fmt.Sprint(i)))
	}
	large := delivery("large")
	large.Body = []byte(strings.Repeat("a large one ", mostTogether/12+1))
	accept(t, s, large)
	accept(t, s, delivery("newest"))
	ds := pending(t, s, "first", now)
	if len(ds) == 0 || len(ds) > mostOpened || ds[len(ds)-1].GUID != "newest" || ds[0].GUID != "0" {
		t.Errorf("the first job has %d deliveries, want the newest and then the oldest", len(ds))
	}
	thinkAll(t, s)
	if got, left := count(t, s, "select count(*) from delivery"), count(t, s, "select count(*) from intake"); got != n+2 || left != 0 {
		t.Errorf("%d of %d deliveries have a place, %d commits wait for nobody", got, n+2, left)
	}
	if known, err := s.Known(t.Context(), "large"); err != nil || !known {
		t.Errorf("the large one is not known, %v", err)
	}
}

// What a broken disk did to one commit stops no other, and is shown to operators.
func TestADamagedCommitIsParked(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "heed.db"))
	accept(t, s, delivery("a"))
	write(t, s, now, func(tx *Tx) error {
		_, err := tx.ExecContext(t.Context(), `update intake set body = cast(substr(body, 1, length(body) - 1) || x'00' as blob)`)
		return err
	})
	accept(t, s, delivery("b"))
	if ds := pending(t, s, "a", now); len(ds) != 1 || ds[0].GUID != "b" {
		t.Errorf("got %v, want the one that is whole", ds)
	}
	aside, err := s.Work(t.Context())
	if err != nil || len(aside) != 1 || aside[0].Reason != "what is stored is damaged" {
		t.Errorf("aside lies %v, %v", aside, err)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(appendFrame(appendFrame(nil, delivery("a")), delivery("b")), "guid", "issues", []byte("{}"))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, "", "", []byte(nil))
	f.Fuzz(func(t *testing.T, raw []byte, guid, event string, body []byte) {
		if ds, err := frames(raw); err == nil { // it must not panic, and what it reads is what is written
			var again []byte
			for _, d := range ds {
				again = appendFrame(again, d)
			}
			if back, err := frames(again); err != nil || !cmp.Equal(ds, back) {
				t.Errorf("read %v, then %v, %v", ds, back, err)
			}
		}
		d := Delivery{GUID: guid, Event: event, Received: now, Body: body}
		got, err := frames(appendFrame(appendFrame(nil, d), d))
		if err != nil || len(got) != 2 || got[1].GUID != guid || got[1].Event != event || !got[1].Received.Equal(now) || !bytes.Equal(got[1].Body, body) {
			t.Errorf("wrote %v, read %v, %v", d, got, err)
		}
	})
}

// Commits whose key is not there wait for it, are not called damaged, and hide no other.
func TestACommitWithoutItsKeyWaits(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "heed.db")
	s := open(t, path)
	const before = 70 // more than are read at once
	for i := range before {
		accept(t, s, delivery(fmt.Sprint("a", i)))
	}
	fresh := bytes.Repeat([]byte{9}, 32)
	other := &Store{base: s.base, read: s.read, commits: s.commits, scratch: sync.Pool{New: func() any { return new([]byte) }}}
	var err error
	if other.seal, err = newSealer(OneKey(fresh)); err != nil {
		t.Fatal(err)
	}
	accept(t, other, delivery("b"))
	accept(t, s, delivery("c"))
	if ds := pending(t, other, "b", now); len(ds) != 1 || ds[0].GUID != "b" {
		t.Errorf("got %v, want the one whose key is there", ds)
	}
	if aside, err := s.Work(t.Context()); err != nil || len(aside) != 0 {
		t.Errorf("aside lies %v, %v", aside, err)
	}
	if ds := pending(t, s, "a", now); len(ds) == 0 || ds[0].GUID != "a0" || ds[len(ds)-1].GUID != "c" {
		t.Errorf("got %v, want what waited for its key", ds)
	}
}

// Commits as large as a job may be come one after the other, and what is old is not left behind.
func TestTheOldestIsNotLeftBehind(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "heed.db"))
	accept(t, s, delivery("old"))
	var many []Delivery
	for i := range mostOpened {
		many = append(many, delivery(fmt.Sprint("new-", i)))
	}
	accept(t, s, many...)
	if ds := pending(t, s, "first", now); len(ds) != mostOpened+1 || ds[0].GUID != "old" {
		t.Errorf("%d deliveries, the first is %q", len(ds), ds[0].GUID)
	}
}

// A transaction that would have asked for a job is undone: the next delivery asks for one.
func TestWhoAskedInVainIsForgotten(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "heed.db"))
	accept(t, s, delivery("one"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.NewDeliveries(t.Context(), "one", now); err == nil {
		t.Fatal("a closed database was read")
	}
	if d := s.base.(*embedded); d.ask.Load() {
		t.Error("nobody would ask for a job")
	}
}

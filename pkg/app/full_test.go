package app_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/heed-app/heed/pkg/store"
)

// The disk is full while a leak is told: the door refuses it, /readyz says why, and when there is room
// GitHub's repetition leads to the same as the first would have.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	pages := func(n int) {
		t.Helper()
		err := w.app.Store.Write(t.Context(), w.now, func(tx *store.Tx) error {
			_, err := tx.ExecContext(t.Context(), fmt.Sprintf("pragma max_page_count = %d", n))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	pages(1) // as many as there are
	noise := make([]byte, 20000)
	_, _ = rand.Read(noise) // what repeats itself would be compressed
	if _, err := w.sim.OpenIssue("eve", "acme/web", leakTitle, leakBody+fmt.Sprintf("\n\n```\n%x\n```", noise)); err != nil {
		t.Fatal(err)
	}
	refused := w.sim.Pending()
	for _, d := range refused {
		if err := w.deliver(d); err == nil || !strings.Contains(err.Error(), "503") {
			t.Errorf("full: %v", err)
		}
	}
	w.now = w.now.Add(time.Minute)
	if got := get(w, "/readyz"); !strings.HasPrefix(got, "503") || !strings.Contains(got, "the disk of the database is full") {
		t.Errorf("full: %s", got)
	}
	pages(1 << 30)
	w.now = w.now.Add(time.Minute)
	if got := get(w, "/readyz"); !strings.HasPrefix(got, "200") {
		t.Errorf("with room again: %s", got)
	}
	for range 2 { // the sweep asks GitHub to repeat what failed
		if err := w.sweep(); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := w.sim.SeeIssue("", "acme/web", 1); err != nil || strings.Contains(text, "union select") {
		t.Errorf("the leak still stands there: %v\n%s", err, text)
	}
	if laws := w.sim.Violations(); len(laws) > 0 {
		t.Errorf("laws broken: %s", laws)
	}
}

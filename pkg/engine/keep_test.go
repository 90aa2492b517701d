package engine

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heed-app/heed/pkg/store"
)

// The clock of a synctest bubble stands still until everybody waits: no time is spent here.
func TestKeep(t *testing.T) {
	t.Parallel()
	const lease = 30 * time.Second
	for _, tt := range []struct {
		name  string
		renew func(ctx context.Context, n int) error // the n-th time
		ends  time.Duration                          // when held ends; 0: not within an hour
	}{
		{"it goes well", func(context.Context, int) error { return nil }, 0},
		{"somebody else took it", func(_ context.Context, n int) error { return map[bool]error{true: store.ErrLost}[n == 3] }, 15 * time.Second},
		{"the database fails once", func(_ context.Context, n int) error { return map[bool]error{true: errors.New("down")}[n == 2] }, 0},
		{"it fails for good", func(context.Context, int) error { return errors.New("down") }, lease / 2},
		{"it hangs", func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() }, lease / 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin, n := time.Now(), 0
				held, stop := keep(t.Context(), lease, time.Now, func(ctx context.Context) error { n++; return tt.renew(ctx, n) })
				select {
				case <-held.Done():
				case <-time.After(time.Hour):
				}
				if took := time.Since(begin); held.Err() != nil && took != tt.ends || (held.Err() == nil) != (tt.ends == 0) {
					t.Errorf("held for %s, want %s", took, tt.ends)
				}
				stop()
				if held.Err() == nil {
					t.Error("it is held after stop")
				}
			})
		})
	}
}

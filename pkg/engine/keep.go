package engine

import (
	"context"
	"errors"
	"time"

	"github.com/heed-app/heed/pkg/store"
)

// keep renews a lease while something is under way, six times as often as it would end. held ends when
// the lease may be over: renewing was refused, or has failed for half of it; the other half is for
// calls that GitHub is still working on. stop ends the keeping.
func keep(ctx context.Context, lease time.Duration, now func() time.Time, renew func(context.Context) error) (held context.Context, stop func()) {
	held, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(lease / 6)
		defer tick.Stop()
		for since := now(); held.Err() == nil; {
			select {
			case <-held.Done():
				return
			case <-tick.C:
			}
			// A database that does not answer must not keep us from noticing.
			asked, enough := context.WithTimeout(held, lease/6)
			err := renew(asked)
			enough()
			switch at := now(); {
			case err == nil:
				since = at
			case errors.Is(err, store.ErrLost) || at.Sub(since) >= lease/2:
				cancel()
			}
		}
	}()
	return held, func() { cancel(); <-done }
}

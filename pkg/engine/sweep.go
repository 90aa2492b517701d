package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/heed-app/heed/pkg/hub"
	"github.com/heed-app/heed/pkg/store"
)

// mostReads bounds what one sweep reads of one installation, so that watching never uses up the
// calls that acting needs. What is left out comes first the next time.
const mostReads = 60

// Sweep compares GitHub with what we know. What it finds becomes the same events as webhooks, and
// goes the same way from there. One part that fails does not keep the others from being looked at.
func (e *Engine) Sweep(ctx context.Context) error {
	start := e.Now()
	ctx = hub.Watching(ctx)
	err := errors.Join(e.sweepDeliveries(ctx), e.sweepInstallations(ctx))
	e.stats.swept(start, e.Now(), err == nil)
	if err != nil {
		e.Log.WarnContext(ctx, "sweep", "err", err)
	}
	return nil // the next one comes anyway
}

// sweepInstallations goes through the installations, from where the last sweep ended: GitHub may be slow for
// one of them, and the time of a sweep is bounded.
func (e *Engine) sweepInstallations(ctx context.Context) error {
	list, err := e.Hub.Installations(ctx)
	if err != nil {
		return err
	}
	var errs []error
	var sweepers []*sweeper
	for _, i := range list {
		if i.Suspended {
			continue
		}
		s := &sweeper{Engine: e, Installation: i, inst: i.ID, left: mostReads}
		if err := s.awake(ctx); err != nil { // of all of them first: it is about us, not about their turn
			errs = append(errs, err)
			continue
		}
		sweepers = append(sweepers, s)
	}
	const name = "swept-installation"
	last, err := e.cursor(ctx, name)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	slices.SortFunc(sweepers, func(a, b *sweeper) int { return cmp.Compare(a.inst, b.inst) })
	first, _ := slices.BinarySearchFunc(sweepers, last+1, func(s *sweeper, id int64) int { return cmp.Compare(s.inst, id) })
	for k := range sweepers {
		if ctx.Err() != nil {
			break
		}
		s := sweepers[(first+k)%len(sweepers)]
		last = s.inst
		errs = append(errs, s.sweep(ctx))
	}
	return errors.Join(append(errs, e.set(ctx, name, strconv.FormatInt(last, 10)))...)
}

// longestLook bounds the look at one installation, beside the number of calls.
const longestLook = 2 * time.Minute

func (s *sweeper) sweep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, longestLook)
	defer cancel()
	err := s.missed(ctx)
	if len(s.Permissions) == 0 || s.Permissions["repository_advisories"] != "" { // without it GitHub answers with an empty list
		err = errors.Join(err, s.open(ctx), s.repos(ctx))
	}
	return err
}

// sweeper is one sweep of one installation.
type sweeper struct {
	*Engine
	hub.Installation
	inst int64
	left int // calls it may still make
}

// spend takes a call from those that are left. It is false when there are none, or no time for one.
func (s *sweeper) spend(ctx context.Context) bool {
	s.left--
	return s.left >= 0 && ctx.Err() == nil
}

func (e *Engine) cursor(ctx context.Context, name string) (int64, error) {
	text, err := e.Store.Get(ctx, name)
	if err != nil || text == "" {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}

// moment reads a setting that is a time; zero if it was never set.
func (e *Engine) moment(ctx context.Context, name string) (time.Time, error) {
	text, err := e.Store.Get(ctx, name)
	t, _ := time.Parse(time.RFC3339Nano, text)
	return t, err
}

// set keeps how far something has come, also when its time is over.
func (e *Engine) set(ctx context.Context, name, value string) error {
	ctx = context.WithoutCancel(ctx)
	return e.Store.Write(ctx, e.Now(), func(tx *store.Tx) error { return tx.Set(ctx, name, value) })
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// take makes what was found a delivery like any other.
func (s *sweeper) take(ctx context.Context, f hub.Found, what string) error {
	known, err := s.Store.Known(ctx, f.GUID)
	if err != nil || known {
		return err
	}
	s.stats.found(what)
	s.Log.InfoContext(ctx, "the sweep found something", "what", what, "repo", f.Repo.String(), "delivery", f.GUID)
	now := s.Now()
	return s.Store.Accept(ctx, now, store.Delivery{GUID: f.GUID, Event: f.Event, Received: now, Body: f.Payload()})
}

func unique(in []string) []string {
	slices.Sort(in)
	return slices.Compact(in)
}

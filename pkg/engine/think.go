package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/heed-app/heed/pkg/detect"
	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/flow"
	"github.com/heed-app/heed/pkg/hub"
	"github.com/heed-app/heed/pkg/policy"
	"github.com/heed-app/heed/pkg/store"
)

// A thought is one delivery with what it comes to.
type thought struct {
	store.Delivery
	n       hub.Notice
	verdict detect.Verdict
	err     error
}

// happening is an event for the case of a name, in a world.
type happening struct {
	ref   disclosure.Ref
	event flow.Event
	world flow.World
}

// errOvertaken says that there is a case by now: others think at the same time, and what counts for
// a case is how GitHub reads now.
var errOvertaken = errors.New("overtaken by another delivery")

// Think works off one committed group of deliveries. Ordinary ones are retired together; whatever
// might shorten an exposure goes first. A delivery that fails waits for itself and stops no other.
func (e *Engine) Think(ctx context.Context, group string) error {
	ds, err := e.Store.NewDeliveries(ctx, group, e.Now())
	if err != nil || len(ds) == 0 {
		return err
	}
	us, err := e.Hub.Login(ctx)
	if err != nil {
		for _, d := range ds {
			if err := e.postpone(ctx, d, err); err != nil {
				return err
			}
		}
		return nil
	}
	thoughts := make([]thought, len(ds))
	for i, d := range ds {
		t := thought{Delivery: d}
		if t.n, t.err = hub.Decode(d.Event, d.Body); t.err == nil {
			t.verdict = read(t.n, us)
		}
		thoughts[i] = t
	}
	slices.SortStableFunc(thoughts, func(a, b thought) int { return cmp.Compare(b.verdict.Probability, a.verdict.Probability) })
	var nothing []int64
	for _, t := range thoughts {
		quiet, err := e.consider(ctx, t, us)
		if err != nil {
			return err
		}
		if quiet {
			nothing = append(nothing, t.Seq)
		}
	}
	if len(nothing) == 0 {
		return nil
	}
	return e.Store.Write(ctx, e.Now(), func(tx *store.Tx) error { return tx.Retire(ctx, nothing...) })
}

// consider thinks about one delivery. quiet: nothing follows from it.
func (e *Engine) consider(ctx context.Context, t thought, us string) (quiet bool, err error) {
	if t.err != nil {
		return false, e.park(ctx, t.Delivery, t.err)
	}
	hs, err := e.route(ctx, t, us)
	if err != nil {
		return false, e.postpone(ctx, t.Delivery, err)
	}
	if len(hs) == 0 {
		e.stats.thought(e.Now().Sub(t.Received))
		e.stats.delivery("thought")
		return true, nil
	}
	err = e.Store.Write(ctx, e.Now(), func(tx *store.Tx) error {
		ours, err := tx.Claim(ctx, t.Seq)
		if err != nil || !ours {
			return err
		}
		tx.Then(func() {
			e.stats.thought(e.Now().Sub(t.Received))
			e.stats.delivery("thought")
			e.Log.InfoContext(ctx, "thought", "delivery", t.GUID, "event", t.Event, "action", t.n.Action)
		})
		for _, h := range hs {
			if err := e.decide(ctx, tx, h); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errOvertaken) {
		return e.consider(ctx, t, us)
	}
	if err != nil {
		return false, fmt.Errorf("think about delivery %s: %w", t.GUID, err)
	}
	return false, nil
}

// decide lets flow think about one happening and writes the decision down.
func (e *Engine) decide(ctx context.Context, tx *store.Tx, h happening) error {
	c, err := tx.CaseByRef(ctx, h.ref)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if h.event.First && c.ID != 0 {
		return errOvertaken
	}
	d := flow.Step(c, h.event, h.world)
	if d.Nothing() {
		return nil
	}
	if c.ID == 0 { // it wants to be a case: once more, with a number
		if c.ID, err = tx.NewCase(ctx); err != nil {
			return err
		}
		if h.world.Turn, err = tx.Reports(ctx, h.event.Repo.ID); err != nil {
			return err
		}
		d = flow.Step(disclosure.Case{ID: c.ID}, h.event, h.world)
		tx.Then(func() { e.stats.opened(d.Case.Kind) })
	}
	return e.write(ctx, tx, c, d)
}

// write saves a decision. In any mode but "act" nothing is done: the effects lie aside to be seen.
// The mode is the case's own: what GitHub can be asked at the moment must not decide whether we act.
func (e *Engine) write(ctx context.Context, tx *store.Tx, before disclosure.Case, d flow.Decision) error {
	tx.Then(func() { e.stats.ended(before, d.Case) })
	mode := policy.Mode(d.Case.Mode)
	if err := tx.Cancel(ctx, d.Case.ID, d.Cancel); err != nil {
		return err
	}
	if err := tx.Save(ctx, d.Case, d.Lines, d.Effects); err != nil {
		return err
	}
	if d.Ruling != nil {
		v := detect.Read(d.Ruling.Title.Reveal(), d.Ruling.Body.Reveal())
		if err := tx.SaveLabel(ctx, store.Label{Case: d.Case.ID, Security: d.Ruling.Security, Score: v.Probability}, d.Ruling.Title, d.Ruling.Body); err != nil {
			return err
		}
	}
	if mode == policy.Act || mode == "" {
		return nil
	}
	reason := map[policy.Mode]string{policy.DryRun: "dry run: not done", policy.Approve: store.ForApproval}[mode]
	for _, f := range d.Effects {
		if _, err := tx.ParkEffect(ctx, f.Key, reason); err != nil {
			return err
		}
	}
	return nil
}

// postpone puts a delivery off because GitHub cannot be asked now, or parks it when asking is of
// no use.
func (e *Engine) postpone(ctx context.Context, d store.Delivery, cause error) error {
	if hub.IsFinal(cause) || d.Attempts > mostAttempts {
		return e.park(ctx, d, cause)
	}
	t, now := hub.As(cause), e.Now()
	until := later(now, t, d.Attempts+1)
	return e.Store.Write(ctx, now, func(tx *store.Tx) error {
		tx.Then(func() {
			e.Log.InfoContext(ctx, "delivery waits", "delivery", d.GUID, "event", d.Event, "reason", cause, "until", until)
		})
		return tx.Postpone(ctx, d.Seq, until, cause.Error(), t.Kind == hub.Again)
	})
}

// park lays a delivery aside for a person.
func (e *Engine) park(ctx context.Context, d store.Delivery, cause error) error {
	return e.Store.Write(ctx, e.Now(), func(tx *store.Tx) error {
		tx.Then(func() {
			e.stats.delivery("parked")
			e.Log.WarnContext(ctx, "delivery parked", "delivery", d.GUID, "event", d.Event, "reason", cause)
		})
		return tx.ParkDelivery(ctx, d.Seq, cause.Error())
	})
}

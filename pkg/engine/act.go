package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/heed-app/heed/pkg/detect"
	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/flow"
	"github.com/heed-app/heed/pkg/hub"
	"github.com/heed-app/heed/pkg/store"
)

// mostAttempts is when something that fails again and again is laid aside: with the waiting times
// below after some two days.
const mostAttempts = 50

// attemptLimit ends an attempt that takes too long, with all its calls.
const attemptLimit = 90 * time.Second

// backoff is how long to wait after the n-th failure.
func backoff(n int) time.Duration {
	return min(time.Second<<min(n-1, 12), time.Hour)
}

// later is when to try again.
func later(now time.Time, t *hub.Trouble, attempts int) time.Time {
	if t.Until.After(now) {
		return t.Until
	}
	return now.Add(backoff(attempts))
}

// Act works off the lane of one case: its effects in the order in which they were decided, those
// that shorten an exposure first. A failing one holds back this lane and no other.
func (e *Engine) Act(ctx context.Context, id int64) error {
	lane, err := e.Store.TakeLane(ctx, id, e.Now())
	if err != nil || lane == nil {
		return err
	}
	for more := true; more && err == nil; {
		if err = ctx.Err(); err == nil {
			more, err = e.next(ctx, lane)
		}
	}
	if errors.Is(err, store.ErrLost) {
		e.Log.WarnContext(ctx, "somebody else works on the effects of a case by now", "case", id)
		return nil
	}
	return err
}

// next tries the first effect of a lane, or leaves it: more is false when there is nothing to do now.
func (e *Engine) next(ctx context.Context, lane *store.Lane) (more bool, err error) {
	a, err := e.Store.Begin(ctx, lane, e.Now())
	if errors.Is(err, store.ErrNotFound) {
		return e.Store.LeaveLane(ctx, lane, e.Now())
	}
	if errors.Is(err, store.ErrDamaged) { // it keeps no other from being done
		c, err := e.Store.Case(ctx, a.Case)
		if err != nil {
			return false, err
		}
		e.stats.effect(a.Action, "parked")
		e.Log.ErrorContext(ctx, "laid aside", "case", a.Case, "effect", a.Key, "reason", store.ErrDamaged)
		return true, e.settle(ctx, c, a, flow.Event{Kind: flow.Laid, At: e.Now(), Effect: a.Effect, Reason: store.ErrDamaged.Error()})
	}
	if err != nil {
		return false, err
	}
	// The lane is kept until what came of it is written down, which may take calls too.
	held, stop := keep(ctx, store.Lease, e.Now, func(ctx context.Context) error { return e.Store.KeepLane(ctx, lane, e.Now()) })
	defer stop()
	return true, e.attempt(ctx, held, a)
}

// attempt tries one effect, which was counted already, and writes down what came of it. held ends when
// the lane may have become somebody else's.
func (e *Engine) attempt(ctx, held context.Context, a store.Attempt) error {
	c, err := e.Store.Case(ctx, a.Case)
	if err != nil {
		return err
	}
	if a.Maybe && a.Attempts == 1 { // an operator has it tried again: perhaps because a permission was given
		e.Hub.Renew(c.Installation)
	}
	switch a.Repo.ID { // renamed since it was decided; another repository may have the old name
	case c.Repo.ID:
		a.Repo = c.Repo
	case c.Tracker.ID:
		a.Repo = c.Tracker
	}
	start := e.Now()
	var r disclosure.Receipt
	limited, cancel := context.WithTimeout(held, attemptLimit)
	defer cancel()
	if err = e.allowed(limited, c, a.Effect); err == nil {
		r, err = e.Hub.Perform(limited, c.Installation, a.Effect, a.Maybe, a.Decided)
	}
	now := e.Now()
	e.stats.attempted(now.Sub(start))
	log := e.Log.With("case", a.Case, "effect", a.Key, "attempt", a.Attempts, "took", now.Sub(start))
	switch {
	case err == nil:
		e.stats.effect(a.Action, "done")
		e.stats.acted(a.Action, now.Sub(a.Decided))
		if a.Urgent && !c.Exposed.IsZero() && a.Comment == c.Comment { // what else was written came later
			e.stats.exposed(now.Sub(c.Exposed))
		}
		log.InfoContext(ctx, "done")
		r.At = now
		return e.settle(ctx, c, a, flow.Event{Kind: flow.Landed, At: now, Effect: a.Effect, Receipt: r})
	case errors.Is(err, hub.ErrChanged):
		log.InfoContext(ctx, "the text changed meanwhile")
		return e.changed(ctx, c, a)
	}
	t := hub.As(err)
	if hub.IsFinal(err) || t.Kind == hub.Again && a.Attempts > mostAttempts {
		e.stats.effect(a.Action, "parked")
		log.WarnContext(ctx, "laid aside", "reason", err)
		return e.settle(ctx, c, a, flow.Event{Kind: flow.Laid, At: now, Effect: a.Effect, Reason: t.Error(), Gone: t.Status == http.StatusGone})
	}
	e.stats.effect(a.Action, "again")
	until := later(now, t, a.Attempts)
	log.InfoContext(ctx, "tries again", "until", until, "reason", err)
	// The process may be stopping; that this was tried must be known all the same.
	return e.Store.Retry(context.WithoutCancel(ctx), a, now, until, t.Error(), t.Sent, t.Kind == hub.Again)
}

// allowed refuses to write into a tracker that is not private at this moment. The tracker is the one
// of the effect: a case whose tracker could not be written has none any more, and what was laid aside
// then may be tried again.
func (e *Engine) allowed(ctx context.Context, c disclosure.Case, f disclosure.Effect) error {
	if f.Repo.ID == 0 || f.Repo.ID != c.Tracker.ID && f.Audience != disclosure.Trackers {
		return nil
	}
	t, err := e.world.trackerNow(ctx, c.Installation, c.Repo.Owner, f.Repo.String())
	switch {
	case err != nil:
		return err
	case t.trouble == "" && t.repo.ID != f.Repo.ID:
		return &hub.Trouble{Kind: hub.Refused, Err: errors.New("the tracker is another repository of that name now")}
	case t.trouble != "":
		return &hub.Trouble{Kind: hub.Refused, Err: errors.New(t.trouble)}
	default:
		return nil
	}
}

// settle writes the outcome down together with what follows from it.
func (e *Engine) settle(ctx context.Context, c disclosure.Case, a store.Attempt, ev flow.Event) error {
	ctx = context.WithoutCancel(ctx) // it happened: nothing may keep us from knowing
	w, err := e.look(ctx, c.Installation, c.Repo, wants{pvr: c.Issue != 0})
	if err != nil && worthwhile(err, a) {
		return e.retry(ctx, a, err)
	}
	if err != nil {
		w = e.known(c.Installation, c.Repo)
	}
	return e.Store.Write(ctx, e.Now(), func(tx *store.Tx) (err error) {
		first := false
		if ev.Kind == flow.Laid {
			first, err = tx.ParkEffect(ctx, a.Key, ev.Reason)
		} else {
			first, err = tx.Finish(ctx, a.Key)
		}
		if err != nil || !first {
			return err
		}
		return e.think(ctx, tx, c.ID, ev, w)
	})
}

// worthwhile: the world cannot be seen right now, and will be. What follows from an effect must not be
// decided by the built-in policy because a process that has just started knows no other: the effect
// is tried again, which finds that it was done.
func worthwhile(err error, a store.Attempt) bool {
	return !hub.IsFinal(err) && a.Attempts <= mostAttempts
}

// retry puts off an effect that may have been done.
func (e *Engine) retry(ctx context.Context, a store.Attempt, cause error) error {
	t, now := hub.As(cause), e.Now()
	return e.Store.Retry(context.WithoutCancel(ctx), a, now, later(now, t, a.Attempts), t.Error(), true, t.Kind == hub.Again)
}

// think is decide for a case that exists.
func (e *Engine) think(ctx context.Context, tx *store.Tx, id int64, ev flow.Event, w flow.World) error {
	c, err := tx.Case(ctx, id)
	if err != nil {
		return fmt.Errorf("case %d: %w", id, err)
	}
	return e.write(ctx, tx, c, flow.Step(c, ev, w))
}

// changed: a person edited the issue between the decision and the act. The decision is made again
// on what stands there now.
func (e *Engine) changed(ctx context.Context, c disclosure.Case, a store.Attempt) error {
	if !a.Urgent { // putting a text back over somebody's edit would be wrong
		return e.settle(ctx, c, a, flow.Event{Kind: flow.Laid, At: e.Now(), Effect: a.Effect, Reason: "somebody edited it meanwhile"})
	}
	ev, err := e.reread(ctx, c, a)
	if err != nil {
		return e.retry(ctx, a, err)
	}
	w, err := e.look(ctx, c.Installation, c.Repo, wants{pvr: true})
	if err != nil && worthwhile(err, a) {
		return e.retry(ctx, a, err)
	}
	if err != nil {
		w = e.known(c.Installation, c.Repo)
	}
	title, body := ev.Issue.Title.Reveal(), ev.Issue.Body.Reveal()
	if ev.Kind == flow.CommentSeen {
		title, body = "", ev.Comment.Body.Reveal()
	}
	ev.Reading = e.reading(ctx, detect.Read(title, body), title, body, w.Policy)
	return e.Store.Write(ctx, e.Now(), func(tx *store.Tx) error {
		if first, err := tx.Replace(ctx, a.Key); err != nil || !first {
			return err
		}
		return e.think(ctx, tx, c.ID, ev, w)
	})
}

// reread makes an event of the public text as it stands now.
func (e *Engine) reread(ctx context.Context, c disclosure.Case, a store.Attempt) (flow.Event, error) {
	ev := flow.Event{Kind: flow.IssueSeen, Installation: c.Installation, Repo: c.Repo, Reread: true, Effect: a.Effect}
	if a.Action == disclosure.DeleteComment {
		m, err := e.Hub.IssueComment(ctx, c.Installation, a.Repo, a.Comment)
		if err != nil {
			return ev, err
		}
		ev.Kind, ev.At, ev.Actor.Login = flow.CommentSeen, m.GetUpdatedAt().Time, m.GetUser().GetLogin()
		ev.Issue = flow.Issue{Number: a.Number}
		ev.Comment = flow.Comment{ID: a.Comment, URL: m.GetHTMLURL(), Author: m.GetUser().GetLogin(), Body: disclosure.Seal(m.GetBody())}
		return ev, nil
	}
	i, err := e.Hub.IssueNotice(ctx, c.Installation, a.Repo, a.Number)
	if err != nil {
		return ev, err
	}
	ev.At, ev.Actor.Login, ev.Issue = i.Updated, i.Author.Login, issueOf(i)
	return ev, nil
}

// WakeCase thinks about a case because a moment has come. GitHub is not asked: the clock must
// speak while it is down.
func (e *Engine) WakeCase(ctx context.Context, id int64) error {
	c, err := e.Store.Case(ctx, id)
	if err != nil {
		return err
	}
	w := e.known(c.Installation, c.Repo)
	return e.Store.Write(ctx, w.Now, func(tx *store.Tx) error {
		return e.think(ctx, tx, id, flow.Event{Kind: flow.Woke, At: w.Now}, w)
	})
}

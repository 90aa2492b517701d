package engine

import (
	"context"
	"time"

	"github.com/heed-app/heed/pkg/hub"
)

// GitHub keeps its log of deliveries for three days. Source: GitHub's documentation.
const deliveryLog = 72 * time.Hour

// sweepOverlap is how far a sweep looks back behind the one before: clocks differ, and an attempt is
// logged when it is over. Where much happens, an hour of the log is a hundred calls.
const sweepOverlap = 5 * time.Minute

// mostRequests is how often GitHub is asked to repeat the same delivery, and longestRequest how far
// apart at most: in all some two days, which is as long as its log helps.
const (
	mostRequests   = 20
	longestRequest = 3 * time.Hour
)

// request is what was asked of GitHub about one delivery. It is forgotten with the process: after a
// start everything that failed is asked for again, which is what a start is for.
type request struct {
	times int
	next  time.Time
}

// sweepDeliveries asks GitHub to repeat what never arrived. It does not do so by itself.
func (e *Engine) sweepDeliveries(ctx context.Context) error {
	now := e.Now()
	since := now.Add(-deliveryLog)
	last, err := e.moment(ctx, "swept-deliveries")
	if err != nil {
		return err
	}
	if from := last.Add(-sweepOverlap); from.After(since) {
		since = from
	}
	failed, err := e.Hub.FailedDeliveries(ctx, since)
	if err != nil {
		return err
	}
	swept, asked := now, map[string]request{}
	for _, d := range failed {
		known, err := e.Store.Known(ctx, d.GUID)
		if err != nil {
			return err
		}
		r := e.asked[d.GUID]
		switch {
		case known, r.times > mostRequests: // only the answer was late; or given up
			asked[d.GUID] = r
			continue
		case now.Before(r.next):
		default:
			if r, err = e.request(ctx, d, r); err != nil {
				return err // limited, or GitHub is down: the next sweep begins here
			}
		}
		asked[d.GUID] = r
		if d.At.Before(swept) && r.times <= mostRequests {
			swept = d.At // it must still be in the list when it is asked for again
		}
	}
	e.asked = asked
	return e.set(ctx, "swept-deliveries", stamp(swept))
}

// request asks for one delivery again. What GitHub will not repeat, or the door will never take,
// is given up: then the issues are looked at instead, from that moment on.
func (e *Engine) request(ctx context.Context, d hub.FailedDelivery, r request) (request, error) {
	r.times++
	if r.times <= mostRequests {
		err := e.Hub.Redeliver(ctx, d.ID)
		switch {
		case err == nil:
			e.stats.found("delivery")
			e.Log.InfoContext(ctx, "asked GitHub to repeat a delivery", "delivery", d.GUID)
			r.next = e.Now().Add(min(e.SweepEvery<<(r.times-1), longestRequest))
			e.asked[d.GUID] = r
			return r, nil
		case !hub.IsFinal(err):
			return r, err
		}
		r.times = mostRequests + 1
	}
	e.asked[d.GUID] = r
	e.Log.WarnContext(ctx, "a delivery is lost", "delivery", d.GUID)
	return r, e.missing(ctx, d.Installation, d.At)
}

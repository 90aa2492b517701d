// Package engine joins the house: it reads what came in, asks GitHub what is true, lets flow
// decide, writes the decision down and does it. Each pass is a method; the loops only call it.
package engine

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/heed-app/heed/pkg/hub"
	"github.com/heed-app/heed/pkg/store"
)

// Config is what an engine needs.
type Config struct {
	Store *store.Store
	Hub   *hub.Hub
	Now   func() time.Time // the one clock
	Log   *slog.Logger

	Secret     []byte        // of this database, see store.Secret
	SweepEvery time.Duration // how often GitHub is compared with what we know
	WakeEvery  time.Duration // how often due moments are looked for; 0: 100 ms
}

// Engine does the work. It is safe for concurrent use.
type Engine struct {
	Config
	world *worldCache
	stats *Stats

	patience patience
	asked    map[string]request // about deliveries that failed; only the sweep uses it
}

// New returns an engine that does nothing until Run, or until its passes are called.
func New(c Config) *Engine {
	if c.WakeEvery == 0 {
		c.WakeEvery = 100 * time.Millisecond
	}
	e := &Engine{Config: c, stats: newStats(), asked: map[string]request{}}
	e.world = newWorldCache(e)
	return e
}

// Stats returns the engine's metrics.
func (e *Engine) Stats() *Stats { return e.stats }

// installationSecret keys what belongs to one installation: public marks and the choice of words.
func (e *Engine) installationSecret(inst int64) []byte {
	h := hmac.New(sha256.New, e.Secret)
	fmt.Fprintf(h, "installation/%d", inst)
	return h.Sum(nil)
}

// sweepArgs is the periodic job of the leader.
type sweepArgs struct{}

// Kind implements river.JobArgs.
func (sweepArgs) Kind() string { return "sweep" }

// Limits of the workers. Thinking waits for GitHub's answers, acting too; the database has one
// writer whatever these say.
const (
	thinkers  = 8
	actors    = 16
	jobLimit  = 5 * time.Minute
	stopLimit = 15 * time.Second
)

// warnings passes on what River warns of; its regular counts would bury everything else.
type warnings struct{ slog.Handler }

// Enabled implements slog.Handler.
func (w warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && w.Handler.Enabled(ctx, l)
}

// WithAttrs implements slog.Handler.
func (w warnings) WithAttrs(as []slog.Attr) slog.Handler { return warnings{w.Handler.WithAttrs(as)} }

// WithGroup implements slog.Handler.
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

// unfinished are the states of a sweep that is still to come or under way: one at a time.
func unfinished() []rivertype.JobState {
	return []rivertype.JobState{rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled}
}

// Run works until the context ends, then finishes what is in hand within 15 seconds.
func (e *Engine) Run(ctx context.Context) error {
	if n, err := e.Store.Revive(context.WithoutCancel(ctx)); err != nil {
		return err
	} else if n > 0 {
		e.Log.InfoContext(ctx, "took up the work of a process that was killed", "jobs", n)
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[store.ThinkArgs]) error { return e.Think(ctx, j.Args.Group) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[store.ActArgs]) error { return e.Act(ctx, j.Args.Case) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[store.WakeArgs]) error { return e.WakeCase(ctx, j.Args.Case) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[sweepArgs]) error { return e.Sweep(ctx) }))
	queue, err := e.Store.NewQueue(&river.Config{
		Logger: slog.New(warnings{e.Log.With("part", "queue").Handler()}),
		Queues: map[string]river.QueueConfig{
			store.QueueThink: {MaxWorkers: thinkers}, store.QueueAct: {MaxWorkers: actors}, store.QueueSweep: {MaxWorkers: 1},
		},
		Workers:    workers,
		JobTimeout: jobLimit,
		// Jobs only point at work in our tables; what matters is retried there.
		FetchCooldown: 2 * time.Millisecond, FetchPollInterval: time.Second,
		CompletedJobRetentionPeriod: time.Minute, DiscardedJobRetentionPeriod: time.Hour,
		RescueStuckJobsAfter: jobLimit + time.Minute,
		PeriodicJobs: []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(e.SweepEvery), func() (river.JobArgs, *river.InsertOpts) {
			return sweepArgs{}, &river.InsertOpts{Queue: store.QueueSweep, UniqueOpts: river.UniqueOpts{ByState: unfinished()}}
		}, &river.PeriodicJobOpts{RunOnStart: true})},
	})
	if err != nil {
		return err
	}
	// The queue is stopped below, gently; ending its context would tear work apart.
	if err := queue.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the queue: %w", err)
	}
	e.wakeLoop(ctx)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	if err := queue.Stop(stopping); err != nil {
		e.Log.WarnContext(stopping, "work in hand did not end in time; it is taken up at the next start", "err", err)
		now, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		return queue.StopAndCancel(now)
	}
	return nil
}

// wakeLoop looks for due moments until the context ends. The look is an indexed read of some
// microseconds; nothing is ever scheduled or cancelled.
func (e *Engine) wakeLoop(ctx context.Context) {
	tick := time.NewTicker(e.WakeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if _, err := e.Store.Due(ctx, e.Now()); err != nil && ctx.Err() == nil {
				e.Log.ErrorContext(ctx, "cannot look for due moments", "err", err)
			}
		}
	}
}

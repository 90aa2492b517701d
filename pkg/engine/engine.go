// Package engine joins the house: it reads what came in, asks GitHub what is true, lets flow
// decide, writes the decision down and does it. Each pass is a method; the loops only call it.
package engine

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"github.com/heed-app/heed/pkg/hub"
	"github.com/heed-app/heed/pkg/store"
)

// Config is what an engine needs.
type Config struct {
	Store *store.Store
	Hub   *hub.Hub
	Now   func() time.Time // the one clock
	Log   *slog.Logger
	Stats *Stats // counted into; nil: into its own

	// SecondOpinion, if not nil, says whether a text is a report. It is asked about those between the
	// policy's two thresholds only.
	SecondOpinion func(ctx context.Context, title, body string) (bool, error)

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
	if c.Stats == nil {
		c.Stats = NewStats()
	}
	e := &Engine{Config: c, stats: c.Stats, asked: map[string]request{}}
	e.world = newWorldCache(e)
	return e
}

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

// retainArgs is another: what is kept no longer than promised.
type retainArgs struct{}

// Kind implements river.JobArgs.
func (retainArgs) Kind() string { return "retain" }

// Retain forgets deliveries that were done with long ago, and erases the texts of closed cases when
// their policy says so.
func (e *Engine) Retain(ctx context.Context) error {
	now := e.Now()
	forgotten, err1 := e.Store.Forget(ctx, now)
	erased, err2 := e.Store.Erase(ctx, now)
	if forgotten+int64(erased) > 0 {
		e.Log.InfoContext(ctx, "kept no longer", "deliveries", forgotten, "cases", erased)
	}
	if err := errors.Join(err1, err2); err != nil {
		e.Log.WarnContext(ctx, "not everything could be erased", "err", err)
	}
	return nil // the next one comes anyway
}

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
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[sweepArgs]) error {
		_, err := e.Store.Alone(ctx, func() error { return e.Sweep(ctx) }) // the last one may not be over
		return err
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[retainArgs]) error { return e.Retain(ctx) }))
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
		PeriodicJobs:         []*river.PeriodicJob{every(e.SweepEvery, sweepArgs{}), every(time.Hour, retainArgs{})},
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

// every is a job that the leader queues; when it fails, the next one comes anyway.
func every(d time.Duration, args river.JobArgs) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(d), func() (river.JobArgs, *river.InsertOpts) {
		return args, &river.InsertOpts{Queue: store.QueueSweep, MaxAttempts: 1}
	}, &river.PeriodicJobOpts{RunOnStart: true})
}

// wakeLoop looks for due moments until the context ends. The look is an indexed read of some
// microseconds; nothing is ever scheduled or cancelled.
func (e *Engine) wakeLoop(ctx context.Context) {
	tick, beat := time.NewTicker(e.WakeEvery), time.NewTicker(store.Beating)
	defer tick.Stop()
	defer beat.Stop()
	name := rand.Text()
	e.beat(ctx, name)
	for {
		select {
		case <-ctx.Done():
			if err := e.Store.Leave(context.WithoutCancel(ctx), name, e.Now()); err != nil {
				e.Log.WarnContext(ctx, "others will believe for a while that we live", "err", err)
			}
			return
		case <-beat.C:
			e.beat(ctx, name)
		case <-tick.C:
			if _, err := e.Store.Due(ctx, e.Now()); err != nil && ctx.Err() == nil {
				e.Log.ErrorContext(ctx, "cannot look for due moments", "err", err)
			}
		}
	}
}

// beat says that this process lives, and shares what GitHub allows with the others that do.
func (e *Engine) beat(ctx context.Context, name string) {
	live, err := e.Store.Beat(ctx, name, e.Now())
	if err != nil {
		if ctx.Err() == nil {
			e.Log.ErrorContext(ctx, "cannot say that we live", "err", err)
		}
		return
	}
	e.Hub.Share(live)
}

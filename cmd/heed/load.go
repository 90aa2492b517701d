package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/heed-app/heed/config"
	"github.com/heed-app/heed/pkg/app"
	"github.com/heed-app/heed/pkg/hubsim"
	"github.com/heed-app/heed/pkg/store"
	"github.com/heed-app/heed/pkg/store/postgrestest"
)

// load measures what this machine does with Heed, for whoever works on it: all in one run, since
// only ratios survive a busy machine. It makes its own databases and leaves nothing behind.
type load struct {
	program
	dir     string
	seconds float64
	rounds  int
	waiting int
	cases   int
	server  *postgrestest.Server // nil: there is none on this machine
}

func (p program) load(ctx context.Context, c command, args []string) (err error) {
	l := load{program: p}
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.Float64Var(&l.seconds, "seconds", 2, "how long each measurement of the door lasts")
	flags.IntVar(&l.rounds, "rounds", 5, "how often everything is measured")
	flags.IntVar(&l.waiting, "waiting", 10_000, "ordinary deliveries that wait when a leak comes")
	flags.IntVar(&l.cases, "cases", 100_000, "open cases")
	words, err := p.parse(c, flags, args)
	if err != nil {
		return err
	}
	if len(words) == 0 {
		words = []string{"door", "exposure", "cases"}
	}
	if l.dir, err = os.MkdirTemp("", "heed-load"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(l.dir)) }()
	if l.server, err = postgrestest.Start(ctx, true); err != nil {
		fmt.Fprintf(p.out, "PostgreSQL is left out: %v\n", err)
	} else {
		defer func() { err = errors.Join(err, l.server.Stop()) }()
	}
	fmt.Fprintf(p.out, "%s, %d cores\n", runtime.Version(), runtime.NumCPU())
	for _, w := range words {
		switch w {
		case "door":
			err = l.doors(ctx)
		case "exposure":
			err = l.exposures(ctx)
		case "cases":
			err = l.many(ctx)
		default:
			err = c.misused("there is no part %q: door, exposure, cases", w)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w, err)
		}
	}
	return nil
}

// database makes a database of its own.
func (l load) database(ctx context.Context, postgres bool) (*store.Store, string, error) {
	url := ""
	if postgres {
		var err error
		if url, err = l.server.Database(ctx); err != nil {
			return nil, "", err
		}
	} else {
		dir, err := os.MkdirTemp(l.dir, "db")
		if err != nil {
			return nil, "", err
		}
		url = "sqlite://" + dir + "/heed.db"
	}
	st, err := store.Open(ctx, url, store.OneKey(loadKey()), nil)
	return st, url, err
}

// running starts the App on a database, over a simulated GitHub, and gives its address. It hardly sweeps.
func running(ctx context.Context, url string, sim *hubsim.Sim, way http.RoundTripper, now func() time.Time) (a *app.App, address string, stop func() error, err error) {
	a, err = app.New(ctx, config.Server{
		AppID: 1, PrivateKey: string(sim.PrivateKey()), WebhookSecret: loadSecret, V3URL: "https://api.github.test/",
		V4URL: "https://api.github.test/graphql", WebURL: "https://github.com", Database: url, DataKeys: [][]byte{loadKey()}, SweepEvery: 24 * time.Hour,
	}, app.Options{Transport: way, Now: now, After: time.After}, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, "", nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", nil, errors.Join(err, a.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, listener) }()
	return a, listener.Addr().String(), func() error {
		cancel()
		return errors.Join(<-ended, a.Close())
	}, nil
}

func loadKey() []byte { return bytes.Repeat([]byte{1}, 32) }

// quantile of values that are sorted.
func quantile[T any](sorted []T, p float64) T {
	return sorted[max(0, int(math.Ceil(p*float64(len(sorted))))-1)]
}

func median(values []float64) float64 {
	slices.Sort(values)
	return quantile(values, 0.5)
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

// Package app wires the house together: settings in, a running App out.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/heed-app/heed/config"
	"github.com/heed-app/heed/pkg/dashboard"
	"github.com/heed-app/heed/pkg/door"
	"github.com/heed-app/heed/pkg/engine"
	"github.com/heed-app/heed/pkg/hub"
	"github.com/heed-app/heed/pkg/opinion"
	"github.com/heed-app/heed/pkg/store"
)

// Options are what `heed demo` and tests do differently from `heed serve`.
type Options struct {
	Transport http.RoundTripper                    // to GitHub; nil: the network
	Now       func() time.Time                     // required
	After     func(time.Duration) <-chan time.Time // deliveries of a burst wait for each other by it; nil: they do not
	WakeEvery time.Duration                        // 0: the engine's default
	Committed func()                               // told after every commit; may be nil
	Open      bool                                 // the dashboard shows cases to everybody: only for a made-up GitHub
}

// App is one running Heed.
type App struct {
	Settings config.Server
	Store    *store.Store
	Hub      *hub.Hub
	Engine   *engine.Engine
	Handler  http.Handler

	log   *slog.Logger
	now   func() time.Time
	ready readiness
}

// New opens the database and builds everything; it speaks to nobody yet. Close it in the end.
func New(ctx context.Context, s config.Server, o Options, log *slog.Logger) (*App, error) {
	st, err := openStore(ctx, s, o.Committed)
	if err != nil {
		return nil, err
	}
	st.Patient(o.After)
	a := &App{Settings: s, Store: st, log: log, now: o.Now}
	if err := a.build(ctx, o); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return a, nil
}

// OpenStore opens the database of the settings with its key, for looking at cases without running
// the App.
func OpenStore(ctx context.Context, s config.Server) (*store.Store, error) {
	return openStore(ctx, s, nil)
}

func openStore(ctx context.Context, s config.Server, committed func()) (*store.Store, error) {
	if err := firstKey(s); err != nil {
		return nil, err
	}
	keys, err := Keys(s)
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, s.Database, keys, committed)
}

func (a *App) build(ctx context.Context, o Options) error {
	s := a.Settings
	secret, err := a.Store.Secret(ctx, a.now())
	if err != nil {
		return fmt.Errorf("secret of the database: %w", err)
	}
	stats := engine.NewStats()
	if a.Hub, err = NewHub(s, o.Transport, a.Store, a.now, a.log, stats.Called); err != nil {
		return err
	}
	ask, err := secondOpinion(s.SecondOpinion)
	if err != nil {
		return err
	}
	a.Engine = engine.New(engine.Config{
		SecondOpinion: ask,
		Store:         a.Store, Hub: a.Hub, Now: a.now, Log: a.log, Stats: stats, Secret: secret, SweepEvery: s.SweepEvery, WakeEvery: o.WakeEvery,
	})
	hook, err := door.New(a.Store, []string{s.WebhookSecret, s.PreviousWebhookSecret}, a.now, a.log)
	if err != nil {
		return err
	}
	a.ready.app = a
	mux := http.NewServeMux()
	mux.Handle("/api/github/hook", hook)
	mux.HandleFunc("GET /healthz", healthz)
	mux.Handle("GET /readyz", &a.ready)
	mux.Handle("GET /metrics", metrics(stats, a.Engine.Gauges()))
	var source dashboard.Source = closedDesk{a}
	if o.Open {
		source = openDesk{a}
	}
	desk := dashboard.New(source, a.now)
	mux.Handle("GET /{$}", desk)
	mux.Handle("GET /case/{id}", desk)
	mux.Handle("GET /setup", dashboard.Setup(s.PublicURL, true))
	a.Handler = mux
	return nil
}

func healthz(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }

// Close closes the database.
func (a *App) Close() error { return a.Store.Close() }

// Run serves and works until the context ends; then the door closes, and what is in hand is
// finished within 15 seconds.
func (a *App) Run(ctx context.Context, l net.Listener) error {
	working := make(chan error, 1)
	stop, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel() // an engine that ends takes the server with it
		working <- a.Engine.Run(stop)
	}()
	err := Serve(stop, l, a.Handler)
	cancel()
	return errors.Join(err, <-working)
}

// Serve answers until the context ends, then lets requests in hand finish.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10,
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := srv.Shutdown(stopping)
	if errors.Is(err, context.DeadlineExceeded) { // somebody never finishes what he sends, and cannot keep us
		err = srv.Close()
	}
	return err
}

// NewHub makes the one who speaks to GitHub, as the settings say. bans may be nil; observe is told of every call.
func NewHub(s config.Server, way http.RoundTripper, bans hub.Bans, now func() time.Time, log *slog.Logger, observe func(kind, outcome string, took time.Duration)) (*hub.Hub, error) {
	return hub.New(hub.Config{
		AppID: s.AppID, PrivateKey: []byte(strings.ReplaceAll(s.PrivateKey, `\n`, "\n")),
		V3URL: s.V3URL, V4URL: s.V4URL, WebURL: s.WebURL, Transport: way, Now: now, Log: log, Bans: bans, Observe: observe,
	})
}

// secondOpinion is whom the engine asks, nil if the operator named nobody.
func secondOpinion(o config.Opinion) (func(ctx context.Context, title, body string) (bool, error), error) {
	if o.URL == "" {
		return nil, nil
	}
	a, err := opinion.New(opinion.Config(o))
	if err != nil {
		return nil, err
	}
	return a.Report, nil
}

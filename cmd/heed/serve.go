package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"time"

	"github.com/heed-app/heed/config"
	"github.com/heed-app/heed/pkg/app"
	"github.com/heed-app/heed/pkg/dashboard"
	"github.com/heed-app/heed/pkg/store"
)

// serve runs the App until the context ends.
func (p program) serve(ctx context.Context, c command, args []string) error {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	given := settingFlags(fs)
	words, err := p.parse(c, fs, args)
	if err != nil {
		return err
	}
	if len(words) > 0 {
		return c.misused("serve takes no %q", words[0])
	}
	settings, err := config.Load(given, p.getenv)
	if err != nil {
		return err
	}
	log := logger(settings, p.err)
	if !store.Postgres(settings.Database) {
		defer moreProcs()()
	}
	// First of all the address: who cannot have it must not touch the database of who has.
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", settings.Listen)
	if err != nil {
		return err
	}
	if !settings.HasApp() {
		log.InfoContext(ctx, "listening; there are no App credentials yet, open the page to set them up", "address", "http://"+l.Addr().String()+"/setup")
		return app.Serve(ctx, l, unset(settings))
	}
	a, err := app.New(ctx, settings, app.Options{Now: time.Now, After: time.After}, log)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	log.InfoContext(ctx, "listening", "address", "http://"+l.Addr().String(), "github", settings.V3URL, "app", settings.AppID)
	err = errors.Join(a.Run(ctx, l), a.Close())
	log.InfoContext(ctx, "stopped")
	return err
}

// moreProcs lets Go run two threads more than there are cores, until the returned function is called.
// SQLite waits for the disk in a system call, which keeps a core's place in Go's scheduler: on two
// cores the half of the machine would stand still during every commit (heed load door: 0.57 against
// 0.70 of go-githubapp's rate).
func moreProcs() (back func()) {
	before := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(before + 2)
	return func() { runtime.GOMAXPROCS(before) }
}

// logger writes to w in the format and from the level of the settings on.
func logger(s config.Server, w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: s.LogLevel}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// unset is what a Heed without App credentials answers: how to make the App, and to machines that
// it is alive but not ready. GitHub keeps a delivery answered with 503 for a later sweep.
func unset(s config.Server) http.Handler {
	notReady := func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "not ready: no App credentials", http.StatusServiceUnavailable)
	}
	mux := http.NewServeMux()
	setup := dashboard.Setup(s.PublicURL, false)
	mux.Handle("GET /{$}", setup)
	mux.Handle("GET /setup", setup)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", notReady)
	mux.HandleFunc("POST /api/github/hook", notReady)
	return mux
}

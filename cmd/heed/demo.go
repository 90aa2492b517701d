package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/heed-app/heed/config"
	"github.com/heed-app/heed/pkg/app"
	"github.com/heed-app/heed/pkg/hubsim"
)

const (
	demoListen = "127.0.0.1:8080"
	demoSecret = "everybody may know the secret of a demo"

	// patience is how long the story waits for what the App should do at once.
	patience = 20 * time.Second
	// inHand is how far ahead of now the store puts what somebody is working on.
	inHand = 31 * time.Second
	// stride is how far the clock goes before somebody looks whether there is work to do. It is
	// shorter than the time after which the App takes a worker for dead.
	stride = 100 * time.Second
)

// demo is a whole little world: a GitHub with people in it, a clock, and the App.
type demo struct {
	page
	reader
	sim    *hubsim.Sim
	app    *app.App
	clock  *clock
	client *http.Client
	url    string
	brisk  bool // nobody reads along

	mu    sync.Mutex
	calm  float64   // how fast the clock runs while somebody works or reads
	speed float64   // how fast it runs while nobody has anything to do
	goal  time.Time // until when; past: no hurry
	idle  bool
}

// demo plays a story over the real App and a made-up GitHub, and stays until it is interrupted.
func (p program) demo(ctx context.Context, c command, args []string) (err error) {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	listen := fs.String("listen", "", "address of the dashboard, default "+demoListen+" or the next free port")
	brisk := fs.Bool("fast", false, "make the pauses short: nobody reads along")
	verbose := fs.Bool("verbose", false, "show the App's log on stderr")
	words, err := p.parse(c, fs, args)
	if err != nil {
		return err
	}
	if len(words) > 0 {
		return c.misused("demo takes no %q", words[0])
	}
	l, err := demoAddress(ctx, *listen)
	if err != nil {
		return err
	}
	defer l.Close()
	dir, err := os.MkdirTemp("", "heed-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	log := slog.New(slog.DiscardHandler)
	if *verbose {
		log = logger(config.Server{LogLevel: slog.LevelDebug}, p.err)
	}
	d := &demo{
		page: page{p.out, p.colour}, reader: newReader(), clock: newClock(demoStart()), client: &http.Client{Timeout: patience},
		url: "http://" + l.Addr().String() + "/", brisk: *brisk, calm: 1,
	}
	if err := d.build(ctx, dir, log); err != nil {
		return err
	}
	return errors.Join(d.play(ctx, l), d.app.Close())
}

// demoAddress listens on the address, or without one on the first free port from 8080 on.
func demoAddress(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	if address != "" {
		return lc.Listen(ctx, "tcp", address)
	}
	host, port, _ := net.SplitHostPort(demoListen)
	first, _ := strconv.Atoi(port)
	for n := first; ; n++ {
		l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(n)))
		if err == nil || !errors.Is(err, syscall.EADDRINUSE) || n == first+100 {
			return l, err
		}
	}
}

// demoStart is a Monday morning.
func demoStart() time.Time { return time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC) }

// demoPermissions and demoEvents are what app.yml asks for; a test compares them.
func demoPermissions() map[string]string {
	return map[string]string{"repository_advisories": "write", "issues": "write", "contents": "read", "metadata": "read", "members": "read"}
}

func demoEvents() []string {
	return []string{"repository_advisory", "security_advisory", "issues", "issue_comment", "release", "push", "repository"}
}

// build makes the world and the App in it.
func (d *demo) build(ctx context.Context, dir string, log *slog.Logger) error {
	d.sim = hubsim.New(d.clock.Now, hubsim.App{
		ID: 1, Slug: "heed", WebhookSecret: demoSecret, Permissions: demoPermissions(), Events: demoEvents(), AuthNow: time.Now,
	})
	if err := d.people(); err != nil {
		return err
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	sweep := 500 * time.Millisecond
	if d.brisk {
		sweep = 100 * time.Millisecond
	}
	var err error
	d.app, err = app.New(ctx, config.Server{
		AppID: 1, PrivateKey: string(d.sim.PrivateKey()), WebhookSecret: demoSecret, PublicURL: d.url,
		V3URL: "https://api.github.test/", V4URL: "https://api.github.test/graphql", WebURL: "https://github.com",
		Database: "sqlite://" + filepath.Join(dir, "heed.db"), DataKeys: [][]byte{key}, SweepEvery: sweep,
	}, app.Options{Transport: d.sim.Client().Transport, Now: d.clock.Now, WakeEvery: 20 * time.Millisecond, Open: true}, log)
	return err
}

// people: Rea and Eve come from outside; Mia and Sam are the security team; Lea owns the project.
func (d *demo) people() error {
	s := d.sim
	s.AddUser("rea", "eve", "mia", "sam", "lea")
	s.AddOrg("acme")
	s.AddOwner("acme", "lea")
	s.AddTeam("acme", "security", "mia", "sam")
	s.AddTeam("acme", "leads", "lea")
	s.AddRepo("acme", "web", false)
	s.AddRepo("acme", "security-cases", true)
	s.GrantTeam("acme/security-cases", "security", "write")
	s.GrantTeam("acme/web", "security", "maintain")
	err := errors.Join(s.PushFile("lea", project, ".github/disclosure.yml", demoPolicy), s.PublishRelease("lea", project, "v1.4.0"))
	s.Canary(secrets()...)
	s.Install("acme")
	return err
}

// play runs the App, the post and the clock, tells the story, and waits for the interruption.
func (d *demo) play(ctx context.Context, l net.Listener) error {
	running, stop := context.WithCancelCause(ctx)
	var all sync.WaitGroup
	all.Go(func() { stop(d.app.Run(running, l)) })
	all.Go(func() { stop(d.pace(running)) })
	err := d.story(running)
	if err == nil {
		fmt.Fprintf(d.out, "\n\nThe story is over. Look around at %s\nand press Ctrl-C to leave.\n", d.paint(bold, d.url))
		<-running.Done()
		err = running.Err()
	}
	if cause := context.Cause(running); errors.Is(err, context.Canceled) && cause != nil {
		err = cause // what really ended it
	}
	stop(nil)
	all.Wait()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // somebody pressed Ctrl-C, as they were told to
	}
	return err
}

// pace is the post and the hand on the clock, until the context ends. Webhooks go to the App as
// GitHub's do. The clock hurries only while nobody works, and never past a moment at which
// something is due: what happens, happens at its time.
func (d *demo) pace(ctx context.Context) error {
	tick := time.NewTicker(d.beat())
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := d.sim.Send(ctx, d.client, d.url+"api/github/hook")
		if err == nil {
			err = d.move(ctx)
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
}

func (d *demo) beat() time.Duration {
	if d.brisk {
		return time.Millisecond
	}
	return 5 * time.Millisecond
}

func (d *demo) move(ctx context.Context) error {
	next, err := d.app.Store.NextDue(ctx)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.clock.Now()
	d.idle = next.IsZero() || next.Sub(now) > inHand
	if !d.idle || !d.goal.After(now) {
		d.clock.Run(d.calm, time.Time{})
		return nil
	}
	limit := d.goal
	for _, t := range []time.Time{next, now.Add(stride)} {
		if !t.IsZero() && t.Before(limit) {
			limit = t
		}
	}
	d.clock.Run(d.speed, limit)
	return nil
}

// pass lets the demo's time go by until a moment, in about the given time of ours, and looks at
// the world all the while.
func (d *demo) pass(ctx context.Context, until time.Time, in time.Duration, look func()) error {
	if d.brisk {
		in = time.Millisecond
	}
	d.mu.Lock()
	d.goal, d.speed, d.idle = until, float64(until.Sub(d.clock.Now()))/float64(in), false
	d.mu.Unlock()
	return d.awaitFor(ctx, in+patience, "the clock comes to "+moment(until), func() bool {
		look()
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.idle && !d.clock.Now().Before(until)
	})
}

// await looks at the world until something is so. It is an error if that takes too long.
func (d *demo) await(ctx context.Context, what string, so func() bool) error {
	return d.awaitFor(ctx, patience, what, so)
}

func (d *demo) awaitFor(ctx context.Context, limit time.Duration, what string, so func() bool) error {
	late := time.NewTimer(limit)
	defer late.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late.C:
			return fmt.Errorf("the demo waited %s until %s, in vain", limit, what)
		case <-tick.C:
		}
	}
	return nil
}

// pause gives people time to read.
func (d *demo) pause(ctx context.Context, t time.Duration) error {
	if d.brisk {
		t = 10 * time.Millisecond
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(t):
		return nil
	}
}

// setCalm sets how fast the clock runs while somebody works or reads.
func (d *demo) setCalm(factor float64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calm = factor
}

package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	mathrand "math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/heed-app/heed/pkg/store/postgrestest"
)

// TestReplicas runs three processes on one PostgreSQL while one call in five fails. Webhooks come in
// through any of them; some are killed, some are stopped and replaced as in a rolling restart, and
// once the database itself goes away under load. In the end every effect is there once.
func TestReplicas(t *testing.T) {
	t.Parallel()
	db := postgrestest.For(t)
	database, err := db.Database(t.Context())
	must(t, err)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	reports := 24
	if testing.Short() {
		reports = 12
	}
	seed := mathrand.Uint64() //nolint:gosec // chance, not secrets
	t.Logf("seed %d", seed)
	// What GitHub allows an organisation is divided among all who live or did so just now: few reports each.
	c := newChaos(t, build(t), key, seed, reports, 2, database)
	ctx, cancel := context.WithCancel(context.Background())
	var post sync.WaitGroup
	post.Go(func() { c.webhooks(ctx) })
	defer post.Wait()
	defer cancel()
	replicas := []server{c.serve(t), c.serve(t), c.serve(t)}
	blows := []func(i int){
		func(i int) { replicas[i].kill(); replicas[i] = c.start(t) },
		func(i int) { replicas[i].replaced(t); replicas[i] = c.start(t) },
		func(int) { must(t, db.Down()); must(t, db.Up(t.Context())) },
		func(i int) { replicas[i].kill(); replicas[i] = c.start(t) },
		func(i int) { replicas[i].replaced(t); replicas[i] = c.start(t) },
	}
	fresh := len(c.untold)
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for n := 0; len(blows) > 0 || len(c.untold) > 0; n++ {
		<-tick.C
		c.moved(replicas[c.people.IntN(3)].url)
		c.act(&fresh)
		if n%60 == 59 && len(blows) > 0 {
			i := c.people.IntN(3)
			c.moved(replicas[(i+1)%3].url)
			blows[0](i)
			blows = blows[1:]
		}
	}
	c.stormy.Store(false)
	c.peace(4 * time.Minute)
	for _, d := range c.sim.Sent() {
		must(t, c.sim.Redeliver(d.GUID))
	}
	c.peace(2 * time.Minute)
	c.url.Store(nil)
	for _, r := range replicas {
		r.replaced(t)
	}
	c.leaked()
}

// replaced stops a replica as an orchestrator does.
func (s server) replaced(t *testing.T) {
	t.Helper()
	must(t, s.cmd.Process.Signal(syscall.SIGTERM))
	s.ends(t, 20*time.Second)
}

package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/heed-app/heed/pkg/hubsim"
)

// TestKilled runs the real binary and kills it with SIGKILL at every one of its writes: GitHub has
// done what it was asked, and nobody is left to hear so. After a restart everything is there, once.
func TestKilled(t *testing.T) {
	t.Parallel()
	binary := build(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 8; n++ {
		t.Run(fmt.Sprintf("at write %d", n), func(t *testing.T) {
			t.Parallel()
			killAt(t, binary, key, n)
		})
	}
}

// TestCrash feeds the real binary with reports of all kinds while one call in five fails and the
// process is killed again and again. In the end every effect is there once. HEED_CRASH_SEED plays a
// seed again, as far as two processes on a busy machine can; HEED_CRASH=full is the long run.
func TestCrash(t *testing.T) {
	t.Parallel()
	reports, kills := 26, 5
	switch {
	case os.Getenv("HEED_CRASH") == "full":
		reports, kills = 208, 30
	case testing.Short():
		reports, kills = 12, 2
	}
	binary := build(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	seeds := map[string]uint64{"fixed seed": 1, "random seed": mathrand.Uint64()} //nolint:gosec // chance, not secrets
	if given := os.Getenv("HEED_CRASH_SEED"); given != "" {
		seed, err := strconv.ParseUint(given, 10, 64)
		must(t, err)
		seeds = map[string]uint64{"given seed": seed}
	}
	if os.Getenv("HEED_TEST_DATABASE") != "" { // there is one, and two would meet in it
		delete(seeds, "random seed")
	}
	for name, seed := range seeds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Logf("HEED_CRASH_SEED=%d", seed)
			crash(t, newChaos(t, binary, key, seed, reports, perOrg, ""), kills)
		})
	}
}

// mostPeace is how long peace may take to come. The sweeps of these tests, one a second, use up what the budget
// allows in a minute, and so people's last acts may wait for the next minute, and their effects for the one after.
const mostPeace = 4 * time.Minute

func crash(t *testing.T, c *chaos, kills int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var post sync.WaitGroup
	post.Go(func() { c.webhooks(ctx) })
	defer post.Wait()
	defer cancel()
	begin, each := time.Now(), (len(c.untold)+kills-1)/kills
	for range kills {
		c.life(each)
		c.leaked()
	}
	t.Logf("%d kills took %s", kills, time.Since(begin))
	c.stormy.Store(false)
	s := c.serve(t)
	c.moved(s.url)
	c.peace(mostPeace + 2*time.Since(begin))
	for _, d := range c.sim.Sent() { // everything once more, to somebody who has just got up
		must(t, c.sim.Redeliver(d.GUID))
	}
	s.kill()
	s = c.serve(t)
	c.moved(s.url)
	c.peace(mostPeace)
	c.url.Store(nil)
	s.stop(t)
	c.leaked()
	reads, writes := 0, 0
	for _, call := range c.sim.Journal() {
		if call.Write {
			writes++
		} else {
			reads++
		}
	}
	t.Logf("%d reports, %d kills, %d reading and %d writing calls, %s", len(c.reports), kills, reads, writes, time.Since(begin))
}

func killAt(t *testing.T, binary string, key *rsa.PrivateKey, n int) {
	t.Helper()
	sim := hubsim.New(time.Now, hubsim.App{ID: 7, Slug: "heed", WebhookSecret: "hush", Permissions: demoPermissions(), Events: demoEvents(), Key: key})
	sim.AddUser("rea", "eve", "mia", "lea")
	sim.AddOrg("acme")
	sim.AddOwner("acme", "lea")
	sim.AddTeam("acme", "security", "mia")
	sim.AddRepo("acme", "web", false)
	sim.AddRepo("acme", "security-cases", true)
	sim.GrantTeam("acme/security-cases", "security", "write")
	sim.Install("acme")
	must(t, sim.PushFile("lea", "acme/web", ".github/disclosure.yml", "version: 1\nteam: security\ntracker: acme/security-cases\n"))
	for _, d := range sim.Pending() {
		sim.RecordDelivery(d.ID, http.StatusAccepted)
	}
	github := httptest.NewServer(sim.Handler())
	defer github.Close()

	here := host{binary: binary, dir: t.TempDir(), github: github.URL, sim: sim}
	first := here.serve(t)
	killed := make(chan struct{})
	var once sync.Once
	sim.SetFault(func(_ *http.Request, write bool, i int) hubsim.Fault {
		if write && i == n {
			once.Do(func() { _ = first.cmd.Process.Kill(); close(killed) })
			return hubsim.LandedUnanswered
		}
		return hubsim.None
	})
	_, err := sim.OpenIssue("eve", "acme/web", "SQL injection in the search field lets anyone read the user table",
		"The parameter q is not escaped. An attacker can read every password hash.\n\nPoC: `' union select password from users--`. Impact: full disclosure, CVSS 9.8.")
	must(t, err)
	ghsa, err := sim.Report("rea", "acme/web", "Overflow", "A deadly header.")
	must(t, err)
	must(t, sim.Send(context.Background(), http.DefaultClient, first.url+"/api/github/hook"))
	select {
	case <-killed:
	case <-time.After(30 * time.Second):
		t.Fatalf("write %d never came", n)
	}
	_ = first.cmd.Wait()

	second := here.serve(t)
	whole := func() bool {
		leak, _ := sim.Issue("acme/web", 1)
		report, _ := sim.AdvisoryOf("acme/web", ghsa)
		return leak.State == "closed" && len(leak.Comments) >= 1 && len(report.Comments) >= 1 && len(report.Teams) == 1 &&
			len(sim.Issues("mia", "acme/security-cases")) >= 2 && len(sim.Advisories("acme/web")) >= 2
	}
	waitFor(t, whole)
	second.stop(t)
	leak, _ := sim.Issue("acme/web", 1)
	report, _ := sim.AdvisoryOf("acme/web", ghsa)
	if got := [4]int{len(leak.Comments), len(report.Comments), len(sim.Issues("mia", "acme/security-cases")), len(sim.Advisories("acme/web"))}; got != [4]int{1, 1, 2, 2} {
		t.Errorf("replies, receipts, cases and advisories: %v, want 1 1 2 2", got)
	}
	if laws := sim.Violations(); len(laws) > 0 {
		t.Errorf("laws broken: %s", laws)
	}
}

// build makes the real binary.
func build(t testing.TB) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "heed")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil { //nolint:gosec // a path of this test
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// host is where the binary runs: a directory with a database, and a GitHub to speak to.
type host struct {
	binary, dir, github string
	sim                 *hubsim.Sim
	secret              string // of the webhooks; "": hush
	sweep               string // how often it sweeps; "": hardly ever
	database            string // "": the default, a file in the directory
	log                 io.Writer
}

// server is one run of the binary.
type server struct {
	cmd *exec.Cmd
	url string
}

// start runs the binary and does not wait until it answers.
func (h host) start(t testing.TB) server {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	addr := l.Addr().String()
	must(t, l.Close())
	cmd := exec.CommandContext(context.Background(), h.binary, "serve") //nolint:gosec // a path of this test
	cmd.Dir = h.dir
	cmd.Env = append(os.Environ(), "HEED_LISTEN="+addr, "GITHUB_V3_API_URL="+h.github+"/", "GITHUB_APP_INTEGRATION_ID=7",
		"GITHUB_APP_PRIVATE_KEY="+string(h.sim.PrivateKey()), "GITHUB_APP_WEBHOOK_SECRET="+cmp.Or(h.secret, "hush"),
		"HEED_SWEEP_EVERY="+cmp.Or(h.sweep, "1h"))
	if h.database != "" {
		cmd.Env = append(cmd.Env, "HEED_DATABASE_URL="+h.database, "HEED_DATA_KEY="+base64.StdEncoding.EncodeToString(crashKey()))
	}
	cmd.Stderr = h.log
	if h.log == nil {
		cmd.Stderr = t.Output()
	}
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return server{cmd, "http://" + addr}
}

// serve is start, and waits until it answers.
func (h host) serve(t testing.TB) server {
	t.Helper()
	s := h.start(t)
	waitFor(t, func() bool {
		res, err := http.Get(s.url + "/healthz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	return s
}

// kill ends the server as a power cut would.
func (s server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// stop asks the server to end, which it must do well.
func (s server) stop(t testing.TB) {
	t.Helper()
	must(t, s.cmd.Process.Signal(os.Interrupt))
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("it did not end well: %v", err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func waitFor(t testing.TB, is func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline:
			t.Fatal("it never happened")
		case <-tick.C:
		}
	}
}

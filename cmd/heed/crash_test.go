package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/heed-app/heed/pkg/hubsim"
)

// TestKilled runs the real binary and kills it with SIGKILL at every one of its writes: GitHub has
// done what it was asked, and nobody is left to hear so. After a restart everything is there, once.
func TestKilled(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "heed")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil { //nolint:gosec // a path of this test
		t.Fatalf("%v\n%s", err, out)
	}
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

	dir := t.TempDir()
	first := serve(t, binary, dir, github.URL, sim)
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

	second := serve(t, binary, dir, github.URL, sim)
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

// server is one run of the binary.
type server struct {
	cmd *exec.Cmd
	url string
}

func serve(t testing.TB, binary, dir, github string, sim *hubsim.Sim) server {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	addr := l.Addr().String()
	must(t, l.Close())
	cmd := exec.CommandContext(context.Background(), binary, "serve")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HEED_LISTEN="+addr, "GITHUB_V3_API_URL="+github+"/", "GITHUB_APP_INTEGRATION_ID=7",
		"GITHUB_APP_PRIVATE_KEY="+string(sim.PrivateKey()), "GITHUB_APP_WEBHOOK_SECRET=hush", "HEED_SWEEP_EVERY=1h")
	cmd.Stderr = t.Output()
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	s := server{cmd, "http://" + addr}
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

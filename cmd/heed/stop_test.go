package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/heed-app/heed/config"
	"github.com/heed-app/heed/pkg/app"
	"github.com/heed-app/heed/pkg/hubsim"
)

// slow is a GitHub that writes receipts down at once and takes its time to say so.
type slow struct {
	host
	asked  chan struct{} // a receipt is asked for
	answer chan struct{} // closed: it may be answered
	ghsa   string
}

func newSlow(t *testing.T) *slow {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	sim := hubsim.New(time.Now, hubsim.App{ID: 7, Slug: "heed", WebhookSecret: "hush", Permissions: demoPermissions(), Events: demoEvents(), Key: key})
	sim.AddUser("rea", "mia")
	sim.AddOrg("acme")
	sim.AddTeam("acme", "security", "mia")
	sim.AddRepo("acme", "web", false)
	sim.AddRepo("acme", "cases", true)
	sim.AddOwner("acme", "lea")
	sim.Install("acme")
	must(t, sim.PushFile("lea", "acme/web", ".github/disclosure.yml", "version: 1\nteam: security\ntracker: acme/cases\n"))
	for _, d := range sim.Pending() {
		sim.RecordDelivery(d.ID, http.StatusAccepted)
	}
	s := &slow{asked: make(chan struct{}, 100), answer: make(chan struct{})}
	github := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		done := httptest.NewRecorder()
		sim.Handler().ServeHTTP(done, r)
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/comments") {
			s.asked <- struct{}{}
			select {
			case <-s.answer:
			case <-r.Context().Done(): // nobody waits any more
			}
		}
		maps.Copy(w.Header(), done.Header())
		w.WriteHeader(done.Code)
		_, _ = w.Write(done.Body.Bytes()) // the caller may have hung up
	}))
	t.Cleanup(github.Close)
	dir := t.TempDir()
	s.host = host{binary: build(t), dir: dir, github: github.URL, sim: sim, database: "sqlite://" + dir + "/heed.db"}
	return s
}

// busy starts the binary and returns when it is waiting for the answer to its first receipt.
func (s *slow) busy(t *testing.T) server {
	t.Helper()
	up := s.serve(t)
	var err error
	s.ghsa, err = s.sim.Report("rea", "acme/web", "Overflow", "A deadly header.")
	must(t, err)
	must(t, s.sim.Send(t.Context(), http.DefaultClient, up.url+"/api/github/hook"))
	<-s.asked
	return up
}

// whole waits until everything is there, and sees that it is there once.
func (s *slow) whole(t *testing.T) {
	t.Helper()
	waitFor(t, func() bool {
		a, _ := s.sim.AdvisoryOf("acme/web", s.ghsa)
		return len(a.Comments) > 0 && len(a.Teams) > 0 && len(s.sim.Issues("lea", "acme/cases")) > 0
	})
	a, _ := s.sim.AdvisoryOf("acme/web", s.ghsa)
	if n := len(s.sim.Issues("lea", "acme/cases")); len(a.Comments) != 1 || len(a.Teams) != 1 || n != 1 {
		t.Errorf("%d receipts, teams %v, %d cases", len(a.Comments), a.Teams, n)
	}
	if laws := s.sim.Violations(); len(laws) > 0 {
		t.Errorf("laws broken: %s", laws)
	}
}

// ends waits for the end of a server that was asked for it, which must be a good one and in time.
func (s server) ends(t *testing.T, limit time.Duration) {
	t.Helper()
	asked, ended := time.Now(), make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it did not end well: %v", err)
		}
		t.Logf("it ended after %s", time.Since(asked))
	case <-time.After(limit):
		t.Fatalf("it did not end within %s", limit)
	}
}

// TestStops: on SIGTERM the door closes, the effect in hand is finished and recorded, and the exit
// code is 0. What is delivered meanwhile is on disk if it was taken in, and else in GitHub's log.
func TestStops(t *testing.T) {
	t.Parallel()
	s := newSlow(t)
	up := s.busy(t)
	for range 300 {
		_, err := s.sim.OpenIssue("rea", "acme/web", "Build fails", "It fails on my machine.")
		must(t, err)
	}
	taken := make(map[string]bool)
	var mu sync.Mutex
	var posts sync.WaitGroup
	sent, refused := s.sim.Pending(), make(chan struct{})
	var once sync.Once
	work := make(chan hubsim.Delivery)
	for range 4 {
		posts.Go(func() {
			for d := range work {
				status := postTo(t, up.url, d)
				mu.Lock()
				taken[d.GUID] = status == http.StatusAccepted
				mu.Unlock()
				if status != http.StatusAccepted {
					once.Do(func() { close(refused) })
				}
			}
		})
	}
	for i, d := range sent {
		if i == 100 {
			must(t, up.cmd.Process.Signal(syscall.SIGTERM))
		}
		work <- d
	}
	close(work)
	<-refused // the door is closed, and GitHub has not answered yet
	close(s.answer)
	up.ends(t, 15*time.Second)
	posts.Wait()
	s.onDisk(t, taken)
	s.serve(t).stop(t)
	s.whole(t)
}

// onDisk opens the database of a server that has ended: the receipt is recorded, and whatever was
// answered with 202 is there.
func (s *slow) onDisk(t *testing.T, taken map[string]bool) {
	t.Helper()
	st, err := app.OpenStore(t.Context(), config.Server{Database: s.database, DataKeys: [][]byte{crashKey()}})
	must(t, err)
	defer st.Close()
	effects, err := st.Records(t.Context(), 1)
	must(t, err)
	if len(effects) == 0 || !strings.HasSuffix(effects[0].Key, ":receipt") || effects[0].State != "done" {
		t.Errorf("the receipt is not recorded: %v", effects)
	}
	n := 0
	for guid, accepted := range taken {
		known, err := st.Known(t.Context(), guid)
		must(t, err)
		if accepted {
			n++
		}
		if accepted && !known {
			t.Errorf("%s was answered with 202 and is not on disk", guid)
		}
	}
	t.Logf("%d of %d deliveries were taken in", n, len(taken))
	if n == 0 || n == len(taken) {
		t.Error("the door was not closed while they came")
	}
}

// TestStopsWithoutAnswer: a GitHub that never answers holds nobody up for more than the 15 seconds
// that work in hand gets. The rest is on disk, and done after the next start, once.
func TestStopsWithoutAnswer(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes the 15 seconds")
	}
	s := newSlow(t)
	up := s.busy(t)
	must(t, up.cmd.Process.Signal(syscall.SIGTERM))
	up.ends(t, 18*time.Second)
	close(s.answer)
	up = s.serve(t)
	s.whole(t)
	up.stop(t)
}

// postTo delivers one webhook; 0: the door was not reached.
func postTo(t *testing.T, url string, d hubsim.Delivery) int {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url+"/api/github/hook", bytes.NewReader(d.Body))
	must(t, err)
	req.Header = d.Header.Clone()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

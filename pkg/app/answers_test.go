package app_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heed-app/heed/pkg/hubsim"
)

// TestQuickerThanTheAnswer: GitHub opened the issue in the tracker, and its answer got lost. Mia reads
// the issue and commands before it is found by its mark: she is obeyed all the same.
func TestQuickerThanTheAnswer(t *testing.T) {
	t.Parallel()
	w := newDay(t)
	lost := false
	w.sim.SetFault(func(r *http.Request, write bool, _ int) hubsim.Fault {
		if write && !lost && r.URL.Path == "/repos/acme/security-cases/issues" {
			lost = true
			return hubsim.LandedUnanswered
		}
		return hubsim.None
	})
	ghsa, err := w.sim.Report("rea", "acme/web", "Overflow", "A deadly header.")
	check(t, err)
	_, err = w.step()
	check(t, err)
	_, err = w.sim.CommentIssue("mia", "acme/security-cases", 1, "/ack We have it.")
	check(t, err)
	check(t, w.settle())
	i, _ := w.sim.Issue("acme/security-cases", 1)
	a, _ := w.sim.AdvisoryOf("acme/web", ghsa)
	if !lost || !slices.Equal(i.Comments[0].Reactions, []string{"eyes", "rocket"}) || len(a.Comments) != 2 {
		t.Errorf("lost: %t; the command: %v; said to rea: %d", lost, i.Comments[0].Reactions, len(a.Comments))
	}
}

// TestKnowsNoPolicy: killed after the draft was opened, and up again while the policy cannot be read.
// What the policy asks for after a draft waits for it, and is not what the built-in one asks for.
func TestKnowsNoPolicy(t *testing.T) {
	t.Parallel()
	w := newDay(t)
	failures := 0
	w.sim.SetFault(func(r *http.Request, _ bool, _ int) hubsim.Fault {
		if w.cuts > 0 && failures < 3 && strings.Contains(r.URL.Path, "/contents/") {
			failures++
			return hubsim.Lost
		}
		return hubsim.None
	})
	w.landCut = w.sim.Writes() + 2 // the text is out of sight, the draft is there
	_, err := w.sim.OpenIssue("eve", "acme/web", leakTitle, leakBody)
	check(t, err)
	check(t, w.settle())
	check(t, w.advance(w.settings().SweepEvery))
	i, _ := w.sim.Issue("acme/web", 1)
	ghsa := w.sim.Advisories("acme/web")
	a, _ := w.sim.AdvisoryOf("acme/web", ghsa[0])
	if failures != 3 || len(ghsa) != 1 || !slices.Equal(a.Teams, []string{"security"}) || !slices.Equal(i.Labels, []string{"moved"}) || len(i.Comments) != 1 {
		t.Errorf("%d failures: %d drafts, the first for %v; labels %v, %d replies", failures, len(ghsa), a.Teams, i.Labels, len(i.Comments))
	}
}

// TestNotInvited: Eve could not be added to the draft. Nobody claims that she was, and the rest goes on.
func TestNotInvited(t *testing.T) {
	t.Parallel()
	w := newDay(t)
	w.sim.SetFault(func(r *http.Request, write bool, _ int) hubsim.Fault {
		if write && r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/security-advisories/") {
			return hubsim.Refused
		}
		return hubsim.None
	})
	_, err := w.sim.OpenIssue("eve", "acme/web", leakTitle, leakBody)
	check(t, err)
	check(t, w.settle())
	i, _ := w.sim.Issue("acme/web", 1)
	if len(i.Comments) != 1 || strings.Contains(i.Comments[0].Body, "invit") || strings.Contains(i.Comments[0].Body, "added") {
		t.Errorf("said in public: %+v", i.Comments)
	}
	if tracker, ok := w.sim.Issue("acme/security-cases", 1); !ok || !strings.Contains(tracker.Body, "people could not be added") {
		t.Errorf("the tracker says: %s", tracker.Body)
	}
}

// newDay is a world with the policy of the day in force.
func newDay(t *testing.T) *world {
	t.Helper()
	w, err := newWorld(t.TempDir(), "", testLog(t))
	check(t, err)
	t.Cleanup(func() { _ = w.powerOff() })
	check(t, w.sim.PushFile("lea", "acme/web", ".github/disclosure.yml", dayPolicy))
	check(t, w.settle())
	return w
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestAStrangerInsists: who may not command is answered ten times an hour, for every answer costs calls;
// the maintainer meanwhile is obeyed. The count is kept in memory: after a restart it begins anew.
func TestAStrangerInsists(t *testing.T) {
	t.Parallel()
	w := newDay(t)
	n, err := w.sim.OpenIssue("rea", "acme/web", "The menu is cut off", "On my phone the last entry can't be reached.")
	check(t, err)
	answered := func() (times int) {
		i, _ := w.sim.Issue("acme/web", n)
		for _, c := range i.Comments {
			times += len(c.Reactions)
		}
		return times
	}
	for range 12 {
		_, err := w.sim.CommentIssue("eve", "acme/web", n, "/security redirect")
		check(t, err)
		check(t, w.settle())
	}
	if got := answered(); got != 10 {
		t.Errorf("answered %d times within the hour", got)
	}
	check(t, w.advance(61*time.Minute))
	_, err = w.sim.CommentIssue("eve", "acme/web", n, "/security redirect")
	check(t, err)
	check(t, w.settle())
	if got := answered(); got != 11 {
		t.Errorf("answered %d times, once in the next hour", got)
	}
	_, err = w.sim.CommentIssue("mia", "acme/web", n, "/security redirect")
	check(t, err)
	check(t, w.settle())
	if i, _ := w.sim.Issue("acme/web", n); strings.Contains(i.Body, "menu") || strings.Contains(i.Body, "phone") {
		t.Errorf("the maintainer was not obeyed: %q", i.Body)
	}
}

// What heed serve shows to whoever finds its address: that it is there, and no case.
func TestTheClosedPage(t *testing.T) {
	t.Parallel()
	w := newDay(t)
	_, err := w.sim.Report("rea", "acme/web", "Overflow", "A deadly header.")
	check(t, err)
	check(t, w.settle())
	for path, want := range map[string]int{"/": http.StatusOK, "/case/1": http.StatusNotFound} {
		rec := httptest.NewRecorder()
		w.app.Handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		body := rec.Body.String()
		if rec.Code != want || strings.Contains(body, "GHSA") || strings.Contains(body, "acme/web") {
			t.Errorf("%s: %d, %s", path, rec.Code, body)
		}
	}
}

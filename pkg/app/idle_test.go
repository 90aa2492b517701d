package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/heed-app/heed/pkg/hubsim"
)

// TestIdleCalls prints what it costs to watch an organisation in which nothing happens, in calls an
// hour. Those that GitHub answers with "not modified" are free of the hourly limit.
func TestIdleCalls(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		repos   int
		org     bool // the organisation's list is to be had
		charged int  // at most
	}{
		{10, true, 10},
		{1_000, true, 100},
		{10_000, true, 700},
		{10, false, 10},
		{1_000, false, 1_000},
	} {
		if c.repos > 1_000 && testing.Short() {
			continue
		}
		t.Run(fmt.Sprintf("%d repositories, list of the organisation %t", c.repos, c.org), func(t *testing.T) {
			t.Parallel()
			w := openWorld(t)
			w.sim.Uninstall("acme")      // who joins one by one is told of one by one
			for i := range c.repos - 3 { // three are there already
				w.sim.AddRepo("acme", fmt.Sprintf("r%d", i), false)
			}
			w.sim.Install("acme")
			for _, d := range w.sim.Pending() {
				w.sim.RecordDelivery(d.ID, http.StatusAccepted)
			}
			if !c.org {
				w.sim.SetFault(func(r *http.Request, _ bool, _ int) hubsim.Fault {
					if strings.HasPrefix(r.URL.Path, "/orgs/") {
						return hubsim.Refused
					}
					return hubsim.None
				})
			}
			every := w.settings().SweepEvery
			hour := func() (charged, free, seen int) {
				begin := len(w.sim.Journal())
				for range int(time.Hour / every) {
					w.now = w.now.Add(every)
					if err := w.sweep(); err != nil {
						t.Fatal(err)
					}
				}
				for _, call := range w.sim.Journal()[begin:] {
					switch {
					case strings.HasSuffix(call.Path, "/access_tokens"):
					case call.Status == http.StatusNotModified:
						free++
					default:
						charged++
					}
				}
				return charged, free, len(w.sim.Journal()) - begin
			}
			for range 2 { // come to rest
				hour()
			}
			charged, free, _ := hour()
			t.Logf("an hour of nothing: %d calls that count, %d that do not", charged, free)
			if charged > c.charged {
				t.Errorf("more than %d calls that count", c.charged)
			}
			// What nobody told of is found by the next sweep, or as soon as its repository has its turn.
			w.lost = true
			if _, err := w.sim.Report("rea", "acme/web", "Overflow", "It overflows."); err != nil {
				t.Fatal(err)
			}
			for range 40 {
				w.now = w.now.Add(every)
				if err := w.sweep(); err != nil {
					t.Fatal(err)
				}
				if cs, err := w.app.Store.Cases(t.Context(), true); err != nil || len(cs) == 1 {
					return
				}
				if c.org {
					break
				}
			}
			t.Error("a report was not found")
		})
	}
}

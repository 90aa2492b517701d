package app_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/heed-app/heed/pkg/hubsim"
)

// TestWebhooks lets a fixed day happen whose webhooks come twice, in any order, late or not at all,
// in which case the sweep asks for them. GitHub must look in the end as it does after a day on which
// each came at once. Nobody waits for our machine but for what they need to see: whoever commands in
// the tracker must have the issue before him, and whoever puts a text back must have found it gone.
//
// What may differ, as it follows from the order in which we heard of things, is taken out by looks:
// numbers of cases and of issues in the tracker, ids of comments and of advisories, when and for how
// long (what is due is counted from GitHub's times, which move with the day), and in which order
// our own comments stand below a text. An edit that overtakes the blanking is not in this day: which
// of the two texts becomes the draft and which is kept beside it is a matter of order.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	root := inMemory(t)
	want := spend(t, root, inOrder)
	days(t)
	rapid.Check(t, func(rt *rapid.T) {
		got := spend(rt, root, func(w *world, day []deed) error { return outOfOrder(rt, w, day) })
		if got != want {
			rt.Errorf("%s", firstDifference(want, got))
		}
	})
}

// days says how many of them are told, unless -rapid.checks does. All that rapid would like take a
// minute; HEED_SWEEP=all, as in CI, leaves none out.
func days(t *testing.T) {
	f, n := flag.Lookup("rapid.checks"), "10"
	switch {
	case testing.Short():
		n = "2"
	case os.Getenv("HEED_SWEEP") == "all":
		n = f.DefValue
	}
	if f.Value.String() == f.DefValue {
		if err := f.Value.Set(n); err != nil {
			t.Fatal(err)
		}
	}
}

// fataler is what a test and one of rapid's runs have in common.
type fataler interface {
	Fatal(args ...any)
	Errorf(format string, args ...any)
}

// spend lets the day pass in a world of its own and returns how GitHub looks then.
func spend(t fataler, root string, pass func(*world, []deed) error) string {
	dir, err := os.MkdirTemp(root, "world")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	w, err := newWorld(dir, "", quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.powerOff() }()
	w.sim.Canary("canary-")
	err = w.sim.PushFile("lea", "acme/web", ".github/disclosure.yml", dayPolicy)
	if err == nil {
		err = w.settle()
	}
	if err == nil {
		err = pass(w, day())
	}
	if err != nil {
		t.Fatal(err)
	}
	if laws := w.sim.Violations(); len(laws) > 0 {
		t.Errorf("laws broken: %s", laws)
	}
	parked, err := w.app.Store.Records(context.Background(), 0)
	if err != nil || len(parked) > 0 {
		t.Errorf("laid aside: %v %v", parked, err)
	}
	return w.looks()
}

// inOrder delivers every webhook at once.
func inOrder(w *world, day []deed) error {
	for _, d := range day {
		for i := 0; !d.ready(w); i++ {
			if i == 5 {
				return fmt.Errorf("%s never can happen:\n%s", d.name, w.looks())
			}
			w.now = w.now.Add(w.settings().SweepEvery)
			if err := w.sweep(); err != nil {
				return err
			}
		}
		if err := d.do(w); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		if err := w.settle(); err != nil {
			return err
		}
	}
	return w.advance(w.settings().SweepEvery * 30)
}

// outOfOrder lets chance decide what comes next: a deed, a webhook, or nothing for a while.
func outOfOrder(t *rapid.T, w *world, day []deed) error {
	w.lost = true
	var sent []hubsim.Delivery
	lost := map[string]int{}
	for idle := 0; len(day) > 0 || len(sent) > 0; {
		sent = append(sent, w.sim.Pending()...)
		n := rapid.IntRange(0, 19).Draw(t, "what")
		switch {
		case n < 6 && len(day) > 0 && day[0].ready(w):
			if err := day[0].do(w); err != nil {
				return fmt.Errorf("%s: %w", day[0].name, err)
			}
			day, idle = day[1:], 0
		case n < 19 && len(sent) > 0:
			i := rapid.IntRange(0, len(sent)-1).Draw(t, "which")
			d := sent[i]
			fate := rapid.SampledFrom([]string{"comes", "comes", "comes twice", "is lost"}).Draw(t, d.Event)
			if fate == "is lost" && lost[d.GUID] < 2 {
				lost[d.GUID]++
				w.sim.RecordDelivery(d.ID, 0)
			} else if err := w.deliver(d); err != nil {
				return err
			}
			if fate != "comes twice" {
				sent = slices.Delete(sent, i, i+1)
			}
			if rapid.Bool().Draw(t, "thinks") {
				if err := w.settle(); err != nil {
					return err
				}
			}
		default:
			if idle++; idle > 200 {
				return fmt.Errorf("%s never can happen:\n%s", day[0].name, w.looks())
			}
			w.now = w.now.Add(w.settings().SweepEvery)
			if err := w.sweep(); err != nil {
				return err
			}
		}
	}
	w.lost = false
	return w.advance(w.settings().SweepEvery * 30)
}

var whenAndWhich = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d UTC|stood open for \*\*[^*]+\*\*|issuecomment-\d+|case \d+|security-cases/issues/\d+|(?s)<!--.*?-->`)

// looks is everything that the owner sees, without what may differ.
func (w *world) looks() string {
	var out []string
	names := []string{}
	for _, ghsa := range w.sim.Advisories("acme/web") {
		a, _ := w.sim.AdvisoryOf("acme/web", ghsa)
		names = append(names, ghsa, "GHSA of "+a.Summary)
	}
	clean := strings.NewReplacer(names...)
	text := func(s string) string { return clean.Replace(whenAndWhich.ReplaceAllString(s, "…")) }
	below := func(cs []hubsim.CommentView) string {
		var all []string
		for _, c := range cs {
			all = append(all, fmt.Sprintf("%s: %s %v\n", c.Author, text(c.Body), c.Reactions))
		}
		slices.Sort(all)
		return strings.Join(all, "")
	}
	for _, repo := range []string{"acme/web", "acme/security-cases"} {
		for _, n := range w.sim.Issues("lea", repo) {
			i, _ := w.sim.Issue(repo, n)
			out = append(out, fmt.Sprintf("## %s %s (%s, locked %t) %v %v\n%s\n%s", repo, text(i.Title), i.State, i.Locked, i.Labels, i.Assignees, text(i.Body), below(i.Comments)))
		}
	}
	for _, ghsa := range w.sim.Advisories("acme/web") {
		a, _ := w.sim.AdvisoryOf("acme/web", ghsa)
		out = append(out, fmt.Sprintf("## %s (%s) %v %v %v %q\n%s\n%s", a.Summary, a.State, a.Collaborators, a.Teams, a.Credits, a.Severity, text(a.Description), below(a.Comments)))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

package flow

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/heed-app/heed/pkg/command"
	"github.com/heed-app/heed/pkg/detect"
	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/policy"
	"github.com/heed-app/heed/pkg/promise"
	"github.com/heed-app/heed/pkg/wording"
)

var monday = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

var ids atomic.Int64

const hole = "the q parameter ends in the query"

var web = disclosure.Repo{ID: 1, Owner: "acme", Name: "web"}

// atHome is a world with a tracker, a team and every promise.
func atHome(now time.Time) World {
	p, mistakes := policy.Parse("p", []byte(`
version: 1
team: security
tracker: acme/cases
coordinators: [mia]
public_reports:
  confident: [blank, advisory, reply, close, label, lock]
  labels: {redirected: moved}
promises:
  decide: {within: 7d}
  update: {every: 14d}
  fix: {within: 90d}
  by_severity: {critical: {fix: 7d}}
  escalate_to: ["@acme/leads"]
`))
	if len(mistakes) > 0 {
		panic(mistakes[0])
	}
	key := []byte("installation")
	return World{
		Now: now, Policy: p, Secret: key, Words: wording.Words{Secret: key}, WebURL: "https://github.com", PVR: true,
		Tracker: disclosure.Repo{ID: 2, Owner: "acme", Name: "cases"}, Tags: []string{"v1.4.0"},
	}
}

func reported(at time.Time) Event {
	return Event{Kind: AdvisorySeen, At: at, Repo: web, Advisory: Advisory{GHSA: "GHSA-1", State: triage, Reporter: "rea", Created: at, Submitted: true}}
}

func filed(reading detect.Reading, at time.Time) Event {
	return Event{
		Kind: IssueSeen, At: at, Repo: web, Reading: reading, Actor: Actor{Login: "eve"},
		Issue: Issue{Number: 7, Author: "eve", Title: disclosure.Seal("title: " + hole), Body: disclosure.Seal("body: " + hole), Created: at},
	}
}

func commands(place command.Place, login string, maintainer bool, lines ...string) Event {
	return Event{
		Kind: Commanded, At: monday, Repo: web, Place: place, Commands: command.Parse(strings.Join(lines, "\n"), place),
		Actor: Actor{Login: login, Maintainer: maintainer}, Comment: Comment{ID: ids.Add(1), Author: login}, Issue: Issue{Number: 3},
	}
}

func landed(e disclosure.Effect) Event {
	r := disclosure.Receipt{}
	switch e.Action {
	case disclosure.OpenIssue:
		r.Number = 3
		if effectName(e) == "release-issue" {
			r.Number = 4
		}
	case disclosure.OpenAdvisory:
		r.GHSA = "GHSA-9"
	default:
	}
	return Event{Kind: Landed, At: monday, Effect: e, Receipt: r}
}

// live runs events one after the other, and lands every effect before the next.
func live(w World, events ...Event) (disclosure.Case, []string) {
	var c disclosure.Case
	var names []string
	for _, e := range events {
		if !e.At.IsZero() && e.At.After(w.Now) {
			w.Now = e.At
		}
		todo := []Event{e}
		for len(todo) > 0 {
			if c.ID == 0 {
				c.ID = 1
			}
			d := Step(c, todo[0], w)
			todo = todo[1:]
			if d.Nothing() {
				c = disclosure.Case{}
				continue
			}
			c = d.Case
			for _, f := range d.Effects {
				names = append(names, strings.TrimPrefix(f.Key, "case/1:"))
				todo = append(todo, landed(f))
			}
		}
	}
	return c, names
}

// TestStep is the table of the brain: what happened, what is done about it, where the case stands.
func TestStep(t *testing.T) {
	t.Parallel()
	ack, accept := commands(command.Tracker, "mia", true, "/ack"), commands(command.Tracker, "mia", true, "/accept")
	for _, tt := range []struct {
		name    string
		events  []Event
		effects string // names, the repeated ones without their number
		state   string
		next    time.Duration // after monday
	}{
		{"a private report", []Event{reported(monday)}, "receipt team tracker", "received", 24 * time.Hour},
		{"a draft of the maintainers is no report", []Event{{Kind: AdvisorySeen, Repo: web, Advisory: Advisory{GHSA: "GHSA-1", State: draft}}}, "", "", 0},
		{"a report that was published before we came", []Event{{Kind: AdvisorySeen, Repo: web, Advisory: Advisory{GHSA: "GHSA-1", State: published, Submitted: true}}}, "", "", 0},
		{"seen twice", []Event{reported(monday), reported(monday)}, "receipt team tracker", "received", 24 * time.Hour},
		{"acknowledged", []Event{reported(monday), ack}, "receipt team tracker react ack react status", "received", 84 * time.Hour},
		{"acknowledged and accepted", []Event{reported(monday), ack, accept}, "receipt team tracker react ack react status react accept-state accepted release-issue react status status status", "accepted", 7 * 24 * time.Hour},
		{"an outsider cannot acknowledge", []Event{reported(monday), commands(command.Tracker, "eve", false, "/ack")}, "receipt team tracker react react refused", "received", 24 * time.Hour},
		{"the reporter cannot, though a maintainer", []Event{reported(monday), commands(command.Tracker, "rea", true, "/ack")}, "receipt team tracker react react refused", "received", 24 * time.Hour},
		{"a leak", []Event{filed(detect.ReadConfident, monday)}, "blank draft invite label reply lock tracker", "received", 24 * time.Hour},
		{"a leak that was none", []Event{filed(detect.ReadConfident, monday), commands(command.Tracker, "mia", true, "/not-security")}, "blank draft invite label reply lock tracker react strip restore unlabel unlock close-draft status tracker-state react status status", "closed", 0},
		{"a suspect", []Event{filed(detect.ReadSuspect, monday)}, "suspect-reply tracker", "received", 48 * time.Hour},
		{"a suspect that is none", []Event{filed(detect.ReadSuspect, monday), commands(command.Tracker, "mia", true, "/not-security")}, "suspect-reply tracker react status tracker-state react", "closed", 0},
		{"a question for the way", []Event{filed(detect.ReadContact, monday)}, "contact line", "closed", 0},
		{"a public CVE in a dependency", []Event{filed(detect.ReadDependency, monday)}, "", "", 0},
		{"phishing", []Event{filed(detect.ReadSpam, monday)}, "line", "closed", 0},
		{"an ordinary issue", []Event{filed(detect.ReadOrdinary, monday)}, "", "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, names := live(atHome(monday), tt.events...)
			for i, n := range names {
				names[i], _, _ = strings.Cut(n, ":")
			}
			if got := strings.Join(names, " "); got != tt.effects {
				t.Errorf("effects\n got %s\nwant %s", got, tt.effects)
			}
			if string(c.State) != tt.state {
				t.Errorf("state %q, want %q", c.State, tt.state)
			}
			var next time.Duration
			if !c.Wake.IsZero() {
				next = c.Wake.Sub(monday)
			}
			if next != tt.next {
				t.Errorf("next moment after %s, want %s", next, tt.next)
			}
		})
	}
}

// TestWalk lets cases live through random lives. Whatever happens: an open case has a next moment
// and a closed one has none, unless strangers can still read what was taken out; keys are never used twice for different things; nothing under embargo
// stands in a public effect, and nothing for the tracker goes anywhere else; nothing is said after an acknowledgement.
func TestWalk(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := atHome(monday)
		if rapid.Bool().Draw(t, "no tracker") {
			w.Tracker = disclosure.Repo{}
		}
		c := disclosure.Case{}
		keys := map[string]bool{}
		pending, aside := []disclosure.Effect{}, []disclosure.Effect{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			w.Now = w.Now.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "hours")) * time.Hour)
			var e Event
			if len(pending) > 0 && rapid.Bool().Draw(t, "settle") {
				e = landed(pending[0])
				if rapid.IntRange(0, 4).Draw(t, "refused") == 0 {
					e = Event{Kind: Laid, Effect: pending[0], Reason: "403 Forbidden"}
					aside = append(aside, pending[0])
				}
				pending = pending[1:]
			} else if len(aside) > 0 && rapid.IntRange(0, 4).Draw(t, "tried again") == 0 {
				e = landed(aside[0])
				aside = aside[1:]
			} else {
				e = anything(t, c, w.Now)
			}
			before := c
			if c.ID == 0 {
				c.ID = 1
			}
			d := Step(c, e, w)
			if d.Nothing() {
				c = disclosure.Case{}
				continue
			}
			c = d.Case
			check(t, before, e, d, keys)
			pending = append(pending, d.Effects...)
		}
	})
}

// anything draws something that may happen to a case.
func anything(t *rapid.T, c disclosure.Case, now time.Time) Event {
	login := rapid.SampledFrom([]string{"mia", "rea", "eve"}).Draw(t, "who")
	lines := []string{"/security ack", "/security accept", "/security decline documented", "/security need-info why?", "/security resume", "/security assign @sam", "/security severity critical", "/security redirect", "/security confirm", "/security not-security", "/security status", "/security help", "/security nonsense"}
	e := reported(now)
	switch rapid.IntRange(0, 9).Draw(t, "what") {
	case 0:
		e.Advisory.State = rapid.SampledFrom([]string{triage, draft, published, closed}).Draw(t, "state")
		e.Advisory.Accepted = e.Advisory.State == draft
		e.Advisory.GHSA = c.GHSA
		if c.GHSA == "" {
			e.Advisory.GHSA = "GHSA-1"
		}
	case 1, 2:
		reading := rapid.SampledFrom([]detect.Reading{detect.ReadConfident, detect.ReadSuspect, detect.ReadContact, detect.ReadSpam, detect.ReadOrdinary}).Draw(t, "reading")
		e = filed(reading, now)
		e.Issue.Body = disclosure.Seal(hole + rapid.StringN(0, 20, 20).Draw(t, "more"))
	case 3, 4, 5:
		place := rapid.SampledFrom([]command.Place{command.Tracker, command.Advisory, command.Public}).Draw(t, "place")
		e = commands(place, login, login == "mia", rapid.SampledFrom(lines).Draw(t, "command"))
		e.Comment.ID = ids.Add(1) // GitHub's ids are unique
		if place == command.Advisory {
			e.Kind = AdvisorySaid
		}
	case 6:
		e = Event{Kind: AdvisorySaid, At: now, Repo: web, Actor: Actor{Login: login, Maintainer: login == "mia"}, Place: command.Advisory}
	case 7:
		e = Event{Kind: ReleaseSeen, At: now, Repo: web, Tag: "v1.4.1"}
	case 8:
		e = Event{Kind: HistoryCleared, At: now}
	default:
		e = Event{Kind: Woke, At: now}
	}
	return e
}

func check(t *rapid.T, before disclosure.Case, e Event, d Decision, keys map[string]bool) {
	c := d.Case
	listens := !c.Listen.IsZero() && c.Listen.Equal(c.Wake)
	if (c.Open() || c.History.Open || listens) == c.Wake.IsZero() {
		t.Fatalf("%s: state %s, next moment %s", e.Kind, c.State, c.Wake)
	}
	for _, f := range d.Effects {
		if keys[f.Key] {
			t.Fatalf("%s: the key %s is used twice", e.Kind, f.Key)
		}
		keys[f.Key] = true
		public := f.Audience == disclosure.Public && effectName(f) != "restore"
		if public && (!f.Secret.IsZero() || !f.SecretTop.IsZero() || strings.Contains(f.Title+f.Body, hole)) {
			t.Fatalf("%s: %s shows the report to everybody", e.Kind, f.Key)
		}
		if private := f.Audience == disclosure.Trackers || slices.Contains([]string{"tracker-state", "release-state"}, effectName(f)); private && f.Repo == web && (before.Tracker.ID != 0 || e.Kind != Commanded) {
			t.Fatalf("%s: %s would go to the public repository", e.Kind, f.Key)
		}
		if strings.Contains(fmt.Sprint(f.Title, f.Body, f.Labels), hole) {
			t.Fatalf("%s: %s holds the report outside of an embargoed field", e.Kind, f.Key)
		}
		if effectName(f) == "remind" && strings.Contains(f.Body, "An answer to the reporter") && !before.Ack.At.IsZero() {
			t.Fatalf("%s: reminded of an answer that was given", e.Kind)
		}
	}
	for _, l := range d.Lines {
		if strings.Contains(l.Text, hole) {
			t.Fatalf("%s: the history holds the report", e.Kind)
		}
	}
	if !before.Ack.At.IsZero() && c.Kind == before.Kind && c.Ack != before.Ack {
		t.Fatalf("%s: the acknowledgement changed from %v to %v", e.Kind, before.Ack, c.Ack)
	}
	if c.Ack.By != "" && (c.Ack.By != "mia" || strings.EqualFold(c.Ack.By, c.Reporter)) {
		t.Fatalf("%s: acknowledged by %s", e.Kind, c.Ack.By)
	}
}

// Who is told grows with the breach, and only then.
func TestEscalation(t *testing.T) {
	t.Parallel()
	w := atHome(monday)
	c, _ := live(w, reported(monday))
	for _, tt := range []struct {
		after    time.Duration
		escalate bool
	}{{24 * time.Hour, false}, {39 * time.Hour, false}, {48 * time.Hour, true}, {72 * time.Hour, true}} {
		w.Now = monday.Add(tt.after)
		d := Step(c, Event{Kind: Woke}, w)
		c = d.Case
		i := slices.IndexFunc(d.Effects, func(f disclosure.Effect) bool { return effectName(f) == "remind" })
		if i < 0 {
			t.Fatalf("after %s nobody is reminded", tt.after)
		}
		if got := strings.Contains(d.Effects[i].Body, "@acme/leads"); got != tt.escalate {
			t.Errorf("after %s: escalated %v, want %v", tt.after, got, tt.escalate)
		}
	}
	reminders := 0
	for range 100 { // it ends some day
		w.Now = w.Now.Add(24 * time.Hour)
		d := Step(c, Event{Kind: Woke}, w)
		c = d.Case
		for _, f := range d.Effects {
			if strings.Contains(f.Body, "An answer to the reporter") && effectName(f) == "remind" {
				reminders++
			}
		}
	}
	if reminders != 6 { // the seven repeats of the policy, one of which came above
		t.Errorf("%d more reminders of the answer, want 6", reminders)
	}
}

// The reasons that commands name are those that the reporter is told in words.
func TestReasons(t *testing.T) {
	t.Parallel()
	var names []string
	for name := range reasons() {
		names = append(names, "`"+name+"`")
	}
	slices.Sort(names)
	if got := strings.Join(names, ", "); got != command.Reasons() {
		t.Errorf("words for %s, named are %s", got, command.Reasons())
	}
}

// The reporter may answer a question before the command that asked it was seen.
func TestAnswerBeforeTheQuestionWasSeen(t *testing.T) {
	t.Parallel()
	w := atHome(monday)
	c, _ := live(w, reported(monday))
	w.Now = monday.Add(time.Hour)
	said := func(who string, maintainer bool, at time.Duration, words string) {
		e := commands(command.Advisory, who, maintainer, words)
		e.Kind, e.At = AdvisorySaid, monday.Add(at)
		c = Step(c, e, w).Case
	}
	said("mia", true, 10*time.Minute, "Which version is it?\n/security need-info")
	said("rea", false, 30*time.Minute, "1.4.0")
	for _, k := range c.Clocks {
		if !k.Paused.IsZero() {
			t.Errorf("%s is paused since %s", k.Rule.Kind, k.Paused)
		}
	}
}

// A promise whose time became longer again is reminded of in the longer time.
func TestLessSevereAfterAll(t *testing.T) {
	t.Parallel()
	w := atHome(monday)
	c, _ := live(w, reported(monday))
	for _, line := range []string{"/ack", "/accept", "/severity critical"} {
		c = Step(c, commands(command.Tracker, "mia", true, line), w).Case
	}
	wake := func(until time.Duration) (reminded int) {
		for ; w.Now.Before(monday.Add(until)); w.Now = w.Now.Add(12 * time.Hour) {
			d := Step(c, Event{Kind: Woke}, w)
			c = d.Case
			for _, f := range d.Effects {
				if effectName(f) == "remind" && strings.Contains(f.Body, "release with the fix") {
					reminded++
				}
			}
		}
		return reminded
	}
	if n := wake(20 * 24 * time.Hour); n == 0 {
		t.Error("nobody was reminded of a critical fix")
	}
	c = Step(c, commands(command.Tracker, "mia", true, "/severity low"), w).Case
	if n := wake(100 * 24 * time.Hour); n == 0 {
		t.Error("nobody is reminded any more")
	}
}

// The deadlines of a severity count wherever the report was accepted: by command, in GitHub's pages
// before it was seen, or by publishing it at once.
func TestSevereOnEveryRoad(t *testing.T) {
	t.Parallel()
	seen := func(state string, accepted bool) Event {
		e := reported(monday)
		e.Advisory.Severity, e.Advisory.State, e.Advisory.Accepted = "critical", state, accepted
		return e
	}
	for name, events := range map[string][]Event{
		"by command":         {seen(triage, false), commands(command.Tracker, "mia", true, "/accept")},
		"before it was seen": {seen(draft, true)},
		"published at once":  {seen(triage, false), seen(published, false)},
	} {
		c, _ := live(atHome(monday), events...)
		k := c.Clock(promise.Fix)
		if c.State != disclosure.Accepted || k == nil || !k.Due().Equal(monday.Add(7*24*time.Hour)) {
			t.Errorf("%s: %s, fix: %+v", name, c.State, k)
		}
	}
}

// Whoever reads the mail about a closed issue sees why: the status is shown first, and once.
func TestTheStatusBeforeTheEnd(t *testing.T) {
	t.Parallel()
	w := atHome(monday)
	c, _ := live(w, reported(monday))
	var after []string
	for _, f := range Step(c, commands(command.Tracker, "mia", true, "/decline documented"), w).Effects {
		if name := effectName(f); name == "status" || name == "tracker-state" {
			after = append(after, name)
		}
	}
	if !slices.Equal(after, []string{"status", "tracker-state"}) {
		t.Errorf("the tracker gets %v", after)
	}
}

// One comment is obeyed once, whoever tells of it again.
func TestObeyedOnce(t *testing.T) {
	t.Parallel()
	w := atHome(monday)
	c, _ := live(w, reported(monday))
	ack := commands(command.Tracker, "mia", true, "/ack Thank you.")
	first := Step(c, ack, w)
	if again := Step(first.Case, ack, w); len(first.Effects) == 0 || len(again.Effects) != 0 || len(again.Lines) != 0 {
		t.Errorf("first %d effects, then %d and %v", len(first.Effects), len(again.Effects), again.Lines)
	}
}

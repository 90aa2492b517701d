package flow

import (
	"strings"
	"testing"

	"github.com/heed-app/heed/pkg/command"
	"github.com/heed-app/heed/pkg/detect"
	"github.com/heed-app/heed/pkg/disclosure"
)

// refuse runs events as live does, but lays the effects of one name aside. It returns the case, and
// those.
func refuse(w World, name string, events ...Event) (disclosure.Case, []disclosure.Effect) {
	c, aside := disclosure.Case{ID: 1}, []disclosure.Effect{}
	for todo := events; len(todo) > 0; {
		d := Step(c, todo[0], w)
		var next []Event
		for _, f := range d.Effects {
			if effectName(f) == name {
				next = append(next, Event{Kind: Laid, At: monday, Effect: f, Reason: "403 Forbidden"})
				aside = append(aside, f)
			} else {
				next = append(next, landed(f))
			}
		}
		todo, c = append(next, todo[1:]...), d.Case
	}
	return c, aside
}

// What was laid aside may be done after all, long after the case went on without it.
func TestLate(t *testing.T) {
	t.Parallel()
	accept := commands(command.Advisory, "mia", true, "/security accept")
	comment := filed(detect.ReadConfident, monday)
	comment.Kind, comment.Comment = CommentSeen, Comment{ID: 5, Author: "eve", Body: disclosure.Seal(hole)}
	for _, tt := range []struct {
		name, refused string
		events        []Event
		effects       string // what follows when it lands late
		is            func(disclosure.Case) bool
	}{
		{
			"the draft is there: no second reply", "draft",
			[]Event{filed(detect.ReadConfident, monday)},
			"invite status",
			func(c disclosure.Case) bool { return c.GHSA == "GHSA-9" && c.Drafted && len(c.Moved) == 0 },
		},
		{
			"a draft for what was answered meanwhile shows nothing of ours", "draft",
			[]Event{filed(detect.ReadConfident, monday), commands(command.Tracker, "mia", true, "/ack")},
			"invite strip status",
			func(c disclosure.Case) bool { return c.DraftBlock == "" },
		},
		{
			"a draft for what was none is closed", "draft",
			[]Event{filed(detect.ReadConfident, monday), commands(command.Tracker, "mia", true, "/not-security")},
			"close-draft status",
			func(c disclosure.Case) bool { return c.GHSA == "GHSA-9" },
		},
		{
			"the text is out of sight", "blank",
			[]Event{filed(detect.ReadConfident, monday)},
			"status",
			func(c disclosure.Case) bool { return c.Trouble == "" && len(c.Moved) == 0 && c.History.Open },
		},
		{
			"the tracker is the tracker again", "tracker",
			[]Event{reported(monday)},
			"",
			func(c disclosure.Case) bool { return c.Tracker.ID == 2 && c.TrackerIssue == 3 && c.Trouble == "" },
		},
		{
			"and has the checklist that was missing", "tracker",
			[]Event{reported(monday), accept},
			"release-issue status",
			func(c disclosure.Case) bool { return c.Tracker.ID == 2 },
		},
		{
			"people are in", "team",
			[]Event{reported(monday)},
			"status",
			func(c disclosure.Case) bool { return c.Trouble == "" },
		},
		{
			"the reporter has been told", "receipt",
			[]Event{reported(monday)},
			"status",
			func(c disclosure.Case) bool { return c.Trouble == "" },
		},
		{
			"a text that went to the advisory is not kept for the next one", "kept",
			[]Event{filed(detect.ReadConfident, monday), comment},
			"",
			func(c disclosure.Case) bool { return len(c.Kept) == 0 },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := atHome(monday)
			c, aside := refuse(w, tt.refused, tt.events...)
			if len(aside) == 0 || tt.is(c) {
				t.Fatalf("%d effects were laid aside; trouble %q", len(aside), c.Trouble)
			}
			d := Step(c, landed(aside[0]), w)
			var names []string
			for _, f := range d.Effects {
				names = append(names, effectName(f))
			}
			if got := strings.Join(names, " "); got != tt.effects {
				t.Errorf("effects %q, want %q", got, tt.effects)
			}
			if !tt.is(d.Case) {
				t.Errorf("the case is %+v", d.Case)
			}
		})
	}
}

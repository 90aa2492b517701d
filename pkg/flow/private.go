package flow

import (
	"slices"
	"strings"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/mark"
	"github.com/heed-app/heed/pkg/promise"
	"github.com/heed-app/heed/pkg/release"
	"github.com/heed-app/heed/pkg/wording"
)

// GitHub's states of an advisory.
const (
	triage    = "triage"
	draft     = "draft"
	published = "published"
	closed    = "closed"
)

// advisorySeen takes in a private report, or compares a known one with what GitHub says now:
// most of what happens to an advisory sends no webhook.
func (s *step) advisorySeen() {
	a := s.e.Advisory
	if s.c.Kind == "" {
		// A draft that the maintainers opened themselves is not a report; neither is what was
		// decided before we came.
		if a.State == triage || a.State == draft && a.Submitted {
			s.receive()
		}
		return
	}
	if a.Updated.Before(s.c.Updated) {
		return // an answer that was read before what we know
	}
	s.c.Updated = a.Updated
	s.learn(a)
	before := s.c.AdvisoryState
	s.c.AdvisoryState = a.State
	switch {
	case s.c.State == disclosure.Closed:
		s.reopened(before)
	case a.State == closed && before != closed:
		s.dismissed()
	case a.State == published && before != published:
		s.publishedNow()
	case s.c.State == disclosure.Received && a.Accepted && !s.c.Drafted:
		s.acknowledge("", "accepted")
		s.accept("")
	}
	s.closeIfDone()
}

// receive opens the case of a private report.
func (s *step) receive() {
	a := s.e.Advisory
	s.start(disclosure.PrivateReport, a.Created)
	s.c.GHSA, s.c.AdvisoryURL, s.c.AdvisoryState = a.GHSA, a.URL, a.State
	s.c.Reporter, s.c.CommentsSeen, s.c.Updated = a.Reporter, a.Created, a.Updated
	s.learn(a)
	s.promises()
	s.note(a.Reporter, "reported %s in private", a.GHSA)
	if a.State == triage {
		d := s.data()
		if k := s.c.Clock(promise.Acknowledge); k != nil && k.Rule.Machine {
			d.Due = "" // this very note keeps it
		}
		s.tell("receipt", s.words("receipt", d))
	}
	if len(s.w.Policy.Team) > 0 {
		s.do("team", disclosure.Effect{Action: disclosure.Invite, Audience: disclosure.Nobody, GHSA: a.GHSA, Teams: s.w.Policy.Team})
	}
	s.openTracker("tracker", s.c.Repo.String()+": private report "+a.GHSA)
	if a.Accepted { // long ago, for all we know: it is tracked, and nobody is told old news
		s.acknowledge("", "accepted")
		s.becomeAccepted()
		s.mute = true
		s.openRelease()
		s.mute = false
	}
}

// openTracker opens the case's issue. It shows no report text, not even the title: not all of its
// readers may see the advisory.
func (s *step) openTracker(text, title string) {
	if s.c.Tracker.ID == 0 {
		return
	}
	s.c.Status = s.status()
	d := s.data()
	d.Status, d.Story = mark.Block(s.key("status"), s.c.Status), s.story()
	e := disclosure.Effect{Action: disclosure.OpenIssue, Audience: disclosure.Trackers, Repo: s.c.Tracker, Title: title, Body: s.words(text, d)}
	if s.c.Coordinator != "" {
		e.People = []string{s.c.Coordinator}
	}
	s.do("tracker", e)
}

// learn takes over facts about the advisory, and ticks what they settle.
func (s *step) learn(a Advisory) {
	if a.CVE != "" && a.CVE != s.c.CVE {
		s.c.CVE = a.CVE
		s.note("", "%s was assigned", a.CVE)
		s.tick(release.TaskCVE, wording.Code(a.CVE))
		if s.c.State != disclosure.Closed {
			d := s.data()
			s.tell("cve", s.words("cve", d))
		}
	}
	if slices.ContainsFunc(a.Credited, func(login string) bool { return strings.EqualFold(login, s.c.Reporter) }) {
		s.tick(release.TaskCredit, "accepted")
	}
	if a.Severity != "" && a.Severity != s.c.Severity {
		s.c.Severity = a.Severity
		if s.c.State == disclosure.Accepted {
			s.severityClocks()
		}
	}
	if v := release.Version(a.Patched); v != "" {
		s.c.Version = v
		s.fixed()
	}
	if a.URL != "" {
		s.c.AdvisoryURL = a.URL
	}
}

// reopened: a person took a closed report up again in GitHub's own pages.
func (s *step) reopened(before string) {
	if before != closed || s.e.Advisory.State == closed || s.c.Outcome == disclosure.NotSecurity {
		return
	}
	s.c.State, s.c.Outcome, s.c.Reason = disclosure.Received, "", ""
	accepted := s.e.Advisory.Accepted || s.c.ReleaseAsked
	s.note("", "reopened on GitHub")
	for i := range s.c.Clocks { // what was promised counts anew, but what was given was given
		k := &s.c.Clocks[i]
		if k.Rule.Kind != promise.Acknowledge && !(k.Rule.Kind == promise.Decide && accepted) {
			*k = promise.Clock{Rule: k.Rule, Start: s.now}
		}
	}
	s.setTrackerState("open")
	if accepted {
		s.becomeAccepted()
		s.openRelease()
		s.setReleaseState("open")
	}
	if s.c.AdvisoryState == published {
		s.publishedNow()
	}
}

// dismissed: a person closed the report in GitHub's own pages.
func (s *step) dismissed() {
	s.acknowledge("", "closed")
	s.cancel = append(s.cancel, slotState)
	s.note("", "closed on GitHub")
	s.tell("closed", s.words("closed", s.data()))
	s.end(disclosure.Dismissed)
}

// listening is how long somebody whose report was declined is heard: they were told that they will be.
const listening = 30 * 24 * time.Hour

// end closes the case and its issues.
func (s *step) end(o disclosure.Outcome) {
	s.c.State, s.c.Outcome = disclosure.Closed, o
	if o == disclosure.Declined || o == disclosure.Dismissed {
		s.c.Listen = s.now.Add(listening)
	}
	s.cancel = append(s.cancel, slotReminder)
	s.note("", "case closed: %s", o)
	s.stopClocks()
	s.showStatus() // before the issue is closed, so that a reader of the mail sees why
	s.setTrackerState("closed")
	s.setReleaseState("closed")
}

func (s *step) setTrackerState(state string) {
	if s.c.TrackerIssue != 0 {
		s.do("tracker-state", disclosure.Effect{Action: disclosure.SetIssue, Audience: disclosure.Nobody, Slot: "tracker-state", Repo: s.c.Tracker, Number: s.c.TrackerIssue, State: state})
	}
}

func (s *step) setReleaseState(state string) {
	if s.c.Tracker.ID != 0 && s.c.ReleaseIssue != 0 {
		s.do("release-state", disclosure.Effect{Action: disclosure.SetIssue, Audience: disclosure.Nobody, Repo: s.c.Tracker, Number: s.c.ReleaseIssue, State: state})
	}
}

// advisorySaid: somebody wrote on the advisory. A maintainer's words are an answer; the
// reporter's let the promises run on.
func (s *step) advisorySaid() {
	if s.e.At.After(s.c.CommentsSeen) {
		s.c.CommentsSeen = s.e.At
	}
	reporter := strings.EqualFold(s.e.Actor.Login, s.c.Reporter)
	switch {
	case s.c.State == disclosure.Closed && reporter && s.c.Tracker.ID != 0 && s.e.At.After(s.c.Listen.Add(-listening)):
		d := s.data()
		d.Mentions = s.mentions(false)
		s.say("objection", "objection", s.words("objection", d))
	case s.c.State == disclosure.Closed:
	case reporter:
		if !slices.ContainsFunc(s.c.Clocks, func(k promise.Clock) bool { return s.e.At.Before(k.Paused) }) { // written before the question
			s.resume(s.c.Reporter)
		}
	case s.e.Actor.Maintainer:
		s.acknowledge(s.e.Actor.Login, "comment")
		s.updated(s.e.At)
	}
	if len(s.e.Commands) > 0 {
		s.commanded()
	}
}

// updated: the reporter has heard something, and the next update counts from here. While the promises
// are paused, so is that.
func (s *step) updated(at time.Time) {
	k := s.c.Clock(promise.Update)
	if k == nil {
		return
	}
	paused := s.anyPaused()
	*k = promise.Clock{Rule: k.Rule, Start: at}
	if paused {
		k.Pause(at)
	}
}

// acknowledge records a person's answer; the first one counts. The clock stops when the act
// happened, not when we heard of it.
func (s *step) acknowledge(by, how string) {
	if !s.c.Ack.At.IsZero() {
		return
	}
	at := s.e.At
	if at.IsZero() || at.After(s.now) {
		at = s.now
	}
	s.c.Ack = disclosure.Acknowledgement{By: by, At: at.UTC(), How: how}
	if k := s.c.Clock(promise.Acknowledge); k != nil {
		k.Stop(at)
	}
	s.cancel = append(s.cancel, slotReminder)
	s.note(by, "acknowledged (%s)", how)
	s.stripDraft()
}

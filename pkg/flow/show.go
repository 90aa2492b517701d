package flow

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/mark"
	"github.com/heed-app/heed/pkg/promise"
	"github.com/heed-app/heed/pkg/wording"
)

func (s *step) words(name string, d wording.Data) string { return s.w.Words.Text(name, d) }

// data is what the case gives the texts to speak of. It holds no text of the report.
func (s *step) data() wording.Data {
	c := s.c
	base := strings.TrimRight(s.w.WebURL, "/") + "/" + c.Repo.String()
	d := wording.Data{
		Repo: c.Repo.String(), Reporter: cmp.Or(c.Reporter, "ghost"), Coordinator: c.Coordinator, Actor: s.e.Actor.Login,
		State: s.stateWords(), Opened: wording.Time(c.Opened),
		Link: base + "/security/advisories/new", Contact: s.w.Policy.Intake.FallbackContact, PVR: s.w.PVR,
		GHSA: c.GHSA, AdvisoryURL: cmp.Or(c.AdvisoryURL, base+"/security/advisories/"+c.GHSA), AdvisoryState: c.AdvisoryState,
		CVE: c.CVE, Severity: c.Severity, Trouble: c.Trouble, Moved: c.Moved, Said: c.Said,
		Closed: c.WeClosed, IsComment: c.Comment != 0, HistoryOpen: c.History.Open,
		Hidden: c.Blanks > 0 && !s.blankFailed(), Invited: c.Invited, Told: c.Tracker.ID != 0,
	}
	if k := s.c.Clock(promise.Acknowledge); k != nil && k.Running() && !c.Held && k.Due().After(s.now) {
		d.Due = wording.Time(k.Due())
	}
	if c.Issue != 0 {
		d.IssueURL = cmp.Or(c.IssueURL, fmt.Sprintf("%s/issues/%d", base, c.Issue))
	}
	if c.ReleaseIssue != 0 {
		d.ReleaseURL = s.trackerURL(c.ReleaseIssue)
	}
	for _, k := range c.Clocks {
		d.Clocks = append(d.Clocks, s.clockLine(k))
	}
	return d
}

func (s *step) blankFailed() bool { return s.c.Trouble == troubleOpen }

func (s *step) caseNumber() string { return strconv.FormatInt(s.c.ID, 10) }

func (s *step) trackerURL(n int) string {
	if n == 0 {
		return "case " + s.caseNumber()
	}
	return fmt.Sprintf("%s/%s/issues/%d", strings.TrimRight(s.w.WebURL, "/"), s.c.Tracker, n)
}

func (s *step) stateWords() string {
	c := s.c
	switch {
	case c.State == disclosure.Closed && c.Reason != "":
		return fmt.Sprintf("closed: %s (%s)", c.Outcome, c.Reason)
	case c.State == disclosure.Closed:
		return "closed: " + string(c.Outcome)
	case c.State == disclosure.Accepted:
		return "accepted, release owed"
	case c.Held:
		return "possible report, waiting for `/confirm` or `/not-security`"
	case s.anyPaused():
		return "waiting for the reporter; the promises are paused"
	case !c.Ack.At.IsZero():
		return "answered, waiting for a decision"
	default:
		return "received, waiting for a person's answer"
	}
}

func (s *step) clockLine(k promise.Clock) wording.ClockLine {
	name := map[promise.Kind]string{
		promise.Acknowledge: "Answer", promise.Decide: "Decision", promise.Update: "Next update", promise.Fix: "Release",
	}[k.Rule.Kind]
	if s.c.Held {
		name = "Look"
	}
	due := wording.Time(k.Due())
	switch {
	case k.Rule.Kind == promise.Acknowledge && !s.c.Ack.At.IsZero():
		by := cmp.Or(s.c.Ack.By, "the maintainers")
		return wording.ClockLine{Name: "Answered", Text: fmt.Sprintf("%s by %s (%s); it was due %s", wording.Time(s.c.Ack.At), by, s.c.Ack.How, due)}
	case !k.Stopped.IsZero():
		return wording.ClockLine{Name: name, Text: "done " + wording.Time(k.Stopped) + "; it was due " + due}
	case !k.Paused.IsZero():
		return wording.ClockLine{Name: name + " due", Text: "paused since " + wording.Time(k.Paused)}
	case !k.Due().After(s.now):
		return wording.ClockLine{Name: name + " overdue", Text: "**was due " + due + "**"}
	default:
		return wording.ClockLine{Name: name + " due", Text: "**" + due + "**"}
	}
}

// status is the inside of the status block.
func (s *step) status() string { return s.words("status", s.data()) }

// story tells how a public report was handled.
func (s *step) story() string {
	if s.c.Issue == 0 || s.c.Held {
		return ""
	}
	d := s.data()
	d.OpenFor = wording.Span(s.openFor())
	return s.words("story", d)
}

// showStatus edits the status in place wherever it is shown and has changed. There is one, and it
// is edited; there never is a pile of comments.
func (s *step) showStatus() {
	c := &s.c
	status := ""
	switch c.Kind {
	case disclosure.PolicyTrouble:
		status = s.mistakes()
	case disclosure.PrivateReport, disclosure.PublicReport, disclosure.PublicComment, disclosure.Suspect:
		status = s.status()
	case disclosure.Contact, disclosure.Dependency, disclosure.Spam, disclosure.Errand:
		return
	}
	if c.TrackerIssue != 0 && status != c.Status {
		c.Status = status
		s.do("status", disclosure.Effect{
			Action: disclosure.EditBlock, Audience: disclosure.Trackers, Slot: "status",
			Repo: c.Tracker, Number: c.TrackerIssue, Title: s.key("status"), Body: status,
		})
	}
	if !c.StatusShown || c.GHSA == "" || c.AdvisoryState == published {
		return
	}
	d := s.data()
	d.Status = "**" + d.State + "**"
	for _, k := range d.Clocks {
		d.Status += "\n" + k.Name + ": " + strings.ReplaceAll(k.Text, "**", "")
	}
	if text := s.words("command-status", d); text != c.StatusText {
		c.StatusText = text
		e := disclosure.Effect{Action: disclosure.EditStatus, Audience: disclosure.Reporters, Slot: "status-comment", GHSA: c.GHSA, Comment: c.StatusID, Body: text}
		s.do("status-comment", e)
		s.effects[len(s.effects)-1].Mark = mark.Private(s.key("status-comment"))
	}
}

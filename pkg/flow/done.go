package flow

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/promise"
	"github.com/heed-app/heed/pkg/release"
	"github.com/heed-app/heed/pkg/wording"
)

// effectName is the last part of an effect's key, without the number of a repetition.
func effectName(e disclosure.Effect) string {
	_, name, _ := strings.Cut(e.Key, ":")
	name, _, _ = strings.Cut(name, ":")
	return name
}

// landed: an effect was done. Some bring facts that the next ones need. One that an operator had
// tried again comes late, when its case has long gone on without it; see late.go.
func (s *step) landed() {
	e, r := s.e.Effect, s.e.Receipt
	if e.Action == disclosure.CommentAdvisory {
		s.mended(troubleMessages, "")
	}
	switch effectName(e) {
	case "blank", "comment":
		s.c.Blanked = s.now
		s.mended(troubleOpen, movedText)
		if e.Action == disclosure.EditIssue && r.Note == "" {
			s.c.History = disclosure.History{Open: true, Next: s.now.Add(historyGap(0))}
		}
	case "draft":
		s.drafted()
	case "invite", "team":
		s.mended(troublePeople, "")
		if r.Note != "" {
			s.c.Trouble = r.Note
		}
		s.invited(r.Note == "" && len(e.People) > 0)
	case "tracker":
		s.tracked()
	case "kept":
		s.c.Kept = slices.DeleteFunc(s.c.Kept, func(t disclosure.KeptText) bool {
			return t.Key == e.Key || t.Key == "" && keptText(t) == e.Secret // laid aside, and then done after all
		})
	case "line":
		s.c.TrackerIssue = r.Number // so that commands find their way back
	case "release-issue":
		s.c.ReleaseIssue = r.Number
		s.showTicks()
	case "status-comment":
		s.c.StatusID = r.ID
	case "receipt":
		if k := s.c.Clock(promise.Acknowledge); k != nil && k.Rule.Machine {
			k.Stop(s.now)
		}
	case "accept-state", "reopen-draft":
		if r.Note == "" {
			s.c.AdvisoryState = draft
		}
	case "decline-state", "close-draft":
		if e.GHSA == s.c.GHSA {
			s.c.AdvisoryState = closed
		}
	}
}

// laid: GitHub refused an effect and it was laid aside for a person. What depends on it goes on
// without it, and the maintainers are told where they can help.
func (s *step) laid() {
	name := effectName(s.e.Effect)
	s.note("", "laid aside: %s (%s)", strings.TrimPrefix(s.e.Effect.Key, s.key("")), s.e.Reason)
	switch name {
	case "draft":
		s.c.Drafted = false
		s.c.Moved = append(s.c.Moved, movedDraft+" ("+s.e.Reason+"). The text is kept in this case.")
		s.afterDraft()
		s.tellAll()
	case "blank", "comment":
		s.c.Moved = append(s.c.Moved, movedText+" ("+s.e.Reason+"). Please do it by hand: "+s.c.IssueURL)
		s.c.Trouble = troubleOpen
		s.say("blank-failed", "", s.c.Moved[len(s.c.Moved)-1])
	case "invite", "team":
		s.c.Trouble = troublePeople + " (" + s.e.Reason + ")"
		s.invited(false)
	case "restore":
		s.say("restore-failed", "", "The issue's text could not be put back ("+s.e.Reason+"). It is kept in "+s.keptIn()+"; please put it back by hand: "+s.c.IssueURL)
	case "tracker":
		s.c.Trouble = troubleTracker + " (" + s.e.Reason + ")"
		s.c.Tracker = disclosure.Repo{} // from here on the advisory carries what its readers may know
		s.sayAll()
	}
	if e := s.e.Effect; e.Action == disclosure.CommentIssue && e.Audience == disclosure.Trackers && e.Number != s.c.ReleaseIssue && s.e.Gone {
		s.trackerGone(e)
	}
	switch {
	case s.e.Effect.Action != disclosure.CommentAdvisory:
	case name == "kept":
		s.keptHere()
	default:
		s.c.Trouble = troubleMessages + " (" + s.e.Reason + ")"
		if s.c.Tracker.ID != 0 && s.e.Effect.Body != "" { // else there is no other place to tell it than the one that refused it
			s.undelivered(s.e.Effect.Body, s.e.Reason)
		}
	}
}

// mostTrackers is how many issues in the tracker one case may open, one after the other.
const mostTrackers = 3

// trackerGone: somebody deleted the case's issue in the tracker. The case gets another one, and what was to be said is said there.
func (s *step) trackerGone(e disclosure.Effect) {
	if e.Number != s.c.TrackerIssue { // it has another one already
		s.say("unsaid", e.Slot, e.Body)
		return
	}
	if s.c.Uses["tracker"] >= mostTrackers {
		s.c.Trouble = troubleTracker + " (" + s.e.Reason + ")"
		return
	}
	s.c.TrackerIssue = 0
	s.say("unsaid", e.Slot, e.Body)
	text, title := "tracker", "case "+s.caseNumber()
	if s.c.Held {
		text = "suspect-tracker"
	}
	s.openTracker(text, s.c.Repo.String()+": "+cmp.Or(s.c.GHSA, title))
}

// keptHere: a text that stood in public could not be put on the advisory. It stays in the case, and
// the maintainers learn where it is.
func (s *step) keptHere() {
	for i := range s.c.Kept {
		if s.c.Kept[i].Key == s.e.Effect.Key {
			s.c.Kept[i].Key = "" // the next text takes it along
		}
	}
	s.say("kept-note", "", fmt.Sprintf("More of the report stood at %s. It could not be put on the advisory (%s) and is kept in case %d: whoever runs Heed can read it with `heed cases show --text %d`.", s.c.IssueURL, s.e.Reason, s.c.ID, s.c.ID))
}

// undelivered: a message for the reporter could not be posted. Somebody must carry it.
func (s *step) undelivered(text, reason string) {
	d := s.data()
	d.Mentions, d.Reason, d.Quoted = s.mentions(false), reason, wording.Quote(text)
	if s.c.GHSA == "" {
		d.AdvisoryURL = ""
	}
	s.say("undelivered", "", s.words("undelivered", d))
}

// tellAll gives the reporter what waited for the draft.
func (s *step) tellAll() {
	texts := s.c.Untold
	s.c.Untold = nil
	for _, text := range texts {
		s.tell("untold", text)
	}
}

// accept makes the report one that is owed a release. by is "" when it was done in GitHub's pages.
func (s *step) accept(by string) {
	s.note(by, "accepted")
	s.becomeAccepted()
	if s.c.GHSA != "" && s.c.AdvisoryState == triage {
		s.do("accept-state", disclosure.Effect{Action: disclosure.EditAdvisory, Audience: disclosure.Nobody, Slot: slotState, GHSA: s.c.GHSA, State: draft, From: triage})
	}
	d := s.data()
	d.Due, d.Again = s.due(promise.Fix), s.due(promise.Update)
	s.tell("accepted", s.words("accepted", d))
	s.openRelease()
}

// becomeAccepted is what accepting means for the case, wherever and by whom it was done.
func (s *step) becomeAccepted() {
	s.c.State = disclosure.Accepted
	s.stop(promise.Decide)
	s.severityClocks()
}

// stop ends a promise that runs.
func (s *step) stop(kind promise.Kind) {
	if k := s.c.Clock(kind); k != nil {
		k.Stop(s.now)
	}
}

// due is when a promise that runs is due, as people read it; "" without one.
func (s *step) due(kind promise.Kind) string {
	if k := s.c.Clock(kind); k != nil && k.Running() && k.Due().After(s.now) {
		return wording.Time(k.Due())
	}
	return ""
}

// stripDraft takes our block out of a draft of ours as soon as a person cares for it: a draft can be
// published at any moment, and the block is for maintainers only.
func (s *step) stripDraft() {
	if s.c.Drafted && s.c.GHSA != "" && s.c.DraftBlock != "" {
		s.do("strip", disclosure.Effect{Action: disclosure.EditAdvisory, Audience: disclosure.Nobody, GHSA: s.c.GHSA, Strip: s.c.DraftBlock})
		s.c.DraftBlock = ""
	}
}

// openRelease opens the tracking issue of the release with the checklist.
func (s *step) openRelease() {
	if s.c.ReleaseAsked {
		return
	}
	s.c.ReleaseAsked = true
	s.c.Released = slices.Clone(s.w.Tags[:min(len(s.w.Tags), mostTags)]) // the fix may be out already
	slices.Reverse(s.c.Released)
	s.c.Tasks = release.Checklist(s.w.Policy, release.Facts{Reporter: s.c.Reporter, Tags: s.w.Tags, Key: "case/" + s.caseNumber()})
	if s.c.CVE != "" {
		release.Tick(s.c.Tasks, release.TaskCVE, wording.Code(s.c.CVE))
	}
	s.openReleaseIssue()
	s.fixed()
}

func (s *step) openReleaseIssue() {
	if s.c.Tracker.ID == 0 {
		return
	}
	d := s.data()
	d.Checklist = release.Markdown(s.c.Tasks)
	d.CaseURL = s.trackerURL(s.c.TrackerIssue)
	e := disclosure.Effect{
		Action: disclosure.OpenIssue, Audience: disclosure.Trackers, Repo: s.c.Tracker,
		Title: s.c.Repo.String() + ": release for " + s.keptIn(), Body: s.words("release", d),
	}
	if s.c.Coordinator != "" {
		e.People = []string{s.c.Coordinator}
	}
	s.do("release-issue", e)
}

// mostTags is how many releases are remembered.
const mostTags = 20

// released: a full release of the repository was published. Only the one whose tag is the patched
// version carries the fix, for all we know; while that version is unknown, people are asked.
func (s *step) released() {
	tag := s.e.Tag
	if s.c.State != disclosure.Accepted || s.c.Tag != "" || slices.Contains(s.c.Released, tag) {
		return
	}
	s.c.Released = append(s.c.Released, tag)
	s.c.Released = s.c.Released[max(0, len(s.c.Released)-mostTags):]
	if s.c.Version == "" {
		s.note("", "release %s published; the patched version is not known", tag)
		d := s.data()
		d.Tag = wording.Code(tag)
		if s.c.Tracker.ID != 0 {
			s.say("is-it-this", "is-it-this", s.words("is-it-this", d))
		}
		return
	}
	s.fixed()
}

// fixed looks for the release that carries the fix among those that were published, also when the
// patched version is named only afterwards.
func (s *step) fixed() {
	i := slices.IndexFunc(s.c.Released, func(tag string) bool { return release.Matches(tag, s.c.Version, s.w.Policy.Release.Tags) })
	if i < 0 || s.c.Tag != "" || s.c.State != disclosure.Accepted {
		return
	}
	s.c.Tag = s.c.Released[i]
	s.note("", "release %s carries the fix", s.c.Tag)
	s.stop(promise.Fix)
	s.tick(release.TaskRelease, wording.Code(s.c.Tag)+" on "+wording.Time(s.now))
	d := s.data()
	d.Tag, d.Published = wording.Code(s.c.Tag), s.c.AdvisoryState == published
	s.tell("released", s.words("released", d))
	s.closeIfDone()
}

// publishedNow: a person published the advisory.
func (s *step) publishedNow() {
	s.note("", "advisory published")
	if s.c.State == disclosure.Received {
		s.acknowledge("", "accepted")
		s.becomeAccepted()
		s.openRelease()
	}
	s.stripDraft()
	s.tick(release.TaskPublish, "on "+wording.Time(s.now))
}

func (s *step) tick(id, fact string) {
	if release.Tick(s.c.Tasks, id, fact) {
		s.showTicks()
	}
}

// showTicks brings the boxes in the tracking issue up to date.
func (s *step) showTicks() {
	var done []disclosure.Task
	for _, t := range s.c.Tasks {
		if t.Done && t.Note != "" {
			done = append(done, t)
		}
	}
	if s.c.Tracker.ID != 0 && s.c.ReleaseIssue != 0 && len(done) > 0 {
		s.do("ticks", disclosure.Effect{Action: disclosure.TickTasks, Audience: disclosure.Trackers, Slot: "ticks", Repo: s.c.Tracker, Number: s.c.ReleaseIssue, Ticks: done})
	}
}

// checklistSeen: people tick boxes too.
func (s *step) checklistSeen() {
	if s.c.State != disclosure.Accepted {
		return
	}
	s.c.Tasks = release.Read(s.e.Issue.Body.Reveal(), s.c.Tasks)
	s.closeIfDone()
}

// closeIfDone ends the case when the advisory is public and nothing is owed any more.
func (s *step) closeIfDone() {
	if s.c.State != disclosure.Accepted || s.c.AdvisoryState != published {
		return
	}
	owed := release.Open(s.c.Tasks) > 0
	if s.c.Tracker.ID == 0 { // nobody could tick anything
		owed = s.c.Version != "" && s.c.Tag == ""
	}
	if !owed {
		s.end(disclosure.Released)
	}
}

// severityClocks lets the promises of a severity replace the general ones, as long as it is that severe.
// They count from the report on. What was kept, or broken, stays as it was.
func (s *step) severityClocks() {
	within := s.c.BySeverity[s.c.Severity]
	s.c.Clocks = slices.DeleteFunc(s.c.Clocks, func(k promise.Clock) bool {
		return k.Rule.OnlySevere && k.Stopped.IsZero() && within[k.Rule.Kind].IsZero()
	})
	for i := range s.c.Clocks {
		k := &s.c.Clocks[i]
		if !k.Stopped.IsZero() {
			continue
		}
		if k.Rule.General.IsZero() {
			k.Rule.General = k.Rule.Within
		}
		k.Rule.Within = k.Rule.General
		if span := within[k.Rule.Kind]; !span.IsZero() {
			k.Rule.Within = span
		}
		k.Told = min(k.Told, k.Passed(s.now)) // what was told of the shorter time will be told of the longer one
	}
	for _, kind := range []promise.Kind{promise.Acknowledge, promise.Decide, promise.Update, promise.Fix} {
		if span := within[kind]; !span.IsZero() && s.c.Clock(kind) == nil {
			rule, _ := s.w.Policy.Promises.Rule(promise.Acknowledge)
			rule.Kind, rule.Calendar, rule.Machine, rule.Within, rule.OnlySevere = kind, promise.Calendar{}, false, span, true
			s.c.Clocks = append(s.c.Clocks, promise.Clock{Rule: rule, Start: s.c.Opened})
		}
	}
}

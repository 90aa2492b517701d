package flow

import (
	"slices"
	"strings"

	"github.com/heed-app/heed/pkg/disclosure"
)

// How troubles and unsuccessful measures begin that end when what was laid aside is done after all.
const (
	troubleOpen     = "the text still stands in public"
	troublePeople   = "people could not be added to the advisory"
	troubleTracker  = "the tracker could not be written"
	troubleMessages = "messages to the reporter cannot be posted"

	movedDraft = "A draft advisory could not be opened"
	movedText  = "**The text could not be taken out of public view**"
)

// mended takes back what the tracker says about an effect that has landed now. Either may be "".
func (s *step) mended(trouble, moved string) {
	if trouble != "" && strings.HasPrefix(s.c.Trouble, trouble) {
		s.c.Trouble = ""
	}
	if moved != "" {
		s.c.Moved = slices.DeleteFunc(s.c.Moved, func(m string) bool { return strings.HasPrefix(m, moved) })
	}
}

// drafted: the draft is there. When it was laid aside at first, the reply was written and the
// tracker opened without it: only what needs its name is left to do.
func (s *step) drafted() {
	r, late := s.e.Receipt, !s.c.Drafted
	if s.c.GHSA != "" && s.c.GHSA != r.GHSA { // the report has another one by now
		s.note("", "draft advisory %s opened late, and closed again", r.GHSA)
		s.closeDraft(r.GHSA)
		return
	}
	s.c.Drafted = true
	s.c.GHSA, s.c.AdvisoryURL, s.c.AdvisoryState = r.GHSA, r.URL, draft
	s.c.CommentsSeen = s.c.Opened // people can be quicker than GitHub's answer to us
	s.note("", "draft advisory %s opened", r.GHSA)
	s.mended("", movedDraft)
	switch {
	case s.c.Outcome == disclosure.NotSecurity || late && s.c.State == disclosure.Closed: // decided meanwhile
		s.closeDraft(r.GHSA)
		return
	case late:
		s.invite()
	default:
		s.afterDraft()
	}
	s.tellAll()
	if !s.c.Ack.At.IsZero() {
		s.stripDraft()
	}
	if s.c.State == disclosure.Closed { // declined while it was being opened
		s.closeDraft(r.GHSA)
	}
}

func (s *step) closeDraft(ghsa string) {
	s.do("close-draft", disclosure.Effect{Action: disclosure.EditAdvisory, Audience: disclosure.Nobody, GHSA: ghsa, State: closed})
}

// tracked: the case has its issue in the tracker. When that was laid aside at first, the case had no
// tracker any more and spoke on the advisory; from here on it speaks in the tracker again.
func (s *step) tracked() {
	late := s.c.Tracker.ID == 0
	s.c.Tracker, s.c.TrackerIssue = s.e.Effect.Repo, s.e.Receipt.Number
	s.mended(troubleTracker, "")
	s.sayAll()
	switch {
	case s.c.State == disclosure.Closed:
		s.setTrackerState("closed")
	case late && s.c.ReleaseAsked && s.c.ReleaseIssue == 0:
		s.openReleaseIssue()
	}
}

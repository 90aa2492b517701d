package flow

import (
	"strings"

	"github.com/heed-app/heed/pkg/detect"
	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/mark"
)

// decidePublic is for the three commands about a public issue.
func (s *step) decidePublic(name string) string {
	public := s.c.Issue != 0
	switch {
	case s.c.Kind == disclosure.Errand:
		return "There is nothing to undo here."
	case !public && name == "not-security":
		return "This report came in private. Use `/security decline REASON`."
	case !public:
		return "This report is private already."
	case name == "not-security":
		if s.c.Outcome == disclosure.NotSecurity {
			return "It was undone already."
		}
		if s.c.Erased {
			return "Its text was erased when the policy's `retain` was over, so it cannot be put back."
		}
		s.acknowledge(s.e.Actor.Login, "closed")
		s.note(s.e.Actor.Login, "not about security")
		s.rule(false)
		s.undo()
		return ""
	case !s.c.Held && s.c.State != disclosure.Closed:
		s.rule(true)
		s.c.PutBack = disclosure.Embargoed{}
		return "" // it is being treated as one already
	}
	return s.confirm()
}

// rule keeps what a maintainer said about the text, if it is still there.
func (s *step) rule(security bool) {
	if s.c.Erased || s.c.Title.IsZero() && s.c.Body.IsZero() {
		return
	}
	s.ruling = &Ruling{Security: security, Title: s.c.Title, Body: s.c.Body}
}

// confirm treats a public issue as a report because a maintainer said so.
func (s *step) confirm() string {
	if s.c.Outcome == disclosure.NotSecurity && s.c.GHSA != "" {
		return "This was undone; please go on with its advisory by hand."
	}
	by := s.e.Actor.Login
	if s.c.State == disclosure.Closed {
		s.setTrackerState("open")
		if s.c.GHSA != "" {
			s.do("reopen-draft", disclosure.Effect{Action: disclosure.EditAdvisory, Audience: disclosure.Nobody, Slot: slotState, GHSA: s.c.GHSA, State: draft, From: closed})
		}
	}
	s.c.State, s.c.Outcome, s.c.Clocks, s.c.Ruled, s.c.PutBack = disclosure.Received, "", nil, true, disclosure.Embargoed{}
	switch {
	case s.c.Comment != 0:
		s.c.Kind = disclosure.PublicComment
	default:
		s.c.Kind = disclosure.PublicReport
		p := s.e.Public
		if p != nil {
			s.found(*p)
		}
		notice := p != nil && s.c.Blanks > 0 && mark.Lines(p.Body.Reveal()) == mark.Lines(s.c.Notice.Body.Reveal())
		if p != nil && !notice {
			s.c.Title, s.c.Body, s.c.Exposed = p.Title, p.Body, p.Created.UTC()
		}
	}
	s.rule(true)
	s.promises()
	s.note(by, "confirmed that it is a report")
	s.measures()
	return ""
}

// settled: what was decided about the text of a case counts more than what the detector makes of another
// version of it. One that tells the most of it is the report; and while it is about to be taken away, and once a
// maintainer has ruled, doubts count for nothing. What a maintainer put back is theirs.
func (s *step) settled(text string) {
	suspect := s.e.Reading == detect.ReadSuspect
	again := false
	switch {
	case s.e.Reread:
		again = suspect || s.retold(text)
	case s.putBack(text):
	case s.c.Ruled:
		again = suspect || s.retold(text)
	case s.c.Blanks > 0:
		again = s.retold(text)
	}
	if again {
		s.e.Reading = detect.ReadConfident
	}
}

// putBack reports whether a text is, but for a few words, what a maintainer put back in public.
func (s *step) putBack(text string) bool {
	theirs := s.c.PutBack.Reveal()
	return theirs != "" && disclosure.Share(theirs, text) > .5 && disclosure.Share(text, theirs) > .8
}

// retold reports whether a text tells the report again. Our notice, which people leave standing around what they
// write, is no part of it.
func (s *step) retold(text string) bool {
	ours := map[string]bool{}
	for line := range strings.Lines(mark.Lines(s.c.Notice.Title.Reveal() + "\n" + s.c.Notice.Body.Reveal())) {
		ours[strings.TrimSpace(line)] = true
	}
	var theirs strings.Builder
	for line := range strings.Lines(mark.Lines(text)) {
		if !ours[strings.TrimSpace(line)] {
			theirs.WriteString(line)
		}
	}
	return s.c.Retold(theirs.String())
}

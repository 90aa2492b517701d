package flow

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/heed-app/heed/pkg/detect"
	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/policy"
	"github.com/heed-app/heed/pkg/promise"
)

// issueSeen: a public issue was opened, edited, or read again because it changed under our hands.
func (s *step) issueSeen() {
	if s.c.Kind != "" {
		text := s.e.Issue.Title.Reveal() + "\n" + s.e.Issue.Body.Reveal()
		s.settled(text)
		s.issueAgain(text)
		return
	}
	switch s.e.Reading {
	case detect.ReadConfident:
		s.leak(disclosure.PublicReport)
	case detect.ReadSuspect:
		s.suspect(disclosure.Suspect)
	case detect.ReadContact:
		s.contact()
	case detect.ReadDependency:
		s.labelOnly(disclosure.Dependency, s.w.Policy.Public.Labels.Dependency)
	case detect.ReadSpam:
		s.spam()
	case detect.ReadOrdinary:
	}
}

// issueAgain: the issue of a case has a new text. If it is the leak again, it goes again.
func (s *step) issueAgain(text string) {
	i := s.e.Issue
	notice := i.Title.Reveal() == s.c.Notice.Title.Reveal() && i.Body.Reveal() == s.c.Notice.Body.Reveal()
	hidden := s.c.Kind == disclosure.PublicReport && s.c.Blanks > 0
	told := s.c.Kind == disclosure.Contact || s.c.Kind == disclosure.Dependency || s.c.Kind == disclosure.Spam
	confident := s.e.Reading == detect.ReadConfident
	switch {
	case s.c.Outcome == disclosure.NotSecurity || s.c.Comment != 0:
	case notice && s.c.Blanks > 0:
		s.c.PutBack = disclosure.Embargoed{}
	case s.c.AdvisoryState == published || s.c.Outcome == disclosure.Released: // it is no secret any more
	case hidden && s.e.Reread && !confident:
		s.cleaned()
	case hidden && s.c.Blanked.IsZero() && !s.e.Reread && s.e.Actor.Maintainer: // it is about to be taken away
	case hidden && confident && s.e.Actor.Maintainer:
		// A maintainer put it there on purpose. That is theirs to decide; the others are told.
		s.c.PutBack = disclosure.Seal(text)
		s.say("put-back", "", fmt.Sprintf("@%s put the report back into %s. Heed leaves it there.", s.e.Actor.Login, s.c.IssueURL))
	case hidden && !s.e.Reread && s.putBack(text):
	case hidden && confident:
		s.leakAgain()
	case hidden && s.e.Reading == detect.ReadSuspect && !s.e.Actor.Maintainer:
		s.say("changed", "", fmt.Sprintf("@%s wrote a text into %s that may tell more of this report. Please look at it.", s.e.Actor.Login, s.c.IssueURL))
	case s.c.Kind == disclosure.Suspect && s.c.Held && confident:
		s.sure(disclosure.PublicReport)
	case told && confident:
		// Details were added to what was only a question.
		s.c.Outcome, s.c.State, s.c.Kind = "", disclosure.Received, disclosure.PublicReport
		s.takeText()
		s.promises()
		s.measures()
	case s.c.Held:
		s.takeText() // what people will decide about
	}
}

// sure: what might have been a report is one now.
func (s *step) sure(kind disclosure.Kind) {
	s.takeText()
	s.c.Kind, s.c.Clocks = kind, nil
	s.promises()
	s.measures()
}

// cleaned: the author took the text out before we did. There is nothing to hide but the history,
// and nothing must be said that did not happen.
func (s *step) cleaned() {
	s.c.Blanks--
	s.c.WeClosed = false
	s.c.History = disclosure.History{Open: true, Next: s.now.Add(historyGap(0))}
	s.note(s.c.Reporter, "took the text out")
}

// takeText makes the text of the event the text of the case. From the commit of this step on it is
// safe on disk, and only then may it be taken away from where it stands.
func (s *step) takeText() {
	if s.e.Kind == CommentSeen {
		s.c.Body = s.e.Comment.Body
		s.c.Title = disclosure.Seal("Comment on #" + fmt.Sprint(s.e.Issue.Number))
	} else {
		s.c.Title, s.c.Body = s.e.Issue.Title, s.e.Issue.Body
		s.found(s.e.Issue)
	}
	s.c.Exposed, s.c.Erased = s.e.At.UTC(), false
}

// found remembers what others had done with the issue before us: it is not ours to be undone.
func (s *step) found(i Issue) {
	label := s.w.Policy.Public.Labels.Redirected
	s.c.WasClosed, s.c.WasLocked = i.Closed && !s.c.WeClosed, i.Locked && !s.c.WeLocked
	s.c.HadLabel = s.c.Label == "" && slices.ContainsFunc(i.Labels, func(l string) bool { return strings.EqualFold(l, label) })
}

// place records where the text stands and who wrote it.
func (s *step) place() {
	s.c.Issue, s.c.IssueURL, s.c.Reporter = s.e.Issue.Number, s.e.Issue.URL, s.e.Issue.Author
	if s.e.Kind == CommentSeen {
		s.c.Comment, s.c.IssueURL, s.c.Reporter = s.e.Comment.ID, s.e.Comment.URL, s.e.Comment.Author
	}
}

// leak opens the case of a report that stands in public.
func (s *step) leak(kind disclosure.Kind) {
	s.start(kind, s.e.At)
	s.place()
	s.takeText()
	s.promises()
	s.note(s.c.Reporter, "filed a report in public")
	s.measures()
}

// leakAgain: the author put the text, or another one, back. It is kept and taken away once more.
func (s *step) leakAgain() {
	old := disclosure.Text{Title: s.c.Title, Body: s.c.Body}
	s.c.PutBack = disclosure.Embargoed{}
	s.takeText()
	if now := (disclosure.Text{Title: s.c.Title, Body: s.c.Body}); now != old {
		s.keep(now)
	}
	s.note(s.e.Actor.Login, "put a report into the public issue again")
	s.blank()
	if s.c.GHSA != "" {
		s.passOn()
	}
}

// commentSeen: somebody commented on a public issue. A report in a comment of an issue that was
// redirected belongs to that case; elsewhere it is a case of its own.
func (s *step) commentSeen() {
	switch {
	case s.c.Kind == "":
		s.newComment()
	case s.c.Comment == s.e.Comment.ID:
		s.commentAgain()
	case s.c.AdvisoryState == published || s.c.State == disclosure.Closed: // no secret any more, or decided
	case s.c.Kind == disclosure.PublicReport:
		s.furtherComment()
	}
}

func (s *step) newComment() {
	switch s.e.Reading {
	case detect.ReadConfident:
		s.leak(disclosure.PublicComment)
	case detect.ReadSuspect:
		s.suspect(disclosure.Suspect)
	case detect.ReadContact:
		s.contact()
	case detect.ReadSpam:
		s.spam()
	case detect.ReadOrdinary, detect.ReadDependency:
	}
}

// commentAgain: the comment that is the report has a new text.
func (s *step) commentAgain() {
	s.settled(s.e.Comment.Body.Reveal())
	confident := s.e.Reading == detect.ReadConfident
	switch {
	case s.c.Held && confident:
		s.sure(disclosure.PublicComment)
	case s.c.Held:
		s.takeText() // what people will decide about
	case s.e.Reread && confident: // the draft has the text as it was
		s.takeText()
		s.keep(disclosure.Text{Body: s.c.Body})
		s.blank()
		if s.c.GHSA != "" {
			s.passOn()
		}
	case s.e.Reread:
		s.c.Blanks--
		s.note(s.c.Reporter, "took the text out")
	}
}

// furtherComment: more of a report, perhaps, on the issue that was redirected.
func (s *step) furtherComment() {
	blanks := slices.Contains(s.w.Policy.Public.Confident, policy.Blank)
	if old := s.e.Effect.Expect; s.e.Reread && old != nil && (s.e.Reading == detect.ReadSuspect || disclosure.Share(old.Body.Reveal(), s.e.Comment.Body.Reveal()) > .5) {
		s.e.Reading = detect.ReadConfident // it was decided already
	}
	if s.e.Reading == detect.ReadSuspect || s.e.Reading == detect.ReadConfident && !blanks {
		s.say(fmt.Sprintf("further:%d", s.e.Comment.ID), "", fmt.Sprintf("%s wrote a comment on the public issue that may tell more of this report: %s. Please look at it.", s.e.Comment.Author, s.e.Comment.URL))
		return
	}
	if s.e.Reading != detect.ReadConfident {
		return
	}
	s.keep(disclosure.Text{Body: s.e.Comment.Body})
	s.note(s.e.Comment.Author, "wrote a report as a comment on the public issue")
	s.do("comment", disclosure.Effect{
		Action: disclosure.DeleteComment, Audience: disclosure.Public, Urgent: true, Number: s.c.Issue, Comment: s.e.Comment.ID,
		Expect: &disclosure.Text{Body: s.e.Comment.Body},
	})
	if s.c.GHSA != "" {
		s.passOn()
	} else if !s.c.Drafted {
		s.say("kept-note", "", fmt.Sprintf("A comment on %s held more of the report. It was deleted; its text is kept in case %d: whoever runs Heed can read it with `heed cases show --text %d`.", s.c.IssueURL, s.c.ID, s.c.ID))
	}
}

// suspect: it might be one. People decide; until then almost nothing happens.
func (s *step) suspect(kind disclosure.Kind) {
	s.start(kind, s.e.At)
	s.place()
	s.takeText()
	s.c.Held = true
	// Nothing was promised to anybody: one reminder when the time for an answer is over.
	if r, ok := s.w.Policy.Promises.Rule(promise.Acknowledge); ok {
		r.RemindAt, r.RepeatLimit = []int{100}, 0
		s.c.Clocks = []promise.Clock{{Rule: r, Start: s.c.Opened}}
	}
	s.note(s.c.Reporter, "wrote what might be a report in public")
	if slices.Contains(s.w.Policy.Public.Suspect, policy.Reply) {
		s.do("suspect-reply", disclosure.Effect{Action: disclosure.CommentIssue, Audience: disclosure.Public, Number: s.c.Issue, Body: s.words("suspect", s.data())})
	}
	s.openTracker("suspect-tracker", fmt.Sprintf("%s#%d: is this a report?", s.c.Repo, s.c.Issue))
}

// undo takes everything back: text, title, state, label, lock and the draft.
func (s *step) undo() {
	s.cancel = append(s.cancel, slotReminder, "history", "reply", "label", "lock", "blank")
	s.c.Ruled, s.c.Held, s.c.PutBack = false, false, disclosure.Embargoed{}
	if s.c.Comment == 0 && s.c.Blanks > 0 {
		notice := s.c.Notice
		e := disclosure.Effect{Action: disclosure.EditIssue, Audience: disclosure.Public, Number: s.c.Issue, Expect: &notice, SecretTop: s.c.Title, Secret: s.c.Body}
		if s.c.WeClosed {
			e.State = "open"
		}
		s.do("restore", e)
	} else if s.c.WeClosed {
		s.do("reopen", disclosure.Effect{Action: disclosure.SetIssue, Audience: disclosure.Public, Number: s.c.Issue, State: "open"})
	}
	if s.c.Comment != 0 && s.c.Blanks > 0 {
		s.say("not-restored", "", "GitHub cannot bring a deleted comment back. Its text is kept in "+s.keptIn()+"; please give it to "+s.c.Reporter+" if they want to post it again.")
	}
	if s.c.Label != "" {
		s.do("unlabel", disclosure.Effect{Action: disclosure.RemoveLabel, Audience: disclosure.Public, Number: s.c.Issue, Labels: []string{s.c.Label}})
	}
	if s.c.WeLocked {
		s.do("unlock", disclosure.Effect{Action: disclosure.Unlock, Audience: disclosure.Public, Number: s.c.Issue})
	}
	if s.c.Drafted && s.c.GHSA != "" {
		s.closeDraft(s.c.GHSA)
	}
	s.c.WeClosed, s.c.WeLocked, s.c.Label = false, false, ""
	s.end(disclosure.NotSecurity)
}

// keptIn names the place where maintainers find the text.
func (s *step) keptIn() string { return cmp.Or(s.c.GHSA, "case "+s.caseNumber()) }

// openFor is how long the text stood in public view.
func (s *step) openFor() time.Duration {
	since, until := s.c.Exposed, s.c.Blanked
	if since.IsZero() {
		since = s.c.Opened
	}
	if until.IsZero() {
		until = s.now
	}
	return until.Sub(since)
}

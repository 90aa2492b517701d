package flow

import (
	"fmt"
	"strings"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/promise"
	"github.com/heed-app/heed/pkg/wording"
)

// slotReminder holds the one reminder that waits to be sent. After an outage of GitHub the newest
// is enough.
const slotReminder = "reminder"

// slotState holds the acceptance of an advisory on GitHub, which somebody may close meanwhile.
const slotState = "advisory-state"

// woke: a moment has come. Every promise says what its rungs have to say; what was missed while
// nobody could speak becomes one summary.
func (s *step) woke() {
	if s.c.State != disclosure.Closed {
		s.resumeAfterLimit()
		s.remind()
	}
	s.remindHistory()
}

func (s *step) resumeAfterLimit() {
	for _, k := range s.c.Clocks {
		if !k.Paused.IsZero() && s.c.PauseLimit > 0 && !k.Paused.Add(s.c.PauseLimit).After(s.now) {
			s.resume("")
			return
		}
	}
}

func (s *step) remind() {
	var names, heads []string
	var missed, escalate bool
	var next, detail string
	for i := range s.c.Clocks {
		k := &s.c.Clocks[i]
		passed := k.Passed(s.now)
		if !k.Running() || passed <= k.Told {
			continue
		}
		rung := k.Rung(passed - 1)
		missed = missed || passed-k.Told > 1
		escalate = escalate || rung.Escalate
		k.Told = passed
		names = append(names, fmt.Sprintf("%s due %s", owed(k.Rule.Kind), wording.Time(k.Due())))
		heads = append(heads, s.headline(*k, rung))
		if detail == "" {
			detail, next = s.detail(*k), s.nextStep(k.Rule.Kind)
		}
	}
	if len(heads) == 0 {
		return
	}
	d := s.data()
	d.Mentions = s.mentions(escalate)
	d.Headline, d.Detail, d.Next, d.Missed = strings.Join(heads, " "), detail, next, missed
	s.note("", "reminded: %s", strings.Join(names, "; "))
	s.say("remind", slotReminder, s.words("reminder", d))
}

// headline says what is due, in one sentence.
func (s *step) headline(k promise.Clock, r promise.Rung) string {
	due, left := wording.Time(k.Due()), k.Due().Sub(s.now)
	what := owed(k.Rule.Kind)
	if s.c.Held {
		what = "A look at this possible report"
	}
	switch {
	case left > 0:
		return fmt.Sprintf("%s is due by **%s**, in %s.", what, due, wording.Span(left))
	case r.Repeat > 0:
		return fmt.Sprintf("%s is still missing; it was due by **%s**, %s ago.", what, due, wording.Span(left))
	default:
		return fmt.Sprintf("%s was due by **%s** and there is none yet.", what, due)
	}
}

func owed(k promise.Kind) string {
	return map[promise.Kind]string{
		promise.Acknowledge: "An answer to the reporter", promise.Decide: "A decision on this report",
		promise.Update: "An update for the reporter", promise.Fix: "The release with the fix",
	}[k]
}

func (s *step) detail(k promise.Clock) string {
	text := fmt.Sprintf("The report has waited %s.", wording.Span(s.now.Sub(k.Start)))
	if s.c.Coordinator == "" {
		text += " Nobody is assigned."
	}
	return text
}

func (s *step) nextStep(k promise.Kind) string {
	prefix := "/"
	if s.c.TrackerIssue == 0 {
		prefix = "/security " // only in the tracker does the word alone do
	}
	switch {
	case s.c.Held:
		return fmt.Sprintf("comment `%sconfirm` or `%snot-security` here.", prefix, prefix)
	case k == promise.Acknowledge && s.c.GHSA != "" && s.c.TrackerIssue != 0:
		return fmt.Sprintf("answer on %s, or comment `%sack` here.", s.c.AdvisoryURL, prefix)
	case k == promise.Acknowledge:
		return fmt.Sprintf("answer here, or comment `%sack`.", prefix)
	case k == promise.Decide:
		return fmt.Sprintf("comment `%saccept` or `%sdecline REASON` here.", prefix, prefix)
	case k == promise.Update:
		return fmt.Sprintf("write a line to the reporter on %s.", s.c.AdvisoryURL)
	default:
		return "release the fix and publish the advisory."
	}
}

// mentions names those who can act: the coordinator, else the team; from 100 % on also those whom
// the policy wants told then, and nowhere before.
func (s *step) mentions(escalate bool) string {
	var out []string
	if s.c.Coordinator != "" {
		out = append(out, "@"+s.c.Coordinator)
	} else {
		out = append(out, s.c.Team...)
	}
	if escalate {
		out = append(out, s.c.EscalateTo...)
	}
	return strings.Join(out, " ")
}

func (s *step) pause(at time.Time) {
	for i := range s.c.Clocks {
		s.c.Clocks[i].Pause(at)
	}
}

// resume lets the promises run on. by is "" when the longest pause has passed.
func (s *step) resume(by string) {
	was := false
	for i := range s.c.Clocks {
		k := &s.c.Clocks[i]
		was = was || !k.Paused.IsZero()
		k.Resume(s.now)
	}
	if was {
		s.note(by, "promises run on")
	}
}

// remindHistory asks for the edit history to be cleared: after a day, then ever more rarely, but
// until it is gone.
func (s *step) remindHistory() {
	h := &s.c.History
	if !h.Open || h.Next.After(s.now) {
		return
	}
	h.Reminders++
	h.Next = s.now.Add(historyGap(h.Reminders))
	d := s.data()
	d.Mentions = s.mentions(false)
	s.say("history", "history", s.words("history-reminder", d))
}

// historyGap is the time to the next reminder after n of them: 1, 2, 4 and then every 7 days.
func historyGap(n int) time.Duration {
	const day = 24 * time.Hour
	return min(day<<min(n, 3), 7*day)
}

// historyCleared: strangers can no longer read the old text, or the issue is gone.
func (s *step) historyCleared() {
	if s.c.History.Open {
		s.c.History.Open = false
		s.cancel = append(s.cancel, "history")
		s.note("", "the edit history was cleared")
	}
}

package flow

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/mark"
	"github.com/heed-app/heed/pkg/policy"
	"github.com/heed-app/heed/pkg/wording"
)

func (s *step) wants(m policy.Measure) bool { return slices.Contains(s.c.Measures, string(m)) }

// measures does what the policy asks for. Whatever shortens the exposure is the very first; what
// needs the draft waits until GitHub has answered with its name, see afterDraft.
func (s *step) measures() {
	s.c.Held = false
	s.c.Measures = nil
	for _, m := range s.w.Policy.Public.Confident {
		s.c.Measures = append(s.c.Measures, string(m))
	}
	if s.wants(policy.Blank) {
		s.blank()
	} else if s.wants(policy.Close) && s.c.Comment == 0 {
		s.closePublic()
	}
	if s.wants(policy.Advisory) && s.c.GHSA == "" {
		s.openDraft()
		return
	}
	s.afterDraft()
}

// blank takes the text out of public view: a comment is deleted with its history, title and text
// of an issue become a notice. Closing goes with the same call.
func (s *step) blank() {
	s.c.Blanks++
	if s.c.Comment != 0 {
		s.do("blank", disclosure.Effect{
			Action: disclosure.DeleteComment, Audience: disclosure.Public, Urgent: true, Slot: "blank", Number: s.c.Issue, Comment: s.c.Comment,
			Expect: &disclosure.Text{Body: s.c.Body},
		})
		return
	}
	// One notice for the whole case: whichever attempt lands, it is recognised.
	token := mark.Public(s.w.Secret, s.key("notice"))
	s.c.Notice = disclosure.Text{
		Title: disclosure.Seal(s.words("notice-title", s.data())),
		Body:  disclosure.Seal(mark.Wrap(s.words("notice", s.data()), token)),
	}
	e := disclosure.Effect{
		Action: disclosure.EditIssue, Audience: disclosure.Public, Urgent: true, Slot: "blank", Number: s.c.Issue,
		Expect: &disclosure.Text{Title: s.c.Title, Body: s.c.Body},
		Title:  s.c.Notice.Title.Reveal(), Body: s.c.Notice.Body.Reveal(), // our own words
	}
	if s.wants(policy.Close) {
		e.State, e.Why = "closed", "not_planned"
		s.c.WeClosed = !s.c.WasClosed
	}
	s.do("blank", e)
}

func (s *step) closePublic() {
	s.c.WeClosed = !s.c.WasClosed
	s.do("close", disclosure.Effect{Action: disclosure.SetIssue, Audience: disclosure.Public, Number: s.c.Issue, State: "closed", Why: "not_planned"})
}

// Limits of GitHub, in characters. Source: GitHub's OpenAPI description, repository-advisory.
const (
	mostSummary     = 1024
	mostDescription = 65535
)

// openDraft opens a draft advisory with the text word for word. What we add stands in a block of
// its own behind it; what does not fit goes into a comment.
func (s *step) openDraft() {
	d := s.data()
	d.Now = wording.Time(s.now)
	// The block stands behind a stranger's text, so its name must be one that no stranger can write.
	key := s.key(fmt.Sprintf("draft/%d", s.c.Uses["draft"]+1))
	s.c.DraftBlock = key + "/" + mark.Token(s.w.Secret, key)
	block := mark.Block(s.c.DraftBlock, s.words("provenance", d))
	room := mostDescription - utf8.RuneCountInString(block) - 100
	body, rest := cutRunes(s.c.Body.Reveal(), room)
	title, more := cutRunes(s.c.Title.Reveal(), mostSummary)
	if more != "" {
		body, rest = cutRunes(s.c.Title.Reveal()+"\n\n"+s.c.Body.Reveal(), room)
	}
	if rest != "" {
		s.keep(disclosure.Text{Body: disclosure.Seal(rest)})
	}
	pkg := disclosure.Package{Ecosystem: s.w.Policy.Package.Ecosystem, Name: s.w.Policy.Package.Name}
	if pkg.Ecosystem == "" {
		pkg = disclosure.Package{Ecosystem: "other", Name: s.c.Repo.Name}
	}
	s.c.Drafted = true
	s.do("draft", disclosure.Effect{
		Action: disclosure.OpenAdvisory, Audience: disclosure.Reporters,
		SecretTop: disclosure.Seal(title), Secret: disclosure.Seal(body), Body: block, Mark: mark.End(s.c.DraftBlock), Credit: s.c.Reporter, Package: pkg,
	})
}

// invite lets those who are to work on the draft see it, with all that belongs on it.
func (s *step) invite() {
	e := disclosure.Effect{Action: disclosure.Invite, Audience: disclosure.Nobody, GHSA: s.c.GHSA, Teams: s.w.Policy.Team}
	if s.c.Reporter != "" { // else the account was deleted
		e.People = []string{s.c.Reporter}
	}
	s.do("invite", e)
	s.passOn()
}

func cutRunes(s string, n int) (head, rest string) {
	i := 0
	for at := range s {
		if i == n {
			return s[:at], s[at:]
		}
		i++
	}
	return s, ""
}

// afterDraft does what follows once the draft is there, or will not come. The reply speaks of the
// invitation, and so waits until it was sent.
func (s *step) afterDraft() {
	if s.c.GHSA != "" {
		s.invite()
		// What waits for approval may be dropped, and then nothing more would ever be decided.
		if s.c.Inviting = s.c.Mode != string(policy.Approve); s.c.Inviting {
			return
		}
	}
	s.answerPublic()
}

// invited: the people of the draft were added, or could not be.
func (s *step) invited(all bool) {
	s.c.Invited = s.c.Invited || all
	if s.c.Inviting {
		s.c.Inviting = false
		s.answerPublic()
	}
}

// answerPublic says in public what happened, and opens the case's issue.
func (s *step) answerPublic() {
	if s.c.Outcome == disclosure.NotSecurity {
		return // decided meanwhile: nothing more is said
	}
	labels := s.w.Policy.Public.Labels
	if labels.Redirected != "" && s.c.Comment == 0 && !s.c.HadLabel {
		s.c.Label = labels.Redirected
		s.do("label", disclosure.Effect{Action: disclosure.AddLabel, Audience: disclosure.Public, Slot: "label", Number: s.c.Issue, Labels: []string{labels.Redirected}})
	}
	if s.wants(policy.Reply) {
		s.do("reply", disclosure.Effect{Action: disclosure.CommentIssue, Audience: disclosure.Public, Slot: "reply", Number: s.c.Issue, Body: s.words("reply", s.data())})
	}
	if s.wants(policy.Lock) && s.c.Comment == 0 && !s.c.WasLocked {
		s.c.WeLocked = true
		s.do("lock", disclosure.Effect{Action: disclosure.Lock, Audience: disclosure.Public, Slot: "lock", Number: s.c.Issue})
	}
	if s.c.TrackerIssue == 0 && s.c.Uses["tracker"] == 0 {
		s.openTracker("tracker", fmt.Sprintf("%s#%d: public report", s.c.Repo, s.c.Issue))
	} else {
		s.say("story", "", s.story())
	}
}

// keep adds a text that is to go on the advisory. One that is too long for a comment is cut in two.
func (s *step) keep(t disclosure.Text) {
	s.c.Erased = false
	const most = 60000 // GitHub allows 65,536 characters, and ours stand around it
	title := t.Title
	for rest := t.Body.Reveal(); rest != ""; {
		var head string
		head, rest = cutRunes(rest, most)
		s.c.Kept = append(s.c.Kept, disclosure.KeptText{Text: disclosure.Text{Title: title, Body: disclosure.Seal(head)}})
		title = disclosure.Embargoed{}
	}
}

// passOn puts texts that did not fit, or that came later, on the advisory. A text stays in the case
// until that has happened.
func (s *step) passOn() {
	for i, t := range s.c.Kept {
		if t.Key != "" {
			continue
		}
		s.do("kept", disclosure.Effect{
			Action: disclosure.CommentAdvisory, Audience: disclosure.Reporters, GHSA: s.c.GHSA,
			Body: "The following text stood in public too:\n\n", Secret: keptText(t),
		})
		s.c.Kept[i].Key = s.effects[len(s.effects)-1].Key
	}
}

// keptText is what is posted of a text.
func keptText(t disclosure.KeptText) disclosure.Embargoed {
	return disclosure.Seal(strings.TrimPrefix(t.Title.Reveal()+"\n\n"+t.Body.Reveal(), "\n\n"))
}

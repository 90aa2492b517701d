package app_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/hubsim"
)

const (
	plain    = "version: 1\nteam: security\ntracker: acme/security-cases\ncoordinators: [mia, sam]\n"
	deciding = plain + "promises:\n  acknowledge: {within: 48h}\n  decide: {within: 7d}\n  fix: {within: 90d}\n  by_severity: {critical: {fix: 7d}}\n  escalate_to: [\"@acme/leads\"]\n"
	cases    = "acme/security-cases"
	vulT     = "SQL injection in the search field lets anyone read the user table"
	vulB     = "The parameter q of /search is put into the query without escaping. An attacker can read every password hash.\n\nProof of concept:\n\n```\n' union select password from users--\n```\n\nImpact: full disclosure of the database. Affected: 1.4.0 and before. CVSS 9.8."
	susT     = "Settings page opens without login"
	susB     = "I opened the settings in a second tab and was not asked to log in. Is this intended?"
	susC     = "I open the settings in a second tab and see those of another user. Is this a security problem?"
)

// An incident is a world in which something went wrong once, or would have.
type incident struct {
	*testing.T
	*world
}

func after(t *testing.T, policy string) incident {
	t.Parallel()
	r := incident{t, openWorld(t)}
	r.ok(r.sim.PushFile("lea", "acme/web", ".github/disclosure.yml", policy))
	r.ok(r.settle())
	return r
}

func (r incident) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r incident) opens(who, title, body string) int {
	n, err := r.sim.OpenIssue(who, "acme/web", title, body)
	r.ok(err)
	r.ok(r.settle())
	return n
}

func (r incident) edits(who string, n int, title, body string) {
	r.ok(r.sim.EditIssue(who, "acme/web", n, title, body))
	r.ok(r.settle())
}

func (r incident) reports() (ghsa string) {
	ghsa, err := r.sim.Report("rea", "acme/web", vulT, vulB)
	r.ok(err)
	r.ok(r.settle())
	return ghsa
}

func (r incident) says(who, repo string, n int, body string) (id int64) {
	id, err := r.sim.CommentIssue(who, repo, n, body)
	r.ok(err)
	r.ok(r.settle())
	return id
}

func (r incident) onAdvisory(who, body string) {
	_, err := r.sim.CommentAdvisory(who, "acme/web", r.sim.Advisories("acme/web")[0], body)
	r.ok(err)
}

func (r incident) see(who, repo string, n int) string {
	s, err := r.sim.SeeIssue(who, repo, n)
	r.ok(err)
	return s
}

func (r incident) advisory() hubsim.AdvisoryView {
	a, _ := r.sim.AdvisoryOf("acme/web", r.sim.Advisories("acme/web")[0])
	return a
}

func (r incident) kase() disclosure.Case {
	cs, err := r.app.Store.Cases(context.Background(), true)
	r.ok(err)
	return cs[len(cs)-1] // the oldest
}

// lost: until stop, calls with this method whose path holds the words are answered 502.
func (r incident) lost(method, words string) (stop func()) {
	r.sim.SetFault(func(q *http.Request, _ bool, _ int) hubsim.Fault {
		if q.Method == method && strings.Contains(q.URL.Path, words) {
			return hubsim.Lost
		}
		return hubsim.None
	})
	return func() { r.sim.SetFault(nil) }
}

func TestConfirmedEditedWhileBlankWaits(t *testing.T) {
	r := after(t, plain)
	n := r.opens("eve", susT, susB)
	stop := r.lost("PATCH", "/issues/")
	r.says("mia", cases, 1, "/confirm")
	r.edits("eve", n, susT, susB+" Thanks!")
	stop()
	r.ok(r.advance(time.Hour))
	if s := r.see("", "acme/web", n); strings.Contains(s, "second tab") {
		t.Errorf("confirmed, and public for good:\n%s\n%s", s, r.see("mia", cases, 1))
	}
}

func TestConfirmedPutBack(t *testing.T) {
	r := after(t, plain)
	n := r.opens("eve", susT, susB)
	r.says("mia", cases, 1, "/confirm")
	r.edits("eve", n, susT, susB) // the very text that mia confirmed
	r.ok(r.advance(time.Hour))
	if strings.Contains(r.see("", "acme/web", n), "second tab") {
		t.Errorf("put back, public, and nobody is told:\n%s", r.see("mia", cases, 1))
	}
}

func TestNameGivenToAnotherRepository(t *testing.T) {
	r := after(t, plain)
	stop := r.lost("PATCH", "/issues/")
	r.opens("eve", vulT, vulB)
	r.sim.Rename("acme/web", "web-old")
	r.sim.AddRepo("acme", "web", false)
	r.opens("bob", "Search is slow", "With many users the search takes ten seconds.") // #1 of the new one
	stop()
	r.ok(r.advance(time.Hour))
	if strings.Contains(r.see("", "acme/web-old", 1), "union select") {
		t.Error("the leak is public for good")
	}
	if len(r.sim.Advisories("acme/web")) > 0 {
		t.Error("the embargoed text was put on an advisory of another repository")
	}
}

// Of two comments that might be reports one was decided about: a confirmation means the other, and neither the
// first nor the issue of somebody else.
func TestConfirmMeansTheUndecidedComment(t *testing.T) {
	for ruling, stays := range map[string][]string{"/security not-security": {"ten seconds", "second tab"}, "/security confirm": {"ten seconds"}} {
		t.Run(ruling, func(t *testing.T) {
			r := after(t, plain)
			n := r.opens("bob", "Search is slow", "With many users the search takes ten seconds.")
			r.says("eve", "acme/web", n, susC)
			r.says("mia", "acme/web", n, ruling)
			r.says("rea", "acme/web", n, strings.Replace(susC, "second", "third", 1))
			r.says("mia", "acme/web", n, "/security confirm")
			s := r.see("", "acme/web", n)
			if strings.Contains(s, "third tab") {
				t.Errorf("rea's report stands:\n%s", s)
			}
			for _, words := range stays {
				if !strings.Contains(s, words) {
					t.Errorf("%q was taken away:\n%s", words, s)
				}
			}
		})
	}
}

func TestSameLeakInASecondAbsence(t *testing.T) {
	r := after(t, plain)
	absent := func(f func()) {
		r.ok(r.advance(10 * time.Minute))
		r.sim.Suspend("acme")
		r.ok(r.advance(10 * time.Minute))
		r.now = r.now.Add(time.Hour)
		f()
		r.now = r.now.Add(time.Hour)
		r.sim.Unsuspend("acme")
		r.ok(r.advance(20 * time.Minute))
	}
	var n int
	absent(func() { n, _ = r.sim.OpenIssue("eve", "acme/web", vulT, vulB) })
	if strings.Contains(r.see("", "acme/web", n), "union") {
		t.Fatal("the first was missed")
	}
	absent(func() { r.ok(r.sim.EditIssue("eve", "acme/web", n, vulT, vulB)) })
	if strings.Contains(r.see("", "acme/web", n), "union") {
		t.Error("the same text put back in the second absence stays public")
	}
}

func TestTrackerIssueDeleted(t *testing.T) {
	r := after(t, deciding)
	r.reports()
	r.ok(r.sim.DeleteIssue("lea", cases, 1))
	r.ok(r.advance(60 * time.Hour))
	said := get(r.world, "/readyz")
	for _, n := range r.sim.Issues("mia", cases) {
		said += r.see("mia", cases, n)
	}
	s, _ := r.sim.SeeAdvisory("mia", "acme/web", r.sim.Advisories("acme/web")[0])
	if !strings.Contains(said+s, "was due by") {
		t.Errorf("the promise ran out, all three reminders were laid aside, nobody was told; /readyz: %s", said)
	}
}

func TestReleaseIssueDeleted(t *testing.T) {
	r := after(t, plain)
	r.opens("eve", vulT, vulB)
	r.says("mia", cases, 1, "/accept")
	r.ok(r.sim.DeleteIssue("lea", cases, 2)) // the checklist
	r.ok(r.settle())
	if !r.kase().History.Open {
		t.Error("Heed believes that the edit history of acme/web#1 was cleared, and reminds no more")
	}
}

func TestBlockAfterAnEditInTheBrowser(t *testing.T) {
	r := after(t, plain)
	r.opens("eve", vulT, vulB)
	a := r.advisory()
	r.ok(r.sim.EditAdvisory("lea", "acme/web", a.GHSA, a.Summary, strings.ReplaceAll("Affects 1.4.\n\n"+a.Description, "\n", "\r\n")))
	r.says("mia", cases, 1, "/ack")
	r.ok(r.advance(time.Hour))
	if strings.Contains(r.advisory().Description, "heed:") {
		t.Error("our block stays in the draft and will be published")
	}
}

func TestBlockAfterASecondThought(t *testing.T) {
	r := after(t, plain)
	r.opens("eve", susT, susB)
	r.says("mia", cases, 1, "/not-security")
	r.says("mia", cases, 1, "/confirm")
	r.says("mia", cases, 1, "/accept")
	r.ok(r.advance(time.Hour))
	if strings.Contains(r.advisory().Description, "heed:") {
		t.Error("our block stays in the draft and will be published")
	}
}

func TestStatusAfterAnEditInTheBrowser(t *testing.T) {
	r := after(t, plain)
	r.reports()
	i, _ := r.sim.Issue(cases, 1)
	r.ok(r.sim.EditIssue("mia", cases, 1, i.Title, strings.ReplaceAll(i.Body, "\n", "\r\n")))
	r.says("mia", cases, 1, "/ack")
	if i, _ = r.sim.Issue(cases, 1); strings.Count(i.Body, "**State**") != 1 {
		t.Errorf("two states in one issue:\n%s", i.Body)
	}
}

func TestTalkAfterPublication(t *testing.T) {
	r := after(t, plain)
	n := r.opens("eve", vulT, vulB)
	r.says("mia", cases, 1, "/accept")
	r.sim.AllowPublish(r.advisory().GHSA)
	r.ok(r.sim.PublishAdvisory("lea", "acme/web", r.advisory().GHSA))
	r.ok(r.advance(time.Hour))
	i, _ := r.sim.Issue(cases, 2)
	r.ok(r.sim.EditIssue("mia", cases, 2, i.Title, strings.ReplaceAll(i.Body, "[ ]", "[x]")))
	r.ok(r.settle())
	r.says("bob", "acme/web", n, "For the record: "+vulT+". "+vulB)
	if !strings.Contains(r.see("", "acme/web", n), "For the record") || len(r.sim.Advisories("acme/web")) > 1 {
		t.Error("what bob wrote about a published advisory was deleted and put on a new draft")
	}
}

func TestCommentEditedWhileDeletionWaits(t *testing.T) {
	r := after(t, plain)
	n := r.opens("bob", "Search is slow", "With many users the search takes ten seconds.")
	stop := r.lost("DELETE", "/comments/")
	id := r.says("eve", "acme/web", n, vulT+"\n\n"+vulB)
	r.ok(r.sim.EditComment("eve", "acme/web", id, vulT+"\n\n"+vulB+"\n\nA second hole is in /find, parameter z."))
	stop()
	r.ok(r.advance(time.Hour))
	s, _ := r.sim.SeeAdvisory("mia", "acme/web", r.sim.Advisories("acme/web")[0])
	if !strings.Contains(s, "second hole") && !strings.Contains(r.see("mia", cases, 1), "cases show") {
		t.Error("eve's addition was deleted in public; it is on no advisory, and nothing points to it")
	}
}

func TestClockThatHangs(t *testing.T) {
	r := after(t, plain+"promises:\n  acknowledge: {within: 40h, calendar: early}\ncalendars:\n  early: {days: mon-sun, hours: \"00:00-08:00\", timezone: America/Santiago}\n")
	r.now = time.Date(2026, 9, 3, 10, 0, 0, 0, time.UTC)
	_, err := r.sim.Report("rea", "acme/web", vulT, vulB)
	r.ok(err)
	done := make(chan error, 1)
	go func() { done <- r.settle() }()
	select {
	case err := <-done:
		r.ok(err)
	case <-time.After(10 * time.Second):
		t.Fatal("the process thinks for ever, inside a transaction")
	}
}

func TestSuspectBecomesReport(t *testing.T) {
	r := after(t, deciding)
	n := r.opens("eve", susT, susB)
	r.edits("eve", n, vulT, vulB)
	if c := r.kase(); len(c.Clocks) != 3 || len(c.Clocks[0].Rule.RemindAt) != 3 {
		t.Errorf("%d promises instead of 3, reminders at %v instead of [50 80 100]", len(c.Clocks), c.Clocks[0].Rule.RemindAt)
	}
}

func TestSeverityCorrected(t *testing.T) {
	r := after(t, deciding)
	r.reports()
	r.says("mia", cases, 1, "/accept")
	r.says("mia", cases, 1, "/severity critical")
	r.says("mia", cases, 1, "/severity low")
	r.ok(r.advance(8 * 24 * time.Hour))
	if s := r.see("mia", cases, 1); strings.Contains(s, "The release with the fix was due") {
		t.Errorf("90 days were promised, after 7 the leads are called:\n%s", s)
	}
}

func TestOlderCommentResumes(t *testing.T) {
	r := after(t, deciding)
	r.reports()
	r.ok(r.advance(time.Hour))
	r.onAdvisory("rea", "I am on holiday next week.")
	r.now = r.now.Add(30 * time.Second)
	r.says("mia", cases, 1, "/need-info Which version?")
	r.ok(r.advance(5 * time.Minute))
	if s := r.see("mia", cases, 1); !strings.Contains(s, "paused") {
		t.Errorf("a comment from before the question ended the pause:\n%s", s)
	}
}

func TestUpdateRunsInThePause(t *testing.T) {
	r := after(t, plain+"promises:\n  acknowledge: {within: 48h}\n  update: {every: 2d}\n")
	r.reports()
	r.says("mia", cases, 1, "/need-info Which version?")
	r.ok(r.advance(time.Hour))
	r.onAdvisory("mia", "A stack trace would help, too.")
	r.ok(r.advance(4 * 24 * time.Hour))
	if s := r.see("mia", cases, 1); strings.Contains(s, "An update for the reporter") {
		t.Errorf("reminded while everything is paused:\n%s", s)
	}
}

func TestAcceptedAndClosedMeanwhile(t *testing.T) {
	r := after(t, deciding)
	g := r.reports()
	stop := r.lost("PATCH", "/security-advisories/")
	r.says("mia", cases, 1, "/accept")
	r.ok(r.sim.CloseAdvisory("lea", "acme/web", g))
	r.ok(r.advance(30 * time.Minute))
	stop()
	r.ok(r.advance(3 * time.Hour))
	if s := r.advisory().State; s != "closed" {
		t.Errorf("lea closed it, Heed made it %s; the case is %s", s, r.kase().State)
	}
}

func TestReopened(t *testing.T) {
	r := after(t, deciding)
	g := r.reports()
	r.says("mia", cases, 1, "/accept")
	r.ok(r.sim.CloseAdvisory("lea", "acme/web", g))
	r.ok(r.advance(time.Hour))
	r.ok(r.sim.AcceptAdvisory("lea", "acme/web", g)) // a draft again
	r.ok(r.advance(8 * 24 * time.Hour))
	if strings.Contains(r.see("mia", cases, 1), "A decision on this report was due") {
		t.Error("an accepted case is overdue for a decision, and /accept is refused: it was accepted already")
	}
	if i, _ := r.sim.Issue(cases, 2); i.State != "open" {
		t.Error("the release checklist stays closed")
	}
}

func TestClosedReopenedPublished(t *testing.T) {
	r := after(t, deciding)
	g := r.reports()
	r.ok(r.sim.AcceptAdvisory("lea", "acme/web", g))
	r.ok(r.sim.CloseAdvisory("lea", "acme/web", g)) // both between two sweeps
	r.ok(r.advance(time.Hour))
	r.ok(r.sim.AcceptAdvisory("lea", "acme/web", g))
	r.ok(r.advance(time.Hour))
	r.sim.AllowPublish(g)
	r.ok(r.sim.PublishAdvisory("lea", "acme/web", g))
	r.ok(r.advance(time.Hour))
	if c := r.kase(); c.Outcome == disclosure.Released && !c.ReleaseAsked {
		t.Error("closed as released: no checklist was ever opened, no release was ever made")
	}
}

func TestReopenedAndPublishedBetweenTwoSweeps(t *testing.T) {
	r := after(t, deciding)
	g := r.reports()
	r.says("mia", cases, 1, "/decline cannot-reproduce")
	r.ok(r.advance(time.Hour))
	r.sim.AllowPublish(g)
	r.ok(r.sim.AcceptAdvisory("lea", "acme/web", g))
	r.ok(r.sim.PublishAdvisory("lea", "acme/web", g))
	r.ok(r.advance(8 * 24 * time.Hour))
	if c := r.kase(); c.State == disclosure.Received {
		t.Errorf("published, and Heed waits for a decision:\n%s", r.see("mia", cases, 1))
	}
}

func TestConfirmedAfterDecline(t *testing.T) {
	r := after(t, plain)
	n := r.opens("eve", vulT, vulB)
	r.says("mia", cases, 1, "/decline unsupported-version")
	r.says("mia", "acme/web", n, "/security confirm")
	r.ok(r.advance(time.Hour))
	r.says("mia", cases, 1, "/accept")
	r.ok(r.advance(time.Hour))
	if s := r.advisory().State; s != "draft" {
		t.Errorf("accepted, and its advisory is %s", s)
	}
}

func TestAnswerBeforeTheDraftWasKnown(t *testing.T) {
	r := after(t, plain)
	hit := false
	r.sim.SetFault(func(q *http.Request, write bool, _ int) hubsim.Fault {
		switch {
		case hit:
			return hubsim.Lost // GitHub is down from here on
		case q.Method == "POST" && strings.HasSuffix(q.URL.Path, "/security-advisories"):
			hit = true
			return hubsim.LandedUnanswered
		}
		return hubsim.None
	})
	r.opens("eve", vulT, vulB)
	r.now = r.now.Add(10 * time.Minute)
	r.onAdvisory("lea", "Thank you, we are looking into it.")
	r.now = r.now.Add(50 * time.Minute)
	r.sim.SetFault(nil)
	r.ok(r.advance(3 * time.Hour))
	if r.kase().Ack.At.IsZero() {
		t.Errorf("lea answered at 09:10, on the draft that Heed found at 10:02:\n%s", r.see("mia", cases, 1))
	}
}

func TestBurstWhenTheTrackerComesBack(t *testing.T) {
	r := after(t, deciding)
	stop := r.lost("POST", "/security-cases/issues")
	r.reports()
	r.sim.Suspend("acme") // before the case has its issue
	stop()
	r.ok(r.advance(72*time.Hour + 30*time.Minute))
	r.sim.Unsuspend("acme")
	r.ok(r.advance(10 * time.Minute))
	if n := strings.Count(r.see("mia", cases, 1), "An answer to the reporter"); n > 1 {
		t.Errorf("%d reminders at once", n)
	}
}

func TestRemindedAfterTheAnswer(t *testing.T) {
	r := after(t, deciding)
	stop := r.lost("POST", "/security-cases/issues")
	r.reports()
	r.ok(r.advance(25 * time.Hour))
	r.onAdvisory("mia", "Thank you, we look into it.")
	r.ok(r.advance(time.Hour))
	stop()
	r.ok(r.advance(2 * time.Hour))
	if strings.Contains(r.see("mia", cases, 1), "An answer to the reporter is due") {
		t.Error("asked for an answer that was given an hour before")
	}
}

func TestWordsForNobody(t *testing.T) {
	r := after(t, plain+"public_reports:\n  confident: [blank, reply, close]\n") // no advisory
	r.opens("eve", vulT, vulB)
	id := r.says("mia", cases, 1, "/need-info Which version?")
	i, _ := r.sim.Issue(cases, 1)
	for _, c := range i.Comments {
		if c.ID == id && !strings.Contains(strings.Join(c.Reactions, " "), "confused") {
			t.Errorf("%v: the promises pause for an answer to a question that was put to nobody", c.Reactions)
		}
	}
}

func TestGhost(t *testing.T) {
	r := after(t, plain)
	_, err := r.sim.OpenIssue("eve", "acme/web", vulT, vulB)
	r.ok(err)
	for _, p := range r.sim.Pending() {
		r.sim.RecordDelivery(p.ID, 202)
		if p.Event != "issues" {
			continue
		}
		var m map[string]any
		r.ok(json.Unmarshal(p.Body, &m))
		m["issue"].(map[string]any)["user"] = nil // deleted meanwhile
		body, _ := json.Marshal(m)
		d := signed("issues", "ghost", body)
		r.knock(d.Header, d.Body)
	}
	r.ok(r.settle())
	s, _ := r.sim.SeeAdvisory("lea", "acme/web", r.sim.Advisories("acme/web")[0])
	if !strings.Contains(s, "@acme/security") {
		t.Errorf("for want of a reporter the team was not invited either; and in public: %.200q", r.see("", "acme/web", 1)[180:])
	}
}

func TestManagedUser(t *testing.T) {
	r := after(t, plain)
	r.sim.AddUser("ann_acme") // as all are called in an enterprise with managed users
	r.sim.Grant(cases, "ann_acme", "write")
	r.reports()
	r.says("mia", cases, 1, "/assign @ann_acme")
	if c := r.kase().Coordinator; c != "ann_acme" {
		t.Errorf("coordinator %s, although the policy takes such names:\n%s", c, r.see("mia", cases, 1))
	}
}

func TestDeletedWhileBlankWaits(t *testing.T) {
	r := after(t, plain)
	stop := r.lost("PATCH", "/issues/")
	n := r.opens("eve", vulT, vulB)
	r.ok(r.sim.DeleteIssue("lea", "acme/web", n))
	r.ok(r.settle())
	stop()
	r.ok(r.advance(time.Hour))
	if strings.Contains(r.see("mia", cases, 1), "still stands in public") {
		t.Error("the issue was deleted, and the tracker says for good that the text still stands in public")
	}
}

func TestUndoTakesWhatWasNotOurs(t *testing.T) {
	r := after(t, plain+"public_reports:\n  confident: [blank, advisory, reply, close, lock]\n  labels: {redirected: triage}\n")
	n := r.opens("eve", "Search is slow", "With many users the search takes ten seconds.")
	r.ok(r.sim.LabelIssue("lea", "acme/web", n, "triage"))
	r.ok(r.sim.LockIssue("lea", "acme/web", n))
	r.says("mia", "acme/web", n, "/security redirect")
	r.says("mia", "acme/web", n, "/security not-security")
	if i, _ := r.sim.Issue("acme/web", n); !i.Locked || len(i.Labels) != 1 {
		t.Errorf("before: locked, [triage]; after undoing: locked %t, %v", i.Locked, i.Labels)
	}
}

func TestErasedAndAgain(t *testing.T) {
	r := after(t, plain+"retain: 30d\n")
	n := r.opens("eve", vulT, vulB)
	r.says("mia", cases, 1, "/decline documented")
	r.ok(r.advance(31 * 24 * time.Hour))
	r.edits("eve", n, vulT, vulB)
	r.ok(r.advance(60 * 24 * time.Hour))
	if c := r.kase(); !c.Body.IsZero() {
		t.Errorf("retain is 30d, after 60 the text is there, erased %t, to be erased at %v", c.Erased, c.EraseAt)
	}
}

func TestMarkNotLastAnyMore(t *testing.T) {
	r := after(t, plain)
	hit := false
	r.sim.SetFault(func(q *http.Request, _ bool, _ int) hubsim.Fault {
		switch {
		case hit:
			return hubsim.Lost
		case q.Method == "POST" && strings.HasSuffix(q.URL.Path, "/security-cases/issues"):
			hit = true
			return hubsim.LandedUnanswered
		}
		return hubsim.None
	})
	r.reports()
	i, _ := r.sim.Issue(cases, 1)
	r.ok(r.sim.EditIssue("mia", cases, 1, i.Title, i.Body+"\n\nNote to self: ask Bob."))
	r.sim.SetFault(nil)
	r.ok(r.advance(time.Hour))
	if n := len(r.sim.Issues("mia", cases)); n != 1 {
		t.Errorf("%d issues of one case", n)
	}
}

func TestHistoryClearedASecondTime(t *testing.T) {
	r := after(t, plain)
	n := r.opens("eve", vulT, vulB)
	r.ok(r.sim.DeleteRevisions("lea", "acme/web", n))
	r.ok(r.advance(time.Hour))
	stop := r.lost("PATCH", "/issues/")
	r.edits("eve", n, vulT, vulB)
	r.edits("eve", n, "Sorry", "Sorry, I did not mean to.")
	stop()
	r.ok(r.advance(time.Hour))
	r.ok(r.sim.DeleteRevisions("lea", "acme/web", n))
	r.ok(r.advance(10 * 24 * time.Hour))
	if r.kase().History.Open {
		t.Errorf("cleared ten days ago, reminded %d times: the sweep's GUID history-…-1 was used before", r.kase().History.Reminders)
	}
}

func TestSecondTrackerIssue(t *testing.T) {
	r := after(t, plain+"public_reports:\n  confident: [blank, reply, close]\n")
	stop := r.lost("POST", "/security-cases/issues")
	n := r.opens("eve", susT, susB)
	r.says("mia", "acme/web", n, "/security confirm")
	stop()
	r.ok(r.advance(time.Hour))
	if n := len(r.sim.Issues("mia", cases)); n != 1 {
		t.Errorf("%d issues of one case", n)
	}
}

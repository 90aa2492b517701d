package engine

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/heed-app/heed/pkg/command"
	"github.com/heed-app/heed/pkg/detect"
	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/flow"
	"github.com/heed-app/heed/pkg/hub"
	"github.com/heed-app/heed/pkg/policy"
	"github.com/heed-app/heed/pkg/store"
)

// plainlyOrdinary is the probability below which no policy makes a text a suspect.
const plainlyOrdinary = 0.05

func ordinary(v detect.Verdict) bool {
	return (v.Class == detect.Ordinary || v.Class == detect.Vulnerability) && v.Probability < plainlyOrdinary
}

// issue reads a public issue. Nothing is asked of GitHub about an ordinary one.
func (e *Engine) issue(ctx context.Context, t thought) ([]happening, error) {
	n := t.n
	ref := disclosure.RefIssue(n.Repo.ID, n.Issue.Number)
	if n.Action == "deleted" { // with its history: nothing is left to be cleared
		c, err := e.caseOf(ctx, ref)
		if err != nil || c.Repo.ID != n.Repo.ID || c.Issue != n.Issue.Number {
			return nil, err
		}
		return []happening{{ref, flow.Event{Kind: flow.HistoryCleared, At: e.Now()}, e.known(n.Installation, n.Repo)}}, nil
	}
	if n.Action != "opened" && n.Action != "edited" || n.Issue.PullRequest {
		return nil, nil
	}
	var c disclosure.Case
	if n.Action == "edited" || !ordinary(t.verdict) {
		var err error
		if c, err = e.caseOf(ctx, ref); err != nil {
			return nil, err
		}
	}
	if c.ID != 0 && c.Tracker.ID == n.Repo.ID {
		if c.ReleaseIssue != n.Issue.Number {
			return nil, nil
		}
		return e.checklist(ctx, c, ref)
	}
	if n.Private && n.Action == "edited" && c.ID == 0 {
		return nil, e.unborn(ctx, n)
	}
	if n.Private || c.ID == 0 && ordinary(t.verdict) {
		return nil, nil
	}
	if c.ID != 0 { // webhooks come in any order: what counts is how it reads now
		i, err := e.Hub.IssueNotice(ctx, n.Installation, n.Repo, n.Issue.Number)
		if err != nil {
			return nil, err
		}
		i.Updated = n.Issue.Updated // when it happened
		t.n.Issue, t.verdict = &i, detect.Read(i.Title.Reveal(), i.Body.Reveal())
	}
	return e.readPublic(ctx, t, c, ref, flow.IssueSeen, n.Issue.Author, policy.Issues)
}

// unborn says that something happened on an issue of ours whose case does not know it yet: we opened
// it, and the answer got lost. It waits until the issue was found by its mark; people can be quicker.
func (e *Engine) unborn(ctx context.Context, n hub.Notice) error {
	us, err := e.Hub.Login(ctx)
	if err == nil && n.Issue.Author.Login == us {
		err = &hub.Trouble{Kind: hub.Again, Err: errors.New("an issue of ours, of no case so far")}
	}
	return err
}

// checklist reads the release checklist as it is now: edits arrive in any order.
func (e *Engine) checklist(ctx context.Context, c disclosure.Case, ref disclosure.Ref) ([]happening, error) {
	i, err := e.Hub.IssueNotice(ctx, c.Installation, c.Tracker, c.ReleaseIssue)
	if err != nil {
		return nil, err
	}
	return []happening{{ref, flow.Event{Kind: flow.ChecklistSeen, At: e.Now(), Issue: issueOf(i)}, e.known(c.Installation, c.Repo)}}, nil
}

// readPublic makes an event of a public text, if the policy watches the place and its author is
// not exempt.
func (e *Engine) readPublic(ctx context.Context, t thought, c disclosure.Case, ref disclosure.Ref, kind flow.Kind, author hub.Person, place policy.Watch) ([]happening, error) {
	n := t.n
	p, err := e.world.policy(ctx, n.Installation, n.Repo)
	if err != nil {
		return nil, err
	}
	title, body := n.Issue.Title, n.Issue.Body
	if n.Comment != nil {
		title, body = disclosure.Embargoed{}, n.Comment.Body
	}
	reading := e.reading(ctx, t.verdict, title.Reveal(), body.Reveal(), p.Policy)
	if !slices.Contains(p.Public.Watch, place) || exempt(p.Public.Exempt, author.Login) || c.ID == 0 && reading == detect.ReadOrdinary {
		return nil, nil
	}
	if c.ID == 0 && reading == detect.ReadDependency && p.Public.Labels.Dependency == "" {
		return nil, nil
	}
	// Of a text that was decided about every new version matters, whoever wrote it.
	decided := c.ID != 0 && (n.Comment == nil || n.Comment.ID == c.Comment) && (c.Ruled || c.Blanks > 0)
	if author.Type == "Bot" && reading != detect.ReadConfident && !decided {
		return nil, nil // machines that answer machines never come to an end
	}
	if reading == detect.ReadSuspect && !decided {
		writer, err := e.Hub.Writer(ctx, n.Installation, n.Repo, author.Login)
		if err != nil || writer {
			return nil, err
		}
	}
	w, err := e.look(ctx, n.Installation, n.Repo, wants{pvr: true})
	if err != nil {
		return nil, err
	}
	ev := flow.Event{
		Kind: kind, At: n.Issue.Created, Installation: n.Installation, Repo: n.Repo,
		Actor: flow.Actor{Login: n.Sender.Login}, Issue: issueOf(*n.Issue), Reading: reading, First: c.ID == 0,
	}
	if n.Action == "edited" {
		ev.At = n.Issue.Updated
	}
	if c.ID != 0 && n.Sender.Login != author.Login {
		if ev.Actor.Maintainer, err = e.Hub.Maintainer(ctx, n.Installation, n.Repo, n.Sender.Login, p.Team); err != nil {
			return nil, err
		}
	}
	if n.Comment != nil {
		ev.Comment, ev.At = commentOf(n), n.Comment.Updated
	}
	if ev.At.IsZero() || ev.At.After(t.Received) {
		ev.At = t.Received
	}
	e.Log.InfoContext(ctx, "public text read", "delivery", t.GUID, "repo", n.Repo.String(), "issue", n.Issue.Number, "reading", string(reading))
	return []happening{{ref, ev, w}}, nil
}

// reading is what a public text comes to under a policy: without the words that mean nothing in that
// project, and with a second opinion where the detector is not sure. Whoever gives one may decide what
// is doubtful, and nothing else; when nobody answers, people decide.
func (e *Engine) reading(ctx context.Context, v detect.Verdict, title, body string, p policy.Policy) detect.Reading {
	if len(p.Public.Vocabulary) > 0 {
		v = detect.For(p.Public.Vocabulary).Read(title, body)
	}
	reading := v.Reading(p.Public.Threshold.Confident, p.Public.Threshold.Suspect)
	if reading != detect.ReadSuspect || e.SecondOpinion == nil {
		return reading
	}
	is, err := e.SecondOpinion(ctx, title, body)
	switch {
	case err != nil:
		e.Log.WarnContext(ctx, "no second opinion", "err", err)
		return reading
	case is:
		return detect.ReadConfident
	default:
		return detect.ReadOrdinary
	}
}

// exempt matches logins as people write them: "dependabot" is "dependabot[bot]" too.
func exempt(list []string, login string) bool {
	bare := strings.TrimSuffix(strings.ToLower(login), "[bot]")
	return slices.ContainsFunc(list, func(x string) bool { return strings.TrimSuffix(strings.ToLower(x), "[bot]") == bare })
}

func issueOf(i hub.IssueNotice) flow.Issue {
	return flow.Issue{Number: i.Number, URL: i.URL, Author: i.Author.Login, Title: i.Title, Body: i.Body, Closed: i.State == "closed", Locked: i.Locked, Labels: i.Labels, Created: i.Created}
}

func commentOf(n hub.Notice) flow.Comment {
	c := n.Comment
	return flow.Comment{ID: c.ID, URL: c.URL, Author: c.Author.Login, Body: c.Body}
}

// comment reads a comment on an issue: commands in the tracker and in public, reports in public.
func (e *Engine) comment(ctx context.Context, t thought) ([]happening, error) {
	n := t.n
	if n.Action != "created" && n.Action != "edited" {
		return nil, nil
	}
	commands := len(command.Parse(n.Comment.Body.Reveal(), command.Tracker)) > 0
	if !commands && (n.Private || ordinary(t.verdict) && n.Action != "edited") {
		return nil, nil
	}
	ref := disclosure.RefIssue(n.Repo.ID, n.Issue.Number)
	c, err := e.caseOf(ctx, ref)
	if err != nil {
		return nil, err
	}
	if n.Private && c.ID == 0 {
		return nil, e.unborn(ctx, n)
	}
	var out []happening
	if commands {
		if out, err = e.commandsOf(ctx, t, c, ref); err != nil {
			return nil, err
		}
	}
	if n.Private {
		return out, nil
	}
	more, err := e.publicComment(ctx, t, c, ref)
	return append(out, more...), err
}

// caseOf is the case to which something belongs; the zero Case if there is none.
func (e *Engine) caseOf(ctx context.Context, ref disclosure.Ref) (disclosure.Case, error) {
	c, err := e.Store.CaseByRef(ctx, ref)
	if errors.Is(err, store.ErrNotFound) {
		return disclosure.Case{}, nil
	}
	return c, err
}

// commandsOf are the commands of a comment, if it is a person's own, newly written, and was not taken up before.
func (e *Engine) commandsOf(ctx context.Context, t thought, c disclosure.Case, ref disclosure.Ref) ([]happening, error) {
	n := t.n
	before, err := e.obeyed(ctx, n)
	if err != nil {
		return nil, err
	}
	place := command.Public
	if c.ID != 0 && c.Tracker.ID == n.Repo.ID {
		place = command.Tracker
	}
	person := n.Comment.Author.Login == n.Sender.Login && n.Comment.Author.Type != "Bot"
	if before || n.Action != "created" || !person || place == command.Public && n.Private {
		return nil, nil
	}
	return e.commanded(ctx, t, c, ref, place)
}

// publicComment reads what somebody wrote on a public issue. It belongs to the case of the issue, if that is a
// report; else it may be one itself.
func (e *Engine) publicComment(ctx context.Context, t thought, c disclosure.Case, ref disclosure.Ref) ([]happening, error) {
	n := t.n
	if c.Kind == disclosure.PublicReport && (c.AdvisoryState == "published" || c.Outcome == disclosure.Released) && c.Retold(n.Comment.Body.Reveal()) {
		return nil, nil // it is no secret any more, and may be talked about
	}
	if c.Kind != disclosure.PublicReport || !c.Open() {
		ref = disclosure.RefComment(n.Repo.ID, n.Comment.ID)
		if t.verdict.Class == detect.ContactRequest || t.verdict.Class == detect.Spam {
			ref = disclosure.RefAside(n.Repo.ID, n.Issue.Number)
		}
		var err error
		if c, err = e.caseOf(ctx, ref); err != nil {
			return nil, err
		}
	}
	if ordinary(t.verdict) && !c.Held {
		return nil, nil
	}
	if c.ID != 0 && (n.Event == hub.FoundSaid || t.Received.Sub(n.Comment.Updated) > absence) { // what comes late may be settled
		m, err := e.Hub.IssueComment(ctx, n.Installation, n.Repo, n.Comment.ID)
		if hub.IsGone(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		fresh := *n.Comment
		fresh.Body = disclosure.Seal(m.GetBody())
		t.n.Comment, t.verdict = &fresh, detect.Read("", m.GetBody())
	}
	watch := policy.Comments
	if n.Issue.PullRequest {
		watch = policy.PullRequests
	}
	return e.readPublic(ctx, t, c, ref, flow.CommentSeen, n.Comment.Author, watch)
}

// commanded asks GitHub whether the author may command, at this moment, and what stands in the
// issue now.
func (e *Engine) commanded(ctx context.Context, t thought, c disclosure.Case, ref disclosure.Ref, place command.Place) ([]happening, error) {
	n := t.n
	commands := command.Parse(n.Comment.Body.Reveal(), place)
	if len(commands) == 0 || place == command.Tracker && c.Kind == disclosure.PolicyTrouble {
		return nil, nil
	}
	repo, inst := n.Repo, n.Installation
	if c.ID != 0 {
		repo, inst = c.Repo, c.Installation
	}
	w, err := e.look(ctx, inst, repo, wants{pvr: true, tags: asks(commands, "accept")})
	if err != nil {
		return nil, err
	}
	may, err := e.Hub.Maintainer(ctx, inst, repo, n.Comment.Author.Login, w.Policy.Team)
	if err != nil {
		return nil, err
	}
	ev := flow.Event{
		Kind: flow.Commanded, At: n.Comment.Created, Installation: inst, Repo: repo, Place: place, Commands: commands,
		Actor: flow.Actor{Login: n.Comment.Author.Login, Maintainer: may}, Issue: issueOf(*n.Issue), Comment: commentOf(n),
	}
	if place == command.Public && (c.ID == 0 || !c.Held && (!c.Open() || asks(commands, "redirect", "confirm"))) {
		ref := disclosure.RefHeld(n.Repo.ID, n.Issue.Number)
		held, err := e.caseOf(ctx, ref)
		if err != nil {
			return nil, err
		}
		if held.Held { // people are to decide about a comment there, and nothing else
			return []happening{{ref, ev, w}}, nil
		}
	}
	if c.ID == 0 && !ev.TakesUp() {
		if !may && !e.patience.allows(n.Comment.Author.Login, e.Now()) {
			return nil, nil
		}
		ref = disclosure.RefErrand(n.Repo.ID, n.Comment.ID)
	}
	number := n.Issue.Number
	if place == command.Tracker {
		number = c.Issue
	}
	if may && number != 0 && c.Comment == 0 && asks(commands, "redirect", "confirm") { // the payload may be older than the issue
		i, err := e.Hub.IssueNotice(ctx, inst, repo, number)
		if err != nil {
			return nil, err
		}
		public := issueOf(i)
		ev.Public = &public
	}
	return []happening{{ref, ev, w}}, nil
}

func asks(cs []command.Command, names ...string) bool {
	return slices.ContainsFunc(cs, func(c command.Command) bool { return slices.Contains(names, c.Word.Name) })
}

package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/heed-app/heed/pkg/command"
	"github.com/heed-app/heed/pkg/detect"
	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/flow"
	"github.com/heed-app/heed/pkg/hub"
	"github.com/heed-app/heed/pkg/policy"
	"github.com/heed-app/heed/pkg/store"
)

// A thought is one delivery with what it comes to.
type thought struct {
	store.Delivery
	n       hub.Notice
	verdict detect.Verdict
	err     error
}

// happening is an event for the case of a name, in a world.
type happening struct {
	ref   disclosure.Ref
	event flow.Event
	world flow.World
}

// Think works off one committed group of deliveries. Ordinary ones are retired together; whatever
// might shorten an exposure goes first. A delivery that fails waits for itself and stops no other.
func (e *Engine) Think(ctx context.Context, group string) error {
	ds, err := e.Store.NewDeliveries(ctx, group, e.Now())
	if err != nil || len(ds) == 0 {
		return err
	}
	us, err := e.Hub.Login(ctx)
	if err != nil {
		for _, d := range ds {
			if err := e.postpone(ctx, d, err); err != nil {
				return err
			}
		}
		return nil
	}
	thoughts := make([]thought, len(ds))
	for i, d := range ds {
		t := thought{Delivery: d}
		if t.n, t.err = hub.Decode(d.Event, d.Body); t.err == nil {
			t.verdict = read(t.n, us)
		}
		thoughts[i] = t
	}
	slices.SortStableFunc(thoughts, func(a, b thought) int {
		switch {
		case a.verdict.Probability > b.verdict.Probability:
			return -1
		case a.verdict.Probability < b.verdict.Probability:
			return 1
		default:
			return 0
		}
	})
	var nothing []int64
	for _, t := range thoughts {
		quiet, err := e.consider(ctx, t, us)
		if err != nil {
			return err
		}
		if quiet {
			nothing = append(nothing, t.Seq)
		}
	}
	if len(nothing) == 0 {
		return nil
	}
	return e.Store.Write(ctx, e.Now(), func(tx *store.Tx) error { return tx.Retire(ctx, nothing...) })
}

// consider thinks about one delivery. quiet: nothing follows from it.
func (e *Engine) consider(ctx context.Context, t thought, us string) (quiet bool, err error) {
	if t.err != nil {
		e.stats.delivery("parked")
		e.Log.WarnContext(ctx, "delivery parked", "delivery", t.GUID, "event", t.Event, "reason", t.err)
		return false, e.Store.Write(ctx, e.Now(), func(tx *store.Tx) error { return tx.ParkDelivery(ctx, t.Seq, t.err.Error()) })
	}
	hs, err := e.route(ctx, t, us)
	if err != nil {
		return false, e.postpone(ctx, t.Delivery, err)
	}
	e.stats.delivery("thought")
	if len(hs) == 0 {
		return true, nil
	}
	err = e.Store.Write(ctx, e.Now(), func(tx *store.Tx) error {
		ours, err := tx.Claim(ctx, t.Seq)
		if err != nil || !ours {
			return err
		}
		for _, h := range hs {
			if err := e.decide(ctx, tx, h); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("think about delivery %s: %w", t.GUID, err)
	}
	e.Log.InfoContext(ctx, "thought", "delivery", t.GUID, "event", t.Event, "action", t.n.Action)
	return false, nil
}

// decide lets flow think about one happening and writes the decision down.
func (e *Engine) decide(ctx context.Context, tx *store.Tx, h happening) error {
	c, err := tx.CaseByRef(ctx, h.ref)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	d := flow.Step(c, h.event, h.world)
	if d.Nothing() {
		return nil
	}
	if c.ID == 0 { // it wants to be a case: once more, with a number
		if c.ID, err = tx.NewCase(ctx); err != nil {
			return err
		}
		if h.world.Turn, err = tx.Reports(ctx, h.event.Repo.ID); err != nil {
			return err
		}
		d = flow.Step(disclosure.Case{ID: c.ID}, h.event, h.world)
		e.stats.opened(d.Case.Kind)
	}
	return e.write(ctx, tx, d)
}

// write saves a decision. In any mode but "act" nothing is done: the effects lie aside to be seen.
// The mode is the case's own: what GitHub can be asked at the moment must not decide whether we act.
func (e *Engine) write(ctx context.Context, tx *store.Tx, d flow.Decision) error {
	mode := policy.Mode(d.Case.Mode)
	if err := tx.Cancel(ctx, d.Case.ID, d.Cancel); err != nil {
		return err
	}
	if err := tx.Save(ctx, d.Case, d.Lines, d.Effects); err != nil {
		return err
	}
	if mode == policy.Act || mode == "" {
		return nil
	}
	reason := map[policy.Mode]string{policy.DryRun: "dry run: not done", policy.Approve: "waits for approval"}[mode]
	for _, f := range d.Effects {
		if err := tx.ParkEffect(ctx, f.Key, reason); err != nil {
			return err
		}
	}
	return nil
}

// postpone puts a delivery off because GitHub cannot be asked now, or parks it when asking is of
// no use.
func (e *Engine) postpone(ctx context.Context, d store.Delivery, cause error) error {
	t := hub.As(cause)
	now := e.Now()
	return e.Store.Write(ctx, now, func(tx *store.Tx) error {
		switch {
		case t.Kind == hub.Refused || t.Kind == hub.Gone || d.Attempts > mostAttempts:
			e.stats.delivery("parked")
			e.Log.WarnContext(ctx, "delivery parked", "delivery", d.GUID, "event", d.Event, "reason", cause)
			return tx.ParkDelivery(ctx, d.Seq, cause.Error())
		default:
			until := later(now, t, d.Attempts+1)
			e.Log.InfoContext(ctx, "delivery waits", "delivery", d.GUID, "event", d.Event, "reason", cause, "until", until)
			return tx.Postpone(ctx, d.Seq, until, cause.Error(), t.Kind == hub.Again)
		}
	})
}

// read looks at the text of a public issue or comment. It costs no call.
func read(n hub.Notice, us string) detect.Verdict {
	if n.Private || n.Issue == nil || n.Sender.Login == us || n.Action != "opened" && n.Action != "edited" && n.Action != "created" {
		return detect.Verdict{Class: detect.Ordinary}
	}
	if n.Comment != nil {
		return detect.Read("", n.Comment.Body.Reveal())
	}
	return detect.Read(n.Issue.Title.Reveal(), n.Issue.Body.Reveal())
}

// route finds out what a delivery means: which cases it concerns, and what GitHub says about it.
// An empty answer means that nothing follows.
func (e *Engine) route(ctx context.Context, t thought, us string) ([]happening, error) {
	n := t.n
	if n.Sender.Login == us && n.Event != "push" && n.Event != "repository_advisory" {
		return nil, nil // our own act, come back
	}
	var err error
	if n.Installation == 0 && n.Repo.ID != 0 && concerns(n.Event) {
		if n.Installation, err = e.Hub.InstallationOf(ctx, n.Repo); err != nil {
			return nil, err
		}
	}
	t.n = n
	switch n.Event {
	case "issues":
		return e.issue(ctx, t)
	case "issue_comment":
		return e.comment(ctx, t)
	case "repository_advisory", hub.FoundAdvisory:
		return e.advisory(ctx, t)
	case hub.FoundComment:
		return e.advisoryComment(ctx, t)
	case hub.FoundHistory:
		return []happening{{
			disclosure.RefIssue(n.Repo.ID, n.Issue.Number),
			flow.Event{Kind: flow.HistorySeen, At: e.Now(), HistoryOpen: n.HistoryOpen},
			e.known(n.Installation, n.Repo),
		}}, nil
	case "release":
		return e.release(ctx, t)
	case "push", hub.FoundPolicy:
		return e.policyFile(ctx, t)
	case "repository":
		e.world.forget()
		return e.renamed(ctx, t)
	case "installation", "installation_repositories", "installation_target":
		e.world.forget()
		return e.installed(ctx, t)
	}
	return nil, nil
}

func concerns(event string) bool {
	return slices.Contains([]string{"issues", "issue_comment", "repository_advisory", "release", "push"}, event)
}

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
		return []happening{{ref, flow.Event{Kind: flow.HistorySeen, At: e.Now()}, e.known(n.Installation, n.Repo)}}, nil
	}
	if n.Action != "opened" && n.Action != "edited" || n.Issue.PullRequest {
		return nil, nil
	}
	var c disclosure.Case
	if n.Action == "edited" || !ordinary(t.verdict) {
		var err error
		if c, err = e.Store.CaseByRef(ctx, ref); err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	if c.ID != 0 && c.Tracker.ID == n.Repo.ID {
		if c.ReleaseIssue != n.Issue.Number {
			return nil, nil
		}
		return e.checklist(ctx, c, ref)
	}
	if n.Private || c.ID == 0 && ordinary(t.verdict) {
		return nil, nil
	}
	if c.ID != 0 { // webhooks come in any order: what counts is how it reads now
		i, err := e.Hub.Issue(ctx, n.Installation, n.Repo, n.Issue.Number)
		if err != nil {
			return nil, err
		}
		fresh := *n.Issue
		fresh.Title, fresh.Body, fresh.State = disclosure.Seal(i.GetTitle()), disclosure.Seal(i.GetBody()), i.GetState()
		t.n.Issue, t.verdict = &fresh, detect.Read(i.GetTitle(), i.GetBody())
	}
	return e.readPublic(ctx, t, c, ref, flow.IssueSeen, n.Issue.Author, policy.Issues)
}

// checklist reads the release checklist as it is now: edits arrive in any order.
func (e *Engine) checklist(ctx context.Context, c disclosure.Case, ref disclosure.Ref) ([]happening, error) {
	i, err := e.Hub.Issue(ctx, c.Installation, c.Tracker, c.ReleaseIssue)
	if err != nil {
		return nil, err
	}
	issue := flow.Issue{Number: c.ReleaseIssue, Body: disclosure.Seal(i.GetBody())}
	return []happening{{ref, flow.Event{Kind: flow.ChecklistSeen, At: e.Now(), Issue: issue}, e.known(c.Installation, c.Repo)}}, nil
}

// readPublic makes an event of a public text, if the policy watches the place and its author is
// not exempt.
func (e *Engine) readPublic(ctx context.Context, t thought, c disclosure.Case, ref disclosure.Ref, kind flow.Kind, author hub.Person, place policy.Watch) ([]happening, error) {
	n := t.n
	p, err := e.world.policy(ctx, n.Installation, n.Repo)
	if err != nil {
		return nil, err
	}
	reading := t.verdict.Reading(p.Public.Threshold.Confident, p.Public.Threshold.Suspect)
	if !slices.Contains(p.Public.Watch, place) || exempt(p.Public.Exempt, author.Login) || c.ID == 0 && reading == detect.ReadOrdinary {
		return nil, nil
	}
	if c.ID == 0 && reading == detect.ReadDependency && p.Public.Labels.Dependency == "" {
		return nil, nil
	}
	if author.Type == "Bot" && reading != detect.ReadConfident {
		return nil, nil // machines that answer machines never come to an end
	}
	if reading == detect.ReadSuspect {
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
		Actor: flow.Actor{Login: n.Sender.Login}, Issue: issueOf(n), Reading: reading,
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

// exempt matches logins as people write them: "dependabot" is "dependabot[bot]" too.
func exempt(list []string, login string) bool {
	bare := strings.TrimSuffix(strings.ToLower(login), "[bot]")
	return slices.ContainsFunc(list, func(x string) bool { return strings.TrimSuffix(strings.ToLower(x), "[bot]") == bare })
}

func issueOf(n hub.Notice) flow.Issue {
	i := n.Issue
	return flow.Issue{Number: i.Number, URL: i.URL, Author: i.Author.Login, Title: i.Title, Body: i.Body, Closed: i.State == "closed", Created: i.Created}
}

func commentOf(n hub.Notice) flow.Comment {
	c := n.Comment
	return flow.Comment{ID: c.ID, URL: c.URL, Author: c.Author.Login, Body: c.Body}
}

// comment reads a comment on an issue: commands in the tracker and in public, reports in public.
func (e *Engine) comment(ctx context.Context, t thought) ([]happening, error) {
	n := t.n
	issueRef := disclosure.RefIssue(n.Repo.ID, n.Issue.Number)
	if n.Action != "created" && n.Action != "edited" {
		return nil, nil
	}
	commands := command.Parse(n.Comment.Body.Reveal(), command.Tracker)
	if len(commands) == 0 && (n.Private || ordinary(t.verdict) && n.Action != "edited") {
		return nil, nil
	}
	c, err := e.Store.CaseByRef(ctx, issueRef)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	var out []happening
	place := command.Public
	if c.ID != 0 && c.Tracker.ID == n.Repo.ID {
		place = command.Tracker
	}
	person := n.Comment.Author.Login == n.Sender.Login && n.Comment.Author.Type != "Bot"
	if len(commands) > 0 && n.Action == "created" && person && (place == command.Tracker || !n.Private) {
		h, err := e.commanded(ctx, t, c, issueRef, place)
		if err != nil {
			return nil, err
		}
		out = h
	}
	if n.Private {
		return out, nil
	}
	watch := policy.Comments
	if n.Issue.PullRequest {
		watch = policy.PullRequests
	}
	// A comment belongs to the case of its issue, if that is a report; else it may be one itself.
	ref := issueRef
	if c.Kind != disclosure.PublicReport || !c.Open() {
		ref = disclosure.RefComment(n.Repo.ID, n.Comment.ID)
		if t.verdict.Class == detect.ContactRequest || t.verdict.Class == detect.Spam {
			ref = disclosure.RefAside(n.Repo.ID, n.Issue.Number)
		}
		if c, err = e.Store.CaseByRef(ctx, ref); err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	if ordinary(t.verdict) && !c.Held {
		return out, nil
	}
	more, err := e.readPublic(ctx, t, c, ref, flow.CommentSeen, n.Comment.Author, watch)
	return append(out, more...), err
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
		Actor: flow.Actor{Login: n.Comment.Author.Login, Maintainer: may}, Issue: issueOf(n), Comment: commentOf(n),
	}
	if c.ID == 0 { // people are to decide about a comment there, perhaps
		held := disclosure.RefHeld(n.Repo.ID, n.Issue.Number)
		if c, err = e.Store.CaseByRef(ctx, held); err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if c.Held {
			ref = held
		}
	}
	if !c.Held && c.ID == 0 && !ev.TakesUp() {
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
		i, err := e.Hub.Issue(ctx, inst, repo, number)
		if err != nil {
			return nil, err
		}
		ev.Public = &flow.Issue{Number: number, Title: disclosure.Seal(i.GetTitle()), Body: disclosure.Seal(i.GetBody()), Closed: i.GetState() == "closed", Created: i.GetCreatedAt().Time}
	}
	return []happening{{ref, ev, w}}, nil
}

func asks(cs []command.Command, names ...string) bool {
	return slices.ContainsFunc(cs, func(c command.Command) bool { return slices.Contains(names, c.Word.Name) })
}

// advisory asks GitHub for the advisory itself: the event that reports one has null where its
// author and date should be.
func (e *Engine) advisory(ctx context.Context, t thought) ([]happening, error) {
	n := t.n
	a, err := e.Hub.Advisory(ctx, n.Installation, n.Repo, n.GHSA)
	if err != nil {
		return nil, err
	}
	ev := advisoryEvent(a, n, t.Received)
	ref := disclosure.RefAdvisory(n.Repo.ID, n.GHSA)
	if a.State == "published" || a.State == "closed" { // seldom a report: look before more is asked
		if _, err := e.Store.CaseByRef(ctx, ref); errors.Is(err, store.ErrNotFound) {
			return nil, nil
		}
	}
	w, err := e.look(ctx, n.Installation, n.Repo, wants{tags: ev.Advisory.Accepted || a.State == "published"})
	if err != nil {
		return nil, err
	}
	return []happening{{ref, ev, w}}, nil
}

func advisoryEvent(a hub.Advisory, n hub.Notice, received time.Time) flow.Event {
	fa := flow.Advisory{
		GHSA: a.GHSA, URL: a.HTMLURL, State: a.State, Created: a.Created, CVE: a.CVE, Severity: a.Severity,
		Updated: a.Updated, Submitted: a.Submission != nil, Accepted: a.Submission != nil && a.Submission.Accepted,
	}
	if a.Author != nil {
		fa.Reporter = a.Author.Login
	} else if n.Action == "reported" {
		fa.Reporter = n.Sender.Login
	}
	if fa.Created.IsZero() {
		fa.Created = received
	}
	for _, v := range a.Vulnerabilities {
		if v.Patched != "" {
			fa.Patched = v.Patched
			break
		}
	}
	for _, c := range a.Credits {
		fa.CreditAccepted = fa.CreditAccepted || c.State == "accepted"
	}
	at := received
	if !a.Updated.IsZero() && a.Updated.Before(at) {
		at = a.Updated
	}
	return flow.Event{Kind: flow.AdvisorySeen, At: at, Installation: n.Installation, Repo: n.Repo, Advisory: fa, Actor: flow.Actor{Login: n.Sender.Login}}
}

// advisoryComment is a comment that the sweep found.
func (e *Engine) advisoryComment(ctx context.Context, t thought) ([]happening, error) {
	n := t.n
	ref := disclosure.RefAdvisory(n.Repo.ID, n.GHSA)
	commands := command.Parse(n.Comment.Body.Reveal(), command.Advisory)
	if n.Comment.Updated.After(n.Comment.Created.Add(time.Second)) {
		commands = nil // edited: the reporter may do that to others' comments
	}
	w, err := e.look(ctx, n.Installation, n.Repo, wants{tags: asks(commands, "accept")})
	if err != nil {
		return nil, err
	}
	login := n.Comment.Author.Login
	may := false
	if login != "" && !strings.HasSuffix(login, "[bot]") {
		if may, err = e.Hub.Maintainer(ctx, n.Installation, n.Repo, login, w.Policy.Team); err != nil {
			return nil, err
		}
	}
	return []happening{{ref, flow.Event{
		Kind: flow.AdvisorySaid, At: n.Comment.Created, Installation: n.Installation, Repo: n.Repo, Place: command.Advisory,
		Commands: commands, Actor: flow.Actor{Login: login, Maintainer: may}, Comment: commentOf(n),
	}, w}}, nil
}

// release tells every accepted case of a repository about a release.
func (e *Engine) release(ctx context.Context, t thought) ([]happening, error) {
	n := t.n
	if n.Action != "published" && n.Action != "released" || n.Tag == "" {
		return nil, nil
	}
	cs, err := e.Store.OpenCasesOf(ctx, n.Repo.ID)
	if err != nil {
		return nil, err
	}
	var out []happening
	for _, c := range cs {
		if c.State != disclosure.Accepted || len(c.Refs()) == 0 {
			continue
		}
		w, err := e.look(ctx, c.Installation, n.Repo, wants{})
		if err != nil {
			return nil, err
		}
		ev := flow.Event{Kind: flow.ReleaseSeen, At: t.Received, Installation: c.Installation, Repo: n.Repo, Tag: n.Tag}
		if c.GHSA != "" { // the patched version may have been set since
			a, err := e.Hub.Advisory(ctx, c.Installation, n.Repo, c.GHSA)
			if err != nil && !hub.IsGone(err) {
				return nil, err
			}
			if err == nil {
				seen := advisoryEvent(a, n, t.Received)
				out = append(out, happening{c.Refs()[0], seen, w})
			}
		}
		out = append(out, happening{c.Refs()[0], ev, w})
	}
	return out, nil
}

// installed tells the open cases of an account under which number the App is installed there now.
func (e *Engine) installed(ctx context.Context, t thought) ([]happening, error) {
	if t.n.Action != "created" && t.n.Action != "unsuspend" || t.n.Account == "" {
		return nil, nil
	}
	cs, err := e.Store.Cases(ctx, false)
	if err != nil {
		return nil, err
	}
	var out []happening
	for _, c := range cs {
		if refs := c.Refs(); len(refs) > 0 && strings.EqualFold(c.Repo.Owner, t.n.Account) {
			out = append(out, happening{refs[0], flow.Event{Kind: flow.Woke, At: e.Now(), Repo: c.Repo, Installation: t.n.Installation}, e.known(t.n.Installation, c.Repo)})
		}
	}
	return out, nil
}

// renamed tells the open cases of a repository its new name.
func (e *Engine) renamed(ctx context.Context, t thought) ([]happening, error) {
	if t.n.Action != "renamed" && t.n.Action != "transferred" {
		return nil, nil
	}
	cs, err := e.Store.OpenCasesOf(ctx, t.n.Repo.ID)
	if err != nil {
		return nil, err
	}
	var out []happening
	for _, c := range cs {
		if refs := c.Refs(); len(refs) > 0 {
			out = append(out, happening{refs[0], flow.Event{Kind: flow.Woke, At: e.Now(), Repo: t.n.Repo}, e.known(c.Installation, t.n.Repo)})
		}
	}
	return out, nil
}

// policyFile reads a policy again after a push, and says what is wrong with it.
func (e *Engine) policyFile(ctx context.Context, t thought) ([]happening, error) {
	n := t.n
	if n.Event == "push" {
		file := hub.PolicyPath
		if strings.EqualFold(n.Repo.Name, ".github") {
			file = hub.OwnerPolicyPath
		}
		if n.Branch != "" && n.Ref != "refs/heads/"+n.Branch || n.Paths != nil && !touches(n.Paths, file) {
			return nil, nil
		}
		e.world.forgetPolicies()
	}
	p, err := e.world.policy(ctx, n.Installation, n.Repo)
	if err != nil {
		return nil, err
	}
	w := e.around(n.Installation, p)
	tf, err := e.world.tracker(ctx, n.Installation, n.Repo.Owner, p.tracker)
	if err != nil {
		return nil, err
	}
	w.Tracker, w.Trouble = tf.repo, tf.trouble
	repo, mistakes := n.Repo, p.mistakes
	if p.source != "" && repoOf(p.source).String() != n.Repo.String() {
		if n.Event == "push" {
			mistakes = "" // this repository has no file of its own any more
		} else {
			repo = repoOf(p.source)
		}
	}
	ev := flow.Event{Kind: flow.PolicyRead, At: e.Now(), Installation: n.Installation, Repo: repo, Mistakes: mistakes}
	return []happening{{disclosure.RefPolicy(repo), ev, w}}, nil
}

// touches also counts the directory above a text of the policy's own wording.
func touches(paths []string, file string) bool {
	return slices.ContainsFunc(paths, func(p string) bool { return p == file || strings.HasPrefix(p, ".github/disclosure") })
}

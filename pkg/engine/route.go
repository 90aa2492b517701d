package engine

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/heed-app/heed/pkg/command"
	"github.com/heed-app/heed/pkg/detect"
	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/flow"
	"github.com/heed-app/heed/pkg/hub"
	"github.com/heed-app/heed/pkg/store"
)

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
	if !concerns(n.Event) || n.Repo.ID == 0 {
		return e.routed(ctx, t)
	}
	if n.Installation == 0 {
		var err error
		if t.n.Installation, err = e.Hub.InstallationOf(ctx, n.Repo); err != nil {
			return nil, err
		}
		return e.routed(ctx, t)
	}
	out, err := e.routed(ctx, t)
	if err == nil || hub.As(err).Kind != hub.Suspended {
		return out, err
	}
	// While it waited the App may have been taken out there and put in again, which gives it a new number.
	if t.n.Installation = e.world.home(ctx, n.Repo); t.n.Installation == 0 || t.n.Installation == n.Installation {
		return out, err
	}
	return e.routed(ctx, t)
}

// routed is route for a delivery whose installation is known.
func (e *Engine) routed(ctx context.Context, t thought) ([]happening, error) {
	n := t.n
	switch n.Event {
	case "issues", hub.FoundIssue:
		return e.issue(ctx, t)
	case "issue_comment", hub.FoundSaid:
		return e.comment(ctx, t)
	case "repository_advisory", hub.FoundAdvisory:
		return e.advisory(ctx, t)
	case hub.FoundComment:
		return e.advisoryComment(ctx, t)
	case hub.FoundHistory:
		return []happening{{
			disclosure.RefIssue(n.Repo.ID, n.Issue.Number),
			flow.Event{Kind: flow.HistoryCleared, At: e.Now()},
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
		e.Hub.Renew(n.Installation) // permissions were given, maybe
		return e.installed(ctx, t)
	}
	return nil, nil
}

func concerns(event string) bool {
	return slices.Contains([]string{
		"issues", "issue_comment", "repository_advisory", "release", "push", hub.FoundIssue, hub.FoundSaid, hub.FoundAdvisory, hub.FoundComment, hub.FoundPolicy,
	}, event)
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
		if c.State == "accepted" {
			fa.Credited = append(fa.Credited, c.User.Login)
		}
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

// installed tells the open cases of an account under which number the App is installed there now, and its new
// login if it was renamed.
func (e *Engine) installed(ctx context.Context, t thought) ([]happening, error) {
	known := t.n.Account
	switch {
	case t.n.Account == "":
		return nil, nil
	case t.n.Formerly != "":
		known = t.n.Formerly
	case t.n.Action != "created" && t.n.Action != "unsuspend":
		return nil, nil
	}
	cs, err := e.Store.CasesOf(ctx, known, 0, math.MaxInt32) // one whose key is missing will need to hear it too: this waits
	if err != nil {
		return nil, err
	}
	var out []happening
	for _, c := range cs {
		if t.n.Formerly != "" && c.Installation != t.n.Installation || len(t.n.Repos) > 0 && !slices.Contains(t.n.Repos, c.Repo.ID) {
			continue // somebody else has the old login by now
		}
		if refs := c.Refs(); len(refs) > 0 {
			repo := c.Repo
			if t.n.Formerly != "" {
				repo.Owner = t.n.Account
			}
			ev := flow.Event{Kind: flow.Woke, At: e.Now(), Repo: repo, Installation: t.n.Installation, Formerly: t.n.Formerly}
			out = append(out, happening{refs[0], ev, e.known(t.n.Installation, repo)})
		}
	}
	return out, nil
}

// renamed tells the open cases of a repository its new name, and where the App is installed now: a new owner has
// a number of its own.
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
			out = append(out, happening{refs[0], flow.Event{Kind: flow.Woke, At: e.Now(), Repo: t.n.Repo, Installation: t.n.Installation}, e.known(cmp.Or(t.n.Installation, c.Installation), t.n.Repo)})
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
		if err := e.world.forgetPolicies(ctx); err != nil {
			return nil, err
		}
	}
	p, err := e.world.policy(ctx, n.Installation, n.Repo)
	if err != nil {
		return nil, err
	}
	if now, err := e.Store.Get(ctx, pushes); err != nil || n.Event == "push" && p.pushes != now {
		return nil, cmp.Or(err, error(&hub.Trouble{Kind: hub.Again, Err: errors.New("the policy cannot be read now")})) // it is an old one
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

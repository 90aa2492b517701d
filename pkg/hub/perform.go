package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/mark"
	"github.com/heed-app/heed/pkg/release"
)

// ErrChanged says that somebody changed a text meanwhile: the decision must be made again.
var ErrChanged = errors.New("changed meanwhile")

// Perform does one effect. With again it may have been done before: where the effect wears a mark,
// the mark is looked for first; the others read before they write and so are idempotent anyway.
// since is when the effect was decided: nothing older can wear its mark.
func (h *Hub) Perform(ctx context.Context, inst int64, e disclosure.Effect, again bool, since time.Time) (disclosure.Receipt, error) {
	p := performer{Hub: h, inst: inst, e: e, again: again, since: since.Add(-clocksDiffer)}
	r, err := p.perform(ctx)
	if err != nil {
		target := e.Repo.String()
		switch {
		case e.GHSA != "":
			target += " " + e.GHSA
		case e.Number != 0:
			target += "#" + strconv.Itoa(e.Number)
		}
		return r, fmt.Errorf("%s on %s: %w", e.Action, target, err)
	}
	return r, nil
}

// clocksDiffer is how far GitHub's clock may be behind ours when a mark is looked for.
const clocksDiffer = time.Hour

type performer struct {
	*Hub
	inst  int64
	e     disclosure.Effect
	again bool
	since time.Time
}

func (p performer) perform(ctx context.Context) (disclosure.Receipt, error) {
	switch p.e.Action {
	case disclosure.EditIssue:
		return p.editIssue(ctx)
	case disclosure.OpenIssue:
		return p.openIssue(ctx)
	case disclosure.EditBlock:
		return p.rewrite(ctx, func(body string) string {
			out, ok := mark.Replace(body, p.e.Title, p.e.Body)
			if !ok { // somebody took the block out; put it back on top
				out = mark.Block(p.e.Title, p.e.Body) + "\n\n" + body
			}
			return out
		})
	case disclosure.TickTasks:
		return p.rewrite(ctx, func(body string) string { return release.Apply(body, p.e.Ticks) })
	case disclosure.SetIssue:
		return p.setIssue(ctx)
	case disclosure.CommentIssue:
		return p.commentIssue(ctx)
	case disclosure.DeleteComment:
		return p.deleteComment(ctx)
	case disclosure.React:
		return p.react(ctx)
	case disclosure.AddLabel, disclosure.RemoveLabel:
		return p.label(ctx)
	case disclosure.Lock, disclosure.Unlock:
		return p.lock(ctx)
	case disclosure.OpenAdvisory:
		return p.openAdvisory(ctx)
	case disclosure.EditAdvisory:
		return p.editAdvisory(ctx)
	case disclosure.Invite:
		return p.invite(ctx)
	case disclosure.CommentAdvisory:
		return p.commentAdvisory(ctx)
	case disclosure.EditStatus:
		return p.editStatus(ctx)
	default:
		panic("no such action: " + string(p.e.Action))
	}
}

// issuePatch is the body of an edit; nil leaves a field alone.
type issuePatch struct {
	Title     *string  `json:"title,omitempty"`
	Body      *string  `json:"body,omitempty"`
	State     string   `json:"state,omitempty"`
	Why       string   `json:"state_reason,omitempty"`
	Assignees []string `json:"assignees,omitempty"`
}

func (p performer) issuePath(parts ...string) string {
	return in(p.e.Repo.Owner, p.e.Repo.Name, append([]string{"issues", strconv.Itoa(p.e.Number)}, parts...)...)
}

func (p performer) patchIssue(ctx context.Context, k callKind, patch issuePatch) error {
	return p.send(ctx, p.inst, k, http.MethodPatch, p.issuePath(), patch, nil)
}

// editIssue replaces title and body of somebody else's issue, if it still reads as it did when
// that was decided.
func (p performer) editIssue(ctx context.Context) (disclosure.Receipt, error) {
	i, err := p.issue(ctx, p.inst, p.e.Repo, p.e.Number, urgent)
	if err != nil && As(err).Status == http.StatusGone {
		return disclosure.Receipt{Note: "the issue was deleted"}, nil // and its text with it
	}
	if err != nil {
		return disclosure.Receipt{}, err
	}
	title, body := p.e.Title, p.e.Body
	if !p.e.SecretTop.IsZero() || !p.e.Secret.IsZero() {
		title, body = p.e.SecretTop.Reveal(), p.e.Secret.Reveal()
	}
	now := mark.Lines(i.GetBody()) // a browser saves other line ends, and nobody sees them
	stands := i.GetTitle() == title && now == mark.Lines(body)
	expected := i.GetTitle() == p.e.Expect.Title.Reveal() && now == mark.Lines(p.e.Expect.Body.Reveal())
	switch {
	case stands && (p.e.State == "" || i.GetState() == p.e.State):
		return disclosure.Receipt{}, nil
	case !stands && !expected:
		return disclosure.Receipt{}, ErrChanged
	}
	return disclosure.Receipt{}, p.patchIssue(ctx, urgent, issuePatch{Title: &title, Body: &body, State: p.e.State, Why: p.e.Why})
}

// rewrite changes a part of the body of an issue of ours and leaves what people added.
func (p performer) rewrite(ctx context.Context, change func(string) string) (disclosure.Receipt, error) {
	i, err := p.Issue(ctx, p.inst, p.e.Repo, p.e.Number)
	if err != nil {
		return disclosure.Receipt{}, err
	}
	body := change(i.GetBody())
	if body == i.GetBody() {
		return disclosure.Receipt{}, nil
	}
	return disclosure.Receipt{}, p.patchIssue(ctx, writing, issuePatch{Body: &body})
}

func (p performer) setIssue(ctx context.Context) (disclosure.Receipt, error) {
	i, err := p.Issue(ctx, p.inst, p.e.Repo, p.e.Number)
	if err != nil {
		return disclosure.Receipt{}, err
	}
	patch := issuePatch{}
	if people := people(i.Assignees); len(with(people, p.e.People)) > len(people) || len(p.e.People) > 0 && len(people) > len(p.e.People) {
		patch.Assignees = p.e.People
	}
	if p.e.State != "" && i.GetState() != p.e.State {
		patch.State, patch.Why = p.e.State, p.e.Why
	}
	if patch.State == "" && len(patch.Assignees) == 0 {
		return disclosure.Receipt{}, nil
	}
	return disclosure.Receipt{}, p.patchIssue(ctx, writing, patch)
}

func people(us []*github.User) []string {
	out := make([]string, 0, len(us))
	for _, u := range us {
		out = append(out, u.GetLogin())
	}
	return out
}

// openIssue opens an issue of ours in the tracker.
func (p performer) openIssue(ctx context.Context) (disclosure.Receipt, error) {
	if p.again {
		if r, found, err := p.find(ctx, in(p.e.Repo.Owner, p.e.Repo.Name, "issues")+"?state=all&", mark.Stands); err != nil || found {
			return r, err
		}
	}
	issue := struct {
		Title     string   `json:"title"`
		Body      string   `json:"body"`
		Assignees []string `json:"assignees,omitempty"`
	}{p.e.Title, mark.Wrap(p.e.Body, p.e.Mark), p.e.People}
	path := in(p.e.Repo.Owner, p.e.Repo.Name, "issues")
	var out github.Issue
	err := p.send(ctx, p.inst, creating, http.MethodPost, path, issue, &out)
	if err != nil && As(err).Status == http.StatusUnprocessableEntity && len(issue.Assignees) > 0 {
		issue.Assignees = nil // somebody who cannot be assigned there must not keep the case from being told
		err = p.send(ctx, p.inst, creating, http.MethodPost, path, issue, &out)
	}
	return disclosure.Receipt{ID: out.GetID(), Number: out.GetNumber(), URL: out.GetHTMLURL()}, err
}

// find looks through a list of issues or comments (a path that ends where its query goes on) for the text that we wrote and that wears the mark.
func (p performer) find(ctx context.Context, path string, wears func(text, mark string) bool) (disclosure.Receipt, bool, error) {
	login, err := p.Login(ctx)
	if err != nil {
		return disclosure.Receipt{}, false, err
	}
	since := url.QueryEscape(p.since.UTC().Format(time.RFC3339))
	for page := 1; page != 0; {
		var list []struct {
			ID     int64  `json:"id"`
			Number int    `json:"number"`
			URL    string `json:"html_url"`
			Body   string `json:"body"`
			User   Person `json:"user"`
		}
		res, err := p.get(ctx, p.inst, fmt.Sprintf("%ssince=%s&per_page=100&page=%d", path, since, page), &list)
		if err != nil {
			return disclosure.Receipt{}, false, err
		}
		for _, x := range list {
			if x.User.Login == login && wears(x.Body, p.e.Mark) {
				return disclosure.Receipt{ID: x.ID, Number: x.Number, URL: x.URL}, true, nil
			}
		}
		page = res.NextPage
	}
	return disclosure.Receipt{}, false, nil
}

func (p performer) commentIssue(ctx context.Context) (disclosure.Receipt, error) {
	if p.again {
		if r, found, err := p.find(ctx, p.issuePath("comments")+"?", mark.Has); err != nil || found {
			return r, err
		}
	}
	var out github.IssueComment
	err := p.send(ctx, p.inst, creating, http.MethodPost, p.issuePath("comments"), map[string]string{"body": mark.Wrap(p.e.Body, p.e.Mark)}, &out)
	return disclosure.Receipt{ID: out.GetID(), URL: out.GetHTMLURL()}, err
}

// deleteComment: GitHub deletes the body and its history, so what stands there must be what was kept.
// Deleted already is as good.
func (p performer) deleteComment(ctx context.Context) (disclosure.Receipt, error) {
	c, err := p.IssueComment(ctx, p.inst, p.e.Repo, p.e.Comment)
	switch {
	case IsGone(err):
		return disclosure.Receipt{}, nil
	case err != nil:
		return disclosure.Receipt{}, err
	case p.e.Expect == nil || mark.Lines(c.GetBody()) != mark.Lines(p.e.Expect.Body.Reveal()):
		return disclosure.Receipt{}, ErrChanged
	}
	err = p.send(ctx, p.inst, urgent, http.MethodDelete, in(p.e.Repo.Owner, p.e.Repo.Name, "issues", "comments", strconv.FormatInt(p.e.Comment, 10)), nil, nil)
	if IsGone(err) {
		err = nil
	}
	return disclosure.Receipt{}, err
}

// react is idempotent on GitHub: the same reaction twice is one.
func (p performer) react(ctx context.Context) (disclosure.Receipt, error) {
	path := in(p.e.Repo.Owner, p.e.Repo.Name, "issues", "comments", strconv.FormatInt(p.e.Comment, 10), "reactions")
	err := p.send(ctx, p.inst, writing, http.MethodPost, path, map[string]string{"content": p.e.Reaction}, nil)
	if IsGone(err) {
		err = nil // the comment was deleted; nobody waits for an answer
	}
	return disclosure.Receipt{}, err
}

// label adds to the labels that are there; GitHub's own call does not replace them. What may have
// been done before is looked for, so that the timeline tells of it once.
func (p performer) label(ctx context.Context) (disclosure.Receipt, error) {
	labels := p.e.Labels
	if p.again {
		i, err := p.Issue(ctx, p.inst, p.e.Repo, p.e.Number)
		if err != nil {
			return disclosure.Receipt{}, err
		}
		labels = slices.DeleteFunc(slices.Clone(labels), func(name string) bool {
			there := slices.ContainsFunc(i.Labels, func(l *github.Label) bool { return strings.EqualFold(l.GetName(), name) })
			return there == (p.e.Action == disclosure.AddLabel)
		})
	}
	if len(labels) == 0 {
		return disclosure.Receipt{}, nil
	}
	if p.e.Action == disclosure.AddLabel {
		return disclosure.Receipt{}, p.send(ctx, p.inst, writing, http.MethodPost, p.issuePath("labels"), map[string][]string{"labels": labels}, nil)
	}
	for _, l := range labels {
		if err := p.send(ctx, p.inst, writing, http.MethodDelete, p.issuePath("labels", l), nil, nil); err != nil && !IsGone(err) {
			return disclosure.Receipt{}, err
		}
	}
	return disclosure.Receipt{}, nil
}

func (p performer) lock(ctx context.Context) (disclosure.Receipt, error) {
	method := http.MethodPut
	if p.e.Action == disclosure.Unlock {
		method = http.MethodDelete
	}
	if p.again {
		i, err := p.Issue(ctx, p.inst, p.e.Repo, p.e.Number)
		if err != nil || i.GetLocked() == (p.e.Action == disclosure.Lock) {
			return disclosure.Receipt{}, err
		}
	}
	return disclosure.Receipt{}, p.send(ctx, p.inst, writing, method, p.issuePath("lock"), nil, nil)
}

package hub

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/heed-app/heed/pkg/disclosure"
)

// IssuesSince lists the issues of a repository that changed in any way since a moment, oldest change
// first, so that what changes meanwhile comes at the end. Pull requests are left out.
func (h *Hub) IssuesSince(ctx context.Context, inst int64, r disclosure.Repo, since time.Time) ([]IssueNotice, error) {
	var out []IssueNotice
	err := changes(since, func(query string) (bool, time.Time, error) {
		var is []*github.Issue
		res, err := h.get(ctx, inst, in(r.Owner, r.Name, "issues")+"?state=all&"+query, &is)
		if err != nil {
			return false, time.Time{}, fmt.Errorf("list issues of %s: %w", r, err)
		}
		var last time.Time
		for _, i := range is {
			if last = i.GetUpdatedAt().Time; !i.IsPullRequest() {
				out = append(out, issueNotice(i))
			}
		}
		return res.NextPage != 0, last, nil
	})
	return once(out, func(i IssueNotice) int64 { return int64(i.Number) }), err
}

// RecentIssues lists the last issues that were opened in a repository, newest first. Pull requests are left out.
func (h *Hub) RecentIssues(ctx context.Context, inst int64, r disclosure.Repo, most int) ([]IssueNotice, error) {
	var out []IssueNotice
	err := pages(func(page int) (int, error) {
		var is []*github.Issue
		res, err := h.get(ctx, inst, in(r.Owner, r.Name, "issues")+fmt.Sprintf("?state=all&sort=created&direction=desc&per_page=100&page=%d", page), &is)
		if err != nil {
			return 0, fmt.Errorf("list issues of %s: %w", r, err)
		}
		for _, i := range is {
			if !i.IsPullRequest() && len(out) < most {
				out = append(out, issueNotice(i))
			}
		}
		if len(out) == most {
			return 0, nil
		}
		return res.NextPage, nil
	})
	return out, err
}

// SaidSince lists the comments on issues and pull requests of a repository that were written or edited since a
// moment. Of the issue only number, address and kind are known.
func (h *Hub) SaidSince(ctx context.Context, inst int64, r disclosure.Repo, since time.Time) ([]Found, error) {
	var out []Found
	err := changes(since, func(query string) (bool, time.Time, error) {
		var cs []*github.IssueComment
		res, err := h.get(ctx, inst, in(r.Owner, r.Name, "issues", "comments")+"?"+query, &cs)
		if err != nil {
			return false, time.Time{}, fmt.Errorf("list comments of %s: %w", r, err)
		}
		var last time.Time
		for _, c := range cs {
			last = c.GetUpdatedAt().Time
			n, err := strconv.Atoi(path.Base(c.GetIssueURL()))
			if err != nil {
				continue
			}
			at, _, _ := strings.Cut(c.GetHTMLURL(), "#")
			out = append(out, Found{
				Event: FoundSaid, Installation: inst, Repo: r,
				About: &IssueNotice{Number: n, URL: at, PullRequest: strings.Contains(at, "/pull/")},
				Said: &CommentNotice{
					ID: c.GetID(), URL: c.GetHTMLURL(), Body: disclosure.Seal(c.GetBody()), Author: person(c.GetUser()),
					Created: c.GetCreatedAt().Time, Updated: c.GetUpdatedAt().Time,
				},
			})
		}
		return res.NextPage != 0, last, nil
	})
	return once(out, func(f Found) int64 { return f.Said.ID }), err
}

// IssueNotice reads one issue as a webhook would show it.
func (h *Hub) IssueNotice(ctx context.Context, inst int64, r disclosure.Repo, n int) (IssueNotice, error) {
	i, err := h.Issue(ctx, inst, r, n)
	if err != nil {
		return IssueNotice{}, err
	}
	return issueNotice(i), nil
}

func pages(read func(page int) (next int, err error)) error {
	for page := 1; page != 0; {
		next, err := read(page)
		if err != nil {
			return err
		}
		page = next
	}
	return nil
}

// changes reads a list by the moment of the last change, oldest first. What changes while it is read moves to
// the end, and moves all behind it forward: the next page would leave somebody out. So each look begins at the last
// moment of the one before; pages are turned only within one second, which is as fine as GitHub counts.
func changes(since time.Time, read func(query string) (more bool, last time.Time, err error)) error {
	for page, more := 1, true; more; {
		query := fmt.Sprintf("sort=updated&direction=asc&since=%s&per_page=100&page=%d", url.QueryEscape(since.UTC().Format(time.RFC3339)), page)
		var last time.Time
		var err error
		if more, last, err = read(query); err != nil {
			return err
		}
		if last = last.Truncate(time.Second); last.After(since) {
			since, page = last, 1
		} else {
			page++
		}
	}
	return nil
}

// once leaves of what came more than once the last.
func once[T any](list []T, id func(T) int64) []T {
	last := map[int64]int{}
	for k, x := range list {
		last[id(x)] = k
	}
	var out []T
	for k, x := range list {
		if last[id(x)] == k {
			out = append(out, x)
		}
	}
	return out
}

func issueNotice(i *github.Issue) IssueNotice {
	return IssueNotice{
		Locked: i.GetLocked(), Labels: labelNames(i),
		Number: i.GetNumber(), URL: i.GetHTMLURL(), Title: disclosure.Seal(i.GetTitle()), Body: disclosure.Seal(i.GetBody()),
		Author: person(i.GetUser()), State: i.GetState(), PullRequest: i.IsPullRequest(), Created: i.GetCreatedAt().Time, Updated: i.GetUpdatedAt().Time,
	}
}

func labelNames(i *github.Issue) (names []string) {
	for _, l := range i.Labels {
		names = append(names, l.GetName())
	}
	return names
}

func person(u *github.User) Person { return Person{Login: u.GetLogin(), Type: u.GetType()} }

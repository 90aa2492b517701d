package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/hub"
)

// open looks at what has no webhook: comments on advisories, and the edit history of issues. It
// begins where the last sweep ended.
func (s *sweeper) open(ctx context.Context) error {
	name := fmt.Sprintf("swept-case/%d", s.inst)
	after, err := s.cursor(ctx, name)
	if err != nil {
		return err
	}
	slices.SortFunc(s.cases, func(a, b disclosure.Case) int { return int(a.ID - b.ID) })
	first := 0
	for first < len(s.cases) && s.cases[first].ID <= after {
		first++
	}
	var errs []error
	for k := range s.cases {
		c := s.cases[(first+k)%len(s.cases)]
		if c.GHSA != "" && c.AdvisoryState != "published" && !s.may() || c.History.Open && !s.may() {
			break
		}
		after = c.ID
		errs = append(errs, s.comments(ctx, c), s.history(ctx, c))
	}
	return errors.Join(append(errs, s.set(ctx, name, strconv.FormatInt(after, 10)))...)
}

// comments takes in what people wrote on an advisory. A maintainer's words are the answer that the
// reporter was promised.
func (s *sweeper) comments(ctx context.Context, c disclosure.Case) error {
	if c.GHSA == "" || c.AdvisoryState == "published" {
		return nil
	}
	list, err := s.Hub.Comments(ctx, s.inst, c.Repo, c.GHSA, c.CommentsSeen)
	if hub.IsGone(err) || err != nil && hub.As(err).Kind == hub.Refused {
		return nil // the preview is not to be had here; the tracker was told when it mattered
	}
	if err != nil {
		return err
	}
	us, err := s.Hub.Login(ctx)
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.By() == us {
			continue
		}
		f := hub.Found{
			Event: hub.FoundComment, GUID: fmt.Sprintf("comment-%d-%s-%d", c.Repo.ID, c.GHSA, m.ID),
			Installation: s.inst, Repo: c.Repo, GHSA: c.GHSA, Comment: &m,
		}
		if err := s.take(ctx, f, "comment"); err != nil {
			return err
		}
	}
	return nil
}

// history looks whether strangers can still read what was taken out of an issue.
func (s *sweeper) history(ctx context.Context, c disclosure.Case) error {
	if !c.History.Open {
		return nil
	}
	open, err := s.Hub.HistoryOpen(ctx, s.inst, c.Repo, c.Issue)
	if err != nil || open {
		return err
	}
	return s.take(ctx, hub.Found{
		Event: hub.FoundHistory, GUID: fmt.Sprintf("history-%d-%d-%d", c.Repo.ID, c.Issue, c.Blanks),
		Installation: s.inst, Repo: c.Repo, Issue: c.Issue,
	}, "history")
}

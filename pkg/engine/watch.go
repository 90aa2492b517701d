package engine

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/hub"
	"github.com/heed-app/heed/pkg/store"
)

// mostLooked bounds how many cases one sweep goes through of one installation, whether they cost calls
// or not. The others come first the next time.
const mostLooked = 1000

// open looks at what has no webhook: comments on advisories, and the edit history of issues. It
// begins where the last sweep ended.
func (s *sweeper) open(ctx context.Context) error {
	name := fmt.Sprintf("swept-case/%d", s.inst)
	after, err := s.cursor(ctx, name)
	if err != nil {
		return err
	}
	var errs []error
	looked := 0
	err = s.cases(ctx, after, func(c disclosure.Case) bool {
		if looked++; looked > mostLooked {
			return false
		}
		if c.GHSA != "" && c.AdvisoryState != "published" && !s.spend(ctx) || c.History.Open && !s.spend(ctx) {
			return false
		}
		after = c.ID
		errs = append(errs, s.comments(ctx, c), s.history(ctx, c))
		return true
	})
	errs = append(errs, err)
	return errors.Join(append(errs, s.set(ctx, name, strconv.FormatInt(after, 10)))...)
}

// cases goes through the cases of the account, from one on and round, until f has enough. They are
// read in portions: there may be very many.
func (s *sweeper) cases(ctx context.Context, after int64, f func(disclosure.Case) bool) error {
	const portion = 100
	for first, round := after, false; ; {
		list, err := s.Store.CasesOf(ctx, s.Account, after, portion)
		if err != nil && !errors.Is(err, store.ErrKey) {
			return err
		}
		for _, c := range list {
			if round && c.ID > first || !f(c) {
				return nil
			}
			after = c.ID
		}
		switch {
		case len(list) == portion:
		case round || first == 0:
			return nil
		default:
			round, after = true, 0
		}
	}
}

// comments takes in what people wrote on an advisory. A maintainer's words are the answer that the
// reporter was promised.
func (s *sweeper) comments(ctx context.Context, c disclosure.Case) error {
	if c.GHSA == "" || c.AdvisoryState == "published" {
		return nil
	}
	list, err := s.Hub.Comments(ctx, s.inst, c.Repo, c.GHSA, c.CommentsSeen)
	if hub.IsFinal(err) {
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
		Event: hub.FoundHistory, GUID: fmt.Sprintf("history-%d-%d-%d", c.Repo.ID, c.Issue, c.Uses["blank"]),
		Installation: s.inst, Repo: c.Repo, Issue: c.Issue,
	}, "history")
}

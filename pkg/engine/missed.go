package engine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/heed-app/heed/pkg/command"
	"github.com/heed-app/heed/pkg/detect"
	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/hub"
	"github.com/heed-app/heed/pkg/store"
)

// What is looked at after an absence. While we are there webhooks tell of issues, and those that
// fail are asked for again; but GitHub sends none of a suspended installation, and has forgotten
// after three days. Issues from before we came are nobody's promise, however long they stand open.
const (
	absence    = 10 * time.Minute // no sweep for so long: we were away
	missWindow = deliveryLog      // what lies further back stays as it is: everybody has read it
	mostMissed = 300              // calls of one sweep; two an issue at most
)

// awake notes that an installation is looked after now, and since when it was not, if it was not.
func (s *sweeper) awake(ctx context.Context) error {
	name := fmt.Sprintf("swept/%d", s.inst)
	before, err := s.moment(ctx, name)
	if err != nil {
		return err
	}
	now := s.Now()
	if !before.IsZero() && now.Sub(before) > max(absence, 3*s.SweepEvery) {
		s.Log.InfoContext(ctx, "nobody was there for a while: looking at what was written meanwhile", "installation", s.inst, "since", before)
		if err := s.missing(ctx, s.inst, before); err != nil {
			return err
		}
	}
	return s.set(ctx, name, stamp(now))
}

// search is how far the look at what was missed has come.
type search struct {
	since time.Time
	after int64 // repository
}

func missedName(inst int64) string { return fmt.Sprintf("missed/%d", inst) }

// missing makes the sweep look at what was written in an installation since a moment.
func (e *Engine) missing(ctx context.Context, inst int64, since time.Time) error {
	if inst == 0 {
		return nil
	}
	known, err := e.searching(ctx, inst)
	if err != nil {
		return err
	}
	if !known.since.IsZero() && known.since.Before(since) {
		since = known.since
	}
	if earliest := e.Now().Add(-missWindow); since.Before(earliest) {
		since = earliest
	}
	return e.search(ctx, inst, search{since: since})
}

func (e *Engine) searching(ctx context.Context, inst int64) (s search, err error) {
	text, err := e.Store.Get(ctx, missedName(inst))
	if err != nil || text == "" {
		return s, err
	}
	var at string
	if _, err := fmt.Sscan(text, &at, &s.after); err != nil {
		return s, err
	}
	s.since, err = time.Parse(time.RFC3339Nano, at)
	return s, err
}

func (e *Engine) search(ctx context.Context, inst int64, s search) error {
	return e.set(ctx, missedName(inst), fmt.Sprint(stamp(s.since), " ", s.after))
}

// missed looks at what was written on issues while nobody was there, one repository after the other,
// and goes on where the last sweep ended.
func (s *sweeper) missed(ctx context.Context) error {
	at, err := s.searching(ctx, s.inst)
	if err != nil || at.since.IsZero() {
		return err
	}
	list, err := s.world.list(ctx, s.inst)
	if err != nil {
		return err
	}
	places := make([]place, 0, len(list))
	for _, r := range list {
		places = append(places, place{r, false})
	}
	trackers := map[disclosure.Repo]bool{{}: true} // no tracker is none to look at
	err = s.cases(ctx, 0, func(c disclosure.Case) bool {
		if !trackers[c.Tracker] {
			trackers[c.Tracker] = true
			places = append(places, place{c.Tracker, true})
		}
		return true
	})
	if err != nil {
		return err
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(a.repo.ID, b.repo.ID) })
	kept := s.left
	s.left = mostMissed
	defer func() { s.left = kept }()
	for _, p := range slices.Compact(places) {
		if p.repo.ID <= at.after {
			continue
		}
		if s.left <= 0 {
			return s.search(ctx, s.inst, at)
		}
		if err := s.missedIn(ctx, p, at.since); err != nil && !hub.IsFinal(err) {
			return errors.Join(err, s.search(ctx, s.inst, at))
		}
		at.after = p.repo.ID
	}
	return s.set(ctx, missedName(s.inst), "")
}

// place is where people write: a public repository, or a tracker.
type place struct {
	repo    disclosure.Repo
	private bool
}

func (s *sweeper) missedIn(ctx context.Context, p place, since time.Time) error {
	us, err := s.Hub.Login(ctx)
	if err != nil {
		return err
	}
	s.spend(ctx)
	issues, err := s.Hub.IssuesSince(ctx, s.inst, p.repo, since)
	if err != nil {
		return err
	}
	for _, i := range issues {
		if err := s.missedIssue(ctx, p, i, us, since); err != nil {
			return err
		}
	}
	// A pull request is no issue here, but what is said on it counts; so the comments are asked for
	// whatever the issues tell.
	s.spend(ctx)
	said, err := s.Hub.SaidSince(ctx, s.inst, p.repo, since)
	if err != nil {
		return err
	}
	for _, f := range said {
		if f.Said.Author.Login == us {
			continue
		}
		if err := s.missedComment(ctx, p, f, since); err != nil {
			return err
		}
	}
	return nil
}

// missedIssue takes in an issue that was opened or edited since. GitHub's list calls every label and
// every comment a change, so it is asked for the last edit where that decides.
func (s *sweeper) missedIssue(ctx context.Context, p place, i hub.IssueNotice, us string, since time.Time) error {
	f := hub.Found{
		Event: hub.FoundIssue, Installation: s.inst, Repo: p.repo, Private: p.private, Action: "opened", Sender: i.Author, About: &i,
		GUID: fmt.Sprintf("issue-%d-%d-%s", p.repo.ID, i.Number, sum(i.Title, i.Body)),
	}
	known, err := s.Store.Known(ctx, f.GUID)
	if err != nil {
		return err
	}
	c, err := s.caseOf(ctx, disclosure.RefIssue(p.repo.ID, i.Number))
	if err != nil {
		return err
	}
	if known && (c.Blanks == 0 || c.Notice.Body == i.Body) { // else the same words may have been put back
		return nil
	}
	if c.ID != 0 || i.Created.Before(since) {
		if c.ID == 0 && (p.private || ordinary(detect.Read(i.Title.Reveal(), i.Body.Reveal()))) {
			return nil
		}
		s.spend(ctx)
		at, by, err := s.Hub.LastEdit(ctx, s.inst, p.repo, i.Number)
		if err != nil || at.Before(since) || by.Login == us {
			return err
		}
		f.Action, f.Sender = "edited", by
		f.GUID += fmt.Sprintf("-%d", at.Unix())
	}
	return s.take(ctx, f, "issue")
}

// missedComment takes in a comment that was written or edited since, if anything could follow.
func (s *sweeper) missedComment(ctx context.Context, p place, f hub.Found, since time.Time) error {
	c := f.Said
	f.Private, f.Sender, f.Action = p.private, c.Author, "created"
	if c.Created.Before(since) || c.Updated.After(c.Created) {
		f.Action = "edited" // by whom is not known: nobody commands with it
	}
	commands := f.Action == "created" && len(command.Parse(c.Body.Reveal(), command.Tracker)) > 0
	if !commands && (p.private || ordinary(detect.Read("", c.Body.Reveal()))) {
		return nil
	}
	f.GUID = fmt.Sprintf("said-%d-%d-%s", p.repo.ID, c.ID, sum(c.Body))
	if !commands { // the same words may be put there a second time
		f.GUID += fmt.Sprintf("-%d", c.Updated.Unix())
	}
	known, err := s.Store.Known(ctx, f.GUID)
	if err != nil || known {
		return err
	}
	if commands { // they need to know on what
		s.spend(ctx)
		i, err := s.Hub.IssueNotice(ctx, s.inst, p.repo, f.About.Number)
		if err != nil {
			return err
		}
		f.About = &i
	}
	return s.take(ctx, f, "comment")
}

// sum changes with a text.
func sum(texts ...disclosure.Embargoed) string {
	h := sha256.New()
	for _, t := range texts {
		fmt.Fprintf(h, "%d %s", len(t.Reveal()), t.Reveal())
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// obeyed reports whether the commands of a comment were taken up before. Which of two thoughts comes first, flow
// sees to; this saves calls, and looks where older versions wrote it.
func (e *Engine) obeyed(ctx context.Context, n hub.Notice) (bool, error) {
	for _, ref := range []disclosure.Ref{
		disclosure.RefIssue(n.Repo.ID, n.Issue.Number), disclosure.RefErrand(n.Repo.ID, n.Comment.ID), disclosure.RefHeld(n.Repo.ID, n.Issue.Number),
	} {
		c, err := e.caseOf(ctx, ref)
		if c.ID == 0 && err == nil {
			continue
		}
		if known := slices.Contains(c.Obeyed, n.Comment.ID); known || err != nil {
			return known, err
		}
		records, err := e.Store.Records(ctx, c.ID)
		if err != nil {
			return false, err
		}
		reaction := fmt.Sprintf(":react:%d:", n.Comment.ID)
		if slices.ContainsFunc(records, func(r store.Record) bool { return strings.Contains(r.Key, reaction) }) {
			return true, nil
		}
	}
	return false, nil
}

package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/hub"
	"github.com/heed-app/heed/pkg/store"
)

// GitHub keeps its log of deliveries for three days. Source: GitHub's documentation.
const deliveryLog = 72 * time.Hour

// sweepOverlap is how far a sweep looks back behind the one before: clocks differ, and an attempt
// that was asked for may have failed again.
const sweepOverlap = time.Hour

// mostReads bounds what one sweep reads of one installation, so that watching never uses up the
// calls that acting needs. What is left out comes first the next time.
const mostReads = 60

// mostRequests is how often GitHub is asked to repeat the same delivery.
const mostRequests = 20

// Sweep compares GitHub with what we know. What it finds becomes the same events as webhooks, and
// goes the same way from there. One part that fails does not keep the others from being looked at.
func (e *Engine) Sweep(ctx context.Context) error {
	err := errors.Join(e.sweepDeliveries(ctx), e.sweepInstallations(ctx))
	if err != nil {
		e.Log.WarnContext(ctx, "sweep", "err", err)
	}
	return nil // the next one comes anyway
}

// sweepDeliveries asks GitHub to repeat what never arrived. It does not do so by itself.
func (e *Engine) sweepDeliveries(ctx context.Context) error {
	now := e.Now()
	since := now.Add(-deliveryLog)
	last, err := e.Store.Get(ctx, "swept-deliveries")
	if err != nil {
		return err
	}
	if at, err := time.Parse(time.RFC3339, last); err == nil && at.Add(-sweepOverlap).After(since) {
		since = at.Add(-sweepOverlap)
	}
	failed, err := e.Hub.FailedDeliveries(ctx, since)
	if err != nil {
		return err
	}
	for guid, id := range failed {
		known, err := e.Store.Known(ctx, guid)
		if err != nil {
			return err
		}
		// It is on disk, and only the answer was late; or the door will never take it.
		if e.asked[guid]++; known || e.asked[guid] > mostRequests {
			continue
		}
		if err := e.Hub.Redeliver(ctx, id); err != nil {
			return err
		}
		e.stats.found("delivery")
		e.Log.InfoContext(ctx, "asked GitHub to repeat a delivery", "delivery", guid)
	}
	return e.Store.Write(ctx, now, func(tx *store.Tx) error { return tx.Set(ctx, "swept-deliveries", now.UTC().Format(time.RFC3339)) })
}

func (e *Engine) sweepInstallations(ctx context.Context) error {
	list, err := e.Hub.Installations(ctx)
	if err != nil {
		return err
	}
	cases, err := e.Store.Cases(ctx, false)
	if err != nil {
		return err
	}
	var errs []error
	for _, i := range list {
		if i.Suspended || len(i.Permissions) > 0 && i.Permissions["repository_advisories"] == "" {
			continue // without the permission GitHub answers with an empty list
		}
		s := sweeper{Engine: e, inst: i.ID, left: mostReads}
		for _, c := range cases {
			if strings.EqualFold(c.Repo.Owner, i.Account) {
				s.cases = append(s.cases, c)
			}
		}
		errs = append(errs, s.open(ctx), s.repos(ctx))
	}
	return errors.Join(errs...)
}

// sweeper is one sweep of one installation.
type sweeper struct {
	*Engine
	inst  int64
	cases []disclosure.Case
	left  int // calls it may still make
}

func (s *sweeper) may() bool {
	s.left--
	return s.left >= 0
}

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
	return errors.Join(append(errs, s.Store.Write(ctx, s.Now(), func(tx *store.Tx) error { return tx.Set(ctx, name, strconv.FormatInt(after, 10)) }))...)
}

func (s *sweeper) cursor(ctx context.Context, name string) (int64, error) {
	text, err := s.Store.Get(ctx, name)
	if err != nil || text == "" {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
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

// repos looks for advisories that changed: most of what happens to them sends no webhook.
func (s *sweeper) repos(ctx context.Context) error {
	list, err := s.world.list(ctx, s.inst)
	if err != nil { // those with open cases at least
		s.Log.WarnContext(ctx, "cannot list repositories", "err", err)
		for _, c := range s.cases {
			if c.Repo.ID != 0 && !slices.Contains(list, c.Repo) {
				list = append(list, c.Repo)
			}
		}
	}
	name := fmt.Sprintf("swept-repo/%d", s.inst)
	at, err := s.cursor(ctx, name)
	if err != nil {
		return err
	}
	if s.left <= 0 {
		s.left = mostReads / 4 // however many cases there are, repositories get their turn
	}
	var errs []error
	next := at
	for k := range list {
		i := (int(at) + k) % len(list)
		if !s.may() {
			break
		}
		next = int64(i + 1)
		errs = append(errs, s.advisories(ctx, list[i]))
	}
	return errors.Join(append(errs, s.Store.Write(ctx, s.Now(), func(tx *store.Tx) error { return tx.Set(ctx, name, strconv.FormatInt(next, 10)) }))...)
}

// advisories takes in what changed since the last look at a repository.
func (s *sweeper) advisories(ctx context.Context, r disclosure.Repo) error {
	name := fmt.Sprintf("advisories/%d", r.ID)
	text, err := s.Store.Get(ctx, name)
	if err != nil {
		return err
	}
	since, _ := time.Parse(time.RFC3339Nano, text) // never looked: all of them
	list, err := s.Hub.Advisories(ctx, s.inst, r, since)
	if hub.IsGone(err) {
		return nil // private or archived meanwhile
	}
	if err != nil || len(list) == 0 {
		return err
	}
	for _, a := range list {
		if since.IsZero() && a.State != "triage" && a.State != "draft" {
			// What was published or closed before we came is nobody's promise.
			if _, err := s.Store.CaseByRef(ctx, disclosure.RefAdvisory(r.ID, a.GHSA)); errors.Is(err, store.ErrNotFound) {
				continue
			}
		}
		f := hub.Found{
			Event: hub.FoundAdvisory, GUID: fmt.Sprintf("advisory-%d-%s-%s", r.ID, a.GHSA, fingerprint(a)),
			Installation: s.inst, Repo: r, GHSA: a.GHSA,
		}
		if err := s.take(ctx, f, "advisory"); err != nil {
			return err
		}
	}
	mark := list[0].Updated.UTC().Format(time.RFC3339Nano)
	return s.Store.Write(ctx, s.Now(), func(tx *store.Tx) error { return tx.Set(ctx, name, mark) })
}

// fingerprint changes with everything about an advisory that matters here. Its time alone would
// not do: GitHub's are whole seconds.
func fingerprint(a hub.Advisory) string {
	h := sha256.New()
	fmt.Fprintln(h, a.Updated.Unix(), a.State, a.CVE, a.Severity, a.Submission != nil && a.Submission.Accepted)
	for _, c := range a.Credits {
		fmt.Fprintln(h, c.User.Login, c.State)
	}
	for _, v := range a.Vulnerabilities {
		fmt.Fprintln(h, v.Patched)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// take makes what was found a delivery like any other.
func (s *sweeper) take(ctx context.Context, f hub.Found, what string) error {
	known, err := s.Store.Known(ctx, f.GUID)
	if err != nil || known {
		return err
	}
	s.stats.found(what)
	s.Log.InfoContext(ctx, "the sweep found something", "what", what, "repo", f.Repo.String(), "delivery", f.GUID)
	now := s.Now()
	return s.Store.Accept(ctx, now, store.Delivery{GUID: f.GUID, Event: f.Event, Received: now, Body: f.Payload()})
}

// list returns the repositories of an installation that can have advisories.
func (w *worldCache) list(ctx context.Context, inst int64) ([]disclosure.Repo, error) {
	w.mu.Lock()
	known, ok := w.repos[inst]
	w.mu.Unlock()
	now := w.e.Now()
	if ok && now.Sub(known.at) < factAge {
		return known.value, nil
	}
	list, err := w.e.Hub.Repos(ctx, inst)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b disclosure.Repo) int { return int(a.ID - b.ID) })
	w.mu.Lock()
	w.repos[inst] = fact[[]disclosure.Repo]{list, now}
	w.mu.Unlock()
	return list, nil
}

func unique(in []string) []string {
	slices.Sort(in)
	return slices.Compact(in)
}

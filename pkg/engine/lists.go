package engine

import (
	"cmp"
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

// How the lists of advisories are looked at.
const (
	// listLag is how far a list is read behind what was newest before: GitHub answers from copies,
	// and one may be a little behind. What was seen is known by its GUID.
	listLag = 5 * time.Minute
	// orgAgain is when an organisation's list that was refused is asked for again.
	orgAgain = time.Hour
	// netAge is how often each repository is looked at by itself although its organisation's list
	// tells of it. Nobody promises that the list is complete.
	netAge = 24 * time.Hour
	// listAge is how long the list of repositories is believed: GitHub tells of every change, and
	// ten thousand of them are a hundred calls.
	listAge = time.Hour
)

// repos looks for advisories that changed: most of what happens to them sends no webhook. Where the
// organisation's list is to be had, one call tells of all repositories.
func (s *sweeper) repos(ctx context.Context) error {
	list, err := s.world.list(ctx, s.inst)
	if err != nil { // those with open cases at least
		s.Log.WarnContext(ctx, "cannot list repositories", "err", err)
		err := s.cases(ctx, 0, func(c disclosure.Case) bool {
			if c.Repo.ID != 0 && !slices.Contains(list, c.Repo) {
				list = append(list, c.Repo)
			}
			return true
		})
		if err != nil {
			return err
		}
	}
	if s.left <= 0 {
		s.left = mostReads / 4 // however many cases there are, repositories get their turn
	}
	listed, err := s.org(ctx, list)
	if err != nil {
		return err
	}
	if listed {
		return s.net(ctx, list)
	}
	name := fmt.Sprintf("swept-repo/%d", s.inst)
	after, err := s.cursor(ctx, name)
	if err != nil {
		return err
	}
	first, _ := slices.BinarySearchFunc(list, after+1, func(r disclosure.Repo, id int64) int { return cmp.Compare(r.ID, id) })
	var errs []error
	for k := range list {
		r := list[(first+k)%len(list)]
		if !s.spend(ctx) {
			break
		}
		after = r.ID
		errs = append(errs, s.advisories(ctx, r))
	}
	return errors.Join(append(errs, s.set(ctx, name, strconv.FormatInt(after, 10)))...)
}

// org takes in what the organisation's list tells. It is not to be had for people's own accounts,
// and wants the right to write. Source: facts/github.md 2.1.
func (s *sweeper) org(ctx context.Context, repos []disclosure.Repo) (listed bool, err error) {
	if !s.Org || s.Permissions["repository_advisories"] != "write" || s.Now().Before(s.world.noOrg[s.inst]) {
		return false, nil
	}
	name := fmt.Sprintf("advisories-of/%d", s.inst)
	newest, err := s.moment(ctx, name)
	if err != nil {
		return false, err
	}
	list, err := s.Hub.OrgAdvisories(ctx, s.inst, s.Account, behind(newest))
	if hub.IsFinal(err) {
		s.Log.InfoContext(ctx, "the organisation's list of advisories is not to be had", "installation", s.inst, "err", err)
		s.world.noOrg[s.inst] = s.Now().Add(orgAgain)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	ours := make(map[string]disclosure.Repo, len(repos))
	for _, r := range repos {
		ours[strings.ToLower(r.String())] = r
	}
	for _, a := range list {
		owner, repo := a.Of()
		r, here := ours[strings.ToLower(owner+"/"+repo)]
		if !here {
			continue // the App is not installed there
		}
		if err := s.advisory(ctx, r, a, newest); err != nil {
			return false, err
		}
	}
	if newest.IsZero() {
		err = s.cover(ctx, repos)
	}
	if err != nil || len(list) == 0 || list[0].Updated.Equal(newest) {
		return err == nil, err
	}
	return true, s.set(ctx, name, stamp(list[0].Updated))
}

// net looks at single repositories beside the organisation's list: those that joined since, whose
// advisories may be older than what was newest there, and each once a day.
func (s *sweeper) net(ctx context.Context, list []disclosure.Repo) error {
	text, err := s.Store.Get(ctx, s.covered())
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for id := range strings.FieldsSeq(text) {
		known[id] = true
	}
	var look, old []disclosure.Repo
	for _, r := range list {
		if known[strconv.FormatInt(r.ID, 10)] {
			old = append(old, r)
		} else {
			look = append(look, r)
		}
	}
	joined := len(look)
	var errs []error
	name, now := fmt.Sprintf("netted/%d", s.inst), s.Now()
	before, err := s.moment(ctx, name)
	if err != nil {
		return err
	}
	for i, r := range append(look, daily(old, before, now)...) {
		if !s.spend(ctx) {
			break
		}
		err := s.advisories(ctx, r)
		if errs = append(errs, err); err == nil && i < joined {
			old = append(old, r)
		}
	}
	errs = append(errs, s.set(ctx, name, stamp(now)))
	if joined > 0 || len(known) > len(old) {
		errs = append(errs, s.cover(ctx, old))
	}
	return errors.Join(errs...)
}

func (s *sweeper) covered() string { return fmt.Sprintf("covered/%d", s.inst) }

// cover writes down of which repositories the organisation's list has told from the beginning.
func (s *sweeper) cover(ctx context.Context, list []disclosure.Repo) error {
	var b strings.Builder
	for _, r := range list {
		fmt.Fprintln(&b, r.ID)
	}
	return s.set(ctx, s.covered(), b.String())
}

// daily is the part of a list whose turn came between two moments, when each has one a day.
func daily(list []disclosure.Repo, from, to time.Time) []disclosure.Repo {
	if len(list) == 0 || to.Sub(from) >= netAge {
		return list
	}
	at := func(t time.Time) int {
		return int(t.Unix() % int64(netAge/time.Second) * int64(len(list)) / int64(netAge/time.Second))
	}
	a, b := at(from), at(to)
	if a <= b {
		return list[a:b]
	}
	return append(slices.Clone(list[a:]), list[:b]...) // midnight lies between
}

// advisories takes in what changed since the last look at a repository.
func (s *sweeper) advisories(ctx context.Context, r disclosure.Repo) error {
	name := fmt.Sprintf("advisories/%d", r.ID)
	newest, err := s.moment(ctx, name)
	if err != nil {
		return err
	}
	list, err := s.Hub.Advisories(ctx, s.inst, r, behind(newest))
	if hub.IsFinal(err) {
		return nil // private, deleted or blocked meanwhile; the others must be looked at
	}
	if err != nil || len(list) == 0 {
		return err
	}
	for _, a := range list {
		if err := s.advisory(ctx, r, a, newest); err != nil {
			return err
		}
	}
	if list[0].Updated.Equal(newest) {
		return nil
	}
	return s.set(ctx, name, stamp(list[0].Updated))
}

// behind is from when on a list is read; zero if it was never looked at.
func behind(newest time.Time) time.Time {
	if newest.IsZero() {
		return newest
	}
	return newest.Add(-listLag)
}

// advisory takes in one advisory of a list; newest is zero when it is looked at for the first time.
func (s *sweeper) advisory(ctx context.Context, r disclosure.Repo, a hub.Advisory, newest time.Time) error {
	if newest.IsZero() && a.State != "triage" && a.State != "draft" {
		// What was published or closed before we came is nobody's promise.
		if _, err := s.Store.CaseByRef(ctx, disclosure.RefAdvisory(r.ID, a.GHSA)); errors.Is(err, store.ErrNotFound) {
			return nil
		}
	}
	return s.take(ctx, hub.Found{
		Event: hub.FoundAdvisory, GUID: fmt.Sprintf("advisory-%d-%s-%s", r.ID, a.GHSA, fingerprint(a)),
		Installation: s.inst, Repo: r, GHSA: a.GHSA,
	}, "advisory")
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

// list returns the repositories of an installation that can have advisories.
func (w *worldCache) list(ctx context.Context, inst int64) ([]disclosure.Repo, error) {
	w.mu.Lock()
	known, ok := w.repos[inst]
	changed := !known.at.After(w.changed)
	w.mu.Unlock()
	now := w.e.Now()
	if age := now.Sub(known.at); ok && (age < factAge || age < listAge && !changed) {
		return known.value, nil
	}
	list, err := w.e.Hub.Repos(ctx, inst)
	if err != nil {
		return known.value, err
	}
	slices.SortFunc(list, func(a, b disclosure.Repo) int { return cmp.Compare(a.ID, b.ID) })
	w.mu.Lock()
	w.repos[inst] = fact[[]disclosure.Repo]{list, now}
	w.mu.Unlock()
	return list, nil
}

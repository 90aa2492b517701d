package engine

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/flow"
	"github.com/heed-app/heed/pkg/hub"
	"github.com/heed-app/heed/pkg/policy"
	"github.com/heed-app/heed/pkg/wording"
)

// How long answers of GitHub are believed. Policies are refreshed by push; the age is for pushes
// that were missed.
const (
	policyAge = time.Hour
	factAge   = 5 * time.Minute
	momentAge = 10 * time.Second // of what was asked for the very thought that is now carried out
)

// fact is an answer that is believed for a while.
type fact[T any] struct {
	value T
	at    time.Time
}

// patience bounds how often strangers' commands are answered: each answer costs calls.
type patience struct {
	mu    sync.Mutex
	since time.Time
	seen  map[string]int
}

const mostAnswers = 10 // an hour and person

func (p *patience) allows(login string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil || now.Sub(p.since) > time.Hour {
		p.since, p.seen = now, map[string]int{}
	}
	p.seen[login]++
	return p.seen[login] <= mostAnswers
}

type trackerFact struct {
	repo    disclosure.Repo
	trouble string
}

// worldCache holds what is true besides the cases. Everything in it can be asked again.
type worldCache struct {
	e *Engine

	mu       sync.Mutex
	policies map[int64]*inForce
	pvr      map[int64]fact[bool]
	trackers map[string]fact[trackerFact]
	homes    map[string]fact[int64] // by owner
	repos    map[int64]fact[[]disclosure.Repo]
	changed  time.Time           // when something changed about repositories
	noOrg    map[int64]time.Time // until when an organisation's list is not asked for; only the sweep uses it
}

func newWorldCache(e *Engine) *worldCache {
	w := &worldCache{e: e, homes: map[string]fact[int64]{}, repos: map[int64]fact[[]disclosure.Repo]{}, noOrg: map[int64]time.Time{}}
	w.forget()
	return w
}

// forget drops policies, trackers and switches: something changed about repositories or installations. The lists of
// repositories are only doubted: in a large organisation something changes all the time.
func (w *worldCache) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.policies, w.pvr = map[int64]*inForce{}, map[int64]fact[bool]{}
	w.trackers, w.changed = map[string]fact[trackerFact]{}, w.e.Now()
}

// home is the number under which the App is installed on a repository's owner now; 0 if it is not, or cannot
// be asked. It is asked once a minute, however many deliveries wait for it.
func (w *worldCache) home(ctx context.Context, r disclosure.Repo) int64 {
	now, owner := w.e.Now(), strings.ToLower(r.Owner)
	w.mu.Lock()
	known, ok := w.homes[owner]
	fresh := ok && now.Sub(known.at) < time.Minute
	if !fresh {
		w.homes[owner] = fact[int64]{known.value, now} // who comes while it is asked gets the old answer
	}
	w.mu.Unlock()
	if fresh {
		return known.value
	}
	n, err := w.e.Hub.InstallationOf(ctx, r)
	if err != nil {
		n = 0
	}
	w.mu.Lock()
	w.homes[owner] = fact[int64]{n, now}
	w.mu.Unlock()
	return n
}

// tracker looks at the tracker of a policy: it must be there, belong to the same owner, and be
// private. Anything else is told to operators, and nothing is written to it.
func (w *worldCache) tracker(ctx context.Context, inst int64, owner, name string) (trackerFact, error) {
	return w.trackerSince(ctx, inst, owner, name, factAge)
}

// trackerNow is for the moment before something is written there.
func (w *worldCache) trackerNow(ctx context.Context, inst int64, owner, name string) (trackerFact, error) {
	return w.trackerSince(ctx, inst, owner, name, momentAge)
}

func (w *worldCache) trackerSince(ctx context.Context, inst int64, owner, name string, age time.Duration) (trackerFact, error) {
	if name == "" {
		return trackerFact{}, nil
	}
	key := fmt.Sprintf("%d/%s", inst, strings.ToLower(name))
	w.mu.Lock()
	known, ok := w.trackers[key]
	w.mu.Unlock()
	now := w.e.Now()
	if ok && now.Sub(known.at) < age {
		return known.value, nil
	}
	o, n, _ := strings.Cut(name, "/")
	var t trackerFact
	if !strings.EqualFold(o, owner) {
		t.trouble = fmt.Sprintf("the tracker %s belongs to another owner", name)
	} else {
		repo, private, err := w.e.Hub.Private(ctx, inst, o, n)
		switch {
		case err == nil && private:
			t.repo = repo
		case err == nil:
			t.trouble = fmt.Sprintf("the tracker %s is not private: nothing is written to it", name)
		case hub.IsFinal(err):
			t.trouble = fmt.Sprintf("the tracker %s is missing, or the App may not see it", name)
		case ok && age > momentAge:
			return known.value, nil
		default:
			return t, err
		}
	}
	if t.trouble != "" {
		w.e.Log.ErrorContext(ctx, "unusable tracker", "trouble", t.trouble)
	}
	w.mu.Lock()
	w.trackers[key] = fact[trackerFact]{t, now}
	w.mu.Unlock()
	return t, nil
}

func (w *worldCache) privateReporting(ctx context.Context, inst int64, r disclosure.Repo) (bool, error) {
	w.mu.Lock()
	known, ok := w.pvr[r.ID]
	w.mu.Unlock()
	now := w.e.Now()
	if ok && now.Sub(known.at) < factAge {
		return known.value, nil
	}
	on, err := w.e.Hub.PVR(ctx, inst, r)
	if err != nil {
		if ok {
			return known.value, nil
		}
		return false, err
	}
	w.mu.Lock()
	w.pvr[r.ID] = fact[bool]{on, now}
	w.mu.Unlock()
	return on, nil
}

// Troubles lists what is wrong with trackers and policies, for operators.
func (e *Engine) Troubles() []string {
	w := e.world
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, t := range w.trackers {
		if t.value.trouble != "" {
			out = append(out, t.value.trouble)
		}
	}
	for _, p := range w.policies {
		switch {
		case p.mistakes != "":
			out = append(out, "the policy "+fileOf(p.source)+" has mistakes")
		case p.Tracker == "" && p.source == "":
			out = append(out, "the built-in policy names no tracker: reminders go to the advisories")
		case p.Tracker == "":
			out = append(out, "the policy "+fileOf(p.source)+" names no tracker: reminders go to the advisories")
		}
	}
	return unique(out)
}

// wants says which facts a thought needs besides the policy.
type wants struct{ pvr, tags bool }

// look builds the world around an event: the policy in force and what GitHub says now.
func (e *Engine) look(ctx context.Context, inst int64, r disclosure.Repo, want wants) (flow.World, error) {
	p, err := e.world.policy(ctx, inst, r)
	if err != nil {
		return flow.World{}, err
	}
	w := e.around(inst, p)
	t, err := e.world.tracker(ctx, inst, r.Owner, p.Tracker)
	if err != nil {
		return w, err
	}
	w.Tracker, w.Trouble = t.repo, t.trouble
	if want.pvr {
		if w.PVR, err = e.world.privateReporting(ctx, inst, r); err != nil {
			return w, err
		}
	}
	if want.tags {
		if w.Tags, err = e.Hub.Tags(ctx, inst, r); err != nil {
			return w, err
		}
	}
	return w, nil
}

func (e *Engine) around(inst int64, p *inForce) flow.World {
	secret := e.installationSecret(inst)
	return flow.World{
		Now: e.Now(), Policy: p.Policy, Secret: secret, WebURL: e.Hub.WebURL(),
		Words: wording.Words{Secret: secret, Custom: p.texts},
	}
}

// known is the world as far as it is known without asking GitHub: the clock must speak while
// GitHub is down.
func (e *Engine) known(inst int64, r disclosure.Repo) flow.World {
	e.world.mu.Lock()
	defer e.world.mu.Unlock()
	p := e.world.policies[r.ID]
	if p == nil {
		p = &inForce{Policy: policy.Default()}
	}
	w := e.around(inst, p)
	w.PVR = e.world.pvr[r.ID].value
	t := e.world.trackers[fmt.Sprintf("%d/%s", inst, strings.ToLower(p.Tracker))].value
	w.Tracker, w.Trouble = t.repo, t.trouble
	return w
}

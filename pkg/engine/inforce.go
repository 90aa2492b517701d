package engine

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/hub"
	"github.com/heed-app/heed/pkg/policy"
	"github.com/heed-app/heed/pkg/store"
)

// inForce is the policy that counts for a repository, with what was wrong with its file.
type inForce struct {
	policy.Policy
	texts    map[string]string
	mistakes string
	source   string // "owner/name@ref/path" of the file, "" when built in
	tracker  string // where mistakes are told: also a broken file may name it
	read     time.Time
	pushes   string // what was known of pushes when it was read
}

// pushes is the setting that changes, and never comes back, with every push that touches a policy. What was read
// before, by whatever process, is read again.
const pushes = "policy-pushes"

// forgetPolicies makes every process read the policies again: a push touched a file.
func (w *worldCache) forgetPolicies(ctx context.Context) error {
	w.mu.Lock()
	w.trackers = map[string]fact[trackerFact]{}
	w.mu.Unlock()
	return w.e.set(ctx, pushes, rand.Text())
}

// policy returns what is in force for a repository. While GitHub cannot be read, the last known
// one stays in force; without one the error is returned and thinking waits.
func (w *worldCache) policy(ctx context.Context, inst int64, r disclosure.Repo) (*inForce, error) {
	w.mu.Lock()
	known := w.policies[r.ID]
	w.mu.Unlock()
	now := w.e.Now()
	pushed, err := w.e.Store.Get(ctx, pushes) // before it is read: a push that crosses the reading makes it old
	if err != nil {
		return nil, err
	}
	if known != nil && known.pushes == pushed && now.Sub(known.read) < policyAge {
		return known, nil
	}
	text, source, err := w.e.Hub.Policy(ctx, inst, r)
	withheld := errors.Is(err, hub.ErrWithheld)
	if withheld {
		err = nil
	}
	switch {
	case err != nil && known != nil:
		return known, nil
	case err != nil && hub.As(err).Kind == hub.Refused:
		// Without the right to read it there is no policy but the built-in: protection stays on.
		w.e.Log.ErrorContext(ctx, "the policy cannot be read", "repo", r.String(), "err", err)
		text, source = nil, ""
	case err != nil:
		return nil, err
	}
	p, err := w.read(ctx, inst, r, text, source, withheld)
	if err != nil && known != nil {
		return known, nil
	}
	if err != nil {
		return nil, err
	}
	p.read, p.pushes = now, pushed
	w.mu.Lock()
	w.policies[r.ID] = p
	w.mu.Unlock()
	return p, nil
}

// read makes sense of a policy file. One with mistakes does not come into force: the last good
// one stays, or the built-in.
func (w *worldCache) read(ctx context.Context, inst int64, r disclosure.Repo, text []byte, source string, withheld bool) (*inForce, error) {
	if source == "" {
		return &inForce{Policy: policy.Default()}, nil
	}
	name := "policy/" + source
	parsed, mistakes := policy.Parse(fileOf(source), text)
	p := &inForce{Policy: parsed, source: source, tracker: parsed.Tracker}
	now := w.e.Now()
	if len(mistakes) > 0 || withheld {
		var lines []string
		for _, m := range mistakes {
			lines = append(lines, m.String())
		}
		if withheld {
			lines = []string{fileOf(source) + ": it is over 1 MB, and GitHub does not give it out"}
		}
		p.mistakes = strings.Join(lines, "\n")
		last, err := w.e.Store.Get(ctx, name)
		if err != nil {
			return nil, err
		}
		p.Policy = policy.Default()
		if last != "" {
			good, _ := policy.Parse(fileOf(source), []byte(last))
			p.Policy, p.tracker = good, good.Tracker
		}
		return p, w.tellMistakes(ctx, now, inst, r, p)
	}
	last, err := w.e.Store.Get(ctx, name)
	if err == nil && last != string(text) {
		err = w.e.Store.Write(ctx, now, func(tx *store.Tx) error { return tx.Set(ctx, name, string(text)) })
	}
	if err != nil {
		return nil, err
	}
	return p, w.readTexts(ctx, inst, r, p)
}

// readTexts reads the project's own wording. A text that is not there is left to ours.
func (w *worldCache) readTexts(ctx context.Context, inst int64, r disclosure.Repo, p *inForce) error {
	for name, path := range p.Wording {
		text, err := w.e.Hub.File(ctx, inst, r, path)
		if err != nil && !hub.IsFinal(err) {
			return err
		}
		if err != nil { // ours will do
			w.e.Log.WarnContext(ctx, "a text of the project cannot be read", "repo", r.String(), "path", path, "err", err)
		}
		if p.texts == nil {
			p.texts = map[string]string{}
		}
		p.texts[name] = text
	}
	return nil
}

// tellMistakes makes the mistakes of a file something that happened, once for each set of them.
func (w *worldCache) tellMistakes(ctx context.Context, now time.Time, inst int64, r disclosure.Repo, p *inForce) error {
	sum := sha256.Sum256([]byte(p.source + "\n" + p.mistakes))
	f := hub.Found{Event: hub.FoundPolicy, GUID: "policy-" + hex.EncodeToString(sum[:12]), Installation: inst, Repo: r}
	return w.e.Store.Accept(ctx, now, store.Delivery{GUID: f.GUID, Event: f.Event, Received: now, Body: f.Payload()})
}

// fileOf is the path part of a source, with the repository in front: what people look for.
func fileOf(source string) string {
	repo, path, ok := strings.Cut(source, "@")
	if !ok {
		return strings.Replace(source, "//", "/", 1)
	}
	_, path, _ = strings.Cut(path, "/")
	return repo + "/" + path
}

// repoOf is the repository part of a source.
func repoOf(source string) disclosure.Repo {
	owner, rest, _ := strings.Cut(source, "/")
	name, _, _ := strings.Cut(rest, "@")
	name, _, _ = strings.Cut(name, "/")
	return disclosure.Repo{Owner: owner, Name: name}
}

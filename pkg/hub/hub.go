// Package hub is the only one who speaks to GitHub: it decodes what GitHub sends, reads what is
// true there, and performs effects. Everything that can go wrong is classified in one place.
package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-github/v60/github"
	"github.com/palantir/go-githubapp/appconfig"
	"github.com/palantir/go-githubapp/githubapp"
)

// Config is what the App needs to speak to GitHub.
type Config struct {
	AppID      int64
	PrivateKey []byte // PEM
	V3URL      string // as given: root or …/api/v3/
	V4URL      string // the GraphQL endpoint
	WebURL     string
	Transport  http.RoundTripper // nil: http.DefaultTransport
	Now        func() time.Time
	Log        *slog.Logger

	// Bans is how the processes that work for one App tell each other what GitHub told one of them. May be nil.
	Bans Bans

	// Observe is told about every call that was made: its kind (read, write, create, urgent), what came
	// of it (ok, unauthorized, or a TroubleKind) and how long GitHub took. May be nil.
	Observe func(kind, outcome string, took time.Duration)
}

// Bans keeps until when an installation may make no calls, for all processes.
type Bans interface {
	Ban(ctx context.Context, now time.Time, installation int64, until time.Time) error
	Banned(ctx context.Context, installation int64) (until time.Time, err error)
}

// callTimeout ends a call that GitHub does not answer. GitHub itself gives up after 10 s.
const callTimeout = 20 * time.Second

// Hub is the App as GitHub sees it. It is safe for concurrent use.
type Hub struct {
	config Config
	memory *memory
	loader *appconfig.Loader

	share   atomic.Int64 // processes that work for the same App
	mu      sync.Mutex
	slug    string
	gates   map[int64]*gate
	clients map[int64]*github.Client // by installation; the App's own under appGate
}

// New checks the credentials' form; whether GitHub accepts them is for App to find out.
func New(c Config) (*Hub, error) {
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	if c.Observe == nil {
		c.Observe = func(string, string, time.Duration) {}
	}
	for name, u := range map[string]string{"API": c.V3URL, "GraphQL": c.V4URL, "web": c.WebURL} {
		if p, err := url.Parse(u); err != nil || p.Host == "" {
			return nil, fmt.Errorf("GitHub's %s URL %q is not a URL", name, u)
		}
	}
	h := &Hub{
		config: c, memory: newMemory(mostRemembered), gates: map[int64]*gate{}, clients: map[int64]*github.Client{},
		// A repository must not point at files of others: remote references stay off.
		loader: appconfig.NewLoader([]string{PolicyPath}, appconfig.WithRemoteRefParser(nil), appconfig.WithOwnerDefault(".github", []string{OwnerPolicyPath})),
	}
	if _, err := h.client(appGate); err != nil {
		return nil, err
	}
	return h, nil
}

// Where a policy is looked for: in the repository, then in its owner's ".github" repository.
const (
	PolicyPath      = ".github/disclosure.yml"
	OwnerPolicyPath = "disclosure.yml"
)

// Share says how many processes work for the App: what GitHub allows an installation is divided
// among them.
func (h *Hub) Share(processes int) { h.share.Store(int64(processes)) }

// WebURL is where people look at things.
func (h *Hub) WebURL() string { return h.config.WebURL }

// App asks GitHub who we are, which proves that the credentials work, and what we may do.
func (h *Hub) App(ctx context.Context) (*github.App, error) {
	var out *github.App
	c, err := h.client(appGate)
	if err == nil {
		err = h.call(ctx, appGate, reading, func() (err error) {
			out, _, err = c.Apps.Get(ctx, "")
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("who are we: %w", err)
	}
	h.mu.Lock()
	h.slug = out.GetSlug()
	h.mu.Unlock()
	return out, nil
}

// Login is the name under which the App writes.
func (h *Hub) Login(ctx context.Context) (string, error) {
	h.mu.Lock()
	slug := h.slug
	h.mu.Unlock()
	if slug == "" {
		app, err := h.App(ctx)
		if err != nil {
			return "", err
		}
		slug = app.GetSlug()
	}
	return slug + "[bot]", nil
}

// appGate is the gate of calls made as the App itself.
const appGate int64 = 0

// client returns the client of an installation, or the App's own. Tokens are minted when needed.
func (h *Hub) client(inst int64) (c *github.Client, err error) {
	g := h.gate(inst)
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.clients[inst]; c != nil {
		return c, nil
	}
	creator := githubapp.NewClientCreator(h.config.V3URL, h.config.V4URL, h.config.AppID, h.config.PrivateKey,
		githubapp.WithTransport(&line{h.config.Transport, inst, h.memory, g}), githubapp.WithClientTimeout(callTimeout), githubapp.WithClientUserAgent("heed"))
	if inst == appGate {
		c, err = creator.NewAppClient()
	} else {
		c, err = creator.NewInstallationClient(inst)
	}
	if err != nil {
		return nil, fmt.Errorf("client of installation %d: %w", inst, err)
	}
	h.clients[inst] = c
	return c, nil
}

// Renew drops a client with its token. A token keeps the permissions that it was made with, so what was
// given since counts for a new one only; and one that GitHub refuses would be shown again until its
// hour is over. go-github, too, remembers limits by a clock of its own and then answers in GitHub's
// place; who may pass is for the gate alone to say.
func (h *Hub) Renew(inst int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, inst)
}

// call makes one call through the gate of an installation and classifies what goes wrong.
func (h *Hub) call(ctx context.Context, inst int64, k callKind, f func() error) error {
	g := h.gate(inst)
	if k == reading && watches(ctx) {
		k = watching
	}
	leave, err := g.enter(ctx, h.config.Now(), k)
	if err != nil {
		return err
	}
	defer leave()
	start := h.config.Now()
	err = f()
	now := h.config.Now()
	if accepted := (*github.AcceptedError)(nil); errors.As(err, &accepted) {
		err = nil // 202: GitHub will do it
	}
	t := classify(err, now)
	h.config.Observe(k.String(), outcome(t), now.Sub(start))
	shut := g.learn(t, now)
	if shut || t != nil && t.Status == http.StatusUnauthorized {
		h.Renew(inst)
	}
	if t == nil {
		return nil
	}
	if shut && t.Kind == Limited {
		h.spread(ctx, inst, t.Until, now)
	}
	return t
}

// spread tells the other processes of a ban, and listen learns from them. Where they fail, each process
// runs into the ban by itself, which is worse but not wrong.
func (h *Hub) spread(ctx context.Context, inst int64, until, now time.Time) {
	if h.config.Bans == nil {
		return
	}
	if err := h.config.Bans.Ban(ctx, now, inst, until); err != nil {
		h.config.Log.WarnContext(ctx, "other processes cannot be told of a limit", "installation", inst, "err", err)
	}
}

func (h *Hub) listen(ctx context.Context, inst int64) (until time.Time, ok bool) {
	until, err := h.config.Bans.Banned(ctx, inst)
	if err != nil {
		h.config.Log.WarnContext(ctx, "cannot look for limits of other processes", "installation", inst, "err", err)
	}
	return until, err == nil
}

// outcome names what came of a call, for counting.
func outcome(t *Trouble) string {
	switch {
	case t == nil:
		return "ok"
	case t.Status == http.StatusUnauthorized: // tried again like any failure, but a person has to see to it
		return "unauthorized"
	default:
		return string(t.Kind)
	}
}

// get and send are for what go-github lacks. They decode leniently.
func (h *Hub) get(ctx context.Context, inst int64, path string, out any) (*github.Response, error) {
	return h.request(ctx, inst, reading, http.MethodGet, path, nil, out)
}

func (h *Hub) send(ctx context.Context, inst int64, k callKind, method, path string, in, out any) error {
	_, err := h.request(ctx, inst, k, method, path, in, out)
	return err
}

func (h *Hub) request(ctx context.Context, inst int64, k callKind, method, path string, in, out any) (*github.Response, error) {
	c, err := h.client(inst)
	if err != nil {
		return nil, err
	}
	req, err := c.NewRequest(method, path, in)
	if err != nil {
		return nil, err
	}
	var res *github.Response
	err = h.call(ctx, inst, k, func() (err error) {
		res, err = c.Do(ctx, req, out)
		return err
	})
	return res, err
}

func (h *Hub) gate(inst int64) *gate {
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.gates[inst]
	if g == nil {
		g = newGate(func() int { return int(h.share.Load()) })
		if h.config.Bans != nil {
			g.listen = func(ctx context.Context) (time.Time, bool) { return h.listen(ctx, inst) }
		}
		h.gates[inst] = g
	}
	return g
}

// in makes a path below a repository, with every part escaped.
func in(owner, name string, parts ...string) string {
	all := append([]string{"repos", owner, name}, parts...)
	for i, p := range all {
		all[i] = url.PathEscape(p)
	}
	return strings.Join(all, "/")
}

package app_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/heed-app/heed/config"
	"github.com/heed-app/heed/pkg/app"
	"github.com/heed-app/heed/pkg/engine"
	"github.com/heed-app/heed/pkg/hubsim"
	"github.com/heed-app/heed/pkg/store"
)

const webhookSecret = "it is only a story"

// appKey is made once for all stories: a key takes longer than a story. It is a short one, since
// signing with it is what a story would do most.
var appKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 1024) })

// emptyDatabase is a database that was just made. Its secret is fixed: the choice of public words
// depends on it, and a story must read the same every time.
var emptyDatabase = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "heed-story")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	w := world{dir: dir, now: start}
	if err := w.makeDatabase(context.Background()); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "heed.db"))
})

func (w *world) makeDatabase(ctx context.Context) error {
	st, err := store.Open(ctx, w.database(), store.OneKey(dataKey()), nil)
	if err != nil {
		return err
	}
	err = st.Write(ctx, w.now, func(tx *store.Tx) error { return tx.Set(ctx, "secret", "the words of a story stay the same") })
	return errors.Join(err, st.Close())
}

func dataKey() []byte { return []byte("a key that everybody may know...")[:32] }

// manifest is what app.yml asks for. hubsim grants exactly that.
var manifest = sync.OnceValues(func() (m struct {
	Permissions map[string]string `yaml:"default_permissions"`
	Events      []string          `yaml:"default_events"`
}, err error,
) {
	text, err := os.ReadFile("../../app.yml")
	if err == nil {
		err = yaml.Unmarshal(text, &m)
	}
	return m, err
})

// errPowerCut is what a pass dies of when the power is cut.
var errPowerCut = errors.New("power cut")

// world is one story's universe: a clock, a GitHub, and a Heed that can lose its power.
type world struct {
	dir  string
	now  time.Time
	sim  *hubsim.Sim
	app  *app.App
	jobs *sql.DB // looks at River's table, as River's fetcher would
	lost bool    // webhooks are not delivered
	// Told of every call to GitHub: here things happen that cross it.
	before, answered func(*http.Request)
	log              *slog.Logger

	opinion config.Opinion // whom to ask about doubtful texts

	postgres string // the URL of its database, "" for a file in dir

	rewrite func(login, body string) error // edits what was said last

	counted int // calls that were counted already

	commits int // how many there were
	cutAt   int // the power is cut after this commit; 0: never
	cuts    int // how often the power was cut
	landCut int // the power is cut after this write landed; 0: never
}

// start is when stories begin unless they say otherwise.
var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

func newWorld(dir, postgres string, log *slog.Logger) (*world, error) {
	key, err := appKey()
	if err != nil {
		return nil, err
	}
	m, err := manifest()
	if err != nil {
		return nil, err
	}
	w := &world{dir: dir, postgres: postgres, now: start, log: log}
	w.sim = hubsim.New(func() time.Time { return w.now }, hubsim.App{
		ID: 7, Slug: "heed", WebhookSecret: webhookSecret, Permissions: m.Permissions, Events: m.Events, Key: key, AuthNow: time.Now,
	})
	w.people()
	if postgres == "" {
		db, err := emptyDatabase()
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, "heed.db"), db, 0o600); err != nil {
			return nil, err
		}
	} else if err := w.makeDatabase(context.Background()); err != nil {
		return nil, err
	}
	return w, w.powerOn()
}

func (w *world) database() string {
	if w.postgres != "" {
		return w.postgres
	}
	return "sqlite://" + filepath.Join(w.dir, "heed.db")
}

// people: Rea and Eve come from outside; Mia and Sam are the security team; Lea owns the
// organisation; Bob writes code; Tom only reads along.
func (w *world) people() {
	s := w.sim
	s.AddUser("rea", "eve", "mia", "sam", "lea", "bob", "tom", "dependabot[bot]")
	s.AddOrg("acme")
	s.AddOwner("acme", "lea")
	s.AddTeam("acme", "security", "mia", "sam")
	s.AddTeam("acme", "leads", "lea")
	s.AddRepo("acme", "web", false)
	s.AddRepo("acme", "security-cases", true)
	s.AddRepo("acme", ".github", false)
	s.GrantTeam("acme/security-cases", "security", "write")
	s.GrantTeam("acme/web", "security", "maintain")
	s.Grant("acme/web", "bob", "write")
	s.Grant("acme/security-cases", "tom", "triage")
	s.Install("acme")
	for _, d := range s.Pending() { // nobody listened yet, and nobody needs these
		s.RecordDelivery(d.ID, http.StatusAccepted)
	}
}

func (w *world) settings() config.Server {
	return config.Server{
		AppID: 7, PrivateKey: string(w.sim.PrivateKey()), WebhookSecret: webhookSecret,
		V3URL: "https://api.github.test/", V4URL: "https://api.github.test/graphql", WebURL: "https://github.com",
		Database: w.database(), SweepEvery: 2 * time.Minute, DataKeys: [][]byte{dataKey()}, SecondOpinion: w.opinion,
	}
}

func (w *world) powerOn() (err error) {
	ctx := context.Background()
	w.app, err = app.New(ctx, w.settings(), app.Options{Transport: cutting{w}, Now: func() time.Time { return w.now }, Committed: w.committed}, w.log)
	if err != nil {
		return err
	}
	if _, err := w.app.Store.Revive(ctx); err != nil {
		return err
	}
	if w.postgres != "" {
		w.jobs, err = sql.Open("pgx", w.postgres)
		return err
	}
	w.jobs, err = sql.Open("sqlite", "file:"+filepath.Join(w.dir, "heed.db")+"?_pragma=busy_timeout(10000)")
	return err
}

func (w *world) powerOff() error { return errors.Join(w.jobs.Close(), w.app.Close()) }

// committed is told about every commit; one of them may be the last thing this process does.
func (w *world) committed() {
	w.commits++
	if w.commits == w.cutAt {
		panic(errPowerCut)
	}
}

// cutting is the way to GitHub. The power may be cut when a write has landed.
type cutting struct{ w *world }

func (c cutting) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.w.before != nil {
		c.w.before(r)
	}
	before := c.w.sim.Writes()
	res, err := c.w.sim.Client().Transport.RoundTrip(r)
	if c.w.answered != nil {
		c.w.answered(r)
	}
	if n := c.w.sim.Writes(); n > before && n == c.w.landCut {
		panic(errPowerCut)
	}
	return res, err
}

// persist runs a pass that comes again by itself: if the power is cut, it is run once more.
func (w *world) persist(pass func() error) error {
	cut := w.cuts
	if err := w.alive(pass); err != nil || w.cuts == cut {
		return err
	}
	return w.alive(pass)
}

// alive runs a pass. If it dies of a power cut, everything is built anew from the disk.
func (w *world) alive(pass func() error) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case errPowerCut:
			w.cuts++
			_ = w.jobs.Close()
			_ = w.app.Close()
			err = w.powerOn()
		default:
			panic(p)
		}
	}()
	return pass()
}

// settle lets everything happen that follows now: webhooks come in, jobs are worked off, their
// webhooks come back, and what failed is tried again within seconds.
func (w *world) settle() error {
	for range 200 {
		moved, err := w.step()
		if err != nil {
			return err
		}
		if moved {
			continue
		}
		next, err := w.app.Store.NextDue(context.Background())
		if err != nil {
			return err
		}
		if next.IsZero() || next.After(w.now.Add(5*time.Second)) {
			return nil
		}
		if next.After(w.now) {
			w.now = next
		}
		if err := w.persist(func() error { _, err := w.app.Store.Due(context.Background(), w.now); return err }); err != nil {
			return err
		}
	}
	return errors.New("the story does not come to rest")
}

// step delivers what GitHub sends and works off the jobs that are there.
func (w *world) step() (moved bool, err error) {
	if !w.lost {
		for _, d := range w.sim.Pending() {
			moved = true
			if err := w.alive(func() error { return w.deliver(d) }); err != nil {
				return moved, err
			}
		}
	}
	for {
		ids, kinds, args, err := w.available()
		if err != nil || len(ids) == 0 {
			return moved, err
		}
		moved = true
		for i, id := range ids {
			if err := w.alive(func() error { return w.work(id, kinds[i], args[i]) }); err != nil {
				return moved, err
			}
		}
	}
}

func (w *world) deliver(d hubsim.Delivery) error {
	status := w.knock(d.Header, d.Body)
	w.sim.RecordDelivery(d.ID, status)
	if status != http.StatusAccepted {
		return fmt.Errorf("the door answered %d to %s", status, d.Event)
	}
	return nil
}

// knock sends something to the receiver of webhooks, and gives what it answers.
func (w *world) knock(h http.Header, body []byte) int {
	r := httptest.NewRequest(http.MethodPost, "/api/github/hook", bytes.NewReader(body))
	r.Header = h
	rec := httptest.NewRecorder()
	w.app.Handler.ServeHTTP(rec, r)
	return rec.Code
}

func (w *world) available() (ids []int64, kinds, args []string, err error) {
	text := map[bool]string{true: "args::text", false: "json(args)"}[w.postgres != ""]
	rows, err := w.jobs.Query(`select id, kind, ` + text + ` from river_job where state = 'available' order by priority, id`)
	if err != nil {
		return nil, nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			id      int64
			kind, a string
		)
		if err := rows.Scan(&id, &kind, &a); err != nil {
			return nil, nil, nil, err
		}
		ids, kinds, args = append(ids, id), append(kinds, kind), append(args, a)
	}
	return ids, kinds, args, rows.Err()
}

// work does one job the way River's worker would. A job is done when it returned, not before.
func (w *world) work(id int64, kind, args string) (err error) {
	ctx := context.Background()
	if _, err := w.jobs.Exec(fmt.Sprintf(`update river_job set state = 'running' where id = %d`, id)); err != nil {
		return err
	}
	switch kind {
	case "think":
		var a store.ThinkArgs
		if err = json.Unmarshal([]byte(args), &a); err == nil {
			err = w.app.Engine.Think(ctx, a.Group)
		}
	case "act":
		var a store.ActArgs
		if err = json.Unmarshal([]byte(args), &a); err == nil {
			err = w.app.Engine.Act(ctx, a.Case)
		}
	case "wake":
		var a store.WakeArgs
		if err = json.Unmarshal([]byte(args), &a); err == nil {
			err = w.app.Engine.WakeCase(ctx, a.Case)
		}
	default:
		err = fmt.Errorf("a job of the unknown kind %q", kind)
	}
	if err != nil {
		return err
	}
	_, err = w.jobs.Exec(fmt.Sprintf(`delete from river_job where id = %d`, id))
	return err
}

// advance jumps from one due moment to the next, so that the order is kept and no time is spent on
// moments at which nothing happens. GitHub is compared at each, and first of all: the sweep comes
// every two minutes.
func (w *world) advance(d time.Duration) error {
	end := w.now.Add(d)
	if every := w.settings().SweepEvery; d > every {
		w.now = w.now.Add(every)
		if err := w.sweep(); err != nil {
			return err
		}
	}
	for {
		next, err := w.app.Store.NextDue(context.Background())
		if err != nil {
			return err
		}
		last := next.IsZero() || next.After(end)
		if last {
			next = end
		}
		if next.After(w.now) {
			w.now = next
		}
		if err := w.persist(func() error { _, err := w.app.Store.Due(context.Background(), w.now); return err }); err != nil {
			return err
		}
		if err := w.sweep(); err != nil {
			return err
		}
		if last {
			return nil
		}
	}
}

func (w *world) sweep() error {
	if err := w.settle(); err != nil {
		return err
	}
	for _, pass := range []func(*engine.Engine, context.Context) error{(*engine.Engine).Sweep, (*engine.Engine).Retain} {
		if err := w.persist(func() error { return pass(w.app.Engine, context.Background()) }); err != nil {
			return err
		}
	}
	return w.settle()
}

// dump is everything that anybody can see, for comparing two runs of a story.
func (w *world) dump() string {
	var b strings.Builder
	for _, repo := range []string{"acme/web", "acme/security-cases", "acme/.github"} {
		for _, n := range w.sim.Issues("lea", repo) {
			text, _ := w.sim.SeeIssue("lea", repo, n)
			fmt.Fprintf(&b, "## %s#%d\n%s\n", repo, n, text)
		}
		for _, ghsa := range w.sim.Advisories(repo) {
			text, _ := w.sim.SeeAdvisory("lea", repo, ghsa)
			fmt.Fprintf(&b, "## %s\n%s\n", ghsa, text)
		}
	}
	return b.String()
}

func get(w *world, path string) string {
	var rec *httptest.ResponseRecorder
	_ = w.persist(func() error {
		rec = httptest.NewRecorder()
		w.app.Handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		return nil
	})
	return fmt.Sprintf("%d\n%s", rec.Code, rec.Body)
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// testLog shows the log of a failed test.
func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if slices.Contains([]string{"time", "took"}, a.Key) {
			return slog.Attr{}
		}
		return a
	}}))
}

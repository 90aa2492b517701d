package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rsa"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heed-app/heed/config"
	"github.com/heed-app/heed/pkg/app"
	"github.com/heed-app/heed/pkg/hubsim"
	"github.com/heed-app/heed/pkg/store"
)

func crashKey() []byte { return []byte("a key that everybody may know...")[:32] }

// A chaos is the real binary in a world in which everything goes wrong: one call in five fails, with
// or without effect; webhooks come twice, in any order or not at all; and the process is killed.
type chaos struct {
	host
	t       testing.TB
	reports []*report
	people  *rand.Rand // what is done, and when the process is killed
	luck    *luck      // what goes wrong meanwhile
	stormy  atomic.Bool
	fuse    atomic.Int64 // calls until the process is killed; the call that makes it 0 is the one
	burnt   chan struct{}
	log     *os.File
	url     atomic.Pointer[string] // of the door; nil: nobody is there
	open    atomic.Int64           // deliveries under way
	untold  []*report
	orgs    []string
}

// luck is a source of chance for everybody at once.
type luck struct {
	mu sync.Mutex
	*rand.Rand
}

func (l *luck) one(in int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.IntN(in) == 0
}

// newChaos makes the world: organisations with a team, a policy and two repositories, and so many
// reports each. The database is a file unless it is given.
func newChaos(t testing.TB, binary string, key *rsa.PrivateKey, seed uint64, n, each int, database string) *chaos {
	t.Helper()
	c := &chaos{t: t, people: rand.New(rand.NewPCG(seed, 1)), luck: &luck{Rand: rand.New(rand.NewPCG(seed, 2))}, burnt: make(chan struct{}, 1)} //nolint:gosec // chance, not secrets
	secret := fmt.Sprintf("hush %d", seed)
	sim := hubsim.New(quickly(), hubsim.App{ID: 7, AuthNow: time.Now, Slug: "heed", WebhookSecret: secret, Permissions: demoPermissions(), Events: demoEvents(), Key: key})
	github := httptest.NewServer(c.storm(sim.Handler()))
	t.Cleanup(github.Close)
	dir := t.TempDir()
	c.host = host{binary: binary, dir: dir, github: github.URL, sim: sim, secret: secret, sweep: "1s", database: cmp.Or(database, crashDatabase(dir))}
	log, err := os.Create(filepath.Join(t.ArtifactDir(), "heed.log"))
	must(t, err)
	t.Cleanup(func() { _ = log.Close() })
	c.log, c.host.log = log, log
	sim.AddUser("rea", "eve", "bob", "mia", "sam", "lea")
	all := tales()
	first := c.people.IntN(len(all))
	for i := range (n + each - 1) / each {
		c.found(fmt.Sprintf("org%d", i))
	}
	for i := range n {
		c.untold = append(c.untold, &report{tale: all[(first+i)%len(all)], org: c.orgs[i%len(c.orgs)], word: fmt.Sprintf("qz%dwv", i)})
	}
	for _, d := range sim.Pending() { // nobody listened yet, and nobody needs these
		sim.RecordDelivery(d.ID, http.StatusAccepted)
	}
	c.people.Shuffle(n, func(i, j int) { c.untold[i], c.untold[j] = c.untold[j], c.untold[i] })
	c.stormy.Store(true)
	return c
}

// quickly is GitHub's clock: a minute a second. Who is killed twice a second forgets as often how
// much he asked for, and GitHub's limits per minute shall not decide how this ends.
func quickly() func() time.Time {
	begin := time.Now()
	return func() time.Time { return begin.Add(60 * time.Since(begin)) }
}

// perOrg is how many reports an organisation gets: few enough for GitHub's limits, which count for
// each by itself, not to decide how long this takes.
const perOrg = 8

const crashPolicy = `version: 1
team: security
tracker: %s/cases
coordinators: [mia, sam]
public_reports:
  labels: {redirected: moved, contact: asked, dependency: deps, spam: junk}
`

func (c *chaos) found(org string) {
	s := c.sim
	c.orgs = append(c.orgs, org)
	s.AddOrg(org)
	s.AddOwner(org, "lea")
	s.AddTeam(org, "security", "mia", "sam")
	s.AddRepo(org, "web", false)
	s.AddRepo(org, "cases", true)
	s.GrantTeam(org+"/cases", "security", "write")
	s.GrantTeam(org+"/web", "security", "maintain")
	s.Install(org)
	must(c.t, s.PushFile("lea", org+"/web", ".github/disclosure.yml", fmt.Sprintf(crashPolicy, org)))
}

// crashDatabase is where the binary keeps its cases: in HEED_TEST_DATABASE, which must be empty, or
// in a file.
func crashDatabase(dir string) string {
	if url := os.Getenv("HEED_TEST_DATABASE"); url != "" {
		return url
	}
	return "sqlite://" + filepath.Join(dir, "heed.db")
}

// storm stands before GitHub. A call gets lost before it arrives or its answer on the way back; and
// at some call, or when it was done, the process that made it is dead.
func (c *chaos) storm(github http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last := c.fuse.Add(-1) == 0
		if last && c.luck.one(2) {
			c.burnt <- struct{}{}
			panic(http.ErrAbortHandler)
		}
		switch {
		case last, c.stormy.Load() && c.luck.one(10): // it landed, and nobody hears of it
			github.ServeHTTP(httptest.NewRecorder(), r)
			if last {
				c.burnt <- struct{}{}
			}
			panic(http.ErrAbortHandler)
		case c.stormy.Load() && c.luck.one(9): // one in nine of what is left is one in ten
			if c.luck.one(2) {
				panic(http.ErrAbortHandler)
			}
			http.Error(w, "{}", http.StatusBadGateway)
		default:
			github.ServeHTTP(w, r)
		}
	})
}

// webhooks delivers what GitHub has to tell until the context ends: some twice, some never, in any
// order. What fails is in GitHub's log; somebody asks for half of it again, the sweep for the rest.
func (c *chaos) webhooks(ctx context.Context) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		c.open.Store(1)
		ds := c.sim.Pending()
		c.luck.mu.Lock()
		c.luck.Shuffle(len(ds), func(i, j int) { ds[i], ds[j] = ds[j], ds[i] })
		c.luck.mu.Unlock()
		var wg sync.WaitGroup
		for _, d := range ds {
			wg.Go(func() { c.deliver(ctx, d) })
		}
		wg.Wait()
		c.open.Store(int64(len(ds)))
		<-tick.C
	}
}

func (c *chaos) deliver(ctx context.Context, d hubsim.Delivery) {
	status := 0
	if !c.stormy.Load() || !c.luck.one(20) {
		status = c.post(ctx, d)
	}
	if c.stormy.Load() && c.luck.one(10) {
		c.post(ctx, d)
	}
	c.sim.RecordDelivery(d.ID, status)
	if status != http.StatusAccepted && c.url.Load() != nil && c.luck.one(2) {
		must(c.t, c.sim.Redeliver(d.GUID))
	}
}

// moved says where the door is now.
func (c *chaos) moved(url string) { c.url.Store(&url) }

func (c *chaos) post(ctx context.Context, d hubsim.Delivery) (status int) {
	url := c.url.Load()
	if url == nil {
		return 0
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, *url+"/api/github/hook", bytes.NewReader(d.Body))
	must(c.t, err)
	req.Header = d.Header.Clone()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode
}

// act lets somebody do the next thing, if there is something to do. At most new reports come in.
func (c *chaos) act(fresh *int) {
	var can []*report
	for _, r := range c.reports {
		if r.told < len(r.chapters) && r.chapters[r.told].ready(telling{c.sim, r}) {
			can = append(can, r)
		}
	}
	if *fresh > 0 && len(c.untold) > 0 && (len(can) == 0 || c.people.IntN(2) == 0) {
		*fresh--
		r := c.untold[0]
		c.reports, c.untold = append(c.reports, r), c.untold[1:]
		if r.secret {
			c.sim.Canary(r.word)
		}
		can = []*report{r}
	}
	if len(can) == 0 {
		return
	}
	r := can[c.people.IntN(len(can))]
	if err := r.chapters[r.told].act(telling{c.sim, r}); err != nil {
		c.t.Errorf("%s: chapter %d: %v", r.name, r.told, err)
	}
	r.told++
}

// life is one life of the process: it starts, people go on, and at some call or moment it is killed.
func (c *chaos) life(fresh int) {
	for range c.people.IntN(1 + fresh) { // while nobody is there
		c.act(&fresh)
	}
	limit := 4 * time.Second // when there are no more calls
	if c.people.IntN(3) > 0 {
		c.fuse.Store(int64(1 + c.people.IntN(20+10*len(c.orgs))))
	} else {
		limit = time.Duration(c.people.IntN(1500)) * time.Millisecond
	}
	s := c.start(c.t)
	c.moved(s.url)
	end, tick := time.After(limit), time.NewTicker(15*time.Millisecond)
	defer tick.Stop()
	for alive := true; alive; {
		select {
		case <-c.burnt:
			alive = false
		case <-end:
			alive = false
		case <-tick.C:
			c.act(&fresh)
		}
	}
	s.kill()
	c.url.Store(nil)
	c.fuse.Store(0)
	select {
	case <-c.burnt:
	default:
	}
	for fresh > 0 && len(c.untold) > 0 {
		c.act(&fresh)
	}
}

// wrong lists what is not as it must be in the end.
func (c *chaos) wrong() (out []string) {
	tracked, held := 0, 0
	for _, r := range c.reports {
		in := telling{c.sim, r}
		tracked += len(in.tracked())
		held += len(in.advisories())
		if got := in.describe(); !r.endsWell(got) {
			out = append(out, fmt.Sprintf("%s (%s, %s#%d %s): want%sgot%s", r.name, r.word, r.repo(), r.issue, r.ghsa, r.end, got))
		}
		for _, n := range in.tracked() {
			if text, _ := c.sim.SeeIssue("mia", r.tracker(), n); strings.Contains(text, r.word) {
				out = append(out, fmt.Sprintf("%s: its text is in the tracker", r.name))
			}
		}
	}
	for _, org := range c.orgs {
		tracked -= len(c.sim.Issues("lea", org+"/cases"))
		held -= len(c.sim.Advisories(org + "/web"))
	}
	if tracked != 0 || held != 0 {
		out = append(out, fmt.Sprintf("%d issues in trackers and %d advisories that belong to no report", -tracked, -held))
	}
	return append(append(out, c.touched()...), c.sim.Violations()...)
}

// touched lists the calls that wrote to an issue that is nobody's business.
func (c *chaos) touched() (out []string) {
	private := map[string]bool{}
	for _, r := range c.reports {
		if strings.HasPrefix(r.name, "ordinary") {
			private[fmt.Sprintf("/repos/%s/issues/%d", r.repo(), r.issue)] = true
		}
	}
	for _, call := range c.sim.Journal() {
		if issue := strings.Join(strings.SplitN(call.Path, "/", 7)[:min(6, strings.Count(call.Path, "/")+1)], "/"); call.Write && private[issue] {
			out = append(out, call.Method+" "+call.Path)
		}
	}
	return out
}

// peace waits until nothing is left to be done, and everything is as it must be for some sweeps.
func (c *chaos) peace(limit time.Duration) {
	c.t.Helper()
	st, err := app.OpenStore(context.Background(), config.Server{Database: c.database, DataKeys: [][]byte{crashKey()}})
	must(c.t, err)
	defer st.Close()
	deadline, tick := time.After(limit), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	const held = 25 // ticks: two sweeps and a half
	begin := time.Now()
	defer func() { c.t.Logf("peace after %s", time.Since(begin)) }()
	var looks int
	unrest := map[string]int{} // what kept it from peace, and in how many looks
	for calm := 0; calm < held; calm++ {
		select {
		case <-deadline:
			for what, n := range unrest {
				if n > looks/10 { // what lasted, not every state on the way
					c.t.Errorf("in %d of %d looks: %s", n, looks, what)
				}
			}
			c.t.Fatalf("no peace after %s", limit)
		case <-tick.C:
			fresh := len(c.untold)
			c.act(&fresh)
			looks++
			for _, what := range c.unrest(st) {
				unrest[what]++
				calm = -1
			}
		}
	}
}

// unrest lists what is still going on, or not as it must be in the end.
func (c *chaos) unrest(st *store.Store) (out []string) {
	if len(c.untold) > 0 {
		out = append(out, "reports are still to come")
	}
	if c.open.Load() > 0 {
		out = append(out, "webhooks are under way")
	}
	return append(append(out, c.pending(st)...), c.wrong()...)
}

// pending lists what the database knows to be unfinished, or laid aside.
func (c *chaos) pending(st *store.Store) (out []string) {
	ctx := context.Background()
	next, err := st.NextDue(ctx)
	must(c.t, err)
	if !next.IsZero() && next.Before(time.Now().Add(time.Hour)) { // no promise is nearer than a day
		out = append(out, "something is due")
	}
	aside, err := st.Records(ctx, 0)
	must(c.t, err)
	for _, r := range aside {
		out = append(out, "laid aside: "+r.Key+": "+r.Reason)
	}
	parked, err := st.ParkedDeliveries(ctx)
	must(c.t, err)
	for _, d := range parked {
		out = append(out, "parked: "+d.Event+": "+d.Reason)
	}
	return out
}

// leaked looks for words of reports in what the process wrote: its log and its database.
func (c *chaos) leaked() {
	c.t.Helper()
	files, err := filepath.Glob(filepath.Join(c.dir, "*"))
	must(c.t, err)
	for _, file := range append(files, c.log.Name()) {
		text, err := os.ReadFile(file)
		must(c.t, err)
		for _, r := range c.reports {
			if bytes.Contains(text, []byte(r.word)) {
				c.t.Errorf("words of %q are in %s", r.name, filepath.Base(file))
			}
		}
	}
}

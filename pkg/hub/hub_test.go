package hub

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/hubsim"
	"github.com/heed-app/heed/pkg/mark"
)

var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// appKey is made once, and short: making one takes longer than a test.
var appKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 1024) })

// world is a GitHub with acme/web in it, whose clock the test turns.
type world struct {
	*Hub
	sim     *hubsim.Sim
	now     time.Time
	inst    int64
	web     disclosure.Repo
	tracker disclosure.Repo
}

func newWorld(t *testing.T) *world {
	t.Helper()
	key, err := appKey()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{now: start}
	w.sim = hubsim.New(func() time.Time { return w.now }, hubsim.App{
		ID: 7, Slug: "heed", WebhookSecret: "secret", Key: key, AuthNow: time.Now,
		Permissions: map[string]string{"repository_advisories": "write", "issues": "write", "contents": "read", "metadata": "read", "members": "read"},
		Events:      []string{"issues", "issue_comment", "repository_advisory"},
	})
	w.sim.AddUser("rea", "eve", "mia", "bob", "tom", "lea")
	w.sim.AddOrg("acme")
	w.sim.AddOwner("acme", "lea")
	w.sim.AddTeam("acme", "security", "mia")
	w.sim.AddRepo("acme", "web", false)
	w.sim.AddRepo("acme", "cases", true)
	w.sim.GrantTeam("acme/cases", "security", "write")
	w.sim.GrantTeam("acme/web", "security", "maintain")
	w.sim.Grant("acme/web", "bob", "write")
	w.sim.Grant("acme/web", "tom", "triage")
	w.sim.SetPVR("acme/web", true)
	w.inst = w.sim.Install("acme")
	w.Hub = newHub(t, w.sim.PrivateKey(), w.sim.Client().Transport, func() time.Time { return w.now })
	for name, to := range map[string]*disclosure.Repo{"web": &w.web, "cases": &w.tracker} {
		if *to, _, err = w.Private(t.Context(), w.inst, "acme", name); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, v := range w.sim.Violations() {
			t.Error("a law was broken:", v)
		}
	})
	return w
}

func newHub(t *testing.T, key []byte, transport http.RoundTripper, now func() time.Time) *Hub {
	t.Helper()
	return newHubAt(t, "https://api.github.test/", key, transport, now)
}

func newHubAt(t *testing.T, api string, key []byte, transport http.RoundTripper, now func() time.Time) *Hub {
	t.Helper()
	h, err := New(Config{
		AppID: 7, PrivateKey: key, V3URL: api, V4URL: api + "graphql", WebURL: "https://github.com",
		Transport: transport, Now: now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func must[T any](t *testing.T, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (w *world) perform(t *testing.T, e disclosure.Effect, again bool) disclosure.Receipt {
	t.Helper()
	r, err := w.Perform(t.Context(), w.inst, e, again, start)
	return must(t, r, err)
}

func (w *world) issue(t *testing.T, repo string, n int) hubsim.IssueView {
	t.Helper()
	i, ok := w.sim.Issue(repo, n)
	if !ok {
		t.Fatalf("no issue %s#%d", repo, n)
	}
	return i
}

func (w *world) advisory(t *testing.T, ghsa string) hubsim.AdvisoryView {
	t.Helper()
	a, ok := w.sim.AdvisoryOf("acme/web", ghsa)
	if !ok {
		t.Fatalf("no advisory %s", ghsa)
	}
	return a
}

// script answers calls by their path, and mints tokens unless told otherwise: the answers of GitHub
// that hubsim does not give.
type script struct {
	token  answer // nil: a good token
	answer answer
}

type answer func(path string) reply

type reply struct {
	status int
	body   string
	header []string // names and values in turn
	err    error    // instead of an answer
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	do := s.answer
	if strings.HasSuffix(r.URL.Path, "/access_tokens") {
		if do = s.token; do == nil {
			do = says(http.StatusCreated, `{"token":"ghs_1","expires_at":"`+time.Now().Add(time.Hour).Format(time.RFC3339)+`"}`)
		}
	}
	a := do(r.URL.Path)
	if a.err != nil {
		return nil, a.err
	}
	h := http.Header{"Content-Type": {"application/json"}}
	for pair := range slices.Chunk(a.header, 2) {
		h.Set(pair[0], pair[1])
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)), StatusCode: a.status, Header: h,
		Body: io.NopCloser(strings.NewReader(a.body)), Request: r, ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

func says(status int, body string, header ...string) answer {
	return func(string) reply { return reply{status: status, body: body, header: header} }
}

func breaks(err error) answer { return func(string) reply { return reply{err: err} } }

func scripted(t *testing.T, s *script) *Hub {
	t.Helper()
	key, err := appKey()
	if err != nil {
		t.Fatal(err)
	}
	sim := hubsim.New(time.Now, hubsim.App{ID: 7, Slug: "heed", Key: key})
	return newHub(t, sim.PrivateKey(), s, func() time.Time { return start })
}

func TestTrouble(t *testing.T) {
	t.Parallel()
	unix := func(d time.Duration) string { return strconv.FormatInt(start.Add(d).Unix(), 10) }
	secondary := `{"message":"You have exceeded a secondary rate limit.","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`
	for _, c := range []struct {
		name   string
		answer answer
		token  answer
		want   Trouble // without Err
		wait   time.Duration
	}{
		{"the hourly limit is used up", says(403, `{"message":"API rate limit exceeded"}`, "X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", unix(10*time.Minute)), nil, Trouble{Kind: Limited, Status: 403}, 10 * time.Minute},
		{"the hourly limit is used up and begins anew at a moment that has passed", says(403, `{}`, "X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", unix(-time.Minute)), nil, Trouble{Kind: Limited, Status: 403}, time.Minute},
		{"the secondary limit with a time", says(403, secondary, "Retry-After", "90"), nil, Trouble{Kind: Limited, Status: 403}, 90 * time.Second},
		{"the secondary limit without a time", says(403, secondary), nil, Trouble{Kind: Limited, Status: 403}, time.Minute},
		{"a limit that only the words tell", says(403, `{"message":"You have triggered an abuse rate limit"}`), nil, Trouble{Kind: Limited, Status: 403}, time.Minute},
		{"429 with a time", says(429, `{"message":"slow down"}`, "Retry-After", "30"), nil, Trouble{Kind: Limited, Status: 403}, 30 * time.Second},
		{"429 with a reset", says(429, `{}`, "X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", unix(5*time.Minute)), nil, Trouble{Kind: Limited, Status: 403}, 5 * time.Minute},
		{"429 with a date", says(429, `{}`, "Retry-After", start.Add(3*time.Minute).Format(http.TimeFormat)), nil, Trouble{Kind: Limited, Status: 403}, 3 * time.Minute},
		{"the secondary limit with a date", says(403, secondary, "Retry-After", start.Add(3*time.Minute).Format(http.TimeFormat)), nil, Trouble{Kind: Limited, Status: 403}, 3 * time.Minute},
		{"a time that nobody waits for", says(429, `{}`, "Retry-After", "99999999999"), nil, Trouble{Kind: Limited, Status: 403}, 2 * time.Hour},
		{"a time that has passed", says(429, `{}`, "Retry-After", "-5"), nil, Trouble{Kind: Limited, Status: 403}, time.Minute},
		{"too many comments", says(422, `{"message":"Validation Failed: was submitted too quickly"}`), nil, Trouble{Kind: Limited, Status: 403}, time.Minute},
		{"429 without a time", says(429, ``), nil, Trouble{Kind: Limited, Status: 403}, time.Minute},
		{"suspended", says(403, `{"message":"This installation has been suspended"}`), nil, Trouble{Kind: Suspended, Status: 403, Sent: true}, time.Minute},
		{"401", says(401, `{"message":"Bad credentials"}`), nil, Trouble{Kind: Again, Status: 401, Sent: true}, 0},
		{"403", says(403, `{"message":"Resource not accessible by integration"}`), nil, Trouble{Kind: Refused, Status: 403, Sent: true}, 0},
		{"404", says(404, `{"message":"Not Found"}`), nil, Trouble{Kind: Gone, Status: 404, Sent: true}, 0},
		{"410", says(410, `{"message":"This issue was deleted"}`), nil, Trouble{Kind: Gone, Status: 410, Sent: true}, 0},
		{"451", says(451, `{"message":"Repository access blocked"}`), nil, Trouble{Kind: Refused, Status: 451, Sent: true}, 0},
		{"an archived repository", says(403, `{"message":"Repository was archived so is read-only."}`), nil, Trouble{Kind: Refused, Status: 403, Sent: true}, 0},
		{"409", says(409, `{"message":"Conflict"}`), nil, Trouble{Kind: Again, Status: 409, Sent: true}, 0},
		{"422", says(422, `{"message":"Validation Failed"}`), nil, Trouble{Kind: Refused, Status: 422, Sent: true}, 0},
		{"500", says(500, ``), nil, Trouble{Kind: Again, Status: 500, Sent: true}, 0},
		{"502 with a page for people", says(502, `<html>unicorn</html>`), nil, Trouble{Kind: Again, Status: 502, Sent: true}, 0},
		{"503 with a time", says(503, ``, "Retry-After", "30"), nil, Trouble{Kind: Again, Status: 503, Sent: true}, 30 * time.Second},
		{"the connection breaks", breaks(io.ErrUnexpectedEOF), nil, Trouble{Kind: Again, Sent: true}, 0},
		{"we are interrupted", breaks(context.Canceled), nil, Trouble{Kind: Again, Sent: true}, 0},
		{"it takes too long", breaks(context.DeadlineExceeded), nil, Trouble{Kind: Again, Sent: true}, 0},
		{"no token: uninstalled", nil, says(404, `{}`), Trouble{Kind: Suspended, Status: 404}, time.Minute},
		{"no token: suspended", nil, says(403, `{}`), Trouble{Kind: Suspended, Status: 403}, time.Minute},
		{"no token: limited", nil, says(403, `{}`, "Retry-After", "40"), Trouble{Kind: Limited, Status: 403}, 40 * time.Second},
		{"no token: limited by a date", nil, says(429, `{}`, "Retry-After", start.Add(3*time.Minute).Format(http.TimeFormat)), Trouble{Kind: Limited, Status: 403}, 3 * time.Minute},
		{"no token: limited without a time", nil, says(429, `{}`), Trouble{Kind: Limited, Status: 403}, time.Minute},
		{"no token: our key is refused", nil, says(401, `{}`), Trouble{Kind: Again, Status: 401}, 0},
		{"no token: GitHub is down", nil, says(502, `{}`), Trouble{Kind: Again, Status: 502}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := scripted(t, &script{answer: c.answer, token: c.token})
			_, err := h.Issue(t.Context(), 5, disclosure.Repo{Owner: "acme", Name: "web"}, 1)
			if err == nil {
				t.Fatal("no error")
			}
			got := *As(err)
			got.Err = nil
			if c.wait != 0 {
				c.want.Until = start.Add(c.wait)
			}
			if !got.Until.Equal(c.want.Until) {
				t.Errorf("until %s, want %s", got.Until, c.want.Until)
			}
			got.Until = c.want.Until
			if diff := cmp.Diff(c.want, got, cmpopts.IgnoreUnexported(Trouble{})); diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if IsGone(err) != (c.want.Kind == Gone) {
				t.Error("IsGone tells something else")
			}
		})
	}
}

// Errors go to the log, to the database and to the tracker.
func TestErrorsDoNotRepeatWhatWasSent(t *testing.T) {
	t.Parallel()
	echo := `{"message":"Validation Failed","errors":[{"resource":"Issue","field":"title","code":"custom","message":"canary is too long","value":"canary"},"canary"],"documentation_url":"https://canary"}`
	for name, answer := range map[string]answer{
		"GitHub quotes it":            says(422, echo),
		"a proxy quotes it":           says(502, "<html>canary</html>"),
		"GitHub's answer is cut off":  says(201, `{"title":"canary`),
		"GitHub's answer is no issue": says(201, `["canary"]`),
		"the wire breaks":             breaks(io.ErrUnexpectedEOF),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := scripted(t, &script{answer: answer})
			r := disclosure.Repo{Owner: "acme", Name: "web"}
			for _, e := range []disclosure.Effect{
				{Action: disclosure.CommentIssue, Repo: r, Number: 1, Body: "canary"},
				{Action: disclosure.OpenAdvisory, Repo: r, Secret: disclosure.Seal("canary"), SecretTop: disclosure.Seal("canary")},
				{Action: disclosure.CommentAdvisory, Repo: r, GHSA: "GHSA-1", Secret: disclosure.Seal("canary")},
				{Action: disclosure.OpenIssue, Repo: r, Title: "canary", Body: "canary"},
			} {
				_, err := h.Perform(t.Context(), 5, e, false, start)
				if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), "canary") {
					t.Errorf("%s: %v", e.Action, err)
				}
			}
		})
	}
}

func TestTheGateIsSilentUntilTheTimeThatGitHubGave(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"primary", "secondary", "429", "bare"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			until := start.Add(time.Minute)
			w.sim.RateLimit(w.inst, kind, until)
			for range 5 {
				_, err := w.Repo(t.Context(), w.inst, "acme", "web")
				if x := As(err); err == nil || x.Kind != Limited || !x.Until.Equal(until) {
					t.Errorf("got %+v", x)
				}
			}
			if n := w.sim.BanCalls(); n != 1 {
				t.Errorf("%d calls during the ban", n)
			}
			w.now = until
			if _, err := w.Repo(t.Context(), w.inst, "acme", "web"); err != nil {
				t.Errorf("after it: %v", err)
			}
		})
	}
}

func pass(t *testing.T, g *gate, at time.Time, k callKind) (time.Time, bool) {
	t.Helper()
	leave, err := g.enter(t.Context(), at, k)
	if err != nil {
		return As(err).Until, false
	}
	leave()
	return time.Time{}, true
}

func TestBudget(t *testing.T) {
	t.Parallel()
	t.Run("60 creations a minute", func(t *testing.T) {
		t.Parallel()
		g, n := newGate(one), 0
		for i := range 100 {
			if _, ok := pass(t, g, start.Add(time.Duration(i)*100*time.Millisecond), creating); ok {
				n++
			}
		}
		if n != 60 {
			t.Errorf("%d passed", n)
		}
		until, ok := pass(t, g, start.Add(30*time.Second), creating)
		if ok || until.Before(start.Add(time.Minute)) || until.After(start.Add(time.Minute+time.Second)) {
			t.Errorf("told to come again at %s", until)
		}
		if _, ok := pass(t, g, start.Add(30*time.Second), urgent); !ok {
			t.Error("what shortens exposure waits for comments")
		}
		if _, ok := pass(t, g, until, creating); !ok {
			t.Error("refused at the moment that was named")
		}
	})
	t.Run("450 creations an hour", func(t *testing.T) {
		t.Parallel()
		g, n := newGate(one), 0
		for i := range 59 * 30 { // one every two seconds
			if _, ok := pass(t, g, start.Add(time.Duration(i)*2*time.Second), creating); ok {
				n++
			}
		}
		if n != 450 {
			t.Errorf("%d passed", n)
		}
		if until, ok := pass(t, g, start.Add(59*time.Minute), creating); ok || until.Before(start.Add(time.Hour)) {
			t.Errorf("told to come again at %s", until)
		}
	})
	t.Run("urgent calls may use what is kept free", func(t *testing.T) {
		t.Parallel()
		g, n, free := newGate(one), 0, 0
		for range 1000 {
			if _, ok := pass(t, g, start, reading); ok {
				n++
			}
		}
		for range 1000 {
			if _, ok := pass(t, g, start, urgent); ok {
				free++
			}
		}
		if n != mostPoints || free != keptFree/5 {
			t.Errorf("%d reads and %d urgent writes passed", n, free)
		}
	})
	t.Run("at most three calls at once, one of them urgent", func(t *testing.T) {
		t.Parallel()
		g := newGate(one)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		full := func(k callKind) {
			t.Helper()
			if _, err := g.enter(gone, start, k); err == nil || As(err).Sent || As(err).Kind != Again {
				t.Errorf("one too many: %v", err)
			}
		}
		var leave func()
		for _, k := range []callKind{reading, creating} {
			l, err := g.enter(t.Context(), start, k)
			leave = must(t, l, err)
		}
		full(writing)
		l, err := g.enter(t.Context(), start, urgent) // does not wait for the others
		must(t, l, err)
		full(urgent)
		leave()
		if _, ok := pass(t, g, start, reading); !ok {
			t.Error("the place that was left is not given")
		}
	})
}

// effectCase is one action: what was there before, and how what it did is seen.
type effectCase struct {
	action disclosure.Action
	make   func(t *testing.T, w *world) disclosure.Effect
	seen   func(t *testing.T, w *world, e disclosure.Effect) string
	want   string
}

func leak(t *testing.T, w *world) int {
	t.Helper()
	n, err := w.sim.OpenIssue("rea", "acme/web", "Overflow", "It overflows.")
	return must(t, n, err)
}

func (w *world) report(t *testing.T) string {
	t.Helper()
	ghsa, err := w.sim.Report("rea", "acme/web", "Overflow", "It overflows.")
	return must(t, ghsa, err)
}

// ours opens an issue in the tracker.
func (w *world) ours(t *testing.T, body string) int {
	t.Helper()
	return w.perform(t, disclosure.Effect{Action: disclosure.OpenIssue, Repo: w.tracker, Title: "A case", Body: body, Mark: mark.Private("case/1:tracker")}, false).Number
}

func expect(title, body string) *disclosure.Text {
	return &disclosure.Text{Title: disclosure.Seal(title), Body: disclosure.Seal(body)}
}

func effectCases() []effectCase {
	comments := func(cs []hubsim.CommentView) string {
		var out []string
		for _, c := range cs {
			out = append(out, c.Author+": "+strings.ReplaceAll(c.Body, "\n", "|"))
		}
		return strings.Join(out, "; ")
	}
	onTracker := func(t *testing.T, w *world, e disclosure.Effect) string {
		t.Helper()
		i := w.issue(t, "acme/cases", e.Number)
		return fmt.Sprintf("%s %v %s", strings.ReplaceAll(i.Body, "\n", "|"), i.Assignees, i.State)
	}
	onLeak := func(t *testing.T, w *world, e disclosure.Effect) string {
		t.Helper()
		i := w.issue(t, "acme/web", e.Number)
		return fmt.Sprintf("%s|%s|%s|%v|%t|%s", i.Title, i.Body, i.State, i.Labels, i.Locked, comments(i.Comments))
	}
	onAdvisory := func(t *testing.T, w *world, e disclosure.Effect) string {
		t.Helper()
		a := w.advisory(t, e.GHSA)
		return fmt.Sprintf("%s|%s|%v|%v|%s", a.State, a.Severity, a.Collaborators, a.Teams, comments(a.Comments))
	}
	return []effectCase{
		{disclosure.EditIssue, func(t *testing.T, w *world) disclosure.Effect {
			return disclosure.Effect{Repo: w.web, Number: leak(t, w), Title: "Moved", Body: "Gone.", State: "closed", Why: "not_planned", Expect: expect("Overflow", "It overflows.")}
		}, onLeak, "Moved|Gone.|closed|[]|false|"},
		{disclosure.OpenIssue, func(_ *testing.T, w *world) disclosure.Effect {
			return disclosure.Effect{Repo: w.tracker, Title: "A case", Body: "Words.", People: []string{"mia"}, Mark: mark.Private("case/1:tracker")}
		}, func(t *testing.T, w *world, _ disclosure.Effect) string {
			t.Helper()
			return fmt.Sprint(w.sim.Issues("mia", "acme/cases"), w.issue(t, "acme/cases", 1).Assignees)
		}, "[1] [mia]"},
		{disclosure.EditBlock, func(t *testing.T, w *world) disclosure.Effect {
			n := w.ours(t, mark.Block("status", "old")+"\n\nMia was here.")
			return disclosure.Effect{Repo: w.tracker, Number: n, Title: "status", Body: "new"}
		}, onTracker, "<!-- heed:status -->|new|<!-- /heed:status -->||Mia was here.||<!-- heed:case/1:tracker --> [] open"},
		{disclosure.TickTasks, func(t *testing.T, w *world) disclosure.Effect {
			n := w.ours(t, "- [ ] CVE <!-- heed:case/1:task/cve -->\n- [ ] mine")
			return disclosure.Effect{Repo: w.tracker, Number: n, Ticks: []disclosure.Task{{ID: "cve", Key: "case/1:task/cve", Done: true, Note: "CVE-2026-1"}}}
		}, onTracker, "- [x] CVE — CVE-2026-1 <!-- heed:case/1:task/cve -->|- [ ] mine||<!-- heed:case/1:tracker --> [] open"},
		{disclosure.SetIssue, func(t *testing.T, w *world) disclosure.Effect {
			return disclosure.Effect{Repo: w.tracker, Number: w.ours(t, "Words."), People: []string{"mia"}, State: "closed", Why: "completed"}
		}, onTracker, "Words.||<!-- heed:case/1:tracker --> [mia] closed"},
		{disclosure.CommentIssue, func(t *testing.T, w *world) disclosure.Effect {
			return disclosure.Effect{Repo: w.web, Number: leak(t, w), Body: "Thanks.", Mark: mark.Public([]byte("s"), "reply")}
		}, onLeak, "Overflow|It overflows.|open|[]|false|heed[bot]: Thanks.||" + mark.Public([]byte("s"), "reply")},
		{disclosure.DeleteComment, func(t *testing.T, w *world) disclosure.Effect {
			n := leak(t, w)
			id, err := w.sim.CommentIssue("rea", "acme/web", n, "More of it.")
			return disclosure.Effect{Repo: w.web, Number: n, Comment: must(t, id, err), Expect: expect("", "More of it.")}
		}, onLeak, "Overflow|It overflows.|open|[]|false|"},
		{disclosure.React, func(t *testing.T, w *world) disclosure.Effect {
			n := w.ours(t, "Words.")
			id, err := w.sim.CommentIssue("mia", "acme/cases", n, "/ack")
			return disclosure.Effect{Repo: w.tracker, Number: n, Comment: must(t, id, err), Reaction: "rocket"}
		}, func(t *testing.T, w *world, e disclosure.Effect) string {
			t.Helper()
			return fmt.Sprint(w.issue(t, "acme/cases", e.Number).Comments[0].Reactions)
		}, "[rocket]"},
		{disclosure.AddLabel, func(t *testing.T, w *world) disclosure.Effect {
			n := leak(t, w)
			if err := w.sim.LabelIssue("bob", "acme/web", n, "bug"); err != nil {
				t.Fatal(err)
			}
			return disclosure.Effect{Repo: w.web, Number: n, Labels: []string{"moved away"}}
		}, onLeak, "Overflow|It overflows.|open|[bug moved away]|false|"},
		{disclosure.RemoveLabel, func(t *testing.T, w *world) disclosure.Effect {
			n := leak(t, w)
			if err := w.sim.LabelIssue("bob", "acme/web", n, "bug", "moved away/now"); err != nil {
				t.Fatal(err)
			}
			return disclosure.Effect{Repo: w.web, Number: n, Labels: []string{"moved away/now", "never there"}}
		}, onLeak, "Overflow|It overflows.|open|[bug]|false|"},
		{disclosure.Lock, func(t *testing.T, w *world) disclosure.Effect {
			return disclosure.Effect{Repo: w.web, Number: leak(t, w)}
		}, onLeak, "Overflow|It overflows.|open|[]|true|"},
		{disclosure.Unlock, func(t *testing.T, w *world) disclosure.Effect {
			n := leak(t, w)
			if err := w.sim.LockIssue("bob", "acme/web", n); err != nil {
				t.Fatal(err)
			}
			return disclosure.Effect{Repo: w.web, Number: n}
		}, onLeak, "Overflow|It overflows.|open|[]|false|"},
		{disclosure.OpenAdvisory, func(_ *testing.T, w *world) disclosure.Effect {
			return disclosure.Effect{
				Repo: w.web, SecretTop: disclosure.Seal("Overflow"), Secret: disclosure.Seal("It overflows."), Credit: "rea",
				Body: mark.Block("case/1:draft", "Filed in public."), Mark: mark.End("case/1:draft"), Package: disclosure.Package{Ecosystem: "pip", Name: "web"},
			}
		}, func(t *testing.T, w *world, _ disclosure.Effect) string {
			t.Helper()
			ids := w.sim.Advisories("acme/web")
			a := w.advisory(t, ids[0])
			return fmt.Sprintf("%d %s %v %q", len(ids), a.State, a.Credits, a.Description)
		}, `1 draft [{rea reporter pending}] "It overflows.\n\n<!-- heed:case/1:draft -->\nFiled in public.\n<!-- /heed:case/1:draft -->"`},
		{disclosure.EditAdvisory, func(t *testing.T, w *world) disclosure.Effect {
			return disclosure.Effect{Repo: w.web, GHSA: w.report(t), State: "draft", Severity: "high"}
		}, onAdvisory, "draft|high|[rea]|[]|"},
		{disclosure.Invite, func(t *testing.T, w *world) disclosure.Effect {
			return disclosure.Effect{Repo: w.web, GHSA: w.report(t), People: []string{"bob", "REA"}, Teams: []string{"security"}}
		}, onAdvisory, "triage||[rea bob]|[security]|"},
		{disclosure.CommentAdvisory, func(t *testing.T, w *world) disclosure.Effect {
			return disclosure.Effect{Repo: w.web, GHSA: w.report(t), Body: "Thank you: ", Secret: disclosure.Seal("quoted"), Mark: mark.Private("case/1:receipt")}
		}, onAdvisory, "triage||[rea]|[]|heed[bot]: Thank you: quoted||<!-- heed:case/1:receipt -->"},
		{disclosure.EditStatus, func(t *testing.T, w *world) disclosure.Effect {
			ghsa := w.report(t)
			w.perform(t, disclosure.Effect{Action: disclosure.EditStatus, Repo: w.web, GHSA: ghsa, Body: "Old.", Mark: mark.Private("case/1:status")}, false)
			return disclosure.Effect{Repo: w.web, GHSA: ghsa, Body: "New.", Mark: mark.Private("case/1:status")}
		}, onAdvisory, "triage||[rea]|[]|heed[bot]: New.||<!-- heed:case/1:status -->"},
	}
}

// Every effect is done, and done again as after a crash: once when all went well, once when GitHub
// did it and the answer was lost, once when nothing arrived. It must be there once.
func TestEveryEffectHappensOnce(t *testing.T) {
	t.Parallel()
	for _, c := range effectCases() {
		for name, fault := range map[string]hubsim.Fault{"done": hubsim.None, "landed unanswered": hubsim.LandedUnanswered, "lost": hubsim.Lost} {
			t.Run(string(c.action)+" "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				e := c.make(t, w)
				e.Action = c.action
				failed := false
				w.sim.SetFault(func(r *http.Request, write bool, _ int) hubsim.Fault {
					if !write || failed || strings.HasSuffix(r.URL.Path, "/access_tokens") {
						return hubsim.None
					}
					failed = true
					return fault
				})
				_, err := w.Perform(t.Context(), w.inst, e, false, w.now)
				if (err == nil) != (fault == hubsim.None) {
					t.Errorf("the first time: %v", err)
				}
				if err != nil && (!As(err).Sent || As(err).Kind != Again) {
					t.Errorf("trouble %+v", As(err))
				}
				for range 2 {
					w.now = w.now.Add(time.Minute)
					w.perform(t, e, true)
				}
				if got := c.seen(t, w, e); got != c.want {
					t.Errorf("got\n%s\nwant\n%s", got, c.want)
				}
			})
		}
	}
}

// What was done is not written again: GitHub would tell of it a second time in the timeline, or to
// watchers. The same reaction twice is one for GitHub itself.
func TestWhatIsDoneIsNotWrittenAgain(t *testing.T) {
	t.Parallel()
	cases := append(effectCases(), effectCase{action: disclosure.EditAdvisory, make: func(t *testing.T, w *world) disclosure.Effect {
		return disclosure.Effect{Repo: w.web, GHSA: w.report(t), Severity: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
	}})
	for _, c := range cases {
		if c.action == disclosure.React {
			continue
		}
		t.Run(string(c.action), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			e := c.make(t, w)
			e.Action = c.action
			before := w.sim.Writes()
			w.perform(t, e, false)
			first := w.sim.Writes() - before
			w.perform(t, e, true)
			w.perform(t, e, true)
			most := max(1, len(e.Labels))
			if again := w.sim.Writes() - before - first; first < 1 || first > most || again != 0 {
				t.Errorf("%d writes at first, %d more later", first, again)
			}
		})
	}
}

func TestReceiptsNameWhatWasFoundAgain(t *testing.T) {
	t.Parallel()
	for _, c := range effectCases() {
		switch c.action {
		case disclosure.OpenIssue, disclosure.OpenAdvisory, disclosure.CommentIssue, disclosure.CommentAdvisory, disclosure.EditStatus:
		default:
			continue
		}
		t.Run(string(c.action), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			e := c.make(t, w)
			e.Action = c.action
			first := w.perform(t, e, false)
			if again := w.perform(t, e, true); again.ID != first.ID || again.Number != first.Number || again.GHSA != first.GHSA {
				t.Errorf("first %+v, again %+v", first, again)
			}
			if first.ID == 0 && first.Number == 0 && first.GHSA == "" {
				t.Errorf("an empty receipt")
			}
		})
	}
}

// A mark counts only in text that we wrote, and at its end.
func TestStrangersMarksAreNotOurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, m := leak(t, w), mark.Public([]byte("s"), "reply")
	if _, err := w.sim.CommentIssue("rea", "acme/web", n, "Thanks.\n\n"+m); err != nil {
		t.Fatal(err)
	}
	w.perform(t, disclosure.Effect{Action: disclosure.CommentIssue, Repo: w.web, Number: n, Body: "Ours.", Mark: m}, true)
	cs := w.issue(t, "acme/web", n).Comments
	if len(cs) != 2 || cs[1].Author != "heed[bot]" {
		t.Errorf("our comment was not made: %+v", cs)
	}
}

func TestEditIssueLooksBeforeItTouches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := leak(t, w)
	if err := w.sim.EditIssue("rea", "acme/web", n, "Overflow", "It overflows, and more."); err != nil {
		t.Fatal(err)
	}
	writes := w.sim.Writes()
	e := disclosure.Effect{Action: disclosure.EditIssue, Repo: w.web, Number: n, Title: "Moved", Body: "Gone.", Expect: expect("Overflow", "It overflows.")}
	if _, err := w.Perform(t.Context(), w.inst, e, false, start); !errors.Is(err, ErrChanged) {
		t.Errorf("got %v", err)
	}
	if w.sim.Writes() != writes || w.issue(t, "acme/web", n).Body != "It overflows, and more." {
		t.Error("what a person wrote meanwhile was written over")
	}
	// Our own text stands there already, in the wrong state only.
	e.Expect, e.State, e.Title, e.Body = expect("?", "?"), "closed", "Overflow", "It overflows, and more."
	w.perform(t, e, false)
	if w.issue(t, "acme/web", n).State != "closed" {
		t.Error("the state was not set")
	}
	// Undo gives the words back exactly.
	e.Expect, e.State = expect("Overflow", "It overflows, and more."), "open"
	e.Title, e.Body, e.SecretTop, e.Secret = "", "", disclosure.Seal(" Overflow "), disclosure.Seal("It overflows.\r\n")
	w.perform(t, e, false)
	if i := w.issue(t, "acme/web", n); i.Title != " Overflow " && i.Title != "Overflow" || i.Body != "It overflows.\r\n" || i.State != "open" {
		t.Errorf("restored: %q %q %s", i.Title, i.Body, i.State)
	}
}

func TestACommentThatChangedIsNotDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := leak(t, w)
	id, err := w.sim.CommentIssue("rea", "acme/web", n, "More of it, and what nobody kept.")
	e := disclosure.Effect{Action: disclosure.DeleteComment, Repo: w.web, Number: n, Comment: must(t, id, err), Expect: expect("", "More of it.")}
	if _, err := w.Perform(t.Context(), w.inst, e, false, start); !errors.Is(err, ErrChanged) || len(w.issue(t, "acme/web", n).Comments) != 1 {
		t.Errorf("got %v", err)
	}
}

func TestInviteTellsWhoWasNotAdded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ghsa := w.report(t)
	h := scripted(t, &script{answer: says(200, `{"ghsa_id":"`+ghsa+`","collaborating_users":[{"login":"rea"}],"collaborating_teams":[]}`)})
	r, err := h.Perform(t.Context(), 5, disclosure.Effect{Action: disclosure.Invite, Repo: w.web, GHSA: ghsa, Teams: []string{"security"}}, false, start)
	if err != nil || !strings.Contains(r.Note, "security") {
		t.Errorf("GitHub left the team out and nobody is told: %+v, %v", r, err)
	}
}

func TestWithoutTheCommentsAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ghsa := w.report(t)
	w.sim.SetCommentsAPI(false)
	for _, action := range []disclosure.Action{disclosure.CommentAdvisory, disclosure.EditStatus} {
		for _, again := range []bool{false, true} {
			_, err := w.Perform(t.Context(), w.inst, disclosure.Effect{Action: action, Repo: w.web, GHSA: ghsa, Body: "x", Mark: mark.Private("k")}, again, start)
			if !errors.Is(err, ErrNoComments) || As(err).Kind != Refused {
				t.Errorf("%s: %v", action, err)
			}
		}
	}
}

func TestMaintainerFailsClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for login, want := range map[string]bool{"mia": true, "bob": true, "tom": false, "eve": false, "nobody-at-all": false, "rea": false, "heed[bot]": false} {
		if got, err := w.Maintainer(t.Context(), w.inst, w.web, login, []string{"security", "no-such-team"}); err != nil || got != want {
			t.Errorf("%s: %t, %v", login, got, err)
		}
	}
	if got, err := w.Maintainer(t.Context(), w.inst, disclosure.Repo{Owner: "acme", Name: "gone"}, "bob", nil); err != nil || got {
		t.Errorf("in a repository that is gone: %t, %v", got, err)
	}
	none := says(404, `{}`)
	for _, c := range []struct {
		name         string
		team, person answer
		want, fails  bool
	}{
		{"invited to the team, not in it yet", says(200, `{"state":"pending"}`), none, false, false},
		{"a member", says(200, `{"state":"active"}`), none, true, false},
		{"a team that we may not see", says(403, `{"message":"Resource not accessible"}`), none, false, false},
		{"a team that we may not see, and a writer", says(403, `{"message":"Resource not accessible"}`), says(200, `{"permission":"write"}`), true, false},
		{"only triage", none, says(200, `{"permission":"triage"}`), false, false},
		{"GitHub is down", says(502, ``), says(200, `{"permission":"admin"}`), false, true},
		{"GitHub is down a moment later", none, says(502, ``), false, true},
		{"an answer without a permission", none, says(200, `{}`), false, false},
		{"an answer without a state", says(200, `{}`), none, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := scripted(t, &script{answer: func(path string) reply {
				if strings.Contains(path, "/teams/") {
					return c.team(path)
				}
				return c.person(path)
			}})
			got, err := h.Maintainer(t.Context(), 5, disclosure.Repo{Owner: "acme", Name: "web"}, "mia", []string{"security"})
			if got != c.want || (err != nil) != c.fails {
				t.Errorf("got %t, %v", got, err)
			}
		})
	}
}

func TestATrackerMustBePrivateNow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, answer string
		want         bool
	}{
		{"private", `{"private":true,"visibility":"private"}`, true},
		{"private on a server that does not tell visibility", `{"private":true}`, true},
		{"public", `{"private":false,"visibility":"public"}`, false},
		{"internal: the whole enterprise reads it", `{"private":true,"visibility":"internal"}`, false},
		{"something that nobody has heard of", `{"private":true,"visibility":"organisation"}`, false},
		{"contradictory", `{"private":true,"visibility":"public"}`, false},
		{"an answer that says nothing", `{}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, got, err := scripted(t, &script{answer: says(200, c.answer)}).Private(t.Context(), 5, "acme", "cases")
			if err != nil || got != c.want {
				t.Errorf("got %t, %v", got, err)
			}
		})
	}
	w := newWorld(t)
	w.sim.Publicize("acme/cases")
	if r, private, err := w.Private(t.Context(), w.inst, "acme", "cases"); err != nil || private || r != w.tracker {
		t.Errorf("%v %t %v", r, private, err)
	}
	if _, private, err := w.Private(t.Context(), w.inst, "acme", "nothing"); !IsGone(err) || private {
		t.Errorf("what is not there: %t, %v", private, err)
	}
}

func TestHistoryOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := leak(t, w)
	open := func(want bool) {
		t.Helper()
		if got, err := w.HistoryOpen(t.Context(), w.inst, w.web, n); err != nil || got != want {
			t.Errorf("open: %t, %v", got, err)
		}
	}
	open(false) // never edited
	w.perform(t, disclosure.Effect{Action: disclosure.EditIssue, Repo: w.web, Number: n, Title: "Moved", Body: "Gone.", Expect: expect("Overflow", "It overflows.")}, false)
	open(true)
	if err := w.sim.DeleteRevisions("bob", "acme/web", n); err != nil {
		t.Fatal(err)
	}
	open(false)
	w.sim.Outage(start.Add(time.Minute))
	if got, err := w.HistoryOpen(t.Context(), w.inst, w.web, n); err == nil || !got {
		t.Errorf("not known is not closed: %t, %v", got, err)
	}
	w.now = start.Add(time.Minute)
	w.sim.RateLimit(w.inst, "primary", start.Add(10*time.Minute)) // GraphQL tells it with status 200
	if got, err := w.HistoryOpen(t.Context(), w.inst, w.web, n); err == nil || !got || As(err).Kind != Limited || !As(err).Until.Equal(start.Add(10*time.Minute)) {
		t.Errorf("limited: %t, %v", got, err)
	}
	w.now = start.Add(10 * time.Minute)
	if got, err := w.HistoryOpen(t.Context(), w.inst, disclosure.Repo{Owner: "acme", Name: "gone"}, n); !IsGone(err) || !got {
		t.Errorf("in a repository that is not there: %t, %v", got, err)
	}
	if err := w.sim.DeleteIssue("lea", "acme/web", n); err != nil {
		t.Fatal(err)
	}
	open(false) // with the issue its history is gone
}

func TestFailedDeliveries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, d := range w.sim.Pending() { // of the installation
		w.sim.RecordDelivery(d.ID, http.StatusAccepted)
	}
	want := map[string]int64{}
	var guids []string
	for i := range 120 { // more than a page
		leak(t, w)
		for _, d := range w.sim.Pending() {
			guids = append(guids, d.GUID)
			status := http.StatusAccepted
			if i%3 == 0 {
				status = http.StatusServiceUnavailable
				want[d.GUID] = d.ID
			}
			w.sim.RecordDelivery(d.ID, status)
		}
	}
	w.now = w.now.Add(time.Minute)
	for i, status := range []int{http.StatusAccepted, http.StatusBadGateway} { // sent again: one came through
		guid := guids[i*3]
		if err := w.Redeliver(t.Context(), want[guid]); err != nil {
			t.Fatal(err)
		}
		for _, d := range w.sim.Pending() {
			w.sim.RecordDelivery(d.ID, status)
			if want[guid] = d.ID; status == http.StatusAccepted {
				delete(want, guid)
			}
		}
	}
	list := func(since time.Time) (map[string]int64, error) {
		ds, err := w.FailedDeliveries(t.Context(), since)
		got := map[string]int64{}
		for _, d := range ds {
			got[d.GUID] = d.ID
			if d.Installation != w.inst || d.At.Before(start) {
				t.Errorf("%+v", d)
			}
		}
		if len(got) != len(ds) {
			t.Errorf("%d deliveries are told as %d", len(got), len(ds))
		}
		return got, err
	}
	got, err := list(start)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	got, err = list(w.now)
	if err != nil || len(got) != 1 || got[guids[3]] == 0 {
		t.Errorf("since a minute: %v, %v", got, err)
	}
}

const repository = `"repository":{"id":10,"name":"web","owner":{"login":"acme"},"default_branch":"main","private":false}`

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, event, body string
		fails             string // "" if it is understood
		check             func(Notice) bool
	}{
		{"an issue", "issues", `{"action":"opened","installation":{"id":3},"sender":{"login":"rea"},"issue":{"number":1,"title":"canary","body":"canary","user":{"login":"rea","type":"User"}},` + repository + `}`, "", func(n Notice) bool {
			return n.Issue.Title.Reveal() == "canary" && n.Issue.Author.Login == "rea" && n.Repo == disclosure.Repo{ID: 10, Owner: "acme", Name: "web"} && n.Installation == 3 && n.Branch == "main" && !n.Issue.PullRequest
		}},
		{"an issue with an empty body, by a deleted account", "issues", `{"issue":{"number":1,"title":"t","body":null,"user":null,"pull_request":null},"sender":null,` + repository + `}`, "", func(n Notice) bool {
			return n.Issue.Body.IsZero() && n.Issue.Author == Person{} && !n.Issue.PullRequest
		}},
		{"a comment on a pull request", "issue_comment", `{"issue":{"number":1,"pull_request":{"url":"x"}},"comment":{"id":9,"body":"b"},` + repository + `}`, "", func(n Notice) bool {
			return n.Issue.PullRequest && n.Comment.ID == 9
		}},
		{"a report with nulls where the schema promises values", "repository_advisory", `{"action":"reported","repository_advisory":{"ghsa_id":"GHSA-1","author":null,"created_at":null,"credits":null},` + repository + `}`, "", func(n Notice) bool {
			return n.GHSA == "GHSA-1" && n.Action == "reported"
		}},
		{"a push has its owner's name elsewhere", "push", `{"ref":"refs/heads/main","commits":[{"added":["a"],"modified":["b"],"removed":["c"]}],"repository":{"id":10,"name":"web","owner":{"name":"acme"}}}`, "", func(n Notice) bool {
			return n.Repo.Owner == "acme" && n.Ref == "refs/heads/main" && slices.Equal(n.Paths, []string{"a", "b", "c"})
		}},
		{"a release", "release", `{"release":{"tag_name":"v1"},` + repository + `}`, "", func(n Notice) bool { return n.Tag == "v1" }},
		{"a draft of a release is none", "release", `{"release":{"tag_name":"v1","draft":true},` + repository + `}`, "", func(n Notice) bool { return n.Tag == "" }},
		{"a pre-release is none", "release", `{"release":{"tag_name":"v1","prerelease":true},` + repository + `}`, "", func(n Notice) bool { return n.Tag == "" }},
		{"an event that nobody knows", "quantum_leap", `{"action":"x","issue":"not an object"}`, "", func(n Notice) bool { return n.Event == "quantum_leap" }},
		{"an event that nobody knows and that is no JSON", "quantum_leap", `canary`, "not JSON", nil},
		{"no JSON", "issues", `canary {`, "not JSON", nil},
		{"empty", "issues", ``, "not JSON", nil},
		{"null", "issues", `null`, "without issue", nil},
		{"a list", "issues", `["canary"]`, "type", nil},
		{"an issue without its repository", "issues", `{"issue":{"number":1,"title":"canary"}}`, "without issue or repository", nil},
		{"a number where a title belongs", "issues", `{"issue":{"title":12345678},` + repository + `}`, "issue.title", nil},
		{"a text where a number belongs", "issues", `{"issue":{"number":"canary"},` + repository + `}`, "issue.number", nil},
		{"a time that is none", "issues", `{"issue":{"number":1,"created_at":"canary"},` + repository + `}`, "not JSON", nil},
		{"an advisory without a name", "repository_advisory", `{"repository_advisory":{"ghsa_id":""},` + repository + `}`, "without advisory", nil},
		{"garbage", "push", "\x00\xff{", "not JSON", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n, err := Decode(c.event, []byte(c.body))
			if c.fails == "" {
				if err != nil || !c.check(n) {
					t.Errorf("%+v, %v", n, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Fatalf("got %v, want %q", err, c.fails)
			}
			if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "12345678") {
				t.Errorf("the error quotes the payload: %v", err)
			}
		})
	}
}

func TestWhatTheSweepFindsReadsLikeADelivery(t *testing.T) {
	t.Parallel()
	r := disclosure.Repo{ID: 10, Owner: "acme", Name: "web"}
	sealed := cmp.Comparer(func(a, b disclosure.Embargoed) bool { return a.Reveal() == b.Reveal() })
	for _, c := range []struct {
		name  string
		found Found
		want  Notice
	}{
		{"an advisory", Found{Event: FoundAdvisory, Installation: 3, Repo: r, GHSA: "GHSA-1"}, Notice{Event: FoundAdvisory, Installation: 3, Repo: r, GHSA: "GHSA-1"}},
		{
			"a comment on one",
			Found{Event: FoundComment, Installation: 3, Repo: r, GHSA: "GHSA-1", Comment: &Comment{ID: 9, Body: "canary", Author: &Person{Login: "mia"}, Created: start, Updated: start}},
			Notice{Event: FoundComment, Installation: 3, Repo: r, GHSA: "GHSA-1", Comment: &CommentNotice{ID: 9, Body: disclosure.Seal("canary"), Author: Person{Login: "mia"}, Created: start, Updated: start}},
		},
		{"an edit history", Found{Event: FoundHistory, Installation: 3, Repo: r, Issue: 4}, Notice{Event: FoundHistory, Installation: 3, Repo: r, Issue: &IssueNotice{Number: 4}}},
		{
			"an issue that was missed",
			Found{Event: FoundIssue, Installation: 3, Repo: r, Action: "edited", Sender: Person{Login: "mia", Type: "User"}, About: &IssueNotice{Number: 4, URL: "u", Title: disclosure.Seal("canary"), Body: disclosure.Seal("canary"), Author: Person{Login: "rea", Type: "User"}, State: "open", Locked: true, Labels: []string{"security"}, Created: start, Updated: start}},
			Notice{Event: FoundIssue, Installation: 3, Repo: r, Action: "edited", Sender: Person{Login: "mia", Type: "User"}, Issue: &IssueNotice{Number: 4, URL: "u", Title: disclosure.Seal("canary"), Body: disclosure.Seal("canary"), Author: Person{Login: "rea", Type: "User"}, State: "open", Locked: true, Labels: []string{"security"}, Created: start, Updated: start}},
		},
		{
			"a comment in a tracker that was missed",
			Found{Event: FoundSaid, Installation: 3, Repo: r, Private: true, Action: "created", Sender: Person{Login: "mia"}, About: &IssueNotice{Number: 4, PullRequest: true}, Said: &CommentNotice{ID: 9, Body: disclosure.Seal("/ack"), Author: Person{Login: "mia"}, Created: start, Updated: start}},
			Notice{Event: FoundSaid, Installation: 3, Repo: r, Private: true, Action: "created", Sender: Person{Login: "mia"}, Issue: &IssueNotice{Number: 4, PullRequest: true}, Comment: &CommentNotice{ID: 9, Body: disclosure.Seal("/ack"), Author: Person{Login: "mia"}, Created: start, Updated: start}},
		},
		{"a policy", Found{Event: FoundPolicy, Installation: 3, Repo: r}, Notice{Event: FoundPolicy, Installation: 3, Repo: r}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := Decode(c.found.Event, c.found.Payload())
			if diff := cmp.Diff(c.want, got, sealed); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// Anybody can send anything; what is not understood is told without its words.
func FuzzDecode(f *testing.F) {
	for event := range understood() {
		f.Add(event, []byte(`{"issue":{"title":"canary"},"comment":{"body":"canary"},"repository_advisory":{"ghsa_id":"GHSA-1"},"release":{},`+repository+`}`))
		f.Add(event, []byte(`{"issue":[],"ref":"canary`))
	}
	f.Add("unknown", []byte(`{"sender":{"login":7}}`))
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		n, err := Decode(event, body)
		if err != nil {
			if strings.Contains(err.Error(), "canary") && !strings.Contains(event, "canary") {
				t.Errorf("the error quotes the payload: %v", err)
			}
			return
		}
		if n.Event != event {
			t.Errorf("%q became %q", event, n.Event)
		}
	})
}

func one() int { return 1 }

// A policy that points at a file of somebody else is taken as it stands, and nobody else is asked.
func TestAPolicyDoesNotPointElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sim.AddRepo("acme", "theirs", false)
	const text = "remote: acme/theirs\npath: .github/disclosure.yml\n"
	for repo, content := range map[string]string{"acme/web": text, "acme/theirs": "version: 1\nteam: nobody\n"} {
		if err := w.sim.PushFile("lea", repo, PolicyPath, content); err != nil {
			t.Fatal(err)
		}
	}
	got, source, err := w.Policy(t.Context(), w.inst, w.web)
	if err != nil || string(got) != text || !strings.HasSuffix(source, PolicyPath) {
		t.Errorf("%q from %s, %v", got, source, err)
	}
	for _, c := range w.sim.Journal() {
		if strings.Contains(c.Path, "theirs") {
			t.Error("asked", c.Path)
		}
	}
}

package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/hubsim"
	"github.com/heed-app/heed/pkg/mark"
)

// asked tells with which status the calls of one route were answered since the journal had so many
// entries.
func (w *world) asked(since int, route string) (out []int) {
	for _, c := range w.sim.Journal()[since:] {
		if c.Route == route {
			out = append(out, c.Status)
		}
	}
	return out
}

const advisoriesRoute = "GET /repos/{owner}/{repo}/security-advisories"

func TestWhatDidNotChangeIsNotSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	watching := Watching(t.Context())
	list := func() []Advisory {
		t.Helper()
		as, err := w.Advisories(watching, w.inst, w.web, time.Time{})
		return must(t, as, err)
	}
	ghsa := w.report(t)
	begin := len(w.sim.Journal())
	for range 2 {
		if len(list()) != 1 {
			t.Error("the report is not listed")
		}
	}
	w.Renew(w.inst) // the hour is over: another token
	if as := list(); len(as) != 1 || as[0].GHSA != ghsa {
		t.Errorf("after the token changed: %v", as)
	}
	w.now = w.now.Add(time.Minute)
	if err := w.sim.CloseAdvisory("lea", "acme/web", ghsa); err != nil {
		t.Fatal(err)
	}
	if as := list(); as[0].State != "closed" {
		t.Errorf("what changed is not seen: %s", as[0].State)
	}
	if got := w.asked(begin, advisoriesRoute); !slices.Equal(got, []int{200, 304, 304, 200}) {
		t.Errorf("answered %v", got)
	}
	begin = len(w.sim.Journal())
	if _, err := w.Advisories(t.Context(), w.inst, w.web, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got := w.asked(begin, advisoriesRoute); !slices.Equal(got, []int{200}) {
		t.Errorf("whoever acts was told from memory: %v", got)
	}
}

// The pages of a list follow each other also when they come from memory: a 304 does not say what
// follows.
func TestPagesFromMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 120 {
		if i%50 == 0 {
			w.now = w.now.Add(time.Hour)
		}
		w.report(t)
	}
	for range 2 {
		as, err := w.Advisories(Watching(t.Context()), w.inst, w.web, time.Time{})
		if err != nil || len(as) != 120 {
			t.Errorf("%d of 120, %v", len(as), err)
		}
	}
	if got := w.asked(0, advisoriesRoute); !slices.Equal(got, []int{200, 200, 304, 304}) {
		t.Errorf("answered %v", got)
	}
}

// What one installation was told, no other is told, whatever address it asks.
func TestMemoryIsPerInstallation(t *testing.T) {
	t.Parallel()
	m := newMemory(1 << 20)
	var conditional []bool
	next := func(r *http.Request) (*http.Response, error) {
		conditional = append(conditional, r.Header.Get("If-None-Match") != "")
		return &http.Response{StatusCode: 200, Header: http.Header{"Etag": {`"x"`}}, Body: io.NopCloser(strings.NewReader("canary"))}, nil
	}
	for _, inst := range []int64{1, 2, 1} {
		l := line{tripper(next), inst, m, newGate(one)}
		r := httptest.NewRequestWithContext(Watching(t.Context()), http.MethodGet, "https://api.github.test/x", nil)
		res, err := l.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	if !slices.Equal(conditional, []bool{false, false, true}) {
		t.Errorf("asked conditionally: %v", conditional)
	}
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	m := newMemory(100_000)
	add := func(url string, size int) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.github.test/", nil)
		res, err := m.keep(question{url: url}, r, &http.Response{Header: http.Header{}, Body: io.NopCloser(strings.NewReader(strings.Repeat("x", size)))})
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	for i := range 500 {
		add(fmt.Sprint(i), 1000)
		add("again and again", 2000)
		add(fmt.Sprint("large", i), 50_000)
		if m.size > 100_000 {
			t.Fatalf("%d bytes", m.size)
		}
	}
	if _, there := m.recall(question{url: "499"}); !there || m.lru.Len() < 30 {
		t.Errorf("%d answers, the last among them: %t", m.lru.Len(), there)
	}
	if _, there := m.recall(question{url: "large499"}); there {
		t.Error("one answer drives all others out")
	}
	for m.lru.Len() > 0 {
		m.lru.RemoveOldest()
	}
	if m.size != 0 {
		t.Errorf("an empty memory weighs %d", m.size)
	}
}

// server is a GitHub on a real wire, for what a made-up transport cannot do.
func server(t *testing.T, h http.HandlerFunc) *Hub {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /app/installations/{id}/access_tokens", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"token":"ghs_1","expires_at":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339))
	})
	mux.HandleFunc("/", h)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	sim := hubsim.New(time.Now, hubsim.App{ID: 7, Slug: "heed", Key: must2(appKey())})
	return newHubAt(t, s.URL+"/", sim.PrivateKey(), http.DefaultTransport, func() time.Time { return start })
}

func must2[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestTheWireBreaks(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"before the answer": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"in the middle of it": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"title":"canary`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"in the middle of it, and nobody tells": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"title":"canary`) },
		"a page for people instead of an answer": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `<html>canary</html>`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := server(t, h)
			r := disclosure.Repo{Owner: "acme", Name: "web"}
			_, read := h.Issue(t.Context(), 5, r, 1)
			_, list := h.Advisories(Watching(t.Context()), 5, r, time.Time{})
			_, write := h.Perform(t.Context(), 5, disclosure.Effect{Action: disclosure.CommentIssue, Repo: r, Number: 1, Body: "x"}, false, start)
			for what, err := range map[string]error{"read": read, "list": list, "write": write} {
				if err == nil || As(err).Kind != Again || !As(err).Sent || strings.Contains(err.Error(), "canary") {
					t.Errorf("%s: %+v", what, As(err))
				}
			}
		})
	}
}

// GitHub sends whoever asks for something renamed or moved to its new address. A write must stay a
// write: Go's client would make a GET of it at 301 and 302, and take the answer for success.
func TestRedirects(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			var seen []string
			h := server(t, func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasPrefix(r.URL.Path, "/repositories/") {
					http.Redirect(w, r, "/repositories/10/issues/1", status)
					return
				}
				body, _ := io.ReadAll(r.Body)
				seen = append(seen, strings.TrimSpace(r.Method+" "+string(body)))
				_, _ = io.WriteString(w, `{"title":"Old","body":"Old","state":"open"}`)
			})
			e := disclosure.Effect{Action: disclosure.EditIssue, Repo: disclosure.Repo{Owner: "acme", Name: "old"}, Number: 1, Title: "New", Body: "New", Expect: expect("Old", "Old")}
			if _, err := h.Perform(t.Context(), 5, e, false, start); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(seen, []string{"GET", `PATCH {"title":"New","body":"New"}`}) {
				t.Errorf("GitHub saw %q", seen)
			}
		})
	}
	t.Run("away from GitHub", func(t *testing.T) {
		t.Parallel()
		stranger := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			t.Errorf("a stranger was shown %.8q", r.Header.Get("Authorization"))
		}))
		defer stranger.Close()
		h := server(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, stranger.URL+"/x", http.StatusMovedPermanently)
		})
		if _, err := h.Issue(t.Context(), 5, disclosure.Repo{Owner: "acme", Name: "web"}, 1); err == nil || As(err).Kind != Refused {
			t.Errorf("got %+v", As(err))
		}
	})
	t.Run("to the same host in the clear", func(t *testing.T) {
		t.Parallel()
		var asked []string
		l := &line{gate: newGate(one), memory: newMemory(mostRemembered), next: roundTrip(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.URL.String())
			return &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {"http://api.github.test/x"}}, Body: http.NoBody, Request: r}, nil
		})}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.github.test/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (&http.Client{Transport: l}).Do(r); !errors.Is(err, errElsewhere) || len(asked) != 1 { //nolint:bodyclose // there is none
			t.Errorf("asked %q, %v", asked, err)
		}
	})
}

// roundTrip is a transport that answers by itself.
type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A token may end before its hour: then a new one is asked for, and what failed is tried by whoever
// wanted it, who looks before writing again.
func TestATokenThatGitHubRefusesIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := leak(t, w)
	e := disclosure.Effect{Action: disclosure.CommentIssue, Repo: w.web, Number: n, Body: "Thanks.", Mark: mark.Public([]byte("s"), "reply")}
	refuse := true
	w.sim.SetFault(func(r *http.Request, _ bool, _ int) hubsim.Fault {
		if refuse && strings.HasSuffix(r.URL.Path, "/comments") {
			refuse = false
			return http.StatusUnauthorized
		}
		return hubsim.None
	})
	_, err := w.Perform(t.Context(), w.inst, e, false, w.now)
	if err == nil || As(err).Kind != Again || As(err).Status != http.StatusUnauthorized {
		t.Fatalf("got %+v", err)
	}
	before := len(w.asked(0, "POST /app/installations/{installation_id}/access_tokens"))
	w.perform(t, e, true)
	if n := len(w.asked(0, "POST /app/installations/{installation_id}/access_tokens")); n != before+1 {
		t.Errorf("%d new tokens", n-before)
	}
	if cs := w.issue(t, "acme/web", n).Comments; len(cs) != 1 {
		t.Errorf("%d comments", len(cs))
	}
}

// What GitHub does to whole repositories and installations, by its own answers.
func TestVanished(t *testing.T) {
	t.Parallel()
	comment := func(w *world, n int) error {
		_, err := w.Perform(context.Background(), w.inst, disclosure.Effect{Action: disclosure.CommentIssue, Repo: w.web, Number: n, Body: "Thanks.", Mark: mark.Public([]byte("s"), "reply")}, false, w.now)
		return err
	}
	for _, c := range []struct {
		name   string
		change func(w *world, n int)
		want   TroubleKind // "": it works
	}{
		{"renamed", func(w *world, _ int) { w.sim.Rename("acme/web", "site") }, ""},
		{"archived", func(w *world, _ int) { w.sim.Archive("acme/web") }, Refused},
		{"deleted", func(w *world, _ int) { w.sim.DeleteRepo("acme/web") }, Gone},
		{"the issue is deleted", func(w *world, n int) { _ = w.sim.DeleteIssue("lea", "acme/web", n) }, Gone},
		{"suspended", func(w *world, _ int) { w.sim.Suspend("acme") }, Suspended},
		{"uninstalled", func(w *world, _ int) { w.sim.Uninstall("acme"); w.Renew(w.inst) }, Suspended},
		{"uninstalled, with a token in hand", func(w *world, n int) { // 401 first, and there is no new token
			w.sim.Uninstall("acme")
			_ = comment(w, n)
		}, Suspended},
		{"without the permission", func(w *world, _ int) { w.sim.SetPermissions(map[string]string{"metadata": "read"}) }, Refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			n := leak(t, w)
			c.change(w, n)
			err := comment(w, n)
			if c.want == "" && err != nil || c.want != "" && (err == nil || As(err).Kind != c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("private: no advisories any more", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		ghsa := w.report(t)
		w.sim.Privatize("acme/web")
		if _, err := w.Advisory(t.Context(), w.inst, w.web, ghsa); !IsGone(err) {
			t.Errorf("got %v", err)
		}
	})
}

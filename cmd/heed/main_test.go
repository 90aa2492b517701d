package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/heed-app/heed/config"
	"github.com/heed-app/heed/pkg/app"
	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/promise"
	"github.com/heed-app/heed/pkg/store"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"heed": main}) }

// TestScript reads like a session at a terminal.
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata", RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"port": port, "get": ask(http.MethodGet), "post": ask(http.MethodPost), "database": database, "hold": hold, "terminate": terminate,
		},
	})
}

// port NAME: puts the address of a free port into a variable.
func port(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	ts.Check(l.Close())
}

// ask makes the verbs get ADDRESS PATH and post ADDRESS PATH, which print the answer. They wait for
// a server that is starting.
func ask(method string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		var last error
		for range 500 {
			req, err := http.NewRequestWithContext(context.Background(), method, "http://"+args[0]+args[1], nil)
			ts.Check(err)
			res, err := http.DefaultClient.Do(req)
			if last = err; err != nil {
				<-time.After(10 * time.Millisecond)
				continue
			}
			body, err := io.ReadAll(res.Body)
			ts.Check(errors.Join(err, res.Body.Close()))
			fmt.Fprintf(ts.Stdout(), "%d\n%s", res.StatusCode, body)
			return
		}
		ts.Check(last)
	}
}

func open(ts *testscript.TestScript, path string) *store.Store {
	st, err := app.OpenStore(context.Background(), config.Server{Database: "sqlite://" + ts.MkAbs(path)})
	ts.Check(err)
	return st
}

// database FILE [full|parked]: makes a database, empty, with two cases in it, or with work besides that was
// laid aside.
func database(ts *testscript.TestScript, _ bool, args []string) {
	st, now := open(ts, args[0]), time.Now()
	_, err := st.Secret(context.Background(), now) // as the App does when it starts
	ts.Check(err)
	if len(args) > 1 {
		ts.Check(st.Write(context.Background(), now, func(tx *store.Tx) error { return fill(tx, now) }))
	}
	if len(args) > 1 && args[1] == "parked" {
		ts.Check(park(st, now))
	}
	ts.Check(st.Close())
}

// fill: one case that nobody answered, and one that is over.
func fill(tx *store.Tx, now time.Time) error {
	ctx := context.Background()
	opened := now.Add(-50 * time.Hour)
	rule := promise.Rule{Kind: promise.Acknowledge, Within: promise.Span{Duration: 48 * time.Hour}}
	late := disclosure.Case{
		Repo: disclosure.Repo{ID: 1, Owner: "acme", Name: "web"}, Kind: disclosure.PrivateReport, State: disclosure.Received, Opened: opened,
		Reporter: "rea", GHSA: "GHSA-aaaa-bbbb-cccc", Clocks: []promise.Clock{{Rule: rule, Start: opened}},
		Title: disclosure.Seal("a deadly header"), Body: disclosure.Seal("a deadly header"),
	}
	over := disclosure.Case{Repo: late.Repo, Kind: disclosure.Contact, State: disclosure.Closed, Outcome: disclosure.Told, Opened: opened, Coordinator: "mia"}
	for _, c := range []disclosure.Case{late, over} {
		var err error
		if c.ID, err = tx.NewCase(ctx); err != nil {
			return err
		}
		lines := []disclosure.Line{{At: opened, By: "rea", Text: "reported\x1b[2J in private"}}
		e := disclosure.Effect{Key: fmt.Sprintf("case/%d:receipt", c.ID), Action: disclosure.CommentAdvisory, Audience: disclosure.Reporters}
		if err := tx.Save(ctx, c, lines, []disclosure.Effect{e}); err != nil {
			return err
		}
	}
	return nil
}

// park lays aside a delivery that nobody understands and what was to be done for the first case; the mode
// of the second one's policy keeps its effect.
func park(st *store.Store, now time.Time) error {
	ctx := context.Background()
	if err := st.Accept(ctx, now, store.Delivery{GUID: "a", Event: "issues", Received: now, Body: []byte("a deadly header")}); err != nil {
		return err
	}
	if _, err := st.NewDeliveries(ctx, "a", now); err != nil {
		return err
	}
	lane, err := st.TakeLane(ctx, 1, now)
	if err != nil {
		return err
	}
	a, err := st.Begin(ctx, lane, now)
	if err != nil {
		return err
	}
	return st.Write(ctx, now, func(tx *store.Tx) error {
		_, err1 := tx.ParkEffect(ctx, a.Key, "403 Forbidden")
		_, err2 := tx.ParkEffect(ctx, "case/2:receipt", "dry run: not done")
		return errors.Join(tx.ParkDelivery(ctx, 1, "the body\x1b[2J is not JSON"), err1, err2)
	})
}

// hold FILE: keeps a database open until the script ends, as a running App does.
func hold(ts *testscript.TestScript, _ bool, args []string) {
	st := open(ts, args[0])
	_, err := st.Cases(context.Background(), true)
	ts.Check(err)
	ts.Defer(func() { _ = st.Close() })
}

// terminate asks the commands in the background to end, as init systems do.
func terminate(ts *testscript.TestScript, _ bool, _ []string) {
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(syscall.SIGTERM))
	}
}

// TestDemo plays the whole story, looks at the page, and presses Ctrl-C.
func TestDemo(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	ctx, interrupt := context.WithTimeout(t.Context(), 2*time.Minute)
	defer interrupt()
	var out, problems buffer
	p := program{in: strings.NewReader(""), out: &out, err: &problems, getenv: func(string) string { return "" }}
	code := make(chan int)
	go func() { code <- p.run(ctx, []string{"demo", "--fast", "--listen", "127.0.0.1:0"}) }()
	for !strings.Contains(out.String(), "press Ctrl-C to leave") {
		select {
		case n := <-code:
			t.Fatalf("the demo left with %d: %s\n%s", n, problems.String(), out.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
	_, rest, _ := strings.Cut(out.String(), "Dashboard: ")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.Fields(rest)[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil || !strings.Contains(string(page), "closed: released") {
		t.Errorf("the dashboard does not show the closed case: %v\n%s", err, page)
	}
	interrupt()
	if n := <-code; n != exitOK {
		t.Errorf("exit code %d: %s", n, problems.String())
	}
	for _, want := range []string{
		"1  A private report", "2  A leak", "3  Silence", "4  An answer", "5  Accepted", "6  The release",
		"in 24 hours", "in 10 hours", "@mia @acme/leads", "header parser (published)",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the story lacks %q", want)
		}
	}
	tooWide(t, out.String())
	if left, _ := os.ReadDir(tmp); len(left) > 0 {
		t.Errorf("the demo left %v behind", left)
	}
}

func tooWide(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > columns && !strings.Contains(line, "http") { // addresses are not broken
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// buffer is written by one goroutine and read by another.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// TestDemoIsTheApp: the made-up GitHub grants what app.yml asks for.
func TestDemoIsTheApp(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.FromSlash("../../app.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Permissions map[string]string `yaml:"default_permissions"`
		Events      []string          `yaml:"default_events"`
	}
	if err := yaml.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(m.Permissions, demoPermissions()) + cmp.Diff(m.Events, demoEvents()); d != "" {
		t.Error(d)
	}
}

func TestJudgeLines(t *testing.T) {
	t.Parallel()
	long := `{"title":"a","body":"` + strings.Repeat("b", maxLine-23) + `"}`
	for _, tt := range []struct{ name, in, err string }{
		{"as long as may be", long + "\r\n" + long, ""},
		{"too long", "{}\n" + long + "b\n", "x:2: the line is longer than 1 MiB"},
		{"broken", "{}\n{\"title\":\n", "x:2: unexpected end of JSON input"},
		{"no object", "{}\n\nnull\n", "x:3: want"},
		{"wrong type", "{\"title\": 7}\n", "x:1: json: cannot unmarshal number"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := judgeLines("x", strings.NewReader(tt.in), &out)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
			for line := range strings.Lines(out.String()) {
				var j judgement
				if err := json.Unmarshal([]byte(line), &j); err != nil || j.Why == nil {
					t.Errorf("%v: %s", err, line)
				}
			}
		})
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	got := strings.Join(wrap("- [ ] one two three four", 16), "\n")
	if want := "- [ ] one two\n      three four"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := strings.Join(wrap("Answered    in time, by mia herself", 27), "\n"), "Answered    in time, by mia\n            herself"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := wrap("State         open", 40); got[0] != "State         open" {
		t.Errorf("a table lost its columns: %q", got)
	}
}

func BenchmarkJudgeLines(b *testing.B) {
	in := strings.Repeat(`{"title":"Crash when saving","body":"`+strings.Repeat("It falls over when I press save, see the log below. ", 20)+"\"}\n", 1000)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if err := judgeLines("x", strings.NewReader(in), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/heed-app/heed/config"
	"github.com/heed-app/heed/pkg/hubsim"
	"github.com/heed-app/heed/pkg/store"
	"github.com/heed-app/heed/pkg/store/postgrestest"
)

var update = flag.Bool("update", false, "rewrite the expectations inside the stories")

const stories = "../../testdata/story"

// TestStory tells every story once: the real wiring over a GitHub that keeps state.
func TestStory(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: stories, Cmds: verbs(), RequireUniqueNames: true, UpdateScripts: *update,
		Setup: func(e *testscript.Env) error { return setUp(e, nil, nil) },
	})
}

// TestStoryOnPostgres tells them again with the other database.
func TestStoryOnPostgres(t *testing.T) {
	t.Parallel()
	server := postgrestest.For(t)
	testscript.Run(t, testscript.Params{
		Dir: stories, Cmds: verbs(), RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			url, err := server.Database(t.Context())
			if err != nil {
				return err
			}
			return setUpIn(e.WorkDir, url, e, nil, nil)
		},
	})
}

// setUp gives a story its world. change may arrange it; end is told about it when it is over.
func setUp(e *testscript.Env, change, end func(*world)) error {
	return setUpIn(e.WorkDir, "", e, change, end)
}

// setUpIn is setUp with the database in a directory of its own below root, or at a URL.
func setUpIn(root, postgres string, e *testscript.Env, change, end func(*world)) error {
	dir, err := os.MkdirTemp(root, "world")
	if err != nil {
		return err
	}
	w, err := newWorld(dir, postgres, quiet())
	if err != nil {
		return err
	}
	if change != nil {
		change(w)
	}
	e.Values["world"] = w
	e.Defer(func() {
		if end != nil {
			end(w)
		}
		if err := errors.Join(w.powerOff(), os.RemoveAll(dir)); err != nil {
			panic(err)
		}
	})
	return nil
}

type verb = func(ts *testscript.TestScript, neg bool, args []string)

func verbs() map[string]verb {
	all := map[string]verb{
		"at":        at,
		"advance":   advance,
		"settle":    func(ts *testscript.TestScript, _ bool, _ []string) { ts.Check(of(ts).settle()) },
		"sweep":     func(ts *testscript.TestScript, _ bool, _ []string) { ts.Check(of(ts).sweep()) },
		"policy":    policyFile,
		"redeliver": redeliver,
		"power-cut": powerCut,
		"webhooks":  webhooks,
		"github":    github,
		"canary":    func(ts *testscript.TestScript, _ bool, args []string) { of(ts).sim.Canary(args...) },
		"lift":      func(ts *testscript.TestScript, _ bool, args []string) { of(ts).sim.Lift(args...) },
		"cases":     showCases,
		"rulings":   showRulings,
		"opinion":   opinion,
		"parked":    showParked,
		"operator":  operator,
		"laws":      laws,
		"calls":     calls,
		"public":    func(ts *testscript.TestScript, neg bool, args []string) { person("")(ts, neg, args) },
		"ready":     ready,
		"away":      away,
		"bans":      func(ts *testscript.TestScript, _ bool, _ []string) { fmt.Fprintln(ts.Stdout(), of(ts).sim.BanCalls()) },
		"writes":    func(ts *testscript.TestScript, _ bool, _ []string) { fmt.Fprintln(ts.Stdout(), of(ts).sim.Writes()) },
		"probes":    probes,
		"patches":   patches,
	}
	for _, name := range []string{"rea", "eve", "mia", "sam", "lea", "bob", "tom", "dependabot[bot]"} {
		all[name] = person(name)
	}
	return all
}

func of(ts *testscript.TestScript) *world { return ts.Value("world").(*world) }

func at(ts *testscript.TestScript, _ bool, args []string) {
	t, err := time.Parse(time.RFC3339, args[0])
	ts.Check(err)
	of(ts).now = t
}

func advance(ts *testscript.TestScript, _ bool, args []string) {
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	ts.Check(of(ts).advance(d))
}

// policy [REPO PATH] FILE: Lea pushes a policy file.
func policyFile(ts *testscript.TestScript, _ bool, args []string) {
	w, repo, path := of(ts), "acme/web", ".github/disclosure.yml"
	if len(args) == 3 {
		repo, path = args[0], args[1]
	}
	ts.Check(w.sim.PushFile("lea", repo, path, ts.ReadFile(args[len(args)-1])))
	ts.Check(w.settle())
}

// redeliver all|recorded: GitHub sends everything it ever sent once more, in reverse order; or somebody
// else does who recorded it, under names of his own, which the signatures do not cover.
func redeliver(ts *testscript.TestScript, _ bool, args []string) {
	w := of(ts)
	sent := w.sim.Sent()
	for i, d := range slices.Backward(sent) {
		if args[0] == "all" {
			ts.Check(w.sim.Redeliver(d.GUID))
			continue
		}
		h := d.Header.Clone()
		h.Set("X-GitHub-Delivery", fmt.Sprintf("recorded-%d", i))
		ts.Check(w.persist(func() error {
			if status := w.knock(h, d.Body); status != http.StatusAccepted {
				return fmt.Errorf("the door answered %d to %s", status, d.Event)
			}
			return nil
		}))
	}
	ts.Check(w.settle())
}

func powerCut(ts *testscript.TestScript, _ bool, _ []string) {
	w := of(ts)
	ts.Check(w.powerOff())
	ts.Check(w.powerOn())
	ts.Check(w.settle())
}

// webhooks lost|found|failed|forgotten: from now on webhooks do not arrive; they do; those that did
// not are known to GitHub as failed; GitHub believes that they arrived.
func webhooks(ts *testscript.TestScript, _ bool, args []string) {
	w := of(ts)
	switch args[0] {
	case "lost":
		w.lost = true
	case "found":
		w.lost = false
		ts.Check(w.settle())
	case "failed", "forgotten":
		status := map[string]int{"failed": http.StatusServiceUnavailable, "forgotten": http.StatusAccepted}[args[0]]
		for _, d := range w.sim.Pending() {
			w.sim.RecordDelivery(d.ID, status)
		}
		w.lost = false
	}
}

// github down|limits|… D: GitHub misbehaves for a while.
func github(ts *testscript.TestScript, _ bool, args []string) {
	w := of(ts)
	until := func() time.Time {
		d, err := time.ParseDuration(args[len(args)-1])
		ts.Check(err)
		return w.now.Add(d)
	}
	switch args[0] {
	case "down":
		w.sim.Outage(until())
	case "limits":
		w.sim.RateLimit(w.sim.Installation("acme"), args[1], until())
	case "suspends":
		w.sim.Suspend("acme")
	case "resumes":
		w.sim.Unsuspend("acme")
	case "uninstalls":
		w.sim.Uninstall("acme")
	case "installs":
		w.sim.Install("acme")
	case "comments-api":
		w.sim.SetCommentsAPI(args[1] == "on")
	case "pvr":
		w.sim.SetPVR("acme/web", args[1] == "on")
	case "publicizes":
		w.sim.Publicize(args[1])
	case "privatizes":
		w.sim.Privatize(args[1])
	case "archives":
		w.sim.Archive(args[1])
	case "transfers": // REPO OWNER
		w.sim.Transfer(args[1], args[2])
	case "renames": // REPO NAME, or ACCOUNT LOGIN
		if !strings.Contains(args[1], "/") {
			w.sim.RenameAccount(args[1], args[2])
			break
		}
		w.sim.Rename(args[1], args[2])
	case "grants": // REPO LOGIN PERMISSION
		w.sim.Grant(args[1], args[2], args[3])
	case "forbids": // github forbids issues
		m, err := manifest()
		ts.Check(err)
		left := map[string]string{}
		for k, v := range m.Permissions {
			if k != args[1] {
				left[k] = v
			}
		}
		w.sim.SetPermissions(left)
	case "assigns-cve":
		ts.Check(w.sim.AssignCVE("acme/web", advisory(ts, args[1], args[2]), args[3]))
	default:
		ts.Fatalf("github does not %s", args[0])
	}
	ts.Check(w.settle())
}

// showCases prints what Heed itself believes.
func showCases(ts *testscript.TestScript, _ bool, _ []string) {
	cs, err := of(ts).app.Store.Cases(context.Background(), true)
	ts.Check(err)
	for _, c := range slices.Backward(cs) {
		fmt.Fprintf(ts.Stdout(), "%d %s %s", c.ID, c.Kind, c.State)
		if c.Outcome != "" {
			fmt.Fprintf(ts.Stdout(), " (%s)", c.Outcome)
		}
		if !c.Ack.At.IsZero() {
			fmt.Fprintf(ts.Stdout(), " answered by %q (%s) at %s", c.Ack.By, c.Ack.How, c.Ack.At.Format(time.RFC3339))
		}
		fmt.Fprintln(ts.Stdout())
	}
	if len(cs) == 0 {
		fmt.Fprintln(ts.Stdout(), "no cases")
	}
}

// showRulings prints what maintainers said about public texts, and what the detector thought of them.
func showRulings(ts *testscript.TestScript, _ bool, _ []string) {
	labels, err := of(ts).app.Store.Labels(context.Background())
	ts.Check(err)
	for _, l := range labels {
		fmt.Fprintf(ts.Stdout(), "case %d: report %t, score %.1f\n", l.Case, l.Security, l.Score)
	}
	if len(labels) == 0 {
		fmt.Fprintln(ts.Stdout(), "no rulings")
	}
}

// opinion yes|no|WORDS: from now on the operator's own language model is asked, and answers so.
func opinion(ts *testscript.TestScript, _ bool, args []string) {
	w := of(ts)
	answer := map[string]string{"yes": `{"report": true}`, "no": `{"report": false}`}[args[0]]
	if answer == "" {
		answer = args[0]
	}
	body, err := json.Marshal(map[string]any{"choices": []any{map[string]any{"message": map[string]string{"content": answer}}}})
	ts.Check(err)
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write(body) }))
	ts.Defer(srv.Close)
	w.opinion = config.Opinion{URL: srv.URL, Model: "small", Timeout: 10 * time.Second}
	ts.Check(w.powerOff())
	ts.Check(w.powerOn())
}

// away D: the power is off for a while; the world goes on.
func away(ts *testscript.TestScript, _ bool, args []string) {
	w := of(ts)
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	ts.Check(w.powerOff())
	w.now = w.now.Add(d)
	ts.Check(w.powerOn())
	ts.Check(w.advance(0))
}

// probes says whether Heed asked often for an installation that is gone: at most once a minute.
func probes(ts *testscript.TestScript, _ bool, _ []string) {
	perMinute := map[time.Time]int{}
	for _, c := range of(ts).sim.Journal() {
		if c.Status == 404 && strings.HasSuffix(c.Path, "/access_tokens") {
			perMinute[c.At.Truncate(time.Minute)]++
		}
	}
	for at, n := range perMinute {
		if n > 3 {
			fmt.Fprintf(ts.Stdout(), "%d in the minute of %s\n", n, at)
			return
		}
	}
	fmt.Fprintln(ts.Stdout(), "few")
}

// patches REPO N VERSION: Lea says on the advisory which version carries the fix.
func patches(ts *testscript.TestScript, _ bool, args []string) {
	w := of(ts)
	ts.Check(w.sim.SetPatched(args[0], advisory(ts, args[0], args[1]), args[2]))
	ts.Check(w.settle())
}

func showParked(ts *testscript.TestScript, _ bool, _ []string) {
	var lines []string
	rs, err := of(ts).app.Store.Records(context.Background(), 0)
	ts.Check(err)
	for _, r := range rs {
		lines = append(lines, r.Key+": "+r.Reason)
	}
	ds, err := of(ts).app.Store.ParkedDeliveries(context.Background())
	ts.Check(err)
	for _, d := range ds {
		lines = append(lines, "delivery of "+d.Event+": "+d.Reason)
	}
	show(ts, lines, "nothing")
}

// operator retries|drops NAME: somebody at the command line decides about what was laid aside.
func operator(ts *testscript.TestScript, _ bool, args []string) {
	w, ctx := of(ts), context.Background()
	all, err := w.app.Store.Work(ctx)
	ts.Check(err)
	i := slices.IndexFunc(all, func(x store.Work) bool { return x.What == args[1] })
	if i < 0 {
		ts.Fatalf("no %s lies aside", args[1])
	}
	do := map[string]func(context.Context, time.Time, string) error{"retries": w.app.Store.RetryWork, "approves": w.app.Store.ApproveWork, "drops": w.app.Store.DropWork}[args[0]]
	ts.Check(w.alive(func() error { return do(ctx, w.now, all[i].ID) }))
	ts.Check(w.settle())
}

func laws(ts *testscript.TestScript, _ bool, _ []string) {
	show(ts, of(ts).sim.Violations(), "kept")
}

// calls prints how many calls were made since it was asked last.
func calls(ts *testscript.TestScript, _ bool, _ []string) {
	w := of(ts)
	reads, writes := count(w.sim.Journal()[w.counted:])
	w.counted = len(w.sim.Journal())
	fmt.Fprintf(ts.Stdout(), "%d writing, %d reading\n", writes, reads)
}

// count leaves out the minting of tokens.
func count(journal []hubsim.Call) (reads, writes int) {
	for _, c := range journal {
		switch {
		case strings.HasSuffix(c.Path, "/access_tokens") || c.Path == "/app":
		case c.Write:
			writes++
		default:
			reads++
		}
	}
	return reads, writes
}

func advisory(ts *testscript.TestScript, repo, n string) string {
	all := of(ts).sim.Advisories(repo)
	i, err := strconv.Atoi(n)
	ts.Check(err)
	if i > len(all) {
		ts.Fatalf("%s has %d advisories", repo, len(all))
	}
	return all[i-1]
}

// person makes the verb of somebody. login "" is the public.
func person(login string) verb {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		w := of(ts)
		err := act(ts, w, login, args)
		if neg {
			if err == nil {
				ts.Fatalf("%s could do that", login)
			}
			return
		}
		ts.Check(err)
		if !strings.HasPrefix(args[0], "sees") && args[0] != "reads" {
			ts.Check(w.settle())
		}
	}
}

// text is an argument, or with @ the content of a file. The first line of a report is its title.
func text(ts *testscript.TestScript, arg string) string {
	if name, ok := strings.CutPrefix(arg, "@"); ok {
		return strings.TrimSuffix(ts.ReadFile(name), "\n")
	}
	return arg
}

func titled(ts *testscript.TestScript, arg string) (title, body string) {
	title, body, _ = strings.Cut(text(ts, "@"+arg), "\n")
	return title, strings.TrimLeft(body, "\n")
}

func act(ts *testscript.TestScript, w *world, login string, args []string) error {
	number := func(i int) int {
		n, err := strconv.Atoi(args[i])
		ts.Check(err)
		return n
	}
	switch args[0] {
	case "reports": // REPO FILE
		title, body := titled(ts, args[2])
		_, err := w.sim.Report(login, args[1], title, body)
		return err
	case "opens": // REPO FILE
		title, body := titled(ts, args[2])
		_, err := w.sim.OpenIssue(login, args[1], title, body)
		return err
	case "opens-long": // REPO FILE LENGTH: the body is filled up, and ends with "the end was found"
		title, body := titled(ts, args[2])
		const end = "the end was found"
		body += strings.Repeat("x", number(3)-len(body)-len(end)) + end
		_, err := w.sim.OpenIssue(login, args[1], title, body)
		return err
	case "sees-end": // REPO N: of what stands on the advisory
		text, err := w.sim.SeeAdvisory(login, args[1], advisory(ts, args[1], args[2]))
		fmt.Fprintln(ts.Stdout(), text[strings.LastIndex(text, "end was"):])
		return err
	case "drafts": // REPO FILE
		title, body := titled(ts, args[2])
		_, err := w.sim.OpenDraft(login, args[1], title, body)
		return err
	case "edits": // REPO N FILE
		title, body := titled(ts, args[3])
		return w.sim.EditIssue(login, args[1], number(2), title, body)
	case "writes": // REPO N TEXT: replaces the body, keeps the title
		i, _ := w.sim.Issue(args[1], number(2))
		return w.sim.EditIssue(login, args[1], number(2), i.Title, text(ts, args[3]))
	case "ticks": // REPO N WORDS: ticks the boxes of the lines that hold the words
		i, _ := w.sim.Issue(args[1], number(2))
		return w.sim.EditIssue(login, args[1], number(2), i.Title, tickLines(i.Body, args[3]))
	case "says":
		return say(ts, w, login, args[1:])
	case "rewrites": // TEXT: edits what was said last
		return w.rewrite(login, text(ts, args[1]))
	case "labels": // REPO N LABEL
		return w.sim.LabelIssue(login, args[1], number(2), args[3])
	case "locks": // REPO N
		return w.sim.LockIssue(login, args[1], number(2))
	case "purges": // REPO N
		return w.sim.DeleteRevisions(login, args[1], number(2))
	case "accepts":
		return w.sim.AcceptAdvisory(login, args[1], advisory(ts, args[1], args[2]))
	case "closes":
		return w.sim.CloseAdvisory(login, args[1], advisory(ts, args[1], args[2]))
	case "publishes":
		ghsa := advisory(ts, args[1], args[2])
		w.sim.AllowPublish(ghsa)
		return w.sim.PublishAdvisory(login, args[1], ghsa)
	case "releases":
		return w.sim.PublishRelease(login, args[1], args[2])
	case "accepts-credit":
		return w.sim.AcceptCredit(login, args[1], advisory(ts, args[1], args[2]))
	case "deletes":
		return w.sim.DeleteFile(login, args[1], args[2])
	case "sees":
		return see(ts, w, login, args[1:])
	case "reads": // WORDS: where somebody can read them
		show(ts, w.sim.Readable(login, args[1]), "nowhere")
		return nil
	default:
		ts.Fatalf("nobody can %q", args[0])
		return nil
	}
}

// say PLACE REPO N TEXT, the place being issue, advisory or tracker.
func say(ts *testscript.TestScript, w *world, login string, args []string) error {
	switch args[0] {
	case "advisory":
		ghsa := advisory(ts, args[1], args[2])
		id, err := w.sim.CommentAdvisory(login, args[1], ghsa, text(ts, args[3]))
		if err != nil {
			return err
		}
		w.rewrite = func(login, body string) error {
			return errors.Join(w.sim.EditAdvisoryComment(login, args[1], ghsa, id, body), w.sweep())
		}
		if err := w.settle(); err != nil {
			return err
		}
		return w.sweep() // advisory comments send no webhook
	case "issue":
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		id, err := w.sim.CommentIssue(login, args[1], n, text(ts, args[3]))
		w.rewrite = func(login, body string) error { return w.sim.EditComment(login, args[1], id, body) }
		return err
	case "tracker":
		return say(ts, w, login, []string{"issue", "acme/security-cases", args[1], args[2]})
	default:
		ts.Fatalf("there is no place %q", args[0])
		return nil
	}
}

func see(ts *testscript.TestScript, w *world, login string, args []string) error {
	var out string
	var err error
	switch args[0] {
	case "advisory":
		out, err = w.sim.SeeAdvisory(login, args[1], advisory(ts, args[1], args[2]))
	case "issue", "tracker":
		if args[0] == "tracker" {
			args = []string{"", "acme/security-cases", args[1]}
		}
		var n int
		n, err = strconv.Atoi(args[2])
		ts.Check(err)
		out, err = w.sim.SeeIssue(login, args[1], n)
	default:
		out, err = w.sim.SeeRepo(login, args[0])
	}
	if err == nil {
		if strings.TrimSpace(out) == "" {
			out = "nothing"
		}
		fmt.Fprint(ts.Stdout(), steady(w, out))
	}
	return err
}

// show prints lines, or a word that says that there are none: testscript keeps the old output of
// a verb that says nothing.
func show(ts *testscript.TestScript, lines []string, none string) {
	if len(lines) == 0 {
		lines = []string{none}
	}
	fmt.Fprintln(ts.Stdout(), strings.Join(lines, "\n"))
}

var ghsaPattern = regexp.MustCompile(`GHSA(-[a-z0-9]{4}){3}`)

// steady makes what a person sees the same in every run: advisories by their number.
func steady(w *world, text string) string {
	all := w.sim.Advisories("acme/web")
	text = ghsaPattern.ReplaceAllStringFunc(text, func(id string) string {
		for i, ghsa := range all {
			if ghsa == id {
				return fmt.Sprintf("GHSA-%d", i+1)
			}
		}
		return "GHSA-?"
	})
	return strings.TrimRight(text, "\n") + "\n"
}

func tickLines(body, words string) string {
	var b strings.Builder
	for line := range strings.Lines(body) {
		if words == "everything" || strings.Contains(line, words) {
			line = strings.Replace(line, "[ ]", "[x]", 1)
		}
		b.WriteString(line)
	}
	return b.String()
}

// ready prints what /readyz says.
func ready(ts *testscript.TestScript, _ bool, _ []string) {
	fmt.Fprint(ts.Stdout(), get(of(ts), "/readyz"))
}
